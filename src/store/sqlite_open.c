/* sqlite_open.c: opens the file: looks whether it can be, locks it, checks whose it is, brings its schema up to date. */
#include "store/opening.h"
#include "store/sqlite_pages.h"
#include "store/sqlite.h"

#include "base/arena.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUOTE(x) #x
#define QUOTED(x) QUOTE(x)

/* What SQLite said when a file could not be opened or read. */
static enum store_result refuse_sqlite(sqlite3 *db, int rc, const char *path, char *error)
{
	switch (rc == SQLITE_IOERR_SHMSIZE ? SQLITE_FULL : rc & 0xff) { /* no room for the -shm file */
	case SQLITE_NOTADB:
		return store_refuse(STORE_BROKEN, error, "%s is not a database: choose another --store", path);
	case SQLITE_CORRUPT:
		return store_refuse(STORE_BROKEN, error, "%s is damaged (%s): restore a backup", path, sqlite3_errmsg(db));
	case SQLITE_BUSY:
		return store_refuse(STORE_BUSY, error, "%s is in use by another program: close it and try again", path);
	case SQLITE_FULL:
		return store_refuse(STORE_BROKEN, error, "there is no room left on the disk of %s", path);
	case SQLITE_READONLY:
		return store_refuse(
		    STORE_BROKEN, error,
		    "%s: this user may not write there, which even looking into a store needs: run as the server's user", path);
	default:
		return store_refuse(STORE_BROKEN, error, "%s can't be opened: %s", path,
		                    db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
	}
}

/* ---- before SQLite ---- */

static enum store_result check_folder(const char *path, char *error)
{
	struct stat st;
	const char *slash = strrchr(path, '/');
	size_t n = slash == path ? 1 : slash ? (size_t)(slash - path) : 1;
	char *folder = mem_zero(n + 1);
	memcpy(folder, slash ? path : ".", n);
	enum store_result result = STORE_OK;
	if (stat(folder, &st) != 0 && errno == ENOENT)
		result = store_refuse(STORE_BROKEN, error, "the folder %s does not exist: create it or choose another --store",
		                      folder);
	else if (stat(folder, &st) != 0 && errno != ENOTDIR)
		result = store_refuse(STORE_BROKEN, error, "the folder %s can't be looked into: %s", folder, strerror(errno));
	else if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode))
		result = store_refuse(STORE_BROKEN, error, "%s is no folder: choose another --store", folder);
	else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		result = store_refuse(STORE_BROKEN, error, "%s is a folder: name a file in it with --store", path);
	free(folder);
	return result;
}

/* The file's own name from here on: the lock and the log stand beside that, by whatever link it was named. */
static enum store_result follow_link(struct sqlite_store *s, char *error)
{
	struct stat st;
	if (lstat(s->path, &st) != 0 || !S_ISLNK(st.st_mode))
		return STORE_OK;
	char *real = realpath(s->path, NULL);
	if (!real)
		return store_refuse(STORE_BROKEN, error, "%s is a link that leads nowhere: name the file itself with --store",
		                    s->path);
	free(s->path);
	s->path = real;
	return STORE_OK;
}

/* Only one server at a time may write. The lock goes when the process does, however it ends. */
static enum store_result lock_file(struct sqlite_store *s, char *error)
{
	size_t size = strlen(s->path) + sizeof "-lock";
	char *name = mem_alloc(size);
	(void)snprintf(name, size, "%s-lock", s->path);
	enum store_result result = STORE_OK;
	s->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (s->lock_fd < 0)
		result = store_refuse(STORE_BROKEN, error, "%s can't be written: %s", name, strerror(errno));
	else if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		result = store_refuse(STORE_BUSY, error, "another jari serve has %s open: stop it, or choose another --store",
		                      s->path);
	else if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0)
		result = store_refuse(STORE_BROKEN, error, "%s can't be locked: %s", name, strerror(errno));
	free(name);
	return result;
}

/* What lies beside a file takes its permissions when it is made: from a time when that could only be read (an audit makes it then), it can only be
 * read now. Those are given anew, where they may be; nothing is removed, since the newest commits may be in it. */
static enum store_result permit_parts(const struct sqlite_store *s, char *error)
{
	static const char *const parts[] = {"-wal", "-shm", "-journal"};
	enum store_result result = STORE_OK;
	struct stat store, st;
	if (stat(s->path, &store) != 0 || faccessat(AT_FDCWD, s->path, R_OK | W_OK, AT_EACCESS) != 0)
		return STORE_OK; /* it is made, or told of, when it is opened */
	for (size_t i = 0; i < sizeof parts / sizeof parts[0] && result == STORE_OK; i++) {
		size_t size = strlen(s->path) + strlen(parts[i]) + 1;
		char *name = mem_alloc(size);
		(void)snprintf(name, size, "%s%s", s->path, parts[i]);
		if (lstat(name, &st) == 0 && S_ISREG(st.st_mode) && faccessat(AT_FDCWD, name, R_OK | W_OK, AT_EACCESS) != 0 &&
		    chmod(name, (store.st_mode & 0666) | S_IRUSR | S_IWUSR) != 0)
			result = store_refuse(STORE_BROKEN, error,
			                      "%s can't be written: give it the owner and the permissions of %s", name, s->path);
		free(name);
	}
	return result;
}

/* ---- whose file it is ---- */

static int pragma_int(sqlite3 *db, const char *sql, int64_t *out)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		*out = sqlite3_column_int64(stmt, 0);
		rc = SQLITE_OK;
	}
	(void)sqlite3_finalize(stmt);
	return rc;
}

struct identity {
	int64_t application, version, objects;
};

static enum store_result identify(sqlite3 *db, const char *path, struct identity *who, char *error)
{
	int rc = pragma_int(db, "PRAGMA application_id", &who->application);
	if (rc == SQLITE_OK)
		rc = pragma_int(db, "PRAGMA user_version", &who->version);
	if (rc == SQLITE_OK)
		rc = pragma_int(db, "SELECT count(*) FROM sqlite_schema", &who->objects);
	if (rc != SQLITE_OK)
		return refuse_sqlite(db, rc, path, error);
	if (who->application != SQLITE_JARI_ID && (who->objects > 0 || who->application != 0 || who->version != 0))
		return store_refuse(STORE_BROKEN, error,
		                    "%s is a database of another program, not of jari: choose another --store", path);
	return STORE_OK;
}

static enum store_result check_version(const struct identity *who, enum store_mode mode, const char *path, char *error)
{
	if (who->version > store_newest_migration(embedded_sqlite_migrations, embedded_sqlite_migrations_count))
		return store_refuse(
		    STORE_BROKEN, error,
		    "%s was made by a newer version of jari (schema %lld, this one knows %lld): use that version", path,
		    (long long)who->version,
		    (long long)store_newest_migration(embedded_sqlite_migrations, embedded_sqlite_migrations_count));
	if (mode == STORE_READ &&
	    who->version < store_newest_migration(embedded_sqlite_migrations, embedded_sqlite_migrations_count))
		return store_refuse(STORE_BROKEN, error, "%s is %s: start jari serve with it once", path,
		                    who->version ? "of an older version of jari" : "empty");
	return STORE_OK;
}

/* ---- migrations ---- */

/* The queue that every store has: no catalogue makes it. */
static int insert_main_queue(sqlite3 *db, int64_t capacity)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(
	    db, "INSERT INTO queue (" SQLITE_QUEUE_COLUMNS ") VALUES (1, 'main', ?1, ?1, 0, 0, 0, 0, 0, 0, 0, 0)", -1, &stmt,
	    NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(stmt, 1, capacity);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt) == SQLITE_DONE ? SQLITE_OK : sqlite3_extended_errcode(db);
	(void)sqlite3_finalize(stmt);
	return rc;
}

static int migrate_once(sqlite3 *db, const struct embedded_file *file, int64_t capacity)
{
	char pragmas[128];
	(void)snprintf(pragmas, sizeof pragmas, "PRAGMA application_id = %d; PRAGMA user_version = %lld", SQLITE_JARI_ID,
	               (long long)store_migration_number(file));
	int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, (const char *)file->bytes, NULL, NULL, NULL);
	if (rc == SQLITE_OK && store_migration_number(file) == 1)
		rc = insert_main_queue(db, capacity);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, pragmas, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	return rc;
}

static enum store_result migrate(struct sqlite_store *s, int64_t version, int64_t capacity, char *error)
{
	for (size_t i = 0; i < embedded_sqlite_migrations_count; i++) {
		const struct embedded_file *file = &embedded_sqlite_migrations[i];
		if (store_migration_number(file) <= version)
			continue;
		int rc = migrate_once(s->conn.db, file, capacity);
		if (rc != SQLITE_OK) {
			enum store_result result = refuse_sqlite(s->conn.db, rc, s->path, error);
			log_event(LOG_ERROR, "migration_failed", "file", "%s: %s", file->name, sqlite3_errmsg(s->conn.db));
			if (!sqlite3_get_autocommit(s->conn.db))
				(void)sqlite3_exec(s->conn.db, "ROLLBACK", NULL, NULL, NULL);
			return result;
		}
		log_event(LOG_INFO, "store_migrated", "file", "%s", file->name);
	}
	return STORE_OK;
}

/* ---- connections ---- */

static enum store_result open_file(struct sqlite_conn *c, const char *path, int flags, const char *vfs, char *error)
{
	c->path = path;
	int rc = sqlite3_open_v2(path, &c->db, flags | SQLITE_OPEN_NOMUTEX, vfs);
	if (rc == SQLITE_OK)
		rc = sqlite3_extended_result_codes(c->db, 1);
	return rc == SQLITE_OK ? STORE_OK : refuse_sqlite(c->db, rc, path, error);
}

enum store_result sqlite_open_read(struct sqlite_conn *c, const char *path, char error[STORE_ERROR_SIZE])
{
	enum store_result result = open_file(c, path, SQLITE_OPEN_READONLY, NULL, error);
	if (result == STORE_OK) {
		int rc = sqlite3_busy_timeout(c->db, SQLITE_READER_BUSY_MS);
		if (rc == SQLITE_OK)
			rc = sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		if (rc == SQLITE_OK)
			rc = sqlite3_exec(c->db,
			                  "PRAGMA query_only = 1; PRAGMA cache_size = " SQLITE_READER_CACHE
			                  "; PRAGMA mmap_size = " SQLITE_MMAP
			                  "; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = 0",
			                  NULL, NULL, NULL);
		if (rc != SQLITE_OK)
			result = refuse_sqlite(c->db, rc, path, error);
	}
	if (result != STORE_OK)
		sqlite_conn_close(c);
	return result;
}

enum store_result sqlite_open_checkpoint(struct sqlite_conn *c, const char *path, char error[STORE_ERROR_SIZE])
{
	enum store_result result = open_file(c, path, SQLITE_OPEN_READWRITE, NULL, error);
	if (result == STORE_OK) {
		int rc = sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		if (rc == SQLITE_OK) /* the read opens the log */
			rc = sqlite3_exec(c->db, "PRAGMA synchronous = NORMAL; SELECT count(*) FROM sqlite_schema", NULL, NULL,
			                  NULL);
		if (rc != SQLITE_OK)
			result = refuse_sqlite(c->db, rc, path, error);
	}
	if (result != STORE_OK)
		sqlite_conn_close(c);
	return result;
}

/* Sets the writing connection up. The page size has an effect on a new file only. */
static enum store_result set_up_writer(struct sqlite_store *s, char *error)
{
	sqlite3 *db = s->conn.db;
	int64_t ignored;
	int rc = sqlite3_exec(
	    db,
	    "PRAGMA page_size = " QUOTED(
		SQLITE_PAGE_BYTES) "; PRAGMA cache_size = " SQLITE_WRITER_CACHE "; PRAGMA mmap_size = " SQLITE_MMAP
				   "; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = 0; PRAGMA synchronous = FULL",
	    NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return refuse_sqlite(db, rc, s->path, error);
	sqlite3_stmt *stmt = NULL;
	rc = sqlite3_prepare_v2(db, "PRAGMA journal_mode = WAL", -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	const char *mode = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
	bool wal = mode && strcmp(mode, "wal") == 0;
	int ended = sqlite3_finalize(stmt); /* only now the file is changed */
	if (rc != SQLITE_ROW || ended != SQLITE_OK)
		return refuse_sqlite(db, rc != SQLITE_ROW ? rc : ended, s->path, error);
	if (!wal)
		return store_refuse(STORE_BROKEN, error,
		                    "the file system of %s can't share memory between processes: put the store on a local disk",
		                    s->path);
	rc = pragma_int(db, "PRAGMA wal_autocheckpoint = 0", &ignored);
	return rc == SQLITE_OK || rc == SQLITE_DONE ? STORE_OK : refuse_sqlite(db, rc, s->path, error);
}

static enum store_result open_to_read(struct sqlite_store *s, bool alone, char *error)
{
	struct stat st;
	struct identity who = {0};
	if (stat(s->path, &st) != 0)
		return store_refuse(STORE_BROKEN, error, "there is no store at %s: %s", s->path, strerror(errno));
	enum store_result result = alone ? lock_file(s, error) : STORE_OK;
	if (result == STORE_OK)
		result = sqlite_open_read(&s->conn, s->path, error);
	if (result == STORE_OK)
		result = identify(s->conn.db, s->path, &who, error);
	return result == STORE_OK ? check_version(&who, STORE_READ, s->path, error) : result;
}

/* From here on a commit is durable when the log has been synced (store_sync), not when COMMIT returns. */
static enum store_result leave_syncs_to_the_log(struct sqlite_store *s, char *error)
{
	/* The read opens the log, where the file had none until now. */
	int rc = sqlite3_exec(s->conn.db, "PRAGMA synchronous = NORMAL; SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return refuse_sqlite(s->conn.db, rc, s->path, error);
	if (!sqlite_log_is_open(s->log))
		return store_refuse(STORE_BROKEN, error, "the log of %s is not open", s->path);
	return STORE_OK;
}

/* What an earlier process has left in the log is written and synced anew before anything is built upon it, while nobody else can write. On a disk without
 * room, where even that may need some, it is left as it is: reads are worth more. */
static enum store_result make_durable_anew(struct sqlite_store *s, char *error)
{
	int rc = sqlite3_exec(s->conn.db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return refuse_sqlite(s->conn.db, rc, s->path, error);
	rc = sqlite_log_write_anew(s->path);
	if ((rc & 0xff) == SQLITE_FULL)
		log_event(LOG_WARN, "store_log_left", "cause", "%s: %s", s->path, sqlite3_errstr(rc));
	else if (rc != SQLITE_OK)
		return refuse_sqlite(NULL, rc, s->path, error);
	rc = sqlite3_exec(s->conn.db, "ROLLBACK", NULL, NULL, NULL);
	return rc == SQLITE_OK ? STORE_OK : refuse_sqlite(s->conn.db, rc, s->path, error);
}

static enum store_result open_to_serve(struct sqlite_store *s, int64_t capacity, char *error)
{
	struct identity who = {0};
	enum store_result result = lock_file(s, error);
	if (result == STORE_OK)
		result = permit_parts(s, error);
	if (result == STORE_OK && !(s->log = sqlite_log_open()))
		result = store_refuse(STORE_BROKEN, error, "SQLite can't open files on this system");
	if (result == STORE_OK)
		result = open_file(&s->conn, s->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, sqlite_log_vfs(s->log), error);
	/* Nothing that has failed is tried again on the way out; a store that is closed in order moves its log itself (sqlite.c). */
	if (result == STORE_OK)
		(void)sqlite3_db_config(s->conn.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (result == STORE_OK)
		result = identify(s->conn.db, s->path, &who, error);
	if (result == STORE_OK && sqlite3_db_readonly(s->conn.db, "main") == 1)
		result = store_refuse(STORE_BROKEN, error,
		                      "%s can't be written: change its permissions or choose another --store", s->path);
	if (result == STORE_OK)
		result = check_version(&who, STORE_SERVE, s->path, error);
	if (result == STORE_OK)
		result = set_up_writer(s, error);
	if (result == STORE_OK)
		result = make_durable_anew(s, error);
	if (result == STORE_OK)
		result = migrate(s, who.version, capacity, error);
	return result == STORE_OK ? leave_syncs_to_the_log(s, error) : result;
}

enum store_result sqlite_open_store(struct sqlite_store *s, const struct store_options *options, char error[STORE_ERROR_SIZE])
{
	/* SQLite's count of its memory costs a lock for each allocation, and nobody asks for it. Refused once SQLite is in use: then it was
	 * done before; so with its page cache. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	(void)sqlite_pages_use();
	enum store_result result = check_folder(s->path, error);
	if (result == STORE_OK)
		result = follow_link(s, error);
	if (result != STORE_OK)
		return result;
	return s->mode == STORE_READ ? open_to_read(s, options->mode == STORE_EXPORT, error)
	                             : open_to_serve(s, options->queue_capacity, error);
}
