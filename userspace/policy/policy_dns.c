/* SPDX-License-Identifier: BSD-2-Clause */
/* The section `dns` ──► rules for DNS servers and lookups. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/moment.h"
#include "dns.h"
#include "policy/hostname.h"
#include "policy/policy_build.h"
#include "policy/prefix.h"
#include "policy/resolv.h"

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

/* What honest clients get along with: they keep addresses for longer than they should, and open them anew. */
enum { LEAST_TTL = HOUR, MOST_TTL = 7 * DAY, GRACE = 10 * MINUTE, LONGEST = 365 * DAY };

/* ---- names ----------------------------------------------------------------------------------------------------- */

bool read_lookup(struct builder *builder, const struct yaml_node *node, const struct yaml_node *item,
		 struct lookup_rule *out) {
	struct hostname name;

	if (!read_name(builder, node, item && read_any_suffix(builder, item), &name))
		return false;
	out->form = name.form;
	out->name = arena_text(&builder->policy->texts, name.name, strlen(name.name));
	if (!out->name)
		out_of_memory(builder);
	return out->name != NULL;
}

/* A name has one group: two would be two rules that each decide alone. */
static bool is_taken(struct builder *builder, const struct lookup_rule *wanted) {
	const struct policy *policy = builder->policy;

	for (size_t i = 0; wanted->group && i < policy->lookup_count; i++) {
		const struct lookup_rule *other = &policy->lookups[i];
		const struct rule *rule = &policy->rules[wanted->rule];

		if (!other->group || other->form != wanted->form || strcmp(other->name, wanted->name) != 0)
			continue;
		diagnose(builder->diagnostics, policy->file, rule->line, rule->column,
			 "`%s%.80s` has an address rule already, on line %u: write all its ports into one",
			 host_form_text(wanted->form), wanted->name, policy->rules[other->rule].line);
		return true;
	}
	return false;
}

void keep_lookup(struct builder *builder, const struct lookup_rule *lookup) {
	struct policy *policy = builder->policy;
	struct lookup_rule *kept;

	if (is_taken(builder, lookup))
		return;
	kept = array_add(&policy->lookups, &policy->lookup_count, sizeof(*kept));
	if (kept)
		*kept = *lookup;
	else
		out_of_memory(builder);
}

/* `dns.allow`: names that may be looked up although no connection to them is allowed. */
static void read_names(struct builder *builder, const struct yaml_node *list) {
	static const char *const name_keys[] = {"host", "public_suffix", NULL};
	struct lookup_rule lookup;
	char text[sizeof("lookup *.") + SNIF_NAME_BUFFER];

	if (!expect_list(builder, list, "`dns.allow`"))
		return;
	for (const struct yaml_node *item = list->children; item; item = item->next) {
		bool map = item->kind == NODE_MAP;
		const struct yaml_node *node = map ? yaml_get(item, "host") : item;

		lookup = (struct lookup_rule){0};
		if (map && !expect_map(builder, item, "a name", name_keys))
			continue;
		if (!node)
			refuse(builder, item, "a name for lookups is its `host`, like {host: www.example.com}");
		if (!node || !read_lookup(builder, node, map ? item : NULL, &lookup))
			continue;
		snprintf(text, sizeof(text), "lookup %s%s", host_form_text(lookup.form), lookup.name);
		lookup.rule = add_rule(builder, item->line, item->column,
				       arena_text(&builder->policy->texts, text, strlen(text)));
		keep_lookup(builder, &lookup);
	}
}

/* ---- domains that resolvers append ----------------------------------------------------------------------------- */

static void add_search(void *context, const char *domain) {
	struct builder *builder = context;
	struct lookup_rule lookup = {.search = true};
	char message[HOSTNAME_MESSAGE];
	struct hostname name;

	/* what is no hostname can be no suffix of one */
	if (hostname_parse(domain, true, &name, message) || name.form != HOST_EXACT)
		return;
	lookup.form = HOST_BELOW;
	lookup.name = arena_text(&builder->policy->texts, name.name, strlen(name.name));
	if (lookup.name)
		keep_lookup(builder, &lookup);
	else
		out_of_memory(builder);
}

static void read_search(struct builder *builder, const struct yaml_node *search, const char *resolv_conf) {
	if (!search || (search->kind == NODE_SCALAR && search->text && strcmp(search->text, "system") == 0))
		resolv_conf_search(resolv_conf, add_search, builder);
	else if (search->kind != NODE_SCALAR || !search->text || strcmp(search->text, "none") != 0)
		for (const struct yaml_node *item = next_word(search, NULL); item; item = next_word(search, item))
			if (expect_word(builder, item, "a search domain"))
				add_search(builder, item->text);
}

/* ---- times ----------------------------------------------------------------------------------------------------- */

static uint32_t read_time(struct builder *builder, const struct yaml_node *node, const char *what, uint32_t standard) {
	int64_t seconds;

	if (!node || node->null || !expect_word(builder, node, what))
		return standard;
	if (moment_read_span(node->text, &seconds) && seconds <= LONGEST)
		return (uint32_t)seconds;
	refuse(builder, node, "%s cannot be `%.60s`: write a time of at most a year, like 90s, 10m, 1h or 7d", what,
	       node->text);
	return standard;
}

static void read_times(struct builder *builder, const struct yaml_node *dns) {
	struct snif_dns_rules *rules = &builder->policy->dns;
	const struct yaml_node *most = yaml_get(dns, "max_ttl");

	rules->least = read_time(builder, yaml_get(dns, "min_ttl"), "`dns.min_ttl`", LEAST_TTL);
	rules->most = read_time(builder, most, "`dns.max_ttl`", MOST_TTL);
	rules->grace = read_time(builder, yaml_get(dns, "grace"), "`dns.grace`", GRACE);
	if (rules->most >= rules->least)
		return;
	if (most)
		refuse(builder, most,
		       "`dns.max_ttl` is shorter than `dns.min_ttl` (%u s): write a longer one, or a shorter "
		       "`min_ttl`",
		       rules->least);
	else
		rules->most = rules->least;
}

/* ---- servers --------------------------------------------------------------------------------------------------- */

/* UDP and TCP 53 of one server. `origin` ends the rule's text. */
static void add_server(struct builder *builder, const struct yaml_node *at, const struct prefix *server,
		       const char *origin) {
	struct address_rule rule = {.allow = true, .dns = true, .protocols = PROTO_TCP | PROTO_UDP};
	struct prefix_list prefixes = {0};
	char address[PREFIX_TEXT], *text;

	if (prefix_list_add(&prefixes, server) < 0) {
		out_of_memory(builder);
		return;
	}
	if (!add_list(builder, at, &prefixes, &rule.list) ||
	    !set_ports(builder, &rule.ports, SNIF_DNS_PORT, SNIF_DNS_PORT))
		return;
	prefix_format(server, address);
	if (asprintf(&text, "dns %s%s", address, origin) < 0)
		text = NULL;
	rule.rule = add_rule(builder, at->line, at->column, keep_text(builder, text));
	keep_rule(builder, &rule);
}

static void add_system_servers(struct builder *builder, const struct yaml_node *at, const char *resolv_conf) {
	struct prefix_list servers = {0};
	int found;
	char *origin;

	builder->policy->system_servers = true;
	found = resolv_conf_read(resolv_conf, &servers);
	if (found < 0 && found != -ENOMEM) {
		refuse(builder, at, "the DNS servers of %s cannot be read: %s; or name them: servers: [192.0.2.53]",
		       resolv_conf, strerror(-found));
		free(servers.items);
		return;
	}
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

static void read_servers(struct builder *builder, const struct yaml_node *servers, const char *resolv_conf) {
	static const struct yaml_node nowhere;

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

static bool has_groups(const struct policy *policy) {
	return policy->group_count > 1;
}

void read_dns(struct builder *builder, const struct yaml_node *dns, const char *resolv_conf) {
	static const char *const keys[] = {"servers", "bind",	 "names",   "allow",   "https", "search",
					   "log",     "resolve", "min_ttl", "max_ttl", "grace", NULL};
	static const char *const binds[] = {
		[SNIF_BIND_OFF] = "off", [SNIF_BIND_OBSERVE] = "observe", [SNIF_BIND_REQUIRE] = "require", NULL};
	static const char *const names[] = {"any", "policy", NULL};
	static const char *const https[] = {"allow", "deny", NULL};
	static const char *const resolves[] = {"none", "exact", NULL};
	static const char *const logs[] = {"refused", "answers", NULL};
	static const struct yaml_node nothing = {.kind = NODE_MAP};
	struct snif_dns_rules *rules = &builder->policy->dns;
	const struct yaml_node *bind;

	if (!expect_map(builder, dns, "`dns`", keys))
		dns = &nothing;
	bind = yaml_get(dns, "bind");
	rules->bind = read_choice(builder, bind, "`dns.bind`", binds);
	if (has_groups(builder->policy) && rules->bind == SNIF_BIND_OFF) {
		if (bind)
			refuse(builder, bind,
			       "`dns.bind` is off, and `direct` has rules with a `host`, whose addresses only lookups tell: "
			       "write observe or require");
		rules->bind = SNIF_BIND_OBSERVE;
	}
	rules->names_policy = read_choice(builder, yaml_get(dns, "names"), "`dns.names`", names);
	rules->https_deny = read_choice(builder, yaml_get(dns, "https"), "`dns.https`", https);
	rules->resolve_exact = read_choice(builder, yaml_get(dns, "resolve"), "`dns.resolve`", resolves);
	if (rules->resolve_exact && rules->bind == SNIF_BIND_OFF)
		refuse(builder, yaml_get(dns, "resolve"),
		       "`dns.resolve` looks names up to bind them, and `dns.bind` is off: write observe or require there");
	rules->log_answers = read_choice(builder, yaml_get(dns, "log"), "`dns.log`", logs);
	read_times(builder, dns);
	read_servers(builder, yaml_get(dns, "servers"), resolv_conf);
	read_names(builder, yaml_get(dns, "allow"));
	if (rules->names_policy)
		read_search(builder, yaml_get(dns, "search"), resolv_conf);
}
