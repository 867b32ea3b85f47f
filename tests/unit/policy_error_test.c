/* SPDX-License-Identifier: BSD-2-Clause */
/* YAML with mistakes ──► every one of them, with its place and what to write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../support/policy_told.h"
#include "policy/policy.h"
#include "tsv.h"

/* Expects exactly these lines of errors. */
static void expect(const char *text, const char *expected) {
	policy_expect_told(text, strlen(text), expected);
}

static void all_errors_at_once(void **state) {
	(void)state;
	expect("version: 2\n"
	       "mode: strict\n"
	       "tls:\n"
	       "  port: [443]\n"
	       "  allow:\n"
	       "    - \"a*.example.test\"\n"
	       "direct:\n"
	       "  allow:\n"
	       "    - {to: 192.0.2.300}\n"
	       "    - {to: 192.0.2.1/24}\n",
	       "1:10: error: version `2` is not known: write `version: 1`\n"
	       "2:7: error: `mode` cannot be `strict`; known: enforce, audit\n"
	       "4:3: error: `tls` has no key `port`; did you mean `ports`? known: ports, to, allow, deny, ech, "
	       "max_hello, unusual\n"
	       "6:7: error: `a*.example.test`: a * can only stand alone before the first dot, like `*.example.com`: "
	       "write the names one by one\n"
	       "9:12: error: `192.0.2.300` is not an address or prefix, like 192.0.2.0/24 or 2001:db8::/32\n"
	       "10:12: error: `192.0.2.1/24` has bits set behind its length: write 192.0.2.0/24 for the network or "
	       "192.0.2.1 for the host\n");
}

static void what_of_hellos_may_pass(void **state) {
	static const char *const lengths[] = {"0",	     "1023",	  "65537", "0 KiB", "1 MiB",
					      "64KiB",	     "16384 KiB", "-1024", "+2048", "18446744073709551617",
					      "4194305 KiB", "big"};

	(void)state;
	expect("version: 1\ntls: {max_hello: 65 KiB, unusual: split_records}\n",
	       "2:18: error: `tls.max_hello` cannot be `65 KiB`: write bytes, from 1024 to 65536, or KiB, like `32 KiB`\n"
	       "2:35: error: `tls.unusual` must be a list: write each item on its own line after `- `\n");
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		char text[100], errors[300];

		snprintf(text, sizeof(text), "version: 1\ntls: {max_hello: %s}\n", lengths[i]);
		snprintf(
			errors, sizeof(errors),
			"2:18: error: `tls.max_hello` cannot be `%s`: write bytes, from 1024 to 65536, or KiB, like `32 KiB`\n",
			lengths[i]);
		expect(text, errors);
	}
	expect("version: 1\ntls: {max_hello: [1], unusual: [split-records, [a]]}\n",
	       "2:18: error: `tls.max_hello` must be one word, not a list\n"
	       "2:33: error: `tls.unusual` cannot be `split-records`; did you mean `split_records`? known: "
	       "split_records, trailing_dot\n"
	       "2:48: error: `tls.unusual` must be one word, not a list\n");
	expect("version: 1\ntls:\n  unusual: [split_records, trailing_dot, split_records,\n    trailing_dot, [a], [a]]\n",
	       "3:42: error: `split_records` is written twice: it is already on line 3\n"
	       "4:5: error: `trailing_dot` is written twice: it is already on line 3\n"
	       "4:19: error: `tls.unusual` must be one word, not a list\n"
	       "4:24: error: `tls.unusual` must be one word, not a list\n");
}

static void wrong_types(void **state) {
	(void)state;
	expect("[1]\n", "1:1: error: a policy must be a map, like {version: ...}\n");
	expect("version: [1]\n", "1:10: error: `version` must be one word, not a list\n");
	expect("version:\n", "1:9: error: `version` is empty\n");
	expect("mode: audit\n", "1:1: error: the policy has no version: write `version: 1`\n");
	expect("version: 1\ntls: [a]\ndirect: 1\ndns: system\nsets: []\ninbound: {}\n",
	       "2:6: error: `tls` must be a map, like {ports: ...}\n"
	       "3:9: error: `direct` must be a map, like {allow: ...}\n"
	       "4:6: error: `dns` must be a map, like {servers: ...}\n"
	       "5:7: error: `sets` must be a map from names to sets, like {office: [192.0.2.0/24]}\n"
	       "6:10: error: `inbound` must be one word, not a map\n");
	expect("version: 1\ntls:\n  allow: a.test\n  deny: [[a.test], {host: [b.test]}, \"\", ~]\n",
	       "3:10: error: `tls.allow` must be a list: write each item on its own line after `- `\n"
	       "4:10: error: a host must be one word, not a list\n"
	       "4:27: error: a host must be one word, not a list\n"
	       "4:38: error: a host is empty\n"
	       "4:42: error: a host is empty\n");
}

static void wrong_hosts(void **state) {
	(void)state;
	expect("version: 1\n"
	       "tls:\n"
	       "  allow:\n"
	       "    - {to: any}\n"
	       "    - {host: \"*.github.io\", public_suffix: yes}\n"
	       "    - {host: a.test, port: 443, ports: [0, 1-70000, 5-3, \"+1\"]}\n"
	       "    - {host: b.test, to: [aws, []], ports: []}\n"
	       "    - {host: c.test, to: {}}\n"
	       "  deny:\n"
	       "    - {host: \"*.com\", to: any, ports: [443]}\n"
	       "    - {}\n",
	       "4:7: error: a host rule names its `host`, like {host: www.example.com}, or a `file` of hosts\n"
	       "5:14: error: `*.github.io` covers a public suffix, where anyone can get a name: write the hosts you need, or "
	       "{host: \"*.github.io\", public_suffix: true}\n"
	       "5:44: error: `public_suffix` cannot be `yes`; known: false, true\n"
	       "6:22: error: a host rule has no key `port`; did you mean `ports`? known: host, file, to, ports, starts, public_suffix\n"
	       "6:41: error: `0` is no port: write 1 to 65535, or a range like 8000-8100\n"
	       "6:44: error: `1-70000` is no port: write 1 to 65535, or a range like 8000-8100\n"
	       "6:53: error: `5-3` is no port: write 1 to 65535, or a range like 8000-8100\n"
	       "6:58: error: `+1` is no port: write 1 to 65535, or a range like 8000-8100\n"
	       "7:27: error: there is no set `aws`: name it under `sets`, or write a prefix or any\n"
	       "7:32: error: an address must be one word, not a list\n"
	       "7:44: error: `ports` is empty: name at least one, or leave the key out\n"
	       "8:26: error: `to` names addresses: a prefix, a set, any, or a list of them\n"
	       "10:23: error: a denied host has no key but `host`, `file` and `expected`: it is denied at every address and port, so leave `to` out\n"
	       "10:32: error: a denied host has no key but `host`, `file` and `expected`: it is denied at every address and port, so leave `ports` "
	       "out\n"
	       "11:7: error: a host rule names its `host`, like {host: www.example.com}, or a `file` of hosts\n");
}

static void hosts_that_conflict(void **state) {
	(void)state;
	expect("version: 1\n"
	       "tls:\n"
	       "  allow: [a.test, \"*.a.test\", b.test,\n"
	       "    A.test., \"*.a.test\"]\n"
	       "  deny: [c.test, b.test, c.test, \".a.test\"]\n",
	       "4:5: error: `a.test` is written twice: it is already on line 3\n"
	       "4:14: error: `*.a.test` is written twice: it is already on line 3\n"
	       "5:18: error: `b.test` is allowed on line 3 too, and deny would always win: remove one of the two\n"
	       "5:26: error: `c.test` is written twice: it is already on line 5\n");
}

/* Found by sorting: by the first bytes, and where these are alike by all. */
static void hosts_that_repeat_far_apart(void **state) {
	(void)state;
	expect("version: 1\n"
	       "tls:\n"
	       "  allow: [abcdefghij.test, a.test, abcdefghii.test]\n"
	       "  deny: [abcdefgh.test, abcdefghij.test, b.test, abcdefgh.test]\n",
	       "4:25: error: `abcdefghij.test` is allowed on line 3 too, and deny would always win: remove one of the two\n"
	       "4:50: error: `abcdefgh.test` is written twice: it is already on line 4\n");
}

static void forms_that_overlap(void **state) {
	struct policy *policy = policy_without_errors(
		"version: 1\ntls: {allow: [.a.test, a.test, \"*.a.test\"], deny: [.b.test, \"*.b.test\"]}\n");

	(void)state;
	policy_free(policy);
	expect("version: 1\n"
	       "tls:\n"
	       "  allow:\n"
	       "    - {host: a.test, ports: [8443]}\n"
	       "    - .a.test\n"
	       "    - {host: \"*.a.test\", ports: [8080]}\n",
	       "5:7: error: `.a.test` and `a.test` on line 4 allow the same name at different addresses or ports: write both "
	       "forms out, each once\n"
	       "6:14: error: `*.a.test` and `.a.test` on line 5 allow the same name at different addresses or ports: write "
	       "both forms out, each once\n");
}

static void too_many_zones(void **state) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	fputs("version: 1\ntls:\n  allow:\n", out);
	for (int i = 1; i <= 257; i++)
		fprintf(out, "    - {host: a%d.test, ports: [%d]}\n", i, 1000 + (i - 1) % 256);
	fclose(out);
	expect(text, "259:7: error: hosts have more than 256 different combinations of `to`, `ports` and `starts`\n");
	free(text);
}

static void wrong_addresses(void **state) {
	(void)state;
	expect("version: 1\n"
	       "direct:\n"
	       "  allow:\n"
	       "    - {to: \"fe80::1%eth0\"}\n"
	       "    - \"::ffff:0:0/90\"\n"
	       "    - \"::ffff:192.0.2.1/120\"\n"
	       "    - \"64:ff9b::c000:201\"\n"
	       "    - 192.0.2.0/024\n"
	       "    - 192.0.02.0\n"
	       "    - {to: any, proto: icmp}\n"
	       "    - {proto: tcp}\n"
	       "    - \"any,any\"\n"
	       "    - {to: []}\n"
	       "  deny: [[any, any], \"2001:db8::/129\"]\n",
	       "4:12: error: `fe80::1%eth0` has a zone id, which names an interface: write the address without it\n"
	       "5:7: error: `::ffff:0:0/90` is wider than the v4-mapped addresses: write IPv4 prefixes as such, like 0.0.0.0/0\n"
	       "6:7: error: `::ffff:192.0.2.1/120` has bits set behind its length: write 192.0.2.0/24 for the network or "
	       "192.0.2.1 for the host\n"
	       "7:7: error: `64:ff9b::c000:201` is NAT64 (64:ff9b::/96), which is judged as IPv4: write the IPv4 address or "
	       "prefix\n"
	       "8:7: error: `192.0.2.0/024` has no good length: write 0 to 32 behind the /\n"
	       "9:7: error: `192.0.02.0` is not an address or prefix, like 192.0.2.0/24 or 2001:db8::/32\n"
	       "10:24: error: `proto` cannot be `icmp`; known: any, tcp, udp\n"
	       "11:7: error: an address rule names its addresses: {to: 192.0.2.0/24}\n"
	       "12:7: error: `any,any` is not an address or prefix, like 192.0.2.0/24 or 2001:db8::/32\n"
	       "13:12: error: `to` names addresses: a prefix, a set, any, or a list of them\n"
	       "14:22: error: `2001:db8::/129` has no good length: write 0 to 128 behind the /\n");
}

static void wrong_dns(void **state) {
	(void)state;
	expect("version: 1\ndns: {servers: []}\n",
	       "2:16: error: `dns.servers` is empty: write none to allow no DNS server\n");
	expect("version: 1\ndns: {servers: google}\n",
	       "2:16: error: `google` is no DNS server: write addresses, like [192.0.2.53], or system, or none\n");
	expect("version: 1\ndns: {servers: [none]}\n",
	       "2:17: error: `none` stands alone: write `servers: none`, or addresses in a list\n");
	expect("version: 1\ndns: {servers: [system, 192.0.2.53]}\n",
	       "2:17: error: `system` stands alone: write `servers: system`, or addresses in a list\n");
	expect("version: 1\ndns: {servers: [192.0.2.0/24, 192.0.2.1.1, {}], server: x}\n",
	       "2:17: error: `192.0.2.0/24` is no DNS server: write addresses, like [192.0.2.53], or system, or none\n"
	       "2:31: error: `192.0.2.1.1` is not an address or prefix, like 192.0.2.0/24 or 2001:db8::/32\n"
	       "2:44: error: a DNS server must be one word, not a map\n"
	       "2:49: error: `dns` has no key `server`; did you mean `servers`? known: servers, bind, names, allow, https, search, log, resolve, min_ttl, max_ttl, "
	       "grace\n");
}

static void bombs_and_bad_yaml(void **state) {
	(void)state;
	expect("", " error: the policy is empty: write at least `version: 1`\n");
	expect("# nothing\n", " error: the policy is empty: write at least `version: 1`\n");
	expect("~\n", "1:1: error: the policy is empty: write at least `version: 1`\n");
	expect("version: &v 1\nmode: !!str audit\ntls: *v\ndirect: &d {allow: *v}\n",
	       "1:10: error: anchors (&v) are not used in policies: write the value out, or put text with & in quotes\n"
	       "2:7: error: tags (tag:yaml.org,2002:str) are not used in policies: leave it out, or put text with ! in quotes\n"
	       "3:6: error: aliases (*v) are not used in policies: write the value out, or put a host in quotes: "
	       "\"*.example.com\"\n"
	       "4:9: error: anchors (&d) are not used in policies: write the value out, or put text with & in quotes\n"
	       "4:20: error: aliases (*v) are not used in policies: write the value out, or put a host in quotes: "
	       "\"*.example.com\"\n");
	expect("version: 1\ntls:\n  allow:\n    - *.example.test\n",
	       "4:7: error: a word that begins with * stands in quotes, like \"*.example.com\"\n");
	expect("version: 1\nversion: 1\ntls: {to: any, to: any}\n",
	       "2:1: error: `version` is written twice: it is already on line 1\n"
	       "3:16: error: `to` is written twice: it is already on line 3\n");
	expect("version: 1\n---\nversion: 1\n",
	       "2:1: error: a policy is one YAML document: put the second one into its own file\n");
	expect("version: 1\n? [a, {b: c}]\n: 1\n? [d]\n: 2\n",
	       "2:3: error: a key must be a word, not a list or a map\n"
	       "4:3: error: a key must be a word, not a list or a map\n");
	expect("a: [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]\n",
	       "1:19: error: lists and maps are nested more than 16 deep\n");
	expect("version: \"1\\0\"\n", "1:10: error: a value holds a NUL byte (\\x5c0): leave it out\n");
	expect("version: 1\ntls: {\n", "3:1: error: a `[` or `{` is not closed: write `]` or `}` where it ends\n");
	expect("version: 1\n\ttls:\n", "2:1: error: a tab indents this line: indent with spaces\n");
	expect("version: 1\nmode: a\xff\n", "2:8: error: this is no UTF-8: save the file as UTF-8 text\n");
}

static void too_large_a_file(void **state) {
	size_t size = (64 << 20) + 1;
	char *text = malloc(size);

	(void)state;
	memset(text, ' ', size);
	memcpy(text, "version: 1", 10);
	policy_expect_told(text, size, " error: a policy has at most 64 MiB: put addresses into set files\n");
	free(text);
}

static void too_many_values(void **state) {
	enum { VALUES = 6000001, HEAD = 4, SIZE = HEAD + 3 * VALUES };
	char *text = malloc(SIZE);

	(void)state;
	if (getenv("SLOW")) {
		free(text);
		print_message("skipped: under valgrind it takes minutes and shows nothing that smaller files do not\n");
		skip();
	}
	memcpy(text, "a: [", HEAD);
	for (size_t i = HEAD; i < SIZE; i += 3)
		memcpy(text + i, "1, ", 3);
	policy_expect_told(text, SIZE, "1:17999996: error: the policy has more than 6000000 values\n");
	free(text);
}

static void only_so_many_errors(void **state) {
	struct diagnostics diagnostics = {0};
	char *told;

	(void)state;
	for (unsigned i = 0; i < 150; i++)
		diagnose_warning(&diagnostics, "b", i + 1, 1, "w");
	for (unsigned i = 150; i > 0; i--)
		diagnose(&diagnostics, "a", i, 7, "%s", "x\n\x1b[31m");
	for (unsigned i = 1; i <= 101; i++)
		diagnose(&diagnostics, "b", i, 2, "e");
	assert_int_equal(diagnostics.errors, 251);
	assert_int_equal(diagnostics.count, 300);
	told = diagnostics_told(&diagnostics);
	assert_memory_equal(told, "a:51:7: error: x\\x0a\\x1b[31m\na:52:7", 35);
	assert_non_null(strstr(told, "a:150:7: error: x\\x0a\\x1b[31m\nb:1:1: warning: w\nb:1:2: error: e\n"));
	assert_non_null(strstr(told, "b:100:2: error: e\n"
				     "b: and 1 more error\n"
				     "b: and 50 more warnings\n"
				     "a: and 50 more errors\n"));
	free(told);
}

static void expect_shown(const char *text, const char *expected) {
	struct diagnostics diagnostics = {0};
	char *shown;

	assert_null(policy_parse("p.yaml", text, strlen(text), &diagnostics));
	shown = diagnostics_shown(&diagnostics);
	assert_string_equal(shown, expected);
	free(shown);
}

/* Each with its line and a caret: tabs stay tabs, what is not printable is escaped, and of a long line there is what
 * stands around the place. */
static void shows_the_line(void **state) {
	(void)state;
	expect_shown("version: 1\r\ntls:\n  allow: [\"b\xc3\xbc.test\",\t a b]\n",
		     "p.yaml:3:23: error: `a b` is more than one word: write a host alone, like example.com\n"
		     "    3 |   allow: [\"b\\xc3\\xbc.test\",\t a b]\n"
		     "      |                            \t ^\n");
	expect_shown("version: 2\r\nmode: \"\x1b[0m\"",
		     "p.yaml:2:8: error: a control character (0x1b) is no text: leave it out\n"
		     "    2 | mode: \"\\x1b[0m\"\n"
		     "      |        ^\n");
	expect_shown("version: 2\r\nmode: x", "p.yaml:1:10: error: version `2` is not known: write `version: 1`\n"
					      "    1 | version: 2\n"
					      "      |          ^\n"
					      "p.yaml:2:7: error: `mode` cannot be `x`; known: enforce, audit\n"
					      "    2 | mode: x\n"
					      "      |       ^\n");
	expect_shown(
		"{version: 1, direct: {allow: [192.0.2.100, 192.0.2.101, 192.0.2.102, 192.0.2.103, 192.0.2.104, 192.0.2.500, "
		"192.0.2.105, 192.0.2.106, 192.0.2.107, 192.0.2.108]}}",
		"p.yaml:1:96: error: `192.0.2.500` is not an address or prefix, like 192.0.2.0/24 or 2001:db8::/32\n"
		"    1 | ....2.100, 192.0.2.101, 192.0.2.102, 192.0.2.103, 192.0.2.104, 192.0.2.500, 192.0.2.105, "
		"192.0.2.106, 1...\n"
		"      |                                                                ^\n");
}

/* In place: \\n, \\t and \\\\ to what they stand for. */
static void unescape(char *text) {
	char *out = text;

	for (; *text; text++)
		if (*text == '\\' && text[1])
			*out++ = *++text == 'n' ? '\n' : *text == 't' ? '\t' : *text;
		else
			*out++ = *text;
	*out = '\0';
}

static void mistakes_that_people_make(void **state) {
	struct table table = {0};

	(void)state;
	table_read(&table, "tests/unit/policy_mistakes.tsv");
	assert_true(table.count >= 45);
	for (size_t i = 0; i < table.count; i++) {
		char *policy = table.rows[i].column[0], *told = table.rows[i].column[1];

		unescape(policy);
		unescape(told);
		assert_true(*told);
		expect(policy, told);
	}
	table_free(&table);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_errors_at_once),  cmocka_unit_test(what_of_hellos_may_pass),
		cmocka_unit_test(wrong_types),	       cmocka_unit_test(wrong_hosts),
		cmocka_unit_test(hosts_that_conflict), cmocka_unit_test(hosts_that_repeat_far_apart),
		cmocka_unit_test(forms_that_overlap),  cmocka_unit_test(too_many_zones),
		cmocka_unit_test(wrong_addresses),     cmocka_unit_test(wrong_dns),
		cmocka_unit_test(bombs_and_bad_yaml),  cmocka_unit_test(too_large_a_file),
		cmocka_unit_test(too_many_values),     cmocka_unit_test(only_so_many_errors),
		cmocka_unit_test(shows_the_line),      cmocka_unit_test(mistakes_that_people_make),
	};

	return cmocka_run_group_tests_name("policy_error", tests, NULL, NULL);
}
