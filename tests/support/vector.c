/* SPDX-License-Identifier: BSD-2-Clause */
/* A file of hexadecimal digits ──► the bytes of a stream. */
#include "vector.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands before a comment. */
static int read_line(char *line, struct bytes *out) {
	unsigned byte;

	line[strcspn(line, "#\n")] = '\0';
	for (const char *at = line; *at; at += isspace((unsigned char)*at) ? 1 : 2) {
		if (isspace((unsigned char)*at))
			continue;
		if (!isxdigit((unsigned char)at[0]) || !isxdigit((unsigned char)at[1]) || sscanf(at, "%2x", &byte) != 1)
			return -EINVAL;
		bytes_number(out, 1, byte);
	}
	return 0;
}

int vector_read(const char *path, struct bytes *out) {
	FILE *in = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;
	int error = 0;

	if (!in)
		return -errno;
	out->length = 0;
	while (!error && getline(&line, &size, in) > 0)
		error = read_line(line, out);
	free(line);
	fclose(in);
	return error;
}
