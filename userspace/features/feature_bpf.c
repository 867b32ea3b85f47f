/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps, helpers and hooks, each tried by itself ──► what this kernel lacks for the programs, by name. */
#include "features/feature_bpf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "snifence.skel.h"

enum { HELPERS = __BPF_FUNC_MAX_ID };

static const char *const helper_names[] = {
#define HELPER_NAME(name) [BPF_FUNC_##name] = "bpf_" #name
	__BPF_FUNC_MAPPER(HELPER_NAME)
#undef HELPER_NAME
};

struct finding probe_map(struct machine *machine, int type) {
	int result = libbpf_probe_bpf_map_type((enum bpf_map_type)type, NULL);

	(void)machine;
	return result < 0 ? feature_result(result) : feature_found(result == 1, "%s", "");
}

struct finding probe_cpus(struct machine *machine, int unused) {
	int cpus = libbpf_num_possible_cpus();

	(void)machine;
	(void)unused;
	return cpus < 0 ? feature_result(cpus) : feature_found(true, "%d", cpus);
}

/* libbpf's probe tries the older form, with one value for each program. */
struct finding probe_cgroup_storage(struct machine *machine, int unused) {
	(void)machine;
	(void)unused;
	return feature_descriptor(
		bpf_map_create(BPF_MAP_TYPE_CGROUP_STORAGE, "snif_probe", sizeof(__u64), sizeof(__u64), 0, NULL));
}

struct finding probe_mapped_array(struct machine *machine, int unused) {
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "snif_probe", sizeof(__u32), sizeof(__u64), 1, &options);
	int error = fd < 0 ? -errno : 0;
	void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(__u64), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	(void)machine;
	(void)unused;
	if (mapped != MAP_FAILED)
		munmap(mapped, sizeof(__u64));
	else if (!error)
		error = -errno;
	if (fd >= 0)
		close(fd);
	return feature_result(error);
}

struct finding probe_object(struct machine *machine, int unused) {
	struct timespec start, end;
	int error;

	(void)unused;
	if (!machine->object)
		return feature_result(-ENOMEM);
	clock_gettime(CLOCK_MONOTONIC, &start);
	error = snifence_bpf__load(machine->object);
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (error)
		return feature_found(false, "%s; with SNIFENCE_DEBUG=1 `snifence run` shows the kernel's reason",
				     strerror(-error));
	return feature_found(true, "in %ld ms",
			     (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000);
}

/* A hook as bpf_prog_load() wants it. */
struct hook {
	enum bpf_prog_type type;
	enum bpf_attach_type attach_type;
};

static int load(const struct hook *hook, const struct bpf_insn *code, size_t length, char *log, size_t log_size) {
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = hook->attach_type, .log_buf = log,
		    .log_size = (__u32)log_size, .log_level = log ? 1 : 0);

	return bpf_prog_load(hook->type, "snif_probe", "GPL", code, length, &options);
}

/* A program that lets everything pass. */
static int load_smallest(const struct hook *hook) {
	static const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return load(hook, code, sizeof(code) / sizeof(code[0]), NULL, 0);
}

/*
 * The verifier asks whether there is such a helper for such a program before it looks at the arguments, which are
 * wrong here: any other complaint is a yes. It has worded its refusal in three ways, of which libbpf's own
 * probe knows only those from before its release.
 */
bool feature_has_helper(enum bpf_prog_type type, enum bpf_attach_type attach_type, int helper) {
	static const char *const refusals[] = {"invalid func ", "unknown func ", "cannot use helper "};
	const struct bpf_insn code[] = {
		{.code = BPF_JMP | BPF_CALL, .imm = helper},
		{.code = BPF_JMP | BPF_EXIT},
	};
	const struct hook hook = {type, attach_type};
	char log[4096] = "";
	int fd = load(&hook, code, sizeof(code) / sizeof(code[0]), log, sizeof(log));

	if (fd >= 0)
		close(fd);
	for (size_t i = 0; fd < 0 && i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (strstr(log, refusals[i]))
			return false;
	return true;
}

/* The helpers that the program calls and the kernel lacks: into the finding's detail. */
static struct finding find_helpers(const struct hook *hook, const struct bpf_program *program) {
	const struct bpf_insn *code = bpf_program__insns(program);
	struct finding finding = {.state = FEATURE_HERE};
	bool asked[HELPERS] = {false};
	size_t length = 0;

	for (size_t i = 0; i < bpf_program__insn_cnt(program); i++) {
		int helper = code[i].imm;

		if (code[i].code != (BPF_JMP | BPF_CALL) || code[i].src_reg != 0 || helper <= 0 || helper >= HELPERS ||
		    asked[helper])
			continue;
		asked[helper] = true;
		if (feature_has_helper(hook->type, hook->attach_type, helper))
			continue;
		finding.state = FEATURE_MISSING;
		if (length < sizeof(finding.detail))
			length += (size_t)snprintf(finding.detail + length, sizeof(finding.detail) - length, "%s%s",
						   length ? ", " : "missing: ", helper_names[helper]);
	}
	return finding;
}

struct finding feature_try_attaching(const struct machine *machine, int program, enum bpf_attach_type attach_type) {
	int error;

	if (machine->cgroup.fd < 0)
		return feature_found(true, "not tried to attach: there is no cgroup for that");
	error = bpf_prog_attach(program, machine->cgroup.fd, attach_type, BPF_F_ALLOW_MULTI);
	if (!error)
		bpf_prog_detach2(program, machine->cgroup.fd, attach_type);
	if (error == -EPERM)
		return feature_found(false,
				     "cannot be attached: there is a program that allows no other, on a cgroup above");
	return error ? feature_found(false, "cannot be attached: %s", strerror(-error)) : feature_result(0);
}

static const struct bpf_program *program_for(const struct machine *machine, int attach_type) {
	const struct bpf_program *program = NULL;

	while (machine->object &&
	       (program = bpf_object__next_program(machine->object->obj, (struct bpf_program *)program)))
		if ((int)bpf_program__expected_attach_type(program) == attach_type)
			return program;
	return NULL;
}

struct finding probe_hook(struct machine *machine, int attach_type) {
	const struct bpf_program *program = program_for(machine, attach_type);
	struct finding finding;
	struct hook hook;
	int fd;

	if (!program)
		return feature_result(-ENOMEM);
	hook = (struct hook){bpf_program__type(program), (enum bpf_attach_type)attach_type};
	fd = load_smallest(&hook);
	if (fd < 0)
		return feature_found(false, "not known to this kernel: %s", strerror(errno));
	finding = find_helpers(&hook, program);
	if (finding.state == FEATURE_HERE)
		finding = feature_try_attaching(machine, fd, hook.attach_type);
	close(fd);
	return finding;
}

struct finding probe_jit(struct machine *machine, int unused) {
	static const struct hook egress = {BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS};
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);
	int fd = load_smallest(&egress), error;

	(void)machine;
	(void)unused;
	if (fd < 0)
		return (struct finding){FEATURE_UNKNOWN, "no program can be loaded to look at"};
	error = bpf_obj_get_info_by_fd(fd, &info, &size) ? -errno : 0;
	close(fd);
	return error ? feature_result(error) : feature_found(info.jited_prog_len > 0, "%s", "");
}

struct finding probe_statistics(struct machine *machine, int unused) {
	(void)machine;
	(void)unused;
	return feature_descriptor(bpf_enable_stats(BPF_STATS_RUN_TIME));
}

struct finding probe_kernel_types(struct machine *machine, int unused) {
	(void)machine;
	(void)unused;
	return feature_found(access("/sys/kernel/btf/vmlinux", F_OK) == 0, "%s", "");
}

struct finding probe_unprivileged(struct machine *machine, int unused) {
	FILE *file = fopen("/proc/sys/kernel/unprivileged_bpf_disabled", "re");
	int disabled = 1, read = file ? fscanf(file, "%d", &disabled) : 0;

	(void)machine;
	(void)unused;
	if (file)
		fclose(file);
	return feature_found(read == 1 && disabled == 0, "%s", "");
}
