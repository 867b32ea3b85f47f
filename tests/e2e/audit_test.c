/* SPDX-License-Identifier: BSD-2-Clause */
/* mode: audit ──► everything is judged and told as if it were enforced, and everything passes. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "../support/hello_maker.h"
#include "../support/lab.h"

static const char policy[] = "version: 1\n"
			     "mode: audit\n"
			     "tls:\n"
			     "  to: [192.0.2.0/24, \"2001:db8::/64\"]\n"
			     "  allow: [allowed.lab.test]\n"
			     "dns: {servers: none}\n";

struct client {
	const char *address;
	uint16_t port;
	struct hello hello;
};

/* Inside: says hello and waits for the answer, of which one byte is enough. */
static int say_hello(void *argument) {
	const struct client *client = argument;
	static struct bytes stream;
	int fd = lab_dial(client->address, client->port);
	char byte;

	if (fd < 0)
		return fd;
	hello_make(&stream, &client->hello);
	if (lab_send(fd, stream.data, stream.length) || lab_receive(fd, &byte, 1) != 1)
		return -errno;
	lab_reset(fd);
	return 0;
}

static const struct snif_event *expect_audited(enum snif_verdict verdict, enum snif_reason reason) {
	const struct snif_event *event = lab_expect(verdict, reason);

	assert_int_equal(event->mode, SNIF_AUDIT);
	return event;
}

static void test_names(void **state) {
	static const char *const addresses[] = {"192.0.2.1", "2001:db8::1"};

	(void)state;
	lab_enter();
	lab_confine(policy);
	for (size_t i = 0; i < 2; i++) {
		struct client client = {.address = addresses[i], .port = 443, .hello = {.name = "forbidden.lab.test"}};
		struct lab_server *server = lab_server(LAB_TLS, addresses[i], 443);

		assert_int_equal(lab_inside(say_hello, &client), 0);
		expect_audited(SNIF_DENY, SNIF_REASON_NAME_NOT_ALLOWED);
		client.hello.name = "allowed.lab.test";
		assert_int_equal(lab_inside(say_hello, &client), 0);
		expect_audited(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
		lab_expect_no_more();
		assert_string_equal(lab_wait(server, 0, LAB_CLOSED).name, "forbidden.lab.test");
		assert_string_equal(lab_wait(server, 1, LAB_CLOSED).name, "allowed.lab.test");
	}
}

static void test_no_name(void **state) {
	struct client client = {.address = "192.0.2.1", .port = 443};

	(void)state;
	lab_enter();
	lab_server(LAB_TLS, "192.0.2.1", 443);
	lab_confine(policy);
	assert_int_equal(lab_inside(say_hello, &client), 0);
	expect_audited(SNIF_DENY, SNIF_REASON_SNI_MISSING);
	lab_expect_no_more();
}

static void test_addresses_and_ports(void **state) {
	struct client elsewhere = {.address = "198.51.100.1", .port = 443, .hello = {.name = "allowed.lab.test"}};
	struct client port = {.address = "192.0.2.1", .port = 80, .hello = {.name = "allowed.lab.test"}};

	(void)state;
	lab_enter();
	lab_server(LAB_ECHO, elsewhere.address, elsewhere.port);
	lab_server(LAB_ECHO, port.address, port.port);
	lab_confine(policy);
	assert_int_equal(lab_inside(say_hello, &elsewhere), 0);
	expect_audited(SNIF_DENY, SNIF_REASON_ADDRESS_NOT_ALLOWED);
	assert_int_equal(lab_inside(say_hello, &port), 0);
	expect_audited(SNIF_DENY, SNIF_REASON_PORT_NOT_ALLOWED);
	lab_expect_no_more();
}

/* Inside: three datagrams to one place, without and then with connect(). */
static int send_datagrams(void *argument) {
	struct sockaddr_storage where;
	socklen_t length = lab_address("192.0.2.1", 443, &where);

	(void)argument;
	for (int connected = 0; connected <= 1; connected++) {
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		if (connected && connect(fd, (struct sockaddr *)&where, length))
			return -errno;
		for (int i = 0; i < 3; i++)
			if (sendto(fd, "x", 1, 0, connected ? NULL : (struct sockaddr *)&where,
				   connected ? 0 : length) != 1)
				return -errno;
		close(fd);
	}
	return 0;
}

static void test_datagrams(void **state) {
	struct lab_server *server;

	(void)state;
	lab_enter();
	server = lab_server(LAB_UDP, "192.0.2.1", 443);
	lab_confine(policy);
	assert_int_equal(lab_inside(send_datagrams, NULL), 0);
	assert_int_equal(lab_wait_bytes(server, 0, 6).received, 6);
	/* each sendto() by itself, then the connected socket once */
	for (int i = 0; i < 4; i++)
		assert_int_equal(expect_audited(SNIF_DENY, SNIF_REASON_PORT_NOT_ALLOWED)->protocol, IPPROTO_UDP);
	lab_expect_no_more();
}

/* Inside. */
static int make_raw_socket(void *argument) {
	(void)argument;
	return socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP) < 0 ? -errno : 0;
}

static void test_raw_socket(void **state) {
	(void)state;
	lab_enter();
	lab_confine(policy);
	assert_int_equal(lab_inside(make_raw_socket, NULL), 0);
	expect_audited(SNIF_DENY, SNIF_REASON_SOCKET_TYPE);
	lab_expect_no_more();
}

int main(void) {
	const struct CMUnitTest tests[] = {
		lab_test(test_names),	  lab_test(test_no_name),    lab_test(test_addresses_and_ports),
		lab_test(test_datagrams), lab_test(test_raw_socket),
	};
	return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
