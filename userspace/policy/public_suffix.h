/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains right below which anyone can have a name: com, co.uk, github.io, s3.eu-west-1.amazonaws.com. */
#ifndef SNIF_PUBLIC_SUFFIX_H
#define SNIF_PUBLIC_SUFFIX_H

#include <stdbool.h>

/* Whether names of more than one owner are below `name`, which is normalised: it is a public suffix, or others are
 * right below it, as far as the list of publicsuffix.org and a few rules about large clouds know. */
bool public_suffix_covers(const char *name);

/* Whether the name is a top-level domain, like com, as the list knows them. */
bool public_suffix_is_top(const char *name);

/* The end of `name` that is one label below its public suffix, which somebody can own: example.co.uk of
 * www.example.co.uk. NULL when it is a public suffix itself, or nothing is known of those. */
const char *public_suffix_domain(const char *name);

#endif
