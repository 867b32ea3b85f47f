/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices that send no packets ──► the map of those that a confined process may open. */
#ifndef SNIF_DEVICES_H
#define SNIF_DEVICES_H

/*
 * Fills the map (struct snif_device ──► a byte). Numbers that the kernel gives out as drivers come are looked up in
 * /proc/devices and /proc/misc: a driver that comes later is not known, and stays refused. Returns 0 or a negative
 * errno.
 */
int devices_allow(int map_fd);

#endif
