/* decide.c: the way of every command, idempotency, and the tick. See core.h. */
#include "core/internal.h"

#include <assert.h>
#include <string.h>

/* ---- I8: a key has one effect ---- */

static struct core_row *key_row(const struct core_batch *b, const struct core_cmd *cmd)
{
	return core_row_find(b->rows, CORE_ROW_KEY, cmd->auth_user_id, 0, cmd->key);
}

static bool key_lives(const struct core_key_record *k, int64_t now)
{
	return now - k->created_at < JARI_KEY_LIFE_MS;
}

bool core_replay(const struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply)
{
	if (cmd->key.n == 0)
		return false;
	const struct core_row *row = key_row(b, cmd);
	const struct core_key_record *k = row ? row->now : NULL;
	if (!k || !key_lives(k, b->now))
		return false;
	if (memcmp(k->digest, cmd->digest, sizeof k->digest) != 0) {
		reply->code = CORE_IDEMPOTENCY_KEY_REUSED;
		return true;
	}
	reply->replayed = true;
	reply->replay_status = k->status;
	reply->replay_body = k->body;
	return true;
}

void core_keep_answer(struct core_batch *b, const struct core_cmd *cmd, int32_t status, struct text body)
{
	struct core_key_record fresh = {
	    .user_id = cmd->auth_user_id,
	    .key = cmd->key,
	    .status = status,
	    .body = body,
	    .created_at = b->now,
	};
	memcpy(fresh.digest, cmd->digest, sizeof fresh.digest);
	struct core_row *row = key_row(b, cmd);
	if (!row || !row->now) {
		(void)core_row_create(b->rows, CORE_ROW_KEY, &fresh);
		return;
	}
	assert(!key_lives(row->now, b->now));
	*(struct core_key_record *)edit(b, row) = fresh;
}

/* ---- the tick: ends what has lapsed, admits who is next. No decision waits for it ---- */

static void end_due_holds(struct core_batch *b, struct core_reply *reply)
{
	const struct core_list *due = list_of(b, CORE_LIST_DUE_HOLDS, 0, b->now);
	for (size_t i = 0; i < due->n; i++) {
		const struct core_reservation *r = due->rows[i]->now;
		if (r->status == CORE_RES_HELD && r->held_until <= b->now)
			core_release(b, due->rows[i], CORE_RES_EXPIRED);
	}
	reply->more |= !due->complete;
}

static void end_due_tickets(struct core_batch *b, struct core_reply *reply)
{
	const struct core_list *due = list_of(b, CORE_LIST_DUE_TICKETS, 0, b->now);
	for (size_t i = 0; i < due->n; i++) {
		const struct core_ticket *t = due->rows[i]->now;
		if ((t->status != CORE_ACTIVE && t->status != CORE_PASSED) || t->expires_at > b->now)
			continue;
		core_end_ticket(b, due->rows[i], CORE_TIMED_OUT);
		core_admit_next(b, t->queue_id);
	}
	reply->more |= !due->complete;
}

static void forget_due_keys(struct core_batch *b, struct core_reply *reply)
{
	const struct core_list *due = list_of(b, CORE_LIST_DUE_KEYS, 0, b->now - JARI_KEY_LIFE_MS);
	for (size_t i = 0; i < due->n; i++) {
		const struct core_key_record *k = due->rows[i]->now;
		if (k && !key_lives(k, b->now))
			core_row_delete(b->rows, due->rows[i]);
	}
	reply->more |= !due->complete;
}

/* One step of a queue: whoever is loaded of its line. Room that is left after that is for the next step, which need not wait. */
static void admit_step(struct core_batch *b, int64_t queue_id, struct core_reply *reply)
{
	core_admit_next(b, queue_id);
	const struct core_queue *q = get(b, CORE_ROW_QUEUE, queue_id, 0);
	const struct core_list *line = list_of(b, CORE_LIST_LINE, queue_id, 0);
	reply->more |= q && line && core_queue_has_room(q) && line->n == 0 && !line->complete;
}

static void tick(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply)
{
	end_due_holds(b, reply);
	end_due_tickets(b, reply);
	forget_due_keys(b, reply);
	for (size_t i = 0; i < cmd->u.tick.queue_count; i++)
		admit_step(b, cmd->u.tick.queue_ids[i], reply);
}

/* ---- the way of every command ---- */

void core_decide(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply)
{
	*reply = (struct core_reply){.code = CORE_OK};
	if (core_replay(b, cmd, reply))
		return;
	switch (cmd->op) {
	case CORE_JOIN:
		core_join(b, cmd, reply);
		break;
	case CORE_LEAVE:
		core_leave(b, cmd, reply);
		break;
	case CORE_HOLD:
		core_hold(b, cmd, reply);
		break;
	case CORE_CANCEL:
		core_cancel(b, cmd, reply);
		break;
	case CORE_CHARGE_WALLET:
		core_charge(b, cmd, reply);
		break;
	case CORE_PAY:
		core_pay(b, cmd, reply);
		break;
	case CORE_PATCH_QUEUE:
		core_patch_queue(b, cmd, reply);
		break;
	case CORE_PATCH_CONCERT:
		core_patch_concert(b, cmd, reply);
		break;
	case CORE_PATCH_SHOW:
		core_patch_show(b, cmd, reply);
		break;
	case CORE_ADD_CATALOGUE:
		core_add_catalogue(b, cmd, reply);
		break;
	case CORE_HEAR:
		core_hear(b, cmd);
		break;
	case CORE_TICK:
		tick(b, cmd, reply);
		break;
	}
}
