/* test_gone.c: a table is not there, as after a restore that went wrong: every call that needs it says so and has done nothing, and when the table is
 * back all is as it was. For each table in turn, of SQLite and of PostgreSQL, by a store that had asked before and by one that had not. */
#include "calls.h"

#include <sqlite3.h>

static const char *const sqlite_tables[] = {"meta", "user",        "queue",  "ticket",      "concert",  "show",
                                            "seat", "reservation", "ledger", "idempotency", "audit_log"};
static const char *const postgres_tables[] = {"meta", "users",       "user_name", "queue",       "ticket",    "concert", "show",
                                              "seat", "reservation", "ledger",    "idempotency", "audit_log", "batch"};
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const struct pg_server *server;

static void sqlite_run(const struct fixture *f, const char *sql)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	(void)sqlite3_busy_timeout(db, 5000);
	char *why = NULL;
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* legacy_alter_table: triggers and views keep the old name, and so find it again. */
static void rename_table(const struct fixture *f, const char *from, const char *to)
{
	char sql[256];
	if (f->shared) {
		assert_true(pg_sql(server, "ALTER TABLE jari.%s RENAME TO %s", from, to));
		return;
	}
	snprintf(sql, sizeof sql, "PRAGMA legacy_alter_table = on; ALTER TABLE %s RENAME TO %s", from, to);
	sqlite_run(f, sql);
}

static int64_t balance(struct store *s)
{
	struct batch b;
	batch_begin(&b, s);
	struct core_row *row = load_one(&b, CORE_ROW_USER, ANN, 0, NONE);
	assert_non_null(row);
	int64_t now = ((const struct core_user *)row->now)->balance;
	batch_drop(&b);
	return now;
}

struct told {
	int refused;
	const char *table;
};

/* Nothing that is not there is told as absent, as somebody else's doing, or as something that passes. */
static void went(void *arg, const char *what, enum store_result result)
{
	struct told *told = arg;
	told->refused += result == STORE_BROKEN;
	if (result == STORE_CONFLICT || result == STORE_BUSY)
		fail_msg("%s without %s was told as %s", what, told->table, store_result_name(result));
}

static void all_well(void *arg, const char *what, enum store_result result)
{
	(void)arg;
	if (result != STORE_OK && result != STORE_NONE)
		fail_msg("%s: %s", what, store_result_name(result));
}

static void without(struct fixture *f, const char *table, bool asked_before)
{
	struct told told = {.table = table};
	int64_t sum = balance(f->store);
	if (asked_before)
		sum += every_call(f->store, 3, all_well, NULL);
	rename_table(f, table, "elsewhere");
	sum += every_call(f->store, 5, went, &told);
	rename_table(f, "elsewhere", table);
	if (!f->shared || !asked_before) /* what PostgreSQL has planned knows a table by more than its name */
		if (told.refused == 0)
			fail_msg("nothing is refused without %s", table);
	sum += every_call(f->store, 7, all_well, NULL);
	assert_int_equal(balance(f->store), sum);
}

static void tables_are_gone(void **state, bool asked_before)
{
	struct fixture *f = *state;
	size_t n = f->shared ? COUNT(postgres_tables) : COUNT(sqlite_tables);
	make_world(f->store);
	for (size_t i = 0; i < n; i++) {
		store_close(f->store);
		f->store = NULL;
		open_again(f);
		without(f, f->shared ? postgres_tables[i] : sqlite_tables[i], asked_before);
	}
}

static void before_it_was_asked_for(void **state)
{
	tables_are_gone(state, false);
}

static void after_it_was_asked_for(void **state)
{
	tables_are_gone(state, true);
}

/* ---- moving house ---- */

static struct store *open_as(const char *url, enum store_mode mode)
{
	char error[STORE_ERROR_SIZE];
	struct store *s = NULL;
	if (open_url(url, mode, &s, error) != STORE_OK)
		fail_msg("%s", error);
	return s;
}

/* `out`: the store is what is moved out; else what is moved in. The other one is in memory. */
static void move_without(struct fixture *f, const char *table, bool out)
{
	struct store *memory = open_as("memory:", out ? STORE_IMPORT : STORE_SERVE);
	struct store *s = open_as(f->url, out ? STORE_EXPORT : STORE_IMPORT);
	enum store_result was_read = STORE_OK, was_filled = STORE_OK;
	int64_t rows = 0;
	if (!out)
		make_world(memory);
	rename_table(f, table, "elsewhere");
	(void)store_count(s, &rows);
	export_to_import(out ? s : memory, out ? memory : s, &was_read, &was_filled);
	rename_table(f, "elsewhere", table);
	bool kept = strcmp(table, "meta") != 0 && strcmp(table, "batch") != 0; /* what an export does not need */
	if (out && kept && strcmp(table, "user_name") != 0)
		assert_int_not_equal(was_read, STORE_OK);
	if (!out && strcmp(table, "batch") != 0)
		assert_int_not_equal(was_filled, STORE_OK);
	store_close(s);
	store_close(memory);
}

static void a_move_out(void **state)
{
	struct fixture *f = *state;
	make_world(f->store);
	store_close(f->store);
	f->store = NULL;
	for (size_t i = 0; i < (f->shared ? COUNT(postgres_tables) : COUNT(sqlite_tables)); i++)
		move_without(f, f->shared ? postgres_tables[i] : sqlite_tables[i], true);
	open_again(f);
	(void)every_call(f->store, 5, all_well, NULL);
}

/* What could not be filled is as empty as before: it is filled in the end. */
static void a_move_in(void **state)
{
	struct fixture *f = *state;
	enum store_result was_read, was_filled;
	store_close(f->store);
	f->store = NULL;
	for (size_t i = 0; i < (f->shared ? COUNT(postgres_tables) : COUNT(sqlite_tables)); i++)
		if (!f->shared || strcmp(postgres_tables[i], "batch") != 0) /* which nothing of an import needs */
			move_without(f, f->shared ? postgres_tables[i] : sqlite_tables[i], false);
	struct store *memory = open_as("memory:", STORE_SERVE), *s = open_as(f->url, STORE_IMPORT);
	make_world(memory);
	export_to_import(memory, s, &was_read, &was_filled);
	assert_int_equal(was_filled, STORE_OK);
	store_close(s);
	store_close(memory);
	open_again(f);
	(void)every_call(f->store, 5, all_well, NULL);
}

static int set_up(void **state)
{
	if (start_postgres(state) != 0)
		return -1;
	server = *state;
	return 0;
}

int main(void)
{
#define EACH(test)                                                            \
	{#test " (sqlite)", test, open_sqlite, close_fixture, NULL},          \
	{                                                                     \
#test " (postgres)", test, open_postgres, close_fixture, NULL \
	}
	const struct CMUnitTest tests[] = {
	    EACH(before_it_was_asked_for),
	    EACH(after_it_was_asked_for),
	    EACH(a_move_out),
	    EACH(a_move_in),
	};
	return cmocka_run_group_tests(tests, set_up, end_postgres);
}
