/* SPDX-License-Identifier: BSD-2-Clause */
/* abort.c against real sockets, here and in other network namespaces: who reads what, and who is left alone. */
#include <fcntl.h>
#include <linux/netlink.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "abort_holder.h"
#include "event/abort.h"

enum { HOLDERS = 68 }; /* more network namespaces than an aborter keeps */

static struct cgroup cgroup = {.fd = -1};
static struct aborter *aborter;
static ino_t here; /* the network namespace of the test */

static ino_t own_namespace(void) {
	struct stat file;

	assert_int_equal(stat("/proc/self/ns/net", &file), 0);
	return file.st_ino;
}

/* abort_flow(), which must not leave this process in another namespace. */
static int end_flow(const struct snif_event *event) {
	int error = abort_flow(aborter, event);

	assert_int_equal(own_namespace(), here);
	return error;
}

/* The first line of each test: the lab's namespace is "here". Skips the test without root. */
static void begin(void) {
	lab_enter();
	assert_int_equal(cgroup_create(&cgroup), 0);
	aborter = aborter_new(cgroup.fd);
	assert_non_null(aborter);
	here = own_namespace();
}

/* The listener has this port, the client the one below; 0: the kernel chooses. */
static struct holder start_at(const char *address, __u16 port, enum where where) {
	struct snif_event events[2];
	struct holder holder;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	fflush(NULL);
	holder.pid = fork();
	assert_true(holder.pid >= 0);
	if (holder.pid == 0) {
		/* not to outlive the test: it reads the end when the test closes its side */
		close_range(3, (unsigned)pair[1] - 1, 0);
		close_range((unsigned)pair[1] + 1, ~0U, 0);
		hold(pair[1], address, port, where);
	}
	close(pair[1]);
	holder.control = pair[0];
	assert_int_equal(cgroup_adopt(&cgroup, holder.pid), 0);
	assert_int_equal(recv(holder.control, events, sizeof(events), MSG_WAITALL), sizeof(events));
	holder.event = events[0];
	holder.listener = events[1];
	assert_int_equal(holder.event.process.pid, holder.pid);
	return holder;
}

static struct holder start(const char *address, enum where where) {
	return start_at(address, 0, where);
}

static struct answer ask(const struct holder *holder, enum command command) {
	struct answer answer;
	char byte = (char)command;

	assert_int_equal(write(holder->control, &byte, 1), 1);
	assert_int_equal(recv(holder->control, &answer, sizeof(answer), MSG_WAITALL), sizeof(answer));
	return answer;
}

static void stop(const struct holder *holder) {
	int status;

	close(holder->control);
	assert_int_equal(waitpid(holder->pid, &status, 0), holder->pid);
	assert_int_equal(status, 0);
}

/*
 * The program reads ECONNABORTED at once, its peer a reset; and once more there is nothing to end. Returns how many
 * milliseconds that took.
 */
static double expect_ended(const struct holder *holder, const struct snif_event *event) {
	double begin = lab_now_ms(), ms;
	struct answer answer;

	assert_int_equal(end_flow(event), 0);
	answer = ask(holder, SAY_WHAT_CAME);
	assert_int_equal(answer.client, ECONNABORTED);
	assert_int_equal(answer.peer, ECONNRESET);
	ms = lab_now_ms() - begin;
	assert_true(ms < 1000 * lab_slowness());
	assert_int_equal(end_flow(event), -ENOENT);
	return ms;
}

static void expect_alive(const struct holder *holder, const struct snif_event *event) {
	struct answer answer;

	assert_int_equal(end_flow(event), -ENOENT);
	answer = ask(holder, SAY_WHETHER_ALIVE);
	assert_int_equal(answer.client, 0);
	assert_int_equal(answer.peer, 0);
}

struct files {
	int open, inherited; /* by a program that is executed */
};

static struct files count_files(void) {
	struct files files = {0, 0};

	for (int fd = 0; fd < 1024; fd++) {
		int flags = fcntl(fd, F_GETFD);

		files.open += flags >= 0;
		files.inherited += flags >= 0 && !(flags & FD_CLOEXEC);
	}
	return files;
}

static const char *const addresses[] = {"127.0.0.1", "::1", "::ffff:127.0.0.1"};

static void end_everywhere(enum where where) {
	double ms, fastest = 1000;

	for (size_t i = 0; i < 3; i++) {
		struct holder holder = start(addresses[i], where);

		ms = expect_ended(&holder, &holder.event);
		fastest = ms < fastest ? ms : fastest;
		stop(&holder);
	}
	assert_true(fastest < 100 * lab_slowness()); /* a busy machine may slow one down, not all */
}

static void test_own_namespace(void **state) {
	(void)state;
	begin();
	end_everywhere(HERE);
}

static void test_other_namespace(void **state) {
	(void)state;
	begin();
	end_everywhere(IN_NEW_NAMESPACE);
}

static void test_user_namespace(void **state) {
	(void)state;
	begin();
	end_everywhere(IN_NEW_USER_NAMESPACE);
}

/* Sockets that no connect hook has seen: neither process nor namespace are known. */
static void test_little_known(void **state) {
	struct holder other, holder;
	struct files files;

	(void)state;
	begin();
	other = start("127.0.0.1", IN_NEW_NAMESPACE);
	holder = start("127.0.0.1", IN_NEW_NAMESPACE);
	files = count_files();
	holder.event.netns_cookie = 0;
	expect_ended(&holder, &holder.event);
	other.event.netns_cookie = other.event.process.pid = 0;
	expect_ended(&other, &other.event);
	/* one for each namespace, however often they were looked at */
	assert_int_equal(count_files().open, files.open + 2);
	stop(&holder);
	stop(&other);
}

/* Two sockets with the same addresses and ports: the one in the namespace that is looked at first is not the one. */
static void test_twins(void **state) {
	struct holder first, second;

	(void)state;
	begin();
	first = start_at("127.0.0.1", 443, IN_NEW_NAMESPACE);
	second = start_at("127.0.0.1", 443, IN_NEW_NAMESPACE);
	assert_memory_equal(first.event.source, second.event.source, 32);
	assert_int_equal(first.event.source_port, second.event.source_port);
	first.event.netns_cookie = second.event.netns_cookie = 0;
	/* makes both namespaces known, in this order */
	first.event.flow ^= 1ULL << 40;
	expect_alive(&first, &first.event);
	expect_ended(&second, &second.event);
	first.event.flow ^= 1ULL << 40;
	expect_ended(&first, &first.event);
	stop(&first);
	stop(&second);
}

/* The kernel finds a socket that is bound to a device by this device alone, and others by any. */
static void test_bound_to_device(void **state) {
	(void)state;
	begin();
	for (size_t i = 0; i < 3; i++) {
		struct holder holder = start(addresses[i], HERE);
		struct snif_event event = holder.event;

		assert_int_not_equal(event.interface, 0);
		assert_int_equal(ask(&holder, BIND_TO_DEVICE).client, 0);
		event.interface = 0;
		expect_alive(&holder, &event);
		event.interface = holder.event.interface + 1;
		expect_alive(&holder, &event);
		expect_ended(&holder, &holder.event);
		stop(&holder);
	}
}

/* The process that is named has ended, or never was: the cgroup leads to one that has the socket. */
static void test_other_process(void **state) {
	struct holder gone, holder;
	int err;

	(void)state;
	begin();
	gone = start("::1", HERE);
	holder = start("::1", IN_NEW_NAMESPACE);
	stop(&gone);
	holder.event.process.pid = (__u32)gone.pid;
	expect_ended(&holder, &holder.event);
	stop(&holder);
	/* its socket may outlive its process, until the connection is closed */
	err = end_flow(&gone.event);
	assert_int_equal(err ? err : end_flow(&gone.event), -ENOENT);
}

/* A command with the right to make cgroups may have moved its processes down. */
static void test_nested_cgroup(void **state) {
	struct holder holder;
	char pid[16];
	int fd, length;

	(void)state;
	begin();
	holder = start("127.0.0.1", IN_NEW_NAMESPACE);
	length = snprintf(pid, sizeof(pid), "%d", holder.pid);
	assert_int_equal(mkdirat(cgroup.fd, "a", 0700), 0);
	assert_int_equal(mkdirat(cgroup.fd, "a/b", 0700), 0);
	fd = openat(cgroup.fd, "a/b/cgroup.procs", O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, pid, (size_t)length), length);
	close(fd);
	holder.event.process.pid = 0;
	expect_ended(&holder, &holder.event);
	stop(&holder);
}

/* Only the socket of the event is ended, whatever else has its addresses. */
static void test_wrong_socket(void **state) {
	static const enum where places[] = {HERE, IN_NEW_NAMESPACE};

	(void)state;
	begin();
	for (size_t i = 0; i < 2; i++) {
		struct holder holder = start("127.0.0.1", places[i]);
		struct snif_event event = holder.event;

		event.flow++;
		expect_alive(&holder, &event);
		event.netns_cookie = 0;
		expect_alive(&holder, &event);
		event = holder.event;
		event.source_port ^= 1;
		expect_alive(&holder, &event);
		event = holder.event;
		event.netns_cookie += 1000000; /* no namespace has this one */
		expect_alive(&holder, &event);
		expect_ended(&holder, &holder.event);
		stop(&holder);
	}
}

/*
 * An event without a socket (a SYN-ACK, say) names none that could be ended: by the addresses the kernel would find the
 * listener of this port, in the first namespace that has one.
 */
static void test_no_socket(void **state) {
	struct holder holder;
	struct snif_event event;
	struct files files;

	(void)state;
	begin();
	holder = start("127.0.0.1", IN_NEW_NAMESPACE);
	files = count_files();
	event = holder.event;
	event.flow = event.netns_cookie = 0;
	expect_alive(&holder, &event);
	event.source_port = holder.listener.source_port;
	event.destination_port = 9;
	expect_alive(&holder, &event);
	/* nothing was searched for */
	assert_int_equal(count_files().open, files.open);
	/* these addresses do lead to the listener */
	event.flow = holder.listener.flow;
	assert_int_equal(end_flow(&event), 0);
	stop(&holder);
}

/* Sockets of a namespace that no process leads to do not have all processes looked at each time. */
static void test_looks_around_rarely(void **state) {
	struct holder first, second;

	(void)state;
	begin();
	first = start("127.0.0.1", HERE);
	first.event.netns_cookie += 1000000;
	first.event.process.pid = 0;
	expect_alive(&first, &first.event);
	second = start("127.0.0.1", IN_NEW_NAMESPACE);
	second.event.process.pid = 0;
	expect_alive(&second, &second.event);
	lab_sleep_ms(1100);
	expect_ended(&second, &second.event);
	stop(&first);
	stop(&second);
}

/* The port of the only netlink socket that this process has. */
static __u32 netlink_port(void) {
	for (int fd = 3; fd < 1024; fd++) {
		struct sockaddr_nl address;
		socklen_t size = sizeof(address);

		if (getsockname(fd, (struct sockaddr *)&address, &size) == 0 && address.nl_family == AF_NETLINK)
			return address.nl_pid;
	}
	return 0;
}

/* An answer that somebody else sends, before the kernel's, is none. */
static void test_forged_answer(void **state) {
	struct sockaddr_nl to = {.nl_family = AF_NETLINK};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} forged = {{sizeof(forged), NLMSG_ERROR, 0, 0, 0}, {0}};
	struct holder holder;
	int fd;

	(void)state;
	begin();
	holder = start("127.0.0.1", HERE);
	holder.event.flow ^= 1ULL << 40;
	/* the first request gives the socket its port */
	expect_alive(&holder, &holder.event);
	to.nl_pid = netlink_port();
	assert_int_not_equal(to.nl_pid, 0);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	for (__u32 number = 0; number < 10; number++) {
		forged.header.nlmsg_seq = number;
		assert_int_equal(sendto(fd, &forged, sizeof(forged), 0, (struct sockaddr *)&to, sizeof(to)),
				 sizeof(forged));
	}
	close(fd);
	expect_alive(&holder, &holder.event);
	holder.event.flow ^= 1ULL << 40;
	expect_ended(&holder, &holder.event);
	stop(&holder);
}

/* What the aborter holds is bounded, closed on exec and in the end. */
static void test_many_namespaces(void **state) {
	static struct holder holders[HOLDERS];
	struct files files;
	int i;

	(void)state;
	begin();
	aborter_free(aborter);
	aborter = NULL;
	for (i = 0; i < HOLDERS; i++)
		holders[i] = start("127.0.0.1", i == HOLDERS - 1 ? HERE : IN_NEW_NAMESPACE);
	files = count_files();
	aborter = aborter_new(cgroup.fd);
	assert_non_null(aborter);
	/* this namespace comes last, when it was long put out of the aborter's memory */
	for (i = 0; i < HOLDERS; i++)
		expect_ended(&holders[i], &holders[i].event);
	assert_int_equal(count_files().open, files.open + 2 + 64);
	assert_int_equal(count_files().inherited, files.inherited);
	aborter_free(aborter);
	aborter = NULL;
	assert_int_equal(count_files().open, files.open);
	for (i = 0; i < HOLDERS; i++)
		stop(&holders[i]);
}

static void test_cannot_begin(void **state) {
	(void)state;
	lab_enter();
	errno = 0;
	assert_null(aborter_new(-1));
	assert_int_equal(errno, EBADF);
	aborter_free(NULL);
}

/* Also after a failed test: nothing stays. */
static int end(void **state) {
	int error = 0;

	aborter_free(aborter);
	aborter = NULL;
	if (cgroup.fd >= 0) {
		cgroup_kill(&cgroup);
		while (waitpid(-1, NULL, 0) > 0)
			;
		error = cgroup_remove(&cgroup);
		cgroup.fd = -1;
	}
	return lab_leave(state) | error;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_own_namespace, end),
		cmocka_unit_test_teardown(test_other_namespace, end),
		cmocka_unit_test_teardown(test_user_namespace, end),
		cmocka_unit_test_teardown(test_little_known, end),
		cmocka_unit_test_teardown(test_twins, end),
		cmocka_unit_test_teardown(test_bound_to_device, end),
		cmocka_unit_test_teardown(test_other_process, end),
		cmocka_unit_test_teardown(test_nested_cgroup, end),
		cmocka_unit_test_teardown(test_wrong_socket, end),
		cmocka_unit_test_teardown(test_no_socket, end),
		cmocka_unit_test_teardown(test_looks_around_rarely, end),
		cmocka_unit_test_teardown(test_forged_answer, end),
		cmocka_unit_test_teardown(test_many_namespaces, end),
		cmocka_unit_test_teardown(test_cannot_begin, end),
	};

	return cmocka_run_group_tests_name("abort", tests, NULL, NULL);
}
