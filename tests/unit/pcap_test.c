/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A corpus of captures ──► inspect's reading of it, against what independent dissectors read there.
 *
 * The corpus is tests/captures, or the larger one in the folder that SNIFENCE_PCAP names, by default ../shared/pcap where
 * that is: tests/captures/README.md says what its tables hold. Where this reader differs on purpose, a row of tests/vectors/pcap-differences.tsv says so and why:
 *
 *   file        as in the corpus, or class=NAME for all rows of a class
 *   flow        client port server port, separated by spaces; or *
 *   expected    what the corpus says, or *
 *   ours        name:NAME, none for a flow that is not seen, or the reason why there is no name
 *   why
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/message.h"
#include "inspect/capture.h"
#include "inspect/flow.h"
#include "event/event_words.h"
#include "tsv.h"

/* A flow as this reader sees it. */
struct seen {
	const char *file; /* of files.tsv */
	char *flow;
	char *name; /* printable; NULL: none */
	enum snif_reason reason;
	uint64_t first_frame;
	uint32_t segments, records;
	uint16_t version;
	bool ech;
	bool matched; /* with a row of a table */
};

struct seen_list {
	struct seen *items;
	size_t count;
	const char *file; /* that is being read */
};

static struct table files, tls, odd, none, differences;
static struct seen_list seen;

static const char *folder(void) {
	static const char larger[] = "../shared/pcap";
	const char *named = getenv("SNIFENCE_PCAP");

	if (named)
		return named;
	return access(larger, R_OK) == 0 ? larger : "tests/captures";
}

static char *path_of(const char *file) {
	char *path;

	assert_true(asprintf(&path, "%s/%s", folder(), file) > 0);
	return path;
}

/* Bytes as the corpus writes names: a space is \x20. */
static char *printable(const __u8 *bytes, size_t length) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == ' ')
			fputs("\\x20", out);
		else
			print_escaped(out, bytes + i, 1);
	}
	fclose(out);
	return text;
}

static void take(void *context, const struct flow_hello *found) {
	struct seen_list *list = context;
	struct seen *item = array_add(&list->items, &list->count, sizeof(*item));
	char source[EVENT_ADDRESS_SIZE], destination[EVENT_ADDRESS_SIZE];

	assert_non_null(item);
	event_address(source, found->source);
	event_address(destination, found->destination);
	*item = (struct seen){
		.file = list->file,
		.reason = found->reason,
		.first_frame = found->first_frame,
		.segments = found->segments,
		.records = found->hello->records,
		.version = found->hello->version,
		.ech = found->hello->ech,
	};
	assert_true(asprintf(&item->flow, "%s %u %s %u", source, found->source_port, destination,
			     found->destination_port) > 0);
	if (flow_hello_has_name(found))
		item->name = printable(found->hello->name, found->hello->name_length);
}

static void read_capture(struct flows *flows, const char *file) {
	char *path = path_of(file);
	struct capture *capture = capture_open(path);
	struct capture_packet packet;

	seen.file = file;
	while (capture && capture_next(capture, &packet) > 0)
		assert_int_equal(flows_add(flows, &packet), 0);
	if (capture)
		capture_close(capture);
	flows_end(flows);
	free(path);
}

static int read_all(void **state) {
	struct {
		struct table *table;
		const char *file;
	} corpus[] = {{&files, "files.tsv"},
		      {&tls, "expected-tls.tsv"},
		      {&odd, "expected-odd.tsv"},
		      {&none, "expected-none.tsv"}};
	struct snif_hello_rules rules = snif_hello_rules_of(SNIF_HELLO_LONGEST);
	struct flows *flows;

	(void)state;
	for (size_t i = 0; i < sizeof(corpus) / sizeof(corpus[0]); i++) {
		char *path = path_of(corpus[i].file);

		table_read(corpus[i].table, path);
		free(path);
	}
	table_read(&differences, "tests/vectors/pcap-differences.tsv");
	flows = flows_new(&rules, take, &seen);
	assert_non_null(flows);
	for (size_t i = 0; i < files.count; i++)
		read_capture(flows, files.rows[i].column[0]);
	flows_free(flows);
	return 0;
}

static int free_all(void **state) {
	struct table *tables[] = {&files, &tls, &odd, &none, &differences};

	(void)state;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		table_free(tables[i]);
	for (size_t i = 0; i < seen.count; i++) {
		free(seen.items[i].flow);
		free(seen.items[i].name);
	}
	free(seen.items);
	return 0;
}

/* The flow that the columns from `first` on describe; that which begins at `frame`, if there are several. */
static struct seen *find_seen(const struct row *row, int first, uint64_t frame) {
	struct seen *found = NULL;
	char *flow;

	assert_true(asprintf(&flow, "%s %s %s %s", row->column[first], row->column[first + 1], row->column[first + 2],
			     row->column[first + 3]) > 0);
	for (size_t i = 0; i < seen.count; i++) {
		struct seen *item = &seen.items[i];

		if (strcmp(item->file, row->column[0]) != 0 || strcmp(item->flow, flow) != 0)
			continue;
		if (!found || item->first_frame == frame)
			found = item;
	}
	free(flow);
	if (found)
		found->matched = true;
	return found;
}

/* Whether names are the same as far as DNS goes: case does not count, nor does a dot behind. */
static bool same_name(const char *a, const char *b) {
	size_t a_length = strlen(a), b_length = strlen(b);

	a_length -= a_length > 0 && a[a_length - 1] == '.';
	b_length -= b_length > 0 && b[b_length - 1] == '.';
	return a_length == b_length && strncasecmp(a, b, a_length) == 0;
}

static bool about_the_name(enum snif_reason reason) {
	return reason == SNIF_REASON_NAME_INVALID || reason == SNIF_REASON_NAME_IS_ADDRESS ||
	       reason == SNIF_REASON_NAME_TOO_LONG;
}

/* Whether the reading is the corpus's: `sni` is a name, or - where there is none. */
static bool agrees(const struct seen *item, const char *sni) {
	if (!item)
		return false;
	if (strcmp(sni, "-") == 0)
		return item->reason == SNIF_REASON_SNI_MISSING || item->reason == SNIF_REASON_SNI_EMPTY;
	return (item->reason == SNIF_REASON_NONE || about_the_name(item->reason)) && item->name &&
	       same_name(item->name, sni);
}

/* Our reading as the table of differences writes it. */
static char *ours(const struct seen *item) {
	char *text;

	if (item && item->reason == SNIF_REASON_NONE)
		assert_true(asprintf(&text, "name:%s", item->name) > 0);
	else
		assert_non_null(text = strdup(item ? reason_code(item->reason) : "none"));
	return text;
}

static bool is_or_any(const char *pattern, const char *text) {
	return strcmp(pattern, "*") == 0 || strcmp(pattern, text) == 0;
}

/* Whether the table of differences has this one. */
static bool explained(const char *file, const char *class, const char *flow, const char *sni, const struct seen *item) {
	char *reading = ours(item);
	bool found = false;

	for (size_t i = 0; i < differences.count && !found; i++) {
		struct row *row = &differences.rows[i];
		bool place = strncmp(row->column[0], "class=", 6) == 0 ? strcmp(row->column[0] + 6, class) == 0
								       : strcmp(row->column[0], file) == 0;

		found = place && is_or_any(row->column[1], flow) && is_or_any(row->column[2], sni) &&
			strcmp(row->column[3], reading) == 0;
		row->used |= found;
	}
	if (!found)
		print_message("not explained: %s %s (%s): expected %s, ours %s\n", file, flow, class, sni, reading);
	free(reading);
	return found;
}

struct score {
	const char *class;
	unsigned rows, same, refused, explained, wrong;
	unsigned compared, segments, records, ech, version;
};

/* The columns beside the name, where the hello was read to its end. */
static void score_columns(struct score *score, const struct row *row, const struct seen *item) {
	if (item->reason != SNIF_REASON_NONE && item->reason != SNIF_REASON_SNI_MISSING)
		return;
	score->compared++;
	score->segments += strtoul(row->column[8], NULL, 10) == item->segments;
	score->records += strtoul(row->column[9], NULL, 10) == item->records;
	score->ech += strtoul(row->column[13], NULL, 10) == item->ech;
	/* the corpus has the legacy version, we the highest offered */
	score->version += strtoul(row->column[11], NULL, 16) == (item->version < 0x0303 ? item->version : 0x0303U);
}

static void score_row(struct score *score, const struct row *row) {
	struct seen *item = find_seen(row, 3, strtoull(row->column[16], NULL, 10));
	char *flow;

	score->rows++;
	if (agrees(item, row->column[7])) {
		score->same += !about_the_name(item->reason);
		score->refused += about_the_name(item->reason);
		score_columns(score, row, item);
		return;
	}
	assert_true(asprintf(&flow, "%s %s %s %s", row->column[3], row->column[4], row->column[5], row->column[6]) > 0);
	if (explained(row->column[0], row->column[1], flow, row->column[7], item))
		score->explained++;
	else
		score->wrong++;
	free(flow);
}

static void server_names_are_those_of_the_dissectors(void **state) {
	struct score scores[] = {{.class = "main"},   {.class = "nosyn"},    {.class = "starttls"},
				 {.class = "tunnel"}, {.class = "embedded"}, {.class = "malformed"}};
	unsigned wrong = 0, rows = 0;

	(void)state;
	print_message("class      rows  same  same,refused  explained  wrong | of  segments records ech version\n");
	for (size_t s = 0; s < sizeof(scores) / sizeof(scores[0]); s++) {
		struct score *score = &scores[s];

		for (size_t i = 0; i < tls.count; i++)
			if (strcmp(tls.rows[i].column[1], score->class) == 0)
				score_row(score, &tls.rows[i]);
		print_message("%-9s %5u %5u %13u %10u %6u | %3u %8u %7u %3u %7u\n", score->class, score->rows,
			      score->same, score->refused, score->explained, score->wrong, score->compared,
			      score->segments, score->records, score->ech, score->version);
		wrong += score->wrong;
		rows += score->rows;
	}
	assert_int_equal(rows, tls.count);
	assert_int_equal(wrong, 0);
}

static void flows_without_one_answer_get_no_invented_name(void **state) {
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < odd.count; i++) {
		const struct row *row = &odd.rows[i];
		const struct seen *item = find_seen(row, 4, 0);
		bool urgent = strcmp(row->column[1], "urgent-byte") == 0;
		char *reading = ours(item);

		print_message("%-18s %-50s %s\n", row->column[1], row->column[0], reading);
		free(reading);
		if (urgent ? !agrees(item, row->column[8])
			   : item && item->name && !same_name(item->name, row->column[8]))
			wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void captures_without_hello_have_none(void **state) {
	(void)state;
	for (size_t f = 0; f < none.count; f++)
		for (size_t i = 0; i < seen.count; i++)
			assert_string_not_equal(seen.items[i].file, none.rows[f].column[0]);
}

/* After the tests above have matched flows with rows. */
static void no_flow_is_seen_that_the_dissectors_did_not(void **state) {
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < seen.count; i++)
		if (!seen.items[i].matched)
			wrong += !explained(seen.items[i].file, "unseen", seen.items[i].flow, "none", &seen.items[i]);
	assert_int_equal(wrong, 0);
}

/* Whether the difference is one of a file, or class, that this corpus has. */
static bool in_corpus(const struct row *difference) {
	const char *file = difference->column[0];
	bool class = strncmp(file, "class=", 6) == 0;
	const struct table *table = class ? &tls : &files;

	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->rows[i].column[class], class ? file + 6 : file) == 0)
			return true;
	return false;
}

static void every_explained_difference_is_still_there(void **state) {
	unsigned unused = 0;

	(void)state;
	for (size_t i = 0; i < differences.count; i++) {
		if (differences.rows[i].used || !in_corpus(&differences.rows[i]))
			continue;
		print_message("no longer a difference: %s %s\n", differences.rows[i].column[0],
			      differences.rows[i].column[1]);
		unused++;
	}
	assert_int_equal(unused, 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_names_are_those_of_the_dissectors),
		cmocka_unit_test(flows_without_one_answer_get_no_invented_name),
		cmocka_unit_test(captures_without_hello_have_none),
		cmocka_unit_test(no_flow_is_seen_that_the_dissectors_did_not),
		cmocka_unit_test(every_explained_difference_is_still_there),
	};

	return cmocka_run_group_tests_name("pcap", tests, read_all, free_all);
}
