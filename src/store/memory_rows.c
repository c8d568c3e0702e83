/* memory_rows.c: copies, comparisons and checks of each kind of row. */
#include "store/memory.h"

#include "base/limits.h"

#include <string.h>

#define TEXTS_MAX 4

/* Where the texts stand in a kind's struct; returns how many. */
static size_t texts_of(enum core_kind kind, size_t at[TEXTS_MAX])
{
	switch (kind) {
	case CORE_ROW_USER:
		at[0] = offsetof(struct core_user, name);
		return 1;
	case CORE_ROW_QUEUE:
		at[0] = offsetof(struct core_queue, name);
		return 1;
	case CORE_ROW_CONCERT:
		at[0] = offsetof(struct core_concert, title);
		at[1] = offsetof(struct core_concert, artist);
		at[2] = offsetof(struct core_concert, venue);
		return 3;
	case CORE_ROW_SEAT:
		at[0] = offsetof(struct core_seat, section);
		return 1;
	case CORE_ROW_KEY:
		at[0] = offsetof(struct core_key_record, key);
		at[1] = offsetof(struct core_key_record, body);
		return 2;
	case CORE_ROW_AUDIT:
		at[0] = offsetof(struct core_audit, actor);
		at[1] = offsetof(struct core_audit, action);
		at[2] = offsetof(struct core_audit, target);
		at[3] = offsetof(struct core_audit, detail);
		return 4;
	default:
		return 0;
	}
}

static struct text *text_at(void *row, size_t offset)
{
	return (struct text *)(void *)((char *)row + offset);
}

/* How many bytes of seat numbers hang on a row. */
static size_t seats_size(enum core_kind kind, const void *row)
{
	if (kind != CORE_ROW_RESERVATION)
		return 0;
	return (size_t)((const struct core_reservation *)row)->seat_count * sizeof(int64_t);
}

static void *copy_into(void *block, enum core_kind kind, const void *row)
{
	size_t at[TEXTS_MAX], size = core_kind_size(kind), count = texts_of(kind, at), seats = seats_size(kind, row);
	memcpy(block, row, size);
	char *tail = (char *)block + size;
	if (seats) {
		struct core_reservation *r = block;
		memcpy(tail, r->seats, seats);
		r->seats = (const int64_t *)(const void *)tail;
		tail += seats;
	}
	for (size_t i = 0; i < count; i++) {
		struct text *t = text_at(block, at[i]);
		if (t->n)
			memcpy(tail, t->p, t->n);
		t->p = tail;
		tail += t->n;
	}
	return block;
}

static size_t copy_size(enum core_kind kind, const void *row)
{
	size_t at[TEXTS_MAX], count = texts_of(kind, at);
	size_t size = core_kind_size(kind) + seats_size(kind, row) + 1;
	for (size_t i = 0; i < count; i++) {
		struct text t;
		memcpy(&t, (const char *)row + at[i], sizeof t);
		size += t.n;
	}
	return size;
}

void *memory_row_copy(enum core_kind kind, const void *row)
{
	return copy_into(mem_alloc(copy_size(kind, row)), kind, row);
}

void memory_row_load(enum core_kind kind, const void *row, struct arena *arena, void *out)
{
	size_t at[TEXTS_MAX], count = texts_of(kind, at), seats = seats_size(kind, row);
	memcpy(out, row, core_kind_size(kind));
	for (size_t i = 0; i < count; i++) {
		struct text *t = text_at(out, at[i]);
		*t = arena_text(arena, *t);
	}
	if (seats) {
		struct core_reservation *r = out;
		r->seats = arena_copy(arena, r->seats, seats);
	}
}

static bool same_queue(const struct core_queue *x, const struct core_queue *y)
{
	return x->capacity == y->capacity && x->ceiling == y->ceiling && x->rate_per_second == y->rate_per_second &&
	       x->rate_free_at_us == y->rate_free_at_us && x->paused == y->paused && x->last_number == y->last_number &&
	       x->waiting == y->waiting && x->active == y->active && x->admitted == y->admitted && x->passed == y->passed;
}

bool memory_row_same(enum core_kind kind, const void *stored, const void *was)
{
	switch (kind) {
	case CORE_ROW_USER:
		return ((const struct core_user *)stored)->balance == ((const struct core_user *)was)->balance;
	case CORE_ROW_QUEUE:
		return same_queue(stored, was);
	case CORE_ROW_TICKET:
		return ((const struct core_ticket *)stored)->status == ((const struct core_ticket *)was)->status;
	case CORE_ROW_CONCERT:
		return ((const struct core_concert *)stored)->queue_id == ((const struct core_concert *)was)->queue_id &&
		       ((const struct core_concert *)stored)->sales_open_at == ((const struct core_concert *)was)->sales_open_at &&
		       ((const struct core_concert *)stored)->changed_at == ((const struct core_concert *)was)->changed_at;
	case CORE_ROW_SHOW:
		return ((const struct core_show *)stored)->version == ((const struct core_show *)was)->version;
	case CORE_ROW_SEAT: {
		const struct core_seat *x = stored, *y = was;
		return x->status == y->status && x->reservation_id == y->reservation_id && x->price == y->price;
	}
	case CORE_ROW_RESERVATION:
		return ((const struct core_reservation *)stored)->status == ((const struct core_reservation *)was)->status;
	case CORE_ROW_KEY:
		return ((const struct core_key_record *)stored)->created_at == ((const struct core_key_record *)was)->created_at;
	default:
		return false; /* the ledger and the audit log are append-only */
	}
}

static bool between(int64_t v, int64_t lo, int64_t hi)
{
	return v >= lo && v <= hi;
}

static bool valid_queue(const struct core_queue *q)
{
	return q->queue_id >= 1 && q->name.n > 0 && q->capacity >= 0 && q->ceiling >= q->capacity &&
	       between(q->active, 0, q->ceiling) && q->waiting >= 0 && q->passed >= 0 && q->rate_per_second >= 0 &&
	       q->last_number >= 0 && between(q->admitted, 0, q->last_number);
}

static bool valid_ticket(const struct core_ticket *t)
{
	return t->number >= 1 && between(t->status, CORE_WAITING, CORE_PASSED) &&
	       between(t->reason, CORE_REASON_NONE, CORE_ABANDONED) &&
	       (t->status == CORE_EXPIRED) == (t->reason != CORE_REASON_NONE) &&
	       (t->status == CORE_EXPIRED) == (t->ended_at != 0) &&
	       ((t->status != CORE_WAITING && t->status != CORE_PASSED) || t->admitted_at == 0) &&
	       (t->status != CORE_PASSED || t->expires_at > 0) && (t->status != CORE_ACTIVE || t->admitted_at > 0);
}

static bool valid_seat(const struct core_seat *t)
{
	if (t->seat_number < 1 || t->price < 0)
		return false;
	switch (t->status) {
	case CORE_SEAT_FREE:
		return t->reservation_id == 0 && t->user_id == 0 && t->held_until == 0;
	case CORE_SEAT_HELD:
		return t->reservation_id > 0 && t->user_id > 0 && t->held_until > 0;
	case CORE_SEAT_SOLD:
		return t->reservation_id > 0 && t->user_id > 0 && t->held_until == 0;
	}
	return false;
}

static bool valid_reservation(const struct core_reservation *r)
{
	bool paid = r->status == CORE_RES_PAID || r->status == CORE_RES_REFUNDED;
	return r->reservation_id >= 1 && between(r->status, CORE_RES_HELD, CORE_RES_REFUNDED) && r->total_price >= 0 &&
	       r->seat_count >= 1 && paid == (r->paid_at > 0) && paid == (r->payment_id > 0);
}

static bool is_account(struct core_account a, enum core_account_kind kind)
{
	return a.kind == kind && (kind == CORE_OUTSIDE ? a.id == 0 : a.id > 0);
}

static bool valid_entry(const struct core_entry *e)
{
	if (e->user_id < 1 || e->entry_id < 1 || e->amount < 0 || !between(e->balance_after, 0, JARI_BALANCE_MAX))
		return false;
	struct core_account wallet = e->type == CORE_PAYMENT ? e->debit : e->credit;
	struct core_account other = e->type == CORE_PAYMENT ? e->credit : e->debit;
	return between(e->type, CORE_CHARGE, CORE_REFUND) && is_account(wallet, CORE_WALLET) && wallet.id == e->user_id &&
	       is_account(other, e->type == CORE_CHARGE ? CORE_OUTSIDE : CORE_REVENUE) &&
	       (e->type == CORE_CHARGE) == (e->reservation_id == 0);
}

bool memory_row_valid(enum core_kind kind, const void *row)
{
	switch (kind) {
	case CORE_ROW_USER:
		return ((const struct core_user *)row)->user_id >= 1 && ((const struct core_user *)row)->name.n > 0 &&
		       between(((const struct core_user *)row)->balance, 0, JARI_BALANCE_MAX);
	case CORE_ROW_QUEUE:
		return valid_queue(row);
	case CORE_ROW_TICKET:
		return valid_ticket(row);
	case CORE_ROW_CONCERT:
		return ((const struct core_concert *)row)->concert_id >= 1;
	case CORE_ROW_SHOW:
		return ((const struct core_show *)row)->show_id >= 1 && ((const struct core_show *)row)->total_seats >= 0;
	case CORE_ROW_SEAT:
		return valid_seat(row);
	case CORE_ROW_RESERVATION:
		return valid_reservation(row);
	case CORE_ROW_ENTRY:
		return valid_entry(row);
	case CORE_ROW_KEY:
		return between(((const struct core_key_record *)row)->status, 200, 299) &&
		       ((const struct core_key_record *)row)->key.n > 0;
	case CORE_ROW_AUDIT:
		return ((const struct core_audit *)row)->audit_id >= 1;
	default:
		return false;
	}
}
