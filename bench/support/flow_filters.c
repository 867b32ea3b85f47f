/* SPDX-License-Identifier: BSD-2-Clause */
/* snifence, or one of the floors below it ──► in force for the client. */
#include "flow_filters.h"

#include "sides.h"
#include "under.h"

const char *const *filter_return(void) {
	floor_attach(sides_cell(NEAR), FLOOR_RETURN, BPF_CGROUP_INET_EGRESS);
	return NULL;
}

const char *const *filter_storage(void) {
	floor_attach(sides_cell(NEAR), FLOOR_STORAGE, BPF_CGROUP_INET_EGRESS);
	return NULL;
}

const char *const *filter_audit(void) {
	return under_snifence(NULL, under_policy("audit", 0));
}

const char *const *filter_enforce(void) {
	return under_snifence(NULL, under_policy("enforce", 0));
}

const char *const *filter_many_names(void) {
	return under_snifence(NULL, under_policy("enforce", 100000));
}
