/* SPDX-License-Identifier: BSD-2-Clause */
/* What bench/facts says of the machine and the versions, line by line. */
#ifndef SNIF_BENCH_FACTS_H
#define SNIF_BENCH_FACTS_H

#include <stddef.h>

struct fact {
	char *name, *value;
};

struct facts {
	struct fact *items;
	size_t count;
};

/* Reads `name TAB value` a line. Returns 0 or a negative errno after saying so on stderr. Freed with facts_free(). */
int facts_read(const char *file, struct facts *facts);
void facts_free(struct facts *facts);

#endif
