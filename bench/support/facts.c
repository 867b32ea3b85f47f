/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of `name TAB value` ──► facts. */
#include "facts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static int add(struct facts *facts, char *line) {
	char *value = strchr(line, '\t');
	struct fact *fact;

	if (!value)
		return -EINVAL;
	fact = array_add(&facts->items, &facts->count, sizeof(*fact));
	if (!fact)
		return -ENOMEM;
	fact->name = strndup(line, (size_t)(value - line));
	fact->value = strndup(value + 1, strcspn(value + 1, "\n"));
	return fact->name && fact->value ? 0 : -ENOMEM;
}

int facts_read(const char *file, struct facts *facts) {
	FILE *in = fopen(file, "re");
	size_t size = 0;
	char *line = NULL;
	int error = in ? 0 : -errno;

	while (!error && getline(&line, &size, in) > 0)
		error = add(facts, line);
	if (error)
		fprintf(stderr, "%s: %s\n", file, strerror(-error));
	free(line);
	if (in)
		fclose(in);
	return error;
}

void facts_free(struct facts *facts) {
	for (size_t i = 0; i < facts->count; i++) {
		free(facts->items[i].name);
		free(facts->items[i].value);
	}
	free(facts->items);
}
