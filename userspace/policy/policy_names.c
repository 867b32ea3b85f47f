/* SPDX-License-Identifier: BSD-2-Clause */
/* `file` of a host rule ──► a rule for each host in it. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "policy/hostname.h"
#include "policy/name_list.h"
#include "policy/policy_build.h"

/* Adds the hosts of a list that was read. Returns how many. */
static size_t add_names(struct builder *builder, const struct host_where *where, const char *path,
			struct name_list *list) {
	struct host_place place = {.file = arena_text(&builder->policy->texts, path, strlen(path))};
	char message[HOSTNAME_MESSAGE];
	struct listed_name listed;
	struct hostname name;
	size_t count = 0;

	if (!place.file)
		out_of_memory(builder);
	while (place.file && name_list_next(list, &listed)) {
		place.line = listed.line;
		place.column = listed.column;
		count++;
		if (hostname_parse(listed.text, where->any_suffix, &name, message) < 0)
			diagnose(builder->diagnostics, path, place.line, place.column, "%s", message);
		else
			add_host(builder, where, &place, &name);
	}
	return count;
}

static void read_list(struct builder *builder, const struct yaml_node *node, const struct host_where *where,
		      const char *path, const char *text, size_t length) {
	struct name_list list = {.text = text, .length = length};
	struct diagnostics *diagnostics = builder->diagnostics;

	if (memchr(text, '\0', length)) {
		refuse(builder, node, "%.200s holds a NUL byte: it is no text file", path);
		return;
	}
	diagnostics_source(diagnostics, path, text, length);
	if (add_names(builder, where, path, &list) == 0)
		refuse(builder, node, "%.200s names no host", path);
	if (list.passed > 0)
		diagnose_warning(diagnostics, path, list.first_passed, 1,
				 "%zu lines name no host (exceptions, expressions, parts of pages) and are passed over",
				 list.passed);
	diagnostics_source(diagnostics, path, NULL, 0);
}

void read_name_file(struct builder *builder, const struct yaml_node *node, const struct host_where *where) {
	const char *why;
	size_t length;
	const char *path;
	char *text;

	if (!expect_word(builder, node, "`file`") || !(path = beside_policy(builder, node->text)))
		return;
	text = file_read(path, POLICY_FILE_MAX, &length, &why);
	if (!text)
		refuse(builder, node, "the names cannot be read from %.200s: %s", path, why);
	else
		read_list(builder, node, where, path, text, length);
	free(text);
}
