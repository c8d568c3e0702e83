#include "sim.h"

#include "base/limits.h"
#include <string.h>

/* What is built up while the store is scanned. */
struct scan {
	struct model *m;
	int64_t now;
	bool ok;
	struct model_reservation *owner[MODEL_SHOWS][MODEL_SEATS];
	int64_t version[MODEL_SHOWS]; /* as stored, and one more for each lapsed hold that is stored as HELD */
	int shows, seats, tickets, live_holds;
	/* of the queue whose tickets come */
	int64_t queue_id, number, issued_at, admitted_at, waiting, active;
	bool somebody_waits;
	int next; /* where in the model's tickets the next of the queue is looked for */
};

#define ID(v) ((long long)(v))

static int show_index(struct model *m, int64_t id)
{
	struct model_show *s = model_show(m, id);

	return s ? (int)(s - m->show) : -1;
}

/* I1 in the model itself: no seat has two owners. */
static bool fill_owners(struct scan *x)
{
	for (int i = 0; i < x->m->reservations; i++) {
		struct model_reservation *r = &x->m->reservation[i];
		enum core_reservation_status status = model_status(r, x->now);
		int show = show_index(x->m, r->show_id);

		if (status != CORE_RES_HELD && status != CORE_RES_PAID)
			continue;
		x->live_holds += status == CORE_RES_HELD;
		for (int k = 0; k < r->seat_count; k++) {
			int seat = (int)(model_seat(&x->m->show[show], r->seats[k]) - x->m->show[show].seats);

			if (x->owner[show][seat])
				return model_fail(x->m, "I1: seat %lld of show %lld is of two reservations", ID(r->seats[k]),
				                  ID(r->show_id));
			x->owner[show][seat] = r;
		}
	}
	return true;
}

static bool same_queue(struct scan *x, const struct core_queue *q)
{
	struct model_queue *w = model_queue(x->m, q->queue_id);

	if (!w)
		return model_fail(x->m, "there is a queue %lld", ID(q->queue_id));
	if (q->waiting != w->waiting || q->passed != w->passed || q->active != w->active || q->admitted != w->admitted ||
	    q->last_number != w->last_number)
		return model_fail(
		    x->m,
		    "queue %lld has %lld waiting, %lld passed, %lld active, %lld admitted, %lld issued, not %lld, %lld, %lld, %lld, %lld",
		    ID(q->queue_id), ID(q->waiting), ID(q->passed), ID(q->active), ID(q->admitted), ID(q->last_number),
		    ID(w->waiting), ID(w->passed), ID(w->active), ID(w->admitted), ID(w->last_number));
	if (q->capacity != w->capacity || q->rate_per_second != w->rate || q->paused != w->paused ||
	    !text_equal(q->name, text_of(w->name)))
		return model_fail(x->m, "queue %lld has other settings", ID(q->queue_id));
	if (q->active > q->ceiling || q->ceiling != (q->capacity > q->active ? q->capacity : q->active))
		return model_fail(x->m, "I6: queue %lld has %lld active, capacity %lld, ceiling %lld", ID(q->queue_id),
		                  ID(q->active), ID(q->capacity), ID(q->ceiling));
	return true;
}

static bool same_concert(struct scan *x, const struct core_concert *c)
{
	struct model_concert *w = model_concert(x->m, c->concert_id);

	return (w && c->queue_id == w->queue_id && c->sales_open_at == w->sales_open_at &&
	        text_equal(c->title, text_of(w->title))) ||
	       model_fail(x->m, "concert %lld is not what it should be", ID(c->concert_id));
}

static bool same_show(struct scan *x, const struct core_show *s)
{
	int i = show_index(x->m, s->show_id);

	if (i < 0)
		return model_fail(x->m, "there is a show %lld", ID(s->show_id));
	x->shows++;
	x->version[i] = s->version;
	if (s->concert_id != x->m->show[i].concert_id || s->starts_at != x->m->show[i].starts_at ||
	    s->date != x->m->show[i].date || s->closed != x->m->show[i].closed || s->total_seats != x->m->show[i].seat_count)
		return model_fail(x->m, "show %lld is not what it should be", ID(s->show_id));
	return true;
}

static bool same_seat(struct scan *x, const struct core_seat *s)
{
	int i = show_index(x->m, s->show_id);
	struct model_seat *w = i < 0 ? NULL : model_seat(&x->m->show[i], s->seat_number);
	struct model_reservation *r = w ? x->owner[i][w - x->m->show[i].seats] : NULL;
	bool lapsed = s->status == CORE_SEAT_HELD && s->held_until <= x->now;

	x->seats++;
	if (!w || w->price != s->price || s->section.n != 1 || s->section.p[0] != w->section)
		return model_fail(x->m, "seat %lld of show %lld is not what it should be", ID(s->seat_number), ID(s->show_id));
	if (!r)
		return s->status == CORE_SEAT_FREE || lapsed ||
		       model_fail(x->m, "seat %lld of show %lld has status %d, not free", ID(s->seat_number), ID(s->show_id),
		                  (int)s->status);
	if (s->reservation_id != r->id || s->user_id != r->user_id || lapsed ||
	    s->status != (r->status == CORE_RES_PAID ? CORE_SEAT_SOLD : CORE_SEAT_HELD) ||
	    (r->status == CORE_RES_HELD && s->held_until != r->held_until))
		return model_fail(x->m, "I1, I2: seat %lld of show %lld is not reservation %lld's", ID(s->seat_number),
		                  ID(s->show_id), ID(r->id));
	return true;
}

static bool same_reservation(struct model *m, const struct core_reservation *got, int64_t now)
{
	struct model_reservation *r = model_reservation(m, got->reservation_id);
	enum core_reservation_status status = got->status;

	if (!r)
		return model_fail(m, "there is a reservation %lld", ID(got->reservation_id));
	if (status == CORE_RES_HELD && got->held_until <= now)
		status = CORE_RES_EXPIRED;
	if (status != model_status(r, now) || got->user_id != r->user_id || got->show_id != r->show_id ||
	    got->total_price != r->total || got->held_until != r->held_until || got->created_at != r->created_at ||
	    got->paid_at != r->paid_at || got->payment_id != r->payment_id || got->seat_count != r->seat_count ||
	    got->concert_id != r->concert_id || got->queue_id != r->queue_id || got->ticket_number != r->ticket_number)
		return model_fail(m, "reservation %lld is stored with status %d, not %d, or other members", ID(r->id),
		                  (int)status, (int)model_status(r, now));
	for (int i = 0; i < r->seat_count; i++)
		if (got->seats[i] != r->seats[i])
			return model_fail(m, "reservation %lld has other seats", ID(r->id));
	return true;
}

static bool scanned_reservation(struct scan *x, const struct core_reservation *r)
{
	int show = show_index(x->m, r->show_id);

	if (!same_reservation(x->m, r, x->now))
		return false;
	if (r->status == CORE_RES_HELD && r->held_until <= x->now)
		x->version[show]++;
	else
		x->live_holds--;
	return true;
}

static bool same_user(struct scan *x, const struct core_user *u)
{
	struct model_user *w = model_user(x->m, u->user_id);

	if (!w || !text_equal(u->name, text_of(w->name)))
		return model_fail(x->m, "user %lld is not what it should be", ID(u->user_id));
	if (u->balance != w->balance || u->balance < 0)
		return model_fail(x->m, "I3: user %lld has %lld, not %lld", ID(u->user_id), ID(u->balance), ID(w->balance));
	return true;
}

/* The counters of the queue whose tickets have all come. */
static bool queue_ends(struct scan *x)
{
	struct model_queue *q = x->queue_id ? model_queue(x->m, x->queue_id) : NULL;

	if (q && (x->number != q->last_number || x->waiting != q->waiting || x->active != q->active))
		return model_fail(x->m, "I5, I6: queue %lld has %lld tickets, %lld waiting, %lld active, not %lld, %lld, %lld",
		                  ID(q->id), ID(x->number), ID(x->waiting), ID(x->active), ID(q->last_number), ID(q->waiting),
		                  ID(q->active));
	return true;
}

/* I5: numbers without gaps, issued and admitted in order; who was passed over may come later than the number says, never earlier. */
static bool in_order(struct scan *x, const struct core_ticket *t)
{
	if (t->queue_id != x->queue_id) {
		if (!queue_ends(x))
			return false;
		x->queue_id = t->queue_id;
		x->number = x->issued_at = x->admitted_at = x->waiting = x->active = 0;
		x->somebody_waits = false;
		x->next = 0;
	}
	if (t->number != ++x->number || t->issued_at < x->issued_at)
		return model_fail(x->m, "I5: ticket %lld of queue %lld is out of order", ID(t->number), ID(t->queue_id));
	x->issued_at = t->issued_at;
	x->waiting += t->status == CORE_WAITING;
	x->active += t->status == CORE_ACTIVE;
	if (t->returned_at)
		return true;
	if (t->admitted_at && (x->somebody_waits || t->admitted_at < x->admitted_at))
		return model_fail(x->m, "I5: ticket %lld of queue %lld was admitted before one ahead of it", ID(t->number),
		                  ID(t->queue_id));
	if (t->admitted_at)
		x->admitted_at = t->admitted_at;
	x->somebody_waits |= t->status == CORE_WAITING;
	return true;
}

static bool same_ticket(struct scan *x, const struct core_ticket *t)
{
	if (!in_order(x, t))
		return false;
	x->tickets++;
	while (x->next < x->m->tickets && x->m->ticket[x->next].queue_id != t->queue_id)
		x->next++;
	if (x->next == x->m->tickets)
		return model_fail(x->m, "there is a ticket %lld of queue %lld", ID(t->number), ID(t->queue_id));

	struct model_ticket *w = &x->m->ticket[x->next++];

	if (t->number != w->number || t->user_id != w->user_id || t->status != w->status || t->reason != w->reason ||
	    t->issued_at != w->issued_at || t->admitted_at != w->admitted_at || t->expires_at != w->expires_at)
		return model_fail(x->m, "ticket %lld of queue %lld has status %d reason %d, not %d %d, or other members",
		                  ID(t->number), ID(t->queue_id), (int)t->status, (int)t->reason, (int)w->status, (int)w->reason);
	return true;
}

static bool scanned(void *arg, enum core_kind kind, const void *row)
{
	struct scan *x = arg;

	switch (kind) {
	case CORE_ROW_QUEUE:
		x->ok = same_queue(x, row);
		break;
	case CORE_ROW_CONCERT:
		x->ok = same_concert(x, row);
		break;
	case CORE_ROW_SHOW:
		x->ok = same_show(x, row);
		break;
	case CORE_ROW_SEAT:
		x->ok = same_seat(x, row);
		break;
	case CORE_ROW_RESERVATION:
		x->ok = scanned_reservation(x, row);
		break;
	case CORE_ROW_USER:
		x->ok = same_user(x, row);
		break;
	case CORE_ROW_TICKET:
		x->ok = same_ticket(x, row);
		break;
	default:
		x->ok = model_fail(x->m, "a scan shows rows of kind %d", (int)kind);
	}
	return x->ok;
}

/* Every change of a show's seats has made its version one more, the end of a hold too. */
static bool same_versions(struct scan *x)
{
	for (int i = 0; i < x->m->shows; i++) {
		struct model_show *s = &x->m->show[i];
		int64_t changes = s->changes;

		for (int k = 0; k < x->m->reservations; k++)
			changes += x->m->reservation[k].show_id == s->id && x->m->reservation[k].status == CORE_RES_HELD &&
			           x->m->reservation[k].held_until <= x->now;
		if (s->first_version < 0)
			s->first_version = x->version[i] - changes;
		if (x->version[i] != s->first_version + changes)
			return model_fail(x->m, "show %lld has version %lld, not %lld", ID(s->id), ID(x->version[i]),
			                  ID(s->first_version + changes));
	}
	return true;
}

uint64_t sim_fingerprint(const struct core_rows *rows)
{
	uint64_t h = 0xCBF29CE484222325ULL;

	for (const struct core_row *row = core_rows_dirty(rows); row; row = row->next_dirty) {
		size_t n = row->now ? core_kind_size(row->id.kind) : 0;

		h = (h ^ (uint64_t)row->id.kind) * 0x100000001B3ULL;
		for (size_t i = 0; i < n; i++)
			h = (h ^ ((const unsigned char *)row->now)[i]) * 0x100000001B3ULL;
	}
	return h;
}

bool sim_compare(struct sim *s)
{
	struct scan x = {.m = s->m, .now = s->now, .ok = true};
	int seats = 0;

	if (!fill_owners(&x))
		return false;
	if (store_scan(s->store, 0, scanned, &x) != STORE_OK)
		return model_fail(s->m, "the store can't be scanned");
	if (!x.ok || !queue_ends(&x))
		return false;
	for (int i = 0; i < s->m->shows; i++)
		seats += s->m->show[i].seat_count;
	if (x.shows != s->m->shows || x.seats != seats || x.tickets != s->m->tickets || x.live_holds != 0)
		return model_fail(s->m, "%d shows, %d seats, %d tickets are stored, not %d, %d, %d; %d live holds too few",
		                  x.shows, x.seats, x.tickets, s->m->shows, seats, s->m->tickets, x.live_holds);
	return same_versions(&x);
}

/* ---- what a scan does not show ---- */

/* I3: the ledger's entries of one wallet, newest first, are the model's, and add up to the balance. */
static bool same_ledger(struct sim *s, struct model_user *u)
{
	int64_t sum = 0, before = 0;
	int next = s->m->entries - 1;
	size_t n;

	do {
		struct core_entry *e;

		if (store_entries(s->reader, u->id, before, JARI_PAGE_MAX, &s->arena, &e, &n) != STORE_OK)
			return model_fail(s->m, "the ledger can't be read");
		for (size_t i = 0; i < n; i++) {
			while (next >= 0 && s->m->entry[next].user_id != u->id)
				next--;
			if (next < 0)
				return model_fail(s->m, "I3: entry %lld of user %lld should not be", ID(e[i].entry_id),
				                  ID(u->id));

			struct model_entry *w = &s->m->entry[next--];

			if (e[i].entry_id != w->id || e[i].type != w->type || e[i].amount != w->amount ||
			    e[i].balance_after != w->after || e[i].reservation_id != w->reservation_id ||
			    e[i].created_at != w->created_at)
				return model_fail(s->m, "I3: entry %lld of user %lld is not what it should be", ID(e[i].entry_id),
				                  ID(u->id));
			sum += e[i].credit.kind == CORE_WALLET ? e[i].amount : -e[i].amount;
			before = e[i].entry_id;
		}
	} while (n == JARI_PAGE_MAX);
	while (next >= 0 && s->m->entry[next].user_id != u->id)
		next--;
	if (next >= 0)
		return model_fail(s->m, "I3: entry %lld of user %lld is missing", ID(s->m->entry[next].id), ID(u->id));
	return sum == u->balance ||
	       model_fail(s->m, "I3: the entries of user %lld add up to %lld, not %lld", ID(u->id), ID(sum), ID(u->balance));
}

static void audited(void *arg, const char *invariant, const char *what, int64_t violations, const char *example)
{
	struct scan *x = arg;

	if (violations == 0 || !x->ok)
		return;
	x->ok = model_fail(x->m, "the store's own audit finds %lld violations of %s (%s): %s", ID(violations), invariant, what,
	                   example);
}

bool sim_compare_all(struct sim *s)
{
	struct scan x = {.m = s->m, .now = s->now, .ok = true};

	for (int i = 0; i < s->m->users; i++)
		if (!same_ledger(s, &s->m->user[i]))
			return false;
	for (int i = 0; i < s->m->reservations; i++) {
		struct core_reservation r;

		if (store_reservation(s->reader, s->m->reservation[i].id, &s->arena, &r) != STORE_OK)
			return model_fail(s->m, "reservation %lld is missing", ID(s->m->reservation[i].id));
		if (!same_reservation(s->m, &r, s->now))
			return false;
	}
	if (store_audit(s->store, audited, &x) != STORE_OK)
		return model_fail(s->m, "the store can't be audited");
	return x.ok;
}
