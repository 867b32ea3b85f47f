/* SPDX-License-Identifier: BSD-2-Clause */
/* Text like 10.0.0.0/8 ──► a prefix of 16-byte addresses. */
#include "policy/prefix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/ip_address.h"

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};

static bool starts_with(const uint8_t address[16], const uint8_t start[12]) {
	return memcmp(address, start, 12) == 0;
}

/* Clears the bits behind the prefix's length. Returns whether there were any. */
static bool mask(struct prefix *prefix) {
	bool cleared = false;

	for (unsigned bit = prefix->length; bit < 128; bit++) {
		uint8_t at = 0x80 >> bit % 8;

		cleared |= (prefix->address[bit / 8] & at) != 0;
		prefix->address[bit / 8] &= ~at;
	}
	return cleared;
}

static bool covers(const struct prefix *prefix, const uint8_t start[12]) {
	struct prefix other = {.length = prefix->length};

	memcpy(other.address, start, 12);
	mask(&other);
	return memcmp(other.address, prefix->address, 16) == 0;
}

/* The number behind the slash: digits only, no leading zero, at most `most`. Returns -1 when it is not that. */
static int parse_length(const char *text, int most) {
	int length = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || length > most)
			return -1;
		length = length * 10 + *text - '0';
	}
	return length <= most ? length : -1;
}

static enum prefix_result wrong(char message[PREFIX_MESSAGE], const char *text, const char *why) {
	snprintf(message, PREFIX_MESSAGE, "`%.60s` %s", text, why);
	return PREFIX_WRONG;
}

/* What a prefix must not be, once it is read. `out` still has its host bits. */
static enum prefix_result check(const char *text, struct prefix *out, char message[PREFIX_MESSAGE]) {
	struct prefix written = *out;
	char masked[PREFIX_TEXT], address[PREFIX_TEXT];
	bool host_bits = mask(out);

	if (out->length < 96 && (starts_with(written.address, mapped) || (out->length > 80 && covers(out, mapped))))
		return wrong(message, text,
			     "is wider than the v4-mapped addresses: write IPv4 prefixes as such, like 0.0.0.0/0");
	if (starts_with(written.address, nat64) || (out->length >= 32 && covers(out, nat64)))
		return wrong(message, text,
			     "is NAT64 (64:ff9b::/96), which is judged as IPv4: write the IPv4 address or prefix");
	if (!host_bits)
		return PREFIX_OK;
	written.length = 128;
	prefix_format(out, masked);
	prefix_format(&written, address);
	snprintf(message, PREFIX_MESSAGE,
		 "`%.60s` has bits set behind its length: write %s for the network or %s for the host", text, masked,
		 address);
	return PREFIX_HOST_BITS;
}

enum prefix_result prefix_parse(const char *text, struct prefix *out, char message[PREFIX_MESSAGE]) {
	char address[INET6_ADDRSTRLEN + 1];
	const char *slash = strchrnul(text, '/');
	size_t length = (size_t)(slash - text);
	struct prefix read = {0};
	int bits, offset;

	if (memchr(text, '%', length))
		return wrong(message, text, "has a zone id, which names an interface: write the address without it");
	if (length >= sizeof(address))
		return wrong(message, text, "is not an address or prefix, like 192.0.2.0/24 or 2001:db8::/32");
	memcpy(address, text, length);
	address[length] = '\0';
	if (!ip_address_read(address, read.address))
		return wrong(message, text, "is not an address or prefix, like 192.0.2.0/24 or 2001:db8::/32");
	offset = strchr(address, ':') ? 0 : 96;
	bits = *slash ? parse_length(slash + 1, 128 - offset) : 128 - offset;
	if (bits < 0)
		return wrong(message, text,
			     offset ? "has no good length: write 0 to 32 behind the /"
				    : "has no good length: write 0 to 128 behind the /");
	read.length = (uint8_t)(bits + offset);
	*out = read;
	return check(text, out, message);
}

void prefix_format(const struct prefix *prefix, char text[PREFIX_TEXT]) {
	bool ipv4 = prefix->length >= 96 && starts_with(prefix->address, mapped);

	inet_ntop(ipv4 ? AF_INET : AF_INET6, prefix->address + (ipv4 ? 12 : 0), text, PREFIX_TEXT);
	if (prefix->length < 128)
		snprintf(text + strlen(text), 8, "/%u", prefix->length - (ipv4 ? 96U : 0U));
}

int prefix_list_add(struct prefix_list *list, const struct prefix *prefix) {
	struct prefix *added = array_add(&list->items, &list->count, sizeof(*added));

	if (!added)
		return -ENOMEM;
	*added = *prefix;
	return 0;
}

static int compare_prefixes(const void *left, const void *right) {
	_Static_assert(sizeof(struct prefix) == 17, "a prefix has no padding, so that its bytes can be compared");
	return memcmp(left, right, sizeof(struct prefix));
}

void prefix_list_sort(struct prefix_list *list) {
	size_t kept = 0;

	if (list->count == 0)
		return;
	qsort(list->items, list->count, sizeof(*list->items), compare_prefixes);
	for (size_t i = 1; i < list->count; i++)
		if (compare_prefixes(&list->items[kept], &list->items[i]) != 0)
			list->items[++kept] = list->items[i];
	list->count = kept + 1;
}
