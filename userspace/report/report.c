/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence report`: logs ──► events ──► counts ──► text, JSON, CSV or a page. */
#include "report/report.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/message.h"
#include "base/replace.h"
#include "base/text.h"
#include "log/log_progress.h"
#include "policy/canonical.h"
#include "report/report_options.h"
#include "report/report_print.h"

enum { PRINT_INTERVAL = 2, WAIT = 1000 /* milliseconds */ };

struct report {
	struct report_options options;
	struct review review;
	struct policy *policy;
	struct log_reader *reader;
	char *const *command;
	bool overview;
	uint64_t printed; /* events that were there when it was printed last */
	time_t next;	  /* CLOCK_MONOTONIC: not to be printed before */
};

static time_t uptime(void) {
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/*
 * Compares with the policy in the file that the log names, if it is the one that the log was made with. Near misses may
 * still point into the one before, and have to be found anew.
 */
static int load_named_policy(struct report *report) {
	struct review *review = &report->review;
	struct diagnostics diagnostics = {0};
	char sha256[SHA256_HEX] = "";
	int error = 0;

	if (report->options.policy_file || !review->policy_changed)
		return 0;
	review->policy_changed = false;
	policy_free(report->policy);
	report->policy = policy_load(review->rule_file, &diagnostics);
	/* that it is not there, or has errors now, is no error of the report */
	if (!report->policy && diagnostics_no_memory(&diagnostics))
		error = -ENOMEM;
	diagnostics_free(&diagnostics);
	if (report->policy)
		error = canonical_sha256(report->policy, sha256);
	review->policy_known = report->policy && !error && strcmp(sha256, review->policy_sha256) == 0;
	review->policy_differs = *sha256 && !review->policy_known;
	if (review->policy_known)
		return 0;
	policy_free(report->policy);
	report->policy = NULL;
	return error;
}

static bool is_file(const char *path, const struct stat *page) {
	struct stat status;
	int result = strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, &status) : stat(path, &status);

	return result == 0 && status.st_dev == page->st_dev && status.st_ino == page->st_ino;
}

/* Whether the file begins as a page does. Returns 1, 0, or a negative errno when it cannot be read. */
static int is_page(const char *path) {
	static const char beginning[] = "<!DOCTYPE html";
	char text[sizeof(beginning) - 1];
	FILE *file = fopen(path, "re");
	int result;

	if (!file)
		return -errno;
	result = fread(text, 1, sizeof(text), file) == sizeof(text) && memcmp(text, beginning, sizeof(text)) == 0;
	if (ferror(file))
		result = -errno;
	fclose(file);
	return result;
}

/* The page must not take the place of a log, nor of anything else that nobody would want to lose: `--html *.json`. */
static int check_page(const struct report_options *options) {
	const char *path = options->page;
	struct stat page;
	int result;

	if (options->form != REPORT_HTML || stat(path, &page) < 0 || !S_ISREG(page.st_mode))
		return 0; /* of another kind of file it is said when it is to be written */
	for (char *const *file = options->files; *file; file++) {
		if (!is_file(*file, &page))
			continue;
		message_error("report: %s is a log to be read; name another file for the page", path);
		return EXIT_USAGE;
	}
	result = page.st_size == 0 ? 1 : is_page(path);
	if (result > 0)
		return 0;
	if (result < 0)
		message_error("report: %s cannot be read: %s", path, strerror(-result));
	else
		message_error("report: %s is there, and no page of HTML; name another file for the page, or remove it",
			      path);
	return EXIT_USAGE;
}

/* What is wrong with the page's file is said here, and -ECANCELED returned. */
static int write_page(const struct report *report) {
	struct replacement page;
	int error = replace_begin(&page, report->options.page);

	if (!error)
		error = replace_end(&page, report_html(&report->review, report->command, page.stream));
	if (!error || error == -ENOMEM)
		return error;
	message_error("report: %s cannot be written: %s", report->options.page,
		      error == -EEXIST ? "it is there, and not a regular file" : strerror(-error));
	return -ECANCELED;
}

/* Draws as much as there is room for over what was drawn before, so that nothing scrolls and nothing flickers. */
static int draw(const struct report *report) {
	struct winsize size = {0};
	char *text = NULL, *rest, *line;
	size_t length = 0;
	FILE *out = text_open(&text, &length);
	struct terminal terminal = terminal_of(stdout);
	int error = out ? report_text(&report->review, report->overview, &terminal, out) : -ENOMEM;

	if (text_close(out, &text) && !error)
		error = -ENOMEM;
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	rest = text;
	fputs("\033[H", stdout);
	for (unsigned row = 1; !error && (line = strsep(&rest, "\n")) && rest; row++) {
		if (size.ws_row > 0 && row + 1 >= size.ws_row) {
			fputs("...\033[K\n", stdout);
			break;
		}
		printf("%s\033[K\n", line);
	}
	fputs("\033[J", stdout);
	free(text);
	return error;
}

/* What is wrong with the output is said here, and -ECANCELED returned. */
static int print(struct report *report) {
	struct review *review = &report->review;
	const struct terminal terminal = terminal_of(stdout);
	int error = 0, unwritten;

	review->tally = log_reader_tally(report->reader);
	if (report->overview) {
		error = load_named_policy(report);
		if (!error)
			error = review_near_misses(review, report->policy);
	}
	if (report->options.follow && report->options.form == REPORT_TEXT && !isatty(STDOUT_FILENO))
		fputs(report->next ? "\n" : "", stdout);
	if (!error && report->options.form == REPORT_JSON)
		error = report_json(review, report->overview, stdout);
	else if (!error && report->options.form == REPORT_CSV)
		error = report_csv(review, stdout);
	else if (!error && report->options.form == REPORT_HTML)
		error = write_page(report);
	else if (!error && report->options.follow && isatty(STDOUT_FILENO))
		error = draw(report);
	else if (!error)
		error = report_text(review, report->overview, &terminal, stdout);
	/* what JSON could not be written says why itself */
	unwritten = error && error != -ENOMEM && error != -ECANCELED ? error : stream_flush(stdout);
	if (unwritten) {
		message_error("report: cannot write to standard output: %s", strerror(-unwritten));
		return -ECANCELED;
	}
	report->printed = review->tally.events;
	report->next = uptime() + PRINT_INTERVAL;
	return error;
}

/* Whether there is something new to show, at first that there is nothing. */
static bool changed(const struct report *report) {
	return !report->next || log_reader_tally(report->reader).events > report->printed;
}

/* Whether it is time to show that of a followed log. */
static bool due(const struct report *report) {
	return report->options.follow && changed(report) && uptime() >= report->next;
}

static int read_all(struct report *report) {
	struct log_progress progress = {0};
	struct log_event event;
	int error = 0;

	do {
		while (!error && log_reader_next(report->reader, &event)) {
			if (!report->options.follow)
				log_progress_show(&progress, report->reader, report->options.files);
			error = review_add(&report->review, &event);
			if (!error && report->next && due(report))
				error = print(report);
		}
		if (!error && due(report))
			error = print(report);
	} while (!error && log_reader_wait(report->reader, WAIT));
	log_progress_end(&progress);
	if (!error && changed(report))
		error = print(report);
	return error;
}

static int load_policy(struct report *report) {
	struct diagnostics diagnostics = {0};

	if (!report->options.policy_file)
		return 0;
	report->policy = policy_load(report->options.policy_file, &diagnostics);
	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	report->review.policy_known = report->policy != NULL;
	return report->policy ? 0 : EXIT_USAGE;
}

static int run(struct report *report) {
	int error = review_start(&report->review);

	report->reader = log_reader_new(report->options.files, report->options.follow, "report");
	if (!report->reader)
		error = -ENOMEM;
	if (!error)
		error = read_all(report);
	if (!error)
		return log_reader_tally(report->reader).unread ? EXIT_UNREAD : 0;
	if (error != -ECANCELED)
		message_error("report: %s", strerror(-error));
	return EXIT_FAILED;
}

int report_main(int argc, char **argv) {
	struct report report = {.command = argv};
	int code = report_options_parse(argc, argv, &report.options);

	if (code != 0)
		return code < 0 ? EXIT_USAGE : 0;
	code = check_page(&report.options);
	if (code == 0)
		code = load_policy(&report);
	if (code != 0)
		return code;
	setlocale(LC_CTYPE, "");
	report.review.filter = report.options.filter;
	report.overview = report.options.by == GROUP_BYS;
	report.review.near_misses = report.overview;
	report.review.groupings = report.overview ? 1 << BY_NAME | 1 << BY_REASON : 1U << report.options.by;
	if (report.options.form == REPORT_HTML)
		report.review.groupings |= 1 << BY_PROCESS | 1 << BY_POLICY;
	code = run(&report);
	log_reader_free(report.reader);
	review_free(&report.review);
	policy_free(report.policy);
	return code;
}
