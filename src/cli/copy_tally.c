/* copy_tally.c: see copy_tally.h. */
#include "cli/copy_tally.h"
#include <stdio.h>
#include <string.h>

/* ---- every field of a row, folded into a digest ---- */

static void fold(uint64_t *digest, uint64_t v)
{
	uint64_t h = (*digest ^ v) * 0x9e3779b97f4a7c15u;

	*digest = h ^ (h >> 29);
}

static void fold_bytes(uint64_t *digest, const void *bytes, size_t n)
{
	fold(digest, n);
	for (size_t i = 0; i < n; i++)
		fold(digest, ((const uint8_t *)bytes)[i]);
}

static void fold_text(uint64_t *digest, struct text t)
{
	fold_bytes(digest, t.p, t.n);
}

static void fold_ints(uint64_t *digest, const int64_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fold(digest, (uint64_t)v[i]);
}

#define FOLD(...) fold_ints(d, (const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static void fold_user(uint64_t *d, const void *row)
{
	const struct core_user *u = row;

	FOLD(u->user_id, u->balance, u->created_at);
	fold_text(d, u->name);
}

static void fold_queue(uint64_t *d, const void *row)
{
	const struct core_queue *q = row;

	FOLD(q->queue_id, q->capacity, q->ceiling, q->rate_per_second, q->rate_free_at_us, q->paused, q->last_number, q->waiting,
	     q->active, q->admitted, q->passed);
	fold_text(d, q->name);
}

static void fold_ticket(uint64_t *d, const void *row)
{
	const struct core_ticket *t = row;

	FOLD(t->queue_id, t->number, t->user_id, t->status, t->reason, t->issued_at, t->admitted_at, t->expires_at, t->ended_at,
	     t->returned_at);
}

static void fold_concert(uint64_t *d, const void *row)
{
	const struct core_concert *c = row;

	FOLD(c->concert_id, c->queue_id, c->sales_open_at, c->changed_at);
	fold_text(d, c->title);
	fold_text(d, c->artist);
	fold_text(d, c->venue);
}

static void fold_show(uint64_t *d, const void *row)
{
	const struct core_show *s = row;

	FOLD(s->show_id, s->concert_id, s->starts_at, s->date, s->total_seats, s->version, s->changed_at, s->closed);
}

static void fold_seat(uint64_t *d, const void *row)
{
	const struct core_seat *s = row;

	FOLD(s->show_id, s->seat_number, s->price, s->status, s->reservation_id, s->user_id, s->held_until);
	fold_text(d, s->section);
}

static void fold_reservation(uint64_t *d, const void *row)
{
	const struct core_reservation *r = row;

	FOLD(r->reservation_id, r->user_id, r->concert_id, r->show_id, r->queue_id, r->ticket_number, r->date, r->total_price,
	     r->status, r->held_until, r->created_at, r->paid_at, r->payment_id, r->seat_count);
	fold_ints(d, r->seats, (size_t)r->seat_count);
}

static void fold_entry(uint64_t *d, const void *row)
{
	const struct core_entry *e = row;

	FOLD(e->user_id, e->entry_id, e->type, e->debit.kind, e->debit.id, e->credit.kind, e->credit.id, e->amount,
	     e->balance_after, e->reservation_id, e->created_at);
}

static void fold_key(uint64_t *d, const void *row)
{
	const struct core_key_record *k = row;

	FOLD(k->user_id, k->status, k->created_at);
	fold_text(d, k->key);
	fold_bytes(d, k->digest, sizeof(k->digest));
	fold_text(d, k->body);
}

static void fold_audit(uint64_t *d, const void *row)
{
	const struct core_audit *a = row;

	FOLD(a->audit_id, a->created_at);
	fold_text(d, a->actor);
	fold_text(d, a->action);
	fold_text(d, a->target);
	fold_text(d, a->detail);
}

/* ---- what is counted and summed up ---- */

#define NO_STATE (-1)

static int state_of(enum core_kind kind, const void *row)
{
	switch (kind) {
	case CORE_ROW_TICKET:
		return (int)((const struct core_ticket *)row)->status;
	case CORE_ROW_SEAT:
		return (int)((const struct core_seat *)row)->status;
	case CORE_ROW_RESERVATION:
		return (int)((const struct core_reservation *)row)->status;
	case CORE_ROW_ENTRY:
		return (int)((const struct core_entry *)row)->type;
	default:
		return NO_STATE;
	}
}

static int64_t amount_of(enum core_kind kind, const void *row)
{
	switch (kind) {
	case CORE_ROW_USER:
		return ((const struct core_user *)row)->balance;
	case CORE_ROW_SEAT:
		return ((const struct core_seat *)row)->price;
	case CORE_ROW_RESERVATION:
		return ((const struct core_reservation *)row)->total_price;
	case CORE_ROW_ENTRY:
		return ((const struct core_entry *)row)->amount;
	default:
		return 0;
	}
}

static const struct {
	void (*fold)(uint64_t *digest, const void *row);
	const char *sum; /* what the amounts are; NULL: there are none */
	const char *states[COPY_STATES];
} kinds[CORE_LIST_USER_NAMED] = {
    [CORE_ROW_USER] = {fold_user, "balances", {NULL}},
    [CORE_ROW_QUEUE] = {fold_queue, NULL, {NULL}},
    [CORE_ROW_TICKET] = {fold_ticket, NULL, {NULL, "waiting", "active", "ended", "passed over"}},
    [CORE_ROW_CONCERT] = {fold_concert, NULL, {NULL}},
    [CORE_ROW_SHOW] = {fold_show, NULL, {NULL}},
    [CORE_ROW_SEAT] = {fold_seat, "prices", {"free", "held", "sold"}},
    [CORE_ROW_RESERVATION] = {fold_reservation, "prices", {NULL, "held", "paid", "expired", "cancelled", "refunded"}},
    [CORE_ROW_ENTRY] = {fold_entry, "amounts", {NULL, "charges", "payments", "refunds"}},
    [CORE_ROW_KEY] = {fold_key, NULL, {NULL}},
    [CORE_ROW_AUDIT] = {fold_audit, NULL, {NULL}},
};

void copy_tally_add(struct copy_tally *t, enum core_kind kind, const void *row)
{
	int state = state_of(kind, row);

	t->of[kind].rows++;
	if (state >= 0 && state < COPY_STATES)
		t->of[kind].in_state[state]++;
	if (__builtin_add_overflow(t->of[kind].sum, amount_of(kind, row), &t->of[kind].sum))
		t->of[kind].sum = INT64_MAX;
	kinds[kind].fold(&t->of[kind].digest, row);
}

int64_t copy_tally_rows(const struct copy_tally *t)
{
	int64_t rows = 0;

	for (size_t i = 0; i < STORE_KINDS; i++)
		rows += t->of[store_kinds[i]].rows;
	return rows;
}

/* "3 waiting, 1 active; prices 5000" */
static void describe(const struct copy_tally *t, enum core_kind kind, char *out, size_t size)
{
	size_t n = 0;
	const char *between = "";

	out[0] = '\0';
	for (int state = 0; state < COPY_STATES && n < size; state++)
		if (kinds[kind].states[state] != NULL && t->of[kind].in_state[state] > 0) {
			n += (size_t)snprintf(out + n, size - n, "%s%lld %s", between, (long long)t->of[kind].in_state[state],
			                      kinds[kind].states[state]);
			between = ", ";
		}
	if (kinds[kind].sum != NULL && n < size)
		(void)snprintf(out + n, size - n, "%s%s %lld", n > 0 ? "; " : "", kinds[kind].sum, (long long)t->of[kind].sum);
}

void copy_tally_print(const struct copy_tally *t)
{
	char words[256];

	for (size_t i = 0; i < STORE_KINDS; i++) {
		enum core_kind kind = store_kinds[i];

		describe(t, kind, words, sizeof(words));
		(void)printf("  %-17s%10lld%s%s\n", store_kind_name(kind), (long long)t->of[kind].rows,
		             words[0] != '\0' ? "   " : "", words);
	}
}

int copy_tally_differ(const struct copy_tally *source, const struct copy_tally *copy)
{
	char was[256], is[256];
	int differ = 0;

	for (size_t i = 0; i < STORE_KINDS; i++) {
		enum core_kind kind = store_kinds[i];

		if (source->of[kind].rows == copy->of[kind].rows && source->of[kind].digest == copy->of[kind].digest)
			continue;
		differ++;
		describe(source, kind, was, sizeof(was));
		describe(copy, kind, is, sizeof(is));
		(void)printf("FAIL %s: %lld (%s) there, %lld (%s) in the copy, and not every row is the same\n",
		             store_kind_name(kind), (long long)source->of[kind].rows, was, (long long)copy->of[kind].rows, is);
	}
	return differ;
}
