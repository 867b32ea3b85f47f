/* SPDX-License-Identifier: BSD-2-Clause */
/* A PID namespace for a command, in which no process outside has a number. */
#ifndef SNIF_PID_NAMESPACE_H
#define SNIF_PID_NAMESPACE_H

/*
 * The first process of the namespace is neither the command nor of its cgroup: it only takes in what is left by its
 * parents (pid_namespaces(7)). The command is a child of the caller like any other, in the caller's session and process
 * group, so that exit status, terminal and job control are as ever.
 */
struct pid_namespace {
	int init; /* the first process; 0: there is none */
	int own;  /* the caller's namespace. -1: children are made there */
};

/*
 * Makes a namespace: children of the calling process are made in it until pid_namespace_leave(), and threads cannot be
 * made meanwhile. When the caller dies, the namespace goes on as long as there are processes in it. Returns 0 or a
 * negative errno, then there is nothing to end.
 */
int pid_namespace_enter(struct pid_namespace *space);

/* Children are made in the caller's own namespace again. Returns 0 or a negative errno; then the caller can only end. */
int pid_namespace_leave(struct pid_namespace *space);

/* Ends the namespace: whatever is left in it is killed. Waits for that, but not for long. All zero, it does nothing. */
void pid_namespace_end(struct pid_namespace *space);

#endif
