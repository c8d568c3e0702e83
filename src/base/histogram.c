/* histogram.c: see histogram.h. */
#include "base/histogram.h"
#include "base/arena.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

size_t histogram_size(int bits)
{
	return ((size_t)1 << bits) + (size_t)(HISTOGRAM_MAX_BITS - bits) * ((size_t)1 << (bits - 1));
}

int64_t histogram_highest_of(int bits, size_t index)
{
	size_t linear = (size_t)1 << bits, half = linear >> 1;
	size_t shift, top;

	if (index < linear)
		return (int64_t)index;
	shift = ((index - linear) >> (bits - 1)) + 1;
	top = ((index - linear) & (half - 1)) + half;
	return (int64_t)(((uint64_t)(top + 1) << shift) - 1);
}

void histogram_init(struct histogram *h, int bits)
{
	assert(bits >= 2 && bits < HISTOGRAM_MAX_BITS);
	*h = (struct histogram){.bits = bits, .size = histogram_size(bits)};
	h->counts = mem_zero(h->size * sizeof(*h->counts));
}

void histogram_free(struct histogram *h)
{
	free(h->counts);
	*h = (struct histogram){0};
}

void histogram_add(struct histogram *h, int64_t value)
{
	if (value < 0)
		value = 0;
	h->counts[histogram_index(h->bits, value)]++;
	if (h->total == 0 || value < h->lowest)
		h->lowest = value;
	if (value > h->highest)
		h->highest = value;
	h->total++;
	if (__builtin_add_overflow(h->sum, value, &h->sum))
		h->sum = INT64_MAX;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	assert(into->bits == from->bits);
	if (from->total == 0)
		return;
	for (size_t i = 0; i < into->size; i++)
		into->counts[i] += from->counts[i];
	if (into->total == 0 || from->lowest < into->lowest)
		into->lowest = from->lowest;
	if (from->highest > into->highest)
		into->highest = from->highest;
	into->total += from->total;
	if (__builtin_add_overflow(into->sum, from->sum, &into->sum))
		into->sum = INT64_MAX;
}

int64_t histogram_at(const struct histogram *h, int64_t per_million)
{
	/* How many values must lie at or below: rounded up, so that of one value every percentile is that value. */
	int64_t wanted = h->total / 1000000 * per_million + (h->total % 1000000 * per_million + 999999) / 1000000;
	int64_t seen = 0;

	if (h->total == 0)
		return 0;
	if (wanted < 1)
		wanted = 1;
	for (size_t i = 0; i < h->size; i++) {
		seen += (int64_t)h->counts[i];
		if (seen >= wanted) {
			int64_t value = histogram_highest_of(h->bits, i);

			return value < h->highest ? value : h->highest;
		}
	}
	return h->highest;
}

int64_t histogram_mean(const struct histogram *h)
{
	return h->total == 0 ? 0 : h->sum / h->total;
}
