/* SPDX-License-Identifier: BSD-2-Clause */
/* A container's configuration (config.json of a bundle), with snifence's hook in it. */
#ifndef SNIF_OCI_CONFIG_H
#define SNIF_OCI_CONFIG_H

/*
 * Adds `program oci-hook` to the hooks of the bundle's configuration, and the annotation that names a policy where it has
 * none: what SNIFENCE_POLICY is in the container's environment, else `default`. Returns 0 or a negative errno, after saying
 * why.
 */
int oci_config_add_hook(const char *bundle, const char *program);

#endif
