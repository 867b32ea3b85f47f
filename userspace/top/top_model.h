/* SPDX-License-Identifier: BSD-2-Clause */
/* What `snifence top` knows: the counts of a report, the last events, and how many there are in a second. */
#ifndef SNIF_TOP_MODEL_H
#define SNIF_TOP_MODEL_H

#include "analysis/review.h"

enum { TOP_RECENT = 1000, TOP_FOUND = 1000, TOP_TEXT = 256, TOP_SECONDS = 5 };

/* An event as it is shown; texts are cut at TOP_TEXT. */
struct top_event {
	int64_t time;
	enum log_action action;
	uint64_t pid, uid;
	/* name: the destination where there is none; destination, rule, policy: "" where there is none */
	char name[TOP_TEXT], reason[TOP_TEXT], process[TOP_TEXT], destination[TOP_TEXT], rule[TOP_TEXT],
		policy[TOP_TEXT];
};

/* Where a name was found, by the last answer that says so. */
struct top_found {
	int64_t expires; /* microseconds since 1970: until then it counts */
	char name[TOP_TEXT], address[TOP_TEXT], process[TOP_TEXT];
};

struct top_model {
	struct review review; /* by name and by process; the filter may be set before top_model_start() */
	char policy[64];      /* of the last event that has one */
	struct top_event *recent;
	uint64_t events;	 /* with a verdict; the last TOP_RECENT of them are in recent[n % TOP_RECENT] */
	struct top_found *found; /* at most TOP_FOUND; what ends soonest makes room */
	size_t found_count;
	/* Of the seconds of the clock that end with `second`, each in [second % (TOP_SECONDS + 1)]. */
	int64_t second;
	uint32_t refused[TOP_SECONDS + 1], allowed[TOP_SECONDS + 1];
};

/* Makes room for it. Returns 0 or -ENOMEM; top_model_free() is due in either case. */
int top_model_start(struct top_model *model);

/* Counts an event. `now`: microseconds since 1970. Returns 0 or -ENOMEM. */
int top_model_add(struct top_model *model, const struct log_event *event, int64_t now);

/* How many events a second there were in the TOP_SECONDS whole seconds before `now`, by their own time: what is read
 * from an old log makes no rate. */
void top_model_rates(struct top_model *model, int64_t now, double *refused, double *allowed);

void top_model_free(struct top_model *model);

#endif
