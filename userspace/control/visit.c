/* SPDX-License-Identifier: BSD-2-Clause */
/* The sockets of a cgroup ──► a process that looks at each, and may be stuck at one ──► what it says of them. */
#include "control/visit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/message.h"
#include "cgroup/cgroup_sockets.h"

/* Milliseconds: for one socket, whose lock others have for microseconds; for all. */
enum { STUCK_MS = 1000, ALL_MS = 10000 };

/* What a report says, where it is not what is to be told. */
enum { LOOKED = 0, LOOKING = -1, DONE = -2 };

struct report {
	__u64 cookie;
	struct snif_target to;
	int what, error; /* of DONE: of what could not be looked at */
	pid_t pid;
};

static void add(struct ids *ids, __u64 id) {
	__u64 *item = array_add(&ids->items, &ids->count, sizeof(id));

	if (item)
		*item = id;
}

static int compare(const void *left, const void *right) {
	const __u64 *one = left, *other = right;

	return (*one > *other) - (*one < *other);
}

static void sort(struct ids *ids) {
	if (ids->count)
		qsort(ids->items, ids->count, sizeof(*ids->items), compare);
}

static bool has(const struct ids *ids, __u64 id) {
	return ids->count && bsearch(&id, ids->items, ids->count, sizeof(id), compare);
}

/* ---- the process ------------------------------------------------------------------------------------------------ */

struct visitor {
	const struct visits *visits;
	const struct ids *looked; /* by another, which was stuck then */
	int reports;
};

static void report(const struct visitor *visitor, const struct report *report) {
	if (write(visitor->reports, report, sizeof(*report)) != (ssize_t)sizeof(*report))
		_exit(1);
}

static void look_at(void *context, pid_t pid, int socket) {
	const struct visitor *visitor = context;
	struct report said = {.what = LOOKING, .pid = pid};
	socklen_t size = sizeof(said.cookie);

	/* without the lock */
	if (getsockopt(socket, SOL_SOCKET, SO_COOKIE, &said.cookie, &size) || has(visitor->looked, said.cookie) ||
	    has(&visitor->visits->stuck, said.cookie))
		return;
	report(visitor, &said);
	said.what = visitor->visits->look(visitor->visits->context, socket, &said.to);
	report(visitor, &said);
}

_Noreturn static void look_at_all(const struct visitor *visitor) {
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct report done = {.what = DONE};

	/* who reads what this command says waits for the end of it */
	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
	close(visitor->visits->lock_fd);
	signal(SIGPIPE, SIG_DFL);
	done.error = cgroup_each_socket(visitor->visits->cgroup_fd, look_at, (void *)visitor);
	report(visitor, &done);
	_exit(0);
}

/* ---- who hears it ----------------------------------------------------------------------------------------------- */

struct hearing {
	struct visits *visits;
	struct ids looked;
	struct report last;
	long end_ms;
};

static int pass_over(struct hearing *hearing) {
	message_error("process %d holds the lock of a socket, which cannot be looked at: it is not kept",
		      hearing->last.pid);
	add(&hearing->visits->stuck, hearing->last.cookie);
	return -EAGAIN;
}

/* Waits for the next report. Returns 0; -EAGAIN: the process is stuck at a socket; or another negative errno. */
static int hear(struct hearing *hearing, int reports) {
	struct pollfd fd = {.fd = reports, .events = POLLIN};
	long left = hearing->end_ms - clock_ms();
	bool looking = hearing->last.what == LOOKING;
	int count = poll(&fd, 1, (int)(left < 0 ? 0 : looking && left > STUCK_MS ? STUCK_MS : left));
	ssize_t length;

	if (count == 0)
		return looking ? pass_over(hearing) : -ETIMEDOUT;
	length = count < 0 ? -1 : read(reports, &hearing->last, sizeof(hearing->last));
	if (length != (ssize_t)sizeof(hearing->last))
		return length < 0 ? -errno : -ECHILD;
	if (hearing->last.what == LOOKING)
		add(&hearing->looked, hearing->last.cookie);
	if (hearing->last.what > 0)
		hearing->visits->tell(hearing->visits->context, hearing->last.what, hearing->last.pid,
				      &hearing->last.to);
	return 0;
}

/* As hear(), until all was looked at. */
static int hear_all(struct hearing *hearing, int reports) {
	int error = 0;

	hearing->last = (struct report){.what = LOOKED};
	while (!error && hearing->last.what != DONE)
		error = clock_ms() > hearing->end_ms ? -ETIMEDOUT : hear(hearing, reports);
	return error ? error : hearing->last.error;
}

static int visit_once(struct hearing *hearing) {
	int ends[2], error;
	pid_t pid;

	sort(&hearing->looked);
	sort(&hearing->visits->stuck);
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		look_at_all(&(struct visitor){hearing->visits, &hearing->looked, ends[1]});
	}
	error = pid < 0 ? -errno : 0;
	close(ends[1]);
	if (!error)
		error = hear_all(hearing, ends[0]);
	close(ends[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		/* who is stuck ends once it can */
		waitpid(pid, NULL, error ? WNOHANG : 0);
	}
	return error;
}

void visit_sockets(struct visits *visits) {
	struct hearing hearing = {.visits = visits, .end_ms = clock_ms() + ALL_MS};
	int error;

	do
		error = visit_once(&hearing);
	while (error == -EAGAIN);
	if (error && error != visits->told)
		message_error("cannot look at all sockets of the cgroup: %s; the others are not kept",
			      process_socket_error(error));
	visits->told = error;
	free(hearing.looked.items);
}

void visits_end(struct visits *visits) {
	free(visits->stuck.items);
	visits->stuck = (struct ids){0};
}
