/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocked connections, at a known rate ──► ring buffer ──► the log of `snifence run` ──► how many were lost. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "../tests/support/hello_maker.h"
#include "../tests/support/lab_parts.h"
#include "support/bench.h"
#include "support/sides.h"
#include "support/tls.h"
#include "support/under.h"

/*
 * This program is its own generator, by these words: what is blocked, how many a second (0: as many as it can), and for
 * how many milliseconds.
 */
#define GENERATE "generate"
#define REFUSED "refused" /* in connect(), so without a packet: the cheapest there is */
#define HELLO "hello"	  /* on the way out, after a handshake of TCP */

#define LOG SIDES_FOLDER "/log.json"
#define GENERATED SIDES_FOLDER "/generated"
#define SERVER "192.0.2.1" /* one of the lab's own addresses */
enum { SERVER_PORT = 443, REFUSED_PORT = 9, MOST_WORDS = 24 };

static void refuse(void) {
	static struct sockaddr_storage where;
	static socklen_t length;
	static int fd = -1;

	if (fd < 0) {
		length = lab_address(SERVER, REFUSED_PORT, &where);
		fd = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	}
	if (connect(fd, (struct sockaddr *)&where, length) == 0 || errno != EPERM)
		bench_fail("a connection is not refused: %s", strerror(errno));
}

static void send_hello(void) {
	static struct bytes hello;
	int fd = lab_dial(SERVER, SERVER_PORT);

	if (hello.length == 0)
		hello_make(&hello, &(struct hello){.name = BENCH_FORBIDDEN});
	if (fd < 0)
		bench_fail("no connection: %s", strerror(-fd));
	lab_send(fd, hello.data, hello.length);
	lab_reset(fd);
}

static double seconds_of(const struct timespec *time) {
	return (double)time->tv_sec + (double)time->tv_nsec / 1e9;
}

static int generate(char **words) {
	void (*block)(void) = strcmp(words[0], HELLO) == 0 ? send_hello : refuse;
	double rate = strtod(words[1], NULL) / 1e3, patience_ms = strtod(words[2], NULL), began = lab_now_ms(), ms = 0;
	unsigned long count = 0, due;
	struct timespec start;
	FILE *out;

	clock_gettime(CLOCK_REALTIME, &start);

	while (ms < patience_ms) {
		due = rate > 0 ? (unsigned long)(rate * (ms + 1)) : count + 100;
		for (; count < due; count++)
			block();
		if (rate > 0)
			lab_sleep_ms(1);
		ms = lab_now_ms() - began;
	}
	out = fopen(GENERATED, "w");
	if (!out || fprintf(out, "%lu %f %f", count, ms / 1e3, seconds_of(&start)) < 0 || fclose(out))
		bench_fail("cannot write %s: %s", GENERATED, strerror(errno));
	return 0;
}

struct burst {
	double began;			 /* CLOCK_REALTIME */
	double seconds, logging_seconds; /* until all was generated, and until the log was at its end */
	uint64_t generated, logged, lost;
};

/* The log's last line counts the others. */
static void read_log(struct burst *seen) {
	char text[1 << 16];
	FILE *log = fopen(LOG, "r");
	struct stat status;
	struct json_object *line, *stats = NULL, *value;
	size_t length;
	char *last;

	if (!log || fstat(fileno(log), &status) ||
	    (fseek(log, -(long)sizeof(text) + 1, SEEK_END) && fseek(log, 0, SEEK_SET)))
		bench_fail("cannot read the log: %s", strerror(errno));
	seen->logging_seconds = seconds_of(&status.st_mtim) - seen->began;
	length = fread(text, 1, sizeof(text) - 1, log);
	fclose(log);
	text[length > 0 ? length - 1 : 0] = 0; /* without the last newline */
	last = strrchr(text, '\n');
	line = json_tokener_parse(last ? last + 1 : text);
	if (!json_object_object_get_ex(line, "stats", &stats))
		bench_fail("the log does not end with a line of statistics");
	if (json_object_object_get_ex(stats, "blocked", &value))
		seen->logged = json_object_get_uint64(value);
	if (json_object_object_get_ex(stats, "lost", &value))
		seen->lost = json_object_get_uint64(value);
	json_object_put(line);
}

static void read_generated(struct burst *seen) {
	FILE *in = fopen(GENERATED, "r");

	if (!in || fscanf(in, "%lu %lf %lf", &seen->generated, &seen->seconds, &seen->began) != 3)
		bench_fail("the generator does not say what it did");
	fclose(in);
}

/* Runs the generator under snifence, to the end. Whatever happened is in the log, or was counted as lost. */
static struct burst run_burst(const char *what, double rate, double ms) {
	const char *const *under =
		under_snifence((const char *const[]){"--log", LOG, NULL}, under_policy("enforce", 0));
	const char *argv[MOST_WORDS] = {NULL};
	char rate_text[32], ms_text[32];
	struct burst seen = {0};
	size_t words = 0;

	snprintf(rate_text, sizeof(rate_text), "%.0f", rate);
	snprintf(ms_text, sizeof(ms_text), "%.0f", ms);
	for (; under[words]; words++)
		argv[words] = under[words];
	argv[words++] = lab_self();
	argv[words++] = GENERATE;
	argv[words++] = what;
	argv[words++] = rate_text;
	argv[words] = ms_text;
	unlink(LOG);
	sides_command(NEAR, argv);
	read_generated(&seen);
	read_log(&seen);
	if (seen.logged + seen.lost != seen.generated)
		bench_fail("of %lu events, %lu were logged and %lu lost", seen.generated, seen.logged, seen.lost);
	return seen;
}

/* Events per second that all came through in a burst of one second; 0 when some did not. */
static double without_loss(double rate) {
	struct burst seen = run_burst(REFUSED, rate, 1000);

	return seen.lost == 0 ? (double)seen.generated / seen.seconds : 0;
}

/*
 * The highest rate without loss, by a search up or down in steps of a half, from one that the goal is a step below. A
 * machine that cannot generate a rate has its own limit measured, which ends the search.
 */
static void measure_burst(const void *argument) {
	double rate = 60000, best = without_loss(rate), next;
	bool up = best > 0;

	(void)argument;
	while (!bench_quick() && (up ? best > 0.9 * rate && rate < 1e6 : best == 0 && rate > 1000)) {
		rate *= up ? 1.5 : 1 / 1.5;
		next = without_loss(rate);
		if (up && next == 0)
			break;
		best = next;
	}
	bench_sample("logged", "1/s", best, NULL);
}

static void measure_sustained(const void *argument) {
	struct burst seen = run_burst(REFUSED, 0, bench_quick() ? 300 : 3000);

	(void)argument;
	bench_sample("generated", "1/s", (double)seen.generated / seen.seconds, NULL);
	bench_sample("logged", "1/s", (double)seen.logged / seen.logging_seconds, NULL);
	bench_sample("lost", "%", 100.0 * (double)seen.lost / (double)seen.generated, NULL);
}

static int accept_all(void *argument) {
	int listener = *(int *)argument, fd;

	while (lab_readable(listener, LAB_PATIENCE_MS))
		if ((fd = accept(listener, NULL, NULL)) >= 0)
			close(fd);
	return 0; /* nobody has come for a while */
}

/* Each blocked hello has snifence end its connection too. */
static void measure_hellos(const void *argument) {
	struct burst seen;
	int listener;

	(void)argument;
	listener = lab_listener(-1, SOCK_STREAM, SERVER, SERVER_PORT);
	sides_fork(FAR, accept_all, &listener);
	seen = run_burst(HELLO, 0, bench_quick() ? 300 : 1000);
	bench_sample("logged", "1/s", (double)seen.logged / seen.logging_seconds, NULL);
	bench_sample("lost", "%", 100.0 * (double)seen.lost / (double)seen.generated, NULL);
}

struct measured {
	void (*function)(const void *argument);
};

static void run(const void *argument) {
	const struct measured *measured = argument;

	sides_run(measured->function, NULL);
}

static const struct measured burst = {measure_burst}, sustained = {measure_sustained}, hellos = {measure_hellos};

static const struct bench_case cases[] = {
	{"events/burst", run, &burst},
	{"events/sustained", run, &sustained},
	{"events/hellos", run, &hellos},
};

int main(int argc, char **argv) {
	if (argc == 5 && strcmp(argv[1], GENERATE) == 0)
		return generate(argv + 2);
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
