/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts over time ──► charts (SVG) and a table of HTML. */
#include <inttypes.h>

#include "analysis/report_groups.h"
#include "report/html.h"
#include "report/report_html.h"

/* Of the charts, which are stretched to the page's width. Few buckets do not become broad blocks. */
enum { SLOT = 10, GAP = 1, HEIGHT = 100, LEAST_SLOTS = 24 };

struct lane {
	const char *class, *title;
	const uint32_t *counts;
};

static int64_t begin_of(const struct timeline *timeline, unsigned bucket) {
	return (timeline->base + bucket) * timeline->width;
}

static unsigned slots_of(const struct timeline *timeline) {
	return timeline->last < LEAST_SLOTS ? LEAST_SLOTS : (unsigned)timeline->last + 1;
}

static uint64_t largest_of(const struct lane *lane) {
	uint64_t largest = 0;

	for (unsigned i = 0; i < TIMELINE_BUCKETS; i++)
		largest = lane->counts[i] > largest ? lane->counts[i] : largest;
	return largest;
}

/* The width of a bucket, a second times a power of two, as a person says it. */
static void say_width(const struct timeline *timeline, char out[32]) {
	double seconds = (double)timeline->width / 1e6;

	if (seconds < 120)
		snprintf(out, 32, "%.0f s", seconds);
	else if (seconds < 4 * 3600)
		snprintf(out, 32, "%.0f min", seconds / 60);
	else if (seconds < 2 * 86400)
		snprintf(out, 32, "%.1f h", seconds / 3600);
	else
		snprintf(out, 32, "%.1f days", seconds / 86400);
}

/* One bar. What a pointer says of it is said over the whole height. */
static void put_bar(const struct lane *lane, const struct timeline *timeline, unsigned bucket, uint64_t largest,
		    FILE *out) {
	uint64_t count = lane->counts[bucket], height = (count * HEIGHT + largest - 1) / largest;
	char when[32], number[HTML_NUMBER_SIZE];

	report_moment(when, sizeof(when), begin_of(timeline, bucket), "%F %T");
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
	for (unsigned i = 0; i < TIMELINE_BUCKETS; i++)
		if (lane->counts[i] > 0)
			put_bar(lane, timeline, i, largest, out);
	fputs("</svg>\n", out);
}

static void put_axis(const struct timeline *timeline, FILE *out) {
	unsigned slots = slots_of(timeline);

	fputs("<p class=\"axis\" aria-hidden=\"true\">", out);
	html_moment(out, begin_of(timeline, 0));
	html_moment(out, begin_of(timeline, slots / 2));
	html_moment(out, begin_of(timeline, slots));
	fputs("</p>\n", out);
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
		html_moment(out, begin_of(timeline, i));
		fputs("</th>", out);
		for (unsigned lane = 0; lane < 2; lane++)
			html_count(out, lanes[lane].class, lanes[lane].counts[i]);
		fputs("</tr>\n", out);
	}
	fputs("</tbody></table></details>\n", out);
}

static const char *refused_title(const struct group *total) {
	if (total->would_block == 0)
		return "Blocked";
	return total->blocked == 0 ? "Would be blocked" : "Blocked, or would be";
}

void html_timeline(const struct groups *groups, FILE *out) {
	const struct timeline *timeline = groups_timeline(groups);
	const struct group *total = groups_total(groups);
	const struct lane lanes[2] = {
		{"refused", refused_title(total), total->over_time[0]},
		{"allowed", "Allowed", total->over_time[1]},
	};

	fputs("<section aria-labelledby=\"timeline\"><h2 id=\"timeline\">Over time</h2>\n", out);
	put_lane(&lanes[0], timeline, out);
	put_lane(&lanes[1], timeline, out);
	put_axis(timeline, out);
	put_table(lanes, timeline, out);
	fputs("</section>\n", out);
}
