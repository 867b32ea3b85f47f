/* SPDX-License-Identifier: BSD-2-Clause */
/* What was seen, what a policy allows ──► the rules between them. */
#include "learn/learn_rules.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "event/event_words.h"
#include "learn/learn_marks.h"
#include "learn/learn_wildcards.h"
#include "analysis/rule_text.h"

/* What the policy says of the places of a sighting, taken together. */
struct standing {
	enum snif_reason reason;  /* of a refusal, the worst: see gravity(); NONE: all is allowed */
	uint32_t rule;		  /* that refused */
	struct place refused;	  /* the first with that reason */
	size_t refused_count;	  /* places, whatever the reason */
	struct place_list places; /* all, as they are judged; of a destination: those without a rule */
};

struct work {
	const struct policy *policy;
	const struct compiled *compiled;
	struct learned *learned;
};

/* What went past the parser: to an address, with or without a name that a lookup has told. */
static bool is_uninspected(const struct sighting *seen) {
	return seen->kind == SEEN_DESTINATION || seen->kind == SEEN_NAMED;
}

/* How much a refusal is more than a rule that is missing or too narrow. */
static unsigned gravity(enum snif_reason reason) {
	switch (reason) {
	case SNIF_REASON_NONE:
		return 0;
	case SNIF_REASON_NAME_NOT_ALLOWED:
	case SNIF_REASON_NAME_ELSEWHERE:
	case SNIF_REASON_ADDRESS_NOT_ALLOWED:
	case SNIF_REASON_PORT_NOT_ALLOWED:
		return 1;
	default:
		return 2;
	}
}

static struct answer ask(const struct policy *policy, const struct compiled *compiled, const struct sighting *seen,
			 const struct place *place) {
	struct question question = {.has_address = true, .port = place->port, .protocol = seen->protocol};
	struct answer answer;

	memcpy(question.address, place->address, sizeof(question.address));
	if (!is_uninspected(seen))
		question.host = seen->text;
	question_answer(policy, compiled, &question, &answer);
	if (seen->kind != SEEN_NAMED || gravity(answer.judgement.reason) != 1)
		return answer;
	/* no rule for the address: there may be one for the name */
	question.host = seen->text;
	question_answer(policy, compiled, &question, &answer);
	return answer;
}

static int leave(struct left_list *list, const struct sighting *seen, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static int leave(struct left_list *list, const struct sighting *seen, const char *format, ...) {
	struct left_out *left = array_add(&list->items, &list->count, sizeof(*left));
	va_list arguments;
	int length;

	if (!left)
		return -ENOMEM;
	va_start(arguments, format);
	length = vasprintf(&left->text, format, arguments);
	va_end(arguments);
	left->usage = &seen->usage;
	if (length < 0)
		left->text = NULL;
	return length < 0 ? -ENOMEM : 0;
}

/* A name or destination that a rule, not the lack of one, keeps out. */
static int leave_refused(const struct work *work, const struct sighting *seen, const struct place *place,
			 enum snif_reason reason, uint32_t number) {
	const struct rule *rule = &work->policy->rules[number];
	struct left_list *list = &work->learned->left_out;
	char where[RULE_TEXT_PLACE];

	rule_text_place(place, where);
	if (reason == SNIF_REASON_SNI_MISSING)
		return leave(list, seen, "%s/TCP (names are to be checked there, which an address rule would end)",
			     where);
	if (number == 0)
		return leave(list, seen, "%s at %s (%s)", seen->text, where, reason_code(reason));
	return leave(list, seen, "%s at %s (%s, %s:%u)", seen->text, where, reason_code(reason), rule->file,
		     rule->line);
}

static bool is_quic(const struct sighting *seen, const struct place *place) {
	return seen->protocol == IPPROTO_UDP && place->port == 443 && !rule_text_is_loopback(&seen->places);
}

/* A rule for QUIC would allow every name at that address. */
static int leave_quic(const struct work *work, const struct sighting *seen, const struct place *place) {
	char where[RULE_TEXT_PLACE];

	rule_text_place(place, where);
	return leave(&work->learned->left_out, seen,
		     "%s/UDP (QUIC, whose names are not judged: refused, programs use TLS over TCP)", where);
}

static int keep_place(struct place_list *list, const uint8_t address[16], uint16_t port) {
	struct place *place = array_add(&list->items, &list->count, sizeof(*place));

	if (!place)
		return -ENOMEM;
	memcpy(place->address, address, sizeof(place->address));
	place->port = port;
	return 0;
}

/* Adds what the policy says of a place. Of a destination, each port stands for itself. Returns 0 or -ENOMEM. */
static int add_standing(const struct work *work, const struct sighting *seen, const struct place *place,
			struct standing *standing) {
	struct answer answer = ask(work->policy, work->compiled, seen, place);
	enum snif_reason reason = answer.judgement.reason;
	bool allowed = answer.judgement.verdict == SNIF_ALLOW;

	if (is_uninspected(seen) && allowed)
		return 0;
	if (is_uninspected(seen) && is_quic(seen, place))
		return leave_quic(work, seen, place);
	if (is_uninspected(seen) && gravity(reason) > 1)
		return leave_refused(work, seen, place, reason, answer.judgement.rule);
	standing->refused_count += !allowed;
	if (!allowed && gravity(reason) > gravity(standing->reason)) {
		standing->reason = reason;
		standing->rule = answer.judgement.rule;
		standing->refused = *place;
	}
	return keep_place(&standing->places, answer.address, place->port);
}

/* Adds a rule, and takes over `text`; NULL: out of memory. */
static int add_rule(struct rule_list *list, char *text, const char *name, const struct sighting *seen) {
	struct learned_rule *rule = text ? array_add(&list->items, &list->count, sizeof(*rule)) : NULL;

	if (!rule) {
		free(text);
		return -ENOMEM;
	}
	rule->text = text;
	rule->name = name;
	rule->seen = seen;
	return usage_add(&rule->usage, &seen->usage);
}

/* By its name where a lookup has told one. Takes over the places. */
static int add_address(const struct work *work, const struct sighting *seen, struct place_list *places) {
	struct rule_list *list = &work->learned->direct;
	char *text = seen->kind == SEEN_NAMED ? rule_text_named(seen->text, places)
					      : rule_text_address(seen->protocol, places);
	int error = add_rule(list, text, NULL, seen);

	if (error)
		return error;
	list->items[list->count - 1].places = *places;
	*places = (struct place_list){0};
	return 0;
}

/* A name whose rule does not cover all the places where it was used. */
static int leave_by_hand(const struct work *work, const struct sighting *seen, const struct standing *standing,
			 const struct rule *rule) {
	char where[RULE_TEXT_PLACE], more[48] = "";
	size_t others = standing->refused_count - 1;

	rule_text_place(&standing->refused, where);
	if (others > 0)
		snprintf(more, sizeof(more), " and %zu more place%s", others, others == 1 ? "" : "s");
	return leave(&work->learned->by_hand, seen,
		     "%s:%u: `%s` was used at %s%s too: add that to this rule, if it is meant", rule->file, rule->line,
		     seen->text, where, more);
}

/*
 * The longest rule for a name decides alone. So a name that the policy has any rule for must not get one of its own,
 * which would undo a deny rule, or take away the other places of an allow rule.
 */
static int learn_name(const struct work *work, const struct sighting *seen, struct standing *standing) {
	struct snif_judgement known = question_name(work->compiled, seen->text);
	bool plain;
	char *text;

	if (known.verdict == SNIF_ALLOW)
		return leave_by_hand(work, seen, standing, &work->policy->rules[known.rule]);
	if (known.reason == SNIF_REASON_NAME_DENIED)
		return leave_refused(work, seen, &standing->refused, known.reason, known.rule);
	if (seen->kind == SEEN_ELSEWHERE)
		return leave(&work->learned->left_out, seen, "%s (%s: by an old list of addresses, or an attempt)",
			     seen->text, seen->reason);
	text = rule_text_host(seen->text, &standing->places, work->policy, &plain);
	return add_rule(&work->learned->hosts, text, plain ? seen->text : NULL, seen);
}

static bool is_learned(const struct rule_list *list, const char *name) {
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].seen->text, name) == 0)
			return true;
	return false;
}

/* A name that was not to be looked up. Where it was all the same, what came of it has a rule of its own, if anything did;
 * else it is taken to be meant for TLS. */
static int learn_lookup(const struct work *work, const struct sighting *seen) {
	struct snif_judgement known = question_lookup(work->compiled, seen->text);
	struct place_list nowhere = {NULL, 0};
	struct rule_list *list = seen->cut_short ? &work->learned->hosts : &work->learned->lookups;
	const struct rule *rule = &work->policy->rules[known.rule];
	bool plain;
	char *text;

	if (known.verdict == SNIF_ALLOW || is_learned(&work->learned->hosts, seen->text) ||
	    is_learned(&work->learned->direct, seen->text))
		return 0;
	if (known.rule != 0)
		return leave(&work->learned->left_out, seen, "%s (%s, %s:%u)", seen->text, seen->reason, rule->file,
			     rule->line);
	if (!seen->cut_short && !work->policy->dns.names_policy)
		return 0;
	text = rule_text_host(seen->text, &nowhere, work->policy, &plain);
	return add_rule(list, text, seen->cut_short ? seen->text : NULL, seen);
}

/* What has places, by what the policy says of these. */
static int learn_standing(const struct work *work, const struct sighting *seen, struct standing *standing) {
	uint32_t named;

	if (standing->reason == SNIF_REASON_NONE)
		return 0;
	if (gravity(standing->reason) > 1)
		return leave_refused(work, seen, &standing->refused, standing->reason, standing->rule);
	if (!is_uninspected(seen))
		return learn_name(work, seen, standing);
	/* the longest rule for a name decides alone here, too */
	if (seen->kind == SEEN_NAMED && (named = question_named(work->compiled, seen->text)) != 0)
		return leave_by_hand(work, seen, standing, &work->policy->rules[named]);
	return add_address(work, seen, &standing->places);
}

static int learn(const struct work *work, const struct sighting *seen) {
	struct standing standing = {0};
	int error = 0;

	for (size_t i = 0; !error && i < seen->places.count; i++)
		error = add_standing(work, seen, &seen->places.items[i], &standing);
	if (!error && seen->kind == SEEN_OTHER)
		error = leave(&work->learned->left_out, seen, "%s (%s)", seen->text, seen->reason);
	else if (!error && seen->kind == SEEN_LOOKUP)
		error = learn_lookup(work, seen);
	else if (!error)
		error = learn_standing(work, seen, &standing);
	free(standing.places.items);
	return error;
}

int learn_rules(const struct sightings *sightings, const struct policy *policy, const struct compiled *compiled,
		unsigned wildcards, struct learned *learned) {
	const struct work work = {policy, compiled, learned};
	int error = 0;

	*learned = (struct learned){0};
	learned->seen = sightings_sorted(sightings, &learned->seen_count);
	if (!learned->seen)
		return -ENOMEM;
	for (size_t i = 0; !error && i < learned->seen_count; i++)
		error = learn(&work, learned->seen[i]);
	if (!error && wildcards > 0)
		error = learn_wildcards(&learned->hosts, policy, wildcards);
	return error ? error : learn_marks(learned, policy);
}

static bool is_left(const struct left_list *list, const struct sighting *seen) {
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].usage == &seen->usage)
			return true;
	return false;
}

bool learned_allowed(const struct learned *learned, const struct policy *policy, const struct compiled *compiled,
		     char text[LEARNED_TEXT]) {
	char where[RULE_TEXT_PLACE];

	for (size_t i = 0; i < learned->seen_count; i++) {
		const struct sighting *seen = learned->seen[i];

		if (is_left(&learned->left_out, seen) || is_left(&learned->by_hand, seen))
			continue;
		if (seen->kind == SEEN_LOOKUP && policy->dns.names_policy &&
		    question_lookup(compiled, seen->text).verdict != SNIF_ALLOW) {
			snprintf(text, LEARNED_TEXT, "a lookup of %s", seen->text);
			return false;
		}
		for (size_t k = 0; k < seen->places.count; k++) {
			if (ask(policy, compiled, seen, &seen->places.items[k]).judgement.verdict == SNIF_ALLOW)
				continue;
			rule_text_place(&seen->places.items[k], where);
			snprintf(text, LEARNED_TEXT, "%s at %s", seen->text, where);
			return false;
		}
	}
	return true;
}
