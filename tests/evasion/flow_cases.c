/* SPDX-License-Identifier: BSD-2-Clause */
/* B16, B17, B19: what comes behind a ClientHello: data, a second hello, or nothing. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "evasion.h"
#include "judges.h"

enum { CHANGE_CIPHER_SPEC = 20, ALERT, HANDSHAKE, DATA };

static const uint8_t data[16384] = {23, 3, 3}, zeros[1024];

/* ---- B16 ---- */

static void add_data(struct stream *stream, int n) {
	if (n == 2)
		hello_record(&stream->bytes, CHANGE_CIPHER_SPEC, "\1", 1);
	if (n == 1)
		bytes_fill(&stream->bytes, 'x', 5000); /* no record at all */
	for (int i = 0; i < (n == 3 ? 3 : 1); i++)
		hello_record(&stream->bytes, DATA, data, n == 3 ? sizeof(data) : 100);
}

static void piped_allowed(struct stream *stream, int n) {
	stream_hello(stream, ALLOWED);
	add_data(stream, n == 1 ? 0 : n);
}

static void piped_forbidden(struct stream *stream, int n) {
	stream_hello(stream, FORBIDDEN);
	add_data(stream, n);
}

/* ---- B17 ---- */

enum { BETWEEN_NOTHING, BETWEEN_CCS, BETWEEN_EARLY_DATA, BETWEEN_ALL, BETWEEN_ALERT };

/* A TLS 1.3 hello, without a key share (which makes servers send a HelloRetryRequest) or with one; with padding or not. */
static void add_padded_hello(struct stream *stream, const char *name, bool share, bool early_data, uint16_t padding) {
	static const uint8_t keys[2 + 4 + 32] = {0, 36, 0, 29, 0, 32, 9}, modes[] = {1, 1};
	static const uint8_t psk[2 + 2 + 20 + 4 + 2 + 33] = {0, 26, 0, 20, 7, [28] = 0, [29] = 33, [30] = 32};
	static const uint8_t groups[] = {0, 2, 0, 29}, signatures[] = {0, 4, 4, 3, 8, 4}, versions[] = {2, 3, 4};
	const size_t passed_over = padding ? 0 : 1;
	struct hello_extension list[] = {{21, zeros, padding},
					 {10, groups, sizeof(groups)},
					 {13, signatures, sizeof(signatures)},
					 {43, versions, sizeof(versions)},
					 {51, share ? keys : (const uint8_t *)"\0\0", share ? sizeof(keys) : 2},
					 {45, modes, sizeof(modes)},
					 {42, "", 0},
					 {41, psk, sizeof(psk)}};
	const struct hello hello = {.name = name,
				    .bare = 1,
				    .extra = list + passed_over,
				    .extra_count = COUNT(list) - passed_over - (early_data ? 0 : 3)};
	static struct bytes message;

	/* server_name comes last here: in front of pre_shared_key it would have to be for a server that looks */
	message.length = 0;
	hello_message(&message, &hello);
	hello_records(&stream->bytes, message.data, message.length, 0);
}

static void add_hello(struct stream *stream, const char *name, bool share, bool early_data) {
	add_padded_hello(stream, name, share, early_data, 0);
}

/* That the judges judge: both have to see the name of an ordinary hello, and that of a second one. */
static void judges_see(void) {
	static struct stream one, two;
	struct judged judged;

	one.bytes.length = two.bytes.length = 0;
	stream_hello(&one, ALLOWED);
	add_hello(&two, ALLOWED, false, false);
	add_hello(&two, FORBIDDEN, true, false);
	for (size_t i = 0; i < JUDGES; i++) {
		judges[i].judge(one.bytes.data, one.bytes.length, &judged);
		assert_int_equal(judged.hellos, 1);
		assert_string_equal(judged.names[0], ALLOWED);
		judges[i].judge(two.bytes.data, two.bytes.length, &judged);
		assert_true(judged.hellos > 0); /* GnuTLS tells of the second alone */
		assert_string_equal(judged.names[judged.hellos - 1], FORBIDDEN);
	}
}

static void add_between(struct stream *stream, int between) {
	if (between == BETWEEN_CCS || between == BETWEEN_ALL)
		hello_record(&stream->bytes, CHANGE_CIPHER_SPEC, "\1", 1);
	if (between == BETWEEN_EARLY_DATA || between == BETWEEN_ALL)
		hello_record(&stream->bytes, DATA, data, 200);
	if (between == BETWEEN_ALERT)
		hello_record(&stream->bytes, ALERT, "\1\51", 2); /* a warning */
}

static void two_hellos(struct stream *stream, const char *first, const char *second, int between) {
	bool early = between == BETWEEN_EARLY_DATA || between == BETWEEN_ALL;

	add_hello(stream, first, false, early);
	add_between(stream, between);
	add_hello(stream, second, true, false);
	stream->name = second;
	stream->before = first;
}

static void second_same(struct stream *stream, int n) {
	two_hellos(stream, ALLOWED, ALLOWED, n);
}

static void second_forbidden(struct stream *stream, int n) {
	two_hellos(stream, ALLOWED, FORBIDDEN, n);
}

static void second_other_allowed(struct stream *stream, int n) {
	two_hellos(stream, ALLOWED, SECOND, n);
}

static void second_without_name(struct stream *stream, int n) {
	two_hellos(stream, ALLOWED, NULL, n);
}

static void first_forbidden(struct stream *stream, int n) {
	two_hellos(stream, FORBIDDEN, ALLOWED, n);
	stream->name = FORBIDDEN;
}

/* Application data that was not offered as early data: no server takes a ClientHello behind it. */
static void second_behind_data(struct stream *stream, int n) {
	add_hello(stream, ALLOWED, false, false);
	hello_record(&stream->bytes, DATA, data, (size_t)n);
	add_hello(stream, FORBIDDEN, true, false);
	stream->name = ALLOWED;
}

/* What GnuTLS would read in the place of a second ClientHello. */
static void second_sslv2(struct stream *stream, int n) {
	static const uint8_t hello[] = {0x80, 46, 1, 3, 1, 0, 21, 0, 0, 0, 16};

	(void)n;
	add_hello(stream, ALLOWED, false, false);
	bytes_add(&stream->bytes, hello, sizeof(hello));
	stream->name = NULL;
	stream->before = ALLOWED;
}

static void many_hellos(struct stream *stream, int n) {
	for (int i = 0; i < n; i++)
		add_hello(stream, ALLOWED, false, false);
	stream->name = ALLOWED;
}

/* A handshake record behind change_cipher_spec that could be an encrypted Finished, and a hello behind that. */
static void hello_behind_finished(struct stream *stream, int n) {
	(void)n;
	add_hello(stream, ALLOWED, false, false);
	hello_record(&stream->bytes, CHANGE_CIPHER_SPEC, "\1", 1);
	hello_record(&stream->bytes, HANDSHAKE, "\1\377\377\377 as encrypted bytes may be", 30);
	add_hello(stream, FORBIDDEN, true, false);
	stream->name = NULL;
	stream->before = ALLOWED;
}

/* The same with a server that answers: the second hello is sent when its HelloRetryRequest is there. */
static void retry(const char *second, uint16_t padding, enum snif_reason refusal) {
	static struct stream stream;
	char answer[4096];
	struct trial trial = trial_open(V4);
	size_t first;

	stream.bytes.length = 0;
	add_hello(&stream, ALLOWED, false, false);
	first = stream.bytes.length;
	assert_int_equal(lab_send(trial.fd, stream.bytes.data, first), 0);
	assert_true(recv(trial.fd, answer, sizeof(answer), 0) > 0);
	lab_expect(SNIF_ALLOW, ALLOW);
	hello_record(&stream.bytes, CHANGE_CIPHER_SPEC, "\1", 1);
	add_padded_hello(&stream, second, true, false, padding);
	assert_int_equal(lab_send(trial.fd, stream.bytes.data + first, stream.bytes.length - first), 0);
	trial.may_see[0] = ALLOWED;
	if (refusal != SNIF_REASON_NONE) {
		trial_refused(&trial, refusal, stream.bytes.data, first);
		return;
	}
	assert_true(recv(trial.fd, answer, sizeof(answer), 0) > 0);
	trial.may_see[1] = second;
	trial_passed(&trial, stream.bytes.data, stream.bytes.length);
	assert_string_equal(lab_seen(trial.server, trial.index).name, second);
}

static void retry_same(void) {
	retry(ALLOWED, 0, SNIF_REASON_NONE);
}

static void retry_forbidden(void) {
	retry(FORBIDDEN, 0, REFUSE);
}

/* Whole in its record, and too long for the policy: as the bytes of a Finished, it would be passed over. */
static void retry_over_the_limit(void) {
	retry(FORBIDDEN, sizeof(zeros), SNIF_REASON_HELLO_TOO_LONG);
}

/* ---- B19 ---- */

static void unfinished(struct stream *stream, int n) {
	static const size_t lengths[] = {1, 2, 4, 5, 6, 8, 9, 42, 100, 16000, 16382, 16383};

	stream_of(stream, &(struct hello){.name = ALLOWED, .name_at = 15000, .size = 16384});
	stream->bytes.length = lengths[n];
	stream->name = NULL;
}

static void unfinished_at(struct stream *stream, int n) {
	stream_hello(stream, ALLOWED);
	stream->bytes.length = (size_t)n;
	stream->name = NULL;
}

/* Leaves a hello unfinished on a fresh connection; returns what was sent in `stream`. */
static struct trial leave_unfinished(struct stream *stream) {
	struct trial trial = trial_open(V4);

	stream->bytes.length = 0;
	unfinished(stream, 11);
	assert_int_equal(lab_send(trial.fd, stream->bytes.data, stream->bytes.length), 0);
	lab_wait_bytes(trial.server, trial.index, stream->bytes.length);
	return trial;
}

static void silence(void) {
	static struct stream stream;
	struct trial trial = leave_unfinished(&stream);

	assert_null(lab_event(300));
	assert_int_equal(lab_seen(trial.server, trial.index).received, stream.bytes.length);
	shutdown(trial.fd, SHUT_WR);
	trial_refused(&trial, SNIF_REASON_HELLO_INCOMPLETE, stream.bytes.data, stream.bytes.length);
}

/* A reset carries nothing: it is told, and leaves. */
static void reset(void) {
	static struct stream stream;
	struct trial trial = leave_unfinished(&stream);
	struct lab_connection seen;

	lab_reset(trial.fd);
	lab_expect(SNIF_DENY, SNIF_REASON_HELLO_INCOMPLETE);
	seen = lab_wait(trial.server, trial.index, LAB_CLOSED);
	assert_int_equal(seen.error, ECONNRESET);
	assert_int_equal(seen.received, stream.bytes.length);
}

/* The last bytes and the FIN in one segment. */
static void data_with_fin(void) {
	static struct stream stream;
	struct trial trial = trial_open(V4);

	unfinished_at(&stream, 100);
	assert_int_equal(send(trial.fd, stream.bytes.data, 100, MSG_MORE), 100);
	shutdown(trial.fd, SHUT_WR);
	trial_refused_all(&trial, SNIF_REASON_HELLO_INCOMPLETE);
}

/* Nothing was sent, so there is nothing to tell. */
static void nothing_sent(void) {
	struct trial trial = trial_open(V4);

	shutdown(trial.fd, SHUT_WR);
	assert_true(lab_wait(trial.server, trial.index, LAB_CLOSED).closed);
	close(trial.fd);
}

static const struct evasion cases[] = {
	{"B16-data-behind-the-hello-allowed", piped_allowed, ALLOW, .last = 3},
	{"B16-data-behind-the-hello-denied", piped_forbidden, REFUSE, .last = 3},
	{"B16-data-behind-the-hello-every-offset-denied", piped_forbidden, REFUSE, .cuts = CUTS_EVERY},
	{"B17-judges-see-a-second-hello", .run = judges_see},
	{"B17-second-hello-same-name", second_same, ALLOW, .last = 4},
	{"B17-second-hello-same-name-every-offset", second_same, ALLOW, .cuts = CUTS_EVERY},
	{"B17-second-hello-other-name", second_forbidden, ALLOW, .then = REFUSE, .last = 4},
	{"B17-second-hello-other-name-every-offset", second_forbidden, ALLOW, .then = REFUSE, .cuts = CUTS_EVERY,
	 .last = 1},
	{"B17-second-hello-other-allowed-name", second_other_allowed, ALLOW, .then = ALLOW, .last = 4},
	{"B17-second-hello-without-name", second_without_name, ALLOW, .then = SNIF_REASON_SNI_MISSING, .last = 4},
	{"B17-first-hello-denied", first_forbidden, REFUSE, .last = 4},
	{"B17-server-asks-again-same-name", .run = retry_same},
	{"B17-server-asks-again-other-name", .run = retry_forbidden},
	{"B17-server-asks-again-over-the-limit", .run = retry_over_the_limit, .policy = evasion_policy_short},
	{"X-second-hello-behind-application-data", second_behind_data, ALLOW, .first = 1, .last = 20},
	{"X-second-hello-of-sslv2", second_sslv2, ALLOW, .then = SNIF_REASON_NOT_HANDSHAKE},
	{"X-four-hellos-in-a-packet", many_hellos, ALLOW, .cuts = CUTS_NONE, .first = 2, .last = 4},
	{"X-five-hellos-in-a-packet", many_hellos, ALLOW, .then = SNIF_REASON_SCAN_LIMIT, .cuts = CUTS_NONE, .first = 5,
	 .last = 8},
	{"X-hello-behind-what-may-be-finished", hello_behind_finished, ALLOW, .then = SNIF_REASON_HELLO_TOO_LONG},
	{"B19-unfinished-then-fin", unfinished, SNIF_REASON_NONE, .last = 11},
	{"B19-unfinished-everywhere-then-fin", unfinished_at, SNIF_REASON_NONE, .first = 1, .last = 183,
	 .cuts = CUTS_NONE},
	{"B19-silence", .run = silence},
	{"B19-reset", .run = reset},
	{"B19-last-bytes-with-fin", .run = data_with_fin},
	{"B19-nothing-sent", .run = nothing_sent},
};

CATALOGUE(flow_cases, cases);
