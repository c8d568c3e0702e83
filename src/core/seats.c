/* seats.c: holds and reservations.
 *
 *   reservation:  (hold) ──> HELD ──> PAID          seat:  FREE ──> HELD ──> SOLD
 *                             ├─────> CANCELLED              ^        │
 *                             └─────> EXPIRED                └────────┘  cancelled, lapsed, or taken over once lapsed
 *
 * I1: a seat's row names the one reservation that has it; only core_hold gives a seat, and only one that is free at that instant.
 * I2: whether a hold lives is decided from held_until and the batch's instant. A lapsed hold's seats are free for the next buyer before
 * any tick has been: the seat's row then simply names the new reservation, and the tick, when it ends the old one, frees only the
 * seats that still name it. */
#include "core/internal.h"

#include <assert.h>
#include <string.h>

size_t core_shows_meant(const struct core_batch *b, const struct core_cmd *cmd, struct core_show **show)
{
	if (cmd->u.hold.show_id) {
		*show = get(b, CORE_ROW_SHOW, cmd->u.hold.show_id, 0);
		return *show && (*show)->concert_id == cmd->u.hold.concert_id && core_show_bookable((*show)->starts_at, b->now);
	}
	const struct core_list *on = list_of(b, CORE_LIST_SHOWS_ON, cmd->u.hold.concert_id, cmd->u.hold.date);
	struct core_date date = {0};
	for (size_t i = 0; on && i < on->n; i++) {
		struct core_show *s = on->rows[i]->now;
		if (core_date_means(&date, s->starts_at, b->now))
			*show = s;
	}
	return date.coming;
}

/* A show's version names one state of its seats. A lapse shows at its instant, before the tick has ended the hold, so whoever looks counts
 * the lapsed holds on top; ending one then adds just what was shown. A hold that was seen as lapsed can still be paid by a command decided at
 * an instant before: what is decided counts double, so that the outcome's version is above every one that was shown. */
#define VERSION_LAPSED 1
#define VERSION_DECIDED 2

static void change_version(struct core_batch *b, int64_t show_id, int64_t step)
{
	struct core_show *show = edit(b, find(b, CORE_ROW_SHOW, show_id, 0));
	show->version += step;
}

void core_show_changed(struct core_batch *b, int64_t show_id)
{
	change_version(b, show_id, VERSION_DECIDED);
}

static bool seat_free(const struct core_seat *s, int64_t now)
{
	return core_seat_at(s->status, s->held_until, now) == CORE_SEAT_FREE;
}

/* A seat that lapsed or was given up may be in the user's list already. */
static void list_once(struct core_rows *rows, struct core_list *list, struct core_row *seat)
{
	for (size_t i = 0; i < list->n; i++) {
		if (list->rows[i] == seat)
			return;
	}
	core_list_add(rows, list, seat);
}

/* How many seats of the show the user holds or has paid. */
static int64_t seats_of_user(const struct core_list *list, int64_t user_id, int64_t now)
{
	int64_t n = 0;
	for (size_t i = 0; i < list->n; i++) {
		const struct core_seat *s = list->rows[i]->now;
		n += s->user_id == user_id && !seat_free(s, now);
	}
	return n;
}

/* The existence of what a HOLD names: the show (one, unless the date is ambiguous) and, when the show is clear, its seats. */
static enum core_code check_exists(const struct core_batch *b, const struct core_cmd *cmd, const struct core_show *show,
                                   size_t meant)
{
	if (meant == 0)
		return CORE_SHOW_NOT_FOUND;
	if (meant > 1)
		return CORE_OK;
	assert(show);
	for (size_t i = 0; i < cmd->u.hold.seat_count; i++) {
		if (!get(b, CORE_ROW_SEAT, show->show_id, cmd->u.hold.seats[i]))
			return CORE_SEAT_NOT_FOUND;
	}
	if (cmd->u.hold.best_count == 0 || cmd->u.hold.best_section.n == 0)
		return CORE_OK;
	const struct core_list *all = list_of(b, CORE_LIST_SHOW_SEATS, show->show_id, 0);
	for (size_t i = 0; i < all->n; i++) {
		if (text_equal(((const struct core_seat *)all->rows[i]->now)->section, cmd->u.hold.best_section))
			return CORE_OK;
	}
	return CORE_SEAT_NOT_FOUND;
}

static enum core_code check_admission(const struct core_batch *b, const struct core_cmd *cmd, const struct core_concert *concert,
                                      struct core_reply *reply)
{
	const struct core_ticket *t = get(b, CORE_ROW_TICKET, cmd->auth_queue_id, cmd->auth_number);
	if (!t || t->user_id != cmd->auth_user_id)
		return CORE_TOKEN_INVALID;
	reply->ticket = core_ticket_at(t, b->now);
	enum core_code code = core_admission(t, concert->queue_id, b->now);
	if (code == CORE_OK && b->now < concert->sales_open_at) {
		reply->sales_open_at = concert->sales_open_at;
		code = CORE_SALES_NOT_OPEN;
	}
	return code;
}

/* Seats named one by one: ALREADY_YOURS when one of them is. */
static enum core_code check_not_mine(const struct core_batch *b, const struct core_cmd *cmd, const struct core_show *show,
                                     struct core_reply *reply)
{
	for (size_t i = 0; i < cmd->u.hold.seat_count; i++) {
		const struct core_seat *s = get(b, CORE_ROW_SEAT, show->show_id, cmd->u.hold.seats[i]);
		if (s->user_id == cmd->auth_user_id && !seat_free(s, b->now)) {
			reply->reservation_id = s->reservation_id;
			return CORE_ALREADY_YOURS;
		}
	}
	return CORE_OK;
}

static enum core_code check_limit(const struct core_batch *b, const struct core_cmd *cmd, const struct core_show *show,
                                  int64_t wanted, struct core_reply *reply)
{
	const struct core_list *mine = list_of(b, CORE_LIST_USER_SEATS, show->show_id, cmd->auth_user_id);
	/* `wanted` may be whatever a number can say: nothing is added to it */
	if (wanted <= b->rules->seats_per_user - seats_of_user(mine, cmd->auth_user_id, b->now))
		return CORE_OK;
	reply->limit = b->rules->seats_per_user;
	return CORE_LIMIT_EXCEEDED;
}

/* The seats to be held, ascending, in the arena; SEAT_TAKEN with the conflicts otherwise. */
static enum core_code choose_seats(const struct core_batch *b, const struct core_cmd *cmd, const struct core_show *show,
                                   int64_t **chosen, size_t *n, struct core_reply *reply)
{
	struct arena *arena = b->rows->arena;
	if (cmd->u.hold.best_count > 0) {
		*n = (size_t)cmd->u.hold.best_count;
		*chosen = arena_alloc(arena, *n * sizeof **chosen);
		const struct core_list *all = list_of(b, CORE_LIST_SHOW_SEATS, show->show_id, 0);
		bool found = core_best_seats(all, cmd->u.hold.best_section, cmd->u.hold.best_count, b->now, arena, *chosen);
		return found ? CORE_OK : CORE_SEAT_TAKEN;
	}
	*n = cmd->u.hold.seat_count;
	*chosen = arena_copy(arena, cmd->u.hold.seats, *n * sizeof **chosen);
	core_sort_seats(*chosen, *n);
	int64_t *taken = arena_alloc(arena, *n * sizeof *taken);
	size_t taken_count = 0;
	for (size_t i = 0; i < *n; i++) {
		if (!seat_free(get(b, CORE_ROW_SEAT, show->show_id, (*chosen)[i]), b->now))
			taken[taken_count++] = (*chosen)[i];
	}
	reply->seats = taken;
	reply->seat_count = taken_count;
	return taken_count ? CORE_SEAT_TAKEN : CORE_OK;
}

static enum core_code check_hold(const struct core_batch *b, const struct core_cmd *cmd, struct core_show **show,
                                 int64_t **chosen, size_t *n, struct core_reply *reply)
{
	const struct core_concert *concert = get(b, CORE_ROW_CONCERT, cmd->u.hold.concert_id, 0);
	if (!concert)
		return CORE_CONCERT_NOT_FOUND;
	size_t meant = core_shows_meant(b, cmd, show);
	enum core_code code = check_exists(b, cmd, *show, meant);
	if (code == CORE_OK)
		code = check_admission(b, cmd, concert, reply);
	if (code == CORE_OK && meant > 1)
		code = CORE_AMBIGUOUS_DATE;
	if (code != CORE_OK)
		return code;
	assert(*show);
	if ((*show)->closed)
		return CORE_SALES_CLOSED;
	code = check_not_mine(b, cmd, *show, reply);
	int64_t wanted = cmd->u.hold.best_count > 0 ? cmd->u.hold.best_count : (int64_t)cmd->u.hold.seat_count;
	if (code == CORE_OK)
		code = check_limit(b, cmd, *show, wanted, reply);
	if (code == CORE_OK)
		code = choose_seats(b, cmd, *show, chosen, n, reply);
	return code;
}

void core_hold(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply)
{
	struct core_show *show = NULL;
	int64_t *chosen = NULL;
	size_t n = 0;
	reply->code = check_hold(b, cmd, &show, &chosen, &n, reply);
	if (reply->code != CORE_OK)
		return;

	/* nothing fails from here: the sum is at most seats_per_user times the highest price */
	struct core_reservation r = {
	    .reservation_id = draw_id(b, CORE_ID_RESERVATION),
	    .user_id = cmd->auth_user_id,
	    .concert_id = show->concert_id,
	    .show_id = show->show_id,
	    .queue_id = cmd->auth_queue_id,
	    .ticket_number = cmd->auth_number,
	    .date = show->date,
	    .status = CORE_RES_HELD,
	    .held_until = b->now + b->rules->hold_ms,
	    .created_at = b->now,
	    .seat_count = (int32_t)n,
	    .seats = chosen,
	};
	struct core_list *mine = list_of(b, CORE_LIST_USER_SEATS, show->show_id, cmd->auth_user_id);
	for (size_t i = 0; i < n; i++) {
		struct core_row *row = find(b, CORE_ROW_SEAT, show->show_id, chosen[i]);
		struct core_seat *s = edit(b, row);
		assert(seat_free(s, b->now)); /* I1 */
		s->status = CORE_SEAT_HELD;
		s->reservation_id = r.reservation_id;
		s->user_id = r.user_id;
		s->held_until = r.held_until;
		r.total_price += s->price;
		list_once(b->rows, mine, row);
		core_assert_seat(s);
	}
	change_version(b, show->show_id, VERSION_DECIDED);
	core_assert_reservation(&r);
	(void)core_row_create(b->rows, CORE_ROW_RESERVATION, &r);
	reply->reservation = r;
	reply->show = *show;
}

void core_release(struct core_batch *b, struct core_row *reservation, enum core_reservation_status status)
{
	struct core_reservation *r = edit(b, reservation);
	assert(r->status == CORE_RES_HELD);
	r->status = status;
	for (int32_t i = 0; i < r->seat_count; i++) {
		struct core_row *row = find(b, CORE_ROW_SEAT, r->show_id, r->seats[i]);
		if (((const struct core_seat *)row->now)->reservation_id != r->reservation_id)
			continue; /* taken over once the hold had lapsed */
		struct core_seat *s = edit(b, row);
		s->status = CORE_SEAT_FREE;
		s->reservation_id = s->user_id = s->held_until = 0;
		core_assert_seat(s);
	}
	change_version(b, r->show_id, status == CORE_RES_EXPIRED ? VERSION_LAPSED : VERSION_DECIDED);
	core_assert_reservation(r);
}

void core_sell(struct core_batch *b, struct core_row *reservation, int64_t payment_id)
{
	struct core_reservation *r = edit(b, reservation);
	assert(core_reservation_at(r, b->now) == CORE_RES_HELD); /* I2 */
	r->status = CORE_RES_PAID;
	r->paid_at = b->now;
	r->payment_id = payment_id;
	for (int32_t i = 0; i < r->seat_count; i++) {
		struct core_seat *s = edit(b, find(b, CORE_ROW_SEAT, r->show_id, r->seats[i]));
		assert(s->status == CORE_SEAT_HELD && s->reservation_id == r->reservation_id); /* I1 */
		s->status = CORE_SEAT_SOLD;
		s->held_until = 0;
		core_assert_seat(s);
	}
	change_version(b, r->show_id, VERSION_DECIDED);
	core_assert_reservation(r);
}

void core_cancel(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply)
{
	struct core_row *row = find(b, CORE_ROW_RESERVATION, cmd->u.cancel.reservation_id, 0);
	if (!row || !row->was || ((const struct core_reservation *)row->now)->user_id != cmd->auth_user_id) {
		reply->code = CORE_RESERVATION_NOT_FOUND;
		return;
	}
	if (core_reservation_at(row->now, b->now) != CORE_RES_HELD) {
		reply->code = CORE_NOT_HELD;
		return;
	}

	/* nothing fails from here */
	core_release(b, row, CORE_RES_CANCELLED);
	reply->reservation = *(const struct core_reservation *)row->now;
}
