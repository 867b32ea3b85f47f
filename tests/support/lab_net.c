/* SPDX-License-Identifier: BSD-2-Clause */
/* A test's process ──► a network namespace of its own, with the documentation's addresses on lo. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lab_parts.h"

static const char *const lo_batch = "link set lo up\n"
				    "address add 192.0.2.1/32 dev lo\n"
				    "address add 192.0.2.2/32 dev lo\n"
				    "address add 198.51.100.1/32 dev lo\n"
				    "address add 203.0.113.1/32 dev lo\n"
				    "address add 2001:db8::1/128 dev lo nodad\n"
				    "address add 2001:db8::2/128 dev lo nodad\n"
				    "address add 64:ff9b::c0af:3001/128 dev lo nodad\n";

static const char *const here_batch = "link set lab0 up\n"
				      "address add 203.0.113.101/30 dev lab0\n"
				      "address add 2001:db8:1::1/126 dev lab0 nodad\n";

static const char *const there_batch = "link set lo up\n"
				       "link set lab1 up\n"
				       "address add 203.0.113.102/30 dev lab1\n"
				       "address add 2001:db8:1::2/126 dev lab1 nodad\n";

static void ip_batch(const char *commands) {
	FILE *ip = popen("ip -batch -", "w");

	assert_non_null(ip);
	fputs(commands, ip);
	if (pclose(ip))
		fail_msg("ip (of iproute2) cannot set up the lab's network");
}

/* Names for programs that cannot be told an address. The file is gone at once, its mount with the process. */
static void write_hosts(void) {
	static const char hosts[] = "127.0.0.1 localhost\n"
				    "192.0.2.1 lab.test allowed.lab.test forbidden.lab.test\n"
				    "2001:db8::1 lab.test allowed.lab.test forbidden.lab.test\n";
	char file[] = "/tmp/snifence-hosts-XXXXXX";
	int fd = mkstemp(file);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, hosts, strlen(hosts)), strlen(hosts));
	assert_int_equal(fchmod(fd, 0644), 0);
	close(fd);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	if (mount(file, "/etc/hosts", NULL, MS_BIND, NULL))
		fail_msg("cannot mount a file on /etc/hosts: %s", strerror(errno));
	unlink(file);
}

bool lab_allow_files(size_t count) {
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return false;
	if (limit.rlim_cur < count) {
		limit.rlim_cur = count;
		if (limit.rlim_max < count) /* root can raise it, where the machine lets it */
			limit.rlim_max = count;
		if (setrlimit(RLIMIT_NOFILE, &limit))
			return false;
	}
	return limit.rlim_cur >= count;
}

int lab_slowness(void) {
	return getenv("SLOW") ? 10 : 1;
}

void lab_enter(void) {
	static bool entered;

	if (geteuid() != 0) {
		print_message("skipped: needs root\n");
		skip();
	}
	alarm((unsigned)(LAB_TEST_SECONDS * lab_slowness()));
	if (entered)
		return;
	if (unshare(CLONE_NEWNET | CLONE_NEWNS))
		fail_msg("no namespaces: %s", strerror(errno));
	ip_batch(lo_batch);
	write_hosts();
	/* commands run as root here, whoever called sudo */
	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
	entered = true;
}

int lab_leave(void **state) {
	(void)state;
	lab_programs_end();
	lab_logs_end();
	lab_filter_end();
	lab_servers_end();
	lab_folder_end();
	alarm(0);
	return 0;
}

static int own_namespace(void) {
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

int lab_peer(void) {
	static int peer = -1;
	char veth[128];
	int here;

	if (peer >= 0)
		return peer;
	here = own_namespace();
	assert_true(here >= 0);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	peer = open("/proc/thread-self/ns/net", O_RDONLY); /* not O_CLOEXEC: ip finds it by its number */
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	snprintf(veth, sizeof(veth), "link add lab0 type veth peer name lab1 netns /proc/%d/fd/%d\n", getpid(), peer);
	ip_batch(veth);
	ip_batch(here_batch);
	assert_int_equal(setns(peer, CLONE_NEWNET), 0);
	ip_batch(there_batch);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	close(here);
	return peer;
}

int lab_listener(int namespace_fd, int type, const char *address, uint16_t port) {
	struct sockaddr_storage where;
	socklen_t length = lab_address(address, port, &where);
	int here = own_namespace(), one = 1, fd;

	if (namespace_fd >= 0)
		assert_int_equal(setns(namespace_fd, CLONE_NEWNET), 0);
	fd = socket(where.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (namespace_fd >= 0)
		assert_int_equal(setns(here, CLONE_NEWNET), 0);
	close(here);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&where, length) || (type == SOCK_STREAM && listen(fd, 512)))
		fail_msg("no server on %s port %u: %s", address, port, strerror(errno));
	return fd;
}

socklen_t lab_address(const char *address, uint16_t port, struct sockaddr_storage *out) {
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, address, &ipv4->sin_addr) == 1) {
		ipv4->sin_family = AF_INET;
		ipv4->sin_port = htons(port);
		return sizeof(*ipv4);
	}
	if (inet_pton(AF_INET6, address, &ipv6->sin6_addr) != 1)
		abort();
	ipv6->sin6_family = AF_INET6;
	ipv6->sin6_port = htons(port);
	return sizeof(*ipv6);
}

/* What io_uring has left to do for a ring that was closed interrupts the next call that waits. */
static bool connects_in_the_end(int fd) {
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	socklen_t length = sizeof(errno);

	return poll(&ready, 1, LAB_PATIENCE_MS) == 1 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &errno, &length) == 0 &&
	       !errno;
}

int lab_dial(const char *address, uint16_t port) {
	const struct timeval patience = {.tv_sec = LAB_PATIENCE_MS / 1000 * lab_slowness()};
	struct sockaddr_storage where;
	socklen_t length = lab_address(address, port, &where);
	int fd = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, error;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&where, length) == 0 || (errno == EINTR && connects_in_the_end(fd)))
		return fd;
	error = -errno;
	close(fd);
	return error;
}

int lab_dial_at(int namespace_fd, const char *address, uint16_t port) {
	int here = own_namespace(), fd;

	assert_int_equal(setns(namespace_fd, CLONE_NEWNET), 0);
	fd = lab_dial(address, port);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	close(here);
	return fd;
}

int lab_send(int fd, const void *bytes, size_t length) {
	const uint8_t *from = bytes;
	ssize_t sent;

	while (length > 0) {
		sent = send(fd, from, length, MSG_NOSIGNAL);
		if (sent < 0)
			return -errno;
		from += sent;
		length -= (size_t)sent;
	}
	return 0;
}

size_t lab_receive(int fd, void *bytes, size_t length) {
	uint8_t *to = bytes;
	size_t count = 0;
	ssize_t came;

	while (count < length && (came = recv(fd, to + count, length - count, 0)) > 0)
		count += (size_t)came;
	return count;
}

bool lab_readable(int fd, int ms) {
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	return poll(&ready, 1, ms) == 1;
}

static bool all_acknowledged(int fd) {
	double end = lab_now_ms() + LAB_PATIENCE_MS;
	int left = 1;

	while (ioctl(fd, SIOCOUTQ, &left) == 0 && left > 0 && lab_now_ms() < end)
		sched_yield();
	return left == 0;
}

int lab_send_segments(int fd, const void *bytes, size_t length, size_t size) {
	const uint8_t *from = bytes;
	int error = 0;

	for (size_t at = 0; at < length && !error; at += size) {
		error = at == 0 || all_acknowledged(fd) ? 0 : -ETIMEDOUT;
		if (!error)
			error = lab_send(fd, from + at, size < length - at ? size : length - at);
	}
	return error;
}

void lab_reset(int fd) {
	const struct linger at_once = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

double lab_now_ms(void) {
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

void lab_sleep_ms(int ms) {
	struct timespec time = {ms / 1000, ms % 1000 * 1000000L};

	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

bool lab_await_file(const char *path, int ms) {
	double end = lab_now_ms() + ms;

	while (access(path, F_OK) && lab_now_ms() < end)
		lab_sleep_ms(5);
	return access(path, F_OK) == 0;
}

void lab_say(const char *line) {
	puts(line);
	fflush(stdout);
}

void lab_be_refused(int count) {
	for (int i = 0; i < count; i++) {
		int fd = lab_dial("203.0.113.1", 25);

		if (fd >= 0)
			close(fd);
	}
}
