/* SPDX-License-Identifier: BSD-2-Clause */
/* Flows refused on egress ──► requests in a pipe ──► another process. */
#include "event/abort_process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "event/abort.h"
#include "event/abort_worker.h"

enum {
	QUEUE = 1024,					 /* as many as events are delivered at once */
	PIECE = PIPE_BUF / sizeof(struct abort_request), /* which a pipe takes at once or not at all */
	PIPE_SIZE = 1 << 20,
	ABLE_MS = 1000,
	SEARCH_MS = 500, /* between two searches */
	STOP_MS = 3000,	 /* its own limit is lower */
};

struct abort_process {
	pid_t pid;
	int pidfd, requests, answers;
	struct abort_request queue[QUEUE];
	size_t count;
	uint32_t tags_id, policy;
	bool used;		/* something was refused, or may have been */
	uint64_t events_lost;	/* before they came here */
	uint64_t requests_lost; /* which the pipe had no room for */
	uint64_t searched;	/* how many had been lost at the last search, */
	long searched_at;	/* and when that was */
};

static void close_pair(const int pair[2]) {
	close(pair[0]);
	close(pair[1]);
}

static int start(struct abort_process *process, int cgroup_fd, const int requests[2], const int answers[2]) {
	process->pid = fork();
	if (process->pid == 0)
		abort_worker_main((struct abort_pipes){requests[0], answers[1], cgroup_fd});
	if (process->pid < 0)
		return -1;
	process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	close(requests[0]);
	close(answers[1]);
	process->requests = requests[1];
	process->answers = answers[0];
	fcntl(process->requests, F_SETFL, O_NONBLOCK);
	fcntl(process->requests, F_SETPIPE_SZ, PIPE_SIZE);
	return 0;
}

struct abort_process *abort_process_start(int cgroup_fd) {
	struct abort_process *process = calloc(1, sizeof(*process));
	int requests[2], answers[2];

	if (!process)
		return NULL;
	if (pipe2(requests, O_CLOEXEC) == 0) {
		if (pipe2(answers, O_CLOEXEC | O_NONBLOCK) == 0) {
			if (start(process, cgroup_fd, requests, answers) == 0)
				return process;
			close_pair(answers);
		}
		close_pair(requests);
	}
	free(process);
	return NULL;
}

/* Takes an answer of this kind, and passes others over. Returns its error; -EAGAIN: there is none. */
static int take_answer(const struct abort_process *process, enum abort_answer_kind kind) {
	struct abort_answer answer;
	ssize_t length;

	while ((length = read(process->answers, &answer, sizeof(answer))) == (ssize_t)sizeof(answer))
		if (answer.kind == (int)kind)
			return answer.error;
	return length == 0 ? -EPIPE : -EAGAIN;
}

int abort_process_able(struct abort_process *process) {
	struct pollfd ready = {.fd = process->answers, .events = POLLIN};

	return poll(&ready, 1, ABLE_MS) == 1 ? take_answer(process, ABORT_ABLE) : -ETIMEDOUT;
}

void abort_process_set_tags(struct abort_process *process, uint32_t tags_id, uint32_t policy) {
	process->tags_id = tags_id;
	process->policy = policy;
}

static bool send_requests(const struct abort_process *process, const struct abort_request *requests, size_t count) {
	size_t size = count * sizeof(*requests);

	return write(process->requests, requests, size) == (ssize_t)size;
}

/* What the pipe has no room for is found by a search. */
static void send_queue(struct abort_process *process) {
	for (size_t done = 0; done < process->count; done += PIECE) {
		size_t count = process->count - done < PIECE ? process->count - done : PIECE;

		if (!send_requests(process, process->queue + done, count))
			process->requests_lost += count;
	}
	process->count = 0;
}

void abort_process_add(struct abort_process *process, const struct snif_event *event) {
	struct abort_request *request;

	if (process->count == QUEUE)
		send_queue(process);
	process->used = true;
	request = &process->queue[process->count++];
	*request = (struct abort_request){
		.kind = ABORT_FLOW,
		.flow = event->flow,
		.netns_cookie = event->netns_cookie,
		.pid = event->process.pid,
		.interface = event->interface,
		.source_port = event->source_port,
		.destination_port = event->destination_port,
	};
	memcpy(request->source, event->source, sizeof(request->source));
	memcpy(request->destination, event->destination, sizeof(request->destination));
}

void abort_process_lost(struct abort_process *process, uint64_t events) {
	process->events_lost = events;
}

static uint64_t lost(const struct abort_process *process) {
	return process->events_lost + process->requests_lost;
}

/* Milliseconds until the next search; -1: none is due. */
static int until_search(const struct abort_process *process) {
	long since = clock_ms() - process->searched_at;

	if (lost(process) == process->searched || process->tags_id == 0)
		return -1;
	return since >= SEARCH_MS ? 0 : (int)(SEARCH_MS - since);
}

static bool send_search(const struct abort_process *process, uint32_t tags_id, uint32_t policy,
			enum abort_which which) {
	struct abort_request request = {.kind = ABORT_SEARCH, .flow = tags_id, .interface = policy, .which = which};

	return send_requests(process, &request, 1);
}

static void search(struct abort_process *process, enum abort_which which) {
	process->searched_at = clock_ms();
	if (send_search(process, process->tags_id, process->policy, which))
		process->searched = lost(process);
}

void abort_process_search(struct abort_process *process, uint32_t tags_id, uint32_t policy) {
	if (!send_search(process, tags_id, policy, ABORT_REFUSED))
		process->requests_lost++;
}

uint64_t abort_process_requests_lost(const struct abort_process *process) {
	return process->requests_lost;
}

int abort_process_wait(const struct abort_process *process, struct pollfd *fd) {
	*fd = (struct pollfd){.fd = process->answers, .events = POLLIN};
	return process->count > 0 ? 0 : until_search(process);
}

int abort_process_turn(struct abort_process *process) {
	int error;

	send_queue(process);
	if (until_search(process) == 0)
		search(process, ABORT_REFUSED);
	error = take_answer(process, ABORT_FAILED);
	if (error == -EPIPE) {
		/* somebody has ended it: there is nothing more to wait for, and this is told once */
		close(process->answers);
		process->answers = -1;
	}
	return error == -EAGAIN ? 0 : error;
}

/* It kills the workers that are stuck before its own time is over. */
static void await_end(const struct abort_process *process) {
	struct pollfd end = {.fd = process->pidfd, .events = POLLIN};

	if (poll(&end, 1, STOP_MS) != 1)
		kill(process->pid, SIGKILL);
	else
		waitpid(process->pid, NULL, 0);
}

void abort_process_stop(struct abort_process *process) {
	if (!process)
		return;
	send_queue(process);
	if ((process->used || lost(process) > 0) && process->tags_id != 0)
		search(process, ABORT_ORPHANS_TOO);
	close(process->requests);
	await_end(process);
	if (process->answers >= 0)
		close(process->answers);
	if (process->pidfd >= 0)
		close(process->pidfd);
	free(process);
}
