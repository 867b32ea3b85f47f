/* SPDX-License-Identifier: BSD-2-Clause */
/* T3 to T5: one hello, given to the kernel in every way that there is. */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <fcntl.h>
#include <unistd.h>

#include "evasion.h"
#include "uring.h"

/* ---- T3 ---- */

/* Sends a hello with byte n out of band, or with `extra` a byte of its own before byte n: refused with all behind. */
static void urgent_at(const char *name, size_t n, bool extra) {
	static struct stream stream;
	struct trial trial = trial_open(n % 2 ? V6 : V4);
	size_t next = extra ? n : n + 1;

	stream.bytes.length = 0;
	stream_hello(&stream, name);
	assert_int_equal(lab_send(trial.fd, stream.bytes.data, n), 0);
	/* so that it leaves as a segment without the flag, which marks all that is waiting */
	lab_wait_bytes(trial.server, trial.index, n);
	assert_int_equal(send(trial.fd, extra ? (const void *)"!" : stream.bytes.data + n, 1, MSG_OOB), 1);
	lab_send(trial.fd, stream.bytes.data + next, stream.bytes.length - next);
	trial_refused(&trial, SNIF_REASON_URGENT_DATA, stream.bytes.data, n);
}

static void urgent_before(void) {
	urgent_at(ALLOWED, 0, true);
	urgent_at(FORBIDDEN, 0, true);
}

static void urgent_inside(void) {
	for (size_t n = 0; n < 184; n++) {
		urgent_at(n % 3 ? ALLOWED : FORBIDDEN, n, false);
		urgent_at(n % 3 ? FORBIDDEN : ALLOWED, n, true);
	}
}

/* A byte that the server's TLS never reads turns one name into another: the reason for the refusal. */
static void urgent_in_the_name(void) {
	static struct stream stream;
	struct trial trial = trial_open(V4);

	stream.bytes.length = 0;
	stream_of(&stream, &(struct hello){.name = "xallowed.test"});
	assert_int_equal(lab_send(trial.fd, stream.bytes.data, 99), 0);
	lab_wait_bytes(trial.server, trial.index, 99);
	assert_int_equal(send(trial.fd, "x", 1, MSG_OOB), 1);
	lab_send(trial.fd, stream.bytes.data + 100, stream.bytes.length - 100);
	trial_refused(&trial, SNIF_REASON_URGENT_DATA, stream.bytes.data, 99);
}

static void urgent_after(void) {
	static struct stream stream;
	struct trial trial = trial_open(V4);
	struct lab_connection seen;

	stream.bytes.length = 0;
	stream_hello(&stream, ALLOWED);
	hello_record(&stream.bytes, 23, "x", 1); /* no further hello can come */
	assert_int_equal(lab_send(trial.fd, stream.bytes.data, stream.bytes.length), 0);
	lab_expect(SNIF_ALLOW, ALLOW);
	assert_int_equal(send(trial.fd, "!", 1, MSG_OOB), 1);
	assert_int_equal(send(trial.fd, "behind", 6, 0), 6);
	seen = lab_wait_bytes(trial.server, trial.index, stream.bytes.length + 6);
	assert_int_equal(seen.received, stream.bytes.length + 6);
	lab_reset(trial.fd);
}

/* The same while a second ClientHello could follow. */
static void urgent_between_hellos(void) {
	static struct stream stream;
	struct trial trial = trial_open(V4);

	stream.bytes.length = 0;
	stream_hello(&stream, ALLOWED);
	assert_int_equal(lab_send(trial.fd, stream.bytes.data, stream.bytes.length), 0);
	lab_expect(SNIF_ALLOW, ALLOW);
	lab_wait_bytes(trial.server, trial.index, stream.bytes.length);
	trial.may_see[0] = ALLOWED;
	assert_int_equal(send(trial.fd, "!", 1, MSG_OOB), 1);
	trial_refused(&trial, SNIF_REASON_URGENT_DATA, stream.bytes.data, stream.bytes.length);
}

/* ---- T4 ---- */

static void by_writev(int fd, const uint8_t *bytes, size_t length) {
	struct iovec pieces[512];

	for (size_t i = 0; i < length; i++)
		pieces[i] = (struct iovec){(void *)(bytes + i), 1};
	assert_int_equal(writev(fd, pieces, (int)length), length);
}

static void by_sendmsg(int fd, const uint8_t *bytes, size_t length) {
	struct iovec pieces[] = {{(void *)bytes, 3}, {(void *)bytes, 0},	 {(void *)(bytes + 3), 2},
				 {(void *)bytes, 0}, {(void *)(bytes + 5), 100}, {(void *)(bytes + 105), length - 105}};
	struct msghdr message = {.msg_iov = pieces, .msg_iovlen = COUNT(pieces)};

	assert_int_equal(sendmsg(fd, &message, 0), length);
}

static void by_sendmmsg(int fd, const uint8_t *bytes, size_t length) {
	struct iovec pieces[] = {{(void *)bytes, 50}, {(void *)(bytes + 50), length - 50}};
	struct mmsghdr messages[] = {{.msg_hdr = {.msg_iov = &pieces[0], .msg_iovlen = 1}},
				     {.msg_hdr = {.msg_iov = &pieces[1], .msg_iovlen = 1}}};
	int on = 1, off = 0;

	setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
	assert_int_equal(sendmmsg(fd, messages, 2, 0), 2);
	setsockopt(fd, IPPROTO_TCP, TCP_CORK, &off, sizeof(off));
}

static void by_more(int fd, const uint8_t *bytes, size_t length) {
	int off = 0;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &off, sizeof(off));
	for (size_t i = 0; i < length; i++)
		assert_int_equal(send(fd, bytes + i, 1, i + 1 < length ? MSG_MORE : 0), 1);
}

static void by_cork(int fd, const uint8_t *bytes, size_t length) {
	int on = 1, off = 0;

	setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
	for (size_t i = 0; i < length; i++)
		assert_int_equal(write(fd, bytes + i, 1), 1);
	setsockopt(fd, IPPROTO_TCP, TCP_CORK, &off, sizeof(off));
}

static void by_sendfile(int fd, const uint8_t *bytes, size_t length) {
	int file = memfd_create("hello", MFD_CLOEXEC);

	assert_int_equal(pwrite(file, bytes, length, 0), length);
	assert_int_equal(sendfile(fd, file, NULL, length), length);
	close(file);
}

static void by_splice(int fd, const uint8_t *bytes, size_t length) {
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], bytes, length), length);
	assert_int_equal(splice(ends[0], NULL, fd, NULL, length, 0), length);
	close(ends[0]);
	close(ends[1]);
}

static void by_vmsplice(int fd, const uint8_t *bytes, size_t length) {
	struct iovec piece = {(void *)bytes, length};
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(vmsplice(ends[1], &piece, 1, 0), length);
	assert_int_equal(splice(ends[0], NULL, fd, NULL, length, 0), length);
	close(ends[0]);
	close(ends[1]);
}

static void by_zerocopy(int fd, const uint8_t *bytes, size_t length) {
	int one = 1;

	evasion_set_refused(fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one));
	assert_int_equal(send(fd, bytes, length, MSG_ZEROCOPY), length);
}

static void by_uring(int fd, const uint8_t *bytes, size_t length) {
	int sent = uring_do(IORING_OP_SEND, fd, bytes, (unsigned)length, 0);

	if (sent == -ENOSYS || sent == -EPERM)
		evasion_skip("no io_uring here: %s", strerror(-sent));
	assert_int_equal(sent, length);
}

static void uring_connects(const char *address, const char *name) {
	static struct stream stream;
	struct sockaddr_storage where;
	socklen_t length = lab_address(address, 443, &where);
	struct trial trial = trial_of(socket(where.ss_family, SOCK_STREAM, 0));
	int error = uring_do(IORING_OP_CONNECT, trial.fd, &where, 0, length);

	if (error == -ENOSYS || error == -EPERM)
		evasion_skip("no io_uring here: %s", strerror(-error));
	assert_int_equal(error, 0);
	stream.bytes.length = 0;
	stream_hello(&stream, name);
	by_uring(trial.fd, stream.bytes.data, stream.bytes.length);
	if (strcmp(name, FORBIDDEN) == 0) {
		trial_refused_all(&trial, REFUSE);
		return;
	}
	lab_expect(SNIF_ALLOW, ALLOW);
	trial_passed(&trial, stream.bytes.data, stream.bytes.length);
}

static void uring_connect(void) {
	static const char *const addresses[] = {V4, V6};
	struct sockaddr_storage where;
	socklen_t length;
	int fd;

	for (size_t i = 0; i < 2; i++) {
		uring_connects(addresses[i], ALLOWED);
		uring_connects(addresses[i], FORBIDDEN);
	}
	length = lab_address(V4_REFUSED, 443, &where);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	evasion_count(1);
	assert_int_equal(uring_do(IORING_OP_CONNECT, fd, &where, 0, length), -EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_ADDRESS_NOT_ALLOWED);
	close(fd);
}

/* ---- T5 ---- */

static void large(struct stream *stream, const char *name, int n) {
	stream_hello(stream, name);
	bytes_fill(&stream->bytes, (uint8_t)n, 65536 - stream->bytes.length);
}

static void large_allowed(struct stream *stream, int n) {
	large(stream, ALLOWED, n);
}

static void large_forbidden(struct stream *stream, int n) {
	large(stream, FORBIDDEN, n);
}

static void by_send(int fd, const uint8_t *bytes, size_t length) {
	assert_int_equal(send(fd, bytes, length, 0), length);
}

/* Switches the device's segmentation offload (TSO and GSO). False: the device or kernel does not let us. */
static bool set_offload(const char *device, uint32_t on) {
	int fd = socket(AF_INET, SOCK_DGRAM, 0), error = 0;
	const uint32_t commands[] = {ETHTOOL_STSO, ETHTOOL_SGSO};

	for (size_t i = 0; i < COUNT(commands) && !error; i++) {
		struct ethtool_value value = {commands[i], on};
		struct ifreq request = {.ifr_data = (void *)&value};

		strcpy(request.ifr_name, device);
		error = ioctl(fd, SIOCETHTOOL, &request);
	}
	close(fd);
	return error == 0;
}

static void without_offload(void) {
	const struct evasion both[] = {{"", large_allowed, ALLOW, .send = by_send, .first = 23, .last = 23},
				       {"", large_forbidden, REFUSE, .send = by_send}};

	if (!set_offload("lo", 0))
		evasion_skip("lo's segmentation offload cannot be switched off: %s", strerror(errno));
	stream_run(&both[0]);
	stream_run(&both[1]);
	set_offload("lo", 1);
}

static const struct evasion cases[] = {
	{"T3-oob-before-hello", .run = urgent_before},
	{"T3-oob-inside-hello", .run = urgent_inside},
	{"T3-oob-inside-the-name", .run = urgent_in_the_name},
	{"T3-oob-between-hellos", .run = urgent_between_hellos},
	{"T3-oob-after-verdict", .run = urgent_after},
	{"T4-writev-allowed", stream_allowed, ALLOW, .send = by_writev},
	{"T4-writev-denied", stream_forbidden, REFUSE, .send = by_writev},
	{"T4-sendmsg-allowed", stream_allowed, ALLOW, .send = by_sendmsg},
	{"T4-sendmsg-denied", stream_forbidden, REFUSE, .send = by_sendmsg},
	{"T4-sendmmsg-allowed", stream_allowed, ALLOW, .send = by_sendmmsg},
	{"T4-sendmmsg-denied", stream_forbidden, REFUSE, .send = by_sendmmsg},
	{"T4-msg-more-allowed", stream_allowed, ALLOW, .send = by_more},
	{"T4-msg-more-denied", stream_forbidden, REFUSE, .send = by_more},
	{"T4-cork-allowed", stream_allowed, ALLOW, .send = by_cork},
	{"T4-cork-denied", stream_forbidden, REFUSE, .send = by_cork},
	{"T4-sendfile-allowed", stream_allowed, ALLOW, .send = by_sendfile},
	{"T4-sendfile-denied", stream_forbidden, REFUSE, .send = by_sendfile},
	{"T4-splice-allowed", stream_allowed, ALLOW, .send = by_splice},
	{"T4-splice-denied", stream_forbidden, REFUSE, .send = by_splice},
	{"T4-vmsplice-allowed", stream_allowed, ALLOW, .send = by_vmsplice},
	{"T4-vmsplice-denied", stream_forbidden, REFUSE, .send = by_vmsplice},
	{"T4-zerocopy-allowed", stream_allowed, ALLOW, .send = by_zerocopy},
	{"T4-zerocopy-denied", stream_forbidden, REFUSE, .send = by_zerocopy},
	{"T4-io-uring-send-allowed", stream_allowed, ALLOW, .send = by_uring},
	{"T4-io-uring-send-denied", stream_forbidden, REFUSE, .send = by_uring},
	{"T4-io-uring-connect-and-send", .run = uring_connect},
	{"T5-64-kilobytes-in-a-write-allowed", large_allowed, ALLOW, .send = by_send, .first = 23, .last = 23},
	{"T5-64-kilobytes-in-a-write-denied", large_forbidden, REFUSE, .send = by_send, .last = 5},
	{"T5-64-kilobytes-by-zerocopy-denied", large_forbidden, REFUSE, .send = by_zerocopy, .last = 5},
	{"T5-64-kilobytes-without-offload", .run = without_offload},
};

CATALOGUE(send_cases, cases);
