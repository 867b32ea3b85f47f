/* SPDX-License-Identifier: BSD-2-Clause */
/* A run's events ──► its log, and what that lacks. */
#include "run/run_log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"

enum { STALL_MS = 500 /* without anything being taken, in the end */ };

int run_log_open(struct run_log *log, const char *file, const struct identity *identity, bool warn) {
	if (log_file_open(&log->file, &log_file_of_events, file, identity, warn))
		return -1;
	log->outlet = outlet_open(log->file.fd);
	log->log = log->outlet ? log_new_to(log->outlet, log_run_id()) : NULL;
	if (log->log)
		return 0;
	message_error("cannot open the log %s: %s", file, strerror(errno));
	run_log_close(log);
	return -1;
}

void run_log_event(struct run_log *log, const struct snif_event *event, const struct event_context *context) {
	if (log->log)
		event_write(log->log, event, context);
}

static void write_stats(struct run_log *log, const struct stats *stats) {
	struct stats now = *stats;

	now.unwritten = outlet_lost(log->outlet);
	stats_write(log->log, &now);
	log->losses_told = filter_counter(stats->filter, stats->policy, SNIF_COUNTER_LOST);
	log->losses_told_at = log_uptime(log->log);
}

static bool has_losses_to_tell(const struct run_log *log, const struct stats *stats) {
	/* the clock first: the counter is a system call, and this is asked for each batch of events */
	return log_uptime(log->log) != log->losses_told_at &&
	       filter_counter(stats->filter, stats->policy, SNIF_COUNTER_LOST) != log->losses_told;
}

static void tell_error(struct run_log *log) {
	int error = outlet_error(log->outlet);

	if (log->error_told || error == 0 || error == -EAGAIN)
		return;
	log->error_told = true;
	message_error("cannot write the log %s: %s; it goes on when that is over", log->file.name, strerror(-error));
}

void run_log_turn(struct run_log *log, const struct stats *stats) {
	if (!log->log)
		return;
	log_flush(log->log);
	outlet_push(log->outlet);
	if (outlet_gap_ends(log->outlet) || has_losses_to_tell(log, stats)) {
		write_stats(log, stats);
		log_flush(log->log);
	}
	tell_error(log);
}

int run_log_wait(const struct run_log *log, struct pollfd *fd) {
	*fd = (struct pollfd){.fd = -1};
	return log->log ? outlet_wait(log->outlet, fd) : -1;
}

static void tell_lack(const struct run_log *log) {
	uint64_t lost = outlet_lost(log->outlet);
	int error = outlet_error(log->outlet);

	if (lost > 0)
		message_error("the log %s lacks %ju line%s: %s", log->file.name, (uintmax_t)lost, lost == 1 ? "" : "s",
			      error == -EAGAIN ? "its reader did not take them" : strerror(-error));
	if (!log_file_in_place(&log->file))
		message_error("the log that was opened as %s is not there any more: it was renamed, removed or "
			      "replaced while the command ran",
			      log->file.name);
}

void run_log_end(struct run_log *log, const struct stats *stats) {
	if (!log->log)
		return;
	log_flush(log->log);
	outlet_push(log->outlet);
	write_stats(log, stats);
	log_flush_last(log->log);
	outlet_finish(log->outlet, STALL_MS);
	tell_error(log);
	tell_lack(log);
}

void run_log_close(struct run_log *log) {
	log_free(log->log);
	outlet_free(log->outlet);
	if (log->file.name && log->file.fd >= 0)
		close(log->file.fd);
	*log = (struct run_log){0};
}
