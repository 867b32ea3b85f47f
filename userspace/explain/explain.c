/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence explain`: the words of a refusal ──► what they mean, their usual causes, what to do. */
#include "explain/explain.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "analysis/reason_about.h"
#include "base/command_line.h"
#include "base/message.h"
#include "base/near_word.h"
#include "base/paragraph.h"
#include "base/terminal.h"
#include "event/event_words.h"

static const char usage[] =
	"Usage: snifence explain [REASON…]\n"
	"\n"
	"Says what the reasons of refusals mean, what usually leads to them, and what to do. Without\n"
	"REASON it lists them all.\n"
	"\n"
	"  --help  this text\n"
	"\n"
	"Exit status: 0; 2 where there is no such reason.\n";

static void explain(const char *word, const char *text, struct reason_about about) {
	unsigned width = terminal_of(stdout).width;
	char title[64];

	snprintf(title, sizeof(title), "%s:", word);
	paragraph_print(stdout, width, 0, title, text);
	paragraph_print(stdout, width, PARAGRAPH_INDENT, "Usual causes:", about.causes);
	paragraph_print(stdout, width, PARAGRAPH_INDENT, "What to do:", about.advice);
}

static void list(void) {
	for (unsigned reason = SNIF_REASON_NONE + 1; reason < SNIF_REASON_COUNT; reason++)
		printf("%-20s  %s\n", reason_code(reason), reason_text(reason));
	printf("%-20s  %s\n", SYSTEM_CALL, SYSTEM_CALL_TEXT);
}

static int refuse(const char *word) {
	static const char *const others[] = {SYSTEM_CALL, NULL};
	const char *closest = reason_near(word);

	if (!closest)
		closest = near_word(word, others);
	if (closest)
		message_error("explain: there is no reason %s; did you mean %s? `snifence explain` lists them", word,
			      closest);
	else
		message_error("explain: there is no reason %s; `snifence explain` lists them", word);
	return EXIT_USAGE;
}

int explain_main(int argc, char **argv) {
	static const struct option table[] = {{"help", no_argument, NULL, 'h'}, {0}};
	static const struct command_line line = {"explain", usage, ":", table, NULL};
	int result = command_line_read(&line, argc, argv, NULL), code = 0;

	if (result)
		return result < 0 ? EXIT_USAGE : 0;
	if (optind == argc)
		list();
	for (; optind < argc; optind++) {
		enum snif_reason reason = reason_of(argv[optind]);

		if (strcmp(argv[optind], SYSTEM_CALL) == 0)
			explain(SYSTEM_CALL, SYSTEM_CALL_TEXT, system_call_about);
		else if (reason == SNIF_REASON_NONE || reason == SNIF_REASON_COUNT)
			code = refuse(argv[optind]);
		else
			explain(argv[optind], reason_text(reason), reason_about(reason));
	}
	return code;
}
