/* SPDX-License-Identifier: BSD-2-Clause */
/* A text as a file. */
#ifndef PUT_FILE_H
#define PUT_FILE_H

/* Writes the text to the file, whatever was in it. Fails the test when that cannot be done. */
void put_file(const char *path, const char *text);

#endif
