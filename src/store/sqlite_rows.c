/* sqlite_rows.c: reads the current row of a statement into the struct of its kind. */
#include "store/sqlite.h"

#include <string.h>

/* Columns are read one after the other. */
struct columns {
	sqlite3_stmt *stmt;
	int at;
	struct arena *arena;
};

static int64_t next_int(struct columns *c)
{
	return sqlite3_column_int64(c->stmt, c->at++);
}

static struct text next_raw(struct columns *c)
{
	const char *p = (const char *)sqlite3_column_text(c->stmt, c->at);
	size_t n = (size_t)sqlite3_column_bytes(c->stmt, c->at);
	c->at++;
	return (struct text){p, p ? n : 0};
}

static struct text next_text(struct columns *c)
{
	return arena_text(c->arena, next_raw(c));
}

static void read_user(struct columns *c, void *out)
{
	struct core_user *u = out;
	u->user_id = next_int(c);
	u->name = next_text(c);
	u->balance = next_int(c);
	u->created_at = next_int(c);
}

static void read_queue(struct columns *c, void *out)
{
	struct core_queue *q = out;
	q->queue_id = next_int(c);
	q->name = next_text(c);
	q->capacity = next_int(c);
	q->ceiling = next_int(c);
	q->rate_per_second = next_int(c);
	q->rate_free_at_us = next_int(c);
	q->paused = next_int(c) != 0;
	q->last_number = next_int(c);
	q->waiting = next_int(c);
	q->active = next_int(c);
	q->admitted = next_int(c);
	q->passed = next_int(c);
}

static void read_ticket(struct columns *c, void *out)
{
	struct core_ticket *t = out;
	t->queue_id = next_int(c);
	t->number = next_int(c);
	t->user_id = next_int(c);
	t->status = (enum core_ticket_status)next_int(c);
	t->reason = (enum core_ticket_reason)next_int(c);
	t->issued_at = next_int(c);
	t->admitted_at = next_int(c);
	t->expires_at = next_int(c);
	t->ended_at = next_int(c);
	t->returned_at = next_int(c);
}

static void read_concert(struct columns *c, void *out)
{
	struct core_concert *k = out;
	k->concert_id = next_int(c);
	k->queue_id = next_int(c);
	k->title = next_text(c);
	k->artist = next_text(c);
	k->venue = next_text(c);
	k->sales_open_at = next_int(c);
	k->changed_at = next_int(c);
}

static void read_show(struct columns *c, void *out)
{
	struct core_show *s = out;
	s->show_id = next_int(c);
	s->concert_id = next_int(c);
	s->starts_at = next_int(c);
	s->date = (int32_t)next_int(c);
	s->total_seats = next_int(c);
	s->version = next_int(c);
	s->changed_at = next_int(c);
	s->closed = next_int(c) != 0;
}

static void read_seat(struct columns *c, void *out)
{
	struct core_seat *s = out;
	s->show_id = next_int(c);
	s->seat_number = next_int(c);
	s->section = next_text(c);
	s->price = next_int(c);
	s->status = (enum core_seat_status)next_int(c);
	s->reservation_id = next_int(c);
	s->user_id = next_int(c);
	s->held_until = next_int(c);
}

/* Reads `[1,2,30]`, which sqlite_save.c wrote. */
static void read_numbers(struct text json, struct arena *arena, struct core_reservation *r)
{
	size_t most = 1;
	for (size_t i = 0; i < json.n; i++)
		most += json.p[i] == ',';
	int64_t *numbers = arena_alloc(arena, most * sizeof *numbers);
	size_t n = 0, begin = 1;
	for (size_t i = 1; i < json.n; i++) {
		if (json.p[i] != ',' && json.p[i] != ']')
			continue;
		if (text_to_int((struct text){json.p + begin, i - begin}, 1, INT64_MAX, &numbers[n]))
			n++;
		begin = i + 1;
	}
	r->seats = numbers;
	r->seat_count = (int32_t)n;
}

static void read_reservation(struct columns *c, void *out)
{
	struct core_reservation *r = out;
	r->reservation_id = next_int(c);
	r->user_id = next_int(c);
	r->concert_id = next_int(c);
	r->show_id = next_int(c);
	r->queue_id = next_int(c);
	r->ticket_number = next_int(c);
	r->date = (int32_t)next_int(c);
	r->total_price = next_int(c);
	r->status = (enum core_reservation_status)next_int(c);
	r->held_until = next_int(c);
	r->created_at = next_int(c);
	r->paid_at = next_int(c);
	r->payment_id = next_int(c);
	read_numbers(next_raw(c), c->arena, r);
}

static void read_entry(struct columns *c, void *out)
{
	struct core_entry *e = out;
	e->entry_id = next_int(c);
	e->user_id = next_int(c);
	e->type = (enum core_entry_type)next_int(c);
	e->debit.kind = (enum core_account_kind)next_int(c);
	e->debit.id = next_int(c);
	e->credit.kind = (enum core_account_kind)next_int(c);
	e->credit.id = next_int(c);
	e->amount = next_int(c);
	e->balance_after = next_int(c);
	e->reservation_id = next_int(c);
	e->created_at = next_int(c);
}

static void read_key(struct columns *c, void *out)
{
	struct core_key_record *k = out;
	k->user_id = next_int(c);
	k->key = next_text(c);
	const void *digest = sqlite3_column_blob(c->stmt, c->at);
	if (digest && sqlite3_column_bytes(c->stmt, c->at) == CORE_DIGEST_BYTES)
		memcpy(k->digest, digest, CORE_DIGEST_BYTES);
	c->at++;
	k->status = (int32_t)next_int(c);
	k->body = next_text(c);
	k->created_at = next_int(c);
}

static void read_audit(struct columns *c, void *out)
{
	struct core_audit *a = out;
	a->audit_id = next_int(c);
	a->created_at = next_int(c);
	a->actor = next_text(c);
	a->action = next_text(c);
	a->target = next_text(c);
	a->detail = next_text(c);
}

void sqlite_row_read(enum core_kind kind, sqlite3_stmt *stmt, struct arena *arena, void *out)
{
	static void (*const read[])(struct columns *, void *) = {
	    [CORE_ROW_USER] = read_user,       [CORE_ROW_QUEUE] = read_queue, [CORE_ROW_TICKET] = read_ticket,
	    [CORE_ROW_SHOW] = read_show,       [CORE_ROW_SEAT] = read_seat,   [CORE_ROW_RESERVATION] = read_reservation,
	    [CORE_ROW_ENTRY] = read_entry,     [CORE_ROW_KEY] = read_key,     [CORE_ROW_AUDIT] = read_audit,
	    [CORE_ROW_CONCERT] = read_concert,
	};
	struct columns columns = {stmt, 0, arena};
	memset(out, 0, core_kind_size(kind));
	read[kind](&columns, out);
}
