/* SPDX-License-Identifier: BSD-2-Clause */
/* --user or sudo's variables ──► uid, gid and groups ──► the process that becomes the command. */
#include "confine/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/caller.h"
#include "base/message.h"

/* The entry of a name, or else of a uid. NULL and 0: there is none; NULL and a negative errno: that cannot be told. */
static const struct passwd *find_entry(const char *name, uid_t uid, int *error) {
	static const int failures[] = {EINTR, EIO, EMFILE, ENFILE, ENOMEM, ERANGE}; /* by getpwnam(3); others vary */

	errno = 0;
	const struct passwd *entry = name ? getpwnam(name) : getpwuid(uid);
	*error = 0;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]) && !entry; i++)
		if (errno == failures[i])
			*error = -errno;
	if (*error && name)
		message_error("cannot look for the user %s: %s", name, strerror(-*error));
	else if (*error)
		message_error("cannot look for uid %u: %s", uid, strerror(-*error));
	return entry;
}

static int list_groups(struct identity *identity) {
	identity->group_count = 0;
	getgrouplist(identity->name, identity->gid, NULL, &identity->group_count);
	identity->groups = calloc((size_t)identity->group_count + 1, sizeof(gid_t));
	if (!identity->groups)
		return -ENOMEM;
	return getgrouplist(identity->name, identity->gid, identity->groups, &identity->group_count) < 0 ? -EAGAIN : 0;
}

static int one_group(struct identity *identity) {
	identity->groups = malloc(sizeof(gid_t));
	if (!identity->groups)
		return -ENOMEM;
	identity->groups[0] = identity->gid;
	identity->group_count = 1;
	return 0;
}

/* Fills in what passwd and group say of the uid; `entry` can be NULL. `all_groups`: not the gid alone. */
static int complete(struct identity *identity, const struct passwd *entry, bool all_groups) {
	identity->change = true;
	identity->home = strdup(entry ? entry->pw_dir : "/");
	identity->name = entry ? strdup(entry->pw_name) : NULL;
	int error = !identity->home || (entry && !identity->name) ? -ENOMEM : 0;
	if (!error)
		error = entry && all_groups ? list_groups(identity) : one_group(identity);
	if (!error)
		return 0;
	message_error("cannot list the groups of uid %u: %s", identity->uid, strerror(-error));
	identity_free(identity);
	return error;
}

static int from_entry(struct identity *identity, const struct passwd *entry) {
	identity->uid = entry->pw_uid;
	identity->gid = entry->pw_gid;
	return complete(identity, entry, true);
}

/* By uid alone; `all_groups` as in complete(). */
static int from_uid(struct identity *identity, bool all_groups) {
	int error;
	const struct passwd *entry = find_entry(NULL, identity->uid, &error);

	return error ? error : complete(identity, entry, all_groups);
}

static int from_option(const char *user, struct identity *identity) {
	int error;
	const char *colon = strchr(user, ':');
	bool number = caller_parse_id(user, colon ? colon : user + strlen(user), &identity->uid);

	if (colon) {
		if (number && caller_parse_id(colon + 1, colon + strlen(colon), &identity->gid))
			return from_uid(identity, false);
		message_error("--user %s: write a user's name, a UID, or UID:GID in numbers", user);
		return -EINVAL;
	}
	const struct passwd *entry = find_entry(number ? NULL : user, identity->uid, &error);
	if (entry || error)
		return entry ? from_entry(identity, entry) : error;
	if (number)
		message_error("--user %s: this uid is nobody's here, so its group is not known: write UID:GID", user);
	else
		message_error("--user %s: there is no user of this name", user);
	return -EINVAL;
}

int identity_resolve(const char *user, struct identity *identity) {
	*identity = (struct identity){0};
	if (user)
		return from_option(user, identity);
	int error = caller_ids(&identity->uid, &identity->gid);
	if (!error)
		return from_uid(identity, true);
	if (error == -ENOENT)
		return 0;
	message_error("SUDO_UID and SUDO_GID do not both hold a number: say whom to run the command as with --user");
	return error;
}

static int set_variables(const struct identity *identity) {
	int error = setenv("HOME", identity->home, 1);

	if (identity->name)
		error = error || setenv("USER", identity->name, 1) || setenv("LOGNAME", identity->name, 1);
	else
		error = error || unsetenv("USER") || unsetenv("LOGNAME");
	return error ? -errno : 0;
}

int identity_assume(const struct identity *identity) {
	if (!identity->change)
		return 0;
	if (setgroups((size_t)identity->group_count, identity->groups) ||
	    setresgid(identity->gid, identity->gid, identity->gid) ||
	    setresuid(identity->uid, identity->uid, identity->uid))
		return -errno;
	return set_variables(identity);
}

void identity_free(struct identity *identity) {
	free(identity->groups);
	free(identity->name);
	free(identity->home);
	*identity = (struct identity){0};
}
