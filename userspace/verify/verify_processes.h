/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes of an attached cgroup ──► rights and sockets by which they could get around the filter. */
#ifndef SNIF_VERIFY_PROCESSES_H
#define SNIF_VERIFY_PROCESSES_H

#include "control/inventory.h"
#include "verify/findings.h"

/* `cgroup_fd` is the cgroup's directory. */
void verify_processes(const struct filter *filter, const struct inventory_attachment *attachment, int cgroup_fd,
		      struct findings *findings);

#endif
