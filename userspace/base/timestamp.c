/* SPDX-License-Identifier: BSD-2-Clause */
/* A point in time ◄─► its text in JSON lines. */
#include "base/timestamp.h"

#include <ctype.h>
#include <stdio.h>

static void write_second(struct timestamp *timestamp, time_t second) {
	struct tm local = {0};

	localtime_r(&second, &local);
	strftime(timestamp->seconds, sizeof(timestamp->seconds), "%Y-%m-%dT%H:%M:%S", &local);
	strftime(timestamp->zone, sizeof(timestamp->zone), "%z", &local);
	timestamp->second = second;
}

const char *timestamp_write(struct timestamp *timestamp, const struct timespec *when) {
	if (timestamp->second != when->tv_sec || !timestamp->seconds[0])
		write_second(timestamp, when->tv_sec);
	snprintf(timestamp->text, TIMESTAMP_SIZE, "%s.%06u%s", timestamp->seconds,
		 (unsigned)when->tv_nsec / 1000 % 1000000, timestamp->zone);
	return timestamp->text;
}

const char *timestamp_write_microseconds(struct timestamp *timestamp, int64_t microseconds) {
	int64_t fraction = (microseconds % 1000000 + 1000000) % 1000000;
	const struct timespec when = {.tv_sec = (time_t)((microseconds - fraction) / 1000000),
				      .tv_nsec = (long)fraction * 1000};

	return timestamp_write(timestamp, &when);
}

bool timestamp_has_day(const struct tm *date) {
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year = date->tm_year + 1900;
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return date->tm_mday <= days[date->tm_mon] + (date->tm_mon == 1 && leap);
}

bool timestamp_read(const char *text, int64_t *microseconds) {
	struct tm when = {0};
	int64_t fraction = 0, unit = 1000000;
	long zone;

	text = strptime(text, "%Y-%m-%dT%H:%M:%S", &when);
	if (text && *text == '.')
		while (isdigit((unsigned char)*++text))
			fraction += (*text - '0') * (unit /= 10);
	if (!text || !(text = strptime(text, "%z", &when)) || *text || !timestamp_has_day(&when))
		return false;
	zone = when.tm_gmtoff; /* timegm() clears it */
	*microseconds = ((int64_t)timegm(&when) - zone) * 1000000 + fraction;
	return true;
}
