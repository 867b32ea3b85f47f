/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy file ──► the model of what it says, or every error in it. */
#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/file.h"
#include "policy/policy_build.h"
#include "policy/policy_find.h"
#include "policy/resolv.h"

/* The file's name without folders and without .yaml or .yml. */
static char *policy_name(const char *file) {
	const char *slash = strrchr(file, '/');
	const char *base = slash ? slash + 1 : file;
	const char *dot = strrchr(base, '.');
	bool suffix = dot && dot > base && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);

	return suffix ? strndup(base, (size_t)(dot - base)) : strdup(base);
}

static struct policy *new_policy(const char *file) {
	struct policy *policy = calloc(1, sizeof(*policy));

	if (!policy)
		return NULL;
	policy->file = strdup(file);
	policy->name = policy_name(file);
	if (policy->file && policy->name && array_add(&policy->rules, &policy->rule_count, sizeof(*policy->rules)))
		return policy;
	policy_free(policy);
	return NULL;
}

static void read_version(struct builder *builder, const struct yaml_node *root) {
	const struct yaml_node *version = yaml_get(root, "version");

	if (!version)
		refuse(builder, root, "the policy has no version: write `version: 1`");
	else if (expect_word(builder, version, "`version`") && strcmp(version->text, "1") != 0)
		refuse(builder, version, "version `%.60s` is not known: write `version: 1`", version->text);
}

/* What no allowed name can follow is not worth a look, save to see what is tried: a ClientHello that never ends would
 * be a way out. */
static void find_inspected_zones(struct policy *policy) {
	for (size_t i = 0; i < policy->zone_count; i++)
		policy->zones[i].inspected = policy->mode == SNIF_AUDIT;
	for (size_t i = 0; i < policy->host_count; i++)
		if (policy->hosts[i].allow)
			policy->zones[policy->hosts[i].zone].inspected = true;
}

static void read_root(struct builder *builder, const struct yaml_node *root) {
	static const char *const keys[] = {"version", "mode", "sets", "tls", "direct", "dns", "inbound", NULL};
	static const char *const modes[] = {[SNIF_ENFORCE] = "enforce", [SNIF_AUDIT] = "audit", NULL};
	static const char *const inbound_words[] = {"allow", "deny", NULL};
	struct policy *policy = builder->policy;

	if (!expect_map(builder, root, "a policy", keys)) {
		if (root->null)
			refuse(builder, root, "the policy is empty: write at least `version: 1`");
		return;
	}
	read_version(builder, root);
	policy->mode = read_choice(builder, yaml_get(root, "mode"), "`mode`", modes);
	policy->inbound_deny = read_choice(builder, yaml_get(root, "inbound"), "`inbound`", inbound_words) == 1;
	read_sets(builder, yaml_get(root, "sets"));
	read_tls(builder, yaml_get(root, "tls"));
	read_allowed(builder);
	find_inspected_zones(policy);
	read_direct(builder, yaml_get(root, "direct"));
	read_dns(builder, yaml_get(root, "dns"), RESOLV_CONF);
	check_conflicts(builder);
	warn_unused_sets(builder);
}

/* Hosts that are allowed besides what the file says. */
struct allowed {
	const char *const *hosts;
	size_t count;
};

/* A log instead of a policy, as it begins. */
static bool is_log(const char *text, size_t length) {
	static const char beginning[] = "{\"timestamp\":";

	return length >= sizeof(beginning) - 1 && memcmp(text, beginning, sizeof(beginning) - 1) == 0;
}

static struct policy *parse(const char *file, const char *text, size_t length, struct allowed allowed,
			    struct diagnostics *diagnostics) {
	struct builder builder = {.policy = new_policy(file),
				  .diagnostics = diagnostics,
				  .allowed = allowed.hosts,
				  .allowed_count = allowed.count};
	size_t errors = diagnostics->errors;
	struct yaml_node *root = NULL;
	struct arena tree = {0};

	if (!builder.policy) {
		diagnose(diagnostics, file, 0, 0, "out of memory");
		return NULL;
	}
	diagnostics_source(diagnostics, file, text, length);
	if (is_log(text, length))
		diagnose(
			diagnostics, file, 1, 1,
			"a log, not a policy: `snifence report` shows what it says, `snifence learn` makes a policy of it");
	else if (length > POLICY_FILE_MAX)
		diagnose(diagnostics, file, 0, 0, "a policy has at most %u MiB: put addresses into set files",
			 POLICY_FILE_MAX >> 20);
	else
		root = yaml_tree_parse(file, text, length, diagnostics, &tree);
	if (root)
		read_root(&builder, root);
	free_sets(&builder);
	free_lists(&builder);
	arena_free(&tree);
	diagnostics_source(diagnostics, file, NULL, 0);
	if (diagnostics->errors == errors)
		return builder.policy;
	policy_free(builder.policy);
	return NULL;
}

struct policy *policy_parse(const char *file, const char *text, size_t length, struct diagnostics *diagnostics) {
	return parse(file, text, length, (struct allowed){0}, diagnostics);
}

static struct policy *load(const char *file, struct allowed allowed, struct diagnostics *diagnostics) {
	struct policy *policy;
	const char *why;
	size_t length;
	char *text = strcmp(file, "-") == 0 ? file_read_stream(stdin, POLICY_FILE_MAX, &length, &why)
					    : file_read(file, POLICY_FILE_MAX, &length, &why);

	if (!text) {
		diagnose(diagnostics, file, 0, 0, "the policy cannot be read: %s", why);
		return NULL;
	}
	policy = parse(file, text, length, allowed, diagnostics);
	free(text);
	return policy;
}

bool policy_reads_dns(const struct policy *policy) {
	return policy->dns.bind != SNIF_BIND_OFF || policy->dns.names_policy || policy->dns.https_deny ||
	       policy->dns.log_answers;
}

struct policy *policy_load_with(const char *name, const char *const allowed[], size_t count,
				struct diagnostics *diagnostics) {
	static const char nothing[] = "version: 1\n";
	const struct allowed besides = {allowed, count};
	struct policy *policy;
	char *file;

	if (!name)
		return parse(POLICY_ALLOWED, nothing, strlen(nothing), besides, diagnostics);
	file = policy_find(name, diagnostics);
	policy = file ? load(file, besides, diagnostics) : NULL;
	free(file);
	return policy;
}

struct policy *policy_load(const char *name, struct diagnostics *diagnostics) {
	return policy_load_with(name, NULL, 0, diagnostics);
}

void policy_free(struct policy *policy) {
	if (!policy)
		return;
	for (size_t i = 0; i < policy->list_count; i++)
		free(policy->lists[i].items);
	for (size_t i = 0; i < policy->zone_count; i++)
		free(policy->zones[i].ports.items);
	for (size_t i = 0; i < policy->direct_count; i++)
		free(policy->direct[i].ports.items);
	for (size_t i = 0; i < policy->group_count; i++)
		free(policy->groups[i].ports.items);
	free(policy->groups);
	free(policy->lookups);
	free(policy->lists);
	free(policy->zones);
	free(policy->hosts);
	free(policy->direct);
	free(policy->rules);
	free(policy->files);
	arena_free(&policy->texts);
	free(policy->file);
	free(policy->name);
	free(policy);
}
