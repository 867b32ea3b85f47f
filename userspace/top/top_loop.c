/* SPDX-License-Identifier: BSD-2-Clause */
/* Events, keys, signals, time ──► screens. */
#include "top/top_loop.h"

#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/message.h"
#include "log/log_source.h"
#include "top/top_screen.h"
#include "top/top_terminal.h"

enum {
	DRAW_INTERVAL = 250, /* milliseconds between two screens, unless a key wants one */
	CLOCK_INTERVAL = 1000 /* while there are rates, which change by themselves */,
	EVENTS_AT_ONCE = 2000, /* between two looks at keys and signals */
	MILLISECOND = 1000,    /* in microseconds */
};

struct loop {
	const struct top *top;
	struct top_terminal *terminal;
	struct top_model model;
	struct top_view view;
	bool changed, anew;   /* since it was drawn: something; so much that all is drawn anew */
	bool more;	      /* the log has more already */
	bool ended;	      /* it will never have more */
	int64_t drawn, event; /* when: microseconds since 1970 */
	int signal;
};

static int64_t now(void) {
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static int read_events(struct loop *loop) {
	struct log_event event;
	int error = 0, count = 0;

	while (!error && count < EVENTS_AT_ONCE && log_reader_next(loop->top->reader, &event)) {
		error = top_model_add(&loop->model, &event, now());
		count++;
	}
	loop->more = count == EVENTS_AT_ONCE;
	loop->changed |= count > 0;
	if (count > 0)
		loop->event = now();
	if (!loop->more)
		loop->ended = !log_reader_wait(loop->top->reader, 0);
	if (log_reader_tally(loop->top->reader).unread > 0)
		loop->view.quit = true;
	return error;
}

static int draw(struct loop *loop) {
	struct top_screen screen = {
		.model = &loop->model,
		.view = &loop->view,
		.file = loop->top->file,
		.tally = log_reader_tally(loop->top->reader),
		.now = now(),
		.unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
	};
	char *lines;

	top_terminal_size(&screen.width, &screen.height);
	lines = top_screen_draw(&screen);
	if (!lines)
		return -ENOMEM;
	top_terminal_show(loop->terminal, lines, loop->anew);
	free(lines);
	loop->drawn = screen.now;
	loop->changed = loop->anew = false;
	return 0;
}

/* Milliseconds until the screen is to be drawn; -1: not before something happens. */
static int until_drawn(const struct loop *loop) {
	bool rates = loop->drawn - loop->event < (TOP_SECONDS + 2) * 1000 * MILLISECOND;
	int64_t since = (now() - loop->drawn) / MILLISECOND;
	int interval = loop->changed ? DRAW_INTERVAL : CLOCK_INTERVAL;

	if (!loop->changed && !rates)
		return -1;
	if (since < 0 || since > interval) /* less than 0: the clock was set back */
		return 0;
	return interval - (int)since;
}

static int patience(const struct loop *loop) {
	int draw_in = until_drawn(loop);
	bool look = !loop->ended && log_reader_fd(loop->top->reader) < 0;

	if (loop->more)
		return 0;
	if (look && (draw_in < 0 || draw_in > LOG_SOURCE_INTERVAL))
		return LOG_SOURCE_INTERVAL;
	return draw_in;
}

static void take_keys(struct loop *loop) {
	int key;

	while ((key = top_terminal_key()) != TOP_KEY_NONE) {
		loop->anew |= key == TOP_KEY_REDRAW;
		loop->changed = true;
		loop->drawn = 0;
		top_view_key(&loop->view, key);
	}
}

static void take_signals(struct loop *loop) {
	struct signals signals = {.fd = loop->top->signals_fd};
	bool from_keys;
	int signal;

	while ((signal = signals_next(&signals, &from_keys)) != 0)
		if (!from_keys || !loop->top->ignore_from_keys)
			loop->signal = signal;
}

enum { POLL_KEYS, POLL_SIGNALS, POLL_LOG, POLL_COUNT };

/* Waits until there is something to do, and does what keys and signals ask for. */
static void turn(struct loop *loop) {
	struct pollfd fds[POLL_COUNT] = {
		[POLL_KEYS] = {.fd = top_terminal_fd(loop->terminal), .events = POLLIN},
		[POLL_SIGNALS] = {.fd = loop->top->signals_fd, .events = POLLIN},
		[POLL_LOG] = {.fd = loop->ended ? -1 : log_reader_fd(loop->top->reader), .events = POLLIN},
	};

	poll(fds, POLL_COUNT, patience(loop));
	take_keys(loop); /* always: a change of the size is one too, and interrupts poll() only */
	take_signals(loop);
	if (fds[POLL_KEYS].revents & (POLLHUP | POLLERR | POLLNVAL))
		loop->view.quit = true; /* the terminal is gone */
}

static int show(struct loop *loop) {
	int error = top_model_start(&loop->model);

	if (!error)
		error = draw(loop);
	while (!error && !loop->view.quit && !loop->signal && !(loop->ended && loop->top->ends_with_log)) {
		turn(loop);
		if (!loop->ended)
			error = read_events(loop);
		if (!error && until_drawn(loop) == 0)
			error = draw(loop);
	}
	return error;
}

int top_loop(const struct top *top) {
	struct loop loop = {.top = top, .model.review.filter = top->filter};
	int error;

	loop.terminal = top_terminal_open(top->command);
	if (!loop.terminal)
		return EXIT_USAGE;
	error = show(&loop);
	top_terminal_close(loop.terminal);
	top_model_free(&loop.model);
	if (error)
		message_error("%s: %s", top->command, strerror(-error));
	return error ? EXIT_FAILED : loop.signal ? 128 + loop.signal : 0;
}
