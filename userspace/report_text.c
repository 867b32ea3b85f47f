/* SPDX-License-Identifier: BSD-2-Clause */
/* A review ──► text for a terminal. */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>

#include "events.h"
#include "report_groups.h"
#include "report_print.h"
#include "table.h"

enum { ROWS_SHOWN = 10, TIMELINE_WIDTH = 48, TEXT_SIZE = 1024 };

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

static const char *plural(uint64_t count) {
	return count == 1 ? "" : "s";
}

static void print_totals(const struct review *review, const struct terminal *terminal, FILE *out) {
	const struct groups *groups = review_groups(review);
	const struct group *total = groups_total(groups);
	struct log_losses runs = log_runs_losses(review->runs);
	char from[32], to[32], spark[3 * TIMELINE_WIDTH + 1];
	int64_t first, last;

	fprintf(out, "%" PRIu64 " blocked", total->blocked);
	if (total->would_block > 0)
		fprintf(out, ", %" PRIu64 " would be blocked (audit mode)", total->would_block);
	if (total->allowed == 0 && runs.allowed > 0 && !log_filter_any(&review->filter))
		fprintf(out, ", %" PRIu64 " allowed (not logged; as the runs have counted)", runs.allowed);
	else
		fprintf(out, ", %" PRIu64 " allowed", total->allowed);
	fputc('\n', out);
	if (total->blocked + total->would_block + total->allowed == 0)
		return;
	groups_period(groups, &first, &last);
	report_moment(from, sizeof(from), first, "%F %T");
	report_moment(to, sizeof(to), last, report_within_a_day(groups) ? "%T" : "%F %T");
	fprintf(out, "%s to %s, %" PRIu64 " run%s\n", from, to, runs.runs, plural(runs.runs));
	timeline_draw(groups_timeline(groups), total->over_time[0], TIMELINE_WIDTH, terminal->unicode, spark);
	if (group_refused(total) > 0)
		fprintf(out, "refused over time: %s\n", spark);
}

static int print_names(const struct review *review, const struct terminal *terminal, FILE *out) {
	struct report_groups names = {
		.groups = review->by[BY_NAME], .heading = "Most refused", .chosen = refused, .limit = ROWS_SHOWN};

	return report_groups_print(&names, terminal, out);
}

static void near_miss_text(const struct review_near_miss *near, char out[TEXT_SIZE]) {
	const char *form = host_form_text(near->allowed->form), *name = near->allowed->name;

	if (near->kind == NEAR_APEX)
		snprintf(out, TEXT_SIZE, "%s%s is allowed, which does not cover %s itself", form, name, name);
	else if (near->kind == NEAR_EDIT)
		snprintf(out, TEXT_SIZE, "%s%s is allowed: a misspelling, or an imitation", form, name);
	else
		snprintf(out, TEXT_SIZE, "%s%s is allowed, of the same domain", form, name);
}

static int print_near_misses(const struct review *review, const struct terminal *terminal, FILE *out) {
	static const struct table_column columns[] = {
		{"REFUSED", .right = true}, {"NAME", .keep_end = true, .minimum = 16}, {"CLOSE TO", .minimum = 20}};
	size_t shown = review->near_count < ROWS_SHOWN ? review->near_count : ROWS_SHOWN;
	struct table *table;
	char text[TEXT_SIZE];
	int error = 0;

	if (shown == 0)
		return 0;
	table = table_new(columns, 3);
	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < shown; i++) {
		snprintf(text, sizeof(text), "%" PRIu64, group_refused(review->near[i].refused));
		error |= table_add(table, text) | table_add(table, review->near[i].refused->key);
		near_miss_text(&review->near[i], text);
		error |= table_add(table, text);
	}
	if (!error) {
		report_heading("Close to what is allowed", terminal, out);
		table_print(table, out, terminal, 2);
	}
	if (review->near_count > shown)
		fprintf(out, "  and %zu more\n", review->near_count - shown);
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
		{REASON_UNUSUAL, "No good TLS: old or other software, perhaps an attempt"},
		{REASON_FILTER, "The filter could not tell"},
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
	struct log_losses runs = log_runs_losses(review->runs);
	const struct log_tally *tally = &review->tally;

	report_heading("What is not in this report", terminal, out);
	if (runs.lost > 0)
		fprintf(out, "  %" PRIu64 " event%s lost while the command ran (the ring buffer was full)\n", runs.lost,
			runs.lost == 1 ? " was" : "s were");
	if (runs.missing > 0)
		fprintf(out, "  %" PRIu64 " line%s missing from between the others\n", runs.missing,
			runs.missing == 1 ? " is" : "s are");
	if (tally->bad > 0)
		fprintf(out, "  %" PRIu64 " bad line%s passed over, the last one at %s\n", tally->bad,
			tally->bad == 1 ? " was" : "s were", tally->last_bad);
	if (tally->unread > 0)
		fprintf(out, "  %u file%s not be read, or not to the end\n", tally->unread,
			tally->unread == 1 ? " could" : "s could");
	if (review->undecided > 0)
		fprintf(out, "  %" PRIu64 " event%s without a verdict\n", review->undecided, plural(review->undecided));
	if (runs.lost + runs.missing + tally->bad + tally->unread + review->undecided == 0)
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

int report_text(const struct review *review, bool overview, FILE *out) {
	struct terminal terminal = terminal_of(out);
	struct report_groups all = {
		.groups = review_groups(review), .with_allowed = true, .chosen = any, .limit = SIZE_MAX};
	int error;

	print_totals(review, &terminal, out);
	if (!overview)
		fputc('\n', out);
	error = overview ? print_overview(review, &terminal, out) : report_groups_print(&all, &terminal, out);
	if (!error)
		print_losses(review, &terminal, out);
	return error;
}
