/* SPDX-License-Identifier: GPL-2.0-only */
/* open() and mknod() of a device ──► the devices that send nothing ──► EPERM, or the kernel's answer. */
#ifndef SNIF_DEVICE_BPF_H
#define SNIF_DEVICE_BPF_H

#include "connect.bpf.h"

static __always_inline _Bool device_known(const struct snif_device *device) {
	const struct snif_device all = {device->major, SNIF_DEVICE_ALL};

	return bpf_map_lookup_elem(&devices, device) || bpf_map_lookup_elem(&devices, &all);
}

/*
 * Character devices are refused unless they are known to send nothing. Block devices hold data: what some of them send
 * for it (nbd, rbd) goes to where root has connected them.
 */
static __always_inline int decide_device(struct bpf_cgroup_dev_ctx *ctx) {
	struct snif_judgement refused = snif_refuse(SNIF_REASON_DEVICE);
	struct snif_device device = {ctx->major, ctx->minor};
	union snif_object object = {.major = ctx->major, .minor = ctx->minor};
	struct snif_tag tag = {};
	struct policy policy;

	if ((ctx->access_type & 0xffff) != BPF_DEVCG_DEV_CHAR || device_known(&device))
		return HOOK_PASS;
	policy = policy_now();
	if (!policy.present)
		refused.reason = SNIF_REASON_NO_POLICY;
	process_read(&tag.process);
	return hook_verdict_on(&policy, &refused, SNIF_HOOK_DEVICE, &tag, object.bits);
}

#endif
