/* SPDX-License-Identifier: BSD-2-Clause */
/* What a run has counted ──► a line of its log. */
#include "run/stats.h"

#include <limits.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* As a path from the root, so that a reader finds it from wherever it is; a policy that is no file has none. */
static void put_file(struct log *log, const struct policy *policy) {
	char *path = realpath(policy->file, NULL);

	if (path)
		log_text(log, "policy_file", path);
	free(path);
}

/* Without the command's arguments: they may be secrets, and logs go to many places. */
static void put_run(struct log *log, const char *program) {
	char host[HOST_NAME_MAX + 1];

	if (gethostname(host, sizeof(host)) == 0)
		log_text(log, "host", host);
	log_text(log, "program", program);
}

static void put_policy(struct log *log, const struct event_context *context) {
	log_text(log, "policy", context->policy->name);
	put_file(log, context->policy);
	log_text(log, "policy_sha256", context->policy_sha256);
	log_text(log, "mode", context->policy->mode == SNIF_AUDIT ? "audit" : "enforce");
	log_open(log, "cgroup");
	log_text(log, "path", context->cgroup_path);
	log_close(log);
}

static void put_counters(struct log *log, const struct snif_counters *counters) {
	log_open(log, "counters");
	for (uint32_t reason = 0; reason < SNIF_REASON_COUNT; reason++)
		if (counters->of[reason])
			log_number(log, reason_code(reason), counters->of[reason]);
	log_close(log);
}

static void put_command(struct log *log, const struct outcome *outcome) {
	log_open(log, "command");
	log_number(log, "status", (__u64)outcome->status);
	if (outcome->signal)
		log_number(log, "signal", (__u64)outcome->signal);
	log_number(log, "outlived", (__u64)outcome->outlived);
	log_close(log);
}

int stats_write(struct log *log, const struct stats *stats) {
	struct snif_counters counters;
	struct timespec now;

	filter_counters(stats->filter, stats->policy, &counters);
	clock_gettime(CLOCK_REALTIME, &now);
	log_begin(log, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec, "stats");
	put_run(log, stats->program);
	put_policy(log, stats->context);
	log_open(log, "stats");
	log_number(log, "uptime", log_uptime(log));
	log_number(log, "allowed", stats->tally->allowed);
	log_number(log, "blocked", stats->tally->blocked);
	log_number(log, "would_block", stats->tally->would_block);
	log_number(log, "lost", counters.of[SNIF_COUNTER_LOST]);
	if (stats->unwritten)
		log_number(log, "unwritten", stats->unwritten);
	put_counters(log, &counters);
	if (stats->outcome)
		put_command(log, stats->outcome);
	log_close(log);
	return log_end(log);
}
