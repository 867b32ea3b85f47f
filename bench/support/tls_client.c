/* SPDX-License-Identifier: BSD-2-Clause */
/* Work, as it is told on stdin ──► TLS 1.3 connections to the server ──► how long each took. */
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "bench.h"
#include "sides.h"
#include "tls.h"
#include "../../tests/support/lab.h"

enum { MOST_PARALLEL = 64, MOST_TIMES = 1 << 18, PATIENCE_S = 10 };

/* One connection that is being made. */
struct dial {
	int fd;
	SSL *ssl;
	double began_ms;
};

struct times {
	double us[MOST_TIMES];
	size_t count;
};

static struct {
	SSL_CTX *tls;
	struct dial standing; /* of TLS_OPEN */
	struct times now;     /* of the work at hand */
	struct times kept[TLS_TASKS];
	uint8_t chunk[TLS_CHUNK];
} client;

static void add_time(struct times *times, double us) {
	if (times->count < MOST_TIMES)
		times->us[times->count++] = us;
}

/* The smallest of the sorted times that a share (0 to 1) of them do not exceed. */
static double quantile(const struct times *times, double share) {
	return times->us[(size_t)ceil(share * (double)times->count) - 1];
}

static void sum_up(struct times *times, struct tls_done *done) {
	done->count = times->count;
	if (times->count == 0)
		return;
	bench_sort(times->us, times->count);
	done->p50 = quantile(times, 0.50);
	done->p99 = quantile(times, 0.99);
}

static void tell_why(struct tls_done *done, const char *what) {
	unsigned long reason = ERR_peek_last_error();

	done->failed = true;
	snprintf(done->error, sizeof(done->error), "%s: %s", what,
		 reason ? ERR_reason_error_string(reason) : strerror(errno));
}

/* Begins a connection; the descriptor is blocking or not as asked. */
static bool dial(struct dial *dial, const struct tls_work *work, int flags) {
	struct sockaddr_storage where;
	socklen_t length = lab_address(FAR_ADDRESS, work->port, &where);
	int one = 1;

	dial->began_ms = lab_now_ms();
	dial->fd = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	setsockopt(dial->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	dial->ssl = SSL_new(client.tls);
	if (!dial->ssl)
		bench_fail("the client is out of memory");
	SSL_set_tlsext_host_name(dial->ssl, work->name);
	SSL_set1_host(dial->ssl, work->name);
	SSL_set_fd(dial->ssl, dial->fd);
	SSL_set_connect_state(dial->ssl);
	return connect(dial->fd, (struct sockaddr *)&where, length) == 0 || errno == EINPROGRESS;
}

static void hang_up(struct dial *dial) {
	if (!dial->ssl)
		return;
	SSL_shutdown(dial->ssl);
	SSL_free(dial->ssl);
	close(dial->fd);
	dial->ssl = NULL;
}

static bool begin(int epoll, struct dial *dialled, const struct tls_work *work) {
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = dialled};

	return dial(dialled, work, SOCK_NONBLOCK) && epoll_ctl(epoll, EPOLL_CTL_ADD, dialled->fd, &event) == 0;
}

/* Goes on with a handshake. False: it failed. `*open` counts down when the connection is over. */
static bool advance(int epoll, struct dial *dialled, const struct tls_work *work, double end_ms, unsigned *open) {
	int result = SSL_connect(dialled->ssl), error;

	if (result != 1) {
		error = SSL_get_error(dialled->ssl, result);
		return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
	}
	add_time(&client.now, (lab_now_ms() - dialled->began_ms) * 1e3);
	hang_up(dialled);
	if (lab_now_ms() < end_ms)
		return begin(epoll, dialled, work);
	--*open;
	return true;
}

static void make_connections(const struct tls_work *work, struct tls_done *done) {
	double end_ms = lab_now_ms() + work->seconds * 1e3;
	int epoll = epoll_create1(EPOLL_CLOEXEC), count;
	struct dial dials[MOST_PARALLEL] = {0};
	struct epoll_event events[MOST_PARALLEL];
	unsigned open = work->parallel;

	for (unsigned i = 0; i < work->parallel && !done->failed; i++)
		if (!begin(epoll, &dials[i], work))
			tell_why(done, "connect");
	while (open > 0 && !done->failed) {
		count = epoll_wait(epoll, events, MOST_PARALLEL, PATIENCE_S * 1000);
		if (count == 0) {
			errno = ETIMEDOUT;
			tell_why(done, "handshake");
		}
		for (int i = 0; i < count && !done->failed; i++)
			if (!advance(epoll, events[i].data.ptr, work, end_ms, &open))
				tell_why(done, "handshake");
	}
	for (unsigned i = 0; i < work->parallel; i++)
		hang_up(&dials[i]);
	close(epoll);
}

/* One connection to the end of its handshake; all calls on it give up after a while. */
static void connect_once(struct dial *dialled, const struct tls_work *work, struct tls_done *done) {
	const struct timeval patience = {.tv_sec = work->task == TLS_PROBE ? 1 : PATIENCE_S};

	ERR_clear_error();
	if (!dial(dialled, work, 0) || setsockopt(dialled->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		tell_why(done, "connect");
	else if (SSL_connect(dialled->ssl) != 1)
		tell_why(done, "handshake");
}

static void probe(const struct tls_work *work, struct tls_done *done) {
	struct dial dialled;

	connect_once(&dialled, work, done);
	hang_up(&dialled);
}

/* One request and its answer, of any size. */
static bool exchange(uint64_t upload, uint64_t download) {
	struct tls_request request = {.upload = upload, .download = download};
	int count = SSL_write(client.standing.ssl, &request, sizeof(request));

	while (upload > 0 && count > 0) {
		count = SSL_write(client.standing.ssl, client.chunk, (int)(upload < TLS_CHUNK ? upload : TLS_CHUNK));
		upload -= count > 0 ? (uint64_t)count : 0;
	}
	while (download > 0 && count > 0) {
		count = SSL_read(client.standing.ssl, client.chunk, TLS_CHUNK);
		download -= count > 0 ? (uint64_t)count : 0;
	}
	return count > 0;
}

static void make_requests(const struct tls_work *work, struct tls_done *done) {
	double end_ms = lab_now_ms() + work->seconds * 1e3, began_ms;

	do {
		began_ms = lab_now_ms();
		if (!exchange(0, TLS_ANSWER_SIZE))
			tell_why(done, "request");
		add_time(&client.now, (lab_now_ms() - began_ms) * 1e3);
	} while (lab_now_ms() < end_ms && !done->failed);
}

static void do_work(const struct tls_work *work, struct tls_done *done) {
	double began_ms = lab_now_ms();

	if (work->task == TLS_PROBE)
		probe(work, done);
	else if (work->task == TLS_CONNECT)
		make_connections(work, done);
	else if (work->task == TLS_OPEN)
		connect_once(&client.standing, work, done);
	else if (work->task == TLS_REQUEST)
		make_requests(work, done);
	else if (!exchange(work->task == TLS_UP ? work->bytes : 0, work->task == TLS_DOWN ? work->bytes : 1))
		tell_why(done, "transfer");
	done->seconds = (lab_now_ms() - began_ms) / 1e3;
}

static void do_and_tell(const struct tls_work *work, struct tls_done *done) {
	if (work->task == TLS_TELL) {
		sum_up(&client.kept[work->of], done);
		return;
	}
	client.now.count = 0;
	do_work(work, done);
	for (size_t i = 0; work->keep && i < client.now.count; i++)
		add_time(&client.kept[work->task], client.now.us[i]);
	sum_up(&client.now, done);
}

int tls_client_main(void) {
	struct tls_work work;
	struct tls_done done = {0};

	signal(SIGPIPE, SIG_IGN);
	client.tls = SSL_CTX_new(TLS_client_method());
	if (!client.tls || SSL_CTX_load_verify_locations(client.tls, SIDES_FOLDER "/" TLS_CERTIFICATE, NULL) != 1)
		bench_fail("the client cannot read the server's certificate");
	SSL_CTX_set_verify(client.tls, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_min_proto_version(client.tls, TLS1_3_VERSION);
	SSL_CTX_set_session_cache_mode(client.tls, SSL_SESS_CACHE_OFF);
	while (send(STDIN_FILENO, &done, sizeof(done), 0) == sizeof(done) &&
	       recv(STDIN_FILENO, &work, sizeof(work), 0) == sizeof(work)) {
		memset(&done, 0, sizeof(done));
		do_and_tell(&work, &done);
	}
	hang_up(&client.standing);
	return 0;
}

struct start {
	const char *const *wrapper;
	int fd;
};

static int be_client(void *argument) {
	const struct start *start = argument;
	const char *argv[32] = {NULL};
	size_t count = 0;

	while (start->wrapper && start->wrapper[count] && count < 29) {
		argv[count] = start->wrapper[count];
		count++;
	}
	argv[count++] = lab_self();
	argv[count] = TLS_CLIENT;
	dup2(start->fd, STDIN_FILENO);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	execv(argv[0], (char *const *)argv);
	bench_fail("cannot execute %s: %s", argv[0], strerror(errno));
}

static struct tls_done await(const struct tls_client *started) {
	struct tls_done done;

	if (recv(started->fd, &done, sizeof(done), 0) != sizeof(done))
		bench_fail("the client has ended");
	return done;
}

void tls_client_start(struct tls_client *started, enum side side, const char *const wrapper[]) {
	struct start start = {.wrapper = wrapper};
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		bench_fail("no socket pair: %s", strerror(errno));
	start.fd = ends[1];
	started->fd = ends[0];
	started->pid = sides_fork(side, be_client, &start);
	close(ends[1]);
	await(started);
}

struct tls_done tls_client_do(struct tls_client *started, const struct tls_work *work) {
	struct tls_done done;

	if (send(started->fd, work, sizeof(*work), MSG_NOSIGNAL) != sizeof(*work))
		bench_fail("the client has ended");
	done = await(started);
	if (done.failed && work->task != TLS_PROBE)
		bench_fail("%s", done.error);
	return done;
}

void tls_client_end(struct tls_client *started) {
	close(started->fd);
	if (sides_wait(started->pid, NULL))
		bench_fail("the client ended badly");
}
