/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk that is full for a while, a limit, a reader that stops, a folder of the command's user ──► the log, whole lines
 * with their gaps counted. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#include "../support/lab.h"

#define POLICY "version: 1\ntls: {allow: [allowed.lab.test]}\ndns: {servers: none}\n"

enum { ENDS_MS = 3000, HALF = 40, FEW = 20, MANY = 4000 /* whose lines find no room in a megabyte */ };

/* ---- the command -------------------------------------------------------------------------------------------- */

static bool await_file(const char *folder, const char *name) {
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return lab_await_file(path, 20000);
}

/* Some lines, many when the log takes none, and some when it does again. */
static int command(const char *folder) {
	/* what it shares with snifence's log where that is standard error */
	fcntl(STDERR_FILENO, F_SETFL, fcntl(STDERR_FILENO, F_GETFL) | O_NONBLOCK);
	lab_be_refused(FEW);
	lab_say("first");
	if (!await_file(folder, "go-1"))
		return 1;
	lab_be_refused(MANY);
	lab_say("second");
	if (!await_file(folder, "go-2"))
		return 1;
	lab_sleep_ms(500);
	lab_be_refused(FEW);
	return 7;
}

/* ---- what is in the log ------------------------------------------------------------------------------------- */

struct seen {
	int lines, after_gap; /* after_gap: lines behind the first that counts a gap */
	int64_t unwritten, last_sequence, first_gap;
	int status; /* of the last line; -1: it has none */
};

static int64_t number_of(struct json_object *object, const char *key) {
	struct json_object *found;

	return json_object_object_get_ex(object, key, &found) ? json_object_get_int64(found) : -1;
}

static void see_line(struct seen *seen, const char *text) {
	struct json_object *line = json_tokener_parse(text), *stats, *command;
	int64_t sequence;

	if (!json_object_is_type(line, json_type_object))
		fail_msg("no whole line: %s", text);
	sequence = number_of(line, "sequence");
	seen->lines++;
	seen->after_gap += seen->unwritten > 0;
	seen->status = -1;
	if (sequence != seen->last_sequence + 1 && !seen->first_gap)
		seen->first_gap = seen->last_sequence + 1;
	seen->last_sequence = sequence;
	if (json_object_object_get_ex(line, "stats", &stats)) {
		if (number_of(stats, "unwritten") > 0)
			seen->unwritten = number_of(stats, "unwritten");
		if (json_object_object_get_ex(stats, "command", &command))
			seen->status = (int)number_of(command, "status");
	}
	json_object_put(line);
}

/* Every line of JSON is whole, and all lines that are missing are counted. */
static struct seen see(char *text) {
	struct seen seen = {.status = -1};
	char *line;

	while ((line = strsep(&text, "\n")))
		if (*line == '{')
			see_line(&seen, line);
	assert_int_equal(seen.last_sequence, seen.lines + seen.unwritten);
	return seen;
}

static void expect_a_gap(char *text) {
	struct seen seen = see(text);

	assert_true(seen.unwritten > 0);
	/* the last ones, and the end */
	assert_true(seen.after_gap >= FEW + 1);
	assert_int_equal(seen.status, 7);
}

/* ---- the tests ---------------------------------------------------------------------------------------------- */

static char *path_in(const char *folder, const char *name) {
	static char path[400];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static struct lab_program *start_with(const char *log) {
	return lab_start_snifence(POLICY, (const char *[]){"--log", log, NULL},
				  (const char *[]){lab_self(), lab_folder(), NULL});
}

static void fill(const char *path) {
	static const char bytes[4096];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	while (write(fd, bytes, sizeof(bytes)) > 0)
		;
	while (write(fd, bytes, 1) > 0)
		;
	close(fd);
}

static char disk[280];

static int unmount(void **state) {
	if (disk[0])
		umount2(disk, MNT_DETACH);
	disk[0] = '\0';
	return lab_leave(state);
}

/* Starts a run and fills the disk that its log is on, on which lines are lost then. */
static struct lab_program *start_on_full_disk(char log[300], char filler[300]) {
	struct lab_program *program;

	snprintf(disk, sizeof(disk), "%s/disk", lab_folder());
	snprintf(log, 300, "%s/log.json", disk);
	snprintf(filler, 300, "%s/filler", disk);
	assert_int_equal(mkdir(disk, 0700), 0);
	assert_int_equal(mount("lab", disk, "tmpfs", 0, "size=6m"), 0);
	program = start_with(log);
	lab_await_output(program, "first\n");
	fill(filler);
	lab_write("go-1", "");
	lab_await_output(program, "second\n");
	lab_sleep_ms(200);
	return program;
}

/* A disk that is full, and then is not. The log of the run after that begins on a line of its own. */
static void test_full_disk(void **state) {
	static const off_t halves[] = {HALF, 12, 1};
	struct lab_program *program;
	char log[300], filler[300], *text;

	(void)state;
	lab_enter();
	program = start_on_full_disk(log, filler);
	unlink(filler);
	lab_write("go-2", "");
	assert_int_equal(lab_finish(program, 20000 * lab_slowness())->status, 7);
	assert_non_null(strstr(program->err, ": No space left on device; it goes on when that is over\n"));
	assert_non_null(strstr(program->err, ": No space left on device\n"));
	expect_a_gap(lab_read(log));

	/* the half line of somebody else, and so little of one that it could be of anything */
	for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++) {
		assert_int_equal(truncate(log, halves[i]), 0);
		program = lab_run((const char *[]){"build/snifence", "run", "--log", log,
						   lab_write("policy.yaml", POLICY), "--", "true", NULL});
		assert_int_equal(program->status, 0);
		text = lab_read(log);
		assert_int_equal(text[halves[i]], '\n');
		assert_int_equal(see(text + halves[i] + 1).lines, 1);
	}
}

/* A disk that stays full: no reason to go on, and whole lines only. */
static void test_asked_to_end_on_full_disk(void **state) {
	struct lab_program *program;
	char log[300], filler[300], *text;
	double begin;

	(void)state;
	lab_enter();
	program = start_on_full_disk(log, filler);
	begin = lab_now_ms();
	assert_int_equal(kill(program->pid, SIGTERM), 0);
	lab_finish(program, 10000 * lab_slowness());
	assert_true(lab_now_ms() - begin < ENDS_MS * lab_slowness());
	assert_int_equal(program->status, 128 + SIGTERM);
	assert_non_null(strstr(program->err, ": No space left on device\n"));
	text = lab_read(log);
	assert_true(strlen(text) > 1000);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

/* A limit on the size of files is an error of the log, and not the end of snifence. */
static void test_size_limit(void **state) {
	static const char *const limits[] = {"0", "8"};
	char script[512];

	(void)state;
	lab_enter();
	lab_write("go-1", "");
	lab_write("go-2", "");
	for (size_t i = 0; i < 2; i++) {
		const char *log = lab_write("limited.json", "");
		struct lab_program *program;

		/* the output of both goes through pipes, which have no such limit */
		snprintf(
			script, sizeof(script),
			"{ { (ulimit -f %s; exec build/snifence run --log %s %s -- %s %s 2>&1 >/dev/null); echo status $?; } "
			"| cat; }",
			limits[i], log, lab_write("policy.yaml", POLICY), lab_self(), lab_folder());
		program = lab_run((const char *[]){"sh", "-c", script, NULL});
		assert_non_null(strstr(program->out, "status 7\n"));
		assert_non_null(strstr(program->out, ": File too large; it goes on when that is over\n"));
		assert_non_null(strstr(program->out, ": File too large\n"));
		if (i > 0) {
			char *text = lab_read(log);

			assert_true(strlen(text) > 1000);
			assert_int_equal(text[strlen(text) - 1], '\n');
		}
	}
}

/* Reads until the writers have closed. */
static char *read_all(int fd) {
	size_t size = 64 << 20, length = 0;
	char *text = malloc(size);
	ssize_t got;

	assert_non_null(text);
	fcntl(fd, F_SETFL, 0);
	while (length < size - 1 && (got = read(fd, text + length, size - 1 - length)) > 0)
		length += (size_t)got;
	text[length] = '\0';
	return text;
}

/* A reader stops for a while, and the command has made the end that it shares with snifence non-blocking. */
static void test_reader_stops_for_a_while(void **state) {
	const char *fifo;
	struct lab_program *program;
	char script[512], *text;
	int reader;

	(void)state;
	lab_enter();
	fifo = lab_write("fifo", "");
	unlink(fifo);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	reader = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	snprintf(script, sizeof(script), "exec build/snifence run --log - %s -- %s %s 2>%s",
		 lab_write("policy.yaml", POLICY), lab_self(), lab_folder(), fifo);
	program = lab_start((const char *[]){"sh", "-c", script, NULL});
	lab_await_output(program, "first\n");
	lab_write("go-1", "");
	lab_await_output(program, "second\n");
	lab_sleep_ms(200);
	lab_write("go-2", "");
	text = read_all(reader);
	assert_int_equal(lab_finish(program, 20000 * lab_slowness())->status, 7);
	assert_non_null(strstr(text, "its reader did not take them\n"));
	expect_a_gap(text);
	free(text);
	close(reader);
}

static struct lab_program *run_in(const char *folder, const char *name, const char *script) {
	return lab_run((const char *[]){"build/snifence", "run", "--user", "65534:65534", "--log",
					path_in(folder, name), lab_write("policy.yaml", POLICY), "--", "sh", "-c",
					script, folder, NULL});
}

/* Where the command's user can put another log in its place, that is said before, and after he has. */
static void test_replaced(void **state) {
	struct lab_program *program;
	char folder[280];

	(void)state;
	lab_enter();
	snprintf(folder, sizeof(folder), "%s/theirs", lab_folder());
	assert_int_equal(mkdir(folder, 0755), 0);
	program = run_in(folder, "log.json", "true");
	assert_null(strstr(program->err, "can write to the folder"));
	assert_null(strstr(program->err, "is not there any more"));
	assert_int_equal(chown(folder, 65534, 65534), 0);
	program = run_in(folder, "log.json", "true");
	assert_non_null(strstr(program->err, "can write to the folder"));
	assert_null(strstr(program->err, "is not there any more"));
	program = run_in(folder, "log.json", "cd $0; mv log.json old; echo forged >log.json; exit 4");
	assert_int_equal(program->status, 4);
	assert_non_null(strstr(program->err, "is not there any more"));
}

/* No link but root's leads root to where it makes a file. */
static void test_links(void **state) {
	struct lab_program *program;
	char folder[280], link[290];

	(void)state;
	lab_enter();
	snprintf(folder, sizeof(folder), "%s/real", lab_folder());
	snprintf(link, sizeof(link), "%s/link", lab_folder());
	assert_int_equal(mkdir(folder, 0755), 0);
	assert_int_equal(symlink("real", link), 0);
	program = run_in(link, "log.json", "true");
	assert_int_equal(program->status, 0);
	assert_int_equal(access(path_in(folder, "log.json"), F_OK), 0);
	assert_int_equal(lchown(link, 65534, 65534), 0);
	program = run_in(link, "other.json", "true");
	assert_int_equal(program->status, 125);
	assert_non_null(strstr(program->err, "a folder on the way is a symbolic link that is not root's"));
	assert_int_equal(access(path_in(folder, "other.json"), F_OK), -1);
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_full_disk, unmount),
		cmocka_unit_test_teardown(test_asked_to_end_on_full_disk, unmount),
		lab_test(test_size_limit),
		lab_test(test_reader_stops_for_a_while),
		lab_test(test_replaced),
		lab_test(test_links),
	};

	if (argc > 1)
		return command(argv[1]);
	return cmocka_run_group_tests_name("supervisor log", tests, NULL, NULL);
}
