/* SPDX-License-Identifier: BSD-2-Clause */
/* Events ──► JSON lines on standard output or in a file, or entries of the journal. */
#ifndef SNIF_SINK_H
#define SNIF_SINK_H

#include <poll.h>
#include <stdint.h>

#include "event/event_write.h"

struct sink;

/* `output`: a file, `-` for standard output, or `journal`. NULL after saying why. */
struct sink *sink_open(const char *output);

void sink_event(struct sink *sink, const struct snif_event *event, const struct event_context *context);

/* Opens the file by its name again, for who has renamed it (logrotate). Says what went wrong. */
void sink_reopen(struct sink *sink);

/* As outlet_wait() and outlet_push(). */
int sink_wait(const struct sink *sink, struct pollfd *fd);
void sink_turn(struct sink *sink);

void sink_close(struct sink *sink); /* NULL is allowed */

#endif
