/* SPDX-License-Identifier: BSD-2-Clause */
/* Learned rules ──► marks on those that may allow more than was meant. */
#include "learn/learn_marks.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/near_miss.h"
#include "analysis/remedy.h"
#include "analysis/rule_text.h"
#include "dns.h"
#include "policy/look_alike.h"
#include "policy/public_suffix.h"

enum {
	DOMAINS_MAX = 1000, /* each is compared with each: beyond this it would take seconds */
	DOMAIN_LENGTH = 8,  /* shorter ones are often alike by chance */
};

/* Names that are owned, and how often they were used; those of the policy's rules count as used more than all others. */
struct domains {
	struct allowed_name *names;
	uint64_t *uses;
	size_t count;
};

/* Ports whose servers expect TLS from the first byte on. */
static bool is_tls_port(uint16_t port) {
	static const uint16_t ports[] = {443, 465,  563,  636,	853,  989,  990,  992,	993, 994,
					 995, 2376, 5061, 5671, 6443, 6697, 8443, 8883, 9443};

	for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++)
		if (ports[i] == port)
			return true;
	return false;
}

static int mark_address(struct learned_rule *rule) {
	const struct place_list *places = &rule->places;
	uint16_t drawn = rule_text_drawn_port(places);
	int length = 0;

	if (rule_text_is_loopback(places)) {
		if (drawn > 0)
			length = asprintf(&rule->about, "any port: %u and its like are drawn anew each time", drawn);
		return length < 0 ? -ENOMEM : 0;
	}
	if (rule->seen->kind == SEEN_NAMED)
		length = asprintf(&rule->about, "NOT INSPECTED, at the addresses that lookups give");
	for (size_t i = 0; i < places->count && !rule->about && length >= 0; i++) {
		uint16_t port = places->items[i].port;

		if (port == SNIF_DNS_PORT)
			length = asprintf(&rule->about, "NOT INSPECTED, a DNS server that the policy does not name");
		else if (rule->seen->protocol == IPPROTO_TCP && is_tls_port(port))
			length = asprintf(&rule->about,
					  "NOT INSPECTED, mostly TLS: with %u in `tls.ports` its names are learned",
					  port);
	}
	if (!rule->about && length >= 0)
		length = asprintf(&rule->about, "NOT INSPECTED");
	if (length >= 0)
		return 0;
	rule->about = NULL;
	return -ENOMEM;
}

static void add_domain(struct domains *domains, const char *name, uint64_t uses) {
	const char *domain = public_suffix_domain(name);

	if (!domain || strlen(domain) < DOMAIN_LENGTH)
		return;
	domains->names[domains->count] = (struct allowed_name){domain, strlen(domain), HOST_EXACT};
	domains->uses[domains->count++] = uses;
}

/* Returns 0 or -ENOMEM; where there are too many to be compared there are none. */
static int collect(const struct learned *learned, const struct policy *policy, struct domains *domains) {
	size_t room = learned->hosts.count + policy->host_count;

	if (room > DOMAINS_MAX)
		room = 0;
	domains->names = calloc(room + 1, sizeof(*domains->names));
	domains->uses = calloc(room + 1, sizeof(*domains->uses));
	if (!domains->names || !domains->uses)
		return -ENOMEM;
	for (size_t i = 0; room > 0 && i < policy->host_count; i++)
		if (policy->hosts[i].allow)
			add_domain(domains, policy->hosts[i].name, UINT64_MAX);
	for (size_t i = 0; room > 0 && i < learned->hosts.count; i++)
		add_domain(domains, learned->hosts.items[i].seen->text, learned->hosts.items[i].usage.count);
	return 0;
}

/* The domain that this one could be an imitation of: one letter is another, is missing or too much, or two are swapped. */
static const char *imitated(const struct domains *domains, const char *domain, uint64_t uses) {
	const struct allowed_name *like;

	if (strlen(domain) < DOMAIN_LENGTH ||
	    near_miss_find(domain, domains->names, domains->count, &like) != NEAR_EDIT)
		return NULL;
	return domains->uses[like - domains->names] >= uses ? like->name : NULL;
}

static int mark_name(struct learned_rule *rule, const struct domains *domains) {
	const char *domain = public_suffix_domain(rule->seen->text), *alphabet, *like;
	char shown[LOOK_ALIKE_SHOWN];
	int length = 0;

	if (rule->about)
		return 0;
	alphabet = look_alike(rule->seen->text, shown);
	like = domain && domains->count > 0 ? imitated(domains, domain, rule->usage.count) : NULL;
	if (alphabet)
		length = asprintf(&rule->about, "LOOK AT IT: %s, with %s letters that look like Latin ones", shown,
				  alphabet);
	else if (like)
		length = asprintf(&rule->about, "LOOK AT IT: nearly %s", like);
	else if (rule->seen->kind == SEEN_LOOKUP)
		length = asprintf(&rule->about, "only looked up: %s",
				  rule->seen->cut_short ? REMEDY_LOOKUP : "no connection came of it");
	if (length >= 0)
		return 0;
	rule->about = NULL;
	return -ENOMEM;
}

int learn_marks(struct learned *learned, const struct policy *policy) {
	struct domains domains = {0};
	int error = collect(learned, policy, &domains);

	for (size_t i = 0; !error && i < learned->hosts.count; i++)
		error = mark_name(&learned->hosts.items[i], &domains);
	for (size_t i = 0; !error && i < learned->lookups.count; i++)
		error = mark_name(&learned->lookups.items[i], &domains);
	for (size_t i = 0; !error && i < learned->direct.count; i++)
		error = mark_address(&learned->direct.items[i]);
	free(domains.names);
	free(domains.uses);
	return error;
}

size_t learn_uninspected(const struct learned *learned) {
	size_t count = 0;

	for (size_t i = 0; i < learned->direct.count; i++)
		count += !rule_text_is_loopback(&learned->direct.items[i].places);
	return count;
}
