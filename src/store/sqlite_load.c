/* sqlite_load.c: loads what a batch asks for. */
#include "store/sqlite.h"

#include <string.h>

/* The statement of a row or list with its parameters bound; NULL when it fails. A negative limit is none. */
static sqlite3_stmt *bind_load(struct sqlite_conn *c, const struct core_id *id, int64_t limit)
{
	int which = SQL_LOAD + (int)id->kind;
	sqlite3_stmt *stmt = sqlite_stmt(c, which);
	if (!stmt)
		return NULL;
	struct sqlite_binder b = sqlite_binder(stmt);
	for (const char *p = sqlite_statements[which].binds; *p; p++) {
		if (*p == 'a')
			sqlite_bind_int(&b, id->a);
		else if (*p == 'b')
			sqlite_bind_int(&b, id->b);
		else if (*p == 's')
			sqlite_bind_text(&b, id->s);
		else
			sqlite_bind_int(&b, limit);
	}
	if (b.rc != SQLITE_OK) {
		(void)sqlite_failed(c, b.rc, "bind");
		return NULL;
	}
	return stmt;
}

static struct core_row *put_current(struct core_rows *rows, enum core_kind kind, sqlite3_stmt *stmt)
{
	union core_any_row row;
	sqlite_row_read(kind, stmt, rows->arena, &row);
	return core_rows_put(rows, core_id_of(kind, &row), &row);
}

static enum store_result load_row(struct sqlite_store *s, struct core_rows *rows, struct core_id id)
{
	struct sqlite_conn *c = &s->conn;
	sqlite3_stmt *stmt = bind_load(c, &id, 0);
	if (!stmt)
		return STORE_BROKEN;
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		(void)put_current(rows, id.kind, stmt);
	else if (rc == SQLITE_DONE)
		core_rows_put_absent(rows, id);
	if (rc == SQLITE_ROW && id.kind == CORE_ROW_USER)
		chain_heads_note(&s->heads, id.a, sqlite3_column_int64(stmt, SQLITE_USER_COLUMN_COUNT));
	enum store_result result = rc == SQLITE_ROW || rc == SQLITE_DONE ? STORE_OK : sqlite_failed(c, rc, "load");
	(void)sqlite3_reset(stmt);
	return result;
}

/* Asks for one row more than the limit, to know whether something was left out. */
static enum store_result load_list(struct sqlite_conn *c, struct core_rows *rows, struct core_list *list)
{
	int64_t limit = list->limit > 0 && list->limit < INT64_MAX ? list->limit : -1;
	sqlite3_stmt *stmt = bind_load(c, &list->id, limit > 0 ? limit + 1 : -1);
	if (!stmt)
		return STORE_BROKEN;
	enum core_kind kind = core_row_kind(list->id.kind);
	list->complete = true;
	int rc;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (limit > 0 && (int64_t)list->n >= limit) {
			list->complete = false;
			rc = SQLITE_DONE;
			break;
		}
		core_list_add(rows, list, put_current(rows, kind, stmt));
	}
	enum store_result result = rc == SQLITE_DONE ? STORE_OK : sqlite_failed(c, rc, "load");
	(void)sqlite3_reset(stmt);
	return result;
}

enum store_result sqlite_load(struct store *base, struct core_rows *rows)
{
	struct sqlite_store *s = (struct sqlite_store *)(void *)base;
	enum store_result result = STORE_OK;
	for (size_t i = 0; i < rows->need_row_count && result == STORE_OK; i++)
		result = load_row(s, rows, rows->need_rows[i]);
	for (struct core_list *list = rows->need_lists; list && result == STORE_OK; list = list->next_need)
		result = load_list(&s->conn, rows, list);
	if (result == STORE_OK)
		core_rows_loaded(rows);
	return result;
}
