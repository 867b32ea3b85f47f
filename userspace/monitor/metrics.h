/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters, policies and attachments ──► metrics in Prometheus' text format, as text or in a file. */
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

#endif
