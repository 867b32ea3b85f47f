/* SPDX-License-Identifier: BSD-2-Clause */
/* Events ──► the summary at the end of a run. */
#include "report.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
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
	void *tree; /* of struct line, by all but the count: tsearch(3) */
	struct line *lines[LINES_KEPT];
	size_t count;
	uint64_t allowed, blocked, audited, other; /* events; audited: denied, but let through */
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
	if (stream_close(out) == 0)
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
	bool full = report->count >= LINES_KEPT;
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
	else if (event->mode == SNIF_AUDIT)
		report->audited++;
	else
		report->blocked++;
	if (!line || !(line->text = event_text(event))) {
		free(line);
		return -ENOMEM;
	}
	line->verdict = event->verdict == SNIF_ALLOW ? SNIF_ALLOW : SNIF_DENY;
	line->mode = event->mode == SNIF_AUDIT ? SNIF_AUDIT : SNIF_ENFORCE;
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

/* The mode can change with a reload: then there are both, blocked and what would have been. */
static void print_totals(const struct report *report, FILE *out) {
	fprintf(out, "snifence: %ju allowed", (uintmax_t)report->allowed);
	if (report->blocked > 0 || report->audited == 0)
		fprintf(out, ", %ju blocked", (uintmax_t)report->blocked);
	if (report->audited > 0)
		fprintf(out, ", %ju would be blocked", (uintmax_t)report->audited);
	fputc('\n', out);
}

void report_print(const struct report *report, uint64_t lost, FILE *out) {
	struct line **sorted = calloc(report->count + 1, sizeof(*sorted));
	size_t denied = 0;

	print_totals(report, out);
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
		fprintf(out, "  %ju event%s lost (the ring buffer was full); counters are complete\n", (uintmax_t)lost,
			lost == 1 ? " was" : "s were");
}

void report_free(struct report *report) {
	if (!report)
		return;
	tdestroy(report->tree, line_free);
	free(report);
}
