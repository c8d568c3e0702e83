/* test_store.c: the contract of src/store/store.h, once for each store. */
#include "fixture.h"

static struct store *store_of(void **state)
{
	return ((struct fixture *)*state)->store;
}

static bool is_text(struct text t, const char *expected)
{
	return text_equal(t, text_of(expected));
}

/* ---- loading rows ---- */

static void new_store_has_the_main_queue(void **state)
{
	struct batch b;
	batch_begin(&b, store_of(state));
	const struct core_row *row = load_one(&b, CORE_ROW_QUEUE, 1, 0, NONE);
	assert_non_null(row);
	const struct core_queue *q = row->now;
	assert_true(is_text(q->name, "main"));
	assert_int_equal(q->capacity, 2);
	assert_int_equal(q->ceiling, 2);
	assert_int_equal(q->last_number + q->waiting + q->active + q->admitted + q->rate_per_second, 0);
	assert_false(q->paused);
	batch_drop(&b);
	assert_int_equal(store_clock(store_of(state)), 0);
}

static void whose_the_accounts_are_is_kept(void **state)
{
	struct fixture *f = *state;
	int64_t realm = -1;
	bool used = true;
	assert_int_equal(store_realm(f->store, &realm, &used), STORE_OK);
	assert_int_equal(realm, 0);
	assert_false(used);
	assert_int_equal(store_set_realm(f->store, 1), STORE_OK);
	make_world(f->store);
	assert_int_equal(store_realm(f->store, &realm, &used), STORE_OK);
	assert_int_equal(realm, 1);
	assert_true(used);
	assert_int_equal(store_set_realm(f->store, INT64_MAX), STORE_OK);
	if (f->url[0] != 'm') { /* a store in memory ends with this */
		store_close(f->store);
		open_again(f);
	}
	assert_int_equal(store_realm(f->store, &realm, &used), STORE_OK);
	assert_true(realm == INT64_MAX && used);
}

static void absent_rows_are_known_to_be_absent(void **state)
{
	struct batch b;
	batch_begin(&b, store_of(state));
	core_need_row(&b.rows, CORE_ROW_USER, 9, 0, NONE);
	core_need_row(&b.rows, CORE_ROW_TICKET, 1, 9, NONE);
	core_need_row(&b.rows, CORE_ROW_SEAT, 1, 9, NONE);
	core_need_row(&b.rows, CORE_ROW_CONCERT, 9, 0, NONE);
	core_need_row(&b.rows, CORE_ROW_SHOW, 9, 0, NONE);
	core_need_row(&b.rows, CORE_ROW_RESERVATION, 9, 0, NONE);
	core_need_row(&b.rows, CORE_ROW_KEY, 1, 0, TEXT("none"));
	core_need_list(&b.rows, CORE_LIST_USER_NAMED, 0, 0, TEXT("nobody"), 0);
	batch_load(&b);
	assert_null(core_row_get(&b.rows, CORE_ROW_USER, 9, 0, NONE));
	const struct core_list *list = core_list_find(&b.rows, CORE_LIST_USER_NAMED, 0, 0, TEXT("nobody"));
	assert_true(list && list->loaded && list->complete && list->n == 0);
	batch_drop(&b);
}

static void check_sold_seat(const struct core_rows *rows)
{
	const struct core_seat *seat = core_row_get(rows, CORE_ROW_SEAT, 1, 1, NONE);
	assert_non_null(seat);
	assert_true(is_text(seat->section, "A"));
	assert_int_equal(seat->price, 30000);
	assert_int_equal(seat->status, CORE_SEAT_SOLD);
	assert_int_equal(seat->reservation_id, 1);
	assert_int_equal(seat->user_id, ANN);
	assert_int_equal(seat->held_until, 0);
}

static void check_held_reservation(const struct core_rows *rows)
{
	const struct core_reservation *r = core_row_get(rows, CORE_ROW_RESERVATION, 2, 0, NONE);
	assert_non_null(r);
	assert_int_equal(r->user_id, BOB);
	assert_int_equal(r->concert_id, 1);
	assert_int_equal(r->show_id, 1);
	assert_int_equal(r->queue_id, 1);
	assert_int_equal(r->ticket_number, 2);
	assert_int_equal(r->date, 20261224);
	assert_int_equal(r->total_price, 40000);
	assert_int_equal(r->status, CORE_RES_HELD);
	assert_int_equal(r->held_until, T0 + 300002);
	assert_int_equal(r->created_at, T0 + 102);
	assert_int_equal(r->paid_at + r->payment_id, 0);
	assert_int_equal(r->seat_count, 2);
	assert_int_equal(r->seats[0], 2);
	assert_int_equal(r->seats[1], 3);
}

static void check_catalogue(const struct core_rows *rows)
{
	const struct core_concert *c = core_row_get(rows, CORE_ROW_CONCERT, 1, 0, NONE);
	assert_non_null(c);
	assert_true(c->queue_id == 1 && is_text(c->title, "Night") && is_text(c->artist, "IU") && is_text(c->venue, "올림픽홀"));
	assert_int_equal(c->sales_open_at, T0);
	const struct core_show *s = core_row_get(rows, CORE_ROW_SHOW, 1, 0, NONE);
	assert_non_null(s);
	assert_true(s->concert_id == 1 && s->starts_at == T0 + 86400000 && s->date == 20261224 && s->total_seats == 4 &&
	            s->version == 3);
}

static void check_ticket_and_key(const struct core_rows *rows)
{
	const struct core_ticket *t = core_row_get(rows, CORE_ROW_TICKET, 1, 1, NONE);
	assert_non_null(t);
	assert_true(t->user_id == ANN && t->status == CORE_EXPIRED && t->reason == CORE_PAID);
	assert_true(t->issued_at == T0 + 1 && t->admitted_at == T0 + 1 && t->expires_at == T0 + 600001 &&
	            t->ended_at == T0 + 5000);
	const struct core_key_record *k = core_row_get(rows, CORE_ROW_KEY, ANN, 0, TEXT("k1"));
	assert_non_null(k);
	assert_true(k->status == 200 && is_text(k->body, "{\"userId\":1}") && k->created_at == T0 + 10 && is_text(k->key, "k1"));
	assert_true(k->digest[0] == 1 && k->digest[2] == 3 && k->digest[31] == 0);
}

static void every_row_comes_back_as_it_was_saved(void **state)
{
	struct batch b;
	make_world(store_of(state));
	batch_begin(&b, store_of(state));
	core_need_row(&b.rows, CORE_ROW_USER, ANN, 0, NONE);
	core_need_row(&b.rows, CORE_ROW_QUEUE, 1, 0, NONE);
	core_need_row(&b.rows, CORE_ROW_TICKET, 1, 1, NONE);
	core_need_row(&b.rows, CORE_ROW_CONCERT, 1, 0, NONE);
	core_need_row(&b.rows, CORE_ROW_SHOW, 1, 0, NONE);
	core_need_row(&b.rows, CORE_ROW_SEAT, 1, 1, NONE);
	core_need_row(&b.rows, CORE_ROW_RESERVATION, 2, 0, NONE);
	core_need_row(&b.rows, CORE_ROW_KEY, ANN, 0, TEXT("k1"));
	batch_load(&b);
	const struct core_user *u = core_row_get(&b.rows, CORE_ROW_USER, ANN, 0, NONE);
	assert_true(u && is_text(u->name, "ann") && u->balance == 70000 && u->created_at == T0);
	const struct core_queue *q = core_row_get(&b.rows, CORE_ROW_QUEUE, 1, 0, NONE);
	assert_true(q && q->last_number == 4 && q->waiting == 1 && q->active == 1 && q->admitted == 2 && q->paused);
	check_sold_seat(&b.rows);
	check_held_reservation(&b.rows);
	check_catalogue(&b.rows);
	check_ticket_and_key(&b.rows);
	batch_drop(&b);
}

/* ---- loading lists ---- */

/* Loads a list and compares the rows' second key (or first, where there is no second) with `expected`. */
static void check_list(struct store *s, struct core_id id, int64_t limit, const int64_t *expected, size_t n, bool complete)
{
	struct batch b;
	batch_begin(&b, s);
	core_need_list(&b.rows, id.kind, id.a, id.b, id.s, limit);
	batch_load(&b);
	const struct core_list *list = core_list_find(&b.rows, id.kind, id.a, id.b, id.s);
	assert_true(list && list->loaded);
	assert_int_equal(list->n, n);
	assert_int_equal(list->complete, complete);
	for (size_t i = 0; i < n; i++) {
		const struct core_row *row = list->rows[i];
		assert_non_null(row->was);
		assert_int_equal(row->id.b ? row->id.b : row->id.a, expected[i]);
	}
	batch_drop(&b);
}
#define LIST(s, id, limit, complete, ...)                                                                                  \
	check_list(s, id, limit, (const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t), \
	           complete)
#define EMPTY(s, id) check_list(s, id, 0, NULL, 0, true)

static void lists_by_name(void **state)
{
	struct store *s = store_of(state);
	make_world(s);
	LIST(s, ((struct core_id){CORE_LIST_USER_NAMED, 0, 0, TEXT("bob")}), 0, true, BOB);
	EMPTY(s, ((struct core_id){CORE_LIST_USER_NAMED, 0, 0, TEXT("Bob")}));
	LIST(s, ((struct core_id){CORE_LIST_QUEUE_NAMED, 0, 0, TEXT("main")}), 1, true, 1);
	EMPTY(s, ((struct core_id){CORE_LIST_QUEUE_NAMED, 0, 0, TEXT("mai")}));
}

static void lists_of_tickets(void **state)
{
	struct store *s = store_of(state);
	make_world(s);
	LIST(s, ((struct core_id){CORE_LIST_LIVE_TICKET, 1, BOB, NONE}), 0, true, 2);
	LIST(s, ((struct core_id){CORE_LIST_LIVE_TICKET, 1, CID, NONE}), 0, true, 3);
	EMPTY(s, ((struct core_id){CORE_LIST_LIVE_TICKET, 1, ANN, NONE}));
	for (int64_t number = 5; number <= 9; number++) {
		struct core_ticket t = a_ticket(number, number);
		assert_int_equal(commit_new(s, CORE_ROW_TICKET, &t), STORE_OK);
	}
	LIST(s, ((struct core_id){CORE_LIST_LINE, 1, 0, NONE}), 0, true, 3, 5, 6, 7, 8, 9);
	LIST(s, ((struct core_id){CORE_LIST_LINE, 1, 0, NONE}), 6, true, 3, 5, 6, 7, 8, 9);
	LIST(s, ((struct core_id){CORE_LIST_LINE, 1, 0, NONE}), 3, false, 3, 5, 6);
	EMPTY(s, ((struct core_id){CORE_LIST_LINE, 2, 0, NONE}));
}

static void lists_of_what_is_due(void **state)
{
	struct store *s = store_of(state);
	make_world(s);
	static const int64_t seats[] = {7};
	struct core_reservation late = a_hold(4, BOB, 2, seats, 1, 10000), early = a_hold(5, BOB, 2, seats, 1, 10000);
	early.held_until = T0 + 200000;
	assert_int_equal(commit_new(s, CORE_ROW_RESERVATION, &late), STORE_OK);
	assert_int_equal(commit_new(s, CORE_ROW_RESERVATION, &early), STORE_OK);
	LIST(s, ((struct core_id){CORE_LIST_DUE_HOLDS, 0, T0 + 300004, NONE}), 0, true, 5, 2, 4);
	LIST(s, ((struct core_id){CORE_LIST_DUE_HOLDS, 0, T0 + 300003, NONE}), 0, true, 5, 2);
	LIST(s, ((struct core_id){CORE_LIST_DUE_HOLDS, 0, T0 + 300004, NONE}), 1, false, 5);
	EMPTY(s, ((struct core_id){CORE_LIST_DUE_HOLDS, 0, T0 + 199999, NONE}));
	LIST(s, ((struct core_id){CORE_LIST_DUE_TICKETS, 0, T0 + 600002, NONE}), 0, true, 2);
	EMPTY(s, ((struct core_id){CORE_LIST_DUE_TICKETS, 0, T0 + 600001, NONE}));
	struct core_key_record k2 = a_key(BOB, "k2", T0 + 5), k3 = a_key(CID, "k3", T0 + 20);
	assert_int_equal(commit_new(s, CORE_ROW_KEY, &k2), STORE_OK);
	assert_int_equal(commit_new(s, CORE_ROW_KEY, &k3), STORE_OK);
	LIST(s, ((struct core_id){CORE_LIST_DUE_KEYS, 0, T0 + 19, NONE}), 0, true, BOB, ANN);
	LIST(s, ((struct core_id){CORE_LIST_DUE_KEYS, 0, T0 + 20, NONE}), 2, false, BOB, ANN);
}

static void lists_of_shows_and_seats(void **state)
{
	struct store *s = store_of(state);
	make_world(s);
	static const int64_t starts[] = {5000, 3000, 5000};
	for (int64_t i = 0; i < 3; i++) {
		struct core_show show = {.show_id = 2 + i, .concert_id = 1, .starts_at = T0 + starts[i], .date = 20261225};
		assert_int_equal(commit_new(s, CORE_ROW_SHOW, &show), STORE_OK);
	}
	LIST(s, ((struct core_id){CORE_LIST_SHOWS_ON, 1, 20261225, NONE}), 0, true, 3, 2, 4);
	LIST(s, ((struct core_id){CORE_LIST_SHOWS_ON, 1, 20261224, NONE}), 0, true, 1);
	EMPTY(s, ((struct core_id){CORE_LIST_SHOWS_ON, 2, 20261225, NONE}));
	LIST(s, ((struct core_id){CORE_LIST_SHOW_SEATS, 1, 0, NONE}), 0, true, 1, 2, 3, 4);
	EMPTY(s, ((struct core_id){CORE_LIST_SHOW_SEATS, 2, 0, NONE}));
	LIST(s, ((struct core_id){CORE_LIST_USER_SEATS, 1, BOB, NONE}), 0, true, 2, 3);
	EMPTY(s, ((struct core_id){CORE_LIST_USER_SEATS, 1, CID, NONE}));
	EMPTY(s, ((struct core_id){CORE_LIST_USER_SEATS, 2, BOB, NONE}));
}

/* ---- saving ---- */

static void change_concert_and_show(struct store *s, int64_t at)
{
	struct batch b;
	batch_begin(&b, s);
	struct core_row *concert_row = load_one(&b, CORE_ROW_CONCERT, 1, 0, NONE),
			*show_row = load_one(&b, CORE_ROW_SHOW, 1, 0, NONE), *seat_row = load_one(&b, CORE_ROW_SEAT, 1, 4, NONE);
	struct core_concert *concert = core_row_edit(&b.rows, concert_row);
	concert->title = TEXT("새 밤");
	concert->artist = TEXT("UI");
	concert->venue = TEXT("hall");
	concert->sales_open_at = T0 + 7;
	concert->changed_at = at;
	struct core_show *show = core_row_edit(&b.rows, show_row);
	show->starts_at = T0 + 2 * 86400000LL;
	show->date = 20261226;
	show->closed = true;
	show->changed_at = at;
	show->version += 2;
	((struct core_seat *)core_row_edit(&b.rows, seat_row))->price = 77;
	b.now = at;
	assert_int_equal(batch_commit(&b), STORE_OK);
}

static void what_an_organiser_changes_comes_back(void **state)
{
	struct store *s = store_of(state);
	struct batch b;
	make_world(s);
	change_concert_and_show(s, T0 + 7000);
	batch_begin(&b, s);
	core_need_row(&b.rows, CORE_ROW_CONCERT, 1, 0, NONE);
	core_need_row(&b.rows, CORE_ROW_SHOW, 1, 0, NONE);
	core_need_row(&b.rows, CORE_ROW_SEAT, 1, 4, NONE);
	batch_load(&b);
	const struct core_concert *c = core_row_get(&b.rows, CORE_ROW_CONCERT, 1, 0, NONE);
	assert_true(is_text(c->title, "새 밤") && is_text(c->artist, "UI") && is_text(c->venue, "hall"));
	assert_true(c->sales_open_at == T0 + 7 && c->changed_at == T0 + 7000);
	const struct core_show *show = core_row_get(&b.rows, CORE_ROW_SHOW, 1, 0, NONE);
	assert_true(show->starts_at == T0 + 2 * 86400000LL && show->date == 20261226 && show->closed &&
	            show->changed_at == T0 + 7000 && show->version == 5);
	assert_int_equal(((const struct core_seat *)core_row_get(&b.rows, CORE_ROW_SEAT, 1, 4, NONE))->price, 77);
	batch_drop(&b);
	EMPTY(s, ((struct core_id){CORE_LIST_SHOWS_ON, 1, 20261224, NONE}));
	LIST(s, ((struct core_id){CORE_LIST_SHOWS_ON, 1, 20261226, NONE}), 0, true, 1);
	/* the next change of its seats leaves all that as it is */
	batch_begin(&b, s);
	((struct core_show *)core_row_edit(&b.rows, load_one(&b, CORE_ROW_SHOW, 1, 0, NONE)))->version++;
	assert_int_equal(batch_commit(&b), STORE_OK);
	batch_begin(&b, s);
	show = load_one(&b, CORE_ROW_SHOW, 1, 0, NONE)->now;
	assert_true(show->version == 6 && show->closed && show->date == 20261226);
	batch_drop(&b);
}

/* Two changes of one show may be decided in the same millisecond, so none may lean on another to be seen. */
static void each_change_of_a_show_comes_back_alone(void **state)
{
	struct store *s = store_of(state);
	struct batch b;
	struct core_show expected;
	make_world(s);
	change_concert_and_show(s, T0 + 7000);
	for (int change = 0; change < 5; change++) {
		batch_begin(&b, s);
		struct core_show *show = core_row_edit(&b.rows, load_one(&b, CORE_ROW_SHOW, 1, 0, NONE));
		show->version++;
		if (change == 0)
			show->closed = false;
		else if (change == 1)
			show->starts_at += 60000;
		else if (change == 2)
			show->date = 20261227;
		else if (change == 3)
			show->changed_at++;
		else
			show->total_seats++;
		expected = *show;
		assert_int_equal(batch_commit(&b), STORE_OK);
		batch_begin(&b, s);
		const struct core_show *now = load_one(&b, CORE_ROW_SHOW, 1, 0, NONE)->now;
		assert_int_equal(now->starts_at, expected.starts_at);
		assert_int_equal(now->date, expected.date);
		assert_int_equal(now->closed, expected.closed);
		assert_int_equal(now->changed_at, expected.changed_at);
		assert_int_equal(now->total_seats, expected.total_seats);
		assert_int_equal(now->version, expected.version);
		batch_drop(&b);
	}
}

/* Whoever changed it in between: what was loaded before is not written over it. */
static void a_concert_is_not_changed_unseen(void **state)
{
	struct store *s = store_of(state);
	struct core_concert was;
	struct batch b;
	make_world(s);
	batch_begin(&b, s);
	was = *(const struct core_concert *)load_one(&b, CORE_ROW_CONCERT, 1, 0, NONE)->now;
	was.title = was.artist = was.venue = TEXT("x");
	batch_drop(&b);
	change_concert_and_show(s, T0 + 7000);
	batch_begin(&b, s);
	struct core_row *row = core_rows_put(&b.rows, core_id_of(CORE_ROW_CONCERT, &was), &was);
	((struct core_concert *)core_row_edit(&b.rows, row))->title = TEXT("lost");
	assert_int_equal(batch_commit(&b), STORE_CONFLICT);
}

static void rollback_leaves_nothing(void **state)
{
	struct batch b;
	struct core_user u = a_user(1, "ann", 0);
	batch_begin(&b, store_of(state));
	(void)core_row_create(&b.rows, CORE_ROW_USER, &u);
	batch_drop(&b);
	store_rollback(store_of(state)); /* harmless when none is open */
	batch_begin(&b, store_of(state));
	assert_null(load_one(&b, CORE_ROW_USER, 1, 0, NONE));
	batch_drop(&b);
}

static void rows_are_updated_and_removed(void **state)
{
	struct batch b;
	make_world(store_of(state));
	batch_begin(&b, store_of(state));
	struct core_row *user = load_one(&b, CORE_ROW_USER, BOB, 0, NONE);
	struct core_row *key = load_one(&b, CORE_ROW_KEY, ANN, 0, TEXT("k1"));
	((struct core_user *)core_row_edit(&b.rows, user))->balance = 5;
	core_row_delete(&b.rows, key);
	struct core_user fleeting = a_user(77, "fleeting", 0);
	core_row_delete(&b.rows, core_row_create(&b.rows, CORE_ROW_USER, &fleeting));
	assert_int_equal(batch_commit(&b), STORE_OK);
	batch_begin(&b, store_of(state));
	user = load_one(&b, CORE_ROW_USER, BOB, 0, NONE);
	assert_true(user && ((struct core_user *)user->now)->balance == 5);
	assert_null(load_one(&b, CORE_ROW_KEY, ANN, 0, TEXT("k1")));
	assert_null(load_one(&b, CORE_ROW_USER, 77, 0, NONE));
	batch_drop(&b);
}

/* A user's old ticket ends and a new one begins in one batch, which is fine; two live ones are not (I5). */
static void one_live_ticket_a_user(void **state)
{
	struct batch b;
	make_world(store_of(state));
	struct core_ticket second = a_ticket(5, CID);
	assert_int_equal(commit_new(store_of(state), CORE_ROW_TICKET, &second), STORE_CONFLICT);
	batch_begin(&b, store_of(state));
	struct core_ticket *first = core_row_edit(&b.rows, load_one(&b, CORE_ROW_TICKET, 1, 3, NONE));
	first->status = CORE_EXPIRED;
	first->reason = CORE_LEFT;
	first->ended_at = T0 + 7000;
	(void)core_row_create(&b.rows, CORE_ROW_TICKET, &second);
	assert_int_equal(batch_commit(&b), STORE_OK);
	LIST(store_of(state), ((struct core_id){CORE_LIST_LIVE_TICKET, 1, CID, NONE}), 0, true, 5);
}

/* Changes a row a little, as a rule might; `with` makes two changes differ. */
static void change(struct core_rows *rows, struct core_row *row, int64_t with)
{
	void *p = core_row_edit(rows, row);
	switch (row->id.kind) {
	case CORE_ROW_USER:
		((struct core_user *)p)->balance += with;
		break;
	case CORE_ROW_QUEUE:
		((struct core_queue *)p)->last_number += with;
		break;
	case CORE_ROW_TICKET:
		((struct core_ticket *)p)->status = CORE_EXPIRED;
		((struct core_ticket *)p)->reason = CORE_LEFT;
		((struct core_ticket *)p)->ended_at = T0 + with;
		break;
	case CORE_ROW_CONCERT:
		((struct core_concert *)p)->sales_open_at += with;
		break;
	case CORE_ROW_SHOW:
		((struct core_show *)p)->version += with;
		break;
	case CORE_ROW_SEAT:
		((struct core_seat *)p)->status = CORE_SEAT_FREE;
		((struct core_seat *)p)->reservation_id = ((struct core_seat *)p)->user_id = ((struct core_seat *)p)->held_until =
		    0;
		break;
	case CORE_ROW_RESERVATION:
		((struct core_reservation *)p)->status = CORE_RES_CANCELLED;
		break;
	default:
		((struct core_key_record *)p)->created_at += with;
	}
}

static const struct core_id guarded[] = {
    {CORE_ROW_USER, BOB, 0, {NULL, 0}},      {CORE_ROW_QUEUE, 1, 0, {NULL, 0}}, {CORE_ROW_TICKET, 1, 3, {NULL, 0}},
    {CORE_ROW_CONCERT, 1, 0, {NULL, 0}},     {CORE_ROW_SHOW, 1, 0, {NULL, 0}},  {CORE_ROW_SEAT, 1, 2, {NULL, 0}},
    {CORE_ROW_RESERVATION, 2, 0, {NULL, 0}}, {CORE_ROW_KEY, ANN, 0, {"k1", 2}},
};

/* Loads a row, lets another batch change it, and then commits a change or a removal made from what was loaded. */
static void check_stale(struct store *s, struct core_id id, bool remove)
{
	struct batch stale, other;
	struct core_user bystander = a_user(50, "bystander", 0);
	batch_begin(&stale, s);
	struct core_row *row = load_one(&stale, id.kind, id.a, id.b, id.s);
	assert_non_null(row);
	store_rollback(s);
	batch_begin(&other, s);
	change(&other.rows, load_one(&other, id.kind, id.a, id.b, id.s), 2);
	assert_int_equal(batch_commit(&other), STORE_OK);
	assert_int_equal(store_begin(s, &stale.now), STORE_OK);
	(void)core_row_create(&stale.rows, CORE_ROW_USER, &bystander);
	if (remove)
		core_row_delete(&stale.rows, row);
	else
		change(&stale.rows, row, 1);
	assert_int_equal(batch_commit(&stale), STORE_CONFLICT);
	batch_begin(&other, s);
	assert_null(load_one(&other, CORE_ROW_USER, 50, 0, NONE)); /* all or nothing */
	assert_non_null(load_one(&other, id.kind, id.a, id.b, id.s));
	batch_drop(&other);
}

static void stale_updates_are_refused(void **state)
{
	make_world(store_of(state));
	for (size_t i = 0; i < sizeof guarded / sizeof guarded[0]; i++)
		check_stale(store_of(state), guarded[i], false);
}

static void stale_removals_are_refused(void **state)
{
	make_world(store_of(state));
	for (size_t i = 0; i < sizeof guarded / sizeof guarded[0]; i++)
		check_stale(store_of(state), guarded[i], true);
}

static void fresh_changes_are_taken(void **state)
{
	make_world(store_of(state));
	for (size_t i = 0; i < sizeof guarded / sizeof guarded[0]; i++) {
		struct batch b;
		struct core_id id = guarded[i];
		batch_begin(&b, store_of(state));
		change(&b.rows, load_one(&b, id.kind, id.a, id.b, id.s), 1);
		assert_int_equal(batch_commit(&b), STORE_OK);
	}
}

/* ---- what the constraints refuse ---- */

/* A wrong row is refused, and a right one of the same batch with it. */
static void refuse_new(struct store *s, enum core_kind kind, const void *wrong)
{
	struct batch b;
	struct core_user bystander = a_user(60, "bystander", 0);
	batch_begin(&b, s);
	(void)core_row_create(&b.rows, CORE_ROW_USER, &bystander);
	(void)core_row_create(&b.rows, kind, wrong);
	assert_int_equal(batch_commit(&b), STORE_CONFLICT);
	batch_begin(&b, s);
	assert_null(load_one(&b, CORE_ROW_USER, 60, 0, NONE));
	batch_drop(&b);
}

static void wrong_seats_are_refused(void **state) /* I1 */
{
	struct store *s = store_of(state);
	make_world(s);
	struct core_seat twice = a_seat(1, 100), free_with_owner = a_seat(10, 100), held_without_end = a_seat(11, 100),
			 sold_with_end = a_seat(12, 100), sold_to_nobody = a_seat(13, 100), bad_price = a_seat(14, -1);
	free_with_owner.user_id = ANN;
	held_without_end.status = CORE_SEAT_HELD;
	held_without_end.reservation_id = held_without_end.user_id = 1;
	sold_with_end.status = CORE_SEAT_SOLD;
	sold_with_end.reservation_id = sold_with_end.user_id = sold_with_end.held_until = 1;
	sold_to_nobody.status = CORE_SEAT_SOLD;
	refuse_new(s, CORE_ROW_SEAT, &twice);
	refuse_new(s, CORE_ROW_SEAT, &free_with_owner);
	refuse_new(s, CORE_ROW_SEAT, &held_without_end);
	refuse_new(s, CORE_ROW_SEAT, &sold_with_end);
	refuse_new(s, CORE_ROW_SEAT, &sold_to_nobody);
	refuse_new(s, CORE_ROW_SEAT, &bad_price);
}

static void wrong_money_is_refused(void **state) /* I3 */
{
	struct store *s = store_of(state);
	make_world(s);
	struct core_user debtor = a_user(20, "debtor", -1), tycoon = a_user(21, "tycoon", 1000000000001LL),
			 same_id = a_user(ANN, "annie", 0), same_name = a_user(22, "ann", 0);
	refuse_new(s, CORE_ROW_USER, &debtor);
	refuse_new(s, CORE_ROW_USER, &tycoon);
	refuse_new(s, CORE_ROW_USER, &same_id);
	refuse_new(s, CORE_ROW_USER, &same_name);
	struct core_entry twice = a_charge(ANN, 1, 5, 5), same_entry = a_charge(BOB, 1, 5, 5),
			  negative = a_charge(ANN, 10, -5, 5), overdrawn = a_charge(ANN, 11, 5, -5),
			  to_itself = a_charge(ANN, 12, 5, 5), of_another = a_charge(ANN, 13, 5, 5);
	to_itself.debit = to_itself.credit;
	of_another.credit.id = BOB;
	refuse_new(s, CORE_ROW_ENTRY, &twice);
	if (!((struct fixture *)*state)->shared) /* a ledger that is spread over servers by user can't look at all of it */
		refuse_new(s, CORE_ROW_ENTRY, &same_entry);
	refuse_new(s, CORE_ROW_ENTRY, &negative);
	refuse_new(s, CORE_ROW_ENTRY, &overdrawn);
	refuse_new(s, CORE_ROW_ENTRY, &to_itself);
	refuse_new(s, CORE_ROW_ENTRY, &of_another);
}

static void wrong_reservations_are_refused(void **state)
{
	struct store *s = store_of(state);
	make_world(s);
	static const int64_t seats[] = {4};
	struct core_reservation twice = a_hold(1, ANN, 1, seats, 1, 5), unpaid = a_hold(10, ANN, 1, seats, 1, 5),
				paid_hold = a_hold(11, ANN, 1, seats, 1, 5), empty = a_hold(12, ANN, 1, seats, 0, 5);
	unpaid.status = CORE_RES_PAID;
	paid_hold.paid_at = paid_hold.payment_id = 5;
	refuse_new(s, CORE_ROW_RESERVATION, &twice);
	refuse_new(s, CORE_ROW_RESERVATION, &unpaid);
	refuse_new(s, CORE_ROW_RESERVATION, &paid_hold);
	refuse_new(s, CORE_ROW_RESERVATION, &empty);
}

static void wrong_tickets_are_refused(void **state) /* I5 */
{
	struct store *s = store_of(state);
	make_world(s);
	struct core_ticket twice = a_ticket(1, 30), zero = a_ticket(0, 30), unended = a_ticket(10, 30),
			   unadmitted = a_ticket(11, 30);
	unended.status = CORE_EXPIRED;
	unadmitted.status = CORE_ACTIVE;
	refuse_new(s, CORE_ROW_TICKET, &twice);
	refuse_new(s, CORE_ROW_TICKET, &zero);
	refuse_new(s, CORE_ROW_TICKET, &unended);
	refuse_new(s, CORE_ROW_TICKET, &unadmitted);
}

static void refuse_queue(struct store *s, int64_t capacity, int64_t ceiling, int64_t active)
{
	struct core_queue q = {.queue_id = 7, .name = TEXT("vip"), .capacity = capacity, .ceiling = ceiling, .active = active};
	refuse_new(s, CORE_ROW_QUEUE, &q);
}

static void wrong_queues_are_refused(void **state) /* I6 */
{
	struct store *s = store_of(state);
	refuse_queue(s, 5, 4, 0);
	refuse_queue(s, 5, 5, 6);
	refuse_queue(s, 5, 5, -1);
	struct core_queue same_name = {.queue_id = 7, .name = TEXT("main"), .capacity = 1, .ceiling = 1};
	refuse_new(s, CORE_ROW_QUEUE, &same_name);
}

static void wrong_keys_are_refused(void **state) /* I8 */
{
	struct store *s = store_of(state);
	make_world(s);
	struct core_key_record twice = a_key(ANN, "k1", T0), failed = a_key(ANN, "k9", T0);
	failed.status = 409;
	refuse_new(s, CORE_ROW_KEY, &twice);
	refuse_new(s, CORE_ROW_KEY, &failed);
	struct core_key_record of_another = a_key(BOB, "k1", T0);
	assert_int_equal(commit_new(s, CORE_ROW_KEY, &of_another), STORE_OK);
}

/* ---- ids and the clock ---- */

static void ids_are_never_given_twice(void **state)
{
	struct fixture *f = *state;
	struct core_ids a, b;
	make_world(f->store);
	if (f->folder[0] || f->shared) {
		store_close(f->store);
		open_again(f);
	}
	static const int64_t next[CORE_ID_KINDS] = {
	    [CORE_ID_USER] = 5,  [CORE_ID_RESERVATION] = 4, [CORE_ID_ENTRY] = 3, [CORE_ID_AUDIT] = 2,
	    [CORE_ID_QUEUE] = 2, [CORE_ID_CONCERT] = 2,     [CORE_ID_SHOW] = 2,
	};
	for (enum core_id_kind kind = 0; kind < CORE_ID_KINDS; kind++) {
		assert_int_equal(store_ids(f->store, kind, 10, &a), STORE_OK);
		assert_int_equal(store_ids(f->store, kind, 1, &b), STORE_OK);
		if (!f->shared) /* these rows got their ids from this test, of which a sequence knows nothing */
			assert_int_equal(a.next, next[kind]);
		assert_int_equal(a.end, a.next + 10);
		assert_int_equal(b.next, a.end);
	}
}

static void the_clock_never_goes_back(void **state)
{
	struct fixture *f = *state;
	int64_t now = T0;
	make_world(f->store);
	assert_int_equal(store_clock(f->store), T0 + 6000);
	if (f->folder[0] || f->shared) {
		store_close(f->store);
		open_again(f);
		assert_int_equal(store_clock(f->store), T0 + 6000);
	}
	assert_int_equal(store_begin(f->store, &now), STORE_OK);
	if (f->shared)
		assert_true(now >= T0 + 6000); /* the database's */
	else
		assert_int_equal(now, T0 + 6000);
	store_rollback(f->store);
	now = T0 + 9000;
	assert_int_equal(store_begin(f->store, &now), STORE_OK);
	if (!f->shared)
		assert_int_equal(now, T0 + 9000);
	store_rollback(f->store);
	assert_int_equal(store_clock(f->store), T0 + 6000);
}

/* ---- the scan ---- */

struct seen {
	char text[1024];
	size_t n;
	int64_t stop_after;
};

static bool note(void *arg, enum core_kind kind, const void *row)
{
	static const char letters[] = " uqtcser";
	struct seen *seen = arg;
	struct core_id id = core_id_of(kind, row);
	seen->n += (size_t)snprintf(seen->text + seen->n, sizeof seen->text - seen->n, "%c%lld ", letters[kind],
	                            (long long)(id.b ? id.b : id.a));
	return --seen->stop_after != 0;
}

static void check_scan(struct store *s, int64_t since, int64_t stop_after, const char *expected)
{
	struct seen seen = {.stop_after = stop_after};
	assert_int_equal(store_scan(s, since, note, &seen), STORE_OK);
	assert_string_equal(seen.text, expected);
}

/* Letters: q queue, c concert, s show, e seat, r reservation, u user, t ticket. */
static void the_scan_has_what_is_live_and_recent(void **state)
{
	struct store *s = store_of(state);
	make_world(s);
	check_scan(s, 0, 0, "q1 c1 s1 e1 e2 e3 e4 r2 u1 u2 u3 u4 t1 t2 t3 t4 ");
	check_scan(s, T0 + 3, 0, "q1 c1 s1 e1 e2 e3 e4 r2 u2 u3 u4 t2 t3 t4 ");
	check_scan(s, T0 + 4, 0, "q1 c1 s1 e1 e2 e3 e4 r2 u2 u3 u4 t2 t3 t4 ");
	check_scan(s, T0 + 5, 0, "q1 c1 s1 e1 e2 e3 e4 r2 u2 u3 t2 t3 ");
	check_scan(s, 0, 5, "q1 c1 s1 e1 e2 ");
	check_scan(s, 0, 1, "q1 ");
}

static void the_scan_gives_a_user_of_two_queues_once(void **state)
{
	struct store *s = store_of(state);
	make_world(s);
	struct core_queue vip = {.queue_id = 2, .name = TEXT("vip"), .capacity = 1, .ceiling = 1, .last_number = 2, .waiting = 1};
	struct core_ticket t = a_ticket(2, BOB), ended = a_ticket(1, CID);
	t.queue_id = ended.queue_id = 2;
	ended.status = CORE_EXPIRED;
	ended.reason = CORE_LEFT;
	ended.ended_at = T0 + 50;
	assert_int_equal(commit_new(s, CORE_ROW_QUEUE, &vip), STORE_OK);
	assert_int_equal(commit_new(s, CORE_ROW_TICKET, &ended), STORE_OK);
	assert_int_equal(commit_new(s, CORE_ROW_TICKET, &t), STORE_OK);
	check_scan(s, T0 + 100, 0, "q1 q2 c1 s1 e1 e2 e3 e4 r2 u2 u3 t2 t3 t2 ");
}

/* ---- readers ---- */

static void readers_see_commits(void **state)
{
	struct store *s = store_of(state);
	struct store_reader *r;
	struct core_reservation got;
	struct arena arena = {0};
	assert_int_equal(store_reader_open(s, &r), STORE_OK);
	assert_int_equal(store_reservation(r, 2, &arena, &got), STORE_NONE);
	make_world(s);
	assert_int_equal(store_reservation(r, 2, &arena, &got), STORE_OK);
	assert_true(got.user_id == BOB && got.total_price == 40000 && got.seat_count == 2 && got.seats[1] == 3);
	store_reader_close(r);
	arena_free(&arena);
}

static void pages_of_reservations(void **state)
{
	struct store_reader *r;
	struct core_reservation *page;
	size_t n;
	struct arena arena = {0};
	make_world(store_of(state));
	assert_int_equal(store_reader_open(store_of(state), &r), STORE_OK);
	assert_int_equal(store_reservations(r, BOB, 0, 10, &arena, &page, &n), STORE_OK);
	assert_true(n == 2 && page[0].reservation_id == 3 && page[1].reservation_id == 2 && page[1].seats[0] == 2);
	assert_int_equal(store_reservations(r, BOB, 0, 1, &arena, &page, &n), STORE_OK);
	assert_true(n == 1 && page[0].reservation_id == 3);
	assert_int_equal(store_reservations(r, BOB, 3, 1, &arena, &page, &n), STORE_OK);
	assert_true(n == 1 && page[0].reservation_id == 2);
	assert_int_equal(store_reservations(r, BOB, 2, 1, &arena, &page, &n), STORE_OK);
	assert_int_equal(n, 0);
	store_reader_close(r);
	arena_free(&arena);
}

static void pages_of_the_ledger(void **state)
{
	struct store_reader *r;
	struct core_entry *page;
	size_t n;
	struct arena arena = {0};
	struct batch b;
	make_world(store_of(state));
	batch_begin(&b, store_of(state)); /* what a batch has seen of a user is the past for the next */
	assert_non_null(load_one(&b, CORE_ROW_USER, BOB, 0, NONE)->now);
	batch_drop(&b);
	for (int64_t i = 10; i < 60; i++) {
		struct core_entry e = a_charge(BOB, i, i, i);
		assert_int_equal(commit_new(store_of(state), CORE_ROW_ENTRY, &e), STORE_OK);
	}
	assert_int_equal(store_reader_open(store_of(state), &r), STORE_OK);
	assert_int_equal(store_entries(r, BOB, 0, 100, &arena, &page, &n), STORE_OK);
	assert_int_equal(n, 50);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(page[i].entry_id, 59 - i);
	assert_int_equal(store_entries(r, BOB, 12, 100, &arena, &page, &n), STORE_OK);
	assert_true(n == 2 && page[0].entry_id == 11 && page[1].entry_id == 10);
	assert_int_equal(store_entries(r, ANN, 0, 1, &arena, &page, &n), STORE_OK);
	assert_true(n == 1 && page[0].entry_id == 2 && page[0].type == CORE_PAYMENT && page[0].amount == 30000);
	assert_true(page[0].debit.kind == CORE_WALLET && page[0].debit.id == ANN && page[0].credit.kind == CORE_REVENUE);
	assert_true(page[0].balance_after == 70000 && page[0].reservation_id == 1 && page[0].created_at == T0 + 5000);
	assert_int_equal(store_entries(r, DAN, 0, 100, &arena, &page, &n), STORE_OK);
	assert_int_equal(n, 0);
	store_reader_close(r);
	arena_free(&arena);
}

static void assert_entries(struct store_reader *r, int64_t user_id, int64_t before, int64_t limit, const int64_t *ids)
{
	struct core_entry *page;
	size_t n;
	struct arena arena = {0};
	assert_int_equal(store_entries(r, user_id, before, limit, &arena, &page, &n), STORE_OK);
	for (size_t i = 0; i < n; i++)
		assert_true(page[i].entry_id == ids[i] && page[i].user_id == user_id);
	assert_int_equal(ids[n], 0);
	arena_free(&arena);
}

static void move(struct batch *b, int64_t user_id, int64_t entry_id, int64_t balance)
{
	struct core_entry e = a_charge(user_id, entry_id, 100, balance);
	((struct core_user *)core_row_edit(&b->rows, core_row_find(&b->rows, CORE_ROW_USER, user_id, 0, NONE)))->balance =
	    balance;
	(void)core_row_create(&b->rows, CORE_ROW_ENTRY, &e);
}

#define EVE (ANN + 2048) /* at ann's place in a table of a power of two */

/* Of several users in one batch, in turns, one of them new; then pages from any place on, also from ids that are no entry of that user. */
static void each_wallet_has_its_own_pages(void **state)
{
	struct store_reader *r;
	struct batch b;
	struct core_user eve = a_user(EVE, "eve", 200);
	take_ids(store_of(state));
	make_world(store_of(state));
	for (int64_t round = 0; round < 3; round++) {
		batch_begin(&b, store_of(state));
		(void)load_one(&b, CORE_ROW_USER, ANN, 0, NONE);
		(void)load_one(&b, CORE_ROW_USER, BOB, 0, NONE);
		if (round == 2)
			(void)load_one(&b, CORE_ROW_USER, EVE, 0, NONE);
		move(&b, BOB, 10 + round * 10, round * 200 + 100);
		move(&b, ANN, 11 + round * 10, 70000 + round * 100 + 100);
		move(&b, BOB, 12 + round * 10, round * 200 + 200);
		if (round == 1) {
			struct core_entry first = a_charge(EVE, 23, 100, 100), second = a_charge(EVE, 24, 100, 200);
			(void)core_row_create(&b.rows, CORE_ROW_USER, &eve);
			(void)core_row_create(&b.rows, CORE_ROW_ENTRY, &first);
			(void)core_row_create(&b.rows, CORE_ROW_ENTRY, &second);
		}
		if (round == 2)
			move(&b, EVE, 33, 300);
		assert_int_equal(batch_commit(&b), STORE_OK);
	}
	assert_int_equal(store_reader_open(store_of(state), &r), STORE_OK);
	assert_entries(r, BOB, 0, 100, (const int64_t[]){32, 30, 22, 20, 12, 10, 0});
	assert_entries(r, ANN, 0, 100, (const int64_t[]){31, 21, 11, 2, 1, 0});
	assert_entries(r, EVE, 0, 100, (const int64_t[]){33, 24, 23, 0});
	assert_entries(r, BOB, 22, 2, (const int64_t[]){20, 12, 0});
	assert_entries(r, BOB, 21, 2, (const int64_t[]){20, 12, 0});
	assert_entries(r, BOB, 23, 1, (const int64_t[]){22, 0});
	assert_entries(r, BOB, 10, 100, (const int64_t[]){0});
	assert_entries(r, BOB, 1000, 1, (const int64_t[]){32, 0});
	assert_entries(r, 77, 0, 100, (const int64_t[]){0});
	store_reader_close(r);
	struct audit_findings found = {0};
	assert_int_equal(store_audit(store_of(state), note_finding, &found), STORE_OK);
	if (found.violations)
		fail_msg("%s", found.first);
}

static void pages_of_the_audit_log(void **state)
{
	struct store_reader *r;
	struct core_audit *page;
	size_t n;
	struct arena arena = {0};
	make_world(store_of(state));
	struct core_audit second = {
	    .audit_id = 2, .created_at = T0, .actor = TEXT("eve"), .action = TEXT("patch"), .target = TEXT("queue 1")};
	assert_int_equal(commit_new(store_of(state), CORE_ROW_AUDIT, &second), STORE_OK);
	assert_int_equal(store_reader_open(store_of(state), &r), STORE_OK);
	assert_int_equal(store_audits(r, 0, 10, &arena, &page, &n), STORE_OK);
	assert_true(n == 2 && page[0].audit_id == 2 && is_text(page[0].actor, "eve") && page[0].detail.n == 0);
	assert_int_equal(store_audits(r, 2, 10, &arena, &page, &n), STORE_OK);
	assert_true(n == 1 && page[0].audit_id == 1 && is_text(page[0].target, "concert 1") &&
	            is_text(page[0].detail, "{\"concerts\":1}"));
	store_reader_close(r);
	arena_free(&arena);
}

static void pages_of_sales(void **state)
{
	struct store_reader *r;
	struct store_sale *page;
	size_t n;
	struct arena arena = {0};
	make_world(store_of(state));
	assert_int_equal(store_reader_open(store_of(state), &r), STORE_OK);
	assert_int_equal(store_sales(r, 1, 0, 2, &arena, &page, &n), STORE_OK);
	assert_true(n == 2 && page[0].reservation.reservation_id == 1 && is_text(page[0].username, "ann"));
	assert_true(page[1].reservation.reservation_id == 2 && is_text(page[1].username, "bob") &&
	            page[1].reservation.seat_count == 2);
	assert_int_equal(store_sales(r, 1, 2, 2, &arena, &page, &n), STORE_OK);
	assert_true(n == 1 && page[0].reservation.reservation_id == 3);
	assert_int_equal(store_sales(r, 2, 0, 2, &arena, &page, &n), STORE_OK);
	assert_int_equal(n, 0);
	store_reader_close(r);
	arena_free(&arena);
}

/* ---- audit ---- */

static void audit_tells_right_from_wrong(void **state)
{
	struct audit_findings good = {0}, bad = {0};
	take_ids(store_of(state));
	make_world(store_of(state));
	assert_int_equal(store_audit(store_of(state), note_finding, &good), STORE_OK);
	if (good.violations)
		fail_msg("%s", good.first);
	assert_true(good.checks >= 10);
	struct core_entry from_nowhere = a_charge(BOB, 10, 500, 500);
	assert_int_equal(commit_new(store_of(state), CORE_ROW_ENTRY, &from_nowhere), STORE_OK);
	assert_int_equal(store_audit(store_of(state), note_finding, &bad), STORE_OK);
	assert_int_equal(bad.violations, 2); /* bob's balance, and the sum of all accounts */
	assert_string_equal(bad.first,
	                    "I3 every wallet's balance is the sum of its ledger entries: user 2: balance 0, entries 500");
}

/* ---- size ---- */

static void count_row(struct core_rows *rows, int64_t i)
{
	struct core_ticket t = a_ticket(i, i);
	struct core_entry e = a_charge(i, i, 1, 1);
	(void)core_row_create(rows, CORE_ROW_TICKET, &t);
	(void)core_row_create(rows, CORE_ROW_ENTRY, &e);
}

static void many_rows_are_no_trouble(void **state)
{
	struct store *s = store_of(state);
	struct batch b;
	for (int64_t i = 1; i <= 20000;) {
		batch_begin(&b, s);
		for (int64_t end = i + 1000; i < end; i++)
			count_row(&b.rows, i);
		assert_int_equal(batch_commit(&b), STORE_OK);
		store_maintain(s);
	}
	LIST(s, ((struct core_id){CORE_LIST_LINE, 1, 0, NONE}), 2, false, 1, 2);
	LIST(s, ((struct core_id){CORE_LIST_LIVE_TICKET, 1, 19999, NONE}), 0, true, 19999);
}

static void unknown_stores_are_refused(void **state)
{
	static const char *const urls[] = {"", "sqlite:", "memory:x", "mysql://x", "/a/path"};
	(void)state;
	for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		char error[STORE_ERROR_SIZE];
		struct store *s;
		assert_int_equal(open_url(urls[i], STORE_SERVE, &s, error), STORE_BROKEN);
		assert_null(s);
		assert_non_null(strstr(error, "--store sqlite:PATH"));
	}
}

#define EACH(name)                                                                                                              \
	{"memory: " #name, name, open_memory, close_fixture, NULL}, {"sqlite: " #name, name, open_sqlite, close_fixture, NULL}, \
	{                                                                                                                       \
		"postgres: " #name, name, open_postgres, close_fixture, NULL                                                    \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    EACH(new_store_has_the_main_queue),
	    EACH(whose_the_accounts_are_is_kept),
	    EACH(absent_rows_are_known_to_be_absent),
	    EACH(every_row_comes_back_as_it_was_saved),
	    EACH(lists_by_name),
	    EACH(lists_of_tickets),
	    EACH(lists_of_what_is_due),
	    EACH(lists_of_shows_and_seats),
	    EACH(what_an_organiser_changes_comes_back),
	    EACH(each_change_of_a_show_comes_back_alone),
	    EACH(a_concert_is_not_changed_unseen),
	    EACH(rollback_leaves_nothing),
	    EACH(rows_are_updated_and_removed),
	    EACH(one_live_ticket_a_user),
	    EACH(stale_updates_are_refused),
	    EACH(stale_removals_are_refused),
	    EACH(fresh_changes_are_taken),
	    EACH(wrong_seats_are_refused),
	    EACH(wrong_money_is_refused),
	    EACH(wrong_reservations_are_refused),
	    EACH(wrong_tickets_are_refused),
	    EACH(wrong_queues_are_refused),
	    EACH(wrong_keys_are_refused),
	    EACH(ids_are_never_given_twice),
	    EACH(the_clock_never_goes_back),
	    EACH(the_scan_has_what_is_live_and_recent),
	    EACH(the_scan_gives_a_user_of_two_queues_once),
	    EACH(readers_see_commits),
	    EACH(pages_of_reservations),
	    EACH(pages_of_the_ledger),
	    EACH(each_wallet_has_its_own_pages),
	    EACH(pages_of_the_audit_log),
	    EACH(pages_of_sales),
	    EACH(audit_tells_right_from_wrong),
	    EACH(many_rows_are_no_trouble),
	    cmocka_unit_test(unknown_stores_are_refused),
	};
	return cmocka_run_group_tests_name("store", tests, start_postgres, end_postgres);
}
