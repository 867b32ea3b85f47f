/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF object ──► what the verifier thought of each program, and whether it grew against the baseline. Ends with 2 when one
 * did, or has no row there; with 1 when not all could be looked at.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "snifence.skel.h"

#define LOG_SIZE (1 << 16)
#define REASON_SIZE (16 << 20) /* of a program that is refused: each instruction */
#define REASON_SHOWN 4000
#define LOG_STATISTICS 4 /* BPF_LOG_STATS: only the summary, not each instruction */
#define GROWTH_LIMIT 20	 /* percent */

struct cost {
	char program[64];
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
	cost->instructions = info.xlated_prog_len / 8;
	cost->native = info.jited_prog_len;
	return 0;
}

/* What the baseline says of the program (NULL: of any) under this kernel, 0 when it says nothing. */
static unsigned baseline_of(const char *file, const char *wanted, const char *series) {
	FILE *in = fopen(file, "r");
	char line[256], program[64], kernel[64];
	unsigned processed, found = 0;

	if (!in)
		return 0;
	while (fgets(line, sizeof(line), in))
		if (sscanf(line, "%63s %63s %u", program, kernel, &processed) == 3 && !strcmp(kernel, series) &&
		    (!wanted || !strcmp(program, wanted)))
			found = processed;
	fclose(in);
	return found;
}

/* Prints the program's line. Returns whether it grew beyond the limit, or is one that a kernel's baseline lacks. */
static bool report(const char *file, const struct cost *cost, const char *series, bool has_kernel) {
	unsigned before = baseline_of(file, cost->program, series);
	int percent = before > 0 ? (int)(100LL * cost->processed / before) - 100 : 0;
	char growth[32] = "no baseline";

	if (before > 0)
		snprintf(growth, sizeof(growth), "%+d %%", percent);
	printf("%-16s %-8s %10u %8u %8u %8u %8u  %s\n", cost->program, series, cost->processed, cost->states,
	       cost->peak, cost->instructions, cost->native, growth);
	if (before == 0 && has_kernel)
		fprintf(stderr, "verify: %s has no baseline: put it into %s (make verify-baseline)\n", cost->program,
			file);
	if (percent > GROWTH_LIMIT)
		fprintf(stderr,
			"verify: %s takes %u instructions to verify, %d %% more than the baseline: make it smaller, or put "
			"the new figure into %s with the reason in the commit message\n",
			cost->program, cost->processed, percent, file);
	return percent > GROWTH_LIMIT || (before == 0 && has_kernel);
}

/* Loads once more, and shows the end of what the verifier says of the program that it refuses. */
static void tell_refusal(void) {
	struct snifence_bpf *skeleton = snifence_bpf__open();
	struct bpf_program *program;
	char *log = calloc(1, REASON_SIZE);
	size_t length;

	if (!skeleton || !log)
		return;
	bpf_object__for_each_program(program, skeleton->obj) {
		bpf_program__set_log_buf(program, log, REASON_SIZE);
		bpf_program__set_log_level(program, 1);
	}
	if (snifence_bpf__load(skeleton)) {
		length = strlen(log);
		fprintf(stderr, "%s\n", log + (length > REASON_SHOWN ? length - REASON_SHOWN : 0));
	}
	snifence_bpf__destroy(skeleton);
	free(log);
}

int main(int argc, char **argv) {
	const char *baseline = argc > 1 ? argv[1] : "tests/verify/baseline.tsv";
	struct snifence_bpf *skeleton;
	struct bpf_program *program;
	char *logs, *log, series[64];
	struct cost cost;
	bool has_kernel, grew = false;

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
		tell_refusal();
		return 1;
	}
	printf("%-16s %-8s %10s %8s %8s %8s %8s  %s\n", "program", "kernel", "processed", "states", "peak", "insns",
	       "native", "growth");
	kernel_series(series, sizeof(series));
	has_kernel = baseline_of(baseline, NULL, series) > 0;
	log = logs;
	bpf_object__for_each_program(program, skeleton->obj) {
		if (read_cost(program, log, &cost)) {
			fprintf(stderr, "verify: no statistics of %s\n", bpf_program__name(program));
			return 1;
		}
		grew |= report(baseline, &cost, series, has_kernel);
		log += LOG_SIZE;
	}
	if (!has_kernel) /* no fault of the programs' */
		printf("verify: no baseline for Linux %s, so nothing to compare with: make verify-baseline\n", series);
	snifence_bpf__destroy(skeleton);
	free(logs);
	return grew ? 2 : 0;
}
