/* SPDX-License-Identifier: BSD-2-Clause */
/* Port lists of rules ──► what they say together of each port. */
#include "compile/port_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int allocate(size_t spans, struct port_map *out) {
	out->spans = calloc(spans, sizeof(*out->spans));
	out->count = 0;
	return out->spans ? 0 : -ENOMEM;
}

static bool same_value(const struct port_span *a, const struct port_span *b) {
	return a->rank == b->rank && memcmp(a->zones, b->zones, sizeof(a->zones)) == 0;
}

/* Adds a span behind the last one, into which it goes when it says the same. */
static void append(struct port_map *map, const struct port_span *span) {
	if (map->count == 0 || !same_value(&map->spans[map->count - 1], span))
		map->spans[map->count++] = *span;
}

int port_map_empty(struct port_map *out) {
	if (allocate(1, out) < 0)
		return -ENOMEM;
	out->count = 1;
	return 0;
}

int port_map_of(const struct port_list *ports, uint32_t rank, size_t zone, struct port_map *out) {
	struct port_span nothing = {0}, covered = {.rank = rank};
	uint32_t end = 0;

	if (rank == 0)
		covered.zones[zone / 64] |= 1ULL << zone % 64;
	if (allocate(2 * ports->count + 1, out) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < ports->count; i++) {
		nothing.first = end;
		covered.first = ports->items[i].first;
		if (covered.first > end)
			append(out, &nothing);
		append(out, &covered);
		end = ports->items[i].last + 1U;
	}
	nothing.first = end;
	if (end < PORT_COUNT)
		append(out, &nothing);
	return 0;
}

static struct port_span merge_spans(enum port_merge how, const struct port_span *a, const struct port_span *b) {
	struct port_span span = *a;

	if (a->rank == 0 || (how == PORT_MERGE_EQUALS && b->rank != 0 && b->rank < a->rank))
		span.rank = b->rank;
	for (size_t i = 0; i < SNIF_ZONES / 64; i++)
		span.zones[i] = span.rank == 0 ? span.zones[i] | b->zones[i] : 0;
	return span;
}

int port_map_merge(enum port_merge how, const struct port_map *a, const struct port_map *b, struct port_map *out) {
	size_t i = 0, j = 0;
	uint32_t first = 0;

	if (allocate(a->count + b->count, out) < 0)
		return -ENOMEM;
	while (first < PORT_COUNT) {
		struct port_span span = merge_spans(how, &a->spans[i], &b->spans[j]);
		uint32_t end_a = port_map_end(a, i), end_b = port_map_end(b, j);

		span.first = first;
		append(out, &span);
		first = end_a < end_b ? end_a : end_b;
		i += end_a == first;
		j += end_b == first;
	}
	return 0;
}

int port_map_merge_all(struct port_map *maps, size_t count, struct port_map *out) {
	int error = 0;

	for (; count > 1; count = (count + 1) / 2) {
		for (size_t i = 0; i < count / 2; i++) {
			struct port_map merged = {0};

			error = error ? error
				      : port_map_merge(PORT_MERGE_EQUALS, &maps[2 * i], &maps[2 * i + 1], &merged);
			port_map_free(&maps[2 * i]);
			port_map_free(&maps[2 * i + 1]);
			maps[i] = merged;
		}
		if (count % 2)
			maps[count / 2] = maps[count - 1];
	}
	if (error)
		port_map_free(&maps[0]);
	else
		*out = maps[0];
	return error;
}

int port_map_copy(const struct port_map *map, struct port_map *out) {
	if (allocate(map->count, out) < 0)
		return -ENOMEM;
	memcpy(out->spans, map->spans, map->count * sizeof(*map->spans));
	out->count = map->count;
	return 0;
}

void port_map_free(struct port_map *map) {
	free(map->spans);
	*map = (struct port_map){0};
}
