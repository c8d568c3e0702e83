/* core.h: the rules. From (rows, command, now) to (changed rows, reply).
 *
 * The core does no I/O, asks no clock, draws no random number and takes memory only from the batch's arena. It is the one place where
 * the invariants I1 to I10 (docs/ARCHITECTURE.md) are decided; each decision asserts them on the rows that it touched.
 *
 * How a command is decided, always in this order:
 *   1. core_plan names what it needs, twice: what it can name from itself, then what it can name from what that brought.
 *   2. core_decide looks for the idempotent answer, then checks existence, admission, state and money, changing nothing.
 *   3. From a line marked "nothing fails from here" on, it changes rows and fills the reply.
 *
 * Nobody has been told yet of what a batch makes, so its commands do not see each other's new reservations and concerts; they see each
 * other's users, places in line, seats, balances and idempotency keys. What changes which shows there are, or when, is decided in a batch of
 * its own (core_alone): the plan of the others could not know.
 *
 * Threads: one batch, one thread. Errors: a reply's code; an error has changed no row (I10). */
#ifndef JARI_CORE_CORE_H
#define JARI_CORE_CORE_H

#include "core/errors.h"
#include "core/rows.h"
#include "core/types.h"

/* What the organiser has set. */
struct core_rules {
	int64_t hold_ms, active_ms;
	int64_t grace_ms; /* how long a place in the line is kept for one who is not heard from */
	int64_t seats_per_user;
};

/* Ids that the store has set aside for this batch; each draw takes the next. Ids left over may be lost: only ticket numbers are
 * without gaps. */
struct core_ids {
	int64_t next, end; /* next .. end - 1 are free */
};
enum core_id_kind {
	CORE_ID_USER,
	CORE_ID_RESERVATION,
	CORE_ID_ENTRY,
	CORE_ID_AUDIT,
	CORE_ID_QUEUE,
	CORE_ID_CONCERT,
	CORE_ID_SHOW,
	CORE_ID_KINDS
};

enum core_op {
	CORE_JOIN = 1, /* take a place in a queue */
	CORE_LEAVE,    /* give up a place */
	CORE_HOLD,     /* hold seats */
	CORE_CANCEL,   /* give up a hold */
	CORE_CHARGE_WALLET,
	CORE_PAY,
	CORE_PATCH_QUEUE,
	CORE_PATCH_CONCERT,
	CORE_PATCH_SHOW,
	CORE_ADD_CATALOGUE,
	CORE_HEAR, /* who has fallen silent in the line, and who is heard from again */
	CORE_TICK  /* end what has lapsed, admit who is next */
};

/* ---- catalogue documents ---- */

struct core_new_queue {
	struct text name;
	int64_t capacity, rate_per_second;
};
struct core_new_seats { /* seats from .. to of one section at one price */
	struct text section;
	int64_t from, to, price;
};
struct core_new_show {
	int64_t starts_at;
	int32_t date;
	const struct core_new_seats *seats; /* none: seats 1 .. JARI_SEATS_PER_SHOW_DEFAULT are the caller's to fill in */
	size_t seats_count;
};
struct core_new_concert {
	struct text title, artist, venue;
	struct text queue; /* its name; empty: the default queue */
	int64_t sales_open_at;
	const struct core_new_show *shows;
	size_t show_count;
};
struct core_catalogue {
	const struct core_new_queue *queues;
	size_t queue_count;
	const struct core_new_concert *concerts;
	size_t concert_count;
};

/* What the free seats of a section cost from now on. */
struct core_new_price {
	struct text section;
	int64_t price;
};

/* ---- commands ---- */

struct core_cmd {
	enum core_op op;

	/* who: the ticket whose token came with the request, and its user. Not for JOIN, what an organiser does, TICK. */
	int64_t auth_queue_id, auth_number, auth_user_id;

	/* the idempotency key, empty when none came (CHARGE_WALLET, HOLD, PAY) */
	struct text key;
	uint8_t digest[CORE_DIGEST_BYTES];

	union {
		struct {
			struct text username;
			int64_t concert_id; /* 0: the default queue */
		} join;
		struct {
			int64_t concert_id;
			int64_t show_id; /* 0: by date */
			int32_t date;
			const int64_t *seats; /* different from each other; the caller's memory until the reply */
			size_t seat_count;
			int64_t best_count;       /* > 0: best available instead of seats */
			struct text best_section; /* empty: any */
		} hold;
		struct {
			int64_t reservation_id;
		} cancel;
		struct {
			int64_t user_id; /* of the path */
			int64_t amount;
		} charge;
		struct {
			int64_t reservation_id;
			bool has_amount;
			int64_t amount;
		} pay;
		struct {
			int64_t queue_id;
			bool has_capacity, has_rate, has_paused;
			int64_t capacity, rate_per_second;
			bool paused;
			struct text actor;
		} patch;
		struct {
			int64_t concert_id;
			bool has_title, has_artist, has_venue, has_sales_open_at;
			struct text title, artist, venue;
			bool no_sales_open_at; /* with has_sales_open_at: sales are open from now on, without an instant */
			int64_t sales_open_at;
			struct text actor;
		} patch_concert;
		struct {
			int64_t show_id;
			bool has_starts_at, has_closed, closed;
			int64_t starts_at;
			int32_t date;                        /* of starts_at where the venue is */
			const struct core_new_price *prices; /* the caller's memory until the reply */
			size_t price_count;
			struct text actor;
		} patch_show;
		struct {
			const struct core_catalogue *doc;
			struct text actor;
			bool
			    only_if_empty; /* --demo: nothing when there is a concert already; the store is asked by the caller */
		} catalogue;
		struct {
			int64_t queue_id;
			const int64_t *silent; /* numbers; tickets of other states are left as they are */
			size_t silent_count;
			const int64_t *back;
			size_t back_count;
		} hear;
		struct {
			const int64_t *queue_ids; /* queues that may have room and somebody waiting */
			size_t queue_count;
		} tick;
	} u;
};

struct core_reply {
	enum core_code code;

	/* A kept answer (I8): send exactly this. */
	bool replayed;
	int32_t replay_status;
	struct text replay_body;

	bool created;                        /* JOIN: a new ticket, 201 */
	struct core_ticket ticket;           /* JOIN; NOT_ADMITTED: the ticket as it is now */
	struct core_user user;               /* JOIN, CHARGE, PAY: with the balance as it is now */
	struct core_queue queue;             /* PATCH_QUEUE */
	struct core_concert concert;         /* PATCH_CONCERT */
	struct core_show show;               /* HOLD, as it was before; PATCH_SHOW */
	int64_t repriced, prices_kept;       /* PATCH_SHOW: seats whose price was set, and held ones that kept theirs */
	struct core_reservation reservation; /* HOLD, PAY; its arrays are the batch arena's */
	struct core_entry entry;             /* CHARGE, PAY */

	/* INSUFFICIENT_BALANCE: user.balance and this */
	int64_t required;
	/* SALES_NOT_OPEN */
	int64_t sales_open_at;
	/* SEAT_TAKEN, SEAT_NOT_FOUND: the seats concerned */
	const int64_t *seats;
	size_t seat_count;
	/* ALREADY_YOURS */
	int64_t reservation_id;
	/* LIMIT_EXCEEDED */
	int64_t limit;
	/* INVALID_REQUEST of what an organiser does: where (a JSON path such as concerts[0].shows[1].startsAt) and what, in the arena */
	struct text where, what;
	/* ADD_CATALOGUE: in the document's order */
	const int64_t *queue_ids, *concert_ids, *show_ids;
	size_t queue_id_count, concert_id_count, show_id_count;

	/* TICK: something was left for the next one */
	bool more;
};

struct core_batch {
	struct core_rows *rows;
	const struct core_rules *rules;
	struct core_ids ids[CORE_ID_KINDS];
	int64_t now;
};

/* The most ids of each kind that this command can draw, added to `counts`. */
void core_ids_wanted(const struct core_cmd *cmd, int64_t counts[CORE_ID_KINDS]);

/* True when the command must be the only one of its batch. */
bool core_alone(const struct core_cmd *cmd);

/* Names what the command needs and `rows` does not have. Call, load, and call again until core_rows_needy says no: at most
 * CORE_PLAN_ROUNDS loads. */
#define CORE_PLAN_ROUNDS 3
void core_plan(const struct core_batch *batch, const struct core_cmd *cmd);

/* Decides the command on the rows. Texts and arrays of the reply are the arena's. */
void core_decide(struct core_batch *batch, const struct core_cmd *cmd, struct core_reply *reply);

/* Keeps the answer that was given to a command with an idempotency key. Call it after core_decide said CORE_OK and not replayed. */
void core_keep_answer(struct core_batch *batch, const struct core_cmd *cmd, int32_t status, struct text body);

/* ---- whose the accounts are ---- */

/* What names stand for, as a number that stores keep: the same for as long as they stand for the same people. `issuer` is who signs people in and
 * gives them their names; empty: a name is an account, whoever says it. Never 0. Source: FNV-1a. It is in stores, so it stays as it is. */
int64_t core_realm(struct text issuer);
#define CORE_REALM_OF_NAMES 1 /* core_realm of no issuer */
/* Whether names may stand for `is` in a store in which they stood for `was` (0: not known). A wallet must not become somebody else's because a server
 * was started in another way; where nobody has an account yet (`used` false), or the organiser says that the same people are meant, it may. */
bool core_realm_may(int64_t was, int64_t is, bool used, bool same_people);

/* ---- the same rules for reads: what a row is at an instant, whether or not a tick has been by ---- */

/* The ticket as the world sees it at `now`: an active place that has lapsed is EXPIRED (TIMED_OUT), one that was passed over WAITING, or
 * EXPIRED (ABANDONED) when its grace is over. */
struct core_ticket core_ticket_at(const struct core_ticket *t, int64_t now);
/* True when the ticket's token opens its owner's wallet and reservations: while it waits or is active, and for
 * JARI_TOKEN_LIFE_MS from its issue. */
bool core_token_opens(const struct core_ticket *t, int64_t now);
/* I9: CORE_OK, CORE_WRONG_QUEUE or CORE_NOT_ADMITTED for a ticket at a concert whose queue is `queue_id`. */
enum core_code core_admission(const struct core_ticket *t, int64_t queue_id, int64_t now);
/* I2: the reservation's status at `now`: a hold at or past its end is EXPIRED. */
enum core_reservation_status core_reservation_at(const struct core_reservation *r, int64_t now);
/* A seat's status at `now`: a hold at or past its end is free. */
enum core_seat_status core_seat_at(enum core_seat_status status, int64_t held_until, int64_t now);
/* True when the queue has room, somebody waits and it is not paused (its rate may still say: not yet). */
bool core_queue_has_room(const struct core_queue *q);
/* True when a show that starts then can be booked, unless it is closed. */
bool core_show_bookable(int64_t starts_at, int64_t now);
/* The shows of one date, for which of them the date stands: what has not begun, and where all has, what has begun. All zeros begins. */
struct core_date {
	size_t coming, begun;
};
/* Counts one more of them. True when, of those so far, it is the one that is meant; another may be as well, when there are several of its kind. */
bool core_date_means(struct core_date *date, int64_t starts_at, int64_t now);
/* True when the show can be booked: it is not closed and has not begun. */
bool core_show_on_sale(const struct core_show *show, int64_t now);

/* "WAITING", "PAID", … as they stand in JSON. */
const char *core_ticket_status_name(enum core_ticket_status s);
const char *core_ticket_reason_name(enum core_ticket_reason r); /* NULL for none */
const char *core_seat_status_name(enum core_seat_status s);
const char *core_reservation_status_name(enum core_reservation_status s);
const char *core_entry_type_name(enum core_entry_type t);

#endif
