/* test_postgres_cuts.c: the network is cut at every piece that a store sends: each piece once on its way there, and once on the way back.
 *
 * A story does everything that a store can; whatever a cut makes of it, what was told has happened and nothing else has, no call hangs, and the same
 * store goes on afterwards. */
#include "calls.h"
#include "pg_proxy.h"
#include "store/postgres.h"

#define CUTS_MAX 400 /* a story has fewer pieces */
#define AGAIN 200    /* tries, each after 10 ms */

struct told {
	int64_t sum;  /* of the charges that were told as committed */
	int ok, busy; /* calls that came to that */
};

static const struct pg_server *server;
static struct pg_proxy proxy;

static void url_of(char out[256], int port, const char *schema)
{
	snprintf(out, 256,
	         "postgresql://postgres@127.0.0.1:%d/postgres?sslmode=disable&gssencmode=disable&options=-c%%20search_path%%3D%s",
	         port, schema);
}

/* A lost connection is never told as an absent row, a conflict or damage. */
static void went(void *arg, const char *what, enum store_result result)
{
	struct told *told = arg;
	if (result != STORE_OK && result != STORE_NONE && result != STORE_BUSY)
		fail_msg("%s: a cut was told as %s", what, store_result_name(result));
	told->ok += result != STORE_BUSY;
	told->busy += result == STORE_BUSY;
}

/* False when the store could not be opened. */
static bool serve(struct told *told)
{
	char url[256], error[STORE_ERROR_SIZE] = "";
	struct store *s = NULL;
	url_of(url, proxy.port, "jari");
	if (open_url(url, STORE_SERVE, &s, error) != STORE_OK) {
		assert_true(error[0] != '\0'); /* in words */
		told->busy++;
		return false;
	}
	told->sum = every_call(s, 5, went, told);
	/* whatever was cut, the same store goes on */
	int64_t until = told->sum + 7;
	for (int i = 0; i < AGAIN && told->sum < until; i++) {
		if (try_charge(s, 7) == STORE_OK)
			told->sum += 7;
		else
			pg_pause(10);
	}
	assert_int_equal(told->sum, until);
	store_close(s);
	return true;
}

/* ---- cuts ---- */

static int64_t balance(void)
{
	return pg_number(server, "SELECT balance FROM jari.users WHERE user_id = 1");
}

/* Cuts at one piece after another until the story has no more of them. */
static void cut_everywhere(bool (*story)(struct told *), void (*check)(const struct told *), int mode)
{
	int cuts = 0, opened = 0;
	for (bool was_cut = true; was_cut; cuts++) {
		struct told told = {0};
		int lost = atomic_load(&proxy.lost);
		assert_true(cuts < CUTS_MAX);
		atomic_store(&proxy.later, cuts);
		atomic_store(&proxy.mode, mode);
		opened += story(&told);
		was_cut = atomic_load(&proxy.lost) > lost;
		atomic_store(&proxy.mode, PROXY_PASS);
		if (!was_cut)
			assert_int_equal(told.busy, 0);
		check(&told);
	}
	assert_true(opened > 5); /* many cuts come after the store is open */
}

static int64_t before;

/* What was told, and no more, has happened. */
static void check_balance(const struct told *told)
{
	assert_int_equal(balance(), before + told->sum);
	before += told->sum;
}

static void make_house(void)
{
	char url[256], error[STORE_ERROR_SIZE];
	struct store *s;
	url_of(url, server->port, "jari");
	if (open_url(url, STORE_SERVE, &s, error) != STORE_OK)
		fail_msg("%s", error);
	make_world(s);
	store_close(s);
}

static void what_is_sent_is_lost(void **state)
{
	(void)state;
	cut_everywhere(serve, check_balance, PROXY_LOSE_REQUEST);
}

static void what_is_answered_is_lost(void **state)
{
	(void)state;
	cut_everywhere(serve, check_balance, PROXY_LOSE_ANSWER);
}

/* The connection stays, and nothing comes any more: as many pieces as a batch with all its calls has, each in turn. */
static void the_server_falls_silent(void **state)
{
	(void)state;
	char url[256], error[STORE_ERROR_SIZE];
	struct store *s;
	struct told told = {0};
	url_of(url, proxy.port, "jari");
	assert_int_equal(open_url(url, STORE_SERVE, &s, error), STORE_OK);
	pg_store_of(s)->conn.answer_ms = 200;
	int silences = 0;
	for (bool was_silent = true; was_silent; silences++) {
		int lost = atomic_load(&proxy.lost), busy = told.busy;
		assert_true(silences < CUTS_MAX);
		atomic_store(&proxy.later, silences);
		atomic_store(&proxy.mode, PROXY_SILENCE);
		went(&told, "load", try_load(s));
		enum store_result result = try_charge(s, 5);
		went(&told, "charge", result);
		told.sum += result == STORE_OK ? 5 : 0;
		went(&told, "confirm", store_confirm(s));
		was_silent = atomic_load(&proxy.lost) > lost;
		if (was_silent && told.busy > busy)
			assert_int_equal(store_trouble(s), STORE_SILENT);
		atomic_store(&proxy.mode, PROXY_PASS);
		assert_true(was_silent || told.busy == busy);
	}
	store_close(s);
	assert_true(silences > 3 && told.busy > 2);
	check_balance(&told);
}

/* ---- moving house ---- */

static enum store_result open_alone(const char *schema, int port, enum store_mode mode, struct store **out)
{
	char url[256], error[STORE_ERROR_SIZE] = "";
	enum store_result result = STORE_BUSY;
	url_of(url, port, schema);
	result = open_url(url, mode, out, error);
	if (result != STORE_OK)
		assert_true(error[0] != '\0');
	return result;
}

/* From the house, whose network is cut, into one in memory. */
static bool move_out(struct told *told)
{
	char error[STORE_ERROR_SIZE];
	struct store *from, *to;
	enum store_result out = STORE_BUSY, in = STORE_BUSY;
	int64_t rows = 0;
	if (open_alone("jari", proxy.port, STORE_EXPORT, &from) != STORE_OK) {
		told->busy++;
		return false;
	}
	assert_int_equal(open_url("memory:", STORE_IMPORT, &to, error), STORE_OK);
	if (store_count(from, &rows) != STORE_OK)
		told->busy++;
	export_to_import(from, to, &out, &in);
	told->busy += out != STORE_OK;
	assert_int_equal(in, STORE_OK);
	told->ok = told->busy == 0;
	store_close(from);
	store_close(to);
	return true;
}

/* What came through whole is all of it; what did not is told. */
static void check_moved_out(const struct told *told)
{
	assert_true(told->ok || told->busy > 0);
}

/* From memory into an empty schema, whose network is cut. */
static bool move_in(struct told *told)
{
	char error[STORE_ERROR_SIZE];
	struct store *from, *to;
	enum store_result out = STORE_BUSY, in = STORE_BUSY;
	assert_true(pg_sql(server, "DROP SCHEMA IF EXISTS jari_two CASCADE; CREATE SCHEMA jari_two"));
	if (open_alone("jari_two", proxy.port, STORE_IMPORT, &to) != STORE_OK) {
		told->busy++;
		return false;
	}
	assert_int_equal(open_url("memory:", STORE_SERVE, &from, error), STORE_OK);
	make_world(from);
	export_to_import(from, to, &out, &in);
	told->busy += in != STORE_OK;
	told->ok = in == STORE_OK;
	store_close(from);
	store_close(to);
	return true;
}

/* All of it or nothing; and told as done only when it is. */
static void check_moved_in(const struct told *told)
{
	long long users = pg_number(server, "SELECT count(*) FROM jari_two.users");
	if (told->ok)
		assert_int_equal(users, 4);
	else
		assert_true(users <= 0 ||
		            users == 4); /* -1: not even the tables are there; 4: the answer to the commit was lost */
}

static void a_move_out_is_cut(void **state)
{
	(void)state;
	cut_everywhere(move_out, check_moved_out, PROXY_LOSE_REQUEST);
}

static void a_move_in_is_cut(void **state)
{
	(void)state;
	cut_everywhere(move_in, check_moved_in, PROXY_LOSE_REQUEST);
}

static int reset(void **state)
{
	(void)state;
	atomic_store(&proxy.mode, PROXY_PASS);
	before = balance();
	return 0;
}

static int set_up(void **state)
{
	if (start_postgres(state) != 0)
		return -1;
	server = *state;
	if (!pg_proxy_start(&proxy, server->port))
		return -1;
	make_house();
	return 0;
}

static int tear_down(void **state)
{
	pg_proxy_end(&proxy);
	return end_postgres(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(what_is_sent_is_lost, reset),    cmocka_unit_test_setup(what_is_answered_is_lost, reset),
	    cmocka_unit_test_setup(the_server_falls_silent, reset), cmocka_unit_test_setup(a_move_out_is_cut, reset),
	    cmocka_unit_test_setup(a_move_in_is_cut, reset),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
