/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence init`: a policy that ships ──► a file to begin with. */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/caller.h"
#include "base/command_line.h"
#include "base/file.h"
#include "base/message.h"
#include "policy/policy.h"
#include "policy/policy_find.h"

static const char usage[] =
	"Usage: snifence init [-o FILE] [PRESET]\n"
	"\n"
	"Writes a policy with comments to begin with: a copy of one that ships with snifence, or of any other that `run`\n"
	"finds by its name. PRESET is default, ai-agent, node-ci, python-ci, debian-apt or payment-service; without it,\n"
	"default.\n"
	"\n"
	"  -o, --output FILE  write here, - is standard output (default: policy.yaml); a file that is there stays as it is\n"
	"  --help             this text\n"
	"\n"
	"Exit status: 0; 2 where the command line is wrong, or there is no such preset; 125 where the file cannot be\n"
	"written.\n";

static const struct option table[] = {
	{"output", required_argument, NULL, 'o'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct options {
	const char *output, *preset;
};

static int take(int option, void *context) {
	if (option == 'o')
		((struct options *)context)->output = optarg;
	return 0;
}

static int parse(int argc, char **argv, struct options *options) {
	static const struct command_line line = {"init", usage, ":o:", table, take};
	int result = command_line_read(&line, argc, argv, options);

	if (result)
		return result;
	if (optind < argc)
		options->preset = argv[optind++];
	return optind < argc ? command_line_wrong("init", "one preset is enough; what is this: ", argv[optind]) : 0;
}

/* Where the preset names its schema beside itself, the copy names it by its whole path. Takes over `text`. */
static char *with_schema(char *text, size_t *length, const char *file) {
	static const char mark[] = "# yaml-language-server: $schema=";
	const char *slash = strrchr(file, '/'), *name = text + strlen(mark), *rest = strchr(text, '\n');
	char *path = NULL, *schema = NULL, *made = NULL;

	if (strncmp(text, mark, strlen(mark)) != 0 || *name != '.' || !slash || !rest)
		return text;
	if (asprintf(&path, "%.*s/%.*s", (int)(slash - file), file, (int)(rest - name), name) >= 0)
		schema = realpath(path, NULL);
	if (schema && asprintf(&made, "%s%s%s", mark, schema, rest) >= 0) {
		*length = strlen(made);
		free(text);
		text = made;
	}
	free(schema);
	free(path);
	return text;
}

/* The bytes of the preset, to be freed; NULL after saying why. It has to be a good policy. */
static char *read_preset(const char *preset, size_t *length) {
	struct diagnostics diagnostics = {0};
	char *file = policy_find(preset, &diagnostics), *text = NULL;
	struct policy *policy = NULL;
	const char *why;

	if (file && !(text = file_read(file, POLICY_FILE_MAX, length, &why)))
		diagnose(&diagnostics, file, 0, 0, "the policy cannot be read: %s", why);
	if (text)
		policy = policy_parse(file, text, *length, &diagnostics);
	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	if (policy) {
		text = with_schema(text, length, file);
	} else {
		free(text);
		text = NULL;
	}
	policy_free(policy);
	free(file);
	return text;
}

/* A new file, which who called sudo can change; or a negative errno. */
static int open_new(const char *path) {
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	uid_t uid;
	gid_t gid;

	if (fd < 0)
		return -errno;
	if (geteuid() == 0 && caller_ids(&uid, &gid) == 0 && fchown(fd, uid, gid))
		message_error("init: %s stays root's: %m", path);
	return fd;
}

static int write_file(const char *path, const char *text, size_t length) {
	int fd = open_new(path);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	int error;

	if (fd == -EEXIST) {
		message_error("init: %s is there already, and stays as it is: name another file with -o", path);
		return EXIT_FAILED;
	}
	if (file)
		fwrite(text, 1, length, file);
	error = fd < 0 ? fd : stream_close(file);
	if (!error)
		return 0;
	message_error("init: cannot write %s: %s", path, strerror(-error));
	if (fd >= 0)
		unlink(path);
	return EXIT_FAILED;
}

int init_main(int argc, char **argv) {
	struct options options = {"policy.yaml", "default"};
	int code = parse(argc, argv, &options);
	size_t length;
	char *text;

	if (code)
		return code < 0 ? EXIT_USAGE : 0;
	text = read_preset(options.preset, &length);
	if (!text)
		return EXIT_USAGE;
	if (strcmp(options.output, "-") == 0) {
		fwrite(text, 1, length, stdout);
	} else {
		code = write_file(options.output, text, length);
		if (!code)
			fprintf(stderr, "wrote %s, a copy of the policy %s; next: snifence check %s\n", options.output,
				options.preset, options.output);
	}
	free(text);
	return code;
}
