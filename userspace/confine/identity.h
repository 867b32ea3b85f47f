/* SPDX-License-Identifier: BSD-2-Clause */
/* Whom the command runs as: --user, or who called sudo, or who called snifence. */
#ifndef SNIF_IDENTITY_H
#define SNIF_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct identity {
	bool change; /* false: the command stays who snifence is, with all its groups and its environment */
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* owned */
	int group_count;
	char *name, *home; /* owned; name is NULL for a uid without passwd entry, and home is then "/" */
};

/*
 * Settles the identity. `user` is the argument of --user: a name, a uid, or uid:gid (then without any other group);
 * NULL: caller_ids(), where there is one. Returns 0, or -EINVAL or another negative errno after saying why; then
 * there is nothing to free.
 */
int identity_resolve(const char *user, struct identity *identity);

/* Becomes it: groups, gid, uid; HOME, USER and LOGNAME. Cannot be undone. Returns 0 or a negative errno. */
int identity_assume(const struct identity *identity);

void identity_free(struct identity *identity);

#endif
