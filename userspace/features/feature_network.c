/* SPDX-License-Identifier: BSD-2-Clause */
/* Kinds of sockets ──► which rules matter here, and how a refused connection ends. */
#include "features/feature_network.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event/abort.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

struct finding probe_sock_destroy(struct machine *machine, int unused) {
	(void)machine;
	(void)unused;
	return feature_result(abort_possible());
}

static struct finding try_socket(int family, int protocol, int option) {
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, protocol), on = 1, error = fd < 0 ? -errno : 0;

	if (fd >= 0 && option && setsockopt(fd, IPPROTO_TCP, option, &on, sizeof(on)))
		error = -errno;
	if (fd >= 0)
		close(fd);
	return feature_result(error);
}

struct finding probe_family(struct machine *machine, int family) {
	(void)machine;
	return try_socket(family, IPPROTO_TCP, 0);
}

struct finding probe_mptcp(struct machine *machine, int unused) {
	(void)machine;
	(void)unused;
	return try_socket(AF_INET, IPPROTO_MPTCP, 0);
}

/* No such file: there is no IPv6. */
struct finding probe_nonlocal_bind(struct machine *machine, int unused) {
	FILE *file = fopen("/proc/sys/net/ipv6/ip_nonlocal_bind", "re");
	int on = 0, read = file ? fscanf(file, "%d", &on) : 0;

	(void)machine;
	(void)unused;
	if (file)
		fclose(file);
	return feature_found(read == 1 && on != 0, "%s", on ? "net.ipv6.ip_nonlocal_bind" : "");
}

/* Refused where net.ipv4.tcp_fastopen has it off for clients. */
struct finding probe_fast_open(struct machine *machine, int unused) {
	(void)machine;
	(void)unused;
	return try_socket(AF_INET, IPPROTO_TCP, TCP_FASTOPEN_CONNECT);
}
