/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules for lookups ──► text and JSON. */
#include "check/check_expand_dns.h"

#include <json-c/json.h>
#include <string.h>

#include "base/json.h"
#include "base/message.h"
#include "policy/rule_print.h"

static const char *const binds[] = {
	[SNIF_BIND_OFF] = "off", [SNIF_BIND_OBSERVE] = "observe", [SNIF_BIND_REQUIRE] = "require"};

/* `tcp`, `udp` or `tcp/udp`: one word, where protocols_text() has several. */
static const char *protocols_word(const struct named_ports *group) {
	static const char *const words[] = {
		[PROTO_TCP] = "tcp", [PROTO_UDP] = "udp", [PROTO_TCP | PROTO_UDP] = "tcp/udp"};

	return words[group->protocols];
}

static void print_lookup(const struct policy *policy, const struct lookup_rule *lookup, FILE *out) {
	const struct named_ports *group = &policy->groups[lookup->group];

	fputs(lookup->group ? "    allow " : "    lookup ", out);
	fputs(host_form_text(lookup->form), out);
	print_escaped(out, lookup->name, strlen(lookup->name));
	if (lookup->group) {
		fprintf(out, " %s ", protocols_word(group));
		port_list_write(&group->ports, out);
	}
	fputs("  ", out);
	rule_place_print(&policy->rules[lookup->rule], out);
	fputc('\n', out);
}

static void print_bind(const struct snif_dns_rules *rules, FILE *out) {
	static const char *const texts[] = {
		[SNIF_BIND_OFF] = "a name counts at every address",
		[SNIF_BIND_OBSERVE] = "a name at an address that no lookup gave is let pass, and marked in the log",
		[SNIF_BIND_REQUIRE] = "a name counts only at addresses that lookups give for it",
	};

	fprintf(out, "    bind %s: %s\n", binds[rules->bind], texts[rules->bind]);
	if (rules->bind != SNIF_BIND_OFF)
		fprintf(out,
			"    an address counts for its time to live, at least %u s and at most %u s, and %u s more\n",
			rules->least, rules->most, rules->grace);
}

void expand_dns_print(const struct policy *policy, FILE *out) {
	const struct snif_dns_rules *rules = &policy->dns;
	const char *before = "    taken off names that are asked for: ";

	fputs("\nlookups (DNS):\n", out);
	print_bind(rules, out);
	fprintf(out, "    names %s\n", rules->names_policy ? "of the policy, and no others" : "any");
	if (rules->https_deny)
		fputs("    HTTPS and SVCB records are not asked for\n", out);
	if (rules->resolve_exact)
		fputs("    `snifence monitor` looks up the exact names for what is attached\n", out);
	if (rules->log_answers)
		fputs("    answers are logged\n", out);
	for (size_t i = 0; i < policy->lookup_count; i++)
		if (!policy->lookups[i].search)
			print_lookup(policy, &policy->lookups[i], out);
	for (size_t i = 0; i < policy->lookup_count; i++) {
		if (!policy->lookups[i].search)
			continue;
		fprintf(out, "%s.%s", before, policy->lookups[i].name);
		before = ", ";
	}
	if (*before == ',')
		fputc('\n', out);
}

static struct json_object *lookups_json(const struct policy *policy) {
	struct json_object *array = json_object_new_array();
	int error = 0;

	for (size_t i = 0; error == 0 && i < policy->lookup_count; i++) {
		const struct lookup_rule *lookup = &policy->lookups[i];
		struct json_object *object = json_object_new_object();
		const struct named_ports *group = &policy->groups[lookup->group];
		char text[SNIF_NAME_BUFFER + sizeof("*.")];

		snprintf(text, sizeof(text), "%s%s", host_form_text(lookup->form), lookup->name);
		error |=
			json_put_text(object, lookup->search ? "search" : "host", lookup->search ? lookup->name : text);
		if (lookup->group) {
			error |= json_put_text(object, "proto", protocols_word(group));
			error |= rule_put_ports_json(object, &group->ports);
		}
		if (lookup->rule)
			error |= rule_put_json(object, "rule", policy, lookup->rule);
		error |= json_add(array, object);
	}
	return json_checked(array, error);
}

struct json_object *expand_dns_json(const struct policy *policy) {
	const struct snif_dns_rules *rules = &policy->dns;
	struct json_object *object = json_object_new_object();
	int error = 0;

	error |= json_put_text(object, "bind", binds[rules->bind]);
	error |= json_put_text(object, "names", rules->names_policy ? "policy" : "any");
	error |= json_put_text(object, "https", rules->https_deny ? "deny" : "allow");
	error |= json_put_text(object, "log", rules->log_answers ? "answers" : "refused");
	error |= json_put_text(object, "resolve", rules->resolve_exact ? "exact" : "none");
	error |= json_put_number(object, "min_ttl", rules->least);
	error |= json_put_number(object, "max_ttl", rules->most);
	error |= json_put_number(object, "grace", rules->grace);
	error |= json_put(object, "lookups", lookups_json(policy));
	return json_checked(object, error);
}
