/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared libraries that few subcommands need, opened where one begins to: to load those of HTTP, systemd and captures, and
 * what these need in turn, takes three times as long as a command that needs none of them takes in all. A user reads:
 *
 *	#define FUNCTIONS(X) X(pcap_close) X(pcap_next_ex)
 *	LIBRARY(pcap, "to read captures", FUNCTIONS, "libpcap.so.0.8", "libpcap.so.1");
 *
 *	if (library_open(&pcap_library))         (0, or -ELIBACC after saying what is missing)
 *		return …;
 *	pcap.pcap_close(capture);
 */
#ifndef SNIF_LIBRARY_H
#define SNIF_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

struct library {
	const char *purpose;	  /* what it is needed for, as in "libpcap.so.1 is needed to read captures" */
	const char *const *files; /* what it may be called; ends with NULL */
	const char *const *names; /* of functions; ends with NULL */
	void **functions;	  /* where they go, in this order */
	bool tried, opened;
};

#define LIBRARY_FUNCTION(name) typeof(name) *name;
#define LIBRARY_NAME(name) #name,

#define LIBRARY(variable, what_for, list, ...)                                                                         \
	static struct { list(LIBRARY_FUNCTION) } variable;                                                             \
	static struct library variable##_library = {                                                                   \
		.purpose = what_for,                                                                                   \
		.files = (const char *const[]){__VA_ARGS__, NULL},                                                     \
		.names = (const char *const[]){list(LIBRARY_NAME) NULL},                                               \
		.functions = (void **)&variable,                                                                       \
	}

/* Opens it, unless it is open; it stays so. Returns 0, or -ELIBACC, the first time after saying what is missing. */
int library_open(struct library *library);

#endif
