/* SPDX-License-Identifier: BSD-2-Clause */
/* Logs ──► the tables, JSON, CSV, messages and exit codes that `snifence report` promises, byte for byte. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../support/log_maker.h"
#include "../support/output.h"
#include "../support/put_file.h"
#include "base/message.h"
#include "policy/canonical.h"
#include "report/report.h"
#include "analysis/report_words.h"

/* clang-format off */
#define OVERVIEW \
	"10 refused, 1 would be refused (audit mode), 12 allowed\n" \
	"2026-01-02 03:01:00 to 03:15:00, 1 run\n" \
	"refused, or would be, over time: ▃█           ▃          ▃▆▃                    ▃\n" \
	"\n" \
	"Most refused, or would be\n" \
	"  REFUSED  AUDITED  NAME                       REASON               ASKED BY  FIRST     LAST      OVER TIME\n" \
	"        4        0  pypi.test                  name_not_allowed     pip, uv   03:01:40  03:15:00  █              ▃\n" \
	"        1        0  api.github.test            name_elsewhere       nc        03:08:20  03:08:20          █\n" \
	"        1        0  192.0.2.1:22/TCP           address_not_allowed  ssh       03:08:50  03:08:50          █\n" \
	"        1        0  \\x1b[2J=                   name_invalid         nc        03:08:30  03:08:30          █\n" \
	"        1        0  a socket of protocol ICMP  socket_type          ping      03:08:40  03:08:40          █\n" \
	"        1        0  api.gihtub.test            name_not_allowed     python3   03:01:00  03:01:00  █\n" \
	"        1        0  docs.github.test           name_not_allowed     curl      03:05:00  03:05:00      █\n" \
	"        0        1  later.test                 name_not_allowed     curl      03:09:00  03:09:00          █\n" \
	"\n" \
	"Close to what is allowed\n" \
	"  TIMES  NAME              CLOSE TO\n" \
	"      4  pypi.test         *.pypi.test is allowed, which does not cover pypi.test itself\n" \
	"      1  api.gihtub.test   api.github.test is allowed: a misspelling, or an imitation\n" \
	"      1  docs.github.test  api.github.test is allowed, of the same domain\n" \
	"\n" \
	"Looks like an attempt to get around the filter, not like a missing rule\n" \
	"  REFUSED  AUDITED  REASON        WHAT                       ASKED BY  FIRST     LAST      OVER TIME\n" \
	"        1        0  name_invalid  \\x1b[2J=                   nc        03:08:30  03:08:30          █\n" \
	"        1        0  socket_type   a socket of protocol ICMP  ping      03:08:40  03:08:40          █\n" \
	"\n" \
	"Elsewhere than allowed names are: an old list or cache of them, or an attempt\n" \
	"  REFUSED  AUDITED  REASON          WHAT             ASKED BY  FIRST     LAST      OVER TIME\n" \
	"        1        0  name_elsewhere  api.github.test  nc        03:08:20  03:08:20          █\n" \
	"\n" \
	"What is not in this report\n" \
	"  5 events were lost while the command ran (the ring buffer was full)\n" \
	"  1 line is missing from between the others\n" \
	"  1 bad line was passed over, the last one at %s:24: it is not JSON: a word or sign that there is not"

#define JSON_BY_CGROUP \
	"{\"blocked\":10,\"would_block\":1,\"allowed\":12,\"first\":\"2026-01-02T03:01:00.000000+0000\",\"last" \
	"\":\"2026-01-02T03:15:00.000000+0000\",\"groups\":[{\"cgroup\":\"/snifence-42\",\"blocked\":9,\"would_" \
	"block\":1,\"allowed\":12,\"first\":\"2026-01-02T03:01:00.000000+0000\",\"last\":\"2026-01-02T03:15:0" \
	"0.000000+0000\",\"reasons\":[\"name_not_allowed\",\"address_not_allowed\",\"name_invalid\",\"socket_" \
	"type\"],\"processes\":[\"pip\",\"curl\",\"nc\",\"ping\",\"python3\",\"ssh\",\"uv\"],\"names\":[\"pypi.test\",\"1" \
	"92.0.2.1:22/TCP\",\"\\\\x1b[2J=\",\"a socket of protocol ICMP\",\"api.gihtub.test\",\"docs.github.te" \
	"st\",\"later.test\"]},{\"cgroup\":\"/snifence-43\",\"blocked\":1,\"would_block\":0,\"allowed\":0,\"first" \
	"\":\"2026-01-02T03:08:20.000000+0000\",\"last\":\"2026-01-02T03:08:20.000000+0000\",\"reasons\":[\"n" \
	"ame_elsewhere\"],\"processes\":[\"nc\"],\"names\":[\"api.github.test\"]}],\"lost\":{\"events\":5,\"lines" \
	"_before\":0,\"missing_lines\":1,\"runs_without_end\":0,\"lines_of_more_runs\":0,\"bad_lines\":1,\"unread_files\":0,\"undecided\":0" \
	",\"names_not_compared\":0,\"allowed_not_compared\":0},\"runs\":1,\"allowed_counted\":12}" "\n"

#define JSON_NEAR \
	"\"near_misses\":[{\"name\":\"pypi.test\",\"refused\":4,\"kind\":\"apex\",\"allowed\":\"*.pypi.test\"},{\"na" \
	"me\":\"api.gihtub.test\",\"refused\":1,\"kind\":\"one_edit\",\"allowed\":\"api.github.test\"},{\"name\":\"" \
	"docs.github.test\",\"refused\":1,\"kind\":\"sibling\",\"allowed\":\"api.github.test\"}]"

#define JSON_ELSEWHERE \
	"{\"reason\":\"name_elsewhere\",\"blocked\":1,\"would_block\":0,\"allowed\":0,\"first\":\"2026-01-02T03:" \
	"08:20.000000+0000\",\"last\":\"2026-01-02T03:08:20.000000+0000\",\"reasons\":[\"name_elsewhere\"],\"" \
	"processes\":[\"nc\"],\"names\":[\"api.github.test\"],\"class\":\"elsewhere\"}"
/* clang-format on */

static char folder[] = "/tmp/snifence-report-XXXXXX";
static char log_file[64], policy_file[64], other_file[64];
static char out[65536], err[4096];

/* A quarter of an hour of an agent's work. */
static void write_log(void) {
	FILE *log = new_log(log_file);

	for (int i = 1; i <= 12; i++)
		MAKE_LINE(log, .sequence = i, .second = 60 * i, .name = "api.github.test", .action = "pass",
			  .reason = "name_allowed", .rule = "agent.yaml:4");
	MAKE_LINE(log, .sequence = 13, .second = 60, .name = "api.gihtub.test", .process = "python3");
	for (int i = 0; i < 3; i++)
		MAKE_LINE(log, .sequence = 14 + i, .second = 100 + i, .name = "pypi.test", .process = "pip");
	MAKE_LINE(log, .sequence = 17, .second = 900, .name = "pypi.test", .process = "uv");
	MAKE_LINE(log, .sequence = 18, .second = 300, .name = "docs.github.test", .address = "2001:db8::1");
	MAKE_LINE(log, .sequence = 20, .second = 500, .name = "api.github.test", .reason = "name_elsewhere",
		  .address = "198.51.100.9", .process = "nc", .rule = "agent.yaml:4", .cgroup = "/snifence-43");
	MAKE_LINE(log, .sequence = 21, .second = 510, .name = "\\\\x1b[2J=", .reason = "name_invalid", .process = "nc");
	MAKE_LINE(log, .sequence = 22, .second = 520, .action = "reject", .reason = "socket_type", .address = "",
		  .protocol = "ICMP", .process = "ping", .policy = "other");
	MAKE_LINE(log, .sequence = 23, .second = 530, .action = "reject", .reason = "address_not_allowed", .port = 22,
		  .process = "ssh");
	MAKE_LINE(log, .sequence = 24, .second = 540, .name = "later.test", .action = "alert");
	fputs("broken\n", log);
	fputs("{\"timestamp\":\"2026-01-02T03:20:00Z\",\"event_version\":1,\"run_id\":\"000000000000f00d\",\"sequence\":25,"
	      "\"event_type\":\"stats\",\"stats\":{\"uptime\":900,\"allowed\":12,\"blocked\":15,\"would_block\":1,"
	      "\"lost\":5,\"command\":{\"status\":0,\"outlived\":0}}}\n",
	      log);
	assert_int_equal(fclose(log), 0);
}

/* A policy that allows one pattern. */
static void write_policy(const char *path, const char *pattern) {
	char text[128];

	snprintf(text, sizeof(text), "version: 1\ntls:\n  allow:\n    - \"%s\"\n", pattern);
	put_file(path, text);
}

static int set_up(void **state) {
	(void)state;
	setenv("TZ", "UTC", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	tzset();
	unsetenv("COLUMNS");
	if (!mkdtemp(folder))
		return -1;
	snprintf(log_file, sizeof(log_file), "%s/log.json", folder);
	snprintf(policy_file, sizeof(policy_file), "%s/agent.yaml", folder);
	snprintf(other_file, sizeof(other_file), "%s/other.yaml", folder);
	write_policy(policy_file, "*.pypi.test");
	return 0;
}

static int tear_down(void **state) {
	(void)state;
	unlink(log_file);
	unlink(policy_file);
	unlink(other_file);
	return rmdir(folder);
}

/* Runs the subcommand; what it prints is in `out` and `err`. */
#define RUN(...)                                                                                                       \
	output_of(report_main, (const char *const[]){"report", __VA_ARGS__, NULL}, out, sizeof(out), err, sizeof(err))

/* The lines between the totals and what is missing: the table. Ends `out` there. */
static const char *table(void) {
	char *begin = strstr(out, "\n\n"), *end = begin ? strstr(begin + 2, "\n\n") : NULL;

	assert_non_null(end);
	end[1] = '\0';
	return begin + 2;
}

static void expect_by(const char *by, const char *expected) {
	assert_int_equal(RUN("--by", by, log_file), 0);
	assert_string_equal(table(), expected);
}

static void test_overview(void **state) {
	char expected[4096];

	(void)state;
	write_log();
	assert_int_equal(RUN("--policy-file", policy_file, log_file), 0);
	snprintf(expected, sizeof(expected), OVERVIEW "\n", log_file);
	assert_string_equal(out, expected);
	snprintf(expected, sizeof(expected),
		 "snifence: report: %s:24: it is not JSON: a word or sign that there is not; the line is passed "
		 "over\n",
		 log_file);
	assert_string_equal(err, expected);
}

static const char near_heading[] = "\n\nClose to what is allowed\n";

/* What the report says of near misses: ends `out` behind it. */
static const char *near_misses(void) {
	char *begin = strstr(out, near_heading), *end = begin ? strstr(begin + 2, "\n\n") : NULL;

	assert_non_null(end);
	end[1] = '\0';
	return begin + strlen(near_heading);
}

static void sha256_of_policy(const char *file, char sha256[65]) {
	struct diagnostics diagnostics = {0};
	struct policy *policy = policy_load(file, &diagnostics);

	assert_non_null(policy);
	assert_int_equal(canonical_sha256(policy, sha256), 0);
	policy_free(policy);
}

#define NEAR_PYPI                                                                                                      \
	"  REFUSED  NAME       CLOSE TO\n"                                                                             \
	"        1  pypi.test  *.pypi.test is allowed, which does not cover pypi.test itself\n"

/*
 * The policy that the log names, with any rule, says what is allowed without being asked for, if it is still that
 * policy; and what a filter leaves out says it too.
 */
static void test_policy_of_the_log(void **state) {
	char rule[80], sha256[65], expected[256];

	(void)state;
	snprintf(rule, sizeof(rule), "%s:4", policy_file);
	sha256_of_policy(policy_file, sha256);
	MAKE_LOG(log_file,
		 {.name = "no.test", .reason = "name_denied", .rule = rule, .sha256 = sha256, .process = "nc"},
		 {.name = "pypi.test"},
		 {.name = "api.test", .action = "pass", .reason = "name_allowed", .process = "nc"},
		 {.name = "api.tesst"});
	assert_int_equal(RUN("--process", "curl", log_file), 0);
	assert_string_equal(near_misses(),
			    "  REFUSED  NAME       CLOSE TO\n"
			    "        1  api.tesst  api.test is allowed: a misspelling, or an imitation\n"
			    "        1  pypi.test  *.pypi.test is allowed, which does not cover pypi.test itself\n");
	MAKE_LOG(log_file, {.action = "pass", .reason = "address_allowed", .rule = rule, .sha256 = sha256},
		 {.name = "pypi.test"});
	assert_int_equal(RUN("--action", "blocked", log_file), 0);
	assert_string_equal(near_misses(), NEAR_PYPI);
	sha256[0] ^= 1;
	MAKE_LOG(log_file, {.action = "pass", .reason = "address_allowed", .rule = rule, .sha256 = sha256},
		 {.name = "pypi.test"});
	assert_int_equal(RUN(log_file), 0);
	snprintf(
		expected, sizeof(expected),
		"  near misses are not known: %s is another policy than that of the log, or it or the machine's resolvers have changed since; name "
		"that with --policy-file\n",
		policy_file);
	assert_string_equal(near_misses(), expected);
	setenv("COLUMNS", "80", 1);
	assert_int_equal(RUN(log_file), 0);
	unsetenv("COLUMNS");
	for (const char *line = near_misses(); *line; line += strcspn(line, "\n") + 1)
		assert_in_range(strcspn(line, "\n"), 0, 80);
	assert_int_equal(RUN("--policy-file", policy_file, log_file), 0);
	assert_string_equal(near_misses(), NEAR_PYPI);
	write_policy(policy_file, "*.*");
	assert_int_equal(RUN(log_file), 0);
	assert_string_equal(near_misses(), "  near misses are not known: name the policy with --policy-file\n");
	write_policy(policy_file, "*.pypi.test");
}

static void test_near_misses_not_known(void **state) {
	(void)state;
	MAKE_LOG(log_file, {.name = "pypi.test"});
	assert_int_equal(RUN(log_file), 0);
	assert_string_equal(near_misses(), "  near misses are not known: name the policy with --policy-file\n");
	assert_int_equal(RUN("--json", log_file), 0);
	assert_non_null(strstr(out,
			       "\"near_misses\":[],\"near_misses_note\":\"near misses are not known: name the policy "
			       "with --policy-file\""));
}

/* An imitation is found among thousands of names that are refused more often, and stands before siblings. */
static void test_imitation_among_many(void **state) {
	FILE *log = new_log(log_file);
	char name[32];

	(void)state;
	MAKE_LINE(log, .name = "api.pypi.test", .action = "pass");
	MAKE_LINE(log, .name = "spi.pypi.test");
	for (int i = 0; i < 6000; i++) {
		snprintf(name, sizeof(name), i < 4 ? "sibling%d.pypi.test" : "n%d.test", i / 2);
		MAKE_LINE(log, .name = name);
	}
	assert_int_equal(fclose(log), 0);
	assert_int_equal(RUN(log_file), 0);
	assert_string_equal(
		near_misses(),
		"  REFUSED  NAME                CLOSE TO\n"
		"        1  spi.pypi.test       api.pypi.test is allowed: a misspelling, or an imitation\n"
		"        2  sibling0.pypi.test  api.pypi.test is allowed, of the same domain\n"
		"        2  sibling1.pypi.test  api.pypi.test is allowed, of the same domain\n"
		"  only names that the log has as allowed are compared: name the policy with --policy-file\n");
}

/* A log that is cut at its beginning and its end; and a run that no filter means is not part of the report. */
static void test_cut_runs(void **state) {
	(void)state;
	MAKE_LOG(log_file, {.sequence = 4, .name = "pypi.test"}, {.sequence = 6, .name = "pypi.test"},
		 {.sequence = 3, .name = "other.test", .run = "0000000000000bad", .policy = "other"});
	assert_int_equal(RUN(log_file), 0);
	assert_non_null(strstr(out, "\n2026-01-02 03:00:00 to 03:00:00, 2 runs\n"));
	assert_non_null(strstr(out, "\nWhat is not in this report\n"
				    "  5 lines are missing from before the first ones\n"
				    "  1 line is missing from between the others\n"
				    "  2 runs have no end: still going, or snifence was killed\n"));
	assert_int_equal(RUN("--policy", "other", log_file), 0);
	assert_non_null(strstr(out, "\n2026-01-02 03:00:00 to 03:00:00, 1 run\n"));
	assert_non_null(strstr(out, "\nWhat is not in this report\n"
				    "  2 lines are missing from before the first ones\n"
				    "  1 run has no end: still going, or snifence was killed\n"));
}

/* What `monitor` watches has no end by its nature, and so no lack of one; nor has what only begins like a run's name. */
static void test_what_does_not_end(void **state) {
	static const char *const cgroups[] = {"/system.slice/shop.service", "/snifence-tests", "/snifence.service"};

	(void)state;
	for (size_t i = 0; i < sizeof(cgroups) / sizeof(*cgroups); i++) {
		MAKE_LOG(log_file, {.sequence = 1, .name = "pypi.test", .cgroup = cgroups[i]});
		assert_int_equal(RUN(log_file), 0);
		assert_null(strstr(out, "no end"));
	}
	MAKE_LOG(log_file, {.sequence = 1, .name = "pypi.test", .cgroup = "/user.slice/snifence-42-1"});
	assert_int_equal(RUN(log_file), 0);
	assert_non_null(strstr(out, "  1 run has no end: "));
}

/* Of runs beyond those that are kept apart it is not known what they have lost, which is said. */
static void test_too_many_runs(void **state) {
	struct review review = {.groupings = 1 << BY_NAME};
	char losses[REPORT_LOSSES][REPORT_WORDS_SIZE], id[16];
	struct log_event event = {.run_id = id, .sequence = 1, .cgroup = ""};

	(void)state;
	assert_int_equal(review_start(&review), 0);
	for (int i = 0; i < LOG_RUNS_MAX + 3; i++) {
		snprintf(id, sizeof(id), "%d", i);
		assert_int_equal(log_runs_add(review.runs, &event, i != LOG_RUNS_MAX), 0);
	}
	assert_int_equal(log_runs_losses(review.runs).runs, LOG_RUNS_MAX);
	assert_int_equal(report_losses(&review, losses), 1);
	assert_string_equal(losses[0], "2 lines are of more than 100000 runs: what these have lost is not known");
	review_free(&review);
}

/* Names that a filter leaves out are kept for near misses only, and where there are too many, that is said. */
static void test_too_many_left_out(void **state) {
	struct review review = {.groupings = 1 << BY_NAME, .near_misses = true, .filter.actions = 1 << LOG_DROP},
		      without = {.groupings = 1 << BY_NAME, .filter.actions = 1 << LOG_DROP};
	char losses[REPORT_LOSSES][REPORT_WORDS_SIZE], name[32];
	struct log_event event = {
		.name = name, .action = LOG_PASS, .type = LOG_TLS, .run_id = "", .rule = "", .reason_word = ""};

	(void)state;
	assert_int_equal(review_start(&review) | review_start(&without), 0);
	for (int i = 0; i < GROUPS_MAX + 2; i++) {
		snprintf(name, sizeof(name), "n%d.test", i);
		assert_int_equal(review_add(&review, &event) | review_add(&without, &event), 0);
	}
	assert_int_equal(review.other_count, GROUPS_MAX);
	assert_int_equal(report_losses(&review, losses), 1);
	assert_string_equal(losses[0],
			    "2 allowed events were not compared with refused names: the filters leave out more "
			    "than 50000 names");
	assert_null(without.other);
	assert_int_equal(report_losses(&without, losses), 0);
	review_free(&review);
	review_free(&without);
}

static void test_none_meant(void **state) {
	(void)state;
	write_log();
	assert_int_equal(RUN("--policy", "nobody", log_file), 0);
	assert_string_equal(strtok(out, "\n"), "23 events, none is meant by the filters");
}

static void test_groups(void **state) {
	(void)state;
	write_log();
	expect_by(
		"name",
		"  REFUSED  AUDITED  ALLOWED  NAME                       REASON               ASKED BY  FIRST     LAST      OVER TIME\n"
		"        4        0        0  pypi.test                  name_not_allowed     pip, uv   03:01:40  03:15:00  █              ▃\n"
		"        1        0       12  api.github.test            name_elsewhere       nc        03:08:20  03:08:20          █\n"
		"        1        0        0  192.0.2.1:22/TCP           address_not_allowed  ssh       03:08:50  03:08:50          █\n"
		"        1        0        0  \\x1b[2J=                   name_invalid         nc        03:08:30  03:08:30          █\n"
		"        1        0        0  a socket of protocol ICMP  socket_type          ping      03:08:40  03:08:40          █\n"
		"        1        0        0  api.gihtub.test            name_not_allowed     python3   03:01:00  03:01:00  █\n"
		"        1        0        0  docs.github.test           name_not_allowed     curl      03:05:00  03:05:00      █\n"
		"        0        1        0  later.test                 name_not_allowed     curl      03:09:00  03:09:00          █\n");
	expect_by(
		"reason",
		"  REFUSED  AUDITED  ALLOWED  REASON               WHAT                                             ASKED BY               FIRST     LAST      OVER TIME\n"
		"        6        1        0  name_not_allowed     pypi.test, api.gihtub.test, docs.github.test, …  pip, curl, python3, …  03:01:00  03:15:00  █   ▃   ▃      ▃\n"
		"        1        0        0  address_not_allowed  192.0.2.1:22/TCP                                 ssh                    03:08:50  03:08:50          █\n"
		"        1        0        0  name_elsewhere       api.github.test                                  nc                     03:08:20  03:08:20          █\n"
		"        1        0        0  name_invalid         \\x1b[2J=                                         nc                     03:08:30  03:08:30          █\n"
		"        1        0        0  socket_type          a socket of protocol ICMP                        ping                   03:08:40  03:08:40          █\n"
		"        0        0       12  name_allowed         api.github.test                                  curl                   03:01:00  03:12:00  █████████ ███\n");
	expect_by(
		"process",
		"  REFUSED  AUDITED  ALLOWED  PROCESS  REASON                        WHAT                          FIRST     LAST      OVER TIME\n"
		"        3        0        0  pip      name_not_allowed              pypi.test                     03:01:40  03:01:42  █\n"
		"        1        1       12  curl     name_not_allowed              docs.github.test, later.test  03:05:00  03:09:00      █   █\n"
		"        2        0        0  nc       name_elsewhere, name_invalid  \\x1b[2J=, api.github.test     03:08:20  03:08:30          █\n"
		"        1        0        0  ping     socket_type                   a socket of protocol ICMP     03:08:40  03:08:40          █\n"
		"        1        0        0  python3  name_not_allowed              api.gihtub.test               03:01:00  03:01:00  █\n"
		"        1        0        0  ssh      address_not_allowed           192.0.2.1:22/TCP              03:08:50  03:08:50          █\n"
		"        1        0        0  uv       name_not_allowed              pypi.test                     03:15:00  03:15:00                 █\n");
	expect_by(
		"cgroup",
		"  REFUSED  AUDITED  ALLOWED  CGROUP        REASON                                                  WHAT                                      ASKED BY          FIRST     LAST      OVER TIME\n"
		"        9        1       12  /snifence-42  name_not_allowed, address_not_allowed, name_invalid, …  pypi.test, 192.0.2.1:22/TCP, \\x1b[2J=, …  pip, curl, nc, …  03:01:00  03:15:00  █   ▃   ▆      ▃\n"
		"        1        0        0  /snifence-43  name_elsewhere                                          api.github.test                           nc                03:08:20  03:08:20          █\n");
	expect_by(
		"address",
		"  REFUSED  AUDITED  ALLOWED  ADDRESS                    REASON                          WHAT                                     ASKED BY          FIRST     LAST      OVER TIME\n"
		"        6        1       12  192.0.2.1:443/TCP          name_not_allowed, name_invalid  pypi.test, \\x1b[2J=, api.gihtub.test, …  pip, curl, nc, …  03:01:00  03:15:00  █       ▃      ▃\n"
		"        1        0        0  192.0.2.1:22/TCP           address_not_allowed             192.0.2.1:22/TCP                         ssh               03:08:50  03:08:50          █\n"
		"        1        0        0  198.51.100.9:443/TCP       name_elsewhere                  api.github.test                          nc                03:08:20  03:08:20          █\n"
		"        1        0        0  [2001:db8::1]:443/TCP      name_not_allowed                docs.github.test                         curl              03:05:00  03:05:00      █\n"
		"        1        0        0  a socket of protocol ICMP  socket_type                     a socket of protocol ICMP                ping              03:08:40  03:08:40          █\n");
	expect_by(
		"rule",
		"  REFUSED  AUDITED  ALLOWED  RULE          REASON                                                  WHAT                                      ASKED BY          FIRST     LAST      OVER TIME\n"
		"        9        1        0  (none)        name_not_allowed, address_not_allowed, name_invalid, …  pypi.test, 192.0.2.1:22/TCP, \\x1b[2J=, …  pip, curl, nc, …  03:01:00  03:15:00  █   ▃   ▆      ▃\n"
		"        1        0       12  agent.yaml:4  name_elsewhere                                          api.github.test                           nc                03:08:20  03:08:20          █\n");
	expect_by(
		"policy",
		"  REFUSED  AUDITED  ALLOWED  POLICY  REASON                                                    WHAT                                      ASKED BY          FIRST     LAST      OVER TIME\n"
		"        9        1       12  agent   name_not_allowed, address_not_allowed, name_elsewhere, …  pypi.test, 192.0.2.1:22/TCP, \\x1b[2J=, …  pip, curl, nc, …  03:01:00  03:15:00  █   ▃   ▃      ▃\n"
		"        1        0        0  other   socket_type                                               a socket of protocol ICMP                 ping              03:08:40  03:08:40          █\n");
	expect_by(
		"hour",
		"  REFUSED  AUDITED  ALLOWED  HOUR              REASON                                                    WHAT                                      ASKED BY\n"
		"       10        1       12  2026-01-02 03:00  name_not_allowed, address_not_allowed, name_elsewhere, …  pypi.test, 192.0.2.1:22/TCP, \\x1b[2J=, …  pip, curl, nc, …\n");
}

static void test_widths(void **state) {
	(void)state;
	write_log();
	setenv("COLUMNS", "80", 1);
	expect_by("name", "  REFUSED  AUDITED  ALLOWED  NAME                  REASON               ASKED BY\n"
			  "        4        0        0  pypi.test             name_not_allowed     pip, uv\n"
			  "        1        0       12  api.github.test       name_elsewhere       nc\n"
			  "        1        0        0  192.0.2.1:22/TCP      address_not_allowed  ssh\n"
			  "        1        0        0  \\x1b[2J=              name_invalid         nc\n"
			  "        1        0        0  …et of protocol ICMP  socket_type          ping\n"
			  "        1        0        0  api.gihtub.test       name_not_allowed     python3\n"
			  "        1        0        0  docs.github.test      name_not_allowed     curl\n"
			  "        0        1        0  later.test            name_not_allowed     curl\n");
	setenv("COLUMNS", "50", 1);
	expect_by("name", "  REFUSED  AUDITED  ALLOWED  NAME\n"
			  "        4        0        0  pypi.test\n"
			  "        1        0       12  api.github.test\n"
			  "        1        0        0  192.0.2.1:22/TCP\n"
			  "        1        0        0  \\x1b[2J=\n"
			  "        1        0        0  …ket of protocol ICMP\n"
			  "        1        0        0  api.gihtub.test\n"
			  "        1        0        0  docs.github.test\n"
			  "        0        1        0  later.test\n");
	unsetenv("COLUMNS");
}

/* Names that only their beginnings tell apart stay whole as long as there is a column to be left out for them. */
static void test_long_names(void **state) {
	(void)state;
	MAKE_LOG(log_file, {.name = "proxy.individual.githubcopilot.com"},
		 {.name = "telemetry.individual.githubcopilot.com"});
	setenv("COLUMNS", "80", 1);
	expect_by("name", "  REFUSED  NAME                                    REASON            ASKED BY\n"
			  "        1  proxy.individual.githubcopilot.com      name_not_allowed  curl\n"
			  "        1  telemetry.individual.githubcopilot.com  name_not_allowed  curl\n");
	setenv("COLUMNS", "60", 1);
	expect_by("name", "  REFUSED  NAME                   REASON            ASKED BY\n"
			  "        1  …al.githubcopilot.com  name_not_allowed  curl\n"
			  "        1  …al.githubcopilot.com  name_not_allowed  curl\n");
	unsetenv("COLUMNS");
}

/* Without UTF-8 nothing but ASCII is printed. */
static void test_ascii(void **state) {
	(void)state;
	write_log();
	setenv("LC_ALL", "C", 1);
	setenv("COLUMNS", "80", 1);
	assert_int_equal(RUN("--by", "name", log_file), 0);
	for (const char *c = out; *c; c++)
		assert_true(*c == '\n' || (*c >= ' ' && *c < 0x7f));
	assert_non_null(
		strstr(out, "refused, or would be, over time: -#           -          -*-                    -\n"));
	assert_non_null(strstr(out, "~et of protocol ICMP  socket_type "));
	unsetenv("COLUMNS");
	setenv("LC_ALL", "C.UTF-8", 1);
}

static void expect_counts(const char *blocked, const char *option, const char *argument) {
	char expected[64];

	assert_int_equal(RUN("--json", option, argument, log_file), 0);
	snprintf(expected, sizeof(expected), "{%s,\"", blocked);
	out[strlen(expected)] = '\0';
	assert_string_equal(out, expected);
}

#define COUNTS(blocked, would_block, allowed)                                                                          \
	"\"blocked\":" #blocked ",\"would_block\":" #would_block ",\"allowed\":" #allowed

static void test_filters(void **state) {
	(void)state;
	write_log();
	expect_counts(COUNTS(10, 1, 12), "--since", "2026-01-02T03:01:00.000000+0000");
	expect_counts(COUNTS(9, 1, 11), "--since", "2026-01-02 03:01:01");
	expect_counts(COUNTS(1, 0, 1), "--until", "2026-01-02T03:01:01");
	expect_counts(COUNTS(0, 0, 0), "--until", "2026-01-02");
	expect_counts(COUNTS(0, 0, 0), "--until", "2026-01-02T03:01:00Z");
	expect_counts(COUNTS(0, 0, 0), "--until", "1970-01-01");
	expect_counts(COUNTS(10, 1, 12), "--since", "1970-01-01");
	expect_counts(COUNTS(10, 1, 12), "--since", "2024-02-29");
	expect_counts(COUNTS(10, 1, 12), "--since", "2000-02-29T23:59:60Z");
	expect_counts(COUNTS(0, 0, 0), "--since", "1m");
	expect_counts(COUNTS(1, 0, 0), "--policy", "oth*");
	expect_counts(COUNTS(1, 0, 0), "--cgroup", "/snifence-43");
	expect_counts(COUNTS(3, 0, 0), "--process", "p?p");
	expect_counts(COUNTS(1, 0, 12), "--name", "api.github.test");
	expect_counts(COUNTS(2, 0, 12), "--name", "*.github.test");
	expect_counts(COUNTS(4, 0, 0), "--name", ".pypi.test");
	expect_counts(COUNTS(0, 0, 0), "--name", "*.pypi.test");
	expect_counts(COUNTS(6, 1, 0), "--reason", "name_not_allowed");
	expect_counts(COUNTS(0, 0, 12), "--action", "pass");
	expect_counts(COUNTS(8, 0, 0), "--action", "drop");
	expect_counts(COUNTS(2, 0, 0), "--action", "reject");
	expect_counts(COUNTS(10, 0, 0), "--action", "blocked");
	expect_counts(COUNTS(0, 1, 0), "--action", "alert");
}

/* Counted, and no more. */
static void test_expected(void **state) {
	(void)state;
	MAKE_LOG(log_file, {.name = "telemetry.test", .reason = "name_denied", .rule = "p.yaml:7", .expected = 1},
		 {.name = "c.test"});
	assert_int_equal(RUN(log_file), 0);
	assert_non_null(strstr(out, "1 refused, 0 allowed\n"));
	assert_null(strstr(out, "telemetry.test"));
	assert_non_null(strstr(out, "What is not in this report\n  1 refusal, as deny rules expect\n"));
}

/* Reasons of another version, and the word for what the reader of events did not know. */
static void test_other_reasons(void **state) {
	(void)state;
	MAKE_LOG(log_file, {.name = "a.test", .reason = "whim"}, {.name = "b.test", .reason = "unknown"},
		 {.name = "c.test"});
	expect_counts(COUNTS(1, 0, 0), "--reason", "unknown");
	assert_string_equal(err, "");
	expect_counts(COUNTS(1, 0, 0), "--reason", "whim");
	assert_string_equal(err,
			    "snifence: report: the reason whim is not known to this version: only events with just "
			    "that word are meant\n");
	assert_int_equal(RUN("--reason", "name_not_alowed", log_file), 0);
	assert_string_equal(err, "snifence: report: the reason name_not_alowed is not known to this version (did you "
				 "mean name_not_allowed?): only events with just that word are meant\n");
}

/* A hello over the limit is nobody's attempt: a section of its own, which says what it may be and names the key. */
static void test_long_hello(void **state) {
	(void)state;
	MAKE_LOG(log_file, {.name = "long.test", .reason = "hello_too_long"});
	assert_int_equal(RUN(log_file), 0);
	assert_non_null(
		strstr(out, "\nLonger than `tls.max_hello`: mostly a large client certificate's session ticket\n"));
	assert_non_null(strstr(out, " long.test "));
	assert_null(strstr(out, "attempt"));
	assert_int_equal(RUN("--json", log_file), 0);
	assert_non_null(strstr(out, "\"class\":\"long_hello\""));
}

/* Of a capture no process is known: there is no column for none. */
static void test_no_processes(void **state) {
	FILE *log = new_log(log_file);

	(void)state;
	fputs("{\"timestamp\":\"2026-01-02T03:00:00.000000+0000\",\"event_type\":\"tls\",\"tls\":{\"sni\":\"a.test\"},"
	      "\"verdict\":{\"action\":\"drop\"},\"reason\":\"name_not_allowed\",\"policy\":\"agent\"}\n",
	      log);
	assert_int_equal(fclose(log), 0);
	assert_int_equal(RUN(log_file), 0);
	assert_non_null(strstr(out, "  REFUSED  NAME    REASON            FIRST     LAST      OVER TIME\n"));
}

/* A name that no lookup has given is as often an old cache as somebody's attempt: the section says both. */
static void test_not_bound(void **state) {
	(void)state;
	MAKE_LOG(log_file, {.name = "cached.test", .reason = "name_not_bound"});
	assert_int_equal(RUN(log_file), 0);
	assert_non_null(
		strstr(out, "\nElsewhere than allowed names are: an old list or cache of them, or an attempt\n"));
	assert_null(strstr(out, "Looks like an attempt"));
	assert_int_equal(RUN("--json", log_file), 0);
	assert_non_null(strstr(out, "\"class\":\"elsewhere\""));
}

static void test_json(void **state) {
	(void)state;
	write_log();
	assert_int_equal(RUN("--json", "--by", "cgroup", log_file), 0);
	assert_string_equal(out, JSON_BY_CGROUP);
	assert_int_equal(RUN("--json", "--policy-file", policy_file, log_file), 0);
	assert_non_null(strstr(out, JSON_NEAR));
	assert_non_null(strstr(out, JSON_ELSEWHERE));
}

/* Of more than eight names the most frequent are there, and that there were others. */
static void test_json_incomplete(void **state) {
	FILE *log = new_log(log_file);
	char name[16];

	(void)state;
	for (int i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "n%d.test", i);
		MAKE_LINE(log, .name = name);
		if (i == 7) {
			fclose(log);
			assert_int_equal(RUN("--json", "--by", "process", log_file), 0);
			assert_non_null(strstr(out, "\"n7.test\"]}"));
			log = fopen(log_file, "ae");
			assert_non_null(log);
		}
	}
	fclose(log);
	assert_int_equal(RUN("--json", "--by", "process", log_file), 0);
	assert_non_null(strstr(out, "\"],\"incomplete\":[\"names\"]}"));
}

/* What a spreadsheet would take for a formula, and quotes and commas. */
static void test_csv(void **state) {
	static const char *const names[] = {"=1+1", "+1", "-1", "@SUM(1)", "a,b", "say \\\"no\\\""};
	FILE *log = new_log(log_file);

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		MAKE_LINE(log, .name = names[i], .process = "=cmd");
	assert_int_equal(fclose(log), 0);
	assert_int_equal(RUN("--csv", log_file), 0);
#define REST ",1,0,0,2026-01-02T03:00:00.000000+0000,2026-01-02T03:00:00.000000+0000,\"name_not_allowed\",\"'=cmd\","
	assert_string_equal(out, "name,blocked,would_block,allowed,first,last,reasons,processes,names\r\n"
				 "\"'+1\"" REST "\"\"\r\n"
				 "\"'-1\"" REST "\"\"\r\n"
				 "\"'=1+1\"" REST "\"\"\r\n"
				 "\"'@SUM(1)\"" REST "\"\"\r\n"
				 "\"a,b\"" REST "\"\"\r\n"
				 "\"say \"\"no\"\"\"" REST "\"\"\r\n");
}

/* A log can say anything. */
static void test_before_1970(void **state) {
	static const char moment[] = "1969-12-31T23:59:58.250000+0000";
	FILE *log = new_log(log_file);

	(void)state;
	fprintf(log,
		"{\"timestamp\":\"%s\",\"event_version\":1,\"event_type\":\"tls\",\"tls\":{\"sni\":\"early.test\"},"
		"\"verdict\":{\"action\":\"drop\"},\"reason\":\"name_not_allowed\"}\n",
		moment);
	assert_int_equal(fclose(log), 0);
	assert_int_equal(RUN("--csv", log_file), 0);
	assert_non_null(strstr(out, moment));
	assert_int_equal(RUN("--json", log_file), 0);
	assert_non_null(strstr(out, moment));
}

#define NOTHING "0 refused, 0 allowed\n\nWhat is not in this report\n  nothing is known to be missing\n"

/* A followed pipe is reported on when it ends, all that came counted once. */
static void test_follow(void **state) {
	int ends[2], saved = dup(STDIN_FILENO);
	FILE *in;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	in = fdopen(ends[1], "w");
	MAKE_LINE(in, .name = "one.test");
	MAKE_LINE(in, .name = "two.test", .action = "pass");
	fclose(in);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	assert_int_equal(RUN("--follow", "--json", "--by", "policy", "-"), 0);
	dup2(saved, STDIN_FILENO);
	close(saved);
	assert_non_null(strstr(out, "{" COUNTS(1, 0, 1)));
}

/* Follows a pipe with what the first function writes; the second does when the report has printed something. */
static void follow(void (*write_first)(FILE *in), void (*write_later)(FILE *in)) {
	int ends[2], saved = dup(STDIN_FILENO), status;
	pid_t writer;
	FILE *in;

	assert_int_equal(pipe(ends), 0);
	in = fdopen(ends[1], "w");
	write_first(in);
	fflush(in);
	writer = fork();
	if (writer == 0) {
		output_wait();
		write_later(in);
		fflush(in);
		_exit(0);
	}
	fclose(in);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	assert_int_equal(RUN("--follow", "-"), 0);
	dup2(saved, STDIN_FILENO);
	close(saved);
	assert_int_equal(waitpid(writer, &status, 0), writer);
}

static void write_nothing(FILE *in) {
	(void)in;
}

static void write_one(FILE *in) {
	MAKE_LINE(in, .name = "one.test");
}

/* Of a followed log that is empty it is said at once that there is nothing yet, and later what came. */
static void test_follow_nothing(void **state) {
	(void)state;
	follow(write_nothing, write_one);
	assert_int_equal(strncmp(out, NOTHING "\n1 refused, 0 allowed\n", strlen(NOTHING "\n1 refused, 0 allowed\n")),
			 0);
}

/* Two refused names, and one that says which policy it was. */
static void write_refused(FILE *in, const char *policy) {
	char rule[80], sha256[65];

	snprintf(rule, sizeof(rule), "%s:4", policy);
	sha256_of_policy(policy, sha256);
	MAKE_LINE(in, .name = "no.test", .rule = rule, .sha256 = sha256);
	MAKE_LINE(in, .name = "pypi.test");
	MAKE_LINE(in, .name = "github.test");
}

static void write_refused_by_policy(FILE *in) {
	write_refused(in, policy_file);
}

static void write_refused_by_other(FILE *in) {
	write_refused(in, other_file);
}

/* When a followed log comes to a run with another policy, near misses are those of that one. */
static void test_follow_policies(void **state) {
	(void)state;
	write_policy(other_file, "*.github.test");
	follow(write_refused_by_policy, write_refused_by_other);
	assert_string_equal(near_misses(), NEAR_PYPI);
	memmove(out, out + strlen(out) + 1, sizeof(out) - strlen(out) - 1); /* behind the end of the first */
	assert_string_equal(near_misses(), "  REFUSED  NAME         CLOSE TO\n        2  github.test  *.github.test is "
					   "allowed, which does not cover github.test itself\n");
}

static void test_nothing(void **state) {
	FILE *log = new_log(log_file);

	(void)state;
	fclose(log);
	assert_int_equal(RUN(log_file), 0);
	assert_string_equal(out, NOTHING);
	assert_string_equal(err, "");
}

/* A log without allowed connections still says how many there were. */
static void test_only_counted(void **state) {
	FILE *log = new_log(log_file);

	(void)state;
	for (int run = 1; run <= 2; run++)
		for (int line = 1; line <= 2; line++)
			fprintf(log,
				"{\"timestamp\":\"2026-01-02T03:00:00Z\",\"run_id\":\"%d\",\"sequence\":%d,"
				"\"event_type\":\"stats\",\"stats\":{\"allowed\":%d,\"lost\":%d}}\n",
				run, line, 10 * run * line, line);
	assert_int_equal(fclose(log), 0);
	assert_int_equal(RUN(log_file), 0);
	assert_string_equal(out, "0 refused, 60 allowed (not logged; as the runs have counted)\n"
				 "\nWhat is not in this report\n"
				 "  4 events were lost while the command ran (the ring buffer was full)\n");
}

static void expect_wrong(int code, const char *message, const char *option, const char *argument) {
	char expected[256];

	assert_int_equal(RUN(option, argument, log_file), code);
	snprintf(expected, sizeof(expected), "snifence: report: %s\n", message);
	assert_string_equal(err, expected);
	assert_string_equal(out, "");
}

static void test_wrong_command_lines(void **state) {
	(void)state;
	write_log();
	expect_wrong(
		EXIT_USAGE,
		"--by is name, reason, process, cgroup, address, rule, policy or hour, not color; `snifence report --help` shows how",
		"--by", "color");
	expect_wrong(EXIT_USAGE,
		     "--action is pass, reject, drop, alert or refused, not shrug; `snifence report --help` shows how",
		     "--action", "shrug");
	expect_wrong(EXIT_USAGE, "2x is no time for --since; write 2h, 2026-01-31 or '2026-01-31 12:00'", "--since",
		     "2x");
	expect_wrong(EXIT_USAGE, "2026-02-30 is no time for --since; write 2h, 2026-01-31 or '2026-01-31 12:00'",
		     "--since", "2026-02-30");
	expect_wrong(EXIT_USAGE, "2100-02-29 12:00 is no time for --since; write 2h, 2026-01-31 or '2026-01-31 12:00'",
		     "--since", "2100-02-29 12:00");
	expect_wrong(EXIT_USAGE,
		     "2026-04-31T00:00:00Z is no time for --since; write 2h, 2026-01-31 or '2026-01-31 12:00'",
		     "--since", "2026-04-31T00:00:00Z");
	expect_wrong(EXIT_USAGE, "--json and --csv cannot both be written; choose one", "--json", "--csv");
	expect_wrong(EXIT_USAGE, "--csv and --html cannot both be written; choose one", "--csv", "--html=page.html");
	expect_wrong(EXIT_USAGE,
		     "99999999999999999999h is no time for --until; write 2h, 2026-01-31 or '2026-01-31 12:00'",
		     "--until", "99999999999999999999h");
	assert_int_equal(RUN("--name", "*example.com", log_file), EXIT_USAGE);
	assert_int_equal(RUN("--policy-file", log_file, log_file), EXIT_USAGE);
}

/* Why nothing can be written is said in the system's words. */
static void test_full_device(void **state) {
	char *words[] = {"report", "--json", log_file, NULL};
	int saved = dup(STDOUT_FILENO), full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	FILE *messages = fmemopen(err, sizeof(err), "w");

	(void)state;
	write_log();
	fflush(stdout);
	dup2(full, STDOUT_FILENO);
	message_redirect(messages);
	assert_int_equal(report_main(3, words), EXIT_FAILED);
	message_redirect(NULL);
	__fpurge(stdout);
	clearerr(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(full);
	fclose(messages);
	assert_non_null(strstr(err, "snifence: report: cannot write to standard output: No space left on device\n"));
}

static void test_unread_file(void **state) {
	(void)state;
	write_log();
	assert_int_equal(RUN("--json", "/nonexistent", log_file), EXIT_UNREAD);
	assert_non_null(strstr(out, "{" COUNTS(10, 1, 12)));
	assert_non_null(strstr(out, "\"unread_files\":1"));
	assert_non_null(strstr(err, "snifence: report: /nonexistent cannot be read: No such file or directory\n"));
}

/* Nothing was refused, and nothing is said to have been. */
static void test_audited(void **state) {
	(void)state;
	MAKE_LOG(log_file, {.name = "api.gihtub.test", .action = "alert"},
		 {.name = "api.github.test", .action = "pass", .reason = "name_allowed"});
	assert_int_equal(RUN(log_file), 0);
	assert_string_equal(
		out, "0 refused, 1 would be refused (audit mode), 1 allowed\n"
		     "2026-01-02 03:00:00 to 03:00:00, 0 runs\n"
		     "would be refused, over time: █\n"
		     "\n"
		     "Would be refused most\n"
		     "  AUDITED  NAME             REASON            ASKED BY  FIRST     LAST      OVER TIME\n"
		     "        1  api.gihtub.test  name_not_allowed  curl      03:00:00  03:00:00  █\n"
		     "\n"
		     "Close to what is allowed\n"
		     "  AUDITED  NAME             CLOSE TO\n"
		     "        1  api.gihtub.test  api.github.test is allowed: a misspelling, or an imitation\n"
		     "  only names that the log has as allowed are compared: name the policy with --policy-file\n"
		     "\n"
		     "What is not in this report\n"
		     "  nothing is known to be missing\n");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_audited),
		cmocka_unit_test(test_near_misses_not_known),
		cmocka_unit_test(test_imitation_among_many),
		cmocka_unit_test(test_json_incomplete),
		cmocka_unit_test(test_expected),
		cmocka_unit_test(test_other_reasons),
		cmocka_unit_test(test_long_hello),
		cmocka_unit_test(test_no_processes),
		cmocka_unit_test(test_not_bound),
		cmocka_unit_test(test_follow_nothing),
		cmocka_unit_test(test_follow_policies),
		cmocka_unit_test(test_full_device),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_cut_runs),
		cmocka_unit_test(test_what_does_not_end),
		cmocka_unit_test(test_too_many_runs),
		cmocka_unit_test(test_too_many_left_out),
		cmocka_unit_test(test_none_meant),
		cmocka_unit_test(test_overview),
		cmocka_unit_test(test_policy_of_the_log),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_ascii),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_before_1970),
		cmocka_unit_test(test_follow),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_only_counted),
		cmocka_unit_test(test_wrong_command_lines),
		cmocka_unit_test(test_unread_file),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
