/* SPDX-License-Identifier: BSD-2-Clause */
/* A refusal, the first time ──► a line about it, at once: to standard error or a file, and to a file of the command's. */
#include "run/notice.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "analysis/reason_about.h"
#include "analysis/remedy.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/outlet.h"
#include "event/event_words.h"
#include "policy/resolv.h"
#include "run/notice_file.h"
#include "run/summary.h"

/* Different notices of a run; lines that standard error gets at once, and milliseconds until it gets one more. */
enum { NOTICES_MOST = 1000, BURST = 10, REFILL_MS = 1000, STALL_MS = 500 };

struct notices {
	const struct policy *policy;
	bool to_terminal;
	struct log_file file; /* that --notify names */
	struct outlet *outlet;
	struct notice_file readable;
	void *told; /* tsearch(3): `what`, the program, the reason, in one text */
	size_t count;
	int tokens;
	long refilled; /* clock_ms() */
	uint64_t held; /* lines that standard error did not get */
};

static int open_file(struct notices *notices, const char *to, const struct identity *identity, bool warn) {
	static const struct log_file_kind kind = {"file of notices", "snifence: "};

	if (log_file_open(&notices->file, &kind, to, identity, warn))
		return -1;
	notices->outlet = outlet_open(notices->file.fd);
	if (notices->outlet)
		return 0;
	message_error("cannot open the file of notices %s: %s", to, strerror(errno));
	return -1;
}

struct notices *notices_new(const char *to, const struct policy *policy, const struct identity *identity, bool warn) {
	struct notices *notices = calloc(1, sizeof(*notices));
	int error = 0;

	if (!notices) {
		message_error("cannot tell of refusals: %s", strerror(ENOMEM));
		return NULL;
	}
	notices->policy = policy;
	notices->readable.fd = notices->file.fd = -1;
	notices->tokens = BURST;
	notices->to_terminal = to && strcmp(to, "stderr") == 0;
	if (to && strcmp(to, "off") == 0)
		return notices;
	if (to && !notices->to_terminal && open_file(notices, to, identity, warn)) {
		notices_free(notices);
		return NULL;
	}
	error = notice_file_make(&notices->readable);
	if (error && warn)
		message_error("the command cannot be given a file of notices: %s; it has no SNIFENCE_NOTICES",
			      strerror(-error));
	return notices;
}

const char *notices_file(const struct notices *notices) {
	return notices->readable.fd >= 0 ? notices->readable.path : NULL;
}

/* ---- where it goes ------------------------------------------------------------------------------------------------- */

/* Programs with a full screen take keys one by one, and so do shells while they wait for a line: not a moment for
 * words of others. */
static bool screen_is_taken(void) {
	struct termios modes;

	return tcgetattr(STDERR_FILENO, &modes) == 0 && !(modes.c_lflag & ICANON);
}

static bool take_token(struct notices *notices) {
	long now = clock_ms(), more = (now - notices->refilled) / REFILL_MS;

	if (more > 0) {
		notices->refilled = now;
		notices->tokens = notices->tokens + more < BURST ? notices->tokens + (int)more : BURST;
	}
	return notices->tokens > 0 && notices->tokens-- > 0;
}

static void write_terminal(struct notices *notices, const char *line, FILE *terminal) {
	if (screen_is_taken() || !take_token(notices)) {
		notices->held++;
		return;
	}
	if (notices->held > 0)
		fprintf(terminal, "snifence: %ju more refusal%s not shown here\n", (uintmax_t)notices->held,
			notices->held == 1 ? " was" : "s were");
	notices->held = 0;
	fputs(line, terminal);
}

/* `line` has its end. The command's file takes it, or is full, as any file in memory can be. */
static void write_line(struct notices *notices, const char *line, FILE *terminal) {
	size_t length = strlen(line);

	if (notices->readable.fd >= 0 && write(notices->readable.fd, line, length) < 0)
		notice_file_remove(&notices->readable);
	if (notices->outlet)
		outlet_put(notices->outlet, line, length);
	if (notices->to_terminal && terminal)
		write_terminal(notices, line, terminal);
}

/* ---- what it says -------------------------------------------------------------------------------------------------- */

static int compare(const void *left, const void *right) {
	return strcmp(left, right);
}

/* Whether it is to be told: it is new, and there is room. */
static bool is_news(struct notices *notices, const char *key, FILE *terminal) {
	char *kept;

	if (notices->count >= NOTICES_MOST || tfind(key, &notices->told, compare))
		return false;
	kept = strdup(key);
	if (!kept || !tsearch(kept, &notices->told, compare)) {
		free(kept);
		return false;
	}
	if (++notices->count < NOTICES_MOST)
		return true;
	write_line(notices, "snifence: refusals of other kinds are not told here any more\n", terminal);
	return false;
}

/* Where rules are written, in words. */
static void write_place(const struct policy *policy, char out[ESCAPED_SIZE(256)]) {
	if (strcmp(policy->file, "-") == 0)
		strcpy(out, "the policy");
	else if (strcmp(policy->file, POLICY_ALLOWED) == 0)
		strcpy(out, "a policy");
	else
		escape_bytes(out, policy->file, strnlen(policy->file, 256));
}

static int make_line(char **line, const struct policy *policy, const char *what, const char *who,
		     const struct remedy *remedy) {
	char place[ESCAPED_SIZE(256)];

	if (!remedy->section)
		return asprintf(line, "snifence: refused %s (%s); %s\n", what, who, remedy->text);
	if (strcmp(policy->file, POLICY_ALLOWED) == 0 && strcmp(remedy->section, "tls.allow") == 0)
		return asprintf(line, "snifence: refused %s (%s); to allow it: --allow %s\n", what, who, remedy->text);
	write_place(policy, place);
	return asprintf(line, "snifence: refused %s (%s); to allow it, under %s in %s: - %s%s%s\n", what, who,
			remedy->section, place, remedy->text, remedy->note ? " # " : "",
			remedy->note ? remedy->note : "");
}

/* Who has come to be a resolver of this machine meanwhile (a VPN, another network) is none of a run that goes on. */
static void say_new_server(const struct policy *policy, const struct refusal *refusal, struct remedy *remedy) {
	if (!remedy->section || strcmp(remedy->section, "dns.servers") != 0 || !policy->system_servers ||
	    !resolv_conf_has(RESOLV_CONF, refusal->address))
		return;
	remedy->section = NULL;
	snprintf(remedy->text, sizeof(remedy->text),
		 "it is named in " RESOLV_CONF " now, and was not a resolver when this began: start it again");
}

void notices_add(struct notices *notices, const struct snif_event *event, FILE *terminal) {
	char what[EVENT_WHAT_SIZE], asker[ESCAPED_SIZE(SNIF_COMM_LENGTH)], who[128];
	struct refusal refusal = {.reason = event->reason,
				  .name = event->name_length ? what : "",
				  .port = event->destination_port,
				  .protocol = event->protocol,
				  .rule = event->rule};
	struct remedy remedy;
	char *key, *line;

	event_what(what, event);
	escape_bytes(asker, event->process.name, strnlen(event->process.name, sizeof(event->process.name)));
	snprintf(who, sizeof(who), *asker ? "%s, %s" : "%s%s", asker, reason_code(event->reason));
	if (asprintf(&key, "%s (%s)", what, who) < 0)
		return;
	memcpy(refusal.address, event->destination, sizeof(refusal.address));
	if (is_news(notices, key, terminal) && remedy_find(notices->policy, &refusal, &remedy) == 0) {
		say_new_server(notices->policy, &refusal, &remedy);
		if (make_line(&line, notices->policy, what, who, &remedy) >= 0) {
			write_line(notices, line, terminal);
			free(line);
		}
	}
	free(key);
}

void notices_add_call(struct notices *notices, const char *what, const char *asker, const char *why, FILE *terminal) {
	char *line = NULL;

	if (asprintf(&line, "snifence: refused %s (%s%s" SYSTEM_CALL "): %s\n", what, asker, *asker ? ", " : "", why) <
	    0)
		return;
	if (is_news(notices, line, terminal))
		write_line(notices, line, terminal);
	free(line);
}

/* ---- turns --------------------------------------------------------------------------------------------------------- */

int notices_wait(const struct notices *notices, struct pollfd *fd) {
	*fd = (struct pollfd){.fd = -1};
	return notices->outlet ? outlet_wait(notices->outlet, fd) : -1;
}

void notices_turn(struct notices *notices) {
	if (notices->outlet)
		outlet_push(notices->outlet);
}

void notices_free(struct notices *notices) {
	if (!notices)
		return;
	if (notices->outlet)
		outlet_finish(notices->outlet, STALL_MS);
	outlet_free(notices->outlet);
	if (notices->file.fd >= 0)
		close(notices->file.fd);
	notice_file_remove(&notices->readable);
	tdestroy(notices->told, free);
	free(notices);
}
