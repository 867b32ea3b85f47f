/* SPDX-License-Identifier: BSD-2-Clause */
/* Events ──► the summary at the end of a run. */
#include "report.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

enum { LINES_KEPT = 10000, LINES_SHOWN = 20, TEXT_WIDTH = 44, REASON_WIDTH = 22 };

struct line {
	enum snif_verdict verdict;
	enum snif_mode mode;
	enum snif_reason reason;
	uint64_t count;
	char *text; /* the name, or address:port/protocol, escaped */
};

struct report {
	void *tree; /* of struct line, by verdict, reason and text: tsearch(3) */
	struct line *lines[LINES_KEPT];
	size_t count;
	uint64_t allowed, denied, other;
};

static int compare(const void *left, const void *right) {
	const struct line *a = left, *b = right;

	if (a->verdict != b->verdict)
		return a->verdict < b->verdict ? -1 : 1;
	if (a->reason != b->reason)
		return a->reason < b->reason ? -1 : 1;
	return strcmp(a->text, b->text);
}

struct report *report_new(void) {
	return calloc(1, sizeof(struct report));
}

static void write_destination(FILE *out, const struct snif_event *event) {
	static const __u8 unknown[16];
	char address[EVENT_ADDRESS_SIZE], number[4];
	const char *protocol = event_protocol(number, event->protocol);

	if (memcmp(event->destination, unknown, 16) == 0) {
		fprintf(out, "a socket of protocol %s", protocol);
		return;
	}
	event_address(address, event->destination);
	fprintf(out, strchr(address, ':') ? "[%s]:%u/%s" : "%s:%u/%s", address, event->destination_port, protocol);
}

/* What the event is about, in words; NULL when memory is out. */
static char *event_text(const struct snif_event *event) {
	size_t size, length = event_name_length(event);
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (length > 0)
		print_escaped(out, event->name, length);
	else
		write_destination(out, event);
	if ((ferror(out) | fclose(out)) == 0)
		return text;
	free(text);
	return NULL;
}

static void line_free(void *line) {
	free(((struct line *)line)->text);
	free(line);
}

/* Counts the event under its line, found or made; takes over `line`. */
static int count_under(struct report *report, struct line *line) {
	_Bool full = report->count >= LINES_KEPT;
	struct line **found = full ? tfind(line, &report->tree, compare) : tsearch(line, &report->tree, compare);

	if (found)
		(*found)->count++;
	if (found && *found == line) {
		report->lines[report->count++] = line;
		return 0;
	}
	line_free(line);
	if (!found && full)
		report->other++;
	return found || full ? 0 : -ENOMEM;
}

int report_add(struct report *report, const struct snif_event *event) {
	struct line *line = calloc(1, sizeof(*line));

	if (event->verdict == SNIF_ALLOW)
		report->allowed++;
	else
		report->denied++;
	if (!line || !(line->text = event_text(event))) {
		free(line);
		return -ENOMEM;
	}
	line->verdict = event->verdict;
	line->mode = event->mode;
	line->reason = event->reason;
	return count_under(report, line);
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

void report_print(const struct report *report, uint64_t lost, FILE *out) {
	struct line **sorted = calloc(report->count + 1, sizeof(*sorted));
	size_t denied = 0;

	fprintf(out, "snifence: %ju allowed, %ju blocked\n", (uintmax_t)report->allowed, (uintmax_t)report->denied);
	if (sorted) {
		memcpy(sorted, report->lines, report->count * sizeof(*sorted));
		qsort(sorted, report->count, sizeof(*sorted), order);
		while (denied < report->count && sorted[denied]->verdict == SNIF_DENY)
			denied++;
		print_lines(sorted, denied, out);
		print_lines(sorted + denied, report->count - denied, out);
		free(sorted);
	}
	if (report->other > 0)
		fprintf(out, "  other events, beyond %d different lines: %ju\n", LINES_KEPT, (uintmax_t)report->other);
	if (lost > 0)
		fprintf(out, "  %ju events were lost (the ring buffer was full); every decision was enforced all the same\n",
			(uintmax_t)lost);
}

void report_free(struct report *report) {
	if (!report)
		return;
	tdestroy(report->tree, line_free);
	free(report);
}
