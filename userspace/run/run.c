/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence run`: a command line ──► a policy in force ──► a command under it ──► its exit status. */
#include "run/hosts.h"
#include "run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/reason_about.h"
#include "analysis/uninspected.h"
#include "base/descriptors.h"
#include "base/file.h"
#include "base/message.h"
#include "base/outlet.h"
#include "cgroup/cgroup.h"
#include "compile/compile.h"
#include "confine/confine.h"
#include "confine/spawn.h"
#include "event/abort_process.h"
#include "event/event_write.h"
#include "run/notice.h"
#include "run/run_filter.h"
#include "run/run_log.h"
#include "run/run_options.h"
#include "run/run_refusals.h"
#include "run/run_variables.h"
#include "run/run_view.h"
#include "run/stats.h"
#include "run/summary.h"
#include "run/summary_print.h"
#include "run/supervise.h"

/* Milliseconds in which standard error takes nothing, in the end. */
enum { MESSAGES_STALL_MS = 500 };

/* Everything that a run holds; all zero (descriptors -1) is a run that holds nothing. */
struct run {
	struct run_options options;
	struct policy *policy;
	struct compiled compiled;
	struct inherited inherited;
	struct confinement confinement;
	struct run_log log;
	bool abort_failed, undying; /* undying: some processes cannot be ended */
	struct outlet *messages;    /* to standard error, so that no terminal or pipe holds up the run */
	FILE *message_stream;
	struct run_view view;
	struct summary *summary;
	struct notices *notices;
	int listener; /* written in the child, which passes it on */
	struct run_refusals refusals;
	char **variables;
	struct log_file summary_file;
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

	run->policy =
		policy_load_with(run->options.policy, run->options.allowed, run->options.allowed_count, &diagnostics);
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
	run->compiled.settings.options.skip_allowed =
		run->options.quiet && !run->options.log && !run->options.top && !run->options.summary_file;
	/* the view shows where names were found */
	if (run->options.top && run->policy->dns.bind != SNIF_BIND_OFF)
		run->compiled.settings.dns.log_answers = 1;
	return 0;
}

static int resolve_identity(struct run *run) {
	run->variables = run_variables_make(run->options.variables, run->options.variable_count);
	if (!run->variables) {
		message_error("cannot prepare the run: %s", strerror(ENOMEM));
		return EXIT_FAILED;
	}
	if (identity_resolve(run->options.user, &run->confinement.identity))
		return EXIT_USAGE;
	run->confinement.keep_caps = run->options.keep_caps;
	run->confinement.listener = &run->listener;
	run->confinement.inherited = &run->inherited;
	run->confinement.no_seccomp = run->options.no_seccomp;
	run->confinement.own_lookups = policy_reads_dns(run->policy);
	if (!run->options.keep_caps || !run->confinement.identity.change || run->confinement.identity.uid == 0)
		return 0;
	message_error("--keep-caps keeps nothing for uid %u: only root has capabilities to keep; add --user root",
		      run->confinement.identity.uid);
	return EXIT_USAGE;
}

/* The command can tell by these that it is confined, and by what. */
static int set_variables(struct run *run) {
	const char *file = notices_file(run->notices);
	char *policy = realpath(run->policy->file, NULL);
	int err = run_variables_add(&run->variables, "SNIFENCE", "1");
	if (!err)
		err = run_variables_add(&run->variables, "SNIFENCE_POLICY", policy ? policy : run->policy->file);
	if (!err && file)
		err = run_variables_add(&run->variables, "SNIFENCE_NOTICES", file);
	free(policy);
	run->confinement.variables = run->variables;
	inherited_clean_environment(&run->inherited);
	return err;
}

/* Returns 0 or an exit code after saying why. */
static int prepare_words(struct run *run) {
	static const struct log_file_kind kind = {"summary's file", NULL};
	const struct run_options *options = &run->options;
	const char *to = options->notify || options->quiet ? options->notify : "stderr";
	int err;

	run->notices = notices_new(to, run->policy, &run->confinement.identity, !options->quiet);
	if (!run->notices || (options->summary_file && log_file_open(&run->summary_file, &kind, options->summary_file,
								     &run->confinement.identity, !options->quiet)))
		return EXIT_FAILED;
	run->confinement.read_only = notices_file(run->notices);
	err = set_variables(run);
	if (!err)
		return 0;
	message_error("cannot prepare the run: %s", strerror(-err));
	return EXIT_FAILED;
}

static int prepare_outputs(struct run *run) {
	run->summary = summary_new();
	int err = run->summary ? signals_take(&run->signals) : -ENOMEM;
	/* with the signals taken: writing to a file can send some */
	if (!err && run->options.log &&
	    run_log_open(&run->log, run->options.log, &run->confinement.identity, !run->options.quiet))
		return EXIT_FAILED;
	if (!err)
		return prepare_words(run);
	message_error("cannot prepare the run: %s", strerror(-err));
	return EXIT_FAILED;
}

/* Inside of a run what another one needs is closed. */
static bool told_nested(void) {
	const char *policy = getenv("SNIFENCE_POLICY");
	if (!getenv("SNIFENCE"))
		return false;
	message_error(
		"this is inside of `snifence run` already, under %s: that holds for all that is started here, and a "
		"rule has to be added there",
		policy ? policy : "its policy");
	return true;
}

/* After the message about what could not be done. */
static int something_lacks(void) {
	if (told_nested())
		return EXIT_FAILED;
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

/* Without it the filter holds all the same: what is refused just fails late. */
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
		message_error("cannot end refused connections: %s; they fail when they time out", strerror(-err));
}

static int put_in_force(struct run *run) {
	if (cgroup_create(&run->cgroup))
		return something_lacks();
	run->context = (struct event_context){
		.policy = run->policy, .policy_sha256 = run->compiled.sha256, .cgroup_path = run->cgroup.path};
	run->aborts = abort_process_start(run->cgroup.fd);
	int abort_error = run->aborts ? 0 : -errno, error;
	if (run_filter_begin(&run->filter, run->cgroup.fd, run->cgroup.id, policy_reads_dns(run->policy)))
		return something_lacks();
	/* while the kernel verifies the programs */
	int code = prepare_confinement(run);
	if (code)
		return code;
	if (run_filter_attach(&run->filter, run->cgroup.fd, run->cgroup.id, &run->compiled))
		return something_lacks();
	error = hosts_bind("/etc/hosts", run->filter.filter, run->filter.policy, &run->compiled);
	if (error)
		message_error("cannot bind names by /etc/hosts: %s; lookups through `dns.servers` count",
			      strerror(-error));
	/* the kernel has its own copy */
	compiled_free(&run->compiled);
	prepare_abort(run, abort_error);
	return 0;
}

static struct stats stats_of(const struct run *run, const struct outcome *outcome) {
	return (struct stats){.program = run->options.command[0],
			      .context = &run->context,
			      .tally = summary_tally(run->summary),
			      .filter = run->filter.filter,
			      .policy = run->filter.policy,
			      .outcome = outcome};
}

/* What the view cannot take is missing there, and it says so: that is no error of the run. */
static void flush_view(struct run *run) {
	uint64_t lost;

	if (!run->view.log)
		return;
	lost = filter_counter(run->filter.filter, run->filter.policy, SNIF_COUNTER_LOST);
	if (lost != run->view.lost_told) {
		struct stats stats = stats_of(run, NULL);
		stats_write(run->view.log, &stats);
	}
	run->view.lost_told = lost;
	log_flush(run->view.log);
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
	message_error("cannot end a refused connection: %s; it hangs until it times out", strerror(-err));
}

static int await_aborts(void *context, struct pollfd *fd) {
	struct run *run = context;
	return abort_process_wait(run->aborts, fd);
}

static void give_messages_turn(void *context) {
	struct run *run = context;
	outlet_push(run->messages);
}

static int await_refusals(void *context, struct pollfd *fd) {
	const struct run *run = context;
	return run_refusals_wait(&run->refusals, fd);
}

static void give_refusals_turn(void *context) {
	struct run *run = context;
	run_refusals_turn(&run->refusals);
}

/* A system call that the confinement refuses has no event, as the filter is not asked. */
static void on_refused_call(void *context, const struct refused_call *call, const char *asker) {
	struct run *run = context;
	char what[sizeof(call->name) + 2], name[ESCAPED_SIZE(SNIF_COMM_LENGTH)];

	snprintf(what, sizeof(what), "%s()", call->name);
	escape_bytes(name, asker, strnlen(asker, SNIF_COMM_LENGTH));
	summary_add_call(run->summary, what, name);
	notices_add_call(run->notices, what, name, call->why, run->view.log ? NULL : run->message_stream);
}

static int await_notices(void *context, struct pollfd *fd) {
	const struct run *run = context;
	return notices_wait(run->notices, fd);
}

static void give_notices_turn(void *context) {
	const struct run *run = context;
	notices_turn(run->notices);
}

static int await_messages(void *context, struct pollfd *fd) {
	struct run *run = context;
	return outlet_wait(run->messages, fd);
}

/* A refused connection would retransmit for minutes; ended, its program reads an error at once. */
static void fail_fast(struct run *run, const struct snif_event *event) {
	if (run->aborts && event->verdict == SNIF_DENY && event->mode == SNIF_ENFORCE &&
	    event->hook == SNIF_HOOK_EGRESS && event->protocol == IPPROTO_TCP)
		abort_process_add(run->aborts, event);
}

/* Whether the rule that refused says that this was to be expected. */
static bool is_expected(const struct run *run, const struct snif_event *event) {
	return event->rule < run->policy->rule_count && run->policy->rules[event->rule].expected;
}

/* The view of --top has the terminal for itself, and shows the same. */
static void give_notice(struct run *run, const struct snif_event *event) {
	if (event->verdict == SNIF_DENY && event->mode == SNIF_ENFORCE)
		notices_add(run->notices, event, run->view.log ? NULL : run->message_stream);
}

/* No decision: it counts for nothing. The view wants it also where the policy does not. */
static void on_answer(struct run *run, const struct snif_event *event) {
	if (run->policy->dns.log_answers)
		run_log_event(&run->log, event, &run->context);
	if (run->view.log)
		event_write(run->view.log, event, &run->context);
}

static void on_event(void *context, const struct snif_event *event) {
	struct run *run = context;
	bool expected = is_expected(run, event);

	if (event->flags & SNIF_EVENT_ANSWER) {
		on_answer(run, event);
		return;
	}
	fail_fast(run, event);
	summary_add(run->summary, event, expected);
	if (!expected)
		give_notice(run, event);
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

static void write_summary(const struct run *run, uint64_t lost) {
	int fd = dup(run->summary_file.fd);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "a");

	if (file)
		summary_print_markdown(run->summary, run->policy, lost, file);
	if (stream_close(file))
		message_error("cannot write the summary's file %s: %s", run->options.summary_file, strerror(errno));
}

static void tell(struct run *run, const struct outcome *outcome) {
	struct stats stats = stats_of(run, outcome);
	run_log_end(&run->log, &stats);
	close_messages(run);
	run_view_end(&run->view);
	uint64_t lost = filter_counter(run->filter.filter, run->filter.policy, SNIF_COUNTER_LOST);
	int err = open_messages(run);
	if (run->options.summary_file)
		write_summary(run, lost);
	if (err || run->options.quiet)
		return;
	if (outcome->outlived)
		message_error("%d process%s outlived the command and %s ended", outcome->outlived,
			      outcome->outlived == 1 ? "" : "es", outcome->outlived == 1 ? "was" : "were");
	summary_print(run->summary, run->policy, lost, run->message_stream);
	if (getenv("GITHUB_ACTIONS"))
		summary_print_annotations(run->summary, run->message_stream);
}

/* Whether anything was refused that was not expected to be; of lost events the kernel's counters tell. */
static bool was_blocked(const struct run *run) {
	const struct tally *tally = summary_tally(run->summary);
	struct snif_counters counters;
	uint64_t refusals = 0;

	if (tally->blocked + tally->would_block > tally->expected)
		return true;
	filter_counters(run->filter.filter, run->filter.policy, &counters);
	for (unsigned reason = 0; reason < SNIF_REASON_COUNT; reason++)
		if (reason_class(reason) > REASON_ALLOWED)
			refusals += counters.of[reason];
	return counters.of[SNIF_COUNTER_LOST] > 0 && refusals > tally->expected;
}

static int run_command(struct run *run) {
	struct supervised supervised = {.cgroup = &run->cgroup,
					.signals = &run->signals,
					.filter = run->filter.filter,
					.parts = {{await_log, give_log_turn, run},
						  {await_messages, give_messages_turn, run},
						  {await_refusals, give_refusals_turn, run},
						  {await_notices, give_notices_turn, run}}};
	if (run->aborts)
		supervised.parts[4] = (struct part){await_aborts, give_aborts_turn, run};
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
	if (!run->options.quiet)
		run_variables_hint(run->options.command[0], run->variables);
	int signal;
	while ((signal = signals_next(&run->signals, NULL)) == SIGTSTP)
		signals_stop();
	if (signal)
		return 128 + signal;
	int code = spawn(run->options.command, &run->cgroup, &run->confinement, &run->signals, &supervised.child);
	if (code)
		return code == EXIT_FAILED ? something_lacks() : code;
	run->refusals =
		(struct run_refusals){&supervised.child.listener, &run->confinement.syscalls, on_refused_call, run};
	struct outcome outcome;
	err = supervise(&supervised, &outcome);
	spawn_end(&supervised.child);
	run->undying = err != 0;
	if (err)
		message_error("some of the command's processes do not end: %s; they stay confined", strerror(-err));
	tell(run, &outcome);
	if (run->options.fail_if_blocked && outcome.status == 0 && was_blocked(run))
		return EXIT_BLOCKED;
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
	notices_free(run->notices);
	if (run->summary_file.fd >= 0)
		close(run->summary_file.fd);
	run_log_close(&run->log);
	if (run->signals.fd >= 0)
		close(run->signals.fd);
	identity_free(&run->confinement.identity);
	compiled_free(&run->compiled);
	policy_free(run->policy);
	run_variables_free(run->variables);
	run_options_free(&run->options);
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
	struct run run = {
		.cgroup.fd = -1, .signals.fd = -1, .filter.ring_lock = -1, .summary_file.fd = -1, .listener = -1};
	int code = run_options_parse(argc, argv, &run.options);
	if (code) {
		run_options_free(&run.options);
		return code < 0 ? EXIT_USAGE : 0;
	}
	if (geteuid() != 0) {
		run_options_free(&run.options);
		if (told_nested())
			return EXIT_FAILED;
		message_error("run needs root, to load BPF programs and make a cgroup: try 'sudo snifence run ...'");
		return EXIT_FAILED;
	}
	inherited_note(&run.inherited);
	code = prepare_descriptors();
	for (size_t i = 0; !code && i < sizeof(steps) / sizeof(steps[0]); i++)
		code = steps[i](&run);
	undo(&run);
	return code;
}
