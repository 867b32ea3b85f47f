/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules as YAML, good as an item of a list in a block as well as in brackets. */
#ifndef SNIF_RULE_TEXT_H
#define SNIF_RULE_TEXT_H

#include "policy/policy.h"

struct place {
	uint8_t address[16]; /* v4-mapped, as in the log */
	uint16_t port;
};

struct place_list {
	struct place *items;
	size_t count;
};

enum { RULE_TEXT_PLACE = 64 };

/* Writes `192.0.2.1:443` or `[2001:db8::1]:443`. */
void rule_text_place(const struct place *place, char out[RULE_TEXT_PLACE]);

/*
 * A host rule for a name, which is a good one: the name alone (`plain`) where `tls.to` and `tls.ports` of the policy
 * cover all places, else with the addresses or ports that were used. Both sort the places. NULL: out of memory; to be
 * freed with free().
 */
char *rule_text_host(const char *name, struct place_list *places, const struct policy *policy, bool *plain);

/* An address rule for places with one address. NULL: out of memory; to be freed with free(). */
char *rule_text_address(uint8_t protocol, struct place_list *places);

/* The same for places of a name, over TCP. */
char *rule_text_named(const char *name, struct place_list *places);

/* Whether the places, all of one address, are on this machine alone. */
bool rule_text_is_loopback(const struct place_list *places);

/* Of places on this machine, a port that the kernel has drawn and that never comes again: their rule names no ports.
 * 0: there is none. */
uint16_t rule_text_drawn_port(const struct place_list *places);

#endif
