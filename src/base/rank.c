#include "base/rank.h"

#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BITS 64
#define BLOCK_BITS 512
#define BLOCK_WORDS (BLOCK_BITS / WORD_BITS)

/* Number n is bit n - 1. */
static int64_t bit_of(int64_t number)
{
	return number - 1;
}

static uint64_t mask_of(int64_t bit)
{
	return (uint64_t)1 << (bit % WORD_BITS);
}

/* Makes room for `blocks` blocks, at least doubling what there is. */
static void reserve(struct rank *r, int64_t blocks)
{
	int64_t room = r->room ? r->room * 2 : 1;

	if (blocks <= r->room)
		return;
	if (room < blocks)
		room = blocks;
	r->bits = mem_grow(r->bits, (size_t)room * BLOCK_WORDS * sizeof(*r->bits));
	r->tree = mem_grow(r->tree, (size_t)(room + 1) * sizeof(*r->tree));
	r->room = room;
}

/* Adds empty blocks at the end until there are `blocks`. A new node of the tree covers blocks that exist already: its sum is
 * made of the nodes below it. */
static void append(struct rank *r, int64_t blocks)
{
	reserve(r, blocks);
	memset(r->bits + r->blocks * BLOCK_WORDS, 0, (size_t)(blocks - r->blocks) * BLOCK_WORDS * sizeof(*r->bits));
	for (int64_t node = r->blocks + 1; node <= blocks; node++) {
		int64_t sum = 0;

		for (int64_t below = node - 1; below > node - (node & -node); below -= below & -below)
			sum += r->tree[below];
		r->tree[node] = sum;
	}
	r->blocks = blocks;
}

static void count(struct rank *r, int64_t block, int64_t change)
{
	for (int64_t node = block + 1; node <= r->blocks; node += node & -node)
		r->tree[node] += change;
	r->members += change;
}

void rank_set(struct rank *r, int64_t number)
{
	assert(number >= 1);

	int64_t bit = bit_of(number);

	if (bit / BLOCK_BITS >= r->blocks)
		append(r, bit / BLOCK_BITS + 1);
	if (rank_has(r, number))
		return;
	r->bits[bit / WORD_BITS] |= mask_of(bit);
	count(r, bit / BLOCK_BITS, 1);
}

void rank_clear(struct rank *r, int64_t number)
{
	int64_t bit = bit_of(number);

	if (!rank_has(r, number))
		return;
	r->bits[bit / WORD_BITS] &= ~mask_of(bit);
	count(r, bit / BLOCK_BITS, -1);
}

bool rank_has(const struct rank *r, int64_t number)
{
	int64_t bit = bit_of(number);

	return number >= 1 && bit / BLOCK_BITS < r->blocks && (r->bits[bit / WORD_BITS] & mask_of(bit)) != 0;
}

int64_t rank_below(const struct rank *r, int64_t number)
{
	if (number <= 1)
		return 0;

	int64_t bit = bit_of(number), block = bit / BLOCK_BITS, below = 0;

	if (block >= r->blocks)
		return r->members;
	for (int64_t node = block; node > 0; node -= node & -node)
		below += r->tree[node];
	for (int64_t word = block * BLOCK_WORDS; word < bit / WORD_BITS; word++)
		below += __builtin_popcountll(r->bits[word]);
	return below + __builtin_popcountll(r->bits[bit / WORD_BITS] & (mask_of(bit) - 1));
}

void rank_free(struct rank *r)
{
	free(r->bits);
	free(r->tree);
	*r = (struct rank){0};
}
