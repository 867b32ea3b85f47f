/* SPDX-License-Identifier: BSD-2-Clause */
/* Capture file ──► frames, by libpcap ──► IP packets, by the link layer's header. */
#include "inspect/capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/library.h"
#include "base/message.h"
#include "portable.h"

#define FUNCTIONS(X)                                                                                                   \
	X(pcap_close)                                                                                                  \
	X(pcap_datalink)                                                                                               \
	X(pcap_datalink_val_to_name) X(pcap_fopen_offline_with_tstamp_precision) X(pcap_geterr) X(pcap_next_ex)

LIBRARY(pcap, "to read captures", FUNCTIONS, "libpcap.so.0.8", "libpcap.so.1");

struct capture {
	const char *file; /* borrowed */
	pcap_t *pcap;
	int link;
	uint64_t frame;
};

enum {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_VLAN = 0x8100, /* IEEE 802.1Q */
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_SERVICE_VLAN = 0x88a8, /* IEEE 802.1ad */
	ETHERTYPE_CISCO_METADATA = 0x8909,
	ETHERTYPE_OLD_SERVICE_VLAN = 0x9100,
};

/* Bytes before the IP header and where, in them, the type of what follows is; -1: there is none, it is IP. */
struct link {
	int type;
	int header;
	int ethertype;
};

static const struct link links[] = {
	{DLT_EN10MB, 14, 12},	 /* */
	{DLT_LINUX_SLL, 16, 14}, /* Linux cooked capture, as from the device `any` */
	{DLT_LINUX_SLL2, 20, 0}, /* its second version */
	{DLT_RAW, 0, -1},	 /* */
	{DLT_IPV4, 0, -1},	 /* */
	{DLT_IPV6, 0, -1},	 /* */
	{DLT_NULL, 4, -1},	 /* loopback devices of the BSDs: an address family whose numbers differ among them */
	{DLT_LOOP, 4, -1},	 /* the same in network order */
};

static const struct link *find_link(int type) {
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].type == type)
			return &links[i];
	return NULL;
}

/* Passes over tags between the link layer's header and IP's. `at` is behind the type. Returns whether IP follows. */
static bool skip_tags(uint32_t type, const uint8_t *frame, size_t length, size_t *at) {
	while (type != ETHERTYPE_IPV4 && type != ETHERTYPE_IPV6) {
		size_t tag;

		if (length - *at < 4)
			return false;
		switch (type) {
		case ETHERTYPE_VLAN:
		case ETHERTYPE_SERVICE_VLAN:
		case ETHERTYPE_OLD_SERVICE_VLAN:
			tag = 4;
			break;
		case ETHERTYPE_CISCO_METADATA: /* version, number of options of four bytes, these, the next type */
			tag = 4 + (size_t)frame[*at + 1] * 4;
			break;
		default:
			return false;
		}
		if (length - *at < tag)
			return false;
		*at += tag;
		type = snif_be16(frame + *at - 2);
	}
	return true;
}

/* Finds the IP header in a frame. */
static bool find_ip(const struct link *link, const uint8_t *frame, size_t length, size_t *at) {
	*at = (size_t)link->header;
	if (length <= *at)
		return false;
	if (link->ethertype < 0)
		return true;
	return skip_tags(snif_be16(frame + link->ethertype), frame, length, at) && *at < length;
}

static struct capture *refuse(struct capture *capture, FILE *in) {
	if (in && in != stdin)
		fclose(in);
	free(capture);
	return NULL;
}

static struct capture *open_stream(struct capture *capture, FILE *in) {
	char error[PCAP_ERRBUF_SIZE] = "";

	capture->pcap = pcap.pcap_fopen_offline_with_tstamp_precision(in, PCAP_TSTAMP_PRECISION_NANO, error);
	if (!capture->pcap) {
		message_error("inspect: %s: not a capture that can be read: %s", capture->file, error);
		return refuse(capture, in);
	}
	capture->link = pcap.pcap_datalink(capture->pcap);
	if (!find_link(capture->link)) {
		const char *name = pcap.pcap_datalink_val_to_name(capture->link);

		message_error(
			"inspect: %s: cannot read link type %s (%d), only Ethernet, Linux cooked, raw IP and loopback",
			capture->file, name ? name : "without name", capture->link);
		capture_close(capture);
		return NULL;
	}
	return capture;
}

static FILE *open_file(const char *file) {
	int fd = file_open(file);
	FILE *in = fd < 0 ? NULL : fdopen(fd, "rb");

	if (!in && fd >= 0)
		close(fd);
	return in;
}

struct capture *capture_open(const char *file) {
	struct capture *capture = calloc(1, sizeof(*capture));
	FILE *in = strcmp(file, "-") == 0 ? stdin : open_file(file);

	if (!capture || !in) {
		message_error("inspect: %s: %s", file, file_error(capture ? errno : ENOMEM));
		return refuse(capture, in);
	}
	if (library_open(&pcap_library))
		return refuse(capture, in);
	capture->file = file;
	return open_stream(capture, in);
}

int capture_next(struct capture *capture, struct capture_packet *packet) {
	const struct link *link = find_link(capture->link);
	struct pcap_pkthdr *header;
	const u_char *frame;
	size_t at;
	int result;

	while ((result = pcap.pcap_next_ex(capture->pcap, &header, &frame)) == 1) {
		capture->frame++;
		if (!find_ip(link, frame, header->caplen, &at))
			continue;
		/* with nanosecond precision, tv_usec has nanoseconds */
		*packet = (struct capture_packet){.time = {header->ts.tv_sec, header->ts.tv_usec},
						  .frame = capture->frame,
						  .ip = frame + at,
						  .length = header->caplen - at};
		return 1;
	}
	if (result == PCAP_ERROR_BREAK)
		return 0;
	message_error("inspect: %s: could be read only up to packet %llu: %s", capture->file,
		      (unsigned long long)capture->frame, pcap.pcap_geterr(capture->pcap));
	return -EIO;
}

void capture_close(struct capture *capture) {
	pcap.pcap_close(capture->pcap);
	free(capture);
}
