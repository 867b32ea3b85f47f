/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys ──► what is looked at. */
#include "top/top_view.h"

#include <string.h>

bool top_view_match(const struct top_view *view, const char *text) {
	return strcasestr(text, view->filter) != NULL;
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
	view->top = 0;
}

/* Returns whether it was a key for that. */
static bool scroll(struct top_view *view, int key) {
	size_t last = view->rows > view->page ? view->rows - view->page : 0;
	size_t step = view->page > 1 ? view->page - 1 : 1, up = 0;

	if (key == TOP_KEY_UP || key == TOP_KEY_PAGE_UP)
		up = key == TOP_KEY_UP ? 1 : step;
	else if (key == TOP_KEY_DOWN || key == TOP_KEY_PAGE_DOWN || (key == ' ' && !view->typing))
		view->top += key == TOP_KEY_DOWN ? 1 : step;
	else if (key == TOP_KEY_HOME)
		view->top = 0;
	else if (key == TOP_KEY_END)
		view->top = last;
	else
		return false;
	view->top = view->top > up ? view->top - up : 0;
	view->top = view->top < last ? view->top : last;
	return true;
}

static void turn_to(struct top_view *view, unsigned tab) {
	view->tab = tab;
	view->top = 0;
}

static void sort_by(struct top_view *view, enum top_sort sort) {
	view->sort = sort;
	view->top = 0;
}

void top_view_key(struct top_view *view, int key) {
	if (view->help) {
		view->help = false;
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
	case 'b':
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
