/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random policies and questions ──► `snifence check` and the kernel, by real sockets, say the same of them: verdict,
 * reason and rule. AGREE_TIME and AGREE_SEED are as STORM_TIME and STORM_SEED.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/hello_maker.h"
#include "../support/lab.h"
#include "agree_draw.h"
#include "analysis/question.h"
#include "rounds.h"
#include "servers.h"
#include "world.h"

enum { POLICIES = 12, QUESTIONS = 250, CONNECT_MS = 2000 };

struct asked {
	struct agree_question question;
	int error; /* of the call that failed; 0: none did */
};

/* ---- the kernel ---------------------------------------------------------------------------------------------------- */

static int connected(int fd, const struct sockaddr_storage *to, socklen_t length) {
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	socklen_t size = sizeof(int);
	int error = 0;

	if (connect(fd, (const struct sockaddr *)to, length) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (poll(&ready, 1, CONNECT_MS * lab_slowness()) != 1)
		return ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return error;
}

static int ask_one(const struct agree_question *question) {
	static struct bytes stream;
	struct sockaddr_storage to;
	socklen_t length = lab_address(question->address, question->port, &to);
	int fd = socket(to.ss_family, (question->udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool first = question->udp || question->fast;
	int flags = MSG_NOSIGNAL | (first && !question->udp ? MSG_FASTOPEN : 0), error = 0;

	hello_make(&stream, &(struct hello){.name = question->host[0] ? question->host : NULL});
	if (!first)
		error = connected(fd, &to, length);
	if (!error && sendto(fd, stream.data, stream.length, flags, (struct sockaddr *)&to, first ? length : 0) < 0)
		error = errno;
	lab_reset(fd);
	return error == EINPROGRESS ? 0 : error;
}

static int ask_all(void *argument) {
	struct asked *asked = argument;

	for (size_t i = 0; i < QUESTIONS; i++)
		asked[i].error = ask_one(&asked[i].question);
	return 0;
}

/* ---- check --------------------------------------------------------------------------------------------------------- */

/* As people write it; what the kernel rewrites is rewritten by check too. */
static struct answer answer_of(const struct agree_question *asked, uint8_t address[16]) {
	struct question question = {.host = asked->host[0] ? asked->host : NULL,
				    .has_address = true,
				    .port = asked->port,
				    .protocol = asked->udp ? IPPROTO_UDP : IPPROTO_TCP};
	struct sockaddr_storage to;
	struct answer answer;

	lab_address(asked->address, asked->port, &to);
	if (to.ss_family == AF_INET)
		snif_map_ipv4(question.address, &((struct sockaddr_in *)&to)->sin_addr);
	else
		memcpy(question.address, &((struct sockaddr_in6 *)&to)->sin6_addr, 16);
	memcpy(address, question.address, 16);
	assert_int_equal(question_answer(lab_policy(), lab_compiled(), &question, &answer), 0);
	return answer;
}

static bool is_unspecified(const uint8_t address[16]) {
	static const uint8_t ipv4[16] = {[10] = 0xff, [11] = 0xff}, ipv6[16];

	return memcmp(address, ipv4, 16) == 0 || memcmp(address, ipv6, 16) == 0;
}

static bool is_about(const struct snif_event *event, const struct agree_question *question, const uint8_t address[16]) {
	return event->destination_port == question->port &&
	       event->protocol == (question->udp ? IPPROTO_UDP : IPPROTO_TCP) &&
	       (is_unspecified(address) || memcmp(event->destination, address, 16) == 0);
}

/* Where nobody is reached, no name is asked for. */
static bool may_be_silent(const struct asked *asked) {
	return !asked->question.udp && asked->error != 0 && asked->error != EPERM;
}

static void fail_at(const struct asked *asked, const struct answer *answer, const struct snif_event *event) {
	const struct agree_question *question = &asked->question;

	fail_msg("'%s' at %s port %u by %s (%s): check says %s by rule %u, the kernel %s by rule %u", question->host,
		 question->address, question->port,
		 question->udp	  ? "UDP"
		 : question->fast ? "Fast Open"
				  : "TCP",
		 strerror(asked->error), reason_code(answer->judgement.reason), answer->judgement.rule,
		 event ? reason_code(event->reason) : "nothing", event ? event->rule : 0);
}

/* Returns how many of the questions the kernel has answered. */
static unsigned compare(const struct asked *asked) {
	const struct snif_event *event = lab_event(0);
	uint8_t address[16];
	struct answer answer;
	unsigned answered = 0;

	for (size_t i = 0; i < QUESTIONS; i++) {
		answer = answer_of(&asked[i].question, address);
		if (!event || !is_about(event, &asked[i].question, address)) {
			if (!may_be_silent(&asked[i]))
				fail_at(&asked[i], &answer, event);
			continue;
		}
		if (event->verdict != answer.judgement.verdict || event->reason != answer.judgement.reason ||
		    event->rule != answer.judgement.rule)
			fail_at(&asked[i], &answer, event);
		answered++;
		event = lab_event(0);
	}
	if (event)
		fail_msg("the kernel tells of something that was not asked: %s", reason_code(event->reason));
	return answered;
}

/* ---- a round ------------------------------------------------------------------------------------------------------- */

/* One that holds together. */
static char *draw_policy(struct random *random) {
	struct diagnostics diagnostics;
	struct policy *policy;
	char *text;

	for (;;) {
		diagnostics = (struct diagnostics){0};
		text = agree_policy(random);
		policy = policy_parse("drawn.yaml", text, strlen(text), &diagnostics);
		diagnostics_free(&diagnostics);
		if (policy)
			break;
		free(text);
	}
	policy_free(policy);
	return text;
}

static unsigned ask_about(struct random *random, bool first) {
	struct asked *asked = lab_shared(QUESTIONS * sizeof(*asked));
	char *policy = draw_policy(random);
	unsigned answered;

	if (first)
		lab_confine(policy);
	else
		lab_reload(policy);
	for (size_t i = 0; i < QUESTIONS; i++)
		agree_question(random, &asked[i].question);
	assert_int_equal(lab_inside(ask_all, asked), 0);
	answered = compare(asked);
	free(policy);
	return answered;
}

static void a_round(void **state) {
	struct random random = random_part(rounds_seed(), 0);
	unsigned answered = 0;

	(void)state;
	lab_enter();
	servers_start(world_make(), rounds_seed());
	for (unsigned i = 0; i < POLICIES; i++)
		answered += ask_about(&random, i == 0);
	servers_stop();
	rounds_count(answered, "answered by both; %u asked, of %u policies", POLICIES * QUESTIONS, POLICIES);
}

int main(int argc, char **argv) {
	static const struct rounds rounds = {
		.name = "agree",
		.time_variable = "AGREE_TIME",
		.time = 15,
		.seed_variable = "AGREE_SEED",
		.what = "questions",
		.round = a_round,
	};

	return rounds_main(&rounds, argc, argv);
}
