/* sqlite_copy.c: every row out of the SQLite store, and into an empty one.
 *
 * An import is one transaction, as a batch is, however large: its pages go into the write-ahead log, and count from its commit on. */
#include "store/opening.h"
#include "store/sqlite.h"

static struct sqlite_store *of(struct store *base)
{
	return (struct sqlite_store *)(void *)base;
}

/* ---- out ---- */

static enum store_result count_rows(struct sqlite_conn *c, int64_t *rows)
{
	sqlite3_stmt *stmt = sqlite_stmt(c, SQL_ROWS);
	int rc = stmt ? sqlite3_step(stmt) : SQLITE_ERROR;
	if (rc == SQLITE_ROW)
		*rows = sqlite3_column_int64(stmt, 0);
	enum store_result result = rc == SQLITE_ROW ? STORE_OK : sqlite_failed(c, rc, "count");
	if (stmt)
		(void)sqlite3_reset(stmt);
	return result;
}

enum store_result sqlite_count(struct store *base, int64_t *rows)
{
	return count_rows(&of(base)->conn, rows);
}

static enum store_result export_all(struct sqlite_conn *c, store_row_fn fn, void *arg)
{
	bool stopped = false;
	enum store_result result = STORE_OK;
	for (size_t i = 0; i < STORE_KINDS && result == STORE_OK && !stopped; i++) {
		sqlite3_stmt *stmt = sqlite_stmt(c, SQL_EXPORT + (int)store_kinds[i]);
		result = stmt ? sqlite_give_rows(c, store_kinds[i], stmt, fn, arg, &stopped) : STORE_BROKEN;
	}
	return result;
}

enum store_result sqlite_export(struct store *base, store_row_fn fn, void *arg)
{
	struct sqlite_conn *c = &of(base)->conn;
	enum store_result result = sqlite_run(c, SQL_BEGIN_READ);
	if (result != STORE_OK)
		return result;
	result = export_all(c, fn, arg);
	enum store_result ended = sqlite_run(c, SQL_ROLLBACK);
	return result == STORE_OK ? ended : result;
}

/* ---- in ---- */

/* Why SQLite did not do it. */
static enum store_result refuse(struct sqlite_store *s, enum store_result result, char *error)
{
	return store_refuse(result, error, "%s can't be filled: %s", s->path, sqlite3_errmsg(s->conn.db));
}

static void set_cache(struct sqlite_store *s, const char *pragma)
{
	(void)sqlite3_exec(s->conn.db, pragma, NULL, NULL, NULL); /* it goes without, only slower */
}

enum store_result sqlite_import_begin(struct store *base, int64_t clock, int64_t realm, char error[STORE_ERROR_SIZE])
{
	struct sqlite_store *s = of(base);
	int64_t rows = 0;
	if (s->mode != STORE_SERVE)
		return store_refuse(STORE_BROKEN, error, "%s was opened for reading alone", s->path);
	enum store_result result = sqlite_run(&s->conn, SQL_BEGIN);
	if (result == STORE_OK)
		result = count_rows(&s->conn, &rows);
	if (result == STORE_OK && rows > 1) /* every store has its main queue */
		return store_refuse(STORE_CONFLICT, error, STORE_NOT_EMPTY, s->path);
	if (result == STORE_OK)
		result = sqlite_run(&s->conn, SQL_CLEAR_QUEUES);
	s->clock_to_be = clock;
	s->realm_to_be = realm;
	set_cache(s, "PRAGMA cache_size = " SQLITE_IMPORT_CACHE);
	return result == STORE_OK ? STORE_OK : refuse(s, result, error);
}

enum store_result sqlite_import_row(struct store *base, enum core_kind kind, const void *row, char error[STORE_ERROR_SIZE])
{
	struct sqlite_store *s = of(base);
	if (sqlite3_get_autocommit(s->conn.db))
		return store_refuse(STORE_BROKEN, error, "no import was begun");
	enum store_result result = sqlite_insert(&s->conn, kind, row);
	if (result == STORE_OK)
		return STORE_OK;
	struct core_id id = core_id_of(kind, row);
	return store_refuse(result, error, "%s does not take row %lld/%lld of the %s: %s", s->path, (long long)id.a,
	                    (long long)id.b, store_kind_name(kind), sqlite3_errmsg(s->conn.db));
}

enum store_result sqlite_import_finish(struct store *base, char error[STORE_ERROR_SIZE])
{
	struct sqlite_store *s = of(base);
	if (sqlite3_get_autocommit(s->conn.db))
		return store_refuse(STORE_BROKEN, error, "no import was begun");
	enum store_result result = sqlite_save_clock(&s->conn, s->clock_to_be);
	if (result == STORE_OK)
		result = sqlite_save_realm(&s->conn, s->realm_to_be);
	if (result == STORE_OK)
		result = sqlite_end(s);
	if (result != STORE_OK)
		return refuse(s, result, error);
	base->ops->sync(base);
	set_cache(s, "PRAGMA cache_size = " SQLITE_WRITER_CACHE);
	result = sqlite_read_start(s);
	return result == STORE_OK ? STORE_OK : refuse(s, result, error);
}
