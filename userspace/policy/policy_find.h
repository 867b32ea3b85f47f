/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy's name ──► its file. */
#ifndef SNIF_POLICY_FIND_H
#define SNIF_POLICY_FIND_H

#include "policy/diagnostic.h"

/*
 * What is a file's name, has a slash or ends in .yaml or .yml, and `-`, stands for itself. Anything else is looked for
 * as NAME.yaml: here, in ~/.config/snifence of who called sudo, in /etc/snifence, and among the policies that were
 * installed with this program. Returns a path to be freed; or NULL, with an error in `diagnostics`.
 */
char *policy_find(const char *name, struct diagnostics *diagnostics);

#endif
