/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines ──► runs ──► what is not there. */
#include "log/log_runs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "cgroup/cgroup.h"

enum { ID_SIZE = 17 };

struct run {
	char id[ID_SIZE];
	uint64_t lines, first, last; /* sequence numbers, which count from 1 */
	uint64_t lost_events, allowed;
	bool meant; /* some event of it is */
	bool ends;  /* a command's, unlike what `monitor` watches and `inspect` reads */
	bool ended;
	bool lost; /* there was no memory to enter it */
	UT_hash_handle hh;
};

struct log_runs {
	struct run *table, *recent; /* recent: the one of the last line, most likely also of the next */
	uint64_t count, beyond;
};

struct log_runs *log_runs_new(void) {
	return hash_start() ? calloc(1, sizeof(struct log_runs)) : NULL;
}

static struct run *add_run(struct log_runs *runs, const struct log_event *event) {
	struct run *run = calloc(1, sizeof(*run));

	if (!run)
		return NULL;
	memcpy(run->id, event->run_id, strlen(event->run_id));
	run->first = event->sequence;
	HASH_ADD_STR(runs->table, id, run);
	if (run->lost) {
		free(run);
		return NULL;
	}
	runs->count++;
	return run;
}

static void greatest(uint64_t *kept, uint64_t value) {
	if (value > *kept)
		*kept = value;
}

static void count(struct run *run, const struct log_event *event) {
	run->lines++;
	greatest(&run->last, event->sequence);
	if (event->sequence < run->first)
		run->first = event->sequence;
	greatest(&run->lost_events, event->lost);
	greatest(&run->allowed, event->allowed);
	run->ends |= cgroup_is_ours(event->cgroup);
	run->ended |= event->ended;
}

int log_runs_add(struct log_runs *runs, const struct log_event *event, bool meant) {
	struct run *run = runs->recent;

	if (!*event->run_id || strlen(event->run_id) >= ID_SIZE || event->sequence == 0)
		return 0; /* not of snifence, or of a version before runs had ids */
	if (!run || strcmp(run->id, event->run_id) != 0)
		HASH_FIND_STR(runs->table, event->run_id, run);
	if (!run && runs->count >= LOG_RUNS_MAX) {
		runs->beyond += meant;
		return 0;
	}
	if (!run)
		run = add_run(runs, event);
	if (!run)
		return -ENOMEM;
	runs->recent = run;
	count(run, event);
	run->meant |= meant;
	return 0;
}

struct log_losses log_runs_losses(const struct log_runs *runs) {
	struct log_losses losses = {.beyond = runs->beyond};

	for (const struct run *run = runs->table; run; run = run->hh.next) {
		uint64_t span = run->last - run->first + 1;

		if (!run->meant)
			continue;
		losses.runs++;
		losses.unended += run->ends && !run->ended;
		losses.before += run->first - 1;
		losses.missing += span > run->lines ? span - run->lines : 0;
		losses.lost += run->lost_events;
		losses.allowed += run->allowed;
	}
	return losses;
}

uint64_t log_losses_total(const struct log_losses *losses) {
	return losses->lost + losses->before + losses->missing;
}

void log_runs_free(struct log_runs *runs) {
	struct run *run, *next;

	if (!runs)
		return;
	run = runs->table;
	HASH_CLEAR(hh, runs->table);
	for (; run; run = next) {
		next = run->hh.next;
		free(run);
	}
	free(runs);
}
