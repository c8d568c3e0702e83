/* audit.c: checks the invariants over every row, with SQL that shares nothing with the rules.
 *
 * Each check is a query for the rows that break it, each as a sentence; none is expected. They run in one read transaction, so they see one
 * state of the store, and each costs a pass or two over its tables. A connection that can only read does not know the CHECK constraints
 * (SQLite leaves them out of its schema), so the database's own check of the file does not cover them: the queries here do. */
#include "store/sqlite.h"

#include <stdio.h>

struct check {
	const char *invariant, *what, *sql;
};

/* What an entry does to the wallet of its user. */
#define SIGNED "(CASE WHEN credit_kind = 1 THEN amount ELSE -amount END)"

/* A reservation that has its seats: paid, or held and not past its end at the latest instant that anything was decided at. A hold that has
 * lapsed may have lost seats to somebody else already, though no tick has ended it yet. */
#define LIVE "(r.status = 2 OR (r.status = 1 AND r.held_until > (SELECT value FROM meta WHERE name = 'clock')))"

/* What the migrations make (?1, see sqlite_schema_made) and is not there, or is something else. What is there beside it is the owner's business. */
#define NOT_AS_MADE                                                                                       \
	"SELECT json_extract(m.value, '$[0]') || ' ' || json_extract(m.value, '$[1]') ||"                 \
	" CASE WHEN s.name IS NULL THEN ' is missing' ELSE ' is not as it was made' END"                  \
	" FROM json_each(?1) AS m LEFT JOIN sqlite_schema AS s ON s.type = json_extract(m.value, '$[0]')" \
	" AND s.name = json_extract(m.value, '$[1]') AND s.tbl_name = json_extract(m.value, '$[2]')"      \
	" WHERE plain(s.sql) <> json_extract(m.value, '$[3]')"

/* clang-format off */
static const struct check checks[] = {
	{"I1", "every held or sold seat names the one reservation that holds or bought it, of the same show and user",
	 "SELECT printf('seat %d of show %d, reservation %d', s.seat_number, s.show_id, s.reservation_id)"
	 " FROM seat AS s LEFT JOIN reservation AS r ON r.reservation_id = s.reservation_id"
	 " WHERE s.status <> 0 AND (r.reservation_id IS NULL OR r.status <> s.status OR r.show_id <> s.show_id OR r.user_id <> s.user_id"
	 " OR NOT EXISTS (SELECT 1 FROM json_each(r.seats) AS j WHERE j.value = s.seat_number))"},
	{"I1", "every seat of a live hold or a paid reservation is held by it or sold to it",
	 "SELECT printf('reservation %d, seat %d', r.reservation_id, j.value) FROM reservation AS r CROSS JOIN json_each(r.seats) AS j"
	 " LEFT JOIN seat AS s ON s.show_id = r.show_id AND s.seat_number = j.value WHERE " LIVE
	 " AND (s.reservation_id IS NULL OR s.reservation_id <> r.reservation_id OR s.status <> r.status OR s.user_id <> r.user_id)"},
	{"I1", "no seat is in two reservations that are paid or live holds",
	 "SELECT printf('seat %d of show %d', j.value, r.show_id) FROM reservation AS r CROSS JOIN json_each(r.seats) AS j"
	 " WHERE " LIVE " GROUP BY r.show_id, j.value HAVING count(*) > 1"},
	{"I1", "a free seat has no owner, another has one, only a held one has an end, and each a price of 0 or more",
	 "SELECT printf('seat %d of show %d', seat_number, show_id) FROM seat WHERE price < 0 OR NOT CASE status"
	 " WHEN 0 THEN reservation_id = 0 AND user_id = 0 AND held_until = 0 WHEN 1 THEN reservation_id > 0 AND user_id > 0 AND held_until > 0"
	 " WHEN 2 THEN reservation_id > 0 AND user_id > 0 AND held_until = 0 ELSE 0 END"},

	{"I2", "a held seat is held for as long as its reservation",
	 "SELECT printf('seat %d of show %d', s.seat_number, s.show_id) FROM seat AS s JOIN reservation AS r USING (reservation_id)"
	 " WHERE s.status = 1 AND s.held_until <> r.held_until"},
	{"I2", "no reservation was paid at or after the end of its hold",
	 "SELECT printf('reservation %d', reservation_id) FROM reservation"
	 " WHERE held_until <= created_at OR (status IN (2, 5) AND (paid_at >= held_until OR paid_at < created_at))"},
	{"I2", "the clock has its mark, and nothing is later than that",
	 "SELECT printf('%s %d, %d ms later', what, id, at - mark) FROM (SELECT value AS mark FROM meta WHERE name = 'clock') CROSS JOIN ("
	 "SELECT 'ticket' AS what, number AS id, max(issued_at, admitted_at, ended_at) AS at FROM ticket"
	 " UNION ALL SELECT 'reservation', reservation_id, max(created_at, paid_at) FROM reservation"
	 " UNION ALL SELECT 'entry', entry_id, created_at FROM ledger) WHERE at > mark"
	 " UNION ALL SELECT 'the mark is missing' WHERE NOT EXISTS (SELECT 1 FROM meta WHERE name = 'clock')"},

	{"I3", "every wallet's balance is the sum of its ledger entries",
	 "SELECT printf('user %d: balance %d, entries %d', u.user_id, u.balance, coalesce(e.total, 0)) FROM user AS u LEFT JOIN ("
	 "SELECT id, sum(amount) AS total FROM (SELECT credit_id AS id, amount FROM ledger WHERE credit_kind = 1"
	 " UNION ALL SELECT debit_id, -amount FROM ledger WHERE debit_kind = 1) GROUP BY id) AS e ON e.id = u.user_id"
	 " WHERE u.balance <> coalesce(e.total, 0)"},
	{"I3", "no wallet is below 0 or above its limit",
	 "SELECT printf('user %d: %d', user_id, balance) FROM user WHERE balance NOT BETWEEN 0 AND 1000000000000"},
	{"I3", "every entry's balance is that of the entry before it, moved by its amount",
	 "SELECT printf('entry %d of user %d: %d', entry_id, user_id, balance_after) FROM (SELECT entry_id, user_id, balance_after, previous,"
	 " lag(entry_id, 1, 0) OVER of_user AS before, lag(balance_after, 1, 0) OVER of_user + " SIGNED " AS expected FROM ledger"
	 " WINDOW of_user AS (PARTITION BY user_id ORDER BY entry_id))"
	 " WHERE balance_after <> expected OR balance_after NOT BETWEEN 0 AND 1000000000000 OR previous <> before"
	 " UNION ALL SELECT printf('user %d: entry %d is not the newest', u.user_id, u.last_entry) FROM user AS u LEFT JOIN ("
	 "SELECT user_id, max(entry_id) AS newest FROM ledger GROUP BY user_id) AS e USING (user_id) WHERE u.last_entry <> coalesce(e.newest, 0)"},
	{"I3", "every entry moves 0 or more between two accounts, as its type says",
	 "SELECT printf('entry %d', entry_id) FROM ledger WHERE amount < 0 OR CASE type"
	 " WHEN 1 THEN debit_kind <> 0 OR debit_id <> 0 OR credit_kind <> 1 OR credit_id <> user_id OR reservation_id <> 0"
	 " WHEN 2 THEN debit_kind <> 1 OR debit_id <> user_id OR credit_kind <> 2 OR credit_id < 1 OR reservation_id = 0"
	 " WHEN 3 THEN debit_kind <> 2 OR debit_id < 1 OR credit_kind <> 1 OR credit_id <> user_id OR reservation_id = 0 ELSE 1 END"},
	{"I3", "all accounts together come to 0: what came in is in wallets and in revenue",
	 "SELECT printf('in %d, wallets %d, revenue %d', came_in, wallets, revenue) FROM ("
	 "SELECT (SELECT coalesce(sum(CASE WHEN debit_kind = 0 THEN amount WHEN credit_kind = 0 THEN -amount ELSE 0 END), 0) FROM ledger) AS came_in,"
	 " (SELECT coalesce(sum(balance), 0) FROM user) AS wallets,"
	 " (SELECT coalesce(sum(total_price), 0) FROM reservation WHERE status = 2) AS revenue) WHERE came_in <> wallets + revenue"},
	{"I3", "every concert's revenue is the price of its paid reservations",
	 "SELECT printf('concert %d: revenue %d, paid %d', c.concert_id, coalesce(l.revenue, 0), coalesce(r.paid, 0)) FROM concert AS c LEFT JOIN ("
	 "SELECT id, sum(amount) AS revenue FROM (SELECT credit_id AS id, amount FROM ledger WHERE credit_kind = 2"
	 " UNION ALL SELECT debit_id, -amount FROM ledger WHERE debit_kind = 2) GROUP BY id) AS l ON l.id = c.concert_id LEFT JOIN ("
	 "SELECT concert_id, sum(total_price) AS paid FROM reservation WHERE status = 2 GROUP BY concert_id) AS r ON r.concert_id = c.concert_id"
	 " WHERE coalesce(l.revenue, 0) <> coalesce(r.paid, 0)"},
	{"I3", "the ledger and the audit log refuse changes: their guards are in place, as they were made",
	 NOT_AS_MADE " AND json_extract(m.value, '$[0]') = 'trigger'"},

	{"I4", "every paid reservation has its payment in the ledger, of its price, from its user to its concert",
	 "SELECT printf('reservation %d, payment %d', r.reservation_id, r.payment_id) FROM reservation AS r"
	 " LEFT JOIN ledger AS e ON e.entry_id = r.payment_id WHERE r.status IN (2, 5) AND (e.entry_id IS NULL OR e.type <> 2"
	 " OR e.reservation_id <> r.reservation_id OR e.amount <> r.total_price OR e.debit_id <> r.user_id OR e.credit_id <> r.concert_id"
	 " OR e.created_at <> r.paid_at)"},
	{"I4", "every payment in the ledger is that of one paid reservation",
	 "SELECT printf('entry %d, reservation %d', e.entry_id, e.reservation_id) FROM ledger AS e"
	 " LEFT JOIN reservation AS r ON r.reservation_id = e.reservation_id"
	 " WHERE e.type = 2 AND (r.reservation_id IS NULL OR r.status NOT IN (2, 5) OR r.payment_id <> e.entry_id)"},
	{"I4", "the ticket of a paid reservation had ended when it was paid",
	 "SELECT printf('reservation %d, ticket %d', r.reservation_id, r.ticket_number) FROM reservation AS r"
	 " JOIN ticket AS t ON t.queue_id = r.queue_id AND t.number = r.ticket_number"
	 " WHERE r.status IN (2, 5) AND (t.status <> 3 OR t.ended_at > r.paid_at)"},
	{"I4", "a ticket that a payment ended has a reservation that was paid at that instant",
	 "SELECT printf('queue %d, number %d', queue_id, number) FROM (SELECT queue_id, number, ended_at FROM ticket WHERE reason = 1"
	 " EXCEPT SELECT queue_id, ticket_number, paid_at FROM reservation WHERE status IN (2, 5))"},

	{"I5", "every queue's numbers are 1 to its last number, without gaps",
	 "SELECT printf('queue %d: %d tickets, numbers %d to %d, last number %d', q.queue_id, coalesce(t.n, 0), coalesce(t.low, 0),"
	 " coalesce(t.high, 0), q.last_number) FROM queue AS q LEFT JOIN ("
	 "SELECT queue_id, count(*) AS n, min(number) AS low, max(number) AS high FROM ticket GROUP BY queue_id) AS t USING (queue_id)"
	 " WHERE coalesce(t.n, 0) <> q.last_number OR coalesce(t.high, 0) <> q.last_number OR coalesce(t.low, 1) <> 1"},
	{"I5", "numbers are issued in the order of time",
	 "SELECT printf('queue %d, number %d', queue_id, number) FROM (SELECT queue_id, number, issued_at,"
	 " lag(issued_at) OVER (PARTITION BY queue_id ORDER BY number) AS before FROM ticket) WHERE issued_at < before"},
	{"I5", "tickets that were never passed over are admitted in the order of their numbers",
	 "SELECT printf('queue %d, number %d', queue_id, number) FROM (SELECT queue_id, number, admitted_at,"
	 " max(CASE WHEN returned_at = 0 THEN admitted_at END)"
	 " OVER (PARTITION BY queue_id ORDER BY number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before"
	 " FROM ticket WHERE admitted_at > 0) WHERE admitted_at < before"},
	{"I5", "nobody waits, and was not passed over, behind whom a higher number was admitted",
	 "SELECT printf('queue %d, number %d', t.queue_id, t.number) FROM ticket AS t JOIN ("
	 "SELECT queue_id, max(number) AS high FROM ticket WHERE admitted_at > 0 GROUP BY queue_id) AS a USING (queue_id)"
	 " WHERE t.status = 1 AND t.returned_at = 0 AND t.number < a.high"},
	{"I5", "a user has at most one live ticket in a queue",
	 "SELECT printf('queue %d, user %d', queue_id, user_id) FROM ticket WHERE +status <> 3 GROUP BY queue_id, user_id HAVING count(*) > 1"},
	{"I5", "every queue counts its waiting, active and admitted tickets rightly",
	 "SELECT printf('queue %d: counts %d, %d, %d, %d; tickets %d, %d, %d, %d', q.queue_id, q.waiting, q.active, q.admitted, q.passed,"
	 " coalesce(t.w, 0), coalesce(t.a, 0), coalesce(t.d, 0), coalesce(t.p, 0)) FROM queue AS q LEFT JOIN (SELECT queue_id, sum(status = 1) AS w, sum(status = 2) AS a,"
	 " sum(admitted_at > 0) AS d, sum(status = 4) AS p FROM ticket GROUP BY queue_id) AS t USING (queue_id)"
	 " WHERE q.waiting <> coalesce(t.w, 0) OR q.active <> coalesce(t.a, 0) OR q.admitted <> coalesce(t.d, 0) OR q.passed <> coalesce(t.p, 0)"},
	{"I5", "every ticket's state and instants fit together",
	 "SELECT printf('queue %d, number %d', queue_id, number) FROM ticket WHERE status NOT IN (1, 2, 3, 4) OR (status = 3) <> (reason <> 0)"
	 " OR (status = 3) <> (ended_at > 0) OR (status <> 3 AND ended_at <> 0) OR (status IN (1, 4) AND admitted_at <> 0)"
	 " OR (status = 2 AND admitted_at <= 0) OR (admitted_at > 0 OR status = 4) <> (expires_at > 0)"
	 " OR (admitted_at > 0 AND (admitted_at < issued_at OR admitted_at < returned_at OR expires_at < admitted_at))"
	 " OR (returned_at > 0 AND returned_at < issued_at) OR (status = 3 AND (ended_at < issued_at OR ended_at < admitted_at OR ended_at < returned_at))"
	 /* Paid or left: while the place was good. Its time was up: from that instant on. Abandoned: it never had been admitted. */
	 " OR CASE reason WHEN 0 THEN 0 WHEN 1 THEN admitted_at <= 0 OR ended_at >= expires_at"
	 " WHEN 2 THEN admitted_at <= 0 OR ended_at < expires_at WHEN 3 THEN admitted_at > 0 AND ended_at >= expires_at"
	 " WHEN 4 THEN admitted_at > 0 ELSE 1 END"},

	/* Nobody is admitted while as many are active as the capacity says, and the ceiling follows each that ends. So more than that are active only from
	 * before the capacity was set, which the audit log tells. */
	{"I6", "no queue has more active tickets than its capacity, or than it had when that was lowered",
	 "SELECT printf('queue %d: %d active, capacity %d, ceiling %d', q.queue_id, coalesce(t.n, 0), q.capacity, q.ceiling) FROM queue AS q LEFT JOIN ("
	 "SELECT queue_id, count(*) AS n, max(admitted_at) AS last FROM ticket WHERE status = 2 GROUP BY queue_id) AS t USING (queue_id)"
	 " WHERE coalesce(t.n, 0) > q.ceiling OR q.ceiling <> max(q.active, q.capacity) OR (coalesce(t.n, 0) > q.capacity AND NOT EXISTS ("
	 "SELECT 1 FROM audit_log AS a WHERE a.action = 'PATCH_QUEUE' AND a.target = 'queue ' || q.queue_id"
	 " AND a.detail LIKE '{\"capacity\":%' AND a.created_at >= t.last))"},

	/* Names have an index, which is looked at with the file, and new ids are always taken behind the old. */
	{"I7", "the database is whole: it finds nothing wrong with itself, names lead to their users, and new ids come behind the old",
	 "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'"},
	{"I7", "the tables, their constraints and their indexes are in place, as they were made",
	 NOT_AS_MADE " AND json_extract(m.value, '$[0]') <> 'trigger'"},
	{"I7", "whatever a row refers to is there",
	 "SELECT printf('%s %d', what, id) FROM ("
	 "SELECT 'ticket of queue' AS what, t.queue_id AS id FROM ticket AS t WHERE NOT EXISTS (SELECT 1 FROM queue AS x WHERE x.queue_id = t.queue_id)"
	 " UNION ALL SELECT 'ticket of user', t.user_id FROM ticket AS t WHERE NOT EXISTS (SELECT 1 FROM user AS x WHERE x.user_id = t.user_id)"
	 " UNION ALL SELECT 'concert', c.concert_id FROM concert AS c WHERE NOT EXISTS (SELECT 1 FROM queue AS x WHERE x.queue_id = c.queue_id)"
	 " UNION ALL SELECT 'show', s.show_id FROM show AS s WHERE NOT EXISTS (SELECT 1 FROM concert AS x WHERE x.concert_id = s.concert_id)"
	 " UNION ALL SELECT 'seat of show', s.show_id FROM seat AS s WHERE NOT EXISTS (SELECT 1 FROM show AS x WHERE x.show_id = s.show_id)"
	 " UNION ALL SELECT 'reservation', r.reservation_id FROM reservation AS r"
	 " WHERE NOT EXISTS (SELECT 1 FROM user AS x WHERE x.user_id = r.user_id)"
	 " OR NOT EXISTS (SELECT 1 FROM show AS x WHERE x.show_id = r.show_id AND x.concert_id = r.concert_id"
	 " AND (x.date = r.date OR x.changed_at >= r.created_at))"
	 " UNION ALL SELECT 'entry', e.entry_id FROM ledger AS e WHERE NOT EXISTS (SELECT 1 FROM user AS x WHERE x.user_id = e.user_id)"
	 " OR (e.reservation_id <> 0 AND NOT EXISTS (SELECT 1 FROM reservation AS x WHERE x.reservation_id = e.reservation_id))"
	 " UNION ALL SELECT 'idempotency key of user', k.user_id FROM idempotency AS k"
	 " WHERE NOT EXISTS (SELECT 1 FROM user AS x WHERE x.user_id = k.user_id))"},
	{"I7", "ids and numbers are 1 or more, names are not empty, limits are 0 or more, and switches are on or off",
	 "SELECT 'user ' || user_id FROM user WHERE user_id < 1 OR name = ''"
	 " UNION ALL SELECT 'queue ' || queue_id FROM queue"
	 " WHERE queue_id < 1 OR name = '' OR capacity < 0 OR rate_per_second < 0 OR paused NOT IN (0, 1)"
	 " UNION ALL SELECT printf('queue %d, number %d', queue_id, number) FROM ticket WHERE number < 1"
	 " UNION ALL SELECT 'concert ' || concert_id FROM concert WHERE concert_id < 1"
	 " UNION ALL SELECT 'show ' || show_id FROM show WHERE show_id < 1 OR total_seats < 0 OR closed NOT IN (0, 1)"
	 " UNION ALL SELECT printf('seat %d of show %d', seat_number, show_id) FROM seat WHERE seat_number < 1"
	 " UNION ALL SELECT 'reservation ' || reservation_id FROM reservation WHERE reservation_id < 1"
	 " UNION ALL SELECT printf('entry %d of user %d', entry_id, user_id) FROM ledger WHERE entry_id < 1 OR user_id < 1"
	 " UNION ALL SELECT printf('a key of user %d', user_id) FROM idempotency WHERE key = ''"
	 " UNION ALL SELECT 'line ' || audit_id || ' of the audit log' FROM audit_log WHERE audit_id < 1"},

	{"I8", "a user's idempotency key has one answer",
	 "SELECT printf('user %d, key %s', user_id, key) FROM idempotency NOT INDEXED GROUP BY user_id, key HAVING count(*) > 1"},
	{"I8", "every kept answer is a success, a JSON object, with the digest of what was asked",
	 "SELECT printf('user %d, key %s', user_id, key) FROM idempotency WHERE status NOT BETWEEN 200 AND 299 OR length(digest) <> 32"
	 " OR CASE WHEN json_valid(body) THEN json_type(body) <> 'object' ELSE 1 END"},

	{"I9", "every reservation was made with an admitted ticket of its user and of its concert's queue, while that was active",
	 "SELECT printf('reservation %d, ticket %d of queue %d', r.reservation_id, r.ticket_number, r.queue_id) FROM reservation AS r"
	 " LEFT JOIN concert AS c ON c.concert_id = r.concert_id LEFT JOIN ticket AS t ON t.queue_id = r.queue_id AND t.number = r.ticket_number"
	 " WHERE t.number IS NULL OR c.concert_id IS NULL OR t.user_id <> r.user_id OR r.queue_id <> c.queue_id OR t.admitted_at = 0"
	 " OR t.admitted_at > r.created_at OR t.expires_at <= r.created_at OR (t.ended_at > 0 AND t.ended_at < r.created_at)"},
	/* What an organiser changed later is no measure for what was made before. */
	{"I9", "no reservation was made before sales opened, after the show began, or while it was closed",
	 "SELECT printf('reservation %d', r.reservation_id) FROM reservation AS r JOIN concert AS c USING (concert_id) JOIN show AS s USING (show_id)"
	 " WHERE (r.created_at < c.sales_open_at AND r.created_at > c.changed_at)"
	 " OR (r.created_at > s.changed_at AND (r.created_at >= s.starts_at OR s.closed <> 0))"},

	{"I10", "nothing is half done: every show has all its seats",
	 "SELECT printf('show %d: %d of %d seats', s.show_id, coalesce(t.n, 0), s.total_seats) FROM show AS s LEFT JOIN ("
	 "SELECT show_id, count(*) AS n FROM seat GROUP BY show_id) AS t USING (show_id) WHERE coalesce(t.n, 0) <> s.total_seats"},
	{"I10", "nothing is half done: a paid reservation's price is that of its seats, and a held one's unless it had lapsed when they were priced anew",
	 "SELECT printf('reservation %d: %d, seats %d', r.reservation_id, r.total_price, coalesce(sum(s.price), 0)) FROM reservation AS r"
	 " CROSS JOIN json_each(r.seats) AS j LEFT JOIN seat AS s ON s.show_id = r.show_id AND s.seat_number = j.value"
	 " JOIN show AS x ON x.show_id = r.show_id"
	 " WHERE r.status = 2 OR (r.status = 1 AND r.held_until > x.changed_at) GROUP BY r.reservation_id HAVING r.total_price <> coalesce(sum(s.price), 0)"},
	{"I10", "nothing is half done: a reservation has a payment if and only if it was paid, has seats, and a price of 0 or more",
	 "SELECT printf('reservation %d', reservation_id) FROM reservation WHERE status NOT IN (1, 2, 3, 4, 5) OR total_price < 0"
	 " OR (status IN (2, 5)) <> (paid_at > 0) OR (status IN (2, 5)) <> (payment_id > 0)"
	 " OR NOT json_valid(seats) OR coalesce(json_array_length(seats), 0) = 0"},
};
/* clang-format on */

/* Counts what breaks a check. A damaged file may keep a check from running; then that is what breaks it. */
static enum store_result run_check(struct sqlite_conn *c, const struct check *check, const struct buf *made, store_check_fn fn,
                                   void *arg)
{
	sqlite3_stmt *stmt = NULL;
	char example[256] = "";
	int64_t violations = 0;
	int rc = sqlite3_prepare_v2(c->db, check->sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK && sqlite3_bind_parameter_count(stmt) > 0)
		rc = sqlite3_bind_text(stmt, 1, made->p, (int)made->n, SQLITE_STATIC);
	while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(stmt, 0);
		if (violations++ == 0)
			(void)snprintf(example, sizeof example, "%s", text ? text : "?");
		rc = SQLITE_OK;
	}
	if ((rc & 0xff) == SQLITE_CORRUPT || rc == SQLITE_ERROR) {
		(void)snprintf(example, sizeof example, "the check can't run: %s", sqlite3_errmsg(c->db));
		violations++;
		rc = SQLITE_DONE;
	}
	(void)sqlite3_finalize(stmt);
	if (rc != SQLITE_DONE)
		return sqlite_failed(c, rc, "audit");
	fn(arg, check->invariant, check->what, violations, example);
	return STORE_OK;
}

enum store_result sqlite_audit_conn(struct sqlite_conn *c, store_check_fn fn, void *arg)
{
	struct buf made = {0};
	int rc = sqlite_schema_made(&made);
	if (rc == SQLITE_OK)
		rc = sqlite_know_plain(c->db);
	enum store_result result = rc == SQLITE_OK ? sqlite_run(c, SQL_BEGIN_READ) : sqlite_failed(c, rc, "audit");
	for (size_t i = 0; i < sizeof checks / sizeof checks[0] && result == STORE_OK; i++)
		result = run_check(c, &checks[i], &made, fn, arg);
	if (!sqlite3_get_autocommit(c->db)) {
		enum store_result ended = sqlite_run(c, SQL_ROLLBACK);
		if (result == STORE_OK)
			result = ended;
	}
	buf_free(&made);
	return result;
}

enum store_result sqlite_audit(struct store *base, store_check_fn fn, void *arg)
{
	struct sqlite_conn c = {0};
	enum store_result result = sqlite_open_read(&c, ((struct sqlite_store *)(void *)base)->path, NULL);
	if (result == STORE_OK)
		result = sqlite_audit_conn(&c, fn, arg);
	sqlite_conn_close(&c);
	return result;
}
