/* assert.c: the states that a row may be in, asserted after every decision that touched it. */
#include "core/internal.h"

#include <assert.h>

void core_assert_queue(const struct core_queue *q)
{
	assert(q->queue_id > 0 && q->capacity >= 1);
	assert(q->waiting >= 0 && q->active >= 0 && q->passed >= 0);
	assert(q->active <= q->ceiling && q->capacity <= q->ceiling); /* I6 */
	assert(q->waiting + q->passed + q->active <= q->last_number); /* I5 */
	assert(q->admitted <= q->last_number);
}

void core_assert_ticket(const struct core_ticket *t)
{
	assert(t->queue_id > 0 && t->number > 0 && t->user_id > 0 && t->issued_at > 0);
	assert((t->status == CORE_EXPIRED) == (t->reason != CORE_REASON_NONE));
	assert((t->status == CORE_EXPIRED) == (t->ended_at > 0));
	assert(t->status == CORE_PASSED || t->reason == CORE_ABANDONED || (t->admitted_at > 0) == (t->expires_at > 0));
	assert((t->status != CORE_WAITING && t->status != CORE_PASSED) || t->admitted_at == 0);
	assert(t->status != CORE_PASSED || t->expires_at > 0);
	assert(t->status != CORE_ACTIVE || t->admitted_at >= t->issued_at);
}

void core_assert_seat(const struct core_seat *s)
{
	/* I1: who has the seat, and until when, is said by one row */
	assert((s->status == CORE_SEAT_FREE) == (s->reservation_id == 0));
	assert((s->status == CORE_SEAT_FREE) == (s->user_id == 0));
	assert((s->status == CORE_SEAT_HELD) == (s->held_until > 0));
	assert(s->price >= 0 && s->price <= JARI_PRICE_MAX);
}

void core_assert_reservation(const struct core_reservation *r)
{
	assert(r->reservation_id > 0 && r->user_id > 0 && r->show_id > 0 && r->seat_count > 0);
	assert(r->held_until > r->created_at && r->total_price >= 0);
	bool paid = r->status == CORE_RES_PAID || r->status == CORE_RES_REFUNDED;
	assert(paid == (r->paid_at > 0) && paid == (r->payment_id > 0));
	assert(!paid || r->paid_at < r->held_until); /* I2 */
}

void core_assert_user(const struct core_user *u)
{
	assert(u->user_id > 0 && u->name.n > 0);
	assert(u->balance >= 0 && u->balance <= JARI_BALANCE_MAX); /* I3 */
}

void core_assert_entry(const struct core_entry *e)
{
	assert(e->amount >= 0 && e->debit.kind != e->credit.kind); /* I3 */
	assert(e->balance_after >= 0 && e->balance_after <= JARI_BALANCE_MAX);
	assert((e->debit.kind == CORE_WALLET) != (e->credit.kind == CORE_WALLET));
}
