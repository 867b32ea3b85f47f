/* SPDX-License-Identifier: BSD-2-Clause */
/* What a run sees happen ──► whom it tells: the log, the view, notices, the summary, and the process that ends refused
 * connections. */
#ifndef SNIF_RUN_WATCH_H
#define SNIF_RUN_WATCH_H

#include "event/abort_process.h"
#include "run/notice.h"
#include "run/run_filter.h"
#include "run/run_log.h"
#include "run/run_options.h"
#include "run/run_refusals.h"
#include "run/run_view.h"
#include "run/summary.h"

/* All zero but `summary_file.fd`, which is -1, holds nothing. */
struct run_watch {
	/* the run's; it ends the process */
	const struct run_options *options;
	const struct policy *policy;
	const struct run_filter *filter;
	struct event_context context;
	struct abort_process *aborts; /* NULL: refused connections fail late */

	struct run_log log;
	struct run_view view;
	struct summary *summary;
	struct log_file summary_file;
	struct notices *notices;
	struct run_refusals refusals;
	bool abort_failed;
	struct outlet *messages; /* to standard error, so that no terminal or pipe holds up the run */
	FILE *message_stream;
};

/* Opens what the options ask for, except for the view. Returns 0, or the exit code after saying why. Ends with
 * run_watch_close(), also after an error. */
int run_watch_open(struct run_watch *watch, const struct identity *identity);

/* Starts the view, if the options ask for it. Returns 0, or the exit code after saying why. */
int run_watch_view(struct run_watch *watch, const struct signals *signals);

/* Has refused connections ended by `aborts`, or says that they will not be: where it is NULL for the reason `error` (a
 * negative errno), or the kernel cannot do it. After the policy is in force. */
void run_watch_abort(struct run_watch *watch, int error);

/* From now on messages are written where standard error leads now, or kept or lost there, without waiting. Returns 0 or
 * a negative errno. */
int run_watch_messages(struct run_watch *watch);

/* Fills in what has its turn beside a command, whose refused system calls come by `child` and are named by
 * `syscalls`. */
void run_watch_parts(struct run_watch *watch, struct child *child, const struct syscalls *syscalls,
		     struct part parts[SUPERVISED_PARTS]);

/* Takes an event, as filter_events() wants it; `context` is the watch. */
void run_watch_event(void *context, const struct snif_event *event);

/* After the command's end: writes the last line of the log, ends the view, and prints the summary. */
void run_watch_tell(struct run_watch *watch, const struct outcome *outcome);

/* Whether anything was refused that was not expected to be; of lost events the kernel's counters tell. */
bool run_watch_blocked(const struct run_watch *watch);

/* Ends the view, after the messages that were kept for it. Other messages go straight to standard error again. */
void run_watch_end_view(struct run_watch *watch);

void run_watch_close(struct run_watch *watch);

#endif
