/* SPDX-License-Identifier: BSD-2-Clause */
/* What is resident ──► metrics. */
#include "monitor/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/reason_about.h"
#include "base/replace.h"
#include "base/text.h"
#include "confine/log_place.h"
#include "control/inventory.h"
#include "event/event_words.h"

/* A label's value: backslash, quote and newline are escaped. */
static void put_value(FILE *out, const char *text) {
	for (; *text; text++) {
		if (*text == '\n') {
			fputs("\\n", out);
			continue;
		}
		if (*text == '\\' || *text == '"')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void put_policy(FILE *out, const struct inventory_policy *policy) {
	char number[16];

	snprintf(number, sizeof(number), "run-%u", policy->number);
	/* `instance` is Prometheus's own, for whom it asks */
	fprintf(out, "{level=\"%u\",policy=\"", policy->instance);
	put_value(out, policy->noted ? policy->entry.name : number);
	fputs("\",file=\"", out);
	put_value(out, policy->noted ? policy->entry.file : "");
	fputc('"', out);
}

static void put_head(FILE *out, const char *name, const char *type, const char *help) {
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static const char *action_of(const struct inventory_policy *policy, enum snif_reason reason) {
	if (reason_class(reason) == REASON_ALLOWED)
		return "allowed";
	return policy->settings.options.mode == SNIF_AUDIT ? "would_block" : "blocked";
}

static void put_decisions(FILE *out, const struct inventory *inventory) {
	put_head(out, "snifence_decisions_total", "counter", "Decisions on connections, datagrams and calls.");
	for (size_t i = 0; i < inventory->policy_count; i++)
		for (int reason = SNIF_REASON_NONE + 1; reason < SNIF_REASON_COUNT; reason++) {
			const struct inventory_policy *policy = &inventory->policies[i];

			if (policy->counters.of[reason] == 0)
				continue;
			fputs("snifence_decisions_total", out);
			put_policy(out, policy);
			fprintf(out, ",action=\"%s\",reason=\"%s\"} %" PRIu64 "\n",
				action_of(policy, (enum snif_reason)reason), reason_code((enum snif_reason)reason),
				(uint64_t)policy->counters.of[reason]);
		}
}

/* One number of each policy. */
static void put_number(FILE *out, const struct inventory *inventory, const char *name,
		       uint64_t (*number)(const struct inventory_policy *policy)) {
	for (size_t i = 0; i < inventory->policy_count; i++) {
		fputs(name, out);
		put_policy(out, &inventory->policies[i]);
		fprintf(out, "} %" PRIu64 "\n", number(&inventory->policies[i]));
	}
}

static uint64_t lost(const struct inventory_policy *policy) {
	return policy->counters.of[SNIF_COUNTER_LOST];
}

static uint64_t generation(const struct inventory_policy *policy) {
	return policy->active.generation;
}

static uint64_t since(const struct inventory_policy *policy) {
	return policy->noted ? (uint64_t)policy->entry.since : 0;
}

static void put_attachments(FILE *out, const struct inventory *inventory) {
	static const char *const words[] = {
		[INVENTORY_LIVE] = "live", [INVENTORY_GONE] = "cgroup_gone", [INVENTORY_NOT_WHOLE] = "not_whole"};
	unsigned counts[3] = {0};

	put_head(out, "snifence_attachments", "gauge", "Attached cgroups, by their state.");
	for (size_t i = 0; i < inventory->attachment_count; i++)
		counts[inventory->attachments[i].state]++;
	for (int i = 0; i < 3; i++)
		fprintf(out, "snifence_attachments{state=\"%s\"} %u\n", words[i], counts[i]);
}

static void put_verified(FILE *out, const struct verified *verified) {
	if (verified->at) {
		put_head(out, "snifence_verify_findings", "gauge", "What snifence verify has found, by its kind.");
		for (int kind = 0; kind < FINDING_KIND_COUNT; kind++)
			fprintf(out, "snifence_verify_findings{kind=\"%s\"} %" PRIu64 "\n", finding_word(kind),
				verified->counts[kind]);
	}
	put_head(out, "snifence_verify_timestamp_seconds", "gauge", "When all was verified the last time; 0: not yet.");
	fprintf(out, "snifence_verify_timestamp_seconds %" PRIu64 "\n", verified->at);
}

static void put_all(FILE *out, const struct inventory *inventory, const struct verified *verified) {
	put_decisions(out, inventory);
	put_head(out, "snifence_events_lost_total", "counter", "Events that found no room in their ring buffer.");
	put_number(out, inventory, "snifence_events_lost_total", lost);
	put_head(out, "snifence_policy_generation", "gauge", "Grows with each reload of the policy.");
	put_number(out, inventory, "snifence_policy_generation", generation);
	put_head(out, "snifence_policy_loaded_timestamp_seconds", "gauge", "When the policy was put in force.");
	put_number(out, inventory, "snifence_policy_loaded_timestamp_seconds", since);
	put_attachments(out, inventory);
	put_verified(out, verified);
}

char *metrics_text(const struct verified *verified) {
	struct inventory inventory = {0};
	struct instances instances;
	int error = instances_peek(&instances);
	char *text = NULL;
	size_t size;
	FILE *out;

	if (!error) {
		error = inventory_read(&instances, &inventory);
		instances_release(&instances);
	}
	if (error && error != -ENOENT)
		return NULL;
	out = text_open(&text, &size);
	if (out)
		put_all(out, &inventory, verified);
	inventory_free(&inventory);
	text_close(out, &text);
	return text;
}

/* The folder is found once, and then by its descriptor, as its name can come to lead elsewhere. */
static int put_in(const struct log_place *place, const char *text) {
	char path[sizeof("/proc/self/fd/") + 10 + sizeof(place->name)];
	struct replacement replacement;
	int error;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", place->folder, place->name);
	error = replace_begin(&replacement, path);
	return error ? error : replace_end(&replacement, fputs(text, replacement.stream) < 0 ? -EIO : 0);
}

int metrics_write(const char *path, const struct verified *verified) {
	static const struct identity nobody = {0};
	struct log_place place;
	char *text = metrics_text(verified);
	int error = text ? log_place_find(&place, path, &nobody) : -ENOMEM;

	if (!error) {
		error = put_in(&place, text);
		close(place.folder);
	}
	free(text);
	return error;
}
