/* memory_audit.c: the memory store has no SQL of its own, so its audit is that of a copy of its rows in SQLite, in memory. */
#include "store/memory.h"

#include "store/sqlite.h"

/* Every row as if a batch had made it, in the order of the primary indexes. */
static void copy_rows(struct memory_store *s, struct core_rows *rows)
{
	enum core_kind copied = 0;
	for (enum memory_index i = 0; i < MEM_INDEXES; i++) {
		enum core_kind kind = memory_index_kind(i);
		if (kind == copied)
			continue; /* a further index of the same rows */
		copied = kind;
		for (const struct ordered_node *node = s->index[i].first[0]; node; node = node->next[0])
			(void)core_row_create(rows, kind, node->row);
	}
}

static enum store_result fill(struct memory_store *s, struct sqlite_conn *c)
{
	struct arena arena = {0};
	struct core_rows rows;
	bool changed;
	core_rows_init(&rows, &arena, 1024);
	copy_rows(s, &rows);
	enum store_result result = sqlite_run(c, SQL_BEGIN);
	if (result == STORE_OK)
		result = sqlite_save(c, NULL, &rows, &changed);
	if (result == STORE_OK)
		result = sqlite_save_clock(c, s->clock);
	if (result == STORE_OK)
		result = sqlite_run(c, SQL_COMMIT);
	arena_free(&arena);
	return result;
}

enum store_result memory_audit(struct store *base, store_check_fn fn, void *arg)
{
	struct memory_store *s = (struct memory_store *)(void *)base;
	struct sqlite_conn c = {.path = "memory:"};
	int rc = sqlite3_open(":memory:", &c.db);
	if (rc == SQLITE_OK)
		rc = sqlite_make_tables(c.db);
	enum store_result result = rc == SQLITE_OK ? STORE_OK : sqlite_failed(&c, rc, "audit");
	if (result == STORE_OK) {
		(void)pthread_mutex_lock(&s->lock);
		result = fill(s, &c);
		(void)pthread_mutex_unlock(&s->lock);
	}
	if (result == STORE_OK)
		result = sqlite_audit_conn(&c, fn, arg);
	sqlite_conn_close(&c);
	return result;
}
