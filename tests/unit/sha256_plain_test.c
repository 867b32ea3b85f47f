/* SPDX-License-Identifier: BSD-2-Clause */
/* The same without the processor's own instructions, which this machine may have and others have not. */
#define SHA256_PLAIN

#include "../../userspace/base/sha256.c"
#include "sha256_test.c"
