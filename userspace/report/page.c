/* SPDX-License-Identifier: BSD-2-Clause */
/* report_page.css, report_page.js ──► the begin and end of a page, with their hashes. */
#include "report/page.h"

#include <string.h>

#include "base/sha256.h"
#include "report/html.h"

/* The file as a text in the program. The assembler looks for it where the headers are. */
#define EMBED(symbol, file)                                                                                            \
	extern const char symbol[];                                                                                    \
	__asm__(".pushsection .rodata, \"a\"\n" #symbol ": .incbin \"" file "\"\n.byte 0\n.popsection\n")

EMBED(page_style, "report/report_page.css");
EMBED(page_script, "report/report_page.js");

enum { HASH_TEXT_SIZE = 4 * ((SHA256_BYTES + 2) / 3) + 1 };

/* As Content Security Policy Level 3, section 2.3.1, writes a hash-source: in base64. */
static void hash_text(const char *text, char out[HASH_TEXT_SIZE]) {
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t hash[SHA256_BYTES + 1] = {0};

	sha256(text, strlen(text), hash);
	for (int i = 0; i < SHA256_BYTES; i += 3) {
		uint32_t bits = (uint32_t)hash[i] << 16 | (uint32_t)hash[i + 1] << 8 | hash[i + 2];

		for (int digit = 0; digit < 4; digit++)
			*out++ = digits[bits >> (18 - 6 * digit) & 63];
	}
	out[-1] = '='; /* of the last three bytes there were two */
	*out = '\0';
}

void page_begin(const char *title, FILE *out) {
	char style[HASH_TEXT_SIZE], script[HASH_TEXT_SIZE];

	hash_text(page_style, style);
	hash_text(page_script, script);
	html_print(
		out,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-%s'; "
		"script-src 'sha256-%s'; base-uri 'none'; form-action 'none'\">\n"
		"<meta name=\"referrer\" content=\"no-referrer\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>%s</title>\n<style>",
		style, script, title);
	fputs(page_style, out);
	fputs("</style>\n</head>\n<body>\n", out);
}

void page_end(FILE *out) {
	fputs("<script>", out);
	fputs(page_script, out);
	fputs("</script>\n</body>\n</html>\n", out);
}
