/* SPDX-License-Identifier: BSD-2-Clause */
/* A cgroup beside the lab's ──► sockets that are there before the filter is. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "evasion.h"

void second_open(struct second *second) {
	int parent = lab_cgroup()->parent_fd;
	struct stat status;

	*second = (struct second){.cgroup = {.fd = -1, .parent_fd = parent}};
	snprintf(second->name, sizeof(second->name), "snifence-second-%d", getpid());
	assert_int_equal(mkdirat(parent, second->name, 0755), 0);
	second->cgroup.fd = openat(parent, second->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(second->cgroup.fd >= 0);
	assert_int_equal(fstat(second->cgroup.fd, &status), 0);
	second->cgroup.id = status.st_ino;
	evasion_outside();
	assert_int_equal(cgroup_adopt(&second->cgroup, getpid()), 0);
}

void second_attach(struct second *second, bool own) {
	struct filter *filter = lab_filter();

	if (own) {
		filter = second->filter = filter_load(true);
		assert_non_null(filter);
		assert_int_equal(filter_set_policy(filter, 1, lab_compiled()), 0);
	}
	assert_int_equal(filter_attach(filter, second->cgroup.fd, second->cgroup.id, 1, 0), 0);
}

void second_close(struct second *second) {
	evasion_inside();
	unlinkat(second->cgroup.parent_fd, second->name, AT_REMOVEDIR);
	close(second->cgroup.fd);
	filter_free(second->filter);
}
