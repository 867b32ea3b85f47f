/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes of a ClientHello that is not complete ──► whether they may leave before there is a verdict. */
#ifndef SNIF_BUDGET_BPF_H
#define SNIF_BUDGET_BPF_H

#include "tables.bpf.h"

#define BUDGET_NS 1000000000ULL
#define BUDGET_BYTE_NS (BUDGET_NS / SNIF_EARLY_RATE)
#define BUDGET_FULL_NS (SNIF_EARLY_BURST * BUDGET_BYTE_NS)

/*
 * Takes what a packet carries off the attachment's budget. The budget is one number, the time at which it will be full
 * again (a generic cell rate algorithm): each byte moves it on. Whoever finds it in the past brings it to now before he
 * adds, so that of several CPUs the first does. What is sent again leaves again, and counts.
 */
static __always_inline _Bool budget_take(struct snif_inspection *inspection, __u32 bytes) {
	struct snif_attachment *attachment = bpf_get_local_storage(&attachments, 0);
	__u64 now = bpf_ktime_get_ns(), full = *(volatile __u64 *)&attachment->budget_full,
	      cost = bytes * BUDGET_BYTE_NS;

	if ((__s64)(full - now) < 0)
		__sync_val_compare_and_swap(&attachment->budget_full, full, now);
	full = __sync_fetch_and_add(&attachment->budget_full, cost) + cost;
	if ((__s64)(full - now) > (__s64)BUDGET_FULL_NS) {
		__sync_fetch_and_sub(&attachment->budget_full, cost);
		return 0;
	}
	inspection->early += bytes;
	return 1;
}

/*
 * The hello is complete and allowed: its bytes were no leak. Nothing is gained by giving them back late: what is taken
 * and not given back is never more than the burst and the rate since the beginning.
 */
static __always_inline void budget_give_back(struct snif_inspection *inspection) {
	struct snif_attachment *attachment;

	if (inspection->early == 0)
		return;
	attachment = bpf_get_local_storage(&attachments, 0);
	__sync_fetch_and_sub(&attachment->budget_full, inspection->early * BUDGET_BYTE_NS);
	inspection->early = 0;
}

#endif
