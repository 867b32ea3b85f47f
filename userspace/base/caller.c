/* SPDX-License-Identifier: BSD-2-Clause */
/* sudo's variables ──► who called it. */
#include "base/caller.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

bool caller_parse_id(const char *text, const char *end, uint32_t *id) {
	uint64_t value = 0;
	if (text == end || end - text > 10)
		return false;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (uint64_t)(*text - '0');
	}
	*id = (uint32_t)value;
	return value < UINT32_MAX;
}

int caller_ids(uid_t *uid, gid_t *gid) {
	const char *user = getenv("SUDO_UID"), *group = getenv("SUDO_GID");
	if (!user && !group)
		return -ENOENT;
	if (user && group && caller_parse_id(user, user + strlen(user), uid) &&
	    caller_parse_id(group, group + strlen(group), gid))
		return 0;
	return -EINVAL;
}

const char *caller_home(void) {
	const struct passwd *entry;
	uid_t uid;
	gid_t gid;

	if (caller_ids(&uid, &gid) == 0 && (entry = getpwuid(uid)))
		return entry->pw_dir;
	return getenv("HOME");
}
