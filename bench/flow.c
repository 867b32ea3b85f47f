/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client, what filters it, a server ──► what TLS connections cost, end to end: connections per second, CPU time for each,
 * handshakes, requests, and CPU time for each GB.
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
	/* Puts the filter in place, before there is a client. Returns the command line that the client's is put behind, or
	 * NULL. */
	const char *const *(*begin)(void);
	bool stops; /* the forbidden name */
};

enum { PARALLEL = 4 };

static struct tls_client client;

static const struct way direct = {NULL, false}, direct_again = {NULL, false};
static const struct way *measured;

/* Beside the same of connections that nothing filters. */
static void sample(const char *metric, const char *unit, double value) {
	char beside[64];

	snprintf(beside, sizeof(beside), "flow/direct:%s", metric);
	bench_sample(metric, unit, value, measured == &direct ? NULL : beside);
}

/* What is measured has to do the work: pass the one name and, where it filters, stop the other. */
static void check(void) {
	struct tls_work work = {.task = TLS_PROBE, .name = BENCH_ALLOWED};
	struct tls_done done = tls_client_do(&client, &work);

	if (done.failed)
		bench_fail("%s does not pass: %s", work.name, done.error);
	strcpy(work.name, BENCH_FORBIDDEN);
	done = tls_client_do(&client, &work);
	if (done.failed != measured->stops)
		bench_fail("%s is %s", work.name, done.failed ? "stopped" : "not stopped");
}

static void measure_connections(double seconds) {
	struct tls_work work = {.task = TLS_CONNECT, .name = BENCH_ALLOWED, .parallel = PARALLEL, .seconds = seconds};
	double before = sides_cpu_us(NEAR);
	struct tls_done done = tls_client_do(&client, &work);

	sample("cpu_per_connection", "us", (sides_cpu_us(NEAR) - before) / (double)done.count);
	sample("connections_per_second", "1/s", (double)done.count / done.seconds);
	work.parallel = 1;
	work.seconds = seconds / 2;
	done = tls_client_do(&client, &work);
	sample("handshake_p50", "us", done.p50);
	sample("handshake_p99", "us", done.p99);
}

static void measure_requests(double seconds) {
	struct tls_work work = {.task = TLS_REQUEST, .seconds = seconds};
	struct tls_done done = tls_client_do(&client, &work);

	sample("request_p50", "us", done.p50);
	sample("request_p99", "us", done.p99);
}

static void measure_transfer(enum tls_task task, const char *metric, uint64_t bytes) {
	struct tls_work work = {.task = task, .bytes = bytes};
	double before = sides_cpu_us(NEAR);

	tls_client_do(&client, &work);
	sample(metric, "ms", (sides_cpu_us(NEAR) - before) / 1e3 / ((double)bytes / 1e9));
}

static void measure(const void *argument) {
	double seconds = bench_quick() ? 0.3 : 1.2;
	uint64_t bytes = bench_quick() ? 128000000 : 512000000;

	measured = argument;
	sides_link();
	tls_server_start();
	tls_client_start(&client, measured->begin ? measured->begin() : NULL);
	check();
	tls_client_do(
		&client,
		&(struct tls_work){.task = TLS_CONNECT, .name = BENCH_ALLOWED, .parallel = PARALLEL, .seconds = 0.1});
	measure_connections(seconds);
	tls_client_do(&client, &(struct tls_work){.task = TLS_OPEN, .name = BENCH_ALLOWED});
	tls_client_do(&client, &(struct tls_work){.task = TLS_REQUEST, .seconds = 0.05});
	measure_requests(seconds / 2);
	measure_transfer(TLS_DOWN, "cpu_per_gb_down", bytes);
	measure_transfer(TLS_UP, "cpu_per_gb_up", bytes);
	tls_client_end(&client);
}

static void run(const void *argument) {
	sides_run(measure, argument);
}

static const struct way floor_return = {filter_return, false}, floor_storage = {filter_storage, false};
static const struct way audit = {filter_audit, false}, enforce = {filter_enforce, true};
static const struct way many_names = {filter_many_names, true};
static const struct way haproxy = {peer_haproxy, true}, nginx = {peer_nginx, true}, squid = {peer_squid, true};
static const struct way sniproxy = {peer_sniproxy, true}, nfqueue = {peer_nfqueue, true};

static const struct bench_case cases[] = {
	{"flow/direct", run, &direct},
	{"flow/direct-again", run, &direct_again}, /* how far two runs of the same differ */
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
