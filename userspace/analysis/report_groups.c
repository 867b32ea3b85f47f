/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups of events ──► a table for a terminal. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analysis/report_groups.h"
#include "base/table.h"

enum { SPARK_WIDTH = 16, CELL_SIZE = 1024, COLUMNS = 10 };

enum cell { BLOCKED, WOULD_BLOCK, ALLOWED, KEY, REASON, PROCESSES, NAMES, FIRST, LAST, OVER_TIME, CELLS };

static const struct table_column column_of[CELLS] = {
	[BLOCKED] = {"REFUSED", .right = true},
	[WOULD_BLOCK] = {"AUDITED", .right = true},
	[ALLOWED] = {"ALLOWED", .right = true},
	[KEY] = {NULL, .keep_end = true, .minimum = 20, .wanted = 40},
	[REASON] = {"REASON", .minimum = 16, .drop = 1},
	[PROCESSES] = {"ASKED BY", .minimum = 8, .drop = 2},
	[NAMES] = {"WHAT", .minimum = 20, .drop = 3},
	[FIRST] = {"FIRST", .drop = 4},
	[LAST] = {"LAST", .drop = 4},
	[OVER_TIME] = {"OVER TIME", .drop = 5},
};

static const char *const key_titles[GROUP_BYS] = {
	[BY_NAME] = "NAME",	  [BY_REASON] = "REASON", [BY_PROCESS] = "PROCESS", [BY_CGROUP] = "CGROUP",
	[BY_ADDRESS] = "ADDRESS", [BY_RULE] = "RULE",	  [BY_HOUR] = "HOUR",	    [BY_POLICY] = "POLICY",
};

struct layout {
	const struct groups *groups;
	const struct terminal *terminal;
	bool one_day; /* the time of day says when */
	enum cell cells[COLUMNS];
	struct table_column columns[COLUMNS];
	size_t count;
};

void report_moment(char *out, size_t size, int64_t time, const char *format) {
	time_t second = (time_t)(time / 1000000);
	struct tm local = {0};

	localtime_r(&second, &local);
	strftime(out, size, format, &local);
}

bool report_within_a_day(const struct groups *groups) {
	char first_day[16], last_day[16];
	int64_t first, last;

	groups_period(groups, &first, &last);
	report_moment(first_day, sizeof(first_day), first, "%F");
	report_moment(last_day, sizeof(last_day), last, "%F");
	return strcmp(first_day, last_day) == 0;
}

void report_heading(const char *text, const struct terminal *terminal, FILE *out) {
	if (text)
		fprintf(out, terminal->color ? "\n\033[1;4m%s\033[0m\n" : "\n%s\n", text);
}

static void add_column(struct layout *layout, enum cell cell, bool wanted) {
	if (!wanted)
		return;
	layout->cells[layout->count] = cell;
	layout->columns[layout->count++] = column_of[cell];
}

static struct layout layout_of(const struct report_groups *shown, const struct terminal *terminal) {
	const struct group *total = groups_total(shown->groups);
	enum group_by by = groups_by(shown->groups);
	struct layout layout = {
		.groups = shown->groups, .terminal = terminal, .one_day = report_within_a_day(shown->groups)};

	add_column(&layout, BLOCKED, total->blocked > 0 || total->would_block == 0);
	add_column(&layout, WOULD_BLOCK, total->would_block > 0);
	add_column(&layout, ALLOWED, shown->with_allowed && total->allowed > 0);
	add_column(&layout, KEY, true);
	layout.columns[layout.count - 1].title = key_titles[by];
	layout.columns[layout.count - 1].keep_end = by == BY_NAME || by == BY_RULE;
	add_column(&layout, REASON, by != BY_REASON);
	add_column(&layout, NAMES, by != BY_NAME);
	add_column(&layout, PROCESSES, by != BY_PROCESS && groups_have_processes(shown->groups));
	add_column(&layout, FIRST, by != BY_HOUR);
	add_column(&layout, LAST, by != BY_HOUR);
	add_column(&layout, OVER_TIME, by != BY_HOUR);
	return layout;
}

static void cell_text(const struct layout *layout, const struct group *group, enum cell cell, char out[CELL_SIZE]) {
	const char *ellipsis = layout->terminal->unicode ? "…" : "...";
	const char *format = layout->one_day ? "%T" : "%F %T";
	bool refused = group_refused(group) > 0;

	switch (cell) {
	case BLOCKED:
	case WOULD_BLOCK:
	case ALLOWED:
		snprintf(out, CELL_SIZE, "%" PRIu64,
			 cell == BLOCKED   ? group->blocked
			 : cell == ALLOWED ? group->allowed
					   : group->would_block);
		break;
	case KEY:
		snprintf(out, CELL_SIZE, "%s", group->key);
		break;
	case REASON:
		leaders_write(&group->reasons, out, CELL_SIZE, ellipsis);
		break;
	case PROCESSES:
		leaders_write(&group->processes, out, CELL_SIZE, ellipsis);
		break;
	case NAMES:
		leaders_write(&group->names, out, CELL_SIZE, ellipsis);
		break;
	case FIRST:
	case LAST:
		report_moment(out, CELL_SIZE, cell == FIRST ? group->first : group->last, format);
		break;
	default:
		timeline_draw(groups_timeline(layout->groups), group->over_time[refused ? 0 : 1], SPARK_WIDTH,
			      layout->terminal->unicode, out);
	}
}

static int add_row(struct table *table, const struct layout *layout, const struct group *group) {
	char text[CELL_SIZE];
	int error = 0;

	for (size_t i = 0; i < layout->count; i++) {
		cell_text(layout, group, layout->cells[i], text);
		error |= table_add(table, text);
	}
	return error;
}

int report_groups_print(const struct report_groups *shown, const struct terminal *terminal, FILE *out) {
	struct layout layout = layout_of(shown, terminal);
	struct table *table = table_new(layout.columns, layout.count);
	size_t count, rows = 0, end = shown->skip + shown->limit;
	const struct group **groups = groups_sorted(shown->groups, &count);
	int error = table && groups ? 0 : -ENOMEM;

	if (!error && shown->order)
		qsort(groups, count, sizeof(*groups), shown->order);
	for (size_t i = 0; !error && i <= count; i++) {
		const struct group *group = i < count ? groups[i] : groups_other(shown->groups);

		if (!shown->chosen(group, shown->context))
			continue;
		if (shown->picked && rows == shown->pick)
			*shown->picked = group;
		if (rows >= shown->skip && rows < end)
			error = add_row(table, &layout, group);
		rows++;
	}
	if (!error && rows > 0) {
		report_heading(shown->heading, terminal, out);
		table_print(table, out, terminal, 2);
	}
	if (shown->found)
		*shown->found = rows;
	else if (rows > end)
		fprintf(out, "  and %zu more\n", rows - end);
	free(groups);
	table_free(table);
	return error;
}
