/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings ──► lines on standard output. */
#include "finding.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 3, BYTES_SHOWN = 48 };

static const struct {
	const char *word, *text;
} texts[] = {
#define X(constant, word, text) {word, text},
	FINDINGS(X)
#undef X
};

static unsigned counts[FINDING_COUNT];

static bool is_known(enum finding finding) {
	const char *known = getenv("STORM_KNOWN"), *word = texts[finding].word, *at = known;
	size_t length = strlen(word);

	while (at && (at = strstr(at, word))) {
		if ((at == known || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
			return true;
		at += length;
	}
	return false;
}

static void print_packet(const struct wire *wire) {
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
	const uint8_t *bytes = wire->payload ? wire->payload : wire->body;
	size_t length = wire->payload ? wire->payload_length : wire->length;

	inet_ntop(AF_INET6, wire->source, from, sizeof(from));
	inet_ntop(AF_INET6, wire->destination, to, sizeof(to));
	printf("    IPv%d protocol %u, %s port %u to %s port %u, flags %#x, %zu bytes:", wire->ipv6 ? 6 : 4,
	       wire->protocol, from, wire->source_port, to, wire->destination_port, wire->flags, length);
	for (size_t i = 0; i < length && i < BYTES_SHOWN; i++)
		printf(" %02x", bytes[i]);
	putchar('\n');
}

void finding_tell(enum finding finding, const struct wire *wire) {
	if (counts[finding]++ >= SHOWN)
		return;
	printf("  found: %s: %s%s\n", texts[finding].word, texts[finding].text, is_known(finding) ? " (known)" : "");
	if (wire && wire->body)
		print_packet(wire);
}

unsigned finding_count(enum finding finding) {
	return counts[finding];
}

unsigned finding_sum(void) {
	unsigned count = 0;

	for (int i = 0; i < FINDING_COUNT; i++)
		if (!is_known(i))
			count += counts[i];
	return count;
}

void finding_summary(void) {
	for (int i = 0; i < FINDING_COUNT; i++)
		if (counts[i])
			printf("  %s: %u\n", texts[i].word, counts[i]);
}
