/* SPDX-License-Identifier: BSD-2-Clause */
/* A container's state, as runtimes write it or not ──► stage, process, policy, cgroup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "oci/oci_runtime.h"
#include "oci/oci_state.h"

static int read_state(const char *text, struct oci_state *state) {
	return oci_state_read(text, strlen(text), state);
}

static void test_states(void **state) {
	struct oci_state read;

	(void)state;
	assert_int_equal(
		read_state(
			"{\"ociVersion\":\"1.0.2\",\"id\":\"a\",\"status\":\"creating\",\"pid\":42,\"bundle\":\"/b\","
			"\"annotations\":{\"snifence.policy\":\"ci\",\"other\":\"x\"}}",
			&read),
		0);
	assert_int_equal(read.stage, OCI_START);
	assert_int_equal(read.pid, 42);
	assert_string_equal(read.id, "a");
	assert_string_equal(read.policy, "ci");
	assert_null(read.space);
	oci_state_free(&read);
	assert_int_equal(read_state("{\"id\":\"a\",\"status\":\"creating\",\"pid\":42,\"annotations\":"
				    "{\"io.kubernetes.cri.sandbox-namespace\":\"build\"}}",
				    &read),
			 0);
	assert_string_equal(read.space, "build");
	oci_state_free(&read);
	assert_int_equal(read_state("{\"id\":\"a\",\"status\":\"creating\",\"pid\":42,\"annotations\":"
				    "{\"io.kubernetes.pod.namespace\":\"build\"}}",
				    &read),
			 0);
	assert_string_equal(read.space, "build");
	oci_state_free(&read);
	assert_int_equal(read_state("{\"id\":\"a\",\"status\":\"created\",\"pid\":42,\"annotations\":null}", &read), 0);
	assert_int_equal(read.stage, OCI_START);
	assert_null(read.policy);
	oci_state_free(&read);
	assert_int_equal(read_state("{\"id\":\"a\",\"status\":\"stopped\",\"pid\":null}", &read), 0);
	assert_int_equal(read.stage, OCI_STOPPED);
	oci_state_free(&read);
}

/* Nothing of which it could be told that a container is to be confined, and which, starts one. */
static void test_wrong_states(void **state) {
	static const char *const wrong[] = {
		"",
		"x",
		"[]",
		"null",
		"{\"id\":\"a\",\"status\":\"creating\",\"pid\":42",
		"{\"status\":\"creating\",\"pid\":42}",
		"{\"id\":\"a\",\"status\":\"creating\",\"pid\":42,\"annotations\":"
		"{\"io.kubernetes.cri.sandbox-namespace\":\"a\",\"io.kubernetes.pod.namespace\":\"b\"}}",
		"{\"id\":7,\"status\":\"creating\",\"pid\":42}",
		"{\"id\":\"a\",\"pid\":42}",
		"{\"id\":\"a\",\"status\":\"running\",\"pid\":42}",
		"{\"id\":\"a\",\"status\":\"creating\"}",
		"{\"id\":\"a\",\"status\":\"creating\",\"pid\":0}",
		"{\"id\":\"a\",\"status\":\"creating\",\"pid\":1}",
		"{\"id\":\"a\",\"status\":\"creating\",\"pid\":-4}",
		"{\"id\":\"a\",\"status\":\"creating\",\"pid\":4294967338}",
		"{\"id\":\"a\",\"status\":\"creating\",\"pid\":\"42\"}",
		"{\"id\":\"a\",\"status\":\"creating\",\"pid\":42,\"annotations\":[]}",
		"{\"id\":\"a\",\"status\":\"creating\",\"pid\":42,\"annotations\":{\"snifence.polcy\":\"ci\"}}",
		"{\"id\":\"a\",\"status\":\"creating\",\"pid\":42,\"annotations\":{\"snifence.policy\":7}}",
	};
	struct oci_state read;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (read_state(wrong[i], &read) != -EINVAL)
			fail_msg("taken: %s", wrong[i]);
}

static void make(const char *folder, const char *name) {
	char path[PATH_MAX];
	FILE *made;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	made = fopen(path, "w");
	assert_non_null(made);
	fclose(made);
}

static void test_policies(void **state) {
	static const char *const names[] = {"",	  "../ci", "/etc/passwd", "a/b",  ".hidden",
					    "-x", "_x",	   "a b",	  "a\nb", "\xc3\xa4"};
	char folder[] = "/tmp/snifence-oci-XXXXXX", file[PATH_MAX], longest[66];
	struct oci_state none = {0}, ci = {.policy = "ci"}, asked = {.policy = "default"}, space = {.space = "build"};

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(oci_policy(folder, &none, file), 0);
	assert_int_equal(oci_policy(folder, &space, file), 0);
	assert_int_equal(oci_policy(folder, &ci, file), -EINVAL);
	make(folder, "default.yaml");
	assert_int_equal(oci_policy(folder, &none, file), 1);
	assert_int_equal(oci_policy(folder, &asked, file), 1);
	assert_string_equal(file + strlen(folder), "/default.yaml");
	assert_int_equal(oci_policy(folder, &ci, file), -EINVAL);
	assert_int_equal(oci_policy(folder, &space, file), 1);
	assert_string_equal(file + strlen(folder), "/default.yaml");
	make(folder, "namespace.build.yaml");
	assert_int_equal(oci_policy(folder, &space, file), 1);
	assert_string_equal(file + strlen(folder), "/namespace.build.yaml");
	space.policy = "default";
	assert_int_equal(oci_policy(folder, &space, file), 1);
	assert_string_equal(file + strlen(folder), "/default.yaml");
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i <= sizeof(names) / sizeof(names[0]); i++) {
		ci.policy = i < sizeof(names) / sizeof(names[0]) ? (char *)names[i] : longest;
		if (oci_policy(folder, &ci, file) != -EINVAL)
			fail_msg("taken as a name: %s", ci.policy);
	}
	snprintf(file, sizeof(file), "rm -r %s", folder);
	assert_int_equal(system(file), 0);
}

/* Where something keeps policies up to date, one that is asked for by name has to be. */
static void test_synced(void **state) {
	static const struct {
		long ago;
		int named;
	} cases[] = {{0, 1}, {50, 1}, {70, -EINVAL}, {86400, -EINVAL}, {-70, -EINVAL}};
	char folder[] = "/tmp/snifence-oci-XXXXXX", file[PATH_MAX], synced[PATH_MAX];
	struct oci_state none = {0}, ci = {.policy = "ci"}, gone = {.policy = "gone"};

	(void)state;
	assert_non_null(mkdtemp(folder));
	make(folder, "ci.yaml");
	make(folder, "default.yaml");
	make(folder, ".synced");
	snprintf(synced, sizeof(synced), "%s/.synced", folder);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct timespec times[2] = {{.tv_sec = time(NULL) - cases[i].ago},
					    {.tv_sec = time(NULL) - cases[i].ago}};

		assert_int_equal(utimensat(AT_FDCWD, synced, times, 0), 0);
		assert_int_equal(oci_policy(folder, &ci, file), cases[i].named);
		/* what starts the daemon may be among these */
		assert_int_equal(oci_policy(folder, &none, file), 1);
		assert_int_equal(oci_policy(folder, &gone, file), -EINVAL);
	}
	snprintf(file, sizeof(file), "rm -r %s", folder);
	assert_int_equal(system(file), 0);
}

static void test_cgroups(void **state) {
	static const struct {
		const char *path, *id, *container;
	} cases[] = {
		{"/machine.slice/libpod-abc.scope/container", "abc", "/machine.slice/libpod-abc.scope"},
		{"/machine.slice/libpod-abc.scope", "abc", "/machine.slice/libpod-abc.scope"},
		{"/docker/abc", "abc", "/docker/abc"},
		{"/kubepods/burstable/pod7/abc", "abc", "/kubepods/burstable/pod7/abc"},
		{"/elsewhere/container", "abc", "/elsewhere/container"},
		/* parts that have the id's letters in them */
		{"/machine.slice/libpod-m.scope/container", "m", "/machine.slice/libpod-m.scope"},
		{"/machine.slice/libpod-m.scope/container", "slice", "/machine.slice/libpod-m.scope/container"},
		{"/system.slice/cri:m", "m", "/system.slice/cri:m"},
		{"/abc/libpod-abc.scope/container", "abc", "/abc/libpod-abc.scope"},
		{"/x-abc-y/xabc/abcx/runc-abc", "abc", "/x-abc-y/xabc/abcx/runc-abc"},
		{"/libpod-container.scope/container", "container", "/libpod-container.scope"},
		{"/docker/container", "container", "/docker/container"},
		{"/runc-a.scope.scope", "a.scope", "/runc-a.scope.scope"},
		{"/runc-a.scope", "a.scope", "/runc-a.scope"},
		{"/", "abc", "/"},
		{"/a/b", "", "/a/b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s", cases[i].path);
		oci_container_cgroup(path, cases[i].id);
		assert_string_equal(path, cases[i].container);
	}
}

/* Runs the subcommand for a bundle of its own, with /bin/true as the runtime. Returns whether the hook is in it then. */
static bool gets_hook(const char *const words[]) {
	char folder[] = "/tmp/snifence-oci-XXXXXX", file[PATH_MAX], text[4096] = "",
	     *argv[16] = {"oci-runtime", "true"};
	int count = 2, status;
	FILE *config;
	pid_t pid;

	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/config.json", folder);
	config = fopen(file, "w+");
	assert_non_null(config);
	fputs("{}", config);
	assert_int_equal(fclose(config), 0);
	for (; *words; words++)
		argv[count++] = strcmp(*words, "BUNDLE") == 0 ? folder : (char *)*words;
	pid = fork();
	if (pid == 0)
		_exit(oci_runtime_main(count, argv));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	config = fopen(file, "r");
	assert_non_null(config);
	assert_true(fread(text, 1, sizeof(text) - 1, config) > 0);
	fclose(config);
	unlink(file);
	rmdir(folder);
	return strstr(text, "createRuntime") != NULL;
}

#define has_hook(...) gets_hook((const char *const[]){__VA_ARGS__, NULL})

/* Whatever stands before the subcommand. */
static void test_runtime(void **state) {
	(void)state;
	assert_true(has_hook("create", "--bundle", "BUNDLE", "a"));
	assert_true(
		has_hook("--root", "/r", "--log-format", "json", "--systemd-cgroup", "create", "-b", "BUNDLE", "a"));
	assert_true(has_hook("--log-level", "debug", "--new", "value", "--debug", "run", "--bundle", "BUNDLE", "a"));
	assert_true(has_hook("--new", "create", "--bundle", "BUNDLE", "a"));
	assert_true(has_hook("--new=x", "restore", "--bundle", "BUNDLE", "a"));
	assert_false(has_hook("--new", "state", "create", "--bundle", "BUNDLE"));
	assert_false(has_hook("--log-level", "debug", "exec", "a", "run", "--bundle", "BUNDLE"));
	assert_false(has_hook("--version"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states), cmocka_unit_test(test_wrong_states), cmocka_unit_test(test_policies),
		cmocka_unit_test(test_synced), cmocka_unit_test(test_cgroups),	    cmocka_unit_test(test_runtime),
	};

	return cmocka_run_group_tests_name("oci", tests, NULL, NULL);
}
