/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts over time ──► charts (SVG) and a table of HTML. */
#include <inttypes.h>
#include <string.h>

#include "analysis/report_groups.h"
#include "analysis/report_words.h"
#include "report/html.h"
#include "report/report_html.h"

/* Of the charts, which are stretched to the page's width. Few buckets do not become broad blocks. */
enum { SLOT = 10, GAP = 1, HEIGHT = 100, LEAST_SLOTS = 24 };

/* Of the axis: labels that a phone has room for; per cent of the width, in which one would be cut if it stood centred. */
enum { TICKS_MAX = 6, EDGE = 10 };

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)

struct lane {
	const char *class, *title;
	const uint32_t *counts;
};

static unsigned slots_of(const struct timeline *timeline) {
	return timeline->last < LEAST_SLOTS ? LEAST_SLOTS : (unsigned)timeline->last + 1;
}

static uint64_t largest_of(const struct lane *lane) {
	uint64_t largest = 0;

	for (unsigned i = 0; i < TIMELINE_BUCKETS; i++)
		largest = lane->counts[i] > largest ? lane->counts[i] : largest;
	return largest;
}

/* The width of a bucket as a person says it. */
static void say_width(const struct timeline *timeline, char out[32]) {
	long long seconds = timeline->width / SECOND;

	if (seconds < 60)
		snprintf(out, 32, "%lld s", seconds);
	else if (seconds < 3600)
		snprintf(out, 32, "%lld min", seconds / 60);
	else if (seconds < 86400)
		snprintf(out, 32, "%lld h", seconds / 3600);
	else
		snprintf(out, 32, seconds == 86400 ? "%lld day" : "%lld days", seconds / 86400);
}

/* ---- ticks -------------------------------------------------------------------------------------------------- */

/* How many buckets lie between two ticks, so that these stand at round times and there are few of them. */
static unsigned step_of(const struct timeline *timeline) {
	static const int seconds[] = {1,   2,	 5,    10,   15,    30,	   60,	  120,	 300,	    600,
				      900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 2 * 86400, 7 * 86400};
	int64_t span = slots_of(timeline) * timeline->width, step;

	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		step = seconds[i] * SECOND;
		if (step % timeline->width == 0 && span / step < TICKS_MAX)
			return (unsigned)(step / timeline->width);
	}
	for (step = timeline->width; span / step >= TICKS_MAX;)
		step *= 2;
	return (unsigned)(step / timeline->width);
}

static unsigned first_tick(const struct timeline *timeline, unsigned step) {
	return (unsigned)((step - (timeline->base % step + step) % step) % step);
}

/* One bar. What a pointer says of it is said over the whole height. */
static void put_bar(const struct lane *lane, const struct timeline *timeline, unsigned bucket, uint64_t largest,
		    FILE *out) {
	uint64_t count = lane->counts[bucket], height = (count * HEIGHT + largest - 1) / largest;
	char when[32], number[HTML_NUMBER_SIZE];

	report_moment(when, sizeof(when), timeline_begin(timeline, bucket), "%F %T");
	html_print(out,
		   "<g><title>%s, %s: %s</title><rect class=\"reach\" x=\"%" PRIu64 "\" width=\"%" PRIu64
		   "\" height=\"%" PRIu64 "\"/>",
		   when, lane->title, html_number(number, count), (uint64_t)bucket * SLOT, (uint64_t)SLOT,
		   (uint64_t)HEIGHT);
	html_print(out,
		   "<rect class=\"%s\" x=\"%" PRIu64 "\" y=\"%" PRIu64 "\" width=\"%" PRIu64 "\" height=\"%" PRIu64
		   "\"/></g>\n",
		   lane->class, (uint64_t)bucket * SLOT + GAP, HEIGHT - height, (uint64_t)SLOT - 2 * GAP, height);
}

static void put_grid(const struct timeline *timeline, FILE *out) {
	unsigned step = step_of(timeline);

	for (unsigned at = first_tick(timeline, step); at < slots_of(timeline); at += step)
		html_print(out, "<line class=\"grid\" x1=\"%" PRIu64 "\" x2=\"%" PRIu64 "\" y2=\"%" PRIu64 "\"/>\n",
			   (uint64_t)at * SLOT, (uint64_t)at * SLOT, (uint64_t)HEIGHT);
}

static void put_lane(const struct lane *lane, const struct timeline *timeline, FILE *out) {
	uint64_t largest = largest_of(lane);
	char number[HTML_NUMBER_SIZE], width[32];

	if (largest == 0)
		return;
	say_width(timeline, width);
	html_number(number, largest);
	html_print(out,
		   "<p class=\"lane\"><span class=\"%s\">%s</span> at most %s in %s</p>\n"
		   "<svg class=\"lane\" viewBox=\"0 0 %" PRIu64 " %" PRIu64
		   "\" preserveAspectRatio=\"none\" role=\"img\" "
		   "aria-label=\"%s over time, at most %s in %s; the figures are in the table below\">\n",
		   lane->class, lane->title, number, width, (uint64_t)slots_of(timeline) * SLOT, (uint64_t)HEIGHT,
		   lane->title, number, width);
	put_grid(timeline, out);
	for (unsigned i = 0; i < TIMELINE_BUCKETS; i++)
		if (lane->counts[i] > 0)
			put_bar(lane, timeline, i, largest, out);
	fputs("</svg>\n", out);
}

/* A phone has no room for those that are `spare`. */
static void put_label(FILE *out, double percent, bool spare, const char *line, const char *text) {
	const char *class = percent < EDGE ? "begin" : percent > 100 - EDGE ? "end" : "middle";
	char x[16];

	snprintf(x, sizeof(x), "%.2f", percent);
	html_print(out, "<text class=\"%s%s\" x=\"%s%%\" y=\"%s\">%s</text>", class, spare ? " spare" : "", x, line,
		   text);
}

/* A time at each tick, with the date below where that is another one than before. */
static void put_axis(const struct timeline *timeline, FILE *out) {
	unsigned slots = slots_of(timeline), step = step_of(timeline);
	int64_t width = step * timeline->width;
	const char *format = width < 60 * SECOND ? "%T" : "%R";
	bool wide = width < 60 * SECOND || width >= DAY, spare = false;
	char text[32], date[32], last[32] = "";

	fputs("<svg class=\"axis\" aria-hidden=\"true\">\n", out);
	for (unsigned at = first_tick(timeline, step); at < slots; at += step) {
		double percent = 100.0 * at / slots;

		report_moment(date, sizeof(date), timeline_begin(timeline, at), "%F");
		report_moment(text, sizeof(text), timeline_begin(timeline, at), format);
		put_label(out, percent, spare, "1em", width < DAY ? text : date);
		if (width < DAY && strcmp(date, last) != 0)
			put_label(out, percent, spare, "2.3em", date);
		memcpy(last, date, sizeof(last));
		spare = wide && !spare;
		fputs("\n", out);
	}
	fputs("</svg>\n", out);
}

static void put_table(const struct lane lanes[2], const struct timeline *timeline, FILE *out) {
	char width[32];

	say_width(timeline, width);
	html_print(out,
		   "<details><summary>The figures of the timeline</summary>\n<table><caption>Connections in each "
		   "%s</caption>\n<thead><tr><th scope=\"col\">From</th>",
		   width);
	for (unsigned lane = 0; lane < 2; lane++)
		html_print(out, "<th scope=\"col\" class=\"number\">%s</th>", lanes[lane].title);
	fputs("</tr></thead>\n<tbody>\n", out);
	for (unsigned i = 0; i < TIMELINE_BUCKETS; i++) {
		if (lanes[0].counts[i] + lanes[1].counts[i] == 0)
			continue;
		fputs("<tr><th scope=\"row\">", out);
		html_moment(out, timeline_begin(timeline, i));
		fputs("</th>", out);
		for (unsigned lane = 0; lane < 2; lane++)
			html_count(out, lanes[lane].class, lanes[lane].counts[i]);
		fputs("</tr>\n", out);
	}
	fputs("</tbody></table></details>\n", out);
}

void html_timeline(const struct groups *groups, FILE *out) {
	const struct timeline *timeline = groups_timeline(groups);
	const struct group *total = groups_total(groups);
	const struct lane lanes[2] = {
		{"refused", report_words(total)->refused, total->over_time[0]},
		{"allowed", "Allowed", total->over_time[1]},
	};

	fputs("<section aria-labelledby=\"timeline\"><h2 id=\"timeline\">Over time</h2>\n", out);
	if (group_refused(total) > 0 && total->allowed > 0)
		fputs("<p class=\"lane\">Each of the two has a scale of its own.</p>\n", out);
	put_lane(&lanes[0], timeline, out);
	put_lane(&lanes[1], timeline, out);
	put_axis(timeline, out);
	put_table(lanes, timeline, out);
	fputs("</section>\n", out);
}
