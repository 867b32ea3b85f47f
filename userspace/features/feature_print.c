/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings ──► a table in plain words, or JSON. */
#include "features/feature_print.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/file.h"
#include "base/json.h"
#include "features/feature_process.h"

static const char *const headings[FEATURE_NEEDS] = {
	[FEATURE_NEEDED] = "What snifence run needs",
	[FEATURE_HELPFUL] = "What it can do without",
	[FEATURE_NOTED] = "Good to know",
};

static const char *const need_words[FEATURE_NEEDS] = {
	[FEATURE_NEEDED] = "needed", [FEATURE_HELPFUL] = "helpful", [FEATURE_NOTED] = "noted"};

enum feature_state feature_verdict(const struct finding findings[]) {
	enum feature_state verdict = FEATURE_HERE;

	for (size_t i = 0; i < feature_count; i++) {
		if (feature_table[i].need != FEATURE_NEEDED)
			continue;
		if (findings[i].state == FEATURE_MISSING)
			return FEATURE_MISSING;
		if (findings[i].state == FEATURE_UNKNOWN)
			verdict = FEATURE_UNKNOWN;
	}
	return verdict;
}

static const char *meaning(const struct feature *feature, const struct finding *finding) {
	if (finding->state == FEATURE_UNKNOWN)
		return NULL;
	return finding->state == FEATURE_HERE ? feature->here : feature->missing;
}

static void print_row(FILE *out, int width, const struct feature *feature, const struct finding *finding) {
	static const char *const words[] = {[FEATURE_UNKNOWN] = "?", [FEATURE_MISSING] = "no", [FEATURE_HERE] = "yes"};
	const char *text = meaning(feature, finding);

	fprintf(out, "  %-*s  %-3s  %s", width, feature->name, words[finding->state], text ? text : "");
	if (text && finding->detail[0])
		fprintf(out, " (%s)", finding->detail);
	else if (!text)
		fputs(finding->detail, out);
	fputc('\n', out);
}

/* Where root lacks capabilities, it is those by name, without what they have kept from being tried. */
static void print_names(FILE *out, const struct finding findings[], enum feature_state state) {
	const char *between = "";
	bool kept = false;

	for (size_t i = 0; i < feature_count; i++) {
		const struct feature *feature = &feature_table[i];

		if (feature->need != FEATURE_NEEDED || findings[i].state != state || (kept && feature->root))
			continue;
		fprintf(out, "%s%s", between, feature->name);
		between = ", ";
		if (feature->probe != probe_capabilities)
			continue;
		fprintf(out, " (%s)", findings[i].detail);
		kept = true;
	}
}

static void print_verdict(FILE *out, const struct finding findings[]) {
	enum feature_state verdict = feature_verdict(findings);

	if (verdict == FEATURE_HERE) {
		fputs("snifence run works here.\n", out);
		return;
	}
	if (verdict == FEATURE_MISSING) {
		fputs("snifence run does not work here. Missing: ", out);
		print_names(out, findings, FEATURE_MISSING);
	} else {
		fputs("Whether snifence run works here is not known. Not tried: ", out);
		print_names(out, findings, FEATURE_UNKNOWN);
	}
	fputs(".\n", out);
}

int feature_print(FILE *out, const struct finding findings[]) {
	struct utsname machine;
	int width = 0;

	for (size_t i = 0; i < feature_count; i++)
		if ((int)strlen(feature_table[i].name) > width)
			width = (int)strlen(feature_table[i].name);
	if (uname(&machine) == 0)
		fprintf(out, "%s %s, %s\n", machine.sysname, machine.release, machine.machine);
	for (int need = 0; need < FEATURE_NEEDS; need++) {
		fprintf(out, "\n%s\n", headings[need]);
		for (size_t i = 0; i < feature_count; i++)
			if ((int)feature_table[i].need == need)
				print_row(out, width, &feature_table[i], &findings[i]);
	}
	fputc('\n', out);
	print_verdict(out, findings);
	return stream_flush(out);
}

/* true, false, or null: not known. */
static int put_state(struct json_object *object, const char *key, enum feature_state state) {
	if (state == FEATURE_UNKNOWN)
		return json_put_text(object, key, NULL);
	return json_put(object, key, json_object_new_boolean(state == FEATURE_HERE));
}

static struct json_object *make_feature(const struct feature *feature, const struct finding *finding) {
	struct json_object *object = json_object_new_object();
	int error = put_state(object, "here", finding->state);

	error |= json_put_text(object, "name", feature->name);
	error |= json_put_text(object, "need", need_words[feature->need]);
	error |= json_put_text(object, "means", meaning(feature, finding));
	error |= json_put_text(object, "detail", finding->detail[0] ? finding->detail : NULL);
	return json_checked(object, error);
}

int feature_print_json(FILE *out, const struct finding findings[]) {
	struct json_object *object = json_object_new_object(), *features = json_object_new_object();
	struct utsname machine = {0};
	int error = uname(&machine) ? -errno : 0;

	error |= json_put_text(object, "kernel", machine.release);
	error |= json_put_text(object, "machine", machine.machine);
	error |= put_state(object, "run", feature_verdict(findings));
	for (size_t i = 0; i < feature_count; i++)
		error |= json_put(features, feature_table[i].key, make_feature(&feature_table[i], &findings[i]));
	error |= json_put(object, "features", features);
	return json_write(object, error, out);
}
