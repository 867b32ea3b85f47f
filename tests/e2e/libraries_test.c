/* SPDX-License-Identifier: BSD-2-Clause */
/* Without a library that is opened where it is needed ──► what needs it says so, and all else works. */
#include <stdlib.h>
#include <string.h>

#include "../support/lab_parts.h"

/* Runs a command line where the library's file is empty, in a mount namespace of its own. */
static struct lab_program *run_without(const char *library, const char *command) {
	static const char script[] = "files=$(ldconfig -p | sed -n \"s,.*$1.* => ,,p\")\n"
				     "test -n \"$files\" || exit 98\n"
				     "for file in $files; do mount --bind /dev/null \"$file\" || exit 99; done\n"
				     "eval \"$2\"";

	return lab_run((const char *const[]){"unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh",
					     library, command, NULL});
}

static void test_says_so(void **state) {
	static const struct {
		const char *library, *command;
		int status;
	} cases[] = {
		{"libidn2.so.0", "build/snifence check \"$POLICIES/idn.yaml\"", 2},
		{"libpsl.so.5", "build/snifence check \"$POLICIES/wide.yaml\"", 2},
		{"libncursesw.so.6", "TERM=xterm script -qec 'build/snifence top /dev/null' /dev/null </dev/null", 2},
		{"libmicrohttpd.so.12", "build/snifence monitor --metrics 127.0.0.1:9776", 2},
	};
	struct lab_program *program;
	char wanted[100];

	(void)state;
	lab_enter();
	lab_needs("script");
	lab_write("idn.yaml", "version: 1\ntls: {allow: [\"bücher.example\"]}\ndns: {servers: none}\n");
	lab_write("wide.yaml", "version: 1\ntls: {allow: [\"*.example.com\"]}\ndns: {servers: none}\n");
	setenv("POLICIES", lab_folder(), 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		program = run_without(cases[i].library, cases[i].command);
		snprintf(wanted, sizeof(wanted), "%s is needed to ", cases[i].library);
		if (program->status != cases[i].status ||
		    !(strstr(program->err, wanted) || strstr(program->out, wanted)))
			fail_msg("%s: it ends with %d, and says: %s%s", cases[i].library, program->status, program->out,
				 program->err);
	}
}

/* What nobody asks for is not opened. */
static void test_works_without(void **state) {
	struct lab_program *program;

	(void)state;
	lab_enter();
	lab_write("plain.yaml", "version: 1\ntls: {allow: [api.example.com]}\ndns: {servers: none}\n");
	setenv("POLICIES", lab_folder(), 1);
	program = run_without("lib\\(idn2\\|ncursesw\\|microhttpd\\|cares\\|pcap\\|systemd\\)\\.so",
			      "build/snifence check \"$POLICIES/plain.yaml\"");
	assert_string_equal(program->err, "");
	assert_int_equal(program->status, 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {lab_test(test_says_so), lab_test(test_works_without)};

	return cmocka_run_group_tests_name("libraries", tests, NULL, NULL);
}
