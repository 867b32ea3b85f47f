/* SPDX-License-Identifier: BSD-2-Clause */
/* The shared rings of all resident instances ──► events, each with what its numbers meant when it happened. */
#ifndef SNIF_READER_H
#define SNIF_READER_H

#include "event/event_write.h"
#include "filter/instance.h"

/* `context` is valid until the next call. */
typedef void (*reader_event)(void *to, const struct snif_event *event, const struct event_context *context);

struct reader;

/* One reader at a time: a ring has one consumer. NULL after saying why. */
struct reader *reader_new(reader_event each, void *to);

/* Opens instances that have come since the last call, and lets go of those that are gone. Returns 0 or a negative errno,
 * after saying why. */
int reader_look(struct reader *reader);

/* An instance that is open, by its number; NULL: it is not. */
const struct filter *reader_filter(const struct reader *reader, unsigned instance);

/* A descriptor to poll for events. */
int reader_fd(const struct reader *reader);
/* Delivers what is waiting, at most a thousand or so of each instance. Returns how many there were. */
unsigned reader_turn(struct reader *reader);

void reader_free(struct reader *reader); /* NULL is allowed */

#endif
