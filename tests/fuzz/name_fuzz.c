/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A name and rules ──► the same answer from include/name.h and judge.h as from a matcher that is written the plain way.
 *
 * The input is lines. The first is the name, as it would stand in a ClientHello; each further one is a rule: `+` or `-`
 * for allow and deny, a digit for its zone, then `example.com`, `*.example.com` or `.example.com`. The destination is
 * in the zones with even numbers.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "compile/tables.h"

#define RULES 64

struct rules {
	struct host_rule items[RULES];
	size_t count;
};

static void check(bool good) {
	if (!good)
		abort();
}

/* A plain reading of what name.h says is a server name. `out` gets the normalised name. */
static enum snif_reason plain_normalise(const char *bytes, size_t length, char *out) {
	size_t label = 0, digits = 0;
	bool too_long = false;

	if (length == 0)
		return SNIF_REASON_SNI_EMPTY;
	if (length > SNIF_NAME_READ)
		return SNIF_REASON_NAME_TOO_LONG;
	length -= bytes[length - 1] == '.';
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)bytes[i];

		out[i] = (char)tolower(c);
		if (c == '.') {
			if (label == 0)
				return SNIF_REASON_NAME_INVALID;
			label = digits = 0;
			continue;
		}
		if (c == ':')
			return SNIF_REASON_NAME_IS_ADDRESS;
		if (c > 127 || (!isalnum(c) && c != '-' && c != '_'))
			return SNIF_REASON_NAME_INVALID;
		digits += isdigit(c) != 0;
		too_long |= ++label > SNIF_LABEL_MAX;
	}
	out[length] = '\0';
	if (label == 0)
		return SNIF_REASON_NAME_INVALID;
	if (too_long || length > SNIF_NAME_MAX)
		return SNIF_REASON_NAME_TOO_LONG;
	return digits == label ? SNIF_REASON_NAME_IS_ADDRESS : SNIF_REASON_NONE;
}

/* Whether the rule is about the name. */
static bool plain_match(const struct host_rule *rule, const char *name) {
	size_t length = strlen(name), suffix = strlen(rule->name);
	bool below =
		length > suffix && name[length - suffix - 1] == '.' && strcmp(name + length - suffix, rule->name) == 0;

	if (rule->form != HOST_BELOW && strcmp(name, rule->name) == 0)
		return true;
	return rule->form != HOST_EXACT && below;
}

/* Whether `a` counts before `b` where both match: the longer name; deny; the form that says less; as written. */
static bool plain_before(const struct host_rule *a, const struct host_rule *b) {
	if (strlen(a->name) != strlen(b->name))
		return strlen(a->name) > strlen(b->name);
	if (a->allow != b->allow)
		return !a->allow;
	if ((a->form == HOST_BOTH) != (b->form == HOST_BOTH))
		return b->form == HOST_BOTH;
	return a->rule < b->rule;
}

static struct snif_judgement plain_judge(const struct rules *rules, const char *name) {
	const struct host_rule *best = NULL;

	for (size_t i = 0; i < rules->count; i++)
		if (plain_match(&rules->items[i], name) && (!best || plain_before(&rules->items[i], best)))
			best = &rules->items[i];
	if (!best)
		return (struct snif_judgement){SNIF_DENY, SNIF_REASON_NAME_NOT_ALLOWED, 0};
	if (!best->allow)
		return (struct snif_judgement){SNIF_DENY, SNIF_REASON_NAME_DENIED, best->rule};
	if (best->zone % 2 != 0)
		return (struct snif_judgement){SNIF_DENY, SNIF_REASON_NAME_ELSEWHERE, best->rule};
	return (struct snif_judgement){SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED, best->rule};
}

/* Reads one rule, unless its line is none or its name is none that a policy can hold. */
static void read_rule(const char *line, size_t length, struct rules *rules) {
	struct host_rule rule = {.form = HOST_EXACT, .rule = rules->count + 1};
	char name[SNIF_NAME_BUFFER];

	if (rules->count == RULES || length < 3 || !strchr("+-", line[0]) || !isdigit((unsigned char)line[1]))
		return;
	rule.allow = line[0] == '+';
	rule.zone = rule.allow ? line[1] - '0' : 0;
	line += 2;
	length -= 2;
	if (line[0] == '*' && length > 2 && line[1] == '.')
		rule.form = HOST_BELOW;
	else if (line[0] == '.')
		rule.form = HOST_BOTH;
	length -= rule.form == HOST_EXACT ? 0 : rule.form == HOST_BOTH ? 1 : 2;
	line += rule.form == HOST_EXACT ? 0 : rule.form == HOST_BOTH ? 1 : 2;
	if (plain_normalise(line, length, name) != SNIF_REASON_NONE)
		return;
	rule.name = strdup(name);
	check(rule.name);
	rules->items[rules->count++] = rule;
}

static void compare(const struct rules *rules, const char *name, size_t length) {
	static const __u64 key[2] = {1, 2};
	struct prefix_list list = {0};
	struct zone zones[10] = {{0}};
	struct policy policy = {.lists = &list, .list_count = 1, .zones = zones, .zone_count = 10};
	struct snif_dest dest = {.kind = SNIF_DEST_INSPECT, .zones = {0x155}};
	struct snif_judgement judgement, expected;
	struct compiled compiled;

	policy.hosts = (struct host_rule *)rules->items;
	policy.host_count = rules->count;
	check(compile_policy(&policy, key, &compiled) == 0);
	judgement = snif_judge_name(&compiled, &compiled.settings, (const __u8 *)name, (__u16)length, &dest);
	expected = plain_judge(rules, name);
	check(judgement.verdict == expected.verdict);
	check(judgement.reason == expected.reason);
	check(judgement.rule == expected.rule);
	compiled_free(&compiled);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const char *text = (const char *)data, *end = memchr(text, '\n', size);
	size_t length = end ? (size_t)(end - text) : size;
	char name[SNIF_NAME_BUFFER] = {0}, plain[SNIF_NAME_BUFFER];
	struct rules rules = {.count = 0};
	__u16 normal = (__u16)length;
	enum snif_reason reason;

	if (length > UINT16_MAX)
		return 0;
	memcpy(name, text, length < sizeof(name) ? length : sizeof(name));
	reason = snif_name_normalise((__u8 *)name, &normal);
	check(reason == plain_normalise(text, length, plain));
	if (reason != SNIF_REASON_NONE)
		return 0;
	check(normal == strlen(plain) && memcmp(name, plain, normal) == 0);
	name[normal] = '\0';
	while (end) {
		const char *line = end + 1;
		size_t left = size - (size_t)(line - text);

		end = memchr(line, '\n', left);
		read_rule(line, end ? (size_t)(end - line) : left, &rules);
	}
	compare(&rules, name, normal);
	for (size_t i = 0; i < rules.count; i++)
		free(rules.items[i].name);
	return 0;
}
