/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence oci-runtime`: a container runtime for engines that know no hooks. */
#ifndef SNIF_OCI_RUNTIME_H
#define SNIF_OCI_RUNTIME_H

/* Does what its help says. Returns its exit code, where it does not become the runtime. */
int oci_runtime_main(int argc, char **argv);

#endif
