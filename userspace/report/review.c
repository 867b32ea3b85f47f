/* SPDX-License-Identifier: BSD-2-Clause */
/* Events ──► what a report says of them. */
#include "report/review.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum { NAMES_COMPARED = 200 };

int review_start(struct review *review) {
	review->runs = log_runs_new();
	if (!review->runs)
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

/* The policy's file in `file:line`. */
static void note_rule(struct review *review, const struct log_event *event) {
	const char *colon = strrchr(event->rule, ':');

	if (event->reason == SNIF_REASON_NAME_ALLOWED && colon)
		snprintf(review->rule_file, sizeof(review->rule_file), "%.*s", (int)(colon - event->rule), event->rule);
}

int review_add(struct review *review, const struct log_event *event) {
	int error = log_runs_add(review->runs, event);

	if ((event->type != LOG_TLS && event->type != LOG_FLOW) || !log_filter_match(&review->filter, event))
		return error;
	review->undecided += event->action == LOG_UNDECIDED;
	note_rule(review, event);
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

/* Not a destination that stands where there is no name, nor a name that is no hostname. */
static bool is_hostname(const char *key) {
	return !strpbrk(key, ": \\");
}

static int collect_allowed(struct review *review, const struct policy *policy, const struct group **names,
			   size_t count) {
	int error = 0;

	for (size_t i = 0; policy && i < policy->host_count; i++)
		if (policy->hosts[i].allow)
			error |= allow(review, policy->hosts[i].name, policy->hosts[i].form);
	for (size_t i = 0; i < count; i++)
		if (names[i]->allowed > 0 && is_hostname(names[i]->key))
			error |= allow(review, names[i]->key, HOST_EXACT);
	return error;
}

static int compare_names(struct review *review, const struct group **names, size_t count) {
	for (size_t i = 0; i < count && i < NAMES_COMPARED && group_refused(names[i]) > 0; i++) {
		const struct allowed_name *which = NULL;
		enum near_miss kind = NEAR_NONE;
		struct review_near_miss *near;

		if (names[i]->allowed == 0 && is_hostname(names[i]->key))
			kind = near_miss_find(names[i]->key, review->allowed, review->allowed_count, &which);
		if (kind == NEAR_NONE)
			continue;
		near = array_add(&review->near, &review->near_count, sizeof(*near));
		if (!near)
			return -ENOMEM;
		*near = (struct review_near_miss){names[i], which, kind};
	}
	return 0;
}

static void forget_near_misses(struct review *review) {
	free(review->allowed);
	free(review->near);
	review->allowed = NULL;
	review->near = NULL;
	review->allowed_count = review->near_count = 0;
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
	forget_near_misses(review);
	for (unsigned by = 0; by < GROUP_BYS; by++)
		groups_free(review->by[by]);
	log_runs_free(review->runs);
}
