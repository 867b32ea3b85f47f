/* SPDX-License-Identifier: BSD-2-Clause */
/* What a run comes to ──► text, Markdown, annotations of a CI system. */
#include "run/summary_print.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/reason_about.h"

enum { LINES_SHOWN = 20, ANNOTATIONS = 10 /* as GitHub shows of a step */, TEXT_WIDTH = 44, REASON_WIDTH = 22 };

static const char *word(const struct summary_line *line) {
	if (line->verdict == SNIF_ALLOW)
		return "allowed";
	if (line->refusal.reason == SNIF_REASON_NONE)
		return "refused";
	return line->mode == SNIF_AUDIT ? "would refuse" : "refused";
}

static const char *code(const struct summary_line *line) {
	return line->refusal.reason == SNIF_REASON_NONE ? SYSTEM_CALL : reason_code(line->refusal.reason);
}

static void print_lines(struct summary_line *const *lines, size_t count, FILE *out) {
	size_t shown = count < LINES_SHOWN ? count : LINES_SHOWN;
	char askers[256];

	for (size_t i = 0; i < shown; i++) {
		leaders_write(&lines[i]->askers, askers, sizeof(askers), "...");
		fprintf(out, "  %-12s %-*s  %-*s  %ju%s%s\n", word(lines[i]), TEXT_WIDTH, lines[i]->text, REASON_WIDTH,
			code(lines[i]), (uintmax_t)lines[i]->count, askers[0] ? "  asked by " : "", askers);
	}
	if (count > shown)
		fprintf(out, "  ... and %zu more\n", count - shown);
}

/* The mode can change with a reload: then there are both, refused and what would have been. */
static void print_tally(const struct tally *tally, FILE *out) {
	fprintf(out, "%ju allowed", (uintmax_t)tally->allowed);
	if (tally->blocked > 0 || tally->would_block == 0)
		fprintf(out, ", %ju refused", (uintmax_t)tally->blocked);
	if (tally->would_block > 0)
		fprintf(out, ", %ju would be refused", (uintmax_t)tally->would_block);
	if (tally->calls > 0)
		fprintf(out, ", %ju system call%s refused", (uintmax_t)tally->calls, tally->calls == 1 ? "" : "s");
	if (tally->expected > 0)
		fprintf(out, " (%ju as expected)", (uintmax_t)tally->expected);
	fputc('\n', out);
}

/* Once for each reason that no rule would change. */
static void print_advice(struct summary_line *const *lines, size_t count, FILE *out) {
	bool told[SNIF_REASON_COUNT] = {false};

	for (size_t i = 0; i < count; i++) {
		enum snif_reason reason = lines[i]->refusal.reason;
		const struct reason_about about = reason_about(reason);

		if (!about.advice || about.class <= REASON_DENY_RULE || told[reason])
			continue;
		told[reason] = true;
		fprintf(out, "  %s: %s\n", reason_code(reason), about.advice);
	}
}

/* ---- rules to paste ------------------------------------------------------------------------------------------------ */

/* Finds the rules for the lines. Returns how many there are. */
static size_t find_rules(struct summary_line *const *lines, size_t count, const struct policy *policy,
			 struct remedy remedies[LINES_SHOWN]) {
	size_t rules = 0;

	for (size_t i = 0; i < count; i++) {
		if (remedy_find(policy, &lines[i]->refusal, &remedies[i]))
			remedies[i].section = NULL;
		rules += remedies[i].section != NULL;
	}
	return rules;
}

/* Prints the rules, and before them where they go, with what stands before, between, as an indent, and behind; nothing
 * where there are none. */
static void print_rules(struct summary_line *const *lines, size_t count, const struct policy *policy,
			const char *const frame[4], FILE *out) {
	bool options = strcmp(policy->file, POLICY_ALLOWED) == 0;
	struct remedy remedies[LINES_SHOWN];

	count = count < LINES_SHOWN ? count : LINES_SHOWN;
	if (find_rules(lines, count, policy, remedies) == 0)
		return;
	fprintf(out, "%sTo allow what of it is wanted, %s:\n%s", frame[0],
		options ? "give hosts to --allow, or write a policy" : "write into the policy", frame[1]);
	remedies_print(remedies, count, frame[2], out);
	fputs(frame[3], out);
}

/* ---- text ---------------------------------------------------------------------------------------------------------- */

static void print_beyond(const struct summary *summary, uint64_t lost, FILE *out) {
	if (summary_other(summary) > 0)
		fprintf(out, "  other events, beyond 10000 different lines: %ju\n", (uintmax_t)summary_other(summary));
	if (lost > 0)
		fprintf(out, "  %ju event%s lost (the ring buffer was full); counters are complete\n", (uintmax_t)lost,
			lost == 1 ? " was" : "s were");
}

void summary_print(const struct summary *summary, const struct policy *policy, uint64_t lost, FILE *out) {
	static const char *const frame[] = {"", "", "  ", ""};
	const struct tally *tally = summary_tally(summary);
	size_t denied, count;
	struct summary_line **lines;

	if (tally->allowed + tally->blocked + tally->would_block - tally->expected + tally->calls + lost == 0)
		return;
	fputs("snifence: ", out);
	print_tally(tally, out);
	lines = summary_sorted(summary, &denied, &count);
	if (lines) {
		print_lines(lines, denied, out);
		print_lines(lines + denied, count - denied, out);
		print_advice(lines, denied, out);
	}
	print_beyond(summary, lost, out);
	if (lines)
		print_rules(lines, denied, policy, frame, out);
	free(lines);
}

/* ---- Markdown ------------------------------------------------------------------------------------------------------ */

/* Names are an attacker's words: what could be markup becomes an entity. */
static void print_plain(const char *text, FILE *out) {
	for (; *text; text++) {
		if (isalnum((unsigned char)*text) || strchr(".-:/ ,", *text))
			fputc(*text, out);
		else
			fprintf(out, "&#%d;", *text);
	}
}

static void print_row(const struct summary_line *line, FILE *out) {
	char askers[256];

	leaders_write(&line->askers, askers, sizeof(askers), "...");
	fprintf(out, "| %ju | ", (uintmax_t)line->count);
	print_plain(line->text, out);
	fprintf(out, " | `%s`%s | ", code(line), line->mode == SNIF_AUDIT ? " (audit)" : "");
	print_plain(askers, out);
	fputs(" |\n", out);
}

void summary_print_markdown(const struct summary *summary, const struct policy *policy, uint64_t lost, FILE *out) {
	static const char *const frame[] = {"\n", "\n```yaml\n", "", "```\n"};
	size_t denied = 0, count;
	struct summary_line **lines = summary_sorted(summary, &denied, &count);

	fputs("### snifence: ", out);
	print_tally(summary_tally(summary), out);
	fputc('\n', out);
	if (denied > 0) {
		fputs("| times | name or address | reason | asked by |\n|---:|---|---|---|\n", out);
		for (size_t i = 0; i < denied && i < LINES_SHOWN; i++)
			print_row(lines[i], out);
		if (denied > LINES_SHOWN)
			fprintf(out, "\n... and %zu more\n", denied - LINES_SHOWN);
		print_rules(lines, denied, policy, frame, out);
		fputc('\n', out);
	}
	print_beyond(summary, lost, out);
	free(lines);
}

/* ---- annotations --------------------------------------------------------------------------------------------------- */

/* As workflow commands want it. */
static void print_data(const char *text, FILE *out) {
	for (; *text; text++)
		*text == '%' ? fputs("%25", out) : fputc(*text, out);
}

void summary_print_annotations(const struct summary *summary, FILE *out) {
	size_t denied = 0, count;
	struct summary_line **lines = summary_sorted(summary, &denied, &count);
	char askers[256];

	for (size_t i = 0; i < denied && i < ANNOTATIONS; i++) {
		leaders_write(&lines[i]->askers, askers, sizeof(askers), "...");
		fprintf(out, "::warning title=snifence::%s ", word(lines[i]));
		print_data(lines[i]->text, out);
		fprintf(out, " (%s", code(lines[i]));
		if (askers[0])
			fputs(", asked by ", out);
		print_data(askers, out);
		fprintf(out, "), %ju time%s\n", (uintmax_t)lines[i]->count, lines[i]->count == 1 ? "" : "s");
	}
	free(lines);
}
