/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The evasion catalogue: one entry for each trick, in the tables of *_cases.c. A case is added by adding an entry.
 *
 * Most entries are streams: bytes that a client sends to an inspected port, in pieces, and what must become of them.
 * Others are functions, for what has to do with sockets. All run inside the confined cgroup, in the lab's namespace,
 * under one load of the filter. `make test-evasion CASE='B1*'` runs those whose name matches.
 */
#ifndef SNIF_EVASION_H
#define SNIF_EVASION_H

#include "../support/hello_maker.h"
#include "../support/lab.h"
#include "event/event_words.h"

#define ALLOWED "allowed.test"
#define SECOND "second.test"
#define FORBIDDEN "forbidden.test"
#define BOUND "bound.test" /* allowed at 192.0.2.2 only */
#define V4 "192.0.2.1"
#define V6 "2001:db8::1"
#define V4_OTHER "192.0.2.2"
#define V4_REFUSED "203.0.113.1" /* no rule covers it */
/* The reasons for which an ordinary hello passes, and is refused. */
#define ALLOW SNIF_REASON_NAME_ALLOWED
#define REFUSE SNIF_REASON_NAME_NOT_ALLOWED
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The policy of nearly all cases: names above, and without inspection TCP 8080 and UDP 5353 of 192.0.2.1. */
extern const char evasion_policy[];
/* The same with `ech: deny`, and with `inbound: deny`. */
extern const char evasion_policy_ech[], evasion_policy_inbound[];
/* One whose first host begins with PostgreSQL's question. */
extern const char evasion_policy_postgres[];
/* The same in audit mode. */
extern const char evasion_policy_audit[];
/* The same with everything in `unusual`, with the longest `max_hello`, and with both; with the shortest. */
extern const char evasion_policy_unusual[], evasion_policy_long[], evasion_policy_lax[], evasion_policy_short[];

/* ---- streams -------------------------------------------------------------------------------------------------- */

/* In which pieces a stream is sent. Each piece is a segment of its own; each way is a connection. */
enum cuts {
	CUTS_FEW,   /* whole, over IPv4 and IPv6; in two at three places */
	CUTS_NONE,  /* whole, over IPv4 */
	CUTS_EVERY, /* in two at every offset, over both */
	CUTS_SMALL, /* in segments of 1, 2, 3, 7, 100 and 1,400 bytes */
};

struct stream {
	struct bytes bytes;
	const char *name;	       /* of the (last) event, and what servers have to see; NULL: not looked at */
	const char *before;	       /* of the event before that; NULL: the same */
	bool ech;		       /* the event's flag */
	enum snif_reason reason, then; /* as in the entry, which a maker can overrule */
};

/* Sends `length` bytes as one segment, in whatever way. */
typedef void (*evasion_sender)(int fd, const uint8_t *bytes, size_t length);

struct evasion {
	const char *name;
	/* A stream: its bytes, once for each n from `first` to `last`. */
	void (*make)(struct stream *stream, int n);
	/*
	 * What must happen. name_allowed: all arrives. Another one: nothing of the segment in which the parser decides,
	 * nor behind it, and the client reads ECONNABORTED. NONE: undecided, so all arrives, and the end of the stream
	 * is told as hello_incomplete. `then`: of a second event, for the same connection.
	 */
	enum snif_reason reason, then;
	enum cuts cuts;
	evasion_sender send; /* not NULL: by this, over IPv4 and IPv6, instead of in cuts */
	int first, last;
	const char *policy; /* NULL: evasion_policy */
	/* Or a function instead of all that. */
	void (*run)(void);
};

struct catalogue {
	const struct evasion *cases;
	size_t count;
};

#define CATALOGUE(name, cases) const struct catalogue name = {cases, COUNT(cases)}

extern const struct catalogue record_cases, hello_cases, name_cases, flow_cases, send_cases, open_cases, again_cases,
	address_cases, datagram_cases, stray_cases, socket_cases, inbound_cases, confined_cases, flood_cases,
	reload_cases, path_cases, option_cases, device_cases, kernel_cases, wire_cases;

/* Makes `stream` an ordinary hello, with `name` as what is expected of it. NULL: no server_name. */
void stream_hello(struct stream *stream, const char *name);
/* The same to order; `hello->name` is a string. */
void stream_of(struct stream *stream, const struct hello *hello);
/* For entries: an ordinary hello for ALLOWED, and for FORBIDDEN. */
void stream_allowed(struct stream *stream, int n);
void stream_forbidden(struct stream *stream, int n);

/* Runs an entry that is a stream, as the harness does; and the same with another server. */
void stream_run(const struct evasion *evasion);
void stream_run_at(const struct evasion *evasion, struct lab_server *server, const char *address);

/* ---- for cases that are functions ------------------------------------------------------------------------------ */

/* A TLS server, a plain one and one of UDP on all addresses: ports 443, 8080, and 443 and 5353. */
extern struct lab_server *evasion_tls, *evasion_plain, *evasion_udp443, *evasion_udp5353;

/* A connection as seen from both ends. */
struct trial {
	int fd;
	struct lab_server *server;
	size_t index;		/* at the server */
	const char *may_see[2]; /* the names that servers may see; trial_passed() takes none for ALLOWED and SECOND */
};

/* Connects to an inspected port. Fails the case where that does not work. */
struct trial trial_open(const char *address);
struct trial trial_open_at(struct lab_server *server, const char *address, uint16_t port);
/* The same for a descriptor that is connected or about to be: the server's next connection is its. */
struct trial trial_of(int fd);
/* Sends an ordinary hello for `name`, checks that it passes with its event, or is refused; closes. */
void trial_hello_passes(struct trial *trial, const char *name);
void trial_hello_refused(struct trial *trial, const char *name, enum snif_reason reason);
/* Checks that the server has received exactly these bytes, and that the judges see what they should; closes. */
void trial_passed(struct trial *trial, const void *bytes, size_t length);
/*
 * Takes the event, which has to be a refusal on egress, ends the socket as snifence does, and checks that the client
 * reads ECONNABORTED and that the server has received exactly these bytes; closes. Returns the event.
 */
const struct snif_event *trial_refused(struct trial *trial, enum snif_reason reason, const void *bytes, size_t length);
/* The same where nothing was received. */
const struct snif_event *trial_refused_all(struct trial *trial, enum snif_reason reason);
/* The same for a refusal of a connection that the server has never seen: the SYN did not leave. Closes. */
void refused_unseen(int fd, enum snif_reason reason);
/* The event's process is this one. It has a number of the machine's PID namespace, which nobody knows in a container's. */
void evasion_expect_self(const struct snif_event *event);
/* Counts connections (or datagrams) that were tried otherwise. */
void evasion_count(size_t connections);

/* Ends the case: this kernel or machine cannot express it. Printf-like. */
void evasion_skip(const char *why, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* Takes this process out of the confined cgroup and into it. Sockets stay where they were made. */
void evasion_outside(void);
void evasion_inside(void);
/* Another policy until the end of the case. */
void evasion_use_policy(const char *policy);
/*
 * setsockopt() of an option that the filter refuses, as a socket can have it from before the filter: without the program
 * that is asked of it, for so long. Skips the case where the kernel does not take the option.
 */
void evasion_set_refused(int fd, int level, int option, const void *value, socklen_t length);
/* The next case gets a fresh namespace's worth of servers and a fresh load of the filter. */
void evasion_spoilt(void);
/* A TLS server on port 443 of all addresses of the lab's second namespace, 203.0.113.102 and 2001:db8:1::2 behind a
 * device: lab_peer(). */
struct lab_server *evasion_peer(void);

/* ---- a second cgroup, in which a process can be before the filter is ---- */

struct second {
	struct cgroup cgroup;
	struct filter *filter; /* its own one; NULL: the lab's */
	char name[64];
};

/* Makes it beside the lab's cgroup and moves this process there. */
void second_open(struct second *second);
/* Attaches the lab's filter, or with `own` one of its own that has the lab's policy. */
void second_attach(struct second *second, bool own);
/* Moves this process back inside the lab's, and removes it; sockets of it should be closed. */
void second_close(struct second *second);

/* Runs a program of the system, like nft, outside the cgroup; its exit code. */
int evasion_system(const char *command);

#endif
