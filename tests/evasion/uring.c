/* SPDX-License-Identifier: BSD-2-Clause */
/* One operation ──► a ring of io_uring for it alone ──► its result. */
#include "uring.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct ring {
	int fd;
	struct io_uring_params parameters;
	uint8_t *queues; /* both, with IORING_FEAT_SINGLE_MMAP */
	struct io_uring_sqe *entries;
};

static size_t queues_size(const struct io_uring_params *parameters) {
	size_t submissions = parameters->sq_off.array + parameters->sq_entries * sizeof(uint32_t);
	size_t completions = parameters->cq_off.cqes + parameters->cq_entries * sizeof(struct io_uring_cqe);

	return submissions > completions ? submissions : completions;
}

static int ring_open(struct ring *ring) {
	const int protection = PROT_READ | PROT_WRITE;

	ring->fd = (int)syscall(SYS_io_uring_setup, 4, &ring->parameters);
	if (ring->fd < 0)
		return -errno;
	ring->queues = mmap(NULL, queues_size(&ring->parameters), protection, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	ring->entries = mmap(NULL, ring->parameters.sq_entries * sizeof(struct io_uring_sqe), protection, MAP_SHARED,
			     ring->fd, IORING_OFF_SQES);
	return ring->queues == MAP_FAILED || ring->entries == MAP_FAILED ? -ENOMEM : 0;
}

static void ring_close(struct ring *ring) {
	munmap(ring->queues, queues_size(&ring->parameters));
	munmap(ring->entries, ring->parameters.sq_entries * sizeof(struct io_uring_sqe));
	close(ring->fd);
}

int uring_do(unsigned char operation, int fd, const void *address, unsigned length, unsigned long long offset) {
	struct ring ring = {0};
	const struct io_uring_cqe *done;
	int error = ring_open(&ring), result;

	if (error)
		return error;
	ring.entries[0] = (struct io_uring_sqe){
		.opcode = operation, .fd = fd, .addr = (uintptr_t)address, .len = length, .off = offset};
	((uint32_t *)(ring.queues + ring.parameters.sq_off.array))[0] = 0;
	__atomic_store_n((uint32_t *)(ring.queues + ring.parameters.sq_off.tail), 1, __ATOMIC_RELEASE);
	do
		error = (int)syscall(SYS_io_uring_enter, ring.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	while (error < 0 && errno == EINTR);
	done = (const struct io_uring_cqe *)(ring.queues + ring.parameters.cq_off.cqes);
	result = error < 0 ? -errno : done->res;
	ring_close(&ring);
	return result;
}
