/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence explain`: the words of a refusal ──► what they mean, their usual causes, what to do. */
#ifndef SNIF_EXPLAIN_H
#define SNIF_EXPLAIN_H

/* Runs `snifence explain` with argv[0] being its name. Returns its exit code. */
int explain_main(int argc, char **argv);

#endif
