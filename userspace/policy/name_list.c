/* SPDX-License-Identifier: BSD-2-Clause */
/* A list of names as it is published ──► the hosts in it. */
#include "policy/name_list.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t\r\v\f"

static const char *skip_blanks(const char *at, const char *end) {
	while (at < end && strchr(BLANKS, *at))
		at++;
	return at;
}

static const char *word_end(const char *at, const char *end) {
	while (at < end && !strchr(BLANKS, *at))
		at++;
	return at;
}

static bool is_word(const char *at, const char *end, const char *word) {
	return (size_t)(end - at) == strlen(word) && strncasecmp(at, word, (size_t)(end - at)) == 0;
}

static bool is_any(const char *at, const char *end, const char *const words[]) {
	for (size_t i = 0; words[i]; i++)
		if (is_word(at, end, words[i]))
			return true;
	return false;
}

/* What /etc/hosts says of the machine itself, in every list that was made of one. */
static bool is_own_name(const char *at, const char *end) {
	static const char *const names[] = {"localhost",
					    "localhost.localdomain",
					    "local",
					    "broadcasthost",
					    "ip6-localhost",
					    "ip6-loopback",
					    "ip6-localnet",
					    "ip6-mcastprefix",
					    "ip6-allnodes",
					    "ip6-allrouters",
					    "ip6-allhosts",
					    "0.0.0.0",
					    NULL};

	return is_any(at, end, names);
}

/* Gives out the text between, with `before` in front. A longer one than any host is cut, and refused as a host. */
static bool give(const struct name_list *list, const char *at, const char *end, const char *line, const char *before,
		 struct listed_name *name) {
	snprintf(name->text, sizeof(name->text), "%s%.*s", before, (int)(end - at), at);
	name->line = list->line;
	name->column = (unsigned)(at - line) + 1;
	return true;
}

/* `||example.com^`, with nothing behind it that would be about parts of pages. */
static bool read_blocker(struct name_list *list, const char *at, const char *end, const char *line,
			 struct listed_name *name) {
	const char *stop = memchr(at, '^', (size_t)(end - at));

	if (!stop || stop + 1 != end || memchr(at, '/', (size_t)(stop - at)) || memchr(at, '*', (size_t)(stop - at)))
		return false;
	return give(list, at, stop, line, ".", name);
}

/* `address=/example.com/0.0.0.0`: what stands between the slashes. */
static bool read_dnsmasq(const struct name_list *list, const char *at, const char *end, const char *line,
			 struct listed_name *name) {
	const char *slash = memchr(at, '/', (size_t)(end - at));
	const char *stop = slash ? memchr(slash + 1, '/', (size_t)(end - slash - 1)) : NULL;

	return stop && give(list, slash + 1, stop, line, ".", name);
}

/* The next name of a line of /etc/hosts. */
static bool read_hosts(struct name_list *list, const char *line, struct listed_name *name) {
	while (list->rest) {
		const char *at = skip_blanks(list->rest, list->end), *end = word_end(at, list->end);

		list->rest = at < end ? end : NULL;
		if (at < end && !is_own_name(at, end))
			return give(list, at, end, line, "", name);
	}
	return false;
}

static void pass(struct name_list *list) {
	if (list->passed++ == 0)
		list->first_passed = list->line;
}

static bool read_line(struct name_list *list, const char *line, const char *end, struct listed_name *name) {
	static const char *const hosts[] = {"0.0.0.0", "127.0.0.1", "::", "::1", NULL};
	const char *at = skip_blanks(line, end), *stop, *next, *comment;

	if (at == end || strchr("#!;", *at))
		return false;
	if (*at == '[' || *at == '/' || strncmp(at, "@@", 2) == 0 || memmem(at, (size_t)(end - at), "##", 2) ||
	    memmem(at, (size_t)(end - at), "#@#", 3)) {
		pass(list);
		return false;
	}
	comment = memchr(at, '#', (size_t)(end - at));
	end = comment ? comment : end;
	while (end > at && strchr(BLANKS, end[-1]))
		end--;
	stop = word_end(at, end);
	next = skip_blanks(stop, end);
	if (strncmp(at, "||", 2) == 0) {
		if (read_blocker(list, at + 2, end, line, name))
			return true;
		pass(list);
		return false;
	}
	if (strncmp(at, "address=/", 9) == 0 || strncmp(at, "server=/", 8) == 0 || strncmp(at, "local=/", 7) == 0)
		return read_dnsmasq(list, at, end, line, name);
	if (next < end && is_any(at, stop, hosts)) {
		list->rest = stop;
		list->end = end;
		return read_hosts(list, line, name);
	}
	if (next < end && is_word(next, word_end(next, end), "CNAME"))
		end = stop;
	return give(list, at, end, line, "", name);
}

/* The start of the line that `list->at` is behind. */
static const char *line_start(const struct name_list *list) {
	const char *at = list->end;

	while (at > list->text && at[-1] != '\n')
		at--;
	return at;
}

bool name_list_next(struct name_list *list, struct listed_name *name) {
	if (list->rest && read_hosts(list, line_start(list), name))
		return true;
	while (list->at < list->length) {
		const char *line = list->text + list->at;
		const char *end = memchr(line, '\n', list->length - list->at);

		if (!end)
			end = list->text + list->length;
		list->at = (size_t)(end - list->text) + 1;
		list->line++;
		if (read_line(list, line, end, name))
			return true;
	}
	return false;
}
