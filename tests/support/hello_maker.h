/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ClientHellos to the byte. hello_make() makes a good one, which OpenSSL answers, with what a test wants to be special
 * about it; for anything stranger, the pieces that it is made of are here too.
 */
#ifndef SNIF_HELLO_MAKER_H
#define SNIF_HELLO_MAKER_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that grow; adding more than fits ends the program. All zero is empty. */
struct bytes {
	size_t length;
	uint8_t data[1 << 17];
};

void bytes_add(struct bytes *bytes, const void *data, size_t length);
void bytes_fill(struct bytes *bytes, uint8_t value, size_t count);
/* A number of `width` bytes (1 to 4) in network order. */
void bytes_number(struct bytes *bytes, unsigned width, uint32_t value);
/* A field whose length of `width` bytes stands before it: open, add, close with what open returned. */
size_t bytes_open(struct bytes *bytes, unsigned width);
void bytes_close(struct bytes *bytes, unsigned width, size_t opened);

struct hello_extension {
	uint16_t type;
	const void *data;
	size_t length;
};

/* All zero, but for `name`, is an ordinary TLS 1.3 hello of about 200 bytes in one record. */
struct hello {
	const char *name;   /* NULL: no server_name extension */
	size_t name_length; /* 0: strlen(name) */
	size_t name_at;	    /* so many bytes of the stream come before the name's first byte; 0: as it comes */
	size_t size;	    /* of the stream, with `record_size` 0; 0: as it comes */
	size_t record_size; /* bytes of the message in each record; 0: one record */
	_Bool tls12;	    /* no supported_versions and key_share: TLS 1.2 */
	_Bool browser; /* what today's browsers send: 16 ciphers, 17 extensions and perhaps padding, GREASE among them */
	_Bool post_quantum; /* browser: with a key share for X25519MLKEM768 and a GREASE encrypted_client_hello */
	_Bool bare;	    /* no extensions but `extra` */
	const struct hello_extension *extra; /* these come first */
	size_t extra_count;
};

/* Makes the stream: records, in which there is the message. Replaces what is in `out`. */
void hello_make(struct bytes *out, const struct hello *hello);

/* The pieces: the handshake message with its header; an extension; the server_name extension; `message` in handshake
 * records of `record_size` bytes (0: one), and one record of any type. All add to `out`. */
void hello_message(struct bytes *out, const struct hello *hello);
void hello_extension(struct bytes *out, uint16_t type, const void *data, size_t length);
void hello_server_name(struct bytes *out, const char *name, size_t length);
void hello_records(struct bytes *out, const void *message, size_t length, size_t record_size);
void hello_record(struct bytes *out, uint8_t type, const void *data, size_t length);

#endif
