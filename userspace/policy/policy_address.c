/* SPDX-License-Identifier: BSD-2-Clause */
/* `to` as written ──► lists of prefixes, each kept once. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "policy/hostname.h"
#include "policy/policy_build.h"
#include "policy/prefix.h"
#include "policy/prefix_order.h"

/* What all lists of a policy may hold together: rules that name a large set in many combinations add up. */
#define PREFIXES_MAX 4000000

/* An interned list, found by its prefixes. They are owned by the policy. */
struct content {
	struct prefix_list prefixes;
	size_t list;
};

/* A `to` as it was written. Words that are right have no comma in them, so that text and number tell them apart. */
struct spelling {
	char *text; /* the words with commas between them */
	size_t words;
	size_t list;
};

static int compare_contents(const void *left, const void *right) {
	const struct content *a = left, *b = right;

	if (a->prefixes.count != b->prefixes.count)
		return a->prefixes.count < b->prefixes.count ? -1 : 1;
	return memcmp(a->prefixes.items, b->prefixes.items, a->prefixes.count * sizeof(struct prefix));
}

static int compare_spellings(const void *left, const void *right) {
	const struct spelling *a = left, *b = right;

	if (a->words != b->words)
		return a->words < b->words ? -1 : 1;
	return strcmp(a->text, b->text);
}

static void free_spelling(void *spelling) {
	if (spelling)
		free(((struct spelling *)spelling)->text);
	free(spelling);
}

void free_lists(struct builder *builder) {
	tdestroy(builder->spellings, free_spelling);
	tdestroy(builder->contents, free);
}

/* Makes `content` a list of the policy, now that it is known to be a new one. */
static bool keep_list(struct builder *builder, const struct yaml_node *at, struct content *content) {
	struct policy *policy = builder->policy;
	struct prefix_list *list;

	builder->prefix_total += content->prefixes.count;
	if (builder->prefix_total > PREFIXES_MAX) {
		refuse(builder, at, "the rules name more than %d prefixes in all: use fewer combinations of sets",
		       PREFIXES_MAX);
		return false;
	}
	list = array_add(&policy->lists, &policy->list_count, sizeof(*list));
	if (!list) {
		out_of_memory(builder);
		return false;
	}
	*list = content->prefixes;
	content->list = policy->list_count - 1;
	return true;
}

bool add_list(struct builder *builder, const struct yaml_node *at, struct prefix_list *prefixes, size_t *list) {
	struct content *content = calloc(1, sizeof(*content)), **found = NULL;

	prefix_list_sort(prefixes);
	if (content) {
		content->prefixes = *prefixes;
		found = tsearch(content, &builder->contents, compare_contents);
	}
	if (!found) {
		out_of_memory(builder);
		goto drop;
	}
	if (*found != content) {
		*list = (*found)->list;
		free(content);
		free(prefixes->items);
		return true;
	}
	if (keep_list(builder, at, content)) {
		*list = content->list;
		return true;
	}
	tdelete(content, &builder->contents, compare_contents);
drop:
	free(content);
	free(prefixes->items);
	return false;
}

static bool add_any(struct prefix_list *prefixes) {
	struct prefix ipv4, ipv6;
	char message[PREFIX_MESSAGE];

	prefix_parse("0.0.0.0/0", &ipv4, message);
	prefix_parse("::/0", &ipv6, message);
	return prefix_list_add(prefixes, &ipv4) == 0 && prefix_list_add(prefixes, &ipv6) == 0;
}

static bool add_set(struct address_set *set, struct prefix_list *prefixes) {
	for (size_t i = 0; i < set->prefixes.count; i++)
		if (prefix_list_add(prefixes, &set->prefixes.items[i]) < 0)
			return false;
	return true;
}

/* The prefix that a range like 192.0.2.0-192.0.2.255 is. */
static bool range_prefix(const char *text, char prefix[PREFIX_TEXT]) {
	const char *dash = strchr(text, '-');
	char first_text[PREFIX_TEXT], unused[PREFIX_MESSAGE];
	struct prefix first, last;
	unsigned bits;

	if (!dash || snprintf(first_text, sizeof(first_text), "%.*s", (int)(dash - text), text) >= PREFIX_TEXT ||
	    prefix_parse(first_text, &first, unused) != PREFIX_OK || prefix_parse(dash + 1, &last, unused) != PREFIX_OK)
		return false;
	bits = address_common_bits(first.address, last.address);
	for (unsigned bit = bits; bit < 128; bit++) {
		unsigned at = 0x80 >> bit % 8;

		if ((first.address[bit / 8] & at) || !(last.address[bit / 8] & at))
			return false;
	}
	first.length = (uint8_t)bits;
	prefix_format(&first, prefix);
	return true;
}

/* An address with a port behind it, IPv6 in brackets. */
static bool split_port(const char *text, char address[PREFIX_TEXT], const char **port) {
	const char *colon = strrchr(text, ':'), *end = colon;

	if (!colon || !colon[1] || colon[1 + strspn(colon + 1, "0123456789")])
		return false;
	if (*text == '[' && colon[-1] == ']') {
		text++;
		end--;
	}
	*port = colon + 1;
	return hostname_is_address(text, (size_t)(end - text)) &&
	       snprintf(address, PREFIX_TEXT, "%.*s", (int)(end - text), text) < PREFIX_TEXT;
}

enum { HOST_TEXT = SNIF_NAME_BUFFER + 2 /* with *. before it */ };

/* A host, also in a URL or with a port, which are not in `host`. */
static bool is_host(const char *text, char host[HOST_TEXT]) {
	char unused[HOSTNAME_MESSAGE];
	struct hostname name;
	size_t length;
	const char *part = hostname_part(text, &length);

	return length < HOST_TEXT && memchr(part, '.', length) &&
	       snprintf(host, HOST_TEXT, "%.*s", (int)length, part) >= 0 &&
	       hostname_parse(host, true, &name, unused) == 0;
}

/* With all that the rule would take, so that the next look at the policy does not find the next thing missing. */
static void refuse_host(struct builder *builder, const struct yaml_node *word, const char *host) {
	char unused[HOSTNAME_MESSAGE];
	struct hostname name;
	bool covers = hostname_parse(host, false, &name, unused) != 0;

	refuse(builder, word,
	       "`%.80s` is a hostname, and addresses stand here: where the traffic is TLS, write it under `tls`; "
	       "otherwise, for the addresses that lookups give, {host: \"%.80s\"%s} and its ports under `direct`, and "
	       "`dns: {bind: require}`",
	       word->text, host, covers ? ", public_suffix: true" : "");
}

/* What is neither `any` nor a set, and that prefix_parse() has refused with `message`. */
static void refuse_word(struct builder *builder, const struct yaml_node *word, const char *message) {
	const char *text = word->text, *port;
	char good[PREFIX_TEXT], host[HOST_TEXT];

	if (strcmp(text, "localhost") == 0)
		refuse(builder, word, "`localhost` is a hostname: write its addresses, [127.0.0.0/8, \"::1\"]");
	else if (!text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_")])
		refuse(builder, word, "there is no set `%.60s`: name it under `sets`, or write a prefix or any", text);
	else if (split_port(text, good, &port))
		refuse(builder, word, "`%.60s` has a port: write {to: \"%s\", ports: [%.5s]}", text, good, port);
	else if (range_prefix(text, good))
		refuse(builder, word, "`%.60s` is a range: write the prefix %s", text, good);
	else if (strchr(text, '-') && hostname_is_address(text, strcspn(text, "-")))
		refuse(builder, word, "`%.80s` is a range: write the prefixes that make it, like 192.0.2.0/24", text);
	else if (is_host(text, host))
		refuse_host(builder, word, host);
	else
		refuse(builder, word, "%s", message);
}

/* One word of a `to`: any, a set, or a prefix. */
static bool add_word(struct builder *builder, const struct yaml_node *word, struct prefix_list *prefixes) {
	char message[PREFIX_MESSAGE];
	struct address_set *set;
	struct prefix prefix;
	bool added;

	if (!expect_word(builder, word, "an address"))
		return false;
	set = find_set(builder, word->text);
	if (set)
		set->used = true;
	if (set && set->broken)
		return false;
	if (strcmp(word->text, "any") == 0) {
		added = add_any(prefixes);
	} else if (set) {
		added = add_set(set, prefixes);
	} else if (prefix_parse(word->text, &prefix, message) == PREFIX_OK) {
		added = prefix_list_add(prefixes, &prefix) == 0;
	} else {
		refuse_word(builder, word, message);
		return false;
	}
	if (!added)
		out_of_memory(builder);
	return added;
}

/* The `to` in one line, which is also what it is found by. */
static char *spell(const struct yaml_node *to) {
	char *text = NULL;
	size_t size;
	FILE *out = text_open(&text, &size);

	if (!out)
		return NULL;
	for (const struct yaml_node *word = next_word(to, NULL); word; word = next_word(to, word))
		fprintf(out, "%s%s", word == to || word == to->children ? "" : ",", word->text ? word->text : "");
	text_close(out, &text);
	return text;
}

/* Notes what `key` means, so that it is resolved once. */
static bool remember(struct builder *builder, const struct spelling *key, size_t list) {
	struct spelling *spelling = calloc(1, sizeof(*spelling));

	if (spelling) {
		spelling->text = strdup(key->text);
		spelling->words = key->words;
		spelling->list = list;
	}
	if (spelling && spelling->text && tsearch(spelling, &builder->spellings, compare_spellings))
		return true;
	free_spelling(spelling);
	out_of_memory(builder);
	return false;
}

static bool resolve(struct builder *builder, const struct yaml_node *to, char *text, size_t *list) {
	struct spelling key = {.text = text, .words = to->kind == NODE_LIST ? to->count : 1};
	struct spelling **known = tfind(&key, &builder->spellings, compare_spellings);
	struct prefix_list prefixes = {0};
	bool good = true;

	if (known) {
		*list = (*known)->list;
		return true;
	}
	for (const struct yaml_node *word = next_word(to, NULL); word; word = next_word(to, word))
		good &= add_word(builder, word, &prefixes);
	if (good)
		return add_list(builder, to, &prefixes, list) && remember(builder, &key, *list);
	free(prefixes.items);
	return false;
}

bool read_to(struct builder *builder, const struct yaml_node *to, size_t *list, char **text) {
	*text = NULL;
	if (to->kind == NODE_REFUSED)
		return false;
	if (to->null || to->kind == NODE_MAP || (to->kind == NODE_LIST && to->count == 0)) {
		refuse(builder, to, "`to` names addresses: a prefix, a set, any, or a list of them");
		return false;
	}
	*text = spell(to);
	if (!*text)
		out_of_memory(builder);
	if (*text && resolve(builder, to, *text, list))
		return true;
	free(*text);
	*text = NULL;
	return false;
}

bool read_any(struct builder *builder, const struct yaml_node *at, size_t *list) {
	struct prefix_list prefixes = {0};

	if (add_any(&prefixes))
		return add_list(builder, at, &prefixes, list);
	free(prefixes.items);
	out_of_memory(builder);
	return false;
}
