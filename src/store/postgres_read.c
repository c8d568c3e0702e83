/* postgres_read.c: the PostgreSQL store's readers. */
#include "store/postgres.h"

#include <stdlib.h>
#include <string.h>

static struct pg_reader *reader(struct store_reader *base)
{
	return (struct pg_reader *)(void *)base;
}

enum store_result pg_reader_open(struct store *base, struct store_reader **out)
{
	struct pg_reader *r = mem_zero(sizeof *r);
	r->base.ops = base->ops;
	r->target = &pg_store_of(base)->target;
	r->conn.answer_ms = PG_ANSWER_MS;
	r->conn.reads = true;
	enum store_result result = pg_connect(&r->conn, r->target, false);
	if (result == STORE_OK)
		*out = &r->base;
	else
		free(r);
	return result;
}

void pg_reader_close(struct store_reader *base)
{
	pg_conn_free(&reader(base)->conn);
	free(base);
}

/* A connection may have died since its last use, so what fails with it is tried once more on a new one: reading twice does no harm. */
static PGresult *read_rows(struct store_reader *base, int which, const struct pg_params *p, enum store_result *result)
{
	struct pg_reader *r = reader(base);
	PGresult *res = NULL;
	for (int tries = 0; tries < 2; tries++) {
		*result = pg_connect(&r->conn, r->target, false);
		if (*result == STORE_OK)
			res = pg_run(&r->conn, which, p, result);
		if (res || r->conn.pg || *result != STORE_BUSY)
			break;
	}
	return res;
}

enum store_result pg_reservation(struct store_reader *base, int64_t reservation_id, struct arena *arena,
                                 struct core_reservation *out)
{
	struct pg_params p = {.arena = arena};
	enum store_result result;
	pg_bind_int(&p, reservation_id);
	PGresult *res = read_rows(base, PG_READ_RESERVATION, &p, &result);
	if (res && PQntuples(res) == 0)
		result = STORE_NONE;
	else if (res)
		pg_row_read(CORE_ROW_RESERVATION, res, 0, 0, arena, out);
	PQclear(res);
	return result;
}

/* A page being read: `key` (when the statement has one), a bound, a limit. Rows become an array of structs of `size`, each beginning with the
 * kind's own. */
struct page {
	int which;
	enum core_kind kind;
	size_t size;
	bool has_key;
	int64_t key, bound, limit;
	void (*extra)(const PGresult *res, int row, struct arena *arena, void *out); /* fills what is behind the kind's struct */
};

static enum store_result read_page(struct store_reader *base, const struct page *page, struct arena *arena, void **out, size_t *n)
{
	struct pg_params p = {.arena = arena};
	enum store_result result;
	*n = 0;
	*out = NULL;
	if (page->has_key)
		pg_bind_int(&p, page->key);
	pg_bind_int(&p, page->bound);
	pg_bind_int(&p, page->limit > 0 ? page->limit : 0);
	PGresult *res = read_rows(base, page->which, &p, &result);
	if (!res)
		return result;
	int count = PQntuples(res);
	char *rows = arena_alloc(arena, (size_t)count * page->size + 1);
	for (int i = 0; i < count; i++) {
		char *row = rows + (size_t)i * page->size;
		pg_row_read(page->kind, res, i, 0, arena, row);
		if (page->extra)
			page->extra(res, i, arena, row);
	}
	PQclear(res);
	*out = rows;
	*n = (size_t)count;
	return STORE_OK;
}

static int64_t from_newest(int64_t before)
{
	return before > 0 ? before : INT64_MAX;
}

enum store_result pg_reservations(struct store_reader *base, int64_t user_id, int64_t before, int64_t limit, struct arena *arena,
                                  struct core_reservation **out, size_t *n)
{
	struct page page = {
	    PG_READ_RESERVATIONS, CORE_ROW_RESERVATION, sizeof **out, true, user_id, from_newest(before), limit, NULL};
	void *rows;
	enum store_result result = read_page(base, &page, arena, &rows, n);
	*out = rows;
	return result;
}

enum store_result pg_entries(struct store_reader *base, int64_t user_id, int64_t before, int64_t limit, struct arena *arena,
                             struct core_entry **out, size_t *n)
{
	struct page page = {PG_READ_ENTRIES, CORE_ROW_ENTRY, sizeof **out, true, user_id, from_newest(before), limit, NULL};
	void *rows;
	enum store_result result = read_page(base, &page, arena, &rows, n);
	*out = rows;
	return result;
}

enum store_result pg_audits(struct store_reader *base, int64_t before, int64_t limit, struct arena *arena,
                            struct core_audit **out, size_t *n)
{
	struct page page = {PG_READ_AUDITS, CORE_ROW_AUDIT, sizeof **out, false, 0, from_newest(before), limit, NULL};
	void *rows;
	enum store_result result = read_page(base, &page, arena, &rows, n);
	*out = rows;
	return result;
}

static void read_username(const PGresult *res, int row, struct arena *arena, void *out)
{
	struct text name = pg_text(res, row, (int)pg_tables[CORE_ROW_RESERVATION].columns);
	((struct store_sale *)out)->username = arena_text(arena, name);
}

enum store_result pg_sales(struct store_reader *base, int64_t concert_id, int64_t after, int64_t limit, struct arena *arena,
                           struct store_sale **out, size_t *n)
{
	struct page page = {PG_READ_SALES, CORE_ROW_RESERVATION, sizeof **out, true, concert_id, after, limit, read_username};
	void *rows;
	enum store_result result = read_page(base, &page, arena, &rows, n);
	*out = rows;
	return result;
}
