/* SPDX-License-Identifier: BSD-2-Clause */
/* `ports` as written ──► sorted ranges. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "policy/policy_build.h"

/* Up to five digits that make 1 to 65535. Returns what follows them, or NULL. */
static const char *read_port(const char *text, uint16_t *port) {
	size_t digits = strspn(text, "0123456789");
	unsigned long number = digits > 0 && digits <= 5 ? strtoul(text, NULL, 10) : 0;

	if (number < 1 || number > 65535 || text[0] == '0')
		return NULL;
	*port = (uint16_t)number;
	return text + digits;
}

const char *service_port(const char *text) {
	static const char *const services[][2] = {
		{"dns", "53"},	   {"domain", "53"}, {"ftp", "21"},	   {"http", "80"},
		{"https", "443"},  {"imaps", "993"}, {"ldap", "389"},	   {"ldaps", "636"},
		{"mysql", "3306"}, {"ntp", "123"},   {"postgres", "5432"}, {"postgresql", "5432"},
		{"redis", "6379"}, {"smtp", "25"},   {"ssh", "22"},	   {"submission", "587"},
	};

	for (size_t i = 0; i < sizeof(services) / sizeof(*services); i++)
		if (strcasecmp(services[i][0], text) == 0)
			return services[i][1];
	return NULL;
}

/* `rest` is what follows the port that was read; NULL: there was none. */
static void refuse_port(struct builder *builder, const struct yaml_node *node, const char *rest) {
	const char *number = service_port(node->text);

	if (number)
		refuse(builder, node, "`%.60s` is the name of a port: write its number, %s", node->text, number);
	else if (strcmp(node->text, "*") == 0 || strcmp(node->text, "any") == 0 || strcmp(node->text, "all") == 0)
		refuse(builder, node, "`%s` is no port: write 1-65535", node->text);
	else if (rest && *rest == '/')
		refuse(builder, node,
		       "`%.60s` has a protocol behind it: write %.*s; a rule under `direct` has `proto` for it",
		       node->text, (int)(rest - node->text), node->text);
	else if (rest && (*rest == ':' || *rest == ','))
		refuse(builder, node,
		       "`%.60s` is no port: write a range like 8000-8100, and each of several as an item", node->text);
	else
		refuse(builder, node, "`%.60s` is no port: write 1 to 65535, or a range like 8000-8100", node->text);
}

static bool read_range(struct builder *builder, const struct yaml_node *node, struct port_range *range) {
	const char *rest;

	if (!expect_word(builder, node, "a port"))
		return false;
	rest = read_port(node->text, &range->first);
	range->last = range->first;
	if (rest && *rest == '-')
		rest = read_port(rest + 1, &range->last);
	if (rest && !*rest && range->first <= range->last)
		return true;
	refuse_port(builder, node, rest);
	return false;
}

static int compare_ranges(const void *left, const void *right) {
	const struct port_range *a = left, *b = right;

	return a->first != b->first ? a->first - b->first : a->last - b->last;
}

/* Makes ranges sorted, and one of those that touch. */
static void merge_ports(struct port_list *ports) {
	size_t kept = 0;

	qsort(ports->items, ports->count, sizeof(*ports->items), compare_ranges);
	for (size_t i = 1; i < ports->count; i++) {
		struct port_range *last = &ports->items[kept], *next = &ports->items[i];

		if (next->first > last->last + 1)
			ports->items[++kept] = *next;
		else if (next->last > last->last)
			last->last = next->last;
	}
	ports->count = kept + 1;
}

bool read_ports(struct builder *builder, const struct yaml_node *node, struct port_list *ports) {
	struct port_range range, *added;
	bool good = true;

	if (node->kind == NODE_LIST && node->count == 0) {
		refuse(builder, node, "`ports` is empty: name at least one, or leave the key out");
		return false;
	}
	for (const struct yaml_node *item = next_word(node, NULL); item; item = next_word(node, item)) {
		if (!read_range(builder, item, &range)) {
			good = false;
			continue;
		}
		added = array_add(&ports->items, &ports->count, sizeof(*added));
		if (!added) {
			out_of_memory(builder);
			return false;
		}
		*added = range;
	}
	if (good)
		merge_ports(ports);
	return good;
}

bool set_ports(struct builder *builder, struct port_list *ports, uint16_t first, uint16_t last) {
	struct port_range *range = array_add(&ports->items, &ports->count, sizeof(*range));

	if (!range) {
		out_of_memory(builder);
		return false;
	}
	*range = (struct port_range){first, last};
	return true;
}

bool port_list_has(const struct port_list *ports, uint16_t port) {
	for (size_t i = 0; i < ports->count; i++)
		if (ports->items[i].first <= port && port <= ports->items[i].last)
			return true;
	return false;
}

void port_list_write(const struct port_list *ports, FILE *out) {
	const char *comma = "";
	size_t next;

	for (size_t i = 0; i < ports->count; i = next) {
		unsigned first = ports->items[i].first, last = ports->items[i].last;

		for (next = i + 1; next < ports->count && ports->items[next].first == last + 1; next++)
			last = ports->items[next].last;
		fprintf(out, first == last ? "%s%u" : "%s%u-%u", comma, first, last);
		comma = ",";
	}
	if (ports->count == 0)
		fputc('-', out);
}

bool same_ports(const struct port_list *a, const struct port_list *b) {
	return a->count == b->count && a->count > 0 && memcmp(a->items, b->items, a->count * sizeof(*a->items)) == 0;
}
