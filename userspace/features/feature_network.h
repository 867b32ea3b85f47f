/* SPDX-License-Identifier: BSD-2-Clause */
/* Probes: sockets. */
#ifndef SNIF_FEATURE_NETWORK_H
#define SNIF_FEATURE_NETWORK_H

#include "features/feature.h"

/* Whether a refused TCP socket can be ended, in this network namespace. */
struct finding probe_sock_destroy(struct machine *machine, int unused);
/* Whether TCP sockets of the family can be made, AF_INET or AF_INET6. */
struct finding probe_family(struct machine *machine, int family);
struct finding probe_nonlocal_bind(struct machine *machine, int unused);
struct finding probe_mptcp(struct machine *machine, int unused);
struct finding probe_fast_open(struct machine *machine, int unused);

#endif
