/* ordered.h: an ordered map in memory, for the memory store's tables and indexes.
 *
 * A skip list (Pugh 1990, "Skip lists: a probabilistic alternative to balanced trees"): put, take and find cost the logarithm of
 * the members; going on from a node costs nothing. Keys are unique.
 * Ownership: the map owns its nodes, never the rows nor the bytes of a key's text; those must live as long as the node.
 * Threads: the caller locks. Errors: no memory ends the process (base/arena.h). */
#ifndef JARI_STORE_ORDERED_H
#define JARI_STORE_ORDERED_H

#include "base/text.h"

struct ordered_key {
	int64_t a, b, c, d; /* compared in this order, then the text's bytes */
	struct text s;
};

struct ordered_node {
	struct ordered_key key;
	void *row;
	int levels;
	struct ordered_node *next[]; /* next[0] is the next greater one */
};

#define ORDERED_LEVELS 24

struct ordered {
	struct ordered_node *first[ORDERED_LEVELS];
	uint64_t coin; /* the state of the coin tosses; any start will do */
	size_t n;
};

/* A zeroed struct ordered is an empty one. */

/* False when the key is there already. */
bool ordered_put(struct ordered *o, struct ordered_key key, void *row);
/* Removes the key; true when it was there. */
bool ordered_take(struct ordered *o, struct ordered_key key);
/* The row of exactly this key, or NULL. */
void *ordered_get(const struct ordered *o, struct ordered_key key);
/* The first node whose key is not less than `key`, or NULL. */
const struct ordered_node *ordered_from(const struct ordered *o, struct ordered_key key);
/* Frees the nodes. */
void ordered_free(struct ordered *o);

#endif
