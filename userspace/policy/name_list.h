/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of hostnames, in the forms that such lists are published in. */
#ifndef SNIF_NAME_LIST_H
#define SNIF_NAME_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "name.h"

#define NAME_LIST_TEXT 1024 /* room for a host as it is written */

/* A host of a list: a rule's, as hostname_parse() takes it. */
struct listed_name {
	char text[NAME_LIST_TEXT];
	unsigned line, column; /* both count from 1 */
};

struct name_list {
	const char *text;
	size_t length, at; /* at: where the next line begins */
	unsigned line;
	size_t passed;		/* lines that say something else than a name: exceptions, expressions, parts of pages */
	unsigned first_passed;	/* the first of them */
	const char *rest, *end; /* of a line that has more names */
};

/*
 * The next host of the list, which begins with `text` and `length` set. Lines are
 *
 *   example.com, *.example.com, .example.com         hosts as in a policy
 *   0.0.0.0 a.example.com b.example.com              /etc/hosts, for 0.0.0.0, 127.0.0.1, :: and ::1
 *   ||example.com^                                   of ad blockers: .example.com
 *   address=/example.com/0.0.0.0, server=, local=    of dnsmasq: .example.com
 *   example.com CNAME .                              of response policy zones
 *
 * or empty. Comments begin with # or !, or with a ; at the start of a line. Returns false at the end.
 */
bool name_list_next(struct name_list *list, struct listed_name *name);

#endif
