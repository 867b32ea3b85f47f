/* SPDX-License-Identifier: BSD-2-Clause */
/* The programs that people run ──► an allowed name works, a forbidden one fails at once, with one event. */
#include <string.h>

#include <json-c/json.h>

#include "../support/lab.h"

#define ALLOWED "allowed.lab.test"
#define FORBIDDEN "forbidden.lab.test"

static const char policy[] = "version: 1\n"
			     "tls:\n"
			     "  allow: [allowed.lab.test]\n"
			     "dns: {servers: none}\n";

/* $1: 4 or 6; $2: the server name; $3: its address, $4: the same as in URLs; $5: the certificate. */
static const struct client {
	const char *program, *script;
} clients[] = {
	{"curl", "exec curl -$1 -sS -m 10 --cacert \"$5\" \"https://$2/\""},
	{"wget", "exec wget -$1 -q -T 10 -t 1 -O - --ca-certificate=\"$5\" \"https://$2/\""},
	{"openssl", "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -verify_return_error -CAfile \"$5\""
		    " -connect \"$4:443\" -servername \"$2\" | sed '1,/^\\r*$/d' | grep ."},
	{"python3", "exec python3 -c '\n"
		    "import socket, ssl, sys\n"
		    "version, name, address, _, ca = sys.argv[1:]\n"
		    "context = ssl.create_default_context(cafile=ca)\n"
		    "plain = socket.create_connection((address, 443), timeout=10)\n"
		    "tls = context.wrap_socket(plain, server_hostname=name)\n"
		    "tls.sendall(b\"GET / HTTP/1.0\\r\\n\\r\\n\")\n"
		    "print(tls.makefile().read().split(\"\\n\\n\", 1)[1], end=\"\")\n"
		    "' \"$@\""},
	{"node",
	 "exec node -e '\n"
	 "const [version, name, address, , ca] = process.argv.slice(1)\n"
	 "require(\"https\").get({host: address, servername: name, ca: require(\"fs\").readFileSync(ca), timeout: 9000},\n"
	 "  answer => answer.pipe(process.stdout)).on(\"error\", e => { console.error(e.code); process.exit(1) })\n"
	 "' -- \"$@\""},
};

static struct lab_program *run_client(const struct client *client, bool ipv6, const char *name) {
	const char *const command[] = {"sh",
				       "-c",
				       client->script,
				       client->program,
				       ipv6 ? "6" : "4",
				       name,
				       ipv6 ? "2001:db8::1" : "192.0.2.1",
				       ipv6 ? "[2001:db8::1]" : "192.0.2.1",
				       lab_certificate(),
				       NULL};

	return lab_snifence(policy, (const char *[]){"--log-allowed", NULL}, command);
}

static const char *text_of(struct json_object *object, const char *key) {
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		fail_msg("the event has no %s: %s", key, json_object_to_json_string(object));
	return json_object_get_string(value);
}

static struct json_object *part_of(struct json_object *object, const char *key) {
	struct json_object *value;

	assert_true(json_object_object_get_ex(object, key, &value));
	return value;
}

static void check_event(struct json_object *event, const char *name, bool ipv6, const char *action) {
	assert_string_equal(text_of(event, "event_type"), "tls");
	assert_string_equal(text_of(part_of(event, "tls"), "sni"), name);
	assert_string_equal(text_of(part_of(event, "tls"), "version"), "TLS 1.3");
	assert_string_equal(text_of(part_of(event, "verdict"), "action"), action);
	assert_string_equal(text_of(event, "src_ip"), ipv6 ? "2001:db8::1" : "192.0.2.1");
	assert_string_equal(text_of(event, "dest_ip"), ipv6 ? "2001:db8::1" : "192.0.2.1");
	assert_string_equal(text_of(event, "dest_port"), "443");
	assert_string_equal(text_of(event, "proto"), "TCP");
	assert_string_equal(text_of(event, "policy"), "policy");
	assert_string_equal(text_of(event, "mode"), "enforce");
	assert_int_equal(strlen(text_of(event, "policy_sha256")), 64);
	assert_string_equal(text_of(part_of(event, "process"), "uid"), "0");
	assert_non_null(strstr(text_of(part_of(event, "cgroup"), "path"), "/snifence-"));
}

/* Returns how long the program took, in milliseconds. */
static double try_allowed(const struct client *client, struct lab_server *server, bool ipv6) {
	struct lab_program *run = run_client(client, ipv6, ALLOWED);
	struct json_object *event;

	if (run->status)
		fail_msg("%s ends with %d and says: %s", client->program, run->status, run->err);
	assert_string_equal(run->out, "this is " ALLOWED "\n");
	event = lab_log_one(run, SNIF_REASON_NAME_ALLOWED);
	check_event(event, ALLOWED, ipv6, "pass");
	assert_string_equal(strrchr(text_of(event, "rule"), '/'), "/policy.yaml:3");
	assert_string_equal(lab_wait(server, 0, LAB_CLOSED).name, ALLOWED);
	return run->ms;
}

/*
 * How long is loosely bounded: most of it is the program's own start, as in the run that got through. run_test
 * measures.
 */
static void try_forbidden(const struct client *client, struct lab_server *server, bool ipv6, double through_ms) {
	struct lab_program *run = run_client(client, ipv6, FORBIDDEN);
	struct lab_connection seen = lab_wait(server, 1, LAB_CLOSED);

	assert_int_not_equal(run->status, 0);
	assert_string_equal(run->out, "");
	if (run->ms > 2 * through_ms + 3000 * lab_slowness())
		fail_msg("%s took %.0f ms to fail, %.0f to get through", client->program, run->ms, through_ms);
	check_event(lab_log_one(run, SNIF_REASON_NAME_NOT_ALLOWED), FORBIDDEN, ipv6, "drop");
	assert_true(seen.closed);
	assert_int_equal(seen.received, 0);
	assert_int_equal(lab_count(server), 2);
}

static void try_client(const char *program, bool ipv6) {
	const struct client *client = clients;
	struct lab_server *server;
	double through_ms;

	lab_enter();
	while (strcmp(client->program, program))
		client++;
	lab_needs(program);
	server = lab_server(LAB_TLS, ipv6 ? "2001:db8::1" : "192.0.2.1", 443);
	through_ms = try_allowed(client, server, ipv6);
	try_forbidden(client, server, ipv6, through_ms);
}

#define CLIENT(program)                                                                                                \
	static void test_##program##_ipv4(void **state) {                                                              \
		(void)state;                                                                                           \
		try_client(#program, false);                                                                           \
	}                                                                                                              \
	static void test_##program##_ipv6(void **state) {                                                              \
		(void)state;                                                                                           \
		try_client(#program, true);                                                                            \
	}

CLIENT(curl)
CLIENT(wget)
CLIENT(openssl)
CLIENT(python3)
CLIENT(node)

int main(void) {
	const struct CMUnitTest tests[] = {
		lab_test(test_curl_ipv4),    lab_test(test_curl_ipv6),	  lab_test(test_wget_ipv4),
		lab_test(test_wget_ipv6),    lab_test(test_openssl_ipv4), lab_test(test_openssl_ipv6),
		lab_test(test_python3_ipv4), lab_test(test_python3_ipv6), lab_test(test_node_ipv4),
		lab_test(test_node_ipv6),
	};
	return cmocka_run_group_tests_name("clients", tests, NULL, NULL);
}
