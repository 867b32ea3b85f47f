/* SPDX-License-Identifier: BSD-2-Clause */
/* A seed ──► a policy, and how the storm is made. */
#include "storm.h"

#include <stdio.h>

#include "random.h"

const uint16_t storm_ports[STORM_PORTS] = {443, 5000, 22, 53, 25, 8443};

/* Names and addresses are those of targets.c. */
static void write_policy(struct random *random, char *out) {
	static const char *const inbound[] = {"allow", "allow", "deny"};
	static const char *const ech[] = {"outer", "deny"};
	static const char *const wild[] = {"", "    - \"*.wild.test\"\n"};
	static const char *const bound[] = {"", "    - {host: bound.test, to: [203.0.113.130]}\n"};
	static const char *const more[] = {
		"",
		"    - {to: 198.51.100.67, proto: udp, ports: [53]}\n",
		"    - {to: [127.0.0.0/8, \"::1\"], ports: [5000]}\n",
		"    - {to: 198.51.100.68, proto: tcp}\n    - {to: \"2001:db8:f::4\", proto: tcp, ports: [443]}\n",
		"    - {to: 239.1.2.3, proto: udp, ports: [5000]}\n",
	};

	snprintf(out, STORM_POLICY_SIZE,
		 "version: 1\n"
		 "tls:\n"
		 "  to: [203.0.113.128/28, \"2001:db8:f:1::/64\"]\n"
		 "  ech: %s\n"
		 "  allow:\n"
		 "    - allowed.test\n%s%s"
		 "  deny: [no.wild.test]\n"
		 "direct:\n"
		 "  allow:\n"
		 "    - {to: [198.51.100.66, \"2001:db8:f::2\"], ports: [5000]}\n%s"
		 "  deny: [{to: 203.0.113.140}]\n"
		 "dns: {servers: none}\n"
		 "inbound: %s\n",
		 random_of(random, ech), random_of(random, wild), random_of(random, bound), random_of(random, more),
		 random_of(random, inbound));
}

/* Not all calls in all rounds: what needs two of them often is found where others don't get in between. */
static void draw_weights(struct random *random, uint8_t *weights) {
	static const uint8_t usual[] = {0, 1, 1, 2, 4, 8, 16};

	for (size_t i = 0; i < STORM_OPERATION_KINDS; i++)
		weights[i] = random_of(random, usual);
}

void storm_plan(struct storm_plan *plan, uint64_t seed) {
	struct random random = random_part(seed, STORM_PART_PLAN);

	*plan = (struct storm_plan){.seed = seed};
	plan->audit = random_one_in(&random, 16);
	plan->run = random_one_in(&random, 4);
	plan->processes = random_one_in(&random, 2) ? 1 : 2 + random_below(&random, 2);
	plan->threads = random_one_in(&random, 3) ? 1 : 2 + random_below(&random, 3);
	plan->namespaces = random_one_in(&random, 4);
	plan->operations = 16000 / (plan->processes * plan->threads);
	draw_weights(&random, plan->weights);
	write_policy(&random, plan->policy);
}
