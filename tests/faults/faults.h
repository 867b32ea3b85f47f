/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One fault ──► one start of a command ──► what came of it: the command is confined, or there is none and a message.
 *
 *	points.c    what can fail: the calls and allocations of a start without a fault, each with each error
 *	trial.c     one start with one fault, judged
 *	program.c   any program with one fault
 *	inject.c    the fault itself, by ptrace; allocation.c, in a library of its own, where memory is to fail
 *	attempts.c  the command: tries to reach a server and to get out, and says what happened and what it is
 *	server.c    whom it tries to reach
 *	told.c      what the environment asks for, and what comes of all
 *
 * The same for what attaches running cgroups: resident_test.c.
 */
#ifndef SNIF_FAULTS_H
#define SNIF_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Linux numbers its calls without gaps worth saving. */
enum { CALLS = 512, TRIAL_MS = 60000 };

struct allocations;

/* ---- a fault ------------------------------------------------------------------------------------------------- */

/* The n-th time that the task makes the call, or the n-th allocation of a place (call -1), fails. Tasks have hexadecimal
 * names: the first is 1, the second process or thread that it starts 12, the first that this one starts 121. */
struct point {
	unsigned task;
	int call;
	unsigned nth;
	int error; /* errno */
	uint32_t place;
};

enum { POINT_TEXT = 96 };

/* `TASK:CALL:N:ERROR` or `allocation:PLACE:N`, as the environment's FAULTS_POINT takes it. */
void point_print(const struct point *point, char text[POINT_TEXT]);
bool point_parse(const char *text, struct point *point);

/* Points that grow; the memory stays until the test ends. */
struct points {
	struct point *points;
	size_t count;
};

void points_add(struct points *points, struct point point);
/* Each of these calls: the first and the last of a task's that are the same with each error, those in between with each
 * or with one, which changes from call to call. */
struct points points_with_errors(const struct points *calls, bool all_errors);
/* The first and the last allocation of each place in the program. */
struct points points_of_allocations(const struct allocations *allocations);
/* Leaves `count` of them, chosen by the seed. */
void points_sample(struct points *points, size_t count, unsigned seed);

/* ---- the fault injected ----------------------------------------------------------------------------------------- */

struct inject {
	char *const *argv;
	int out, err;		   /* descriptors for what it prints */
	const struct point *point; /* NULL: none */
	struct points *calls;	   /* where the calls are to be noted; NULL: nowhere */
	char *const *environment;
};

struct ended {
	int status; /* as of waitpid() */
	pid_t pid;
	bool reached, hung, left; /* the point; after TRIAL_MS; a process of it was there after its end */
};

/* Runs the program to its end. Processes that execute another program are let go and are the caller's to end. */
struct ended inject_run(const struct inject *inject);

/* ---- a program ------------------------------------------------------------------------------------------------ */

enum { OUTPUT = 1 << 16 };

/* Ends the process unless it is good. */
void check(bool good, const char *what);

/* Makes what the others need; to be called once by the process that runs programs. */
void program_prepare(void);
/* Runs a program to its end, with one fault; or with none (NULL), where its calls are noted, or its allocations. */
struct ended program_run(char *const argv[], const struct point *point, struct points *calls, bool allocations);
/* Of the last run. */
const struct allocations *program_allocations(void);
bool program_met(const struct point *point, const struct ended *ended);
void program_read_output(char text[OUTPUT]);
void program_read_messages(char text[OUTPUT]);

/* ---- a trial ------------------------------------------------------------------------------------------------- */

enum outcome { UNTRIED, NOT_REACHED, CONFINED, NOT_STARTED, ENDED_EARLY, FINDING, OUTCOMES };

enum { FINDING_TEXT = 256 };

struct result {
	enum outcome outcome;
	char text[FINDING_TEXT]; /* of a FINDING */
};

__attribute__((format(printf, 1, 2))) struct result finding(const char *format, ...);

/* Makes the place of this process's trials: a network namespace with a server, a cgroup, and one outside of that. To be
 * called once. */
void trial_prepare(void);
/* A start without a fault, which has to do well, and is what others are compared with. */
void trial_without_fault(void);
/* The system calls and allocations of further ones. The latter stay until trial_end(). */
void trial_survey(struct points *calls, const struct allocations **allocations);
/* A start with a fault. `aloud`: shows what it prints. */
struct result trial_run(const struct point *point, bool aloud);
void trial_end(void);

/* Another subcommand, which reads what the last start without a fault has left: `words` with LOG and POLICY in it. */
struct reading {
	const char *words[8];
};
/* The places where it takes memory, and what comes of it when one is refused: CONFINED means done, NOT_STARTED given up. */
struct points trial_reading_points(const struct reading *reading);
struct result trial_reading(const struct reading *reading, const struct point *point);

/* ---- what is told ---------------------------------------------------------------------------------------------- */

/* Leaves as many points as FAULTS says, divided by `share`, chosen by SEED. */
void told_sample(struct points *points, size_t share);
void told_finding(const struct point *point, const char *text);
/* How many points there were, in how many seconds, and how many had each outcome, by these words: on standard output, and
 * at the end of the file that FAULTS_TABLE names. */
void told_numbers(const char *kind, const char *const words[OUTCOMES], const size_t counts[OUTCOMES], double seconds);
double told_now(void);

/* ---- the command and its server ------------------------------------------------------------------------------------- */

/* What main() does as the command: `attempts VICTIM ADDRESS CGROUP`. */
enum { ATTEMPTS_DONE = 42 };
int attempts_main(char **argv);

#define SERVER_ADDRESS "192.0.2.1"
enum { SERVER_PORT = 80, SERVER_TLS_PORT = 443, SERVER_UDP_PORT = 9000 };

void server_start(void);
/* Whether anything has come since it was last asked. */
bool server_has_seen(char text[FINDING_TEXT]);

#endif
