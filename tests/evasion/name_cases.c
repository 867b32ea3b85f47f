/* SPDX-License-Identifier: BSD-2-Clause */
/* B10 to B14: server names that are missing, doubled, odd, or only look like an allowed one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/event_write.h"
#include "evasion.h"

#define SERVER_NAME 0

/* An ordinary hello without server_name, but with an extension of that type and these bytes. */
static void with_server_name(struct stream *stream, const void *data, size_t length) {
	const struct hello_extension extra = {SERVER_NAME, data, length};

	stream_of(stream, &(struct hello){.extra = &extra, .extra_count = 1});
}

/* A list of names: each is of `type`, for as many as there are. */
struct entry {
	uint8_t type;
	const char *name;
};

static void with_entries(struct stream *stream, const struct entry *entries, size_t count) {
	static struct bytes list;
	size_t all, one;

	list.length = 0;
	all = bytes_open(&list, 2);
	for (size_t i = 0; i < count; i++) {
		bytes_number(&list, 1, entries[i].type);
		one = bytes_open(&list, 2);
		bytes_add(&list, entries[i].name, strlen(entries[i].name));
		bytes_close(&list, 2, one);
	}
	bytes_close(&list, 2, all);
	with_server_name(stream, list.data, list.length);
}

static void none(struct stream *stream, int n) {
	stream_of(stream, &(struct hello){.tls12 = n});
}

/* No extensions at all, as of TLS 1.0: the message ends behind the compression methods. */
static void no_extensions(struct stream *stream, int n) {
	static struct bytes message;

	(void)n;
	message.length = 0;
	hello_message(&message, &(struct hello){.bare = 1});
	message.length -= 2;
	bytes_close(&message, 3, 4);
	hello_records(&stream->bytes, message.data, message.length, 0);
}

static void empty(struct stream *stream, int n) {
	static const uint8_t list[] = {0, 0}, name[] = {0, 3, 0, 0, 0};

	if (n == 0)
		with_server_name(stream, "", 0);
	else if (n == 1)
		with_server_name(stream, list, sizeof(list));
	else
		with_server_name(stream, name, sizeof(name));
}

static void address(struct stream *stream, int n) {
	static const char *const addresses[] = {"192.0.2.1",  "2001:db8::1", "::ffff:192.0.2.1", "::1",
						"192.0.2.1.", "3221225985",  "0300.0.2.1",	 "127.1"};

	stream_hello(stream, addresses[n]);
}

static void twice(struct stream *stream, int n) {
	static const uint8_t first[] = {0, 15, 0, 0, 12, 'a', 'l', 'l', 'o', 'w', 'e', 'd', '.', 't', 'e', 's', 't'};
	const struct hello_extension extra = {SERVER_NAME, first, sizeof(first)};

	stream_of(stream, &(struct hello){.name = n ? FORBIDDEN : ALLOWED, .extra = &extra, .extra_count = 1});
	stream->name = NULL;
}

/* Two extensions of another type than server_name. */
static void other_twice(struct stream *stream, int n) {
	const struct hello_extension extra[] = {{(uint16_t)n, "", 0}, {0x6a6a, "", 0}, {(uint16_t)n, "", 0}};

	stream_of(stream, &(struct hello){.name = ALLOWED, .extra = extra, .extra_count = 3});
	stream->name = NULL;
}

static void two_names(struct stream *stream, int n) {
	static const struct entry entries[][2] = {{{0, ALLOWED}, {0, FORBIDDEN}},
						  {{0, FORBIDDEN}, {0, ALLOWED}},
						  {{0, ALLOWED}, {0, ALLOWED}},
						  {{0, ALLOWED}, {1, FORBIDDEN}}};

	with_entries(stream, entries[n], 2);
}

static void other_type(struct stream *stream, int n) {
	const struct entry before[] = {{(uint8_t)n, "x"}, {0, ALLOWED}}, alone[] = {{(uint8_t)n, ALLOWED}};

	with_entries(stream, n % 2 ? before : alone, n % 2 ? 2 : 1);
}

static void spelt(struct stream *stream, int n) {
	static const char *const names[] = {"ALLOWED.TEST", "AlLoWeD.tEsT", "allowed.tesT", "allowed.test.",
					    "ALLOWED.TEST."};

	stream_hello(stream, names[n]);
	stream->name = ALLOWED;
}

/* The log has the dot. */
static void dot_refused(struct stream *stream, int n) {
	static const char *const names[] = {"allowed.test.", "ALLOWED.TEST.", "forbidden.test.", "a.wild.test."};

	stream_hello(stream, names[n]);
	if (n == 1)
		stream->name = names[0];
}

static void spelt_wild(struct stream *stream, int n) {
	static const char *const names[] = {"A.wild.test", "a.WILD.test.", "b.a.wild.test", "_x-1.wild.test",
					    "1.wild.test"};
	static const char *const same[] = {"a.wild.test", "a.wild.test", "b.a.wild.test", "_x-1.wild.test",
					   "1.wild.test"};

	stream_hello(stream, names[n]);
	stream->name = same[n];
}

static void spelt_forbidden(struct stream *stream, int n) {
	static const char *const names[] = {"FORBIDDEN.TEST", "Forbidden.Test", "forbidden.test.", "FORBIDDEN.test."};

	stream_hello(stream, names[n]);
	stream->name = FORBIDDEN;
}

static void spelt_denied(struct stream *stream, int n) {
	static const char *const names[] = {"denied.wild.test", "DENIED.wild.test", "denied.wild.test.",
					    "Denied.Wild.Test."};

	stream_hello(stream, names[n]);
	stream->name = "denied.wild.test";
}

/* allowed.test with byte n in the place of its `d`. */
static void byte_in_name(struct stream *stream, int n) {
	static char same[] = "allowex.test";

	stream_of(stream, &(struct hello){.name = "allowed.test"});
	stream->bytes.data[99 + 6] = (uint8_t)n;
	same[6] = (char)(n >= 'A' && n <= 'Z' ? n - 'A' + 'a' : n);
	stream->name = same;
	if (n == 'd' || n == 'D')
		stream->reason = ALLOW;
	else if (n == '-' || n == '_' || (n >= '0' && n <= '9') || (same[6] >= 'a' && same[6] <= 'z'))
		stream->reason = REFUSE;
	else if (n == '.') /* an empty label */
		stream->reason = SNIF_REASON_NAME_INVALID;
	else if (n == ':')
		stream->reason = SNIF_REASON_NAME_IS_ADDRESS;
	if (stream->reason == SNIF_REASON_NAME_INVALID)
		stream->name = NULL;
}

/* Each refused name as the log shows it: one line of JSON, without a byte that a terminal acts on. */
static void in_the_log(void) {
	const struct event_context context = {.policy = lab_policy(), .policy_sha256 = "", .cgroup_path = ""};
	static struct stream stream;
	char *line = NULL;
	size_t size = 0;

	for (int n = 0; n < 256; n++) {
		struct trial trial = trial_open(V4);
		FILE *out = open_memstream(&line, &size);
		struct log *log = log_new(out, 1);
		const struct snif_event *event;

		byte_in_name(&stream, n);
		lab_send(trial.fd, stream.bytes.data, stream.bytes.length);
		event = lab_event(LAB_PATIENCE_MS);
		assert_non_null(event);
		assert_int_equal(event_write(log, event, &context), 0);
		assert_int_equal(log_flush(log), 0);
		log_free(log);
		fclose(out);
		for (size_t i = 0; i < size; i++)
			assert_true(i == size - 1 ? line[i] == '\n' : line[i] >= 0x20 && line[i] <= 0x7e);
		if (n < 0x20 || n > 0x7e)
			assert_non_null(strstr(line, "allowe\\\\x"));
		free(line);
		lab_reset(trial.fd);
		lab_wait(trial.server, trial.index, LAB_CLOSED);
	}
}

static void with_nul(struct stream *stream, int n) {
	static const struct {
		const char *name;
		size_t length;
	} names[] = {{"allowed.test\0", 13},
		     {"allowed.test\0.evil.test", 23},
		     {"evil.test\0allowed.test", 22},
		     {"\0allowed.test", 13},
		     {"\0", 1},
		     {"allowed.test\n", 13}};

	stream_of(stream, &(struct hello){.name = names[n].name, .name_length = names[n].length});
	stream->name = NULL;
}

static void invalid(struct stream *stream, int n) {
	static const char *const names[] = {
		"allowed..test",
		".allowed.test",
		"allowed.test..",
		".",
		"..",
		"allowed.test/",
		"/allowed.test",
		"allowed.test ",
		" allowed.test",
		"allowed%2etest",
		"*.wild.test",
		"allow\303\251d.test",
		"allowed.test@evil.test",
		"evil.test#allowed.test",
		"allowed.test:443",
	};

	stream_hello(stream, names[n]);
	stream->name = NULL;
	if (n == 14)
		stream->reason = SNIF_REASON_NAME_IS_ADDRESS;
}

/* n bytes in labels of 63, with allowed or wild.test at the end. */
static void long_name(struct stream *stream, int n) {
	static char name[512];

	memset(name, 'a', sizeof(name));
	memcpy(name + n - 10, ".wild.test", 11);
	for (int at = n - 10 - 64; at > 0; at -= 64)
		name[at] = '.';
	stream_hello(stream, name);
}

static void long_name_dot(struct stream *stream, int n) {
	static char name[512];

	long_name(stream, n);
	snprintf(name, sizeof(name), "%s.", stream->name);
	stream_hello(stream, name);
	name[n] = '\0';
}

static void long_label(struct stream *stream, int n) {
	static char name[512];

	memset(name, 'a', sizeof(name));
	memcpy(name + n, ".wild.test", 11);
	stream_hello(stream, name);
}

static void very_long_name(struct stream *stream, int n) {
	static const size_t lengths[] = {254, 255, 256, 257, 512, 1000, 16000};
	static char name[20000];

	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 10 == 9 ? '.' : 'a';
	stream_of(stream, &(struct hello){.name = name, .name_length = lengths[n]});
	stream->name = NULL;
}

static void lookalike(struct stream *stream, int n) {
	static const char *const names[] = {
		"allowed.test.evil.test",
		"xallowed.test",
		"allowed.testx",
		"allowed.tes",
		"llowed.test",
		"test",
		"x.allowed.test",
		"allowed",
		"allowed.test.x",
		"wild.test",
		"xwild.test",
		"wild.testx",
		"a.wild.test.evil.test",
		"a-wild.test",
		"allowed-test",
		"allowed_test",
		"allowed.tes1",
		"aallowed.test",
		"second.allowed.test",
		"wild.test.test",
		"a.wild.tes",
		"a.wild.est",
		"awild.test",
	};

	stream_hello(stream, names[n]);
}

static void slash(struct stream *stream, int n) {
	static const char *const names[] = {"evil.test/allowed.test", "evil.test?allowed.test",
					    "evil.test\\allowed.test"};

	stream_hello(stream, names[n]);
	stream->name = NULL;
}

static void bound(struct stream *stream, int n) {
	(void)n;
	stream_hello(stream, BOUND);
}

static const struct evasion cases[] = {
	{"B10-no-server-name", none, SNIF_REASON_SNI_MISSING, .last = 1},
	{"B10-no-extensions", no_extensions, SNIF_REASON_SNI_MISSING, .cuts = CUTS_FEW},
	{"B10-empty-extension-list-name", empty, SNIF_REASON_SNI_EMPTY, .last = 2},
	{"B10-address-as-name", address, SNIF_REASON_NAME_IS_ADDRESS, .last = 7},
	{"B11-server-name-twice", twice, SNIF_REASON_EXTENSION_TWICE, .last = 1},
	{"B11-other-extension-twice", other_twice, SNIF_REASON_EXTENSION_TWICE, .first = 60, .last = 70},
	{"B11-two-names", two_names, SNIF_REASON_SNI_MULTIPLE, .last = 3},
	{"B11-other-name-type", other_type, SNIF_REASON_SNI_TYPE, .first = 1, .last = 4},
	{"B12-case-allowed", spelt, ALLOW, .last = 2},
	{"B12-case-denied", spelt_forbidden, REFUSE, .last = 1},
	{"B12-dot-refused", dot_refused, SNIF_REASON_TRAILING_DOT, .cuts = CUTS_NONE, .last = 3},
	{"B12-dot-split-refused", dot_refused, SNIF_REASON_TRAILING_DOT, .cuts = CUTS_EVERY},
	{"B12-case-and-dot-allowed", spelt, ALLOW, .last = 4, .policy = evasion_policy_unusual},
	{"B12-case-and-dot-wildcard", spelt_wild, ALLOW, .last = 4, .policy = evasion_policy_unusual},
	{"B12-case-and-dot-denied", spelt_forbidden, REFUSE, .last = 3, .policy = evasion_policy_unusual},
	{"B12-case-and-dot-deny-rule", spelt_denied, SNIF_REASON_NAME_DENIED, .last = 3,
	 .policy = evasion_policy_unusual},
	{"B13-every-byte-in-a-name", byte_in_name, SNIF_REASON_NAME_INVALID, .cuts = CUTS_NONE, .last = 255},
	{"B13-every-byte-in-the-log", .run = in_the_log},
	{"B13-nul-in-name", with_nul, SNIF_REASON_NAME_INVALID, .last = 5},
	{"B13-invalid-names", invalid, SNIF_REASON_NAME_INVALID, .last = 14},
	{"B13-long-names-allowed", long_name, ALLOW, .first = 240, .last = 253},
	{"B13-long-names-with-dot-allowed", long_name_dot, ALLOW, .first = 250, .last = 253,
	 .policy = evasion_policy_unusual},
	{"B13-name-over-253", long_name, SNIF_REASON_NAME_TOO_LONG, .first = 254, .last = 260},
	{"B13-label-of-63", long_label, ALLOW, .first = 62, .last = 63},
	{"B13-label-over-63", long_label, SNIF_REASON_NAME_TOO_LONG, .first = 64, .last = 70},
	{"B13-very-long-names", very_long_name, SNIF_REASON_NAME_TOO_LONG, .last = 6},
	{"B14-lookalikes", lookalike, REFUSE, .last = 22},
	{"B14-slash", slash, SNIF_REASON_NAME_INVALID, .last = 2},
	{"B14-name-bound-elsewhere", bound, SNIF_REASON_NAME_ELSEWHERE, .cuts = CUTS_NONE},
};

CATALOGUE(name_cases, cases);
