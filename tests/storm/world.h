/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world of a storm: the lab's namespace, where the confined command is, and the lab's second one, which answers for
 * every address that is not here. On the cable between them the recorder listens.
 */
#ifndef SNIF_STORM_WORLD_H
#define SNIF_STORM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORLD_DEVICE_HERE "lab0"
#define WORLD_DEVICE_THERE "lab1"
#define WORLD_GATEWAY_IPV4 "203.0.113.102"
#define WORLD_GATEWAY_IPV6 "2001:db8:1::2"

/* Routes, and what the kernel has to allow so that a storm comes far: Fast Open without cookies, ping sockets for all.
 * After lab_enter(); fails the test where it cannot. Returns a descriptor of the other namespace. */
int world_make(void);

/* A socket in the other namespace. Fails the test where there is none. */
int world_socket_there(int there, int family, int type, int protocol);

/* Whether the address (v4-mapped) is one of the devices here: what a packet can honestly carry as its source. */
bool world_is_here(const uint8_t address[16]);
/* Whether it is the one through which all others are reached. */
bool world_is_gateway(const uint8_t address[16]);
/* Whether the IPv6 group is the one in which the kernel waits for who looks for an address of here. */
bool world_solicits_here(const uint8_t group[16]);

#endif
