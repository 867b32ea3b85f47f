/* SPDX-License-Identifier: BSD-2-Clause */
/* A review ──► sentences. */
#include "analysis/report_words.h"

#include <inttypes.h>
#include <stdio.h>

const struct report_words *report_words(const struct group *total) {
	static const struct report_words refused = {"Refused", "Most refused", "refused over time", "were refused",
						    "REFUSED"};
	static const struct report_words audited = {"Would be refused", "Would be refused most",
						    "would be refused, over time", "would be refused", "AUDITED"};
	static const struct report_words both = {"Refused, or would be", "Most refused, or would be",
						 "refused, or would be, over time", "were or would be refused",
						 "TIMES"};

	if (total->would_block == 0)
		return &refused;
	return total->blocked == 0 ? &audited : &both;
}

void report_near_miss(const struct review_near_miss *near, char out[REPORT_WORDS_SIZE]) {
	const char *form = host_form_text(near->allowed->form), *name = near->allowed->name;

	if (near->kind == NEAR_APEX)
		snprintf(out, REPORT_WORDS_SIZE, "%s%s is allowed, which does not cover %s itself", form, name, name);
	else if (near->kind == NEAR_EDIT)
		snprintf(out, REPORT_WORDS_SIZE, "%s%s is allowed: a misspelling, or an imitation", form, name);
	else
		snprintf(out, REPORT_WORDS_SIZE, "%s%s is allowed, of the same domain", form, name);
}

bool report_near_misses_note(const struct review *review, char out[REPORT_WORDS_SIZE]) {
	const char *what = review->allowed_count == 0 ? "near misses are not known"
						      : "only names that the log has as allowed are compared";

	*out = '\0';
	if (review->refused_names == 0 || review->policy_known)
		return false;
	if (review->policy_differs)
		snprintf(
			out, REPORT_WORDS_SIZE,
			"%s: %s is another policy than that of the log, or it or the machine's resolvers have changed since; name that with "
			"--policy-file",
			what, review->rule_file);
	else
		snprintf(out, REPORT_WORDS_SIZE, "%s: name the policy with --policy-file", what);
	return true;
}

unsigned report_losses(const struct review *review, char out[REPORT_LOSSES][REPORT_WORDS_SIZE]) {
	struct log_losses runs = log_runs_losses(review->runs);
	const struct log_tally *tally = &review->tally;
	unsigned count = 0;

	if (runs.lost > 0)
		snprintf(out[count++], REPORT_WORDS_SIZE,
			 "%" PRIu64 " event%s lost while the command ran (the ring buffer was full)", runs.lost,
			 runs.lost == 1 ? " was" : "s were");
	if (runs.before > 0)
		snprintf(out[count++], REPORT_WORDS_SIZE, "%" PRIu64 " line%s missing from before the first ones",
			 runs.before, runs.before == 1 ? " is" : "s are");
	if (runs.missing > 0)
		snprintf(out[count++], REPORT_WORDS_SIZE, "%" PRIu64 " line%s missing from between the others",
			 runs.missing, runs.missing == 1 ? " is" : "s are");
	if (runs.unended > 0)
		snprintf(out[count++], REPORT_WORDS_SIZE,
			 "%" PRIu64 " run%s no end: still going, or snifence was killed", runs.unended,
			 runs.unended == 1 ? " has" : "s have");
	if (runs.beyond > 0)
		snprintf(out[count++], REPORT_WORDS_SIZE,
			 "%" PRIu64 " line%s of more than %d runs: what these have lost is not known", runs.beyond,
			 runs.beyond == 1 ? " is" : "s are", LOG_RUNS_MAX);
	if (tally->bad > 0)
		snprintf(out[count++], REPORT_WORDS_SIZE, "%" PRIu64 " bad line%s passed over, the last one at %s",
			 tally->bad, tally->bad == 1 ? " was" : "s were", tally->last_bad);
	if (tally->unread > 0)
		snprintf(out[count++], REPORT_WORDS_SIZE, "%u file%s not be read, or not to the end", tally->unread,
			 tally->unread == 1 ? " could" : "s could");
	if (review->expected > 0)
		snprintf(out[count++], REPORT_WORDS_SIZE, "%" PRIu64 " refusal%s, as deny rules expect",
			 review->expected, review->expected == 1 ? "" : "s");
	if (review->undecided > 0)
		snprintf(out[count++], REPORT_WORDS_SIZE, "%" PRIu64 " event%s without a verdict", review->undecided,
			 review->undecided == 1 ? "" : "s");
	if (review->uncompared > 0)
		snprintf(out[count++], REPORT_WORDS_SIZE,
			 "%zu refused name%s not compared with the allowed ones: there are too many",
			 review->uncompared, review->uncompared == 1 ? " was" : "s were");
	if (review->other_beyond > 0)
		snprintf(out[count++], REPORT_WORDS_SIZE,
			 "%" PRIu64
			 " allowed event%s not compared with refused names: the filters leave out more than %d "
			 "names",
			 review->other_beyond, review->other_beyond == 1 ? " was" : "s were", GROUPS_MAX);
	return count;
}

uint64_t report_allowed(const struct review *review, bool *only_counted) {
	uint64_t logged = groups_total(review_groups(review))->allowed;
	uint64_t counted = log_runs_losses(review->runs).allowed;

	*only_counted = logged == 0 && counted > 0 && !log_filter_any(&review->filter);
	return *only_counted ? counted : logged;
}

bool report_none_meant(const struct review *review, char out[REPORT_WORDS_SIZE]) {
	const struct group *total = groups_total(review_groups(review));

	*out = '\0';
	if (group_refused(total) + total->allowed + review->undecided + review->expected > 0 || review->events == 0)
		return false;
	snprintf(out, REPORT_WORDS_SIZE, "%" PRIu64 " event%s, none is meant by the filters", review->events,
		 review->events == 1 ? "" : "s");
	return true;
}
