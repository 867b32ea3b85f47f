/* SPDX-License-Identifier: BSD-2-Clause */
/* HTML with texts in it that others have chosen. */
#ifndef SNIF_HTML_H
#define SNIF_HTML_H

#include <stdio.h>

enum { HTML_TEXT_MAX = 1024 };

/*
 * Writes markup as it stands in `format`, which knows %s, %PRIu64 and %% alone: markup can come from the format only. Of
 * every %s it is made sure that it is nothing but text, both between tags and in the value of an attribute in quotes:
 * & < > " ' become character references, what is not printable ASCII \xHH. Of a longer text the first HTML_TEXT_MAX bytes
 * and an ellipsis.
 */
void html_print(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
