/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of filter/ share: the programs and maps of one instance, as descriptors. */
#ifndef SNIF_FILTER_PARTS_H
#define SNIF_FILTER_PARTS_H

#include <bpf/libbpf.h>
#include <pthread.h>

#include "filter/filter.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* Linux 5.14 */
#endif

/* X(CONSTANT, name of the map) */
#define FILTER_MAP_LIST(X)                                                                                             \
	X(TAGS, tags)                                                                                                  \
	X(INSPECTIONS, inspections)                                                                                    \
	X(ATTACHMENTS, attachments)                                                                                    \
	X(POLICIES, policies)                                                                                          \
	X(SETTINGS, settings)                                                                                          \
	X(DEVICES, devices)                                                                                            \
	X(ADDRESSES, addresses)                                                                                        \
	X(PORTS, ports)                                                                                                \
	X(NAMES, names)                                                                                                \
	X(BINDINGS, bindings)                                                                                          \
	X(QUESTIONS, questions)                                                                                        \
	X(STREAMS, streams)                                                                                            \
	X(WORKSPACES, workspaces)                                                                                      \
	X(RINGS, rings)                                                                                                \
	X(COUNTERS, counters)

enum filter_map {
#define X(constant, name) FILTER_##constant,
	FILTER_MAP_LIST(X)
#undef X
		FILTER_MAPS
};

enum filter_program {
#define X(name, ...) FILTER_##name,
	SNIF_PROGRAMS(X)
#undef X
		FILTER_PROGRAMS
};

/* Each CPU takes so many free entries of a table that forgets the oldest for itself; before Linux 6.16, of a small one
 * too. */
enum { FILTER_FREE_OF_CPU = 128 };

struct filter {
	int programs[FILTER_PROGRAMS], maps[FILTER_MAPS]; /* descriptors; -1: not there yet */
	/* the kernel's arrays themselves */
	struct snif_active *policies;
	struct snif_settings *settings;
	struct ring_buffer *ring;
	int ring_fd;
	filter_event callback;
	void *context;
	int delivered; /* of the batch that is being delivered */
	int cpus;      /* that there can be */
	/* an object of this process's own, which has the descriptors; NULL: they are pins, and owned */
	struct snifence_bpf *skeleton;
	pthread_t loader, ring_maker; /* while `loading`, while `making_ring` */
	bool loading, making_ring;
	int load_error, ring_error;
};

/* How large a table that forgets the oldest is to be, so that this many stay. */
static inline uint32_t filter_room(const struct filter *filter, uint32_t entries) {
	return entries + FILTER_FREE_OF_CPU * (uint32_t)filter->cpus;
}

/* The attach types and names of the programs, by enum filter_program. */
extern const enum bpf_attach_type filter_attach_types[FILTER_PROGRAMS];
extern const char *const filter_program_names[FILTER_PROGRAMS], *const filter_map_names[FILTER_MAPS];

/* All descriptors -1. NULL after saying why. */
struct filter *filter_new(void);

/* Maps what is in force for each policy, and what each slot holds, into memory. Returns 0 or a negative errno, after
 * saying why. */
int filter_map_arrays(struct filter *filter);

/* As filter_attached(), of a map of attachments, whatever its values are. */
int attached_cgroups(int map, uint64_t **ids, size_t *count);

/* Draws the keys of the instance's own, by which names are bound: in the settings of slot 0, which is never used.
 * Returns 0 or a negative errno, after saying why. */
int filter_make_keys(struct filter *filter);

/*
 * Waits until the object is loaded, where this process loads it, and takes over its descriptors. Returns 0 or a negative
 * errno, after saying why.
 */
int filter_finish_loading(struct filter *filter);

/*
 * Waits until no program runs any more that began before (an RCU grace period, 5 to 24 ms). Returns 0 or a negative
 * errno.
 */
int filter_wait_for_programs(struct filter *filter);

/*
 * As pthread_create(), with a stack of a megabyte. The C library keeps 40 megabytes of stacks that are done with, and ends
 * the process where it cannot unmap what is more. Returns whether the thread has begun.
 */
bool filter_start_thread(pthread_t *thread, void *(*run)(void *), void *context);

/* Puts a slot in force for a policy, or none (0), under the next generation, by one store. */
void filter_put_in_force(struct filter *filter, uint32_t policy, uint32_t slot);

#endif
