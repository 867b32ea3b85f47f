/* SPDX-License-Identifier: BSD-2-Clause */
/* A packet socket ──► frames, each by the way it went. */
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
	int fd;
	const struct compiled *compiled;
	uint64_t frames;
	atomic_bool stop;
	pthread_t thread;
} recorder;

static void take(void) {
	static uint8_t frame[FRAME];
	struct sockaddr_ll from;
	socklen_t length = sizeof(from);
	ssize_t came = recvfrom(recorder.fd, frame, sizeof(frame), MSG_DONTWAIT, (struct sockaddr *)&from, &length);

	if (came < 0)
		return;
	if (from.sll_pkttype == PACKET_OUTGOING) {
		oracle_sent(frame, (size_t)came);
	} else {
		recorder.frames++;
		oracle_arrived(recorder.compiled, frame, (size_t)came);
	}
}

/* Until a while after it is told to stop, or until nothing more comes then. */
static void *record(void *unused) {
	struct pollfd ready = {.fd = recorder.fd, .events = POLLIN};
	double end = 0;

	(void)unused;
	for (;;) {
		if (end == 0 && atomic_load(&recorder.stop))
			end = lab_now_ms() + LAST_MS;
		if (poll(&ready, 1, QUIET_MS) == 1)
			take();
		else if (end > 0)
			return NULL;
		if (end > 0 && lab_now_ms() > end)
			return NULL;
	}
}

void recorder_start(int there, const struct compiled *compiled) {
	struct sockaddr_ll where = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	struct ifreq device = {.ifr_name = WORLD_DEVICE_THERE};
	int size = BUFFER;

	recorder.compiled = compiled;
	recorder.fd = world_socket_there(there, AF_PACKET, SOCK_RAW, 0);
	assert_true(recorder.fd >= 0);
	setsockopt(recorder.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	assert_int_equal(ioctl(recorder.fd, SIOCGIFINDEX, &device), 0);
	where.sll_ifindex = device.ifr_ifindex;
	assert_int_equal(bind(recorder.fd, (struct sockaddr *)&where, sizeof(where)), 0);
	assert_int_equal(pthread_create(&recorder.thread, NULL, record, NULL), 0);
}

struct recorded recorder_stop(void) {
	struct tpacket_stats statistics = {0};
	socklen_t length = sizeof(statistics);
	struct recorded recorded;

	atomic_store(&recorder.stop, true);
	pthread_join(recorder.thread, NULL);
	getsockopt(recorder.fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &length);
	close(recorder.fd);
	recorded.frames = recorder.frames;
	recorded.missed = statistics.tp_drops;
	recorded.hellos = flows_end(recorded.missed == 0);
	return recorded;
}
