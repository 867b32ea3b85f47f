/* SPDX-License-Identifier: BSD-2-Clause */
/* SIGKILL to snifence ──► the command stays confined, and the next run clears up. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/hello_maker.h"
#include "../support/lab.h"

static const char policy[] = "version: 1\n"
			     "tls: {to: [192.0.2.0/24], allow: [allowed.lab.test]}\n"
			     "dns: {servers: none}\n";

/* Whether somebody answers a hello with this name. */
static bool is_answered(const char *name) {
	static struct bytes stream;
	int fd = lab_dial("192.0.2.1", 443);
	bool answered;

	if (fd < 0)
		return false;
	hello_make(&stream, &(struct hello){.name = name});
	answered = lab_send(fd, stream.data, stream.length) == 0 && lab_readable(fd, 500);
	lab_reset(fd);
	return answered;
}

/* As the command: says that it is there, waits for the file `go`, tries, and tells what it came to. */
static int be_command(const char *go) {
	int refused;

	printf("ready\n");
	fflush(stdout);
	if (!lab_await_file(go, 10000))
		return 1;
	refused = lab_dial("198.51.100.1", 443);
	printf("elsewhere %s\n", refused == -EPERM ? "EPERM" : "not EPERM");
	printf("allowed %d\n", is_answered("allowed.lab.test"));
	printf("forbidden %d\n", is_answered("forbidden.lab.test"));
	printf("end\n");
	return 0;
}

static void await_end(pid_t pid) {
	double end = lab_now_ms() + LAB_PATIENCE_MS;

	while (kill(pid, 0) == 0 && lab_now_ms() < end)
		lab_sleep_ms(5);
	/* a zombie is no process of its cgroup any more */
}

/* Whether the first process of the command's PID namespace ends soon, when there is nobody left in it. */
static bool namespace_ends(ino_t namespace) {
	double end = lab_now_ms() + 5000 * lab_slowness();
	glob_t found;

	do {
		bool there = false;

		lab_sleep_ms(50);
		assert_int_equal(glob("/proc/[0-9]*/ns/pid", 0, NULL, &found), 0);
		for (size_t i = 0; i < found.gl_pathc; i++) {
			struct stat status;

			there |= stat(found.gl_pathv[i], &status) == 0 && status.st_ino == namespace;
		}
		globfree(&found);
		if (!there)
			return true;
	} while (lab_now_ms() < end);
	return false;
}

static ino_t namespace_of(pid_t pid) {
	struct stat status;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
	assert_int_equal(stat(path, &status), 0);
	return status.st_ino;
}

static void test_still_confined(void **state) {
	struct lab_server *server, *elsewhere;
	struct lab_program *program;
	char go[256];
	pid_t snifence, command;
	ino_t namespace;

	(void)state;
	lab_enter();
	server = lab_server(LAB_TLS, "192.0.2.1", 443);
	elsewhere = lab_server(LAB_TLS, "198.51.100.1", 443);
	snprintf(go, sizeof(go), "%s/go", lab_folder());
	program = lab_start_snifence(policy, NULL, (const char *[]){lab_self(), "command", go, NULL});
	snifence = program->pid;
	lab_await_output(program, "ready\n");
	command = lab_command_of(snifence);
	assert_true(command > 0);
	namespace = namespace_of(command);
	kill(snifence, SIGKILL);
	assert_int_equal(lab_finish(program, 5000 * lab_slowness())->status, 128 + SIGKILL);
	assert_int_equal(lab_command_of(snifence), command);

	lab_write("go", "");
	assert_string_equal(lab_await_output(program, "end\n"),
			    "ready\nelsewhere EPERM\nallowed 1\nforbidden 0\nend\n");
	assert_string_equal(lab_wait(server, 0, LAB_CLOSED).name, "allowed.lab.test");
	assert_int_equal(lab_wait(server, 1, LAB_CLOSED).received, 0);
	assert_int_equal(lab_count(server), 2);
	assert_int_equal(lab_count(elsewhere), 0);

	await_end(command);
	assert_true(namespace_ends(namespace));
	assert_int_equal(lab_snifence(policy, NULL, (const char *[]){"true", NULL})->status, 0);
	assert_false(lab_cgroup_of(snifence));
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {lab_test(test_still_confined)};

	if (argc == 3 && strcmp(argv[1], "command") == 0)
		return be_command(argv[2]);
	return cmocka_run_group_tests_name("kill", tests, NULL, NULL);
}
