/* SPDX-License-Identifier: BSD-2-Clause */
/* Text like *.Bücher.example ──► a name of A-labels and which names it stands for. */
#include "policy/hostname.h"

#include <arpa/inet.h>
#include <errno.h>
#include <idn2.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/library.h"
#include "policy/policy.h"
#include "policy/prefix.h"
#include "policy/public_suffix.h"

#define FUNCTIONS(X) X(idn2_strerror) X(idn2_to_ascii_8z)

LIBRARY(idn2, "to read international hostnames", FUNCTIONS, "libidn2.so.0");

/* More than any name takes before its mapping to A-labels, which can drop characters. */
#define TEXT_MAX 1024

static int fail(char message[HOSTNAME_MESSAGE], const char *format, ...) __attribute__((format(printf, 2, 3)));
static int fail(char message[HOSTNAME_MESSAGE], const char *format, ...) {
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, HOSTNAME_MESSAGE, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* Copies a part of what was written when it would be a good host: nothing is suggested that would be refused too. */
static bool suggest(const char *text, size_t length, bool any_suffix, char out[SNIF_NAME_BUFFER]) {
	char message[HOSTNAME_MESSAGE];
	struct hostname unused;

	if (length > SNIF_NAME_MAX)
		return false;
	snprintf(out, SNIF_NAME_BUFFER, "%.*s", (int)length, text);
	return hostname_parse(out, any_suffix, &unused, message) == 0;
}

const char *hostname_part(const char *text, size_t *length) {
	const char *scheme = strstr(text, "://"), *host = scheme ? scheme + strlen("://") : text;
	const char *user = memrchr(host, '@', strcspn(host, "/?#"));

	host = user ? user + 1 : host;
	*length = strcspn(host, "/:?#");
	return host;
}

bool hostname_is_address(const char *text, size_t length) {
	char address[INET6_ADDRSTRLEN + sizeof("/128")], unused[PREFIX_MESSAGE];
	struct prefix prefix;

	if (length >= sizeof(address))
		return false;
	snprintf(address, sizeof(address), "%.*s", (int)length, text);
	return prefix_parse(address, &prefix, unused) != PREFIX_WRONG;
}

static int refuse_url(const char *text, bool any_suffix, char message[HOSTNAME_MESSAGE]) {
	size_t length;
	const char *host = hostname_part(text, &length);
	char good[SNIF_NAME_BUFFER];

	if (suggest(host, length, any_suffix, good))
		return fail(message, "`%.80s` is a URL: write its host alone, `%s`", text, good);
	return fail(message, "`%.80s` is a URL: write a host alone, like example.com", text);
}

static int refuse_path(const char *text, bool any_suffix, char message[HOSTNAME_MESSAGE]) {
	char good[SNIF_NAME_BUFFER];

	if (suggest(text, strcspn(text, "/"), any_suffix, good))
		return fail(message, "`%.80s` has a path, which TLS does not show: write the host alone, `%s`", text,
			    good);
	return fail(message, "`%.80s` has a path, which TLS does not show: write a host alone, like example.com", text);
}

/* Whether the text is ports as a policy writes them between [ and ]: 443, 80,443 or 8000-8100. */
static bool is_ports(const char *text, size_t length) {
	size_t at = 0, digits;
	char number[6];

	while (at < length) {
		digits = strspn(text + at, "0123456789");
		snprintf(number, sizeof(number), "%.*s", (int)(digits < 6 ? digits : 0), text + at);
		if (digits == 0 || text[at] == '0' || digits > 5 || strtoul(number, NULL, 10) > UINT16_MAX)
			return false;
		at += digits;
		if (at < length && !strchr(",-", text[at++]))
			return false;
	}
	return length > 0 && strchr("0123456789", text[length - 1]);
}

/* `host:443`, `*.host:80,443`, `host:443/tcp`, `host:*`, or something else behind a colon. */
static int refuse_port(const char *text, const char *colon, char message[HOSTNAME_MESSAGE]) {
	size_t length = (size_t)(colon - text), ports = strcspn(colon + 1, "/");
	char good[SNIF_NAME_BUFFER];
	bool covers;

	if (hostname_is_address(text, length))
		return fail(message,
			    "`%.80s` is an address with a port, not a hostname: address rules go under `direct`", text);
	if (!suggest(text, length, true, good))
		return fail(message, "`%.80s` has a colon in it: hostnames have letters, digits, - and _", text);
	covers = !suggest(text, length, false, good);
	if (strcmp(colon, ":80") == 0)
		return fail(
			message,
			"`%.80s` has the port of plain HTTP, which sends no server name to judge: use https, or allow "
			"its addresses under `direct`, like {to: 192.0.2.1, ports: [80]}",
			text);
	if (colon[1] == '*')
		return fail(message,
			    "`%.80s` has a * for its port: write {host: \"%s\", ports: [443]} with those it needs",
			    text, good);
	if (is_ports(colon + 1, ports))
		return fail(message, "`%.80s` has a port%s: write %s{host: \"%s\", ports: [%.*s]%s}", text,
			    covers ? " and covers a public suffix, where anyone can get a name" : "",
			    covers ? "the hosts you need, or " : "", good, (int)ports, colon + 1,
			    covers ? ", public_suffix: true" : "");
	return fail(message,
		    "`%.80s` has a colon in it: write the host alone, `%s`; ports go under `ports`, as numbers", text,
		    good);
}

/* The first of several words that could be a host with a dot in it, without what a sentence has behind a word. */
static bool find_host(const char *text, char good[SNIF_NAME_BUFFER]) {
	static const char around[] = " ,;:/\t\r\n";

	for (size_t length; *text; text += length) {
		text += strspn(text, around);
		length = strcspn(text, around);
		while (length > 0 && strchr(".!", text[length - 1]))
			length--;
		if (memchr(text, '.', length) && suggest(text, length, false, good))
			return true;
		length = strcspn(text, around);
	}
	return false;
}

/* A sentence, several hosts in one item, or a comma behind one. */
static int refuse_words(const char *text, char message[HOSTNAME_MESSAGE]) {
	size_t first = strcspn(text, " ,;\t\r\n");
	char good[SNIF_NAME_BUFFER];

	if (!find_host(text, good))
		return fail(message, "`%.80s` is more than one word: write a host alone, like example.com", text);
	if (!text[first + strspn(text + first, " ,;\t\r\n")])
		return fail(message, "`%.80s` has something behind its name: write `%s`", text, good);
	return fail(message, "`%.80s` is more than one word: write each host as an item of its own, like `%s`", text,
		    good);
}

/* Refuses what is something else than a host, with the words for what it is. */
static int check_kind(const char *text, bool any_suffix, char message[HOSTNAME_MESSAGE]) {
	const char *colon = strchr(text, ':');

	if (!*text)
		return fail(message, "a host is empty: write one like example.com");
	if (strlen(text) > TEXT_MAX)
		return fail(message, "`%.60s...` is longer than a hostname can be (%d bytes)", text, SNIF_NAME_MAX);
	if (strpbrk(text, " ;\t\r\n") || (strchr(text, ',') && !colon))
		return refuse_words(text, message);
	if (strpbrk(text, "^$\\()|+?") && !strstr(text, "://"))
		return fail(
			message,
			"`%.80s` looks like a regular expression: write hosts, like example.com, or *.example.com for "
			"all below one",
			text);
	if (strstr(text, "://"))
		return refuse_url(text, any_suffix, message);
	if (*text == '[' || hostname_is_address(text, strlen(text)))
		return fail(message, "`%.80s` is an address, not a hostname: address rules go under `direct`", text);
	if (colon)
		return refuse_port(text, colon, message);
	return strchr(text, '/') ? refuse_path(text, any_suffix, message) : 0;
}

/* A `*` that is not the first label of several. `**.example.com` can be nothing but `*.example.com`; another would allow
 * more than was meant as such a wildcard. */
static int refuse_star(const char *text, bool any_suffix, char message[HOSTNAME_MESSAGE]) {
	const char *rest = text + strspn(text, "*");
	char good[SNIF_NAME_BUFFER];

	if (!*rest || strcmp(rest, ".") == 0)
		return fail(message, "`%s` is no host: write the hosts you need, or `any`, which allows every name",
			    text);
	if (rest > text + 1 && *rest == '.' && suggest(rest - 1, strlen(rest - 1), any_suffix, good))
		return fail(message, "`%.80s`: a * stands alone before the first dot: write `%s`", text, good);
	return fail(message,
		    "`%.80s`: a * can only stand alone before the first dot, like `*.example.com`: "
		    "write the names one by one",
		    text);
}

/* Takes the form off the front of `*text`. */
static int read_form(const char **text, bool any_suffix, enum host_form *form, char message[HOSTNAME_MESSAGE]) {
	const char *whole = *text;

	*form = HOST_EXACT;
	if (strncmp(whole, "*.", 2) == 0 && whole[2]) {
		*form = HOST_BELOW;
		*text += 2;
	} else if (whole[0] == '.') {
		*form = HOST_BOTH;
		*text += 1;
	}
	return strchr(*text, '*') ? refuse_star(whole, any_suffix, message) : 0;
}

bool hostname_is_ascii(const char *text) {
	for (; *text; text++)
		if ((unsigned char)*text > 0x7f)
			return false;
	return true;
}

/* Writes the A-label form. ASCII names pass as they are: libidn2 would refuse some that are in use (r3---sn-x). */
static int to_ascii(const char *text, const char *whole, struct hostname *out, char message[HOSTNAME_MESSAGE]) {
	char *ascii;
	size_t length;
	int error;

	if (hostname_is_ascii(text))
		ascii = strdup(text);
	else if (library_open(&idn2_library))
		return fail(message, "`%.80s` cannot be read without libidn2: install it", whole);
	else if ((error = idn2.idn2_to_ascii_8z(text, &ascii, IDN2_NONTRANSITIONAL)) != IDN2_OK)
		return fail(message, "`%.80s` is no international hostname: %s", whole, idn2.idn2_strerror(error));
	if (!ascii)
		return fail(message, "out of memory");
	length = strlen(ascii);
	if (length <= SNIF_NAME_READ)
		memcpy(out->name, ascii, length + 1);
	free(ascii);
	if (length > SNIF_NAME_READ)
		return fail(message, "`%.60s...` is longer than a hostname can be (%d bytes)", whole, SNIF_NAME_MAX);
	return 0;
}

static int refuse_bytes(const char *name, const char *whole, char message[HOSTNAME_MESSAGE]) {
	size_t good = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

	if (name[good])
		return fail(message, "`%.80s` has `%c` in it: hostnames have letters, digits, - and _", whole,
			    name[good]);
	return fail(message, "`%.80s` has an empty label: write one dot between labels", whole);
}

static int normalise(struct hostname *out, const char *whole, char message[HOSTNAME_MESSAGE]) {
	__u16 length = (__u16)strlen(out->name);

	switch (snif_name_normalise((__u8 *)out->name, &length)) {
	case SNIF_REASON_NONE:
		out->name[length] = '\0';
		return 0;
	case SNIF_REASON_SNI_EMPTY:
		return fail(message, "`%.80s` names no host: write one like example.com", whole);
	case SNIF_REASON_NAME_IS_ADDRESS:
		return fail(message,
			    "`%.80s` is an address or ends in a number like one: address rules go under `direct`",
			    whole);
	case SNIF_REASON_NAME_TOO_LONG:
		return fail(message, "`%.80s` is too long: a hostname has at most %d bytes, and %d between dots", whole,
			    SNIF_NAME_MAX, SNIF_LABEL_MAX);
	default:
		return refuse_bytes(out->name, whole, message);
	}
}

int hostname_parse(const char *text, bool any_suffix, struct hostname *out, char message[HOSTNAME_MESSAGE]) {
	const char *rest = text;

	if (check_kind(text, any_suffix, message) < 0 || read_form(&rest, any_suffix, &out->form, message) < 0 ||
	    to_ascii(rest, text, out, message) < 0 || normalise(out, text, message) < 0)
		return -EINVAL;
	if (out->form == HOST_EXACT || any_suffix || !public_suffix_covers(out->name))
		return 0;
	return fail(message,
		    "`%.80s` covers a public suffix, where anyone can get a name: write the hosts you need, or "
		    "{host: \"%.260s\", public_suffix: true}",
		    text, text);
}

uint64_t hostname_key(const char *name, unsigned bytes) {
	uint64_t key = 0;

	for (unsigned i = 0; i < bytes; i++) {
		key = key << 8 | (unsigned char)*name;
		name += *name != '\0';
	}
	return key;
}

const char *host_form_text(enum host_form form) {
	static const char *const texts[] = {
		[HOST_EXACT] = "", [HOST_BELOW] = "*.", [HOST_BOTH] = ".", [HOST_ANY] = "any"};

	return texts[form];
}
