/* test_gather.c: for whom a batch for a shared store waits, and for how long. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "engine/gather.h"

static struct gather after(int64_t answered, int64_t waiting)
{
	struct gather g = gather_after(answered, waiting, 1000000);
	gather_begin(&g, 1000100);
	return g;
}

/* Else who comes first of those who were answered together gets a batch alone, and the others wait for it. */
static void the_first_waits_for_the_others(void **state)
{
	struct gather g = after(40, 10);
	(void)state;
	assert_true(gather_goes_on(&g, 1, 1000100));
	assert_true(gather_goes_on(&g, 12, 1000160));
	assert_true(gather_goes_on(&g, 49, 1000220));
	assert_false(gather_goes_on(&g, 50, 1000230));
}

static void nobody_waits_when_nobody_comes(void **state)
{
	struct gather g = after(40, 10);
	(void)state;
	assert_true(gather_goes_on(&g, 10, 1000100));
	assert_true(gather_goes_on(&g, 11, 1000160));
	assert_false(gather_goes_on(&g, 11, 1000220));
}

static void the_wait_has_an_end(void **state)
{
	struct gather g = after(500, 0);
	int64_t now = 1000100, count = 1;
	(void)state;
	for (; gather_goes_on(&g, count, now); count++)
		now += GATHER_STEP_US;
	assert_int_equal(now, 1000100 + GATHER_US);
}

static void who_asks_alone_does_not_wait(void **state)
{
	struct gather alone = after(1, 0), first = after(0, 0);
	(void)state;
	assert_false(gather_goes_on(&alone, 1, 1000100));
	assert_false(gather_goes_on(&first, 1, 1000100));
}

static void who_comes_after_a_pause_does_not_wait(void **state)
{
	struct gather g = gather_after(40, 0, 1000000);
	(void)state;
	gather_begin(&g, 1000000 + GATHER_RECENT_US);
	assert_true(gather_goes_on(&g, 1, 1000000 + GATHER_RECENT_US));
	gather_begin(&g, 1000001 + GATHER_RECENT_US);
	assert_false(gather_goes_on(&g, 1, 1000001 + GATHER_RECENT_US));
}

static void a_full_batch_goes(void **state)
{
	struct gather g = after(JARI_BATCH_MAX, 3 * JARI_BATCH_MAX);
	(void)state;
	assert_int_equal(g.awaited, JARI_BATCH_MAX);
	assert_true(gather_goes_on(&g, JARI_BATCH_MAX - 1, 1000100));
	assert_false(gather_goes_on(&g, JARI_BATCH_MAX, 1000160));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_waits_for_the_others),
	    cmocka_unit_test(nobody_waits_when_nobody_comes),
	    cmocka_unit_test(the_wait_has_an_end),
	    cmocka_unit_test(who_asks_alone_does_not_wait),
	    cmocka_unit_test(who_comes_after_a_pause_does_not_wait),
	    cmocka_unit_test(a_full_batch_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
