/* SPDX-License-Identifier: BSD-2-Clause */
/* A small tree of YAML values, each with its place in the file. */
#ifndef SNIF_YAML_TREE_H
#define SNIF_YAML_TREE_H

#include "base/arena.h"
#include "policy/diagnostic.h"

enum node_kind {
	NODE_SCALAR,
	NODE_LIST,
	NODE_MAP,
	NODE_REFUSED, /* an error was already told about it: say nothing more */
};

struct yaml_node {
	enum node_kind kind : 8;
	bool null : 1;		    /* a scalar that is plain and empty, `~` or `null` */
	unsigned line, column;	    /* both count from 1 */
	unsigned count;		    /* of children */
	char *text;		    /* SCALAR: UTF-8 without NUL bytes */
	struct yaml_node *key;	    /* in a map: the key of this value, a scalar */
	struct yaml_node *children; /* LIST, MAP: in the order of the file */
	struct yaml_node *next;
};

/*
 * Reads one YAML document. What a policy has no use for and what could be used as a bomb is refused: anchors,
 * aliases, tags, a key twice in a map, a second document, more than 16 levels, more than 6,000,000 values. All errors
 * go to `diagnostics`; after one that does not end the reading the tree is returned all the same, for its other
 * errors to be found. Returns the root, which lives in `arena` like all nodes, or NULL when there is no tree.
 */
struct yaml_node *yaml_tree_parse(const char *file, const char *text, size_t length, struct diagnostics *diagnostics,
				  struct arena *arena);

/* The value of `key` in a map, the first one when it is there twice; NULL when it is not there. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

#endif
