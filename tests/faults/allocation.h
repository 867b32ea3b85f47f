/* SPDX-License-Identifier: BSD-2-Clause */
/* What allocation.c tells the test. */
#ifndef SNIF_ALLOCATION_H
#define SNIF_ALLOCATION_H

#include <stdint.h>

enum { ALLOCATIONS = 1 << 16, FRAMES = 12, FELL_SIZE = 64 };

struct allocations {
	uint32_t count;
	uint32_t places[ALLOCATIONS]; /* from 1: one number for each stack of calls; of a run in which none fails */
	uint32_t met;		      /* of a run in which one fails: how often its place was there */
	char fell[FELL_SIZE];	      /* whose code ended the process by SIGSEGV or SIGABRT: the file's name; "" else */
};

#endif
