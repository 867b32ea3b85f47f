/* SPDX-License-Identifier: BSD-2-Clause */
/* What a container runtime tells a hook on its standard input (OCI runtime specification, State). */
#ifndef SNIF_OCI_STATE_H
#define SNIF_OCI_STATE_H

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

enum oci_stage { OCI_START, OCI_STOPPED };

struct oci_state {
	enum oci_stage stage;
	char *id;
	pid_t pid;    /* of the container's first process, while it starts */
	char *policy; /* the name in its annotation; NULL: it has none */
	char *space;  /* the namespace of Kubernetes in which its pod is; NULL: it is in none */
};

#define OCI_ANNOTATION "snifence.policy"

/* Reads it. Returns 0; or -EINVAL or -ENOMEM after saying what is wrong. What was read is freed with the function below. */
int oci_state_read(const char *text, size_t length, struct oci_state *state);
void oci_state_free(struct oci_state *state);

/*
 * The file of the policy that a container is to have: FOLDER/NAME.yaml of the annotation; else, where they are there,
 * FOLDER/namespace.SPACE.yaml, FOLDER/default.yaml. Returns 1; 0 when none is asked for and there is no default; or -EINVAL
 * after saying why. An annotation is a name and no path, as whoever may start a container is not to choose among the
 * machine's files. Where FOLDER has a file `.synced`, what keeps the folder as its source is touches that: a container that
 * names a policy does not start when that was over a minute ago, as the policy may not be what it should be any more.
 */
int oci_policy(const char *folder, const struct oci_state *state, char file[PATH_MAX]);

/*
 * Cuts the path of the first process's cgroup to that of the container: below the last part that is the container's id, as
 * in /machine.slice/libpod-ID.scope/container, is what belongs to the container's inside. A part that only has the
 * letters of the id in it is another's: who starts a container can choose an id like `m`.
 */
void oci_container_cgroup(char *path, const char *id);

#endif
