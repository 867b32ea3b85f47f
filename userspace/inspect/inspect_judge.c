/* SPDX-License-Identifier: BSD-2-Clause */
/* Flow, hello, tables ──► verdict, by the kernel's code. */
#include "inspect/inspect_judge.h"

#include <netinet/in.h>
#include <string.h>

/* What lookups say of a destination, before any name: see judge_named() and judge_unnamed() in bpf/binding.bpf.h. */
static struct snif_judgement judge_place(snif_tables tables, const struct snif_target *to,
					 const struct lookups *lookups, const struct lookup_place *place,
					 struct snif_judgement judgement) {
	const struct snif_settings *settings = &tables->settings;
	uint32_t rule;

	if (settings->dns.bind == SNIF_BIND_OFF)
		return judgement;
	if ((judgement.reason == SNIF_REASON_ADDRESS_NOT_ALLOWED || judgement.reason == SNIF_REASON_PORT_NOT_ALLOWED) &&
	    lookups_found_group(lookups, place, snif_named_groups(tables, to->protocol, to->port), &rule))
		return (struct snif_judgement){SNIF_ALLOW, SNIF_REASON_ADDRESS_BOUND, rule};
	if (judgement.verdict == SNIF_UNDECIDED && settings->dns.bind == SNIF_BIND_REQUIRE &&
	    settings->options.mode != SNIF_AUDIT && !lookups_found(lookups, place, NULL, 0))
		return snif_refuse(SNIF_REASON_NAME_NOT_BOUND);
	return judgement;
}

/* No lookup that the policy lets pass has given the address: the kernel refuses it before there is a name. Here there may
 * be one, which no rule allows anywhere: that says more than what follows from it. */
static struct snif_judgement judge_unfound(snif_tables tables, const struct flow_hello *found,
					   const struct snif_request *request, struct snif_judgement judgement) {
	struct snif_judgement named;

	if (found->refusal != SNIF_REASON_NONE || found->reason != SNIF_REASON_NONE)
		return judgement;
	named = snif_judge_hello(tables, &tables->settings, request);
	return named.verdict == SNIF_DENY ? named : judgement;
}

struct snif_judgement inspect_judge(snif_tables tables, const struct flow_hello *found, const struct lookups *lookups,
				    bool *unbound) {
	const struct lookup_place place = {found->source, found->destination, found->time};
	const struct snif_dns_rules *dns = &tables->settings.dns;
	struct snif_target to = {.port = found->destination_port, .protocol = IPPROTO_TCP};
	struct snif_dest dest;
	struct snif_request request = {.hello = found->hello, .to = &to, .dest = &dest};
	struct snif_judgement judgement;

	*unbound = false;
	/*
	 * what a packet's IP header gives away is refused for every flow; urgent data only for those that are inspected
	 */
	if (found->refusal != SNIF_REASON_NONE && found->refusal != SNIF_REASON_URGENT_DATA)
		return snif_refuse(found->refusal);
	if (found->accepted)
		return snif_judge_inbound(&tables->settings.options);
	memcpy(to.address, found->destination, sizeof(to.address));
	judgement = snif_judge_address(tables, to.address, to.protocol, to.port, &dest);
	judgement = judge_place(tables, &to, lookups, &place, judgement);
	if (judgement.verdict != SNIF_UNDECIDED)
		return judgement.reason == SNIF_REASON_NAME_NOT_BOUND
			       ? judge_unfound(tables, found, &request, judgement)
			       : judgement;
	if (found->refusal != SNIF_REASON_NONE)
		return snif_refuse(found->refusal);
	if (found->hello->asked && !dest.postgres)
		return snif_refuse(SNIF_REASON_NOT_TLS);
	if (found->reason != SNIF_REASON_NONE)
		return snif_refuse(found->reason);
	judgement = snif_judge_hello(tables, &tables->settings, &request);
	if (dns->bind == SNIF_BIND_OFF || judgement.verdict != SNIF_ALLOW)
		return judgement;
	*unbound = !lookups_found(lookups, &place, found->hello->name, found->hello->name_length);
	return *unbound ? snif_judge_unbound(dns, judgement.rule) : judgement;
}
