/* histogram.h: how often each latency came, in fixed memory and at the same relative exactness from a microsecond to hours.
 *
 * Log-linear, the idea of HdrHistogram (Gil Tene): values below 2^bits have a counter each; above, every doubling is divided into
 * 2^(bits - 1) equal counters. With HISTOGRAM_FINE bits a value is told to three significant digits (an error below 1/1024), with
 * HISTOGRAM_COARSE to 1/16. Values are microseconds, 0 to HISTOGRAM_MAX; larger ones count as that, and the exact maximum is
 * kept. Ownership: histogram_free frees the counters. Threads: one histogram, one thread at a time; each worker has its own,
 * merged afterwards. Errors: no memory ends the process (base/arena.h). */
#ifndef JARI_BASE_HISTOGRAM_H
#define JARI_BASE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_FINE 11
#define HISTOGRAM_COARSE 5
#define HISTOGRAM_MAX_BITS 37 /* 2^37 microseconds: 38 hours */
#define HISTOGRAM_MAX ((INT64_C(1) << HISTOGRAM_MAX_BITS) - 1)

struct histogram {
	int bits;
	size_t size; /* counters */
	uint64_t *counts;
	int64_t total, sum;
	int64_t lowest, highest; /* exact; 0 when empty */
};

void histogram_init(struct histogram *h, int bits);
void histogram_free(struct histogram *h);
void histogram_add(struct histogram *h, int64_t value);
/* Adds what `from` has; both of the same bits. */
void histogram_merge(struct histogram *into, const struct histogram *from);
/* The smallest recorded value, rounded up to its counter's highest, that `per_million` of a million values do not exceed: 500000
 * is the median, 999000 p99.9. Never more than the highest value; 0 when empty. */
int64_t histogram_at(const struct histogram *h, int64_t per_million);
int64_t histogram_mean(const struct histogram *h);

/* The counter that a value is in. Inline: HTTP threads count each request with it. */
static inline size_t histogram_index(int bits, int64_t value)
{
	uint64_t v = value < 0 ? 0 : value > HISTOGRAM_MAX ? (uint64_t)HISTOGRAM_MAX : (uint64_t)value;
	size_t half = (size_t)1 << (bits - 1);
	int shift;

	if (v < (uint64_t)1 << bits)
		return (size_t)v;
	shift = 64 - __builtin_clzll(v) - bits; /* 1 or more: v >> shift has `bits` bits, its first one set */
	return ((size_t)1 << bits) + (size_t)(shift - 1) * half + (size_t)(v >> shift) - half;
}
/* The highest value of a counter. */
int64_t histogram_highest_of(int bits, size_t index);
size_t histogram_size(int bits);

#endif
