/* SPDX-License-Identifier: BSD-2-Clause */
/* The section `direct` ──► address rules, and rules for the addresses of names. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "policy/policy_build.h"
#include "policy/prefix.h"

/* Words and bits of `proto`, in one order. */
static const char *const protocol_words[] = {"any", "tcp", "udp", NULL};
static const uint8_t protocol_bits[] = {PROTO_TCP | PROTO_UDP, PROTO_TCP, PROTO_UDP};

void keep_rule(struct builder *builder, struct address_rule *rule) {
	struct address_rule *kept = array_add(&builder->policy->direct, &builder->policy->direct_count, sizeof(*kept));

	if (!kept) {
		out_of_memory(builder);
		free(rule->ports.items);
		return;
	}
	*kept = *rule;
}

/* The rule in one line, like `allow 10.1.0.0/16 tcp 22,5432`. */
static char *describe(const struct address_rule *rule, const char *to, bool all_ports) {
	char *text = NULL;
	size_t size;
	FILE *out = text_open(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "%s %s", rule->allow ? "allow" : "deny", to);
	if (rule->protocols == PROTO_TCP)
		fputs(" tcp", out);
	else if (rule->protocols == PROTO_UDP)
		fputs(" udp", out);
	else if (!all_ports)
		fputs(" tcp/udp", out);
	if (!all_ports) {
		fputc(' ', out);
		port_list_write(&rule->ports, out);
	}
	text_close(out, &text);
	return text;
}

/* The protocol of a rule, as an index into protocol_words. */
static unsigned read_protocol(struct builder *builder, const struct yaml_node *node) {
	const char *port = node && node->kind == NODE_SCALAR ? service_port(node->text) : NULL;

	if (!port)
		return read_choice(builder, node, "`proto`", protocol_words);
	refuse(builder, node, "`proto` cannot be `%.60s`: write {proto: %s, ports: [%s]}", node->text,
	       strcmp(port, "53") == 0 || strcmp(port, "123") == 0 ? "udp" : "tcp", port);
	return 0;
}

/* The group of these ports, a new one when there is none. Takes ownership of the ports. 0: there was an error. */
static uint8_t find_group(struct builder *builder, const struct yaml_node *at, struct named_ports *wanted) {
	struct policy *policy = builder->policy;
	struct named_ports *group = NULL;

	for (size_t i = 1; i < policy->group_count; i++) {
		if (policy->groups[i].protocols != wanted->protocols ||
		    !same_ports(&policy->groups[i].ports, &wanted->ports))
			continue;
		free(wanted->ports.items);
		return (uint8_t)i;
	}
	/* the first one is never used: its number means none */
	if (policy->group_count > 0 || array_add(&policy->groups, &policy->group_count, sizeof(*group)))
		if (policy->group_count < SNIF_GROUPS)
			group = array_add(&policy->groups, &policy->group_count, sizeof(*group));
	if (group) {
		*group = *wanted;
		return (uint8_t)(policy->group_count - 1);
	}
	free(wanted->ports.items);
	if (policy->group_count == SNIF_GROUPS)
		refuse(builder, at,
		       "hosts under `direct` have more than %d different combinations of `proto` and `ports`",
		       SNIF_GROUPS - 1);
	else
		out_of_memory(builder);
	return 0;
}

/* A rule for what a name is found at: `host` in place of `to`. */
static void read_named_rule(struct builder *builder, const struct yaml_node *item, bool allow) {
	static const char *const keys[] = {"host", "proto", "ports", "public_suffix", NULL};
	const struct yaml_node *node = yaml_get(item, "host"), *ports = yaml_get(item, "ports");
	struct address_rule described = {.allow = true};
	struct lookup_rule lookup = {0};
	struct named_ports group = {0};
	char name[SNIF_NAME_BUFFER + sizeof("*.")];
	bool good = expect_map(builder, item, "an address rule with a `host`", keys);

	if (!allow) {
		refuse(builder, node->key,
		       "a denied address rule has no `host`: what no rule allows is refused, so leave it out, or write "
		       "addresses, {to: 192.0.2.0/24}");
		return;
	}
	described.protocols = group.protocols = protocol_bits[read_protocol(builder, yaml_get(item, "proto"))];
	good &= read_lookup(builder, node, item, &lookup);
	good &= ports ? read_ports(builder, ports, &group.ports) : set_ports(builder, &group.ports, 0, UINT16_MAX);
	if (!good) {
		free(group.ports.items);
		return;
	}
	described.ports = group.ports;
	snprintf(name, sizeof(name), "%s%s", host_form_text(lookup.form), lookup.name);
	lookup.rule =
		add_rule(builder, item->line, item->column, keep_text(builder, describe(&described, name, !ports)));
	lookup.group = find_group(builder, item, &group);
	keep_lookup(builder, &lookup);
}

static void read_rule(struct builder *builder, const struct yaml_node *item, bool allow) {
	static const char *const allow_keys[] = {"to", "proto", "ports", NULL};
	static const char *const deny_keys[] = {"to", "proto", "ports", "expected", NULL};
	const char *const *keys = allow ? allow_keys : deny_keys;
	bool map = item->kind == NODE_MAP;
	const struct yaml_node *to = map ? yaml_get(item, "to") : item;
	const struct yaml_node *ports = map ? yaml_get(item, "ports") : NULL;
	struct address_rule rule = {.allow = allow};
	size_t errors = builder->diagnostics->errors;
	unsigned protocol = 0;
	char *text = NULL;
	bool good = true, expected;

	if (map && yaml_get(item, "host") && !to) {
		read_named_rule(builder, item, allow);
		return;
	}
	if (item->kind == NODE_SCALAR && missing_blank(builder, item, keys))
		return;
	if (map) {
		good = expect_map(builder, item, "an address rule", keys);
		protocol = read_protocol(builder, yaml_get(item, "proto"));
	}
	expected = !allow && read_expected(builder, item);
	rule.protocols = protocol_bits[protocol];
	if (!to && builder->diagnostics->errors == errors)
		refuse(builder, item, "an address rule names its addresses: {to: 192.0.2.0/24}");
	good &= to && read_to(builder, to, &rule.list, &text);
	good &= ports ? read_ports(builder, ports, &rule.ports) : set_ports(builder, &rule.ports, 0, UINT16_MAX);
	if (good) {
		rule.rule =
			add_rule(builder, item->line, item->column, keep_text(builder, describe(&rule, text, !ports)));
		builder->policy->rules[rule.rule].expected = expected;
		keep_rule(builder, &rule);
	} else {
		free(rule.ports.items);
	}
	free(text);
}

static void read_rules(struct builder *builder, const struct yaml_node *list, const char *what, bool allow) {
	if (expect_list(builder, list, what))
		for (const struct yaml_node *item = list->children; item; item = item->next)
			read_rule(builder, item, allow);
}

void read_direct(struct builder *builder, const struct yaml_node *direct) {
	static const char *const keys[] = {"allow", "deny", NULL};

	if (!expect_map(builder, direct, "`direct`", keys))
		return;
	read_rules(builder, yaml_get(direct, "allow"), "`direct.allow`", true);
	read_rules(builder, yaml_get(direct, "deny"), "`direct.deny`", false);
}
