/* test_sharding.c: docs/scaling/citus.sql, held against the catalog of a database that was just migrated. Citus itself is not there: citus_rules.sql
 * stands in for its functions and refuses what Citus would. */
#include "fixture.h"

#include <libpq-fe.h>

struct world {
	struct pg_server server;
	PGconn *pg;
};

/* What the server says against it; empty when nothing. */
static const char *run(struct world *w, const char *sql)
{
	PGresult *res = PQexec(w->pg, sql);
	bool ok = PQresultStatus(res) == PGRES_COMMAND_OK || PQresultStatus(res) == PGRES_TUPLES_OK;
	PQclear(res);
	return ok ? "" : PQerrorMessage(w->pg);
}

static void run_file(struct world *w, const char *name)
{
	char *sql = read_source(name);
	const char *said = run(w, sql);
	if (*said)
		fail_msg("%s: %s", name, said);
	test_free(sql);
}

static int start(void **state)
{
	struct world *w = test_calloc(1, sizeof *w);
	char url[256], error[STORE_ERROR_SIZE];
	struct store *s = NULL;
	if (!pg_make(&w->server))
		return -1;
	snprintf(url, sizeof url, "postgresql://postgres@127.0.0.1:%d/postgres", w->server.port);
	if (open_url(url, STORE_SERVE, &s, error) != STORE_OK)
		return -1;
	store_close(s);
	w->pg = pg_admin(&w->server);
	*state = w;
	return w->pg ? 0 : -1;
}

static int end(void **state)
{
	struct world *w = *state;
	PQfinish(w->pg);
	pg_remove(&w->server);
	test_free(w);
	return 0;
}

/* Each test leaves nothing: it is one transaction that is rolled back. */
static int begin(void **state)
{
	struct world *w = *state;
	assert_string_equal(run(w, "BEGIN"), "");
	run_file(w, "tests/store/citus_rules.sql");
	return 0;
}

static int rollback(void **state)
{
	return *run(*state, "ROLLBACK") ? -1 : 0;
}

static void assert_nothing_broken(struct world *w)
{
	PGresult *res = PQexec(w->pg, "SELECT string_agg(b, '; ') FROM rules.broken() AS b");
	assert_int_equal(PQresultStatus(res), PGRES_TUPLES_OK);
	if (!PQgetisnull(res, 0, 0))
		fail_msg("%s", PQgetvalue(res, 0, 0));
	PQclear(res);
}

static void every_table_can_be_spread_as_the_document_says(void **state)
{
	struct world *w = *state;
	run_file(w, "docs/scaling/citus.sql");
	assert_nothing_broken(w);
	/* What grows with people and sales is on no single node. */
	PGresult *res =
	    PQexec(w->pg, "SELECT string_agg(rel::text, ' ' ORDER BY rel::text) FROM rules.spread WHERE how = 'distributed'");
	assert_string_equal(PQgetvalue(res, 0, 0), "idempotency ledger reservation seat show ticket user_name users");
	PQclear(res);
}

/* The rules themselves can say no. */
static void what_citus_would_refuse_is_refused(void **state)
{
	static const struct {
		const char *before, *says;
	} cases[] = {
	    {"CREATE UNIQUE INDEX entry_once ON jari.ledger (entry_id)", "entry_once does not contain user_id"},
	    {"CREATE UNIQUE INDEX live ON jari.ticket (lower(user_id::text), queue_id)", ""},
	    {"CREATE UNIQUE INDEX live ON jari.ticket (user_id) INCLUDE (queue_id)", "live does not contain queue_id"},
	    {"ALTER TABLE jari.seat DROP CONSTRAINT seat_pkey, ADD PRIMARY KEY (seat_number)",
	     "seat_pkey does not contain show_id"},
	    {"ALTER TABLE jari.user_name DROP CONSTRAINT user_name_pkey, ADD UNIQUE (user_id)", "does not contain name"},
	    {"ALTER TABLE jari.idempotency DROP CONSTRAINT idempotency_pkey; ALTER TABLE jari.idempotency ALTER user_id DROP NOT NULL",
	     "may be NULL"},
	    {"ALTER TABLE jari.seat ALTER show_id TYPE integer", "cannot lie together"},
	    {"CREATE TRIGGER t BEFORE UPDATE ON jari.concert FOR EACH ROW EXECUTE FUNCTION jari.append_only()", "has triggers"},
	};
	struct world *w = *state;
	char *sql = read_source("docs/scaling/citus.sql");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_string_equal(run(w, "SAVEPOINT here"), "");
		assert_string_equal(run(w, cases[i].before), "");
		const char *said = run(w, sql);
		if (*cases[i].says ? !strstr(said, cases[i].says) : *said)
			fail_msg("%s: \"%s\", not \"%s\"", cases[i].before, said, cases[i].says);
		assert_string_equal(run(w, "ROLLBACK TO here"), "");
	}
	test_free(sql);
}

static void tables_and_foreign_keys_that_do_not_fit_are_named(void **state)
{
	static const struct {
		const char *before, *names;
	} cases[] = {
	    {"CREATE TABLE jari.forgotten (id bigint PRIMARY KEY)", "forgotten is not named"},
	    {"ALTER TABLE jari.ticket ADD CONSTRAINT f FOREIGN KEY (queue_id) REFERENCES jari.queue", "foreign key f of ticket"},
	    {"ALTER TABLE jari.ledger ADD CONSTRAINT f FOREIGN KEY (reservation_id) REFERENCES jari.reservation",
	     "foreign key f of ledger"},
	    {"ALTER TABLE jari.concert ADD CONSTRAINT f FOREIGN KEY (concert_id) REFERENCES jari.show",
	     "foreign key f of concert"},
	    {"ALTER TABLE jari.seat ADD CONSTRAINT f FOREIGN KEY (seat_number) REFERENCES jari.show", "foreign key f of seat"},
	    {"ALTER TABLE jari.seat ADD CONSTRAINT f FOREIGN KEY (show_id) REFERENCES jari.show", NULL},
	    {"ALTER TABLE jari.show ADD CONSTRAINT f FOREIGN KEY (concert_id) REFERENCES jari.concert", NULL},
	};
	struct world *w = *state;
	char *sql = read_source("docs/scaling/citus.sql");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_string_equal(run(w, "SAVEPOINT here"), "");
		assert_string_equal(run(w, cases[i].before), "");
		assert_string_equal(run(w, sql), "");
		PGresult *res = PQexec(w->pg, "SELECT string_agg(b, '; ') FROM rules.broken() AS b");
		assert_int_equal(PQresultStatus(res), PGRES_TUPLES_OK);
		if (cases[i].names)
			assert_string_equal(PQgetvalue(res, 0, 0), cases[i].names);
		else
			assert_true(PQgetisnull(res, 0, 0));
		PQclear(res);
		assert_string_equal(run(w, "ROLLBACK TO here"), "");
	}
	test_free(sql);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(every_table_can_be_spread_as_the_document_says, begin, rollback),
	    cmocka_unit_test_setup_teardown(what_citus_would_refuse_is_refused, begin, rollback),
	    cmocka_unit_test_setup_teardown(tables_and_foreign_keys_that_do_not_fit_are_named, begin, rollback),
	};
	return cmocka_run_group_tests_name("sharding", tests, start, end);
}
