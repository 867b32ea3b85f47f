/* SPDX-License-Identifier: BSD-2-Clause */
/* Events ──► the summary at the end of a run. */
#include "summary.h"

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

struct summary {
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

struct summary *summary_new(void) {
	return calloc(1, sizeof(struct summary));
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
static int count_under(struct summary *summary, struct line *line) {
	bool full = summary->count >= LINES_KEPT;
	struct line **found = full ? tfind(line, &summary->tree, compare) : tsearch(line, &summary->tree, compare);

	if (found)
		(*found)->count++;
	if (found && *found == line) {
		summary->lines[summary->count++] = line;
		return 0;
	}
	line_free(line);
	if (!found && full)
		summary->other++;
	return found || full ? 0 : -ENOMEM;
}

int summary_add(struct summary *summary, const struct snif_event *event) {
	struct line *line = calloc(1, sizeof(*line));

	if (event->verdict == SNIF_ALLOW)
		summary->allowed++;
	else if (event->mode == SNIF_AUDIT)
		summary->audited++;
	else
		summary->blocked++;
	if (!line || !(line->text = event_text(event))) {
		free(line);
		return -ENOMEM;
	}
	line->verdict = event->verdict == SNIF_ALLOW ? SNIF_ALLOW : SNIF_DENY;
	line->mode = event->mode == SNIF_AUDIT ? SNIF_AUDIT : SNIF_ENFORCE;
	line->reason = event->reason;
	return count_under(summary, line);
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
static void print_totals(const struct summary *summary, FILE *out) {
	fprintf(out, "snifence: %ju allowed", (uintmax_t)summary->allowed);
	if (summary->blocked > 0 || summary->audited == 0)
		fprintf(out, ", %ju blocked", (uintmax_t)summary->blocked);
	if (summary->audited > 0)
		fprintf(out, ", %ju would be blocked", (uintmax_t)summary->audited);
	fputc('\n', out);
}

void summary_print(const struct summary *summary, uint64_t lost, FILE *out) {
	struct line **sorted = calloc(summary->count + 1, sizeof(*sorted));
	size_t denied = 0;

	print_totals(summary, out);
	if (sorted) {
		memcpy(sorted, summary->lines, summary->count * sizeof(*sorted));
		qsort(sorted, summary->count, sizeof(*sorted), order);
		while (denied < summary->count && sorted[denied]->verdict == SNIF_DENY)
			denied++;
		print_lines(sorted, denied, out);
		print_lines(sorted + denied, summary->count - denied, out);
		free(sorted);
	}
	if (summary->other > 0)
		fprintf(out, "  other events, beyond %d different lines: %ju\n", LINES_KEPT, (uintmax_t)summary->other);
	if (lost > 0)
		fprintf(out, "  %ju event%s lost (the ring buffer was full); counters are complete\n", (uintmax_t)lost,
			lost == 1 ? " was" : "s were");
}

void summary_free(struct summary *summary) {
	if (!summary)
		return;
	tdestroy(summary->tree, line_free);
	free(summary);
}
