/* postgres_copy.c: every row out of the PostgreSQL store, and into an empty one.
 *
 * An import is one transaction with one COPY a kind, in COPY's text form: it knows the columns' types by itself. Sequences are outside of
 * transactions; they are set last, and where the commit fails after that, ids begin higher than they need to. */
#include "store/opening.h"
#include "store/postgres.h"

#include <stdio.h>
#include <time.h>

#define ALONE_TRIES 20
#define ALONE_PAUSE_MS 50

/* What each kind is sorted by. */
static const char *const keys[CORE_LIST_USER_NAMED] = {
    [CORE_ROW_USER] = "t.user_id",
    [CORE_ROW_QUEUE] = "t.queue_id",
    [CORE_ROW_TICKET] = "t.queue_id, t.number",
    [CORE_ROW_CONCERT] = "t.concert_id",
    [CORE_ROW_SHOW] = "t.show_id",
    [CORE_ROW_SEAT] = "t.show_id, t.seat_number",
    [CORE_ROW_RESERVATION] = "t.reservation_id",
    [CORE_ROW_ENTRY] = "t.entry_id",
    [CORE_ROW_KEY] = "t.user_id, t.key",
    [CORE_ROW_AUDIT] = "t.audit_id",
};

/* ---- alone ---- */

/* The lock of a process that has just ended is given back when the server has noticed, a moment later. */
static enum store_result lock_alone(struct pg_conn *c, int64_t *got)
{
	enum store_result result = STORE_OK;
	for (int tries = 0; result == STORE_OK && !*got && tries < ALONE_TRIES; tries++) {
		if (tries > 0)
			(void)nanosleep(&(struct timespec){.tv_nsec = ALONE_PAUSE_MS * 1000000L}, NULL);
		result = pg_ask_int(c, "SELECT pg_try_advisory_lock(" PG_ALONE_KEY ")::int", got);
	}
	return result;
}

enum store_result pg_stay_alone(struct pg_store *s, char error[STORE_ERROR_SIZE])
{
	struct pg_conn *c = &s->alone;
	int64_t got = 0;
	if (s->mode != STORE_EXPORT && s->mode != STORE_IMPORT)
		return STORE_OK;
	c->quiet = true; /* what goes wrong is told in `error` */
	enum store_result result = pg_connect(c, &s->target, false);
	if (result != STORE_OK)
		return store_refuse(STORE_BROKEN, error, "the store can't be reached: %s", c->said);
	result = lock_alone(c, &got);
	if (result == STORE_OK)
		result = pg_do(c, PG_WIDE);
	if (result != STORE_OK)
		return store_refuse(result, error, "%s can't be read: %s", s->target.shown, c->said);
	if (!got)
		return store_refuse(STORE_BUSY, error, "another jari has %s open: stop it, or choose another --store",
		                    s->target.shown);
	return STORE_OK;
}

void pg_end_alone(struct pg_store *s)
{
	if (s->alone.pg)
		(void)pg_do(&s->alone, "DO $$ BEGIN PERFORM pg_advisory_unlock_all(); END $$");
}

/* The connection that was made when the store was opened. What has lost it has lost the lock, and does not go on. */
static bool is_alone(const struct pg_store *s)
{
	return s->alone.pg != NULL;
}

/* ---- out ---- */

enum store_result pg_count(struct store *base, int64_t *rows)
{
	struct pg_store *s = pg_store_of(base);
	struct buf sql = {0};
	if (!is_alone(s))
		return STORE_BROKEN;
	for (size_t i = 0; i < STORE_KINDS; i++)
		buf_printf(&sql, "%s(SELECT count(*) FROM %s)", i ? " + " : "SELECT ", pg_tables[store_kinds[i]].name);
	buf_char(&sql, '\0');
	enum store_result result = pg_ask_int(&s->alone, sql.p, rows);
	buf_free(&sql);
	return result;
}

static enum store_result export_kind(struct pg_conn *c, enum core_kind kind, store_row_fn fn, void *arg, bool *stopped)
{
	struct buf sql = {0};
	buf_str(&sql, "SELECT ");
	pg_columns(&sql, kind, "t.");
	buf_printf(&sql, " FROM %s AS t ORDER BY %s", pg_tables[kind].name, keys[kind]);
	buf_char(&sql, '\0');
	enum store_result result = pg_give_rows(c, kind, sql.p, fn, arg, stopped);
	buf_free(&sql);
	return result;
}

enum store_result pg_export(struct store *base, store_row_fn fn, void *arg)
{
	struct pg_conn *c = &pg_store_of(base)->alone;
	bool stopped = false;
	if (!is_alone(pg_store_of(base)))
		return STORE_BROKEN;
	enum store_result result = pg_do(c, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
	for (size_t i = 0; i < STORE_KINDS && result == STORE_OK && !stopped; i++)
		result = export_kind(c, store_kinds[i], fn, arg, &stopped);
	enum store_result ended = c->pg ? pg_do(c, "ROLLBACK") : STORE_BUSY;
	return result == STORE_OK ? ended : result;
}

/* ---- in: a row as a line of COPY's text form ---- */

static void put_text(struct buf *b, struct text t)
{
	size_t from = 0;
	for (size_t i = 0; i < t.n; i++) {
		char c = t.p[i], as = c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : c == '\\' ? '\\' : 0;
		if (!as)
			continue;
		buf_add(b, t.p + from, i - from);
		buf_char(b, '\\');
		buf_char(b, as);
		from = i + 1;
	}
	if (t.n > from)
		buf_add(b, t.p + from, t.n - from);
}

static void put_digest(struct buf *b, const uint8_t *digest)
{
	buf_str(b, "\\\\x");
	for (size_t i = 0; i < CORE_DIGEST_BYTES; i++)
		buf_printf(b, "%02x", digest[i]);
}

static void put_seats(struct buf *b, const struct core_reservation *r)
{
	for (int32_t i = 0; i < r->seat_count; i++) {
		buf_char(b, i ? ',' : '{');
		buf_int(b, r->seats[i]);
	}
	buf_str(b, r->seat_count ? "}" : "{}");
}

static void put_column(struct buf *b, const struct pg_column *c, const void *row)
{
	const void *at = (const char *)row + c->offset;
	switch (c->type) {
	case PG_INT:
		buf_int(b, *(const int64_t *)at);
		break;
	case PG_INT4:
		buf_int(b, *(const int32_t *)at);
		break;
	case PG_BOOL:
		buf_int(b, *(const bool *)at);
		break;
	case PG_TEXT:
		put_text(b, *(const struct text *)at);
		break;
	case PG_DIGEST:
		put_digest(b, at);
		break;
	case PG_SEATS:
		put_seats(b, row);
		break;
	}
}

static void put_line(struct pg_store *s, enum core_kind kind, const void *row)
{
	const struct pg_table *t = &pg_tables[kind];
	for (size_t i = 0; i < t->columns; i++) {
		if (i)
			buf_char(&s->lines, '\t');
		put_column(&s->lines, &t->column[i], row);
	}
	if (t->clocked) {
		buf_char(&s->lines, '\t');
		buf_int(&s->lines, s->clock_to_be);
	}
	buf_char(&s->lines, '\n');
}

/* ---- in: the transaction ---- */

static enum store_result send_lines(struct pg_store *s)
{
	int sent = PQputCopyData(s->alone.pg, s->lines.p, (int)s->lines.n);
	buf_reset(&s->lines);
	return sent == 1 ? STORE_OK : pg_failed(&s->alone, NULL, "import");
}

static enum store_result begin_kind(struct pg_store *s, enum core_kind kind)
{
	struct buf sql = {0};
	buf_printf(&sql, "COPY %s (", pg_tables[kind].name);
	pg_columns(&sql, kind, "");
	buf_printf(&sql, "%s) FROM STDIN", pg_tables[kind].clocked ? ", decided_at" : "");
	buf_char(&sql, '\0');
	PGresult *res = PQexec(s->alone.pg, sql.p);
	enum store_result result = PQresultStatus(res) == PGRES_COPY_IN ? STORE_OK : pg_failed(&s->alone, res, "import");
	PQclear(res);
	buf_free(&sql);
	if (result == STORE_OK)
		s->filling = kind;
	return result;
}

/* What the database says to the rows of a kind comes here. */
static enum store_result end_kind(struct pg_store *s)
{
	struct pg_conn *c = &s->alone;
	if (!s->filling)
		return STORE_OK;
	enum store_result result = s->lines.n ? send_lines(s) : STORE_OK;
	s->filling = 0;
	if (result != STORE_OK)
		return result;
	if (PQputCopyEnd(c->pg, NULL) != 1)
		return pg_failed(c, NULL, "import");
	for (PGresult *res; c->pg && (res = PQgetResult(c->pg)); PQclear(res))
		if (PQresultStatus(res) != PGRES_COMMAND_OK && result == STORE_OK)
			result = pg_failed(c, res, "import");
	return result;
}

static enum store_result refuse(struct pg_store *s, enum store_result result, char *error)
{
	return store_refuse(result, error, "%s can't be filled: %s", s->target.shown,
	                    s->alone.said[0] ? s->alone.said : "the connection was lost");
}

enum store_result pg_import_begin(struct store *base, int64_t clock, int64_t realm, char error[STORE_ERROR_SIZE])
{
	struct pg_store *s = pg_store_of(base);
	int64_t rows = 0;
	if (s->mode != STORE_IMPORT || !is_alone(s))
		return refuse(s, STORE_BROKEN, error);
	s->importing = true;
	s->clock_to_be = clock;
	s->realm_to_be = realm;
	enum store_result result = pg_do(&s->alone, "BEGIN");
	if (result == STORE_OK)
		result = pg_count(base, &rows);
	if (result == STORE_OK && rows > 1) /* every store has its main queue */
		return store_refuse(STORE_CONFLICT, error, STORE_NOT_EMPTY, s->target.shown);
	if (result == STORE_OK)
		result = pg_do(&s->alone, "DELETE FROM queue");
	return result == STORE_OK ? STORE_OK : refuse(s, result, error);
}

enum store_result pg_import_row(struct store *base, enum core_kind kind, const void *row, char error[STORE_ERROR_SIZE])
{
	struct pg_store *s = pg_store_of(base);
	enum store_result result = s->importing && is_alone(s) ? STORE_OK : STORE_BROKEN;
	if (result == STORE_OK && s->filling != kind) {
		result = end_kind(s);
		if (result == STORE_OK)
			result = begin_kind(s, kind);
	}
	if (result == STORE_OK) {
		put_line(s, kind, row);
		if (s->lines.n >= PG_COPY_PIECE)
			result = send_lines(s);
	}
	return result == STORE_OK ? STORE_OK : refuse(s, result, error);
}

/* Where the ids go on: behind the highest of their kind. */
static enum store_result set_sequences(struct pg_conn *c)
{
	return pg_do(c, "SELECT setval('user_ids', coalesce((SELECT max(user_id) FROM users) + 1, 1), false),"
	                " setval('reservation_ids', coalesce((SELECT max(reservation_id) FROM reservation) + 1, 1), false),"
	                " setval('entry_ids', coalesce((SELECT max(entry_id) FROM ledger) + 1, 1), false),"
	                " setval('audit_ids', coalesce((SELECT max(audit_id) FROM audit_log) + 1, 1), false),"
	                " setval('queue_ids', coalesce((SELECT max(queue_id) FROM queue) + 1, 2), false),"
	                " setval('concert_ids', coalesce((SELECT max(concert_id) FROM concert) + 1, 1), false),"
	                " setval('show_ids', coalesce((SELECT max(show_id) FROM show) + 1, 1), false)");
}

static enum store_result set_clock(struct pg_store *s)
{
	char sql[128];
	(void)snprintf(sql, sizeof sql, "UPDATE meta SET value = greatest(value, %lld) WHERE name = 'clock'",
	               (long long)s->clock_to_be);
	return pg_do(&s->alone, sql);
}

/* So that what goes through whole tables next, the audit above all, is planned for tables that are full. It goes without, only slower; a role that does
 * not own a table is told so in a warning. */
static void note_sizes(struct pg_conn *c)
{
	struct buf sql = {0};
	buf_str(&sql, "SET client_min_messages = error; ANALYZE user_name");
	for (size_t i = 0; i < STORE_KINDS; i++)
		buf_printf(&sql, ", %s", pg_tables[store_kinds[i]].name);
	buf_char(&sql, '\0');
	(void)pg_do(c, sql.p);
	buf_free(&sql);
}

enum store_result pg_import_finish(struct store *base, char error[STORE_ERROR_SIZE])
{
	struct pg_store *s = pg_store_of(base);
	struct pg_conn *c = &s->alone;
	if (!s->importing || !is_alone(s))
		return refuse(s, STORE_BROKEN, error);
	enum store_result result = end_kind(s);
	if (result == STORE_OK)
		result = pg_do(c, "INSERT INTO user_name (name, user_id) SELECT name, user_id FROM users");
	if (result == STORE_OK)
		result = set_clock(s);
	if (result == STORE_OK)
		result = pg_save_realm(c, s->realm_to_be);
	if (result == STORE_OK)
		result = set_sequences(c);
	if (result != STORE_OK)
		return refuse(s, result, error);
	result = pg_do(c, "COMMIT");
	if (result != STORE_OK)
		return store_refuse(result, error,
		                    "%s: the connection was lost while all of it was being committed (%s): run jari copy "
		                    "again; if it says that the store is not empty, all of it is there",
		                    s->target.shown, c->said);
	s->importing = false;
	note_sizes(c);
	if (s->clock_to_be > s->decided)
		s->decided = s->clock_to_be;
	return STORE_OK;
}

void pg_import_undo(struct pg_store *s)
{
	if (!s->importing)
		return;
	pg_drop(&s->alone); /* the server rolls back what a closed connection leaves */
	buf_reset(&s->lines);
	s->importing = false;
	s->filling = 0;
}
