/* SPDX-License-Identifier: BSD-2-Clause */
/* Logs ──► the policies, diffs, messages and exit codes that `snifence learn` promises, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../support/log_maker.h"
#include "../support/output.h"
#include "../support/put_file.h"
#include "abi.h"
#include "analysis/remedy.h"
#include "base/message.h"
#include "inspect/inspect.h"
#include "learn/learn.h"
#include "policy/policy.h"

static char folder[] = "/tmp/snifence-learn-XXXXXX";
static char log_file[64], policy_file[64], new_file[64];
static char out[65536], err[8192];

/* clang-format off */
#define HEAD \
	"# What was used in 14 events, 2026-01-02 03:00:00 to 03:01:40, by `snifence learn`.\n" \
	"# Take out what should not be allowed.\n" \
	"version: 1\nmode: enforce\ntls:\n  allow:\n"
#define UNNAMED \
	"snifence: learn: 1 rule by address: with `dns: {log: answers}` in the audit policy, what was looked up gets its " \
	"rule by name\n"
#define ADDRESSES \
	"direct:\n  allow:\n" \
	"    - {to: 198.51.100.1, proto: tcp, ports: [22, 5432]} # NOT INSPECTED: 2 times by psql, 2026-01-02 03:00:20 to 03:00:21\n" \
	"    - {to: \"2001:db8::1\", proto: udp, ports: [123]}     # NOT INSPECTED: once by ntpd, 2026-01-02 03:00:22\n"
#define LEFT \
	"\n# Seen too, but no rule was made of it:\n" \
	"#   192.0.2.1:443/TCP (names are to be checked there, which an address rule would end): once by curl, 2026-01-02 03:00:23\n" \
	"#   x.test (name_elsewhere: by an old list of addresses, or an attempt): once by nc, 2026-01-02 03:00:32\n" \
	"#   \\x0a    - evil.test (name_invalid): once by nc, 2026-01-02 03:00:30\n" \
	"#   *.evil.test (name_not_allowed): once by nc, 2026-01-02 03:00:33\n" \
	"#   \\x0a    - evil.test (name_not_allowed): once by nc, 2026-01-02 03:00:31\n" \
	"#   a socket of protocol ICMP (socket_type): once by ping, 2026-01-02 03:00:34\n"
#define OTHER_NAMES \
	"    - {host: adm.test, ports: [8443]} # once by ev\\x0ail, 2026-01-02 03:00:10\n" \
	"    - api.test                        # 2 times by curl, python3, 2026-01-02 03:00:00 to 03:01:40\n"
#define LEARNED \
	HEAD OTHER_NAMES \
	"    - a.cdn.test                      # once by curl, 2026-01-02 03:00:01\n" \
	"    - b.cdn.test                      # once by curl, 2026-01-02 03:00:02\n" \
	ADDRESSES LEFT
#define FOLDED \
	HEAD OTHER_NAMES \
	"    - \"*.cdn.test\"                    # 2 names (a.cdn.test, b.cdn.test): 2 times by curl, 2026-01-02 03:00:01 to 03:00:02\n" \
	ADDRESSES LEFT
/* clang-format on */

/* What an agent did in audit mode. */
static void write_log(void) {
	FILE *log = new_log(log_file);

	MAKE_LINE(log, .second = 0, .name = "api.test", .action = "pass", .reason = "name_allowed");
	MAKE_LINE(log, .second = 2, .name = "b.cdn.test", .action = "alert");
	MAKE_LINE(log, .second = 1, .name = "a.cdn.test", .action = "alert");
	MAKE_LINE(log, .second = 100, .name = "api.test", .action = "alert", .address = "192.0.2.2",
		  .process = "python3");
	MAKE_LINE(log, .second = 10, .name = "adm.test", .action = "alert", .port = 8443, .process = "ev\\nil");
	MAKE_LINE(log, .second = 20, .action = "alert", .reason = "address_not_allowed", .address = "198.51.100.1",
		  .port = 5432, .process = "psql");
	MAKE_LINE(log, .second = 21, .action = "pass", .reason = "address_allowed", .address = "198.51.100.1",
		  .port = 22, .process = "psql");
	MAKE_LINE(log, .second = 22, .action = "alert", .reason = "port_not_allowed", .address = "2001:db8::1",
		  .port = 123, .protocol = "UDP", .process = "ntpd");
	MAKE_LINE(log, .second = 23, .action = "alert", .reason = "address_not_allowed");
	MAKE_LINE(log, .second = 30, .name = "\\\\x0a    - evil.test", .action = "alert", .reason = "name_invalid",
		  .process = "nc");
	MAKE_LINE(log, .second = 31, .name = "\\n    - evil.test", .action = "alert", .process = "nc");
	MAKE_LINE(log, .second = 32, .name = "x.test", .action = "alert", .reason = "name_elsewhere", .process = "nc");
	MAKE_LINE(log, .second = 33, .name = "*.evil.test", .action = "alert", .process = "nc");
	MAKE_LINE(log, .second = 34, .action = "alert", .reason = "socket_type", .address = "", .protocol = "ICMP",
		  .process = "ping");
	MAKE_LINE(log, .second = 40, .name = "refused.test");
	assert_int_equal(fclose(log), 0);
}

static void write_names(const char *const names[], size_t count) {
	FILE *log = new_log(log_file);

	for (size_t i = 0; i < count; i++)
		MAKE_LINE(log, .name = names[i], .action = "alert");
	assert_int_equal(fclose(log), 0);
}

static int set_up(void **state) {
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	if (!mkdtemp(folder))
		return -1;
	snprintf(log_file, sizeof(log_file), "%s/log.json", folder);
	snprintf(policy_file, sizeof(policy_file), "%s/policy.yaml", folder);
	snprintf(new_file, sizeof(new_file), "%s/new.yaml", folder);
	return 0;
}

static int remove_files(void **state) {
	(void)state;
	unlink(log_file);
	unlink(policy_file);
	unlink(new_file);
	return 0;
}

static int tear_down(void **state) {
	(void)state;
	return rmdir(folder);
}

/* Runs the subcommand; what it prints is in `out` and `err`. */
#define RUN(...)                                                                                                       \
	output_of(learn_main, (const char *const[]){"learn", __VA_ARGS__, NULL}, out, sizeof(out), err, sizeof(err))

static void expect_text(const char *path, const char *expected) {
	char text[16384];
	FILE *file = fopen(path, "re");

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(text, expected);
}

static void expect_policy(const char *text) {
	struct diagnostics diagnostics = {0};
	struct policy *policy = policy_parse("policy.yaml", text, strlen(text), &diagnostics);

	assert_non_null(policy);
	assert_int_equal(diagnostics.count, 0);
	policy_free(policy);
}

static void test_policy(void **state) {
	(void)state;
	write_log();
	assert_int_equal(RUN(log_file), 0);
	assert_string_equal(out, LEARNED);
	assert_string_equal(err, UNNAMED);
	expect_policy(out);
}

static void test_output(void **state) {
	char expected[512];

	(void)state;
	write_log();
	assert_int_equal(RUN("-o", new_file, log_file), 0);
	assert_string_equal(out, "");
	snprintf(expected, sizeof(expected),
		 UNNAMED "snifence: learn: wrote %s: 4 hosts, 2 uninspected rules; next: snifence check %s\n", new_file,
		 new_file);
	assert_string_equal(err, expected);
	expect_text(new_file, LEARNED);
	assert_int_equal(RUN("-o", new_file, "--wildcards", "2", log_file), EXIT_FAILED);
	snprintf(expected, sizeof(expected), "snifence: learn: %s is there already: name another file, or remove it\n",
		 new_file);
	assert_string_equal(err, expected);
	expect_text(new_file, LEARNED);
}

static void test_wildcards(void **state) {
	(void)state;
	write_log();
	assert_int_equal(RUN("--wildcards", "2", log_file), 0);
	assert_string_equal(out, FOLDED);
	expect_policy(out);
	assert_int_equal(RUN("--wildcards", "3", log_file), 0);
	assert_string_equal(out, LEARNED);
}

/* What a wildcard covers has no rule beside it, however far below; the apex and what is bound have. */
static void test_nested_wildcards(void **state) {
	FILE *log;

	(void)state;
	write_names((const char *const[]){"example.com", "a.example.com", "c.example.com", "x.c.example.com",
					  "y.c.example.com", "z.y.c.example.com", "x.c.example.org", "y.c.example.org"},
		    8);
	log = fopen(log_file, "ae");
	assert_non_null(log);
	MAKE_LINE(log, .name = "b.example.com", .action = "alert", .port = 8443);
	assert_int_equal(fclose(log), 0);
	assert_int_equal(RUN("--wildcards", "2", log_file), 0);
	assert_string_equal(
		strstr(out, "tls:\n"),
		"tls:\n  allow:\n"
		"    - example.com                          # once by curl, 2026-01-02 03:00:00\n"
		"    - \"*.example.com\"                      # 5 names (a.example.com, c.example.com, x.c.example.com, "
		"...): 5 times by curl, 2026-01-02 03:00:00\n"
		"    - {host: b.example.com, ports: [8443]} # once by curl, 2026-01-02 03:00:00\n"
		"    - \"*.c.example.org\"                    # 2 names (x.c.example.org, y.c.example.org): 2 times by "
		"curl, 2026-01-02 03:00:00\n");
	expect_policy(out);
}

/* Below a public suffix anyone can have a name: none of these is folded. */
static void test_public_suffixes(void **state) {
	static const char *const names[] = {"a.com",
					    "b.com",
					    "a.co.uk",
					    "b.co.uk",
					    "a.github.io",
					    "b.github.io",
					    "s3.amazonaws.com",
					    "ec2.amazonaws.com",
					    "a.test",
					    "b.test",
					    "a.b.core.windows.net",
					    "c.b.core.windows.net",
					    "x.core.windows.net",
					    "y.core.windows.net",
					    "a.s3.us-west-2.amazonaws.com",
					    "b.s3.us-west-2.amazonaws.com",
					    "www.fedoraproject.org",
					    "cloud.fedoraproject.org",
					    "www.linode.com",
					    "api.linode.com",
					    "x.members.linode.com"};

	(void)state;
	write_names(names, sizeof(names) / sizeof(*names));
	assert_int_equal(RUN("--wildcards", "2", log_file), 0);
	assert_null(strstr(out, "*.com\""));
	assert_null(strstr(out, "*.co.uk\""));
	assert_null(strstr(out, "*.github.io\""));
	assert_null(strstr(out, "*.amazonaws.com\""));
	assert_null(strstr(out, "*.core.windows.net\""));
	assert_null(strstr(out, "*.s3.us-west-2.amazonaws.com\""));
	assert_null(strstr(out, "*.test\""));
	/* these two are none, but cloud.fedoraproject.org and members.linode.com are */
	assert_null(strstr(out, "*.fedoraproject.org\""));
	assert_null(strstr(out, "*.linode.com\""));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_non_null(strstr(out, names[i]));
	expect_policy(out);
}

/* One port of an address is where names are checked, the other is not. */
static void test_ports(void **state) {
	(void)state;
	MAKE_LOG(log_file, {.action = "alert", .reason = "address_not_allowed", .port = 443},
		 {.action = "alert", .reason = "address_not_allowed", .port = 22});
	assert_int_equal(RUN(log_file), 0);
	assert_non_null(
		strstr(out, "    - {to: 192.0.2.1, proto: tcp, ports: [22]} # NOT INSPECTED: 2 times by curl, "));
	assert_non_null(strstr(out, "#   192.0.2.1:443/TCP (names are to be checked there, "));
}

/* No rule for QUIC, which would allow every name at its address; other ports of that have theirs. */
static void test_quic(void **state) {
	(void)state;
	MAKE_LOG(log_file, {.action = "alert", .reason = "address_not_allowed", .protocol = "UDP"},
		 {.action = "alert", .reason = "address_not_allowed", .protocol = "UDP", .port = 123});
	assert_int_equal(RUN(log_file), 0);
	assert_string_equal(
		strstr(out, "direct:\n"),
		"direct:\n  allow:\n"
		"    - {to: 192.0.2.1, proto: udp, ports: [123]} # NOT INSPECTED: 2 times by curl, 2026-01-02 "
		"03:00:00\n"
		"\n# Seen too, but no rule was made of it:\n"
		"#   192.0.2.1:443/UDP (QUIC, whose names are not judged: refused, programs use TLS over TCP): "
		"2 times by curl, 2026-01-02 03:00:00\n");
	MAKE_LOG(log_file, {.action = "pass", .reason = "address_allowed", .protocol = "UDP"});
	assert_int_equal(RUN(log_file), 0);
	assert_null(strstr(out, "direct:"));
}

/* A port of loopback that the kernel has drawn never comes again; one that was chosen does. */
static void test_loopback(void **state) {
	(void)state;
	MAKE_LOG(log_file, {.action = "alert", .reason = "address_not_allowed", .address = "127.0.0.1", .port = 5432},
		 {.action = "alert", .reason = "address_not_allowed", .address = "127.0.0.1", .port = 41234},
		 {.action = "alert", .reason = "address_not_allowed", .address = "127.0.0.2", .port = 32767},
		 {.action = "alert", .reason = "address_not_allowed", .address = "::1", .port = 32768},
		 {.action = "alert", .reason = "address_not_allowed", .address = "192.0.2.1", .port = 41234});
	assert_int_equal(RUN("-o", new_file, log_file), 0);
	assert_non_null(strstr(err, ": 0 hosts, 1 uninspected rule; next: "));
	expect_text(
		new_file,
		"# What was used in 5 events, 2026-01-02 03:00:00, by `snifence learn`.\n"
		"# Take out what should not be allowed.\n"
		"version: 1\nmode: enforce\ndirect:\n  allow:\n"
		"    - {to: \"::1\", proto: tcp}                     # any port: 32768 and its like are drawn anew each "
		"time: once by curl, 2026-01-02 03:00:00\n"
		"    - {to: 127.0.0.1, proto: tcp}                 # any port: 41234 and its like are drawn anew each "
		"time: 2 times by curl, 2026-01-02 03:00:00\n"
		"    - {to: 127.0.0.2, proto: tcp, ports: [32767]} # once by curl, 2026-01-02 03:00:00\n"
		"    - {to: 192.0.2.1, proto: tcp, ports: [41234]} # NOT INSPECTED: once by curl, 2026-01-02 "
		"03:00:00\n");
}

/* What a report knows of names and addresses stands with their rules. */
static void test_marks(void **state) {
	(void)state;
	MAKE_LOG(log_file, {.action = "alert", .name = "www.packages.test"},
		 {.action = "alert", .name = "www.packages.test"}, {.action = "alert", .name = "www.pakcages.test"},
		 {.action = "alert", .name = "xn--pple-43d.test"},
		 {.action = "alert", .reason = "address_not_allowed", .port = 8443},
		 {.action = "alert",
		  .reason = "address_not_allowed",
		  .address = "192.0.2.2",
		  .port = 53,
		  .protocol = "UDP"});
	assert_int_equal(RUN(log_file), 0);
	assert_string_equal(
		strstr(out, "tls:\n"),
		"tls:\n  allow:\n"
		"    - www.packages.test # 2 times by curl, 2026-01-02 03:00:00\n"
		"    - www.pakcages.test # LOOK AT IT: nearly packages.test: once by curl, 2026-01-02 03:00:00\n"
		"    - xn--pple-43d.test # LOOK AT IT: <U+0430>pple.test, with Cyrillic letters that look like Latin ones: once "
		"by curl, 2026-01-02 03:00:00\n"
		"direct:\n  allow:\n"
		"    - {to: 192.0.2.1, proto: tcp, ports: [8443]} # NOT INSPECTED, mostly TLS: with 8443 in `tls.ports` its "
		"names are learned: once by curl, 2026-01-02 03:00:00\n"
		"    - {to: 192.0.2.2, proto: udp, ports: [53]}   # NOT INSPECTED, a DNS server that the policy does not name: "
		"once by curl, 2026-01-02 03:00:00\n");
}

/* What the options leave nothing of is not said to be refusals. */
static void test_nothing_chosen(void **state) {
	(void)state;
	write_log();
	assert_int_equal(RUN("--action", "blocked", "--process", "nosuch", log_file), 0);
	assert_string_equal(err,
			    "snifence: learn: nothing was learned: no event in the logs is what the options choose\n");
	assert_int_equal(RUN("--process", "nosuch", log_file), 0);
	assert_string_equal(err,
			    "snifence: learn: nothing was learned: no event in the logs is what the options choose\n");
}

static const char hand_written[] = "# Ours.\nversion: 1\n\ntls:\n  allow:\n    - \"*.cdn.test\"   # all of it\n"
				   "    # the API\n    - api.test\n  deny: [no.test]\n# end\n";

static void test_merge(void **state) {
	char expected[1024];

	(void)state;
	write_log();
	put_file(policy_file, hand_written);
	assert_int_equal(RUN("--merge", policy_file, "--reason", "name_not_allowed", log_file), 0);
	snprintf(
		expected, sizeof(expected),
		"--- %s\n+++ %s\n@@ -6,5 +6,6 @@\n     - \"*.cdn.test\"   # all of it\n     # the API\n     - api.test\n"
		"+    - {host: adm.test, ports: [8443]} # once by ev\\x0ail, 2026-01-02 03:00:10\n"
		"   deny: [no.test]\n # end\n",
		policy_file, policy_file);
	assert_string_equal(out, expected);
	assert_string_equal(
		err, "snifence: learn: no rule was made of *.evil.test (name_not_allowed): once by nc, 2026-01-02 "
		     "03:00:33\n"
		     "snifence: learn: no rule was made of \\x5cx0a    - evil.test (name_not_allowed): once by nc, "
		     "2026-01-02 03:00:31\n");
	expect_text(policy_file, hand_written);
}

/* What was added is not missing any more. */
static void test_merge_again(void **state) {
	(void)state;
	write_log();
	put_file(policy_file, hand_written);
	assert_int_equal(RUN("--merge", policy_file, "-o", new_file, log_file), 0);
	assert_string_equal(out, "");
	assert_int_equal(RUN("--merge", new_file, log_file), 0);
	assert_string_equal(out, "");
}

static void test_merge_denied(void **state) {
	char expected[256];

	(void)state;
	write_names((const char *const[]){"no.test", "api.test"}, 2);
	put_file(policy_file, hand_written);
	assert_int_equal(RUN("--merge", policy_file, log_file), 0);
	assert_string_equal(out, "");
	snprintf(expected, sizeof(expected),
		 "snifence: learn: no rule was made of no.test at 192.0.2.1:443 (name_denied, %s:9): once by curl, "
		 "2026-01-02 03:00:00\n",
		 policy_file);
	assert_string_equal(err, expected);
}

static void expect_by_hand(const char *policy, const char *format) {
	char expected[1024];

	put_file(policy_file, policy);
	assert_int_equal(RUN("--merge", policy_file, "-o", new_file, log_file), EXIT_BY_HAND);
	snprintf(expected, sizeof(expected), format, policy_file);
	assert_string_equal(err, expected);
	assert_string_equal(out, "");
	assert_int_equal(access(new_file, F_OK), -1);
	expect_text(policy_file, policy);
}

static void test_by_hand(void **state) {
	(void)state;
	write_names((const char *const[]){"api.test"}, 1);
	expect_by_hand(
		"version: 1\ntls: ~\n",
		"snifence: learn: %s:2: cannot add to `tls` here: what stands behind the key is no map that could "
		"be added to; add these by hand:\nsnifence: learn:   tls.allow: api.test\n");
}

/* With one rule more, the policy would be beyond a limit: no line of a text that is not there is named. A rule that is
 * to be widened is told all the same. */
static void test_too_much(void **state) {
	static char policy[16384];
	size_t used = (size_t)sprintf(policy, "version: 1\ntls:\n  allow:\n");

	(void)state;
	MAKE_LOG(log_file, {.name = "api.test", .port = 8443, .action = "alert"},
		 {.name = "n2.test", .action = "alert", .reason = "name_elsewhere"},
		 {.action = "alert", .reason = "address_not_allowed", .port = 22});
	for (int i = 1; i < SNIF_ZONES; i++)
		used += (size_t)sprintf(policy + used, "    - {host: n%d.test, ports: [%d]}\n", i, 1000 + i);
	expect_by_hand(
		policy,
		"snifence: learn: with the learned rules, %1$s would not be a good policy (hosts have more "
		"than 256 different combinations of `to`, `ports` and `starts`); add by hand what can be:\n"
		"snifence: learn:   tls.allow: {host: api.test, ports: [8443]}\n"
		"snifence: learn:   direct.allow: {to: 192.0.2.1, proto: tcp, ports: [22]}\n"
		"snifence: learn: %1$s:5: `n2.test` was used at 192.0.2.1:443 too: add that to this rule, if it is "
		"meant\n" UNNAMED);
}

/* Rules that a person has to change, here for want of a port and of an address, do not keep the others from being
 * added. */
static void test_changed_by_hand(void **state) {
	char expected[1024];

	(void)state;
	MAKE_LOG(log_file, {.name = "api.test", .action = "alert"},
		 {.name = "bound.test", .action = "alert", .reason = "name_elsewhere"},
		 {.name = "a.cdn.test", .action = "alert", .reason = "name_elsewhere", .address = "192.0.2.2"},
		 {.name = "gone.test", .action = "alert", .reason = "name_elsewhere"},
		 {.name = "new.test", .action = "alert"});
	put_file(policy_file, "version: 1\ntls:\n  allow:\n    - {host: api.test, ports: [8443]}\n"
			      "    - {host: bound.test, to: 198.51.100.0/24}\n"
			      "    - {host: \"*.cdn.test\", to: 198.51.100.0/24}\n");
	assert_int_equal(RUN("--merge", policy_file, log_file), EXIT_BY_HAND);
	snprintf(expected, sizeof(expected),
		 "--- %s\n+++ %s\n@@ -4,3 +4,4 @@\n     - {host: api.test, ports: [8443]}\n"
		 "     - {host: bound.test, to: 198.51.100.0/24}\n     - {host: \"*.cdn.test\", to: 198.51.100.0/24}\n"
		 "+    - new.test # once by curl, 2026-01-02 03:00:00\n",
		 policy_file, policy_file);
	assert_string_equal(out, expected);
	snprintf(
		expected, sizeof(expected),
		"snifence: learn: %s:4: `api.test` was used at 192.0.2.1:443 too: add that to this rule, if it is meant\n"
		"snifence: learn: %s:5: `bound.test` was used at 192.0.2.1:443 too: add that to this rule, if it is meant\n"
		"snifence: learn: %s:6: `a.cdn.test` was used at 192.0.2.2:443 too: add that to this rule, if it is meant\n"
		"snifence: learn: no rule was made of gone.test (name_elsewhere: by an old list of addresses, or an "
		"attempt): once by curl, 2026-01-02 03:00:00\n",
		policy_file, policy_file, policy_file);
	assert_string_equal(err, expected);
}

/* A name that a deny rule covers gets no rule, where the policy would not have asked for it either. */
static void test_denied_elsewhere(void **state) {
	char expected[1024];

	(void)state;
	MAKE_LOG(log_file, {.name = "x.bad.test", .action = "alert", .port = 8443},
		 {.name = "no.test", .action = "alert", .port = 8443},
		 {.name = "good.test", .action = "alert", .port = 8443});
	put_file(policy_file, "version: 1\ntls:\n  deny: [\"*.bad.test\", no.test]\n  allow: [ok.test]\n");
	assert_int_equal(RUN("--merge", policy_file, "-o", new_file, log_file), 0);
	expect_text(new_file,
		    "version: 1\ntls:\n  deny: [\"*.bad.test\", no.test]\n  allow: [ok.test, {host: good.test, "
		    "ports: [8443]}]\n");
	snprintf(expected, sizeof(expected),
		 "snifence: learn: no rule was made of x.bad.test at 192.0.2.1:8443 (name_denied, %s:3): once by curl, "
		 "2026-01-02 03:00:00\n"
		 "snifence: learn: no rule was made of no.test at 192.0.2.1:8443 (name_denied, %s:3): once by curl, "
		 "2026-01-02 03:00:00\n"
		 "snifence: learn: wrote %s: 1 new host, 0 uninspected rules; next: snifence check %s\n",
		 policy_file, policy_file, new_file, new_file);
	assert_string_equal(err, expected);
}

/* A name that a wildcard covers gets no rule, which would take away the wildcard's other places. */
static void test_covered_elsewhere(void **state) {
	char expected[512];

	(void)state;
	MAKE_LOG(log_file, {.name = "a.cdn.test", .action = "alert", .address = "192.0.2.2"},
		 {.name = "a.cdn.test", .action = "alert", .address = "192.0.2.3"},
		 {.name = "a.cdn.test", .action = "alert", .address = "198.51.100.1"},
		 {.name = "a.cdn.test", .action = "alert", .address = "192.0.2.3", .port = 8443},
		 {.name = "b.cdn.test", .action = "alert", .reason = "name_elsewhere", .port = 8444},
		 {.name = "b.cdn.test", .action = "alert", .reason = "name_elsewhere", .port = 8443});
	put_file(policy_file, "version: 1\ntls: {to: 198.51.100.0/24, allow: [\"*.cdn.test\"]}\n");
	assert_int_equal(RUN("--merge", policy_file, log_file), EXIT_BY_HAND);
	assert_string_equal(out, "");
	snprintf(
		expected, sizeof(expected),
		"snifence: learn: %s:2: `a.cdn.test` was used at 192.0.2.2:443 and 2 more places too: add that to this rule, if it is meant\n"
		"snifence: learn: %s:2: `b.cdn.test` was used at 192.0.2.1:8444 and 1 more place too: add that to this rule, if it is meant\n",
		policy_file, policy_file);
	assert_string_equal(err, expected);
}

/* A name at addresses that `tls.to` does not cover is bound to those it was seen at. */
static void test_bound(void **state) {
	(void)state;
	write_names((const char *const[]){"api.test"}, 1);
	put_file(policy_file, "version: 1\ntls:\n  to: 198.51.100.0/24\n  allow: [x.test]\n");
	assert_int_equal(RUN("--merge", policy_file, "-o", new_file, log_file), 0);
	expect_text(new_file, "version: 1\ntls:\n  to: 198.51.100.0/24\n  allow: [x.test, {host: api.test, to: "
			      "[192.0.2.1]}]\n");
}

static void write_answer(FILE *log, const char *name, const char *address) {
	fprintf(log,
		"{\"timestamp\":\"2026-01-02T03:00:00.000000+0000\",\"event_type\":\"dns\",\"dns\":{\"type\":\"answer\","
		"\"id\":1,\"rrname\":\"%s\",\"rrtype\":\"A\",\"answers\":[{\"rrtype\":\"A\",\"ttl\":60,\"rdata\":\"%s\"}]}}\n",
		name, address);
}

/* Names that were to be looked up: one for TLS, one for something else, one that a rule denies, and what is no host's. */
static void write_questions(const char *action) {
	static const char *const names[] = {"tls.test",
					    "db.test",
					    "alone.test",
					    "known.test",
					    "denied.test",
					    "1.2.0.192.in-addr.arpa",
					    "_http._tcp.known.test"};
	FILE *log = new_log(log_file);

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		MAKE_LINE(log, .lookup = 1, .name = names[i], .action = action, .reason = "dns_name", .port = 53,
			  .protocol = "UDP");
	write_answer(log, "db.test", "198.51.100.1");
	MAKE_LINE(log, .name = "tls.test", .action = "alert");
	MAKE_LINE(log, .action = "alert", .reason = "address_not_allowed", .address = "198.51.100.1", .port = 5432);
	assert_int_equal(fclose(log), 0);
}

#define ONLY_NAMES                                                                                                     \
	"version: 1\n"                                                                                                 \
	"dns: {servers: [203.0.113.53], names: policy}\n"                                                              \
	"tls:\n"                                                                                                       \
	"  deny: [denied.test]\n"                                                                                      \
	"  allow:\n"                                                                                                   \
	"    - known.test\n"
#define NEEDLESS                                                                                                       \
	"snifence: learn: no rule was made of 1.2.0.192.in-addr.arpa (dns_name): once by curl, 2026-01-02 03:00:00\n"  \
	"snifence: learn: no rule was made of _http._tcp.known.test (dns_name): once by curl, 2026-01-02 03:00:00\n"

static const char denied[] =
	"snifence: learn: no rule was made of denied.test (dns_name, %1$s:4): once by curl, 2026-01-02 03:00:00\n" NEEDLESS;

/* What came of a lookup that was let through has been seen: the lookup alone becomes what lets it be looked up, and only
 * where that needs a rule. */
static void test_lookups_let_through(void **state) {
	char expected[1024];

	(void)state;
	write_questions("alert");
	put_file(policy_file, ONLY_NAMES);
	assert_int_equal(RUN("--merge", policy_file, "-o", new_file, log_file), 0);
	expect_text(
		new_file,
		"version: 1\n"
		"dns: {servers: [203.0.113.53], names: policy, allow: [alone.test]}\n"
		"tls:\n"
		"  deny: [denied.test]\n"
		"  allow:\n"
		"    - known.test\n"
		"    - tls.test # once by curl, 2026-01-02 03:00:00\n"
		"direct:\n"
		"  allow:\n"
		"    - {host: db.test, proto: tcp, ports: [5432]} # NOT INSPECTED, at the addresses that lookups give: "
		"once by curl, 2026-01-02 03:00:00\n");
	snprintf(expected, sizeof(expected), denied, policy_file);
	snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected),
		 "snifence: learn: wrote %1$s: 1 new host, 1 uninspected rule, 1 name to be looked up; next: snifence "
		 "check %1$s\n",
		 new_file);
	assert_string_equal(err, expected);
	/* once more, nothing is missing */
	assert_int_equal(RUN("--merge", new_file, log_file), 0);
	assert_string_equal(out, "");
	/* where all may be looked up, nothing is needed for it */
	assert_int_equal(RUN(log_file), 0);
	assert_null(strstr(out, "alone.test"));
}

/* What a deny rule expects is no news here, either. */
static void test_expected(void **state) {
	(void)state;
	MAKE_LOG(log_file, {.name = "telemetry.test", .reason = "name_denied", .rule = "p.yaml:3", .expected = 1},
		 {.name = "denied.test", .reason = "name_denied", .rule = "p.yaml:4"});
	assert_int_equal(RUN("--action", "refused", log_file), 0);
	assert_null(strstr(out, "telemetry.test"));
	assert_non_null(strstr(out, "denied.test"));
}

/* Of a lookup that was refused nobody knows what it was for: the rule is the one that notices tell. */
static void test_lookups_refused(void **state) {
	(void)state;
	write_questions("drop");
	put_file(policy_file, ONLY_NAMES);
	assert_int_equal(RUN("--merge", policy_file, "--action", "refused", "-o", new_file, log_file), 0);
	expect_text(new_file, ONLY_NAMES
		    "    - alone.test # only looked up: " REMEDY_LOOKUP ": once by curl, 2026-01-02 03:00:00\n"
		    "    - db.test    # only looked up: " REMEDY_LOOKUP ": once by curl, 2026-01-02 03:00:00\n"
		    "    - tls.test   # only looked up: " REMEDY_LOOKUP ": once by curl, 2026-01-02 03:00:00\n");
	assert_int_equal(RUN("--action", "refused", log_file), 0);
	assert_non_null(strstr(out, "    - alone.test  # only looked up: " REMEDY_LOOKUP));
}

/* What went to an address that a lookup had told, and is no TLS. */
static void write_lookups(void) {
	FILE *log = new_log(log_file);

	MAKE_LINE(log, .action = "pass", .reason = "dns_allowed", .address = "203.0.113.53", .port = 53,
		  .protocol = "UDP", .process = "psql");
	MAKE_LINE(log, .action = "alert", .reason = "address_not_allowed", .address = "203.0.113.9", .port = 53,
		  .protocol = "UDP", .process = "nslookup");
	write_answer(log, "old.db.test", "198.51.100.1");
	write_answer(log, "pg.db.test", "198.51.100.1");
	write_answer(log, "pg.db.test", "198.51.100.2");
	write_answer(log, "-.test", "198.51.100.4");
	MAKE_LINE(log, .second = 1, .action = "alert", .reason = "address_not_allowed", .address = "198.51.100.1",
		  .port = 5432, .process = "psql");
	MAKE_LINE(log, .second = 2, .action = "pass", .reason = "address_bound", .address = "198.51.100.2", .port = 22,
		  .process = "ssh");
	MAKE_LINE(log, .second = 3, .action = "alert", .reason = "address_not_allowed", .address = "198.51.100.1",
		  .port = 123, .protocol = "UDP", .process = "ntpd");
	MAKE_LINE(log, .second = 4, .action = "alert", .reason = "address_not_allowed", .address = "198.51.100.3",
		  .port = 5432, .process = "psql");
	assert_int_equal(fclose(log), 0);
}

/* The name's addresses come under one rule; what no lookup has told, or is UDP, is a rule for the address. A server that
 * the policy does not name is marked. */
static void test_by_lookups(void **state) {
	(void)state;
	write_lookups();
	put_file(policy_file, "version: 1\ndns: {servers: [203.0.113.53]}\ntls:\n  allow: [x.test]\n");
	assert_int_equal(RUN("--merge", policy_file, "-o", new_file, log_file), 0);
	expect_text(
		new_file,
		"version: 1\ndns: {servers: [203.0.113.53]}\ntls:\n  allow: [x.test]\n"
		"direct:\n  allow:\n"
		"    - {host: pg.db.test, proto: tcp, ports: [22, 5432]} # NOT INSPECTED, at the addresses that lookups "
		"give: 2 times by psql, ssh, 2026-01-02 03:00:01 to 03:00:02\n"
		"    - {to: 198.51.100.1, proto: udp, ports: [123]}      # NOT INSPECTED: once by ntpd, 2026-01-02 "
		"03:00:03\n"
		"    - {to: 198.51.100.3, proto: tcp, ports: [5432]}     # NOT INSPECTED: once by psql, 2026-01-02 "
		"03:00:04\n"
		"    - {to: 203.0.113.9, proto: udp, ports: [53]}        # NOT INSPECTED, a DNS server that the policy "
		"does not name: once by nslookup, 2026-01-02 03:00:00\n");
	/* once more, nothing is missing */
	assert_int_equal(RUN("--merge", new_file, log_file), 0);
	assert_string_equal(out, "");
	/* where the name has a rule already, a second one would be an error */
	put_file(policy_file, "version: 1\ndns: {servers: [203.0.113.53]}\ndirect:\n  allow:\n"
			      "    - {host: .db.test, proto: tcp, ports: [5432]}\n");
	assert_int_equal(RUN("--merge", policy_file, log_file), 1);
	assert_non_null(strstr(
		err, ":5: `pg.db.test` was used at 198.51.100.2:22 too: add that to this rule, if it is meant\n"));
}

static void test_refusals(void **state) {
	(void)state;
	write_log();
	assert_int_equal(RUN("--action", "blocked", log_file), 0);
	assert_non_null(strstr(out, "  allow:\n    - refused.test # once by curl, 2026-01-02 03:00:40\n"));
	assert_int_equal(RUN("--name", "refused.test", log_file), 0);
	assert_string_equal(
		out, "# What was used in 0 events, by `snifence learn`.\n# Take out what should not be allowed.\n"
		     "version: 1\nmode: enforce\n");
	assert_non_null(strstr(err, "snifence: learn: nothing was learned: "));
}

/* Of the runs that are meant it is said what they have lost, of others not. */
static void test_losses(void **state) {
	(void)state;
	MAKE_LOG(log_file, {.sequence = 2, .name = "api.test", .action = "alert"},
		 {.sequence = 4, .name = "api.test", .action = "alert"},
		 {.sequence = 1, .name = "x.test", .action = "alert", .policy = "x", .run = "0000000000000bad"});
	assert_int_equal(RUN("--policy", "agent", log_file), 0);
	assert_non_null(strstr(out, "\n# Perhaps not complete: the logs have lost 2 events.\nversion: 1\n"));
	assert_string_equal(err,
			    "snifence: learn: the logs have lost 2 events: the policy may lack what only they had\n");
	assert_int_equal(RUN("--policy", "x", log_file), 0);
	assert_null(strstr(out, "Perhaps"));
	assert_string_equal(err, "");
}

static void expect_usage(const char *message) {
	assert_string_equal(out, "");
	assert_string_equal(err, message);
}

static void test_wrong(void **state) {
	(void)state;
	write_log();
	assert_int_equal(RUN("--wildcards", "1", log_file), EXIT_USAGE);
	expect_usage(
		"snifence: learn: --wildcards takes a number from 2 on, not 1; `snifence learn --help` shows how\n");
	assert_int_equal(RUN("--merge", "/nonexistent", log_file), EXIT_USAGE);
	expect_usage("snifence: learn: the policy /nonexistent cannot be read: No such file or directory\n");
	assert_int_equal(RUN(log_file, "/nonexistent"), EXIT_UNREAD);
	assert_string_equal(out, LEARNED);
}

#define test(function) cmocka_unit_test_teardown(function, remove_files)

/* What a capture has went through: nobody has judged it. */
static void test_capture(void **state) {
	static const char *const inspect[] = {"inspect", "--json", "tests/captures/reports/one-interface.pcapng",
					      "tests/captures/reports/name-then-refused.pcap", NULL};

	(void)state;
	assert_int_equal(output_of(inspect_main, inspect, out, sizeof(out), err, sizeof(err)), 0);
	put_file(log_file, out);
	assert_int_equal(RUN(log_file), 0);
	assert_string_equal(err, "");
	assert_string_equal(
		out, "# What was used in 6 events, 2023-07-08 20:57:40 to 2023-11-14 22:13:24, by `snifence learn`.\n"
		     "# Take out what should not be allowed.\n"
		     "version: 1\nmode: enforce\ntls:\n  allow:\n"
		     "    - allowed.test # once, 2023-07-08 20:57:40\n"
		     "    - other.test   # once, 2023-07-08 20:57:40\n"
		     "\n# Seen too, but no rule was made of it:\n"
		     "#   allowed.test (esni): once, 2023-11-14 22:13:22\n"
		     "#   allowed.test (extension_twice): once, 2023-11-14 22:13:21\n"
		     "#   allowed.test (hello_incomplete): once, 2023-11-14 22:13:23\n"
		     "#   allowed.test (split_records): once, 2023-11-14 22:13:24\n");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		test(test_policy),
		test(test_output),
		test(test_wildcards),
		test(test_nested_wildcards),
		test(test_public_suffixes),
		test(test_ports),
		test(test_quic),
		test(test_loopback),
		test(test_marks),
		test(test_nothing_chosen),
		test(test_merge),
		test(test_merge_again),
		test(test_merge_denied),
		test(test_by_hand),
		test(test_too_much),
		test(test_changed_by_hand),
		test(test_bound),
		test(test_by_lookups),
		test(test_lookups_let_through),
		test(test_lookups_refused),
		test(test_expected),
		test(test_refusals),
		test(test_losses),
		test(test_wrong),
		test(test_denied_elsewhere),
		test(test_covered_elsewhere),
		test(test_capture),
	};
	return cmocka_run_group_tests_name("learn", tests, set_up, tear_down);
}
