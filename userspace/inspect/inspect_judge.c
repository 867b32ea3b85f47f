/* SPDX-License-Identifier: BSD-2-Clause */
/* Flow, hello, tables ──► verdict, by the kernel's code. */
#include "inspect/inspect_judge.h"

#include <netinet/in.h>

static struct snif_judgement refuse(enum snif_reason reason) {
	return (struct snif_judgement){SNIF_DENY, reason, 0};
}

static struct snif_judgement judge_hello(snif_tables tables, const struct flow_hello *found,
					 const struct snif_dest *dest) {
	const struct snif_hello *hello = found->hello;

	if (found->reason != SNIF_REASON_NONE)
		return refuse(found->reason);
	if (hello->ech && tables->settings.options.ech_deny)
		return refuse(SNIF_REASON_ECH_DENIED);
	return snif_judge_name(tables, &tables->settings, hello->name, hello->name_length, dest);
}

struct snif_judgement inspect_judge(snif_tables tables, const struct flow_hello *found) {
	struct snif_judgement judgement;
	struct snif_dest dest;

	/*
	 * what a packet's IP header gives away is refused for every flow; urgent data only for those that are inspected
	 */
	if (found->refusal != SNIF_REASON_NONE && found->refusal != SNIF_REASON_URGENT_DATA)
		return refuse(found->refusal);
	if (found->accepted)
		return tables->settings.options.inbound_deny
			       ? refuse(SNIF_REASON_INBOUND_DENIED)
			       : (struct snif_judgement){SNIF_ALLOW, SNIF_REASON_INBOUND_ALLOWED, 0};
	judgement = snif_judge_address(tables, found->destination, IPPROTO_TCP, found->destination_port, &dest);
	if (judgement.verdict != SNIF_UNDECIDED)
		return judgement;
	if (found->refusal != SNIF_REASON_NONE)
		return refuse(found->refusal);
	return judge_hello(tables, found, &dest);
}
