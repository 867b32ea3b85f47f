/* SPDX-License-Identifier: BSD-2-Clause */
/* A key ──► the entry that the kernel would find in its map. */
#include <stdlib.h>
#include <string.h>

#include "compile/compile.h"
#include "policy/prefix_order.h"
/* Behind the others: it brings judge.h, which needs what it declares. */
#include "compile/tables.h"

static int compare_address_key(const struct snif_address_key *a, const struct snif_address_key *b) {
	int order = memcmp(a->address, b->address, 16);

	return order ? order : (int)a->prefix_length - (int)b->prefix_length;
}

/* How many entries are not behind the key, in the order of the table. */
static size_t addresses_up_to(snif_tables tables, const struct snif_address_key *key) {
	size_t low = 0, high = tables->address_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_address_key(&tables->addresses[middle].key, key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Cuts the key down to its first `bits` bits. */
static void shorten(struct snif_address_key *key, unsigned bits) {
	key->prefix_length = bits;
	if (bits % 8)
		key->address[bits / 8] &= 0xff << (8 - bits % 8);
	memset(key->address + (bits + 7) / 8, 0, 16 - (bits + 7) / 8);
}

/*
 * A prefix that holds the address comes before it in the table, and holds whatever stands between. So when the nearest
 * entry before the address does not hold it, only the bits that both share can be those of a longer match: shorten the
 * key to them and look again. The bits get fewer each time.
 */
const __u32 *snif_find_class(snif_tables tables, const struct snif_address_key *key) {
	struct snif_address_key search = *key;
	size_t before;

	while ((before = addresses_up_to(tables, &search)) > 0) {
		const struct address_entry *entry = &tables->addresses[before - 1];
		unsigned common = address_common_bits(entry->key.address, key->address);

		if (common >= entry->key.prefix_length)
			return &entry->class;
		shorten(&search, common);
	}
	return NULL;
}

/* Port prefixes of one class and protocol do not overlap: the one with the port, if any, is found by halving. */
static int compare_port_entry(const void *key, const void *entry) {
	const struct snif_port_key *wanted = key, *found = &((const struct port_entry *)entry)->key;
	unsigned port = snif_be16(wanted->port_be), first = snif_be16(found->port_be);
	int order = memcmp(wanted->class_be, found->class_be, 4);

	if (order)
		return order;
	if (wanted->protocol != found->protocol)
		return wanted->protocol - found->protocol;
	if (port < first)
		return -1;
	return port - first >= 1U << (56 - found->prefix_length);
}

const struct snif_dest *snif_find_dest(snif_tables tables, const struct snif_port_key *key) {
	const struct port_entry *entry =
		bsearch(key, tables->ports, tables->port_count, sizeof(*tables->ports), compare_port_entry);

	return entry ? &entry->dest : NULL;
}

const struct snif_bucket *snif_find_bucket(snif_tables tables, __u32 number) {
	return number < tables->settings.buckets ? &tables->buckets[number] : NULL;
}
