/* SPDX-License-Identifier: BSD-2-Clause */
/* argv ──► options, one at a time, and what is wrong with them. */
#include "base/command_line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "base/near_word.h"

int command_line_wrong(const char *subcommand, const char *what, const char *which) {
	message_error("%s: %s%s; `snifence %s --help` shows how", subcommand, what, which, subcommand);
	return -EINVAL;
}

/* How many long options the word, like `--lo` or `--json=1`, can be; one that has this very name is the only one. `last`
 * gets the last of them. */
static size_t count_meant(const struct option *table, const char *word, const struct option **last) {
	size_t length = strcspn(word + 2, "="), count = 0;

	for (; table->name; table++) {
		if (strncmp(table->name, word + 2, length) != 0)
			continue;
		*last = table;
		if (!table->name[length])
			return 1;
		count++;
	}
	return count;
}

/* Says which long option was meant, where one is near. */
static int refuse_unknown(const struct command_line *line, const char *word) {
	size_t length = strncmp(word, "--", 2) == 0 ? strcspn(word + 2, "=") : 0, least;
	const char *closest = NULL;
	char name[64];

	if (length >= sizeof(name))
		length = 0;
	snprintf(name, sizeof(name), "%.*s", (int)length, word + 2 * (length > 0));
	least = near_word_limit(name);
	for (const struct option *option = line->table; length > 0 && option->name; option++)
		near_word_try(name, option->name, &least, &closest);
	if (!closest)
		return command_line_wrong(line->subcommand, "there is no such option: ", word);
	message_error("%s: there is no such option: %s (did you mean --%s?); `snifence %s --help` shows how",
		      line->subcommand, word, closest, line->subcommand);
	return -EINVAL;
}

/* After getopt_long() has said `?`: of `word`, or of a letter that stands behind others in the next one. */
static int refuse(const struct command_line *line, const char *word) {
	char letter[] = {'-', (char)optopt, '\0'};
	const struct option *option = NULL;
	size_t meant = strncmp(word, "--", 2) == 0 ? count_meant(line->table, word, &option) : 0;

	if (optopt && meant == 1 && option->has_arg == no_argument && strchr(word, '='))
		return command_line_wrong(line->subcommand, "this option takes no value: ", word);
	if (optopt)
		return command_line_wrong(line->subcommand, "there is no such option: ", letter);
	if (meant > 1)
		return command_line_wrong(line->subcommand,
					  "more than one option begins like this, write it out: ", word);
	return refuse_unknown(line, word);
}

int command_line_read(const struct command_line *line, int argc, char **argv, void *context) {
	int option, error = 0;
	char flags[16];

	snprintf(flags, sizeof(flags), "%sh", line->flags);
	optind = 0; /* start over, forgetting an earlier command line */
	while (!error && (option = getopt_long(argc, argv, flags, line->table, NULL)) != -1) {
		switch (option) {
		case 'h':
			fputs(line->usage, stdout);
			return 1;
		case ':':
			return command_line_wrong(line->subcommand, "an argument is missing after ", argv[optind - 1]);
		case '?':
			return refuse(line, argv[optind - 1]);
		default:
			error = line->take(option, context);
		}
	}
	return error;
}

static int take_flag(int option, void *context) {
	(void)option;
	*(bool *)context = true;
	return 0;
}

int command_line_read_flag(const char *subcommand, const char *usage, const char *flag, int argc, char **argv,
			   bool *given) {
	const struct option table[] = {{"help", no_argument, NULL, 'h'}, {flag, no_argument, NULL, 'f'}, {0}};
	const struct command_line line = {subcommand, usage, ":", table, take_flag};
	int result = command_line_read(&line, argc, argv, given);

	if (!result && optind < argc)
		result = command_line_wrong(subcommand, "what is this: ", argv[optind]);
	return result;
}

char *const *command_line_logs(const char *subcommand, int argc, char **argv) {
	static char *const standard_input[] = {"-", NULL};

	if (optind < argc)
		return argv + optind;
	if (!isatty(STDIN_FILENO))
		return standard_input;
	command_line_wrong(subcommand, "no log is named", "");
	return NULL;
}
