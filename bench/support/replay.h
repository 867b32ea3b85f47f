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

/*
 * `program` is the attached egress program, whose maps are used, and `client` a socket that has its verdict. Prints
 * what a small packet costs as "test-run", beside the floors' "test-run-floor-return" and "test-run-floor-storage".
 */
void replay_established(int program, int client, bool ipv6);

/*
 * `client` has sent all of its hello but the `length` bytes that complete it. Prints what their packet costs as
 * "test-run": the difference between "test-run-with-reset" and "test-run-reset", which only restores the tag, as each
 * repetition has to. The verdict must be `allowed`.
 */
void replay_completing(const struct confinement *confinement, int program, int client, const void *bytes, size_t length,
		       bool allowed);

#endif
