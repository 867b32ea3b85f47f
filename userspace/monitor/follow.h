/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of policies that are in force, those that they name, and resolv.conf ──► reloaded when they change. */
#ifndef SNIF_FOLLOW_H
#define SNIF_FOLLOW_H

struct follow;

/* NULL with errno set. */
struct follow *follow_new(void);

/* Looks for policies that have come, and reloads those whose files have changed. To be called now and then, and when
 * follow_fd() is ready. Says what it has done. */
void follow_turn(struct follow *follow);

/* A descriptor to poll: something has changed in a folder that has to do with it. */
int follow_fd(const struct follow *follow);
/* In how many milliseconds follow_turn() has something to do; -1: not before the descriptor is ready. */
int follow_wait(const struct follow *follow);

void follow_free(struct follow *follow); /* NULL is allowed */

#endif
