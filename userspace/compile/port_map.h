/* SPDX-License-Identifier: BSD-2-Clause */
/* What rules say of each port of one protocol: the values that compile_address.c computes with. */
#ifndef SNIF_PORT_MAP_H
#define SNIF_PORT_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "policy/policy.h"

#define PORT_COUNT 65536

/* The ports from `first` up to the next span. Its bytes are compared as they are: no padding. */
struct port_span {
	uint32_t first;
	uint32_t rank;			 /* 0: no direct rule; else the place in the order of precedence, 1 is first */
	uint64_t zones[SNIF_ZONES / 64]; /* none where there is a direct rule: it goes before them, also further in */
};

_Static_assert(sizeof(struct port_span) == 8 + SNIF_ZONES / 8, "struct port_span has padding");

/* Spans cover 0 to 65535 without a gap: the first begins at 0, neighbours differ. */
struct port_map {
	struct port_span *spans;
	size_t count;
};

/* What is said of the ports of both protocols. */
struct reach {
	struct port_map tcp, udp;
};

enum port_merge {
	PORT_MERGE_EQUALS, /* of two direct rules the one with the lower rank counts */
	PORT_MERGE_OVER,   /* where `a` has a direct rule it counts, else that of `b` */
};

/* A map in which every port has no rule. Each of these functions returns 0 or -ENOMEM. */
int port_map_empty(struct port_map *out);

/* A map in which the ports of `ports` have the direct rule of `rank`, or, when that is 0, the zone. */
int port_map_of(const struct port_list *ports, uint32_t rank, size_t zone, struct port_map *out);

/* What `a` and `b` say together; zones add up where no direct rule counts. `out` is a new map. */
int port_map_merge(enum port_merge how, const struct port_map *a, const struct port_map *b, struct port_map *out);

/* Replaces `count` maps (at least one), which are freed, by the one that they make together as equals, in time
 * n log n. Writes it to `out`, or nothing on -ENOMEM; the maps are freed either way. */
int port_map_merge_all(struct port_map *maps, size_t count, struct port_map *out);

int port_map_copy(const struct port_map *map, struct port_map *out);

void port_map_free(struct port_map *map);

/* The end of a span, exclusive. */
static inline uint32_t port_map_end(const struct port_map *map, size_t span) {
	return span + 1 < map->count ? map->spans[span + 1].first : PORT_COUNT;
}

#endif
