/* SPDX-License-Identifier: BSD-2-Clause */
/* Probes: what this process may do, and what can be taken from a command's. */
#ifndef SNIF_FEATURE_PROCESS_H
#define SNIF_FEATURE_PROCESS_H

#include "features/feature.h"

struct finding probe_root(struct machine *machine, int unused);
/* Those of root's capabilities that a run uses; the detail lists the missing ones. */
struct finding probe_capabilities(struct machine *machine, int unused);
struct finding probe_null_device(struct machine *machine, int unused);
/* Whether the limit on open files leaves room for those of a run. */
struct finding probe_open_files(struct machine *machine, int unused);
struct finding probe_pidfd(struct machine *machine, int unused);
/* Confines a process in the way of run, but for the seccomp filter, which is probe_seccomp()'s. */
struct finding probe_confinement(struct machine *machine, int unused);
/* Makes a PID namespace and leaves it. */
struct finding probe_pid_namespace(struct machine *machine, int unused);
/* Whether Landlock keeps a command's signals and abstract sockets inside; the detail says its ABI. */
struct finding probe_landlock(struct machine *machine, int unused);
struct finding probe_seccomp(struct machine *machine, int unused);
struct finding probe_io_uring(struct machine *machine, int unused);
struct finding probe_lockdown(struct machine *machine, int unused);

/* The mode in force of the text in /sys/kernel/security/lockdown, like `none [integrity] confidentiality`; "" where
 * none is marked. Changes `text`. */
const char *lockdown_mode(char *text);

#endif
