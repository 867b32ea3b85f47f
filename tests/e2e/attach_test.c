/* SPDX-License-Identifier: BSD-2-Clause */
/* attach, reload, detach, load, unload, status ──► what processes that run already can reach. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <json-c/json.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../support/resident.h"
#include "cgroup/cgroup_place.h"

enum { DEPTH = 5, TRIAL_SECONDS = 2 };

/* Cgroups one below the other, of which the test attaches some. */
static struct cgroup cgroups[DEPTH];
static char *paths[DEPTH], names[DEPTH][16];

static void below(int depth) {
	struct cgroup *above = &cgroups[depth - 1], *cgroup = &cgroups[depth];
	struct stat status;

	snprintf(names[depth], sizeof(names[depth]), "below-%d", depth);
	assert_int_equal(mkdirat(above->fd, names[depth], 0755), 0);
	*cgroup = (struct cgroup){.fd = openat(above->fd, names[depth], O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				  .parent_fd = above->fd};
	assert_true(cgroup->fd >= 0);
	assert_int_equal(fstat(cgroup->fd, &status), 0);
	cgroup->id = status.st_ino;
	assert_true(asprintf(&paths[depth], "%s/%s", paths[depth - 1], names[depth]) > 0);
}

static void begin(void) {
	resident_begin();
	cgroups[0] = *resident_cgroup();
	paths[0] = cgroups[0].path;
	lab_server(LAB_TLS, "192.0.2.1", 443);
}

static int end(void **state) {
	for (int i = 1; i < DEPTH; i++) {
		if (cgroups[i].fd > 0)
			close(cgroups[i].fd);
		free(paths[i]);
		paths[i] = NULL;
	}
	memset(cgroups, 0, sizeof(cgroups));
	return resident_end(state);
}

#define attach_test(function) cmocka_unit_test_teardown(function, end)

/* A ClientHello of a process in the cgroup: 0 where the server answers, 1 where it does not. */
static int say(int depth, const char *name) {
	return resident_inside(&cgroups[depth], resident_greet, (void *)name);
}

static void test_life(void **state) {
	const char *policy;

	(void)state;
	begin();
	policy = lab_write("life.yaml", RESIDENT_ALLOW("kept.lab.test"));
	assert_int_equal(say(0, "other.lab.test"), 0);
	resident_says(0, "attach", policy, "--cgroup", paths[0]);
	assert_int_equal(say(0, "kept.lab.test"), 0);
	assert_int_equal(say(0, "other.lab.test"), 1);
	assert_string_equal(resident_state(), "live");
	assert_int_equal(resident_count("policies"), 1);

	lab_write("life.yaml", RESIDENT_ALLOW("other.lab.test"));
	resident_says(0, "reload", "--dry-run", policy);
	assert_int_equal(say(0, "kept.lab.test"), 0);
	resident_says(0, "reload", policy);
	assert_int_equal(say(0, "kept.lab.test"), 1);
	assert_int_equal(say(0, "other.lab.test"), 0);

	/* one with an error changes nothing */
	lab_write("life.yaml", "version: 1\ntls: {allow: [a..b]}\n");
	resident_says(2, "reload", policy);
	assert_int_equal(say(0, "other.lab.test"), 0);
	assert_int_equal(say(0, "kept.lab.test"), 1);

	resident_says(0, "detach", "--cgroup", paths[0]);
	assert_int_equal(say(0, "kept.lab.test"), 0);
	assert_int_equal(resident_count("policies"), 0);
	assert_int_equal(resident_count("attachments"), 0);
	resident_says(125, "detach", "--cgroup", paths[0]);
	resident_says(0, "unload");
	assert_int_equal(access("/run/snifence", F_OK), -1);
	resident_says(0, "status");
}

static void test_digest(void **state) {
	const char *policy;

	(void)state;
	begin();
	policy = lab_write("digest.yaml", RESIDENT_ALLOW("kept.lab.test"));
	resident_says(2, "attach", "--sha256", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		      policy, "--cgroup", paths[0]);
	assert_int_equal(resident_count("attachments"), 0);
	assert_int_equal(say(0, "other.lab.test"), 0);
}

/* What is said when it ends: nothing else but that. */
static void expect_only(const struct lab_program *program, int status, const char *line) {
	char whole[500];

	snprintf(whole, sizeof(whole), "snifence: %s\n", line);
	assert_int_equal(program->status, status);
	assert_string_equal(program->err, whole);
}

static void test_audit(void **state) {
	const char *policy;
	char line[300];

	(void)state;
	begin();
	policy = lab_write("audit.yaml", RESIDENT_ALLOW("kept.lab.test"));
	resident_says(0, "attach", "--audit", policy, "--cgroup", paths[0]);
	assert_int_equal(say(0, "other.lab.test"), 0);
	snprintf(line, sizeof(line), "%s is in force in another form: `snifence reload` it first", policy);
	expect_only(resident_snifence((const char *const[]){"attach", policy, "--cgroup", paths[0], NULL}), 125, line);
	resident_says(0, "reload", policy);
	assert_int_equal(say(0, "other.lab.test"), 1);
}

/* As in a container: the uppermost cgroup that it sees is one as others, with no directory of cgroups above. */
static void test_cgroup_namespace(void **state) {
	static const char script[] =
		"echo $$ >\"$3/cgroup.procs\" && exec unshare --cgroup --mount --pid --fork --mount-proc sh -c '"
		"for m in $(awk \"\\$3 == \\\"cgroup2\\\" { print \\$2 }\" /proc/self/mounts); do umount -l $m; done; "
		"mkdir \"$2/mnt\" && mount -t cgroup2 none \"$2/mnt\" && "
		"build/snifence attach \"$1\" --cgroup /below-1 && exec build/snifence status' sh \"$2\" \"$4\"";
	struct lab_program *program;
	char place[64];

	(void)state;
	begin();
	below(1);
	snprintf(place, sizeof(place), "/proc/%d/fd/%d", getpid(), cgroups[0].fd);
	resident_says(0, "load");
	program = lab_run((const char *[]){"sh", "-c", script, "sh", "",
					   lab_write("inside.yaml", RESIDENT_ALLOW("kept.lab.test")), place,
					   lab_folder(), NULL});
	assert_string_equal(program->err, "");
	assert_int_equal(program->status, 0);
	assert_non_null(strstr(program->out, "/below-1"));
	assert_int_equal(say(1, "kept.lab.test"), 0);
	assert_int_equal(say(1, "other.lab.test"), 1);
}

/* Runs a script in the first cgroup and in namespaces: $1 is the policy, $2 the cgroup, $3 one below it, $4 a folder. */
static struct lab_program *run_in_cgroup(const char *policy, const char *script) {
	char whole[1200], first[64], second[64];

	snprintf(whole, sizeof(whole), "set -e; echo $$ >$2/cgroup.procs; %s", script);
	snprintf(first, sizeof(first), "/proc/%d/fd/%d", getpid(), cgroups[0].fd);
	snprintf(second, sizeof(second), "/proc/%d/fd/%d", getpid(), cgroups[1].fd);
	return lab_run((const char *const[]){"bash", "-c", whole, "-", policy, first, second, NULL});
}

static void expect_said(const struct lab_program *program, int status, const char *piece) {
	if (program->status != status || !(strstr(program->out, piece) || strstr(program->err, piece)))
		fail_msg("it ends with %d, and says: %s%s", program->status, program->out, program->err);
}

/* Where process 1 is outside of the namespace, it leads to the whole hierarchy. */
static void test_other_namespace(void **state) {
	const char *policy;

	(void)state;
	begin();
	below(1);
	policy = lab_write("inside.yaml", RESIDENT_ALLOW("kept.lab.test"));
	expect_said(run_in_cgroup(policy, "exec unshare --pid --fork --mount-proc sh -c '\n"
					  "unshare --cgroup build/snifence attach $0 --pid 1 &&\n"
					  "unshare --cgroup build/snifence status' $1"),
		    0, strrchr(paths[0], '/'));
	assert_int_equal(say(0, "other.lab.test"), 1);
}

/* A container with a mount of the whole hierarchy, where a process's path leads elsewhere, or nowhere. */
static void test_other_namespace_of_process(void **state) {
	(void)state;
	begin();
	below(1);
	expect_said(run_in_cgroup(lab_write("inside.yaml", RESIDENT_ALLOW("kept.lab.test")),
				  "exec 9<$3; exec unshare --cgroup --pid --fork --kill-child --mount-proc sh -c '\n"
				  "sleep 20 & echo $! >/proc/self/fd/9/cgroup.procs\n"
				  "build/snifence attach $0 --pid $!' $1"),
		    2, "of another cgroup namespace");
	assert_int_equal(resident_count("attachments"), 0);
}

/* What is attached outside of a container has no path in there. */
static void test_other_namespace_of_status(void **state) {
	const char *policy;

	(void)state;
	begin();
	below(1);
	policy = lab_write("outside.yaml", RESIDENT_ALLOW("kept.lab.test"));
	resident_says(0, "attach", policy, "--cgroup", paths[0]);
	expect_said(run_in_cgroup(policy, "echo $$ >$3/cgroup.procs\n"
					  "exec unshare --cgroup --mount --pid --fork --mount-proc sh -c '\n"
					  "umount -l $(grep \" cgroup2 \" /proc/mounts | cut -d \" \" -f 2)\n"
					  "build/snifence status'"),
		    0, "    /..\n");
}

/* What is attached as it is asked for stays, also when another cgroup of the same command cannot be attached. */
static void test_attached_already(void **state) {
	const char *policy, *other;
	char line[400];

	(void)state;
	begin();
	below(1);
	policy = lab_write("first.yaml", RESIDENT_ALLOW("kept.lab.test"));
	other = lab_write("other.yaml", RESIDENT_ALLOW("kept.lab.test"));
	resident_says(0, "attach", policy, "--cgroup", paths[0]);
	resident_says(0, "attach", policy, "--cgroup", paths[0]);
	snprintf(line, sizeof(line),
		 "%s is attached already, under %s: `snifence detach` it first, or `snifence reload` that policy",
		 paths[0], policy);
	expect_only(resident_snifence((const char *const[]){"attach", other, "--cgroup", paths[0], NULL}), 125, line);
	resident_says(0, "attach", other, "--cgroup", paths[1]);
	resident_says(125, "attach", policy, "--cgroup", paths[0], "--cgroup", paths[1]);
	assert_int_equal(resident_count("attachments"), 2);
	assert_int_equal(say(0, "other.lab.test"), 1);
}

/* What somebody has detached is attached again, as `status` says. */
static void test_not_whole(void **state) {
	const char *policy;
	int program;

	(void)state;
	begin();
	policy = lab_write("whole.yaml", RESIDENT_ALLOW("kept.lab.test"));
	resident_says(0, "attach", policy, "--cgroup", paths[0]);
	program = resident_pin("snif_egress");
	assert_int_equal(bpf_prog_detach2(program, cgroups[0].fd, BPF_CGROUP_INET_EGRESS), 0);
	close(program);
	assert_string_equal(resident_state(), "not_whole");
	assert_int_equal(say(0, "other.lab.test"), 0);
	resident_says(0, "attach", policy, "--cgroup", paths[0]);
	assert_string_equal(resident_state(), "live");
	assert_int_equal(say(0, "other.lab.test"), 1);
	assert_int_equal(say(0, "kept.lab.test"), 0);
}

/* What is noted and is of another kind than it was is told of: json-c would end the process. */
static void test_note_of_another_kind(void **state) {
	struct lab_program *program;

	(void)state;
	begin();
	resident_says(0, "attach", lab_write("noted.yaml", RESIDENT_ALLOW("kept.lab.test")), "--cgroup", paths[0]);
	program =
		lab_run((const char *const[]){"sh", "-c",
					      "sed -i 's/\"beside\":\\[\\]/\"beside\":{}/' /run/snifence/*/policy-1 && "
					      "grep -q beside.:{} /run/snifence/*/policy-1 && "
					      "sed -i 's/\"rules\":.*/\"rules\":5}/' /run/snifence/*/rules-1-*",
					      NULL});
	assert_int_equal(program->status, 0);
	assert_int_equal(resident_count("attachments"), 1);
	resident_says(125, "reload", "--dry-run", lab_write("noted.yaml", RESIDENT_ALLOW("kept.lab.test")));
}

/* A directory outside of the hierarchy has a number, too, which can be that of a cgroup. */
static void test_outside_of_the_hierarchy(void **state) {
	(void)state;
	begin();
	expect_said(resident_snifence((const char *const[]){"detach", "--cgroup", "/..", NULL}), 2,
		    "there is no cgroup /..");
}

static int wait_until_killed(void *root_procs) {
	if (write(*(int *)root_procs, "0", 1) != 1)
		return 1;
	pause();
	return 0;
}

static bool is_in_root(pid_t pid) {
	char *path = cgroup_place_whole_path(pid);
	bool is = path && strcmp(path, "/") == 0;

	free(path);
	return is;
}

/* Opens the machine's root, and makes a path of it; skips the test in a container, which has none. */
static int open_root(char *path, size_t size) {
	int root = cgroup_place_root();
	struct stat status;

	assert_true(root >= 0);
	assert_int_equal(fstat(root, &status), 0);
	if (status.st_ino != CGROUP_ROOT_ID) {
		print_message("skipped: the hierarchy's root cannot be seen from here\n");
		close(root);
		skip();
	}
	snprintf(path, size, "/proc/%d/fd/%d", getpid(), root);
	return root;
}

/* A policy that is not there, so that nothing is attached in any case. */
#define MISSING "/nowhere/policy.yaml"

static void expect_root_refused(const char *option, const char *value) {
	expect_said(resident_snifence((const char *const[]){"attach", MISSING, option, value, NULL}), 2,
		    "all processes of the machine are below the hierarchy's root");
}

/* The whole machine is confined where that is asked for, and by no way that leads there. */
static void test_root_of_the_hierarchy(void **state) {
	char path[40], pid_text[16];
	int root, procs;
	pid_t pid;

	(void)state;
	begin();
	root = open_root(path, sizeof(path));
	expect_root_refused("--cgroup", path);
	expect_root_refused("--cgroup", "/.");
	procs = openat(root, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	pid = resident_start(&cgroups[0], wait_until_killed, &procs);
	for (int ms = 0; ms < LAB_PATIENCE_MS && !is_in_root(pid); ms += 10)
		lab_sleep_ms(10);
	snprintf(pid_text, sizeof(pid_text), "%d", pid);
	expect_root_refused("--pid", pid_text);
	kill(pid, SIGKILL);
	resident_finish(pid);
	close(procs);
	expect_said(
		resident_snifence((const char *const[]){"attach", MISSING, "--cgroup", "/", "--cgroup", path, NULL}), 2,
		MISSING ": error: the policy cannot be read");
	close(root);
}

static void test_no_cgroup(void **state) {
	(void)state;
	begin();
	expect_only(resident_snifence((const char *const[]){"detach", "--cgroup", "missing.slice", NULL}), 2,
		    "there is no cgroup missing.slice here: a path below the hierarchy's root begins with /");
	expect_only(resident_snifence((const char *const[]){"detach", "--cgroup", "/missing.slice", NULL}), 2,
		    "there is no cgroup /missing.slice: No such file or directory");
	lab_needs("setpriv");
	expect_only(lab_run((const char *const[]){"setpriv", "--bounding-set=-dac_read_search", "build/snifence",
						  "detach", "--cgroup", "/", NULL}),
		    2, "cannot look for the cgroup /: that needs root, with CAP_DAC_READ_SEARCH");
}

/* Where the only note of such a name is. */
static void find_note(const char *name, char *path, size_t size) {
	char pattern[64];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "/run/snifence/*/%s", name);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	snprintf(path, size, "%s", found.gl_pathv[0]);
	globfree(&found);
}

/* What is said to be done then helps. */
static void test_note_cut_off(void **state) {
	static const char *const notes[] = {"policy-1", "cgroup-*"};
	const char *policy;
	char wanted[200], path[120];

	(void)state;
	begin();
	policy = lab_write("noted.yaml", RESIDENT_ALLOW("kept.lab.test"));
	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		resident_says(0, "attach", policy, "--cgroup", paths[0]);
		find_note(notes[i], path, sizeof(path));
		assert_int_equal(truncate(path, 20), 0);
		snprintf(wanted, sizeof(wanted), "snifence: %s is damaged: remove it, then detach and attach again",
			 path);
		expect_said(resident_snifence((const char *const[]){"status", NULL}), 125, wanted);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(resident_count("attachments"), 1);
		resident_says(0, "detach", "--cgroup", paths[0]);
	}
	resident_says(0, "attach", policy, "--cgroup", paths[0]);
	assert_string_equal(resident_state(), "live");
}

/* Each of a stack must allow, in whichever order it was made. */
static void attach_in_order(const int order[4]) {
	static const char *const allowed[] = {RESIDENT_ALLOW("'*.lab.test'"),
					      RESIDENT_ALLOW("a.lab.test, b.lab.test, c.lab.test"),
					      RESIDENT_ALLOW("a.lab.test, b.lab.test"), RESIDENT_ALLOW("a.lab.test")};
	char name[32];

	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "stack-%d.yaml", order[i]);
		resident_says(0, "attach", lab_write(name, allowed[order[i]]), "--cgroup", paths[order[i]]);
	}
	assert_int_equal(say(3, "a.lab.test"), 0);
	assert_int_equal(say(3, "b.lab.test"), 1);
	assert_int_equal(say(2, "b.lab.test"), 0);
	assert_int_equal(say(2, "c.lab.test"), 1);
	assert_int_equal(say(1, "c.lab.test"), 0);
	assert_int_equal(say(1, "d.lab.test"), 1);
	assert_int_equal(say(0, "d.lab.test"), 0);
	assert_int_equal(resident_count("attachments"), 4);
}

static void test_nesting(void **state) {
	static const int orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}};

	(void)state;
	begin();
	for (int i = 1; i < DEPTH; i++)
		below(i);
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		attach_in_order(orders[i]);
		/* a fifth one has no instance left */
		resident_says(125, "attach", lab_write("fifth.yaml", RESIDENT_ALLOW("a.lab.test")), "--cgroup",
			      paths[4]);
		for (int j = 0; j < 4; j++)
			resident_says(0, "detach", "--cgroup", paths[orders[i][j]]);
		assert_int_equal(say(3, "d.lab.test"), 0);
	}
}

/* A run has a policy and a ring of its own in the resident instance, or, below an attached cgroup, in the next one. */
static void test_run(void **state) {
	static const char *const options[] = {"--quiet", NULL};
	struct lab_program *program;

	(void)state;
	begin();
	resident_says(0, "load");
	for (int i = 0; i < 3; i++) {
		program = lab_snifence(RESIDENT_ALLOW("kept.lab.test"), options,
				       (const char *const[]){lab_self(), "say", "other.lab.test", NULL});
		assert_int_equal(program->status, 1);
		assert_int_equal(json_object_array_length(lab_log(program)), 1);
		program = lab_snifence(RESIDENT_ALLOW("kept.lab.test"), options,
				       (const char *const[]){lab_self(), "say", "kept.lab.test", NULL});
		assert_int_equal(program->status, 0);
	}
	assert_int_equal(resident_count("policies"), 0);
	/* not even root's commands can change what belongs to the filter, or lock it */
	program =
		lab_snifence(RESIDENT_ALLOW("kept.lab.test"), (const char *const[]){"--quiet", "--user", "root", NULL},
			     (const char *const[]){"sh", "-c",
						   "! touch /run/snifence/x && ! rm -r /run/snifence/bpf/*/tags && "
						   "! flock -n /run/snifence/bpf true",
						   NULL});
	assert_int_equal(program->status, 0);
}

/* Whether `status` says of a cgroup that it is attached for a trial, which it does in both its forms. */
static bool is_on_trial(void) {
	const char *text = resident_snifence((const char *const[]){"status", NULL})->out;
	const char *json = resident_snifence((const char *const[]){"status", "--json", NULL})->out;
	bool trial = strstr(text, "  on trial until 20") != NULL;

	assert_int_equal(trial, strstr(json, "\"trial_until\":\"20") != NULL);
	return trial;
}

static void test_trial(void **state) {
	const char *policy;
	char seconds[16];

	(void)state;
	begin();
	policy = lab_write("trial.yaml", RESIDENT_ALLOW("kept.lab.test"));
	resident_says(125, "confirm");
	snprintf(seconds, sizeof(seconds), "%ds", TRIAL_SECONDS * lab_slowness());
	resident_says(0, "attach", "--confirm-within", seconds, policy, "--cgroup", paths[0]);
	assert_int_equal(say(0, "other.lab.test"), 1);
	for (int i = 0; i < 200 && resident_count("attachments") > 0; i++)
		lab_sleep_ms(50 * lab_slowness());
	assert_int_equal(say(0, "other.lab.test"), 0);

	expect_said(resident_snifence((const char *const[]){"attach", "--confirm-within", "1h", policy, "--cgroup",
							    paths[0], NULL}),
		    0, "detached again in 3600 seconds, unless `snifence confirm` comes before");
	assert_true(is_on_trial());
	resident_says(0, "confirm");
	/* whoever waits notes it as soon as it can */
	for (int i = 0; i < 10 && is_on_trial(); i++)
		lab_sleep_ms(100 * lab_slowness());
	assert_false(is_on_trial());
	resident_says(0, "detach", "--cgroup", paths[0]);

	resident_says(0, "attach", "--confirm-within", seconds, policy, "--cgroup", paths[0]);
	resident_says(0, "confirm");
	lab_sleep_ms((1000 * TRIAL_SECONDS + 500) * lab_slowness());
	assert_int_equal(say(0, "other.lab.test"), 1);
	resident_says(125, "confirm");
}

/* The end of a trial is not that of what has come in its place. */
static void test_trial_over(void **state) {
	const char *policy, *other;
	char seconds[16];

	(void)state;
	begin();
	below(1);
	policy = lab_write("over.yaml", RESIDENT_ALLOW("kept.lab.test"));
	other = lab_write("after.yaml", RESIDENT_ALLOW("kept.lab.test"));
	snprintf(seconds, sizeof(seconds), "%ds", TRIAL_SECONDS * lab_slowness());
	resident_says(0, "attach", "--confirm-within", seconds, policy, "--cgroup", paths[0], "--cgroup", paths[1]);
	resident_says(0, "attach", policy, "--cgroup", paths[0]);
	resident_says(0, "detach", "--cgroup", paths[1]);
	resident_says(0, "attach", other, "--cgroup", paths[1]);
	for (int i = 0; i < 200 && resident_is_pinned("/run/snifence/confirm-*"); i++)
		lab_sleep_ms(50 * lab_slowness());
	assert_false(resident_is_pinned("/run/snifence/confirm-*"));
	assert_int_equal(resident_count("attachments"), 2);
	assert_int_equal(say(0, "other.lab.test"), 1);
}

/* ---- verify ---------------------------------------------------------------------------------------------------- */

/* Fails unless verify has such a finding, and ends with 1; NULL: unless it has none. */
static struct lab_program *expect_finding(const char *kind) {
	struct lab_program *program = resident_snifence((const char *const[]){"verify", "--json", NULL});
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "\"kind\":\"%s\"", kind ? kind : "");
	if (kind ? !strstr(program->out, wanted) : strstr(program->out, "\"kind\"") != NULL)
		fail_msg("verify says not what was expected (%s): %s%s", wanted, program->out, program->err);
	assert_int_equal(program->status, kind ? 1 : 0);
	return program;
}

/* Of the first policy. */
static __u32 slot_in_force(void) {
	int policies = resident_pin("policies");
	struct snif_active active;
	__u32 policy = 1;

	assert_int_equal(bpf_map_lookup_elem(policies, &policy, &active), 0);
	close(policies);
	return active.slot;
}

/* A bucket of names as anybody with the rights could write it. */
static void change_names(void (*change)(struct snif_bucket *bucket)) {
	int outer = resident_pin("names"), inner;
	struct snif_bucket bucket;
	__u32 slot = slot_in_force(), number = 0, id;

	assert_int_equal(bpf_map_lookup_elem(outer, &slot, &id), 0);
	inner = bpf_map_get_fd_by_id(id);
	assert_int_equal(bpf_map_lookup_elem(inner, &number, &bucket), 0);
	assert_int_equal(bucket.names[0].says, SNIF_SAYS_EXACT);
	change(&bucket);
	assert_int_equal(bpf_map_update_elem(inner, &number, &bucket, BPF_ANY), 0);
	close(inner);
	close(outer);
}

static void change_a_name(struct snif_bucket *bucket) {
	bucket->names[0].says |= SNIF_SAYS_BELOW;
}

static void add_a_name(struct snif_bucket *bucket) {
	bucket->names[1] = (struct snif_bucket_name){.hash_high = 1, .says = SNIF_SAYS_BELOW, .rule = 1};
}

/* A program that allows every connection. Returns its descriptor. */
static int load_allow_all(void) {
	static const struct bpf_insn instructions[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1}, {.code = BPF_JMP | BPF_EXIT}};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_CGROUP_INET6_CONNECT);
	int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "snif_connect6", "GPL", instructions, 2, &options);

	assert_true(fd >= 0);
	return fd;
}

/* The rule for any name, which the policy has none of. */
static void allow_any_name(void) {
	int map = resident_pin("settings");
	struct snif_settings settings;
	__u32 slot = slot_in_force();

	assert_int_equal(bpf_map_lookup_elem(map, &slot, &settings), 0);
	settings.any.verdict = SNIF_ALLOW;
	assert_int_equal(bpf_map_update_elem(map, &slot, &settings, BPF_ANY), 0);
	close(map);
}

static void test_verify(void **state) {
	const char *policy;
	int program;

	(void)state;
	begin();
	policy = lab_write("verified.yaml", RESIDENT_ALLOW("kept.lab.test"));
	resident_says(0, "attach", policy, "--cgroup", paths[0]);
	expect_finding(NULL);

	change_names(change_a_name);
	expect_said(expect_finding("entry_differs"), 1, "0 added, 1 changed, 0 missing");
	resident_says(0, "reload", policy);
	expect_finding(NULL);

	change_names(add_a_name);
	expect_said(expect_finding("entry_differs"), 1, "1 added, 0 changed, 0 missing");
	resident_says(0, "reload", policy);
	expect_finding(NULL);

	allow_any_name();
	expect_finding("settings_differ");
	resident_says(0, "reload", policy);
	expect_finding(NULL);

	lab_write("verified.yaml", RESIDENT_ALLOW("other.lab.test"));
	expect_finding("file_differs");
	resident_says(0, "reload", policy);
	expect_finding(NULL);

	program = resident_pin("snif_connect6");
	assert_int_equal(bpf_prog_detach2(program, cgroups[0].fd, BPF_CGROUP_INET6_CONNECT), 0);
	close(program);
	expect_said(expect_finding("program_missing"), 1, "the program snif_connect6 is not attached");
	resident_says(0, "detach", "--cgroup", paths[0]);
}

/* Who is root removes what is noted: that is told of, and what is said to be done then helps. */
static void test_verify_note(void **state) {
	static const struct {
		const char *note, *found, *shown;
	} cases[] = {{"policy-1", "what was noted of a policy is gone", "    NOT NOTED: "},
		     {"cgroup-*", "what was noted of it is gone", "  NOT NOTED: "}};
	const char *policy;
	char path[120];

	(void)state;
	begin();
	policy = lab_write("noted.yaml", RESIDENT_ALLOW("kept.lab.test"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		resident_says(0, "attach", policy, "--cgroup", paths[0]);
		find_note(cases[i].note, path, sizeof(path));
		assert_int_equal(unlink(path), 0);
		expect_said(expect_finding("note_missing"), 1, cases[i].found);
		expect_said(resident_snifence((const char *const[]){"status", NULL}), 1, cases[i].shown);
		expect_said(resident_snifence((const char *const[]){"status", "--json", NULL}), 1,
			    "\"note_lost\":true");
		resident_says(0, "detach", "--cgroup", paths[0]);
		resident_says(0, "attach", policy, "--cgroup", paths[0]);
		expect_finding(NULL);
		resident_says(0, "status");
		resident_says(0, "detach", "--cgroup", paths[0]);
	}
}

/* It keeps them, to have them again whenever it likes. */
static void lay_capabilities_down(void) {
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data))
		_exit(1);
	data[0].effective = data[1].effective = 0;
	if (syscall(SYS_capset, &header, data))
		_exit(1);
}

/* By one of the same name: where it is attached, and where an instance has it. */
static void test_verify_replaced(void **state) {
	LIBBPF_OPTS(bpf_prog_attach_opts, options, .flags = BPF_F_ALLOW_MULTI | BPF_F_REPLACE);
	int other;
	char pin[300];
	glob_t found;

	(void)state;
	begin();
	resident_says(0, "attach", lab_write("replaced.yaml", RESIDENT_ALLOW("kept.lab.test")), "--cgroup", paths[0]);
	options.replace_prog_fd = resident_pin("snif_connect6");
	other = load_allow_all();
	assert_int_equal(bpf_prog_attach_opts(other, cgroups[0].fd, BPF_CGROUP_INET6_CONNECT, &options), 0);
	close(options.replace_prog_fd);
	expect_said(expect_finding("program_missing"), 1, "the program snif_connect6 is not attached");
	resident_says(0, "detach", "--cgroup", paths[0]);

	resident_says(0, "load");
	assert_int_equal(glob("/run/snifence/bpf/*_0/snif_connect6", 0, NULL, &found), 0);
	snprintf(pin, sizeof(pin), "%s", found.gl_pathv[0]);
	globfree(&found);
	assert_int_equal(unlink(pin), 0);
	assert_int_equal(bpf_obj_pin(other, pin), 0);
	close(other);
	expect_said(expect_finding("program_differs"), 1, "the program snif_connect6 is not the one");
}

static void test_verify_processes(void **state) {
	int turns[2];
	pid_t pid;

	(void)state;
	begin();
	assert_int_equal(pipe(turns), 0);
	pid = fork();
	if (pid == 0) {
		int fd;

		cgroup_adopt(&cgroups[0], getpid());
		fd = lab_dial("192.0.2.1", 443);
		if (socket(AF_PACKET, SOCK_RAW, 0) < 0)
			_exit(1);
		lay_capabilities_down();
		if (write(turns[1], "", 1) == 1 && fd >= 0)
			pause();
		_exit(0);
	}
	assert_int_equal(read(turns[0], turns, 1), 1);
	resident_says(0, "attach", lab_write("processes.yaml", RESIDENT_ALLOW("kept.lab.test")), "--cgroup", paths[0]);
	expect_finding("older_socket");
	expect_finding("packet_socket");
	expect_said(expect_finding("capability"), 1, "1 processes have CAP_NET_RAW");
	kill(pid, SIGKILL);
	resident_finish(pid);
	expect_finding(NULL);
}

static void drop_capabilities(void) {
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	if (syscall(SYS_capset, &header, none))
		_exit(1);
}

static void *be_thread(void *ready) {
	int fd = unshare(CLONE_FILES) ? -1 : lab_dial("192.0.2.1", 443);

	if (fd < 0 || socket(AF_PACKET, SOCK_RAW, 0) < 0 || write(*(int *)ready, "", 1) != 1)
		_exit(1);
	pause();
	return NULL;
}

/* The thread has its descriptors, and the rights, for itself. */
static void have_capable_thread(int ready) {
	pthread_t thread;
	int begun[2];
	char byte;

	if (pipe(begun) || pthread_create(&thread, NULL, be_thread, &begun[1]) || read(begun[0], &byte, 1) != 1)
		_exit(1);
	drop_capabilities();
	if (write(ready, "", 1) != 1)
		_exit(1);
	pthread_join(thread, NULL);
}

/* The first thread, whose number is that of the process, has ended. */
static void have_only_thread(int ready) {
	static int written;
	pthread_t thread;

	written = ready;
	if (pthread_create(&thread, NULL, be_thread, &written))
		_exit(1);
	syscall(SYS_exit, 0);
}

/* Before Linux 6.9 nobody can take a thread's own descriptors: then `verify` says that it has not seen all. */
static bool can_take_from_threads(void) {
	int fd = (int)syscall(SYS_pidfd_open, syscall(SYS_gettid), O_EXCL /* PIDFD_THREAD */);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void put(int folder, const char *file, const char *text) {
	int fd = openat(folder, file, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(1);
	close(fd);
}

/* Of two threads of a process one is in the cgroup, which lists no processes. */
static void *enter_threaded(void *ready) {
	put(cgroups[1].fd, "cgroup.threads", "0");
	if (socket(AF_PACKET, SOCK_RAW, 0) < 0 || write(*(int *)ready, "", 1) != 1)
		_exit(1);
	pause();
	return NULL;
}

static int be_in_threaded(void *ready) {
	pthread_t thread;

	return pthread_create(&thread, NULL, enter_threaded, ready) || pthread_join(thread, NULL);
}

static void test_verify_threaded_cgroup(void **state) {
	int turns[2];
	char turn;
	pid_t pid;

	(void)state;
	begin();
	below(1);
	put(cgroups[1].fd, "cgroup.type", "threaded");
	assert_int_equal(pipe(turns), 0);
	pid = resident_start(&cgroups[0], be_in_threaded, &turns[1]);
	assert_int_equal(read(turns[0], &turn, 1), 1);
	close(turns[0]);
	close(turns[1]);
	resident_says(0, "attach", lab_write("threaded.yaml", RESIDENT_ALLOW("kept.lab.test")), "--cgroup", paths[1]);
	expect_said(expect_finding("packet_socket"), 1, "1 processes hold a packet socket");
	kill(pid, SIGKILL);
	resident_finish(pid);
	expect_finding(NULL);
}

static void test_verify_threads(void **state) {
	static void (*const cases[])(int ready) = {have_capable_thread, have_only_thread};

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int turns[2];
		char turn;
		pid_t pid;

		assert_int_equal(pipe(turns), 0);
		pid = fork();
		if (pid == 0) {
			cgroup_adopt(&cgroups[0], getpid());
			cases[i](turns[1]);
			_exit(0);
		}
		close(turns[1]);
		assert_int_equal(read(turns[0], &turn, 1), 1);
		close(turns[0]);
		resident_says(0, "attach", lab_write("threads.yaml", RESIDENT_ALLOW("kept.lab.test")), "--cgroup",
			      paths[0]);
		expect_said(expect_finding("capability"), 1, "1 processes have CAP_NET_RAW");
		if (can_take_from_threads()) {
			expect_finding("older_socket");
			expect_finding("packet_socket");
		} else {
			expect_said(expect_finding("capability"), 1, "which needs Linux 6.9");
		}
		kill(pid, SIGKILL);
		resident_finish(pid);
		expect_finding(NULL);
		resident_says(0, "detach", "--cgroup", paths[0]);
	}
}

static void be_root(void) {
}

static void be_nobody(void) {
	if (setresuid(65534, 65534, 65534))
		_exit(1);
}

/* What a later setuid() makes root. */
static void be_root_later(void) {
	if (setresuid(65534, 65534, 0))
		_exit(1);
}

static void have_own_mounts(void) {
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		_exit(1);
}

static void hide(void) {
	have_own_mounts();
	if (mount("none", "/run/snifence", "tmpfs", MS_RDONLY, NULL))
		_exit(1);
}

static void have_read_only(const char *path) {
	if (mount(path, path, NULL, MS_BIND, NULL) || mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL))
		_exit(1);
}

static void have_all_read_only(void) {
	have_own_mounts();
	have_read_only("/run/snifence/bpf");
	if (mount(NULL, "/run/snifence", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL))
		_exit(1);
}

static void have_notes_read_only(void) {
	have_own_mounts();
	if (mount(NULL, "/run/snifence", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL))
		_exit(1);
}

/* Who is root can change what root owns, without any capability. */
static void test_verify_root(void **state) {
	static const struct {
		void (*be)(void);
		bool found;
	} cases[] = {{be_root, true}, {be_nobody, false},	   {be_root_later, true},	{have_own_mounts, true},
		     {hide, false},   {have_all_read_only, false}, {have_notes_read_only, true}};

	(void)state;
	begin();
	resident_says(0, "attach", lab_write("root.yaml", RESIDENT_ALLOW("kept.lab.test")), "--cgroup", paths[0]);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int turns[2];
		char turn;
		pid_t pid;

		assert_int_equal(pipe(turns), 0);
		pid = fork();
		if (pid == 0) {
			cgroup_adopt(&cgroups[0], getpid());
			cases[i].be();
			drop_capabilities();
			if (write(turns[1], "", 1) == 1)
				pause();
			_exit(0);
		}
		close(turns[1]);
		assert_int_equal(read(turns[0], &turn, 1), 1);
		close(turns[0]);
		if (cases[i].found)
			expect_said(expect_finding("reaches_state"), 1, "1 processes of root's can change");
		else
			expect_finding(NULL);
		kill(pid, SIGKILL);
		resident_finish(pid);
	}
}

static void test_verify_recreated(void **state) {
	(void)state;
	begin();
	below(1);
	resident_says(0, "attach", lab_write("again.yaml", RESIDENT_ALLOW("kept.lab.test")), "--cgroup", paths[1]);
	close(cgroups[1].fd);
	assert_int_equal(unlinkat(cgroups[0].fd, names[1], AT_REMOVEDIR), 0);
	free(paths[1]);
	below(1);
	expect_finding("cgroup_recreated");
	assert_string_equal(resident_state(), "cgroup_gone");
	resident_says(0, "attach", lab_write("again.yaml", RESIDENT_ALLOW("kept.lab.test")), "--cgroup", paths[1]);
	expect_finding(NULL);
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		attach_test(test_life),
		attach_test(test_digest),
		attach_test(test_audit),
		attach_test(test_attached_already),
		attach_test(test_not_whole),
		attach_test(test_note_of_another_kind),
		attach_test(test_outside_of_the_hierarchy),
		attach_test(test_root_of_the_hierarchy),
		attach_test(test_no_cgroup),
		attach_test(test_note_cut_off),
		attach_test(test_cgroup_namespace),
		attach_test(test_other_namespace),
		attach_test(test_other_namespace_of_process),
		attach_test(test_other_namespace_of_status),
		attach_test(test_nesting),
		attach_test(test_run),
		attach_test(test_trial),
		attach_test(test_trial_over),
		attach_test(test_verify),
		attach_test(test_verify_note),
		attach_test(test_verify_replaced),
		attach_test(test_verify_processes),
		attach_test(test_verify_threads),
		attach_test(test_verify_threaded_cgroup),
		attach_test(test_verify_root),
		attach_test(test_verify_recreated),
	};

	if (argc == 3 && strcmp(argv[1], "say") == 0)
		return resident_greet(argv[2]);
	return cmocka_run_group_tests_name("attach", tests, NULL, NULL);
}
