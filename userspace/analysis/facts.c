/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy and its tables ──► what a reader may want to be told besides. */
#include "analysis/facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/prefix_order.h"

/* What the kernel allocates for an element besides its key and value (Linux 6.1, 64 bits), rounded up. A trie has up
 * to one inner node for each entry. */
#define TRIE_NODE 48

static bool ports_meet(const struct port_list *a, const struct port_list *b) {
	size_t i = 0, j = 0;

	while (i < a->count && j < b->count) {
		if (a->items[i].last < b->items[j].first)
			i++;
		else if (b->items[j].last < a->items[i].first)
			j++;
		else
			return true;
	}
	return false;
}

static int compare_prefixes(const void *a, const void *b) {
	return prefix_compare(a, b);
}

int prefixes_disjoint(const struct prefix_list *list, struct prefix_list *out) {
	out->count = 0;
	out->items = calloc(list->count + 1, sizeof(*out->items));
	if (!out->items)
		return -ENOMEM;
	if (list->count > 0)
		memcpy(out->items, list->items, list->count * sizeof(*out->items));
	qsort(out->items, list->count, sizeof(*out->items), compare_prefixes);
	for (size_t i = 0; i < list->count; i++) {
		const struct prefix *last = out->count > 0 ? &out->items[out->count - 1] : NULL;

		if (!last || prefix_is_ipv4(last) != prefix_is_ipv4(&out->items[i]) ||
		    !prefix_contains(last, &out->items[i]))
			out->items[out->count++] = out->items[i];
	}
	return 0;
}

/* Whether an address is in both lists, which are prefixes_disjoint() each. Two prefixes overlap when one holds the
 * other. */
static bool prefixes_meet(const struct prefix_list *a, const struct prefix_list *b) {
	size_t i = 0, j = 0;

	while (i < a->count && j < b->count) {
		const struct prefix *x = &a->items[i], *y = &b->items[j];
		bool same_family = prefix_is_ipv4(x) == prefix_is_ipv4(y);

		if (same_family && (prefix_contains(x, y) || prefix_contains(y, x)))
			return true;
		if (prefix_compare(x, y) < 0)
			i++;
		else
			j++;
	}
	return false;
}

static int lists_meet(const struct prefix_list *a, const struct prefix_list *b) {
	struct prefix_list x = {0}, y = {0};
	int result = prefixes_disjoint(a, &x);

	if (result == 0)
		result = prefixes_disjoint(b, &y);
	if (result == 0)
		result = prefixes_meet(&x, &y);
	free(x.items);
	free(y.items);
	return result;
}

int bypasses_inspection(const struct policy *policy, const struct address_rule *rule) {
	int meet = 0;

	if (!rule->allow || !(rule->protocols & PROTO_TCP))
		return 0;
	for (size_t z = 0; z < policy->zone_count && meet == 0; z++) {
		const struct zone *zone = &policy->zones[z];

		if (zone->inspected && ports_meet(&rule->ports, &zone->ports))
			meet = lists_meet(&policy->lists[rule->list], &policy->lists[zone->list]);
	}
	return meet;
}

size_t kernel_bytes(const struct compiled *compiled) {
	size_t address = TRIE_NODE + sizeof(struct snif_address_key) + sizeof(__u32);
	size_t port = TRIE_NODE + sizeof(struct snif_port_key) + sizeof(struct snif_dest);

	return 2 * compiled->address_count * address + 2 * compiled->port_count * port +
	       compiled->settings.buckets * sizeof(struct snif_bucket);
}

const char *protocols_text(uint8_t protocols) {
	static const char *const texts[] = {"no protocol", "tcp", "udp", "tcp and udp"};

	return texts[protocols & (PROTO_TCP | PROTO_UDP)];
}
