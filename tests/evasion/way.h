/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ways past the filter ──► tried as `run` confines a command, and as a cgroup is that is only attached, where what `run`
 * closes by other means than the filter is open.
 */
#ifndef SNIF_WAY_H
#define SNIF_WAY_H

#include <stddef.h>

/* What the filter closes everywhere; then the rows of the documentation's table on the rest, in its order. */
enum way_row { WAY_SOCKETS, WAY_PACKETS, WAY_STATE, WAY_CGROUP, WAY_CALLS, WAY_PROCESSES, WAY_ROWS };

/* An attempt, in a child: 0 when it succeeds, else its errno. */
typedef int (*attempt_function)(void);

struct way {
	enum way_row row;
	const char *name;
	attempt_function attempt;
	int error, or_error; /* it is closed when it fails with one of these */
};

/* Fails the case unless the attempt, confined as by `run`, fails with one of two errors, as root and as nobody. */
void must_fail(attempt_function attempt, int error, int or_error);
/* Fails it unless each is closed that way, and where a cgroup is attached too just when the filter closes it. */
void ways_tried(const struct way *ways, size_t count);
/* Fails it unless the documentation's table has these rows. */
void ways_documented(void);

#endif
