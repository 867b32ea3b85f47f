/* SPDX-License-Identifier: BSD-2-Clause */
/* Events of a log, counted by one of their properties, in bounded memory. */
#ifndef SNIF_GROUPS_H
#define SNIF_GROUPS_H

#include "analysis/leaders.h"
#include "analysis/timeline.h"
#include "event/event_read.h"

enum group_by {
	BY_NAME,    /* the server name; the destination where there is none */
	BY_REASON,  /* the reason's code */
	BY_PROCESS, /* the process's name */
	BY_CGROUP,  /* the cgroup's path */
	BY_ADDRESS, /* address:port/protocol */
	BY_RULE,    /* file:line */
	BY_HOUR,    /* 2026-01-31 12:00, local time */
	BY_POLICY,  /* the policy's name */
	GROUP_BYS,
};

/* Its word on the command line, like `name`; and the one with this word, or GROUP_BYS. */
const char *group_by_word(enum group_by by);
enum group_by group_by_of(const char *word);

/* `192.0.2.1:443/TCP`, `[2001:db8::1]:443/TCP`, or `a socket of protocol ICMP` where there is no address; of what
 * is no connection `device 10:200` and `socket option 0:15`, by its level and number. */
enum { GROUP_DESTINATION_SIZE = 256 };
void group_destination(const struct log_event *event, char out[GROUP_DESTINATION_SIZE]);

/* Reads such a text of TCP or UDP; `protocol` is IPPROTO_*. false: it is another one. */
bool group_destination_read(const char *text, uint8_t address[16], uint16_t *port, uint8_t *protocol);

struct group {
	uint64_t blocked, would_block, allowed;	  /* would_block: let through by audit mode */
	bool by_rule;				  /* a rule refused it, at least once */
	int64_t first, last;			  /* microseconds since 1970 */
	struct leaders reasons, processes, names; /* names: as in BY_NAME, for the others */
	/* [0]: refused, also by audit mode; [1]: allowed. The grid is groups_timeline(). */
	uint32_t over_time[2][TIMELINE_BUCKETS];
	const char *key; /* printable ASCII; `(none)` for what does not have the property */
};

struct groups;

/*
 * Beyond this many the rest is counted in groups_other(). A group takes about 1 KiB. Of longer keys the beginning
 * counts.
 */
enum { GROUPS_MAX = 50000, GROUP_KEY_LENGTH = 1023 };

struct groups *groups_new(enum group_by by); /* NULL: out of memory */

/* Counts an event. One that is undecided is passed over. Returns 0 or -ENOMEM. */
int groups_add(struct groups *groups, const struct log_event *event);

/*
 * The groups, those with the most refusals first, at the same number those with the most allowed ones, then by key; by
 * hour: in order of time. NULL when memory is out; else an array of `count` to be freed with free(), whose items are
 * valid until the next groups_add().
 */
const struct group **groups_sorted(const struct groups *groups, size_t *count);

enum group_by groups_by(const struct groups *groups);
const struct group *groups_other(const struct groups *groups); /* what has found no place; its key is `(others)` */
const struct group *groups_total(const struct groups *groups); /* all, only counted; its key is `(all)` */
/* Whether the process of some event is known: of a capture, none is. */
bool groups_have_processes(const struct groups *groups);
/* When the first and the last event were, in microseconds since 1970. */
void groups_period(const struct groups *groups, int64_t *first, int64_t *last);
const struct timeline *groups_timeline(const struct groups *groups);
static inline uint64_t group_refused(const struct group *group) {
	return group->blocked + group->would_block;
}

void groups_free(struct groups *groups);

#endif
