/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence features`: what this machine offers, and what that means. */
#ifndef SNIF_FEATURE_COMMAND_H
#define SNIF_FEATURE_COMMAND_H

/* Does what the manual says of `snifence features`. Returns its exit code. */
int features_main(int argc, char **argv);

#endif
