/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy ──► one text for what it means ──► SHA-256. */
#include "canonical.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "prefix.h"
#include "prefix_order.h"

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
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
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

static void write_host(const struct policy *policy, const struct host_rule *host, char (*lists)[65], FILE *out) {
	const struct zone *zone = &policy->zones[host->zone];

	fprintf(out, "%s %s%s", host->allow ? "allow" : "deny", host_form_text(host->form), host->name);
	if (!host->allow) {
		fputc('\n', out);
		return;
	}
	fputc(' ', out);
	write_where("tcp", &zone->ports, lists[zone->list], out);
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

/* The lines that are to be sorted. */
static int write_rules(const struct policy *policy, FILE *out) {
	char(*lists)[65] = calloc(policy->list_count + 1, sizeof(*lists));
	int error = lists ? 0 : -ENOMEM;

	for (size_t i = 0; error == 0 && i < policy->list_count; i++)
		error = list_sha256(&policy->lists[i], lists[i]);
	if (error == 0) {
		for (size_t i = 0; i < policy->host_count; i++)
			write_host(policy, &policy->hosts[i], lists, out);
		for (size_t i = 0; i < policy->direct_count; i++)
			write_direct(&policy->direct[i], lists, out);
		for (size_t i = 0; i < policy->zone_count; i++) {
			fputs("inspect ", out);
			write_where("tcp", &policy->zones[i].ports, lists[policy->zones[i].list], out);
		}
	}
	free(lists);
	return error;
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

int canonical_write(const struct policy *policy, FILE *out) {
	char *text = NULL;
	size_t size = 0;
	FILE *rules = open_memstream(&text, &size);
	int error = rules ? write_rules(policy, rules) : -ENOMEM;

	if (stream_close(rules))
		error = -ENOMEM;
	if (error == 0) {
		fprintf(out, "snifence policy 1\nmode %s\nech %s\ninbound %s\n",
			policy->mode == SNIF_AUDIT ? "audit" : "enforce", policy->ech_deny ? "deny" : "outer",
			policy->inbound_deny ? "deny" : "allow");
		error = write_sorted(text, out);
	}
	free(text);
	return error;
}

int canonical_sha256(const struct policy *policy, char sha256[65]) {
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	int error = out && hash ? canonical_write(policy, out) : -ENOMEM;

	if (stream_close(out))
		error = -ENOMEM;
	if (error == 0 && (EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1 || EVP_DigestUpdate(hash, text, size) != 1))
		error = -EIO;
	if (error == 0)
		error = digest_end(hash, sha256);
	EVP_MD_CTX_free(hash);
	free(text);
	return error;
}
