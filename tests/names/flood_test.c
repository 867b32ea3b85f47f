/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A million different lookups, and questions that nobody answers ──► a policy's memory stays as large as it was, another
 * policy loses nothing, and what has been forgotten is refused in so many words.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../support/lab.h"
#include "../support/lookup.h"
#include "../support/name_server.h"
#include "../support/program_map.h"
#include "dns.h"
#include "run/supervise.h"

#define POLICY "version: 1\ntls: {allow: [\"*.lab.test\"]}\ndns: {servers: [" LOOKUP_SERVER "], bind: require}\n"

enum { OTHER_POLICY = 2, WINDOW = 64, UNANSWERED = 20000, MINUTES = 10 };

static struct cgroup other = {.fd = -1};
static struct compiled compiled;
static struct policy *policy;

static int leave(void **state) {
	name_servers_end();
	if (other.fd >= 0) {
		supervise_kill(&other);
		cgroup_remove(&other);
		other.fd = -1;
	}
	compiled_free(&compiled);
	policy_free(policy);
	return lab_leave(state);
}

/* Each name that begins with x at an address of its own; those that begin with q get no answer; the others at 192.0.2.1. */
static void answer(const struct name_query *query, struct bytes *out) {
	char address[64];
	unsigned number = (unsigned)atoi(query->name + 1);

	if (query->name[0] == 'q')
		return;
	dns_begin_answer(out, query->message);
	snprintf(address, sizeof(address), "2001:db8::%x:%x", number >> 16, number & 0xffff);
	if (query->name[0] == 'x')
		dns_add_address(out, query->name, 60, address);
	else
		dns_add_address(out, query->name, 60, "192.0.2.1");
}

static unsigned lookups(void) {
	const char *text = getenv("FLOOD");

	return text && *text ? (unsigned)atoi(text) : 1000000;
}

/* Asks for the names of numbers up to `count` beginning with this letter, some at once. Returns how many are answered. */
static unsigned flood(const char *letter, unsigned count, uint16_t type) {
	static struct bytes question;
	struct lookup lookup = {0};
	int fd = lookup_socket(&lookup);
	unsigned answered = 0;
	char name[64];

	for (unsigned first = 0; first < count; first += WINDOW) {
		for (unsigned i = first; i < first + WINDOW; i++) {
			snprintf(name, sizeof(name), "%s%u.lab.test", letter, i);
			dns_make_question(&question, (uint16_t)i, name, type);
			if (lab_send(fd, question.data, question.length))
				return answered;
		}
		for (unsigned i = 0; *letter == 'x' && i < WINDOW && recv(fd, name, sizeof(name), 0) > 0; i++)
			answered++;
	}
	close(fd);
	return answered;
}

static int flood_inside(void *argument) {
	unsigned count = lookups();

	(void)argument;
	alarm(MINUTES * 60);
	if (count % WINDOW)
		return -EINVAL;
	flood("q", UNANSWERED, SNIF_DNS_A);
	/* what was lost on the way is no matter here */
	return flood("x", count, SNIF_DNS_AAAA) > count - count / 100;
}

/* Bytes that the kernel has for a policy's table in that map of the ingress program. */
static size_t memory_of(const char *outer) {
	__u32 id, count = 1;
	int program, map;
	size_t bytes;

	assert_int_equal(bpf_prog_query(lab_cgroup()->fd, BPF_CGROUP_INET_INGRESS, 0, NULL, &id, &count), 0);
	program = bpf_prog_get_fd_by_id(id);
	map = program_map(program, outer);
	assert_true(map >= 0);
	bytes = program_map_memory(map, 1);
	assert_true(bytes > 0);
	close(map);
	close(program);
	return bytes;
}

static void confine_other(void) {
	struct diagnostics diagnostics = {0};
	const __u64 key[2] = {1, 2};

	policy = policy_parse("other.yaml", POLICY, strlen(POLICY), &diagnostics);
	assert_non_null(policy);
	assert_int_equal(compile_policy(policy, key, &compiled), 0);
	assert_int_equal(filter_set_policy(lab_filter(), OTHER_POLICY, &compiled), 0);
	assert_int_equal(cgroup_create(&other), 0);
	assert_int_equal(filter_attach(lab_filter(), other.fd, other.id, OTHER_POLICY, 0), 0);
}

/* In the other cgroup. */
static int beside(lab_function function, void *argument) {
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(cgroup_adopt(&other, getpid()) ? 99 : function(argument) & 0xff);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void drain(void) {
	while (lab_event(50))
		;
}

static size_t bindings(uint32_t number) {
	struct filter_binding *found;
	size_t count;

	assert_int_equal(filter_bindings(lab_filter(), number, &found, &count), 0);
	free(found);
	return count;
}

static void test_flood(void **state) {
	static struct greeting early = {"early.lab.test", "192.0.2.1", 0};
	struct lookup *lookup;
	size_t bound, asked;
	double began;

	(void)state;
	lab_enter();
	alarm(MINUTES * 60);
	lab_server(LAB_TLS, "192.0.2.1", 443);
	name_server(LOOKUP_SERVER, answer);
	lab_confine(POLICY);
	confine_other();
	lookup = lab_shared(sizeof(*lookup));
	lookup->name = early.name;
	assert_int_equal(beside(look_up, lookup), 0);
	assert_int_equal(look_up_name(early.name), 0);
	drain();
	bound = memory_of("bindings");
	asked = memory_of("questions");
	began = lab_now_ms();
	assert_int_equal(lab_finish_inside(lab_start_inside(flood_inside, NULL)), 1);
	print_message("%u lookups in %.0f s; tables of %zu and %zu bytes; %zu names at addresses are left\n", lookups(),
		      (lab_now_ms() - began) / 1000, bound, asked, bindings(1));
	assert_int_equal(memory_of("bindings"), bound);
	assert_int_equal(memory_of("questions"), asked);
	assert_in_range(bindings(1), SNIF_BINDINGS / 4, SNIF_BINDINGS);
	drain();
	/* the other policy has what it had */
	assert_int_equal(bindings(OTHER_POLICY), 1);
	assert_int_equal(beside(greet, &early), 0);
	drain();
	/* this one has forgotten, says so, and knows what it finds anew */
	assert_int_equal(greet_at(early.name, early.address), -EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_BOUND);
	assert_int_equal(look_up_name(early.name), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_DNS_ALLOWED);
	assert_int_equal(greet_at(early.name, early.address), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(test_flood, leave)};

	return cmocka_run_group_tests_name("flood", tests, NULL, NULL);
}
