/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests ──► NETLINK_SOCK_DIAG ──► the kernel's answers, and nobody else's. */
#include "event/sock_diag.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>

enum { ANSWER_SIZE = 1 << 15, STRAY_ANSWERS = 64 };

struct request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 socket;
	struct nlattr storages; /* those of one map; left out of what asks for none */
	struct nlattr map;
	__u32 map_fd;
};

enum { WITHOUT_STORAGES = offsetof(struct request, storages) };

int sock_diag_open(void) {
	struct timeval patience = {.tv_sec = 1};
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

/* Each question has a number of its own, and the answer to it has the same. */
static int ask(int netlink, struct request *request, __u32 length) {
	static __u32 number;

	request->header.nlmsg_len = length;
	request->header.nlmsg_seq = ++number;
	return send(netlink, request, length, 0) < 0 ? -errno : 0;
}

static bool is_answer(const struct sockaddr_nl *from, const struct nlmsghdr *answer, ssize_t length,
		      const struct request *request) {
	/* only the kernel is 0; others can write to a socket of this kind where they have CAP_NET_ADMIN */
	return from->nl_pid == 0 && length >= (ssize_t)sizeof(*answer) && NLMSG_OK(answer, (size_t)length) &&
	       answer->nlmsg_seq == request->header.nlmsg_seq;
}

/* The next message that is an answer; what else comes, such as a late answer, is passed over. Returns its length or a
 * negative errno. */
static ssize_t await(int netlink, const struct request *request, struct nlmsghdr *answer) {
	for (int strays = 0; strays < STRAY_ANSWERS; strays++) {
		struct sockaddr_nl from = {.nl_pid = 1};
		socklen_t size = sizeof(from);
		ssize_t length = recvfrom(netlink, answer, ANSWER_SIZE, MSG_TRUNC, (struct sockaddr *)&from, &size);

		if (length < 0)
			return -errno;
		if (length <= ANSWER_SIZE && is_answer(&from, answer, length, request))
			return length;
	}
	return -EPROTO;
}

/* The error in the end of a list, or in an acknowledgement. */
static int error_in(const struct nlmsghdr *answer) {
	int error;

	if (answer->nlmsg_len < NLMSG_LENGTH(sizeof(error)))
		return -EPROTO;
	memcpy(&error, NLMSG_DATA(answer), sizeof(error));
	return error;
}

/* Asks and takes one message. */
static int ask_for_error(int netlink, struct request *request, bool acknowledged) {
	struct nlmsghdr *answer = malloc(ANSWER_SIZE);
	int error = answer ? ask(netlink, request, WITHOUT_STORAGES) : -ENOMEM;
	ssize_t length = error ? error : await(netlink, request, answer);

	if (length < 0)
		error = (int)length;
	else if (acknowledged && answer->nlmsg_type != NLMSG_ERROR)
		error = -EPROTO;
	else
		error = error_in(answer);
	free(answer);
	return error;
}

int sock_diag_try(int netlink) {
	/* for sockets in no state: there is none */
	struct request request = {
		.header.nlmsg_type = SOCK_DIAG_BY_FAMILY,
		.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.socket = {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP},
	};
	int error = ask_for_error(netlink, &request, false);

	return error == -ENOENT ? -EOPNOTSUPP : error;
}

int sock_diag_destroy(int netlink, __u8 family, const struct inet_diag_sockid *id) {
	struct request request = {
		.header.nlmsg_type = SOCK_DESTROY,
		.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		.socket = {.sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0U, .id = *id},
	};

	return ask_for_error(netlink, &request, true);
}

/* The attribute of this type among `length` bytes of them; NULL: there is none. */
static const struct nlattr *find(const void *attributes, size_t length, __u16 type) {
	const char *at = attributes;

	while (length >= NLA_HDRLEN) {
		const struct nlattr *attribute = (const struct nlattr *)at;
		size_t whole = NLA_ALIGN(attribute->nla_len);

		if (attribute->nla_len < NLA_HDRLEN || attribute->nla_len > length)
			return NULL;
		if ((attribute->nla_type & NLA_TYPE_MASK) == type)
			return attribute;
		if (whole >= length)
			return NULL;
		at += whole;
		length -= whole;
	}
	return NULL;
}

static const struct nlattr *find_in(const struct nlattr *nest, __u16 type) {
	return nest ? find((const char *)nest + NLA_HDRLEN, nest->nla_len - (size_t)NLA_HDRLEN, type) : NULL;
}

static int cgroup_in(const struct nlmsghdr *answer, __u64 *cgroup) {
	const size_t fixed = NLMSG_LENGTH(sizeof(struct inet_diag_msg));
	const struct nlattr *value;

	if (answer->nlmsg_type == NLMSG_ERROR)
		return error_in(answer);
	if (answer->nlmsg_len < fixed)
		return -EPROTO;
	value = find((const struct inet_diag_msg *)NLMSG_DATA(answer) + 1, answer->nlmsg_len - fixed,
		     INET_DIAG_CGROUP_ID);
	if (!value || value->nla_len < NLA_HDRLEN + sizeof(*cgroup))
		return -EOPNOTSUPP;
	memcpy(cgroup, (const char *)value + NLA_HDRLEN, sizeof(*cgroup));
	return 0;
}

int sock_diag_cgroup(int netlink, __u8 family, __u8 protocol, const struct inet_diag_sockid *id, __u64 *cgroup) {
	struct request request = {
		.header.nlmsg_type = SOCK_DIAG_BY_FAMILY,
		.header.nlmsg_flags = NLM_F_REQUEST,
		.socket = {.sdiag_family = family, .sdiag_protocol = protocol, .idiag_states = ~0U, .id = *id},
	};
	struct nlmsghdr *answer = malloc(ANSWER_SIZE);
	int error = answer ? ask(netlink, &request, WITHOUT_STORAGES) : -ENOMEM;
	ssize_t length = error ? error : await(netlink, &request, answer);

	error = length < 0 ? (int)length : cgroup_in(answer, cgroup);
	free(answer);
	return error;
}

static void visit_socket(const struct nlmsghdr *message, sock_diag_visitor visit, void *context) {
	const struct inet_diag_msg *socket = NLMSG_DATA(message);
	const struct nlattr *value;
	struct snif_tag tag;

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*socket)))
		return;
	value = find(socket + 1, message->nlmsg_len - NLMSG_LENGTH(sizeof(*socket)), INET_DIAG_SK_BPF_STORAGES);
	value = find_in(find_in(value, SK_DIAG_BPF_STORAGE), SK_DIAG_BPF_STORAGE_MAP_VALUE);
	if (!value || value->nla_len < NLA_HDRLEN + sizeof(tag))
		return;
	memcpy(&tag, (const char *)value + NLA_HDRLEN, sizeof(tag));
	visit(context, socket, &tag);
}

/* Takes the messages of a list, of which many come at once. */
static int take_list(int netlink, const struct request *request, sock_diag_visitor visit, void *context) {
	struct nlmsghdr *answer = malloc(ANSWER_SIZE), *message;
	ssize_t length = answer ? 0 : -ENOMEM;
	bool done = false;
	int error = 0;

	while (!done && length >= 0 && (length = await(netlink, request, answer)) >= 0) {
		size_t left = (size_t)length;

		for (message = answer; !done && NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
			done = message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR;
			if (done)
				error = error_in(message);
			else
				visit_socket(message, visit, context);
		}
	}
	free(answer);
	return length < 0 ? (int)length : error;
}

static int list_family(int netlink, __u8 family, __u32 tags_id, sock_diag_visitor visit, void *context) {
	const __u32 not_asked = 1U << TCP_LISTEN | 1U << TCP_TIME_WAIT | 1U << 12 /* TCP_NEW_SYN_RECV */;
	struct request request = {
		.header.nlmsg_type = SOCK_DIAG_BY_FAMILY,
		.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.socket = {.sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~not_asked},
		.storages = {.nla_len = 2 * NLA_HDRLEN + sizeof(__u32), .nla_type = INET_DIAG_REQ_SK_BPF_STORAGES},
		.map = {.nla_len = NLA_HDRLEN + sizeof(__u32), .nla_type = SK_DIAG_BPF_STORAGE_REQ_MAP_FD},
	};
	int map = bpf_map_get_fd_by_id(tags_id), error;

	if (map < 0)
		return map;
	request.map_fd = (__u32)map;
	error = ask(netlink, &request, sizeof(request));
	/* the request has brought it to the kernel */
	close(map);
	return error ? error : take_list(netlink, &request, visit, context);
}

int sock_diag_list(int netlink, __u32 tags_id, sock_diag_visitor visit, void *context) {
	int error = list_family(netlink, AF_INET, tags_id, visit, context);
	int other = list_family(netlink, AF_INET6, tags_id, visit, context);

	return error ? error : other;
}
