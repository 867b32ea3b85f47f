/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts, what is looked at, a size ──► the lines of a screen. */
#include "top/top_screen.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/report_groups.h"
#include "analysis/report_words.h"
#include "base/file.h"
#include "base/table.h"
#include "base/text.h"
#include "top/top_details.h"

enum { LINES_AROUND = TOP_LINE_ROWS + 1, LINE_SIZE = 512, INDENT = 2 /* as the tables of groups */ };

static const char *const sort_words[TOP_SORTS] = {
	[TOP_BY_REFUSED] = "refused",
	[TOP_BY_ALLOWED] = "allowed",
	[TOP_BY_LAST] = "last seen",
	[TOP_BY_KEY] = "name",
};

/* ASCII, cut at the screen's width. */
static void put_line(const struct top_screen *screen, FILE *out, const char *text) {
	fprintf(out, "%.*s\n", (int)screen->width, text);
}

static void put_counts(const struct top_screen *screen, FILE *out) {
	const struct review *review = &screen->model->review;
	const struct group *total = groups_total(review_groups(review));
	char line[LINE_SIZE], audited[64] = "";
	double refusals, passes;
	bool only_counted; /* which there is no room to say */
	uint64_t allowed = report_allowed(review, &only_counted);

	if (total->would_block > 0)
		snprintf(audited, sizeof(audited), "%" PRIu64 " audited, ", total->would_block);
	top_model_rates(screen->model, screen->now, &refusals, &passes);
	snprintf(line, sizeof(line), "%" PRIu64 " refused, %s%.1f/s; %" PRIu64 " allowed, %.1f/s", total->blocked,
		 audited, refusals, allowed, passes);
	put_line(screen, out, line);
}

static void put_period(const struct top_screen *screen, FILE *out) {
	const struct review *review = &screen->model->review;
	const struct groups *groups = review_groups(review);
	struct log_losses losses = log_runs_losses(review->runs);
	char line[LINE_SIZE], from[32] = "", to[32] = "", bad[48] = "";
	const char *format = report_within_a_day(groups) ? "%T" : "%F %T";
	int64_t first, last;

	groups_period(groups, &first, &last);
	if (screen->tally.bad > 0)
		snprintf(bad, sizeof(bad), ", %" PRIu64 " bad lines", screen->tally.bad);
	if (first <= last) {
		report_moment(from, sizeof(from), first, format);
		report_moment(to, sizeof(to), last, format);
	}
	snprintf(line, sizeof(line), "%" PRIu64 " lost%s; %s%s%s", log_losses_total(&losses), bad,
		 first <= last ? from : "nothing yet", first <= last ? " to " : "", to);
	put_line(screen, out, line);
}

static void put_tabs(const struct top_screen *screen, FILE *out) {
	static const char *const words[TOP_TABS] = {"1 names", "2 processes", "3 events", "4 lookups"};
	char line[LINE_SIZE];
	size_t used = 0;

	for (unsigned tab = 0; tab < TOP_TABS; tab++)
		used += (size_t)snprintf(line + used, sizeof(line) - used, tab == screen->view->tab ? "[%s]" : " %s ",
					 words[tab]);
	if (screen->file)
		snprintf(line + used, sizeof(line) - used, "  %s  %s", screen->model->policy, screen->file);
	put_line(screen, out, line);
}

/* ---- rows --------------------------------------------------------------------------------------------------- */

static bool has_match(const struct top_view *view, const struct leaders *leaders) {
	for (unsigned i = 0; i < LEADERS && leaders->items[i].word; i++)
		if (top_view_match(view, leaders->items[i].word))
			return true;
	return false;
}

static bool chosen(const struct group *group, const void *context) {
	const struct top_view *view = context;

	return group_refused(group) + group->allowed > 0 &&
	       (top_view_match(view, group->key) || has_match(view, &group->reasons) ||
		has_match(view, &group->processes) || has_match(view, &group->names));
}

#define GROUP(item) (*(const struct group *const *)(item))

static int by_key(const void *left, const void *right) {
	return strcmp(GROUP(left)->key, GROUP(right)->key);
}

static int by_last(const void *left, const void *right) {
	const struct group *a = GROUP(left), *b = GROUP(right);

	return a->last != b->last ? (a->last > b->last ? -1 : 1) : by_key(left, right);
}

static int by_allowed(const void *left, const void *right) {
	const struct group *a = GROUP(left), *b = GROUP(right);

	return a->allowed != b->allowed ? (a->allowed > b->allowed ? -1 : 1) : by_key(left, right);
}

static int put_groups(const struct top_screen *screen, const struct terminal *terminal, FILE *out) {
	static int (*const orders[TOP_SORTS])(const void *, const void *) = {
		[TOP_BY_ALLOWED] = by_allowed, [TOP_BY_LAST] = by_last, [TOP_BY_KEY] = by_key};
	struct top_view *view = screen->view;
	const struct group *selected = NULL;
	struct report_groups shown = {
		.groups = screen->model->review.by[view->tab == TOP_NAMES ? BY_NAME : BY_PROCESS],
		.with_allowed = true,
		.chosen = chosen,
		.context = view,
		.skip = view->top,
		.limit = view->page,
		.order = orders[view->sort],
		.found = &view->rows,
		.pick = view->selected,
		.picked = &selected,
	};
	int error = report_groups_print(&shown, terminal, out);

	snprintf(view->key, sizeof(view->key), "%s", selected ? selected->key : "");
	return error;
}

/* `format` is of its time, for strftime(3). */
static int add_event(struct table *table, const struct top_event *event, const char *format) {
	static const char *const words[] = {
		[LOG_PASS] = "allowed", [LOG_REJECT] = "REFUSED", [LOG_DROP] = "REFUSED", [LOG_ALERT] = "AUDITED"};
	char time[32];

	report_moment(time, sizeof(time), event->time, format);
	return table_add(table, time) | table_add(table, words[event->action]) | table_add(table, event->name) |
	       table_add(table, event->reason) | table_add(table, event->process);
}

static bool event_chosen(const struct top_view *view, const struct top_event *event) {
	return top_view_match(view, event->name) || top_view_match(view, event->reason) ||
	       top_view_match(view, event->process);
}

/* The newest first. */
static int put_events(const struct top_screen *screen, const struct terminal *terminal, FILE *out) {
	static const struct table_column columns[] = {
		{"TIME", .drop = 1},
		{.title = "VERDICT"},
		{"NAME", .keep_end = true, .minimum = 20},
		{"REASON", .minimum = 16, .drop = 3},
		{"ASKED BY", .minimum = 8, .drop = 2},
	};
	const struct top_model *model = screen->model;
	struct top_view *view = screen->view;
	struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	const char *format = report_within_a_day(review_groups(&model->review)) ? "%T" : "%F %T";
	int error = table ? 0 : -ENOMEM;

	view->rows = 0;
	view->key[0] = '\0';
	for (uint64_t i = 0; !error && i < model->events && i < TOP_RECENT; i++) {
		const struct top_event *event = &model->recent[(model->events - 1 - i) % TOP_RECENT];

		if (!event_chosen(view, event))
			continue;
		if (view->rows >= view->top && view->rows < view->top + view->page)
			error = add_event(table, event, format);
		if (view->rows == view->selected)
			top_key_of_event(view->key, model->events - 1 - i);
		view->rows++;
	}
	if (!error && view->rows > 0)
		table_print(table, out, terminal, INDENT);
	table_free(table);
	return error;
}

static int compare_found(const void *left, const void *right) {
	const struct top_found *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	return order ? order : strcmp(a->address, b->address);
}

static int add_found(struct table *table, const struct top_found *found, int64_t now) {
	long long left = (found->expires - now) / 1000000;
	char time[32];

	snprintf(time, sizeof(time), "%lld:%02lld:%02lld", left / 3600, left / 60 % 60, left % 60);
	return table_add(table, time) | table_add(table, found->address) | table_add(table, found->name) |
	       table_add(table, found->process);
}

static bool found_chosen(const struct top_screen *screen, const struct top_found *found) {
	return found->expires > screen->now &&
	       (top_view_match(screen->view, found->name) || top_view_match(screen->view, found->address) ||
		top_view_match(screen->view, found->process));
}

/* By name. */
static int put_found(const struct top_screen *screen, const struct terminal *terminal, FILE *out) {
	static const struct table_column columns[] = {
		{"LEFT", .right = true},
		{.title = "ADDRESS"},
		{"NAME", .keep_end = true, .minimum = 20},
		{"ASKED BY", .minimum = 8, .drop = 1},
	};
	struct top_model *model = screen->model;
	struct top_view *view = screen->view;
	struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	int error = table ? 0 : -ENOMEM;

	qsort(model->found, model->found_count, sizeof(*model->found), compare_found);
	view->rows = 0;
	view->key[0] = '\0';
	for (size_t i = 0; !error && i < model->found_count; i++) {
		if (!found_chosen(screen, &model->found[i]))
			continue;
		if (view->rows >= view->top && view->rows < view->top + view->page)
			error = add_found(table, &model->found[i], screen->now);
		if (view->rows == view->selected)
			top_key_of_found(view->key, &model->found[i]);
		view->rows++;
	}
	if (!error && view->rows > 0)
		table_print(table, out, terminal, INDENT);
	table_free(table);
	return error;
}

/* In place of rows. */
static void put_keys(const struct top_screen *screen, FILE *out) {
	static const char *const lines[] = {
		"1 2 3 4, Tab      names, processes, the last 1000 events, lookups",
		"/                 only rows with a text; Enter keeps it, Escape removes it",
		"s                 sort by the next column; r refused, a allowed,",
		"                  l last seen, n name",
		"Up Down PgUp PgDn Home End   select a row",
		"Enter             what is known of that row; any key goes back",
		"Ctrl-L            draw all anew",
		"q                 quit",
		"?                 back to the rows; any key does",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]) && i <= screen->view->page; i++)
		fprintf(out, "  %.*s\n", (int)screen->width - INDENT, lines[i]);
}

/* Why there are no rows. */
static void put_nothing(const struct top_screen *screen, FILE *out) {
	const char *why = screen->view->filter[0] ? "no row has this text; / and Escape remove it"
			  : screen->view->tab == TOP_LOOKUPS
				  ? "none is known: `dns.bind` has them read, `dns.log: answers` logged"
				  : "nothing was refused or allowed yet";

	fprintf(out, "  %.*s\n", (int)screen->width - INDENT, why);
}

static int put_rows(const struct top_screen *screen, FILE *out) {
	struct terminal terminal = {.width = screen->width, .unicode = screen->unicode};
	int error;

	if (screen->view->help) {
		put_keys(screen, out);
		return 0;
	}
	if (screen->view->details)
		return top_details_print(screen->model, screen->view, screen->width, out);
	if (screen->view->tab == TOP_EVENTS)
		error = put_events(screen, &terminal, out);
	else if (screen->view->tab == TOP_LOOKUPS)
		error = put_found(screen, &terminal, out);
	else
		error = put_groups(screen, &terminal, out);
	if (!error && screen->view->rows == 0)
		put_nothing(screen, out);
	return error;
}

/* Rows that were there when a person scrolled to them can be gone: the filter has changed, the screen has grown. */
static int put_rows_in_reach(const struct top_screen *screen, char **rows, size_t *size) {
	struct top_view *view = screen->view;
	size_t selected = view->selected;
	FILE *out;
	int error;

	for (;;) {
		out = text_open(rows, size);
		if (!out)
			return -ENOMEM;
		error = put_rows(screen, out);
		if (text_close(out, rows))
			error = -ENOMEM;
		if (error || view->help || view->details || (!top_view_settle(view) && selected == view->selected))
			return error;
		selected = view->selected;
		free(*rows);
	}
}

/* Keys can come faster than screens: which row it is that was selected is found now. */
static int find_selected(const struct top_screen *screen) {
	struct top_view *view = screen->view;
	char *rows = NULL;
	size_t size = 0;
	int error;

	if (!view->details || view->key[0])
		return 0;
	view->details = false;
	error = put_rows_in_reach(screen, &rows, &size);
	free(rows);
	view->details = view->key[0] != '\0';
	return error;
}

/* ---- the whole ---------------------------------------------------------------------------------------------- */

static void put_status(const struct top_screen *screen, FILE *out) {
	const struct top_view *view = screen->view;
	size_t end = view->top + view->page < view->rows ? view->top + view->page : view->rows;
	bool sorted = view->tab == TOP_NAMES || view->tab == TOP_PROCESSES;
	char line[LINE_SIZE], filter[TOP_FILTER_SIZE + 16] = "";

	if (view->typing) {
		snprintf(line, sizeof(line), "/%s_", view->filter);
		put_line(screen, out, line);
		return;
	}
	if (view->help || view->details) {
		put_line(screen, out, "q quit  any other key: back to the rows");
		return;
	}
	if (view->filter[0])
		snprintf(filter, sizeof(filter), "  /%s", view->filter);
	snprintf(line, sizeof(line), "%zu-%zu of %zu%s  %s%s  q quit  ? keys  Enter more  / filter  Tab view  s sort",
		 end ? view->top + 1 : 0, end, view->rows, filter, sorted ? "by " : "",
		 sorted			   ? sort_words[view->sort]
		 : view->tab == TOP_EVENTS ? "newest first"
					   : "by name");
	put_line(screen, out, line);
}

/* Below the line of titles. */
static void mark_selected(const struct top_view *view, char *rows) {
	size_t line = view->selected - view->top + 1;

	if (view->help || view->details || view->rows == 0)
		return;
	for (; line > 0; line--)
		rows = strchr(rows, '\n') + 1;
	*rows = '>';
}

/* Rows that there is no room for are cut off: details can be longer than the screen. */
static size_t put_lines(const char *rows, size_t most, FILE *out) {
	size_t lines = 0;

	for (; lines < most && *rows; lines++) {
		size_t length = strcspn(rows, "\n") + 1;

		fwrite(rows, 1, length, out);
		rows += length;
	}
	return lines;
}

static int put_screen(const struct top_screen *screen, FILE *out) {
	char *rows = NULL;
	size_t size = 0, lines;
	int error;

	screen->view->page = screen->height > LINES_AROUND ? screen->height - LINES_AROUND : 1;
	error = find_selected(screen);
	if (!error)
		error = put_rows_in_reach(screen, &rows, &size);
	if (!error) {
		put_counts(screen, out);
		put_period(screen, out);
		put_tabs(screen, out);
		mark_selected(screen->view, rows);
		lines = put_lines(rows, screen->view->page + 1, out);
		for (size_t line = TOP_LINE_TITLES + lines; line + 1 < screen->height; line++)
			fputc('\n', out);
		put_status(screen, out);
	}
	free(rows);
	return error;
}

char *top_screen_draw(const struct top_screen *screen) {
	char *text = NULL;
	size_t size = 0;
	FILE *out = text_open(&text, &size);
	int error;

	if (!out)
		return NULL;
	error = put_screen(screen, out);
	if (text_close(out, &text) == 0 && !error)
		return text;
	free(text);
	return NULL;
}
