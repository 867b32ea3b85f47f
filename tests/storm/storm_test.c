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

static void attack_under_run(const char *policy, struct attack *attack) {
	char seed[32];
	struct lab_program *program;

	snprintf(seed, sizeof(seed), "%" PRIu64, plan.seed);
	program = lab_snifence(policy, (const char *[]){"--quiet", "--user", "65534:65534", NULL},
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

/* With audit mode, everything gets out, and the recorder has to say so. */
static void judge_round(void) {
	finding_summary();
	if (!plan.audit) {
		assert_int_equal(finding_sum(), 0);
		return;
	}
	assert_true(finding_count(FINDING_TCP) > 0);
	assert_true(finding_count(FINDING_UDP) > 0);
	assert_true(finding_count(FINDING_NAME) + finding_count(FINDING_STREAM) > 0);
}

static void a_round(void **state) {
	char in_force[STORM_POLICY_SIZE + 16];
	struct attack *attack;
	struct compiled compiled;
	struct recorded recorded;
	int there;

	(void)state;
	storm_plan(&plan, rounds_seed());
	lab_enter();
	alarm((unsigned)(ROUND_SECONDS * lab_slowness()));
	there = world_make();
	attack = lab_shared(sizeof(*attack));
	compiled = compile(plan.policy);
	recorder_listen(there, &compiled);
	recorder_start();
	servers_start(there, plan.seed);
	snprintf(in_force, sizeof(in_force), "%s%s", plan.policy, plan.audit ? "mode: audit\n" : "");
	if (plan.run) {
		attack_under_run(in_force, attack);
	} else {
		lab_confine(in_force);
		assert_int_equal(lab_inside(attack_inside, attack), 0);
	}
	servers_stop();
	recorded = recorder_stop();
	compiled_free(&compiled);
	rounds_count(attack->calls,
		     "%" PRIu64 " frames, %" PRIu64 " hellos, %" PRIu64 " missed; %u processes of %u threads%s%s",
		     recorded.frames, recorded.hellos, recorded.missed, plan.processes, plan.threads,
		     plan.run ? ", under run" : "", plan.audit ? ", audit" : "");
	judge_round();
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
