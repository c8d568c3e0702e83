/* plan.c: what a command needs to be decided, named in rounds. See core.h.
 *
 * A round names what the command and the rows of the rounds before give keys for. Asking again for what is known costs a look-up
 * and no load, so each function simply says all it knows each time. */
#include "core/internal.h"

static void need(const struct core_batch *b, enum core_kind kind, int64_t x, int64_t y)
{
	core_need_row(b->rows, kind, x, y, NO_TEXT);
}

static void need_key(const struct core_batch *b, const struct core_cmd *cmd)
{
	if (cmd->key.n > 0)
		core_need_row(b->rows, CORE_ROW_KEY, cmd->auth_user_id, 0, cmd->key);
}

/* A slot may become free: whoever is next must be at hand. */
static void need_line(const struct core_batch *b, int64_t queue_id, int64_t slots)
{
	need(b, CORE_ROW_QUEUE, queue_id, 0);
	core_need_list(b->rows, CORE_LIST_LINE, queue_id, 0, NO_TEXT, slots);
}

static void plan_join(const struct core_batch *b, const struct core_cmd *cmd)
{
	core_need_list(b->rows, CORE_LIST_USER_NAMED, 0, 0, cmd->u.join.username, 1);
	int64_t queue_id = CORE_DEFAULT_QUEUE;
	if (cmd->u.join.concert_id) {
		need(b, CORE_ROW_CONCERT, cmd->u.join.concert_id, 0);
		const struct core_concert *concert = get(b, CORE_ROW_CONCERT, cmd->u.join.concert_id, 0);
		if (!concert)
			return;
		queue_id = concert->queue_id;
	}
	need(b, CORE_ROW_QUEUE, queue_id, 0);
	const struct core_list *named = core_list_find(b->rows, CORE_LIST_USER_NAMED, 0, 0, cmd->u.join.username);
	if (!named || named->n == 0)
		return;
	int64_t user_id = named->rows[0]->id.a;
	core_need_list(b->rows, CORE_LIST_LIVE_TICKET, queue_id, user_id, NO_TEXT, 1);
	const struct core_list *live = list_of(b, CORE_LIST_LIVE_TICKET, queue_id, user_id);
	if (live && live->n > 0 && core_ticket_at(live->rows[0]->now, b->now).status == CORE_EXPIRED)
		need_line(b, queue_id, 1);
}

static void plan_leave(const struct core_batch *b, const struct core_cmd *cmd)
{
	need(b, CORE_ROW_TICKET, cmd->auth_queue_id, cmd->auth_number);
	need(b, CORE_ROW_QUEUE, cmd->auth_queue_id, 0);
	/* One who leaves the line takes a place of what is loaded of it, one who was active frees a slot. */
	const struct core_ticket *t = get(b, CORE_ROW_TICKET, cmd->auth_queue_id, cmd->auth_number);
	if (t && t->status != CORE_EXPIRED)
		need_line(b, cmd->auth_queue_id, 1);
}

static void need_hold_seats(const struct core_batch *b, const struct core_cmd *cmd, int64_t show_id)
{
	core_need_list(b->rows, CORE_LIST_USER_SEATS, show_id, cmd->auth_user_id, NO_TEXT, 0);
	if (cmd->u.hold.best_count > 0)
		core_need_list(b->rows, CORE_LIST_SHOW_SEATS, show_id, 0, NO_TEXT, 0);
	for (size_t i = 0; i < cmd->u.hold.seat_count; i++)
		need(b, CORE_ROW_SEAT, show_id, cmd->u.hold.seats[i]);
}

/* A show that is named by its id is taken at its word: its seats come in the same round, which a store across a network feels. */
static void plan_hold(const struct core_batch *b, const struct core_cmd *cmd)
{
	need_key(b, cmd);
	need(b, CORE_ROW_TICKET, cmd->auth_queue_id, cmd->auth_number);
	need(b, CORE_ROW_CONCERT, cmd->u.hold.concert_id, 0);
	if (cmd->u.hold.show_id) {
		need(b, CORE_ROW_SHOW, cmd->u.hold.show_id, 0);
		need_hold_seats(b, cmd, cmd->u.hold.show_id);
		return;
	}
	core_need_list(b->rows, CORE_LIST_SHOWS_ON, cmd->u.hold.concert_id, cmd->u.hold.date, NO_TEXT, 0);
	struct core_show *show;
	if (core_shows_meant(b, cmd, &show) == 1)
		need_hold_seats(b, cmd, show->show_id);
}

static void need_reservation_seats(const struct core_batch *b, const struct core_reservation *r)
{
	need(b, CORE_ROW_SHOW, r->show_id, 0);
	for (int32_t i = 0; i < r->seat_count; i++)
		need(b, CORE_ROW_SEAT, r->show_id, r->seats[i]);
}

static void plan_cancel(const struct core_batch *b, const struct core_cmd *cmd)
{
	need(b, CORE_ROW_RESERVATION, cmd->u.cancel.reservation_id, 0);
	const struct core_reservation *r = get(b, CORE_ROW_RESERVATION, cmd->u.cancel.reservation_id, 0);
	if (r && r->user_id == cmd->auth_user_id && r->status == CORE_RES_HELD)
		need_reservation_seats(b, r);
}

static void plan_charge(const struct core_batch *b, const struct core_cmd *cmd)
{
	need_key(b, cmd);
	need(b, CORE_ROW_USER, cmd->auth_user_id, 0);
}

static void plan_pay(const struct core_batch *b, const struct core_cmd *cmd)
{
	need_key(b, cmd);
	need(b, CORE_ROW_USER, cmd->auth_user_id, 0);
	need(b, CORE_ROW_RESERVATION, cmd->u.pay.reservation_id, 0);
	const struct core_reservation *r = get(b, CORE_ROW_RESERVATION, cmd->u.pay.reservation_id, 0);
	if (!r || r->user_id != cmd->auth_user_id || r->status != CORE_RES_HELD)
		return;
	need_reservation_seats(b, r);
	need(b, CORE_ROW_TICKET, r->queue_id, r->ticket_number);
	need_line(b, r->queue_id, 1);
}

/* How many of the line a queue with room can take in one step. */
static int64_t room_step(const struct core_queue *q, int64_t capacity)
{
	int64_t room = capacity - q->active;
	return room < 1 ? 1 : room > JARI_TICK_STEP ? JARI_TICK_STEP : room;
}

static void plan_patch(const struct core_batch *b, const struct core_cmd *cmd)
{
	need(b, CORE_ROW_QUEUE, cmd->u.patch.queue_id, 0);
	const struct core_queue *q = get(b, CORE_ROW_QUEUE, cmd->u.patch.queue_id, 0);
	if (q && q->waiting > 0)
		need_line(b, q->queue_id, room_step(q, cmd->u.patch.has_capacity ? cmd->u.patch.capacity : q->capacity));
}

/* The show's row before its seats: it is the lock of them. */
static void plan_patch_show(const struct core_batch *b, const struct core_cmd *cmd)
{
	need(b, CORE_ROW_SHOW, cmd->u.patch_show.show_id, 0);
	if (cmd->u.patch_show.price_count > 0)
		core_need_list(b->rows, CORE_LIST_SHOW_SEATS, cmd->u.patch_show.show_id, 0, NO_TEXT, 0);
}

static void plan_catalogue(const struct core_batch *b, const struct core_cmd *cmd)
{
	const struct core_catalogue *doc = cmd->u.catalogue.doc;
	for (size_t i = 0; i < doc->queue_count; i++)
		core_need_list(b->rows, CORE_LIST_QUEUE_NAMED, 0, 0, doc->queues[i].name, 1);
	for (size_t i = 0; i < doc->concert_count; i++) {
		if (doc->concerts[i].queue.n > 0)
			core_need_list(b->rows, CORE_LIST_QUEUE_NAMED, 0, 0, doc->concerts[i].queue, 1);
	}
}

static void plan_hear(const struct core_batch *b, const struct core_cmd *cmd)
{
	need(b, CORE_ROW_QUEUE, cmd->u.hear.queue_id, 0);
	for (size_t i = 0; i < cmd->u.hear.silent_count; i++)
		need(b, CORE_ROW_TICKET, cmd->u.hear.queue_id, cmd->u.hear.silent[i]);
	for (size_t i = 0; i < cmd->u.hear.back_count; i++)
		need(b, CORE_ROW_TICKET, cmd->u.hear.queue_id, cmd->u.hear.back[i]);
}

static void plan_tick(const struct core_batch *b, const struct core_cmd *cmd)
{
	core_need_list(b->rows, CORE_LIST_DUE_HOLDS, 0, b->now, NO_TEXT, JARI_TICK_STEP);
	core_need_list(b->rows, CORE_LIST_DUE_TICKETS, 0, b->now, NO_TEXT, JARI_TICK_STEP);
	core_need_list(b->rows, CORE_LIST_DUE_KEYS, 0, b->now - JARI_KEY_LIFE_MS, NO_TEXT, JARI_TICK_STEP);
	for (size_t i = 0; i < cmd->u.tick.queue_count; i++) {
		need(b, CORE_ROW_QUEUE, cmd->u.tick.queue_ids[i], 0);
		const struct core_queue *q = get(b, CORE_ROW_QUEUE, cmd->u.tick.queue_ids[i], 0);
		if (q)
			need_line(b, q->queue_id, room_step(q, q->capacity));
	}
	const struct core_list *holds = list_of(b, CORE_LIST_DUE_HOLDS, 0, b->now);
	for (size_t i = 0; holds && i < holds->n; i++)
		need_reservation_seats(b, holds->rows[i]->now);
	const struct core_list *tickets = list_of(b, CORE_LIST_DUE_TICKETS, 0, b->now);
	for (size_t i = 0; tickets && i < tickets->n; i++)
		need_line(b, tickets->rows[i]->id.a, 1);
}

bool core_alone(const struct core_cmd *cmd)
{
	return cmd->op == CORE_ADD_CATALOGUE || cmd->op == CORE_PATCH_CONCERT || cmd->op == CORE_PATCH_SHOW;
}

void core_plan(const struct core_batch *b, const struct core_cmd *cmd)
{
	switch (cmd->op) {
	case CORE_JOIN:
		plan_join(b, cmd);
		break;
	case CORE_LEAVE:
		plan_leave(b, cmd);
		break;
	case CORE_HOLD:
		plan_hold(b, cmd);
		break;
	case CORE_CANCEL:
		plan_cancel(b, cmd);
		break;
	case CORE_CHARGE_WALLET:
		plan_charge(b, cmd);
		break;
	case CORE_PAY:
		plan_pay(b, cmd);
		break;
	case CORE_PATCH_QUEUE:
		plan_patch(b, cmd);
		break;
	case CORE_PATCH_CONCERT:
		need(b, CORE_ROW_CONCERT, cmd->u.patch_concert.concert_id, 0);
		break;
	case CORE_PATCH_SHOW:
		plan_patch_show(b, cmd);
		break;
	case CORE_ADD_CATALOGUE:
		plan_catalogue(b, cmd);
		break;
	case CORE_HEAR:
		plan_hear(b, cmd);
		break;
	case CORE_TICK:
		plan_tick(b, cmd);
		break;
	}
}

void core_ids_wanted(const struct core_cmd *cmd, int64_t counts[CORE_ID_KINDS])
{
	switch (cmd->op) {
	case CORE_JOIN:
		counts[CORE_ID_USER]++;
		break;
	case CORE_HOLD:
		counts[CORE_ID_RESERVATION]++;
		break;
	case CORE_CHARGE_WALLET:
	case CORE_PAY:
		counts[CORE_ID_ENTRY]++;
		break;
	case CORE_PATCH_QUEUE:
	case CORE_PATCH_CONCERT:
	case CORE_PATCH_SHOW:
		counts[CORE_ID_AUDIT]++;
		break;
	case CORE_ADD_CATALOGUE: {
		const struct core_catalogue *doc = cmd->u.catalogue.doc;
		counts[CORE_ID_AUDIT]++;
		counts[CORE_ID_QUEUE] += (int64_t)doc->queue_count;
		counts[CORE_ID_CONCERT] += (int64_t)doc->concert_count;
		for (size_t i = 0; i < doc->concert_count; i++)
			counts[CORE_ID_SHOW] += (int64_t)doc->concerts[i].show_count;
		break;
	}
	case CORE_LEAVE:
	case CORE_CANCEL:
	case CORE_HEAR:
	case CORE_TICK:
		break;
	}
}
