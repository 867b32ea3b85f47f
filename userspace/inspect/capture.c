/* SPDX-License-Identifier: BSD-2-Clause */
/* Capture file ──► frames, by libpcap or pcapng.c ──► IP packets, by the link layer's header. */
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
#include "inspect/pcapng.h"
#include "portable.h"

#define FUNCTIONS(X)                                                                                                   \
	X(pcap_close)                                                                                                  \
	X(pcap_datalink)                                                                                               \
	X(pcap_datalink_val_to_name) X(pcap_fopen_offline_with_tstamp_precision) X(pcap_geterr) X(pcap_next_ex)

LIBRARY(pcap, "to read captures", FUNCTIONS, "libpcap.so.0.8", "libpcap.so.1");

struct capture {
	const char *file; /* borrowed */
	pcap_t *pcap;	  /* or */
	struct pcapng *pcapng;
	FILE *in;		 /* of pcapng */
	const struct link *link; /* of pcap */
	int unread_link;	 /* of pcapng: one that is not known, of which packets were passed over; -1: none */
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
	{DLT_EN10MB, 14, 12},	 /* Ethernet */
	{DLT_LINUX_SLL, 16, 14}, /* Linux cooked capture, as from the device `any` */
	{DLT_LINUX_SLL2, 20, 0}, /* its second version */
	{DLT_RAW, 0, -1},	 /* nothing before IP */
	{DLT_IPV4, 0, -1},	 /* the same, of one version */
	{DLT_IPV6, 0, -1},	 /* and of the other */
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

static void refuse_link(const struct capture *capture, int link, const char *how) {
	const char *name = pcap.pcap_datalink_val_to_name(link);

	message_error("inspect: %s: cannot read %slink type %s (%d), only Ethernet, Linux cooked, raw IP and loopback",
		      capture->file, how, name ? name : "without name", link);
}

static struct capture *open_pcapng(struct capture *capture, FILE *in) {
	capture->pcapng = pcapng_open(in);
	if (!capture->pcapng) {
		message_error("inspect: %s: %s", capture->file, strerror(ENOMEM));
		return refuse(capture, in);
	}
	capture->in = in;
	return capture;
}

/* Whether the file begins like pcapng. What was looked at is put back, which a stream takes of what it has read. */
static bool is_pcapng(FILE *in) {
	uint8_t bytes[sizeof(pcapng_beginning)];
	size_t got = fread(bytes, 1, sizeof(bytes), in);
	bool is = got == sizeof(bytes) && memcmp(bytes, pcapng_beginning, sizeof(bytes)) == 0;

	while (got > 0)
		ungetc(bytes[--got], in);
	return is;
}

static struct capture *open_stream(struct capture *capture, FILE *in) {
	char error[PCAP_ERRBUF_SIZE] = "";

	if (is_pcapng(in))
		return open_pcapng(capture, in);

	capture->pcap = pcap.pcap_fopen_offline_with_tstamp_precision(in, PCAP_TSTAMP_PRECISION_NANO, error);
	if (!capture->pcap) {
		message_error("inspect: %s: not a capture that can be read: %s", capture->file, error);
		return refuse(capture, in);
	}
	capture->link = find_link(pcap.pcap_datalink(capture->pcap));
	if (capture->link)
		return capture;
	refuse_link(capture, pcap.pcap_datalink(capture->pcap), "");
	capture_close(capture);
	return NULL;
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
	capture->unread_link = -1;
	return open_stream(capture, in);
}

/* A frame of whichever kind of file. */
struct frame {
	struct timespec time;
	const struct link *link;
	const uint8_t *bytes;
	size_t length;
};

static int next_of_pcap(struct capture *capture, struct frame *frame) {
	struct pcap_pkthdr *header;
	const u_char *bytes;
	int result = pcap.pcap_next_ex(capture->pcap, &header, &bytes);

	if (result != 1)
		return result == PCAP_ERROR_BREAK ? 0 : -EIO;
	/* with nanosecond precision, tv_usec has nanoseconds */
	*frame = (struct frame){{header->ts.tv_sec, header->ts.tv_usec}, capture->link, bytes, header->caplen};
	return 1;
}

/* LINKTYPE_RAW is what a file says, DLT_RAW what libpcap makes of it. */
static int next_of_pcapng(struct capture *capture, struct frame *frame) {
	enum { LINKTYPE_RAW = 101 };
	struct pcapng_frame read;
	int result = pcapng_next(capture->pcapng, &read);

	if (result != 1)
		return result;
	*frame = (struct frame){read.time, find_link(read.link == LINKTYPE_RAW ? DLT_RAW : read.link), read.bytes,
				read.length};
	if (frame->link || capture->unread_link >= 0)
		return 1;
	capture->unread_link = read.link;
	refuse_link(capture, read.link, "packets of ");
	return 1;
}

/* The end of a file of which packets were passed over is not the end of all that is in it. */
static int end(const struct capture *capture, int result) {
	if (result == 0)
		return capture->unread_link >= 0 ? -EIO : 0;
	message_error("inspect: %s: could be read only up to packet %llu: %s", capture->file,
		      (unsigned long long)capture->frame,
		      capture->pcapng ? pcapng_error(capture->pcapng) : pcap.pcap_geterr(capture->pcap));
	return result;
}

int capture_next(struct capture *capture, struct capture_packet *packet) {
	struct frame frame = {0};
	size_t at;
	int result;

	while ((result = (capture->pcapng ? next_of_pcapng : next_of_pcap)(capture, &frame)) == 1) {
		capture->frame++;
		if (!frame.link || !find_ip(frame.link, frame.bytes, frame.length, &at))
			continue;
		*packet = (struct capture_packet){.time = frame.time,
						  .frame = capture->frame,
						  .ip = frame.bytes + at,
						  .length = frame.length - at};
		return 1;
	}
	return end(capture, result);
}

void capture_close(struct capture *capture) {
	if (capture->pcap)
		pcap.pcap_close(capture->pcap);
	pcapng_close(capture->pcapng);
	if (capture->in && capture->in != stdin)
		fclose(capture->in);
	free(capture);
}
