/* Time series: rings, gaps, which steps are told, who is recorded when there are too many, and percentiles. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/histogram.h"
#include "engine/series.h"
#include <string.h>

#define GAP ENGINE_SERIES_GAP
#define T0 1800000000LL /* a second that begins a minute */

/* ---- rings ---- */

static void a_ring_keeps_the_last_steps(void **state)
{
	struct series_ring r;

	(void)state;
	series_ring_init(&r, 5, 2);
	assert_int_equal(series_ring_get(&r, 0, 0), GAP);
	for (int64_t step = 100; step < 108; step++)
		series_ring_put(&r, step, (const int64_t[]){step, -step});
	assert_int_equal(series_ring_get(&r, 102, 0), GAP);
	assert_int_equal(series_ring_get(&r, 103, 0), 103);
	assert_int_equal(series_ring_get(&r, 107, 1), -107);
	assert_int_equal(series_ring_get(&r, 108, 0), GAP);
	series_ring_put(&r, 107, (const int64_t[]){0, 0}); /* time does not run backwards */
	assert_int_equal(series_ring_get(&r, 107, 0), 107);
	series_ring_free(&r);
}

static void steps_that_were_left_out_are_gaps(void **state)
{
	struct series_ring r;

	(void)state;
	series_ring_init(&r, 5, 1);
	series_ring_put(&r, 100, (const int64_t[]){7});
	series_ring_put(&r, 103, (const int64_t[]){8});
	assert_int_equal(series_ring_get(&r, 99, 0), GAP);
	assert_int_equal(series_ring_get(&r, 100, 0), 7);
	assert_int_equal(series_ring_get(&r, 101, 0), GAP);
	assert_int_equal(series_ring_get(&r, 102, 0), GAP);
	assert_int_equal(series_ring_get(&r, 103, 0), 8);
	series_ring_put(&r, 1000000, (const int64_t[]){9}); /* far longer than the ring: nothing old shines through */
	for (int64_t step = 999995; step < 1000000; step++)
		assert_int_equal(series_ring_get(&r, step, 0), GAP);
	assert_int_equal(series_ring_get(&r, 1000000, 0), 9);
	series_ring_free(&r);
}

/* ---- percentiles ---- */

static void note(uint64_t *counts, int64_t us, uint64_t n)
{
	counts[histogram_index(ENGINE_PROBE_BITS, us)] += n;
}

static void percentiles_are_of_what_came_since(void **state)
{
	uint64_t was[ENGINE_PROBE_BUCKETS] = {0}, now[ENGINE_PROBE_BUCKETS];

	(void)state;
	note(was, 1000000, 1000);
	memcpy(now, was, sizeof(now));
	assert_int_equal(series_percentile(was, now, 500000), GAP);
	note(now, 100, 98);
	note(now, 8000, 2);
	int64_t median = series_percentile(was, now, 500000), p99 = series_percentile(was, now, 990000);
	assert_in_range(median, 100, 112);
	assert_in_range(p99, 8000, 9000);
	memcpy(now, was, sizeof(now));
	note(now, 5, 1);
	assert_int_equal(series_percentile(was, now, 500000), 5);
	assert_int_equal(series_percentile(was, now, 990000), 5);
}

/* ---- samples ---- */

struct world {
	struct series s;
	struct engine_probe probe;
	struct arena arena;
};

static void sample_shows(struct world *w, int64_t second, int64_t shows, int64_t sold)
{
	struct core_queue q = {.queue_id = 1, .waiting = second % 7, .active = 2, .admitted = second, .last_number = second + 5};

	if (!series_begin(&w->s, second * 1000 + 40))
		return;
	w->probe.requests += 10;
	note(w->probe.latency, 100, 10);
	series_server(&w->s, &w->probe, second - T0, 3 * (second - T0));
	series_queue(&w->s, &q);
	for (int64_t id = 1; id <= shows; id++)
		series_show(&w->s, id, sold, 1, sold * 100);
	series_end(&w->s);
}

static struct engine_series_view look(struct world *w, bool minutes, int64_t since_s, int64_t now_s)
{
	struct engine_series_ask ask = {.minutes = minutes, .since = since_s * 1000, .now = now_s * 1000, .queue_count = 2, .show_count = 1};
	struct engine_series_view v;

	ask.queues[0] = 1;
	ask.queues[1] = 99; /* there is none */
	ask.shows[0] = 1;
	arena_reset(&w->arena);
	series_view(&w->s, &ask, &w->arena, &v);
	return v;
}

static void open_world(struct world *w)
{
	*w = (struct world){0};
	series_init(&w->s);
}

static void close_world(struct world *w)
{
	series_free(&w->s);
	arena_free(&w->arena);
}

static void steps_are_told_once_they_are_over(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	struct engine_series_view v = look(&w, false, 0, T0);
	assert_true(v.first == T0 && v.count == 0 && v.step_s == 1);
	v = look(&w, true, 0, T0 + 30);
	assert_true(v.first == T0 / 60 && v.count == 0 && v.step_s == 60);
	sample_shows(&w, T0, 1, 0); /* the first: what was before is not known */
	v = look(&w, false, 0, T0);
	assert_true(v.first == T0 && v.count == 0);
	sample_shows(&w, T0 + 1, 1, 5);
	v = look(&w, false, 0, T0 + 1);
	assert_true(v.first == T0 && v.count == 1);
	assert_int_equal(v.shows[0][0], 5); /* sold */
	assert_int_equal(v.shows[0][1], 1); /* held */
	assert_int_equal(v.shows[0][2], 500);
	assert_int_equal(v.queues[0][2], T0 + 1); /* admitted */
	assert_int_equal(v.queues[1][0], GAP);
	sample_shows(&w, T0 + 1, 1, 6); /* the same second: nothing is over */
	sample_shows(&w, T0 + 2, 1, 7);
	v = look(&w, false, T0 + 1, T0 + 2);
	assert_true(v.first == T0 + 1 && v.count == 1);
	assert_int_equal(v.shows[0][0], 7);
	v = look(&w, false, T0 + 2, T0 + 2); /* nothing new: ask again from the same on */
	assert_true(v.first == T0 + 2 && v.count == 0);
	sample_shows(&w, T0 + 6, 1, 9);
	v = look(&w, false, T0 + 2, T0 + 6);
	assert_true(v.first == T0 + 2 && v.count == 4);
	const int64_t expected[] = {GAP, GAP, GAP, 9};
	assert_memory_equal(v.shows[0], expected, sizeof(expected));
	assert_int_equal(v.server[ENGINE_SERVER_REQUESTS * 4 + 3], 30);
	assert_int_equal(v.server[ENGINE_SERVER_COMMITS * 4 + 3], 6);
	assert_in_range(v.server[ENGINE_SERVER_P99_US * 4 + 3], 100, 112);
	close_world(&w);
}

static void since_within_a_step_begins_with_the_next(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	for (int64_t s = T0; s <= T0 + 5; s++)
		sample_shows(&w, s, 1, s - T0);
	struct engine_series_ask ask = {.since = T0 * 1000 + 1500, .now = T0 * 1000};
	struct engine_series_view v;
	series_view(&w.s, &ask, &w.arena, &v);
	assert_true(v.first == T0 + 2 && v.count == 3);
	close_world(&w);
}

static void minutes_have_the_state_at_their_end(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	for (int64_t s = T0 + 30; s <= T0 + 185; s++) {
		if (s >= T0 + 118 && s <= T0 + 125) /* busy over the end of the second minute */
			continue;
		sample_shows(&w, s, 1, s - T0);
	}
	struct engine_series_view v = look(&w, true, 0, T0 + 185);
	assert_true(v.first == T0 / 60 && v.count == 3);
	const int64_t sold[] = {60, GAP, 180};
	assert_memory_equal(v.shows[0], sold, sizeof(sold));
	close_world(&w);
}

static void an_hour_and_a_day_are_kept(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	for (int64_t s = T0; s <= T0 + 2 * 86400; s++)
		sample_shows(&w, s, 1, s - T0);
	struct engine_series_view v = look(&w, false, 0, T0);
	assert_true(v.first == T0 + 2 * 86400 - 3600 && v.count == 3600);
	assert_int_equal(v.shows[0][0], 2 * 86400 - 3600 + 1);
	v = look(&w, true, 0, T0);
	assert_true(v.first == T0 / 60 + 1440 && v.count == 1440);
	close_world(&w);
}

/* ---- more shows than are recorded ---- */

static bool is_recorded(const struct world *w, int64_t show)
{
	return w->s.shows.p[show - 1].pair.second.values != NULL;
}

static void who_changes_takes_the_place_of_who_does_not(void **state)
{
	struct world w;
	int64_t many = JARI_SERIES_SHOWS_MAX + 2, last = many, at = T0;

	(void)state;
	open_world(&w);
	sample_shows(&w, at++, many, 0);
	sample_shows(&w, at++, many, 0);
	assert_true(is_recorded(&w, 1) && is_recorded(&w, JARI_SERIES_SHOWS_MAX));
	assert_false(is_recorded(&w, last));
	for (int64_t sold = 1; sold <= 2; sold++) {
		/* too early first, then an hour later; show 1 has changed all the while */
		at += sold == 2 ? JARI_SERIES_IDLE_S : 0;
		assert_true(series_begin(&w.s, at++ * 1000));
		series_show(&w.s, 1, sold, 0, 0);
		series_show(&w.s, last, sold, 0, 0);
		series_end(&w.s);
		assert_int_equal(is_recorded(&w, last), sold == 2);
	}
	assert_true(is_recorded(&w, 1));
	assert_false(is_recorded(&w, 2));
	assert_int_equal(w.s.shows.recorded, JARI_SERIES_SHOWS_MAX);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_ring_keeps_the_last_steps),
	    cmocka_unit_test(steps_that_were_left_out_are_gaps),
	    cmocka_unit_test(percentiles_are_of_what_came_since),
	    cmocka_unit_test(steps_are_told_once_they_are_over),
	    cmocka_unit_test(since_within_a_step_begins_with_the_next),
	    cmocka_unit_test(minutes_have_the_state_at_their_end),
	    cmocka_unit_test(an_hour_and_a_day_are_kept),
	    cmocka_unit_test(who_changes_takes_the_place_of_who_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
