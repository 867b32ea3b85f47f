/* SPDX-License-Identifier: BSD-2-Clause */
/* A review ──► JSON. */
#include <string.h>

#include "analysis/report_words.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "event/event_words.h"
#include "report/report_print.h"

/* Texts of a log are escaped already. */
static struct json_object *text_of(const char *text) {
	return json_object_new_string(text);
}

static int put_moment(struct json_object *object, const char *key, int64_t time) {
	struct timestamp timestamp = {0};

	return json_put(object, key, text_of(timestamp_write_microseconds(&timestamp, time)));
}

static int put_words(struct json_object *object, const char *key, const struct leaders *leaders) {
	struct json_object *array = json_object_new_array();
	const char *words[LEADERS];
	unsigned count = leaders_sorted(leaders, words);
	int error = 0;

	for (unsigned i = 0; i < count; i++)
		error |= json_add(array, text_of(words[i]));
	return error | json_put(object, key, array);
}

/* The lists of words, and the keys of those that have not all. */
static int put_lists(struct json_object *object, const struct group *group) {
	static const char *const keys[] = {"reasons", "processes", "names"};
	const struct leaders *const lists[] = {&group->reasons, &group->processes, &group->names};
	struct json_object *incomplete = NULL;
	int error = 0;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		error |= put_words(object, keys[i], lists[i]);
		if (!lists[i]->more)
			continue;
		if (!incomplete)
			incomplete = json_object_new_array();
		error |= json_add(incomplete, text_of(keys[i]));
	}
	return incomplete ? error | json_put(object, "incomplete", incomplete) : error;
}

static int put_counts(struct json_object *object, const struct group *group) {
	int error = 0;

	error |= json_put_number(object, "blocked", group->blocked);
	error |= json_put_number(object, "would_block", group->would_block);
	return error | json_put_number(object, "allowed", group->allowed);
}

static struct json_object *group_json(const struct groups *groups, const struct group *group) {
	struct json_object *object = json_object_new_object();
	int error = 0;

	error |= json_put(object, group_by_word(groups_by(groups)), text_of(group->key));
	error |= put_counts(object, group);
	error |= put_moment(object, "first", group->first);
	error |= put_moment(object, "last", group->last);
	error |= put_lists(object, group);
	return json_checked(object, error);
}

static int put_groups(struct json_object *report, const char *key, const struct groups *groups) {
	struct json_object *array = json_object_new_array();
	const struct group *other = groups_other(groups);
	size_t count;
	const struct group **sorted = groups_sorted(groups, &count);
	int error = sorted ? 0 : -1;

	for (size_t i = 0; !error && i < count; i++)
		error = json_add(array, group_json(groups, sorted[i]));
	if (!error && group_refused(other) + other->allowed > 0)
		error = json_add(array, group_json(groups, other));
	free(sorted);
	return error | json_put(report, key, array);
}

static const char *const class_words[] = {
	[REASON_UNKNOWN] = "unknown",	  [REASON_ALLOWED] = "allowed",	      [REASON_NO_RULE] = "no_rule",
	[REASON_DENY_RULE] = "deny_rule", [REASON_UNUSUAL] = "unusual",	      [REASON_ATTACK] = "attack",
	[REASON_FILTER] = "filter",	  [REASON_LONG_HELLO] = "long_hello", [REASON_ELSEWHERE] = "elsewhere",
};

static int add_classes(struct json_object *reasons) {
	int error = 0;

	for (size_t i = 0; i < json_object_array_length(reasons); i++) {
		struct json_object *group = json_object_array_get_idx(reasons, i), *reason;

		json_object_object_get_ex(group, "reason", &reason);
		error |= json_put_text(group, "class",
				       class_words[reason_class(reason_of(json_object_get_string(reason)))]);
	}
	return error;
}

static int put_near_misses(struct json_object *report, const struct review *review) {
	static const char *const kinds[] = {[NEAR_APEX] = "apex", [NEAR_EDIT] = "one_edit", [NEAR_SIBLING] = "sibling"};
	struct json_object *array = json_object_new_array(), *object;
	char allowed[SNIF_NAME_BUFFER + 4], note[REPORT_WORDS_SIZE];
	int error = 0;

	for (size_t i = 0; i < review->near_count; i++) {
		const struct review_near_miss *near = &review->near[i];

		object = json_object_new_object();
		snprintf(allowed, sizeof(allowed), "%s%s", host_form_text(near->allowed->form), near->allowed->name);
		error |= json_put(object, "name", text_of(near->refused->key));
		error |= json_put_number(object, "refused", group_refused(near->refused));
		error |= json_put(object, "kind", text_of(kinds[near->kind]));
		error |= json_put(object, "allowed", text_of(allowed));
		error |= json_add(array, json_checked(object, error));
	}
	error |= json_put(report, "near_misses", array);
	if (report_near_misses_note(review, note))
		error |= json_put(report, "near_misses_note", text_of(note));
	return error;
}

static int put_losses(struct json_object *report, const struct review *review) {
	struct json_object *object = json_object_new_object();
	struct log_losses runs = log_runs_losses(review->runs);
	int error = 0;

	error |= json_put_number(object, "events", runs.lost);
	error |= json_put_number(object, "lines_before", runs.before);
	error |= json_put_number(object, "missing_lines", runs.missing);
	error |= json_put_number(object, "runs_without_end", runs.unended);
	error |= json_put_number(object, "lines_of_more_runs", runs.beyond);
	error |= json_put_number(object, "bad_lines", review->tally.bad);
	error |= json_put_number(object, "unread_files", review->tally.unread);
	error |= json_put_number(object, "undecided", review->undecided);
	error |= json_put_number(object, "names_not_compared", review->uncompared);
	error |= json_put_number(object, "allowed_not_compared", review->other_beyond);
	error |= json_put(report, "lost", object);
	error |= json_put_number(report, "runs", runs.runs);
	return error | json_put_number(report, "allowed_counted", runs.allowed);
}

static int put_overview(struct json_object *report, const struct review *review) {
	struct json_object *reasons = NULL;
	int error = put_groups(report, "names", review->by[BY_NAME]);

	error |= put_groups(report, "reasons", review->by[BY_REASON]);
	if (json_object_object_get_ex(report, "reasons", &reasons))
		error |= add_classes(reasons);
	return error | put_near_misses(report, review);
}

/* The totals, and when the first and last event were, where there is one. */
static int put_totals(struct json_object *report, const struct groups *groups) {
	const struct group *total = groups_total(groups);
	int error = put_counts(report, total);
	int64_t first, last;

	groups_period(groups, &first, &last);
	if (group_refused(total) + total->allowed == 0)
		return error;
	error |= put_moment(report, "first", first);
	return error | put_moment(report, "last", last);
}

int report_json(const struct review *review, bool overview, FILE *out) {
	struct json_object *report = json_object_new_object();
	int error = put_totals(report, review_groups(review));

	if (overview)
		error |= put_overview(report, review);
	else
		error |= put_groups(report, "groups", review_groups(review));
	error |= put_losses(report, review);
	return json_write(report, error, out);
}
