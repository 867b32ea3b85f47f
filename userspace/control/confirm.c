/* SPDX-License-Identifier: BSD-2-Clause */
/* What was attached for a trial ──► stays, when it is confirmed in time, or is detached again. */
#include "control/confirm.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/command_line.h"
#include "base/message.h"
#include "control/detach.h"
#include "control/source.h"
#include "filter/ledger.h"

#define WAITING INSTANCE_ROOT "/confirm-" /* then the number of the process that waits, which has the file locked */

enum { PATH_SIZE = 64, TOLD_MS = 2000 };

static const char usage[] = "Usage: snifence confirm\n"
			    "\n"
			    "Keeps all that was attached with --confirm-within.\n"
			    "\n"
			    "  --help              this text\n"
			    "\n"
			    "Exit status: 0; 2: the command line is wrong; 125: nothing waits for it\n";

/* Waits for SIGUSR1. Returns whether it came in time. */
static bool is_told(unsigned seconds) {
	const struct timespec patience = {.tv_sec = seconds};
	sigset_t told;

	sigemptyset(&told);
	sigaddset(&told, SIGUSR1);
	return sigtimedwait(&told, NULL, &patience) == SIGUSR1;
}

/* Holds nothing of whoever has started it, who may be gone by then. */
static void let_go(void) {
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	signal(SIGHUP, SIG_IGN);
	if (chdir("/") == 0 && null >= 0)
		for (int fd = 0; fd < 3; fd++)
			dup2(null, fd);
}

/* Notes that the target stays, where it is attached for this trial still. */
static void settle(struct instances *instances, const struct target *target) {
	int number = instance_of(instances, target->cgroup.id);
	struct ledger_attachment entry;
	char name[INSTANCE_NAME];

	if (number < 0 || ledger_read_attachment(instance_name((unsigned)number, name), target->cgroup.id, &entry))
		return;
	if (entry.trial == target->trial) {
		entry.trial = 0;
		entry.trial_until = 0;
		ledger_note_attachment(name, &entry);
	}
	ledger_attachment_free(&entry);
}

static void settle_all(const struct targets *targets) {
	struct instances instances;

	if (instances_take(&instances, false) == 0)
		for (size_t i = 0; i < targets->count; i++)
			settle(&instances, &targets->items[i]);
	instances_release(&instances);
}

_Noreturn static void wait_and_end(const struct targets *targets, unsigned seconds, int lock, const char *path) {
	let_go();
	if (is_told(seconds))
		settle_all(targets);
	else
		detach_targets(targets);
	unlink(path);
	close(lock);
	_exit(0);
}

int confirm_await(const struct targets *targets, unsigned seconds) {
	sigset_t told;
	char path[PATH_SIZE];
	int ready[2], lock, error = 0;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC))
		return -errno;
	sigemptyset(&told);
	sigaddset(&told, SIGUSR1);
	sigprocmask(SIG_BLOCK, &told, NULL);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		snprintf(path, sizeof(path), WAITING "%d", getpid());
		lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		error = lock < 0 || flock(lock, LOCK_EX) ? errno : 0;
		if (write(ready[1], &error, sizeof(error)) != sizeof(error) || error)
			_exit(1);
		close(ready[1]);
		wait_and_end(targets, seconds, lock, path);
	}
	error = pid < 0 ? errno : 0;
	close(ready[1]);
	if (!error && read(ready[0], &error, sizeof(error)) != sizeof(error))
		error = EIO;
	close(ready[0]);
	if (error)
		message_error("cannot wait for the confirmation: %s", strerror(error));
	return -error;
}

/* ---- the subcommand -------------------------------------------------------------------------------------------- */

/* Tells one that waits. A file that nobody has locked is of one that was ended: what it would have detached stays. */
static bool tell(const char *path) {
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	pid_t pid = atoi(path + strlen(WAITING));
	bool waits = fd >= 0 && pid > 0 && flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;

	if (!waits && fd >= 0)
		unlink(path);
	if (waits)
		waits = kill(pid, SIGUSR1) == 0;
	for (int ms = 0; waits && ms < TOLD_MS && access(path, F_OK) == 0; ms += 10)
		usleep(10000);
	if (fd >= 0)
		close(fd);
	return waits;
}

int confirm_main(int argc, char **argv) {
	int result = command_line_read_flag("confirm", usage, NULL, argc, argv, NULL);
	unsigned told = 0;
	glob_t found;

	if (result)
		return result < 0 ? EXIT_USAGE : 0;
	if (source_need_root("confirm"))
		return EXIT_FAILED;
	if (glob(WAITING "*", 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			told += tell(found.gl_pathv[i]);
		globfree(&found);
	}
	if (told)
		return 0;
	message_error("nothing waits to be confirmed");
	return EXIT_FAILED;
}
