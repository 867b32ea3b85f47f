/* SPDX-License-Identifier: BSD-2-Clause */
/* A plan ──► processes and threads of an unprivileged user that make its calls. */
#include <errno.h>
#include <grp.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "operations.h"

enum { MOST_THREADS = 8, MOST_PROCESSES = 4 };

static void *act(void *argument) {
	struct actor *actor = argument;

	for (unsigned i = 0; i < actor->plan->operations; i++)
		operation(actor);
	return NULL;
}

/* As who has no right to anything; done already where snifence has done it. */
static int become_nobody(void) {
	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) || setgid(STORM_UID) || setuid(STORM_UID) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return 0;
}

/* A process with namespaces of its own, where they are allowed: its new sockets are there, the shared ones are not. */
static void leave_namespaces(void) {
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ioctl(fd, SIOCSIFFLAGS, &lo);
	close(fd);
}

static void run_process(const struct storm_plan *plan, unsigned process, int other_end, uint64_t *calls) {
	struct actor actors[MOST_THREADS];
	pthread_t threads[MOST_THREADS];

	if (plan->namespaces && process == 1)
		leave_namespaces();
	for (unsigned i = 0; i < plan->threads; i++) {
		actors[i] = (struct actor){
			.random = random_part(plan->seed, STORM_PART_THREADS + process * MOST_THREADS + i),
			.plan = plan,
			.other_end = other_end};
		pthread_create(&threads[i], NULL, act, &actors[i]);
	}
	for (unsigned i = 0; i < plan->threads; i++) {
		pthread_join(threads[i], NULL);
		__atomic_fetch_add(calls, actors[i].calls, __ATOMIC_RELAXED);
	}
}

int storm_attack(const struct storm_plan *plan, uint64_t *calls) {
	int ends[2], error = become_nobody();
	uint64_t *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[MOST_PROCESSES];

	if (error || shared == MAP_FAILED || socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends))
		return error ? error : -errno;
	signal(SIGPIPE, SIG_IGN);
	operations_prepare(plan);
	for (unsigned i = 1; i < plan->processes; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			run_process(plan, i, ends[i % 2], shared);
			_exit(0);
		}
	}
	run_process(plan, 0, ends[0], shared);
	for (unsigned i = 1; i < plan->processes; i++)
		if (pids[i] > 0)
			waitpid(pids[i], NULL, 0);
	*calls += *shared;
	munmap(shared, sizeof(*shared));
	return 0;
}
