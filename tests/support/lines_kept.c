/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines of events that a test makes ──► build/events, where tests/events holds them against the schema. */
#include "lines_kept.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

FILE *lines_kept(void) {
	static FILE *file;
	char path[256];

	if (file)
		return file;
	mkdir("build/events", 0777);
	snprintf(path, sizeof(path), "build/events/%s.json", program_invocation_short_name);
	file = fopen(path, "we");
	if (!file) {
		perror(path);
		abort();
	}
	setvbuf(file, NULL, _IONBF, 0);
	return file;
}
