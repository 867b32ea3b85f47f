/* SPDX-License-Identifier: BSD-2-Clause */
/* A cgroup ──► what is attached to it ──► what the kernel says that costs. */
#include "cell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bench.h"
#include "bench/floor.skel.h"
#include "policy/policy.h"

enum { POLICY = 1 };

static int statistics = -1; /* the kernel measures while this is open */

struct cell cell_make(const struct cell *parent, const char *name) {
	int at = parent ? parent->fd : bench_cgroup()->fd;
	struct stat status;
	struct cell cell;

	if (mkdirat(at, name, 0755) || (cell.fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 ||
	    fstat(cell.fd, &status))
		bench_fail("no cgroup %s: %s", name, strerror(errno));
	cell.id = status.st_ino;
	return cell;
}

static void enter(int directory) {
	int procs = openat(directory, "cgroup.procs", O_WRONLY | O_CLOEXEC);

	if (procs < 0 || write(procs, "0", 1) != 1)
		bench_fail("cannot move into a cgroup: %s", strerror(errno));
	close(procs);
}

void cell_enter(const struct cell *cell) {
	enter(cell->fd);
}

void cell_leave(void) {
	enter(bench_cgroup()->parent_fd);
}

int cell_program(const struct cell *cell, enum bpf_attach_type type) {
	__u32 id, count = 1;
	int fd;

	if (bpf_prog_query(cell->fd, type, 0, NULL, &id, &count) || count != 1)
		bench_fail("the cgroup has not one program of type %d: %s", type, strerror(errno));
	fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		bench_fail("no descriptor of program %u: %s", id, strerror(errno));
	return fd;
}

int floor_load(enum floor floor, enum bpf_attach_type type) {
	struct floor_bpf *skeleton = floor_bpf__open_and_load();
	bool storage = floor == FLOOR_STORAGE;

	if (!skeleton)
		bench_fail("cannot load the floors' programs: %s", strerror(errno));
	if (type == BPF_CGROUP_INET4_CONNECT)
		return bpf_program__fd(storage ? skeleton->progs.floor_storage_connect4
					       : skeleton->progs.floor_return_connect4);
	if (type == BPF_CGROUP_INET6_CONNECT)
		return bpf_program__fd(storage ? skeleton->progs.floor_storage_connect6
					       : skeleton->progs.floor_return_connect6);
	return bpf_program__fd(storage ? skeleton->progs.floor_storage : skeleton->progs.floor_return);
}

void floor_attach(const struct cell *cell, enum floor floor, enum bpf_attach_type type) {
	if (bpf_prog_attach(floor_load(floor, type), cell->fd, type, BPF_F_ALLOW_MULTI))
		bench_fail("cannot attach a floor: %s", strerror(errno));
}

static double ms_since(uint64_t *then) {
	uint64_t now = bench_now();
	double ms = (double)(now - *then) / 1e6;

	*then = now;
	return ms;
}

static void ignore_event(void *context, const struct snif_event *event) {
	(void)context;
	(void)event;
}

static struct policy *parse(const char *text) {
	struct diagnostics diagnostics = {0};
	struct policy *policy = policy_parse("bench.yaml", text, strlen(text), &diagnostics);

	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	if (!policy)
		bench_fail("the bench's policy is wrong");
	return policy;
}

/* Only one policy is put in force by each filter, and it takes the first slot. */
struct confinement confine(const char *text) {
	struct confinement confinement = {.filter = filter_load(true), .slot = 1};
	struct compiled compiled;
	struct policy *policy;
	uint64_t then = bench_now();
	__u64 key[2];

	if (!confinement.filter || getrandom(key, sizeof(key), 0) != sizeof(key))
		bench_fail("there is no filter");
	policy = parse(text);
	confinement.parse_ms = ms_since(&then);
	if (compile_policy(policy, key, &compiled))
		bench_fail("the bench's policy cannot be compiled");
	confinement.compile_ms = ms_since(&then);
	compiled.settings.options.skip_allowed = 1; /* the cost of an event is that of a blocked one */
	if (filter_set_policy(confinement.filter, POLICY, &compiled))
		bench_fail("the bench's policy cannot be put in force");
	confinement.load_ms = ms_since(&then);
	compiled_free(&compiled);
	policy_free(policy);
	if (filter_events(confinement.filter, 0, ignore_event, NULL) < 0)
		bench_fail("the filter's events cannot be read");
	return confinement;
}

void confine_cell(const struct confinement *confinement, const struct cell *cell) {
	if (filter_attach(confinement->filter, cell->fd, cell->id, POLICY, 0))
		bench_fail("the filter cannot be attached");
}

unsigned confine_drain(const struct confinement *confinement) {
	int count = filter_consume(confinement->filter);

	if (count < 0)
		bench_fail("the filter's events cannot be read: %s", strerror(-count));
	return (unsigned)count;
}

void cost_start(void) {
	statistics = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (statistics < 0)
		bench_fail("the kernel does not measure programs: %s", strerror(errno));
}

void cost_stop(void) {
	close(statistics);
}

struct cost cost_of(int program) {
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(program, &info, &size))
		bench_fail("the kernel does not tell of the program: %s", strerror(errno));
	return (struct cost){info.run_time_ns, info.run_cnt};
}
