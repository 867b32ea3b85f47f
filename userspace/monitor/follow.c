/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of policies that are in force, those that they name, and resolv.conf ──► reloaded when they change. */
#include "monitor/follow.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/message.h"
#include "control/inventory.h"
#include "control/reload.h"

/* How long a change may take until it is whole: an editor writes, renames and writes again. */
enum { SETTLE_MS = 200, LATEST_MS = 1000 /* where something in the folders changes all the time */ };

struct follow {
	int inotify;
	bool changed;
	long began_at, changed_at;
};

static void watch_folder_of(const struct follow *follow, char *path) {
	/* where it is watched already, this changes nothing */
	inotify_add_watch(follow->inotify, dirname(path),
			  IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_ONLYDIR);
}

/* A file is replaced in its folder, by a rename, or by that of a link in it (a ConfigMap); or it is written: where a link
 * leads to, as that of resolv.conf does. */
static void watch(const struct follow *follow, const char *file) {
	char path[PATH_MAX], target[PATH_MAX];

	snprintf(path, sizeof(path), "%s", file);
	watch_folder_of(follow, path);
	if (realpath(file, target))
		watch_folder_of(follow, target);
}

static void watch_files_of(const struct follow *follow, const struct ledger_policy *entry) {
	watch(follow, entry->file);
	for (size_t i = 0; i < entry->beside_count; i++)
		watch(follow, entry->beside[i]);
}

struct follow *follow_new(void) {
	struct follow *follow = calloc(1, sizeof(*follow));

	if (!follow)
		return NULL;
	follow->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (follow->inotify < 0) {
		free(follow);
		return NULL;
	}
	watch(follow, "/etc/resolv.conf");
	/* what has changed before, while nobody followed it */
	follow->changed = true;
	follow->began_at = follow->changed_at = clock_ms();
	return follow;
}

static void drain(struct follow *follow) {
	char events[4096];

	while (read(follow->inotify, events, sizeof(events)) > 0) {
		follow->changed_at = clock_ms();
		if (!follow->changed)
			follow->began_at = follow->changed_at;
		follow->changed = true;
	}
}

/* Reloads a policy if its file makes other tables now. A file with an error was told of by its loader. */
static void reload_changed(struct instances *instances, const struct ledger_policy *entry) {
	char tables[SHA256_HEX];
	struct source source;

	if (source_load(&source, entry->file, NULL, entry->audit))
		return;
	sha256_hex(source.compiled.settings.sha256, tables);
	if (strcmp(tables, entry->tables) != 0 && reload_everywhere(instances, &source) > 0)
		message_event("reloaded %s", entry->file);
	source_free(&source);
}

/* Returns 0 or a negative errno. */
static int look_at_all(struct follow *follow, bool reload) {
	struct inventory inventory;
	struct instances instances;
	int error = reload ? instances_take_within(&instances, 0) : instances_peek(&instances);

	if (error)
		return error;
	if (inventory_read(&instances, &inventory) == 0) {
		for (size_t i = 0; i < inventory.policy_count; i++) {
			if (!inventory.policies[i].noted)
				continue;
			watch_files_of(follow, &inventory.policies[i].entry);
			if (reload)
				reload_changed(&instances, &inventory.policies[i].entry);
		}
		inventory_free(&inventory);
	}
	instances_release(&instances);
	return 0;
}

void follow_turn(struct follow *follow) {
	bool settled;
	int error;

	drain(follow);
	settled = follow_wait(follow) == 0;
	error = look_at_all(follow, settled);
	if (!settled)
		return;
	/* somebody else changes what is attached, for a moment or for ever: events go on meanwhile */
	follow->changed = error == -EBUSY;
	follow->began_at = follow->changed_at = clock_ms();
}

int follow_fd(const struct follow *follow) {
	return follow->inotify;
}

int follow_wait(const struct follow *follow) {
	long settled = follow->changed_at + SETTLE_MS, latest = follow->began_at + LATEST_MS,
	     left = (settled < latest ? settled : latest) - clock_ms();

	if (!follow->changed)
		return -1;
	return left > 0 ? (int)left : 0;
}

void follow_free(struct follow *follow) {
	if (!follow)
		return;
	close(follow->inotify);
	free(follow);
}
