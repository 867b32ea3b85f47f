/* SPDX-License-Identifier: BSD-2-Clause */
/* A cgroup ──► under snifence's commands, in a /run of the test's own. */
#include "resident.h"

#include <fcntl.h>
#include <glob.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "hello_maker.h"

enum { MOST_WORDS = 16, ANSWER_MS = 400, TRIES = 10, NOT_INSIDE = 99, STATUS_SIZE = 1 << 21 };

static struct cgroup cgroup = {.fd = -1};

void resident_begin(void) {
	lab_enter();
	assert_int_equal(mount("run", "/run", "tmpfs", 0, NULL), 0);
	cgroup = (struct cgroup){.fd = -1};
	assert_int_equal(cgroup_create(&cgroup), 0);
}

int resident_end(void **state) {
	resident_run_quietly((const char *const[]){"build/snifence", "unload", NULL});
	umount2("/run/snifence/bpf", MNT_DETACH);
	umount2("/run", MNT_DETACH);
	if (cgroup.fd >= 0) {
		/* a test that has failed leaves children there */
		cgroup_kill(&cgroup);
		for (int ms = 0; ms < LAB_PATIENCE_MS && cgroup_signal(&cgroup, 0) > 0; ms += 10)
			lab_sleep_ms(10);
		cgroup_remove(&cgroup);
	}
	cgroup.fd = -1;
	return lab_leave(state);
}

const struct cgroup *resident_cgroup(void) {
	return &cgroup;
}

/* ---- commands -------------------------------------------------------------------------------------------------- */

struct lab_program *resident_snifence(const char *const words[]) {
	const char *argv[MOST_WORDS] = {"build/snifence"};

	for (size_t i = 0; words[i]; i++) {
		assert_true(i + 2 < MOST_WORDS);
		argv[i + 1] = words[i];
	}
	return lab_run(argv);
}

struct lab_program *resident_expect(int status, const char *const words[]) {
	struct lab_program *program = resident_snifence(words);

	if (program->status != status)
		fail_msg("%s ends with %d: %s%s", words[0], program->status, program->out, program->err);
	return program;
}

void resident_anyhow(const char *const words[]) {
	const char *argv[MOST_WORDS] = {"build/snifence"};

	for (size_t i = 0; words[i]; i++)
		argv[i + 1] = words[i];
	resident_run_quietly(argv);
}

int resident_run_quietly(const char *const argv[]) {
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		for (int fd = 0; fd < 3; fd++)
			dup2(null, fd);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	return resident_finish(pid);
}

struct json_object *resident_status(void) {
	static char text[STATUS_SIZE];
	FILE *pipe = popen("build/snifence status --json", "re");
	struct json_object *object;

	assert_non_null(pipe);
	text[fread(text, 1, sizeof(text) - 1, pipe)] = '\0';
	pclose(pipe);
	object = json_tokener_parse(text);
	assert_non_null(object);
	return object;
}

size_t resident_count(const char *key) {
	struct json_object *object = resident_status(), *array;
	size_t count;

	assert_true(json_object_object_get_ex(object, key, &array));
	count = json_object_array_length(array);
	json_object_put(object);
	return count;
}

const char *resident_state(void) {
	static char text[32];
	struct json_object *object = resident_status(), *array, *state;

	assert_true(json_object_object_get_ex(object, "attachments", &array));
	text[0] = '\0';
	if (json_object_array_length(array) == 1) {
		assert_true(json_object_object_get_ex(json_object_array_get_idx(array, 0), "state", &state));
		snprintf(text, sizeof(text), "%s", json_object_get_string(state));
	}
	json_object_put(object);
	return text;
}

int resident_counter(const char *reason) {
	struct json_object *object = resident_status(), *policies, *counters, *number;
	int count = 0;

	assert_true(json_object_object_get_ex(object, "policies", &policies));
	assert_true(json_object_object_get_ex(json_object_array_get_idx(policies, 0), "counters", &counters));
	if (json_object_object_get_ex(counters, reason, &number))
		count = json_object_get_int(number);
	json_object_put(object);
	return count;
}

/* ---- inside ---------------------------------------------------------------------------------------------------- */

pid_t resident_start(const struct cgroup *where, lab_function function, void *argument) {
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(cgroup_adopt(where, getpid()) ? NOT_INSIDE : function(argument));
	return pid;
}

int resident_finish(pid_t pid) {
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int resident_inside(const struct cgroup *where, lab_function function, void *argument) {
	int result = resident_finish(resident_start(where, function, argument));

	assert_int_not_equal(result, NOT_INSIDE);
	return result;
}

int resident_greet(void *name) {
	static struct bytes hello;
	int fd = lab_dial("192.0.2.1", 443), refused;
	char byte;

	if (fd < 0)
		return 2;
	hello_make(&hello, &(struct hello){.name = name});
	refused = lab_send(fd, hello.data, hello.length) || !lab_readable(fd, ANSWER_MS * lab_slowness()) ||
		  recv(fd, &byte, 1, 0) != 1;
	lab_reset(fd);
	return refused;
}

bool resident_reaches(const char *name) {
	return resident_inside(&cgroup, resident_greet, (void *)name) == 0;
}

const char *resident_untruth(void) {
	const char *state = resident_state();
	bool open = resident_reaches("other.lab.test");

	/* an answer can take longer than is waited for one that does not come */
	for (int i = 0; !open && !*state && i < TRIES; i++)
		open = resident_reaches("other.lab.test");
	if (open && strcmp(state, "live") == 0)
		return "status says that it is attached, and what is forbidden comes through";
	return open || *state ? NULL : "status says that it is not attached, and nothing comes through";
}

bool resident_is_pinned(const char *pattern) {
	glob_t found;
	bool pinned = glob(pattern, 0, NULL, &found) == 0;

	if (pinned)
		globfree(&found);
	return pinned;
}

int resident_pin(const char *name) {
	char pattern[64];
	glob_t found;
	int fd;

	snprintf(pattern, sizeof(pattern), "/run/snifence/bpf/*_0/%s", name);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	fd = bpf_obj_get(found.gl_pathv[0]);
	globfree(&found);
	assert_true(fd >= 0);
	return fd;
}
