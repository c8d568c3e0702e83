/* test_pages.c: the layer over SQLite's page cache. What is beyond the end is forgotten whenever it should be, and nothing is walked through when
 * there is no such page. Below the layer lies SQLite's cache with counters. */
#include "fixture.h"

#include "store/sqlite_pages.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#define PAGES 64 /* of the walk at random */
#define FAR 1048577

static sqlite3_pcache_methods2 real;
static sqlite3_pcache_methods2 layered;
static int truncated, rekeyed;

static void count_truncate(sqlite3_pcache *cache, unsigned limit)
{
	truncated++;
	real.xTruncate(cache, limit);
}

static void count_rekey(sqlite3_pcache *cache, sqlite3_pcache_page *page, unsigned from, unsigned to)
{
	rekeyed++;
	real.xRekey(cache, page, from, to);
}

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETPCACHE2, &real), SQLITE_OK);
	sqlite3_pcache_methods2 counting = real;
	counting.xTruncate = count_truncate;
	counting.xRekey = count_rekey;
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_PCACHE2, &counting), SQLITE_OK);
	assert_int_equal(sqlite_pages_use(), SQLITE_OK);
	assert_int_equal(sqlite_pages_use(), SQLITE_OK); /* a second store of the process */
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETPCACHE2, &layered), SQLITE_OK);
	assert_int_equal(sqlite3_initialize(), SQLITE_OK);
	assert_int_equal(sqlite_pages_use(), SQLITE_MISUSE); /* too late, and nothing has changed */
	return 0;
}

/* ---- the cache alone ---- */

struct world {
	sqlite3_pcache *cache;
	sqlite3_pcache_page *page[PAGES + 1]; /* by number; NULL where there is none */
	sqlite3_pcache_page *far;             /* the one that was given FAR */
};

static unsigned free_number(const struct world *w)
{
	for (unsigned n = 1; n <= PAGES; n++)
		if (!w->page[n])
			return n;
	return 0;
}

static void fetch(struct world *w, unsigned number)
{
	sqlite3_pcache_page *page = layered.xFetch(w->cache, number, 2);
	assert_non_null(page);
	if (w->page[number])
		assert_ptr_equal(page, w->page[number]);
	w->page[number] = page;
}

/* As a tree is put into order: a page is given a number beyond the end, and one of its own again. */
static void send_far(struct world *w, unsigned number)
{
	if (w->far || !w->page[number])
		return;
	layered.xRekey(w->cache, w->page[number], number, FAR);
	w->far = w->page[number];
	w->page[number] = NULL;
}

static void bring_back(struct world *w)
{
	unsigned number = free_number(w);
	if (!w->far || number == 0)
		return;
	layered.xRekey(w->cache, w->far, FAR, number);
	w->page[number] = w->far;
	w->far = NULL;
}

/* SQLite's cache gives up what is truncated, in use or not. */
static void truncate_at(struct world *w, unsigned limit)
{
	layered.xTruncate(w->cache, limit);
	for (unsigned n = limit; n <= PAGES; n++)
		w->page[n] = NULL;
	if (limit <= FAR)
		w->far = NULL;
}

static void same(const struct world *w)
{
	int count = w->far != NULL;
	for (unsigned n = 1; n <= PAGES; n++) {
		assert_ptr_equal(layered.xFetch(w->cache, n, 0), w->page[n]);
		count += w->page[n] != NULL;
	}
	assert_ptr_equal(layered.xFetch(w->cache, FAR, 0), w->far);
	assert_int_equal(layered.xPagecount(w->cache), count);
}

static void forgets_what_is_beyond(void **state)
{
	(void)state;
	uint32_t chance = 1;
	for (int round = 0; round < 200; round++) {
		struct world w = {.cache = layered.xCreate(1024, 64, 0)};
		assert_non_null(w.cache);
		layered.xCachesize(w.cache, 1000);
		for (int step = 0; step < 100; step++) {
			chance = chance * 1664525 + 1013904223;
			unsigned number = 1 + (chance >> 16) % PAGES;
			switch ((chance >> 24) % 8) {
			case 0:
				truncate_at(&w, 1 + number);
				break;
			case 1:
				truncate_at(&w, FAR);
				break;
			case 2:
				send_far(&w, number);
				break;
			case 3:
				bring_back(&w);
				break;
			default:
				fetch(&w, number);
			}
			same(&w);
		}
		layered.xShrink(w.cache);
		layered.xDestroy(w.cache);
	}
}

/* ---- below a database ---- */

static void run(sqlite3 *db, const char *sql)
{
	char *error = NULL;
	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", sql, error);
}

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(stmt, 0);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	return n;
}

static sqlite3 *open_at(const char *folder)
{
	char path[128];
	sqlite3 *db = NULL;
	(void)snprintf(path, sizeof path, "%s/pages.db", folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	run(db,
	    "PRAGMA page_size = 1024; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0;"
	    "CREATE TABLE entry (id INTEGER PRIMARY KEY, owner INTEGER, note TEXT); CREATE INDEX entry_owner ON entry (owner, id);");
	return db;
}

static void whole(sqlite3 *db)
{
	assert_int_equal(number(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
}

static void in_a_folder(void (*test)(sqlite3 *db))
{
	char folder[] = "/tmp/jari-pages-XXXXXX", path[64];
	assert_non_null(mkdtemp(folder));
	sqlite3 *db = open_at(folder);
	test(db);
	whole(db);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	(void)snprintf(path, sizeof path, "%s/pages.db", folder);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

/* A commit that adds to two trees, to one of them at random. (A table that SQLite makes for a statement has a cache of its own.) */
static void add_some(sqlite3 *db)
{
	bool own = sqlite3_get_autocommit(db) != 0;
	if (own)
		run(db, "BEGIN");
	for (int i = 0; i < 50; i++)
		run(db, "INSERT INTO entry (owner, note) VALUES (random() % 1000000, hex(randomblob(40)))");
	if (own)
		run(db, "COMMIT");
}

static void add(sqlite3 *db)
{
	int before = truncated, moved = rekeyed;
	for (int i = 0; i < 300; i++)
		add_some(db);
	assert_true(rekeyed - moved > 300); /* else this shows nothing */
	assert_int_equal(truncated, before);
	assert_int_equal(number(db, "SELECT count(*) FROM entry"), 15000);
}

static void sales_walk_through_nothing(void **state)
{
	(void)state;
	in_a_folder(add);
}

/* A rollback and a file that gets shorter leave pages behind that must go. */
static void shrink(sqlite3 *db)
{
	for (int i = 0; i < 20; i++)
		add_some(db);
	int64_t held = number(db, "SELECT sum(owner) FROM entry");
	int before = truncated;
	for (int i = 0; i < 20; i++) {
		run(db, "BEGIN");
		add_some(db);
		add_some(db);
		run(db, "ROLLBACK");
		assert_int_equal(number(db, "SELECT sum(owner) FROM entry"), held);
		add_some(db);
		held = number(db, "SELECT sum(owner) FROM entry");
		whole(db);
	}
	assert_true(truncated > before);
	run(db, "DELETE FROM entry WHERE id % 3 <> 0; VACUUM");
	for (int i = 0; i < 20; i++)
		add_some(db);
	whole(db);
}

static void shorter_files_are_right(void **state)
{
	(void)state;
	in_a_folder(shrink);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(forgets_what_is_beyond),
	    cmocka_unit_test(sales_walk_through_nothing),
	    cmocka_unit_test(shorter_files_are_right),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
