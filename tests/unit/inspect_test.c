/* SPDX-License-Identifier: BSD-2-Clause */
/* Capture files ──► the lines, messages and exit codes that `snifence inspect` promises. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/lines_kept.h"
#include "../support/output.h"
#include "../support/put_file.h"
#include "../support/packet_maker.h"
#include "base/message.h"
#include "inspect/inspect.h"
#include "learn/learn.h"

#define LITERAL(text) (text), sizeof(text) - 1
#define IPV4_FLOW "2023-11-14T22:13:20.123456+0000 192.0.2.1:40000 > 198.51.100.7:443 "
#define IPV6_FLOW "2023-11-14T22:13:20.123456+0000 [2001:db8::1]:40000 > [2001:db8::7]:443 "
#define GOOD_LINE IPV4_FLOW "www.a.example TLS 1.3 segments=1 records=1"
#define REFUSED_NAME "a b\\\n.example"

static const char policy_text[] = "version: 1\n"
				  "mode: audit\n"
				  "tls:\n"
				  "  to: [198.51.100.0/24]\n"
				  "  ech: deny\n"
				  "  allow:\n"
				  "    - www.a.example\n";
static const struct timeval when = {.tv_sec = 1700000000, .tv_usec = 123456};

static char folder[] = "/tmp/snifence-inspect-XXXXXX";
static char capture[64], second_capture[64], policy_file[64];
static char out[16384], err[4096];
static struct bytes hello, frame; /* large, so not on the stack */

static int set_up(void **state) {
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	if (!mkdtemp(folder))
		return -1;
	snprintf(capture, sizeof(capture), "%s/one.pcap", folder);
	snprintf(second_capture, sizeof(second_capture), "%s/two.pcap", folder);
	snprintf(policy_file, sizeof(policy_file), "%s/policy.yaml", folder);
	put_file(policy_file, policy_text);
	return 0;
}

static int tear_down(void **state) {
	(void)state;
	unlink(capture);
	unlink(second_capture);
	unlink(policy_file);
	return rmdir(folder);
}

/* Runs the subcommand; what it prints is in `out` and `err`. */
static int run(const char *const words[]) {
	int code = output_of(inspect_main, words, out, sizeof(out), err, sizeof(err));

	if (out[0] == '{')
		fputs(out, lines_kept());
	return code;
}

#define RUN(...) run((const char *const[]){"inspect", __VA_ARGS__, NULL})

/* Writes a capture of one frame, `before` and then the packet. */
static void write_capture(const char *path, int link_type, const void *before, size_t length,
			  const struct packet *packet) {
	pcap_t *dead = pcap_open_dead(link_type, 262144);
	pcap_dumper_t *dump = pcap_dump_open(dead, path);
	struct pcap_pkthdr header = {.ts = when};

	assert_non_null(dump);
	frame.length = 0;
	bytes_add(&frame, before, length);
	packet_make(&frame, packet);
	bytes_fill(&frame, 0, 6); /* padding */
	header.caplen = header.len = (bpf_u_int32)frame.length;
	pcap_dump((u_char *)dump, &header, frame.data);
	pcap_dump_close(dump);
	pcap_close(dead);
}

static void write_hello(const char *path, const struct hello *what) {
	hello_make(&hello, what);
	write_capture(path, DLT_RAW, NULL, 0, &(struct packet){.data = hello.data, .length = hello.length});
}

static void every_link_type_leads_to_ip(void **state) {
	static const struct {
		int type;
		const char *before;
		size_t length;
		bool ipv6;
	} cases[] = {
		{DLT_EN10MB, LITERAL("dst...src...\x08\x00"), false},
		{DLT_EN10MB, LITERAL("dst...src...\x86\xdd"), true},
		{DLT_EN10MB, LITERAL("dst...src...\x81\x00\x00\x05\x08\x00"), false},
		{DLT_EN10MB, LITERAL("dst...src...\x88\xa8\x00\x05\x81\x00\x00\x06\x86\xdd"), true},
		{DLT_EN10MB, LITERAL("dst...src...\x89\x09\x01\x01\x00\x01\x00\x0f\x08\x00"), false},
		{DLT_LINUX_SLL, LITERAL("\0\0\0\1\0\6......\0\0\x08\x00"), false},
		{DLT_LINUX_SLL, LITERAL("\0\0\0\1\0\6......\0\0\x81\x00\0\1\x86\xdd"), true},
		{DLT_LINUX_SLL2, LITERAL("\x08\x00\0\0\0\0\0\1\0\1\0\6........"), false},
		{DLT_LINUX_SLL2, LITERAL("\x86\xdd\0\0\0\0\0\1\0\1\0\6........"), true},
		{DLT_RAW, "", 0, false},
		{DLT_RAW, "", 0, true},
		{DLT_IPV4, "", 0, false},
		{DLT_IPV6, "", 0, true},
		{DLT_NULL, LITERAL("\2\0\0\0"), false},
		{DLT_NULL, LITERAL("\x1e\0\0\0"), true},
		{DLT_LOOP, LITERAL("\0\0\0\2"), false},
	};

	(void)state;
	hello_make(&hello, &(struct hello){.name = "www.a.example"});
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_capture(capture, cases[i].type, cases[i].before, cases[i].length,
			      &(struct packet){.ipv6 = cases[i].ipv6, .data = hello.data, .length = hello.length});
		assert_int_equal(RUN(capture), 0);
		assert_string_equal(err, "");
		assert_string_equal(out, cases[i].ipv6 ? IPV6_FLOW "www.a.example TLS 1.3 segments=1 records=1\n"
						       : GOOD_LINE "\n");
	}
}

static void frames_without_ip_are_passed_over(void **state) {
	char expected[512];

	(void)state;
	write_capture(capture, DLT_EN10MB, LITERAL("dst...src...\x08\x06"), &(struct packet){.length = 0});
	assert_int_equal(RUN(capture), 0);
	assert_string_equal(out, "");
	snprintf(expected, sizeof(expected), "snifence: inspect: %s: no connection in it begins with TLS\n", capture);
	assert_string_equal(err, expected);
	write_hello(second_capture, &(struct hello){.name = "www.a.example"});
	assert_int_equal(RUN(second_capture, capture), 0);
	assert_string_equal(err, expected);
}

/* A block of pcapng: type, length, what is in it, length. */
static void add_block(struct bytes *file, uint32_t type, const void *data, size_t length) {
	uint32_t total = 12 + (uint32_t)(length + 3) / 4 * 4;

	bytes_add(file, &type, 4);
	bytes_add(file, &total, 4);
	bytes_add(file, data, length);
	bytes_fill(file, 0, total - 12 - length);
	bytes_add(file, &total, 4);
}

static void write_bytes(const char *path, const void *data, size_t length) {
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

/* What blocks of pcapng begin with. */
static const struct {
	uint32_t magic;
	uint16_t major, minor;
	int64_t length;
} section = {0x1a2b3c4d, 1, 0, -1};

struct interface {
	uint16_t link, reserved;
	uint32_t snaplen;
	uint16_t option, option_length; /* 9: the resolution of time */
	uint32_t resolution;
};

/* A packet of an interface, at a time in its units, with `before` in front of the IP header. */
static void add_packet(struct bytes *file, uint32_t interface, uint64_t time, const char *before, size_t length,
		       const struct packet *what) {
	static struct bytes body, packet;
	uint32_t lengths[2], head[3] = {interface, (uint32_t)(time >> 32), (uint32_t)time};

	packet.length = body.length = 0;
	bytes_add(&packet, before, length);
	packet_make(&packet, what);
	lengths[0] = lengths[1] = (uint32_t)packet.length;
	bytes_add(&body, head, sizeof(head));
	bytes_add(&body, lengths, sizeof(lengths));
	bytes_add(&body, packet.data, packet.length);
	add_block(file, 6, body.data, body.length);
}

/* Interfaces that differ in link type, snapshot length and resolution: as merged files have them. */
static void make_pcapng(struct bytes *file) {
	static const struct interface interfaces[] = {
		{101, 0, 262144, 0, 0, 0}, {1, 0, 96, 9, 1, 9}, {9, 0, 0, 0, 0, 0}};
	uint64_t time = (uint64_t)when.tv_sec * 1000000 + (uint64_t)when.tv_usec;

	file->length = 0;
	hello_make(&hello, &(struct hello){.name = "www.a.example"});
	add_block(file, 0x0a0d0d0a, &section, sizeof(section));
	for (size_t i = 0; i < 2; i++)
		add_block(file, 1, &interfaces[i], sizeof(interfaces[i]));
	add_block(file, 0x0bad, "of another kind", 15);
	add_packet(file, 1, time * 1000, "dst...src...\x08\x00", 14,
		   &(struct packet){.data = hello.data, .length = 20, .sequence = 0});
	add_packet(file, 0, time, "", 0,
		   &(struct packet){.data = hello.data + 20, .length = hello.length - 20, .sequence = 20});
	add_block(file, 1, &interfaces[2], sizeof(interfaces[2]));
}

static void pcapng_is_read(void **state) {
	static struct bytes file;

	(void)state;
	make_pcapng(&file);
	write_bytes(capture, file.data, file.length);
	assert_int_equal(RUN(capture), 0);
	assert_non_null(strstr(out, " www.a.example TLS 1.3 segments=2 records=1\n"));
	assert_memory_equal(out, GOOD_LINE, 28);
	assert_string_equal(err, "");
}

#define REPORTED(second, port, rest) second " 192.0.2.1:" port " > 192.0.2.2:443 " rest "\n"
#define OF_PCAPNG                                                                                                      \
	REPORTED("2023-07-08T20:57:40.264936+0000", "4000",                                                            \
		 "allowed.test TLS 1.3 segments=1 records=1 allow name_allowed (the server name is on the allowlist) " \
		 "rule POLICY:3: allowed.test")                                                                        \
	REPORTED("2023-07-08T20:57:40.264936+0000", "4001",                                                            \
		 "other.test TLS 1.3 segments=1 records=1 deny name_not_allowed (no rule allows this server name)")

/*
 * What people have reported of other readers: interfaces with lengths or links of their own are not read, long hellos
 * are refused, and the name of what is refused for another reason is not told.
 */
static void captures_of_reports(void **state) {
	static const char text[] = "version: 1\ntls:\n  allow: [allowed.test, \"*.wild.test\"]\ndns: {servers: none}\n";
	static const struct {
		const char *file, *told;
	} cases[] = {
		{"one-interface.pcapng", OF_PCAPNG},
		{"two-snaplens.pcapng", OF_PCAPNG},
		{"ethernet-and-raw.pcapng", OF_PCAPNG},
		{"unused-second.pcapng", OF_PCAPNG},
		{"long-hellos.pcap",
		 REPORTED(
			 "2023-11-14T22:13:21.000003+0000", "2000",
			 "allowed.test TLS 1.2 segments=1 records=1 deny hello_too_long (the ClientHello is longer than the "
			 "policy's `tls.max_hello`)")
			 REPORTED(
				 "2023-11-14T22:13:22.000032+0000", "2001",
				 "allowed.test TLS 1.3 segments=12 records=1 allow name_allowed (the server name is on the "
				 "allowlist) rule POLICY:3: allowed.test")},
		{"name-then-refused.pcap",
		 REPORTED(
			 "2023-11-14T22:13:21.000003+0000", "2000",
			 "allowed.test TLS 1.3 segments=1 records=1 deny extension_twice (the same extension appears twice)")
			 REPORTED(
				 "2023-11-14T22:13:22.000008+0000", "2001",
				 "allowed.test TLS 1.3 segments=1 records=1 deny esni (the hello carries legacy encrypted SNI)")
				 REPORTED(
					 "2023-11-14T22:13:24.000018+0000", "2003",
					 "allowed.test TLS 1.2 segments=1 records=1 deny split_records (the ClientHello is cut "
					 "over several TLS records, which some receivers misread)")
					 REPORTED(
						 "2023-11-14T22:13:23.000013+0000", "2002",
						 "allowed.test TLS 1.3 segments=1 records=1 deny hello_incomplete (the "
						 "connection ended in the middle of its ClientHello)")},
	};
	char file[64], expected[1024];
	const char *place;

	(void)state;
	put_file(policy_file, text);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(file, sizeof(file), "tests/captures/reports/%s", cases[i].file);
		assert_int_equal(RUN("--policy", policy_file, file), 0);
		assert_string_equal(err, "");
		place = strstr(cases[i].told, "POLICY");
		snprintf(expected, sizeof(expected), "%.*s%s%s", place ? (int)(place - cases[i].told) : 0,
			 cases[i].told, place ? policy_file : "", place ? place + strlen("POLICY") : cases[i].told);
		assert_string_equal(out, expected);
	}
	put_file(policy_file, policy_text);
}

/* Only where there is a packet of it: then the rest is read, and the file was not read as a whole. */
static void unknown_link_of_an_interface(void **state) {
	static struct bytes file;
	char expected[512];

	(void)state;
	make_pcapng(&file);
	add_packet(&file, 2, 0, "", 0, &(struct packet){.data = "x", .length = 1});
	write_bytes(capture, file.data, file.length);
	assert_int_equal(RUN(capture), 1);
	assert_non_null(strstr(out, " www.a.example "));
	snprintf(
		expected, sizeof(expected),
		"snifence: inspect: %s: cannot read packets of link type PPP (9), only Ethernet, Linux cooked, raw IP and "
		"loopback\n",
		capture);
	assert_string_equal(err, expected);
}

/* At every byte: it is told, save where a block ends; and whatever stands in the place of a length. */
static void damaged_pcapng(void **state) {
	static struct bytes file;
	size_t whole = 0;

	(void)state;
	make_pcapng(&file);
	for (size_t length = 28; length < file.length; length++) {
		write_bytes(capture, file.data, length);
		whole += RUN(capture) == 0;
	}
	assert_int_equal(whole, 6); /* behind each block but the last */
	for (size_t at = 0; at + 4 <= file.length; at += 4) {
		static struct bytes damaged;

		damaged = file;
		memset(damaged.data + at, 0xff, 4);
		write_bytes(capture, damaged.data, damaged.length);
		assert_in_range(RUN(capture), 0, 1);
	}
}

static void what_is_no_good_name_is_told(void **state) {
	const struct hello_extension ech = {.type = 0xfe0d, .data = "", .length = 0};

	(void)state;
	write_hello(capture, &(struct hello){.name = NULL, .tls12 = 1});
	assert_int_equal(RUN(capture), 0);
	assert_string_equal(out, IPV4_FLOW
			    "- TLS 1.2 segments=1 records=1 sni_missing (the hello has no server_name extension)\n");
	write_hello(capture, &(struct hello){.name = REFUSED_NAME});
	assert_int_equal(RUN(capture), 0);
	assert_string_equal(
		out,
		IPV4_FLOW "a\\x20b\\x5c\\x0a.example TLS 1.2 segments=1 records=1 name_invalid (the server name is not "
			  "a hostname)\n");
	write_hello(capture, &(struct hello){.name = "www.a.example", .extra = &ech, .extra_count = 1});
	assert_int_equal(RUN(capture), 0);
	assert_non_null(strstr(out, " www.a.example TLS 1.3 segments=1 records=1 ech\n"));
}

/* The name was there before the refusal: it is told, as in a log of `run`. */
static void a_name_is_told_of_a_hello_that_is_refused(void **state) {
	const struct hello_extension again[] = {{.type = 0x1a1a}, {.type = 0x1a1a}};

	(void)state;
	write_hello(capture, &(struct hello){.name = "www.a.example", .size = 20213, .record_size = 16384});
	assert_int_equal(RUN(capture), 0);
	assert_string_equal(out,
			    IPV4_FLOW "www.a.example TLS 1.2 segments=1 records=1 hello_too_long (the ClientHello is "
				      "longer than the policy's `tls.max_hello`)\n");
	assert_int_equal(RUN("--json", capture), 0);
	assert_non_null(strstr(out, "\"sni\":\"www.a.example\""));
	write_bytes(second_capture, LITERAL("version: 1\ntls: {max_hello: 20213, allow: [www.a.example]}\n"));
	assert_int_equal(RUN("--policy", second_capture, capture), 0);
	assert_non_null(strstr(out, " www.a.example TLS 1.3 segments=1 records=2 allow name_allowed ("));
	write_hello(capture, &(struct hello){.name = "www.a.example", .record_size = 150});
	assert_int_equal(RUN(capture), 0);
	assert_non_null(strstr(out, " www.a.example TLS 1.2 segments=1 records=1 split_records ("));
	write_hello(capture, &(struct hello){.name = "www.a.example.", .extra = again, .extra_count = 2});
	assert_int_equal(RUN(capture), 0);
	assert_non_null(strstr(out, " - TLS 1.2 segments=1 records=1 extension_twice ("));
}

static void a_policy_judges(void **state) {
	const struct hello_extension ech = {.type = 0xfe0d, .data = "", .length = 0};
	char line[512];

	(void)state;
	write_hello(capture, &(struct hello){.name = "WWW.a.example"});
	assert_int_equal(RUN("--policy", policy_file, capture), 0);
	snprintf(line, sizeof(line),
		 "%s allow name_allowed (the server name is on the allowlist) rule %s:7: www.a.example\n", GOOD_LINE,
		 policy_file);
	assert_string_equal(out, line);
	write_hello(capture, &(struct hello){.name = "b.example"});
	assert_int_equal(RUN("--policy", policy_file, capture), 0);
	assert_string_equal(out, IPV4_FLOW
			    "b.example TLS 1.3 segments=1 records=1 deny name_not_allowed (no rule allows this "
			    "server name); audit mode: it would be logged and let through\n");
	write_bytes(second_capture, LITERAL("version: 1\n"));
	assert_int_equal(RUN("--policy", second_capture, capture), 0);
	assert_string_equal(out, IPV4_FLOW "b.example TLS 1.3 segments=1 records=1 deny address_not_allowed (no rule "
					   "covers this address)\n");
	write_hello(capture, &(struct hello){.name = NULL});
	assert_int_equal(RUN("--policy", policy_file, capture), 0);
	assert_non_null(strstr(out, " deny sni_missing ("));
	write_hello(capture, &(struct hello){.name = "www.a.example", .extra = &ech, .extra_count = 1});
	assert_int_equal(RUN("--policy", policy_file, capture), 0);
	assert_non_null(strstr(out, " ech deny ech_denied ("));
}

/* TLS behind PostgreSQL's question for it is judged by its name where a rule says so, and is none elsewhere. */
static void what_begins_with_a_question_is_judged(void **state) {
	static const uint8_t question[] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};
	static const struct {
		const char *host, *verdict;
	} cases[] = {
		{"{host: pg.test, starts: postgres}", " pg.test TLS 1.3 segments=1 records=1 allow name_allowed ("},
		{"{host: other.test, starts: postgres}",
		 " pg.test TLS 1.3 segments=1 records=1 deny name_not_allowed ("},
		{"pg.test", " pg.test TLS 1.3 segments=1 records=1 deny not_tls ("},
	};
	char text[256];

	(void)state;
	hello.length = frame.length = 0;
	hello_make(&frame, &(struct hello){.name = "pg.test"});
	bytes_add(&hello, question, sizeof(question));
	bytes_add(&hello, frame.data, frame.length);
	write_capture(capture, DLT_RAW, NULL, 0, &(struct packet){.data = hello.data, .length = hello.length});
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(text, sizeof(text), "version: 1\ndns: {servers: none}\ntls: {allow: [%s]}\n", cases[i].host);
		put_file(policy_file, text);
		assert_int_equal(run((const char *[]){"inspect", "--policy", policy_file, capture, NULL}), 0);
		if (!strstr(out, cases[i].verdict))
			fail_msg("%s is not in %s", cases[i].verdict, out);
	}
	put_file(policy_file, policy_text);
}

static void packets_are_judged_too(void **state) {
	static const uint8_t source_route[] = {1, 131, 3, 4};
	const struct {
		struct packet packet;
		const char *verdict;
	} cases[] = {
		{{.ipv6 = true}, " deny address_not_allowed ("},
		{{.from_server = true, .flags = TH_SYN | TH_ACK}, " allow inbound_allowed ("},
		{{.flags = TH_ACK | TH_URG}, " deny urgent_data ("},
		{{.between = source_route, .between_length = sizeof(source_route)}, " deny source_route ("},
	};

	(void)state;
	hello_make(&hello, &(struct hello){.name = "www.a.example"});
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet packet = cases[i].packet;

		packet.data = hello.data;
		packet.length = hello.length;
		if (packet.flags & TH_URG)
			packet.urgent = (uint16_t)(hello.length + 1);
		write_capture(capture, DLT_RAW, NULL, 0, &packet);
		assert_int_equal(RUN("--policy", policy_file, capture), 0);
		if (!strstr(out, cases[i].verdict))
			fail_msg("%s is not in: %s", cases[i].verdict, out);
	}
}

static void json_is_that_of_events(void **state) {
	char *run_id;

	(void)state;
	write_hello(capture, &(struct hello){.name = "www.a.example"});
	assert_int_equal(RUN("--json", capture), 0);
	run_id = strstr(out, "\"run_id\":\"");
	assert_non_null(run_id);
	assert_int_equal(strspn(run_id + 10, "0123456789abcdef"), 16);
	memset(run_id + 10, '0', 16);
	assert_string_equal(
		out, "{\"timestamp\":\"2023-11-14T22:13:20.123456+0000\",\"event_version\":1,"
		     "\"run_id\":\"0000000000000000\",\"sequence\":1,\"event_type\":\"tls\",\"flow_id\":1,"
		     "\"src_ip\":\"192.0.2.1\",\"src_port\":40000,\"dest_ip\":\"198.51.100.7\",\"dest_port\":443,"
		     "\"proto\":\"TCP\",\"tls\":{\"sni\":\"www.a.example\",\"version\":\"TLS 1.3\"},\"ech\":false}\n");
	write_hello(capture, &(struct hello){.name = "b.example"});
	assert_int_equal(RUN("--json", "--policy", policy_file, capture), 0);
	assert_non_null(strstr(
		out, "\"verdict\":{\"action\":\"alert\"},\"reason\":\"name_not_allowed\",\"policy\":\"policy\","));
	assert_non_null(strstr(out, "\"mode\":\"audit\""));
	assert_null(strstr(out, "cgroup"));
}

/* A capture, judged by a policy in audit mode, is as good a log as a run's. */
static void learn_reads_its_json(void **state) {
	const char *const words[] = {"learn", second_capture, NULL};

	(void)state;
	write_hello(capture, &(struct hello){.name = "new.a.example"});
	assert_int_equal(RUN("--json", "--policy", policy_file, capture), 0);
	put_file(second_capture, out);
	assert_int_equal(output_of(learn_main, words, out, sizeof(out), err, sizeof(err)), 0);
	assert_string_equal(err, "");
	assert_string_equal(out, "# What was used in 1 events, 2023-11-14 22:13:20, by `snifence learn`.\n"
				 "# Take out what should not be allowed.\n"
				 "version: 1\nmode: enforce\ntls:\n  allow:\n"
				 "    - new.a.example # once, 2023-11-14 22:13:20\n");
}

/* What is not read, and is looked for, is named for what it is. */
static void datagrams_are_named(void **state) {
	static const char quic[] = "\x45\0\0\x20\0\0\0\0\x40\x11\0\0\xc0\0\2\1\xc6\x33\x64\7"
				   "\x9c\x40\x01\xbb\0\x0c\0\0....";
	static const char dns[] = "\x45\0\0\x20\0\0\0\0\x40\x11\0\0\xc0\0\2\1\xc6\x33\x64\7"
				  "\x9c\x40\x00\x35\0\x0c\0\0....";
	char expected[1024];
	static struct bytes file;
	const struct interface interface = {101, 0, 0, 0, 0, 0};

	(void)state;
	file.length = 0;
	add_block(&file, 0x0a0d0d0a, &section, sizeof(section));
	add_block(&file, 1, &interface, sizeof(interface));
	for (int i = 0; i < 3; i++) {
		struct {
			uint32_t interface, high, low, captured, length;
			char bytes[32];
		} packet = {0, 0, 0, 32, 32, ""};

		memcpy(packet.bytes, i < 2 ? quic : dns, sizeof(packet.bytes));
		add_block(&file, 6, &packet, sizeof(packet));
	}
	write_bytes(capture, file.data, file.length);
	assert_int_equal(RUN(capture), 0);
	assert_string_equal(out, "");
	snprintf(expected, sizeof(expected),
		 "snifence: inspect: %1$s: packets of QUIC (UDP 443) were passed over, whose names are not read: 2\n"
		 "snifence: inspect: %1$s: packets of DNS (UDP 53) were passed over: 1\n"
		 "snifence: inspect: %1$s: no connection in it begins with TLS\n",
		 capture);
	assert_string_equal(err, expected);
}

static void files_that_cannot_be_read_do_not_stop_the_others(void **state) {
	char expected[512];

	(void)state;
	write_hello(capture, &(struct hello){.name = "www.a.example"});
	write_bytes(second_capture, "this is not a capture at all", 28);
	assert_int_equal(RUN(second_capture, "/nonexistent.pcap", capture), EXIT_UNREAD);
	snprintf(expected, sizeof(expected), "%s: " GOOD_LINE "\n", capture);
	assert_string_equal(out, expected);
	snprintf(expected, sizeof(expected),
		 "snifence: inspect: %s: not a capture that can be read: unknown file format\n"
		 "snifence: inspect: /nonexistent.pcap: No such file or directory\n",
		 second_capture);
	assert_string_equal(err, expected);
	write_capture(second_capture, DLT_PPP, NULL, 0, &(struct packet){.length = 0});
	assert_int_equal(RUN(capture, second_capture), EXIT_UNREAD);
	snprintf(expected, sizeof(expected), "%s: " GOOD_LINE "\n", capture);
	assert_string_equal(out, expected);
	snprintf(
		expected, sizeof(expected),
		"snifence: inspect: %s: cannot read link type PPP (9), only Ethernet, Linux cooked, raw IP and loopback\n",
		second_capture);
	assert_string_equal(err, expected);
}

/* Nobody may ever write to it; what a shell's <(command) has made is read. */
static void a_pipe_is_not_waited_for(void **state) {
	char expected[512], path[32];
	int pair[2];

	(void)state;
	unlink(second_capture);
	assert_int_equal(mkfifo(second_capture, 0600), 0);
	alarm(5);
	assert_int_equal(RUN(second_capture), EXIT_UNREAD);
	snprintf(expected, sizeof(expected), "snifence: inspect: %s: it is a pipe: give it as standard input, by -\n",
		 second_capture);
	assert_string_equal(err, expected);
	assert_int_equal(unlink(second_capture), 0);
	assert_int_equal(pipe(pair), 0);
	assert_int_equal(write(pair[1], "no capture", 10), 10);
	close(pair[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", pair[0]);
	assert_int_equal(RUN(path), EXIT_UNREAD);
	snprintf(expected, sizeof(expected),
		 "snifence: inspect: %s: not a capture that can be read: unknown file format\n", path);
	assert_string_equal(err, expected);
	close(pair[0]);
	alarm(0);
}

static void a_truncated_capture_is_read_as_far_as_it_goes(void **state) {
	char expected[512];
	long size;
	FILE *file;

	(void)state;
	write_hello(capture, &(struct hello){.name = "www.a.example"});
	file = fopen(capture, "a");
	fputs("half a header", file);
	size = ftell(file);
	fclose(file);
	assert_int_equal(RUN(capture, capture), EXIT_UNREAD);
	snprintf(expected, sizeof(expected), "%1$s: " GOOD_LINE "\n%1$s: " GOOD_LINE "\n", capture);
	assert_string_equal(out, expected);
	snprintf(
		expected, sizeof(expected),
		"snifence: inspect: %s: could be read only up to packet 1: truncated dump file; tried to read 16 header "
		"bytes, only got 13\n",
		capture);
	assert_non_null(strstr(err, expected));
	assert_int_equal(truncate(capture, size - 13 - 50), 0);
	assert_int_equal(RUN(capture), EXIT_UNREAD);
	assert_string_equal(out, "");
}

static void fragments_are_told(void **state) {
	char expected[512];

	(void)state;
	write_capture(capture, DLT_RAW, NULL, 0, &(struct packet){.fragment = 0x2000, .data = "x", .length = 1});
	assert_int_equal(RUN(capture), 0);
	snprintf(expected, sizeof(expected),
		 "snifence: inspect: %s: IP fragments were passed over, as they are not put together: 1\n"
		 "snifence: inspect: %s: no connection in it begins with TLS\n",
		 capture, capture);
	assert_string_equal(err, expected);
}

static void a_wrong_command_line_or_policy_is_told(void **state) {
	(void)state;
	assert_int_equal(run((const char *const[]){"inspect", NULL}), EXIT_USAGE);
	assert_string_equal(err, "snifence: inspect: no capture file is named; `snifence inspect --help` shows how\n");
	assert_int_equal(RUN("--polcy", "x"), EXIT_USAGE);
	assert_string_equal(
		err,
		"snifence: inspect: there is no such option: --polcy (did you mean --policy?); `snifence inspect --help` shows how\n");
	assert_int_equal(RUN(capture, "--policy"), EXIT_USAGE);
	assert_string_equal(
		err, "snifence: inspect: an argument is missing after --policy; `snifence inspect --help` shows how\n");
	assert_int_equal(RUN("--policy", "/nonexistent.yaml", capture), EXIT_USAGE);
	assert_string_equal(out, "");
	assert_int_equal(RUN("--help"), 0);
	assert_memory_equal(out, "Usage: snifence inspect ", 24);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_link_type_leads_to_ip),
		cmocka_unit_test(frames_without_ip_are_passed_over),
		cmocka_unit_test(pcapng_is_read),
		cmocka_unit_test(captures_of_reports),
		cmocka_unit_test(unknown_link_of_an_interface),
		cmocka_unit_test(damaged_pcapng),
		cmocka_unit_test(what_is_no_good_name_is_told),
		cmocka_unit_test(a_name_is_told_of_a_hello_that_is_refused),
		cmocka_unit_test(a_policy_judges),
		cmocka_unit_test(what_begins_with_a_question_is_judged),
		cmocka_unit_test(packets_are_judged_too),
		cmocka_unit_test(json_is_that_of_events),
		cmocka_unit_test(learn_reads_its_json),
		cmocka_unit_test(datagrams_are_named),
		cmocka_unit_test(files_that_cannot_be_read_do_not_stop_the_others),
		cmocka_unit_test(a_pipe_is_not_waited_for),
		cmocka_unit_test(a_truncated_capture_is_read_as_far_as_it_goes),
		cmocka_unit_test(fragments_are_told),
		cmocka_unit_test(a_wrong_command_line_or_policy_is_told),
	};

	return cmocka_run_group_tests_name("inspect", tests, set_up, tear_down);
}
