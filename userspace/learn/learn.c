/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence learn`: logs ──► what was used ──► a policy, or what one lacks. */
#include "learn/learn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/message.h"
#include "base/text.h"
#include "base/text_diff.h"
#include "learn/learn_marks.h"
#include "learn/learn_options.h"
#include "learn/learn_policy.h"
#include "learn/learn_rules.h"
#include "learn/learn_text.h"
#include "log/log_progress.h"
#include "log/log_reader.h"

struct learn {
	struct learn_options options;
	struct sightings *sightings;
	struct log_runs *runs;
	struct log_losses losses;
	bool unread, answered; /* the logs could not be read to their end; they have answers of lookups */
	uint64_t refused;      /* events of enforcement that were passed over, for their action alone */
	struct policy_text base, merged;
	struct policy *policy; /* of the base */
	struct compiled compiled;
	struct learned learned;
};

static int fail(int error) {
	if (error == -E2BIG)
		message_error(
			"learn: the logs name more than %d different places: choose by --since, --process or --policy",
			SIGHTINGS_MAX);
	else
		message_error("learn: %s", strerror(-error));
	return EXIT_FAILED;
}

/* In a capture nobody has judged: what is there went through, as it does in audit mode. */
static void judge_captured(struct log_event *event) {
	if (event->type != LOG_TLS || event->action != LOG_UNDECIDED || *event->action_word)
		return;
	event->action = LOG_ALERT;
	if (event->reason == SNIF_REASON_NONE)
		event->reason = SNIF_REASON_NAME_NOT_ALLOWED;
}

static int take(struct learn *learn, const struct log_event *event) {
	struct log_filter any_action = learn->options.filter;
	bool meant = log_filter_match(&learn->options.filter, event);
	int error = log_runs_add(learn->runs, event, meant);

	if (!error && event->type == LOG_ANSWER) {
		learn->answered = true;
		return sightings_answer(learn->sightings, event);
	}
	if (error || event->action == LOG_UNDECIDED || event->expected)
		return error;
	if (meant)
		return sightings_add(learn->sightings, event);
	any_action.actions = 0;
	learn->refused +=
		(event->action == LOG_REJECT || event->action == LOG_DROP) && log_filter_match(&any_action, event);
	return 0;
}

static int read_logs(struct learn *learn) {
	struct log_reader *reader = log_reader_new(learn->options.files, false, "learn");
	struct log_progress progress = {0};
	struct log_event event;
	int error = 0;

	learn->sightings = sightings_new();
	learn->runs = log_runs_new();
	if (!reader || !learn->sightings || !learn->runs)
		error = -ENOMEM;
	while (!error && log_reader_next(reader, &event)) {
		log_progress_show(&progress, reader, learn->options.files);
		judge_captured(&event);
		error = take(learn, &event);
	}
	log_progress_end(&progress);
	if (!error) {
		learn->losses = log_runs_losses(learn->runs);
		learn->unread = log_reader_tally(reader).unread > 0;
	}
	log_reader_free(reader);
	return error ? fail(error) : 0;
}

static int read_policy(struct learn *learn) {
	const char *file = learn->options.merge, *why;

	learn->base.text = file_read(file, POLICY_FILE_MAX, &learn->base.length, &why);
	if (!learn->base.text) {
		message_error("learn: the policy %s cannot be read: %s", file, why);
		return EXIT_USAGE;
	}
	return learn_read(file, &learn->base, &learn->policy, &learn->compiled);
}

/* Without a policy to merge with, that is one without rules. */
static int begin_policy(struct learn *learn) {
	static char empty[] = "version: 1\n";
	const struct policy_text text = {empty, sizeof(empty) - 1};

	return learn_read("the learned policy", &text, &learn->policy, &learn->compiled);
}

/* Writes the head in front of what will be the policy. */
static int write_head(struct learn *learn) {
	FILE *out = text_open(&learn->base.text, &learn->base.length);
	int error = out ? learn_write_head(&learn->learned, &learn->losses, out) : -ENOMEM;

	return text_close(out, &learn->base.text) < 0 || error ? fail(-ENOMEM) : 0;
}

static int add_left(struct learn *learn) {
	struct policy_text text = {0};
	FILE *out = text_open(&text.text, &text.length);
	int error = -ENOMEM;

	if (out) {
		fwrite(learn->merged.text, 1, learn->merged.length, out);
		error = learn_write_left(&learn->learned, sightings_beyond(learn->sightings), out);
	}
	free(learn->merged.text);
	error |= text_close(out, &text.text);
	learn->merged = text;
	return error ? fail(-ENOMEM) : 0;
}

static int make_policy(struct learn *learn) {
	int error = learn_rules(learn->sightings, learn->policy, &learn->compiled, learn->options.wildcards,
				&learn->learned);
	int code = error ? fail(error) : 0;

	if (code == 0 && !learn->options.merge)
		code = write_head(learn);
	if (code == 0)
		code = learn_insert(&learn->learned, learn->policy, &learn->base, &learn->merged);
	if (code == 0 && !learn->options.merge)
		code = add_left(learn);
	return code == 0 ? learn_verify(&learn->learned, learn->policy, &learn->merged) : code;
}

static int write_file(const char *path, const struct policy_text *text) {
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	int error;

	if (!out) {
		message_error(errno == EEXIST ? "learn: %s is there already: name another file, or remove it"
					      : "learn: cannot make %s: %m",
			      path);
		return EXIT_FAILED;
	}
	fwrite(text->text, 1, text->length, out);
	error = stream_close(out);
	if (!error)
		return 0;
	message_error("learn: cannot write %s: %s", path, strerror(-error));
	unlink(path);
	return EXIT_FAILED;
}

static int print(const struct learn *learn) {
	int error = 0;

	if (learn->options.merge)
		error = text_diff(learn->options.merge, learn->base.text, learn->base.length, learn->merged.text,
				  learn->merged.length);
	else
		fwrite(learn->merged.text, 1, learn->merged.length, stdout);
	if (error == -ENOENT)
		message_error("learn: there is no diff: install diffutils, or write the merged policy with -o FILE");
	else if (error && error != -EIO)
		message_error("learn: cannot show what changes: %s", strerror(-error));
	return error ? EXIT_FAILED : 0;
}

/* What a reader of the policy alone would not know, also where there is none for want of a safe place. Returns 0 or an
 * exit code. */
static int say_the_rest(const struct learn *learn) {
	const struct left_list *by_hand = &learn->learned.by_hand;
	int error = 0;

	for (size_t i = 0; i < by_hand->count; i++)
		message_error("learn: %s", by_hand->items[i].text);

	if (learn->options.merge)
		error = learn_say_left(&learn->learned, sightings_beyond(learn->sightings));
	if (learn->options.merge && learn->policy->mode == SNIF_AUDIT)
		message_error("learn: %s is in audit mode, and stays in it", learn->options.merge);
	if (learn->learned.seen_count == 0 && learn->refused > 0)
		message_error(
			"learn: nothing was learned: all %llu events that are meant are refusals; audit mode lets "
			"programs go on, and --action refused learns from refusals too",
			(unsigned long long)learn->refused);
	else if (learn->learned.seen_count == 0)
		message_error(learn->options.chosen
				      ? "learn: nothing was learned: no event in the logs is what the options choose"
				      : "learn: nothing was learned: the logs have no event that is meant");
	learn_say_losses(&learn->losses);
	if (!learn->answered)
		learn_say_unnamed(&learn->learned);
	if (error)
		return fail(error);
	return by_hand->count > 0 ? EXIT_BY_HAND : 0;
}

static const char *plural(size_t count) {
	return count == 1 ? "" : "s";
}

static void say_written(const struct learn *learn) {
	const struct learned *learned = &learn->learned;
	size_t uninspected = learn_uninspected(learned), lookups = learned->lookups.count;
	char looked_up[48] = "";

	if (lookups > 0)
		snprintf(looked_up, sizeof(looked_up), ", %zu name%s to be looked up", lookups, plural(lookups));
	message_error("learn: wrote %s: %zu %shost%s, %zu uninspected rule%s%s; next: snifence check %s",
		      learn->options.output, learned->hosts.count, learn->options.merge ? "new " : "",
		      plural(learned->hosts.count), uninspected, plural(uninspected), looked_up, learn->options.output);
}

static int run(struct learn *learn) {
	int code = learn->options.merge ? read_policy(learn) : begin_policy(learn), rest = 0;

	if (code == 0)
		code = read_logs(learn);
	if (code == 0)
		code = make_policy(learn);
	if (code == 0)
		code = learn->options.output ? write_file(learn->options.output, &learn->merged) : print(learn);
	if (code == 0 || code == EXIT_BY_HAND)
		rest = say_the_rest(learn);
	if (code == 0 && learn->options.output)
		say_written(learn);
	if (rest)
		code = rest;
	return code == 0 && learn->unread ? EXIT_UNREAD : code;
}

int learn_main(int argc, char **argv) {
	struct learn learn = {0};
	int code = learn_options_parse(argc, argv, &learn.options);

	if (code != 0)
		return code < 0 ? EXIT_USAGE : 0;
	code = run(&learn);
	learned_free(&learn.learned);
	sightings_free(learn.sightings);
	log_runs_free(learn.runs);
	compiled_free(&learn.compiled);
	policy_free(learn.policy);
	free(learn.base.text);
	free(learn.merged.text);
	return code;
}
