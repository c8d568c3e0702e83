/* clock.h: where time comes from.
 *
 * Instants are milliseconds since 1970-01-01T00:00:00Z. A clock never runs backwards and never stands still: it follows the
 * system's wall clock forwards, and when that is set back it goes on at the pace of the monotonic clock.
 * Threads: clock_now may be called from any thread. */
#ifndef JARI_BASE_CLOCK_H
#define JARI_BASE_CLOCK_H

#include <stdatomic.h>
#include <stdint.h>

struct clock {
	_Atomic int64_t last;            /* the latest instant given out */
	_Atomic int64_t ahead_us;        /* how far this clock is ahead of the monotonic clock */
	int64_t (*wall)(void *arg);      /* the system's wall clock, or a simulated one; NULL: it follows another clock */
	int64_t (*monotonic)(void *arg); /* both in microseconds */
	void *arg;
};

/* A clock on the system's own; it starts no earlier than `floor` (the latest instant known from the store, 0 when there is none). */
void clock_init(struct clock *c, int64_t floor);
/* The same on a simulated wall and monotonic clock, both in microseconds. */
void clock_init_simulated(struct clock *c, int64_t floor, int64_t (*wall)(void *), int64_t (*monotonic)(void *), void *arg);
int64_t clock_now(struct clock *c);
/* Lifts the clock to `floor` where it is behind it. */
void clock_lift(struct clock *c, int64_t floor);
/* From here on the clock is not the system's but another's, which it is told by clock_lift: it goes on from `at` at the pace of the monotonic clock, and
 * never looks at the wall clock again. For its owner, before other threads use it. */
void clock_follow(struct clock *c, int64_t at);
/* Microseconds of the system's monotonic clock, for measuring how long something took. */
int64_t clock_elapsed_us(void);

#endif
