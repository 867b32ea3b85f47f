/* SPDX-License-Identifier: BSD-2-Clause */
/* YAML ──► the model of a policy, with the sets it names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/policy_told.h"
#include "../support/put_file.h"
#include "policy/policy.h"
#include "policy/prefix.h"
#include "policy/resolv.h"

static char folder[] = "/tmp/snifence-policy-XXXXXX";

static void check_prefixes(const struct policy *policy, size_t list, const char *expected) {
	char text[512] = "", prefix[PREFIX_TEXT];

	assert_true(list < policy->list_count);
	for (size_t i = 0; i < policy->lists[list].count; i++) {
		prefix_format(&policy->lists[list].items[i], prefix);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "", prefix);
	}
	assert_string_equal(text, expected);
}

static void check_rule(const struct policy *policy, uint32_t rule, unsigned line, unsigned column, const char *text) {
	assert_true(rule > 0 && rule < policy->rule_count);
	assert_ptr_equal(policy->rules[rule].file, policy->file);
	assert_string_equal(policy->rules[rule].text, text);
	assert_int_equal(policy->rules[rule].line, line);
	assert_int_equal(policy->rules[rule].column, column);
}

static void check_host(const struct policy *policy, size_t at, const char *name, enum host_form form, bool allow,
		       unsigned zone) {
	const struct host_rule *host = &policy->hosts[at];

	assert_string_equal(host->name, name);
	assert_int_equal(host->form, form);
	assert_int_equal(host->allow, allow);
	assert_int_equal(host->zone, zone);
}

static void the_least_policy(void **state) {
	struct policy *policy = policy_without_errors("version: 1\n");

	(void)state;
	assert_string_equal(policy->file, "p.yaml");
	assert_string_equal(policy->name, "p");
	assert_int_equal(policy->mode, SNIF_ENFORCE);
	assert_false(policy->ech_deny);
	assert_false(policy->inbound_deny);
	assert_int_equal(policy->hello.longest, 16384);
	assert_false(policy->hello.split_records || policy->hello.trailing_dot);
	assert_int_equal(policy->host_count, 0);
	assert_int_equal(policy->zone_count, 1);
	check_prefixes(policy, policy->zones[0].list, "::/0 0.0.0.0/0");
	assert_int_equal(policy->zones[0].ports.count, 1);
	assert_int_equal(policy->zones[0].ports.items[0].first, 443);
	assert_int_equal(policy->zones[0].ports.items[0].last, 443);
	/* the system's resolvers, which are written nowhere */
	assert_true(policy->direct_count >= 1);
	assert_int_equal(policy->direct[0].protocols, PROTO_TCP | PROTO_UDP);
	assert_int_equal(policy->direct[0].ports.items[0].first, 53);
	assert_int_equal(policy->rules[policy->direct[0].rule].line, 0);
	assert_non_null(strstr(policy->rules[policy->direct[0].rule].text, "/etc/resolv.conf"));
	policy_free(policy);
}

static const char whole[] = "version: 1\n"
			    "mode: audit\n"
			    "sets:\n"
			    "  aws: [198.51.100.0/24, \"2001:db8::/32\"]\n"
			    "tls:\n"
			    "  ports: [443, 8000-8100, 8050-8200, 8201]\n"
			    "  to: [aws, 192.0.2.0/24]\n"
			    "  allow:\n"
			    "    - api.example.test\n"
			    "    - \"*.example.test\"\n"
			    "    - {host: \".example.test\"}\n"
			    "    - {host: \"*.s3.amazonaws.com\", to: [aws], ports: [8443, 443], public_suffix: true}\n"
			    "    - host: Bücher.test\n"
			    "      to: aws\n"
			    "    - {host: a.test, ports: 443}\n"
			    "    - {host: b.test, ports: [443, 8443], to: aws}\n"
			    "  deny:\n"
			    "    - gist.example.test\n"
			    "    - {host: \"*.test\"}\n"
			    "  ech: deny\n"
			    "direct:\n"
			    "  allow:\n"
			    "    - {to: 10.1.0.0/16, proto: tcp, ports: [5432, 22]}\n"
			    "    - {to: [\"::1\", aws]}\n"
			    "    - 127.0.0.0/8\n"
			    "    - {to: any, ports: \"123\"}\n"
			    "  deny:\n"
			    "    - {to: 169.254.169.254, proto: any}\n"
			    "dns:\n"
			    "  servers: [192.0.2.53, \"2001:db8::53\"]\n"
			    "inbound: deny\n";

static void every_host_form(void **state) {
	struct policy *policy = policy_without_errors(whole);

	(void)state;
	assert_int_equal(policy->mode, SNIF_AUDIT);
	assert_true(policy->ech_deny);
	assert_true(policy->inbound_deny);
	assert_int_equal(policy->host_count, 9);
	check_host(policy, 0, "api.example.test", HOST_EXACT, true, 0);
	check_host(policy, 1, "example.test", HOST_BELOW, true, 0);
	check_host(policy, 2, "example.test", HOST_BOTH, true, 0);
	check_host(policy, 3, "s3.amazonaws.com", HOST_BELOW, true, 1);
	check_host(policy, 4, "xn--bcher-kva.test", HOST_EXACT, true, 2);
	check_host(policy, 5, "a.test", HOST_EXACT, true, 3);
	check_host(policy, 6, "b.test", HOST_EXACT, true, 1);
	check_host(policy, 7, "gist.example.test", HOST_EXACT, false, 0);
	check_host(policy, 8, "test", HOST_BELOW, false, 0);
	check_rule(policy, policy->hosts[0].rule, 9, 7, "api.example.test");
	check_rule(policy, policy->hosts[1].rule, 10, 7, "*.example.test");
	check_rule(policy, policy->hosts[2].rule, 11, 14, ".example.test");
	check_rule(policy, policy->hosts[3].rule, 12, 14, "*.s3.amazonaws.com to aws ports 443,8443");
	check_rule(policy, policy->hosts[4].rule, 13, 13, "xn--bcher-kva.test to aws");
	check_rule(policy, policy->hosts[5].rule, 15, 14, "a.test ports 443");
	check_rule(policy, policy->hosts[7].rule, 18, 7, "deny gist.example.test");
	check_rule(policy, policy->hosts[8].rule, 19, 14, "deny *.test");
	policy_free(policy);
}

static void what_of_hellos_may_pass(void **state) {
	static const struct {
		const char *tls;
		struct snif_hello_rules rules;
	} cases[] = {
		{"{max_hello: , unusual: }", {.longest = 16384, .stream = 16384 + 5}},
		{"{max_hello: 1024}", {.longest = 1024, .stream = 1024 + 5}},
		{"{max_hello: 20 KiB, unusual: []}", {.longest = 20480, .stream = 20480 + 10}},
		{"{max_hello: 64 KiB}", {.longest = 65536, .stream = 65536 + 20}},
		{"{max_hello: \"65536\"}", {.longest = 65536, .stream = 65536 + 20}},
		{"{unusual: [split_records]}", {.longest = 16384, .stream = 16384 + 5, .split_records = 1}},
		{"{unusual: [trailing_dot]}", {.longest = 16384, .stream = 16384 + 5, .trailing_dot = 1}},
		{"{unusual: [trailing_dot, split_records]}",
		 {.longest = 16384, .stream = 16384 + 5, .split_records = 1, .trailing_dot = 1}},
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct policy *policy;

		snprintf(text, sizeof(text), "version: 1\ntls: %s\n", cases[i].tls);
		policy = policy_without_errors(text);
		assert_memory_equal(&policy->hello, &cases[i].rules, sizeof(policy->hello));
		policy_free(policy);
	}
}

static void every_zone(void **state) {
	struct policy *policy = policy_without_errors(whole);

	(void)state;
	assert_int_equal(policy->zone_count, 4);
	check_prefixes(policy, policy->zones[0].list, "192.0.2.0/24 198.51.100.0/24 2001:db8::/32");
	check_prefixes(policy, policy->zones[1].list, "198.51.100.0/24 2001:db8::/32");
	assert_int_equal(policy->zones[2].list, policy->zones[1].list);
	assert_int_equal(policy->zones[3].list, policy->zones[0].list);
	/* sorted, and those that overlap or touch are one */
	assert_int_equal(policy->zones[0].ports.count, 2);
	assert_int_equal(policy->zones[0].ports.items[1].first, 8000);
	assert_int_equal(policy->zones[0].ports.items[1].last, 8201);
	assert_int_equal(policy->zones[1].ports.count, 2);
	assert_int_equal(policy->zones[1].ports.items[0].first, 443);
	assert_int_equal(policy->zones[1].ports.items[1].first, 8443);
	policy_free(policy);
}

static void every_address_rule(void **state) {
	struct policy *policy = policy_without_errors(whole);
	const struct address_rule *rules = policy->direct;

	(void)state;
	assert_int_equal(policy->direct_count, 7);
	check_prefixes(policy, rules[0].list, "10.1.0.0/16");
	assert_int_equal(rules[0].protocols, PROTO_TCP);
	assert_int_equal(rules[0].ports.items[0].first, 22);
	assert_true(rules[0].allow);
	check_rule(policy, rules[0].rule, 23, 7, "allow 10.1.0.0/16 tcp 22,5432");
	check_prefixes(policy, rules[1].list, "::1 198.51.100.0/24 2001:db8::/32");
	assert_int_equal(rules[1].protocols, PROTO_TCP | PROTO_UDP);
	assert_int_equal(rules[1].ports.count, 1);
	assert_int_equal(rules[1].ports.items[0].first, 0);
	assert_int_equal(rules[1].ports.items[0].last, 65535);
	check_rule(policy, rules[1].rule, 24, 7, "allow ::1,aws");
	check_rule(policy, rules[2].rule, 25, 7, "allow 127.0.0.0/8");
	check_prefixes(policy, rules[3].list, "::/0 0.0.0.0/0");
	check_rule(policy, rules[3].rule, 26, 7, "allow any tcp/udp 123");
	assert_false(rules[4].allow);
	check_rule(policy, rules[4].rule, 28, 7, "deny 169.254.169.254");
	check_prefixes(policy, rules[5].list, "192.0.2.53");
	assert_int_equal(rules[5].protocols, PROTO_TCP | PROTO_UDP);
	assert_int_equal(rules[5].ports.items[0].first, 53);
	assert_int_equal(rules[5].ports.items[0].last, 53);
	check_rule(policy, rules[5].rule, 30, 13, "dns 192.0.2.53");
	check_rule(policy, rules[6].rule, 30, 25, "dns 2001:db8::53");
	policy_free(policy);
}

static void nothing_is_allowed_by_nothing(void **state) {
	struct policy *policy = policy_without_errors(
		"version: 1\ntls: {allow: []}\ndirect:\n  allow:\n  deny: []\nsets:\ndns: {servers: none}\n");

	(void)state;
	assert_int_equal(policy->host_count, 0);
	assert_int_equal(policy->direct_count, 0);
	policy_free(policy);
}

static void write_file(const char *name, const char *text) {
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	put_file(path, text);
}

/* What policy_load() tells of a file in the folder, with the folder's name taken out. `policy` may be NULL. */
static char *load(const char *name, struct policy **policy) {
	struct diagnostics diagnostics = {0};
	struct policy *loaded;
	char path[128], *told, *found;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	loaded = policy_load(path, &diagnostics);
	told = diagnostics_told(&diagnostics);
	while ((found = strstr(told, folder)))
		memmove(found, found + strlen(folder) + 1, strlen(found + strlen(folder) + 1) + 1);
	if (policy)
		*policy = loaded;
	else
		policy_free(loaded);
	return told;
}

/* The hosts of a policy in one line, `!` before those that are denied. */
static char *join_hosts(const struct policy *policy) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < policy->host_count; i++)
		fprintf(out, "%s%s%s%s", i ? " " : "", policy->hosts[i].allow ? "" : "!",
			host_form_text(policy->hosts[i].form), policy->hosts[i].name);
	fclose(out);
	return text;
}

static void names_from_files(void **state) {
	struct policy *policy;
	const struct rule *rule;
	char *told, *hosts;

	(void)state;
	write_file("deny.txt",
		   "# c\n! c\n; c\n\n  \t\n[Adblock Plus 2.0]\r\n127.0.0.1 localhost\n::1 ip6-localhost b.test\n"
		   "0.0.0.0\tads.test  two.test # c\r\n||blocked.test^\n||b.test^$third-party\n||b.test/x^\n"
		   "@@||good.test^\nsite.test##.ad\n/^ad/\naddress=/dns.test/0.0.0.0\nserver=/dns2.test/\n"
		   "local=/dns3.test/\nrpz.test CNAME .\n*.rpz.test CNAME .\nallowed.test\n.both.test\nads.test\n"
		   "B\xc3\xbc"
		   "cher.test");
	write_file("allow.txt", "one.test\nallowed.test\n");
	write_file("names.yaml",
		   "version: 1\ntls:\n  allow:\n    - allowed.test\n    - {file: allow.txt, ports: [443, 8443]}\n"
		   "  deny: [{file: deny.txt}]\n");
	told = load("names.yaml", &policy);
	assert_string_equal(
		told,
		"allow.txt:2:1: error: `allowed.test` is written twice: it is already at names.yaml:4\n"
		"deny.txt:6:1: warning: 6 lines name no host (exceptions, expressions, parts of pages) and are "
		"passed over\n"
		"deny.txt:21:1: warning: `allowed.test` is allowed too, and deny wins: see the one at names.yaml:4\n");
	free(told);
	assert_null(policy);
	write_file("names.yaml", "version: 1\ntls:\n  allow:\n    - allowed.test\n    - {file: allow.txt}\n"
				 "  deny: [{file: deny.txt}]\n");
	free(load("names.yaml", &policy));
	assert_non_null(policy);
	hosts = join_hosts(policy);
	assert_string_equal(hosts, "allowed.test one.test !b.test !ads.test !two.test !.blocked.test !.dns.test "
				   "!.dns2.test !.dns3.test !rpz.test !*.rpz.test !allowed.test !.both.test "
				   "!xn--bcher-kva.test");
	free(hosts);
	rule = &policy->rules[policy->hosts[4].rule];
	assert_string_equal(strrchr(rule->file, '/'), "/deny.txt");
	assert_int_equal(rule->line, 9);
	assert_int_equal(rule->column, 19);
	policy_free(policy);
	write_file("allow.txt", "# nothing\n");
	write_file("names.yaml", "version: 1\ntls:\n  allow: [{file: allow.txt}, {file: none.txt}, {file: [a]}]\n");
	told = load("names.yaml", NULL);
	assert_string_equal(
		told, "names.yaml:3:18: error: allow.txt names no host\n"
		      "names.yaml:3:37: error: the names cannot be read from none.txt: No such file or directory\n"
		      "names.yaml:3:55: error: `file` must be one word, not a list\n");
	free(told);
	write_file("allow.txt", "good.test\na b.test\n*.com\n192.0.2.1\n");
	told = load("names.yaml", NULL);
	assert_memory_equal(told, "allow.txt:2:1: error: `a b.test` is more than one word", 54);
	assert_non_null(strstr(told, "allow.txt:3:1: error: `*.com` covers a public suffix"));
	assert_non_null(strstr(told, "allow.txt:4:1: error: `192.0.2.1` is an address"));
	free(told);
}

static void sets_from_files(void **state) {
	struct policy *policy;
	char *told;

	(void)state;
	write_file("list.txt", "192.0.2.0/24\n192.0.2.9/25\n");
	write_file("meta.json", "{\"hooks\": [\"198.51.100.0/24\"], \"web\": [\"203.0.113.0/24\"]}");
	write_file(
		"good.yml",
		"version: 1\nsets:\n  a: {file: list.txt}\n  b: {file: meta.json, service: [web]}\n  c: [192.0.2.1]\n"
		"tls: {to: [b, a]}\n");
	told = load("good.yml", &policy);
	assert_string_equal(
		told, "good.yml:5:3: warning: no rule uses the set `c`\n"
		      "list.txt:2:1: warning: 1 of the prefixes have bits set behind their length; they are taken "
		      "as cleared\n");
	free(told);
	assert_non_null(policy);
	assert_string_equal(policy->name, "good");
	check_prefixes(policy, policy->zones[0].list, "192.0.2.0/24 192.0.2.0/25 203.0.113.0/24");
	policy_free(policy);
}

static void wrong_sets(void **state) {
	char *told;

	(void)state;
	write_file("list.txt", "192.0.2.0/24\nx\n");
	write_file("fine.txt", "192.0.2.0/24\n");
	write_file("empty.txt", "# nothing\n");
	write_file("meta.json", "{\"hooks\": [\"198.51.100.0/24\"], \"web\": [\"203.0.113.0/24\"]}");
	write_file("bad.yaml", "version: 1\n"
			       "sets:\n"
			       "  a: {file: list.txt}\n"
			       "  b: {file: meta.json, service: [web, wbe]}\n"
			       "  c: {file: meta.json, region: x}\n"
			       "  d: {file: fine.txt, service: x}\n"
			       "  e: {file: empty.txt}\n"
			       "  f: {file: none.txt}\n"
			       "  g: {region: [], fil: x}\n"
			       "  h: cloud/aws.json\n"
			       "  i: []\n"
			       "  j: [192.0.2.1/24, a, any]\n"
			       "  any: [192.0.2.1]\n"
			       "  K: [192.0.2.1]\n"
			       "  l: {file: fine.txt}\n"
			       "tls: {to: [a, b, c, d, e, f, g, h, i, j, l, m]}\n");
	told = load("bad.yaml", NULL);
	assert_string_equal(
		told,
		"bad.yaml:4:33: error: meta.json has no service `wbe`\n"
		"bad.yaml:5:32: error: meta.json does not say of its prefixes which region they are of: leave `region` out\n"
		"bad.yaml:6:32: error: fine.txt does not say of its prefixes which service they are of: leave `service` out\n"
		"bad.yaml:7:13: error: empty.txt holds no prefix\n"
		"bad.yaml:8:13: error: the set `f` cannot be read from none.txt: No such file or directory\n"
		"bad.yaml:9:6: error: a set names its `file`, like {file: cloud/aws.json}, or is a list of prefixes\n"
		"bad.yaml:9:15: error: `region` is empty: name one, or leave the key out\n"
		"bad.yaml:9:19: error: a set has no key `fil`; did you mean `file`? known: file, region, service\n"
		"bad.yaml:10:6: error: a set is a list of prefixes, or names its file: {file: cloud/aws.json}\n"
		"bad.yaml:11:6: error: a set is empty: write at least one prefix\n"
		"bad.yaml:12:7: error: `192.0.2.1/24` has bits set behind its length: write 192.0.2.0/24 for the network or "
		"192.0.2.1 for the host\n"
		"bad.yaml:12:21: error: `a` is not an address or prefix, like 192.0.2.0/24 or 2001:db8::/32\n"
		"bad.yaml:12:24: error: `any` is not an address or prefix, like 192.0.2.0/24 or 2001:db8::/32\n"
		"bad.yaml:13:3: error: a set cannot be named `any`, which means every address\n"
		"bad.yaml:14:3: error: `K` is no name for a set: write a lower-case letter, then up to 62 letters, digits, - "
		"and _\n"
		"bad.yaml:16:45: error: there is no set `m`: name it under `sets`, or write a prefix or any\n"
		"list.txt:2:1: error: `x` is not an address or prefix, like 192.0.2.0/24 or 2001:db8::/32\n");
	free(told);
}

static void filters_that_leave_nothing(void **state) {
	char *told;

	(void)state;
	write_file("aws.json",
		   "{\"prefixes\": [{\"ip_prefix\": \"192.0.2.0/24\", \"region\": \"a\", \"service\": \"S3\"},"
		   "{\"ip_prefix\": \"192.0.2.0/24\", \"region\": \"b\", \"service\": \"EC2\"}]}");
	write_file("none.yaml",
		   "version: 1\nsets:\n  aws: {file: aws.json, region: a, service: ec2}\ntls: {to: aws}\n");
	told = load("none.yaml", NULL);
	assert_string_equal(told, "none.yaml:3:8: error: nothing in aws.json is of this region and this service\n");
	free(told);
}

static void policies_that_cannot_be_read(void **state) {
	char *told = load("absent.yaml", NULL);

	(void)state;
	assert_string_equal(told, "absent.yaml: error: the policy cannot be read: No such file or directory\n");
	free(told);
	told = load(".", NULL);
	assert_string_equal(told, ".: error: the policy cannot be read: it is a directory: name a file in it\n");
	free(told);
}

static void check_servers(const char *text, int found, const char *expected) {
	struct prefix_list servers = {0};
	char path[128], told[256] = "", address[PREFIX_TEXT];

	write_file("resolv.conf", text);
	snprintf(path, sizeof(path), "%s/resolv.conf", folder);
	assert_int_equal(resolv_conf_read(path, &servers), found);
	for (size_t i = 0; i < servers.count; i++) {
		prefix_format(&servers.items[i], address);
		snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s ", address);
	}
	assert_string_equal(told, expected);
	free(servers.items);
}

static void servers_of_the_system(void **state) {
	static char comment[4200] = "";
	struct prefix_list servers = {0};

	(void)state;
	check_servers("search example.test\nnameserver 192.0.2.53\nnameserver\t2001:db8::53 # second\n", 2,
		      "192.0.2.53 2001:db8::53 ");
	check_servers("nameserver fe80::1%eth0\nnameserver ::ffff:192.0.2.1", 2, "fe80::1 192.0.2.1 ");
	check_servers("#nameserver 192.0.2.53\nnameservers 192.0.2.54\n nameserver 192.0.2.55\nnameserver\n", 0,
		      "127.0.0.1 ");
	check_servers("nameserver 192.0.2.0/24\nnameserver x\n", 0, "127.0.0.1 ");
	check_servers("", 0, "127.0.0.1 ");
	memset(comment, '#', sizeof(comment) - 1);
	memcpy(comment + 511, "nameserver 192.0.2.53 ", 22);
	check_servers(comment, 0, "127.0.0.1 "); /* one line, whose end is nothing else */
	assert_int_equal(resolv_conf_read("/nonexistent/resolv.conf", &servers), 0);
	assert_int_equal(servers.count, 1);
	free(servers.items);
	servers = (struct prefix_list){0};
	assert_int_equal(resolv_conf_read("/", &servers), -EISDIR); /* not 127.0.0.1, which it does not name */
	assert_int_equal(servers.count, 0);
}

static void count_domain(void *context, const char *domain) {
	unsigned *count = context;
	char expected[32];

	snprintf(expected, sizeof(expected), "domain%u.test", (*count)++);
	assert_string_equal(domain, expected);
}

static void domains_of_the_last_line_whatever_its_length(void **state) {
	char path[128], *text = NULL;
	unsigned count = 0;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	fputs("search other.test\nsearch\t", out);
	for (int i = 0; i < 200; i++)
		fprintf(out, "domain%d.test ", i);
	fputs("\nnameserver 192.0.2.53\n", out);
	assert_int_equal(fclose(out), 0);
	write_file("resolv.conf", text);
	free(text);
	snprintf(path, sizeof(path), "%s/resolv.conf", folder);
	resolv_conf_search(path, count_domain, &count);
	assert_int_equal(count, 200);
}

static void many_names_and_prefixes(void **state) {
	struct policy *policy;
	char *told, path[128];
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/many.txt", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 0; i < 100000; i++)
		fprintf(file, "10.%d.%d.%d/32\n", i / 65536, i / 256 % 256, i % 256);
	fclose(file);
	snprintf(path, sizeof(path), "%s/many.yaml", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("version: 1\nsets:\n  many: {file: many.txt}\ntls:\n  allow:\n", file);
	for (int i = 0; i < 100000; i++)
		fprintf(file, "    - {host: \"*.host%d.test\", to: [many]}\n", i);
	fclose(file);
	told = load("many.yaml", &policy);
	assert_string_equal(told, "");
	free(told);
	assert_int_equal(policy->host_count, 100000);
	assert_int_equal(policy->zone_count, 2);
	assert_int_equal(policy->lists[policy->zones[1].list].count, 100000);
	policy_free(policy);
}

static void what_ships_loads(void **state) {
	glob_t files;

	(void)state;
	assert_int_equal(glob("policy/*.yaml", 0, NULL, &files), 0);
	assert_int_equal(glob("policy/examples/*.yaml", GLOB_APPEND, NULL, &files), 0);
	assert_true(files.gl_pathc >= 6);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct diagnostics diagnostics = {0};
		struct policy *policy = policy_load(files.gl_pathv[i], &diagnostics);
		char *told = diagnostics_told(&diagnostics);

		assert_string_equal(told, "");
		assert_non_null(policy);
		assert_true(policy->host_count > 0);
		free(told);
		policy_free(policy);
	}
	globfree(&files);
}

static int make_folder(void **state) {
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
	char pattern[128];
	glob_t files;

	(void)state;
	snprintf(pattern, sizeof(pattern), "%s/*", folder);
	if (glob(pattern, 0, NULL, &files) == 0) {
		for (size_t i = 0; i < files.gl_pathc; i++)
			unlink(files.gl_pathv[i]);
		globfree(&files);
	}
	return rmdir(folder);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_policy),
		cmocka_unit_test(every_host_form),
		cmocka_unit_test(what_of_hellos_may_pass),
		cmocka_unit_test(every_zone),
		cmocka_unit_test(every_address_rule),
		cmocka_unit_test(nothing_is_allowed_by_nothing),
		cmocka_unit_test(names_from_files),
		cmocka_unit_test(sets_from_files),
		cmocka_unit_test(wrong_sets),
		cmocka_unit_test(filters_that_leave_nothing),
		cmocka_unit_test(policies_that_cannot_be_read),
		cmocka_unit_test(servers_of_the_system),
		cmocka_unit_test(domains_of_the_last_line_whatever_its_length),
		cmocka_unit_test(many_names_and_prefixes),
		cmocka_unit_test(what_ships_loads),
	};

	return cmocka_run_group_tests_name("policy", tests, make_folder, remove_folder);
}
