/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers of an event ──► words. */
#ifndef SNIF_EVENT_WORDS_H
#define SNIF_EVENT_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "abi.h"

/* The code of a reason, like `name_not_allowed`; "unknown" for a number out of range. Static text. */
const char *reason_code(enum snif_reason reason);
/* The reason with this code; SNIF_REASON_COUNT when there is none. */
enum snif_reason reason_of(const char *code);
/* The code that a word was probably meant to be; NULL: none is near. Static text. */
const char *reason_near(const char *word);
/* The reason in words. Static text. */
const char *reason_text(enum snif_reason reason);

enum { EVENT_ADDRESS_SIZE = 46 }; /* INET6_ADDRSTRLEN */

/* Writes a v4-mapped address as text, IPv4 as IPv4. */
void event_address(char out[EVENT_ADDRESS_SIZE], const __u8 address[16]);
/* The name of an IPPROTO, like `TCP`, or its number. `buffer` holds the number. */
const char *event_protocol(char buffer[4], __u8 protocol);

enum { EVENT_OBJECT_SIZE = 64 };

/* The word for a hook, like `connect`; "unknown" for a number out of range. Static text. */
const char *event_hook(unsigned hook);
/* What a call that names no destination is about, like `device 10:200` or `socket option IP_FREEBIND`: `hook` is the
 * word, the numbers are those of the event, in their order. Returns whether it is such a call; else `out` is as it
 * was. */
bool event_object(char out[EVENT_OBJECT_SIZE], const char *hook, __u64 first, __u64 second);

enum { EVENT_WHAT_SIZE = 4 * 256 + 64 };

/* What an event is about, as printable text: its server name, or `192.0.2.1:443/TCP`, `[2001:db8::1]:443/TCP`, `a socket
 * of protocol ICMP`, or event_object(). A name that was refused because of where it was sent has the address behind it. */
void event_what(char out[EVENT_WHAT_SIZE], const struct snif_event *event);

enum { EVENT_VERSION_SIZE = 24 };

/* The name of a TLS version, like `TLS 1.3`; a number like 0x7f1c for what is none. `buffer` is used when needed. */
const char *event_version(char buffer[EVENT_VERSION_SIZE], __u16 version);
enum { EVENT_DNS_TYPE_SIZE = 12 };

/* The name of a DNS record's type, like `AAAA`; TYPE and a number for those that connections need none of (RFC 3597).
 * `buffer` is used when needed. */
const char *event_dns_type(char buffer[EVENT_DNS_TYPE_SIZE], __u32 type);
/* The length of the event's name, whatever the event says. */
size_t event_name_length(const struct snif_event *event);

#endif
