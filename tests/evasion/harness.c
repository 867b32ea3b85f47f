/* SPDX-License-Identifier: BSD-2-Clause */
/* One load of the filter, servers on all addresses ──► a place where case after case runs. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "harness.h"
#include "event/abort.h"

/* Servers keep what they know of all their connections, and a load has so many slots for policies. */
enum { MOST_CONNECTIONS = 2500, MOST_POLICIES = 200, CONNECTIONS_TO_REFILL = 16 };

#define RULES                                                                                                          \
	"dns: {servers: none}\n"                                                                                       \
	"direct:\n"                                                                                                    \
	"  allow:\n"                                                                                                   \
	"    - {to: 192.0.2.1, proto: tcp, ports: [8080]}\n"                                                           \
	"    - {to: 192.0.2.1, proto: udp, ports: [5353]}\n"                                                           \
	"    - {to: \"2001:db8::1\", proto: udp, ports: [5353]}\n"                                                     \
	"tls:\n"                                                                                                       \
	"  ports: [443, 8443]\n"                                                                                       \
	"  to: [192.0.2.0/24, 198.51.100.0/24, 203.0.113.96/28, 127.0.0.0/8, \"::1\", \"2001:db8::/32\", "             \
	"\"fe80::/10\", 192.175.48.0/24]\n"                                                                            \
	"  allow:\n"                                                                                                   \
	"    - " ALLOWED "\n"                                                                                          \
	"    - " SECOND "\n"                                                                                           \
	"    - \"*.wild.test\"\n"                                                                                      \
	"    - {host: " BOUND ", to: [192.0.2.2]}\n"                                                                   \
	"  deny:\n"                                                                                                    \
	"    - denied.wild.test\n"

#define HOSTS "version: 1\n" RULES
#define UNUSUAL "  unusual: [split_records, trailing_dot]\n"
#define LONG "  max_hello: 64 KiB\n"
#define SHORT "  max_hello: 1 KiB\n"

const char evasion_policy[] = HOSTS;
const char evasion_policy_ech[] = HOSTS "  ech: deny\n";
const char evasion_policy_inbound[] = HOSTS "inbound: deny\n";
const char evasion_policy_postgres[] = "version: 1\ntls:\n  to: [192.0.2.0/24, \"2001:db8::/64\"]\n"
				       "  allow:\n    - {host: " ALLOWED ", starts: postgres}\ndns: {servers: none}\n";
const char evasion_policy_audit[] = "version: 1\nmode: audit\n" RULES;
const char evasion_policy_unusual[] = HOSTS UNUSUAL;
const char evasion_policy_long[] = HOSTS LONG;
const char evasion_policy_short[] = HOSTS SHORT;
const char evasion_policy_lax[] = HOSTS UNUSUAL LONG;

struct lab_server *evasion_tls, *evasion_plain, *evasion_udp443, *evasion_udp5353;

static struct {
	bool up, inside;
	bool spoilt;	 /* a case has said so */
	bool unfinished; /* a case has not come to its end */
	const char *policy;
	size_t policies;
	size_t connections; /* of the case */
	struct aborter *aborter;
	struct lab_server *peer;
	char skipped[256]; /* why */
} site;

void evasion_expect_self(const struct snif_event *event) {
	const ino_t machines = 0xEFFFFFFC; /* PROC_PID_INIT_INO of the kernel */
	struct stat status;

	assert_int_equal(stat("/proc/self/ns/pid", &status), 0);
	if (status.st_ino == machines)
		assert_int_equal(event->process.pid, getpid());
	else
		assert_int_not_equal(event->process.pid, 0);
}

/* Cases leave many hellos unfinished: each has a full budget for that, again and again. Leaves errno to the caller. */
void evasion_count(size_t connections) {
	int error = errno;

	if (site.connections / CONNECTIONS_TO_REFILL != (site.connections + connections) / CONNECTIONS_TO_REFILL)
		lab_refill_budget();
	site.connections += connections;
	errno = error;
}

void evasion_spoilt(void) {
	site.spoilt = true;
}

void evasion_skip(const char *why, ...) {
	va_list arguments;

	va_start(arguments, why);
	vsnprintf(site.skipped, sizeof(site.skipped), why, arguments);
	va_end(arguments);
	print_message("skipped: %s\n", site.skipped);
	skip();
	abort(); /* skip() does not return */
}

void evasion_inside(void) {
	assert_int_equal(cgroup_adopt(lab_cgroup(), getpid()), 0);
	site.inside = true;
}

static void leave_cgroup(void) {
	int fd = openat(lab_cgroup()->parent_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "0", 1) != 1)
		abort(); /* the lab would end this process with the cgroup */
	close(fd);
	site.inside = false;
}

void evasion_outside(void) {
	if (site.inside)
		leave_cgroup();
}

void evasion_use_policy(const char *policy) {
	if (policy == site.policy)
		return;
	lab_reload(policy);
	site.policy = policy;
	site.policies++;
}

/* Takes the program that is asked of setsockopt() off the cgroup. */
static int detach_options(void) {
	__u32 id, count = 1;
	int program;

	assert_int_equal(bpf_prog_query(lab_cgroup()->fd, BPF_CGROUP_SETSOCKOPT, 0, NULL, &id, &count), 0);
	assert_int_equal(count, 1);
	program = bpf_prog_get_fd_by_id(id);
	assert_true(program >= 0);
	assert_int_equal(bpf_prog_detach2(program, lab_cgroup()->fd, BPF_CGROUP_SETSOCKOPT), 0);
	return program;
}

void evasion_set_refused(int fd, int level, int option, const void *value, socklen_t length) {
	int program = detach_options(), error = setsockopt(fd, level, option, value, length) ? errno : 0;

	assert_int_equal(bpf_prog_attach(program, lab_cgroup()->fd, BPF_CGROUP_SETSOCKOPT, BPF_F_ALLOW_MULTI), 0);
	close(program);
	if (error)
		evasion_skip("this kernel does not take the option: %s", strerror(error));
}

int evasion_system(const char *command) {
	bool inside = site.inside;
	int status;

	evasion_outside();
	status = system(command);
	if (inside)
		evasion_inside();
	return status;
}

struct lab_server *evasion_peer(void) {
	bool inside = site.inside;

	if (site.peer)
		return site.peer;
	evasion_outside();
	site.peer = lab_server_at(lab_peer(), LAB_TLS, "::", 443);
	if (inside)
		evasion_inside();
	return site.peer;
}

static void write_file(const char *path, const char *text) {
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		print_message("cannot write %s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* The namespace's: TCP Fast Open for clients and servers, without cookies; ping sockets for everybody. */
static void open_doors(void) {
	write_file("/proc/sys/net/ipv4/tcp_fastopen", "1543");
	write_file("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
}

static void go_down(void) {
	leave_cgroup(); /* whichever it is: a case that failed may have been anywhere */
	aborter_free(site.aborter);
	lab_leave(NULL);
	memset(&site, 0, sizeof(site));
}

/* The servers first, outside: what they send is none of the filter's business. */
static void go_up(void) {
	lab_enter();
	open_doors();
	evasion_tls = lab_server(LAB_TLS, "::", 443);
	evasion_plain = lab_server(LAB_SINK, "::", 8080);
	evasion_udp443 = lab_server(LAB_UDP, "::", 443);
	evasion_udp5353 = lab_server(LAB_UDP, "::", 5353);
	lab_confine(evasion_policy);
	site.policy = evasion_policy;
	site.aborter = aborter_new(lab_cgroup()->fd);
	assert_non_null(site.aborter);
	evasion_inside();
	site.up = true;
}

void harness_begin(const char *policy) {
	if (site.up && (site.spoilt || site.unfinished || site.policies > MOST_POLICIES ||
			lab_count(evasion_tls) > MOST_CONNECTIONS))
		go_down();
	lab_enter();
	if (!site.up)
		go_up();
	evasion_use_policy(policy ? policy : evasion_policy);
	lab_refill_budget();
	site.connections = 0;
	site.skipped[0] = '\0';
	site.unfinished = true;
}

void harness_end(void) {
	const struct snif_event *event;

	filter_consume(lab_filter());
	event = lab_event(20);
	if (event)
		fail_msg("one more event: %s", reason_code(event->reason));
	assert_int_equal(filter_counter(lab_filter(), 1, SNIF_COUNTER_LOST), 0);
	site.unfinished = false;
}

void harness_leave(void) {
	if (site.up)
		go_down();
}

size_t harness_connections(void) {
	return site.connections;
}

const char *harness_skipped(void) {
	return site.skipped[0] ? site.skipped : NULL;
}

int harness_abort(const struct snif_event *event) {
	return abort_flow(site.aborter, event);
}
