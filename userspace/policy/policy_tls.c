/* SPDX-License-Identifier: BSD-2-Clause */
/* The section `tls` ──► host rules and the zones they hold in. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "policy/hostname.h"
#include "policy/look_alike.h"
#include "policy/policy_build.h"
#include "policy/public_suffix.h"

#define HTTP_PORT "80"
#define HTTPS_PORT 443
#define MAX_HELLO_LEAST 1024 /* bytes; any client's first hello is longer than half of it */

#define warn(builder, node, ...)                                                                                       \
	diagnose_warning((builder)->diagnostics, (builder)->policy->file, (node)->line, (node)->column, __VA_ARGS__)

/* The zone with this list and these ports, a new one when there is none. Takes ownership of the ports. */
static bool find_zone(struct builder *builder, const struct yaml_node *at, struct zone *wanted, uint16_t *index) {
	struct policy *policy = builder->policy;
	struct zone *zone;

	for (size_t i = 0; i < policy->zone_count; i++) {
		if (policy->zones[i].list != wanted->list || policy->zones[i].postgres != wanted->postgres ||
		    !same_ports(&policy->zones[i].ports, &wanted->ports))
			continue;
		free(wanted->ports.items);
		*index = (uint16_t)i;
		return true;
	}
	if (policy->zone_count == SNIF_ZONES) {
		refuse(builder, at, "hosts have more than %d different combinations of `to`, `ports` and `starts`",
		       SNIF_ZONES);
		free(wanted->ports.items);
		return false;
	}
	zone = array_add(&policy->zones, &policy->zone_count, sizeof(*zone));
	if (!zone) {
		out_of_memory(builder);
		free(wanted->ports.items);
		return false;
	}
	*zone = *wanted;
	*index = (uint16_t)(policy->zone_count - 1);
	return true;
}

static bool copy_ports(struct builder *builder, const struct port_list *from, struct port_list *to) {
	for (size_t i = 0; i < from->count; i++)
		if (!set_ports(builder, to, from->items[i].first, from->items[i].last))
			return false;
	return true;
}

/* A port where servers expect no ClientHello. In a range it is there by the way. */
static void warn_http(struct builder *builder, const struct yaml_node *ports) {
	for (const struct yaml_node *port = next_word(ports, NULL); port; port = next_word(ports, port))
		if (strcmp(port->text, HTTP_PORT) == 0)
			warn(builder, port,
			     "port 80 is plain HTTP's, which sends no server name to judge, and is refused: use https, or "
			     "allow addresses under `direct`, like {to: 192.0.2.1, ports: [80]}");
}

/* Where a host rule holds: its own `to` and `ports`, and zone 0's for what it leaves out. `to_text` is freed by the
 * caller. */
static bool read_zone(struct builder *builder, const struct yaml_node *item, uint16_t *index, char **to_text) {
	static const char *const starts[] = {"tls", "postgres", NULL};
	const struct yaml_node *to = yaml_get(item, "to"), *ports = yaml_get(item, "ports");
	struct zone zone = {.list = builder->policy->zones[0].list,
			    .postgres = read_choice(builder, yaml_get(item, "starts"), "`starts`", starts) == 1};
	bool good = !to || read_to(builder, to, &zone.list, to_text);

	good &= ports ? read_ports(builder, ports, &zone.ports)
		      : copy_ports(builder, &builder->policy->zones[0].ports, &zone.ports);
	if (good) {
		if (ports)
			warn_http(builder, ports);
		return find_zone(builder, item, &zone, index);
	}
	free(zone.ports.items);
	return false;
}

/* The rule in one line, like `*.s3.amazonaws.com to aws ports 443,8443`. `line` is how it begins. */
static char *describe_where(const struct builder *builder, const struct host_rule *host, const char *line,
			    const char *to, bool ports) {
	char *text = NULL;
	size_t size;
	FILE *out = text_open(&text, &size);

	if (!out)
		return NULL;
	fputs(line, out);
	if (to)
		fprintf(out, " to %s", to);
	if (ports) {
		fputs(" ports ", out);
		port_list_write(&builder->policy->zones[host->zone].ports, out);
	}
	text_close(out, &text);
	return text;
}

/* Gives the host its name, and returns the rule in one line. Where nothing stands behind the name the two are one
 * text: a large policy is mostly that. */
static char *describe(struct builder *builder, struct host_rule *host, const char *name, const char *to, bool ports) {
	struct arena *texts = &builder->policy->texts;
	char line[sizeof("deny *.") + SNIF_NAME_BUFFER], *text;
	char *start = stpcpy(stpcpy(line, host->allow ? "" : "deny "), host_form_text(host->form));
	char *end = stpcpy(start, name);

	if (to || ports) {
		host->name = arena_text(texts, name, strlen(name));
		return keep_text(builder, describe_where(builder, host, line, to, ports));
	}
	text = arena_text(texts, line, (size_t)(end - line));
	host->name = text ? text + (start - line) : NULL;
	return text;
}

bool read_any_suffix(struct builder *builder, const struct yaml_node *item) {
	static const char *const words[] = {"false", "true", NULL};

	return read_choice(builder, yaml_get(item, "public_suffix"), "`public_suffix`", words) == 1;
}

bool read_name(struct builder *builder, const struct yaml_node *node, bool any_suffix, struct hostname *name) {
	char message[HOSTNAME_MESSAGE];

	if (!expect_word(builder, node, "a host"))
		return false;
	if (strcmp(node->text, "any") == 0) {
		*name = (struct hostname){.form = HOST_ANY};
		return true;
	}
	if (hostname_parse(node->text, any_suffix, name, message) == 0)
		return true;
	refuse(builder, node, "%s", message);
	return false;
}

static const char *const host_keys[] = {"host", "file", "to", "ports", "starts", "public_suffix", NULL};

/* A rule of Cilium's: `matchName: www.example.com`. */
static bool refuse_match(struct builder *builder, const struct yaml_node *item) {
	const struct yaml_node *child = item->children;

	if (!child || child->kind != NODE_SCALAR ||
	    (strcmp(child->key->text, "matchName") != 0 && strcmp(child->key->text, "matchPattern") != 0))
		return false;
	refuse(builder, child->key, "a host rule has no key `%s`: write the host alone, \"%.260s\"", child->key->text,
	       child->text);
	return true;
}

static bool check_host_keys(struct builder *builder, const struct yaml_node *item, bool allow) {
	bool good = true;

	if (allow)
		return expect_map(builder, item, "a host rule", host_keys);
	for (const struct yaml_node *child = item->children; child; child = child->next) {
		if (child->key->kind != NODE_SCALAR || strcmp(child->key->text, "host") == 0 ||
		    strcmp(child->key->text, "file") == 0 || strcmp(child->key->text, "expected") == 0)
			continue;
		refuse(builder, child->key,
		       "a denied host has no key but `host`, `file` and `expected`: it is denied at every address and port, "
		       "so leave `%.60s` out",
		       child->key->text);
		good = false;
	}
	return good;
}

/* What an allowed name hardly means. */
static void warn_name(struct builder *builder, const struct yaml_node *node, const struct hostname *name) {
	char shown[LOOK_ALIKE_SHOWN];
	const char *alphabet = look_alike(name->name, shown);

	if (alphabet)
		warn(builder, node,
		     "`%s` is `%s`, with %s letters that look like Latin ones: make sure that it is the name that you mean",
		     name->name, shown, alphabet);
	if (name->form == HOST_EXACT && strcmp(name->name, "localhost") == 0)
		warn(builder, node,
		     "`localhost` allows TLS with this name to any address, and no service of this machine: for those "
		     "write, under `direct`, `allow: [127.0.0.0/8, \"::1\"]`");
	else if (name->form == HOST_EXACT && public_suffix_is_top(name->name))
		warn(builder, node,
		     "`%s` is a top-level domain, and allows this name alone, nothing below it: write the hosts you need",
		     name->name);
}

void add_host(struct builder *builder, const struct host_where *where, const struct host_place *place,
	      const struct hostname *name) {
	struct policy *policy = builder->policy;
	struct host_rule host = {.allow = where->allow, .form = name->form, .zone = where->zone}, *kept;
	char *text = describe(builder, &host, name->name, where->to, where->ports);

	host.rule = add_rule(builder, place->line, place->column, text);
	policy->rules[host.rule].file = place->file;
	policy->rules[host.rule].expected = where->expected;
	kept = host.name ? array_add(&policy->hosts, &policy->host_count, sizeof(*kept)) : NULL;
	if (kept)
		*kept = host;
	else
		out_of_memory(builder);
}

static void read_host(struct builder *builder, const struct yaml_node *item, bool allow) {
	bool map = item->kind == NODE_MAP, good;
	const struct yaml_node *node = map ? yaml_get(item, "host") : item, *file = map ? yaml_get(item, "file") : NULL;
	struct host_where where = {.allow = allow, .ports = map && allow && yaml_get(item, "ports")};
	size_t errors = builder->diagnostics->errors;
	struct hostname name;
	char *to = NULL;

	if (map ? refuse_match(builder, item) : item->kind == NODE_SCALAR && missing_blank(builder, item, host_keys))
		return;
	good = !map || check_host_keys(builder, item, allow);
	if (!node == !file) {
		if (builder->diagnostics->errors == errors)
			refuse(builder, item,
			       "a host rule names its `host`, like {host: www.example.com}, or a `file` of hosts");
		return;
	}
	where.expected = !allow && read_expected(builder, item);
	where.any_suffix = !allow || (map && read_any_suffix(builder, item));
	good &= !node || read_name(builder, node, where.any_suffix, &name);
	if (allow && map)
		good &= read_zone(builder, item, &where.zone, &to);
	where.to = to;
	if (good && node && !allow && name.form == HOST_ANY) {
		refuse(builder, node, "what no rule allows is denied anyway: leave `any` out");
		good = false;
	}
	if (good && file)
		read_name_file(builder, file, &where);
	if (good && node) {
		if (allow)
			warn_name(builder, node, &name);
		add_host(builder, &where, &(struct host_place){builder->policy->file, node->line, node->column}, &name);
	}
	free(to);
}

static bool is_allowed(const struct policy *policy, const struct hostname *name) {
	for (size_t i = 0; i < policy->host_count; i++) {
		const struct host_rule *host = &policy->hosts[i];

		if (host->allow && host->zone == 0 && host->form == name->form && strcmp(host->name, name->name) == 0)
			return true;
	}
	return false;
}

void read_allowed(struct builder *builder) {
	const struct host_where where = {.allow = true};
	char message[HOSTNAME_MESSAGE];
	struct hostname name;

	for (size_t i = 0; i < builder->allowed_count; i++) {
		const struct host_place place = {POLICY_ALLOWED, (unsigned)i + 1, 1};

		/* a rule that would have to be written in more than a word cannot be an option */
		if (hostname_parse(builder->allowed[i], false, &name, message) < 0)
			diagnose(builder->diagnostics, POLICY_ALLOWED, 0, 0, "%s%s", message,
				 strchr(message, '{') ? " in a policy's file" : "");
		else if (!is_allowed(builder->policy, &name))
			add_host(builder, &where, &place, &name);
	}
}

static void read_hosts(struct builder *builder, const struct yaml_node *list, const char *what, bool allow) {
	if (expect_list(builder, list, what))
		for (const struct yaml_node *item = list->children; item; item = item->next)
			read_host(builder, item, allow);
}

/* Zone 0: tls.to and tls.ports. What is wrong there is told; the hosts are read all the same. */
static void read_default_zone(struct builder *builder, const struct yaml_node *to, const struct yaml_node *ports) {
	static const struct yaml_node nowhere = {.line = 1, .column = 1};
	struct policy *policy = builder->policy;
	struct zone *zone = array_add(&policy->zones, &policy->zone_count, sizeof(*zone));
	char *text = NULL;

	if (!zone) {
		out_of_memory(builder);
		return;
	}
	if (to)
		read_to(builder, to, &zone->list, &text);
	else
		read_any(builder, &nowhere, &zone->list);
	if (ports && read_ports(builder, ports, &zone->ports))
		warn_http(builder, ports);
	if (!ports)
		set_ports(builder, &zone->ports, HTTPS_PORT, HTTPS_PORT);
	free(text);
}

/* Bytes, or KiB when that stands behind the number. */
static uint32_t read_max_hello(struct builder *builder, const struct yaml_node *node) {
	unsigned long value;
	char *end;

	if (!node || node->null || !expect_word(builder, node, "`tls.max_hello`"))
		return SNIF_HELLO_LONGEST;
	value = strtoul(node->text, &end, 10);
	if (strcmp(end, " KiB") == 0 && value <= SNIF_HELLO_MOST)
		value *= 1024;
	else if (*end)
		value = 0;
	if (isdigit((unsigned char)*node->text) && value >= MAX_HELLO_LEAST && value <= SNIF_HELLO_MOST)
		return (uint32_t)value;
	refuse(builder, node, "`tls.max_hello` cannot be `%.60s`: write bytes, from %d to %d, or KiB, like `32 KiB`",
	       node->text, MAX_HELLO_LEAST, SNIF_HELLO_MOST);
	return SNIF_HELLO_LONGEST;
}

/* What no usual client sends, and is let pass all the same; in the words of the reasons why it is refused otherwise. */
static void read_unusual(struct builder *builder, const struct yaml_node *list) {
	static const char *const words[] = {"split_records", "trailing_dot", NULL};
	const struct yaml_node *first[2] = {NULL};

	if (!expect_list(builder, list, "`tls.unusual`"))
		return;
	for (const struct yaml_node *item = list->children; item; item = item->next) {
		unsigned word = read_choice(builder, item, "`tls.unusual`", words);

		if (!item->text || strcmp(item->text, words[word]) != 0)
			continue; /* read_choice() has told what is wrong */
		if (first[word])
			refuse(builder, item, "`%s` is written twice: it is already on line %u", words[word],
			       first[word]->line);
		else
			first[word] = item;
	}
	builder->policy->hello.split_records = first[0] != NULL;
	builder->policy->hello.trailing_dot = first[1] != NULL;
}

void read_tls(struct builder *builder, const struct yaml_node *tls) {
	static const char *const keys[] = {"ports", "to", "allow", "deny", "ech", "max_hello", "unusual", NULL};
	static const char *const ech_words[] = {"outer", "deny", NULL};
	bool map = expect_map(builder, tls, "`tls`", keys);

	builder->policy->hello = snif_hello_rules_of(read_max_hello(builder, map ? yaml_get(tls, "max_hello") : NULL));
	read_default_zone(builder, map ? yaml_get(tls, "to") : NULL, map ? yaml_get(tls, "ports") : NULL);
	if (!map || builder->policy->zone_count == 0)
		return;
	builder->policy->ech_deny = read_choice(builder, yaml_get(tls, "ech"), "`tls.ech`", ech_words) == 1;
	read_unusual(builder, yaml_get(tls, "unusual"));
	read_hosts(builder, yaml_get(tls, "allow"), "`tls.allow`", true);
	read_hosts(builder, yaml_get(tls, "deny"), "`tls.deny`", false);
}
