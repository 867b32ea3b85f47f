/* SPDX-License-Identifier: BSD-2-Clause */
/* log_*.c: what stands in logs, and what is said of lines and files that cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "../support/log_maker.h"
#include "base/message.h"
#include "log/log_lines.h"
#include "log/log_reader.h"

static char folder[] = "/tmp/snifence-log-XXXXXX";
static char first[64], second[64], rotated[64];
static struct log_reader *reader;
static struct log_event event;

static int set_up(void **state) {
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/snifence-log-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(first, sizeof(first), "%s/one.json", folder);
	snprintf(second, sizeof(second), "%s/two.json", folder);
	snprintf(rotated, sizeof(rotated), "%s/one.json.1", folder);
	return 0;
}

static int tear_down(void **state) {
	(void)state;
	log_reader_free(reader);
	reader = NULL;
	unlink(first);
	unlink(second);
	unlink(rotated);
	return rmdir(folder);
}

static void append(const char *path, const char *text, size_t length) {
	FILE *file = fopen(path, "ae");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static void append_text(const char *path, const char *text) {
	append(path, text, strlen(text));
}

static void append_name(const char *path, const char *name) {
	FILE *file = fopen(path, "ae");

	assert_non_null(file);
	MAKE_LINE(file, .name = name);
	assert_int_equal(fclose(file), 0);
}

static void open_reader(bool follow, char *const files[]) {
	reader = log_reader_new(files, follow, NULL);
	assert_non_null(reader);
}

#define OPEN(...)                                                                                                      \
	static char *files[] = {__VA_ARGS__, NULL};                                                                    \
	open_reader(false, files)

static void expect_name(const char *name, uint64_t line) {
	assert_true(log_reader_next(reader, &event));
	assert_string_equal(event.name, name);
	assert_int_equal(event.line, line);
}

static void expect_end(uint64_t events, uint64_t bad, unsigned unread) {
	struct log_tally tally;

	assert_false(log_reader_next(reader, &event));
	tally = log_reader_tally(reader);
	assert_int_equal(tally.events, events);
	assert_int_equal(tally.bad, bad);
	assert_int_equal(tally.unread, unread);
}

/* Every member, as events.c writes it. */
static void test_members(void **state) {
	(void)state;
	append_text(
		first,
		"{\"timestamp\":\"2026-01-02T04:04:05.123456+0100\",\"event_version\":1,"
		"\"run_id\":\"000000000000f00d\",\"sequence\":9,\"event_type\":\"tls\",\"flow_id\":18446744073709551615,"
		"\"src_ip\":\"192.0.2.1\",\"src_port\":40000,\"dest_ip\":\"2001:db8::9\",\"dest_port\":443,"
		"\"proto\":\"TCP\",\"tls\":{\"sni\":\"www.example\",\"version\":\"TLS 1.3\"},\"ech\":true,"
		"\"verdict\":{\"action\":\"reject\"},\"reason\":\"name_denied\",\"rule\":\"agent.yaml:7\","
		"\"policy\":\"agent\",\"policy_sha256\":\"c0ffee\",\"mode\":\"enforce\",\"hook\":\"egress\","
		"\"process\":{\"pid\":1234,\"name\":\"curl\",\"uid\":1000},"
		"\"cgroup\":{\"id\":4711,\"path\":\"/snifence-42\"}}\n");
	OPEN(first);
	assert_true(log_reader_next(reader, &event));
	assert_int_equal(event.time, 1767323045123456);
	assert_int_equal(event.version, 1);
	assert_string_equal(event.run_id, "000000000000f00d");
	assert_int_equal(event.sequence, 9);
	assert_int_equal(event.type, LOG_TLS);
	assert_true(event.flow_id == UINT64_MAX);
	assert_string_equal(event.source, "192.0.2.1");
	assert_int_equal(event.source_port, 40000);
	assert_string_equal(event.destination, "2001:db8::9");
	assert_int_equal(event.destination_port, 443);
	assert_string_equal(event.protocol, "TCP");
	assert_string_equal(event.name, "www.example");
	assert_string_equal(event.tls_version, "TLS 1.3");
	assert_true(event.ech);
	assert_int_equal(event.action, LOG_REJECT);
	assert_int_equal(event.reason, SNIF_REASON_NAME_DENIED);
	assert_string_equal(event.rule, "agent.yaml:7");
	assert_string_equal(event.policy, "agent");
	assert_string_equal(event.policy_sha256, "c0ffee");
	assert_string_equal(event.mode, "enforce");
	assert_string_equal(event.hook, "egress");
	assert_int_equal(event.pid, 1234);
	assert_string_equal(event.process, "curl");
	assert_int_equal(event.uid, 1000);
	assert_int_equal(event.cgroup_id, 4711);
	assert_string_equal(event.cgroup, "/snifence-42");
	assert_string_equal(event.file, first);
	expect_end(1, 0, 0);
}

static void test_stats(void **state) {
	(void)state;
	append_text(first, "{\"timestamp\":\"2026-01-02T03:04:05Z\",\"event_type\":\"stats\",\"stats\":{\"uptime\":3,"
			   "\"allowed\":1,\"blocked\":2,\"would_block\":3,\"lost\":4,\"counters\":{\"lost\":99},"
			   "\"command\":{\"status\":0}}}");
	OPEN(first);
	assert_true(log_reader_next(reader, &event));
	assert_int_equal(event.type, LOG_STATS);
	assert_int_equal(event.time, 1767323045000000);
	assert_int_equal(event.allowed, 1);
	assert_int_equal(event.blocked, 2);
	assert_int_equal(event.would_block, 3);
	assert_int_equal(event.lost, 4);
	assert_true(event.ended);
	expect_end(1, 0, 0);
}

/* The mark that some editors write before the first byte is not part of the first line. */
static void test_byte_order_mark(void **state) {
	(void)state;
	append_text(first, "\xef\xbb\xbf");
	append_name(first, "one.test");
	append_name(first, "two.test");
	append_text(first, "\xef\xbb\xbf{}\n");
	OPEN(first);
	expect_name("one.test", 1);
	expect_name("two.test", 2);
	expect_end(2, 1, 0);
}

/* Members, types, actions and reasons of a later version, or of other writers of EVE. */
/* An answer is no question; what is like an answer elsewhere in a line is none. */
static void test_answers(void **state) {
	FILE *file;

	(void)state;
	append_text(first, "{\"timestamp\":\"2026-01-02T04:04:05.123456+0100\",\"event_type\":\"dns\","
			   "\"x\":{\"answers\":[{\"rdata\":\"192.0.2.9\"}]},"
			   "\"dns\":{\"type\":\"answer\",\"id\":7,\"rrname\":\"www.example\",\"rrtype\":\"A\","
			   "\"answers\":[{\"rrtype\":\"A\",\"ttl\":60,\"rdata\":\"192.0.2.1\",\"bound\":3660},"
			   "{\"rrtype\":\"A\",\"more\":{\"rdata\":1},\"rdata\":\"192.0.2.2\",\"ttl\":0}],"
			   "\"more\":[{\"rdata\":\"192.0.2.3\"}]},\"proto\":\"UDP\"}\n");
	OPEN(first);
	assert_true(log_reader_next(reader, &event));
	assert_int_equal(event.type, LOG_ANSWER);
	assert_int_equal(event.action, LOG_UNDECIDED);
	assert_string_equal(event.name, "www.example");
	assert_string_equal(event.question, "A");
	assert_string_equal(event.protocol, "UDP");
	assert_int_equal(event.answer_count, 2);
	assert_string_equal(event.answers[0].address, "192.0.2.1");
	assert_int_equal(event.answers[0].ttl, 60);
	assert_int_equal(event.answers[0].bound, 3660);
	assert_string_equal(event.answers[1].address, "192.0.2.2");
	assert_int_equal(event.answers[1].bound, 0);
	log_reader_free(reader);

	/* one that is known, of another type; more answers than there is room for */
	file = fopen(first, "w");
	fputs("{\"timestamp\":\"2026-01-02T04:04:05.123456+0100\",\"event_type\":\"dns\","
	      "\"dns\":{\"type\":\"answer\",\"answers\":[{\"rdata\":1}]}}\n"
	      "{\"timestamp\":\"2026-01-02T04:04:05.123456+0100\",\"event_type\":\"dns\","
	      "\"dns\":{\"type\":\"answer\",\"answers\":[{}",
	      file);
	for (int i = 0; i < 40; i++)
		fputs(",{\"rdata\":\"192.0.2.1\"}", file);
	fputs("]}}\n", file);
	assert_int_equal(fclose(file), 0);
	open_reader(false, files);
	assert_true(log_reader_next(reader, &event));
	assert_int_equal(event.line, 2);
	assert_int_equal(event.answer_count, LOG_ANSWERS);
	assert_string_equal(event.answers[0].address, "");
	expect_end(1, 1, 0);
}

static void test_unknown(void **state) {
	(void)state;
	append_text(first,
		    "{\"new\":[{\"tls\":{\"sni\":\"no\"}},[\"x\",null,1.5e9,true]],\"tls\":{\"deep\":{\"sni\":\"no\"}},"
		    "\"\":{\"sni\":\"no\"},\"other\":{\"reason\":\"no\"},\"policy\":null,\"sni\":\"no\","
		    "\"timestamp\":\"2026-01-02T03:04:05+00:00\",\"event_type\":\"anomaly\",\"event_version\":2,"
		    "\"verdict\":{\"action\":\"shrug\"},\"reason\":\"whim\"}\n");
	OPEN(first);
	expect_name("", 1);
	assert_int_equal(event.type, LOG_OTHER);
	assert_string_equal(event.event_type, "anomaly");
	assert_int_equal(event.action, LOG_UNDECIDED);
	assert_int_equal(event.reason, SNIF_REASON_COUNT);
	assert_string_equal(event.reason_word, "whim");
	assert_string_equal(event.policy, "");
	expect_end(1, 0, 0);
}

/* Whatever a log holds, what is read is printable ASCII. */
static void test_hostile_text(void **state) {
	(void)state;
	append_name(first, "\\u001b[2J\\u0000\\u00e9\\\\x1b\\\"<");
	OPEN(first);
	expect_name("\\x1b[2J\\x00\\xc3\\xa9\\x1b\"<", 1);
	expect_end(1, 0, 0);
}

static void expect_bad(const char *line, const char *wrong) {
	char expected[256];

	unlink(first);
	append_text(first, "\n \t\r\n");
	append_text(first, line);
	append_text(first, "\n");
	append_name(first, "after.test");
	OPEN(first);
	expect_name("after.test", 4);
	snprintf(expected, sizeof(expected), "%s:3: %s", first, wrong);
	assert_string_equal(log_reader_tally(reader).last_bad, expected);
	expect_end(1, 1, 0);
	log_reader_free(reader);
	reader = NULL;
}

#define TIME "\"timestamp\":\"2026-01-02T03:04:05Z\""

static void test_bad_lines(void **state) {
	(void)state;
	expect_bad("nonsense", "it is not JSON: a word or sign that there is not");
	expect_bad("{\"a\":\"\xff\"}", "it is not JSON: bytes that are not UTF-8");
	expect_bad("{\"a\":1", "it is cut off");
	expect_bad("{\"a\":\"b", "it is cut off");
	expect_bad("{}{}", "it has more than one JSON object");
	expect_bad("[]", "it is not a JSON object");
	expect_bad("\"text\"", "it is not a JSON object");
	expect_bad("7 ", "it is not a JSON object");
	expect_bad("null", "it is not a JSON object");
	expect_bad("{}", "it has no timestamp");
	expect_bad("{" TIME "}", "it has no event_type");
	expect_bad("{\"timestamp\":\"yesterday\"}", "timestamp is not like 2026-01-31T23:59:59.123456+0100");
	expect_bad("{\"timestamp\":\"2026-02-29T03:04:05Z\"}", "timestamp is not like 2026-01-31T23:59:59.123456+0100");
	expect_bad("{\"timestamp\":7}", "timestamp is not a string");
	expect_bad("{" TIME ",\"tls\":{\"sni\":{}}}", "tls.sni is not a string");
	expect_bad("{" TIME ",\"proto\":[]}", "proto is not a string");
	expect_bad("{" TIME ",\"dest_port\":\"443\"}", "dest_port is not a whole number");
	expect_bad("{" TIME ",\"dest_port\":-1}", "dest_port is not a whole number");
	expect_bad("{" TIME ",\"dest_port\":1.5}", "dest_port is not a whole number");
	expect_bad("{" TIME ",\"flow_id\":18446744073709551616}", "flow_id is not a whole number");
	expect_bad("{" TIME ",\"ech\":1}", "ech is not true or false");
}

/* The longest line that is read, one that is a byte longer, and one that fills the buffer several times. */
static void test_long_lines(void **state) {
	static char line[5 * EVENT_LINE_MAX];
	char expected[256];

	(void)state;
	memset(line, ' ', sizeof(line));
	append_text(first, "{" TIME ",\"event_type\":\"tls\",\"tls\":{\"sni\":\"longest.test\"}}");
	append(first, line,
	       EVENT_LINE_MAX - strlen("{" TIME ",\"event_type\":\"tls\",\"tls\":{\"sni\":\"longest.test\"}}"));
	append_text(first, "\n");
	append(first, line, EVENT_LINE_MAX + 1);
	append_text(first, "\n");
	append_name(first, "between.test");
	append(first, line, sizeof(line));
	append_text(first, "\n");
	append_name(first, "after.test");
	append(first, line, sizeof(line));
	OPEN(first);
	expect_name("longest.test", 1);
	expect_name("between.test", 3);
	expect_name("after.test", 5);
	expect_end(3, 3, 0);
	snprintf(expected, sizeof(expected), "%s:6: it is too long for an event", first);
	assert_string_equal(log_reader_tally(reader).last_bad, expected);
}

static void write_gzip(const char *path, const char *name, int times) {
	gzFile file = gzopen(path, "ab");
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(file);
	for (int i = 0; i < times; i++)
		MAKE_LINE(out, .name = name, .second = i % 3600);
	fclose(out);
	assert_int_equal(gzwrite(file, text, (unsigned)size), size);
	assert_int_equal(gzclose(file), Z_OK);
	free(text);
}

/* Also of two members, as `cat a.gz b.gz` makes them, and a plain file after it. */
static void test_gzip(void **state) {
	(void)state;
	write_gzip(first, "one.test", 1000);
	write_gzip(first, "two.test", 1);
	append_name(second, "plain.test");
	OPEN(first, second);
	for (uint64_t i = 1; i <= 1000; i++)
		expect_name("one.test", i);
	expect_name("two.test", 1001);
	expect_name("plain.test", 1);
	expect_end(1002, 0, 0);
}

static void test_gzip_cut_off(void **state) {
	struct stat status;

	(void)state;
	write_gzip(first, "one.test", 1000);
	assert_int_equal(stat(first, &status), 0);
	assert_int_equal(truncate(first, status.st_size / 2), 0);
	append_name(second, "plain.test");
	OPEN(first, second);
	for (event.line = 0; log_reader_next(reader, &event) && strcmp(event.name, "one.test") == 0;)
		;
	assert_string_equal(event.name, "plain.test");
	expect_end(log_reader_tally(reader).events, 0, 1);
	assert_in_range(log_reader_tally(reader).events, 100, 900);
}

static void test_gzip_damaged(void **state) {
	(void)state;
	append(first, "\x1f\x8b\x08\0\0\0\0\0\0\0garbage", 17);
	append_name(second, "plain.test");
	OPEN(first, second);
	expect_name("plain.test", 1);
	expect_end(1, 0, 1);
}

static void test_files_that_are_none(void **state) {
	(void)state;
	append_name(second, "plain.test");
	OPEN("/nonexistent/log", folder, second);
	expect_name("plain.test", 1);
	expect_end(1, 0, 2);
}

/* Files are easily mixed up: a policy is one message, not one for each of its lines. */
static void test_policies(void **state) {
	(void)state;
	append_text(first, "version: 1\ntls: {}\n");
	append_text(second, "# Ours.\nversion: 1\n");
	append_name(rotated, "a.test");
	append_text(rotated, "version: 1\n");
	append_name(rotated, "b.test");
	OPEN(first, second, rotated);
	expect_name("a.test", 1);
	expect_name("b.test", 3);
	expect_end(2, 1, 2);
}

/* Lines of a pipe are there when they are written, whatever the size of the buffers. */
static void test_pipe(void **state) {
	static char *files[] = {"-", NULL};
	int ends[2], saved = dup(STDIN_FILENO);
	FILE *out;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	out = fdopen(ends[1], "w");
	open_reader(true, files);
	assert_false(log_reader_next(reader, &event));
	assert_true(log_reader_wait(reader, 0));
	MAKE_LINE(out, .name = "one.test");
	fflush(out);
	expect_name("one.test", 1);
	fputs("{\"timestamp\":", out);
	fflush(out);
	assert_false(log_reader_next(reader, &event));
	assert_true(log_reader_wait(reader, 0));
	fclose(out);
	assert_false(log_reader_next(reader, &event));
	assert_string_equal(log_reader_tally(reader).last_bad, "standard input:2: it is cut off");
	assert_false(log_reader_wait(reader, 10000));
	dup2(saved, STDIN_FILENO);
	close(saved);
}

static void test_follow(void **state) {
	static char *files[] = {first, NULL};

	(void)state;
	append_name(first, "one.test");
	open_reader(true, files);
	expect_name("one.test", 1);
	assert_false(log_reader_next(reader, &event));
	append_text(first, "{" TIME ",\"event_type\":");
	assert_false(log_reader_next(reader, &event));
	append_text(first, "\"tls\",\"tls\":{\"sni\":\"two.test\"}}\n");
	expect_name("two.test", 2);
	/* cut */
	assert_int_equal(truncate(first, 0), 0);
	append_name(first, "three.test");
	expect_name("three.test", 1);
	/* rotated, and still written to before the new one is there */
	assert_int_equal(rename(first, rotated), 0);
	assert_false(log_reader_next(reader, &event));
	append_name(rotated, "four.test");
	append_text(rotated, "{\"cut off");
	append_name(first, "five.test");
	expect_name("four.test", 2);
	expect_name("five.test", 1);
	assert_false(log_reader_next(reader, &event));
	assert_true(log_reader_wait(reader, 0));
	assert_int_equal(log_reader_tally(reader).bad, 1);
}

/* Nobody may ever write to it; where it is followed, that can be waited for. */
static void test_named_pipe(void **state) {
	static char *files[] = {first, NULL};
	char told[256], expected[256];
	FILE *messages = fmemopen(told, sizeof(told), "w");
	FILE *writer;

	(void)state;
	assert_int_equal(mkfifo(first, 0600), 0);
	alarm(5);
	message_redirect(messages);
	reader = log_reader_new(files, false, "report");
	assert_non_null(reader);
	expect_end(0, 0, 1);
	message_redirect(NULL);
	fclose(messages);
	snprintf(expected, sizeof(expected),
		 "snifence: report: %s cannot be read: it is a pipe: give it as standard input, by -\n", first);
	assert_string_equal(told, expected);
	log_reader_free(reader);
	open_reader(true, files);
	assert_false(log_reader_next(reader, &event));
	assert_true(log_reader_wait(reader, 0));
	writer = fopen(first, "we");
	MAKE_LINE(writer, .name = "one.test");
	fflush(writer);
	expect_name("one.test", 1);
	assert_false(log_reader_next(reader, &event));
	assert_true(log_reader_wait(reader, 0));
	fclose(writer);
	assert_false(log_reader_next(reader, &event));
	assert_false(log_reader_wait(reader, 0));
	alarm(0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_members, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_answers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stats, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_byte_order_mark, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unknown, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hostile_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_long_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gzip, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gzip_cut_off, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gzip_damaged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_files_that_are_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_policies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pipe, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_follow, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_named_pipe, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
