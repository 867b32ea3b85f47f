/* SPDX-License-Identifier: BSD-2-Clause */
/* What a machine can have or lack, as far as it matters to snifence: one table of features, and how each is found. */
#ifndef SNIF_FEATURE_H
#define SNIF_FEATURE_H

#include <stdbool.h>
#include <stddef.h>

#include "cgroup/cgroup.h"

struct snifence_bpf;

enum feature_state { FEATURE_UNKNOWN, FEATURE_MISSING, FEATURE_HERE };

enum feature_need {
	FEATURE_NEEDED,	 /* `snifence run` does not work without it */
	FEATURE_HELPFUL, /* without it, `snifence run` does something in another way, or leaves it and says so */
	FEATURE_NOTED,	 /* here or not, both are well: what it means is worth knowing */
	FEATURE_NEEDS,
};

/* What probes share. Made and released by feature_command.c. */
struct machine {
	struct snifence_bpf *object; /* opened, not loaded; NULL: out of memory */
	struct cgroup cgroup;	     /* an empty one to try things in; fd -1: none, while it cannot be made */
};

/* What one probe has found. */
struct finding {
	enum feature_state state;
	char detail[256]; /* where, how much, or why not; "": nothing to add */
};

/*
 * A probe tries the thing itself and never asks for a version. It leaves the machine as it was, except for what the
 * machine struct holds. All probes are called in the order of the table.
 */
struct feature {
	const char *key;  /* its name in JSON, which does not change */
	const char *name; /* its name in the table */
	enum feature_need need;
	bool root; /* only root can tell */
	struct finding (*probe)(struct machine *machine, int argument);
	int argument;
	const char *here, *missing; /* what it means for a policy or a run, when it is there and when it is not */
};

extern const struct feature feature_table[];
extern const size_t feature_count;

/* Findings, with a detail as printf() makes it. */
struct finding feature_found(bool here, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Here for 0; missing, with what strerror() says, for a negative errno. */
struct finding feature_result(int error);
/* Here for an open descriptor, which it closes; for a negative one missing, with what errno says. */
struct finding feature_descriptor(int fd);

#endif
