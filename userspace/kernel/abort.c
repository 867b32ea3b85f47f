/* SPDX-License-Identifier: BSD-2-Clause */
/* A flow blocked on egress ──► its socket ends at once, instead of retransmitting for minutes. */
#include "kernel/abort.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* Linux 5.14 */
#endif

enum { NAMESPACES_KEPT = 64, PROCESSES_MAX = 4096, DEPTH_MAX = 16 };

/*
 * A NETLINK_SOCK_DIAG socket acts in the network namespace in which it was made. It also keeps the namespace, so that
 * its inode number is not given to another one meanwhile.
 */
struct place {
	__u64 cookie;
	ino_t inode; /* of /proc/PID/ns/net */
	int netlink;
};

struct aborter {
	int cgroup, own; /* own: this process's network namespace, to come back to */
	struct place places[NAMESPACES_KEPT];
	size_t count;
	size_t oldest; /* which place the next one takes, once all are taken */
};

static bool is_known(const struct aborter *aborter, ino_t inode) {
	for (size_t i = 0; i < aborter->count; i++)
		if (aborter->places[i].inode == inode)
			return true;
	return false;
}

/* Remembers the socket and its namespace, in the place of the oldest one when there are too many. */
static void keep_place(struct aborter *aborter, int netlink, ino_t inode) {
	__u64 cookie = 0;
	socklen_t length = sizeof(cookie);
	struct place *place;

	if (getsockopt(netlink, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length))
		cookie = 0;
	if (aborter->count < NAMESPACES_KEPT) {
		place = &aborter->places[aborter->count++];
	} else {
		place = &aborter->places[aborter->oldest++ % NAMESPACES_KEPT];
		close(place->netlink);
	}
	*place = (struct place){.cookie = cookie, .inode = inode, .netlink = netlink};
}

static int open_diag(void) {
	struct timeval patience = {.tv_sec = 1};
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

/*
 * Makes a socket in the network namespace of a process, unless there is one. A process that has ended, or may not be
 * looked at, adds nothing.
 */
static void visit_process(struct aborter *aborter, long pid) {
	char path[64];
	struct stat file;
	int namespace, netlink;

	snprintf(path, sizeof(path), "/proc/%ld/ns/net", pid);
	namespace = open(path, O_RDONLY | O_CLOEXEC);
	if (namespace < 0)
		return;
	if (fstat(namespace, &file) == 0 && !is_known(aborter, file.st_ino) && setns(namespace, CLONE_NEWNET) == 0) {
		netlink = open_diag();
		/* going on in a foreign namespace would be worse than ending */
		if (setns(aborter->own, CLONE_NEWNET))
			abort();
		if (netlink >= 0)
			keep_place(aborter, netlink, file.st_ino);
	}
	close(namespace);
}

static void visit_processes(struct aborter *aborter, int cgroup) {
	int fd = openat(cgroup, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	FILE *list = fd < 0 ? NULL : fdopen(fd, "r");
	long pid;

	if (!list) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (int left = PROCESSES_MAX; left > 0 && fscanf(list, "%ld", &pid) == 1; left--)
		if (pid > 0)
			visit_process(aborter, pid);
	fclose(list);
}

/* The processes of a cgroup and of those below it. Takes over the descriptor. */
static void visit_cgroup(struct aborter *aborter, int cgroup, int depth) {
	DIR *folder = cgroup < 0 ? NULL : fdopendir(cgroup);
	struct dirent *entry;

	if (!folder) {
		if (cgroup >= 0)
			close(cgroup);
		return;
	}
	visit_processes(aborter, dirfd(folder));
	while (depth < DEPTH_MAX && (entry = readdir(folder)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			visit_cgroup(aborter, openat(dirfd(folder), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				     depth + 1);
	closedir(folder);
}

struct aborter *aborter_new(int cgroup_fd) {
	struct aborter *aborter = calloc(1, sizeof(*aborter));
	struct stat file;
	int netlink;

	if (!aborter)
		return NULL;
	aborter->cgroup = fcntl(cgroup_fd, F_DUPFD_CLOEXEC, 3);
	aborter->own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	netlink = open_diag();
	if (aborter->cgroup < 0 || aborter->own < 0 || netlink < 0 || fstat(aborter->own, &file)) {
		if (netlink >= 0)
			close(netlink);
		aborter_free(aborter);
		return NULL;
	}
	keep_place(aborter, netlink, file.st_ino);
	return aborter;
}

/*
 * Whether the kernel's list of TCP sockets can be asked at all. Without it (the module tcp_diag) every socket is "not
 * found", and nothing else tells. Asks for sockets in no state: there is none.
 */
static int ask_for_none(int netlink) {
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 request;
	} message = {
		.header.nlmsg_len = sizeof(message),
		.header.nlmsg_type = SOCK_DIAG_BY_FAMILY,
		.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.request = {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP},
	};
	struct {
		struct nlmsghdr header;
		int error; /* in the end of a list, as in an error */
		char rest[512];
	} answer;
	ssize_t length;

	if (send(netlink, &message, sizeof(message), 0) < 0)
		return -errno;
	length = recv(netlink, &answer, sizeof(answer), 0);
	if (length < 0)
		return -errno;
	if (length < (ssize_t)NLMSG_LENGTH(sizeof(answer.error)))
		return -EPROTO;
	return answer.error == -ENOENT ? -EOPNOTSUPP : answer.error;
}

/* The socket as the kernel finds it; an IPv4 socket may also be an IPv6 one with v4-mapped addresses. */
static void fill_request(struct inet_diag_req_v2 *request, const struct snif_event *event, __u8 family) {
	size_t offset = family == AF_INET ? 12 : 0, length = family == AF_INET ? 4 : 16;

	request->sdiag_family = family;
	request->sdiag_protocol = IPPROTO_TCP;
	request->idiag_states = ~0U;
	request->id.idiag_sport = htons(event->source_port);
	request->id.idiag_dport = htons(event->destination_port);
	memcpy(request->id.idiag_src, event->source + offset, length);
	memcpy(request->id.idiag_dst, event->destination + offset, length);
	request->id.idiag_if = event->interface; /* a socket bound to a device is found by it alone */
	request->id.idiag_cookie[0] = (__u32)event->flow;
	request->id.idiag_cookie[1] = (__u32)(event->flow >> 32);
}

static int destroy(int netlink, const struct snif_event *event, __u8 family) {
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 request;
	} message = {
		.header.nlmsg_len = sizeof(message),
		.header.nlmsg_type = SOCK_DESTROY,
		.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[512];
	} answer;
	ssize_t length;

	fill_request(&message.request, event, family);
	if (send(netlink, &message, sizeof(message), 0) < 0)
		return -errno;
	length = recv(netlink, &answer, sizeof(answer), 0);
	if (length < 0)
		return -errno;
	if (length < (ssize_t)NLMSG_LENGTH(sizeof(answer.error)) || answer.header.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return answer.error.error;
}

int abort_possible(void) {
	const struct snif_event nothing = {.flow = 0};
	int netlink = open_diag(), error;

	if (netlink < 0)
		return -errno;
	error = ask_for_none(netlink);
	if (!error && (error = destroy(netlink, &nothing, AF_INET)) == -ENOENT)
		error = 0;
	close(netlink);
	return error;
}

static int destroy_here(int netlink, const struct snif_event *event) {
	int error = -ENOENT;

	if (snif_is_ipv4(event->source) && snif_is_ipv4(event->destination))
		error = destroy(netlink, event, AF_INET);
	return error == -ENOENT ? destroy(netlink, event, AF_INET6) : error;
}

/* Tries the namespaces that are known: that of the event's cookie, or all where it is not known. */
static int destroy_known(struct aborter *aborter, const struct snif_event *event, bool *found) {
	int error = -ENOENT;

	*found = false;
	for (size_t i = 0; i < aborter->count && error == -ENOENT; i++) {
		if (event->netns_cookie != 0 && aborter->places[i].cookie != 0 &&
		    aborter->places[i].cookie != event->netns_cookie)
			continue;
		*found |= event->netns_cookie != 0 && aborter->places[i].cookie == event->netns_cookie;
		error = destroy_here(aborter->places[i].netlink, event);
	}
	return error;
}

int abort_flow(struct aborter *aborter, const struct snif_event *event) {
	bool found;
	int error;

	/* its addresses alone may lead to another socket: to one that listens, or to one of another namespace */
	if (event->flow == 0)
		return -ENOENT;
	error = destroy_known(aborter, event, &found);
	if (error != -ENOENT || found)
		return error;
	if (event->process.pid != 0) {
		visit_process(aborter, event->process.pid);
		error = destroy_known(aborter, event, &found);
		if (error != -ENOENT || found)
			return error;
	}
	visit_cgroup(aborter, openat(aborter->cgroup, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0);
	return destroy_known(aborter, event, &found);
}

void aborter_free(struct aborter *aborter) {
	if (!aborter)
		return;
	for (size_t i = 0; i < aborter->count; i++)
		close(aborter->places[i].netlink);
	if (aborter->cgroup >= 0)
		close(aborter->cgroup);
	if (aborter->own >= 0)
		close(aborter->own);
	free(aborter);
}
