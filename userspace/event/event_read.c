/* SPDX-License-Identifier: BSD-2-Clause */
/* A line of JSON ──► an event. */
#include "event/event_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "event/event_words.h"
#include "event/json_scan.h"

enum { PATH_SIZE = 32, ANSWER_DEPTH = 4 /* the line, `dns`, `answers`, one of them */ };

enum kind { TEXT, NUMBER, FLAG, OBJECT /* that there is one */ };

/* The members that are read, in the order in which they are written, so that the next is mostly the one expected. */
static const struct field {
	char path[PATH_SIZE];
	enum kind kind;
	size_t offset, length; /* length: of the path; most others differ in it, which is quickly seen */
} fields[] = {
#define FIELD(path, kind, member)                                                                                      \
	{ path, kind, offsetof(struct log_event, member), sizeof(path) - 1 }
	FIELD("timestamp", TEXT, timestamp),
	FIELD("event_version", NUMBER, version),
	FIELD("run_id", TEXT, run_id),
	FIELD("sequence", NUMBER, sequence),
	FIELD("event_type", TEXT, event_type),
	FIELD("flow_id", NUMBER, flow_id),
	FIELD("src_ip", TEXT, source),
	FIELD("src_port", NUMBER, source_port),
	FIELD("dest_ip", TEXT, destination),
	FIELD("dest_port", NUMBER, destination_port),
	FIELD("proto", TEXT, protocol),
	FIELD("socket_option.level", NUMBER, level),
	FIELD("socket_option.option", NUMBER, option),
	FIELD("device.major", NUMBER, major),
	FIELD("device.minor", NUMBER, minor),
	FIELD("dns.type", TEXT, dns_type),
	FIELD("dns.rrname", TEXT, name),
	FIELD("dns.rrtype", TEXT, question),
	FIELD("tls.sni", TEXT, name),
	FIELD("tls.version", TEXT, tls_version),
	FIELD("ech", FLAG, ech),
	FIELD("verdict.action", TEXT, action_word),
	FIELD("reason", TEXT, reason_word),
	FIELD("rule", TEXT, rule),
	FIELD("expected", FLAG, expected),
	FIELD("policy", TEXT, policy),
	FIELD("policy_file", TEXT, policy_file),
	FIELD("policy_sha256", TEXT, policy_sha256),
	FIELD("mode", TEXT, mode),
	FIELD("hook", TEXT, hook),
	FIELD("process.pid", NUMBER, pid),
	FIELD("process.name", TEXT, process),
	FIELD("process.uid", NUMBER, uid),
	FIELD("cgroup.id", NUMBER, cgroup_id),
	FIELD("cgroup.path", TEXT, cgroup),
	FIELD("stats.allowed", NUMBER, allowed),
	FIELD("stats.blocked", NUMBER, blocked),
	FIELD("stats.would_block", NUMBER, would_block),
	FIELD("stats.lost", NUMBER, lost),
	FIELD("stats.command", OBJECT, ended),
	FIELD("host", TEXT, host),
	FIELD("program", TEXT, program),
#undef FIELD
};

/* The same of an answer. */
static const struct field answer_fields[] = {
	{"rdata", TEXT, offsetof(struct log_answer, address), 5},
	{"ttl", NUMBER, offsetof(struct log_answer, ttl), 3},
	{"bound", NUMBER, offsetof(struct log_answer, bound), 5},
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

struct log_parser {
	struct log_event *event;
	struct log_answer *answer; /* that is read; NULL: none is */
	bool in_answers;
	unsigned depth;		   /* of objects and arrays */
	const struct field *field; /* whose value is next; NULL: a value that is passed over */
	size_t expected;	   /* index into fields */
	char path[PATH_SIZE];	   /* of the object that is read: "" or `process.` */
	char key[PATH_SIZE];	   /* the last one at depth 1; "" when it does not fit, so is none of ours */
	const char *wrong;	   /* static text, or message */
	char message[128];
	size_t used; /* of text */
	/* Decoded, no text is longer than in the line, and a byte takes 4 at most; a terminator takes the place of the
	 * quotes. */
	char text[4 * EVENT_LINE_MAX];
	char decoded[EVENT_LINE_MAX]; /* a string of the line without its escapes */
};

static bool refuse(struct log_parser *parser, const char *what) {
	snprintf(parser->message, sizeof(parser->message), "%s is not %s", parser->field->path, what);
	parser->wrong = parser->message;
	return false;
}

/* A value of another type than `kind`, where one is expected, ends the line. Returns the place for it, or NULL. */
static void *place(struct log_parser *parser, enum kind kind) {
	static const char *const words[] = {
		[TEXT] = "a string", [NUMBER] = "a whole number", [FLAG] = "true or false", [OBJECT] = "an object"};

	if (parser->field->kind == kind)
		return (parser->answer ? (char *)parser->answer : (char *)parser->event) + parser->field->offset;
	refuse(parser, words[parser->field->kind]);
	return NULL;
}

static const char *keep(struct log_parser *parser, const char *text, size_t length) {
	static const char digits[] = "0123456789abcdef";
	const unsigned char *bytes = (const unsigned char *)text;
	char *begin = parser->text + parser->used, *out = begin;

	for (size_t i = 0; i < length; i++) {
		if (bytes[i] >= 0x20 && bytes[i] < 0x7f) {
			*out++ = (char)bytes[i];
		} else {
			*out++ = '\\';
			*out++ = 'x';
			*out++ = digits[bytes[i] >> 4];
			*out++ = digits[bytes[i] & 15];
		}
	}
	*out++ = '\0';
	parser->used = (size_t)(out - parser->text);
	return begin;
}

static bool take_string(void *context, const char *bytes, size_t length) {
	struct log_parser *parser = context;
	const char **text;

	if (!parser->field)
		return parser->depth > 0;
	text = place(parser, TEXT);
	if (text)
		*text = keep(parser, bytes, length);
	return text != NULL;
}

static bool take_number(void *context, const char *bytes, size_t length) {
	struct log_parser *parser = context;
	uint64_t *number, value = 0;

	if (!parser->field)
		return parser->depth > 0;
	number = place(parser, NUMBER);
	if (!number)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] < '0' || bytes[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(bytes[i] - '0'), &value))
			return refuse(parser, "a whole number");
	}
	*number = value;
	return true;
}

static bool take_flag(void *context, bool value) {
	struct log_parser *parser = context;
	bool *flag;

	if (!parser->field)
		return parser->depth > 0;
	flag = place(parser, FLAG);
	if (flag)
		*flag = value;
	return flag != NULL;
}

/* null is as good as left out */
static bool take_null(void *context) {
	return ((struct log_parser *)context)->depth > 0;
}

static const struct field *find_of_answer(const char *bytes, size_t length) {
	for (size_t i = 0; i < sizeof(answer_fields) / sizeof(answer_fields[0]); i++)
		if (answer_fields[i].length == length && memcmp(answer_fields[i].path, bytes, length) == 0)
			return &answer_fields[i];
	return NULL;
}

static const struct field *find(struct log_parser *parser, const char *path, size_t length) {
	size_t at = parser->expected;

	for (size_t i = 0; i < FIELDS; i++, at++) {
		if (at == FIELDS)
			at = 0;
		if (fields[at].length == length && memcmp(fields[at].path, path, length) == 0) {
			parser->expected = at + 1;
			return &fields[at];
		}
	}
	return NULL;
}

static bool take_key(void *context, const char *bytes, size_t length) {
	struct log_parser *parser = context;
	size_t before = strlen(parser->path);
	char path[PATH_SIZE] = "";

	parser->field = NULL;
	if (parser->answer && parser->depth == ANSWER_DEPTH)
		parser->field = find_of_answer(bytes, length);
	if (parser->depth > 2 || (parser->depth == 2 && before == 0))
		return true;
	if (before + length < PATH_SIZE && !memchr(bytes, '\0', length)) {
		memcpy(path, parser->path, before);
		memcpy(path + before, bytes, length);
	}
	if (parser->depth == 1)
		memcpy(parser->key, path, PATH_SIZE);
	parser->in_answers = strcmp(path, "dns.answers") == 0;
	parser->field = find(parser, path, strlen(path));
	return true;
}

static bool open_object(void *context) {
	struct log_parser *parser = context;
	bool *there;

	if (parser->field) {
		there = place(parser, OBJECT);
		if (!there)
			return false;
		*there = true;
		parser->field = NULL;
	}
	if (parser->depth == 1)
		snprintf(parser->path, sizeof(parser->path), parser->key[0] ? "%s." : "%s", parser->key);
	parser->depth++;
	if (parser->in_answers && parser->depth == ANSWER_DEPTH && parser->event->answer_count < LOG_ANSWERS) {
		parser->answer = &parser->event->answers[parser->event->answer_count++];
		parser->answer->address = "";
	}
	return true;
}

static bool close_object(void *context) {
	struct log_parser *parser = context;

	if (parser->depth == ANSWER_DEPTH)
		parser->answer = NULL;
	parser->depth--;
	parser->field = NULL;
	if (parser->depth == 1)
		parser->path[0] = '\0';
	return true;
}

static bool open_array(void *context) {
	struct log_parser *parser = context;

	if (parser->field)
		return place(parser, -1) != NULL;
	parser->depth++;
	return parser->depth > 1;
}

static bool close_array(void *context) {
	((struct log_parser *)context)->depth--;
	return true;
}

static const struct json_taker taker = {take_null,   take_flag,	   take_number, take_string, take_key,
					open_object, close_object, open_array,	close_array};

struct log_parser *log_parser_new(void) {
	return calloc(1, sizeof(struct log_parser));
}

/* What is wrong with the line as JSON, or NULL. */
static const char *parse(struct log_parser *parser, const char *text, size_t length) {
	struct json_scan scan = {.taker = &taker, .context = parser, .room = parser->decoded};

	switch (json_scan(&scan, text, length)) {
	case JSON_WHOLE:
		return NULL;
	case JSON_STOPPED:
		return parser->wrong ? parser->wrong : "it is not a JSON object";
	case JSON_CUT_OFF:
		return "it is cut off";
	case JSON_MORE:
		return "it has more than one JSON object";
	default:
		snprintf(parser->message, sizeof(parser->message), "it is not JSON: %s", scan.wrong);
		return parser->message;
	}
}

static enum log_type type_of(const char *word) {
	static const char *const words[] = {
		[LOG_TLS] = "tls", [LOG_FLOW] = "flow", [LOG_DNS] = "dns", [LOG_STATS] = "stats"};
	unsigned type = 0;

	while (type <= LOG_STATS && strcmp(words[type], word) != 0)
		type++;
	return type <= LOG_STATS ? type : LOG_OTHER;
}

static enum log_action action_of(const char *word) {
	static const char *const words[] = {
		[LOG_PASS] = "pass", [LOG_REJECT] = "reject", [LOG_DROP] = "drop", [LOG_ALERT] = "alert"};

	for (unsigned action = LOG_PASS; action <= LOG_ALERT; action++)
		if (strcmp(words[action], word) == 0)
			return action;
	return LOG_UNDECIDED;
}

/* What the words mean. Returns what is wrong with them. */
static const char *read_words(struct log_event *event) {
	if (!*event->timestamp)
		return "it has no timestamp";
	if (!timestamp_read(event->timestamp, &event->time))
		return "timestamp is not like 2026-01-31T23:59:59.123456+0100";
	if (!*event->event_type)
		return "it has no event_type";
	event->type = type_of(event->event_type);
	if (event->type == LOG_DNS && strcmp(event->dns_type, "answer") == 0)
		event->type = LOG_ANSWER;
	event->action = action_of(event->action_word);
	event->reason = *event->reason_word ? reason_of(event->reason_word) : SNIF_REASON_NONE;
	return NULL;
}

const char *log_parser_read(struct log_parser *parser, const char *text, size_t length, struct log_event *event) {
	const char *wrong;

	if (length > EVENT_LINE_MAX)
		return "it is too long for an event";
	*event = (struct log_event){0};
	for (size_t i = 0; i < FIELDS; i++)
		if (fields[i].kind == TEXT)
			*(const char **)((char *)event + fields[i].offset) = "";
	parser->event = event;
	parser->answer = NULL;
	parser->in_answers = false;
	parser->depth = 0;
	parser->expected = parser->used = 0;
	parser->field = NULL;
	parser->path[0] = '\0';
	parser->wrong = NULL;
	wrong = parse(parser, text, length);
	return wrong ? wrong : read_words(event);
}

void log_parser_free(struct log_parser *parser) {
	free(parser);
}
