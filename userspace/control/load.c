/* SPDX-License-Identifier: BSD-2-Clause */
/* Resident instances ──► loaded, unloaded. */
#include "control/load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/command_line.h"
#include "base/message.h"
#include "cgroup/cgroup_find.h"
#include "cgroup/cgroup_place.h"
#include "control/repair.h"
#include "control/source.h"
#include "control/take_over.h"
#include "filter/ledger.h"

static const char usage[] =
	"Usage: snifence load [--take-over]\n"
	"\n"
	"Loads the filter into the kernel, where it stays until `snifence unload` or a reboot, so that\n"
	"`attach` and `run` find it there. They load it by themselves where this was not done.\n"
	"\n"
	"  --take-over         attach what another build of snifence has attached, each under its file as it is\n"
	"                      now, then remove that filter: for an upgrade. Nothing is free meanwhile, and\n"
	"                      what is open and was allowed goes on, until it ends or a `deny` covers it\n"
	"  --help              this text\n"
	"\n"
	"Exit status: 0; 2: the command line is wrong; 125: snifence could not do its part\n";

static const char unload_usage[] =
	"Usage: snifence unload\n"
	"\n"
	"Detaches all that is attached, and removes the filter from the kernel, with all that belongs to it.\n"
	"\n"
	"  --help              this text\n"
	"\n"
	"Exit status: 0; 2: the command line is wrong; 125: snifence could not do its part\n";

/* Reads a command line of a flag at most. Returns -1 when there is no more to do than to return `code`. */
static int read_flag(const char *subcommand, const char *text, const char *flag, int argc, char **argv, bool *given,
		     int *code) {
	int result = command_line_read_flag(subcommand, text, flag, argc, argv, given);

	*code = result < 0 ? EXIT_USAGE : result ? 0 : source_need_root(subcommand);
	return result || *code ? -1 : 0;
}

int load_main(int argc, char **argv) {
	struct instances instances;
	bool other = false;
	int code, error;

	if (read_flag("load", usage, "take-over", argc, argv, &other, &code))
		return code;
	error = instances_take(&instances, true);
	if (!error)
		error = repair(&instances);
	if (!error && !instance_open(&instances, 0))
		error = errno == ENOENT && instance_load(&instances, 0) ? 0 : -EIO;
	if (!error && other)
		error = take_over(&instances);
	instances_release(&instances);
	return error ? EXIT_FAILED : 0;
}

/* Returns 0, also where the cgroup is gone, or a negative errno, after saying why. */
static int detach_id(struct filter *filter, int root_fd, uint64_t id) {
	struct snif_attachment attachment;
	struct found_cgroup cgroup;
	int error;

	if (filter_attachment(filter, id, &attachment) == -ENOENT)
		return 0;
	error = cgroup_find_id(root_fd, id, &cgroup);
	if (error == -ESTALE)
		return 0;
	if (error) {
		message_error("cannot open the attached cgroup %" PRIu64 ": %s", id, strerror(-error));
		return error;
	}
	error = filter_detach(filter, cgroup.fd, id);
	cgroup_found_close(&cgroup);
	return error;
}

static int detach_all(struct filter *filter, int root_fd) {
	uint64_t *ids;
	size_t count;
	int error = filter_attached(filter, &ids, &count), failed;

	if (error)
		message_error("cannot see what is attached: %s", strerror(-error));
	for (size_t i = 0; i < count; i++) {
		failed = detach_id(filter, root_fd, ids[i]);
		error = error ? error : failed;
	}
	free(ids);
	return error;
}

static int unload_one(struct instances *instances, unsigned number, int root_fd) {
	struct filter *filter = instance_open(instances, number);
	char name[INSTANCE_NAME];
	int error;

	if (!filter)
		return errno == ENOENT ? 0 : -errno;
	error = detach_all(filter, root_fd);
	if (!error)
		error = instance_unload(instances, number);
	if (!error)
		ledger_remove(instance_name(number, name));
	return error;
}

static void tell_other(void *context, const char *name) {
	(void)context;
	message_error("%s/bpf/%s is of another snifence: `snifence load --take-over` takes over what it has attached",
		      INSTANCE_ROOT, name);
}

int unload_main(int argc, char **argv) {
	struct instances instances;
	int code, error, root_fd;

	if (read_flag("unload", unload_usage, NULL, argc, argv, NULL, &code))
		return code;
	error = instances_take(&instances, false);
	if (error)
		return error == -ENOENT ? 0 : EXIT_FAILED;
	root_fd = cgroup_place_root();
	error = root_fd < 0 ? root_fd : 0;
	for (unsigned i = 0; i < INSTANCES && !error; i++)
		error = unload_one(&instances, i, root_fd);
	if (root_fd >= 0)
		close(root_fd);
	if (!error)
		error = instances_others(&instances, tell_other, NULL);
	if (error)
		instances_release(&instances);
	else
		instances_remove(&instances);
	return error ? EXIT_FAILED : 0;
}
