/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS in a capture ──► what `snifence inspect` says of the connections behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pcap/pcap.h>

#include "../support/dns_maker.h"
#include "../support/lines_kept.h"
#include "../support/output.h"
#include "../support/packet_maker.h"
#include "../support/put_file.h"
#include "base/message.h"
#include "dns.h"
#include "inspect/inspect.h"

#define CLIENT "192.0.2.1"
#define SERVER "203.0.113.53"
#define ANOTHER "192.0.2.77"
#define ADDRESS "198.51.100.7" /* of packet_make() */
#define POLICY                                                                                                         \
	"version: 1\ntls: {allow: [www.a.example, other.example], deny: [no.a.example]}\ndns: {servers: [" SERVER      \
	"], bind: "

enum { PORT = 33333, ID = 7 };

static char folder[] = "/tmp/snifence-inspect-dns-XXXXXX";
static char capture[64], policy_file[64];
static char out[16384], err[4096];
static struct bytes frame, question, answer, hello;
static pcap_t *dead;
static pcap_dumper_t *dump;
static unsigned seconds;

static int set_up(void **state) {
	(void)state;
	setenv("TZ", "UTC", 1);
	if (!mkdtemp(folder))
		return -1;
	snprintf(capture, sizeof(capture), "%s/one.pcap", folder);
	snprintf(policy_file, sizeof(policy_file), "%s/policy.yaml", folder);
	return 0;
}

static int tear_down(void **state) {
	(void)state;
	unlink(capture);
	unlink(policy_file);
	return rmdir(folder);
}

/* ---- captures -------------------------------------------------------------------------------------------------- */

static void begin(const char *bind) {
	char text[256];

	snprintf(text, sizeof(text), POLICY "%s}\n", bind);
	put_file(policy_file, text);
	dead = pcap_open_dead(DLT_RAW, 262144);
	dump = pcap_dump_open(dead, capture);
	assert_non_null(dump);
	seconds = 1700000000;
}

static void add_frame(void) {
	struct pcap_pkthdr header = {.ts = {.tv_sec = seconds++}};

	header.caplen = header.len = (bpf_u_int32)frame.length;
	pcap_dump((u_char *)dump, &header, frame.data);
}

static void add_datagram(const char *from, uint16_t from_port, const char *to, uint16_t to_port,
			 const struct bytes *data) {
	struct in_addr addresses[2];

	inet_pton(AF_INET, from, &addresses[0]);
	inet_pton(AF_INET, to, &addresses[1]);
	frame.length = 0;
	bytes_number(&frame, 2, 0x4500);
	bytes_number(&frame, 2, (uint32_t)(28 + data->length));
	bytes_number(&frame, 4, 0);
	bytes_number(&frame, 4, 64 << 24 | IPPROTO_UDP << 16);
	bytes_add(&frame, addresses, sizeof(addresses));
	bytes_number(&frame, 2, from_port);
	bytes_number(&frame, 2, to_port);
	bytes_number(&frame, 2, (uint32_t)(8 + data->length));
	bytes_number(&frame, 2, 0);
	bytes_add(&frame, data->data, data->length);
	add_frame();
}

/* A lookup that is answered: by `server`, to `client`. */
static void add_lookup(const char *client, const char *server, const char *name) {
	dns_make_question(&question, ID, name, SNIF_DNS_A);
	dns_begin_answer(&answer, &question);
	dns_add_address(&answer, name, 60, ADDRESS);
	add_datagram(client, PORT, server, 53, &question);
	add_datagram(server, 53, client, PORT, &answer);
}

/* ---- over TCP -------------------------------------------------------------------------------------------------- */

/* A segment between CLIENT and SERVER, whose first byte is number `at` of what that side sends; its SYN is before byte
 * 1. */
static void add_segment(bool from_server, uint8_t flags, uint32_t at, const void *data, size_t length) {
	const char *ends[] = {CLIENT, SERVER};
	const uint16_t ports[] = {PORT, SNIF_DNS_PORT};
	struct in_addr address;

	frame.length = 0;
	bytes_number(&frame, 2, 0x4500);
	bytes_number(&frame, 2, (uint32_t)(40 + length));
	bytes_number(&frame, 4, 0);
	bytes_number(&frame, 4, 64 << 24 | IPPROTO_TCP << 16);
	for (int i = 0; i < 2; i++) {
		inet_pton(AF_INET, ends[i == 0 ? from_server : !from_server], &address);
		bytes_add(&frame, &address, sizeof(address));
	}
	bytes_number(&frame, 2, ports[from_server]);
	bytes_number(&frame, 2, ports[!from_server]);
	bytes_number(&frame, 4, at);
	bytes_number(&frame, 4, 0);
	bytes_number(&frame, 4, 0x50U << 24 | (uint32_t)flags << 16 | 0xffff);
	bytes_number(&frame, 4, 0);
	bytes_add(&frame, data, length);
	add_frame();
}

/* Opens a connection and asks there for a name; `answer` is what SERVER would send, its length before it. */
static void ask_over_tcp(const char *name) {
	static struct bytes message;

	add_segment(false, TH_SYN, 0, "", 0);
	add_segment(true, TH_SYN | TH_ACK, 0, "", 0);
	dns_make_question(&question, ID, name, SNIF_DNS_A);
	dns_begin_answer(&message, &question);
	dns_add_address(&message, name, 60, ADDRESS);
	dns_frame(&answer, &message);
	dns_frame(&message, &question);
	add_segment(false, TH_ACK, 1, message.data, message.length);
}

/* A ClientHello of CLIENT to ADDRESS. */
static void add_hello(const char *name) {
	hello_make(&hello, &(struct hello){.name = name});
	frame.length = 0;
	packet_make(&frame, &(struct packet){.data = hello.data, .length = hello.length});
	add_frame();
}

static int inspect(const char *option) {
	const char *words[] = {"inspect", "--policy", policy_file, capture, option, NULL};
	int code;

	pcap_dump_close(dump);
	pcap_close(dead);
	code = output_of(inspect_main, words, out, sizeof(out), err, sizeof(err));
	if (out[0] == '{')
		fputs(out, lines_kept());
	return code;
}

static void expect(const char *piece) {
	assert_int_equal(inspect(NULL), 0);
	assert_string_equal(err, "");
	if (!strstr(out, piece))
		fail_msg("%s is not in %s", piece, out);
}

/* ---- what is judged -------------------------------------------------------------------------------------------- */

static void a_name_that_was_found_passes(void **state) {
	(void)state;
	begin("require");
	add_lookup(CLIENT, SERVER, "www.a.example");
	add_hello("www.a.example");
	expect(" name_allowed");
}

/* Another name's address, another client's, one from before the question, or from another server, says nothing. */
static void a_name_that_was_not_found_is_refused(void **state) {
	(void)state;
	begin("require");
	add_hello("www.a.example");
	add_lookup(CLIENT, SERVER, "www.a.example");
	expect(" name_not_bound");
	begin("require");
	add_lookup(CLIENT, SERVER, "other.example");
	add_hello("www.a.example");
	expect(" name_not_bound");
	begin("require");
	add_lookup(ANOTHER, SERVER, "www.a.example");
	add_hello("www.a.example");
	expect(" name_not_bound");
	begin("require");
	add_lookup(CLIENT, "203.0.113.54", "www.a.example");
	add_hello("www.a.example");
	expect(" name_not_bound");
	begin("require");
	add_datagram(SERVER, 53, CLIENT, PORT, &answer);
	add_hello("www.a.example");
	expect(" name_not_bound");
}

/* A name that no rule allows was not found for that reason, and is told by it. */
static void a_name_that_is_not_allowed_is_told_as_such(void **state) {
	(void)state;
	begin("require, names: policy");
	add_hello("nobody.example");
	expect(" name_not_allowed");
	begin("require, names: policy");
	add_hello("no.a.example");
	expect(" name_denied");
}

static void what_was_found_runs_out(void **state) {
	(void)state;
	begin("require, min_ttl: 0s, grace: 5s");
	add_lookup(CLIENT, SERVER, "www.a.example");
	seconds += 60;
	add_hello("www.a.example");
	expect(" name_allowed");
	begin("require, min_ttl: 0s, grace: 5s");
	add_lookup(CLIENT, SERVER, "www.a.example");
	seconds += 70;
	add_hello("www.a.example");
	expect(" name_not_bound");
}

/* As in the kernel: what was given for longer stays as long. */
static void a_shorter_time_takes_nothing_away(void **state) {
	(void)state;
	begin("require, min_ttl: 0s, grace: 5s");
	add_lookup(CLIENT, SERVER, "www.a.example");
	dns_begin_answer(&answer, &question);
	dns_add_address(&answer, "www.a.example", 0, ADDRESS);
	add_datagram(CLIENT, PORT, SERVER, 53, &question);
	add_datagram(SERVER, 53, CLIENT, PORT, &answer);
	seconds += 30;
	add_hello("www.a.example");
	expect(" name_allowed");
}

static void events_have_it_too(void **state) {
	(void)state;
	begin("observe, log: answers");
	add_lookup(CLIENT, SERVER, "Other.example");
	add_hello("www.a.example");
	assert_int_equal(inspect("--json"), 0);
	assert_non_null(
		strstr(out, "\"dns\":{\"type\":\"answer\",\"id\":7,\"rrname\":\"other.example\",\"rrtype\":\"A\","
			    "\"answers\":[{\"rrtype\":\"A\",\"ttl\":60,\"rdata\":\"" ADDRESS "\",\"bound\":4200}]}"));
	assert_non_null(strstr(out, "\"dest_ip\":\"" SERVER "\",\"dest_port\":53"));
	assert_non_null(strstr(out, "\"unbound\":true,\"verdict\":{\"action\":\"pass\"}"));
}

/* Rules by name: what is TLS there is not looked into. */
static void a_direct_rule_by_name(void **state) {
	static const char text[] =
		"version: 1\ndirect: {allow: [{host: db.example, proto: tcp, ports: [443]}]}\ndns: {servers: [" SERVER
		"]}\n";

	(void)state;
	begin("off");
	put_file(policy_file, text);
	add_lookup(CLIENT, SERVER, "db.example");
	add_hello("www.a.example");
	expect(" address_bound");
	begin("off");
	put_file(policy_file, text);
	add_lookup(CLIENT, SERVER, "www.a.example");
	add_hello("www.a.example");
	expect(" address_not_allowed");
}

static void lookups_over_tcp(void **state) {
	(void)state;
	begin("require");
	ask_over_tcp("www.a.example");
	add_segment(true, TH_ACK, 1, answer.data, answer.length);
	add_hello("www.a.example");
	expect(" name_allowed");

	/* in pieces, out of order */
	begin("require");
	ask_over_tcp("www.a.example");
	add_segment(true, TH_ACK, 1 + 20, answer.data + 20, answer.length - 20);
	add_segment(true, TH_ACK, 1, answer.data, 1);
	add_segment(true, TH_ACK, 2, answer.data + 1, 19);
	add_hello("www.a.example");
	expect(" name_allowed");

	/* without the beginning of the connection, or a piece */
	begin("require");
	ask_over_tcp("www.a.example");
	add_segment(true, TH_ACK, 2, answer.data + 1, answer.length - 1);
	add_hello("www.a.example");
	expect(" name_not_bound");
	/* a longer one than is read */
	begin("require");
	ask_over_tcp("www.a.example");
	add_segment(true, TH_ACK, 1, "\xff\xff", 2);
	add_segment(true, TH_ACK, 3, answer.data, answer.length);
	add_hello("www.a.example");
	expect(" name_not_bound");
	/* behind such a one */
	begin("require");
	ask_over_tcp("www.a.example");
	hello.length = 0;
	bytes_number(&hello, 2, SNIF_DNS_MESSAGE);
	bytes_fill(&hello, 0, SNIF_DNS_MESSAGE);
	bytes_add(&hello, answer.data, answer.length);
	add_segment(true, TH_ACK, 1, hello.data, hello.length);
	add_hello("www.a.example");
	expect(" name_allowed");
	/* the answer to a question by TCP, by UDP */
	begin("require");
	ask_over_tcp("www.a.example");
	dns_begin_answer(&answer, &question);
	dns_add_address(&answer, "www.a.example", 60, ADDRESS);
	add_datagram(SERVER, SNIF_DNS_PORT, CLIENT, PORT, &answer);
	add_hello("www.a.example");
	expect(" name_not_bound");
}

static void expect_question(const char *name, uint16_t type, const char *piece) {
	begin("require, names: policy");
	dns_make_question(&question, ID, name, type);
	add_datagram(CLIENT, PORT, SERVER, SNIF_DNS_PORT, &question);
	assert_int_equal(inspect(NULL), 0);
	if (!piece)
		assert_string_equal(out, "");
	else if (!strstr(out, piece))
		fail_msg("%s is not in %s", piece, out);
}

static void questions_are_judged(void **state) {
	(void)state;
	expect_question("www.a.example", SNIF_DNS_AAAA, NULL);
	expect_question("data.evil.example", SNIF_DNS_A,
			CLIENT ":33333 > " SERVER ":53 data.evil.example dns=A deny dns_name (");
	expect_question("no.a.example", SNIF_DNS_A, "policy.yaml:2: deny no.a.example");
	expect_question("www.a.example", 16, " www.a.example dns=TXT deny dns_type (");
	expect_question("a b.example", SNIF_DNS_A, " a\\x20b.example dns=A deny dns_question (");

	/* a reverse lookup, of what was found */
	expect_question("7.100.51.198.in-addr.arpa", SNIF_DNS_PTR, " deny dns_name (");
	begin("require, names: policy");
	add_lookup(CLIENT, SERVER, "www.a.example");
	dns_make_question(&question, ID, "7.100.51.198.in-addr.arpa", SNIF_DNS_PTR);
	add_datagram(CLIENT, PORT, SERVER, SNIF_DNS_PORT, &question);
	assert_int_equal(inspect(NULL), 0);
	assert_string_equal(out, "");

	/* what is refused is not answered, nor bound */
	begin("require, https: deny");
	dns_make_question(&question, ID, "www.a.example", SNIF_DNS_HTTPS);
	add_datagram(CLIENT, PORT, SERVER, SNIF_DNS_PORT, &question);
	assert_int_equal(inspect("--json"), 0);
	assert_non_null(strstr(out, "\"dns\":{\"type\":\"query\",\"id\":7,\"rrname\":\"www.a.example\",\"rrtype\":"
				    "\"HTTPS\"}"));
	assert_non_null(strstr(out, "\"reason\":\"dns_type\""));
}

/* A segment has to hold whole questions, as the kernel reads it for itself. */
static void questions_over_tcp(void **state) {
	(void)state;
	begin("require, names: policy");
	ask_over_tcp("data.evil.example");
	assert_int_equal(inspect(NULL), 0);
	assert_non_null(strstr(out, " data.evil.example dns=A deny dns_name ("));

	begin("require, names: policy");
	add_segment(false, TH_SYN, 0, "", 0);
	dns_make_question(&question, ID, "www.a.example", SNIF_DNS_A);
	dns_frame(&answer, &question);
	add_segment(false, TH_ACK, 1, answer.data, answer.length - 1);
	assert_int_equal(inspect(NULL), 0);
	assert_non_null(strstr(out, " - deny dns_question ("));

	/* one too many */
	begin("require, names: policy");
	add_segment(false, TH_SYN, 0, "", 0);
	hello.length = 0;
	for (int i = 0; i < SNIF_DNS_OF_SEGMENT; i++)
		bytes_add(&hello, answer.data, answer.length);
	add_segment(false, TH_ACK, 1, hello.data, hello.length - answer.length);
	assert_int_equal(inspect(NULL), 0);
	assert_string_equal(out, "");
	begin("require, names: policy");
	add_segment(false, TH_SYN, 0, "", 0);
	add_segment(false, TH_ACK, 1, hello.data, hello.length);
	assert_int_equal(inspect(NULL), 0);
	assert_non_null(strstr(out, " - deny dns_question ("));
}

/* In audit mode it leaves, and is answered, which binds nothing. */
static void questions_in_audit_mode(void **state) {
	(void)state;
	begin("off");
	put_file(policy_file, "version: 1\nmode: audit\ntls: {allow: [www.a.example]}\n"
			      "dns: {servers: [" SERVER "], bind: observe, names: policy, log: answers}\n");
	add_lookup(CLIENT, SERVER, "other.example");
	assert_int_equal(inspect("--json"), 0);
	assert_non_null(strstr(out, "\"reason\":\"dns_name\""));
	assert_non_null(strstr(out, "\"type\":\"answer\",\"id\":7,\"rrname\":\"other.example\""));
	assert_null(strstr(out, "\"bound\""));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_that_was_found_passes),
		cmocka_unit_test(a_name_that_was_not_found_is_refused),
		cmocka_unit_test(a_name_that_is_not_allowed_is_told_as_such),
		cmocka_unit_test(what_was_found_runs_out),
		cmocka_unit_test(a_shorter_time_takes_nothing_away),
		cmocka_unit_test(events_have_it_too),
		cmocka_unit_test(a_direct_rule_by_name),
		cmocka_unit_test(lookups_over_tcp),
		cmocka_unit_test(questions_are_judged),
		cmocka_unit_test(questions_over_tcp),
		cmocka_unit_test(questions_in_audit_mode),
	};

	return cmocka_run_group_tests_name("inspect_dns", tests, set_up, tear_down);
}
