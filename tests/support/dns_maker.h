/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS messages to the byte. */
#ifndef SNIF_DNS_MAKER_H
#define SNIF_DNS_MAKER_H

#include "hello_maker.h"

/* A name on the wire, label by label, without pointers; "" is the root. */
void dns_add_name(struct bytes *out, const char *name);
/* A question with the header of a client. Replaces what is in `out`. */
void dns_make_question(struct bytes *out, uint16_t id, const char *name, uint16_t type);
/* An EDNS record behind a question, whose options are these bytes. */
void dns_add_options(struct bytes *out, const void *options, size_t length);
/* The beginning of an answer to a question: its header, and the question once more. Replaces what is in `out`. */
void dns_begin_answer(struct bytes *out, const struct bytes *question);
/* A record of the answer section. */
void dns_add_record(struct bytes *out, const char *owner, uint16_t type, uint32_t ttl, const void *data, size_t length);
/* An A or AAAA record, as the address is; an alias. */
void dns_add_address(struct bytes *out, const char *owner, uint32_t ttl, const char *address);
void dns_add_alias(struct bytes *out, const char *owner, uint32_t ttl, const char *target);
/* A message with its length before it, as over TCP. Replaces what is in `out`. */
void dns_frame(struct bytes *out, const struct bytes *message);

#endif
