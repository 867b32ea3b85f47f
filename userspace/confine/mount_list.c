/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/self/mounts ──► its entries. */
#include "confine/mount_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST = 64 << 20, FIRST_SIZE = 16384 };

/* All that can be read, with a NUL behind; NULL and errno when anything fails. */
static char *read_all(int fd) {
	size_t size = FIRST_SIZE, length = 0;
	char *text = malloc(size);
	ssize_t got = text ? 1 : -1;

	while (got > 0) {
		got = read(fd, text + length, size - length - 1);
		length += got > 0 ? (size_t)got : 0;
		if (got > 0 && size - length == 1) {
			char *larger = size < LONGEST ? realloc(text, size *= 2) : NULL;

			errno = ENOMEM;
			got = larger ? got : -1;
			text = larger ? larger : text;
		}
	}
	if (got == 0) {
		text[length] = '\0';
		return text;
	}
	free(text);
	return NULL;
}

/* Space, tab, newline and backslash are written as \040 and so on. */
static void unescape(char *text) {
	char *to = text;

	for (; *text; text++) {
		char digits[4] = {0};

		if (*text == '\\' && strspn(text + 1, "01234567") >= 3) {
			memcpy(digits, text + 1, 3);
			*to++ = (char)strtol(digits, NULL, 8);
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

/* source directory type options 0 0 */
static int parse_line(char *line, struct mount_entry *entry) {
	char *fields[4];

	for (size_t i = 0; i < 4; i++) {
		fields[i] = strsep(&line, " ");
		if (!fields[i])
			return -EPROTO;
		unescape(fields[i]);
	}
	*entry = (struct mount_entry){fields[1], fields[2], fields[3]};
	return 0;
}

static int parse(struct mount_list *list) {
	char *rest = list->text, *line;
	size_t lines = 0;
	int error = 0;

	for (const char *at = list->text; (at = strchr(at, '\n')); at++)
		lines++;
	list->entries = calloc(lines + 1, sizeof(*list->entries));
	if (!list->entries)
		return -ENOMEM;
	while (!error && list->count < lines && (line = strsep(&rest, "\n")))
		error = parse_line(line, &list->entries[list->count++]);
	/* the root at least is mounted; and a line without an end is part of one */
	return error ? error : !lines || (rest && *rest) ? -EPROTO : 0;
}

int mount_list_read(struct mount_list *list) {
	int fd = open("/proc/self/mounts", O_RDONLY | O_CLOEXEC), error;

	*list = (struct mount_list){0};
	if (fd < 0)
		return -errno;
	list->text = read_all(fd);
	error = list->text ? 0 : -errno;
	close(fd);
	if (!error)
		error = parse(list);
	if (error)
		mount_list_free(list);
	return error;
}

void mount_list_free(struct mount_list *list) {
	free(list->entries);
	free(list->text);
	*list = (struct mount_list){0};
}
