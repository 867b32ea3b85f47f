/* SPDX-License-Identifier: BSD-2-Clause */
/* T12: datagrams that are to leave for elsewhere than the call was allowed that the filter saw last. */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "datagram.h"
#include "evasion.h"

#define V4_MAPPED "::ffff:" V4
#define ALLOW_ADDRESS SNIF_REASON_ADDRESS_ALLOWED
#define REFUSE_PORT SNIF_REASON_PORT_NOT_ALLOWED

/* 9 and 443 are allowed instead of 5353. */
static const char other_port[] = "version: 1\n"
				 "dns: {servers: none}\n"
				 "direct: {allow: [{to: \"2001:db8::1\", proto: udp, ports: [9, 443]}]}\n";

/* A datagram in parts goes where the socket was connected for its first part (IPv6), or for its last one (IPv4). */
static void held_back(void) {
	const struct place bad = place(V6, 443), good = place(V6, 5353);
	int fd = datagram_socket(&bad);

	connect_to(fd, &bad);
	assert_int_equal(send(fd, "a", 1, MSG_MORE), 1);
	connect_to(fd, &good);
	lab_expect(SNIF_ALLOW, ALLOW_ADDRESS);
	refused(send(fd, "b", 1, 0));
	lab_expect(SNIF_DENY, REFUSE_PORT);
	close(fd);
	nothing_arrived(evasion_udp443, 0);
}

static void held_back_ipv4(void) {
	const struct place bad = place(V4, 443), good = place(V4, 5353);
	int fd = datagram_socket(&bad);

	connect_to(fd, &good);
	lab_expect(SNIF_ALLOW, ALLOW_ADDRESS);
	assert_int_equal(send(fd, "a", 1, MSG_MORE), 1);
	connect_to(fd, &bad);
	refused(send(fd, "b", 1, 0));
	lab_expect(SNIF_DENY, REFUSE_PORT);
	close(fd);
	nothing_arrived(evasion_udp443, 0);
}

static const char no_way_to[] = "version: 1\n"
				"dns: {servers: none}\n"
				"direct: {allow: [{to: 192.0.2.1, proto: udp, ports: [5353]}, 198.51.100.7]}\n";

/*
 * Connected between two parts to where no route leads, which has written its address over that of the first part, and no
 * source: the call fails, and the datagram would leave by the first part's route all the same.
 */
static void held_back_without_source(void) {
	static const char *const addresses[][2] = {{V4, "198.51.100.7"}, {V4_MAPPED, "::ffff:198.51.100.7"}};
	size_t received = lab_seen(evasion_udp5353, 0).received;

	evasion_use_policy(no_way_to);
	for (size_t i = 0; i < COUNT(addresses); i++) {
		const struct place good = place(addresses[i][0], 5353), nowhere = place(addresses[i][1], 5353);
		int fd = datagram_socket(&good);

		assert_int_equal(sendto(fd, "a", 1, MSG_MORE, (const struct sockaddr *)&good.address, good.length), 1);
		lab_expect(SNIF_ALLOW, ALLOW_ADDRESS);
		assert_int_equal(connect(fd, (const struct sockaddr *)&nowhere.address, nowhere.length), -1);
		assert_int_equal(errno, ENETUNREACH);
		lab_expect(SNIF_ALLOW, ALLOW_ADDRESS);
		refused(send(fd, "b", 1, 0));
		lab_expect(SNIF_DENY, SNIF_REASON_SOURCE_ADDRESS);
		close(fd);
	}
	nothing_arrived(evasion_udp5353, received);
}

/* Where the first part goes was allowed until a reload, and is not any more. */
static void held_back_meanwhile(void) {
	const struct place before = place(V6, 5353), then = place(V6, 443);
	size_t received = lab_seen(evasion_udp5353, 0).received;
	int fd = datagram_socket(&before);

	assert_int_equal(sendto(fd, "a", 1, MSG_MORE, (const struct sockaddr *)&before.address, before.length), 1);
	lab_expect(SNIF_ALLOW, ALLOW_ADDRESS);
	evasion_use_policy(other_port);
	connect_to(fd, &then);
	lab_expect(SNIF_ALLOW, ALLOW_ADDRESS);
	refused(send(fd, "b", 1, 0));
	lab_expect(SNIF_DENY, REFUSE_PORT);
	close(fd);
	nothing_arrived(evasion_udp5353, received);
}

/* ---- a send that waits for its bytes, between the hook and the packet ---- */

struct slow {
	int fd, faults; /* the socket; a userfaultfd */
	char *page;
	const struct place *place;
	ssize_t sent;
	int error;
};

static void *send_slowly(void *argument) {
	struct slow *slow = argument;

	slow->sent =
		sendto(slow->fd, slow->page, 1, 0, (const struct sockaddr *)&slow->place->address, slow->place->length);
	slow->error = errno;
	return NULL;
}

/* A page that who reads it waits for. */
static void make_slow_page(struct slow *slow, size_t size) {
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {.mode = UFFDIO_REGISTER_MODE_MISSING};

	slow->faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (slow->faults < 0)
		evasion_skip("no userfaultfd here: %s", strerror(errno));
	slow->page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(slow->page != MAP_FAILED);
	range.range.start = (uintptr_t)slow->page;
	range.range.len = size;
	assert_int_equal(ioctl(slow->faults, UFFDIO_API, &api), 0);
	assert_int_equal(ioctl(slow->faults, UFFDIO_REGISTER, &range), 0);
}

/* The call was allowed before a reload, and another one behind it; the packet is made when all that is over. */
static void sent_slowly(void) {
	const struct place before = place(V6, 5353), then = place(V6, 9);
	size_t received = lab_seen(evasion_udp5353, 0).received, size = (size_t)sysconf(_SC_PAGESIZE);
	struct slow slow = {.fd = datagram_socket(&before), .place = &before};
	struct uffdio_zeropage page = {.range = {.len = size}};
	struct uffd_msg message;
	pthread_t thread;

	make_slow_page(&slow, size);
	assert_int_equal(pthread_create(&thread, NULL, send_slowly, &slow), 0);
	assert_int_equal(read(slow.faults, &message, sizeof(message)), sizeof(message)); /* it waits */
	lab_expect(SNIF_ALLOW, ALLOW_ADDRESS);
	evasion_use_policy(other_port);
	assert_int_equal(send_to(slow.fd, &then), 1);
	lab_expect(SNIF_ALLOW, ALLOW_ADDRESS);
	page.range.start = (uintptr_t)slow.page;
	assert_int_equal(ioctl(slow.faults, UFFDIO_ZEROPAGE, &page), 0);
	pthread_join(thread, NULL);
	errno = slow.error;
	refused(slow.sent);
	lab_expect(SNIF_DENY, REFUSE_PORT);
	close(slow.fd);
	close(slow.faults);
	munmap(slow.page, size);
	nothing_arrived(evasion_udp5353, received);
}

/* Connected before the filter was there, and with a part held back. */
static void held_back_before(void) {
	const struct place bad = place(V6, 443), good = place(V6, 5353);
	struct second second;
	int parts, connected;

	second_open(&second);
	parts = datagram_socket(&bad);
	connected = datagram_socket(&bad);
	connect_to(parts, &bad);
	connect_to(connected, &bad);
	assert_int_equal(send(parts, "a", 1, MSG_MORE), 1);
	second_attach(&second, false);
	connect_to(parts, &good);
	lab_expect(SNIF_ALLOW, ALLOW_ADDRESS);
	refused(send(parts, "b", 1, 0));
	lab_expect(SNIF_DENY, REFUSE_PORT);
	assert_int_equal(send_to(connected, &good), 1);
	lab_expect(SNIF_ALLOW, ALLOW_ADDRESS);
	refused(send(connected, "c", 1, 0));
	lab_expect(SNIF_DENY, REFUSE_PORT);
	close(parts);
	close(connected);
	second_close(&second);
	nothing_arrived(evasion_udp443, 0);
}

/* Port 0 is no port for the filter's rules, but one for the kernel. */
static void port_zero(void) {
	static const char *const addresses[] = {V4, V6};

	for (size_t i = 0; i < COUNT(addresses); i++) {
		const struct place zero = place(addresses[i], 0), good = place(addresses[i], 5353);
		int fd = datagram_socket(&zero);

		connect_to(fd, &zero);
		assert_int_equal(send_to(fd, &good), 1);
		lab_expect(SNIF_ALLOW, ALLOW_ADDRESS);
		refused(send(fd, "b", 1, 0));
		lab_expect(SNIF_DENY, REFUSE_PORT);
		refused(send(fd, "c", 1, 0));
		close(fd);
	}
}

/* ---- threads ---- */

enum { ROUNDS = 10, TIMES = 300, SENDS = 2000, RACES = 20000 };

struct sender {
	int fd;
	const struct place *place; /* NULL: where the socket is connected */
	volatile bool *stop;	   /* NULL: SENDS times */
	volatile size_t sent, refused;
};

static void *send_thread(void *argument) {
	struct sender *sender = argument;

	for (int i = 0; sender->stop ? !*sender->stop : i < SENDS; i++) {
		ssize_t sent = sender->place ? send_to(sender->fd, sender->place) : send(sender->fd, "x", 1, 0);

		sender->sent += sent == 1;
		sender->refused += sent < 0 && errno == EPERM;
	}
	return NULL;
}

/* Comes back when the first datagram was sent, or refused. */
static pthread_t start_sending(struct sender *sender) {
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, send_thread, sender), 0);
	while (sender->sent + sender->refused == 0)
		sched_yield();
	return thread;
}

/* One thread sends while another connects there and back. Afterwards nothing sticks. */
static void race(void) {
	const struct place bad = place(V4, 443), good = place(V4, 5353);
	volatile bool stop;
	pthread_t thread;

	only_refusals(true);
	for (int round = 0; round < ROUNDS; round++) {
		int fd = datagram_socket(&good);
		struct sender sender = {.fd = fd, .stop = &stop};

		stop = false;
		connect_to(fd, &good);
		thread = start_sending(&sender);
		for (int i = 0; i < TIMES; i++) {
			connect_to(fd, &bad);
			connect_to(fd, &good);
		}
		connect_to(fd, &bad);
		stop = true;
		pthread_join(thread, NULL);
		refused(send(fd, "x", 1, 0));
		drain();
		close(fd);
	}
	only_refusals(false);
	nothing_arrived(evasion_udp443, 0);
}

/* Each is allowed; the one's address with the other's port is not. */
static const char two_places[] =
	"version: 1\n"
	"dns: {servers: none}\n"
	"direct: {allow: [{to: 192.0.2.1, proto: udp, ports: [7001]}, {to: 192.0.2.2, proto: udp, ports: [7002]}]}\n";

/* What the other thread does while one sends where the socket is connected, which is the first place. */
typedef void (*stray_mover)(int fd, const struct place *first, const struct place *second);

static void move_by_connect(int fd, const struct place *first, const struct place *second) {
	connect_to(fd, second);
	connect_to(fd, first);
}

static void send_in_parts(int fd, const struct place *place) {
	sendto(fd, "x", 1, MSG_MORE, (const struct sockaddr *)&place->address, place->length);
	send_to(fd, place);
}

static void move_by_parts(int fd, const struct place *first, const struct place *second) {
	send_in_parts(fd, second);
	send_in_parts(fd, first);
}

static int listen_at(const struct place *place) {
	int fd;

	evasion_outside();
	fd = datagram_socket(place);
	assert_int_equal(bind(fd, (const struct sockaddr *)&place->address, place->length), 0);
	evasion_inside();
	return fd;
}

/* A datagram's address and port are of two different places, both of which calls were allowed. */
static void race_between_allowed(stray_mover move) {
	const struct place first = place(V4, 7001), second = place(V4_OTHER, 7002);
	const struct place crossed[2] = {place(V4, 7002), place(V4_OTHER, 7001)};
	int fd = datagram_socket(&first), servers[2] = {listen_at(&crossed[0]), listen_at(&crossed[1])};
	volatile bool stop = false;
	struct sender sender = {.fd = fd, .stop = &stop};
	pthread_t thread;
	char byte;

	evasion_use_policy(two_places);
	only_refusals(true);
	connect_to(fd, &first);
	thread = start_sending(&sender);
	for (int i = 0; i < RACES; i++) {
		move(fd, &first, &second);
		drain(); /* each stray is told, and none is to be lost */
	}
	stop = true;
	pthread_join(thread, NULL);
	close(fd);
	drain();
	only_refusals(false);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(recv(servers[i], &byte, 1, MSG_DONTWAIT), -1);
		assert_int_equal(errno, EAGAIN);
		close(servers[i]);
	}
}

static void race_of_connects(void) {
	race_between_allowed(move_by_connect);
}

static void race_of_parts(void) {
	race_between_allowed(move_by_parts);
}

/* Two threads send to two allowed places by one socket, which nothing was sent by before: none is refused. */
static void two_threads(void) {
	const struct place places[2] = {place(V6, 5353), place(V4_MAPPED, 5353)};
	pthread_t threads[2];

	only_refusals(true);
	for (int round = 0; round < ROUNDS; round++) {
		int fd = datagram_socket(&places[0]);
		struct sender senders[2] = {{.fd = fd, .place = &places[0]}, {.fd = fd, .place = &places[1]}};

		for (size_t i = 0; i < 2; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, send_thread, &senders[i]), 0);
		for (size_t i = 0; i < 2; i++)
			pthread_join(threads[i], NULL);
		for (size_t i = 0; i < 2; i++)
			assert_int_equal(senders[i].sent, SENDS);
		close(fd);
	}
	only_refusals(false);
}

/* ---- another address on the packet than the application has named ---- */

#define DNAT                                                                                                           \
	"nft 'add table ip evasion; add chain ip evasion out { type nat hook output priority -100; }; add rule "       \
	"ip evasion out ip daddr " V4 " udp dport 5353 dnat to " V4_OTHER ":5353'"

/*
 * What netfilter writes on it is nobody's evasion, and how containers reach their resolver; the filter sees it behind
 * that. But a socket that is connected again counts by what is on the packet: a sender could come between.
 */
static void translated(void) {
	const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	const struct place good = place(V4, 5353);
	size_t before;
	int connected = datagram_socket(&good), single = datagram_socket(&good);

	if (!lab_installed("nft") || evasion_system(DNAT))
		evasion_skip("nft cannot translate addresses here");
	before = lab_seen(evasion_udp5353, 0).received;
	connect_to(connected, &good);
	lab_expect(SNIF_ALLOW, ALLOW_ADDRESS);
	for (int i = 0; i < 3; i++)
		assert_int_equal(send(connected, "x", 1, 0), 1);
	assert_int_equal(send_to(single, &good), 1);
	lab_expect(SNIF_ALLOW, ALLOW_ADDRESS);
	lab_wait_bytes(evasion_udp5353, 0, before + 4);
	/* a disconnect can come in the middle of a send, too */
	assert_int_equal(connect(connected, &nowhere, sizeof(nowhere)), 0);
	refused(send_to(connected, &good));
	lab_expect(SNIF_DENY, REFUSE_PORT);
	connect_to(single, &good);
	lab_expect(SNIF_ALLOW, ALLOW_ADDRESS);
	assert_int_equal(send(single, "x", 1, 0), 1);
	connect_to(single, &good);
	lab_expect(SNIF_ALLOW, ALLOW_ADDRESS);
	refused(send(single, "x", 1, 0));
	lab_expect(SNIF_DENY, REFUSE_PORT);
	nothing_arrived(evasion_udp5353, before + 5);
	assert_int_equal(evasion_system("nft delete table ip evasion"), 0);
	close(connected);
	close(single);
}

static const struct evasion cases[] = {
	{"T12-udp-held-back", .run = held_back},
	{"T12-udp-held-back-ipv4", .run = held_back_ipv4},
	{"T12-udp-held-back-without-source", .run = held_back_without_source},
	{"T12-udp-held-back-while-reloaded", .run = held_back_meanwhile},
	{"T12-udp-sent-slowly-while-reloaded", .run = sent_slowly},
	{"T7-udp-held-back-before-attach", .run = held_back_before},
	{"T12-udp-port-zero", .run = port_zero},
	{"T12-udp-connect-race", .run = race},
	{"T12-udp-connect-race-between-allowed", .run = race_of_connects},
	{"T12-udp-parts-race-between-allowed", .run = race_of_parts},
	{"X-udp-two-threads", .run = two_threads},
	{"X-udp-translated", .run = translated},
};

CATALOGUE(stray_cases, cases);
