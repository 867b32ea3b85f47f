/* SPDX-License-Identifier: BSD-2-Clause */
/* The system calls that would lead around the filter are refused. */
#ifndef SNIF_SYSCALLS_H
#define SNIF_SYSCALLS_H

#include <linux/filter.h>
#include <stdbool.h>

/* A seccomp filter, ready to be installed. */
struct syscalls {
	unsigned short count; /* 0: none; the kernel refuses such a one */
	struct sock_filter instructions[BPF_MAXINSNS];
};

/*
 * Makes the filter: everything is let through except what syscalls.c lists, with an errno that programs know how to live
 * with. `scoped`: signals do not leave the command anyway (scope.h); otherwise those to a whole process group are
 * refused. It is made twice, by a process that ends with it: libseccomp(3) does not look whether all of its allocations
 * succeed, and a filter that lacks a rule would lack it in silence. Returns 0 or a negative errno; ENOMEM also where
 * that process crashed or went on for ever, or the two differ.
 */
int syscalls_compile(bool scoped, struct syscalls *syscalls);

/*
 * Installs it for the calling process and all that it will start (seccomp(2)); it cannot be taken off. Sets
 * no_new_privs; takes no memory. The last step before exec: it refuses calls that earlier steps may need. Returns 0 or a
 * negative errno.
 */
int syscalls_refuse(const struct syscalls *syscalls);

#endif
