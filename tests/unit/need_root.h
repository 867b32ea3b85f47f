/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests that change the machine's state for a moment need root; elsewhere they skip, and say so. */
#ifndef SNIF_NEED_ROOT_H
#define SNIF_NEED_ROOT_H

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Skips the test without root. */
static inline void need_root(void) {
	if (geteuid() == 0)
		return;
	print_message("skipped: needs root\n");
	skip();
}

/* Skips also where the newer system calls are missing: valgrind does not know all of those for mounts and processes. */
static inline void need_root_and_mounts(void) {
	need_root();
	if (syscall(SYS_fsopen, NULL, 0) == 0 || errno != ENOSYS)
		return;
	print_message("skipped: needs fsopen(), which is not there\n");
	skip();
}

#endif
