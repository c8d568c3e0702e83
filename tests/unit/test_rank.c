/* base/rank.h against an array that is counted the slow way. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rank.h"
#include <stdlib.h>
#include <string.h>

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void an_empty_one(void **state)
{
	struct rank r = {0};

	(void)state;
	assert_false(rank_has(&r, 1));
	assert_false(rank_has(&r, 0));
	assert_int_equal(rank_below(&r, 1), 0);
	assert_int_equal(rank_below(&r, 1000000), 0);
	rank_clear(&r, 5);
	assert_int_equal(r.members, 0);
	rank_free(&r);
}

static void edges_of_words_and_blocks(void **state)
{
	static const int64_t numbers[] = {1, 64, 65, 512, 513, 1024, 1025, 4096, 4097};
	struct rank r = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		rank_set(&r, numbers[i]);
		rank_set(&r, numbers[i]); /* twice is once */
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		assert_true(rank_has(&r, numbers[i]));
		assert_int_equal(rank_below(&r, numbers[i]), i);
		assert_int_equal(rank_below(&r, numbers[i] + 1), i + 1);
	}
	assert_int_equal(r.members, 9);
	rank_clear(&r, 512);
	rank_clear(&r, 512);
	assert_int_equal(r.members, 8);
	assert_int_equal(rank_below(&r, 513), 3);
	assert_int_equal(rank_below(&r, INT64_MAX), 8);
	rank_free(&r);
}

/* Blocks appended one at a time, several at a time, and after what is below them has changed. */
static void appending_keeps_the_tree_right(void **state)
{
	(void)state;
	for (int64_t step = 1; step <= 5000; step += 613) {
		struct rank r = {0};
		int64_t members = 0;

		for (int64_t n = 1; n < 60000; n += step) {
			rank_set(&r, n);
			members++;
			if (members % 3 == 0) {
				rank_clear(&r, 1 + (members - 2) * step);
				rank_set(&r, 1 + (members - 2) * step);
			}
			assert_int_equal(rank_below(&r, n), members - 1);
			assert_int_equal(rank_below(&r, n / 2 + 1), (n / 2 + step - 1) / step);
		}
		rank_free(&r);
	}
}

static void random_operations(void **state)
{
	enum { LARGEST = 20000 };
	static unsigned char naive[LARGEST + 1];
	struct rank r = {0};
	uint64_t seed = 88172645463325252ULL;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		/* the line grows as it goes on */
		int64_t n = 1 + (int64_t)(next_random(&seed) % (uint64_t)(10 + i / 10 % LARGEST));

		if (n > LARGEST)
			n = LARGEST;
		if (next_random(&seed) % 3) {
			rank_set(&r, n);
			naive[n] = 1;
		} else {
			rank_clear(&r, n);
			naive[n] = 0;
		}
		if (i % 100)
			continue;

		int64_t asked = (int64_t)(next_random(&seed) % (LARGEST + 100)), below = 0, all = 0;

		for (int64_t k = 1; k <= LARGEST; k++) {
			all += naive[k];
			below += k < asked ? naive[k] : 0;
		}
		assert_int_equal(rank_below(&r, asked), below);
		assert_int_equal(r.members, all);
		assert_int_equal(rank_has(&r, n), naive[n]);
	}
	rank_free(&r);
}

static void a_million_members(void **state)
{
	enum { MILLION = 1000000 };
	struct rank r = {0};
	uint64_t seed = 42;
	int64_t left = MILLION;

	(void)state;
	for (int64_t n = 1; n <= MILLION; n++)
		rank_set(&r, n);
	for (int i = 0; i < 100000; i++) {
		int64_t n = 1 + (int64_t)(next_random(&seed) % MILLION);

		assert_int_equal(rank_below(&r, n), n - 1);
	}
	for (int64_t n = 3; n <= MILLION; n += 3) {
		rank_clear(&r, n);
		left--;
	}
	assert_int_equal(r.members, left);
	for (int i = 0; i < 100000; i++) {
		int64_t n = 1 + (int64_t)(next_random(&seed) % MILLION);

		assert_int_equal(rank_below(&r, n), (n - 1) - (n - 1) / 3);
		assert_int_equal(rank_has(&r, n), n % 3 != 0);
	}
	/* a bit a number and eight bytes a block: room may double, no more */
	assert_true(r.room * (64 + 8) < 2 * (MILLION / 8 + MILLION / 64 + 1000));
	rank_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_one),
	    cmocka_unit_test(edges_of_words_and_blocks),
	    cmocka_unit_test(appending_keeps_the_tree_right),
	    cmocka_unit_test(random_operations),
	    cmocka_unit_test(a_million_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
