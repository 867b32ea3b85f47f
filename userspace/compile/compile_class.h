/* SPDX-License-Identifier: BSD-2-Clause */
/* The classes of addresses: what compile_address.c finds is said of an address becomes a number and port entries. */
#ifndef SNIF_COMPILE_CLASS_H
#define SNIF_COMPILE_CLASS_H

#include "compile/compile.h"
#include "compile/port_map.h"

struct classes {
	const struct address_rule *direct;
	const uint32_t *by_rank;  /* rank - 1 ──► index in `direct` */
	const struct zone *zones; /* of the policy; groups of names are none */
	size_t zone_count;
	bool read_dns;	      /* what goes to DNS servers is read */
	struct compiled *out; /* its `ports` grow */
	void *tree;	      /* of tsearch() */
	uint32_t count;
};

/* Finds the number of the class with this reach, from 1 on; a new one gets its port entries. Returns 0 or -ENOMEM. */
int classes_find(struct classes *classes, const struct reach *reach, uint32_t *number);
/* Adds the port entries of rules for names, with their groups as zones, behind all classes. Returns 0 or -ENOMEM. */
int classes_add_named(struct classes *classes, const struct reach *groups);
void classes_free(struct classes *classes); /* not its `out` */

#endif
