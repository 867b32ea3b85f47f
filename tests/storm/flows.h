/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP packets to inspected places ──► what a server reads of each connection, and whether the policy could allow it:
 * nothing, the beginning of a ClientHello, or hellos of allowed names and what follows them.
 */
#ifndef SNIF_STORM_FLOWS_H
#define SNIF_STORM_FLOWS_H

#include "compile/tables.h"
#include "wire.h"

/* Takes a packet to a place where names are checked; `dest` is what the policy says of it. Tells findings. */
void flows_packet(const struct compiled *compiled, const struct snif_dest *dest, const struct wire *wire);

/* Notes what closes a connection, from either side: only then may another one have the same first number, and a socket
 * that was disconnected before it was ever connected does begin with 2 each time (tcp_disconnect()). */
void flows_close(const struct wire *wire);

/* Notes a SYN that came from outside: what is sent back on this connection is an answer. */
void flows_visit(const struct wire *wire);
/* Whether the packet, which leaves, belongs to a connection that was opened from outside. */
bool flows_is_answer(const struct wire *wire);

/* Looks at what was left open, and frees all. `whole`: the recorder has missed no packet. Returns how many hellos there
 * were. */
uint64_t flows_end(bool whole);

#endif
