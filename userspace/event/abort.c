/* SPDX-License-Identifier: BSD-2-Clause */
/* A flow refused on egress ──► its socket ends at once, instead of retransmitting for minutes. */
#include "event/abort.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address.h"
#include "base/array.h"
#include "base/clock.h"
#include "cgroup/cgroup_place.h"
#include "cgroup/cgroup_tree.h"
#include "event/sock_diag.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* Linux 5.14 */
#endif

/* Milliseconds between two looks at all processes: a socket in a namespace that none is in would ask for one each. */
enum { NAMESPACES_KEPT = 64, PROCESSES_MAX = 4096, VISIT_MS = 1000 };

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
	long visited;  /* when all processes were looked at; 0: never */
	struct abort_watch watch;
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
		netlink = sock_diag_open();
		/* going on in a foreign namespace would be worse than ending */
		if (setns(aborter->own, CLONE_NEWNET))
			abort();
		if (netlink >= 0)
			keep_place(aborter, netlink, file.st_ino);
	}
	close(namespace);
}

struct visit {
	struct aborter *aborter;
	int left; /* processes that may still be looked at */
};

static int visit_cgroup(int parent_fd, const char *name, int fd, void *context) {
	struct visit *visit = context;
	FILE *list = cgroup_open(fd, "cgroup.procs");
	long pid;

	(void)parent_fd;
	(void)name;
	for (; list && visit->left > 0 && fscanf(list, "%ld", &pid) == 1; visit->left--)
		if (pid > 0)
			visit_process(visit->aborter, pid);
	if (list)
		fclose(list);
	return 0;
}

/* Looks at the processes of the cgroup and of those below it, once in a while. Returns whether it has. */
static bool visit_all(struct aborter *aborter) {
	struct visit visit = {aborter, PROCESSES_MAX};

	if (aborter->visited && clock_ms() - aborter->visited < VISIT_MS)
		return false;
	cgroup_tree_walk(aborter->cgroup, ".", visit_cgroup, &visit);
	aborter->visited = clock_ms();
	return true;
}

struct aborter *aborter_new(int cgroup_fd) {
	struct aborter *aborter = calloc(1, sizeof(*aborter));
	struct stat file;
	int netlink;

	if (!aborter)
		return NULL;
	/* a description of its own: that of the caller holds a lock, which ends with the caller */
	aborter->cgroup = openat(cgroup_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	aborter->own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	netlink = sock_diag_open();
	if (aborter->cgroup < 0 || aborter->own < 0 || netlink < 0 || fstat(aborter->own, &file)) {
		if (netlink >= 0)
			close(netlink);
		aborter_free(aborter);
		return NULL;
	}
	keep_place(aborter, netlink, file.st_ino);
	return aborter;
}

/* The socket as the kernel finds it; an IPv4 socket may also be an IPv6 one with v4-mapped addresses. */
static void fill_id(struct inet_diag_sockid *id, const struct snif_event *event, __u8 family) {
	size_t offset = family == AF_INET ? 12 : 0, length = family == AF_INET ? 4 : 16;

	*id = (struct inet_diag_sockid){0};
	id->idiag_sport = htons(event->source_port);
	id->idiag_dport = htons(event->destination_port);
	memcpy(id->idiag_src, event->source + offset, length);
	memcpy(id->idiag_dst, event->destination + offset, length);
	id->idiag_if = event->interface; /* a socket bound to a device is found by it alone */
	id->idiag_cookie[0] = (__u32)event->flow;
	id->idiag_cookie[1] = (__u32)(event->flow >> 32);
}

static int destroy(int netlink, const struct snif_event *event, __u8 family) {
	struct inet_diag_sockid id;

	fill_id(&id, event, family);
	return sock_diag_destroy(netlink, family, &id);
}

int abort_possible(void) {
	const struct snif_event nothing = {.flow = 0};
	int netlink = sock_diag_open(), error;

	if (netlink < 0)
		return netlink;
	error = sock_diag_try(netlink);
	if (!error && (error = destroy(netlink, &nothing, AF_INET)) == -ENOENT)
		error = 0;
	close(netlink);
	return error;
}

void abort_watch(struct aborter *aborter, const struct abort_watch *watch) {
	aborter->watch = *watch;
}

static bool begin(const struct aborter *aborter, __u64 flow) {
	return !aborter->watch.begin || aborter->watch.begin(aborter->watch.context, flow);
}

static void end(const struct aborter *aborter) {
	if (aborter->watch.end)
		aborter->watch.end(aborter->watch.context);
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

/* Tries what is known, then where the event's process is, then wherever a process of the cgroup is. */
static int find_and_destroy(struct aborter *aborter, const struct snif_event *event) {
	bool found;
	int error = destroy_known(aborter, event, &found);

	if (error != -ENOENT || found)
		return error;
	if (event->process.pid != 0) {
		visit_process(aborter, event->process.pid);
		error = destroy_known(aborter, event, &found);
		if (error != -ENOENT || found)
			return error;
	}
	return visit_all(aborter) ? destroy_known(aborter, event, &found) : -ENOENT;
}

int abort_flow(struct aborter *aborter, const struct snif_event *event) {
	int error;

	/* its addresses alone may lead to another socket: to one that listens, or to one of another namespace */
	if (event->flow == 0)
		return -ENOENT;
	if (!begin(aborter, event->flow))
		return -EBUSY;
	error = find_and_destroy(aborter, event);
	end(aborter);
	return error;
}

/* ---- all that are refused ----------------------------------------------------------------------------------- */

struct refused {
	__u8 family;
	struct inet_diag_sockid id;
};

struct search {
	enum abort_which which;
	__u32 policy;
	struct refused *found;
	size_t count;
	int error; /* -ENOMEM: some found no room */
};

/* Who has nothing to send any more and no reader only waits, for a minute, for a peer that has not closed. */
static bool is_done_with(const struct inet_diag_msg *socket, const struct snif_tag *tag) {
	bool orphan = socket->idiag_inode == 0;

	return orphan && (tag->verdict == SNIF_UNDECIDED || socket->idiag_state == TCP_FIN_WAIT2);
}

static bool is_meant(const struct search *search, const struct inet_diag_msg *socket, const struct snif_tag *tag) {
	return tag->judged_under.policy == search->policy &&
	       (tag->verdict == SNIF_DENY || (search->which == ABORT_ORPHANS_TOO && is_done_with(socket, tag)));
}

static void note(void *context, const struct inet_diag_msg *socket, const struct snif_tag *tag) {
	struct search *search = context;
	struct refused *found;

	if (!is_meant(search, socket, tag))
		return;
	found = array_add(&search->found, &search->count, sizeof(*found));
	if (found)
		*found = (struct refused){socket->idiag_family, socket->id};
	else
		search->error = -ENOMEM;
}

static int destroy_found(struct aborter *aborter, int netlink, struct search *search) {
	int ended = 0;

	for (size_t i = 0; i < search->count; i++) {
		const struct inet_diag_sockid *id = &search->found[i].id;

		if (!begin(aborter, (__u64)id->idiag_cookie[1] << 32 | id->idiag_cookie[0]))
			continue;
		ended += sock_diag_destroy(netlink, search->found[i].family, id) == 0;
		end(aborter);
	}
	return ended;
}

int abort_refused(struct aborter *aborter, __u32 tags_id, __u32 policy, enum abort_which which) {
	int error = 0, ended = 0;

	visit_all(aborter);
	for (size_t i = 0; i < aborter->count; i++) {
		int netlink = aborter->places[i].netlink, failed;
		struct search search = {.which = which, .policy = policy};

		failed = sock_diag_list(netlink, tags_id, note, &search);
		ended += destroy_found(aborter, netlink, &search);
		free(search.found);
		error = error ? error : failed ? failed : search.error;
	}
	return error ? error : ended;
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
