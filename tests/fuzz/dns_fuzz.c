/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes ──► what include/dns.h reads of them: as a question it ends, within the message; as an answer it gives the
 * addresses, and no others, that follow from the records as the C library reads them, where that takes the message.
 */
#include <arpa/nameser.h>
#include <resolv.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KEY = 0x9e3779b97f4a7c15 & 0x7fffffff };

struct addresses {
	bool read;
	unsigned type;
	char wanted[NS_MAXDNAME];
	__u32 count;
	__u8 list[SNIF_DNS_ADDRESSES][16];
};

static void check(bool good) {
	if (!good)
		abort();
}

static struct snif_dns *read_message(const uint8_t *data, size_t size, bool response, bool *good) {
	struct snif_dns *dns = calloc(1, sizeof(*dns));

	check(dns != NULL);
	dns->key = KEY | 1;
	dns->length = (__u32)size;
	memcpy(dns->message, data, size);
	*good = snif_dns_read_question(dns, response) && (!response || snif_dns_read_records(dns));
	return dns;
}

/* Takes one record, as the C library reads it, whose owner is the name that the aliases have led to: where they lead on. */
static void follow(const ns_msg *message, const ns_rr *record, struct addresses *addresses) {
	const __u8 *data = ns_rr_rdata(*record);
	__u8 *next = addresses->list[addresses->count];

	if (ns_rr_type(*record) == ns_t_cname) {
		addresses->read &= dn_expand(ns_msg_base(*message), ns_msg_end(*message), data, addresses->wanted,
					     sizeof(addresses->wanted)) >= 0;
		return;
	}
	if (ns_rr_type(*record) != addresses->type)
		return;
	if (addresses->type == ns_t_a && ns_rr_rdlen(*record) == 4)
		memcpy(next, (__u8[12]){[10] = 0xff, [11] = 0xff}, 12), memcpy(next + 12, data, 4);
	else if (addresses->type == ns_t_aaaa && ns_rr_rdlen(*record) == 16 && !snif_is_ipv4(data))
		memcpy(next, data, 16);
	else
		return;
	addresses->count++;
}

/* The addresses that the message gives for the name it was asked for, or `read` false where the C library refuses it. */
static void read_addresses(const uint8_t *data, size_t size, struct addresses *addresses) {
	ns_msg message;
	ns_rr record;

	addresses->read = ns_initparse(data, (int)size, &message) == 0 && ns_msg_count(message, ns_s_qd) == 1 &&
			  ns_parserr(&message, ns_s_qd, 0, &record) == 0;
	if (!addresses->read)
		return;
	addresses->type = ns_rr_type(record);
	strcpy(addresses->wanted, record.name);
	for (int i = 0; i < ns_msg_count(message, ns_s_an) && i < SNIF_DNS_RECORDS && addresses->read; i++) {
		addresses->read = ns_parserr(&message, ns_s_an, i, &record) == 0;
		if (addresses->read && ns_rr_class(record) == ns_c_in && addresses->count < SNIF_DNS_ADDRESSES &&
		    strcasecmp(record.name, addresses->wanted) == 0)
			follow(&message, &record, addresses);
	}
}

static void check_addresses(const struct snif_dns *dns, const uint8_t *data, size_t size) {
	struct addresses addresses = {0};

	read_addresses(data, size, &addresses);
	if (!addresses.read)
		return;
	check(dns->found == addresses.count);
	for (__u32 i = 0; i < dns->found; i++)
		check(memcmp(dns->addresses[i].address, addresses.list[i], 16) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct snif_dns *dns;
	bool good;

	if (size > SNIF_DNS_MESSAGE)
		return 0;
	dns = read_message(data, size, false, &good);
	check(!good || dns->at <= dns->length);
	check(!good || dns->name_length <= SNIF_NAME_MAX + 1);
	free(dns);
	dns = read_message(data, size, true, &good);
	/* the hints of services are for fuzzers to break: the C library has no reader for them */
	if (good && (dns->type == SNIF_DNS_A || dns->type == SNIF_DNS_AAAA))
		check_addresses(dns, data, size);
	free(dns);
	return 0;
}
