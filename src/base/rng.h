/* rng.h: chance that a seed decides: SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators").
 *
 * rng_at gives the number that belongs to an index, whoever asks and in whatever order, so that what people do is the same with
 * any number of threads. Threads: pure. Errors: none. */
#ifndef JARI_BASE_RNG_H
#define JARI_BASE_RNG_H

#include <stdint.h>

static inline uint64_t rng_mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static inline uint64_t rng_next(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15u;
	return rng_mix(*state);
}

static inline uint64_t rng_at(uint64_t seed, uint64_t index)
{
	return rng_mix(rng_mix(seed + 0x9e3779b97f4a7c15u) + index * 0x9e3779b97f4a7c15u);
}

/* A number below n, from 64 random bits; n at most 2^32. */
static inline int64_t rng_below(uint64_t bits, int64_t n)
{
	return (int64_t)(((bits >> 32) * (uint64_t)n) >> 32);
}

#endif
