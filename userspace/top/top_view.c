/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys ──► what is looked at. */
#include "top/top_view.h"

#include <string.h>

bool top_view_match(const struct top_view *view, const char *text) {
	return strcasestr(text, view->filter) != NULL;
}

static void go_to_begin(struct top_view *view) {
	view->top = view->selected = 0;
	view->key[0] = '\0';
}

static void edit_filter(struct top_view *view, int key) {
	size_t length = strlen(view->filter);

	if (key == TOP_KEY_ENTER || key == TOP_KEY_ESCAPE)
		view->typing = false;
	if (key == TOP_KEY_ESCAPE)
		view->filter[0] = '\0';
	else if (key == TOP_KEY_BACKSPACE && length > 0)
		view->filter[length - 1] = '\0';
	else if (key >= ' ' && key <= '~' && length + 1 < TOP_FILTER_SIZE)
		memcpy(view->filter + length, (char[]){(char)key, '\0'}, 2);
	go_to_begin(view);
}

bool top_view_settle(struct top_view *view) {
	size_t last = view->rows > view->page ? view->rows - view->page : 0, top = view->top;

	if (view->selected >= view->rows)
		view->selected = view->rows > 0 ? view->rows - 1 : 0;
	if (view->selected < view->top)
		view->top = view->selected;
	if (view->selected >= view->top + view->page)
		view->top = view->selected + 1 - view->page;
	view->top = view->top < last ? view->top : last;
	return view->top != top;
}

static size_t less(size_t number, size_t by) {
	return number > by ? number - by : 0;
}

/* Returns whether it was a key for that. */
static bool scroll(struct top_view *view, int key) {
	size_t step = view->page > 1 ? view->page - 1 : 1;

	if (key == TOP_KEY_UP) {
		view->selected = less(view->selected, 1);
	} else if (key == TOP_KEY_DOWN) {
		view->selected++;
	} else if (key == TOP_KEY_PAGE_UP) {
		view->selected = less(view->selected, step);
		view->top = less(view->top, step);
	} else if (key == TOP_KEY_PAGE_DOWN || (key == ' ' && !view->typing)) {
		view->selected += step;
		view->top += step;
	} else if (key == TOP_KEY_HOME) {
		view->selected = 0;
	} else if (key == TOP_KEY_END) {
		view->selected = less(view->rows, 1);
	} else {
		return false;
	}
	view->key[0] = '\0';
	top_view_settle(view);
	return true;
}

static void turn_to(struct top_view *view, unsigned tab) {
	view->tab = tab;
	go_to_begin(view);
}

static void sort_by(struct top_view *view, enum top_sort sort) {
	view->sort = sort;
	go_to_begin(view);
}

void top_view_key(struct top_view *view, int key) {
	if (view->help || view->details) {
		view->help = view->details = false;
		view->quit = key == 'q';
		return;
	}
	if (scroll(view, key))
		return;
	if (view->typing) {
		edit_filter(view, key);
		return;
	}
	switch (key) {
	case '1':
	case '2':
	case '3':
	case '4':
		turn_to(view, (unsigned)key - '1');
		break;
	case TOP_KEY_TAB:
		turn_to(view, (view->tab + 1U) % TOP_TABS);
		break;
	case TOP_KEY_BACK_TAB:
		turn_to(view, (view->tab + TOP_TABS - 1U) % TOP_TABS);
		break;
	case 's':
		sort_by(view, (view->sort + 1U) % TOP_SORTS);
		break;
	case 'r':
		sort_by(view, TOP_BY_REFUSED);
		break;
	case 'a':
		sort_by(view, TOP_BY_ALLOWED);
		break;
	case 'l':
		sort_by(view, TOP_BY_LAST);
		break;
	case 'n':
		sort_by(view, TOP_BY_KEY);
		break;
	case '?':
		view->help = true;
		break;
	case TOP_KEY_ENTER:
		view->details = view->rows > 0;
		break;
	case '/':
		view->typing = true;
		break;
	case TOP_KEY_ESCAPE:
		edit_filter(view, key);
		break;
	case 'q':
		view->quit = true;
		break;
	default:
		break;
	}
}
