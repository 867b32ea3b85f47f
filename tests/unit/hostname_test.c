/* SPDX-License-Identifier: BSD-2-Clause */
/* Hosts as written ──► names and forms, or the message that says what to write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "policy/hostname.h"

#define LABEL_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME_253 LABEL_63 "." LABEL_63 "." LABEL_63 ".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test"

static void good_hosts(void **state) {
	static const struct {
		const char *text;
		enum host_form form;
		const char *name;
	} table[] = {
		{"example.test", HOST_EXACT, "example.test"},
		{"*.example.test", HOST_BELOW, "example.test"},
		{".example.test", HOST_BOTH, "example.test"},
		{"EXAMPLE.Test", HOST_EXACT, "example.test"},
		{"example.test.", HOST_EXACT, "example.test"},
		{"*.example.test.", HOST_BELOW, "example.test"},
		{"localhost", HOST_EXACT, "localhost"},
		{"_dmarc.example.test", HOST_EXACT, "_dmarc.example.test"},
		{"r3---sn-x.example.test", HOST_EXACT, "r3---sn-x.example.test"},
		{"-a-.example.test", HOST_EXACT, "-a-.example.test"},
		{"1.example.test", HOST_EXACT, "1.example.test"},
		{"bücher.test", HOST_EXACT, "xn--bcher-kva.test"},
		{"BÜCHER.test", HOST_EXACT, "xn--bcher-kva.test"},
		{"*.bücher.test", HOST_BELOW, "xn--bcher-kva.test"},
		{"faß.test", HOST_EXACT, "xn--fa-hia.test"}, /* non-transitional: not fass.test */
		{"例え。テスト", HOST_EXACT, "xn--r8jz45g.xn--zckzah"},
		{"xn--bcher-kva.test", HOST_EXACT, "xn--bcher-kva.test"},
		{LABEL_63 ".test", HOST_EXACT, LABEL_63 ".test"},
		{NAME_253, HOST_EXACT, NAME_253},
		{"com", HOST_EXACT, "com"},
		{"github.io", HOST_EXACT, "github.io"},
		{"*.user.github.io", HOST_BELOW, "user.github.io"},
		{"*.bucket.s3.amazonaws.com", HOST_BELOW, "bucket.s3.amazonaws.com"},
		{"*.bucket.s3.us-west-2.amazonaws.com", HOST_BELOW, "bucket.s3.us-west-2.amazonaws.com"},
		{"*.bucket.s3-us-west-2.amazonaws.com", HOST_BELOW, "bucket.s3-us-west-2.amazonaws.com"},
		{"*.1a2b.execute-api.eu-west-1.amazonaws.com", HOST_BELOW, "1a2b.execute-api.eu-west-1.amazonaws.com"},
		{"*.123456789012.dkr.ecr.eu-west-1.amazonaws.com", HOST_BELOW,
		 "123456789012.dkr.ecr.eu-west-1.amazonaws.com"},
		{"*.lb-1.eu-west-1.elb.amazonaws.com", HOST_BELOW, "lb-1.eu-west-1.elb.amazonaws.com"},
		{"*.notamazonaws.com", HOST_BELOW, "notamazonaws.com"},
		{"*.account.blob.core.windows.net", HOST_BELOW, "account.blob.core.windows.net"},
		{"*.account.z13.web.core.windows.net", HOST_BELOW, "account.z13.web.core.windows.net"},
		{"*.app.amplifyapp.com", HOST_BELOW, "app.amplifyapp.com"},
		{"*.bucket.storage.googleapis.com", HOST_BELOW, "bucket.storage.googleapis.com"},
		{"*.vm.westeurope.cloudapp.azure.com", HOST_BELOW, "vm.westeurope.cloudapp.azure.com"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char message[HOSTNAME_MESSAGE] = "";
		struct hostname name;

		if (hostname_parse(table[i].text, false, &name, message) < 0)
			fail_msg("%s: %s", table[i].text, message);
		assert_string_equal(name.name, table[i].name);
		assert_int_equal(name.form, table[i].form);
	}
}

#define STAR ": a * can only stand alone before the first dot, like `*.example.com`: write the names one by one"

static void bad_hosts(void **state) {
	static const struct {
		const char *text, *message;
	} table[] = {
		{"", "a host is empty: write one like example.com"},
		{".", "`.` names no host: write one like example.com"},
		{"*", "`*` is no host: write the hosts you need, or `any`, which allows every name"},
		{"*.", "`*.` is no host: write the hosts you need, or `any`, which allows every name"},
		{"a*.b.test", "`a*.b.test`" STAR},
		{"*a.b.test", "`*a.b.test`" STAR},
		{"a.*.b.test", "`a.*.b.test`" STAR},
		{"*.*.b.test", "`*.*.b.test`" STAR},
		{".*.b.test", "`.*.b.test`" STAR},
		{"**.b.test", "`**.b.test`: a * stands alone before the first dot: write `*.b.test`"},
		{"www.*", "`www.*`: a * can only stand alone before the first dot, like `*.example.com`: "
			  "write the names one by one"},
		{"a.*.test", "`a.*.test`: a * can only stand alone before the first dot, like `*.example.com`: "
			     "write the names one by one"},
		{"https://a.test/x?y", "`https://a.test/x?y` is a URL: write its host alone, `a.test`"},
		{"a.test:443", "`a.test:443` has a port: write {host: \"a.test\", ports: [443]}"},
		{"a.test:http",
		 "`a.test:http` has a colon in it: write the host alone, `a.test`; ports go under `ports`, as "
		 "numbers"},
		{"a.test:",
		 "`a.test:` has a colon in it: write the host alone, `a.test`; ports go under `ports`, as numbers"},
		{"a.test:65536",
		 "`a.test:65536` has a colon in it: write the host alone, `a.test`; ports go under `ports`, "
		 "as numbers"},
		{"a.test:0443",
		 "`a.test:0443` has a colon in it: write the host alone, `a.test`; ports go under `ports`, as numbers"},
		{"*.a.test:443", "`*.a.test:443` has a port: write {host: \"*.a.test\", ports: [443]}"},
		{"a b:443", "`a b:443` is more than one word: write a host alone, like example.com"},
		{"192.0.2.1:443",
		 "`192.0.2.1:443` is an address with a port, not a hostname: address rules go under `direct`"},
		{"2001:db8::x", "`2001:db8::x` has a colon in it: hostnames have letters, digits, - and _"},
		{"https://user:word@a.test:8443/@",
		 "`https://user:word@a.test:8443/@` is a URL: write its host alone, `a.test`"},
		{"https://", "`https://` is a URL: write a host alone, like example.com"},
		{"https://192.0.2.1/", "`https://192.0.2.1/` is a URL: write a host alone, like example.com"},
		{"https://a..test/", "`https://a..test/` is a URL: write a host alone, like example.com"},
		{"https://*a.test/", "`https://*a.test/` is a URL: write a host alone, like example.com"},
		{"/x", "`/x` has a path, which TLS does not show: write a host alone, like example.com"},
		{"*/x", "`*/x` has a path, which TLS does not show: write a host alone, like example.com"},
		{"a.*.b..test", "`a.*.b..test`: a * can only stand alone before the first dot, like `*.example.com`: "
				"write the names one by one"},
		{"a*.2.1", "`a*.2.1`: a * can only stand alone before the first dot, like `*.example.com`: write the "
			   "names one by one"},
		{"a.test/x", "`a.test/x` has a path, which TLS does not show: write the host alone, `a.test`"},
		{"192.0.2.1", "`192.0.2.1` is an address, not a hostname: address rules go under `direct`"},
		{"192.0.2.0/24", "`192.0.2.0/24` is an address, not a hostname: address rules go under `direct`"},
		{"192.0.2.1/24", "`192.0.2.1/24` is an address, not a hostname: address rules go under `direct`"},
		{"2001:db8::1", "`2001:db8::1` is an address, not a hostname: address rules go under `direct`"},
		{"[2001:db8::1]", "`[2001:db8::1]` is an address, not a hostname: address rules go under `direct`"},
		{"*.2.1", "`*.2.1` is an address or ends in a number like one: address rules go under `direct`"},
		{"１９２.０.２.１", "`１９２.０.２.１` is an address or ends in a number like one: address rules "
				    "go under `direct`"},
		{"a..b.test", "`a..b.test` has an empty label: write one dot between labels"},
		{"a.test..", "`a.test..` has an empty label: write one dot between labels"},
		{"..a.test", "`..a.test` has an empty label: write one dot between labels"},
		{"a b.test", "`a b.test` is more than one word: write each host as an item of its own, like `b.test`"},
		{"a@b.test", "`a@b.test` has `@` in it: hostnames have letters, digits, - and _"},
		{"a" LABEL_63 ".test",
		 "`a" LABEL_63 ".test` is too long: a hostname has at most 253 bytes, and 63 between dots"},
		{"a" NAME_253,
		 "`aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaa` is too long: "
		 "a hostname has at most 253 bytes, and 63 between dots"},
		{"a.b." NAME_253,
		 "`a.b.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...` is longer than a hostname can "
		 "be (253 bytes)"},
		{"\xff.test", "`\xff.test` is no international hostname: string encoding error"},
		{"＊.test", "`＊.test` has `*` in it: hostnames have letters, digits, - and _"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char message[HOSTNAME_MESSAGE] = "";
		struct hostname name;

		if (hostname_parse(table[i].text, true, &name, message) != -EINVAL)
			fail_msg("%s is accepted", table[i].text);
		assert_string_equal(message, table[i].message);
	}
}

static void public_suffixes_need_a_word(void **state) {
	static const char *const table[] = {
		"*.com",
		"*.co.uk",
		".co.uk",
		"*.github.io",
		"*.amazonaws.com",
		"*.s3.amazonaws.com",
		"*.test",
		".com",
		"*.amazonaws.com.cn",
		"*.eu-west-2.amazonaws.com",
		"*.公司.cn",
		"*.COM.",
		"*.ck",
		"*.x.ck",
		"*.core.windows.net",
		"*.githubusercontent.com",
		".amazonaws.com.cn",
		"*.us-west-2.amazonaws.com",
		"*.us-gov-west-1.amazonaws.com",
		"*.eusc-de-east-1.amazonaws.com",
		"*.cn-northwest-1.amazonaws.com.cn",
		"*.s3-us-west-2.amazonaws.com",
		"*.s3-website-us-east-1.amazonaws.com",
		"*.compute.amazonaws.com",
		"*.elb.amazonaws.com",
		"*.us-west-2.elb.amazonaws.com",
		"*.s3.us-west-2.vpce.amazonaws.com",
		"*.dkr.ecr.us-west-2.amazonaws.com",
		"*.lambda-url.us-west-2.on.aws",
		"*.amplifyapp.com",
		"*.azureedge.net",
		"*.blob.core.windows.net",
		"*.table.core.windows.net",
		"*.queue.core.windows.net",
		"*.file.core.windows.net",
		"*.web.core.windows.net",
		"*.z13.web.core.windows.net",
		"*.googleusercontent.com",
		"*.storage.googleapis.com",
		"*.digitaloceanspaces.com",
		"*.cloudapp.azure.com",
		"*.westeurope.cloudapp.azure.com",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char message[HOSTNAME_MESSAGE], expected[HOSTNAME_MESSAGE];
		struct hostname name;

		if (hostname_parse(table[i], false, &name, message) != -EINVAL)
			fail_msg("%s is accepted", table[i]);
		snprintf(
			expected, sizeof(expected),
			"`%s` covers a public suffix, where anyone can get a name: write the hosts you need, or {host: "
			"\"%s\", public_suffix: true}",
			table[i], table[i]);
		assert_string_equal(message, expected);
		assert_int_equal(hostname_parse(table[i], true, &name, message), 0);
	}
}

/* A suggestion would be refused for what it covers. */
static void no_public_suffix_is_suggested(void **state) {
	static const char *const table[][2] = {
		{"https://*.com/", "`https://*.com/` is a URL: write a host alone, like example.com"},
		{"*.github.io/x",
		 "`*.github.io/x` has a path, which TLS does not show: write a host alone, like example.com"},
		{"a*.github.io", "`a*.github.io`: a * can only stand alone before the first dot, like `*.example.com`: "
				 "write the names one by one"},
	};
	char message[HOSTNAME_MESSAGE];
	struct hostname name;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		assert_int_equal(hostname_parse(table[i][0], false, &name, message), -EINVAL);
		assert_string_equal(message, table[i][1]);
	}
}

/* Whatever the list knows: it has some of them, by its age. */
static void amazons_services_in_all_regions_need_a_word(void **state) {
	static const char *const regions[] = {
		"af-south-1",	"ap-east-1",	 "ap-northeast-1", "ap-northeast-3", "ap-south-2", "ap-southeast-5",
		"ca-central-1", "ca-west-1",	 "eu-central-2",   "eu-north-1",     "eu-south-2", "eu-west-3",
		"il-central-1", "me-central-1",	 "me-south-1",	   "mx-central-1",   "sa-east-1",  "us-east-1",
		"us-east-2",	"us-gov-east-1", "us-iso-west-1",  "us-isob-east-1", "us-west-1",  "us-west-2",
	};
	static const char *const formats[] = {
		"*.%s.amazonaws.com",
		".s3.%s.amazonaws.com",
		"*.s3.dualstack.%s.amazonaws.com",
		"*.s3-website.%s.amazonaws.com",
		"*.s3-accesspoint.dualstack.%s.amazonaws.com",
		"*.s3-%s.amazonaws.com",
		"*.execute-api.%s.amazonaws.com",
		"*.sqs.%s.amazonaws.com",
		"*.iot.%s.amazonaws.com",
		"*.vfs.cloud9.%s.amazonaws.com",
		"*.%s.es.amazonaws.com",
		"*.%s.rds.amazonaws.com",
	};
	char text[256], message[HOSTNAME_MESSAGE];
	struct hostname name;

	(void)state;
	for (size_t r = 0; r < sizeof(regions) / sizeof(*regions); r++) {
		for (size_t f = 0; f < sizeof(formats) / sizeof(*formats); f++) {
			snprintf(text, sizeof(text), formats[f], regions[r]);
			if (hostname_parse(text, false, &name, message) != -EINVAL)
				fail_msg("%s is accepted", text);
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_hosts),
		cmocka_unit_test(bad_hosts),
		cmocka_unit_test(public_suffixes_need_a_word),
		cmocka_unit_test(no_public_suffix_is_suggested),
		cmocka_unit_test(amazons_services_in_all_regions_need_a_word),
	};

	return cmocka_run_group_tests_name("hostname", tests, NULL, NULL);
}
