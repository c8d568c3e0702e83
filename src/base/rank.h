/* rank.h: which numbers are in a set, and how many of them lie below a given one.
 *
 * The waiting line's `ahead` is this order statistic: a bitmap by number, and a Fenwick tree (Fenwick 1994, "A new data structure for
 * cumulative frequency tables") of the counts of blocks of 512 numbers. Set, clear and rank cost the same with a hundred or a
 * million members; memory is a bit a number and eight bytes a block.
 * Numbers start at 1. Ownership: rank_free frees. Threads: one writer, or many readers; the caller locks. */
#ifndef JARI_BASE_RANK_H
#define JARI_BASE_RANK_H

#include <stdbool.h>
#include <stdint.h>

struct rank {
	uint64_t *bits;
	int64_t *tree;  /* 1-based; tree[i] counts the members of the blocks i - (i & -i) .. i - 1 */
	int64_t blocks; /* blocks that exist */
	int64_t room;   /* blocks that fit in what is allocated */
	int64_t members;
};

/* A zeroed struct rank is an empty one. */
void rank_set(struct rank *r, int64_t number);
void rank_clear(struct rank *r, int64_t number);
bool rank_has(const struct rank *r, int64_t number);
/* How many members are lower than `number`. */
int64_t rank_below(const struct rank *r, int64_t number);
void rank_free(struct rank *r);

#endif
