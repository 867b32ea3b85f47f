/* SPDX-License-Identifier: BSD-2-Clause */
/* A review ──► CSV. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "report/report_print.h"

/* A field in quotes, those in it doubled. */
static void put_text(const char *text, FILE *out) {
	fputs(strchr("=+-@", *text) && *text ? "\"'" : "\"", out);
	for (; *text; text++)
		fputs(*text == '"' ? "\"\"" : (char[]){*text, '\0'}, out);
	fputc('"', out);
}

static void put_words(const struct leaders *leaders, FILE *out) {
	char words[1024];

	leaders_write(leaders, words, sizeof(words), "...");
	fputc(',', out);
	put_text(words, out);
}

static void put_moment(int64_t time, FILE *out) {
	struct timestamp timestamp = {0};

	fprintf(out, ",%s", timestamp_write_microseconds(&timestamp, time));
}

static void put_group(const struct group *group, FILE *out) {
	put_text(group->key, out);
	fprintf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, group->blocked, group->would_block, group->allowed);
	put_moment(group->first, out);
	put_moment(group->last, out);
	put_words(&group->reasons, out);
	put_words(&group->processes, out);
	put_words(&group->names, out);
	fputs("\r\n", out);
}

int report_csv(const struct review *review, FILE *out) {
	const struct groups *groups = review_groups(review);
	const struct group *other = groups_other(groups);
	size_t count;
	const struct group **sorted = groups_sorted(groups, &count);

	if (!sorted)
		return -ENOMEM;
	fprintf(out, "%s,blocked,would_block,allowed,first,last,reasons,processes,names\r\n",
		group_by_word(groups_by(groups)));
	for (size_t i = 0; i < count; i++)
		put_group(sorted[i], out);
	if (group_refused(other) + other->allowed > 0)
		put_group(other, out);
	free(sorted);
	return 0;
}
