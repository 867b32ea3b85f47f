/* SPDX-License-Identifier: BSD-2-Clause */
/* /etc/hosts ──► addresses of the policy's names. */
#ifndef SNIF_HOSTS_H
#define SNIF_HOSTS_H

#include <stdint.h>

#include "filter/filter.h"

/*
 * Has the addresses count that `file` (hosts(5)) gives for names of the policy, in this network namespace and for good,
 * where the policy asks for what lookups give; its number is `policy`. Returns 0, also where there is no such file, or a
 * negative errno.
 */
int hosts_bind(const char *file, struct filter *filter, uint32_t policy, const struct compiled *compiled);

#endif
