/* guest.h: one person of a rehearsal: what to ask next, and what to make of an answer.
 *
 *   JOIN ──> POLL … ──> DATES ──> SEATS ──> HOLD ──> CHARGE ──> PAY ──> done
 *     └─ active at once ─┘  ^        ^  taken │
 *                           └ none ──┴────────┘      at any step: give up (LEAVE, or just vanish)
 *
 * What a person draws by lot comes from the seed and the person's number alone.
 * Ownership: plain structs. Threads: a guest belongs to one worker; struct guest_world is shared and atomic where it changes.
 * Errors: an answer that is none is tried again, a bounded number of times. */
#ifndef JARI_CLI_BENCH_GUEST_H
#define JARI_CLI_BENCH_GUEST_H

#include "cli/bench/api.h"
#include "cli/bench/stats.h"
#include <stdatomic.h>

#define GUEST_SEATS_MAX 4

enum guest_action {
	GUEST_JOIN,
	GUEST_POLL,
	GUEST_DATES,
	GUEST_SEATS,
	GUEST_HOLD,
	GUEST_CHARGE,
	GUEST_PAY,
	GUEST_LEAVE,
	GUEST_DONE
};

enum guest_end {
	GUEST_ON_THE_WAY,
	GUEST_PAID,
	GUEST_SOLD_OUT, /* came in, and nothing was left */
	GUEST_LEFT,     /* gave up and said so */
	GUEST_VANISHED, /* gave up silently */
	GUEST_UNLUCKY,  /* tried too often for seats that others had */
	GUEST_LOST,     /* was active for too long and lost the place */
	GUEST_FAILED,   /* errors that trying again did not help */
	GUEST_ENDS
};
const char *guest_end_name(enum guest_end end);

struct guest {
	struct api_person me;
	int64_t index;
	uint64_t rng;
	int64_t joined_us; /* when the place was given; 0: not yet */
	int64_t frontier;  /* the highest number known to be in when the request on its way was sent */
	int64_t show, reservation, price;
	int64_t seats[GUEST_SEATS_MAX];
	int64_t want;               /* seats */
	enum guest_action action;   /* what to do next */
	enum guest_action gives_up; /* instead of this; GUEST_DONE: never */
	enum guest_end end;
	int tries, errors;
	bool vanishes, best, admitted;
};

/* What all guests of a rehearsal share. */
struct guest_world {
	const struct bench_options *o;
	const struct api *api;
	int64_t start_us, total_seats;                                  /* 0: unknown */
	_Atomic int64_t frontier;                                       /* the highest number that was seen to be admitted */
	_Atomic int64_t sold, sold_out_us, nothing_left_us;             /* 0: not yet */
	_Atomic int64_t inversions, inverted_number, inverted_frontier; /* an example */
};

/* What one worker counts. */
struct guest_book {
	struct stats *stats;
	struct histogram wait; /* from the place to the admission */
	int64_t longest_wait_us, longest_wait_number;
	int64_t ends[GUEST_ENDS];
};

/* A guest who arrives at the returned instant. */
int64_t guest_init(struct guest *g, const struct guest_world *w, int64_t index);
/* Writes the next request. */
size_t guest_ask(struct guest *g, struct guest_world *w, char *out);
/* Takes the answer of what was asked, counts it, and returns when the guest goes on; meaningless when g->action is GUEST_DONE. */
int64_t guest_answer(struct guest *g, struct guest_world *w, struct guest_book *book, const struct client_conn *c,
                     enum client_outcome outcome);

#endif
