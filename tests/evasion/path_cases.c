/* SPDX-License-Identifier: BSD-2-Clause */
/* T5, T6, T9: another host behind a device: small and large packets, lost ones, link-local addresses. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evasion.h"

#define HOST "203.0.113.102"
#define HOST6 "2001:db8:1::2"

static struct stream stream;

/* Runs a command in the other namespace; skips the case where it fails. */
static void there(const char *command) {
	char line[512];

	snprintf(line, sizeof(line), "nsenter --net=/proc/%d/fd/%d %s", getpid(), lab_peer(), command);
	if (evasion_system(line))
		evasion_skip("cannot run: %s", command);
}

/* ---- T5 ---- */

static void small_hello(struct stream *to, int n) {
	stream_hello(to, n ? ALLOWED : FORBIDDEN);
	to->reason = n ? ALLOW : REFUSE;
}

static void large_hello(struct stream *to, int n) {
	stream_of(to, &(struct hello){.name = n ? ALLOWED : FORBIDDEN, .name_at = 14000, .size = 16384});
	to->reason = n ? ALLOW : REFUSE;
}

static void hello_and_64k(struct stream *to, int n) {
	stream_hello(to, n ? ALLOWED : FORBIDDEN);
	bytes_fill(&to->bytes, 23, 65536 - to->bytes.length);
	to->reason = n ? ALLOW : REFUSE;
}

static void by_send(int fd, const uint8_t *bytes, size_t length) {
	assert_int_equal(lab_send(fd, bytes, length), 0);
}

/*
 * How much of a long hello arrives before the refusal depends on the window, but never the segment with its name, and
 * nothing behind that.
 */
static void long_hello_refused(struct lab_server *server, const char *address) {
	struct trial trial = trial_open_at(server, address, 443);
	struct lab_connection seen;

	stream.bytes.length = 0;
	large_hello(&stream, 0);
	lab_send(trial.fd, stream.bytes.data, stream.bytes.length);
	lab_expect(SNIF_DENY, REFUSE);
	lab_sleep_ms(30);
	seen = lab_seen(server, trial.index);
	assert_true(seen.received < stream.bytes.length);
	assert_false(seen.hello);
	lab_reset(trial.fd);
}

static void all_sizes(struct lab_server *server, const char *address) {
	const struct evasion entries[] = {{"", small_hello, ALLOW, .send = by_send, .last = 1},
					  {"", large_hello, ALLOW, .send = by_send, .first = 1, .last = 1},
					  {"", hello_and_64k, ALLOW, .send = by_send, .last = 1}};

	for (size_t i = 0; i < COUNT(entries); i++)
		stream_run_at(&entries[i], server, address);
	long_hello_refused(server, address);
}

static void set_mtu(int mtu) {
	char command[100];

	snprintf(command, sizeof(command), "ip link set lab1 mtu %d", mtu);
	there(command);
	snprintf(command, sizeof(command), "ip link set lab0 mtu %d", mtu);
	if (evasion_system(command))
		evasion_skip("the device does not take an MTU of %d", mtu);
}

static void mtu_1280_and_65535(void) {
	static const int sizes[] = {1280, 1500, 65535};
	struct lab_server *server = evasion_peer();

	for (size_t i = 0; i < COUNT(sizes); i++) {
		set_mtu(sizes[i]);
		all_sizes(server, HOST);
		all_sizes(server, HOST6);
	}
	set_mtu(1500);
}

/* Below 1,280 there is no IPv6: its addresses go, and have to be put back. */
static void mtu_576(void) {
	struct lab_server *server = evasion_peer();

	set_mtu(576);
	all_sizes(server, HOST);
	set_mtu(1500);
	there("ip address replace 2001:db8:1::2/126 dev lab1 nodad");
	assert_int_equal(evasion_system("ip address replace 2001:db8:1::1/126 dev lab0 nodad"), 0);
}

/* ---- T6 ---- */

/* Loses packets behind the filter that carry data: all of them, or every second one. */
static void lose(const char *which) {
	char command[400];

	if (!lab_installed("nft"))
		evasion_skip("nft is not installed");
	there("nft 'add table inet evasion; add chain inet evasion in { type filter hook input priority 0; }'");
	snprintf(command, sizeof(command), "nft 'add rule inet evasion in tcp dport 443 meta length > 60 %s drop'",
		 which);
	there(command);
}

static void lose_nothing(void) {
	there("nft delete table inet evasion");
}

static void patient(int fd) {
	const struct timeval patience = {.tv_sec = 10};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
}

/* In pieces, of which every second one has to be sent again. */
static void lost_in_hello(void) {
	static const size_t pieces[] = {0, 40, 100, 105, 150};
	struct lab_server *server = evasion_peer();

	lose("numgen inc mod 2 == 0");
	for (int allowed = 0; allowed < 2; allowed++) {
		struct trial trial = trial_open_at(server, HOST, 443);
		size_t i;

		stream_hello(&stream, allowed ? ALLOWED : FORBIDDEN);
		patient(trial.fd);
		for (i = 0; i < COUNT(pieces) - 1; i++) {
			lab_send(trial.fd, stream.bytes.data + pieces[i], pieces[i + 1] - pieces[i]);
			lab_wait_bytes(server, trial.index, pieces[i + 1]);
		}
		lab_send(trial.fd, stream.bytes.data + pieces[i], stream.bytes.length - pieces[i]);
		if (allowed) {
			lab_expect(SNIF_ALLOW, ALLOW);
			trial_passed(&trial, stream.bytes.data, stream.bytes.length);
		} else {
			trial_refused(&trial, REFUSE, stream.bytes.data, pieces[i]);
		}
	}
	lose_nothing();
}

/*
 * All is lost for a while, and then comes again in other pieces than before: the kernel joins small segments. Nothing
 * of the refused one may be among them.
 */
static void lost_then_joined(void) {
	struct lab_server *server = evasion_peer();

	for (int allowed = 0; allowed < 2; allowed++) {
		struct trial trial = trial_open_at(server, HOST, 443);
		size_t last = 170, arrive;

		lose("");
		stream_hello(&stream, allowed ? ALLOWED : FORBIDDEN);
		patient(trial.fd);
		for (size_t at = 0; at < last; at += 17)
			lab_send(trial.fd, stream.bytes.data + at, 17);
		assert_int_equal(lab_seen(server, trial.index).received, 0);
		lose_nothing();
		if (allowed) {
			lab_send(trial.fd, stream.bytes.data + last, stream.bytes.length - last);
			lab_expect(SNIF_ALLOW, ALLOW);
			trial_passed(&trial, stream.bytes.data, stream.bytes.length);
			continue;
		}
		arrive = lab_wait_bytes(server, trial.index, last).received;
		assert_int_equal(arrive, last);
		lab_send(trial.fd, stream.bytes.data + last, stream.bytes.length - last);
		trial_refused(&trial, REFUSE, stream.bytes.data, last);
	}
}

/*
 * The refused segment stays refused however often it is tried again, also with the daemon dead: nobody ends the flow.
 */
static void refused_stays_refused(void) {
	struct trial trial = trial_open_at(evasion_peer(), HOST, 443);

	stream_hello(&stream, FORBIDDEN);
	assert_int_equal(lab_send(trial.fd, stream.bytes.data, 100), 0);
	lab_wait_bytes(trial.server, trial.index, 100);
	lab_send(trial.fd, stream.bytes.data + 100, stream.bytes.length - 100);
	lab_expect(SNIF_DENY, REFUSE);
	lab_sleep_ms(1500); /* retransmissions at 0.2, 0.6 and 1.4 s */
	assert_int_equal(lab_seen(trial.server, trial.index).received, 100);
	assert_null(lab_event(0)); /* told once */
	lab_reset(trial.fd);
}

static void lost_after_verdict(void) {
	struct lab_server *server = evasion_peer();
	struct trial trial = trial_open_at(server, HOST, 443);

	stream_hello(&stream, ALLOWED);
	hello_record(&stream.bytes, 23, "x", 1);
	patient(trial.fd);
	assert_int_equal(lab_send(trial.fd, stream.bytes.data, stream.bytes.length), 0);
	lab_expect(SNIF_ALLOW, ALLOW);
	lab_wait_bytes(server, trial.index, stream.bytes.length);
	lose("numgen inc mod 2 == 0");
	for (int i = 0; i < 3; i++) {
		bytes_fill(&stream.bytes, 'd', 1000);
		assert_int_equal(lab_send(trial.fd, stream.bytes.data + stream.bytes.length - 1000, 1000), 0);
		lab_wait_bytes(server, trial.index, stream.bytes.length);
	}
	lose_nothing();
	trial_passed(&trial, stream.bytes.data, stream.bytes.length);
}

/* ---- T9 ---- */

static struct trial dial_link_local(void) {
	struct sockaddr_in6 where = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
	struct trial trial = {.server = evasion_peer(), .index = lab_count(evasion_peer())};
	struct sockaddr_storage address;
	const struct timeval patience = {.tv_sec = LAB_PATIENCE_MS / 1000};

	evasion_count(1);
	lab_address("fe80::2", 443, &address);
	where.sin6_addr = ((struct sockaddr_in6 *)&address)->sin6_addr;
	where.sin6_scope_id = if_nametoindex("lab0");
	trial.fd = socket(AF_INET6, SOCK_STREAM, 0);
	setsockopt(trial.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(trial.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(trial.fd, (struct sockaddr *)&where, sizeof(where)), 0);
	return trial;
}

static void link_local(void) {
	struct trial trial;

	evasion_peer();
	there("ip address replace fe80::2/64 dev lab1 nodad");
	assert_int_equal(evasion_system("ip address replace fe80::1/64 dev lab0 nodad"), 0);
	trial = dial_link_local();
	trial_hello_passes(&trial, ALLOWED);
	trial = dial_link_local();
	trial_hello_refused(&trial, FORBIDDEN, REFUSE);
}

static const struct evasion cases[] = {
	{"T5-mtu-1280-to-65535", .run = mtu_1280_and_65535},
	{"T5-mtu-576", .run = mtu_576},
	{"T6-lost-in-hello", .run = lost_in_hello},
	{"T6-lost-then-joined", .run = lost_then_joined},
	{"T6-refused-stays-refused", .run = refused_stays_refused},
	{"T6-lost-after-verdict", .run = lost_after_verdict},
	{"T9-link-local", .run = link_local},
};

CATALOGUE(path_cases, cases);
