/* test_guards.c: what every store refuses, field by field: a row that breaks an invariant, whatever the rules thought, and a change of a queue that
 * is not as it was loaded. With it what else is asked of a store that it can't do. */
#include "fixture.h"

#include "base/limits.h"

static struct store *store_of(void **state)
{
	return ((struct fixture *)*state)->store;
}

/* Refused, and what came with it as well. */
static void refuse(struct store *s, enum core_kind kind, const void *wrong, const char *why)
{
	struct batch b;
	struct core_user bystander = a_user(60, "bystander", 0);
	batch_begin(&b, s);
	(void)core_row_create(&b.rows, CORE_ROW_USER, &bystander);
	(void)core_row_create(&b.rows, kind, wrong);
	enum store_result result = batch_commit(&b);
	if (result != STORE_CONFLICT)
		fail_msg("%s: %s", why, store_result_name(result));
	batch_begin(&b, s);
	assert_null(load_one(&b, CORE_ROW_USER, 60, 0, NONE));
	batch_drop(&b);
}

#define WRONG(kind, type, right, field, value)                        \
	do {                                                          \
		type row = (right);                                   \
		row.field = value;                                    \
		refuse(s, kind, &row, #type "." #field " = " #value); \
	} while (0)

#define OVER_BALANCE (JARI_BALANCE_MAX + 1)

/* ---- rows ---- */

static void queues(void **state)
{
	struct store *s = store_of(state);
	struct core_queue q = {.queue_id = 7, .name = TEXT("vip"), .capacity = 5, .ceiling = 5, .last_number = 3};
#define QUEUE(field, value) WRONG(CORE_ROW_QUEUE, struct core_queue, q, field, value)
	QUEUE(queue_id, 0);
	QUEUE(name, TEXT(""));
	QUEUE(capacity, -1);
	QUEUE(ceiling, 4);
	QUEUE(active, -1);
	QUEUE(active, 6);
	QUEUE(waiting, -1);
	QUEUE(passed, -1);
	QUEUE(rate_per_second, -1);
	QUEUE(admitted, -1);
	QUEUE(admitted, 4);
	q.last_number = 0;
	QUEUE(last_number, -1);
	assert_int_equal(commit_new(s, CORE_ROW_QUEUE, &q), STORE_OK);
}

static void tickets(void **state)
{
	struct store *s = store_of(state);
	struct core_ticket waiting = a_ticket(10, 30), active = a_ticket(11, 31), passed = a_ticket(12, 32),
			   over = a_ticket(13, 33);
	active.status = CORE_ACTIVE;
	active.admitted_at = active.expires_at = T0;
	passed.status = CORE_PASSED;
	passed.expires_at = T0;
	over.status = CORE_EXPIRED;
	over.reason = CORE_LEFT;
	over.ended_at = T0;
#define TICKET(right, field, value) WRONG(CORE_ROW_TICKET, struct core_ticket, right, field, value)
	TICKET(waiting, number, 0);
	TICKET(waiting, status, (enum core_ticket_status)0);
	TICKET(waiting, status, (enum core_ticket_status)5);
	TICKET(waiting, reason, CORE_LEFT);
	TICKET(waiting, ended_at, T0);
	TICKET(waiting, admitted_at, T0);
	TICKET(active, admitted_at, 0);
	TICKET(passed, admitted_at, T0);
	TICKET(passed, expires_at, 0);
	TICKET(over, reason, CORE_REASON_NONE);
	TICKET(over, reason, (enum core_ticket_reason)5);
	TICKET(over, ended_at, 0);
	assert_int_equal(commit_new(s, CORE_ROW_TICKET, &waiting), STORE_OK);
	assert_int_equal(commit_new(s, CORE_ROW_TICKET, &active), STORE_OK);
	assert_int_equal(commit_new(s, CORE_ROW_TICKET, &passed), STORE_OK);
	assert_int_equal(commit_new(s, CORE_ROW_TICKET, &over), STORE_OK);
}

static void seats(void **state) /* I1 */
{
	struct store *s = store_of(state);
	struct core_seat open = a_seat(10, 100), held = a_seat(11, 100), sold = a_seat(12, 100);
	held.status = CORE_SEAT_HELD;
	sold.status = CORE_SEAT_SOLD;
	held.reservation_id = held.user_id = held.held_until = sold.reservation_id = sold.user_id = 5;
#define SEAT(right, field, value) WRONG(CORE_ROW_SEAT, struct core_seat, right, field, value)
	SEAT(open, seat_number, 0);
	SEAT(open, price, -1);
	SEAT(sold, status, (enum core_seat_status)3);
	SEAT(open, reservation_id, 5);
	SEAT(open, user_id, 5);
	SEAT(open, held_until, 5);
	SEAT(held, reservation_id, 0);
	SEAT(held, user_id, 0);
	SEAT(held, held_until, 0);
	SEAT(sold, reservation_id, 0);
	SEAT(sold, user_id, 0);
	SEAT(sold, held_until, 5);
	assert_int_equal(commit_new(s, CORE_ROW_SEAT, &open), STORE_OK);
	assert_int_equal(commit_new(s, CORE_ROW_SEAT, &held), STORE_OK);
	assert_int_equal(commit_new(s, CORE_ROW_SEAT, &sold), STORE_OK);
}

static void reservations(void **state)
{
	struct store *s = store_of(state);
	static const int64_t numbers[] = {4};
	struct core_reservation held = a_hold(10, ANN, 1, numbers, 1, 5), paid = a_hold(11, ANN, 1, numbers, 1, 5);
	paid.status = CORE_RES_PAID;
	paid.paid_at = T0;
	paid.payment_id = 9;
#define RESERVATION(right, field, value) WRONG(CORE_ROW_RESERVATION, struct core_reservation, right, field, value)
	RESERVATION(held, reservation_id, 0);
	RESERVATION(held, status, (enum core_reservation_status)0);
	RESERVATION(held, status, (enum core_reservation_status)6);
	RESERVATION(held, total_price, -1);
	RESERVATION(held, seat_count, 0);
	RESERVATION(held, paid_at, T0);
	RESERVATION(held, payment_id, 9);
	RESERVATION(paid, paid_at, 0);
	RESERVATION(paid, payment_id, 0);
	paid.status = CORE_RES_REFUNDED;
	RESERVATION(paid, paid_at, 0);
	assert_int_equal(commit_new(s, CORE_ROW_RESERVATION, &held), STORE_OK);
	assert_int_equal(commit_new(s, CORE_ROW_RESERVATION, &paid), STORE_OK);
}

static void money(void **state) /* I3 */
{
	struct store *s = store_of(state);
	struct core_user user = a_user(20, "eve", 5);
	struct core_entry charge = a_charge(ANN, 10, 5, 5), payment = charge, refund = charge;
	payment.entry_id = 11;
	payment.type = CORE_PAYMENT;
	payment.debit = (struct core_account){CORE_WALLET, ANN};
	payment.credit = (struct core_account){CORE_REVENUE, 1};
	payment.reservation_id = 3;
	refund.entry_id = 12;
	refund.type = CORE_REFUND;
	refund.debit = (struct core_account){CORE_REVENUE, 1};
	refund.reservation_id = 3;
	WRONG(CORE_ROW_USER, struct core_user, user, user_id, 0);
	WRONG(CORE_ROW_USER, struct core_user, user, name, TEXT(""));
	WRONG(CORE_ROW_USER, struct core_user, user, balance, -1);
	WRONG(CORE_ROW_USER, struct core_user, user, balance, OVER_BALANCE);
#define ENTRY(right, field, value) WRONG(CORE_ROW_ENTRY, struct core_entry, right, field, value)
	ENTRY(charge, user_id, 0);
	ENTRY(charge, entry_id, 0);
	ENTRY(charge, amount, -1);
	ENTRY(charge, balance_after, -1);
	ENTRY(charge, balance_after, OVER_BALANCE);
	ENTRY(charge, type, (enum core_entry_type)0);
	ENTRY(charge, type, (enum core_entry_type)4);
	ENTRY(charge, debit.kind, CORE_REVENUE);
	ENTRY(charge, debit.id, 1);
	ENTRY(charge, credit.kind, CORE_REVENUE);
	ENTRY(charge, credit.id, BOB);
	ENTRY(charge, reservation_id, 3);
	ENTRY(payment, debit.kind, CORE_OUTSIDE);
	ENTRY(payment, debit.id, BOB);
	ENTRY(payment, credit.kind, CORE_WALLET);
	ENTRY(payment, credit.id, 0);
	ENTRY(payment, reservation_id, 0);
	ENTRY(refund, debit.kind, CORE_OUTSIDE);
	ENTRY(refund, debit.id, 0);
	ENTRY(refund, credit.id, BOB);
	ENTRY(refund, reservation_id, 0);
	assert_int_equal(commit_new(s, CORE_ROW_USER, &user), STORE_OK);
	assert_int_equal(commit_new(s, CORE_ROW_ENTRY, &charge), STORE_OK);
	assert_int_equal(commit_new(s, CORE_ROW_ENTRY, &payment), STORE_OK);
	assert_int_equal(commit_new(s, CORE_ROW_ENTRY, &refund), STORE_OK);
}

static void the_rest(void **state)
{
	struct store *s = store_of(state);
	struct core_concert concert = {
	    .concert_id = 5, .queue_id = 1, .title = TEXT("T"), .artist = TEXT("A"), .venue = TEXT("V")};
	struct core_show show = {
	    .show_id = 5, .concert_id = 5, .starts_at = T0, .date = 20261224, .total_seats = 1, .version = 1};
	struct core_key_record key = a_key(ANN, "k5", T0);
	struct core_audit audit = {
	    .audit_id = 5, .actor = TEXT("a"), .action = TEXT("b"), .target = TEXT("c"), .detail = TEXT("{}")};
	WRONG(CORE_ROW_CONCERT, struct core_concert, concert, concert_id, 0);
	WRONG(CORE_ROW_SHOW, struct core_show, show, show_id, 0);
	WRONG(CORE_ROW_SHOW, struct core_show, show, total_seats, -1);
	WRONG(CORE_ROW_KEY, struct core_key_record, key, key, TEXT(""));
	WRONG(CORE_ROW_KEY, struct core_key_record, key, status, 199);
	WRONG(CORE_ROW_KEY, struct core_key_record, key, status, 300);
	WRONG(CORE_ROW_AUDIT, struct core_audit, audit, audit_id, 0);
	assert_int_equal(commit_new(s, CORE_ROW_CONCERT, &concert), STORE_OK);
	assert_int_equal(commit_new(s, CORE_ROW_SHOW, &show), STORE_OK);
	assert_int_equal(commit_new(s, CORE_ROW_KEY, &key), STORE_OK);
	assert_int_equal(commit_new(s, CORE_ROW_AUDIT, &audit), STORE_OK);
}

/* ---- a queue or a seat that somebody else has changed ---- */

static void spoil_queue(struct core_queue *q, int which)
{
	int64_t *const fields[] = {&q->capacity,    &q->ceiling, &q->rate_per_second, &q->rate_free_at_us,
	                           &q->last_number, &q->waiting, &q->admitted,        &q->passed};
	if (which < (int)(sizeof fields / sizeof fields[0]))
		++*fields[which];
	else if (which == (int)(sizeof fields / sizeof fields[0]))
		q->active++;
	else
		q->paused = !q->paused;
}

#define QUEUE_FIELDS 10

/* Whatever of it is not as it was loaded, the queue is not overwritten. */
static void a_queue_is_not_changed_unseen(void **state)
{
	struct store *s = store_of(state);
	struct batch stale, other;
	batch_begin(&other, s);
	struct core_queue *q = core_row_edit(&other.rows, load_one(&other, CORE_ROW_QUEUE, 1, 0, NONE));
	q->last_number = 100;
	q->capacity = 3;
	q->ceiling = 50;
	assert_int_equal(batch_commit(&other), STORE_OK);
	for (int which = 0; which < QUEUE_FIELDS; which++) {
		batch_begin(&stale, s);
		struct core_row *row = load_one(&stale, CORE_ROW_QUEUE, 1, 0, NONE);
		store_rollback(s);
		batch_begin(&other, s);
		spoil_queue(core_row_edit(&other.rows, load_one(&other, CORE_ROW_QUEUE, 1, 0, NONE)), which);
		assert_int_equal(batch_commit(&other), STORE_OK);
		assert_int_equal(store_begin(s, &stale.now), STORE_OK);
		((struct core_queue *)core_row_edit(&stale.rows, row))->last_number += 7;
		enum store_result result = batch_commit(&stale);
		if (result != STORE_CONFLICT)
			fail_msg("field %d: %s", which, store_result_name(result));
	}
	batch_begin(&other, s);
	struct core_row *row = load_one(&other, CORE_ROW_QUEUE, 1, 0, NONE);
	assert_int_equal(((const struct core_queue *)row->now)->last_number, 101);
	batch_drop(&other);
}

/* ---- what can't be asked for ---- */

static void no_fewer_ids_than_none(void **state)
{
	struct store *s = store_of(state);
	struct batch b;
	struct core_ids ids;
	batch_begin(&b, s);
	assert_int_equal(store_ids(s, CORE_ID_USER, -1, &ids), STORE_BROKEN);
	batch_drop(&b);
}

static void only_a_file_is_copied(void **state)
{
	struct fixture *f = *state;
	char error[STORE_ERROR_SIZE] = "";
	if (f->folder[0]) /* SQLite's backups have tests of their own */
		return;
	assert_int_not_equal(store_backup(f->store, "/nowhere/else", NULL, NULL, error), STORE_OK);
	assert_true(error[0] != '\0');
	assert_null(store_path(f->store));
}

/* No row comes in without a beginning. */
static void no_import_without_a_beginning(void **state)
{
	struct store *s = store_of(state);
	char error[STORE_ERROR_SIZE] = "";
	struct core_user user = a_user(70, "nobody", 0);
	assert_int_not_equal(store_import_row(s, CORE_ROW_USER, &user, error), STORE_OK);
	assert_true(error[0] != '\0');
	error[0] = '\0';
	assert_int_not_equal(store_import_finish(s, error), STORE_OK);
	assert_true(error[0] != '\0');
	struct batch b;
	batch_begin(&b, s);
	assert_null(load_one(&b, CORE_ROW_USER, 70, 0, NONE));
	batch_drop(&b);
}

static bool stop(void *arg, enum core_kind kind, const void *row)
{
	(void)arg;
	(void)kind;
	(void)row;
	return false;
}

/* What was opened to be read gives no ids, begins no batch, commits none, and is not filled; moving house needs a store that was opened for it. */
static void what_is_read_takes_nothing(void **state)
{
	struct fixture *f = *state;
	char error[STORE_ERROR_SIZE] = "";
	struct core_ids ids;
	struct batch b = {.now = T0};
	struct core_user user = a_user(71, "nobody", 0);
	int64_t rows = 0;
	if (f->url[0] == 'm') /* nobody else can read a store in memory */
		return;
	store_close(f->store);
	assert_int_equal(open_url(f->url, STORE_READ, &f->store, error), STORE_OK);
	core_rows_init(&b.rows, &b.arena, 64);
	(void)core_row_create(&b.rows, CORE_ROW_USER, &user);
	assert_int_equal(store_begin(f->store, &b.now), STORE_BROKEN);
	assert_int_equal(store_ids(f->store, CORE_ID_USER, 1, &ids), STORE_BROKEN);
	assert_int_equal(store_commit(f->store, &b.rows, T0), STORE_BROKEN);
	assert_int_equal(store_import_begin(f->store, T0, 0, error), STORE_BROKEN);
	assert_int_equal(store_set_realm(f->store, 1), STORE_BROKEN);
	assert_true(error[0] != '\0');
	if (f->shared) {
		assert_int_equal(store_count(f->store, &rows), STORE_BROKEN);
		assert_int_equal(store_export(f->store, stop, NULL), STORE_BROKEN);
	}
	store_maintain(f->store);
	arena_free(&b.arena);
	store_close(f->store);
	open_again(f);
	batch_begin(&b, f->store);
	assert_null(load_one(&b, CORE_ROW_USER, 71, 0, NONE));
	batch_drop(&b);
}

static void every_result_has_a_name(void **state)
{
	static const enum store_result all[] = {STORE_OK, STORE_NONE, STORE_CONFLICT, STORE_BUSY, STORE_BROKEN};
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(store_result_name(all[i]), store_result_name(all[j]));
	assert_string_equal(store_result_name((enum store_result)99), "UNKNOWN");
}

int main(void)
{
#define EACH(test)                                                            \
	{#test " (memory)", test, open_memory, close_fixture, NULL},          \
	    {#test " (sqlite)", test, open_sqlite, close_fixture, NULL},      \
	{                                                                     \
#test " (postgres)", test, open_postgres, close_fixture, NULL \
	}
	const struct CMUnitTest tests[] = {
	    EACH(queues),
	    EACH(tickets),
	    EACH(seats),
	    EACH(reservations),
	    EACH(money),
	    EACH(the_rest),
	    EACH(a_queue_is_not_changed_unseen),
	    EACH(no_fewer_ids_than_none),
	    EACH(only_a_file_is_copied),
	    EACH(no_import_without_a_beginning),
	    EACH(what_is_read_takes_nothing),
	    cmocka_unit_test(every_result_has_a_name),
	};
	return cmocka_run_group_tests(tests, start_postgres, end_postgres);
}
