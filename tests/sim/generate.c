#include "sim.h"

#include "base/limits.h"
#include <stdio.h>
#include <string.h>

#define SECOND 1000LL
#define DAY (24 * 3600 * SECOND)

static const struct text names[] = {TEXT("ada"), TEXT("bob"), TEXT("cho"), TEXT("dan"), TEXT("eve"), TEXT("김자리"),
                                    TEXT("gus"), TEXT("hal"), TEXT("ida"), TEXT("jun"), TEXT("kim"), TEXT("Ada")};
static const struct text keys[] = {TEXT("k0"), TEXT("k1"), TEXT("k2"), TEXT("k3"),
                                   TEXT("k4"), TEXT("k5"), TEXT("k6"), TEXT("k7")};
static const struct text sections[] = {TEXT("A"), TEXT("B"), TEXT("Z")};
/* all of them divide a million */
static const int64_t rates[] = {0, 0, 1, 2, 4, 5, 10, 20};

#define PICK(s, array) array[sim_below(s, (int64_t)(sizeof(array) / sizeof(array[0])))]

/* SplitMix64 (Steele, Lea and Flood 2014). */
int64_t sim_below(struct sim *s, int64_t n)
{
	uint64_t z = s->random += 0x9E3779B97F4A7C15ULL;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
	z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
	return (int64_t)((z ^ z >> 31) % (uint64_t)n);
}

bool sim_chance(struct sim *s, int percent)
{
	return sim_below(s, 100) < percent;
}

/* One of the last `recent` of `count`. */
static int recent_of(struct sim *s, int count, int recent)
{
	return count - 1 - (int)sim_below(s, count < recent ? count : recent);
}

/* ---- who ---- */

/* A ticket whose token opens, of the user if one is given; NULL when luck has none. */
static struct model_ticket *some_ticket(struct sim *s, int64_t user_id, bool active)
{
	for (int tries = 0; tries < 40 && s->m->tickets > 0; tries++) {
		struct model_ticket *t = &s->m->ticket[recent_of(s, s->m->tickets, 60)];

		if (!model_token_opens(t, s->now) || (user_id && t->user_id != user_id) || (active && !model_active(t, s->now)))
			continue;
		return t;
	}
	return NULL;
}

static bool authenticate(struct sim *s, struct core_cmd *cmd, int64_t user_id, bool active)
{
	struct model_ticket *t = some_ticket(s, user_id, active);

	if (!t)
		return false;
	cmd->auth_queue_id = t->queue_id;
	cmd->auth_number = t->number;
	cmd->auth_user_id = t->user_id;
	return true;
}

/* ---- what ---- */

static void make_join(struct sim *s, struct core_cmd *cmd)
{
	*cmd = (struct core_cmd){.op = CORE_JOIN};
	cmd->u.join.username = PICK(s, names);
	if (s->m->concerts > 0 && sim_chance(s, 85))
		cmd->u.join.concert_id = s->m->concert[recent_of(s, s->m->concerts, 6)].id;
	if (sim_chance(s, 2))
		cmd->u.join.concert_id = 999999;
}

static void choose_show(struct sim *s, struct core_cmd *cmd)
{
	struct model_show *show = &s->m->show[recent_of(s, s->m->shows, 12)];

	/* mostly one of the ticket's own queue */
	for (int tries = 0; tries < 30 && model_concert(s->m, show->concert_id)->queue_id != cmd->auth_queue_id; tries++)
		show = &s->m->show[recent_of(s, s->m->shows, 12)];
	cmd->u.hold.concert_id = show->concert_id;
	if (sim_chance(s, 60))
		cmd->u.hold.show_id = show->id;
	else
		cmd->u.hold.date = show->date;
	if (sim_chance(s, 2))
		cmd->u.hold.concert_id = sim_chance(s, 50) ? 999999 : s->m->concert[recent_of(s, s->m->concerts, 6)].id;
	if (sim_chance(s, 2) && cmd->u.hold.show_id)
		cmd->u.hold.show_id = 999999;
}

static bool listed(const int64_t *seats, size_t n, int64_t seat)
{
	for (size_t i = 0; i < n; i++)
		if (seats[i] == seat)
			return true;
	return false;
}

static void choose_seats(struct sim *s, struct core_cmd *cmd)
{
	int64_t *seats = arena_alloc(&s->arena, SIM_HOLD_SEATS * sizeof(*seats));
	size_t wanted = 1 + (size_t)(sim_chance(s, 50) ? 0 : sim_below(s, 3));
	struct model_show *show = cmd->u.hold.show_id ? model_show(s->m, cmd->u.hold.show_id) : NULL;

	if (sim_chance(s, 35)) {
		cmd->u.hold.best_count = 1 + sim_below(s, 4);
		if (sim_chance(s, 40))
			cmd->u.hold.best_section = sections[sim_chance(s, 90) ? sim_below(s, 2) : 2];
		return;
	}
	for (size_t i = 0; i < wanted; i++) {
		int64_t seat;

		do {
			seat = 1 + sim_below(s, 6);
			if (show && sim_chance(s, 70))
				seat = show->seats[sim_below(s, show->seat_count)].number;
			if (sim_chance(s, 2))
				seat = 1000;
		} while (listed(seats, i, seat));
		seats[i] = seat;
	}
	cmd->u.hold.seats = seats;
	cmd->u.hold.seat_count = wanted;
}

static bool make_hold(struct sim *s, struct core_cmd *cmd)
{
	*cmd = (struct core_cmd){.op = CORE_HOLD};
	if (s->m->shows == 0 || !authenticate(s, cmd, 0, sim_chance(s, 85)))
		return false;
	choose_show(s, cmd);
	choose_seats(s, cmd);
	return true;
}

/* A reservation, and mostly its owner's token. */
static bool choose_reservation(struct sim *s, struct core_cmd *cmd, int64_t *id)
{
	struct model_reservation *r;

	if (s->m->reservations == 0)
		return false;
	r = &s->m->reservation[recent_of(s, s->m->reservations, 25)];
	for (int tries = 0; tries < 6 && model_status(r, s->now) != CORE_RES_HELD; tries++)
		r = &s->m->reservation[recent_of(s, s->m->reservations, 25)];
	*id = sim_chance(s, 2) ? 999999 : r->id;
	return authenticate(s, cmd, sim_chance(s, 95) ? r->user_id : 0, false);
}

static bool make_cancel(struct sim *s, struct core_cmd *cmd)
{
	*cmd = (struct core_cmd){.op = CORE_CANCEL};
	return choose_reservation(s, cmd, &cmd->u.cancel.reservation_id);
}

static bool make_pay(struct sim *s, struct core_cmd *cmd)
{
	struct model_reservation *r;

	*cmd = (struct core_cmd){.op = CORE_PAY};
	if (!choose_reservation(s, cmd, &cmd->u.pay.reservation_id))
		return false;
	r = model_reservation(s->m, cmd->u.pay.reservation_id);
	cmd->u.pay.has_amount = sim_chance(s, 30);
	if (cmd->u.pay.has_amount)
		cmd->u.pay.amount = (r ? r->total : 0) + (sim_chance(s, 20) ? 1 : 0);
	return true;
}

static bool make_charge(struct sim *s, struct core_cmd *cmd)
{
	*cmd = (struct core_cmd){.op = CORE_CHARGE_WALLET};
	if (!authenticate(s, cmd, 0, false))
		return false;
	cmd->u.charge.user_id = sim_chance(s, 4) ? cmd->auth_user_id + 1 : cmd->auth_user_id;
	cmd->u.charge.amount = sim_chance(s, 8) ? JARI_CHARGE_MAX : 1 + sim_below(s, 400);
	return true;
}

static bool make_leave(struct sim *s, struct core_cmd *cmd)
{
	*cmd = (struct core_cmd){.op = CORE_LEAVE};
	return authenticate(s, cmd, 0, false);
}

static void make_patch(struct sim *s, struct core_cmd *cmd)
{
	*cmd = (struct core_cmd){.op = CORE_PATCH_QUEUE};
	cmd->u.patch.queue_id = sim_chance(s, 4) ? 999 : s->m->queue[sim_below(s, s->m->queues)].id;
	cmd->u.patch.actor = TEXT("admin");
	cmd->u.patch.has_capacity = sim_chance(s, 50);
	cmd->u.patch.capacity = 1 + sim_below(s, 5);
	cmd->u.patch.has_rate = sim_chance(s, 40);
	cmd->u.patch.rate_per_second = PICK(s, rates);
	cmd->u.patch.has_paused = sim_chance(s, 70);
	cmd->u.patch.paused = sim_chance(s, 30);
}

static const struct text titles[] = {TEXT("title"), TEXT("the \"other\" one"), TEXT("새 이름")};

static void make_patch_concert(struct sim *s, struct core_cmd *cmd)
{
	*cmd = (struct core_cmd){.op = CORE_PATCH_CONCERT};
	cmd->u.patch_concert.concert_id = sim_chance(s, 6) ? 999999 : s->m->concert[recent_of(s, s->m->concerts, 6)].id;
	cmd->u.patch_concert.actor = TEXT("admin");
	cmd->u.patch_concert.has_title = sim_chance(s, 60);
	cmd->u.patch_concert.title = PICK(s, titles);
	cmd->u.patch_concert.has_sales_open_at = !cmd->u.patch_concert.has_title || sim_chance(s, 50);
	cmd->u.patch_concert.sales_open_at = s->now + sim_below(s, 40 * SECOND) - 30 * SECOND;
	if (!sim_chance(s, 10))
		return;
	cmd->u.patch_concert.has_venue = true; /* an empty one */
	cmd->u.patch_concert.actor = TEXT("wrong");
}

static void move_show(struct sim *s, struct core_cmd *cmd)
{
	char instant[TEXT_INSTANT_SIZE];
	int64_t same;

	cmd->u.patch_show.has_starts_at = true;
	cmd->u.patch_show.starts_at = s->now + (sim_chance(s, 20) ? sim_below(s, 120 * SECOND) : sim_below(s, 3 * DAY));
	struct text t = {instant, text_instant_format(cmd->u.patch_show.starts_at, instant)};
	if (!text_instant_parse(t, &same, &cmd->u.patch_show.date))
		cmd->u.patch_show.date = 19700101;
}

static bool make_patch_show(struct sim *s, struct core_cmd *cmd)
{
	struct core_new_price *prices = arena_alloc(&s->arena, 2 * sizeof(*prices));

	if (s->m->shows == 0)
		return false;
	*cmd = (struct core_cmd){.op = CORE_PATCH_SHOW};
	cmd->u.patch_show.show_id = sim_chance(s, 4) ? 999999 : s->m->show[recent_of(s, s->m->shows, 12)].id;
	cmd->u.patch_show.actor = TEXT("admin");
	if (sim_chance(s, 25))
		move_show(s, cmd);
	prices[0] = (struct core_new_price){sections[0], sim_below(s, 4) * 50};
	prices[1] = (struct core_new_price){sections[1], 20 + sim_below(s, 3) * 10};
	cmd->u.patch_show.prices = prices;
	cmd->u.patch_show.price_count = (size_t)sim_below(s, 3);
	cmd->u.patch_show.has_closed = sim_chance(s, 60) || (!cmd->u.patch_show.has_starts_at && cmd->u.patch_show.price_count == 0);
	cmd->u.patch_show.closed = sim_chance(s, 30);
	if (cmd->u.patch_show.price_count == 2 && sim_chance(s, 15)) {
		prices[1].section = sections[sim_chance(s, 50) ? 0 : 2]; /* twice, or not there */
		cmd->u.patch_show.actor = TEXT("wrong");
		if (cmd->u.patch_show.show_id == 999999)
			cmd->u.patch_show.show_id = s->m->show[0].id;
	}
	return true;
}

static void make_tick(struct sim *s, struct core_cmd *cmd)
{
	int64_t *ids = arena_alloc(&s->arena, MODEL_QUEUES * sizeof(*ids));

	*cmd = (struct core_cmd){.op = CORE_TICK};
	cmd->u.tick.queue_ids = ids;
	for (int i = 0; i < s->m->queues; i++)
		if (sim_chance(s, 80))
			ids[cmd->u.tick.queue_count++] = s->m->queue[i].id;
}

/* Some of a queue's tickets, whatever their state: what the engine has seen of it may be old. */
static bool make_hear(struct sim *s, struct core_cmd *cmd)
{
	int64_t *numbers = arena_alloc(&s->arena, 2 * SIM_HEARD * sizeof(*numbers));

	if (s->m->tickets == 0)
		return false;
	*cmd = (struct core_cmd){.op = CORE_HEAR};
	cmd->u.hear.queue_id = s->m->ticket[recent_of(s, s->m->tickets, 60)].queue_id;
	cmd->u.hear.silent = numbers;
	cmd->u.hear.back = numbers + SIM_HEARD;
	for (int i = 0; i < SIM_HEARD; i++) {
		const struct model_ticket *t = &s->m->ticket[recent_of(s, s->m->tickets, 60)];

		if (t->queue_id != cmd->u.hear.queue_id)
			continue;
		if (sim_chance(s, 50))
			numbers[cmd->u.hear.silent_count++] = t->number;
		else
			numbers[SIM_HEARD + cmd->u.hear.back_count++] = t->number;
	}
	return true;
}

/* ---- idempotency keys ---- */

static void mix(uint64_t *h, int64_t v)
{
	*h = (*h ^ (uint64_t)v) * 0x100000001B3ULL;
	*h ^= *h >> 29;
}

/* Stands for the digest of method, path and body. */
static void set_digest(struct core_cmd *cmd)
{
	uint64_t h = 0xCBF29CE484222325ULL;

	mix(&h, cmd->op);
	if (cmd->op == CORE_HOLD) {
		mix(&h, cmd->u.hold.concert_id);
		mix(&h, cmd->u.hold.show_id);
		mix(&h, cmd->u.hold.date);
		mix(&h, cmd->u.hold.best_count);
		mix(&h, cmd->u.hold.best_section.n ? cmd->u.hold.best_section.p[0] : 0);
		for (size_t i = 0; i < cmd->u.hold.seat_count; i++)
			mix(&h, cmd->u.hold.seats[i]);
	} else if (cmd->op == CORE_PAY) {
		mix(&h, cmd->u.pay.reservation_id);
		mix(&h, cmd->u.pay.has_amount ? cmd->u.pay.amount : -1);
	} else {
		mix(&h, cmd->u.charge.user_id);
		mix(&h, cmd->u.charge.amount);
	}
	for (size_t i = 0; i < CORE_DIGEST_BYTES; i += sizeof(h)) {
		memcpy(cmd->digest + i, &h, sizeof(h));
		mix(&h, (int64_t)i);
	}
}

static void remember(struct sim *s, const struct core_cmd *cmd)
{
	struct sim_sent *sent = &s->sent[s->sent_count++ % SIM_MEMORY];

	sent->cmd = *cmd;
	if (cmd->op == CORE_HOLD && cmd->u.hold.seat_count > 0)
		memcpy(sent->seats, cmd->u.hold.seats, cmd->u.hold.seat_count * sizeof(sent->seats[0]));
}

/* Sends one of the last commands with a key again, with any token of the same user. */
static bool again(struct sim *s, struct core_cmd *cmd)
{
	struct sim_sent *sent;

	if (s->sent_count == 0)
		return false;
	sent = &s->sent[sim_below(s, s->sent_count < SIM_MEMORY ? s->sent_count : SIM_MEMORY)];
	*cmd = sent->cmd;
	if (cmd->op == CORE_HOLD)
		cmd->u.hold.seats = arena_copy(&s->arena, sent->seats, sizeof(sent->seats));
	return authenticate(s, cmd, cmd->auth_user_id, false);
}

static void give_key(struct sim *s, struct core_cmd *cmd)
{
	cmd->key = PICK(s, keys);
	set_digest(cmd);
	remember(s, cmd);
}

/* ---- any ---- */

static bool make_any(struct sim *s, struct core_cmd *cmd)
{
	int64_t r = sim_below(s, 100);

	if (r < 5)
		return again(s, cmd);
	if (r < 24) {
		make_join(s, cmd);
		return true;
	}
	if (r < 29)
		return make_leave(s, cmd);
	if (r < 34)
		return make_cancel(s, cmd);
	if (r < 45) {
		make_tick(s, cmd);
		return true;
	}
	if (r < 48) {
		make_patch(s, cmd);
		return true;
	}
	if (r < 52)
		return make_hear(s, cmd);
	if (r < 53) {
		make_patch_concert(s, cmd);
		return true;
	}
	if (r < 55)
		return make_patch_show(s, cmd);
	bool made = r < 58 ? make_charge(s, cmd) : r < 75 ? make_pay(s, cmd) : make_hold(s, cmd);
	if (made && sim_chance(s, 35))
		give_key(s, cmd);
	return made;
}

void sim_command(struct sim *s, struct core_cmd *cmd)
{
	if (!make_any(s, cmd))
		make_join(s, cmd);
}

/* ---- catalogues ---- */

enum wrong { RIGHT, QUEUE_TAKEN, QUEUE_TWICE, QUEUE_UNKNOWN, SEAT_TWICE, WRONG_KINDS };

static struct text queue_name(struct sim *s, int64_t v)
{
	char name[MODEL_NAME];
	int n = snprintf(name, sizeof(name), "queue %lld", (long long)v);

	return arena_text(&s->arena, (struct text){name, (size_t)n});
}

static void make_show(struct sim *s, struct core_new_show *show, enum wrong wrong)
{
	struct core_new_seats *seats = arena_alloc(&s->arena, 2 * sizeof(*seats));
	int64_t first = 2 + sim_below(s, 3), gap = sim_chance(s, 20) ? 5 : 0;
	char instant[TEXT_INSTANT_SIZE];
	int64_t same;

	show->starts_at = s->now + (sim_chance(s, 20) ? sim_below(s, 120 * SECOND) : sim_below(s, 3 * DAY));
	struct text t = {instant, text_instant_format(show->starts_at, instant)};
	if (!text_instant_parse(t, &same, &show->date))
		show->date = 19700101;
	seats[0] = (struct core_new_seats){sections[0], 1, first, sim_below(s, 3) * 50};
	seats[1] = (struct core_new_seats){sections[1], first + 1 + gap, first + gap + 2 + sim_below(s, 3), 30};
	if (wrong == SEAT_TWICE)
		seats[1].from = first;
	show->seats = seats;
	show->seats_count = 2;
}

void sim_catalogue(struct sim *s, struct core_cmd *cmd, int queues, int concerts, bool may_be_wrong)
{
	enum wrong wrong = may_be_wrong && sim_chance(s, 25) ? 1 + (enum wrong)sim_below(s, WRONG_KINDS - 1) : RIGHT;
	struct core_catalogue *doc = arena_alloc(&s->arena, sizeof(*doc));
	struct core_new_queue *q = arena_alloc(&s->arena, (size_t)(queues + 2) * sizeof(*q));
	struct core_new_concert *c = arena_alloc(&s->arena, (size_t)concerts * sizeof(*c));

	for (int i = 0; i < queues; i++)
		q[i] = (struct core_new_queue){queue_name(s, ++s->queues_made), 1 + sim_below(s, 4), PICK(s, rates)};
	if (wrong == QUEUE_TAKEN)
		q[queues++] = (struct core_new_queue){TEXT("main"), 1, 0};
	if (wrong == QUEUE_TWICE) {
		q[queues++] = (struct core_new_queue){TEXT("twice"), 1, 0};
		q[queues++] = (struct core_new_queue){TEXT("twice"), 1, 0};
	}
	for (int i = 0; i < concerts; i++) {
		struct core_new_show *shows = arena_alloc(&s->arena, 3 * sizeof(*shows));

		c[i] = (struct core_new_concert){
		    TEXT("title"), TEXT("artist"), TEXT("venue"), TEXT(""), 0, shows, 1 + (size_t)sim_below(s, 3)};
		if (s->queues_made > 0 && sim_chance(s, 75))
			c[i].queue = queue_name(s, 1 + sim_below(s, s->queues_made));
		if (wrong == QUEUE_UNKNOWN)
			c[i].queue = TEXT("nowhere");
		if (sim_chance(s, 20))
			c[i].sales_open_at = s->now + sim_below(s, 100 * SECOND);
		for (size_t k = 0; k < c[i].show_count; k++)
			make_show(s, &shows[k], wrong);
		/* two on one day */
		if (c[i].show_count > 1 && sim_chance(s, 60)) {
			shows[1].starts_at = shows[0].starts_at + SECOND;
			shows[1].date = shows[0].date;
		}
	}
	*doc = (struct core_catalogue){q, (size_t)queues, c, (size_t)concerts};
	*cmd = (struct core_cmd){.op = CORE_ADD_CATALOGUE};
	cmd->u.catalogue.doc = doc;
	cmd->u.catalogue.actor = wrong ? TEXT("wrong") : TEXT("admin");
}
