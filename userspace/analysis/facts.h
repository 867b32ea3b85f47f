/* SPDX-License-Identifier: BSD-2-Clause */
/* What follows from a policy without being written in it: for check, in text and in JSON. */
#ifndef SNIF_FACTS_H
#define SNIF_FACTS_H

#include "compile/compile.h"

/*
 * Whether the direct rule lets traffic through unseen: it allows TCP to some address and port where hostnames are checked
 * otherwise. Returns 1, 0 or -ENOMEM.
 */
int bypasses_inspection(const struct policy *policy, const struct address_rule *rule);

/* A list in the order of prefix_compare(), without prefixes that others of its family hold. The caller frees its items.
 * Returns 0 or -ENOMEM. */
int prefixes_disjoint(const struct prefix_list *list, struct prefix_list *out);

/* Bytes of kernel memory that the tables take as maps: an estimate from the sizes of the kernel's elements. */
size_t kernel_bytes(const struct compiled *compiled);

/* `tcp`, `udp` or `tcp and udp`. */
const char *protocols_text(uint8_t protocols);

#endif
