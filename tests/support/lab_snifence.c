/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy and a command ──► build/snifence run, its log and what it leaves behind. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#include "cgroup/cgroup_place.h"
#include "lab_parts.h"
#include "lines_kept.h"

enum { MOST_ARGUMENTS = 64, MOST_LOGS = 64, MOST_FILES = 256 };

static struct json_object *logs[MOST_LOGS];
static const char *files[MOST_FILES];
static size_t log_count, file_count;

const char *lab_self(void) {
	static char path[4096];

	if (!path[0] && readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
		abort();
	return path;
}

static size_t add_arguments(const char **to, size_t count, const char *const from[]) {
	for (; from && *from; from++) {
		assert_true(count < MOST_ARGUMENTS);
		to[count++] = *from;
	}
	to[count] = NULL;
	return count;
}

struct lab_program *lab_start_snifence(const char *policy, const char *const options[], const char *const command[]) {
	static unsigned run;
	const char *argv[MOST_ARGUMENTS + 1];
	struct lab_program *program;
	size_t count;
	char *log = NULL;

	if (access("build/snifence", X_OK))
		fail_msg("build/snifence is missing: make all, and run tests from the top folder");
	assert_true(asprintf(&log, "%s/log-%u.json", lab_folder(), run++) > 0);
	lab_keep(log);
	assert_true(file_count < MOST_FILES);
	files[file_count++] = log;
	count = add_arguments(argv, 0, (const char *[]){"build/snifence", "run", "--log", log, NULL});
	count = add_arguments(argv, count, options);
	count = add_arguments(argv, count, (const char *[]){lab_write("policy.yaml", policy), "--", NULL});
	add_arguments(argv, count, command);
	program = lab_start(argv);
	program->log = log;
	return program;
}

struct lab_program *lab_snifence(const char *policy, const char *const options[], const char *const command[]) {
	struct lab_program *program = lab_start_snifence(policy, options, command);
	pid_t pid = program->pid;

	lab_finish(program, LAB_PROGRAM_MS * lab_slowness());
	assert_false(lab_cgroup_of(pid));
	return program;
}

static struct json_object *parse_line(const char *line) {
	struct json_object *object = json_tokener_parse(line);

	if (!json_object_is_type(object, json_type_object))
		fail_msg("this line of the log is not a JSON object: %s", line);
	return object;
}

static bool is_stats(struct json_object *line) {
	struct json_object *type;

	return json_object_object_get_ex(line, "event_type", &type) &&
	       strcmp(json_object_get_string(type), "stats") == 0;
}

struct json_object *lab_log(const struct lab_program *program) {
	struct json_object *events = json_object_new_array(), *line;
	char *rest = lab_read(program->log), *text;

	assert_true(log_count < MOST_LOGS);
	logs[log_count++] = events;
	while ((text = strsep(&rest, "\n")) && (*text || rest)) {
		line = parse_line(text);
		if (is_stats(line))
			json_object_put(line);
		else
			json_object_array_add(events, line);
	}
	return events;
}

struct json_object *lab_log_one(const struct lab_program *program, enum snif_reason reason) {
	struct json_object *events = lab_log(program), *event, *found;

	if (json_object_array_length(events) != 1)
		fail_msg("%zu events, not one: %s", json_object_array_length(events),
			 json_object_to_json_string(events));
	event = json_object_array_get_idx(events, 0);
	assert_true(json_object_object_get_ex(event, "reason", &found));
	assert_string_equal(json_object_get_string(found), reason_code(reason));
	return event;
}

/* Opens the cgroup, or what is in it, of the snifence that runs as `pid`; -1 when there is no such thing. */
static int open_cgroup_of(pid_t pid, const char *file) {
	struct cgroup_place place;
	char path[64];
	int fd;

	assert_int_equal(cgroup_place_own(&place), 0);
	assert_int_equal(cgroup_place_rise(&place), 0);
	snprintf(path, sizeof(path), "snifence-%d/%s", pid, file);
	fd = openat(place.fd, path, O_RDONLY | O_CLOEXEC);
	close(place.fd);
	free(place.path);
	return fd;
}

bool lab_cgroup_of(pid_t pid) {
	int fd = open_cgroup_of(pid, ".");

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

pid_t lab_command_of(pid_t pid) {
	int fd = open_cgroup_of(pid, "cgroup.procs");
	char text[16] = "";

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return atoi(text);
}

void lab_logs_end(void) {
	while (file_count > 0)
		fputs(lab_read(files[--file_count]), lines_kept());
	while (log_count > 0)
		json_object_put(logs[--log_count]);
}
