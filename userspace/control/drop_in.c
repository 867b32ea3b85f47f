/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A policy and a service ──► a drop-in of systemd.
 *
 * Each start of a service has a new cgroup, to which nothing is attached. ExecCondition= comes before all else that the
 * unit runs, in that cgroup, and `+` lets it load programs whatever the unit forbids its own processes. Where it exits
 * with 255 the start has failed; with less the unit would be passed over as one that is not wanted.
 *
 * What is pinned and noted is root's, whom a service can be, and is hidden from it, but not from what has `+`. It is
 * there once the service is attached; `-` lets the unit's last commands run where all was unloaded meanwhile.
 */
#include "control/drop_in.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "base/library.h"
#include "base/message.h"
#include "cgroup/cgroup_find.h"
#include "filter/instance.h"

#define FUNCTIONS(X)                                                                                                   \
	X(sd_bus_default_system)                                                                                       \
	X(sd_bus_get_property)                                                                                         \
	X(sd_bus_message_enter_container)                                                                              \
	X(sd_bus_message_exit_container)                                                                               \
	X(sd_bus_message_read)                                                                                         \
	X(sd_bus_message_read_strv)                                                                                    \
	X(sd_bus_message_skip)                                                                                         \
	X(sd_bus_message_unref)                                                                                        \
	X(sd_bus_path_encode)                                                                                          \
	X(sd_bus_unref)

LIBRARY(systemd, "to ask systemd for a unit", FUNCTIONS, "libsystemd.so.0");

#define SYSTEMD "org.freedesktop.systemd1"
#define COMMANDS "(sasbttttuii)" /* of properties like ExecCondition: the program, its arguments, how it went */

int drop_in_service(const char *name, char service[UNIT_NAME]) {
	const char *type = strrchr(name, '.');
	int length = snprintf(service, UNIT_NAME, "%s%s", name, type ? "" : ".service");

	if (type && strcmp(type, ".service") != 0)
		message_error("%s is no service: a slice or scope stays as long as something is in it, and "
			      "`snifence attach --unit` is enough",
			      name);
	else if (!*name || strchr(name, '/') || length >= UNIT_NAME)
		message_error("%s is no name of a service", name);
	else
		return 0;
	return -EINVAL;
}

/* Whether a word in a unit's single quotes means itself, for systemd and for the shell. */
static bool is_plain(const char *word) {
	for (; *word; word++)
		if ((unsigned char)*word <= ' ' || *word == 0x7f || strchr("'\"\\$%`;&|<>()*?[]#~!{}", *word))
			return false;
	return true;
}

/* Its whole path; where there is no /proc, as in a root file system that is being made, what the shell looks for. */
static void own_program(char path[PATH_MAX]) {
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (length < 0)
		snprintf(path, PATH_MAX, "snifence");
	else
		path[length] = 0;
}

int drop_in_print(FILE *out, const char *service, const char *policy) {
	char program[PATH_MAX];

	own_program(program);
	if (!is_plain(program) || !is_plain(policy)) {
		message_error("%s has a letter that means something else in a unit, like a space: give it another name",
			      is_plain(policy) ? program : policy);
		return -EINVAL;
	}
	fprintf(out,
		"# Each start of %s is confined before its first process runs, or fails; see snifence-unit(1).\n"
		"[Unit]\n"
		"Wants=snifence-load.service\n"
		"After=snifence-load.service\n"
		"\n"
		"[Service]\n"
		"ExecCondition=+/bin/sh -c '%s attach %s --unit %%n || exit 255'\n"
		"InaccessiblePaths=-" INSTANCE_ROOT "\n",
		service, program, policy);
	return 0;
}

void drop_in_path(const char *service, char path[PATH_MAX]) {
	snprintf(path, PATH_MAX, "/etc/systemd/system/%s.d/snifence.conf", service);
}

static bool is_attach(const char *program, char **arguments) {
	bool found = false, snifence = strstr(program, "snifence") != NULL;

	for (char **word = arguments; word && *word; word++)
		found |= strstr(*word, "snifence attach ") || (snifence && strcmp(*word, "attach") == 0);
	return found;
}

/* Whether one of the commands in a property is `snifence attach`. */
static bool property_attaches(sd_bus *bus, const char *object, const char *property) {
	sd_bus_message *reply = NULL;
	bool found = false;

	if (systemd.sd_bus_get_property(bus, SYSTEMD, object, SYSTEMD ".Service", property, NULL, &reply,
					"a" COMMANDS) < 0)
		return false;
	if (systemd.sd_bus_message_enter_container(reply, 'a', COMMANDS) > 0)
		while (!found && systemd.sd_bus_message_enter_container(reply, 'r', "sasbttttuii") > 0) {
			const char *program = "";
			char **arguments = NULL;

			if (systemd.sd_bus_message_read(reply, "s", &program) < 0 ||
			    systemd.sd_bus_message_read_strv(reply, &arguments) < 0 ||
			    systemd.sd_bus_message_skip(reply, "bttttuii") < 0 ||
			    systemd.sd_bus_message_exit_container(reply) < 0)
				break;
			found = is_attach(program, arguments);
			for (char **word = arguments; word && *word; word++)
				free(*word);
			free(arguments);
		}
	systemd.sd_bus_message_unref(reply);
	return found;
}

/* Whether systemd's own idea of the service has it. */
static bool is_confined_at_start(const char *service) {
	static const char *const properties[] = {"ExecCondition", "ExecStartPre"};
	sd_bus *bus = NULL;
	char *object = NULL;
	bool found = false;

	if (library_open(&systemd_library))
		return false;
	if (systemd.sd_bus_default_system(&bus) >= 0 &&
	    systemd.sd_bus_path_encode("/org/freedesktop/systemd1/unit", service, &object) >= 0)
		for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]) && !found; i++)
			found = property_attaches(bus, object, properties[i]);
	free(object);
	systemd.sd_bus_unref(bus);
	return found;
}

void drop_in_advise(const char *service, const char *policy) {
	char whole[UNIT_NAME], *own, path[PATH_MAX];
	const char *type = strrchr(service, '.');

	if ((type && strcmp(type, ".service") != 0) || drop_in_service(service, whole))
		return;
	own = cgroup_of_own_unit(whole);
	if (!own && !is_confined_at_start(whole)) {
		drop_in_path(whole, path);
		message_error("%s is confined until it is started anew, which makes a new cgroup, and is then free. "
			      "`snifence unit %s %s` has each start confined, by this in %s:",
			      whole, policy, whole, path);
		drop_in_print(stderr, whole, policy);
	}
	free(own);
}
