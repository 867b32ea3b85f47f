/* SPDX-License-Identifier: BSD-2-Clause */
/* A pipe of requests ──► workers, of which some may be stuck ──► sockets that end. */
#include "event/abort_worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "event/abort.h"

/*
 * Milliseconds. Without any progress for STUCK_MS, in the end for LAST_STUCK_MS, all workers are taken for stuck. In the
 * end they have END_MS, but not END_IDLE_MS without progress.
 */
enum { WORKERS = 8, STUCK_MS = 250, LAST_STUCK_MS = 50, END_MS = 2000, END_IDLE_MS = 300 };

/* Where a machine is busy, whoever was refused waits for this: some 10 us each, less than it takes to be refused. */
enum { PRIORITY = -10 };

/* Shared by all: what each worker is at. */
struct desk {
	struct {
		pid_t pid;
		__u64 flow; /* of the socket that it is ending; 0: none */
	} workers[WORKERS];
	__u64 progress;
};

struct keeper {
	struct abort_pipes pipes;
	struct desk *desk;
	int count; /* of workers */
};

static void answer(const struct keeper *keeper, enum abort_answer_kind kind, int error) {
	struct abort_answer answer = {kind, error};

	/* nobody reads it, or there are many already: then one more says nothing */
	if (write(keeper->pipes.answers, &answer, sizeof(answer)) < 0)
		return;
}

static __u64 progress(const struct keeper *keeper) {
	return __atomic_load_n(&keeper->desk->progress, __ATOMIC_RELAXED);
}

/* ---- a worker ----------------------------------------------------------------------------------------------- */

struct worker {
	const struct keeper *keeper;
	int number;
};

/* A socket that another worker is stuck at would only make this one stuck, too. */
static bool begin(void *context, __u64 flow) {
	const struct worker *worker = context;
	struct desk *desk = worker->keeper->desk;

	__atomic_add_fetch(&desk->progress, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < WORKERS; i++)
		if (i != worker->number && __atomic_load_n(&desk->workers[i].flow, __ATOMIC_RELAXED) == flow)
			return false;
	__atomic_store_n(&desk->workers[worker->number].flow, flow, __ATOMIC_RELAXED);
	return true;
}

static void end(void *context) {
	const struct worker *worker = context;

	__atomic_store_n(&worker->keeper->desk->workers[worker->number].flow, 0, __ATOMIC_RELAXED);
}

static int end_flow(struct aborter *aborter, const struct abort_request *request) {
	struct snif_event event = {
		.flow = request->flow,
		.netns_cookie = request->netns_cookie,
		.process.pid = request->pid,
		.interface = request->interface,
		.source_port = request->source_port,
		.destination_port = request->destination_port,
	};

	memcpy(event.source, request->source, sizeof(event.source));
	memcpy(event.destination, request->destination, sizeof(event.destination));
	return abort_flow(aborter, &event);
}

static int serve(struct aborter *aborter, const struct abort_request *request) {
	int result = request->kind == ABORT_FLOW
			     ? end_flow(aborter, request)
			     : abort_refused(aborter, (__u32)request->flow, request->interface, request->which);

	return result == -ENOENT || result == -EBUSY ? 0 : result;
}

_Noreturn static void work(const struct keeper *keeper, int number) {
	struct worker worker = {keeper, number};
	struct aborter *aborter = aborter_new(keeper->pipes.cgroup);
	struct abort_request request;

	if (!aborter) {
		answer(keeper, ABORT_FAILED, -errno);
		_exit(1);
	}
	abort_watch(aborter, &(struct abort_watch){begin, end, &worker});
	while (read(keeper->pipes.requests, &request, sizeof(request)) == (ssize_t)sizeof(request)) {
		int result;

		__atomic_add_fetch(&keeper->desk->progress, 1, __ATOMIC_RELAXED);
		result = serve(aborter, &request);
		if (result < 0)
			answer(keeper, ABORT_FAILED, result);
	}
	_exit(0);
}

/* ---- who looks after them ----------------------------------------------------------------------------------- */

static void add_worker(struct keeper *keeper) {
	int number = keeper->count;
	pid_t pid;

	if (number == WORKERS)
		return;
	pid = fork();
	if (pid == 0)
		work(keeper, number);
	if (pid < 0) {
		answer(keeper, ABORT_FAILED, -errno);
		return;
	}
	keeper->desk->workers[number].pid = pid;
	keeper->count++;
}

/* What is in the pipe, or that it has ended: POLLIN, POLLHUP. */
static short look(const struct keeper *keeper, int patience) {
	struct pollfd requests = {.fd = keeper->pipes.requests, .events = POLLIN};

	return poll(&requests, 1, patience) < 0 ? 0 : requests.revents;
}

/* Requests wait. A worker will take them, unless all are stuck. */
static void see_to_it(struct keeper *keeper) {
	__u64 before = progress(keeper);

	for (int step = 1, waited = 0; keeper->count > 0 && waited < STUCK_MS; waited += step, step += step < 16) {
		poll(NULL, 0, step);
		if (progress(keeper) != before || !(look(keeper, 0) & POLLIN))
			return;
	}
	add_worker(keeper);
}

/* The pipe has ended: who is not stuck takes what is still in it, and ends. The others are killed, and end once they
 * can. */
static void end_workers(struct keeper *keeper) {
	static const struct timespec step = {.tv_nsec = 1000000};
	long begin = clock_ms(), moved = begin, now;
	__u64 before = progress(keeper);
	sigset_t child;
	int ended = 0;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	while ((now = clock_ms()) - begin < END_MS && now - moved < END_IDLE_MS) {
		bool more = look(keeper, 0) & POLLIN;

		while (ended < keeper->count && waitpid(-1, NULL, WNOHANG) > 0)
			ended++;
		if (ended == keeper->count && !more)
			return;
		if (more && (ended == keeper->count || now - moved > LAST_STUCK_MS * keeper->count))
			add_worker(keeper);
		if (before != progress(keeper))
			moved = now;
		before = progress(keeper);
		sigtimedwait(&child, NULL, &step);
	}
	for (int i = 0; i < keeper->count; i++)
		kill(keeper->desk->workers[i].pid, SIGKILL);
}

static int compare(const void *left, const void *right) {
	return *(const int *)left - *(const int *)right;
}

/*
 * Whoever is stuck must hold nothing of the run: no map, no terminal, no pipe that somebody waits at. Nor may this end of
 * the requests stay open here, or they would never end. Returns 0 or a negative errno.
 */
static int close_others(const struct abort_pipes *pipes) {
	int kept[] = {pipes->requests, pipes->answers, pipes->cgroup};
	unsigned from = 0;

	qsort(kept, 3, sizeof(kept[0]), compare);
	for (int i = 0; i < 3; i++) {
		if (kept[i] > (int)from && close_range(from, (unsigned)kept[i] - 1, 0))
			return -errno;
		from = (unsigned)kept[i] + 1;
	}
	return close_range(from, ~0U, 0) ? -errno : 0;
}

void abort_worker_main(struct abort_pipes pipes) {
	struct keeper keeper = {.pipes = pipes};
	short seen = 0;
	int error;

	prctl(PR_SET_NAME, "snifence-abort");
	setpriority(PRIO_PROCESS, 0, PRIORITY);
	error = close_others(&pipes);
	if (error) {
		answer(&keeper, ABORT_ABLE, error);
		_exit(1);
	}
	keeper.desk = mmap(NULL, sizeof(*keeper.desk), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (keeper.desk == MAP_FAILED)
		_exit(1);
	answer(&keeper, ABORT_ABLE, abort_possible());
	/* the first is there before there is work, which then takes no longer than it must */
	add_worker(&keeper);
	while (!(seen & POLLHUP)) {
		seen = look(&keeper, -1);
		if (seen & POLLIN)
			see_to_it(&keeper);
	}
	end_workers(&keeper);
	_exit(0);
}
