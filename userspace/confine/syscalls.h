/* SPDX-License-Identifier: BSD-2-Clause */
/* The system calls that would lead around the filter are refused. */
#ifndef SNIF_SYSCALLS_H
#define SNIF_SYSCALLS_H

#include <linux/filter.h>
#include <linux/seccomp.h>
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
 * no_new_privs; takes no memory. The last step before exec: it refuses calls that earlier steps may need. With
 * `listener`, that gets a descriptor where calls that programs hardly do without wait for their refusal
 * (SECCOMP_IOCTL_NOTIF_RECV), or a negative errno where there is none, and they are refused as the rest. Returns 0 or a
 * negative errno.
 */
int syscalls_refuse(const struct syscalls *syscalls, int *listener);

struct refused_call {
	char name[32];
	int number; /* this machine's; of another ABI's call of the same name too */
	int error;  /* that it is to be refused with */
	const char *why;
};

/* What there is to say of a call that waits for its refusal. */
void syscalls_tell(const struct syscalls *syscalls, const struct seccomp_data *data, struct refused_call *call);

#endif
