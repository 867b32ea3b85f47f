/* SPDX-License-Identifier: BSD-2-Clause */
/* Learned rules ──► the comments about them. */
#include "learn/learn_text.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/report_groups.h"
#include "base/message.h"
#include "base/text.h"

/* `2026-01-02 03:00:00 to 03:04:00`, local time. */
static void write_period(int64_t first, int64_t last, FILE *out) {
	char from[32], to[32], from_day[16], to_day[16];

	report_moment(from, sizeof(from), first, "%F %T");
	report_moment(to, sizeof(to), last, "%F %T");
	report_moment(from_day, sizeof(from_day), first, "%F");
	report_moment(to_day, sizeof(to_day), last, "%F");
	fputs(from, out);
	if (strcmp(from, to) != 0)
		fprintf(out, " to %s", strcmp(from_day, to_day) == 0 ? to + strlen(to_day) + 1 : to);
}

char *learn_usage(const char *about, const struct usage *usage) {
	char by[256], *text = NULL;
	size_t size;
	FILE *out = text_open(&text, &size);

	if (!out)
		return NULL;
	if (about)
		fprintf(out, "%s: ", about);
	if (usage->count == 1)
		fputs("once", out);
	else
		fprintf(out, "%llu times", (unsigned long long)usage->count);
	leaders_write(&usage->processes, by, sizeof(by), "...");
	fprintf(out, "%s%s, ", *by ? " by " : "", by);
	write_period(usage->first, usage->last, out);
	text_close(out, &text);
	return text;
}

int learn_write_head(const struct learned *learned, const struct log_losses *losses, FILE *out) {
	struct usage all = {0};
	int error = 0;

	for (size_t i = 0; !error && i < learned->seen_count; i++)
		error = usage_add(&all, &learned->seen[i]->usage);
	leaders_free(&all.processes);
	fprintf(out, "# What was used in %llu events", (unsigned long long)all.count);
	if (all.count > 0) {
		fputs(", ", out);
		write_period(all.first, all.last, out);
	}
	fputs(", by `snifence learn`.\n# Take out what should not be allowed.\n", out);
	if (log_losses_total(losses) > 0)
		fprintf(out, "# Perhaps not complete: the logs have lost %" PRIu64 " events.\n",
			log_losses_total(losses));
	fputs("version: 1\nmode: enforce\n", out);
	return error;
}

/* Calls `say` with a line for each thing. */
static int each_left(const struct learned *learned, uint64_t beyond, void (*say)(const char *line, FILE *out),
		     FILE *out) {
	char line[64];

	for (size_t i = 0; i < learned->left_out.count; i++) {
		char *text = learn_usage(learned->left_out.items[i].text, learned->left_out.items[i].usage);

		if (!text)
			return -ENOMEM;
		say(text, out);
		free(text);
	}
	if (beyond > 0) {
		snprintf(line, sizeof(line), "%llu events more", (unsigned long long)beyond);
		say(line, out);
	}
	return 0;
}

static void say_in_comment(const char *line, FILE *out) {
	fprintf(out, "#   %s\n", line);
}

int learn_write_left(const struct learned *learned, uint64_t beyond, FILE *out) {
	if (learned->left_out.count > 0)
		fputs("\n# Seen too, but no rule was made of it:\n", out);
	return each_left(learned, beyond, say_in_comment, out);
}

static void say_in_message(const char *line, FILE *out) {
	(void)out;
	message_error("learn: no rule was made of %s", line);
}

int learn_say_left(const struct learned *learned, uint64_t beyond) {
	return each_left(learned, beyond, say_in_message, NULL);
}

void learn_say_losses(const struct log_losses *losses) {
	if (log_losses_total(losses) > 0)
		message_error("learn: the logs have lost %" PRIu64 " events: the policy may lack what only they had",
			      log_losses_total(losses));
}

void learn_say_unnamed(const struct learned *learned) {
	size_t count = 0;

	for (size_t i = 0; i < learned->direct.count; i++) {
		const struct learned_rule *rule = &learned->direct.items[i];

		count += rule->seen->protocol == IPPROTO_TCP && !rule_text_is_loopback(&rule->places);
	}
	if (count > 0)
		message_error("learn: %zu rule%s by address: with `dns: {log: answers}` in the audit policy, what was "
			      "looked up gets its rule by name",
			      count, count == 1 ? "" : "s");
}
