/* SPDX-License-Identifier: BSD-2-Clause */
/* Exact names ──► c-ares ──► bindings. */
#include "monitor/resolve.h"

#include <ares.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "address.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/library.h"
#include "base/message.h"
#include "base/text.h"
#include "compile/tables.h"
#include "control/source.h"
#include "event/event_words.h"
#include "filter/ledger.h"

/* Milliseconds: how often a name is asked for at most, and at least; how long one question waits for its answer. */
enum { SOONEST_MS = 5000, LATEST_MS = 3600 * 1000, PATIENCE_MS = 2000, TRIES = 2, AT_ONCE = 20 };

#define FUNCTIONS(X)                                                                                                   \
	X(ares_destroy)                                                                                                \
	X(ares_freeaddrinfo)                                                                                           \
	X(ares_getaddrinfo) X(ares_init_options) X(ares_process_fd) X(ares_set_servers_csv) X(ares_strerror)

LIBRARY(dns, "to look up the names of policies with `dns.resolve`", FUNCTIONS, "libcares.so.2");

struct watched;

struct watched_name {
	struct watched *of;
	const char *name;
	struct snif_name_rule rule;
	long due; /* clock_ms() */
	bool asked, failed;
};

/* A policy in force, with its file's names. */
struct watched {
	struct resolve *resolve;
	unsigned instance;
	uint32_t number, generation;
	bool seen;  /* in this turn */
	bool noted; /* the ledger knows it */
	struct source source;
	ares_channel channel; /* NULL: its names cannot be looked up */
	struct watched_name *names;
	size_t count, waiting;
};

struct resolve {
	const struct reader *reader;
	int epoll;
	struct watched **watched;
	size_t count;
};

struct resolve *resolve_new(const struct reader *reader) {
	struct resolve *resolve = calloc(1, sizeof(*resolve));

	if (!resolve)
		return NULL;
	resolve->reader = reader;
	resolve->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (resolve->epoll >= 0)
		return resolve;
	free(resolve);
	return NULL;
}

/* ---- answers --------------------------------------------------------------------------------------------------- */

/* Returns the seconds for which the address is given. */
static unsigned bind_address(const struct watched_name *name, const struct filter_binder *binder,
			     const struct ares_addrinfo_node *node) {
	const struct snif_dns_rules *rules = &name->of->source.compiled.settings.dns;
	unsigned ttl = node->ai_ttl > 0 ? (unsigned)node->ai_ttl : 0;
	uint64_t expires = clock_boot_ns() + snif_dns_counts_for(rules, ttl) * 1000000000ULL;
	__u8 address[16];

	if (node->ai_family == AF_INET)
		snif_map_ipv4(address, &((struct sockaddr_in *)node->ai_addr)->sin_addr);
	else
		memcpy(address, &((struct sockaddr_in6 *)node->ai_addr)->sin6_addr, 16);
	filter_bind(binder, name->name, strlen(name->name), address, &name->rule, expires);
	return ttl;
}

/* Returns the least seconds for which an address is given, an hour at most. */
static unsigned bind_addresses(const struct watched_name *name, const struct ares_addrinfo_node *nodes) {
	const struct filter *filter = reader_filter(name->of->resolve->reader, name->of->instance);
	unsigned least = LATEST_MS / 1000, ttl;
	struct filter_binder binder;

	if (!filter || filter_binder_open(&binder, filter, name->of->number))
		return 0;
	for (; nodes; nodes = nodes->ai_next) {
		ttl = bind_address(name, &binder, nodes);
		least = ttl < least ? ttl : least;
	}
	filter_binder_close(&binder);
	return least;
}

/* What went wrong is said once, until it goes well again. */
static void say_failure(struct watched_name *name, int status) {
	if (!name->failed)
		message_error("%s: cannot look up %s: %s; it is tried again", name->of->source.file, name->name,
			      dns.ares_strerror(status));
	name->failed = true;
}

static void on_answer(void *context, int status, int timeouts, struct ares_addrinfo *found) {
	struct watched_name *name = context;
	unsigned least;

	(void)timeouts;
	name->asked = false;
	name->of->waiting--;
	if (status == ARES_EDESTRUCTION)
		return;
	if (status != ARES_SUCCESS) {
		say_failure(name, status);
		name->due = clock_ms() + SOONEST_MS;
		return;
	}
	least = bind_addresses(name, found->nodes);
	dns.ares_freeaddrinfo(found);
	name->failed = false;
	name->due = clock_ms() + (least * 1000 < SOONEST_MS ? SOONEST_MS : (long)least * 1000);
}

/* ---- policies -------------------------------------------------------------------------------------------------- */

static void on_socket(void *context, ares_socket_t fd, int readable, int writable) {
	const struct watched *watched = context;
	struct epoll_event event = {
		.events = (readable ? EPOLLIN : 0U) | (writable ? EPOLLOUT : 0U),
		.data.fd = fd,
	};

	if (!readable && !writable)
		epoll_ctl(watched->resolve->epoll, EPOLL_CTL_DEL, fd, NULL);
	else if (epoll_ctl(watched->resolve->epoll, EPOLL_CTL_ADD, fd, &event) && errno == EEXIST)
		epoll_ctl(watched->resolve->epoll, EPOLL_CTL_MOD, fd, &event);
}

/* The policy's DNS servers, as c-ares reads them. NULL: out of memory; to be freed. */
static char *servers_text(const struct policy *policy) {
	char *text, address[EVENT_ADDRESS_SIZE];
	const char *comma = "";
	size_t size;
	FILE *out = text_open(&text, &size);

	for (size_t i = 0; out && i < policy->direct_count; i++) {
		if (!policy->direct[i].dns)
			continue;
		event_address(address, policy->lists[policy->direct[i].list].items[0].address);
		fprintf(out, "%s%s", comma, address);
		comma = ",";
	}
	text_close(out, &text);
	return text;
}

/* Asks nobody but the policy's servers, and for the names as they are. Returns a status of c-ares. */
static int open_channel(struct watched *watched) {
	struct ares_options options = {
		.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
		.timeout = PATIENCE_MS,
		.tries = TRIES,
		.lookups = "b",
		.sock_state_cb = on_socket,
		.sock_state_cb_data = watched,
	};
	char *servers = servers_text(watched->source.policy);
	int status = servers ? ARES_SUCCESS : ARES_ENOMEM;

	if (status == ARES_SUCCESS && !*servers)
		status = ARES_ECONNREFUSED;
	if (status == ARES_SUCCESS)
		status = dns.ares_init_options(&watched->channel, &options,
					       ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
						       ARES_OPT_SOCK_STATE_CB);
	if (status != ARES_SUCCESS)
		watched->channel = NULL;
	else
		status = dns.ares_set_servers_csv(watched->channel, servers);
	free(servers);
	return status;
}

static bool has_name(const struct watched *watched, const char *name) {
	for (size_t i = 0; i < watched->count; i++)
		if (strcmp(watched->names[i].name, name) == 0)
			return true;
	return false;
}

static void add_name(struct watched *watched, const char *name, enum host_form form) {
	const struct compiled *compiled = &watched->source.compiled;
	struct snif_name_progress at = {0};
	char padded[SNIF_NAME_BUFFER] = "";

	if ((form != HOST_EXACT && form != HOST_BOTH) || watched->count >= RESOLVE_NAMES || has_name(watched, name))
		return;
	snprintf(padded, sizeof(padded), "%s", name);
	if (snif_may_look_up(&at, compiled, &compiled->settings, (const __u8 *)padded, (__u16)strlen(padded)))
		watched->names[watched->count++] = (struct watched_name){.of = watched, .name = name, .rule = at.best};
}

static int add_names(struct watched *watched) {
	const struct policy *policy = watched->source.policy;

	watched->names = calloc(RESOLVE_NAMES, sizeof(*watched->names));
	if (!watched->names)
		return ARES_ENOMEM;
	for (size_t i = 0; i < policy->host_count; i++)
		if (policy->hosts[i].allow)
			add_name(watched, policy->hosts[i].name, policy->hosts[i].form);
	for (size_t i = 0; i < policy->lookup_count; i++)
		add_name(watched, policy->lookups[i].name, policy->lookups[i].form);
	if (watched->count == RESOLVE_NAMES)
		message_error("%s: only its first %d exact names are looked up", watched->source.file, RESOLVE_NAMES);
	return ARES_SUCCESS;
}

static void forget(struct watched *watched) {
	if (watched->channel)
		dns.ares_destroy(watched->channel);
	if (watched->source.policy)
		source_free(&watched->source);
	free(watched->names);
	free(watched);
}

/*
 * The policy in force: as its file says, unless that has changed since. Which one is in force, the kernel knows: what the
 * ledger notes of it comes a moment later.
 */
static bool load(struct watched *watched, const char *file, const struct snif_settings *in_force) {
	struct source source;

	if (source_load(&source, file, NULL, in_force->options.mode == SNIF_AUDIT))
		return false;
	if (memcmp(in_force->sha256, source.compiled.settings.sha256, sizeof(in_force->sha256)) != 0) {
		message_error("%s has changed since it was put in force: its names are looked up after a reload", file);
		source_free(&source);
		return false;
	}
	watched->source = source;
	return true;
}

static void begin(struct watched *watched, const struct snif_settings *in_force) {
	char instance[INSTANCE_NAME];
	struct ledger_policy entry;
	int error = ledger_read_policy(instance_name(watched->instance, instance), watched->number, &entry), status;

	/* not yet; or it is a run's, which looks names up itself */
	watched->noted = error != -ENOENT;
	if (error)
		return;
	if (library_open(&dns_library) == 0 && load(watched, entry.file, in_force)) {
		status = add_names(watched);
		if (status == ARES_SUCCESS)
			status = open_channel(watched);
		if (status != ARES_SUCCESS)
			message_error("%s: its names cannot be looked up: %s", entry.file, dns.ares_strerror(status));
	}
	ledger_policy_free(&entry);
}

static struct watched *find(struct resolve *resolve, unsigned instance, const struct snif_active *active) {
	struct watched **place, *watched;

	for (size_t i = 0; i < resolve->count; i++)
		if (resolve->watched[i]->instance == instance && resolve->watched[i]->number == active->policy &&
		    resolve->watched[i]->generation == active->generation)
			return resolve->watched[i];
	watched = calloc(1, sizeof(*watched));
	place = watched ? array_add(&resolve->watched, &resolve->count, sizeof(struct watched *)) : NULL;
	if (!place) {
		free(watched);
		return NULL;
	}
	*place = watched;
	*watched = (struct watched){
		.resolve = resolve,
		.instance = instance,
		.number = active->policy,
		.generation = active->generation,
	};
	return watched;
}

static void look_at(struct resolve *resolve, unsigned instance, const struct filter *filter) {
	for (uint32_t number = 1; number < SNIF_POLICIES; number++) {
		struct snif_active active = filter_active(filter, number);
		const struct snif_settings *in_force = filter_settings(filter, active.slot);
		struct watched *watched;

		if (active.policy == 0 || !in_force->dns.resolve_exact)
			continue;
		watched = find(resolve, instance, &active);
		if (!watched)
			continue;
		watched->seen = true;
		if (!watched->noted)
			begin(watched, in_force);
	}
}

static void forget_unseen(struct resolve *resolve) {
	size_t kept = 0;

	for (size_t i = 0; i < resolve->count; i++) {
		if (resolve->watched[i]->seen)
			resolve->watched[kept++] = resolve->watched[i];
		else
			forget(resolve->watched[i]);
	}
	resolve->count = kept;
}

static void ask_due(struct watched *watched) {
	static const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

	for (size_t i = 0; watched->channel && i < watched->count && watched->waiting < AT_ONCE; i++) {
		struct watched_name *name = &watched->names[i];

		if (name->asked || clock_ms() < name->due)
			continue;
		name->asked = true;
		watched->waiting++;
		dns.ares_getaddrinfo(watched->channel, name->name, NULL, &hints, on_answer, name);
	}
}

void resolve_turn(struct resolve *resolve) {
	for (size_t i = 0; i < resolve->count; i++)
		resolve->watched[i]->seen = false;
	for (unsigned i = 0; i < INSTANCES; i++)
		if (reader_filter(resolve->reader, i))
			look_at(resolve, i, reader_filter(resolve->reader, i));
	forget_unseen(resolve);
	for (size_t i = 0; i < resolve->count; i++) {
		/* what has waited for too long */
		if (resolve->watched[i]->channel)
			dns.ares_process_fd(resolve->watched[i]->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
		ask_due(resolve->watched[i]);
	}
}

void resolve_hear(struct resolve *resolve) {
	struct epoll_event events[AT_ONCE];
	int count = epoll_wait(resolve->epoll, events, AT_ONCE, 0);

	/* a channel passes over what is not its own */
	for (int i = 0; i < count; i++) {
		ares_socket_t fd = events[i].data.fd;
		bool readable = events[i].events & ~(unsigned)EPOLLOUT, writable = events[i].events & EPOLLOUT;

		for (size_t k = 0; k < resolve->count; k++)
			if (resolve->watched[k]->channel)
				dns.ares_process_fd(resolve->watched[k]->channel, readable ? fd : ARES_SOCKET_BAD,
						    writable ? fd : ARES_SOCKET_BAD);
	}
	for (size_t i = 0; i < resolve->count; i++)
		ask_due(resolve->watched[i]);
}

int resolve_fd(const struct resolve *resolve) {
	return resolve->epoll;
}

void resolve_free(struct resolve *resolve) {
	if (!resolve)
		return;
	for (size_t i = 0; i < resolve->count; i++)
		forget(resolve->watched[i]);
	free(resolve->watched);
	close(resolve->epoll);
	free(resolve);
}
