/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Seeds ──► rounds, each a process with a world of its own ──► nothing arrives that the policy could not allow.
 *
 *	STORM_TIME=600  so many seconds
 *	STORM_SEED=n    the first round has this seed; else one from the clock
 *	STORM_KNOWN='…' kinds of findings that do not count, for who looks for others
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/lab.h"
#include "finding.h"
#include "random.h"
#include "recorder.h"
#include "servers.h"
#include "storm.h"
#include "world.h"

enum { ROUND_SECONDS = 30, TIME = 60, AGAIN = 4 };

/* ---- a round ------------------------------------------------------------------------------------------------------ */

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
	printf("round %" PRIu64 ": %" PRIu64 " calls, %" PRIu64 " frames, %" PRIu64
	       " missed; %u processes of %u threads%s\n",
	       plan.seed, attack->calls, frames, missed, plan.processes, plan.threads, plan.run ? ", under run" : "");
	finding_summary();
	assert_int_equal(finding_count(), 0);
}

static int run_round(void) {
	const struct CMUnitTest tests[] = {lab_test(a_round)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* ---- all rounds --------------------------------------------------------------------------------------------------- */

struct sums {
	unsigned rounds;
	uint64_t calls, frames;
};

/* Runs a round in a process of its own. True: nothing was found. What it printed stays in `output`. */
static bool round_of(uint64_t seed, struct sums *sums, char *output, size_t size) {
	char command[64];
	uint64_t calls = 0, frames = 0;
	const char *line;
	size_t length;
	FILE *pipe;
	int status;

	snprintf(command, sizeof(command), "exec %s round %" PRIu64 " 2>&1", lab_self(), seed);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	length = fread(output, 1, size - 1, pipe);
	output[length] = '\0';
	while (fgetc(pipe) != EOF)
		;
	status = pclose(pipe);
	line = strstr(output, "round ");
	if (line && sscanf(line, "round %*u: %" SCNu64 " calls, %" SCNu64, &calls, &frames) == 2) {
		sums->rounds++;
		sums->calls += calls;
		sums->frames += frames;
	}
	return status == 0;
}

static uint64_t first_seed(void) {
	const char *given = getenv("STORM_SEED");
	uint64_t seed = 0;

	if (given && *given)
		return strtoull(given, NULL, 0);
	assert_int_equal(getrandom(&seed, sizeof(seed), 0), sizeof(seed));
	return seed >> 32;
}

static double time_of_all(void) {
	const char *given = getenv("STORM_TIME");

	return 1000.0 * (given && *given ? atoi(given) : TIME);
}

static void nothing_gets_out(void **state) {
	static char output[1 << 16];
	struct random seeds = {first_seed()};
	double begin = lab_now_ms(), end = begin + time_of_all();
	uint64_t seed = seeds.state;
	struct sums sums = {0};

	(void)state;
	print_message("the first round's seed is %" PRIu64 "\n", seed);
	do {
		if (!round_of(seed, &sums, output, sizeof(output))) {
			print_message("%s", output);
			fail_msg(
				"found after %.0f s and %u rounds; once more: make storm STORM_TIME=1 STORM_SEED=%" PRIu64,
				(lab_now_ms() - begin) / 1000, sums.rounds, seed);
		}
		seed = random_next(&seeds) >> 32;
	} while (lab_now_ms() < end);
	print_message("%u rounds, %" PRIu64 " calls (%.0f per second), %" PRIu64 " frames that arrived\n", sums.rounds,
		      sums.calls, 1000.0 * (double)sums.calls / (lab_now_ms() - begin), sums.frames);
}

static int attack(void) {
	uint64_t calls = 0;
	int error = storm_attack(&plan, &calls);

	printf("%" PRIu64 "\n", calls);
	return error ? 1 : 0;
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_gets_out)};

	if (argc == 3) {
		storm_plan(&plan, strtoull(argv[2], NULL, 0));
		return strcmp(argv[1], "attack") == 0 ? attack() : run_round();
	}
	return cmocka_run_group_tests_name("storm", tests, NULL, NULL);
}
