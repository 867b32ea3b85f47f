/* SPDX-License-Identifier: GPL-2.0-only */
/* DNS messages in packets ──► memory in which dns.h reads them. */
#ifndef SNIF_MESSAGE_BPF_H
#define SNIF_MESSAGE_BPF_H

#include <linux/if_ether.h>

#include "dns.h"
#include "event.bpf.h"
#include "reverse.h"

#define UDP_HEADER 8

/* Memory to read a message in. Not one for each CPU: runs interrupt each other there, and each holds its own. */
struct workspace {
	__u32 claimed;
	__u32 unused;
	struct snif_question question; /* here, as the stack has no room for one */
	struct snif_asked asked;
	struct snif_dns dns;
	struct snif_name_scan scan;
	struct snif_name_hashing hashing;
	struct snif_name_progress match;
	struct snif_reverse reverse;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SNIF_WORKSPACES_OF_CPU); /* of one CPU; who loads it makes room for all */
	__type(key, __u32);
	__type(value, struct workspace);
} workspaces SEC(".maps");

/* The instance's own keys are where no policy's can be. */
static __always_inline const struct snif_settings *instance_keys(void) {
	return settings_of(0);
}

static __always_inline struct workspace *workspace_claim(void) {
	__u32 first = bpf_get_smp_processor_id() * SNIF_WORKSPACES_OF_CPU, index;
	struct workspace *found;

	for (__u32 i = 0; i < SNIF_WORKSPACES_OF_CPU; i++) {
		index = first + i;
		found = bpf_map_lookup_elem(&workspaces, &index);
		if (found && __sync_val_compare_and_swap(&found->claimed, 0, 1) == 0)
			return found;
	}
	return NULL;
}

static __always_inline void workspace_release(struct workspace *workspace) {
	__sync_lock_test_and_set(&workspace->claimed, 0);
}

/*
 * Copies a message out of a packet, at most `most` bytes of it (a power of two). Returns 0, or not 0 when they are not
 * there.
 */
static __always_inline long message_load(struct __sk_buff *skb, __u32 begin, struct snif_dns *dns, __u32 length,
					 const __u32 most) {
	dns->length = length;
	if (length == 0 || length > most)
		return -1;
	return bpf_skb_load_bytes(skb, begin, dns->message, snif_bound(length - 1, most - 1) + 1);
}

#endif
