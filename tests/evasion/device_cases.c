/* SPDX-License-Identifier: BSD-2-Clause */
/* D1: devices that send packets by file, past every hook of the network. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "evasion.h"

struct device {
	unsigned major, minor;
};

/* tun, vhost-net, vhost-vsock, vfio, vhci; mem, port; PPP, a USB device, InfiniBand; one that comes and goes; serial;
 * the kernel's log, and the console, behind which there may be a serial line */
static const struct device refused_devices[] = {{10, 200}, {10, 238}, {10, 241}, {10, 196}, {10, 137},
						{1, 1},	   {1, 4},    {108, 0},	 {189, 0},  {231, 192},
						{240, 7},  {4, 64},   {1, 11},	 {5, 1}};

/* null, zero, full, random, urandom; ptmx */
static const struct device passed_devices[] = {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 2}};

/* A node of one's own, made outside; its path is valid until the next call. */
static const char *node_of(const struct device *device) {
	static char path[256];

	snprintf(path, sizeof(path), "%s/%u-%u", lab_folder(), device->major, device->minor);
	evasion_outside();
	if (mknod(path, S_IFCHR | 0600, makedev(device->major, device->minor)) && errno != EEXIST)
		evasion_skip("no device can be made here: %s", strerror(errno));
	evasion_inside();
	return path;
}

/* 0 or the errno. */
static int open_device(const struct device *device) {
	int fd = open(node_of(device), O_RDWR | O_NOCTTY | O_CLOEXEC), error = errno;

	evasion_count(1);
	if (fd < 0)
		return error;
	close(fd);
	return 0;
}

static void expect_device(const struct device *device) {
	const struct snif_event *event = lab_expect(SNIF_DENY, SNIF_REASON_DEVICE);

	assert_int_equal(event->hook, SNIF_HOOK_DEVICE);
	assert_int_equal(event->object.major, device->major);
	assert_int_equal(event->object.minor, device->minor);
	evasion_expect_self(event);
}

static void devices_refused(void) {
	for (size_t i = 0; i < COUNT(refused_devices); i++) {
		const struct device *device = &refused_devices[i];

		if (open_device(device) != EPERM)
			fail_msg("device %u:%u was not refused", device->major, device->minor);
		expect_device(device);
	}
}

static void devices_passed(void) {
	for (size_t i = 0; i < COUNT(passed_devices); i++)
		assert_int_not_equal(open_device(&passed_devices[i]), EPERM);
	assert_null(lab_event(0));
}

/* Root makes the node himself. */
static void made_inside(void) {
	char path[256];

	snprintf(path, sizeof(path), "%s/tun", lab_folder());
	assert_int_equal(mknod(path, S_IFCHR | 0600, makedev(10, 200)), -1);
	assert_int_equal(errno, EPERM);
	evasion_count(1);
	expect_device(&refused_devices[0]);
}

/* In audit mode it is told, and let through. */
static void audited(void) {
	evasion_use_policy(evasion_policy_audit);
	assert_int_not_equal(open_device(&refused_devices[0]), EPERM);
	assert_int_equal(lab_expect(SNIF_DENY, SNIF_REASON_DEVICE)->mode, SNIF_AUDIT);
	evasion_use_policy(evasion_policy);
	assert_int_equal(open_device(&refused_devices[0]), EPERM);
	expect_device(&refused_devices[0]);
}

static const struct evasion cases[] = {
	{"D1-devices-refused", .run = devices_refused},
	{"D1-devices-passed", .run = devices_passed},
	{"D1-device-made-inside", .run = made_inside},
	{"D1-device-in-audit-mode", .run = audited},
};

CATALOGUE(device_cases, cases);
