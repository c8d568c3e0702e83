/* sqlite_chain.c: see sqlite_chain.h. */
#include "store/sqlite_chain.h"

#include <stdlib.h>

static int compare(const struct chain_link *x, int64_t user_id, int64_t entry_id)
{
	if (x->user_id != user_id)
		return x->user_id < user_id ? -1 : 1;
	return x->entry_id < entry_id ? -1 : x->entry_id > entry_id;
}

static int by_user(const void *a, const void *b)
{
	const struct chain_link *y = b;
	return compare(a, y->user_id, y->entry_id);
}

static bool is_new_entry(const struct core_row *row)
{
	return row->id.kind == CORE_ROW_ENTRY && !row->was && row->now;
}

struct chain chain_of(const struct core_rows *rows, struct arena *arena)
{
	struct chain chain = {0};
	size_t n = 0;
	for (const struct core_row *row = core_rows_dirty(rows); row; row = row->next_dirty)
		n += is_new_entry(row);
	if (n == 0)
		return chain;
	chain.links = arena_alloc(arena, n * sizeof *chain.links);
	for (const struct core_row *row = core_rows_dirty(rows); row; row = row->next_dirty)
		if (is_new_entry(row))
			chain.links[chain.n++] = (struct chain_link){row->id.a, row->id.b};
	qsort(chain.links, chain.n, sizeof *chain.links, by_user);
	return chain;
}

/* How many links are before that place. */
static size_t before(const struct chain *chain, int64_t user_id, int64_t entry_id)
{
	size_t low = 0, high = chain->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(&chain->links[middle], user_id, entry_id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int64_t chain_previous(const struct chain *chain, int64_t user_id, int64_t entry_id)
{
	size_t i = before(chain, user_id, entry_id);
	return i > 0 && chain->links[i - 1].user_id == user_id ? chain->links[i - 1].entry_id : 0;
}

int64_t chain_last(const struct chain *chain, int64_t user_id)
{
	return chain_previous(chain, user_id, INT64_MAX);
}

/* ---- what the store has ---- */

static size_t place(int64_t user_id)
{
	return (size_t)user_id & (CHAIN_HEADS - 1);
}

void chain_heads_forget(struct chain_heads *heads)
{
	heads->batch++;
}

void chain_heads_note(struct chain_heads *heads, int64_t user_id, int64_t entry_id)
{
	size_t i = place(user_id);
	heads->of[i].batch = heads->batch;
	heads->of[i].user_id = user_id;
	heads->of[i].entry_id = entry_id;
}

bool chain_heads_find(const struct chain_heads *heads, int64_t user_id, int64_t *entry_id)
{
	size_t i = place(user_id);
	bool known = heads->of[i].batch == heads->batch && heads->of[i].user_id == user_id;
	if (known)
		*entry_id = heads->of[i].entry_id;
	return known;
}
