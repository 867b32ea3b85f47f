/* SPDX-License-Identifier: BSD-2-Clause */
/* What a person writes of time ──► seconds, or microseconds since 1970. */
#include "base/moment.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/timestamp.h"

bool moment_read_span(const char *text, int64_t *seconds) {
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'\0', 1}, {'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
	char *end;
	long count;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	count = strtol(text, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (errno == 0 && *end == units[i].letter && (!*end || !end[1]))
			return !__builtin_mul_overflow(count, units[i].seconds, seconds);
	return false;
}

/* With a unit: a number alone is no time. */
static bool read_ago(const char *text, int64_t *microseconds) {
	return text[0] && !isdigit((unsigned char)text[strlen(text) - 1]) && moment_read_span(text, microseconds) &&
	       !__builtin_mul_overflow(*microseconds, (int64_t)1000000, microseconds);
}

static bool read_local(const char *text, int64_t *moment) {
	static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S",
					    "%Y-%m-%dT%H:%M:%S"};
	const char *end;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm when = {.tm_isdst = -1};

		end = strptime(text, forms[i], &when);
		if (!end || *end)
			continue;
		if (!timestamp_has_day(&when))
			return false;
		*moment = (int64_t)mktime(&when) * 1000000;
		return true;
	}
	return false;
}

bool moment_read(const char *text, int64_t now, int64_t *moment) {
	int64_t ago;

	if (read_ago(text, &ago)) {
		*moment = now - ago;
		return true;
	}
	return timestamp_read(text, moment) || read_local(text, moment);
}
