/* SPDX-License-Identifier: BSD-2-Clause */
/* One JSON text (RFC 8259) ──► what is in it, piece by piece. */
#ifndef SNIF_JSON_SCAN_H
#define SNIF_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* Who takes the pieces; each returns whether it goes on. Strings are UTF-8 without their escapes, numbers as written. */
struct json_taker {
	bool (*null)(void *context);
	bool (*flag)(void *context, bool value);
	bool (*number)(void *context, const char *text, size_t length);
	bool (*string)(void *context, const char *text, size_t length);
	bool (*key)(void *context, const char *text, size_t length);
	bool (*open_object)(void *context);
	bool (*close_object)(void *context);
	bool (*open_array)(void *context);
	bool (*close_array)(void *context);
};

enum json_result {
	JSON_WHOLE,   /* one value, to its end */
	JSON_STOPPED, /* a taker did not want to go on */
	JSON_CUT_OFF,
	JSON_MORE, /* another value stands behind the first */
	JSON_WRONG,
};

struct json_scan {
	const struct json_taker *taker;
	void *context;
	char *room;	   /* for a string without its escapes: as long as the text */
	const char *wrong; /* gets what is wrong, static text, with JSON_WRONG */
};

/* Takes no memory; objects and arrays may stand in each other up to 64 deep. */
enum json_result json_scan(struct json_scan *scan, const char *text, size_t length);

#endif
