/* SPDX-License-Identifier: BSD-2-Clause */
/* A program and a side ──► a process in that side's cgroup, network namespace and CPU. */
#include "sides.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tests/support/lab.h"
#include "bench.h"

/* namespace_fd -1: that of the round */
static struct {
	struct cell cell;
	int namespace_fd;
} sides[SIDES] = {{.namespace_fd = -1}, {.namespace_fd = -1}, {.namespace_fd = -1}};

static void be_first(void (*function)(const void *argument), const void *argument) {
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL) ||
	    mount("tmpfs", SIDES_FOLDER, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755"))
		bench_fail("cannot make the round's namespaces: %s", strerror(errno));
	lab_enter(); /* whose alarm does not end a pid namespace's first process: that of the process around it does */
	function(argument);
	exit(fflush(stdout) ? 1 : 0);
}

void sides_run(void (*function)(const void *argument), const void *argument) {
	pid_t pid;
	int status;

	sides[NEAR].cell = cell_make(NULL, "near");
	sides[BESIDE].cell = cell_make(NULL, "beside");
	sides[FAR].cell = cell_make(NULL, "far");
	fflush(NULL);
	pid = unshare(CLONE_NEWPID) ? -1 : fork();
	if (pid < 0)
		bench_fail("cannot make a pid namespace: %s", strerror(errno));
	if (pid == 0)
		be_first(function, argument);
	status = sides_wait(pid, NULL);
	if (status > 128)
		bench_fail("ended by signal %d", status - 128);
	if (status) /* it has said why */
		exit(status);
}

const struct cell *sides_cell(enum side side) {
	return &sides[side].cell;
}

double sides_cpu_us(enum side side) {
	char text[1024];
	int fd = openat(sides[side].cell.fd, "cpu.stat", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *field;

	if (fd >= 0)
		close(fd);
	text[length < 0 ? 0 : length] = 0;
	field = strstr(text, "usage_usec ");
	if (!field)
		bench_fail("the cgroup's cpu.stat does not tell its CPU time");
	return strtod(field + strlen("usage_usec "), NULL);
}

void sides_link(void) {
	sides[FAR].namespace_fd = lab_peer();
	/* for all connections of a round, of which each keeps its port for a while */
	if (system("echo 1024 65535 >/proc/sys/net/ipv4/ip_local_port_range"))
		bench_fail("cannot widen the range of local ports");
}

/*
 * One CPU for the server and one for the rest, where there are two: less noise than where the scheduler decides anew
 * each time. Packets cross the veth on the CPU of who sends them: whoever that is, is charged with what the receiving
 * side's stack does. That is so in all cases alike.
 */
static void pin(enum side side) {
	cpu_set_t allowed, one;
	int skip = side == FAR, cpu = 0;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) || CPU_COUNT(&allowed) < 2)
		return;
	while (!CPU_ISSET(cpu, &allowed) || skip-- > 0)
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

pid_t sides_fork(enum side side, int (*function)(void *argument), void *argument) {
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		bench_fail("cannot fork: %s", strerror(errno));
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	cell_enter(&sides[side].cell);
	if (sides[side].namespace_fd >= 0 && setns(sides[side].namespace_fd, CLONE_NEWNET))
		bench_fail("cannot enter the side's network namespace: %s", strerror(errno));
	if (sides[FAR].namespace_fd >= 0)
		pin(side);
	_exit(function(argument));
}

static int execute(void *argument) {
	char *const *argv = argument;

	dup2(STDERR_FILENO, STDOUT_FILENO);
	execvp(argv[0], argv);
	bench_fail("cannot execute %s: %s", argv[0], strerror(errno));
}

pid_t sides_start(enum side side, const char *const argv[]) {
	return sides_fork(side, execute, (void *)argv);
}

int sides_wait(pid_t pid, struct rusage *usage) {
	int status;

	while (wait4(pid, &status, 0, usage) < 0)
		if (errno != EINTR)
			bench_fail("cannot wait for a child: %s", strerror(errno));
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void sides_command(enum side side, const char *const argv[]) {
	int status = sides_wait(sides_start(side, argv), NULL);

	if (status)
		bench_fail("%s ended with status %d", argv[0], status);
}

const char *sides_write(const char *name, const char *text) {
	char *path = NULL;
	FILE *file;

	if (asprintf(&path, SIDES_FOLDER "/%s", name) < 0 || !(file = fopen(path, "w")) || fputs(text, file) < 0 ||
	    fclose(file) || chmod(path, 0644))
		bench_fail("cannot write %s: %s", name, strerror(errno));
	return path;
}

void sides_need(const char *file, const char *package) {
	if (access(file, R_OK) == 0)
		return;
	bench_skip("%s is not installed: make bench-deps", package);
	exit(fflush(stdout) ? 1 : 0);
}
