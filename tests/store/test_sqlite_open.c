/* test_sqlite_open.c: files that can't be opened, each told in a sentence that says what to do, and left as they were. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

static void refused(const char *url, enum store_mode mode, enum store_result expected, const char *says)
{
	char error[STORE_ERROR_SIZE] = "";
	struct store *s = NULL;
	enum store_result result = open_url(url, mode, &s, error);
	if (result != expected || !strstr(error, says))
		fail_msg("%s: %s, \"%s\", not \"%s\"", url, store_result_name(result), error, says);
}

static sqlite3 *open_raw(const struct fixture *f, const char *sql)
{
	sqlite3 *db;
	char *why = NULL;
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	return db;
}

static void run_raw(const struct fixture *f, const char *sql)
{
	assert_int_equal(sqlite3_close(open_raw(f, sql)), SQLITE_OK);
}

/* What the file says, asked by another program. */
static int raw_int(struct fixture *f, const char *sql)
{
	sqlite3 *db = open_raw(f, "BEGIN");
	sqlite3_stmt *stmt = NULL;
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	int n = sqlite3_column_int(stmt, 0);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return n;
}

/* A store with the world in it, closed, its log in the file. */
static void make_file(struct fixture *f)
{
	open_again(f);
	make_world(f->store);
	store_close(f->store);
	f->store = NULL;
	run_raw(f, "PRAGMA wal_checkpoint(TRUNCATE)");
}

/* Overwrites pages of the file, `from` the first, up to its end. */
static void damage(const struct fixture *f, long from)
{
	static const char junk[4096] = {1, 2, 3};
	struct stat st;
	int fd = open(f->path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	for (off_t at = (off_t)from * 4096; at < st.st_size; at += 4096)
		assert_int_equal(pwrite(fd, junk, sizeof junk, at), sizeof junk);
	assert_int_equal(close(fd), 0);
}

static const enum store_mode modes[] = {STORE_SERVE, STORE_READ, STORE_EXPORT, STORE_IMPORT};
#define EACH_MODE(i) (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)

static void a_damaged_file_is_told(void **state)
{
	struct fixture *f = *state;
	make_file(f);
	damage(f, 1);
	/* what is damaged is not always met at the start; where it is, that is what is said */
	refused(f->url, STORE_SERVE, STORE_BROKEN, "damaged");
}

static void a_file_that_another_program_has_is_told(void **state)
{
	struct fixture *f = *state;
	make_file(f);
	run_raw(f, "PRAGMA journal_mode = delete");
	sqlite3 *db = open_raw(f, "BEGIN EXCLUSIVE");
	for
		EACH_MODE(i)
	refused(f->url, modes[i], STORE_BUSY, "is in use by another program: close it and try again");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	open_again(f); /* and now it opens */
}

static void a_file_of_an_older_version_is_not_read(void **state)
{
	struct fixture *f = *state;
	make_file(f);
	run_raw(f, "PRAGMA user_version = 1");
	refused(f->url, STORE_READ, STORE_BROKEN, "of an older version of jari: start jari serve with it once");
}

/* With the next migration half done already: it says so, and the file stays of its version. */
static void a_migration_that_fails_leaves_the_file_as_it_was(void **state)
{
	struct fixture *f = *state;
	make_file(f);
	run_raw(f, "PRAGMA user_version = 1");
	refused(f->url, STORE_SERVE, STORE_BROKEN, "can't be opened: duplicate column name");
	assert_int_equal(raw_int(f, "PRAGMA user_version"), 1);
}

#define NOBODY 65534 /* root may write whatever a file's permissions are */

static void be_nobody(const struct fixture *f)
{
	if (geteuid() == 0)
		assert_true(chown(f->folder, NOBODY, NOBODY) == 0 && seteuid(NOBODY) == 0);
}

static int close_as_before(void **state)
{
	return seteuid(getuid()) == 0 ? close_fixture(state) : -1;
}

static unsigned permissions(const struct fixture *f, const char *suffix)
{
	char name[400];
	struct stat st;
	snprintf(name, sizeof name, "%s%s", f->path, suffix);
	return stat(name, &st) == 0 ? st.st_mode & 0777 : 0;
}

static void permit(const struct fixture *f, const char *suffix, mode_t mode)
{
	char name[400];
	snprintf(name, sizeof name, "%s%s", f->path, suffix);
	assert_int_equal(chmod(name, mode), 0);
}

/* What an audit has made beside a file that could only be read can only be read as well; the log that a crash has left may hold commits. */
static void parts_that_could_only_be_read_are_the_servers_again(void **state)
{
	struct fixture *f = *state;
	struct batch b;
	be_nobody(f);
	make_file(f);
	permit(f, "", 0444);
	struct store *s;
	char error[STORE_ERROR_SIZE] = "";
	assert_int_equal(open_url(f->url, STORE_READ, &s, error), STORE_OK);
	store_close(s);
	assert_int_equal(permissions(f, "-shm"), 0444);
	permit(f, "", 0640);
	open_again(f);
	batch_begin(&b, f->store);
	assert_non_null(load_one(&b, CORE_ROW_USER, DAN, 0, NONE));
	batch_drop(&b);
	struct core_user late = a_user(5, "late", 0);
	assert_int_equal(commit_new(f->store, CORE_ROW_USER, &late), STORE_OK);
	char crashed[400];
	snprintf(crashed, sizeof crashed, "%s/crashed.db", f->folder);
	copy_store(f->path, crashed);
	store_close(f->store);
	f->store = NULL;
	snprintf(f->path, sizeof f->path, "%s", crashed);
	snprintf(f->url, sizeof f->url, "sqlite:%s", crashed);
	permit(f, "-wal", 0444);
	open_again(f);
	batch_begin(&b, f->store);
	assert_non_null(load_one(&b, CORE_ROW_USER, 5, 0, NONE));
	batch_drop(&b);
}

static void a_part_that_belongs_to_another_is_told(void **state)
{
	static const char *const parts[] = {"-wal", "-shm"};
	struct fixture *f = *state;
	if (geteuid() != 0)
		skip(); /* nobody else can give a file away */
	be_nobody(f);
	make_file(f);
	assert_int_equal(seteuid(0), 0);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		char name[400], says[500];
		snprintf(name, sizeof name, "%s%s", f->path, parts[i]);
		snprintf(says, sizeof says, "%s can't be written: give it the owner and the permissions of %s", name, f->path);
		(void)unlink(name);
		int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
		assert_true(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
		assert_int_equal(seteuid(NOBODY), 0);
		refused(f->url, STORE_SERVE, STORE_BROKEN, says);
		assert_int_equal(seteuid(0), 0);
		assert_int_equal(permissions(f, parts[i]), 0444);
		assert_int_equal(unlink(name), 0);
	}
}

/* Whoever looks into a store writes beside it: where others look, and what is in the log. */
static void a_file_that_this_user_may_only_read_is_told(void **state)
{
	struct fixture *f = *state;
	uid_t user = geteuid();
	make_file(f);
	assert_int_equal(chmod(f->path, 0444), 0);
	assert_int_equal(chmod(f->folder, 0555), 0);
	if (user == 0)
		assert_int_equal(seteuid(NOBODY), 0);
	char error[STORE_ERROR_SIZE] = "";
	struct store *s = NULL;
	enum store_result result = open_url(f->url, STORE_READ, &s, error);
	if (user == 0)
		assert_int_equal(seteuid(user), 0);
	assert_int_equal(chmod(f->folder, 0755), 0);
	if (result != STORE_BROKEN ||
	    !strstr(error, "this user may not write there, which even looking into a store needs: run as the server's user"))
		fail_msg("%s: \"%s\"", store_result_name(result), error);
}

static void an_empty_file_is_not_read(void **state)
{
	struct fixture *f = *state;
	int fd = open(f->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	close(fd);
	refused(f->url, STORE_READ, STORE_BROKEN, "is empty: start jari serve with it once");
}

/* A database can be somebody's before there is a table in it. */
static void anothers_database_without_tables_is_left_alone(void **state)
{
	static const char *const signs[] = {"PRAGMA application_id = 77", "PRAGMA user_version = 3"};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
		run_raw(f, signs[i]);
		for (size_t m = 0; m < sizeof modes / sizeof modes[0]; m++)
			refused(f->url, modes[m], STORE_BROKEN,
			        "is a database of another program, not of jari: choose another --store");
		assert_int_equal(raw_int(f, "SELECT count(*) FROM sqlite_schema"), 0);
		assert_int_equal(unlink(f->path), 0);
	}
}

/* SQLite has ways to use a file on such systems; none of them lets others read while one writes. */
static void a_file_system_that_shares_no_memory_is_told(void **state)
{
	struct fixture *f = *state;
	sqlite3_vfs *usual = sqlite3_vfs_find(NULL);
	assert_int_equal(sqlite3_vfs_register(sqlite3_vfs_find("unix-dotfile"), 1), SQLITE_OK);
	refused(f->url, STORE_SERVE, STORE_BROKEN, "can't share memory between processes: put the store on a local disk");
	assert_int_equal(sqlite3_vfs_register(usual, 1), SQLITE_OK);
	open_again(f); /* on another it can be had */
}

static void a_lock_that_cannot_be_written_is_told(void **state)
{
	struct fixture *f = *state;
	char name[400];
	snprintf(name, sizeof name, "%s-lock", f->path);
	assert_int_equal(mkdir(name, 0755), 0);
	refused(f->url, STORE_SERVE, STORE_BROKEN, "-lock can't be written: Is a directory");
	assert_int_equal(rmdir(name), 0);
}

/* By whatever name: two servers of one file would both decide. */
static void a_link_to_the_file_is_the_file(void **state)
{
	struct fixture *f = *state;
	char folder[400], name[500], url[600];
	snprintf(folder, sizeof folder, "%s/elsewhere", f->folder);
	snprintf(name, sizeof name, "%s/link.db", folder);
	snprintf(url, sizeof url, "sqlite:%s", name);
	assert_int_equal(mkdir(folder, 0755), 0);
	assert_int_equal(symlink("../jari.db", name), 0);
	refused(url, STORE_SERVE, STORE_BROKEN, "link.db is a link that leads nowhere: name the file itself");
	open_again(f);
	refused(url, STORE_SERVE, STORE_BUSY, f->path);
	refused(url, STORE_EXPORT, STORE_BUSY, f->path);
	store_close(f->store);
	f->store = NULL;
	char error[STORE_ERROR_SIZE];
	assert_int_equal(open_url(url, STORE_SERVE, &f->store, error), STORE_OK);
	refused(f->url, STORE_SERVE, STORE_BUSY, f->path);
}

static void a_folder_that_leads_nowhere_is_told(void **state)
{
	struct fixture *f = *state;
	char name[400], url[500];
	snprintf(name, sizeof name, "%s/circle", f->folder);
	snprintf(url, sizeof url, "sqlite:%s/jari.db", name);
	assert_int_equal(symlink("circle", name), 0);
	refused(url, STORE_SERVE, STORE_BROKEN, "can't be looked into: Too many levels of symbolic links");
}

/* A path without a folder is of this one, and one that begins with its only slash is at the root. */
static void a_file_here_and_one_at_the_root_are_looked_for_there(void **state)
{
	(void)state;
	refused("sqlite:no-such-file-here.db", STORE_READ, STORE_BROKEN, "no-such-file-here.db");
	refused("sqlite:/no-such-file-at-the-root.db", STORE_READ, STORE_BROKEN, "/no-such-file-at-the-root.db");
	assert_int_equal(access("no-such-file-here.db", F_OK), -1);
	assert_int_equal(access("/no-such-file-at-the-root.db", F_OK), -1);
}

/* Damage that is met later is told by the call that meets it, by the audit as a finding, and by no call as a conflict or an absent row. */
static void damage_is_met_by_the_calls(void **state)
{
	struct fixture *f = *state;
	make_file(f);
	open_again(f);
	struct store_reader *r;
	assert_int_equal(store_reader_open(f->store, &r), STORE_OK);
	damage(f, 2);
	struct arena arena = {0};
	struct core_entry *entries;
	size_t n;
	(void)store_entries(r, ANN, 0, 10, &arena, &entries, &n); /* may have it in memory still */
	store_reader_close(r);
	arena_free(&arena);
	store_close(f->store);
	f->store = NULL;
	char error[STORE_ERROR_SIZE] = "";
	struct store *s = NULL;
	assert_int_equal(open_url(f->url, STORE_SERVE, &s, error), STORE_BROKEN);
	assert_true(error[0] != '\0');
}

static void backups_that_cannot_be_made_are_told(void **state)
{
	struct fixture *f = *state;
	char error[STORE_ERROR_SIZE] = "", to[400];
	open_again(f);
	make_world(f->store);
	assert_int_equal(store_backup(f->store, "/no/such/folder/copy.db", NULL, NULL, error), STORE_BROKEN);
	assert_non_null(strstr(error, "/no/such/folder"));
	/* a path without a folder is of this one */
	assert_int_equal(chdir(f->folder), 0);
	assert_int_equal(store_backup(f->store, "copy.db", NULL, NULL, error), STORE_OK);
	assert_int_equal(store_backup(f->store, "copy.db", NULL, NULL, error), STORE_CONFLICT);
	assert_non_null(strstr(error, "copy.db"));
	assert_int_equal(chdir("/"), 0);
	snprintf(to, sizeof to, "%s/copy.db", f->folder);
	assert_int_equal(access(to, F_OK), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, close_fixture)
#define TEST_AS_NOBODY(name) cmocka_unit_test_setup_teardown(name, make_folder, close_as_before)
	const struct CMUnitTest tests[] = {
	    TEST(a_damaged_file_is_told),
	    TEST(a_file_that_another_program_has_is_told),
	    TEST(a_file_of_an_older_version_is_not_read),
	    TEST(a_migration_that_fails_leaves_the_file_as_it_was),
	    TEST_AS_NOBODY(parts_that_could_only_be_read_are_the_servers_again),
	    TEST_AS_NOBODY(a_part_that_belongs_to_another_is_told),
	    TEST(a_file_that_this_user_may_only_read_is_told),
	    TEST(an_empty_file_is_not_read),
	    TEST(anothers_database_without_tables_is_left_alone),
	    TEST(a_file_system_that_shares_no_memory_is_told),
	    TEST(a_lock_that_cannot_be_written_is_told),
	    TEST(a_link_to_the_file_is_the_file),
	    TEST(a_folder_that_leads_nowhere_is_told),
	    TEST(a_file_here_and_one_at_the_root_are_looked_for_there),
	    TEST(damage_is_met_by_the_calls),
	    TEST(backups_that_cannot_be_made_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
