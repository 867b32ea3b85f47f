/* SPDX-License-Identifier: BSD-2-Clause */
/* A name or an address, and where it was used ──► the rule for it. */
#include "analysis/rule_text.h"

#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/prefix.h"
#include "policy/prefix_order.h"

/* Where Linux begins to draw the ports of sockets that were bound to none (ip_local_port_range's default). */
#define EPHEMERAL_FIRST 32768

static struct prefix prefix_of(const struct place *place) {
	struct prefix prefix = {.length = 128};

	memcpy(prefix.address, place->address, sizeof(prefix.address));
	return prefix;
}

void rule_text_place(const struct place *place, char out[RULE_TEXT_PLACE]) {
	const struct prefix prefix = prefix_of(place);
	char text[PREFIX_TEXT];

	prefix_format(&prefix, text);
	snprintf(out, RULE_TEXT_PLACE, prefix_is_ipv4(&prefix) ? "%.45s:%u" : "[%.45s]:%u", text, place->port);
}

static bool list_has(const struct prefix_list *list, const struct prefix *address) {
	for (size_t i = 0; i < list->count; i++)
		if (prefix_is_ipv4(&list->items[i]) == prefix_is_ipv4(address) &&
		    prefix_contains(&list->items[i], address))
			return true;
	return false;
}

static int by_port(const void *a, const void *b) {
	return ((const struct place *)a)->port - ((const struct place *)b)->port;
}

static int by_address(const void *a, const void *b) {
	return memcmp(((const struct place *)a)->address, ((const struct place *)b)->address, 16);
}

static void write_ports(const struct place_list *places, FILE *out) {
	qsort(places->items, places->count, sizeof(*places->items), by_port);
	fputs(", ports: [", out);
	for (size_t i = 0; i < places->count; i++)
		if (i == 0 || places->items[i].port != places->items[i - 1].port)
			fprintf(out, "%s%u", i ? ", " : "", places->items[i].port);
	fputc(']', out);
}

/* IPv6 stands in quotes, since it has colons. */
static void write_address(const struct place *place, FILE *out) {
	const struct prefix prefix = prefix_of(place);
	const char *quote = prefix_is_ipv4(&prefix) ? "" : "\"";
	char text[PREFIX_TEXT];

	prefix_format(&prefix, text);
	fprintf(out, "%s%s%s", quote, text, quote);
}

static void write_addresses(const struct place_list *places, FILE *out) {
	qsort(places->items, places->count, sizeof(*places->items), by_address);
	fputs(", to: [", out);
	for (size_t i = 0; i < places->count; i++) {
		if (i > 0 && by_address(&places->items[i], &places->items[i - 1]) == 0)
			continue;
		fputs(i ? ", " : "", out);
		write_address(&places->items[i], out);
	}
	fputc(']', out);
}

/* What YAML would take for something else than a word stands in quotes. */
static void write_name(const char *name, FILE *out) {
	bool word = isalnum((unsigned char)*name) && strcmp(name, "null") != 0;

	fprintf(out, word ? "%s" : "\"%s\"", name);
}

char *rule_text_host(const char *name, struct place_list *places, const struct policy *policy, bool *plain) {
	const struct zone *zone = &policy->zones[0];
	bool ports = false, to = false;
	char *text = NULL;
	size_t size;
	FILE *out = text_open(&text, &size);

	for (size_t i = 0; i < places->count; i++) {
		const struct prefix prefix = prefix_of(&places->items[i]);

		ports |= !port_list_has(&zone->ports, places->items[i].port);
		to |= !list_has(&policy->lists[zone->list], &prefix);
	}
	*plain = !ports && !to;
	if (!out)
		return NULL;
	fputs(*plain ? "" : "{host: ", out);
	write_name(name, out);
	if (to)
		write_addresses(places, out);
	if (ports)
		write_ports(places, out);
	fputs(*plain ? "" : "}", out);
	text_close(out, &text);
	return text;
}

bool rule_text_is_loopback(const struct place_list *places) {
	const struct prefix prefix = prefix_of(&places->items[0]);

	return prefix_is_loopback(&prefix);
}

uint16_t rule_text_drawn_port(const struct place_list *places) {
	if (!rule_text_is_loopback(places))
		return 0;
	for (size_t i = 0; i < places->count; i++)
		if (places->items[i].port >= EPHEMERAL_FIRST)
			return places->items[i].port;
	return 0;
}

char *rule_text_named(const char *name, struct place_list *places) {
	char *text = NULL;
	size_t size;
	FILE *out = text_open(&text, &size);

	if (!out)
		return NULL;
	fputs("{host: ", out);
	write_name(name, out);
	fputs(", proto: tcp", out);
	write_ports(places, out);
	fputc('}', out);
	text_close(out, &text);
	return text;
}

char *rule_text_address(uint8_t protocol, struct place_list *places) {
	char *text = NULL;
	size_t size;
	FILE *out = text_open(&text, &size);

	if (!out)
		return NULL;
	fputs("{to: ", out);
	write_address(&places->items[0], out);
	fprintf(out, ", proto: %s", protocol == IPPROTO_TCP ? "tcp" : "udp");
	if (rule_text_drawn_port(places) == 0)
		write_ports(places, out);
	fputc('}', out);
	text_close(out, &text);
	return text;
}
