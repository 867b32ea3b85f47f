/* SPDX-License-Identifier: BSD-2-Clause */
/* A socket that a run's command hands to another process ──► it stays under the policy of the run that it was made in. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <json-c/json.h>

#include "../support/lab.h"

#define ALLOWS "version: 1\ndirect: {allow: [{to: 192.0.2.1, proto: tcp, ports: [25]}]}\n"
#define REFUSES "version: 1\ndns: {servers: none}\n"

enum { ENDS_MS = 1500, SENDS_MS = 4000 };

static int unix_socket(const char *path, struct sockaddr_un *address) {
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	strncpy(address->sun_path, path, sizeof(address->sun_path) - 1);
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static struct msghdr one_descriptor(char control[CMSG_SPACE(sizeof(int))], struct iovec *byte, int fd) {
	struct msghdr message = {
		.msg_iov = byte, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(sizeof(int))};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	*header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return message;
}

/* Hands out a socket of this type; waits until the other is done, or says that it goes on. */
static int hand_out(const char *path, int type) {
	char control[CMSG_SPACE(sizeof(int))] = "", byte = 'x';
	struct iovec vector = {&byte, 1};
	struct sockaddr_un address;
	int friend = unix_socket(path, &address);
	struct msghdr message = one_descriptor(control, &vector, socket(AF_INET, type, 0));

	while (connect(friend, (struct sockaddr *)&address, sizeof(address)))
		lab_sleep_ms(20);
	if (sendmsg(friend, &message, 0) != 1)
		return 1;
	return read(friend, &byte, 1) < 0 ? 2 : 0;
}

/* Returns the socket that is handed to this process, or -1, and whoever hands it out. */
static int accept_one(const char *path, int *friend) {
	char control[CMSG_SPACE(sizeof(int))] = "", byte;
	struct iovec vector = {&byte, 1};
	struct msghdr message = one_descriptor(control, &vector, -1);
	struct sockaddr_un friend_address;
	int listener = unix_socket(path, &friend_address), fd;

	if (bind(listener, (struct sockaddr *)&friend_address, sizeof(friend_address)) || listen(listener, 1))
		return -1;
	*friend = accept(listener, NULL, NULL);
	if (recvmsg(*friend, &message, 0) != 1)
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

static int take(const char *path) {
	struct sockaddr_storage to;
	socklen_t length = lab_address("192.0.2.1", 25, &to);
	int friend, fd = accept_one(path, &friend);

	if (fd < 0)
		return 1;
	if (lab_dial("192.0.2.1", 25) != -EPERM)
		return 2;
	return connect(fd, (struct sockaddr *)&to, length) || send(fd, "theirs", 6, 0) != 6 ? 3 : 0;
}

static void test_handed_over(void **state) {
	struct lab_program *giver, *taker;
	struct lab_server *server;
	struct json_object *event;
	char path[128];

	(void)state;
	lab_enter();
	server = lab_server(LAB_SINK, "192.0.2.1", 25);
	snprintf(path, sizeof(path), "%s/friend", lab_folder());
	giver = lab_start_snifence(ALLOWS, (const char *[]){"--log-allowed", NULL},
				   (const char *[]){lab_self(), "give", path, NULL});
	/* with its policy read: the other's gets the same name */
	while (!lab_cgroup_of(giver->pid))
		lab_sleep_ms(20);
	taker = lab_start_snifence(REFUSES, NULL, (const char *[]){lab_self(), "take", path, NULL});
	assert_int_equal(lab_finish(taker, LAB_PROGRAM_MS * lab_slowness())->status, 0);
	assert_int_equal(lab_finish(giver, LAB_PROGRAM_MS * lab_slowness())->status, 0);
	/* each log has what its own policy has decided */
	event = lab_log_one(giver, SNIF_REASON_ADDRESS_ALLOWED);
	assert_non_null(event);
	lab_log_one(taker, SNIF_REASON_ADDRESS_NOT_ALLOWED);
	assert_int_equal(lab_wait_bytes(server, 0, 6).received, 6);
	assert_int_equal(lab_count(server), 1);
}

/* Outside: sends by the socket of a run what that refuses, as fast as it can, and for longer than a run may go on. */
static int send_on(const char *path) {
	struct sockaddr_storage to;
	socklen_t length = lab_address("198.51.100.1", 9000, &to);
	double end = lab_now_ms() + SENDS_MS * lab_slowness();
	int friend, fd = accept_one(path, &friend);

	fork();
	fork();
	for (bool begun = false; lab_now_ms() < end; begun = true) {
		for (int i = 0; i < 100; i++)
			if (sendto(fd, "x", 1, 0, (struct sockaddr *)&to, length) == 1)
				return 1;
		if (!begun)
			send(friend, "x", 1, MSG_NOSIGNAL);
	}
	return 0;
}

/* What others send by a socket that was handed to them makes events, but does not keep a run from its end. */
static void test_sent_on_from_outside(void **state) {
	struct lab_program *sender, *giver;
	char path[128];

	(void)state;
	lab_enter();
	snprintf(path, sizeof(path), "%s/friend", lab_folder());
	sender = lab_start((const char *[]){lab_self(), "send-on", path, NULL});
	giver = lab_run((const char *[]){"build/snifence", "run", "--log", "/dev/null",
					 lab_write("policy.yaml", REFUSES), "--", lab_self(), "give-datagrams", path,
					 NULL});
	assert_int_equal(giver->status, 0);
	assert_true(giver->ms < ENDS_MS * lab_slowness());
	assert_non_null(strstr(giver->err, "198.51.100.1:9000/UDP"));
	assert_int_equal(lab_finish(sender, 2 * SENDS_MS * lab_slowness())->status, 0);
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {lab_test(test_handed_over), lab_test(test_sent_on_from_outside)};

	if (argc == 3 && strcmp(argv[1], "take") == 0)
		return take(argv[2]);
	if (argc == 3 && strcmp(argv[1], "send-on") == 0)
		return send_on(argv[2]);
	if (argc == 3)
		return hand_out(argv[2], strcmp(argv[1], "give") == 0 ? SOCK_STREAM : SOCK_DGRAM);
	return cmocka_run_group_tests_name("handed", tests, NULL, NULL);
}
