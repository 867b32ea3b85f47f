/* SPDX-License-Identifier: BSD-2-Clause */
/* What a test says of an event ──► its line. */
#include "log_maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *either(const char *text, const char *usual) {
	return text ? text : usual;
}

void make_line(FILE *out, const struct made_line *line) {
	const char *address = either(line->address, "192.0.2.1");

	fprintf(out, "{\"timestamp\":\"2026-01-02T%02d:%02d:%02d.000000+0000\",\"event_version\":1,",
		3 + line->second / 3600, line->second / 60 % 60, line->second % 60);
	if (line->sequence)
		fprintf(out, "\"run_id\":\"%s\",\"sequence\":%d,", either(line->run, "000000000000f00d"),
			line->sequence);
	fprintf(out, "\"event_type\":\"%s\",", line->lookup ? "dns" : line->name ? "tls" : "flow");
	if (*address)
		fprintf(out, "\"dest_ip\":\"%s\",\"dest_port\":%d,", address, line->port ? line->port : 443);
	fprintf(out, "\"proto\":\"%s\",", either(line->protocol, "TCP"));
	if (line->lookup)
		fprintf(out, "\"dns\":{\"type\":\"query\",\"id\":7,\"rrname\":\"%s\",\"rrtype\":\"A\"},", line->name);
	else if (line->name)
		fprintf(out, "\"tls\":{\"sni\":\"%s\",\"version\":\"TLS 1.3\"},\"ech\":false,", line->name);
	fprintf(out, "\"verdict\":{\"action\":\"%s\"},\"reason\":\"%s\",", either(line->action, "drop"),
		either(line->reason, "name_not_allowed"));
	if (line->rule)
		fprintf(out, "\"rule\":\"%s\",", line->rule);
	if (line->expected)
		fputs("\"expected\":true,", out);
	if (line->sha256)
		fprintf(out, "\"policy_sha256\":\"%s\",", line->sha256);
	fprintf(out, "\"policy\":\"%s\",\"mode\":\"enforce\",\"hook\":\"egress\",", either(line->policy, "agent"));
	fprintf(out, "\"process\":{\"pid\":7,\"name\":\"%s\",\"uid\":1000},\"cgroup\":{\"path\":\"%s\"}}\n",
		either(line->process, "curl"), either(line->cgroup, "/snifence-42"));
}

FILE *new_log(const char *path) {
	FILE *log = fopen(path, "we");

	assert_non_null(log);
	return log;
}

void make_log(const char *path, const struct made_line lines[], size_t count) {
	FILE *log = new_log(path);

	for (size_t i = 0; i < count; i++)
		make_line(log, &lines[i]);
	assert_int_equal(fclose(log), 0);
}
