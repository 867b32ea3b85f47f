/* SPDX-License-Identifier: BSD-2-Clause */
/* userspace/check/ ──► the answers, texts and exit codes that `snifence check` promises. */
#include <errno.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../support/output.h"
#include "../support/put_file.h"
#include "base/message.h"
#include "check/check.h"
#include "analysis/facts.h"

static const char policy_text[] = "version: 1\n"
				  "dns: {servers: [192.0.2.53]}\n"
				  "tls:\n"
				  "  to: [192.0.2.0/24, 2001:db8::/32]\n"
				  "  allow:\n"
				  "    - www.example.test\n"
				  "    - \"*.wild.test\"\n"
				  "    - {host: bound.test, to: [198.51.100.0/25], ports: [8443]}\n"
				  "    - bücher.example\n"
				  "  deny:\n"
				  "    - bad.wild.test\n"
				  "direct:\n"
				  "  allow:\n"
				  "    - {to: 192.0.2.128/25, proto: tcp, ports: [443]}\n"
				  "    - {to: 127.0.0.0/8}\n"
				  "    - {to: \"::1\"}\n"
				  "  deny:\n"
				  "    - {to: 203.0.113.0/24}\n";

static char folder[] = "/tmp/check_test.XXXXXX";
static char policy_file[64], audit_file[64], broken_file[64];

struct output {
	int code;
	char out[65536], err[8192];
};

static int set_up(void **state) {
	char audit_text[sizeof(policy_text) + 16];

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(policy_file, sizeof(policy_file), "%s/good.yaml", folder);
	snprintf(audit_file, sizeof(audit_file), "%s/audit.yml", folder);
	snprintf(broken_file, sizeof(broken_file), "%s/broken.yaml", folder);
	put_file(policy_file, policy_text);
	snprintf(audit_text, sizeof(audit_text), "mode: audit\n%s", policy_text);
	put_file(audit_file, audit_text);
	put_file(broken_file, "version: 1\nbogus: 1\nmode: perhaps\n");
	return 0;
}

static int tear_down(void **state) {
	(void)state;
	unlink(policy_file);
	unlink(audit_file);
	unlink(broken_file);
	return rmdir(folder);
}

static void run_check(struct output *output, const char *const words[]) {
	output->code = output_of(check_main, words, output->out, sizeof(output->out), output->err, sizeof(output->err));
}

#define RUN(output, ...) run_check(output, (const char *const[]){"check", __VA_ARGS__, NULL})

/* One line, in which %s stands for the policy's file. */
static void expect_line(const struct output *output, int code, const char *format, const char *file) {
	char expected[1024];

	snprintf(expected, sizeof(expected), format, file);
	assert_string_equal(output->out, expected);
	assert_string_equal(output->err, "");
	assert_int_equal(output->code, code);
}

static void names_are_judged_at_an_address(void **state) {
	struct output o;

	(void)state;
	RUN(&o, "--host", "www.example.test", "--ip", "192.0.2.1", policy_file);
	expect_line(
		&o, EXIT_ALLOWED,
		"allow www.example.test at 192.0.2.1 port 443/tcp: name_allowed (the server name is on the allowlist), "
		"rule %s:6: www.example.test\n",
		policy_file);
	RUN(&o, "--host=WWW.Example.TEST", "--ip=2001:db8::1", policy_file);
	expect_line(&o, EXIT_ALLOWED,
		    "allow www.example.test at 2001:db8::1 port 443/tcp: name_allowed (the server name is on the "
		    "allowlist), rule %s:6: www.example.test\n",
		    policy_file);
	RUN(&o, "--host=www.example.test.", "--ip=2001:db8::1", policy_file);
	expect_line(
		&o, EXIT_DENIED,
		"deny www.example.test. at 2001:db8::1 port 443/tcp: trailing_dot (the server name ends with a dot, "
		"which TLS does not allow (RFC 6066))\n",
		"");
	RUN(&o, "--host", "other.test", "--ip", "192.0.2.1", policy_file);
	expect_line(&o, EXIT_DENIED,
		    "deny other.test at 192.0.2.1 port 443/tcp: name_not_allowed (no rule allows this server name)\n",
		    "");
	RUN(&o, "--host", "bad.wild.test", "--ip", "192.0.2.1", policy_file);
	expect_line(&o, EXIT_DENIED,
		    "deny bad.wild.test at 192.0.2.1 port 443/tcp: name_denied (a deny rule covers this server name), "
		    "rule %s:11: deny bad.wild.test\n",
		    policy_file);
	RUN(&o, "--host", "bound.test", "--ip", "192.0.2.1", policy_file);
	expect_line(&o, EXIT_DENIED,
		    "deny bound.test at 192.0.2.1 port 443/tcp: name_elsewhere (the name's rule does not cover this "
		    "address and port), rule %s:8: bound.test to 198.51.100.0/25 ports 8443\n",
		    policy_file);
	RUN(&o, "--host", "bound.test", "--ip", "198.51.100.7", "--port", "8443", policy_file);
	expect_line(
		&o, EXIT_ALLOWED,
		"allow bound.test at 198.51.100.7 port 8443/tcp: name_allowed (the server name is on the allowlist), "
		"rule %s:8: bound.test to 198.51.100.0/25 ports 8443\n",
		policy_file);
}

static void names_without_an_address_are_judged_where_names_are_checked(void **state) {
	struct output o;

	(void)state;
	RUN(&o, "--host", "a.wild.test", policy_file);
	expect_line(
		&o, EXIT_ALLOWED,
		"allow a.wild.test at the addresses of its rule port 443/tcp: name_allowed (the server name is on the "
		"allowlist), rule %s:7: *.wild.test\n",
		policy_file);
	RUN(&o, "--host", "wild.test", policy_file);
	expect_line(
		&o, EXIT_DENIED,
		"deny wild.test at any inspected address port 443/tcp: name_not_allowed (no rule allows this server "
		"name)\n",
		"");
	RUN(&o, "--host", "bound.test", policy_file);
	expect_line(&o, EXIT_DENIED,
		    "deny bound.test at any inspected address port 443/tcp: name_elsewhere (the name's rule does not "
		    "cover this address and port), rule %s:8: bound.test to 198.51.100.0/25 ports 8443\n",
		    policy_file);
	RUN(&o, "--host", "www.example.test", "--port", "80", policy_file);
	expect_line(&o, EXIT_DENIED,
		    "deny www.example.test at any address port 80/tcp: port_not_allowed (rules cover this "
		    "address, but not with this protocol and port)\n",
		    "");
}

static void unicode_names_are_sent_as_a_labels(void **state) {
	struct output o;

	(void)state;
	RUN(&o, "--host", "BÜCHER.example", policy_file);
	expect_line(
		&o, EXIT_ALLOWED,
		"allow xn--bcher-kva.example at the addresses of its rule port 443/tcp: name_allowed (the server name "
		"is on the allowlist), rule %s:9: xn--bcher-kva.example\n",
		policy_file);
	RUN(&o, "--host", "*.bücher.example", policy_file);
	assert_int_equal(o.code, EXIT_USAGE);
	assert_string_equal(o.out, "");
	assert_string_equal(
		o.err,
		"snifence: check: --host takes the name of one host, not a pattern: *.b\\xc3\\xbccher.example\n");
}

static void what_is_no_hostname_is_refused_as_the_kernel_does(void **state) {
	static const struct {
		const char *host, *reason;
	} cases[] = {
		{"192.0.2.1", "name_is_address"}, {"*.wild.test", "name_invalid"}, {"", "sni_empty"},
		{"a b", "name_invalid"},	  {"::1", "name_is_address"},
	};
	struct output o;
	char reason[64], name[600];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		RUN(&o, "--host", cases[i].host, policy_file);
		snprintf(reason, sizeof(reason), " port 443/tcp: %s (", cases[i].reason);
		assert_non_null(strstr(o.out, reason));
		assert_int_equal(o.code, EXIT_DENIED);
	}
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	RUN(&o, "--host", name, policy_file);
	assert_non_null(strstr(o.out, " port 443/tcp: name_too_long ("));
	assert_int_equal(o.code, EXIT_DENIED);
}

static void addresses_are_judged_first(void **state) {
	struct output o;

	(void)state;
	RUN(&o, "--host", "other.test", "--ip", "192.0.2.200", policy_file);
	expect_line(&o, EXIT_ALLOWED,
		    "allow other.test at 192.0.2.200 port 443/tcp: address_allowed (an address rule allows it without "
		    "inspection), rule %s:14: allow 192.0.2.128/25 tcp 443\n",
		    policy_file);
	RUN(&o, "--host", "www.example.test", "--ip", "203.0.113.1", policy_file);
	expect_line(
		&o, EXIT_DENIED,
		"deny www.example.test at 203.0.113.1 port 443/tcp: address_denied (a deny rule covers this address, "
		"protocol and port), rule %s:18: deny 203.0.113.0/24\n",
		policy_file);
	RUN(&o, "--host", "www.example.test", "--ip", "198.51.100.200", policy_file);
	expect_line(&o, EXIT_DENIED,
		    "deny www.example.test at 198.51.100.200 port 443/tcp: address_not_allowed (no rule covers this "
		    "address)\n",
		    "");
	RUN(&o, "--ip", "192.0.2.1", policy_file);
	expect_line(&o, EXIT_DENIED,
		    "deny 192.0.2.1 port 443/tcp: sni_missing (the hello has no server_name extension)\n", "");
	RUN(&o, "--ip", "192.0.2.1", "--port", "22", policy_file);
	expect_line(
		&o, EXIT_DENIED,
		"deny 192.0.2.1 port 22/tcp: port_not_allowed (rules cover this address, but not with this protocol "
		"and port)\n",
		"");
	RUN(&o, "--proto", "udp", "--host", "www.example.test", "--ip", "192.0.2.1", policy_file);
	expect_line(
		&o, EXIT_DENIED,
		"deny www.example.test at 192.0.2.1 port 443/udp: port_not_allowed (rules cover this address, but not "
		"with this protocol and port)\n",
		"");
	RUN(&o, "--proto", "udp", "--port", "53", "--ip", "192.0.2.53", policy_file);
	expect_line(
		&o, EXIT_ALLOWED,
		"allow 192.0.2.53 port 53/udp: address_allowed (an address rule allows it without inspection), rule "
		"%s:2: dns 192.0.2.53\n",
		policy_file);
}

static void urls_and_ports_are_no_server_names(void **state) {
	static const struct {
		const char *host, *message;
	} cases[] = {
		{"https://a.test", "https://a.test: write --host a.test"},
		{"https://a.test:8443/x", "https://a.test:8443/x: write --host a.test --port NUMBER"},
		{"https://user:word@a.test/@", "https://user:word@a.test/@: write --host a.test"},
		{"a.test:443", "a.test:443: write --host a.test --port NUMBER"},
		{"a.test:http", "a.test:http: write --host a.test --port NUMBER"},
		{"192.0.2.1:443", "192.0.2.1:443: write --ip 192.0.2.1 --port NUMBER"},
		{"[::1]:443", "[::1]:443"},
		{":443", ":443"},
	};
	struct output o;
	char line[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		RUN(&o, "--host", cases[i].host, policy_file);
		snprintf(line, sizeof(line), "snifence: check: --host takes a server name alone, not %s\n",
			 cases[i].message);
		assert_string_equal(o.err, line);
		assert_string_equal(o.out, "");
		assert_int_equal(o.code, EXIT_USAGE);
	}
}

/* The forms of an address that reach the same place get the same answer. */
static void addresses_are_folded_as_the_kernel_does(void **state) {
	static const char *const forms[][2] = {
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"::ffff:c000:201", "192.0.2.1"},
		{"2001:0DB8:0:0::0001", "2001:db8::1"},
	};
	struct output o;
	char line[256];

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		RUN(&o, "--host", "a.wild.test", "--ip", forms[i][0], policy_file);
		snprintf(line, sizeof(line), "allow a.wild.test at %s port 443/tcp: name_allowed (", forms[i][1]);
		assert_memory_equal(o.out, line, strlen(line));
	}
	RUN(&o, "--ip", "0.0.0.0", "--port", "0", policy_file);
	expect_line(&o, EXIT_ALLOWED,
		    "allow 127.0.0.1 port 0/tcp: address_allowed (an address rule allows it without inspection), rule "
		    "%s:15: allow 127.0.0.0/8\n",
		    policy_file);
	RUN(&o, "--ip", "::", "--port", "65535", policy_file);
	expect_line(&o, EXIT_ALLOWED,
		    "allow ::1 port 65535/tcp: address_allowed (an address rule allows it without inspection), rule "
		    "%s:16: allow ::1\n",
		    policy_file);
}

/* One that is global is the IPv4 address which it reaches, and others are none at all (RFC 6052, section 3.1). */
static void addresses_behind_nat64(void **state) {
	char file[64];
	struct output o;

	(void)state;
	snprintf(file, sizeof(file), "%s/nat64.yaml", folder);
	put_file(file, "version: 1\ndirect: {allow: [192.175.48.1, 127.0.0.0/8]}\n");
	RUN(&o, "--ip", "64:ff9b::c0af:3001", file);
	expect_line(&o, EXIT_ALLOWED,
		    "allow 192.175.48.1 port 443/tcp: address_allowed (an address rule allows it without inspection), "
		    "rule %s:2: allow 192.175.48.1\n",
		    file);
	RUN(&o, "--ip", "64:ff9b::127.0.0.1", file);
	expect_line(&o, EXIT_DENIED,
		    "deny 64:ff9b::7f00:1 port 443/tcp: nat64_not_global (the well-known NAT64 prefix with an IPv4 "
		    "address that is not global)\n",
		    file);
	unlink(file);
}

static void audit_mode_is_said(void **state) {
	struct output o;

	(void)state;
	RUN(&o, "--host", "other.test", audit_file);
	expect_line(
		&o, EXIT_DENIED,
		"deny other.test at any inspected address port 443/tcp: name_not_allowed (no rule allows this server "
		"name); audit mode: it would be logged and let through\n",
		"");
	RUN(&o, "--ip", "127.0.0.1", audit_file);
	expect_line(
		&o, EXIT_ALLOWED,
		"allow 127.0.0.1 port 443/tcp: address_allowed (an address rule allows it without inspection), rule "
		"%s:16: allow 127.0.0.0/8\n",
		audit_file);
}

static const char *text_of(struct json_object *object, const char *name) {
	struct json_object *value = NULL;

	assert_true(json_object_object_get_ex(object, name, &value));
	return value ? json_object_get_string(value) : NULL;
}

static struct json_object *member(struct json_object *object, const char *name) {
	struct json_object *value = NULL;

	assert_true(json_object_object_get_ex(object, name, &value));
	return value;
}

static void answers_as_json(void **state) {
	struct json_object *answer;
	struct output o;

	(void)state;
	RUN(&o, policy_file, "--json", "--host", "A.wild.test", "--ip", "192.0.2.1");
	assert_int_equal(o.code, EXIT_ALLOWED);
	answer = json_tokener_parse(o.out);
	assert_non_null(answer);
	assert_int_equal(json_object_object_length(answer), 13);
	assert_string_equal(text_of(answer, "verdict"), "allow");
	assert_string_equal(text_of(answer, "reason"), "name_allowed");
	assert_string_equal(text_of(answer, "text"), "the server name is on the allowlist");
	assert_string_equal(text_of(member(answer, "rule"), "file"), policy_file);
	assert_int_equal(json_object_get_int(member(member(answer, "rule"), "line")), 7);
	assert_null(member(answer, "exception"));
	assert_string_equal(text_of(member(answer, "rule"), "text"), "*.wild.test");
	assert_string_equal(text_of(answer, "host"), "a.wild.test");
	assert_string_equal(text_of(answer, "ip"), "192.0.2.1");
	assert_int_equal(json_object_get_int(member(answer, "port")), 443);
	assert_string_equal(text_of(answer, "proto"), "tcp");
	assert_string_equal(text_of(answer, "mode"), "enforce");
	assert_string_equal(text_of(answer, "policy"), "good");
	assert_int_equal(strlen(text_of(answer, "policy_sha256")), 64);
	json_object_put(answer);

	RUN(&o, "--json", "--ip", "198.51.100.200", audit_file);
	assert_int_equal(o.code, EXIT_DENIED);
	answer = json_tokener_parse(o.out);
	assert_string_equal(text_of(answer, "reason"), "address_not_allowed");
	assert_null(member(answer, "rule"));
	assert_null(member(answer, "host"));
	assert_string_equal(text_of(answer, "mode"), "audit");
	assert_string_equal(text_of(answer, "policy"), "audit");
	json_object_put(answer);

	RUN(&o, "--json", "--host", "a\nb\"\\.test", policy_file);
	assert_int_equal(o.code, EXIT_DENIED);
	answer = json_tokener_parse(o.out);
	assert_string_equal(text_of(answer, "host"), "a\\x0ab\"\\x5c.test");
	assert_string_equal(text_of(answer, "reason"), "name_invalid");
	assert_null(member(answer, "ip"));
	json_object_put(answer);
}

static void a_policy_is_expanded(void **state) {
	char expected[8192], sha256[65];
	struct output o;

	(void)state;
	RUN(&o, policy_file);
	assert_int_equal(o.code, EXIT_ALLOWED);
	snprintf(expected, sizeof(expected),
		 "%s:14:7: warning: `allow 192.0.2.128/25 tcp 443` lets TLS through where hostnames are checked "
		 "otherwise: its traffic is not inspected\n",
		 policy_file);
	assert_string_equal(o.err, expected);
	assert_non_null(strstr(o.out, "sha256   "));
	snprintf(sha256, sizeof(sha256), "%s", strstr(o.out, "sha256   ") + 9);
	snprintf(expected, sizeof(expected),
		 "policy   good (%1$s)\n"
		 "sha256   %2$s\n"
		 "mode     enforce\n"
		 "ech      outer: the name outside is judged\n"
		 "inbound  allow\n"
		 "hellos   up to 16384 bytes\n"
		 "\n"
		 "hostnames (TLS over TCP; the longest match decides, deny before allow):\n"
		 "  names denied everywhere:\n"
		 "    deny  bad.wild.test  %1$s:11\n"
		 "  names allowed on port 443 at 192.0.2.0/24, 2001:db8::/32:\n"
		 "    allow www.example.test  %1$s:6\n"
		 "    allow *.wild.test  %1$s:7\n"
		 "    allow xn--bcher-kva.example  %1$s:9\n"
		 "  names allowed on port 8443 at 198.51.100.0/25:\n"
		 "    allow bound.test  %1$s:8\n"
		 "\n"
		 "addresses (before hostnames; the most specific prefix decides, deny before allow):\n"
		 "    allow 192.0.2.53 tcp and udp port 53  %1$s:2: dns 192.0.2.53\n"
		 "    allow 192.0.2.128/25 tcp port 443  %1$s:14: allow 192.0.2.128/25 tcp 443\n"
		 "    deny  203.0.113.0/24 tcp and udp any port  %1$s:18: deny 203.0.113.0/24\n"
		 "    allow 127.0.0.0/8 tcp and udp any port  %1$s:15: allow 127.0.0.0/8\n"
		 "    allow ::1 tcp and udp any port  %1$s:16: allow ::1\n"
		 "    what neither these nor the hostnames cover is refused\n"
		 "\n"
		 "lookups (DNS):\n"
		 "    bind off: a name counts at every address\n"
		 "    names any\n"
		 "\n"
		 "total    5 host rules, 5 address rules, 8 prefixes\n"
		 "tables   5 names, 8 addresses, 12 ports: about 4 KiB in the kernel\n",
		 policy_file, sha256);
	assert_string_equal(o.out, expected);
}

/* Rules for lookups, and for the addresses that they give. */
static void lookups_are_told(void **state) {
	struct json_object *answer, *dns;
	char file[64];
	struct output o;

	(void)state;
	snprintf(file, sizeof(file), "%s/lookups.yaml", folder);
	put_file(file, "version: 1\ntls: {allow: [www.test]}\n"
		       "direct: {allow: [{host: .db.test, proto: tcp, ports: [22, 5432]}]}\n"
		       "dns: {servers: [192.0.2.53], bind: require, names: policy, https: deny, allow: [ntp.test],\n"
		       "      search: [corp.test, lab.test], min_ttl: 1m, max_ttl: 2h, grace: 3s}\n");
	RUN(&o, file);
	assert_int_equal(o.code, EXIT_ALLOWED);
	assert_non_null(strstr(
		o.out, "lookups (DNS):\n"
		       "    bind require: a name counts only at addresses that lookups give for it\n"
		       "    an address counts for its time to live, at least 60 s and at most 7200 s, and 3 s more\n"
		       "    names of the policy, and no others\n"
		       "    HTTPS and SVCB records are not asked for\n"
		       "    allow .db.test tcp 22,5432  "));
	assert_non_null(strstr(o.out, "    taken off names that are asked for: .corp.test, .lab.test\n"));
	RUN(&o, file, "--json");
	answer = json_tokener_parse(o.out);
	dns = member(answer, "dns");
	assert_string_equal(text_of(dns, "bind"), "require");
	assert_int_equal(json_object_array_length(member(dns, "lookups")), 4);
	json_object_put(answer);
	RUN(&o, file, "--host", "a.db.test", "--ip", "192.0.2.1", "--port", "22");
	assert_int_equal(o.code, EXIT_ALLOWED);
	assert_non_null(strstr(o.out, "address_bound"));
	assert_non_null(strstr(o.out, "only at an address that a lookup through `dns.servers` has given for the name"));
	RUN(&o, file, "--host", "a.db.test", "--ip", "192.0.2.1", "--port", "23");
	assert_int_equal(o.code, EXIT_DENIED);
	RUN(&o, file, "--host", "www.test", "--ip", "192.0.2.1", "--port", "22");
	assert_int_equal(o.code, EXIT_DENIED);
}

/* What a question about a host and a port means where no address is given: what a lookup would make of it. */
static void hosts_are_judged_by_what_a_lookup_would_give(void **state) {
	static const char port[] = "port_not_allowed (rules cover this address, but not with this protocol and port)";
	static const char bound[] = "address_bound (a rule allows the name that was found at this address), rule ";
	static const char lookup[] = "; only at an address that a lookup through `dns.servers` has given for the name";
	static const struct {
		const char *direct, *host, *port, *protocol;
		int code;
		const char *where, *why, *rule, *behind;
	} cases[] = {
		{"{host: db.test, proto: tcp, ports: [5432]}]", "db.test", "5432", "tcp", EXIT_ALLOWED,
		 "at the addresses of its rule", bound, "allow db.test tcp 5432", lookup},
		{"{host: .db.test}]", "a.db.test", "123", "udp", EXIT_ALLOWED, "at the addresses of its rule", bound,
		 "allow .db.test", lookup},
		/* the name's rule is about another port, or protocol */
		{"{host: db.test, proto: tcp, ports: [5432]}]", "db.test", "5433", "tcp", EXIT_DENIED, "at any address",
		 port, "allow db.test tcp 5432", ""},
		{"{host: db.test, proto: tcp, ports: [5432]}]", "db.test", "5432", "udp", EXIT_DENIED, "at any address",
		 port, "allow db.test tcp 5432", ""},
		{"{host: db.test, proto: tcp, ports: [5432]}]", "other.test", "5432", "tcp", EXIT_DENIED,
		 "at any address", port, NULL, ""},
		{"{host: db.test, proto: tcp, ports: [5432]}]", "db.test", "444", "tcp", EXIT_DENIED,
		 "at any inspected address", "name_not_allowed (no rule allows this server name), rule ",
		 "allow db.test tcp 5432", ""},
		/* where names are checked they decide, and only there */
		{"{host: db.test}]", "db.test", "443", "tcp", EXIT_ALLOWED,
		 "at the addresses of its rule where names are not checked", bound, "allow db.test", lookup},
		{"{host: www.test}]", "www.test", "443", "tcp", EXIT_ALLOWED, "at the addresses of its rule",
		 "name_allowed (the server name is on the allowlist), rule ", "www.test", NULL},
		/* rules about addresses come first */
		{"{host: db.test, ports: [22]}], deny: [192.0.2.7]", "db.test", "22", "tcp", EXIT_ALLOWED,
		 "at the addresses of its rule", bound, "allow db.test tcp/udp 22", "; except where this holds: "},
		{"{host: db.test, ports: [22]}], deny: [{to: any, ports: [22]}]", "db.test", "22", "tcp", EXIT_DENIED,
		 "at any address", "address_denied (a deny rule covers this address, protocol and port), rule ",
		 "deny any tcp/udp 22", ""},
		{"{to: any, ports: [123]}]", "ntp.test", "123", "udp", EXIT_ALLOWED, "at any address",
		 "address_allowed (an address rule allows it without inspection), rule ", "allow any tcp/udp 123", ""},
		{"{to: 198.51.100.0/24, ports: [22]}, 127.0.0.0/8]", "ssh.test", "22", "tcp", EXIT_DENIED,
		 "at any address", port, NULL, "; except where this holds: "},
		{"127.0.0.0/8, \"::1\"]", "ssh.test", "22", "tcp", EXIT_DENIED, "at any address", port, NULL, ""},
	};
	char file[64], rules[512], line[1024];
	struct output o;

	(void)state;
	snprintf(file, sizeof(file), "%s/lookup.yaml", folder);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool allowed = cases[i].code == EXIT_ALLOWED;

		snprintf(
			rules, sizeof(rules),
			"version: 1\ntls: {to: 192.0.2.0/24, ports: [443, 444], allow: [www.test]}\ndns: {servers: [192.0.2.53]}\n"
			"direct: {allow: [%s}\n",
			cases[i].direct);
		put_file(file, rules);
		RUN(&o, "--host", cases[i].host, "--port", cases[i].port, "--proto", cases[i].protocol, file);
		assert_string_equal(o.err, "");
		assert_int_equal(o.code, cases[i].code);
		snprintf(line, sizeof(line), "%s %s %s port %s/%s: %s", allowed ? "allow" : "deny", cases[i].host,
			 cases[i].where, cases[i].port, cases[i].protocol, cases[i].why);
		assert_ptr_equal(strstr(o.out, line), o.out);
		if (cases[i].rule) {
			snprintf(line, sizeof(line), "%s:%s: %s", file,
				 strcmp(cases[i].host, "www.test") == 0 ? "2" : "4", cases[i].rule);
			assert_non_null(strstr(o.out, line));
		}
		if (!cases[i].behind)
			continue;
		if (*cases[i].behind)
			assert_non_null(strstr(o.out, cases[i].behind));
		else
			assert_null(strchr(o.out, ';'));
	}
	unlink(file);
}

/* Rules that are written nowhere have no line. */
static void defaults_are_told_as_such(void **state) {
	char file[64], server[64], *found, *text;
	struct json_object *answer;
	struct output o;

	(void)state;
	snprintf(file, sizeof(file), "%s/default.yaml", folder);
	put_file(file, "version: 1\n");
	RUN(&o, file);
	found = strstr(o.out, " port 53  default: dns ");
	assert_non_null(found);
	assert_int_equal(sscanf(found, " port 53 default: dns %63s", server), 1);
	RUN(&o, "--ip", server, "--port", "53", "--proto", "udp", file);
	text = strstr(o.out, ", rule default: dns ");
	assert_non_null(text);
	assert_memory_equal(text + strlen(", rule default: dns "), server, strlen(server));
	RUN(&o, "--json", "--ip", server, "--port", "53", file);
	answer = json_tokener_parse(o.out);
	assert_null(member(member(answer, "rule"), "file"));
	assert_null(member(member(answer, "rule"), "line"));
	json_object_put(answer);
	unlink(file);
}

static void a_policy_is_expanded_as_json(void **state) {
	struct json_object *policy, *direct, *rule;
	struct output o;

	(void)state;
	RUN(&o, "--json", policy_file);
	assert_int_equal(o.code, EXIT_ALLOWED);
	policy = json_tokener_parse(o.out);
	assert_non_null(policy);
	assert_string_equal(text_of(policy, "policy"), "good");
	assert_string_equal(text_of(policy, "ech"), "outer");
	assert_string_equal(text_of(policy, "max_hello"), "16384");
	assert_string_equal(text_of(policy, "unusual"), "[ ]");
	assert_string_equal(text_of(policy, "zones"),
			    "[ { \"ports\": \"443\", \"to\": [ \"192.0.2.0\\/24\", \"2001:db8::\\/32\" ] }, "
			    "{ \"ports\": \"8443\", \"to\": [ \"198.51.100.0\\/25\" ] } ]");
	assert_int_equal(json_object_array_length(member(policy, "hosts")), 5);
	rule = json_object_array_get_idx(member(policy, "hosts"), 2);
	assert_string_equal(text_of(rule, "host"), "bound.test");
	assert_int_equal(json_object_get_int(member(rule, "zone")), 1);
	direct = member(policy, "direct");
	assert_int_equal(json_object_array_length(direct), 5);
	rule = json_object_array_get_idx(direct, 0);
	assert_string_equal(text_of(rule, "to"), "[ \"192.0.2.128\\/25\" ]");
	assert_string_equal(text_of(rule, "proto"), "[ \"tcp\" ]");
	assert_true(json_object_get_boolean(member(rule, "bypasses_inspection")));
	assert_false(json_object_get_boolean(member(json_object_array_get_idx(direct, 1), "bypasses_inspection")));
	assert_int_equal(json_object_get_int(member(member(policy, "tables"), "names")), 5);
	json_object_put(policy);
}

static void direct_rules_over_inspected_ports_are_warned_of(void **state) {
	static const struct {
		const char *to, *direct;
		int bypasses;
	} cases[] = {
		{"[192.0.2.0/24]", "allow: [192.0.2.7]", 1},
		{"[192.0.2.7]", "allow: [192.0.2.0/24]", 1},
		{"[192.0.2.7]", "allow: [{to: [198.51.100.1, 192.0.2.0/24, 192.0.2.0/25, 203.0.113.1]}]", 1},
		{"[192.0.2.0/25, 203.0.113.1]", "allow: [{to: [192.0.2.128/25, 203.0.113.0/24]}]", 1},
		{"[192.0.2.0/25]", "allow: [192.0.2.128/25]", 0},
		{"[192.0.2.0/24]", "allow: [\"::/0\"]", 0},
		{"[\"::/0\"]", "allow: [0.0.0.0/0]", 0},
		{"[\"2001:db8::/32\", 192.0.2.1]", "allow: [\"2001:db8::1\"]", 1},
		{"[192.0.2.0/24]", "deny: [192.0.2.7]", 0},
		{"[192.0.2.0/24]", "allow: [{to: 192.0.2.7, proto: udp}]", 0},
		{"[192.0.2.0/24]", "allow: [{to: 192.0.2.7, ports: [442, 444-500]}]", 0},
		{"[192.0.2.0/24]", "allow: [{to: 192.0.2.7, ports: [22, 400-443]}]", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct diagnostics diagnostics = {0};
		struct policy *policy;
		char text[512];

		snprintf(text, sizeof(text),
			 "version: 1\ndns: {servers: none}\ntls: {to: %s, allow: [a.test]}\ndirect: {%s}\n",
			 cases[i].to, cases[i].direct);
		policy = policy_parse("t.yaml", text, strlen(text), &diagnostics);
		diagnostics_free(&diagnostics);
		assert_non_null(policy);
		assert_int_equal(policy->direct_count, 1);
		assert_int_equal(bypasses_inspection(policy, policy->direct), cases[i].bypasses);
		policy_free(policy);
	}
}

/* The answer for a.test as JSON names the rule on line 4, or none. */
static void expect_exception(const char *file, bool excepted) {
	struct json_object *answer, *exception;
	struct output o;

	RUN(&o, "--json", "--host", "a.test", file);
	answer = json_tokener_parse(o.out);
	exception = member(answer, "exception");
	assert_int_equal(exception != NULL, excepted);
	if (excepted)
		assert_int_equal(json_object_get_int(member(exception, "line")), 4);
	json_object_put(answer);
}

/* The answer for a.test, without an address, and what the expansion warns of. `file` stands for %s in both. */
static void expect_reach(const char *rules, int code, const char *answer, const char *warning) {
	char text[512], file[64];
	struct output o;

	snprintf(file, sizeof(file), "%s/reach.yaml", folder);
	snprintf(text, sizeof(text), "version: 1\ndns: {servers: none}\n%s", rules);
	put_file(file, text);
	RUN(&o, "--host", "a.test", file);
	expect_line(&o, code, answer, file);
	expect_exception(file, strstr(answer, "except where") != NULL);
	RUN(&o, file);
	snprintf(text, sizeof(text), warning, file);
	assert_string_equal(o.err, text);
	assert_int_equal(o.code, EXIT_ALLOWED);
	unlink(file);
}

static void hosts_that_direct_rules_leave_no_address_are_told(void **state) {
	static const char allowed[] =
		"allow a.test at the addresses of its rule port 443/tcp: name_allowed (the server name is on the "
		"allowlist), rule %s:3: a.test to 192.0.2.0/24\n";
	static const char part[] =
		"allow a.test at the addresses of its rule port 443/tcp: name_allowed (the server name is on the "
		"allowlist), rule %1$s:3: a.test to 192.0.2.0/24; except where this holds: %1$s:4: ";
	static const char refused[] =
		"deny a.test at any inspected address port 443/tcp: address_denied (a deny rule covers this address, "
		"protocol and port), rule %s:4: ";
	static const char dead[] =
		"%s:3:22: warning: `a.test to 192.0.2.0/24` is allowed nowhere: `direct` denies all its "
		"addresses, see `";
	static const struct {
		const char *direct, *answer, *rule, *warning;
	} cases[] = {
		{"deny: [198.51.100.0/24]", allowed, "", NULL},
		{"deny: [{to: 192.0.2.0/24, proto: udp}]", allowed, "", NULL},
		{"deny: [{to: 192.0.2.0/24, ports: [444]}]", allowed, "", NULL},
		{"deny: [192.0.2.7]", part, "deny 192.0.2.7", NULL},
		{"deny: [192.0.2.0/25]", part, "deny 192.0.2.0/25", NULL},
		{"deny: [{to: 192.0.2.255, ports: [443]}]", part, "deny 192.0.2.255 tcp/udp 443", NULL},
		{"deny: [192.0.2.0/24], allow: [{to: 192.0.2.9}]", part, "deny 192.0.2.0/24", ""},
		{"deny: [192.0.2.0/24]", refused, "deny 192.0.2.0/24", dead},
		{"deny: [0.0.0.0/0]", refused, "deny 0.0.0.0/0", dead},
		{"deny: [{to: any, ports: [1-443]}]", refused, "deny any tcp/udp 1-443", dead},
		{"deny: [{to: [192.0.2.128/25, 192.0.2.0/25]}]", refused, "deny 192.0.2.128/25,192.0.2.0/25", dead},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool good = cases[i].answer != refused;
		char rules[256], answer[512], warning[512] = "";

		snprintf(rules, sizeof(rules), "tls: {allow: [{host: a.test, to: 192.0.2.0/24}]}\ndirect: {%s}\n",
			 cases[i].direct);
		snprintf(answer, sizeof(answer), "%s%s%s", cases[i].answer, cases[i].rule, *cases[i].rule ? "\n" : "");
		if (cases[i].warning == dead)
			snprintf(warning, sizeof(warning), "%s%s` on line 4\n", dead, cases[i].rule);
		else if (cases[i].warning)
			snprintf(warning, sizeof(warning),
				 "%%s:4:40: warning: `allow 192.0.2.9` lets TLS through where hostnames are checked "
				 "otherwise: its traffic is not inspected\n");
		expect_reach(rules, good ? EXIT_ALLOWED : EXIT_DENIED, answer, warning);
	}
	/* dead on one port, not on the other */
	expect_reach("tls: {ports: [443, 8443], allow: [a.test]}\ndirect: {deny: [{to: any, ports: [443]}]}\n",
		     EXIT_DENIED,
		     "deny a.test at any inspected address port 443/tcp: address_denied (a deny rule covers this "
		     "address, protocol and port), rule %s:4: deny any tcp/udp 443\n",
		     "");
}

/* What stays on the machine needs no inspection. */
static void loopback_is_not_warned_of(void **state) {
	char file[64];
	struct output o;

	(void)state;
	snprintf(file, sizeof(file), "%s/loopback.yaml", folder);
	put_file(file, "version: 1\ntls: {allow: [a.test]}\ndirect: {allow: [127.0.0.0/8, 127.0.0.1, \"::1\"]}\n");
	RUN(&o, file);
	assert_string_equal(o.err, "");
	assert_int_equal(o.code, EXIT_ALLOWED);
	unlink(file);
}

/* Each is shown, and the worst decides. */
static void several_policies_are_checked(void **state) {
	struct output o;

	(void)state;
	RUN(&o, policy_file, audit_file);
	assert_int_equal(o.code, EXIT_ALLOWED);
	assert_memory_equal(o.out, "policy   good (", 15);
	assert_non_null(strstr(o.out, "\n\npolicy   audit ("));
	RUN(&o, broken_file, policy_file);
	assert_int_equal(o.code, EXIT_USAGE);
	assert_non_null(strstr(o.err, "broken.yaml:2:1: error: "));
	assert_non_null(strstr(o.out, "policy   good ("));
	RUN(&o, "--json", policy_file, audit_file);
	assert_non_null(strstr(o.out, "}\n{"));
	RUN(&o, "--host", "www.example.test", "--ip", "192.0.2.1", policy_file, audit_file);
	assert_int_equal(o.code, EXIT_ALLOWED);
}

/* Of 1001 names the last is left out, and counted. */
static void a_large_policy_is_not_printed_whole(void **state) {
	static struct output o;
	char file[64];
	FILE *out;

	(void)state;
	snprintf(file, sizeof(file), "%s/large.yaml", folder);
	out = fopen(file, "we");
	assert_non_null(out);
	fputs("version: 1\ndns: {servers: none}\ntls:\n  deny: [denied.test]\n  allow:\n", out);
	for (int i = 1; i <= 1000; i++)
		fprintf(out, "    - h%d.test\n", i);
	fclose(out);
	RUN(&o, file);
	assert_non_null(strstr(o.out, "  names allowed on port 443 at any address:\n    allow h1.test  "));
	assert_non_null(strstr(o.out, "    allow h999.test  "));
	assert_null(strstr(o.out, "    allow h1000.test  "));
	assert_non_null(strstr(o.out, "    ... and 1 more (--json has them all)\n"));
	assert_non_null(strstr(o.out, "total    1001 host rules, "));
	unlink(file);
}

static void bad_command_lines_are_told(void **state) {
	static const struct {
		const char *words[7], *message;
	} cases[] = {
		{{"check"}, "the policy is missing"},
		{{"check", "--host"}, "an argument is missing after --host"},
		{{"check", "--nonsense", "a.yaml"}, "there is no such option: --nonsense"},
		{{"check", "a.yaml", "-x"}, "there is no such option: -x"},
		{{"check", "--json", "-xh", "a.yaml"}, "there is no such option: -x"},
		{{"check", "--host=a.test", "-xh", "a.yaml"}, "there is no such option: -x"},
		{{"check", "--json", "-jh", "a.yaml"}, "there is no such option: -j"},
		{{"check", "--jsonx", "a.yaml"}, "there is no such option: --jsonx (did you mean --json?)"},
		{{"check", "--ohst", "a.test", "a.yaml"}, "there is no such option: --ohst (did you mean --host?)"},
		{{"check", "--verbose", "a.yaml"}, "there is no such option: --verbose"},
		{{"check", "--json=1", "a.yaml"}, "this option takes no value: --json=1"},
		{{"check", "--js=1", "a.yaml"}, "this option takes no value: --js=1"},
		{{"check", "--p", "1", "a.yaml"}, "more than one option begins like this, write it out: --p"},
		{{"check", "--ip", "192.0.2.256", "a.yaml"}, "not an IPv4 or IPv6 address: 192.0.2.256"},
		{{"check", "--ip", "fe80::1%lo", "a.yaml"}, "not an IPv4 or IPv6 address: fe80::1%lo"},
		{{"check", "--ip", "192.0.2.1", "--port", "65536", "a.yaml"},
		 "a port is a number from 0 to 65535, not 65536"},
		{{"check", "--ip", "192.0.2.1", "--port", "-1", "a.yaml"},
		 "a port is a number from 0 to 65535, not -1"},
		{{"check", "--ip", "192.0.2.1", "--port", "", "a.yaml"}, "a port is a number from 0 to 65535, not "},
		{{"check", "--ip", "192.0.2.1", "--proto", "icmp", "a.yaml"}, "--proto is tcp or udp, not icmp"},
		{{"check", "--port", "443", "a.yaml"}, "--port and --proto need --host or --ip"},
	};
	struct output o;
	char line[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		run_check(&o, cases[i].words);
		snprintf(line, sizeof(line), "snifence: check: %s; `snifence check --help` shows how\n",
			 cases[i].message);
		assert_string_equal(o.err, line);
		assert_string_equal(o.out, "");
		assert_int_equal(o.code, EXIT_USAGE);
	}
}

static void bad_policies_are_told(void **state) {
	struct output o;

	(void)state;
	RUN(&o, "--host", "a.test", broken_file);
	assert_int_equal(o.code, EXIT_USAGE);
	assert_string_equal(o.out, "");
	assert_non_null(strstr(o.err, "broken.yaml:2:1: error: "));
	assert_non_null(strstr(o.err, "broken.yaml:3:7: error: "));
	RUN(&o, "/nonexistent/policy.yaml");
	assert_int_equal(o.code, EXIT_USAGE);
	assert_non_null(strstr(o.err, "/nonexistent/policy.yaml: error: "));
}

static void help_is_on_stdout(void **state) {
	static const char *const words[] = {"--help", "-h", "--he"};
	struct output o;

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		RUN(&o, words[i]);
		assert_int_equal(o.code, EXIT_ALLOWED);
		assert_memory_equal(o.out, "Usage: snifence check [OPTION…] POLICY…\n", 44);
		assert_string_equal(o.err, "");
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_judged_at_an_address),
		cmocka_unit_test(names_without_an_address_are_judged_where_names_are_checked),
		cmocka_unit_test(unicode_names_are_sent_as_a_labels),
		cmocka_unit_test(what_is_no_hostname_is_refused_as_the_kernel_does),
		cmocka_unit_test(urls_and_ports_are_no_server_names),
		cmocka_unit_test(addresses_are_judged_first),
		cmocka_unit_test(addresses_are_folded_as_the_kernel_does),
		cmocka_unit_test(addresses_behind_nat64),
		cmocka_unit_test(audit_mode_is_said),
		cmocka_unit_test(answers_as_json),
		cmocka_unit_test(a_policy_is_expanded),
		cmocka_unit_test(lookups_are_told),
		cmocka_unit_test(hosts_are_judged_by_what_a_lookup_would_give),
		cmocka_unit_test(defaults_are_told_as_such),
		cmocka_unit_test(a_policy_is_expanded_as_json),
		cmocka_unit_test(direct_rules_over_inspected_ports_are_warned_of),
		cmocka_unit_test(hosts_that_direct_rules_leave_no_address_are_told),
		cmocka_unit_test(loopback_is_not_warned_of),
		cmocka_unit_test(several_policies_are_checked),
		cmocka_unit_test(a_large_policy_is_not_printed_whole),
		cmocka_unit_test(bad_command_lines_are_told),
		cmocka_unit_test(bad_policies_are_told),
		cmocka_unit_test(help_is_on_stdout),
	};

	return cmocka_run_group_tests_name("check", tests, set_up, tear_down);
}
