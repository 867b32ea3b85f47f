/* SPDX-License-Identifier: BSD-2-Clause */
/* A run's events ──► a socket ──► another process ──► the terminal. */
#include "run/run_view.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/message.h"
#include "top/top_loop.h"
#include "top/top_terminal.h"

enum { SOCKET_BUFFER = 4 << 20, COPY_INTERVAL = 100 /* milliseconds */ };

/* ---- the process that shows it ------------------------------------------------------------------------------ */

/* Prints what has come since the last call. */
static void print_kept(int kept, off_t *printed) {
	char bytes[16384];
	ssize_t length;

	while ((length = pread(kept, bytes, sizeof(bytes), *printed)) > 0) {
		*printed += length;
		for (ssize_t done = 0, wrote = 0; done < length; done += wrote) {
			wrote = write(STDOUT_FILENO, bytes + done, (size_t)(length - done));
			if (wrote < 0)
				return;
		}
	}
}

/* After the view was left: what the command prints goes to the terminal, until the run ends. */
static void print_on(struct log_reader *reader, int kept) {
	struct log_event event;
	off_t printed = 0;

	do {
		while (log_reader_next(reader, &event))
			;
		print_kept(kept, &printed);
		poll(NULL, 0, COPY_INTERVAL);
	} while (log_reader_wait(reader, 0));
	print_kept(kept, &printed);
}

/* The run's standard files are `saved`; stdin is the socket of its events. */
static int show(const struct run_view *view, const struct signals *signals, int kept) {
	static char *const files[] = {"-", NULL};
	struct top top = {
		.command = "run --top", .signals_fd = signals->fd, .ignore_from_keys = true, .ends_with_log = true};
	int terminal = view->saved[STDOUT_FILENO] ? view->saved[STDOUT_FILENO] : view->saved[STDERR_FILENO];
	int code;

	setlocale(LC_CTYPE, "");
	top.reader = log_reader_new(files, true, NULL);
	if (!top.reader)
		return EXIT_FAILED;
	code = top_loop(&top);
	if (terminal && dup2(terminal, STDOUT_FILENO) >= 0)
		print_on(top.reader, kept);
	log_reader_free(top.reader);
	return code;
}

_Noreturn static void become_view(const struct run_view *view, const struct identity *identity,
				  const struct signals *signals, int events, int kept) {
	int code = EXIT_FAILED;

	if (dup2(events, STDIN_FILENO) >= 0 && (!identity->change || identity_assume(identity) == 0))
		code = show(view, signals, kept);
	_exit(code);
}

/* ---- the run ------------------------------------------------------------------------------------------------ */

/* A file without a name, in /tmp. */
static int open_kept(void) {
	FILE *file = tmpfile();
	int fd = file ? fcntl(fileno(file), F_DUPFD_CLOEXEC, 3) : -1;

	if (file)
		fclose(file);
	if (fd >= 0)
		fcntl(fd, F_SETFL, O_APPEND);
	return fd;
}

static int replace(struct run_view *view, int fd, int with) {
	if (!isatty(fd))
		return 0;
	view->saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (view->saved[fd] < 0) {
		view->saved[fd] = 0;
		return -errno;
	}
	return dup2(with, fd) < 0 ? -errno : 0;
}

static int replace_all(struct run_view *view, int kept) {
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int error = null < 0 ? -errno : replace(view, STDIN_FILENO, null);

	if (!error)
		error = replace(view, STDOUT_FILENO, kept);
	if (!error)
		error = replace(view, STDERR_FILENO, kept);
	if (null >= 0)
		close(null);
	return error;
}

/* The run's end of the socket is made a log. A line's end goes ahead: the first that is read must be short. */
static int open_log(struct run_view *view, int fd) {
	int size = SOCKET_BUFFER;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	view->lines = fdopen(fd, "w");
	if (!view->lines) {
		close(fd);
		return -ENOMEM;
	}
	setvbuf(view->lines, NULL, _IONBF, 0);
	view->log = log_new(view->lines, log_run_id());
	return view->log && fputc('\n', view->lines) == '\n' ? 0 : -ENOMEM;
}

static int start(struct run_view *view, const struct identity *identity, const struct signals *signals, int kept) {
	/* each batch of lines is one message, taken whole or not at all */
	int pair[2], error = replace_all(view, kept);

	if (error)
		return error;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	view->pid = fork();
	if (view->pid == 0) {
		close(pair[1]);
		become_view(view, identity, signals, pair[0], kept);
	}
	close(pair[0]);
	fcntl(pair[1], F_SETFL, O_NONBLOCK);
	error = view->pid < 0 ? -errno : 0;
	if (!error)
		return open_log(view, pair[1]);
	close(pair[1]);
	return error;
}

/* Before anything is started: whether the view will have a terminal that will do. Returns an exit code. */
static int try_terminal(void) {
	struct top_terminal *terminal;

	if (!isatty(STDOUT_FILENO) && !isatty(STDERR_FILENO)) {
		message_error(
			"run --top: neither standard output nor standard error is a terminal; without --top, `--log "
			"FILE` and `snifence report FILE` need none");
		return EXIT_USAGE;
	}
	terminal = top_terminal_open("run --top");
	top_terminal_close(terminal);
	return terminal ? 0 : EXIT_USAGE;
}

int run_view_start(struct run_view *view, const struct identity *identity, const struct signals *signals) {
	int code = try_terminal(), kept, error;

	if (code)
		return code;
	kept = open_kept();
	error = kept < 0 ? -errno : start(view, identity, signals, kept);
	if (kept >= 0)
		close(kept);
	if (!error)
		return 0;
	run_view_end(view);
	message_error("run: cannot start the view of --top: %s", strerror(-error));
	return EXIT_FAILED;
}

void run_view_end(struct run_view *view) {
	log_free(view->log);
	if (view->lines)
		fclose(view->lines);
	while (view->pid > 0 && waitpid(view->pid, NULL, 0) < 0 && errno == EINTR)
		;
	for (int fd = 0; fd < 3; fd++) {
		if (!view->saved[fd])
			continue;
		dup2(view->saved[fd], fd);
		close(view->saved[fd]);
	}
	*view = (struct run_view){0};
}
