/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Policies of 10 to 1,000,000 names and 10 to 100,000 prefixes ──► what a verdict, their memory and their loading cost.
 */
#include <stdio.h>
#include <string.h>

#include "support/bench.h"
#include "support/cell.h"
#include "support/connect_cost.h"
#include "support/hello_cost.h"
#include "support/memory.h"

enum { FEW = 10, FORMS = 10, WARM = 3 };

static FILE *out;

/*
 * Ten forms of names, 10 to 40 characters and two to five labels, half of them wildcards. Every policy has as many of
 * each: so that what is looked up is alike, whatever their number.
 */
static const struct {
	bool wildcard;
	const char *format;
} forms[FORMS] = {
	{false, "%05x.test"},
	{true, "n%05x-app.test"},
	{false, "www.n%05x-shop.test"},
	{true, "cdn%05x.example.test"},
	{false, "api.v2.n%05x.example.test"},
	{true, "n%05x.media.static.example.test"},
	{false, "login.n%05x-accounts.example.test"},
	{true, "n%05x-edge-network.cdn.example.test"},
	{false, "n%05x.storage.eu-west.provider.test"},
	{true, "n%05x.notifications.push.provider.test"},
};

/* The name of a form that has this number, of 2^20; an odd factor shuffles them. */
static void write_name(char *text, size_t size, unsigned form, unsigned number) {
	snprintf(text, size, forms[form].format, number * 0x9e375 & 0xfffff);
}

/*
 * A name to connect to, among `count` on the list; forms by turns, and of each form another number each time while there
 * is one: the factor, Knuth's, is a prime, so that all come before the first comes again. Valid until the next call.
 */
static const char *draw_name(unsigned count, unsigned connection) {
	static char text[64] = "www.";
	unsigned form = connection % FORMS;
	unsigned number = (unsigned)((uint64_t)(connection / FORMS) * 2654435761U % (count / FORMS));
	size_t below = forms[form].wildcard ? strlen("www.") : 0;

	write_name(text + strlen("www."), sizeof(text) - strlen("www."), form, number);
	return text + strlen("www.") - below;
}

static void write_names(unsigned count) {
	char text[64];

	fputs("version: 1\ndns: {servers: none}\ntls:\n  to: [203.0.113.0/24]\n  allow: [\n", out);
	for (unsigned i = 0; i < count; i++) {
		write_name(text, sizeof(text), i % FORMS, i / FORMS);
		fprintf(out, "'%s%s',\n", forms[i % FORMS].wildcard ? "*." : "", text);
	}
	fputs("]\n", out);
}

/* Every second /64, so that no two make one; 2001:db8:1::/64 is where the server is. */
static void write_prefixes(unsigned count) {
	fputs("version: 1\ndns: {servers: none}\nsets:\n  many:\n", out);
	for (unsigned i = 0; i < count; i++)
		fprintf(out, "    - 2001:db8:%x:%x::/64\n", 1 + i / 1000, i % 1000 * 2);
	fputs("tls: {to: [many], allow: [www.bench.test]}\n", out);
}

/* What `write` writes, in memory that stays. */
static const char *policy_of(void (*write)(unsigned), unsigned count) {
	char *text = NULL;
	size_t size;

	out = open_memstream(&text, &size);
	if (!out)
		bench_fail("out of memory");
	write(count);
	if (fclose(out))
		bench_fail("out of memory");
	return text;
}

static void print_loading(const struct confinement *confinement) {
	bench_sample("parse", "ms", confinement->parse_ms, "load");
	bench_sample("compile", "ms", confinement->compile_ms, "load");
	bench_sample("maps", "ms", confinement->load_ms, "load");
	bench_sample("load", "ms", confinement->parse_ms + confinement->compile_ms + confinement->load_ms, NULL);
}

static void measure_warm(const struct confinement *confinement, const struct cell *cell, unsigned count,
			 const char *suffix) {
	const struct hello_shape shape = {.size = 517, .name = draw_name(count, WARM)};

	hello_cost_warm(confinement, cell, &shape, true, suffix);
}

/* Beside a policy of few names, which takes turns with the other. */
static void run_names(const void *argument) {
	static struct place places[2];
	unsigned count = *(const unsigned *)argument;
	const struct hello_shape many = {.size = 517, .draw = draw_name, .count = count},
				 few = {.size = 517, .draw = draw_name, .count = FEW};
	struct confinement confinement, few_confinement;

	if (bench_too_many(count))
		return;
	pair_network();
	confinement = place_of_policy(&places[0], "completing", "completing-few", policy_of(write_names, count),
				      BPF_CGROUP_INET_EGRESS);
	print_loading(&confinement);
	bench_sample("memory", "bytes", (double)memory_of_slot(&places[0].cell, "names", confinement.slot) / count,
		     NULL);
	few_confinement = place_of_policy(&places[1], "completing-few", NULL, policy_of(write_names, FEW),
					  BPF_CGROUP_INET_EGRESS);
	cost_start();
	places[0].argument = &many;
	places[1].argument = &few;
	hello_cost_cold(places, 2);
	cost_stop();
	measure_warm(&confinement, &places[0].cell, count, "");
	measure_warm(&few_confinement, &places[1].cell, FEW, "-few");
}

static void run_prefixes(const void *argument) {
	static struct place place;
	unsigned count = *(const unsigned *)argument;
	struct confinement confinement;
	size_t memory;

	if (bench_too_many(count))
		return;
	pair_network();
	confinement = place_of_policy(&place, "connect", "growth/prefixes-10:connect", policy_of(write_prefixes, count),
				      BPF_CGROUP_INET6_CONNECT);
	print_loading(&confinement);
	memory = memory_of_slot(&place.cell, "addresses", confinement.slot) +
		 memory_of_slot(&place.cell, "ports", confinement.slot);
	bench_sample("memory", "bytes", (double)memory / count, NULL);
	cost_start();
	connect_cost(&place, 1, true);
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
