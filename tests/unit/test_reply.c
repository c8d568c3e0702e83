/* What the core says, as the contract's JSON, byte for byte: each error code's own members, and each document. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/reply.h"
#include <stdio.h>
#include <string.h>

#define NOW 1798192800000 /* 2026-12-25T10:00:00Z */

static struct buf out;

static int fresh(void **state)
{
	(void)state;
	buf_reset(&out);
	return 0;
}

static int freed(void **state)
{
	(void)state;
	buf_free(&out);
	return 0;
}

static void assert_out(const char *want)
{
	if (!text_equal(buf_view(&out), text_of(want)))
		fail_msg("got:    %.*s\nwanted: %s", (int)out.n, out.p, want);
	buf_reset(&out);
}

static struct json_out writer(void)
{
	struct json_out o;

	jo_begin(&o, &out);
	return o;
}

static const int64_t seats[] = {7, 9, 12};

static struct core_reservation a_reservation(void)
{
	return (struct core_reservation){.reservation_id = 5,
	                                 .user_id = 2,
	                                 .concert_id = 3,
	                                 .show_id = 4,
	                                 .queue_id = 1,
	                                 .ticket_number = 8,
	                                 .date = 20261225,
	                                 .total_price = 150000,
	                                 .status = CORE_RES_HELD,
	                                 .held_until = NOW + 300001,
	                                 .created_at = NOW,
	                                 .seat_count = 2,
	                                 .seats = seats};
}

/* ---- errors ---- */

struct refusal_case {
	struct core_reply reply;
	int64_t position;
	const char *members;
	const char *sentence; /* NULL: any */
};

static const int64_t many[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

static const struct refusal_case refusals[] = {
    {{.code = CORE_INVALID_REQUEST, .where = {"queues[0].name", 14}, .what = {"is used twice in this document", 30}},
     0,
     "",
     "\"queues[0].name\" is used twice in this document."},
    {{.code = CORE_INVALID_REQUEST}, 0, "", NULL},
    {{.code = CORE_TOKEN_REQUIRED}, 0, "", NULL},
    {{.code = CORE_TOKEN_INVALID}, 0, "", NULL},
    {{.code = CORE_INSUFFICIENT_BALANCE, .user = {.balance = 100}, .required = 150000},
     0,
     "\"balance\":100,\"required\":150000",
     NULL},
    {{.code = CORE_NOT_ADMITTED, .ticket = {.status = CORE_WAITING}}, 17, "\"ticketStatus\":\"WAITING\",\"position\":17", NULL},
    {{.code = CORE_NOT_ADMITTED, .ticket = {.status = CORE_EXPIRED}}, 17, "\"ticketStatus\":\"EXPIRED\",\"position\":0", NULL},
    {{.code = CORE_WRONG_QUEUE}, 0, "", NULL},
    {{.code = CORE_SALES_NOT_OPEN, .sales_open_at = NOW},
     0,
     "\"salesOpenAt\":\"2026-12-25T10:00:00Z\"",
     "Sales open at 2026-12-25T10:00:00Z. Until then seats can be seen, and not held."},
    {{.code = CORE_SALES_CLOSED},
     0,
     "",
     "The organiser has closed the sale of this show. Seats that are held can still be paid."},
    {{.code = CORE_NOT_FOUND}, 0, "", NULL},
    {{.code = CORE_CONCERT_NOT_FOUND}, 0, "", NULL},
    {{.code = CORE_SHOW_NOT_FOUND}, 0, "", NULL},
    {{.code = CORE_SEAT_NOT_FOUND, .seats = seats, .seat_count = 1},
     0,
     "",
     "Seat 7 is not among the seats of this show. The list of seats shows which there are."},
    {{.code = CORE_SEAT_NOT_FOUND, .seats = seats, .seat_count = 2},
     0,
     "",
     "Seats 7 and 9 are not among the seats of this show. The list of seats shows which there are."},
    {{.code = CORE_SEAT_NOT_FOUND}, 0, "", "The show has no section R. The list of seats shows which there are."},
    {{.code = CORE_USER_NOT_FOUND}, 0, "", NULL},
    {{.code = CORE_RESERVATION_NOT_FOUND}, 0, "", NULL},
    {{.code = CORE_METHOD_NOT_ALLOWED}, 0, "", NULL},
    {{.code = CORE_BODY_TOO_LARGE}, 0, "", NULL},
    {{.code = CORE_UNSUPPORTED_MEDIA_TYPE}, 0, "", NULL},
    {{.code = CORE_HEADERS_TOO_LARGE}, 0, "", NULL},
    {{.code = CORE_NOT_IMPLEMENTED}, 0, "", NULL},
    {{.code = CORE_SEAT_TAKEN, .seats = seats, .seat_count = 1},
     0,
     "\"conflicts\":[7]",
     "Seat 7 has just been taken by somebody else. Choose another one."},
    {{.code = CORE_SEAT_TAKEN, .seats = seats, .seat_count = 3},
     0,
     "\"conflicts\":[7,9,12]",
     "Seats 7, 9 and 12 have just been taken by somebody else. Choose others."},
    {{.code = CORE_SEAT_TAKEN, .seats = many, .seat_count = 12},
     0,
     "\"conflicts\":[1,2,3,4,5,6,7,8,9,10,11,12]",
     "Seats 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more have just been taken by somebody else. Choose others."},
    {{.code = CORE_SEAT_TAKEN},
     0,
     "\"conflicts\":[]",
     "Section R has fewer than 3 free seats. Ask for fewer, or for another section."},
    {{.code = CORE_ALREADY_YOURS, .reservation_id = 5}, 0, "\"reservationId\":5", NULL},
    {{.code = CORE_LIMIT_EXCEEDED, .limit = 4},
     0,
     "\"limit\":4",
     "One person may have at most 4 seats of a show, held and paid ones together."},
    {{.code = CORE_ALREADY_PAID}, 0, "", NULL},
    {{.code = CORE_AMOUNT_MISMATCH}, 0, "", NULL},
    {{.code = CORE_NOT_HELD}, 0, "", NULL},
    {{.code = CORE_AMBIGUOUS_DATE}, 0, "", NULL},
    {{.code = CORE_BALANCE_LIMIT}, 0, "", "A wallet holds at most 1000000000000 won. Charge less."},
    {{.code = CORE_HOLD_EXPIRED}, 0, "", NULL},
    {{.code = CORE_IDEMPOTENCY_KEY_REUSED}, 0, "", NULL},
    {{.code = CORE_RATE_LIMITED}, 0, "", NULL},
    {{.code = CORE_OVERLOADED}, 0, "", NULL},
    {{.code = CORE_STORE_UNAVAILABLE}, 0, "", NULL},
    {{.code = CORE_STOPPING}, 0, "", NULL},
};

/* The command that every case is an answer to: the best three seats of section R. */
static struct core_cmd best_three(void)
{
	struct core_cmd cmd = {.op = CORE_HOLD};

	cmd.u.hold.best_count = 3;
	cmd.u.hold.best_section = TEXT("R");
	return cmd;
}

static void errors_have_their_members(void **state)
{
	struct core_cmd cmd = best_three();

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct buf sentence = {0};

		http_refusal(&cmd, &refusals[i].reply, refusals[i].position, &out, &sentence);
		assert_out(refusals[i].members);
		assert_true(sentence.n > 0);
		if (refusals[i].sentence != NULL) {
			buf_text(&out, buf_view(&sentence));
			assert_out(refusals[i].sentence);
		}
		buf_free(&sentence);
	}
}

static void every_code_is_tried(void **state)
{
	(void)state;
	for (int code = 1; code < CORE_CODE_COUNT; code++) {
		size_t i = 0;

		while (i < sizeof(refusals) / sizeof(refusals[0]) && (int)refusals[i].reply.code != code)
			i++;
		if (i == sizeof(refusals) / sizeof(refusals[0]))
			fail_msg("no case has %s", core_code_name((enum core_code)code));
	}
}

/* ---- replies ---- */

static void renders_holds(void **state)
{
	struct core_cmd cmd = best_three();
	struct core_reply reply = {.reservation = a_reservation(), .show.starts_at = NOW + 9000};

	(void)state;
	assert_int_equal(http_render(&cmd, &reply, &out), 201);
	assert_out(
	    "{\"reservationId\":5,\"userId\":2,\"concertId\":3,\"showId\":4,\"date\":\"2026-12-25\",\"startsAt\":\"2026-12-25T10:00:09Z\",\"seatNumbers\":[7,9],\"totalPrice\":150000,"
	    "\"status\":\"HELD\",\"heldUntil\":\"2026-12-25T10:05:00.001Z\",\"createdAt\":\"2026-12-25T10:00:00Z\",\"paidAt\":null}");
}

static void renders_money(void **state)
{
	struct core_cmd charge = {.op = CORE_CHARGE_WALLET}, pay = {.op = CORE_PAY};
	struct core_reply reply = {.user = {.user_id = 2, .balance = 999999999999}, .reservation = a_reservation()};

	(void)state;
	assert_int_equal(http_render(&charge, &reply, &out), 200);
	assert_out("{\"userId\":2,\"balance\":999999999999}");
	reply.reservation.status = CORE_RES_PAID;
	reply.reservation.paid_at = NOW + 1000;
	reply.reservation.payment_id = 77;
	assert_int_equal(http_render(&pay, &reply, &out), 200);
	assert_out(
	    "{\"paymentId\":77,\"reservationId\":5,\"amount\":150000,\"balance\":999999999999,\"paidAt\":\"2026-12-25T10:00:01Z\","
	    "\"seatNumbers\":[7,9],\"status\":\"PAID\"}");
}

static void renders_organisers_changes(void **state)
{
	struct core_cmd patch = {.op = CORE_PATCH_QUEUE}, add = {.op = CORE_ADD_CATALOGUE};
	struct core_reply reply = {.queue = {.queue_id = 2,
	                                     .name = TEXT("a \"b\""),
	                                     .capacity = 100,
	                                     .ceiling = 120,
	                                     .rate_per_second = 5,
	                                     .paused = true,
	                                     .last_number = 9,
	                                     .waiting = 3,
	                                     .active = 1,
	                                     .admitted = 6},
	                           .queue_ids = seats,
	                           .queue_id_count = 1,
	                           .show_ids = seats,
	                           .show_id_count = 3};

	(void)state;
	assert_int_equal(http_render(&patch, &reply, &out), 200);
	assert_out(
	    "{\"queueId\":2,\"name\":\"a \\\"b\\\"\",\"capacity\":100,\"ratePerSecond\":5,\"paused\":true,\"waiting\":3,\"active\":1,\"admitted\":6,"
	    "\"lastNumber\":9}");
	assert_int_equal(http_render(&add, &reply, &out), 201);
	assert_out("{\"queueIds\":[7],\"concertIds\":[],\"showIds\":[7,9,12]}");
}

static void renders_what_has_no_body(void **state)
{
	struct core_reply reply = {.created = true};

	(void)state;
	assert_int_equal(http_render(&(struct core_cmd){.op = CORE_LEAVE}, &reply, &out), 204);
	assert_int_equal(http_render(&(struct core_cmd){.op = CORE_CANCEL}, &reply, &out), 204);
	assert_int_equal(http_render(&(struct core_cmd){.op = CORE_JOIN}, &reply, &out), 201);
	reply.created = false;
	assert_int_equal(http_render(&(struct core_cmd){.op = CORE_JOIN}, &reply, &out), 200);
	assert_int_equal(out.n, 0);
}

/* ---- documents ---- */

#define TOKEN "3f1e9c34-8d3a-4b53-9c2e-0d6f5f6f7a11"

static void writes_tickets(void **state)
{
	struct engine_ticket view = {
	    .ticket =
		{.queue_id = 1, .number = 42, .user_id = 2, .status = CORE_WAITING, .issued_at = NOW, .expires_at = NOW + 600000},
	    .username = "kim",
	    .username_len = 3,
	    .ahead = 4,
	    .eta_seconds = -1,
	    .retry_after_seconds = 6};
	struct json_out o = writer();

	(void)state;
	http_write_ticket(&o, &view, TOKEN);
	assert_out(
	    "{\"token\":\"" TOKEN
	    "\",\"userId\":2,\"username\":\"kim\",\"queueId\":1,\"number\":42,\"status\":\"WAITING\",\"reason\":null,\"position\":5,"
	    "\"ahead\":4,\"etaSeconds\":null,\"retryAfterSeconds\":6,\"issuedAt\":\"2026-12-25T10:00:00Z\",\"expiresAt\":null,\"queuePaused\":false}");
	view.ticket.status = CORE_ACTIVE;
	view.ahead = 0;
	view.eta_seconds = 0;
	o = writer();
	http_write_ticket(&o, &view, TOKEN);
	assert_out(
	    "{\"token\":\"" TOKEN
	    "\",\"userId\":2,\"username\":\"kim\",\"queueId\":1,\"number\":42,\"status\":\"ACTIVE\",\"reason\":null,\"position\":0,"
	    "\"ahead\":0,\"etaSeconds\":0,\"retryAfterSeconds\":6,\"issuedAt\":\"2026-12-25T10:00:00Z\",\"expiresAt\":\"2026-12-25T10:10:00Z\",\"queuePaused\":false}");
	view.ticket.status = CORE_EXPIRED;
	view.ticket.reason = CORE_TIMED_OUT;
	view.eta_seconds = -1;
	o = writer();
	http_write_ticket(&o, &view, TOKEN);
	assert_out(
	    "{\"token\":\"" TOKEN
	    "\",\"userId\":2,\"username\":\"kim\",\"queueId\":1,\"number\":42,\"status\":\"EXPIRED\",\"reason\":\"TIMED_OUT\",\"position\":0,"
	    "\"ahead\":0,\"etaSeconds\":null,\"retryAfterSeconds\":6,\"issuedAt\":\"2026-12-25T10:00:00Z\",\"expiresAt\":\"2026-12-25T10:10:00Z\",\"queuePaused\":false}");
}

static void writes_concerts(void **state)
{
	struct core_concert concert = {3, 1, TEXT("T\n"), TEXT("\xec\x9e\x90"), TEXT("V"), 0, 0};
	struct json_out o = writer();

	(void)state;
	http_write_concert(&o, &concert);
	assert_out(
	    "{\"concertId\":3,\"title\":\"T\\n\",\"artist\":\"\xec\x9e\x90\",\"venue\":\"V\",\"queueId\":1,\"salesOpenAt\":null}");
	concert.sales_open_at = NOW;
	o = writer();
	http_write_concert(&o, &concert);
	assert_out(
	    "{\"concertId\":3,\"title\":\"T\\n\",\"artist\":\"\xec\x9e\x90\",\"venue\":\"V\",\"queueId\":1,\"salesOpenAt\":\"2026-12-25T10:00:00Z\"}");
}

static void writes_dates(void **state)
{
	/* begun, sold out, to be had */
	struct engine_show shows[] = {
	    {.show = {.show_id = 1, .starts_at = NOW - 1, .date = 20261225, .total_seats = 50}, .available = 50},
	    {.show = {.show_id = 2, .starts_at = NOW + 1000, .date = 20261225, .total_seats = 50}, .available = 0},
	    {.show = {.show_id = 3, .starts_at = NOW + 2000, .date = 20261226, .total_seats = 50}, .available = 1},
	};
	struct json_out o = writer();

	(void)state;
	http_write_dates(&o, 9, shows, 3, false, NOW);
	assert_out(
	    "{\"concertId\":9,\"dates\":[{\"date\":\"2026-12-26\",\"showId\":3,\"startsAt\":\"2026-12-25T10:00:02Z\",\"totalSeats\":50,"
	    "\"availableSeats\":1,\"closed\":false}]}");
	o = writer();
	http_write_dates(&o, 9, shows, 3, true, NOW);
	assert_out(
	    "{\"concertId\":9,\"dates\":[{\"date\":\"2026-12-25\",\"showId\":1,\"startsAt\":\"2026-12-25T09:59:59.999Z\",\"totalSeats\":50,"
	    "\"availableSeats\":50,\"closed\":false},{\"date\":\"2026-12-25\",\"showId\":2,\"startsAt\":\"2026-12-25T10:00:01Z\",\"totalSeats\":50,"
	    "\"availableSeats\":0,\"closed\":false},{\"date\":\"2026-12-26\",\"showId\":3,\"startsAt\":\"2026-12-25T10:00:02Z\",\"totalSeats\":50,"
	    "\"availableSeats\":1,\"closed\":false}]}");
	shows[2].show.closed = true;
	o = writer();
	http_write_dates(&o, 9, shows, 3, false, NOW);
	assert_out("{\"concertId\":9,\"dates\":[]}");
}

static void writes_seats(void **state)
{
	struct core_show show = {
	    .show_id = 4, .concert_id = 9, .date = 20261225, .starts_at = NOW + 2000, .total_seats = 5, .version = 8};
	/* neighbours that differ in one thing at a time */
	const struct core_seat rows[] = {
	    {.seat_number = 1, .section = TEXT("A"), .price = 10},
	    {.seat_number = 2, .section = TEXT("A"), .price = 10, .status = CORE_SEAT_HELD},
	    {.seat_number = 3, .section = TEXT("A"), .price = 10},
	    {.seat_number = 4, .section = TEXT("A"), .price = 20},
	    {.seat_number = 5, .section = TEXT("\"B"), .price = 20},
	    {.seat_number = 7, .section = TEXT("\"B"), .price = 20, .status = CORE_SEAT_SOLD},
	};

	(void)state;
	http_write_seats(&out, &show, rows, 6);
	assert_out(
	    "{\"concertId\":9,\"showId\":4,\"date\":\"2026-12-25\",\"startsAt\":\"2026-12-25T10:00:02Z\",\"version\":8,\"closed\":false,\"availableSeats\":[1,3,4,5],\"seats\":["
	    "{\"seatNumber\":1,\"section\":\"A\",\"price\":10,\"status\":\"AVAILABLE\"},"
	    "{\"seatNumber\":2,\"section\":\"A\",\"price\":10,\"status\":\"HELD\"},"
	    "{\"seatNumber\":3,\"section\":\"A\",\"price\":10,\"status\":\"AVAILABLE\"},"
	    "{\"seatNumber\":4,\"section\":\"A\",\"price\":20,\"status\":\"AVAILABLE\"},"
	    "{\"seatNumber\":5,\"section\":\"\\\"B\",\"price\":20,\"status\":\"AVAILABLE\"},"
	    "{\"seatNumber\":7,\"section\":\"\\\"B\",\"price\":20,\"status\":\"SOLD\"}]}");
	http_write_seat_statuses(&out, &show, rows, 6);
	assert_out(
	    "{\"concertId\":9,\"showId\":4,\"date\":\"2026-12-25\",\"startsAt\":\"2026-12-25T10:00:02Z\",\"version\":8,\"closed\":false,\"statuses\":\"AHAAAS\"}");
	http_write_seats(&out, &show, rows, 0);
	assert_out(
	    "{\"concertId\":9,\"showId\":4,\"date\":\"2026-12-25\",\"startsAt\":\"2026-12-25T10:00:02Z\",\"version\":8,\"closed\":false,\"availableSeats\":[],\"seats\":[]}");
}

static void writes_histories(void **state)
{
	struct core_entry entry = {.user_id = 2,
	                           .entry_id = 6,
	                           .type = CORE_PAYMENT,
	                           .debit = {CORE_WALLET, 2},
	                           .credit = {CORE_REVENUE, 3},
	                           .amount = 150000,
	                           .balance_after = 50000,
	                           .reservation_id = 5,
	                           .created_at = NOW};
	struct json_out o = writer();

	(void)state;
	http_write_entry(&o, &entry);
	assert_out(
	    "{\"historyId\":6,\"type\":\"PAYMENT\",\"amount\":-150000,\"balanceAfter\":50000,\"reservationId\":5,\"createdAt\":\"2026-12-25T10:00:00Z\"}");
	entry = (struct core_entry){
	    .entry_id = 5, .type = CORE_CHARGE, .credit = {CORE_WALLET, 2}, .amount = 200000, .balance_after = 200000};
	entry.created_at = NOW;
	o = writer();
	http_write_entry(&o, &entry);
	assert_out(
	    "{\"historyId\":5,\"type\":\"CHARGE\",\"amount\":200000,\"balanceAfter\":200000,\"reservationId\":null,\"createdAt\":\"2026-12-25T10:00:00Z\"}");
	entry.type = CORE_REFUND;
	entry.reservation_id = 5;
	entry.debit = (struct core_account){CORE_REVENUE, 3};
	o = writer();
	http_write_entry(&o, &entry);
	assert_out(
	    "{\"historyId\":5,\"type\":\"REFUND\",\"amount\":200000,\"balanceAfter\":200000,\"reservationId\":5,\"createdAt\":\"2026-12-25T10:00:00Z\"}");
}

#define AUDIT \
	"{\"auditId\":1,\"at\":\"2026-12-25T10:00:00Z\",\"actor\":\"admin\",\"action\":\"PATCH_QUEUE\",\"target\":\"queue 1\",\"detail\":"

static void writes_audit_entries(void **state)
{
	static const struct {
		const char *detail, *want;
	} cases[] = {
	    {"{\"paused\":{\"from\":false,\"to\":true}}", AUDIT "{\"paused\":{\"from\":false,\"to\":true}}}"},
	    {"", AUDIT "null}"},
	    {"{\"no", AUDIT "\"{\\\"no\"}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct core_audit audit = {1, NOW, TEXT("admin"), TEXT("PATCH_QUEUE"), TEXT("queue 1"), text_of(cases[i].detail)};
		struct json_out o = writer();

		http_write_audit(&o, &audit);
		assert_out(cases[i].want);
	}
}

static void writes_statistics(void **state)
{
	struct engine_show show = {.show = {.show_id = 4, .concert_id = 9, .starts_at = NOW, .date = 20261225, .total_seats = 50},
	                           .available = 40,
	                           .held = 7,
	                           .sold = 3,
	                           .revenue = 450000};
	struct json_out o = writer();

	(void)state;
	http_write_show_stats(&o, &show, TEXT("T"));
	assert_out(
	    "{\"showId\":4,\"concertId\":9,\"title\":\"T\",\"date\":\"2026-12-25\",\"startsAt\":\"2026-12-25T10:00:00Z\",\"closed\":false,\"totalSeats\":50,\"available\":40,"
	    "\"held\":7,\"sold\":3,\"revenue\":450000}");
}

static void writes_sales(void **state)
{
	static const struct {
		struct text name;
		const char *field;
	} names[] = {
	    {{"kim", 3}, "kim"},    {{"a,b", 3}, "\"a,b\""}, {{"a\"b", 3}, "\"a\"\"b\""},
	    {{"=1+1", 4}, "'=1+1"}, {{"+1", 2}, "'+1"},      {{"-1", 2}, "'-1"},
	    {{"@x", 2}, "'@x"},     {{"\tx", 2}, "'\tx"},    {{"=\"a\"", 4}, "\"'=\"\"a\"\"\""},
	    {{"a=b", 3}, "a=b"},
	};

	(void)state;
	http_write_sales_header(&out);
	assert_out("reservationId,userId,username,showId,date,seatNumbers,totalPrice,status,createdAt,heldUntil,paidAt\r\n");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct store_sale sale = {a_reservation(), names[i].name};
		char want[256];

		(void)snprintf(want, sizeof(want),
		               "5,2,%s,4,2026-12-25,7 9,150000,HELD,2026-12-25T10:00:00Z,2026-12-25T10:05:00.001Z,\r\n",
		               names[i].field);
		http_write_sale(&out, &sale, NOW);
		assert_out(want);
	}
	struct store_sale sale = {a_reservation(), TEXT("kim")};
	http_write_sale(&out, &sale, NOW + 300001);
	assert_out("5,2,kim,4,2026-12-25,7 9,150000,EXPIRED,2026-12-25T10:00:00Z,2026-12-25T10:05:00.001Z,\r\n");
	sale.reservation.status = CORE_RES_PAID;
	sale.reservation.paid_at = NOW + 1000;
	http_write_sale(&out, &sale, NOW + 300001);
	assert_out("5,2,kim,4,2026-12-25,7 9,150000,PAID,2026-12-25T10:00:00Z,2026-12-25T10:05:00.001Z,2026-12-25T10:00:01Z\r\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, freed)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(errors_have_their_members),
	    TEST(every_code_is_tried),
	    TEST(renders_holds),
	    TEST(renders_money),
	    TEST(renders_organisers_changes),
	    TEST(renders_what_has_no_body),
	    TEST(writes_tickets),
	    TEST(writes_concerts),
	    TEST(writes_dates),
	    TEST(writes_seats),
	    TEST(writes_histories),
	    TEST(writes_audit_entries),
	    TEST(writes_statistics),
	    TEST(writes_sales),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
