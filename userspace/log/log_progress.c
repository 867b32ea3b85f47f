/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes read ──► a line on the terminal that is written over. */
#include "log/log_progress.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

/* Events between two looks at the clock, and milliseconds. */
enum { CALLS_BETWEEN = 4096, FIRST_AFTER = 1000, AGAIN_AFTER = 250 };

static uint64_t size_of(char *const *files) {
	struct stat status;
	uint64_t total = 0;

	for (; *files; files++) {
		if (stat(*files, &status) < 0 || !S_ISREG(status.st_mode))
			return 0;
		total += (uint64_t)status.st_size;
	}
	return total;
}

void log_progress_show(struct log_progress *progress, const struct log_reader *reader, char *const *files) {
	uint64_t bytes;

	if (progress->calls++ % CALLS_BETWEEN != 0 || !isatty(STDERR_FILENO))
		return;
	if (progress->next == 0) {
		progress->next = clock_ms() + FIRST_AFTER;
		progress->total = size_of(files);
	}
	if (clock_ms() < progress->next)
		return;
	progress->next = clock_ms() + AGAIN_AFTER;
	progress->shown = true;
	bytes = log_reader_tally(reader).bytes;
	fprintf(stderr, "\r%llu MB read", (unsigned long long)bytes / 1000000);
	if (progress->total >= bytes && progress->total > 0)
		fprintf(stderr, ", %llu %%", (unsigned long long)(bytes * 100 / progress->total));
}

void log_progress_end(struct log_progress *progress) {
	if (progress->shown)
		fputs("\r\033[K", stderr);
}
