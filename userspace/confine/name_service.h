/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's name service ──► one that asks for itself: what others look up for a command, no filter sees. */
#ifndef SNIF_NAME_SERVICE_H
#define SNIF_NAME_SERVICE_H

/*
 * In a mount namespace of the calling process's own: the C library takes host names from /etc/hosts and DNS, whatever
 * /etc/nsswitch.conf says outside, and finds no socket of those that look names up for others (nscd, systemd-resolved,
 * avahi). Returns 0 or a negative errno; then some of that may be as it was.
 */
int name_service_own(void);

#endif
