/* SPDX-License-Identifier: BSD-2-Clause */
/* A start of the command with one fault ──► confined, not started with a message, or a finding. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/message.h"
#include "faults.h"
#include "cgroup/cgroup_place.h"

enum { ARGUMENTS = 32 };

static const char policy[] = "version: 1\ntls: {allow: [allowed.test]}\ndns: {servers: none}\n";

static struct {
	struct cgroup_place place;
	char inside[32], outside[32]; /* the cgroups' names */
	char folder[32], policy[64], log[64], self[4096];
	char victim[16], address[32], outside_path[4096]; /* what the command is told */
	char *argv[ARGUMENTS];
	char expected[OUTPUT]; /* what the command prints when nothing fails */
	char secret;	       /* for others to read in vain */
} trial;

/* What is mounted elsewhere meanwhile is not to come here: the command says what it sees. */
static void prepare_namespaces(void) {
	check(unshare(CLONE_NEWNET | CLONE_NEWNS) == 0, "namespaces");
	check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "mounts");
	check(system("ip link set lo up && ip address add " SERVER_ADDRESS "/32 dev lo") == 0, "address");
	server_start();
}

/* snifence makes its cgroup below that of whoever starts it: what is left there is left by it. */
static void prepare_cgroups(void) {
	char pid[16];
	int fd;

	check(cgroup_place_own(&trial.place) == 0, "own cgroup");
	snprintf(trial.inside, sizeof(trial.inside), "faults-%d", (int)getpid());
	snprintf(trial.outside, sizeof(trial.outside), "faults-out-%d", (int)getpid());
	check(mkdirat(trial.place.fd, trial.inside, 0755) == 0, trial.inside);
	check(mkdirat(trial.place.fd, trial.outside, 0755) == 0, trial.outside);
	snprintf(trial.outside_path, sizeof(trial.outside_path), "%s/%s", trial.place.path[1] ? trial.place.path : "",
		 trial.outside);
	fd = openat(trial.place.fd, trial.inside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	int procs = openat(fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	check(procs >= 0 && write(procs, pid, strlen(pid)) > 0, "cgroup.procs");
	close(procs);
	close(fd);
}

static void prepare_files(void) {
	FILE *file;

	snprintf(trial.folder, sizeof(trial.folder), "/tmp/faults-XXXXXX");
	check(mkdtemp(trial.folder) != NULL, trial.folder);
	check(chmod(trial.folder, 0755) == 0, trial.folder);
	snprintf(trial.policy, sizeof(trial.policy), "%s/policy.yaml", trial.folder);
	snprintf(trial.log, sizeof(trial.log), "%s/log.json", trial.folder);
	file = fopen(trial.policy, "we");
	check(file && fputs(policy, file) >= 0 && fclose(file) == 0, trial.policy);
}

/* The environment's FAULTS_RUN says with which words the command is started: "run" unless it says more. */
static void prepare_command(void) {
	const char *words = getenv("FAULTS_RUN");
	char *list = strdup(words && *words ? words : "run"), *word;
	size_t count = 0;

	check(readlink("/proc/self/exe", trial.self, sizeof(trial.self) - 1) > 0, "own file");
	snprintf(trial.victim, sizeof(trial.victim), "%d", (int)getpid());
	snprintf(trial.address, sizeof(trial.address), "%lx", (unsigned long)&trial.secret);
	trial.argv[count++] = (char *)"build/snifence";
	while ((word = strsep(&list, " ")) && count < ARGUMENTS / 2)
		trial.argv[count++] = word;
	char *rest[] = {(char *)"--log",    trial.log,	  trial.policy,	 (char *)"--",	    trial.self,
			(char *)"attempts", trial.victim, trial.address, trial.outside_path};
	memcpy(trial.argv + count, rest, sizeof(rest));
}

void trial_prepare(void) {
	prepare_namespaces();
	prepare_cgroups();
	prepare_files();
	program_prepare();
	prepare_command();
}

void trial_end(void) {
	char pid[16];
	int procs = openat(trial.place.fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (write(procs, pid, strlen(pid)) < 0 || unlinkat(trial.place.fd, trial.inside, AT_REMOVEDIR) ||
	    unlinkat(trial.place.fd, trial.outside, AT_REMOVEDIR))
		fprintf(stderr, "faults: cgroups are left behind: %m\n");
	unlink(trial.log);
	unlink(trial.policy);
	rmdir(trial.folder);
}

/* ---- one start ----------------------------------------------------------------------------------------------------- */

static struct ended start(const struct point *point, struct points *calls, bool allocations) {
	unlink(trial.log);
	return program_run(trial.argv, point, calls, allocations);
}

/* Ends and removes the cgroups that are left below the own one. Returns whether there were any. */
static bool sweep(void) {
	int fd = openat(trial.place.fd, trial.inside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fdopendir(fd);
	struct dirent *entry;
	bool any = false;
	char file[300];

	while (folder && (entry = readdir(folder))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		any = true;
		snprintf(file, sizeof(file), "%s/cgroup.kill", entry->d_name);
		int kill_fd = openat(fd, file, O_WRONLY | O_CLOEXEC);
		if (write(kill_fd, "1", 1) < 0)
			continue;
		close(kill_fd);
		for (int i = 0; i < 2000 && unlinkat(fd, entry->d_name, AT_REMOVEDIR) && errno == EBUSY; i++)
			usleep(10000);
	}
	if (folder)
		closedir(folder);
	return any;
}

static bool begins(const char *text, const char *with) {
	return strncmp(text, with, strlen(with)) == 0;
}

/*
 * Whether a line says of a command that is confined no less than the expected one: it is the same; a call is refused as
 * by a kernel that lacks it, where nobody is left to tell of it; or there are fewer capabilities.
 */
static bool is_as_safe(const char *line, size_t length, const char *expected) {
	static const char unknown[] = "ENOSYS\n", done[] = "done\n";
	size_t name = strcspn(line, ":") + 2;

	if (length == strcspn(expected, "\n") && strncmp(line, expected, length) == 0)
		return true;
	if (name > length || strncmp(line, expected, name) != 0)
		return false;
	if (begins(line, "= Cap"))
		return (strtoull(line + name, NULL, 16) & ~strtoull(expected + name, NULL, 16)) == 0;
	return !begins(line, "=") && begins(line + name, unknown) && !begins(expected + name, done);
}

/*
 * The first line in which they differ; NULL when `text` is a part of `expected`, from its beginning. A descriptor that
 * could be kept open may be closed.
 */
static const char *difference(const char *text, const char *expected) {
	static char line[128];

	for (; *text; text += strcspn(text, "\n") + 1, expected += strcspn(expected, "\n") + 1) {
		size_t length = strcspn(text, "\n");
		while (begins(expected, "= descriptor ") && !begins(text, "= descriptor "))
			expected += strcspn(expected, "\n") + 1;
		if (*expected && is_as_safe(text, length, expected))
			continue;
		snprintf(line, sizeof(line), "\"%.*s\" instead of \"%.*s\"", (int)length, text,
			 (int)strcspn(expected, "\n"), expected);
		return line;
	}
	return NULL;
}

/* The codes with which snifence says that it has started nothing, or could not go on. */
static bool is_refusal(int code) {
	return code == EXIT_USAGE || code == EXIT_FAILED || code == EXIT_CANNOT_EXECUTE || code == EXIT_NOT_FOUND;
}

static struct result judge(const struct ended *ended, const char *out, const char *err) {
	const char *differs = difference(out, trial.expected);
	int code = WIFEXITED(ended->status) ? WEXITSTATUS(ended->status) : -1;
	struct result seen = {.outcome = FINDING};

	if (server_has_seen(seen.text))
		return seen;
	if (differs)
		return finding("the command said %s", differs);
	if (ended->hung)
		return finding("not done after %d s", TRIAL_MS / 1000);
	if (WIFSIGNALED(ended->status))
		return finding("ended by signal %d", WTERMSIG(ended->status));
	if (ended->left)
		return finding("a process of its own is left");
	/* nothing differs: it has said all when it has said the last line */
	if (code == ATTEMPTS_DONE && strstr(out, "\n= end\n"))
		return (struct result){.outcome = CONFINED};
	if (!is_refusal(code))
		return finding("exit status %d, %s", code, *out ? "and the command had begun" : "and no command");
	if (!*err)
		return finding("exit status %d without a message", code);
	return (struct result){.outcome = *out ? ENDED_EARLY : NOT_STARTED};
}

struct result trial_run(const struct point *point, bool aloud) {
	static char out[OUTPUT], err[OUTPUT];
	struct ended ended = start(point, NULL, false);
	bool left = sweep();

	program_read_output(out);
	program_read_messages(err);
	struct result result = judge(&ended, out, err);
	if (aloud)
		printf("%s---- stderr, wait status 0x%x\n%s----\n", out, ended.status, err);
	if (result.outcome != FINDING && left && !strstr(err, "cgroup"))
		return finding("the cgroup is left without a word");
	if (result.outcome == CONFINED && !program_met(point, &ended))
		result.outcome = NOT_REACHED;
	return result;
}

/* Only what it says of itself is "done"; whatever it tries is not. */
void trial_without_fault(void) {
	static char err[OUTPUT];
	struct ended ended = start(NULL, NULL, false);

	program_read_output(trial.expected);
	program_read_messages(err);
	struct result result = judge(&ended, trial.expected, err);
	if (sweep())
		result = finding("the cgroup is left");
	if (result.outcome == CONFINED && !strstr(trial.expected, ": done\n") &&
	    strstr(trial.expected, "leave the cgroup: ") && strstr(trial.expected, "\n= end\n"))
		return;
	printf("without a fault: %s\n%s%s", result.text, trial.expected, err);
	exit(1);
}

void trial_survey(struct points *calls, const struct allocations **allocations) {
	start(NULL, calls, false);
	start(NULL, NULL, true);
	*allocations = program_allocations();
}

/* ---- other subcommands --------------------------------------------------------------------------------------------- */

static struct ended read_with(const struct reading *reading, const struct point *point) {
	char *argv[ARGUMENTS] = {(char *)"build/snifence"};

	for (size_t i = 0; reading->words[i]; i++)
		argv[i + 1] = strcmp(reading->words[i], "LOG") == 0	 ? trial.log
			      : strcmp(reading->words[i], "POLICY") == 0 ? trial.policy
									 : (char *)reading->words[i];
	return program_run(argv, point, NULL, true);
}

struct points trial_reading_points(const struct reading *reading) {
	read_with(reading, NULL);
	program_read_output(trial.expected);
	return points_of_allocations(program_allocations());
}

/* It ends by itself; who sees no error and reads no message has got all of it. */
struct result trial_reading(const struct reading *reading, const struct point *point) {
	static char out[OUTPUT], err[OUTPUT];
	struct ended ended = read_with(reading, point);
	int code = WIFEXITED(ended.status) ? WEXITSTATUS(ended.status) : -1;

	program_read_output(out);
	program_read_messages(err);
	if (ended.hung)
		return finding("not done after %d s", TRIAL_MS / 1000);
	if (code < 0)
		return finding("ended by signal %d", WTERMSIG(ended.status));
	if (!*err && code)
		return finding("exit status %d without a message", code);
	if (!*err && strcmp(out, trial.expected) != 0)
		return finding("without a message, %s", difference(out, trial.expected));
	return (struct result){.outcome = code ? NOT_STARTED : CONFINED};
}
