/* SPDX-License-Identifier: BSD-2-Clause */
/* The n-th malloc(), calloc() or realloc() of one place in a program that this library is preloaded into ──► NULL; or, when
 * none is to fail, where in the program each of them is. */
#include "allocation.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* glibc's own, which also strdup(), fopen() and the like come to by way of these. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

/* Shared with the test, and with the processes that the program forks. */
static struct allocations *allocations;
static unsigned failing, failing_place;
static _Thread_local int looking; /* backtrace() takes memory itself */

/* Whose code it is; NULL: the C library's, this one's, or not known. */
static const char *owner(void *frame) {
	Dl_info info;
	const char *name;

	if (!dladdr(frame, &info) || !info.dli_fname)
		return NULL;
	name = strrchr(info.dli_fname, '/') ? strrchr(info.dli_fname, '/') + 1 : info.dli_fname;
	return strncmp(name, "libc.", 5) == 0 || strcmp(name, "allocation.so") == 0 ? NULL : name;
}

/* Notes who has called what the process ends in, which then does. */
static void on_fall(int number) {
	void *frames[FRAMES];
	const char *name = NULL;
	int count;

	looking = 1;
	count = backtrace(frames, FRAMES);
	for (int i = 0; i < count && !name; i++)
		name = owner(frames[i]);
	if (allocations && name)
		snprintf(allocations->fell, sizeof(allocations->fell), "%s", name);
	signal(number, SIG_DFL);
	raise(number);
}

/* Not for the command: what it is told of here is taken out of its environment. */
__attribute__((constructor)) static void prepare(void) {
	const char *file = getenv("FAULTS_COUNT"), *nth = getenv("FAULTS_ALLOCATION");
	int fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
	void *shared =
		fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*allocations), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	void *frame;

	if (!nth || sscanf(nth, "%x:%u", &failing_place, &failing) != 2)
		failing = 0;
	backtrace(&frame, 1);
	if (fd >= 0)
		close(fd);
	unsetenv("FAULTS_COUNT");
	unsetenv("FAULTS_ALLOCATION");
	unsetenv("LD_PRELOAD");
	if (shared != MAP_FAILED)
		allocations = shared;
	signal(SIGSEGV, on_fall);
	signal(SIGABRT, on_fall);
}

/* The same for allocations that come from the same calls. */
static uint32_t place(void) {
	void *frames[FRAMES];
	uint32_t hash = 2166136261;

	looking = 1;
	int count = backtrace(frames, FRAMES);
	looking = 0;
	for (int i = 0; i < count; i++)
		hash = (hash ^ (uint32_t)(uintptr_t)frames[i]) * 16777619;
	return hash;
}

static int fails(void) {
	if (!allocations || looking)
		return 0;
	unsigned nth = __atomic_add_fetch(&allocations->count, 1, __ATOMIC_RELAXED);
	if (failing ? allocations->met >= failing : nth >= ALLOCATIONS)
		return 0;
	uint32_t here = place();
	if (!failing)
		allocations->places[nth] = here;
	if (!failing || here != failing_place || __atomic_add_fetch(&allocations->met, 1, __ATOMIC_RELAXED) != failing)
		return 0;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size) {
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
	return fails() ? NULL : __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
	return fails() ? NULL : __libc_realloc(memory, size);
}
