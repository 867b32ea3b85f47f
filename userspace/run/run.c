/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence run`: a command line ──► a policy in force ──► a command under it ──► its exit status. */
#include "run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/uninspected.h"
#include "base/descriptors.h"
#include "base/message.h"
#include "base/outlet.h"
#include "cgroup/cgroup.h"
#include "compile/compile.h"
#include "confine/confine.h"
#include "confine/spawn.h"
#include "event/abort_process.h"
#include "event/event_write.h"
#include "run/run_filter.h"
#include "run/run_log.h"
#include "run/run_options.h"
#include "run/run_view.h"
#include "run/stats.h"
#include "run/summary.h"
#include "run/supervise.h"

/* Milliseconds in which standard error takes nothing, in the end. */
enum { MESSAGES_STALL_MS = 500 };

/* Everything that a run holds; all zero (descriptors -1) is a run that holds nothing. */
struct run {
	struct run_options options;
	struct policy *policy;
	struct compiled compiled;
	struct confinement confinement;
	struct run_log log;
	bool abort_failed, undying; /* undying: some processes cannot be ended */
	struct outlet *messages;    /* to standard error, so that no terminal or pipe holds up the run */
	FILE *message_stream;
	struct run_view view;
	struct summary *summary;
	struct signals signals;
	struct cgroup cgroup;
	struct run_filter filter;
	struct abort_process *aborts;
	struct event_context context;
};

/* Each of these steps returns 0, or the exit code after saying why. */

static int load_policy(struct run *run) {
	struct diagnostics diagnostics = {0};
	int error = 0;

	run->policy = policy_load(run->options.policy, &diagnostics);
	if (run->policy)
		error = warn_uninspected(run->policy, &diagnostics);
	if (!run->policy || !run->options.quiet)
		diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	if (error) {
		message_error("cannot look at the policy: %s", strerror(-error));
		return EXIT_FAILED;
	}
	return run->policy ? 0 : EXIT_USAGE;
}

static int compile(struct run *run) {
	if (compile_for_kernel(run->policy, &run->compiled))
		return EXIT_FAILED;
	/* who wants neither summary, log nor view has no use for events of what is allowed */
	run->compiled.settings.options.skip_allowed = run->options.quiet && !run->options.log && !run->options.top;
	return 0;
}

static int resolve_identity(struct run *run) {
	if (identity_resolve(run->options.user, &run->confinement.identity))
		return EXIT_USAGE;
	run->confinement.keep_caps = run->options.keep_caps;
	run->confinement.no_seccomp = run->options.no_seccomp;
	if (!run->options.keep_caps || !run->confinement.identity.change || run->confinement.identity.uid == 0)
		return 0;
	message_error("--keep-caps keeps nothing for uid %u: only root has capabilities to keep; add --user root",
		      run->confinement.identity.uid);
	return EXIT_USAGE;
}

static int prepare_outputs(struct run *run) {
	run->summary = summary_new();
	int err = run->summary ? signals_take(&run->signals) : -ENOMEM;
	/* with the signals taken: writing to a file can send some */
	if (!err && run->options.log &&
	    run_log_open(&run->log, run->options.log, &run->confinement.identity, !run->options.quiet))
		return EXIT_FAILED;
	if (!err)
		return 0;
	message_error("cannot prepare the run: %s", strerror(-err));
	return EXIT_FAILED;
}

/* After the message about what could not be done. */
static int something_lacks(void) {
	message_error("`snifence features` shows what this machine lacks for a run, and what it has");
	return EXIT_FAILED;
}

/* With the signals taken: SIGCHLD is not ignored. */
static int prepare_confinement(struct run *run) {
	int err = confine_prepare(&run->confinement);
	if (!err)
		return 0;
	message_error("cannot make the seccomp filter: %s (--no-seccomp leaves it out)", strerror(-err));
	return something_lacks();
}

/* Before the programs are loaded, whose descriptors the view's process is not to have. */
static int start_view(struct run *run) {
	if (!run->options.top)
		return 0;
	if (run->log.log && isatty(run->log.file.fd)) {
		message_error("--top and --log %s would write to the terminal at once: name a file for the log",
			      run->options.log);
		return EXIT_USAGE;
	}
	return run_view_start(&run->view, &run->signals);
}

/* Without it the filter holds all the same: what is blocked just fails late. */
static void prepare_abort(struct run *run, int err) {
	if (run->aborts)
		err = abort_process_able(run->aborts);
	/* in audit mode a tag says what would be refused */
	if (!err && run->policy->mode == SNIF_ENFORCE)
		abort_process_set_tags(run->aborts, filter_tags_id(run->filter.filter), run->filter.policy);
	if (!err)
		return;
	abort_process_stop(run->aborts);
	run->aborts = NULL;
	if (!run->options.quiet)
		message_error("cannot end blocked connections: %s; they fail when they time out", strerror(-err));
}

static int put_in_force(struct run *run) {
	if (cgroup_create(&run->cgroup))
		return something_lacks();
	run->context = (struct event_context){
		.policy = run->policy, .policy_sha256 = run->compiled.sha256, .cgroup_path = run->cgroup.path};
	run->aborts = abort_process_start(run->cgroup.fd);
	int abort_error = run->aborts ? 0 : -errno;
	if (run_filter_begin(&run->filter, run->cgroup.fd, run->cgroup.id, policy_reads_dns(run->policy)))
		return something_lacks();
	/* while the kernel verifies the programs */
	int code = prepare_confinement(run);
	if (code)
		return code;
	if (run_filter_attach(&run->filter, run->cgroup.fd, run->cgroup.id, &run->compiled))
		return something_lacks();
	/* the kernel has its own copy */
	compiled_free(&run->compiled);
	prepare_abort(run, abort_error);
	return 0;
}

/* What the view cannot take is missing there, and it says so: that is no error of the run. */
static void flush_view(struct run *run) {
	uint64_t lost;

	if (!run->view.log)
		return;
	lost = filter_counter(run->filter.filter, run->filter.policy, SNIF_COUNTER_LOST);
	if (lost != run->view.lost_told)
		stats_write(run->view.log, &(struct stats){.context = &run->context,
							   .tally = summary_tally(run->summary),
							   .filter = run->filter.filter,
							   .policy = run->filter.policy});
	run->view.lost_told = lost;
	log_flush(run->view.log);
}

static struct stats stats_of(const struct run *run, const struct outcome *outcome) {
	return (struct stats){.context = &run->context,
			      .tally = summary_tally(run->summary),
			      .filter = run->filter.filter,
			      .policy = run->filter.policy,
			      .outcome = outcome};
}

static void give_log_turn(void *context) {
	struct run *run = context;
	struct stats stats = stats_of(run, NULL);
	flush_view(run);
	run_log_turn(&run->log, &stats);
}

static int await_log(void *context, struct pollfd *fd) {
	struct run *run = context;
	return run_log_wait(&run->log, fd);
}

/* After the log, whose lines come before the connections end that they tell of. */
static void give_aborts_turn(void *context) {
	struct run *run = context;
	abort_process_lost(run->aborts, filter_counter(run->filter.filter, run->filter.policy, SNIF_COUNTER_LOST));
	int err = abort_process_turn(run->aborts);
	if (!err || run->abort_failed)
		return;
	run->abort_failed = true;
	message_error("cannot end a blocked connection: %s; it stays blocked until it times out", strerror(-err));
}

static int await_aborts(void *context, struct pollfd *fd) {
	struct run *run = context;
	return abort_process_wait(run->aborts, fd);
}

static void give_messages_turn(void *context) {
	struct run *run = context;
	outlet_push(run->messages);
}

static int await_messages(void *context, struct pollfd *fd) {
	struct run *run = context;
	return outlet_wait(run->messages, fd);
}

/* A blocked connection would retransmit for minutes; ended, its program reads an error at once. */
static void fail_fast(struct run *run, const struct snif_event *event) {
	if (run->aborts && event->verdict == SNIF_DENY && event->mode == SNIF_ENFORCE &&
	    event->hook == SNIF_HOOK_EGRESS && event->protocol == IPPROTO_TCP)
		abort_process_add(run->aborts, event);
}

static void on_event(void *context, const struct snif_event *event) {
	struct run *run = context;
	fail_fast(run, event);
	summary_add(run->summary, event);
	if (event->verdict != SNIF_ALLOW || run->options.log_allowed)
		run_log_event(&run->log, event, &run->context);
	if (run->view.log)
		event_write(run->view.log, event, &run->context);
}

/* From now on messages are written where standard error leads now, or kept or lost there, without waiting. */
static int open_messages(struct run *run) {
	run->messages = outlet_open(STDERR_FILENO);
	run->message_stream = run->messages ? outlet_stream(run->messages) : NULL;
	if (!run->message_stream)
		return -errno;
	message_redirect(run->message_stream);
	return 0;
}

static void close_messages(struct run *run) {
	message_redirect(NULL);
	if (run->message_stream)
		fclose(run->message_stream);
	if (run->messages)
		outlet_finish(run->messages, MESSAGES_STALL_MS);
	outlet_free(run->messages);
	run->message_stream = NULL;
	run->messages = NULL;
}

static void tell(struct run *run, const struct outcome *outcome) {
	struct stats stats = stats_of(run, outcome);
	run_log_end(&run->log, &stats);
	close_messages(run);
	run_view_end(&run->view);
	if (open_messages(run) || run->options.quiet)
		return;
	if (outcome->outlived)
		message_error("%d process%s outlived the command and %s ended", outcome->outlived,
			      outcome->outlived == 1 ? "" : "es", outcome->outlived == 1 ? "was" : "were");
	summary_print(run->summary, filter_counter(run->filter.filter, run->filter.policy, SNIF_COUNTER_LOST),
		      run->message_stream);
}

static int run_command(struct run *run) {
	struct supervised supervised = {
		.cgroup = &run->cgroup,
		.signals = &run->signals,
		.filter = run->filter.filter,
		.parts = {{await_log, give_log_turn, run}, {await_messages, give_messages_turn, run}}};
	if (run->aborts)
		supervised.parts[2] = (struct part){await_aborts, give_aborts_turn, run};
	supervised.events_fd = filter_events(run->filter.filter, run->filter.ring, on_event, run);
	if (supervised.events_fd < 0) {
		message_error("cannot read events: %s", strerror(-supervised.events_fd));
		return EXIT_FAILED;
	}
	/* From the terminal or not: it came before there was a command to send it to. */
	int err = open_messages(run);
	if (err) {
		message_error("cannot write to standard error: %s", strerror(-err));
		return EXIT_FAILED;
	}
	int signal;
	while ((signal = signals_next(&run->signals, NULL)) == SIGTSTP)
		signals_stop();
	if (signal)
		return 128 + signal;
	int code = spawn(run->options.command, &run->cgroup, &run->confinement, &run->signals, &supervised.child);
	if (code)
		return code == EXIT_FAILED ? something_lacks() : code;
	struct outcome outcome;
	err = supervise(&supervised, &outcome);
	spawn_end(&supervised.child);
	run->undying = err != 0;
	if (err)
		message_error("some of the command's processes do not end: %s; they stay confined", strerror(-err));
	tell(run, &outcome);
	return outcome.status;
}

/* Backwards through what the steps made. Signals stay taken: one that is waiting must not replace the exit status. */
static void undo(struct run *run) {
	if (run->view.pid > 0) {
		/* they were kept with what the command has printed */
		close_messages(run);
		run_view_end(&run->view);
	}
	if (run->cgroup.fd >= 0) {
		if (!run->undying)
			supervise_kill(&run->cgroup);
		abort_process_stop(run->aborts);
		cgroup_remove(&run->cgroup);
	}
	run_filter_end(&run->filter);
	summary_free(run->summary);
	run_log_close(&run->log);
	if (run->signals.fd >= 0)
		close(run->signals.fd);
	identity_free(&run->confinement.identity);
	compiled_free(&run->compiled);
	policy_free(run->policy);
	close_messages(run);
}

static int prepare_descriptors(void) {
	int err = descriptors_fill_standard(), left = descriptors_left();
	if (err == -EMFILE || (!err && left < DESCRIPTORS_OF_A_RUN))
		message_error("a run has up to %d files open, and the limit leaves room for %d: raise it (ulimit -n)",
			      DESCRIPTORS_OF_A_RUN, left);
	else if (err)
		message_error(
			"cannot open /dev/null, which stands in for standard files that are closed: %s; a machine "
			"has it by mknod -m 666 /dev/null c 1 3",
			strerror(-err));
	else
		return 0;
	return something_lacks();
}

int run_main(int argc, char **argv) {
	static int (*const steps[])(struct run *) = {load_policy, resolve_identity, compile,	prepare_outputs,
						     start_view,  put_in_force,	    run_command};
	struct run run = {.cgroup.fd = -1, .signals.fd = -1, .filter.ring_lock = -1};
	int code = run_options_parse(argc, argv, &run.options);
	if (code)
		return code < 0 ? EXIT_USAGE : 0;
	if (geteuid() != 0) {
		message_error("run needs root, to load BPF programs and make a cgroup: try 'sudo snifence run ...'");
		return EXIT_FAILED;
	}
	code = prepare_descriptors();
	for (size_t i = 0; !code && i < sizeof(steps) / sizeof(steps[0]); i++)
		code = steps[i](&run);
	undo(&run);
	return code;
}
