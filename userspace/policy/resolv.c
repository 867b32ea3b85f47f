/* SPDX-License-Identifier: BSD-2-Clause */
/* resolv.conf ──► addresses of DNS servers, domains to search in. */
#include "policy/resolv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/prefix.h"

#define LINES_MAX 1000 /* a file longer than this is something else: the rest is not read */
#define BLANKS " \t\r\n"

/* What stands behind `keyword` in a line; NULL: it is another line. */
static char *behind(char *line, const char *keyword) {
	size_t length = strlen(keyword);

	return strncmp(line, keyword, length) == 0 && line[length] && strchr(BLANKS, line[length]) ? line + length
												   : NULL;
}

/* The address of a `nameserver` line. Returns whether there is one. */
static bool read_line(char *line, struct prefix *server) {
	char message[PREFIX_MESSAGE], *address = behind(line, "nameserver"), *end;

	if (!address)
		return false;
	address += strspn(address, BLANKS);
	end = address + strcspn(address, BLANKS "%");
	*end = '\0';
	return !strchr(address, '/') && prefix_parse(address, server, message) == PREFIX_OK;
}

static int read_servers(FILE *file, struct prefix_list *servers) {
	char *line = NULL;
	size_t size = 0;
	int found = 0, error = 0;

	for (int lines = 0; lines < LINES_MAX && !error; lines++) {
		struct prefix server;

		if (getline(&line, &size, file) < 0) {
			error = feof(file) ? 0 : -errno;
			break;
		}
		if (!read_line(line, &server))
			continue;
		error = prefix_list_add(servers, &server);
		found++;
	}
	free(line);
	return error ? error : found;
}

int resolv_conf_read(const char *path, struct prefix_list *servers) {
	FILE *file = fopen(path, "re");
	struct prefix local;
	char message[PREFIX_MESSAGE];
	int found = 0;

	if (!file && errno != ENOENT)
		return -errno;
	if (file) {
		found = read_servers(file, servers);
		fclose(file);
	}
	if (found != 0)
		return found;
	prefix_parse("127.0.0.1", &local, message);
	return prefix_list_add(servers, &local);
}

bool resolv_conf_has(const char *path, const uint8_t address[16]) {
	struct prefix_list servers = {0};
	bool found = false;

	if (resolv_conf_read(path, &servers) > 0)
		for (size_t i = 0; i < servers.count; i++)
			found |= memcmp(servers.items[i].address, address, 16) == 0;
	free(servers.items);
	return found;
}

void resolv_conf_search(const char *path, void (*each)(void *context, const char *domain), void *context) {
	char *line = NULL, *last = NULL, *rest = NULL; /* the last such line counts alone */
	FILE *file = fopen(path, "re");
	size_t size = 0;

	for (int lines = 0; file && lines < LINES_MAX && getline(&line, &size, file) >= 0; lines++)
		if (behind(line, "search") || behind(line, "domain")) {
			free(last);
			last = line;
			line = NULL;
			size = 0;
		}
	if (file)
		fclose(file);
	free(line);
	if (last)
		strtok_r(last, BLANKS, &rest);
	for (char *domain; last && (domain = strtok_r(NULL, BLANKS, &rest));)
		each(context, domain);
	free(last);
}
