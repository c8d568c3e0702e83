/* fuzz.h: what the fuzz targets share. A target is LLVMFuzzerTestOneInput over bytes that libFuzzer makes; it ends the process when a promise
 * is broken, and libFuzzer keeps the bytes.
 *
 * Everything that a target does follows from its bytes alone, so that they can be replayed: where chance is needed it is drawn from them.
 * Threads: one. Errors: fuzz_broken does not come back. */
#ifndef JARI_TESTS_FUZZ_H
#define JARI_TESTS_FUZZ_H

#include "base/buf.h"
#include "base/text.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* EXPECT(condition, format, …): the promise, and what to say when it is broken. */
#define EXPECT(condition, ...)                                                    \
	do {                                                                      \
		if (!(condition))                                                 \
			fuzz_broken(__FILE__, __LINE__, #condition, __VA_ARGS__); \
	} while (0)

__attribute__((noreturn, format(printf, 4, 5))) static inline void fuzz_broken(const char *file, int line, const char *condition,
                                                                               const char *format, ...)
{
	va_list args;

	(void)fprintf(stderr, "\nBROKEN PROMISE at %s:%d: %s\n", file, line, condition);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
	abort();
}

/* For "%.*s". */
#define SHOWN(t) (int)(t).n, (t).p

/* ---- chance that follows from the bytes ---- */

struct fuzz_dice {
	uint64_t state;
};

static inline struct fuzz_dice fuzz_dice_of(const uint8_t *data, size_t size)
{
	struct fuzz_dice d = {0xcbf29ce484222325u ^ size};

	for (size_t i = 0; i < size; i++) /* FNV-1a; it may wrap */
		d.state = (d.state ^ data[i]) * 0x100000001b3u;
	return d;
}

/* 0 .. below - 1. */
static inline size_t fuzz_roll(struct fuzz_dice *d, size_t below)
{
	d->state = d->state * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(d->state >> 33) % below;
}

/* ---- taking the bytes apart ---- */

static inline uint8_t fuzz_byte(struct text *in)
{
	if (in->n == 0)
		return 0;
	in->n--;
	return (uint8_t)*in->p++;
}

/* What comes before the next `end`, which is taken too; all of the rest when there is none. */
static inline struct text fuzz_until(struct text *in, char end)
{
	const char *at = in->n > 0 ? memchr(in->p, end, in->n) : NULL;
	struct text piece = {in->p, at != NULL ? (size_t)(at - in->p) : in->n};
	size_t step = piece.n + (at != NULL);

	if (step > 0)
		in->p += step;
	in->n -= step;
	return piece;
}

/* A copy of exactly these bytes, so that AddressSanitizer sees a read behind them. Freed by the caller. */
static inline char *fuzz_exact(const char *p, size_t n)
{
	char *copy = malloc(n > 0 ? n : 1);

	if (copy == NULL)
		abort();
	if (n > 0)
		memcpy(copy, p, n);
	return copy;
}

/* Words that stand for something in the bytes, so that these can be read and are short. */
struct fuzz_word {
	const char *word;
	struct text means;
};

static inline void fuzz_replace(struct text in, const struct fuzz_word *words, size_t count, struct buf *out)
{
	while (in.n > 0) {
		size_t i = 0;

		while (i < count && !text_starts(in, text_of(words[i].word)))
			i++;
		buf_text(out, i < count ? words[i].means : (struct text){in.p, 1});
		size_t step = i < count ? strlen(words[i].word) : 1;
		in.p += step;
		in.n -= step;
	}
}

/* What {pad} stands for: with a few of them every limit of the transport is in reach. */
static inline struct fuzz_word fuzz_pad(void)
{
	static char pad[8190];

	memset(pad, 'x', sizeof(pad));
	return (struct fuzz_word){"{pad}", {pad, sizeof(pad)}};
}

static inline bool fuzz_is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

#endif
