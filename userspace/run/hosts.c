/* SPDX-License-Identifier: BSD-2-Clause */
/* /etc/hosts ──► addresses of the policy's names. */
#include "run/hosts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ip_address.h"
#include "compile/tables.h"

#define BLANKS " \t\r\n"

enum { LINES_MAX = 100000 };

struct hosts {
	struct filter_binder binder;
	const struct compiled *compiled;
};

static int bind_name(const struct hosts *hosts, const __u8 address[16], const char *written) {
	struct snif_name_progress at = {0};
	char name[SNIF_NAME_BUFFER] = "";
	__u16 length = (__u16)strnlen(written, SNIF_NAME_READ);

	memcpy(name, written, length);
	if (snif_name_normalise((__u8 *)name, &length) != SNIF_REASON_NONE ||
	    !snif_may_look_up(&at, hosts->compiled, &hosts->compiled->settings, (const __u8 *)name, length))
		return 0;
	return filter_bind(&hosts->binder, name, length, address, &at.best, UINT64_MAX);
}

static int bind_line(const struct hosts *hosts, char *line) {
	char *rest = NULL, *word;
	__u8 address[16];
	int error = 0;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, BLANKS, &rest);
	if (!word || !ip_address_read(word, address))
		return 0;
	while (!error && (word = strtok_r(NULL, BLANKS, &rest)))
		error = bind_name(hosts, address, word);
	return error;
}

int hosts_bind(const char *file, struct filter *filter, uint32_t policy, const struct compiled *compiled) {
	struct hosts hosts = {.compiled = compiled};
	char *line = NULL;
	size_t size = 0;
	FILE *in;
	int error;

	if (compiled->settings.dns.bind == SNIF_BIND_OFF)
		return 0;
	in = fopen(file, "re");
	if (!in)
		return errno == ENOENT ? 0 : -errno;
	error = filter_binder_open(&hosts.binder, filter, policy);
	if (error) {
		fclose(in);
		return error;
	}
	for (int lines = 0; lines < LINES_MAX && !error && getline(&line, &size, in) >= 0; lines++)
		error = bind_line(&hosts, line);
	filter_binder_close(&hosts.binder);
	free(line);
	fclose(in);
	return error;
}
