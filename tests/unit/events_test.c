/* SPDX-License-Identifier: BSD-2-Clause */
/* events.c: what one event looks like as a line of JSON, whatever bytes are in it. */
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "events_expect.h"

static void test_hello(void **state) {
	struct snif_event event = hello_event();

	(void)state;
	expect_line(&event, &context,
		    "{\"timestamp\":\"2026-01-02T03:04:05.123456+0000\"," LINE_ID
		    "\"event_type\":\"tls\",\"flow_id\":77,"
		    "\"src_ip\":\"192.0.2.1\",\"src_port\":40000,\"dest_ip\":\"203.0.113.9\",\"dest_port\":443,"
		    "\"proto\":\"TCP\",\"tls\":{\"sni\":\"forbidden.test\",\"version\":\"TLS 1.3\"},\"ech\":false,"
		    "\"verdict\":{\"action\":\"drop\"},\"reason\":\"name_denied\",\"rule\":\"agent.yaml:7\","
		    "\"policy\":\"agent\",\"policy_sha256\":\"c0ffee\",\"mode\":\"enforce\",\"hook\":\"egress\","
		    "\"process\":{\"pid\":1234,\"name\":\"curl\",\"uid\":1000},"
		    "\"cgroup\":{\"id\":4711,\"path\":\"/snifence-42\"}}");
}

/* Refused in connect(): neither source nor hello nor rule are there. */
static void test_connect(void **state) {
	struct snif_event event = hello_event();

	(void)state;
	event.hook = SNIF_HOOK_CONNECT;
	event.reason = SNIF_REASON_ADDRESS_NOT_ALLOWED;
	event.flow = event.rule = event.flags = event.source_port = 0;
	memset(event.source, 0, 16);
	expect_line(
		&event, &context,
		"{\"timestamp\":\"2026-01-02T03:04:05.123456+0000\"," LINE_ID "\"event_type\":\"flow\","
		"\"dest_ip\":\"203.0.113.9\",\"dest_port\":443,\"proto\":\"TCP\",\"verdict\":{\"action\":\"reject\"},"
		"\"reason\":\"address_not_allowed\",\"policy\":\"agent\",\"policy_sha256\":\"c0ffee\","
		"\"mode\":\"enforce\",\"hook\":\"connect\",\"process\":{\"pid\":1234,\"name\":\"curl\",\"uid\":1000},"
		"\"cgroup\":{\"id\":4711,\"path\":\"/snifence-42\"}}");
}

/* A capture has no cgroup and no hook; and maybe no policy. An event can know next to nothing. */
static void test_little_known(void **state) {
	struct event_context nothing = {.wall_clock = true};
	struct snif_event event = {
		.verdict = SNIF_DENY, .reason = SNIF_REASON_SOCKET_TYPE, .protocol = IPPROTO_SCTP, .rule = 1};

	(void)state;
	expect_line(&event, &nothing,
		    "{\"timestamp\":\"1970-01-01T00:00:00.000000+0000\"," LINE_ID
		    "\"event_type\":\"flow\",\"proto\":\"SCTP\","
		    "\"verdict\":{\"action\":\"reject\"},\"reason\":\"socket_type\",\"mode\":\"enforce\"}");
	event.flags = SNIF_EVENT_HELLO;
	assert_null(member(&event, "/tls/sni"));
	assert_null(member(&event, "/tls/version"));
	expect(&event, "/tls", "{ }");
}

/* A capture read without a policy: nothing was decided, so nothing is said of it. */
static void test_undecided(void **state) {
	struct event_context nothing = {.wall_clock = true};
	struct snif_event event = hello_event();

	(void)state;
	event.verdict = SNIF_UNDECIDED;
	event.reason = SNIF_REASON_NONE;
	memset(&event.process, 0, sizeof(event.process));
	expect_line(&event, &nothing,
		    "{\"timestamp\":\"2026-01-02T03:04:05.123456+0000\"," LINE_ID
		    "\"event_type\":\"tls\",\"flow_id\":77,"
		    "\"src_ip\":\"192.0.2.1\",\"src_port\":40000,\"dest_ip\":\"203.0.113.9\",\"dest_port\":443,"
		    "\"proto\":\"TCP\",\"tls\":{\"sni\":\"forbidden.test\",\"version\":\"TLS 1.3\"},\"ech\":false}");
}

/* Every hook and mode: a call that failed is told from a packet that was dropped. */
static void test_actions(void **state) {
	static const struct {
		const char *name, *denied;
	} hooks[] = {{"socket", "reject"}, {"connect", "reject"},    {"sendmsg", "reject"},
		     {"egress", "drop"},   {"setsockopt", "reject"}, {"device", "reject"}};
	struct snif_event event = hello_event();

	(void)state;
	for (size_t hook = 0; hook < SNIF_HOOK_COUNT; hook++)
		for (int audit = 0; audit < 2; audit++) {
			event.hook = (__u8)hook;
			event.mode = audit ? SNIF_AUDIT : SNIF_ENFORCE;
			event.verdict = SNIF_DENY;
			expect(&event, "/verdict/action", audit ? "alert" : hooks[hook].denied);
			expect(&event, "/mode", audit ? "audit" : "enforce");
			expect(&event, "/hook", hooks[hook].name);
			event.verdict = SNIF_ALLOW;
			expect(&event, "/verdict/action", "pass");
			expect(&event, "/mode", audit ? "audit" : "enforce");
		}
}

/* What is about no destination: the numbers of an option, or of a device, which is of no protocol. */
static void test_objects(void **state) {
	struct snif_event event = {.protocol = IPPROTO_UDP, .hook = SNIF_HOOK_SETSOCKOPT};

	(void)state;
	event.object.level = 41;
	event.object.option = 78;
	expect(&event, "/socket_option/level", "41");
	expect(&event, "/socket_option/option", "78");
	expect(&event, "/proto", "UDP");
	assert_null(member(&event, "/device"));
	event.hook = SNIF_HOOK_DEVICE;
	event.object.major = 10;
	event.object.minor = 200;
	expect(&event, "/device/major", "10");
	expect(&event, "/device/minor", "200");
	assert_null(member(&event, "/proto"));
	assert_null(member(&event, "/socket_option"));
}

static void test_questions_and_answers(void **state) {
	static const __u8 ipv6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
	struct snif_event event = {.flags = SNIF_EVENT_DNS, .hook = SNIF_HOOK_EGRESS, .name = "Www.Lab.Test"};

	(void)state;
	/* so far as it could be read */
	expect(&event, "/dns/type", "query");
	assert_null(member(&event, "/dns/id"));
	event.name_length = 12;
	event.object.dns.id = 7;
	event.object.dns.type = 16;
	expect(&event, "/dns/id", "7");
	expect(&event, "/dns/rrname", "www.lab.test");
	expect(&event, "/dns/rrtype", "TXT");
	assert_null(member(&event, "/dns/answers"));

	event.flags |= SNIF_EVENT_ANSWER;
	event.hook = SNIF_HOOK_COUNT;
	event.verdict = SNIF_UNDECIDED;
	expect(&event, "/dns/type", "answer");
	assert_null(member(&event, "/hook"));
	assert_null(member(&event, "/verdict"));
	assert_null(member(&event, "/dns/answers/0"));
	event.answer_count = 2;
	set_ipv4(event.answers[0].address, 0xc0000201);
	event.answers[0].ttl = 60;
	memcpy(event.answers[1].address, ipv6, 16);
	expect(&event, "/dns/answers/0/rrtype", "A");
	expect(&event, "/dns/answers/0/rdata", "192.0.2.1");
	expect(&event, "/dns/answers/0/ttl", "60");
	assert_null(member(&event, "/dns/answers/0/bound"));
	expect(&event, "/dns/answers/1/rrtype", "AAAA");
	expect(&event, "/dns/answers/1/rdata", "2001:db8::1");
	event.flags |= SNIF_EVENT_BOUND;
	event.dns = (struct snif_dns_rules){.least = 100, .most = 200, .grace = 5};
	expect(&event, "/dns/answers/0/bound", "105");
	/* of a corrupt event, no more than there is room for */
	event.answer_count = 255;
	assert_non_null(member(&event, "/dns/answers/31"));
	assert_null(member(&event, "/dns/answers/32"));
}

static void test_protocols(void **state) {
	static const struct {
		__u8 number;
		const char *name;
	} cases[] = {{0, "0"},	 {1, "ICMP"},	    {6, "TCP"},	   {17, "UDP"},	      {33, "DCCP"},
		     {47, "47"}, {58, "IPv6-ICMP"}, {132, "SCTP"}, {136, "UDP-Lite"}, {255, "255"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct snif_event event = {.protocol = cases[i].number};

		expect(&event, "/proto", cases[i].name);
	}
}

static void test_versions(void **state) {
	static const struct {
		__u16 number;
		const char *name;
	} cases[] = {{0x0300, "SSLv3"},	  {0x0301, "TLS 1.0"}, {0x0302, "TLS 1.1"},
		     {0x0303, "TLS 1.2"}, {0x0304, "TLS 1.3"}, {0x0305, "0x0305"},
		     {0x02ff, "0x02ff"},  {0xffff, "0xffff"},  {0x0001, "0x0001"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct snif_event event = {.version = cases[i].number, .flags = SNIF_EVENT_HELLO};

		expect(&event, "/tls/version", cases[i].name);
		event.flags = 0;
		assert_null(member(&event, "/tls"));
		assert_null(member(&event, "/ech"));
	}
}

static void test_addresses(void **state) {
	struct snif_event event = hello_event();
	const __u8 ipv6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, loopback[16] = {[15] = 1};

	(void)state;
	memcpy(event.source, loopback, 16);
	memcpy(event.destination, ipv6, 16);
	expect(&event, "/src_ip", "::1");
	expect(&event, "/dest_ip", "2001:db8::1");
	set_ipv4(event.destination, 0);
	expect(&event, "/dest_ip", "0.0.0.0");
	memset(event.destination, 0xff, 16);
	expect(&event, "/dest_ip", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	memset(event.destination, 0, 16);
	event.destination_port = 65535;
	assert_null(member(&event, "/dest_ip"));
	expect(&event, "/dest_port", "65535");
}

static void test_large_numbers(void **state) {
	struct snif_event event = hello_event();

	(void)state;
	event.flow = event.process.cgroup_id = UINT64_MAX;
	event.process.pid = event.process.uid = UINT32_MAX;
	expect(&event, "/flow_id", "18446744073709551615");
	expect(&event, "/cgroup/id", "18446744073709551615");
	expect(&event, "/process/pid", "4294967295");
	expect(&event, "/process/uid", "4294967295");
	event.process.pid = 0;
	assert_null(member(&event, "/process"));
	event.flags |= SNIF_EVENT_ECH;
	expect(&event, "/ech", "true");
}

/* Numbers of a newer kernel side, or of a corrupt event. */
static void test_out_of_range(void **state) {
	struct snif_event event = hello_event();

	(void)state;
	rules[1].line = 0;
	expect(&event, "/rule", "default");
	rules[1].line = 7;
	event.rule = policy.rule_count;
	assert_null(member(&event, "/rule"));
	event.rule = UINT32_MAX;
	assert_null(member(&event, "/rule"));
	event.reason = SNIF_REASON_COUNT;
	expect(&event, "/reason", "unknown");
	event.hook = event.mode = event.verdict = event.flags = 0xff;
	assert_null(member(&event, "/hook"));
	expect(&event, "/mode", "enforce");
	expect(&event, "/verdict/action", "reject");
}

/* What JSON or a terminal could stumble over. */
static void test_hostile_names(void **state) {
	static const struct {
		const char *bytes;
		size_t length;
		const char *sni;
	} cases[] = {
		{"a\"b/c", 5, "a\"b/c"},
		{"a\\x41", 5, "a\\x5cx41"},
		{"a\0b", 3, "a\\x00b"},
		{"\n\r\t\x1b[31m", 8, "\\x0a\\x0d\\x09\\x1b[31m"},
		{"caf\xc3\xa9.test", 10, "caf\\xc3\\xa9.test"},
		{"\xff\xfe\xed\xa0\x80\xc0\xaf", 7, "\\xff\\xfe\\xed\\xa0\\x80\\xc0\\xaf"},
		{"\x7f\x80 ", 3, "\\x7f\\x80 "},
		{"</script>\",\"x\":\"", 16, "</script>\",\"x\":\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct snif_event event = hello_event();

		set_name(&event, cases[i].bytes, cases[i].length);
		expect(&event, "/tls/sni", cases[i].sni);
		memset(event.process.name, 0, sizeof(event.process.name));
		memcpy(event.process.name, cases[i].bytes, cases[i].length);
		if (!memchr(cases[i].bytes, 0, cases[i].length))
			expect(&event, "/process/name", cases[i].sni);
	}
}

/* All 256 bytes in one name, and each in the name of a process. */
static void test_every_byte(void **state) {
	struct snif_event event = hello_event();
	char all[4 * 256 + 1] = "", one[5];

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		snprintf(one, sizeof(one), byte < 0x20 || byte > 0x7e || byte == '\\' ? "\\x%02x" : "%c", byte);
		strcat(all, one);
		event.name[byte] = (__u8)byte;
		memset(event.process.name, byte, 1);
		memset(event.process.name + 1, 0, 1);
		expect(&event, "/process/name", byte == 0 ? "" : one);
	}
	event.name_length = 256;
	expect(&event, "/tls/sni", all);
}

static void test_lengths(void **state) {
	static const __u16 lengths[] = {255, 256, 257, 512, 65535};
	struct snif_event event = hello_event();

	(void)state;
	memset(event.name, 'a', sizeof(event.name));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		event.name_length = lengths[i];
		assert_int_equal(event_name_length(&event), lengths[i] < 256 ? lengths[i] : 256);
		assert_int_equal(strlen(member(&event, "/tls/sni")), lengths[i] < 256 ? lengths[i] : 256);
	}
	event.name_length = 0;
	assert_null(member(&event, "/tls/sni"));
	memset(event.process.name, 'c', SNIF_COMM_LENGTH); /* without a NUL byte at its end */
	expect(&event, "/process/name", "cccccccccccccccc");
}

/* A policy's file can have any name. */
static void test_hostile_file(void **state) {
	struct rule odd[] = {{0}, {.file = "a\n\"\xff.yaml", .line = 3}};
	struct policy named = {.name = (char *)"a\n\"\xff", .rules = odd, .rule_count = 2};
	struct event_context words = {
		.policy = &named, .policy_sha256 = "00", .cgroup_path = "/\xf0\x9f\x98\x80\n", .wall_clock = true};
	struct snif_event event = {.verdict = SNIF_ALLOW, .reason = SNIF_REASON_ADDRESS_ALLOWED, .rule = 1};

	(void)state;
	expect_line(
		&event, &words,
		"{\"timestamp\":\"1970-01-01T00:00:00.000000+0000\"," LINE_ID "\"event_type\":\"flow\",\"proto\":\"0\","
		"\"verdict\":{\"action\":\"pass\"},\"reason\":\"address_allowed\","
		"\"rule\":\"a\\\\x0a\\\"\\\\xff.yaml:3\",\"policy\":\"a\\\\x0a\\\"\\\\xff\",\"policy_sha256\":\"00\","
		"\"mode\":\"enforce\",\"hook\":\"socket\","
		"\"cgroup\":{\"path\":\"/\\\\xf0\\\\x9f\\\\x98\\\\x80\\\\x0a\"}}");
}

/* CLOCK_MONOTONIC, as the kernel writes it, becomes the time of day. */
static void test_time(void **state) {
	struct event_context running = context;
	struct snif_event event = hello_event();
	struct timespec now;
	struct tm when = {0};
	char *line, *rest;
	time_t before = time(NULL);

	(void)state;
	running.wall_clock = false;
	clock_gettime(CLOCK_MONOTONIC, &now);
	event.time = (__u64)now.tv_sec * 1000000000 + (__u64)now.tv_nsec;
	line = line_in(&event, &running);
	rest = strptime(line, "{\"timestamp\":\"%Y-%m-%dT%H:%M:%S", &when);
	assert_non_null(rest);
	assert_memory_equal(rest + 7, "+0000\",", 7);
	assert_in_range(timegm(&when), before - 1, time(NULL) + 1);
	free(line);
	event.time = UINT64_MAX;
	expect(&event, "/timestamp", "2554-07-21T23:34:33.709551+0000");
}

/* Local time with its zone, cut (not rounded) to microseconds. */
static void test_zones(void **state) {
	static const struct {
		const char *zone;
		__u64 time;
		const char *timestamp;
	} cases[] = {
		{"UTC0", 1767323045000000000, "2026-01-02T03:04:05.000000+0000"},
		{"UTC0", 1767323045000000999, "2026-01-02T03:04:05.000000+0000"},
		{"UTC0", 1767323045999999999, "2026-01-02T03:04:05.999999+0000"},
		{"IST-5:30", 1767323045000001000, "2026-01-02T08:34:05.000001+0530"},
		{"NST3:30", 1767323045123456789, "2026-01-01T23:34:05.123456-0330"},
		{"CET-1CEST,M3.5.0,M10.5.0/3", 1782864000000000000, "2026-07-01T02:00:00.000000+0200"},
	};
	struct snif_event event = hello_event();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setenv("TZ", cases[i].zone, 1);
		tzset();
		event.time = cases[i].time;
		expect(&event, "/timestamp", cases[i].timestamp);
	}
}

static int write_and_flush(struct log *log) {
	struct snif_event event = hello_event();
	int error = event_write(log, &event, &context);

	return error ? error : log_flush(log);
}

/* What cannot be written is told, and not kept for another try. */
static void test_write_error(void **state) {
	FILE *full = fopen("/dev/full", "w"), *read_only = fopen("/dev/null", "r");
	struct log *to_full = log_new(full, 1), *to_read_only = log_new(read_only, 1);

	(void)state;
	assert_non_null(to_full);
	assert_non_null(to_read_only);
	assert_int_equal(write_and_flush(to_full), -ENOSPC);
	assert_int_equal(log_flush(to_full), 0);
	assert_int_equal(write_and_flush(to_full), -ENOSPC);
	assert_int_equal(write_and_flush(to_read_only), -EBADF);
	log_free(to_full);
	log_free(to_read_only);
	log_free(NULL);
	fclose(full);
	fclose(read_only);
}

/* Lines wait for a flush, or until there are 64 KiB of them; a write never ends within a line. */
static void test_whole_lines(void **state) {
	struct snif_event event = hello_event();
	static char written[65536 * 2];
	int ends[2], lines = 0;
	struct log *log;
	ssize_t length;
	FILE *out;

	(void)state;
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
	out = fdopen(ends[1], "w");
	setvbuf(out, NULL, _IONBF, 0);
	log = log_new(out, 1);
	while ((length = read(ends[0], written, sizeof(written))) < 0 && lines < 1000) {
		assert_int_equal(event_write(log, &event, &context), 0);
		lines++;
	}
	assert_in_range(lines, 65536 / 600, 65536 / 300);
	assert_true(length > 0 && written[length - 1] == '\n');
	for (ssize_t i = 0; i < length; i++)
		lines -= written[i] == '\n';
	assert_int_equal(lines, 0);
	assert_int_equal(log_flush(log), 0);
	assert_int_equal(read(ends[0], written, sizeof(written)), -1);
	assert_int_equal(write_and_flush(log), 0);
	length = read(ends[0], written, sizeof(written));
	assert_true(length > 0 && written[0] == '{' && written[length - 1] == '\n');
	log_free(log);
	fclose(out);
	close(ends[0]);
}

/* Lines are numbered; the time of day is read again for each flush. */
static void test_numbers(void **state) {
	static const char *const numbers[] = {"\"sequence\":1,", "\"sequence\":2,", "\"sequence\":3,"};
	char *text = NULL, *at;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct log *log = log_new(out, UINT64_MAX);

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(write_and_flush(log), 0);
	log_free(log);
	fclose(out);
	at = text;
	for (int i = 0; i < 3; i++) {
		assert_non_null(at = strstr(at, "\"run_id\":\"ffffffffffffffff\","));
		assert_non_null(at = strstr(at, numbers[i]));
	}
	assert_string_equal(at + strlen(at) - 1, "\n");
	free(text);
	assert_int_not_equal(log_run_id(), log_run_id());
}

/* Codes are part of the format: one word each, no two alike. */
static void test_reasons(void **state) {
	struct snif_event event = hello_event();

	(void)state;
	for (unsigned i = 0; i < SNIF_REASON_COUNT; i++) {
		const char *code = reason_code(i);

		assert_int_equal(strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(code));
		assert_true(*code && *reason_text(i));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(code, reason_code(j));
	}
#define X(constant, code, text)                                                                                        \
	event.reason = SNIF_REASON_##constant;                                                                         \
	assert_string_equal(reason_text(event.reason), text);                                                          \
	if (event.reason != SNIF_REASON_NONE)                                                                          \
		expect(&event, "/reason", code);
	SNIF_REASONS(X)
#undef X
	event.reason = SNIF_REASON_NONE;
	assert_null(member(&event, "/reason"));
	assert_string_equal(reason_code(SNIF_REASON_NAME_NOT_ALLOWED), "name_not_allowed");
	assert_string_equal(reason_code(SNIF_REASON_COUNT), "unknown");
	assert_string_equal(reason_code((enum snif_reason) - 1), "unknown");
	assert_string_equal(reason_text(SNIF_REASON_COUNT), "a reason that this version does not know");
}

/* Whatever is in an event, its line is one JSON object. */
static void test_random_events(void **state) {
	struct snif_event event;
	__u8 *bytes = (__u8 *)&event;

	(void)state;
	srand(1);
	for (int round = 0; round < 2000; round++) {
		for (size_t i = 0; i < sizeof(event); i++)
			bytes[i] = (__u8)(rand() >> 8);
		assert_non_null(member(&event, "/timestamp"));
	}
}

static int set_zone(void **state) {
	(void)state;
	setenv("TZ", "UTC0", 1);
	tzset();
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_little_known),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_protocols),
		cmocka_unit_test(test_questions_and_answers),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_large_numbers),
		cmocka_unit_test(test_out_of_range),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_hostile_file),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_write_error),
		cmocka_unit_test(test_whole_lines),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_random_events),
		cmocka_unit_test(test_undecided),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test_teardown(test_zones, set_zone),
	};

	return cmocka_run_group_tests_name("events", tests, set_zone, NULL);
}
