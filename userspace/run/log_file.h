/* SPDX-License-Identifier: BSD-2-Clause */
/* The file that --log names. */
#ifndef SNIF_LOG_FILE_H
#define SNIF_LOG_FILE_H

#include <stdio.h>

/*
 * Opens the log for appending: `-` is standard error; /dev/stdout, /dev/fd/9 and the like are what the caller has open
 * there. Not through any other symbolic link, which somebody else may have put there. A file that is made belongs to
 * root, as the command may not change what is said of it; who called sudo can read it. The stream is unbuffered. NULL
 * after saying why.
 */
FILE *log_file_open(const char *file);

#endif
