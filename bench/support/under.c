/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy ──► the command line that runs a program under it. */
#include "under.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "sides.h"
#include "tls.h"

enum { MOST_ARGUMENTS = 16 };

const char *const *under_snifence(const char *const options[], const char *policy) {
	const char **argv = calloc(MOST_ARGUMENTS, sizeof(*argv));
	size_t count = 0;

	if (access("build/snifence", X_OK))
		bench_fail("build/snifence is missing: make all, and run this from the top folder");
	if (!argv)
		bench_fail("out of memory");
	argv[count++] = "build/snifence";
	argv[count++] = "run";
	argv[count++] = "--quiet";
	while (options && *options && count < MOST_ARGUMENTS - 3)
		argv[count++] = *options++;
	argv[count++] = sides_write("policy.yaml", policy);
	argv[count] = "--";
	return argv;
}

const char *under_policy(const char *mode, size_t names) {
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		bench_fail("out of memory");
	fprintf(out, "version: 1\nmode: %s\ndns: {servers: none}\ntls:\n  allow:\n    - %s\n", mode, BENCH_ALLOWED);
	for (size_t i = 0; i < names; i++)
		fprintf(out, "    - \"%shost-%zu.example\"\n", i % 2 ? "*." : "", i);
	if (fclose(out))
		bench_fail("out of memory");
	return text;
}
