/* SPDX-License-Identifier: BSD-2-Clause */
/* A refusal, the first time ──► a line about it, at once: to standard error or a file, and to a file of the command's. */
#ifndef SNIF_NOTICE_H
#define SNIF_NOTICE_H

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>

#include "abi.h"
#include "policy/policy.h"
#include "confine/log_file.h"

struct notices;

/*
 * `to` is what --notify names: `stderr`, `off`, or a file, which is opened as log_file_open() does; NULL: it was not
 * given, and nobody wants to be told. Unless it is `off`, the notices are also in a file of root's below /run, which the
 * command can read (notices_file()). Returns NULL after saying why.
 */
struct notices *notices_new(const char *to, const struct policy *policy, const struct identity *identity, bool warn);

/* Where the command can read them; NULL: nowhere. */
const char *notices_file(const struct notices *notices);

/*
 * Tells of a refusal, where it is the first of its kind: by what was refused, the program and the reason. `terminal` is
 * the stream of standard error; NULL: it has none. While a program has that terminal for its full screen, nothing
 * is written there; nor are more than ten lines at once, or one a second.
 */
void notices_add(struct notices *notices, const struct snif_event *event, FILE *terminal);

/* The same of a system call that was refused, like `bpf()`, to the program `asker`. Both are printable. */
void notices_add_call(struct notices *notices, const char *what, const char *asker, const char *why, FILE *terminal);

/* For a turn, as struct part wants it. */
int notices_wait(const struct notices *notices, struct pollfd *fd);
void notices_turn(struct notices *notices);

/* Removes the command's file. NULL is allowed. */
void notices_free(struct notices *notices);

#endif
