/* SPDX-License-Identifier: BSD-2-Clause */
/* The section `sets` ──► named lists of prefixes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "policy/policy_build.h"
#include "policy/prefix.h"
#include "policy/sets.h"

static int compare_sets(const void *left, const void *right) {
	const struct address_set *a = left, *b = right;

	return strcmp(a->node->key->text, b->node->key->text);
}

static int compare_name(const void *name, const void *set) {
	return strcmp(name, ((const struct address_set *)set)->node->key->text);
}

struct address_set *find_set(const struct builder *builder, const char *name) {
	if (builder->set_count == 0)
		return NULL;
	return bsearch(name, builder->sets, builder->set_count, sizeof(*builder->sets), compare_name);
}

/* A name that can be taken neither for an address nor for a word with a meaning. */
static bool check_name(struct builder *builder, const struct yaml_node *key) {
	const char *name = key->text;
	bool good = (*name >= 'a' && *name <= 'z') &&
		    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(name) && strlen(name) <= 63;

	if (key->kind != NODE_SCALAR)
		return false;
	if (strcmp(name, "any") == 0)
		refuse(builder, key, "a set cannot be named `any`, which means every address");
	else if (!good)
		refuse(builder, key,
		       "`%.60s` is no name for a set: write a lower-case letter, then up to 62 letters, "
		       "digits, - and _",
		       name);
	return good && strcmp(name, "any") != 0;
}

const char *beside_policy(struct builder *builder, const char *file) {
	struct policy *policy = builder->policy;
	const char *slash = file[0] == '/' ? NULL : strrchr(policy->file, '/');
	size_t folder = slash ? (size_t)(slash + 1 - policy->file) : 0;
	char *path = arena_alloc(&policy->texts, folder + strlen(file) + 1), **noted;

	noted = path ? array_add(&policy->files, &policy->file_count, sizeof(*noted)) : NULL;
	if (!noted) {
		out_of_memory(builder);
		return NULL;
	}
	memcpy(path, policy->file, folder);
	strcpy(path + folder, file);
	return *noted = path;
}

static bool read_filter(struct builder *builder, const struct yaml_node *node, const char *what,
			struct set_filter *filter) {
	bool good = true;

	if (!node)
		return true;
	if (node->kind == NODE_LIST && node->count == 0) {
		refuse(builder, node, "%s is empty: name one, or leave the key out", what);
		return false;
	}
	for (const struct yaml_node *item = next_word(node, NULL); item; item = next_word(node, item)) {
		struct set_word *word;

		if (!expect_word(builder, item, what)) {
			good = false;
			continue;
		}
		word = array_add(&filter->words, &filter->count, sizeof(*word));
		if (!word) {
			out_of_memory(builder);
			return false;
		}
		word->text = item->text;
	}
	return good;
}

/* Whether every word of a filter was in the file: one that is not is probably misspelt. */
static bool check_filter(struct builder *builder, const struct yaml_node *node, const char *what, const char *path,
			 const struct set_filter *filter) {
	bool good = true;

	if (filter->count == 0)
		return true;
	if (!filter->known) {
		refuse(builder, node, "%.200s does not say of its prefixes which %s they are of: leave `%s` out", path,
		       what, what);
		return false;
	}
	for (size_t i = 0; i < filter->count; i++) {
		if (filter->words[i].seen)
			continue;
		refuse(builder, node, "%.200s has no %s `%.60s`", path, what, filter->words[i].text);
		good = false;
	}
	return good;
}

/* Reads the file `path` for a set; the filters are read already. */
static bool read_path(struct builder *builder, struct address_set *set, const char *path, struct set_filter *regions,
		      struct set_filter *services) {
	const struct yaml_node *node = set->node;
	const char *unread;
	bool good;
	int error = set_file_read(path, regions, services, &set->prefixes, builder->diagnostics, &unread);

	if (error == -EIO)
		refuse(builder, yaml_get(node, "file"), "the set `%.60s` cannot be read from %.200s: %s",
		       node->key->text, path, unread);
	if (error < 0)
		return false;
	good = check_filter(builder, yaml_get(node, "region"), "region", path, regions);
	good &= check_filter(builder, yaml_get(node, "service"), "service", path, services);
	if (!good || set->prefixes.count > 0)
		return good;
	if (regions->count || services->count)
		refuse(builder, node, "nothing in %.200s is of this region and this service", path);
	else
		refuse(builder, yaml_get(node, "file"), "%.200s holds no prefix", path);
	return false;
}

static bool read_file_set(struct builder *builder, struct address_set *set) {
	static const char *const keys[] = {"file", "region", "service", NULL};
	const struct yaml_node *file = yaml_get(set->node, "file");
	struct set_filter regions = {0}, services = {0};
	bool good = expect_map(builder, set->node, "a set", keys);
	const char *path;

	if (!file)
		refuse(builder, set->node,
		       "a set names its `file`, like {file: cloud/aws.json}, or is a list of prefixes");
	good &= file && expect_word(builder, file, "`file`");
	good &= read_filter(builder, yaml_get(set->node, "region"), "`region`", &regions);
	good &= read_filter(builder, yaml_get(set->node, "service"), "`service`", &services);
	if (good) {
		path = beside_policy(builder, file->text);
		good = path && read_path(builder, set, path, &regions, &services);
	}
	free(regions.words);
	free(services.words);
	return good;
}

static bool read_listed_set(struct builder *builder, struct address_set *set) {
	char message[PREFIX_MESSAGE];
	struct prefix prefix;
	bool good = set->node->count > 0;

	if (!good)
		refuse(builder, set->node, "a set is empty: write at least one prefix");
	for (const struct yaml_node *item = set->node->children; item; item = item->next) {
		if (!expect_word(builder, item, "a prefix")) {
			good = false;
		} else if (prefix_parse(item->text, &prefix, message) != PREFIX_OK) {
			refuse(builder, item, "%s", message);
			good = false;
		} else if (prefix_list_add(&set->prefixes, &prefix) < 0) {
			out_of_memory(builder);
			return false;
		}
	}
	prefix_list_sort(&set->prefixes);
	return good;
}

static void read_set(struct builder *builder, struct address_set *set) {
	bool good = check_name(builder, set->node->key);

	if (set->node->kind == NODE_LIST)
		good &= read_listed_set(builder, set);
	else if (set->node->kind == NODE_MAP)
		good &= read_file_set(builder, set);
	else if (set->node->kind == NODE_SCALAR)
		refuse(builder, set->node, "a set is a list of prefixes, or names its file: {file: %.60s}",
		       *set->node->text ? set->node->text : "cloud/aws.json");
	set->broken = !good || set->node->kind == NODE_SCALAR || set->node->kind == NODE_REFUSED;
}

void read_sets(struct builder *builder, const struct yaml_node *sets) {
	if (!sets || sets->null || sets->kind == NODE_REFUSED)
		return;
	if (sets->kind != NODE_MAP) {
		refuse(builder, sets, "`sets` must be a map from names to sets, like {office: [192.0.2.0/24]}");
		return;
	}
	for (const struct yaml_node *node = sets->children; node; node = node->next) {
		struct address_set *set = array_add(&builder->sets, &builder->set_count, sizeof(*set));

		if (!set) {
			out_of_memory(builder);
			return;
		}
		set->node = node;
		read_set(builder, set);
	}
	if (builder->set_count > 0)
		qsort(builder->sets, builder->set_count, sizeof(*builder->sets), compare_sets);
}

void warn_unused_sets(struct builder *builder) {
	for (size_t i = 0; i < builder->set_count; i++) {
		const struct yaml_node *key = builder->sets[i].node->key;

		if (!builder->sets[i].used && !builder->sets[i].broken)
			diagnose_warning(builder->diagnostics, builder->policy->file, key->line, key->column,
					 "no rule uses the set `%s`", key->text);
	}
}

void free_sets(struct builder *builder) {
	for (size_t i = 0; i < builder->set_count; i++)
		free(builder->sets[i].prefixes.items);
	free(builder->sets);
}
