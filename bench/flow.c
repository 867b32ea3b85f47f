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

enum { PARALLEL = 4, MOST_PAIRS = 12 };

/*
 * What is measured, in pairs of slices: one of the client that is filtered, and one of the other, in turns. So what
 * else goes on in the machine meets both alike.
 */
enum metric { CPU, RATE, HANDSHAKE_P50, HANDSHAKE_P99, REQUEST_P50, REQUEST_P99, CPU_DOWN, CPU_UP, METRICS };
static const struct {
	const char *name, *unit;
} metrics[METRICS] = {
	[CPU] = {"cpu_per_connection", "us"},	   [RATE] = {"connections_per_second", "1/s"},
	[HANDSHAKE_P50] = {"handshake_p50", "us"}, [HANDSHAKE_P99] = {"handshake_p99", "us"},
	[REQUEST_P50] = {"request_p50", "us"},	   [REQUEST_P99] = {"request_p99", "us"},
	[CPU_DOWN] = {"cpu_per_gb_down", "ms"},	   [CPU_UP] = {"cpu_per_gb_up", "ms"},
};

enum { FILTERED, PLAIN, CLIENTS };
static const enum side side_of[CLIENTS] = {[FILTERED] = NEAR, [PLAIN] = BESIDE};
static struct tls_client clients[CLIENTS];
static double values[METRICS][CLIENTS][MOST_PAIRS];

/* Has a client do its work. Returns the CPU time in microseconds that its side has taken for it. */
static double work(int client, struct tls_work work, struct tls_done *done) {
	double before = sides_cpu_us(side_of[client]);

	work.port = client == FILTERED ? TLS_PORT : TLS_PLAIN_PORT;
	if (!work.name[0])
		strcpy(work.name, BENCH_ALLOWED);
	*done = tls_client_do(&clients[client], &work);
	return sides_cpu_us(side_of[client]) - before;
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

static void measure_connections(int client, unsigned pair) {
	struct tls_done done;
	double cpu = work(client, (struct tls_work){.task = TLS_CONNECT, .parallel = PARALLEL, .seconds = 0.08}, &done);

	values[CPU][client][pair] = cpu / (double)done.count;
	values[RATE][client][pair] = (double)done.count / done.seconds;
}

static void measure_handshakes(int client, unsigned pair) {
	struct tls_done done;

	work(client, (struct tls_work){.task = TLS_CONNECT, .parallel = 1, .seconds = 0.04}, &done);
	values[HANDSHAKE_P50][client][pair] = done.p50;
	values[HANDSHAKE_P99][client][pair] = done.p99;
}

static void measure_requests(int client, unsigned pair) {
	struct tls_done done;

	work(client, (struct tls_work){.task = TLS_REQUEST, .seconds = 0.03}, &done);
	values[REQUEST_P50][client][pair] = done.p50;
	values[REQUEST_P99][client][pair] = done.p99;
}

static double transfer(int client, enum tls_task task) {
	uint64_t bytes = bench_quick() ? 32000000 : 64000000;
	struct tls_done done;

	return work(client, (struct tls_work){.task = task, .bytes = bytes}, &done) / 1e3 / ((double)bytes / 1e9);
}

static void measure_down(int client, unsigned pair) {
	values[CPU_DOWN][client][pair] = transfer(client, TLS_DOWN);
}

static void measure_up(int client, unsigned pair) {
	values[CPU_UP][client][pair] = transfer(client, TLS_UP);
}

static void (*const slices[])(int client, unsigned pair) = {measure_connections, measure_handshakes, measure_requests,
							    measure_down, measure_up};

/*
 * Of everything a slice of the one client, and right after it one of the other: what a neighbour on the machine does
 * lasts longer than both.
 */
static void measure_pair(unsigned pair) {
	int first = pair % 2 ? FILTERED : PLAIN, second = pair % 2 ? PLAIN : FILTERED;

	for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++) {
		slices[i](first, pair);
		slices[i](second, pair);
	}
}

/*
 * The medians, and that of the ratios within the pairs. Where neither client is filtered, the second is the first
 * again.
 */
static void print_samples(unsigned pairs, bool direct) {
	double ratios[MOST_PAIRS];
	char name[64];

	for (size_t i = 0; i < METRICS; i++) {
		for (unsigned pair = 0; pair < pairs; pair++)
			ratios[pair] = values[i][FILTERED][pair] / values[i][PLAIN][pair];
		bench_sample(metrics[i].name, metrics[i].unit, bench_median(values[i][FILTERED], pairs), NULL);
		snprintf(name, sizeof(name), "%s-again", metrics[i].name);
		if (direct)
			bench_sample(name, metrics[i].unit, bench_median(values[i][PLAIN], pairs), NULL);
		snprintf(name, sizeof(name), "%s-ratio", metrics[i].name);
		bench_sample(name, "×", bench_median(ratios, pairs), NULL);
	}
}

static void measure(const void *argument) {
	const struct way *way = argument;
	unsigned pairs = bench_count(MOST_PAIRS, 2);

	sides_link();
	tls_server_start();
	tls_client_start(&clients[PLAIN], side_of[PLAIN], NULL);
	tls_client_start(&clients[FILTERED], side_of[FILTERED], way->begin ? way->begin() : NULL);
	check(way);
	warm_up(FILTERED);
	warm_up(PLAIN);
	for (unsigned pair = 0; pair < pairs; pair++)
		measure_pair(pair);
	print_samples(pairs, !way->begin);
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
