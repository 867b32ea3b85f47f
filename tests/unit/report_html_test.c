/* SPDX-License-Identifier: BSD-2-Clause */
/* Logs ──► the page of `snifence report --html`: what is in it without its script, and that no text becomes markup. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../support/log_maker.h"
#include "../support/output.h"
#include "../support/put_file.h"
#include "analysis/remedy.h"
#include "base/file.h"
#include "base/message.h"
#include "base/replace.h"
#include "report/html.h"
#include "report/report.h"

static char folder[] = "/tmp/snifence-html-XXXXXX";
static char log_file[64], page_file[64];
static char *page; /* what was written last */
static char err[1024];

static int set_up(void **state) {
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	umask(022);
	if (!mkdtemp(folder))
		return -1;
	snprintf(log_file, sizeof(log_file), "%s/log.json", folder);
	snprintf(page_file, sizeof(page_file), "%s/report.html", folder);
	return 0;
}

static int tear_down(void **state) {
	(void)state;
	free(page);
	unlink(log_file);
	unlink(page_file);
	return rmdir(folder); /* fails when a temporary file was left */
}

/* Runs `snifence report`; what it says is in `err`. */
static int report(const char *const words[]) {
	char out[64];

	return output_of(report_main, words, out, sizeof(out), err, sizeof(err));
}

static int report_to(const char *to) {
	return report((const char *const[]){"report", "--html", to, log_file, NULL});
}

static void make_page(FILE *log) {
	const char *message;
	size_t length;

	assert_int_equal(fclose(log), 0);
	assert_int_equal(report_to(page_file), 0);
	free(page);
	page = file_read(page_file, 16 << 20, &length, &message);
	assert_non_null(page);
	assert_int_equal(strlen(page), length);
}

static size_t occurrences(const char *text) {
	size_t count = 0;

	for (const char *at = page; (at = strstr(at, text)); at += strlen(text))
		count++;
	return count;
}

/* The text is in the page, once. */
static void expect_once(const char *text) {
	if (occurrences(text) != 1)
		fail_msg("%zu times in the page: %s", occurrences(text), text);
}

/* What html_print() makes of a text. */
static void expect_text(const char *text, const char *expected) {
	char *written;
	size_t size;
	FILE *out = open_memstream(&written, &size);

	assert_non_null(out);
	html_print(out, "<a b=\"%s\">100%%", text);
	fclose(out);
	assert_int_equal(strncmp(written, "<a b=\"", 6), 0);
	assert_string_equal(written + size - 6, "\">100%");
	written[size - 6] = '\0';
	assert_string_equal(written + 6, expected);
	free(written);
}

static void test_text(void **state) {
	char longer[HTML_TEXT_MAX + 2], expected[sizeof(longer) + sizeof("&hellip;")];

	(void)state;
	expect_text("", "");
	expect_text("api.example.test", "api.example.test");
	expect_text("</script><script>", "&#60;/script&#62;&#60;script&#62;");
	expect_text("\" onload='x' &lt;", "&#34; onload=&#39;x&#39; &#38;lt;");
	expect_text("%s%n\\", "%s%n\\");
	expect_text("\n\t\x1b[2J\x7f\xe2\x80\xae", "\\x0a\\x09\\x1b[2J\\x7f\\xe2\\x80\\xae");
	memset(longer, 'a', sizeof(longer));
	longer[HTML_TEXT_MAX] = '\0';
	expect_text(longer, longer);
	longer[HTML_TEXT_MAX] = '<';
	longer[HTML_TEXT_MAX + 1] = '\0';
	snprintf(expected, sizeof(expected), "%.*s&hellip;", HTML_TEXT_MAX, longer);
	expect_text(longer, expected);
}

/* All of it is there without the script: totals, charts, every table with its rows in order. */
static void test_content(void **state) {
	FILE *log = new_log(log_file);

	(void)state;
	for (int i = 0; i < 1235; i++)
		MAKE_LINE(log, .second = 60, .name = "pypi.test", .process = i % 2 ? "pip" : "uv");
	MAKE_LINE(log, .second = 61, .name = "api.github.test", .action = "pass", .reason = "name_allowed",
		  .policy = "other");
	MAKE_LINE(log, .second = 90, .name = "api.gihtub.test", .action = "alert");
	MAKE_LINE(log, .second = 90, .name = "api.github.test", .reason = "split_records", .process = "nc");
	fputs("broken\n", log);
	make_page(log);
	expect_once("<dt><a href=\"#top\">Refused</a></dt><dd class=\"refused\">1,236</dd>");
	expect_once("<dt><a href=\"#top\">Would be refused</a></dt><dd class=\"refused\">1</dd>");
	expect_once("<dt><a href=\"#attempts\">Look like an attempt</a></dt><dd class=\"attempt\">1</dd>");
	expect_once("<dt>Allowed</dt><dd class=\"allowed\">1</dd>");
	expect_once("<li>1 bad line was passed over, the last one at ");
	expect_once(
		"<title>2026-01-02 03:01:00, Refused, or would be: 1,235</title><rect class=\"reach\" x=\"0\" width=\"10\" "
		"height=\"100\"/><rect class=\"refused\" x=\"1\" y=\"0\" width=\"8\" height=\"100\"/>");
	expect_once(
		"<title>2026-01-02 03:01:30, Refused, or would be: 2</title><rect class=\"reach\" x=\"300\" width=\"10\" "
		"height=\"100\"/><rect class=\"refused\" x=\"301\" y=\"99\" width=\"8\" height=\"1\"/>");
	expect_once("<tr><th scope=\"row\"><time datetime=\"2026-01-02T03:01:01+0000\">2026-01-02 03:01:01</time></th>"
		    "<td class=\"number none\" data-value=\"0\">0</td>"
		    "<td class=\"number allowed\" data-value=\"1\">1</td></tr>\n");
	expect_once("<tr><th scope=\"row\">pypi.test<svg class=\"bar\" aria-hidden=\"true\"><rect class=\"refused\" "
		    "width=\"100%\" height=\"100%\"/></svg></th>"
		    "<td class=\"number refused\" data-value=\"1235\">1,235</td>"
		    "<td class=\"number none\" data-value=\"0\">0</td>"
		    "<td><span>name_not_allowed</span></td><td><span>uv</span>, <span>pip</span></td></tr>\n");
	expect_once(
		"<tr><th scope=\"row\">api.gihtub.test</th><td class=\"number refused both\" data-value=\"1\">1</td>"
		"<td>api.github.test is allowed: a misspelling, or an imitation</td></tr>\n");
	/* a name that something else than a rule keeps out has none */
	expect_once("<pre>tls:\n  allow:\n    - pypi.test\n    - api.gihtub.test\n</pre>");
	/* in the section of attempts, which the tile leads to, and among the reasons */
	assert_int_equal(
		occurrences("<td><span class=\"class attempt\">looks like an attempt</span> the ClientHello is cut "
			    "over several TLS records, which some receivers misread</td>"),
		2);
	expect_once("<tr><th scope=\"row\">other<svg class=\"bar\" aria-hidden=\"true\"><rect class=\"refused\" "
		    "width=\"0%\" height=\"100%\"/></svg></th><td class=\"number none\" data-value=\"0\">0</td>"
		    "<td class=\"number none\" data-value=\"0\">0</td>"
		    "<td class=\"number allowed\" data-value=\"1\">1</td><td><span>curl</span></td></tr>\n");
	expect_once(
		"<tr><th scope=\"row\">api.github.test</th><td class=\"number refused\" data-value=\"1\">1</td>"
		"<td class=\"number none\" data-value=\"0\">0</td><td class=\"number allowed\" data-value=\"1\">1</td>"
		"<td><span>split_records</span></td><td><span>nc</span></td>"
		"<td class=\"time\" data-value=\"1767322890000000\"><time datetime=\"2026-01-02T03:01:30+0000\">"
		"2026-01-02 03:01:30</time></td>"
		"<td class=\"time\" data-value=\"1767322890000000\"><time datetime=\"2026-01-02T03:01:30+0000\">"
		"2026-01-02 03:01:30</time></td></tr>\n");
}

/* Nothing was refused, and nothing is said to have been. */
static void test_audited(void **state) {
	FILE *log = new_log(log_file);

	(void)state;
	MAKE_LINE(log, .name = "api.gihtub.test", .action = "alert");
	MAKE_LINE(log, .name = "api.github.test", .action = "pass", .reason = "name_allowed");
	make_page(log);
	assert_int_equal(occurrences(">Would be refused most</"), 2); /* the link and the section */
	expect_once("<caption>The names that would be refused most</caption>");
	expect_once("<caption>Why connections would be refused</caption>");
	expect_once("<caption>Names that would be refused, and look like allowed ones</caption>");
	assert_int_equal(occurrences("were refused"), 0);
}

/*
 * Tables have a caption and titles with a scope, sections a heading; nothing is loaded and nothing is inline but by
 * hash.
 */
static void test_form(void **state) {
	FILE *log = new_log(log_file);
	size_t tables;

	(void)state;
	MAKE_LINE(log, .name = "pypi.test");
	make_page(log);
	tables = occurrences("<table");
	assert_int_equal(tables, 6);
	assert_int_equal(occurrences("<caption>"), tables);
	assert_int_equal(occurrences("<th>"), 0);
	expect_once("<h1>");
	assert_int_equal(occurrences("<h2 id="), occurrences("<section "));
	assert_int_equal(occurrences("<section aria-labelledby="), occurrences("<section "));
	expect_once("<html lang=\"en\">");
	expect_once("content=\"default-src 'none'; style-src 'sha256-");
	expect_once("<script>");
	expect_once("<style>");
	assert_int_equal(occurrences(" style="), 0);
	assert_int_equal(occurrences(" on"),
			 occurrences(" one") + occurrences(" on.") + occurrences(" on ") + occurrences(" once,"));
	assert_int_equal(occurrences("src="), 0);
	/* to its own sections alone */
	assert_int_equal(occurrences("href="), occurrences("href=\"#"));
	assert_int_equal(occurrences("url("), 0);
	assert_int_equal(occurrences("://"), 0);
}

#define PAYLOAD(number) "\\\"'><script>bad" #number "()</script><img src=x onerror=bad" #number "()>"

/* Of a log of two events that are as many hours apart. */
static void expect_width(int hours, const char *width) {
	time_t end = 1767322800 + hours * 3600;
	FILE *log = new_log(log_file);
	char moment[32], expected[96];

	MAKE_LINE(log, .name = "pypi.test");
	strftime(moment, sizeof(moment), "%FT%TZ", gmtime(&end));
	fprintf(log, "{\"timestamp\":\"%s\",\"event_type\":\"tls\",\"verdict\":{\"action\":\"drop\"}}\n", moment);
	make_page(log);
	snprintf(expected, sizeof(expected), "<span class=\"refused\">Refused</span> at most 1 in %s</p>", width);
	expect_once(expected);
}

/* How long a bar is, which is seconds times a power of two. */
static void test_widths(void **state) {
	(void)state;
	expect_width(1, "1 min");
	expect_width(2, "5 min");
	expect_width(12, "15 min");
	expect_width(24 * 4, "3 h");
	expect_width(24 * 10, "6 h");
	expect_width(24 * 60, "1 day");
	expect_width(24 * 90, "7 days");
	expect_width(24 * 180, "7 days");
}

/* Ticks stand at round times, with the date where it is another one, and charts of unlike height say so. */
static void test_axis(void **state) {
	FILE *log = new_log(log_file);

	(void)state;
	setenv("TZ", "TST-2", 1); /* east of Greenwich */
	tzset();
	MAKE_LINE(log, .name = "a.test", .second = 17 * 3600 + 400);
	MAKE_LINE(log, .name = "b.test", .action = "pass", .second = 20 * 3600 + 400);
	make_page(log);
	setenv("TZ", "UTC", 1);
	tzset();
	expect_once("<p class=\"lane\">Each of the two has a scale of its own.</p>");
	expect_once("<svg class=\"axis\" aria-hidden=\"true\">\n"
		    "<text class=\"middle\" x=\"29.73%\" y=\"1em\">23:00</text>"
		    "<text class=\"middle\" x=\"29.73%\" y=\"2.3em\">2026-01-02</text>\n"
		    "<text class=\"middle\" x=\"62.16%\" y=\"1em\">00:00</text>"
		    "<text class=\"middle\" x=\"62.16%\" y=\"2.3em\">2026-01-03</text>\n"
		    "<text class=\"end\" x=\"94.59%\" y=\"1em\">01:00</text>\n</svg>\n");
	assert_int_equal(occurrences("<line class=\"grid\""), 2 * 3);
}

/* What no rule should be made of has none: QUIC, another name's address, what is refused for a second reason too. */
static void test_rules(void **state) {
	static const struct made_line addresses[] = {
		{.address = "198.51.100.1", .port = 22},
		{.address = "2001:db8::1", .port = 123, .protocol = "UDP"},
		{.address = "198.51.100.1", .port = 443, .protocol = "UDP"},
		{.address = "198.51.100.1", .port = 443},
		{.address = "198.51.100.53", .port = 53, .protocol = "UDP"},
		{.address = "127.0.0.1", .port = 40000},
		{.address = "", .protocol = "ICMP"},
	};
	FILE *log = new_log(log_file);

	(void)state;
	MAKE_LINE(log, .name = "a.test");
	MAKE_LINE(log, .name = "b.test");
	MAKE_LINE(log, .name = "b.test", .reason = "name_elsewhere");
	MAKE_LINE(log, .name = "198.51.100.2:22/TCP", .reason = "name_invalid");
	MAKE_LINE(log, .name = "c.test", .lookup = 1, .reason = "dns_name");
	MAKE_LINE(log, .name = "d.test", .lookup = 1, .reason = "dns_name", .action = "alert");
	MAKE_LINE(log, .name = "d.test", .action = "alert");
	MAKE_LINE(log, .name = "e.test", .lookup = 1, .reason = "dns_name", .action = "alert");
	MAKE_LINE(log, .name = "no.test", .lookup = 1, .reason = "dns_name", .rule = "agent.yaml:3");
	MAKE_LINE(log, .name = "1.2.0.192.in-addr.arpa", .lookup = 1, .reason = "dns_name");
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct made_line line = addresses[i];

		line.reason = i % 2 ? "port_not_allowed" : "address_not_allowed";
		make_line(log, &line);
	}
	make_page(log);
	expect_once("<pre>tls:\n  allow:\n    - d.test\n    - a.test\n    - c.test # " REMEDY_LOOKUP "\n"
		    "direct:\n  allow:\n"
		    "    - {to: 127.0.0.1, proto: tcp} # not inspected\n"
		    "    - {to: 198.51.100.1, proto: tcp, ports: [22]} # not inspected\n"
		    "    - {to: \"2001:db8::1\", proto: udp, ports: [123]} # not inspected\n"
		    "dns:\n  servers:\n    - 198.51.100.53\n  allow:\n    - e.test\n</pre>");
}

/* Of a capture no program is known: nothing of the page is about those that asked. */
static void test_no_processes(void **state) {
	FILE *log = new_log(log_file);

	(void)state;
	fputs("{\"timestamp\":\"2026-01-02T03:00:00.000000+0000\",\"event_type\":\"tls\",\"tls\":{\"sni\":\"a.test\"},"
	      "\"verdict\":{\"action\":\"drop\"},\"reason\":\"name_not_allowed\",\"policy\":\"agent\"}\n",
	      log);
	make_page(log);
	assert_int_equal(occurrences("Asked by"), 0);
	assert_int_equal(occurrences("By process"), 0);
	expect_once("<h2 id=\"policies\">By policy</h2>");
}

/* Times with seconds, and dates, are wide: a phone shows every second one. */
static void test_wide_labels(void **state) {
	static const int ends[] = {20, 4 * 86400};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		FILE *log = new_log(log_file);

		MAKE_LINE(log, .name = "a.test");
		MAKE_LINE(log, .name = "b.test", .second = ends[i]);
		make_page(log);
		assert_in_range(occurrences("y=\"1em\""), 3, 6);
		assert_int_equal(occurrences(" spare\" x"), occurrences("y=\"1em\"") / 2);
	}
}

/* What ran where under which policy is in the head, as far as the log says so. */
static void test_origin(void **state) {
	static const char stats[] =
		"{\"timestamp\":\"2026-01-02T03:00:09.000000+0000\",\"event_type\":\"stats\","
		"\"host\":\"ci<7>\",\"program\":\"%s\",\"policy\":\"agent\",\"policy_file\":\"%s\"}\n";
	FILE *log = new_log(log_file);

	(void)state;
	MAKE_LINE(log, .name = "a.test", .rule = "rules.yaml:3");
	make_page(log);
	expect_once("<p>Policy: <code>rules.yaml</code></p>");
	assert_int_equal(occurrences("Command: "), 0);
	log = new_log(log_file);
	MAKE_LINE(log, .name = "a.test", .rule = "rules.yaml:3");
	fprintf(log, stats, "npm", "/srv/ci/a.yaml");
	fprintf(log, stats, "npm", "/srv/ci/a.yaml");
	fprintf(log, stats, "./build", "/srv/ci/b.yaml");
	make_page(log);
	expect_once("<p>Command: <code>npm</code>, <code>./build</code> on <code>ci&#60;7&#62;</code></p>");
	expect_once("<p>Policy: <code>/srv/ci/a.yaml</code>, <code>/srv/ci/b.yaml</code></p>");
}

/* Whatever a log has of texts, none is anything but a text. */
static void test_payloads(void **state) {
	FILE *log = new_log(log_file);

	(void)state;
	MAKE_LINE(log, .name = PAYLOAD(1), .process = PAYLOAD(2), .policy = PAYLOAD(3), .reason = PAYLOAD(4),
		  .rule = PAYLOAD(5) ":1", .cgroup = PAYLOAD(6));
	MAKE_LINE(log, .address = PAYLOAD(7), .protocol = PAYLOAD(8), .run = PAYLOAD(9), .sequence = 1);
	MAKE_LINE(log, .name = "--><!-- ]]></table></main>", .process = "</style>");
	make_page(log);
	expect_once("<script>");
	expect_once("</script>");
	expect_once("</style>");
	expect_once("</main>");
	assert_int_equal(occurrences("<img"), 0);
	assert_int_equal(occurrences("<!-"), 0);
	assert_int_equal(occurrences("'>"), 0);
	assert_int_equal(occurrences("\"'"), 0);
	assert_true(
		occurrences("<th scope=\"row\">&#34;&#39;&#62;&#60;script&#62;bad1()&#60;/script&#62;&#60;img src=x "
			    "onerror=bad1()&#62;<") >= 1);
	assert_true(occurrences("<span>&#34;&#39;&#62;&#60;script&#62;bad2()&#60;/script&#62;") >= 1);
	expect_once("<th scope=\"row\">--&#62;&#60;!-- ]]&#62;&#60;/table&#62;&#60;/main&#62;</th>");
}

/* Of many names a thousand have a row, and the others one together, however long the names are. */
static void test_bounded(void **state) {
	FILE *log = new_log(log_file);
	char name[16];

	(void)state;
	for (int i = 0; i < 1503; i++) {
		snprintf(name, sizeof(name), "n%04d.test", i);
		MAKE_LINE(log, .name = name);
	}
	make_page(log);
	expect_once("<th scope=\"row\">n0999.test</th>");
	assert_int_equal(occurrences("n1000.test"), 0);
	expect_once(
		"<tfoot><tr><th scope=\"row\">503 others</th><td class=\"number refused\" data-value=\"503\">503</td>");
	expect_once("<tfoot><tr><th scope=\"row\">1,493 others</th>");
	assert_true(strlen(page) < 600000);
}

static void test_nothing(void **state) {
	(void)state;
	make_page(new_log(log_file));
	expect_once("<p>There are no connections in this report.</p>");
	expect_once("<dt>Refused</dt><dd class=\"none\">0</dd>");
	assert_int_equal(occurrences("<table"), 0);
	assert_int_equal(occurrences("<svg"), 0);
}

/* The page takes the place of another whole, with the permissions that a new file has. */
static void test_replaced(void **state) {
	FILE *log = new_log(log_file);
	struct stat status;

	(void)state;
	put_file(page_file, "<!DOCTYPE html>\nold");
	MAKE_LINE(log, .name = "pypi.test");
	make_page(log);
	assert_int_equal(strncmp(page, "<!DOCTYPE html>\n", 16), 0);
	assert_string_equal(page + strlen(page) - 9, "\n</html>\n");
	assert_int_equal(stat(page_file, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0644);
}

static void test_kept_on_failure(void **state) {
	struct replacement page_of;
	const char *message;
	size_t length;
	char *kept;

	(void)state;
	put_file(page_file, "old");
	assert_int_equal(replace_begin(&page_of, page_file), 0);
	fputs("half", page_of.stream);
	assert_int_equal(replace_end(&page_of, -ENOMEM), -ENOMEM);
	assert_int_equal(access(page_of.temporary, F_OK), -1);
	kept = file_read(page_file, 64, &length, &message);
	assert_string_equal(kept, "old");
	free(kept);
	unlink(page_file);
}

static void expect_kept(const char *const words[], const char *format) {
	char expected[256], text[8] = "";
	FILE *file;

	assert_int_equal(report(words), EXIT_USAGE);
	snprintf(expected, sizeof(expected), format, words[2]);
	assert_string_equal(err, expected);
	file = fopen(words[2], "re");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	assert_string_equal(text, "{\"times");
	fclose(file);
}

/* A log is never replaced: not one that is to be read, not one whose name has become that of the page. */
static void test_logs_are_kept(void **state) {
	static const char is_read[] = "snifence: report: %s is a log to be read; name another file for the page\n";
	const char *const named[] = {"report", "--html", log_file, log_file, NULL},
			  *const from_stdin[] = {"report", "--html", log_file, "-", NULL},
			  *const only[] = {"report", "--html", log_file, "/dev/null", NULL};
	int saved = dup(STDIN_FILENO), fd;
	FILE *log = new_log(log_file);

	(void)state;
	MAKE_LINE(log, .name = "pypi.test");
	fclose(log);
	fd = open(log_file, O_RDONLY | O_CLOEXEC);
	dup2(fd, STDIN_FILENO);
	close(fd);
	expect_kept(named, is_read);
	expect_kept(from_stdin, is_read);
	dup2(saved, STDIN_FILENO);
	close(saved);
	expect_kept(only, "snifence: report: %s is there, and no page of HTML; name another file for the page, or "
			  "remove it\n");
}

/* What cannot be read may be anything: it is not replaced, and the user is not told that it is no page. */
static void test_unreadable_file(void **state) {
	char expected[128];

	(void)state;
	put_file(page_file, "<!DOCTYPE html>\n");
	fclose(new_log(log_file));
	assert_int_equal(chmod(page_file, 0) | chmod(folder, 0711), 0);
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	assert_int_equal(report_to(page_file), EXIT_USAGE);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	snprintf(expected, sizeof(expected), "snifence: report: %s cannot be read: Permission denied\n", page_file);
	assert_string_equal(err, expected);
	assert_int_equal(unlink(page_file), 0);
}

static void test_wrong_file(void **state) {
	const char *const by[] = {"report", "--by", "name", "--html", page_file, log_file, NULL};

	(void)state;
	fclose(new_log(log_file));
	assert_int_equal(report_to("/dev/null"), EXIT_FAILED);
	assert_string_equal(err,
			    "snifence: report: /dev/null cannot be written: it is there, and not a regular file\n");
	assert_int_equal(report_to("/nowhere/report.html"), EXIT_FAILED);
	assert_string_equal(err,
			    "snifence: report: /nowhere/report.html cannot be written: No such file or directory\n");
	assert_int_equal(report(by), EXIT_USAGE);
	assert_non_null(strstr(err, "a page has all groups; leave out --by name"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),	   cmocka_unit_test(test_content),
		cmocka_unit_test(test_form),	   cmocka_unit_test(test_payloads),
		cmocka_unit_test(test_bounded),	   cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_replaced),   cmocka_unit_test(test_kept_on_failure),
		cmocka_unit_test(test_axis),	   cmocka_unit_test(test_origin),
		cmocka_unit_test(test_widths),	   cmocka_unit_test(test_logs_are_kept),
		cmocka_unit_test(test_audited),	   cmocka_unit_test(test_wide_labels),
		cmocka_unit_test(test_rules),	   cmocka_unit_test(test_no_processes),
		cmocka_unit_test(test_wrong_file), cmocka_unit_test(test_unreadable_file),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
