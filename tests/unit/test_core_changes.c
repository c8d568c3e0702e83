/* What an organiser changes of concerts and shows: what is refused, what a change leaves as it was promised, and what the audit log says. The
 * world: core_world.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core_world.h"

#define CONCERT(id, ...)                                                                                                \
	(struct core_cmd)                                                                                               \
	{                                                                                                               \
		.op = CORE_PATCH_CONCERT, .u.patch_concert = {.concert_id = (id), .actor = TEXT("admin"), __VA_ARGS__ } \
	}
#define SHOW(id, ...)                                                                                          \
	(struct core_cmd)                                                                                      \
	{                                                                                                      \
		.op = CORE_PATCH_SHOW, .u.patch_show = {.show_id = (id), .actor = TEXT("admin"), __VA_ARGS__ } \
	}
#define PRICES(...)                                             \
	.prices = (const struct core_new_price[]){__VA_ARGS__}, \
	.price_count = sizeof((struct core_new_price[]){__VA_ARGS__}) / sizeof(struct core_new_price)
#define LONG_NAME                                                                                              \
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789" \
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"

static void run(struct world *w, const struct core_cmd *cmd, struct core_reply *reply)
{
	assert_true(world_make(w));
	assert_true(world_decide(w, cmd, NOW, reply));
}

static bool says(struct text t, const char *words)
{
	return text_equal(t, text_of(words));
}

static const struct core_audit *audit_of(const struct world *w)
{
	for (const struct core_row *row = core_rows_dirty(&w->rows); row; row = row->next_dirty) {
		if (row->id.kind == CORE_ROW_AUDIT)
			return row->now;
	}
	return NULL;
}

/* ---- refusals ---- */

static void what_is_refused(void **state)
{
	const struct core_new_price many[JARI_PRICES_NAMED_MAX + 1] = {{TEXT("A"), 1}};
	const struct {
		struct core_cmd cmd;
		enum core_code code;
		const char *where;
	} rows[] = {
	    {CONCERT(1), CORE_INVALID_REQUEST, ""},
	    {CONCERT(99, .has_title = true), CORE_INVALID_REQUEST, "title"},
	    {CONCERT(1, .has_title = true, .title = TEXT("")), CORE_INVALID_REQUEST, "title"},
	    {CONCERT(1, .has_title = true, .title = TEXT(LONG_NAME "0")), CORE_INVALID_REQUEST, "title"},
	    {CONCERT(1, .has_title = true, .title = TEXT("a\nb")), CORE_INVALID_REQUEST, "title"},
	    {CONCERT(1, .has_artist = true, .artist = TEXT("")), CORE_INVALID_REQUEST, "artist"},
	    {CONCERT(1, .has_venue = true, .venue = TEXT("")), CORE_INVALID_REQUEST, "venue"},
	    {CONCERT(1, .has_sales_open_at = true, .sales_open_at = 0), CORE_INVALID_REQUEST, "salesOpenAt"},
	    {CONCERT(99, .has_title = true, .title = TEXT("new")), CORE_CONCERT_NOT_FOUND, ""},
	    {CONCERT(99, .has_sales_open_at = true, .no_sales_open_at = true), CORE_CONCERT_NOT_FOUND, ""},
	    {SHOW(1), CORE_INVALID_REQUEST, ""},
	    {SHOW(1, .has_starts_at = true, .starts_at = 0), CORE_INVALID_REQUEST, "startsAt"},
	    {SHOW(99, PRICES({TEXT(""), 1})), CORE_INVALID_REQUEST, "prices[0].section"},
	    {SHOW(1, PRICES({TEXT("A"), -1})), CORE_INVALID_REQUEST, "prices[0].price"},
	    {SHOW(1, PRICES({TEXT("A"), JARI_PRICE_MAX + 1})), CORE_INVALID_REQUEST, "prices[0].price"},
	    {SHOW(1, PRICES({TEXT("A"), 1}, {TEXT("A"), 2})), CORE_INVALID_REQUEST, "prices[1].section"},
	    {SHOW(1, .prices = many, .price_count = COUNT(many)), CORE_INVALID_REQUEST, "prices"},
	    {SHOW(1, PRICES({TEXT("A"), 1}, {TEXT("Z"), 2})), CORE_INVALID_REQUEST, "prices[1].section"},
	    {SHOW(99, .has_closed = true), CORE_SHOW_NOT_FOUND, ""},
	    {SHOW(99, PRICES({TEXT("A"), 1})), CORE_SHOW_NOT_FOUND, ""},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct core_reply reply;
		struct world w;

		run(&w, &rows[i].cmd, &reply);
		if (reply.code != rows[i].code || !says(reply.where, rows[i].where))
			fail_msg("row %zu: %s at \"%.*s\", not %s at \"%s\"", i, core_code_name(reply.code), (int)reply.where.n,
			         reply.where.p, core_code_name(rows[i].code), rows[i].where);
		assert_true(reply.code != CORE_INVALID_REQUEST || reply.what.n > 0);
		assert_false(world_changed(&w)); /* I10 */
		world_end(&w);
	}
}

/* ---- a concert ---- */

static void a_concert_is_changed(void **state)
{
	struct core_cmd cmd = CONCERT(3, .has_title = true, .title = TEXT("a \"b\" \\"), .has_venue = true,
	                              .venue = TEXT(LONG_NAME), .has_sales_open_at = true, .sales_open_at = NOW);
	struct core_reply reply;
	struct world w;

	(void)state;
	run(&w, &cmd, &reply);
	assert_int_equal(reply.code, CORE_OK);
	const struct core_concert *c = world_row(&w, CORE_ROW_CONCERT, 3, 0);
	assert_true(says(c->title, "a \"b\" \\") && says(c->artist, "a") && says(c->venue, LONG_NAME));
	assert_int_equal(c->sales_open_at, NOW);
	assert_int_equal(c->changed_at, NOW);
	assert_true(says(reply.concert.title, "a \"b\" \\"));
	const struct core_audit *a = audit_of(&w);
	assert_true(says(a->actor, "admin") && says(a->action, "PATCH_CONCERT") && says(a->target, "concert 3"));
	assert_true(says(a->detail,
	                 "{\"title\":{\"from\":\"t\",\"to\":\"a \\\"b\\\" \\\\\"},\"venue\":{\"from\":\"v\",\"to\":\"" LONG_NAME
	                 "\"},\"salesOpenAt\":{\"from\":\"2027-01-15T08:00:00.001Z\",\"to\":\"2027-01-15T08:00:00Z\"}}"));
	assert_true(world_save(&w, NOW));
	/* sales are open at once */
	cmd = (struct core_cmd)HOLD(AS_ADA, .concert_id = 3, .show_id = 7, SEATS(2));
	assert_true(world_decide(&w, &cmd, NOW, &reply));
	assert_int_equal(reply.code, CORE_OK);
	assert_int_equal(reply.show.show_id, 7);
	world_end(&w);
}

static void the_opening_of_sales_is_taken_back(void **state)
{
	struct core_cmd cmd = CONCERT(3, .has_sales_open_at = true, .no_sales_open_at = true);
	struct core_reply reply;
	struct world w;

	(void)state;
	run(&w, &cmd, &reply);
	assert_int_equal(reply.code, CORE_OK);
	assert_int_equal(reply.concert.sales_open_at, 0);
	assert_true(says(audit_of(&w)->detail, "{\"salesOpenAt\":{\"from\":\"2027-01-15T08:00:00.001Z\",\"to\":null}}"));
	assert_true(world_save(&w, NOW));
	cmd = (struct core_cmd)HOLD(AS_ADA, .concert_id = 3, .show_id = 7, SEATS(2));
	assert_true(world_decide(&w, &cmd, NOW, &reply));
	assert_int_equal(reply.code, CORE_OK);
	world_end(&w);
}

/* ---- a show ---- */

static void a_closed_show_takes_no_holds_and_keeps_those_it_has(void **state)
{
	struct core_cmd close = SHOW(1, .has_closed = true, .closed = true);
	struct core_cmd open = SHOW(1, .has_closed = true, .closed = false);
	struct core_cmd hold = HOLD(AS_ADA, .concert_id = 1, .date = 20270101, SEATS(6));
	struct core_cmd mine = HOLD(AS_ADA, .concert_id = 1, .show_id = 1, SEATS(1)); /* held by ada already */
	struct core_cmd best = HOLD(AS_ADA, .concert_id = 1, .show_id = 1, .best_count = 1);
	struct core_cmd elsewhere = HOLD(AS_CHO, .concert_id = 1, .show_id = 1, SEATS(6));
	struct core_cmd pay = PAY(AS_ADA, 1);
	struct core_reply reply;
	struct world w;

	(void)state;
	run(&w, &close, &reply);
	assert_int_equal(reply.code, CORE_OK);
	assert_true(reply.show.closed);
	assert_true(says(audit_of(&w)->detail, "{\"closed\":{\"from\":false,\"to\":true}}"));
	assert_int_equal(((const struct core_show *)world_row(&w, CORE_ROW_SHOW, 1, 0))->version, 3);
	assert_true(world_save(&w, NOW));
	const struct {
		const struct core_cmd *cmd;
		enum core_code code;
	} rows[] = {{&hold, CORE_SALES_CLOSED},
	            {&mine, CORE_SALES_CLOSED},
	            {&best, CORE_SALES_CLOSED},
	            {&elsewhere, CORE_NOT_ADMITTED},
	            {&pay, CORE_OK},
	            {&open, CORE_OK}};
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(world_decide(&w, rows[i].cmd, NOW, &reply));
		assert_int_equal(reply.code, rows[i].code);
		assert_true(reply.code == CORE_OK || !world_changed(&w));
		assert_true(world_save(&w, NOW));
	}
	/* ada's place ended with the payment: another one's would be refused for that, and no more for the closing */
	assert_true(world_decide(&w, &elsewhere, NOW, &reply));
	assert_int_equal(reply.code, CORE_OK);
	world_end(&w);
}

static void a_date_with_a_closed_show_is_still_ambiguous(void **state)
{
	struct core_cmd close = SHOW(2, .has_closed = true, .closed = true);
	struct core_cmd hold = HOLD(AS_ADA, .concert_id = 1, .date = 20270102, SEATS(6));
	struct core_reply reply;
	struct world w;

	(void)state;
	run(&w, &close, &reply);
	assert_true(world_save(&w, NOW));
	assert_true(world_decide(&w, &hold, NOW, &reply));
	assert_int_equal(reply.code, CORE_AMBIGUOUS_DATE);
	world_end(&w);
}

static void a_show_is_moved(void **state)
{
	struct core_cmd cmd = SHOW(4, .has_starts_at = true, .starts_at = NOW + 2 * DAY_MS, .date = 20270117);
	struct core_cmd hold = HOLD(AS_ADA, .concert_id = 1, .date = 20270117, SEATS(6));
	struct core_reply reply;
	struct world w;

	(void)state;
	run(&w, &cmd, &reply);
	assert_int_equal(reply.code, CORE_OK);
	const struct core_show *s = world_row(&w, CORE_ROW_SHOW, 4, 0);
	assert_int_equal(s->starts_at, NOW + 2 * DAY_MS);
	assert_int_equal(s->date, 20270117);
	assert_int_equal(s->version, 3);
	assert_int_equal(s->changed_at, NOW);
	assert_true(
	    says(audit_of(&w)->detail, "{\"startsAt\":{\"from\":\"2027-01-15T08:00:00Z\",\"to\":\"2027-01-17T08:00:00Z\"}}"));
	assert_true(world_save(&w, NOW));
	assert_true(world_decide(&w, &hold, NOW, &reply)); /* it had begun; now it has not */
	assert_int_equal(reply.code, CORE_OK);
	assert_int_equal(reply.reservation.show_id, 4);
	world_end(&w);
}

static int64_t price(const struct world *w, int64_t seat)
{
	return ((const struct core_seat *)world_row(w, CORE_ROW_SEAT, 1, seat))->price;
}

/* Show 1: seat 1 held by ada, 3 held once and lapsed, 4 sold, 5 held by bob, 10 (section B, free of charge) held. */
static void prices_of_free_seats_are_set(void **state)
{
	struct core_cmd cmd = SHOW(1, PRICES({TEXT("B"), 7}, {TEXT("A"), 250}));
	struct core_cmd hold = HOLD(AS_ADA, .concert_id = 1, .show_id = 1, SEATS(3));
	struct core_cmd pay = PAY(AS_ADA, 1);
	struct core_reply reply;
	struct world w;

	(void)state;
	run(&w, &cmd, &reply);
	assert_int_equal(reply.code, CORE_OK);
	assert_int_equal(price(&w, 1), 100);
	assert_int_equal(price(&w, 2), 250);
	assert_int_equal(price(&w, 3), 250);
	assert_int_equal(price(&w, 4), 100);
	assert_int_equal(price(&w, 5), 100);
	assert_int_equal(price(&w, 6), 250);
	assert_int_equal(price(&w, 7), 7);
	assert_int_equal(price(&w, 10), 0);
	assert_int_equal(reply.repriced, 6);
	assert_int_equal(reply.prices_kept, 3);
	assert_true(says(audit_of(&w)->detail, "{\"prices\":[{\"section\":\"B\",\"price\":7},{\"section\":\"A\",\"price\":250}],"
	                                       "\"repriced\":6,\"pricesKept\":3}"));
	assert_true(world_save(&w, NOW));
	assert_true(world_decide(&w, &pay, NOW, &reply)); /* at the price of the hold */
	assert_int_equal(reply.code, CORE_OK);
	assert_int_equal(reply.entry.amount, 100);
	assert_true(world_decide(&w, &hold, NOW, &reply));
	assert_int_equal(reply.code, CORE_OK);
	assert_int_equal(reply.reservation.total_price, 250);
	world_end(&w);
}

static void changes_are_decided_alone(void **state)
{
	const struct core_cmd concert = CONCERT(1), show = SHOW(1), queue = PATCH(1, .has_paused = true);

	(void)state;
	assert_true(core_alone(&concert) && core_alone(&show));
	assert_false(core_alone(&queue));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_refused),
	    cmocka_unit_test(a_concert_is_changed),
	    cmocka_unit_test(the_opening_of_sales_is_taken_back),
	    cmocka_unit_test(a_closed_show_takes_no_holds_and_keeps_those_it_has),
	    cmocka_unit_test(a_date_with_a_closed_show_is_still_ambiguous),
	    cmocka_unit_test(a_show_is_moved),
	    cmocka_unit_test(prices_of_free_seats_are_set),
	    cmocka_unit_test(changes_are_decided_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
