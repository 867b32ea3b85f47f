/* SPDX-License-Identifier: BSD-2-Clause */
/* Probes: cgroups, and what is done with the processes in them. */
#ifndef SNIF_FEATURE_CGROUP_H
#define SNIF_FEATURE_CGROUP_H

#include <stdio.h>

#include "features/feature.h"

/* Whether this process is in a cgroup2 hierarchy; the detail says where that is mounted, and whether beside v1. */
struct finding probe_cgroup2(struct machine *machine, int unused);
/* Whether run can make the cgroup of a command; it stays in `machine` for other probes. */
struct finding probe_own_cgroup(struct machine *machine, int unused);
struct finding probe_clone_into(struct machine *machine, int unused);
struct finding probe_cgroup_kill(struct machine *machine, int unused);
struct finding probe_bpf_file_system(struct machine *machine, int unused);

/* The detail of probe_cgroup2() for a list like /proc/self/mounts. */
struct finding describe_cgroup2(FILE *mounts);

#endif
