/* SPDX-License-Identifier: BSD-2-Clause */
/* A program ──► each of its system calls, one of which fails without having been made. */
#include <errno.h>
#include <elf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sys/uio.h>

#include "faults.h"

enum { TASKS = 256 };

struct task {
	pid_t pid;	  /* 0: gone */
	unsigned name;	  /* see struct point; 0: whose child it is is not known yet, */
	bool held;	  /* and it waits for that */
	unsigned started; /* by it */
	bool fails;	  /* the call that it is in */
	unsigned counts[CALLS];
};

static struct task tasks[TASKS];
static int task_count;
static bool begun;	/* the program itself runs */
static uint64_t loader; /* where its loader is */
static volatile sig_atomic_t overdue;

static void on_alarm(int signal) {
	(void)signal;
	overdue = 1;
}

/* The register that numbers the call, before it; the one with its result, behind it. */
static void set_register(pid_t pid, bool result, long value) {
#if defined(__x86_64__)
	size_t offset = result ? offsetof(struct user_regs_struct, rax) : offsetof(struct user_regs_struct, orig_rax);

	ptrace(PTRACE_POKEUSER, pid, offset, value);
#else /* arm64 */
	struct user_regs_struct registers;
	struct iovec all = {&registers, sizeof(registers)};
	int number = (int)value;
	struct iovec call = {&number, sizeof(number)};

	if (!result) {
		ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &call);
		return;
	}
	ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &all);
	registers.regs[0] = (unsigned long long)value;
	ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &all);
#endif
}

/* Where the loader is. What fails in it is not the program's: it ends with a message of its own. */
static uint64_t find_loader(pid_t pid) {
	uint64_t entry[2], found = 0;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/auxv", (int)pid);
	FILE *file = fopen(path, "re");
	while (file && !found && fread(entry, sizeof(entry), 1, file) == 1)
		if (entry[0] == AT_BASE)
			found = entry[1];
	if (file)
		fclose(file);
	return found;
}

enum { LOADER_SIZE = 1 << 18 };

static bool is_of_loader(uint64_t instruction) {
	return instruction >= loader && instruction < loader + LOADER_SIZE;
}

static struct task *task_of(pid_t pid) {
	for (int i = task_count - 1; i >= 0; i--)
		if (tasks[i].pid == pid)
			return &tasks[i];
	if (task_count == TASKS)
		abort();
	tasks[task_count] = (struct task){.pid = pid};
	return &tasks[task_count++];
}

/* They are started in an order of their own, whatever runs beside. */
static void name_child(struct task *task, struct task *child) {
	child->name = task->name << 4 | (++task->started & 15);
	if (child->held)
		ptrace(PTRACE_SYSCALL, child->pid, 0, 0);
	child->held = false;
}

static int alive(void) {
	int count = 0;

	for (int i = 0; i < task_count; i++)
		count += tasks[i].pid != 0;
	return count;
}

/* brk() fails by saying where the end was, without an error. */
static void on_call(const struct inject *inject, struct task *task, struct ended *ended) {
	struct __ptrace_syscall_info info;
	const struct point *point = inject->point;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, task->pid, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_EXIT && task->fails) {
		set_register(task->pid, true, point->call == SYS_brk ? 0 : -point->error);
		task->fails = false;
	}
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY || info.entry.nr >= CALLS || !begun ||
	    is_of_loader(info.instruction_pointer))
		return;
	unsigned nth = ++task->counts[info.entry.nr];
	if (inject->calls)
		points_add(inject->calls, (struct point){.task = task->name, .call = (int)info.entry.nr, .nth = nth});
	if (!point || ended->reached || point->task != task->name || point->call != (int)info.entry.nr ||
	    point->nth != nth)
		return;
	/* whatever close() says, the descriptor is closed */
	if (point->call != SYS_close)
		set_register(task->pid, false, -1);
	task->fails = ended->reached = true;
}

/* Deals with one stop. Returns the signal that the task goes on with, or -1 when it is not to be continued. */
static int on_stop(const struct inject *inject, struct task *task, int status, struct ended *ended) {
	int event = status >> 16;
	unsigned long child;

	if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
		on_call(inject, task, ended);
		return 0;
	}
	if (event == PTRACE_EVENT_EXEC) {
		if (task == &tasks[0]) {
			begun = true;
			loader = find_loader(task->pid);
			return 0;
		}
		ptrace(PTRACE_DETACH, task->pid, 0, 0);
		task->pid = 0;
		return -1;
	}
	if (event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK) {
		if (ptrace(PTRACE_GETEVENTMSG, task->pid, 0, &child) == 0)
			name_child(task, task_of((pid_t)child));
		return 0;
	}
	return event ? 0 : WSTOPSIG(status);
}

static pid_t start(const struct inject *inject) {
	pid_t pid = fork();

	if (pid == 0) {
		dup2(inject->out, STDOUT_FILENO);
		dup2(inject->err, STDERR_FILENO);
		/* places in it are known by their addresses */
		personality(ADDR_NO_RANDOMIZE);
		raise(SIGSTOP);
		execvpe(inject->argv[0], inject->argv, inject->environment);
		_exit(99);
	}
	waitpid(pid, NULL, WUNTRACED);
	if (pid < 0 || ptrace(PTRACE_SEIZE, pid, 0,
			      PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
				      PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL))
		abort();
	kill(pid, SIGCONT);
	return pid;
}

static void set_alarm(int ms) {
	struct itimerval timer = {.it_value = {ms / 1000, ms % 1000 * 1000}};
	struct sigaction action = {.sa_handler = on_alarm};

	overdue = 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void kill_all(void) {
	for (int i = 0; i < task_count; i++)
		if (tasks[i].pid)
			kill(tasks[i].pid, SIGKILL);
}

/* What is left of it a moment after its end is not going to end. */
enum { LEFT_MS = 20000 };

struct ended inject_run(const struct inject *inject) {
	struct ended ended = {0};
	int status;

	task_count = 0;
	begun = false;
	ended.pid = start(inject);
	task_of(ended.pid)->name = 1;
	set_alarm(TRIAL_MS);
	while (alive()) {
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0 && errno == EINTR && overdue) {
			*(tasks[0].pid ? &ended.hung : &ended.left) = true;
			kill_all();
			set_alarm(LEFT_MS);
			continue;
		}
		if (pid < 0)
			break;
		struct task *task = task_of(pid);
		if (WIFSTOPPED(status) && !task->name) {
			task->held = true;
			continue;
		}
		if (WIFSTOPPED(status)) {
			int signal = on_stop(inject, task, status, &ended);
			if (signal >= 0)
				ptrace(PTRACE_SYSCALL, pid, 0, signal);
			continue;
		}
		task->pid = 0;
		if (pid == ended.pid) {
			ended.status = status;
			set_alarm(LEFT_MS);
		}
	}
	set_alarm(0);
	return ended;
}
