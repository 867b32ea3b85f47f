/* SPDX-License-Identifier: BSD-2-Clause */
/* Events ──► what a run comes to: counts by name or address, reason and who asked. */
#include "run/summary.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"

enum { LINES_KEPT = 10000 };

struct summary {
	void *tree; /* of struct summary_line, by verdict, mode, reason and text: tsearch(3) */
	struct summary_line *lines[LINES_KEPT];
	size_t count;
	struct tally tally;
	uint64_t other;
};

static int compare(const void *left, const void *right) {
	const struct summary_line *a = left, *b = right;

	if (a->verdict != b->verdict)
		return a->verdict < b->verdict ? -1 : 1;
	if (a->mode != b->mode)
		return a->mode < b->mode ? -1 : 1;
	if (a->refusal.reason != b->refusal.reason)
		return a->refusal.reason < b->refusal.reason ? -1 : 1;
	return strcmp(a->text, b->text);
}

struct summary *summary_new(void) {
	return calloc(1, sizeof(struct summary));
}

static struct summary_line line_of(const struct snif_event *event, const char *text) {
	struct summary_line line = {
		.verdict = event->verdict == SNIF_ALLOW ? SNIF_ALLOW : SNIF_DENY,
		.mode = event->mode == SNIF_AUDIT ? SNIF_AUDIT : SNIF_ENFORCE,
		.text = text,
		.refusal = {.reason = event->reason,
			    .name = event->name_length ? text : "",
			    .port = event->destination_port,
			    .protocol = event->protocol,
			    .rule = event->rule,
			    .let_through = event->mode == SNIF_AUDIT},
	};

	memcpy(line.refusal.address, event->destination, sizeof(line.refusal.address));
	return line;
}

/* A copy that holds its own text; NULL: out of memory. */
static struct summary_line *keep(const struct summary_line *line) {
	size_t size = strlen(line->text) + 1;
	struct summary_line *kept = malloc(sizeof(*kept) + size);

	if (!kept)
		return NULL;
	*kept = *line;
	kept->text = memcpy(kept + 1, line->text, size);
	if (line->refusal.name == line->text)
		kept->refusal.name = kept->text;
	return kept;
}

static int add_line(struct summary *summary, const struct summary_line *line, const char *asker) {
	struct summary_line *kept;

	if (summary->count >= LINES_KEPT) {
		summary->other++;
		return 0;
	}
	kept = keep(line);
	if (!kept || !tsearch(kept, &summary->tree, compare)) {
		free(kept);
		return -ENOMEM;
	}
	kept->count = 1;
	summary->lines[summary->count++] = kept;
	return leaders_add(&kept->askers, asker);
}

static void count(struct tally *tally, const struct snif_event *event, bool expected) {
	if (event->verdict == SNIF_ALLOW)
		tally->allowed++;
	else if (event->mode == SNIF_AUDIT)
		tally->would_block++;
	else
		tally->blocked++;
	tally->expected += expected;
}

/* A line that is there already takes no memory: one event may be like a hundred thousand others. */
static int add(struct summary *summary, const struct summary_line *line, const char *asker) {
	struct summary_line **found = tfind(line, &summary->tree, compare);

	if (!found)
		return add_line(summary, line, asker);
	(*found)->count++;
	return leaders_add(&(*found)->askers, asker);
}

int summary_add_call(struct summary *summary, const char *what, const char *asker) {
	const struct summary_line line = {
		.verdict = SNIF_DENY, .text = what, .refusal = {.reason = SNIF_REASON_NONE, .name = ""}};

	summary->tally.calls++;
	return add(summary, &line, asker);
}

int summary_add(struct summary *summary, const struct snif_event *event, bool expected) {
	char text[EVENT_WHAT_SIZE], asker[ESCAPED_SIZE(SNIF_COMM_LENGTH)];
	struct summary_line line;

	count(&summary->tally, event, expected);
	if (expected)
		return 0;
	event_what(text, event);
	line = line_of(event, text);
	escape_bytes(asker, event->process.name, strnlen(event->process.name, sizeof(event->process.name)));
	return add(summary, &line, asker);
}

const struct tally *summary_tally(const struct summary *summary) {
	return &summary->tally;
}

static int order(const void *left, const void *right) {
	const struct summary_line *a = *(struct summary_line *const *)left, *b = *(struct summary_line *const *)right;

	if (a->verdict != b->verdict)
		return a->verdict == SNIF_DENY ? -1 : 1;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return compare(a, b);
}

struct summary_line **summary_sorted(const struct summary *summary, size_t *denied, size_t *count) {
	struct summary_line **sorted = calloc(summary->count + 1, sizeof(*sorted));

	if (!sorted)
		return NULL;
	memcpy(sorted, summary->lines, summary->count * sizeof(*sorted));
	qsort(sorted, summary->count, sizeof(*sorted), order);
	for (*denied = 0; *denied < summary->count && sorted[*denied]->verdict == SNIF_DENY; ++*denied)
		;
	*count = summary->count;
	return sorted;
}

uint64_t summary_other(const struct summary *summary) {
	return summary->other;
}

static void free_line(void *line) {
	leaders_free(&((struct summary_line *)line)->askers);
	free(line);
}

void summary_free(struct summary *summary) {
	if (!summary)
		return;
	tdestroy(summary->tree, free_line);
	free(summary);
}
