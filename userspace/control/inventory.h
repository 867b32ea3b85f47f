/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel holds and the ledger says ──► one list of policies and attachments, for status, monitor and verify. */
#ifndef SNIF_INVENTORY_H
#define SNIF_INVENTORY_H

#include "filter/instance.h"
#include "filter/ledger.h"

struct inventory_policy {
	unsigned instance;
	uint32_t number;
	struct snif_active active;
	struct snif_settings settings;
	struct snif_counters counters;
	bool noted;	/* entry is there */
	bool note_lost; /* it was there; of a policy of `run` nothing is noted, which is no loss */
	struct ledger_policy entry;
	unsigned attachments;
};

enum inventory_state {
	INVENTORY_LIVE,
	INVENTORY_GONE,	    /* the cgroup that was attached is gone, and another one has its path, which is not */
	INVENTORY_NOT_WHOLE /* programs are missing, or a command was ended in the middle */
};

struct inventory_attachment {
	unsigned instance;
	uint64_t cgroup_id;
	struct snif_attachment attachment;
	enum inventory_state state;
	bool note_lost;	     /* as of a policy */
	int programs;	     /* filter_attached_programs(), where the cgroup is there */
	char *path;	     /* as it is now; where it is gone, as it was */
	char *unit;	     /* NULL: none was named */
	int64_t since;	     /* seconds since 1970; 0: not known */
	int64_t trial_until; /* the same; 0: it is attached for good */
};

struct inventory {
	struct inventory_policy *policies;
	size_t policy_count;
	struct inventory_attachment *attachments;
	size_t attachment_count;
};

/* Reads it all, changing nothing. Returns 0 or a negative errno, after saying why. */
int inventory_read(struct instances *instances, struct inventory *inventory);

/* Whether that is attached under this policy, now. */
bool inventory_is_under(const struct inventory_attachment *attachment, const struct inventory_policy *policy);

void inventory_free(struct inventory *inventory);

#endif
