/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls of a start ──► what can fail in it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seccomp.h>

#include "allocation.h"
#include "faults.h"

static const int errors[] = {EPERM, ENOMEM, EMFILE, EINTR, EINVAL, EIO};

/* Cannot fail, never return, or (futex, rseq) make glibc end the process by itself. */
static const char *const passed_over[] = {"exit",   "exit_group", "rt_sigreturn", "restart_syscall", "futex",
					  "rseq",   "getpid",	  "gettid",	  "getppid",	     "geteuid",
					  "getuid", "getgid",	  "getegid"};

static bool can_fail(const char *name) {
	for (size_t i = 0; i < sizeof(passed_over) / sizeof(passed_over[0]); i++)
		if (strcmp(passed_over[i], name) == 0)
			return false;
	return true;
}

void point_print(const struct point *point, char text[POINT_TEXT]) {
	char *name = point->call < 0 ? NULL : seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, point->call);

	if (point->call < 0)
		snprintf(text, POINT_TEXT, "allocation:%x:%u", point->place, point->nth);
	else
		snprintf(text, POINT_TEXT, "%x:%s:%u:%s", point->task, name ? name : "?", point->nth,
			 strerrorname_np(point->error));
	free(name);
}

static int error_named(const char *name) {
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strcmp(strerrorname_np(errors[i]), name) == 0)
			return errors[i];
	return 0;
}

bool point_parse(const char *text, struct point *point) {
	char name[64], error[32];

	*point = (struct point){.call = -1};
	if (sscanf(text, "allocation:%x:%u", &point->place, &point->nth) == 2)
		return true;
	if (sscanf(text, "%x:%63[^:]:%u:%31s", &point->task, name, &point->nth, error) != 4)
		return false;
	point->call = seccomp_syscall_resolve_name(name);
	point->error = error_named(error);
	return point->call >= 0 && point->error;
}

void points_add(struct points *points, struct point point) {
	if ((points->count & (points->count - 1)) == 0)
		points->points = realloc(points->points, (points->count ? 2 * points->count : 1) * sizeof(point));
	if (!points->points)
		abort();
	points->points[points->count++] = point;
}

/* How often the task makes the call. */
static unsigned times(const struct points *calls, const struct point *point) {
	unsigned last = 0;

	for (size_t i = 0; i < calls->count; i++)
		if (calls->points[i].task == point->task && calls->points[i].call == point->call)
			last = calls->points[i].nth;
	return last;
}

struct points points_with_errors(const struct points *calls, bool all_errors) {
	enum { ERRORS = sizeof(errors) / sizeof(errors[0]) };
	struct points all = {0};

	for (size_t i = 0; i < calls->count; i++) {
		struct point point = calls->points[i];
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, point.call);
		bool each = all_errors || point.nth == 1 || point.nth == times(calls, &point);

		for (size_t j = 0; name && can_fail(name) && j < ERRORS; j++) {
			point.error = errors[j];
			if (each || j == point.nth % ERRORS)
				points_add(&all, point);
		}
		free(name);
	}
	return all;
}

/* How many allocations from `from` to before `to` are of the same place. */
static unsigned count_like(const struct allocations *allocations, unsigned from, unsigned to, uint32_t place) {
	unsigned count = 0;

	for (unsigned i = from; i < to; i++)
		count += allocations->places[i] == place;
	return count;
}

struct points points_of_allocations(const struct allocations *allocations) {
	unsigned end = allocations->count < ALLOCATIONS ? allocations->count + 1 : ALLOCATIONS;
	struct points all = {0};

	for (unsigned at = 1; at < end; at++) {
		struct point point = {.call = -1, .error = ENOMEM, .place = allocations->places[at]};

		point.nth = 1 + count_like(allocations, 1, at, point.place);
		if (point.nth == 1 || count_like(allocations, at + 1, end, point.place) == 0)
			points_add(&all, point);
	}
	return all;
}

void points_sample(struct points *points, size_t count, unsigned seed) {
	for (size_t i = 0; i < count && i < points->count; i++) {
		size_t other = i + (size_t)rand_r(&seed) % (points->count - i);
		struct point point = points->points[i];

		points->points[i] = points->points[other];
		points->points[other] = point;
	}
	if (points->count > count)
		points->count = count;
}
