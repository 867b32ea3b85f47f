/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A zone or a port, the tables ──► what the direct rules leave of it.
 *
 * What the tables say of an address can change only where a prefix of theirs begins, or behind its end; of a port, where
 * a range of the policy does. So it is enough to ask there.
 */
#include "analysis/reach.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/facts.h"
#include "policy/prefix_order.h"
/* Behind the others: it brings judge.h, which needs what it declares. */
#include "compile/tables.h"

struct search {
	const struct compiled *compiled;
	const struct prefix_list *where; /* of the zone */
	struct prefix_list disjoint;	 /* the same; made when it is needed */
	uint16_t port;
	bool all; /* what is denied counts too, where something is left */
	struct zone_reach *reach;
};

static bool is_inside(const struct prefix_list *list, const uint8_t address[16]) {
	struct prefix point = {.length = 128};
	size_t low = 0, high = list->count;

	memcpy(point.address, address, 16);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (prefix_compare(&list->items[middle], &point) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && prefix_is_ipv4(&list->items[low - 1]) == prefix_is_ipv4(&point) &&
	       prefix_contains(&list->items[low - 1], &point);
}

/* Asks about an address of the zone. */
static void ask(const struct search *search, const uint8_t address[16]) {
	struct snif_dest dest;
	struct snif_judgement judgement =
		snif_judge_address(search->compiled, address, IPPROTO_TCP, search->port, &dest);

	if (judgement.verdict != SNIF_DENY)
		search->reach->somewhere = true;
	else if (search->reach->denied == 0)
		search->reach->denied = judgement.rule;
}

/* The address behind the last one that begins with the first `length` bits of this one. */
static void go_behind(uint8_t address[16], unsigned length) {
	unsigned carry = length > 0 ? 1U << (7 - (length - 1) % 8) : 0;

	for (unsigned i = (length + 7) / 8; carry && i-- > 0; carry >>= 8) {
		carry += address[i];
		address[i] = (uint8_t)carry;
	}
}

static bool is_settled(const struct search *search) {
	return search->reach->somewhere && (search->reach->denied != 0 || !search->all);
}

static void look_at_own(const struct search *search) {
	for (size_t i = 0; i < search->where->count && !is_settled(search); i++)
		ask(search, search->where->items[i].address);
}

static void look_at_tables(const struct search *search) {
	const struct compiled *compiled = search->compiled;

	for (size_t i = 0; i < compiled->address_count && !is_settled(search); i++) {
		const struct snif_address_key *key = &compiled->addresses[i].key;
		uint8_t address[16];

		memcpy(address, key->address, 16);
		if (is_inside(&search->disjoint, address))
			ask(search, address);
		go_behind(address, key->prefix_length);
		if (is_inside(&search->disjoint, address))
			ask(search, address);
	}
}

/* Mostly the first look settles it, and nothing has to be sorted. */
static int look(struct search *search) {
	int error = 0;

	look_at_own(search);
	if (is_settled(search))
		return 0;
	if (!search->disjoint.items)
		error = prefixes_disjoint(search->where, &search->disjoint);
	if (error == 0)
		look_at_tables(search);
	return error;
}

int zone_reach(const struct policy *policy, const struct compiled *compiled, size_t zone, uint16_t port,
	       struct zone_reach *reach) {
	struct search search = {.compiled = compiled,
				.where = &policy->lists[policy->zones[zone].list],
				.port = port,
				.all = true,
				.reach = reach};
	int error;

	*reach = (struct zone_reach){0};
	error = look(&search);
	free(search.disjoint.items);
	return error;
}

/* Whether the rules may say something else of a port than of the one below it. */
static bool begins_at(const struct port_list *ports, uint16_t port) {
	for (size_t i = 0; i < ports->count; i++)
		if (ports->items[i].first == port || ports->items[i].last + 1 == port)
			return true;
	return false;
}

static bool is_border(const struct policy *policy, size_t zone, uint16_t port) {
	bool border = begins_at(&policy->zones[zone].ports, port);

	if (!port_list_has(&policy->zones[zone].ports, port))
		return false;
	for (size_t i = 0; i < policy->direct_count && !border; i++)
		border = begins_at(&policy->direct[i].ports, port);
	return border;
}

int zone_reach_any(const struct policy *policy, const struct compiled *compiled, size_t zone,
		   struct zone_reach *reach) {
	struct search search = {
		.compiled = compiled, .where = &policy->lists[policy->zones[zone].list], .reach = reach};
	int error = 0;

	*reach = (struct zone_reach){0};
	for (unsigned port = 0; error == 0 && port <= UINT16_MAX && !reach->somewhere; port++) {
		if (!is_border(policy, zone, (uint16_t)port))
			continue;
		search.port = (uint16_t)port;
		error = look(&search);
	}
	free(search.disjoint.items);
	return error;
}

static void note_rule(uint32_t *first, uint32_t rule) {
	if (*first == 0)
		*first = rule;
}

static void ask_anything(const struct compiled *compiled, const uint8_t address[16], uint8_t protocol, uint16_t port,
			 struct address_reach *reach) {
	struct prefix point = {.length = 128};
	struct snif_judgement judgement;
	struct snif_dest dest;

	memcpy(point.address, address, 16);
	if (prefix_is_loopback(&point))
		return;
	judgement = snif_judge_address(compiled, address, protocol, port, &dest);
	if (judgement.verdict == SNIF_ALLOW)
		note_rule(&reach->allowed, judgement.rule);
	else if (judgement.reason == SNIF_REASON_ADDRESS_DENIED)
		note_rule(&reach->denied, judgement.rule);
	else if (judgement.reason == SNIF_REASON_ADDRESS_NOT_ALLOWED ||
		 judgement.reason == SNIF_REASON_PORT_NOT_ALLOWED)
		reach->open = true;
}

void address_reach(const struct compiled *compiled, uint8_t protocol, uint16_t port, struct address_reach *reach) {
	uint8_t address[16] = {0};

	*reach = (struct address_reach){0};
	ask_anything(compiled, address, protocol, port, reach);
	ask_anything(compiled, prefix_ipv4.address, protocol, port, reach);
	for (size_t i = 0; i < compiled->address_count; i++) {
		const struct snif_address_key *key = &compiled->addresses[i].key;

		memcpy(address, key->address, 16);
		ask_anything(compiled, address, protocol, port, reach);
		go_behind(address, key->prefix_length);
		ask_anything(compiled, address, protocol, port, reach);
	}
}
