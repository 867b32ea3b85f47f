/* SPDX-License-Identifier: BSD-2-Clause */
/* A PID namespace for a command, in which no process outside has a number. */
#include "confine/pid_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 300 };

/* ---- the first process ------------------------------------------------------------------------------------------- */

/* No signal from inside reaches it: what can wait is blocked, and the kernel keeps the rest from such a process. What
 * the command may not touch of it in /proc is closed by its not being dumpable, also where both are root. */
static int prepare_init(sigset_t *signals) {
	sigfillset(signals);
	if (sigprocmask(SIG_BLOCK, signals, NULL) || prctl(PR_SET_PDEATHSIG, SIGTERM) || prctl(PR_SET_DUMPABLE, 0) ||
	    prctl(PR_SET_NAME, "snifence-init") || setsid() < 0 || chdir("/"))
		return errno;
	return 0;
}

/* Takes in what is orphaned, as long as there are processes or snifence lives, of whose end SIGTERM tells. The command
 * itself is no child of this process: without snifence, one has to look for it. */
_Noreturn static void take_in(const sigset_t *signals) {
	static const struct timespec second = {.tv_sec = 1};
	bool abandoned = false;

	for (;;) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (abandoned && kill(-1, 0) && errno == ESRCH)
			_exit(0);
		abandoned |= sigtimedwait(signals, NULL, abandoned ? &second : NULL) == SIGTERM;
	}
}

/* What the caller's reader waits for the end of is not to be open here: only `fd` is, as descriptor 0. */
static int keep_only(int *fd) {
	if (dup2(*fd, STDIN_FILENO) < 0)
		return errno;
	*fd = STDIN_FILENO;
	return syscall(SYS_close_range, STDIN_FILENO + 1, ~0U, 0) ? errno : 0;
}

_Noreturn static void be_init(int told) {
	sigset_t signals;
	int error = prepare_init(&signals);

	if (!error)
		error = keep_only(&told);
	/* nobody to tell: snifence has ended in between */
	if (write(told, &error, sizeof(error)) != (ssize_t)sizeof(error) || error)
		_exit(1);
	close(told);
	take_in(&signals);
}

/* ---- the caller -------------------------------------------------------------------------------------------------- */

/* Waits until it is ready; 0 or a negative errno. */
static int await_init(int told) {
	int error = 0;
	ssize_t length;

	do
		length = read(told, &error, sizeof(error));
	while (length < 0 && errno == EINTR);
	if (length < 0)
		return -errno;
	return length == (ssize_t)sizeof(error) ? -error : -ECHILD;
}

static int start_init(struct pid_namespace *space) {
	int told[2], error, pid;

	if (pipe2(told, O_CLOEXEC))
		return -errno;
	pid = fork();
	error = pid < 0 ? -errno : 0;
	if (pid == 0) {
		close(told[0]);
		be_init(told[1]);
	}
	close(told[1]);
	if (pid > 0) {
		space->init = pid;
		error = await_init(told[0]);
	}
	close(told[0]);
	return error;
}

int pid_namespace_enter(struct pid_namespace *space) {
	int error;

	*space = (struct pid_namespace){.own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC)};
	if (space->own < 0)
		return -errno;
	error = unshare(CLONE_NEWPID) ? -errno : start_init(space);
	if (!error)
		return 0;
	pid_namespace_leave(space);
	pid_namespace_end(space);
	return error;
}

int pid_namespace_leave(struct pid_namespace *space) {
	int error = setns(space->own, CLONE_NEWPID) ? -errno : 0;

	close(space->own);
	space->own = -1;
	return error;
}

void pid_namespace_end(struct pid_namespace *space) {
	int fd;

	if (!space->init)
		return;
	kill(space->init, SIGKILL);
	fd = (int)syscall(SYS_pidfd_open, space->init, 0);
	if (fd >= 0) {
		poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, PATIENCE_MS);
		close(fd);
	}
	waitpid(space->init, NULL, WNOHANG);
	space->init = 0;
}
