/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers ──► policies, and questions about them that hit their rules and what lies beside these. */
#ifndef SNIF_STORM_AGREE_DRAW_H
#define SNIF_STORM_AGREE_DRAW_H

#include "random.h"

/* Draws a policy, as YAML: the caller frees it. It may contradict itself; then draw another one. */
char *agree_policy(struct random *random);

enum { AGREE_NAME = 300, AGREE_ADDRESS = 64 };

struct agree_question {
	char host[AGREE_NAME]; /* as the client sends it; "": it sends no name */
	char address[AGREE_ADDRESS];
	uint16_t port;
	bool udp;
	bool fast; /* TCP: the hello leaves in the SYN, as nobody may listen there */
};

void agree_question(struct random *random, struct agree_question *question);

#endif
