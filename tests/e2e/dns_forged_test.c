/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers of somebody else than the server that was asked, or at another time ──► nothing is bound. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/lab.h"
#include "../support/lookup.h"
#include "../support/name_server.h"
#include "dns.h"

#define NAME "allowed.lab.test"
#define CLIENT "192.0.2.2"
#define PEER "203.0.113.102" /* of lab_peer() */

#define forged_test(function) cmocka_unit_test_teardown(function, leave)

enum { CLIENT_PORT = 40053 };

static int leave(void **state) {
	name_servers_end();
	return lab_leave(state);
}

/* Everything may be sent: what is refused here is refused for what it says. */
static void begin(const char *server) {
	char policy[256];

	snprintf(
		policy, sizeof(policy),
		"version: 1\ntls: {allow: [%s, another.lab.test]}\ndirect: {allow: [{to: any, proto: udp}, {to: any, ports: [53]}]}\n"
		"dns: {servers: [\"%s\"], bind: require}\n",
		NAME, server);
	lab_enter();
	lab_confine(policy);
}

static void assert_unbound(void) {
	assert_int_equal(greet_at(NAME, "192.0.2.1"), -EPERM);
	assert_int_equal(lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_BOUND)->hook, SNIF_HOOK_CONNECT);
	lab_expect_no_more();
}

static int socket_at(const char *address, uint16_t port) {
	struct sockaddr_storage where;
	socklen_t size = lab_address(address, port, &where);
	int fd = socket(where.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct timeval limit = {.tv_sec = 1};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return bind(fd, (struct sockaddr *)&where, size) ? -errno : fd;
}

static int send_to(int fd, const struct bytes *message, const char *address, uint16_t port) {
	struct sockaddr_storage where;
	socklen_t size = lab_address(address, port, &where);

	return sendto(fd, message->data, message->length, 0, (struct sockaddr *)&where, size) < 0 ? -errno : 0;
}

static const struct bytes *the_question(void) {
	static struct bytes question;

	dns_make_question(&question, LOOKUP_NUMBER, NAME, SNIF_DNS_A);
	return &question;
}

static const struct bytes *the_answer(void) {
	static struct bytes answer;

	dns_begin_answer(&answer, the_question());
	dns_add_address(&answer, NAME, 60, "192.0.2.1");
	return &answer;
}

/* ---- from inside ----------------------------------------------------------------------------------------------- */

struct forger {
	const char *address;
	uint16_t port;
};

/* The client's socket is not connected, so that it takes what anybody sends. 0: it has taken the answer. */
static int answer_from_elsewhere(void *argument) {
	const struct forger *from = argument;
	int fd = socket_at(CLIENT, CLIENT_PORT), forger = socket_at(from->address, from->port), error;
	char byte;

	error = send_to(fd, the_question(), LOOKUP_SERVER, SNIF_DNS_PORT);
	error = error ? error : send_to(forger, the_answer(), CLIENT, CLIENT_PORT);
	return error ? error : recv(fd, &byte, 1, 0) <= 0;
}

static void test_other_server(void **state) {
	static const struct forger forgers[] = {{"192.0.2.1", SNIF_DNS_PORT}, {LOOKUP_SERVER, 5353}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin(LOOKUP_SERVER);
		assert_int_equal(lab_inside(answer_from_elsewhere, (void *)&forgers[i]), 0);
		lab_expect(SNIF_ALLOW, SNIF_REASON_DNS_ALLOWED);
		lab_expect(SNIF_ALLOW, SNIF_REASON_ADDRESS_ALLOWED);
		assert_unbound();
		leave(NULL);
	}
}

/* In the server's place, where there is none: as where a stub resolver has stopped. */
static int be_the_server(void *server) {
	int forger = socket_at(server, SNIF_DNS_PORT), fd;
	struct lookup lookup = {.server = server};
	struct sockaddr_storage from;
	socklen_t size = sizeof(from);
	char byte;

	fd = lookup_socket(&lookup);
	if (fd < 0 || forger < 0 || lab_send(fd, the_question()->data, the_question()->length) ||
	    recvfrom(forger, &byte, 1, 0, (struct sockaddr *)&from, &size) <= 0)
		return -errno;
	return sendto(forger, the_answer()->data, the_answer()->length, 0, (struct sockaddr *)&from, size) < 0 ? -errno
													       : 0;
}

static void test_in_the_servers_place(void **state) {
	static const char *const servers[] = {LOOKUP_SERVER, "127.0.0.1", "::1"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		begin(servers[i]);
		assert_int_equal(lab_inside(be_the_server, (void *)servers[i]), -EPERM);
		lab_expect(SNIF_ALLOW, SNIF_REASON_DNS_ALLOWED);
		lab_expect(SNIF_ALLOW, SNIF_REASON_ADDRESS_ALLOWED);
		lab_expect(SNIF_DENY, SNIF_REASON_DNS_FORGED);
		assert_unbound();
		leave(NULL);
	}
}

static int listen_as_the_server(void *argument) {
	struct sockaddr_storage where;
	socklen_t size = lab_address(LOOKUP_SERVER, SNIF_DNS_PORT, &where);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct lookup *lookup = argument;

	if (bind(listener, (struct sockaddr *)&where, size) || listen(listener, 1))
		return -errno;
	lookup->tcp = true;
	return lookup_socket(lookup) >= 0;
}

static void test_in_the_servers_place_by_tcp(void **state) {
	struct lookup *lookup;

	(void)state;
	begin(LOOKUP_SERVER);
	lookup = lab_shared(sizeof(*lookup));
	assert_int_equal(lab_inside(listen_as_the_server, lookup), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_DNS_ALLOWED);
	while (lab_event(50))
		; /* the answer to the SYN is sent again, and refused each time */
	assert_unbound();
}

/* A namespace of its own, in which it can have any address: 0, where the forged answer is refused there, too. */
static int be_the_server_in_a_namespace(void *server) {
	int error;

	if (unshare(CLONE_NEWNET) || system("ip link set lo up && ip address add " LOOKUP_SERVER
					    "/32 dev lo && ip address add 192.0.2.1/32 dev lo"))
		return -errno;
	error = be_the_server(server);
	if (error != -EPERM)
		return error;
	error = lab_dial("192.0.2.1", 443);
	return error == -EPERM ? 0 : error;
}

static void test_in_a_namespace_of_its_own(void **state) {
	(void)state;
	begin(LOOKUP_SERVER);
	assert_int_equal(lab_inside(be_the_server_in_a_namespace, LOOKUP_SERVER), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_DNS_ALLOWED);
	lab_expect(SNIF_ALLOW, SNIF_REASON_ADDRESS_ALLOWED);
	lab_expect(SNIF_DENY, SNIF_REASON_DNS_FORGED);
	lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_BOUND);
	assert_unbound();
}

/* The server is another machine, whose address is to be the source. 0: neither option lets it be, and no raw socket. */
static int spoof_the_source(void *argument) {
	int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1;

	(void)argument;
	if (setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one)) == 0 || errno != EPERM)
		return 1;
	if (setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &one, sizeof(one)) == 0 || errno != EPERM)
		return 2;
	if (socket_at(PEER, SNIF_DNS_PORT) != -EADDRNOTAVAIL)
		return 3;
	return socket(AF_INET, SOCK_RAW, IPPROTO_RAW) >= 0 || errno != EPERM ? 4 : 0;
}

static void test_spoofed_source(void **state) {
	(void)state;
	begin(PEER);
	assert_int_equal(lab_inside(spoof_the_source, NULL), 0);
	lab_expect(SNIF_DENY, SNIF_REASON_SOCKET_OPTION);
	lab_expect(SNIF_DENY, SNIF_REASON_SOCKET_OPTION);
	lab_expect(SNIF_DENY, SNIF_REASON_SOCKET_TYPE);
	assert_unbound();
}

/* ---- at another time ------------------------------------------------------------------------------------------- */

/* Takes an answer, and then asks what it is the answer to. */
static int take_answer(void *argument) {
	static struct bytes another;
	int *turn = argument;
	int fd = socket_at(CLIENT, CLIENT_PORT);
	char byte;

	/* only what has asked a server is read */
	dns_make_question(&another, LOOKUP_NUMBER, "another.lab.test", SNIF_DNS_A);
	if (send_to(fd, &another, LOOKUP_SERVER, SNIF_DNS_PORT))
		return -errno;
	lab_turn(turn, 1);
	if (recv(fd, &byte, 1, 0) <= 0)
		return -errno;
	return send_to(fd, the_question(), LOOKUP_SERVER, SNIF_DNS_PORT);
}

static void test_before_its_question(void **state) {
	int *turn;
	int server;
	pid_t pid;

	(void)state;
	begin(LOOKUP_SERVER);
	server = socket_at(LOOKUP_SERVER, SNIF_DNS_PORT);
	turn = lab_shared(sizeof(*turn));
	pid = lab_start_inside(take_answer, turn);
	assert_true(lab_await_turn(turn, 1));
	assert_int_equal(send_to(server, the_answer(), CLIENT, CLIENT_PORT), 0);
	assert_int_equal(lab_finish_inside(pid), 0);
	close(server);
	lab_expect(SNIF_ALLOW, SNIF_REASON_DNS_ALLOWED);
	assert_unbound();
}

/* Two sockets, each with a question of its own: the second takes the answer to the first one's. */
static int take_of_another_socket(void *argument) {
	static struct bytes another;
	int *turn = argument;
	int asks = socket_at(CLIENT, CLIENT_PORT + 1), takes = socket_at(CLIENT, CLIENT_PORT);
	char byte;

	dns_make_question(&another, LOOKUP_NUMBER, "another.lab.test", SNIF_DNS_A);
	if (send_to(asks, the_question(), LOOKUP_SERVER, SNIF_DNS_PORT) ||
	    send_to(takes, &another, LOOKUP_SERVER, SNIF_DNS_PORT))
		return -errno;
	lab_turn(turn, 1);
	return recv(takes, &byte, 1, 0) <= 0;
}

static void test_to_another_socket(void **state) {
	int *turn, server;
	pid_t pid;

	(void)state;
	begin(LOOKUP_SERVER);
	server = socket_at(LOOKUP_SERVER, SNIF_DNS_PORT);
	turn = lab_shared(sizeof(*turn));
	pid = lab_start_inside(take_of_another_socket, turn);
	assert_true(lab_await_turn(turn, 1));
	assert_int_equal(send_to(server, the_answer(), CLIENT, CLIENT_PORT), 0);
	assert_int_equal(lab_finish_inside(pid), 0);
	close(server);
	lab_expect(SNIF_ALLOW, SNIF_REASON_DNS_ALLOWED);
	lab_expect(SNIF_ALLOW, SNIF_REASON_DNS_ALLOWED);
	assert_unbound();
}

/* A second answer to a question is none. */
static void answer_elsewhere(const struct name_query *query, struct bytes *answer) {
	dns_begin_answer(answer, query->message);
	dns_add_address(answer, query->name, 60, "198.51.100.1");
}

static int look_up_and_wait(void *argument) {
	int *turn = argument;
	int fd = socket_at(CLIENT, CLIENT_PORT);
	char byte;

	if (send_to(fd, the_question(), LOOKUP_SERVER, SNIF_DNS_PORT) || recv(fd, &byte, 1, 0) <= 0)
		return -errno;
	lab_turn(turn, 1);
	return recv(fd, &byte, 1, 0) <= 0;
}

static void test_answered_already(void **state) {
	int *turn;
	int server;
	pid_t pid;

	(void)state;
	begin(LOOKUP_SERVER);
	name_server(LOOKUP_SERVER, answer_elsewhere);
	turn = lab_shared(sizeof(*turn));
	pid = lab_start_inside(look_up_and_wait, turn);
	assert_true(lab_await_turn(turn, 1));
	name_servers_end();
	server = socket_at(LOOKUP_SERVER, SNIF_DNS_PORT);
	assert_true(server >= 0);
	assert_int_equal(send_to(server, the_answer(), CLIENT, CLIENT_PORT), 0);
	assert_int_equal(lab_finish_inside(pid), 0);
	close(server);
	lab_expect(SNIF_ALLOW, SNIF_REASON_DNS_ALLOWED);
	assert_unbound();
}

/* ---- in another namespace -------------------------------------------------------------------------------------- */

static void answer_honestly(const struct name_query *query, struct bytes *answer) {
	dns_begin_answer(answer, query->message);
	dns_add_address(answer, query->name, 60, "192.0.2.1");
}

static int look_up_there(void *peer) {
	struct lookup lookup = {.name = NAME, .server = PEER};

	return setns(*(int *)peer, CLONE_NEWNET) ? -errno : look_up(&lookup);
}

/* What was found in a namespace says nothing in another, where the address can be somebody else. */
static void test_found_in_another_namespace(void **state) {
	int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), peer;
	struct lookup *lookup;

	(void)state;
	begin(PEER);
	lab_server(LAB_TLS, "192.0.2.1", 443);
	peer = lab_peer();
	assert_int_equal(setns(peer, CLONE_NEWNET), 0);
	name_server(PEER, answer_honestly);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	close(here);
	assert_int_equal(lab_inside(look_up_there, &peer), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_DNS_ALLOWED);
	assert_unbound();
	lookup = lab_shared(sizeof(*lookup));
	*lookup = (struct lookup){.name = NAME, .server = PEER};
	assert_int_equal(lab_inside(look_up, lookup), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_DNS_ALLOWED);
	assert_int_equal(greet_at(NAME, "192.0.2.1"), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		forged_test(test_other_server),
		forged_test(test_in_the_servers_place),
		forged_test(test_in_the_servers_place_by_tcp),
		forged_test(test_in_a_namespace_of_its_own),
		forged_test(test_spoofed_source),
		forged_test(test_before_its_question),
		forged_test(test_to_another_socket),
		forged_test(test_answered_already),
		forged_test(test_found_in_another_namespace),
	};

	return cmocka_run_group_tests_name("dns_forged", tests, NULL, NULL);
}
