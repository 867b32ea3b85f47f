/* SPDX-License-Identifier: BSD-2-Clause */
/* Packet sockets on both devices ──► frames, each by the way it went. */
#include "recorder.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../support/lab.h"
#include "flows.h"
#include "oracle.h"
#include "world.h"

enum { BUFFER = 64 << 20, FRAME = (1 << 16) + 64, QUIET_MS = 150, LAST_MS = 1000 };

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
		for (int i = 0; i < 2; i++)
			if (ready[i].revents)
				take(ready[i].fd);
		if (end > 0 && lab_now_ms() > end)
			return NULL;
	}
}

/* Binds a packet socket to a device of its namespace. */
static int listen_on(int fd, const char *name) {
	struct sockaddr_ll where = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	struct ifreq device = {0};
	int size = BUFFER;

	assert_true(fd >= 0);
	snprintf(device.ifr_name, sizeof(device.ifr_name), "%s", name);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	assert_int_equal(ioctl(fd, SIOCGIFINDEX, &device), 0);
	where.sll_ifindex = device.ifr_ifindex;
	assert_int_equal(bind(fd, (struct sockaddr *)&where, sizeof(where)), 0);
	return fd;
}

void recorder_start(int there, const struct compiled *compiled) {
	recorder.compiled = compiled;
	recorder.cable = listen_on(world_socket_there(there, AF_PACKET, SOCK_RAW, 0), WORLD_DEVICE_THERE);
	recorder.loopback = listen_on(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), "lo");
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
