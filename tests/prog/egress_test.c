/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets to the byte ──► the egress program by itself (BPF_PROG_TEST_RUN) ──► drop or pass, and why.
 *
 * The kernel runs it on a socket of no type: so a packet that is good in itself ends as SOCKET_TYPE.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../support/hello_maker.h"
#include "../support/lab.h"
#include "../support/program_map.h"

static const char policy[] = "version: 1\n"
			     "tls: {allow: [allowed.lab.test]}\n"
			     "direct: {allow: [{to: 192.0.2.2}]}\n";

enum { PASSED = 1, DROPPED = 0 };
enum { SYN = 2, RST = 4, ACK = 16 };

static int egress = -1; /* the program */

/* The kernel runs the program with a cgroup's storage of zeros: puts the policy in force under that number too. */
static void put_in_force(void) {
	__u32 one = 1, zero = 0;
	struct snif_active active;
	int map = program_map(egress, "policies");

	assert_true(map >= 0);
	assert_int_equal(bpf_map_lookup_elem(map, &one, &active), 0);
	assert_int_equal(bpf_map_update_elem(map, &zero, &active, BPF_ANY), 0);
	close(map);
}

/* Loads the programs and finds egress. */
static void load(const char *text) {
	__u32 id, count = 1;

	lab_enter();
	lab_confine(text);
	assert_int_equal(bpf_prog_query(lab_cgroup()->fd, BPF_CGROUP_INET_EGRESS, 0, NULL, &id, &count), 0);
	egress = bpf_prog_get_fd_by_id(id);
	assert_true(egress >= 0);
}

static void start(const char *text) {
	load(text);
	put_in_force();
}

static int stop(void **state) {
	close(egress);
	return lab_leave(state);
}

static int run(const struct bytes *packet) {
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet->data, .data_size_in = (__u32)packet->length);

	assert_int_equal(bpf_prog_test_run_opts(egress, &options), 0);
	return (int)options.retval;
}

static void expect_drop(const struct bytes *packet, enum snif_reason reason) {
	assert_int_equal(run(packet), DROPPED);
	lab_expect(SNIF_DENY, reason);
	lab_expect_no_more();
}

static void add_link(struct bytes *packet, uint16_t type) {
	packet->length = 0;
	bytes_fill(packet, 0, 2 * ETH_ALEN);
	bytes_number(packet, 2, type);
}

/* An IPv4 header to 192.0.2.2 with options; their length is a multiple of 4. */
static void add_ipv4(struct bytes *packet, uint8_t protocol, uint16_t fragment, const void *options, size_t length) {
	add_link(packet, ETH_P_IP);
	bytes_number(packet, 1, (uint32_t)(0x40 | (5 + length / 4)));
	bytes_number(packet, 1, 0);
	bytes_number(packet, 2, (uint32_t)(60 + length));
	bytes_number(packet, 2, 1);
	bytes_number(packet, 2, fragment);
	bytes_number(packet, 1, 64);
	bytes_number(packet, 1, protocol);
	bytes_number(packet, 2, 0);
	bytes_number(packet, 4, 0xc0000201);
	bytes_number(packet, 4, 0xc0000202);
	bytes_add(packet, options, length);
}

static void add_ipv6(struct bytes *packet, uint8_t next) {
	static const uint8_t address[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

	add_link(packet, ETH_P_IPV6);
	bytes_number(packet, 4, 0x60000000);
	bytes_number(packet, 2, 60);
	bytes_number(packet, 1, next);
	bytes_number(packet, 1, 64);
	bytes_add(packet, address, sizeof(address));
	bytes_add(packet, address, sizeof(address));
}

/*
 * `words`: the header's length in units of 4 bytes, as it says; what there is are 20 bytes. Read as an IPv4 option,
 * they begin with a source route.
 */
static void add_tcp(struct bytes *packet, unsigned words, uint8_t flags) {
	bytes_number(packet, 2, 131 << 8);
	bytes_number(packet, 2, 443);
	bytes_number(packet, 4, 1);
	bytes_number(packet, 4, 0);
	bytes_number(packet, 1, words << 4);
	bytes_number(packet, 1, flags);
	bytes_number(packet, 2, 0xffff);
	bytes_number(packet, 4, 0);
}

static void test_no_policy(void **state) {
	static struct bytes packet;

	(void)state;
	load(policy);
	add_ipv4(&packet, IPPROTO_TCP, 0, NULL, 0);
	add_tcp(&packet, 5, SYN);
	expect_drop(&packet, SNIF_REASON_NO_POLICY);
	add_ipv6(&packet, IPPROTO_TCP);
	add_tcp(&packet, 5, RST);
	expect_drop(&packet, SNIF_REASON_NO_POLICY);
}

static void test_socket_type(void **state) {
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_SCTP, 255};
	static struct bytes packet;

	(void)state;
	start(policy);
	for (size_t i = 0; i < sizeof(protocols); i++) {
		add_ipv4(&packet, protocols[i], 0, NULL, 0);
		add_tcp(&packet, 5, SYN);
		expect_drop(&packet, SNIF_REASON_SOCKET_TYPE);
		add_ipv6(&packet, protocols[i]);
		add_tcp(&packet, 5, SYN);
		expect_drop(&packet, SNIF_REASON_SOCKET_TYPE);
	}
}

static void test_fragments(void **state) {
	static const uint16_t fragments[] = {0x2000, 0x0001, 0x1fff, 0x3fff};
	static struct bytes packet;

	(void)state;
	start(policy);
	for (size_t i = 0; i < sizeof(fragments) / sizeof(fragments[0]); i++) {
		add_ipv4(&packet, IPPROTO_TCP, fragments[i], NULL, 0);
		add_tcp(&packet, 5, SYN);
		expect_drop(&packet, SNIF_REASON_FRAGMENT);
	}
	/* don't-fragment is no fragment */
	add_ipv4(&packet, IPPROTO_TCP, 0x4000, NULL, 0);
	add_tcp(&packet, 5, SYN);
	expect_drop(&packet, SNIF_REASON_SOCKET_TYPE);
	add_ipv6(&packet, IPPROTO_FRAGMENT);
	bytes_number(&packet, 4, IPPROTO_TCP << 24 | 1);
	bytes_number(&packet, 4, 1);
	add_tcp(&packet, 5, SYN);
	expect_drop(&packet, SNIF_REASON_FRAGMENT);
}

static void test_ipv4_options(void **state) {
	static const struct {
		uint8_t bytes[8];
		enum snif_reason reason;
	} options[] = {
		{{131, 7, 4, 198, 51, 100, 1, 0}, SNIF_REASON_SOURCE_ROUTE},	   /* loose */
		{{137, 7, 4, 198, 51, 100, 1, 0}, SNIF_REASON_SOURCE_ROUTE},	   /* strict */
		{{1, 131, 7, 4, 198, 51, 100, 1}, SNIF_REASON_SOURCE_ROUTE},	   /* behind a no-op */
		{{148, 4, 0, 0, 137, 3, 4, 0}, SNIF_REASON_SOURCE_ROUTE},	   /* behind router alert */
		{{148, 4, 0, 0, 1, 1, 1, 0}, SNIF_REASON_SOCKET_TYPE},		   /* router alert alone */
		{{148, 4, 0, 0, 1, 1, 1, 1}, SNIF_REASON_SOCKET_TYPE},		   /* the end is the header's */
		{{0, 131, 7, 4, 198, 51, 100, 1}, SNIF_REASON_SOCKET_TYPE},	   /* behind the end */
		{{7, 7, 4, 0, 0, 0, 0, 0}, SNIF_REASON_SOCKET_TYPE},		   /* record route goes nowhere else */
		{{148, 0, 131, 7, 4, 198, 51, 100}, SNIF_REASON_MALFORMED_PACKET}, /* a length that stands still */
		{{148, 1, 131, 7, 4, 198, 51, 100}, SNIF_REASON_MALFORMED_PACKET},
	};
	static struct bytes packet;

	(void)state;
	start(policy);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		add_ipv4(&packet, IPPROTO_TCP, 0, options[i].bytes, sizeof(options[i].bytes));
		add_tcp(&packet, 5, SYN);
		expect_drop(&packet, options[i].reason);
	}
}

/* `count` extension headers of type `type`, 8 bytes each, then `next`. */
static void add_chain(struct bytes *packet, uint8_t type, unsigned count, uint8_t next) {
	add_ipv6(packet, count ? type : next);
	for (unsigned i = 1; i <= count; i++) {
		bytes_number(packet, 1, i == count ? next : type);
		bytes_fill(packet, 0, 7);
	}
}

static void test_ipv6_extensions(void **state) {
	static struct bytes packet;

	(void)state;
	start(policy);
	add_chain(&packet, IPPROTO_DSTOPTS, 15, IPPROTO_TCP);
	add_tcp(&packet, 5, SYN);
	expect_drop(&packet, SNIF_REASON_SOCKET_TYPE);
	add_chain(&packet, IPPROTO_DSTOPTS, 16, IPPROTO_TCP);
	add_tcp(&packet, 5, SYN);
	expect_drop(&packet, SNIF_REASON_MALFORMED_PACKET);
	add_chain(&packet, IPPROTO_ROUTING, 1, IPPROTO_TCP);
	add_tcp(&packet, 5, SYN);
	expect_drop(&packet, SNIF_REASON_SOURCE_ROUTE);
	add_chain(&packet, IPPROTO_HOPOPTS, 2, IPPROTO_ROUTING);
	bytes_number(&packet, 4, IPPROTO_TCP << 24);
	bytes_number(&packet, 4, 0);
	add_tcp(&packet, 5, SYN);
	expect_drop(&packet, SNIF_REASON_SOURCE_ROUTE);
	add_chain(&packet, IPPROTO_HOPOPTS, 1, IPPROTO_FRAGMENT);
	bytes_fill(&packet, 0, 8);
	add_tcp(&packet, 5, SYN);
	expect_drop(&packet, SNIF_REASON_FRAGMENT);
	/* the authentication header counts in fours */
	add_ipv6(&packet, IPPROTO_AH);
	bytes_number(&packet, 2, IPPROTO_TCP << 8 | 1);
	bytes_fill(&packet, 0, 10);
	add_tcp(&packet, 5, SYN);
	expect_drop(&packet, SNIF_REASON_SOCKET_TYPE);
}

static void test_v4_mapped(void **state) {
	static struct bytes packet;

	(void)state;
	start(policy);
	add_ipv6(&packet, IPPROTO_TCP);
	memcpy(packet.data + ETH_HLEN + 24, (const uint8_t[16]){[10] = 0xff, 0xff, 192, 0, 2, 2}, 16);
	add_tcp(&packet, 5, SYN);
	expect_drop(&packet, SNIF_REASON_V4_MAPPED);
	packet.data[ETH_HLEN + 24 + 11] = 0xfe;
	expect_drop(&packet, SNIF_REASON_SOCKET_TYPE);
}

static void test_malformed_headers(void **state) {
	static struct bytes packet;

	(void)state;
	start(policy);
	add_ipv4(&packet, IPPROTO_TCP, 0, NULL, 0);
	add_tcp(&packet, 4, SYN); /* a TCP header under 20 bytes */
	expect_drop(&packet, SNIF_REASON_MALFORMED_PACKET);
	add_ipv4(&packet, IPPROTO_TCP, 0, NULL, 0);
	add_tcp(&packet, 6, SYN); /* one that ends behind the packet */
	expect_drop(&packet, SNIF_REASON_MALFORMED_PACKET);
	add_ipv4(&packet, IPPROTO_TCP, 0, NULL, 0);
	packet.data[ETH_HLEN] = 0x44; /* an IPv4 header under 20 bytes */
	add_tcp(&packet, 5, SYN);
	expect_drop(&packet, SNIF_REASON_MALFORMED_PACKET);
	add_link(&packet, ETH_P_ARP);
	bytes_fill(&packet, 0, 46);
	expect_drop(&packet, SNIF_REASON_MALFORMED_PACKET);
}

/* Cut off anywhere, no packet passes, and only whole ones are more than malformed. */
static void test_truncated(void **state) {
	static const uint8_t options[8] = {1, 1, 1, 1, 1, 1, 1, 1};
	static struct bytes packets[2];

	(void)state;
	start(policy);
	add_ipv4(&packets[0], IPPROTO_TCP, 0, options, sizeof(options));
	add_chain(&packets[1], IPPROTO_DSTOPTS, 3, IPPROTO_TCP);
	for (int i = 0; i < 2; i++) {
		size_t whole;

		add_tcp(&packets[i], 5, ACK);
		whole = packets[i].length;
		/* the kernel itself refuses to run on less than an IP header */
		for (size_t length = ETH_HLEN + (i == 0 ? 20 : 40); length <= whole; length++) {
			packets[i].length = length;
			assert_int_equal(run(&packets[i]), DROPPED);
			lab_expect(SNIF_DENY, length < whole ? SNIF_REASON_MALFORMED_PACKET : SNIF_REASON_SOCKET_TYPE);
		}
	}
	lab_expect_no_more();
}

/* Each drop is counted under its reason. */
static void test_counters(void **state) {
	static struct bytes packet;

	(void)state;
	start(policy);
	add_ipv4(&packet, IPPROTO_TCP, 0x2000, NULL, 0);
	add_tcp(&packet, 5, SYN);
	for (int i = 0; i < 5; i++)
		assert_int_equal(run(&packet), DROPPED);
	assert_int_equal(filter_counter(lab_filter(), 0, SNIF_REASON_FRAGMENT), 5);
	assert_int_equal(filter_counter(lab_filter(), 0, SNIF_REASON_SOURCE_ROUTE), 0);
	assert_int_equal(filter_counter(lab_filter(), 0, SNIF_COUNTER_LOST), 0);
}

static void test_audit_passes(void **state) {
	static struct bytes packet;

	(void)state;
	start("version: 1\nmode: audit\n");
	add_ipv4(&packet, IPPROTO_TCP, 0x2000, NULL, 0);
	add_tcp(&packet, 5, SYN);
	assert_int_equal(run(&packet), PASSED);
	assert_int_equal(lab_expect(SNIF_DENY, SNIF_REASON_FRAGMENT)->mode, SNIF_AUDIT);
	lab_expect_no_more();
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_no_policy, stop),
		cmocka_unit_test_teardown(test_socket_type, stop),
		cmocka_unit_test_teardown(test_fragments, stop),
		cmocka_unit_test_teardown(test_ipv4_options, stop),
		cmocka_unit_test_teardown(test_ipv6_extensions, stop),
		cmocka_unit_test_teardown(test_v4_mapped, stop),
		cmocka_unit_test_teardown(test_malformed_headers, stop),
		cmocka_unit_test_teardown(test_truncated, stop),
		cmocka_unit_test_teardown(test_counters, stop),
		cmocka_unit_test_teardown(test_audit_passes, stop),
	};
	return cmocka_run_group_tests_name("egress", tests, NULL, NULL);
}
