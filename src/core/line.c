/* line.c: queues and tickets.
 *
 *                    room and nobody waits
 *   (join) ──────────────────────────────────────> ACTIVE ──> EXPIRED (PAID, TIMED_OUT, LEFT)
 *      └────> WAITING ── lowest number, room ────────┘
 *              │  ^  └───────────────────────────────────────> EXPIRED (LEFT)
 *       silent v  │ heard from
 *              PASSED ───────────────────────────────────────> EXPIRED (LEFT, ABANDONED)
 *
 * I5: numbers are 1, 2, 3 … of a queue, given in the order of decision; core_join is the only place that gives one, and core_admit_next the
 * only one that admits somebody who waits: always the lowest waiting number. One who has fallen silent is passed over and keeps the number: back
 * in the line it is again before everybody who came later.
 * I6: active <= ceiling, the capacity or what was active when the capacity was lowered; nobody is admitted unless active < capacity. */
#include "core/internal.h"

#include <assert.h>
#include <string.h>

/* A queue's rate is a virtual scheduler (GCRA, ITU-T I.371): the next admission is due at rate_free_at, each moves it by one interval,
 * and it may lag behind the clock by JARI_RATE_BURST_MS so that a late tick catches up. */
static bool rate_allows(const struct core_queue *q, int64_t now)
{
	return q->rate_per_second == 0 || q->rate_free_at_us <= now * 1000;
}

static void rate_take(struct core_queue *q, int64_t now)
{
	if (q->rate_per_second == 0)
		return;
	int64_t earliest = (now - JARI_RATE_BURST_MS) * 1000;
	if (q->rate_free_at_us < earliest)
		q->rate_free_at_us = earliest;
	q->rate_free_at_us += 1000000 / q->rate_per_second;
}

bool core_queue_has_room(const struct core_queue *q)
{
	return !q->paused && q->waiting > 0 && q->active < q->capacity;
}

void core_set_ceiling(struct core_queue *q)
{
	q->ceiling = q->active > q->capacity ? q->active : q->capacity;
}

static void activate(struct core_batch *b, struct core_queue *q, struct core_ticket *t)
{
	t->status = CORE_ACTIVE;
	t->admitted_at = b->now;
	t->expires_at = b->now + b->rules->active_ms;
	q->active++;
	q->admitted++;
	rate_take(q, b->now);
}

void core_admit_next(struct core_batch *b, int64_t queue_id)
{
	struct core_row *queue = find(b, CORE_ROW_QUEUE, queue_id, 0);
	struct core_list *line = list_of(b, CORE_LIST_LINE, queue_id, 0);
	if (!queue || !queue->now || !line)
		return; /* not loaded: the next tick does it */
	const struct core_queue *seen = queue->now;
	while (line->n > 0 && core_queue_has_room(seen) && rate_allows(seen, b->now)) {
		struct core_row *first = line->rows[0];
		line->rows++;
		line->n--;
		line->cap--;
		if (((const struct core_ticket *)first->now)->status != CORE_WAITING)
			continue; /* left or admitted earlier in this batch */
		struct core_queue *q = edit(b, queue);
		struct core_ticket *t = edit(b, first);
		q->waiting--;
		activate(b, q, t);
		core_assert_queue(q);
		core_assert_ticket(t);
	}
}

void core_end_ticket(struct core_batch *b, struct core_row *ticket, enum core_ticket_reason reason)
{
	struct core_ticket *t = edit(b, ticket);
	struct core_queue *q = edit(b, find(b, CORE_ROW_QUEUE, t->queue_id, 0));
	struct core_ticket seen = core_ticket_at(t, b->now);
	if (seen.status == CORE_EXPIRED)
		reason = seen.reason;
	if (t->status == CORE_WAITING) {
		q->waiting--;
	} else if (t->status == CORE_PASSED) {
		q->passed--;
		t->expires_at = 0;
	} else {
		assert(t->status == CORE_ACTIVE);
		q->active--;
		core_set_ceiling(q);
	}
	t->status = CORE_EXPIRED;
	t->reason = reason;
	t->ended_at = b->now;
	struct core_list *live = list_of(b, CORE_LIST_LIVE_TICKET, t->queue_id, t->user_id);
	if (live)
		live->n = 0; /* at most this one: a person has one live ticket a queue */
	core_assert_queue(q);
	core_assert_ticket(t);
}

/* ---- heard from, or not ---- */

static void pass_over(struct core_batch *b, struct core_row *ticket, struct core_row *queue)
{
	const struct core_ticket *seen = ticket->now;
	if (seen->status != CORE_WAITING)
		return;
	struct core_ticket *t = edit(b, ticket);
	struct core_queue *q = edit(b, queue);
	t->status = CORE_PASSED;
	t->expires_at = b->now + b->rules->grace_ms;
	q->waiting--;
	q->passed++;
	core_assert_ticket(t);
	core_assert_queue(q);
}

/* What is loaded of the line is its beginning, in order, and lacks one who had been passed over; unless that was in this very batch, and standing
 * in it twice does no harm. */
static void put_in_line(struct core_batch *b, struct core_list *line, struct core_row *ticket)
{
	size_t at = line->n;
	while (at > 0 && line->rows[at - 1]->id.b > ticket->id.b)
		at--;
	if (at == line->n && !line->complete)
		return; /* others may stand between */
	core_list_add(b->rows, line, ticket);
	memmove(line->rows + at + 1, line->rows + at, (line->n - 1 - at) * sizeof(struct core_row *));
	line->rows[at] = ticket;
}

/* Puts one who was passed over back at its number. */
static void take_back(struct core_batch *b, struct core_row *ticket, struct core_row *queue)
{
	const struct core_ticket *seen = ticket->now;
	if (seen->status != CORE_PASSED || seen->expires_at <= b->now)
		return;
	struct core_ticket *t = edit(b, ticket);
	struct core_queue *q = edit(b, queue);
	t->status = CORE_WAITING;
	t->expires_at = 0;
	t->returned_at = b->now;
	q->passed--;
	q->waiting++;
	struct core_list *line = list_of(b, CORE_LIST_LINE, t->queue_id, 0);
	if (line)
		put_in_line(b, line, ticket);
	core_assert_ticket(t);
	core_assert_queue(q);
}

void core_hear(struct core_batch *b, const struct core_cmd *cmd)
{
	int64_t queue_id = cmd->u.hear.queue_id;
	struct core_row *queue = find(b, CORE_ROW_QUEUE, queue_id, 0);
	if (!queue || !queue->now)
		return;
	for (size_t i = 0; i < cmd->u.hear.silent_count; i++) {
		struct core_row *ticket = find(b, CORE_ROW_TICKET, queue_id, cmd->u.hear.silent[i]);
		if (ticket && ticket->now)
			pass_over(b, ticket, queue);
	}
	for (size_t i = 0; i < cmd->u.hear.back_count; i++) {
		struct core_row *ticket = find(b, CORE_ROW_TICKET, queue_id, cmd->u.hear.back[i]);
		if (ticket && ticket->now)
			take_back(b, ticket, queue);
	}
}

/* ---- taking a place, leaving ---- */

static struct core_row *find_or_add_user(struct core_batch *b, struct text name)
{
	struct core_list *named = core_list_find(b->rows, CORE_LIST_USER_NAMED, 0, 0, name);
	if (named->n > 0)
		return named->rows[0];
	struct core_user fresh = {.user_id = draw_id(b, CORE_ID_USER), .name = name, .created_at = b->now};
	core_assert_user(&fresh);
	struct core_row *row = core_row_create(b->rows, CORE_ROW_USER, &fresh);
	core_list_add(b->rows, named, row);
	return row;
}

static struct core_row *issue(struct core_batch *b, struct core_row *queue, int64_t user_id)
{
	struct core_queue *q = edit(b, queue);
	struct core_ticket fresh = {
	    .queue_id = q->queue_id,
	    .number = ++q->last_number,
	    .user_id = user_id,
	    .status = CORE_WAITING,
	    .issued_at = b->now,
	};
	if (!q->paused && q->waiting == 0 && q->active < q->capacity && rate_allows(q, b->now))
		activate(b, q, &fresh);
	else
		q->waiting++;
	core_assert_queue(q);
	core_assert_ticket(&fresh);
	return core_row_create(b->rows, CORE_ROW_TICKET, &fresh);
}

static void reply_ticket(struct core_reply *reply, const struct core_row *ticket, const struct core_row *user)
{
	reply->ticket = *(const struct core_ticket *)ticket->now;
	reply->user = *(const struct core_user *)user->now;
}

void core_join(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply)
{
	int64_t queue_id = CORE_DEFAULT_QUEUE;
	if (cmd->u.join.concert_id) {
		const struct core_concert *concert = get(b, CORE_ROW_CONCERT, cmd->u.join.concert_id, 0);
		queue_id = concert ? concert->queue_id : 0;
	}
	struct core_row *queue = find(b, CORE_ROW_QUEUE, queue_id, 0);
	if (!queue || !queue->now) {
		reply->code = CORE_CONCERT_NOT_FOUND;
		return;
	}

	/* nothing fails from here */
	struct core_row *user = find_or_add_user(b, cmd->u.join.username);
	int64_t user_id = user->id.a;
	struct core_list *live = core_list_make(b->rows, CORE_LIST_LIVE_TICKET, queue_id, user_id, NO_TEXT);
	if (live->n > 0) {
		const struct core_ticket *t = live->rows[0]->now;
		if (core_ticket_at(t, b->now).status != CORE_EXPIRED) {
			take_back(b, live->rows[0], queue);
			reply_ticket(reply, live->rows[0], user);
			return;
		}
		core_end_ticket(b, live->rows[0], CORE_TIMED_OUT);
		core_admit_next(b, queue_id);
	}
	struct core_row *ticket = issue(b, queue, user_id);
	core_list_add(b->rows, live, ticket);
	struct core_list *line = list_of(b, CORE_LIST_LINE, queue_id, 0);
	if (line && line->complete)
		core_list_add(b->rows, line, ticket);
	reply->created = true;
	reply_ticket(reply, ticket, user);
}

void core_leave(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply)
{
	struct core_row *ticket = find(b, CORE_ROW_TICKET, cmd->auth_queue_id, cmd->auth_number);
	if (!ticket || !ticket->now) {
		reply->code = CORE_TOKEN_INVALID;
		return;
	}
	const struct core_ticket *t = ticket->now;
	if (t->status == CORE_EXPIRED)
		return;

	/* nothing fails from here */
	core_end_ticket(b, ticket, CORE_LEFT);
	core_admit_next(b, t->queue_id);
}
