/* SPDX-License-Identifier: BSD-2-Clause */
/* K1, K3: sockets that the kernel lets change their family, or their role. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "evasion.h"

#define PLAIN SNIF_REASON_ADDRESS_ALLOWED
#define V4_MAPPED "::ffff:" V4

enum { PORT = 9443 }; /* of servers inside; no rule allows to send there */

/* Names at both; without inspection port 8080 of the IPv6 address alone. */
static const char other_family[] = "version: 1\n"
				   "dns: {servers: none}\n"
				   "tls: {to: [192.0.2.0/24, \"2001:db8::/32\"], allow: [allowed.test]}\n"
				   "direct: {allow: [{to: \"2001:db8::1\", ports: [8080]}]}\n";

static struct stream stream;

static void disconnect(int fd) {
	const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

	assert_int_equal(connect(fd, &nowhere, sizeof(nowhere)), 0);
}

static int connect_again(int fd, const char *address, uint16_t port) {
	struct sockaddr_storage where;
	socklen_t size = lab_address(address, port, &where);

	evasion_count(1);
	return connect(fd, (struct sockaddr *)&where, size);
}

/* Connects by a SYN that carries the bytes. */
static void connect_with(int fd, const char *address, uint16_t port, const void *bytes, size_t length) {
	struct sockaddr_storage where;
	socklen_t size = lab_address(address, port, &where);

	evasion_count(1);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (sendto(fd, bytes, length, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&where, size) < 0)
		assert_int_equal(errno, EINPROGRESS);
	fcntl(fd, F_SETFL, 0);
}

/* ---- another family than the socket had before ---- */

/* What leaves is IPv4, to the address of before and the port of now, whose server nothing may reach. */
static void leaves_by_ipv4(int fd) {
	size_t before = lab_count(evasion_plain);

	connect_with(fd, V6, 8080, "secret", 6);
	lab_expect(SNIF_ALLOW, PLAIN);
	refused_unseen(fd, SNIF_REASON_OTHER_DESTINATION);
	assert_int_equal(lab_count(evasion_plain), before);
}

static void mapped_then_native(void) {
	struct trial trial;

	evasion_use_policy(other_family);
	trial = trial_open(V4_MAPPED);
	disconnect(trial.fd);
	lab_wait(trial.server, trial.index, LAB_CLOSED);
	leaves_by_ipv4(trial.fd);
}

/* The first connect() need not get anywhere. */
static void mapped_refused_then_native(void) {
	struct sockaddr_storage where;
	socklen_t size = lab_address(V4_MAPPED, 444, &where);
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	evasion_use_policy("version: 1\ndns: {servers: none}\n"
			   "direct: {allow: [{to: \"2001:db8::1\", ports: [8080]}, {to: 192.0.2.1, ports: [444]}]}\n");
	assert_int_equal(connect(fd, (struct sockaddr *)&where, size), -1);
	assert_int_equal(errno, ECONNREFUSED);
	lab_expect(SNIF_ALLOW, PLAIN);
	leaves_by_ipv4(fd);
}

static void accepted_then_native(void) {
	struct sockaddr_storage where;
	socklen_t size = lab_address("::", PORT, &where);
	int listener = socket(AF_INET6, SOCK_STREAM, 0), one = 1, client, server;

	evasion_use_policy(other_family);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(listener, (struct sockaddr *)&where, size), 0);
	assert_int_equal(listen(listener, 8), 0);
	evasion_outside();
	client = lab_dial(V4, PORT);
	evasion_inside();
	server = accept(listener, NULL, NULL);
	lab_expect(SNIF_ALLOW, SNIF_REASON_INBOUND_ALLOWED);
	disconnect(server);
	close(client);
	close(listener);
	leaves_by_ipv4(server);
}

/* The other way round the kernel keeps its word: each connection is judged as what it is. */
static void native_then_mapped(void) {
	struct trial trial = trial_open(V6);
	const char *const names[] = {ALLOWED, FORBIDDEN};

	for (int i = 0; i < 2; i++) {
		disconnect(trial.fd);
		lab_wait(trial.server, trial.index, LAB_CLOSED);
		trial.index = lab_count(trial.server);
		assert_int_equal(connect_again(trial.fd, i ? "::ffff:" V4_OTHER : V4_MAPPED, 443), 0);
		stream_hello(&stream, names[i]);
		lab_send(trial.fd, stream.bytes.data, stream.bytes.length);
		lab_expect(i ? SNIF_DENY : SNIF_ALLOW, i ? REFUSE : ALLOW);
		if (!i)
			lab_wait_bytes(trial.server, trial.index, stream.bytes.length);
	}
	disconnect(trial.fd);
	assert_int_equal(lab_wait(trial.server, trial.index, LAB_CLOSED).received, 0);
	close(trial.fd);
}

/* A v4-mapped connection becomes one of IPv4 while it is open: nothing else changes. */
static void made_ipv4(void) {
	struct trial trial = trial_open(V4_MAPPED);
	int ipv4 = AF_INET;

	assert_int_equal(setsockopt(trial.fd, IPPROTO_IPV6, IPV6_ADDRFORM, &ipv4, sizeof(ipv4)), 0);
	trial_hello_refused(&trial, FORBIDDEN, REFUSE);
	trial = trial_open(V4_MAPPED);
	assert_int_equal(setsockopt(trial.fd, IPPROTO_IPV6, IPV6_ADDRFORM, &ipv4, sizeof(ipv4)), 0);
	disconnect(trial.fd);
	lab_wait(trial.server, trial.index, LAB_CLOSED);
	trial.index = lab_count(trial.server);
	assert_int_equal(connect_again(trial.fd, V4_OTHER, 443), 0);
	trial_hello_passes(&trial, BOUND);
}

/* A second connect() whose SYN carries the hello. */
static void fastopen_second(void) {
	struct trial trial = trial_open_at(evasion_plain, V4, 8080);

	lab_expect(SNIF_ALLOW, PLAIN);
	disconnect(trial.fd);
	stream_hello(&stream, FORBIDDEN);
	connect_with(trial.fd, V4, 443, stream.bytes.data, stream.bytes.length);
	refused_unseen(trial.fd, REFUSE);
}

/* ---- netfilter ---- */

#define TRANSLATE                                                                                                      \
	"nft 'add table inet evasion; add chain inet evasion out { type nat hook output priority -100; }; "            \
	"add rule inet evasion out ip daddr " V4 " tcp dport {443, 8080} dnat ip to " V4_OTHER "; "                    \
	"add rule inet evasion out ip6 daddr " V6 " tcp dport 443 dnat ip6 to 2001:db8::2; "                           \
	"add rule inet evasion out ip daddr " V4 " tcp dport 8443 dnat ip to " V4 ":443'"

/* What it has written on a packet is the administrator's: a connection counts as going to where it was opened. */
static void translated(void) {
	static const struct {
		const char *address;
		uint16_t port;
	} places[] = {{V4, 443}, {V6, 443}, {V4, 8443}};
	struct trial trial;

	if (!lab_installed("nft") || evasion_system(TRANSLATE))
		evasion_skip("nft cannot translate addresses here");
	for (size_t i = 0; i < COUNT(places); i++) {
		trial = trial_open_at(evasion_tls, places[i].address, places[i].port);
		trial_hello_passes(&trial, ALLOWED);
		trial = trial_open_at(evasion_tls, places[i].address, places[i].port);
		stream_hello(&stream, BOUND); /* allowed at 192.0.2.2 only */
		lab_send(trial.fd, stream.bytes.data, stream.bytes.length);
		lab_expect(SNIF_DENY, SNIF_REASON_NAME_ELSEWHERE);
		lab_reset(trial.fd);
		assert_int_equal(lab_wait(trial.server, trial.index, LAB_CLOSED).received, 0);
	}
	trial = trial_open_at(evasion_plain, V4, 8080);
	lab_expect(SNIF_ALLOW, PLAIN);
	assert_int_equal(lab_send(trial.fd, "plain", 5), 0);
	trial_passed(&trial, "plain", 5);
	assert_int_equal(evasion_system("nft delete table inet evasion"), 0);
}

/* ---- a socket that listens ---- */

static void listen_at(int fd, const struct sockaddr_storage *where, socklen_t size) {
	int one = 1;

	/* connections of other cases to that port may not be over */
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)where, size), 0);
	assert_int_equal(listen(fd, 8), 0);
}

/* One that was connected: what it was allowed as a client is nothing that it may answer with. */
static void connected_then_listens(void) {
	struct trial trial = trial_open_at(evasion_plain, V4, 8080);
	struct sockaddr_storage where;
	socklen_t size = lab_address(V4, PORT, &where);
	int client;

	lab_expect(SNIF_ALLOW, PLAIN);
	disconnect(trial.fd);
	listen_at(trial.fd, &where, size);
	evasion_outside();
	client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&where, size), -1);
	evasion_inside();
	assert_int_equal(errno, EINPROGRESS);
	lab_expect(SNIF_DENY, SNIF_REASON_INBOUND_DENIED);
	lab_sleep_ms(50);
	assert_int_equal(send(client, "x", 1, MSG_NOSIGNAL), -1); /* not connected */
	close(client);
	close(trial.fd);
	while (lab_event(50)) /* the SYN-ACK may have been tried again */
		;
}

/* And what it was refused as a client is nothing that it may not answer with. */
static void refused_then_listens(void) {
	struct trial trial = trial_open(V4);
	struct sockaddr_storage where;
	socklen_t size = lab_address(V4, PORT, &where);
	int client, server;

	stream_hello(&stream, FORBIDDEN);
	lab_send(trial.fd, stream.bytes.data, stream.bytes.length);
	lab_expect(SNIF_DENY, REFUSE);
	disconnect(trial.fd);
	listen_at(trial.fd, &where, size);
	evasion_outside();
	client = lab_dial(V4, PORT);
	evasion_inside();
	assert_true(client >= 0);
	server = accept(trial.fd, NULL, NULL);
	lab_expect(SNIF_ALLOW, SNIF_REASON_INBOUND_ALLOWED);
	assert_int_equal(lab_send(server, "x", 1), 0);
	assert_int_equal(recv(client, &size, 1, 0), 1);
	close(client);
	close(server);
	/* and a client again, as whichever it is judged anew */
	assert_int_equal(shutdown(trial.fd, SHUT_RDWR), 0);
	trial.index = lab_count(trial.server);
	assert_int_equal(connect_again(trial.fd, V4, 443), 0);
	trial_hello_refused(&trial, FORBIDDEN, REFUSE);
}

static const struct evasion cases[] = {
	{"K1-mapped-then-native", .run = mapped_then_native},
	{"K1-mapped-refused-then-native", .run = mapped_refused_then_native},
	{"K1-accepted-then-native", .run = accepted_then_native},
	{"K1-native-then-mapped", .run = native_then_mapped},
	{"K1-mapped-made-ipv4", .run = made_ipv4},
	{"K1-fastopen-on-second-connect", .run = fastopen_second},
	{"X-tcp-translated", .run = translated},
	{"K3-connected-then-listens", .run = connected_then_listens, .policy = evasion_policy_inbound},
	{"K3-refused-then-listens", .run = refused_then_listens},
};

CATALOGUE(kernel_cases, cases);
