/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices that send no packets ──► the map of those that a confined process may open. */
#include "filter/devices.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>

#include "abi.h"

#define ALL SNIF_DEVICE_ALL
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * A list of what is let through, not of what is refused: of the numbers that devices have, those of tap and InfiniBand
 * devices, VFIO, UIO, modems and many more are given out as drivers come, so that a list of what sends packets could not
 * name them. What programs do open is known: memory devices, terminals, sound, video, graphics and computing cards,
 * FUSE, KVM, loop devices, security chips. Not here, although their numbers are fixed: tun (10:200), vhost-net (10:238),
 * vhost-vsock (10:241), vfio (10:196), vhci (10:137), mem, kmem and port (1:1, 1:2, 1:4), PPP (108), USB as such (189),
 * network adapters and modems by USB or a serial line of it (166, 180, 188), ISDN, InfiniBand (231), and uinput and
 * uhid, which type on the machine's own console. Nor the kernel's log (kmsg, 1:11), into which root writes without a
 * capability and which netconsole, serial lines and log daemons carry away, and the console (5:1), which is a serial line
 * on many servers. dmesg reads the log by syslog(2) then; other programs know machines on which they may open neither.
 */
static const struct snif_device fixed[] = {
	{1, 3},	    {1, 5},	{1, 7},	    {1, 8},	{1, 9},	    /* null, zero, full, random, urandom */
	{5, 0},	    {5, 2},					    /* terminals: tty, ptmx */
	{136, ALL}, {137, ALL}, {138, ALL}, {139, ALL},		    /* pts */
	{140, ALL}, {141, ALL}, {142, ALL}, {143, ALL},		    /* more of them */
	{13, ALL},  {14, ALL},	{29, ALL},  {81, ALL},	{116, ALL}, /* input, sound, frame buffers, video, ALSA */
	{195, ALL}, {226, ALL}, {261, ALL},			    /* NVIDIA, DRM, accelerators */
	{10, 135},  {10, 183},	{10, 224},  {10, 228},		    /* rtc, hwrng, tpm0, hpet */
	{10, 229},  {10, 232},	{10, 234},  {10, 236},	{10, 237},  /* fuse, kvm, btrfs-control, mapper, loop-control */
};

/* Drivers whose majors, and misc devices whose minors, are given out as they come. */
static const char *const drivers[] = {"nvidia-uvm", "nvidia-caps", "nvidia-nvswitch", "kfd", "dma_heap", "media",
				      "tpm",	    "rtc",	   "hidraw"};
static const char *const misc_devices[] = {"userfaultfd", "cpu_dma_latency", "vga_arbiter",    "udmabuf",
					   "sgx_enclave", "sgx_provision",   "nvidia-modeset", "ntsync"};

/* Behind the virtual consoles there are, by the same major, serial lines (ttyS): what is at their other end sends. */
enum { MISC_MAJOR = 10, CONSOLE_MAJOR = 4, CONSOLES = 64 };

static int allow(int map_fd, struct snif_device device) {
	const __u8 yes = 1;

	return bpf_map_update_elem(map_fd, &device, &yes, BPF_ANY);
}

static bool is_among(const char *name, const char *const names[], size_t count) {
	for (size_t i = 0; i < count; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* Lines of a number and a name; block devices come behind a heading. No such file: there are no such devices. */
static int allow_listed(int map_fd, const char *path, const char *const names[], size_t count, bool misc) {
	FILE *file = fopen(path, "re");
	char line[256], name[64];
	unsigned number;
	int error = 0;

	while (file && !error && fgets(line, sizeof(line), file) && strncmp(line, "Block", 5) != 0)
		if (sscanf(line, "%u %63s", &number, name) == 2 && is_among(name, names, count))
			error = allow(map_fd, misc ? (struct snif_device){MISC_MAJOR, number}
						   : (struct snif_device){number, ALL});
	if (file)
		fclose(file);
	return error;
}

int devices_allow(int map_fd) {
	int error = 0;

	for (size_t i = 0; i < COUNT(fixed) && !error; i++)
		error = allow(map_fd, fixed[i]);
	for (__u32 i = 0; i < CONSOLES && !error; i++)
		error = allow(map_fd, (struct snif_device){CONSOLE_MAJOR, i});
	if (!error)
		error = allow_listed(map_fd, "/proc/devices", drivers, COUNT(drivers), false);
	if (!error)
		error = allow_listed(map_fd, "/proc/misc", misc_devices, COUNT(misc_devices), true);
	return error;
}
