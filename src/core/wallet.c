/* wallet.c: the wallet, the ledger, and payment.
 *
 * I3: money only moves by a ledger entry that debits one account and credits another; write_entry is the only place that makes one, and it
 * changes the wallet's balance by the same amount in the same breath.
 *
 *   charge:   outside  ──> wallet of the user
 *   payment:  wallet of the user ──> revenue of the concert
 *   refund:   revenue  ──> wallet (reserved)
 *
 * I4: core_pay makes every part of a payment in one decision, and a decision is saved whole or not at all. */
#include "core/internal.h"

#include <assert.h>

static struct core_entry write_entry(struct core_batch *b, struct core_row *user, enum core_entry_type type, int64_t amount,
                                     int64_t concert_id, int64_t reservation_id)
{
	struct core_user *u = edit(b, user);
	struct core_account wallet = {CORE_WALLET, u->user_id};
	struct core_account outside = {CORE_OUTSIDE, 0};
	struct core_account revenue = {CORE_REVENUE, concert_id};
	bool overflow = type == CORE_PAYMENT ? __builtin_sub_overflow(u->balance, amount, &u->balance)
	                                     : __builtin_add_overflow(u->balance, amount, &u->balance);
	assert(!overflow);
	struct core_entry e = {
	    .user_id = u->user_id,
	    .entry_id = draw_id(b, CORE_ID_ENTRY),
	    .type = type,
	    .debit = type == CORE_PAYMENT  ? wallet
	             : type == CORE_REFUND ? revenue
	                                   : outside,
	    .credit = type == CORE_PAYMENT ? revenue : wallet,
	    .amount = amount,
	    .balance_after = u->balance,
	    .reservation_id = reservation_id,
	    .created_at = b->now,
	};
	core_assert_user(u);
	core_assert_entry(&e);
	(void)core_row_create(b->rows, CORE_ROW_ENTRY, &e);
	return e;
}

void core_charge(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply)
{
	struct core_row *user = find(b, CORE_ROW_USER, cmd->auth_user_id, 0);
	if (!user || !user->now || cmd->u.charge.user_id != cmd->auth_user_id) {
		reply->code = CORE_USER_NOT_FOUND;
		return;
	}
	reply->user = *(const struct core_user *)user->now;
	assert(cmd->u.charge.amount >= 1 && cmd->u.charge.amount <= JARI_CHARGE_MAX);
	if (cmd->u.charge.amount > JARI_BALANCE_MAX - reply->user.balance) {
		reply->code = CORE_BALANCE_LIMIT;
		reply->limit = JARI_BALANCE_MAX;
		return;
	}

	/* nothing fails from here */
	reply->entry = write_entry(b, user, CORE_CHARGE, cmd->u.charge.amount, 0, 0);
	reply->user = *(const struct core_user *)user->now;
}

static enum core_code check_pay(const struct core_batch *b, const struct core_cmd *cmd, const struct core_row *reservation,
                                const struct core_row *user, struct core_reply *reply)
{
	if (!reservation || !reservation->was || !user || !user->now)
		return CORE_RESERVATION_NOT_FOUND;
	const struct core_reservation *r = reservation->now;
	if (r->user_id != cmd->auth_user_id)
		return CORE_RESERVATION_NOT_FOUND;
	reply->reservation = *r;
	switch (core_reservation_at(r, b->now)) {
	case CORE_RES_PAID:
		return CORE_ALREADY_PAID;
	case CORE_RES_EXPIRED:
		return CORE_HOLD_EXPIRED;
	case CORE_RES_CANCELLED:
	case CORE_RES_REFUNDED:
		return CORE_NOT_HELD;
	case CORE_RES_HELD:
		break;
	}
	reply->required = r->total_price;
	if (cmd->u.pay.has_amount && cmd->u.pay.amount != r->total_price)
		return CORE_AMOUNT_MISMATCH;
	reply->user = *(const struct core_user *)user->now;
	return reply->user.balance < r->total_price ? CORE_INSUFFICIENT_BALANCE : CORE_OK;
}

/* Payment ends the ticket that held the seats, unless it has ended already, and its slot goes to the next in line. */
static void end_paid_ticket(struct core_batch *b, const struct core_reservation *r)
{
	struct core_row *ticket = find(b, CORE_ROW_TICKET, r->queue_id, r->ticket_number);
	const struct core_ticket *t = ticket->now;
	if (t->status == CORE_EXPIRED)
		return;
	core_end_ticket(b, ticket, CORE_PAID);
	core_admit_next(b, r->queue_id);
}

void core_pay(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply)
{
	struct core_row *reservation = find(b, CORE_ROW_RESERVATION, cmd->u.pay.reservation_id, 0);
	struct core_row *user = find(b, CORE_ROW_USER, cmd->auth_user_id, 0);
	reply->code = check_pay(b, cmd, reservation, user, reply);
	if (reply->code != CORE_OK)
		return;

	/* nothing fails from here */
	const struct core_reservation *r = reservation->now;
	reply->entry = write_entry(b, user, CORE_PAYMENT, r->total_price, r->concert_id, r->reservation_id);
	core_sell(b, reservation, reply->entry.entry_id);
	end_paid_ticket(b, r);
	reply->reservation = *r;
	reply->user = *(const struct core_user *)user->now;
}
