/* SPDX-License-Identifier: BSD-2-Clause */
/* What a run sees happen ──► whom it tells. */
#include "run/run_watch.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/reason_about.h"
#include "base/file.h"
#include "base/message.h"
#include "base/outlet.h"
#include "event/event_write.h"
#include "run/stats.h"
#include "run/summary_print.h"

/* Milliseconds in which standard error takes nothing, in the end. */
enum { MESSAGES_STALL_MS = 500 };

static int open_words(struct run_watch *watch, const struct identity *identity) {
	static const struct log_file_kind kind = {"summary's file", NULL};
	const struct run_options *options = watch->options;
	const char *to = options->notify || options->quiet ? options->notify : "stderr";

	watch->notices = notices_new(to, watch->policy, identity, !options->quiet);
	if (!watch->notices ||
	    (options->summary_file &&
	     log_file_open(&watch->summary_file, &kind, options->summary_file, identity, !options->quiet)))
		return EXIT_FAILED;
	return 0;
}

int run_watch_open(struct run_watch *watch, const struct identity *identity) {
	const struct run_options *options = watch->options;

	watch->summary = summary_new();
	if (!watch->summary) {
		message_error("cannot prepare the run: %s", strerror(ENOMEM));
		return EXIT_FAILED;
	}
	if (options->log && run_log_open(&watch->log, options->log, identity, !options->quiet))
		return EXIT_FAILED;
	return open_words(watch, identity);
}

int run_watch_view(struct run_watch *watch, const struct signals *signals) {
	if (!watch->options->top)
		return 0;
	if (watch->log.log && isatty(watch->log.file.fd)) {
		message_error("--top and --log %s would write to the terminal at once: name a file for the log",
			      watch->options->log);
		return EXIT_USAGE;
	}
	return run_view_start(&watch->view, signals);
}

void run_watch_abort(struct run_watch *watch, int error) {
	if (watch->aborts)
		error = abort_process_able(watch->aborts);
	/* in audit mode a tag says what would be refused */
	if (!error && watch->policy->mode == SNIF_ENFORCE)
		abort_process_set_tags(watch->aborts, filter_tags_id(watch->filter->filter), watch->filter->policy);
	if (!error)
		return;
	abort_process_stop(watch->aborts);
	watch->aborts = NULL;
	if (!watch->options->quiet)
		message_error("cannot end refused connections: %s; they fail when they time out", strerror(-error));
}

static struct stats stats_of(const struct run_watch *watch, const struct outcome *outcome) {
	return (struct stats){.program = watch->options->command[0],
			      .context = &watch->context,
			      .tally = summary_tally(watch->summary),
			      .filter = watch->filter->filter,
			      .policy = watch->filter->policy,
			      .outcome = outcome};
}

/* What the view cannot take is missing there, and it says so: that is no error of the run. */
static void flush_view(struct run_watch *watch) {
	uint64_t lost;

	if (!watch->view.log)
		return;
	lost = filter_counter(watch->filter->filter, watch->filter->policy, SNIF_COUNTER_LOST);
	if (lost != watch->view.lost_told) {
		struct stats stats = stats_of(watch, NULL);
		stats_write(watch->view.log, &stats);
	}
	watch->view.lost_told = lost;
	log_flush(watch->view.log);
}

static void give_log_turn(void *context) {
	struct run_watch *watch = context;
	struct stats stats = stats_of(watch, NULL);
	flush_view(watch);
	run_log_turn(&watch->log, &stats);
}

static int await_log(void *context, struct pollfd *fd) {
	struct run_watch *watch = context;
	return run_log_wait(&watch->log, fd);
}

/* After the log, whose lines come before the connections end that they tell of. */
static void give_aborts_turn(void *context) {
	struct run_watch *watch = context;
	abort_process_lost(watch->aborts,
			   filter_counter(watch->filter->filter, watch->filter->policy, SNIF_COUNTER_LOST));
	int err = abort_process_turn(watch->aborts);
	if (!err || watch->abort_failed)
		return;
	watch->abort_failed = true;
	message_error("cannot end a refused connection: %s; it hangs until it times out", strerror(-err));
}

static int await_aborts(void *context, struct pollfd *fd) {
	struct run_watch *watch = context;
	return abort_process_wait(watch->aborts, fd);
}

static void give_messages_turn(void *context) {
	struct run_watch *watch = context;
	outlet_push(watch->messages);
}

static int await_refusals(void *context, struct pollfd *fd) {
	const struct run_watch *watch = context;
	return run_refusals_wait(&watch->refusals, fd);
}

static void give_refusals_turn(void *context) {
	struct run_watch *watch = context;
	run_refusals_turn(&watch->refusals);
}

/* A system call that the confinement refuses has no event, as the filter is not asked. */
static void on_refused_call(void *context, const struct refused_call *call, const char *asker) {
	struct run_watch *watch = context;
	char what[sizeof(call->name) + 2], name[ESCAPED_SIZE(SNIF_COMM_LENGTH)];

	snprintf(what, sizeof(what), "%s()", call->name);
	escape_bytes(name, asker, strnlen(asker, SNIF_COMM_LENGTH));
	summary_add_call(watch->summary, what, name);
	notices_add_call(watch->notices, what, name, call->why, watch->view.log ? NULL : watch->message_stream);
}

static int await_notices(void *context, struct pollfd *fd) {
	const struct run_watch *watch = context;
	return notices_wait(watch->notices, fd);
}

static void give_notices_turn(void *context) {
	const struct run_watch *watch = context;
	notices_turn(watch->notices);
}

static int await_messages(void *context, struct pollfd *fd) {
	struct run_watch *watch = context;
	return outlet_wait(watch->messages, fd);
}

/* A refused connection would retransmit for minutes; ended, its program reads an error at once. */
static void fail_fast(struct run_watch *watch, const struct snif_event *event) {
	if (watch->aborts && event->verdict == SNIF_DENY && event->mode == SNIF_ENFORCE &&
	    event->hook == SNIF_HOOK_EGRESS && event->protocol == IPPROTO_TCP)
		abort_process_add(watch->aborts, event);
}

/* Whether the rule that refused says that this was to be expected. */
static bool is_expected(const struct run_watch *watch, const struct snif_event *event) {
	return event->rule < watch->policy->rule_count && watch->policy->rules[event->rule].expected;
}

/* The view of --top has the terminal for itself, and shows the same. */
static void give_notice(struct run_watch *watch, const struct snif_event *event) {
	if (event->verdict == SNIF_DENY && event->mode == SNIF_ENFORCE)
		notices_add(watch->notices, event, watch->view.log ? NULL : watch->message_stream);
}

/* No decision: it counts for nothing. The view wants it also where the policy does not. */
static void on_answer(struct run_watch *watch, const struct snif_event *event) {
	if (watch->policy->dns.log_answers)
		run_log_event(&watch->log, event, &watch->context);
	if (watch->view.log)
		event_write(watch->view.log, event, &watch->context);
}

void run_watch_event(void *context, const struct snif_event *event) {
	struct run_watch *watch = context;
	bool expected = is_expected(watch, event);

	if (event->flags & SNIF_EVENT_ANSWER) {
		on_answer(watch, event);
		return;
	}
	fail_fast(watch, event);
	summary_add(watch->summary, event, expected);
	if (!expected)
		give_notice(watch, event);
	if (event->verdict != SNIF_ALLOW || watch->options->log_allowed)
		run_log_event(&watch->log, event, &watch->context);
	if (watch->view.log)
		event_write(watch->view.log, event, &watch->context);
}

int run_watch_messages(struct run_watch *watch) {
	watch->messages = outlet_open(STDERR_FILENO);
	watch->message_stream = watch->messages ? outlet_stream(watch->messages) : NULL;
	if (!watch->message_stream)
		return -errno;
	message_redirect(watch->message_stream);
	return 0;
}

static void close_messages(struct run_watch *watch) {
	message_redirect(NULL);
	if (watch->message_stream)
		fclose(watch->message_stream);
	if (watch->messages)
		outlet_finish(watch->messages, MESSAGES_STALL_MS);
	outlet_free(watch->messages);
	watch->message_stream = NULL;
	watch->messages = NULL;
}

static void write_summary(const struct run_watch *watch, uint64_t lost) {
	int fd = dup(watch->summary_file.fd), error;
	FILE *file = fd < 0 ? NULL : fdopen(fd, "a");

	if (file)
		summary_print_markdown(watch->summary, watch->policy, lost, file);
	error = stream_close(file);
	if (error)
		message_error("cannot write the summary's file %s: %s", watch->options->summary_file, strerror(-error));
}

void run_watch_tell(struct run_watch *watch, const struct outcome *outcome) {
	struct stats stats = stats_of(watch, outcome);
	run_log_end(&watch->log, &stats);
	close_messages(watch);
	run_view_end(&watch->view);
	uint64_t lost = filter_counter(watch->filter->filter, watch->filter->policy, SNIF_COUNTER_LOST);
	int err = run_watch_messages(watch);
	if (watch->options->summary_file)
		write_summary(watch, lost);
	if (err || watch->options->quiet)
		return;
	if (outcome->outlived)
		message_error("%d process%s outlived the command and %s ended", outcome->outlived,
			      outcome->outlived == 1 ? "" : "es", outcome->outlived == 1 ? "was" : "were");
	summary_print(watch->summary, watch->policy, lost, watch->message_stream);
	if (getenv("GITHUB_ACTIONS"))
		summary_print_annotations(watch->summary, watch->message_stream);
}

bool run_watch_blocked(const struct run_watch *watch) {
	const struct tally *tally = summary_tally(watch->summary);
	struct snif_counters counters;
	uint64_t refusals = 0;

	if (tally->blocked + tally->would_block > tally->expected)
		return true;
	filter_counters(watch->filter->filter, watch->filter->policy, &counters);
	for (unsigned reason = 0; reason < SNIF_REASON_COUNT; reason++)
		if (reason_class(reason) > REASON_ALLOWED)
			refusals += counters.of[reason];
	return counters.of[SNIF_COUNTER_LOST] > 0 && refusals > tally->expected;
}

void run_watch_parts(struct run_watch *watch, struct child *child, const struct syscalls *syscalls,
		     struct part parts[SUPERVISED_PARTS]) {
	const struct part all[] = {{await_log, give_log_turn, watch},
				   {await_messages, give_messages_turn, watch},
				   {await_refusals, give_refusals_turn, watch},
				   {await_notices, give_notices_turn, watch},
				   {await_aborts, give_aborts_turn, watch}};

	watch->refusals = (struct run_refusals){&child->listener, syscalls, on_refused_call, watch};
	memcpy(parts, all, sizeof(all));
	if (!watch->aborts)
		parts[4] = (struct part){0};
}

void run_watch_end_view(struct run_watch *watch) {
	if (watch->view.pid <= 0)
		return;
	/* they were kept with what the command has printed */
	close_messages(watch);
	run_view_end(&watch->view);
}

void run_watch_close(struct run_watch *watch) {
	summary_free(watch->summary);
	notices_free(watch->notices);
	if (watch->summary_file.fd >= 0)
		close(watch->summary_file.fd);
	run_log_close(&watch->log);
	close_messages(watch);
}
