/* SPDX-License-Identifier: BSD-2-Clause */
/* Any text ──► hostname_parse(): what it accepts is a name that the kernel's normaliser accepts unchanged. */
#include <stdlib.h>
#include <string.h>

#include "policy/hostname.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	char *text = strndup((const char *)data, size), message[HOSTNAME_MESSAGE];
	__u8 again[SNIF_NAME_BUFFER] = {0};
	struct hostname name;
	__u16 length;

	if (!text)
		return 0;
	if (hostname_parse(text, size % 2, &name, message) == 0) {
		length = (__u16)strlen(name.name);
		memcpy(again, name.name, length);
		if (snif_name_normalise(again, &length) != SNIF_REASON_NONE || length != strlen(name.name) ||
		    memcmp(again, name.name, length) != 0)
			abort();
	}
	free(text);
	return 0;
}
