/* SPDX-License-Identifier: BSD-2-Clause */
/* One JSON text (RFC 8259) ──► what is in it, piece by piece. */
#include "event/json_scan.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

enum { DEPTH_MOST = 64 };

enum awaited { VALUE, VALUE_OR_END, KEY, KEY_OR_END, COLON, COMMA_OR_END, NOTHING };

struct state {
	struct json_scan *scan;
	const char *at, *end;
	enum awaited awaited;
	unsigned depth;
	uint64_t objects; /* bit n: at depth n + 1 there is an object, not an array */
};

static enum json_result refuse(const struct state *state, const char *wrong) {
	state->scan->wrong = wrong;
	return JSON_WRONG;
}

static enum json_result go_on(bool taken) {
	return taken ? JSON_WHOLE : JSON_STOPPED;
}

/* After a value or the end of one. */
static void await_next(struct state *state) {
	state->awaited = state->depth ? COMMA_OR_END : NOTHING;
}

/* ---- strings ------------------------------------------------------------------------------------------------------- */

static bool read_hex(const char *digits, uint32_t *value) {
	*value = 0;
	for (int i = 0; i < 4; i++) {
		char digit = digits[i];
		uint32_t nibble = digit >= '0' && digit <= '9'	 ? (uint32_t)(digit - '0')
				  : digit >= 'a' && digit <= 'f' ? (uint32_t)(digit - 'a' + 10)
				  : digit >= 'A' && digit <= 'F' ? (uint32_t)(digit - 'A' + 10)
								 : 16;

		if (nibble > 15)
			return false;
		*value = *value << 4 | nibble;
	}
	return true;
}

static char *write_utf8(char *out, uint32_t code) {
	if (code < 0x80) {
		*out++ = (char)code;
	} else if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
		*out++ = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		*out++ = (char)(0xe0 | code >> 12);
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	} else {
		*out++ = (char)(0xf0 | code >> 18);
		*out++ = (char)(0x80 | (code >> 12 & 0x3f));
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	}
	return out;
}

/* Reads \uXXXX, and the second half of a pair of surrogates. `at` is behind the u. */
static enum json_result read_code(struct state *state, char **out) {
	uint32_t code, low;

	if (state->end - state->at < 4)
		return JSON_CUT_OFF;
	if (!read_hex(state->at, &code))
		return refuse(state, "a \\u without four digits");
	state->at += 4;
	if (code >= 0xd800 && code < 0xdc00) {
		if (state->end - state->at < 6)
			return JSON_CUT_OFF;
		if (state->at[0] != '\\' || state->at[1] != 'u' || !read_hex(state->at + 2, &low) || low < 0xdc00 ||
		    low > 0xdfff)
			return refuse(state, "half a pair of surrogates");
		state->at += 6;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	} else if (code >= 0xdc00 && code <= 0xdfff) {
		return refuse(state, "half a pair of surrogates");
	}
	*out = write_utf8(*out, code);
	return JSON_WHOLE;
}

/* `at` is behind the backslash. */
static enum json_result read_escape(struct state *state, char **out) {
	static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *letter;

	if (state->at == state->end)
		return JSON_CUT_OFF;
	if (*state->at == 'u') {
		state->at++;
		return read_code(state, out);
	}
	letter = *state->at ? strchr(letters, *state->at) : NULL;
	if (!letter)
		return refuse(state, "an escape that there is not");
	state->at++;
	*(*out)++ = meant[letter - letters];
	return JSON_WHOLE;
}

/* What stands as it is up to the next quote or backslash. */
static enum json_result pass_plain(struct state *state) {
	while (state->at < state->end) {
		unsigned char byte = (unsigned char)*state->at;
		size_t length = 1;

		if (byte == '"' || byte == '\\')
			return JSON_WHOLE;
		if (byte < 0x20)
			return refuse(state, "a control character in a string");
		if (byte >= 0x80)
			length = utf8_length(state->at, (size_t)(state->end - state->at));
		if (length == 0)
			return refuse(state, "bytes that are not UTF-8");
		state->at += length;
	}
	return JSON_CUT_OFF;
}

/* Reads the rest of a string. Without an escape it is not copied. */
static enum json_result read_string(struct state *state, const char **text, size_t *length) {
	const char *begin = state->at;
	char *out = state->scan->room;
	enum json_result result;

	*text = begin;
	while ((result = pass_plain(state)) == JSON_WHOLE) {
		bool whole = *state->at == '"';
		size_t part = (size_t)(state->at++ - begin);

		if (whole && *text == begin && out == state->scan->room) {
			*length = part;
			return JSON_WHOLE;
		}
		memcpy(out, begin, part);
		out += part;
		*text = state->scan->room;
		if (whole)
			break;
		result = read_escape(state, &out);
		if (result != JSON_WHOLE)
			return result;
		begin = state->at;
	}
	*length = (size_t)(out - state->scan->room);
	return result;
}

/* ---- values -------------------------------------------------------------------------------------------------------- */

static const char *pass_digits(const struct state *state, const char *at) {
	while (at < state->end && *at >= '0' && *at <= '9')
		at++;
	return at;
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? Returns where it ends; NULL: it is none. */
static const char *number_end(const struct state *state) {
	const char *at = state->at + (*state->at == '-'), *digits = at;

	at = pass_digits(state, at);
	if (at == digits || (*digits == '0' && at - digits > 1))
		return NULL;
	if (at < state->end && *at == '.') {
		digits = ++at;
		at = pass_digits(state, at);
		if (at == digits)
			return NULL;
	}
	if (at < state->end && (*at == 'e' || *at == 'E')) {
		at++;
		at += at < state->end && (*at == '+' || *at == '-');
		digits = at;
		at = pass_digits(state, at);
		if (at == digits)
			return NULL;
	}
	return at;
}

static enum json_result take_number(struct state *state) {
	const char *begin = state->at, *end = number_end(state);

	if (!end)
		return refuse(state, "a number that is none");
	state->at = end;
	return go_on(state->scan->taker->number(state->scan->context, begin, (size_t)(end - begin)));
}

static bool pass_word(struct state *state, const char *word) {
	size_t length = strlen(word);

	if ((size_t)(state->end - state->at) < length || memcmp(state->at, word, length) != 0)
		return false;
	state->at += length;
	return true;
}

static enum json_result take_word(struct state *state) {
	const struct json_taker *taker = state->scan->taker;

	if (pass_word(state, "true"))
		return go_on(taker->flag(state->scan->context, true));
	if (pass_word(state, "false"))
		return go_on(taker->flag(state->scan->context, false));
	if (pass_word(state, "null"))
		return go_on(taker->null(state->scan->context));
	return refuse(state, "a word or sign that there is not");
}

static enum json_result open(struct state *state, bool object) {
	const struct json_taker *taker = state->scan->taker;

	if (state->depth == DEPTH_MOST)
		return refuse(state, "too deep");
	state->at++;
	state->objects &= ~(UINT64_C(1) << state->depth);
	state->objects |= (uint64_t)object << state->depth;
	state->depth++;
	state->awaited = object ? KEY_OR_END : VALUE_OR_END;
	return go_on(object ? taker->open_object(state->scan->context) : taker->open_array(state->scan->context));
}

static enum json_result close(struct state *state, bool object) {
	const struct json_taker *taker = state->scan->taker;

	state->at++;
	state->depth--;
	await_next(state);
	return go_on(object ? taker->close_object(state->scan->context) : taker->close_array(state->scan->context));
}

static enum json_result take_value(struct state *state) {
	enum json_result result;
	const char *text;
	size_t length;

	if (*state->at == '{' || *state->at == '[')
		return open(state, *state->at == '{');
	if (*state->at == '"') {
		state->at++;
		result = read_string(state, &text, &length);
		if (result == JSON_WHOLE)
			result = go_on(state->scan->taker->string(state->scan->context, text, length));
	} else if (*state->at == '-' || (*state->at >= '0' && *state->at <= '9')) {
		result = take_number(state);
	} else {
		result = take_word(state);
	}
	await_next(state);
	return result;
}

static enum json_result take_key(struct state *state) {
	enum json_result result;
	const char *text;
	size_t length;

	if (*state->at != '"')
		return refuse(state, "no key where one has to be");
	state->at++;
	result = read_string(state, &text, &length);
	state->awaited = COLON;
	return result == JSON_WHOLE ? go_on(state->scan->taker->key(state->scan->context, text, length)) : result;
}

/* What may stand between the parts. */
static enum json_result take_sign(struct state *state, char sign, enum awaited then, const char *lacks) {
	if (*state->at != sign)
		return refuse(state, lacks);
	state->at++;
	state->awaited = then;
	return JSON_WHOLE;
}

static enum json_result take(struct state *state) {
	bool object = state->depth > 0 && state->objects >> (state->depth - 1) & 1;

	switch (state->awaited) {
	case KEY_OR_END:
	case VALUE_OR_END:
	case COMMA_OR_END:
		if (*state->at == (object ? '}' : ']'))
			return close(state, object);
		if (state->awaited == KEY_OR_END)
			return take_key(state);
		if (state->awaited == VALUE_OR_END)
			return take_value(state);
		return take_sign(state, ',', object ? KEY : VALUE, "no comma between two members");
	case KEY:
		return take_key(state);
	case COLON:
		return take_sign(state, ':', VALUE, "no colon behind a key");
	case VALUE:
		return take_value(state);
	default:
		return JSON_MORE;
	}
}

static void pass_blanks(struct state *state) {
	while (state->at < state->end &&
	       (*state->at == ' ' || *state->at == '\t' || *state->at == '\n' || *state->at == '\r'))
		state->at++;
}

enum json_result json_scan(struct json_scan *scan, const char *text, size_t length) {
	struct state state = {.scan = scan, .at = text, .end = text + length};
	enum json_result result = JSON_WHOLE;

	scan->wrong = NULL;
	for (pass_blanks(&state); result == JSON_WHOLE && state.at < state.end; pass_blanks(&state))
		result = take(&state);
	return result == JSON_WHOLE && state.awaited != NOTHING ? JSON_CUT_OFF : result;
}
