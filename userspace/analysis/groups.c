/* SPDX-License-Identifier: BSD-2-Clause */
/* Events ──► counts by name, reason, process, … */
#include "analysis/groups.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/ip_address.h"
#include "event/event_words.h"

enum { REFUSED, ALLOWED };

/* What a key is: a server name can be sent that looks like a destination, and is counted apart from it. */
enum { OF_THE_LOG, MADE_HERE, KEY_KINDS };

struct entry {
	struct group group;
	UT_hash_handle hh;
	bool lost; /* there was no memory to enter it */
	char key[];
};

struct groups {
	enum group_by by;
	struct entry *entries[KEY_KINDS];
	size_t count;
	bool processes; /* some are known */
	struct timeline timeline;
	struct group other, total;
	int64_t first, last; /* of all events */
	int64_t quarter;     /* of an hour: the last one that was asked for, and its hour as text */
	char hour_text[sizeof("2026-01-31 12:00") + 8];
};

static const char *const words[GROUP_BYS] = {
	[BY_NAME] = "name",	  [BY_REASON] = "reason", [BY_PROCESS] = "process", [BY_CGROUP] = "cgroup",
	[BY_ADDRESS] = "address", [BY_RULE] = "rule",	  [BY_HOUR] = "hour",	    [BY_POLICY] = "policy",
};

const char *group_by_word(enum group_by by) {
	return words[by];
}

enum group_by group_by_of(const char *word) {
	unsigned by = 0;

	while (by < GROUP_BYS && strcmp(words[by], word) != 0)
		by++;
	return by;
}

struct groups *groups_new(enum group_by by) {
	struct groups *groups = calloc(1, sizeof(*groups));

	if (!groups || !hash_start()) {
		free(groups);
		return NULL;
	}
	groups->by = by;
	groups->quarter = groups->last = INT64_MIN;
	groups->first = INT64_MAX;
	groups->other.key = "(others)";
	groups->total.key = "(all)";
	return groups;
}

void group_destination(const struct log_event *event, char out[GROUP_DESTINATION_SIZE]) {
	/* of the two pairs, a line has one */
	if (event_object(out, event->hook, event->level | event->major, event->option | event->minor))
		return;
	if (*event->destination)
		snprintf(out, GROUP_DESTINATION_SIZE, strchr(event->destination, ':') ? "[%s]:%llu/%s" : "%s:%llu/%s",
			 event->destination, (unsigned long long)event->destination_port, event->protocol);
	else
		snprintf(out, GROUP_DESTINATION_SIZE, "a socket of protocol %s",
			 *event->protocol ? event->protocol : "unknown");
}

bool group_destination_read(const char *text, uint8_t address[16], uint16_t *port, uint8_t *protocol) {
	const char *colon = strrchr(text, ':'), *end = colon;
	char kind[4], plain[GROUP_DESTINATION_SIZE];
	unsigned number;
	int used = 0;

	if (!colon || sscanf(colon, ":%9u/%3s%n", &number, kind, &used) != 2 || colon[used] || number > UINT16_MAX)
		return false;
	*port = (uint16_t)number;
	if (*text == '[' && colon[-1] == ']') {
		text++;
		end--;
	}
	*protocol = strcmp(kind, "TCP") == 0 ? IPPROTO_TCP : IPPROTO_UDP;
	return (*protocol == IPPROTO_TCP || strcmp(kind, "UDP") == 0) && end - text < GROUP_DESTINATION_SIZE &&
	       snprintf(plain, sizeof(plain), "%.*s", (int)(end - text), text) > 0 && ip_address_read(plain, address);
}

static const char *hour_of(struct groups *groups, int64_t time) {
	time_t second = (time_t)(time / 1000000);
	struct tm local = {0};

	if (time / 900000000 == groups->quarter)
		return groups->hour_text;
	groups->quarter = time / 900000000;
	localtime_r(&second, &local);
	strftime(groups->hour_text, sizeof(groups->hour_text), "%Y-%m-%d %H:00", &local);
	return groups->hour_text;
}

/* `name` is what BY_NAME counts under. */
static const char *key_of(struct groups *groups, const struct log_event *event, const char *name,
			  char address[GROUP_DESTINATION_SIZE]) {
	switch (groups->by) {
	case BY_NAME:
		return name;
	case BY_REASON:
		return event->reason_word;
	case BY_PROCESS:
		return event->process;
	case BY_CGROUP:
		return event->cgroup;
	case BY_ADDRESS:
		group_destination(event, address);
		return address;
	case BY_RULE:
		return event->rule;
	case BY_HOUR:
		return hour_of(groups, event->time);
	default:
		return event->policy;
	}
}

/* The group for the key, found or made; the one for others when there are too many; NULL when memory is out. */
static struct group *group_for(struct groups *groups, const char *key, unsigned kind) {
	size_t length = strnlen(key, GROUP_KEY_LENGTH);
	struct entry *entry;

	HASH_FIND(hh, groups->entries[kind], key, length, entry);
	if (entry)
		return &entry->group;
	if (groups->count >= GROUPS_MAX)
		return &groups->other;
	entry = calloc(1, sizeof(*entry) + length + 1);
	if (!entry)
		return NULL;
	memcpy(entry->key, key, length);
	entry->group.key = entry->key;
	HASH_ADD_KEYPTR(hh, groups->entries[kind], entry->key, length, entry);
	if (entry->lost) {
		free(entry);
		return NULL;
	}
	groups->count++;
	return &entry->group;
}

static void move_group(struct group *group, const struct timeline *before, const struct timeline *timeline) {
	timeline_move(group->over_time[REFUSED], before, timeline);
	timeline_move(group->over_time[ALLOWED], before, timeline);
}

static void cover(struct groups *groups, int64_t time) {
	struct timeline before = groups->timeline;

	if (!timeline_cover(&groups->timeline, time))
		return;
	move_group(&groups->other, &before, &groups->timeline);
	move_group(&groups->total, &before, &groups->timeline);
	for (unsigned kind = 0; kind < KEY_KINDS; kind++)
		for (struct entry *entry = groups->entries[kind]; entry; entry = entry->hh.next)
			move_group(&entry->group, &before, &groups->timeline);
}

static void free_leaders(struct group *group) {
	leaders_free(&group->reasons);
	leaders_free(&group->processes);
	leaders_free(&group->names);
}

static int note(struct group *group, const struct log_event *event, const char *name, bool first) {
	if (first || event->time < group->first)
		group->first = event->time;
	if (first || event->time > group->last)
		group->last = event->time;
	return leaders_add(&group->reasons, event->reason_word) | leaders_add(&group->processes, event->process) |
	       leaders_add(&group->names, name);
}

static void count(struct group *group, const struct log_event *event, unsigned bucket) {
	if (event->action == LOG_PASS)
		group->allowed++;
	else if (event->action == LOG_ALERT)
		group->would_block++;
	else
		group->blocked++;
	group->by_rule |= event->action != LOG_PASS && *event->rule;
	group->over_time[event->action == LOG_PASS ? ALLOWED : REFUSED][bucket]++;
}

/* Counts the event, and notes what it was about, unless it was allowed and refusals are noted. */
static int add(struct group *group, const struct log_event *event, const char *name, unsigned bucket) {
	bool refused_before = group_refused(group) > 0;

	count(group, event, bucket);
	if (event->action == LOG_PASS)
		return refused_before ? 0 : note(group, event, name, group->allowed == 1);
	if (!refused_before)
		free_leaders(group); /* those of what was allowed */
	return note(group, event, name, !refused_before);
}

int groups_add(struct groups *groups, const struct log_event *event) {
	char destination[GROUP_DESTINATION_SIZE], address[GROUP_DESTINATION_SIZE];
	const char *key, *name = event->name;
	struct group *group;
	unsigned bucket;

	if (event->action == LOG_UNDECIDED)
		return 0;
	if (!*name) {
		group_destination(event, destination);
		name = destination;
	}
	key = key_of(groups, event, name, address);
	cover(groups, event->time);
	groups->processes |= *event->process != '\0';
	groups->first = event->time < groups->first ? event->time : groups->first;
	groups->last = event->time > groups->last ? event->time : groups->last;
	bucket = timeline_bucket(&groups->timeline, event->time);
	group = group_for(groups, *key ? key : "(none)", *key && key != destination ? OF_THE_LOG : MADE_HERE);
	if (!group)
		return -ENOMEM;
	count(&groups->total, event, bucket);
	return add(group, event, groups->by == BY_NAME ? "" : name, bucket) ? -ENOMEM : 0;
}

static int order(const void *left, const void *right) {
	const struct group *a = *(const struct group *const *)left, *b = *(const struct group *const *)right;

	if (group_refused(a) != group_refused(b))
		return group_refused(a) > group_refused(b) ? -1 : 1;
	if (a->allowed != b->allowed)
		return a->allowed > b->allowed ? -1 : 1;
	return strcmp(a->key, b->key);
}

static int order_of_time(const void *left, const void *right) {
	const struct group *a = *(const struct group *const *)left, *b = *(const struct group *const *)right;

	return a->first < b->first ? -1 : a->first > b->first;
}

const struct group **groups_sorted(const struct groups *groups, size_t *count) {
	const struct group **sorted = calloc(groups->count + 1, sizeof(*sorted));

	*count = 0;
	if (!sorted)
		return NULL;
	for (unsigned kind = 0; kind < KEY_KINDS; kind++)
		for (struct entry *entry = groups->entries[kind]; entry; entry = entry->hh.next)
			sorted[(*count)++] = &entry->group;
	qsort(sorted, *count, sizeof(*sorted), groups->by == BY_HOUR ? order_of_time : order);
	return sorted;
}

enum group_by groups_by(const struct groups *groups) {
	return groups->by;
}

const struct group *groups_other(const struct groups *groups) {
	return &groups->other;
}

const struct group *groups_total(const struct groups *groups) {
	return &groups->total;
}

bool groups_have_processes(const struct groups *groups) {
	return groups->processes;
}

void groups_period(const struct groups *groups, int64_t *first, int64_t *last) {
	*first = groups->first;
	*last = groups->last;
}

const struct timeline *groups_timeline(const struct groups *groups) {
	return &groups->timeline;
}

static void free_entries(struct groups *groups, unsigned kind) {
	struct entry *entry = groups->entries[kind], *next;

	HASH_CLEAR(hh, groups->entries[kind]);
	for (; entry; entry = next) {
		next = entry->hh.next;
		free_leaders(&entry->group);
		free(entry);
	}
}

void groups_free(struct groups *groups) {
	if (!groups)
		return;
	for (unsigned kind = 0; kind < KEY_KINDS; kind++)
		free_entries(groups, kind);
	free_leaders(&groups->other);
	free(groups);
}
