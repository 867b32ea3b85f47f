/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy as text ──► in force for a fresh cgroup; its events ──► an orderly queue. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hello_maker.h"
#include <bpf/bpf.h>

#include "lab_parts.h"
#include "event/event_write.h"
#include "lines_kept.h"
#include "run/supervise.h"

enum { POLICY = 1, MOST_EVENTS = 16384, MOST_CHILDREN = 64, MOST_SHARED = 64 };

struct inside {
	pid_t pid;
	int result; /* read end of a pipe */
};

static struct {
	bool confined;
	struct cgroup cgroup, below;
	struct filter *filter, *filter_below; /* below: NULL, or an instance of its own */
	struct policy *policy;
	struct compiled compiled;
	int events_fd;
	struct snif_event *events[MOST_EVENTS];
	size_t event_count, taken;
	struct inside children[MOST_CHILDREN];
	size_t child_count;
	struct {
		void *memory;
		size_t size;
	} shared[MOST_SHARED];
	size_t shared_count;
} lab;

/* As `snifence run` would: each event is a line, too. */
static void keep_line(const struct snif_event *event) {
	const struct event_context context = {
		.policy = lab.policy, .policy_sha256 = lab.compiled.sha256, .cgroup_path = lab.cgroup.path};
	static struct log *log;

	if (!log)
		log = log_new(lines_kept(), log_run_id());
	if (!log || event_write(log, event, &context) || log_flush(log))
		abort();
}

static void on_event(void *context, const struct snif_event *event) {
	struct snif_event *copy = malloc(sizeof(*copy));

	(void)context;
	if (!copy || lab.event_count == MOST_EVENTS)
		abort();
	*copy = *event;
	lab.events[lab.event_count++] = copy;
	keep_line(event);
}

/* Returns the policy, which is in force then. */
static struct policy *put_in_force(struct filter *filter, const char *text, struct compiled *compiled) {
	struct diagnostics diagnostics = {0};
	struct policy *policy = policy_parse("lab.yaml", text, strlen(text), &diagnostics);
	__u64 key[2];

	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	if (!policy)
		fail_msg("the test's policy is wrong");
	assert_int_equal(getrandom(key, sizeof(key), 0), sizeof(key));
	assert_int_equal(compile_policy(policy, key, compiled), 0);
	assert_int_equal(filter_set_policy(filter, POLICY, compiled), 0);
	return policy;
}

void lab_confine(const char *policy) {
	if (lab.confined)
		fail_msg("one lab_confine() in a test; lab_reload() changes the policy");
	lab.confined = true;
	lab.cgroup.fd = -1;
	assert_int_equal(cgroup_create(&lab.cgroup), 0);
	lab.filter = filter_load(true);
	assert_non_null(lab.filter);
	lab.policy = put_in_force(lab.filter, policy, &lab.compiled);
	assert_int_equal(filter_attach(lab.filter, lab.cgroup.fd, lab.cgroup.id, POLICY, 0), 0);
	lab.events_fd = filter_events(lab.filter, 0, on_event, NULL);
	assert_true(lab.events_fd >= 0);
}

void lab_reload(const char *policy) {
	assert_true(lab.confined);
	policy_free(lab.policy);
	compiled_free(&lab.compiled);
	lab.policy = put_in_force(lab.filter, policy, &lab.compiled);
}

void lab_confine_below(const char *policy) {
	struct compiled compiled;
	struct stat status;

	assert_true(lab.confined);
	lab.filter_below = filter_load(true);
	assert_non_null(lab.filter_below);
	policy_free(put_in_force(lab.filter_below, policy, &compiled));
	compiled_free(&compiled);
	assert_int_equal(mkdirat(lab.cgroup.fd, "below", 0755), 0);
	lab.below.fd = openat(lab.cgroup.fd, "below", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(lab.below.fd >= 0);
	assert_int_equal(fstat(lab.below.fd, &status), 0);
	lab.below.id = status.st_ino;
	assert_true(filter_events(lab.filter_below, 0, on_event, NULL) >= 0);
	assert_int_equal(filter_attach(lab.filter_below, lab.below.fd, lab.below.id, POLICY, 0), 0);
}

/* The map with the cgroup's attachment. */
static int find_attachments(struct snif_attachment *attachment) {
	for (__u32 id = 0; bpf_map_get_next_id(id, &id) == 0;) {
		struct bpf_map_info info = {0};
		__u32 size = sizeof(info);
		int fd = bpf_map_get_fd_by_id(id);

		if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && strcmp(info.name, "attachments") == 0 &&
		    bpf_map_lookup_elem(fd, &lab.cgroup.id, attachment) == 0)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

void lab_refill_budget(void) {
	struct snif_attachment attachment;
	int map = find_attachments(&attachment);

	assert_true(map >= 0);
	attachment.budget_full = 0;
	assert_int_equal(bpf_map_update_elem(map, &lab.cgroup.id, &attachment, BPF_ANY), 0);
	close(map);
}

struct filter *lab_filter(void) {
	return lab.filter;
}

const struct cgroup *lab_cgroup(void) {
	return &lab.cgroup;
}

const struct policy *lab_policy(void) {
	return lab.policy;
}

const struct compiled *lab_compiled(void) {
	return &lab.compiled;
}

const struct snif_event *lab_event(int ms) {
	struct pollfd ready = {.fd = lab.events_fd, .events = POLLIN};
	double end = lab_now_ms() + ms, left;

	for (;;) {
		if (lab.filter_below)
			filter_consume(lab.filter_below); /* whose programs run first */
		filter_consume(lab.filter);
		if (lab.taken < lab.event_count)
			return lab.events[lab.taken++];
		left = end - lab_now_ms();
		if (left <= 0)
			return NULL;
		poll(&ready, 1, (int)left + 1);
	}
}

const struct snif_event *lab_expect(enum snif_verdict verdict, enum snif_reason reason) {
	const struct snif_event *event = lab_event(LAB_PATIENCE_MS);

	if (!event)
		fail_msg("no event came; %s was expected", reason_code(reason));
	if (event->verdict != verdict || event->reason != reason)
		fail_msg("the event is %s (%s); %s (%s) was expected", reason_code(event->reason),
			 event->verdict == SNIF_ALLOW ? "allowed" : "denied", reason_code(reason),
			 verdict == SNIF_ALLOW ? "allowed" : "denied");
	return event;
}

void lab_expect_no_more(void) {
	const struct snif_event *event = lab_event(50);

	if (event)
		fail_msg("one more event: %s (%s)", reason_code(event->reason),
			 event->verdict == SNIF_ALLOW ? "allowed" : "denied");
	assert_int_equal(filter_counter(lab.filter, POLICY, SNIF_COUNTER_LOST), 0);
}

static void be_inside(lab_function function, void *argument, int result) {
	int value = -EACCES;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	alarm((unsigned)(LAB_TEST_SECONDS / 2 * lab_slowness()));
	if (cgroup_adopt(lab.below.id ? &lab.below : &lab.cgroup, getpid()) == 0)
		value = function(argument);
	if (write(result, &value, sizeof(value)) != sizeof(value))
		_exit(2);
	_exit(0);
}

pid_t lab_start_inside(lab_function function, void *argument) {
	int ends[2];
	pid_t pid;

	assert_true(lab.confined);
	assert_true(lab.child_count < MOST_CHILDREN);
	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		be_inside(function, argument, ends[1]);
	close(ends[1]);
	lab.children[lab.child_count++] = (struct inside){pid, ends[0]};
	return pid;
}

int lab_finish_inside(pid_t pid) {
	struct pollfd ready = {.events = POLLIN};
	struct inside *child = NULL;
	int value = 0;
	bool came;

	for (size_t i = 0; i < lab.child_count; i++)
		if (lab.children[i].pid == pid)
			child = &lab.children[i];
	assert_non_null(child);
	ready.fd = child->result;
	came = poll(&ready, 1, LAB_TEST_SECONDS / 2 * lab_slowness() * 1000) == 1 &&
	       read(child->result, &value, sizeof(value)) == sizeof(value);
	if (!came)
		kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(child->result);
	child->pid = 0;
	if (!came)
		fail_msg("the child inside crashed or hung");
	return value;
}

int lab_inside(lab_function function, void *argument) {
	return lab_finish_inside(lab_start_inside(function, argument));
}

int lab_say_hello(void *name) {
	struct hello hello = {.name = name};
	static struct bytes stream;
	int fd = lab_dial("192.0.2.1", 443), error;
	char byte;

	if (fd < 0)
		return fd;
	hello_make(&stream, &hello);
	error = lab_send(fd, stream.data, stream.length);
	return error || lab_receive(fd, &byte, 1) != 1;
}

void *lab_shared(size_t size) {
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(memory != MAP_FAILED);
	assert_true(lab.shared_count < MOST_SHARED);
	lab.shared[lab.shared_count].memory = memory;
	lab.shared[lab.shared_count++].size = size;
	return memory;
}

void lab_turn(int *turn, int value) {
	__atomic_store_n(turn, value, __ATOMIC_RELEASE);
}

bool lab_await_turn(int *turn, int value) {
	double end = lab_now_ms() + LAB_PATIENCE_MS * lab_slowness();

	while (__atomic_load_n(turn, __ATOMIC_ACQUIRE) < value && lab_now_ms() < end)
		lab_sleep_ms(1);
	return __atomic_load_n(turn, __ATOMIC_ACQUIRE) >= value;
}

static void end_children(void) {
	for (size_t i = 0; i < lab.child_count; i++)
		if (lab.children[i].pid) {
			kill(lab.children[i].pid, SIGKILL);
			waitpid(lab.children[i].pid, NULL, 0);
			close(lab.children[i].result);
		}
}

void lab_filter_end(void) {
	end_children();
	if (lab.below.id)
		close(lab.below.fd);
	if (lab.confined && lab.cgroup.fd >= 0) {
		supervise_kill(&lab.cgroup);
		cgroup_remove(&lab.cgroup);
	}
	filter_free(lab.filter_below);
	filter_free(lab.filter);
	compiled_free(&lab.compiled);
	policy_free(lab.policy);
	for (size_t i = 0; i < lab.event_count; i++)
		free(lab.events[i]);
	for (size_t i = 0; i < lab.shared_count; i++)
		munmap(lab.shared[i].memory, lab.shared[i].size);
	memset(&lab, 0, sizeof(lab));
}
