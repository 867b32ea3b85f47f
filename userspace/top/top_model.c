/* SPDX-License-Identifier: BSD-2-Clause */
/* Events ──► counts, the last events, and rates. */
#include "top/top_model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = TOP_SECONDS + 1, SECOND = 1000000, LONGEST = 10 * 365 * 86400 /* no policy says so many seconds */ };

int top_model_start(struct top_model *model) {
	model->review.groupings = 1U << BY_NAME | 1U << BY_PROCESS;
	model->recent = calloc(TOP_RECENT, sizeof(*model->recent));
	model->found = calloc(TOP_FOUND, sizeof(*model->found));
	return model->recent && model->found ? review_start(&model->review) : -ENOMEM;
}

/* Empties the seconds that have begun since the last call. */
static void advance(struct top_model *model, int64_t now) {
	int64_t second = now / SECOND;

	if (second - model->second >= SLOTS)
		model->second = second - SLOTS;
	while (model->second < second) {
		model->second++;
		model->refused[model->second % SLOTS] = model->allowed[model->second % SLOTS] = 0;
	}
}

static void count(struct top_model *model, const struct log_event *event, int64_t now) {
	int64_t second = event->time / SECOND;

	advance(model, now);
	if (second < 0 || second > model->second || second <= model->second - SLOTS)
		return;
	if (event->action == LOG_PASS)
		model->allowed[second % SLOTS]++;
	else
		model->refused[second % SLOTS]++;
}

static void keep(struct top_model *model, const struct log_event *event) {
	struct top_event *recent = &model->recent[model->events++ % TOP_RECENT];
	char destination[GROUP_DESTINATION_SIZE];

	group_destination(event, destination);
	recent->time = event->time;
	recent->action = event->action;
	recent->pid = event->pid;
	recent->uid = event->uid;
	snprintf(recent->name, TOP_TEXT, "%s", *event->name ? event->name : destination);
	snprintf(recent->destination, TOP_TEXT, "%s", *event->name ? destination : "");
	snprintf(recent->rule, TOP_TEXT, "%s", event->rule);
	snprintf(recent->policy, TOP_TEXT, "%s", event->policy);
	snprintf(recent->reason, TOP_TEXT, "%s", event->reason_word);
	snprintf(recent->process, TOP_TEXT, "%s", event->process);
}

/* The place of a name at an address: its own, a new one, or that of what ends soonest. */
static struct top_found *place_of(struct top_model *model, const char *name, const char *address) {
	struct top_found *soonest = model->found;

	for (size_t i = 0; i < model->found_count; i++) {
		struct top_found *found = &model->found[i];

		if (strcmp(found->name, name) == 0 && strcmp(found->address, address) == 0)
			return found;
		if (found->expires < soonest->expires)
			soonest = found;
	}
	return model->found_count < TOP_FOUND ? &model->found[model->found_count++] : soonest;
}

static void keep_found(struct top_model *model, const struct log_event *event) {
	for (unsigned i = 0; i < event->answer_count; i++) {
		const struct log_answer *answer = &event->answers[i];
		struct top_found *found;

		if (answer->bound == 0 || answer->bound > LONGEST)
			continue;
		found = place_of(model, event->name, answer->address);
		found->expires = event->time + (int64_t)answer->bound * SECOND;
		snprintf(found->name, TOP_TEXT, "%s", event->name);
		snprintf(found->address, TOP_TEXT, "%s", answer->address);
		snprintf(found->process, TOP_TEXT, "%s", event->process);
	}
}

int top_model_add(struct top_model *model, const struct log_event *event, int64_t now) {
	bool shown = event->type <= LOG_DNS && event->action != LOG_UNDECIDED &&
		     log_filter_match(&model->review.filter, event);

	if (shown) {
		count(model, event, now);
		keep(model, event);
	}
	if (event->type == LOG_ANSWER && log_filter_match(&model->review.filter, event))
		keep_found(model, event);
	if (*event->policy)
		snprintf(model->policy, sizeof(model->policy), "%s", event->policy);
	return review_add(&model->review, event);
}

void top_model_rates(struct top_model *model, int64_t now, double *refused, double *allowed) {
	uint64_t refusals = 0, passes = 0;

	advance(model, now);
	for (int i = 1; i <= TOP_SECONDS && model->second >= i; i++) {
		refusals += model->refused[(model->second - i) % SLOTS];
		passes += model->allowed[(model->second - i) % SLOTS];
	}
	*refused = (double)refusals / TOP_SECONDS;
	*allowed = (double)passes / TOP_SECONDS;
}

void top_model_free(struct top_model *model) {
	review_free(&model->review);
	free(model->recent);
	free(model->found);
}
