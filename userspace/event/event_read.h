/* SPDX-License-Identifier: BSD-2-Clause */
/* One event as it stands in a log. */
#ifndef SNIF_EVENT_READ_H
#define SNIF_EVENT_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reason.h"

/* A longer line is passed over: an event is about 500 bytes long. */
enum { EVENT_LINE_MAX = 1 << 16 };

enum log_type {
	LOG_TLS,
	LOG_FLOW,
	LOG_DNS, /* a question; the types up to here are decisions */
	LOG_STATS,
	LOG_ANSWER, /* what a DNS server has answered */
	LOG_OTHER,  /* a type that this version does not know */
};

enum { LOG_ANSWERS = 32 };

struct log_answer {
	const char *address;
	uint64_t ttl, bound; /* bound: seconds that it counts for the name; 0: it does not */
};

enum log_action {
	LOG_UNDECIDED, /* no verdict: read from a capture without a policy, or an action that this version does not know */
	LOG_PASS,
	LOG_REJECT,
	LOG_DROP,
	LOG_ALERT, /* let through by audit mode, and would have been refused */
};

/*
 * A line of a log, as userspace/EVENTS.md describes it. Texts are never NULL: "" is what the line does not have, as 0
 * is for numbers. They are printable ASCII: other bytes, which a log of snifence does not have, stand as \xHH.
 */
struct log_event {
	const char *file; /* where it was read */
	uint64_t line;

	int64_t time; /* microseconds since 1970, UTC */
	enum log_type type;
	enum log_action action;
	enum snif_reason reason; /* NONE: there is none; SNIF_REASON_COUNT: one that this version does not know */
	const char *reason_word;

	const char *timestamp, *event_type, *action_word; /* as written */
	uint64_t version, sequence;
	const char *run_id;
	uint64_t flow_id;
	const char *source, *destination, *protocol; /* addresses without ports */
	uint64_t source_port, destination_port;
	uint64_t level, option; /* of setsockopt() */
	uint64_t major, minor;	/* of a device */
	const char *name;	/* the server name, or the one that was to be looked up */
	const char *question;	/* of LOG_DNS and LOG_ANSWER: the type of the records asked for */
	const char *dns_type;
	struct log_answer answers[LOG_ANSWERS];
	unsigned answer_count;
	const char *tls_version;
	bool ech;
	const char *rule;	    /* file:line */
	bool expected;		    /* the rule says that its refusals are no news */
	const char *policy_file;    /* of LOG_STATS: its path */
	const char *host, *program; /* of LOG_STATS: where the command ran, and its name */
	const char *policy, *policy_sha256, *mode, *hook;
	uint64_t pid, uid; /* pid 0: the process is not known, and so is uid */
	const char *process;
	uint64_t cgroup_id;
	const char *cgroup;

	uint64_t allowed, blocked, would_block, lost; /* of LOG_STATS: the counts of the run so far */
	bool ended;				      /* of LOG_STATS: the run's last line */
};

struct log_parser;

struct log_parser *log_parser_new(void); /* NULL: out of memory */

/*
 * Reads one line into `event`, all but file and line, with texts that are valid until the next call. Members that it
 * does not know are passed over. Returns NULL, or what is wrong with the line, valid until the next call: not one JSON
 * object, no timestamp or event_type, a known member of another type or over EVENT_LINE_MAX bytes.
 */
const char *log_parser_read(struct log_parser *parser, const char *text, size_t length, struct log_event *event);

void log_parser_free(struct log_parser *parser);

#endif
