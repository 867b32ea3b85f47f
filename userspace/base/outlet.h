/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines ──► a file, pipe, terminal or socket that others can fill, stop, share or leave: nobody here waits for it. */
#ifndef SNIF_OUTLET_H
#define SNIF_OUTLET_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * An outlet has an open file description of its own, by /proc/self/fd, so that what another process sets on the one
 * that it shares (O_NONBLOCK) means nothing here. (Sockets cannot be opened anew, and need not be: send() can be told
 * not to wait.) What cannot be written now waits in a buffer of a megabyte; a write that fails is tried again, whatever
 * the error. When the buffer is full lines are dropped, and counted, until half of it is free: that is a gap.
 *
 * Lines stay whole. Of a line that a full disk has cut, the beginning is taken off a regular file again; where others
 * have appended to it meanwhile, or where the file was found cut, the half line is ended and the next one begins a line.
 * SIGPIPE, SIGXFSZ and SIGTTOU have to be ignored.
 */
struct outlet;

/* Begins an outlet to what `fd` leads to, which stays the caller's. NULL with errno set. */
struct outlet *outlet_open(int fd);

/* Writes whole lines, or keeps or drops them, without waiting. */
void outlet_put(struct outlet *outlet, const char *lines, size_t length);

/* Fills in what to poll for until the outlet has something to do. Returns in how many milliseconds it has even so; -1:
 * not before. */
int outlet_wait(const struct outlet *outlet, struct pollfd *fd);

/* Writes what waits, as far as that goes without waiting. */
void outlet_push(struct outlet *outlet);

/* Whether a gap ends here: what is put from now on is taken again. The caller says first how much is missing. */
bool outlet_gap_ends(struct outlet *outlet);

/* Ends a gap, if there is one, and takes one last line for which there is always room. */
void outlet_put_last(struct outlet *outlet, const char *line, size_t length);

/* Writes what waits, as long as something goes out every `stall` milliseconds, and no longer than ten times that. What
 * is left is lost. Returns whether nothing is. */
bool outlet_finish(struct outlet *outlet, int stall);

/* Lines that were lost so far. */
uint64_t outlet_lost(const struct outlet *outlet);

/* What the last write that failed has failed with, as a negative errno, -EAGAIN where it would have had to wait; 0: none
 * has. */
int outlet_error(const struct outlet *outlet);

/* A stream whose lines go to the outlet. NULL with errno set. The caller closes it first. */
FILE *outlet_stream(struct outlet *outlet);

void outlet_free(struct outlet *outlet); /* NULL is allowed */

#endif
