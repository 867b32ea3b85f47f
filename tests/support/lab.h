/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lab: what a test with the real kernel needs. All of it lives in a network namespace that dies with the test's
 * process, and is undone after each test, also a failed one. A test reads:
 *
 *	static int hello_inside(void *argument) {
 *		int fd = lab_dial("192.0.2.1", 443);
 *		...                                      (in a forked child: no assert here, return a number)
 *	}
 *
 *	static void test_forbidden_name(void **state) {
 *		lab_enter();
 *		struct lab_server *server = lab_server(LAB_TLS, "192.0.2.1", 443);
 *		lab_confine("version: 1\ntls: {allow: [allowed.lab.test]}\n");
 *		assert_int_equal(lab_inside(hello_inside, NULL), 0);
 *		lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_ALLOWED);
 *		lab_expect_no_more();
 *		assert_int_equal(lab_wait(server, 0, LAB_CLOSED).received, 0);
 *	}
 *
 *	const struct CMUnitTest tests[] = {lab_test(test_forbidden_name)};
 *
 * Nothing waits longer than LAB_PATIENCE_MS, and a test that lasts a minute is ended by SIGALRM. Where the lab itself
 * fails, so does the test, with a message.
 */
#ifndef SNIF_LAB_H
#define SNIF_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <cmocka.h>

#include "abi.h"
#include "compile/compile.h"
#include "cgroup/cgroup.h"
#include "event/event_words.h"
#include "filter/filter.h"

struct json_object;

enum { LAB_PATIENCE_MS = 3000, LAB_PROGRAM_MS = 15000, LAB_TEST_SECONDS = 60 };

/*
 * What a limit on time is multiplied by: 10 where the environment says SLOW, as on an emulated machine, else 1. Such a
 * limit keeps a test from lasting for ever, or tells what is done at once from what is not.
 */
int lab_slowness(void);

/* Lets this process and its children have so many open files, or as many as they may. Returns whether that is enough. */
bool lab_allow_files(size_t count);

/* An entry of cmocka's table: the test, then the lab's clean-up. */
#define lab_test(function) cmocka_unit_test_teardown(function, lab_leave)

/*
 * The first line of each test. Skips the test where root is missing. In the first test of a process it makes the
 * namespace, in which these addresses are on `lo`: 192.0.2.1, 192.0.2.2, 198.51.100.1, 203.0.113.1, 2001:db8::1,
 * 2001:db8::2, 64:ff9b::c0af:3001 (192.175.48.1 behind NAT64: a global address, of a sink), and 127.0.0.1 and ::1. In a
 * mount namespace of the process /etc/hosts says that lab.test, allowed.lab.test and forbidden.lab.test are at
 * 192.0.2.1 and 2001:db8::1.
 */
void lab_enter(void);
/* The teardown of each test: ends its programs, servers and confinement. */
int lab_leave(void **state);

/*
 * A second namespace, for a test that needs a real device and another host. `lab0` here has 203.0.113.101/30 and
 * 2001:db8:1::1/126, `lab1` there 203.0.113.102 and 2001:db8:1::2. Made on first use, then it stays. Returns a
 * descriptor of the namespace, for lab_server_at() and setns().
 */
int lab_peer(void);

/* ---- addresses and clients ---------------------------------------------------------------------------------- */

/* The socket address of a numeric address, IPv4 or IPv6 ("::ffff:192.0.2.1" makes an IPv6 one). */
socklen_t lab_address(const char *address, uint16_t port, struct sockaddr_storage *out);
/* A connected TCP socket with TCP_NODELAY, whose calls give up after LAB_PATIENCE_MS; or a negative errno. */
int lab_dial(const char *address, uint16_t port);
/* The same from another network namespace. Not for a child: it asserts. */
int lab_dial_at(int namespace_fd, const char *address, uint16_t port);
/* Sends all bytes. 0 or a negative errno. */
int lab_send(int fd, const void *bytes, size_t length);
/* Reads that many bytes, or until the end, an error, or LAB_PATIENCE_MS without any. Returns how many came. */
size_t lab_receive(int fd, void *bytes, size_t length);
/* The same in segments of `size` bytes: each is acknowledged before the next is sent. -ETIMEDOUT when one is not,
 * which is how a segment ends that the filter has dropped, unless it was the last. */
int lab_send_segments(int fd, const void *bytes, size_t length, size_t size);
/* Closes at once with a reset, so that nothing is sent again later. */
void lab_reset(int fd);
/* Whether there is something to read, or the end, within `ms`. */
bool lab_readable(int fd, int ms);
/* CLOCK_MONOTONIC in milliseconds. */
double lab_now_ms(void);
void lab_sleep_ms(int ms);
/* Whether the file is there, or comes within `ms`. */
bool lab_await_file(const char *path, int ms);
/* Writes a line to standard output at once. */
void lab_say(const char *line);
/* Connects so often to where no rule of a test's policy lets it. */
void lab_be_refused(int count);

/* ---- servers ------------------------------------------------------------------------------------------------ */

enum lab_kind {
	LAB_TLS,  /* answers "GET " with a page that names the server name; sends anything else back, all by TLS */
	LAB_SINK, /* plain TCP: reads and says nothing */
	LAB_ECHO, /* plain TCP: sends back what it reads */
	LAB_UDP,  /* each datagram adds to connection 0 */
};

enum { LAB_KEPT = 1 << 16 }; /* bytes of a connection that are kept */

/* What a server has seen of one connection. */
struct lab_connection {
	size_t received;      /* bytes of TCP payload */
	const uint8_t *bytes; /* the first LAB_KEPT of them; valid until the test ends */
	char name[256];	      /* LAB_TLS: the server name that OpenSSL took from the last ClientHello; "": none */
	bool accepted;	      /* there is such a connection */
	bool hello;	      /* LAB_TLS: OpenSSL has read a whole ClientHello */
	bool handshake;	      /* LAB_TLS: done */
	bool closed;	      /* by the client, or after an error */
	int error;	      /* with which it closed: ECONNRESET, ...; 0: end of stream */
};

struct lab_server;

/* Starts a server that runs until the test ends. */
struct lab_server *lab_server(enum lab_kind kind, const char *address, uint16_t port);
/* The same in another network namespace, like that of lab_peer(). */
struct lab_server *lab_server_at(int namespace_fd, enum lab_kind kind, const char *address, uint16_t port);

enum lab_stage { LAB_ACCEPTED, LAB_HELLO, LAB_HANDSHAKE, LAB_CLOSED };

/* How many connections were accepted so far. */
size_t lab_count(struct lab_server *server);
/* What is known of connection `index` (from 0, in the order of accept) now. */
struct lab_connection lab_seen(struct lab_server *server, size_t index);
/* The same once it has come to `stage`, or once patience is at its end: look at what came back. */
struct lab_connection lab_wait(struct lab_server *server, size_t index, enum lab_stage stage);
/* The same once it has received `bytes` bytes. */
struct lab_connection lab_wait_bytes(struct lab_server *server, size_t index, size_t bytes);

/* The self-signed certificate of all LAB_TLS servers, for lab.test and *.lab.test: a PEM file, good as a CA file. */
const char *lab_certificate(void);

/* ---- the filter --------------------------------------------------------------------------------------------- */

/* Puts a policy, as YAML, in force for a fresh cgroup. */
void lab_confine(const char *policy);
/* Puts another policy in force for the same cgroup. */
void lab_reload(const char *policy);
/* Attaches the same filter once more, with a policy of its own, to a cgroup below that one: functions are run in it. */
void lab_confine_below(const char *policy);
/* What is in force; NULL or all zero before lab_confine(). */
struct filter *lab_filter(void);
const struct cgroup *lab_cgroup(void);
const struct policy *lab_policy(void);
const struct compiled *lab_compiled(void);

/* Fills the attachment's budget for bytes of ClientHellos that are not complete (snif_attachment). */
void lab_refill_budget(void);

/* The next event, in the order of the ring buffer; NULL when none comes within `ms`. Valid until the test ends. */
const struct snif_event *lab_event(int ms);
/* Takes the next event and fails unless it has this verdict and reason. */
const struct snif_event *lab_expect(enum snif_verdict verdict, enum snif_reason reason);
/* Fails when another event comes within a twentieth of a second. */
void lab_expect_no_more(void);

/*
 * Runs `function` in a forked child inside the cgroup; returns what it returns. The child is still root, with every
 * capability: what it may not do is what the filter alone refuses. It must not use cmocka's asserts.
 */
typedef int (*lab_function)(void *argument);
int lab_inside(lab_function function, void *argument);
/* A function for it: sends 192.0.2.1:443 a ClientHello for `name`. 0: the server answers; 1: it does not; or a negative
 * errno: no connection. */
int lab_say_hello(void *name);
/* The same in two halves, for what has to happen meanwhile. */
pid_t lab_start_inside(lab_function function, void *argument);
int lab_finish_inside(pid_t pid);
/* Memory, all zero, that children share with the test; freed when the test ends. */
void *lab_shared(size_t size);
/* For taking turns through such memory: sets `*turn`, or waits until it is at least `value` (false: patience is at its
 * end). Children may use both. */
void lab_turn(int *turn, int value);
bool lab_await_turn(int *turn, int value);

/* ---- programs ----------------------------------------------------------------------------------------------- */

struct lab_program {
	pid_t pid;
	int status;	       /* the exit code, or 128 + n for signal n, once finished */
	char *out, *err;       /* what it printed, with a NUL behind; freed when the test ends */
	double ms;	       /* how long it ran */
	const char *log;       /* of lab_snifence(): its JSON lines */
	const char *output[2]; /* the files that it prints to */
	double started;
};

/* A folder that is removed with the test. */
const char *lab_folder(void);
/* Writes a file into it; returns its path, which is freed when the test ends. */
const char *lab_write(const char *name, const char *text);
/* Reads a whole file; "" when there is none. Freed when the test ends. */
char *lab_read(const char *path);

/* Starts a program with its output caught and nothing to read. argv[0] is found by PATH. */
struct lab_program *lab_start(const char *const argv[]);
/* Waits for its end, at most `ms`: then it is killed and the test fails. */
struct lab_program *lab_finish(struct lab_program *program, int ms);
/* Waits until what a running program has printed ends with `text`; returns all of it. */
char *lab_await_output(const struct lab_program *program, const char *text);
/* Starts one and waits for its end, at most 15 s. */
struct lab_program *lab_run(const char *const argv[]);
bool lab_installed(const char *program);
/* Skips the test, saying why, when the program is not there. */
void lab_needs(const char *program);
/* The file of the running test, which can be a command too: main() then looks at its arguments first. */
const char *lab_self(void);

/*
 * Starts `build/snifence run --log FILE OPTION… POLICY -- COMMAND…` with `policy` as YAML; `options` may be NULL. Both
 * lists end with NULL. lab_finish() waits for its end.
 */
struct lab_program *lab_start_snifence(const char *policy, const char *const options[], const char *const command[]);
/* The same to its end; fails where it leaves its cgroup behind. */
struct lab_program *lab_snifence(const char *policy, const char *const options[], const char *const command[]);
/* The events in the log, in order, as an array of json-c; fails where a line is not JSON. Without the last line, of
 * the type "stats". Freed when the test ends. */
struct json_object *lab_log(const struct lab_program *program);
/* Fails unless the log holds one event alone, with this reason; returns it. */
struct json_object *lab_log_one(const struct lab_program *program, enum snif_reason reason);
/* Whether there is a cgroup of the snifence that ran, or runs, as `pid`. */
bool lab_cgroup_of(pid_t pid);
/* The first process in that cgroup; 0 when there is none. For itself it has another number. */
pid_t lab_command_of(pid_t pid);

#endif
