/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence unit`: a policy and a service of systemd ──► each start of it confined. */
#ifndef SNIF_UNIT_H
#define SNIF_UNIT_H

/* Does what its help says. Returns its exit code. */
int unit_main(int argc, char **argv);

#endif
