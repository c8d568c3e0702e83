/* postgres_follow.c: what other processes have committed.
 *
 * Every commit leaves a row in `batch` with its transaction's number and the keys of what it changed. The order in which commits become visible
 * is not that of any sequence, so the follower keeps the snapshot that it has read up to, and asks for the batches that its new snapshot sees and
 * the old one did not: exactly what has become visible in between, however long a transaction took.
 *
 * Rows of `batch` go after some minutes, but never one whose transaction is not older than all that are running; meta's feed_floor is the highest
 * that is gone. A follower whose old snapshot does not see everything up to there has been away too long, and must read everything.
 * Transactions' numbers mean something within one history. When the connection has been made anew, the history is looked at: another server that
 * has taken over may have lost what this process saw, and have used its numbers for something else. */
#include "store/postgres.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	SNAPSHOT,
	AWAY,
	USERS,
	QUEUES,
	CONCERTS,
	SHOWS,
	WHOLE_SHOWS,
	RESERVATIONS,
	SEAT_SHOWS,
	SEAT_NUMBERS,
	TICKET_QUEUES,
	TICKET_NUMBERS
};

static char *copy(struct text t)
{
	char *out = mem_zero(t.n + 1);
	if (t.n)
		memcpy(out, t.p, t.n);
	return out;
}

static void lose_place(struct pg_store *s)
{
	free(s->seen);
	free(s->server);
	s->seen = s->server = NULL;
}

/* On a connection that was not looked at yet: is the server's history the one that the place is in? */
static enum store_result check_history(struct pg_store *s)
{
	if (s->checked == s->conn.made)
		return STORE_OK;
	pg_send(&s->conn, PG_HISTORY, NULL);
	enum store_result result = pg_sync(&s->conn);
	if (result == STORE_OK) {
		if (!text_equal(pg_text(s->conn.results[0], 0, 0), text_of(s->server)))
			result = STORE_CONFLICT;
		else
			s->checked = s->conn.made;
	}
	pg_clear(&s->conn);
	return result;
}

static void need_rows(struct core_rows *rows, enum core_kind kind, const PGresult *res, int row, int column)
{
	size_t n;
	const int64_t *ids = pg_ints(res, row, column, rows->arena, &n);
	for (size_t i = 0; i < n; i++)
		core_need_row(rows, kind, ids[i], 0, (struct text){0});
}

static void need_pairs(struct core_rows *rows, enum core_kind kind, const PGresult *res, int row, int column)
{
	size_t n, m;
	const int64_t *a = pg_ints(res, row, column, rows->arena, &n), *b = pg_ints(res, row, column + 1, rows->arena, &m);
	for (size_t i = 0; i < n && i < m; i++)
		core_need_row(rows, kind, a[i], b[i], (struct text){0});
}

static void need_changed(struct core_rows *rows, const PGresult *res, int row)
{
	size_t n;
	need_rows(rows, CORE_ROW_USER, res, row, USERS);
	need_rows(rows, CORE_ROW_QUEUE, res, row, QUEUES);
	need_rows(rows, CORE_ROW_CONCERT, res, row, CONCERTS);
	need_rows(rows, CORE_ROW_SHOW, res, row, SHOWS);
	need_rows(rows, CORE_ROW_RESERVATION, res, row, RESERVATIONS);
	need_pairs(rows, CORE_ROW_SEAT, res, row, SEAT_SHOWS);
	need_pairs(rows, CORE_ROW_TICKET, res, row, TICKET_QUEUES);
	const int64_t *shows = pg_ints(res, row, WHOLE_SHOWS, rows->arena, &n);
	for (size_t i = 0; i < n; i++)
		core_need_list(rows, CORE_LIST_SHOW_SEATS, shows[i], 0, (struct text){0}, 0);
}

/* What was asked for, noted before the load forgets it. */
struct asked {
	const struct core_id *ids;
	size_t n;
	struct core_list *lists;
};

static void give(const struct core_rows *rows, const struct asked *asked, store_row_fn fn, void *arg)
{
	static const enum core_kind order[] = {CORE_ROW_USER, CORE_ROW_QUEUE,       CORE_ROW_CONCERT, CORE_ROW_SHOW,
	                                       CORE_ROW_SEAT, CORE_ROW_RESERVATION, CORE_ROW_TICKET};
	for (size_t k = 0; k < sizeof order / sizeof order[0]; k++) {
		for (const struct core_list *list = asked->lists; order[k] == CORE_ROW_SEAT && list; list = list->next_need)
			for (size_t i = 0; i < list->n; i++)
				(void)fn(arg, CORE_ROW_SEAT, list->rows[i]->now);
		for (size_t i = 0; i < asked->n; i++) {
			const struct core_id *id = &asked->ids[i];
			const void *row = id->kind == order[k] ? core_row_get(rows, id->kind, id->a, id->b, id->s) : NULL;
			if (row)
				(void)fn(arg, id->kind, row);
		}
	}
}

/* What was not ended is ended. A failure leaves it open too. */
static void end_view(struct pg_conn *c)
{
	pg_clear(c);
	if (!c->pg)
		return;
	pg_send(c, PG_ROLLBACK, NULL);
	if (pg_sync(c) != STORE_OK)
		pg_drop(c);
	pg_clear(c);
}

/* All in one view of the database: with a row that is newer than the snapshot, a show's version would speak of seats that are not there yet. */
static enum store_result feed(struct pg_store *s, struct arena *arena, store_row_fn fn, void *arg)
{
	struct pg_params p = {.arena = arena};
	struct core_rows rows;
	struct asked asked = {0};
	char *seen = NULL;
	core_rows_init(&rows, arena, 256);
	pg_bind_text(&p, text_of(s->seen));
	pg_bind_int(&p, s->process);
	pg_send(&s->conn, PG_VIEW, NULL);
	pg_send(&s->conn, PG_FEED, &p);
	enum store_result result = pg_sync(&s->conn);
	if (result == STORE_OK) {
		const PGresult *res = s->conn.results[1];
		int n = PQntuples(res);
		seen = copy(pg_text(res, 0, SNAPSHOT));
		if (pg_int(res, 0, AWAY))
			result = STORE_CONFLICT;
		for (int i = 0; i < n; i++)
			need_changed(&rows, res, i);
	}
	pg_clear(&s->conn);
	asked = (struct asked){rows.need_rows, rows.need_row_count, rows.need_lists};
	bool needy = result == STORE_OK && core_rows_needy(&rows);
	if (needy)
		result = pg_look(&s->conn, &rows);
	if (!needy || result != STORE_OK)
		end_view(&s->conn);
	if (result == STORE_OK) {
		give(&rows, &asked, fn, arg);
		free(s->seen);
		s->seen = seen;
		seen = NULL;
	}
	free(seen);
	return result;
}

enum store_result pg_follow(struct store *base, store_row_fn fn, void *arg)
{
	struct pg_store *s = pg_store_of(base);
	struct arena arena = {0};
	if (!s->seen || !s->server)
		return STORE_CONFLICT;
	enum store_result result = pg_store_connect(s);
	if (result == STORE_OK)
		result = check_history(s);
	if (result == STORE_OK)
		result = feed(s, &arena, fn, arg);
	if (result == STORE_CONFLICT)
		lose_place(s);
	arena_free(&arena);
	return result;
}

/* ---- watching ---- */

/* Takes the notifications that have come. True when one is of another process. */
static bool take_notifications(const struct pg_store *s, struct pg_conn *c)
{
	bool other = false;
	for (PGnotify *n; (n = PQnotifies(c->pg)); PQfreemem(n)) {
		int64_t process;
		other = other || !text_to_int(text_of(n->extra), INT64_MIN, INT64_MAX, &process) || process != s->process;
	}
	return other;
}

static enum store_result listen_connected(struct pg_store *s)
{
	struct pg_conn *c = &s->watch;
	if (c->pg)
		return STORE_OK;
	enum store_result result = pg_connect(c, &s->target, false);
	if (result == STORE_OK)
		result = pg_do(c, "LISTEN " PG_CHANNEL);
	return result;
}

static void sleep_ms(int64_t ms)
{
	if (ms > 0)
		(void)nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

enum store_result pg_watch(struct store *base, int timeout_ms)
{
	struct pg_store *s = pg_store_of(base);
	struct pg_conn *c = &s->watch;
	int64_t until = clock_elapsed_us() + timeout_ms * 1000LL;
	enum store_result result = listen_connected(s);
	while (result == STORE_OK) {
		if (take_notifications(s, c))
			return STORE_OK;
		int64_t left_ms = (until - clock_elapsed_us()) / 1000;
		struct pollfd fd = {.fd = PQsocket(c->pg), .events = POLLIN};
		if (left_ms <= 0)
			return STORE_NONE;
		if (poll(&fd, 1, (int)left_ms) > 0 && !PQconsumeInput(c->pg))
			result = pg_failed(c, NULL, "listen");
	}
	sleep_ms((until - clock_elapsed_us()) / 1000);
	return STORE_BUSY;
}
