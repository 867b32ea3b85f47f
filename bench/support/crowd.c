/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that hold thousands of connections each ──► how much memory the kernel has then. */
#include "crowd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tests/support/lab_parts.h"
#include "bench.h"
#include "hello_cost.h"
#include "memory.h"

enum { EACH = 10000, SPARE = 100, MOST_HOLDERS = 10, SETTLE_MS = 300 };

static int server;

static void set(const char *file, const char *value) {
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		bench_fail("%s: %s", file, strerror(errno));
	close(fd);
}

void crowd_network(void) {
	lab_enter();
	bench_arm();
	set("/proc/sys/net/core/somaxconn", "1000000");
	server = lab_listener(-1, SOCK_STREAM, "0.0.0.0", PAIR_TLS);
	if (listen(server, 1000000))
		bench_fail("no server: %s", strerror(errno));
}

static void allow_descriptors(void) {
	if (!lab_allow_files(EACH + SPARE))
		bench_fail("a process may not have %d open files (ulimit -Hn)", EACH + SPARE);
}

/* Each holder has an address of its own to connect to, as there are not enough ports for one. */
static void hold(unsigned holder, unsigned count, int ready, int go) {
	const struct bytes *hello = hello_of(517, 0, HELLO_ALLOWED);
	char address[32], byte = 0;

	snprintf(address, sizeof(address), "127.0.1.%u", 1 + holder);
	allow_descriptors();
	for (unsigned i = 0; i < count; i++) {
		const struct linger at_once = {.l_onoff = 1};
		int fd = lab_dial(address, PAIR_TLS);

		if (fd < 0 || lab_send(fd, hello->data, hello->length) ||
		    lab_send(fd, HELLO_SETTLES, sizeof(HELLO_SETTLES)))
			bench_fail("connection %u: %s", i, strerror(fd < 0 ? -fd : errno));
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	}
	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 0)
		bench_fail("the bench is gone");
	_exit(0);
}

struct holders {
	pid_t pids[MOST_HOLDERS];
	unsigned count;
	int ready, go; /* one byte comes from each that is ready; closing the other one ends all */
};

static struct holders start(unsigned count) {
	struct holders holders = {0};
	int ready[2], go[2];

	if (count > EACH * MOST_HOLDERS || pipe(ready) || pipe(go))
		bench_fail("no pipes for %u connections", count);
	fflush(NULL);
	for (; holders.count * EACH < count; holders.count++) {
		unsigned left = count - holders.count * EACH;
		pid_t pid = fork();

		if (pid < 0)
			bench_fail("fork: %s", strerror(errno));
		if (pid == 0) {
			close(go[1]);
			hold(holders.count, left < EACH ? left : EACH, ready[1], go[0]);
		}
		holders.pids[holders.count] = pid;
	}
	close(ready[1]);
	close(go[0]);
	holders.ready = ready[0];
	holders.go = go[1];
	return holders;
}

static void end(const struct holders *holders) {
	int status;

	close(holders->go);
	close(holders->ready);
	for (unsigned i = 0; i < holders->count; i++)
		if (waitpid(holders->pids[i], &status, 0) < 0 || status != 0)
			bench_fail("a process that holds connections has failed");
}

/* What waits to be accepted is ended with its listener. */
static void forget(void) {
	close(server);
	server = lab_listener(-1, SOCK_STREAM, "0.0.0.0", PAIR_TLS);
	if (listen(server, 1000000))
		bench_fail("no server: %s", strerror(errno));
	lab_sleep_ms(SETTLE_MS);
}

size_t crowd_memory(const struct cell *cell, unsigned count) {
	struct holders holders;
	size_t memory;
	char byte;

	if (cell)
		cell_enter(cell);
	holders = start(count);
	if (cell)
		cell_leave();
	for (unsigned i = 0; i < holders.count; i++)
		if (read(holders.ready, &byte, 1) != 1)
			bench_fail("a process that holds connections has failed");
	lab_sleep_ms(SETTLE_MS);
	memory = memory_of_kernel();
	end(&holders);
	forget();
	return memory;
}
