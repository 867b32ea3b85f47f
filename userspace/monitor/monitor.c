/* SPDX-License-Identifier: BSD-2-Clause */
/* What is resident ──► its events, failures at once, metrics, and policies that follow their files. */
#include "monitor/monitor.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/command_line.h"
#include "base/library.h"
#include "base/message.h"
#include "base/signals.h"
#include "cgroup/cgroup_place.h"
#include "confine/log_place.h"
#include "control/source.h"
#include "event/abort_process.h"
#include "monitor/follow.h"
#include "monitor/losses.h"
#include "monitor/metrics.h"
#include "monitor/metrics_server.h"
#include "monitor/reader.h"
#include "monitor/resolve.h"
#include "monitor/sink.h"
#include "monitor/verification.h"

static const char usage[] =
	"Usage: snifence monitor [OPTION…]\n"
	"\n"
	"Reads the events of all that is attached, ends refused connections so that they fail at once,\n"
	"reloads policies whose files change, and looks up names where they say so (dns.resolve). What is\n"
	"enforced is enforced without it.\n"
	"\n"
	"  --output FILE       write events there as JSON lines; `-` is standard output (default), `journal`\n"
	"                      the journal, with fields of its own. SIGHUP opens a file by its name again. A file is\n"
	"                      led to by no symbolic link but root's, and holds nothing else than events\n"
	"  --log-allowed       write events of what was allowed, too\n"
	"  --metrics ADDRESS   serve metrics for Prometheus over HTTP, like 127.0.0.1:9774\n"
	"  --metrics-file FILE write them to a file every 15 seconds, for node_exporter\n"
	"  --no-follow         do not reload policies\n"
	"  --help              this text\n"
	"\n"
	"Exit status:\n"
	"  0    it was asked to end, by SIGTERM or SIGINT\n"
	"  2    the command line is wrong\n"
	"  125  snifence could not do its part\n";

static const struct option table[] = {
	{"output", required_argument, NULL, 'o'},
	{"log-allowed", no_argument, NULL, 'a'},
	{"metrics", required_argument, NULL, 'm'},
	{"metrics-file", required_argument, NULL, 'f'},
	{"no-follow", no_argument, NULL, 'n'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

/* What is looked for again, and how often metrics are written; how long the first look at all may wait. */
enum { LOOK_MS = 500, METRICS_MS = 15000 };

struct monitor {
	const char *output, *metrics_address, *metrics_file;
	bool log_allowed, no_follow, abort_failed;
	struct signals signals;
	struct sink *sink;
	struct reader *reader;
	struct abort_process *aborts;
	struct metrics_server *server;
	struct follow *follow;
	struct resolve *resolve;
	struct verification *verification; /* NULL: nobody asks for metrics */
	struct losses losses;
	long looked_at, metrics_at;
};

static int take(int option, void *context) {
	struct monitor *monitor = context;

	switch (option) {
	case 'o':
		monitor->output = optarg;
		break;
	case 'a':
		monitor->log_allowed = true;
		break;
	case 'm':
		monitor->metrics_address = optarg;
		break;
	case 'f':
		monitor->metrics_file = optarg;
		break;
	default: /* 'n' */
		monitor->no_follow = true;
	}
	return 0;
}

static void on_event(void *to, const struct snif_event *event, const struct event_context *context) {
	struct monitor *monitor = to;

	/* the line before the connection ends that it tells of */
	if (event->verdict != SNIF_ALLOW || monitor->log_allowed)
		sink_event(monitor->sink, event, context);
	if (monitor->aborts && event->verdict == SNIF_DENY && event->mode == SNIF_ENFORCE &&
	    event->hook == SNIF_HOOK_EGRESS && event->protocol == IPPROTO_TCP)
		abort_process_add(monitor->aborts, event);
}

/* Ends sockets of any cgroup: their processes lead to the network namespaces. */
static void start_aborts(struct monitor *monitor) {
	int root_fd = cgroup_place_root(), error = root_fd < 0 ? root_fd : 0;

	monitor->aborts = error ? NULL : abort_process_start(root_fd);
	if (!error)
		error = monitor->aborts ? abort_process_able(monitor->aborts) : -errno;
	if (root_fd >= 0)
		close(root_fd);
	if (!error)
		return;
	abort_process_stop(monitor->aborts);
	monitor->aborts = NULL;
	message_error("cannot end refused connections: %s; they fail when they time out", strerror(-error));
}

/* Returns 0 or an exit code, after saying why. */
static int prepare_metrics(struct monitor *monitor) {
	if (!monitor->metrics_address && !monitor->metrics_file)
		return 0;
	monitor->verification = verification_new();
	if (!monitor->verification) {
		message_error("cannot verify what is in the kernel: %s", strerror(errno));
		return EXIT_FAILED;
	}
	if (!monitor->metrics_address)
		return 0;
	monitor->server = metrics_serve(monitor->metrics_address, verification_result(monitor->verification));
	return monitor->server ? 0 : EXIT_USAGE;
}

/* The same. */
static int prepare(struct monitor *monitor) {
	int error = signals_take(&monitor->signals), code;

	if (error) {
		message_error("cannot take signals: %s", strerror(-error));
		return EXIT_FAILED;
	}
	/* before the filter is opened, whose descriptors its process is not to have */
	start_aborts(monitor);
	monitor->sink = sink_open(monitor->output ? monitor->output : "-");
	monitor->reader = monitor->sink ? reader_new(on_event, monitor) : NULL;
	if (!monitor->reader)
		return EXIT_FAILED;
	code = prepare_metrics(monitor);
	if (code)
		return code;
	monitor->resolve = resolve_new(monitor->reader);
	if (!monitor->resolve) {
		message_error("cannot look up names: %s", strerror(errno));
		return EXIT_FAILED;
	}
	if (!monitor->no_follow && !(monitor->follow = follow_new())) {
		message_error("cannot follow files: %s", strerror(errno));
		return EXIT_FAILED;
	}
	return 0;
}

static void write_metrics(struct monitor *monitor) {
	int error;

	if (!monitor->metrics_file || clock_ms() - monitor->metrics_at < METRICS_MS)
		return;
	error = metrics_write(monitor->metrics_file, verification_result(monitor->verification));
	monitor->metrics_at = clock_ms();
	if (error)
		message_error("cannot write %s: %s", monitor->metrics_file, log_place_error(error));
}

#define FUNCTIONS(X) X(sd_notify)

LIBRARY(systemd, "to answer systemd, which has started this", FUNCTIONS, "libsystemd.so.0");

/* Where systemd waits for that. */
static void notify(const char *state) {
	if (getenv("NOTIFY_SOCKET") && library_open(&systemd_library) == 0)
		systemd.sd_notify(0, state);
}

/* A reload does not wait until all is verified. */
static void follow_files(struct monitor *monitor) {
	if (monitor->verification && follow_wait(monitor->follow) == 0)
		verification_give_way(monitor->verification);
	follow_turn(monitor->follow);
}

/* What is done now and then. */
static void look(struct monitor *monitor) {
	if (clock_ms() - monitor->looked_at < LOOK_MS)
		return;
	monitor->looked_at = clock_ms();
	reader_look(monitor->reader);
	if (monitor->aborts)
		losses_turn(&monitor->losses, monitor->reader, monitor->aborts);
	notify("WATCHDOG=1");
	if (monitor->follow)
		follow_files(monitor);
	if (monitor->verification)
		verification_turn(monitor->verification, monitor->reader);
	resolve_turn(monitor->resolve);
	write_metrics(monitor);
}

static void give_aborts_turn(struct monitor *monitor) {
	int error = monitor->aborts ? abort_process_turn(monitor->aborts) : 0;

	if (!error || monitor->abort_failed)
		return;
	monitor->abort_failed = true;
	message_error("cannot end a refused connection: %s; it hangs until it times out", strerror(-error));
}

/* Whether it is to go on. */
static bool hear_signals(struct monitor *monitor) {
	int signal;

	while ((signal = signals_next(&monitor->signals, NULL)) != 0) {
		if (signal == SIGHUP)
			sink_reopen(monitor->sink);
		else if (signal == SIGTSTP)
			signals_stop();
		else if (signal == SIGTERM || signal == SIGINT || signal == SIGQUIT)
			return false;
	}
	return true;
}

static int sooner(int a, int b) {
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

static void await(struct monitor *monitor) {
	struct pollfd fds[8] = {{.fd = reader_fd(monitor->reader), .events = POLLIN},
				{.fd = monitor->signals.fd, .events = POLLIN},
				{.fd = -1},
				{.fd = -1},
				{.fd = -1},
				{.fd = -1},
				{.fd = resolve_fd(monitor->resolve), .events = POLLIN},
				{.fd = -1}};
	int patience = LOOK_MS;

	patience = sooner(patience, sink_wait(monitor->sink, &fds[2]));
	if (monitor->aborts)
		patience = sooner(patience, abort_process_wait(monitor->aborts, &fds[3]));
	if (monitor->server)
		fds[4] = (struct pollfd){.fd = metrics_server_fd(monitor->server), .events = POLLIN};
	if (monitor->follow) {
		fds[5] = (struct pollfd){.fd = follow_fd(monitor->follow), .events = POLLIN};
		patience = sooner(patience, follow_wait(monitor->follow));
	}
	if (monitor->verification)
		verification_wait(monitor->verification, &fds[7]);
	poll(fds, 8, patience);
	if (fds[5].revents)
		follow_files(monitor);
	if (fds[6].revents)
		resolve_hear(monitor->resolve);
	if (fds[7].revents)
		verification_turn(monitor->verification, monitor->reader);
}

static void run(struct monitor *monitor) {
	monitor->metrics_at = -METRICS_MS;
	monitor->looked_at = -LOOK_MS;
	look(monitor);
	notify("READY=1");
	while (hear_signals(monitor)) {
		reader_turn(monitor->reader);
		sink_turn(monitor->sink);
		give_aborts_turn(monitor);
		if (monitor->server)
			metrics_server_turn(monitor->server);
		look(monitor);
		await(monitor);
	}
	notify("STOPPING=1");
	reader_turn(monitor->reader);
}

static void undo(struct monitor *monitor) {
	follow_free(monitor->follow);
	resolve_free(monitor->resolve);
	metrics_server_free(monitor->server);
	verification_free(monitor->verification);
	reader_free(monitor->reader);
	sink_close(monitor->sink);
	abort_process_stop(monitor->aborts);
}

int monitor_main(int argc, char **argv) {
	static const struct command_line line = {"monitor", usage, ":", table, take};
	struct monitor monitor = {.signals.fd = -1};
	int result = command_line_read(&line, argc, argv, &monitor), code;

	if (!result && optind < argc)
		result = command_line_wrong("monitor", "what is this: ", argv[optind]);
	if (result)
		return result < 0 ? EXIT_USAGE : 0;
	code = source_need_root("monitor");
	if (code)
		return code;
	message_hold_repeats();
	code = prepare(&monitor);
	if (!code)
		run(&monitor);
	undo(&monitor);
	return code;
}
