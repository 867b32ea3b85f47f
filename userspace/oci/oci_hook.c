/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A container's state on standard input ──► its cgroup under the policy that its annotation names.
 *
 * createRuntime runs when the container's cgroup and namespaces are there and its process is not its own yet: it is the
 * runtime's, and waits. Any exit status but 0 stops the start.
 */
#include "oci/oci_hook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/command_line.h"
#include "base/file.h"
#include "base/message.h"
#include "cgroup/cgroup_place.h"
#include "control/attach.h"
#include "control/repair.h"
#include "control/source.h"
#include "oci/oci_state.h"

#define POLICIES SNIF_SYSCONFDIR "/snifence"

enum { STATE_LIMIT = 1 << 20 };

static const char usage[] =
	"Usage: snifence oci-hook\n"
	"\n"
	"For container runtimes, as a hook of the stages createRuntime and poststop: attaches a container's\n"
	"cgroup before its first process starts. The container's annotation `snifence.policy` names a\n"
	"policy, NAME for /etc/snifence/NAME.yaml. Without one it is, in Kubernetes, that of the namespace,\n"
	"/etc/snifence/namespace.NAME.yaml, else /etc/snifence/default.yaml; and where there are no such\n"
	"files nothing is attached. Any failure stops the start of the container. Where there is a file\n"
	"/etc/snifence/.synced, something keeps the policies there up to date and touches it: a container\n"
	"whose annotation names a policy does not start when that was over a minute ago.\n"
	"\n"
	"  --help              this text\n"
	"\n"
	"Exit status:\n"
	"  0    it is attached; or no policy is asked for; or, in poststop, what is left of it was removed\n"
	"  2    the command line, the container's state or the policy is wrong\n"
	"  125  snifence could not do its part\n";

/* Whether a path is `above`, or below it. */
static bool is_in(const char *path, const char *above) {
	size_t length = strlen(above);

	return strncmp(path, above, length) == 0 && (path[length] == '\0' || path[length] == '/' || length == 1);
}

/* Opens the container's cgroup. One that is also that of who starts it is not the container's. */
static int find_cgroup(const struct oci_state *state, struct found_cgroup *cgroup) {
	char *path = cgroup_place_whole_path(state->pid), *own = cgroup_place_whole_path(0);
	int error = path && own ? 0 : -errno;

	if (error) {
		message_error("oci-hook: cannot read in which cgroup process %d is: %s", state->pid, strerror(-error));
	} else {
		oci_container_cgroup(path, state->id);
		if (is_in(own, path)) {
			message_error("oci-hook: the container has no cgroup of its own, it is in %s with its runtime: "
				      "cgroups must not be disabled for it",
				      path);
			error = -EINVAL;
		} else {
			error = cgroup_find_path(path, cgroup);
		}
	}
	free(path);
	free(own);
	return error;
}

static int start(const struct oci_state *state) {
	char file[PATH_MAX];
	struct target target = {0};
	struct targets targets = {&target, 1};
	int wanted = oci_policy(POLICIES, state, file), code;

	if (wanted <= 0)
		return wanted < 0 ? EXIT_USAGE : 0;
	if (find_cgroup(state, &target.cgroup))
		return EXIT_FAILED;
	code = attach_targets(&targets, file);
	cgroup_found_close(&target.cgroup);
	return code;
}

/* Its cgroup is gone, and the attachment with it; what is noted of it goes too. */
static int clean_up(void) {
	struct instances instances;
	int error = instances_take(&instances, false);

	if (error)
		return error == -ENOENT ? 0 : EXIT_FAILED;
	error = repair(&instances);
	instances_release(&instances);
	return error ? EXIT_FAILED : 0;
}

static int do_hook(void) {
	struct oci_state state;
	const char *message;
	size_t length;
	char *text;
	int code = source_need_root("oci-hook"), error;

	if (code)
		return code;
	text = file_read_stream(stdin, STATE_LIMIT, &length, &message);
	if (!text) {
		message_error("oci-hook: standard input cannot be read: %s", message);
		return EXIT_FAILED;
	}
	error = oci_state_read(text, length, &state);
	free(text);
	if (error == -ENOMEM)
		message_error("out of memory");
	if (error)
		return error == -ENOMEM ? EXIT_FAILED : EXIT_USAGE;
	code = state.stage == OCI_STOPPED ? clean_up() : start(&state);
	oci_state_free(&state);
	return code;
}

int oci_hook_main(int argc, char **argv) {
	int result = command_line_read_flag("oci-hook", usage, NULL, argc, argv, NULL);

	if (result)
		return result < 0 ? EXIT_USAGE : 0;
	return do_hook();
}
