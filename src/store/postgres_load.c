/* postgres_load.c: loads what a batch asks for, one statement a kind, all in one round trip. */
#include "store/postgres.h"

#include <stdlib.h>
#include <string.h>

/* The order in which statements go, and so the order in which locks are taken (postgres.h). The answer that a key has had is looked for behind
 * the lock of its user. */
static const enum core_kind order[] = {
    CORE_ROW_USER,        CORE_LIST_USER_NAMED, CORE_ROW_QUEUE,        CORE_LIST_QUEUE_NAMED, CORE_ROW_RESERVATION,
    CORE_LIST_DUE_HOLDS,  CORE_ROW_TICKET,      CORE_LIST_LIVE_TICKET, CORE_LIST_DUE_TICKETS, CORE_LIST_LINE,
    CORE_ROW_CONCERT,     CORE_ROW_SHOW,        CORE_LIST_SHOWS_ON,    CORE_ROW_SEAT,         CORE_LIST_USER_SEATS,
    CORE_LIST_SHOW_SEATS, CORE_ROW_KEY,         CORE_LIST_DUE_KEYS,
};
#define KINDS (sizeof order / sizeof order[0])

/* What is asked for, sorted by kind. */
struct ask {
	struct core_rows *rows;
	struct {
		int64_t *a, *b, *limit;
		struct text *s;
		struct core_list **lists; /* by the place that their rows name, from 1 */
		size_t n;
	} of[CORE_KIND_COUNT];
	size_t counts[CORE_KIND_COUNT];
};

/* Asks for one row more than the limit, to know whether something was left out. */
static int64_t limit_of(const struct core_list *list)
{
	return list->limit > 0 && list->limit < INT64_MAX ? list->limit + 1 : INT64_MAX;
}

static void add(struct ask *ask, const struct core_id *id, struct core_list *list)
{
	enum core_kind kind = id->kind;
	struct arena *arena = ask->rows->arena;
	size_t cap = ask->counts[kind], i = ask->of[kind].n++;
	if (i == 0) {
		ask->of[kind].a = arena_alloc(arena, cap * sizeof(int64_t));
		ask->of[kind].b = arena_alloc(arena, cap * sizeof(int64_t));
		ask->of[kind].limit = arena_alloc(arena, cap * sizeof(int64_t));
		ask->of[kind].s = arena_alloc(arena, cap * sizeof(struct text));
		ask->of[kind].lists = arena_alloc(arena, cap * sizeof(struct core_list *));
	}
	ask->of[kind].a[i] = id->a;
	ask->of[kind].b[i] = id->b;
	ask->of[kind].s[i] = id->s;
	ask->of[kind].lists[i] = list;
	ask->of[kind].limit[i] = list ? limit_of(list) : 0;
}

static void sort_out(struct ask *ask)
{
	const struct core_rows *rows = ask->rows;
	for (size_t i = 0; i < rows->need_row_count; i++)
		ask->counts[rows->need_rows[i].kind]++;
	for (struct core_list *list = rows->need_lists; list; list = list->next_need)
		ask->counts[list->id.kind]++;
	for (size_t i = 0; i < rows->need_row_count; i++)
		add(ask, &rows->need_rows[i], NULL);
	for (struct core_list *list = rows->need_lists; list; list = list->next_need)
		add(ask, &list->id, list);
}

/* What the parameters of a kind's statement are: of the ids' a, b and s, and l for the limits. */
static const char *binds(enum core_kind kind)
{
	switch (kind) {
	case CORE_ROW_TICKET:
	case CORE_ROW_SEAT:
	case CORE_LIST_LIVE_TICKET:
	case CORE_LIST_SHOWS_ON:
	case CORE_LIST_USER_SEATS:
		return "ab";
	case CORE_ROW_KEY:
		return "as";
	case CORE_LIST_USER_NAMED:
	case CORE_LIST_QUEUE_NAMED:
		return "s";
	case CORE_LIST_LINE:
	case CORE_LIST_SHOW_SEATS:
		return "al";
	case CORE_LIST_DUE_HOLDS:
	case CORE_LIST_DUE_TICKETS:
	case CORE_LIST_DUE_KEYS:
		return "bl";
	default:
		return "a";
	}
}

static void send_kind(struct pg_conn *c, const struct ask *ask, enum core_kind kind, int group)
{
	struct pg_params params = {.arena = ask->rows->arena};
	for (const char *p = binds(kind); *p; p++) {
		if (*p == 's')
			pg_bind_texts(&params, ask->of[kind].s, ask->of[kind].n);
		else
			pg_bind_ints(&params,
			             *p == 'a'   ? ask->of[kind].a
			             : *p == 'b' ? ask->of[kind].b
			                         : ask->of[kind].limit,
			             ask->of[kind].n);
	}
	pg_send(c, group + (int)kind, &params);
}

/* Puts the rows of one kind's answer where they belong; the latest decided_at among them goes into *ahead. */
static void put_rows(const struct ask *ask, enum core_kind kind, const PGresult *res, int64_t *ahead)
{
	enum core_kind row_kind = core_row_kind(kind);
	const struct pg_table *t = &pg_tables[row_kind];
	struct core_rows *rows = ask->rows;
	int n = PQntuples(res);
	for (size_t i = 0; i < ask->of[kind].n; i++)
		if (ask->of[kind].lists[i])
			ask->of[kind].lists[i]->complete = true;
	for (int i = 0; i < n; i++) {
		union core_any_row row;
		int64_t place = pg_int(res, i, 0);
		struct core_list *list = place > 0 && (size_t)place <= ask->of[kind].n ? ask->of[kind].lists[place - 1] : NULL;
		if (list && list->limit > 0 && (int64_t)list->n >= list->limit) {
			list->complete = false;
			continue;
		}
		pg_row_read(row_kind, res, i, 1, rows->arena, &row);
		struct core_row *put = core_rows_put(rows, core_id_of(row_kind, &row), &row);
		if (list)
			core_list_add(rows, list, put);
		int64_t decided_at = t->clocked ? pg_int(res, i, 1 + (int)t->columns) : 0;
		if (decided_at > *ahead)
			*ahead = decided_at;
	}
}

static void send_kinds(struct pg_conn *c, const struct ask *ask, int group)
{
	for (size_t i = 0; i < KINDS; i++)
		if (ask->of[order[i]].n > 0)
			send_kind(c, ask, order[i], group);
}

static void put_kinds(struct pg_conn *c, const struct ask *ask, size_t first, int64_t *ahead)
{
	for (size_t i = 0; i < KINDS; i++)
		if (ask->of[order[i]].n > 0)
			put_rows(ask, order[i], c->results[first++], ahead);
}

/* ---- the queues first ---- */

static bool is_locked(const struct pg_store *s, int64_t queue_id)
{
	for (size_t i = 0; i < s->locked_n; i++)
		if (s->locked[i] == queue_id)
			return true;
	return false;
}

/* The queues that the ids of these kinds name, those aside that are locked already. */
static size_t name_queues(const struct pg_store *s, const struct ask *ask, int64_t *out)
{
	static const enum core_kind kinds[] = {CORE_ROW_QUEUE, CORE_ROW_TICKET, CORE_LIST_LIVE_TICKET, CORE_LIST_LINE};
	size_t n = 0;
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
		for (size_t i = 0; i < ask->of[kinds[k]].n; i++) {
			int64_t queue_id = ask->of[kinds[k]].a[i];
			if (!is_locked(s, queue_id) && (n == 0 || out[n - 1] != queue_id))
				out[n++] = queue_id;
		}
	return n;
}

/* True when the statement was sent. */
static bool lock_queues(struct pg_store *s, const struct ask *ask)
{
	struct pg_params params = {.arena = ask->rows->arena};
	size_t most =
	    ask->of[CORE_ROW_QUEUE].n + ask->of[CORE_ROW_TICKET].n + ask->of[CORE_LIST_LIVE_TICKET].n + ask->of[CORE_LIST_LINE].n;
	int64_t *queues = arena_alloc(params.arena, most * sizeof *queues + 1);
	size_t n = name_queues(s, ask, queues);
	size_t due = ask->of[CORE_LIST_DUE_HOLDS].n + ask->of[CORE_LIST_DUE_TICKETS].n;
	if (n + ask->of[CORE_ROW_CONCERT].n + ask->of[CORE_ROW_RESERVATION].n + due == 0)
		return false;
	enum core_kind of_due = ask->of[CORE_LIST_DUE_HOLDS].n ? CORE_LIST_DUE_HOLDS : CORE_LIST_DUE_TICKETS;
	pg_bind_ints(&params, queues, n);
	pg_bind_ints(&params, ask->of[CORE_ROW_CONCERT].a, ask->of[CORE_ROW_CONCERT].n);
	pg_bind_ints(&params, ask->of[CORE_ROW_RESERVATION].a, ask->of[CORE_ROW_RESERVATION].n);
	pg_bind_int(&params, due ? ask->of[of_due].b[0] : 0);
	pg_bind_int(&params, due ? ask->of[of_due].limit[0] : 0);
	pg_send(&s->conn, PG_LOCK_QUEUES, &params);
	return true;
}

static void note_locked(struct pg_store *s, const PGresult *res, int64_t *ahead)
{
	int n = PQntuples(res);
	for (int i = 0; i < n; i++) {
		int64_t queue_id = pg_int(res, i, 0), decided_at = pg_int(res, i, 1);
		if (decided_at > *ahead)
			*ahead = decided_at;
		if (is_locked(s, queue_id))
			continue;
		if (s->locked_n == s->locked_cap) {
			s->locked_cap = s->locked_cap ? s->locked_cap * 2 : 16;
			s->locked = mem_grow(s->locked, s->locked_cap * sizeof *s->locked);
		}
		s->locked[s->locked_n++] = queue_id;
	}
}

/* ---- ids and the clock, behind the locks of the first load ---- */

static bool take_ids(struct pg_store *s, struct arena *arena)
{
	struct pg_params params = {.arena = arena};
	bool any = false;
	for (int kind = 0; kind < CORE_ID_KINDS; kind++) {
		pg_bind_int(&params, s->wanted[kind]);
		any = any || s->wanted[kind] > 0;
	}
	if (any)
		pg_send(&s->conn, PG_TAKE_IDS, &params);
	return any;
}

static void note_ids(struct pg_store *s, const PGresult *res)
{
	for (int kind = 0; kind < CORE_ID_KINDS; kind++) {
		int64_t first = pg_int(res, 0, kind);
		s->ids[kind] = (struct core_ids){first, first + s->wanted[kind]};
		s->wanted[kind] = 0;
	}
}

enum store_result pg_load(struct store *base, struct core_rows *rows)
{
	struct pg_store *s = pg_store_of(base);
	struct pg_conn *c = &s->conn;
	struct ask ask = {.rows = rows};
	int64_t ahead = 0;
	size_t at = 0;
	if (!s->open || !c->pg)
		return STORE_BUSY;
	sort_out(&ask);
	bool first = !s->begun;
	s->asked_us = clock_elapsed_us();
	if (first)
		pg_send(c, PG_BEGIN, NULL);
	s->begun = true;
	bool queues = lock_queues(s, &ask);
	send_kinds(c, &ask, PG_LOAD);
	bool ids = take_ids(s, rows->arena);
	if (first)
		pg_send(c, PG_NOW, NULL);
	enum store_result result = pg_sync(c);
	if (result == STORE_OK) {
		at += first;
		if (queues)
			note_locked(s, c->results[at++], &ahead);
		put_kinds(c, &ask, at, &ahead);
		if (ids)
			note_ids(s, c->results[c->results_n - 1 - first]);
		if (first)
			pg_now_heard(s, c->results[c->results_n - 1]);
	}
	pg_clear(c);
	/* Something that the batch depends on was decided later than it would be. */
	if (ahead > s->high)
		s->high = ahead;
	if (result == STORE_OK && ahead > s->now) {
		c->trouble = STORE_CONTENDED;
		return STORE_BUSY;
	}
	if (result == STORE_OK)
		core_rows_loaded(rows);
	return result;
}

enum store_result pg_look(struct pg_conn *c, struct core_rows *rows)
{
	struct ask ask = {.rows = rows};
	int64_t ahead = 0;
	sort_out(&ask);
	send_kinds(c, &ask, PG_LOOK);
	pg_send(c, PG_COMMIT, NULL);
	enum store_result result = pg_sync(c);
	if (result == STORE_OK) {
		put_kinds(c, &ask, 0, &ahead);
		core_rows_loaded(rows);
	}
	pg_clear(c);
	return result;
}
