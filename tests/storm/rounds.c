/* SPDX-License-Identifier: BSD-2-Clause */
/* One round after the other ──► the first that fails, with its seed. */
#include "rounds.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "../support/lab.h"
#include "random.h"

enum { AGAIN = 4 };

static const struct rounds *all;
static uint64_t this_seed;

uint64_t rounds_seed(void) {
	return this_seed;
}

void rounds_count(uint64_t done, const char *line, ...) {
	va_list arguments;

	printf("round %" PRIu64 ": %" PRIu64 " %s, ", this_seed, done, all->what);
	va_start(arguments, line);
	vprintf(line, arguments);
	va_end(arguments);
	putchar('\n');
}

/* True: the round passed. What it printed is in `output`, as far as it fits. */
static bool run_round(uint64_t seed, uint64_t *done, char *output, size_t size) {
	char command[4200];
	uint64_t count = 0;
	const char *line;
	size_t length;
	FILE *pipe;

	snprintf(command, sizeof(command), "exec '%s' round %" PRIu64 " 2>&1", lab_self(), seed);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	length = fread(output, 1, size - 1, pipe);
	output[length] = '\0';
	assert_int_equal(strlen(output), length); /* a round's report is text: what it sends goes to sockets alone */
	while (fgetc(pipe) != EOF)
		;
	line = strstr(output, "round ");
	if (line && sscanf(line, "round %*u: %" SCNu64, &count) == 1)
		*done += count;
	return pclose(pipe) == 0;
}

/* Once more, a few times: what takes two threads at once need not happen each time. */
static void fail_round(uint64_t seed, unsigned round, double seconds) {
	static char output[1 << 16];
	uint64_t done = 0;
	unsigned again = 0;

	for (int i = 0; i < AGAIN; i++)
		again += !run_round(seed, &done, output, sizeof(output));
	fail_msg("after %.0f s, in round %u; it fails again in %u of %d times: make storm %s=1 %s=%" PRIu64, seconds,
		 round, again, AGAIN, all->time_variable, all->seed_variable, seed);
}

static uint64_t first_seed(void) {
	const char *given = getenv(all->seed_variable);
	uint32_t drawn = 0;

	if (given && *given)
		return strtoull(given, NULL, 0);
	assert_int_equal(getrandom(&drawn, sizeof(drawn), 0), sizeof(drawn));
	return drawn;
}

static double milliseconds(void) {
	const char *given = getenv(all->time_variable);

	return 1000.0 * (given && *given ? atoi(given) : all->time);
}

static void all_rounds_pass(void **state) {
	static char output[1 << 16];
	struct random seeds = {first_seed()};
	double begin = lab_now_ms(), end = begin + milliseconds();
	uint64_t seed = seeds.state, done = 0;
	unsigned rounds = 0;

	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: needs root\n");
		skip();
	}
	print_message("the first round's seed is %" PRIu64 "\n", seed);
	do {
		rounds++;
		if (!run_round(seed, &done, output, sizeof(output))) {
			fputs(output, stdout); /* print_message() cuts */
			fail_round(seed, rounds, (lab_now_ms() - begin) / 1000);
		}
		seed = random_next(&seeds) >> 32;
	} while (lab_now_ms() < end);
	print_message("%u rounds, %" PRIu64 " %s, %.0f per second\n", rounds, done, all->what,
		      1000.0 * (double)done / (lab_now_ms() - begin));
}

int rounds_main(const struct rounds *rounds, int argc, char **argv) {
	const struct CMUnitTest one[] = {{"one_round", rounds->round, NULL, lab_leave, NULL}};
	const struct CMUnitTest every[] = {cmocka_unit_test(all_rounds_pass)};

	all = rounds;
	if (argc != 3 || strcmp(argv[1], "round") != 0)
		return cmocka_run_group_tests_name(rounds->name, every, NULL, NULL);
	this_seed = strtoull(argv[2], NULL, 0);
	return cmocka_run_group_tests_name(rounds->name, one, NULL, NULL);
}
