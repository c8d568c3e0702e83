/* core_world.h: the little world that test_core.c and test_core_effects.c decide in, and the way of one command through it.
 *
 * At NOW, in the default queue (capacity 2): ada (1) is active for 1 ms more, bob's (2) active place has just lapsed, cho (3) and
 * dan (4) wait. In queue 2 (capacity 1): ada has left, cho is active. Concert 1 is of queue 1, concert 2 of queue 2, concert 3 of
 * queue 1 with sales from NOW + 1.
 * Each decision is taken on a store in memory, so that the lists a command asks for are loaded as they are in earnest. */
#ifndef JARI_TESTS_CORE_WORLD_H
#define JARI_TESTS_CORE_WORLD_H

#include "base/limits.h"
#include "core/core.h"
#include "store/store.h"
#include <string.h>

#define NOW 1800000000000LL
#define DAY_MS (24LL * 3600 * 1000)

enum { ADA = 1, BOB, CHO, DAN };

struct world {
	struct store *store;
	struct arena arena; /* of the last command */
	struct core_rows rows;
	struct core_rules rules;
};

/* ---- commands ---- */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Who sends the command: a ticket of theirs. */
#define AS(queue, user) .auth_queue_id = (queue), .auth_number = (user), .auth_user_id = (user)
#define AS_ADA AS(1, ADA)
#define AS_BOB AS(1, BOB)
#define AS_CHO AS(1, CHO)
#define AS_DAN AS(1, DAN)
#define AS_CHO_IN_CLUB .auth_queue_id = 2, .auth_number = 2, .auth_user_id = CHO
#define AS_ADA_ENDED .auth_queue_id = 2, .auth_number = 1, .auth_user_id = ADA

#define SEATS(...) .seats = (const int64_t[]){__VA_ARGS__}, .seat_count = sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)
#define HOLD(who, ...)                                          \
	{                                                       \
		.op = CORE_HOLD, who, .u.hold = { __VA_ARGS__ } \
	}
#define PAY(who, id)                                                    \
	{                                                               \
		.op = CORE_PAY, who, .u.pay = {.reservation_id = (id) } \
	}
#define PAY_AMOUNT(who, id, n)                                                                             \
	{                                                                                                  \
		.op = CORE_PAY, who, .u.pay = {.reservation_id = (id), .has_amount = true, .amount = (n) } \
	}
#define CANCEL(who, id)                                                       \
	{                                                                     \
		.op = CORE_CANCEL, who, .u.cancel = {.reservation_id = (id) } \
	}
#define CHARGE(who, user, n)                                                                   \
	{                                                                                      \
		.op = CORE_CHARGE_WALLET, who, .u.charge = {.user_id = (user), .amount = (n) } \
	}
#define JOIN(name, concert)                                                                   \
	{                                                                                     \
		.op = CORE_JOIN, .u.join = {.username = TEXT(name), .concert_id = (concert) } \
	}
#define LEAVE(who)                    \
	{                             \
		.op = CORE_LEAVE, who \
	}
#define PATCH(queue, ...)                                                                                      \
	{                                                                                                      \
		.op = CORE_PATCH_QUEUE, .u.patch = {.queue_id = (queue), .actor = TEXT("admin"), __VA_ARGS__ } \
	}

/* ---- making it ---- */

#define MAKE(w, kind, type, ...) ((void)core_row_create(&(w)->rows, kind, &(struct type){__VA_ARGS__}))

static inline void world_seats(struct world *w, int64_t show, int64_t concert, int64_t starts_at, int32_t date)
{
	MAKE(w, CORE_ROW_SHOW, core_show, .show_id = show, .concert_id = concert, .starts_at = starts_at, .date = date,
	     .total_seats = 10, .version = 1);
	for (int64_t n = 1; n <= 10; n++)
		MAKE(w, CORE_ROW_SEAT, core_seat, .show_id = show, .seat_number = n, .section = n <= 6 ? TEXT("A") : TEXT("B"),
		     .price = n == 10 ? 0 : 100);
}

static inline void world_ticket(struct world *w, int64_t queue, int64_t number, int64_t user, enum core_ticket_status status,
                                int64_t expires_at)
{
	MAKE(w, CORE_ROW_TICKET, core_ticket, .queue_id = queue, .number = number, .user_id = user, .status = status,
	     .reason = status == CORE_EXPIRED ? CORE_LEFT : CORE_REASON_NONE, .issued_at = NOW - 600000,
	     .admitted_at = expires_at ? expires_at - 600000 : 0, .expires_at = expires_at,
	     .ended_at = status == CORE_EXPIRED ? NOW - 1 : 0);
}

/* One reservation of one seat; its ticket is the user's in queue 1. */
static inline void world_reservation(struct world *w, int64_t id, int64_t user, int64_t show, int64_t seat,
                                     enum core_reservation_status status, int64_t held_until)
{
	int64_t *seats = arena_copy(&w->arena, &seat, sizeof(seat));
	bool paid = status == CORE_RES_PAID || status == CORE_RES_REFUNDED;
	struct core_row *row = core_row_find(&w->rows, CORE_ROW_SEAT, show, seat, (struct text){0});
	struct core_seat *s = row->now;

	MAKE(w, CORE_ROW_RESERVATION, core_reservation, .reservation_id = id, .user_id = user, .concert_id = 1, .show_id = show,
	     .queue_id = 1, .ticket_number = user, .date = 20270101, .total_price = s->price, .status = status,
	     .held_until = held_until, .created_at = NOW - 300000, .paid_at = paid ? NOW - 1000 : 0,
	     .payment_id = paid ? 1000000 + id : 0, .seat_count = 1, .seats = seats);
	if (status != CORE_RES_HELD && status != CORE_RES_PAID)
		return;
	s->status = status == CORE_RES_PAID ? CORE_SEAT_SOLD : CORE_SEAT_HELD;
	s->reservation_id = id;
	s->user_id = user;
	s->held_until = status == CORE_RES_HELD ? held_until : 0;
}

static inline void world_people(struct world *w)
{
	struct core_queue *q = core_row_edit(&w->rows, core_row_find(&w->rows, CORE_ROW_QUEUE, 1, 0, (struct text){0}));

	q->capacity = q->ceiling = 2;
	q->last_number = 4;
	q->waiting = q->active = q->admitted = 2;
	MAKE(w, CORE_ROW_QUEUE, core_queue, .queue_id = 2, .name = TEXT("club"), .capacity = 1, .ceiling = 1, .last_number = 2,
	     .active = 1, .admitted = 1);
	MAKE(w, CORE_ROW_USER, core_user, .user_id = ADA, .name = TEXT("ada"), .balance = 1000, .created_at = 1);
	MAKE(w, CORE_ROW_USER, core_user, .user_id = BOB, .name = TEXT("bob"), .balance = 0, .created_at = 1);
	MAKE(w, CORE_ROW_USER, core_user, .user_id = CHO, .name = TEXT("cho"), .balance = JARI_BALANCE_MAX - 10, .created_at = 1);
	MAKE(w, CORE_ROW_USER, core_user, .user_id = DAN, .name = TEXT("dan"), .balance = 99, .created_at = 1);
	world_ticket(w, 1, ADA, ADA, CORE_ACTIVE, NOW + 1);
	world_ticket(w, 1, BOB, BOB, CORE_ACTIVE, NOW);
	world_ticket(w, 1, CHO, CHO, CORE_WAITING, 0);
	world_ticket(w, 1, DAN, DAN, CORE_WAITING, 0);
	world_ticket(w, 2, 1, ADA, CORE_EXPIRED, 0);
	world_ticket(w, 2, 2, CHO, CORE_ACTIVE, NOW + 1000);
}

static inline void world_concerts(struct world *w)
{
	for (int64_t id = 1; id <= 3; id++)
		MAKE(w, CORE_ROW_CONCERT, core_concert, .concert_id = id, .queue_id = id == 2 ? 2 : 1, .title = TEXT("t"),
		     .artist = TEXT("a"), .venue = TEXT("v"), .sales_open_at = id == 3 ? NOW + 1 : 0);
	world_seats(w, 1, 1, NOW + DAY_MS, 20270101);
	world_seats(w, 2, 1, NOW + DAY_MS, 20270102);
	world_seats(w, 3, 1, NOW + DAY_MS, 20270102); /* two on one day */
	world_seats(w, 4, 1, NOW, 20270103);          /* has begun */
	world_seats(w, 5, 1, NOW + 1, 20270103);      /* begins in a moment */
	world_seats(w, 6, 2, NOW + DAY_MS, 20270101);
	world_seats(w, 7, 3, NOW + DAY_MS, 20270101);
}

static inline void world_reservations(struct world *w)
{
	world_reservation(w, 1, ADA, 1, 1, CORE_RES_HELD, NOW + 1);
	world_reservation(w, 2, BOB, 1, 3, CORE_RES_HELD, NOW); /* has lapsed */
	world_reservation(w, 3, ADA, 1, 4, CORE_RES_PAID, NOW + 1000);
	world_reservation(w, 4, ADA, 1, 7, CORE_RES_CANCELLED, NOW + 1000);
	world_reservation(w, 5, ADA, 1, 7, CORE_RES_EXPIRED, NOW - 1000);
	world_reservation(w, 6, BOB, 1, 5, CORE_RES_HELD, NOW + 1000);
	world_reservation(w, 7, ADA, 1, 10, CORE_RES_HELD, NOW + 1000); /* costs nothing */
	world_reservation(w, 8, ADA, 1, 7, CORE_RES_REFUNDED, NOW + 1000);
	world_reservation(w, 9, ADA, 1, 7, CORE_RES_CANCELLED, NOW - 1000);
	world_reservation(w, 10, BOB, 7, 1, CORE_RES_HELD, NOW + 1000);
	world_reservation(w, 11, DAN, 2, 1, CORE_RES_HELD, NOW + 1000);
}

/* ada's key "old" lives 1 ms more, "dead" has just ended; both were of a request with a digest of ones. */
static inline void world_keys(struct world *w)
{
	struct core_key_record k = {
	    .user_id = ADA, .key = TEXT("old"), .status = 201, .body = TEXT("{}"), .created_at = NOW - DAY_MS + 1};

	memset(k.digest, 1, sizeof(k.digest));
	(void)core_row_create(&w->rows, CORE_ROW_KEY, &k);
	k.key = TEXT("dead");
	k.created_at = NOW - DAY_MS;
	(void)core_row_create(&w->rows, CORE_ROW_KEY, &k);
}

static inline bool world_begin(struct world *w, int64_t at)
{
	int64_t now = at;

	arena_reset(&w->arena);
	core_rows_init(&w->rows, &w->arena, 64);
	return store_begin(w->store, &now) == STORE_OK && now == at;
}

static inline bool world_save(struct world *w, int64_t at)
{
	return store_commit(w->store, &w->rows, at) == STORE_OK;
}

/* An empty store and a batch in it, with the default queue loaded. */
static inline bool world_open(struct world *w)
{
	struct store_options options = {.url = "memory:", .mode = STORE_SERVE, .queue_capacity = 2};
	char error[STORE_ERROR_SIZE];

	*w = (struct world){.rules = {.hold_ms = 300000, .active_ms = 600000, .seats_per_user = 4}};
	if (store_open(&options, &w->store, error) != STORE_OK || !world_begin(w, NOW - 1000))
		return false;
	core_need_row(&w->rows, CORE_ROW_QUEUE, 1, 0, (struct text){0});
	return store_load(w->store, &w->rows) == STORE_OK;
}

static inline bool world_make(struct world *w)
{
	struct core_ids drop;

	if (!world_open(w))
		return false;
	for (int kind = 0; kind < CORE_ID_KINDS; kind++) /* what is drawn later must not be what is used here */
		if (store_ids(w->store, (enum core_id_kind)kind, 100, &drop) != STORE_OK)
			return false;
	world_people(w);
	world_concerts(w);
	world_reservations(w);
	world_keys(w);
	return world_save(w, NOW - 1000);
}

static inline void world_end(struct world *w)
{
	store_rollback(w->store);
	store_close(w->store);
	arena_free(&w->arena);
}

/* ---- deciding in it ---- */

/* Decides commands in a batch of their own that is still to be saved; false when the store or the plan fails. */
static inline bool world_decide_all(struct world *w, const struct core_cmd *cmds, size_t n, int64_t at,
                                    struct core_reply *replies)
{
	int64_t counts[CORE_ID_KINDS] = {0};
	struct core_batch batch = {.rows = &w->rows, .rules = &w->rules, .now = at};

	if (!world_begin(w, at))
		return false;
	for (int round = 0; round <= CORE_PLAN_ROUNDS; round++) {
		for (size_t i = 0; i < n; i++)
			core_plan(&batch, &cmds[i]);
		if (!core_rows_needy(&w->rows))
			break;
		if (round == CORE_PLAN_ROUNDS || store_load(w->store, &w->rows) != STORE_OK)
			return false;
	}
	for (size_t i = 0; i < n; i++)
		core_ids_wanted(&cmds[i], counts);
	for (int kind = 0; kind < CORE_ID_KINDS; kind++)
		if (counts[kind] > 0 && store_ids(w->store, (enum core_id_kind)kind, counts[kind], &batch.ids[kind]) != STORE_OK)
			return false;
	for (size_t i = 0; i < n; i++)
		core_decide(&batch, &cmds[i], &replies[i]);
	return true;
}

static inline bool world_decide(struct world *w, const struct core_cmd *cmd, int64_t at, struct core_reply *reply)
{
	return world_decide_all(w, cmd, 1, at, reply);
}

static inline bool world_changed(const struct world *w)
{
	return core_rows_dirty(&w->rows) != NULL;
}

/* A row as the command has left it; NULL when it was not touched or is not there. */
static inline const void *world_row(const struct world *w, enum core_kind kind, int64_t a, int64_t b)
{
	return core_row_get(&w->rows, kind, a, b, (struct text){0});
}

#endif
