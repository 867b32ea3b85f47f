/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Seeds ──► rounds, each a process with a world of its own ──► nothing arrives that the policy could not allow.
 *
 *	STORM_TIME=600  so many seconds
 *	STORM_SEED=n    the first round has this seed; else one from the clock
 *	STORM_KNOWN='…' kinds of findings that do not count, for who looks for others
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/lab.h"
#include "finding.h"
#include "recorder.h"
#include "rounds.h"
#include "servers.h"
#include "storm.h"
#include "world.h"

enum { ROUND_SECONDS = 30 };

static struct storm_plan plan;

struct attack {
	uint64_t calls;
};

static int attack_inside(void *argument) {
	struct attack *attack = argument;

	return storm_attack(&plan, &attack->calls);
}

static void attack_under_run(struct attack *attack) {
	char seed[32];
	struct lab_program *program;

	snprintf(seed, sizeof(seed), "%" PRIu64, plan.seed);
	program = lab_snifence(plan.policy, (const char *[]){"--quiet", "--user", "65534:65534", NULL},
			       (const char *[]){lab_self(), "attack", seed, NULL});
	if (program->status)
		fail_msg("the command ends with %d: %s", program->status, program->err);
	attack->calls = strtoull(program->out, NULL, 10);
}

static struct compiled compile(const char *text) {
	struct diagnostics diagnostics = {0};
	struct policy *policy = policy_parse("storm.yaml", text, strlen(text), &diagnostics);
	struct compiled compiled;

	diagnostics_print(&diagnostics, stdout);
	diagnostics_free(&diagnostics);
	assert_non_null(policy);
	assert_int_equal(compile_to_ask(policy, &compiled), 0);
	policy_free(policy);
	return compiled;
}

static void a_round(void **state) {
	struct attack *attack;
	struct compiled compiled;
	uint64_t frames, missed;
	int there;

	(void)state;
	storm_plan(&plan, rounds_seed());
	lab_enter();
	alarm((unsigned)(ROUND_SECONDS * lab_slowness()));
	there = world_make();
	attack = lab_shared(sizeof(*attack));
	compiled = compile(plan.policy);
	recorder_start(there, &compiled);
	servers_start(there, plan.seed);
	if (plan.run) {
		attack_under_run(attack);
	} else {
		lab_confine(plan.policy);
		assert_int_equal(lab_inside(attack_inside, attack), 0);
	}
	servers_stop();
	frames = recorder_stop(&missed);
	compiled_free(&compiled);
	rounds_count(attack->calls, "%" PRIu64 " frames, %" PRIu64 " missed; %u processes of %u threads%s", frames,
		     missed, plan.processes, plan.threads, plan.run ? ", under run" : "");
	finding_summary();
	assert_int_equal(finding_count(), 0);
}

/* The command under `snifence run`. */
static int attack(uint64_t seed) {
	uint64_t calls = 0;
	int error;

	storm_plan(&plan, seed);
	error = storm_attack(&plan, &calls);

	printf("%" PRIu64 "\n", calls);
	return error ? 1 : 0;
}

int main(int argc, char **argv) {
	static const struct rounds rounds = {
		.name = "storm",
		.time_variable = "STORM_TIME",
		.time = 60,
		.seed_variable = "STORM_SEED",
		.what = "calls",
		.round = a_round,
	};

	if (argc == 3 && strcmp(argv[1], "attack") == 0)
		return attack(strtoull(argv[2], NULL, 0));
	return rounds_main(&rounds, argc, argv);
}
