/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `snifence features` on this kernel, whichever it is: what it says holds, and agrees with what `snifence run` does.
 * And where something is taken away (a system call, privileges, the mounts of cgroup2), both say exactly that.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <mntent.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <json-c/json.h>
#include <seccomp.h>

#include "../support/lab.h"
#include "address.h"
#include "features/feature_bpf.h"
#include "features/feature_network.h"
#include "event/abort.h"
#include "confine/scope.h"

static const char policy[] = "version: 1\ntls: {allow: [allowed.lab.test]}\ndns: {servers: none}\n";
static const char pointer[] =
	"snifence: `snifence features` shows what this machine lacks for a run, and what it has\n";

/*
 * ---- this program as a command: `without WHAT… -- COMMAND…` runs a command from which something is taken away -----
 */

struct taken {
	const char *name;
	int call, error;
	struct scmp_arg_cmp argument; /* op 0: whatever the arguments are */
};

static const struct taken calls[] = {
	{"bpf", SCMP_SYS(bpf), EPERM, {0}},
	{"types", SCMP_SYS(bpf), EPERM, {0, SCMP_CMP_EQ, BPF_BTF_LOAD, 0}},
	{"mount", SCMP_SYS(mount), EPERM, {0}},
	{"statfs", SCMP_SYS(statfs), ENOMEM, {0}},
	{"capbset", SCMP_SYS(prctl), EINTR, {0, SCMP_CMP_EQ, PR_CAPBSET_READ, 0}},
	{"setns", SCMP_SYS(setns), EPERM, {0}},
	{"unshare-pid", SCMP_SYS(unshare), ENOSPC, {0, SCMP_CMP_EQ, CLONE_NEWPID, 0}},
	{"landlock", SCMP_SYS(landlock_create_ruleset), EOPNOTSUPP, {0}},
	{"landlock-domain", SCMP_SYS(landlock_restrict_self), ENOMEM, {0}},
	{"fsopen", SCMP_SYS(fsopen), EPERM, {0}},
	{"clone3", SCMP_SYS(clone3), ENOSYS, {0}},
	{"pidfd", SCMP_SYS(pidfd_open), ENOSYS, {0}},
	{"diag", SCMP_SYS(socket), EPROTONOSUPPORT, {2, SCMP_CMP_EQ, NETLINK_SOCK_DIAG, 0}},
	{"ipv6", SCMP_SYS(socket), EAFNOSUPPORT, {0, SCMP_CMP_EQ, AF_INET6, 0}},
	{"seccomp", SCMP_SYS(seccomp), EINVAL, {0}},
	{"seccomp", SCMP_SYS(prctl), EINVAL, {0, SCMP_CMP_EQ, PR_SET_SECCOMP, 0}},
};

static int refuse(scmp_filter_ctx filter, const char *name) {
	int found = 0, error = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, name) != 0)
			continue;
		error |= seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((unsigned)calls[i].error), calls[i].call,
						calls[i].argument.op ? 1 : 0, &calls[i].argument);
		found++;
	}
	return error || found == 0;
}

/* Takes every mount of cgroup2 out of sight, in a mount namespace of this process's own. */
static int hide_cgroup2(void) {
	struct mntent *entry;
	FILE *mounts;
	int error = unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);

	mounts = setmntent("/proc/self/mounts", "re");
	while (!error && mounts && (entry = getmntent(mounts)))
		if (strcmp(entry->mnt_type, "cgroup2") == 0)
			error = umount2(entry->mnt_dir, MNT_DETACH);
	return error || !mounts || !endmntent(mounts);
}

static int be_without(char **argument) {
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	for (; *argument && strcmp(*argument, "--") != 0; argument++)
		if (strcmp(*argument, "cgroup2") == 0 ? hide_cgroup2() : refuse(filter, *argument))
			return 99;
	if (!*argument || seccomp_load(filter))
		return 99;
	execvp(argument[1], argument + 1);
	return 99;
}

/*
 * ---- what it says ---------------------------------------------------------------------------------------------------
 */

/* Runs `build/snifence features OPTION` behind the words of `prefix`; both may be NULL. */
static struct lab_program *features(const char *const prefix[], const char *option) {
	const char *argv[16] = {NULL};
	size_t count = 0;

	for (; prefix && *prefix; prefix++)
		argv[count++] = *prefix;
	argv[count++] = "build/snifence";
	argv[count++] = "features";
	argv[count] = option;
	return lab_run(argv);
}

#define WITHOUT(...) ((const char *const[]){lab_self(), "without", __VA_ARGS__, "--", NULL})

/* The row's line, as it must be. */
static void expect_line(const struct lab_program *program, const char *name, const char *here, const char *text) {
	char line[512];

	snprintf(line, sizeof(line), "\n  %-26s  %-3s  %s\n", name, here, text);
	if (!strstr(program->out, line))
		fail_msg("there is no line \"%s\" in:\n%s%s", line, program->out, program->err);
}

static void expect_end(const struct lab_program *program, int status, const char *ending) {
	size_t length = strlen(program->out);

	assert_string_equal(program->err, "");
	assert_int_equal(program->status, status);
	assert_true(length > strlen(ending));
	assert_string_equal(program->out + length - strlen(ending), ending);
	assert_false(lab_cgroup_of(program->pid));
}

static const char works[] = "\n\nsnifence run works here.\n";

/* These tests need all of it themselves. */
static void test_here(void **state) {
	(void)state;
	lab_enter();
	expect_end(features(NULL, NULL), 0, works);
}

/* Each row of one is a member of the other. */
static void expect_row(const struct lab_program *table, const struct feature *feature, struct json_object *member) {
	struct json_object *here = json_object_object_get(member, "here");
	const char *word = here ? json_object_get_boolean(here) ? "yes" : "no" : "?";
	struct json_object *text = json_object_object_get(member, here ? "means" : "detail");
	char line[512];

	assert_string_equal(json_object_get_string(json_object_object_get(member, "name")), feature->name);
	/* what follows in the table is the detail: of the programs, how long it took this time */
	snprintf(line, sizeof(line), "\n  %-26s  %-3s  %s", feature->name, word, json_object_get_string(text));
	if (!strstr(table->out, line))
		fail_msg("there is no line \"%s\" in:\n%s", line, table->out);
}

static void test_json(void **state) {
	const struct lab_program *table, *json;
	struct json_object *object, *members, *member;

	(void)state;
	lab_enter();
	table = features(WITHOUT("ipv6", "diag"), NULL);
	json = features(WITHOUT("ipv6", "diag"), "--json");
	assert_int_equal(json->status, 0);
	object = json_tokener_parse(json->out);
	assert_non_null(object);
	assert_true(json_object_get_boolean(json_object_object_get(object, "run")));
	members = json_object_object_get(object, "features");
	assert_int_equal(json_object_object_length(members), feature_count);
	for (size_t i = 0; i < feature_count; i++) {
		assert_true(json_object_object_get_ex(members, feature_table[i].key, &member));
		expect_row(table, &feature_table[i], member);
	}
	json_object_put(object);
}

/* As somebody who may execute it: what can be told without root, and that the rest cannot. */
static void test_not_root(void **state) {
	const struct lab_program *program;
	const char *copy;

	(void)state;
	lab_enter();
	copy = lab_write("snifence", "");
	assert_int_equal(lab_run((const char *[]){"cp", "build/snifence", copy, NULL})->status, 0);
	assert_int_equal(chmod(copy, 0755), 0);
	program = lab_run((const char *[]){"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", copy,
					   "features", NULL});
	expect_line(program, "root", "no", "run stops at once; try sudo");
	expect_line(program, "a cgroup of its own", "?", "only root can tell");
	expect_line(program, "the programs", "?", "only root can tell");
	expect_line(program, "process descriptors", "yes", "the command's end is waited for");
	expect_end(program, 1, "\n\nsnifence run does not work here. Missing: root.\n");
}

static void test_capabilities(void **state) {
	static const char *const prefix[] = {"setpriv", "--bounding-set=-setpcap,-kill", NULL};
	static const char *const container[] = {"setpriv", "--bounding-set=-sys_admin,-net_admin", NULL};
	const struct lab_program *program;

	(void)state;
	lab_enter();
	program = features(prefix, NULL);
	expect_line(program, "root's capabilities", "no",
		    "run stops; a container has to be given these (cap_setpcap, cap_kill)");
	expect_line(program, "confinement", "no",
		    "no command is started, as it could walk out (cannot drop capabilities from the bounding set: "
		    "Operation not permitted)");
	expect_end(program, 1,
		   "\n\nsnifence run does not work here. Missing: root's capabilities (cap_setpcap, cap_kill).\n");

	program = features(container, NULL);
	expect_line(program, "the programs", "no",
		    "run stops; what else is missing here tells why (Operation not permitted; with SNIFENCE_DEBUG=1 "
		    "`snifence run` shows the kernel's reason)");
	expect_end(
		program, 1,
		"\n\nsnifence run does not work here. Missing: root's capabilities (cap_sys_admin, cap_net_admin).\n");
}

/* ---- where something is missing ---------------------------------------------------------------------------------- */

/* A run behind `prefix`, with an option or NULL. */
static struct lab_program *run(const char *const prefix[], const char *option) {
	const char *argv[16] = {NULL};
	size_t count = 0;

	for (; *prefix; prefix++)
		argv[count++] = *prefix;
	argv[count++] = "build/snifence";
	argv[count++] = "run";
	if (option)
		argv[count++] = option;
	argv[count++] = lab_write("policy.yaml", policy);
	argv[count++] = "--";
	argv[count++] = "echo";
	argv[count++] = "started";
	return lab_run(argv);
}

/* It could not do its part, says why, and who says more. */
static void expect_refused(const struct lab_program *program, const char *why) {
	char text[1024];

	snprintf(text, sizeof(text), "%s%s", why, pointer);
	assert_string_equal(program->err, text);
	assert_string_equal(program->out, "");
	assert_int_equal(program->status, 125);
	assert_false(lab_cgroup_of(program->pid));
}

static void test_no_bpf(void **state) {
	const struct lab_program *program;

	(void)state;
	lab_enter();
	program = features(WITHOUT("bpf"), NULL);
	expect_line(program, "the programs", "no",
		    "run stops; what else is missing here tells why (Operation not permitted; with SNIFENCE_DEBUG=1 "
		    "`snifence run` shows the kernel's reason)");
	expect_line(program, "maps: arrays in memory", "no",
		    "run stops after loading the programs (Operation not permitted)");
	expect_line(program, "hook: socket()", "no",
		    "programs cannot be attached, so nothing is started (not known to this kernel: Operation not "
		    "permitted)");
	expect_line(program, "programs as machine code", "?", "no program can be loaded to look at");
	expect_line(program, "confinement", "yes", "a command can be kept from walking out of the filter");
	assert_int_equal(program->status, 1);
	program = run(WITHOUT("bpf"), NULL);
	assert_int_equal(program->status, 125);
	assert_string_equal(program->out, "");
	assert_non_null(strstr(program->err, "snifence: cannot load the BPF programs: Operation not permitted"));
	assert_string_equal(program->err + strlen(program->err) - strlen(pointer), pointer);
}

/* A shell's words, and then a run and features in the same place. */
static struct lab_program *after(const char *words, const char *subcommand) {
	char *script = NULL;

	assert_true(asprintf(&script, "%s && exec build/snifence %s", words, subcommand) > 0);
	assert_non_null(script);
	struct lab_program *program = lab_run((const char *[]){"unshare", "--mount", "sh", "-c", script, NULL});
	free(script);
	return program;
}

static struct lab_program *run_after(const char *words) {
	char subcommand[256];

	snprintf(subcommand, sizeof(subcommand), "run %s -- echo started", lab_write("policy.yaml", policy));
	return after(words, subcommand);
}

static void test_no_null_device(void **state) {
	static const char words[] = "mount -t tmpfs none /dev";
	const struct lab_program *program;

	(void)state;
	lab_enter();
	program = after(words, "features");
	expect_line(program, "/dev/null", "no",
		    "run stops at once; it is made by mknod -m 666 /dev/null c 1 3 (No such file or directory)");
	assert_int_equal(program->status, 1);
	expect_refused(run_after(words),
		       "snifence: cannot open /dev/null, which stands in for standard files that are closed: No such "
		       "file or directory; a machine has it by mknod -m 666 /dev/null c 1 3\n");
}

static void test_few_files(void **state) {
	static const char words[] = "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- && ulimit -n 40";
	const struct lab_program *program;

	(void)state;
	lab_enter();
	program = after(words, "features");
	expect_line(program, "open files", "no",
		    "run stops at once; the limit can be raised (ulimit -n) (the limit leaves room for 37 of 64)");
	assert_int_equal(program->status, 1);
	expect_refused(run_after(words), "snifence: a run has up to 64 files open, and the limit leaves room for 37: "
					 "raise it (ulimit -n)\n");
}

static void test_no_cpus(void **state) {
	const struct lab_program *program;
	char words[256];

	(void)state;
	lab_enter();
	snprintf(words, sizeof(words), "mount --bind %s /sys/devices/system/cpu/possible", lab_write("none", ""));
	program = after(words, "features");
	expect_line(program, "number of CPUs", "no",
		    "run stops; /sys has to be mounted, with devices/system/cpu/possible (Invalid argument)");
	assert_int_equal(program->status, 1);
	expect_refused(run_after(words), "snifence: cannot read how many CPUs there can be, in "
					 "/sys/devices/system/cpu/possible: Invalid argument; is /sys mounted?\n");
}

/* libbpf goes on without them, and the kernel then refuses a map or a program with an error that says nothing. */
static void test_no_types(void **state) {
	(void)state;
	lab_enter();
	expect_refused(
		run(WITHOUT("types"), NULL),
		"snifence: cannot load the BPF programs: the kernel has refused their types (BTF), or those of functions (needs root "
		"and Linux 6.1 or newer; with SNIFENCE_DEBUG=1 in the environment the kernel's reason is "
		"shown)\n");
}

/* In a cgroup that may have none below it. */
static void test_no_more_cgroups(void **state) {
	struct cgroup cgroup;
	char words[128], told[512];

	(void)state;
	lab_enter();
	assert_int_equal(cgroup_create(&cgroup), 0);
	snprintf(words, sizeof(words),
		 "cd /proc/%d/fd/%d && echo 0 >cgroup.max.descendants && echo $$ >cgroup.procs && cd - >/dev/null",
		 (int)getpid(), cgroup.fd);
	snprintf(told, sizeof(told),
		 "snifence: cannot make a cgroup in %s: cgroup.max.descendants or cgroup.max.depth, there or above, "
		 "allows no more\n",
		 cgroup.path);
	expect_refused(run_after(words), told);
	assert_int_equal(cgroup_remove(&cgroup), 0);
}

/* `ip netns exec` and `unshare --mount` can hide it: then it is mounted for the run alone. */
static void test_cgroup2_not_mounted(void **state) {
	const struct lab_program *program;

	(void)state;
	lab_enter();
	program = features(WITHOUT("cgroup2"), NULL);
	expect_line(program, "cgroup v2", "yes",
		    "a policy is bound to a cgroup (not mounted here: run mounts it for itself)");
	expect_line(program, "a cgroup of its own", "yes", "made for each command, removed at its end");
	expect_end(program, 0, works);
	program = run(WITHOUT("cgroup2"), NULL);
	assert_string_equal(program->out, "started\n");
	assert_int_equal(program->status, 0);
}

static void test_no_cgroup2(void **state) {
	const struct lab_program *program;

	(void)state;
	lab_enter();
	program = features(WITHOUT("cgroup2", "fsopen"), NULL);
	expect_line(program, "a cgroup of its own", "no",
		    "run stops (cannot reach the cgroup2 file system, nor mount it: Operation not permitted)");
	expect_line(program, "cgroup.kill", "?", "there is no cgroup to try it in");
	expect_line(program, "clone3() into a cgroup", "?", "there is no cgroup to try it in");
	expect_line(program, "hook: socket()", "yes",
		    "raw sockets, MPTCP and the like are refused where they are made (not tried to attach: there is no "
		    "cgroup for that)");
	expect_end(program, 1, "\n\nsnifence run does not work here. Missing: a cgroup of its own, confinement.\n");
	expect_refused(run(WITHOUT("cgroup2", "fsopen"), NULL),
		       "snifence: cannot reach the cgroup2 file system, nor mount it: Operation not permitted\n");
}

static void test_no_mount(void **state) {
	const struct lab_program *program;

	(void)state;
	lab_enter();
	program = features(WITHOUT("mount"), NULL);
	expect_line(
		program, "confinement", "no",
		"no command is started, as it could walk out (cannot make the command's mounts (a /proc of its own; "
		"cgroup, bpf and, for root, /sys read-only): Operation not permitted)");
	expect_end(program, 1, "\n\nsnifence run does not work here. Missing: confinement.\n");
	expect_refused(
		run(WITHOUT("mount"), NULL),
		"snifence: cannot make the command's mounts (a /proc of its own; cgroup, bpf and, for root, /sys "
		"read-only): Operation not permitted; nothing was started\n");
}

/* What cannot be looked at, or given up, is not taken for harmless: the command does not start. */
static void test_not_confined(void **state) {
	static const char *const cases[][2] = {
		{"statfs",
		 "snifence: cannot mount and lock a BPF file system at /run/snifence/bpf: Cannot allocate memory\n"},
		{"capbset",
		 "snifence: cannot drop capabilities from the bounding set: Operation not permitted; nothing was "
		 "started\n"},
		{"unshare-pid", "snifence: cannot make a PID namespace for the command: No space left on device\n"},
		{"setns", "snifence: cannot start the command: Operation not permitted\n"},
		{"landlock-domain",
		 "snifence: cannot keep the command from other processes (Landlock): Cannot allocate "
		 "memory; nothing was started\n"},
	};

	(void)state;
	lab_enter();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strcmp(cases[i][0], "landlock-domain") != 0 || scope_abi() >= SCOPE_ABI)
			expect_refused(run(WITHOUT(cases[i][0]), NULL), cases[i][1]);
}

/* Without it a run does something else instead, and `features` says what that leaves. */
static void test_no_landlock(void **state) {
	const struct lab_program *program;

	(void)state;
	lab_enter();
	program = features(WITHOUT("landlock"), NULL);
	expect_line(
		program, "Landlock's scopes", "no",
		"abstract UNIX sockets of processes outside stay open to a command; signals to its process group are "
		"refused (not in this kernel, or off)");
	expect_end(program, 0, works);
	program = run(WITHOUT("landlock"), NULL);
	assert_string_equal(program->out, "started\n");
	assert_int_equal(program->status, 0);
}

static void test_no_seccomp(void **state) {
	const struct lab_program *program;

	(void)state;
	lab_enter();
	program = features(WITHOUT("seccomp"), NULL);
	expect_line(program, "seccomp", "no",
		    "run works with --no-seccomp alone, which leaves ways around (Invalid argument)");
	expect_end(program, 1, "\n\nsnifence run does not work here. Missing: seccomp.\n");
	expect_refused(
		run(WITHOUT("seccomp"), NULL),
		"snifence: cannot install the seccomp filter (--no-seccomp leaves it out): Invalid argument; nothing "
		"was started\n");
	program = run(WITHOUT("seccomp"), "--no-seccomp");
	assert_string_equal(program->out, "started\n");
	assert_int_equal(program->status, 0);
}

static void test_no_clone3(void **state) {
	const struct lab_program *program;

	(void)state;
	lab_enter();
	program = features(WITHOUT("clone3"), NULL);
	expect_line(
		program, "clone3() into a cgroup", "no",
		"a process is moved to the cgroup, then becomes the command: no less safe (Function not implemented)");
	expect_end(program, 0, works);
	program = run(WITHOUT("clone3"), NULL);
	assert_string_equal(program->out, "started\n");
	assert_int_equal(program->status, 0);
}

/* Nobody is set free by it: run goes on and says what is different. */
static void test_no_sock_destroy(void **state) {
	const struct lab_program *program;

	(void)state;
	lab_enter();
	program = features(WITHOUT("diag"), NULL);
	expect_line(
		program, "SOCK_DESTROY", "no",
		"a refused connection fails only when it times out, after minutes; the module tcp_diag may help (Protocol not supported)");
	expect_end(program, 0, works);
	program = run(WITHOUT("diag"), NULL);
	assert_string_equal(program->out, "started\n");
	assert_int_equal(program->status, 0);
	assert_string_equal(program->err, "snifence: cannot end refused connections: Protocol not supported; they fail "
					  "when they time out\n");
	program = run(WITHOUT("diag"), "--quiet");
	assert_string_equal(program->out, "started\n");
	assert_string_equal(program->err, "");
}

/* ---- what probes say holds --------------------------------------------------------------------------------------- */

/* The socket of a connection as an event on egress would name it. */
static struct snif_event event_of(int fd) {
	struct snif_event event = {.protocol = IPPROTO_TCP, .verdict = SNIF_DENY, .hook = SNIF_HOOK_EGRESS};
	struct sockaddr_in here, there;
	socklen_t length = sizeof(here);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&here, &length), 0);
	assert_int_equal(getpeername(fd, (struct sockaddr *)&there, &length), 0);
	snif_map_ipv4(event.source, &here.sin_addr);
	snif_map_ipv4(event.destination, &there.sin_addr);
	event.source_port = ntohs(here.sin_port);
	event.destination_port = ntohs(there.sin_port);
	length = sizeof(event.flow);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &event.flow, &length), 0);
	return event;
}

/* Where it says that SOCK_DESTROY is there, it ends a socket; where not, it does not. */
static void test_sock_destroy_holds(void **state) {
	struct finding finding = probe_sock_destroy(NULL, 0);
	struct aborter *aborter;
	struct snif_event event;
	struct cgroup cgroup;
	char byte;
	int fd;

	(void)state;
	lab_enter();
	lab_server(LAB_SINK, "192.0.2.1", 80);
	fd = lab_dial("192.0.2.1", 80);
	assert_true(fd >= 0);
	assert_int_equal(cgroup_create(&cgroup), 0);
	aborter = aborter_new(cgroup.fd);
	assert_int_equal(cgroup_remove(&cgroup), 0);
	event = event_of(fd);
	if (finding.state == FEATURE_HERE) {
		assert_non_null(aborter);
		assert_int_equal(abort_flow(aborter, &event), 0);
		assert_int_equal(recv(fd, &byte, 1, 0), -1);
		assert_int_equal(errno, ECONNABORTED);
	} else {
		assert_int_equal(finding.state, FEATURE_MISSING);
		assert_true(!aborter || abort_flow(aborter, &event) != 0);
		assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), 1);
	}
	aborter_free(aborter);
	close(fd);
}

/* Helpers that these programs have on every kernel, and helpers that they never have. */
static void test_helpers(void **state) {
	(void)state;
	lab_enter();
	assert_true(
		feature_has_helper(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT, BPF_FUNC_sk_storage_get));
	assert_true(feature_has_helper(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, BPF_FUNC_skb_load_bytes));
	assert_true(feature_has_helper(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, BPF_FUNC_map_lookup_elem));
	assert_false(
		feature_has_helper(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT, BPF_FUNC_skb_load_bytes));
	assert_false(feature_has_helper(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, BPF_FUNC_xdp_adjust_head));
}

/* A program in a cgroup above that allows no other beside it: then run cannot work, and it says why. */
static void test_not_attachable(void **state) {
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_CGROUP_INET4_CONNECT);
	static const struct bpf_insn code[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1},
					       {.code = BPF_JMP | BPF_EXIT}};
	struct machine machine = {.object = NULL};
	struct finding finding;
	int program;

	(void)state;
	lab_enter();
	assert_int_equal(cgroup_create(&machine.cgroup), 0);
	program = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "alone", "GPL", code, 2, &options);
	assert_true(program >= 0);
	assert_int_equal(bpf_prog_attach(program, machine.cgroup.fd, BPF_CGROUP_INET4_CONNECT, 0), 0);
	finding = feature_try_attaching(&machine, program, BPF_CGROUP_INET4_CONNECT);
	assert_int_equal(bpf_prog_detach2(program, machine.cgroup.fd, BPF_CGROUP_INET4_CONNECT), 0);
	assert_int_equal(finding.state, FEATURE_MISSING);
	assert_string_equal(finding.detail,
			    "cannot be attached: there is a program that allows no other, on a cgroup above");
	assert_int_equal(feature_try_attaching(&machine, program, BPF_CGROUP_INET4_CONNECT).state, FEATURE_HERE);
	close(program);
	assert_int_equal(cgroup_remove(&machine.cgroup), 0);
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		lab_test(test_here),
		lab_test(test_json),
		lab_test(test_not_root),
		lab_test(test_capabilities),
		lab_test(test_no_bpf),
		lab_test(test_no_null_device),
		lab_test(test_few_files),
		lab_test(test_no_cpus),
		lab_test(test_no_types),
		lab_test(test_no_more_cgroups),
		lab_test(test_cgroup2_not_mounted),
		lab_test(test_no_cgroup2),
		lab_test(test_no_mount),
		lab_test(test_not_confined),
		lab_test(test_no_landlock),
		lab_test(test_no_seccomp),
		lab_test(test_no_clone3),
		lab_test(test_no_sock_destroy),
		lab_test(test_sock_destroy_holds),
		lab_test(test_helpers),
		lab_test(test_not_attachable),
	};

	if (argc > 2 && strcmp(argv[1], "without") == 0)
		return be_without(argv + 2);
	return cmocka_run_group_tests_name("features", tests, NULL, NULL);
}
