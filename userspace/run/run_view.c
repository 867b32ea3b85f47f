/* SPDX-License-Identifier: BSD-2-Clause */
/* A run's events ──► a socket ──► another process ──► the terminal. */
#include "run/run_view.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/message.h"
#include "base/outlet.h"
#include "top/top_leave.h"
#include "top/top_loop.h"
#include "top/top_terminal.h"

/*
 * COPY_INTERVAL, PATIENCE, STALL: milliseconds; without a sign of life the view has PATIENCE to end, the terminal STALL
 * to take something. VIEW_ID: no account has it, as systemd's table of UIDs leaves its range unused.
 */
enum { SOCKET_BUFFER = 4 << 20, COPY_INTERVAL = 100, PATIENCE = 700, STALL = 300, VIEW_ID = 2147483001 };

/* ---- the process that shows it ------------------------------------------------------------------------------ */

/* Prints what has come since the last call. What it could not print is left for run_view_end(). */
static void print_kept(int kept) {
	char bytes[4096];
	ssize_t length;

	while ((length = read(kept, bytes, sizeof(bytes))) > 0) {
		for (ssize_t done = 0, wrote = 0; done < length; done += wrote) {
			wrote = write(STDOUT_FILENO, bytes + done, (size_t)(length - done));
			if (wrote < 0) {
				lseek(kept, done - length, SEEK_CUR);
				return;
			}
		}
	}
}

/* After the view was left: what the command prints goes to the terminal, until the run ends. */
static void print_on(struct log_reader *reader, int kept) {
	struct log_event event;

	do {
		while (log_reader_next(reader, &event))
			;
		print_kept(kept);
		poll(NULL, 0, COPY_INTERVAL);
	} while (log_reader_wait(reader, 0));
	print_kept(kept);
}

/* The run's standard files are `saved`; stdin is the socket of its events. */
static int show(const struct run_view *view, const struct signals *signals) {
	static char *const files[] = {"-", NULL};
	struct top top = {
		.command = "run --top", .signals_fd = signals->fd, .ignore_from_keys = true, .ends_with_log = true};
	int terminal = view->saved[STDOUT_FILENO] ? view->saved[STDOUT_FILENO] : view->saved[STDERR_FILENO];
	int code;

	setlocale(LC_CTYPE, "");
	signals_let_stop(signals);
	top.reader = log_reader_new(files, true, NULL);
	if (!top.reader)
		return EXIT_FAILED;
	code = top_loop(&top);
	if (terminal && dup2(terminal, STDOUT_FILENO) >= 0)
		print_on(top.reader, view->kept);
	log_reader_free(top.reader);
	return code;
}

/* Another process of the command's user could stop it, or look into it. */
static int become_nobody(void) {
	return setgroups(0, NULL) || setresgid(VIEW_ID, VIEW_ID, VIEW_ID) || setresuid(VIEW_ID, VIEW_ID, VIEW_ID);
}

_Noreturn static void become_view(const struct run_view *view, const struct signals *signals, int events) {
	int code = EXIT_FAILED;

	if (dup2(events, STDIN_FILENO) >= 0 && become_nobody() == 0)
		code = show(view, signals);
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

/* Notes what the terminal is like, and opens what was kept once more, to read. */
static int prepare(struct run_view *view, int kept) {
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", kept);
	view->kept = open(path, O_RDONLY | O_CLOEXEC);
	view->tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	return view->kept < 0 || view->tty < 0 || tcgetattr(view->tty, &view->modes) ? -errno : 0;
}

static int start(struct run_view *view, const struct signals *signals, int kept) {
	/* each batch of lines is one message, taken whole or not at all */
	int pair[2], error = prepare(view, kept);

	if (!error)
		error = replace_all(view, kept);
	if (error)
		return error;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	view->pid = fork();
	if (view->pid == 0) {
		close(pair[1]);
		become_view(view, signals, pair[0]);
	}
	error = view->pid < 0 ? -errno : 0;
	close(pair[0]);
	fcntl(pair[1], F_SETFL, O_NONBLOCK);
	if (!error && (view->pidfd = (int)syscall(SYS_pidfd_open, view->pid, 0)) < 0)
		error = -errno;
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

int run_view_start(struct run_view *view, const struct signals *signals) {
	int code = try_terminal(), kept, error;

	if (code)
		return code;
	kept = open_kept();
	error = kept < 0 ? -errno : start(view, signals, kept);
	if (kept >= 0)
		close(kept);
	if (!error)
		return 0;
	run_view_end(view);
	message_error("run: cannot start the view of --top: %s", strerror(-error));
	return EXIT_FAILED;
}

/* Whether the view ends by itself: while it prints what was kept, which a slow terminal takes its time for, it may. */
static bool ends_by_itself(const struct run_view *view) {
	struct pollfd end = {.fd = view->pidfd, .events = POLLIN};
	off_t printed = -1, before;

	do {
		before = printed;
		if (poll(&end, 1, PATIENCE) == 1)
			return true;
		printed = lseek(view->kept, 0, SEEK_CUR);
	} while (printed != before);
	return false;
}

/* Returns whether it has ended as it should, and so put the terminal in order. */
static bool end_process(const struct run_view *view) {
	struct pollfd end = {.fd = view->pidfd, .events = POLLIN};
	int status;

	if (!ends_by_itself(view)) {
		kill(view->pid, SIGKILL);
		poll(&end, 1, PATIENCE);
	}
	return waitpid(view->pid, &status, WNOHANG) == view->pid && WIFEXITED(status);
}

/* Does what the view would have done before its end. */
static void put_in_order(const struct run_view *view) {
	struct outlet *outlet = outlet_open(view->tty);
	FILE *stream = outlet ? outlet_stream(outlet) : NULL;

	tcsetattr(view->tty, TCSANOW, &view->modes);
	if (stream) {
		top_leave(view->tty, stream);
		fclose(stream);
		outlet_finish(outlet, STALL);
	}
	outlet_free(outlet);
}

/* Prints what the view has not. */
static void print_rest(const struct run_view *view) {
	int terminal = view->saved[STDOUT_FILENO] ? view->saved[STDOUT_FILENO] : view->saved[STDERR_FILENO];
	struct outlet *outlet = terminal ? outlet_open(terminal) : NULL;
	char bytes[16384];
	ssize_t length;

	while (outlet && outlet_error(outlet) != -EIO && (length = read(view->kept, bytes, sizeof(bytes))) > 0) {
		outlet_put(outlet, bytes, (size_t)length);
		if (!outlet_finish(outlet, STALL))
			break;
	}
	outlet_free(outlet);
}

static void put_back(int fd, int saved) {
	if (saved <= 0)
		return;
	dup2(saved, fd);
	close(saved);
}

void run_view_end(struct run_view *view) {
	log_free(view->log);
	if (view->lines)
		fclose(view->lines);
	if (view->pid > 0 && !end_process(view))
		put_in_order(view);
	if (view->kept > 0)
		print_rest(view);
	for (int fd = 0; fd < 3; fd++)
		put_back(fd, view->saved[fd]);
	for (size_t i = 0; i < 3; i++) {
		int held = (int[]){view->pidfd, view->kept, view->tty}[i];

		if (held > 0)
			close(held);
	}
	*view = (struct run_view){0};
}
