/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy ──► what it means, for a person to read. */
#include "check/check_expand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/facts.h"
#include "base/message.h"
#include "check/check_expand_dns.h"
#include "policy/canonical.h"
#include "policy/prefix.h"
#include "policy/prefix_order.h"
#include "policy/rule_print.h"

static void print_text(const char *text, FILE *out) {
	print_escaped(out, text, strlen(text));
}

static void print_settings(const struct policy *policy, const struct compiled *compiled, FILE *out) {
	fputs("policy   ", out);
	print_text(policy->name, out);
	fputs(" (", out);
	print_text(policy->file, out);
	fprintf(out, ")\nsha256   %s\nmode     %s\nech      %s\ninbound  %s\nhellos   up to %u bytes%s%s\n",
		compiled->sha256,
		policy->mode == SNIF_AUDIT ? "audit: everything is judged and logged, nothing is refused" : "enforce",
		policy->ech_deny ? "deny" : "outer: the name outside is judged",
		policy->inbound_deny ? "deny" : "allow", policy->hello.longest,
		policy->hello.split_records ? ", split_records let pass" : "",
		policy->hello.trailing_dot ? ", trailing_dot let pass" : "");
}

/* Whether the list is that of `any`. */
static bool is_any(const struct prefix_list *list) {
	return list->count == 2 && list->items[0].length == 0 && prefix_compare(&list->items[1], &prefix_ipv4) == 0;
}

/* The list in one line; of a long one, how long it is. */
static void print_prefixes(const struct prefix_list *list, FILE *out) {
	char text[PREFIX_TEXT];

	if (list->count > EXPAND_PREFIXES) {
		prefix_format(&list->items[0], text);
		fprintf(out, "%zu prefixes (%s, ...; --json has them all)", list->count, text);
		return;
	}
	if (is_any(list)) {
		fputs("any address", out);
		return;
	}
	for (size_t i = 0; i < list->count; i++) {
		prefix_format(&list->items[i], text);
		fprintf(out, "%s%s", i > 0 ? ", " : "", text);
	}
	if (list->count == 0)
		fputs("nowhere", out);
}

static void print_ports(const struct port_list *ports, FILE *out) {
	bool all = ports->count == 1 && ports->items[0].first == 0 && ports->items[0].last == 65535;

	fputs(all ? "any port" : "port ", out);
	if (!all)
		port_list_write(ports, out);
}

static void print_host(const struct policy *policy, const struct host_rule *host, FILE *out) {
	fprintf(out, "    %s %s", host->allow ? "allow" : "deny ", host_form_text(host->form));
	print_text(host->name, out);
	fputs("  ", out);
	rule_place_print(&policy->rules[host->rule], out);
	fputc('\n', out);
}

/* Deny rules first, then the allow rules by zone; else as they are in the policy. */
static int compare_hosts(const void *a, const void *b) {
	const struct host_rule *x = *(const struct host_rule *const *)a, *y = *(const struct host_rule *const *)b;

	if (x->allow != y->allow)
		return x->allow - y->allow;
	if (x->allow && x->zone != y->zone)
		return x->zone - y->zone;
	return (x > y) - (x < y);
}

static void print_zone(const struct policy *policy, size_t index, FILE *out) {
	const struct zone *zone = &policy->zones[index];

	fputs("  names allowed on ", out);
	print_ports(&zone->ports, out);
	fputs(" at ", out);
	print_prefixes(&policy->lists[zone->list], out);
	fputs(zone->postgres ? ", behind PostgreSQL's question for TLS:\n" : ":\n", out);
}

/* The hosts from `next` on that are of one heading. Returns where the others begin. Of many, the first are printed, for
 * all headings together. */
static size_t print_group(const struct policy *policy, const struct host_rule **hosts, size_t next, FILE *out) {
	const struct host_rule *first = hosts[next];
	size_t more = 0;

	for (; next < policy->host_count && hosts[next]->allow == first->allow && hosts[next]->zone == first->zone;
	     next++)
		if (next < EXPAND_HOSTS)
			print_host(policy, hosts[next], out);
		else
			more++;
	if (more > 0)
		fprintf(out, "    ... and %zu more (--json has them all)\n", more);
	return next;
}

static int print_hosts(const struct policy *policy, FILE *out) {
	const struct host_rule **hosts = calloc(policy->host_count + 1, sizeof(*hosts));
	size_t next = 0;

	if (!hosts)
		return -ENOMEM;
	for (size_t i = 0; i < policy->host_count; i++)
		hosts[i] = &policy->hosts[i];
	qsort(hosts, policy->host_count, sizeof(*hosts), compare_hosts);
	fprintf(out, "\nhostnames (TLS over TCP; the longest match decides, deny before allow):\n");
	if (policy->host_count > 0 && !hosts[0]->allow) {
		fputs("  names denied everywhere:\n", out);
		next = print_group(policy, hosts, 0, out);
	}
	for (size_t z = 0; z < policy->zone_count; z++) {
		print_zone(policy, z, out);
		if (next == policy->host_count || hosts[next]->zone != z)
			fputs("    none\n", out);
		else
			next = print_group(policy, hosts, next, out);
	}
	free(hosts);
	return 0;
}

/* A direct rule at one of its prefixes, or, when they are many, at all of them. */
struct direct_row {
	const struct address_rule *rule;
	const struct prefix *prefix; /* the longest of many */
};

/* The most specific prefix first; deny before allow; as written. */
static int compare_rows(const void *a, const void *b) {
	const struct direct_row *x = a, *y = b;
	int order = prefix_is_ipv4(y->prefix) - prefix_is_ipv4(x->prefix);

	if (order == 0)
		order = y->prefix->length - x->prefix->length;
	if (order == 0)
		order = memcmp(x->prefix->address, y->prefix->address, 16);
	if (order == 0)
		order = x->rule->allow - y->rule->allow;
	return order ? order : (x->rule > y->rule) - (x->rule < y->rule);
}

/* Adds the rows of one rule; there is room for EXPAND_PREFIXES. Returns how many. */
static size_t make_rows(const struct policy *policy, const struct address_rule *rule, struct direct_row *rows) {
	const struct prefix_list *list = &policy->lists[rule->list];
	const struct prefix *longest = list->items;

	if (is_any(list)) {
		rows[0] = (struct direct_row){rule, longest};
		return 1;
	}
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].length > longest->length)
			longest = &list->items[i];
		if (list->count <= EXPAND_PREFIXES)
			rows[i] = (struct direct_row){rule, &list->items[i]};
	}
	if (list->count <= EXPAND_PREFIXES)
		return list->count;
	rows[0] = (struct direct_row){rule, longest};
	return 1;
}

static void print_row(const struct policy *policy, const struct direct_row *row, FILE *out) {
	const struct prefix_list *list = &policy->lists[row->rule->list];
	char text[PREFIX_TEXT];

	fprintf(out, "    %s ", row->rule->allow ? "allow" : "deny ");
	if (list->count > EXPAND_PREFIXES || is_any(list)) {
		print_prefixes(list, out);
	} else {
		prefix_format(row->prefix, text);
		fputs(text, out);
	}
	fprintf(out, " %s ", protocols_text(row->rule->protocols));
	print_ports(&row->rule->ports, out);
	fputs("  ", out);
	rule_print(&policy->rules[row->rule->rule], out);
	fputc('\n', out);
}

static int print_direct(const struct policy *policy, FILE *out) {
	struct direct_row *rows = calloc(policy->direct_count * EXPAND_PREFIXES + 1, sizeof(*rows));
	size_t count = 0;

	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < policy->direct_count; i++)
		count += make_rows(policy, &policy->direct[i], &rows[count]);
	qsort(rows, count, sizeof(*rows), compare_rows);
	fputs("\naddresses (before hostnames; the most specific prefix decides, deny before allow):\n", out);
	for (size_t i = 0; i < count; i++)
		print_row(policy, &rows[i], out);
	fputs("    what neither these nor the hostnames cover is refused\n", out);
	free(rows);
	return 0;
}

static void print_totals(const struct policy *policy, const struct compiled *compiled, FILE *out) {
	size_t prefixes = 0;

	for (size_t i = 0; i < policy->list_count; i++)
		prefixes += policy->lists[i].count;
	fprintf(out,
		"\ntotal    %zu host rules, %zu address rules, %zu prefixes\n"
		"tables   %zu names, %zu addresses, %zu ports: about %zu KiB in the kernel\n",
		policy->host_count, policy->direct_count, prefixes, compiled->name_count, compiled->address_count,
		compiled->port_count, (kernel_bytes(compiled) + 1023) / 1024);
}

int expand_print(const struct policy *policy, const struct compiled *compiled, FILE *out) {
	print_settings(policy, compiled, out);
	if (print_hosts(policy, out) < 0 || print_direct(policy, out) < 0)
		return -ENOMEM;
	expand_dns_print(policy, out);
	print_totals(policy, compiled, out);
	return 0;
}
