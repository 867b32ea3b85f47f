/* SPDX-License-Identifier: BSD-2-Clause */
/* Points in time ──► buckets ──► a sparkline. */
#include "analysis/timeline.h"

#include <string.h>

static int64_t floor_divide(int64_t a, int64_t b) {
	return a / b - (a % b < 0);
}

bool timeline_cover(struct timeline *timeline, int64_t time) {
	struct timeline before = *timeline;
	int64_t at, end;

	if (timeline->width == 0) {
		timeline->width = 1000000;
		timeline->base = floor_divide(time, timeline->width);
		return false;
	}
	end = timeline->base + timeline->last;
	for (;; timeline->width *= 2) {
		at = floor_divide(time, timeline->width);
		if (at < timeline->base)
			timeline->base = at;
		if (at > end)
			end = at;
		if (end - timeline->base < TIMELINE_BUCKETS)
			break;
		timeline->base = floor_divide(timeline->base, 2);
		end = floor_divide(end, 2);
	}
	timeline->last = end - timeline->base;
	return before.width != timeline->width || before.base != timeline->base;
}

void timeline_move(uint32_t counts[TIMELINE_BUCKETS], const struct timeline *before, const struct timeline *timeline) {
	int64_t factor = timeline->width / before->width;
	uint32_t moved[TIMELINE_BUCKETS] = {0};

	for (int64_t i = 0; i <= before->last; i++)
		moved[floor_divide(before->base + i, factor) - timeline->base] += counts[i];
	memcpy(counts, moved, sizeof(moved));
}

unsigned timeline_bucket(const struct timeline *timeline, int64_t time) {
	return (unsigned)(floor_divide(time, timeline->width) - timeline->base);
}

/*
 * The character for `count`: none is blank, the largest count is the highest, and no count that there is looks like
 * none.
 */
static void draw_one(uint64_t count, uint64_t largest, bool unicode, char *out) {
	static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char *const ascii[] = {" ", ".", ":", "-", "=", "+", "*", "%", "#"};
	uint64_t level = largest ? (count * 8 + largest - 1) / largest : 0;

	strcat(out, unicode ? blocks[level] : ascii[level]);
}

void timeline_draw(const struct timeline *timeline, const uint32_t counts[TIMELINE_BUCKETS], unsigned width,
		   bool unicode, char *out) {
	uint32_t columns[TIMELINE_BUCKETS] = {0}, largest = 0;
	unsigned used = (unsigned)timeline->last + 1;

	width = width < used ? width : used;
	for (unsigned i = 0; i < used; i++) {
		uint32_t *column = &columns[i * width / used];

		*column = counts[i] > *column ? counts[i] : *column;
		largest = counts[i] > largest ? counts[i] : largest;
	}
	*out = '\0';
	for (unsigned i = 0; i < width; i++)
		draw_one(columns[i], largest, unicode, out + strlen(out));
	for (size_t end = strlen(out); end > 0 && out[end - 1] == ' '; end--)
		out[end - 1] = '\0';
}
