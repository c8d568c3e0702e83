/* ordered.c: the skip list. */
#include "store/ordered.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

static int compare_text(struct text x, struct text y)
{
	size_t n = x.n < y.n ? x.n : y.n;
	int c = n ? memcmp(x.p, y.p, n) : 0;
	return c ? c : (x.n > y.n) - (x.n < y.n);
}

static int compare(const struct ordered_key *x, const struct ordered_key *y)
{
	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	if (x->b != y->b)
		return x->b < y->b ? -1 : 1;
	if (x->c != y->c)
		return x->c < y->c ? -1 : 1;
	if (x->d != y->d)
		return x->d < y->d ? -1 : 1;
	return compare_text(x->s, y->s);
}

/* On each level, the link that leads to the first node not less than `key`. */
static void find_links(struct ordered *o, const struct ordered_key *key, struct ordered_node **links[ORDERED_LEVELS])
{
	struct ordered_node *before = NULL;
	for (int level = ORDERED_LEVELS - 1; level >= 0; level--) {
		struct ordered_node **link = before ? &before->next[level] : &o->first[level];
		while (*link && compare(&(*link)->key, key) < 0) {
			before = *link;
			link = &before->next[level];
		}
		links[level] = link;
	}
}

/* One level always, and each further one for every fourth node (xorshift, Marsaglia 2003). */
static int toss(struct ordered *o)
{
	uint64_t x = o->coin ? o->coin : 0x9e3779b97f4a7c15u;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	o->coin = x;
	int levels = 1;
	while (levels < ORDERED_LEVELS && (x & 3) == 0) {
		levels++;
		x >>= 2;
	}
	return levels;
}

bool ordered_put(struct ordered *o, struct ordered_key key, void *row)
{
	struct ordered_node **links[ORDERED_LEVELS];
	find_links(o, &key, links);
	if (*links[0] && compare(&(*links[0])->key, &key) == 0)
		return false;
	int levels = toss(o);
	struct ordered_node *node = mem_alloc(sizeof *node + (size_t)levels * sizeof(struct ordered_node *));
	node->key = key;
	node->row = row;
	node->levels = levels;
	for (int level = 0; level < levels; level++) {
		node->next[level] = *links[level];
		*links[level] = node;
	}
	o->n++;
	return true;
}

bool ordered_take(struct ordered *o, struct ordered_key key)
{
	struct ordered_node **links[ORDERED_LEVELS];
	find_links(o, &key, links);
	struct ordered_node *node = *links[0];
	if (!node || compare(&node->key, &key) != 0)
		return false;
	for (int level = 0; level < node->levels; level++)
		*links[level] = node->next[level];
	free(node);
	o->n--;
	return true;
}

const struct ordered_node *ordered_from(const struct ordered *o, struct ordered_key key)
{
	const struct ordered_node *before = NULL;
	for (int level = ORDERED_LEVELS - 1; level >= 0; level--) {
		const struct ordered_node *next = before ? before->next[level] : o->first[level];
		while (next && compare(&next->key, &key) < 0) {
			before = next;
			next = before->next[level];
		}
	}
	return before ? before->next[0] : o->first[0];
}

void *ordered_get(const struct ordered *o, struct ordered_key key)
{
	const struct ordered_node *node = ordered_from(o, key);
	return node && compare(&node->key, &key) == 0 ? node->row : NULL;
}

void ordered_free(struct ordered *o)
{
	struct ordered_node *node = o->first[0];
	while (node) {
		struct ordered_node *next = node->next[0];
		free(node);
		node = next;
	}
	memset(o, 0, sizeof *o);
}
