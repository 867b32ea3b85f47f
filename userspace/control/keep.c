/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes of a cgroup ──► their open connections, of which some go on. */
#include "control/keep.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/array.h"
#include "cgroup/cgroup_tree.h"
#include "event/event_words.h"
/* Behind the others: it brings judge.h, which needs what they declare. */
#include "compile/tables.h"

static void print(const char *what, pid_t pid, const struct snif_target *to) {
	char address[EVENT_ADDRESS_SIZE], protocol[4];

	event_address(address, to->address);
	printf("%s a connection of process %d to %s port %u, %s\n", what, pid, address, to->port,
	       event_protocol(protocol, to->protocol));
}

static bool is_allowed(const struct compiled *compiled, const struct snif_target *to) {
	struct snif_dest dest;

	return snif_judge_address(compiled, to->address, to->protocol, to->port, &dest).verdict == SNIF_ALLOW;
}

enum { CUT = 1, KEPT };

static int add_cgroup(int parent_fd, const char *name, int fd, void *context) {
	struct keep *keep = context;
	struct stat file;
	__u64 *id = fstat(fd, &file) ? NULL : array_add(&keep->cgroups.items, &keep->cgroups.count, sizeof(*id));

	(void)parent_fd;
	(void)name;
	if (id)
		*id = file.st_ino;
	return 0;
}

/* Whether the socket is the cgroup's, or of one below: 1, 0 or a negative errno. */
static int is_own(struct keep *keep, int socket) {
	__u64 id;
	int error = sock_cgroup_ask(&keep->asking, socket, &id);

	if (error)
		return error;
	if (keep->cgroups.count == 0)
		cgroup_tree_walk(keep->visits.cgroup_fd, ".", add_cgroup, keep);
	for (size_t i = 0; i < keep->cgroups.count; i++)
		if (keep->cgroups.items[i] == id)
			return 1;
	return 0;
}

static int keep_one(void *context, int socket, struct snif_target *to) {
	struct keep *keep = context;
	const struct compiled *only = keep->existing->only;
	const struct other *before = keep->existing->before;
	int own;

	if (!filter_peer(socket, to) || (before && !other_allows(before, socket)))
		return 0;
	own = is_own(keep, socket);
	if (own == 0)
		return 0;
	if (own < 0 || (only && !is_allowed(only, to)))
		return CUT;
	return filter_keep(keep->filter, socket, keep->policy) == 1 && !before ? KEPT : 0;
}

static void tell(void *context, int what, pid_t pid, const struct snif_target *to) {
	(void)context;
	print(what == KEPT ? "kept" : "cut", pid, to);
}

void keep_begin(struct keep *keep) {
	keep->visits.look = keep_one;
	keep->visits.tell = tell;
	keep->visits.context = keep;
}

void keep_connections(void *context) {
	struct keep *keep = context;

	/* what was opened since the first call has been judged where it was opened */
	if (!keep->existing->only || keep->calls++ == 0)
		visit_sockets(&keep->visits);
}

void keep_end(struct keep *keep) {
	visits_end(&keep->visits);
}
