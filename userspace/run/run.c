/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence run`: a command line ──► a policy in force ──► a command under it ──► its exit status. */
#include "run/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/uninspected.h"
#include "base/descriptors.h"
#include "base/message.h"
#include "cgroup/cgroup.h"
#include "compile/compile.h"
#include "confine/confine.h"
#include "confine/spawn.h"
#include "run/hosts.h"
#include "run/run_filter.h"
#include "run/run_options.h"
#include "run/run_variables.h"
#include "run/run_watch.h"
#include "run/supervise.h"

/* Everything that a run holds; all zero (descriptors -1) is a run that holds nothing. */
struct run {
	struct run_options options;
	struct policy *policy;
	struct compiled compiled;
	struct inherited inherited;
	struct confinement confinement;
	int listener; /* written in the child, which passes it on */
	char **variables;
	struct signals signals;
	struct cgroup cgroup;
	bool undying; /* some of its processes cannot be ended */
	struct run_filter filter;
	struct run_watch watch;
};

/* Each of these steps returns 0, or the exit code after saying why. */

static int load_policy(struct run *run) {
	struct diagnostics diagnostics = {0};
	int error = 0;

	run->watch.policy = run->policy =
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
	const char *notices = notices_file(run->watch.notices);
	char *policy = realpath(run->policy->file, NULL);
	int err = run_variables_add(&run->variables, "SNIFENCE", "1");
	if (!err)
		err = run_variables_add(&run->variables, "SNIFENCE_POLICY", policy ? policy : run->policy->file);
	if (!err && notices)
		err = run_variables_add(&run->variables, "SNIFENCE_NOTICES", notices);
	free(policy);
	run->confinement.variables = run->variables;
	run->confinement.read_only = notices;
	inherited_clean_environment(&run->inherited);
	return err;
}

static int prepare_outputs(struct run *run) {
	int err = signals_take(&run->signals);
	/* with the signals taken: writing to a file can send some */
	int code = err ? 0 : run_watch_open(&run->watch, &run->confinement.identity);
	if (code)
		return code;
	if (!err)
		err = set_variables(run);
	if (!err)
		return 0;
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
	return run_watch_view(&run->watch, &run->signals);
}

static int put_in_force(struct run *run) {
	if (cgroup_create(&run->cgroup))
		return something_lacks();
	run->watch.context = (struct event_context){
		.policy = run->policy, .policy_sha256 = run->compiled.sha256, .cgroup_path = run->cgroup.path};
	run->watch.aborts = abort_process_start(run->cgroup.fd);
	int abort_error = run->watch.aborts ? 0 : -errno, error;
	error = run_filter_begin(&run->filter, &run->cgroup, policy_reads_dns(run->policy), &run->signals);
	if (error)
		return error > 0 ? error : error == -ETIMEDOUT ? EXIT_FAILED : something_lacks();
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
	run_watch_abort(&run->watch, abort_error);
	return 0;
}

static int run_command(struct run *run) {
	struct supervised supervised = {.cgroup = &run->cgroup, .signals = &run->signals, .filter = run->filter.filter};
	run_watch_parts(&run->watch, &supervised.child, &run->confinement.syscalls, supervised.parts);
	supervised.events_fd = filter_events(run->filter.filter, run->filter.ring, run_watch_event, &run->watch);
	if (supervised.events_fd < 0) {
		message_error("cannot read events: %s", strerror(-supervised.events_fd));
		return EXIT_FAILED;
	}
	/* From the terminal or not: it came before there was a command to send it to. */
	int err = run_watch_messages(&run->watch);
	if (err) {
		message_error("cannot write to standard error: %s", strerror(-err));
		return EXIT_FAILED;
	}
	if (!run->options.quiet)
		run_variables_hint(run->options.command[0], run->variables);
	int signal = signals_early(&run->signals);
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
	run_watch_tell(&run->watch, &outcome);
	if (run->options.fail_if_blocked && outcome.status == 0 && run_watch_blocked(&run->watch))
		return EXIT_BLOCKED;
	return outcome.status;
}

/* Backwards through what the steps made. Signals stay taken: one that is waiting must not replace the exit status. */
static void undo(struct run *run) {
	run_watch_end_view(&run->watch);
	if (run->cgroup.fd >= 0) {
		if (!run->undying)
			supervise_kill(&run->cgroup);
		abort_process_stop(run->watch.aborts);
		cgroup_remove(&run->cgroup);
	}
	run_filter_end(&run->filter);
	run_watch_close(&run->watch);
	if (run->signals.fd >= 0)
		close(run->signals.fd);
	identity_free(&run->confinement.identity);
	compiled_free(&run->compiled);
	policy_free(run->policy);
	run_variables_free(run->variables);
	run_options_free(&run->options);
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
		.listener = -1,
		.signals.fd = -1,
		.cgroup.fd = -1,
		.filter.ring_lock = -1,
		.watch = {.options = &run.options, .filter = &run.filter, .summary_file.fd = -1},
	};
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
