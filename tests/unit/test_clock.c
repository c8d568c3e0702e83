/* The clock of base/clock.h on a simulated system. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"

struct simulated {
	int64_t wall, monotonic;
	int64_t wall_us, monotonic_us; /* on top of those */
};

static int64_t read_wall(void *arg)
{
	const struct simulated *s = arg;
	return s->wall * 1000 + s->wall_us;
}

static int64_t read_monotonic(void *arg)
{
	const struct simulated *s = arg;
	return s->monotonic * 1000 + s->monotonic_us;
}

static void pass(struct simulated *s, int64_t ms)
{
	s->wall += ms;
	s->monotonic += ms;
}

static void follows_the_wall(void **state)
{
	struct simulated s = {1000000, 50, 0, 0};
	struct clock c;

	(void)state;
	clock_init_simulated(&c, 0, read_wall, read_monotonic, &s);
	assert_int_equal(clock_now(&c), 1000000);
	pass(&s, 10);
	assert_int_equal(clock_now(&c), 1000010);
	s.wall += 3600000; /* set forward: followed */
	assert_int_equal(clock_now(&c), 1000010 + 3600000);
}

/* Their milliseconds do not begin together. */
static void is_never_ahead_of_the_wall(void **state)
{
	struct simulated s = {1000000, 50, 200, 700};
	struct clock c;

	(void)state;
	clock_init_simulated(&c, 0, read_wall, read_monotonic, &s);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(clock_now(&c), read_wall(&s) / 1000);
		s.wall_us += 100;
		s.monotonic_us += 100;
	}
}

static void follows_what_it_is_told_instead_of_the_wall(void **state)
{
	struct simulated s = {1000000, 50, 0, 0};
	struct clock c;

	(void)state;
	clock_init_simulated(&c, 0, read_wall, read_monotonic, &s);
	assert_int_equal(clock_now(&c), 1000000);
	clock_follow(&c, 400000); /* this machine was ahead */
	assert_int_equal(clock_now(&c), 400000);
	s.wall += 3600000;
	assert_int_equal(clock_now(&c), 400000);
	pass(&s, 7);
	assert_int_equal(clock_now(&c), 400007);
	clock_lift(&c, 500000);
	pass(&s, 1);
	assert_int_equal(clock_now(&c), 500001);
	clock_lift(&c, 1000); /* behind: nothing goes back */
	assert_int_equal(clock_now(&c), 500001);
}

static void goes_on_when_the_wall_goes_back(void **state)
{
	struct simulated s = {1000000, 50, 0, 0};
	struct clock c;

	(void)state;
	clock_init_simulated(&c, 0, read_wall, read_monotonic, &s);
	assert_int_equal(clock_now(&c), 1000000);
	s.wall -= 600000;
	assert_int_equal(clock_now(&c), 1000000);
	pass(&s, 1);
	assert_int_equal(clock_now(&c), 1000001); /* neither back nor still */
	pass(&s, 599999);
	assert_int_equal(clock_now(&c), 1600000);
	s.wall = 1600005; /* the wall overtakes */
	assert_int_equal(clock_now(&c), 1600005);
}

static void goes_on_when_the_wall_stands_still(void **state)
{
	struct simulated s = {1000000, 50, 0, 0};
	struct clock c;

	(void)state;
	clock_init_simulated(&c, 0, read_wall, read_monotonic, &s);
	for (int i = 1; i <= 100; i++) {
		s.monotonic += 7;
		assert_int_equal(clock_now(&c), 1000000 + 7 * i);
	}
}

static void starts_at_the_floor(void **state)
{
	struct simulated s = {1000000, 50, 0, 0};
	struct clock c;

	(void)state;
	clock_init_simulated(&c, 5000000, read_wall, read_monotonic, &s);
	assert_int_equal(clock_now(&c), 5000000);
	pass(&s, 25);
	assert_int_equal(clock_now(&c), 5000025);
}

static void is_lifted(void **state)
{
	struct simulated s = {1000000, 50, 0, 0};
	struct clock c;

	(void)state;
	clock_init_simulated(&c, 0, read_wall, read_monotonic, &s);
	clock_lift(&c, 999999); /* behind: nothing */
	assert_int_equal(clock_now(&c), 1000000);
	clock_lift(&c, 1000500);
	assert_int_equal(clock_now(&c), 1000500);
	pass(&s, 3);
	assert_int_equal(clock_now(&c), 1000503);
}

static void never_back_under_random_walls(void **state)
{
	struct simulated s = {1000000, 50, 0, 0};
	struct clock c;
	uint64_t seed = 1;
	int64_t last = 0;

	(void)state;
	clock_init_simulated(&c, 0, read_wall, read_monotonic, &s);
	for (int i = 0; i < 100000; i++) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		s.wall += (int64_t)(seed >> 54) - 512;
		s.monotonic += i % 3;
		int64_t now = clock_now(&c);

		if (now < last + (i % 3) || now < s.wall)
			fail_msg("step %d: %lld after %lld", i, (long long)now, (long long)last);
		last = now;
	}
}

static void the_system(void **state)
{
	struct clock c;

	(void)state;
	clock_init(&c, 0);
	int64_t a = clock_now(&c), b = clock_now(&c);
	assert_true(a > 1700000000000 && b >= a);
	int64_t us = clock_elapsed_us();
	assert_true(us >= 0 && clock_elapsed_us() >= us);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(is_never_ahead_of_the_wall),
	    cmocka_unit_test(follows_the_wall),
	    cmocka_unit_test(follows_what_it_is_told_instead_of_the_wall),
	    cmocka_unit_test(goes_on_when_the_wall_goes_back),
	    cmocka_unit_test(goes_on_when_the_wall_stands_still),
	    cmocka_unit_test(starts_at_the_floor),
	    cmocka_unit_test(is_lifted),
	    cmocka_unit_test(never_back_under_random_walls),
	    cmocka_unit_test(the_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
