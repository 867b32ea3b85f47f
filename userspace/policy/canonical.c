/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy ──► one text for what it means ──► SHA-256. */
#include "policy/canonical.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "policy/hostname.h"
#include "policy/prefix.h"
#include "policy/prefix_order.h"

/* NULL: no memory. OpenSSL's default context is looked at first: what needs it crashes when that could not be made. */
static EVP_MD_CTX *digest_new(void) {
	return OSSL_LIB_CTX_get0_global_default() ? EVP_MD_CTX_new() : NULL;
}

/* Ends a hash and writes it in hexadecimal. */
static int digest_end(EVP_MD_CTX *hash, char hex[65]) {
	unsigned char bytes[EVP_MAX_MD_SIZE];

	if (EVP_DigestFinal_ex(hash, bytes, NULL) != 1)
		return -EIO;
	for (int i = 0; i < 32; i++)
		sprintf(hex + 2 * i, "%02x", bytes[i]);
	return 0;
}

static int compare_prefixes(const void *a, const void *b) {
	return prefix_compare(a, b);
}

static int hash_prefixes(EVP_MD_CTX *hash, const struct prefix *sorted, size_t count) {
	char text[PREFIX_TEXT];

	if (EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1)
		return -EIO;
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && prefix_compare(&sorted[i - 1], &sorted[i]) == 0)
			continue;
		prefix_format(&sorted[i], text);
		if (EVP_DigestUpdate(hash, text, strlen(text)) != 1 || EVP_DigestUpdate(hash, "\n", 1) != 1)
			return -EIO;
	}
	return 0;
}

static int list_sha256(const struct prefix_list *list, char hex[65]) {
	struct prefix *sorted = calloc(list->count + 1, sizeof(*sorted));
	EVP_MD_CTX *hash = digest_new();
	int error = sorted && hash ? 0 : -ENOMEM;

	if (error == 0) {
		if (list->count > 0)
			memcpy(sorted, list->items, list->count * sizeof(*sorted));
		qsort(sorted, list->count, sizeof(*sorted), compare_prefixes);
		error = hash_prefixes(hash, sorted, list->count);
	}
	if (error == 0)
		error = digest_end(hash, hex);
	EVP_MD_CTX_free(hash);
	free(sorted);
	return error;
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
static char **zones_where(const struct policy *policy, char (*lists)[65]) {
	char **where = calloc(policy->zone_count + 1, sizeof(*where));

	for (size_t i = 0; where && i < policy->zone_count; i++) {
		size_t size;
		FILE *out = open_memstream(&where[i], &size);

		if (out)
			write_where("tcp", &policy->zones[i].ports, lists[policy->zones[i].list], out);
		if (text_close(out, &where[i]) == 0)
			continue;
		free_where(where, i + 1);
		return NULL;
	}
	return where;
}

struct host_line {
	uint64_t key;
	const struct host_rule *host;
};

/* A number by which lines are in the order of their bytes: `allow` is before `deny`, then comes the first byte of the
 * host as written (no name begins with a * or a dot), then as much of its name as there is room for. */
static uint64_t line_key(const struct host_rule *host) {
	const char *written = host->form == HOST_EXACT ? host->name : host_form_text(host->form);

	return (uint64_t)!host->allow << 56 | hostname_key(written, 1) << 48 | hostname_key(host->name, 6);
}

static int compare_hosts(const void *a, const void *b) {
	const struct host_line *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return strcmp(x->host->name, y->host->name);
}

static int write_hosts(const struct policy *policy, char **where, FILE *out) {
	struct host_line *sorted = calloc(policy->host_count + 1, sizeof(*sorted));

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < policy->host_count; i++)
		sorted[i] = (struct host_line){line_key(&policy->hosts[i]), &policy->hosts[i]};
	qsort(sorted, policy->host_count, sizeof(*sorted), compare_hosts);
	for (size_t i = 0; i < policy->host_count; i++) {
		const struct host_rule *host = sorted[i].host;

		fputs_unlocked(host->allow ? "allow " : "deny ", out);
		fputs_unlocked(host_form_text(host->form), out);
		fputs_unlocked(host->name, out);
		fputs_unlocked(host->allow ? " " : "\n", out);
		if (host->allow)
			fputs_unlocked(where[host->zone], out);
	}
	free(sorted);
	return 0;
}

static void write_direct(const struct address_rule *rule, char (*lists)[65], FILE *out) {
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

/* The lines of direct rules and zones, still to be sorted. */
static void write_addresses(const struct policy *policy, char (*lists)[65], char **where, FILE *out) {
	for (size_t i = 0; i < policy->direct_count; i++)
		write_direct(&policy->direct[i], lists, out);
	for (size_t i = 0; i < policy->zone_count; i++)
		fprintf(out, "inspect %s", where[i]);
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

/* The lines behind the first six. Those of hosts come first: `allow` and `deny` are before `direct` and `inspect`. */
static int write_rules(const struct policy *policy, char (*lists)[65], FILE *out) {
	char **where = zones_where(policy, lists), *text = NULL;
	size_t size = 0;
	FILE *addresses = open_memstream(&text, &size);
	int error = where && addresses ? write_hosts(policy, where, out) : -ENOMEM;

	if (error == 0)
		write_addresses(policy, lists, where, addresses);
	if (text_close(addresses, &text))
		error = -ENOMEM;
	if (error == 0)
		error = write_sorted(text, out);
	free_where(where, policy->zone_count);
	free(text);
	return error;
}

/* What is said of lookups; nothing where nothing is. */
static void write_dns(const struct policy *policy, FILE *out) {
	static const char *const binds[] = {"off", "observe", "require"};
	const struct snif_dns_rules *rules = &policy->dns;

	if (rules->bind == SNIF_BIND_OFF && !rules->names_policy && !rules->https_deny)
		return;
	fprintf(out, "dns bind %s names %s https %s ttl %u %u grace %u\n", binds[rules->bind],
		rules->names_policy ? "policy" : "any", rules->https_deny ? "deny" : "allow", rules->least, rules->most,
		rules->grace);
	for (size_t i = 0; i < policy->direct_count; i++)
		if (policy->direct[i].dns)
			fprintf(out, "dns server of list %zu\n", policy->direct[i].list);
	for (size_t i = 0; i < policy->lookup_count; i++) {
		const struct lookup_rule *lookup = &policy->lookups[i];

		fprintf(out, "lookup %s%s%s", lookup->search ? "search " : "", host_form_text(lookup->form),
			lookup->name);
		if (lookup->group) {
			const struct named_ports *group = &policy->groups[lookup->group];

			fprintf(out, " %u ", group->protocols);
			port_list_write(&group->ports, out);
		}
		fputc('\n', out);
	}
}

int canonical_write(const struct policy *policy, FILE *out) {
	char(*lists)[65] = calloc(policy->list_count + 1, sizeof(*lists));
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
	return EVP_DigestUpdate(hash, bytes, size) == 1 ? (ssize_t)size : 0;
}

int canonical_sha256(const struct policy *policy, char sha256[65]) {
	EVP_MD_CTX *hash = digest_new();
	FILE *out = hash ? fopencookie(hash, "w", (cookie_io_functions_t){.write = digest_write}) : NULL;
	int error = -ENOMEM;

	if (out)
		error = EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 ? canonical_write(policy, out) : -EIO;
	if (stream_close(out) && error == 0)
		error = -EIO;
	if (error == 0)
		error = digest_end(hash, sha256);
	EVP_MD_CTX_free(hash);
	return error;
}
