/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a run ──► the last line of its log. */
#include "stats.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>

#include "timestamp.h"

/* Adds a value that was just made; `false` where memory ran out. Owns the value either way. */
static bool add(json_object *object, const char *key, json_object *value) {
	if (value && json_object_object_add(object, key, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

static json_object *command_json(const struct outcome *outcome) {
	json_object *command = json_object_new_object();
	bool ok = command && add(command, "status", json_object_new_int(outcome->status));
	if (ok && outcome->signal)
		ok = add(command, "signal", json_object_new_int(outcome->signal));
	ok = ok && add(command, "outlived", json_object_new_int(outcome->outlived));
	if (ok)
		return command;
	json_object_put(command);
	return NULL;
}

static json_object *counters_json(const struct filter *filter) {
	json_object *counters = json_object_new_object();
	bool ok = counters != NULL;
	for (uint32_t reason = 0; ok && reason < SNIF_REASON_COUNT; reason++) {
		uint64_t value = filter_counter(filter, reason);
		if (value)
			ok = add(counters, reason_code(reason), json_object_new_uint64(value));
	}
	if (ok)
		return counters;
	json_object_put(counters);
	return NULL;
}

static bool fill(json_object *line, const struct event_context *context, const struct outcome *outcome,
		 const struct tally *tally, const struct filter *filter) {
	char timestamp[TIMESTAMP_SIZE];
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	timestamp_write(timestamp, &now);
	return add(line, "timestamp", json_object_new_string(timestamp)) &&
	       add(line, "event_type", json_object_new_string("stats")) &&
	       add(line, "policy", json_object_new_string(context->policy->name)) &&
	       add(line, "policy_sha256", json_object_new_string(context->policy_sha256)) &&
	       add(line, "command", command_json(outcome)) &&
	       add(line, "allowed", json_object_new_uint64(tally->allowed)) &&
	       add(line, "blocked", json_object_new_uint64(tally->blocked)) &&
	       add(line, "lost", json_object_new_uint64(filter_counter(filter, SNIF_COUNTER_LOST))) &&
	       add(line, "counters", counters_json(filter));
}

int stats_write(FILE *out, const struct event_context *context, const struct outcome *outcome,
		const struct tally *tally, const struct filter *filter) {
	json_object *line = json_object_new_object();
	const char *text = NULL;
	if (line && fill(line, context, outcome, tally, filter))
		text = json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	int err = 0;
	if (!text)
		err = -ENOMEM;
	else if (fprintf(out, "%s\n", text) < 0 || fflush(out))
		err = errno ? -errno : -EIO;
	json_object_put(line);
	return err;
}
