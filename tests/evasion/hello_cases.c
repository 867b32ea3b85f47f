/* SPDX-License-Identifier: BSD-2-Clause */
/* B8, B9, B15, B18, B20: ClientHellos of all shapes that clients send, or could. */
#include <stdlib.h>
#include <string.h>

#include "evasion.h"

enum {
	SERVER_NAME = 0,
	GROUPS = 10,
	SIGNATURES = 13,
	PADDING = 21,
	PSK = 41,
	EARLY_DATA = 42,
	VERSIONS = 43,
	MODES = 45,
	SHARE = 51
};
enum { ESNI = 0xffce, ECH = 0xfe0d, MLKEM = 0x11ec };

static const uint8_t zeros[1 << 15];
static const uint8_t groups[] = {0, 4, 0, 29, 0, 23};
static const uint8_t signatures[] = {0, 6, 4, 3, 8, 4, 4, 1};
static const uint8_t versions[] = {4, 3, 4, 3, 3};
static const uint8_t share[6 + 32] = {0, 36, 0, 29, 0, 32, 9};
static const uint8_t modes[] = {1, 1};
static const uint8_t alpn[] = {0, 12, 2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
/* GREASE ECH as browsers send it: outer, HKDF-SHA256 and AES-128-GCM, config id, a key of 32 bytes, a payload of 144 */
static const uint8_t ech[8 + 32 + 2 + 144] = {0, 0, 1, 0, 1, 77, 0, 32, 9, [40] = 0, [41] = 144};

/* The bytes of a server_name extension; valid for one stream. */
static struct hello_extension server_name(const char *name) {
	static struct bytes data;
	size_t list, entry;

	data.length = 0;
	list = bytes_open(&data, 2);
	bytes_number(&data, 1, 0);
	entry = bytes_open(&data, 2);
	bytes_add(&data, name, strlen(name));
	bytes_close(&data, 2, entry);
	bytes_close(&data, 2, list);
	return (struct hello_extension){SERVER_NAME, data.data, data.length};
}

static void exactly(struct stream *stream, const char *name, const struct hello_extension *list, size_t count) {
	stream_of(stream, &(struct hello){.bare = 1, .extra = list, .extra_count = count});
	stream->name = name;
}

/* ---- B8 ---- */

static void padded(struct stream *stream, const char *name, int n) {
	static const uint8_t shares[15000] = {14998 >> 8, 14998 & 0xff};
	static const struct hello_extension before[] = {
		{PADDING, zeros, 14 * 1024}, {SHARE, shares, sizeof(shares)}, {0x5a5a, zeros, 8000}, {0x5a5a, "", 0}};

	if (n < 3)
		stream_of(stream,
			  &(struct hello){.name = name, .extra = &before[n], .extra_count = 1, .tls12 = n == 1});
	else
		stream_of(stream, &(struct hello){.name = name, .name_at = 14000});
}

static void padded_allowed(struct stream *stream, int n) {
	padded(stream, ALLOWED, n);
}

static void padded_forbidden(struct stream *stream, int n) {
	padded(stream, FORBIDDEN, n);
}

/* n unknown extensions in front, of different types. */
static void unknown(struct stream *stream, const char *name, int n) {
	static struct hello_extension extra[256];

	for (int i = 0; i < n; i++)
		extra[i] = (struct hello_extension){(uint16_t)(1000 + i), zeros, (size_t)(i % 7)};
	stream_of(stream, &(struct hello){.name = name, .extra = extra, .extra_count = (size_t)n});
}

static void unknown_allowed(struct stream *stream, int n) {
	unknown(stream, ALLOWED, n);
}

static void unknown_forbidden(struct stream *stream, int n) {
	unknown(stream, FORBIDDEN, n);
}

static void unknown_too_many(struct stream *stream, int n) {
	unknown(stream, ALLOWED, n);
	stream->name = NULL;
}

static void sized_allowed(struct stream *stream, int n) {
	stream_of(stream, &(struct hello){.name = ALLOWED, .size = (size_t)n});
}

static void sized_forbidden(struct stream *stream, int n) {
	stream_of(stream, &(struct hello){.name = FORBIDDEN, .size = (size_t)n});
}

/* In full records; n: bytes of the message. */
static void long_hello(struct stream *stream, const char *name, int n) {
	stream_of(stream, &(struct hello){.name = name, .size = (size_t)n + 5, .record_size = 16384});
}

static void long_allowed(struct stream *stream, int n) {
	long_hello(stream, ALLOWED, n);
}

static void long_forbidden(struct stream *stream, int n) {
	long_hello(stream, FORBIDDEN, n);
}

/* The records but the last are n bytes short of full. */
static void long_cut_early(struct stream *stream, int n) {
	stream_of(stream, &(struct hello){.name = ALLOWED, .size = 40000, .record_size = (size_t)(16384 - n)});
	stream->name = NULL;
}

static void long_named_late(struct stream *stream, int n) {
	stream_of(stream, &(struct hello){.name = ALLOWED, .name_at = (size_t)n, .size = 40000, .record_size = 16384});
	stream->name = NULL;
}

/* Records of one byte; n: bytes of the message. 10,926 of them take all that the longest hello may. */
static void one_byte_records_allowed(struct stream *stream, int n) {
	stream_of(stream, &(struct hello){.name = ALLOWED, .size = (size_t)n + 5, .record_size = 1});
}

static void one_byte_records_forbidden(struct stream *stream, int n) {
	stream_of(stream, &(struct hello){.name = FORBIDDEN, .size = (size_t)n + 5, .record_size = 1});
}

/* So many records that their headers alone are over the limit; n: bytes in each. */
static void records_too_long(struct stream *stream, int n) {
	stream_of(stream, &(struct hello){.name = ALLOWED, .name_at = 9000, .size = 15000, .record_size = (size_t)n});
	stream->name = NULL;
}

/* ---- B9 ---- */

static void permuted(struct stream *stream, const char *name, int n) {
	struct hello_extension list[] = {
		server_name(name),
		{GROUPS, groups, sizeof(groups)},
		{SIGNATURES, signatures, sizeof(signatures)},
		{VERSIONS, versions, sizeof(versions)},
		{SHARE, share, sizeof(share)},
		{0x0a0a, "", 0},
		{0xfafa, zeros, 1},
		{16, alpn, sizeof(alpn)},
		{23, "", 0},
		{MODES, modes, sizeof(modes)},
	};
	unsigned seed = (unsigned)n;
	struct hello_extension swap;
	size_t other;

	for (size_t i = COUNT(list) - 1; i > 0; i--) {
		other = (size_t)rand_r(&seed) % (i + 1);
		swap = list[i];
		list[i] = list[other];
		list[other] = swap;
	}
	exactly(stream, name, list, COUNT(list));
}

static void permuted_allowed(struct stream *stream, int n) {
	permuted(stream, ALLOWED, n);
}

static void permuted_forbidden(struct stream *stream, int n) {
	permuted(stream, FORBIDDEN, n);
}

/* server_name at place n among the others. */
static void placed(struct stream *stream, const char *name, int n) {
	static const struct hello_extension others[] = {{0x1a1a, zeros, 1},
							{GROUPS, groups, sizeof(groups)},
							{SIGNATURES, signatures, sizeof(signatures)},
							{VERSIONS, versions, sizeof(versions)},
							{SHARE, share, sizeof(share)},
							{0xeaea, "", 0}};
	struct hello_extension list[COUNT(others) + 1];

	for (size_t i = 0; i <= COUNT(others); i++)
		list[i] = i == (size_t)n ? server_name(name) : others[i - (i > (size_t)n)];
	exactly(stream, name, list, COUNT(list));
}

static void placed_allowed(struct stream *stream, int n) {
	placed(stream, ALLOWED, n);
}

static void placed_forbidden(struct stream *stream, int n) {
	placed(stream, FORBIDDEN, n);
}

static void only_server_name(struct stream *stream, int n) {
	const struct hello_extension list = server_name(n ? FORBIDDEN : ALLOWED);

	exactly(stream, n ? FORBIDDEN : ALLOWED, &list, 1);
	stream->reason = n ? REFUSE : ALLOW;
}

/* GREASE in every list that can hold it (RFC 8701). */
static void grease(struct stream *stream, int n) {
	static const uint8_t grease_versions[] = {6, 0x0a, 0x0a, 3, 4, 0xfa, 0xfa};
	static const uint8_t grease_groups[] = {0, 4, 0x1a, 0x1a, 0, 29};
	static const uint8_t grease_share[6 + 5 + 32] = {0, 41, 0x1a, 0x1a, 0, 1, 0, 0, 29, 0, 32, 9};
	const char *name = n ? FORBIDDEN : ALLOWED;
	const struct hello_extension list[] = {{0x0a0a, "", 0},
					       {GROUPS, grease_groups, sizeof(grease_groups)},
					       {0x2a2a, zeros, 3},
					       server_name(name),
					       {VERSIONS, grease_versions, sizeof(grease_versions)},
					       {SIGNATURES, signatures, sizeof(signatures)},
					       {SHARE, grease_share, sizeof(grease_share)},
					       {0xfafa, zeros, 1}};

	exactly(stream, name, list, COUNT(list));
	stream->reason = n ? REFUSE : ALLOW;
}

/* ---- B15 ---- */

static void with_ech(struct stream *stream, const char *name, int n) {
	static const uint8_t inner[] = {1}; /* the form that only a server may see */
	const struct hello_extension extra[] = {
		{ECH, ech, sizeof(ech)}, {ECH, inner, sizeof(inner)}, {ECH, zeros, 500}};

	stream_of(stream, &(struct hello){.name = name, .extra = &extra[n], .extra_count = 1});
	stream->ech = true;
}

static void ech_allowed(struct stream *stream, int n) {
	with_ech(stream, ALLOWED, n);
}

static void ech_forbidden(struct stream *stream, int n) {
	with_ech(stream, FORBIDDEN, n);
}

static void esni(struct stream *stream, int n) {
	const struct hello_extension extra = {ESNI, zeros, 300};

	stream_of(stream, &(struct hello){.name = n ? ALLOWED : NULL, .extra = &extra, .extra_count = 1});
	stream->name = NULL;
}

/* ---- B18 ---- */

/* n: the version in the record's header and in the message, 0x0300 + n. */
static void versioned(struct stream *stream, const char *name, int n) {
	stream_of(stream, &(struct hello){.name = name, .tls12 = 1});
	stream->bytes.data[2] = (uint8_t)(n % 5);
	stream->bytes.data[10] = (uint8_t)(n / 5);
}

static void versioned_allowed(struct stream *stream, int n) {
	versioned(stream, ALLOWED, n);
}

static void versioned_forbidden(struct stream *stream, int n) {
	versioned(stream, FORBIDDEN, n);
}

/* The version's first byte is not 3. */
static void other_version(struct stream *stream, int n) {
	static const uint8_t majors[] = {0, 1, 2, 4, 5, 0x7f, 0x80, 0xfe, 0xff};

	stream_hello(stream, ALLOWED);
	stream->bytes.data[9] = majors[n];
}

static void modern_allowed(struct stream *stream, int n) {
	stream_hello(stream, ALLOWED);
	stream->bytes.data[2] = (uint8_t)n;
}

static void modern_forbidden(struct stream *stream, int n) {
	stream_hello(stream, FORBIDDEN);
	stream->bytes.data[2] = (uint8_t)n;
}

/* Resumption, n: with early data. pre_shared_key comes last (RFC 8446, section 4.2.11). */
static void resumed(struct stream *stream, const char *name, int n) {
	static const uint8_t psk[2 + 2 + 100 + 4 + 2 + 33] = {0, 106, 0, 100, 7, [108] = 0, [109] = 33, [110] = 32};
	struct hello_extension list[8] = {server_name(name),
					  {GROUPS, groups, sizeof(groups)},
					  {SIGNATURES, signatures, sizeof(signatures)},
					  {VERSIONS, versions, sizeof(versions)},
					  {SHARE, share, sizeof(share)},
					  {MODES, modes, sizeof(modes)}};
	size_t count = 6;

	if (n)
		list[count++] = (struct hello_extension){EARLY_DATA, "", 0};
	list[count++] = (struct hello_extension){PSK, psk, sizeof(psk)};
	exactly(stream, name, list, count);
}

static void resumed_allowed(struct stream *stream, int n) {
	resumed(stream, ALLOWED, n);
}

static void resumed_forbidden(struct stream *stream, int n) {
	resumed(stream, FORBIDDEN, n);
}

/* ---- B20: as Chrome 131 and later build it, extensions in an order that changes each time ---- */

static void post_quantum(struct stream *stream, const char *name, int n) {
	static uint8_t shares[2 + 5 + 4 + 1216 + 4 + 32] = {0x04, 0xed, 0x3a, 0x3a, 0, 1, 0, 0x11, 0xec, 0x04, 0xc0};
	static const uint8_t pq_groups[] = {0, 10, 0x3a, 0x3a, 0x11, 0xec, 0, 29, 0, 23, 0, 24};
	struct hello_extension list[] = {{0xdada, "", 0},
					 {SHARE, shares, sizeof(shares)},
					 {ECH, ech, sizeof(ech)},
					 {GROUPS, pq_groups, sizeof(pq_groups)},
					 {VERSIONS, versions, sizeof(versions)},
					 {SIGNATURES, signatures, sizeof(signatures)},
					 {16, alpn, sizeof(alpn)},
					 {MODES, modes, sizeof(modes)},
					 {0x4a4a, zeros, 1},
					 server_name(name)};
	const struct hello_extension last = list[COUNT(list) - 1];
	const uint8_t x25519[] = {0, 29, 0, 32, 9};

	memcpy(shares + 11 + 1216, x25519, sizeof(x25519));
	list[COUNT(list) - 1] = list[n];
	list[n] = last;
	exactly(stream, name, list, COUNT(list));
	stream->ech = true;
}

static void post_quantum_allowed(struct stream *stream, int n) {
	post_quantum(stream, ALLOWED, n);
}

static void post_quantum_forbidden(struct stream *stream, int n) {
	post_quantum(stream, FORBIDDEN, n);
}

static const struct evasion cases[] = {
	{"B8-padding-before-the-name-allowed", padded_allowed, ALLOW, .last = 3},
	{"B8-padding-before-the-name-denied", padded_forbidden, REFUSE, .last = 3},
	{"B8-padding-in-small-segments", padded_forbidden, REFUSE, .cuts = CUTS_SMALL, .first = 2, .last = 2},
	{"B8-100-unknown-extensions-allowed", unknown_allowed, ALLOW, .first = 100, .last = 128},
	{"B8-100-unknown-extensions-denied", unknown_forbidden, REFUSE, .first = 100, .last = 128},
	{"B8-too-many-extensions", unknown_too_many, SNIF_REASON_TOO_MANY_EXTENSIONS, .first = 129, .last = 200},
	{"B8-up-to-the-limit-allowed", sized_allowed, ALLOW, .first = 16384, .last = 16389},
	{"B8-up-to-the-limit-denied", sized_forbidden, REFUSE, .first = 16384, .last = 16389},
	{"B8-over-the-limit-with-its-name", long_allowed, SNIF_REASON_HELLO_TOO_LONG, .cuts = CUTS_NONE, .first = 16385,
	 .last = 16389},
	{"B8-over-the-limit-by-record-headers", records_too_long, SNIF_REASON_HELLO_TOO_LONG, .first = 1, .last = 4,
	 .policy = evasion_policy_unusual},
	{"B8-long-of-two-records-allowed", long_allowed, ALLOW, .first = 16385, .last = 16387,
	 .policy = evasion_policy_long},
	{"B8-long-of-two-records-denied", long_forbidden, REFUSE, .first = 16385, .last = 16387,
	 .policy = evasion_policy_long},
	{"B8-long-in-small-segments-allowed", long_allowed, ALLOW, .cuts = CUTS_SMALL, .first = 20203, .last = 20203,
	 .policy = evasion_policy_long},
	{"B8-longest-allowed", long_allowed, ALLOW, .first = 65533, .last = 65536, .policy = evasion_policy_long},
	{"B8-long-in-one-segment-denied", long_forbidden, REFUSE, .first = 32600, .last = 32601,
	 .policy = evasion_policy_long},
	{"B8-over-the-longest", long_allowed, SNIF_REASON_HELLO_TOO_LONG, .cuts = CUTS_NONE, .first = 65537,
	 .last = 65540, .policy = evasion_policy_long},
	{"B8-long-of-records-not-full", long_cut_early, SNIF_REASON_SPLIT_RECORDS, .first = 1, .last = 3,
	 .policy = evasion_policy_long},
	{"B8-long-with-the-name-behind", long_named_late, SNIF_REASON_SPLIT_RECORDS, .first = 16380, .last = 16400,
	 .policy = evasion_policy_long},
	{"B8-longest-in-one-byte-records-allowed", one_byte_records_allowed, ALLOW, .first = 10925, .last = 10926,
	 .policy = evasion_policy_lax},
	{"B8-over-the-longest-in-one-byte-records", one_byte_records_forbidden, SNIF_REASON_HELLO_TOO_LONG,
	 .cuts = CUTS_NONE, .first = 5400, .last = 5401, .policy = evasion_policy_unusual},
	{"B8-long-in-one-byte-records-denied", one_byte_records_forbidden, REFUSE, .first = 5400, .last = 5401,
	 .policy = evasion_policy_lax},
	{"B9-extensions-permuted-allowed", permuted_allowed, ALLOW, .first = 1, .last = 30},
	{"B9-extensions-permuted-denied", permuted_forbidden, REFUSE, .first = 1, .last = 30},
	{"B9-server-name-at-every-place-allowed", placed_allowed, ALLOW, .last = 6},
	{"B9-server-name-at-every-place-denied", placed_forbidden, REFUSE, .last = 6},
	{"B9-server-name-alone", only_server_name, ALLOW, .last = 1},
	{"B9-grease-everywhere", grease, ALLOW, .last = 1},
	{"B15-ech-outer-allowed", ech_allowed, ALLOW, .last = 2},
	{"B15-ech-outer-denied", ech_forbidden, REFUSE, .last = 2},
	{"B15-ech-refused-by-policy", ech_allowed, SNIF_REASON_ECH_DENIED, .last = 2, .policy = evasion_policy_ech},
	{"B15-legacy-esni", esni, SNIF_REASON_ESNI, .last = 1},
	{"B18-versions-3.1-to-3.3-allowed", versioned_allowed, ALLOW, .first = 5, .last = 19},
	{"B18-versions-3.1-to-3.3-denied", versioned_forbidden, REFUSE, .first = 5, .last = 19},
	{"B18-version-3.0", versioned_allowed, SNIF_REASON_HELLO_VERSION, .cuts = CUTS_NONE, .last = 4},
	{"B18-versions-over-3.3", versioned_allowed, SNIF_REASON_HELLO_VERSION, .cuts = CUTS_NONE, .first = 20,
	 .last = 29},
	{"B18-versions-not-3", other_version, SNIF_REASON_HELLO_VERSION, .cuts = CUTS_NONE, .last = 8},
	{"B18-tls13-any-record-version-allowed", modern_allowed, ALLOW, .last = 5},
	{"B18-tls13-any-record-version-denied", modern_forbidden, REFUSE, .last = 5},
	{"B18-resumption-and-early-data-allowed", resumed_allowed, ALLOW, .last = 1},
	{"B18-resumption-and-early-data-denied", resumed_forbidden, REFUSE, .last = 1},
	{"B20-post-quantum-allowed", post_quantum_allowed, ALLOW, .last = 9},
	{"B20-post-quantum-denied", post_quantum_forbidden, REFUSE, .last = 9},
	{"B20-post-quantum-every-offset-allowed", post_quantum_allowed, ALLOW, .cuts = CUTS_SMALL, .first = 9,
	 .last = 9},
	{"B20-post-quantum-every-offset-denied", post_quantum_forbidden, REFUSE, .cuts = CUTS_EVERY, .first = 9,
	 .last = 9},
};

CATALOGUE(hello_cases, cases);
