/* SPDX-License-Identifier: BSD-2-Clause */
/* Events ──► JSON lines, or entries of the journal. */
#include "monitor/sink.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION /* where in this file an entry was made helps nobody */
#include <systemd/sd-journal.h>

#include "base/library.h"
#include "base/message.h"
#include "base/outlet.h"
#include "confine/log_file.h"
#include "event/event_words.h"
#include "policy/rule_print.h"

enum { STALL_MS = 500 /* without anything being taken, in the end */ };

#define FUNCTIONS(X) X(sd_journal_send)

LIBRARY(systemd, "to write to the journal", FUNCTIONS, "libsystemd.so.0");

struct sink {
	const char *file; /* NULL: standard output or the journal */
	bool journal;
	int fd;
	struct outlet *outlet;
	struct log *log;
};

/* Begins to write to a descriptor, which is the sink's from then on but for standard output; lines are numbered on.
 * Returns 0 or a negative errno; then nothing has changed. */
static int write_to(struct sink *sink, int fd) {
	struct outlet *outlet = outlet_open(fd);

	if (outlet && sink->log)
		log_move(sink->log, outlet);
	else if (outlet)
		sink->log = log_new_to(outlet, log_run_id());
	if (!sink->log || !outlet) {
		int error = errno ? -errno : -ENOMEM;

		outlet_free(outlet);
		return error;
	}
	sink->fd = fd;
	sink->outlet = outlet;
	return 0;
}

/* What has been given to it is written, if that takes no longer than anybody should wait. */
static void end_writing(const struct sink *sink, struct outlet *outlet, int fd) {
	outlet_finish(outlet, STALL_MS);
	outlet_free(outlet);
	if (sink->file)
		close(fd);
}

/* Says why it cannot. There is no command whose user could change the file. */
static int open_file(const char *name) {
	static const struct identity nobody = {0};
	struct log_file file;

	return log_file_open(&file, &log_file_of_events, name, &nobody, false) ? -1 : file.fd;
}

struct sink *sink_open(const char *output) {
	struct sink *sink = calloc(1, sizeof(*sink));
	int fd = STDOUT_FILENO, error = sink ? 0 : -ENOMEM;

	if (!error && strcmp(output, "journal") == 0) {
		sink->journal = true;
		if (library_open(&systemd_library) == 0)
			return sink;
		free(sink);
		return NULL;
	}
	if (!error && strcmp(output, "-") != 0) {
		sink->file = output;
		fd = open_file(output);
	}
	if (!error && fd >= 0)
		error = write_to(sink, fd);
	if (!error && fd >= 0)
		return sink;
	if (error)
		message_error("cannot write to %s: %s", output, strerror(-error));
	if (fd > STDERR_FILENO)
		close(fd);
	free(sink);
	return NULL;
}

void sink_reopen(struct sink *sink) {
	struct outlet *outlet = sink->outlet;
	int before = sink->fd, fd, error;

	if (!sink->file)
		return;
	fd = open_file(sink->file);
	error = fd < 0 ? 0 : write_to(sink, fd);
	if (fd >= 0 && !error) {
		end_writing(sink, outlet, before);
		return;
	}
	if (error)
		message_error("cannot open %s again: %s", sink->file, strerror(-error));
	if (fd >= 0)
		close(fd);
	message_error("what was opened before as %s is written on", sink->file);
}

/* ---- the journal ----------------------------------------------------------------------------------------------- */

static const char *name_or_address(const struct snif_event *event, char text[256 + 1]) {
	size_t length = event_name_length(event);
	char address[EVENT_ADDRESS_SIZE];

	if (length > 0) {
		memcpy(text, event->name, length);
		text[length] = '\0';
	} else {
		event_address(address, event->destination);
		snprintf(text, 257, "%s", address);
	}
	return text;
}

static void send_to_journal(const struct snif_event *event, const struct event_context *context) {
	const char *reason = reason_code(event->reason), *said = "allowed", *action = said;
	char raw[256 + 1], what[ESCAPED_SIZE(256)], process[ESCAPED_SIZE(SNIF_COMM_LENGTH)],
		rule[RULE_PLACE] = "", address[EVENT_ADDRESS_SIZE], protocol[4];

	name_or_address(event, raw);
	escape_bytes(what, raw, strlen(raw));
	escape_bytes(process, event->process.name, strnlen(event->process.name, SNIF_COMM_LENGTH));
	event_address(address, event->destination);
	if (context->policy && event->rule > 0 && event->rule < context->policy->rule_count)
		rule_place(&context->policy->rules[event->rule], rule);
	if (event->flags & SNIF_EVENT_ANSWER) {
		said = action = "found";
	} else if (event->verdict != SNIF_ALLOW) {
		said = event->mode == SNIF_AUDIT ? "would refuse" : "refused";
		action = event->mode == SNIF_AUDIT ? "would block" : "blocked"; /* as the log has it */
	}
	systemd.sd_journal_send("MESSAGE=%s %s (%s, %s)", said, what, process, reason, "PRIORITY=%d",
				event->verdict == SNIF_DENY ? LOG_WARNING : LOG_INFO, "SYSLOG_IDENTIFIER=snifence",
				"SNIFENCE_ACTION=%s", action, "SNIFENCE_REASON=%s", reason, "SNIFENCE_NAME=%s",
				event_name_length(event) > 0 ? what : "", "SNIFENCE_ADDRESS=%s", address,
				"SNIFENCE_PORT=%u", event->destination_port, "SNIFENCE_PROTOCOL=%s",
				event_protocol(protocol, event->protocol), "SNIFENCE_PROCESS=%s", process,
				"SNIFENCE_PID=%u", event->process.pid, "SNIFENCE_UID=%u", event->process.uid,
				"SNIFENCE_CGROUP=%s", context->cgroup_path, "SNIFENCE_POLICY=%s",
				context->policy ? context->policy->name : "", "SNIFENCE_RULE=%s", rule, NULL);
}

void sink_event(struct sink *sink, const struct snif_event *event, const struct event_context *context) {
	if (sink->journal) {
		send_to_journal(event, context);
		return;
	}
	event_write(sink->log, event, context);
	/* line by line: the kernel has forgotten the event when the next one is read, and a monitor can be killed */
	log_flush(sink->log);
}

int sink_wait(const struct sink *sink, struct pollfd *fd) {
	*fd = (struct pollfd){.fd = -1};
	return sink->outlet ? outlet_wait(sink->outlet, fd) : -1;
}

void sink_turn(struct sink *sink) {
	if (!sink->outlet)
		return;
	outlet_push(sink->outlet);
	if (outlet_gap_ends(sink->outlet))
		message_error("%ju lines were lost, as nobody took them", (uintmax_t)outlet_lost(sink->outlet));
}

void sink_close(struct sink *sink) {
	if (!sink)
		return;
	if (sink->outlet)
		end_writing(sink, sink->outlet, sink->fd);
	log_free(sink->log);
	free(sink);
}
