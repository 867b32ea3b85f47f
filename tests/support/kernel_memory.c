/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of /proc ──► bytes. */
#include "kernel_memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

size_t numbers_sum(const char *file, const char *const names[]) {
	FILE *in = fopen(file, "re");
	size_t sum = 0, value;
	char line[256];

	while (in && fgets(line, sizeof(line), in))
		for (size_t i = 0; names[i]; i++)
			if (strncmp(line, names[i], strlen(names[i])) == 0 &&
			    sscanf(line + strlen(names[i]), "%zu", &value) == 1)
				sum += value;
	if (in)
		fclose(in);
	return sum;
}

size_t kernel_memory(const char *const names[]) {
	int refresh = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);
	/* what each CPU has counted for itself is added to what the file says */
	size_t sum = refresh >= 0 && write(refresh, "1", 1) == 1 ? 1024 * numbers_sum("/proc/meminfo", names) : 0;

	if (refresh >= 0)
		close(refresh);
	return sum;
}
