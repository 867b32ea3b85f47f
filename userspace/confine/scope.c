/* SPDX-License-Identifier: BSD-2-Clause */
/* A process ──► one that reaches no process outside of itself and what it starts. */
#include "confine/scope.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's, which older headers lack in part: linux/landlock.h. */
struct ruleset {
	uint64_t handled_files, handled_network, scoped;
};

enum { ASK_VERSION = 1, ABSTRACT_SOCKETS = 1, SIGNALS = 2 };

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self 446
#endif

int scope_abi(void) {
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);

	if (abi < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	return (int)abi;
}

/*
 * Before ABI 6 a ruleset has to restrict some access to files, and as soon as it does, a process in the domain can
 * mount nothing, not even in a user namespace of its own. That would cost more than it would close.
 */
int scope_enter(void) {
	const struct ruleset ruleset = {.scoped = ABSTRACT_SOCKETS | SIGNALS};
	int abi = scope_abi(), error = 0;

	if (abi < SCOPE_ABI)
		return abi < 0 ? abi : 0;
	int fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, sizeof(ruleset), 0);
	if (fd < 0)
		return -errno;
	if (syscall(SYS_landlock_restrict_self, fd, 0))
		error = -errno;
	close(fd);
	return error ? error : 1;
}
