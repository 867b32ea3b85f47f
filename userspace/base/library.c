/* SPDX-License-Identifier: BSD-2-Clause */
/* The name of a shared library ──► its functions. */
#include "base/library.h"

#include <dlfcn.h>
#include <errno.h>

#include "base/message.h"

static void *open_one_of(const char *const *files) {
	void *handle = NULL;

	for (; *files && !handle; files++)
		handle = dlopen(*files, RTLD_LAZY | RTLD_LOCAL);
	return handle;
}

static int open_now(struct library *library) {
	void *handle = open_one_of(library->files);

	if (!handle) {
		message_error("%s is needed %s, and cannot be opened: %s; install it", library->files[0],
			      library->purpose, dlerror());
		return -ELIBACC;
	}
	for (size_t i = 0; library->names[i]; i++) {
		library->functions[i] = dlsym(handle, library->names[i]);
		if (library->functions[i])
			continue;
		message_error("%s has no %s, which is needed %s: another version has to be installed",
			      library->files[0], library->names[i], library->purpose);
		return -ELIBACC;
	}
	return 0;
}

int library_open(struct library *library) {
	if (!library->tried)
		library->opened = open_now(library) == 0;
	library->tried = true;
	return library->opened ? 0 : -ELIBACC;
}
