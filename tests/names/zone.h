/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A zone like a content network's, and resolvers of Debian that ask for it. BIND serves it: zero.lab.test and
 * day.lab.test lead over five aliases to eight addresses of each family, which rotate; the one for no time, the other
 * for a day; and so does every name below wild.lab.test, for no time. twin.lab.test and other.lab.test are at one of
 * these addresses. db.lab.test, ssh.lab.test, mirror.lab.test and elsewhere.lab.test are at ZONE_HOST.
 */
#ifndef SNIF_ZONE_H
#define SNIF_ZONE_H

#define ZONE_RESOLVER "203.0.113.1"
#define ZONE_HOST "198.51.100.1"

struct zone_resolver {
	const char *program;
	void (*start)(void);
};

enum { ZONE_RESOLVERS = 3 };
extern const struct zone_resolver zone_resolvers[ZONE_RESOLVERS];

/*
 * Enters the lab with the zone's addresses, each with a server, and has resolv.conf name the resolver, with `more` as
 * further lines of it. Starts BIND and the resolver, and waits until it answers; skips the test where one is missing.
 */
void zone_enter(const struct zone_resolver *resolver, const char *more);
/* The teardown. */
int zone_leave(void **state);
/* Whether the resolver was asked for a name with this in it. */
int zone_was_asked(const char *part);

#endif
