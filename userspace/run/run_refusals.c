/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls that seccomp refuses ──► their answer, and who is told of them. */
#include "run/run_refusals.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/message.h"

enum { ANSWERS = 64 /* in one turn: others have theirs */, COMM = 16 };

/* Of a thread, as prctl(2) and the filter's events have it; "": it has gone. */
static void read_name(unsigned int pid, char name[COMM]) {
	char path[32];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, name, COMM);
	if (fd >= 0)
		close(fd);
	name[length > 0 ? length - 1 : 0] = '\0';
}

/* sendfile() between files is refused by the way, and nothing comes of it. */
static bool is_to_socket(unsigned int pid, int fd) {
	static const char socket[] = "socket:";
	char path[48], target[sizeof(socket)] = "";

	snprintf(path, sizeof(path), "/proc/%u/fd/%d", pid, fd);
	return readlink(path, target, sizeof(target)) > 0 && strncmp(target, socket, strlen(socket)) == 0;
}

static bool is_news(const struct refused_call *call, const struct seccomp_notif *notice) {
	return (call->number != SCMP_SYS(sendfile) && call->number != SCMP_SYS(sendfile64)) ||
	       is_to_socket(notice->pid, (int)notice->data.args[0]);
}

/* From now on the kernel refuses by itself, as if it lacked the calls: also those that wait. */
static void stop_listening(const struct run_refusals *refusals) {
	close(*refusals->listener);
	*refusals->listener = -1;
}

/* Asks the listener. Where that fails, programs would wait for their answer for ever, unless they have gone (ENOENT). */
static bool ask(const struct run_refusals *refusals, unsigned long request, void *argument) {
	int failed;

	do {
		failed = ioctl(*refusals->listener, request, argument);
	} while (failed && errno == EINTR);
	if (!failed || errno == ENOENT)
		return !failed;
	message_error(
		"cannot answer a refused system call: %s; from now on such calls fail with ENOSYS, and are not told",
		strerror(errno));
	stop_listening(refusals);
	return false;
}

/* Returns whether there was a call; it may have ended meanwhile. */
static bool answer(const struct run_refusals *refusals) {
	struct seccomp_notif notice = {0};
	struct seccomp_notif_resp response = {0};
	struct refused_call call;
	char name[COMM];
	bool news;

	if (!ask(refusals, SECCOMP_IOCTL_NOTIF_RECV, &notice))
		return false;
	syscalls_tell(refusals->syscalls, &notice.data, &call);
	news = is_news(&call, &notice);
	if (news)
		read_name(notice.pid, name);
	response.id = notice.id;
	response.error = -call.error;
	ask(refusals, SECCOMP_IOCTL_NOTIF_SEND, &response);
	if (news)
		refusals->told(refusals->context, &call, name);
	return true;
}

int run_refusals_wait(const struct run_refusals *refusals, struct pollfd *fd) {
	*fd = (struct pollfd){.fd = *refusals->listener, .events = POLLIN};
	return -1;
}

/* Reading waits where there is no call: so it is asked for one each time. */
void run_refusals_turn(const struct run_refusals *refusals) {
	struct pollfd fd = {.fd = *refusals->listener, .events = POLLIN};

	for (int i = 0; i < ANSWERS && *refusals->listener >= 0 && poll(&fd, 1, 0) == 1; i++) {
		if (fd.revents & POLLIN && answer(refusals))
			continue;
		if (fd.revents & (POLLHUP | POLLERR | POLLNVAL))
			stop_listening(refusals);
		break;
	}
}
