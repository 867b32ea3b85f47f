/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines by which systemd confines each start of a service. */
#ifndef SNIF_DROP_IN_H
#define SNIF_DROP_IN_H

#include <limits.h>
#include <stdio.h>

enum { UNIT_NAME = 256 };

/* The service's whole name, `.service` added where it has no type. Returns 0; or -EINVAL after saying what is wrong: only
 * services start anew in a cgroup of their own. */
int drop_in_service(const char *name, char service[UNIT_NAME]);

/* Writes them for a policy, by its whole path. Returns 0; or -EINVAL after saying which path no unit can have. */
int drop_in_print(FILE *out, const char *service, const char *policy);

/* Where they belong, so that systemd reads them with the service. */
void drop_in_path(const char *service, char path[PATH_MAX]);

/*
 * After a service was attached while it runs: says how to confine its further starts too, where systemd does not do so
 * already.
 */
void drop_in_advise(const char *service, const char *policy);

#endif
