/* buf.h: a byte buffer that grows, for what is written piece by piece (JSON, metrics, CSV).
 *
 * Ownership: the buffer owns its bytes until buf_free.
 * Threads: one buffer, one thread at a time. Errors: no memory ends the process (arena.h). */
#ifndef JARI_BASE_BUF_H
#define JARI_BASE_BUF_H

#include "base/text.h"

#include <string.h>

struct buf {
	char *p;
	size_t n, cap;
};

/* Makes room for more than there is; buf_reserve calls it. */
void buf_grow(struct buf *b, size_t more);

/* A zeroed struct buf is an empty one. What adds a few bytes is here to be compiled into its caller: an answer is written in some hundred pieces. */
static inline void buf_reserve(struct buf *b, size_t more)
{
	if (__builtin_expect(more > b->cap - b->n, 0))
		buf_grow(b, more);
}

static inline void buf_add(struct buf *b, const void *bytes, size_t n)
{
	if (n == 0)
		return;
	buf_reserve(b, n);
	memcpy(b->p + b->n, bytes, n);
	b->n += n;
}

static inline void buf_text(struct buf *b, struct text t)
{
	buf_add(b, t.p, t.n);
}

static inline void buf_char(struct buf *b, char c)
{
	buf_reserve(b, 1);
	b->p[b->n++] = c;
}

void buf_str(struct buf *b, const char *terminated);
void buf_int(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The bytes so far; valid until the buffer changes. */
struct text buf_view(const struct buf *b);
void buf_reset(struct buf *b);
void buf_free(struct buf *b);

#endif
