/* SPDX-License-Identifier: BSD-2-Clause */
/* A log of two million events ──► what reads it ──► how long that takes, and how much memory. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "address.h"
#include "event/event_write.h"
#include "event/log_writer.h"
#include "support/bench.h"

enum { EVENTS = 2000000, QUICK_EVENTS = 20000, NAMES = 20000, MOST_WORDS = 8 };

static const char program[] = "build/snifence";

/* The events that a run's kernel side hands over, one of five refused, from one of eight programs every 20 ms. */
static struct snif_event event_of(unsigned i) {
	static const char *const names[] = {"curl", "git", "node", "pip", "python3", "cargo", "apt-get", "wget"};
	unsigned random = i * 2654435761U >> 7; /* Knuth's multiplicative hash */
	__u32 address = htonl(0xc6336400 | random % 256);
	bool allowed = i % 5 != 0;
	struct snif_event event = {
		.time = 1767323045000000000 + (__u64)i * 20000000,
		.flow = i,
		.process = {.cgroup_id = 4711, .pid = 1000 + random % 30000, .uid = 1000},
		.rule = allowed,
		.source_port = (__u16)(32768 + random % 28000),
		.destination_port = 443,
		.protocol = IPPROTO_TCP,
		.hook = SNIF_HOOK_EGRESS,
		.verdict = allowed ? SNIF_ALLOW : SNIF_DENY,
		.reason = allowed ? SNIF_REASON_NAME_ALLOWED : SNIF_REASON_NAME_NOT_ALLOWED,
		.flags = SNIF_EVENT_HELLO,
		.version = 0x0304,
	};

	snif_map_ipv4(event.source, &address);
	snif_map_ipv4(event.destination, &address);
	snprintf(event.process.name, sizeof(event.process.name), "%s", names[random % 8]);
	event.name_length = (__u16)snprintf((char *)event.name, sizeof(event.name), "host%u.%s.example", random % NAMES,
					    allowed ? "allowed" : "refused");
	return event;
}

/* As a run writes it. Returns its size in bytes. */
static double write_log(int fd) {
	static struct rule rules[] = {{0}, {.file = "/etc/snifence/agent.yaml", .line = 12}};
	const struct policy policy = {.name = (char *)"agent", .rules = rules, .rule_count = 2};
	const struct event_context context = {
		.policy = &policy,
		.policy_sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		.cgroup_path = "/snifence-4711",
		.wall_clock = true,
	};
	unsigned count = bench_count(EVENTS, QUICK_EVENTS);
	FILE *file = fdopen(dup(fd), "w");
	struct log *log = file ? log_new(file, log_run_id()) : NULL;
	struct stat status;

	if (!log)
		bench_fail("cannot write the log");
	for (unsigned i = 0; i < count; i++) {
		struct snif_event event = event_of(i);

		if (event_write(log, &event, &context) < 0)
			bench_fail("cannot write the log");
	}
	if (log_flush(log) < 0 || fclose(file) != 0 || fstat(fd, &status) < 0)
		bench_fail("cannot write the log");
	log_free(log);
	return (double)status.st_size;
}

/* Runs the program with its output thrown away. */
static struct rusage read_log(const char *const argv[]) {
	struct rusage usage;
	pid_t pid = fork();
	int status, null;

	if (pid == 0) {
		null = open("/dev/null", O_WRONLY);
		dup2(null, STDOUT_FILENO);
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || status != 0)
		bench_fail("%s %s ended badly", argv[0], argv[1]);
	return usage;
}

static double seconds_of(const struct timeval *time) {
	return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

/* A file without a name, of which nothing stays however this ends. */
static int temporary_file(void) {
	char path[] = "/var/tmp/snifence-bench-XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || unlink(path) < 0)
		bench_fail("cannot make a file in /var/tmp");
	return fd;
}

/* `argument`: the words between the program and the log, NULL-terminated. */
static void measure(const void *argument) {
	const char *const *words = argument, *argv[MOST_WORDS] = {program};
	char path[32];
	int fd = temporary_file();
	struct rusage usage;
	uint64_t began;
	size_t count = 1;
	double bytes, cpu, wall;

	bytes = write_log(fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd); /* of the program, which inherits it */
	for (; words[count - 1]; count++)
		argv[count] = words[count - 1];
	argv[count] = path;
	began = bench_now();
	usage = read_log(argv);
	wall = (double)(bench_now() - began) / 1e9;
	close(fd);
	cpu = seconds_of(&usage.ru_utime) + seconds_of(&usage.ru_stime);
	bench_sample("log", "MB", bytes / 1e6, NULL);
	bench_sample("cpu", "s", cpu, NULL);
	bench_sample("wall", "s", wall, NULL);
	bench_sample("rate", "MB/s", bytes / 1e6 / cpu, NULL);
	bench_sample("rss", "MB", (double)usage.ru_maxrss * 1024 / 1e6, NULL);
}

static const char *const report[] = {"report", NULL}, *const by_name[] = {"report", "--by", "name", NULL},
			 *const html[] = {"report", "--html", "build/bench/report.html", NULL},
			 *const learn[] = {"learn", NULL};

static const struct bench_case cases[] = {
	{"log/report", measure, report},
	{"log/report-by-name", measure, by_name},
	{"log/report-html", measure, html},
	{"log/learn", measure, learn},
};

int main(int argc, char **argv) {
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
