/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy ──► what it means, for a machine to read. */
#include <errno.h>

#include "analysis/facts.h"
#include "base/json.h"
#include "check/check_expand.h"
#include "check/check_expand_dns.h"
#include "policy/canonical.h"
#include "policy/prefix.h"
#include "policy/rule_print.h"

static struct json_object *prefixes_json(const struct prefix_list *list) {
	struct json_object *array = json_object_new_array();
	char text[PREFIX_TEXT];
	int error = 0;

	for (size_t i = 0; error == 0 && i < list->count; i++) {
		prefix_format(&list->items[i], text);
		error |= json_add(array, json_object_new_string(text));
	}
	return json_checked(array, error);
}

static struct json_object *hosts_json(const struct policy *policy) {
	struct json_object *array = json_object_new_array();
	int error = 0;

	for (size_t i = 0; error == 0 && i < policy->host_count; i++) {
		const struct host_rule *host = &policy->hosts[i];
		struct json_object *object = json_object_new_object();
		char written[SNIF_NAME_BUFFER];

		snprintf(written, sizeof(written), "%s%s", host_form_text(host->form), host->name);
		error |= json_put_text(object, "host", written);
		error |= json_put_text(object, "verdict", host->allow ? "allow" : "deny");
		if (host->allow)
			error |= json_put_number(object, "zone", host->zone);
		error |= rule_put_json(object, "rule", policy, host->rule);
		error |= json_add(array, object);
	}
	return json_checked(array, error);
}

/* The position in the array is the number that hosts have under "zone". */
static struct json_object *zones_json(const struct policy *policy) {
	struct json_object *array = json_object_new_array();
	int error = 0;

	for (size_t i = 0; error == 0 && i < policy->zone_count; i++) {
		struct json_object *object = json_object_new_object();

		error |= rule_put_ports_json(object, &policy->zones[i].ports);
		error |= json_put(object, "to", prefixes_json(&policy->lists[policy->zones[i].list]));
		error |= json_add(array, object);
	}
	return json_checked(array, error);
}

static struct json_object *direct_json(const struct policy *policy) {
	struct json_object *array = json_object_new_array();
	int error = 0;

	for (size_t i = 0; error == 0 && i < policy->direct_count; i++) {
		const struct address_rule *rule = &policy->direct[i];
		struct json_object *object = json_object_new_object(), *protocols = json_object_new_array();
		int bypasses = bypasses_inspection(policy, rule);

		if (rule->protocols & PROTO_TCP)
			error |= json_add(protocols, json_object_new_string("tcp"));
		if (rule->protocols & PROTO_UDP)
			error |= json_add(protocols, json_object_new_string("udp"));
		error |= json_put_text(object, "verdict", rule->allow ? "allow" : "deny");
		error |= json_put(object, "proto", protocols);
		error |= rule_put_ports_json(object, &rule->ports);
		error |= json_put(object, "to", prefixes_json(&policy->lists[rule->list]));
		error |= rule_put_json(object, "rule", policy, rule->rule);
		error |= json_put(object, "bypasses_inspection", json_object_new_boolean(bypasses > 0));
		error |= bypasses < 0 ? bypasses : 0;
		error |= json_add(array, object);
	}
	return json_checked(array, error);
}

static struct json_object *tables_json(const struct compiled *compiled) {
	struct json_object *object = json_object_new_object();
	int error = 0;

	error |= json_put_number(object, "names", compiled->name_count);
	error |= json_put_number(object, "addresses", compiled->address_count);
	error |= json_put_number(object, "ports", compiled->port_count);
	error |= json_put_number(object, "kernel_bytes", kernel_bytes(compiled));
	return json_checked(object, error);
}

static struct json_object *unusual_json(const struct policy *policy) {
	struct json_object *list = json_object_new_array();
	int error = 0;

	if (policy->hello.split_records)
		error |= json_add(list, json_object_new_string("split_records"));
	if (policy->hello.trailing_dot)
		error |= json_add(list, json_object_new_string("trailing_dot"));
	return json_checked(list, error);
}

int expand_print_json(const struct policy *policy, const struct compiled *compiled, FILE *out) {
	struct json_object *object = json_object_new_object();
	int error = 0;

	error |= json_put_text(object, "policy", policy->name);
	error |= json_put_text(object, "file", policy->file);
	error |= json_put_text(object, "policy_sha256", compiled->sha256);
	error |= json_put_text(object, "mode", policy->mode == SNIF_AUDIT ? "audit" : "enforce");
	error |= json_put_text(object, "ech", policy->ech_deny ? "deny" : "outer");
	error |= json_put_text(object, "inbound", policy->inbound_deny ? "deny" : "allow");
	error |= json_put_number(object, "max_hello", policy->hello.longest);
	error |= json_put(object, "unusual", unusual_json(policy));
	error |= json_put(object, "zones", zones_json(policy));
	error |= json_put(object, "hosts", hosts_json(policy));
	error |= json_put(object, "direct", direct_json(policy));
	error |= json_put(object, "dns", expand_dns_json(policy));
	error |= json_put(object, "tables", tables_json(compiled));
	return json_write(object, error, out);
}
