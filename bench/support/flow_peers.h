/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Other programs that do snifence's work, put in place for bench/flow.c: each is a `begin` of struct way there. They
 * are of Debian's packages; where one is not installed the round is skipped. They run in NEAR, listen at
 * 127.0.0.1:PEER_PORT, and nftables sends the client's connections there: those of root, as each proxy is another user.
 */
#ifndef SNIF_FLOW_PEERS_H
#define SNIF_FLOW_PEERS_H

const char *const *peer_haproxy(void);
const char *const *peer_nginx(void);
const char *const *peer_squid(void);
const char *const *peer_sniproxy(void);
/* bench/peers/nfqueue.c sees the first packets of each connection that carry anything. */
const char *const *peer_nfqueue(void);

#endif
