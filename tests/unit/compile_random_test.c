/* SPDX-License-Identifier: BSD-2-Clause */
/* Random and large policies ──► tables that say what a naive reading of the policy says, in time. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "compile/tables.h"

static const __u64 key[2] = {1, 2};
static __u64 seed = 1;

/* xorshift64*: the same numbers everywhere, so that a failure can be repeated */
static unsigned random_below(unsigned limit) {
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (unsigned)((seed * 0x2545f4914f6cdd1dULL) >> 33) % limit;
}

/* Few different bytes, so that addresses and prefixes often agree. */
static void random_address(uint8_t out[16]) {
	static const uint8_t bytes[] = {0, 0, 0x80, 0xff, 1, 0x81};

	memset(out, 0, 16);
	if (random_below(2) == 0)
		out[10] = out[11] = 0xff;
	else if (random_below(3) > 0)
		for (int i = 0; i < 12; i++)
			out[i] = bytes[random_below(3)];
	for (int i = 12; i < 16; i++)
		out[i] = bytes[random_below(6)];
}

static bool bit(const uint8_t address[16], unsigned at) {
	return address[at / 8] >> (7 - at % 8) & 1;
}

static bool is_ipv4(const uint8_t address[16]) {
	return memcmp(address, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0;
}

static bool covers(const struct prefix *prefix, const uint8_t address[16]) {
	if (is_ipv4(address) != (prefix->length >= 96 && is_ipv4(prefix->address)))
		return false;
	for (unsigned i = 0; i < prefix->length; i++)
		if (bit(prefix->address, i) != bit(address, i))
			return false;
	return true;
}

static struct prefix random_prefix(void) {
	struct prefix prefix;

	random_address(prefix.address);
	prefix.length = is_ipv4(prefix.address) ? 96 + random_below(33) : random_below(129);
	for (unsigned i = prefix.length; i < 128; i++)
		prefix.address[i / 8] &= ~(0x80 >> i % 8);
	return prefix;
}

static struct port_list random_ports(void) {
	static const uint16_t borders[] = {0, 1, 22, 80, 443, 444, 8000, 32767, 32768, 65534, 65535};
	struct port_list ports = {.items = calloc(4, sizeof(*ports.items))};

	if (random_below(3) == 0) {
		ports.items[ports.count++] = (struct port_range){0, 65535};
		return ports;
	}
	for (unsigned i = random_below(6); i < 11 && ports.count < 4; i += 1 + random_below(6)) {
		unsigned j = i + random_below(2);

		ports.items[ports.count++] = (struct port_range){borders[i], borders[j < 11 ? j : 10]};
		i = j;
	}
	return ports;
}

static struct policy random_policy(void) {
	struct policy policy = {
		.list_count = 1 + random_below(6), .zone_count = 1 + random_below(3), .direct_count = random_below(8)};

	policy.lists = calloc(policy.list_count, sizeof(*policy.lists));
	policy.zones = calloc(policy.zone_count, sizeof(*policy.zones));
	policy.direct = calloc(policy.direct_count + 1, sizeof(*policy.direct));
	for (size_t i = 0; i < policy.list_count; i++) {
		struct prefix_list *list = &policy.lists[i];

		list->count = random_below(7);
		list->items = calloc(list->count + 1, sizeof(*list->items));
		for (size_t j = 0; j < list->count; j++)
			list->items[j] = random_prefix();
	}
	for (size_t i = 0; i < policy.zone_count; i++)
		policy.zones[i] = (struct zone){
			.list = random_below(policy.list_count), .ports = random_ports(), .inspected = random_below(4)};
	for (size_t i = 0; i < policy.direct_count; i++)
		policy.direct[i] = (struct address_rule){.allow = random_below(2),
							 .protocols = 1 + random_below(3),
							 .list = random_below(policy.list_count),
							 .ports = random_ports(),
							 .rule = i + 1};
	return policy;
}

static void free_policy(struct policy *policy) {
	for (size_t i = 0; i < policy->list_count; i++)
		free(policy->lists[i].items);
	for (size_t i = 0; i < policy->zone_count; i++)
		free(policy->zones[i].ports.items);
	for (size_t i = 0; i < policy->direct_count; i++)
		free(policy->direct[i].ports.items);
	for (size_t i = 0; i < policy->host_count; i++)
		free(policy->hosts[i].name);
	free(policy->lists);
	free(policy->zones);
	free(policy->direct);
	free(policy->hosts);
}

/* The length of the longest prefix of the list that covers the address; -1: none. */
static int longest(const struct prefix_list *list, const uint8_t address[16]) {
	int length = -1;

	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].length > length && covers(&list->items[i], address))
			length = list->items[i].length;
	return length;
}

static bool has_port(const struct port_list *ports, uint16_t port) {
	for (size_t i = 0; i < ports->count; i++)
		if (ports->items[i].first <= port && port <= ports->items[i].last)
			return true;
	return false;
}

/* What the policy says, read rule by rule. */
static struct snif_judgement naive(const struct policy *policy, const uint8_t address[16], uint8_t protocol,
				   uint16_t port, __u64 *zones) {
	uint8_t wanted = protocol == IPPROTO_TCP ? PROTO_TCP : protocol == IPPROTO_UDP ? PROTO_UDP : 0;
	const struct address_rule *best = NULL;
	int best_length = -1;
	bool known = false;

	*zones = 0;
	for (size_t i = 0; i < policy->direct_count; i++) {
		const struct address_rule *rule = &policy->direct[i];
		int length = longest(&policy->lists[rule->list], address);

		known |= length >= 0;
		if (length < 0 || !(rule->protocols & wanted) || !has_port(&rule->ports, port))
			continue;
		if (!best || length > best_length || (length == best_length && best->allow && !rule->allow)) {
			best = rule;
			best_length = length;
		}
	}
	for (size_t z = 0; z < policy->zone_count; z++) {
		bool covered =
			policy->zones[z].inspected && longest(&policy->lists[policy->zones[z].list], address) >= 0;

		known |= covered;
		if (!best && covered && wanted == PROTO_TCP && has_port(&policy->zones[z].ports, port))
			*zones |= 1ULL << z;
	}
	if (best && best->allow)
		return (struct snif_judgement){SNIF_ALLOW, SNIF_REASON_ADDRESS_ALLOWED, best->rule};
	if (best)
		return (struct snif_judgement){SNIF_DENY, SNIF_REASON_ADDRESS_DENIED, best->rule};
	if (*zones)
		return (struct snif_judgement){SNIF_UNDECIDED, SNIF_REASON_NONE, 0};
	return (struct snif_judgement){SNIF_DENY,
				       known ? SNIF_REASON_PORT_NOT_ALLOWED : SNIF_REASON_ADDRESS_NOT_ALLOWED, 0};
}

/* What a trie in the kernel finds. */
static const __u32 *naive_class(const struct compiled *compiled, const uint8_t address[16]) {
	const struct address_entry *best = NULL;

	for (size_t i = 0; i < compiled->address_count; i++) {
		const struct address_entry *entry = &compiled->addresses[i];
		unsigned length = entry->key.prefix_length, equal = 0;

		while (equal < length && bit(entry->key.address, equal) == bit(address, equal))
			equal++;
		if (equal == length && (!best || length > best->key.prefix_length))
			best = entry;
	}
	return best ? &best->class : NULL;
}

static void compare_at(const struct policy *policy, const struct compiled *compiled) {
	static const uint16_t ports[] = {0,   1,   2,	 21,	22,    79,    80,    443,
					 444, 445, 8000, 32767, 32768, 65533, 65534, 65535};
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};
	uint16_t port = ports[random_below(16)];
	uint8_t protocol = protocols[random_below(4)];
	struct snif_address_key where = {.prefix_length = 128};
	struct snif_judgement expected, judgement;
	struct snif_dest dest;
	__u64 zones;

	random_address(where.address);
	assert_ptr_equal(snif_find_class(compiled, &where), naive_class(compiled, where.address));
	expected = naive(policy, where.address, protocol, port, &zones);
	judgement = snif_judge_address(compiled, where.address, protocol, port, &dest);
	assert_int_equal(judgement.reason, expected.reason);
	assert_int_equal(judgement.verdict, expected.verdict);
	assert_int_equal(judgement.rule, expected.rule);
	assert_true(dest.zones[0] == zones);
}

/* Entries are in the order that compile.h states, and prefixes have no bits behind their length. */
static void expect_sorted(const struct compiled *compiled) {
	for (size_t i = 1; i < compiled->address_count; i++) {
		const struct snif_address_key *a = &compiled->addresses[i - 1].key, *b = &compiled->addresses[i].key;
		int order = memcmp(a->address, b->address, 16);

		assert_true(order < 0 || (order == 0 && a->prefix_length < b->prefix_length));
	}
	for (size_t i = 1; i < compiled->port_count; i++)
		assert_true(memcmp(compiled->ports[i - 1].key.class_be, compiled->ports[i].key.class_be, 7) < 0);
	for (size_t i = 0; i < compiled->port_count; i++) {
		const struct snif_port_key *port = &compiled->ports[i].key;

		assert_in_range(port->prefix_length, 40, 56);
		assert_int_equal(snif_be16(port->port_be) & ((1U << (56 - port->prefix_length)) - 1), 0);
	}
}

static void tables_say_what_the_policy_says(void **state) {
	(void)state;
	for (int round = 0; round < 1000; round++) {
		struct policy policy = random_policy();
		struct compiled compiled;

		assert_int_equal(compile_policy(&policy, key, &compiled), 0);
		expect_sorted(&compiled);
		for (int i = 0; i < 200; i++)
			compare_at(&policy, &compiled);
		compiled_free(&compiled);
		free_policy(&policy);
	}
}

static double seconds(void) {
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void compile_timed(const struct policy *policy, const char *what, struct compiled *compiled) {
	double start = seconds(), took;

	assert_int_equal(compile_policy(policy, key, compiled), 0);
	took = seconds() - start;
	print_message("%s: %.2f s, %zu addresses, %zu ports, %zu names\n", what, took, compiled->address_count,
		      compiled->port_count, compiled->name_count);
	assert_true(took < 10);
}

enum { MANY = 100000 };

/* `lists` lists that hold 100,000 prefixes together, and a direct rule for each; zone 0 is any address, port 443. */
static struct policy large_policy(size_t lists) {
	static const struct prefix any[2] = {{.length = 0}, {.address = {[10] = 0xff, [11] = 0xff}, .length = 96}};
	struct policy policy = {.list_count = lists + 1, .zone_count = 1, .direct_count = lists};

	policy.lists = calloc(lists + 1, sizeof(*policy.lists));
	policy.zones = calloc(1, sizeof(*policy.zones));
	policy.direct = calloc(lists, sizeof(*policy.direct));
	for (size_t i = 0; i < lists; i++) {
		policy.lists[i].items = calloc(MANY / lists, sizeof(struct prefix));
		policy.direct[i] = (struct address_rule){true, false, PROTO_TCP | PROTO_UDP, i, {0}, i + 1};
		policy.direct[i].ports.items = calloc(1, sizeof(struct port_range));
		policy.direct[i].ports.items[policy.direct[i].ports.count++].last = 65535;
	}
	policy.lists[lists] = (struct prefix_list){malloc(sizeof(any)), 2};
	memcpy(policy.lists[lists].items, any, sizeof(any));
	policy.zones[0].list = lists;
	policy.zones[0].inspected = true;
	policy.zones[0].ports = (struct port_list){calloc(1, sizeof(struct port_range)), 1};
	policy.zones[0].ports.items[0] = (struct port_range){443, 443};
	return policy;
}

/* In 2001:db8::/32, towers of prefixes in each other, 80 high. */
static struct prefix nested_prefix(size_t i) {
	return (struct prefix){.address = {0x20, 0x01, 0x0d, 0xb8, i / 80 >> 8, i / 80}, .length = 48 + i % 80};
}

static struct prefix flat_prefix(size_t i) {
	return (struct prefix){.address = {0x20, 0x01, 0x0d, 0xb8, i >> 16, i >> 8, i}, .length = 56};
}

static void add_names(struct policy *policy) {
	policy->hosts = calloc(MANY, sizeof(*policy->hosts));
	policy->host_count = MANY;
	for (size_t i = 0; i < MANY; i++) {
		policy->hosts[i] = (struct host_rule){.form = i % 3, .allow = true, .rule = i + 1};
		assert_true(asprintf(&policy->hosts[i].name, "h%zu.example.test", i) > 0);
	}
}

static void hundred_thousand_of_each_compile_in_time(void **state) {
	static const struct {
		const char *what;
		size_t lists;
		struct prefix (*prefix)(size_t);
	} cases[] = {
		{"100,000 prefixes side by side, one rule", 1, flat_prefix},
		{"100,000 nested prefixes, one rule", 1, nested_prefix},
		{"100,000 prefixes side by side, each with its rule", MANY, flat_prefix},
		{"100,000 nested prefixes, each with its rule", MANY, nested_prefix},
	};

	(void)state;
	if (getenv("SLOW")) {
		print_message("skipped: under valgrind the other tests show the same code\n");
		skip();
	}
	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
		struct policy policy = large_policy(cases[c].lists);
		struct compiled compiled;

		for (size_t i = 0; i < MANY; i++) {
			struct prefix_list *list = &policy.lists[i % cases[c].lists];

			list->items[list->count++] = cases[c].prefix(i);
		}
		compile_timed(&policy, cases[c].what, &compiled);
		compiled_free(&compiled);
		free_policy(&policy);
	}
}

static void hundred_thousand_names_compile_in_time(void **state) {
	struct policy policy = large_policy(1);
	struct snif_dest dest = {.zones = {1}};
	struct compiled compiled;

	(void)state;
	add_names(&policy);
	compile_timed(&policy, "100,000 names", &compiled);
	assert_int_equal(compiled.name_count, MANY);
	for (unsigned i = 0; i < MANY; i++) {
		__u8 name[SNIF_NAME_BUFFER];
		int length = sprintf((char *)name, "%sh%u.example.test", i % 3 == HOST_BELOW ? "a." : "", i);

		assert_int_equal(snif_judge_name(&compiled, &compiled.settings, name, (__u16)length, &dest).rule,
				 i + 1);
	}
	compiled_free(&compiled);
	free_policy(&policy);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_say_what_the_policy_says),
		cmocka_unit_test(hundred_thousand_of_each_compile_in_time),
		cmocka_unit_test(hundred_thousand_names_compile_in_time),
	};

	return cmocka_run_group_tests_name("compile_random", tests, NULL, NULL);
}
