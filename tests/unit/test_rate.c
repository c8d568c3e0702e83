/* test_rate.c: token buckets: the limit is kept to the token, in fixed memory, whatever the clock and the number of addresses. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rng.h"
#include "http/rate.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define START (INT64_C(5000000) * SECOND)

static const struct http_address_secret secret = {
    {0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb, 0xd6e8feb86659fd93, 0xa0761d6478bd642f}};

static struct rate *limit_of(int64_t limit)
{
	return rate_new(limit, &secret);
}

static bool take(struct rate *r, int64_t who, int64_t now)
{
	struct http_address key = rate_user_key(who);
	struct rate_state state;
	return rate_take(r, &key, now, &state);
}

static int64_t takes(struct rate *r, int64_t who, int64_t now, int64_t times)
{
	int64_t got = 0;
	for (int64_t i = 0; i < times; i++)
		got += take(r, who, now);
	return got;
}

static void no_limit_is_no_limit(void **state)
{
	(void)state;
	struct rate *r = limit_of(0);
	assert_null(r);
	assert_int_equal(takes(r, 1, START, 100000), 100000);
	assert_int_equal(rate_limit(r), 0);
	rate_free(r);
}

static void all_at_once_and_not_one_more(void **state)
{
	static const int64_t limits[] = {1, 2, 3, 7, 59, 60, 61, 600, 100000, JARI_RATE_MAX};
	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rate *r = limit_of(limits[i]);
		assert_int_equal(rate_limit(r), limits[i]);
		assert_int_equal(takes(r, 1, START, limits[i] + 1000), limits[i]);
		/* asking in vain costs nothing: a minute later all is there again, and no more than that */
		assert_int_equal(takes(r, 1, START + MINUTE + SECOND, limits[i] + 1000), limits[i]);
		rate_free(r);
	}
}

static void tokens_come_back_evenly(void **state)
{
	(void)state;
	struct rate *r = limit_of(60);
	assert_int_equal(takes(r, 1, START, 60), 60);
	for (int64_t s = 0; s < 100; s++) {
		assert_false(take(r, 1, START + (s + 1) * SECOND - 1));
		assert_true(take(r, 1, START + (s + 1) * SECOND));
		assert_false(take(r, 1, START + (s + 1) * SECOND));
	}
	rate_free(r);
}

static void never_more_than_the_limit_and_what_came_back(void **state)
{
	static const int64_t limits[] = {1, 7, 61, 997, 44444};
	uint64_t rng = 7;
	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rate *r = limit_of(limits[i]);
		int64_t got = 0, now = START;
		for (int step = 0; step < 20000; step++) {
			now += rng_below(rng_next(&rng), 3 * MINUTE / limits[i]);
			got += takes(r, 1, now, 1 + rng_below(rng_next(&rng), 3));
			assert_true(got <= limits[i] + (now - START) * limits[i] / MINUTE);
		}
		/* and not much less: whoever asks often enough gets what is there */
		got = 0;
		for (int64_t t = now + MINUTE; t < now + 11 * MINUTE; t += MINUTE / limits[i] / 2 + 1)
			got += take(r, 1, t);
		assert_true(got >= 10 * limits[i]);
		rate_free(r);
	}
}

/* The pace of a limit that is no whole number of nanoseconds is rounded to the slower side. */
static void never_faster_than_the_limit(void **state)
{
	enum { LIMIT = 5999993 };
	(void)state;
	struct rate *r = limit_of(LIMIT);
	assert_int_equal(takes(r, 1, START, LIMIT + 1), LIMIT);
	int64_t got = takes(r, 1, START + MINUTE / 2, LIMIT);
	assert_true(got <= LIMIT / 2 && got >= LIMIT / 2 - LIMIT / 10000);
	rate_free(r);
}

static void the_state_says_what_is_left(void **state)
{
	(void)state;
	struct rate *r = limit_of(30);
	struct http_address key = rate_user_key(5);
	struct rate_state s;
	assert_true(rate_take(r, &key, START, &s));
	assert_int_equal(s.left, 29);
	assert_int_equal(s.retry_seconds, 0);
	assert_int_equal(takes(r, 5, START, 28), 28);
	assert_true(rate_take(r, &key, START, &s));
	assert_int_equal(s.left, 0);
	assert_int_equal(s.retry_seconds, 2);
	assert_false(rate_take(r, &key, START + SECOND / 2, &s));
	assert_int_equal(s.left, 0);
	assert_int_equal(s.retry_seconds, 2); /* one and a half, rounded up */
	/* who keeps to it is let in */
	assert_true(rate_take(r, &key, START + SECOND / 2 + 2 * SECOND, &s));
	rate_free(r);
}

static void each_has_a_bucket(void **state)
{
	(void)state;
	struct rate *r = limit_of(3);
	struct http_address a, b;
	struct rate_state s;
	for (int64_t who = 1; who < 1000; who++)
		assert_int_equal(takes(r, who, START, 5), 3);
	rate_free(r);
	/* an address and the one beside it, in both of its halves */
	r = limit_of(3);
	assert_true(http_address_parse(TEXT("2001:db8:1:2::"), &a) && http_address_parse(TEXT("2001:db8:1:3::"), &b));
	for (int i = 0; i < 3; i++)
		assert_true(rate_take(r, &a, START, &s));
	assert_false(rate_take(r, &a, START, &s));
	assert_true(rate_take(r, &b, START, &s));
	assert_true(http_address_parse(TEXT("192.0.2.1"), &a) && http_address_parse(TEXT("192.0.2.2"), &b));
	for (int i = 0; i < 3; i++)
		assert_true(rate_take(r, &a, START, &s));
	assert_false(rate_take(r, &a, START, &s));
	assert_true(rate_take(r, &b, START, &s));
	rate_free(r);
}

static void the_clock_s_edges(void **state)
{
	(void)state;
	struct rate *r = limit_of(60);
	/* at the very beginning of the clock */
	assert_int_equal(takes(r, 1, 0, 100), 60);
	assert_int_equal(takes(r, 1, SECOND, 100), 1);
	/* at its end */
	assert_int_equal(takes(r, 1, RATE_NOW_MAX_US - 1, 100), 60);
	assert_int_equal(takes(r, 1, RATE_NOW_MAX_US, 100), 0);
	/* back by a hundred thousand years: nobody is locked out for longer than a minute */
	assert_int_equal(takes(r, 1, SECOND, 100), 0);
	assert_int_equal(takes(r, 1, 2 * SECOND, 100), 1);
	assert_int_equal(takes(r, 1, 62 * SECOND, 100), 60);
	/* the same instant again and again gives nothing */
	assert_int_equal(takes(r, 1, 62 * SECOND, 100000), 0);
	rate_free(r);
	r = limit_of(JARI_RATE_MAX);
	assert_int_equal(takes(r, 1, RATE_NOW_MAX_US, JARI_RATE_MAX + 10), JARI_RATE_MAX);
	rate_free(r);
}

/* ---- more keys than buckets ---- */

static void many_addresses_unblock_nobody(void **state)
{
	(void)state;
	struct rate *r = limit_of(50);
	assert_int_equal(takes(r, 1, START, 60), 50);
	/* ten for each bucket that there is, each asking for a little */
	for (int64_t who = 2; who < 10 * RATE_BUCKETS; who++)
		take(r, who, START);
	assert_false(take(r, 1, START));
	/* and each for all that it is given */
	for (int64_t who = 2; who < 2 * RATE_BUCKETS; who++)
		takes(r, who, START, 50);
	assert_false(take(r, 1, START));
	rate_free(r);
}

static void many_addresses_get_no_more_than_the_buckets_hold(void **state)
{
	(void)state;
	struct rate *r = limit_of(2);
	int64_t got = 0;
	for (int round = 0; round < 10; round++)
		for (int64_t who = 1; who < 3 * RATE_BUCKETS; who++)
			got += take(r, who, START);
	assert_true(got <= 2 * RATE_BUCKETS);
	rate_free(r);
}

static void who_is_new_is_served_when_the_table_is_full(void **state)
{
	(void)state;
	struct rate *r = limit_of(600);
	/* half a million addresses ask once each within a second: every bucket is in use */
	for (int64_t i = 0; i < 500000; i++)
		assert_true(take(r, 1000 + i, START + i * 2));
	/* a newcomer begins with what is left of the fullest bucket: nearly all */
	for (int64_t who = 1; who < 100; who++)
		assert_true(takes(r, who, START + SECOND, 600) > 500);
	rate_free(r);
}

static void who_is_new_does_not_pay_for_who_is_blocked(void **state)
{
	(void)state;
	struct rate *r = limit_of(10);
	/* two or three of the eight buckets in each set are empty */
	for (int64_t who = 1000; who < 1000 + RATE_BUCKETS / 3; who++)
		takes(r, who, START, 10);
	int64_t got = 0;
	for (int64_t who = 1; who < 1000; who++)
		got += takes(r, who, START, 10);
	assert_true(got > 999 * 10 * 95 / 100);
	rate_free(r);
}

/* What is given is never more than buckets without end would give. */
static void never_more_than_memory_without_end(void **state)
{
	enum { KEYS = 3 * RATE_BUCKETS, LIMIT = 5 };
	struct rate *r = limit_of(LIMIT);
	int64_t *left = calloc(KEYS, sizeof(*left)), *seen = calloc(KEYS, sizeof(*seen)); /* in sixty-millionths of a token */
	uint64_t rng = 7;
	int64_t now = START, given = 0;
	(void)state;
	assert_non_null(left);
	assert_non_null(seen);
	for (int step = 0; step < 2000000; step++) {
		/* a few ask all the time, many now and then */
		int64_t who = rng_below(rng_next(&rng), 2) ? rng_below(rng_next(&rng), 1000) : rng_below(rng_next(&rng), KEYS);
		now += rng_below(rng_next(&rng), 200);
		int64_t back = seen[who] ? (now - seen[who]) * LIMIT : LIMIT * MINUTE;
		left[who] = left[who] + back > LIMIT * MINUTE ? LIMIT * MINUTE : left[who] + back;
		seen[who] = now;
		if (take(r, who + 1, now)) {
			assert_true(left[who] >= MINUTE);
			left[who] -= MINUTE;
			given++;
		}
	}
	assert_true(given > 100000);
	free(left);
	free(seen);
	rate_free(r);
}

/* ---- threads ---- */

struct taker {
	struct rate *r;
	int64_t got;
};

static void *take_many(void *arg)
{
	struct taker *t = arg;
	for (int i = 0; i < 300000; i++)
		t->got += take(t->r, 1 + i % 3, START);
	return NULL;
}

static void threads_share_a_bucket(void **state)
{
	struct taker takers[4];
	pthread_t ids[4];
	int64_t got = 0;
	(void)state;
	struct rate *r = limit_of(200000);
	for (int i = 0; i < 4; i++) {
		takers[i] = (struct taker){r, 0};
		assert_int_equal(pthread_create(&ids[i], NULL, take_many, &takers[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(ids[i], NULL);
		got += takers[i].got;
	}
	assert_int_equal(got, 3 * 200000);
	rate_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_limit_is_no_limit),
	    cmocka_unit_test(all_at_once_and_not_one_more),
	    cmocka_unit_test(tokens_come_back_evenly),
	    cmocka_unit_test(never_more_than_the_limit_and_what_came_back),
	    cmocka_unit_test(never_faster_than_the_limit),
	    cmocka_unit_test(the_state_says_what_is_left),
	    cmocka_unit_test(each_has_a_bucket),
	    cmocka_unit_test(the_clock_s_edges),
	    cmocka_unit_test(many_addresses_unblock_nobody),
	    cmocka_unit_test(many_addresses_get_no_more_than_the_buckets_hold),
	    cmocka_unit_test(who_is_new_is_served_when_the_table_is_full),
	    cmocka_unit_test(who_is_new_does_not_pay_for_who_is_blocked),
	    cmocka_unit_test(never_more_than_memory_without_end),
	    cmocka_unit_test(threads_share_a_bucket),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
