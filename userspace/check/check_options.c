/* SPDX-License-Identifier: BSD-2-Clause */
/* argv ──► the options of `snifence check`. */
#include "check/check_options.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/command_line.h"
#include "base/ip_address.h"

static const char usage[] =
	"Usage: snifence check [OPTION…] POLICY…\n"
	"\n"
	"Shows what POLICY means, or says whether it lets one connection through, and by which rule.\n"
	"Needs no privileges and changes nothing. With several policies, each is shown; `-` is standard input.\n"
	"\n"
	"  --host NAME         ask about a connection to this host: about its name in TLS where names are\n"
	"                      checked, else about what a lookup of it would allow\n"
	"  --ip ADDRESS        ask about this IPv4 or IPv6 address; without it, --host is judged for any\n"
	"  --port NUMBER       the port (default: 443)\n"
	"  --proto tcp|udp     the protocol (default: tcp). What leaves by UDP is judged by its address alone\n"
	"  --json              print one JSON object\n"
	"  --help              this text\n"
	"\n"
	"Of the names in a large policy the first 1000 are shown; --json has them all.\n"
	"With --ip alone, the connection is taken to send no server name.\n"
	"\n"
	"Exit status:\n"
	"  of several policies, the highest of theirs:\n"
	"  0    allowed; without --host and --ip: the policy is good\n"
	"  1    refused (in audit mode: it would be logged and let through)\n"
	"  2    the command line or the policy is wrong\n"
	"  125  snifence could not do its part, such as for want of memory\n";

static const struct option table[] = {
	{"host", required_argument, NULL, 'H'},
	{"ip", required_argument, NULL, 'i'},
	{"port", required_argument, NULL, 'p'},
	{"proto", required_argument, NULL, 'P'},
	{"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int wrong(const char *what, const char *which) {
	return command_line_wrong("check", what, which);
}

static int take_address(const char *text, struct question *question) {
	if (!ip_address_read(text, question->address))
		return wrong("not an IPv4 or IPv6 address: ", text);
	question->has_address = true;
	return 0;
}

static int take_port(const char *text, struct question *question) {
	size_t length = strspn(text, "0123456789");
	unsigned long port = length > 0 && length <= 5 && !text[length] ? strtoul(text, NULL, 10) : 65536;

	if (port > 65535)
		return wrong("a port is a number from 0 to 65535, not ", text);
	question->port = (uint16_t)port;
	return 0;
}

static int take_protocol(const char *text, struct question *question) {
	if (strcmp(text, "tcp") != 0 && strcmp(text, "udp") != 0)
		return wrong("--proto is tcp or udp, not ", text);
	question->protocol = text[0] == 't' ? IPPROTO_TCP : IPPROTO_UDP;
	return 0;
}

static int take(int option, void *context) {
	struct check_options *options = context;

	switch (option) {
	case 'H':
		options->question.host = optarg;
		return 0;
	case 'i':
		return take_address(optarg, &options->question);
	case 'p':
		options->question.port_given = true;
		return take_port(optarg, &options->question);
	case 'P':
		options->question.port_given = true;
		return take_protocol(optarg, &options->question);
	default: /* 'j' */
		options->json = true;
		return 0;
	}
}

/* What one option wants of the others. */
static int take_together(int argc, char **argv, struct check_options *options) {
	const struct question *question = &options->question;

	if (optind >= argc)
		return wrong("the policy is missing", "");
	options->policies = argv + optind;
	if (question->port_given && !question->host && !question->has_address)
		return wrong("--port and --proto need --host or --ip", "");
	return 0;
}

int check_options_parse(int argc, char **argv, struct check_options *options) {
	static const struct command_line line = {"check", usage, ":", table, take};
	int result;

	*options = (struct check_options){.question = {.port = 443, .protocol = IPPROTO_TCP}};
	result = command_line_read(&line, argc, argv, options);
	return result ? result : take_together(argc, argv, options);
}
