/* SPDX-License-Identifier: BSD-2-Clause */
/* snifence and the floors below it, put in place for bench/flow.c: each is a `begin` of struct way there. */
#ifndef SNIF_FLOW_FILTERS_H
#define SNIF_FLOW_FILTERS_H

/* The two programs of bench/floor.bpf.c, attached to NEAR's cgroup. */
const char *const *filter_return(void);
const char *const *filter_storage(void);

/*
 * `build/snifence run` with one name on the list, in audit mode and enforcing; and with 100,000, half of them
 * wildcards.
 */
const char *const *filter_audit(void);
const char *const *filter_enforce(void);
const char *const *filter_many_names(void);

#endif
