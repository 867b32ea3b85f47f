/* SPDX-License-Identifier: BSD-2-Clause */
/* What should be special about a ClientHello ──► its bytes. */
#include "hello_maker.h"

#include <stdlib.h>
#include <string.h>

enum { HANDSHAKE = 22, CLIENT_HELLO = 1, RECORD_HEADER = 5, EXTENSION_HEADER = 4 };
enum { PADDING = 21, UNASSIGNED = 0x5a5b };

void bytes_add(struct bytes *bytes, const void *data, size_t length) {
	if (length > sizeof(bytes->data) - bytes->length)
		abort();
	if (length)
		memcpy(bytes->data + bytes->length, data, length);
	bytes->length += length;
}

void bytes_fill(struct bytes *bytes, uint8_t value, size_t count) {
	if (count > sizeof(bytes->data) - bytes->length)
		abort();
	memset(bytes->data + bytes->length, value, count);
	bytes->length += count;
}

void bytes_number(struct bytes *bytes, unsigned width, uint32_t value) {
	while (width-- > 0)
		bytes_fill(bytes, (uint8_t)(value >> width * 8), 1);
}

size_t bytes_open(struct bytes *bytes, unsigned width) {
	bytes_number(bytes, width, 0);
	return bytes->length;
}

void bytes_close(struct bytes *bytes, unsigned width, size_t opened) {
	size_t length = bytes->length - opened;

	for (unsigned i = 1; i <= width; i++, length >>= 8)
		bytes->data[opened - i] = (uint8_t)length;
}

void hello_extension(struct bytes *out, uint16_t type, const void *data, size_t length) {
	size_t opened;

	bytes_number(out, 2, type);
	opened = bytes_open(out, 2);
	bytes_add(out, data, length);
	bytes_close(out, 2, opened);
}

void hello_server_name(struct bytes *out, const char *name, size_t length) {
	size_t extension, list, entry;

	bytes_number(out, 2, 0);
	extension = bytes_open(out, 2);
	list = bytes_open(out, 2);
	bytes_number(out, 1, 0);
	entry = bytes_open(out, 2);
	bytes_add(out, name, length);
	bytes_close(out, 2, entry);
	bytes_close(out, 2, list);
	bytes_close(out, 2, extension);
}

/* An extension of nothing that takes `size` bytes, its header included. */
static void add_padding(struct bytes *out, uint16_t type, size_t size) {
	if (size == 0)
		return;
	if (size < EXTENSION_HEADER)
		abort();
	bytes_number(out, 2, type);
	bytes_number(out, 2, (uint32_t)(size - EXTENSION_HEADER));
	bytes_fill(out, 0, size - EXTENSION_HEADER);
}

static void add_common_extensions(struct bytes *out, _Bool tls12) {
	static const uint8_t groups[] = {0, 4, 0, 29, 0, 23};
	static const uint8_t signatures[] = {0, 6, 4, 3, 8, 4, 4, 1};
	static const uint8_t versions[] = {4, 3, 4, 3, 3};
	uint8_t share[6 + 32] = {0, 36, 0, 29, 0, 32, 9}; /* X25519 takes any 32 bytes as a public key */

	hello_extension(out, 10, groups, sizeof(groups));
	hello_extension(out, 13, signatures, sizeof(signatures));
	if (tls12)
		return;
	hello_extension(out, 43, versions, sizeof(versions));
	hello_extension(out, 51, share, sizeof(share));
}

/* key_share: one of GREASE (RFC 8701), X25519MLKEM768 perhaps, and X25519. */
static void add_browser_shares(struct bytes *out, _Bool post_quantum) {
	enum {
		KEY_SHARE = 51,
		GREASE = 0x0a0a,
		X25519MLKEM768 = 0x11ec,
		MLKEM768_SIZE = 1184,
		X25519 = 29,
		X25519_SIZE = 32
	};
	uint8_t share[MLKEM768_SIZE + X25519_SIZE];
	size_t extension, list;

	memset(share, 7, sizeof(share));
	bytes_number(out, 2, KEY_SHARE);
	extension = bytes_open(out, 2);
	list = bytes_open(out, 2);
	/* an entry of the list is written as an extension is */
	hello_extension(out, GREASE, "", 1);
	if (post_quantum)
		hello_extension(out, X25519MLKEM768, share, sizeof(share));
	hello_extension(out, X25519, share, X25519_SIZE);
	bytes_close(out, 2, list);
	bytes_close(out, 2, extension);
}

/* As Chrome 131 sends them (it shuffles them, each time anew), but for server_name and padding. */
static void add_browser_extensions(struct bytes *out, _Bool post_quantum) {
	static const struct hello_extension before[] = {
		{0x2a2a, "", 0},					  /* GREASE */
		{23, "", 0},						  /* extended_master_secret */
		{65281, "", 1},						  /* renegotiation_info */
		{10, "\0\x0a\x0a\x0a\x11\xec\0\x1d\0\x17\0\x18", 12},	  /* supported_groups */
		{11, "\1", 2},						  /* ec_point_formats */
		{35, "", 0},						  /* session_ticket */
		{16, "\0\x0c\2h2\x08http/1.1", 14},			  /* application_layer_protocol_negotiation */
		{5, "\1\0\0\0", 5},					  /* status_request */
		{13, "\0\x10\4\3\x08\4\4\1\5\3\x08\5\5\1\x08\6\6\1", 18}, /* signature_algorithms */
		{18, "", 0},						  /* signed_certificate_timestamp */
	};
	static const struct hello_extension behind[] = {
		{45, "\1\1", 2},	       /* psk_key_exchange_modes */
		{43, "\6\x1a\x1a\3\4\3\3", 7}, /* supported_versions */
		{27, "\2\0\2", 3},	       /* compress_certificate */
		{17613, "\0\3\2h2", 5},	       /* application_settings */
		{0x3a3a, "", 1},	       /* GREASE */
	};
	uint8_t ech[218] = {0};

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		hello_extension(out, before[i].type, before[i].data, before[i].length);
	add_browser_shares(out, post_quantum);
	for (size_t i = 0; i < sizeof(behind) / sizeof(behind[0]); i++)
		hello_extension(out, behind[i].type, behind[i].data, behind[i].length);
	if (post_quantum)
		hello_extension(out, 0xfe0d, ech, sizeof(ech));
}

static void add_extensions(struct bytes *out, const struct hello *hello) {
	size_t opened = bytes_open(out, 2);
	size_t before_name = RECORD_HEADER + 9; /* of the record, and of server_name up to the name */

	for (size_t i = 0; i < hello->extra_count; i++)
		hello_extension(out, hello->extra[i].type, hello->extra[i].data, hello->extra[i].length);
	if (hello->name_at)
		add_padding(out, UNASSIGNED, hello->name_at - before_name - out->length);
	if (hello->name)
		hello_server_name(out, hello->name, hello->name_length ? hello->name_length : strlen(hello->name));
	if (hello->browser)
		add_browser_extensions(out, hello->post_quantum);
	else if (!hello->bare)
		add_common_extensions(out, hello->tls12);
	if (hello->size)
		add_padding(out, PADDING, hello->size - RECORD_HEADER - out->length);
	bytes_close(out, 2, opened);
}

/* `name_at` and `size` count from the beginning of `out`, which is empty here. */
static void make_message(struct bytes *out, const struct hello *hello) {
	static const uint8_t ciphers[] = {0x13, 0x01, 0x13, 0x02, 0xc0, 0x2b, 0xc0, 0x2f};
	size_t opened, opened_ciphers;

	bytes_number(out, 1, CLIENT_HELLO);
	opened = bytes_open(out, 3);
	bytes_number(out, 2, 0x0303);
	bytes_fill(out, 0x42, 32); /* random */
	bytes_number(out, 1, 32);
	bytes_fill(out, 0x17, 32); /* session id */
	opened_ciphers = bytes_open(out, 2);
	bytes_add(out, ciphers, sizeof(ciphers));
	if (hello->browser) /* 12 more, for servers that know none of these */
		for (unsigned i = 0; i < 12; i++)
			bytes_number(out, 2, 0xc000 + i);
	bytes_close(out, 2, opened_ciphers);
	bytes_number(out, 2, 0x0100); /* compression: none */
	add_extensions(out, hello);
	bytes_close(out, 3, opened);
}

static struct bytes *new_message(const struct hello *hello) {
	struct bytes *message = calloc(1, sizeof(*message));

	if (!message)
		abort();
	make_message(message, hello);
	return message;
}

void hello_message(struct bytes *out, const struct hello *hello) {
	struct bytes *message = new_message(hello);

	bytes_add(out, message->data, message->length);
	free(message);
}

void hello_record(struct bytes *out, uint8_t type, const void *data, size_t length) {
	bytes_number(out, 1, type);
	bytes_number(out, 2, 0x0301);
	bytes_number(out, 2, (uint32_t)length);
	bytes_add(out, data, length);
}

void hello_records(struct bytes *out, const void *message, size_t length, size_t record_size) {
	const uint8_t *from = message;
	size_t size;

	for (; length > 0; from += size, length -= size) {
		size = record_size && record_size < length ? record_size : length;
		hello_record(out, HANDSHAKE, from, size);
	}
}

void hello_make(struct bytes *out, const struct hello *hello) {
	struct bytes *message = new_message(hello);

	out->length = 0;
	hello_records(out, message->data, message->length, hello->record_size);
	free(message);
}
