/* SPDX-License-Identifier: BSD-2-Clause */
/* A cgroup ──► each process in it and below ──► each socket that it holds. */
#ifndef SNIF_CGROUP_SOCKETS_H
#define SNIF_CGROUP_SOCKETS_H

#include <sys/types.h>

/* Calls `each` for every process of the cgroup whose directory is `cgroup_fd`, and of those below. */
void cgroup_each_process(int cgroup_fd, void (*each)(void *context, pid_t pid), void *context);

/* Calls `each` with every socket that the process holds, as a descriptor that lasts until `each` returns. Needs the
 * right to trace the process (pidfd_getfd, Linux 5.6). */
void process_each_socket(pid_t pid, void (*each)(void *context, pid_t pid, int socket), void *context);

/* Both. */
void cgroup_each_socket(int cgroup_fd, void (*each)(void *context, pid_t pid, int socket), void *context);

#endif
