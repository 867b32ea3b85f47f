/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection over both devices ──► the recorder sees its packets in the order in which they were sent. */
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "../support/hello_maker.h"
#include "../support/lab.h"
#include "finding.h"
#include "recorder.h"
#include "world.h"

#define POLICY                                                                                                         \
	"version: 1\n"                                                                                                 \
	"tls: {to: 203.0.113.130, allow: [allowed.test]}\n"                                                            \
	"direct: {allow: [198.51.100.66]}\n"                                                                           \
	"dns: {servers: none}\n"

enum { DATAGRAMS = 20 };

/* Frames that are on the cable before the connection is: its SYN waits behind them. */
static void keep_the_cable_busy(void) {
	struct sockaddr_storage to;
	socklen_t length = lab_address("198.51.100.66", 5000, &to);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (int i = 0; i < DATAGRAMS; i++)
		sendto(fd, "busy", 4, 0, (struct sockaddr *)&to, length);
	close(fd);
}

/* Its SYN goes by the cable; its hello by the loopback device, to which the socket is bound when it is open. */
static void a_stream_over_both_devices(void **state) {
	static struct bytes hello;
	struct recorded recorded;
	int there, fd;

	(void)state;
	lab_enter();
	there = world_make();
	lab_confine(POLICY);
	lab_server_at(there, LAB_SINK, "203.0.113.130", 443);
	hello_make(&hello, &(struct hello){.name = "allowed.test"});
	recorder_listen(there, lab_compiled());
	keep_the_cable_busy();
	fd = lab_dial("203.0.113.130", 443);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", sizeof("lo")), 0);
	assert_int_equal(lab_send(fd, hello.data, hello.length), 0);
	lab_reset(fd);
	recorder_start();
	recorded = recorder_stop();
	finding_summary();
	assert_int_equal(finding_sum(), 0);
	assert_int_equal(recorded.hellos, 1);
	assert_true(recorded.frames > DATAGRAMS);
}

int main(void) {
	const struct CMUnitTest tests[] = {lab_test(a_stream_over_both_devices)};

	return cmocka_run_group_tests_name("recorder", tests, NULL, NULL);
}
