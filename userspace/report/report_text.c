/* SPDX-License-Identifier: BSD-2-Clause */
/* A review ──► text for a terminal. */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>

#include "analysis/report_groups.h"
#include "analysis/report_words.h"
#include "base/paragraph.h"
#include "base/table.h"
#include "event/event_words.h"
#include "report/report_print.h"

enum { ROWS_SHOWN = 10, TIMELINE_WIDTH = 48 };

static bool any(const struct group *group, const void *context) {
	(void)context;
	return group_refused(group) + group->allowed > 0;
}

static bool refused(const struct group *group, const void *context) {
	(void)context;
	return group_refused(group) > 0;
}

static bool of_class(const struct group *group, const void *context) {
	const enum reason_class *class = context;

	return group_refused(group) > 0 && reason_class(reason_of(group->key)) == *class;
}

static void print_totals(const struct review *review, const struct terminal *terminal, FILE *out) {
	const struct groups *groups = review_groups(review);
	const struct group *total = groups_total(groups);
	uint64_t runs = log_runs_losses(review->runs).runs, allowed;
	char words[REPORT_WORDS_SIZE], from[32], to[32], spark[3 * TIMELINE_WIDTH + 1];
	int64_t first, last;
	bool only_counted;

	if (report_none_meant(review, words)) {
		fprintf(out, "%s\n", words);
		return;
	}
	allowed = report_allowed(review, &only_counted);
	fprintf(out, "%" PRIu64 " refused", total->blocked);
	if (total->would_block > 0)
		fprintf(out, ", %" PRIu64 " would be refused (audit mode)", total->would_block);
	fprintf(out, ", %" PRIu64 " allowed%s\n", allowed,
		only_counted ? " (not logged; as the runs have counted)" : "");
	if (total->blocked + total->would_block + total->allowed == 0)
		return;
	groups_period(groups, &first, &last);
	report_moment(from, sizeof(from), first, "%F %T");
	report_moment(to, sizeof(to), last, report_within_a_day(groups) ? "%T" : "%F %T");
	fprintf(out, "%s to %s, %" PRIu64 " run%s\n", from, to, runs, runs == 1 ? "" : "s");
	timeline_draw(groups_timeline(groups), total->over_time[0], TIMELINE_WIDTH, terminal->unicode, spark);
	if (group_refused(total) > 0)
		fprintf(out, "%s: %s\n", report_words(total)->over_time, spark);
}

static int print_names(const struct review *review, const struct terminal *terminal, FILE *out) {
	struct report_groups names = {.groups = review->by[BY_NAME],
				      .heading = report_words(groups_total(review_groups(review)))->most_refused,
				      .chosen = refused,
				      .limit = ROWS_SHOWN};

	return report_groups_print(&names, terminal, out);
}

static int print_near_misses(const struct review *review, const struct terminal *terminal, FILE *out) {
	const struct table_column columns[] = {
		{report_words(groups_total(review_groups(review)))->column, .right = true},
		{"NAME", .keep_end = true, .minimum = 16},
		{"CLOSE TO", .minimum = 20}};
	size_t shown = review->near_count < ROWS_SHOWN ? review->near_count : ROWS_SHOWN;
	struct table *table = table_new(columns, 3);
	char text[REPORT_WORDS_SIZE];
	int error = 0;
	bool noted;

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < shown; i++) {
		snprintf(text, sizeof(text), "%" PRIu64, group_refused(review->near[i].refused));
		error |= table_add(table, text) | table_add(table, review->near[i].refused->key);
		report_near_miss(&review->near[i], text);
		error |= table_add(table, text);
	}
	noted = report_near_misses_note(review, text);
	if (!error && (shown > 0 || noted))
		report_heading("Close to what is allowed", terminal, out);
	if (!error && shown > 0)
		table_print(table, out, terminal, 2);
	if (review->near_count > shown)
		fprintf(out, "  and %zu more\n", review->near_count - shown);
	if (noted)
		paragraph_print(out, terminal->width, PARAGRAPH_INDENT, "", text);
	table_free(table);
	return error;
}

/* One section for each class of reasons that calls for a look. */
static int print_signs(const struct review *review, const struct terminal *terminal, FILE *out) {
	static const struct {
		enum reason_class class;
		const char *heading;
	} sections[] = {
		{REASON_ATTACK, "Looks like an attempt to get around the filter, not like a missing rule"},
		{REASON_ELSEWHERE, "Elsewhere than allowed names are: an old list or cache of them, or an attempt"},
		{REASON_UNUSUAL, "No good TLS: old or other software, perhaps an attempt"},
		{REASON_LONG_HELLO, "Longer than `tls.max_hello`: mostly a large client certificate's session ticket"},
		{REASON_FILTER, "The filter could not tell, or refuses what it cannot follow"},
		{REASON_UNKNOWN, "Reasons that this version does not know"},
	};
	int error = 0;

	for (size_t i = 0; !error && i < sizeof(sections) / sizeof(sections[0]); i++) {
		struct report_groups signs = {.groups = review->by[BY_REASON],
					      .heading = sections[i].heading,
					      .chosen = of_class,
					      .context = &sections[i].class,
					      .limit = SIZE_MAX};

		error = report_groups_print(&signs, terminal, out);
	}
	return error;
}

static void print_losses(const struct review *review, const struct terminal *terminal, FILE *out) {
	char losses[REPORT_LOSSES][REPORT_WORDS_SIZE];
	unsigned count = report_losses(review, losses);

	report_heading("What is not in this report", terminal, out);
	for (unsigned i = 0; i < count; i++)
		paragraph_print(out, terminal->width, PARAGRAPH_INDENT, "", losses[i]);
	if (count == 0)
		fputs("  nothing is known to be missing\n", out);
}

static int print_overview(const struct review *review, const struct terminal *terminal, FILE *out) {
	int error = print_names(review, terminal, out);

	if (!error)
		error = print_near_misses(review, terminal, out);
	if (!error)
		error = print_signs(review, terminal, out);
	return error;
}

int report_text(const struct review *review, bool overview, const struct terminal *terminal, FILE *out) {
	struct report_groups all = {
		.groups = review_groups(review), .with_allowed = true, .chosen = any, .limit = SIZE_MAX};
	int error;

	print_totals(review, terminal, out);
	if (!overview)
		fputc('\n', out);
	error = overview ? print_overview(review, terminal, out) : report_groups_print(&all, terminal, out);
	if (!error)
		print_losses(review, terminal, out);
	return error;
}
