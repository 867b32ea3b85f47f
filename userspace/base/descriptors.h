/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers that open files have: those of the standard ones taken, and how many are left. */
#ifndef SNIF_DESCRIPTORS_H
#define SNIF_DESCRIPTORS_H

/*
 * Opens /dev/null in place of a standard input, output or error that is closed, so that no file opened later takes its
 * number. Returns 0 or a negative errno, also when there is no /dev/null and nothing was closed.
 */
int descriptors_fill_standard(void);

/* What a run has open at once, with room for what is inside its view. */
enum { DESCRIPTORS_OF_A_RUN = 64 };

/* How many files can still be opened, at most, by RLIMIT_NOFILE. */
int descriptors_left(void);

#endif
