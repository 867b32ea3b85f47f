/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups of events ──► a table of HTML. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "analysis/reason_about.h"
#include "analysis/report_groups.h"
#include "event/event_words.h"
#include "report/html.h"
#include "report/report_html.h"

static const char *const class_texts[] = {
	[REASON_UNKNOWN] = "not known to this version",
	[REASON_ALLOWED] = "allowed",
	[REASON_NO_RULE] = "no rule",
	[REASON_DENY_RULE] = "denied by a rule",
	[REASON_ELSEWHERE] = "elsewhere than allowed: an old list or cache, or an attempt",
	[REASON_UNUSUAL] = "no good TLS",
	[REASON_LONG_HELLO] = "longer than tls.max_hello: mostly a large session ticket",
	[REASON_ATTACK] = "looks like an attempt",
	[REASON_FILTER] = "the filter could not tell, or cannot follow it",
};

static const char *const key_titles[GROUP_BYS] = {
	[BY_NAME] = "Name",	  [BY_REASON] = "Reason", [BY_PROCESS] = "Process", [BY_CGROUP] = "Cgroup",
	[BY_ADDRESS] = "Address", [BY_RULE] = "Rule",	  [BY_HOUR] = "Hour",	    [BY_POLICY] = "Policy",
};

const char *html_number(char out[HTML_NUMBER_SIZE], uint64_t number) {
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, number), at = 0;

	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
	return out;
}

void html_moment(FILE *out, int64_t time) {
	char exact[40], text[32];

	report_moment(exact, sizeof(exact), time, "%FT%T%z");
	report_moment(text, sizeof(text), time, "%F %T");
	html_print(out, "<time datetime=\"%s\">%s</time>", exact, text);
}

void html_count(FILE *out, const char *class, uint64_t count) {
	char number[HTML_NUMBER_SIZE];

	html_print(out, "<td class=\"number %s\" data-value=\"%" PRIu64 "\">%s</td>", count ? class : "none", count,
		   html_number(number, count));
}

static void put_words(FILE *out, const struct leaders *leaders) {
	const char *words[LEADERS];
	unsigned count = leaders_sorted(leaders, words);

	fputs("<td>", out);
	for (unsigned i = 0; i < count && i < LEADERS_SHOWN; i++)
		html_print(out, i ? ", <span>%s</span>" : "<span>%s</span>", words[i]);
	fputs(leaders->more || count > LEADERS_SHOWN ? ", &hellip;</td>" : "</td>", out);
}

static void put_moment(FILE *out, int64_t time) {
	html_print(out, "<td class=\"time\" data-value=\"%" PRIu64 "\">", (uint64_t)(time > 0 ? time : 0));
	html_moment(out, time);
	fputs("</td>", out);
}

static void put_meaning(FILE *out, const char *code) {
	enum snif_reason reason = reason_of(code);
	enum reason_class class = reason_class(reason);

	html_print(out, "<td><span class=\"class%s\">%s</span> %s</td>", class == REASON_ATTACK ? " attempt" : "",
		   class_texts[class], reason < SNIF_REASON_COUNT ? reason_text(reason) : "");
}

/* The columns that there is something for. */
static unsigned columns_of(const struct html_groups *shown) {
	const struct group *total = groups_total(shown->groups);
	unsigned columns = shown->columns;

	if (total->would_block > 0)
		columns |= HTML_AUDITED;
	if (total->blocked == 0 && total->would_block > 0)
		columns &= ~(unsigned)HTML_BLOCKED;
	if (total->allowed == 0)
		columns &= ~(unsigned)HTML_ALLOWED;
	return columns;
}

static void put_titles(const struct html_groups *shown, unsigned columns, FILE *out) {
	static const struct {
		unsigned column;
		const char *class, *title;
	} titles[] = {
		{HTML_BLOCKED, "number", "Refused"}, {HTML_AUDITED, "number", "Would be refused"},
		{HTML_ALLOWED, "number", "Allowed"}, {HTML_MEANING, "", "Meaning"},
		{HTML_REASONS, "", "Reason"},	     {HTML_NAMES, "", "What"},
		{HTML_PROCESSES, "", "Asked by"},    {HTML_TIMES, "time", "First"},
		{HTML_TIMES, "time", "Last"},
	};

	html_print(out, "<thead><tr><th scope=\"col\">%s</th>", key_titles[groups_by(shown->groups)]);
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (columns & titles[i].column)
			html_print(out, "<th scope=\"col\" class=\"%s\">%s</th>", titles[i].class, titles[i].title);
	fputs("</tr></thead>\n", out);
}

/* A bar behind the key: a presentation attribute, since the page's policy allows no style attribute. */
static void put_bar(uint64_t count, uint64_t largest, FILE *out) {
	html_print(out,
		   "<svg class=\"bar\" aria-hidden=\"true\"><rect class=\"refused\" width=\"%" PRIu64
		   "%%\" height=\"100%%\"/></svg>",
		   largest ? (count * 100 + largest - 1) / largest : 0);
}

static void put_row(const struct group *group, unsigned columns, uint64_t largest, FILE *out) {
	html_print(out, "<tr><th scope=\"row\">%s", group->key);
	if (largest > 0)
		put_bar(group_refused(group), largest, out);
	fputs("</th>", out);
	if (columns & HTML_BLOCKED)
		html_count(out, "refused", group->blocked);
	if (columns & HTML_AUDITED)
		html_count(out, "refused audited", group->would_block);
	if (columns & HTML_ALLOWED)
		html_count(out, "allowed", group->allowed);
	if (columns & HTML_MEANING)
		put_meaning(out, group->key);
	if (columns & HTML_REASONS)
		put_words(out, &group->reasons);
	if (columns & HTML_NAMES)
		put_words(out, &group->names);
	if (columns & HTML_PROCESSES)
		put_words(out, &group->processes);
	if (columns & HTML_TIMES) {
		put_moment(out, group->first);
		put_moment(out, group->last);
	}
	fputs("</tr>\n", out);
}

static bool chosen(const struct html_groups *shown, const struct group *group) {
	if (shown->class != REASON_UNKNOWN && reason_class(reason_of(group->key)) != shown->class)
		return false;
	return group_refused(group) > 0 || (!shown->only_refused && group->allowed > 0);
}

/* Adds the counts and times of a group; the leaders stay empty. */
static void add_up(struct group *sum, const struct group *group) {
	bool first = group_refused(sum) + sum->allowed == 0;

	sum->blocked += group->blocked;
	sum->would_block += group->would_block;
	sum->allowed += group->allowed;
	sum->first = first || group->first < sum->first ? group->first : sum->first;
	sum->last = first || group->last > sum->last ? group->last : sum->last;
}

/* What the limit has left over, and what was never counted by itself. It is no row to be sorted. */
static void put_others(const struct html_groups *shown, unsigned columns, const struct group *const *left, size_t count,
		       FILE *out) {
	const struct group *beyond = groups_other(shown->groups);
	bool uncounted = chosen(shown, beyond);
	struct group sum = {0};
	char number[HTML_NUMBER_SIZE], key[64];

	for (size_t i = 0; i < count; i++)
		add_up(&sum, left[i]);
	if (uncounted)
		add_up(&sum, beyond);
	if (group_refused(&sum) + sum.allowed == 0)
		return;
	snprintf(key, sizeof(key), "%s%s other%s", uncounted ? "more than " : "", html_number(number, count),
		 count == 1 ? "" : "s");
	sum.key = key;
	fputs("<tfoot>", out);
	put_row(&sum, columns, 0, out);
	fputs("</tfoot>\n", out);
}

static void put_table(const struct html_groups *shown, const struct group *const *groups, size_t count, FILE *out) {
	size_t rows = count < shown->limit ? count : shown->limit;
	unsigned columns = columns_of(shown);
	uint64_t largest = 0;

	for (size_t i = 0; !shown->searched && i < rows; i++)
		largest = group_refused(groups[i]) > largest ? group_refused(groups[i]) : largest;
	html_print(out,
		   "<section aria-labelledby=\"%s\"><h2 id=\"%s\">%s</h2>\n"
		   "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"%s\">\n"
		   "<table class=\"%s\"><caption>%s</caption>\n",
		   shown->id, shown->id, shown->heading, shown->id, shown->searched ? "searched" : "ranked",
		   shown->caption);
	put_titles(shown, columns, out);
	fputs("<tbody>\n", out);
	for (size_t i = 0; i < rows; i++)
		put_row(groups[i], columns, largest, out);
	fputs("</tbody>\n", out);
	put_others(shown, columns, groups + rows, count - rows, out);
	fputs("</table></div></section>\n", out);
}

int html_groups(const struct html_groups *shown, FILE *out) {
	size_t count, rows = 0;
	const struct group **groups = groups_sorted(shown->groups, &count);

	if (!groups)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (chosen(shown, groups[i]))
			groups[rows++] = groups[i];
	if (rows > 0)
		put_table(shown, groups, rows, out);
	free(groups);
	return 0;
}
