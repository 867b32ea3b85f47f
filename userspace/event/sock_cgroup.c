/* SPDX-License-Identifier: BSD-2-Clause */
/* A connected socket ──► the cgroup that it belongs to, whoever holds it. */
#include "event/sock_cgroup.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "event/sock_diag.h"

static int move(struct sock_cgroup *asking, int namespace) {
	struct stat file;
	int netlink;

	if (fstat(namespace, &file))
		return -errno;
	if (file.st_ino == asking->namespace)
		return 0;
	if (setns(namespace, CLONE_NEWNET))
		return -errno;
	netlink = sock_diag_open();
	if (netlink < 0)
		return netlink;
	if (asking->namespace)
		close(asking->netlink);
	/* the number is not given to another one meanwhile: the socket keeps the namespace */
	*asking = (struct sock_cgroup){file.st_ino, netlink};
	return 0;
}

static int follow(struct sock_cgroup *asking, int socket) {
	int namespace = ioctl(socket, SIOCGSKNS), error;

	if (namespace < 0)
		return -errno;
	error = move(asking, namespace);
	close(namespace);
	return error;
}

static void fill_end(const struct sockaddr_storage *end, __be32 address[4], __be16 *port) {
	const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)end;
	const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)end;

	*port = end->ss_family == AF_INET ? ipv4->sin_port : ipv6->sin6_port;
	if (end->ss_family == AF_INET)
		memcpy(address, &ipv4->sin_addr, sizeof(ipv4->sin_addr));
	else
		memcpy(address, &ipv6->sin6_addr, sizeof(ipv6->sin6_addr));
}

/* As the kernel looks for it. Returns its family, or a negative errno. */
static int fill_id(int socket, int protocol, struct inet_diag_sockid *id) {
	struct sockaddr_storage ours, peer;
	socklen_t our_size = sizeof(ours), peer_size = sizeof(peer), size = sizeof(__u64);
	const struct sockaddr_storage *source = &ours, *destination = &peer;
	__u64 cookie;

	if (getsockname(socket, (struct sockaddr *)&ours, &our_size) ||
	    getpeername(socket, (struct sockaddr *)&peer, &peer_size) ||
	    getsockopt(socket, SOL_SOCKET, SO_COOKIE, &cookie, &size))
		return -errno;
	/* one of UDP is looked for as by a packet that comes */
	if (protocol == IPPROTO_UDP) {
		source = &peer;
		destination = &ours;
	}
	*id = (struct inet_diag_sockid){.idiag_cookie = {(__u32)cookie, (__u32)(cookie >> 32)}};
	fill_end(source, id->idiag_src, &id->idiag_sport);
	fill_end(destination, id->idiag_dst, &id->idiag_dport);
	size = sizeof(id->idiag_if);
	return getsockopt(socket, SOL_SOCKET, SO_BINDTOIFINDEX, &id->idiag_if, &size) ? -errno : ours.ss_family;
}

int sock_cgroup_ask(struct sock_cgroup *asking, int socket, __u64 *cgroup) {
	struct inet_diag_sockid id;
	int protocol, error, family;
	socklen_t size = sizeof(protocol);

	error = getsockopt(socket, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) ? -errno : follow(asking, socket);
	if (error)
		return error;
	family = fill_id(socket, protocol, &id);
	return family < 0 ? family : sock_diag_cgroup(asking->netlink, (__u8)family, (__u8)protocol, &id, cgroup);
}
