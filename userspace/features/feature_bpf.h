/* SPDX-License-Identifier: BSD-2-Clause */
/* Probes: what the programs and maps of the BPF object need from the kernel. */
#ifndef SNIF_FEATURE_BPF_H
#define SNIF_FEATURE_BPF_H

#include <linux/bpf.h>

#include "features/feature.h"

/* Whether the kernel takes maps of this type (enum bpf_map_type). */
struct finding probe_map(struct machine *machine, int type);
/* How many CPUs there can be, by /sys. */
struct finding probe_cpus(struct machine *machine, int unused);
struct finding probe_cgroup_storage(struct machine *machine, int unused);
struct finding probe_mapped_array(struct machine *machine, int unused);
/* Loads and verifies the object itself; the detail says how long that took, or why it was refused. */
struct finding probe_object(struct machine *machine, int unused);
/*
 * Whether the object's program for this hook (enum bpf_attach_type) can be there: whether the kernel knows the hook,
 * has every helper that the program calls for it, and lets another program be attached to a cgroup.
 */
struct finding probe_hook(struct machine *machine, int attach_type);
/* Whether programs of this kind can call the helper (enum bpf_func_id). Meaningful where they can be loaded at all. */
bool feature_has_helper(enum bpf_prog_type type, enum bpf_attach_type attach_type, int helper);
/* Attaches a program to the machine's cgroup beside others, and detaches it. */
struct finding feature_try_attaching(const struct machine *machine, int program, enum bpf_attach_type attach_type);
struct finding probe_jit(struct machine *machine, int unused);
struct finding probe_statistics(struct machine *machine, int unused);
struct finding probe_kernel_types(struct machine *machine, int unused);
struct finding probe_unprivileged(struct machine *machine, int unused);

#endif
