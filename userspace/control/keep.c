/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes of a cgroup ──► their open TCP connections, which go on. */
#include "control/keep.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/message.h"
#include "cgroup/cgroup_sockets.h"

static void print_kept(pid_t pid, int socket) {
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);
	char address[INET6_ADDRSTRLEN] = "?";
	uint16_t port = 0;

	if (getpeername(socket, (struct sockaddr *)&peer, &size))
		return;
	if (peer.ss_family == AF_INET) {
		inet_ntop(AF_INET, &((struct sockaddr_in *)&peer)->sin_addr, address, sizeof(address));
		port = ntohs(((struct sockaddr_in *)&peer)->sin_port);
	} else {
		inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&peer)->sin6_addr, address, sizeof(address));
		port = ntohs(((struct sockaddr_in6 *)&peer)->sin6_port);
	}
	printf("kept a connection of process %d to %s port %u\n", pid, address, port);
}

static void keep_one(void *context, pid_t pid, int socket) {
	struct keep *keep = context;

	if (filter_keep(keep->filter, socket, keep->policy) != 1)
		return;
	keep->count++;
	print_kept(pid, socket);
}

void keep_connections(void *context) {
	struct keep *keep = context;

	cgroup_each_socket(keep->cgroup_fd, keep_one, keep);
}
