/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections that are open when a policy comes, or is replaced ──► those that go on, and those that end. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/hello_maker.h"
#include "../support/resident.h"

enum { ANSWER_MS = 400 };

static void begin(void) {
	resident_begin();
	lab_server(LAB_TLS, "192.0.2.1", 443);
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
	pid_t holder;
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

static void *use_pool_alone(void *pool) {
	if (!unshare(CLONE_FILES))
		use_pool(pool);
	return NULL;
}

/* By a thread that has its descriptors for itself. */
static int use_pool_in_thread(void *pool) {
	pthread_t thread;

	return pthread_create(&thread, NULL, use_pool_alone, pool) || pthread_join(thread, NULL);
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

static pid_t start_pool_by(lab_function user, struct pool **pool) {
	pid_t pid;

	*pool = lab_shared(sizeof(**pool));
	pid = resident_start(resident_cgroup(), user, *pool);
	expect_alive(*pool, ALL);
	return pid;
}

static pid_t start_pool(struct pool **pool) {
	return start_pool_by(use_pool, pool);
}

static void end_pool(struct pool *pool, pid_t pid) {
	pool->over = true;
	lab_turn(&pool->turn, pool->turn + 1);
	assert_int_equal(resident_finish(pid), 0);
	resident_says(0, "detach", "--cgroup", resident_cgroup()->path);
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
	resident_says(0, "attach", policy, "--cgroup", resident_cgroup()->path);
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
	attach = resident_says(0, "attach", "--existing", "judge", policy, "--cgroup", resident_cgroup()->path);
	assert_int_equal(count_lines(attach->out, "kept a connection"), 2);
	assert_int_equal(count_lines(attach->out, "cut a connection"), 3);
	expect_alive(pool, BY_ADDRESS);
	/* kept is kept, also where no rule allows it any more */
	lab_write("existing.yaml", RESIDENT_ALLOW("kept.lab.test"));
	resident_says(0, "reload", policy);
	expect_alive(pool, BY_ADDRESS);
	end_pool(pool, pid);
}

static void test_existing_keep_of_thread(void **state) {
	struct lab_program *attach;
	struct pool *pool;
	/* PIDFD_THREAD, Linux 6.9 */
	int can_take = (int)syscall(SYS_pidfd_open, getpid(), O_EXCL);
	pid_t pid;

	(void)state;
	begin_pool();
	pid = start_pool_by(use_pool_in_thread, &pool);
	attach = resident_says(0, "attach", "--existing", "keep", pool_policy(""), "--cgroup", resident_cgroup()->path);
	assert_int_equal(count_lines(attach->out, "kept a connection"), can_take < 0 ? 0 : POOL);
	assert_int_equal(count_lines(attach->err, "snifence: cannot look at all sockets"), can_take < 0 ? 1 : 0);
	expect_alive(pool, can_take < 0 ? BY_ADDRESS : ALL);
	end_pool(pool, pid);
	if (can_take >= 0)
		close(can_take);
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
	attach = resident_says(0, "attach", "--existing", "keep", policy, "--cgroup", resident_cgroup()->path);
	assert_int_equal(count_lines(attach->out, "kept a connection"), POOL);
	expect_alive(pool, ALL);
	assert_false(resident_reaches("other.lab.test"));
	assert_true(resident_reaches("kept.lab.test"));
	resident_says(0, "reload", policy);
	expect_alive(pool, ALL);
	/* what a rule denies goes on no longer */
	pool_policy(", deny: [{to: 192.0.2.2}, {to: 203.0.113.1}]");
	resident_says(0, "reload", policy);
	expect_alive(pool, BY_ADDRESS);
	end_pool(pool, pid);
}

/* Opens a connection in one cgroup, and lets its child, which the test moves to another, hold it, too. */
static int share(void *argument) {
	struct pool *pool = argument;
	int fd = open_pooled(INSPECTED);
	pid_t holder = fork();

	if (holder == 0) {
		pause();
		_exit(0);
	}
	pool->holder = holder;
	lab_turn(&pool->turn, 1);
	if (lab_await_turn(&pool->turn, 2))
		pool->alive[INSPECTED] = use(INSPECTED, fd);
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	return 0;
}

/* What becomes of the other cgroup while one of its connections is held here, too. */
enum other_is { ATTACHED, RELOADED, ATTACHED_LATER };

static void keep_what_is_of_another(enum other_is how) {
	struct cgroup beside = {.fd = -1};
	const char *policy, *other;
	struct pool *pool;
	pid_t pid;

	begin_pool();
	assert_int_equal(cgroup_create(&beside), 0);
	policy = pool_policy("");
	other = lab_write("other.yaml", RESIDENT_ALLOW("kept.lab.test"));
	if (how != ATTACHED_LATER)
		resident_says(0, "attach", policy, "--cgroup", resident_cgroup()->path);
	pool = lab_shared(sizeof(*pool));
	pid = resident_start(resident_cgroup(), share, pool);
	assert_true(lab_await_turn(&pool->turn, 1));
	assert_int_equal(cgroup_adopt(&beside, pool->holder), 0);
	if (how == RELOADED)
		resident_says(0, "reload", policy);
	resident_says(0, "attach", "--existing", "keep", other, "--cgroup", beside.path);
	if (how == ATTACHED_LATER)
		resident_says(0, "attach", other, "--cgroup", resident_cgroup()->path);
	lab_turn(&pool->turn, 2);
	assert_int_equal(resident_finish(pid), 0);
	assert_false(pool->alive[INSPECTED]);
	resident_says(0, "detach", "--cgroup", beside.path);
	cgroup_remove(&beside);
}

/* What belongs to another cgroup is that one's, whoever holds it. */
static void test_keep_what_is_of_another(void **state) {
	(void)state;
	keep_what_is_of_another(ATTACHED);
}

/* Also where it is to be judged again, */
static void test_keep_what_another_judges_again(void **state) {
	(void)state;
	keep_what_is_of_another(RELOADED);
}

/* or only will be judged. */
static void test_keep_what_another_will_judge(void **state) {
	(void)state;
	keep_what_is_of_another(ATTACHED_LATER);
}

/* One of IPv6, of IPv4 in its clothes, or in another network namespace is found as the cgroup's own, too. */
static int hold_all_kinds(void *argument) {
	struct pool *pool = argument;
	const struct {
		int type;
		const char *address;
	} kinds[] = {
		{SOCK_STREAM, "::ffff:198.51.100.1"},
		{SOCK_DGRAM, "::ffff:198.51.100.1"},
		{SOCK_STREAM, "2001:db8::2"},
		{SOCK_DGRAM, "2001:db8::2"},
	};
	int status = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct sockaddr_in6 where = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
		int fd = socket(AF_INET6, kinds[i].type | SOCK_CLOEXEC, 0);

		inet_pton(AF_INET6, kinds[i].address, &where.sin6_addr);
		if (connect(fd, (struct sockaddr *)&where, sizeof(where)))
			status = (int)i + 1;
	}
	if (unshare(CLONE_NEWNET) || system("ip link set lo up && ip address add 198.51.100.1/32 dev lo") ||
	    open_pooled(UDP_DIRECT) < 0)
		status = 10;
	lab_turn(&pool->turn, 1);
	lab_await_turn(&pool->turn, 2);
	return status;
}

static void test_keep_all_kinds(void **state) {
	struct lab_program *attach;
	struct pool *pool;
	pid_t pid;

	(void)state;
	begin_pool();
	lab_server(LAB_ECHO, "2001:db8::2", 443);
	pool = lab_shared(sizeof(*pool));
	pid = resident_start(resident_cgroup(), hold_all_kinds, pool);
	assert_true(lab_await_turn(&pool->turn, 1));
	attach = resident_says(0, "attach", "--existing", "keep", pool_policy(""), "--cgroup", resident_cgroup()->path);
	lab_turn(&pool->turn, 2);
	assert_int_equal(resident_finish(pid), 0);
	assert_int_equal(count_lines(attach->out, "kept a connection"), 5);
}

/* ---- what a reload would cut ----------------------------------------------------------------------------------- */

enum held { KEPT, DROPPED, UDP_KEPT, UDP_DROPPED, HELD };

struct greeted {
	int turn; /* 1: all are open; 2: go on; 3: each was used */
	bool alive[HELD];
};

static int greet(const char *host) {
	static struct bytes hello;
	int fd = lab_dial("192.0.2.2", 443);
	char byte;

	hello_make(&hello, &(struct hello){.name = host});
	return lab_send(fd, hello.data, hello.length) || lab_receive(fd, &byte, 1) != 1 ? -1 : fd;
}

static int send_to(const char *address) {
	struct sockaddr_storage where;
	socklen_t length = lab_address(address, 443, &where);
	int fd = socket(where.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return connect(fd, (struct sockaddr *)&where, length) || send(fd, "x", 1, 0) != 1 ? -1 : fd;
}

static bool goes_on(enum held which, int fd) {
	char bytes[1024];

	if (which >= UDP_KEPT)
		return send(fd, "x", 1, 0) == 1;
	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	return lab_send(fd, "\x17\3\3\0\1x", 6) == 0 && lab_readable(fd, ANSWER_MS * lab_slowness());
}

static int hold_open(void *argument) {
	struct greeted *greeted = argument;
	int fds[HELD] = {greet("kept.lab.test"), greet("dropped.lab.test"), send_to("198.51.100.1"),
			 send_to("203.0.113.1")};

	for (int i = 0; i < HELD; i++)
		if (fds[i] < 0)
			return 1;
	lab_turn(&greeted->turn, 1);
	if (!lab_await_turn(&greeted->turn, 2))
		return 2;
	for (int i = 0; i < HELD; i++)
		greeted->alive[i] = goes_on((enum held)i, fds[i]);
	lab_turn(&greeted->turn, 3);
	return 0;
}

#define DRY_POLICY(names, places)                                                                                      \
	"version: 1\ntls: {to: [192.0.2.0/24], allow: [" names "]}\ndirect: {allow: [{to: [" places                    \
	"], proto: udp, ports: [443]}]}\ndns: {servers: none}\n"

static void test_dry_run(void **state) {
	struct greeted *greeted;
	const char *policy, *out;
	pid_t pid;

	(void)state;
	begin();
	lab_server(LAB_ECHO, "192.0.2.2", 443);
	lab_server(LAB_UDP, "198.51.100.1", 443);
	lab_server(LAB_UDP, "203.0.113.1", 443);
	greeted = lab_shared(sizeof(*greeted));
	policy = lab_write("dry.yaml", DRY_POLICY("kept.lab.test, dropped.lab.test", "198.51.100.1, 203.0.113.1"));
	resident_says(0, "attach", policy, "--cgroup", resident_cgroup()->path);
	pid = resident_start(resident_cgroup(), hold_open, greeted);
	assert_true(lab_await_turn(&greeted->turn, 1));
	assert_int_equal(count_lines(resident_says(0, "reload", "--dry-run", policy)->out, "would cut"), 0);
	lab_write("dry.yaml", DRY_POLICY("kept.lab.test, new.lab.test", "198.51.100.1"));
	out = resident_says(0, "reload", "--dry-run", policy)->out;
	assert_int_equal(count_lines(out, "- "), 2);
	assert_int_equal(count_lines(out, "+ "), 2);
	assert_int_equal(count_lines(out, "would cut"), 2);
	assert_non_null(strstr(out, "to 192.0.2.2 port 443, dropped.lab.test\n"));
	assert_non_null(strstr(out, "to 203.0.113.1 port 443, UDP\n"));
	/* and so it is */
	resident_says(0, "reload", policy);
	lab_turn(&greeted->turn, 2);
	assert_true(lab_await_turn(&greeted->turn, 3));
	for (int i = 0; i < HELD; i++)
		assert_int_equal(greeted->alive[i], i == KEPT || i == UDP_KEPT);
	assert_int_equal(resident_finish(pid), 0);
	assert_int_equal(resident_counter("revoked"), 1);
}

enum { MANY_NAMES = 100000 };

static void write_names(const char *last) {
	char path[300];
	FILE *out;

	snprintf(path, sizeof(path), "%s/names.txt", lab_folder());
	out = fopen(path, "we");
	assert_non_null(out);
	for (int i = 0; i < MANY_NAMES; i++)
		fprintf(out, "name-%d.test\n", i * 7919 % MANY_NAMES);
	fprintf(out, "%s\n", last);
	assert_int_equal(fclose(out), 0);
}

/* What would change among very many rules takes no time for each pair of them. */
static void test_dry_run_of_many(void **state) {
	const char *policy, *out;

	(void)state;
	begin();
	write_names("old.lab.test");
	policy = lab_write("many.yaml", "version: 1\ntls: {allow: [{file: names.txt}]}\ndns: {servers: none}\n");
	resident_says(0, "attach", policy, "--cgroup", resident_cgroup()->path);
	write_names("new.lab.test");
	out = resident_says(0, "reload", "--dry-run", policy)->out;
	assert_string_equal(out, "- old.lab.test\n+ new.lab.test\n");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		resident_test(test_existing_cut),
		resident_test(test_existing_judge),
		resident_test(test_existing_keep),
		resident_test(test_existing_keep_of_thread),
		resident_test(test_keep_what_is_of_another),
		resident_test(test_keep_what_another_judges_again),
		resident_test(test_keep_what_another_will_judge),
		resident_test(test_keep_all_kinds),
		resident_test(test_dry_run),
		resident_test(test_dry_run_of_many),
	};

	return cmocka_run_group_tests_name("attach_existing", tests, NULL, NULL);
}
