/* SPDX-License-Identifier: BSD-2-Clause */
/* Packet sockets on both devices ──► frames in the order of time, each by the way it went. */
#include "recorder.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../support/lab.h"
#include "flows.h"
#include "oracle.h"
#include "world.h"

enum { BUFFER = 64 << 20, FRAME = (1 << 16) + 64, QUIET_MS = 150, LAST_MS = 1000 };

#define UNKNOWN 0
#define NONE INT64_MAX

static struct {
	int cable, loopback;
	const struct compiled *compiled;
	uint64_t frames;
	atomic_bool stop;
	pthread_t thread;
} recorder;

static void take_cable(const uint8_t *frame, size_t length, bool outgoing) {
	if (outgoing) {
		oracle_sent(frame, length);
		return;
	}
	recorder.frames++;
	oracle_arrived(recorder.compiled, frame, length);
}

/* The loopback device shows each frame twice, on its way out and in. */
static void take_loopback(const uint8_t *frame, size_t length, bool outgoing) {
	if (!outgoing)
		oracle_local(recorder.compiled, frame, length);
}

static void take(int fd) {
	static uint8_t frame[FRAME];
	struct sockaddr_ll from;
	socklen_t size = sizeof(from);
	ssize_t length = recvfrom(fd, frame, sizeof(frame), MSG_DONTWAIT, (struct sockaddr *)&from, &size);

	if (length < 0)
		return;
	(fd == recorder.cable ? take_cable : take_loopback)(frame, (size_t)length, from.sll_pkttype == PACKET_OUTGOING);
}

/* When the next packet came that waits at a socket, in nanoseconds; NONE waits; UNKNOWN. */
static int64_t arrival(int fd) {
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct scm_timestamping))];
	struct msghdr message = {.msg_control = control, .msg_controllen = sizeof(control)};
	struct scm_timestamping came;

	if (recvmsg(fd, &message, MSG_PEEK | MSG_DONTWAIT) < 0)
		return NONE;
	if (!CMSG_FIRSTHDR(&message))
		return UNKNOWN;
	memcpy(&came, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(came));
	return (int64_t)came.ts[0].tv_sec * 1000000000 + came.ts[0].tv_nsec;
}

/*
 * A stream can change over to the other device, and has no order then but that of time: each socket may be far behind.
 * A device where nothing waits is asked once more when there is a frame of the other, which may have come after one of
 * its own.
 */
static void take_first(void) {
	int64_t cable = arrival(recorder.cable), loopback = arrival(recorder.loopback);

	if (cable == NONE && loopback != NONE)
		cable = arrival(recorder.cable);
	if (cable != NONE || loopback != NONE)
		take(cable <= loopback ? recorder.cable : recorder.loopback);
}

/* Until a while after it is told to stop, or until nothing more comes then. */
static void *record(void *unused) {
	struct pollfd ready[2] = {{.fd = recorder.cable, .events = POLLIN},
				  {.fd = recorder.loopback, .events = POLLIN}};
	double end = 0;

	(void)unused;
	for (;;) {
		if (end == 0 && atomic_load(&recorder.stop))
			end = lab_now_ms() + LAST_MS;
		if (poll(ready, 2, QUIET_MS) < 1 && end > 0)
			return NULL;
		take_first();
		if (end > 0 && lab_now_ms() > end)
			return NULL;
	}
}

static void ask_for_times(int fd) {
	const int stamps = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof(stamps)), 0);
}

/*
 * The kernel begins to note times of arrival a while after the first socket has asked for them, and then has none of what
 * came before. Returns a socket that has got one, and keeps that so.
 */
static int await_times(void) {
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t length = sizeof(here);
	double end = lab_now_ms() + LAB_PATIENCE_MS;
	int64_t came = UNKNOWN;

	assert_int_equal(bind(fd, (struct sockaddr *)&here, length), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&here, &length), 0);
	ask_for_times(fd);
	while (came == UNKNOWN && lab_now_ms() < end) {
		assert_int_equal(sendto(fd, "", 0, 0, (struct sockaddr *)&here, length), 0);
		assert_true(lab_readable(fd, LAB_PATIENCE_MS));
		came = arrival(fd);
		recv(fd, NULL, 0, 0);
	}
	assert_int_not_equal(came, UNKNOWN);
	return fd;
}

/* Binds a packet socket to a device of its namespace. */
static int listen_on(int fd, const char *name) {
	struct sockaddr_ll where = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	struct ifreq device = {0};
	int size = BUFFER;

	assert_true(fd >= 0);
	snprintf(device.ifr_name, sizeof(device.ifr_name), "%s", name);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	ask_for_times(fd);
	assert_int_equal(ioctl(fd, SIOCGIFINDEX, &device), 0);
	where.sll_ifindex = device.ifr_ifindex;
	assert_int_equal(bind(fd, (struct sockaddr *)&where, sizeof(where)), 0);
	return fd;
}

void recorder_listen(int there, const struct compiled *compiled) {
	int timed = await_times();

	recorder.compiled = compiled;
	recorder.cable = listen_on(world_socket_there(there, AF_PACKET, SOCK_RAW, 0), WORLD_DEVICE_THERE);
	recorder.loopback = listen_on(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), "lo");
	close(timed);
}

void recorder_start(void) {
	assert_int_equal(pthread_create(&recorder.thread, NULL, record, NULL), 0);
}

static uint64_t close_counting(int fd) {
	struct tpacket_stats statistics = {0};
	socklen_t length = sizeof(statistics);

	getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &length);
	close(fd);
	return statistics.tp_drops;
}

struct recorded recorder_stop(void) {
	struct recorded recorded;

	atomic_store(&recorder.stop, true);
	pthread_join(recorder.thread, NULL);
	recorded.frames = recorder.frames;
	recorded.missed = close_counting(recorder.cable) + close_counting(recorder.loopback);
	recorded.hellos = flows_end(recorded.missed == 0);
	return recorded;
}
