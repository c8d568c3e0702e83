/* buf.h: a byte buffer that grows, for what is written piece by piece (JSON, metrics, CSV).
 *
 * Ownership: the buffer owns its bytes until buf_free.
 * Threads: one buffer, one thread at a time. Errors: no memory ends the process (arena.h). */
#ifndef JARI_BASE_BUF_H
#define JARI_BASE_BUF_H

#include "base/text.h"

struct buf {
	char *p;
	size_t n, cap;
};

/* A zeroed struct buf is an empty one. */
void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_text(struct buf *b, struct text t);
void buf_str(struct buf *b, const char *terminated);
void buf_char(struct buf *b, char c);
void buf_int(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The bytes so far; valid until the buffer changes. */
struct text buf_view(const struct buf *b);
void buf_reset(struct buf *b);
void buf_free(struct buf *b);

#endif
