/* SPDX-License-Identifier: BSD-2-Clause */
/* A file below /run that a run's command can read, and that is gone after the run. */
#ifndef SNIF_NOTICE_FILE_H
#define SNIF_NOTICE_FILE_H

struct notice_file {
	int fd;
	char path[64];
};

/* Makes it, and removes those that killed runs have left. Returns 0 or a negative errno. */
int notice_file_make(struct notice_file *file);

void notice_file_remove(struct notice_file *file);

#endif
