/* SPDX-License-Identifier: BSD-2-Clause */
/* A stream in pieces ──► the filter ──► what the event, the client, the server and the judges say of it. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/hello_reader.h"
#include "harness.h"
#include "judges.h"

/* ---- one connection ----------------------------------------------------------------------------------------- */

struct trial trial_of(int fd) {
	evasion_count(1);
	return (struct trial){.fd = fd, .server = evasion_tls, .index = lab_count(evasion_tls)};
}

struct trial trial_open_at(struct lab_server *server, const char *address, uint16_t port) {
	struct trial trial = {.server = server, .index = lab_count(server)};

	evasion_count(1);
	trial.fd = lab_dial(address, port);
	if (trial.fd < 0)
		fail_msg("cannot connect to %s: %s", address, strerror(-trial.fd));
	return trial;
}

struct trial trial_open(const char *address) {
	return trial_open_at(evasion_tls, address, 443);
}

static bool is_either(const char *name, const char *const names[2]) {
	return (names[0] && strcmp(name, names[0]) == 0) || (names[1] && strcmp(name, names[1]) == 0);
}

static size_t seen_by[JUDGES];

size_t harness_seen_by(size_t judge) {
	return seen_by[judge];
}

/* The invariant: servers see the names that were let through, and no other. */
static void ask_judges(const struct trial *trial, const uint8_t *bytes, size_t length) {
	struct judged judged;

	for (size_t i = 0; i < JUDGES; i++) {
		judges[i].judge(bytes, length, &judged);
		seen_by[i] += judged.hellos;
		for (size_t hello = 0; hello < judged.hellos && hello < JUDGE_HELLOS; hello++)
			if (!is_either(judged.names[hello], trial->may_see))
				fail_msg("%s sees the name '%s' in hello %zu of what was let through", judges[i].name,
					 judged.names[hello], hello + 1);
	}
}

static void same_bytes(const struct lab_connection *seen, const void *bytes, size_t length) {
	size_t kept = length < LAB_KEPT ? length : LAB_KEPT;

	if (seen->received != length)
		fail_msg("the server has received %zu bytes, not %zu", seen->received, length);
	if (kept > 0)
		assert_memory_equal(seen->bytes, bytes, kept);
}

void trial_passed(struct trial *trial, const void *bytes, size_t length) {
	struct lab_connection seen = lab_wait_bytes(trial->server, trial->index, length);

	same_bytes(&seen, bytes, length);
	if (!trial->may_see[0]) {
		trial->may_see[0] = ALLOWED;
		trial->may_see[1] = SECOND;
	}
	if (trial->server != evasion_plain)
		ask_judges(trial, seen.bytes, length < LAB_KEPT ? length : LAB_KEPT);
	lab_reset(trial->fd);
}

/* What the client comes to read; behind an end of stream that the server has sent, the socket is asked. */
static int client_error(int fd) {
	socklen_t size = sizeof(int);
	int error = 0;
	char byte;
	ssize_t length;

	while ((length = recv(fd, &byte, 1, 0)) == 1)
		;
	if (length == 0)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return length == 0 ? error : errno;
}

const struct snif_event *trial_refused(struct trial *trial, enum snif_reason reason, const void *bytes, size_t length) {
	const struct snif_event *event = lab_expect(SNIF_DENY, reason);
	struct lab_connection seen;
	int aborted, error;

	assert_int_equal(event->hook, SNIF_HOOK_EGRESS);
	aborted = harness_abort(event);
	if (aborted)
		fail_msg("the flow could not be ended: %s", strerror(-aborted));
	error = client_error(trial->fd);
	if (error != ECONNABORTED)
		fail_msg("the client reads: %s", strerror(error));
	close(trial->fd);
	seen = lab_wait(trial->server, trial->index, LAB_CLOSED);
	same_bytes(&seen, bytes, length);
	ask_judges(trial, bytes, length);
	return event;
}

void refused_unseen(int fd, enum snif_reason reason) {
	size_t before = lab_count(evasion_tls);
	int aborted = harness_abort(lab_expect(SNIF_DENY, reason)), error;

	if (aborted)
		fail_msg("the flow could not be ended: %s", strerror(-aborted));
	error = client_error(fd);
	if (error != ECONNABORTED)
		fail_msg("the client reads: %s", strerror(error));
	close(fd);
	lab_sleep_ms(20);
	assert_int_equal(lab_count(evasion_tls), before);
}

const struct snif_event *trial_refused_all(struct trial *trial, enum snif_reason reason) {
	return trial_refused(trial, reason, "", 0);
}

/* ---- streams -------------------------------------------------------------------------------------------------- */

void stream_of(struct stream *stream, const struct hello *hello) {
	hello_make(&stream->bytes, hello);
	stream->name = hello->name;
}

void stream_hello(struct stream *stream, const char *name) {
	stream_of(stream, &(struct hello){.name = name});
}

void stream_allowed(struct stream *stream, int n) {
	(void)n;
	stream_hello(stream, ALLOWED);
}

void stream_forbidden(struct stream *stream, int n) {
	(void)n;
	stream_hello(stream, FORBIDDEN);
}

void trial_hello_passes(struct trial *trial, const char *name) {
	static struct stream stream;

	stream_hello(&stream, name);
	assert_int_equal(lab_send(trial->fd, stream.bytes.data, stream.bytes.length), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
	trial->may_see[0] = name;
	trial_passed(trial, stream.bytes.data, stream.bytes.length);
}

void trial_hello_refused(struct trial *trial, const char *name, enum snif_reason reason) {
	static struct stream stream;

	stream_hello(&stream, name);
	lab_send(trial->fd, stream.bytes.data, stream.bytes.length);
	trial_refused_all(trial, reason);
}

/* So many bytes it takes to decide against the stream; all and one more when that does not happen. */
static size_t decided_at(const struct stream *stream) {
	struct hello_reader *reader = calloc(1, sizeof(*reader));
	unsigned hellos = stream->reason != SNIF_REASON_NAME_ALLOWED ? 1 : stream->then ? 2 : 1000;
	size_t at = 0;

	assert_non_null(reader);
	reader->hello.rules = lab_policy()->hello;
	reader->hello.rules.postgres = lab_policy()->zones[lab_policy()->zone_count - 1].postgres;
	while (at < stream->bytes.length && reader->reading.status != SNIF_HELLO_REFUSED &&
	       reader->reading.count < hellos)
		hello_reader_feed(reader, stream->bytes.data + at++, 1);
	if (reader->reading.status != SNIF_HELLO_REFUSED && reader->reading.count < hellos)
		at++;
	free(reader);
	return at;
}

/* A way to send a stream. */
struct way {
	struct lab_server *server;
	const char *address;
	evasion_sender send; /* not NULL: by this */
	size_t cut;	     /* else in two pieces */
	size_t step;	     /* or, not 0: in pieces of so many bytes */
};

/* Returns how many bytes have to arrive. */
static size_t send_pieces(const struct trial *trial, const struct stream *stream, const struct way *way) {
	size_t decided = decided_at(stream), length = stream->bytes.length, whole;
	bool refused = decided <= length;
	const uint8_t *bytes = stream->bytes.data;

	if (way->send) {
		way->send(trial->fd, bytes, length);
		return refused ? 0 : length;
	}
	if (!way->step) {
		lab_send(trial->fd, bytes, way->cut);
		lab_send(trial->fd, bytes + way->cut, length - way->cut);
		return !refused ? length : way->cut < decided ? way->cut : 0;
	}
	/* a segment that is refused is never acknowledged: what is behind it is sent at once */
	whole = refused ? (decided - 1) / way->step * way->step : length;
	if (lab_send_segments(trial->fd, bytes, whole, way->step))
		fail_msg("a segment before the refused one did not arrive");
	lab_send(trial->fd, bytes + whole, length - whole);
	return whole;
}

static void event_fits(const struct stream *stream, const struct snif_event *event, const char *name) {
	if (event->reason >= SNIF_REASON_NAME_INVALID && event->reason <= SNIF_REASON_NAME_TOO_LONG)
		return;
	if (name && (event->name_length != strlen(name) || memcmp(event->name, name, event->name_length)))
		fail_msg("the event names '%.*s', not '%s'", event->name_length, event->name, name);
	if (stream->ech != !!(event->flags & SNIF_EVENT_ECH))
		fail_msg("the event says the wrong thing of ECH");
}

/* Undecided: the end of the stream is told, and does not leave. */
static void trial_unfinished(struct trial *trial, const struct stream *stream) {
	struct lab_connection seen = lab_wait_bytes(trial->server, trial->index, stream->bytes.length);

	same_bytes(&seen, stream->bytes.data, stream->bytes.length);
	if (lab_event(0))
		fail_msg("an event came before the end");
	shutdown(trial->fd, SHUT_WR);
	trial_refused(trial, SNIF_REASON_HELLO_INCOMPLETE, stream->bytes.data, stream->bytes.length);
}

static void try(const struct stream *stream, struct way way) {
	struct trial trial = trial_open_at(way.server, way.address, 443);
	const struct snif_event *event;
	size_t arrive = send_pieces(&trial, stream, &way);
	bool allowed = stream->reason == SNIF_REASON_NAME_ALLOWED;

	if (allowed) {
		trial.may_see[0] = stream->before ? stream->before : stream->name;
		event_fits(stream, lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED), trial.may_see[0]);
	}
	if (stream->reason == SNIF_REASON_NONE)
		trial_unfinished(&trial, stream);
	else if (allowed && (!stream->then || stream->then == SNIF_REASON_NAME_ALLOWED)) {
		if (stream->then)
			event_fits(stream, lab_expect(SNIF_ALLOW, stream->then), stream->name);
		trial.may_see[1] = stream->name;
		trial_passed(&trial, stream->bytes.data, stream->bytes.length);
	} else {
		event = trial_refused(&trial, allowed ? stream->then : stream->reason, stream->bytes.data, arrive);
		event_fits(stream, event, stream->name);
	}
}

static void try_few(const struct stream *stream) {
	size_t length = stream->bytes.length;

	try(stream, (struct way){evasion_tls, V4, NULL, length, 0});
	try(stream, (struct way){evasion_tls, V6, NULL, length, 0});
	try(stream, (struct way){evasion_tls, V4, NULL, 1, 0});
	try(stream, (struct way){evasion_tls, V4, NULL, length / 2, 0});
	try(stream, (struct way){evasion_tls, V6, NULL, length - 1, 0});
}

enum { MANY = 100 };

/* EVASION_STRIDE thins the cases that have MANY variants: only every so many-th offset or size is tried. */
static int stride(void) {
	const char *value = getenv("EVASION_STRIDE");
	int stride = value ? atoi(value) : 1;

	return stride > 1 ? stride : 1;
}

static void try_every(const struct stream *stream) {
	for (size_t cut = 1; cut <= stream->bytes.length; cut += (size_t)stride()) {
		try(stream, (struct way){evasion_tls, V4, NULL, cut, 0});
		try(stream, (struct way){evasion_tls, V6, NULL, cut, 0});
	}
}

static void try_small(const struct stream *stream) {
	static const size_t steps[] = {1, 2, 3, 7, 100, 1400};

	for (size_t i = 0; i < COUNT(steps) && steps[i] < stream->bytes.length; i++)
		try(stream, (struct way){evasion_tls, i % 2 ? V6 : V4, NULL, 0, steps[i]});
}

/* The bytes of the entry for one n; valid until the next call. */
static struct stream *make(const struct evasion *evasion, int n) {
	static struct stream stream;

	stream.bytes.length = 0;
	stream.name = stream.before = NULL;
	stream.ech = false;
	stream.reason = evasion->reason;
	stream.then = evasion->then;
	evasion->make(&stream, n);
	return &stream;
}

void stream_run_at(const struct evasion *evasion, struct lab_server *server, const char *address) {
	const struct stream *stream;

	for (int n = evasion->first; n <= evasion->last; n++) {
		stream = make(evasion, n);
		try(stream, (struct way){server, address, evasion->send, stream->bytes.length, 0});
	}
}

void stream_run(const struct evasion *evasion) {
	int step = evasion->last - evasion->first >= MANY ? stride() : 1;
	const struct stream *stream;

	if (evasion->send || evasion->cuts == CUTS_NONE) {
		stream_run_at(evasion, evasion_tls, V4);
		if (evasion->send)
			stream_run_at(evasion, evasion_tls, V6);
		return;
	}
	for (int n = evasion->first; n <= evasion->last; n += step) {
		stream = make(evasion, n);
		if (evasion->cuts == CUTS_FEW)
			try_few(stream);
		else if (evasion->cuts == CUTS_EVERY)
			try_every(stream);
		else
			try_small(stream);
	}
}
