/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence check`: command line ──► policy ──► tables ──► what they say. */
#include "check/check.h"

#include <errno.h>
#include <string.h>

#include "base/message.h"
#include "check/check_expand.h"
#include "check/check_options.h"
#include "check/check_warn.h"

/* Prints what the policy means, and what of that may not be meant. Returns 0 or a negative errno. */
static int expand(const struct check_options *options, const struct policy *policy, const struct compiled *compiled) {
	struct diagnostics warnings = {0};
	int error = check_warn(policy, compiled, &warnings);

	diagnostics_print(&warnings, stderr);
	diagnostics_free(&warnings);
	if (error == 0)
		error = options->json ? expand_print_json(policy, compiled, stdout)
				      : expand_print(policy, compiled, stdout);
	return error;
}

/* Prints what was asked for. Returns an exit code, or a negative errno; -EINVAL has been explained. */
static int show(const struct check_options *options, const struct policy *policy, const struct compiled *compiled) {
	const struct question *question = &options->question;
	struct answer answer;
	int error;

	if (!question->host && !question->has_address)
		return expand(options, policy, compiled);
	error = question_answer(policy, compiled, question, &answer);
	if (error == 0 && options->json)
		error = answer_print_json(policy, compiled->sha256, question, &answer, stdout);
	else if (error == 0)
		answer_print(policy, question, &answer, stdout);
	if (error < 0)
		return error;
	return answer.judgement.verdict == SNIF_ALLOW ? EXIT_ALLOWED : EXIT_DENIED;
}

static int check_policy(const struct check_options *options, const struct policy *policy) {
	struct compiled compiled;
	int code, error = compile_to_ask(policy, &compiled);

	if (error < 0) {
		message_error("check: cannot make the tables of this policy: %s", strerror(-error));
		return EXIT_FAILED;
	}
	code = show(options, policy, &compiled);
	compiled_free(&compiled);
	if (code == -EINVAL)
		return EXIT_USAGE;
	if (code >= 0)
		return code;
	message_error("check: cannot print: %s", strerror(-code));
	return EXIT_FAILED;
}

static int check_file(const struct check_options *options, const char *file) {
	struct diagnostics diagnostics = {0};
	struct policy *policy = policy_load(file, &diagnostics);
	int code;

	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	if (!policy)
		return EXIT_USAGE;
	code = check_policy(options, policy);
	policy_free(policy);
	return code;
}

int check_main(int argc, char **argv) {
	struct check_options options;
	int worst = EXIT_ALLOWED, code = check_options_parse(argc, argv, &options);

	if (code != 0)
		return code < 0 ? EXIT_USAGE : EXIT_ALLOWED;
	for (char *const *file = options.policies; *file; file++) {
		if (file > options.policies && !options.json)
			putchar('\n');
		code = check_file(&options, *file);
		worst = code > worst ? code : worst;
	}
	return worst;
}
