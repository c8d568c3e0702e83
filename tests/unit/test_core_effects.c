/* What a command that succeeds changes: rows, places in the line, money, and which seats are the best. The world: core_world.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core_world.h"
#include <stdio.h>

static void run(struct world *w, const struct core_cmd *cmd, int64_t at, struct core_reply *reply)
{
	assert_true(world_make(w));
	assert_true(world_decide(w, cmd, at, reply));
}

/* ---- what success does ---- */

static const struct core_ticket *ticket(const struct world *w, int64_t queue, int64_t number)
{
	return world_row(w, CORE_ROW_TICKET, queue, number);
}

static const struct core_queue *queue_row(const struct world *w, int64_t id)
{
	return world_row(w, CORE_ROW_QUEUE, id, 0);
}

static void a_hold(void **state)
{
	struct core_cmd cmd = HOLD(AS_ADA, .concert_id = 1, .show_id = 2, SEATS(9, 10, 3));
	struct core_reply reply;
	struct world w;

	(void)state;
	run(&w, &cmd, NOW, &reply);
	assert_int_equal(reply.code, CORE_OK);
	assert_true(reply.reservation.reservation_id > 11);
	assert_int_equal(reply.reservation.user_id, ADA);
	assert_int_equal(reply.reservation.show_id, 2);
	assert_int_equal(reply.reservation.date, 20270102);
	assert_int_equal(reply.reservation.total_price, 200);
	assert_int_equal(reply.reservation.status, CORE_RES_HELD);
	assert_int_equal(reply.reservation.held_until, NOW + 300000);
	assert_int_equal(reply.reservation.created_at, NOW);
	assert_int_equal(reply.reservation.queue_id, 1);
	assert_int_equal(reply.reservation.ticket_number, ADA);
	assert_memory_equal(reply.reservation.seats, ((int64_t[]){3, 9, 10}), 3 * sizeof(int64_t));
	const struct core_seat *s = world_row(&w, CORE_ROW_SEAT, 2, 9);
	assert_int_equal(s->status, CORE_SEAT_HELD);
	assert_int_equal(s->user_id, ADA);
	assert_int_equal(s->reservation_id, reply.reservation.reservation_id);
	assert_int_equal(s->held_until, NOW + 300000);
	assert_true(((const struct core_show *)world_row(&w, CORE_ROW_SHOW, 2, 0))->version > 1);
	assert_true(world_save(&w, NOW));
	/* by name of its day too, where only one show is meant */
	cmd = (struct core_cmd)HOLD(AS_ADA, .concert_id = 1, .date = 20270101, SEATS(6));
	assert_true(world_decide(&w, &cmd, NOW, &reply));
	assert_int_equal(reply.code, CORE_OK);
	assert_int_equal(reply.reservation.show_id, 1);
	world_end(&w);
}

static void a_payment_is_one_step(void **state)
{
	struct core_cmd cmd = PAY(AS_ADA, 1);
	struct core_reply reply;
	struct world w;

	(void)state;
	run(&w, &cmd, NOW, &reply);
	assert_int_equal(reply.code, CORE_OK);
	assert_int_equal(reply.user.balance, 900);
	assert_int_equal(reply.reservation.status, CORE_RES_PAID);
	assert_int_equal(reply.reservation.paid_at, NOW);
	assert_int_equal(reply.reservation.payment_id, reply.entry.entry_id);
	assert_int_equal(reply.entry.type, CORE_PAYMENT);
	assert_int_equal(reply.entry.amount, 100);
	assert_int_equal(reply.entry.balance_after, 900);
	assert_int_equal(reply.entry.reservation_id, 1);
	assert_int_equal(reply.entry.debit.kind, CORE_WALLET);
	assert_int_equal(reply.entry.debit.id, ADA);
	assert_int_equal(reply.entry.credit.kind, CORE_REVENUE);
	assert_int_equal(reply.entry.credit.id, 1);
	const struct core_seat *s = world_row(&w, CORE_ROW_SEAT, 1, 1);
	assert_int_equal(s->status, CORE_SEAT_SOLD);
	assert_int_equal(s->reservation_id, 1);
	/* the ticket ends, and the next in line has its place */
	assert_int_equal(ticket(&w, 1, ADA)->status, CORE_EXPIRED);
	assert_int_equal(ticket(&w, 1, ADA)->reason, CORE_PAID);
	assert_int_equal(ticket(&w, 1, CHO)->status, CORE_ACTIVE);
	assert_int_equal(ticket(&w, 1, CHO)->admitted_at, NOW);
	assert_int_equal(ticket(&w, 1, CHO)->expires_at, NOW + 600000);
	assert_int_equal(queue_row(&w, 1)->active, 2);
	assert_int_equal(queue_row(&w, 1)->waiting, 1);
	assert_int_equal(queue_row(&w, 1)->admitted, 3);
	assert_true(world_save(&w, NOW));
	/* a second hold of the ended ticket can be paid; its reason stays, and nobody more is admitted */
	cmd = (struct core_cmd)PAY(AS_ADA, 7);
	assert_true(world_decide(&w, &cmd, NOW, &reply));
	assert_int_equal(reply.code, CORE_OK);
	assert_int_equal(reply.entry.amount, 0);
	assert_int_equal(ticket(&w, 1, ADA)->reason, CORE_PAID);
	assert_true(world_save(&w, NOW));
	/* paying with a place that has lapsed: it had timed out */
	cmd = (struct core_cmd)CHARGE(AS_BOB, BOB, 100);
	assert_true(world_decide(&w, &cmd, NOW, &reply));
	assert_int_equal(reply.user.balance, 100);
	assert_int_equal(reply.entry.debit.kind, CORE_OUTSIDE);
	assert_int_equal(reply.entry.credit.kind, CORE_WALLET);
	assert_true(world_save(&w, NOW));
	cmd = (struct core_cmd)PAY(AS_BOB, 6);
	assert_true(world_decide(&w, &cmd, NOW, &reply));
	assert_int_equal(reply.code, CORE_OK);
	assert_int_equal(ticket(&w, 1, BOB)->reason, CORE_TIMED_OUT);
	world_end(&w);
}

static void a_cancelled_seat_is_free_at_once(void **state)
{
	struct core_cmd cmd = CANCEL(AS_BOB, 6);
	struct core_reply reply;
	struct world w;

	(void)state;
	run(&w, &cmd, NOW, &reply);
	assert_int_equal(((const struct core_reservation *)world_row(&w, CORE_ROW_RESERVATION, 6, 0))->status,
	                 CORE_RES_CANCELLED);
	assert_true(world_save(&w, NOW));
	cmd = (struct core_cmd)HOLD(AS_ADA, .concert_id = 1, .show_id = 1, SEATS(5));
	assert_true(world_decide(&w, &cmd, NOW, &reply));
	assert_int_equal(reply.code, CORE_OK);
	world_end(&w);
}

/* A seat that was given up, or whose hold has lapsed, and is held again in the same batch is one seat towards the limit. */
static void a_seat_taken_again_counts_once(void **state)
{
	/* ada has seats 1, 4 and 10 */
	const struct core_cmd cmds[] = {
	    CANCEL(AS_ADA, 1),
	    HOLD(AS_ADA, .concert_id = 1, .show_id = 1, SEATS(1)),
	    HOLD(AS_ADA, .concert_id = 1, .show_id = 1, SEATS(6)),
	    HOLD(AS_ADA, .concert_id = 1, .show_id = 1, SEATS(8)),
	};
	static const enum core_code codes[] = {CORE_OK, CORE_OK, CORE_OK, CORE_LIMIT_EXCEEDED};
	struct core_reply replies[COUNT(cmds)];
	struct world w;

	(void)state;
	assert_true(world_make(&w));
	assert_true(world_decide_all(&w, cmds, COUNT(cmds), NOW, replies));
	for (size_t i = 0; i < COUNT(cmds); i++)
		if (replies[i].code != codes[i])
			fail_msg("command %zu: %s, not %s", i, core_code_name(replies[i].code), core_code_name(codes[i]));
	assert_true(world_save(&w, NOW));
	world_end(&w);
}

static void joining(void **state)
{
	static const struct {
		const char *what;
		struct core_cmd cmd;
		bool created;
		int64_t queue, number;
		enum core_ticket_status status;
		int64_t admitted; /* who is admitted on the way; 0: nobody */
	} rows[] = {
	    {"a new person in a full line", JOIN("eve", 1), true, 1, 5, CORE_WAITING, 0},
	    {"the default queue without a concert", JOIN("eve", 0), true, 1, 5, CORE_WAITING, 0},
	    {"who waits keeps the place", JOIN("dan", 1), false, 1, DAN, CORE_WAITING, 0},
	    {"who is active too", JOIN("ada", 1), false, 1, ADA, CORE_ACTIVE, 0},
	    {"who left takes a new place", JOIN("ada", 2), true, 2, 3, CORE_WAITING, 0},
	    {"another queue is another place", JOIN("dan", 2), true, 2, 3, CORE_WAITING, 0},
	    {"names differ by case", JOIN("Ada", 1), true, 1, 5, CORE_WAITING, 0},
	    {"a lapsed place ends, and the next has it", JOIN("bob", 1), true, 1, 5, CORE_WAITING, CHO},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct core_reply reply;
		struct world w;

		run(&w, &rows[i].cmd, NOW, &reply);
		if (reply.code != CORE_OK || reply.created != rows[i].created || reply.ticket.queue_id != rows[i].queue ||
		    reply.ticket.number != rows[i].number || reply.ticket.status != rows[i].status)
			fail_msg("%s: %s, ticket %lld/%lld, status %d", rows[i].what, core_code_name(reply.code),
			         (long long)reply.ticket.queue_id, (long long)reply.ticket.number, (int)reply.ticket.status);
		if (!rows[i].created && world_changed(&w))
			fail_msg("%s: rows have changed", rows[i].what);
		if (rows[i].admitted) {
			assert_int_equal(ticket(&w, 1, BOB)->reason, CORE_TIMED_OUT);
			assert_int_equal(ticket(&w, 1, rows[i].admitted)->status, CORE_ACTIVE);
			assert_int_equal(queue_row(&w, 1)->active, 2);
			assert_int_equal(queue_row(&w, 1)->waiting, 2);
		}
		assert_true(world_save(&w, NOW));
		world_end(&w);
	}
}

static void joining_with_room(void **state)
{
	struct core_cmd cmd = JOIN("one", 0);
	struct core_reply reply;
	struct world w;

	(void)state;
	assert_true(world_open(&w));
	assert_true(world_save(&w, NOW - 1000));
	assert_true(world_decide(&w, &cmd, NOW, &reply));
	assert_int_equal(reply.ticket.status, CORE_ACTIVE);
	assert_int_equal(reply.ticket.number, 1);
	assert_int_equal(reply.ticket.expires_at, NOW + 600000);
	assert_int_equal(reply.user.balance, 0);
	assert_true(world_save(&w, NOW));
	cmd = (struct core_cmd)JOIN("two", 0);
	assert_true(world_decide(&w, &cmd, NOW, &reply));
	assert_int_equal(reply.ticket.status, CORE_ACTIVE);
	assert_true(world_save(&w, NOW));
	cmd = (struct core_cmd)JOIN("three", 0);
	assert_true(world_decide(&w, &cmd, NOW, &reply));
	assert_int_equal(reply.ticket.status, CORE_WAITING);
	assert_int_equal(reply.ticket.number, 3);
	world_end(&w);
}

static void leaving(void **state)
{
	static const struct {
		const char *what;
		struct core_cmd cmd;
		int64_t number;
		enum core_ticket_reason reason;
		int64_t admitted, active, waiting;
	} rows[] = {
	    {"an active place", LEAVE(AS_ADA), ADA, CORE_LEFT, CHO, 2, 1},
	    {"a waiting place", LEAVE(AS_CHO), CHO, CORE_LEFT, 0, 2, 1},
	    {"a place that has lapsed", LEAVE(AS_BOB), BOB, CORE_TIMED_OUT, CHO, 2, 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct core_reply reply;
		struct world w;

		run(&w, &rows[i].cmd, NOW, &reply);
		assert_int_equal(reply.code, CORE_OK);
		assert_int_equal(ticket(&w, 1, rows[i].number)->status, CORE_EXPIRED);
		assert_int_equal(ticket(&w, 1, rows[i].number)->reason, rows[i].reason);
		if (rows[i].admitted)
			assert_int_equal(ticket(&w, 1, rows[i].admitted)->status, CORE_ACTIVE);
		if (queue_row(&w, 1)->active != rows[i].active || queue_row(&w, 1)->waiting != rows[i].waiting)
			fail_msg("%s: %lld active, %lld waiting", rows[i].what, (long long)queue_row(&w, 1)->active,
			         (long long)queue_row(&w, 1)->waiting);
		assert_true(world_save(&w, NOW));
		world_end(&w);
	}
	/* of an ended ticket: nothing happens */
	struct core_cmd cmd = LEAVE(AS_ADA_ENDED);
	struct core_reply reply;
	struct world w;
	run(&w, &cmd, NOW, &reply);
	assert_false(world_changed(&w));
	world_end(&w);
}

static void patching(void **state)
{
	static const struct {
		const char *what;
		struct core_cmd cmd;
		int64_t capacity, ceiling, rate, active, waiting;
		bool paused;
	} rows[] = {
	    {"more room admits at once", PATCH(1, .has_capacity = true, .capacity = 3), 3, 3, 0, 3, 1, false},
	    {"all of them", PATCH(1, .has_capacity = true, .capacity = 100), 100, 100, 0, 4, 0, false},
	    {"less room lets the active be", PATCH(1, .has_capacity = true, .capacity = 1), 1, 2, 0, 2, 2, false},
	    {"a pause admits nobody", PATCH(1, .has_paused = true, .paused = true, .has_capacity = true, .capacity = 4), 4, 4, 0,
	     2, 2, true},
	    {"a rate alone", PATCH(1, .has_rate = true, .rate_per_second = 5), 2, 2, 5, 2, 2, false},
	    {"nothing", PATCH(1), 2, 2, 0, 2, 2, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct core_reply reply;
		struct world w;
		const struct core_queue *q = &reply.queue;

		run(&w, &rows[i].cmd, NOW, &reply);
		if (reply.code != CORE_OK || q->capacity != rows[i].capacity || q->ceiling != rows[i].ceiling ||
		    q->rate_per_second != rows[i].rate || q->active != rows[i].active || q->waiting != rows[i].waiting ||
		    q->paused != rows[i].paused)
			fail_msg("%s: capacity %lld, ceiling %lld, active %lld, waiting %lld", rows[i].what,
			         (long long)q->capacity, (long long)q->ceiling, (long long)q->active, (long long)q->waiting);
		assert_true(world_save(&w, NOW));
		world_end(&w);
	}
}

/* Nobody comes in while more are active than the new capacity has room for. */
static void a_lowered_capacity_drains(void **state)
{
	struct core_cmd cmds[] = {PATCH(1, .has_capacity = true, .capacity = 1), LEAVE(AS_ADA), LEAVE(AS_BOB)};
	static const int64_t active[] = {2, 1, 1}, ceiling[] = {2, 1, 1}, waiting[] = {2, 2, 1};
	struct core_reply reply;
	struct world w;

	(void)state;
	assert_true(world_make(&w));
	for (size_t i = 0; i < COUNT(cmds); i++) {
		assert_true(world_decide(&w, &cmds[i], NOW, &reply));
		assert_int_equal(queue_row(&w, 1)->active, active[i]);
		assert_int_equal(queue_row(&w, 1)->ceiling, ceiling[i]);
		assert_int_equal(queue_row(&w, 1)->waiting, waiting[i]);
		assert_true(world_save(&w, NOW));
	}
	world_end(&w);
}

static void ticking(void **state)
{
	static const int64_t queues[] = {1, 2};
	struct core_cmd cmd = {.op = CORE_TICK, .u.tick = {queues, 2}};
	struct core_reply reply;
	struct world w;

	(void)state;
	run(&w, &cmd, NOW, &reply);
	assert_int_equal(reply.code, CORE_OK);
	assert_false(reply.more);
	/* bob's hold and place and the dead key end; what ends a millisecond later does not */
	assert_int_equal(((const struct core_reservation *)world_row(&w, CORE_ROW_RESERVATION, 2, 0))->status, CORE_RES_EXPIRED);
	assert_int_equal(((const struct core_seat *)world_row(&w, CORE_ROW_SEAT, 1, 3))->status, CORE_SEAT_FREE);
	assert_null(world_row(&w, CORE_ROW_RESERVATION, 1, 0));
	assert_int_equal(ticket(&w, 1, BOB)->reason, CORE_TIMED_OUT);
	assert_null(ticket(&w, 1, ADA));
	assert_int_equal(ticket(&w, 1, CHO)->status, CORE_ACTIVE);
	assert_null(core_row_get(&w.rows, CORE_ROW_KEY, ADA, 0, TEXT("dead")));
	assert_non_null(core_row_find(&w.rows, CORE_ROW_KEY, ADA, 0, TEXT("dead")));
	assert_true(world_save(&w, NOW));
	/* once more at the same instant: nothing is left to do */
	assert_true(world_decide(&w, &cmd, NOW, &reply));
	assert_false(world_changed(&w));
	/* and a day later everything has ended */
	assert_true(world_decide(&w, &cmd, NOW + DAY_MS, &reply));
	assert_int_equal(ticket(&w, 1, ADA)->status, CORE_EXPIRED);
	assert_int_equal(ticket(&w, 1, DAN)->status, CORE_ACTIVE);
	assert_int_equal(((const struct core_reservation *)world_row(&w, CORE_ROW_RESERVATION, 1, 0))->status, CORE_RES_EXPIRED);
	world_end(&w);
}

static void a_rate_spreads_admissions(void **state)
{
	static const int64_t queue = 1;
	struct core_cmd patch = PATCH(1, .has_rate = true, .rate_per_second = 1, .has_capacity = true, .capacity = 10);
	struct core_cmd tick = {.op = CORE_TICK, .u.tick = {&queue, 1}};
	static const struct {
		int64_t at, waiting;
	} rows[] = {{1, 1}, {749, 1}, {750, 0}};
	struct core_reply reply;
	struct world w;

	(void)state;
	run(&w, &patch, NOW, &reply);
	assert_int_equal(reply.queue.waiting, 1); /* one at once */
	assert_true(world_save(&w, NOW));
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(world_decide(&w, &tick, NOW + rows[i].at, &reply));
		assert_int_equal(queue_row(&w, 1)->waiting, rows[i].waiting);
		assert_true(world_save(&w, NOW + rows[i].at));
	}
	world_end(&w);
}

/* ---- the best available ---- */

/* A show of one letter a seat: its section, or x when it is sold. */
static void make_pattern(struct world *w, const char *pattern)
{
	static const struct text letters[] = {TEXT("a"), TEXT("b")};
	int64_t n = (int64_t)strlen(pattern);

	assert_true(world_open(w));
	w->rules.seats_per_user = 100;
	world_people(w);
	MAKE(w, CORE_ROW_CONCERT, core_concert, .concert_id = 1, .queue_id = 1, .title = TEXT("t"), .artist = TEXT("a"),
	     .venue = TEXT("v"));
	MAKE(w, CORE_ROW_SHOW, core_show, .show_id = 1, .concert_id = 1, .starts_at = NOW + DAY_MS, .date = 20270101,
	     .total_seats = n, .version = 1);
	for (int64_t i = 0; i < n; i++)
		MAKE(w, CORE_ROW_SEAT, core_seat, .show_id = 1, .seat_number = i + 1, .section = letters[pattern[i] == 'b'],
		     .price = 1, .status = pattern[i] == 'x' ? CORE_SEAT_SOLD : CORE_SEAT_FREE,
		     .reservation_id = pattern[i] == 'x' ? 50 : 0, .user_id = pattern[i] == 'x' ? BOB : 0);
	assert_true(world_save(w, NOW - 1000));
}

static void best_available(void **state)
{
	static const struct {
		const char *pattern;
		int64_t count;
		const char *section, *seats; /* empty: too few */
	} rows[] = {
	    {"aaaaaa", 1, "", "1"},
	    {"aaaaaa", 2, "", "1 2"},
	    {"xxaaaa", 2, "", "3 4"},
	    {"axaxaa", 2, "", "5 6"}, /* together, though farther back */
	    {"aaaxaa", 2, "", "5 6"}, /* nobody is left alone */
	    {"aaaaaxaaaa", 4, "", "7 8 9 10"},
	    {"aaa", 2, "", "1 2"},     /* where it can't be helped, together all the same */
	    {"aaxa", 1, "", "4"},      /* a seat that is alone already goes first */
	    {"aabbb", 3, "", "3 4 5"}, /* a section's edge parts seats */
	    {"aabbb", 2, "a", "1 2"},
	    {"aabbb", 3, "b", "3 4 5"},
	    {"aaabbb", 2, "b", "4 5"},
	    {"aabbb", 3, "a", ""},
	    {"axaxa", 2, "", "1 3"}, /* nowhere together */
	    {"axaxa", 3, "", "1 3 5"},
	    {"axxx", 2, "", ""},
	    {"xxxx", 1, "", ""},
	    {"aaaa", 4, "", "1 2 3 4"},
	    {"aaaa", 5, "", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct core_cmd cmd = HOLD(AS_ADA, .concert_id = 1, .show_id = 1, .best_count = rows[i].count);
		char got[64] = "";
		struct core_reply reply;
		struct world w;

		cmd.u.hold.best_section = text_of(rows[i].section);
		make_pattern(&w, rows[i].pattern);
		assert_true(world_decide(&w, &cmd, NOW, &reply));
		for (int k = 0; reply.code == CORE_OK && k < reply.reservation.seat_count; k++)
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%lld", k ? " " : "",
			         (long long)reply.reservation.seats[k]);
		if (strcmp(got, rows[i].seats) != 0)
			fail_msg("%lld of %s: %s '%s', not '%s'", (long long)rows[i].count, rows[i].pattern,
			         core_code_name(reply.code), got, rows[i].seats);
		if (reply.code != CORE_OK) {
			assert_int_equal(reply.code, CORE_SEAT_TAKEN);
			assert_int_equal(reply.seat_count, 0);
			assert_false(world_changed(&w));
		}
		world_end(&w);
	}
}

/* ---- catalogues ---- */

static const struct core_new_seats good_seats[] = {{TEXT("A"), 1, 3, 100}, {TEXT("B"), 4, 5, 0}};
static const struct core_new_show good_shows[] = {{NOW + DAY_MS, 20270201, good_seats, 2},
                                                  {NOW + 2 * DAY_MS, 20270202, good_seats, 1}};

static void a_catalogue(void **state)
{
	static const struct core_new_queue queues[] = {{TEXT("big"), 5, 10}};
	static const struct core_new_concert concerts[] = {
	    {TEXT("t"), TEXT("a"), TEXT("v"), TEXT("big"), NOW, good_shows, 2},
	    {TEXT("t"), TEXT("a"), TEXT("v"), TEXT("club"), 0, good_shows, 1},
	    {TEXT("t"), TEXT("a"), TEXT("v"), TEXT(""), 0, good_shows, 1},
	};
	static const struct core_catalogue doc = {queues, 1, concerts, 3};
	struct core_cmd cmd = {.op = CORE_ADD_CATALOGUE, .u.catalogue = {.doc = &doc, .actor = TEXT("admin")}};
	struct core_reply reply;
	struct world w;

	(void)state;
	run(&w, &cmd, NOW, &reply);
	assert_int_equal(reply.code, CORE_OK);
	assert_int_equal(reply.queue_id_count, 1);
	assert_int_equal(reply.concert_id_count, 3);
	assert_int_equal(reply.show_id_count, 4);
	const struct core_queue *q = queue_row(&w, reply.queue_ids[0]);
	assert_int_equal(q->capacity, 5);
	assert_int_equal(q->rate_per_second, 10);
	static const int64_t existing[] = {0, 2, 1};
	for (int i = 0; i < 3; i++) {
		const struct core_concert *c = world_row(&w, CORE_ROW_CONCERT, reply.concert_ids[i], 0);
		assert_int_equal(c->queue_id, existing[i] ? existing[i] : reply.queue_ids[0]);
	}
	const struct core_show *s = world_row(&w, CORE_ROW_SHOW, reply.show_ids[0], 0);
	assert_int_equal(s->total_seats, 5);
	assert_int_equal(s->concert_id, reply.concert_ids[0]);
	assert_int_equal(s->date, 20270201);
	assert_int_equal(((const struct core_show *)world_row(&w, CORE_ROW_SHOW, reply.show_ids[3], 0))->concert_id,
	                 reply.concert_ids[2]);
	const struct core_seat *seat = world_row(&w, CORE_ROW_SEAT, reply.show_ids[0], 4);
	assert_int_equal(seat->price, 0);
	assert_true(text_equal(seat->section, TEXT("B")));
	assert_null(world_row(&w, CORE_ROW_SEAT, reply.show_ids[0], 6));
	assert_true(world_save(&w, NOW));
	world_end(&w);
}

static void wrong_catalogues(void **state)
{
	static const struct core_new_seats twice[] = {{TEXT("A"), 1, 3, 1}, {TEXT("B"), 3, 4, 1}};
	static const struct core_new_seats same_range[] = {{TEXT("A"), 1, 3, 1}, {TEXT("A"), 1, 3, 1}};
	static const struct core_new_show show_twice[] = {{NOW + 1, 20270201, good_seats, 2}, {NOW + 1, 20270201, twice, 2}};
	static const struct core_new_show show_same[] = {{NOW + 1, 20270201, same_range, 2}};
	static const struct core_new_queue taken[] = {{TEXT("fresh"), 1, 0}, {TEXT("club"), 1, 0}};
	static const struct core_new_queue two[] = {{TEXT("same"), 1, 0}, {TEXT("other"), 1, 0}, {TEXT("same"), 1, 0}};
	static const struct core_new_concert unknown[] = {{TEXT("t"), TEXT("a"), TEXT("v"), TEXT(""), 0, good_shows, 1},
	                                                  {TEXT("t"), TEXT("a"), TEXT("v"), TEXT("nowhere"), 0, good_shows, 1}};
	static const struct core_new_concert seat_twice[] = {{TEXT("t"), TEXT("a"), TEXT("v"), TEXT(""), 0, show_twice, 2}};
	static const struct core_new_concert range_twice[] = {{TEXT("t"), TEXT("a"), TEXT("v"), TEXT(""), 0, show_same, 1}};
	static const struct {
		struct core_catalogue doc;
		const char *where; /* what the answer's path begins with */
	} rows[] = {
	    {{taken, 2, NULL, 0}, "queues[1]"},
	    {{two, 3, NULL, 0}, "queues[2]"},
	    {{NULL, 0, unknown, 2}, "concerts[1]"},
	    {{NULL, 0, seat_twice, 1}, "concerts[0].shows[1]"},
	    {{NULL, 0, range_twice, 1}, "concerts[0].shows[0]"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct core_cmd cmd = {.op = CORE_ADD_CATALOGUE, .u.catalogue = {.doc = &rows[i].doc, .actor = TEXT("admin")}};
		struct core_reply reply;
		struct world w;

		run(&w, &cmd, NOW, &reply);
		assert_int_equal(reply.code, CORE_INVALID_REQUEST);
		if (!text_starts(reply.where, text_of(rows[i].where)))
			fail_msg("'%.*s', not '%s'", (int)reply.where.n, reply.where.p, rows[i].where);
		assert_true(reply.what.n > 0);
		assert_false(world_changed(&w));
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_hold),
	    cmocka_unit_test(a_payment_is_one_step),
	    cmocka_unit_test(a_cancelled_seat_is_free_at_once),
	    cmocka_unit_test(joining),
	    cmocka_unit_test(joining_with_room),
	    cmocka_unit_test(leaving),
	    cmocka_unit_test(patching),
	    cmocka_unit_test(a_lowered_capacity_drains),
	    cmocka_unit_test(ticking),
	    cmocka_unit_test(a_rate_spreads_admissions),
	    cmocka_unit_test(best_available),
	    cmocka_unit_test(a_catalogue),
	    cmocka_unit_test(wrong_catalogues),
	    cmocka_unit_test(a_seat_taken_again_counts_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
