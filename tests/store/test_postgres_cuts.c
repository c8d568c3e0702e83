/* test_postgres_cuts.c: the network is cut at every piece that a store sends: each piece once on its way there, and once on the way back.
 *
 * A story does everything that a store can; whatever a cut makes of it, what was told has happened and nothing else has, no call hangs, and the same
 * store goes on afterwards. */
#include "fixture.h"
#include "pg_proxy.h"

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

/* Every call gives one of these; a lost connection is never told as an absent row, a conflict or damage. */
static bool went(struct told *told, enum store_result result)
{
	if (result != STORE_OK && result != STORE_NONE && result != STORE_BUSY)
		fail_msg("a cut was told as %s", store_result_name(result));
	told->ok += result != STORE_BUSY;
	told->busy += result == STORE_BUSY;
	return result == STORE_OK;
}

/* ---- what a store does ---- */

static enum store_result try_charge(struct store *s, int64_t amount)
{
	struct batch b = {.store = s, .now = T0};
	struct core_ids ids;
	core_rows_init(&b.rows, &b.arena, 64);
	enum store_result result = store_begin(s, &b.now);
	store_want_ids(s, CORE_ID_ENTRY, 1);
	core_need_row(&b.rows, CORE_ROW_USER, ANN, 0, NONE);
	if (result == STORE_OK)
		result = store_load(s, &b.rows);
	if (result == STORE_OK)
		result = store_ids(s, CORE_ID_ENTRY, 1, &ids);
	if (result == STORE_OK) /* not announced: a round trip of its own */
		result = store_ids(s, CORE_ID_AUDIT, 1, &ids);
	if (result == STORE_OK) {
		struct core_row *row = core_row_find(&b.rows, CORE_ROW_USER, ANN, 0, NONE);
		assert_true(row && row->now);
		((struct core_user *)core_row_edit(&b.rows, row))->balance += amount;
		result = store_commit(s, &b.rows, b.now);
	}
	if (result != STORE_OK)
		store_rollback(s);
	arena_free(&b.arena);
	return result;
}

static void charge(struct store *s, struct told *told, int64_t amount)
{
	if (went(told, try_charge(s, amount)))
		told->sum += amount;
}

static bool any_row(void *arg, enum core_kind kind, const void *row)
{
	(void)kind, (void)row;
	++*(int64_t *)arg;
	return true;
}

static void any_heard(void *arg, const struct store_heard *heard)
{
	(void)arg, (void)heard;
}

static void any_check(void *arg, const char *invariant, const char *what, int64_t violations, const char *example)
{
	(void)arg, (void)invariant, (void)what, (void)violations, (void)example;
}

static void read_pages(struct store *s, struct told *told)
{
	struct store_reader *r = NULL;
	struct arena arena = {0};
	struct core_reservation one, *reservations;
	struct core_entry *entries;
	struct core_audit *audits;
	struct store_sale *sales;
	size_t n = 0;
	if (!went(told, store_reader_open(s, &r)))
		return;
	if (went(told, store_reservation(r, 1, &arena, &one)))
		assert_int_equal(one.user_id, ANN);
	if (went(told, store_reservations(r, BOB, 0, 10, &arena, &reservations, &n)))
		assert_int_equal(n, 2);
	if (went(told, store_entries(r, ANN, 0, 10, &arena, &entries, &n)))
		assert_int_equal(n, 2);
	if (went(told, store_audits(r, 0, 10, &arena, &audits, &n)))
		assert_int_equal(n, 1);
	if (went(told, store_sales(r, 1, 0, 10, &arena, &sales, &n)))
		assert_int_equal(n, 3);
	arena_free(&arena);
	store_reader_close(r);
}

/* False when the store could not be opened. */
static bool serve(struct told *told)
{
	char url[256], error[STORE_ERROR_SIZE] = "";
	struct store *s = NULL;
	struct store_heard own = {.queue_id = 1, .first = 1, .bits = {1}};
	int64_t rows = 0;
	enum store_result result;
	url_of(url, proxy.port, "jari");
	if (open_url(url, STORE_SERVE, &s, error) != STORE_OK) {
		assert_true(error[0] != '\0'); /* in words */
		told->busy++;
		return false;
	}
	bool scanned = went(told, store_scan(s, 0, any_row, &rows));
	charge(s, told, 5);
	(void)went(told, store_confirm(s));
	(void)went(told, store_hear(s, &own, 1, any_heard, NULL));
	result = store_follow(s, any_row, &rows);
	if (scanned || result != STORE_CONFLICT) /* a scan that was cut is to be made anew */
		(void)went(told, result);
	(void)went(told, store_watch(s, 1));
	store_maintain(s);
	read_pages(s, told);
	(void)went(told, store_audit(s, any_check, NULL));
	/* whatever was cut, the same store goes on */
	int64_t until = told->sum + 7;
	for (int i = 0; i < AGAIN && told->sum < until; i++) {
		charge(s, told, 7);
		if (told->sum < until)
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
	assert_true(opened > cuts / 2);
	assert_true(cuts > 10);
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

/* ---- moving house ---- */

struct kept {
	struct store *to;
	enum store_result result;
	char error[STORE_ERROR_SIZE];
};

static bool put_row(void *arg, enum core_kind kind, const void *row)
{
	struct kept *kept = arg;
	kept->result = store_import_row(kept->to, kind, row, kept->error);
	return kept->result == STORE_OK;
}

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

static void export_to_import(struct store *from, struct store *to, enum store_result *out_result, enum store_result *in_result)
{
	struct kept kept = {.to = to};
	*in_result = store_import_begin(to, store_clock(from), kept.error);
	*out_result = *in_result == STORE_OK ? store_export(from, put_row, &kept) : STORE_OK;
	if (*in_result == STORE_OK)
		*in_result = kept.result;
	if (*in_result == STORE_OK && *out_result == STORE_OK)
		*in_result = store_import_finish(to, kept.error);
	if (*in_result != STORE_OK)
		assert_true(kept.error[0] != '\0');
	store_rollback(to);
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
	    cmocka_unit_test_setup(what_is_sent_is_lost, reset),
	    cmocka_unit_test_setup(what_is_answered_is_lost, reset),
	    cmocka_unit_test_setup(a_move_out_is_cut, reset),
	    cmocka_unit_test_setup(a_move_in_is_cut, reset),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
