/* SPDX-License-Identifier: BSD-2-Clause */
/* Tags of open connections + tables to come ──► those that would end. */
#include "control/revoked.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/message.h"
#include "cgroup/cgroup_find.h"
#include "cgroup/cgroup_sockets.h"
#include "event/event_words.h"
/* Behind the others: it brings judge.h, which needs what they declare. */
#include "compile/tables.h"

struct looking {
	const struct filter *filter;
	const struct compiled *next;
	const struct carried *carried;
	uint32_t policy;
	__u64 *flows; /* that were told of: processes share sockets */
	size_t count;
	int error;
};

/* Whether a rule by name holds for an address that none by address allows. */
static bool is_named(const struct looking *looking, const struct snif_tag *tag) {
	struct snif_binding_key key = {.netns_cookie = tag->netns_cookie};
	uint64_t groups = snif_named_groups(looking->next, tag->to.protocol, tag->to.port);

	memcpy(key.address, tag->to.address, sizeof(key.address));
	for (; groups; groups &= groups - 1) {
		key.name = snif_bound_group(looking->next->settings.group_rules, (uint32_t)__builtin_ctzll(groups));
		if (filter_was_bound(looking->filter, looking->policy, &key) || carried_has(looking->carried, &key))
			return true;
	}
	return false;
}

static bool is_bound(const struct looking *looking, const struct snif_tag *tag, const struct snif_hello *hello) {
	struct snif_binding_key key = {.netns_cookie = tag->netns_cookie};

	if (looking->next->settings.dns.bind != SNIF_BIND_REQUIRE)
		return true;
	key.name = filter_binding_name(looking->filter, (const char *)hello->name, hello->name_length);
	memcpy(key.address, tag->to.address, sizeof(key.address));
	return filter_was_bound(looking->filter, looking->policy, &key);
}

/* As egress will judge the connection with its first packet under the next policy. */
static bool stays(const struct looking *looking, const struct snif_tag *tag, const struct snif_hello *hello) {
	const struct snif_settings *settings = &looking->next->settings;
	struct snif_request request = {.hello = hello, .to = &tag->to};
	struct snif_judgement judgement;
	struct snif_dest dest;

	if (tag->inbound)
		return snif_judge_inbound(&settings->options).verdict == SNIF_ALLOW;
	judgement = snif_judge_address(looking->next, tag->to.address, tag->to.protocol, tag->to.port, &dest);
	if (tag->reason == SNIF_REASON_CONNECTION_KEPT)
		return judgement.reason != SNIF_REASON_ADDRESS_DENIED;
	if (!tag->inspected || judgement.verdict != SNIF_UNDECIDED)
		return judgement.verdict == SNIF_ALLOW ||
		       (!tag->inspected && judgement.reason != SNIF_REASON_ADDRESS_DENIED && is_named(looking, tag));
	request.dest = &dest;
	return snif_judge_hello(looking->next, settings, &request).verdict == SNIF_ALLOW &&
	       is_bound(looking, tag, hello);
}

static bool was_told(const struct looking *looking, __u64 flow) {
	for (size_t i = 0; i < looking->count; i++)
		if (looking->flows[i] == flow)
			return true;
	return false;
}

static void tell(pid_t pid, const struct snif_tag *tag, const struct snif_hello *hello) {
	char address[EVENT_ADDRESS_SIZE];

	event_address(address, tag->to.address);
	printf("would cut a connection of process %d to %s port %u", pid, address, tag->to.port);
	if (tag->inspected) {
		fputs(", ", stdout);
		print_escaped(stdout, (const char *)hello->name, hello->name_length);
	} else if (tag->to.protocol == IPPROTO_UDP)
		fputs(", UDP", stdout);
	putchar('\n');
}

static void look_at(void *context, pid_t pid, int socket) {
	struct looking *looking = context;
	struct snif_hello hello = {0};
	struct snif_tag tag;
	__u64 *flow;

	if (filter_tag(looking->filter, socket, &tag) || tag.judged_under.policy != looking->policy ||
	    tag.verdict != SNIF_ALLOW || was_told(looking, tag.flow) ||
	    (tag.to.protocol == IPPROTO_UDP && !filter_peer(socket, &tag.to)) ||
	    (tag.inspected && filter_hello(looking->filter, socket, &tag, &hello)) || stays(looking, &tag, &hello))
		return;
	flow = array_add(&looking->flows, &looking->count, sizeof(*flow));
	if (flow)
		*flow = tag.flow;
	else
		looking->error = -ENOMEM;
	tell(pid, &tag, &hello);
}

/* Returns 0, also where the cgroup is gone, or a negative errno. */
static int look_into(struct looking *looking, int root_fd, uint64_t cgroup_id) {
	struct snif_attachment attachment;
	struct found_cgroup cgroup;
	int error = filter_attachment(looking->filter, cgroup_id, &attachment);

	if (!error && attachment.policy != looking->policy)
		return 0;
	if (!error)
		error = cgroup_find_id(root_fd, cgroup_id, &cgroup);
	if (error)
		return error == -ENOENT || error == -ESTALE ? 0 : error;
	cgroup_each_socket(cgroup.fd, look_at, looking);
	cgroup_found_close(&cgroup);
	return 0;
}

int revoked_print(const struct filter *filter, uint32_t policy, const struct compiled *next,
		  const struct carried *carried, int root_fd) {
	struct looking looking = {.filter = filter, .next = next, .carried = carried, .policy = policy};
	uint64_t *ids;
	size_t count;

	looking.error = filter_attached(filter, &ids, &count);
	for (size_t i = 0; i < count && !looking.error; i++)
		looking.error = look_into(&looking, root_fd, ids[i]);
	free(ids);
	free(looking.flows);
	return looking.error ? looking.error : (int)looking.count;
}
