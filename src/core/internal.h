/* internal.h: what the files of the core share. Nobody else includes this.
 *
 *   plan.c       what a command needs
 *   decide.c     the order in which a command is decided, idempotency, the tick
 *   line.c       queues and tickets (I5, I6)
 *   seats.c      holds and reservations (I1, I2, I9)
 *   best.c       which seats are the best available
 *   wallet.c     wallet, ledger, payment (I3, I4)
 *   catalogue.c  what an organiser adds
 *   changes.c    what an organiser changes
 *   words.c      the words of both, and the audit log
 *
 * Each "nothing fails from here" line in them divides the checks, which change nothing, from the changes, which can't fail. */
#ifndef JARI_CORE_INTERNAL_H
#define JARI_CORE_INTERNAL_H

#include "base/limits.h"
#include "core/core.h"

#define CORE_DEFAULT_QUEUE 1
#define NO_TEXT ((struct text){0})

/* ---- shorthands for rows ---- */

static inline void *get(const struct core_batch *b, enum core_kind kind, int64_t x, int64_t y)
{
	return core_row_get(b->rows, kind, x, y, NO_TEXT);
}

static inline struct core_row *find(const struct core_batch *b, enum core_kind kind, int64_t x, int64_t y)
{
	return core_row_find(b->rows, kind, x, y, NO_TEXT);
}

static inline void *edit(struct core_batch *b, struct core_row *row)
{
	return core_row_edit(b->rows, row);
}

static inline struct core_list *list_of(const struct core_batch *b, enum core_kind kind, int64_t x, int64_t y)
{
	return core_list_find(b->rows, kind, x, y, NO_TEXT);
}

static inline int64_t draw_id(struct core_batch *b, enum core_id_kind kind)
{
	__builtin_expect(b->ids[kind].next < b->ids[kind].end, 1) ? (void)0 : __builtin_trap();
	return b->ids[kind].next++;
}

/* ---- decide.c ---- */

/* True after filling the reply when the command's idempotency key has had an answer (I8). */
bool core_replay(const struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply);

/* ---- line.c ---- */

void core_join(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply);
void core_hear(struct core_batch *b, const struct core_cmd *cmd);
void core_leave(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply);
/* Ends a ticket that waits or is active; one whose time is over, for that reason rather than the given one. */
void core_end_ticket(struct core_batch *b, struct core_row *ticket, enum core_ticket_reason reason);
/* Lets in who is next, as far as capacity, rate and the loaded part of the line go. */
void core_admit_next(struct core_batch *b, int64_t queue_id);
/* Sets what `active` may be after a change of it or of the capacity (I6). */
void core_set_ceiling(struct core_queue *q);

/* ---- seats.c ---- */

void core_hold(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply);
void core_cancel(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply);
/* The shows that a HOLD may mean: bookable, of its concert, of its id or its date. Returns how many; *show is the first of
 * them, and means nothing when there is none. */
size_t core_shows_meant(const struct core_batch *b, const struct core_cmd *cmd, struct core_show **show);
/* Ends a held reservation: its seats become free, its status is EXPIRED or CANCELLED. */
void core_release(struct core_batch *b, struct core_row *reservation, enum core_reservation_status status);
/* Notes that the show or its seats were changed by a decision. */
void core_show_changed(struct core_batch *b, int64_t show_id);
/* Its seats become SOLD and its status PAID. */
void core_sell(struct core_batch *b, struct core_row *reservation, int64_t payment_id);

/* ---- best.c ---- */

/* Chooses `count` free seats of the list (by number): adjacent ones first, leaving no single seat alone where it can be avoided, and among
 * equals the lowest numbers. False when there are too few. `out` gets them ascending. */
bool core_best_seats(const struct core_list *seats, struct text section, int64_t count, int64_t now, struct arena *arena,
                     int64_t *out);

/* Sorts seat numbers, ascending; there are few, at most seats_per_user. */
void core_sort_seats(int64_t *seats, size_t n);

/* ---- wallet.c ---- */

void core_charge(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply);
void core_pay(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply);

/* ---- catalogue.c ---- */

void core_add_catalogue(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply);

/* ---- changes.c ---- */

void core_patch_queue(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply);
void core_patch_concert(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply);
void core_patch_show(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply);

/* ---- words.c ---- */

/* Words that are being put together, in the arena. */
struct core_words {
	struct arena *arena;
	char *p;
	size_t n, cap;
};
void core_say(struct core_words *w, const char *s);
void core_say_int(struct core_words *w, int64_t v);
/* As JSON: the text between quotes, the instant likewise (null when 0), true or false. */
void core_say_text(struct core_words *w, struct text t);
void core_say_instant(struct core_words *w, int64_t ms);
void core_say_bool(struct core_words *w, bool v);
struct text core_said(const struct core_words *w);
void core_write_audit(struct core_batch *b, struct text actor, struct text action, struct text target, struct text detail);
/* 1 to `max` characters, none of them a control character. */
bool core_good_name(struct text t, int64_t max);
/* What is to be said of one that is not; of a number that is not from lo to hi; and "has more than 5 shows". So each bound is where it is looked at. */
struct text core_name_rule(struct arena *arena, int64_t max);
struct text core_number_rule(struct arena *arena, int64_t lo, int64_t hi);
struct text core_words_around(struct arena *arena, const char *before, int64_t v, const char *after);

/* ---- assert.c: the states that a row may be in ---- */

void core_assert_queue(const struct core_queue *q);
void core_assert_ticket(const struct core_ticket *t);
void core_assert_seat(const struct core_seat *s);
void core_assert_reservation(const struct core_reservation *r);
void core_assert_user(const struct core_user *u);
void core_assert_entry(const struct core_entry *e);

#endif
