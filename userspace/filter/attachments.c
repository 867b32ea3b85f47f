/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs + a cgroup ──► an attachment, which names a policy. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <bpf/bpf.h>

#include "address.h"
#include "base/message.h"
#include "filter/filter_parts.h"

/* In the order in which a cgroup gets them: this one refuses nothing, and with it comes the storage. */
enum { FIRST = FILTER_snif_accepted };

static int write_attachment(struct filter *filter, uint64_t cgroup_id, const struct snif_attachment *attachment) {
	return bpf_map_update_elem(filter->maps[FILTER_ATTACHMENTS], &cgroup_id, attachment, BPF_ANY);
}

/* 0 with errno set: it cannot be known. */
static uint32_t program_id(int fd) {
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.id;
}

/* Whether the program is attached to the cgroup itself: 1, 0 or a negative errno. */
static int is_attached(const struct filter *filter, int program, int cgroup_fd) {
	uint32_t ids[64], count = sizeof(ids) / sizeof(ids[0]), wanted = program_id(filter->programs[program]);

	if (wanted == 0 || bpf_prog_query(cgroup_fd, filter_attach_types[program], 0, NULL, ids, &count))
		return -errno;
	for (uint32_t i = 0; i < count; i++)
		if (ids[i] == wanted)
			return 1;
	return 0;
}

int filter_attached_programs(const struct filter *filter, int cgroup_fd) {
	int set = 0, attached;

	for (int i = 0; i < FILTER_PROGRAMS; i++) {
		attached = is_attached(filter, i, cgroup_fd);
		if (attached < 0)
			return attached;
		set |= attached << i;
	}
	return set;
}

const char *filter_program_name(int bit) {
	return bit < FILTER_PROGRAMS ? filter_program_names[bit] : NULL;
}

static int tell_unseen(int error) {
	message_error("cannot see what is attached to the cgroup: %s", strerror(-error));
	return error;
}

/* Attaches what is not in `set`, a bit for each program. */
static int attach_one(struct filter *filter, int program, int cgroup_fd, int *set) {
	if (*set & 1 << program)
		return 0;
	if (bpf_prog_attach(filter->programs[program], cgroup_fd, filter_attach_types[program], BPF_F_ALLOW_MULTI)) {
		int error = -errno;

		message_error("cannot attach %s to the cgroup: %s", filter_program_names[program], strerror(-error));
		return error;
	}
	*set |= 1 << program;
	return 0;
}

static int detach_one(struct filter *filter, int program, int cgroup_fd, int *set) {
	if (!(*set & 1 << program))
		return 0;
	if (bpf_prog_detach2(filter->programs[program], cgroup_fd, filter_attach_types[program]))
		return -errno;
	*set &= ~(1 << program);
	return 0;
}

static int detach_all(struct filter *filter, int cgroup_fd, uint64_t cgroup_id, int set) {
	static const struct snif_attachment nothing;
	int error = 0;

	for (int i = FILTER_PROGRAMS; i-- > 0;)
		if (i != FIRST && !error)
			error = detach_one(filter, i, cgroup_fd, &set);
	/* the value outlives the programs: the next attachment must not find it */
	if (!error && set & 1 << FIRST)
		error = write_attachment(filter, cgroup_id, &nothing);
	return error ? error : detach_one(filter, FIRST, cgroup_fd, &set);
}

static int write_state(struct filter *filter, uint64_t cgroup_id, struct snif_attachment *attachment,
		       enum snif_attachment_state state) {
	int error;

	attachment->state = (__u8)state;
	error = write_attachment(filter, cgroup_id, attachment);
	if (error)
		message_error("cannot bind the policy to the cgroup: %s", strerror(-error));
	return error;
}

/* What is called between the programs of calls and egress, and behind it. */
struct keeping {
	void (*keep)(void *context); /* NULL: nothing is kept */
	void *context;
};

/* Attaches all programs but the first, which is. */
static int attach_rest(struct filter *filter, int cgroup_fd, int *set, const struct keeping *keeping) {
	int error = 0;

	/* where nothing is kept, egress comes before the rest: it stands on its own */
	for (int i = 0; i < FILTER_PROGRAMS && !error; i++)
		if (i != FILTER_snif_egress || !keeping->keep)
			error = attach_one(filter, i, cgroup_fd, set);
	if (error || !keeping->keep)
		return error;
	keeping->keep(keeping->context);
	error = attach_one(filter, FILTER_snif_egress, cgroup_fd, set);
	if (!error)
		keeping->keep(keeping->context);
	return error;
}

static int attach(struct filter *filter, int cgroup_fd, uint64_t cgroup_id, uint32_t policy, uint32_t ring,
		  const struct keeping *keeping) {
	struct snif_attachment attachment = {.policy = (__u16)policy, .ring = (__u8)ring}, before;
	int set = 0, error;

	/* only who was attached before can have some of them */
	if (bpf_map_lookup_elem(filter->maps[FILTER_ATTACHMENTS], &cgroup_id, &before) == 0)
		set = filter_attached_programs(filter, cgroup_fd);
	error = set < 0 ? tell_unseen(set) : attach_one(filter, FIRST, cgroup_fd, &set);
	if (!error)
		error = write_state(filter, cgroup_id, &attachment, SNIF_ATTACHING);
	if (!error)
		error = attach_rest(filter, cgroup_fd, &set, keeping);
	if (!error)
		error = write_state(filter, cgroup_id, &attachment, SNIF_ATTACHED);
	if (error && set > 0)
		detach_all(filter, cgroup_fd, cgroup_id, set);
	return error;
}

int filter_attach(struct filter *filter, int cgroup_fd, uint64_t cgroup_id, uint32_t policy, uint32_t ring) {
	return attach(filter, cgroup_fd, cgroup_id, policy, ring, &(struct keeping){0});
}

int filter_attach_keeping(struct filter *filter, int cgroup_fd, uint64_t cgroup_id, uint32_t policy, uint32_t ring,
			  void (*keep)(void *context), void *context) {
	return attach(filter, cgroup_fd, cgroup_id, policy, ring, &(struct keeping){keep, context});
}

bool filter_peer(int socket, struct snif_target *to) {
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer), length = sizeof(int);
	const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&peer;
	const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&peer;
	int protocol = 0;

	if (getsockopt(socket, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) ||
	    (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) ||
	    getpeername(socket, (struct sockaddr *)&peer, &size))
		return false;
	*to = (struct snif_target){.protocol = (__u8)protocol};
	if (peer.ss_family == AF_INET)
		snif_map_ipv4(to->address, &ipv4->sin_addr);
	else if (peer.ss_family == AF_INET6)
		memcpy(to->address, &ipv6->sin6_addr, sizeof(to->address));
	else
		return false;
	to->port = ntohs(peer.ss_family == AF_INET ? ipv4->sin_port : ipv6->sin6_port);
	return true;
}

/* One that was opened while programs were being attached may have the tag of connect(), but egress saw no SYN of it, or
 * has refused it for that. Of UDP nothing has to be seen. */
static bool is_half_seen(const struct snif_tag *tag) {
	if (tag->to.protocol == IPPROTO_UDP)
		return false;
	return (tag->verdict == SNIF_UNDECIDED && !tag->has_syn) ||
	       (tag->verdict == SNIF_DENY && tag->reason == SNIF_REASON_UNTRACKED);
}

static bool is_in_force(const struct filter *filter, const struct snif_active *active) {
	struct snif_active now = filter_active(filter, active->policy % SNIF_POLICIES);

	return active->generation != 0 && memcmp(&now, active, sizeof(now)) == 0;
}

int filter_keep(const struct filter *filter, int socket, uint32_t policy) {
	socklen_t size = sizeof(__u64);
	struct snif_tag tag, before;

	memset(&tag, 0, sizeof(tag));
	if (!filter_peer(socket, &tag.to))
		return 0;
	/* of another policy in force: it belongs to another cgroup, which has handed it to this one's processes */
	if (filter_tag(filter, socket, &before) == 0 && is_in_force(filter, &before.judged_under) &&
	    (before.judged_under.policy != policy || !is_half_seen(&before)))
		return 0;
	tag.judged_under = filter_active(filter, policy);
	tag.verdict = SNIF_ALLOW;
	tag.reason = SNIF_REASON_CONNECTION_KEPT;
	if (tag.to.protocol == IPPROTO_UDP)
		tag.connects = tag.places = 1;
	getsockopt(socket, SOL_SOCKET, SO_COOKIE, &tag.flow, &size);
	/* where what a resolver's socket is told counts */
	getsockopt(socket, SOL_SOCKET, SO_NETNS_COOKIE, &tag.netns_cookie, &size);
	return bpf_map_update_elem(filter->maps[FILTER_TAGS], &socket, &tag, BPF_ANY) ? -errno : 1;
}

int filter_detach(struct filter *filter, int cgroup_fd, uint64_t cgroup_id) {
	struct snif_attachment attachment;
	int set = filter_attached_programs(filter, cgroup_fd), error;

	if (set < 0)
		return tell_unseen(set);
	if (filter_attachment(filter, cgroup_id, &attachment) == 0) {
		uint32_t slot = filter_active(filter, attachment.policy).slot;

		error = write_state(filter, cgroup_id, &attachment, SNIF_DETACHING);
		if (error)
			return error;
		error = detach_all(filter, cgroup_fd, cgroup_id, set);
		/* under another generation: what its tags say holds no more */
		if (slot)
			filter_put_in_force(filter, attachment.policy, slot);
	} else {
		error = detach_all(filter, cgroup_fd, cgroup_id, set);
	}
	if (error)
		message_error("cannot detach a program from the cgroup: %s", strerror(-error));
	return error;
}

int filter_attachment(const struct filter *filter, uint64_t cgroup_id, struct snif_attachment *attachment) {
	int error = bpf_map_lookup_elem(filter->maps[FILTER_ATTACHMENTS], &cgroup_id, attachment);

	return !error && attachment->policy == 0 ? -ENOENT : error;
}
