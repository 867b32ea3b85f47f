/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence oci-hook`: a container comes under a policy before its first instruction. */
#ifndef SNIF_OCI_HOOK_H
#define SNIF_OCI_HOOK_H

/* Does what its help says. Returns its exit code. */
int oci_hook_main(int argc, char **argv);

#endif
