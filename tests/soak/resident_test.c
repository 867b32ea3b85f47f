/* SPDX-License-Identifier: BSD-2-Clause */
/* Thousands of cgroups, reloads and policies, one after the other ──► nothing of them stays. */
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../support/kernel_memory.h"
#include "../support/resident.h"

enum {
	CGROUPS = 5000,
	RELOADS = 1000,
	POLICIES = 300,
	WARM_UP = 20,  /* more than there are slots that are kept for the next time */
	NAMES = 5000,  /* 90 bytes each: of a thousand reloads, 450 MB */
	MOST_MB = 120, /* that the rest of the machine may take meanwhile */
	MINUTES = 10,
	SETTLE_MS = 1000, /* until the kernel has freed what nobody uses any more */
};

/* What there is of snifence: files that are pinned or noted, inner maps, values in cgroups' storage; and memory. */
struct held {
	unsigned files, maps, values;
	size_t memory;
};

static unsigned count_files(const char *pattern) {
	glob_t found;
	unsigned count = 0;

	if (glob(pattern, 0, NULL, &found) == 0) {
		count = (unsigned)found.gl_pathc;
		globfree(&found);
	}
	return count;
}

static unsigned count_inner(const char *outer) {
	int fd = resident_pin(outer);
	unsigned count = 0;
	__u32 id;

	for (__u32 slot = 0; slot < SNIF_SLOTS; slot++)
		count += bpf_map_lookup_elem(fd, &slot, &id) == 0;
	close(fd);
	return count;
}

static unsigned count_values(void) {
	int fd = resident_pin("attachments");
	__u64 id = 0, next;
	unsigned count = 0;

	for (; bpf_map_get_next_key(fd, id ? &id : NULL, &next) == 0; id = next)
		count++;
	close(fd);
	return count;
}

static struct held look(void) {
	lab_sleep_ms(SETTLE_MS);
	return (struct held){
		.files = count_files("/run/snifence/*/*"),
		.maps = count_inner("names") + count_inner("addresses") + count_inner("ports"),
		.values = count_values(),
		.memory = kernel_memory((const char *const[]){"SUnreclaim:", "Percpu:", "VmallocUsed:", NULL}),
	};
}

static void expect_same(const struct held *before) {
	struct held now = look();
	double megabytes = ((double)now.memory - (double)before->memory) / 1e6;

	print_message("%u files, %u maps, %u values before; %u, %u, %u behind it, and %.1f MB more\n", before->files,
		      before->maps, before->values, now.files, now.maps, now.values, megabytes);
	assert_int_equal(now.files, before->files);
	assert_int_equal(now.maps, before->maps);
	assert_int_equal(now.values, before->values);
	assert_true(megabytes < MOST_MB);
}

static void begin(void) {
	resident_begin();
	alarm(60 * MINUTES);
}

static int quietly(const char *const words[]) {
	const char *argv[8] = {"build/snifence"};

	for (size_t i = 0; words[i]; i++)
		argv[i + 1] = words[i];
	return resident_run_quietly(argv);
}

#define succeeds(...) assert_int_equal(quietly((const char *const[]){__VA_ARGS__, NULL}), 0)

/* Made, attached and removed, as containers come and go: nobody detaches them. */
static void come_and_go(const char *policy, unsigned count) {
	char path[4096];

	snprintf(path, sizeof(path), "%s/container", resident_cgroup()->path);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(mkdirat(resident_cgroup()->fd, "container", 0755), 0);
		succeeds("attach", policy, "--cgroup", path);
		assert_int_equal(unlinkat(resident_cgroup()->fd, "container", AT_REMOVEDIR), 0);
	}
	for (int ms = 0; ms < 10 * LAB_PATIENCE_MS && count_values() > 0; ms += 10)
		lab_sleep_ms(10);
	succeeds("load"); /* the next command forgets the last one */
}

static void test_cgroups(void **state) {
	const char *policy;
	struct held before;

	(void)state;
	begin();
	policy = lab_write("cgroups.yaml", RESIDENT_ALLOW("kept.lab.test"));
	come_and_go(policy, WARM_UP);
	before = look();
	come_and_go(policy, CGROUPS);
	expect_same(&before);
}

/* Another policy for each number, with as many names. */
static void write_policy(const char *path, unsigned number) {
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fprintf(file, "version: 1\ndns: {servers: none}\ntls:\n  to: [192.0.2.0/24]\n  allow:\n");
	for (unsigned i = 0; i < NAMES; i++)
		fprintf(file, "  - n%u-%u.lab.test\n", number, i);
	assert_int_equal(fclose(file), 0);
}

static void reload_often(const char *policy, unsigned count, unsigned first) {
	for (unsigned i = 0; i < count; i++) {
		write_policy(policy, first + i);
		succeeds("reload", policy);
	}
}

static void test_reloads(void **state) {
	const char *policy;
	struct held before;

	(void)state;
	begin();
	policy = lab_write("reloads.yaml", RESIDENT_ALLOW("kept.lab.test"));
	succeeds("attach", policy, "--cgroup", resident_cgroup()->path);
	reload_often(policy, WARM_UP, 0);
	before = look();
	reload_often(policy, RELOADS, WARM_UP);
	expect_same(&before);
}

static void test_policies(void **state) {
	struct held before = {0};
	char file[300];

	(void)state;
	begin();
	for (unsigned i = 0; i < WARM_UP + POLICIES; i++) {
		if (i == WARM_UP)
			before = look();
		snprintf(file, sizeof(file), "%s/policy-%u.yaml", lab_folder(), i);
		write_policy(file, i);
		succeeds("attach", file, "--cgroup", resident_cgroup()->path);
		succeeds("detach", "--cgroup", resident_cgroup()->path);
	}
	expect_same(&before);
}

int main(void) {
	const struct CMUnitTest tests[] = {resident_test(test_cgroups), resident_test(test_reloads),
					   resident_test(test_policies)};

	return cmocka_run_group_tests_name("soak", tests, NULL, NULL);
}
