/* SPDX-License-Identifier: BSD-2-Clause */
/* Events ──► the summary at the end of a run. */
#include "run/summary.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/reason_about.h"
#include "base/message.h"

enum { LINES_KEPT = 10000, LINES_SHOWN = 20, TEXT_WIDTH = 44, REASON_WIDTH = 22, TEXT_SIZE = ESCAPED_SIZE(256) };

struct line {
	enum snif_verdict verdict;
	enum snif_mode mode;
	enum snif_reason reason;
	uint64_t count;
	const char *text; /* the name, or address:port/protocol, escaped */
};

struct summary {
	void *tree; /* of struct line, by all but the count: tsearch(3) */
	struct line *lines[LINES_KEPT];
	size_t count;
	struct tally tally;
	uint64_t other; /* events that have no line */
};

static int compare(const void *left, const void *right) {
	const struct line *a = left, *b = right;

	if (a->verdict != b->verdict)
		return a->verdict < b->verdict ? -1 : 1;
	if (a->mode != b->mode)
		return a->mode < b->mode ? -1 : 1;
	if (a->reason != b->reason)
		return a->reason < b->reason ? -1 : 1;
	return strcmp(a->text, b->text);
}

struct summary *summary_new(void) {
	return calloc(1, sizeof(struct summary));
}

static void write_destination(char text[TEXT_SIZE], const struct snif_event *event) {
	static const __u8 unknown[16];
	char address[EVENT_ADDRESS_SIZE], number[4];
	const char *protocol = event_protocol(number, event->protocol);

	if (event_object(text, event_hook(event->hook), event->object.major, event->object.minor))
		return;
	if (memcmp(event->destination, unknown, 16) == 0) {
		snprintf(text, TEXT_SIZE, "a socket of protocol %s", protocol);
		return;
	}
	event_address(address, event->destination);
	snprintf(text, TEXT_SIZE, strchr(address, ':') ? "[%s]:%u/%s" : "%s:%u/%s", address, event->destination_port,
		 protocol);
}

/* The line of the event, with its text in `text`. */
static struct line line_of(const struct snif_event *event, char text[TEXT_SIZE]) {
	size_t length = event_name_length(event);

	if (length > 0)
		escape_bytes(text, event->name, length);
	else
		write_destination(text, event);
	return (struct line){
		.verdict = event->verdict == SNIF_ALLOW ? SNIF_ALLOW : SNIF_DENY,
		.mode = event->mode == SNIF_AUDIT ? SNIF_AUDIT : SNIF_ENFORCE,
		.reason = event->reason,
		.text = text,
	};
}

/* A copy that holds its own text; NULL: out of memory. */
static struct line *keep(const struct line *line) {
	size_t size = strlen(line->text) + 1;
	struct line *kept = malloc(sizeof(*kept) + size);

	if (!kept)
		return NULL;
	*kept = *line;
	kept->text = memcpy(kept + 1, line->text, size);
	return kept;
}

static int add_line(struct summary *summary, const struct line *line) {
	struct line *kept;

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
	return 0;
}

static void count(struct tally *tally, const struct snif_event *event) {
	if (event->verdict == SNIF_ALLOW)
		tally->allowed++;
	else if (event->mode == SNIF_AUDIT)
		tally->would_block++;
	else
		tally->blocked++;
}

/* A line that is there already takes no memory: one event may be like a hundred thousand others. */
int summary_add(struct summary *summary, const struct snif_event *event) {
	char text[TEXT_SIZE];
	struct line line = line_of(event, text), **found;

	count(&summary->tally, event);
	found = tfind(&line, &summary->tree, compare);
	if (!found)
		return add_line(summary, &line);
	(*found)->count++;
	return 0;
}

const struct tally *summary_tally(const struct summary *summary) {
	return &summary->tally;
}

/* Blocked before allowed, the most frequent first. */
static int order(const void *left, const void *right) {
	const struct line *a = *(struct line *const *)left, *b = *(struct line *const *)right;

	if (a->verdict != b->verdict)
		return a->verdict == SNIF_DENY ? -1 : 1;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return compare(a, b);
}

static const char *word(const struct line *line) {
	if (line->verdict == SNIF_ALLOW)
		return "allowed";
	return line->mode == SNIF_AUDIT ? "would block" : "blocked";
}

static void print_lines(struct line *const *lines, size_t count, FILE *out) {
	size_t shown = count < LINES_SHOWN ? count : LINES_SHOWN;

	for (size_t i = 0; i < shown; i++)
		fprintf(out, "  %-11s  %-*s  %-*s  %ju\n", word(lines[i]), TEXT_WIDTH, lines[i]->text, REASON_WIDTH,
			reason_code(lines[i]->reason), (uintmax_t)lines[i]->count);
	if (count > shown)
		fprintf(out, "  ... and %zu more\n", count - shown);
}

/* The mode can change with a reload: then there are both, blocked and what would have been. */
static void print_tally(const struct tally *tally, FILE *out) {
	fprintf(out, "snifence: %ju allowed", (uintmax_t)tally->allowed);
	if (tally->blocked > 0 || tally->would_block == 0)
		fprintf(out, ", %ju blocked", (uintmax_t)tally->blocked);
	if (tally->would_block > 0)
		fprintf(out, ", %ju would be blocked", (uintmax_t)tally->would_block);
	fputc('\n', out);
}

/* Once for each reason that no rule would change. */
static void print_hints(const struct summary *summary, FILE *out) {
	bool told[SNIF_REASON_COUNT] = {false};

	for (size_t i = 0; i < summary->count; i++) {
		enum snif_reason reason = summary->lines[i]->reason;
		const struct reason_about about = reason_about(reason);

		if (!about.advice || about.class <= REASON_DENY_RULE || told[reason])
			continue;
		told[reason] = true;
		fprintf(out, "  %s: %s\n", reason_code(reason), about.advice);
	}
}

void summary_print(const struct summary *summary, uint64_t lost, FILE *out) {
	struct line **sorted = calloc(summary->count + 1, sizeof(*sorted));
	size_t denied = 0;

	print_tally(&summary->tally, out);
	if (sorted) {
		memcpy(sorted, summary->lines, summary->count * sizeof(*sorted));
		qsort(sorted, summary->count, sizeof(*sorted), order);
		while (denied < summary->count && sorted[denied]->verdict == SNIF_DENY)
			denied++;
		print_lines(sorted, denied, out);
		print_lines(sorted + denied, summary->count - denied, out);
		free(sorted);
	}
	print_hints(summary, out);
	if (summary->other > 0)
		fprintf(out, "  other events, beyond %d different lines: %ju\n", LINES_KEPT, (uintmax_t)summary->other);
	if (lost > 0)
		fprintf(out, "  %ju event%s lost (the ring buffer was full); counters are complete\n", (uintmax_t)lost,
			lost == 1 ? " was" : "s were");
}

void summary_free(struct summary *summary) {
	if (!summary)
		return;
	tdestroy(summary->tree, free);
	free(summary);
}
