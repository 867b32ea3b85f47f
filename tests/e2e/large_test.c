/* SPDX-License-Identifier: BSD-2-Clause */
/* 1,000,000 names and 100,000 prefixes ──► the kernel's maps ──► the same answers as for three. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../support/lab.h"

enum { NAMES = 1000000, PREFIXES = 100000, BYTES_PER_NAME = 32 };

/* n0.lab.test, *.n1.lab.test, and so on by turns, at 192.0.2.0/24 and at prefixes in 2001:db8::/32. Freed by the
 * caller. */
static char *large_policy(void) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	fputs("version: 1\ndns: {servers: none}\nsets:\n  many:\n    - 192.0.2.0/24\n", out);
	for (int i = 0; i < PREFIXES; i++)
		fprintf(out, "    - 2001:db8:%x:%x::/64\n", 1 + i / 1000, i % 1000);
	fputs("tls:\n  to: [many]\n  allow:\n", out);
	for (int i = 0; i < NAMES; i++)
		fprintf(out, i % 2 ? "    - \"*.n%d.lab.test\"\n" : "    - n%d.lab.test\n", i);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* What the kernel says that a map takes, in bytes; 0 when it does not say. */
static unsigned long memory_of(int map) {
	unsigned long bytes = 0;
	char path[64], line[128];
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", map);
	info = fopen(path, "r");
	assert_non_null(info);
	while (fgets(line, sizeof(line), info))
		if (sscanf(line, "memlock: %lu", &bytes) == 1)
			break;
	fclose(info);
	return bytes;
}

/* Memory of the newest table of so many names. Another one of this size would take as much. */
static unsigned long memory_of_names(void) {
	unsigned long bytes = 0;

	for (__u32 id = 0; bpf_map_get_next_id(id, &id) == 0;) {
		struct bpf_map_info map = {0};
		__u32 length = sizeof(map);
		int fd = bpf_map_get_fd_by_id(id);

		if (fd < 0)
			continue;
		assert_int_equal(bpf_obj_get_info_by_fd(fd, &map, &length), 0);
		if (strcmp(map.name, "snif_names") == 0 && map.value_size == sizeof(struct snif_bucket) &&
		    map.max_entries > NAMES / SNIF_BUCKET_NAMES)
			bytes = memory_of(fd);
		close(fd);
	}
	return bytes;
}

static int dial_elsewhere(void *address) {
	int fd = lab_dial(address, 443);

	return fd < 0 ? fd : 0;
}

static void expect_name(const char *name, bool allowed) {
	assert_int_equal(lab_inside(lab_say_hello, (void *)name), allowed ? 0 : 1);
	if (allowed)
		lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
	else
		lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_ALLOWED);
}

static void test_a_million_names_and_many_prefixes(void **state) {
	unsigned long memory;
	char *policy;

	(void)state;
	lab_enter();
	lab_server(LAB_TLS, "192.0.2.1", 443);
	policy = large_policy();
	lab_confine(policy);
	free(policy);
	expect_name("n0.lab.test", true);
	expect_name("n500000.lab.test", true);
	expect_name("n999998.lab.test", true);
	expect_name("a.n1.lab.test", true);
	expect_name("a.b.n500001.lab.test", true);
	expect_name("a.n999999.lab.test", true);
	expect_name("n999999.lab.test", false);
	expect_name("a.n0.lab.test", false);
	expect_name("n1000000.lab.test", false);
	assert_int_equal(lab_inside(dial_elsewhere, "2001:db8::1"), -EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_ADDRESS_NOT_ALLOWED);
	lab_expect_no_more();
	memory = memory_of_names();
	print_message("%.1f bytes of kernel memory for a name\n", (double)memory / NAMES);
	assert_in_range(memory, NAMES, (unsigned long)NAMES * BYTES_PER_NAME);
}

int main(void) {
	const struct CMUnitTest tests[] = {lab_test(test_a_million_names_and_many_prefixes)};

	return cmocka_run_group_tests_name("large", tests, NULL, NULL);
}
