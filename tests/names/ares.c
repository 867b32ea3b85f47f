/* SPDX-License-Identifier: BSD-2-Clause */
/* ares NAME: the first address that c-ares finds for a name, with the search domains of resolv.conf. */
#include <arpa/inet.h>
#include <ares.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/select.h>

static int outcome = ARES_ETIMEOUT;

static void take(void *argument, int status, int timeouts, struct hostent *host) {
	char address[INET_ADDRSTRLEN];

	(void)argument;
	(void)timeouts;
	outcome = status;
	if (status == ARES_SUCCESS)
		puts(inet_ntop(AF_INET, host->h_addr_list[0], address, sizeof(address)));
}

int main(int argc, char **argv) {
	struct timeval tick, *wait;
	ares_channel channel;
	fd_set read, write;
	int count;

	if (argc != 2 || ares_library_init(ARES_LIB_INIT_ALL) || ares_init(&channel))
		return 2;
	ares_gethostbyname(channel, argv[1], AF_INET, take, NULL);
	for (;;) {
		FD_ZERO(&read);
		FD_ZERO(&write);
		count = ares_fds(channel, &read, &write);
		if (count == 0)
			break;
		wait = ares_timeout(channel, NULL, &tick);
		select(count, &read, &write, NULL, wait);
		ares_process(channel, &read, &write);
	}
	if (outcome != ARES_SUCCESS)
		fprintf(stderr, "%s: %s\n", argv[1], ares_strerror(outcome));
	ares_destroy(channel);
	return outcome != ARES_SUCCESS;
}
