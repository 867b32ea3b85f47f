/* SPDX-License-Identifier: BSD-2-Clause */
/* A real connection's tag and a packet ──► BPF_PROG_TEST_RUN ──► nanoseconds. */
#include "replay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>

#include "../../tests/support/packet_maker.h"
#include "../../tests/support/program_map.h"
#include "bench.h"
#include "bench/decide.skel.h"

enum { POLICY = 1, MOST_SLICES = 64, PROTOCOL_IPV4 = ETH_HLEN + 9, PROTOCOL_IPV6 = ETH_HLEN + 6 };
enum { REPEAT_EVENTS = 500 }; /* runs that the ring buffer has room for, each with an event */

/* Puts the attached program's map in the place of the one here, which is left out if that program uses none. */
static void take_map(struct bpf_map *map, int program) {
	int fd = program_map(program, bpf_map__name(map)), error = fd;

	if (fd >= 0)
		error = bpf_map__reuse_fd(map, fd);
	else if (fd == -ENOENT)
		error = bpf_map__set_autocreate(map, false);
	if (error)
		bench_fail("cannot use the filter's map %s: %s", bpf_map__name(map), strerror(-error));
}

/* The kernel runs the programs with a cgroup's storage of zeros: puts the policy in force under that number too. */
static void put_in_force(const struct decide_bpf *skeleton) {
	int map = bpf_map__fd(skeleton->maps.policies);
	__u32 policy = POLICY, none = 0;
	struct snif_active active;

	if (bpf_map_lookup_elem(map, &policy, &active) || bpf_map_update_elem(map, &none, &active, BPF_ANY))
		bench_fail("the policy cannot be put in force: %s", strerror(errno));
}

/* The filter's code with the maps of the attached program. */
static struct decide_bpf *load(int program) {
	struct decide_bpf *skeleton = decide_bpf__open();
	struct bpf_map *map;

	if (!skeleton)
		bench_fail("cannot open the bench's programs: %s", strerror(errno));
	bpf_object__for_each_map(map, skeleton->obj) if (!bpf_map__is_internal(map)) take_map(map, program);
	if (decide_bpf__load(skeleton))
		bench_fail("cannot load the bench's programs: %s", strerror(errno));
	put_in_force(skeleton);
	return skeleton;
}

/* All that is known here of what a socket carries, but with the maker's server as its destination. Returns the sequence
 * number that it sends next. */
static __u32 take_tag(struct decide_bpf *skeleton, int client, bool ipv6) {
	struct snif_target *to = &skeleton->bss->original.to;
	if (bpf_map_lookup_elem(bpf_map__fd(skeleton->maps.tags), &client, &skeleton->bss->original))
		bench_fail("the connection has no tag: %s", strerror(errno));
	bpf_map_lookup_elem(bpf_map__fd(skeleton->maps.inspections), &client, &skeleton->bss->inspected);
	memset(to->address, 0, 16);
	memset(to->address + 10, 0xff, ipv6 ? 0 : 2);
	inet_pton(ipv6 ? AF_INET6 : AF_INET, ipv6 ? "2001:db8::7" : "198.51.100.7", to->address + (ipv6 ? 0 : 12));
	to->port = SERVER_PORT;
	return skeleton->bss->original.next_sequence;
}

static const struct bytes *packet_of(const struct packet *packet) {
	static struct bytes bytes;

	bytes.length = 0;
	bytes_fill(&bytes, 0, 2 * ETH_ALEN);
	bytes_number(&bytes, 2, packet->ipv6 ? ETH_P_IPV6 : ETH_P_IP);
	packet_make(&bytes, packet);
	return &bytes;
}

static double test_run(int program, const struct bytes *packet, unsigned repeat, unsigned expected) {
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet->data, .data_size_in = (__u32)packet->length,
		    .repeat = (int)repeat);

	if (bpf_prog_test_run_opts(program, &options))
		bench_fail("BPF_PROG_TEST_RUN: %s", strerror(errno));
	if (options.retval != expected)
		bench_fail("a test run returned %u, not %u", options.retval, expected);
	return options.duration;
}

/* The maker of packets makes TCP only. Of a datagram the filter reads no more than the ports, which are in the same
 * place. */
static const struct bytes *open_packet(const struct replay *replay, __u32 sequence) {
	static const uint8_t data[100];
	static struct bytes packet;

	packet = *packet_of(
		&(struct packet){.ipv6 = replay->ipv6, .sequence = sequence, .data = data, .length = replay->length});
	if (replay->udp)
		packet.data[replay->ipv6 ? PROTOCOL_IPV6 : PROTOCOL_IPV4] = IPPROTO_UDP;
	return &packet;
}

void replay_open_flow(int program, int client, const struct replay *replay) {
	static const char *const metrics[] = {"test-run", "test-run-floor-return", "test-run-floor-storage"};
	struct decide_bpf *skeleton = load(program);
	int programs[] = {
		bpf_program__fd(replay->udp ? skeleton->progs.decide_datagram : skeleton->progs.decide_established),
		floor_load(FLOOR_RETURN, BPF_CGROUP_INET_EGRESS), floor_load(FLOOR_STORAGE, BPF_CGROUP_INET_EGRESS)};
	const struct bytes *packet = open_packet(replay, take_tag(skeleton, client, replay->ipv6));
	double ns[3][MOST_SLICES];
	unsigned slices = bench_count(20, 3);

	if (replay->udp)
		skeleton->bss->original.connects =
			0; /* the test's socket has no peer, as one that was never connected */
	for (unsigned s = 0; s < slices; s++)
		for (int i = 0; i < 3; i++) {
			skeleton->bss->tagged = 0;
			ns[(s + i) % 3][s] = test_run(programs[(s + i) % 3], packet, bench_count(100000, 1000), 1);
		}
	for (int i = 0; i < 3; i++)
		bench_sample(metrics[i], "ns", bench_median(ns[i], slices), i == 2 ? NULL : metrics[2]);
	decide_bpf__destroy(skeleton);
}

static void print(const char *part, const char *suffix, double *ns, size_t count) {
	char metric[64], own[64];

	snprintf(metric, sizeof(metric), "test-run%s%s", part, suffix);
	snprintf(own, sizeof(own), "test-run%s", suffix);
	bench_sample(metric, "ns", bench_median(ns, count), *part ? own : NULL);
}

void replay_completing(const struct confinement *confinement, int program, int client, const void *bytes, size_t length,
		       bool allowed, const char *suffix) {
	struct packet packet = {.data = bytes, .length = length};
	struct decide_bpf *skeleton = load(program);
	int judge = bpf_program__fd(skeleton->progs.decide_undecided);
	int restore = bpf_program__fd(skeleton->progs.decide_reset),
	    enter = bpf_program__fd(skeleton->progs.decide_entry);
	double with[MOST_SLICES], reset[MOST_SLICES], entry[MOST_SLICES], own[MOST_SLICES];
	unsigned slices = bench_count(MOST_SLICES, 3);

	packet.sequence = take_tag(skeleton, client, false);
	for (unsigned s = 0; s < slices; s++) {
		with[s] = test_run(judge, packet_of(&packet), REPEAT_EVENTS, allowed);
		confine_drain(confinement);
		reset[s] = test_run(restore, packet_of(&packet), REPEAT_EVENTS, 1);
		entry[s] = test_run(enter, packet_of(&packet), REPEAT_EVENTS, 1);
		own[s] = with[s] - (reset[s] - entry[s]);
	}
	print("", suffix, own, slices);
	print("-with-reset", suffix, with, slices);
	print("-reset", suffix, reset, slices);
	print("-entry", suffix, entry, slices);
	decide_bpf__destroy(skeleton);
}
