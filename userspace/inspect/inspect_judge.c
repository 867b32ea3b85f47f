/* SPDX-License-Identifier: BSD-2-Clause */
/* Flow, hello, tables ──► verdict, by the kernel's code. */
#include "inspect/inspect_judge.h"

#include <netinet/in.h>
#include <string.h>

struct snif_judgement inspect_judge(snif_tables tables, const struct flow_hello *found) {
	struct snif_target to = {.port = found->destination_port, .protocol = IPPROTO_TCP};
	struct snif_request request = {.hello = found->hello, .to = &to};
	struct snif_judgement judgement;
	struct snif_dest dest;

	/*
	 * what a packet's IP header gives away is refused for every flow; urgent data only for those that are inspected
	 */
	if (found->refusal != SNIF_REASON_NONE && found->refusal != SNIF_REASON_URGENT_DATA)
		return snif_refuse(found->refusal);
	if (found->accepted)
		return snif_judge_inbound(&tables->settings.options);
	memcpy(to.address, found->destination, sizeof(to.address));
	judgement = snif_judge_address(tables, to.address, to.protocol, to.port, &dest);
	if (judgement.verdict != SNIF_UNDECIDED)
		return judgement;
	if (found->refusal != SNIF_REASON_NONE)
		return snif_refuse(found->refusal);
	if (found->reason != SNIF_REASON_NONE)
		return snif_refuse(found->reason);
	request.dest = &dest;
	return snif_judge_hello(tables, &tables->settings, &request);
}
