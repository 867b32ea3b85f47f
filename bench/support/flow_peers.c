/* SPDX-License-Identifier: BSD-2-Clause */
/* A peer's program and its rules ──► between client and server. */
#include "flow_peers.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "sides.h"
#include "tls.h"
#include "../../tests/support/lab.h"

/*
 * As the files in bench/peers say it. Squid stops listening at a connection to its port that was not redirected there.
 */
enum { PEER_PORT = 3129, SQUID_OTHER_PORT = 3128 };

static void await_listener(pid_t pid, uint16_t port) {
	double end = lab_now_ms() + 10000;
	int fd;

	while ((fd = lab_dial("127.0.0.1", port)) < 0) {
		if (lab_now_ms() > end || kill(pid, 0))
			bench_fail("the proxy does not listen");
		lab_sleep_ms(20);
	}
	close(fd);
}

/* Starts a proxy, and once it listens sends the client's connections to it. */
static const char *const *start_proxy(const char *const argv[], uint16_t port) {
	await_listener(sides_start(NEAR, argv), port);
	sides_command(NEAR, (const char *const[]){"nft", "-f", "bench/peers/redirect.nft", NULL});
	return NULL;
}

const char *const *peer_haproxy(void) {
	sides_need("/usr/sbin/haproxy", "haproxy");
	return start_proxy(
		(const char *const[]){"/usr/sbin/haproxy", "-db", "-q", "-f", "bench/peers/haproxy.cfg", NULL},
		PEER_PORT);
}

/* nginx looks for files that its own configuration names relative to other places than here. */
const char *const *peer_nginx(void) {
	sides_need("/usr/sbin/nginx", "nginx");
	sides_need("/usr/lib/nginx/modules/ngx_stream_module.so", "libnginx-mod-stream");
	char *file = realpath("bench/peers/nginx.conf", NULL);
	return start_proxy((const char *const[]){"/usr/sbin/nginx", "-e", "/dev/null", "-c", file, NULL}, PEER_PORT);
}

const char *const *peer_squid(void) {
	sides_need("/usr/sbin/squid", "squid-openssl");
	/* It holds the name against the address, as a client could lie about it. */
	sides_write("hosts", FAR_ADDRESS " " BENCH_ALLOWED " " BENCH_FORBIDDEN "\n");
	/* https_port wants a certificate of its own, also where nothing is ever decrypted. */
	sides_command(NEAR, (const char *const[]){"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
						  "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=lab.test", "-days",
						  "1", "-keyout", SIDES_FOLDER "/squid.pem", "-out",
						  SIDES_FOLDER "/squid.crt", NULL});
	return start_proxy((const char *const[]){"/usr/sbin/squid", "-N", "-f", "bench/peers/squid.conf", NULL},
			   SQUID_OTHER_PORT);
}

const char *const *peer_sniproxy(void) {
	sides_need("/usr/sbin/sniproxy", "sniproxy");
	return start_proxy((const char *const[]){"/usr/sbin/sniproxy", "-f", "-c", "bench/peers/sniproxy.conf", NULL},
			   PEER_PORT);
}

const char *const *peer_nfqueue(void) {
	static const char program[] = "build/bench/peers/nfqueue";

	sides_need(program, "libnetfilter-queue1");
	sides_start(NEAR, (const char *const[]){program, NULL});
	sides_need("/usr/sbin/iptables-restore", "iptables");
	sides_command(NEAR, (const char *const[]){"iptables-restore", "bench/peers/nfqueue.rules", NULL});
	return NULL;
}
