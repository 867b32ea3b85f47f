/* SPDX-License-Identifier: BSD-2-Clause */
/* What yajl asks for ──► memory, or the way back to who has called it. */
#include "event/event_memory.h"

#include <stdlib.h>

#include "base/message.h"

static void *checked(struct log_memory *memory, void *got) {
	if (got)
		return got;
	if (memory->caught)
		longjmp(memory->none, 1);
	message_error("out of memory");
	exit(EXIT_FAILED);
}

static void *take(void *context, size_t size) {
	return checked(context, malloc(size));
}

static void *change(void *context, void *old, size_t size) {
	return checked(context, realloc(old, size));
}

static void give_back(void *context, void *memory) {
	(void)context;
	free(memory);
}

void log_memory_init(struct log_memory *memory) {
	memory->functions = (yajl_alloc_funcs){take, change, give_back, memory};
}
