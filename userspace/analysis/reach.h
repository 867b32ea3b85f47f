/* SPDX-License-Identifier: BSD-2-Clause */
/* What direct rules leave of where a name is allowed, and what they say of a port anywhere. */
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

/* What the rules say of one port at all addresses but those of loopback. */
struct address_reach {
	bool open;	  /* at some address no rule decides, and no names are checked */
	uint32_t allowed; /* a rule that allows some address; 0: none does */
	uint32_t denied;  /* one that denies some; 0: none does */
};

/* Looks at one protocol (an IPPROTO) and port. */
void address_reach(const struct compiled *compiled, uint8_t protocol, uint16_t port, struct address_reach *reach);

#endif
