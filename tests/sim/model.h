/* model.h: Jari's rules a second time, as plainly as they can be said: arrays, loops over everything, no indexes.
 *
 * Written from the HTTP contract, not from src/core, and sharing nothing with it but the row types. model_check takes a command,
 * the instant and the core's answer; it works out the answer itself, compares, and moves on. What the core may choose (new ids,
 * which seats are best) the model takes from the answer and checks for what must hold.
 * Ownership: a struct model is one flat block; a copy of it is a snapshot. Threads: one. Errors: false, with a sentence in
 * m->why. */
#ifndef JARI_TESTS_MODEL_H
#define JARI_TESTS_MODEL_H

#include "base/limits.h"
#include "core/core.h"

enum {
	MODEL_USERS = 16,
	MODEL_QUEUES = 8,
	MODEL_CONCERTS = 80,
	MODEL_SHOWS = 200,
	MODEL_SEATS = 10, /* of a show */
	MODEL_TICKETS = 3000,
	MODEL_RESERVATIONS = 2000,
	MODEL_ENTRIES = 4000,
	MODEL_KEYS = 2000,
	MODEL_NAME = 24,
	MODEL_DECIDED = 2 /* what a hold, payment, cancellation or change adds to a show's version; a lapse adds 1 */
};

struct model_user {
	int64_t id, balance;
	char name[MODEL_NAME];
};
struct model_queue {
	int64_t id, capacity, rate, free_at_us, last_number, waiting, passed, active, admitted;
	bool paused;
	char name[MODEL_NAME];
};
struct model_ticket {
	int64_t queue_id, number, user_id, issued_at, admitted_at, expires_at;
	enum core_ticket_status
	    status; /* as it must be stored: an active place that has lapsed is ACTIVE until something ends it, one passed over for too
		       long PASSED */
	enum core_ticket_reason reason;
	bool returned; /* was passed over once, and taken back */
};
struct model_concert {
	int64_t id, queue_id, sales_open_at, revenue;
	char title[MODEL_NAME];
};
struct model_seat {
	int64_t number, price;
	char section;
};
struct model_show {
	int64_t id, concert_id, starts_at;
	int32_t date;
	bool closed;
	int seat_count;
	int64_t changes;       /* MODEL_DECIDED for each hold, payment, cancellation and change of an organiser */
	int64_t first_version; /* -1 until it was seen */
	struct model_seat seats[MODEL_SEATS];
};
struct model_reservation {
	int64_t id, user_id, concert_id, show_id, queue_id, ticket_number, total, held_until, created_at, paid_at, payment_id;
	enum core_reservation_status status; /* a hold that has lapsed stays HELD here: what it is follows from the clock */
	int seat_count;
	int64_t seats[MODEL_SEATS];
};
struct model_entry {
	int64_t id, user_id, amount, after, reservation_id, concert_id, created_at;
	enum core_entry_type type;
};
struct model_key {
	int64_t user_id, created_at, answer;
	char key[MODEL_NAME];
	uint8_t digest[CORE_DIGEST_BYTES];
};

/* How many tickets of a queue the core has admitted up to now. A command may fill more places than the one that it freed; in a
 * batch with others it may also leave a place to the next tick. */
typedef int64_t (*model_admitted_fn)(void *arg, int64_t queue_id);

struct model {
	struct core_rules rules;
	int users, queues, concerts, shows, tickets, reservations, entries, keys;
	struct model_user user[MODEL_USERS];
	struct model_queue queue[MODEL_QUEUES];
	struct model_concert concert[MODEL_CONCERTS];
	struct model_show show[MODEL_SHOWS];
	struct model_ticket ticket[MODEL_TICKETS];
	struct model_reservation reservation[MODEL_RESERVATIONS];
	struct model_entry entry[MODEL_ENTRIES];
	struct model_key key[MODEL_KEYS];
	int64_t answers; /* the number of the next kept answer */
	bool alone;      /* the command is the only one of its batch: then nothing may be left to the next tick */
	model_admitted_fn admitted;
	void *admitted_arg;
	char why[512];
};

/* Compares the core's answer to `cmd` at `now` with the model's own, and moves on. */
bool model_check(struct model *m, const struct core_cmd *cmd, int64_t now, const struct core_reply *reply,
                 model_admitted_fn admitted, void *arg);

/* What the one has, the other has: only as much as there is, since the arrays are long. */
void model_copy(struct model *to, const struct model *from);

/* The body and the status that the test keeps for the answer of that number. */
size_t model_answer(int64_t number, char out[MODEL_NAME]);
#define MODEL_ANSWER_STATUS(number) (200 + (int32_t)((number) % 2))

/* Puts a sentence in m->why; returns false. */
bool model_fail(struct model *m, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- looking ---- */

#define MODEL_FIND(name, type, array, count)                         \
	static inline struct type *name(struct model *m, int64_t id) \
	{                                                            \
		for (int i = 0; i < m->count; i++)                   \
			if (m->array[i].id == id)                    \
				return &m->array[i];                 \
		return NULL;                                         \
	}
MODEL_FIND(model_user, model_user, user, users)
MODEL_FIND(model_queue, model_queue, queue, queues)
MODEL_FIND(model_concert, model_concert, concert, concerts)
MODEL_FIND(model_show, model_show, show, shows)
MODEL_FIND(model_reservation, model_reservation, reservation, reservations)
#undef MODEL_FIND

static inline struct model_seat *model_seat(struct model_show *s, int64_t number)
{
	for (int i = 0; i < s->seat_count; i++)
		if (s->seats[i].number == number)
			return &s->seats[i];
	return NULL;
}

static inline struct model_ticket *model_ticket(struct model *m, int64_t queue_id, int64_t number)
{
	for (int i = 0; i < m->tickets; i++)
		if (m->ticket[i].queue_id == queue_id && m->ticket[i].number == number)
			return &m->ticket[i];
	return NULL;
}

static inline bool model_has_seat(const struct model_reservation *r, int64_t seat)
{
	for (int i = 0; i < r->seat_count; i++)
		if (r->seats[i] == seat)
			return true;
	return false;
}

static inline enum core_reservation_status model_status(const struct model_reservation *r, int64_t now)
{
	return r->status == CORE_RES_HELD && now >= r->held_until ? CORE_RES_EXPIRED : r->status;
}

static inline bool model_has_claim(const struct model_reservation *r, int64_t now)
{
	return model_status(r, now) == CORE_RES_HELD || r->status == CORE_RES_PAID;
}

/* Who has the seat at `now`: a paid reservation or a hold that has not lapsed; NULL when it is free. */
static inline struct model_reservation *model_owner(struct model *m, int64_t show_id, int64_t seat, int64_t now)
{
	for (int i = 0; i < m->reservations; i++) {
		struct model_reservation *r = &m->reservation[i];

		if (r->show_id == show_id && model_has_claim(r, now) && model_has_seat(r, seat))
			return r;
	}
	return NULL;
}

static inline bool model_active(const struct model_ticket *t, int64_t now)
{
	return t->status == CORE_ACTIVE && now < t->expires_at;
}

/* Passed over, and the place is not lost yet. */
static inline bool model_passed(const struct model_ticket *t, int64_t now)
{
	return t->status == CORE_PASSED && now < t->expires_at;
}

static inline bool model_token_opens(const struct model_ticket *t, int64_t now)
{
	return t->status == CORE_WAITING || model_passed(t, now) || model_active(t, now) ||
	       now - t->issued_at < JARI_TOKEN_LIFE_MS;
}

#endif
