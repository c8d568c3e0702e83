/* postgres_scan.c: everything that the read model keeps, in one view of the database, row by row as it comes. */
#include "store/postgres.h"

#include <stdlib.h>
#include <string.h>

struct scan {
	struct pg_conn c;
	store_row_fn fn;
	void *arg;
	bool stopped;
};

/* `starts`: where each queue's tickets begin, the first number that was issued at `since` or later. By halving, since numbers are issued in
 * the order of time (I5). */
static void starts_sql(struct buf *b, int64_t since)
{
	buf_printf(
	    b,
	    "WITH RECURSIVE halves(queue_id, low, high) AS (SELECT queue_id, 1::int8, last_number + 1 FROM queue"
	    " UNION ALL SELECT queue_id, CASE WHEN late THEN low ELSE middle + 1 END, CASE WHEN late THEN middle ELSE high END"
	    " FROM (SELECT h.queue_id, h.low, h.high, h.middle, coalesce((SELECT t.issued_at >= %lld FROM ticket AS t"
	    " WHERE t.queue_id = h.queue_id AND t.number >= h.middle ORDER BY t.number LIMIT 1), true) AS late"
	    " FROM (SELECT *, low + (high - low) / 2 AS middle FROM halves WHERE low < high) AS h) AS x),"
	    " starts AS MATERIALIZED (SELECT queue_id, low AS number FROM halves WHERE low >= high) ",
	    (long long)since);
}

enum store_result pg_give_rows(struct pg_conn *c, enum core_kind kind, const char *sql, store_row_fn fn, void *arg, bool *stopped)
{
	struct arena arena = {0};
	union core_any_row row;
	enum store_result result = STORE_OK;
	if (!PQsendQueryParams(c->pg, sql, 0, NULL, NULL, NULL, NULL, 1) || !PQsetSingleRowMode(c->pg))
		return pg_failed(c, NULL, "scan");
	for (PGresult *res; c->pg && (res = pg_next(c)); PQclear(res)) {
		ExecStatusType status = PQresultStatus(res);
		if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK) {
			result = pg_failed(c, res, "scan");
			continue;
		}
		if (PQntuples(res) == 0 || *stopped)
			continue;
		arena_reset(&arena);
		pg_row_read(kind, res, 0, 0, &arena, &row);
		*stopped = !fn(arg, kind, &row);
	}
	arena_free(&arena);
	return c->pg && c->late ? pg_failed(c, NULL, "scan") : result;
}

static enum store_result scan_table(struct scan *scan, enum core_kind kind, const char *with, const char *rest)
{
	struct buf sql = {0};
	if (scan->stopped)
		return STORE_OK;
	buf_str(&sql, with);
	buf_str(&sql, "SELECT ");
	pg_columns(&sql, kind, "t.");
	buf_str(&sql, rest);
	buf_char(&sql, '\0');
	enum store_result result = pg_give_rows(&scan->c, kind, sql.p, scan->fn, scan->arg, &scan->stopped);
	buf_free(&sql);
	return result;
}

static enum store_result scan_all(struct scan *scan, int64_t since)
{
	static const struct {
		enum core_kind kind;
		const char *rest;
	} tables[] = {
	    {CORE_ROW_QUEUE, " FROM queue AS t ORDER BY t.queue_id"},
	    {CORE_ROW_CONCERT, " FROM concert AS t ORDER BY t.concert_id"},
	    {CORE_ROW_SHOW, " FROM show AS t ORDER BY t.show_id"},
	    {CORE_ROW_SEAT, " FROM seat AS t ORDER BY t.show_id, t.seat_number"},
	    {CORE_ROW_RESERVATION, " FROM reservation AS t WHERE t.status = 1 ORDER BY t.reservation_id"},
	};
	struct buf with = {0};
	enum store_result result = STORE_OK;
	for (size_t i = 0; i < sizeof tables / sizeof tables[0] && result == STORE_OK; i++)
		result = scan_table(scan, tables[i].kind, "", tables[i].rest);
	starts_sql(&with, since);
	buf_char(&with, '\0');
	if (result == STORE_OK)
		result =
		    scan_table(scan, CORE_ROW_USER, with.p,
		               " FROM users AS t WHERE t.user_id IN ("
		               "SELECT t.user_id FROM starts AS s JOIN ticket AS t USING (queue_id) WHERE t.number >= s.number"
		               " UNION SELECT t.user_id FROM ticket AS t WHERE t.status <> 3) ORDER BY t.user_id");
	if (result == STORE_OK)
		result =
		    scan_table(scan, CORE_ROW_TICKET, with.p,
		               " FROM (SELECT t.* FROM starts AS s JOIN ticket AS t USING (queue_id) WHERE t.number >= s.number"
		               " UNION ALL SELECT t.* FROM starts AS s JOIN ticket AS t USING (queue_id)"
		               " WHERE t.number < s.number AND t.status <> 3) AS t ORDER BY t.queue_id, t.number");
	buf_free(&with);
	return result;
}

/* From where the feed goes on: the view that the scan has. */
static enum store_result keep_place(struct pg_store *s, struct pg_conn *c)
{
	enum store_result result;
	free(s->seen);
	free(s->server);
	s->server = NULL;
	s->seen = pg_ask(c, "SELECT pg_current_snapshot()::text", &result);
	if (result == STORE_OK)
		s->server = pg_ask(c, PG_HISTORY_SQL, &result);
	s->checked = -1;
	return result;
}

enum store_result pg_scan(struct store *base, int64_t since, store_row_fn fn, void *arg)
{
	struct pg_store *s = pg_store_of(base);
	struct scan scan = {.c.answer_ms = PG_SCAN_MS, .fn = fn, .arg = arg};
	enum store_result result = pg_connect(&scan.c, &s->target, false);
	if (result == STORE_OK)
		result = pg_do(&scan.c, PG_WIDE);
	if (result == STORE_OK)
		result = pg_do(&scan.c, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
	if (result == STORE_OK)
		result = keep_place(s, &scan.c);
	if (result == STORE_OK)
		result = scan_all(&scan, since);
	pg_conn_free(&scan.c);
	return result;
}
