/* SPDX-License-Identifier: BSD-2-Clause */
/* Few names, addresses and ports ──► many rules and questions that meet. */
#include "agree_draw.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storm.h"

/* ---- what both draw ------------------------------------------------------------------------------------------------ */

static const char *const names[] = {"one.test",	    "a.one.test",    "b.a.one.test",	     "two.test",
				    "www.two.test", "three.example", "xn--bcher-kva.example"};
static const uint16_t more_ports[] = {1, 80, 444, 8000, 8080, 65535};

static uint16_t draw_port(struct random *random) {
	return random_one_in(random, 3) ? random_of(random, more_ports) : random_of(random, storm_ports);
}

/* Many agree in their first bits. */
static void draw_ipv4(struct random *random, uint8_t out[4]) {
	static const uint8_t nets[][3] = {{198, 51, 100}, {203, 0, 113}, {192, 0, 2}};
	static const uint8_t hosts[] = {1, 2, 65, 66, 67, 96, 126, 129, 130, 140, 192, 254};

	memcpy(out, nets[random_below(random, 3)], 3);
	out[3] = random_of(random, hosts);
}

static void draw_ipv6(struct random *random, uint8_t out[16]) {
	static const uint8_t parts[] = {0, 0xe, 0xf}, hosts[] = {1, 2, 9, 0x80};

	memset(out, 0, 16);
	memcpy(out, "\x20\x01\x0d\xb8", 4);
	out[5] = random_of(random, parts);
	out[7] = (uint8_t)random_below(random, 2);
	out[15] = random_of(random, hosts);
}

/* ---- policies ------------------------------------------------------------------------------------------------------ */

static void clear_behind(uint8_t *address, unsigned bits, unsigned length) {
	for (unsigned i = length; i < bits; i++)
		address[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

static void write_prefix(struct random *random, FILE *out) {
	static const uint8_t lengths4[] = {0, 8, 24, 25, 26, 28, 30, 31, 32, 32, 32};
	static const uint8_t lengths6[] = {0, 32, 40, 48, 48, 64, 64, 127, 128, 128};
	static const char *const loopback[] = {"127.0.0.0/8", "127.0.0.1", "::1"};
	bool ipv6 = random_one_in(random, 2);
	uint8_t address[16];
	char text[INET6_ADDRSTRLEN];
	unsigned length = ipv6 ? random_of(random, lengths6) : random_of(random, lengths4);

	if (random_one_in(random, 8)) {
		fprintf(out, "\"%s\"", random_of(random, loopback));
		return;
	}
	if (ipv6)
		draw_ipv6(random, address);
	else
		draw_ipv4(random, address);
	clear_behind(address, ipv6 ? 128 : 32, length);
	inet_ntop(ipv6 ? AF_INET6 : AF_INET, address, text, sizeof(text));
	fprintf(out, "\"%s/%u\"", text, length);
}

static void write_prefixes(struct random *random, FILE *out) {
	unsigned count = 1 + random_below(random, 4);

	fputc('[', out);
	for (unsigned i = 0; i < count; i++) {
		if (i > 0)
			fputs(", ", out);
		write_prefix(random, out);
	}
	fputc(']', out);
}

static void write_to(struct random *random, FILE *out) {
	unsigned kind = random_below(random, 6);

	if (kind == 0)
		fputs("any", out);
	else if (kind == 1)
		fputs("office", out);
	else if (kind == 2)
		fputs("[office, hall]", out);
	else
		write_prefixes(random, out);
}

static void write_ports(struct random *random, FILE *out) {
	uint16_t first = draw_port(random), last = draw_port(random);

	if (first < last && random_one_in(random, 2))
		fprintf(out, "[\"%u-%u\"]", first, last);
	else if (first == last)
		fprintf(out, "[%u]", first);
	else
		fprintf(out, "[%u, %u]", first, last);
}

/* A list of rules behind its key, if it has any. */
static void write_hosts(struct random *random, FILE *out, const char *key, bool allow) {
	static const char *const forms[] = {"", "*.", ".", "*."};
	unsigned count = random_below(random, 6);

	if (count > 0)
		fprintf(out, "  %s:\n", key);
	while (count-- > 0) {
		fprintf(out, "    - {host: \"%s%s\"", random_of(random, forms), random_of(random, names));
		if (allow && random_one_in(random, 3)) {
			fputs(", to: ", out);
			write_to(random, out);
		}
		if (allow && random_one_in(random, 4)) {
			fputs(", ports: ", out);
			write_ports(random, out);
		}
		if (allow)
			fputs(", public_suffix: true", out);
		fputs("}\n", out);
	}
}

static void write_direct(struct random *random, FILE *out, const char *key) {
	static const char *const protocols[] = {"tcp", "udp", "any"};
	unsigned count = random_below(random, 5);

	if (count > 0)
		fprintf(out, "  %s:\n", key);
	while (count-- > 0) {
		fputs("    - {to: ", out);
		write_to(random, out);
		if (random_one_in(random, 2))
			fprintf(out, ", proto: %s", random_of(random, protocols));
		if (random_one_in(random, 2)) {
			fputs(", ports: ", out);
			write_ports(random, out);
		}
		fputs("}\n", out);
	}
}

char *agree_policy(struct random *random) {
	static const char *const dns[] = {"none", "[198.51.100.66, \"2001:db8:f::9\"]", "[192.0.2.2]"};
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		abort();
	fputs("version: 1\nsets:\n  office: ", out);
	write_prefixes(random, out);
	fputs("\n  hall: ", out);
	write_prefixes(random, out);
	fputs("\ntls:\n", out);
	if (random_one_in(random, 2)) {
		fputs("  to: ", out);
		write_to(random, out);
		fputc('\n', out);
	}
	if (random_one_in(random, 3)) {
		fputs("  ports: ", out);
		write_ports(random, out);
		fputc('\n', out);
	}
	write_hosts(random, out, "allow", true);
	write_hosts(random, out, "deny", false);
	fputs("direct:\n", out);
	write_direct(random, out, "allow");
	write_direct(random, out, "deny");
	fprintf(out, "dns: {servers: %s}\n", random_of(random, dns));
	fclose(out);
	return text;
}

/* ---- questions ----------------------------------------------------------------------------------------------------- */

static void draw_host(struct random *random, char out[AGREE_NAME]) {
	static const char *const strange[] = {"-one.test",  "a..one.test", "under_score.one.test", "a b.one.test",
					      "192.0.2.1",  "one",	   "*.one.test",	   ".one.test",
					      "one.test..", "xn--a.test"};
	static const char *const below[] = {"", "", "a.", "b.", "a.b.c.d.e.f.g.h.i.j.", "www."};
	const char *name = random_of(random, names), *prefix = random_of(random, below);
	unsigned kind = random_below(random, 12);

	if (kind == 0) {
		snprintf(out, AGREE_NAME, "%s", random_of(random, strange));
		return;
	}
	if (kind == 1) { /* a long label, and a long name */
		snprintf(out, AGREE_NAME, "%0*d.%0*d.%0*d.%0*d.%s", (int)(62 + random_below(random, 3)), 0, 60, 0, 60,
			 0, (int)(40 + random_below(random, 20)), 0, name);
		return;
	}
	snprintf(out, AGREE_NAME, "%s%s%s", prefix, name, kind == 2 ? "." : "");
	if (kind == 3)
		for (char *at = out; *at; at++)
			*at = (char)toupper(*at);
}

static void draw_address(struct random *random, char out[AGREE_ADDRESS]) {
	static const char *const special[] = {"0.0.0.0",   "::",  "::ffff:0.0.0.0",
					      "127.0.0.1", "::1", "::ffff:127.0.0.1"};
	uint8_t four[4], six[16];
	unsigned form = random_below(random, 14);

	draw_ipv4(random, four);
	draw_ipv6(random, six);
	if (form == 0)
		snprintf(out, AGREE_ADDRESS, "%s", random_of(random, special));
	else if (form < 7)
		inet_ntop(AF_INET, four, out, AGREE_ADDRESS);
	else if (form < 12)
		inet_ntop(AF_INET6, six, out, AGREE_ADDRESS);
	else
		snprintf(out, AGREE_ADDRESS, "%s%u.%u.%u.%u", form < 14 ? "::ffff:" : "64:ff9b::", four[0], four[1],
			 four[2], four[3]);
}

/* Whether the other namespace has the address, as world.c says: then its servers answer there. */
static bool is_served(const struct agree_question *question) {
	unsigned host;

	if (sscanf(question->address, "198.51.100.%u", &host) == 1)
		return host >= 64 && host < 128;
	if (sscanf(question->address, "203.0.113.%u", &host) == 1)
		return host >= 128;
	return strncmp(question->address, "2001:db8:e:", 11) == 0 || strncmp(question->address, "2001:db8:f:", 11) == 0;
}

void agree_question(struct random *random, struct agree_question *question) {
	bool fast = random_one_in(random, 4), listens = false;

	memset(question, 0, sizeof(*question));
	if (!random_one_in(random, 10))
		draw_host(random, question->host);
	draw_address(random, question->address);
	question->port = draw_port(random);
	question->udp = random_one_in(random, 4);
	for (size_t i = 0; i < STORM_PORTS; i++)
		listens |= storm_ports[i] == question->port;
	question->fast = fast || !listens || !is_served(question);
}
