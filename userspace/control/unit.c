/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy and a service ──► its drop-in, in /etc/systemd. */
#include "control/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/command_line.h"
#include "base/message.h"
#include "base/replace.h"
#include "control/drop_in.h"
#include "control/source.h"

static const char usage[] =
	"Usage: snifence unit [OPTION…] POLICY NAME\n"
	"\n"
	"Has systemd confine each start of the service NAME under POLICY, before the first of its processes\n"
	"runs: by a drop-in in /etc/systemd/system. Where POLICY is wrong, or cannot be put in force, the\n"
	"service does not start. A service that runs already stays as it is until then.\n"
	"\n"
	"  --print             print the drop-in, and write nothing\n"
	"  --help              this text\n"
	"\n"
	"Exit status:\n"
	"  0    it was written\n"
	"  2    the command line or the policy is wrong; nothing was written\n"
	"  125  snifence could not do its part\n";

static const struct option table[] = {
	{"print", no_argument, NULL, 'p'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int take(int option, void *context) {
	(void)option;
	*(bool *)context = true;
	return 0;
}

static int write_drop_in(const char *service, const char *policy) {
	char path[PATH_MAX], folder[PATH_MAX];
	struct replacement file;
	int error;

	drop_in_path(service, path);
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	error = mkdir(folder, 0755) && errno != EEXIST ? -errno : replace_begin(&file, path);
	if (!error)
		error = replace_end(&file, drop_in_print(file.stream, service, policy));
	if (error == -EINVAL) /* said already */
		return EXIT_USAGE;
	if (error) {
		message_error("cannot write %s: %s", path, strerror(-error));
		return EXIT_FAILED;
	}
	printf("wrote %s; next: systemctl daemon-reload, then systemctl restart %s, as what runs now is not confined "
	       "by it\n",
	       path, service);
	return 0;
}

static int do_unit(const char *file, const char *name, bool print) {
	char service[UNIT_NAME];
	struct source source;
	int code = drop_in_service(name, service) ? EXIT_USAGE : 0;

	if (!code && !print)
		code = source_need_root("unit");
	if (!code)
		code = source_load(&source, file, NULL, false);
	if (code)
		return code;
	if (print)
		code = drop_in_print(stdout, service, source.file) ? EXIT_USAGE : 0;
	else
		code = write_drop_in(service, source.file);
	source_free(&source);
	return code;
}

int unit_main(int argc, char **argv) {
	static const struct command_line line = {"unit", usage, ":", table, take};
	bool print = false;
	int result = command_line_read(&line, argc, argv, &print);

	if (result)
		return result < 0 ? EXIT_USAGE : 0;
	if (optind + 2 != argc)
		return command_line_wrong("unit", "it takes a policy and a service", "") ? EXIT_USAGE : 0;
	return do_unit(argv[optind], argv[optind + 1], print);
}
