/* test_postgres.c: what is PostgreSQL's own: migrations, roles, lost connections and answers, several processes. The contract is in test_store.c. */
#include "fixture.h"
#include "pg_proxy.h"
#include "base/embedded.h"
#include "store/postgres.h"

#include <pthread.h>

struct world {
	struct pg_server *server;
	char url[256];
	struct store *a, *b; /* two processes, as far as the database can tell */
};

static struct store *open_or_fail(const char *url)
{
	char error[STORE_ERROR_SIZE];
	struct store *s;
	if (open_url(url, STORE_SERVE, &s, error) != STORE_OK)
		fail_msg("%s", error);
	return s;
}

/* A clean database without a schema. */
static int set_up_empty(void **state)
{
	struct world *w = test_calloc(1, sizeof *w);
	w->server = *state;
	snprintf(w->url, sizeof w->url, "postgresql://postgres@127.0.0.1:%d/postgres", w->server->port);
	if (!pg_sql(w->server, "DROP SCHEMA IF EXISTS jari CASCADE"))
		return -1;
	*state = w;
	return 0;
}

static int set_up(void **state)
{
	if (set_up_empty(state) != 0)
		return -1;
	struct world *w = *state;
	w->a = open_or_fail(w->url);
	w->b = open_or_fail(w->url);
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	store_close(w->a);
	store_close(w->b);
	test_free(w);
	return 0;
}

static struct pg_store *inside(struct store *s)
{
	return pg_store_of(s);
}

static int backend(struct store *s)
{
	return PQbackendPID(inside(s)->conn.pg);
}

static void make_ann(struct store *s)
{
	struct core_user ann = a_user(ANN, "ann", 0);
	assert_int_equal(commit_new(s, CORE_ROW_USER, &ann), STORE_OK);
}

/* A batch that adds to ann's balance, begun and decided but not committed. Another store may have decided a millisecond ahead of this one's clock: then it
 * begins again, as the engine does. */
static void prepare_charge(struct batch *b, struct store *s, int64_t amount)
{
	enum store_result result;
	for (int tries = 0;; tries++) {
		batch_begin(b, s);
		core_need_row(&b->rows, CORE_ROW_USER, ANN, 0, NONE);
		result = store_load(s, &b->rows);
		if (result != STORE_BUSY || tries == 3)
			break;
		batch_drop(b);
	}
	assert_int_equal(result, STORE_OK);
	struct core_row *row = core_row_find(&b->rows, CORE_ROW_USER, ANN, 0, NONE);
	assert_non_null(row);
	((struct core_user *)core_row_edit(&b->rows, row))->balance += amount;
}

static enum store_result charge(struct store *s, int64_t amount)
{
	struct batch b;
	prepare_charge(&b, s, amount);
	return batch_commit(&b);
}

static long long balance(const struct world *w)
{
	return pg_number(w->server, "SELECT balance FROM jari.users WHERE user_id = 1");
}

/* ---- the schema ---- */

static void *open_in_thread(void *arg)
{
	char error[STORE_ERROR_SIZE];
	struct store *s = NULL;
	return open_url(arg, STORE_SERVE, &s, error) == STORE_OK ? s : NULL;
}

static void two_that_start_at_once_make_one_schema(void **state)
{
	struct world *w = *state;
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, open_in_thread, w->url), 0);
	for (int i = 0; i < 4; i++) {
		void *opened;
		assert_int_equal(pthread_join(threads[i], &opened), 0);
		assert_non_null(opened);
		store_close(opened);
	}
	assert_int_equal(pg_number(w->server, "SELECT count(*) FROM jari.queue"), 1);
	assert_int_equal(pg_number(w->server, "SELECT value FROM jari.meta WHERE name = 'schema'"),
	                 (int64_t)embedded_postgres_migrations_count);
}

static void an_older_schema_is_brought_up_to_date(void **state)
{
	struct world *w = *state;
	struct batch b;
	make_world(w->a);
	store_close(w->a);
	w->a = NULL;
	assert_true(pg_sql(w->server, "ALTER TABLE jari.show DROP COLUMN closed, DROP COLUMN changed_at;"
	                              "ALTER TABLE jari.concert DROP COLUMN changed_at;"
	                              "UPDATE jari.meta SET value = 1 WHERE name = 'schema'"));
	w->a = open_or_fail(w->url);
	batch_begin(&b, w->a);
	const struct core_show *show = load_one(&b, CORE_ROW_SHOW, 1, 0, NONE)->now;
	assert_true(show->version == 3 && show->changed_at == 0 && !show->closed);
	batch_drop(&b);
}

/* What docs/operations.md tells an owner to grant. */
static void grant_to_app(const struct world *w)
{
	assert_true(pg_sql(w->server, "GRANT USAGE ON SCHEMA jari TO jari_app;"
	                              "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA jari TO jari_app;"
	                              "REVOKE UPDATE, DELETE ON jari.ledger, jari.audit_log FROM jari_app;"
	                              "GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA jari TO jari_app"));
}

static void a_role_without_rights_on_the_schema(void **state)
{
	struct world *w = *state;
	struct store *s;
	char url[256], error[STORE_ERROR_SIZE];
	snprintf(url, sizeof url, "postgresql://jari_app@127.0.0.1:%d/postgres", w->server->port);
	assert_true(pg_sql(w->server, "CREATE ROLE jari_app LOGIN"));
	assert_int_equal(open_url(url, STORE_SERVE, &s, error), STORE_BROKEN);
	assert_non_null(strstr(error, "jari migrate --store URL"));
	w->a = open_or_fail(w->url);
	/* the schema is there: a migration would do nothing */
	static const enum store_mode modes[] = {STORE_SERVE, STORE_READ};
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		assert_int_equal(open_url(url, modes[i], &s, error), STORE_BROKEN);
		assert_non_null(strstr(error, "GRANT USAGE ON SCHEMA jari TO jari_app"));
		assert_null(strstr(error, "jari migrate"));
	}
	grant_to_app(w);
	w->b = open_or_fail(url);
	make_ann(w->b);
	struct core_entry e = a_charge(ANN, 1, 5, 5);
	assert_int_equal(commit_new(w->b, CORE_ROW_ENTRY, &e), STORE_OK);
	struct core_ids ids;
	assert_int_equal(store_ids(w->b, CORE_ID_ENTRY, 10, &ids), STORE_OK);
	inside(w->b)->maintained_us = -PG_MAINTAIN_MS * 1000LL - 1000000000LL;
	store_maintain(w->b);
	assert_non_null(inside(w->b)->conn.pg);
	store_close(w->b);
	w->b = NULL;
	/* an older schema, which this role can't bring up to date */
	assert_true(pg_sql(w->server, "UPDATE jari.meta SET value = 0 WHERE name = 'schema'"));
	assert_int_equal(open_url(url, STORE_SERVE, &s, error), STORE_BROKEN);
	assert_non_null(strstr(error, "jari migrate --store URL"));
	assert_true(pg_sql(w->server, "UPDATE jari.meta SET value = 99 WHERE name = 'schema'"));
	assert_int_equal(open_url(url, STORE_SERVE, &s, error), STORE_BROKEN);
	assert_non_null(strstr(error, "newer version of jari"));
}

/* Jari makes its own schema; another one that the URL names is somebody's to make. */
static void a_schema_that_the_url_names_and_is_not_there(void **state)
{
	static const struct {
		const char *path, *name;
	} cases[] = {{"Shop", "shop"}, {"%22The%5C%20Shop%22,elsewhere", "\"The Shop\""}};
	struct world *w = *state;
	struct store *s;
	char url[256], error[STORE_ERROR_SIZE], says[64];
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		snprintf(url, sizeof url, "%s?options=-c%%20search_path%%3D%s", w->url, cases[i].path);
		snprintf(says, sizeof says, "CREATE SCHEMA %s,", cases[i].name);
		assert_int_equal(open_url(url, STORE_READ, &s, error), STORE_BROKEN);
		assert_non_null(strstr(error, says));
		assert_int_equal(open_url(url, STORE_SERVE, &s, error), STORE_BROKEN);
		assert_non_null(strstr(error, says));
		assert_true(pg_sql(w->server, "CREATE SCHEMA %s", cases[i].name));
		store_close(open_or_fail(url));
		assert_true(pg_sql(w->server, "DROP SCHEMA %s CASCADE", cases[i].name));
	}
	assert_int_equal(pg_number(w->server, "SELECT count(*) FROM pg_namespace WHERE nspname = 'jari'"), 0);
}

static void the_ledger_is_append_only(void **state)
{
	struct world *w = *state;
	make_ann(w->a);
	struct core_entry e = a_charge(ANN, 1, 5, 5);
	assert_int_equal(commit_new(w->a, CORE_ROW_ENTRY, &e), STORE_OK);
	/* the server's log has what it says */
	assert_false(pg_sql(w->server, "UPDATE jari.ledger SET amount = 6"));
	assert_false(pg_sql(w->server, "DELETE FROM jari.ledger"));
	assert_false(pg_sql(w->server, "TRUNCATE jari.ledger"));
	assert_int_equal(pg_number(w->server, "SELECT sum(amount) FROM jari.ledger"), 5);
}

static void errors_a_person_can_act_on(void **state)
{
	static const struct {
		const char *url, *says, *shown;
	} cases[] = {
	    {"postgresql://nobody:hush-hush@127.0.0.1:1/x", "can't be reached", "postgresql://nobody@127.0.0.1:1/x"},
	    {"postgresql://u:hush-hush@h:notaport:1/x?y=z", "write --store postgresql://", "postgresql:…"},
	    {"postgresql:host=127.0.0.1 port=1 password=hush-hush", "can't be reached", "postgresql://127.0.0.1:1/"},
	    /* each host's reason, in one line */
	    {"postgresql://a@127.0.0.1:1,127.0.0.1:2/x",
	     "port 1 failed: Connection refused; connection to server at \"127.0.0.1\", port 2 failed",
	     "postgresql://a@127.0.0.1,127.0.0.1:1,2/x"},
	    {"postgresql://a@localhost,127.0.0.1/x?connect_timeout=nonsense", "can't be reached",
	     "postgresql://a@localhost,127.0.0.1/x"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct store *s;
		char error[STORE_ERROR_SIZE], shown[STORE_SHOWN_SIZE];
		assert_int_equal(open_url(cases[i].url, STORE_SERVE, &s, error), STORE_BROKEN);
		if (!strstr(error, cases[i].says))
			fail_msg("%s", error);
		store_shown(cases[i].url, shown);
		assert_null(strstr(error, "hush"));
		assert_null(strchr(error, '\n'));
		assert_string_equal(shown, cases[i].shown);
	}
}

/* ---- round trips ---- */

static void a_batch_is_few_round_trips(void **state)
{
	struct world *w = *state;
	struct pg_conn *c = &inside(w->a)->conn;
	struct batch b;
	make_ann(w->a);
	for (int round = 0; round < 2; round++) {
		int64_t before = c->trips;
		batch_begin(&b, w->a);
		store_want_ids(w->a, CORE_ID_ENTRY, 500);
		core_need_list(&b.rows, CORE_LIST_USER_NAMED, 0, 0, TEXT("ann"), 1);
		core_need_row(&b.rows, CORE_ROW_CONCERT, 7, 0, NONE);
		core_need_list(&b.rows, CORE_LIST_DUE_HOLDS, 0, b.now, NONE, 10);
		batch_load(&b);
		for (int64_t i = 1; i <= 300; i++)
			core_need_row(&b.rows, CORE_ROW_TICKET, 1, i, NONE);
		core_need_row(&b.rows, CORE_ROW_QUEUE, 1, 0, NONE);
		batch_load(&b);
		struct core_ids ids;
		assert_int_equal(store_ids(w->a, CORE_ID_ENTRY, 500, &ids), STORE_OK);
		for (int64_t i = 0; i < 500; i++) {
			struct core_entry e = a_charge(ANN, ids.next + i, 1, i);
			(void)core_row_create(&b.rows, CORE_ROW_ENTRY, &e);
		}
		struct core_row *user = core_row_find(&b.rows, CORE_ROW_USER, ANN, 0, NONE);
		((struct core_user *)core_row_edit(&b.rows, user))->balance++;
		assert_int_equal(batch_commit(&b), STORE_OK);
		assert_int_equal(c->trips - before, 3);
	}
}

/* ---- failures ---- */

static void a_connection_lost_before_the_commit(void **state)
{
	struct world *w = *state;
	struct batch b;
	make_ann(w->a);
	prepare_charge(&b, w->a, 7);
	assert_true(pg_sql(w->server, "SELECT pg_terminate_backend(%d, 5000)", backend(w->a)));
	assert_int_equal(batch_commit(&b), STORE_BUSY);
	assert_int_equal(balance(w), 0);
	assert_int_equal(charge(w->a, 7), STORE_OK);
	assert_int_equal(balance(w), 7);
	/* and before the load */
	batch_begin(&b, w->a);
	assert_true(pg_sql(w->server, "SELECT pg_terminate_backend(%d, 5000)", backend(w->a)));
	core_need_row(&b.rows, CORE_ROW_USER, ANN, 0, NONE);
	assert_int_equal(store_load(w->a, &b.rows), STORE_BUSY);
	batch_drop(&b);
	assert_int_equal(charge(w->a, 1), STORE_OK);
	assert_int_equal(balance(w), 8);
}

static void what_the_database_asks_to_try_again(void **state)
{
	static const char *const states[] = {"40001", "40P01", "55P03", "57014"};
	struct world *w = *state;
	make_ann(w->a);
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		assert_true(
		    pg_sql(w->server,
		           "CREATE OR REPLACE FUNCTION jari.trouble() RETURNS trigger LANGUAGE plpgsql AS "
		           "$$ BEGIN RAISE EXCEPTION 'trouble' USING ERRCODE = '%s'; END $$;"
		           "CREATE TRIGGER trouble BEFORE UPDATE ON jari.users FOR EACH ROW EXECUTE FUNCTION jari.trouble()",
		           states[i]));
		assert_int_equal(charge(w->a, 1), STORE_BUSY);
		assert_true(pg_sql(w->server, "DROP TRIGGER trouble ON jari.users"));
		assert_int_equal(charge(w->a, 1), STORE_OK);
	}
	assert_int_equal(balance(w), 4);
}

static void wait_for_a_lock(const struct world *w)
{
	for (int i = 0; i < 300; i++) {
		if (pg_number(w->server, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") > 0)
			return;
		pg_pause(10);
	}
	fail_msg("nothing waits for a lock");
}

static void a_deadlock_is_tried_again(void **state)
{
	struct world *w = *state;
	struct batch b;
	make_ann(w->a);
	struct core_user bob = a_user(BOB, "bob", 0);
	assert_int_equal(commit_new(w->a, CORE_ROW_USER, &bob), STORE_OK);
	prepare_charge(&b, w->a, 1);
	PGconn *other = pg_admin(w->server);
	assert_non_null(other);
	PQclear(PQexec(other, "SET deadlock_timeout = '1h'; BEGIN; SELECT 1 FROM jari.users WHERE user_id = 2 FOR UPDATE"));
	assert_true(PQsendQuery(other, "SELECT 1 FROM jari.users WHERE user_id = 1 FOR UPDATE"));
	wait_for_a_lock(w);
	core_need_row(&b.rows, CORE_ROW_USER, BOB, 0, NONE);
	assert_int_equal(store_load(w->a, &b.rows), STORE_BUSY);
	batch_drop(&b);
	PQfinish(other);
	assert_int_equal(charge(w->a, 3), STORE_OK);
	assert_int_equal(balance(w), 3);
}

static void *commit_in_thread(void *arg)
{
	return (void *)(intptr_t)batch_commit(arg);
}

static void a_server_that_crashes_under_a_commit(void **state)
{
	struct world *w = *state;
	struct batch b;
	pthread_t thread;
	void *result;
	make_ann(w->a);
	prepare_charge(&b, w->a, 5);
	pg_stop(w->server, SIGQUIT);
	assert_int_equal(pthread_create(&thread, NULL, commit_in_thread, &b), 0);
	pg_pause(500);
	assert_true(pg_start(w->server));
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_int_equal((intptr_t)result, STORE_BUSY);
	assert_int_equal(balance(w), 0);
	assert_int_equal(charge(w->a, 5), STORE_OK);
	assert_int_equal(balance(w), 5);
}

static void a_server_that_may_only_be_read(void **state)
{
	struct world *w = *state;
	make_ann(w->a);
	/* what a server that has become a standby says; the connection is given up, and another server looked for */
	PGconn *c = inside(w->a)->conn.pg;
	assert_non_null(c);
	assert_true(pg_sql(w->server, "ALTER ROLE postgres SET default_transaction_read_only = on"));
	assert_true(pg_sql(w->server, "SELECT pg_terminate_backend(%d, 5000)", backend(w->a)));
	struct batch b = {.store = w->a};
	core_rows_init(&b.rows, &b.arena, 8);
	(void)store_begin(w->a, &b.now);
	core_need_row(&b.rows, CORE_ROW_USER, ANN, 0, NONE);
	assert_int_equal(store_load(w->a, &b.rows), STORE_BUSY);
	store_rollback(w->a);
	assert_int_equal(store_begin(w->a, &b.now), STORE_BUSY); /* nothing that can be written to */
	batch_drop(&b);
	assert_true(pg_sql(w->server, "ALTER ROLE postgres RESET default_transaction_read_only"));
	assert_int_equal(charge(w->a, 2), STORE_OK);
}

/* ---- answers that are lost ---- */

/* Commits a charge of 5 through a proxy that does `mode` to the commit. */
static enum store_result charge_through(struct world *w, struct pg_proxy *proxy, int mode)
{
	char url[256];
	struct batch b;
	snprintf(url, sizeof url, "postgresql://postgres@127.0.0.1:%d/postgres?sslmode=disable&gssencmode=disable", proxy->port);
	struct store *s = open_or_fail(url);
	assert_int_equal(charge(s, 0), STORE_OK); /* what the statements are is known to the server now */
	prepare_charge(&b, s, 5);
	atomic_store(&proxy->mode, mode);
	enum store_result result = batch_commit(&b);
	store_close(s);
	(void)w;
	return result;
}

static void a_commit_whose_answer_is_lost_has_happened(void **state)
{
	struct world *w = *state;
	struct pg_proxy proxy;
	make_ann(w->a);
	assert_true(pg_proxy_start(&proxy, w->server->port));
	assert_int_equal(charge_through(w, &proxy, PROXY_LOSE_ANSWER), STORE_OK);
	assert_int_equal(atomic_load(&proxy.lost), 1);
	assert_int_equal(balance(w), 5);
	pg_proxy_end(&proxy);
}

static void a_commit_that_is_lost_has_not_happened(void **state)
{
	struct world *w = *state;
	struct pg_proxy proxy;
	make_ann(w->a);
	assert_true(pg_proxy_start(&proxy, w->server->port));
	assert_int_equal(charge_through(w, &proxy, PROXY_LOSE_REQUEST), STORE_BUSY);
	assert_int_equal(atomic_load(&proxy.lost), 1);
	assert_int_equal(balance(w), 0);
	pg_proxy_end(&proxy);
}

/* The commit lies in a buffer on its way when its fate is asked after. Told that it has not happened, it must not happen later. */
static void a_commit_that_comes_late_is_fenced_off(void **state)
{
	struct world *w = *state;
	struct pg_proxy proxy;
	make_ann(w->a);
	assert_true(pg_proxy_start(&proxy, w->server->port));
	assert_int_equal(charge_through(w, &proxy, PROXY_DELAY), STORE_BUSY);
	assert_int_equal(balance(w), 0);
	(void)atomic_fetch_add(&proxy.lost, 1); /* now it comes */
	for (int i = 0; i < 300 && atomic_load(&proxy.lost) < 3; i++)
		pg_pause(10);
	assert_int_equal(atomic_load(&proxy.lost), 3);
	assert_int_equal(balance(w), 0);
	assert_int_equal(charge(w->a, 5), STORE_OK);
	assert_int_equal(balance(w), 5);
	pg_proxy_end(&proxy);
}

/* The answer to the question may be lost as well, so it is asked again, and must be the same. */
static void asking_twice_gives_the_same_answer(void **state)
{
	static const uint8_t never[16] = {1, 2, 3};
	struct world *w = *state;
	uint8_t happened[16] = {0};
	make_ann(w->a);
	PGconn *c = pg_admin(w->server);
	PGresult *res = PQexecParams(c, "SELECT batch_id FROM jari.batch WHERE decided_at > 0", 0, NULL, NULL, NULL, NULL, 1);
	assert_int_equal(PQgetlength(res, 0, 0), 16);
	memcpy(happened, PQgetvalue(res, 0, 0), 16);
	PQclear(res);
	PQfinish(c);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pg_resolve(inside(w->a), never), STORE_BUSY);
		assert_int_equal(pg_resolve(inside(w->b), happened), STORE_OK);
	}
}

/* A commit that is still on its way, in a transaction that goes on, is waited for. */
static void a_commit_still_going_on_is_waited_for(void **state)
{
	struct world *w = *state;
	static const uint8_t id[16] = {0xaa};
	make_ann(w->a);
	PGconn *other = pg_admin(w->server);
	PQclear(PQexec(
	    other,
	    "BEGIN; INSERT INTO jari.batch (batch_id, process, decided_at, users, queues, concerts, shows, whole_shows,"
	    " reservations, seat_shows, seat_numbers, ticket_queues, ticket_numbers) VALUES"
	    " ('aa000000-0000-0000-0000-000000000000', 99, 5, '{2}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')"));
	assert_true(PQsendQuery(other, "SELECT pg_sleep(0.5); COMMIT"));
	assert_int_equal(pg_resolve(inside(w->a), id), STORE_OK);
	PQfinish(other);
}

/* ---- several processes ---- */

struct told {
	char text[512];
	size_t n;
};

static bool tell(void *arg, enum core_kind kind, const void *row)
{
	static const char letters[] = " uqtcser";
	struct told *told = arg;
	struct core_id id = core_id_of(kind, row);
	size_t left = told->n < sizeof told->text ? sizeof told->text - told->n : 0;
	told->n +=
	    (size_t)snprintf(left ? told->text + told->n : NULL, left, "%c%lld ", letters[kind], (long long)(id.b ? id.b : id.a));
	return true;
}

static bool ignore(void *arg, enum core_kind kind, const void *row)
{
	(void)arg;
	(void)kind;
	(void)row;
	return true;
}

static void check_follow(struct store *s, const char *expected)
{
	struct told told = {0};
	assert_int_equal(store_follow(s, tell, &told), STORE_OK);
	assert_string_equal(told.text, expected);
}

static void start_following(struct world *w)
{
	assert_int_equal(store_scan(w->a, 0, ignore, NULL), STORE_OK);
	assert_int_equal(store_scan(w->b, 0, ignore, NULL), STORE_OK);
}

static void the_feed_has_what_others_changed(void **state)
{
	struct world *w = *state;
	struct told told = {0};
	assert_int_equal(store_follow(w->a, tell, &told), STORE_CONFLICT); /* nothing was read yet */
	start_following(w);
	check_follow(w->b, "");
	make_world(w->a);
	check_follow(w->b, "u1 u2 u3 u4 q1 c1 s1 e1 e2 e3 e4 r1 r2 r3 t1 t2 t3 t4 ");
	check_follow(w->b, "");
	check_follow(w->a, "");
	assert_int_equal(charge(w->b, 1), STORE_OK);
	check_follow(w->a, "u1 ");
	check_follow(w->b, "");
	struct batch b;
	batch_begin(&b, w->b);
	struct core_row *seat = load_one(&b, CORE_ROW_SEAT, 1, 4, NONE);
	((struct core_seat *)core_row_edit(&b.rows, seat))->price = 5;
	assert_int_equal(batch_commit(&b), STORE_OK);
	check_follow(w->a, "e4 ");
	/* a ticket's user comes with it, though nothing of the user has changed */
	struct core_ticket t = a_ticket(5, 1);
	t.queue_id = 77;
	assert_int_equal(commit_new(w->b, CORE_ROW_TICKET, &t), STORE_OK);
	check_follow(w->a, "u1 t5 ");
}

/* ---- who was heard from ---- */

struct heard {
	struct store_heard last;
	int n;
};

static void note_heard(void *arg, const struct store_heard *heard)
{
	struct heard *h = arg;
	h->last = *heard;
	h->n++;
}

static void who_was_heard_from_is_told_to_the_others(void **state)
{
	struct world *w = *state;
	struct store_heard own[2] = {{.queue_id = 1, .first = 1}, {.queue_id = 2, .first = 1025}};
	struct heard at_a = {0}, at_b = {0};
	own[1].bits[0] = 2;
	own[1].bits[127] = 128;
	assert_int_equal(store_hear(w->b, NULL, 0, note_heard, &at_b), STORE_OK);
	assert_int_equal(at_b.n, 0);
	assert_int_equal(store_hear(w->a, own, 2, note_heard, &at_a), STORE_OK);
	assert_int_equal(at_a.n, 0); /* the own is not told back */
	assert_int_equal(store_hear(w->b, NULL, 0, note_heard, &at_b), STORE_OK);
	assert_int_equal(at_b.n, 2);
	assert_int_equal(at_b.last.queue_id, 2);
	assert_int_equal(at_b.last.first, 1025);
	assert_memory_equal(at_b.last.bits, own[1].bits, sizeof own[1].bits);
}

/* A transaction that began first and commits last is not missed, nor is one that commits while the scan reads. */
static void the_feed_goes_by_what_is_visible(void **state)
{
	static const char *const slow =
	    "BEGIN; UPDATE jari.users SET balance = 70 WHERE user_id = 2; INSERT INTO jari.batch (batch_id, process, decided_at, users, queues,"
	    " concerts, shows, whole_shows, reservations, seat_shows, seat_numbers, ticket_queues, ticket_numbers) VALUES (gen_random_uuid(), 99, 0,"
	    " '{2}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')";
	struct world *w = *state;
	make_world(w->a);
	PGconn *other = pg_admin(w->server);
	assert_non_null(other);
	PQclear(PQexec(other, slow));
	start_following(w);
	check_follow(w->b, "");
	assert_int_equal(charge(w->a, 1), STORE_OK);
	check_follow(w->b, "u1 ");
	PQclear(PQexec(other, "COMMIT"));
	check_follow(w->b, "u2 ");
	check_follow(w->b, "");
	check_follow(w->a, "u2 ");
	PQfinish(other);
}

static void who_was_away_too_long_is_told(void **state)
{
	struct world *w = *state;
	struct told told = {0};
	make_ann(w->a);
	start_following(w);
	assert_int_equal(charge(w->a, 1), STORE_OK);
	assert_true(pg_sql(w->server, "UPDATE jari.batch SET committed_at = committed_at - interval '1 hour'"));
	assert_int_equal(pg_number(w->server, "SELECT count(*) FROM jari.batch WHERE decided_at > 0"), 2);
	inside(w->a)->maintained_us = -PG_MAINTAIN_MS * 1000LL - 1000000000LL;
	store_maintain(w->a);
	assert_int_equal(pg_number(w->server, "SELECT count(*) FROM jari.batch"), 0);
	assert_int_equal(store_follow(w->b, tell, &told), STORE_CONFLICT);
	assert_int_equal(store_follow(w->b, tell, &told), STORE_CONFLICT);
	start_following(w);
	check_follow(w->b, "");
	assert_int_equal(charge(w->a, 1), STORE_OK);
	check_follow(w->b, "u1 ");
	/* the clock's mark outlives the rows that it is read from */
	struct store *again = open_or_fail(w->url);
	assert_true(store_clock(again) >= store_clock(w->a));
	store_close(again);
}

/* More commits than one step takes: the next comes soon, or a long sale would leave more behind than goes. */
static void old_batches_go_as_fast_as_they_come(void **state)
{
	struct world *w = *state;
	make_ann(w->a);
	assert_true(pg_sql(
	    w->server,
	    "INSERT INTO jari.batch (batch_id, process, decided_at, committed_at, users, queues, concerts, shows, whole_shows,"
	    " reservations, seat_shows, seat_numbers, ticket_queues, ticket_numbers) SELECT gen_random_uuid(), 9, 0,"
	    " clock_timestamp() - interval '1 hour', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'"
	    " FROM generate_series(1, 5200)"));
	inside(w->a)->maintained_us = -PG_MAINTAIN_MS * 1000LL - 1000000000LL;
	store_maintain(w->a);
	int64_t left = pg_number(w->server, "SELECT count(*) FROM jari.batch WHERE process = 9");
	assert_in_range(left, 200, 210); /* a few of the step's are young */
	store_maintain(w->a);            /* not at once */
	assert_int_equal(pg_number(w->server, "SELECT count(*) FROM jari.batch WHERE process = 9"), left);
	(void)nanosleep(&(struct timespec){.tv_nsec = (PG_BATCH_STEP_MS + 50) * 1000000L}, NULL);
	store_maintain(w->a);
	assert_int_equal(pg_number(w->server, "SELECT count(*) FROM jari.batch WHERE process = 9"), 0);
}

/* A dump has the numbers of its own server's transactions. In a younger one they are of times to come. */
static void a_dump_restored_elsewhere_is_followed(void **state)
{
	struct world *w = *state;
	make_ann(w->a);
	assert_int_equal(charge(w->a, 1), STORE_OK);
	assert_true(pg_sql(w->server, "UPDATE jari.batch SET xid = '900000000'"));
	assert_true(pg_sql(w->server, "UPDATE jari.meta SET value = 800000000 WHERE name = 'feed_floor'"));
	int64_t batches = pg_number(w->server, "SELECT count(*) FROM jari.batch");
	struct store *restored = open_or_fail(w->url);
	assert_int_equal(pg_number(w->server, "SELECT value FROM jari.meta WHERE name = 'feed_floor'"), 0);
	/* what is known of commits stays, until it goes in its time */
	assert_int_equal(pg_number(w->server, "SELECT count(*) FROM jari.batch WHERE xid < '800000000'"), batches);
	start_following(w);
	check_follow(w->b, "");
	assert_int_equal(charge(w->a, 1), STORE_OK);
	check_follow(w->b, "u1 ");
	check_follow(w->b, "");
	store_close(restored);
}

static void another_server_s_history_is_noticed(void **state)
{
	struct world *w = *state;
	struct told told = {0};
	make_ann(w->a);
	start_following(w);
	check_follow(w->b, "");
	/* the same server again: its history goes on */
	assert_true(pg_sql(w->server, "SELECT pg_terminate_backend(%d, 5000)", backend(w->b)));
	assert_int_equal(store_follow(w->b, tell, &told), STORE_BUSY);
	assert_int_equal(charge(w->a, 1), STORE_OK);
	check_follow(w->b, "u1 ");
	/* one of another timeline, as far as the store can tell */
	struct pg_store *s = inside(w->b);
	char *slash = strchr(s->server, '/');
	assert_true(slash && strlen(slash) == 9);
	slash[8] = slash[8] == '1' ? '2' : '1';
	pg_drop(&s->conn);
	assert_int_equal(store_follow(w->b, tell, &told), STORE_CONFLICT);
}

struct watcher {
	struct store *s;
	_Atomic int result;
};

static void *watch_in_thread(void *arg)
{
	struct watcher *watcher = arg;
	atomic_store(&watcher->result, (int)store_watch(watcher->s, 5000));
	return NULL;
}

static void a_commit_wakes_those_who_watch(void **state)
{
	struct world *w = *state;
	struct watcher watcher = {.s = w->b};
	pthread_t thread;
	make_ann(w->a);
	assert_int_equal(store_watch(w->b, 10), STORE_NONE); /* listens from now on */
	inside(w->a)->notified_us = inside(w->b)->notified_us = 0;
	assert_int_equal(charge(w->b, 1), STORE_OK);
	assert_int_equal(store_watch(w->b, 100), STORE_NONE); /* its own commit */
	assert_int_equal(pthread_create(&thread, NULL, watch_in_thread, &watcher), 0);
	int64_t began = clock_elapsed_us();
	assert_int_equal(charge(w->a, 1), STORE_OK);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(atomic_load(&watcher.result), STORE_OK);
	assert_true(clock_elapsed_us() - began < 2000000);
}

/* A commit that comes too soon after another to be told of is told of a little later, when no other one does it. */
static void the_last_commit_of_many_is_told_of(void **state)
{
	struct world *w = *state;
	make_ann(w->a);
	assert_int_equal(store_watch(w->b, 10), STORE_NONE);
	inside(w->a)->notified_us = 0;
	assert_int_equal(charge(w->a, 1), STORE_OK);
	assert_int_equal(store_watch(w->b, 5000), STORE_OK);
	inside(w->a)->notified_us = clock_elapsed_us() + 1000000; /* however slow the machine is */
	assert_int_equal(charge(w->a, 1), STORE_OK);
	store_maintain(w->a);
	assert_int_equal(store_watch(w->b, 50), STORE_NONE);
	inside(w->a)->notified_us = clock_elapsed_us() - PG_NOTIFY_MS * 1000;
	store_maintain(w->a);
	assert_int_equal(store_watch(w->b, 5000), STORE_OK);
	inside(w->a)->notified_us = 0;
	store_maintain(w->a); /* once */
	assert_int_equal(store_watch(w->b, 50), STORE_NONE);
}

/* Process b's clock is five seconds behind. What a has decided at an instant, b does not decide upon at an earlier one. */
static void no_decision_before_what_it_depends_on(void **state)
{
	struct world *w = *state;
	struct batch b;
	make_ann(w->a);
	int64_t behind = 5000000;
	inside(w->b)->offset_us -= behind;
	inside(w->b)->high = 0;
	assert_int_equal(charge(w->a, 1), STORE_OK);
	int64_t decided = store_clock(w->a);
	batch_begin(&b, w->b);
	assert_true(b.now < decided);
	core_need_row(&b.rows, CORE_ROW_USER, ANN, 0, NONE);
	assert_int_equal(store_load(w->b, &b.rows), STORE_BUSY);
	batch_drop(&b);
	int64_t last = 0;
	for (int i = 0; i < 3; i++) {
		prepare_charge(&b, w->b, 1);
		assert_true(b.now >= decided && b.now >= last);
		last = b.now;
		assert_int_equal(batch_commit(&b), STORE_OK);
	}
	assert_int_equal(balance(w), 4);
	/* the first answer has put its offset right */
	assert_true(inside(w->b)->offset_us > inside(w->a)->offset_us - 1000000);
}

static int64_t instant_of(struct store *s)
{
	int64_t now = 0;
	assert_int_equal(store_begin(s, &now), STORE_OK);
	store_rollback(s);
	return now;
}

/* The database's clock was set back by an hour while no server ran, or this is a copy of a store whose clock was ahead: time goes on from there. */
static void time_goes_on_ahead_of_the_database_s(void **state)
{
	enum { NAP_MS = 300 };
	struct world *w = *state;
	make_ann(w->a);
	assert_true(pg_sql(
	    w->server, "UPDATE jari.meta SET value = extract(epoch FROM now())::bigint * 1000 + 3600000 WHERE name = 'clock'"));
	struct store *later = open_or_fail(w->url);
	int64_t began = instant_of(later);
	assert_true(began >= store_clock(w->a) + 3500000);
	for (int i = 0; i < 3; i++) {
		(void)nanosleep(&(struct timespec){.tv_nsec = NAP_MS * 1000000L}, NULL);
		assert_int_equal(charge(later, 1), STORE_OK);
	}
	assert_true(instant_of(later) - began >= 3 * NAP_MS * 9 / 10);
	/* and where that is met in a row only */
	assert_int_equal(charge(w->a, 1), STORE_OK);
	began = instant_of(w->a);
	(void)nanosleep(&(struct timespec){.tv_nsec = NAP_MS * 1000000L}, NULL);
	assert_int_equal(charge(w->a, 1), STORE_OK);
	assert_true(instant_of(w->a) - began >= NAP_MS * 9 / 10);
	store_close(later);
}

/* Another process's commit comes between this one's begin and its lock. */
static void rows_are_decided_upon_as_they_are_behind_the_lock(void **state)
{
	struct world *w = *state;
	struct batch b;
	make_ann(w->a);
	for (int i = 0; i < 5; i++) {
		batch_begin(&b, w->b);
		assert_int_equal(charge(w->a, 10), STORE_OK);
		core_need_row(&b.rows, CORE_ROW_USER, ANN, 0, NONE);
		enum store_result result = store_load(w->b, &b.rows);
		if (result == STORE_BUSY) { /* decided a millisecond later than this batch began */
			batch_drop(&b);
			assert_int_equal(charge(w->b, 1), STORE_OK);
			continue;
		}
		assert_int_equal(result, STORE_OK);
		struct core_row *row = core_row_find(&b.rows, CORE_ROW_USER, ANN, 0, NONE);
		((struct core_user *)core_row_edit(&b.rows, row))->balance += 1;
		assert_int_equal(batch_commit(&b), STORE_OK);
	}
	assert_int_equal(balance(w), 55);
}

static void *load_in_thread(void *arg)
{
	struct batch *b = arg;
	return (void *)(intptr_t)store_load(b->store, &b->rows);
}

/* What another process is changing is waited for, and then seen: it has locked the row, or the queue or the show that the row belongs to. */
#define OF_QUEUE "SELECT 1 FROM jari.queue WHERE queue_id = 1 FOR UPDATE;"
#define OF_SHOW "SELECT 1 FROM jari.show WHERE show_id = 1 FOR UPDATE;"
static void what_others_change_is_waited_for(void **state)
{
	static const struct {
		const char *change;
		struct core_id id, row; /* what is asked for; the row to look at */
		size_t offset;
		int64_t seen;
	} cases[] = {
#define ROW(kind, a, b, type, member, seen) {kind, a, b, {NULL, 0}}, {kind, a, b, {NULL, 0}}, offsetof(struct type, member), seen
	    {"UPDATE jari.users SET balance = 77000 WHERE user_id = 1", ROW(CORE_ROW_USER, ANN, 0, core_user, balance, 77000)},
	    {"UPDATE jari.queue SET waiting = 2 WHERE queue_id = 1", ROW(CORE_ROW_QUEUE, 1, 0, core_queue, waiting, 2)},
	    {OF_QUEUE "UPDATE jari.ticket SET returned_at = 5 WHERE number = 3",
	     ROW(CORE_ROW_TICKET, 1, 3, core_ticket, returned_at, 5)},
	    {"UPDATE jari.show SET version = 9", ROW(CORE_ROW_SHOW, 1, 0, core_show, version, 9)},
	    {OF_SHOW "UPDATE jari.seat SET price = 9 WHERE seat_number = 2", ROW(CORE_ROW_SEAT, 1, 2, core_seat, price, 9)},
	    {OF_SHOW "UPDATE jari.seat SET price = 8 WHERE seat_number = 2",
	     {CORE_LIST_SHOW_SEATS, 1, 0, {NULL, 0}},
	     {CORE_ROW_SEAT, 1, 2, {NULL, 0}},
	     offsetof(struct core_seat, price),
	     8},
	    {OF_QUEUE "UPDATE jari.reservation SET held_until = 9 WHERE reservation_id = 2",
	     ROW(CORE_ROW_RESERVATION, 2, 0, core_reservation, held_until, 9)},
	    {OF_QUEUE "UPDATE jari.ticket SET returned_at = 6 WHERE number = 3",
	     {CORE_LIST_LINE, 1, 0, {NULL, 0}},
	     {CORE_ROW_TICKET, 1, 3, {NULL, 0}},
	     offsetof(struct core_ticket, returned_at),
	     6},
	    {"UPDATE jari.users SET balance = 1 WHERE user_id = 2",
	     {CORE_LIST_USER_NAMED, 0, 0, {"bob", 3}},
	     {CORE_ROW_USER, BOB, 0, {NULL, 0}},
	     offsetof(struct core_user, balance),
	     1},
#undef ROW
	};
	struct world *w = *state;
	make_world(w->a);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct batch b;
		pthread_t thread;
		void *result;
		const struct core_id *id = &cases[i].id, *row = &cases[i].row;
		PGconn *other = pg_admin(w->server);
		PQclear(PQexec(other, "BEGIN"));
		PQclear(PQexec(other, cases[i].change));
		batch_begin(&b, w->a);
		if (row->kind == CORE_ROW_SEAT)
			core_need_row(&b.rows, CORE_ROW_SHOW, row->a, 0, NONE);
		if (id->kind < CORE_LIST_USER_NAMED)
			core_need_row(&b.rows, id->kind, id->a, id->b, id->s);
		else
			core_need_list(&b.rows, id->kind, id->a, id->b, id->s, 4);
		assert_int_equal(pthread_create(&thread, NULL, load_in_thread, &b), 0);
		wait_for_a_lock(w);
		PQclear(PQexec(other, "COMMIT"));
		PQfinish(other);
		assert_int_equal(pthread_join(thread, &result), 0);
		assert_int_equal((intptr_t)result, STORE_OK);
		const struct core_row *found = core_row_find(&b.rows, row->kind, row->a, row->b, row->s);
		assert_non_null(found);
		assert_int_equal(*(const int64_t *)((const char *)found->now + cases[i].offset), cases[i].seen);
		batch_drop(&b);
	}
}

/* One batch knows its ticket first and its queue later, the other the other way round: both lock the queue first, so none is in the other's way. */
static void queues_are_locked_before_what_is_theirs(void **state)
{
	struct world *w = *state;
	struct batch a, b;
	pthread_t thread;
	void *result;
	make_world(w->a);
	batch_begin(&b, w->b);
	batch_begin(&a, w->a);
	core_need_row(&a.rows, CORE_ROW_TICKET, 1, 3, NONE);
	core_need_row(&a.rows, CORE_ROW_RESERVATION, 2, 0, NONE);
	batch_load(&a);
	core_need_row(&b.rows, CORE_ROW_QUEUE, 1, 0, NONE);
	core_need_list(&b.rows, CORE_LIST_LINE, 1, 0, NONE, 5);
	assert_int_equal(pthread_create(&thread, NULL, load_in_thread, &b), 0);
	wait_for_a_lock(w);
	core_need_row(&a.rows, CORE_ROW_QUEUE, 1, 0, NONE);
	core_need_row(&a.rows, CORE_ROW_SEAT, 1, 2, NONE);
	batch_load(&a);
	batch_drop(&a);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_int_equal((intptr_t)result, STORE_OK);
	batch_drop(&b);
}

/* The ids of a wallet's entries grow, whichever process makes them. */
static void a_wallet_s_history_keeps_its_order(void **state)
{
	struct world *w = *state;
	int64_t last = 0, made = 0;
	make_ann(w->a);
	for (int i = 0; i < 12; i++) {
		struct store *s = i % 3 == 1 ? w->b : w->a;
		struct batch b;
		struct core_ids ids;
		batch_begin(&b, s);
		store_want_ids(s, CORE_ID_ENTRY, 4);
		if (!load_one(&b, CORE_ROW_USER, ANN, 0, NONE))
			fail();
		int64_t trips = inside(s)->conn.trips;
		assert_int_equal(store_ids(s, CORE_ID_ENTRY, 3, &ids), STORE_OK);
		assert_int_equal(inside(s)->conn.trips, trips);
		for (; ids.next < ids.end; ids.next++) {
			struct core_entry e = a_charge(ANN, ids.next, 1, ++made);
			assert_true(ids.next > last);
			last = ids.next;
			(void)core_row_create(&b.rows, CORE_ROW_ENTRY, &e);
		}
		assert_int_equal(batch_commit(&b), STORE_OK);
	}
}

static void a_catalogue_of_many_seats_is_followed(void **state)
{
	struct world *w = *state;
	start_following(w);
	struct batch b;
	batch_begin(&b, w->a);
	for (int64_t i = 1; i <= 5000; i++) {
		struct core_seat seat = a_seat(i, 100);
		seat.show_id = 1 + i / 2501;
		(void)core_row_create(&b.rows, CORE_ROW_SEAT, &seat);
	}
	assert_int_equal(batch_commit(&b), STORE_OK);
	assert_int_equal(pg_number(w->server, "SELECT sum(cardinality(whole_shows) + cardinality(seat_shows)) FROM jari.batch"),
	                 2);
	struct told told = {0};
	assert_int_equal(store_follow(w->b, tell, &told), STORE_OK);
	assert_true(strncmp(told.text, "e1 e2 e3 ", 9) == 0 && told.n >= 5000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define EMPTY_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_empty, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    EMPTY_TEST(two_that_start_at_once_make_one_schema),
	    EMPTY_TEST(a_role_without_rights_on_the_schema),
	    EMPTY_TEST(a_schema_that_the_url_names_and_is_not_there),
	    TEST(an_older_schema_is_brought_up_to_date),
	    TEST(the_ledger_is_append_only),
	    EMPTY_TEST(errors_a_person_can_act_on),
	    TEST(a_batch_is_few_round_trips),
	    TEST(a_connection_lost_before_the_commit),
	    TEST(what_the_database_asks_to_try_again),
	    TEST(a_deadlock_is_tried_again),
	    TEST(a_server_that_crashes_under_a_commit),
	    TEST(a_server_that_may_only_be_read),
	    TEST(a_commit_whose_answer_is_lost_has_happened),
	    TEST(a_commit_that_is_lost_has_not_happened),
	    TEST(a_commit_that_comes_late_is_fenced_off),
	    TEST(asking_twice_gives_the_same_answer),
	    TEST(a_commit_still_going_on_is_waited_for),
	    TEST(the_feed_has_what_others_changed),
	    TEST(the_feed_goes_by_what_is_visible),
	    TEST(who_was_away_too_long_is_told),
	    TEST(old_batches_go_as_fast_as_they_come),
	    TEST(a_dump_restored_elsewhere_is_followed),
	    TEST(another_server_s_history_is_noticed),
	    TEST(a_commit_wakes_those_who_watch),
	    TEST(the_last_commit_of_many_is_told_of),
	    TEST(no_decision_before_what_it_depends_on),
	    TEST(time_goes_on_ahead_of_the_database_s),
	    TEST(rows_are_decided_upon_as_they_are_behind_the_lock),
	    TEST(what_others_change_is_waited_for),
	    TEST(queues_are_locked_before_what_is_theirs),
	    TEST(a_wallet_s_history_keeps_its_order),
	    TEST(who_was_heard_from_is_told_to_the_others),
	    TEST(a_catalogue_of_many_seats_is_followed),
	};
	return cmocka_run_group_tests_name("postgres", tests, start_postgres, end_postgres);
}
