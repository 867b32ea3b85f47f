/* SPDX-License-Identifier: BSD-2-Clause */
/* Options, event ──► whether the event is meant. */
#include "log/log_filter.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <time.h>

#include "base/command_line.h"
#include "base/message.h"
#include "base/moment.h"
#include "event/event_words.h"

static int take_moment(int64_t *moment, bool *given, const char *option, const char *subcommand) {
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*given = true;
	if (moment_read(optarg, (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000, moment))
		return 0;
	message_error("%s: %s is no time for %s; write 2h, 2026-01-31 or '2026-01-31 12:00'", subcommand, optarg,
		      option);
	return -EINVAL;
}

static int take_name(struct log_filter *filter, const char *subcommand) {
	char message[HOSTNAME_MESSAGE];

	filter->by_name = true;
	if (hostname_parse(optarg, true, &filter->name, message) == 0)
		return 0;
	message_error("%s: --name: %s", subcommand, message);
	return -EINVAL;
}

/* A log can have reasons that this version does not know; but most words that are none are misspelt. */
static void take_reason(struct log_filter *filter, const char *subcommand) {
	enum snif_reason reason = reason_of(optarg);
	const char *closest;

	filter->reason = optarg;
	if ((reason != SNIF_REASON_NONE && reason != SNIF_REASON_COUNT) ||
	    strcmp(optarg, reason_code(SNIF_REASON_COUNT)) == 0)
		return;
	closest = reason_near(optarg);
	message_error("%s: the reason %s is not known to this version%s%s%s: only events with just that word are meant",
		      subcommand, optarg, closest ? " (did you mean " : "", closest ? closest : "",
		      closest ? "?)" : "");
}

static int take_action(struct log_filter *filter, const char *subcommand) {
	static const struct {
		const char *word;
		unsigned actions;
	} words[] = {
		{"pass", 1 << LOG_PASS},
		{"reject", 1 << LOG_REJECT},
		{"drop", 1 << LOG_DROP},
		{"refused", 1 << LOG_REJECT | 1 << LOG_DROP},
		{"blocked", 1 << LOG_REJECT | 1 << LOG_DROP}, /* as the log counts them */
		{"alert", 1 << LOG_ALERT},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, optarg) == 0) {
			filter->actions = words[i].actions;
			return 0;
		}
	return command_line_wrong(subcommand, "--action is pass, reject, drop, alert or refused, not ", optarg);
}

int log_filter_take(struct log_filter *filter, int option, const char *subcommand) {
	switch (option) {
	case 'S':
		return take_moment(&filter->since, &filter->has_since, "--since", subcommand);
	case 'U':
		return take_moment(&filter->until, &filter->has_until, "--until", subcommand);
	case 'P':
		filter->policy = optarg;
		return 0;
	case 'C':
		filter->cgroup = optarg;
		return 0;
	case 'X':
		filter->process = optarg;
		return 0;
	case 'N':
		return take_name(filter, subcommand);
	case 'R':
		take_reason(filter, subcommand);
		return 0;
	case 'A':
		return take_action(filter, subcommand);
	default:
		return 1;
	}
}

bool log_filter_any(const struct log_filter *filter) {
	return filter->has_since || filter->has_until || filter->policy || filter->cgroup || filter->process ||
	       filter->by_name || filter->reason || filter->actions;
}

static bool name_matches(const struct hostname *rule, const char *name) {
	size_t length = strlen(name), under = strlen(rule->name);

	if (rule->form != HOST_BELOW && strcmp(name, rule->name) == 0)
		return true;
	return rule->form != HOST_EXACT && length > under + 1 && name[length - under - 1] == '.' &&
	       strcmp(name + length - under, rule->name) == 0;
}

static bool fits(const char *pattern, const char *text) {
	return !pattern || fnmatch(pattern, text, 0) == 0;
}

bool log_filter_match(const struct log_filter *filter, const struct log_event *event) {
	return (!filter->has_since || event->time >= filter->since) &&
	       (!filter->has_until || event->time < filter->until) &&
	       (!filter->reason || strcmp(event->reason_word, filter->reason) == 0) &&
	       (!filter->actions || filter->actions & 1U << event->action) && fits(filter->policy, event->policy) &&
	       fits(filter->cgroup, event->cgroup) && fits(filter->process, event->process) &&
	       (!filter->by_name || name_matches(&filter->name, event->name));
}
