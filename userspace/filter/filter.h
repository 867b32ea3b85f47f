/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An instance: the programs and maps that judge the connections of the cgroups that it is attached to. It is this
 * process's own (filter_load), or resident in the kernel (instance.h). Whoever changes a resident one holds its lock.
 */
#ifndef SNIF_FILTER_H
#define SNIF_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "compile/compile.h"

struct filter;

/* Begins to load the BPF object, for policies with rules for lookups (policy_reads_dns()) or without; that goes on in a
 * thread while the first policy is copied, and ends with that. Returns NULL after saying why (message_error) when it
 * fails at once. */
struct filter *filter_load(bool reads_dns);

/* ---- policies: slots.c ----------------------------------------------------------------------------------------- */

/*
 * Puts a compiled policy in force for policy number `policy` (1 to SNIF_POLICIES - 1), by one store. Its tables go into
 * a free slot, or are those of a slot that has them already; slots that no policy uses are kept for that, but only the
 * last few. The first call also waits until the object is loaded and verified. Returns 0 or a negative errno, after
 * saying why; then what was in force still is.
 */
int filter_set_policy(struct filter *filter, uint32_t policy, const struct compiled *compiled);

/* Has the next filter_set_policy() make the policy's tables anew, whatever is in the kernel: somebody may have changed
 * them. */
void filter_distrust_tables(struct filter *filter, uint32_t policy);

/* A number that no policy has, with its counters at zero; 0: there is none left. It is taken by filter_set_policy(). */
uint32_t filter_free_policy(struct filter *filter);

/* Takes a policy out of force: its number is free then, and what is attached under it is refused everything. Its tables
 * stay for a while. Returns 0 or a negative errno. */
int filter_end_policy(struct filter *filter, uint32_t policy);

/* What is in force for a policy. */
struct snif_active filter_active(const struct filter *filter, uint32_t policy);

/* What a slot holds, as it is in the kernel. */
const struct snif_settings *filter_settings(const struct filter *filter, uint32_t slot);

/* ---- names at addresses: bindings.c ---------------------------------------------------------------------------- */

/* What many names are bound by, under a policy that binds names, in this network namespace. */
struct filter_binder {
	const struct filter *filter;
	int map;
	uint32_t generation;
	uint64_t group_rules, netns_cookie;
};

/* Returns 0 or a negative errno; then there is nothing to close. */
int filter_binder_open(struct filter_binder *binder, const struct filter *filter, uint32_t policy);
void filter_binder_close(struct filter_binder *binder);

/*
 * Has an address (v4-mapped) count for a name (normalised, `length` bytes) until `expires` (CLOCK_BOOTTIME, nanoseconds;
 * UINT64_MAX: for good). `rule` is what snif_may_look_up() has found of it. Returns 0 or a negative errno.
 */
int filter_bind(const struct filter_binder *binder, const char *name, size_t length, const __u8 address[16],
		const struct snif_name_rule *rule, uint64_t expires);

/* What a binding of a name has for a key, but for namespace and address. */
uint64_t filter_binding_name(const struct filter *filter, const char *name, size_t length);
/* Whether a policy remembers that, also where its time has run out: so what is open goes on. */
bool filter_was_bound(const struct filter *filter, uint32_t policy, const struct snif_binding_key *key);

struct filter_binding {
	struct snif_binding_key key;
	struct snif_binding value;
};

/* Remembers these, too. What is there for longer stays as long. Returns 0 or a negative errno. */
int filter_add_bindings(const struct filter *filter, uint32_t policy, const struct filter_binding *bindings,
			size_t count);

/*
 * Reads what a policy remembers of names at addresses, in no order, also what has run out; where it binds none, that is
 * nothing. Returns 0, with `*out` to be freed, or a negative errno.
 */
int filter_bindings(const struct filter *filter, uint32_t policy, struct filter_binding **out, size_t *count);

/* ---- attachments: attachments.c -------------------------------------------------------------------------------- */

/*
 * Attaches every program to the cgroup, bound to `policy` with events in ring `ring`. Attachments are the cgroup's, not
 * this process's: they end with the cgroup, so that a killed snifence sets nobody free. First comes a program that
 * refuses nothing, for the storage of the policy's number; then egress, by which all is refused or judged from there on.
 * Goes on where an earlier call was cut off. Returns 0 or a negative errno, after saying why; then nothing stays
 * attached.
 */
int filter_attach(struct filter *filter, int cgroup_fd, uint64_t cgroup_id, uint32_t policy, uint32_t ring);

/*
 * The same to a cgroup that runs, whose open connections are to go on: `keep` is called before egress is attached, when
 * those that begin from there on are tagged already, and once more behind it.
 */
int filter_attach_keeping(struct filter *filter, int cgroup_fd, uint64_t cgroup_id, uint32_t policy, uint32_t ring,
			  void (*keep)(void *context), void *context);

/* The other end of a TCP connection or a connected UDP socket, which this process holds. Returns whether it is one. */
bool filter_peer(int socket, struct snif_target *to);

/*
 * Gives such a socket a tag that lets it go on under the policy, unless it has one that says more, or that is of another
 * policy in force. Returns 1; 0: it needs none, or is no such socket; or a negative errno.
 */
int filter_keep(const struct filter *filter, int socket, uint32_t policy);

/* The other way round. What was judged under the policy is judged again, in all its cgroups. Returns 0 or a negative
 * errno, after saying why. */
int filter_detach(struct filter *filter, int cgroup_fd, uint64_t cgroup_id);

/* Reads what a cgroup's attachment says. Returns 0; -ENOENT: it has none, or none any more; or another negative errno. */
int filter_attachment(const struct filter *filter, uint64_t cgroup_id, struct snif_attachment *attachment);

/*
 * Reads the ids of all cgroups that have an attachment, or had one, in no order: attached.c. Returns 0, with `*ids` to be
 * freed, or a negative errno: then nothing is known of any.
 */
int filter_attached(const struct filter *filter, uint64_t **ids, size_t *count);

/* Which programs are attached to the cgroup itself, a bit for each in the order of SNIF_PROGRAMS; all of them:
 * FILTER_WHOLE. Returns a negative errno when the kernel does not say. */
int filter_attached_programs(const struct filter *filter, int cgroup_fd);
extern const int FILTER_WHOLE;
/* The name of the program of a bit; NULL behind the last. */
const char *filter_program_name(int bit);

/* ---- events and counters: rings.c ------------------------------------------------------------------------------ */

/* Makes a ring buffer and puts it under this number. Returns 0 or a negative errno. */
int filter_make_ring(struct filter *filter, uint32_t ring);
/* Whether there is one under this number. */
bool filter_has_ring(const struct filter *filter, uint32_t ring);

typedef void (*filter_event)(void *context, const struct snif_event *event);

/* Starts delivery of a ring's events; returns a descriptor to poll, or a negative errno. One ring at a time. */
int filter_events(struct filter *filter, uint32_t ring, filter_event callback, void *context);
void filter_close_events(struct filter *filter);
/* What one filter_consume() delivers at most: who floods the ring buffer must not keep the caller from everything else. */
enum { FILTER_EVENTS_AT_ONCE = 1024 };
/* Delivers what is waiting, without blocking. Returns the number of events, 0 when none was waiting, or a negative errno. */
int filter_consume(struct filter *filter);

/* The sum over all CPUs of a policy's counter: an enum snif_reason, or SNIF_COUNTER_LOST. */
uint64_t filter_counter(const struct filter *filter, uint32_t policy, uint32_t counter);
/* All of a policy's counters at once. Returns 0 or a negative errno. */
int filter_counters(const struct filter *filter, uint32_t policy, struct snif_counters *counters);

/* Reads the tag of a socket, which this process holds. Returns 0, or -ENOENT: it carries none. */
int filter_tag(const struct filter *filter, int socket, struct snif_tag *tag);

/* Reads what is remembered of such a socket's last ClientHello: of an inspected one. Returns 0, or -ENOENT: nothing. */
int filter_hello(const struct filter *filter, int socket, const struct snif_tag *tag, struct snif_hello *hello);

/* The id of the map of tags, by which the kernel's list of sockets tells what is refused; 0: not known. */
uint32_t filter_tags_id(const struct filter *filter);

/* Closes everything this process holds. Programs attached to a live cgroup stay in force. */
void filter_free(struct filter *filter);

#endif
