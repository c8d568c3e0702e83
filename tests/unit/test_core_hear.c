/* test_core_hear.c: a place in the line that nobody loses: passed over while silent, back at its own number when heard from, lost after the
 * grace. In the world of core_world.h: queue 1 is full (capacity 2: ada, bob), cho (3) and dan (4) wait. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core_world.h"

#define GRACE_MS 1000

static int setup(void **state)
{
	static struct world w;
	if (!world_make(&w))
		return -1;
	w.rules.grace_ms = GRACE_MS;
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	world_end(*state);
	return 0;
}

/* Decides commands as one batch and saves it. */
static void decide(struct world *w, const struct core_cmd *cmds, size_t n, int64_t at, struct core_reply *replies)
{
	assert_true(world_decide_all(w, cmds, n, at, replies));
	if (world_changed(w))
		assert_true(world_save(w, at));
	else
		store_rollback(w->store);
}

static void hear(struct world *w, int64_t at, const int64_t *silent, size_t silent_count, const int64_t *back, size_t back_count)
{
	struct core_cmd cmd = {.op = CORE_HEAR};
	struct core_reply reply;
	cmd.u.hear.queue_id = 1;
	cmd.u.hear.silent = silent;
	cmd.u.hear.silent_count = silent_count;
	cmd.u.hear.back = back;
	cmd.u.hear.back_count = back_count;
	decide(w, &cmd, 1, at, &reply);
}

static struct core_ticket ticket(struct world *w, int64_t number)
{
	assert_true(world_begin(w, NOW + 100000));
	core_need_row(&w->rows, CORE_ROW_TICKET, 1, number, (struct text){0});
	core_need_row(&w->rows, CORE_ROW_QUEUE, 1, 0, (struct text){0});
	assert_int_equal(store_load(w->store, &w->rows), STORE_OK);
	const struct core_ticket *t = world_row(w, CORE_ROW_TICKET, 1, number);
	assert_non_null(t);
	store_rollback(w->store);
	return *t;
}

static struct core_queue queue(struct world *w)
{
	(void)ticket(w, 1);
	return *(const struct core_queue *)world_row(w, CORE_ROW_QUEUE, 1, 0);
}

#define SILENT(w, at, ...) hear(w, at, (int64_t[]){__VA_ARGS__}, COUNT(((int64_t[]){__VA_ARGS__})), NULL, 0)
#define BACK(w, at, ...) hear(w, at, NULL, 0, (int64_t[]){__VA_ARGS__}, COUNT(((int64_t[]){__VA_ARGS__})))

static void leave(struct world *w, int64_t user, int64_t at)
{
	struct core_cmd cmd = LEAVE(AS(1, user));
	struct core_reply reply;
	decide(w, &cmd, 1, at, &reply);
	assert_int_equal(reply.code, CORE_OK);
}

static void the_silent_are_passed_over_and_keep_their_place(void **state)
{
	struct world *w = *state;
	SILENT(w, NOW, CHO);
	struct core_ticket t = ticket(w, CHO);
	assert_int_equal(t.status, CORE_PASSED);
	assert_int_equal(core_ticket_at(&t, NOW).status, CORE_WAITING); /* to the world it waits */
	assert_int_equal(core_ticket_at(&t, NOW).expires_at, 0);
	assert_int_equal(queue(w).waiting, 1);
	assert_int_equal(queue(w).passed, 1);
	leave(w, ADA, NOW);
	assert_int_equal(ticket(w, DAN).status, CORE_ACTIVE); /* the next who is heard from */
	assert_int_equal(ticket(w, CHO).status, CORE_PASSED);
}

static void who_is_heard_from_again_is_next_when_the_turn_has_passed(void **state)
{
	struct world *w = *state;
	struct core_cmd join = JOIN("eve", 0);
	struct core_reply reply;
	SILENT(w, NOW, CHO);
	decide(w, &join, 1, NOW, &reply);
	leave(w, ADA, NOW); /* dan is let in; eve waits, cho is silent */
	BACK(w, NOW + 1, CHO);
	struct core_ticket t = ticket(w, CHO);
	assert_int_equal(t.status, CORE_WAITING);
	assert_int_equal(t.returned_at, NOW + 1);
	assert_int_equal(t.expires_at, 0);
	leave(w, BOB, NOW + 2);                               /* bob's place had lapsed: a slot all the same */
	assert_int_equal(ticket(w, CHO).status, CORE_ACTIVE); /* before eve, who came later */
	assert_int_equal(ticket(w, 5).status, CORE_WAITING);
	assert_int_equal(queue(w).passed, 0);
}

/* All in one batch: what was loaded of the line lacks who comes back, so whoever joins behind must not seem to be the first of it. */
static void who_comes_back_is_not_overtaken_by_who_joins_in_the_same_batch(void **state)
{
	struct world *w = *state;
	int64_t back[] = {CHO};
	struct core_cmd cmds[] = {{.op = CORE_HEAR}, JOIN("eve", 0), LEAVE(AS_ADA)};
	struct core_reply replies[COUNT(cmds)];
	cmds[0].u.hear.queue_id = 1;
	cmds[0].u.hear.back = back;
	cmds[0].u.hear.back_count = 1;
	SILENT(w, NOW, CHO, DAN);
	decide(w, cmds, COUNT(cmds), NOW + 1, replies);
	assert_int_equal(ticket(w, 5).status, CORE_WAITING);
	struct core_cmd tick = {.op = CORE_TICK};
	int64_t queues[] = {1};
	tick.u.tick.queue_ids = queues;
	tick.u.tick.queue_count = 1;
	decide(w, &tick, 1, NOW + 2, replies);
	assert_int_equal(ticket(w, CHO).status, CORE_ACTIVE);
	assert_int_equal(ticket(w, CHO).number, 3);
}

static void the_grace_ends_at_its_very_instant(void **state)
{
	struct world *w = *state;
	SILENT(w, NOW, CHO, DAN);
	struct core_ticket t = ticket(w, CHO);
	assert_int_equal(core_ticket_at(&t, NOW + GRACE_MS - 1).status, CORE_WAITING);
	assert_int_equal(core_ticket_at(&t, NOW + GRACE_MS).status, CORE_EXPIRED);
	assert_int_equal(core_ticket_at(&t, NOW + GRACE_MS).reason, CORE_ABANDONED);
	BACK(w, NOW + GRACE_MS - 1, DAN); /* in time */
	BACK(w, NOW + GRACE_MS, CHO);     /* too late */
	assert_int_equal(ticket(w, DAN).status, CORE_WAITING);
	assert_int_equal(ticket(w, CHO).status, CORE_PASSED);
	struct core_cmd tick = {.op = CORE_TICK};
	struct core_reply reply;
	decide(w, &tick, 1, NOW + GRACE_MS, &reply);
	t = ticket(w, CHO);
	assert_int_equal(t.status, CORE_EXPIRED);
	assert_int_equal(t.reason, CORE_ABANDONED);
	assert_int_equal(queue(w).passed, 0);
}

static void asking_for_a_place_again_is_being_heard_from(void **state)
{
	struct world *w = *state;
	struct core_cmd join = JOIN("cho", 0);
	struct core_reply reply;
	SILENT(w, NOW, CHO);
	decide(w, &join, 1, NOW + 1, &reply);
	assert_false(reply.created);
	assert_int_equal(reply.ticket.number, CHO);
	assert_int_equal(ticket(w, CHO).status, CORE_WAITING);

	SILENT(w, NOW + 2, CHO); /* and after the grace it is a new place, at the back */
	decide(w, &join, 1, NOW + 2 + GRACE_MS, &reply);
	assert_true(reply.created);
	assert_int_equal(reply.ticket.number, 5);
	assert_int_equal(ticket(w, CHO).reason, CORE_ABANDONED);
}

static void the_passed_over_may_leave(void **state)
{
	struct world *w = *state;
	SILENT(w, NOW, CHO);
	leave(w, CHO, NOW + 1);
	assert_int_equal(ticket(w, CHO).reason, CORE_LEFT);
	assert_int_equal(queue(w).passed, 0);
	assert_int_equal(queue(w).waiting, 1);
}

static void whoever_does_not_wait_is_left_alone(void **state)
{
	struct world *w = *state;
	SILENT(w, NOW - 1, ADA, 99);
	BACK(w, NOW - 1, ADA, DAN, 99);
	assert_int_equal(ticket(w, ADA).status, CORE_ACTIVE);
	assert_int_equal(ticket(w, DAN).status, CORE_WAITING);
	assert_int_equal(ticket(w, DAN).returned_at, 0);
	assert_int_equal(queue(w).waiting, 2);
}

static void a_new_ticket_is_active_at_once_when_only_the_silent_wait(void **state)
{
	struct world *w = *state;
	struct core_cmd join = JOIN("eve", 0);
	struct core_reply reply;
	SILENT(w, NOW, CHO, DAN);
	leave(w, ADA, NOW);
	decide(w, &join, 1, NOW, &reply);
	assert_int_equal(reply.ticket.status, CORE_ACTIVE);
}

static void nobody_in_one_batch_slips_before_one_who_is_back(void **state)
{
	struct world *w = *state;
	int64_t cho = CHO;
	struct core_cmd cmds[] = {{.op = CORE_HEAR}, LEAVE(AS_ADA)};
	struct core_reply replies[2];
	SILENT(w, NOW, CHO);
	cmds[0].u.hear.queue_id = 1;
	cmds[0].u.hear.back = &cho;
	cmds[0].u.hear.back_count = 1;
	decide(w, cmds, 2, NOW, replies);
	assert_int_equal(ticket(w, CHO).status, CORE_ACTIVE); /* at once, although it was not in the line when that was loaded */
	assert_int_equal(ticket(w, DAN).status, CORE_WAITING);
}

/* What is loaded of the line is as long as there are slots; who is back may belong before it, into it, or behind it. */
static void who_is_back_stands_where_the_number_says(void **state)
{
	struct world *w = *state;
	struct core_cmd joins[] = {JOIN("eve", 0), JOIN("fay", 0)};
	struct core_reply replies[4];
	decide(w, joins, 2, NOW, replies);
	SILENT(w, NOW, DAN, 5);
	int64_t back[] = {5, DAN};
	struct core_cmd cmds[] = {{.op = CORE_HEAR}, LEAVE(AS_ADA), LEAVE(AS_BOB)};
	cmds[0].u.hear.queue_id = 1;
	cmds[0].u.hear.back = back;
	cmds[0].u.hear.back_count = 2;
	decide(w, cmds, 3, NOW, replies); /* cho (3) and fay (6) were loaded */
	assert_int_equal(ticket(w, CHO).status, CORE_ACTIVE);
	assert_int_equal(ticket(w, DAN).status, CORE_ACTIVE);
	assert_int_equal(ticket(w, 5).status, CORE_WAITING);
	assert_int_equal(ticket(w, 6).status, CORE_WAITING);
	SILENT(w, NOW, 6);
	back[0] = 6;
	cmds[0].u.hear.back_count = 1;
	cmds[1] = (struct core_cmd)LEAVE(AS(1, CHO));
	decide(w, cmds, 2, NOW, replies); /* eve (5) was loaded, and nobody behind her */
	assert_int_equal(ticket(w, 5).status, CORE_ACTIVE);
	assert_int_equal(ticket(w, 6).status, CORE_WAITING);
}

/* There is more room than the batch knew of, and it ends with what was loaded. */
static void who_is_back_does_not_overtake_who_was_not_loaded(void **state)
{
	struct world *w = *state;
	struct core_cmd join = JOIN("eve", 0);
	struct core_reply replies[2];
	decide(w, &join, 1, NOW, replies);
	SILENT(w, NOW, 5);
	assert_true(world_begin(w, NOW));
	core_need_row(&w->rows, CORE_ROW_QUEUE, 1, 0, (struct text){0});
	assert_int_equal(store_load(w->store, &w->rows), STORE_OK);
	struct core_queue *q = core_row_edit(&w->rows, core_row_find(&w->rows, CORE_ROW_QUEUE, 1, 0, (struct text){0}));
	q->capacity = q->ceiling = 10;
	assert_true(world_save(w, NOW));
	int64_t eve = 5;
	struct core_cmd cmds[] = {{.op = CORE_HEAR}, LEAVE(AS_ADA)};
	cmds[0].u.hear.queue_id = 1;
	cmds[0].u.hear.back = &eve;
	cmds[0].u.hear.back_count = 1;
	decide(w, cmds, 2, NOW, replies);
	assert_int_equal(ticket(w, CHO).status, CORE_ACTIVE);
	assert_int_equal(ticket(w, DAN).status, CORE_WAITING); /* comes with the next step */
	assert_int_equal(ticket(w, 5).status, CORE_WAITING);
}

/* Passed over and back in one batch, so it was in the line when that was loaded. */
static void who_is_back_stands_there_once(void **state)
{
	struct world *w = *state;
	int64_t cho = CHO;
	struct core_cmd cmds[] = {{.op = CORE_HEAR}, LEAVE(AS_ADA), LEAVE(AS_BOB)};
	struct core_reply replies[3];
	cmds[0].u.hear.queue_id = 1;
	cmds[0].u.hear.silent = cmds[0].u.hear.back = &cho;
	cmds[0].u.hear.silent_count = cmds[0].u.hear.back_count = 1;
	decide(w, cmds, 3, NOW, replies);
	assert_int_equal(ticket(w, CHO).status, CORE_ACTIVE);
	assert_int_equal(ticket(w, DAN).status, CORE_ACTIVE);
	assert_int_equal(queue(w).active, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_silent_are_passed_over_and_keep_their_place, setup, teardown),
	    cmocka_unit_test_setup_teardown(who_is_heard_from_again_is_next_when_the_turn_has_passed, setup, teardown),
	    cmocka_unit_test_setup_teardown(who_comes_back_is_not_overtaken_by_who_joins_in_the_same_batch, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_grace_ends_at_its_very_instant, setup, teardown),
	    cmocka_unit_test_setup_teardown(asking_for_a_place_again_is_being_heard_from, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_passed_over_may_leave, setup, teardown),
	    cmocka_unit_test_setup_teardown(whoever_does_not_wait_is_left_alone, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_new_ticket_is_active_at_once_when_only_the_silent_wait, setup, teardown),
	    cmocka_unit_test_setup_teardown(nobody_in_one_batch_slips_before_one_who_is_back, setup, teardown),
	    cmocka_unit_test_setup_teardown(who_is_back_stands_where_the_number_says, setup, teardown),
	    cmocka_unit_test_setup_teardown(who_is_back_does_not_overtake_who_was_not_loaded, setup, teardown),
	    cmocka_unit_test_setup_teardown(who_is_back_stands_there_once, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
