/* SPDX-License-Identifier: BSD-2-Clause */
/* What the programs of a log have used: names, addresses, and what cannot be told from either. */
#ifndef SNIF_SIGHTINGS_H
#define SNIF_SIGHTINGS_H

#include "analysis/leaders.h"
#include "analysis/rule_text.h"
#include "event/event_read.h"

struct usage {
	uint64_t count;
	int64_t first, last; /* microseconds since 1970 */
	struct leaders processes;
};

enum sighting_kind {
	SEEN_NAME,	  /* a hostname, and where it was asked for; TCP */
	SEEN_NAMED,	  /* a hostname by which a lookup had told the address, and where it was used; TCP */
	SEEN_DESTINATION, /* an address with a protocol, and the ports */
	SEEN_ELSEWHERE,	  /* as SEEN_NAME, at places where the name's rule did not allow it */
	SEEN_LOOKUP,	  /* a hostname that was not to be looked up */
	SEEN_OTHER,	  /* what a rule should not be made of */
};

struct sighting {
	enum sighting_kind kind;
	uint8_t protocol;   /* IPPROTO_TCP or IPPROTO_UDP; of SEEN_LOOKUP and SEEN_OTHER: 0 */
	bool cut_short;	    /* of SEEN_LOOKUP: it was refused, so that nothing came of it that could be seen */
	const char *text;   /* the name, the address, or what was seen; printable ASCII */
	const char *reason; /* of the first event: its code */
	struct usage usage;
	struct place_list places; /* no two alike, in the order of the log; of SEEN_LOOKUP and SEEN_OTHER: none */
};

struct sightings;

/* Different places that are kept in all, and different things that no rule can be made of. */
enum { SIGHTINGS_MAX = 200000, SIGHTINGS_OTHER_MAX = 1000 };

struct sightings *sightings_new(void); /* NULL: out of memory */

/*
 * Adds what an event says: of the names and addresses that were allowed, for which there was no rule, or only one for
 * other places, and of the hosts that were not to be looked up; everything else that has a verdict is SEEN_OTHER, beyond
 * SIGHTINGS_OTHER_MAX only counted. Returns 0; -ENOMEM; or -E2BIG when there would be more than SIGHTINGS_MAX places.
 */
int sightings_add(struct sightings *sightings, const struct log_event *event);

/* Notes what an answer says of addresses: which name they have from here on, where no TLS tells one. Returns 0 or
 * -ENOMEM. */
int sightings_answer(struct sightings *sightings, const struct log_event *event);

/*
 * All of them: names by their labels from the right, so that those of a domain are neighbours, then addresses, then the
 * others by reason and text. NULL when memory is out; else an array of `count` to be freed with free(), whose items
 * live as long as `sightings`.
 */
const struct sighting **sightings_sorted(const struct sightings *sightings, size_t *count);

uint64_t sightings_beyond(const struct sightings *sightings); /* events of SEEN_OTHER that were only counted */

/* Adds `from` to `usage`. Returns 0 or -ENOMEM. */
int usage_add(struct usage *usage, const struct usage *from);

void sightings_free(struct sightings *sightings);

#endif
