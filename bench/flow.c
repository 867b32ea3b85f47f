/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client, what filters it, a server ──► what TLS connections cost, end to end: connections per second, CPU time for
 * each, handshakes, requests, and CPU time for each GB.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/bench.h"
#include "support/sides.h"
#include "support/tls.h"
#include "support/flow_filters.h"
#include "support/flow_peers.h"

/* How a case filters. */
struct way {
	/*
	 * Puts the filter in place, before there is a client. Returns the command line that the client's is put behind,
	 * or NULL.
	 */
	const char *const *(*begin)(void);
	bool stops; /* the forbidden name */
};

/* Pairs of slices are measured until there are the most, or, once there are the least, until the time is over. */
enum { PARALLEL = 4, LEAST_PAIRS = 6, MOST_PAIRS = 24, PAIRS_MS = 12000 };

/*
 * What is measured, in pairs of slices: one of the client that is filtered, and one of the other, in turns. So what
 * else goes on in the machine meets both alike. A 99th percentile is of all slices of a client together.
 */
enum metric { CPU, CPU_BOTH, RATE, HANDSHAKE_P50, HANDSHAKE_P99, REQUEST_P50, REQUEST_P99, CPU_DOWN, CPU_UP, METRICS };
static const struct {
	const char *name, *unit;
} metrics[METRICS] = {
	[CPU] = {"cpu_per_connection", "us"},	    [CPU_BOTH] = {"cpu_per_connection-both", "us"},
	[RATE] = {"connections_per_second", "1/s"}, [HANDSHAKE_P50] = {"handshake_p50", "us"},
	[HANDSHAKE_P99] = {"handshake_p99", "us"},  [REQUEST_P50] = {"request_p50", "us"},
	[REQUEST_P99] = {"request_p99", "us"},	    [CPU_DOWN] = {"cpu_per_gb_down", "ms"},
	[CPU_UP] = {"cpu_per_gb_up", "ms"},
};

enum { FILTERED, PLAIN, CLIENTS };
static const enum side side_of[CLIENTS] = {[FILTERED] = NEAR, [PLAIN] = BESIDE};
static struct tls_client clients[CLIENTS];
static struct {
	double values[MOST_PAIRS];
	unsigned count;
} measured[METRICS][CLIENTS];

static void add(enum metric metric, int client, double value) {
	measured[metric][client].values[measured[metric][client].count++] = value;
}

/* Microseconds of CPU time: of the client's side, and of the server's as well. */
struct spent {
	double near, both;
};

static struct spent spent_so_far(int client) {
	double near = sides_cpu_us(side_of[client]);

	return (struct spent){near, near + sides_cpu_us(FAR)};
}

/* Has a client do its work. Returns what that took. */
static struct spent work(int client, struct tls_work work, struct tls_done *done) {
	struct spent before = spent_so_far(client), after;

	work.port = client == FILTERED ? TLS_PORT : TLS_PLAIN_PORT;
	if (!work.name[0])
		strcpy(work.name, BENCH_ALLOWED);
	*done = tls_client_do(&clients[client], &work);
	after = spent_so_far(client);
	return (struct spent){after.near - before.near, after.both - before.both};
}

/* What is measured has to do the work: pass the one name and, where it filters, stop the other. */
static void check(const struct way *way) {
	struct tls_done done;

	work(FILTERED, (struct tls_work){.task = TLS_PROBE}, &done);
	if (done.failed)
		bench_fail("%s does not pass: %s", BENCH_ALLOWED, done.error);
	work(FILTERED, (struct tls_work){.task = TLS_PROBE, .name = BENCH_FORBIDDEN}, &done);
	if (done.failed != way->stops)
		bench_fail("%s is %s", BENCH_FORBIDDEN, done.failed ? "stopped" : "not stopped");
}

static void warm_up(int client) {
	struct tls_done done;

	work(client, (struct tls_work){.task = TLS_CONNECT, .parallel = PARALLEL, .seconds = 0.05}, &done);
	work(client, (struct tls_work){.task = TLS_OPEN}, &done);
	work(client, (struct tls_work){.task = TLS_REQUEST, .seconds = 0.02}, &done);
}

static void measure_connections(int client) {
	struct tls_done done;
	struct spent spent =
		work(client, (struct tls_work){.task = TLS_CONNECT, .parallel = PARALLEL, .seconds = 0.08}, &done);

	add(CPU, client, spent.near / (double)done.count);
	add(CPU_BOTH, client, spent.both / (double)done.count);
	add(RATE, client, (double)done.count / done.seconds);
}

static void measure_handshakes(int client) {
	struct tls_done done;

	work(client, (struct tls_work){.task = TLS_CONNECT, .parallel = 1, .seconds = 0.04, .keep = true}, &done);
	add(HANDSHAKE_P50, client, done.p50);
}

static void measure_requests(int client) {
	struct tls_done done;

	work(client, (struct tls_work){.task = TLS_REQUEST, .seconds = 0.03, .keep = true}, &done);
	add(REQUEST_P50, client, done.p50);
}

/* Milliseconds of the client's CPU time for each GB. */
static double transfer(int client, enum tls_task task) {
	uint64_t bytes = bench_quick() ? 32000000 : 64000000;
	struct tls_done done;

	return work(client, (struct tls_work){.task = task, .bytes = bytes}, &done).near / 1e3 / ((double)bytes / 1e9);
}

static void measure_down(int client) {
	add(CPU_DOWN, client, transfer(client, TLS_DOWN));
}

static void measure_up(int client) {
	add(CPU_UP, client, transfer(client, TLS_UP));
}

static void (*const slices[])(int client) = {measure_connections, measure_handshakes, measure_requests, measure_down,
					     measure_up};

/*
 * Of everything a slice of the one client, and right after it one of the other: what a neighbour on the machine does
 * lasts longer than both.
 */
static void measure_pair(unsigned pair) {
	int first = pair % 2 ? FILTERED : PLAIN, second = pair % 2 ? PLAIN : FILTERED;

	for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++) {
		slices[i](first);
		slices[i](second);
	}
}

static void measure_pairs(void) {
	uint64_t end = bench_now() + PAIRS_MS * 1000000ULL;
	unsigned least = bench_count(LEAST_PAIRS, 2), most = bench_count(MOST_PAIRS, 2);

	for (unsigned pair = 0; pair < least || (pair < most && bench_now() < end); pair++)
		measure_pair(pair);
}

static void take_p99(int client) {
	struct tls_done done;

	work(client, (struct tls_work){.task = TLS_TELL, .of = TLS_CONNECT}, &done);
	add(HANDSHAKE_P99, client, done.p99);
	work(client, (struct tls_work){.task = TLS_TELL, .of = TLS_REQUEST}, &done);
	add(REQUEST_P99, client, done.p99);
}

/* The medians, and that of the ratios within the pairs. */
static void print_samples(void) {
	double ratios[MOST_PAIRS];
	char name[64];

	for (size_t i = 0; i < METRICS; i++) {
		unsigned count = measured[i][FILTERED].count;

		for (unsigned pair = 0; pair < count; pair++)
			ratios[pair] = measured[i][FILTERED].values[pair] / measured[i][PLAIN].values[pair];
		bench_sample(metrics[i].name, metrics[i].unit, bench_median(measured[i][FILTERED].values, count), NULL);
		snprintf(name, sizeof(name), "%s-ratio", metrics[i].name);
		bench_sample(name, "×", bench_median(ratios, count), NULL);
	}
}

static void measure(const void *argument) {
	const struct way *way = argument;

	sides_link();
	tls_server_start();
	tls_client_start(&clients[PLAIN], side_of[PLAIN], NULL);
	tls_client_start(&clients[FILTERED], side_of[FILTERED], way->begin ? way->begin() : NULL);
	check(way);
	warm_up(FILTERED);
	warm_up(PLAIN);
	measure_pairs();
	take_p99(FILTERED);
	take_p99(PLAIN);
	print_samples();
	tls_client_end(&clients[FILTERED]);
	tls_client_end(&clients[PLAIN]);
}

static void run(const void *argument) {
	sides_run(measure, argument);
}

static const struct way direct = {NULL, false};
static const struct way floor_return = {filter_return, false}, floor_storage = {filter_storage, false};
static const struct way audit = {filter_audit, false}, enforce = {filter_enforce, true};
static const struct way many_names = {filter_many_names, true};
static const struct way haproxy = {peer_haproxy, true}, nginx = {peer_nginx, true}, squid = {peer_squid, true};
static const struct way sniproxy = {peer_sniproxy, true}, nfqueue = {peer_nfqueue, true};

static const struct bench_case cases[] = {
	{"flow/direct", run, &direct},
	{"flow/floor-return", run, &floor_return},
	{"flow/floor-storage", run, &floor_storage},
	{"flow/snifence-audit", run, &audit},
	{"flow/snifence", run, &enforce},
	{"flow/snifence-100000", run, &many_names},
	{"flow/haproxy", run, &haproxy},
	{"flow/nginx", run, &nginx},
	{"flow/squid", run, &squid},
	{"flow/sniproxy", run, &sniproxy},
	{"flow/nfqueue", run, &nfqueue},
};

int main(int argc, char **argv) {
	if (argc == 2 && strcmp(argv[1], TLS_CLIENT) == 0)
		return tls_client_main();
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
