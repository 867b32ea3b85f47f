/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy ──► one text for what it means ──► SHA-256. */
#include "policy/canonical.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/key_sort.h"
#include "base/text.h"
#include "policy/hostname.h"
#include "policy/prefix.h"
#include "policy/prefix_order.h"

/* Ends a hash and writes it in hexadecimal. */
static void digest_end(struct sha256 *hash, char hex[SHA256_HEX]) {
	uint8_t digest[SHA256_BYTES];

	sha256_end(hash, digest);
	sha256_hex(digest, hex);
}

static int compare_prefixes(const void *a, const void *b) {
	return prefix_compare(a, b);
}

static void hash_prefixes(struct sha256 *hash, const struct prefix *sorted, size_t count) {
	char text[PREFIX_TEXT];

	sha256_begin(hash);
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && prefix_compare(&sorted[i - 1], &sorted[i]) == 0)
			continue;
		prefix_format(&sorted[i], text);
		sha256_add(hash, text, strlen(text));
		sha256_add(hash, "\n", 1);
	}
}

static int list_sha256(const struct prefix_list *list, char hex[SHA256_HEX]) {
	struct prefix *sorted = calloc(list->count + 1, sizeof(*sorted));
	struct sha256 hash;

	if (!sorted)
		return -ENOMEM;
	if (list->count > 0)
		memcpy(sorted, list->items, list->count * sizeof(*sorted));
	qsort(sorted, list->count, sizeof(*sorted), compare_prefixes);
	hash_prefixes(&hash, sorted, list->count);
	digest_end(&hash, hex);
	free(sorted);
	return 0;
}

static void write_where(const char *protocol, const struct port_list *ports, const char *list, FILE *out) {
	fprintf(out, "%s ", protocol);
	port_list_write(ports, out);
	fprintf(out, " to %s\n", list);
}

static void free_where(char **where, size_t count) {
	for (size_t i = 0; where && i < count; i++)
		free(where[i]);
	free(where);
}

/* What stands behind an allowed host: a text for each zone. Freed with free_where(). */
static char **zones_where(const struct policy *policy, char (*lists)[SHA256_HEX]) {
	char **where = calloc(policy->zone_count + 1, sizeof(*where));

	for (size_t i = 0; where && i < policy->zone_count; i++) {
		size_t size;
		FILE *out = text_open(&where[i], &size);

		if (out && policy->zones[i].postgres)
			fputs("starts postgres ", out);
		if (out)
			write_where("tcp", &policy->zones[i].ports, lists[policy->zones[i].list], out);
		if (text_close(out, &where[i]) == 0)
			continue;
		free_where(where, i + 1);
		return NULL;
	}
	return where;
}

enum { LINES_AHEAD = 8 };

struct host_line {
	uint64_t key;
	const struct host_rule *host;
};

/* `any` is also a name that a host can have; a star is none. */
static const char *form_text(const struct host_rule *host) {
	return host->form == HOST_ANY ? "*" : host_form_text(host->form);
}

/* A number by which lines are in the order of their bytes: `allow` is before `deny`, then comes the first byte of the
 * host as written (no name begins with a * or a dot), then as much of its name as there is room for. */
static uint64_t line_key(const struct host_rule *host) {
	const char *written = host->form == HOST_EXACT ? host->name : form_text(host);

	return (uint64_t)!host->allow << 56 | hostname_key(written, 1) << 48 | hostname_key(host->name, 6);
}

static int compare_hosts(const void *a, const void *b) {
	const struct host_line *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return strcmp(x->host->name, y->host->name);
}

/* Lines are anywhere in memory: what comes is on its way while what is there is written. */
static void fetch_ahead(const struct host_line *at, const struct host_line *end) {
	if (end - at > 2 * LINES_AHEAD)
		__builtin_prefetch(at[2 * LINES_AHEAD].host);
	if (end - at > LINES_AHEAD)
		__builtin_prefetch(at[LINES_AHEAD].host->name);
}

static int write_hosts(const struct policy *policy, char **where, FILE *out) {
	struct host_line *sorted = calloc(policy->host_count + 1, sizeof(*sorted));

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < policy->host_count; i++)
		sorted[i] = (struct host_line){line_key(&policy->hosts[i]), &policy->hosts[i]};
	key_sort(sorted, policy->host_count, sizeof(*sorted), compare_hosts);
	for (size_t i = 0; i < policy->host_count; i++) {
		const struct host_rule *host = sorted[i].host;

		fetch_ahead(&sorted[i], sorted + policy->host_count);
		fputs_unlocked(host->allow ? "allow " : "deny ", out);
		fputs_unlocked(form_text(host), out);
		fputs_unlocked(host->name, out);
		fputs_unlocked(host->allow ? " " : "\n", out);
		if (host->allow)
			fputs_unlocked(where[host->zone], out);
	}
	free(sorted);
	return 0;
}

static void write_direct(const struct address_rule *rule, char (*lists)[SHA256_HEX], FILE *out) {
	const char *verdict = rule->allow ? "allow" : "deny";

	if (rule->protocols & PROTO_TCP) {
		fprintf(out, "direct %s ", verdict);
		write_where("tcp", &rule->ports, lists[rule->list], out);
	}
	if (rule->protocols & PROTO_UDP) {
		fprintf(out, "direct %s ", verdict);
		write_where("udp", &rule->ports, lists[rule->list], out);
	}
}

static void write_lookup(const struct policy *policy, const struct lookup_rule *lookup, FILE *out) {
	fprintf(out, "lookup %s%s%s", lookup->search ? "search " : "", host_form_text(lookup->form), lookup->name);
	if (lookup->group) {
		const struct named_ports *group = &policy->groups[lookup->group];

		fprintf(out, " %u ", group->protocols);
		port_list_write(&group->ports, out);
	}
	fputc('\n', out);
}

/* The lines of direct rules, of zones and of whom and what names may be asked, still to be sorted. */
static void write_others(const struct policy *policy, char (*lists)[SHA256_HEX], char **where, FILE *out) {
	for (size_t i = 0; i < policy->direct_count; i++) {
		write_direct(&policy->direct[i], lists, out);
		if (policy->direct[i].dns && policy_reads_dns(policy))
			fprintf(out, "dns server %s\n", lists[policy->direct[i].list]);
	}
	for (size_t i = 0; i < policy->zone_count; i++)
		fprintf(out, "inspect %s", where[i]);
	for (size_t i = 0; i < policy->lookup_count && policy_reads_dns(policy); i++)
		write_lookup(policy, &policy->lookups[i], out);
}

static int compare_lines(const void *a, const void *b) {
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Writes the lines of `text` in order, each once. `text` is cut up. */
static int write_sorted(char *text, FILE *out) {
	size_t count = 0, room = 1;
	char **lines, *end;

	for (const char *at = text; (at = strchr(at, '\n')); at++)
		room++;
	lines = calloc(room, sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	for (; (end = strchr(text, '\n')); text = end + 1) {
		*end = '\0';
		lines[count++] = text;
	}
	qsort(lines, count, sizeof(*lines), compare_lines);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(lines[i - 1], lines[i]) != 0)
			fprintf(out, "%s\n", lines[i]);
	free(lines);
	return 0;
}

/* The lines that are sorted. Those of hosts come first: `allow` and `deny` are before all other words. */
static int write_rules(const struct policy *policy, char (*lists)[SHA256_HEX], FILE *out) {
	char **where = zones_where(policy, lists), *text = NULL;
	size_t size = 0;
	FILE *others = text_open(&text, &size);
	int error = where && others ? write_hosts(policy, where, out) : -ENOMEM;

	if (error == 0)
		write_others(policy, lists, where, others);
	if (text_close(others, &text))
		error = -ENOMEM;
	if (error == 0)
		error = write_sorted(text, out);
	free_where(where, policy->zone_count);
	free(text);
	return error;
}

/* The settings of lookups; nothing where nobody reads them. */
static void write_dns(const struct policy *policy, FILE *out) {
	static const char *const binds[] = {"off", "observe", "require"};
	const struct snif_dns_rules *rules = &policy->dns;

	if (policy_reads_dns(policy))
		fprintf(out, "dns bind %s names %s https %s ttl %u %u grace %u%s%s\n", binds[rules->bind],
			rules->names_policy ? "policy" : "any", rules->https_deny ? "deny" : "allow", rules->least,
			rules->most, rules->grace, rules->log_answers ? " log answers" : "",
			rules->resolve_exact ? " resolve exact" : "");
}

int canonical_write(const struct policy *policy, FILE *out) {
	char(*lists)[SHA256_HEX] = calloc(policy->list_count + 1, sizeof(*lists));
	int error = lists ? 0 : -ENOMEM;

	fprintf(out, "snifence policy 1\nmode %s\nech %s\ninbound %s\nmax_hello %u\nunusual%s%s\n",
		policy->mode == SNIF_AUDIT ? "audit" : "enforce", policy->ech_deny ? "deny" : "outer",
		policy->inbound_deny ? "deny" : "allow", policy->hello.longest,
		policy->hello.split_records ? " split_records" : "", policy->hello.trailing_dot ? " trailing_dot" : "");
	write_dns(policy, out);
	for (size_t i = 0; error == 0 && i < policy->list_count; i++)
		error = list_sha256(&policy->lists[i], lists[i]);
	if (error == 0)
		error = write_rules(policy, lists, out);
	free(lists);
	return error;
}

/* What is written to the stream goes into the hash. */
static ssize_t digest_write(void *hash, const char *bytes, size_t size) {
	sha256_add(hash, bytes, size);
	return (ssize_t)size;
}

int canonical_sha256(const struct policy *policy, char sha256[SHA256_HEX]) {
	struct sha256 hash;
	FILE *out = fopencookie(&hash, "w", (cookie_io_functions_t){.write = digest_write});
	int error = out ? 0 : -ENOMEM;

	sha256_begin(&hash);
	if (!error)
		error = canonical_write(policy, out);
	if (stream_close(out) && error == 0)
		error = -ENOMEM;
	if (error == 0)
		digest_end(&hash, sha256);
	return error;
}
