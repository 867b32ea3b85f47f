/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of all subcommands ──► what bash, zsh and fish complete. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "describe.h"
#include "reason.h"

#define X(constant, code, text) code " "
static const char reasons[] = SNIF_REASONS(X) "unknown";
#undef X

/* Values that are words of a list, where the option's own text does not say it like cut|keep. */
static const struct {
	const char *option, *words;
} lists[] = {
	{"by", "name reason process cgroup address rule policy hour"},
	{"action", "pass reject drop alert refused"},
	{"reason", reasons},
	{"existing", "cut judge keep"},
};

/* The words that the value can be, with spaces between, in `buffer` or static; NULL: it is not one of a list. */
static const char *words_of(const struct described_option *option, char *buffer, size_t size) {
	size_t length;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strcmp(option->name, lists[i].option) == 0)
			return lists[i].words;
	if (!option->value || !strchr(option->value, '|') || !islower((unsigned char)option->value[0]))
		return NULL;
	length = strlen(option->value);
	snprintf(buffer, size, "%s", option->value);
	for (size_t i = 0; i < length && i < size; i++)
		if (buffer[i] == '|')
			buffer[i] = ' ';
	return buffer;
}

enum kind { NO_KIND, WORDS, FILES, FOLDERS, USERS, UNITS, PROCESSES };

static enum kind kind_of(const struct described_option *option) {
	static const struct {
		const char *option, *value; /* either, or both */
		enum kind kind;
	} kinds[] = {
		{"user", NULL, USERS},
		{"unit", NULL, UNITS},
		{"pid", NULL, PROCESSES},
		{"cgroup", "PATH", FOLDERS},
		{NULL, "FILE", FILES},
		{NULL, "POLICY", FILES},
		{NULL, "stderr|FILE|off", FILES},
	};
	char buffer[128];

	if (words_of(option, buffer, sizeof(buffer)))
		return WORDS;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if ((!kinds[i].option || strcmp(kinds[i].option, option->name) == 0) &&
		    (!kinds[i].value || strcmp(kinds[i].value, option->value) == 0))
			return kinds[i].kind;
	return NO_KIND;
}

static void put_subcommands(void) {
	for (size_t i = 0; i < described_count; i++)
		printf("%s%s", i ? " " : "", described[i].name);
}

void describe_bash(void) {
	static const char *const values[] = {
		[NO_KIND] = "COMPREPLY=()",
		[FILES] = "_snifence_files",
		[FOLDERS] = "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$current\")",
		[USERS] = "mapfile -t COMPREPLY < <(compgen -u -- \"$current\")",
		[UNITS] = "mapfile -t COMPREPLY < <(compgen -W \"$(_snifence_units)\" -- \"$current\")",
		[PROCESSES] = "mapfile -t COMPREPLY < <(compgen -W \"$(cd /proc && echo [0-9]*)\" -- \"$current\")",
	};
	char buffer[128];

	puts("# bash completion for snifence, made from its option tables\n\n"
	     "_snifence_files() {\n\tcompopt -o filenames\n\tmapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n}\n\n"
	     "_snifence_units() {\n\tsystemctl list-units --plain --no-legend --type=service,scope,slice 2>/dev/null | cut -d ' ' -f 1\n}\n\n"
	     "_snifence() {\n\tlocal current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} i options\n");
	fputs("\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\tmapfile -t COMPREPLY < <(compgen -W \"", stdout);
	put_subcommands();
	puts(" --help --version\" -- \"$current\")\n\t\treturn\n\tfi\n"
	     "\tfor ((i = 2; i < COMP_CWORD; i++)); do\n\t\tif [ \"${COMP_WORDS[i]}\" = -- ]; then\n"
	     "\t\t\tif declare -F _command_offset >/dev/null; then\n\t\t\t\t_command_offset $((i + 1))\n"
	     "\t\t\telse\n\t\t\t\tmapfile -t COMPREPLY < <(compgen -c -- \"$current\")\n\t\t\tfi\n\t\t\treturn\n\t\tfi\n\tdone\n"
	     "\tcase ${COMP_WORDS[1]}:$before in");
	for (size_t s = 0; s < described_count; s++)
		for (size_t i = 0; i < described[s].count; i++) {
			const struct described_option *option = &described[s].options[i];
			const char *words = words_of(option, buffer, sizeof(buffer));

			if (!option->value)
				continue;
			printf("\t%s:--%s", described[s].name, option->name);
			if (option->letter)
				printf(" | %s:-%c", described[s].name, option->letter);
			if (words)
				printf(")\n\t\tmapfile -t COMPREPLY < <(compgen -W \"%s\" -- \"$current\")\n", words);
			else
				printf(")\n\t\t%s\n", values[kind_of(option)]);
			puts("\t\treturn\n\t\t;;");
		}
	puts("\tesac\n\tcase ${COMP_WORDS[1]} in");
	for (size_t s = 0; s < described_count; s++) {
		if (!described[s].usage)
			continue;
		printf("\t%s) options=\"", described[s].name);
		for (size_t i = 0; i < described[s].count; i++)
			printf("%s--%s", i ? " " : "", described[s].options[i].name);
		puts("\" ;;");
	}
	puts("\t*) options= ;;\n\tesac\n\tcase $current in\n"
	     "\t-*) mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$current\") ;;\n\t*) _snifence_files ;;\n\tesac\n}\n\n"
	     "complete -F _snifence snifence");
}

/* In single quotes, for zsh's _arguments in brackets, whose own are taken out; and for fish. */
static void put_quoted(const char *text, const char *without) {
	for (; *text; text++)
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (!strchr(without, *text))
			putchar(*text);
}

/* The first sentence of a text, or all of it. */
static void put_brief(const char *text, const char *without) {
	size_t length = strcspn(text, ";");
	char brief[256];
	const char *dot = strstr(text, ". ");

	if (dot && (size_t)(dot - text) < length)
		length = (size_t)(dot - text);
	snprintf(brief, sizeof(brief), "%.*s", (int)length, text);
	put_quoted(brief, without);
}

void describe_zsh(void) {
	static const char *const values[] = {
		[NO_KIND] = " ",    [FILES] = "_files",		 [FOLDERS] = "_files -/",
		[USERS] = "_users", [UNITS] = "_snifence_units", [PROCESSES] = "_pids",
	};
	char buffer[128];

	puts("#compdef snifence\n# zsh completion for snifence, made from its option tables\n\n_snifence_units() {\n"
	     "\tcompadd -- ${${(f)\"$(systemctl list-units --plain --no-legend --type=service,scope,slice 2>/dev/null)\"}%% *}\n}\n\n"
	     "_snifence() {\n\tlocal -a subcommands\n\tsubcommands=(");
	for (size_t s = 0; s < described_count; s++) {
		printf("\t\t'%s:", described[s].name);
		put_quoted(described[s].help, "");
		puts("'");
	}
	puts("\t)\n\tif ((CURRENT == 2)); then\n\t\t_describe subcommand subcommands\n\t\treturn\n\tfi\n"
	     "\tlocal subcommand=$words[2]\n\tshift words\n\t((CURRENT--))\n\tcase $subcommand in");
	for (size_t s = 0; s < described_count; s++) {
		if (!described[s].usage)
			continue;
		printf("\t%s)\n\t\t_arguments", described[s].name);
		for (size_t i = 0; i < described[s].count; i++) {
			const struct described_option *option = &described[s].options[i];
			const char *words = words_of(option, buffer, sizeof(buffer));

			printf(" \\\n\t\t\t'--%s[", option->name);
			put_brief(option->text, "[]:");
			putchar(']');
			if (option->value && words)
				printf(":value:(%s)", words);
			else if (option->value)
				printf(":value:%s", values[kind_of(option)]);
			putchar('\'');
		}
		if (strstr(described[s].usage, "-- COMMAND"))
			fputs(" \\\n\t\t\t'1:policy:_files' \\\n\t\t\t'*::command:_normal'", stdout);
		else
			fputs(" \\\n\t\t\t'*:file:_files'", stdout);
		puts("\n\t\t;;");
	}
	puts("\tesac\n}\n\n_snifence \"$@\"");
}

void describe_fish(void) {
	static const char *const values[] = {
		[NO_KIND] = "-x",
		[FILES] = "-rF",
		[FOLDERS] = "-xa '(__fish_complete_directories)'",
		[USERS] = "-xa '(__fish_complete_users)'",
		[UNITS] =
			"-xa '(systemctl list-units --plain --no-legend --type=service,scope,slice 2>/dev/null | string split -f 1 \" \")'",
		[PROCESSES] = "-xa '(__fish_complete_pids)'",
	};
	char buffer[128];

	puts("# fish completion for snifence, made from its option tables\n\ncomplete -c snifence -n __fish_use_subcommand -f");
	for (size_t s = 0; s < described_count; s++) {
		printf("complete -c snifence -n __fish_use_subcommand -a %s -d '", described[s].name);
		put_quoted(described[s].help, "");
		puts("'");
	}
	for (size_t s = 0; s < described_count; s++)
		for (size_t i = 0; i < described[s].count; i++) {
			const struct described_option *option = &described[s].options[i];
			const char *words = words_of(option, buffer, sizeof(buffer));

			printf("complete -c snifence -n '__fish_seen_subcommand_from %s' -l %s", described[s].name,
			       option->name);
			if (option->letter)
				printf(" -s %c", option->letter);
			if (option->value && words)
				printf(" -xa '%s'", words);
			else if (option->value)
				printf(" %s", values[kind_of(option)]);
			fputs(" -d '", stdout);
			put_brief(option->text, "");
			puts("'");
		}
}
