/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy's file as it is now ──► in force for all that is attached under it. */
#include "control/reload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/command_line.h"
#include "base/message.h"
#include "cgroup/cgroup_place.h"
#include "control/carried.h"
#include "control/repair.h"
#include "control/revoked.h"
#include "filter/ledger.h"

static const char usage[] =
	"Usage: snifence reload [OPTION…] POLICY\n"
	"\n"
	"Puts POLICY as it is now in force for all that is attached under that file, at once. Open\n"
	"connections are judged again with their next packet, by the name that they began with: what is\n"
	"not allowed any more ends, all else goes on. A file with an error changes nothing.\n"
	"\n"
	"  --audit             refuse nothing, and tell what would be refused\n"
	"  --sha256 HEX        refuse POLICY unless `snifence check` shows this digest of it\n"
	"  --dry-run           show which rules would come and go, and which open connections would be cut,\n"
	"                      and change nothing\n"
	"  --help              this text\n"
	"\n"
	"Exit status:\n"
	"  0    it is in force\n"
	"  2    the command line or the policy is wrong; nothing has changed\n"
	"  125  snifence could not do its part, or nothing is attached under POLICY\n";

static const struct option table[] = {
	{"audit", no_argument, NULL, 'a'},
	{"sha256", required_argument, NULL, 's'},
	{"dry-run", no_argument, NULL, 'n'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct reload {
	bool audit, dry_run;
	const char *sha256;
	struct source source;
	struct instances instances;
};

static int take(int option, void *context) {
	struct reload *reload = context;

	if (option == 'a')
		reload->audit = true;
	else if (option == 'n')
		reload->dry_run = true;
	else
		reload->sha256 = optarg;
	return 0;
}

/* Returns 1; 0 where the instance is not there or does not have it; or a negative errno, after saying why. */
static int reload_in(struct instances *instances, unsigned number, const struct source *source) {
	struct filter *filter = instance_open(instances, number);
	char name[INSTANCE_NAME];
	int policy, error;

	if (!filter)
		return errno == ENOENT ? 0 : -errno;
	instance_name(number, name);
	policy = ledger_find_policy(name, filter, source->file);
	if (policy <= 0)
		return policy;
	filter_distrust_tables(filter, (uint32_t)policy);
	error = carry_over(name, filter, (uint32_t)policy, source, filter_active(filter, 0).generation + 1);
	if (error)
		message_error("cannot keep the addresses of names: %s", strerror(-error));
	else
		error = filter_set_policy(filter, (uint32_t)policy, &source->compiled);
	if (error)
		return error;
	/* what was found since; without it those names have to be looked up anew */
	carry_over(name, filter, (uint32_t)policy, source, filter_active(filter, (uint32_t)policy).generation);
	error = source_note(source, name, filter, (uint32_t)policy);
	if (error)
		message_error(
			"the policy is in force all the same; reload it again, so that `snifence status` tells of it");
	return error ? error : 1;
}

int reload_everywhere(struct instances *instances, const struct source *source) {
	int count = 0, done = 0;

	for (unsigned i = 0; i < INSTANCES && done >= 0; i++) {
		done = reload_in(instances, i, source);
		count += done > 0;
	}
	return done < 0 ? done : count;
}

static int compare_texts(const void *a, const void *b) {
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Prints the rules that only the one has. Returns 0 or -ENOMEM. */
static int print_missing(const struct policy *from, const struct policy *in, char sign) {
	const char **texts = calloc(in->rule_count + 1, sizeof(*texts));

	if (!texts)
		return -ENOMEM;
	for (size_t i = 1; i < in->rule_count; i++)
		texts[i - 1] = in->rules[i].text;
	qsort(texts, in->rule_count - 1, sizeof(*texts), compare_texts);
	for (size_t i = 1; i < from->rule_count; i++) {
		if (bsearch(&from->rules[i].text, texts, in->rule_count - 1, sizeof(*texts), compare_texts))
			continue;
		printf("%c ", sign);
		print_escaped(stdout, from->rules[i].text, strlen(from->rules[i].text));
		putchar('\n');
	}
	free(texts);
	return 0;
}

/* Returns 0 or a negative errno. */
static int show_rules(const char *instance, uint32_t number, const struct source *source) {
	struct ledger_policy entry;
	struct policy *before;
	char sha256[SHA256_HEX];
	int error = ledger_read_policy(instance, number, &entry);

	if (error)
		return error;
	before = ledger_rules(instance, number, entry.generation, sha256);
	ledger_policy_free(&entry);
	if (!before)
		return -ENOENT;
	error = print_missing(before, source->policy, '-');
	if (!error)
		error = print_missing(source->policy, before, '+');
	policy_free(before);
	return error;
}

/* Returns as reload_in(). The same file has the same rules everywhere: these are shown once. */
static int show_difference(struct instances *instances, unsigned number, const struct source *source, bool first) {
	const struct filter *filter = instance_open(instances, number);
	char name[INSTANCE_NAME];
	int root_fd, cut, error, policy;
	struct carried carried;

	if (!filter)
		return errno == ENOENT ? 0 : -errno;
	policy = ledger_find_policy(instance_name(number, name), filter, source->file);
	if (policy <= 0)
		return policy;
	error = first ? show_rules(name, (uint32_t)policy, source) : 0;
	if (error == -ENOENT)
		return 0;
	root_fd = error ? error : cgroup_place_root();
	if (root_fd < 0)
		return root_fd;
	cut = carried_read(&carried, name, filter, (uint32_t)policy, source, 0);
	if (!cut)
		cut = revoked_print(filter, (uint32_t)policy, &source->compiled, &carried, root_fd);
	carried_free(&carried);
	close(root_fd);
	return cut < 0 ? cut : 1;
}

static int show_differences(struct instances *instances, const struct source *source) {
	int count = 0, done = 0;

	for (unsigned i = 0; i < INSTANCES && done >= 0; i++) {
		done = show_difference(instances, i, source, count == 0);
		count += done > 0;
	}
	if (done < 0)
		message_error("cannot look at what is open: %s", strerror(-done));
	return done < 0 ? done : count;
}

static int do_reload(struct reload *reload, const char *policy) {
	int code = source_need_root("reload"), done;

	if (!code)
		code = source_load(&reload->source, policy, reload->sha256, reload->audit);
	if (code)
		return code;
	done = instances_take(&reload->instances, false);
	if (!done)
		done = repair(&reload->instances);
	/* what is open is looked at by calls that its process can make wait for ever */
	if (!done && reload->dry_run)
		instances_let_go(&reload->instances);
	if (!done)
		done = reload->dry_run ? show_differences(&reload->instances, &reload->source)
				       : reload_everywhere(&reload->instances, &reload->source);
	if (done == 0 || done == -ENOENT)
		message_error("nothing is attached under %s; `snifence status` lists what is", reload->source.file);
	instances_release(&reload->instances);
	source_free(&reload->source);
	return done > 0 ? 0 : EXIT_FAILED;
}

int reload_main(int argc, char **argv) {
	static const struct command_line line = {"reload", usage, ":", table, take};
	struct reload reload = {.instances = {.root_fd = -1}};
	int result = command_line_read(&line, argc, argv, &reload);

	if (result)
		return result < 0 ? EXIT_USAGE : 0;
	if (optind + 1 == argc)
		return do_reload(&reload, argv[optind]);
	if (optind < argc)
		command_line_wrong("reload", "one policy at a time; what is this: ", argv[optind + 1]);
	else
		command_line_wrong("reload", "the policy is missing", "");
	return EXIT_USAGE;
}
