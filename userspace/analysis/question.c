/* SPDX-License-Identifier: BSD-2-Clause */
/* Name, address, port ──► what the policy says, and why. */
#include "analysis/question.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "analysis/reach.h"
#include "base/json.h"
#include "base/message.h"
#include "event/event_words.h"
#include "policy/hostname.h"
#include "policy/prefix.h"
#include "policy/rule_print.h"

/* A URL or a port is a slip of who asks: no client would send that as a server name. */
static int refuse_url(const char *text) {
	size_t length;
	const char *start = hostname_part(text, &length);
	char host[SNIF_NAME_BUFFER];

	if (!strchr(text, ':') || hostname_is_address(text, strlen(text)))
		return 0;
	snprintf(host, sizeof(host), "%.*s", (int)(length < sizeof(host) ? length : 0), start);
	if (!*host || *host == '[')
		message_error("check: --host takes a server name alone, not %s", text);
	else
		message_error("check: --host takes a server name alone, not %s: write %s %s%s", text,
			      hostname_is_address(host, length) ? "--ip" : "--host", host,
			      start[length] == ':' ? " --port NUMBER" : "");
	return -EINVAL;
}

/* The bytes that a client would send for the host. */
static int name_on_wire(const char *host, char out[SNIF_NAME_BUFFER]) {
	char message[HOSTNAME_MESSAGE];
	struct hostname parsed;

	if (refuse_url(host) < 0)
		return -EINVAL;
	if (hostname_is_ascii(host)) {
		snprintf(out, SNIF_NAME_BUFFER, "%s", host);
		return 0;
	}
	if (hostname_parse(host, true, &parsed, message) < 0) {
		message_error("check: --host: %s", message);
		return -EINVAL;
	}
	if (parsed.form != HOST_EXACT) {
		message_error("check: --host takes the name of one host, not a pattern: %s", host);
		return -EINVAL;
	}
	snprintf(out, SNIF_NAME_BUFFER, "%s", parsed.name);
	return 0;
}

static struct snif_judgement judge_name(snif_tables tables, char name[SNIF_NAME_BUFFER], const struct snif_dest *dest) {
	__u16 length = (__u16)strlen(name);
	enum snif_reason reason = snif_name_sent((__u8 *)name, &length, tables->settings.options.hello.trailing_dot);

	if (reason != SNIF_REASON_NONE)
		return snif_refuse(reason);
	name[length] = '\0';
	return snif_judge_name(tables, &tables->settings, (const __u8 *)name, length, dest);
}

/* Whether an allowed name counts only at addresses that lookups gave for it. */
static bool must_be_bound(const struct compiled *compiled) {
	return compiled->settings.dns.bind == SNIF_BIND_REQUIRE;
}

struct snif_judgement question_name(const struct compiled *compiled, const char *host) {
	struct snif_dest everywhere = {.kind = SNIF_DEST_INSPECT};
	char name[SNIF_NAME_BUFFER];

	memset(everywhere.zones, 0xff, sizeof(everywhere.zones));
	snprintf(name, sizeof(name), "%s", host);
	return judge_name(compiled, name, &everywhere);
}

/* connect() to an unspecified address reaches the loopback. */
static void fold_address(const uint8_t given[16], uint8_t out[16]) {
	static const uint8_t any_ipv4[16] = {[10] = 0xff, [11] = 0xff}, any_ipv6[16];
	static const uint8_t loopback_ipv4[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};
	static const uint8_t loopback_ipv6[16] = {[15] = 1};

	memcpy(out, given, 16);
	if (memcmp(out, any_ipv4, 16) == 0)
		memcpy(out, loopback_ipv4, 16);
	else if (memcmp(out, any_ipv6, 16) == 0)
		memcpy(out, loopback_ipv6, 16);
}

/* A destination that every inspected zone with the port covers. False when there is none. */
static bool any_destination(const struct policy *policy, uint16_t port, struct snif_dest *dest) {
	*dest = (struct snif_dest){.kind = SNIF_DEST_NONE};
	for (size_t z = 0; z < policy->zone_count; z++) {
		const struct zone *zone = &policy->zones[z];

		if (!zone->inspected || policy->lists[zone->list].count == 0 || !port_list_has(&zone->ports, port))
			continue;
		dest->zones[z / 64] |= 1ULL << z % 64;
		dest->kind = SNIF_DEST_INSPECT;
	}
	return dest->kind == SNIF_DEST_INSPECT;
}

static const struct host_rule *find_host(const struct policy *policy, uint32_t rule) {
	for (size_t i = 0; i < policy->host_count; i++)
		if (policy->hosts[i].rule == rule)
			return &policy->hosts[i];
	return NULL;
}

/* Takes away the addresses of the allowed name's rule that direct rules deny. */
static int subtract_denied(const struct policy *policy, const struct compiled *compiled, uint16_t port,
			   struct answer *answer) {
	const struct host_rule *host = find_host(policy, answer->judgement.rule);
	struct zone_reach reach;

	if (!host || zone_reach(policy, compiled, host->zone, port, &reach) < 0)
		return -ENOMEM;
	if (!reach.somewhere)
		answer->judgement = (struct snif_judgement){SNIF_DENY, SNIF_REASON_ADDRESS_DENIED, reach.denied};
	else
		answer->exception = reach.denied;
	return 0;
}

/* Whether a host may be looked up. Writes the rule that says so, or what there is instead. */
static bool look_up(const struct compiled *compiled, const char *host, struct snif_name_rule *rule) {
	struct snif_name_progress at = {0};
	char name[SNIF_NAME_BUFFER] = "";
	__u16 length;
	bool allowed;

	snprintf(name, sizeof(name), "%s", host);
	length = (__u16)strlen(name);
	allowed = snif_name_normalise((__u8 *)name, &length) == SNIF_REASON_NONE &&
		  snif_may_look_up(&at, compiled, &compiled->settings, (const __u8 *)name, length);
	*rule = at.best;
	return allowed;
}

struct snif_judgement question_lookup(const struct compiled *compiled, const char *host) {
	struct snif_name_rule rule;

	if (look_up(compiled, host, &rule))
		return (struct snif_judgement){SNIF_ALLOW, SNIF_REASON_NONE, rule.rule};
	return (struct snif_judgement){SNIF_DENY, SNIF_REASON_DNS_NAME,
				       snif_question_rule(SNIF_REASON_DNS_NAME, &rule)};
}

/* The `direct` rule by name that a host comes under, with its group; 0: none. */
static uint32_t find_named(const struct compiled *compiled, const char *host, unsigned *group) {
	struct snif_name_rule rule;

	if (!look_up(compiled, host, &rule))
		return 0;
	*group = rule.zone % SNIF_GROUPS;
	return *group ? rule.rule : 0;
}

uint32_t question_named(const struct compiled *compiled, const char *host) {
	unsigned group;

	return find_named(compiled, host, &group);
}

/* A destination that no address rule is about, but one for the name's addresses may be. Returns whether that allows it. */
static bool judge_by_lookup(const struct compiled *compiled, const struct question *question, struct answer *answer) {
	unsigned group = 0;
	uint32_t rule = find_named(compiled, answer->name, &group);

	if (rule == 0 || !(snif_named_groups(compiled, question->protocol, question->port) >> group & 1))
		return false;
	answer->judgement = (struct snif_judgement){SNIF_ALLOW, SNIF_REASON_ADDRESS_BOUND, rule};
	answer->needs_lookup = true;
	return true;
}

static void judge_at_address(const struct compiled *compiled, const struct question *question, struct answer *answer) {
	struct snif_dest dest;

	fold_address(question->address, answer->address);
	answer->judgement = snif_judge_address(compiled, answer->address, question->protocol, question->port, &dest);
	snif_fold_nat64(answer->address);
	if (question->host && (answer->judgement.reason == SNIF_REASON_ADDRESS_NOT_ALLOWED ||
			       answer->judgement.reason == SNIF_REASON_PORT_NOT_ALLOWED))
		judge_by_lookup(compiled, question, answer);
	if (answer->judgement.verdict != SNIF_UNDECIDED)
		return;
	answer->judgement =
		question->host ? judge_name(compiled, answer->name, &dest) : snif_refuse(SNIF_REASON_SNI_MISSING);
	answer->needs_lookup = answer->judgement.verdict == SNIF_ALLOW && must_be_bound(compiled);
}

/* Wherever a lookup may find the name, where names are not checked. A refusal for want of a rule has the one that is about
 * the name, and other ports. */
static void judge_found(const struct compiled *compiled, const struct question *question, struct answer *answer) {
	struct snif_judgement *judgement = &answer->judgement;
	struct address_reach reach;

	address_reach(compiled, question->protocol, question->port, &reach);
	if (reach.open && judge_by_lookup(compiled, question, answer)) {
		answer->exception = reach.denied;
		return;
	}
	if (!answer->inspected && !reach.open && reach.denied != 0)
		*judgement = (struct snif_judgement){SNIF_DENY, SNIF_REASON_ADDRESS_DENIED, reach.denied};
	else if (!answer->inspected && !reach.open)
		*judgement = (struct snif_judgement){SNIF_ALLOW, SNIF_REASON_ADDRESS_ALLOWED, reach.allowed};
	else if (judgement->reason == SNIF_REASON_PORT_NOT_ALLOWED || judgement->reason == SNIF_REASON_NAME_NOT_ALLOWED)
		judgement->rule = question_named(compiled, answer->name);
	if (!answer->inspected && judgement->verdict == SNIF_DENY)
		answer->exception = reach.allowed;
}

static int judge_anywhere(const struct policy *policy, const struct compiled *compiled, const struct question *question,
			  struct answer *answer) {
	struct snif_dest dest;

	answer->inspected = question->protocol == IPPROTO_TCP && any_destination(policy, question->port, &dest);
	if (answer->inspected)
		answer->judgement = judge_name(compiled, answer->name, &dest);
	if (answer->judgement.verdict != SNIF_ALLOW) {
		judge_found(compiled, question, answer);
		return 0;
	}
	answer->needs_lookup = must_be_bound(compiled);
	return subtract_denied(policy, compiled, question->port, answer);
}

int question_answer(const struct policy *policy, const struct compiled *compiled, const struct question *question,
		    struct answer *answer) {
	*answer = (struct answer){.judgement = snif_refuse(SNIF_REASON_PORT_NOT_ALLOWED)};
	if (question->host && name_on_wire(question->host, answer->name) < 0)
		return -EINVAL;
	if (!question->has_address)
		return judge_anywhere(policy, compiled, question, answer);
	judge_at_address(compiled, question, answer);
	return 0;
}

static void address_text(const uint8_t address[16], char text[PREFIX_TEXT]) {
	struct prefix host = {.length = 128};

	memcpy(host.address, address, 16);
	prefix_format(&host, text);
}

static void print_rule(const struct policy *policy, const char *before, uint32_t number, FILE *out) {
	if (number == 0)
		return;
	fputs(before, out);
	rule_print(&policy->rules[number], out);
}

/* Where an answer holds that is not about one address. */
static const char *where_text(const struct answer *answer) {
	if (answer->judgement.verdict != SNIF_ALLOW)
		return answer->inspected ? " at any inspected address" : " at any address";
	if (answer->judgement.reason == SNIF_REASON_ADDRESS_ALLOWED)
		return " at any address";
	if (answer->judgement.reason == SNIF_REASON_ADDRESS_BOUND && answer->inspected)
		return " at the addresses of its rule where names are not checked";
	return " at the addresses of its rule";
}

void answer_print(const struct policy *policy, const struct question *question, const struct answer *answer,
		  FILE *out) {
	const struct snif_judgement *judgement = &answer->judgement;
	bool allowed = judgement->verdict == SNIF_ALLOW;
	char address[PREFIX_TEXT];

	fputs(allowed ? "allow " : "deny ", out);
	print_escaped(out, answer->name, strlen(answer->name));
	if (question->has_address) {
		address_text(answer->address, address);
		fprintf(out, "%s%s", question->host ? " at " : "", address);
	} else {
		fputs(where_text(answer), out);
	}
	fprintf(out, " port %u/%s: %s (%s)", question->port, question->protocol == IPPROTO_TCP ? "tcp" : "udp",
		reason_code(judgement->reason), reason_text(judgement->reason));
	print_rule(policy, ", rule ", judgement->rule, out);
	print_rule(policy, "; except where this holds: ", answer->exception, out);
	if (allowed && answer->needs_lookup)
		fputs("; only at an address that a lookup through `dns.servers` has given for the name", out);
	if (!allowed && policy->mode == SNIF_AUDIT)
		fputs("; audit mode: it would be logged and let through", out);
	fputc('\n', out);
}

int answer_print_json(const struct policy *policy, const char *sha256, const struct question *question,
		      const struct answer *answer, FILE *out) {
	const struct snif_judgement *judgement = &answer->judgement;
	struct json_object *object = json_object_new_object();
	char address[PREFIX_TEXT];
	int error = 0;

	address_text(answer->address, address);
	error |= json_put_text(object, "verdict", judgement->verdict == SNIF_ALLOW ? "allow" : "deny");
	error |= json_put_text(object, "reason", reason_code(judgement->reason));
	error |= json_put_text(object, "text", reason_text(judgement->reason));
	error |= rule_put_json(object, "rule", policy, judgement->rule);
	error |= rule_put_json(object, "exception", policy, answer->exception);
	error |= json_put_text(object, "host", question->host ? answer->name : NULL);
	error |= json_put_text(object, "ip", question->has_address ? address : NULL);
	error |= json_put(object, "needs_lookup", json_object_new_boolean(answer->needs_lookup));
	error |= json_put_number(object, "port", question->port);
	error |= json_put_text(object, "proto", question->protocol == IPPROTO_TCP ? "tcp" : "udp");
	error |= json_put_text(object, "mode", policy->mode == SNIF_AUDIT ? "audit" : "enforce");
	error |= json_put_text(object, "policy", policy->name);
	error |= json_put_text(object, "policy_sha256", sha256);
	return json_write(object, error, out);
}
