/* SPDX-License-Identifier: BSD-2-Clause */
/* A command line ──► a confined process, in its cgroup from the first instruction. */
#include "confine/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/message.h"

/* What the child says when it could not become the command. */
struct failure {
	int error; /* errno */
	int step;  /* enum confine_step; CONFINE_STEPS: exec itself; or one of these */
};

/* It was not told to start, or cannot tell; it cannot put signals back; it is confined and about to execute the command,
 * which is no failure so far. */
enum { WAITING = -1, SIGNALS = -2, CONFINED = -3 };

/* One for the child's failure (closed by a successful exec), a socket pair as a descriptor can go by it; one that holds
 * the child back until all is prepared. */
struct pipes {
	int failure[2], start[2];
};

static void close_pair(int pair[2]) {
	close(pair[0]);
	close(pair[1]);
}

static int open_pipes(struct pipes *pipes) {
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pipes->failure))
		return -errno;
	if (pipe2(pipes->start, O_CLOEXEC) == 0)
		return 0;
	int error = -errno;
	close_pair(pipes->failure);
	return error;
}

/* Reads what one write() has put in, or nothing at its end. Returns the length or a negative errno. */
static ssize_t read_whole(int fd, void *bytes, size_t size) {
	ssize_t length;

	do
		length = read(fd, bytes, size);
	while (length < 0 && errno == EINTR);
	return length < 0 ? -errno : length;
}

int spawn_fork_into(const struct cgroup *cgroup, int *pidfd) {
	struct clone_args arguments = {
		.flags = CLONE_INTO_CGROUP | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)cgroup->fd,
	};
	long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));

	return pid < 0 ? -errno : (int)pid;
}

/* Where clone3 is refused (seccomp filters of container engines): fork, and move the child while it waits. */
static int fork_and_move(const struct cgroup *cgroup, int *pidfd) {
	int pid = fork();

	if (pid <= 0)
		return pid ? -errno : 0;
	int error = 0;
	*pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (*pidfd < 0)
		error = -errno;
	if (!error)
		error = cgroup_adopt(cgroup, pid);
	if (!error)
		return pid;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (*pidfd >= 0)
		close(*pidfd);
	*pidfd = -1;
	return error;
}

static const char *path_of(const struct confinement *confinement) {
	const char *path = getenv("PATH");

	for (char *const *variable = confinement->variables; variable && *variable; variable++)
		if (strncmp(*variable, "PATH=", 5) == 0)
			path = *variable + 5;
	return path;
}

/* Whether there is a file of this name where execvp() has looked for it. */
static bool is_there(const char *command, const char *folder) {
	const char *end;

	if (!*command || strchr(command, '/'))
		return *command && access(command, F_OK) == 0;
	if (!folder)
		folder = "/bin:/usr/bin";
	for (;; folder = end + 1) {
		char *file;
		end = strchrnul(folder, ':');
		if (asprintf(&file, "%.*s%s%s", (int)(end - folder), folder, end > folder ? "/" : "", command) < 0)
			return false;
		bool there = access(file, F_OK) == 0;
		free(file);
		if (there || !*end)
			return there;
	}
}

static int explain(const struct failure *failure, const char *command, const struct confinement *confinement) {
	const char *error = strerror(failure->error);

	if (failure->step == WAITING) {
		message_error("cannot start the command: %s", error);
		return EXIT_FAILED;
	}
	if (failure->step == SIGNALS) {
		message_error("cannot put the command's signals back: %s; nothing was started", error);
		return EXIT_FAILED;
	}
	if (failure->step < CONFINE_STEPS) {
		message_error("cannot %s: %s; nothing was started", confine_step_text((enum confine_step)failure->step),
			      error);
		return EXIT_FAILED;
	}
	if (failure->error == ENOENT && !is_there(command, path_of(confinement))) {
		message_error("%s: command not found", command);
		return EXIT_NOT_FOUND;
	}
	if (failure->error == ENOENT)
		error = "it is there, but its interpreter is not: that of its #! line, or the loader of a program";
	message_error("cannot execute %s: %s", command, error);
	return EXIT_CANNOT_EXECUTE;
}

/* In the child: waits until it may start. */
static int await_start(const struct pipes *pipes) {
	char go;

	close(pipes->start[1]);
	ssize_t length = read_whole(pipes->start[0], &go, 1);
	return length == 1 ? 0 : length < 0 ? (int)length : -ECHILD;
}

/* A message with a descriptor beside it. */
struct passed {
	struct msghdr message;
	struct iovec part;
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
};

static void prepare_passed(struct passed *passed, struct failure *failure) {
	*passed = (struct passed){.part = {failure, sizeof(*failure)}};
	passed->message = (struct msghdr){.msg_iov = &passed->part,
					  .msg_iovlen = 1,
					  .msg_control = passed->control,
					  .msg_controllen = sizeof(passed->control)};
}

/* Says that the child is confined, with the listener to what is refused to it, where there is one. */
static int say_confined(int fd, int listener) {
	struct failure confined = {.step = CONFINED};
	struct passed passed;

	prepare_passed(&passed, &confined);
	struct cmsghdr *header = CMSG_FIRSTHDR(&passed.message);
	*header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	memcpy(CMSG_DATA(header), &listener, sizeof(listener));
	if (listener < 0)
		passed.message.msg_controllen = 0;
	return sendmsg(fd, &passed.message, 0) == (ssize_t)sizeof(confined) ? 0 : -errno;
}

/* Reads what the child says, and what comes beside it. Returns the length or a negative errno. */
static ssize_t read_failure(int fd, struct failure *failure, int *listener) {
	struct passed passed;
	ssize_t length;

	do {
		prepare_passed(&passed, failure);
		length = recvmsg(fd, &passed.message, MSG_CMSG_CLOEXEC);
	} while (length < 0 && errno == EINTR);
	const struct cmsghdr *header = length < 0 ? NULL : CMSG_FIRSTHDR(&passed.message);
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(listener, CMSG_DATA(header), sizeof(*listener));
	return length < 0 ? -errno : length;
}

static void try_to_become(char *const argv[], const struct confinement *confinement, const struct signals *signals,
			  const struct pipes *pipes, struct failure *failure) {
	enum confine_step step = CONFINE_STEPS;
	failure->error = -confine(confinement, &step);
	failure->step = (int)step;
	if (failure->error)
		return;
	/* before the signals, one of which can end it: that is the command's end as far as anybody outside can tell */
	failure->error = -say_confined(pipes->failure[1], confinement->listener ? *confinement->listener : -1);
	if (failure->error) {
		failure->step = WAITING;
		return;
	}
	failure->error = -signals_restore(signals);
	if (failure->error) {
		failure->step = SIGNALS;
		return;
	}
	for (char *const *variable = confinement->variables; variable && *variable; variable++)
		putenv(*variable);
	execvp(argv[0], argv);
	failure->error = errno;
}

_Noreturn static void become(char *const argv[], const struct confinement *confinement, const struct signals *signals,
			     const struct pipes *pipes) {
	struct failure failure = {.step = WAITING};
	failure.error = -await_start(pipes);
	if (!failure.error)
		try_to_become(argv, confinement, signals, pipes, &failure);
	/* who cannot tell it to snifence tells it to whoever reads */
	if (write(pipes->failure[1], &failure, sizeof(failure)) != (ssize_t)sizeof(failure))
		_exit(explain(&failure, argv[0], confinement));
	_exit(failure.step < CONFINE_STEPS ? EXIT_FAILED : EXIT_CANNOT_EXECUTE);
}

/* ---- the terminal -------------------------------------------------------------------------------------------------- */

static bool has_ended(pid_t group) {
	return kill(-group, 0) && errno == ESRCH;
}

/* Opens the terminal of the session, and says which process group has it. Returns a descriptor, or -1 without one. */
static int open_terminal(pid_t *group) {
	int fd = open("/dev/tty", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	*group = fd < 0 ? -1 : tcgetpgrp(fd);
	return fd;
}

static bool is_in_foreground(void) {
	pid_t group;
	int fd = open_terminal(&group);

	if (fd >= 0)
		close(fd);
	return fd >= 0 && group == getpgrp();
}

/* A shell inside has taken the terminal for a group of its own. It cannot give it back to snifence's, which has no
 * number in its namespace; so it is taken back once nobody has it any more. */
static void take_terminal_back(void) {
	sigset_t stop, before;
	pid_t group;
	int fd = open_terminal(&group);

	if (fd < 0)
		return;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTTOU);
	if (group > 0 && group != getpgrp() && has_ended(group) && sigprocmask(SIG_BLOCK, &stop, &before) == 0) {
		tcsetpgrp(fd, getpgrp());
		sigprocmask(SIG_SETMASK, &before, NULL);
	}
	close(fd);
}

/* ---- a command ----------------------------------------------------------------------------------------------------- */

/* Forks into the cgroup and a PID namespace of the child's own. Returns the pid, 0 in the child, or a negative errno
 * after saying why. */
static int fork_confined(const struct cgroup *cgroup, struct child *child) {
	int error = pid_namespace_enter(&child->space);

	if (error) {
		message_error("cannot make a PID namespace for the command: %s", strerror(-error));
		return error;
	}
	int pid = spawn_fork_into(cgroup, &child->pidfd);
	if (pid < 0)
		pid = fork_and_move(cgroup, &child->pidfd);
	if (pid < 0)
		message_error("cannot start the command in its cgroup: %s", strerror(-pid));
	return pid;
}

/* Lets the child go, once children of snifence's own are made outside again. Returns 0 or a negative errno after saying
 * why. */
static int let_go(struct child *child, const struct pipes *pipes) {
	int error = pid_namespace_leave(&child->space);

	if (!error && child->pid > 0 && write(pipes->start[1], "", 1) != 1)
		error = -errno;
	if (error)
		message_error("cannot start the command: %s", strerror(-error));
	return error;
}

/* Ends a child that has not become the command. */
static void end_child(const struct child *child) {
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
}

/* Waits until the child is the command, or has said why not; one that ends without a word was not confined. Returns 0
 * or an exit code after saying why. */
static int await_exec(int failure_fd, const char *command, const struct confinement *confinement, int *listener) {
	struct failure failure = {.step = WAITING};
	ssize_t length = read_failure(failure_fd, &failure, listener);
	bool confined = length == (ssize_t)sizeof(failure) && failure.step == CONFINED;

	if (confined)
		length = read_failure(failure_fd, &failure, listener);
	if (length == 0 && confined)
		return 0;
	if (length == (ssize_t)sizeof(failure))
		return explain(&failure, command, confinement);
	if (length == 0)
		message_error("cannot start the command: its process has ended before it was confined");
	else
		message_error("cannot tell whether the command was started: %s; it is ended",
			      strerror(length < 0 ? (int)-length : EPROTO));
	return EXIT_FAILED;
}

/* Returns 0 or an exit code after saying why. */
static int start(char *const argv[], const struct cgroup *cgroup, const struct confinement *confinement,
		 const struct signals *signals, struct child *child) {
	struct pipes pipes;
	int code = EXIT_FAILED, error = open_pipes(&pipes);
	if (error) {
		message_error("cannot start the command: %s", strerror(-error));
		return EXIT_FAILED;
	}
	child->pid = fork_confined(cgroup, child);
	if (child->pid == 0)
		become(argv, confinement, signals, &pipes);
	error = child->space.own >= 0 ? let_go(child, &pipes) : 0;
	close_pair(pipes.start);
	close(pipes.failure[1]);
	if (child->pid > 0 && !error)
		code = await_exec(pipes.failure[0], argv[0], confinement, &child->listener);
	if (child->pid > 0 && code)
		end_child(child);
	close(pipes.failure[0]);
	return code;
}

int spawn(char *const argv[], const struct cgroup *cgroup, const struct confinement *confinement,
	  const struct signals *signals, struct child *child) {
	*child = (struct child){.pidfd = -1, .listener = -1, .space.own = -1, .foreground = is_in_foreground()};
	int code = start(argv, cgroup, confinement, signals, child);
	if (code)
		spawn_end(child);
	return code;
}

void spawn_end(struct child *child) {
	pid_namespace_end(&child->space);
	if (child->pidfd >= 0)
		close(child->pidfd);
	child->pidfd = -1;
	if (child->listener >= 0)
		close(child->listener);
	child->listener = -1;
	if (child->foreground)
		take_terminal_back();
}
