/* SPDX-License-Identifier: BSD-2-Clause */
/* The bytes of a log: a plain or gzip-compressed file or pipe, read to its end or followed beyond it. */
#ifndef SNIF_LOG_SOURCE_H
#define SNIF_LOG_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct log_source;

/*
 * Opens `path`, or standard input for `-`. A followed file is read on after its end: when it is replaced under its path
 * (rotation) or gets shorter (truncation), reading begins anew. Returns NULL with errno set.
 */
struct log_source *log_source_open(const char *path, bool follow);

/*
 * Reads and, where the first byte says gzip, decompresses up to `room` bytes. Returns how many; 0 at the end, which for
 * a followed file or pipe is only the end for now; or a negative errno: -EBADMSG when the compressed data is damaged,
 * -ENODATA when it ends too early, -ESTALE when the next bytes are the first ones of a file begun anew.
 */
ssize_t log_source_read(struct log_source *source, char *bytes, size_t room);

/* Whether the end is the end: the source is not followed, or is a pipe whose writers have closed it. */
bool log_source_ended(const struct log_source *source);

/* Waits until a followed source may have more, or `milliseconds` have passed, or a signal came. */
void log_source_wait(struct log_source *source, int milliseconds);

/* A descriptor to be polled for POLLIN by who waits for other things as well; -1: a file, to be looked at again after
 * LOG_SOURCE_INTERVAL milliseconds. */
enum { LOG_SOURCE_INTERVAL = 250 };
int log_source_fd(const struct log_source *source);

/* How many bytes were read, as stored. */
uint64_t log_source_bytes(const struct log_source *source);

/* Why log_source_open() or log_source_read() failed with this errno (positive). Static text. */
const char *log_source_error(int error);

void log_source_close(struct log_source *source);

#endif
