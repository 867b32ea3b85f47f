/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory for yajl, which takes for granted that there always is some. */
#ifndef SNIF_EVENT_MEMORY_H
#define SNIF_EVENT_MEMORY_H

#include <setjmp.h>
#include <stdbool.h>

#include <yajl/yajl_common.h>

/*
 * To be given to yajl as its functions. Where memory is refused while `caught`, they do not return, but go to where
 * whoever calls yajl has come from setjmp(none): what yajl holds is as it was before, and can be freed. Otherwise the
 * process ends with a message.
 */
struct log_memory {
	yajl_alloc_funcs functions;
	jmp_buf none;
	bool caught;
};

void log_memory_init(struct log_memory *memory);

#endif
