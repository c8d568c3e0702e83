/* test_sqlite.c: what is the SQLite store's own: the file, its lock and schema, the plans of its queries, audit, backup. */
#include "fixture.h"

#include "base/embedded.h"
#include "store/sqlite.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the disk: this program's own fdatasync and pwrite64 stand before the C library's, for SQLite too ---- */

static struct {
	_Atomic int syncs, writes;
	_Atomic bool refuse_syncs;
} disk;

/* The C library names its parameters with underscores. NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
int fdatasync(int fd)
{
	disk.syncs++;
	if (disk.refuse_syncs) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	disk.writes++;
	return syscall(SYS_pwrite64, fd, p, n, at);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

static struct store *store_of(void **state)
{
	return ((struct fixture *)*state)->store;
}

/* ---- opening ---- */

/* Runs SQL on the file behind the store's back, with its checks out of the way. */
static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db;
	char *message = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA ignore_check_constraints = 1", NULL, NULL, NULL), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void refused(const char *url, enum store_mode mode, enum store_result expected, const char *path, const char *says)
{
	struct store *s;
	char error[STORE_ERROR_SIZE];
	assert_int_equal(open_url(url, mode, &s, error), expected);
	assert_null(s);
	if (!strstr(error, path) || !strstr(error, says) || strchr(error, '\n'))
		fail_msg("not what was expected: %s", error);
}

static void a_new_file_has_the_newest_schema(void **state)
{
	struct fixture *f = *state;
	sqlite3_stmt *stmt;
	sqlite3 *db;
	assert_string_equal(store_path(f->store), f->path);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(db,
	                       "SELECT (SELECT application_id FROM pragma_application_id),"
	                       " (SELECT user_version FROM pragma_user_version),"
	                       " (SELECT journal_mode FROM pragma_journal_mode), (SELECT page_size FROM pragma_page_size)",
	                       -1, &stmt, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(stmt, 0), SQLITE_JARI_ID);
	assert_int_equal(sqlite3_column_int(stmt, 1), (int)embedded_sqlite_migrations_count);
	assert_string_equal((const char *)sqlite3_column_text(stmt, 2), "wal");
	assert_int_equal(sqlite3_column_int(stmt, 3), SQLITE_PAGE_BYTES);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void migrations_are_numbered_without_gaps(void **state)
{
	(void)state;
	assert_true(embedded_sqlite_migrations_count >= 1);
	for (size_t i = 0; i < embedded_sqlite_migrations_count; i++)
		assert_int_equal(strtol(embedded_sqlite_migrations[i].name, NULL, 10), (long)i + 1);
}

/* The default queue is made once, and keeps what was set since. */
static void a_reopened_file_keeps_its_queue(void **state)
{
	struct fixture *f = *state;
	make_world(f->store);
	store_close(f->store);
	open_again(f);
	struct batch b;
	batch_begin(&b, f->store);
	const struct core_row *row = load_one(&b, CORE_ROW_QUEUE, 1, 0, NONE);
	assert_true(row && ((const struct core_queue *)row->now)->last_number == 4);
	batch_drop(&b);
}

static void audit_passes(struct store *s);

static void an_older_file_is_brought_up_to_date(void **state)
{
	struct fixture *f = *state;
	struct batch b;
	make_world(f->store);
	store_close(f->store);
	f->store = NULL;
	run_sql(f->path, "ALTER TABLE user DROP COLUMN last_entry; ALTER TABLE ledger DROP COLUMN previous;"
	                 " ALTER TABLE show DROP COLUMN closed; ALTER TABLE show DROP COLUMN changed_at;"
	                 " ALTER TABLE concert DROP COLUMN changed_at; PRAGMA user_version = 1");
	open_again(f);
	audit_passes(f->store);
	batch_begin(&b, f->store);
	const struct core_show *show = load_one(&b, CORE_ROW_SHOW, 1, 0, NONE)->now;
	assert_true(show->version == 3 && show->changed_at == 0 && !show->closed);
	const struct core_concert *concert = load_one(&b, CORE_ROW_CONCERT, 1, 0, NONE)->now;
	assert_true(concert->sales_open_at == T0 && concert->changed_at == 0);
	batch_drop(&b);
}

/* As other programs leave one, or a power cut in the middle of the first start. */
static void a_file_without_a_log_gets_one(void **state)
{
	struct fixture *f = *state;
	make_world(f->store);
	store_close(f->store);
	f->store = NULL;
	run_sql(f->path, "PRAGMA journal_mode = DELETE");
	open_again(f);
	struct core_user u = a_user(40, "late", 0);
	assert_int_equal(commit_new(f->store, CORE_ROW_USER, &u), STORE_OK);
	store_sync(f->store);
}

static void a_newer_file_is_refused(void **state)
{
	struct fixture *f = *state;
	store_close(f->store);
	f->store = NULL;
	run_sql(f->path, "PRAGMA user_version = 999");
	refused(f->url, STORE_SERVE, STORE_BROKEN, f->path, "newer version of jari");
	refused(f->url, STORE_READ, STORE_BROKEN, f->path, "newer version of jari");
}

static void a_second_server_is_refused(void **state)
{
	struct fixture *f = *state;
	refused(f->url, STORE_SERVE, STORE_BUSY, f->path, "another jari serve has");
	store_close(f->store);
	open_again(f);
}

static void a_server_and_a_reader_get_along(void **state)
{
	struct fixture *f = *state;
	struct store *reading;
	struct store_reader *r;
	struct arena arena = {0};
	struct core_reservation got;
	char error[STORE_ERROR_SIZE];
	int64_t now = T0;
	assert_int_equal(open_url(f->url, STORE_READ, &reading, error), STORE_OK);
	assert_int_equal(store_reader_open(reading, &r), STORE_OK);
	make_world(f->store);
	assert_int_equal(store_reservation(r, 1, &arena, &got), STORE_OK);
	assert_int_equal(store_begin(reading, &now), STORE_BROKEN);
	store_reader_close(r);
	store_close(reading);
	arena_free(&arena);
	struct core_user u = a_user(30, "after", 0);
	assert_int_equal(commit_new(f->store, CORE_ROW_USER, &u), STORE_OK);
}

static void a_missing_folder_is_named(void **state)
{
	struct fixture *f = *state;
	char url[512], folder[300];
	snprintf(folder, sizeof folder, "%s/none", f->folder);
	snprintf(url, sizeof url, "sqlite:%s/jari.db", folder);
	refused(url, STORE_SERVE, STORE_BROKEN, folder, "does not exist: create it or choose another --store");
}

static void a_missing_file_is_not_made_for_reading(void **state)
{
	struct fixture *f = *state;
	refused(f->url, STORE_READ, STORE_BROKEN, f->path, "there is no store at");
	assert_int_not_equal(access(f->path, F_OK), 0);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void a_folder_that_is_a_file_is_refused(void **state)
{
	struct fixture *f = *state;
	char url[512];
	write_file(f->path, "x");
	snprintf(url, sizeof url, "sqlite:%s/jari.db", f->path);
	refused(url, STORE_SERVE, STORE_BROKEN, f->path, "is no folder");
	snprintf(url, sizeof url, "sqlite:%s", f->folder);
	refused(url, STORE_SERVE, STORE_BROKEN, f->folder, "is a folder");
}

static void a_file_that_is_no_database_is_left_alone(void **state)
{
	static const char text[] =
	    "These are the minutes of the meeting, and longer than a hundred bytes, so that they could be a header of a file.\n";
	struct fixture *f = *state;
	char after[sizeof text] = "";
	write_file(f->path, text);
	refused(f->url, STORE_SERVE, STORE_BROKEN, f->path, "is not a database");
	FILE *file = fopen(f->path, "r");
	assert_non_null(file);
	assert_int_equal(fread(after, 1, sizeof after, file), sizeof text - 1);
	fclose(file);
	assert_string_equal(after, text);
}

static void another_programs_database_is_left_alone(void **state)
{
	struct fixture *f = *state;
	run_sql(f->path, "CREATE TABLE recipes (name TEXT)");
	refused(f->url, STORE_SERVE, STORE_BROKEN, f->path, "is a database of another program");
	refused(f->url, STORE_READ, STORE_BROKEN, f->path, "is a database of another program");
	run_sql(f->path, "INSERT INTO recipes VALUES ('soup')");
}

static void an_empty_file_becomes_a_store(void **state)
{
	struct fixture *f = *state;
	write_file(f->path, "");
	open_again(f);
	make_world(f->store);
}

/* ---- the log ---- */

static int64_t size_of_file(const char *path, const char *suffix)
{
	char name[400];
	struct stat st;
	snprintf(name, sizeof name, "%s%s", path, suffix);
	return stat(name, &st) == 0 ? st.st_size : -1;
}

static void commit_tickets(struct store *s, int64_t from, int64_t n)
{
	struct batch b;
	batch_begin(&b, s);
	for (int64_t i = from; i < from + n; i++) {
		struct core_ticket t = a_ticket(i, i);
		(void)core_row_create(&b.rows, CORE_ROW_TICKET, &t);
	}
	assert_int_equal(batch_commit(&b), STORE_OK);
}

/* Some 500 pages for 1000 of them. */
static void commit_keys(struct store *s, int64_t from, int64_t n)
{
	char body[1800];
	struct batch b;
	memset(body, ' ', sizeof body);
	batch_begin(&b, s);
	for (int64_t i = from; i < from + n; i++) {
		struct core_key_record k = a_key(i, "k", T0);
		k.body = (struct text){body, sizeof body};
		(void)core_row_create(&b.rows, CORE_ROW_KEY, &k);
	}
	assert_int_equal(batch_commit(&b), STORE_OK);
}

static struct sqlite_store *inside(struct fixture *f)
{
	return (struct sqlite_store *)(void *)f->store;
}

/* Commits until the log has begun anew, at most `max` times; the last id, and the longest that the log was. */
static int64_t commit_until_anew(struct fixture *f, int64_t from, int64_t max, int *longest)
{
	*longest = 0;
	for (int64_t i = from; i < from + max * 1000; i += 1000) {
		int before = inside(f)->log_pages;
		commit_keys(f->store, i, 1000);
		store_maintain(f->store);
		if (inside(f)->log_pages < before)
			return i + 999;
		if (inside(f)->log_pages > *longest)
			*longest = inside(f)->log_pages;
	}
	return 0;
}

static int64_t count_keys(const char *path)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(db, "SELECT count(*), (SELECT integrity_check FROM pragma_integrity_check) FROM idempotency", -1,
	                       &stmt, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(stmt, 0);
	assert_string_equal((const char *)sqlite3_column_text(stmt, 1), "ok");
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return n;
}

/* Beside the batches, and nothing is lost by it: the log begins anew again and again, and the file has every row. */
static void the_log_is_moved_into_the_file(void **state)
{
	struct fixture *f = *state;
	int64_t before = size_of_file(f->path, ""), last = 0;
	int longest;
	for (int i = 0; i < 3; i++) {
		last = commit_until_anew(f, last + 1, 300, &longest);
		assert_true(last > 0);
		assert_in_range(longest, SQLITE_ANEW_PAGES, SQLITE_LOG_PAGES_MAX + 2 * SQLITE_STEP_PAGES);
	}
	assert_true(size_of_file(f->path, "") > before + 3 * SQLITE_STEP_PAGES * (int64_t)SQLITE_PAGE_BYTES);
	assert_int_equal(count_keys(f->path), last);
	store_close(f->store);
	f->store = NULL;
	assert_true(size_of_file(f->path, "-wal") <= 0);
	assert_int_equal(count_keys(f->path), last);
}

/* What a reader still looks at can't be overwritten: the log goes on until the reader is done. */
static void a_reader_is_not_overtaken_by_the_log(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db;
	int longest;
	commit_keys(f->store, 1, 1000);
	assert_int_equal(sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT count(*) FROM idempotency", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(commit_until_anew(f, 1001, 100, &longest), 0);
	int64_t steps = disk.syncs;
	for (int i = 0; i < 1000; i++) /* nothing to gain: it is not tried over and over */
		store_maintain(f->store);
	assert_true(disk.syncs - steps < 10);
	sqlite3_stmt *stmt;
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM idempotency", -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int64(stmt, 0), 1000);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	int64_t last = commit_until_anew(f, 101001, 300, &longest);
	assert_true(last > 0);
	assert_int_equal(count_keys(f->path), last);
}

static void a_commit_is_there_after_a_crash(void **state)
{
	struct fixture *f = *state;
	make_world(f->store);
	char copy[400], url[420], name[400], from[400];
	static const char *const suffixes[] = {"", "-wal"};
	snprintf(copy, sizeof copy, "%s.crashed", f->path);
	for (size_t i = 0; i < 2; i++) { /* what a crash would leave: the file and its log, as they are now */
		char buffer[65536];
		snprintf(from, sizeof from, "%s%s", f->path, suffixes[i]);
		snprintf(name, sizeof name, "%s%s", copy, suffixes[i]);
		FILE *in = fopen(from, "r"), *out = fopen(name, "w");
		assert_true(in && out);
		for (size_t n; (n = fread(buffer, 1, sizeof buffer, in)) > 0;)
			assert_int_equal(fwrite(buffer, 1, n, out), n);
		fclose(in);
		fclose(out);
	}
	store_close(f->store);
	snprintf(url, sizeof url, "sqlite:%s", copy);
	char error[STORE_ERROR_SIZE];
	assert_int_equal(open_url(url, STORE_SERVE, &f->store, error), STORE_OK);
	assert_int_equal(store_clock(f->store), T0 + 6000);
}

static void another_writer_is_busy(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db;
	int64_t now = T0;
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(store_begin(f->store, &now), STORE_BUSY);
	store_rollback(f->store);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(store_begin(f->store, &now), STORE_OK);
	store_rollback(f->store);
}

/* A disk without room, as a limit on the size of files. */
static void a_full_disk_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, little;
	struct batch b;
	struct core_user u = a_user(40, "late", 0);
	make_world(f->store);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	/* of the log: a header of 32 bytes, and 24 before each page */
	little = (struct rlimit){32 + (rlim_t)inside(f)->log_pages * (24 + SQLITE_PAGE_BYTES), before.rlim_max};
	void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	enum store_result result = commit_new(f->store, CORE_ROW_USER, &u);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	(void)signal(SIGXFSZ, handler);
	assert_int_equal(result, STORE_BROKEN);
	batch_begin(&b, f->store);
	assert_null(load_one(&b, CORE_ROW_USER, 40, 0, NONE));
	batch_drop(&b);
	assert_int_equal(commit_new(f->store, CORE_ROW_USER, &u), STORE_OK); /* there is room again */
}

/* ---- the log ---- */

/* Many pages, one call; the sync is left to store_sync. */
static void a_commit_is_written_at_once_and_synced_later(void **state)
{
	struct fixture *f = *state;
	struct batch b;
	make_world(f->store);
	store_sync(f->store);
	batch_begin(&b, f->store);
	for (int64_t id = 1000; id < 1400; id++) {
		char name[32];
		snprintf(name, sizeof name, "somebody with a long name %lld", (long long)id);
		struct core_user u = a_user(id, name, 0);
		u.name = arena_text(&b.arena, u.name);
		core_row_create(&b.rows, CORE_ROW_USER, &u);
	}
	off_t before = size_of_file(f->path, "-wal");
	disk.writes = disk.syncs = 0;
	assert_int_equal(store_commit(f->store, &b.rows, b.now), STORE_OK);
	assert_true(size_of_file(f->path, "-wal") - before > 20 * SQLITE_PAGE_BYTES);
	assert_in_range(disk.writes, 1, 2);
	assert_int_equal(disk.syncs, 0);
	store_sync(f->store);
	assert_int_equal(disk.syncs, 1);
	arena_free(&b.arena);
}

/* True when `work` ended a process of its own with SIGABRT. */
static bool ends_the_process(struct fixture *f, void (*work)(struct fixture *f))
{
	int status;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)signal(SIGABRT, SIG_DFL); /* cmocka's handler would report a failed test */
		disk.refuse_syncs = true;
		work(f);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void sync_it(struct fixture *f)
{
	store_sync(f->store);
}

static void checkpoint_it(struct fixture *f)
{
	(void)sqlite_checkpoint_now(&inside(f)->conn);
}

/* What a failed sync has left on the disk is unknown, so nothing may be answered any more: the process ends. */
static void a_refused_sync_ends_the_process(void **state)
{
	struct fixture *f = *state;
	struct core_user u = a_user(40, "late", 0);
	make_world(f->store);
	assert_int_equal(commit_new(f->store, CORE_ROW_USER, &u), STORE_OK);
	assert_true(ends_the_process(f, sync_it));
	assert_true(ends_the_process(f, checkpoint_it));
}

/* ---- query plans ---- */

static bool may_scan(int which)
{
	return (which >= SQL_EXPORT && which < SQL_BEGIN) || which == SQL_ROWS || (which >= SQL_INSERT && which < SQL_UPDATE);
}

/* A scan is of a table ("SCAN seat"); going through a JSON parameter, a subquery or an index's end is none. */
static bool is_scan(const char *detail)
{
	static const char *const tables[] = {"user",        "ticket",    "t",    "seat", "reservation", "r", "ledger",
	                                     "idempotency", "audit_log", "show", "u"};
	if (strncmp(detail, "SCAN ", 5) != 0)
		return false;
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		size_t n = strlen(tables[i]);
		if (strncmp(detail + 5, tables[i], n) == 0 && (detail[5 + n] == '\0' || detail[5 + n] == ' '))
			return true;
	}
	return false;
}

/* A load must look each of its keys up in the index: `(queue_id=? AND user_id=?)` for two. */
static bool looks_up_all(int which, const char *detail)
{
	size_t keys = 0, looked_up = 0;
	for (const char *p = sqlite_statements[which].binds; *p; p++)
		keys += *p != 'l';
	for (const char *p = detail; *p; p++)
		looked_up += *p == '?';
	return looked_up >= keys;
}

static void check_plan(sqlite3 *db, int which)
{
	char sql[2048];
	sqlite3_stmt *stmt;
	snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", sqlite_statements[which].sql);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const char *detail = (const char *)sqlite3_column_text(stmt, 3);
		if (!may_scan(which) && is_scan(detail))
			fail_msg("%s: %s", sqlite_statements[which].sql, detail);
		if (which < SQL_INSERT && !looks_up_all(which, detail))
			fail_msg("%s: %s", sqlite_statements[which].sql, detail);
		if (which < SQL_BEGIN && strstr(detail, "TEMP B-TREE"))
			fail_msg("%s sorts: %s", sqlite_statements[which].sql, detail);
	}
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
}

/* A table that SQLite makes for one statement, such as for a long IN in a CHECK, costs more than the statement does. */
static void check_no_table_is_made(sqlite3 *db, int which)
{
	char sql[2048];
	sqlite3_stmt *stmt;
	snprintf(sql, sizeof sql, "EXPLAIN %s", sqlite_statements[which].sql);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW)
		if (strcmp((const char *)sqlite3_column_text(stmt, 1), "OpenEphemeral") == 0)
			fail_msg("%s makes a table", sqlite_statements[which].sql);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
}

static void no_statement_goes_through_a_table_that_grows(void **state)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(((struct fixture *)*state)->path, &db), SQLITE_OK);
	for (int which = 0; which < SQL_COUNT; which++)
		if (sqlite_statements[which].sql)
			check_plan(db, which);
	for (int which = 0; which < SQL_BEGIN; which++)
		if (sqlite_statements[which].sql)
			check_no_table_is_made(db, which);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* ---- audit ---- */

struct findings {
	int checks;
	int64_t violations;
	unsigned seen; /* a bit for each invariant that has a check */
	unsigned broken;
	char first[400];
};

static void collect(void *arg, const char *invariant, const char *what, int64_t violations, const char *example)
{
	struct findings *found = arg;
	assert_int_equal(invariant[0], 'I');
	assert_true(what[0] != '\0');
	assert_int_equal(violations == 0, example[0] == '\0');
	unsigned bit = 1u << strtol(invariant + 1, NULL, 10);
	found->checks++;
	found->violations += violations;
	found->seen |= bit;
	if (violations > 0 && !found->broken)
		snprintf(found->first, sizeof found->first, "%s %s: %s", invariant, what, example);
	if (violations > 0)
		found->broken |= bit;
}

static void audit_passes(struct store *s)
{
	struct findings found = {0};
	assert_int_equal(store_audit(s, collect, &found), STORE_OK);
	if (found.violations)
		fail_msg("%s", found.first);
	assert_int_equal(found.seen, 0x7fe); /* I1 to I10 */
}

static void audit_passes_on_good_stores(void **state)
{
	audit_passes(store_of(state));
	make_world(store_of(state));
	audit_passes(store_of(state));
}

#define WITHOUT_LEDGER_GUARDS "DROP TRIGGER ledger_keeps_values; DROP TRIGGER ledger_keeps_rows; "

static const struct {
	int invariant;
	const char *sql;
} corruptions[] = {
    {1, "UPDATE seat SET reservation_id = 2 WHERE seat_number = 1"},
    {1, "UPDATE seat SET status = 0, reservation_id = 0, user_id = 0 WHERE seat_number = 1"},
    {1, "UPDATE seat SET status = 2, held_until = 0 WHERE seat_number = 2"},
    {1, "UPDATE seat SET user_id = 3 WHERE seat_number = 3"},
    {1, "UPDATE seat SET user_id = 3 WHERE seat_number = 4"},
    {1, "UPDATE reservation SET seats = '[1,2,3]' WHERE reservation_id = 2"},
    {1, "UPDATE reservation SET status = 4 WHERE reservation_id = 2"},
    {1, "DELETE FROM reservation WHERE reservation_id = 2"},
    {1, "UPDATE seat SET price = -5 WHERE seat_number = 4"},
    {2, "UPDATE seat SET held_until = held_until + 1 WHERE seat_number = 2"},
    {2, "UPDATE reservation SET held_until = paid_at WHERE reservation_id = 1"},
    {2, "UPDATE meta SET value = value - 3000 WHERE name = 'clock'"},
    {3, "UPDATE user SET balance = balance + 1 WHERE user_id = 1"},
    {3, "UPDATE user SET balance = -1 WHERE user_id = 2"},
    {3, WITHOUT_LEDGER_GUARDS "UPDATE ledger SET amount = amount + 1 WHERE entry_id = 1"},
    {3, WITHOUT_LEDGER_GUARDS "UPDATE ledger SET balance_after = balance_after + 1 WHERE entry_id = 1"},
    {3, WITHOUT_LEDGER_GUARDS "UPDATE ledger SET credit_id = 2 WHERE entry_id = 2"},
    {3, WITHOUT_LEDGER_GUARDS "DELETE FROM ledger WHERE entry_id = 2"},
    {3, WITHOUT_LEDGER_GUARDS "UPDATE ledger SET previous = 0 WHERE entry_id = 2"},
    {3, "UPDATE user SET last_entry = 1 WHERE user_id = 1"},
    {3, "DROP TRIGGER ledger_keeps_rows"},
    {4, "UPDATE reservation SET payment_id = 1 WHERE reservation_id = 1"},
    {4, "UPDATE reservation SET status = 3, paid_at = 0, payment_id = 0 WHERE reservation_id = 1"},
    {4, "UPDATE ticket SET status = 2, reason = 0, ended_at = 0 WHERE number = 1"},
    {4, WITHOUT_LEDGER_GUARDS "UPDATE ledger SET reservation_id = 2 WHERE entry_id = 2"},
    {5, "DELETE FROM ticket WHERE number = 3"},
    {5, "UPDATE ticket SET number = 9 WHERE number = 4"},
    {5, "UPDATE queue SET last_number = 5"},
    {5, "UPDATE queue SET waiting = 2"},
    {5, "UPDATE queue SET admitted = 1"},
    {5, "UPDATE ticket SET admitted_at = admitted_at - 2 WHERE number = 2"},
    {5, "UPDATE ticket SET issued_at = issued_at - 5 WHERE number = 4"},
    {5, "UPDATE ticket SET admitted_at = 1700000000100, expires_at = 1700000000200 WHERE number = 4"},
    {5, "DROP INDEX ticket_live; UPDATE ticket SET user_id = 2 WHERE number = 3"},
    {5, "UPDATE ticket SET reason = 0 WHERE number = 4"},
    {6, "UPDATE queue SET ceiling = 0"},
    {6, "UPDATE queue SET active = 3"},
    {7, "DELETE FROM user WHERE user_id = 4"},
    {7, "DELETE FROM concert"},
    {7, "DELETE FROM show"},
    {7,
     "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = 'CREATE INDEX reservation_user ON reservation (concert_id, reservation_id)'"
     " WHERE name = 'reservation_user'"},
    {8, "UPDATE idempotency SET status = 409"},
    {8, "UPDATE idempotency SET body = '{\"userId\":'"},
    {8, "CREATE TABLE k AS SELECT * FROM idempotency; DROP TABLE idempotency; ALTER TABLE k RENAME TO idempotency;"
        " INSERT INTO idempotency SELECT * FROM idempotency"},
    {9, "UPDATE ticket SET user_id = 4 WHERE number = 2; UPDATE ticket SET user_id = 2 WHERE number = 4"},
    {9, "UPDATE reservation SET ticket_number = 9 WHERE reservation_id = 3"},
    {9, "UPDATE reservation SET created_at = created_at - 200 WHERE reservation_id = 3"},
    {9, "UPDATE ticket SET expires_at = 1700000000102 WHERE number = 2"},
    {9, "UPDATE concert SET sales_open_at = 1700000000104"},
    {9, "UPDATE show SET starts_at = 1700000000102"},
    {9, "UPDATE show SET closed = 1"},
    {9, "UPDATE show SET closed = 1, changed_at = 1700000000101"},
    {7, "UPDATE show SET date = 20261225"},
    {10, "DELETE FROM seat WHERE seat_number = 4"},
    {10, "UPDATE seat SET price = price + 1 WHERE seat_number = 2"},
    {10, "UPDATE reservation SET paid_at = 0 WHERE reservation_id = 1"},
    {10, "UPDATE reservation SET total_price = -5 WHERE reservation_id = 3"},
    {10, "UPDATE reservation SET seats = '[]' WHERE reservation_id = 3"},
};

static void audit_finds_every_corruption(void **state)
{
	struct fixture *f = *state;
	char path[400], url[420], error[STORE_ERROR_SIZE];
	make_world(f->store);
	for (size_t i = 0; i < sizeof corruptions / sizeof corruptions[0]; i++) {
		struct findings found = {0};
		struct store *s;
		snprintf(path, sizeof path, "%s/broken-%zu.db", f->folder, i);
		snprintf(url, sizeof url, "sqlite:%s", path);
		assert_int_equal(store_backup(f->store, path, NULL, NULL, error), STORE_OK);
		run_sql(path, corruptions[i].sql);
		assert_int_equal(open_url(url, STORE_READ, &s, error), STORE_OK);
		assert_int_equal(store_audit(s, collect, &found), STORE_OK);
		store_close(s);
		if (!(found.broken & (1u << corruptions[i].invariant)))
			fail_msg("I%d holds after: %s (first: %s)", corruptions[i].invariant, corruptions[i].sql, found.first);
	}
}

/* ---- backup ---- */

struct writing {
	struct store *s;
	int64_t next;
	int64_t calls, done, total;
};

/* The server goes on writing while the copy is made. */
static void write_more(void *arg, int64_t done, int64_t total)
{
	struct writing *w = arg;
	commit_tickets(w->s, w->next, 100);
	w->next += 100;
	w->calls++;
	w->done = done;
	w->total = total;
}

static void a_backup_is_of_one_moment(void **state)
{
	struct fixture *f = *state;
	struct writing w = {.s = f->store, .next = 100001};
	char copy[400], url[420], error[STORE_ERROR_SIZE];
	for (int64_t i = 0; i < 100; i++)
		commit_tickets(f->store, 1 + i * 1000, 1000);
	snprintf(copy, sizeof copy, "%s/copy.db", f->folder);
	assert_int_equal(store_backup(f->store, copy, write_more, &w, error), STORE_OK);
	assert_true(w.calls > 1);
	assert_int_equal(w.done, w.total);
	store_close(f->store);
	snprintf(url, sizeof url, "sqlite:%s", copy);
	assert_int_equal(open_url(url, STORE_SERVE, &f->store, error), STORE_OK);
	struct batch b;
	batch_begin(&b, f->store);
	assert_non_null(load_one(&b, CORE_ROW_TICKET, 1, 100000, NONE));
	assert_null(load_one(&b, CORE_ROW_TICKET, 1, 100001, NONE));
	batch_drop(&b);
}

static void a_backup_overwrites_nothing(void **state)
{
	struct fixture *f = *state;
	char copy[400], error[STORE_ERROR_SIZE];
	snprintf(copy, sizeof copy, "%s/precious", f->folder);
	write_file(copy, "precious");
	assert_int_equal(store_backup(f->store, copy, NULL, NULL, error), STORE_CONFLICT);
	assert_non_null(strstr(error, copy));
	assert_non_null(strstr(error, "exists already"));
	assert_int_equal(size_of_file(copy, ""), 8);
	assert_int_equal(size_of_file(copy, ".partial"), -1);
	snprintf(copy, sizeof copy, "%s/none/copy", f->folder);
	assert_int_equal(store_backup(f->store, copy, NULL, NULL, error), STORE_BROKEN);
	assert_non_null(strstr(error, copy));
}

/* How many files of the folder have a name that begins like this. */
static int files_named(const struct fixture *f, const char *begin)
{
	int n = 0;
	DIR *dir = opendir(f->folder);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		n += strncmp(entry->d_name, begin, strlen(begin)) == 0;
	closedir(dir);
	return n;
}

/* A link that leads nowhere is something that has the name. */
static void a_backup_does_not_follow_a_link(void **state)
{
	struct fixture *f = *state;
	char copy[400], error[STORE_ERROR_SIZE];
	snprintf(copy, sizeof copy, "%s/copy", f->folder);
	assert_int_equal(symlink("nowhere", copy), 0);
	assert_int_equal(store_backup(f->store, copy, NULL, NULL, error), STORE_CONFLICT);
	assert_non_null(strstr(error, "exists already"));
	assert_int_equal(files_named(f, "nowhere"), 0);
}

/* What a store that has crashed has left would be read as a part of the copy. */
static void a_backup_is_not_put_beside_what_another_store_has_left(void **state)
{
	static const char *const left[] = {"-wal", "-shm", "-journal"};
	struct fixture *f = *state;
	char copy[400], name[410], error[STORE_ERROR_SIZE];
	snprintf(copy, sizeof copy, "%s/copy.db", f->folder);
	for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
		snprintf(name, sizeof name, "%s%s", copy, left[i]);
		write_file(name, "precious");
		error[0] = '\0';
		assert_int_equal(store_backup(f->store, copy, NULL, NULL, error), STORE_CONFLICT);
		assert_non_null(strstr(error, name));
		assert_non_null(strstr(error, "move it away, or name another file"));
		assert_int_equal(size_of_file(name, ""), 8);
		assert_int_equal(files_named(f, "copy.db"), 1);
		assert_int_equal(unlink(name), 0);
	}
	assert_int_equal(store_backup(f->store, copy, NULL, NULL, error), STORE_OK);
}

static void a_backup_leaves_a_file_alone_that_is_named_like_its_own(void **state)
{
	struct fixture *f = *state;
	char copy[400], name[410], error[STORE_ERROR_SIZE];
	snprintf(copy, sizeof copy, "%s/copy.db", f->folder);
	snprintf(name, sizeof name, "%s.partial", copy);
	write_file(name, "precious");
	assert_int_equal(store_backup(f->store, copy, NULL, NULL, error), STORE_OK);
	assert_int_equal(size_of_file(name, ""), 8);
	assert_int_equal(files_named(f, "copy.db"), 2);
}

struct second {
	struct store *s;
	const char *copy;
	pthread_t thread;
	sem_t begun, ended; /* the second is half done; the first is done */
	bool started, waited;
	enum store_result result;
	char error[STORE_ERROR_SIZE];
};

static void wait_for_the_first(void *arg, int64_t done, int64_t total)
{
	struct second *second = arg;
	if (second->waited || done == total)
		return;
	second->waited = true;
	(void)sem_post(&second->begun);
	(void)sem_wait(&second->ended);
}

static void *back_up_too(void *arg)
{
	struct second *second = arg;
	second->result = store_backup(second->s, second->copy, wait_for_the_first, second, second->error);
	(void)sem_post(&second->begun);
	return NULL;
}

static void start_the_second(void *arg, int64_t done, int64_t total)
{
	struct second *second = arg;
	if (second->started || done == total)
		return;
	second->started = pthread_create(&second->thread, NULL, back_up_too, second) == 0;
	if (second->started)
		(void)sem_wait(&second->begun);
}

/* The first to end has the name, with a whole copy; the other one is told. */
static void two_backups_of_one_name_are_not_mixed(void **state)
{
	struct fixture *f = *state;
	char copy[400], url[420], error[STORE_ERROR_SIZE];
	struct store *s;
	struct second second = {.s = f->store, .copy = copy, .result = STORE_OK};
	for (int64_t i = 0; i < 60; i++)
		commit_tickets(f->store, 1 + i * 1000, 1000);
	snprintf(copy, sizeof copy, "%s/copy.db", f->folder);
	assert_int_equal(sem_init(&second.begun, 0, 0), 0);
	assert_int_equal(sem_init(&second.ended, 0, 0), 0);
	enum store_result result = store_backup(f->store, copy, start_the_second, &second, error);
	(void)sem_post(&second.ended);
	assert_true(second.started);
	assert_int_equal(pthread_join(second.thread, NULL), 0);
	assert_true(second.waited);
	assert_int_equal(result, STORE_OK);
	assert_int_equal(second.result, STORE_CONFLICT);
	assert_non_null(strstr(second.error, "exists already"));
	assert_int_equal(files_named(f, "copy.db"), 1);
	snprintf(url, sizeof url, "sqlite:%s", copy);
	assert_int_equal(open_url(url, STORE_READ, &s, error), STORE_OK);
	int64_t rows = 0, rows_there = 0;
	assert_int_equal(store_count(s, &rows), STORE_OK);
	store_close(s);
	assert_int_equal(open_url(f->url, STORE_READ, &s, error), STORE_OK);
	assert_int_equal(store_count(s, &rows_there), STORE_OK);
	store_close(s);
	assert_int_equal(rows, rows_there);
}

#define CLOSED(name)                                          \
	{                                                     \
#name, name, make_folder, close_fixture, NULL \
	}
#define OPEN(name)                                            \
	{                                                     \
#name, name, open_sqlite, close_fixture, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    OPEN(a_new_file_has_the_newest_schema),
	    OPEN(migrations_are_numbered_without_gaps),
	    OPEN(a_reopened_file_keeps_its_queue),
	    OPEN(an_older_file_is_brought_up_to_date),
	    OPEN(a_file_without_a_log_gets_one),
	    OPEN(a_newer_file_is_refused),
	    OPEN(a_second_server_is_refused),
	    OPEN(a_server_and_a_reader_get_along),
	    CLOSED(a_missing_folder_is_named),
	    CLOSED(a_missing_file_is_not_made_for_reading),
	    CLOSED(a_folder_that_is_a_file_is_refused),
	    CLOSED(a_file_that_is_no_database_is_left_alone),
	    CLOSED(another_programs_database_is_left_alone),
	    CLOSED(an_empty_file_becomes_a_store),
	    OPEN(the_log_is_moved_into_the_file),
	    OPEN(a_reader_is_not_overtaken_by_the_log),
	    OPEN(a_commit_is_there_after_a_crash),
	    OPEN(another_writer_is_busy),
	    OPEN(a_full_disk_changes_nothing),
	    OPEN(a_commit_is_written_at_once_and_synced_later),
	    OPEN(a_refused_sync_ends_the_process),
	    OPEN(no_statement_goes_through_a_table_that_grows),
	    OPEN(audit_passes_on_good_stores),
	    OPEN(audit_finds_every_corruption),
	    OPEN(a_backup_is_of_one_moment),
	    OPEN(a_backup_overwrites_nothing),
	    OPEN(a_backup_does_not_follow_a_link),
	    OPEN(a_backup_is_not_put_beside_what_another_store_has_left),
	    OPEN(a_backup_leaves_a_file_alone_that_is_named_like_its_own),
	    OPEN(two_backups_of_one_name_are_not_mixed),
	};
	return cmocka_run_group_tests_name("sqlite", tests, NULL, NULL);
}
