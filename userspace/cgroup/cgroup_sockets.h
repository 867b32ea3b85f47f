/* SPDX-License-Identifier: BSD-2-Clause */
/* A cgroup ──► each process in it and below ──► its threads, and each socket that it holds. */
#ifndef SNIF_CGROUP_SOCKETS_H
#define SNIF_CGROUP_SOCKETS_H

#include <sys/types.h>

/* Calls `each` for every process of the cgroup whose directory is `cgroup_fd`, and of those below; also where only one
 * of its threads is in there. */
void cgroup_each_process(int cgroup_fd, void (*each)(void *context, pid_t pid), void *context);

/* The same for every thread of the process, by whose number /proc has a folder, too. */
void process_each_thread(pid_t pid, void (*each)(void *context, pid_t thread), void *context);

/*
 * Calls `each` with every socket that the process holds, as a descriptor that lasts until `each` returns; one that several
 * threads hold in descriptors of their own may come more than once. Needs the right to trace the process (pidfd_getfd,
 * Linux 5.6). Returns 0; or a negative errno where a socket could not be looked at: -EOPNOTSUPP where only a thread other
 * than the first has it (PIDFD_THREAD, Linux 6.9).
 */
int process_each_socket(pid_t pid, void (*each)(void *context, pid_t pid, int socket), void *context);

/* What such an error says. */
const char *process_socket_error(int error);

/* The same of all processes of the cgroup. */
int cgroup_each_socket(int cgroup_fd, void (*each)(void *context, pid_t pid, int socket), void *context);

#endif
