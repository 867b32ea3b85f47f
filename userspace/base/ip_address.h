/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of an address ──► 16 bytes, IPv4 in v4-mapped form (RFC 4291, section 2.5.5.2). */
#ifndef SNIF_IP_ADDRESS_H
#define SNIF_IP_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

/* Reads an IPv4 or IPv6 address as inet_pton() takes them. Returns whether `text` is one; else `out` is undefined. */
bool ip_address_read(const char *text, uint8_t out[16]);

#endif
