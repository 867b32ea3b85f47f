/* SPDX-License-Identifier: BSD-2-Clause */
/* What abort_process.c and the process that it starts say to each other. */
#ifndef SNIF_ABORT_WORKER_H
#define SNIF_ABORT_WORKER_H

#include "abi.h"

enum abort_request_kind { ABORT_FLOW, ABORT_SEARCH };

/* Divides PIPE_BUF, so that a pipe never holds a part of one. */
struct abort_request {
	__u64 flow;
	__u64 netns_cookie;
	__u8 source[16], destination[16];
	__u16 source_port, destination_port;
	__u32 interface;
	__u32 pid;
	__u16 kind;  /* enum abort_request_kind */
	__u16 which; /* of ABORT_SEARCH: enum abort_which; `flow` is the id of the map of tags, `interface` the policy */
};

_Static_assert(sizeof(struct abort_request) == 64, "requests fill a pipe's pages");

enum abort_answer_kind { ABORT_ABLE, ABORT_FAILED };

struct abort_answer {
	int kind;  /* enum abort_answer_kind */
	int error; /* a negative errno; of ABORT_ABLE also 0 */
};

struct abort_pipes {
	int requests, answers, cgroup;
};

/* The process: takes requests until their pipe has ended. Does not return. */
_Noreturn void abort_worker_main(struct abort_pipes pipes);

#endif
