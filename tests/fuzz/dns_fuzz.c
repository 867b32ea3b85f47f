/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes ──► what include/dns.h reads of them: as a question it ends, within the message; as an answer where c-ares,
 * which many programs look names up with, reads the same message to its end, it gives no address that c-ares does not.
 */
#include <ares.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KEY = 0x9e3779b97f4a7c15 & 0x7fffffff, MOST = 512 };

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
	*good = snif_dns_read(dns, response);
	return dns;
}

/* Whether c-ares gives the address, or none at all, as it takes the message for a broken one somewhere. */
static bool c_ares_agrees(const uint8_t *data, size_t size, const __u8 address[16]) {
	struct ares_addrttl ipv4[MOST];
	struct ares_addr6ttl ipv6[MOST];
	struct hostent *host = NULL;
	int count = MOST, status;
	bool found = false;

	if (snif_is_ipv4(address)) {
		status = ares_parse_a_reply(data, (int)size, &host, ipv4, &count);
		for (int i = 0; status == ARES_SUCCESS && i < count; i++)
			found |= memcmp(&ipv4[i].ipaddr, address + 12, 4) == 0;
	} else {
		status = ares_parse_aaaa_reply(data, (int)size, &host, ipv6, &count);
		for (int i = 0; status == ARES_SUCCESS && i < count; i++)
			found |= memcmp(&ipv6[i].ip6addr, address, 16) == 0;
	}
	if (host)
		ares_free_hostent(host);
	return found || status == ARES_EBADRESP || status == ARES_EBADNAME;
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
	/* the hints of services are no addresses to c-ares */
	if (good && (dns->type == SNIF_DNS_A || dns->type == SNIF_DNS_AAAA))
		for (__u32 i = 0; i < dns->found; i++)
			check(c_ares_agrees(data, size, dns->addresses[i].address));
	free(dns);
	return 0;
}
