/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * judge.h over a compiled policy in memory: who includes this decides in userspace by the very code that the kernel
 * runs. The look-ups are those of the kernel's maps; each returns NULL when there is no entry.
 */
#ifndef SNIF_TABLES_H
#define SNIF_TABLES_H

#include "compile/compile.h"

typedef const struct compiled *snif_tables;

/* The class of the longest prefix that holds the key's address. */
const __u32 *snif_find_class(snif_tables tables, const struct snif_address_key *key);
/* What the rules say at the key's class, protocol and port. */
const struct snif_dest *snif_find_dest(snif_tables tables, const struct snif_port_key *key);
/* One of the table of names. */
const struct snif_bucket *snif_find_bucket(snif_tables tables, __u32 number);

#include "judge.h"

#endif
