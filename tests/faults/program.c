/* SPDX-License-Identifier: BSD-2-Clause */
/* A program's words and a fault ──► how it ended, and what it has printed. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "allocation.h"
#include "faults.h"

static const char library[] = "build/tests/faults/allocation.so";

static int out, err, shared;
static struct allocations *allocations;

void check(bool good, const char *what) {
	if (good)
		return;
	fprintf(stderr, "faults: cannot prepare a trial: %s: %m\n", what);
	exit(1);
}

void program_prepare(void) {
	out = memfd_create("out", MFD_CLOEXEC);
	err = memfd_create("err", MFD_CLOEXEC);
	shared = memfd_create("allocations", MFD_CLOEXEC);
	check(ftruncate(shared, sizeof(*allocations)) == 0, "allocations");
	allocations = mmap(NULL, sizeof(*allocations), PROT_READ | PROT_WRITE, MAP_SHARED, shared, 0);
	check(allocations != MAP_FAILED, "allocations");
}

static void empty(int fd) {
	if (ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET))
		abort();
}

struct ended program_run(char *const argv[], const struct point *point, struct points *calls, bool noted) {
	char count[64], failing[64], preload[sizeof(library) + 16];
	/* with a zone of no file: C goes on in UTC where one cannot be read, and says so */
	char *environment[] = {
		(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *)"TZ=UTC0", preload, count, failing, NULL};
	struct inject inject = {.argv = argv, .out = out, .err = err, .environment = environment};
	bool preloaded = point ? point->call < 0 : noted;

	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", library);
	snprintf(count, sizeof(count), "FAULTS_COUNT=/proc/%d/fd/%d", (int)getpid(), shared);
	snprintf(failing, sizeof(failing), "FAULTS_ALLOCATION=%x:%u", point ? point->place : 0, point ? point->nth : 0);
	if (!preloaded)
		environment[2] = NULL;
	inject.point = preloaded ? NULL : point;
	inject.calls = calls;
	empty(out);
	empty(err);
	allocations->count = allocations->met = 0;
	allocations->fell[0] = '\0';
	return inject_run(&inject);
}

const struct allocations *program_allocations(void) {
	return allocations;
}

bool program_met(const struct point *point, const struct ended *ended) {
	return point->call < 0 ? allocations->met >= point->nth : ended->reached;
}

static void read_all(int fd, char text[OUTPUT]) {
	ssize_t length = pread(fd, text, OUTPUT - 1, 0);

	text[length > 0 ? length : 0] = '\0';
}

void program_read_output(char text[OUTPUT]) {
	read_all(out, text);
}

void program_read_messages(char text[OUTPUT]) {
	read_all(err, text);
}

struct result finding(const char *format, ...) {
	struct result result = {.outcome = FINDING};
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(result.text, sizeof(result.text), format, arguments);
	va_end(arguments);
	return result;
}
