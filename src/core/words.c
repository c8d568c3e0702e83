/* words.c: places, sentences and the audit log's JSON, put together from pieces. */
#include "core/internal.h"

#include <string.h>

#define WORDS_MIN 256

static void add(struct core_words *w, const char *p, size_t n)
{
	if (n == 0)
		return;
	if (n > w->cap - w->n) {
		size_t cap = (w->cap + n) * 2 + WORDS_MIN;
		char *more = arena_alloc(w->arena, cap);
		if (w->n)
			memcpy(more, w->p, w->n);
		w->p = more;
		w->cap = cap;
	}
	memcpy(w->p + w->n, p, n);
	w->n += n;
}

void core_say(struct core_words *w, const char *s)
{
	add(w, s, strlen(s));
}

void core_say_int(struct core_words *w, int64_t v)
{
	char digits[24];
	size_t at = sizeof digits - 1;
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	digits[at] = 0;
	do
		digits[--at] = (char)('0' + u % 10);
	while (u /= 10);
	if (v < 0)
		digits[--at] = '-';
	core_say(w, digits + at);
}

void core_say_text(struct core_words *w, struct text t)
{
	core_say(w, "\"");
	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] == '"' || t.p[i] == '\\')
			add(w, "\\", 1);
		add(w, t.p + i, 1);
	}
	core_say(w, "\"");
}

void core_say_instant(struct core_words *w, int64_t ms)
{
	char text[TEXT_INSTANT_SIZE];
	if (ms == 0) {
		core_say(w, "null");
		return;
	}
	size_t n = text_instant_format(ms, text);
	core_say_text(w, (struct text){text, n});
}

void core_say_bool(struct core_words *w, bool v)
{
	core_say(w, v ? "true" : "false");
}

struct text core_said(const struct core_words *w)
{
	return arena_text(w->arena, (struct text){w->p, w->n});
}

void core_write_audit(struct core_batch *b, struct text actor, struct text action, struct text target, struct text detail)
{
	struct core_audit a = {
	    .audit_id = draw_id(b, CORE_ID_AUDIT),
	    .created_at = b->now,
	    .actor = actor,
	    .action = action,
	    .target = target,
	    .detail = detail,
	};
	(void)core_row_create(b->rows, CORE_ROW_AUDIT, &a);
}

bool core_good_name(struct text t, int64_t max)
{
	int64_t chars = text_utf8_chars(t);
	return chars >= 1 && chars <= max && !text_has_control(t);
}

struct text core_words_around(struct arena *arena, const char *before, int64_t v, const char *after)
{
	struct core_words w = {.arena = arena};
	core_say(&w, before);
	core_say_int(&w, v);
	core_say(&w, after);
	return core_said(&w);
}

struct text core_name_rule(struct arena *arena, int64_t max)
{
	return core_words_around(arena, "must be 1 to ", max, " characters without control characters");
}

struct text core_number_rule(struct arena *arena, int64_t lo, int64_t hi)
{
	struct core_words w = {.arena = arena};
	core_say(&w, "must be an integer from ");
	core_say_int(&w, lo);
	core_say(&w, " to ");
	core_say_int(&w, hi);
	return core_said(&w);
}
