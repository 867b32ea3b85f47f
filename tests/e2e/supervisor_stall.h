/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets whose lock a program holds for ever: it sends from a page that never comes. */
#ifndef SNIF_SUPERVISOR_STALL_H
#define SNIF_SUPERVISOR_STALL_H

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../support/lab.h"

enum { STALL_SIZE = 1 << 16, CANNOT = 77 /* this machine lacks what it takes */ };

/* As many bytes that can be read, no TLS, with room for as many behind them. */
static char *stall_begin(void) {
	char *bytes = mmap(NULL, 2 * STALL_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (bytes != MAP_FAILED)
		memset(bytes, '-', STALL_SIZE);
	return bytes;
}

/*
 * Sends them and what is behind them, which never comes. All in one call, which keeps the socket's lock from the first
 * packet on, the refused one: between two calls the connection could end.
 */
static int stall_with(const char *bytes) {
	const int room = 4 * STALL_SIZE;
	int fd = lab_dial("192.0.2.1", 443);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)))
		return 1;
	lab_say("stalling");
	/* the timeout of the lab's sockets does not matter: the lock is held in the copy of the page */
	send(fd, bytes, STALL_SIZE + 4096, 0);
	return 2;
}

/* As root: a page whose faults nobody answers. */
static int stall_by_userfault(const char *path) {
	char *bytes = stall_begin();
	struct uffdio_register range = {
		{(unsigned long)bytes + STALL_SIZE, STALL_SIZE}, UFFDIO_REGISTER_MODE_MISSING, 0};
	struct uffdio_api api = {.api = UFFD_API};
	int device = open(path, O_RDWR | O_CLOEXEC);
	int faults = device < 0 ? -1 : ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC);

	if (faults < 0 || ioctl(faults, UFFDIO_API, &api) || ioctl(faults, UFFDIO_REGISTER, &range))
		return CANNOT;
	return stall_with(bytes);
}

static void fuse_answer(int fd, const struct fuse_in_header *to, int error, const void *body, size_t size) {
	char answer[512];
	struct fuse_out_header header = {(__u32)(sizeof(header) + size), error, to->unique};

	memcpy(answer, &header, sizeof(header));
	if (size > 0)
		memcpy(answer + sizeof(header), body, size);
	if (write(fd, answer, header.len) < 0)
		perror("fuse");
}

static void fuse_look_up(int fd, const struct fuse_in_header *request) {
	struct fuse_entry_out entry = {.nodeid = 2, .entry_valid = 99, .attr_valid = 99};

	entry.attr = (struct fuse_attr){.ino = 2, .mode = S_IFREG | 0644, .nlink = 1, .size = STALL_SIZE};
	fuse_answer(fd, request, 0, &entry, sizeof(entry));
}

static void fuse_get_attributes(int fd, const struct fuse_in_header *request) {
	struct fuse_attr_out attributes = {.attr_valid = 99};

	attributes.attr = (struct fuse_attr){.ino = request->nodeid,
					     .mode = request->nodeid == 1 ? S_IFDIR | 0755 : S_IFREG | 0644,
					     .nlink = 1,
					     .size = STALL_SIZE};
	fuse_answer(fd, request, 0, &attributes, sizeof(attributes));
}

/* A file system with one file that can be opened, and is never read. */
static void fuse_serve(int fd) {
	static char buffer[1 << 20];
	const struct fuse_in_header *request = (const void *)buffer;
	struct fuse_init_out init = {.major = 7, .minor = 31, .max_write = 4096};
	struct fuse_open_out file = {.fh = 1};

	while (read(fd, buffer, sizeof(buffer)) > 0) {
		if (request->opcode == FUSE_INIT)
			fuse_answer(fd, request, 0, &init, sizeof(init));
		else if (request->opcode == FUSE_LOOKUP)
			fuse_look_up(fd, request);
		else if (request->opcode == FUSE_GETATTR)
			fuse_get_attributes(fd, request);
		else if (request->opcode == FUSE_OPEN)
			fuse_answer(fd, request, 0, &file, sizeof(file));
		else if (request->opcode != FUSE_READ && request->opcode != FUSE_FORGET &&
			 request->opcode != FUSE_INTERRUPT)
			fuse_answer(fd, request, -ENOSYS, NULL, 0);
	}
}

static int put_text(const char *path, const char *text) {
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int failed = fd < 0 || write(fd, text, strlen(text)) < 0;

	if (fd >= 0)
		close(fd);
	return failed;
}

/*
 * As any user: a page of a file in a file system of his own. Nothing kills this process any more, as the file system's
 * other end is open in it, but an abort of the connection whose number it prints.
 */
static int stall_by_fuse(const char *path) {
	char text[96];
	unsigned uid = getuid(), gid = getgid();
	struct stat status;
	int fd, file;
	char *bytes = stall_begin();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) || put_text("/proc/self/setgroups", "deny"))
		return CANNOT;
	snprintf(text, sizeof(text), "0 %u 1", uid);
	if (put_text("/proc/self/uid_map", text))
		return CANNOT;
	snprintf(text, sizeof(text), "0 %u 1", gid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (put_text("/proc/self/gid_map", text) || fd < 0)
		return CANNOT;
	snprintf(text, sizeof(text), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("lab", "/mnt", "fuse", MS_NOSUID | MS_NODEV, text))
		return CANNOT;
	if (fork() == 0) {
		fuse_serve(fd);
		_exit(0);
	}
	file = open("/mnt/file", O_RDONLY | O_CLOEXEC);
	if (stat("/mnt", &status))
		return CANNOT;
	printf("connection %u\n", minor(status.st_dev));
	if (file < 0 || mmap(bytes + STALL_SIZE, STALL_SIZE, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0) == MAP_FAILED)
		return CANNOT;
	return stall_with(bytes);
}

#endif
