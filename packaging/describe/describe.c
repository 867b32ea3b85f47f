/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The option tables and help texts of snifence ──► parts of its manual, completions.
 *
 * describe page SUBCOMMAND | list | bash | zsh | fish
 *
 * It is snifence itself with another command_line_read(), which keeps the table and the text instead of reading a command
 * line. A table and a text that do not have the same options end it.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* its table is the list of subcommands */
#define main snifence_main
int snifence_main(int argc, char **argv);
#include "main.c"
#undef main

#include "base/command_line.h"
#include "describe.h"

enum { MOST_SUBCOMMANDS = 64 };

struct described described[MOST_SUBCOMMANDS];
size_t described_count;

/* what the subcommand that was called last has */
static char *usage;
static struct option table[DESCRIBE_OPTIONS + 1];

static _Noreturn void give_up(const char *format, ...) {
	va_list arguments;

	va_start(arguments, format);
	fputs("describe: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	exit(1);
}

static char *copy(const char *text, size_t length) {
	char *copied = strndup(text, length);

	if (!copied)
		give_up("no memory");
	return copied;
}

static void keep(const char *text, const struct option *options) {
	size_t count = 0;

	usage = copy(text, strlen(text));
	for (; options[count].name && count < DESCRIBE_OPTIONS; count++)
		table[count] = options[count];
	if (options[count].name)
		give_up("more than %d options", DESCRIBE_OPTIONS);
	table[count] = (struct option){0};
}

/* The linker gives these to the subcommands in place of those without __wrap_. */
int __wrap_command_line_read(const struct command_line *line, int argc, char **argv, void *context);
int __wrap_command_line_read_flag(const char *subcommand, const char *text, const char *flag, int argc, char **argv,
				  bool *given);

int __wrap_command_line_read(const struct command_line *line, int argc, char **argv, void *context) {
	(void)argc, (void)argv, (void)context;
	keep(line->usage, line->table);
	return 1;
}

int __wrap_command_line_read_flag(const char *subcommand, const char *text, const char *flag, int argc, char **argv,
				  bool *given) {
	const struct option flags[] = {{"help", no_argument, NULL, 'h'}, {flag, no_argument, NULL, 'f'}, {0}};

	(void)subcommand, (void)argc, (void)argv, (void)given;
	keep(text, flags);
	return 1;
}

static const struct option *in_table(const char *name, size_t length) {
	for (const struct option *option = table; option->name; option++)
		if (strlen(option->name) == length && strncmp(option->name, name, length) == 0)
			return option;
	return NULL;
}

/* One space for each gap and line's end. */
static char *joined(const char *text, size_t length) {
	char *out = copy(text, length), *to = out;
	bool gap = false;

	for (size_t i = 0; i < length; i++) {
		if (isspace((unsigned char)text[i])) {
			gap = to > out;
			continue;
		}
		if (gap)
			*to++ = ' ';
		gap = false;
		*to++ = text[i];
	}
	*to = '\0';
	return out;
}

/* What stands behind the option that begins at `line`, which has lines down to the next one that begins like it. */
static void take_option(struct described *one, const char *line, const char *end) {
	struct described_option *option = &one->options[one->count];
	const char *name = line + 2, *behind;
	const struct option *entry;

	if (name[1] != '-') {
		option->letter = name[1];
		name = strstr(name, "--");
	}
	behind = name + 2 + strcspn(name + 2, " \n");
	entry = in_table(name + 2, (size_t)(behind - name - 2));
	if (!entry)
		give_up("%s: --help tells of %.*s, the table does not", one->name, (int)(behind - name), name);
	option->name = copy(entry->name, strlen(entry->name));
	if (entry->has_arg == required_argument) {
		const char *value = behind + 1;

		behind = value + strcspn(value, " \n");
		option->value = copy(value, (size_t)(behind - value));
	}
	option->text = joined(behind, (size_t)(end - behind));
	one->count++;
}

static bool begins_option(const char *line) {
	return strncmp(line, "  -", 3) == 0;
}

static const char *next_line(const char *line) {
	line += strcspn(line, "\n");
	return *line ? line + 1 : line;
}

static void take_options(struct described *one) {
	const char *line = one->usage;

	while (*line) {
		const char *end = next_line(line);

		if (begins_option(line)) {
			while (*end == ' ' && !begins_option(end))
				end = next_line(end);
			take_option(one, line, end);
		}
		line = end;
	}
	for (const struct option *option = table; option->name; option++) {
		size_t i = 0;

		while (i < one->count && strcmp(one->options[i].name, option->name) != 0)
			i++;
		if (i == one->count)
			give_up("%s: --help does not tell of --%s", one->name, option->name);
	}
}

static void describe(const struct subcommand *subcommand) {
	struct described *one = &described[described_count++];
	char *arguments[] = {(char *)subcommand->name, NULL};

	*one = (struct described){.name = subcommand->name, .help = subcommand->help};
	if (subcommand->run == show_help || subcommand->run == show_version)
		return;
	usage = NULL;
	subcommand->run(1, arguments);
	if (!usage)
		give_up("%s reads its command line by itself", one->name);
	one->usage = usage;
	take_options(one);
}

int main(int argc, char **argv) {
	for (size_t i = 0; i < SUBCOMMANDS; i++)
		describe(&subcommands[i]);
	if (argc == 3 && strcmp(argv[1], "page") == 0)
		return describe_page(argv[2]) ? 0 : 1;
	if (argc == 2 && strcmp(argv[1], "bash") == 0)
		describe_bash();
	else if (argc == 2 && strcmp(argv[1], "zsh") == 0)
		describe_zsh();
	else if (argc == 2 && strcmp(argv[1], "fish") == 0)
		describe_fish();
	else if (argc == 2 && strcmp(argv[1], "list") == 0)
		for (size_t i = 0; i < described_count; i++)
			printf("%s%s", described[i].usage ? described[i].name : "", described[i].usage ? "\n" : "");
	else
		give_up("page SUBCOMMAND, bash, zsh, fish or list?");
	return 0;
}
