/* SPDX-License-Identifier: BSD-2-Clause */
/* Words, one after another ──► the most frequent ones. */
#include "analysis/leaders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add(struct leaders *leaders, const char *word, uint64_t times) {
	unsigned least = 0;
	char *copy;

	if (!*word)
		return 0;
	for (unsigned i = 0; i < LEADERS; i++) {
		if (leaders->items[i].word && strncmp(leaders->items[i].word, word, LEADER_LENGTH) == 0) {
			leaders->items[i].count += times;
			return 0;
		}
		if (leaders->items[i].count < leaders->items[least].count)
			least = i;
	}
	copy = strndup(word, LEADER_LENGTH);
	if (!copy)
		return -ENOMEM;
	leaders->more |= leaders->items[least].word != NULL;
	free(leaders->items[least].word);
	leaders->items[least].word = copy;
	leaders->items[least].count += times;
	return 0;
}

int leaders_add(struct leaders *leaders, const char *word) {
	return add(leaders, word, 1);
}

int leaders_merge(struct leaders *leaders, const struct leaders *from) {
	int error = 0;

	for (unsigned i = 0; i < LEADERS && from->items[i].word; i++)
		error |= add(leaders, from->items[i].word, from->items[i].count);
	leaders->more |= from->more;
	return error;
}

/* Whether item `a` stands before `b`. */
static bool before(const struct leaders *leaders, unsigned a, unsigned b) {
	if (leaders->items[a].count != leaders->items[b].count)
		return leaders->items[a].count > leaders->items[b].count;
	return strcmp(leaders->items[a].word, leaders->items[b].word) < 0;
}

unsigned leaders_sorted(const struct leaders *leaders, const char *words[LEADERS]) {
	unsigned order[LEADERS], count = 0;

	for (unsigned i = 0; i < LEADERS && leaders->items[i].word; i++) {
		unsigned at = count++;

		for (; at > 0 && before(leaders, i, order[at - 1]); at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	for (unsigned i = 0; i < count; i++)
		words[i] = leaders->items[order[i]].word;
	return count;
}

void leaders_write(const struct leaders *leaders, char *out, unsigned size, const char *ellipsis) {
	const char *words[LEADERS];
	unsigned count = leaders_sorted(leaders, words), used = 0;

	*out = '\0';
	for (unsigned i = 0; i < count && i < LEADERS_SHOWN && used < size; i++)
		used += (unsigned)snprintf(out + used, size - used, "%s%s", i ? ", " : "", words[i]);
	if ((leaders->more || count > LEADERS_SHOWN) && used < size)
		snprintf(out + used, size - used, ", %s", ellipsis);
}

void leaders_free(struct leaders *leaders) {
	for (unsigned i = 0; i < LEADERS; i++)
		free(leaders->items[i].word);
	*leaders = (struct leaders){0};
}
