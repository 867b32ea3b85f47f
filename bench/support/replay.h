/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One packet, many times (BPF_PROG_TEST_RUN) ──► what it costs when everything is in the cache: the filter's own code
 * (bench/decide.bpf.c) on the tag of a real connection.
 */
#ifndef SNIF_BENCH_REPLAY_H
#define SNIF_BENCH_REPLAY_H

#include <stdbool.h>
#include <stddef.h>

#include "cell.h"

/* A packet of an open flow, by what it carries. */
struct replay {
	bool ipv6, udp;
	size_t length; /* of the payload: 0 is a pure ACK */
};

/*
 * `program` is the attached egress program, whose maps are used, and `client` a socket that has its verdict. Prints
 * what the packet costs as "test-run", beside the floors' "test-run-floor-return" and "test-run-floor-storage".
 */
void replay_open_flow(int program, int client, const struct replay *replay);

/*
 * `client` has sent all of its hello but the `length` bytes that complete it. Prints what their packet costs as
 * "test-run". Each repetition has to restore the tag; what that takes is taken off: "test-run-with-reset" less the
 * difference between "test-run-reset", which restores the tag and judges nothing, and "test-run-entry", which does not
 * even restore it. Not taken off is a new inspection where a refusal has freed that of the run before. The verdict must be
 * `allowed`. `suffix`, or "", goes behind the names of all four.
 */
void replay_completing(const struct confinement *confinement, int program, int client, const void *bytes, size_t length,
		       bool allowed, const char *suffix);

#endif
