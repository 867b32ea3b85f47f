/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence init`: a policy that ships ──► a file to begin with. */
#ifndef SNIF_INIT_H
#define SNIF_INIT_H

/* Runs `snifence init` with argv[0] being its name. Returns its exit code. */
int init_main(int argc, char **argv);

#endif
