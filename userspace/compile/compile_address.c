/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prefixes and ports of direct rules and zones ──► the address and port tables.
 *
 * Prefixes are visited in order, the enclosing ones on a stack. What is said at a prefix is what its own rules say over
 * what is said at the enclosing one, as a map from ports to rules. Prefixes with the same map share a class.
 */
#include "compile/compile_address.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/compile_class.h"
#include "policy/prefix_order.h"

/* A direct rule or a zone. */
struct source {
	size_t list;
	bool direct;
	size_t index; /* in policy.direct or policy.zones */
	uint32_t rank;
};

/* A list of addresses covers this prefix. */
struct place {
	struct prefix prefix;
	size_t list;
};

/* An enclosing prefix. */
struct level {
	struct prefix prefix;
	struct reach reach;
	uint32_t class;
};

#define LEVELS 130 /* one for each length, and the bottom */

struct builder {
	const struct policy *policy;
	struct classes classes;
	struct source *sources; /* sorted by list */
	size_t source_count;
	uint32_t *by_rank;   /* rank - 1 ──► index in policy.direct */
	struct reach *lists; /* what the sources of each list say together */
	struct place *places;
	size_t place_count;
	struct level levels[LEVELS];
	size_t depth;
};

static void reach_free(struct reach *reach) {
	port_map_free(&reach->tcp);
	port_map_free(&reach->udp);
}

/* Deny before allow; DNS servers, which are read, before what is not; then as written. */
static int compare_rank(const void *a, const void *b, void *context) {
	const struct address_rule *direct = context;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int order = direct[x].allow - direct[y].allow;

	if (order == 0)
		order = direct[y].dns - direct[x].dns;
	return order ? order : (x > y) - (x < y);
}

static int compare_source(const void *a, const void *b) {
	const struct source *x = a, *y = b;

	return (x->list > y->list) - (x->list < y->list);
}

/* Ranks the direct rules, and sorts them and the zones with inspection by their lists. */
static int find_sources(struct builder *b) {
	const struct policy *policy = b->policy;
	struct source *source;

	source = b->sources = calloc(policy->direct_count + policy->zone_count + 1, sizeof(*b->sources));
	b->by_rank = calloc(policy->direct_count + 1, sizeof(*b->by_rank));
	if (!b->sources || !b->by_rank)
		return -ENOMEM;
	for (size_t i = 0; i < policy->direct_count; i++)
		b->by_rank[i] = i;
	qsort_r(b->by_rank, policy->direct_count, sizeof(*b->by_rank), compare_rank, policy->direct);
	for (size_t i = 0; i < policy->direct_count; i++)
		*source++ = (struct source){policy->direct[b->by_rank[i]].list, true, b->by_rank[i], i + 1};
	for (size_t i = 0; i < policy->zone_count; i++)
		if (policy->zones[i].inspected)
			*source++ = (struct source){policy->zones[i].list, false, i, 0};
	b->source_count = (size_t)(source - b->sources);
	qsort(b->sources, b->source_count, sizeof(*b->sources), compare_source);
	return 0;
}

static int source_map(const struct policy *policy, const struct source *source, uint8_t protocol,
		      struct port_map *out) {
	const struct address_rule *rule;

	if (!source->direct)
		return protocol == PROTO_TCP ? port_map_of(&policy->zones[source->index].ports, 0, source->index, out)
					     : port_map_empty(out);
	rule = &policy->direct[source->index];
	return rule->protocols & protocol ? port_map_of(&rule->ports, source->rank, 0, out) : port_map_empty(out);
}

/* What `count` sources of one list say together. */
static int merge_sources(const struct policy *policy, const struct source *sources, size_t count, uint8_t protocol,
			 struct port_map *out) {
	struct port_map *maps = calloc(count, sizeof(*maps));
	int error = maps ? 0 : -ENOMEM;
	size_t made = 0;

	for (; error == 0 && made < count; made++)
		error = source_map(policy, &sources[made], protocol, &maps[made]);
	if (error == 0)
		error = port_map_merge_all(maps, count, out);
	else
		while (made > 0)
			port_map_free(&maps[--made]);
	free(maps);
	return error;
}

static size_t sources_of_one_list(const struct builder *b, size_t from) {
	size_t to = from;

	while (to < b->source_count && b->sources[to].list == b->sources[from].list)
		to++;
	return to - from;
}

/* Notes where a list's prefixes are. There is room for them. */
static void add_places(struct builder *b, size_t list) {
	for (size_t i = 0; i < b->policy->lists[list].count; i++)
		b->places[b->place_count++] = (struct place){b->policy->lists[list].items[i], list};
}

static int compare_place(const void *a, const void *b) {
	const struct place *x = a, *y = b;
	int order = prefix_compare(&x->prefix, &y->prefix);

	return order ? order : (x->list > y->list) - (x->list < y->list);
}

/* For each list that a rule or zone uses: its map, and its prefixes among the places. */
static int find_places(struct builder *b) {
	const struct policy *policy = b->policy;
	size_t places = 1, count;
	int error = 0;

	for (size_t i = 0; i < policy->list_count; i++)
		places += policy->lists[i].count;
	b->lists = calloc(policy->list_count + 1, sizeof(*b->lists));
	b->places = calloc(places, sizeof(*b->places));
	if (!b->lists || !b->places)
		return -ENOMEM;
	for (size_t i = 0; error == 0 && i < b->source_count; i += count) {
		struct reach *reach = &b->lists[b->sources[i].list];

		count = sources_of_one_list(b, i);
		error = merge_sources(policy, &b->sources[i], count, PROTO_TCP, &reach->tcp);
		if (error == 0)
			error = merge_sources(policy, &b->sources[i], count, PROTO_UDP, &reach->udp);
		add_places(b, b->sources[i].list);
	}
	qsort(b->places, b->place_count, sizeof(*b->places), compare_place);
	return error;
}

/* What the lists of `count` places at one prefix say together. */
static int merge_places(const struct builder *b, const struct place *places, size_t count, struct reach *out) {
	struct port_map *tcp = calloc(2 * count, sizeof(*tcp)), *udp = tcp + count;
	int error = tcp ? 0 : -ENOMEM;

	for (size_t i = 0; error == 0 && i < count; i++) {
		error = port_map_copy(&b->lists[places[i].list].tcp, &tcp[i]);
		if (error == 0)
			error = port_map_copy(&b->lists[places[i].list].udp, &udp[i]);
	}
	if (error == 0) {
		error = port_map_merge_all(tcp, count, &out->tcp);
		if (port_map_merge_all(udp, count, &out->udp) < 0)
			error = -ENOMEM;
	} else {
		for (size_t i = 0; tcp && i < 2 * count; i++)
			port_map_free(&tcp[i]);
	}
	free(tcp);
	return error;
}

/* What is said at a prefix: what its places say, over what is said at the enclosing prefix. */
static int place_reach(const struct builder *b, const struct place *places, size_t count, const struct reach *enclosing,
		       struct reach *out) {
	struct reach own = {0};
	int error = merge_places(b, places, count, &own);

	if (error == 0)
		error = port_map_merge(PORT_MERGE_OVER, &own.tcp, &enclosing->tcp, &out->tcp);
	if (error == 0)
		error = port_map_merge(PORT_MERGE_OVER, &own.udp, &enclosing->udp, &out->udp);
	reach_free(&own);
	return error;
}

static void add_address(struct compiled *out, const struct prefix *prefix, uint32_t class) {
	struct address_entry *entry = &out->addresses[out->address_count++];

	*entry = (struct address_entry){.key = {.prefix_length = prefix->length}, .class = class};
	memcpy(entry->key.address, prefix->address, 16);
}

/* One prefix with its `count` places. An entry that would say what the enclosing one says is left out. */
static int visit(struct builder *b, const struct place *places, size_t count) {
	struct level *level, *enclosing;
	int error;

	while (b->depth > 1 && !prefix_contains(&b->levels[b->depth - 1].prefix, &places->prefix))
		reach_free(&b->levels[--b->depth].reach);
	enclosing = &b->levels[b->depth - 1];
	level = &b->levels[b->depth++];
	*level = (struct level){.prefix = places->prefix};
	error = place_reach(b, places, count, &enclosing->reach, &level->reach);
	if (error == 0)
		error = classes_find(&b->classes, &level->reach, &level->class);
	if (error == 0 && level->class != enclosing->class)
		add_address(b->classes.out, &level->prefix, level->class);
	return error;
}

/* All places of one family, whose widest prefix is `bottom`. */
static int visit_family(struct builder *b, const struct place *places, size_t count, const struct prefix *bottom) {
	size_t alike;
	int error;

	b->levels[0] = (struct level){.prefix = *bottom};
	b->depth = 1;
	error = port_map_empty(&b->levels[0].reach.tcp);
	if (error == 0)
		error = port_map_empty(&b->levels[0].reach.udp);
	for (size_t i = 0; error == 0 && i < count; i += alike) {
		for (alike = 1; i + alike < count; alike++)
			if (prefix_compare(&places[i].prefix, &places[i + alike].prefix) != 0)
				break;
		error = visit(b, &places[i], alike);
	}
	while (b->depth > 0)
		reach_free(&b->levels[--b->depth].reach);
	return error;
}

/*
 * The trie holds both families: a prefix of IPv6 that is wider than ::ffff:0:0/96, such as ::/0, must not speak for
 * IPv4. Where IPv4 has no entry of that length itself, one without a class cuts it out.
 */
static void separate_families(struct compiled *out) {
	bool covered = false;

	for (size_t i = 0; i < out->address_count; i++) {
		const struct address_entry *entry = &out->addresses[i];
		struct prefix prefix = {.length = entry->key.prefix_length};

		memcpy(prefix.address, entry->key.address, 16);
		if (prefix_compare(&prefix, &prefix_ipv4) == 0)
			return;
		covered |= prefix_contains(&prefix, &prefix_ipv4);
	}
	if (covered)
		add_address(out, &prefix_ipv4, 0);
}

static int compare_entry(const void *a, const void *b) {
	const struct address_entry *x = a, *y = b;
	int order = memcmp(x->key.address, y->key.address, 16);

	return order ? order : (int)x->key.prefix_length - (int)y->key.prefix_length;
}

static int visit_places(struct builder *b) {
	static const struct prefix everything;
	struct compiled *out = b->classes.out;
	size_t ipv6 = 0;
	int error;

	while (ipv6 < b->place_count && !prefix_is_ipv4(&b->places[ipv6].prefix))
		ipv6++;
	out->addresses = calloc(b->place_count + 1, sizeof(*out->addresses));
	if (!out->addresses)
		return -ENOMEM;
	error = visit_family(b, b->places, ipv6, &everything);
	if (error == 0)
		error = visit_family(b, b->places + ipv6, b->place_count - ipv6, &prefix_ipv4);
	separate_families(out);
	qsort(out->addresses, out->address_count, sizeof(*out->addresses), compare_entry);
	return error;
}

static int group_map(const struct policy *policy, uint8_t protocol, struct port_map *out) {
	struct port_map *maps = calloc(policy->group_count, sizeof(*maps));
	int error = maps ? 0 : -ENOMEM;
	size_t made = 0;

	for (; error == 0 && made < policy->group_count; made++)
		error = made > 0 && policy->groups[made].protocols & protocol
				? port_map_of(&policy->groups[made].ports, 0, made, &maps[made])
				: port_map_empty(&maps[made]);
	if (error == 0)
		error = port_map_merge_all(maps, made, out);
	else
		while (made > 0)
			port_map_free(&maps[--made]);
	free(maps);
	return error;
}

/* Where `direct` rules by name lead. */
static int add_groups(struct builder *b) {
	struct reach groups = {0};
	int error = 0;

	if (b->policy->group_count == 0)
		return 0;
	error = group_map(b->policy, PROTO_TCP, &groups.tcp);
	if (error == 0)
		error = group_map(b->policy, PROTO_UDP, &groups.udp);
	if (error == 0)
		error = classes_add_named(&b->classes, &groups);
	reach_free(&groups);
	return error;
}

int compile_addresses(const struct policy *policy, struct compiled *out) {
	struct builder b = {.policy = policy};
	int error = find_sources(&b);

	b.classes = (struct classes){
		.direct = policy->direct,
		.by_rank = b.by_rank,
		.zones = policy->zones,
		.zone_count = policy->zone_count,
		.read_dns = policy_reads_dns(policy),
		.out = out,
	};
	if (error == 0)
		error = find_places(&b);
	if (error == 0)
		error = visit_places(&b);
	if (error == 0)
		error = add_groups(&b);
	for (size_t i = 0; b.lists && i < policy->list_count; i++)
		reach_free(&b.lists[i]);
	classes_free(&b.classes);
	free(b.lists);
	free(b.places);
	free(b.sources);
	free(b.by_rank);
	return error;
}
