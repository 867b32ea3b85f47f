/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence top`: a command line ──► the live view of a log. */
#include "top/top.h"

#include <errno.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/command_line.h"
#include "base/message.h"
#include "top/top_loop.h"

static const char usage[] =
	"Usage: snifence top [OPTION…] FILE\n"
	"\n"
	"Shows the log of a `snifence run` as it grows: what was refused and allowed, by name and by process, and the last\n"
	"events. FILE is plain or compressed with gzip, and followed when it is rotated or cut; `-` is standard input.\n"
	"\n" LOG_FILTER_USAGE "  --help              this text\n"
	"\n"
	"Keys:\n"
	"  1 2 3 4, Tab        names, processes, the last 1000 events, lookups: where names were found\n"
	"  /                   show only rows with the text that is typed; Enter keeps it, Escape removes it\n"
	"  s                   sort by the next of refused, allowed, last seen, name; r a l n: by this one\n"
	"  Up Down PgUp PgDn   select a row; Home and End too\n"
	"  Enter               what is known of that row; any key goes back\n"
	"  ?                   show these\n"
	"  Ctrl-L              draw all anew\n"
	"  q                   quit\n"
	"\n"
	"Colour only where the terminal has it, and not when NO_COLOR is set.\n"
	"\n"
	"Exit status:\n"
	"  0        it was left with q\n"
	"  1        FILE cannot be read, or not to its end\n"
	"  2        the command line is wrong, or standard output is no terminal that will do\n"
	"  125      snifence could not do its part, such as for want of memory\n"
	"  128 + n  signal n ended it\n";

static const struct option table[] = {
	LOG_FILTER_OPTIONS,
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int take(int option, void *context) {
	struct top *top = context;

	return log_filter_take(&top->filter, option, top->command);
}

/* Said before the screen is taken over, which has no place for it. */
static int look_at(const char *file) {
	struct stat status;
	int error = 0;

	if (strcmp(file, "-") == 0)
		return 0;
	if (access(file, R_OK) < 0 || stat(file, &status) < 0)
		error = errno;
	else if (S_ISDIR(status.st_mode))
		error = EISDIR;
	if (!error)
		return 0;
	message_error("top: %s cannot be read: %s", file, strerror(error));
	return EXIT_UNREAD;
}

static int show(struct top *top, char *const *files) {
	struct signals signals;
	int error = signals_take(&signals), code;

	if (!error)
		signals_let_stop(&signals);
	top->signals_fd = signals.fd;
	top->reader = error ? NULL : log_reader_new(files, true, NULL);
	if (!top->reader) {
		message_error("top: %s", strerror(error ? -error : ENOMEM));
		return EXIT_FAILED;
	}
	code = top_loop(top);
	if (!code && log_reader_tally(top->reader).unread > 0) {
		message_error("top: %s cannot be read to its end: it is no log, or its gzip data is damaged", *files);
		code = EXIT_UNREAD;
	}
	log_reader_free(top->reader);
	close(signals.fd);
	return code;
}

int top_main(int argc, char **argv) {
	static const struct command_line line = {"top", usage, ":", table, take};
	struct top top = {.command = "top"};
	int code = command_line_read(&line, argc, argv, &top);

	if (code != 0)
		return code < 0 ? EXIT_USAGE : 0;
	if (optind + 1 != argc) {
		command_line_wrong("top", optind < argc ? "one log, not also " : "no log is named",
				   optind < argc ? argv[optind + 1] : "");
		return EXIT_USAGE;
	}
	code = look_at(argv[optind]);
	if (code != 0)
		return code;
	if (!isatty(STDOUT_FILENO)) {
		message_error("top: standard output is no terminal; `snifence report --follow` needs none");
		return EXIT_USAGE;
	}
	setlocale(LC_CTYPE, "");
	if (strcmp(argv[optind], "-") != 0)
		top.file = basename(argv[optind]);
	return show(&top, argv + optind);
}
