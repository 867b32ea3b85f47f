/* SPDX-License-Identifier: BSD-2-Clause */
/* What `snifence top` shows of which events, for which keys, at which size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../support/log_maker.h"
#include "../support/output.h"
#include "base/message.h"
#include "top/top.h"
#include "top/top_screen.h"

static const int64_t start = 1767322800000000; /* 2026-01-02 03:00:00 UTC */

static struct top_model model;
static struct top_view view;
static char *screen_text;

static int set_up(void **state) {
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	memset(&model, 0, sizeof(model));
	view = (struct top_view){0};
	return top_model_start(&model);
}

static int tear_down(void **state) {
	(void)state;
	top_model_free(&model);
	free(screen_text);
	screen_text = NULL;
	return 0;
}

/* Adds an event, `now`; its time is another one, unless that is 0. */
static void add_when(int64_t now, int64_t time, const struct made_line *made) {
	struct log_parser *parser = log_parser_new();
	struct log_event event;
	char *line = NULL;
	size_t length;
	FILE *out = open_memstream(&line, &length);

	assert_non_null(out);
	assert_non_null(parser);
	make_line(out, made);
	assert_int_equal(fclose(out), 0);
	assert_null(log_parser_read(parser, line, length - 1, &event));
	event.time = time ? time : event.time;
	assert_int_equal(top_model_add(&model, &event, now), 0);
	log_parser_free(parser);
	free(line);
}

/* Adds an event, `seconds` after the start. */
static void add_at(int seconds, const struct made_line *made) {
	add_when(start + seconds * INT64_C(1000000), 0, made);
}

#define ADD(at, ...) add_at(at, &(struct made_line){.second = (at), __VA_ARGS__})

/* The screen as it is `seconds` after the start. */
static const char *screen_at(int seconds, unsigned width, unsigned height) {
	struct top_screen screen = {
		.model = &model,
		.view = &view,
		.now = start + seconds * INT64_C(1000000),
		.width = width,
		.height = height,
		.unicode = true,
	};

	free(screen_text);
	screen_text = top_screen_draw(&screen);
	assert_non_null(screen_text);
	return screen_text;
}

static void press(const char *keys) {
	for (; *keys; keys++)
		top_view_key(&view, *keys);
}

static void add_some(void) {
	for (int i = 0; i < 3; i++)
		ADD(10 + i, .name = "pypi.test", .process = "pip");
	ADD(11, .name = "api.github.test", .action = "pass", .reason = "name_allowed");
	ADD(12, .name = "api.github.test", .action = "pass", .reason = "name_allowed");
	ADD(14, .action = "reject", .reason = "port_not_allowed", .port = 22, .process = "ssh");
}

static void test_nothing_yet(void **state) {
	(void)state;
	assert_string_equal(screen_at(0, 80, 7),
			    "0 refused, 0.0/s; 0 allowed, 0.0/s\n"
			    "0 lost; nothing yet\n"
			    "[1 names] 2 processes  3 events  4 lookups \n"
			    "  nothing was refused or allowed yet\n\n\n"
			    "0-0 of 0  by refused  q quit  ? keys  Enter more  / filter  Tab view  s sort\n");
	press("4");
	assert_non_null(strstr(screen_at(0, 80, 7),
			       "\n  none is known: `dns.bind` has them read, `dns.log: answers` logged\n"));
}

static void test_names(void **state) {
	(void)state;
	add_some();
	assert_string_equal(screen_at(15, 80, 9),
			    "4 refused, 0.8/s; 2 allowed, 0.4/s\n"
			    "0 lost; 03:00:10 to 03:00:14\n"
			    "[1 names] 2 processes  3 events  4 lookups \n"
			    "  REFUSED  ALLOWED  NAME              REASON            ASKED BY  LAST\n"
			    ">       3        0  pypi.test         name_not_allowed  pip       03:00:12\n"
			    "        1        0  192.0.2.1:22/TCP  port_not_allowed  ssh       03:00:14\n"
			    "        0        2  api.github.test   name_allowed      curl      03:00:12\n"
			    "\n"
			    "1-3 of 3  by refused  q quit  ? keys  Enter more  / filter  Tab view  s sort\n");
}

/* No line is wider than the screen, and the most telling columns stay. */
static void test_small_screen(void **state) {
	(void)state;
	add_some();
	ADD(14, .name = "a-rather-long-name.of-many.labels.vendor.test");
	assert_string_equal(screen_at(15, 40, 8), "5 refused, 1.0/s; 2 allowed, 0.4/s\n"
						  "0 lost; 03:00:10 to 03:00:14\n"
						  "[1 names] 2 processes  3 events  4 looku\n"
						  "  REFUSED  ALLOWED  NAME\n"
						  ">       3        0  pypi.test\n"
						  "        1        0  192.0.2.1:22/TCP\n"
						  "        1        0  ….labels.vendor.test\n"
						  "1-3 of 4  by refused  q quit  ? keys  En\n");
}

static void test_processes(void **state) {
	(void)state;
	add_some();
	press("2");
	assert_string_equal(screen_at(15, 80, 8),
			    "4 refused, 0.8/s; 2 allowed, 0.4/s\n"
			    "0 lost; 03:00:10 to 03:00:14\n"
			    " 1 names [2 processes] 3 events  4 lookups \n"
			    "  REFUSED  ALLOWED  PROCESS  REASON            WHAT              LAST\n"
			    ">       3        0  pip      name_not_allowed  pypi.test         03:00:12\n"
			    "        1        0  ssh      port_not_allowed  192.0.2.1:22/TCP  03:00:14\n"
			    "        0        2  curl     name_allowed      api.github.test   03:00:12\n"
			    "1-3 of 3  by refused  q quit  ? keys  Enter more  / filter  Tab view  s sort\n");
}

static void test_events_newest_first(void **state) {
	(void)state;
	add_some();
	press("\t\t");
	assert_string_equal(screen_at(60, 80, 7),
			    "4 refused, 0.0/s; 2 allowed, 0.0/s\n"
			    "0 lost; 03:00:10 to 03:00:14\n"
			    " 1 names  2 processes [3 events] 4 lookups \n"
			    "  TIME      VERDICT  NAME              REASON            ASKED BY\n"
			    "> 03:00:14  REFUSED  192.0.2.1:22/TCP  port_not_allowed  ssh\n"
			    "  03:00:12  allowed  api.github.test   name_allowed      curl\n"
			    "1-2 of 6  newest first  q quit  ? keys  Enter more  / filter  Tab view  s sort\n");
}

static void add_answer(int seconds, const char *name, const char *address, unsigned bound) {
	struct log_event answer = {
		.time = start + seconds * 1000000LL,
		.type = LOG_ANSWER,
		.name = name,
		.process = "curl",
		.policy = "",
		.run_id = "",
		.cgroup = "",
		.policy_sha256 = "",
		.answers = {{.address = address, .ttl = 60, .bound = bound}},
		.answer_count = 1,
	};

	assert_int_equal(top_model_add(&model, &answer, answer.time), 0);
}

/* By the last answer of each; what counts no more, or never did, is not there. */
static void test_lookups(void **state) {
	(void)state;
	add_answer(1, "www.lab.test", "192.0.2.2", 100);
	add_answer(2, "api.lab.test", "2001:db8::1", 4200);
	add_answer(3, "www.lab.test", "192.0.2.1", 5);
	add_answer(4, "www.lab.test", "192.0.2.9", 2);
	add_answer(5, "www.lab.test", "192.0.2.1", 65);
	add_answer(6, "stranger.test", "192.0.2.3", 0);
	press("4");
	assert_string_equal(screen_at(10, 80, 8),
			    "0 refused, 0.0/s; 0 allowed, 0.0/s\n"
			    "0 lost; nothing yet\n"
			    " 1 names  2 processes  3 events [4 lookups]\n"
			    "     LEFT  ADDRESS      NAME          ASKED BY\n"
			    "> 1:09:52  2001:db8::1  api.lab.test  curl\n"
			    "  0:01:00  192.0.2.1    www.lab.test  curl\n"
			    "  0:01:31  192.0.2.2    www.lab.test  curl\n"
			    "1-3 of 3  by name  q quit  ? keys  Enter more  / filter  Tab view  s sort\n");
}

/* However many there are, as many are kept. */
static void test_many_lookups(void **state) {
	char name[32];

	(void)state;
	for (int i = 0; i < 2 * TOP_FOUND; i++) {
		snprintf(name, sizeof(name), "n%d.lab.test", i);
		add_answer(1, name, "192.0.2.1", 100 + (unsigned)i);
	}
	press("4");
	assert_non_null(strstr(screen_at(10, 80, 8), "\n1-3 of 1000  by name"));
}

/* Where they are of several days, events have a date. */
static void test_events_of_days(void **state) {
	(void)state;
	ADD(14, .name = "a.test");
	ADD(24 * 3600 - 3 * 3600 - 1, .name = "b.test");
	press("3");
	assert_non_null(strstr(screen_at(60, 80, 7), "\n> 23:59:59  REFUSED  b.test "));
	tear_down(NULL);
	assert_int_equal(set_up(NULL), 0);
	setenv("TZ", "UTC-1", 1); /* east of it: the second is of the next day there */
	tzset();
	ADD(14, .name = "a.test");
	ADD(24 * 3600 - 3 * 3600 - 1, .name = "b.test");
	press("3");
	assert_non_null(strstr(screen_at(60, 80, 7), "\n> 2026-01-03 00:59:59  REFUSED  b.test "));
	assert_non_null(strstr(screen_text, "\n  2026-01-02 04:00:14  REFUSED  a.test "));
}

/* Expects these keys of groups, the first in each line after the counts, in this order. */
static void expect_order(const char *first, const char *second, const char *third) {
	const char *lines = screen_at(15, 80, 9), *a = strstr(lines, first), *b = strstr(lines, second),
		   *c = strstr(lines, third);

	assert_true(a && b && c && a < b && b < c);
}

static void test_sorts(void **state) {
	(void)state;
	add_some();
	expect_order(" pypi.test", " 192.0.2.1:22", " api.github.test");
	press("a");
	expect_order(" api.github.test", " 192.0.2.1:22", " pypi.test");
	press("l");
	expect_order(" 192.0.2.1:22", " api.github.test", " pypi.test");
	press("n");
	expect_order(" 192.0.2.1:22", " api.github.test", " pypi.test");
	assert_non_null(strstr(screen_text, "by name"));
	press("s");
	assert_int_equal(view.sort, TOP_BY_REFUSED);
	press("sss");
	assert_int_equal(view.sort, TOP_BY_KEY);
}

static void test_filter(void **state) {
	(void)state;
	add_some();
	press("/GiThx");
	top_view_key(&view, TOP_KEY_BACKSPACE);
	assert_string_equal(strrchr(screen_at(15, 80, 8), '/'), "/GiTh_\n");
	assert_non_null(strstr(screen_text, " api.github.test "));
	assert_null(strstr(screen_text, "pypi.test"));
	press("q\n"); /* typed, not obeyed */
	assert_false(view.quit);
	assert_string_equal(view.filter, "GiThq");
	assert_non_null(strstr(screen_at(15, 80, 8), "\n0-0 of 0  /GiThq  by refused"));
	assert_non_null(strstr(screen_at(15, 80, 8), "\n  no row has this text; / and Escape remove it\n"));
	top_view_key(&view, TOP_KEY_ESCAPE);
	assert_non_null(strstr(screen_at(15, 80, 8), "\n1-3 of 3  by refused"));
	press("/a b\n"); /* a space is a character, and scrolls only outside of the filter */
	assert_string_equal(view.filter, "a b");
	top_view_key(&view, TOP_KEY_ESCAPE);
	press("/ssh\n"); /* the process that asked */
	assert_non_null(strstr(screen_at(15, 80, 8), "\n1-1 of 1  /ssh  by refused"));
	assert_non_null(strstr(screen_text, " 192.0.2.1:22/TCP "));
	press("q");
	assert_true(view.quit);
}

static void test_filter_is_bounded(void **state) {
	(void)state;
	press("/");
	for (int i = 0; i < 2 * TOP_FILTER_SIZE; i++)
		press("x");
	assert_int_equal(strlen(view.filter), TOP_FILTER_SIZE - 1);
	top_view_key(&view, '\x1b' + 128); /* not ASCII */
	top_view_key(&view, '\x01');
	assert_int_equal(strlen(view.filter), TOP_FILTER_SIZE - 1);
}

static void test_scrolls(void **state) {
	char name[32];

	(void)state;
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "host-%02d.test", i);
		ADD(i, .name = name);
	}
	assert_non_null(strstr(screen_at(20, 80, 10), "\n1-5 of 20 "));
	press(" ");
	assert_non_null(strstr(screen_at(20, 80, 10), "\n5-9 of 20 "));
	assert_non_null(strstr(screen_text, "LAST\n>       1  host-04.test "));
	for (int i = 0; i < 5; i++)
		top_view_key(&view, TOP_KEY_DOWN);
	assert_non_null(strstr(screen_at(20, 80, 10), "\n6-10 of 20 "));
	assert_non_null(strstr(screen_text, "LAST\n        1  host-05.test "));
	assert_non_null(strstr(screen_text, "\n>       1  host-09.test "));
	for (int i = 0; i < 5; i++)
		top_view_key(&view, TOP_KEY_UP);
	assert_non_null(strstr(screen_at(20, 80, 10), "\n5-9 of 20 "));
	top_view_key(&view, TOP_KEY_END);
	top_view_key(&view, TOP_KEY_DOWN);
	assert_non_null(strstr(screen_at(20, 80, 10), "\n16-20 of 20 "));
	assert_non_null(strstr(screen_text, "\n>       1  host-19.test "));
	/* a larger screen shows what is above, not blank lines; a smaller one what is selected */
	assert_non_null(strstr(screen_at(20, 80, 20), "\n6-20 of 20 "));
	assert_non_null(strstr(screen_at(20, 80, 7), "\n19-20 of 20 "));
	/* what the filter leaves out is not selected */
	press("/-03\n");
	assert_non_null(strstr(screen_at(20, 80, 10), "LAST\n>       1  host-03.test "));
	top_view_key(&view, TOP_KEY_ESCAPE);
	top_view_key(&view, TOP_KEY_HOME);
	top_view_key(&view, TOP_KEY_PAGE_UP);
	assert_non_null(strstr(screen_at(20, 80, 10), "\n1-5 of 20 "));
}

/* Of the row as it was seen, wherever it is since. */
static void test_details(void **state) {
	(void)state;
	assert_non_null(screen_at(0, 80, 24));
	press("\n"); /* there is no row */
	assert_false(view.details);
	add_some();
	assert_non_null(screen_at(15, 80, 24));
	top_view_key(&view, TOP_KEY_DOWN);
	press("\n"); /* before it was drawn */
	assert_non_null(screen_at(15, 80, 24));
	for (int i = 0; i < 2; i++)
		ADD(14, .port = 22, .action = "reject", .reason = "port_not_allowed", .process = i ? "ssh" : "scp");
	assert_string_equal(screen_at(15, 80, 24),
			    "6 refused, 1.2/s; 2 allowed, 0.4/s\n"
			    "0 lost; 03:00:10 to 03:00:14\n"
			    "[1 names] 2 processes  3 events  4 lookups \n"
			    "  192.0.2.1:22/TCP\n"
			    "  refused: 3\n"
			    "  allowed: 0\n"
			    "  first: 2026-01-02 03:00:14\n"
			    "  last: 2026-01-02 03:00:14\n"
			    "  asked by: ssh\n"
			    "  asked by: scp\n"
			    "  reason: port_not_allowed\n"
			    "    rules cover this address, but not with this protocol and port\n"
			    "    usual causes: Another port than 443, plain HTTP on port 80, QUIC (UDP 443),\n"
			    "      or a DNS server that the policy does not name.\n"
			    "    what to do: For TLS on another port, `ports` of the host's rule; for DNS,\n"
			    "      `dns.servers`; else `direct.allow`. Clients fall back from QUIC to TCP by\n"
			    "      themselves.\n"
			    "\n\n\n\n\n\n"
			    "q quit  any other key: back to the rows\n");
	/* on a small screen the first lines */
	assert_string_equal(strstr(screen_at(15, 40, 7), "  192"), "  192.0.2.1:22/TCP\n"
								   "  refused: 3\n"
								   "  allowed: 0\n"
								   "q quit  any other key: back to the rows\n");
	press("x");
	assert_non_null(strstr(screen_at(15, 80, 9), "1-3 of 3  by refused"));
	press("\nq");
	assert_true(view.quit);
}

/* A process is not asked for by itself. */
static void test_details_of_a_process(void **state) {
	(void)state;
	ADD(2, .name = "a.test");
	press("2");
	assert_non_null(screen_at(3, 80, 8));
	press("\n");
	assert_non_null(strstr(screen_at(3, 80, 14), "  last: 2026-01-02 03:00:02\n  what: a.test\n  reason: "));
}

/* Each line of the keys has room in 80 columns. */
static void test_keys_shown(void **state) {
	(void)state;
	press("?");
	assert_non_null(strstr(screen_at(0, 80, 24),
			       "\n  1 2 3 4, Tab      names, processes, the last 1000 events, lookups\n"));
	for (const char *line = screen_text; *line; line += strcspn(line, "\n") + 1)
		assert_in_range(strcspn(line, "\n"), 0, 79);
}

static void test_details_of_an_event(void **state) {
	(void)state;
	ADD(2, .name = "a.test", .rule = "ci.yaml:7", .reason = "name_denied");
	press("3");
	assert_non_null(screen_at(3, 80, 8));
	press("\n");
	assert_non_null(strstr(screen_at(3, 80, 14), "  a.test\n"
						     "  refused: 2026-01-02 03:00:02\n"
						     "  to: 192.0.2.1:443/TCP\n"
						     "  asked by: curl (pid 7, uid 1000)\n"
						     "  policy: agent\n"
						     "  rule: ci.yaml:7\n"
						     "  reason: name_denied\n"));
	for (int i = 0; i < TOP_RECENT; i++)
		ADD(3, .name = "later.test");
	assert_non_null(strstr(screen_at(4, 80, 14), "and this one is not kept any more.\n"));
}

static void test_details_of_a_lookup(void **state) {
	(void)state;
	add_answer(1, "www.lab.test", "192.0.2.2", 100);
	press("4");
	assert_non_null(screen_at(10, 80, 8));
	press("\n");
	assert_non_null(strstr(screen_at(10, 80, 10), "  www.lab.test\n"
						      "  found at: 192.0.2.2\n"
						      "  asked by: curl\n"
						      "  counts until: 2026-01-02 03:01:41\n"));
}

/* What is not printable comes escaped, so that no name can write to the terminal. */
static void test_hostile_names(void **state) {
	(void)state;
	ADD(1, .name = "\\u001b[2J\\u009b.test", .process = "\\n\\r", .reason = "name_invalid");
	press("3");
	for (const char *c = screen_at(2, 200, 8); *c; c++)
		assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
	assert_non_null(strstr(screen_text, "  \\x1b[2J\\xc2\\x9b.test  name_invalid  \\x0a\\x0d\n"));
	press("1");
	assert_non_null(strstr(screen_at(2, 200, 8), "  \\x1b[2J\\xc2\\x9b.test  name_invalid  \\x0a\\x0d "));
}

static void test_keeps_the_last_events(void **state) {
	(void)state;
	ADD(0, .name = "first.test");
	for (int i = 0; i < TOP_RECENT; i++)
		ADD(1, .name = "later.test");
	press("3/first\n");
	assert_non_null(strstr(screen_at(2, 80, 8), "\n0-0 of 0 "));
	top_view_key(&view, TOP_KEY_ESCAPE);
	assert_non_null(strstr(screen_at(2, 80, 8), "\n1-3 of 1000 "));
	assert_non_null(strstr(screen_text, "1001 refused"));
}

/* What is read of an old log makes no rate; and seconds go out of it one by one. */
static void test_rates(void **state) {
	double refused, allowed;

	(void)state;
	add_at(3600, &(struct made_line){.name = "old.test"});
	top_model_rates(&model, start + INT64_C(3601000000), &refused, &allowed);
	assert_float_equal(refused, 0, 0);
	for (int i = 0; i < 10; i++)
		ADD(3605, .name = "now.test");
	ADD(3606, .name = "now.test", .action = "pass");
	top_model_rates(&model, start + INT64_C(3607000000), &refused, &allowed);
	assert_float_equal(refused, 2, 0.001);
	assert_float_equal(allowed, 0.2, 0.001);
	top_model_rates(&model, start + INT64_C(3611000000), &refused, &allowed);
	assert_float_equal(refused, 0, 0.001);
	assert_float_equal(allowed, 0.2, 0.001);
	/* the clock is set back: nothing breaks */
	ADD(5, .name = "now.test");
	top_model_rates(&model, start, &refused, &allowed);
	assert_float_equal(refused, 0, 0.001);
}

/* A machine without a clock begins in 1970, and a log can say anything. */
static void test_rates_of_no_clock(void **state) {
	double refused, allowed;

	(void)state;
	for (int second = -1; second >= -TOP_SECONDS; second--)
		add_when(INT64_C(1000000), second * INT64_C(1000000), &(struct made_line){.name = "early.test"});
	assert_int_equal(model.second, 1);
	assert_int_equal(model.found_count, 0);
	top_model_rates(&model, INT64_C(1000000), &refused, &allowed);
	assert_float_equal(refused + allowed, 0, 0);
}

/* Lines that are gone from the beginning or the middle of a run were lost on the way. */
static void test_says_what_was_lost(void **state) {
	(void)state;
	ADD(1, .name = "a.test", .sequence = 1);
	ADD(2, .name = "a.test", .sequence = 5);
	assert_non_null(strstr(screen_at(3, 80, 8), "\n3 lost; 03:00:01 to 03:00:02\n"));
	ADD(3, .name = "a.test", .sequence = 3, .run = "0000000000000bad");
	assert_non_null(strstr(screen_at(3, 80, 8), "\n5 lost; 03:00:01 to 03:00:03\n"));
}

static void test_audit(void **state) {
	(void)state;
	ADD(1, .name = "later.test", .action = "alert");
	assert_non_null(strstr(screen_at(2, 80, 8), "0 refused, 1 audited, 0.2/s; 0 allowed"));
	press("3");
	assert_non_null(strstr(screen_at(2, 80, 8), "> 03:00:01  AUDITED  later.test "));
}

/* stdout is no terminal here. */
static void test_no_terminal(void **state) {
	static const char *const none[] = {"top", NULL}, *const one[] = {"top", "/dev/null", NULL},
				 *const two[] = {"top", "a", "b", NULL}, *const folder[] = {"top", "/", NULL};
	char out[64], err[256];

	(void)state;
	assert_int_equal(output_of(top_main, one, out, sizeof(out), err, sizeof(err)), EXIT_USAGE);
	assert_string_equal(err,
			    "snifence: top: standard output is no terminal; `snifence report --follow` needs none\n");
	assert_int_equal(output_of(top_main, none, out, sizeof(out), err, sizeof(err)), EXIT_USAGE);
	assert_int_equal(output_of(top_main, two, out, sizeof(out), err, sizeof(err)), EXIT_USAGE);
	assert_int_equal(output_of(top_main, folder, out, sizeof(out), err, sizeof(err)), EXIT_UNREAD);
	assert_string_equal(err, "snifence: top: / cannot be read: Is a directory\n");
}

#define top_unit_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
	const struct CMUnitTest tests[] = {
		top_unit_test(test_nothing_yet),
		top_unit_test(test_names),
		top_unit_test(test_small_screen),
		top_unit_test(test_processes),
		top_unit_test(test_events_newest_first),
		top_unit_test(test_lookups),
		top_unit_test(test_many_lookups),
		top_unit_test(test_events_of_days),
		top_unit_test(test_sorts),
		top_unit_test(test_filter),
		top_unit_test(test_filter_is_bounded),
		top_unit_test(test_scrolls),
		top_unit_test(test_details),
		top_unit_test(test_details_of_an_event),
		top_unit_test(test_details_of_a_process),
		top_unit_test(test_keys_shown),
		top_unit_test(test_details_of_a_lookup),
		top_unit_test(test_hostile_names),
		top_unit_test(test_keeps_the_last_events),
		top_unit_test(test_rates),
		top_unit_test(test_rates_of_no_clock),
		top_unit_test(test_says_what_was_lost),
		top_unit_test(test_audit),
		cmocka_unit_test(test_no_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
