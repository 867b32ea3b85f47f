/* SPDX-License-Identifier: BSD-2-Clause */
/* Lookups, and names that are bound by them ──► what they cost, and what all that is no lookup costs beside them. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "../tests/support/dns_maker.h"
#include "../tests/support/lab.h"
#include "../tests/support/name_server.h"
#include "dns.h"
#include "support/bench.h"
#include "support/flow_cost.h"
#include "support/hello_cost.h"

#define BINDING HELLO_POLICY_WITH("{servers: [" PAIR_IPV4 "], bind: require, names: policy}")
#define LOCAL_SERVER "203.0.113.1"

enum {
	LOOKUPS = 400,
	LOOKUPS_IN_A_SLICE = 20,
	SLICES = 40,
	PATIENCE_MS = 1000,
	LONGEST_LABELS = 4,
	LONGEST_LABEL = 60,
	LONGEST_RECORDS = 30
};

struct exchange {
	enum bpf_attach_type type; /* which packet is measured: the question that leaves, or the answer */
	int addresses;		   /* of the answer; 0: one that takes as long to read as any can */
};

/* ---- questions and answers ------------------------------------------------------------------------------------- */

static void add_addresses(struct bytes *answer, int count) {
	char address[32];

	for (int i = 0; i < count; i++) {
		snprintf(address, sizeof(address), "192.0.2.%d", i + 1);
		dns_add_address(answer, HELLO_ALLOWED, 60, address);
	}
}

/*
 * As many addresses as are taken of an answer, and behind them records whose owners are pointers to the longest name: each
 * time it is read anew, with all steps that the reader has but for fewer than one more of them takes. With it nothing would
 * be bound.
 */
static void make_longest(struct bytes *answer) {
	static struct bytes name;
	size_t at;

	add_addresses(answer, SNIF_DNS_ADDRESSES);
	at = answer->length + 12;
	name.length = 0;
	for (int i = 0; i < LONGEST_LABELS; i++) {
		bytes_number(&name, 1, LONGEST_LABEL);
		bytes_fill(&name, 'x', LONGEST_LABEL);
	}
	bytes_number(&name, 1, 0);
	for (int i = 0; i <= LONGEST_RECORDS; i++) {
		bytes_number(answer, 2, 0xc000 | (i == 0 ? SNIF_DNS_HEADER : (uint32_t)at));
		bytes_number(answer, 2, i == 0 ? 16 : SNIF_DNS_A);
		bytes_number(answer, 2, 1);
		bytes_number(answer, 4, 60);
		bytes_number(answer, 2, i == 0 ? (uint32_t)name.length : 4);
		if (i == 0)
			bytes_add(answer, name.data, name.length);
		else
			bytes_number(answer, 4, 0xc0000201);
	}
	bytes_fill(answer, 0, SNIF_DNS_MESSAGE - answer->length);
	answer->data[7] += LONGEST_RECORDS + 1;
}

static void make_answer(struct bytes *answer, const struct bytes *question, int addresses) {
	dns_begin_answer(answer, question);
	add_addresses(answer, addresses);
	if (addresses == 0)
		make_longest(answer);
}

static void await(int fd) {
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	if (poll(&ready, 1, PATIENCE_MS) != 1)
		bench_fail("a datagram does not arrive");
}

static void add_cost(struct place *place, const struct cost *before) {
	struct cost after = place_cost(place);

	if (after.runs - before->runs == 1)
		place_add(place, (double)(after.ns - before->ns));
}

static void exchange_once(struct place *place, const void *argument) {
	const struct exchange *exchange = argument;
	static struct bytes question, answer;
	static uint16_t number;
	struct sockaddr_storage client;
	socklen_t length = sizeof(client);
	struct cost before;

	dns_make_question(&question, number++, HELLO_ALLOWED, SNIF_DNS_A);
	before = place_cost(place);
	pair_send(&place->pair, question.data, question.length);
	if (exchange->type == BPF_CGROUP_INET_EGRESS)
		add_cost(place, &before);
	await(place->pair.server);
	if (recvfrom(place->pair.server, answer.data, sizeof(answer.data), 0, (struct sockaddr *)&client, &length) < 0)
		bench_fail("the server cannot read: %s", strerror(errno));
	make_answer(&answer, &question, exchange->addresses);
	before = place_cost(place);
	if (sendto(place->pair.server, answer.data, answer.length, 0, (struct sockaddr *)&client, length) < 0)
		bench_fail("the server cannot send: %s", strerror(errno));
	await(place->pair.client);
	if (recv(place->pair.client, answer.data, sizeof(answer.data), 0) < 0)
		bench_fail("the client cannot read: %s", strerror(errno));
	if (exchange->type == BPF_CGROUP_INET_INGRESS)
		add_cost(place, &before);
}

static void run_exchange(const void *argument) {
	static struct place places[3];
	const struct exchange *exchange = argument;

	pair_network();
	cost_start();
	place_of_policy(&places[0], exchange->type == BPF_CGROUP_INET_EGRESS ? "egress" : "ingress", "floor-storage",
			BINDING, exchange->type);
	places_of_floors(&places[1], exchange->type);
	for (int i = 0; i < 3; i++)
		places[i].pair = pair_open(&places[i].cell, false, PAIR_DNS);
	places_take_turns(places, 3, bench_count(LOOKUPS, 20), exchange_once, exchange);
	places_print(places, 3);
}

/* ---- names that are bound, and packets that are no lookups ----------------------------------------------------- */

/* As a lookup would: the name of the hellos, and that of the flows, is at the server's address. */
static void bind_name(const struct confinement *confinement) {
	const struct snif_name_rule rule = {0};
	__u8 address[16] = {[10] = 0xff, [11] = 0xff};
	struct filter_binder binder;

	inet_pton(AF_INET, PAIR_IPV4, address + 12);
	if (filter_binder_open(&binder, confinement->filter, 1) ||
	    filter_bind(&binder, HELLO_ALLOWED, strlen(HELLO_ALLOWED), address, &rule, UINT64_MAX))
		bench_fail("a name cannot be bound");
	filter_binder_close(&binder);
}

/* Two places: under a policy that binds names, and under the same one that does not. */
static void places_of_both(struct place places[2], const char *const metrics[2], enum bpf_attach_type type) {
	struct confinement confinement = place_of_policy(&places[0], metrics[0], metrics[1], BINDING, type);

	bind_name(&confinement);
	place_of_policy(&places[1], metrics[1], NULL, HELLO_POLICY, type);
}

static void run_hello(const void *argument) {
	static const struct hello_shape shape = {517, .name = HELLO_ALLOWED};
	static struct place places[2];

	(void)argument;
	pair_network();
	cost_start();
	places_of_both(places, (const char *const[]){"completing", "completing-unbound"}, BPF_CGROUP_INET_EGRESS);
	places[0].argument = places[1].argument = &shape;
	hello_cost_cold(places, 2);
}

static void run_flow(const void *argument) {
	static struct place places[4];
	const struct flow *flow = argument;
	enum bpf_attach_type type = flow->acks ? BPF_CGROUP_INET_INGRESS : BPF_CGROUP_INET_EGRESS;

	pair_network();
	cost_start();
	places_of_both(places,
		       flow->acks ? (const char *const[]){"ingress", "ingress-unbound"}
				  : (const char *const[]){"egress", "egress-unbound"},
		       type);
	places_of_floors(&places[2], type);
	flow_cost(flow, places, 4);
}

/* ---- the C library's ------------------------------------------------------------------------------------------- */

static void answer_one(const struct name_query *query, struct bytes *answer) {
	make_answer(answer, query->message, 1);
}

static void look_up(struct place *place, const void *argument) {
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	uint64_t begin;
	int error = 0;

	(void)argument;
	cell_enter(&place->cell);
	begin = bench_now();
	for (int i = 0; i < LOOKUPS_IN_A_SLICE && !error; i++) {
		error = getaddrinfo(HELLO_ALLOWED, NULL, &hints, &found);
		if (!error)
			freeaddrinfo(found);
	}
	place_add(place, (double)(bench_now() - begin) / LOOKUPS_IN_A_SLICE);
	cell_leave();
	if (error)
		bench_fail("%s: %s", HELLO_ALLOWED, gai_strerror(error));
}

static void run_library(const void *argument) {
	static struct place places[2];
	const char *file;

	(void)argument;
	pair_network();
	file = lab_write("resolv.conf", "nameserver " LOCAL_SERVER "\n");
	if (mount(file, "/etc/resolv.conf", NULL, MS_BIND, NULL))
		bench_fail("cannot mount a file on /etc/resolv.conf: %s", strerror(errno));
	name_server(LOCAL_SERVER, answer_one);
	place_of_policy(&places[0], "confined", "direct",
			HELLO_POLICY_WITH("{servers: [" LOCAL_SERVER "], bind: require, names: policy}"),
			BPF_CGROUP_INET_EGRESS);
	places[1] = (struct place){.metric = "direct", .cell = cell_make(NULL, "direct")};
	places_take_turns(places, 2, bench_count(SLICES, 3), look_up, NULL);
	places_print(places, 2);
	name_servers_end();
}

static const struct exchange question = {BPF_CGROUP_INET_EGRESS, 1};
static const struct exchange one = {BPF_CGROUP_INET_INGRESS, 1}, eight = {BPF_CGROUP_INET_INGRESS, 8};
static const struct exchange longest = {BPF_CGROUP_INET_INGRESS, 0};
static const struct flow outgoing = {PAIR_TLS, false, false, FLOW_SMALL},
			 incoming = {PAIR_TLS, false, true, FLOW_SMALL};

static const struct bench_case cases[] = {
	{"names/question", run_exchange, &question},   {"names/answer-1", run_exchange, &one},
	{"names/answer-8", run_exchange, &eight},      {"names/answer-longest", run_exchange, &longest},
	{"names/hello-517-bound", run_hello, NULL},    {"names/established-small", run_flow, &outgoing},
	{"names/incoming-small", run_flow, &incoming}, {"names/getaddrinfo", run_library, NULL},
};

int main(int argc, char **argv) {
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
