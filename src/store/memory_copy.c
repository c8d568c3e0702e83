/* memory_copy.c: every row out of the memory store, and into an empty one. */
#include "store/memory.h"
#include "store/opening.h"

#include <stdlib.h>

static struct memory_store *of(struct store *base)
{
	return (struct memory_store *)(void *)base;
}

enum store_result memory_count(struct store *base, int64_t *rows)
{
	for (size_t i = 0; i < STORE_KINDS; i++)
		*rows += (int64_t)of(base)->index[memory_primary(store_kinds[i])].n;
	return STORE_OK;
}

enum store_result memory_export(struct store *base, store_row_fn fn, void *arg)
{
	for (size_t i = 0; i < STORE_KINDS; i++) {
		enum core_kind kind = store_kinds[i];
		enum memory_index index = kind == CORE_ROW_ENTRY ? MEM_ENTRY_ID : memory_primary(kind);
		for (const struct ordered_node *node = of(base)->index[index].first[0]; node; node = node->next[0])
			if (!fn(arg, kind, node->row))
				return STORE_OK;
	}
	return STORE_OK;
}

enum store_result memory_import_begin(struct store *base, int64_t clock, int64_t realm, char error[STORE_ERROR_SIZE])
{
	struct memory_store *s = of(base);
	int64_t rows = 0;
	(void)memory_count(base, &rows);
	if (rows > 1 || s->put_away)
		return store_refuse(STORE_CONFLICT, error, STORE_NOT_EMPTY, "the store in memory");
	s->put_away = memory_row_copy(CORE_ROW_QUEUE, s->index[MEM_QUEUE].first[0]->row);
	s->clock_to_be = clock;
	s->realm_to_be = realm;
	(void)pthread_mutex_lock(&s->lock);
	memory_clear(s);
	(void)pthread_mutex_unlock(&s->lock);
	return STORE_OK;
}

enum store_result memory_import_row(struct store *base, enum core_kind kind, const void *row, char error[STORE_ERROR_SIZE])
{
	struct memory_store *s = of(base);
	void *copy = memory_row_copy(kind, row);
	(void)pthread_mutex_lock(&s->lock);
	bool put = s->put_away && memory_row_valid(kind, row) && memory_put(s, kind, copy);
	(void)pthread_mutex_unlock(&s->lock);
	if (put)
		return STORE_OK;
	free(copy);
	return store_refuse(STORE_CONFLICT, error, "the store in memory does not take a row of the %s", store_kind_name(kind));
}

enum store_result memory_import_finish(struct store *base, char error[STORE_ERROR_SIZE])
{
	struct memory_store *s = of(base);
	if (!s->put_away)
		return store_refuse(STORE_BROKEN, error, "no import was begun");
	free(s->put_away);
	s->put_away = NULL;
	(void)pthread_mutex_lock(&s->lock);
	memory_raise_ids(s);
	s->clock = s->clock_to_be > s->clock ? s->clock_to_be : s->clock;
	s->realm = s->realm_to_be;
	(void)pthread_mutex_unlock(&s->lock);
	return STORE_OK;
}

void memory_import_undo(struct store *base)
{
	struct memory_store *s = of(base);
	if (!s->put_away)
		return;
	(void)pthread_mutex_lock(&s->lock);
	memory_clear(s);
	(void)memory_put(s, CORE_ROW_QUEUE, s->put_away);
	(void)pthread_mutex_unlock(&s->lock);
	s->put_away = NULL;
}
