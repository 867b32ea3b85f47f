/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Policies of 10 to 1,000,000 names and 10 to 100,000 prefixes ──► what a verdict, their memory and their loading cost.
 */
#include <stdio.h>
#include <stdlib.h>

#include "support/bench.h"
#include "support/cell.h"
#include "support/connect_cost.h"
#include "support/hello_cost.h"
#include "support/memory.h"

enum { QUICK_MOST = 1000 };

static FILE *out;

/*
 * All names have the same length, whatever their number: a longer one takes longer to hash. A million of them, written
 * like this, are just within the 16 MiB that a policy may have.
 */
static void write_names(unsigned count) {
	fputs("version: 1\ndns: {servers: none}\ntls:\n  to: [203.0.113.0/24]\n  allow: [\n", out);
	for (unsigned i = 0; i < count / 2; i++)
		fprintf(out, "n%06x.test,'*.w%06x.test',\n", i, i);
	fputs("]\n", out);
}

/* Every second /64, so that no two make one; 2001:db8:1::/64 is where the server is. */
static void write_prefixes(unsigned count) {
	fputs("version: 1\ndns: {servers: none}\nsets:\n  many:\n", out);
	for (unsigned i = 0; i < count; i++)
		fprintf(out, "    - 2001:db8:%x:%x::/64\n", 1 + i / 1000, i % 1000 * 2);
	fputs("tls: {to: [many], allow: [www.bench.test]}\n", out);
}

static struct confinement confine_large(void (*write)(unsigned), unsigned count, struct cell *cell) {
	struct confinement confinement;
	char *text = NULL;
	size_t size;

	out = open_memstream(&text, &size);
	if (!out)
		bench_fail("out of memory");
	write(count);
	if (fclose(out))
		bench_fail("out of memory");
	confinement = confine(text);
	free(text);
	*cell = cell_make(NULL, "large");
	confine_cell(&confinement, cell);
	bench_sample("parse", "ms", confinement.parse_ms, "load");
	bench_sample("compile", "ms", confinement.compile_ms, "load");
	bench_sample("maps", "ms", confinement.load_ms, "load");
	bench_sample("load", "ms", confinement.parse_ms + confinement.compile_ms + confinement.load_ms, NULL);
	return confinement;
}

static bool too_many(unsigned count) {
	if (!bench_quick() || count <= QUICK_MOST)
		return false;
	bench_skip("it takes too long for QUICK");
	return true;
}

static void run_names(const void *argument) {
	unsigned count = *(const unsigned *)argument;
	char name[64];
	struct hello_shape shape = {.size = 517, .name = name};
	struct confinement confinement;
	struct cell cell;

	if (too_many(count))
		return;
	pair_network();
	confinement = confine_large(write_names, count, &cell);
	bench_sample("memory", "bytes", (double)memory_of_slot(&cell, "names", confinement.slot) / count, NULL);
	snprintf(name, sizeof(name), "www.w%06x.test", count / 4);
	cost_start();
	hello_cost_cold(&confinement, &cell, &shape, bench_count(400, 20));
	cost_stop();
	hello_cost_warm(&confinement, &cell, &shape, true);
}

static void run_prefixes(const void *argument) {
	unsigned count = *(const unsigned *)argument;
	struct confinement confinement;
	struct cell cell;
	size_t memory;

	if (too_many(count))
		return;
	pair_network();
	confinement = confine_large(write_prefixes, count, &cell);
	memory =
		memory_of_slot(&cell, "addresses", confinement.slot) + memory_of_slot(&cell, "ports", confinement.slot);
	bench_sample("memory", "bytes", (double)memory / count, NULL);
	cost_start();
	connect_cost(&confinement, &cell, true);
}

#define CASE(kind, count)                                                                                              \
	{                                                                                                              \
		"growth/" #kind "-" #count, run_##kind, &(const unsigned) {                                            \
			count                                                                                          \
		}                                                                                                      \
	}

static const struct bench_case cases[] = {
	CASE(names, 10),    CASE(names, 1000),	  CASE(names, 100000),	 CASE(names, 1000000),
	CASE(prefixes, 10), CASE(prefixes, 1000), CASE(prefixes, 10000), CASE(prefixes, 100000),
};

int main(int argc, char **argv) {
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
