/* SPDX-License-Identifier: BSD-2-Clause */
/* One operation by io_uring, without liburing: it is all that the tests need of it. */
#ifndef SNIF_EVASION_URING_H
#define SNIF_EVASION_URING_H

#include <linux/io_uring.h>

/*
 * Runs an operation (IORING_OP_*) on `fd` with the fields of its submission entry of those names, and waits for its
 * end. Returns its result, which is a negative errno when it failed; -ENOSYS or -EPERM also when there is no io_uring.
 */
int uring_do(unsigned char operation, int fd, const void *address, unsigned length, unsigned long long offset);

#endif
