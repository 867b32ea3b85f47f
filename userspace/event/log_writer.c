/* SPDX-License-Identifier: BSD-2-Clause */
/* Members ──► lines of JSON ──► a file, several lines at a time. */
#include "event/log_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/message.h"
#include "base/timestamp.h"

/* Bytes: lines are written when so many wait; so long a line can be, beyond which it is left out. */
enum { FLUSH_AT = 65536, LINE_MOST = 65536 };

static const uint64_t second = 1000000000; /* in nanoseconds */

struct log {
	FILE *out; /* or */
	struct outlet *outlet;
	size_t waiting; /* bytes of whole lines */
	size_t used;	/* the same, and of the line that is being made */
	bool first;	/* no member was written in the object that is open */
	char run_id[sizeof("0123456789abcdef")];
	uint64_t sequence, started, clock_distance;
	bool clocks_read;
	int error; /* of the line that is being made */
	struct timestamp timestamp;
	char lines[FLUSH_AT + LINE_MOST];
};

static uint64_t now(clockid_t clock) {
	struct timespec time = {0};

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * second + (uint64_t)time.tv_nsec;
}

uint64_t log_run_id(void) {
	uint64_t id;

	return getrandom(&id, sizeof(id), 0) == (ssize_t)sizeof(id) ? id : now(CLOCK_REALTIME);
}

struct log *log_new(FILE *out, uint64_t run_id) {
	struct log *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	snprintf(log->run_id, sizeof(log->run_id), "%016jx", (uintmax_t)run_id);
	log->out = out;
	log->started = now(CLOCK_MONOTONIC);
	return log;
}

struct log *log_new_to(struct outlet *outlet, uint64_t run_id) {
	struct log *log = log_new(NULL, run_id);

	if (log)
		log->outlet = outlet;
	return log;
}

void log_move(struct log *log, struct outlet *outlet) {
	log_flush(log);
	log->outlet = outlet;
}

static void put(struct log *log, const char *bytes, size_t length) {
	if (length > sizeof(log->lines) - log->used) {
		log->error = -EMSGSIZE;
		return;
	}
	memcpy(log->lines + log->used, bytes, length);
	log->used += length;
}

static void put_sign(struct log *log, char sign) {
	put(log, &sign, 1);
}

/* A byte as escape_bytes() writes it, in JSON, where a backslash is written twice. */
static void put_byte(struct log *log, unsigned char byte) {
	static const char digits[] = "0123456789abcdef";
	const char escaped[] = {'\\', '\\', 'x', digits[byte >> 4], digits[byte & 15]};

	if (byte == '"')
		put(log, "\\\"", 2);
	else if (byte >= 0x20 && byte < 0x7f && byte != '\\')
		put_sign(log, (char)byte);
	else
		put(log, escaped, sizeof(escaped));
}

static void put_key(struct log *log, const char *key) {
	if (!log->first)
		put_sign(log, ',');
	log->first = false;
	put_sign(log, '"');
	put(log, key, strlen(key));
	put(log, "\":", 2);
}

void log_bytes(struct log *log, const char *key, const void *bytes, size_t length) {
	put_key(log, key);
	put_sign(log, '"');
	for (size_t i = 0; i < length; i++)
		put_byte(log, ((const unsigned char *)bytes)[i]);
	put_sign(log, '"');
}

void log_text(struct log *log, const char *key, const char *text) {
	log_bytes(log, key, text, strlen(text));
}

void log_number(struct log *log, const char *key, __u64 number) {
	char digits[sizeof("18446744073709551615")], *begin = digits + sizeof(digits);

	do
		*--begin = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	put_key(log, key);
	put(log, begin, (size_t)(digits + sizeof(digits) - begin));
}

void log_flag(struct log *log, const char *key, bool flag) {
	put_key(log, key);
	put(log, flag ? "true" : "false", flag ? 4 : 5);
}

static void open_object(struct log *log) {
	put_sign(log, '{');
	log->first = true;
}

void log_open(struct log *log, const char *key) {
	put_key(log, key);
	open_object(log);
}

void log_close(struct log *log) {
	put_sign(log, '}');
	log->first = false;
}

void log_open_array(struct log *log, const char *key) {
	put_key(log, key);
	put_sign(log, '[');
	log->first = true;
}

void log_open_item(struct log *log) {
	if (!log->first)
		put_sign(log, ',');
	open_object(log);
}

void log_close_array(struct log *log) {
	put_sign(log, ']');
	log->first = false;
}

void log_begin(struct log *log, uint64_t time, const char *event_type) {
	struct timespec when = {.tv_sec = (time_t)(time / second), .tv_nsec = (long)(time % second)};

	log->error = 0;
	open_object(log);
	log_text(log, "timestamp", timestamp_write(&log->timestamp, &when));
	log_number(log, "event_version", LOG_EVENT_VERSION);
	log_text(log, "run_id", log->run_id);
	log_number(log, "sequence", ++log->sequence);
	log_text(log, "event_type", event_type);
}

int log_end(struct log *log) {
	int error;

	put(log, "}\n", 2);
	error = log->error;
	if (error)
		log->used = log->waiting; /* half a line is none */
	log->waiting = log->used;
	if (log->waiting >= FLUSH_AT && !error)
		error = log_flush(log);
	return error;
}

static int write_lines(const struct log *log, bool last) {
	if (log->outlet) {
		(last ? outlet_put_last : outlet_put)(log->outlet, log->lines, log->waiting);
		return 0;
	}
	errno = EIO;
	return fwrite(log->lines, 1, log->waiting, log->out) != log->waiting || fflush(log->out) ? -errno : 0;
}

static int flush(struct log *log, bool last) {
	int error = 0;

	log->clocks_read = false;
	if (log->waiting > 0)
		error = write_lines(log, last);
	log->waiting = log->used = 0;
	return error;
}

int log_flush(struct log *log) {
	return flush(log, false);
}

int log_flush_last(struct log *log) {
	return flush(log, true);
}

uint64_t log_real_time(struct log *log, uint64_t monotonic) {
	if (!log->clocks_read)
		log->clock_distance = now(CLOCK_REALTIME) - now(CLOCK_MONOTONIC);
	log->clocks_read = true;
	return monotonic + log->clock_distance;
}

uint64_t log_uptime(const struct log *log) {
	return (now(CLOCK_MONOTONIC) - log->started) / second;
}

void log_free(struct log *log) {
	free(log);
}
