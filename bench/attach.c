/* SPDX-License-Identifier: BSD-2-Clause */
/* 200 cgroups under 20 policies, attached one after the other ──► how long each command takes, and what stays in the
 * kernel. */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <unistd.h>

#include "support/bench.h"
#include "support/memory.h"
#include "support/sides.h"

enum { POLICIES = 20, CGROUPS = 200, QUICK_CGROUPS = 40 };

#define SNIFENCE "build/snifence"

/* Milliseconds that a command takes, from the fork to the end: without sides_start(), as to move a process into a cgroup
 * takes longer. */
static double time_command(const char *const argv[]) {
	posix_spawn_file_actions_t quiet;
	uint64_t began = bench_now();
	pid_t pid;

	if (posix_spawn_file_actions_init(&quiet) ||
	    posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) ||
	    posix_spawn(&pid, argv[0], &quiet, NULL, (char *const *)argv, environ))
		bench_fail("cannot start %s", argv[0]);
	if (sides_wait(pid, NULL))
		bench_fail("%s %s failed", argv[0], argv[1]);
	posix_spawn_file_actions_destroy(&quiet);
	return (double)(bench_now() - began) / 1e6;
}

static const char *write_policy(unsigned number) {
	char name[32], text[160];

	snprintf(name, sizeof(name), "policy-%u.yaml", number);
	snprintf(text, sizeof(text),
		 "version: 1\ndns: {servers: none}\ntls: {to: [203.0.113.0/24], allow: [n%u.bench.test]}\n", number);
	return sides_write(name, text);
}

static const char *make_cgroup(unsigned number) {
	static char path[512];
	char name[32];

	snprintf(name, sizeof(name), "attached-%u", number);
	cell_make(NULL, name);
	snprintf(path, sizeof(path), "%s/%s", bench_cgroup()->path, name);
	return path;
}

/* The first of each policy puts that in force; the rest are as many. */
static void attach_all(unsigned count, const char *const policies[POLICIES]) {
	static double ms[CGROUPS];

	for (unsigned i = 0; i < count; i++) {
		const char *argv[] = {SNIFENCE, "attach", policies[i % POLICIES], "--cgroup", make_cgroup(i), NULL};

		ms[i] = time_command(argv);
	}
	bench_sample("first", "ms", bench_median(ms, POLICIES), NULL);
	bench_sample("command", "ms", bench_median(ms + POLICIES, count - POLICIES), "status");
}

static void measure(const void *argument) {
	const char *const status[] = {SNIFENCE, "status", NULL}, *const version[] = {SNIFENCE, "version", NULL};
	const char *policies[POLICIES];
	unsigned count = bench_count(CGROUPS, QUICK_CGROUPS);
	size_t before;

	(void)argument;
	for (unsigned i = 0; i < POLICIES; i++)
		policies[i] = write_policy(i);
	sides_command(NEAR, (const char *const[]){SNIFENCE, "load", NULL});
	bench_sample("version", "ms", time_command(version), NULL);
	before = memory_of_kernel();
	attach_all(count, policies);
	bench_sample("memory", "bytes", ((double)memory_of_kernel() - (double)before) / count, NULL);
	bench_sample("status", "ms", time_command(status), NULL);
	sides_command(NEAR, (const char *const[]){SNIFENCE, "unload", NULL});
}

static void run(const void *argument) {
	sides_run(measure, argument);
}

static const struct bench_case cases[] = {{"attach/many", run, NULL}};

int main(int argc, char **argv) {
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
