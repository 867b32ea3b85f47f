/* SPDX-License-Identifier: BSD-2-Clause */
/* Names whose letters look like those of another name. */
#ifndef SNIF_LOOK_ALIKE_H
#define SNIF_LOOK_ALIKE_H

#include "name.h"

#define LOOK_ALIKE_SHOWN 1024 /* room for a name with its letters shown */

/*
 * Whether a label of the name, given by its A-labels, has letters of the Latin and of another alphabet that shares
 * shapes with it, or only such letters of that one as could be Latin. `shown` then gets the name with those letters as
 * numbers, like <U+0430>pple.example, and the result is that alphabet; else it is NULL.
 */
const char *look_alike(const char *name, char shown[LOOK_ALIKE_SHOWN]);

#endif
