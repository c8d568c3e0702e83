/* model.h: the read model: what everyone may look at without touching the store.
 *
 * The rows of each commit are published once it is durable; nothing is ever decided from it. Kept: queues with an exact rank of who waits, tickets
 * (live ones, and ended ones while their tokens open), the users of those tickets, concerts, shows, seats.
 *
 * A ticket costs 32 bytes in a chunk by number, its user some 40 and the name; the rank a bit.
 *
 * Who waits is heard from by looking (model_hear, under the readers' lock: one relaxed store). Nothing of that is written until it
 * matters: the committer asks who has fallen silent and who is back, and only those changes become commands.
 * Ownership: the model copies what it keeps. Threads: model_load before any other thread; model_publish and model_swap on the syncer's,
 * model_tend on the committer's; the looks (engine.h) on any: one readers-writer lock, held for a copy's time. */
#ifndef JARI_ENGINE_MODEL_H
#define JARI_ENGINE_MODEL_H

#include "base/rank.h"
#include "core/core.h"
#include "engine/flow.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>

#define MODEL_CHUNK STORE_HEARD_NUMBERS /* tickets of one queue with neighbouring numbers */

struct model_user {
	struct model_user *chain;
	int64_t user_id, balance;
	uint32_t refs; /* tickets in memory */
	uint16_t name_len;
	char name[];
};

enum model_asked {
	MODEL_NOT_ASKED,
	MODEL_ASKED, /* PASSED, and has asked since the row came: noted in `back` once */
	MODEL_SILENT /* WAITING, a batch may be passing it over, and it has not asked since that was made */
};

struct model_ticket {
	struct model_user *user; /* NULL: not in memory */
	int64_t issued_at, expires_at;
	uint8_t status, reason;
	_Atomic uint8_t asked;    /* enum model_asked */
	_Atomic uint8_t here;     /* heard from at this process, and the others were not told of it yet */
	_Atomic uint32_t heard_s; /* when it was last heard from, in seconds since the model began */
};

struct model_queue {
	struct core_queue row; /* its name is the model's */
	struct rank waiting;
	struct model_ticket **chunks;     /* chunk i has the numbers i * MODEL_CHUNK + 1 … ; NULL: none in memory */
	int64_t chunk_count, chunk_first; /* chunks below the first have been forgotten */
	int64_t let_in;                   /* how many of those who waited were let in since the model began */
	struct flow flow;
	int64_t read_to;     /* word has come of every ticket up to this number; of others' behind it, it may not have */
	int64_t silent_from; /* where the search for the silent goes on */
};

/* A ticket that was passed over and has asked again. */
struct model_back {
	int64_t queue_id, number;
};

struct model_seat {
	int64_t number, price, reservation_id, held_until;
	uint32_t section;
	uint8_t status;
};

/* A hold that no tick has ended yet. */
struct model_hold {
	int64_t held_until, reservation_id;
	int64_t seats; /* that still name it */
};

struct model_show {
	struct core_show row;
	struct model_seat *seats; /* by number */
	int64_t seat_count, seat_cap;
	struct text *sections;
	uint32_t section_count;
	struct model_hold *holds; /* room for them; by held_until, then id, they lie from hold_first on */
	int64_t hold_first, hold_count, hold_cap;
	int64_t held, sold, revenue; /* as stored */
	uint64_t state;              /* another one after every change */
};

struct model_concert {
	struct core_concert row;   /* its texts are the model's */
	struct model_show **shows; /* soonest first */
	int64_t show_count, show_cap;
};

/* Things by their id: ids are given out one after another, so an array serves. */
struct model_ids {
	void **p;
	int64_t n;
};

struct model {
	pthread_rwlock_t lock;
	struct model_ids queues, concerts, shows;
	struct model_user **users;
	size_t user_buckets, user_count;
	int64_t began_ms, now_ms; /* when the model began; the instant of the last commit */
	uint64_t states;          /* the last that was given to a show */
	pthread_mutex_t back_lock;
	struct model_back *back;
	size_t back_count, back_cap;
	struct text *kept; /* section texts of models that were swapped out */
	size_t kept_count;
};

void model_init(struct model *m);
void model_free(struct model *m);
/* Fills an empty model from the store: everything live, and every ticket whose token still opens at `now`. It begins then, unless it has a
 * beginning. */
enum store_result model_load(struct model *m, struct store *store, int64_t now);
/* Shows the rows that a commit at `now` has changed. */
void model_publish(struct model *m, const struct core_rows *rows, int64_t now);
/* Shows what `fresh`, read anew and with the same beginning, has, and leaves in it what was shown before. Who was heard from stays so. */
void model_swap(struct model *m, struct model *fresh);
/* Measures the flow of each queue and forgets tickets whose tokens no longer open; a step at a time. */
void model_tend(struct model *m, int64_t now);
/* Notes that a ticket has been heard from at `now`; the caller holds the readers' lock. */
void model_hear(struct model *m, const struct model_queue *q, struct model_ticket *t, int64_t number, int64_t now);
/* Who waits in a queue and has not been heard from for `idle_ms`: numbers into `out`, at most `max`. Looks at a stretch of the line at a
 * time and goes on from there at the next call. */
size_t model_silent(struct model *m, int64_t queue_id, int64_t now, int64_t idle_ms, int64_t *out, size_t max);
/* Takes out the numbers of one queue that were passed over and have asked again, at most `max`; *queue_id is that queue. */
size_t model_take_back(struct model *m, int64_t *queue_id, int64_t *out, size_t max);
/* Puts numbers back that were taken out, when nothing came of it. */
void model_put_back(struct model *m, int64_t queue_id, const int64_t *numbers, size_t n);
/* Where model_heard_here goes on; all 0 begins. */
struct model_place {
	int64_t queue_id, chunk;
};
/* Who was heard from at this process since it was last asked, of a stretch of the line, into `out`; at most `max`. *place goes on, and is all 0
 * again when everybody was looked at. */
size_t model_heard_here(struct model *m, struct model_place *place, struct store_heard *out, size_t max);
/* Takes them back, when nobody could be told. */
void model_heard_untold(struct model *m, const struct store_heard *heard, size_t n);
/* Notes who was heard from at another process. */
void model_heard_elsewhere(struct model *m, const struct store_heard *heard, int64_t now);
/* The second of `now` in heard_s. */
uint32_t model_second(const struct model *m, int64_t now);
/* The next queue behind that one in which somebody waits, round and round; 0: there is none. */
int64_t model_next_waiting(struct model *m, int64_t queue_id);
/* The queues that have room and somebody waiting, into `out`, at most `max`; returns how many. Goes on behind *after, round and round, so that each has
 * its turn. */
size_t model_queues_with_room(struct model *m, int64_t *after, int64_t *out, size_t max);

/* ---- between model.c, model_shows.c and look.c; the caller holds the lock ---- */

void *model_id_get(const struct model_ids *ids, int64_t id);
void model_id_put(struct model_ids *ids, int64_t id, void *p);
struct text model_text(struct text t); /* a copy on the heap */
struct model_ticket *model_ticket_at(const struct model_queue *q, int64_t number);
/* How many wait before a number that waits. */
int64_t model_ahead(const struct model_queue *q, int64_t number);
struct model_user *model_user_find(const struct model *m, int64_t user_id);
struct model_concert *model_concert_room(struct model *m, int64_t concert_id); /* made when it is not there */
void model_show_put(struct model *m, const struct core_show *row);
void model_show_changed(struct model *m, struct model_show *s); /* gives it another state */
void model_seat_put(struct model *m, const struct core_seat *row);
void model_reservation_put(struct model *m, const struct core_reservation *row);
void model_show_free(struct model_show *s);
/* How many holds have lapsed at `now` without a tick having been by, and how many seats they still name. */
int64_t model_lapsed(const struct model_show *s, int64_t now, int64_t *seats);

#endif
