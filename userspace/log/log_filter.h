/* SPDX-License-Identifier: BSD-2-Clause */
/* Which events of a log are meant: the options --since, --until, --policy and so on of all that read logs. */
#ifndef SNIF_LOG_FILTER_H
#define SNIF_LOG_FILTER_H

#include <getopt.h>

#include "event/event_read.h"
#include "policy/hostname.h"

/* All zero: every event. The texts are borrowed from the command line. */
struct log_filter {
	bool has_since, has_until;
	int64_t since, until;		       /* microseconds since 1970; events at `since` are in, at `until` out */
	const char *policy, *cgroup, *process; /* patterns of fnmatch(3) */
	const char *reason;		       /* its word */
	bool by_name;
	struct hostname name;
	unsigned actions; /* 1 << enum log_action; 0: any */
};

/* The rows of a getopt_long() table, and what --help says of them. */
/* clang-format off */
#define LOG_FILTER_OPTIONS \
	{"since", required_argument, NULL, 'S'}, {"until", required_argument, NULL, 'U'}, \
	{"policy", required_argument, NULL, 'P'}, {"cgroup", required_argument, NULL, 'C'}, \
	{"name", required_argument, NULL, 'N'}, {"reason", required_argument, NULL, 'R'}, \
	{"action", required_argument, NULL, 'A'}, {"process", required_argument, NULL, 'X'}
/* clang-format on */
#define LOG_FILTER_USAGE                                                                                                       \
	"  --since TIME        events from this time on: 90s, 30m, 2h, 7d or 4w ago, or like 2026-01-31, '2026-01-31 12:00'\n" \
	"  --until TIME        events before this time\n"                                                                      \
	"  --policy PATTERN    events of policies with such a name\n"                                                          \
	"  --cgroup PATTERN    of cgroups with such a path\n"                                                                  \
	"  --process PATTERN   of processes with such a name; in patterns * ? [] are as in the shell\n"                        \
	"  --name NAME         with this server name; *.example.com and .example.com as in a policy\n"                         \
	"  --reason REASON     with this reason, like name_not_allowed; of a newer version too, or unknown\n"                  \
	"  --action ACTION     pass, reject, drop, alert, or refused: reject and drop\n"

/*
 * Takes one of these options, with optarg. `subcommand` is for messages. Returns 0; -EINVAL after saying what is wrong;
 * or 1 when the option is another one.
 */
int log_filter_take(struct log_filter *filter, int option, const char *subcommand);

/* Whether it leaves out anything. */
bool log_filter_any(const struct log_filter *filter);

/* Whether the event is meant. */
bool log_filter_match(const struct log_filter *filter, const struct log_event *event);

#endif
