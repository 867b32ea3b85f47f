/* SPDX-License-Identifier: BSD-2-Clause */
/* The path of a log ──► the folder that it is in, by no link that somebody else than root has laid. */
#ifndef SNIF_LOG_PLACE_H
#define SNIF_LOG_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "confine/identity.h"

struct log_place {
	int folder;		 /* O_PATH, O_CLOEXEC; the caller closes it */
	char name[NAME_MAX + 1]; /* of the file in it */
	char writable[PATH_MAX]; /* the first folder on the way that the identity can write to; "": there is none */
};

/*
 * Finds the folder of `file`. Symbolic links on the way are followed where they are root's: others can be laid by who
 * wants root to write elsewhere. Returns 0 or a negative errno; -EMLINK where there is such a link.
 */
int log_place_find(struct log_place *place, const char *file, const struct identity *identity);

/* What is wrong with a place, for the negative errno of the above or of a file in it. */
const char *log_place_error(int error);

/* Whether a process of this identity may write to the file or folder, by its mode; root always may, which is not meant.
 * In a sticky folder it may do nothing to what is not its own. */
bool log_place_writable(const struct stat *status, const struct identity *identity);

#endif
