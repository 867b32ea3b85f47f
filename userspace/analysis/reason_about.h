/* SPDX-License-Identifier: BSD-2-Clause */
/* A reason ──► what it says about its cause, what usually is one, and what to do. */
#ifndef SNIF_REASON_ABOUT_H
#define SNIF_REASON_ABOUT_H

#include "reason.h"

enum reason_class {
	REASON_UNKNOWN,	   /* a reason that this version does not know */
	REASON_ALLOWED,	   /* let through */
	REASON_NO_RULE,	   /* a rule would allow it, if it is wanted */
	REASON_DENY_RULE,  /* the policy says no in so many words */
	REASON_UNUSUAL,	   /* no good ClientHello, as old, broken or other software sends it, and an attacker could */
	REASON_ELSEWHERE,  /* an allowed name sent to an address that is not its: an old list or cache, or an attempt */
	REASON_LONG_HELLO, /* a ClientHello longer than the policy takes, as a large session ticket makes it */
	REASON_ATTACK,	   /* what no usual program sends: made to be misread, or to go around the filter */
	REASON_FILTER,	   /* the filter itself lacked something, or cannot do it */
};

/* Static texts, one sentence or two each; NULL for a reason that this version does not know. */
struct reason_about {
	enum reason_class class;
	const char *causes; /* what usually leads to it */
	const char *advice; /* what to do */
};

struct reason_about reason_about(enum snif_reason reason);

/* What stands in the place of a reason where a system call was refused, before there was any packet: in notices and
 * summaries, and in no event. */
#define SYSTEM_CALL "system_call"
#define SYSTEM_CALL_TEXT "the confinement refuses a system call that could lead around the filter"
extern const struct reason_about system_call_about;

/* What a refusal says about its cause: a rule that is missing, or somebody who tries to get around the filter. */
enum reason_class reason_class(enum snif_reason reason);

#endif
