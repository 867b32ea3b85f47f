/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence inspect`: capture files ──► flows ──► names ──► what a policy says of them. */
#include "inspect/inspect.h"

#include <errno.h>
#include <string.h>

#include "base/message.h"
#include "compile/compile.h"
#include "event/event_write.h"
#include "inspect/capture.h"
#include "inspect/flow.h"
#include "inspect/inspect_judge.h"
#include "inspect/inspect_options.h"
#include "inspect/inspect_print.h"
#include "inspect/lookups.h"

struct inspect {
	struct inspect_options options;
	struct policy *policy;
	struct compiled compiled;
	struct flows *flows;
	struct lookups *lookups; /* of the file at hand; NULL: no policy asks for them */
	struct log *log;
	const char *file; /* the one at hand, where there are several; NULL: there is one */
	bool found;	  /* a flow in it */
	int error;	  /* of writing an event */
	int lookup_error; /* of reading DNS */
};

static void write_event(struct inspect *inspect, struct snif_event *event) {
	const struct event_context words = {.policy = inspect->policy,
					    .policy_sha256 = inspect->policy ? inspect->compiled.sha256 : NULL,
					    .wall_clock = true};
	int error;

	event->mode = inspect->policy ? inspect->policy->mode : SNIF_ENFORCE;
	error = event_write(inspect->log, event, &words);
	if (!error)
		error = log_flush(inspect->log); /* the capture may be a pipe that goes on */
	if (!inspect->error)
		inspect->error = error;
}

static void print_file(const struct inspect *inspect) {
	if (inspect->file)
		printf("%s: ", inspect->file);
}

static void show_question(struct inspect *inspect, const struct lookup *lookup) {
	struct snif_event event;

	if (!inspect->options.json) {
		print_file(inspect);
		inspect_print_question(stdout, lookup, inspect->policy);
		return;
	}
	event = inspect_question_event(lookup);
	write_event(inspect, &event);
}

/* Notes what an answer says, and shows a question that may not be asked. A message_reader. */
static void read_dns(void *context, const struct flow_message *message) {
	struct inspect *inspect = context;
	struct lookup lookup;
	struct snif_event event;
	int result = lookups_add(inspect->lookups, message, &lookup);

	if (result < 0)
		inspect->lookup_error = result;
	if (result == LOOKUP_REFUSED)
		show_question(inspect, &lookup);
	if (result == LOOKUP_ANSWER && inspect->options.json && inspect->policy->dns.log_answers) {
		event = inspect_answer_event(&lookup, &inspect->policy->dns);
		write_event(inspect, &event);
	}
}

/* Shows one flow. A flow_reader. */
static void show(void *context, const struct flow_hello *found) {
	struct inspect *inspect = context;
	struct snif_judgement judgement;
	struct snif_event event;
	bool unbound = false;

	inspect->found = true;
	if (inspect->policy)
		judgement = inspect_judge(&inspect->compiled, found, inspect->lookups, &unbound);
	if (!inspect->options.json) {
		print_file(inspect);
		inspect_print(stdout, found, inspect->policy, inspect->policy ? &judgement : NULL);
		return;
	}
	event = inspect_event(found, inspect->policy ? &judgement : NULL);
	if (unbound)
		event.flags |= SNIF_EVENT_UNBOUND;
	write_event(inspect, &event);
}

static void tell_losses(const char *file, const struct flow_losses *losses) {
	if (losses->fragments > 0)
		message_error("inspect: %s: IP fragments were passed over, as they are not put together: %llu", file,
			      (unsigned long long)losses->fragments);
	if (losses->damaged > 0)
		message_error(
			"inspect: %s: packets were passed over, whose headers are cut off or contradict each other: %llu",
			file, (unsigned long long)losses->damaged);
	if (losses->quic > 0)
		message_error("inspect: %s: packets of QUIC (UDP 443) were passed over, whose names are not read: %llu",
			      file, (unsigned long long)losses->quic);
	if (losses->dns > 0)
		message_error("inspect: %s: packets of DNS (UDP 53) were passed over: %llu", file,
			      (unsigned long long)losses->dns);
}

/* Reads one file. Returns 0, EXIT_UNREAD or EXIT_FAILED. */
static int read_file(struct inspect *inspect, const char *file) {
	struct capture *capture = capture_open(file);
	struct capture_packet packet;
	struct flow_losses losses;
	int more = 0, error = 0;

	if (!capture)
		return EXIT_UNREAD;
	inspect->found = false;
	if (inspect->policy && policy_reads_dns(inspect->policy)) {
		/* another capture is another network's */
		inspect->lookups = lookups_new(&inspect->compiled);
		if (!inspect->lookups)
			error = -ENOMEM;
		flows_read_dns(inspect->flows, read_dns);
	}
	while (!error && !inspect->lookup_error && (more = capture_next(capture, &packet)) > 0)
		error = flows_add(inspect->flows, &packet);
	capture_close(capture);
	losses = flows_end(inspect->flows);
	lookups_free(inspect->lookups);
	inspect->lookups = NULL;
	tell_losses(file, &losses);
	if (!error)
		error = inspect->lookup_error;
	if (error) {
		message_error("inspect: %s: %s", file, strerror(-error));
		return EXIT_FAILED;
	}
	if (more == 0 && !inspect->found)
		message_error("inspect: %s: no connection in it begins with TLS", file);
	return more < 0 ? EXIT_UNREAD : 0;
}

static int read_files(struct inspect *inspect) {
	int code = 0;

	if (!inspect->flows || !inspect->log) {
		message_error("inspect: out of memory");
		return EXIT_FAILED;
	}
	for (char **file = inspect->options.files; *file && code != EXIT_FAILED; file++) {
		int result;

		inspect->file = inspect->options.files[1] ? *file : NULL;
		result = read_file(inspect, *file);
		code = result ? result : code;
	}
	if (!inspect->error)
		return code;
	message_error("inspect: cannot write to standard output: %s", strerror(-inspect->error));
	return EXIT_FAILED;
}

static int load_policy(struct inspect *inspect) {
	struct diagnostics diagnostics = {0};
	int error;

	inspect->policy = policy_load(inspect->options.policy, &diagnostics);
	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	if (!inspect->policy)
		return EXIT_USAGE;
	error = compile_to_ask(inspect->policy, &inspect->compiled);
	if (!error)
		return 0;
	message_error("inspect: cannot compile the policy: %s", strerror(-error));
	policy_free(inspect->policy);
	return EXIT_FAILED;
}

int inspect_main(int argc, char **argv) {
	struct snif_hello_rules rules = snif_hello_rules_of(SNIF_HELLO_LONGEST);
	struct inspect inspect = {0};
	int code = inspect_options_parse(argc, argv, &inspect.options);

	if (code != 0)
		return code < 0 ? EXIT_USAGE : 0;
	if (inspect.options.policy && (code = load_policy(&inspect)) != 0)
		return code;
	if (inspect.policy) {
		rules = inspect.policy->hello;
		rules.postgres = true; /* is read wherever it comes: inspect_judge() knows where it may */
	}
	inspect.flows = flows_new(&rules, show, &inspect);
	inspect.log = log_new(stdout, log_run_id());
	code = read_files(&inspect);
	log_free(inspect.log);
	flows_free(inspect.flows);
	if (inspect.policy) {
		compiled_free(&inspect.compiled);
		policy_free(inspect.policy);
	}
	return code;
}
