/* test_histogram.c: latencies are counted to three digits, in fixed memory, and merge. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/histogram.h"
#include "base/rng.h"
#include <stdlib.h>

static void every_counter_follows_the_one_before(void **state)
{
	(void)state;
	for (int bits = 2; bits <= HISTOGRAM_FINE; bits++) {
		int64_t low = 0;
		size_t size = histogram_size(bits);

		for (size_t i = 0; i < size; i++) {
			int64_t high = histogram_highest_of(bits, i);

			assert_true(high >= low);
			assert_int_equal(histogram_index(bits, low), i);
			assert_int_equal(histogram_index(bits, high), i);
			/* within the promised part of the value */
			assert_true((high - low) <= low >> (bits - 1));
			low = high + 1;
		}
		assert_int_equal(low - 1, HISTOGRAM_MAX);
		assert_int_equal(histogram_index(bits, HISTOGRAM_MAX), size - 1);
		assert_int_equal(histogram_index(bits, INT64_MAX), size - 1);
		assert_int_equal(histogram_index(bits, -5), 0);
	}
}

static void an_empty_one_is_zero(void **state)
{
	struct histogram h;

	(void)state;
	histogram_init(&h, HISTOGRAM_FINE);
	assert_int_equal(histogram_at(&h, 500000), 0);
	assert_int_equal(histogram_mean(&h), 0);
	histogram_free(&h);
}

static void of_one_value_every_percentile_is_it(void **state)
{
	static const int64_t values[] = {0, 1, 2047, 2048, 123456, 987654321, HISTOGRAM_MAX};
	struct histogram h;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		histogram_init(&h, HISTOGRAM_FINE);
		histogram_add(&h, values[i]);
		assert_int_equal(histogram_at(&h, 0), values[i]);
		assert_int_equal(histogram_at(&h, 500000), values[i]);
		assert_int_equal(histogram_at(&h, 1000000), values[i]);
		assert_int_equal(h.lowest, values[i]);
		assert_int_equal(h.highest, values[i]);
		histogram_free(&h);
	}
}

static void small_values_are_exact(void **state)
{
	struct histogram h;

	(void)state;
	histogram_init(&h, HISTOGRAM_FINE);
	for (int64_t v = 1; v <= 1000; v++)
		histogram_add(&h, v);
	assert_int_equal(histogram_at(&h, 500000), 500);
	assert_int_equal(histogram_at(&h, 990000), 990);
	assert_int_equal(histogram_at(&h, 999000), 999);
	assert_int_equal(histogram_at(&h, 999001), 1000);
	assert_int_equal(histogram_at(&h, 1000000), 1000);
	assert_int_equal(histogram_mean(&h), 500);
	histogram_free(&h);
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Against what sorting says, over values of every magnitude. */
static void percentiles_are_those_of_the_sorted_values(void **state)
{
	enum { N = 20000 };
	static const int64_t at[] = {1000, 10000, 500000, 900000, 990000, 999000, 999900};
	int64_t *values = calloc(N, sizeof(*values));
	uint64_t seed = 7;
	struct histogram h;

	(void)state;
	assert_non_null(values);
	histogram_init(&h, HISTOGRAM_FINE);
	for (size_t i = 0; i < N; i++) {
		values[i] = (int64_t)(rng_next(&seed) >> (27 + rng_next(&seed) % 36));
		histogram_add(&h, values[i]);
	}
	qsort(values, N, sizeof(*values), by_value);
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		int64_t exact = values[(N * at[i] + 999999) / 1000000 - 1], told = histogram_at(&h, at[i]);

		if (told < exact || told - exact > exact / 1024)
			fail_msg("at %lld: %lld, sorted %lld", (long long)at[i], (long long)told, (long long)exact);
	}
	histogram_free(&h);
	free(values);
}

static void merged_is_as_if_counted_in_one(void **state)
{
	struct histogram whole, a, b;
	uint64_t seed = 3;

	(void)state;
	histogram_init(&whole, HISTOGRAM_COARSE);
	histogram_init(&a, HISTOGRAM_COARSE);
	histogram_init(&b, HISTOGRAM_COARSE);
	histogram_merge(&a, &b);
	for (int i = 0; i < 5000; i++) {
		int64_t v = (int64_t)(rng_next(&seed) >> 40) + 1;

		histogram_add(&whole, v);
		histogram_add(i % 3 == 0 ? &a : &b, v);
	}
	histogram_merge(&a, &b);
	assert_int_equal(a.total, whole.total);
	assert_int_equal(a.sum, whole.sum);
	assert_int_equal(a.lowest, whole.lowest);
	assert_int_equal(a.highest, whole.highest);
	assert_memory_equal(a.counts, whole.counts, whole.size * sizeof(*whole.counts));
	histogram_free(&whole);
	histogram_free(&a);
	histogram_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_counter_follows_the_one_before),       cmocka_unit_test(an_empty_one_is_zero),
	    cmocka_unit_test(of_one_value_every_percentile_is_it),        cmocka_unit_test(small_values_are_exact),
	    cmocka_unit_test(percentiles_are_those_of_the_sorted_values), cmocka_unit_test(merged_is_as_if_counted_in_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
