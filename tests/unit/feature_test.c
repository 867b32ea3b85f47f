/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of features, what is made of findings, and the texts of the kernel that probes read. No root. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <cmocka.h>
#include <json-c/json.h>

#include "features/feature_bpf.h"
#include "features/feature_cgroup.h"
#include "features/feature_command.h"
#include "features/feature_print.h"
#include "features/feature_process.h"
#include "snifence.skel.h"

enum { MOST = 128 };

static size_t index_of(const char *key) {
	for (size_t i = 0; i < feature_count; i++)
		if (strcmp(feature_table[i].key, key) == 0)
			return i;
	fail_msg("no feature has the key %s", key);
	return 0;
}

static void test_table(void **state) {
	(void)state;
	assert_true(feature_count < MOST);
	for (size_t i = 0; i < feature_count; i++) {
		const struct feature *feature = &feature_table[i];

		assert_true(feature->key[0] && feature->name[0] && feature->here[0] && feature->missing[0]);
		assert_int_equal(strspn(feature->key, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(feature->key));
		assert_int_equal(index_of(feature->key), i);
		assert_non_null(feature->probe);
		if (i > 0)
			assert_true(feature->need >= feature_table[i - 1].need);
	}
}

static bool has_row(struct finding (*probe)(struct machine *machine, int argument), int argument) {
	for (size_t i = 0; i < feature_count; i++)
		if (feature_table[i].probe == probe && feature_table[i].argument == argument)
			return feature_table[i].need == FEATURE_NEEDED;
	return false;
}

static void expect_map(const struct bpf_map *map) {
	int type = (int)bpf_map__type(map);

	if (type == BPF_MAP_TYPE_CGROUP_STORAGE ? !has_row(probe_cgroup_storage, 0) : !has_row(probe_map, type))
		fail_msg("there is no feature for map %s, type %d", bpf_map__name(map), type);
	if (bpf_map__map_flags(map) & BPF_F_MMAPABLE)
		assert_true(has_row(probe_mapped_array, 0));
}

/* What the BPF object is made of has a row each. */
static void test_object(void **state) {
	struct snifence_bpf *skeleton = snifence_bpf__open();
	struct bpf_program *program;
	struct bpf_map *map;

	(void)state;
	assert_non_null(skeleton);
	bpf_object__for_each_program(program, skeleton->obj) {
		if (!has_row(probe_hook, (int)bpf_program__expected_attach_type(program)))
			fail_msg("there is no feature for program %s", bpf_program__name(program));
	}
	bpf_object__for_each_map(map, skeleton->obj) {
		expect_map(map);
		if (bpf_map__inner_map(map))
			expect_map(bpf_map__inner_map(map));
	}
	snifence_bpf__destroy(skeleton);
}

static void expect_layout(const char *mounts, const char *detail) {
	FILE *stream = fmemopen((void *)(uintptr_t)mounts, strlen(mounts), "r");
	struct finding finding;

	assert_non_null(stream);
	finding = describe_cgroup2(stream);
	fclose(stream);
	assert_int_equal(finding.state, FEATURE_HERE);
	assert_string_equal(finding.detail, detail);
}

static void test_mounts(void **state) {
	(void)state;
	expect_layout("proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate 0 0\n",
		      "mounted on /sys/fs/cgroup");
	expect_layout("cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n"
		      "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\ncgroup2 /other cgroup2 rw 0 0\n",
		      "mounted on /sys/fs/cgroup/unified, beside version 1");
	expect_layout("none /mnt/a\\040b cgroup2 rw 0 0\n", "mounted on /mnt/a b");
	expect_layout("cgroup2 /cgroup2 tmpfs rw 0 0\n", "not mounted here: run mounts it for itself");
	expect_layout("cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n", "not mounted here: run mounts it for itself");
}

static void test_lockdown(void **state) {
	char none[] = "[none] integrity confidentiality\n", integrity[] = "none [integrity] confidentiality\n";
	char odd[] = "none\n", open[] = "none [integrity";

	(void)state;
	assert_string_equal(lockdown_mode(none), "none");
	assert_string_equal(lockdown_mode(integrity), "integrity");
	assert_string_equal(lockdown_mode(odd), "");
	assert_string_equal(lockdown_mode(open), "integrity");
}

/* Everything is there, but for these. */
static void set(struct finding findings[], const char *missing, const char *unknown) {
	for (size_t i = 0; i < feature_count; i++)
		findings[i] = (struct finding){.state = FEATURE_HERE};
	if (missing)
		findings[index_of(missing)] = feature_found(false, "%s", "because");
	if (unknown)
		findings[index_of(unknown)] = (struct finding){FEATURE_UNKNOWN, "only root can tell"};
}

static void test_verdict(void **state) {
	static const struct {
		const char *missing, *unknown;
		enum feature_state verdict;
	} cases[] = {
		{NULL, NULL, FEATURE_HERE},
		{"ipv6", "bpf_statistics", FEATURE_HERE},
		{"sock_destroy", "cgroup_kill", FEATURE_HERE},
		{"hook_egress", NULL, FEATURE_MISSING},
		{NULL, "hook_egress", FEATURE_UNKNOWN},
		{"root", "hook_egress", FEATURE_MISSING},
		{"seccomp", "root", FEATURE_MISSING},
	};
	struct finding findings[MOST];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set(findings, cases[i].missing, cases[i].unknown);
		assert_int_equal(feature_verdict(findings), cases[i].verdict);
	}
}

static char *print(const struct finding findings[], int (*printing)(FILE *out, const struct finding findings[])) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(printing(out, findings), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void expect_ending(const char *missing, const char *unknown, const char *ending) {
	struct finding findings[MOST];
	char *text;

	set(findings, missing, unknown);
	text = print(findings, feature_print);
	assert_true(strlen(text) > strlen(ending));
	assert_string_equal(text + strlen(text) - strlen(ending), ending);
	free(text);
}

static void test_print(void **state) {
	struct finding findings[MOST];
	char *text;

	(void)state;
	set(findings, "hook_egress", "cgroup_kill");
	findings[index_of("cgroup2")] = feature_found(true, "mounted on %s", "/c");
	text = print(findings, feature_print);
	assert_non_null(strstr(text, "\n\nWhat snifence run needs\n  root                        yes  programs can be "
				     "loaded and a cgroup made\n"));
	assert_non_null(
		strstr(text, "\n  cgroup v2                   yes  a policy is bound to a cgroup (mounted on /c)\n"));
	assert_non_null(strstr(text, "\n  hook: packets that leave    no   programs cannot be attached, so nothing is "
				     "started (because)\n"));
	assert_non_null(strstr(text, "\n  cgroup.kill                 ?    only root can tell\n"));
	free(text);
	expect_ending(NULL, NULL, "\n\nsnifence run works here.\n");
	expect_ending("ipv6", "jit", "\n\nsnifence run works here.\n");
	expect_ending("root", "seccomp", "\n\nsnifence run does not work here. Missing: root.\n");
	expect_ending(NULL, "seccomp", "\n\nWhether snifence run works here is not known. Not tried: seccomp.\n");
}

static void expect_text(struct json_object *object, const char *key, const char *text) {
	struct json_object *value;

	assert_true(json_object_object_get_ex(object, key, &value));
	if (text)
		assert_string_equal(json_object_get_string(value), text);
	else
		assert_null(value);
}

/* The words are those of the JSON text: true, false; NULL is null. */
static void expect_feature(struct json_object *object, const char *key, const char *here, const char *need,
			   const char *means, const char *detail) {
	struct json_object *features = json_object_object_get(object, "features"), *feature;

	assert_true(json_object_object_get_ex(features, key, &feature));
	expect_text(feature, "here", here);
	expect_text(feature, "name", feature_table[index_of(key)].name);
	expect_text(feature, "need", need);
	expect_text(feature, "means", means);
	expect_text(feature, "detail", detail);
	assert_int_equal(json_object_object_length(feature), 5);
}

static void test_json(void **state) {
	struct finding findings[MOST];
	struct json_object *object;
	char *text;

	(void)state;
	set(findings, "sock_destroy", "hook_egress");
	text = print(findings, feature_print_json);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	object = json_tokener_parse(text);
	free(text);
	assert_non_null(object);
	assert_int_equal(json_object_object_length(object), 4);
	expect_text(object, "run", NULL);
	assert_true(json_object_is_type(json_object_object_get(object, "kernel"), json_type_string));
	assert_true(json_object_is_type(json_object_object_get(object, "machine"), json_type_string));
	assert_int_equal(json_object_object_length(json_object_object_get(object, "features")), feature_count);
	expect_feature(object, "root", "true", "needed", "programs can be loaded and a cgroup made", NULL);
	expect_feature(object, "sock_destroy", "false", "helpful",
		       "a refused connection fails only when it times out, after minutes; the module tcp_diag may help",
		       "because");
	expect_feature(object, "hook_egress", NULL, "needed", NULL, "only root can tell");
	expect_feature(object, "ipv6", "true", "noted", "IPv6 rules matter here", NULL);
	json_object_put(object);
}

static void test_output_lost(void **state) {
	struct finding findings[MOST];
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	set(findings, NULL, NULL);
	assert_int_equal(feature_print(full, findings), -ENOSPC);
	assert_int_equal(feature_print_json(full, findings), -ENOSPC);
	fclose(full);
}

static void test_usage(void **state) {
	char *with_operand[] = {(char *)"features", (char *)"all", NULL};
	char *with_nonsense[] = {(char *)"features", (char *)"--nonsense", NULL};

	(void)state;
	assert_int_equal(features_main(2, with_operand), 2);
	assert_int_equal(features_main(2, with_nonsense), 2);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),	 cmocka_unit_test(test_object),	     cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_lockdown), cmocka_unit_test(test_verdict),     cmocka_unit_test(test_print),
		cmocka_unit_test(test_json),	 cmocka_unit_test(test_output_lost), cmocka_unit_test(test_usage),
	};

	return cmocka_run_group_tests_name("feature", tests, NULL, NULL);
}
