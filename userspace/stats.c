/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a run ──► the last line of its log. */
#include "stats.h"

#include "json.h"
#include "timestamp.h"

static int put_command(struct json_object *line, const struct outcome *outcome) {
	struct json_object *command = json_object_new_object();
	int error = json_put(command, "status", json_object_new_int(outcome->status));

	if (outcome->signal)
		error |= json_put(command, "signal", json_object_new_int(outcome->signal));
	error |= json_put(command, "outlived", json_object_new_int(outcome->outlived));
	return error | json_put(line, "command", command);
}

static int put_counters(struct json_object *line, const struct filter *filter) {
	struct json_object *counters = json_object_new_object();
	int error = 0;

	for (uint32_t reason = 0; reason < SNIF_REASON_COUNT; reason++) {
		uint64_t value = filter_counter(filter, reason);

		if (value)
			error |= json_put_number(counters, reason_code(reason), value);
	}
	return error | json_put(line, "counters", counters);
}

int stats_write(FILE *out, const struct event_context *context, const struct outcome *outcome,
		const struct tally *tally, const struct filter *filter) {
	struct json_object *line = json_object_new_object();
	char timestamp[TIMESTAMP_SIZE];
	struct timespec now;
	int error = 0;

	clock_gettime(CLOCK_REALTIME, &now);
	timestamp_write(timestamp, &now);
	error |= json_put_text(line, "timestamp", timestamp);
	error |= json_put_text(line, "event_type", "stats");
	error |= json_put_text(line, "policy", context->policy->name);
	error |= json_put_text(line, "policy_sha256", context->policy_sha256);
	error |= put_command(line, outcome);
	error |= json_put_number(line, "allowed", tally->allowed);
	error |= json_put_number(line, "blocked", tally->blocked);
	error |= json_put_number(line, "lost", filter_counter(filter, SNIF_COUNTER_LOST));
	error |= put_counters(line, filter);
	return json_write(line, error, out);
}
