/* SPDX-License-Identifier: BSD-2-Clause */
/* What the policy_*.c files share while they turn the tree of a policy into its model. */
#ifndef SNIF_POLICY_BUILD_H
#define SNIF_POLICY_BUILD_H

#include "policy/hostname.h"
#include "policy/policy.h"
#include "policy/yaml_tree.h"

/* An entry of `sets`. */
struct address_set {
	const struct yaml_node *node; /* its value; node->key is its name */
	struct prefix_list prefixes;
	bool used;
	bool broken; /* an error was told: what uses it says nothing more */
};

struct builder {
	struct policy *policy;
	struct diagnostics *diagnostics;
	struct address_set *sets; /* sorted by name */
	size_t set_count;
	void *spellings;	    /* tsearch(3): each `to` as it was written, with its index in policy.lists */
	void *contents;		    /* tsearch(3): each list by its prefixes, likewise */
	size_t prefix_total;	    /* in all lists */
	const char *const *allowed; /* hosts that the file does not name */
	size_t allowed_count;
};

/* An error at a node. */
#define refuse(builder, node, ...)                                                                                     \
	diagnose((builder)->diagnostics, (builder)->policy->file, (node)->line, (node)->column, __VA_ARGS__)

/* policy_node.c: what every part of the tree needs. All of them tell errors themselves. */

void out_of_memory(struct builder *builder);
/* Whether `node` is a map with only `keys` (ended by NULL) in it; every other key is an error. `what` names the map.
 * A NULL or null node is no map and no error. */
bool expect_map(struct builder *builder, const struct yaml_node *node, const char *what, const char *const keys[]);
/* Whether a scalar is a key of `keys` whose blank is missing, like `version:1`. That is told as an error. */
bool missing_blank(struct builder *builder, const struct yaml_node *node, const char *const keys[]);
/* The same as expect_map() for a list; also false when it is empty. */
bool expect_list(struct builder *builder, const struct yaml_node *node, const char *what);
/* Whether `node` is a scalar with text in it. `what` names it, as in "`what` must be one word". */
bool expect_word(struct builder *builder, const struct yaml_node *node, const char *what);
/* The index in `words` (ended by NULL) of a node's text. A NULL node means the first word. */
unsigned read_choice(struct builder *builder, const struct yaml_node *node, const char *what,
		     const char *const words[]);
/* The items of a node that is one scalar or a list of them: call with NULL for the first, then with the last result. */
const struct yaml_node *next_word(const struct yaml_node *node, const struct yaml_node *last);
/* `expected` of an item that denies: whether refusals by it are no news. */
bool read_expected(struct builder *builder, const struct yaml_node *item);
/* Adds a rule that was written at a place. `text` is in policy.texts, or NULL: out of memory. Returns its index. */
uint32_t add_rule(struct builder *builder, unsigned line, unsigned column, char *text);
/* Copies a text into policy.texts, and frees it. NULL, also as `text`: out of memory. */
char *keep_text(struct builder *builder, char *text);

/* policy_address.c: lists of prefixes. */

/* Resolves a `to` to a list of the policy. `text` gets it in one line, to be freed. Returns whether that went well. */
bool read_to(struct builder *builder, const struct yaml_node *to, size_t *list, char **text);
/* The same for every address there is. */
bool read_any(struct builder *builder, const struct yaml_node *at, size_t *list);
/* Adds a list, or finds one with the same prefixes. Takes ownership of its items. Returns whether that went well. */
bool add_list(struct builder *builder, const struct yaml_node *at, struct prefix_list *prefixes, size_t *list);
/* Frees what the lists were found by, not the lists. */
void free_lists(struct builder *builder);

/* policy_ports.c: a `ports` as sorted ranges. */

/* Reads one port or range, or a list of them. `ports` may hold some when that fails. */
bool read_ports(struct builder *builder, const struct yaml_node *node, struct port_list *ports);
/* The number of a port that people write by its name, like ssh, for a message; NULL: not known. */
const char *service_port(const char *text);
bool same_ports(const struct port_list *a, const struct port_list *b);
/* Makes `ports` the one range from `first` to `last`. */
bool set_ports(struct builder *builder, struct port_list *ports, uint16_t first, uint16_t last);

/* policy_names.c: hosts from a file. */

/* What all rules have in common that one item of `tls.allow` or `tls.deny` makes. */
struct host_where {
	bool allow, any_suffix, expected;
	uint16_t zone;
	const char *to; /* as written; NULL: left out */
	bool ports;	/* written */
};

/* Where one of them is written. */
struct host_place {
	const char *file; /* lives as long as the policy */
	unsigned line, column;
};

void read_name_file(struct builder *builder, const struct yaml_node *node, const struct host_where *where);

/* policy_direct.c: the section `direct`. `direct` may be NULL. */
void read_direct(struct builder *builder, const struct yaml_node *direct);
/* Moves `rule` into the policy, which then owns its ports. */
void keep_rule(struct builder *builder, struct address_rule *rule);

/* policy_dns.c: the section `dns`, behind `direct`. */

/* Reads the name of a rule for lookups. `item` is the map that it stands in; NULL: none. Returns whether it is one. */
bool read_lookup(struct builder *builder, const struct yaml_node *node, const struct yaml_node *item,
		 struct lookup_rule *out);
void keep_lookup(struct builder *builder, const struct lookup_rule *lookup);
/* `dns` may be NULL: the default is the servers of the file `resolv_conf`. */
void read_dns(struct builder *builder, const struct yaml_node *dns, const char *resolv_conf);

/* policy_tls.c: the section `tls`, and hosts wherever they stand. */

/* `public_suffix: true` of a map with a host. */
bool read_any_suffix(struct builder *builder, const struct yaml_node *item);
/* Reads the name of a host as written. Returns whether it is one. */
bool read_name(struct builder *builder, const struct yaml_node *node, bool any_suffix, struct hostname *name);
/* `tls` may be NULL. */
void read_tls(struct builder *builder, const struct yaml_node *tls);
/* Allows the hosts that the builder names, where no rule of the file says the same. */
void read_allowed(struct builder *builder);
void add_host(struct builder *builder, const struct host_where *where, const struct host_place *place,
	      const struct hostname *name);

/* policy_conflict.c: an error for host rules that repeat or contradict each other, with the place of the first. */
void check_conflicts(struct builder *builder);

/* policy_sets.c: the section `sets`. `sets` may be NULL. */
void read_sets(struct builder *builder, const struct yaml_node *sets);
struct address_set *find_set(const struct builder *builder, const char *name);
/* A warning for each set that no rule names. */
void warn_unused_sets(struct builder *builder);
void free_sets(struct builder *builder);
/* Where a file that the policy names is: relative to the policy's folder. Notes it in the policy, which has the text.
 * NULL after saying that memory is out. */
const char *beside_policy(struct builder *builder, const char *file);

#endif
