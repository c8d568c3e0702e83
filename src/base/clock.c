#include "base/clock.h"

#include <stdlib.h>
#include <time.h>

static int64_t read_clock_us(clockid_t id)
{
	struct timespec t;

	if (clock_gettime(id, &t) != 0)
		abort(); /* only for a clock that does not exist */
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t system_wall(void *arg)
{
	(void)arg;
	return read_clock_us(CLOCK_REALTIME);
}

static int64_t system_monotonic(void *arg)
{
	(void)arg;
	return read_clock_us(CLOCK_MONOTONIC);
}

/* Raises *value to at least `floor`; the value that it has then. */
static int64_t raise_to(_Atomic int64_t *value, int64_t floor)
{
	int64_t seen = atomic_load(value);

	while (seen < floor)
		if (atomic_compare_exchange_weak(value, &seen, floor))
			return floor;
	return seen;
}

void clock_init(struct clock *c, int64_t floor)
{
	clock_init_simulated(c, floor, system_wall, system_monotonic, NULL);
}

void clock_init_simulated(struct clock *c, int64_t floor, int64_t (*wall)(void *), int64_t (*monotonic)(void *), void *arg)
{
	int64_t now_us = wall(arg);

	if (now_us < floor * 1000)
		now_us = floor * 1000;
	c->wall = wall;
	c->monotonic = monotonic;
	c->arg = arg;
	atomic_init(&c->ahead_us, now_us - monotonic(arg));
	atomic_init(&c->last, now_us / 1000);
}

/* `ahead_us` only ever rises, so monotonic + ahead never runs backwards; a wall clock that is further on raises it. In microseconds: the difference
 * of two clocks in whole milliseconds is now one, now the next, and the higher would be kept. The wall is read first, so that a pause between the
 * two makes the difference less, not more. */
int64_t clock_now(struct clock *c)
{
	int64_t wall = c->wall ? c->wall(c->arg) : 0;
	int64_t monotonic = c->monotonic(c->arg);
	int64_t ahead = c->wall ? raise_to(&c->ahead_us, wall - monotonic) : atomic_load(&c->ahead_us);

	/* Two threads may come here in the other order than they read; `last` keeps what was given out from going back. */
	return raise_to(&c->last, (monotonic + ahead) / 1000);
}

void clock_follow(struct clock *c, int64_t at)
{
	c->wall = NULL;
	atomic_store(&c->ahead_us, at * 1000 - c->monotonic(c->arg));
	atomic_store(&c->last, at);
}

void clock_lift(struct clock *c, int64_t floor)
{
	raise_to(&c->ahead_us, floor * 1000 - c->monotonic(c->arg));
	raise_to(&c->last, floor);
}

int64_t clock_elapsed_us(void)
{
	return read_clock_us(CLOCK_MONOTONIC);
}
