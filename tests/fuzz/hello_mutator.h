/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stream of TLS records ──► a similar stream: the mutator that the fuzz targets of the parser share. It takes the
 * records apart, changes one thing of a ClientHello or of what stands around it, puts the lengths right again (mostly)
 * and cuts the messages into records anew.
 */
#ifndef SNIF_HELLO_MUTATOR_H
#define SNIF_HELLO_MUTATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MUTATOR_BYTES (1 << 15)
#define MUTATOR_PARTS 24
#define MUTATOR_EXTENSIONS 40

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* A message, of one or more handshake records; or one record of another type. */
struct mutator_part {
	uint8_t type;
	size_t length;
	uint8_t data[MUTATOR_BYTES];
};

struct mutator {
	uint64_t random;
	size_t count;
	bool keep_lengths; /* do not put them right */
	struct mutator_part parts[MUTATOR_PARTS];
};

static inline uint32_t mutator_random(uint64_t *state, uint32_t below) {
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 32) % below;
}

static inline size_t mutator_be(const uint8_t *p, unsigned width) {
	size_t value = 0;

	while (width-- > 0)
		value = value << 8 | *p++;
	return value;
}

static inline void mutator_put(uint8_t *p, unsigned width, size_t value) {
	for (; width-- > 0; value >>= 8)
		p[width] = (uint8_t)value;
}

/* Puts `length` bytes (zeros when `data` is NULL) in the place of `old` bytes at `at`. False: no room. */
static inline bool mutator_splice(struct mutator_part *part, size_t at, size_t old, const void *data, size_t length) {
	if (at + old > part->length || part->length - old + length > MUTATOR_BYTES)
		return false;
	memmove(part->data + at + length, part->data + at + old, part->length - at - old);
	if (data)
		memcpy(part->data + at, data, length);
	else
		memset(part->data + at, 0, length);
	part->length += length - old;
	return true;
}

static inline struct mutator_part *mutator_insert(struct mutator *m, size_t index, uint8_t type) {
	if (m->count == MUTATOR_PARTS)
		return NULL;
	memmove(&m->parts[index + 1], &m->parts[index], (m->count - index) * sizeof(m->parts[0]));
	m->count++;
	m->parts[index].type = type;
	m->parts[index].length = 0;
	return &m->parts[index];
}

/* Whether the part is a handshake message that goes on in the next record. */
static inline bool mutator_goes_on(const struct mutator_part *part) {
	return part->type == 22 && (part->length < 4 || part->length < 4 + mutator_be(part->data + 1, 3));
}

/* Takes the stream apart; what is no whole record at its end is lost. */
static inline void mutator_read(struct mutator *m, const uint8_t *data, size_t size) {
	struct mutator_part *part = NULL;
	size_t length;

	m->count = 0;
	for (; size > 5; data += 5 + length, size -= 5 + length) {
		length = mutator_be(data + 3, 2);
		if (length > size - 5)
			length = size - 5;
		if (!part || data[0] != 22 || !mutator_goes_on(part))
			part = mutator_insert(m, m->count, data[0]);
		if (!part || !mutator_splice(part, part->length, 0, data + 5, length))
			return;
	}
}

static inline size_t mutator_write_record(const struct mutator_part *part, size_t at, size_t length, uint8_t *out,
					  size_t max) {
	if (max < 5 + length)
		return 0;
	out[0] = part->type;
	out[1] = 3;
	out[2] = at == 0 ? 1 : 3;
	mutator_put(out + 3, 2, length);
	memcpy(out + 5, part->data + at, length);
	return 5 + length;
}

/* Puts the parts into records: of the largest size, or of random ones. */
static inline size_t mutator_write(struct mutator *m, uint8_t *out, size_t max) {
	static const uint32_t sizes[] = {16384, 16384, 16384, 1000, 100, 10, 3};
	size_t written = 0, at, length, record;
	uint32_t limit = sizes[mutator_random(&m->random, 7)];

	for (size_t i = 0; i < m->count; i++) {
		at = 0;
		do {
			length = limit == 16384 ? limit : 1 + mutator_random(&m->random, limit);
			if (length > m->parts[i].length - at)
				length = m->parts[i].length - at;
			record = mutator_write_record(&m->parts[i], at, length, out + written, max - written);
			if (record == 0)
				return written;
			written += record;
			at += length;
		} while (at < m->parts[i].length);
	}
	return written;
}

/* A ClientHello in a part: where its pieces are. */
struct mutator_hello {
	struct mutator_part *part;
	size_t start, session, ciphers, compression, block; /* where the length fields are */
	size_t end;
	size_t extensions[MUTATOR_EXTENSIONS + 1]; /* where each begins; then, where the last one ends */
	size_t extension_count;
};

/* Reads the hello that begins at `start`. False: it is none that can be taken apart. */
static inline bool mutator_hello_read(struct mutator_hello *h, struct mutator_part *part, size_t start) {
	const uint8_t *p = part->data;
	size_t at;

	*h = (struct mutator_hello){.part = part, .start = start};
	h->session = start + 4 + 34;
	if (h->session >= part->length || p[start] != 1)
		return false;
	h->end = start + 4 + mutator_be(p + start + 1, 3);
	h->ciphers = h->session + 1 + p[h->session];
	if (h->end > part->length || h->ciphers + 2 > h->end)
		return false;
	h->compression = h->ciphers + 2 + mutator_be(p + h->ciphers, 2);
	if (h->compression >= h->end)
		return false;
	h->block = h->compression + 1 + p[h->compression];
	if (h->block + 2 > h->end)
		return false;
	for (at = h->block + 2; at + 4 <= h->end && h->extension_count < MUTATOR_EXTENSIONS;) {
		h->extensions[h->extension_count++] = at;
		at += 4 + mutator_be(p + at + 2, 2);
	}
	if (at > h->end)
		h->extension_count--;
	else
		h->extensions[h->extension_count] = at;
	return true;
}

/* Chooses one of the hellos of a part that can be taken apart. */
static inline bool mutator_hello_choose(struct mutator *m, struct mutator_hello *chosen) {
	struct mutator_hello h;
	unsigned found = 0;

	for (size_t i = 0; i < m->count; i++) {
		for (size_t at = 0; m->parts[i].type == 22 && at + 4 < m->parts[i].length;) {
			if (mutator_hello_read(&h, &m->parts[i], at) && mutator_random(&m->random, ++found) == 0)
				*chosen = h;
			at += 4 + mutator_be(m->parts[i].data + at + 1, 3);
		}
	}
	return found > 0;
}

/* Puts `length` bytes in the place of `old` at `at`, in the hello's extensions. */
static inline void mutator_edit(struct mutator *m, struct mutator_hello *h, size_t at, size_t old, const void *data,
				size_t length) {
	uint8_t *p = h->part->data;

	if (!mutator_splice(h->part, at, old, data, length) || m->keep_lengths)
		return;
	mutator_put(p + h->start + 1, 3, h->end - h->start - 4 + length - old);
	if (at > h->block)
		mutator_put(p + h->block, 2, mutator_be(p + h->block, 2) + length - old);
}

static inline size_t mutator_name(struct mutator *m, uint8_t *name) {
	static const char *const names[] = {"a.test",	    "b.test",	  "A.TEST.",	"a.test..",
					    "evil.example", "192.0.2.1",  "*.a.test",	"a_b.test",
					    "localhost",    "",		  "a.test\n",	"::1",
					    "b\xc3.test",   "a.test:443", "1.2.3.test", "xn--bcher-kva.example"};
	const char *from = names[mutator_random(&m->random, sizeof(names) / sizeof(*names))];
	size_t length = strlen(from);

	memcpy(name, from, length);
	if (mutator_random(&m->random, 8) == 0)
		name[length++] = 0;
	if (mutator_random(&m->random, 8) == 0) {
		memset(name + length, 'a', 250);
		for (size_t i = 0; i < 250; i += 50)
			name[length + i] = '.';
		length += mutator_random(&m->random, 251);
	}
	return length;
}

/* A server_name extension: of one name, mostly. Returns its length. */
static inline size_t mutator_server_name(struct mutator *m, uint8_t *out) {
	size_t at = 6, length;

	do {
		length = mutator_name(m, out + at + 3);
		out[at] = mutator_random(&m->random, 12) == 0;
		mutator_put(out + at + 1, 2, length);
		at += 3 + length;
	} while (mutator_random(&m->random, 8) == 0 && at < 700);
	mutator_put(out, 2, 0);
	mutator_put(out + 2, 2, at - 4);
	mutator_put(out + 4, 2, at - 6);
	return at;
}

/* The place of the extension of this type; of any one if there is none. */
static inline size_t mutator_find(struct mutator *m, const struct mutator_hello *h, size_t type) {
	for (size_t i = 0; i < h->extension_count; i++)
		if (mutator_be(h->part->data + h->extensions[i], 2) == type)
			return i;
	return mutator_random(&m->random, (uint32_t)h->extension_count);
}

static inline void mutator_edit_body(struct mutator *m, struct mutator_hello *h, size_t at, size_t length) {
	uint8_t body[2048];
	size_t size;

	if (length > 1024)
		return;
	memcpy(body, h->part->data + at, length);
	size = LLVMFuzzerMutate(body + 4, length - 4, length + 60) + 4;
	if (!m->keep_lengths)
		mutator_put(body + 2, 2, size - 4);
	mutator_edit(m, h, at, length, body, size);
}

static inline void mutator_edit_extension(struct mutator *m, struct mutator_hello *h) {
	static const uint16_t types[] = {0,  10, 16, 21,     35,     41,     42,     43,
					 44, 45, 51, 0x0a0a, 0x8a8a, 0xfe0d, 0xffce, 0xff01};
	uint8_t new[1024];
	size_t i = mutator_random(&m->random, (uint32_t)h->extension_count);
	size_t at = h->extensions[i], length = h->extensions[i + 1] - at;
	size_t to = h->extensions[mutator_random(&m->random, (uint32_t)h->extension_count + 1)];

	switch (mutator_random(&m->random, 9)) {
	case 0: /* another name, in the same place */
	case 1:
		i = mutator_find(m, h, 0);
		mutator_edit(m, h, h->extensions[i], h->extensions[i + 1] - h->extensions[i], new,
			     mutator_server_name(m, new));
		return;
	case 2: /* no key: the server asks again */
		i = mutator_find(m, h, 51);
		mutator_edit(m, h, h->extensions[i], h->extensions[i + 1] - h->extensions[i], "\0\x33\0\2\0\0", 6);
		return;
	case 3: /* a copy, elsewhere */
		if (length <= sizeof(new)) {
			memcpy(new, h->part->data + at, length);
			mutator_edit(m, h, to, 0, new, length);
		}
		return;
	case 4:
		mutator_edit(m, h, at, length, NULL, 0);
		return;
	case 5: /* a new one, maybe large */
		memset(new, 0, sizeof(new));
		mutator_put(new, 2, types[mutator_random(&m->random, 16)]);
		length = mutator_random(&m->random, mutator_random(&m->random, 3) ? 4 : 1000);
		mutator_put(new + 2, 2, length);
		mutator_edit(m, h, to, 0, new, 4 + length);
		return;
	case 6:
		mutator_put(h->part->data + at, 2, types[mutator_random(&m->random, 16)]);
		return;
	default:
		mutator_edit_body(m, h, at, length);
	}
}

static inline void mutator_edit_fixed(struct mutator *m, struct mutator_hello *h) {
	uint8_t *p = h->part->data;
	size_t length = mutator_random(&m->random, 40);

	switch (mutator_random(&m->random, 5)) {
	case 0: /* the version, likely one that there is */
		mutator_put(p + h->start + 4, 2, 0x0300 + mutator_random(&m->random, 6));
		return;
	case 1:
		mutator_edit(m, h, h->session, 1 + p[h->session], NULL, 1 + length);
		p[h->session] = (uint8_t)length;
		return;
	case 2: /* no extensions */
		mutator_splice(h->part, h->block, h->end - h->block, NULL, 0);
		mutator_put(p + h->start + 1, 3, h->block - h->start - 4);
		return;
	case 3: /* bytes behind the extensions */
		mutator_edit(m, h, h->end, 0, NULL, 1 + length % 3);
		return;
	default: /* another message behind it, or the hello again */
		mutator_splice(h->part, h->end, 0, p + h->start, length < 20 ? length : h->end - h->start);
	}
}

/* What may stand around a hello: other records, the hello again. */
static inline void mutator_edit_parts(struct mutator *m) {
	static const uint8_t types[] = {20, 20, 20, 21, 21, 22, 23, 23, 24, 0x80, 25, 0};
	size_t at = mutator_random(&m->random, (uint32_t)m->count + 1), from;
	struct mutator_part *part;

	switch (mutator_random(&m->random, 3)) {
	case 0: /* CCS as it must be; alerts that servers may pass over: user_canceled */
		part = mutator_insert(m, at, types[mutator_random(&m->random, 12)]);
		if (part && mutator_random(&m->random, 4))
			mutator_splice(part, 0, 0, "\1\x5a", part->type == 20 ? 1 : 2);
		return;
	case 1:
		from = mutator_random(&m->random, (uint32_t)m->count);
		part = mutator_insert(m, at, 22);
		if (part)
			*part = m->parts[from >= at ? from + 1 : from];
		return;
	default:
		if (m->count > 1) {
			from = mutator_random(&m->random, (uint32_t)m->count);
			m->parts[from] = m->parts[--m->count];
		}
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
	static struct mutator m;
	struct mutator_hello h = {0};

	m.random = (uint64_t)seed * 0x9e3779b97f4a7c15 + 1;
	mutator_read(&m, data, size);
	if (m.count == 0 || mutator_random(&m.random, 6) == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	for (uint32_t edits = 1 + mutator_random(&m.random, 3); edits > 0; edits--) {
		m.keep_lengths = mutator_random(&m.random, 24) == 0;
		if (mutator_random(&m.random, 4) == 0 || !mutator_hello_choose(&m, &h))
			mutator_edit_parts(&m);
		else if (h.extension_count == 0 || mutator_random(&m.random, 6) == 0)
			mutator_edit_fixed(&m, &h);
		else
			mutator_edit_extension(&m, &h);
	}
	return mutator_write(&m, data, max_size);
}

#endif
