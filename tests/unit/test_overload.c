/* test_overload.c: when who comes next is turned away: the estimate of the wait, and who is let wait longer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/engine.h"
#include "engine/overload.h"

static void the_next_round_has_room_for_anybody(void **state)
{
	struct overload o = {.at_once = 100};
	(void)state;
	for (int i = 0; i < 50; i++)
		overload_note(&o, 100, 60000000);
	assert_int_equal(overload_wait_us(&o, 0, 0), 0);
	assert_int_equal(overload_wait_us(&o, 99, 60000000), 0);
	assert_true(overload_wait_us(&o, 100, 0) > 50000000);
}

static void the_wait_is_the_rounds_ahead(void **state)
{
	struct overload o = {.at_once = 100};
	(void)state;
	for (int i = 0; i < 100; i++)
		overload_note(&o, 100, 20000);
	int64_t round = o.round_us;
	assert_in_range(round, 19900, 20000);
	assert_int_equal(overload_wait_us(&o, 100, 0), 2 * round);
	assert_int_equal(overload_wait_us(&o, 199, 0), 2 * round);
	assert_int_equal(overload_wait_us(&o, 1000, 0), 11 * round);
	o.beyond = 2;
	assert_int_equal(overload_wait_us(&o, 1000, 0), 13 * round);
	assert_int_equal(overload_wait_us(&o, 99, 0), 0);
}

/* A thread that stands still notes nothing; how long the first has waited tells. */
static void who_stands_still_is_noticed(void **state)
{
	struct overload o = {.at_once = 100};
	(void)state;
	assert_int_equal(overload_wait_us(&o, 5000, 0), 0);
	assert_int_equal(overload_wait_us(&o, 5000, 700000), 700000);
	overload_note(&o, 100, 40000);
	assert_int_equal(overload_wait_us(&o, 100, 700000), 700000);
}

/* A small batch costs most of what a full one does, or nearly nothing: it says nothing about full ones, unless it was slower. */
static void small_rounds_do_not_mislead(void **state)
{
	struct overload o = {.at_once = 100};
	(void)state;
	for (int i = 0; i < 100; i++)
		overload_note(&o, 100, 20000);
	int64_t full = o.round_us;
	for (int i = 0; i < 100; i++)
		overload_note(&o, 1, 500);
	assert_int_equal(o.round_us, full);
	overload_note(&o, 1, 100000);
	assert_true(o.round_us > full);
	for (int i = 0; i < 100; i++)
		overload_note(&o, 100, 20000);
	assert_in_range(o.round_us, 19900, 20100);
}

static void who_has_waited_in_line_is_let_wait_longer(void **state)
{
	(void)state;
	assert_int_equal(engine_patience(CORE_JOIN), 1);
	assert_int_equal(engine_patience(CORE_HOLD), 2);
	assert_int_equal(engine_patience(CORE_PAY), 2);
	assert_int_equal(engine_patience(CORE_CHARGE_WALLET), 2);
	assert_int_equal(engine_patience(CORE_CANCEL), 2);
	assert_int_equal(engine_patience(CORE_LEAVE), 2);
	assert_int_equal(engine_patience(CORE_PATCH_QUEUE), 0);
	assert_int_equal(engine_patience(CORE_PATCH_CONCERT), 0);
	assert_int_equal(engine_patience(CORE_PATCH_SHOW), 0);
	assert_int_equal(engine_patience(CORE_ADD_CATALOGUE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_next_round_has_room_for_anybody),
	    cmocka_unit_test(the_wait_is_the_rounds_ahead),
	    cmocka_unit_test(who_stands_still_is_noticed),
	    cmocka_unit_test(small_rounds_do_not_mislead),
	    cmocka_unit_test(who_has_waited_in_line_is_let_wait_longer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
