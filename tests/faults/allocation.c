/* SPDX-License-Identifier: BSD-2-Clause */
/* The n-th malloc(), calloc() or realloc() of a program that this library is preloaded into ──► NULL. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* glibc's own, which also strdup(), fopen() and the like come to by way of these. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

/* Shared with the test, and with the processes that the program forks. */
static unsigned *count;
static unsigned failing;

/* Not for the command: what it is told of here is taken out of its environment. */
__attribute__((constructor)) static void prepare(void) {
	const char *file = getenv("FAULTS_COUNT"), *nth = getenv("FAULTS_ALLOCATION");
	int fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
	void *shared = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	failing = nth ? (unsigned)atoi(nth) : 0;
	if (fd >= 0)
		close(fd);
	unsetenv("FAULTS_COUNT");
	unsetenv("FAULTS_ALLOCATION");
	unsetenv("LD_PRELOAD");
	if (shared != MAP_FAILED)
		count = shared;
}

static int fails(void) {
	if (!count || __atomic_add_fetch(count, 1, __ATOMIC_RELAXED) != failing)
		return 0;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size) {
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
	return fails() ? NULL : __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
	return fails() ? NULL : __libc_realloc(memory, size);
}
