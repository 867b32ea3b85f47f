/* SPDX-License-Identifier: BSD-2-Clause */
/* A captured flow ──► what the filter would have decided. */
#ifndef SNIF_INSPECT_JUDGE_H
#define SNIF_INSPECT_JUDGE_H

#include "compile/tables.h"
#include "inspect/flow.h"
#include "inspect/lookups.h"

/*
 * Judges as the kernel does (bpf/egress.bpf.h), as if the flow had left from inside the filter: packets that are
 * refused as such, the address, then the hello and its name; what was accepted, not opened, by the policy's word on
 * inbound connections. A flow whose SYN is not in the capture is judged as if it were. Order of arrival does not count
 * against a flow, since the capture may have been made behind a network that reorders. `lookups` is what the capture has
 * told by then; `unbound`: an allowed name was not found at the address.
 */
struct snif_judgement inspect_judge(snif_tables tables, const struct flow_hello *found, const struct lookups *lookups,
				    bool *unbound);

#endif
