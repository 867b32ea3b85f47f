/* SPDX-License-Identifier: BSD-2-Clause */
/* Metrics, over HTTP, for Prometheus. */
#ifndef SNIF_METRICS_SERVER_H
#define SNIF_METRICS_SERVER_H

#include "monitor/verification.h"

struct metrics_server;

/* Serves /metrics at `address`, like 127.0.0.1:9774 or [::1]:9774. NULL after saying why. `verified` outlives it. */
struct metrics_server *metrics_serve(const char *address, const struct verified *verified);
/* A descriptor to poll, and what to call when it is ready. */
int metrics_server_fd(const struct metrics_server *server);
void metrics_server_turn(struct metrics_server *server);
void metrics_server_free(struct metrics_server *server); /* NULL is allowed */

#endif
