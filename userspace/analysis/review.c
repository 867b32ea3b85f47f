/* SPDX-License-Identifier: BSD-2-Clause */
/* Events ──► what a report says of them. */
#include "analysis/review.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"

enum { COMPARISONS_MAX = 20000000 };

struct other_name {
	UT_hash_handle hh;
	bool lost; /* there was no memory to enter it */
	char name[];
};

int review_start(struct review *review) {
	review->runs = log_runs_new();
	if (!review->runs || !hash_start())
		return -ENOMEM;
	for (unsigned by = 0; by < GROUP_BYS; by++) {
		if (!(review->groupings & 1U << by))
			continue;
		review->by[by] = groups_new(by);
		if (!review->by[by])
			return -ENOMEM;
	}
	return 0;
}

/* Not a destination that stands where there is no name, nor a name that is no hostname. */
static bool is_hostname(const char *key) {
	return *key && !strpbrk(key, ": \\");
}

static void note_policy(struct review *review, const char *file, size_t length, const char *sha256) {
	if (length == 0 || length >= sizeof(review->rule_file) ||
	    (strncmp(review->rule_file, file, length) == 0 && review->rule_file[length] == '\0' &&
	     strcmp(review->policy_sha256, sha256) == 0))
		return;
	memcpy(review->rule_file, file, length);
	review->rule_file[length] = '\0';
	snprintf(review->policy_sha256, sizeof(review->policy_sha256), "%s", sha256);
	review->policy_changed = true;
}

static int note_run(struct review *review, const struct log_event *event) {
	note_policy(review, event->policy_file, strlen(event->policy_file), event->policy_sha256);
	return leaders_add(&review->policies, event->policy_file) | leaders_add(&review->programs, event->program) |
	       leaders_add(&review->hosts, event->host);
}

/* The policy's file in `file:line`, and its hash. Mostly they are those of the event before. */
static void note_rule(struct review *review, const struct log_event *event) {
	const char *colon = strrchr(event->rule, ':');

	note_policy(review, event->rule, colon ? (size_t)(colon - event->rule) : 0, event->policy_sha256);
}

static struct other_name *find_other(const struct review *review, const char *name) {
	struct other_name *other;

	HASH_FIND_STR(review->other, name, other);
	return other;
}

/* Notes a name that was allowed and is not counted. Returns 0 or -ENOMEM. */
static int note_other(struct review *review, const struct log_event *event) {
	struct other_name *other;
	size_t length = strlen(event->name);

	if (!review->near_misses || event->action != LOG_PASS || !is_hostname(event->name) || length > SNIF_NAME_MAX ||
	    find_other(review, event->name))
		return 0;
	if (review->other_count >= GROUPS_MAX) {
		review->other_beyond++;
		return 0;
	}
	other = calloc(1, sizeof(*other) + length + 1);
	if (!other)
		return -ENOMEM;
	memcpy(other->name, event->name, length);
	HASH_ADD_KEYPTR(hh, review->other, other->name, length, other);
	if (other->lost) {
		free(other);
		return -ENOMEM;
	}
	review->other_count++;
	return 0;
}

int review_add(struct review *review, const struct log_event *event) {
	bool is_event = event->type <= LOG_DNS;
	bool meant = is_event && log_filter_match(&review->filter, event);
	int error = log_runs_add(review->runs, event, meant || !log_filter_any(&review->filter));

	if (event->type == LOG_STATS)
		error |= note_run(review, event);
	if (!is_event)
		return error ? -ENOMEM : 0;
	review->events++;
	note_rule(review, event);
	if (!meant)
		return error | note_other(review, event) ? -ENOMEM : 0;
	review->undecided += event->action == LOG_UNDECIDED;
	review->expected += event->expected;
	if (event->expected)
		return error;
	for (unsigned by = 0; by < GROUP_BYS; by++)
		if (review->by[by])
			error |= groups_add(review->by[by], event);
	return error ? -ENOMEM : 0;
}

static int allow(struct review *review, const char *name, enum host_form form) {
	struct allowed_name *allowed = array_add(&review->allowed, &review->allowed_count, sizeof(*allowed));

	if (!allowed)
		return -ENOMEM;
	*allowed = (struct allowed_name){name, strlen(name), form};
	return 0;
}

static int collect_allowed(struct review *review, const struct policy *policy, const struct group **names,
			   size_t count) {
	int error = 0;

	for (size_t i = 0; policy && i < policy->host_count; i++)
		if (policy->hosts[i].allow && policy->hosts[i].form != HOST_ANY)
			error |= allow(review, policy->hosts[i].name, policy->hosts[i].form);
	for (size_t i = 0; i < count; i++)
		if (names[i]->allowed > 0 && is_hostname(names[i]->key))
			error |= allow(review, names[i]->key, HOST_EXACT);
	for (const struct other_name *other = review->other; other; other = other->hh.next)
		error |= allow(review, other->name, HOST_EXACT);
	return error;
}

/* Notes what a refused name is close to, if to anything. */
static int compare_name(struct review *review, const struct group *name) {
	const struct allowed_name *which = NULL;
	enum near_miss kind = near_miss_find(name->key, review->allowed, review->allowed_count, &which);
	struct review_near_miss *near;

	if (kind == NEAR_NONE)
		return 0;
	near = array_add(&review->near, &review->near_count, sizeof(*near));
	if (!near)
		return -ENOMEM;
	*near = (struct review_near_miss){name, which, kind};
	return 0;
}

/* What may be an imitation before what is only of the same domain, then as the names. */
static int order_near(const void *left, const void *right) {
	const struct review_near_miss *a = left, *b = right;
	uint64_t refused_a = group_refused(a->refused), refused_b = group_refused(b->refused);

	if ((a->kind == NEAR_SIBLING) != (b->kind == NEAR_SIBLING))
		return a->kind == NEAR_SIBLING ? 1 : -1;
	if (refused_a != refused_b)
		return refused_a > refused_b ? -1 : 1;
	return strcmp(a->refused->key, b->refused->key);
}

static int compare_names(struct review *review, const struct group **names, size_t count) {
	size_t most = review->allowed_count > 0 ? COMPARISONS_MAX / review->allowed_count : 0, compared = 0;
	int error = 0;

	for (size_t i = 0; !error && i < count && group_refused(names[i]) > 0; i++) {
		if (names[i]->allowed > 0 || !is_hostname(names[i]->key) || find_other(review, names[i]->key))
			continue;
		if (compared++ < most)
			error = compare_name(review, names[i]);
	}
	review->refused_names = compared;
	if (review->allowed_count > 0 && compared > most)
		review->uncompared = compared - most;
	if (review->near_count > 0)
		qsort(review->near, review->near_count, sizeof(*review->near), order_near);
	return error;
}

static void forget_near_misses(struct review *review) {
	free(review->allowed);
	free(review->near);
	review->allowed = NULL;
	review->near = NULL;
	review->allowed_count = review->near_count = review->uncompared = 0;
}

int review_near_misses(struct review *review, const struct policy *policy) {
	const struct group **names;
	size_t count;
	int error;

	forget_near_misses(review);
	names = groups_sorted(review->by[BY_NAME], &count);
	if (!names)
		return -ENOMEM;
	error = collect_allowed(review, policy, names, count);
	if (!error)
		error = compare_names(review, names, count);
	free(names);
	return error;
}

const struct groups *review_groups(const struct review *review) {
	unsigned by = 0;

	while (!review->by[by])
		by++;
	return review->by[by];
}

void review_free(struct review *review) {
	struct other_name *other = review->other, *next;

	forget_near_misses(review);
	HASH_CLEAR(hh, review->other);
	for (; other; other = next) {
		next = other->hh.next;
		free(other);
	}
	for (unsigned by = 0; by < GROUP_BYS; by++)
		groups_free(review->by[by]);
	leaders_free(&review->policies);
	leaders_free(&review->programs);
	leaders_free(&review->hosts);
	log_runs_free(review->runs);
}
