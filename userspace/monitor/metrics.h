/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters, policies and attachments ──► metrics in Prometheus' text format, over HTTP or in a file. */
#ifndef SNIF_METRICS_H
#define SNIF_METRICS_H

#include "monitor/verification.h"

/* Says it as it is now, with what `snifence verify` has found last, in text format 0.0.4. Returns the text, to be
 * freed; NULL: out of memory, or it cannot be read. Server names are never in it: an attacker could make any number of
 * them. */
char *metrics_text(const struct verified *verified);

/* Replaces the file by what metrics_text() says, as node_exporter's textfile collector wants it. Returns 0 or a negative
 * errno. */
int metrics_write(const char *path, const struct verified *verified);

struct metrics_server;

/* Serves /metrics at `address`, like 127.0.0.1:9774 or [::1]:9774. NULL after saying why. `verified` outlives it. */
struct metrics_server *metrics_serve(const char *address, const struct verified *verified);
/* A descriptor to poll, and what to call when it is ready. */
int metrics_server_fd(const struct metrics_server *server);
void metrics_server_turn(struct metrics_server *server);
void metrics_server_free(struct metrics_server *server); /* NULL is allowed */

#endif
