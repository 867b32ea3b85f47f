/* SPDX-License-Identifier: BSD-2-Clause */
/* Policies of 100,000 names that replace each other ──► what 64 threads see that open connections without pause. */
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../support/hello_maker.h"
#include "../support/lab.h"
#include "../support/lab_parts.h"
#include "../support/resident.h"

enum {
	NAMES = 100000,
	RELOADS = 8,
	OPENERS = 48,
	HOLDERS = 16,	 /* half of them of a name that both policies allow */
	REFUSED_MS = 20, /* for an answer that is not to come; what arrives later the server tells of */
	STABLE_MS = 150,
};

/* What the two policies say of a name. */
enum kind { IN_BOTH, IN_FIRST, IN_SECOND, IN_NONE, KINDS };
static const char *const names[KINDS] = {"both.lab.test", "first.lab.test", "second.lab.test", "none.lab.test"};

/* Shared by the test, the server and the threads inside. */
struct shared {
	/* 2n: policy n % 2 is in force, and nothing changes; 2n + 1: the next one is being put there */
	atomic_int phase;
	atomic_bool over;
	atomic_uint opened[KINDS], answered[KINDS], echoes[2], cuts;
	atomic_uint leaked;    /* hellos of none.lab.test at the server */
	atomic_uint wrong;     /* verdicts that no policy in force gives */
	atomic_uint disturbed; /* kept connections that did not go on */
};

static struct shared *shared;

/* ---- the server: everything comes back ------------------------------------------------------------------------- */

static void serve_one(int fd) {
	static char bytes[4096];
	ssize_t length = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (length <= 0 && !(length < 0 && errno == EAGAIN)) {
		lab_reset(fd);
		return;
	}
	if (length > 0 && memmem(bytes, (size_t)length, names[IN_NONE], strlen(names[IN_NONE])))
		atomic_fetch_add(&shared->leaked, 1);
	if (length > 0)
		send(fd, bytes, (size_t)length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

_Noreturn static void serve(int listener) {
	int epoll = epoll_create1(EPOLL_CLOEXEC), fd;
	struct epoll_event events[64], event = {.events = EPOLLIN, .data.fd = listener};

	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		int count = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.fd != listener) {
				serve_one(events[i].data.fd);
				continue;
			}
			while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
				event.data.fd = fd;
				epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
			}
		}
	}
}

static pid_t start_server(void) {
	int listener = lab_listener(-1, SOCK_STREAM, "192.0.2.1", 443);
	pid_t pid;

	assert_int_equal(listen(listener, 1024), 0);
	pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(listener);
	}
	close(listener);
	return pid;
}

/* ---- inside ---------------------------------------------------------------------------------------------------- */

static bool is_allowed(enum kind kind, int phase) {
	bool second = phase / 2 % 2;

	return kind == IN_BOTH || kind == (second ? IN_SECOND : IN_FIRST);
}

/* Whether it may be answered, and whether it may fail to be, in what the time from one phase to another had in force. */
static bool may(enum kind kind, int before, int after, bool answered) {
	if (before != after || before % 2)
		return answered ? kind != IN_NONE : kind != IN_BOTH;
	return is_allowed(kind, before) == answered;
}

/*
 * Sends what the server sends back, as far as the filter lets it, and waits for that: until it comes, or cannot be hoped
 * for any more by what was in force before, or after that.
 */
static bool echoes(int fd, enum kind kind, int before, const void *bytes, size_t length) {
	bool hopeless = !may(kind, before, before, true) || before % 2;
	char back[1024];

	if (lab_send(fd, bytes, length))
		return false;
	for (double end = lab_now_ms() + LAB_PATIENCE_MS * lab_slowness(); lab_now_ms() < end;) {
		if (lab_readable(fd, REFUSED_MS))
			return recv(fd, back, sizeof(back), MSG_DONTWAIT) > 0;
		if (kind != IN_BOTH && (hopeless || atomic_load(&shared->phase) != before))
			return false;
	}
	return false;
}

/* Returns a connection that has said hello, or a negative number; `*answered` tells whether it was answered. */
static int open_one(enum kind kind, const struct bytes *hello, bool *answered) {
	int before = atomic_load(&shared->phase), fd = lab_dial("192.0.2.1", 443);

	if (fd < 0)
		return fd;
	*answered = echoes(fd, kind, before, hello->data, hello->length);
	atomic_fetch_add(&shared->opened[kind], 1);
	atomic_fetch_add(&shared->answered[kind], *answered);
	if (!may(kind, before, atomic_load(&shared->phase), *answered))
		atomic_fetch_add(&shared->wrong, 1);
	return fd;
}

static void make_hello(struct bytes *hello, enum kind kind) {
	static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&one);
	hello_make(hello, &(struct hello){.name = names[kind]});
	pthread_mutex_unlock(&one);
}

static void *open_many(void *argument) {
	struct bytes *hellos = calloc(KINDS, sizeof(*hellos));
	enum kind kind = (enum kind)((size_t)argument % KINDS);
	bool answered;

	for (int i = 0; i < KINDS; i++)
		make_hello(&hellos[i], (enum kind)i);
	for (; !atomic_load(&shared->over); kind = (kind + 1) % KINDS) {
		int fd = open_one(kind, &hellos[kind], &answered);

		if (fd >= 0)
			lab_reset(fd);
	}
	free(hellos);
	return NULL;
}

static const char data[] = {23, 3, 3, 0, 4, 'd', 'a', 't', 'a'};

/* One that stays open, under a name that is always allowed. */
static void hold_kept(const struct bytes *hello) {
	bool answered;
	int fd = open_one(IN_BOTH, hello, &answered);

	while (fd >= 0 && answered && !atomic_load(&shared->over)) {
		if (!echoes(fd, IN_BOTH, 0, data, sizeof(data)))
			break;
		atomic_fetch_add(&shared->echoes[0], 1);
		lab_sleep_ms(1);
	}
	if (!atomic_load(&shared->over))
		atomic_fetch_add(&shared->disturbed, 1);
	lab_reset(fd);
}

/* One whose name the first policy allows: each time that one is in force, until a packet of it is refused. */
static void hold_revoked(const struct bytes *hello) {
	bool answered = false;
	int fd = open_one(IN_FIRST, hello, &answered), before;

	while (fd >= 0 && answered && !atomic_load(&shared->over)) {
		before = atomic_load(&shared->phase);
		answered = echoes(fd, IN_FIRST, before, data, sizeof(data));
		atomic_fetch_add(&shared->echoes[1], answered);
		atomic_fetch_add(&shared->cuts, !answered);
		lab_sleep_ms(1);
		/* not a packet more once the reload has returned; and none less before it has begun */
		if (answered ? !may(IN_FIRST, before, before, true)
			     : !may(IN_FIRST, before, atomic_load(&shared->phase), false))
			atomic_fetch_add(&shared->wrong, 1);
	}
	if (fd >= 0)
		lab_reset(fd);
}

static void *hold(void *argument) {
	enum kind kind = (size_t)argument % 2 ? IN_FIRST : IN_BOTH;
	struct bytes *hello = calloc(1, sizeof(*hello));

	make_hello(hello, kind);
	while (!atomic_load(&shared->over)) {
		if (kind == IN_BOTH)
			hold_kept(hello);
		else if (is_allowed(IN_FIRST, atomic_load(&shared->phase)))
			hold_revoked(hello);
		else
			lab_sleep_ms(2);
	}
	free(hello);
	return NULL;
}

static int be_busy(void *argument) {
	pthread_t threads[OPENERS + HOLDERS];

	(void)argument;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < OPENERS + HOLDERS; i++)
		if (pthread_create(&threads[i], NULL, i < OPENERS ? open_many : hold, (void *)i))
			return 1;
	for (size_t i = 0; i < OPENERS + HOLDERS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

/* ---- the test -------------------------------------------------------------------------------------------------- */

static void write_names(const char *file, const char *with) {
	FILE *out = fopen(file, "we");

	assert_non_null(out);
	fprintf(out, "%s\n%s\n", names[IN_BOTH], with);
	for (int i = 0; i < NAMES; i++)
		fprintf(out, "n%d.lab.test\n", i);
	assert_int_equal(fclose(out), 0);
}

/* Puts the other list in its place, as an editor would. */
static void put_names(const char *file, const char *with) {
	char *fresh;

	assert_true(asprintf(&fresh, "%s.new", file) > 0);
	write_names(fresh, with);
	assert_int_equal(rename(fresh, file), 0);
	free(fresh);
}

static void test_busy(void **state) {
	const char *policy, *list;
	pid_t server, clients;

	(void)state;
	resident_begin();
	shared = lab_shared(sizeof(*shared));
	policy = lab_write("busy.yaml", "version: 1\ntls: {to: [192.0.2.0/24], allow: [{file: names.txt}]}\n"
					"dns: {servers: none}\n");
	list = lab_write("names.txt", "");
	put_names(list, names[IN_FIRST]);
	resident_says(0, "attach", policy, "--cgroup", resident_cgroup()->path);
	server = start_server();
	clients = resident_start(resident_cgroup(), be_busy, NULL);
	for (int i = 1; i <= RELOADS; i++) {
		put_names(list, names[i % 2 ? IN_SECOND : IN_FIRST]);
		lab_sleep_ms(STABLE_MS * lab_slowness());
		atomic_store(&shared->phase, 2 * i - 1);
		resident_says(0, "reload", policy);
		atomic_store(&shared->phase, 2 * i);
		lab_sleep_ms(STABLE_MS * lab_slowness());
	}
	atomic_store(&shared->over, true);
	assert_int_equal(resident_finish(clients), 0);
	kill(server, SIGKILL);
	assert_int_equal(resident_finish(server), 128 + SIGKILL);
	print_message("%d reloads; %u, %u, %u and %u connections opened, %u, %u, %u and %u answered; %u and %u echoes "
		      "on those that stay and those that are revoked, %u of which ended\n",
		      RELOADS, shared->opened[0], shared->opened[1], shared->opened[2], shared->opened[3],
		      shared->answered[0], shared->answered[1], shared->answered[2], shared->answered[3],
		      shared->echoes[0], shared->echoes[1], shared->cuts);
	assert_int_equal(shared->leaked, 0);
	assert_int_equal(shared->wrong, 0);
	assert_int_equal(shared->disturbed, 0);
	assert_int_equal(shared->answered[IN_BOTH], shared->opened[IN_BOTH]);
	assert_int_equal(shared->answered[IN_NONE], 0);
	for (int i = 0; i < KINDS; i++)
		assert_true(shared->opened[i] > RELOADS);
	assert_true(shared->answered[IN_FIRST] > 0 && shared->answered[IN_SECOND] > 0);
	assert_true(shared->echoes[0] > 0 && shared->echoes[1] > 0 && shared->cuts >= RELOADS / 2);
}

int main(void) {
	const struct CMUnitTest tests[] = {resident_test(test_busy)};

	return cmocka_run_group_tests_name("reload_busy", tests, NULL, NULL);
}
