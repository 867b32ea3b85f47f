/* SPDX-License-Identifier: BSD-2-Clause */
/* What another build of snifence has attached ──► attached by this one. */
#ifndef SNIF_TAKE_OVER_H
#define SNIF_TAKE_OVER_H

#include "filter/instance.h"

/*
 * Attaches each cgroup that an instance of another build has under a file, under that file as it is now, and only then
 * takes it out of the other instance: at no time is it free. What that one has allowed and is open goes on, until it ends
 * or a `deny` covers it. Instances in which nothing is left are removed; commands of `run` stay where they are. Says what
 * it has done. What was begun and not ended is gone on with. Returns 0 or a negative errno, after saying why.
 */
int take_over(struct instances *instances);

#endif
