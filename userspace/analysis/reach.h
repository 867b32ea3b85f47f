/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether anything is left of where a name is allowed, once the direct rules have had their say. */
#ifndef SNIF_REACH_H
#define SNIF_REACH_H

#include "compile/compile.h"

struct zone_reach {
	bool somewhere;	 /* at some address of the zone no direct rule refuses */
	uint32_t denied; /* a direct rule that refuses some address of it; 0: none does */
};

/* Looks at one port of the zone. Returns 0 or -ENOMEM. */
int zone_reach(const struct policy *policy, const struct compiled *compiled, size_t zone, uint16_t port,
	       struct zone_reach *reach);
/* The same for all ports of the zone together; `denied` is of use where nothing is left. */
int zone_reach_any(const struct policy *policy, const struct compiled *compiled, size_t zone, struct zone_reach *reach);

#endif
