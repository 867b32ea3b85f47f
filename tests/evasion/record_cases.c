/* SPDX-License-Identifier: BSD-2-Clause */
/* B1 to B7: the ClientHello cut into segments and records, records that are wrong, and what is no ClientHello. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/vector.h"
#include "evasion.h"

/* The bytes of the message of an ordinary hello: what a loop over all places in it takes. */
#define MESSAGE 178

/* ---- B3: two records, cut at every place; records of n bytes ---- */

/* The message of an ordinary hello; valid until the next call. */
static struct bytes *message_of(const char *name) {
	static struct bytes message;

	message.length = 0;
	hello_message(&message, &(struct hello){.name = name});
	return &message;
}

static void two_records(struct stream *stream, int n, const char *name) {
	const struct bytes *message = message_of(name);
	size_t cut = (size_t)n < message->length ? (size_t)n : message->length - 1;

	hello_record(&stream->bytes, 22, message->data, cut);
	hello_record(&stream->bytes, 22, message->data + cut, message->length - cut);
	stream->name = name;
}

static void two_records_allowed(struct stream *stream, int n) {
	two_records(stream, n, ALLOWED);
}

static void two_records_forbidden(struct stream *stream, int n) {
	two_records(stream, n, FORBIDDEN);
}

static void records_allowed(struct stream *stream, int n) {
	stream_of(stream, &(struct hello){.name = ALLOWED, .record_size = (size_t)n});
}

static void records_forbidden(struct stream *stream, int n) {
	stream_of(stream, &(struct hello){.name = FORBIDDEN, .record_size = (size_t)n});
}

static void two_records_refused(struct stream *stream, int n) {
	two_records(stream, n, ALLOWED);
	stream->name = NULL;
}

static void records_refused(struct stream *stream, int n) {
	records_allowed(stream, n);
	stream->name = NULL;
}

/*
 * What HAProxy's req.ssl_sni took for a name of its own: the cut is inside a padding extension in front, so that behind
 * it everything is five bytes further on, and the padding's end reads as a server_name.
 */
static void shifted(struct stream *stream, int n) {
	static const char other[] = FORBIDDEN;
	static struct bytes padding, message;
	const struct hello_extension extra = {21, padding.data, 300};

	padding.length = 0;
	bytes_fill(&padding, 0, 300 - 5 - 9 - sizeof(other) + 1);
	hello_server_name(&padding, other, sizeof(other) - 1);
	bytes_fill(&padding, 0, 300 - padding.length);
	message.length = 0;
	hello_message(&message, &(struct hello){.name = ALLOWED, .extra = &extra, .extra_count = 1});
	hello_record(&stream->bytes, 22, message.data, (size_t)n);
	hello_record(&stream->bytes, 22, message.data + n, message.length - (size_t)n);
}

/* ---- B21: streams in which routers and virtual hosts were seen to read something else than TLS servers ---- */

static void misread(struct stream *stream, int n) {
	static const struct {
		const char *file;
		enum snif_reason reason;
	} files[] = {
		{"shifted-name", SNIF_REASON_SPLIT_RECORDS},	  {"cut-in-name", SNIF_REASON_SPLIT_RECORDS},
		{"first-record-of-1", SNIF_REASON_SPLIT_RECORDS}, {"version-3.0", SNIF_REASON_HELLO_VERSION},
		{"alpn-empty", SNIF_REASON_HELLO_LENGTH},	  {"dot-tls12", SNIF_REASON_TRAILING_DOT},
		{"dot-tls13", SNIF_REASON_TRAILING_DOT},	  {"uppercase", ALLOW},
	};
	char path[256];
	int error;

	snprintf(path, sizeof(path), "tests/vectors/routers-%s.hex", files[n].file);
	error = vector_read(path, &stream->bytes);
	if (error == -ENOENT)
		evasion_skip("there is no %s here", path);
	if (error)
		fail_msg("%s: %s", path, strerror(-error));
	stream->reason = files[n].reason;
	stream->name = files[n].reason == ALLOW ? ALLOWED : NULL;
}

/* Under the key, the shifted name is judged as TLS servers read it. */
static void misread_unusual(struct stream *stream, int n) {
	misread(stream, n);
	stream->reason = ALLOW;
	stream->name = ALLOWED;
}

/* ---- B4: empty records; n: after so many bytes of the message ---- */

static void empty_record(struct stream *stream, int n) {
	const struct bytes *message = message_of(ALLOWED);

	if (n > 0)
		hello_record(&stream->bytes, 22, message->data, (size_t)n);
	hello_record(&stream->bytes, 22, "", 0);
	hello_record(&stream->bytes, 22, message->data + n, message->length - (size_t)n);
}

static void many_empty_records(struct stream *stream, int n) {
	for (int i = 0; i < n; i++)
		hello_record(&stream->bytes, 22, "", 0);
	hello_records(&stream->bytes, message_of(ALLOWED)->data, message_of(ALLOWED)->length, 0);
}

static void empty_record_behind(struct stream *stream, int n) {
	stream_allowed(stream, n);
	hello_record(&stream->bytes, 22, "", 0);
}

/* ---- B5: lengths that are wrong ---- */

static void long_record(struct stream *stream, int n) {
	static const uint16_t lengths[] = {16385, 16384 + 256, 16384 + 2048, 0x8000, 0xffff};

	stream_hello(stream, ALLOWED);
	stream->bytes.data[3] = (uint8_t)(lengths[n] >> 8);
	stream->bytes.data[4] = (uint8_t)lengths[n];
	bytes_fill(&stream->bytes, 0, lengths[n]);
	stream->name = NULL;
}

static void set_message_length(struct stream *stream, size_t length) {
	stream->bytes.data[6] = (uint8_t)(length >> 16);
	stream->bytes.data[7] = (uint8_t)(length >> 8);
	stream->bytes.data[8] = (uint8_t)length;
}

/* The message says n bytes more (or fewer) than there are. */
static void message_length_off(struct stream *stream, int n) {
	stream_hello(stream, ALLOWED);
	set_message_length(stream, stream->bytes.length - 9 + (size_t)n);
	stream->name = NULL;
}

static void long_message(struct stream *stream, int n) {
	static const size_t lengths[] = {16385, 1 << 17, 0xffffff};

	stream_hello(stream, ALLOWED);
	set_message_length(stream, lengths[n]);
	stream->name = NULL;
}

/* A record that goes on behind the ClientHello: n bytes of what may be the next message. */
static void record_goes_on(struct stream *stream, int n) {
	const struct bytes *message = message_of(ALLOWED);
	static struct bytes record;

	record.length = 0;
	bytes_add(&record, message->data, message->length);
	bytes_fill(&record, 20, (size_t)n);
	hello_record(&stream->bytes, 22, record.data, record.length);
}

static void two_hellos_in_a_record(struct stream *stream, int n) {
	static struct bytes record;

	record.length = 0;
	bytes_add(&record, message_of(n ? ALLOWED : FORBIDDEN)->data, message_of(n ? ALLOWED : FORBIDDEN)->length);
	bytes_add(&record, message_of(FORBIDDEN)->data, message_of(FORBIDDEN)->length);
	hello_record(&stream->bytes, 22, record.data, record.length);
}

/* One length inside the message is off; n: which. Offsets in the stream of an ordinary hello. */
static void inner_length_off(struct stream *stream, int n) {
	static const struct {
		size_t at;
		int by;
	} lengths[] = {{43, 1},	 {43, 100}, {77, -1}, {77, 1}, {77, 100}, {86, -1}, {86, 100}, {89, 1},
		       {89, -1}, {93, 1},   {93, -1}, {95, 1}, {95, -1},  {98, 1},  {98, 40}};

	stream_hello(stream, ALLOWED);
	stream->bytes.data[lengths[n].at] = (uint8_t)(stream->bytes.data[lengths[n].at] + lengths[n].by);
	stream->name = NULL;
}

static void with_extension(struct stream *stream, uint16_t type, const void *data, size_t length, bool behind) {
	const struct hello_extension extra[] = {{0x1a1a, "", behind}, {type, data, length}};

	stream_of(stream, &(struct hello){.name = ALLOWED, .extra = extra, .extra_count = 2, .bare = 1});
}

/* application_layer_protocol_negotiation: nginx reads it beside the name, and gives up on one that contradicts itself. */
static void protocols_off(struct stream *stream, int n) {
	static const struct {
		const char *data;
		size_t length;
	} lists[] = {{"", 0},	      {"\0\0", 2},     {"\0\1\0", 3},	  {"\0\3\2h2x", 6},  {"\0\2\2h2", 5},
		     {"\0\4\2h2", 5}, {"\0\3\3h2", 5}, {"\0\4\2h2\0", 6}, {"\0\4\2h2\1", 6}, {"\0\5\0\3abc", 7}};

	with_extension(stream, 16, lists[n].data, lists[n].length, n % 2);
	stream->name = NULL;
}

static void protocols_good(struct stream *stream, int n) {
	static const char list[] = "\0\x17\2h2\x08http/1.1\x01x\x08"
				   "acme-tls";
	static uint8_t names[2 + 256] = {1, 0, 255};

	if (n < 2)
		with_extension(stream, 16, list, sizeof(list) - 1, n);
	else
		with_extension(stream, 16, names, sizeof(names), n % 2);
}

/* Other extensions that are one list, whose length is one too low or too high; n: which. */
static void lists_off(struct stream *stream, int n) {
	static const uint16_t types[] = {10, 13, 50, 51, 11, 27, 45};
	uint8_t data[8] = {0};

	data[n / 2 < 4 ? 1 : 0] = (uint8_t)((n / 2 < 4 ? 6 : 7) + (n % 2 ? 1 : -1));
	with_extension(stream, types[n / 2], data, sizeof(data), n % 3);
	stream->name = NULL;
}

/* ---- B6, B7: something else than a handshake record, or than a ClientHello ---- */

static void other_record(struct stream *stream, int type) {
	static const uint8_t alert[] = {1, 0, 1, 0};

	hello_record(&stream->bytes, (uint8_t)type, alert, type == 20 ? 1 : 2);
	hello_records(&stream->bytes, message_of(ALLOWED)->data, message_of(ALLOWED)->length, 0);
}

static void other_record_between(struct stream *stream, int type) {
	const struct bytes *message = message_of(ALLOWED);

	hello_record(&stream->bytes, 22, message->data, 60);
	hello_record(&stream->bytes, (uint8_t)type, "\1", 1);
	hello_record(&stream->bytes, 22, message->data + 60, message->length - 60);
}

static void sslv2(struct stream *stream, int n) {
	static const uint8_t hello[] = {0x80, 46, 1, 3, 1, 0, 21, 0, 0, 0, 16};

	(void)n;
	bytes_add(&stream->bytes, hello, sizeof(hello));
	bytes_fill(&stream->bytes, 5, 37);
	hello_records(&stream->bytes, message_of(ALLOWED)->data, message_of(ALLOWED)->length, 0);
}

static void first_byte(struct stream *stream, int n) {
	stream_hello(stream, ALLOWED);
	stream->bytes.data[0] = (uint8_t)n;
	stream->name = NULL;
	if (n >= 20 && n <= 24)
		stream->reason = SNIF_REASON_NOT_HANDSHAKE;
	else if (n >= 0x80)
		stream->reason = SNIF_REASON_SSLV2_HELLO; /* the third byte is 1 */
}

static void first_message(struct stream *stream, int n) {
	stream_hello(stream, ALLOWED);
	stream->bytes.data[5] = (uint8_t)(n == 1 ? 2 : n);
	stream->name = NULL;
}

static void text(struct stream *stream, int n) {
	static const char *const texts[] = {
		"GET / HTTP/1.1\r\nHost: allowed.test\r\n\r\n",
		"CONNECT allowed.test:443 HTTP/1.1\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"SSH-2.0-OpenSSH_9.2\r\n",
		"\023BitTorrent protocol",
		"EHLO allowed.test\r\n",
		"PROXY TCP4 192.0.2.1 192.0.2.1 1 443\r\n",
		"\x05\x01",
	};

	bytes_add(&stream->bytes, texts[n], strlen(texts[n]));
}

static void random_bytes(struct stream *stream, int n) {
	unsigned seed = (unsigned)n;

	for (size_t i = 0; i < 300; i++)
		bytes_number(&stream->bytes, 1, (uint32_t)rand_r(&seed) >> 5);
	stream->bytes.data[0] &= 0x0f; /* no TLS record, and none of SSLv2 */
}

/* The version in the record's header: its first byte is 3. */
static void record_major(struct stream *stream, int n) {
	stream_hello(stream, ALLOWED);
	stream->bytes.data[1] = (uint8_t)(n == 3 ? 0xfe : n); /* 0xfe: DTLS */
	stream->name = NULL;
}

/* ---- B22 ---- */

static const char question[] = "\0\0\0\x08\x04\xd2\x16\x2f", other_question[] = "\0\0\0\x08\x04\xd2\x16\x30";

/* A hello behind `times` questions of PostgreSQL's clients. */
static void ask(struct stream *stream, const char *what, int times, const char *name) {
	static struct bytes hello;

	hello_make(&hello, &(struct hello){.name = name});
	stream->bytes.length = 0;
	for (int i = 0; i < times; i++)
		bytes_add(&stream->bytes, what, 8);
	bytes_add(&stream->bytes, hello.data, hello.length);
}

static void asked_and_forbidden(struct stream *stream, int n) {
	(void)n;
	ask(stream, question, 1, FORBIDDEN);
	stream->name = FORBIDDEN;
}

static void asked(struct stream *stream, int n) {
	ask(stream, question, n, ALLOWED);
}

static void asked_otherwise(struct stream *stream, int n) {
	(void)n;
	ask(stream, other_question, 1, ALLOWED);
}

static const struct evasion cases[] = {
	{"B1-split-every-offset-allowed", stream_allowed, ALLOW, .cuts = CUTS_EVERY},
	{"B1-split-every-offset-denied", stream_forbidden, REFUSE, .cuts = CUTS_EVERY},
	{"B2-small-segments-allowed", stream_allowed, ALLOW, .cuts = CUTS_SMALL},
	{"B2-small-segments-denied", stream_forbidden, REFUSE, .cuts = CUTS_SMALL},
	{"B3-two-records-every-offset-refused", two_records_refused, SNIF_REASON_SPLIT_RECORDS, .first = 1,
	 .last = MESSAGE},
	{"B3-two-records-behind-the-name-refused", two_records_allowed, SNIF_REASON_SPLIT_RECORDS, .cuts = CUTS_NONE,
	 .first = 108, .last = MESSAGE},
	{"B3-small-records-refused", records_refused, SNIF_REASON_SPLIT_RECORDS, .first = 1, .last = 20},
	{"B3xB1-one-byte-records-every-offset-refused", records_refused, SNIF_REASON_SPLIT_RECORDS, .cuts = CUTS_EVERY,
	 .first = 1, .last = 1},
	{"B3xB2-small-records-small-segments-refused", records_refused, SNIF_REASON_SPLIT_RECORDS, .cuts = CUTS_SMALL,
	 .first = 1, .last = 5},
	{"B3-another-name-five-bytes-on-refused", shifted, SNIF_REASON_SPLIT_RECORDS, .first = 90, .last = 350},
	{"B3-two-records-every-offset-allowed", two_records_allowed, ALLOW, .first = 1, .last = MESSAGE,
	 .policy = evasion_policy_unusual},
	{"B3-two-records-every-offset-denied", two_records_forbidden, REFUSE, .first = 1, .last = MESSAGE,
	 .policy = evasion_policy_unusual},
	{"B3-small-records-allowed", records_allowed, ALLOW, .first = 1, .last = 20, .policy = evasion_policy_unusual},
	{"B3-small-records-denied", records_forbidden, REFUSE, .first = 1, .last = 20,
	 .policy = evasion_policy_unusual},
	{"B3xB1-one-byte-records-every-offset-allowed", records_allowed, ALLOW, .cuts = CUTS_EVERY, .first = 1,
	 .last = 1, .policy = evasion_policy_unusual},
	{"B3xB1-one-byte-records-every-offset-denied", records_forbidden, REFUSE, .cuts = CUTS_EVERY, .first = 1,
	 .last = 1, .policy = evasion_policy_unusual},
	{"B3xB1-records-of-7-every-offset-denied", records_forbidden, REFUSE, .cuts = CUTS_EVERY, .first = 7, .last = 7,
	 .policy = evasion_policy_unusual},
	{"B3xB2-small-records-small-segments-allowed", records_allowed, ALLOW, .cuts = CUTS_SMALL, .first = 1,
	 .last = 5, .policy = evasion_policy_unusual},
	{"B3xB2-small-records-small-segments-denied", records_forbidden, REFUSE, .cuts = CUTS_SMALL, .first = 1,
	 .last = 5, .policy = evasion_policy_unusual},
	{"B21-misread-by-routers", misread, SNIF_REASON_NONE, .last = 7},
	{"B21-misread-by-routers-unusual", misread_unusual, ALLOW, .last = 2, .policy = evasion_policy_unusual},
	{"B4-empty-record-first", empty_record, SNIF_REASON_RECORD_EMPTY, .cuts = CUTS_FEW},
	{"B4-empty-record-between", empty_record, SNIF_REASON_RECORD_EMPTY, .first = 1, .last = 40,
	 .policy = evasion_policy_unusual},
	{"B4-empty-records-many", many_empty_records, SNIF_REASON_RECORD_EMPTY, .first = 2, .last = 4},
	{"B4-empty-record-behind-the-hello", empty_record_behind, ALLOW, .then = SNIF_REASON_RECORD_EMPTY,
	 .cuts = CUTS_NONE},
	{"B5-record-over-2^14", long_record, SNIF_REASON_RECORD_TOO_LONG, .last = 4},
	{"B5-message-over-the-limit", long_message, SNIF_REASON_HELLO_TOO_LONG, .last = 2},
	{"B5-message-longer-than-its-data", message_length_off, SNIF_REASON_HELLO_LENGTH, .first = 1, .last = 4,
	 .policy = evasion_policy_unusual},
	{"B5-message-longer-than-its-record", message_length_off, SNIF_REASON_SPLIT_RECORDS, .first = 1, .last = 4},
	{"B5-message-shorter-than-its-data", message_length_off, SNIF_REASON_HELLO_LENGTH, .first = -4, .last = -1},
	{"B5-record-goes-on-behind-the-hello", record_goes_on, SNIF_REASON_HELLO_LENGTH, .first = 1, .last = 8},
	{"B5-two-hellos-in-a-record", two_hellos_in_a_record, SNIF_REASON_HELLO_LENGTH, .last = 1},
	{"B5-inner-length-off", inner_length_off, SNIF_REASON_HELLO_LENGTH, .last = 14},
	{"B5-protocols-off", protocols_off, SNIF_REASON_HELLO_LENGTH, .last = 9},
	{"B5-protocols-good", protocols_good, ALLOW, .last = 3},
	{"B5-lists-off", lists_off, SNIF_REASON_HELLO_LENGTH, .last = 13},
	{"B6-alert-ccs-data-heartbeat-first", other_record, SNIF_REASON_NOT_HANDSHAKE, .first = 20, .last = 20},
	{"B6-alert-first", other_record, SNIF_REASON_NOT_HANDSHAKE, .first = 21, .last = 21},
	{"B6-application-data-first", other_record, SNIF_REASON_NOT_HANDSHAKE, .first = 23, .last = 23},
	{"B6-heartbeat-first", other_record, SNIF_REASON_NOT_HANDSHAKE, .first = 24, .last = 24},
	{"B6-other-record-between", other_record_between, SNIF_REASON_NOT_HANDSHAKE, .first = 20, .last = 21,
	 .policy = evasion_policy_unusual},
	{"B6-unknown-record-between", other_record_between, SNIF_REASON_NOT_HANDSHAKE, .first = 23, .last = 30,
	 .policy = evasion_policy_unusual},
	{"B7-sslv2-hello", sslv2, SNIF_REASON_SSLV2_HELLO, .cuts = CUTS_FEW},
	{"B7-every-first-byte-below-22", first_byte, SNIF_REASON_NOT_TLS, .cuts = CUTS_NONE, .last = 21},
	{"B7-every-first-byte-above-22", first_byte, SNIF_REASON_NOT_TLS, .cuts = CUTS_NONE, .first = 23, .last = 255},
	{"B7-every-other-handshake-message", first_message, SNIF_REASON_NOT_CLIENT_HELLO, .cuts = CUTS_NONE,
	 .last = 255},
	{"B7-http-ssh-and-others", text, SNIF_REASON_NOT_TLS, .last = 7},
	{"B7-random-bytes", random_bytes, SNIF_REASON_NOT_TLS, .first = 1, .last = 20},
	{"B22-question-without-a-rule", asked, SNIF_REASON_NOT_TLS, .cuts = CUTS_EVERY, .first = 1, .last = 1},
	{"B22-question-then-forbidden", asked_and_forbidden, SNIF_REASON_NAME_NOT_ALLOWED, .cuts = CUTS_EVERY,
	 .policy = evasion_policy_postgres},
	{"B22-question-twice", asked, SNIF_REASON_NOT_TLS, .cuts = CUTS_SMALL, .first = 2, .last = 3,
	 .policy = evasion_policy_postgres},
	{"B22-other-question", asked_otherwise, SNIF_REASON_NOT_TLS, .cuts = CUTS_EVERY,
	 .policy = evasion_policy_postgres},
	{"B7-record-version-not-3", record_major, SNIF_REASON_NOT_TLS, .cuts = CUTS_NONE, .last = 20},
};

CATALOGUE(record_cases, cases);
