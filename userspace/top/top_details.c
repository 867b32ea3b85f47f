/* SPDX-License-Identifier: BSD-2-Clause */
/* A row that was selected ──► all that is known of it. */
#include "top/top_details.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/reason_about.h"
#include "analysis/report_groups.h"
#include "base/paragraph.h"
#include "event/event_words.h"

enum { INDENT = PARAGRAPH_INDENT, NUMBER_SIZE = 64 };

void top_key_of_event(char key[TOP_KEY_SIZE], uint64_t number) {
	snprintf(key, TOP_KEY_SIZE, "%" PRIu64, number);
}

void top_key_of_found(char key[TOP_KEY_SIZE], const struct top_found *found) {
	snprintf(key, TOP_KEY_SIZE, "%s %s", found->address, found->name);
}

/* ---- lines -------------------------------------------------------------------------------------------------- */

struct page {
	FILE *out;
	unsigned width;
};

/* A text with its title before it, in as many lines as it takes. */
static void put(const struct page *page, unsigned indent, const char *title, const char *text) {
	paragraph_print(page->out, page->width, indent, title, text);
}

static void put_if_any(const struct page *page, const char *title, const char *text) {
	if (*text)
		put(page, INDENT, title, text);
}

static void put_number(const struct page *page, const char *title, uint64_t number) {
	char text[NUMBER_SIZE];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	put(page, INDENT, title, text);
}

static void put_moment(const struct page *page, const char *title, int64_t time) {
	char text[NUMBER_SIZE];

	report_moment(text, sizeof(text), time, "%F %T");
	put(page, INDENT, title, text);
}

static void put_reason(const struct page *page, const char *code) {
	enum snif_reason reason = reason_of(code);

	put(page, INDENT, "reason:", code);
	if (reason == SNIF_REASON_NONE || reason == SNIF_REASON_COUNT)
		return;
	put(page, 2 * INDENT, "", reason_text(reason));
	put(page, 2 * INDENT, "usual causes:", reason_about(reason).causes);
	put(page, 2 * INDENT, "what to do:", reason_about(reason).advice);
}

static void put_all(const struct page *page, const char *title, const struct leaders *leaders) {
	const char *words[LEADERS];
	unsigned count = leaders_sorted(leaders, words);

	for (unsigned i = 0; i < count; i++)
		put(page, INDENT, title, words[i]);
	if (leaders->more)
		put(page, INDENT, title, "and others");
}

/* ---- rows --------------------------------------------------------------------------------------------------- */

static void put_group(const struct page *page, const struct group *group, enum group_by by) {
	const char *reasons[LEADERS];
	unsigned count = leaders_sorted(&group->reasons, reasons);

	put(page, INDENT, "", group->key);
	put_number(page, "refused:", group->blocked);
	if (group->would_block > 0)
		put_number(page, "would be refused (audit mode):", group->would_block);
	put_number(page, "allowed:", group->allowed);
	put_moment(page, "first:", group->first);
	put_moment(page, "last:", group->last);
	put_all(page, "what:", &group->names);
	if (by != BY_PROCESS)
		put_all(page, "asked by:", &group->processes);
	for (unsigned i = 0; i < count; i++)
		put_reason(page, reasons[i]);
}

static const struct group *find_group(const struct group *const *groups, size_t count, const char *key) {
	for (size_t i = 0; i < count; i++)
		if (strncmp(groups[i]->key, key, TOP_KEY_SIZE - 1) == 0)
			return groups[i];
	return NULL;
}

static int print_group(const struct page *page, const struct groups *groups, const char *key) {
	size_t count;
	const struct group **sorted = groups_sorted(groups, &count), *group;

	if (!sorted)
		return -ENOMEM;
	group = find_group(sorted, count, key);
	put_group(page, group ? group : groups_other(groups), groups_by(groups));
	free(sorted);
	return 0;
}

static void print_event(const struct page *page, const struct top_model *model, const char *key) {
	static const char *const words[] = {
		[LOG_PASS] = "allowed:",
		[LOG_REJECT] = "refused:",
		[LOG_DROP] = "refused:",
		[LOG_ALERT] = "would be refused (audit mode):",
	};
	uint64_t number = strtoull(key, NULL, 10);
	const struct top_event *event = &model->recent[number % TOP_RECENT];
	char process[TOP_TEXT + NUMBER_SIZE];

	if (number + TOP_RECENT < model->events) {
		put(page, INDENT, "", "There were 1000 events since, and this one is not kept any more.");
		return;
	}
	put(page, INDENT, "", event->name);
	put_moment(page, words[event->action], event->time);
	put_if_any(page, "to:", event->destination);
	snprintf(process, sizeof(process), "%s (pid %" PRIu64 ", uid %" PRIu64 ")", event->process, event->pid,
		 event->uid);
	if (event->pid != 0)
		put(page, INDENT, "asked by:", process);
	put_if_any(page, "policy:", event->policy);
	put_if_any(page, "rule:", event->rule);
	put_reason(page, event->reason);
}

static void print_found(const struct page *page, const struct top_model *model, const char *wanted) {
	char key[TOP_KEY_SIZE];

	for (size_t i = 0; i < model->found_count; i++) {
		const struct top_found *found = &model->found[i];

		top_key_of_found(key, found);
		if (strcmp(key, wanted) != 0)
			continue;
		put(page, INDENT, "", found->name);
		put(page, INDENT, "found at:", found->address);
		put_if_any(page, "asked by:", found->process);
		put_moment(page, "counts until:", found->expires);
		return;
	}
	put(page, INDENT, "", "It does not count any more.");
}

int top_details_print(const struct top_model *model, const struct top_view *view, unsigned width, FILE *out) {
	const struct page page = {out, width};

	switch (view->tab) {
	case TOP_EVENTS:
		print_event(&page, model, view->key);
		return 0;
	case TOP_LOOKUPS:
		print_found(&page, model, view->key);
		return 0;
	default:
		return print_group(&page, model->review.by[view->tab == TOP_NAMES ? BY_NAME : BY_PROCESS], view->key);
	}
}
