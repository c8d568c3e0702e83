/* test_memory_undo.c: commits of the memory store that have never happened, as the simulation's power cuts want them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/memory.h"

#define NOW 1800000000000LL

struct world {
	struct store *store;
	struct store_reader *reader;
	struct arena arena;
	struct core_rows rows;
};

static int setup(void **state)
{
	static struct world w;
	struct store_options options = {.url = "memory:", .mode = STORE_SERVE, .queue_capacity = 2};
	char error[STORE_ERROR_SIZE];
	w = (struct world){.arena = {0}};
	if (store_open(&options, &w.store, error) != STORE_OK || store_reader_open(w.store, &w.reader) != STORE_OK)
		return -1;
	memory_keep(w.store);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	store_reader_close(w->reader);
	store_close(w->store);
	arena_free(&w->arena);
	return 0;
}

static void begin(struct world *w)
{
	arena_reset(&w->arena);
	core_rows_init(&w->rows, &w->arena, 8);
	core_need_row(&w->rows, CORE_ROW_USER, 1, 0, (struct text){0});
	assert_int_equal(store_load(w->store, &w->rows), STORE_OK);
}

/* A commit that adds an entry of the ledger, and the user with the first. */
static void pay_in(struct world *w, int64_t entry_id, int64_t balance)
{
	struct core_user fresh = {.user_id = 1, .name = TEXT("ada")};
	struct core_entry e = {.user_id = 1, .entry_id = entry_id, .type = CORE_CHARGE, .credit = {CORE_WALLET, 1}, .amount = 5};
	begin(w);
	struct core_row *row = core_row_find(&w->rows, CORE_ROW_USER, 1, 0, (struct text){0});
	if (!row || !row->now)
		row = core_row_create(&w->rows, CORE_ROW_USER, &fresh);
	((struct core_user *)core_row_edit(&w->rows, row))->balance = e.balance_after = balance;
	(void)core_row_create(&w->rows, CORE_ROW_ENTRY, &e);
	assert_int_equal(store_commit(w->store, &w->rows, NOW + entry_id), STORE_OK);
}

static void assert_balance(struct world *w, int64_t balance, size_t entries)
{
	struct core_entry *page;
	size_t n;
	begin(w);
	const struct core_user *u = core_row_get(&w->rows, CORE_ROW_USER, 1, 0, (struct text){0});
	assert_int_equal(u ? u->balance : -1, balance);
	assert_int_equal(store_entries(w->reader, 1, 0, 100, &w->arena, &page, &n), STORE_OK);
	assert_int_equal(n, entries);
}

static void the_latest_commits_have_never_happened(void **state)
{
	struct world *w = *state;
	pay_in(w, 1, 5);
	pay_in(w, 2, 10);
	pay_in(w, 3, 15);
	memory_undo(w->store, 2);
	assert_balance(w, 5, 1);
	assert_int_equal(store_clock(w->store), NOW + 1);
	pay_in(w, 4, 10); /* and life goes on */
	assert_balance(w, 10, 2);
	memory_undo(w->store, 100);
	assert_balance(w, -1, 0);
	assert_int_equal(store_clock(w->store), 0);
}

static void what_is_settled_stays(void **state)
{
	struct world *w = *state;
	pay_in(w, 1, 5);
	pay_in(w, 2, 10);
	pay_in(w, 3, 15);
	memory_settle(w->store, 2);
	memory_undo(w->store, 100);
	assert_balance(w, 10, 2);
	memory_settle(w->store, 100); /* none are left */
	memory_undo(w->store, 1);
	assert_balance(w, 10, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_latest_commits_have_never_happened, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_is_settled_stays, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
