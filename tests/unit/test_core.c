/* The rules, command by command: what is answered, which error comes first, and what changes at which instant. The world is
 * core_world.h's.
 *
 * After every error no row has changed (I10); that is checked in each row of each table. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core_world.h"

struct row {
	const char *what;
	int64_t at; /* after NOW */
	struct core_cmd cmd;
	enum core_code code;
};

static void run(struct world *w, const struct core_cmd *cmd, int64_t at, struct core_reply *reply)
{
	assert_true(world_make(w));
	assert_true(world_decide(w, cmd, at, reply));
}

static void check_table(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct world w;
		struct core_reply reply;

		run(&w, &rows[i].cmd, NOW + rows[i].at, &reply);
		if (reply.code != rows[i].code)
			fail_msg("%s: %s, not %s", rows[i].what, core_code_name(reply.code), core_code_name(rows[i].code));
		if (rows[i].code != CORE_OK && world_changed(&w))
			fail_msg("%s: I10: rows have changed", rows[i].what);
		if (rows[i].code == CORE_OK && !world_save(&w, NOW + rows[i].at))
			fail_msg("%s: the store refuses it", rows[i].what);
		world_end(&w);
	}
}

/* ---- which error comes first ---- */

static void hold_precedence(void **state)
{
	const struct row rows[] = {
	    /* several things are wrong in each; from row to row the first is put right */
	    {"another request's key, no such concert",
	     0,
	     {.op = CORE_HOLD, AS_ADA, .key = TEXT("old"), .u.hold = {.concert_id = 99, .show_id = 99, SEATS(1)}},
	     CORE_IDEMPOTENCY_KEY_REUSED},
	    {"no such concert, nor show, ticket ended", 0, HOLD(AS_ADA_ENDED, .concert_id = 99, .show_id = 99, SEATS(99)),
	     CORE_CONCERT_NOT_FOUND},
	    {"no such show, ticket of another queue", 0, HOLD(AS_ADA_ENDED, .concert_id = 1, .show_id = 99, SEATS(99)),
	     CORE_SHOW_NOT_FOUND},
	    {"a show of another concert", 0, HOLD(AS_ADA, .concert_id = 1, .show_id = 6, SEATS(1)), CORE_SHOW_NOT_FOUND},
	    {"a show that has begun, ticket of another queue", 0, HOLD(AS_CHO_IN_CLUB, .concert_id = 1, .show_id = 4, SEATS(1)),
	     CORE_SHOW_NOT_FOUND},
	    {"no show on the date", 0, HOLD(AS_CHO_IN_CLUB, .concert_id = 1, .date = 20270104, SEATS(1)), CORE_SHOW_NOT_FOUND},
	    {"no such seat, ticket of another queue", 0, HOLD(AS_CHO_IN_CLUB, .concert_id = 1, .show_id = 1, SEATS(5, 99)),
	     CORE_SEAT_NOT_FOUND},
	    {"no such seat, ticket waits", 0, HOLD(AS_CHO, .concert_id = 1, .show_id = 1, SEATS(99)), CORE_SEAT_NOT_FOUND},
	    {"no such section, ticket waits", 0,
	     HOLD(AS_CHO, .concert_id = 1, .show_id = 1, .best_count = 1, .best_section = TEXT("Z")), CORE_SEAT_NOT_FOUND},
	    {"another queue, ended too", 0, HOLD(AS_ADA_ENDED, .concert_id = 1, .show_id = 1, SEATS(1)), CORE_WRONG_QUEUE},
	    {"another queue, sales not open", 0, HOLD(AS_CHO_IN_CLUB, .concert_id = 3, .show_id = 7, SEATS(1)), CORE_WRONG_QUEUE},
	    {"another queue, two shows that day", 0, HOLD(AS_CHO_IN_CLUB, .concert_id = 1, .date = 20270102, SEATS(1)),
	     CORE_WRONG_QUEUE},
	    {"waits, sales not open, seat taken", 0, HOLD(AS_CHO, .concert_id = 3, .show_id = 7, SEATS(1)), CORE_NOT_ADMITTED},
	    {"lapsed, sales not open", 0, HOLD(AS_BOB, .concert_id = 3, .show_id = 7, SEATS(1)), CORE_NOT_ADMITTED},
	    {"waits, two shows that day", 0, HOLD(AS_CHO, .concert_id = 1, .date = 20270102, SEATS(1)), CORE_NOT_ADMITTED},
	    {"sales not open, seat taken", 0, HOLD(AS_ADA, .concert_id = 3, .show_id = 7, SEATS(1)), CORE_SALES_NOT_OPEN},
	    {"two shows that day, a seat that none has", 0, HOLD(AS_ADA, .concert_id = 1, .date = 20270102, SEATS(99)),
	     CORE_AMBIGUOUS_DATE},
	    {"mine, too many, and taken", 0, HOLD(AS_ADA, .concert_id = 1, .show_id = 1, SEATS(5, 1, 6)), CORE_ALREADY_YOURS},
	    {"mine already sold", 0, HOLD(AS_ADA, .concert_id = 1, .show_id = 1, SEATS(4)), CORE_ALREADY_YOURS},
	    {"too many, and taken", 0, HOLD(AS_ADA, .concert_id = 1, .show_id = 1, SEATS(5, 6)), CORE_LIMIT_EXCEEDED},
	    {"best: too many, and too few free", 0, HOLD(AS_ADA, .concert_id = 1, .show_id = 1, .best_count = 20),
	     CORE_LIMIT_EXCEEDED},
	    {"best: as many as a number can say, on top of what is mine", 0,
	     HOLD(AS_ADA, .concert_id = 1, .show_id = 1, .best_count = INT64_MAX), CORE_LIMIT_EXCEEDED},
	    {"taken", 0, HOLD(AS_ADA, .concert_id = 1, .show_id = 1, SEATS(5)), CORE_SEAT_TAKEN},
	    {"free", 0, HOLD(AS_ADA, .concert_id = 1, .show_id = 1, SEATS(6)), CORE_OK},
	    {"as many as one may have", 0, HOLD(AS_ADA, .concert_id = 1, .show_id = 2, SEATS(7, 3, 2, 9)), CORE_OK},
	    {"one more", 0, HOLD(AS_ADA, .concert_id = 1, .show_id = 2, SEATS(7, 3, 2, 9, 8)), CORE_LIMIT_EXCEEDED},
	};

	(void)state;
	check_table(rows, COUNT(rows));
}

static void pay_precedence(void **state)
{
	static const struct row rows[] = {
	    {"another request's key, no such reservation",
	     0,
	     {.op = CORE_PAY, AS_ADA, .key = TEXT("old"), .u.pay = {.reservation_id = 99}},
	     CORE_IDEMPOTENCY_KEY_REUSED},
	    {"none such", 0, PAY_AMOUNT(AS_ADA, 99, 1), CORE_RESERVATION_NOT_FOUND},
	    {"another's, paid", 0, PAY_AMOUNT(AS_BOB, 3, 1), CORE_RESERVATION_NOT_FOUND},
	    {"another's, held", 0, PAY(AS_ADA, 6), CORE_RESERVATION_NOT_FOUND},
	    {"paid, another amount", 0, PAY_AMOUNT(AS_ADA, 3, 1), CORE_ALREADY_PAID},
	    {"paid, past the end of its hold", 2000, PAY(AS_ADA, 3), CORE_ALREADY_PAID},
	    {"lapsed, another amount, no money", 0, PAY_AMOUNT(AS_BOB, 2, 1), CORE_HOLD_EXPIRED},
	    {"ended by a tick, another amount", 0, PAY_AMOUNT(AS_ADA, 5, 1), CORE_HOLD_EXPIRED},
	    {"cancelled, another amount", 0, PAY_AMOUNT(AS_ADA, 4, 1), CORE_NOT_HELD},
	    {"cancelled, and past its end", 0, PAY(AS_ADA, 9), CORE_NOT_HELD},
	    {"refunded", 0, PAY(AS_ADA, 8), CORE_NOT_HELD},
	    {"another amount, no money", 0, PAY_AMOUNT(AS_BOB, 6, 99), CORE_AMOUNT_MISMATCH},
	    {"no money", 0, PAY_AMOUNT(AS_BOB, 6, 100), CORE_INSUFFICIENT_BALANCE},
	    {"one won too little", 0, PAY(AS_DAN, 11), CORE_INSUFFICIENT_BALANCE},
	    {"with money", 0, PAY_AMOUNT(AS_ADA, 1, 100), CORE_OK},
	    {"for nothing", 0, PAY_AMOUNT(AS_ADA, 7, 0), CORE_OK},
	    {"with an ended ticket's token", 0, PAY(AS_ADA_ENDED, 1), CORE_OK},
	};

	(void)state;
	check_table(rows, COUNT(rows));
}

static void other_errors(void **state)
{
	static const struct row rows[] = {
	    {"charge: another's wallet, too much", 0, CHARGE(AS_CHO, ADA, JARI_CHARGE_MAX), CORE_USER_NOT_FOUND},
	    {"charge: nobody's wallet", 0, CHARGE(AS_ADA, 99, 1), CORE_USER_NOT_FOUND},
	    {"charge: one past the limit", 0, CHARGE(AS_CHO, CHO, 11), CORE_BALANCE_LIMIT},
	    {"charge: to the limit", 0, CHARGE(AS_CHO, CHO, 10), CORE_OK},
	    {"charge: another request's key, another's wallet",
	     0,
	     {.op = CORE_CHARGE_WALLET, AS_ADA, .key = TEXT("old"), .u.charge = {.user_id = BOB, .amount = 1}},
	     CORE_IDEMPOTENCY_KEY_REUSED},
	    {"cancel: none such", 0, CANCEL(AS_ADA, 99), CORE_RESERVATION_NOT_FOUND},
	    {"cancel: another's", 0, CANCEL(AS_ADA, 6), CORE_RESERVATION_NOT_FOUND},
	    {"cancel: paid", 0, CANCEL(AS_ADA, 3), CORE_NOT_HELD},
	    {"cancel: cancelled", 0, CANCEL(AS_ADA, 4), CORE_NOT_HELD},
	    {"cancel: lapsed", 0, CANCEL(AS_BOB, 2), CORE_NOT_HELD},
	    {"cancel: held", 0, CANCEL(AS_ADA, 1), CORE_OK},
	    {"join: no such concert, new name", 0, JOIN("new", 99), CORE_CONCERT_NOT_FOUND},
	    {"join: no such concert, place lapsed", 0, JOIN("bob", 99), CORE_CONCERT_NOT_FOUND},
	    {"leave: an ended ticket", 0, LEAVE(AS_ADA_ENDED), CORE_OK},
	    {"patch: no such queue", 0, PATCH(99, .has_capacity = true, .capacity = 1), CORE_NOT_FOUND},
	};

	(void)state;
	check_table(rows, COUNT(rows));
}

/* ---- at the very instant ---- */

static void boundaries(void **state)
{
	const struct row rows[] = {
	    {"pay the last millisecond of a hold", 0, PAY(AS_ADA, 1), CORE_OK},
	    {"pay at its end", 1, PAY(AS_ADA, 1), CORE_HOLD_EXPIRED},
	    {"cancel at its end", 1, CANCEL(AS_ADA, 1), CORE_NOT_HELD},
	    {"another's seat at the end of its hold", 0, HOLD(AS_ADA, .concert_id = 1, .show_id = 1, SEATS(3)), CORE_OK},
	    {"the last millisecond of an active place", 0, HOLD(AS_ADA, .concert_id = 1, .show_id = 1, SEATS(8)), CORE_OK},
	    {"its end", 1, HOLD(AS_ADA, .concert_id = 1, .show_id = 1, SEATS(8)), CORE_NOT_ADMITTED},
	    {"just before the show", 0, HOLD(AS_ADA, .concert_id = 1, .show_id = 5, SEATS(1)), CORE_OK},
	    {"at its beginning", 1, HOLD(AS_ADA, .concert_id = 1, .show_id = 5, SEATS(1)), CORE_SHOW_NOT_FOUND},
	    {"one of two shows of the day has begun", 0, HOLD(AS_ADA, .concert_id = 1, .date = 20270103, SEATS(1)), CORE_OK},
	    {"both have", 1, HOLD(AS_ADA, .concert_id = 1, .date = 20270103, SEATS(1)), CORE_SHOW_NOT_FOUND},
	    {"the last millisecond of a key",
	     0,
	     {.op = CORE_CHARGE_WALLET, AS_ADA, .key = TEXT("old"), .u.charge = {.user_id = ADA, .amount = 1}},
	     CORE_IDEMPOTENCY_KEY_REUSED},
	    {"its end",
	     1,
	     {.op = CORE_CHARGE_WALLET, AS_ADA, .key = TEXT("old"), .u.charge = {.user_id = ADA, .amount = 1}},
	     CORE_OK},
	    {"a key that has ended",
	     0,
	     {.op = CORE_CHARGE_WALLET, AS_ADA, .key = TEXT("dead"), .u.charge = {.user_id = ADA, .amount = 1}},
	     CORE_OK},
	    {"another user's key of that name",
	     0,
	     {.op = CORE_CHARGE_WALLET, AS_CHO, .key = TEXT("old"), .u.charge = {.user_id = CHO, .amount = 1}},
	     CORE_OK},
	};

	(void)state;
	check_table(rows, COUNT(rows));
}

static void sales_open_at_their_instant(void **state)
{
	struct core_cmd hold = HOLD(AS_ADA, .concert_id = 3, .show_id = 7, SEATS(2));
	struct core_reply reply;
	struct world w;

	(void)state;
	run(&w, &hold, NOW, &reply);
	assert_int_equal(reply.code, CORE_SALES_NOT_OPEN);
	assert_int_equal(reply.sales_open_at, NOW + 1);
	world_end(&w);
	/* by a place that lasts */
	hold = (struct core_cmd)HOLD(AS_CHO, .concert_id = 3, .show_id = 7, SEATS(2));
	assert_true(world_make(&w));
	struct core_cmd leave = LEAVE(AS_BOB);
	assert_true(world_decide(&w, &leave, NOW, &reply));
	assert_true(world_save(&w, NOW));
	assert_true(world_decide(&w, &hold, NOW, &reply));
	assert_int_equal(reply.code, CORE_SALES_NOT_OPEN);
	assert_true(world_decide(&w, &hold, NOW + 1, &reply));
	assert_int_equal(reply.code, CORE_OK);
	world_end(&w);
}

static void views_of_an_instant(void **state)
{
	struct core_ticket t = {
	    .queue_id = 1, .status = CORE_ACTIVE, .issued_at = NOW - DAY_MS, .admitted_at = NOW - 10, .expires_at = NOW};
	struct core_reservation r = {.status = CORE_RES_HELD, .held_until = NOW};

	(void)state;
	assert_int_equal(core_ticket_at(&t, NOW - 1).status, CORE_ACTIVE);
	assert_int_equal(core_ticket_at(&t, NOW).status, CORE_EXPIRED);
	assert_int_equal(core_ticket_at(&t, NOW).reason, CORE_TIMED_OUT);
	assert_int_equal(core_admission(&t, 1, NOW - 1), CORE_OK);
	assert_int_equal(core_admission(&t, 1, NOW), CORE_NOT_ADMITTED);
	assert_int_equal(core_admission(&t, 2, NOW), CORE_WRONG_QUEUE);
	/* live tickets open however old they are; ended ones a day */
	assert_true(core_token_opens(&t, NOW - 1));
	assert_false(core_token_opens(&t, NOW));
	t.status = CORE_WAITING;
	assert_true(core_token_opens(&t, NOW + DAY_MS));
	t.status = CORE_EXPIRED;
	assert_true(core_token_opens(&t, NOW - 1));
	assert_false(core_token_opens(&t, NOW));
	assert_int_equal(core_reservation_at(&r, NOW - 1), CORE_RES_HELD);
	assert_int_equal(core_reservation_at(&r, NOW), CORE_RES_EXPIRED);
	r.status = CORE_RES_PAID;
	assert_int_equal(core_reservation_at(&r, NOW), CORE_RES_PAID);
	assert_int_equal(core_seat_at(CORE_SEAT_HELD, NOW, NOW - 1), CORE_SEAT_HELD);
	assert_int_equal(core_seat_at(CORE_SEAT_HELD, NOW, NOW), CORE_SEAT_FREE);
	assert_int_equal(core_seat_at(CORE_SEAT_SOLD, 0, NOW), CORE_SEAT_SOLD);
	assert_true(core_show_bookable(NOW, NOW - 1));
	assert_false(core_show_bookable(NOW, NOW));
}

/* ---- what an error says ---- */

/* For each row: when the shows of a date begin, in the order they are looked at; which one is meant, and how many of its kind there are. */
static void a_date_means_what_has_not_begun(void **state)
{
	static const struct {
		int64_t starts[3];
		size_t n, meant, coming, begun;
	} rows[] = {
	    {{NOW + 1}, 1, 0, 1, 0},          {{NOW}, 1, 0, 0, 1},
	    {{NOW - 9, NOW + 1}, 2, 1, 1, 1}, {{NOW + 1, NOW - 9}, 2, 0, 1, 1},
	    {{NOW - 9, NOW - 8}, 2, 0, 0, 2}, {{NOW - 9, NOW + 8, NOW + 9}, 3, 1, 2, 1},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct core_date date = {0};
		size_t meant = SIZE_MAX;
		for (size_t k = 0; k < rows[i].n; k++)
			if (core_date_means(&date, rows[i].starts[k], NOW))
				meant = k;
		if (meant != rows[i].meant || date.coming != rows[i].coming || date.begun != rows[i].begun)
			fail_msg("row %zu: %zu is meant, %zu are coming, %zu have begun", i, meant, date.coming, date.begun);
	}
}

static void errors_say_what_they_must(void **state)
{
	struct core_cmd cmd = HOLD(AS_DAN, .concert_id = 1, .show_id = 1, SEATS(1));
	struct core_reply reply;
	struct world w;

	(void)state;
	run(&w, &cmd, NOW, &reply);
	assert_int_equal(reply.code, CORE_NOT_ADMITTED);
	assert_int_equal(reply.ticket.status, CORE_WAITING);
	assert_int_equal(reply.ticket.number, DAN);
	cmd = (struct core_cmd)HOLD(AS_BOB, .concert_id = 1, .show_id = 1, SEATS(1));
	assert_true(world_decide(&w, &cmd, NOW, &reply));
	assert_int_equal(reply.ticket.status, CORE_EXPIRED);
	assert_int_equal(reply.ticket.reason, CORE_TIMED_OUT);
	cmd = (struct core_cmd)HOLD(AS_ADA, .concert_id = 1, .show_id = 1, SEATS(5));
	assert_true(world_decide(&w, &cmd, NOW, &reply));
	assert_int_equal(reply.seat_count, 1);
	assert_int_equal(reply.seats[0], 5);
	cmd = (struct core_cmd)HOLD(AS_ADA, .concert_id = 1, .show_id = 1, SEATS(2, 4));
	assert_true(world_decide(&w, &cmd, NOW, &reply));
	assert_int_equal(reply.reservation_id, 3);
	cmd = (struct core_cmd)HOLD(AS_ADA, .concert_id = 1, .show_id = 1, SEATS(2, 6));
	assert_true(world_decide(&w, &cmd, NOW, &reply));
	assert_int_equal(reply.code, CORE_LIMIT_EXCEEDED);
	assert_int_equal(reply.limit, 4);
	cmd = (struct core_cmd)HOLD(AS_ADA, .concert_id = 1, .show_id = 1, SEATS(98, 99));
	assert_true(world_decide(&w, &cmd, NOW, &reply));
	assert_int_equal(reply.code, CORE_SEAT_NOT_FOUND);
	cmd = (struct core_cmd)PAY(AS_DAN, 11);
	assert_true(world_decide(&w, &cmd, NOW, &reply));
	assert_int_equal(reply.required, 100);
	assert_int_equal(reply.user.balance, 99);
	world_end(&w);
}

/* ---- idempotency ---- */

static void a_kept_answer_is_given_again(void **state)
{
	struct core_cmd cmd = CHARGE(AS_ADA, ADA, 5);
	struct core_batch batch;
	struct core_reply reply;
	struct world w;

	(void)state;
	cmd.key = TEXT("new");
	memset(cmd.digest, 7, sizeof(cmd.digest));
	run(&w, &cmd, NOW, &reply);
	assert_int_equal(reply.user.balance, 1005);
	batch = (struct core_batch){.rows = &w.rows, .rules = &w.rules, .now = NOW};
	core_keep_answer(&batch, &cmd, 200, TEXT("{\"balance\":1005}"));
	/* in the same batch */
	core_decide(&batch, &cmd, &reply);
	assert_true(reply.replayed);
	assert_true(world_save(&w, NOW));
	/* and after, up to a day, with any token of the user */
	cmd.auth_queue_id = 2;
	cmd.auth_number = 1;
	assert_true(world_decide(&w, &cmd, NOW + DAY_MS - 1, &reply));
	assert_int_equal(reply.code, CORE_OK);
	assert_true(reply.replayed);
	assert_int_equal(reply.replay_status, 200);
	assert_true(text_equal(reply.replay_body, TEXT("{\"balance\":1005}")));
	assert_false(world_changed(&w));
	cmd.digest[31] ^= 1;
	assert_true(world_decide(&w, &cmd, NOW + DAY_MS - 1, &reply));
	assert_int_equal(reply.code, CORE_IDEMPOTENCY_KEY_REUSED);
	cmd.digest[31] ^= 1;
	assert_true(world_decide(&w, &cmd, NOW + DAY_MS, &reply));
	assert_false(reply.replayed);
	assert_int_equal(reply.user.balance, 1010);
	world_end(&w);
}

/* ---- how often a store is asked ---- */

/* Each load is a round trip where the store is across a network. */
static void what_is_named_by_id_is_loaded_at_once(void **state)
{
	const struct {
		const char *what;
		struct core_cmd cmd;
		int loads;
	} rows[] = {
	    {"charge", CHARGE(AS_ADA, ADA, 5), 1},
	    {"hold of a seat, by the show's id", HOLD(AS_ADA, .concert_id = 1, .show_id = 1, SEATS(1)), 1},
	    {"hold of the best, by the show's id", HOLD(AS_ADA, .concert_id = 1, .show_id = 1, .best_count = 2), 1},
	    {"hold by the date", HOLD(AS_ADA, .concert_id = 1, .date = 20270101, SEATS(1)), 2},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world w;
		struct core_batch batch;
		int loads = 0;

		assert_true(world_make(&w));
		assert_true(world_begin(&w, NOW));
		batch = (struct core_batch){.rows = &w.rows, .rules = &w.rules, .now = NOW};
		for (core_plan(&batch, &rows[i].cmd); core_rows_needy(&w.rows); core_plan(&batch, &rows[i].cmd)) {
			assert_int_equal(store_load(w.store, &w.rows), STORE_OK);
			loads++;
		}
		if (loads != rows[i].loads)
			fail_msg("%s: %d loads", rows[i].what, loads);
		world_end(&w);
	}
}

static void accounts_stay_with_their_people(void **state)
{
	int64_t names = core_realm(TEXT("")), one = core_realm(TEXT("https://login.example")),
		other = core_realm(TEXT("https://login.example/"));

	(void)state;
	/* In stores by now: another number would lock every organiser out. */
	assert_int_equal(names, CORE_REALM_OF_NAMES);
	assert_int_equal(core_realm(TEXT("a")), (int64_t)(0xaf63dc4c8601ec8cu >> 2) + 2); /* FNV-1a's own test vector */
	assert_true(one > CORE_REALM_OF_NAMES && other > CORE_REALM_OF_NAMES && one != other);
	assert_true(core_realm_may(0, one, true, false)); /* of a version that did not note it */
	assert_true(core_realm_may(one, one, true, false));
	assert_true(core_realm_may(names, one, false, false));
	assert_true(core_realm_may(names, one, true, true));
	assert_false(core_realm_may(names, one, true, false));
	assert_false(core_realm_may(one, names, true, false));
	assert_false(core_realm_may(one, other, true, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hold_precedence),
	    cmocka_unit_test(pay_precedence),
	    cmocka_unit_test(other_errors),
	    cmocka_unit_test(boundaries),
	    cmocka_unit_test(sales_open_at_their_instant),
	    cmocka_unit_test(views_of_an_instant),
	    cmocka_unit_test(a_date_means_what_has_not_begun),
	    cmocka_unit_test(accounts_stay_with_their_people),
	    cmocka_unit_test(errors_say_what_they_must),
	    cmocka_unit_test(a_kept_answer_is_given_again),
	    cmocka_unit_test(what_is_named_by_id_is_loaded_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
