/* SPDX-License-Identifier: BSD-2-Clause */
/* What follows from a policy without being written in it: for check, in text and in JSON. */
#ifndef SNIF_CHECK_FACTS_H
#define SNIF_CHECK_FACTS_H

#include "compile/compile.h"

/*
 * A zone whose traffic the direct rule lets through unseen: the rule allows TCP to some address and port where
 * hostnames are checked otherwise. Returns its index, -ENOENT when there is none, or -ENOMEM.
 */
int bypassed_zone(const struct policy *policy, const struct address_rule *rule);

/* A list in the order of prefix_compare(), without prefixes that others of its family hold. The caller frees its items.
 * Returns 0 or -ENOMEM. */
int prefixes_disjoint(const struct prefix_list *list, struct prefix_list *out);

/* Bytes of kernel memory that the tables take as maps: an estimate from the sizes of the kernel's elements. */
size_t kernel_bytes(const struct compiled *compiled);

/* `tcp`, `udp` or `tcp and udp`. */
const char *protocols_text(uint8_t protocols);

#endif
