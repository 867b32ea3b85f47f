/* SPDX-License-Identifier: BSD-2-Clause */
/* A request for /metrics ──► what is resident, as metrics. */
#include "monitor/metrics_server.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/library.h"
#include "base/message.h"
#include "monitor/metrics.h"

#define FUNCTIONS(X)                                                                                                   \
	X(MHD_add_response_header)                                                                                     \
	X(MHD_create_response_from_buffer)                                                                             \
	X(MHD_destroy_response)                                                                                        \
	X(MHD_get_connection_info)                                                                                     \
	X(MHD_get_daemon_info) X(MHD_queue_response) X(MHD_run) X(MHD_start_daemon) X(MHD_stop_daemon)

LIBRARY(http, "to serve metrics", FUNCTIONS, "libmicrohttpd.so.12");

/* Seconds in which nothing comes or is taken; connections that last, and those that there are for a moment while one of
 * them ends. */
enum { IDLE_S = 10, SERVED = 16, ACCEPTED = 2 * SERVED };

struct metrics_server {
	struct MHD_Daemon *daemon;
	int fd;
	int connections[SERVED]; /* their sockets, the oldest first */
	size_t count;
	const struct verified *verified;
};

static void forget(struct metrics_server *server, int socket) {
	for (size_t i = 0; i < server->count; i++)
		if (server->connections[i] == socket) {
			server->count--;
			memmove(&server->connections[i], &server->connections[i + 1],
				(server->count - i) * sizeof(server->connections[0]));
			return;
		}
}

/*
 * Called when a connection begins and when it has ended. A client that sends a byte now and then is never idle: with a
 * fixed number of places a few of them keep everybody else out, and by a number for each address they do that, too, to
 * who has the same one, as all on this machine. So the oldest makes room for who comes.
 */
static void make_room(void *context, struct MHD_Connection *connection, void **own,
		      enum MHD_ConnectionNotificationCode event) {
	const union MHD_ConnectionInfo *info =
		http.MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct metrics_server *server = context;

	(void)own;
	if (!info)
		return;
	if (event == MHD_CONNECTION_NOTIFY_CLOSED) {
		forget(server, info->connect_fd);
		return;
	}
	if (server->count == SERVED) {
		shutdown(server->connections[0], SHUT_RDWR);
		forget(server, server->connections[0]);
	}
	server->connections[server->count++] = info->connect_fd;
}

static enum MHD_Result answer_with(struct MHD_Connection *connection, unsigned status, char *text,
				   enum MHD_ResponseMemoryMode mode) {
	struct MHD_Response *response = http.MHD_create_response_from_buffer(strlen(text), text, mode);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	http.MHD_add_response_header(response, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
	result = http.MHD_queue_response(connection, status, response);
	http.MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *data, size_t *size, void **request) {
	static int begun;
	char *text;

	(void)version;
	(void)data;
	(void)size;
	if (strcmp(method, "GET") != 0)
		return answer_with(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET only\n", MHD_RESPMEM_PERSISTENT);
	/* the first call comes before the whole request is there */
	if (!*request) {
		*request = &begun;
		return MHD_YES;
	}
	if (strcmp(url, "/metrics") != 0)
		return answer_with(connection, MHD_HTTP_NOT_FOUND, "it is /metrics\n", MHD_RESPMEM_PERSISTENT);
	text = metrics_text(((const struct metrics_server *)context)->verified);
	if (!text)
		return answer_with(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "the filter cannot be read\n",
				   MHD_RESPMEM_PERSISTENT);
	return answer_with(connection, MHD_HTTP_OK, text, MHD_RESPMEM_MUST_FREE);
}

/* Reads ADDRESS:PORT. NULL: it is something else. */
static struct addrinfo *read_address(const char *text) {
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
				       .ai_socktype = SOCK_STREAM};
	const char *colon = strrchr(text, ':');
	char host[64];
	size_t length = colon ? (size_t)(colon - text) : 0;
	struct addrinfo *found = NULL;

	if (length == 0 || length >= sizeof(host))
		return NULL;
	if (text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	}
	memcpy(host, text, length);
	host[length] = '\0';
	return getaddrinfo(host, colon + 1, &hints, &found) ? NULL : found;
}

static struct MHD_Daemon *start(struct metrics_server *server, const struct addrinfo *where) {
	unsigned flags = MHD_USE_EPOLL | (where->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0);

	return http.MHD_start_daemon(flags, 0, NULL, NULL, answer, server, MHD_OPTION_SOCK_ADDR, where->ai_addr,
				     MHD_OPTION_NOTIFY_CONNECTION, make_room, server, MHD_OPTION_CONNECTION_LIMIT,
				     (unsigned)ACCEPTED, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
				     MHD_OPTION_END);
}

struct metrics_server *metrics_serve(const char *address, const struct verified *verified) {
	struct addrinfo *where = read_address(address);
	struct metrics_server *server = where ? calloc(1, sizeof(*server)) : NULL;
	const union MHD_DaemonInfo *info;

	if (server)
		server->verified = verified;
	if (!where)
		message_error("--metrics takes ADDRESS:PORT, like 127.0.0.1:9774 or [::1]:9774, not %s", address);
	if (server && library_open(&http_library) == 0 && !(server->daemon = start(server, where)))
		message_error("cannot listen on %s: %s", address, strerror(errno));
	if (where)
		freeaddrinfo(where);
	if (!server || !server->daemon) {
		free(server);
		return NULL;
	}
	info = http.MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	server->fd = info ? info->epoll_fd : -1;
	return server;
}

int metrics_server_fd(const struct metrics_server *server) {
	return server->fd;
}

void metrics_server_turn(struct metrics_server *server) {
	http.MHD_run(server->daemon);
}

void metrics_server_free(struct metrics_server *server) {
	if (!server)
		return;
	http.MHD_stop_daemon(server->daemon);
	free(server);
}
