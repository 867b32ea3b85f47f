/* SPDX-License-Identifier: BSD-2-Clause */
/* A review ──► a page of HTML. */
#include "report/report_html.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "analysis/remedy.h"
#include "analysis/report_words.h"
#include "event/event_words.h"
#include "report/html.h"
#include "report/page.h"
#include "report/report_print.h"

enum { TOP_ROWS = 10, RULES = 50, NEAR_ROWS = 20, ALL_ROWS = 1000, USUAL_PORT = 443 };

/* `section` is what the tile leads to; NULL: nothing. */
static void put_tile(const char *class, const char *title, uint64_t count, const char *note, const char *section,
		     FILE *out) {
	char number[HTML_NUMBER_SIZE];

	if (section && count)
		html_print(out, "<div class=\"tile\"><dt><a href=\"#%s\">%s</a></dt>", section, title);
	else
		html_print(out, "<div class=\"tile\"><dt>%s</dt>", title);
	html_print(out, "<dd class=\"%s\">%s</dd>", count ? class : "none", html_number(number, count));
	if (*note)
		html_print(out, "<dd class=\"note\">%s</dd>", note);
	fputs("</div>\n", out);
}

/* The one reason for which something was refused. In audit mode the lookup of a name and a connection to it can both be
 * without a rule: then it is that of the connection, which says more. NONE: there are several, or none. */
static enum snif_reason only_reason(const struct group *group) {
	const char *reasons[LEADERS];
	size_t count = leaders_sorted(&group->reasons, reasons);
	enum snif_reason reason = count > 0 ? reason_of(reasons[0]) : SNIF_REASON_NONE;

	for (size_t i = 1; i < count; i++) {
		enum snif_reason other = reason_of(reasons[i]);

		if (reason == SNIF_REASON_DNS_NAME)
			reason = other;
		else if (other != SNIF_REASON_DNS_NAME)
			return SNIF_REASON_NONE;
	}
	return reason;
}

/* What was refused, if a rule can be made of it: a name has then no sign that a page or a policy reads in another way. */
static bool read_refusal(const struct group *group, struct refusal *refusal) {
	*refusal = (struct refusal){.name = group->key, .port = USUAL_PORT}; /* of a name, nothing else is known */
	if (group_refused(group) == 0 || group->by_rule)
		return false;
	refusal->reason = only_reason(group);
	refusal->let_through = group->blocked == 0;
	if (refusal->reason == SNIF_REASON_NAME_NOT_ALLOWED || refusal->reason == SNIF_REASON_DNS_NAME)
		return group->key[strspn(group->key, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0';
	return (refusal->reason == SNIF_REASON_ADDRESS_NOT_ALLOWED ||
		refusal->reason == SNIF_REASON_PORT_NOT_ALLOWED) &&
	       group_destination_read(group->key, refusal->address, &refusal->port, &refusal->protocol);
}

static bool is_attempt(const struct group *group) {
	return reason_class(reason_of(group->key)) == REASON_ATTACK;
}

/* Adds up the refusals of chosen groups. Returns 0 or -ENOMEM. */
static int count_refused(const struct groups *groups, bool (*chosen)(const struct group *), uint64_t *refused) {
	size_t count;
	const struct group **sorted = groups_sorted(groups, &count);

	*refused = 0;
	for (size_t i = 0; sorted && i < count; i++)
		if (chosen(sorted[i]))
			*refused += group_refused(sorted[i]);
	free(sorted);
	return sorted ? 0 : -ENOMEM;
}

static void put_totals(const struct review *review, uint64_t attempts, FILE *out) {
	const struct group *total = groups_total(review_groups(review));
	uint64_t allowed;
	bool only_counted;

	allowed = report_allowed(review, &only_counted);
	fputs("<dl class=\"tiles\">\n", out);
	put_tile("refused", "Refused", total->blocked, "", "top", out);
	if (total->would_block > 0)
		put_tile("refused", "Would be refused", total->would_block, "let through by audit mode", "top", out);
	put_tile("attempt", "Look like an attempt", attempts, "to get around the filter, of these", "attempts", out);
	put_tile("allowed", "Allowed", allowed, only_counted ? "not logged; as the runs have counted" : "", NULL, out);
	fputs("</dl>\n", out);
}

static bool has_near(const struct review *review) {
	char note[REPORT_WORDS_SIZE];

	return review->near_count > 0 || report_near_misses_note(review, note);
}

/* Links to the sections that there are. */
static void put_links(const struct review *review, uint64_t attempts, bool rules, FILE *out) {
	const struct group *total = groups_total(review_groups(review));
	bool refused = group_refused(total) > 0, any = refused || total->allowed > 0;
	bool asked = groups_have_processes(review_groups(review));
	const struct {
		bool there;
		const char *section, *title;
	} links[] = {
		{refused, "top", report_words(total)->most_refused},
		{has_near(review), "near", "Close to what is allowed"},
		{rules, "rules", "Rules to copy"},
		{attempts > 0, "attempts", "Attempts"},
		{refused, "reasons", "By reason"},
		{any && asked, "processes", "By process"},
		{any, "policies", "By policy"},
		{any, "names", "All names"},
	};

	if (!any)
		return;
	fputs("<nav aria-label=\"Sections\"><ul>\n", out);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].there)
			html_print(out, "<li><a href=\"#%s\">%s</a></li>\n", links[i].section, links[i].title);
	fputs("</ul></nav>\n", out);
}

static void put_words(const char *begin, const struct leaders *leaders, FILE *out) {
	const char *words[LEADERS];
	unsigned count = leaders_sorted(leaders, words);

	for (unsigned i = 0; i < count; i++) {
		fputs(i ? ", " : begin, out);
		html_print(out, "<code>%s</code>", words[i]);
	}
	if (leaders->more)
		fputs(" and more", out);
}

/* What ran, where and under which policies, as far as the log says so. */
static void put_origin(const struct review *review, FILE *out) {
	struct leaders rule = {.items[0] = {(char *)review->rule_file, 1}};
	bool told = review->policies.items[0].word;

	if (review->programs.items[0].word) {
		put_words("<p>Command: ", &review->programs, out);
		put_words(" on ", &review->hosts, out);
		fputs("</p>\n", out);
	}
	if (!told && !review->rule_file[0])
		return;
	put_words("<p>Policy: ", told ? &review->policies : &rule, out);
	fputs(review->policy_differs ? ", which has changed since, or the machine's resolvers have</p>\n" : "</p>\n",
	      out);
}

static void put_period(const struct review *review, FILE *out) {
	const struct group *total = groups_total(review_groups(review));
	uint64_t runs = log_runs_losses(review->runs).runs;
	char words[REPORT_WORDS_SIZE];
	int64_t first, last;

	if (report_none_meant(review, words)) {
		html_print(out, "<p>%s.</p>\n", words);
		return;
	}
	if (group_refused(total) + total->allowed == 0) {
		fputs("<p>There are no connections in this report.</p>\n", out);
		return;
	}
	groups_period(review_groups(review), &first, &last);
	fputs("<p>", out);
	html_moment(out, first);
	fputs(" to ", out);
	html_moment(out, last);
	html_print(out, ", %" PRIu64 " run%s</p>\n", runs, runs == 1 ? "" : "s");
}

static void put_losses(const struct review *review, FILE *out) {
	char losses[REPORT_LOSSES][REPORT_WORDS_SIZE];
	unsigned count = report_losses(review, losses);

	if (count == 0)
		return;
	fputs("<section class=\"warning\" aria-labelledby=\"missing\"><h2 id=\"missing\">What is not in this "
	      "report</h2>\n<ul>\n",
	      out);
	for (unsigned i = 0; i < count; i++)
		html_print(out, "<li>%s</li>\n", losses[i]);
	fputs("</ul></section>\n", out);
}

static void put_near_table(const struct review *review, FILE *out) {
	size_t shown = review->near_count < NEAR_ROWS ? review->near_count : NEAR_ROWS;
	const struct group *total = groups_total(review_groups(review));
	const struct report_words *words = report_words(total);
	const char *class = total->would_block == 0 ? "refused"
			    : total->blocked == 0   ? "refused audited"
						    : "refused both";
	char text[REPORT_WORDS_SIZE];

	html_print(out,
		   "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"near\">\n"
		   "<table><caption>Names that %s, and look like allowed ones</caption>\n<thead><tr>"
		   "<th scope=\"col\">Name</th><th scope=\"col\" class=\"number\">%s</th>"
		   "<th scope=\"col\">Close to</th></tr></thead>\n<tbody>\n",
		   words->were, words->refused);
	for (size_t i = 0; i < shown; i++) {
		report_near_miss(&review->near[i], text);
		html_print(out, "<tr><th scope=\"row\">%s</th>", review->near[i].refused->key);
		html_count(out, class, group_refused(review->near[i].refused));
		html_print(out, "<td>%s</td></tr>\n", text);
	}
	fputs("</tbody></table></div>\n", out);
	if (review->near_count > shown)
		html_print(out, "<p>And %" PRIu64 " more.</p>\n", (uint64_t)(review->near_count - shown));
}

static void put_near_misses(const struct review *review, FILE *out) {
	char note[REPORT_WORDS_SIZE];
	bool noted = report_near_misses_note(review, note);

	if (review->near_count == 0 && !noted)
		return;
	fputs("<section aria-labelledby=\"near\"><h2 id=\"near\">Close to what is allowed</h2>\n", out);
	if (review->near_count > 0)
		put_near_table(review, out);
	if (noted)
		html_print(out, "<p>%s</p>\n", note);
	fputs("</section>\n", out);
}

struct rules {
	struct remedy items[RULES];
	size_t count;
};

/* Rules to be copied into a policy, the most refused first. The log's policy need not be here: as of one that checks
 * names at the usual port. Returns 0 or -ENOMEM. */
static int find_rules(const struct review *review, struct rules *rules) {
	static const char usual[] = "version: 1\ndns: {servers: none}\n";
	struct diagnostics diagnostics = {0};
	struct policy *policy = policy_parse("usual", usual, sizeof(usual) - 1, &diagnostics);
	size_t count = 0;
	const struct group **names = policy ? groups_sorted(review->by[BY_NAME], &count) : NULL;
	int error = names ? 0 : -ENOMEM;

	for (size_t i = 0; !error && i < count && rules->count < RULES; i++) {
		struct remedy *remedy = &rules->items[rules->count];
		struct refusal refusal;

		if (!read_refusal(names[i], &refusal))
			continue;
		error = remedy_find(policy, &refusal, remedy);
		rules->count += !error && remedy->section;
	}
	free(names);
	policy_free(policy);
	diagnostics_free(&diagnostics);
	return error;
}

static void put_rules(const struct rules *rules, FILE *out) {
	if (rules->count == 0)
		return;
	fputs("<section aria-labelledby=\"rules\"><h2 id=\"rules\">Rules to copy</h2>\n"
	      "<p>For what of it is wanted, and nothing else:</p>\n<pre>",
	      out);
	remedies_print(rules->items, rules->count, "", out);
	fputs("</pre></section>\n", out);
}

static int put_tables(const struct review *review, const struct rules *rules, FILE *out) {
	const struct report_words *words = report_words(groups_total(review_groups(review)));
	const unsigned asked = groups_have_processes(review_groups(review)) ? HTML_PROCESSES : 0;
	char names[REPORT_WORDS_SIZE], why[REPORT_WORDS_SIZE];
	const struct html_groups top = {review->by[BY_NAME],
					"top",
					words->most_refused,
					names,
					HTML_BLOCKED | HTML_REASONS | asked,
					.only_refused = true,
					.limit = TOP_ROWS};
	const struct html_groups attempts = {review->by[BY_REASON],
					     "attempts",
					     "Looks like an attempt to get around the filter",
					     "What no usual program sends",
					     HTML_BLOCKED | HTML_MEANING | HTML_NAMES | asked,
					     .class = REASON_ATTACK,
					     .only_refused = true,
					     .limit = SIZE_MAX};
	const struct html_groups reasons = {review->by[BY_REASON],
					    "reasons",
					    "By reason",
					    why,
					    HTML_BLOCKED | HTML_MEANING | HTML_NAMES | asked,
					    .only_refused = true,
					    .limit = SIZE_MAX};
	const struct html_groups processes = {review->by[BY_PROCESS],
					      "processes",
					      "By process",
					      "The programs that asked",
					      HTML_BLOCKED | HTML_ALLOWED | HTML_NAMES,
					      .limit = TOP_ROWS};
	const struct html_groups policies = {review->by[BY_POLICY],
					     "policies",
					     "By policy",
					     "The policies that decided",
					     HTML_BLOCKED | HTML_ALLOWED | asked,
					     .limit = TOP_ROWS};
	const struct html_groups all = {review->by[BY_NAME],
					"names",
					"All names",
					"Every name, or the address where there is none",
					HTML_BLOCKED | HTML_ALLOWED | HTML_REASONS | asked | HTML_TIMES,
					.searched = true,
					.limit = ALL_ROWS};
	int error;

	snprintf(names, sizeof(names), "The names that %s most", words->were);
	snprintf(why, sizeof(why), "Why connections %s", words->were);
	error = html_groups(&top, out);
	put_near_misses(review, out);
	put_rules(rules, out);
	error |= html_groups(&attempts, out);
	error |= html_groups(&reasons, out);
	fputs("<div class=\"pair\">\n", out);
	if (asked)
		error |= html_groups(&processes, out);
	error |= html_groups(&policies, out);
	fputs("</div>\n", out);
	return error | html_groups(&all, out);
}

static void put_footer(char *const *command, FILE *out) {
	fputs("<footer><p>Made ", out);
	html_moment(out, (int64_t)time(NULL) * 1000000);
	fputs(" by <code>snifence", out);
	for (; *command; command++)
		html_print(out, " %s", *command);
	fputs("</code></p></footer>\n", out);
}

int report_html(const struct review *review, char *const *command, FILE *out) {
	const struct group *total = groups_total(review_groups(review));
	struct rules rules = {.count = 0};
	uint64_t attempts;
	int error = count_refused(review->by[BY_REASON], is_attempt, &attempts);

	if (!error)
		error = find_rules(review, &rules);
	if (error)
		return error;
	page_begin("snifence report", out);
	fputs("<header><h1>snifence report</h1>\n", out);
	put_period(review, out);
	put_origin(review, out);
	put_links(review, attempts, rules.count > 0, out);
	fputs("</header>\n<main>\n", out);
	put_totals(review, attempts, out);
	put_losses(review, out);
	if (group_refused(total) + total->allowed > 0)
		html_timeline(review_groups(review), out);
	error |= put_tables(review, &rules, out);
	fputs("</main>\n", out);
	put_footer(command, out);
	page_end(out);
	return error;
}
