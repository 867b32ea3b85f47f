/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence verify --json`, in a process of its own ──► how many findings there are of each kind. */
#include "monitor/verification.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/message.h"
#include "base/text.h"

/* Milliseconds: between two, and at least when policies change all the time. */
enum { AGAIN_MS = 300000, SOONEST_MS = 5000 };

struct verification {
	struct verified result;
	pid_t pid;   /* 0: none is running */
	pid_t ended; /* one that has closed its output, or was killed, until it has ended; 0: there is none */
	int output;
	FILE *said; /* what has come of its output */
	char *text;
	size_t size;
	long started_at;
	bool due, gave_way;
	uint64_t generation; /* which it was started for */
};

struct verification *verification_new(void) {
	struct verification *verification = calloc(1, sizeof(*verification));

	if (verification)
		*verification = (struct verification){.output = -1, .due = true, .started_at = -SOONEST_MS};
	return verification;
}

const struct verified *verification_result(const struct verification *verification) {
	return &verification->result;
}

/* ---- its process ----------------------------------------------------------------------------------------------- */

/* The program that runs, also where an upgrade has replaced its file. */
static _Noreturn void be_verify(int output) {
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(output, STDOUT_FILENO) >= 0)
		execl("/proc/self/exe", "snifence", "verify", "--json", (char *)NULL);
	_exit(EXIT_FAILED);
}

static void forget_output(struct verification *verification) {
	if (verification->output >= 0)
		close(verification->output);
	if (verification->said)
		fclose(verification->said);
	free(verification->text);
	verification->output = -1;
	verification->said = NULL;
	verification->text = NULL;
}

static int start(struct verification *verification) {
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	verification->output = ends[0];
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	verification->said = text_open(&verification->text, &verification->size);
	verification->pid = verification->said ? fork() : -1;
	if (verification->pid == 0)
		be_verify(ends[1]);
	close(ends[1]);
	if (verification->pid > 0)
		return 0;
	verification->pid = 0;
	forget_output(verification);
	return -ENOMEM;
}

/* Does not wait: where a process that was looked at holds the lock of its socket, it can be deaf to SIGKILL. */
static void take_leave(struct verification *verification) {
	if (verification->ended && waitpid(verification->ended, NULL, WNOHANG) != 0)
		verification->ended = 0;
}

static void finish(struct verification *verification) {
	kill(verification->pid, SIGKILL);
	verification->ended = verification->pid;
	verification->pid = 0;
	forget_output(verification);
	take_leave(verification);
}

/* ---- what it says ---------------------------------------------------------------------------------------------- */

static void count(struct verified *result, struct json_object *finding) {
	struct json_object *word;

	if (!json_object_object_get_ex(finding, "kind", &word))
		return;
	for (int kind = 0; kind < FINDING_KIND_COUNT; kind++)
		if (strcmp(json_object_get_string(word), finding_word(kind)) == 0)
			result->counts[kind]++;
}

/* One that could not do its part says nothing, and leaves what the one before has found, with its time. */
static void read_findings(struct verification *verification) {
	struct json_object *object, *complete, *findings;

	object = fflush(verification->said) ? NULL : json_tokener_parse(verification->text);
	if (json_object_object_get_ex(object, "findings", &findings) &&
	    json_object_object_get_ex(object, "complete", &complete)) {
		memset(verification->result.counts, 0, sizeof(verification->result.counts));
		for (size_t i = 0; i < json_object_array_length(findings); i++)
			count(&verification->result, json_object_array_get_idx(findings, i));
		if (json_object_get_boolean(complete))
			verification->result.at = (uint64_t)time(NULL);
	}
	json_object_put(object);
}

static void hear(struct verification *verification) {
	char piece[4096];
	ssize_t length;

	while ((length = read(verification->output, piece, sizeof(piece))) > 0)
		fwrite(piece, 1, (size_t)length, verification->said);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	read_findings(verification);
	finish(verification);
	verification->gave_way = false;
}

/* ---- when ------------------------------------------------------------------------------------------------------ */

/* Changes with each policy that comes, or is reloaded: an instance counts them. */
static uint64_t newest_generations(const struct reader *reader) {
	uint64_t sum = 0;

	for (unsigned i = 0; i < INSTANCES; i++)
		if (reader_filter(reader, i))
			sum += filter_active(reader_filter(reader, i), 0).generation;
	return sum;
}

static bool is_due(struct verification *verification, const struct reader *reader) {
	uint64_t generation = newest_generations(reader);
	long since = clock_ms() - verification->started_at;

	verification->due |= generation != verification->generation || since >= AGAIN_MS;
	verification->generation = generation;
	return verification->due && since >= SOONEST_MS;
}

void verification_turn(struct verification *verification, const struct reader *reader) {
	int error;

	if (verification->pid)
		hear(verification);
	take_leave(verification);
	if (!is_due(verification, reader) || verification->pid || verification->ended)
		return;
	verification->due = false;
	verification->started_at = clock_ms();
	error = start(verification);
	if (error)
		message_error("cannot verify what is in the kernel: %s", strerror(-error));
}

void verification_wait(const struct verification *verification, struct pollfd *fd) {
	*fd = (struct pollfd){.fd = verification->output, .events = POLLIN};
}

void verification_give_way(struct verification *verification) {
	if (!verification->pid || verification->gave_way)
		return;
	finish(verification);
	verification->due = verification->gave_way = true;
}

void verification_free(struct verification *verification) {
	if (!verification)
		return;
	if (verification->pid)
		finish(verification);
	free(verification);
}
