/* SPDX-License-Identifier: BSD-2-Clause */
/* Events ──► names, addresses and the rest, each once, with how often, when and by whom. */
#include "learn/sightings.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/groups.h"
#include "analysis/remedy.h"
#include "base/array.h"
#include "base/hash.h"
#include "base/ip_address.h"
#include "event/event_words.h"
#include "policy/hostname.h"

struct entry {
	struct sighting sighting;
	UT_hash_handle hh;
	bool lost; /* there was no memory to enter it */
	char key[];
};

/* A place of an entry, by which it is found. */
struct visit {
	struct {
		const struct entry *entry;
		struct place place;
	} key;
	UT_hash_handle hh;
	bool lost;
};

/* By which name an address was found last. */
struct found {
	UT_hash_handle hh;
	bool lost;
	char *name;
	char address[];
};

struct sightings {
	struct found *found;
	size_t found_count;
	struct entry *entries;
	struct visit *visits;
	size_t entry_count, place_count, other_count;
	uint64_t beyond;
};

struct sightings *sightings_new(void) {
	return hash_start() ? calloc(1, sizeof(struct sightings)) : NULL;
}

static bool of_name(enum snif_reason reason) {
	return reason == SNIF_REASON_NAME_ALLOWED || reason == SNIF_REASON_NAME_NOT_ALLOWED;
}

static bool of_address(enum snif_reason reason) {
	return reason == SNIF_REASON_ADDRESS_ALLOWED || reason == SNIF_REASON_ADDRESS_BOUND ||
	       reason == SNIF_REASON_DNS_ALLOWED || reason == SNIF_REASON_ADDRESS_NOT_ALLOWED ||
	       reason == SNIF_REASON_PORT_NOT_ALLOWED;
}

static uint8_t protocol_of(const struct log_event *event) {
	if (strcmp(event->protocol, "TCP") == 0)
		return IPPROTO_TCP;
	return strcmp(event->protocol, "UDP") == 0 ? IPPROTO_UDP : 0;
}

/* A log can say anything: only what a policy would take becomes a rule. */
static bool is_hostname(const char *name) {
	char message[HOSTNAME_MESSAGE];
	struct hostname hostname;

	return hostname_parse(name, false, &hostname, message) == 0 && hostname.form == HOST_EXACT &&
	       strcmp(hostname.name, name) == 0;
}

static bool of_lookup(const struct log_event *event) {
	return event->reason == SNIF_REASON_DNS_NAME && is_hostname(event->name) && !remedy_needless(event->name);
}

/* The place of an event; false when it has none that a rule could be made of. */
static bool read_place(const struct log_event *event, struct place *place) {
	memset(place, 0, sizeof(*place)); /* it is part of a key */
	if (event->destination_port == 0 || event->destination_port > UINT16_MAX)
		return false;
	place->port = (uint16_t)event->destination_port;
	return ip_address_read(event->destination, place->address);
}

/* The name by which lookups have told the address of what is no TLS; NULL: none has. */
static const char *name_found(const struct sightings *sightings, const struct log_event *event, bool placed) {
	struct found *found = NULL;

	if (placed && of_address(event->reason) && protocol_of(event) == IPPROTO_TCP)
		HASH_FIND_STR(sightings->found, event->destination, found);
	return found ? found->name : NULL;
}

static enum sighting_kind kind_of(const struct log_event *event, bool placed) {
	bool elsewhere = event->reason == SNIF_REASON_NAME_ELSEWHERE;

	if (placed && (of_name(event->reason) || elsewhere) && protocol_of(event) == IPPROTO_TCP &&
	    is_hostname(event->name))
		return elsewhere ? SEEN_ELSEWHERE : SEEN_NAME;
	if (placed && of_address(event->reason) && protocol_of(event) != 0)
		return SEEN_DESTINATION;
	return of_lookup(event) ? SEEN_LOOKUP : SEEN_OTHER;
}

enum { KEY_SIZE = 1024 }; /* a name in a log has at most 255 bytes, which are up to 1020 characters */

/* What is counted together: names as such, addresses with their protocol, the others by reason. */
static void write_key(char key[KEY_SIZE + 64], const struct log_event *event, bool placed, const char *found) {
	char where[GROUP_DESTINATION_SIZE];

	if (found)
		snprintf(key, KEY_SIZE + 64, "d %s %.1000s", event->protocol, found);
	else if (placed && of_name(event->reason))
		snprintf(key, KEY_SIZE + 64, "n %s %.1000s", event->protocol, event->name);
	else if (placed && event->reason == SNIF_REASON_NAME_ELSEWHERE)
		snprintf(key, KEY_SIZE + 64, "e %s %.1000s", event->protocol, event->name);
	else if (placed && of_address(event->reason))
		snprintf(key, KEY_SIZE + 64, "a %s %.64s", event->protocol, event->destination);
	else if (of_lookup(event))
		snprintf(key, KEY_SIZE + 64, "l %.60s %.1000s", event->reason_word, event->name);
	else if (*event->name)
		snprintf(key, KEY_SIZE + 64, "o %.60s %.1000s", event->reason_word, event->name);
	else {
		group_destination(event, where);
		snprintf(key, KEY_SIZE + 64, "o %.60s %s", event->reason_word, where);
	}
}

static int note(struct usage *usage, const struct log_event *event) {
	if (usage->count == 0 || event->time < usage->first)
		usage->first = event->time;
	if (usage->count == 0 || event->time > usage->last)
		usage->last = event->time;
	usage->count++;
	return leaders_add(&usage->processes, event->process);
}

/* The text of a sighting is the end of its key, behind the second space. */
static void describe(struct entry *entry, const struct log_event *event, bool placed) {
	struct sighting *sighting = &entry->sighting;

	sighting->kind = *entry->key == 'd' ? SEEN_NAMED : kind_of(event, placed);
	sighting->protocol = sighting->kind >= SEEN_LOOKUP ? 0 : protocol_of(event);
	sighting->text = strchr(strchr(entry->key, ' ') + 1, ' ') + 1;
	sighting->reason = reason_code(event->reason);
}

static struct entry *add_entry(struct sightings *sightings, const char *key, const struct log_event *event,
			       bool placed) {
	size_t length = strlen(key);
	struct entry *entry = calloc(1, sizeof(*entry) + length + 1);

	if (!entry)
		return NULL;
	memcpy(entry->key, key, length);
	describe(entry, event, placed);
	HASH_ADD_KEYPTR(hh, sightings->entries, entry->key, length, entry);
	if (entry->lost) {
		free(entry);
		return NULL;
	}
	sightings->entry_count++;
	sightings->other_count += entry->sighting.kind == SEEN_OTHER;
	return entry;
}

static int add_place(struct sightings *sightings, struct entry *entry, const struct place *place) {
	struct visit *visit, wanted = {.key = {entry, *place}};
	struct place_list *places = &entry->sighting.places;
	struct place *kept;

	HASH_FIND(hh, sightings->visits, &wanted.key, sizeof(wanted.key), visit);
	if (visit)
		return 0;
	if (sightings->place_count >= SIGHTINGS_MAX)
		return -E2BIG;
	visit = calloc(1, sizeof(*visit));
	kept = visit ? array_add(&places->items, &places->count, sizeof(*kept)) : NULL;
	if (!kept) {
		free(visit);
		return -ENOMEM;
	}
	*kept = *place;
	memcpy(&visit->key, &wanted.key, sizeof(wanted.key));
	HASH_ADD(hh, sightings->visits, key, sizeof(visit->key), visit);
	if (visit->lost) {
		free(visit);
		return -ENOMEM;
	}
	sightings->place_count++;
	return 0;
}

int sightings_add(struct sightings *sightings, const struct log_event *event) {
	struct place place;
	bool placed = read_place(event, &place);
	char key[KEY_SIZE + 64];
	struct entry *entry;

	if (event->action == LOG_UNDECIDED || event->reason == SNIF_REASON_INBOUND_ALLOWED)
		return 0;
	write_key(key, event, placed, name_found(sightings, event, placed));
	HASH_FIND_STR(sightings->entries, key, entry);
	if (!entry && *key == 'o' && sightings->other_count >= SIGHTINGS_OTHER_MAX) {
		sightings->beyond++;
		return 0;
	}
	if (!entry && sightings->entry_count >= SIGHTINGS_MAX)
		return -E2BIG;
	if (!entry)
		entry = add_entry(sightings, key, event, placed);
	if (!entry || note(&entry->sighting.usage, event) < 0)
		return -ENOMEM;
	entry->sighting.cut_short |= event->action != LOG_ALERT;
	return entry->sighting.kind >= SEEN_LOOKUP ? 0 : add_place(sightings, entry, &place);
}

static struct found *add_found(struct sightings *sightings, const char *address) {
	size_t length = strlen(address);
	struct found *found = calloc(1, sizeof(*found) + length + 1);

	if (!found)
		return NULL;
	memcpy(found->address, address, length);
	HASH_ADD_STR(sightings->found, address, found);
	if (found->lost) {
		free(found);
		return NULL;
	}
	sightings->found_count++;
	return found;
}

int sightings_answer(struct sightings *sightings, const struct log_event *event) {
	if (!is_hostname(event->name))
		return 0;
	for (unsigned i = 0; i < event->answer_count; i++) {
		const char *address = event->answers[i].address;
		struct found *found;

		HASH_FIND_STR(sightings->found, address, found);
		if (!found && sightings->found_count >= SIGHTINGS_MAX)
			return 0;
		if (!found)
			found = add_found(sightings, address);
		if (!found)
			return -ENOMEM;
		if (found->name && strcmp(found->name, event->name) == 0)
			continue;
		free(found->name);
		found->name = strdup(event->name);
		if (!found->name)
			return -ENOMEM;
	}
	return 0;
}

/* The start of the label that ends before `end`. */
static const char *label_before(const char *name, const char *end) {
	while (end > name && end[-1] != '.')
		end--;
	return end;
}

static int compare_names(const char *a, const char *b) {
	const char *end_a = a + strlen(a), *end_b = b + strlen(b);

	for (;;) {
		const char *start_a = label_before(a, end_a), *start_b = label_before(b, end_b);
		size_t length_a = (size_t)(end_a - start_a), length_b = (size_t)(end_b - start_b);
		int order = memcmp(start_a, start_b, length_a < length_b ? length_a : length_b);

		if (order)
			return order;
		if (length_a != length_b)
			return length_a < length_b ? -1 : 1;
		if (start_a == a || start_b == b)
			return (start_a > a) - (start_b > b);
		end_a = start_a - 1;
		end_b = start_b - 1;
	}
}

static int compare_sightings(const void *left, const void *right) {
	const struct sighting *a = *(const struct sighting *const *)left, *b = *(const struct sighting *const *)right;
	int order;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->kind != SEEN_DESTINATION && a->kind != SEEN_OTHER)
		return compare_names(a->text, b->text);
	order = a->kind == SEEN_DESTINATION ? memcmp(a->places.items[0].address, b->places.items[0].address, 16)
					    : strcmp(a->reason, b->reason);
	return order ? order : a->protocol != b->protocol ? a->protocol - b->protocol : strcmp(a->text, b->text);
}

const struct sighting **sightings_sorted(const struct sightings *sightings, size_t *count) {
	const struct sighting **sorted = calloc(sightings->entry_count + 1, sizeof(*sorted));

	*count = 0;
	for (const struct entry *entry = sightings->entries; sorted && entry; entry = entry->hh.next)
		sorted[(*count)++] = &entry->sighting;
	if (sorted)
		qsort(sorted, *count, sizeof(*sorted), compare_sightings);
	return sorted;
}

uint64_t sightings_beyond(const struct sightings *sightings) {
	return sightings->beyond;
}

int usage_add(struct usage *usage, const struct usage *from) {
	if (usage->count == 0 || from->first < usage->first)
		usage->first = from->first;
	if (usage->count == 0 || from->last > usage->last)
		usage->last = from->last;
	usage->count += from->count;
	return leaders_merge(&usage->processes, &from->processes);
}

void sightings_free(struct sightings *sightings) {
	struct entry *entry, *next_entry;
	struct visit *visit, *next_visit;
	struct found *found, *next_found;

	if (!sightings)
		return;
	found = sightings->found;
	HASH_CLEAR(hh, sightings->found);
	for (; found; found = next_found) {
		next_found = found->hh.next;
		free(found->name);
		free(found);
	}
	entry = sightings->entries;
	visit = sightings->visits;
	HASH_CLEAR(hh, sightings->entries);
	HASH_CLEAR(hh, sightings->visits);
	for (; entry; entry = next_entry) {
		next_entry = entry->hh.next;
		leaders_free(&entry->sighting.usage.processes);
		free(entry->sighting.places.items);
		free(entry);
	}
	for (; visit; visit = next_visit) {
		next_visit = visit->hh.next;
		free(visit);
	}
	free(sightings);
}
