/* postgres_save.c: saves the changed rows of a batch: a statement for each kind that is new, changed or removed, and the batch's own row. */
#include "store/postgres.h"

#include <string.h>

enum { OP_DELETE, OP_UPDATE, OP_INSERT, OPS };

/* The dirty rows, by kind and what is to be done with them. */
struct pile {
	const void **now, **was;
	size_t n, cap;
};
struct save {
	struct pg_store *s;
	struct arena *arena;
	int64_t now;
	struct pile piles[CORE_LIST_USER_NAMED][OPS];
};

static int op_of(const struct core_row *row)
{
	return !row->was ? OP_INSERT : row->now ? OP_UPDATE : OP_DELETE;
}

/* False when there is nothing to save. */
static bool sort_out(struct save *save, const struct core_rows *rows)
{
	bool any = false;
	for (const struct core_row *row = core_rows_dirty(rows); row; row = row->next_dirty)
		if (row->was || row->now)
			save->piles[row->id.kind][op_of(row)].cap++;
	for (const struct core_row *row = core_rows_dirty(rows); row; row = row->next_dirty) {
		if (!row->was && !row->now)
			continue;
		struct pile *pile = &save->piles[row->id.kind][op_of(row)];
		if (pile->n == 0) {
			pile->now = arena_alloc(save->arena, pile->cap * sizeof *pile->now);
			pile->was = arena_alloc(save->arena, pile->cap * sizeof *pile->was);
		}
		pile->now[pile->n] = row->now;
		pile->was[pile->n++] = row->was;
		any = true;
	}
	return any;
}

static void bind_role(struct pg_params *p, const struct pg_table *t, int role, const void *const *rows, size_t n)
{
	for (size_t i = 0; i < t->columns; i++)
		if (role == 0 || t->column[i].role & role)
			pg_bind_column(p, &t->column[i], rows, n);
}

static void send_pile(struct save *save, enum core_kind kind, int op)
{
	const struct pile *pile = &save->piles[kind][op];
	const struct pg_table *t = &pg_tables[kind];
	struct pg_params p = {.arena = save->arena};
	if (pile->n == 0)
		return;
	if (op == OP_INSERT) {
		bind_role(&p, t, 0, pile->now, pile->n);
	} else {
		bind_role(&p, t, PG_KEY, pile->was, pile->n);
		bind_role(&p, t, PG_WAS, pile->was, pile->n);
	}
	if (op == OP_UPDATE)
		bind_role(&p, t, PG_SET, pile->now, pile->n);
	if (t->clocked && op != OP_DELETE)
		pg_bind_int(&p, save->now);
	if (op != OP_INSERT)
		pg_bind_int(&p, (int64_t)pile->n);
	pg_send(&save->s->conn, (op == OP_INSERT ? PG_INSERT : op == OP_UPDATE ? PG_UPDATE : PG_DELETE) + (int)kind, &p);
}

/* ---- the batch's own row ---- */

struct keys {
	int64_t *a, *b;
	size_t n;
};

static void add_keys(struct keys *keys, enum core_kind kind, const struct pile *pile)
{
	for (size_t i = 0; i < pile->n; i++) {
		struct core_id id = core_id_of(kind, pile->now[i] ? pile->now[i] : pile->was[i]);
		keys->a[keys->n] = id.a;
		keys->b[keys->n++] = id.b;
	}
}

/* The keys of a kind's changed rows; of new seats only when `fresh` is asked for. */
static struct keys keys_of(struct save *save, enum core_kind kind, bool fresh)
{
	const struct pile *piles = save->piles[kind];
	size_t most = piles[OP_INSERT].n + piles[OP_UPDATE].n + piles[OP_DELETE].n;
	struct keys keys = {arena_alloc(save->arena, most * sizeof(int64_t) + 1),
	                    arena_alloc(save->arena, most * sizeof(int64_t) + 1), 0};
	add_keys(&keys, kind, &piles[OP_UPDATE]);
	add_keys(&keys, kind, &piles[OP_DELETE]);
	if (fresh)
		add_keys(&keys, kind, &piles[OP_INSERT]);
	return keys;
}

/* Changed users, and those of new tickets: who is told of a ticket must know its user, who may be an old one. */
static struct keys users_of(struct save *save)
{
	const struct pile *tickets = &save->piles[CORE_ROW_TICKET][OP_INSERT];
	struct keys changed = keys_of(save, CORE_ROW_USER, true);
	struct keys keys = {arena_alloc(save->arena, (changed.n + tickets->n) * sizeof(int64_t) + 1), NULL, changed.n};
	if (changed.n)
		memcpy(keys.a, changed.a, changed.n * sizeof *keys.a);
	for (size_t i = 0; i < tickets->n; i++)
		keys.a[keys.n++] = ((const struct core_ticket *)tickets->now[i])->user_id;
	return keys;
}

/* The shows of new seats: they come by the thousand, show by show. */
static struct keys whole_shows(struct save *save)
{
	const struct pile *pile = &save->piles[CORE_ROW_SEAT][OP_INSERT];
	struct keys keys = {arena_alloc(save->arena, pile->n * sizeof(int64_t) + 1), NULL, 0};
	for (size_t i = 0; i < pile->n; i++) {
		int64_t show_id = ((const struct core_seat *)pile->now[i])->show_id;
		if (keys.n == 0 || keys.a[keys.n - 1] != show_id)
			keys.a[keys.n++] = show_id;
	}
	return keys;
}

static void send_batch_row(struct save *save, const uint8_t batch_id[16])
{
	static const enum core_kind single[] = {CORE_ROW_USER, CORE_ROW_QUEUE, CORE_ROW_CONCERT, CORE_ROW_SHOW};
	struct pg_params p = {.arena = save->arena};
	pg_bind_bytes(&p, batch_id, 16);
	pg_bind_int(&p, save->s->process);
	pg_bind_int(&p, save->now);
	for (size_t i = 0; i < sizeof single / sizeof single[0]; i++) {
		struct keys keys = single[i] == CORE_ROW_USER ? users_of(save) : keys_of(save, single[i], true);
		pg_bind_ints(&p, keys.a, keys.n);
	}
	struct keys whole = whole_shows(save), seats = keys_of(save, CORE_ROW_SEAT, false),
		    tickets = keys_of(save, CORE_ROW_TICKET, true), reservations = keys_of(save, CORE_ROW_RESERVATION, true);
	pg_bind_ints(&p, whole.a, whole.n);
	pg_bind_ints(&p, reservations.a, reservations.n);
	pg_bind_ints(&p, seats.a, seats.n);
	pg_bind_ints(&p, seats.b, seats.n);
	pg_bind_ints(&p, tickets.a, tickets.n);
	pg_bind_ints(&p, tickets.b, tickets.n);
	pg_send(&save->s->conn, PG_NOTE_BATCH, &p);
}

/* Telling who listens takes a lock that lasts until the commit is on disk, so that it would make the processes' commits wait for each other:
 * it is done now and then, and who listens looks by itself as well. */
static void send_notify(struct save *save)
{
	struct pg_params p = {.arena = save->arena};
	int64_t now_us = clock_elapsed_us();
	/* pg_maintain does it, when no other commit does */
	save->s->notify_owed = now_us - save->s->notified_us < PG_NOTIFY_MS * 1000;
	if (save->s->notify_owed)
		return;
	save->s->notified_us = now_us;
	pg_bind_int(&p, save->s->process);
	pg_send(&save->s->conn, PG_NOTIFY, &p);
}

/* What goes and what changes before what is new: a user's old ticket ends before the next begins. */
void pg_send_save(struct pg_store *s, const struct core_rows *rows, int64_t now, const uint8_t batch_id[16], struct arena *arena,
                  bool *changed)
{
	struct save *save = arena_alloc(arena, sizeof *save);
	*save = (struct save){.s = s, .arena = arena, .now = now};
	*changed = sort_out(save, rows);
	if (!*changed)
		return;
	if (!s->begun)
		pg_send(&s->conn, PG_BEGIN, NULL);
	s->begun = true;
	for (int op = 0; op < OPS; op++)
		for (enum core_kind kind = CORE_ROW_USER; kind < CORE_LIST_USER_NAMED; kind++)
			send_pile(save, kind, op);
	send_batch_row(save, batch_id);
	send_notify(save);
	pg_send(&s->conn, PG_UNTIMED, NULL);
	pg_send(&s->conn, PG_COMMIT, NULL);
}
