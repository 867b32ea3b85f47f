/* SPDX-License-Identifier: BSD-2-Clause */
/* What a kernel sends by itself: ICMP errors, groups that it is in, neighbours that it looks for. */
#ifndef SNIF_STORM_KERNEL_MESSAGES_H
#define SNIF_STORM_KERNEL_MESSAGES_H

#include "compile/tables.h"
#include "wire.h"

/* Tells a finding for an ICMP, ICMPv6 or IGMP packet that a kernel would not send by itself for honest reasons. */
void kernel_message_check(const struct compiled *compiled, const struct wire *wire);
/* The same for the body of an ARP frame. */
void kernel_arp_check(const struct compiled *compiled, const uint8_t *body, size_t length);
/* Notes a packet that was sent to here: errors may quote it, and its sender is a neighbour. */
void kernel_message_note(const struct wire *wire);
void kernel_arp_note(const uint8_t *body, size_t length);

#endif
