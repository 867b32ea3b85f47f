/* SPDX-License-Identifier: BSD-2-Clause */
/* A rule, for who looks for it in the policy. */
#ifndef SNIF_RULE_PRINT_H
#define SNIF_RULE_PRINT_H

#include <json-c/json_types.h>
#include <limits.h>
#include <stdio.h>

#include "policy/policy.h"

#define RULE_PLACE (PATH_MAX + 16) /* a longer path could not have been opened */

/* Writes `file:line`, or `default` for what a policy does not say. Returns `out`. */
const char *rule_place(const struct rule *rule, char out[RULE_PLACE]);

/* Prints the place, and rule_print() also the text of the rule behind it, escaped (base/message.h). */
void rule_place_print(const struct rule *rule, FILE *out);
void rule_print(const struct rule *rule, FILE *out);

/* Adds a rule as the member `key`: {"file", "line", "text"} (file and line are null for a default, which is written
 * nowhere); rule 0 is null. Returns 0 or -ENOMEM, as json_put(). */
int rule_put_json(struct json_object *object, const char *key, const struct policy *policy, uint32_t rule);
/* Adds the ports of a rule as the member `ports`: text, as port_list_write() writes it. Returns 0 or -ENOMEM. */
int rule_put_ports_json(struct json_object *object, const struct port_list *ports);

#endif
