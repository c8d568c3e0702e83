#include "model.h"
#include "model_changes.h"
#include "model_seats.h"

#include "base/limits.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool model_fail(struct model *m, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(m->why, sizeof(m->why), format, args);
	va_end(args);
	return false;
}

/* The commands of a seed are few enough for the arrays; a test that outgrows them must say so. */
static int take(int *count, int max)
{
	if (*count >= max) {
		fprintf(stderr, "model: an array is full; raise its size in model.h\n");
		abort();
	}
	return (*count)++;
}

#define COPY(array, count) memcpy(to->array, from->array, (size_t)from->count * sizeof(from->array[0]))
void model_copy(struct model *to, const struct model *from)
{
	to->rules = from->rules;
	to->users = from->users;
	to->queues = from->queues;
	to->concerts = from->concerts;
	to->shows = from->shows;
	to->tickets = from->tickets;
	to->reservations = from->reservations;
	to->entries = from->entries;
	to->keys = from->keys;
	to->answers = from->answers;
	COPY(user, users);
	COPY(queue, queues);
	COPY(concert, concerts);
	COPY(show, shows);
	COPY(ticket, tickets);
	COPY(reservation, reservations);
	COPY(entry, entries);
	COPY(key, keys);
}
#undef COPY

/* ---- the line ---- */

static bool may_admit(const struct model_queue *q, int64_t now)
{
	return !q->paused && q->active < q->capacity && (q->rate == 0 || q->free_at_us <= now * 1000);
}

static void admit(struct model *m, struct model_queue *q, struct model_ticket *t, int64_t now)
{
	int64_t since = (now - JARI_RATE_BURST_MS) * 1000;

	t->status = CORE_ACTIVE;
	t->admitted_at = now;
	t->expires_at = now + m->rules.active_ms;
	q->active++;
	q->admitted++;
	if (q->rate > 0)
		q->free_at_us = (q->free_at_us > since ? q->free_at_us : since) + 1000000 / q->rate;
}

/* Admits the lowest waiting numbers, at most `most`. */
static void admit_waiting(struct model *m, struct model_queue *q, int64_t most, int64_t now)
{
	/* tickets stand in the order of issue */
	for (int i = 0; i < m->tickets && most > 0 && may_admit(q, now); i++)
		if (m->ticket[i].queue_id == q->id && m->ticket[i].status == CORE_WAITING) {
			q->waiting--;
			admit(m, q, &m->ticket[i], now);
			most--;
		}
}

static void must_admit(struct model *m, struct model_queue *q, int64_t most, int64_t now)
{
	if (m->alone)
		admit_waiting(m, q, most, now);
}

/* Admits who the core has admitted beyond what it must; `joined` if the command's own new ticket is among them. */
static void catch_up(struct model *m, struct model_queue *q, bool joined, int64_t now)
{
	admit_waiting(m, q, m->admitted(m->admitted_arg, q->id) - joined - q->admitted, now);
}

/* Ends a stored live ticket; a freed place goes to the next in line. */
static void end_ticket(struct model *m, struct model_ticket *t, enum core_ticket_reason reason, int64_t now)
{
	struct model_queue *q = model_queue(m, t->queue_id);
	enum core_ticket_status was = t->status;

	if (was == CORE_ACTIVE && !model_active(t, now))
		reason = CORE_TIMED_OUT;
	if (was == CORE_PASSED && !model_passed(t, now))
		reason = CORE_ABANDONED;
	t->reason = reason;
	t->status = CORE_EXPIRED;
	if (was == CORE_WAITING) {
		q->waiting--;
	} else if (was == CORE_PASSED) {
		q->passed--;
		t->expires_at = 0;
	} else {
		q->active--;
		must_admit(m, q, 1, now);
	}
}

/* One who was passed over and is heard from in time waits again, at the old number. */
static void take_back(struct model *m, struct model_ticket *t, int64_t now)
{
	struct model_queue *q = model_queue(m, t->queue_id);

	if (!model_passed(t, now))
		return;
	t->status = CORE_WAITING;
	t->expires_at = 0;
	t->returned = true;
	q->passed--;
	q->waiting++;
}

static void pass_over(struct model *m, struct model_ticket *t, int64_t now)
{
	struct model_queue *q = model_queue(m, t->queue_id);

	if (t->status != CORE_WAITING)
		return;
	t->status = CORE_PASSED;
	t->expires_at = now + m->rules.grace_ms;
	q->waiting--;
	q->passed++;
}

static bool check_ticket(struct model *m, const struct model_ticket *t, const struct core_ticket *got, int64_t now)
{
	bool lapsed = t->status == CORE_ACTIVE && !model_active(t, now), passed = t->status == CORE_PASSED;
	bool lost = passed && !model_passed(t, now);
	enum core_ticket_status status = lapsed || lost ? CORE_EXPIRED : passed ? CORE_WAITING : t->status;
	enum core_ticket_reason reason = lapsed ? CORE_TIMED_OUT : lost ? CORE_ABANDONED : t->reason;
	int64_t expires_at = passed ? 0 : t->expires_at;

	if (got->queue_id != t->queue_id || got->number != t->number || got->user_id != t->user_id)
		return model_fail(m, "ticket %lld/%lld of user %lld answered, not %lld/%lld of %lld", (long long)got->queue_id,
		                  (long long)got->number, (long long)got->user_id, (long long)t->queue_id, (long long)t->number,
		                  (long long)t->user_id);
	if (got->status != status || got->reason != reason || got->issued_at != t->issued_at ||
	    got->admitted_at != t->admitted_at || got->expires_at != expires_at)
		return model_fail(m, "ticket %lld/%lld answered with status %d reason %d, not %d %d, or other instants",
		                  (long long)t->queue_id, (long long)t->number, (int)got->status, (int)got->reason, (int)status,
		                  (int)reason);
	return true;
}

static struct model_user *user_named(struct model *m, struct text name)
{
	for (int i = 0; i < m->users; i++)
		if (text_equal(text_of(m->user[i].name), name))
			return &m->user[i];
	return NULL;
}

static struct model_user *new_user(struct model *m, struct text name, int64_t id)
{
	struct model_user *u = &m->user[take(&m->users, MODEL_USERS)];

	*u = (struct model_user){.id = id};
	memcpy(u->name, name.p, name.n);
	return u;
}

static bool expect(struct model *m, enum core_code code, const struct core_reply *got)
{
	return got->code == code || model_fail(m, "answered %s, not %s", core_code_name(got->code), core_code_name(code));
}

static bool check_join(struct model *m, const struct core_cmd *cmd, int64_t now, const struct core_reply *got)
{
	int64_t concert_id = cmd->u.join.concert_id;
	struct model_concert *c = concert_id ? model_concert(m, concert_id) : NULL;

	if (concert_id && !c)
		return expect(m, CORE_CONCERT_NOT_FOUND, got);
	if (!expect(m, CORE_OK, got))
		return false;

	struct model_queue *q = model_queue(m, c ? c->queue_id : 1);
	struct model_user *u = user_named(m, cmd->u.join.username);

	if (u && got->user.user_id != u->id)
		return model_fail(m, "another user than before");
	if (!u && model_user(m, got->user.user_id))
		return model_fail(m, "a new user has the id of another");
	if (!u)
		u = new_user(m, cmd->u.join.username, got->user.user_id);
	if (!text_equal(got->user.name, cmd->u.join.username))
		return model_fail(m, "the user has another name");
	for (int i = 0; i < m->tickets; i++) {
		struct model_ticket *t = &m->ticket[i];

		if (t->queue_id != q->id || t->user_id != u->id || t->status == CORE_EXPIRED)
			continue;
		if (t->status == CORE_WAITING || model_passed(t, now) || model_active(t, now)) {
			if (got->created)
				return model_fail(m, "a new ticket, though one lives");
			take_back(m, t, now);
			return check_ticket(m, t, &got->ticket, now);
		}
		end_ticket(m, t, CORE_TIMED_OUT, now);
		catch_up(m, q, got->ticket.status == CORE_ACTIVE, now);
	}

	struct model_ticket *t = &m->ticket[take(&m->tickets, MODEL_TICKETS)];

	*t = (struct model_ticket){q->id, ++q->last_number, u->id, now, 0, 0, CORE_WAITING, CORE_REASON_NONE, false};
	if (q->waiting == 0 && may_admit(q, now))
		admit(m, q, t, now);
	else
		q->waiting++;
	if (!got->created)
		return model_fail(m, "no new ticket");
	return check_ticket(m, t, &got->ticket, now);
}

static bool check_leave(struct model *m, const struct core_cmd *cmd, int64_t now, const struct core_reply *got)
{
	struct model_ticket *t = model_ticket(m, cmd->auth_queue_id, cmd->auth_number);

	if (t->status != CORE_EXPIRED)
		end_ticket(m, t, CORE_LEFT, now);
	catch_up(m, model_queue(m, t->queue_id), false, now);
	return expect(m, CORE_OK, got);
}

static bool check_patch(struct model *m, const struct core_cmd *cmd, int64_t now, const struct core_reply *got)
{
	struct model_queue *q = model_queue(m, cmd->u.patch.queue_id);

	if (!q)
		return expect(m, CORE_NOT_FOUND, got);
	if (cmd->u.patch.has_capacity)
		q->capacity = cmd->u.patch.capacity;
	if (cmd->u.patch.has_rate) {
		q->rate = cmd->u.patch.rate_per_second;
		q->free_at_us = 0; /* a new rate begins anew */
	}
	if (cmd->u.patch.has_paused)
		q->paused = cmd->u.patch.paused;
	if (cmd->u.patch.has_capacity || cmd->u.patch.has_rate || cmd->u.patch.has_paused)
		must_admit(m, q, INT64_MAX, now);
	catch_up(m, q, false, now);
	if (!expect(m, CORE_OK, got))
		return false;
	if (got->queue.queue_id != q->id || got->queue.capacity != q->capacity || got->queue.rate_per_second != q->rate ||
	    got->queue.paused != q->paused || got->queue.active != q->active || got->queue.waiting != q->waiting ||
	    got->queue.admitted != q->admitted || got->queue.last_number != q->last_number)
		return model_fail(m, "the queue is answered with %lld waiting, %lld active, not %lld, %lld, or other settings",
		                  (long long)got->queue.waiting, (long long)got->queue.active, (long long)q->waiting,
		                  (long long)q->active);
	return true;
}

static bool check_tick(struct model *m, const struct core_cmd *cmd, int64_t now, const struct core_reply *got)
{
	int kept = 0;

	for (int i = 0; i < m->tickets; i++)
		if ((m->ticket[i].status == CORE_ACTIVE && !model_active(&m->ticket[i], now)) ||
		    (m->ticket[i].status == CORE_PASSED && !model_passed(&m->ticket[i], now)))
			end_ticket(m, &m->ticket[i], CORE_TIMED_OUT, now);
	for (size_t i = 0; i < cmd->u.tick.queue_count; i++)
		must_admit(m, model_queue(m, cmd->u.tick.queue_ids[i]), INT64_MAX, now);
	for (int i = 0; i < m->queues; i++)
		catch_up(m, &m->queue[i], false, now);
	for (int i = 0; i < m->keys; i++)
		if (now - m->key[i].created_at < JARI_KEY_LIFE_MS)
			m->key[kept++] = m->key[i];
	m->keys = kept;
	return expect(m, CORE_OK, got);
}

static bool check_hear(struct model *m, const struct core_cmd *cmd, int64_t now, const struct core_reply *got)
{
	for (size_t i = 0; i < cmd->u.hear.silent_count; i++)
		pass_over(m, model_ticket(m, cmd->u.hear.queue_id, cmd->u.hear.silent[i]), now);
	for (size_t i = 0; i < cmd->u.hear.back_count; i++)
		take_back(m, model_ticket(m, cmd->u.hear.queue_id, cmd->u.hear.back[i]), now);
	return expect(m, CORE_OK, got);
}

/* ---- seats ---- */

/* What stands between the user and the seats, in the contract's order. */
static enum core_code hold_state(struct model *m, struct model_show *s, const struct core_cmd *cmd, int64_t now)
{
	int64_t mine = 0, all_free = 0,
		wanted = cmd->u.hold.best_count ? cmd->u.hold.best_count : (int64_t)cmd->u.hold.seat_count;
	bool yours = false, taken = false;

	for (int i = 0; i < s->seat_count; i++) {
		struct model_reservation *r = model_owner(m, s->id, s->seats[i].number, now);

		mine += r && r->user_id == cmd->auth_user_id;
		all_free += free_in(m, s, s->seats[i].number, cmd->u.hold.best_section, now);
	}
	for (size_t i = 0; i < cmd->u.hold.seat_count; i++) {
		struct model_reservation *r = model_owner(m, s->id, cmd->u.hold.seats[i], now);

		yours |= r && r->user_id == cmd->auth_user_id;
		taken |= r != NULL;
	}
	if (yours)
		return CORE_ALREADY_YOURS;
	if (mine + wanted > m->rules.seats_per_user)
		return CORE_LIMIT_EXCEEDED;
	return taken || (cmd->u.hold.best_count && all_free < wanted) ? CORE_SEAT_TAKEN : CORE_OK;
}

static enum core_code hold_code(struct model *m, const struct core_cmd *cmd, int64_t now, struct model_show **show)
{
	struct model_concert *c = model_concert(m, cmd->u.hold.concert_id);
	struct model_ticket *t = model_ticket(m, cmd->auth_queue_id, cmd->auth_number);
	int n;

	if (!c)
		return CORE_CONCERT_NOT_FOUND;
	*show = find_show(m, cmd, now, &n);
	if (n == 0)
		return CORE_SHOW_NOT_FOUND;
	if (n == 1 && !seats_exist(*show, cmd))
		return CORE_SEAT_NOT_FOUND;
	if (t->queue_id != c->queue_id)
		return CORE_WRONG_QUEUE;
	if (!model_active(t, now))
		return CORE_NOT_ADMITTED;
	if (now < c->sales_open_at)
		return CORE_SALES_NOT_OPEN;
	if (n > 1)
		return CORE_AMBIGUOUS_DATE;
	if ((*show)->closed)
		return CORE_SALES_CLOSED;
	return hold_state(m, *show, cmd, now);
}

static bool check_conflicts(struct model *m, struct model_show *s, const struct core_cmd *cmd, int64_t now,
                            const struct core_reply *got)
{
	size_t n = 0;

	for (size_t i = 0; i < cmd->u.hold.seat_count; i++) {
		bool listed = false, taken = model_owner(m, s->id, cmd->u.hold.seats[i], now) != NULL;

		for (size_t k = 0; k < got->seat_count; k++)
			listed |= got->seats[k] == cmd->u.hold.seats[i];
		if (listed != taken)
			return model_fail(m, "seat %lld is wrong in conflicts", (long long)cmd->u.hold.seats[i]);
		n += taken;
	}
	return n == got->seat_count || model_fail(m, "%zu conflicts, not %zu", got->seat_count, n);
}

static bool check_refusal(struct model *m, struct model_show *s, const struct core_cmd *cmd, int64_t now,
                          const struct core_reply *got)
{
	bool mine = false;

	switch (got->code) {
	case CORE_NOT_ADMITTED:
		return check_ticket(m, model_ticket(m, cmd->auth_queue_id, cmd->auth_number), &got->ticket, now);
	case CORE_SALES_NOT_OPEN:
		return got->sales_open_at == model_concert(m, cmd->u.hold.concert_id)->sales_open_at ||
		       model_fail(m, "another salesOpenAt");
	case CORE_SEAT_TAKEN:
		return check_conflicts(m, s, cmd, now, got);
	case CORE_LIMIT_EXCEEDED:
		return got->limit == m->rules.seats_per_user || model_fail(m, "another limit");
	case CORE_ALREADY_YOURS:
		for (size_t i = 0; i < cmd->u.hold.seat_count; i++) {
			struct model_reservation *r = model_owner(m, s->id, cmd->u.hold.seats[i], now);

			mine |= r && r->user_id == cmd->auth_user_id && r->id == got->reservation_id;
		}
		return mine || model_fail(m, "reservation %lld has none of the seats", (long long)got->reservation_id);
	default:
		return true;
	}
}

static int compare_numbers(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static bool same_reservation(struct model *m, const struct model_reservation *r, const struct core_reservation *got)
{
	bool same = got->reservation_id == r->id && got->user_id == r->user_id && got->concert_id == r->concert_id &&
	            got->show_id == r->show_id && got->queue_id == r->queue_id && got->ticket_number == r->ticket_number &&
	            got->total_price == r->total && got->status == r->status && got->held_until == r->held_until &&
	            got->created_at == r->created_at && got->paid_at == r->paid_at && got->payment_id == r->payment_id &&
	            got->seat_count == r->seat_count;

	for (int i = 0; same && i < r->seat_count; i++)
		same = got->seats[i] == r->seats[i];
	return same || model_fail(m, "reservation %lld is not what it should be", (long long)r->id);
}

static bool check_hold(struct model *m, const struct core_cmd *cmd, int64_t now, const struct core_reply *got)
{
	struct model_show *s = NULL;
	enum core_code code = hold_code(m, cmd, now, &s);
	const struct core_reservation *res = &got->reservation;

	if (!expect(m, code, got))
		return false;
	if (code != CORE_OK)
		return check_refusal(m, s, cmd, now, got);
	if (model_reservation(m, res->reservation_id))
		return model_fail(m, "reservation %lld exists already", (long long)res->reservation_id);
	if (cmd->u.hold.best_count && !check_best(m, s, cmd, now, res))
		return false;

	struct model_reservation *r = &m->reservation[take(&m->reservations, MODEL_RESERVATIONS)];

	*r = (struct model_reservation){.id = res->reservation_id,
	                                .user_id = cmd->auth_user_id,
	                                .concert_id = s->concert_id,
	                                .show_id = s->id,
	                                .queue_id = cmd->auth_queue_id,
	                                .ticket_number = cmd->auth_number,
	                                .status = CORE_RES_HELD,
	                                .held_until = now + m->rules.hold_ms,
	                                .created_at = now};
	r->seat_count = (int)(cmd->u.hold.best_count ? cmd->u.hold.best_count : (int64_t)cmd->u.hold.seat_count);
	for (int i = 0; i < r->seat_count; i++) {
		r->seats[i] = cmd->u.hold.best_count ? res->seats[i] : cmd->u.hold.seats[i];
		r->total += model_seat(s, r->seats[i])->price;
	}
	qsort(r->seats, (size_t)r->seat_count, sizeof(r->seats[0]), compare_numbers);
	s->changes += MODEL_DECIDED;
	return same_reservation(m, r, res);
}

static bool check_cancel(struct model *m, const struct core_cmd *cmd, int64_t now, const struct core_reply *got)
{
	struct model_reservation *r = model_reservation(m, cmd->u.cancel.reservation_id);

	if (!r || r->user_id != cmd->auth_user_id)
		return expect(m, CORE_RESERVATION_NOT_FOUND, got);
	if (model_status(r, now) != CORE_RES_HELD)
		return expect(m, CORE_NOT_HELD, got);
	r->status = CORE_RES_CANCELLED;
	model_show(m, r->show_id)->changes += MODEL_DECIDED;
	return expect(m, CORE_OK, got);
}

/* ---- money ---- */

static bool check_entry(struct model *m, struct model_user *u, const struct model_entry *e, const struct core_reply *got)
{
	const struct core_entry *g = &got->entry;
	bool charge = e->type == CORE_CHARGE;

	for (int i = 0; i < m->entries; i++)
		if (m->entry[i].id >= g->entry_id)
			return model_fail(m, "ledger entry %lld is not above all before it", (long long)g->entry_id);
	if (g->user_id != u->id || g->type != e->type || g->amount != e->amount || g->balance_after != e->after ||
	    g->reservation_id != e->reservation_id || g->created_at != e->created_at || got->user.balance != u->balance)
		return model_fail(m, "ledger entry of %lld, balance %lld, not %lld, %lld, or other members", (long long)g->amount,
		                  (long long)got->user.balance, (long long)e->amount, (long long)u->balance);
	if (g->debit.kind != (charge ? CORE_OUTSIDE : CORE_WALLET) || g->debit.id != (charge ? 0 : u->id) ||
	    g->credit.kind != (charge ? CORE_WALLET : CORE_REVENUE) || g->credit.id != (charge ? u->id : e->concert_id))
		return model_fail(m, "the ledger entry is between other accounts");
	m->entry[take(&m->entries, MODEL_ENTRIES)] = *e;
	m->entry[m->entries - 1].id = g->entry_id;
	return true;
}

static bool check_charge(struct model *m, const struct core_cmd *cmd, int64_t now, const struct core_reply *got)
{
	struct model_user *u = model_user(m, cmd->auth_user_id);
	int64_t amount = cmd->u.charge.amount;

	if (cmd->u.charge.user_id != cmd->auth_user_id)
		return expect(m, CORE_USER_NOT_FOUND, got);
	if (u->balance + amount > JARI_BALANCE_MAX)
		return expect(m, CORE_BALANCE_LIMIT, got);
	u->balance += amount;
	if (!expect(m, CORE_OK, got))
		return false;
	return check_entry(m, u, &(struct model_entry){0, u->id, amount, u->balance, 0, 0, now, CORE_CHARGE}, got);
}

static enum core_code pay_code(struct model *m, const struct core_cmd *cmd, int64_t now, struct model_reservation **out)
{
	struct model_reservation *r = *out = model_reservation(m, cmd->u.pay.reservation_id);

	if (!r || r->user_id != cmd->auth_user_id)
		return CORE_RESERVATION_NOT_FOUND;
	if (r->status == CORE_RES_PAID)
		return CORE_ALREADY_PAID;
	if (model_status(r, now) == CORE_RES_EXPIRED)
		return CORE_HOLD_EXPIRED;
	if (r->status != CORE_RES_HELD)
		return CORE_NOT_HELD;
	if (cmd->u.pay.has_amount && cmd->u.pay.amount != r->total)
		return CORE_AMOUNT_MISMATCH;
	return model_user(m, r->user_id)->balance < r->total ? CORE_INSUFFICIENT_BALANCE : CORE_OK;
}

static bool check_pay(struct model *m, const struct core_cmd *cmd, int64_t now, const struct core_reply *got)
{
	struct model_reservation *r;
	enum core_code code = pay_code(m, cmd, now, &r);

	if (!expect(m, code, got))
		return false;

	struct model_user *u = model_user(m, cmd->auth_user_id);

	if (code == CORE_INSUFFICIENT_BALANCE && (got->required != r->total || got->user.balance != u->balance))
		return model_fail(m, "required %lld of balance %lld, not %lld of %lld", (long long)got->required,
		                  (long long)got->user.balance, (long long)r->total, (long long)u->balance);
	if (code != CORE_OK)
		return true;

	struct model_ticket *t = model_ticket(m, r->queue_id, r->ticket_number);

	u->balance -= r->total;
	model_concert(m, r->concert_id)->revenue += r->total;
	r->status = CORE_RES_PAID;
	r->paid_at = now;
	r->payment_id = got->entry.entry_id;
	model_show(m, r->show_id)->changes += MODEL_DECIDED;
	if (t->status != CORE_EXPIRED)
		end_ticket(m, t, CORE_PAID, now);
	catch_up(m, model_queue(m, t->queue_id), false, now);
	if (!check_entry(m, u, &(struct model_entry){0, u->id, r->total, u->balance, r->id, r->concert_id, now, CORE_PAYMENT},
	                 got))
		return false;
	return same_reservation(m, r, &got->reservation);
}

/* ---- catalogues ---- */

static bool adopt_concert(struct model *m, const struct core_new_concert *c, int64_t id, const struct core_reply *got,
                          size_t *show)
{
	int64_t queue_id = 1;

	for (int i = 0; i < m->queues; i++)
		if (c->queue.n && text_equal(text_of(m->queue[i].name), c->queue))
			queue_id = m->queue[i].id;
	m->concert[take(&m->concerts, MODEL_CONCERTS)] = (struct model_concert){id, queue_id, c->sales_open_at, 0, "title"};
	for (size_t i = 0; i < c->show_count; i++) {
		const struct core_new_show *n = &c->shows[i];
		struct model_show *s = &m->show[take(&m->shows, MODEL_SHOWS)];

		if (*show >= got->show_id_count || model_show(m, got->show_ids[*show]))
			return model_fail(m, "a new show has no id of its own");
		*s = (struct model_show){.id = got->show_ids[(*show)++],
		                         .concert_id = id,
		                         .starts_at = n->starts_at,
		                         .date = n->date,
		                         .first_version = -1};
		for (size_t k = 0; k < n->seats_count; k++)
			for (int64_t seat = n->seats[k].from; seat <= n->seats[k].to; seat++)
				s->seats[take(&s->seat_count, MODEL_SEATS)] =
				    (struct model_seat){seat, n->seats[k].price, n->seats[k].section.p[0]};
	}
	return true;
}

/* The driver makes catalogues that are all right, or wrong in one way, which it says in the actor's name. */
static bool check_catalogue(struct model *m, const struct core_cmd *cmd, const struct core_reply *got)
{
	const struct core_catalogue *doc = cmd->u.catalogue.doc;
	size_t show = 0;

	if (text_equal(cmd->u.catalogue.actor, TEXT("wrong")))
		return expect(m, CORE_INVALID_REQUEST, got) &&
		       ((got->where.n > 0 && got->what.n > 0) || model_fail(m, "the answer does not say where, or what"));
	if (!expect(m, CORE_OK, got))
		return false;
	if (got->queue_id_count != doc->queue_count || got->concert_id_count != doc->concert_count)
		return model_fail(m, "not an id for each queue and concert");
	for (size_t i = 0; i < doc->queue_count; i++) {
		struct model_queue *q = &m->queue[take(&m->queues, MODEL_QUEUES)];

		if (model_queue(m, got->queue_ids[i]))
			return model_fail(m, "a new queue has the id of another");
		*q = (struct model_queue){
		    .id = got->queue_ids[i], .capacity = doc->queues[i].capacity, .rate = doc->queues[i].rate_per_second};
		memcpy(q->name, doc->queues[i].name.p, doc->queues[i].name.n);
	}
	for (size_t i = 0; i < doc->concert_count; i++) {
		if (model_concert(m, got->concert_ids[i]))
			return model_fail(m, "a new concert has the id of another");
		if (!adopt_concert(m, &doc->concerts[i], got->concert_ids[i], got, &show))
			return false;
	}
	return show == got->show_id_count || model_fail(m, "%zu show ids, not %zu", got->show_id_count, show);
}

/* ---- idempotency ---- */

size_t model_answer(int64_t number, char out[MODEL_NAME])
{
	return (size_t)snprintf(out, MODEL_NAME, "{\"answer\":%lld}", (long long)number);
}

static struct model_key *find_key(struct model *m, const struct core_cmd *cmd)
{
	for (int i = 0; i < m->keys; i++)
		if (m->key[i].user_id == cmd->auth_user_id && text_equal(text_of(m->key[i].key), cmd->key))
			return &m->key[i];
	return NULL;
}

static bool check_replay(struct model *m, const struct model_key *k, const struct core_cmd *cmd, const struct core_reply *got)
{
	char body[MODEL_NAME];
	size_t n = model_answer(k->answer, body);

	if (memcmp(k->digest, cmd->digest, sizeof(k->digest)) != 0)
		return expect(m, CORE_IDEMPOTENCY_KEY_REUSED, got);
	if (!expect(m, CORE_OK, got))
		return false;
	if (!got->replayed || got->replay_status != MODEL_ANSWER_STATUS(k->answer) ||
	    !text_equal(got->replay_body, (struct text){body, n}))
		return model_fail(m, "not the first answer again");
	return true;
}

static void keep(struct model *m, struct model_key *k, const struct core_cmd *cmd, int64_t now)
{
	if (!k)
		k = &m->key[take(&m->keys, MODEL_KEYS)];
	*k = (struct model_key){.user_id = cmd->auth_user_id, .created_at = now, .answer = m->answers++};
	memcpy(k->key, cmd->key.p, cmd->key.n);
	memcpy(k->digest, cmd->digest, sizeof(k->digest));
}

static bool check_op(struct model *m, const struct core_cmd *cmd, int64_t now, const struct core_reply *reply)
{
	switch (cmd->op) {
	case CORE_JOIN:
		return check_join(m, cmd, now, reply);
	case CORE_LEAVE:
		return check_leave(m, cmd, now, reply);
	case CORE_HOLD:
		return check_hold(m, cmd, now, reply);
	case CORE_CANCEL:
		return check_cancel(m, cmd, now, reply);
	case CORE_CHARGE_WALLET:
		return check_charge(m, cmd, now, reply);
	case CORE_PAY:
		return check_pay(m, cmd, now, reply);
	case CORE_PATCH_QUEUE:
		return check_patch(m, cmd, now, reply);
	case CORE_PATCH_CONCERT:
		return check_patch_concert(m, cmd, reply);
	case CORE_PATCH_SHOW:
		return check_patch_show(m, cmd, now, reply);
	case CORE_ADD_CATALOGUE:
		return check_catalogue(m, cmd, reply);
	case CORE_TICK:
		return check_tick(m, cmd, now, reply);
	case CORE_HEAR:
		return check_hear(m, cmd, now, reply);
	}
	return model_fail(m, "no such command");
}

/* What the core has admitted is neither more nor less. */
static bool check_admitted(struct model *m)
{
	for (int i = 0; i < m->queues; i++) {
		int64_t admitted = m->admitted(m->admitted_arg, m->queue[i].id);

		if (admitted != m->queue[i].admitted)
			return model_fail(m, "queue %lld has admitted %lld, not %lld", (long long)m->queue[i].id,
			                  (long long)admitted, (long long)m->queue[i].admitted);
	}
	return true;
}

bool model_check(struct model *m, const struct core_cmd *cmd, int64_t now, const struct core_reply *reply,
                 model_admitted_fn admitted, void *arg)
{
	struct model_key *k = cmd->key.n ? find_key(m, cmd) : NULL;

	m->admitted = admitted;
	m->admitted_arg = arg;

	if (k && now - k->created_at < JARI_KEY_LIFE_MS)
		return check_replay(m, k, cmd, reply);
	if (reply->replayed)
		return model_fail(m, "an answer again, though the key is new");
	if (!check_op(m, cmd, now, reply) || !check_admitted(m))
		return false;
	if (cmd->key.n && reply->code == CORE_OK)
		keep(m, k, cmd, now);
	return true;
}
