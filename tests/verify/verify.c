/* SPDX-License-Identifier: BSD-2-Clause */
/* BPF object ──► what the verifier thought of each program, and whether it grew against the baseline. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "snifence.skel.h"

#define LOG_SIZE (1 << 16)
#define LOG_STATISTICS 4 /* BPF_LOG_STATS: only the summary, not each instruction */
#define GROWTH_LIMIT 20	 /* percent */

struct cost {
	char program[64], kernel[64];
	unsigned processed, states, peak, instructions, native;
};

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments) {
	return level == LIBBPF_WARN ? vfprintf(stderr, format, arguments) : 0;
}

/* The kernel's major and minor number: what the verifier makes of a program differs between them. */
static void kernel_series(char *out, size_t size) {
	struct utsname name;
	unsigned major = 0, minor = 0;

	if (uname(&name) == 0 && sscanf(name.release, "%u.%u", &major, &minor) == 2)
		snprintf(out, size, "%u.%u", major, minor);
	else
		snprintf(out, size, "unknown");
}

static int read_cost(const struct bpf_program *program, const char *log, struct cost *cost) {
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);
	const char *summary = strstr(log, "processed ");
	int fd = bpf_program__fd(program);

	if (!summary || bpf_obj_get_info_by_fd(fd, &info, &size))
		return -EINVAL;
	if (sscanf(summary, "processed %u insns (limit %*u) max_states_per_insn %*u total_states %u peak_states %u",
		   &cost->processed, &cost->states, &cost->peak) != 3)
		return -EINVAL;
	snprintf(cost->program, sizeof(cost->program), "%s", bpf_program__name(program));
	kernel_series(cost->kernel, sizeof(cost->kernel));
	cost->instructions = info.xlated_prog_len / 8;
	cost->native = info.jited_prog_len;
	return 0;
}

/* Percent by which the program grew since the baseline for this kernel, 0 when there is none to compare with. */
static int growth(const char *file, const struct cost *cost) {
	FILE *in = fopen(file, "r");
	char line[256], program[64], kernel[64];
	unsigned processed;
	int percent = 0;

	if (!in)
		return 0;
	while (fgets(line, sizeof(line), in))
		if (sscanf(line, "%63s %63s %u", program, kernel, &processed) == 3 && !strcmp(program, cost->program) &&
		    !strcmp(kernel, cost->kernel) && processed > 0)
			percent = (int)(100LL * cost->processed / processed) - 100;
	fclose(in);
	return percent;
}

/* Prints the program's line. Returns whether it grew beyond the limit. */
static int report(const char *baseline, const struct cost *cost) {
	int percent = growth(baseline, cost);

	printf("%-16s %-8s %10u %8u %8u %8u %8u  %+d %%\n", cost->program, cost->kernel, cost->processed, cost->states,
	       cost->peak, cost->instructions, cost->native, percent);
	if (percent <= GROWTH_LIMIT)
		return 0;
	fprintf(stderr,
		"verify: %s takes %u instructions to verify, %d %% more than the baseline: make it smaller, or put "
		"the new figure into %s with the reason in the commit message\n",
		cost->program, cost->processed, percent, baseline);
	return 1;
}

int main(int argc, char **argv) {
	const char *baseline = argc > 1 ? argv[1] : "tests/verify/baseline.tsv";
	struct snifence_bpf *skeleton;
	struct bpf_program *program;
	char *logs, *log;
	struct cost cost;
	int failed = 0;

	libbpf_set_print(quiet);
	skeleton = snifence_bpf__open();
	logs = log = calloc(16, LOG_SIZE);
	if (!skeleton || !logs)
		return 1;
	bpf_object__for_each_program(program, skeleton->obj) {
		bpf_program__set_log_buf(program, log, LOG_SIZE);
		bpf_program__set_log_level(program, LOG_STATISTICS);
		log += LOG_SIZE;
	}
	if (snifence_bpf__load(skeleton)) {
		fprintf(stderr, "verify: the object does not load: %s\n", strerror(errno));
		return 1;
	}
	printf("%-16s %-8s %10s %8s %8s %8s %8s  %s\n", "program", "kernel", "processed", "states", "peak", "insns",
	       "native", "growth");
	log = logs;
	bpf_object__for_each_program(program, skeleton->obj) {
		if (read_cost(program, log, &cost)) {
			fprintf(stderr, "verify: no statistics of %s\n", bpf_program__name(program));
			return 1;
		}
		failed |= report(baseline, &cost);
		log += LOG_SIZE;
	}
	snifence_bpf__destroy(skeleton);
	free(logs);
	return failed;
}
