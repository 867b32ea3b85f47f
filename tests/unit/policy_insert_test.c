/* SPDX-License-Identifier: BSD-2-Clause */
/* Policies as people write them, rules ──► exactly these texts, in which every byte of before is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/policy.h"
#include "policy/policy_insert.h"

static const struct insert_item hosts[] = {{"a.test", "once"}, {"{host: b.test, ports: [8443]}", "twice"}};
static const struct insert_item direct[] = {{"{to: \"2001:db8::1\", proto: udp, ports: [123]}", "thrice"}};
static const struct insertion both[] = {{"tls", hosts, 2}, {"direct", direct, 1}};

#define A "- a.test                        # once\n"
#define B "- {host: b.test, ports: [8443]} # twice\n"
#define C "- {to: \"2001:db8::1\", proto: udp, ports: [123]} # thrice\n"
#define FLOW_A_B "a.test, {host: b.test, ports: [8443]}"
#define FLOW_C "{to: \"2001:db8::1\", proto: udp, ports: [123]}"
#define TLS "tls:\n  allow:\n    " A "    " B
#define DIRECT "direct:\n  allow:\n    " C

static const struct {
	const char *before, *after;
} cases[] = {
	/* sections that are not there */
	{"version: 1\n", "version: 1\n" TLS DIRECT},
	{"version: 1", "version: 1\n" TLS DIRECT},
	{"version: 1\n# the end", "version: 1\n# the end\n" TLS DIRECT},
	{"---\nversion: 1\n...\n", "---\nversion: 1\n" TLS DIRECT "...\n"},
	{"{version: 1}", "{version: 1, tls: {allow: [" FLOW_A_B "]}, direct: {allow: [" FLOW_C "]}}"},
	{"{version: 1 # c\n}\n",
	 "{version: 1, # c\n tls: {allow: [" FLOW_A_B "]},\n direct: {allow: [" FLOW_C "]}\n}\n"},
	{"{version: 1, # c\n}\n",
	 "{version: 1, # c\n tls: {allow: [" FLOW_A_B "]},\n direct: {allow: [" FLOW_C "]}\n}\n"},
	/* lists that are there, with comments before, in and behind them */
	{"# top\nversion: 1\ntls:\n  # names\n  allow:\n    - x.test # x\n    # - y.test\n\n# bottom\n",
	 "# top\nversion: 1\ntls:\n  # names\n  allow:\n    - x.test # x\n    " A "    " B
	 "    # - y.test\n\n# bottom\n" DIRECT},
	{"tls:\n  allow:\n  - x.test\n  deny: [y.test]\ndirect:\n  allow: [127.0.0.1] # lo\nversion: 1\n",
	 "tls:\n  allow:\n  - x.test\n  " A "  " B "  deny: [y.test]\ndirect:\n  allow: [127.0.0.1, " FLOW_C
	 "] # lo\nversion: 1\n"},
	{"version: 1\ntls:\n        allow:\n                - host: x.test\n                  ports:\n                    - 444 # p\n"
	 "        ech: deny\n",
	 "version: 1\ntls:\n        allow:\n                - host: x.test\n                  ports:\n                    - 444 # p\n"
	 "                " A "                " B "        ech: deny\n" DIRECT},
	{"version: 1\ntls:\n  allow:\n    - {host: x.test,\n       ports: [444]} # two lines\n",
	 "version: 1\ntls:\n  allow:\n    - {host: x.test,\n       ports: [444]} # two lines\n    " A "    " B DIRECT},
	{"version: 1\ntls: {allow: [x.test,\n    \"y.test\" , # y\n  ]} # z\n",
	 "version: 1\ntls: {allow: [x.test,\n    \"y.test\" , # y\n              " FLOW_A_B "\n  ]} # z\n" DIRECT},
	{"version: 1\ntls:\n  allow: [\n    x.test, # x\n    y.test # y\n  ]\ndirect: {deny: [127.0.0.1] # lo\n  }\n",
	 "version: 1\ntls:\n  allow: [\n    x.test, # x\n    y.test, # y\n    " FLOW_A_B
	 "\n  ]\ndirect: {deny: [127.0.0.1], # lo\n         allow: [" FLOW_C "]\n  }\n"},
	/* comments over several lines stay with what they are about */
	{"version: 1\ntls:\n  allow:\n    - host: x.test\n      ports: [443]\n      # ports: [8443]\n    # no more\n",
	 "version: 1\ntls:\n  allow:\n    - host: x.test\n      ports: [443]\n      # ports: [8443]\n    " A "    " B
	 "    # no more\n" DIRECT},
	/* what is empty */
	{"version: 1\ntls:\ndirect:\n", "version: 1\ntls:\n  allow:\n    " A "    " B "direct:\n  allow:\n    " C},
	{"version: 1\ntls: # t\n  allow: # none\n\n  # later\ndirect: {}\n",
	 "version: 1\ntls: # t\n  allow: # none\n    " A "    " B "\n  # later\ndirect: {allow: [" FLOW_C "]}\n"},
	{"version: 1\ntls:\n  allow: []\n  ech: deny",
	 "version: 1\ntls:\n  allow: [" FLOW_A_B "]\n  ech: deny\n" DIRECT},
	{"version: 1\ntls:\n  ports: [443]\n  deny:\n    - x.test\n\nmode: audit\n",
	 "version: 1\ntls:\n  ports: [443]\n  deny:\n    - x.test\n  allow:\n    " A "    " B "\nmode: audit\n" DIRECT},
	/* one section is missing, and the place for the other is at the same end */
	{"version: 1\ndirect:\n  allow:\n    - 127.0.0.1\n",
	 "version: 1\ndirect:\n  allow:\n    - 127.0.0.1\n    " C TLS},
	{"version: 1\ndirect:\n  allow:\n  - 127.0.0.1 # lo",
	 "version: 1\ndirect:\n  allow:\n  - 127.0.0.1 # lo\n  " C TLS},
	{"version: 1\ndirect:\n  deny:\n    - 127.0.0.1\n",
	 "version: 1\ndirect:\n  deny:\n    - 127.0.0.1\n  allow:\n    " C TLS},
	{"version: 1\ndirect:\n", "version: 1\ndirect:\n  allow:\n    " C TLS},
	{"version: 1\ndirect:\n  allow:\n", "version: 1\ndirect:\n  allow:\n    " C TLS},
	{"version: 1\ndirect:\n  allow: []", "version: 1\ndirect:\n  allow: [" FLOW_C "]\n" TLS},
	{"version: 1\ndirect: {}", "version: 1\ndirect: {allow: [" FLOW_C "]}\n" TLS},
	{"---\nversion: 1\ndirect:\n  allow:\n    - 127.0.0.1\n...\n",
	 "---\nversion: 1\ndirect:\n  allow:\n    - 127.0.0.1\n    " C TLS "...\n"},
	{"version: 1\ntls:\n  allow:\n    - x.test\n",
	 "version: 1\ntls:\n  allow:\n    - x.test\n    " A "    " B DIRECT},
	{"version: 1\ntls:\n  allow:\n", "version: 1\n" TLS DIRECT},
	{"version: 1\ntls:\n", "version: 1\n" TLS DIRECT},
	{"version: 1\ntls: {}", "version: 1\ntls: {allow: [" FLOW_A_B "]}\n" DIRECT},
	{"direct:\ntls:\nversion: 1\n", "direct:\n  allow:\n    " C TLS "version: 1\n"},
	{"version: 1\ndirect:\ntls:\n", "version: 1\ndirect:\n  allow:\n    " C TLS},
	{"version: 1\ndirect:\n  allow:\ntls:\n  allow:", "version: 1\ndirect:\n  allow:\n    " C TLS},
	/* characters of several bytes before, a byte order mark */
	{"version: 1 # \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\ntls: {allow: [b\xc3\xbc"
	 "cher.test]}\n",
	 "version: 1 # \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\ntls: {allow: [b\xc3\xbc"
	 "cher.test, " FLOW_A_B "]}\n" DIRECT},
	{"\xef\xbb\xbf{version: 1, tls: {allow: [x.test]}, direct: {}}\n",
	 "\xef\xbb\xbf{version: 1, tls: {allow: [x.test, " FLOW_A_B "]}, direct: {allow: [" FLOW_C "]}}\n"},
	/* other ends of lines */
	{"version: 1\r\ntls:\r\n  allow:\r\n    - x.test # x\r\ndirect: {}\r\n",
	 "version: 1\r\ntls:\r\n  allow:\r\n    - x.test # x\r\n    - a.test                        # once\r\n"
	 "    - {host: b.test, ports: [8443]} # twice\r\ndirect: {allow: [" FLOW_C "]}\r\n"},
	{"direct:\n  allow:\n    - 127.0.0.1\nversion: 1\ntls:\n  allow: [x.test]",
	 "direct:\n  allow:\n    - 127.0.0.1\n    " C "version: 1\ntls:\n  allow: [x.test, " FLOW_A_B "]"},
};

/* How many host rules and address rules the text has; fails when it is no policy. */
static void count_rules(const char *text, size_t length, size_t *host_count, size_t *direct_count) {
	struct diagnostics diagnostics = {0};
	struct policy *policy = policy_parse("policy.yaml", text, length, &diagnostics);

	diagnostics_print(&diagnostics, stderr);
	assert_non_null(policy);
	*host_count = policy->host_count;
	*direct_count = policy->direct_count;
	policy_free(policy);
	diagnostics_free(&diagnostics);
}

/* Three sections, of which two come to the same place. */
static void test_three_sections(void **state) {
	static const struct insert_item lookups[] = {{"c.test", "once"}};
	static const struct insertion all[] = {{"tls", hosts, 2}, {"direct", direct, 1}, {"dns", lookups, 1}};
	static const struct {
		const char *before, *after;
	} three[] = {
		{"version: 1\n", "version: 1\n" TLS DIRECT "dns:\n  allow:\n    - c.test # once\n"},
		{"version: 1\ndns:\n  names: policy\n",
		 "version: 1\ndns:\n  names: policy\n  allow:\n    - c.test # once\n" TLS DIRECT},
		{"version: 1\ndns: {names: policy}\ntls:\n  allow:\n    - x.test\n",
		 "version: 1\ndns: {names: policy, allow: [c.test]}\ntls:\n  allow:\n    - x.test\n    " A
		 "    " B DIRECT},
		{"{version: 1}",
		 "{version: 1, tls: {allow: [" FLOW_A_B "]}, direct: {allow: [" FLOW_C "]}, dns: {allow: [c.test]}}"},
	};
	struct insert_problem problem;
	size_t length;

	(void)state;
	for (size_t i = 0; i < sizeof(three) / sizeof(*three); i++) {
		char *text = policy_insert(three[i].before, strlen(three[i].before), all, 3, &length, &problem);

		assert_non_null(text);
		assert_string_equal(text, three[i].after);
		free(text);
	}
}

/* Whether every byte of `part` is in `whole`, in the same order. */
static bool keeps(const char *whole, const char *part) {
	for (; *part && whole; part++) {
		whole = strchr(whole, *part);
		whole += whole != NULL;
	}
	return whole != NULL;
}

static void test_places(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t length, hosts_before, hosts_after, direct_before, direct_after;
		struct insert_problem problem;
		char *after = policy_insert(cases[i].before, strlen(cases[i].before), both, 2, &length, &problem);

		if (!after)
			fail_msg("no place in case %zu: %s", i, problem.what);
		assert_string_equal(after, cases[i].after);
		assert_int_equal(length, strlen(after));
		assert_true(keeps(after, cases[i].before));
		count_rules(cases[i].before, strlen(cases[i].before), &hosts_before, &direct_before);
		count_rules(after, length, &hosts_after, &direct_after);
		assert_int_equal(hosts_after, hosts_before + 2);
		assert_int_equal(direct_after, direct_before + 1);
		free(after);
	}
}

/* One line more anywhere in a policy, or cut off anywhere: what was there stays, byte by byte. */
static void test_every_cut(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (size_t cut = 1; cut < strlen(cases[i].before); cut++) {
			char *before = strndup(cases[i].before, cut);
			struct insert_problem problem;
			size_t length;
			char *after = policy_insert(before, cut, both, 2, &length, &problem);

			assert_true(after ? keeps(after, before) && length > cut : problem.what != NULL);
			free(after);
			free(before);
		}
}

static void expect_problem(const char *text, size_t length, const char *section, unsigned line, const char *what) {
	struct insert_problem problem;
	size_t merged;

	assert_null(policy_insert(text, length, both, 2, &merged, &problem));
	assert_string_equal(problem.section, section);
	assert_int_equal(problem.line, line);
	assert_string_equal(problem.what, what);
}

static void test_no_place(void **state) {
	static const char *const no_map = "what stands behind the key is no map that could be added to";
	static const char *const no_list = "what stands behind the key is no list that could be added to";

	(void)state;
	expect_problem("version: 1\ntls: ~\n", 18, "tls", 2, no_map);
	expect_problem("{version: 1, tls: }\n", 20, "tls", 1, no_map);
	expect_problem("version: 1\ntls: {}\ndirect:\n  allow: null\n", 41, "direct", 4, no_list);
	expect_problem("- a\n", 4, "tls", 1, "the policy is no map");
	expect_problem("a: [\n", 5, "tls", 1, "the file does not parse");
	expect_problem("\xff\xfe"
		       "a\0",
		       4, "tls", 1, "the file is not UTF-8");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_three_sections),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_no_place),
	};
	return cmocka_run_group_tests_name("policy_insert", tests, NULL, NULL);
}
