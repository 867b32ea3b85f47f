/* SPDX-License-Identifier: BSD-2-Clause */
/* Words, one after another ──► the most frequent ones. */
#include "leaders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int leaders_add(struct leaders *leaders, const char *word) {
	unsigned least = 0;
	char *copy;

	if (!*word)
		return 0;
	for (unsigned i = 0; i < LEADERS; i++) {
		if (leaders->items[i].word && strcmp(leaders->items[i].word, word) == 0) {
			leaders->items[i].count++;
			return 0;
		}
		if (leaders->items[i].count < leaders->items[least].count)
			least = i;
	}
	copy = strdup(word);
	if (!copy)
		return -ENOMEM;
	leaders->more |= leaders->items[least].word != NULL;
	free(leaders->items[least].word);
	leaders->items[least].word = copy;
	leaders->items[least].count++;
	return 0;
}

unsigned leaders_sorted(const struct leaders *leaders, const char *words[LEADERS]) {
	bool taken[LEADERS] = {false};
	unsigned count = 0;

	for (;;) {
		int best = -1;

		for (int i = 0; i < LEADERS; i++)
			if (leaders->items[i].word && !taken[i] &&
			    (best < 0 || leaders->items[i].count > leaders->items[best].count))
				best = i;
		if (best < 0)
			return count;
		taken[best] = true;
		words[count++] = leaders->items[best].word;
	}
}

const char *leaders_first(const struct leaders *leaders) {
	const char *words[LEADERS];

	return leaders_sorted(leaders, words) > 0 ? words[0] : "";
}

void leaders_write(const struct leaders *leaders, char *out, unsigned size, const char *ellipsis) {
	const char *words[LEADERS];
	unsigned count = leaders_sorted(leaders, words), used = 0;

	*out = '\0';
	for (unsigned i = 0; i < count && used < size; i++)
		used += (unsigned)snprintf(out + used, size - used, "%s%s", i ? ", " : "", words[i]);
	if (leaders->more && used < size)
		snprintf(out + used, size - used, ", %s", ellipsis);
}

void leaders_free(struct leaders *leaders) {
	for (unsigned i = 0; i < LEADERS; i++)
		free(leaders->items[i].word);
}
