/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said of the ports of an address ──► a class number and its port entries. */
#include "compile/compile_class.h"

#include <errno.h>
#include <netinet/in.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

struct class {
	struct reach reach;
	uint32_t number;
};

/* Adds the entry of one port prefix: 2^(16 - bits) ports from `port` on. */
static int add_port(struct classes *classes, uint32_t class, uint8_t protocol, uint32_t port, uint32_t bits,
		    const struct snif_dest *dest) {
	struct port_entry *entry = array_add(&classes->out->ports, &classes->out->port_count, sizeof(*entry));

	if (!entry)
		return -ENOMEM;
	entry->dest = *dest;
	entry->key = (struct snif_port_key){
		.prefix_length = 40 + bits,
		.class_be = {class >> 24, class >> 16, class >> 8, class},
		.protocol = protocol,
		.port_be = {port >> 8, port},
	};
	return 0;
}

/* Adds ports from `first` up to `end` as the fewest port prefixes. */
static int add_ports(struct classes *classes, uint32_t class, uint8_t protocol, uint32_t first, uint32_t end,
		     const struct snif_dest *dest) {
	while (first < end) {
		uint32_t size = first ? first & -first : PORT_COUNT, bits;

		while (size > end - first)
			size /= 2;
		bits = 16 - (uint32_t)__builtin_ctz(size);
		if (add_port(classes, class, protocol, first, bits, dest) < 0)
			return -ENOMEM;
		first += size;
	}
	return 0;
}

/* What a span says, as the kernel reads it. */
static struct snif_dest span_dest(const struct classes *classes, const struct port_span *span) {
	struct snif_dest dest = {.kind = SNIF_DEST_NONE};
	const struct address_rule *rule;

	if (span->rank != 0) {
		rule = &classes->direct[classes->by_rank[span->rank - 1]];
		dest.kind = !rule->allow		     ? SNIF_DEST_DENY
			    : classes->read_dns && rule->dns ? SNIF_DEST_DNS
							     : SNIF_DEST_ALLOW;
		dest.rule = rule->rule;
		return dest;
	}
	memcpy(dest.zones, span->zones, sizeof(dest.zones));
	for (size_t i = 0; i < SNIF_ZONES / 64; i++)
		if (span->zones[i])
			dest.kind = SNIF_DEST_INSPECT;
	for (size_t i = 0; i < classes->zone_count; i++)
		if (span->zones[i / 64] >> i % 64 & 1)
			dest.postgres |= classes->zones[i].postgres;
	return dest;
}

static int add_map(struct classes *classes, uint32_t class, uint8_t protocol, const struct port_map *map) {
	int error = 0;

	for (size_t i = 0; error == 0 && i < map->count; i++) {
		struct snif_dest dest = span_dest(classes, &map->spans[i]);

		if (dest.kind != SNIF_DEST_NONE)
			error = add_ports(classes, class, protocol, map->spans[i].first, port_map_end(map, i), &dest);
	}
	return error;
}

static int compare_map(const struct port_map *a, const struct port_map *b) {
	if (a->count != b->count)
		return a->count < b->count ? -1 : 1;
	return memcmp(a->spans, b->spans, a->count * sizeof(*a->spans));
}

static int compare_class(const void *a, const void *b) {
	const struct class *x = a, *y = b;
	int order = compare_map(&x->reach.tcp, &y->reach.tcp);

	return order ? order : compare_map(&x->reach.udp, &y->reach.udp);
}

static void class_free(void *node) {
	struct class *class = node;

	port_map_free(&class->reach.tcp);
	port_map_free(&class->reach.udp);
	free(class);
}

/* Finds the number of the class with this map; a new class gets its port entries. */
int classes_find(struct classes *classes, const struct reach *reach, uint32_t *number) {
	struct class *class = calloc(1, sizeof(*class)), **node;

	if (!class)
		return -ENOMEM;
	if (port_map_copy(&reach->tcp, &class->reach.tcp) < 0 || port_map_copy(&reach->udp, &class->reach.udp) < 0 ||
	    !(node = tsearch(class, &classes->tree, compare_class))) {
		class_free(class);
		return -ENOMEM;
	}
	*number = (*node)->number;
	if (*node != class) {
		class_free(class);
		return 0;
	}
	*number = class->number = ++classes->count;
	if (add_map(classes, *number, IPPROTO_TCP, &class->reach.tcp) < 0)
		return -ENOMEM;
	return add_map(classes, *number, IPPROTO_UDP, &class->reach.udp);
}

int classes_add_named(struct classes *classes, const struct reach *groups) {
	int error;

	classes->zone_count = 0; /* these are the groups' */
	error = add_map(classes, SNIF_NAMED_CLASS, IPPROTO_TCP, &groups->tcp);

	return error ? error : add_map(classes, SNIF_NAMED_CLASS, IPPROTO_UDP, &groups->udp);
}

void classes_free(struct classes *classes) {
	tdestroy(classes->tree, class_free);
	classes->tree = NULL;
}
