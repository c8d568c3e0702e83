/* The working set of a batch, core/rows.h: asking, loading, changing, and what is dirty. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/rows.h"
#include <string.h>

#define NONE ((struct text){NULL, 0})

struct set {
	struct arena arena;
	struct core_rows rows;
};

static int start(void **state)
{
	static struct set set;

	set = (struct set){0};
	core_rows_init(&set.rows, &set.arena, 4);
	*state = &set;
	return 0;
}

static int stop(void **state)
{
	arena_free(&((struct set *)*state)->arena);
	return 0;
}

static struct core_rows *rows_of(void **state)
{
	return &((struct set *)*state)->rows;
}

static struct core_row *put_user(struct core_rows *rows, int64_t id, int64_t balance)
{
	struct core_user u = {.user_id = id, .name = TEXT("somebody"), .balance = balance, .created_at = 1};

	return core_rows_put(rows, core_id_of(CORE_ROW_USER, &u), &u);
}

static size_t dirty_count(const struct core_rows *rows)
{
	size_t n = 0;

	for (const struct core_row *row = core_rows_dirty(rows); row; row = row->next_dirty)
		n++;
	return n;
}

static void an_empty_set(void **state)
{
	struct core_rows *rows = rows_of(state);

	assert_false(core_rows_needy(rows));
	assert_null(core_rows_dirty(rows));
	assert_null(core_row_get(rows, CORE_ROW_USER, 1, 0, NONE));
	assert_null(core_row_find(rows, CORE_ROW_USER, 1, 0, NONE));
	assert_null(core_list_find(rows, CORE_LIST_LINE, 1, 0, NONE));
}

static void a_row_is_asked_for_once(void **state)
{
	struct core_rows *rows = rows_of(state);

	core_need_row(rows, CORE_ROW_USER, 1, 0, NONE);
	core_need_row(rows, CORE_ROW_USER, 1, 0, NONE);
	core_need_row(rows, CORE_ROW_KEY, 1, 0, TEXT("a"));
	core_need_row(rows, CORE_ROW_KEY, 1, 0, TEXT("b"));
	assert_true(core_rows_needy(rows));
	assert_int_equal(rows->need_row_count, 3);
	assert_int_equal(rows->need_rows[0].kind, CORE_ROW_USER);
	assert_true(text_equal(rows->need_rows[2].s, TEXT("b")));
	put_user(rows, 1, 5);
	core_rows_loaded(rows);
	assert_false(core_rows_needy(rows));
	/* what came and what did not are both known now */
	core_need_row(rows, CORE_ROW_USER, 1, 0, NONE);
	core_need_row(rows, CORE_ROW_KEY, 1, 0, TEXT("a"));
	assert_false(core_rows_needy(rows));
	assert_int_equal(((struct core_user *)core_row_get(rows, CORE_ROW_USER, 1, 0, NONE))->balance, 5);
	assert_null(core_row_get(rows, CORE_ROW_KEY, 1, 0, TEXT("a")));
}

static void an_absent_row_is_known(void **state)
{
	struct core_rows *rows = rows_of(state);

	core_need_row(rows, CORE_ROW_SEAT, 1, 2, NONE);
	core_rows_put_absent(rows, (struct core_id){CORE_ROW_SEAT, 1, 2, NONE});
	core_rows_loaded(rows);
	core_need_row(rows, CORE_ROW_SEAT, 1, 2, NONE);
	assert_false(core_rows_needy(rows));
	assert_null(core_row_get(rows, CORE_ROW_SEAT, 1, 2, NONE));
	assert_null(core_row_get(rows, CORE_ROW_SEAT, 2, 1, NONE));
}

static void a_known_row_stays(void **state)
{
	struct core_rows *rows = rows_of(state);
	struct core_row *row = put_user(rows, 1, 5);

	((struct core_user *)core_row_edit(rows, row))->balance = 6;
	/* loaded again by way of a list: what was changed is newer */
	assert_ptr_equal(put_user(rows, 1, 5), row);
	assert_int_equal(((struct core_user *)row->now)->balance, 6);
	assert_int_equal(((const struct core_user *)row->was)->balance, 5);
}

static void a_change_keeps_what_was(void **state)
{
	struct core_rows *rows = rows_of(state);
	struct core_row *a = put_user(rows, 1, 10), *b = put_user(rows, 2, 20);
	struct core_user *u;

	assert_int_equal(dirty_count(rows), 0);
	assert_ptr_equal(core_row_find(rows, CORE_ROW_USER, 2, 0, NONE), b);
	u = core_row_edit(rows, b);
	u->balance = 21;
	u = core_row_edit(rows, a);
	u->balance = 11;
	u = core_row_edit(rows, b);
	u->balance++;
	/* each once, in the order of the first change */
	assert_int_equal(dirty_count(rows), 2);
	assert_ptr_equal(core_rows_dirty(rows), b);
	assert_ptr_equal(b->next_dirty, a);
	assert_int_equal(((const struct core_user *)b->was)->balance, 20);
	assert_int_equal(((struct core_user *)core_row_get(rows, CORE_ROW_USER, 2, 0, NONE))->balance, 22);
}

static void made_and_removed(void **state)
{
	struct core_rows *rows = rows_of(state);
	struct core_user fresh = {.user_id = 7, .name = TEXT("new"), .balance = 1};
	struct core_row *made = core_row_create(rows, CORE_ROW_USER, &fresh), *loaded = put_user(rows, 8, 1);

	fresh.balance = 99; /* it was copied */
	assert_null(made->was);
	assert_true(made->dirty);
	assert_int_equal(((struct core_user *)core_row_get(rows, CORE_ROW_USER, 7, 0, NONE))->balance, 1);
	core_row_delete(rows, loaded);
	assert_null(core_row_get(rows, CORE_ROW_USER, 8, 0, NONE));
	assert_non_null(loaded->was);
	assert_true(loaded->dirty);
	/* made again after it was removed: the store overwrites */
	fresh.user_id = 8;
	assert_ptr_equal(core_row_create(rows, CORE_ROW_USER, &fresh), loaded);
	assert_int_equal(((struct core_user *)loaded->now)->balance, 99);
	assert_non_null(loaded->was);
	/* made and removed in one batch: neither now nor was */
	core_row_delete(rows, made);
	assert_null(made->now);
	assert_null(made->was);
	assert_int_equal(dirty_count(rows), 2);
	/* known not to be there: no need to ask the store */
	core_need_row(rows, CORE_ROW_USER, 7, 0, NONE);
	assert_false(core_rows_needy(rows));
}

static void made_after_it_was_not_found(void **state)
{
	struct core_rows *rows = rows_of(state);
	struct core_key_record k = {.user_id = 1, .key = TEXT("k"), .status = 200};

	core_need_row(rows, CORE_ROW_KEY, 1, 0, TEXT("k"));
	core_rows_loaded(rows);
	core_row_create(rows, CORE_ROW_KEY, &k);
	assert_int_equal(((struct core_key_record *)core_row_get(rows, CORE_ROW_KEY, 1, 0, TEXT("k")))->status, 200);
	assert_null(core_row_find(rows, CORE_ROW_KEY, 1, 0, TEXT("k"))->was);
}

static void a_list_is_asked_for_with_its_limits_added(void **state)
{
	struct core_rows *rows = rows_of(state);
	struct core_list *line;

	core_need_list(rows, CORE_LIST_LINE, 1, 0, NONE, 2);
	core_need_list(rows, CORE_LIST_LINE, 1, 0, NONE, 3);
	core_need_list(rows, CORE_LIST_SHOW_SEATS, 1, 0, NONE, 0);
	core_need_list(rows, CORE_LIST_USER_NAMED, 0, 0, TEXT("ada"), 1);
	assert_true(core_rows_needy(rows));
	line = rows->need_lists;
	assert_int_equal(line->id.kind, CORE_LIST_LINE);
	assert_int_equal(line->limit, 5);
	assert_int_equal(line->next_need->limit, 0);
	assert_true(text_equal(line->next_need->next_need->id.s, TEXT("ada")));
	assert_null(line->next_need->next_need->next_need);
	for (int64_t i = 0; i < 5; i++) {
		struct core_ticket t = {.queue_id = 1, .number = i + 1, .status = CORE_WAITING};

		core_list_add(rows, line, core_rows_put(rows, core_id_of(CORE_ROW_TICKET, &t), &t));
	}
	core_rows_loaded(rows);
	assert_false(core_rows_needy(rows));
	assert_ptr_equal(core_list_find(rows, CORE_LIST_LINE, 1, 0, NONE), line);
	assert_null(core_list_find(rows, CORE_LIST_LINE, 2, 0, NONE));
	assert_int_equal(line->n, 5);
	for (int64_t i = 0; i < 5; i++)
		assert_int_equal(((struct core_ticket *)line->rows[i]->now)->number, i + 1);
	/* loaded: not asked for again */
	core_need_list(rows, CORE_LIST_LINE, 1, 0, NONE, 1);
	assert_false(core_rows_needy(rows));
	assert_int_equal(core_list_find(rows, CORE_LIST_USER_NAMED, 0, 0, TEXT("ada"))->n, 0);
}

static void many_rows(void **state)
{
	struct core_rows *rows = rows_of(state);
	enum { MANY = 20000 };

	for (int64_t i = 1; i <= MANY; i++) {
		struct core_seat s = {.show_id = i % 7, .seat_number = i, .price = i};

		core_rows_put(rows, core_id_of(CORE_ROW_SEAT, &s), &s);
	}
	for (int64_t i = 1; i <= MANY; i++) {
		struct core_seat *s = core_row_get(rows, CORE_ROW_SEAT, i % 7, i, NONE);

		assert_non_null(s);
		assert_int_equal(s->price, i);
		assert_null(core_row_get(rows, CORE_ROW_SEAT, i % 7 + 1, i, NONE));
	}
}

static void keys_and_sizes(void **state)
{
	struct core_entry e = {.user_id = 3, .entry_id = 4};
	struct core_key_record k = {.user_id = 5, .key = TEXT("k")};
	struct core_id id = core_id_of(CORE_ROW_ENTRY, &e);

	(void)state;
	assert_int_equal(id.kind, CORE_ROW_ENTRY);
	assert_int_equal(id.a, 3);
	assert_int_equal(id.b, 4);
	id = core_id_of(CORE_ROW_KEY, &k);
	assert_int_equal(id.a, 5);
	assert_true(text_equal(id.s, TEXT("k")));
	assert_int_equal(core_kind_size(CORE_ROW_USER), sizeof(struct core_user));
	assert_int_equal(core_kind_size(CORE_ROW_AUDIT), sizeof(struct core_audit));
	assert_int_equal(core_kind_size(CORE_ROW_RESERVATION), sizeof(struct core_reservation));
}

#define IN_A_SET(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_A_SET(an_empty_set),
	    IN_A_SET(a_row_is_asked_for_once),
	    IN_A_SET(an_absent_row_is_known),
	    IN_A_SET(a_known_row_stays),
	    IN_A_SET(a_change_keeps_what_was),
	    IN_A_SET(made_and_removed),
	    IN_A_SET(made_after_it_was_not_found),
	    IN_A_SET(a_list_is_asked_for_with_its_limits_added),
	    IN_A_SET(many_rows),
	    IN_A_SET(keys_and_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
