/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel does not keep of a resident instance: which file a policy came from, what its rules' numbers mean, and
 * where attached cgroups are. Files in /run/snifence/INSTANCE, each there whole or not at all; the kernel's own state
 * decides, and what has no counterpart there is forgotten. For who holds the instances, and for readers at any time.
 */
#ifndef SNIF_LEDGER_H
#define SNIF_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sha256.h"
#include "filter/instance.h"

struct ledger_policy {
	uint32_t number, generation;
	char *file, *name; /* the file's whole path; the policy's name */
	char **beside;	   /* whole paths of the files of names and sets that it names */
	size_t beside_count;
	char sha256[SHA256_HEX];
	char tables[SHA256_HEX]; /* the digest of its tables: snif_settings.sha256 */
	enum snif_mode mode;
	bool audit;    /* the mode was asked for beside the file */
	int64_t since; /* seconds since 1970 */
};

struct ledger_attachment {
	uint64_t cgroup_id;
	uint32_t policy;
	char *path, *unit;	    /* below the hierarchy's root; unit: NULL where none was named */
	uint64_t trial;		    /* differs from one trial to another; 0: it is none, or was confirmed */
	int64_t since, trial_until; /* seconds since 1970 */
};

/*
 * Each returns 0 or a negative errno. `instance` is the name of one (instance_name). What is read is freed with the
 * functions below.
 */

/* Notes what is in force for a number now, and what its rules mean under this generation. */
int ledger_note_policy(const char *instance, const struct ledger_policy *entry, const struct policy *policy);
/* What is noted holds under another generation, if it is of the tables with this digest: not where a reload was ended
 * before it noted what it had put in force. Nothing noted is no error. */
int ledger_renew_policy(const char *instance, uint32_t number, uint32_t generation, const char *tables);
/* -ENOENT, without a word: nothing is noted of it. Of another error it says why, and of a damaged file what to do. */
int ledger_read_policy(const char *instance, uint32_t number, struct ledger_policy *entry);
void ledger_forget_policy(const char *instance, uint32_t number);
/* The number of the policy in force that was read from this file; 0: there is none; or a negative errno, after saying
 * why. */
int ledger_find_policy(const char *instance, const struct filter *filter, const char *file);

int ledger_note_attachment(const char *instance, const struct ledger_attachment *entry);
/* The same of an attachment. */
int ledger_read_attachment(const char *instance, uint64_t cgroup_id, struct ledger_attachment *entry);
void ledger_forget_attachment(const char *instance, uint64_t cgroup_id);
/* Calls `each` for every attachment that is noted, in no order: of those cgroups for which `wanted` returns true; NULL: of
 * all. */
int ledger_attachments(const char *instance, bool (*wanted)(void *context, uint64_t cgroup_id),
		       void (*each)(void *context, const struct ledger_attachment *entry), void *context);

/*
 * A policy with nothing but its name, mode and rules, as they were under a generation: what an event's rule number
 * means; and its SHA-256. To be freed with policy_free(). NULL: nothing is noted of it.
 */
struct policy *ledger_rules(const char *instance, uint32_t number, uint32_t generation, char sha256[SHA256_HEX]);

void ledger_policy_free(struct ledger_policy *entry);
void ledger_attachment_free(struct ledger_attachment *entry);

/* Removes all that is noted of an instance. */
void ledger_remove(const char *instance);

#endif
