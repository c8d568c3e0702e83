#include "base/buf.h"

#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST 256

void buf_grow(struct buf *b, size_t more)
{
	size_t want, cap = b->cap ? b->cap : BUF_FIRST;

	if (__builtin_add_overflow(b->n, more, &want))
		want = SIZE_MAX; /* mem_grow ends the process */
	while (cap < want)
		if (__builtin_mul_overflow(cap, 2, &cap))
			cap = SIZE_MAX;
	b->p = mem_grow(b->p, cap);
	b->cap = cap;
}

void buf_str(struct buf *b, const char *terminated)
{
	buf_add(b, terminated, strlen(terminated));
}

void buf_int(struct buf *b, int64_t v)
{
	char digits[24];
	char *p = digits + sizeof(digits);
	uint64_t rest = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	do {
		*--p = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (v < 0)
		*--p = '-';
	buf_add(b, p, (size_t)(digits + sizeof(digits) - p));
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	assert(n >= 0);
	if (n <= 0)
		return;
	buf_reserve(b, (size_t)n + 1); /* and vsnprintf's NUL, which is not counted */
	va_start(args, format);
	vsnprintf(b->p + b->n, (size_t)n + 1, format, args);
	va_end(args);
	b->n += (size_t)n;
}

struct text buf_view(const struct buf *b)
{
	return (struct text){b->p, b->n};
}

void buf_reset(struct buf *b)
{
	b->n = 0;
}

void buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){0};
}
