/* SPDX-License-Identifier: BSD-2-Clause */
/* attach, reload, detach, load, unload, status ──► what processes that run already can reach. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../support/hello_maker.h"
#include "../support/resident.h"

enum { DEPTH = 5, MOST_WORDS = 16, ANSWER_MS = 400, TRIAL_SECONDS = 2 };

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

/* Where it may fail, and often. */
static void snifence_anyhow(const char *const words[]) {
	const char *argv[MOST_WORDS] = {"build/snifence"};

	for (size_t i = 0; words[i]; i++)
		argv[i + 1] = words[i];
	resident_run_quietly(argv);
}

/* The state of the only attachment. The text lasts until the next call. */
static const char *state_of_attachment(void) {
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

/* Of the only policy, by a reason's code. */
static int counter_of(const char *code) {
	struct json_object *object = resident_status(), *policies, *counters, *number;
	int count = 0;

	assert_true(json_object_object_get_ex(object, "policies", &policies));
	assert_true(json_object_object_get_ex(json_object_array_get_idx(policies, 0), "counters", &counters));
	if (json_object_object_get_ex(counters, code, &number))
		count = json_object_get_int(number);
	json_object_put(object);
	return count;
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
	assert_string_equal(state_of_attachment(), "live");
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

static void test_audit(void **state) {
	const char *policy;

	(void)state;
	begin();
	policy = lab_write("audit.yaml", RESIDENT_ALLOW("kept.lab.test"));
	resident_says(0, "attach", "--audit", policy, "--cgroup", paths[0]);
	assert_int_equal(say(0, "other.lab.test"), 0);
	resident_says(125, "attach", policy, "--cgroup", paths[0]); /* attached already */
	resident_says(0, "reload", policy);
	assert_int_equal(say(0, "other.lab.test"), 1);
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
	/* not even root's commands can change what belongs to the filter */
	program = lab_snifence(
		RESIDENT_ALLOW("kept.lab.test"), (const char *const[]){"--quiet", "--user", "root", NULL},
		(const char *const[]){"sh", "-c", "! touch /run/snifence/x && ! rm -r /run/snifence/bpf/*/tags", NULL});
	assert_int_equal(program->status, 0);
}

/* Whether what can be done in the cgroup is what `status` says. */
static void check_truth(void) {
	const char *told = state_of_attachment();
	bool open = say(0, "other.lab.test") == 0;

	if (strcmp(told, "live") == 0)
		assert_false(open);
	if (!open)
		assert_string_not_equal(told, "");
}

/* Ends the command before its n-th call that changes something. Returns whether it came to its end before that. */
static bool kill_at(unsigned nth, const char *const words[]) {
	static const char calls[] = "bpf,mount,mkdir,mkdirat,rename,renameat,unlink,unlinkat,flock";
	const char *argv[MOST_WORDS + 8] = {"strace", "-qq", "-o", "/dev/null", "-e", NULL, "build/snifence"};
	char inject[160];

	snprintf(inject, sizeof(inject), "inject=%s:signal=SIGKILL:when=%u", calls, nth);
	argv[5] = inject;
	for (size_t i = 0; words[i]; i++)
		argv[i + 7] = words[i];
	return resident_run_quietly(argv) != 128 + SIGKILL;
}

static const char *attach_words[] = {"attach", NULL, "--cgroup", NULL, NULL};
static const char *detach_words[] = {"detach", "--cgroup", NULL, NULL};
static const char *reload_words[] = {"reload", NULL, NULL};

static void begin_killing(void) {
	begin();
	lab_needs("strace");
	attach_words[1] = reload_words[1] = lab_write("killed.yaml", RESIDENT_ALLOW("kept.lab.test"));
	attach_words[3] = detach_words[2] = paths[0];
	resident_says(0, "load");
}

static void test_killed_attach(void **state) {
	unsigned nth = 1;

	(void)state;
	begin_killing();
	for (; !kill_at(nth, attach_words); nth++) {
		check_truth();
		snifence_anyhow(attach_words); /* finishes it, or finds that it was */
		assert_string_equal(state_of_attachment(), "live");
		snifence_anyhow(detach_words);
	}
	assert_true(nth > 20);
}

static void test_killed_reload(void **state) {
	unsigned nth = 1;

	(void)state;
	begin_killing();
	resident_expect(0, attach_words);
	for (; !kill_at(nth, reload_words); nth++)
		check_truth();
	assert_true(nth > 4);
	assert_int_equal(say(0, "kept.lab.test"), 0);
}

static void test_killed_detach(void **state) {
	unsigned nth = 1;

	(void)state;
	begin_killing();
	resident_expect(0, attach_words);
	for (; !kill_at(nth, detach_words); nth += 2) {
		check_truth();
		snifence_anyhow(detach_words);
		assert_int_equal(resident_count("attachments"), 0);
		snifence_anyhow(attach_words);
	}
	assert_true(nth > 20);
	assert_int_equal(say(0, "other.lab.test"), 0);
}

static bool is_pinned(const char *pattern) {
	glob_t found;
	bool pinned = glob(pattern, 0, NULL, &found) == 0;

	if (pinned)
		globfree(&found);
	return pinned;
}

/*
 * An instance is there whole, or not at all. Ended at each call from which on something is left, and at every fifth of
 * those before; the thread that loads the object makes nothing that stays.
 */
static void test_killed_load(void **state) {
	static const char *const load_words[] = {"load", NULL}, *const unload_words[] = {"unload", NULL};
	unsigned nth = 1, step;

	(void)state;
	begin_killing();
	resident_expect(0, unload_words);
	for (; !kill_at(nth, load_words); nth += step) {
		step = is_pinned("/run/snifence/bpf/*_0*") ? 1 : 5;
		assert_int_equal(resident_count("attachments"), 0);
		snifence_anyhow(load_words);
		assert_true(is_pinned("/run/snifence/bpf/*_0/snif_egress"));
		assert_false(is_pinned("/run/snifence/bpf/*_new"));
		snifence_anyhow(unload_words);
		assert_false(is_pinned("/run/snifence"));
	}
	assert_true(nth > 40);
	resident_expect(0, attach_words);
	assert_int_equal(say(0, "other.lab.test"), 1);
}

static void test_killed_unload(void **state) {
	static const char *const unload_words[] = {"unload", NULL};
	unsigned nth = 1;

	(void)state;
	begin_killing();
	resident_expect(0, attach_words);
	/* nine programs and as many maps: from every third call on */
	for (; !kill_at(nth, unload_words); nth += 3) {
		check_truth();
		snifence_anyhow(unload_words);
		assert_false(is_pinned("/run/snifence"));
		assert_int_equal(say(0, "other.lab.test"), 0);
		snifence_anyhow(attach_words);
	}
	assert_true(nth > 20);
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

	resident_says(0, "attach", "--confirm-within", seconds, policy, "--cgroup", paths[0]);
	resident_says(0, "confirm");
	lab_sleep_ms((1000 * TRIAL_SECONDS + 500) * lab_slowness());
	assert_int_equal(say(0, "other.lab.test"), 1);
	resident_says(125, "confirm");
}

/* ---- what is open already -------------------------------------------------------------------------------------- */

/* Connections of a program with a pool: opened before the policy is, and used on until they fail. */
enum pooled { INSPECTED, DIRECT, UNKNOWN, UDP_DIRECT, UDP_UNKNOWN, POOL };

static const struct {
	int type;
	const char *address;
} pooled[POOL] = {
	[INSPECTED] = {SOCK_STREAM, "192.0.2.2"},    [DIRECT] = {SOCK_STREAM, "198.51.100.1"},
	[UNKNOWN] = {SOCK_STREAM, "203.0.113.1"},    [UDP_DIRECT] = {SOCK_DGRAM, "198.51.100.1"},
	[UDP_UNKNOWN] = {SOCK_DGRAM, "203.0.113.1"},
};

#define POOL_POLICY                                                                                                    \
	"version: 1\ntls: {to: [192.0.2.0/24], allow: [kept.lab.test]}\n"                                              \
	"direct: {allow: [{to: 198.51.100.1, proto: tcp, ports: [443]}, {to: 198.51.100.1, proto: udp, ports: [443]}]%s}\ndns: {servers: none}\n"

struct pool {
	int turn; /* odd: the program is to use each once; even: it has done so */
	bool over, alive[POOL];
};

static int open_pooled(enum pooled which) {
	struct sockaddr_storage where;
	socklen_t length = lab_address(pooled[which].address, 443, &where);
	int fd = socket(where.ss_family, pooled[which].type | SOCK_CLOEXEC, 0);

	return connect(fd, (struct sockaddr *)&where, length) ? -1 : fd;
}

/* Whether a word gets through: a server of TCP sends it back, that of UDP says nothing, and send() tells. */
static bool use(enum pooled which, int fd) {
	char byte = 'x';

	if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
		return false;
	return pooled[which].type == SOCK_DGRAM ||
	       (lab_readable(fd, ANSWER_MS * lab_slowness()) && recv(fd, &byte, 1, MSG_DONTWAIT) == 1);
}

static int use_pool(void *argument) {
	struct pool *pool = argument;
	int fds[POOL];

	for (int i = 0; i < POOL; i++)
		fds[i] = open_pooled((enum pooled)i);
	for (int turn = 1; lab_await_turn(&pool->turn, turn) && !pool->over; turn += 2) {
		for (int i = 0; i < POOL; i++)
			pool->alive[i] = use((enum pooled)i, fds[i]);
		lab_turn(&pool->turn, turn + 1);
	}
	return 0;
}

/* Has the program use its connections, and fails unless those go on that are in the set. */
static void expect_alive(struct pool *pool, unsigned set) {
	int turn = pool->turn + 1;

	lab_turn(&pool->turn, turn);
	assert_true(lab_await_turn(&pool->turn, turn + 1));
	for (int i = 0; i < POOL; i++)
		if (pool->alive[i] != (set >> i & 1))
			fail_msg("connection %d %s", i, pool->alive[i] ? "goes on" : "has ended");
}

enum { ALL = (1 << POOL) - 1, BY_ADDRESS = 1 << DIRECT | 1 << UDP_DIRECT };

static pid_t start_pool(struct pool **pool) {
	pid_t pid;

	*pool = lab_shared(sizeof(**pool));
	pid = resident_start(&cgroups[0], use_pool, *pool);
	expect_alive(*pool, ALL);
	return pid;
}

static void end_pool(struct pool *pool, pid_t pid) {
	pool->over = true;
	lab_turn(&pool->turn, pool->turn + 1);
	assert_int_equal(resident_finish(pid), 0);
	resident_says(0, "detach", "--cgroup", paths[0]);
}

static void begin_pool(void) {
	begin();
	lab_server(LAB_ECHO, "192.0.2.2", 443);
	lab_server(LAB_ECHO, "198.51.100.1", 443);
	lab_server(LAB_ECHO, "203.0.113.1", 443);
	lab_server(LAB_UDP, "198.51.100.1", 443);
	lab_server(LAB_UDP, "203.0.113.1", 443);
}

static const char *pool_policy(const char *deny) {
	char text[400];

	snprintf(text, sizeof(text), POOL_POLICY, deny);
	return lab_write("existing.yaml", text);
}

static size_t count_lines(const char *text, const char *start) {
	size_t count = 0;

	for (; text && *text; text = strchr(text, '\n') + 1)
		count += strncmp(text, start, strlen(start)) == 0;
	return count;
}

static void test_existing_cut(void **state) {
	const char *policy;
	struct pool *pool;
	pid_t pid;

	(void)state;
	begin_pool();
	policy = pool_policy("");
	pid = start_pool(&pool);
	resident_says(0, "attach", policy, "--cgroup", paths[0]);
	expect_alive(pool, BY_ADDRESS);
	end_pool(pool, pid);
}

static void test_existing_judge(void **state) {
	struct lab_program *attach;
	const char *policy;
	struct pool *pool;
	pid_t pid;

	(void)state;
	begin_pool();
	policy = pool_policy("");
	pid = start_pool(&pool);
	attach = resident_says(0, "attach", "--existing", "judge", policy, "--cgroup", paths[0]);
	assert_int_equal(count_lines(attach->out, "kept a connection"), 2);
	assert_int_equal(count_lines(attach->out, "cut a connection"), 3);
	expect_alive(pool, BY_ADDRESS);
	/* kept is kept, also where no rule allows it any more */
	lab_write("existing.yaml", RESIDENT_ALLOW("kept.lab.test"));
	resident_says(0, "reload", policy);
	expect_alive(pool, BY_ADDRESS);
	end_pool(pool, pid);
}

static void test_existing_keep(void **state) {
	struct lab_program *attach;
	const char *policy;
	struct pool *pool;
	pid_t pid;

	(void)state;
	begin_pool();
	policy = pool_policy("");
	pid = start_pool(&pool);
	attach = resident_says(0, "attach", "--existing", "keep", policy, "--cgroup", paths[0]);
	assert_int_equal(count_lines(attach->out, "kept a connection"), POOL);
	expect_alive(pool, ALL);
	assert_int_equal(say(0, "other.lab.test"), 1);
	assert_int_equal(say(0, "kept.lab.test"), 0);
	resident_says(0, "reload", policy);
	expect_alive(pool, ALL);
	/* what a rule denies goes on no longer */
	pool_policy(", deny: [{to: 192.0.2.2}, {to: 203.0.113.1}]");
	resident_says(0, "reload", policy);
	expect_alive(pool, BY_ADDRESS);
	end_pool(pool, pid);
}

/* ---- what a reload would cut ----------------------------------------------------------------------------------- */

struct greeted {
	int turn; /* 1: both are open; 2: go on; 3: each was used */
	bool alive[2];
};

static int hold_two(void *argument) {
	static const char *const hosts[] = {"kept.lab.test", "dropped.lab.test"};
	static struct bytes hello;
	struct greeted *greeted = argument;
	int fds[2];
	char bytes[1024];

	for (int i = 0; i < 2; i++) {
		hello_make(&hello, &(struct hello){.name = hosts[i]});
		fds[i] = lab_dial("192.0.2.2", 443);
		if (lab_send(fds[i], hello.data, hello.length) || lab_receive(fds[i], bytes, 1) != 1)
			return 1;
	}
	lab_turn(&greeted->turn, 1);
	if (!lab_await_turn(&greeted->turn, 2))
		return 2;
	for (int i = 0; i < 2; i++) {
		while (recv(fds[i], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
			;
		greeted->alive[i] =
			lab_send(fds[i], "\x17\3\3\0\1x", 6) == 0 && lab_readable(fds[i], ANSWER_MS * lab_slowness());
	}
	lab_turn(&greeted->turn, 3);
	return 0;
}

static void test_dry_run(void **state) {
	struct greeted *greeted;
	const char *policy, *out;
	pid_t pid;

	(void)state;
	begin();
	lab_server(LAB_ECHO, "192.0.2.2", 443);
	greeted = lab_shared(sizeof(*greeted));
	policy = lab_write("dry.yaml", RESIDENT_ALLOW("kept.lab.test, dropped.lab.test"));
	resident_says(0, "attach", policy, "--cgroup", paths[0]);
	pid = resident_start(&cgroups[0], hold_two, greeted);
	assert_true(lab_await_turn(&greeted->turn, 1));
	assert_int_equal(count_lines(resident_says(0, "reload", "--dry-run", policy)->out, "would cut"), 0);
	lab_write("dry.yaml", RESIDENT_ALLOW("kept.lab.test, new.lab.test"));
	out = resident_says(0, "reload", "--dry-run", policy)->out;
	assert_int_equal(count_lines(out, "- "), 1);
	assert_int_equal(count_lines(out, "+ "), 1);
	assert_int_equal(count_lines(out, "would cut"), 1);
	assert_non_null(strstr(out, "to 192.0.2.2 port 443, dropped.lab.test\n"));
	/* and so it is */
	resident_says(0, "reload", policy);
	lab_turn(&greeted->turn, 2);
	assert_true(lab_await_turn(&greeted->turn, 3));
	assert_true(greeted->alive[0]);
	assert_false(greeted->alive[1]);
	assert_int_equal(resident_finish(pid), 0);
	assert_int_equal(counter_of("revoked"), 1);
}

/* ---- verify ---------------------------------------------------------------------------------------------------- */

/* What is pinned in the first instance, as a descriptor. */
static int open_pin(const char *name) {
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

/* Fails unless verify has such a finding, and ends with 1; NULL: unless it has none. */
static void expect_finding(const char *kind) {
	struct lab_program *program = resident_snifence((const char *const[]){"verify", "--json", NULL});
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "\"kind\":\"%s\"", kind ? kind : "");
	if (kind ? !strstr(program->out, wanted) : strstr(program->out, "\"kind\"") != NULL)
		fail_msg("verify says not what was expected (%s): %s%s", wanted, program->out, program->err);
	assert_int_equal(program->status, kind ? 1 : 0);
}

/* An entry of a table as anybody with the rights could write it. */
static void change_a_name(void) {
	int outer = open_pin("names"), inner;
	struct snif_name_rules rules;
	__u32 slot = 1, id;
	__u64 hash;

	assert_int_equal(bpf_map_lookup_elem(outer, &slot, &id), 0);
	inner = bpf_map_get_fd_by_id(id);
	assert_int_equal(bpf_map_get_next_key(inner, NULL, &hash), 0);
	assert_int_equal(bpf_map_lookup_elem(inner, &hash, &rules), 0);
	rules.below = rules.exact;
	assert_int_equal(bpf_map_update_elem(inner, &hash, &rules, BPF_ANY), 0);
	close(inner);
	close(outer);
}

static void test_verify(void **state) {
	const char *policy;
	int program;

	(void)state;
	begin();
	policy = lab_write("verified.yaml", RESIDENT_ALLOW("kept.lab.test"));
	resident_says(0, "attach", policy, "--cgroup", paths[0]);
	expect_finding(NULL);

	change_a_name();
	expect_finding("entry_differs");
	resident_says(0, "reload", policy);
	expect_finding(NULL);

	lab_write("verified.yaml", RESIDENT_ALLOW("other.lab.test"));
	expect_finding("file_differs");
	resident_says(0, "reload", policy);
	expect_finding(NULL);

	program = open_pin("snif_connect6");
	assert_int_equal(bpf_prog_detach2(program, cgroups[0].fd, BPF_CGROUP_INET6_CONNECT), 0);
	close(program);
	expect_finding("program_missing");
	resident_says(0, "detach", "--cgroup", paths[0]);
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
		if (write(turns[1], "", 1) == 1 && fd >= 0)
			pause();
		_exit(0);
	}
	assert_int_equal(read(turns[0], turns, 1), 1);
	resident_says(0, "attach", lab_write("processes.yaml", RESIDENT_ALLOW("kept.lab.test")), "--cgroup", paths[0]);
	expect_finding("older_socket");
	expect_finding("capability");
	kill(pid, SIGKILL);
	resident_finish(pid);
	expect_finding(NULL);
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
	assert_string_equal(state_of_attachment(), "cgroup_gone");
	resident_says(0, "attach", lab_write("again.yaml", RESIDENT_ALLOW("kept.lab.test")), "--cgroup", paths[1]);
	expect_finding(NULL);
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		attach_test(test_life),
		attach_test(test_digest),
		attach_test(test_audit),
		attach_test(test_nesting),
		attach_test(test_run),
		attach_test(test_killed_attach),
		attach_test(test_killed_reload),
		attach_test(test_killed_detach),
		attach_test(test_killed_load),
		attach_test(test_killed_unload),
		attach_test(test_trial),
		attach_test(test_existing_cut),
		attach_test(test_existing_judge),
		attach_test(test_existing_keep),
		attach_test(test_dry_run),
		attach_test(test_verify),
		attach_test(test_verify_processes),
		attach_test(test_verify_recreated),
	};

	if (argc == 3 && strcmp(argv[1], "say") == 0)
		return resident_greet(argv[2]);
	return cmocka_run_group_tests_name("attach", tests, NULL, NULL);
}
