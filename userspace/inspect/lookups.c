/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions and answers ──► names at addresses. */
#include "inspect/lookups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* Of each kind, those that are remembered; beyond that, the oldest go. */
enum { LOOKUPS_MAX = 65536 };

/* Sums of names are compared within one capture, which gains nobody anything. */
enum { SUM_KEY = 0x9e3779b1 };

struct asked {
	struct {
		uint8_t client[16], server[16];
		uint64_t sum;
		uint16_t client_port, server_port, id, type;
	} key;
	char name[SNIF_NAME_BUFFER]; /* normalised */
	uint16_t length;
	bool allowed;
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
	return snif_name_hash(lookups->tables->settings.hash_key, (const char *)name, length);
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

static bool is_server(const struct lookups *lookups, const uint8_t address[16], uint16_t port) {
	struct snif_dest dest;

	return snif_judge_address(lookups->tables, address, IPPROTO_UDP, port, &dest).reason == SNIF_REASON_DNS_ALLOWED;
}

/* Reads the question of the datagram's message. Returns whether it is one. */
static bool read_message(struct lookups *lookups, const struct flow_datagram *datagram, bool response) {
	struct snif_dns *dns = &lookups->dns;

	if (datagram->length == 0 || datagram->length > SNIF_DNS_MESSAGE)
		return false;
	dns->key = SUM_KEY;
	dns->length = datagram->length;
	memcpy(dns->message, datagram->data, datagram->length);
	return snif_dns_read_question(dns, response);
}

static int take_question(struct lookups *lookups, const struct flow_datagram *datagram) {
	const struct snif_packet *headers = datagram->headers;
	const struct snif_settings *settings = &lookups->tables->settings;
	struct snif_name_progress at = {0};
	struct asked *asked;

	if (!is_server(lookups, headers->to.address, headers->to.port) || !read_message(lookups, datagram, false) ||
	    lookups->dns.unclear)
		return 0;
	asked = calloc(1, sizeof(*asked));
	if (!asked)
		return -ENOMEM;
	memcpy(asked->name, lookups->dns.name, lookups->dns.name_length);
	asked->length = lookups->dns.name_length;
	if (snif_name_normalise((uint8_t *)asked->name, &asked->length) != SNIF_REASON_NONE) {
		free(asked);
		return 0;
	}
	asked->allowed = snif_may_look_up(&at, lookups->tables, settings, (const uint8_t *)asked->name, asked->length);
	asked->rule = at.best;
	memcpy(asked->key.client, headers->source, 16);
	memcpy(asked->key.server, headers->to.address, 16);
	asked->key.client_port = headers->source_port;
	asked->key.server_port = headers->to.port;
	asked->key.sum = lookups->dns.asked;
	asked->key.id = lookups->dns.id;
	asked->key.type = lookups->dns.type;
	return remember(lookups, asked);
}

/* ---- answers --------------------------------------------------------------------------------------------------- */

static void forget_oldest_binding(struct lookups *lookups) {
	struct found *oldest = lookups->found;

	if (HASH_COUNT(lookups->found) <= LOOKUPS_MAX)
		return;
	HASH_DEL(lookups->found, oldest);
	free(oldest);
}

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
	found->expires = wanted->expires;
	found->rule = wanted->rule;
	return 0;
}

static int bind_answer(struct lookups *lookups, const struct flow_datagram *datagram, const struct asked *asked) {
	const uint64_t names[] = {SNIF_BOUND_ANY, hash_of(lookups, (const uint8_t *)asked->name, asked->length),
				  asked->rule.zone};
	struct found found = {.rule = asked->rule.rule};
	int error = 0;

	memcpy(found.key.client, asked->key.client, 16);
	for (uint32_t i = 0; i < lookups->dns.found && !error; i++) {
		const struct snif_dns_address *address = &lookups->dns.addresses[i];

		memcpy(found.key.address, address->address, 16);
		found.expires = nanoseconds(&datagram->time) +
				snif_dns_counts_for(&lookups->tables->settings.dns, address->ttl) * 1000000000;
		/* the last only where a `direct` rule has the name: those have a group */
		for (int k = 0; k < (asked->rule.zone ? 3 : 2) && !error; k++) {
			found.key.name = names[k];
			error = bind_one(lookups, &found);
		}
	}
	return error;
}

static int take_answer(struct lookups *lookups, const struct flow_datagram *datagram, struct lookup_answer *answer) {
	const struct snif_packet *headers = datagram->headers;
	struct asked wanted = {.key = {.client_port = headers->to.port, .server_port = headers->source_port}}, *asked;
	int error = 0;

	if (!read_message(lookups, datagram, true))
		return 0;
	memcpy(wanted.key.client, headers->to.address, 16);
	memcpy(wanted.key.server, headers->source, 16);
	wanted.key.sum = lookups->dns.asked;
	wanted.key.id = lookups->dns.id;
	wanted.key.type = lookups->dns.type;
	HASH_FIND(hh, lookups->asked, &wanted.key, sizeof(wanted.key), asked);
	if (!asked || !snif_dns_read_records(&lookups->dns))
		return 0;
	HASH_DEL(lookups->asked, asked);
	*answer = (struct lookup_answer){
		.datagram = datagram,
		.dns = &lookups->dns,
		.bound = asked->allowed && lookups->tables->settings.dns.bind != SNIF_BIND_OFF,
	};
	if (answer->bound)
		error = bind_answer(lookups, datagram, asked);
	free(asked);
	return error ? error : 1;
}

int lookups_add(struct lookups *lookups, const struct flow_datagram *datagram, struct lookup_answer *answer) {
	if (datagram->headers->to.port == SNIF_DNS_PORT)
		return take_question(lookups, datagram);
	return take_answer(lookups, datagram, answer);
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
			found = find(lookups, place, i);
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
