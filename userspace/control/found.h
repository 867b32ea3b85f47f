/* SPDX-License-Identifier: BSD-2-Clause */
/* What a policy remembers of names at addresses ──► text, or JSON, for `status`. */
#ifndef SNIF_FOUND_H
#define SNIF_FOUND_H

#include <json-c/json_types.h>

#include "control/inventory.h"

/* Prints what counts now, the first FOUND_SHOWN and how many more there are; nothing where there is none. Returns 0 or a
 * negative errno, after saying why. */
enum { FOUND_SHOWN = 100 };
int found_print(struct instances *instances, const struct inventory_policy *policy);

/* Adds the same to an object: `bound`, how many there are, and `bindings`, the first of them. */
int found_put_json(struct json_object *object, struct instances *instances, const struct inventory_policy *policy);

#endif
