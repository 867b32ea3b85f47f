/* SPDX-License-Identifier: BSD-2-Clause */
/* A subcommand's help text ──► the part of its page that is made of it, as Markdown. */
#include <stdio.h>
#include <string.h>

#include "describe.h"

/* Text in which Markdown sees nothing but `code`. */
static void put_text(const char *text, size_t length) {
	bool code = false;

	for (size_t i = 0; i < length; i++) {
		code ^= text[i] == '`';
		if (!code && strchr("*_[]<>|#\\", text[i]))
			putchar('\\');
		putchar(text[i]);
	}
}

static const char *end_of(const char *text) { /* of a block, before the empty line behind it */
	const char *end = strstr(text, "\n\n");

	return end ? end + 1 : text + strlen(text);
}

static const char *line_end(const char *line) {
	return line + strcspn(line, "\n");
}

static void put_options(const struct described *one) {
	puts("## Options\n");
	for (size_t i = 0; i < one->count; i++) {
		const struct described_option *option = &one->options[i];

		if (option->letter)
			printf("`-%c`, ", option->letter);
		printf("`--%s%s%s`\n: ", option->name, option->value ? " " : "", option->value ? option->value : "");
		put_text(option->text, strlen(option->text));
		puts("\n");
	}
}

/* Lines of a term, two spaces and what it means, which may go on in further lines; they stand behind a head. */
static void put_terms(const char *head_end, const char *end) {
	size_t column = 0;

	for (const char *line = head_end + 1; line < end; line = line_end(line) + 1) {
		const char *term = line + strspn(line, " "), *gap = strstr(term, "  "), *rest = line_end(line);
		bool goes_on = column && (size_t)(term - line) >= column;

		if (strncmp(line, "  ", 2) != 0 || (!goes_on && (!gap || gap > rest))) { /* a sentence among them */
			put_text(term, (size_t)(rest - term));
			puts(strncmp(line, "  ", 2) == 0 ? "\n" : "");
			continue;
		}
		if (goes_on) {
			fputs("  ", stdout);
			put_text(term, (size_t)(rest - term));
		} else {
			const char *text = gap + strspn(gap, " ");

			column = (size_t)(text - line);
			printf("`%.*s`\n: ", (int)(gap - term), term);
			put_text(text, (size_t)(rest - text));
		}
		/* the next line goes on where it is indented as far */
		goes_on = rest + 1 < end && strspn(rest + 1, " ") >= column;
		puts(goes_on ? "" : "\n");
	}
}

static bool is_list(const char *block, const char *end) {
	const char *first = line_end(block);

	return first[-1] == ':' && first + 1 < end && strncmp(first + 1, "  ", 2) == 0;
}

static void put_block(const char *block, const char *end, bool *described_yet) {
	static const char status[] = "Exit status: ";
	const char *head = line_end(block);

	if (strncmp(block, status, sizeof(status) - 2) == 0) {
		puts("## Exit status\n");
		while (head + 1 < end && strncmp(head + 1, "  ", 2) != 0 && head[0] == '\n' && head[-1] != ':')
			head = line_end(head + 1);
		if (head - block > (ptrdiff_t)sizeof(status) - 1) {
			put_text(block + sizeof(status) - 1, (size_t)(head - block) - (sizeof(status) - 1));
			puts("\n");
		}
	} else if (is_list(block, end)) {
		printf("## %.*s\n\n", (int)(head - block) - 1, block);
	} else {
		if (!*described_yet)
			puts("## Description\n");
		*described_yet = true;
		put_text(block, (size_t)(end - block));
		puts("");
		return;
	}
	put_terms(head, end);
}

static void put_overview(void) {
	puts("snifence - let programs reach only the TLS hostnames and addresses on a list\n\n## Synopsis\n\n```\n"
	     "snifence SUBCOMMAND [ARG…]\nsnifence SUBCOMMAND --help\nsnifence --version\n```\n\n## Subcommands\n");
	for (size_t i = 0; i < described_count; i++)
		if (described[i].usage)
			printf("[snifence-%s(1)](%s.md)\n: %s\n\n", described[i].name, described[i].name,
			       described[i].help);
}

bool describe_page(const char *subcommand) {
	const struct described *one = described;
	const char *block, *end, *head = "Usage: ";
	bool described_yet = false, optioned = false;

	if (!*subcommand) {
		put_overview();
		return true;
	}
	while (one < described + described_count && strcmp(one->name, subcommand) != 0)
		one++;
	if (one == described + described_count || !one->usage)
		return false;
	end = end_of(one->usage);
	block = one->usage + strlen(head);
	printf("snifence-%s - %s\n\n## Synopsis\n\n```\n", one->name, one->help);
	for (; block < end; block = line_end(block) + 1) {
		block += strspn(block, " ");
		printf("%.*s\n", (int)(line_end(block) - block), block);
	}
	puts("```\n");
	for (block = end + 1; *block; block = *end ? end + 1 : end) {
		end = end_of(block);
		if (strncmp(block, "  -", 3) == 0) {
			if (!optioned)
				put_options(one);
			optioned = true;
		} else {
			put_block(block, end, &described_yet);
		}
	}
	return true;
}
