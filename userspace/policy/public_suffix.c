/* SPDX-License-Identifier: BSD-2-Clause */
/* A name ──► whether it is one owner's. */
#include "policy/public_suffix.h"

#include <fnmatch.h>
#include <libpsl.h>
#include <stdio.h>
#include <string.h>

#include "base/library.h"
#include "name.h"

#define FUNCTIONS(X)                                                                                                   \
	X(psl_builtin) X(psl_is_public_suffix) X(psl_is_public_suffix2) X(psl_latest) X(psl_registrable_domain)

LIBRARY(psl, "to tell whose names a wildcard covers", FUNCTIONS, "libpsl.so.5");

/* The newer one of the system's list and the library's. Lives as long as the process. NULL: there is none, or no
 * library. */
static const psl_ctx_t *public_suffixes(void) {
	static psl_ctx_t *newest;

	if (library_open(&psl_library))
		return NULL;
	if (!newest)
		newest = psl.psl_latest(NULL);
	return newest ? newest : psl.psl_builtin();
}

static bool is_any(const char *const patterns[], const char *text) {
	for (size_t i = 0; patterns[i]; i++)
		if (fnmatch(patterns[i], text, 0) == 0)
			return true;
	return false;
}

/* What stands before `.domain` at the end of the name, in `out`; "" for the domain itself. */
static bool cut_domain(const char *name, const char *domain, char out[SNIF_NAME_BUFFER]) {
	size_t length = strlen(name), tail = strlen(domain);

	if (length < tail || strcmp(name + length - tail, domain) != 0)
		return false;
	length -= tail;
	if (length > 0 && name[length - 1] != '.')
		return false;
	snprintf(out, SNIF_NAME_BUFFER, "%.*s", length > 0 ? (int)length - 1 : 0, name);
	return true;
}

/*
 * Amazon's names are made of a service, mostly a region, and words about how it is reached, in an order that differs by
 * service: sqs.us-west-2, us-west-2.elb, s3.dualstack.us-west-2, dkr.ecr.us-west-2. A further word is a customer's: a
 * bucket, a function, a load balancer. The list has them for some services and regions, by its age.
 */
static bool is_amazons(const char *name) {
	static const char *const domains[] = {"amazonaws.com", "amazonaws.com.cn", "on.aws"};
	static const char *const words[] = {"[a-z][a-z]*-*north-[0-9]",
					    "[a-z][a-z]*-*south-[0-9]",
					    "[a-z][a-z]*-*east-[0-9]",
					    "[a-z][a-z]*-*west-[0-9]",
					    "[a-z][a-z]*-*central-[0-9]",
					    "dualstack",
					    "vpce",
					    "dkr",
					    "vfs",
					    "webview-assets",
					    NULL};
	char labels[SNIF_NAME_BUFFER], *rest = labels, *label;
	size_t domain = 0, others = 0;

	while (domain < sizeof(domains) / sizeof(*domains) && !cut_domain(name, domains[domain], labels))
		domain++;
	if (domain == sizeof(domains) / sizeof(*domains))
		return false;
	while ((label = strsep(&rest, ".")))
		others += !is_any(words, label);
	return others <= 1;
}

/* The list says nothing of domains like windows.net, which are no suffix themselves but full of them, nor of suffixes
 * whose owners have not asked for it. */
static bool is_known(const char *name) {
	static const char *const names[] = {
		"amplifyapp.com",
		"azure-api.net",
		"azure.com",
		"azure.net",
		"azurecr.io",
		"azuredatalakestore.net",
		"azureedge.net",
		"azurefd.net",
		"core.windows.net",
		"blob.core.windows.net",
		"dfs.core.windows.net",
		"file.core.windows.net",
		"queue.core.windows.net",
		"table.core.windows.net",
		"web.core.windows.net",
		"z[0-9].web.core.windows.net",
		"z[0-9][0-9].web.core.windows.net",
		"database.windows.net",
		"servicebus.windows.net",
		"vault.azure.net",
		"windows.net",
		"backblazeb2.com",
		"fastly.net",
		"googleusercontent.com",
		"storage.googleapis.com",
		"trafficmanager.net",
		NULL,
	};
	char region[SNIF_NAME_BUFFER];

	return is_any(names, name) || (cut_domain(name, "cloudapp.azure.com", region) && !strchr(region, '.'));
}

/* A rule like *.elb.amazonaws.com makes a suffix of every name below one, so also of one that nobody has. */
static bool has_suffixes_below(const psl_ctx_t *list, const char *name) {
	char below[SNIF_NAME_BUFFER + 2];

	snprintf(below, sizeof(below), "-.%s", name);
	return psl.psl_is_public_suffix(list, below);
}

bool public_suffix_covers(const char *name) {
	const psl_ctx_t *list = public_suffixes();

	return !list || psl.psl_is_public_suffix(list, name) || has_suffixes_below(list, name) || is_amazons(name) ||
	       is_known(name);
}

bool public_suffix_is_top(const char *name) {
	const psl_ctx_t *list = strchr(name, '.') ? NULL : public_suffixes();

	return list && psl.psl_is_public_suffix2(list, name, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE);
}

const char *public_suffix_domain(const char *name) {
	const psl_ctx_t *list = public_suffixes();

	return list ? psl.psl_registrable_domain(list, name) : NULL;
}
