/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes of a cgroup ──► their open connections, of which some go on. */
#include "control/keep.h"

#include <stdio.h>

#include "cgroup/cgroup_sockets.h"
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

static void keep_one(void *context, pid_t pid, int socket) {
	const struct keep *keep = context;
	const struct compiled *only = keep->existing->only;
	const struct other *before = keep->existing->before;
	struct snif_target to;

	if (!filter_peer(socket, &to) || (before && !other_allows(before, socket)))
		return;
	if (only && !is_allowed(only, &to))
		print("cut", pid, &to);
	else if (filter_keep(keep->filter, socket, keep->policy) == 1 && !before)
		print("kept", pid, &to);
}

void keep_connections(void *context) {
	struct keep *keep = context;

	/* what was opened since the first call has been judged where it was opened */
	if (!keep->existing->only || keep->calls++ == 0)
		cgroup_each_socket(keep->cgroup_fd, keep_one, keep);
}
