/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole files in memory, a folder's entries, and the end of a stream. */
#ifndef SNIF_FILE_H
#define SNIF_FILE_H

#include <dirent.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Reads the regular file `path`, or the pipe that a shell's <(command) stands for, of at most `limit` bytes. Returns its
 * bytes with a NUL behind them, to be freed with free(), and their number in `length`; or NULL and one line about why in
 * `message` (static text, until the next call), which goes on from "cannot be read: ".
 */
char *file_read(const char *path, size_t limit, size_t *length, const char **message);

/* The same for what a stream, like a pipe, has to its end. */
char *file_read_stream(FILE *stream, size_t limit, size_t *length, const char **message);

/*
 * Opens a file, a device or a pipe for reading, and does not wait for whoever writes to a FIFO. Returns a descriptor, or
 * -1 with errno set: ESPIPE for a FIFO with a name. A pipe that is open already and is named by /dev/fd (as a shell's
 * <(command) is) can be read.
 */
int file_open(const char *path);
/* The same for every FIFO, which reads as empty until somebody writes to it; to be waited for by poll(). */
int file_open_any(const char *path);
/* What is wrong with a file, for the errno of these. */
const char *file_error(int error);

/* As readdir(), which says the same of an error as of the end: then `*error` becomes a negative errno. */
struct dirent *next_entry(DIR *folder, int *error);

/* Writes what waits in the stream. Returns 0, or a negative errno when that, or anything before, could not be written. */
int stream_flush(FILE *stream);

/* Closes the stream. Returns 0, or a negative errno as stream_flush(); NULL is one that was not opened: that errno. */
int stream_close(FILE *stream);

#endif
