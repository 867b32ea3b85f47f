/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that can fail while a filter is loaded, a running cgroup is attached, reloaded and detached, and the filter
 * unloaded, one after another ──► it is done, or it is not and there is a message; and the same command, given again, does
 * it. The environment:
 *
 *	FAULTS=N	tries a twentieth of N points of each command and kind, chosen by SEED; FAULTS=all: all
 *	FAULTS_TEST=T	runs this test alone, of test_load, test_attach, test_reload, test_detach, test_unload and
 *			test_status
 *	FAULTS_POINT=P	tries this point alone there, and shows what it prints
 *	FAULTS_TABLE=F	where the numbers go
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/resident.h"
#include "allocation.h"
#include "base/message.h"
#include "faults.h"

enum { SHARE = 20, MOST_WORDS = 8, TEXT = 128 };

static const char *const words[OUTCOMES] = {"untried",	   "not reached", "done", "not done, with a message",
					    "ended early", "findings"};

struct command {
	const char *const *words;
	/* Brings about what it starts from, which is also what `again` leaves. */
	void (*begin)(void);
	/* What is wrong with what it has left, where it says that it was done, or not; NULL: nothing. */
	const char *(*judge)(bool done);
	/* What is wrong after the command was given again and has said that it was done; undoes it. */
	const char *(*again)(void);
};

static const char *policy_path;
static char messages[OUTPUT]; /* of the command with the fault */
static bool second;	      /* which of two policies the file has */
static const char *load_words[] = {"load", NULL}, *unload_words[] = {"unload", NULL};
static const char *attach_words[] = {"attach", NULL, "--cgroup", NULL, NULL};
static const char *detach_words[] = {"detach", "--cgroup", NULL, NULL}, *reload_words[] = {"reload", NULL, NULL};
static const char *status_words[] = {"status", "--json", NULL};

static int run(const char *const list[]) {
	const char *argv[MOST_WORDS] = {"build/snifence"};

	for (size_t i = 0; list[i]; i++)
		argv[i + 1] = list[i];
	return resident_run_quietly(argv);
}

static void begin_attached(void) {
	assert_int_equal(run(attach_words), 0);
}

/* ---- load ----------------------------------------------------------------------------------------------------------- */

static void begin_unloaded(void) {
	assert_int_equal(run(unload_words), 0);
}

/* With nothing from before, which would be used again. */
static void begin_loaded(void) {
	begin_unloaded();
	assert_int_equal(run(load_words), 0);
}

static bool is_loaded(void) {
	return resident_is_pinned("/run/snifence/bpf/*_0/snif_egress");
}

static const char *judge_load(bool done) {
	if (done == is_loaded())
		return NULL;
	return done ? "nothing is loaded" : "it is loaded";
}

static const char *load_again(void) {
	if (!is_loaded())
		return "nothing is loaded";
	if (resident_is_pinned("/run/snifence/bpf/*_new"))
		return "the half of an instance is left";
	return run(unload_words) || resident_is_pinned("/run/snifence") ? "it cannot be unloaded" : NULL;
}

/* ---- attach --------------------------------------------------------------------------------------------------------- */

/* Where it was only the line about it that could not be written, it says so. */
static bool says_that_it_stands(void) {
	return strstr(messages, "what was attached stays so") != NULL;
}

static const char *judge_attached(bool done) {
	const char *untruth = resident_untruth();
	bool live = strcmp(resident_state(), "live") == 0;

	if (untruth || live == (done || says_that_it_stands()))
		return untruth;
	return live ? "it is attached" : "status does not say that it is attached";
}

static const char *attach_again(void) {
	const char *wrong = judge_attached(true);

	return wrong || run(detach_words) == 0 ? wrong : "it cannot be detached";
}

/* ---- reload --------------------------------------------------------------------------------------------------------- */

static const char *const places[2] = {"198.51.100.1", "203.0.113.1"};

/* The policy's file has the other rule. */
static void begin_reload(void) {
	static char text[512];
	FILE *file;

	second = !second;
	snprintf(text, sizeof(text), RESIDENT_ALLOW("kept.lab.test") "direct: {allow: [%s]}\n", places[second]);
	file = fopen(policy_path, "we");
	assert_true(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static int connect_to(void *address) {
	return lab_dial(address, 9) == -EPERM;
}

/* It can be in force, and not be noted: then the message says so. */
static const char *judge_reload(bool done) {
	bool before = resident_inside(resident_cgroup(), connect_to, (void *)places[!second]) == 0;
	bool now = resident_inside(resident_cgroup(), connect_to, (void *)places[second]) == 0;

	if (before == now)
		return before ? "both policies are in force" : "neither policy is in force";
	return done && before ? "the policy before is still in force" : NULL;
}

static const char *reload_again(void) {
	return judge_reload(true);
}

/* ---- detach --------------------------------------------------------------------------------------------------------- */

static const char *judge_detach(bool done) {
	const char *untruth = resident_untruth();

	return untruth || !done || resident_count("attachments") == 0 ? untruth : "it is attached";
}

static const char *detach_again(void) {
	const char *wrong = judge_detach(true);

	begin_attached();
	return wrong;
}

/* ---- unload --------------------------------------------------------------------------------------------------------- */

static const char *judge_unload(bool done) {
	const char *untruth = resident_untruth();

	return untruth || !done || !resident_is_pinned("/run/snifence/bpf/*_*") ? untruth : "something is left";
}

static const char *unload_again(void) {
	return judge_unload(true);
}

/* ---- status --------------------------------------------------------------------------------------------------------- */

/* What it says without a fault; "" before the first time. */
static char expected[OUTPUT];

static const char *judge_status(bool done) {
	static char said[OUTPUT];

	program_read_output(said);
	if (getenv("FAULTS_POINT"))
		printf("  it says: %s", said);
	if (!*expected)
		strcpy(expected, said);
	return done && strcmp(said, expected) != 0 ? "it says something else" : NULL;
}

static const char *nothing_more(void) {
	return NULL;
}

/* ---- a command ------------------------------------------------------------------------------------------------------ */

/* json-c, by which what is noted is read, does not survive each allocation that fails. */
static bool is_of_json_c(const struct point *point) {
	const char *fell = program_allocations()->fell;

	return point && point->call < 0 && strncmp(fell, "libjson-c.", 10) == 0;
}

/* Whether the command has done its part, or what came of it otherwise. Where json-c has ended it, that is counted, and has
 * to leave as little behind as any other end. */
static bool is_done(const struct ended *ended, const struct point *point, struct result *wrong) {
	int code = WIFEXITED(ended->status) ? WEXITSTATUS(ended->status) : -1;

	program_read_messages(messages);
	if (getenv("FAULTS_POINT"))
		printf("  exit status %d: %s", code, messages);
	if (ended->hung)
		*wrong = finding("not done after %d s", TRIAL_MS / 1000);
	else if (ended->left)
		*wrong = finding("a process of its own is left");
	else if (code < 0 && is_of_json_c(point))
		wrong->outcome = ENDED_EARLY;
	else if (code < 0)
		*wrong = finding("ended by signal %d in %s", WTERMSIG(ended->status), program_allocations()->fell);
	else if (code != 0 && code != EXIT_FAILED && code != EXIT_USAGE)
		*wrong = finding("exit status %d", code);
	else if (code != 0 && !*messages)
		*wrong = finding("exit status %d without a message", code);
	return code == 0;
}

static struct ended run_with(const struct command *command, const struct point *point, struct points *calls) {
	char *argv[MOST_WORDS] = {(char *)"build/snifence"};

	for (size_t i = 0; command->words[i]; i++)
		argv[i + 1] = (char *)command->words[i];
	return program_run(argv, point, calls, !calls);
}

/* Gives it again when it was not done, or when what it has done is not to be there any more. */
static const char *give_again(const struct command *command) {
	int code = run(command->words);

	/* detach says so where there is nothing to detach */
	if (code && !(command->words == detach_words && code == EXIT_FAILED))
		return "it cannot be given again";
	return command->again();
}

static struct result try_one(const struct command *command, const struct point *point) {
	struct result result = {.outcome = UNTRIED};
	const char *wrong;
	bool done;

	command->begin();
	struct ended ended = run_with(command, point, NULL);
	bool met = program_met(point, &ended);
	done = is_done(&ended, point, &result);
	wrong = command->judge(done);
	if (wrong && result.outcome != FINDING)
		result = finding("said that it was %s: %s", done ? "done" : "not done", wrong);
	wrong = give_again(command);
	if (wrong && result.outcome != FINDING)
		result = finding("given again: %s", wrong);
	if (result.outcome == UNTRIED)
		result.outcome = done ? met ? CONFINED : NOT_REACHED : NOT_STARTED;
	return result;
}

static void try_all(const struct command *command, const char *kind, const struct points *points) {
	size_t counts[OUTCOMES] = {0};
	double begun = told_now();

	for (size_t i = 0; i < points->count; i++) {
		struct result result = try_one(command, &points->points[i]);
		counts[result.outcome]++;
		if (result.outcome == FINDING)
			told_finding(&points->points[i], result.text);
	}
	told_numbers(kind, words, counts, told_now() - begun);
	assert_int_equal(counts[FINDING], 0);
}

/* Without a fault it is done. */
static void do_well(const struct command *command, struct points *calls) {
	struct result wrong;

	command->begin();
	struct ended ended = run_with(command, NULL, calls);
	bool done = is_done(&ended, NULL, &wrong);
	const char *why = done ? command->judge(true) : "it is not done";
	if (!why)
		why = give_again(command);
	if (why)
		fail_msg("%s without a fault: %s", command->words[0], why);
}

/* What can fail in it, of each kind. */
static void find_points(const struct command *command, struct points *calls, struct points *taken) {
	const char *wanted = getenv("FAULTS");
	struct points bare = {0};

	do_well(command, &bare);
	*calls = points_with_errors(&bare, wanted && *wanted);
	do_well(command, NULL);
	*taken = points_of_allocations(program_allocations());
	told_sample(calls, SHARE);
	told_sample(taken, SHARE);
}

static void try_command(const struct command *command) {
	char kind[TEXT];
	struct points calls, taken;
	struct point point;

	if (getenv("FAULTS_POINT")) {
		assert_true(point_parse(getenv("FAULTS_POINT"), &point));
		try_all(command, command->words[0], &(struct points){&point, 1});
		return;
	}
	find_points(command, &calls, &taken);
	snprintf(kind, sizeof(kind), "%s, system calls", command->words[0]);
	try_all(command, kind, &calls);
	snprintf(kind, sizeof(kind), "%s, allocations", command->words[0]);
	try_all(command, kind, &taken);
}

/* ---- the tests ------------------------------------------------------------------------------------------------------ */

static void nothing(void) {
}

static void begin(void) {
	static bool prepared;

	resident_begin();
	lab_server(LAB_TLS, "192.0.2.1", 443);
	if (!prepared)
		program_prepare();
	prepared = true;
	policy_path = attach_words[1] = reload_words[1] = lab_write("faults.yaml", RESIDENT_ALLOW("kept.lab.test"));
	attach_words[3] = detach_words[2] = resident_cgroup()->path;
	assert_int_equal(run(load_words), 0);
}

static void test_load(void **state) {
	(void)state;
	begin();
	begin_unloaded();
	try_command(&(struct command){load_words, nothing, judge_load, load_again});
}

static void test_attach(void **state) {
	(void)state;
	begin();
	try_command(&(struct command){attach_words, begin_loaded, judge_attached, attach_again});
}

static void test_reload(void **state) {
	(void)state;
	begin();
	begin_attached();
	try_command(&(struct command){reload_words, begin_reload, judge_reload, reload_again});
}

static void test_detach(void **state) {
	(void)state;
	begin();
	begin_attached();
	try_command(&(struct command){detach_words, nothing, judge_detach, detach_again});
}

static void test_unload(void **state) {
	(void)state;
	begin();
	try_command(&(struct command){unload_words, begin_attached, judge_unload, unload_again});
}

static void test_status(void **state) {
	(void)state;
	begin();
	begin_attached();
	expected[0] = '\0';
	do_well(&(struct command){status_words, nothing, judge_status, nothing_more}, NULL);
	try_command(&(struct command){status_words, nothing, judge_status, nothing_more});
}

int main(void) {
	const struct CMUnitTest tests[] = {
		resident_test(test_load),   resident_test(test_attach), resident_test(test_reload),
		resident_test(test_detach), resident_test(test_unload), resident_test(test_status),
	};

	if (getenv("FAULTS_TEST"))
		cmocka_set_test_filter(getenv("FAULTS_TEST"));
	return cmocka_run_group_tests_name("resident faults", tests, NULL, NULL);
}
