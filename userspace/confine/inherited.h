/* SPDX-License-Identifier: BSD-2-Clause */
/* Open files that snifence was started with ──► those that its command may have. */
#ifndef SNIF_INHERITED_H
#define SNIF_INHERITED_H

#include <stdbool.h>
#include <stddef.h>

enum { INHERITED_MOST = 256 };

struct inherited {
	int fds[INHERITED_MOST];
	size_t count;
};

/*
 * Notes what is open beyond standard error and can stay: pipes, as of a shell's <(command) and make's jobserver, and
 * regular files of file systems that hold nothing else. A socket from outside is under no filter; devices, directories
 * and files of the kernel's own file systems lead elsewhere. Before anything else is opened.
 */
void inherited_note(struct inherited *inherited);

/* Takes variables out of the environment that tell of descriptors which do not stay. */
void inherited_clean_environment(const struct inherited *inherited);

/* Has them stay open at exec. Returns 0 or a negative errno. */
int inherited_keep(const struct inherited *inherited);

#endif
