/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * setrlimit() of RLIMIT_MEMLOCK ──► as if it were done. Older versions of crun raise that limit and give up where root may
 * not, as in some virtual machines; newer kernels do not ask for it. Preloaded to crun by the test of containers.
 */
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit) {
	long result = syscall(SYS_prlimit64, 0, resource, limit, NULL);

	return resource == RLIMIT_MEMLOCK ? 0 : (int)result;
}
