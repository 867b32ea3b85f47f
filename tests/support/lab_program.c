/* SPDX-License-Identifier: BSD-2-Clause */
/* A command line ──► a program's output and exit status, within bounds of time. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "lab_parts.h"

enum { MOST_KEPT = 4096, MOST_PROGRAMS = 64, MOST_OUTPUT = 64 << 20 };

static struct {
	char folder[64]; /* "": not made yet */
	void *kept[MOST_KEPT];
	size_t kept_count;
	struct lab_program *programs[MOST_PROGRAMS];
	size_t program_count;
} lab;

void *lab_keep(void *memory) {
	assert_non_null(memory);
	assert_true(lab.kept_count < MOST_KEPT);
	return lab.kept[lab.kept_count++] = memory;
}

const char *lab_folder(void) {
	if (lab.folder[0])
		return lab.folder;
	strcpy(lab.folder, "/tmp/snifence-lab-XXXXXX");
	assert_non_null(mkdtemp(lab.folder));
	/* commands that run as another user read what is in it */
	assert_int_equal(chmod(lab.folder, 0755), 0);
	return lab.folder;
}

static char *path_of(const char *name) {
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", lab_folder(), name) > 0);
	return lab_keep(path);
}

const char *lab_write(const char *name, const char *text) {
	const char *path = path_of(name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	return path;
}

char *lab_read(const char *path) {
	const char *message;
	size_t length;
	char *text = file_read(path, MOST_OUTPUT, &length, &message);

	return lab_keep(text ? text : strdup(""));
}

static void become(const struct lab_program *program, const char *const argv[]) {
	int in = open("/dev/null", O_RDONLY), out = open(program->output[0], O_WRONLY | O_APPEND);
	int err = open(program->output[1], O_WRONLY | O_APPEND);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (in < 0 || out < 0 || err < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(99);
	execvp(argv[0], (char *const *)argv);
	_exit(98);
}

struct lab_program *lab_start(const char *const argv[]) {
	struct lab_program *program = lab_keep(calloc(1, sizeof(*program)));
	char name[48];

	assert_true(lab.program_count < MOST_PROGRAMS);
	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "output-%zu-%d", lab.program_count, i);
		program->output[i] = lab_write(name, "");
	}
	fflush(NULL);
	program->started = lab_now_ms();
	program->pid = fork();
	assert_true(program->pid >= 0);
	if (program->pid == 0)
		become(program, argv);
	return lab.programs[lab.program_count++] = program;
}

static bool ends_within(pid_t pid, int ms) {
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	bool ended;

	assert_true(fd >= 0);
	ended = poll(&ready, 1, ms) == 1;
	close(fd);
	return ended;
}

struct lab_program *lab_finish(struct lab_program *program, int ms) {
	bool ended = ends_within(program->pid, ms);
	int status;

	if (!ended)
		kill(program->pid, SIGKILL);
	waitpid(program->pid, &status, 0);
	program->pid = 0;
	program->ms = lab_now_ms() - program->started;
	program->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	program->out = lab_read(program->output[0]);
	program->err = lab_read(program->output[1]);
	if (!ended)
		fail_msg("a program did not end within %d ms; it printed: %s%s", ms, program->out, program->err);
	return program;
}

char *lab_await_output(const struct lab_program *program, const char *text) {
	double end = lab_now_ms() + 2 * LAB_PATIENCE_MS * lab_slowness();
	size_t length;
	char *out;

	do {
		lab_sleep_ms(10);
		out = lab_read(program->output[0]);
		length = strlen(out);
		if (length >= strlen(text) && strcmp(out + length - strlen(text), text) == 0)
			return out;
	} while (lab_now_ms() < end);
	fail_msg("the program has printed \"%s\", which does not end with \"%s\"", out, text);
	return NULL;
}

struct lab_program *lab_run(const char *const argv[]) {
	return lab_finish(lab_start(argv), LAB_PROGRAM_MS * lab_slowness());
}

bool lab_installed(const char *program) {
	const char *const argv[] = {"sh", "-c", "command -v \"$1\"", "sh", program, NULL};

	return lab_run(argv)->status == 0;
}

void lab_needs(const char *program) {
	if (lab_installed(program))
		return;
	print_message("skipped: %s is not installed\n", program);
	skip();
}

void lab_programs_end(void) {
	for (size_t i = 0; i < lab.program_count; i++)
		if (lab.programs[i]->pid) {
			kill(lab.programs[i]->pid, SIGTERM);
			if (!ends_within(lab.programs[i]->pid, LAB_PATIENCE_MS))
				kill(lab.programs[i]->pid, SIGKILL);
			waitpid(lab.programs[i]->pid, NULL, 0);
		}
	lab.program_count = 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk) {
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

void lab_folder_end(void) {
	if (lab.folder[0])
		nftw(lab.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	lab.folder[0] = 0;
	while (lab.kept_count > 0)
		free(lab.kept[--lab.kept_count]);
}
