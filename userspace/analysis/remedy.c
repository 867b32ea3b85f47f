/* SPDX-License-Identifier: BSD-2-Clause */
/* A refusal ──► what to write into the policy to allow it, or why there is no such thing. */
#include "analysis/remedy.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/rule_text.h"
#include "dns.h"
#include "event/event_words.h"
#include "policy/prefix.h"
#include "policy/rule_print.h"

enum { QUIC_PORT = 443 };

static int take(struct remedy *remedy, const char *section, char *rule, const char *note) {
	if (!rule)
		return -ENOMEM;
	remedy->section = section;
	remedy->note = note;
	snprintf(remedy->text, sizeof(remedy->text), "%s", rule);
	free(rule);
	return 0;
}

static void say(struct remedy *remedy, const char *text) {
	snprintf(remedy->text, sizeof(remedy->text), "%s", text);
}

/* What there is to say of a refusal that no rule is about. */
static void say_where(const struct refusal *refusal, struct remedy *remedy) {
	snprintf(remedy->text, sizeof(remedy->text), "`snifence explain %s` says more", reason_code(refusal->reason));
}

/* The rule that refused. */
static void say_rule(const struct policy *policy, const struct refusal *refusal, struct remedy *remedy) {
	char place[RULE_PLACE];

	if (refusal->rule == 0 || refusal->rule >= policy->rule_count) {
		say_where(refusal, remedy);
		return;
	}
	rule_place(&policy->rules[refusal->rule], place);
	if (refusal->reason == SNIF_REASON_NAME_ELSEWHERE)
		snprintf(remedy->text, sizeof(remedy->text),
			 "%.200s allows it at other addresses: its list is old, or it was an attempt", place);
	else
		snprintf(remedy->text, sizeof(remedy->text), "%.200s denies it", place);
}

static int find_server(const struct place *place, struct remedy *remedy) {
	struct prefix server = {.length = 128};
	char address[PREFIX_TEXT], *rule = NULL;

	memcpy(server.address, place->address, sizeof(server.address));
	prefix_format(&server, address);
	if (asprintf(&rule, strchr(address, ':') ? "\"%s\"" : "%s", address) < 0)
		rule = NULL;
	return take(remedy, "dns.servers", rule, NULL);
}

static int find_address(const struct policy *policy, const struct refusal *refusal, struct place_list *places,
			struct remedy *remedy) {
	static const uint8_t unknown[16];
	bool loopback = rule_text_is_loopback(places);

	if (memcmp(refusal->address, unknown, sizeof(unknown)) == 0 ||
	    (refusal->protocol != IPPROTO_TCP && refusal->protocol != IPPROTO_UDP))
		say_where(refusal, remedy);
	else if (refusal->port == SNIF_DNS_PORT && !loopback)
		return find_server(places->items, remedy);
	else if (refusal->protocol == IPPROTO_UDP && refusal->port == QUIC_PORT && !loopback)
		say(remedy, "QUIC, whose names are not judged: programs use TLS over TCP");
	else if (refusal->protocol == IPPROTO_TCP && port_list_has(&policy->zones[0].ports, refusal->port) && !loopback)
		say(remedy, "`tls.to` does not cover it, or no name is allowed there");
	else
		return take(remedy, "direct.allow", rule_text_address(refusal->protocol, places), "not inspected");
	return 0;
}

const char *remedy_needless(const char *name) {
	static const char reverse[] = ".arpa";
	size_t length = strlen(name);

	if (length > strlen(reverse) && strcmp(name + length - strlen(reverse), reverse) == 0)
		return "a reverse lookup passes for addresses that names were found at (`dns.bind`), and no connection "
		       "needs it";
	if (*name == '_' || strstr(name, "._"))
		return "a record about a host (SRV and the like), which no connection needs: {host: NAME, expected: true} "
		       "under tls.deny makes it no news";
	return NULL;
}

/* A name that may be connected to may be looked up; the place of the refusal is a DNS server's. What is no hostname is no
 * mistake of a policy's. */
static int find_lookup(const struct policy *policy, const struct refusal *refusal, struct remedy *remedy) {
	const char *needless = remedy_needless(refusal->name);
	struct place_list nowhere = {NULL, 0};
	bool plain;
	char *rule;

	if (refusal->rule != 0)
		say_rule(policy, refusal, remedy);
	else if (needless)
		say(remedy, needless);
	else if (!*refusal->name ||
		 refusal->name[strspn(refusal->name, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] != '\0')
		say_where(refusal, remedy);
	else {
		rule = rule_text_host(refusal->name, &nowhere, policy, &plain);
		if (refusal->let_through)
			return take(remedy, "dns.allow", rule, NULL);
		return take(remedy, "tls.allow", rule, REMEDY_LOOKUP);
	}
	return 0;
}

/* Refused before it had a name. */
static void say_unfound(const struct policy *policy, struct remedy *remedy) {
	static const char what[] = "no lookup of an allowed name gave this address";

	if (policy->dns.names_policy)
		snprintf(remedy->text, sizeof(remedy->text), "%s: it is from another resolver, a cache or a list",
			 what);
	else
		snprintf(remedy->text, sizeof(remedy->text),
			 "%s: with `dns: {names: policy}` the lookup of another is refused, and told by its name",
			 what);
}

int remedy_find(const struct policy *policy, const struct refusal *refusal, struct remedy *remedy) {
	struct place place = {.port = refusal->port};
	struct place_list places = {&place, 1};
	bool plain;

	memcpy(place.address, refusal->address, sizeof(place.address));
	remedy->section = remedy->note = NULL;
	switch (refusal->reason) {
	case SNIF_REASON_NAME_NOT_ALLOWED:
		return take(remedy, "tls.allow", rule_text_host(refusal->name, &places, policy, &plain), NULL);
	case SNIF_REASON_DNS_NAME:
		return find_lookup(policy, refusal, remedy);
	case SNIF_REASON_NAME_NOT_BOUND:
		if (*refusal->name)
			say_where(refusal, remedy);
		else
			say_unfound(policy, remedy);
		return 0;
	case SNIF_REASON_ADDRESS_NOT_ALLOWED:
	case SNIF_REASON_PORT_NOT_ALLOWED:
		return find_address(policy, refusal, &places, remedy);
	case SNIF_REASON_NAME_ELSEWHERE:
	case SNIF_REASON_NAME_DENIED:
	case SNIF_REASON_ADDRESS_DENIED:
		say_rule(policy, refusal, remedy);
		return 0;
	default:
		say_where(refusal, remedy);
		return 0;
	}
}

static bool is_of(const struct remedy *remedy, const char *section) {
	return remedy->section && strcmp(remedy->section, section) == 0;
}

/* Whether another one makes this one needless: it says the same, earlier or with more certainty, or it lets a name be
 * connected to that is to be looked up. */
static bool is_said(const struct remedy *remedies, size_t count, size_t which) {
	const struct remedy *remedy = &remedies[which], *other;

	for (size_t i = 0; i < count; i++) {
		other = &remedies[i];
		if (i == which || !other->section || strcmp(other->text, remedy->text) != 0)
			continue;
		if (is_of(remedy, "dns.allow") && is_of(other, "tls.allow"))
			return true;
		if (is_of(other, remedy->section) && (!other->note == !remedy->note ? i < which : !other->note))
			return true;
	}
	return false;
}

/* The rules of one section; `tls.allow` is the list `allow` in the map `tls`, which is begun where *map is another. */
static void print_section(const char *section, const struct remedy *remedies, size_t count, const char *indent,
			  const char **map, FILE *out) {
	size_t length = strcspn(section, ".");
	bool begun = false;

	for (size_t i = 0; i < count; i++) {
		if (!is_of(&remedies[i], section) || is_said(remedies, count, i))
			continue;
		if (strncmp(*map, section, length + 1) != 0)
			fprintf(out, "%s%.*s:\n", indent, (int)length, section);
		if (!begun)
			fprintf(out, "%s  %s:\n", indent, section + length + 1);
		*map = section;
		begun = true;
		fprintf(out, "%s    - %s%s%s\n", indent, remedies[i].text, remedies[i].note ? " # " : "",
			remedies[i].note ? remedies[i].note : "");
	}
}

void remedies_print(const struct remedy *remedies, size_t count, const char *indent, FILE *out) {
	static const char *const sections[] = {"tls.allow", "direct.allow", "dns.servers", "dns.allow"};
	const char *map = "";

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		print_section(sections[i], remedies, count, indent, &map, out);
}
