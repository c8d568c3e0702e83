/* test_audit.c: what `jari audit` finds, in both databases: rows that were changed by hand with the constraints out of the way, one damage at a time. */
#include "fixture.h"

#include "store/postgres.h"

#include <sqlite3.h>

/* ---- what an audit says ---- */

static void audit_url(const char *url, struct audit_findings *found)
{
	struct store *s;
	char error[STORE_ERROR_SIZE];
	if (open_url(url, STORE_READ, &s, error) != STORE_OK)
		fail_msg("%s", error);
	assert_int_equal(store_audit(s, note_finding, found), STORE_OK);
	store_close(s);
}

static void expect_found(const char *url, const char *wanted, const char *sql)
{
	struct audit_findings found = {.wanted = wanted};
	audit_url(url, &found);
	if (found.of_wanted == 0)
		fail_msg("\"%s\" holds after: %s (first: %s)", wanted, sql, found.first);
}

/* ---- rows ---- */

#define TICKETS "state and instants"
#define PAID_TICKETS "a ticket that a payment ended"
#define CAPACITY "more active tickets than its capacity"
#define COUNTS "counts its waiting"
#define ANSWERS "every kept answer"
#define ENTRIES "as its type says"
#define CHAIN "that of the entry before it"
#define VALUES "ids and numbers are 1 or more"
#define SEATS "a free seat has no owner"
#define PAYMENTS "if and only if it was paid"
#define WALLETS "below 0 or above its limit"
#define NUMBERS "without gaps"

/* In PostgreSQL the table is `users`. */
static const struct {
	const char *what, *sql, *postgres;
} damages[] = {
    {TICKETS, "UPDATE ticket SET ended_at = issued_at - 1 WHERE number = 4", NULL},
    {TICKETS, "UPDATE ticket SET issued_at = issued_at - 9, ended_at = admitted_at - 1 WHERE number = 1", NULL},
    {TICKETS, "UPDATE ticket SET ended_at = -1 WHERE number = 3", NULL},
    {TICKETS, "UPDATE ticket SET admitted_at = -1, expires_at = 0 WHERE number = 2", NULL},
    {TICKETS, "UPDATE ticket SET admitted_at = 5 WHERE number = 3", NULL},
    {TICKETS, "UPDATE ticket SET status = 5, reason = 0, ended_at = 0 WHERE number = 4", NULL},
    {TICKETS, "UPDATE ticket SET expires_at = admitted_at - 1 WHERE number = 2", NULL},
    {TICKETS, "UPDATE ticket SET returned_at = issued_at - 1 WHERE number = 3", NULL},
    {TICKETS, "UPDATE ticket SET returned_at = admitted_at + 1 WHERE number = 2", NULL},
    {TICKETS, "UPDATE ticket SET returned_at = ended_at + 1 WHERE number = 4", NULL},
    {TICKETS, "UPDATE ticket SET reason = 9 WHERE number = 4", NULL},
    {TICKETS, "UPDATE ticket SET reason = -1 WHERE number = 4", NULL},
    {TICKETS, "UPDATE ticket SET reason = 0 WHERE number = 4", NULL},
    {TICKETS, "UPDATE ticket SET reason = 1 WHERE number = 4", NULL},
    {TICKETS, "UPDATE ticket SET reason = 2 WHERE number = 4", NULL},
    {TICKETS, "UPDATE ticket SET reason = 2 WHERE number = 1", NULL},
    {TICKETS, "UPDATE ticket SET reason = 4 WHERE number = 1", NULL},
    {TICKETS, "UPDATE ticket SET ended_at = expires_at WHERE number = 1", NULL},
    {TICKETS, "UPDATE ticket SET ended_at = expires_at, reason = 3 WHERE number = 1", NULL},
    {PAID_TICKETS, "UPDATE reservation SET ticket_number = 2 WHERE reservation_id = 1", NULL},
    {PAID_TICKETS, "UPDATE reservation SET status = 4, paid_at = 0, payment_id = 0 WHERE reservation_id = 1", NULL},
    {PAID_TICKETS, "UPDATE ticket SET ended_at = ended_at - 1 WHERE number = 1", NULL},

    {CAPACITY, "UPDATE queue SET ceiling = 1000", NULL},
    {CAPACITY, "UPDATE queue SET ceiling = 1", NULL},
    {CAPACITY, "UPDATE queue SET capacity = 0, ceiling = 1", NULL},
    {CAPACITY, "UPDATE queue SET active = 3", NULL},
    {COUNTS, "UPDATE queue SET active = -1", NULL},
    {COUNTS, "UPDATE queue SET waiting = -1", NULL},
    {COUNTS, "UPDATE queue SET passed = -1", NULL},
    {COUNTS, "UPDATE queue SET admitted = 9", NULL},
    {NUMBERS, "UPDATE queue SET last_number = -1", NULL},

    {ANSWERS, "UPDATE idempotency SET body = '{\"a\":}'", NULL},
    {ANSWERS, "UPDATE idempotency SET body = '[1]'", NULL},
    {ANSWERS, "UPDATE idempotency SET body = printf('%.*c', 200000, '[')", "UPDATE idempotency SET body = repeat('[', 200000)"},
    {ANSWERS, "UPDATE idempotency SET body = '1'", NULL},
    {ANSWERS, "UPDATE idempotency SET body = ''", NULL},
    {ANSWERS, "UPDATE idempotency SET status = 404", NULL},
    {ANSWERS, "UPDATE idempotency SET digest = x'00'", "UPDATE idempotency SET digest = '\\x00'"},

    {ENTRIES, "UPDATE ledger SET reservation_id = 1 WHERE entry_id = 1", NULL},
    {ENTRIES, "UPDATE ledger SET reservation_id = 0 WHERE entry_id = 2", NULL},
    {ENTRIES, "UPDATE ledger SET credit_id = 0 WHERE entry_id = 2", NULL},
    {ENTRIES, "UPDATE ledger SET type = 3, debit_kind = 2, debit_id = 0, credit_kind = 1, credit_id = 1 WHERE entry_id = 2",
     NULL},
    {ENTRIES,
     "UPDATE ledger SET type = 3, debit_kind = 2, debit_id = 1, credit_kind = 1, credit_id = 1, reservation_id = 0"
     " WHERE entry_id = 2",
     NULL},
    {ENTRIES, "UPDATE ledger SET type = 4 WHERE entry_id = 1", NULL},
    {ENTRIES, "UPDATE ledger SET amount = -1 WHERE entry_id = 1", NULL},
    {CHAIN, "UPDATE ledger SET amount = 2000000000000, balance_after = 2000000000000 WHERE entry_id = 1", NULL},
    {WALLETS, "UPDATE user SET balance = -1 WHERE user_id = 2", "UPDATE users SET balance = -1 WHERE user_id = 2"},

    {SEATS, "UPDATE seat SET held_until = -1 WHERE seat_number = 4", NULL},
    {SEATS, "UPDATE seat SET reservation_id = 0, user_id = 0 WHERE seat_number = 2", NULL},
    {SEATS, "UPDATE seat SET user_id = 0 WHERE seat_number = 1", NULL},
    {SEATS, "UPDATE seat SET status = 3 WHERE seat_number = 1", NULL},
    {SEATS, "UPDATE seat SET price = -1 WHERE seat_number = 1", NULL},
    {PAYMENTS, "UPDATE reservation SET status = 6, paid_at = 0, payment_id = 0 WHERE reservation_id = 2", NULL},
    {PAYMENTS, "UPDATE reservation SET total_price = -1 WHERE reservation_id = 2", NULL},
    {PAYMENTS, "UPDATE reservation SET seats = '[]' WHERE reservation_id = 3",
     "UPDATE reservation SET seats = '{}' WHERE reservation_id = 3"},
    {PAYMENTS, "UPDATE reservation SET payment_id = 0 WHERE reservation_id = 1", NULL},

    {VALUES, "UPDATE user SET user_id = 0 WHERE user_id = 4", "UPDATE users SET user_id = 0 WHERE user_id = 4"},
    {VALUES, "UPDATE user SET name = '' WHERE user_id = 4", "UPDATE users SET name = '' WHERE user_id = 4"},
    {VALUES, "UPDATE queue SET queue_id = 0", NULL},
    {VALUES, "UPDATE queue SET name = ''", NULL},
    {VALUES, "UPDATE queue SET capacity = -1", NULL},
    {VALUES, "UPDATE queue SET rate_per_second = -1", NULL},
    {VALUES, "UPDATE queue SET paused = 2", NULL},
    {VALUES, "UPDATE ticket SET number = 0 WHERE number = 1", NULL},
    {VALUES, "UPDATE concert SET concert_id = 0", NULL},
    {VALUES, "UPDATE show SET show_id = 0", NULL},
    {VALUES, "UPDATE show SET total_seats = -1", NULL},
    {VALUES, "UPDATE show SET closed = 2", NULL},
    {VALUES, "UPDATE seat SET seat_number = 0 WHERE seat_number = 4", NULL},
    {VALUES, "UPDATE reservation SET reservation_id = 0 WHERE reservation_id = 3", NULL},
    {VALUES, "UPDATE ledger SET entry_id = 0 WHERE entry_id = 1", NULL},
    {VALUES, "UPDATE ledger SET user_id = 0 WHERE entry_id = 1", NULL},
    {VALUES, "UPDATE idempotency SET key = ''", NULL},
    {VALUES, "UPDATE audit_log SET audit_id = 0", NULL},
};
#define DAMAGES (sizeof damages / sizeof damages[0])

/* ---- SQLite ---- */

#define WITHOUT_GUARDS                                                                                           \
	"PRAGMA ignore_check_constraints = 1; DROP TRIGGER ledger_keeps_values; DROP TRIGGER ledger_keeps_rows;" \
	"DROP TRIGGER audit_log_keeps_values; DROP TRIGGER audit_log_keeps_rows;"

static void run_sqlite(const char *path, const char *before, const char *sql)
{
	sqlite3 *db;
	char *message = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, before, NULL, NULL, &message) != SQLITE_OK ||
	    sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void remove_store(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	char name[420];
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
		(void)unlink(name);
	}
}

/* Damages a copy of the world, and wants it found. */
static void damage_sqlite(const struct fixture *f, const char *before, const char *what, const char *sql)
{
	char path[400], url[420], error[STORE_ERROR_SIZE];
	snprintf(path, sizeof path, "%s/damaged.db", f->folder);
	snprintf(url, sizeof url, "sqlite:%s", path);
	assert_int_equal(store_backup(f->store, path, NULL, NULL, error), STORE_OK);
	run_sqlite(path, before, sql);
	expect_found(url, what, sql);
	remove_store(path);
}

static void rows_in_sqlite(void **state)
{
	struct fixture *f = *state;
	make_world(f->store);
	for (size_t i = 0; i < DAMAGES; i++)
		damage_sqlite(f, WITHOUT_GUARDS, damages[i].what, damages[i].sql);
}

/* What holds the rows, and not a row of them: gone, or something else of the same name. */
static void schema_in_sqlite(void **state)
{
#define SCHEMA "the tables, their constraints and their indexes"
#define GUARDS "the ledger and the audit log refuse changes"
#define REWRITE(name, from, to) \
	"PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = replace(sql, '" from "', '" to "') WHERE name = '" name "'"
	static const struct {
		const char *what, *sql;
	} cases[] = {
	    {SCHEMA, "DROP INDEX ticket_live"},
	    {SCHEMA, "DROP INDEX ticket_live; CREATE INDEX ticket_live ON ticket (queue_id, user_id) WHERE status <> 3"},
	    {SCHEMA, "DROP INDEX idempotency_due"},
	    {SCHEMA, REWRITE("user", "balance BETWEEN 0 AND", "balance > -9 OR balance =")},
	    {SCHEMA, REWRITE("ledger", "amount >= 0", "amount >= -9")},
	    {GUARDS, "DROP TRIGGER ledger_keeps_values"},
	    {GUARDS, "DROP TRIGGER audit_log_keeps_rows"},
	    {GUARDS, "DROP TRIGGER audit_log_keeps_values"},
	    {GUARDS,
	     "DROP TRIGGER ledger_keeps_rows; CREATE TRIGGER ledger_keeps_rows BEFORE DELETE ON ledger BEGIN SELECT 1; END"},
	    {GUARDS, "DROP TRIGGER audit_log_keeps_rows; CREATE TRIGGER audit_log_keeps_rows BEFORE DELETE ON audit_log WHEN 0"
	             " BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END"},
	};
	struct fixture *f = *state;
	make_world(f->store);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		damage_sqlite(f, "", cases[i].what, cases[i].sql);
}

/* A comment that was reworded since, and what a later version of SQLite writes otherwise, are no difference; nor is what the owner has added. */
static void a_schema_in_other_words_in_sqlite(void **state)
{
	static const char *const sql[] = {REWRITE("user", "-- I3", "-- it''s I3, as ever"),
	                                  REWRITE("ledger", "\"ledger\"", "ledger"),
	                                  "CREATE INDEX mine ON user (created_at); CREATE TABLE mine_too (a); ANALYZE"};
	struct fixture *f = *state;
	make_world(f->store);
	for (size_t i = 0; i < sizeof sql / sizeof sql[0]; i++)
		run_sqlite(f->path, "", sql[i]);
	struct audit_findings found = {0};
	audit_url(f->url, &found);
	if (found.violations)
		fail_msg("%s", found.first);
}

/* ---- PostgreSQL ---- */

/* Takes the CHECKs out of the way, and notes them; and which of them a damage breaks. */
#define KEEP_CHECKS                                                                                                           \
	"DROP TABLE IF EXISTS public.kept; CREATE TABLE public.kept AS"                                                       \
	" SELECT conrelid::regclass::text AS rel, conname::text AS name, pg_get_expr(conbin, conrelid) AS expr, false AS hit" \
	" FROM pg_constraint WHERE connamespace = 'jari'::regnamespace AND contype = 'c'"
#define WITHOUT_CHECKS                                                                           \
	"DO $$ DECLARE k record; BEGIN FOR k IN SELECT * FROM public.kept LOOP"                  \
	" EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', k.rel, k.name); END LOOP; END $$;" \
	"ALTER TABLE jari.ledger DISABLE TRIGGER USER; ALTER TABLE jari.audit_log DISABLE TRIGGER USER; SET search_path = jari;"
#define NOTE_HITS                                                                                             \
	"DO $$ DECLARE k record; broken boolean; BEGIN FOR k IN SELECT * FROM public.kept WHERE NOT hit LOOP" \
	" EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s WHERE NOT (%s))', k.rel, k.expr) INTO broken;"      \
	" UPDATE public.kept SET hit = broken WHERE rel = k.rel AND name = k.name; END LOOP; END $$"

static const struct pg_server *server_of(void **state)
{
	return *state;
}

static void run_postgres(const struct pg_server *server, const char *before, const char *sql)
{
	if (!pg_sql(server, "%s%s", before, sql))
		fail_msg("%s", sql);
}

/* A new world, without a server that has it open. */
static struct fixture *new_world(const struct pg_server *server)
{
	struct fixture *f = fresh_postgres(server);
	open_again(f);
	take_ids(f->store);
	make_world(f->store);
	store_close(f->store);
	return f;
}

static void damage_postgres(const struct pg_server *server, const char *before, const char *what, const char *sql)
{
	struct fixture *f = new_world(server);
	run_postgres(server, before, sql);
	expect_found(f->url, what, sql);
	test_free(f);
}

/* Every CHECK is broken by one of the damages, so none is left to itself. */
static void assert_all_hit(const struct pg_server *server)
{
	PGconn *c = pg_admin(server);
	PGresult *res = PQexec(c, "SELECT string_agg(format('%s of %s', name, rel), '; ') FROM public.kept WHERE NOT hit");
	assert_int_equal(PQresultStatus(res), PGRES_TUPLES_OK);
	if (!PQgetisnull(res, 0, 0))
		fail_msg("no damage breaks %s", PQgetvalue(res, 0, 0));
	PQclear(res);
	PQfinish(c);
}

static void rows_in_postgres(void **state)
{
	const struct pg_server *server = server_of(state);
	test_free(new_world(server));
	run_postgres(server, "", KEEP_CHECKS);
	for (size_t i = 0; i < DAMAGES; i++) {
		damage_postgres(server, WITHOUT_CHECKS, damages[i].what,
		                damages[i].postgres ? damages[i].postgres : damages[i].sql);
		run_postgres(server, "SET search_path = jari;", NOTE_HITS);
	}
	assert_all_hit(server);
}

static void schema_in_postgres(void **state)
{
	static const struct {
		const char *what, *sql;
	} cases[] = {
	    {SCHEMA, "DROP INDEX ticket_live"},
	    {SCHEMA, "DROP INDEX ticket_live; CREATE INDEX ticket_live ON ticket (queue_id, user_id) WHERE status <> 3"},
	    {SCHEMA, "ALTER TABLE ticket DROP CONSTRAINT ticket_pkey"},
	    {SCHEMA, "ALTER TABLE user_name DROP CONSTRAINT user_name_pkey"},
	    {SCHEMA, "ALTER TABLE users DROP CONSTRAINT users_balance_check"},
	    {SCHEMA,
	     "ALTER TABLE users DROP CONSTRAINT users_balance_check, ADD CONSTRAINT users_balance_check CHECK (balance <> -1)"},
	    {SCHEMA, "ALTER TABLE users DROP CONSTRAINT users_balance_check, ADD CONSTRAINT users_balance_check"
	             " CHECK (balance BETWEEN 0 AND 1000000000000) NOT VALID"},
	    {SCHEMA, "ALTER TABLE ledger ALTER amount DROP NOT NULL"},
	    {SCHEMA, "ALTER TABLE concert ALTER changed_at DROP DEFAULT"},
	    {SCHEMA, "ALTER TABLE user_name ALTER name TYPE text COLLATE \"default\""},
	    {SCHEMA, "DROP FUNCTION expect_rows"},
	    {SCHEMA, "CREATE OR REPLACE FUNCTION expect_rows(met bigint, meant bigint, what text) RETURNS void LANGUAGE plpgsql"
	             " AS 'BEGIN END'"},
	    {SCHEMA, "DROP SEQUENCE audit_ids"},
	    {GUARDS, "DROP TRIGGER ledger_keeps ON ledger"},
	    {GUARDS, "DROP TRIGGER audit_log_keeps ON audit_log"},
	    {GUARDS, "DROP TRIGGER audit_log_keeps_all ON audit_log"},
	    {GUARDS, "ALTER TABLE audit_log DISABLE TRIGGER audit_log_keeps"},
	    {GUARDS, "ALTER TABLE ledger ENABLE REPLICA TRIGGER ledger_keeps"},
	    {GUARDS, "CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"},
	    {GUARDS, "DROP TRIGGER ledger_keeps ON ledger; CREATE TRIGGER ledger_keeps BEFORE DELETE ON ledger FOR EACH ROW"
	             " EXECUTE FUNCTION append_only()"},
	    {GUARDS,
	     "DROP TRIGGER ledger_keeps ON ledger; CREATE TRIGGER ledger_keeps BEFORE UPDATE OR DELETE ON ledger FOR EACH ROW"
	     " WHEN (old.amount < 0) EXECUTE FUNCTION append_only()"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		damage_postgres(server_of(state), "SET search_path = jari;", cases[i].what, cases[i].sql);
}

/* The list that the audit compares with is what the migrations make, no line less and no line more. */
static void the_list_of_the_schema_is_whole(void **state)
{
	const char *const made[] = {pg_schema_made};
	struct fixture *f = new_world(server_of(state));
	PGconn *c = pg_admin(server_of(state));
	PQclear(PQexec(c, "SET search_path = jari"));
	PGresult *res = PQexecParams(c, pg_schema_differs, 1, NULL, made, NULL, NULL, 0);
	assert_int_equal(PQresultStatus(res), PGRES_TUPLES_OK);
	for (int i = 0; i < PQntuples(res); i++)
		print_error("%s: %s\n", strcmp(PQgetvalue(res, i, 1), "t") == 0 ? "listed, and not made" : "made, and not listed",
		            PQgetvalue(res, i, 0));
	assert_int_equal(PQntuples(res), 0);
	PQclear(res);
	PQfinish(c);
	test_free(f);
}

/* What the mark is compared with may be right as well: that it is missing must be said. (A SQLite store without it can't be opened.) */
static void the_clock_in_postgres(void **state)
{
	static const char *const sql[] = {"DELETE FROM meta WHERE name = 'clock'",
	                                  "TRUNCATE batch; DELETE FROM meta WHERE name = 'clock'",
	                                  "TRUNCATE batch; UPDATE meta SET value = 1700000003000 WHERE name = 'clock'"};
	for (size_t i = 0; i < sizeof sql / sizeof sql[0]; i++)
		damage_postgres(server_of(state), "SET search_path = jari;", "the clock has its mark", sql[i]);
}

#define WHOLE "the database is whole"
static void ids_in_postgres(void **state)
{
	static const char *const sql[] = {"SELECT setval('user_ids', 4, false)",  "SELECT setval('reservation_ids', 1, false)",
	                                  "SELECT setval('entry_ids', 1, false)", "SELECT setval('entry_ids', 1)",
	                                  "SELECT setval('audit_ids', 1, false)", "SELECT setval('queue_ids', 1, false)",
	                                  "SELECT setval('show_ids', 1, false)",  "SELECT setval('concert_ids', 1, false)"};
	for (size_t i = 0; i < sizeof sql / sizeof sql[0]; i++)
		damage_postgres(server_of(state), "SET search_path = jari;", WHOLE, sql[i]);
	damage_postgres(server_of(state), "SET search_path = jari;", WHOLE, "DELETE FROM user_name WHERE user_id = 2");
}

/* A role that may not read the sequences, as it was told to be made once: what it is not told is not held against them. */
static void ids_for_a_role_that_may_not_read_them(void **state)
{
	const struct pg_server *server = server_of(state);
	struct fixture *f = new_world(server);
	struct audit_findings found = {0};
	run_postgres(
	    server, "",
	    "CREATE ROLE auditor LOGIN; GRANT USAGE ON SCHEMA jari TO auditor;"
	    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA jari TO auditor;"
	    "GRANT USAGE, UPDATE ON ALL SEQUENCES IN SCHEMA jari TO auditor; REVOKE ALL ON SEQUENCE jari.show_ids FROM auditor;"
	    "SELECT setval('jari.audit_ids', 2, false)");
	snprintf(f->url, sizeof f->url, "postgresql://auditor@127.0.0.1:%d/postgres", server->port);
	audit_url(f->url, &found);
	if (found.violations)
		fail_msg("%s", found.first);
	run_postgres(server, "", "SELECT setval('jari.entry_ids', 1)");
	expect_found(f->url, WHOLE, "setval('jari.entry_ids', 1)");
	run_postgres(server, "", "DROP OWNED BY auditor; DROP ROLE auditor");
	test_free(f);
}

/* ---- what is right ---- */

/* A capacity that was lowered below those who are in, as the audit log tells. */
static void a_lowered_capacity_is_no_breach(void **state)
{
	struct fixture *f = *state;
	struct batch b;
	struct audit_findings found = {0};
	struct core_audit patch = {.audit_id = 2,
	                           .created_at = T0 + 5000,
	                           .actor = TEXT("admin"),
	                           .action = TEXT("PATCH_QUEUE"),
	                           .target = TEXT("queue 1"),
	                           .detail = TEXT("{\"capacity\":{\"from\":2,\"to\":1}}")};
	take_ids(f->store);
	make_world(f->store);
	batch_begin(&b, f->store);
	struct core_queue *q = core_row_edit(&b.rows, load_one(&b, CORE_ROW_QUEUE, 1, 0, NONE));
	q->capacity = 0;
	q->ceiling = 1;
	(void)core_row_create(&b.rows, CORE_ROW_AUDIT, &patch);
	assert_int_equal(batch_commit(&b), STORE_OK);
	assert_int_equal(store_audit(f->store, note_finding, &found), STORE_OK);
	if (found.violations)
		fail_msg("%s", found.first);
}

static void list(void *arg, const char *invariant, const char *what, int64_t violations, const char *example)
{
	struct buf *lines = arg;
	buf_printf(lines, "%s %s\n", invariant, what);
	if (violations > 0)
		fail_msg("%s %s: %s", invariant, what, example);
}

static void assert_document_says(const char *name, int checks)
{
	char words[32];
	snprintf(words, sizeof words, "all %d checks", checks);
	char *text = read_source(name);
	if (!strstr(text, words))
		fail_msg("%s does not say \"%s\"", name, words);
	test_free(text);
}

/* The same checks in the same order, whatever the store; and as many as the documents say. */
static void every_store_makes_the_same_checks(void **state)
{
	static const char *const documents[] = {"docs/operations.md", "docs/scaling.md"};
	static int (*const opens[])(void **) = {open_memory, open_sqlite, open_postgres};
	struct buf lines[3] = {{0}};
	int checks = 0;
	for (size_t i = 0; i < 3; i++) {
		void *opened = *state;
		assert_int_equal(opens[i](&opened), 0);
		struct fixture *f = opened;
		take_ids(f->store);
		make_world(f->store);
		assert_int_equal(store_audit(f->store, list, &lines[i]), STORE_OK);
		buf_char(&lines[i], '\0');
		assert_string_equal(lines[i].p, lines[0].p);
		(void)close_fixture(&opened);
	}
	for (const char *p = lines[0].p; *p; p++)
		checks += *p == '\n';
	for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
		assert_document_says(documents[i], checks);
	}
	for (size_t i = 0; i < 3; i++)
		buf_free(&lines[i]);
}

int main(void)
{
#define EACH(name)                                                                                                              \
	{"memory: " #name, name, open_memory, close_fixture, NULL}, {"sqlite: " #name, name, open_sqlite, close_fixture, NULL}, \
	{                                                                                                                       \
		"postgres: " #name, name, open_postgres, close_fixture, NULL                                                    \
	}
	const struct CMUnitTest tests[] = {
	    {"rows_in_sqlite", rows_in_sqlite, open_sqlite, close_fixture, NULL},
	    {"schema_in_sqlite", schema_in_sqlite, open_sqlite, close_fixture, NULL},
	    {"a_schema_in_other_words_in_sqlite", a_schema_in_other_words_in_sqlite, open_sqlite, close_fixture, NULL},
	    cmocka_unit_test(rows_in_postgres),
	    cmocka_unit_test(schema_in_postgres),
	    cmocka_unit_test(the_list_of_the_schema_is_whole),
	    cmocka_unit_test(the_clock_in_postgres),
	    cmocka_unit_test(ids_in_postgres),
	    cmocka_unit_test(ids_for_a_role_that_may_not_read_them),
	    EACH(a_lowered_capacity_is_no_breach),
	    cmocka_unit_test(every_store_makes_the_same_checks),
	};
	return cmocka_run_group_tests_name("audit", tests, start_postgres, end_postgres);
}
