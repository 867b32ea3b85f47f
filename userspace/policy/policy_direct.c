/* SPDX-License-Identifier: BSD-2-Clause */
/* The sections `direct` and `dns` ──► address rules. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "policy/policy_build.h"
#include "policy/prefix.h"
#include "policy/resolv.h"

#define DNS_PORT 53

/* Words and bits of `proto`, in one order. */
static const char *const protocol_words[] = {"any", "tcp", "udp", NULL};
static const uint8_t protocol_bits[] = {PROTO_TCP | PROTO_UDP, PROTO_TCP, PROTO_UDP};

/* Moves `rule` into the policy, which then owns its ports. */
static void keep_rule(struct builder *builder, struct address_rule *rule) {
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
	FILE *out = open_memstream(&text, &size);

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
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
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

/* `host` under `direct`: what its author is after is a rule for a name. */
static bool refuse_host(struct builder *builder, const struct yaml_node *item) {
	const struct yaml_node *host = yaml_get(item, "host");

	if (!host || yaml_get(item, "to"))
		return false;
	refuse(builder, host->key,
	       "an address rule has no `host`: names go under `tls`, where the traffic is TLS; otherwise write addresses, "
	       "{to: 192.0.2.0/24}");
	return true;
}

static void read_rule(struct builder *builder, const struct yaml_node *item, bool allow) {
	static const char *const keys[] = {"to", "proto", "ports", NULL};
	bool map = item->kind == NODE_MAP;
	const struct yaml_node *to = map ? yaml_get(item, "to") : item;
	const struct yaml_node *ports = map ? yaml_get(item, "ports") : NULL;
	struct address_rule rule = {.allow = allow};
	size_t errors = builder->diagnostics->errors;
	unsigned protocol = 0;
	char *text = NULL;
	bool good = true;

	if (map ? refuse_host(builder, item) : item->kind == NODE_SCALAR && missing_blank(builder, item, keys))
		return;
	if (map) {
		good = expect_map(builder, item, "an address rule", keys);
		protocol = read_protocol(builder, yaml_get(item, "proto"));
	}
	rule.protocols = protocol_bits[protocol];
	if (!to && builder->diagnostics->errors == errors)
		refuse(builder, item, "an address rule names its addresses: {to: 192.0.2.0/24}");
	good &= to && read_to(builder, to, &rule.list, &text);
	good &= ports ? read_ports(builder, ports, &rule.ports) : set_ports(builder, &rule.ports, 0, UINT16_MAX);
	if (good) {
		rule.rule =
			add_rule(builder, item->line, item->column, keep_text(builder, describe(&rule, text, !ports)));
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

/* UDP and TCP 53 of one server. `origin` ends the rule's text. */
static void add_server(struct builder *builder, const struct yaml_node *at, const struct prefix *server,
		       const char *origin) {
	struct address_rule rule = {.allow = true, .protocols = PROTO_TCP | PROTO_UDP};
	struct prefix_list prefixes = {0};
	char address[PREFIX_TEXT], *text;

	if (prefix_list_add(&prefixes, server) < 0) {
		out_of_memory(builder);
		return;
	}
	if (!add_list(builder, at, &prefixes, &rule.list) || !set_ports(builder, &rule.ports, DNS_PORT, DNS_PORT))
		return;
	prefix_format(server, address);
	if (asprintf(&text, "dns %s%s", address, origin) < 0)
		text = NULL;
	rule.rule = add_rule(builder, at->line, at->column, keep_text(builder, text));
	keep_rule(builder, &rule);
}

static void add_system_servers(struct builder *builder, const struct yaml_node *at, const char *resolv_conf) {
	struct prefix_list servers = {0};
	int found = resolv_conf_read(resolv_conf, &servers);
	char *origin;

	if (found < 0 || asprintf(&origin, found ? " (from %s)" : " (the default: %s names none)", resolv_conf) < 0) {
		out_of_memory(builder);
		free(servers.items);
		return;
	}
	for (size_t i = 0; i < servers.count; i++)
		add_server(builder, at, &servers.items[i], origin);
	free(origin);
	free(servers.items);
}

static void read_server(struct builder *builder, const struct yaml_node *item) {
	char message[PREFIX_MESSAGE];
	struct prefix server;

	if (!expect_word(builder, item, "a DNS server"))
		return;
	if (strcmp(item->text, "system") == 0 || strcmp(item->text, "none") == 0)
		refuse(builder, item, "`%s` stands alone: write `servers: %s`, or addresses in a list", item->text,
		       item->text);
	else if (item->text[strspn(item->text, "0123456789abcdefABCDEF:.")])
		refuse(builder, item,
		       "`%.60s` is no DNS server: write addresses, like [192.0.2.53], or system, or none", item->text);
	else if (prefix_parse(item->text, &server, message) != PREFIX_OK)
		refuse(builder, item, "%s", message);
	else
		add_server(builder, item, &server, "");
}

void read_dns(struct builder *builder, const struct yaml_node *dns, const char *resolv_conf) {
	static const char *const keys[] = {"servers", NULL};
	static const struct yaml_node nowhere;
	const struct yaml_node *servers = expect_map(builder, dns, "`dns`", keys) ? yaml_get(dns, "servers") : NULL;

	if (!servers)
		add_system_servers(builder, &nowhere, resolv_conf);
	else if (servers->kind == NODE_SCALAR && strcmp(servers->text, "system") == 0)
		add_system_servers(builder, servers, resolv_conf);
	else if (servers->kind == NODE_LIST && servers->count == 0)
		refuse(builder, servers, "`dns.servers` is empty: write none to allow no DNS server");
	else if (servers->kind == NODE_SCALAR && strcmp(servers->text, "none") == 0)
		return;
	else
		for (const struct yaml_node *item = next_word(servers, NULL); item; item = next_word(servers, item))
			read_server(builder, item);
}
