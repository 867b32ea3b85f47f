/* SPDX-License-Identifier: BSD-2-Clause */
/* argv ──► the options of `snifence inspect`. */
#include "inspect/inspect_options.h"

#include <stddef.h>

#include "base/command_line.h"

static const char usage[] =
	"Usage: snifence inspect [OPTION…] FILE…\n"
	"\n"
	"Shows the server name, or why there is none, of each TLS connection in captures of pcap or pcapng\n"
	"(FILE -: standard input), read by the very code that filters. Needs no privileges.\n"
	"\n"
	"  --policy POLICY     say what this policy would have decided\n"
	"  --json              print one JSON object a line, as in the log of `snifence run`\n"
	"  --help              this text\n"
	"\n"
	"A line has: time, client > server, server name or -, highest TLS version offered, how many TCP segments\n"
	"and TLS records the ClientHello took, `ech` when it offers Encrypted Client Hello, the reason why there\n"
	"is no good name; with a policy: allow or deny, the reason, the rule. A lookup that the policy refuses has\n"
	"one, too: the name and the type of record (dns=A) that was asked for.\n"
	"\n"
	"Streams are put together as a Linux receiver does. They have to begin with TLS (any port), with or without\n"
	"the SYN in the capture: TLS after STARTTLS, CONNECT or inside a tunnel is not found, nor is QUIC; TLS behind\n"
	"PostgreSQL's question for it only with a policy. Fragments of IP are passed over. A connection has a second\n"
	"line when a second ClientHello, after a HelloRetryRequest, has another name or is refused.\n"
	"\n"
	"Exit status:\n"
	"  0    every file was read to its end (whatever the policy says)\n"
	"  1    a file could not be read, or not to its end; the others were\n"
	"  2    the command line or the policy is wrong\n"
	"  125  snifence could not do its part, such as for want of memory\n";

static const struct option table[] = {
	{"policy", required_argument, NULL, 'p'},
	{"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int take(int option, void *context) {
	struct inspect_options *options = context;

	if (option == 'p')
		options->policy = optarg;
	else
		options->json = true;
	return 0;
}

int inspect_options_parse(int argc, char **argv, struct inspect_options *options) {
	static const struct command_line line = {"inspect", usage, ":", table, take};
	int result;

	*options = (struct inspect_options){0};
	result = command_line_read(&line, argc, argv, options);
	if (result)
		return result;
	if (optind >= argc)
		return command_line_wrong("inspect", "no capture file is named", "");
	options->files = argv + optind;
	return 0;
}
