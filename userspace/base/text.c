/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes to a stream ──► text in memory, all of it or none. */
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { FIRST_ROOM = 256 };

struct destination {
	char **text;
	size_t *length;
	size_t room; /* bytes, one of them for the NUL */
};

static int make_room(struct destination *to, size_t size) {
	size_t room = to->room;
	char *larger;

	while (room - 1 - *to->length < size)
		room *= 2;
	if (room == to->room)
		return 0;
	larger = realloc(*to->text, room);
	if (!larger)
		return -ENOMEM;
	*to->text = larger;
	to->room = room;
	return 0;
}

static ssize_t write_text(void *destination, const char *bytes, size_t size) {
	struct destination *to = destination;

	if (make_room(to, size))
		return 0; /* by which the stream knows of the error */
	memcpy(*to->text + *to->length, bytes, size);
	*to->length += size;
	(*to->text)[*to->length] = '\0';
	return (ssize_t)size;
}

static int close_text(void *destination) {
	free(destination);
	return 0;
}

FILE *text_open(char **text, size_t *length) {
	const cookie_io_functions_t functions = {.write = write_text, .close = close_text};
	struct destination *to = malloc(sizeof(*to));
	FILE *stream = NULL;

	*length = 0;
	*text = to ? calloc(1, FIRST_ROOM) : NULL;
	if (*text) {
		*to = (struct destination){text, length, FIRST_ROOM};
		stream = fopencookie(to, "w", functions);
	}
	if (stream)
		return stream;
	free(*text);
	free(to);
	*text = NULL;
	return NULL;
}

int text_close(FILE *stream, char **text) {
	if (stream_close(stream) == 0)
		return 0;
	free(*text);
	*text = NULL;
	return -ENOMEM;
}
