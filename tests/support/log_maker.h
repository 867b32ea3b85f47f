/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of a log, as tests want them. */
#ifndef SNIF_LOG_MAKER_H
#define SNIF_LOG_MAKER_H

#include <stdio.h>

/* What differs from line to line; what is NULL or 0 has a value that goes with most tests. */
struct made_line {
	int second;	      /* after 2026-01-02 03:00:00 UTC */
	const char *name;     /* of a line of type tls, as it stands in JSON; NULL: type flow */
	int lookup;	      /* it is of type dns, a question for the name */
	const char *action;   /* drop */
	const char *reason;   /* name_not_allowed */
	const char *process;  /* curl */
	const char *address;  /* 192.0.2.1; "": none */
	int port;	      /* 443 */
	const char *protocol; /* TCP */
	const char *rule;     /* left out */
	int expected;	      /* left out; the rule says that it is no news */
	const char *policy;   /* agent */
	const char *sha256;   /* of it; left out */
	const char *cgroup;   /* /snifence-42 */
	const char *run;      /* 000000000000f00d */
	int sequence;	      /* left out, with the run */
};

void make_line(FILE *out, const struct made_line *line);

/* The log, empty, to be written to. Fails the test when there is none. */
FILE *new_log(const char *path);

/* Makes a log of these lines. Fails the test when that cannot be done. */
void make_log(const char *path, const struct made_line lines[], size_t count);

#define MAKE_LINE(out, ...) make_line(out, &(struct made_line){__VA_ARGS__})
#define MAKE_LOG(path, ...)                                                                                            \
	make_log(path, (const struct made_line[]){__VA_ARGS__},                                                        \
		 sizeof((const struct made_line[]){__VA_ARGS__}) / sizeof(struct made_line))

#endif
