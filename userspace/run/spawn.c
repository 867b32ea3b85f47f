/* SPDX-License-Identifier: BSD-2-Clause */
/* A command line ──► a confined process, in its cgroup from the first instruction. */
#include "run/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/message.h"

/* What the child says when it could not become the command. */
struct failure {
	int error;		/* errno */
	enum confine_step step; /* CONFINE_STEPS: exec itself */
};

/* One end for the child's failure (closed by a successful exec), one that holds the child back until it is moved. */
struct pipes {
	int failure[2], start[2];
};

static void close_pair(int pair[2]) {
	close(pair[0]);
	close(pair[1]);
}

static int open_pipes(struct pipes *pipes) {
	if (pipe2(pipes->failure, O_CLOEXEC))
		return -errno;
	if (pipe2(pipes->start, O_CLOEXEC) == 0)
		return 0;
	int err = -errno;
	close_pair(pipes->failure);
	return err;
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
static int fork_and_move(const struct cgroup *cgroup, const struct pipes *pipes, int *pidfd) {
	int pid = fork();
	if (pid < 0)
		return -errno;
	char go;
	if (pid == 0) {
		close(pipes->start[1]);
		if (read(pipes->start[0], &go, 1) != 1)
			_exit(EXIT_FAILED);
		return 0;
	}
	int err = 0;
	*pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (*pidfd < 0)
		err = -errno;
	if (!err)
		err = cgroup_adopt(cgroup, pid);
	if (!err && write(pipes->start[1], "", 1) != 1)
		err = -errno;
	if (!err)
		return pid;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (*pidfd >= 0)
		close(*pidfd);
	return err;
}

_Noreturn static void become(char *const argv[], const struct confinement *confinement, const struct signals *signals,
			     const struct pipes *pipes) {
	struct failure failure = {0};
	failure.error = -confine(confinement, &failure.step);
	if (!failure.error) {
		signals_restore(signals);
		execvp(argv[0], argv);
		failure.error = errno;
	}
	if (write(pipes->failure[1], &failure, sizeof(failure)) < 0)
		_exit(EXIT_FAILED);
	_exit(failure.step < CONFINE_STEPS ? EXIT_FAILED : EXIT_CANNOT_EXECUTE);
}

/* Whether there is a file of this name where execvp() has looked for it. */
static bool is_there(const char *command) {
	const char *folder = getenv("PATH"), *end;
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

static int explain(const struct failure *failure, const char *command) {
	const char *error = strerror(failure->error);
	if (failure->step < CONFINE_STEPS) {
		message_error("cannot %s: %s; nothing was started", confine_step_text(failure->step), error);
		return EXIT_FAILED;
	}
	if (failure->error == ENOENT && !is_there(command)) {
		message_error("%s: command not found", command);
		return EXIT_NOT_FOUND;
	}
	if (failure->error == ENOENT)
		error = "it is there, but its interpreter is not: that of its #! line, or the loader of a program";
	message_error("cannot execute %s: %s", command, error);
	return EXIT_CANNOT_EXECUTE;
}

/* Waits until the child is the command, or has said why not. A signal can end it in between: then it was started as
 * far as anybody outside can tell, and its status says the rest. */
static int await_exec(int failure_fd, const char *command, struct child *child) {
	struct failure failure;
	ssize_t length;
	do
		length = read(failure_fd, &failure, sizeof(failure));
	while (length < 0 && errno == EINTR);
	if (length != (ssize_t)sizeof(failure))
		return 0;
	waitpid(child->pid, NULL, 0);
	close(child->pidfd);
	return explain(&failure, command);
}

int spawn(char *const argv[], const struct cgroup *cgroup, const struct confinement *confinement,
	  const struct signals *signals, struct child *child) {
	struct pipes pipes;
	int pid = open_pipes(&pipes);
	if (pid) {
		message_error("cannot start the command: %s", strerror(-pid));
		return EXIT_FAILED;
	}
	pid = spawn_fork_into(cgroup, &child->pidfd);
	if (pid < 0)
		pid = fork_and_move(cgroup, &pipes, &child->pidfd);
	if (pid == 0)
		become(argv, confinement, signals, &pipes);
	close_pair(pipes.start);
	close(pipes.failure[1]);
	child->pid = pid;
	int code = EXIT_FAILED;
	if (pid > 0)
		code = await_exec(pipes.failure[0], argv[0], child);
	else
		message_error("cannot start the command in its cgroup: %s", strerror(-pid));
	close(pipes.failure[0]);
	return code;
}
