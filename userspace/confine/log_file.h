/* SPDX-License-Identifier: BSD-2-Clause */
/* The file that --log of a run, or --output of monitor, names. */
#ifndef SNIF_LOG_FILE_H
#define SNIF_LOG_FILE_H

#include <stdbool.h>

#include "confine/identity.h"

/* What a file that is written to is called, and how it begins where it is not empty (NULL: with anything). */
struct log_file_kind {
	const char *words, *beginning;
};

extern const struct log_file_kind log_file_of_events;

struct log_file {
	const char *name;
	int fd;	    /* O_CLOEXEC */
	bool named; /* by a path, where another file can come to stand */
};

/*
 * Opens a log, or what `kind` is, for appending: `-` is standard error; /dev/stdout, /dev/fd/9 and the like are what
 * the caller has open there. Not through any other symbolic link but root's, which somebody else may have put there. A
 * file that is made belongs to root, as the command may not change what is said of it; who called sudo can read it.
 * With `warn` it says where the command, which runs as `identity`, can put another file in its place. Returns 0, or -1
 * after saying why.
 */
int log_file_open(struct log_file *log, const struct log_file_kind *kind, const char *file,
		  const struct identity *identity, bool warn);

/* Whether its name still leads to the file that was opened. */
bool log_file_in_place(const struct log_file *log);

#endif
