/* postgres_sql.c: every statement of the PostgreSQL store.
 *
 * Those that save and load rows by key are put together from the tables' columns; the others stand here as they are, with @ for the
 * columns of their kind (of the table t) and # for the lock. Loads give the place of the list that a row is for (0 for rows by key),
 * the columns, and decided_at where the table has it. */
#include "store/postgres.h"

#include <stdlib.h>
#include <string.h>

/* What is asked by, arrays side by side. As functions in FROM the server would write each into a store of its own first, which took half of its time
 * for a small batch. */
#define BY_TEXT "(SELECT unnest($1::text[]), generate_series(1, cardinality($1::text[]))) AS k(s, i)"
#define BY_PAIR "(SELECT unnest($1::int8[]), unnest($2::int8[]), generate_series(1, cardinality($1::int8[]))) AS k(a, b, i)"

/* Each asks for many at once: k has a row for each list. A limit inside gives each its own. Where the queue (for seats: the show) is locked,
 * nobody else changes these rows, so they are not locked one by one; what is due and locked by another process is in good hands, so it is passed
 * over. */
static const char *const lists[CORE_KIND_COUNT] = {
    [CORE_LIST_USER_NAMED] = "SELECT k.i, @ FROM " BY_TEXT " JOIN user_name AS n ON n.name = k.s"
			     " JOIN users AS t ON t.user_id = n.user_id ORDER BY t.user_id #",
    [CORE_LIST_QUEUE_NAMED] = "SELECT k.i, @ FROM " BY_TEXT " JOIN queue AS t ON t.name = k.s"
			      " ORDER BY t.queue_id #",
    [CORE_LIST_LIVE_TICKET] =
	"SELECT k.i, @ FROM " BY_PAIR
	" JOIN ticket AS t ON t.queue_id = k.a AND t.user_id = k.b AND t.status <> 3 ORDER BY t.queue_id, t.number",
    [CORE_LIST_LINE] = "SELECT k.i, @ FROM " BY_PAIR " CROSS JOIN LATERAL ("
		       "SELECT * FROM ticket AS t WHERE t.queue_id = k.a AND t.status = 1 ORDER BY t.number LIMIT k.b) AS t"
		       " ORDER BY k.i, t.number",
    [CORE_LIST_SHOWS_ON] = "SELECT k.i, @ FROM " BY_PAIR " JOIN show AS t"
			   " ON t.concert_id = k.a AND t.date = k.b ORDER BY k.i, t.starts_at, t.show_id #",
    [CORE_LIST_SHOW_SEATS] = "SELECT k.i, @ FROM " BY_PAIR " CROSS JOIN LATERAL ("
			     "SELECT * FROM seat AS t WHERE t.show_id = k.a ORDER BY t.seat_number LIMIT k.b) AS t"
			     " ORDER BY k.i, t.seat_number",
    [CORE_LIST_USER_SEATS] = "SELECT k.i, @ FROM " BY_PAIR " JOIN seat AS t"
			     " ON t.show_id = k.a AND t.user_id = k.b AND t.user_id <> 0 ORDER BY k.i, t.seat_number",
    [CORE_LIST_DUE_HOLDS] =
	"SELECT k.i, @ FROM " BY_PAIR " CROSS JOIN LATERAL ("
	"SELECT * FROM reservation AS t WHERE t.status = 1 AND t.held_until <= k.a"
	" ORDER BY t.held_until, t.reservation_id LIMIT k.b #%) AS t ORDER BY k.i, t.held_until, t.reservation_id",
    [CORE_LIST_DUE_TICKETS] = "SELECT k.i, @ FROM " BY_PAIR " CROSS JOIN LATERAL ("
			      "SELECT * FROM ticket AS t WHERE t.status IN (2, 4) AND t.expires_at <= k.a"
			      " ORDER BY t.expires_at, t.queue_id, t.number LIMIT k.b #%) AS t"
			      " ORDER BY k.i, t.expires_at, t.queue_id, t.number",
    [CORE_LIST_DUE_KEYS] = "SELECT k.i, @ FROM " BY_PAIR " CROSS JOIN LATERAL ("
			   "SELECT * FROM idempotency AS t WHERE t.created_at <= k.a ORDER BY t.created_at LIMIT k.b #%) AS t"
			   " ORDER BY k.i, t.created_at",
};

#define FEED_ARRAYS \
	"users, queues, concerts, shows, whole_shows, reservations, seat_shows, seat_numbers, ticket_queues, ticket_numbers"

static const struct {
	const char *sql;
	enum core_kind kind; /* of @ */
} fixed[PG_SQL_COUNT] = {
    [PG_BEGIN] = {"BEGIN", 0},
    [PG_VIEW] = {"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", 0},
    /* A commit that waits for a standby must not be made to stop waiting: it has happened by then, and would be seen. */
    [PG_UNTIMED] = {"SET LOCAL statement_timeout = 0", 0},
    [PG_COMMIT] = {"COMMIT", 0},
    [PG_ROLLBACK] = {"ROLLBACK", 0},
    /* The queues of everything that is asked for: of queues and tickets $1, concerts $2, reservations $3, and of what is due at $4, at most $5 */
    [PG_LOCK_QUEUES] = {"SELECT queue_id, decided_at FROM queue WHERE queue_id IN (SELECT unnest($1::int8[])"
                        " UNION SELECT queue_id FROM concert WHERE concert_id = ANY ($2::int8[])"
                        " UNION SELECT queue_id FROM reservation WHERE reservation_id = ANY ($3::int8[])"
                        " UNION (SELECT queue_id FROM reservation WHERE status = 1 AND held_until <= $4::int8"
                        " ORDER BY held_until, reservation_id LIMIT $5::int8)"
                        " UNION (SELECT queue_id FROM ticket WHERE status IN (2, 4) AND expires_at <= $4::int8"
                        " ORDER BY expires_at, queue_id, number LIMIT $5::int8)) ORDER BY queue_id FOR UPDATE",
                        0},
    /* in the order of enum core_id_kind */
    [PG_TAKE_IDS] = {"SELECT CASE WHEN $1::int8 > 0 THEN take_ids('user_ids', $1) END,"
                     " CASE WHEN $2::int8 > 0 THEN take_ids('reservation_ids', $2) END,"
                     " CASE WHEN $3::int8 > 0 THEN take_ids('entry_ids', $3) END,"
                     " CASE WHEN $4::int8 > 0 THEN take_ids('audit_ids', $4) END,"
                     " CASE WHEN $5::int8 > 0 THEN take_ids('queue_ids', $5) END,"
                     " CASE WHEN $6::int8 > 0 THEN take_ids('concert_ids', $6) END,"
                     " CASE WHEN $7::int8 > 0 THEN take_ids('show_ids', $7) END",
                     0},
    [PG_NOW] = {"SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8,"
                " (current_setting('synchronous_standby_names') <> '')::int::int8",
                0},
    [PG_SHARE] = {"SELECT pg_try_advisory_lock_shared(" PG_ALONE_KEY ")::int::int8", 0},
    [PG_NOTE_BATCH] = {"INSERT INTO batch (batch_id, process, decided_at, " FEED_ARRAYS ")"
                       " VALUES ($1::uuid, $2::int8, $3::int8, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                       0},
    [PG_NOTIFY] = {"SELECT pg_notify('" PG_CHANNEL "', $1::int8::text)", 0},
    [PG_FENCE] = {"INSERT INTO batch (batch_id, process, decided_at, " FEED_ARRAYS ")"
                  " VALUES ($1::uuid, $2::int8, 0, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')"
                  " ON CONFLICT (batch_id) DO UPDATE SET decided_at = batch.decided_at",
                  0},
    [PG_FENCED] = {"SELECT decided_at FROM batch WHERE batch_id = $1::uuid", 0},
    [PG_CLOCK] = {"SELECT greatest((SELECT value FROM meta WHERE name = 'clock'), (SELECT max(decided_at) FROM batch)),"
                  " ((SELECT value FROM meta WHERE name = 'feed_floor') >= pg_snapshot_xmax(pg_current_snapshot())::text::int8"
                  " OR EXISTS (SELECT 1 FROM batch WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())))::int::int8",
                  0},
    [PG_ADOPT] = {"WITH floor AS (UPDATE meta SET value = 0 WHERE name = 'feed_floor'"
                  " AND value >= pg_snapshot_xmax(pg_current_snapshot())::text::int8)"
                  " UPDATE batch SET xid = pg_current_xact_id() WHERE batch_id IN (SELECT batch_id FROM batch"
                  " WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()) LIMIT $1::int8)",
                  0},
    /* Only the oldest are looked at, and none that a transaction still running may be older than (postgres_follow.c). */
    [PG_SWEEP] =
	{"WITH old AS (SELECT batch_id FROM (SELECT batch_id, xid, committed_at FROM batch ORDER BY xid LIMIT $1::int8) AS o"
         " WHERE o.committed_at < clock_timestamp() - interval '" PG_BATCH_KEPT
         "' AND o.xid < pg_snapshot_xmin(pg_current_snapshot())),"
         " gone AS (DELETE FROM batch AS b USING old WHERE b.batch_id = old.batch_id"
         " RETURNING b.decided_at, b.xid::text::int8 AS x)"
         " UPDATE meta SET value = greatest(value, CASE name WHEN 'clock' THEN (SELECT max(decided_at) FROM gone)"
         " ELSE (SELECT max(x) FROM gone) END) WHERE name IN ('clock', 'feed_floor') AND EXISTS (SELECT 1 FROM gone)"
         " RETURNING (SELECT count(*) FROM gone)",
         0},
    /* What has become visible since the snapshot $1, except what process $2 did; one row at least. */
    [PG_FEED] =
	{"SELECT pg_current_snapshot()::text,"
         " ((SELECT value FROM meta WHERE name = 'feed_floor') >= pg_snapshot_xmin($1::text::pg_snapshot)::text::int8)::int::int8, " FEED_ARRAYS
         " FROM (SELECT 1) AS one LEFT JOIN batch AS b ON b.xid >= pg_snapshot_xmin($1::text::pg_snapshot)"
         " AND NOT pg_visible_in_snapshot(b.xid, $1::text::pg_snapshot) AND b.process <> $2::int8",
         0},
    [PG_HISTORY] = {PG_HISTORY_SQL, 0},
    [PG_HEARD_TELL] = {"INSERT INTO heard (heard_us, process, queue_id, first, bits)"
                       " SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8, $1::int8, k.queue_id, k.first, k.bits"
                       " FROM unnest($2::int8[], $3::int8[], $4::bytea[]) AS k(queue_id, first, bits)",
                       0},
    [PG_HEARD_ASK] = {"SELECT queue_id, first, bits FROM heard WHERE heard_us >= $1::int8 AND process <> $2::int8", 0},
    [PG_HEARD_SWEEP] = {"DELETE FROM heard WHERE heard_us < (extract(epoch FROM clock_timestamp()) * 1000000)::int8 - $1::int8",
                        0},
    [PG_READ_RESERVATION] = {"SELECT @ FROM reservation AS t WHERE t.reservation_id = $1::int8", CORE_ROW_RESERVATION},
    [PG_READ_RESERVATIONS] = {"SELECT @ FROM reservation AS t WHERE t.user_id = $1::int8 AND t.reservation_id < $2::int8"
                              " ORDER BY t.reservation_id DESC LIMIT $3::int8",
                              CORE_ROW_RESERVATION},
    [PG_READ_ENTRIES] = {"SELECT @ FROM ledger AS t WHERE t.user_id = $1::int8 AND t.entry_id < $2::int8"
                         " ORDER BY t.entry_id DESC LIMIT $3::int8",
                         CORE_ROW_ENTRY},
    [PG_READ_AUDITS] = {"SELECT @ FROM audit_log AS t WHERE t.audit_id < $1::int8 ORDER BY t.audit_id DESC LIMIT $2::int8",
                        CORE_ROW_AUDIT},
    [PG_READ_SALES] = {"SELECT @, u.name FROM reservation AS t LEFT JOIN users AS u ON u.user_id = t.user_id"
                       " WHERE t.concert_id = $1::int8 AND t.reservation_id > $2::int8 ORDER BY t.reservation_id LIMIT $3::int8",
                       CORE_ROW_RESERVATION},
};

void pg_columns(struct buf *b, enum core_kind kind, const char *prefix)
{
	const struct pg_table *t = &pg_tables[kind];
	for (size_t i = 0; i < t->columns; i++)
		buf_printf(b, "%s%s%s", i ? ", " : "", prefix, t->column[i].name);
}

/* Puts the columns and the lock where their marks are. `%` behind the lock: what is locked already is passed over. */
static void expand(struct buf *b, const char *sql, enum core_kind kind, bool lock)
{
	for (const char *p = sql; *p; p++) {
		if (*p == '@') {
			pg_columns(b, kind, "t.");
			if (pg_tables[kind].clocked)
				buf_str(b, ", t.decided_at");
		} else if (*p == '#') {
			if (lock)
				buf_str(b, p[1] == '%' ? "FOR UPDATE OF t SKIP LOCKED" : "FOR UPDATE OF t");
			p += p[1] == '%';
		} else {
			buf_char(b, *p);
		}
	}
}

static const char *array_type(enum pg_type type)
{
	return type == PG_TEXT || type == PG_SEATS ? "text[]" : type == PG_DIGEST ? "bytea[]" : "int8[]";
}

/* "(SELECT unnest($1::int8[]), …) AS k(user_id, …)" of the columns that have a role of `roles`; what guards has "was_" before its name. */
static void unnest(struct buf *b, const struct pg_table *t, const int *roles, size_t n_roles)
{
	struct buf names = {0};
	int param = 0;
	buf_str(b, "(SELECT ");
	for (size_t r = 0; r < n_roles; r++) {
		for (size_t i = 0; i < t->columns; i++) {
			if (roles[r] && !(t->column[i].role & roles[r]))
				continue;
			buf_printf(b, "%sunnest($%d::%s)", param ? ", " : "", param + 1, array_type(t->column[i].type));
			buf_printf(&names, "%s%s%s", param ? ", " : "", roles[r] == PG_WAS ? "was_" : "", t->column[i].name);
			param++;
		}
	}
	buf_printf(b, ") AS k(%.*s)", (int)names.n, names.p);
	buf_free(&names);
}

static int count_roles(const struct pg_table *t, int role)
{
	int n = 0;
	for (size_t i = 0; i < t->columns; i++)
		n += (t->column[i].role & role) != 0;
	return n;
}

/* "t.user_id = k.user_id AND t.balance = k.was_balance" */
static void where(struct buf *b, const struct pg_table *t, bool guarded)
{
	const char *and = "";
	for (size_t i = 0; i < t->columns; i++) {
		const char *name = t->column[i].name;
		if (t->column[i].role & PG_KEY)
			buf_printf(b, "%st.%s = k.%s", and, name, name);
		else if (guarded && t->column[i].role & PG_WAS)
			buf_printf(b, "%st.%s = k.was_%s", and, name, name);
		else
			continue;
		and = " AND ";
	}
}

/* A concert is never changed by what reads it, and all that book it would wait for each other. Tickets, reservations and seats belong to a
 * queue, seats to a show as well, and whoever changes them has locked that (postgres.h): a lock of their own would write each row, for nothing. */
static bool locks(enum core_kind kind)
{
	return kind != CORE_ROW_CONCERT && kind != CORE_ROW_TICKET && kind != CORE_ROW_RESERVATION && kind != CORE_ROW_SEAT;
}

static void load_by_key(struct buf *b, enum core_kind kind, bool lock)
{
	const struct pg_table *t = &pg_tables[kind];
	expand(b, "SELECT 0::int8, @ FROM ", kind, false);
	unnest(b, t, (const int[]){PG_KEY}, 1);
	buf_printf(b, " JOIN %s AS t ON ", t->name);
	where(b, t, false);
	const char *by = " ORDER BY ";
	for (size_t i = 0; i < t->columns; i++)
		if (t->column[i].role & PG_KEY) {
			buf_printf(b, "%st.%s", by, t->column[i].name);
			by = ", ";
		}
	if (lock && locks(kind))
		buf_str(b, " FOR UPDATE OF t");
}

static void insert(struct buf *b, enum core_kind kind)
{
	const struct pg_table *t = &pg_tables[kind];
	if (kind == CORE_ROW_USER) {
		buf_str(b, "WITH k AS MATERIALIZED (SELECT * FROM ");
		unnest(b, t, (const int[]){0}, 1);
		buf_str(b, "), n AS (INSERT INTO user_name (name, user_id) SELECT name, user_id FROM k) ");
	}
	buf_printf(b, "INSERT INTO %s (", t->name);
	pg_columns(b, kind, "");
	buf_printf(b, "%s) SELECT ", t->clocked ? ", decided_at" : "");
	for (size_t i = 0; i < t->columns; i++)
		buf_printf(b, "%sk.%s%s", i ? ", " : "", t->column[i].name, t->column[i].type == PG_SEATS ? "::int8[]" : "");
	if (t->clocked)
		buf_printf(b, ", $%zu::int8", t->columns + 1);
	buf_str(b, " FROM ");
	if (kind == CORE_ROW_USER)
		buf_str(b, "k");
	else
		unnest(b, t, (const int[]){0}, 1);
}

static void expect(struct buf *b, const struct pg_table *t, int param)
{
	buf_printf(b, " RETURNING 1) SELECT expect_rows(count(*), $%d::int8, '%s') FROM met", param, t->name);
}

/* Only what has a key can be changed: the ledger and the audit log have none. */
static void update(struct buf *b, enum core_kind kind)
{
	const struct pg_table *t = &pg_tables[kind];
	int param = count_roles(t, PG_KEY) + count_roles(t, PG_WAS) + count_roles(t, PG_SET);
	const char *comma = "";
	if (count_roles(t, PG_KEY) == 0)
		return;
	buf_printf(b, "WITH met AS (UPDATE %s AS t SET ", t->name);
	for (size_t i = 0; i < t->columns; i++)
		if (t->column[i].role & PG_SET) {
			buf_printf(b, "%s%s = k.%s", comma, t->column[i].name, t->column[i].name);
			comma = ", ";
		}
	if (t->clocked)
		buf_printf(b, ", decided_at = $%d::int8", ++param);
	buf_str(b, " FROM ");
	unnest(b, t, (const int[]){PG_KEY, PG_WAS, PG_SET}, 3);
	buf_str(b, " WHERE ");
	where(b, t, true);
	expect(b, t, param + 1);
}

static void delete_rows(struct buf *b, enum core_kind kind)
{
	const struct pg_table *t = &pg_tables[kind];
	if (count_roles(t, PG_KEY) == 0)
		return;
	buf_str(b, "WITH ");
	if (kind == CORE_ROW_USER)
		buf_str(b, "n AS (DELETE FROM user_name WHERE user_id = ANY ($1::int8[])), ");
	buf_printf(b, "met AS (DELETE FROM %s AS t USING ", t->name);
	unnest(b, t, (const int[]){PG_KEY, PG_WAS}, 2);
	buf_str(b, " WHERE ");
	where(b, t, true);
	expect(b, t, count_roles(t, PG_KEY) + count_roles(t, PG_WAS) + 1);
}

static void load(struct buf *b, enum core_kind kind, bool lock)
{
	if (lists[kind])
		expand(b, lists[kind], core_row_kind(kind), lock);
	else if (kind > 0 && kind < CORE_LIST_USER_NAMED && count_roles(&pg_tables[kind], PG_KEY) > 0)
		load_by_key(b, kind, lock);
}

const char *pg_sql_text(int which, struct buf *scratch)
{
	buf_reset(scratch);
	if (which < PG_LOOK)
		load(scratch, (enum core_kind)(which - PG_LOAD), true);
	else if (which < PG_INSERT)
		load(scratch, (enum core_kind)(which - PG_LOOK), false);
	else if (which < PG_UPDATE)
		insert(scratch, (enum core_kind)(which - PG_INSERT));
	else if (which < PG_DELETE)
		update(scratch, (enum core_kind)(which - PG_UPDATE));
	else if (which < PG_BEGIN)
		delete_rows(scratch, (enum core_kind)(which - PG_DELETE));
	else
		expand(scratch, fixed[which].sql, fixed[which].kind, false);
	if (scratch->n == 0)
		return NULL;
	buf_char(scratch, '\0');
	return scratch->p;
}
