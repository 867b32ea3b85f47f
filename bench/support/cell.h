/* SPDX-License-Identifier: BSD-2-Clause */
/* Places to compare: cgroups with snifence, with a floor, or with nothing attached; and what their programs cost. */
#ifndef SNIF_BENCH_CELL_H
#define SNIF_BENCH_CELL_H

#include <linux/bpf.h>
#include <stdint.h>

#include "compile/compile.h"
#include "filter/filter.h"

/* All functions end the round (bench_fail) on an error. */

struct cell {
	int fd; /* the cgroup's directory */
	uint64_t id;
};

/* Makes a cgroup below `parent`, or below bench_cgroup() when that is NULL. */
struct cell cell_make(const struct cell *parent, const char *name);
/* Moves this process into the cell, so that the sockets it makes next belong there; or back out of all cells. */
void cell_enter(const struct cell *cell);
void cell_leave(void);
/* The program that is attached to the cell itself, as a descriptor. */
int cell_program(const struct cell *cell, enum bpf_attach_type type);

/* ---- what is attached ---------------------------------------------------------------------------------------- */

enum floor {
	FLOOR_RETURN,  /* a program that returns 1 */
	FLOOR_STORAGE, /* one that looks up its socket's storage, in connect() makes it first, and returns 1 */
};

/*
 * Loads a floor's program for egress, connect4 or connect6; each call anew, as its statistics are its own. Returns its
 * descriptor.
 */
int floor_load(enum floor floor, enum bpf_attach_type type);
/* The same, attached to the cell. */
void floor_attach(const struct cell *cell, enum floor floor, enum bpf_attach_type type);

/* A policy in force, as `snifence run` puts it there, and how long the steps took. */
struct confinement {
	struct filter *filter;
	uint32_t slot;
	double parse_ms, compile_ms, load_ms; /* text to model, to tables, to maps */
};

/* Loads the programs and puts the policy, as YAML, in force under number 1. */
struct confinement confine(const char *policy);
/* Attaches the programs to the cell, under that policy. */
void confine_cell(const struct confinement *confinement, const struct cell *cell);
/* Reads and drops the events that are waiting. Returns how many there were. */
unsigned confine_drain(const struct confinement *confinement);

/* ---- costs ---------------------------------------------------------------------------------------------------- */

/* What the kernel has counted for a program since it was loaded. */
struct cost {
	uint64_t ns, runs;
};

/*
 * Has the kernel measure all programs, which itself costs some time in each run, until cost_stop() or the process's
 * end.
 */
void cost_start(void);
void cost_stop(void);
struct cost cost_of(int program);

#endif
