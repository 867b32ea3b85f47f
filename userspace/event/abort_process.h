/* SPDX-License-Identifier: BSD-2-Clause */
/* Flows refused on egress ──► a process of its own that ends their sockets, and that nobody waits for. */
#ifndef SNIF_ABORT_PROCESS_H
#define SNIF_ABORT_PROCESS_H

#include <poll.h>
#include <stdint.h>

#include "abi.h"

/*
 * Ending a socket waits for its lock, and its owner can hold that for ever: send() from a page that never comes does so.
 * So it is done by workers, processes below one that only looks after them: when all are stuck there is one more, up to
 * a bound. They hold nothing of the filter, and end with the process that has started them, as soon as they can.
 */
struct abort_process;

/* Starts it for the processes of a cgroup. Before the filter is loaded: what is mapped and open then stays out of it.
 * NULL with errno set. */
struct abort_process *abort_process_start(int cgroup_fd);

/* Whether the kernel can end sockets, as abort_possible(); -ETIMEDOUT when that is not known within a second. */
int abort_process_able(struct abort_process *process);

/* The id of the filter's map of tags, and the policy's number there: by these it finds refused sockets of which no
 * event tells. Without it, as in audit mode where a tag holds nothing back, it looks for none. */
void abort_process_set_tags(struct abort_process *process, uint32_t tags_id, uint32_t policy);

/* Has the socket of this denied egress event ended, after the next abort_process_turn(). */
void abort_process_add(struct abort_process *process, const struct snif_event *event);

/* How many events were lost so far: after each loss all sockets are looked through, twice a second at most. */
void abort_process_lost(struct abort_process *process, uint64_t events);

/* Has all sockets looked through now: who reads the events of several policies says which has lost some. */
void abort_process_search(struct abort_process *process, uint32_t tags_id, uint32_t policy);
/* How many events were added and found no room on the way: of whichever policies. */
uint64_t abort_process_requests_lost(const struct abort_process *process);

/* Fills in what to poll for, and returns in how many milliseconds abort_process_turn() has something to do; -1: not
 * before something happens. */
int abort_process_wait(const struct abort_process *process, struct pollfd *fd);

/* Hands over what was added. Returns 0 or the error of a socket that could not be ended, as a negative errno. */
int abort_process_turn(struct abort_process *process);

/*
 * Hands over the rest, has all sockets looked through once more if anything was refused, also those that the cgroup's
 * processes have left behind, and waits for that: two seconds at most, and a quarter of one where nothing moves. Frees
 * the process; NULL is allowed.
 */
void abort_process_stop(struct abort_process *process);

#endif
