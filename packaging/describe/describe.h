/* SPDX-License-Identifier: BSD-2-Clause */
/* What snifence says of its subcommands, as those who write pages and completions of it need it. */
#ifndef SNIF_DESCRIBE_H
#define SNIF_DESCRIBE_H

#include <stdbool.h>
#include <stddef.h>

enum { DESCRIBE_OPTIONS = 32 };

struct described_option {
	char *name;  /* without dashes */
	char letter; /* 0: there is none */
	char *value; /* what stands for it, like FILE or cut|keep; NULL: it takes none */
	char *text;
};

struct described {
	const char *name, *help;
	char *usage;
	struct described_option
		options[DESCRIBE_OPTIONS]; /* those of its table, which --help tells of, in that order */
	size_t count;
};

extern struct described described[];
extern size_t described_count;

/* The page's part that comes from the program, as Markdown; of "" that of snifence itself. Returns false when there is
 * no such subcommand. */
bool describe_page(const char *subcommand);

void describe_bash(void);
void describe_zsh(void);
void describe_fish(void);

#endif
