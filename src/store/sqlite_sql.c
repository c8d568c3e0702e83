/* sqlite_sql.c: every statement of the SQLite store, and how they are prepared, bound and run. */
#include "store/sqlite.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdlib.h>

#define ROW(kind) [SQL_LOAD + (kind)]
#define INSERT(kind) [SQL_INSERT + (kind)]
#define UPDATE(kind) [SQL_UPDATE + (kind)]
#define DELETE(kind) [SQL_DELETE + (kind)]
#define EXPORT(kind) [SQL_EXPORT + (kind)]

/* Updates and deletes name, behind the key, what the row was when it was loaded: that is the guard. What never changes (names, a
 * reservation's owner) is not written again, so that its indexes are left alone. Conditions are spelled as the partial indexes spell
 * them: SQLite uses one only when it can see that. */
/* clang-format off */
const struct sqlite_statement sqlite_statements[SQL_COUNT] = {
	/* rows by key */
	ROW(CORE_ROW_USER) = {"SELECT " SQLITE_USER_COLUMNS ", last_entry FROM user WHERE user_id = ?1", "a"},
	ROW(CORE_ROW_QUEUE) = {"SELECT " SQLITE_QUEUE_COLUMNS " FROM queue WHERE queue_id = ?1", "a"},
	ROW(CORE_ROW_TICKET) = {"SELECT " SQLITE_TICKET_COLUMNS " FROM ticket WHERE queue_id = ?1 AND number = ?2", "ab"},
	ROW(CORE_ROW_CONCERT) = {"SELECT " SQLITE_CONCERT_COLUMNS " FROM concert WHERE concert_id = ?1", "a"},
	ROW(CORE_ROW_SHOW) = {"SELECT " SQLITE_SHOW_COLUMNS " FROM show WHERE show_id = ?1", "a"},
	ROW(CORE_ROW_SEAT) = {"SELECT " SQLITE_SEAT_COLUMNS " FROM seat WHERE show_id = ?1 AND seat_number = ?2", "ab"},
	ROW(CORE_ROW_RESERVATION) = {"SELECT " SQLITE_RESERVATION_COLUMNS " FROM reservation WHERE reservation_id = ?1", "a"},
	ROW(CORE_ROW_KEY) = {"SELECT " SQLITE_KEY_COLUMNS " FROM idempotency WHERE user_id = ?1 AND key = ?2", "as"},

	/* lists */
	ROW(CORE_LIST_USER_NAMED) = {"SELECT " SQLITE_USER_COLUMNS " FROM user WHERE name = ?1", "s"},
	ROW(CORE_LIST_QUEUE_NAMED) = {"SELECT " SQLITE_QUEUE_COLUMNS " FROM queue WHERE name = ?1", "s"},
	ROW(CORE_LIST_LIVE_TICKET) =
	    {"SELECT " SQLITE_TICKET_COLUMNS " FROM ticket INDEXED BY ticket_live WHERE queue_id = ?1 AND user_id = ?2 AND status <> 3", "ab"},
	ROW(CORE_LIST_LINE) = {"SELECT " SQLITE_TICKET_COLUMNS " FROM ticket INDEXED BY ticket_line"
	                       " WHERE queue_id = ?1 AND status = 1 ORDER BY number LIMIT ?2",
	                       "al"},
	ROW(CORE_LIST_SHOWS_ON) = {"SELECT " SQLITE_SHOW_COLUMNS " FROM show WHERE concert_id = ?1 AND date = ?2 ORDER BY starts_at, show_id", "ab"},
	ROW(CORE_LIST_SHOW_SEATS) = {"SELECT " SQLITE_SEAT_COLUMNS " FROM seat WHERE show_id = ?1 ORDER BY seat_number LIMIT ?2", "al"},
	ROW(CORE_LIST_USER_SEATS) = {"SELECT " SQLITE_SEAT_COLUMNS " FROM seat INDEXED BY seat_user"
	                             " WHERE show_id = ?1 AND user_id = ?2 AND user_id <> 0 ORDER BY seat_number LIMIT ?3",
	                             "abl"},
	ROW(CORE_LIST_DUE_HOLDS) = {"SELECT " SQLITE_RESERVATION_COLUMNS " FROM reservation INDEXED BY reservation_due"
	                            " WHERE status = 1 AND held_until <= ?1 ORDER BY held_until, reservation_id LIMIT ?2",
	                            "bl"},
	ROW(CORE_LIST_DUE_TICKETS) = {"SELECT " SQLITE_TICKET_COLUMNS " FROM ticket INDEXED BY ticket_due"
	                              " WHERE status IN (2, 4) AND expires_at <= ?1 ORDER BY expires_at, queue_id, number LIMIT ?2",
	                              "bl"},
	ROW(CORE_LIST_DUE_KEYS) = {"SELECT " SQLITE_KEY_COLUMNS " FROM idempotency WHERE created_at <= ?1 ORDER BY created_at LIMIT ?2", "bl"},

	/* saving */
	INSERT(CORE_ROW_USER) = {"INSERT INTO user (" SQLITE_USER_COLUMNS ", last_entry) VALUES (?,?,?,?,?)", NULL},
	INSERT(CORE_ROW_QUEUE) = {"INSERT INTO queue (" SQLITE_QUEUE_COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", NULL},
	INSERT(CORE_ROW_TICKET) = {"INSERT INTO ticket (" SQLITE_TICKET_COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?)", NULL},
	INSERT(CORE_ROW_CONCERT) = {"INSERT INTO concert (" SQLITE_CONCERT_COLUMNS ") VALUES (?,?,?,?,?,?,?)", NULL},
	INSERT(CORE_ROW_SHOW) = {"INSERT INTO show (" SQLITE_SHOW_COLUMNS ") VALUES (?,?,?,?,?,?,?,?)", NULL},
	INSERT(CORE_ROW_SEAT) = {"INSERT INTO seat (" SQLITE_SEAT_COLUMNS ") VALUES (?,?,?,?,?,?,?,?)", NULL},
	INSERT(CORE_ROW_RESERVATION) = {"INSERT INTO reservation (" SQLITE_RESERVATION_COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)", NULL},
	/* the entry before it, when it is known; else the user's newest */
	INSERT(CORE_ROW_ENTRY) = {"INSERT INTO ledger (" SQLITE_ENTRY_COLUMNS ", previous) VALUES (?1,?2,?,?,?,?,?,?,?,?,?,"
	                          " coalesce(?, (SELECT last_entry FROM user WHERE user_id = ?2), 0))",
	                          NULL},
	INSERT(CORE_ROW_KEY) = {"INSERT INTO idempotency (" SQLITE_KEY_COLUMNS ") VALUES (?,?,?,?,?,?)", NULL},
	INSERT(CORE_ROW_AUDIT) = {"INSERT INTO audit_log (" SQLITE_AUDIT_COLUMNS ") VALUES (?,?,?,?,?,?)", NULL},

	UPDATE(CORE_ROW_USER) = {"UPDATE user SET balance = ?, last_entry = coalesce(?, last_entry) WHERE user_id = ? AND balance = ?", NULL},
	[SQL_LAST_ENTRY] = {"UPDATE user SET last_entry = ?1 WHERE user_id = ?2", NULL},
	UPDATE(CORE_ROW_QUEUE) = {"UPDATE queue SET capacity = ?, ceiling = ?, rate_per_second = ?, rate_free_at_us = ?, paused = ?,"
	                          " last_number = ?, waiting = ?, active = ?, admitted = ?, passed = ?"
	                          " WHERE queue_id = ? AND capacity = ? AND ceiling = ? AND rate_per_second = ? AND rate_free_at_us = ?"
	                          " AND paused = ? AND last_number = ? AND waiting = ? AND active = ? AND admitted = ? AND passed = ?",
	                          NULL},
	UPDATE(CORE_ROW_TICKET) = {"UPDATE ticket SET status = ?, reason = ?, admitted_at = ?, expires_at = ?, ended_at = ?, returned_at = ?"
	                           " WHERE queue_id = ? AND number = ? AND status = ?",
	                           NULL},
	UPDATE(CORE_ROW_CONCERT) = {"UPDATE concert SET queue_id = ?, title = ?, artist = ?, venue = ?, sales_open_at = ?, changed_at = ?"
	                            " WHERE concert_id = ? AND queue_id = ? AND sales_open_at = ? AND changed_at = ?",
	                            NULL},
	/* A show's place in time has an index, so it is not written with every change of the version. */
	UPDATE(CORE_ROW_SHOW) = {"UPDATE show SET total_seats = ?, version = ? WHERE show_id = ? AND version = ?", NULL},
	[SQL_UPDATE_WHOLE_SHOW] = {"UPDATE show SET starts_at = ?, date = ?, changed_at = ?, closed = ?, total_seats = ?, version = ?"
	                           " WHERE show_id = ? AND version = ?",
	                           NULL},
	UPDATE(CORE_ROW_SEAT) = {"UPDATE seat SET price = ?, status = ?, reservation_id = ?, user_id = ?, held_until = ?"
	                         " WHERE show_id = ? AND seat_number = ? AND status = ? AND reservation_id = ? AND price = ?",
	                         NULL},
	UPDATE(CORE_ROW_RESERVATION) = {"UPDATE reservation SET status = ?, held_until = ?, paid_at = ?, payment_id = ?"
	                                " WHERE reservation_id = ? AND status = ?",
	                                NULL},
	UPDATE(CORE_ROW_KEY) = {"UPDATE idempotency SET digest = ?, status = ?, body = ?, created_at = ?"
	                        " WHERE user_id = ? AND key = ? AND created_at = ?",
	                        NULL},

	DELETE(CORE_ROW_USER) = {"DELETE FROM user WHERE user_id = ? AND balance = ?", NULL},
	DELETE(CORE_ROW_QUEUE) = {"DELETE FROM queue WHERE queue_id = ? AND capacity = ? AND ceiling = ? AND rate_per_second = ?"
	                          " AND rate_free_at_us = ? AND paused = ? AND last_number = ? AND waiting = ? AND active = ? AND admitted = ? AND passed = ?",
	                          NULL},
	DELETE(CORE_ROW_TICKET) = {"DELETE FROM ticket WHERE queue_id = ? AND number = ? AND status = ?", NULL},
	DELETE(CORE_ROW_CONCERT) = {"DELETE FROM concert WHERE concert_id = ? AND queue_id = ? AND sales_open_at = ? AND changed_at = ?", NULL},
	DELETE(CORE_ROW_SHOW) = {"DELETE FROM show WHERE show_id = ? AND version = ?", NULL},
	DELETE(CORE_ROW_SEAT) = {"DELETE FROM seat WHERE show_id = ? AND seat_number = ? AND status = ? AND reservation_id = ? AND price = ?", NULL},
	DELETE(CORE_ROW_RESERVATION) = {"DELETE FROM reservation WHERE reservation_id = ? AND status = ?", NULL},
	DELETE(CORE_ROW_KEY) = {"DELETE FROM idempotency WHERE user_id = ? AND key = ? AND created_at = ?", NULL},

	/* everything, by key */
	EXPORT(CORE_ROW_USER) = {"SELECT " SQLITE_USER_COLUMNS " FROM user ORDER BY user_id", NULL},
	EXPORT(CORE_ROW_QUEUE) = {"SELECT " SQLITE_QUEUE_COLUMNS " FROM queue ORDER BY queue_id", NULL},
	EXPORT(CORE_ROW_TICKET) = {"SELECT " SQLITE_TICKET_COLUMNS " FROM ticket ORDER BY queue_id, number", NULL},
	EXPORT(CORE_ROW_CONCERT) = {"SELECT " SQLITE_CONCERT_COLUMNS " FROM concert ORDER BY concert_id", NULL},
	EXPORT(CORE_ROW_SHOW) = {"SELECT " SQLITE_SHOW_COLUMNS " FROM show ORDER BY show_id", NULL},
	EXPORT(CORE_ROW_SEAT) = {"SELECT " SQLITE_SEAT_COLUMNS " FROM seat ORDER BY show_id, seat_number", NULL},
	EXPORT(CORE_ROW_RESERVATION) = {"SELECT " SQLITE_RESERVATION_COLUMNS " FROM reservation ORDER BY reservation_id", NULL},
	EXPORT(CORE_ROW_ENTRY) = {"SELECT " SQLITE_ENTRY_COLUMNS " FROM ledger ORDER BY entry_id", NULL},
	EXPORT(CORE_ROW_KEY) = {"SELECT " SQLITE_KEY_COLUMNS " FROM idempotency ORDER BY user_id, key", NULL},
	EXPORT(CORE_ROW_AUDIT) = {"SELECT " SQLITE_AUDIT_COLUMNS " FROM audit_log ORDER BY audit_id", NULL},

	/* transactions and the clock */
	[SQL_BEGIN] = {"BEGIN IMMEDIATE", NULL},
	[SQL_BEGIN_READ] = {"BEGIN", NULL},
	[SQL_COMMIT] = {"COMMIT", NULL},
	[SQL_ROLLBACK] = {"ROLLBACK", NULL},
	[SQL_CLOCK] = {"SELECT value FROM meta WHERE name = 'clock'", NULL},
	[SQL_CLOCK_SAVE] = {"UPDATE meta SET value = ? WHERE name = 'clock' AND value <= ?1", NULL},
	/* a row of its own from the first time on */
	[SQL_REALM] = {"SELECT coalesce((SELECT value FROM meta WHERE name = 'realm'), 0), (SELECT max(user_id) FROM user) IS NOT NULL", NULL},
	[SQL_REALM_SAVE] = {"INSERT INTO meta (name, value) VALUES ('realm', ?1) ON CONFLICT (name) DO UPDATE SET value = ?1", NULL},
	/* in the order of enum core_id_kind */
	[SQL_NEXT_IDS] = {"SELECT (SELECT max(user_id) FROM user), (SELECT max(reservation_id) FROM reservation),"
	                  " (SELECT max(entry_id) FROM ledger), (SELECT max(audit_id) FROM audit_log), (SELECT max(queue_id) FROM queue),"
	                  " (SELECT max(concert_id) FROM concert), (SELECT max(show_id) FROM show)",
	                  NULL},

	[SQL_ROWS] = {"SELECT (SELECT count(*) FROM user) + (SELECT count(*) FROM queue) + (SELECT count(*) FROM ticket)"
	              " + (SELECT count(*) FROM concert) + (SELECT count(*) FROM show) + (SELECT count(*) FROM seat)"
	              " + (SELECT count(*) FROM reservation) + (SELECT count(*) FROM ledger) + (SELECT count(*) FROM idempotency)"
	              " + (SELECT count(*) FROM audit_log)",
	              NULL},
	[SQL_CLEAR_QUEUES] = {"DELETE FROM queue", NULL},

	/* the scan at start. Numbers are issued in the order of time, so the tickets issued since an instant are those from a number on;
	 * ?1 is a JSON array with one [queue_id, number] for each queue. */
	[SQL_SCAN_HOLDS] = {"SELECT " SQLITE_RESERVATION_COLUMNS " FROM reservation INDEXED BY reservation_due"
	                    " WHERE status = 1 AND held_until > 0 ORDER BY reservation_id",
	                    NULL},
	[SQL_SCAN_ISSUED] = {"SELECT number, issued_at FROM ticket WHERE queue_id = ?1 AND number >= ?2 ORDER BY number LIMIT 1", NULL},
	[SQL_SCAN_USERS] = {"SELECT " SQLITE_USER_COLUMNS " FROM user WHERE user_id IN ("
	                    "SELECT t.user_id FROM json_each(?1) AS q CROSS JOIN ticket AS t"
	                    " WHERE t.queue_id = q.value ->> 0 AND t.number >= q.value ->> 1"
	                    " UNION ALL SELECT t.user_id FROM json_each(?1) AS q CROSS JOIN ticket AS t INDEXED BY ticket_live"
	                    " WHERE t.queue_id = q.value ->> 0 AND t.status <> 3 AND t.number < q.value ->> 1)",
	                    NULL},
	/* One queue: first the live ones below ?2, by number, then all from ?2 on. */
	[SQL_SCAN_TICKETS] = {"SELECT * FROM (SELECT " SQLITE_TICKET_COLUMNS " FROM ticket INDEXED BY ticket_live"
	                      " WHERE queue_id = ?1 AND number < ?2 AND status <> 3 ORDER BY number)"
	                      " UNION ALL SELECT * FROM (SELECT " SQLITE_TICKET_COLUMNS " FROM ticket"
	                      " WHERE queue_id = ?1 AND number >= ?2 ORDER BY number)",
	                      NULL},

	/* pages */
	[SQL_READ_RESERVATIONS] = {"SELECT " SQLITE_RESERVATION_COLUMNS " FROM reservation INDEXED BY reservation_user"
	                           " WHERE user_id = ? AND reservation_id < ? ORDER BY reservation_id DESC LIMIT ?",
	                           NULL},
	/* Along the user's chain, from the entry ?2 when it is one of that user's, as it is when pages are read one after the other. */
	[SQL_READ_ENTRIES] = {"WITH RECURSIVE chain(id) AS (SELECT coalesce("
	                      "(SELECT previous FROM ledger WHERE entry_id = ?2 AND user_id = ?1), (SELECT last_entry FROM user WHERE user_id = ?1))"
	                      " UNION ALL SELECT l.previous FROM chain CROSS JOIN ledger AS l ON l.entry_id = chain.id)"
	                      " SELECT " SQLITE_ENTRY_COLUMNS " FROM chain CROSS JOIN ledger ON entry_id = id WHERE id < ?2 LIMIT ?3",
	                      NULL},
	[SQL_READ_AUDITS] = {"SELECT " SQLITE_AUDIT_COLUMNS " FROM audit_log WHERE audit_id < ? ORDER BY audit_id DESC LIMIT ?", NULL},
	[SQL_READ_SALES] = {"SELECT r.reservation_id, r.user_id, r.concert_id, r.show_id, r.queue_id, r.ticket_number, r.date, r.total_price,"
	                    " r.status, r.held_until, r.created_at, r.paid_at, r.payment_id, r.seats, u.name"
	                    " FROM reservation AS r INDEXED BY reservation_concert LEFT JOIN user AS u ON u.user_id = r.user_id"
	                    " WHERE r.concert_id = ? AND r.reservation_id > ? ORDER BY r.reservation_id LIMIT ?",
	                    NULL},
};
/* clang-format on */

sqlite3_stmt *sqlite_stmt(struct sqlite_conn *c, int which)
{
	if (!c->stmt[which]) {
		int rc =
		    sqlite3_prepare_v3(c->db, sqlite_statements[which].sql, -1, SQLITE_PREPARE_PERSISTENT, &c->stmt[which], NULL);
		if (rc != SQLITE_OK) {
			(void)sqlite_failed(c, rc, "prepare");
			return NULL;
		}
		return c->stmt[which];
	}
	(void)sqlite3_reset(c->stmt[which]); /* its code is that of the last step, which was looked at then */
	return c->stmt[which];
}

enum store_result sqlite_run(struct sqlite_conn *c, int which)
{
	sqlite3_stmt *stmt = sqlite_stmt(c, which);
	if (!stmt)
		return STORE_BROKEN;
	int rc = sqlite3_step(stmt);
	enum store_result result = rc == SQLITE_DONE ? STORE_OK : sqlite_failed(c, rc, sqlite_statements[which].sql);
	(void)sqlite3_reset(stmt);
	return result;
}

static enum store_result broken(struct sqlite_conn *c, int rc, const char *what)
{
	int64_t now = clock_elapsed_us();
	c->full = (rc & 0xff) == SQLITE_FULL;
	if (rc == c->failed_with && now - c->said_us < SQLITE_SAY_AGAIN_US)
		return STORE_BROKEN;
	c->failed_with = rc;
	c->said_us = now;
	log_event(LOG_ERROR, "store_broken", "cause", "%s: %s: %s (%d)", c->path, what, sqlite3_errmsg(c->db), rc);
	return STORE_BROKEN;
}

enum store_result sqlite_failed(struct sqlite_conn *c, int rc, const char *what)
{
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return STORE_BUSY;
	case SQLITE_CONSTRAINT:
		log_event(LOG_WARN, "store_conflict", "cause", "%s: %s: %s", c->path, what, sqlite3_errmsg(c->db));
		return STORE_CONFLICT;
	default:
		return broken(c, rc, what);
	}
}

void sqlite_end_process(const char *path)
{
	log_event(LOG_ERROR, "store_sync_failed", "cause",
	          "%s: the disk refused a sync; ending, so that nothing is answered that is not kept", path);
	abort();
}

void sqlite_end_if_unsynced(struct sqlite_conn *c)
{
	int rc = sqlite3_extended_errcode(c->db);
	if (rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC)
		sqlite_end_process(c->path);
}

void sqlite_conn_close(struct sqlite_conn *c)
{
	for (int i = 0; i < SQL_COUNT; i++)
		(void)sqlite3_finalize(c->stmt[i]);
	(void)sqlite3_close(c->db);
	c->db = NULL;
}

struct sqlite_binder sqlite_binder(sqlite3_stmt *stmt)
{
	return (struct sqlite_binder){.stmt = stmt, .at = 0, .rc = SQLITE_OK};
}

static void keep_first(struct sqlite_binder *b, int rc)
{
	if (b->rc == SQLITE_OK)
		b->rc = rc;
}

void sqlite_bind_int(struct sqlite_binder *b, int64_t v)
{
	keep_first(b, sqlite3_bind_int64(b->stmt, ++b->at, v));
}

void sqlite_bind_null(struct sqlite_binder *b)
{
	keep_first(b, sqlite3_bind_null(b->stmt, ++b->at));
}

void sqlite_bind_text(struct sqlite_binder *b, struct text t)
{
	keep_first(b, sqlite3_bind_text64(b->stmt, ++b->at, t.n ? t.p : "", t.n, SQLITE_STATIC, SQLITE_UTF8));
}

void sqlite_bind_blob(struct sqlite_binder *b, const void *p, size_t n)
{
	keep_first(b, sqlite3_bind_blob64(b->stmt, ++b->at, p, n, SQLITE_STATIC));
}
