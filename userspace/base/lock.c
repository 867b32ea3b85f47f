/* SPDX-License-Identifier: BSD-2-Clause */
/* A file ──► its lock, within a time. */
#include "base/lock.h"

#include <errno.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"

enum { AGAIN_US = 5000 };

int lock_within(int fd, int patience) {
	long end = clock_ms() + patience;

	if (patience < 0)
		return flock(fd, LOCK_EX) ? -errno : 0;
	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK)
			return -errno;
		if (clock_ms() >= end)
			return -EBUSY;
		usleep(AGAIN_US);
	}
	return 0;
}
