/* sqlite_read.c: the SQLite store's scan and readers. */
#include "store/sqlite.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

/* ---- the scan ---- */

struct scan {
	struct sqlite_conn *c;
	store_row_fn fn;
	void *arg;
	bool stopped;
};

enum store_result sqlite_give_rows(struct sqlite_conn *c, enum core_kind kind, sqlite3_stmt *stmt, store_row_fn fn, void *arg,
                                   bool *stopped)
{
	struct arena arena = {0};
	union core_any_row row;
	int rc;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && !*stopped) {
		arena_reset(&arena);
		sqlite_row_read(kind, stmt, &arena, &row);
		*stopped = !fn(arg, kind, &row);
	}
	enum store_result result = rc == SQLITE_DONE || rc == SQLITE_ROW ? STORE_OK : sqlite_failed(c, rc, "scan");
	(void)sqlite3_reset(stmt);
	arena_free(&arena);
	return result;
}

static enum store_result scan_rows(struct scan *scan, enum core_kind kind, sqlite3_stmt *stmt)
{
	return sqlite_give_rows(scan->c, kind, stmt, scan->fn, scan->arg, &scan->stopped);
}

static enum store_result scan_table(struct scan *scan, enum core_kind kind, int which)
{
	sqlite3_stmt *stmt = sqlite_stmt(scan->c, which);
	if (!stmt)
		return STORE_BROKEN;
	return scan->stopped ? STORE_OK : scan_rows(scan, kind, stmt);
}

/* The first number at `number` or above: its number and instant of issue; false when there is none. */
static enum store_result issued_at(struct sqlite_conn *c, int64_t queue_id, int64_t number, int64_t *found, int64_t *at)
{
	sqlite3_stmt *stmt = sqlite_stmt(c, SQL_SCAN_ISSUED);
	if (!stmt)
		return STORE_BROKEN;
	struct sqlite_binder b = sqlite_binder(stmt);
	sqlite_bind_int(&b, queue_id);
	sqlite_bind_int(&b, number);
	int rc = b.rc == SQLITE_OK ? sqlite3_step(stmt) : b.rc;
	if (rc == SQLITE_ROW) {
		*found = sqlite3_column_int64(stmt, 0);
		*at = sqlite3_column_int64(stmt, 1);
	}
	enum store_result result = rc == SQLITE_ROW ? STORE_OK : rc == SQLITE_DONE ? STORE_NONE : sqlite_failed(c, rc, "scan");
	(void)sqlite3_reset(stmt);
	return result;
}

/* The first number that was issued at `since` or later, by halving: numbers are issued in the order of time (I5). */
static enum store_result first_since(struct sqlite_conn *c, int64_t queue_id, int64_t last, int64_t since, int64_t *out)
{
	int64_t low = 1, high = last + 1; /* the answer is in low .. high */
	while (low < high) {
		int64_t middle = low + (high - low) / 2, found = 0, at = 0;
		enum store_result result = issued_at(c, queue_id, middle, &found, &at);
		if (result != STORE_OK && result != STORE_NONE)
			return result;
		if (result == STORE_NONE || at >= since)
			high = middle;
		else
			low = found + 1;
	}
	*out = low;
	return STORE_OK;
}

/* Where the scan of each queue's tickets begins. */
struct starts {
	struct {
		int64_t queue_id, last, from;
	} * p;
	size_t n;
	store_row_fn fn;
	void *arg;
};

/* Passes a queue on, and notes it. */
static bool note_queue(void *arg, enum core_kind kind, const void *row)
{
	struct starts *starts = arg;
	const struct core_queue *q = row;
	starts->p = mem_grow(starts->p, (starts->n + 1) * sizeof *starts->p);
	starts->p[starts->n].queue_id = q->queue_id;
	starts->p[starts->n].last = q->last_number;
	starts->n++;
	return starts->fn(starts->arg, kind, row);
}

static enum store_result find_starts(struct sqlite_conn *c, struct starts *starts, int64_t since)
{
	enum store_result result = STORE_OK;
	for (size_t i = 0; i < starts->n && result == STORE_OK; i++)
		result = first_since(c, starts->p[i].queue_id, starts->p[i].last, since, &starts->p[i].from);
	return result;
}

static enum store_result scan_users(struct scan *scan, const struct starts *starts)
{
	struct buf json = {0};
	buf_char(&json, '[');
	for (size_t i = 0; i < starts->n; i++)
		buf_printf(&json, "%s[%lld,%lld]", i ? "," : "", (long long)starts->p[i].queue_id, (long long)starts->p[i].from);
	buf_char(&json, ']');
	enum store_result result = STORE_BROKEN;
	sqlite3_stmt *stmt = sqlite_stmt(scan->c, SQL_SCAN_USERS);
	if (stmt) {
		struct sqlite_binder b = sqlite_binder(stmt);
		sqlite_bind_text(&b, buf_view(&json));
		result = b.rc == SQLITE_OK ? scan_rows(scan, CORE_ROW_USER, stmt) : sqlite_failed(scan->c, b.rc, "scan");
	}
	buf_free(&json);
	return result;
}

static enum store_result scan_tickets(struct scan *scan, const struct starts *starts)
{
	enum store_result result = STORE_OK;
	for (size_t i = 0; i < starts->n && result == STORE_OK && !scan->stopped; i++) {
		sqlite3_stmt *stmt = sqlite_stmt(scan->c, SQL_SCAN_TICKETS);
		if (!stmt)
			return STORE_BROKEN;
		struct sqlite_binder b = sqlite_binder(stmt);
		sqlite_bind_int(&b, starts->p[i].queue_id);
		sqlite_bind_int(&b, starts->p[i].from);
		result = b.rc == SQLITE_OK ? scan_rows(scan, CORE_ROW_TICKET, stmt) : sqlite_failed(scan->c, b.rc, "scan");
	}
	return result;
}

static enum store_result scan_all(struct sqlite_conn *c, int64_t since, store_row_fn fn, void *arg, struct starts *starts)
{
	static const struct {
		enum core_kind kind;
		int which;
	} tables[] = {
	    {CORE_ROW_CONCERT, SQL_EXPORT + CORE_ROW_CONCERT},
	    {CORE_ROW_SHOW, SQL_EXPORT + CORE_ROW_SHOW},
	    {CORE_ROW_SEAT, SQL_EXPORT + CORE_ROW_SEAT},
	    {CORE_ROW_RESERVATION, SQL_SCAN_HOLDS},
	};
	struct scan queues = {c, note_queue, starts, false}, scan = {c, fn, arg, false};
	enum store_result result = scan_table(&queues, CORE_ROW_QUEUE, SQL_EXPORT + CORE_ROW_QUEUE);
	scan.stopped = queues.stopped;
	for (size_t i = 0; i < sizeof tables / sizeof tables[0] && result == STORE_OK; i++)
		result = scan_table(&scan, tables[i].kind, tables[i].which);
	if (result == STORE_OK)
		result = find_starts(c, starts, since);
	if (result == STORE_OK && !scan.stopped)
		result = scan_users(&scan, starts);
	return result == STORE_OK ? scan_tickets(&scan, starts) : result;
}

enum store_result sqlite_scan(struct store *base, int64_t since, store_row_fn fn, void *arg)
{
	struct sqlite_conn *c = &((struct sqlite_store *)(void *)base)->conn;
	struct starts starts = {.fn = fn, .arg = arg};
	enum store_result result = sqlite_run(c, SQL_BEGIN_READ);
	if (result == STORE_OK) {
		result = scan_all(c, since, fn, arg, &starts);
		enum store_result ended = sqlite_run(c, SQL_ROLLBACK);
		if (result == STORE_OK)
			result = ended;
	}
	free(starts.p);
	return result;
}

/* ---- readers ---- */

static struct sqlite_conn *conn(struct store_reader *base)
{
	return &((struct sqlite_reader *)(void *)base)->conn;
}

enum store_result sqlite_reader_open(struct store *base, struct store_reader **out)
{
	struct sqlite_reader *r = mem_zero(sizeof *r);
	r->base.ops = base->ops;
	enum store_result result = sqlite_open_read(&r->conn, ((struct sqlite_store *)(void *)base)->path, NULL);
	if (result == STORE_OK)
		*out = &r->base;
	else
		free(r);
	return result;
}

void sqlite_reader_close(struct store_reader *base)
{
	sqlite_conn_close(conn(base));
	free(base);
}

enum store_result sqlite_reservation(struct store_reader *base, int64_t reservation_id, struct arena *arena,
                                     struct core_reservation *out)
{
	struct sqlite_conn *c = conn(base);
	sqlite3_stmt *stmt = sqlite_stmt(c, SQL_LOAD + CORE_ROW_RESERVATION);
	if (!stmt)
		return STORE_BROKEN;
	struct sqlite_binder b = sqlite_binder(stmt);
	sqlite_bind_int(&b, reservation_id);
	int rc = b.rc == SQLITE_OK ? sqlite3_step(stmt) : b.rc;
	if (rc == SQLITE_ROW)
		sqlite_row_read(CORE_ROW_RESERVATION, stmt, arena, out);
	enum store_result result = rc == SQLITE_ROW ? STORE_OK : rc == SQLITE_DONE ? STORE_NONE : sqlite_failed(c, rc, "read");
	(void)sqlite3_reset(stmt);
	return result;
}

/* A page being read: `key` (when the statement has one), a bound, a limit. Rows become an array of structs of `size`, each beginning
 * with the kind's own. */
struct page {
	int which;
	enum core_kind kind;
	size_t size;
	bool has_key;
	int64_t key, bound, limit;
	void (*extra)(sqlite3_stmt *stmt, struct arena *arena, void *row); /* fills what is behind the kind's struct */
};

static enum store_result collect(struct sqlite_conn *c, const struct page *page, sqlite3_stmt *stmt, struct arena *arena,
                                 void **out, size_t *n)
{
	size_t cap = page->limit < 16 ? (size_t)page->limit : 16;
	char *rows = arena_alloc(arena, cap * page->size + 1);
	int rc;
	*n = 0;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (*n == cap) {
			char *more = arena_alloc(arena, cap * 2 * page->size);
			rows = memcpy(more, rows, cap * page->size);
			cap *= 2;
		}
		char *row = rows + *n * page->size;
		sqlite_row_read(page->kind, stmt, arena, row);
		if (page->extra)
			page->extra(stmt, arena, row);
		++*n;
	}
	*out = rows;
	return rc == SQLITE_DONE ? STORE_OK : sqlite_failed(c, rc, "read");
}

static enum store_result read_page(struct sqlite_conn *c, const struct page *page, struct arena *arena, void **out, size_t *n)
{
	sqlite3_stmt *stmt = sqlite_stmt(c, page->which);
	*n = 0;
	*out = NULL;
	if (!stmt)
		return STORE_BROKEN;
	struct sqlite_binder b = sqlite_binder(stmt);
	if (page->has_key)
		sqlite_bind_int(&b, page->key);
	sqlite_bind_int(&b, page->bound);
	sqlite_bind_int(&b, page->limit > 0 ? page->limit : 0);
	enum store_result result = b.rc == SQLITE_OK ? collect(c, page, stmt, arena, out, n) : sqlite_failed(c, b.rc, "read");
	(void)sqlite3_reset(stmt);
	return result;
}

static int64_t from_newest(int64_t before)
{
	return before > 0 ? before : INT64_MAX;
}

enum store_result sqlite_reservations(struct store_reader *base, int64_t user_id, int64_t before, int64_t limit,
                                      struct arena *arena, struct core_reservation **out, size_t *n)
{
	struct page page = {
	    SQL_READ_RESERVATIONS, CORE_ROW_RESERVATION, sizeof **out, true, user_id, from_newest(before), limit, NULL};
	void *rows;
	enum store_result result = read_page(conn(base), &page, arena, &rows, n);
	*out = rows;
	return result;
}

enum store_result sqlite_entries(struct store_reader *base, int64_t user_id, int64_t before, int64_t limit, struct arena *arena,
                                 struct core_entry **out, size_t *n)
{
	struct page page = {SQL_READ_ENTRIES, CORE_ROW_ENTRY, sizeof **out, true, user_id, from_newest(before), limit, NULL};
	void *rows;
	enum store_result result = read_page(conn(base), &page, arena, &rows, n);
	*out = rows;
	return result;
}

enum store_result sqlite_audits(struct store_reader *base, int64_t before, int64_t limit, struct arena *arena,
                                struct core_audit **out, size_t *n)
{
	struct page page = {SQL_READ_AUDITS, CORE_ROW_AUDIT, sizeof **out, false, 0, from_newest(before), limit, NULL};
	void *rows;
	enum store_result result = read_page(conn(base), &page, arena, &rows, n);
	*out = rows;
	return result;
}

static void read_username(sqlite3_stmt *stmt, struct arena *arena, void *row)
{
	const char *p = (const char *)sqlite3_column_text(stmt, SQLITE_RESERVATION_COLUMN_COUNT);
	size_t n = (size_t)sqlite3_column_bytes(stmt, SQLITE_RESERVATION_COLUMN_COUNT);
	((struct store_sale *)row)->username = arena_text(arena, (struct text){p, p ? n : 0});
}

enum store_result sqlite_sales(struct store_reader *base, int64_t concert_id, int64_t after, int64_t limit, struct arena *arena,
                               struct store_sale **out, size_t *n)
{
	struct page page = {SQL_READ_SALES, CORE_ROW_RESERVATION, sizeof **out, true, concert_id, after, limit, read_username};
	void *rows;
	enum store_result result = read_page(conn(base), &page, arena, &rows, n);
	*out = rows;
	return result;
}
