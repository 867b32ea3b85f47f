/* SPDX-License-Identifier: BSD-2-Clause */
/* What a policy says of lookups, and of the addresses that they give. */
#ifndef SNIF_CHECK_EXPAND_DNS_H
#define SNIF_CHECK_EXPAND_DNS_H

#include <stdio.h>

#include "policy/policy.h"

struct json_object;

/* Prints it for a person. */
void expand_dns_print(const struct policy *policy, FILE *out);
/* The same as an object of JSON; NULL: out of memory. */
struct json_object *expand_dns_json(const struct policy *policy);

#endif
