/* SPDX-License-Identifier: BSD-2-Clause */
/* Compiled tables ──► maps and programs in the kernel. */
#ifndef SNIF_FILTER_H
#define SNIF_FILTER_H

#include <stdint.h>

#include "compile/compile.h"

struct filter; /* the loaded BPF object */

/* Begins to load the BPF object; that goes on in a thread while the first policy is copied, and ends with that. Returns
 * NULL after saying why (message_error) when it fails at once. */
struct filter *filter_load(void);

/* Copies a compiled policy into a free slot and makes it the one in force for policy number `policy` (1 to
 * SNIF_POLICIES - 1), in one store. The first call also waits until the object is loaded and verified. Returns 0 or a
 * negative errno, after saying why. */
int filter_set_policy(struct filter *filter, uint32_t policy, const struct compiled *compiled);

/*
 * Attaches every program to the cgroup and binds it to `policy`. Attachments are the cgroup's, not this process's:
 * they end with the cgroup, so that a killed snifence sets nobody free. Returns 0 or a negative errno, after saying
 * why; then nothing stays attached.
 */
int filter_attach(struct filter *filter, int cgroup_fd, uint64_t cgroup_id, uint32_t policy);

typedef void (*filter_event)(void *context, const struct snif_event *event);

/* Starts delivery of events; returns a descriptor to poll, or a negative errno. Call once. */
int filter_events(struct filter *filter, filter_event callback, void *context);
/* Delivers what is waiting, at most a thousand or so, without blocking: who floods the ring buffer must not keep the
 * caller from everything else. Returns the number of events, 0 when none was waiting, or a negative errno. */
int filter_consume(struct filter *filter);

/* The sum over all CPUs of a counter: an enum snif_reason, or SNIF_COUNTER_LOST. */
uint64_t filter_counter(const struct filter *filter, uint32_t counter);

/* The id of the map of tags, by which the kernel's list of sockets tells what is refused; 0: not known. */
uint32_t filter_tags_id(const struct filter *filter);

/* Closes everything this process holds. Programs attached to a live cgroup stay in force. */
void filter_free(struct filter *filter);

#endif
