/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions and answers ──► names at addresses. */
#include "inspect/lookups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "reverse.h"

/* Of each kind, those that are remembered; beyond that, the oldest go. */
enum { LOOKUPS_MAX = 65536 };

/* Sums of names are compared within one capture, which gains nobody anything. */
enum { SUM_KEY = 0x9e3779b1 };

struct asked {
	struct {
		uint8_t client[16], server[16];
		uint64_t sum;
		uint16_t client_port, server_port, id, type, protocol;
		uint16_t unused[3]; /* hashed, too */
	} key;
	char name[SNIF_NAME_BUFFER]; /* normalised */
	uint16_t length;
	bool binds; /* what its answer gives counts for the name */
	struct snif_name_rule rule;
	UT_hash_handle hh;
	bool lost;
};

struct found {
	struct {
		uint8_t client[16], address[16];
		uint64_t name; /* as in struct snif_binding_key */
	} key;
	uint64_t expires; /* nanoseconds of the capture's clock */
	uint32_t rule;
	UT_hash_handle hh;
	bool lost;
};

struct lookups {
	snif_tables tables;
	struct asked *asked;
	struct found *found;
	struct snif_dns dns;
};

struct lookups *lookups_new(snif_tables tables) {
	struct lookups *lookups = hash_start() ? calloc(1, sizeof(*lookups)) : NULL;

	if (lookups)
		lookups->tables = tables;
	return lookups;
}

static uint64_t nanoseconds(const struct timespec *time) {
	return (uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_nsec;
}

static uint64_t hash_of(const struct lookups *lookups, const uint8_t *name, uint16_t length) {
	return snif_bound_name(snif_name_hash(lookups->tables->settings.hash_key, (const char *)name, length));
}

/* ---- questions ------------------------------------------------------------------------------------------------- */

static void forget_oldest_question(struct lookups *lookups) {
	struct asked *oldest = lookups->asked;

	if (HASH_COUNT(lookups->asked) <= LOOKUPS_MAX)
		return;
	HASH_DEL(lookups->asked, oldest);
	free(oldest);
}

static int remember(struct lookups *lookups, struct asked *asked) {
	struct asked *before;

	HASH_FIND(hh, lookups->asked, &asked->key, sizeof(asked->key), before);
	if (before) {
		HASH_DEL(lookups->asked, before);
		free(before);
	}
	HASH_ADD(hh, lookups->asked, key, sizeof(asked->key), asked);
	if (asked->lost) {
		free(asked);
		return -ENOMEM;
	}
	forget_oldest_question(lookups);
	return 0;
}

static bool is_server(const struct lookups *lookups, const struct snif_target *to) {
	struct snif_dest dest;

	return snif_judge_address(lookups->tables, to->address, to->protocol, to->port, &dest).reason ==
	       SNIF_REASON_DNS_ALLOWED;
}

/* Reads the question of the message. Returns whether there is one. */
static bool read_message(struct lookups *lookups, const struct flow_message *message, bool response) {
	struct snif_dns *dns = &lookups->dns;

	dns->name_length = dns->type = dns->id = 0;
	if (message->length == 0 || message->length > (response ? SNIF_DNS_MESSAGE : SNIF_DNS_QUESTION))
		return false;
	dns->key = SUM_KEY;
	dns->length = message->length;
	memcpy(dns->message, message->data, message->length);
	return snif_dns_read_question(dns, response);
}

static void key_write(const struct lookups *lookups, struct asked *asked, const struct snif_target *client,
		      const struct snif_target *server) {
	memcpy(asked->key.client, client->address, 16);
	memcpy(asked->key.server, server->address, 16);
	asked->key.client_port = client->port;
	asked->key.server_port = server->port;
	asked->key.protocol = client->protocol;
	asked->key.sum = lookups->dns.asked;
	asked->key.id = lookups->dns.id;
	asked->key.type = lookups->dns.type;
}

/* The packet's sender. */
static struct snif_target source_of(const struct snif_packet *headers) {
	struct snif_target source = {.port = headers->source_port, .protocol = headers->to.protocol};

	memcpy(source.address, headers->source, 16);
	return source;
}

/* Whether the name of a reverse lookup is that of an address at which the client has found something. */
static bool reverse_is_found(const struct lookups *lookups, const struct flow_message *message,
			     const struct asked *asked) {
	struct snif_reverse reverse;
	const struct lookup_place place = {message->headers->source, reverse.address, message->time};

	return snif_reverse_read(&reverse, (const uint8_t *)asked->name, asked->length) &&
	       lookups_found(lookups, &place, NULL, 0);
}

/* Judges the question, and notes what its answer is for. */
static enum snif_reason judge_question(const struct lookups *lookups, const struct flow_message *message,
				       struct asked *asked) {
	const struct snif_settings *settings = &lookups->tables->settings;
	struct snif_name_progress at = {0};
	bool allowed = snif_may_look_up(&at, lookups->tables, settings, (const uint8_t *)asked->name, asked->length);
	enum snif_reason reason = snif_judge_question(&settings->dns, lookups->dns.type, allowed);

	if (reason == SNIF_REASON_DNS_NAME && lookups->dns.type == SNIF_DNS_PTR &&
	    settings->dns.bind != SNIF_BIND_OFF && reverse_is_found(lookups, message, asked))
		reason = SNIF_REASON_NONE;
	asked->binds = allowed && reason == SNIF_REASON_NONE && settings->dns.bind != SNIF_BIND_OFF;
	asked->rule = at.best;
	return reason;
}

static int refuse(const struct lookups *lookups, const struct flow_message *message, enum snif_reason reason,
		  uint32_t rule, struct lookup *lookup) {
	*lookup = (struct lookup){.message = message, .dns = &lookups->dns, .refusal = {SNIF_DENY, reason, rule}};
	return reason == SNIF_REASON_NONE ? LOOKUP_NONE : LOOKUP_REFUSED;
}

static int take_question(struct lookups *lookups, const struct flow_message *message, struct lookup *lookup) {
	const struct snif_settings *settings = &lookups->tables->settings;
	const struct snif_target client = source_of(message->headers);
	enum snif_reason reason = settings->dns.names_policy ? SNIF_REASON_DNS_QUESTION : SNIF_REASON_NONE;
	struct asked *asked;
	uint32_t rule;
	int error;

	if (!is_server(lookups, &message->headers->to))
		return LOOKUP_NONE;
	if (!read_message(lookups, message, false) || lookups->dns.unclear)
		return refuse(lookups, message, reason, 0, lookup);
	asked = calloc(1, sizeof(*asked));
	if (!asked)
		return -ENOMEM;
	memcpy(asked->name, lookups->dns.name, lookups->dns.name_length);
	asked->length = lookups->dns.name_length;
	if (snif_name_normalise((uint8_t *)asked->name, &asked->length) != SNIF_REASON_NONE) {
		free(asked);
		return refuse(lookups, message, reason, 0, lookup);
	}
	reason = judge_question(lookups, message, asked);
	rule = snif_question_rule(reason, &asked->rule);
	if (reason != SNIF_REASON_NONE && settings->options.mode != SNIF_AUDIT) {
		free(asked);
		return refuse(lookups, message, reason, rule, lookup);
	}
	key_write(lookups, asked, &client, &message->headers->to);
	error = remember(lookups, asked);
	return error ? error : refuse(lookups, message, reason, rule, lookup);
}

/* ---- answers --------------------------------------------------------------------------------------------------- */

static void forget_oldest_binding(struct lookups *lookups) {
	struct found *oldest = lookups->found;

	if (HASH_COUNT(lookups->found) <= LOOKUPS_MAX)
		return;
	HASH_DEL(lookups->found, oldest);
	free(oldest);
}

/* What was bound for longer, by another name at the address or before, stays as long: as the kernel's side does it. */
static int bind_one(struct lookups *lookups, const struct found *wanted) {
	struct found *found;

	HASH_FIND(hh, lookups->found, &wanted->key, sizeof(wanted->key), found);
	if (!found) {
		found = calloc(1, sizeof(*found));
		if (!found)
			return -ENOMEM;
		found->key = wanted->key;
		HASH_ADD(hh, lookups->found, key, sizeof(found->key), found);
		if (found->lost) {
			free(found);
			return -ENOMEM;
		}
		forget_oldest_binding(lookups);
	}
	if (found->expires < wanted->expires)
		found->expires = wanted->expires;
	found->rule = wanted->rule;
	return 0;
}

static int bind_answer(struct lookups *lookups, const struct flow_message *message, const struct asked *asked) {
	const uint64_t names[] = {SNIF_BOUND_ANY, hash_of(lookups, (const uint8_t *)asked->name, asked->length),
				  snif_bound_group(lookups->tables->settings.group_rules, asked->rule.zone)};
	struct found found = {.rule = asked->rule.rule};
	int error = 0;

	memcpy(found.key.client, asked->key.client, 16);
	for (uint32_t i = 0; i < lookups->dns.found && !error; i++) {
		const struct snif_dns_address *address = &lookups->dns.addresses[i];

		memcpy(found.key.address, address->address, 16);
		found.expires = nanoseconds(&message->time) +
				snif_dns_counts_for(&lookups->tables->settings.dns, address->ttl) * 1000000000;
		/* the last only where a `direct` rule has the name: those have a group */
		for (int k = 0; k < (asked->rule.zone ? 3 : 2) && !error; k++) {
			found.key.name = names[k];
			error = bind_one(lookups, &found);
		}
	}
	return error;
}

static int take_answer(struct lookups *lookups, const struct flow_message *message, struct lookup *lookup) {
	const struct snif_target server = source_of(message->headers);
	struct asked wanted = {0}, *asked;
	int error = 0;

	if (!read_message(lookups, message, true))
		return LOOKUP_NONE;
	key_write(lookups, &wanted, &message->headers->to, &server);
	HASH_FIND(hh, lookups->asked, &wanted.key, sizeof(wanted.key), asked);
	if (!asked || !snif_dns_read_records(&lookups->dns))
		return LOOKUP_NONE;
	HASH_DEL(lookups->asked, asked);
	*lookup = (struct lookup){.message = message, .dns = &lookups->dns, .bound = asked->binds};
	if (asked->binds)
		error = bind_answer(lookups, message, asked);
	free(asked);
	return error ? error : LOOKUP_ANSWER;
}

int lookups_add(struct lookups *lookups, const struct flow_message *message, struct lookup *lookup) {
	if (message->headers->to.port == SNIF_DNS_PORT)
		return take_question(lookups, message, lookup);
	return take_answer(lookups, message, lookup);
}

/* ---- what is known --------------------------------------------------------------------------------------------- */

static const struct found *find(const struct lookups *lookups, const struct lookup_place *place, uint64_t name) {
	struct found wanted = {.key = {.name = name}}, *found;

	memcpy(wanted.key.client, place->client, 16);
	memcpy(wanted.key.address, place->address, 16);
	HASH_FIND(hh, lookups->found, &wanted.key, sizeof(wanted.key), found);
	return found && found->expires >= nanoseconds(&place->time) ? found : NULL;
}

bool lookups_found(const struct lookups *lookups, const struct lookup_place *place, const uint8_t *name,
		   uint16_t length) {
	return find(lookups, place, name ? hash_of(lookups, name, length) : SNIF_BOUND_ANY) != NULL;
}

bool lookups_found_group(const struct lookups *lookups, const struct lookup_place *place, uint64_t groups,
			 uint32_t *rule) {
	const struct found *found = NULL;

	for (unsigned i = 0; i < SNIF_GROUPS && !found; i++)
		if (groups >> i & 1)
			found = find(lookups, place, snif_bound_group(lookups->tables->settings.group_rules, i));
	if (found)
		*rule = found->rule;
	return found != NULL;
}

void lookups_free(struct lookups *lookups) {
	struct asked *asked, *next_asked;
	struct found *found, *next_found;

	if (!lookups)
		return;
	asked = lookups->asked;
	found = lookups->found;
	HASH_CLEAR(hh, lookups->asked);
	HASH_CLEAR(hh, lookups->found);
	for (; asked; asked = next_asked) {
		next_asked = asked->hh.next;
		free(asked);
	}
	for (; found; found = next_found) {
		next_found = found->hh.next;
		free(found);
	}
	free(lookups);
}
