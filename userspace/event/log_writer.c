/* SPDX-License-Identifier: BSD-2-Clause */
/* Members ──► lines of JSON ──► a file, several lines at a time. */
#include "event/log_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <yajl/yajl_gen.h>

#include "base/message.h"
#include "base/timestamp.h"
#include "event/event_memory.h"

enum { FLUSH_AT = 65536, RESERVED = 2 * FLUSH_AT, SHORT_TEXT = 256 }; /* bytes */

static const uint64_t second = 1000000000; /* in nanoseconds */

struct log {
	FILE *out; /* or */
	struct outlet *outlet;
	yajl_gen json; /* with the lines that wait */
	struct log_memory memory;
	char run_id[sizeof("0123456789abcdef")];
	uint64_t sequence, started, clock_distance;
	bool clocks_read;
	int error; /* of the line that is being made */
	struct timestamp timestamp;
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

/* Takes the memory for all lines that can wait now, and not when a command runs already that has to be supervised. */
static bool reserve(struct log *log) {
	static const char some[] = "                                                                ";

	log_memory_init(&log->memory);
	log->memory.caught = true;
	if (setjmp(log->memory.none))
		return false;
	log->json = yajl_gen_alloc(&log->memory.functions);
	for (size_t length = 0; length < RESERVED; length += sizeof(some) - 1)
		yajl_gen_reset(log->json, some);
	yajl_gen_reset(log->json, NULL);
	yajl_gen_clear(log->json);
	log->memory.caught = false;
	return true;
}

struct log *log_new(FILE *out, uint64_t run_id) {
	struct log *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	if (!reserve(log)) {
		log_free(log);
		return NULL;
	}
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

static void put(struct log *log, const char *text, size_t length) {
	yajl_gen_string(log->json, (const unsigned char *)text, length);
}

void log_bytes(struct log *log, const char *key, const void *bytes, size_t length) {
	char short_text[ESCAPED_SIZE(SHORT_TEXT)];
	char *text = length <= SHORT_TEXT ? short_text : malloc(ESCAPED_SIZE(length));

	if (!text) {
		log->error = -ENOMEM;
		return;
	}
	put(log, key, strlen(key));
	put(log, text, escape_bytes(text, bytes, length));
	if (text != short_text)
		free(text);
}

void log_text(struct log *log, const char *key, const char *text) {
	log_bytes(log, key, text, strlen(text));
}

void log_number(struct log *log, const char *key, __u64 number) {
	char digits[sizeof("18446744073709551615")];
	int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);

	put(log, key, strlen(key));
	yajl_gen_number(log->json, digits, (size_t)length);
}

void log_flag(struct log *log, const char *key, bool flag) {
	put(log, key, strlen(key));
	yajl_gen_bool(log->json, flag);
}

void log_open(struct log *log, const char *key) {
	put(log, key, strlen(key));
	yajl_gen_map_open(log->json);
}

void log_close(struct log *log) {
	yajl_gen_map_close(log->json);
}

void log_begin(struct log *log, uint64_t time, const char *event_type) {
	struct timespec when = {.tv_sec = (time_t)(time / second), .tv_nsec = (long)(time % second)};

	log->error = 0;
	yajl_gen_map_open(log->json);
	log_text(log, "timestamp", timestamp_write(&log->timestamp, &when));
	log_number(log, "event_version", LOG_EVENT_VERSION);
	log_text(log, "run_id", log->run_id);
	log_number(log, "sequence", ++log->sequence);
	log_text(log, "event_type", event_type);
}

/* What waits. Returns its length. */
static size_t waiting(const struct log *log, const unsigned char **lines) {
	size_t length = 0;

	yajl_gen_get_buf(log->json, lines, &length);
	return length;
}

int log_end(struct log *log) {
	const unsigned char *lines;
	int error = log->error;

	yajl_gen_map_close(log->json);
	yajl_gen_reset(log->json, "\n"); /* ready for the next line, with this one kept */
	if (waiting(log, &lines) >= FLUSH_AT && !error)
		error = log_flush(log);
	return error;
}

static int write_lines(const struct log *log, const char *lines, size_t length, bool last) {
	if (log->outlet) {
		(last ? outlet_put_last : outlet_put)(log->outlet, lines, length);
		return 0;
	}
	errno = EIO;
	return fwrite(lines, 1, length, log->out) != length || fflush(log->out) ? -errno : 0;
}

static int flush(struct log *log, bool last) {
	const unsigned char *lines;
	size_t length = waiting(log, &lines);
	int error;

	log->clocks_read = false;
	if (length == 0)
		return 0;
	error = write_lines(log, (const char *)lines, length, last);
	yajl_gen_clear(log->json);
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
	if (!log)
		return;
	if (log->json)
		yajl_gen_free(log->json);
	free(log);
}
