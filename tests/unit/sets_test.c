/* SPDX-License-Identifier: BSD-2-Clause */
/* Set files of every format ──► prefixes, and the places of what is wrong in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/prefix.h"
#include "../support/policy_told.h"
#include "policy/sets.h"

static char folder[] = "/tmp/snifence-sets-XXXXXX";
static char path[64];

/* One file, read with at most one word in each filter. */
struct result {
	int error;
	struct set_word region_words[1], service_words[1];
	struct set_filter regions, services;
	char *prefixes; /* with spaces between them */
	const char *unread;
	char *diagnostics; /* as printed, without the folder */
};

static char *join(const struct prefix_list *list) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < list->count; i++) {
		char prefix[PREFIX_TEXT];

		prefix_format(&list->items[i], prefix);
		fprintf(out, "%s%s", i ? " " : "", prefix);
	}
	fclose(out);
	return text;
}

static char *print(struct diagnostics *diagnostics) {
	char *text = diagnostics_told(diagnostics), *found;

	while ((found = strstr(text, path)))
		memmove(found, found + strlen(path), strlen(found + strlen(path)) + 1);
	return text;
}

static void write_bytes(const char *bytes, size_t length) {
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static struct result read_file(const char *region, const char *service) {
	struct result result = {0};
	struct diagnostics diagnostics = {0};
	struct prefix_list list = {0};

	result.region_words[0].text = region;
	result.service_words[0].text = service;
	result.regions.words = result.region_words;
	result.services.words = result.service_words;
	result.regions.count = region != NULL;
	result.services.count = service != NULL;
	result.error = set_file_read(path, &result.regions, &result.services, &list, &diagnostics, &result.unread);
	result.prefixes = join(&list);
	result.diagnostics = print(&diagnostics);
	free(list.items);
	return result;
}

/* Expects the file with `text` to give `prefixes` and, in this order, `diagnostics`. */
static void expect(const char *text, const char *region, const char *service, const char *prefixes,
		   const char *diagnostics) {
	struct result result;

	write_bytes(text, strlen(text));
	result = read_file(region, service);
	assert_string_equal(result.diagnostics, diagnostics);
	assert_string_equal(result.prefixes, prefixes);
	assert_int_equal(result.error, strstr(diagnostics, "error") ? -EINVAL : 0);
	free(result.prefixes);
	free(result.diagnostics);
}

static void text_files(void **state) {
	(void)state;
	expect("", NULL, NULL, "", "");
	expect("# nothing\n\n  \n", NULL, NULL, "", "");
	expect("192.0.2.0/24\n2001:db8::/32\n", NULL, NULL, "192.0.2.0/24 2001:db8::/32", "");
	expect("\xef\xbb\xbf"
	       "192.0.2.0/24\r\n  198.51.100.7 # one host\r\n",
	       NULL, NULL, "192.0.2.0/24 198.51.100.7", "");
	expect("2001:db8::/32\n192.0.2.0/24", NULL, NULL, "192.0.2.0/24 2001:db8::/32", "");
	/* overlapping ones stay, the same twice does not */
	expect("192.0.2.0/24\n192.0.2.0/25\n192.0.2.0/24\n", NULL, NULL, "192.0.2.0/24 192.0.2.0/25", "");
	expect("::ffff:192.0.2.0/120\n", NULL, NULL, "192.0.2.0/24", "");
}

static void text_errors(void **state) {
	(void)state;
	expect("192.0.2.0/24\n  192.0.2.0/33\nexample.test\n192.0.2.0/24 192.0.2.1\n", NULL, NULL, "192.0.2.0/24",
	       ":2:3: error: `192.0.2.0/33` has no good length: write 0 to 32 behind the /\n"
	       ":3:1: error: `example.test` is not an address or prefix, like 192.0.2.0/24 or 2001:db8::/32\n"
	       ":4:1: error: `192.0.2.0/24 192.0.2.1` has no good length: write 0 to 32 behind the /\n");
	expect("2001:db8::/129\nfe80::1%lo\n::ffff:0:0/95\n64:ff9b::/96\n", NULL, NULL, "",
	       ":1:1: error: `2001:db8::/129` has no good length: write 0 to 128 behind the /\n"
	       ":2:1: error: `fe80::1%lo` has a zone id, which names an interface: write the address without it\n"
	       ":3:1: error: `::ffff:0:0/95` is wider than the v4-mapped addresses: write IPv4 prefixes as such, like "
	       "0.0.0.0/0\n"
	       ":4:1: error: `64:ff9b::/96` is NAT64 (64:ff9b::/96), which is judged as IPv4: write the IPv4 address or "
	       "prefix\n");
	expect("\n192.0.2.1/24\n192.0.2.2/24\n2001:db8::1/32\n", NULL, NULL, "192.0.2.0/24 2001:db8::/32",
	       ":2:1: warning: 3 of the prefixes have bits set behind their length; they are taken as cleared\n");
}

/* Which the caller tells, who knows where the file is named. */
static void expect_unread(const char *why) {
	struct result result = read_file(NULL, NULL);

	assert_int_equal(result.error, -EIO);
	assert_string_equal(result.unread, why);
	assert_string_equal(result.diagnostics, "");
	free(result.prefixes);
	free(result.diagnostics);
}

static void files_that_are_none(void **state) {
	struct result result;

	(void)state;
	write_bytes("192.0.2.0/24\n\0", 14);
	result = read_file(NULL, NULL);
	assert_string_equal(result.diagnostics, ":2:1: error: a NUL byte: this is no text file\n");
	free(result.prefixes);
	free(result.diagnostics);
	assert_int_equal(unlink(path), 0);
	expect_unread("No such file or directory");
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_unread("it is a pipe: write what comes from it to a file first");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	expect_unread("it is a directory: name a file in it");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	expect_unread("it is a device: name a file");
	assert_int_equal(unlink(path), 0);
	write_bytes("", 0);
	assert_int_equal(truncate(path, (64 << 20) + 1), 0);
	expect_unread("it is too large (at most 64 MiB)");
}

static void aws(void **state) {
	static const char text[] =
		"{\"syncToken\": \"1\", \"createDate\": \"2026-01-01-00-00-00\", \"prefixes\": [\n"
		"{\"ip_prefix\": \"192.0.2.0/25\", \"region\": \"eu-west-1\", \"service\": \"AMAZON\"},\n"
		"{\"ip_prefix\": \"192.0.2.0/25\", \"region\": \"eu-west-1\", \"service\": \"S3\"},\n"
		"{\"ip_prefix\": \"198.51.100.0/24\", \"region\": \"us-east-1\", \"service\": \"S3\"}],\n"
		"\"ipv6_prefixes\": [{\"ipv6_prefix\": \"2001:db8::/40\", \"region\": \"eu-west-1\", \"service\": \"EC2\"}]}\n";

	(void)state;
	expect(text, NULL, NULL, "192.0.2.0/25 198.51.100.0/24 2001:db8::/40", "");
	expect(text, "eu-west-1", NULL, "192.0.2.0/25 2001:db8::/40", "");
	expect(text, NULL, "s3", "192.0.2.0/25 198.51.100.0/24", "");
	expect(text, "eu-west-1", "S3", "192.0.2.0/25", "");
	expect(text, "eu-west-9", NULL, "", "");
	expect("{\"prefixes\": [{\"ip_prefix\": \"192.0.2.0/24\"}, {}, 1,\n {\"ip_prefix\": \"192.0.2.0/99\"}]}", NULL,
	       NULL, "192.0.2.0/24",
	       ": error: item 2 of `prefixes` has no `ip_prefix`\n"
	       ": error: item 3 of `prefixes` has no `ip_prefix`\n"
	       ":2:17: error: `192.0.2.0/99` has no good length: write 0 to 32 behind the /\n");
}

static void google(void **state) {
	static const char cloud[] =
		"{\"syncToken\": \"1\", \"creationTime\": \"2026-01-01T00:00:00\", \"prefixes\": [\n"
		"{\"ipv4Prefix\": \"192.0.2.0/24\", \"service\": \"Google Cloud\", \"scope\": \"us-east1\"},\n"
		"{\"ipv6Prefix\": \"2001:db8::/44\", \"service\": \"Google Cloud\", \"scope\": \"africa-south1\"}]}";

	(void)state;
	expect(cloud, NULL, NULL, "192.0.2.0/24 2001:db8::/44", "");
	expect(cloud, "africa-south1", NULL, "2001:db8::/44", "");
	expect(cloud, NULL, "google cloud", "192.0.2.0/24 2001:db8::/44", "");
	expect("{\"prefixes\": [{\"ipv6Prefix\": \"2001:db8::/32\"}, {\"scope\": \"x\"}]}", NULL, NULL, "2001:db8::/32",
	       ": error: item 2 of `prefixes` has no `ipv4Prefix` and no `ipv6Prefix`\n");
}

static void azure(void **state) {
	static const char text[] =
		"{\"changeNumber\": 1, \"cloud\": \"Public\", \"values\": [\n"
		"{\"name\": \"Storage\", \"id\": \"Storage\", \"properties\": {\"region\": \"\", \"systemService\": "
		"\"AzureStorage\", \"addressPrefixes\": [\"192.0.2.0/24\", \"2001:db8::/48\"]}},\n"
		"{\"name\": \"Storage.WestEurope\", \"properties\": {\"region\": \"westeurope\", \"systemService\": "
		"\"AzureStorage\", \"addressPrefixes\": [\"192.0.2.128/25\"]}},\n"
		"{\"name\": \"Sql\", \"properties\": {\"region\": \"westeurope\", \"systemService\": \"AzureSQL\", "
		"\"addressPrefixes\": [\"198.51.100.0/24\"]}}]}";

	(void)state;
	expect(text, NULL, NULL, "192.0.2.0/24 192.0.2.128/25 198.51.100.0/24 2001:db8::/48", "");
	expect(text, "WestEurope", NULL, "192.0.2.128/25 198.51.100.0/24", "");
	expect(text, NULL, "AzureStorage", "192.0.2.0/24 192.0.2.128/25 2001:db8::/48", "");
	expect(text, NULL, "Storage", "192.0.2.0/24 192.0.2.128/25 2001:db8::/48", "");
	expect(text, NULL, "Storage.WestEurope", "192.0.2.128/25", "");
	expect(text, "westeurope", "AzureSQL", "198.51.100.0/24", "");
	expect("{\"values\": [{\"name\": \"A\"}, {\"properties\": {\"addressPrefixes\": [7]}}]}", NULL, NULL, "",
	       ": error: item 1 of `values` has no `properties` with `addressPrefixes`\n"
	       ": error: item 1 of `addressPrefixes` is not a string\n");
}

static void github(void **state) {
	static const char text[] =
		"{\"verifiable_password_authentication\": false,\n"
		"\"ssh_key_fingerprints\": {\"SHA256_RSA\": \"x\"}, \"ssh_keys\": [\"ssh-ed25519 AAAA\"],\n"
		"\"hooks\": [\"192.0.2.0/24\"], \"web\": [\"192.0.2.0/24\", \"2001:db8::/32\"],\n"
		"\"actions\": [\"198.51.100.0/24\"], \"domains\": {\"website\": [\"*.github.com\"]}}";

	(void)state;
	expect(text, NULL, NULL, "192.0.2.0/24 198.51.100.0/24 2001:db8::/32", "");
	expect(text, NULL, "web", "192.0.2.0/24 2001:db8::/32", "");
	expect(text, NULL, "domains", "", "");
	expect("{\"hooks\": [\"192.0.2.0/24\", \"junk\", 5]}", NULL, NULL, "192.0.2.0/24",
	       ": error: item 3 of `hooks` is not a string\n"
	       ":1:29: error: `junk` is not an address or prefix, like 192.0.2.0/24 or 2001:db8::/32\n");
}

static void filters_tell_what_they_saw(void **state) {
	struct result result;

	(void)state;
	write_bytes("192.0.2.0/24\n", 13);
	result = read_file("eu-west-1", NULL);
	assert_false(result.regions.known);
	free(result.prefixes);
	free(result.diagnostics);
	write_bytes("{\"hooks\": [\"192.0.2.0/24\"]}", 27);
	result = read_file("x", "hooks");
	assert_false(result.regions.known);
	assert_true(result.services.known);
	assert_true(result.service_words[0].seen);
	free(result.prefixes);
	free(result.diagnostics);
}

static void json_that_is_none(void **state) {
	static const char unknown[] =
		": error: not a format that is known: AWS ip-ranges.json, Google cloud.json or goog.json, Azure ServiceTags, "
		"GitHub meta; or write one prefix on each line\n";

	(void)state;
	expect("{\"a\": 1}", NULL, NULL, "", unknown);
	expect("{\"prefixes\": {}}", NULL, NULL, "", unknown);
	expect("{}", NULL, NULL, "", unknown);
	expect("{\"prefixes\": [\n{\"ip_prefix\": 'x'}]}", NULL, NULL, "",
	       ":2:15: error: not JSON: unexpected character\n");
	expect("{\"prefixes\": [", NULL, NULL, "", ":1:15: error: not JSON: unexpected end of data\n");
	expect("{\"hooks\": []} x", NULL, NULL, "", ":1:15: error: not JSON: unexpected character\n");
}

static int make_folder(void **state) {
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/set", folder);
	return 0;
}

static int remove_folder(void **state) {
	(void)state;
	unlink(path);
	return rmdir(folder);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_files),
		cmocka_unit_test(text_errors),
		cmocka_unit_test(files_that_are_none),
		cmocka_unit_test(aws),
		cmocka_unit_test(google),
		cmocka_unit_test(azure),
		cmocka_unit_test(github),
		cmocka_unit_test(filters_tell_what_they_saw),
		cmocka_unit_test(json_that_is_none),
	};

	return cmocka_run_group_tests_name("sets", tests, make_folder, remove_folder);
}
