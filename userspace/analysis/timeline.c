/* SPDX-License-Identifier: BSD-2-Clause */
/* Points in time ──► buckets ──► a sparkline. */
#include "analysis/timeline.h"

#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)

static int64_t floor_divide(int64_t a, int64_t b) {
	return a / b - (a % b < 0);
}

/* Each is a multiple of the one before, so that counts can be moved; beyond a week it doubles. */
static int64_t wider(int64_t width) {
	static const int seconds[] = {1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10800, 21600, 43200, 86400, 7 * 86400};

	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
		if (seconds[i] * SECOND > width)
			return seconds[i] * SECOND;
	return 2 * width;
}

/* Local time as it is at `time`: where summer begins or ends later, what follows is an hour off. */
static int64_t offset_at(int64_t time) {
	static const int thursday = 3; /* days after Monday: what 1970 began with */
	time_t second = (time_t)floor_divide(time, SECOND);
	struct tm local = {0};

	localtime_r(&second, &local);
	return local.tm_gmtoff * SECOND + thursday * DAY;
}

bool timeline_cover(struct timeline *timeline, int64_t time) {
	struct timeline before = *timeline;
	int64_t at, end, factor;

	if (timeline->width == 0) {
		timeline->width = wider(0);
		timeline->offset = offset_at(time);
		timeline->base = floor_divide(time + timeline->offset, timeline->width);
		return false;
	}
	end = timeline->base + timeline->last;
	for (;;) {
		at = floor_divide(time + timeline->offset, timeline->width);
		if (at < timeline->base)
			timeline->base = at;
		if (at > end)
			end = at;
		if (end - timeline->base < TIMELINE_BUCKETS)
			break;
		factor = wider(timeline->width) / timeline->width;
		timeline->width *= factor;
		timeline->base = floor_divide(timeline->base, factor);
		end = floor_divide(end, factor);
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
	return (unsigned)(floor_divide(time + timeline->offset, timeline->width) - timeline->base);
}

int64_t timeline_begin(const struct timeline *timeline, unsigned bucket) {
	return (timeline->base + bucket) * timeline->width - timeline->offset;
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
