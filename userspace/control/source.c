/* SPDX-License-Identifier: BSD-2-Clause */
/* A file ──► a policy, compiled for the kernel. */
#include "control/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "analysis/uninspected.h"
#include "base/message.h"
#include "base/text.h"
#include "filter/ledger.h"

/*
 * The path from the root, with links as they are: a file that is replaced by moving a link (a ConfigMap's) stays the
 * same one. Returns 0, or -1 with errno set.
 */
static int whole_path(const char *file, char path[PATH_MAX]) {
	char folder[PATH_MAX] = "";

	if (file[0] != '/' && !getcwd(folder, sizeof(folder)))
		return -1;
	while (strncmp(file, "./", 2) == 0)
		file += 2;
	if (snprintf(path, PATH_MAX, "%s%s%s", folder, folder[0] ? "/" : "", file) < PATH_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

static int check_digest(const struct source *source, const char *sha256) {
	if (!sha256 || strcasecmp(sha256, source->compiled.sha256) == 0)
		return 0;
	message_error("%s has the SHA-256 %s, not %s: it is another policy than you asked for", source->file,
		      source->compiled.sha256, sha256);
	return EXIT_USAGE;
}

/* In audit mode names are read wherever some are allowed or not. The digest stays that of the file. */
static int compile_for_audit(struct source *source) {
	char sha256[sizeof(source->compiled.sha256)];

	memcpy(sha256, source->compiled.sha256, sizeof(sha256));
	compiled_free(&source->compiled);
	source->policy->mode = SNIF_AUDIT;
	for (size_t i = 0; i < source->policy->zone_count; i++)
		source->policy->zones[i].inspected = true;
	if (compile_for_kernel(source->policy, &source->compiled))
		return EXIT_FAILED;
	memcpy(source->compiled.sha256, sha256, sizeof(sha256));
	return 0;
}

/* In one piece, so that who tries again for days can tell whether it was told. */
static void print(const struct diagnostics *diagnostics) {
	char *text = NULL;
	size_t size;
	FILE *out = text_open(&text, &size);

	if (out)
		diagnostics_print(diagnostics, out);
	if (text_close(out, &text) == 0)
		message_lines(text);
	else
		diagnostics_print(diagnostics, stderr);
	free(text);
}

/* Each of these steps returns 0, or the exit code after saying why. */

static int read_policy(struct source *source, const char *file, bool told) {
	struct diagnostics diagnostics = {0};
	int error = 0;

	source->policy = policy_load(file, &diagnostics);
	if (source->policy)
		error = warn_uninspected(source->policy, &diagnostics);
	if (told)
		print(&diagnostics);
	diagnostics_free(&diagnostics);
	if (!source->policy)
		return EXIT_USAGE;
	if (error) {
		message_error("cannot look at the policy: %s", strerror(-error));
		return EXIT_FAILED;
	}
	if (!whole_path(source->policy->file, source->file))
		return 0;
	message_error("cannot tell the whole path of %s: %s", file, strerror(errno));
	return EXIT_USAGE;
}

static int compile(struct source *source, const char *sha256) {
	int code = compile_for_kernel(source->policy, &source->compiled) ? EXIT_FAILED : check_digest(source, sha256);

	return !code && source->audit ? compile_for_audit(source) : code;
}

static int load(struct source *source, const char *file, const char *sha256, bool audit, bool told) {
	int code;

	*source = (struct source){.audit = audit};
	if (strcmp(file, "-") == 0) {
		message_error("a policy that stays in force has to be a file, which can be read again");
		return EXIT_USAGE;
	}
	code = read_policy(source, file, told);
	if (!code)
		code = compile(source, sha256);
	if (code)
		source_free(source);
	return code;
}

int source_load(struct source *source, const char *file, const char *sha256, bool audit) {
	return load(source, file, sha256, audit, true);
}

int source_look(struct source *source, const char *file, bool audit) {
	return load(source, file, NULL, audit, false);
}

void source_free(struct source *source) {
	compiled_free(&source->compiled);
	policy_free(source->policy);
	source->policy = NULL;
}

static void free_paths(char **paths) {
	for (char **path = paths; path && *path; path++)
		free(*path);
	free(paths);
}

/* The whole paths of the files beside the policy's. NULL with errno set. Freed with free_paths(). */
static char **paths_beside(const struct policy *policy) {
	char **paths = calloc(policy->file_count + 1, sizeof(*paths)), path[PATH_MAX];

	for (size_t i = 0; paths && i < policy->file_count; i++)
		if (whole_path(policy->files[i], path) || !(paths[i] = strdup(path))) {
			free_paths(paths);
			return NULL;
		}
	return paths;
}

int source_note(const struct source *source, const char *instance, const struct filter *filter, uint32_t number) {
	struct ledger_policy entry = {
		.number = number,
		.generation = filter_active(filter, number).generation,
		.file = (char *)source->file,
		.name = source->policy->name,
		.mode = source->policy->mode,
		.audit = source->audit,
		.since = time(NULL),
	};
	char **beside = paths_beside(source->policy);
	int error = beside ? 0 : -errno;

	entry.beside = beside;
	entry.beside_count = source->policy->file_count;
	memcpy(entry.sha256, source->compiled.sha256, sizeof(entry.sha256));
	sha256_hex(source->compiled.settings.sha256, entry.tables);
	if (!error)
		error = ledger_note_policy(instance, &entry, source->policy);
	free_paths(beside);
	if (error)
		message_error("cannot note the policy in " INSTANCE_ROOT "/%s: %s", instance, strerror(-error));
	return error;
}

int source_need_root(const char *subcommand) {
	if (geteuid() == 0)
		return 0;
	message_error("%s needs root, to load BPF programs and attach them: try 'sudo snifence %s ...'", subcommand,
		      subcommand);
	return EXIT_FAILED;
}
