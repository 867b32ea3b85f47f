/* SPDX-License-Identifier: BSD-2-Clause */
/* A run in audit mode ──► learn ──► a policy under which the same program runs, and nothing else. */
#include <json-c/json.h>
#include <string.h>
#include <unistd.h>

#include "../support/lab.h"
#include "../support/name_server.h"

static const char audit[] = "version: 1\nmode: audit\ndns: {servers: none}\n";

/*
 * $1 fetches, each of another host, and a line to each of two echo servers that speak no TLS: one of them on loopback,
 * at port $2. Fails when any of it does. A datagram to where QUIC would go is tried.
 */
static const char script[] =
	"failed=0\n"
	"for i in $(seq 1 \"$1\"); do\n"
	"	host=host$i.lab.test\n"
	"	curl -4 -sS -o /dev/null --cacert \"$0\" --resolve \"$host:443:192.0.2.1\" \"https://$host/\" || failed=$?\n"
	"done\n"
	"echo quic 2>/dev/null >/dev/udp/192.0.2.1/443\n"
	"for at in 198.51.100.1/22 127.0.0.1/$2; do\n"
	"	exec 3<>/dev/tcp/$at && echo ping >&3 && read -r answer <&3 && [ \"$answer\" = ping ] || failed=99\n"
	"done\n"
	"exit $failed\n";

static struct lab_program *fetch(const char *policy, const char *hosts, const char *port) {
	return lab_snifence(policy, NULL, (const char *[]){"bash", "-c", script, lab_certificate(), hosts, port, NULL});
}

static void test_round_trip(void **state) {
	struct lab_program *program, *learned, *checked, *report;
	const char *policy, *direct, *row;

	(void)state;
	lab_enter();
	lab_server(LAB_TLS, "192.0.2.1", 443);
	lab_server(LAB_ECHO, "198.51.100.1", 22);
	lab_server(LAB_ECHO, "127.0.0.1", 41234);
	lab_server(LAB_ECHO, "127.0.0.1", 45678);
	program = fetch(audit, "30", "41234");
	assert_int_equal(program->status, 0);
	assert_int_equal(json_object_array_length(lab_log(program)), 33);

	learned = lab_run((const char *[]){"build/snifence", "learn", program->log, NULL});
	assert_string_equal(learned->err, "snifence: learn: 1 rule by address: with `dns: {log: answers}` in the audit "
					  "policy, what was looked up gets its rule by name\n");
	assert_int_equal(learned->status, 0);
	direct = strstr(learned->out, "direct:\n");
	assert_non_null(direct);
	assert_non_null(strstr(direct, "    - {to: 127.0.0.1, proto: tcp} "));
	assert_non_null(strstr(direct, "    - {to: 198.51.100.1, proto: tcp, ports: [22]} # NOT INSPECTED: "));
	assert_non_null(strstr(direct, "#   192.0.2.1:443/UDP (QUIC, "));
	policy = lab_write("learned.yaml", learned->out);
	checked = lab_run((const char *[]){"build/snifence", "check", policy, NULL});
	assert_string_equal(checked->err, "");
	assert_int_equal(checked->status, 0);
	assert_non_null(strstr(checked->out, "mode     enforce\n"));
	assert_non_null(strstr(checked->out, "total    30 host rules, "));

	/* another port of loopback; of all this only the datagram is refused */
	program = fetch(learned->out, "30", "45678");
	assert_int_equal(program->status, 0);
	assert_int_equal(json_object_array_length(lab_log(program)), 1);
	program = fetch(learned->out, "31", "45678");
	assert_int_equal(program->status, 35);
	report = lab_run((const char *[]){"build/snifence", "report", program->log, NULL});
	row = strstr(report->out, "  host31.lab.test  ");
	assert_non_null(row);
	assert_true((size_t)(strstr(row, "name_not_allowed") - row) < strcspn(row, "\n"));
}

/* ---- a job ------------------------------------------------------------------------------------------------------- */

/*
 * What a CI job does: six hosts by TLS, tried by QUIC first, ssh, a cache at a port of its own and two servers of the
 * tests themselves on loopback, $1 and $2, whose ports nobody knows before.
 */
static const char job[] =
	"failed=0\n"
	"for host in api registry cdn git packages mirror; do\n"
	"	echo quic 2>/dev/null >/dev/udp/192.0.2.1/443\n"
	"	curl -4 -sS -o /dev/null --cacert \"$0\" --resolve \"$host.lab.test:443:192.0.2.1\" "
	"\"https://$host.lab.test/\" || failed=$?\n"
	"done\n"
	"for at in 198.51.100.1/22 127.0.0.1/6379 127.0.0.1/$1 ::1/$2; do\n"
	"	exec 3<>/dev/tcp/$at && echo ping >&3 && read -r answer <&3 && [ \"$answer\" = ping ] || failed=99\n"
	"done\n"
	"exit $failed\n";

static struct lab_program *run_job(const char *policy, const char *port, const char *other) {
	return lab_snifence(policy, NULL, (const char *[]){"bash", "-c", job, lab_certificate(), port, other, NULL});
}

/* The items of the policy's lists, line by line, without comments. */
static const char *rules_of(const char *policy) {
	static char rules[4096];
	size_t used = 0;

	for (const char *line = policy; *line; line += strcspn(line, "\n") + 1) {
		const char *item = line + strspn(line, " ");

		if (strncmp(item, "- ", 2) == 0) {
			size_t length = strcspn(item, "#\n");

			while (item[length - 1] == ' ')
				length--;
			used += (size_t)snprintf(rules + used, sizeof(rules) - used, "%.*s\n", (int)length, item);
		}
	}
	return rules;
}

/* Audited, learned, checked and enforced it runs, and no rule is wider than what was seen. */
static void test_job(void **state) {
	static const struct {
		const char *kind, *address, *port;
	} neighbours[] = {
		{"tcp", "198.51.100.1", "23"}, {"tcp", "203.0.113.1", "22"}, {"udp", "198.51.100.1", "22"},
		{"udp", "192.0.2.1", "443"},   {"udp", "127.0.0.1", "6379"}, {"tcp", "127.0.0.2", "41234"},
	};
	struct lab_program *learned, *checked, *program;
	const char *policy;

	(void)state;
	lab_enter();
	lab_server(LAB_TLS, "192.0.2.1", 443);
	lab_server(LAB_ECHO, "198.51.100.1", 22);
	lab_server(LAB_ECHO, "127.0.0.1", 6379);
	for (int i = 0; i < 2; i++) {
		lab_server(LAB_ECHO, "127.0.0.1", (uint16_t)(41234 + i));
		lab_server(LAB_ECHO, "::1", (uint16_t)(45678 + i));
	}
	program = run_job(audit, "41234", "45678");
	assert_int_equal(program->status, 0);

	policy = lab_write("learned.yaml", "");
	unlink(policy);
	learned = lab_run((const char *[]){"build/snifence", "learn", "-o", policy, program->log, NULL});
	assert_int_equal(learned->status, 0);
	assert_non_null(strstr(learned->err, ": 6 hosts, 1 uninspected rule; next: snifence check "));
	/* of loopback all ports: those of the tests are others each time */
	assert_string_equal(rules_of(lab_read(policy)), "- api.lab.test\n- cdn.lab.test\n- git.lab.test\n"
							"- mirror.lab.test\n- packages.lab.test\n- registry.lab.test\n"
							"- {to: \"::1\", proto: tcp}\n- {to: 127.0.0.1, proto: tcp}\n"
							"- {to: 198.51.100.1, proto: tcp, ports: [22]}\n");

	checked = lab_run((const char *[]){"build/snifence", "check", policy, NULL});
	assert_int_equal(checked->status, 0);
	for (size_t i = 0; i < sizeof(neighbours) / sizeof(neighbours[0]); i++) {
		checked = lab_run((const char *[]){"build/snifence", "check", policy, "--proto", neighbours[i].kind,
						   "--ip", neighbours[i].address, "--port", neighbours[i].port, NULL});
		assert_int_equal(checked->status, 1);
	}
	program = run_job(lab_read(policy), "41235", "45679");
	assert_int_equal(program->status, 0);
}

/* ---- by lookups -------------------------------------------------------------------------------------------------- */

#define DNS "dns: {servers: [203.0.113.1], log: answers}\n"

static void answer(const struct name_query *query, struct bytes *out) {
	dns_begin_answer(out, query->message);
	dns_add_address(out, query->name, 60, "198.51.100.1");
}

/* With a word it looks db.lab.test up first; then it sends a line to the echo server there, which speaks no TLS. */
static struct lab_program *look_up_and_dial(const char *policy, const char *word) {
	static const char dial[] =
		"if [ -n \"$0\" ]; then exec 3<>/dev/udp/203.0.113.1/53\n"
		"printf '\\0\\7\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\2db\\3lab\\4test\\0\\0\\1\\0\\1' >&3\n"
		"head -c 20 <&3 >/dev/null; fi\n"
		"exec 4<>/dev/tcp/198.51.100.1/22 && echo ping >&4 && read -r answer <&4 && [ \"$answer\" = ping ]";

	return lab_snifence(policy, NULL, (const char *[]){"bash", "-c", dial, word, NULL});
}

static int leave(void **state) {
	name_servers_end();
	return lab_leave(state);
}

/* The rule is for the name: it holds where that was looked up, and nowhere else. */
static void test_by_lookup(void **state) {
	struct lab_program *program, *learned;
	const char *base, *policy;

	(void)state;
	lab_enter();
	lab_server(LAB_ECHO, "198.51.100.1", 22);
	name_server("203.0.113.1", answer);
	program = look_up_and_dial("version: 1\nmode: audit\n" DNS, "first");
	assert_int_equal(program->status, 0);
	base = lab_write("base.yaml", "version: 1\n" DNS);
	policy = lab_write("learned.yaml", "");
	unlink(policy);
	learned =
		lab_run((const char *[]){"build/snifence", "learn", "--merge", base, "-o", policy, program->log, NULL});
	assert_int_equal(learned->status, 0);
	assert_non_null(
		strstr(lab_read(policy), "    - {host: db.lab.test, proto: tcp, ports: [22]} # NOT INSPECTED, "));
	assert_int_equal(look_up_and_dial(lab_read(policy), "first")->status, 0);
	assert_int_not_equal(look_up_and_dial(lab_read(policy), "")->status, 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {lab_test(test_round_trip), lab_test(test_job),
					   cmocka_unit_test_teardown(test_by_lookup, leave)};

	return cmocka_run_group_tests_name("learn", tests, NULL, NULL);
}
