/* tally.h: counters and histograms with one writer each, which cost the writer a plain addition.
 *
 * Whoever reads sees each number as it was at some moment, and no torn one; numbers of one tally may be of moments a little apart.
 * Threads: one writer at a time, any readers. Ownership: none. */
#ifndef JARI_BASE_TALLY_H
#define JARI_BASE_TALLY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

typedef _Atomic int64_t tally_count;

static inline void tally_add(tally_count *c, int64_t n)
{
	/* not an atomic addition: nobody else writes */
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline int64_t tally_value(const tally_count *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

#define TALLY_BOUNDS_MAX 15

/* Upper bounds, ascending; what is above the last one is counted behind it. */
struct tally_bounds {
	size_t n;
	int64_t at[TALLY_BOUNDS_MAX];
};

struct tally {
	tally_count counts[TALLY_BOUNDS_MAX + 1];
	tally_count sum;
};

static inline void tally_note(struct tally *t, const struct tally_bounds *bounds, int64_t value)
{
	size_t i = 0;
	while (i < bounds->n && value > bounds->at[i])
		i++;
	tally_add(&t->counts[i], 1);
	tally_add(&t->sum, value);
}

/* What a reader has seen of a tally, or of several together. */
struct tally_view {
	int64_t counts[TALLY_BOUNDS_MAX + 1];
	int64_t sum;
};

static inline void tally_gather(const struct tally *t, struct tally_view *into)
{
	for (size_t i = 0; i <= TALLY_BOUNDS_MAX; i++)
		into->counts[i] += tally_value(&t->counts[i]);
	into->sum += tally_value(&t->sum);
}

#endif
