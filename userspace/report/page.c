/* SPDX-License-Identifier: BSD-2-Clause */
/* report_page.css, report_page.js ──► the begin and end of a page, with their hashes. */
#include "report/page.h"

#include <errno.h>
#include <string.h>

#include <openssl/evp.h>

#include "report/html.h"

/* The file as a text in the program. The assembler looks for it where the headers are. */
#define EMBED(symbol, file)                                                                                            \
	extern const char symbol[];                                                                                    \
	__asm__(".pushsection .rodata, \"a\"\n" #symbol ": .incbin \"" file "\"\n.byte 0\n.popsection\n")

EMBED(page_style, "report/report_page.css");
EMBED(page_script, "report/report_page.js");

enum { HASH_SIZE = 32, HASH_TEXT_SIZE = 4 * ((HASH_SIZE + 2) / 3) + 1 };

/* As Content Security Policy Level 3, section 2.3.1, writes a hash-source. */
static int hash_text(const char *text, unsigned char out[HASH_TEXT_SIZE]) {
	unsigned char hash[EVP_MAX_MD_SIZE];

	if (EVP_Digest(text, strlen(text), hash, NULL, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	EVP_EncodeBlock(out, hash, HASH_SIZE);
	return 0;
}

int page_begin(const char *title, FILE *out) {
	unsigned char style[HASH_TEXT_SIZE], script[HASH_TEXT_SIZE];
	int error = hash_text(page_style, style);

	if (!error)
		error = hash_text(page_script, script);
	if (error)
		return error;
	html_print(
		out,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-%s'; "
		"script-src 'sha256-%s'; base-uri 'none'; form-action 'none'\">\n"
		"<meta name=\"referrer\" content=\"no-referrer\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>%s</title>\n<style>",
		(char *)style, (char *)script, title);
	fputs(page_style, out);
	fputs("</style>\n</head>\n<body>\n", out);
	return 0;
}

void page_end(FILE *out) {
	fputs("<script>", out);
	fputs(page_script, out);
	fputs("</script>\n</body>\n</html>\n", out);
}
