/* sqlite.c: the SQLite store's batches: begin, commit, rollback, housekeeping, and the table of its operations. */
#include "store/sqlite.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct sqlite_store *of(struct store *base)
{
	return (struct sqlite_store *)(void *)base;
}

/* ---- opening and closing ---- */

/* Moves the log into the file, and lets closing take the log's file away. When that fails the log stays, for the next start. */
static void move_at_the_end(struct sqlite_store *s)
{
	if (sqlite3_wal_checkpoint_v2(s->conn.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) == SQLITE_OK) {
		(void)sqlite3_db_config(s->conn.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
		return;
	}
	log_event(LOG_WARN, "store_checkpoint", "cause", "%s: %s", s->path, sqlite3_errmsg(s->conn.db));
	sqlite_end_if_unsynced(&s->conn);
}

static void sqlite_close(struct store *base)
{
	struct sqlite_store *s = of(base);
	sqlite_checkpoint_close(s->checkpoint);
	if (s->conn.db) {
		base->ops->rollback(base);
		if (s->mode == STORE_SERVE)
			move_at_the_end(s);
	}
	sqlite_conn_close(&s->conn);
	sqlite_log_close(s->log);
	if (s->lock_fd >= 0)
		(void)close(s->lock_fd);
	free(s->path);
	free(s);
}

static const char *sqlite_path(const struct store *base)
{
	return ((const struct sqlite_store *)(const void *)base)->path;
}

static int64_t sqlite_clock(struct store *base)
{
	return of(base)->clock;
}

static enum store_result sqlite_realm(struct store *base, int64_t *realm, bool *used)
{
	struct sqlite_conn *c = &of(base)->conn;
	sqlite3_stmt *stmt = sqlite_stmt(c, SQL_REALM);
	int rc = stmt ? sqlite3_step(stmt) : SQLITE_ERROR;
	if (rc != SQLITE_ROW)
		return sqlite_failed(c, rc, "realm");
	*realm = sqlite3_column_int64(stmt, 0);
	*used = sqlite3_column_int(stmt, 1) != 0;
	(void)sqlite3_reset(stmt);
	return STORE_OK;
}

/* Called by SQLite after each commit with the length of the write-ahead log; it takes the place of automatic checkpoints. */
static int note_log(void *arg, sqlite3 *db, const char *name, int pages)
{
	(void)db;
	(void)name;
	struct sqlite_store *s = arg;
	if (pages < s->log_pages) { /* begun anew, so all had been moved, and what a step came to was of the old log */
		s->moved = s->wait_until = 0;
		s->stepped = false;
	}
	s->log_pages = pages;
	return SQLITE_OK;
}

enum store_result sqlite_read_start(struct sqlite_store *s)
{
	sqlite3_stmt *stmt = sqlite_stmt(&s->conn, SQL_CLOCK);
	int rc = stmt ? sqlite3_step(stmt) : SQLITE_ERROR;
	if (rc != SQLITE_ROW)
		return sqlite_failed(&s->conn, rc, "clock");
	s->clock = s->saved_clock = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_reset(stmt);
	stmt = sqlite_stmt(&s->conn, SQL_NEXT_IDS);
	rc = stmt ? sqlite3_step(stmt) : SQLITE_ERROR;
	if (rc != SQLITE_ROW)
		return sqlite_failed(&s->conn, rc, "ids");
	for (int kind = 0; kind < CORE_ID_KINDS; kind++)
		s->next_id[kind] = sqlite3_column_int64(stmt, kind) + 1;
	(void)sqlite3_reset(stmt);
	/* What takes a batch back must not be missing when there is no memory to prepare it. */
	return sqlite_stmt(&s->conn, SQL_ROLLBACK) ? STORE_OK : STORE_BROKEN;
}

/* ---- a batch ---- */

static enum store_result sqlite_begin(struct store *base, int64_t *now)
{
	struct sqlite_store *s = of(base);
	if (s->mode != STORE_SERVE)
		return STORE_BROKEN;
	if (*now < s->clock)
		*now = s->clock;
	chain_heads_forget(&s->heads);
	return sqlite_run(&s->conn, SQL_BEGIN);
}

static enum store_result sqlite_ids(struct store *base, enum core_id_kind kind, int64_t count, struct core_ids *out)
{
	struct sqlite_store *s = of(base);
	int64_t end;
	if (s->mode != STORE_SERVE || count < 0 || __builtin_add_overflow(s->next_id[kind], count, &end))
		return STORE_BROKEN;
	*out = (struct core_ids){s->next_id[kind], end};
	s->next_id[kind] = end;
	return STORE_OK;
}

enum store_result sqlite_end(struct sqlite_store *s)
{
	enum store_result result = sqlite_run(&s->conn, SQL_COMMIT);
	if (result != STORE_OK)
		sqlite_end_if_unsynced(&s->conn);
	if (result == STORE_OK && !sqlite_log_flush(s->log))
		sqlite_end_process(s->path); /* readers were told of a commit that is not in the log */
	s->refused = result != STORE_OK;
	return result;
}

static void sqlite_sync(struct store *base)
{
	struct sqlite_store *s = of(base);
	if (s->mode == STORE_SERVE && !sqlite_log_sync(s->log))
		sqlite_end_process(s->path);
}

/* A batch that changes nothing writes nothing, so it costs no sync. */
static enum store_result sqlite_commit(struct store *base, const struct core_rows *rows, int64_t now)
{
	struct sqlite_store *s = of(base);
	bool changed = false;
	if (s->mode != STORE_SERVE)
		return STORE_BROKEN;
	enum store_result result = sqlite_save(&s->conn, &s->heads, rows, &changed);
	if (result == STORE_OK && changed && now > s->saved_clock)
		result = sqlite_save_clock(&s->conn, now);
	if (result == STORE_OK)
		result = sqlite_end(s);
	if (result != STORE_OK) {
		base->ops->rollback(base);
		return result;
	}
	if (now > s->clock)
		s->clock = now;
	if (changed && now > s->saved_clock)
		s->saved_clock = now;
	return STORE_OK;
}

static void sqlite_rollback(struct store *base)
{
	struct sqlite_store *s = of(base);
	if (!sqlite3_get_autocommit(s->conn.db))
		(void)sqlite_run(&s->conn, SQL_ROLLBACK);
}

static const struct sqlite_pace usual_pace = {SQLITE_STEP_PAGES, SQLITE_LAST_PAGES, SQLITE_ANEW_PAGES, SQLITE_LOG_PAGES_MAX};

/* A commit of its own with one number. */
static enum store_result commit_number(struct sqlite_store *s, enum store_result (*save)(struct sqlite_conn *, int64_t),
                                       int64_t number)
{
	if (s->mode != STORE_SERVE)
		return STORE_BROKEN;
	enum store_result result = sqlite_run(&s->conn, SQL_BEGIN);
	if (result == STORE_OK)
		result = save(&s->conn, number);
	if (result == STORE_OK)
		result = sqlite_end(s);
	if (result != STORE_OK)
		s->base.ops->rollback(&s->base);
	return result;
}

static enum store_result sqlite_set_realm(struct store *base, int64_t realm)
{
	enum store_result result = commit_number(of(base), sqlite_save_realm, realm);
	if (result == STORE_OK)
		base->ops->sync(base);
	return result;
}

/* One page: the clock's mark, a millisecond later. SQLite does not write what is the same. */
static enum store_result sqlite_try_writing(struct store *base)
{
	struct sqlite_store *s = of(base);
	int64_t mark = (s->clock > s->saved_clock ? s->clock : s->saved_clock) + 1;
	enum store_result result = commit_number(s, sqlite_save_clock, mark);
	if (result == STORE_OK)
		s->clock = s->saved_clock = mark;
	return result;
}

static enum store_trouble sqlite_trouble(struct store *base)
{
	return of(base)->conn.full ? STORE_FULL : STORE_REFUSING;
}

static void note_checkpoint(struct sqlite_store *s, int64_t took_us)
{
	tally_add(&s->figures.checkpoints, 1);
	tally_add(&s->figures.checkpoint_us, took_us);
	atomic_store_explicit(&s->figures.checkpoint_last_us, took_us, memory_order_relaxed);
}

/* What the last move has come to. When nothing, a reader holds on to what was there: the next try waits until there is more to gain. */
static void note_moved(struct sqlite_store *s, int moved)
{
	if (moved <= s->moved)
		s->wait_until = s->log_pages + s->pace->step;
	else
		s->moved = moved;
}

/* Moves the rest here, while nothing is decided. The next commit begins the log anew, unless a reader is in the way. */
static void move_the_rest(struct sqlite_store *s)
{
	int64_t began = clock_elapsed_us();
	note_moved(s, sqlite_checkpoint_now(&s->conn));
	note_checkpoint(s, clock_elapsed_us() - began);
	s->wait_until = s->log_pages + s->pace->step;
}

/* Moves the log into the file beside the batches, a step at a time; the last bit itself. Readers go on meanwhile. */
static void sqlite_maintain(struct store *base)
{
	struct sqlite_store *s = of(base);
	bool too_long = s->log_pages >= s->pace->max;
	if (s->mode != STORE_SERVE || !sqlite_checkpoint_idle(s->checkpoint, too_long))
		return;
	if (s->stepped) {
		int64_t took_us;
		note_moved(s, sqlite_checkpoint_moved(s->checkpoint, &took_us));
		note_checkpoint(s, took_us);
	}
	s->stepped = false;
	int left = s->log_pages - s->moved;
	atomic_store_explicit(&s->figures.log_pages, s->log_pages, memory_order_relaxed);
	atomic_store_explicit(&s->figures.log_pages_left, left, memory_order_relaxed);
	/* Without room the log can't grow: begun anew it needs none. */
	bool is_long = s->log_pages >= s->pace->anew || (s->refused && s->conn.full);
	if (s->log_pages < s->wait_until || left <= 0)
		return;
	if ((is_long && left <= s->pace->last) || too_long) {
		move_the_rest(s);
	} else if (is_long || left >= s->pace->step) {
		s->stepped = true;
		sqlite_checkpoint_step(s->checkpoint);
	}
}

static void sqlite_figures(struct store *base, struct store_figures *out)
{
	const struct sqlite_store *s = of(base);
	*out = (struct store_figures){
	    .has_log = s->mode == STORE_SERVE,
	    .log_pages = tally_value(&s->figures.log_pages),
	    .log_pages_left = tally_value(&s->figures.log_pages_left),
	    .checkpoints = tally_value(&s->figures.checkpoints),
	    .checkpoint_us = tally_value(&s->figures.checkpoint_us),
	    .checkpoint_last_us = tally_value(&s->figures.checkpoint_last_us),
	};
}

static const struct store_ops sqlite_ops = {
    .close = sqlite_close,
    .path = sqlite_path,
    .clock = sqlite_clock,
    .realm = sqlite_realm,
    .set_realm = sqlite_set_realm,
    .begin = sqlite_begin,
    .load = sqlite_load,
    .ids = sqlite_ids,
    .commit = sqlite_commit,
    .sync = sqlite_sync,
    .rollback = sqlite_rollback,
    .trouble = sqlite_trouble,
    .try_writing = sqlite_try_writing,
    .maintain = sqlite_maintain,
    .figures = sqlite_figures,
    .scan = sqlite_scan,
    .reader_open = sqlite_reader_open,
    .reader_close = sqlite_reader_close,
    .reservation = sqlite_reservation,
    .reservations = sqlite_reservations,
    .entries = sqlite_entries,
    .audits = sqlite_audits,
    .sales = sqlite_sales,
    .audit = sqlite_audit,
    .backup = sqlite_backup,
    .count = sqlite_count,
    .export_rows = sqlite_export,
    .import_begin = sqlite_import_begin,
    .import_row = sqlite_import_row,
    .import_finish = sqlite_import_finish,
};

enum store_result store_sqlite_open(const struct store_options *options, const char *path, struct store **out,
                                    char error[STORE_ERROR_SIZE])
{
	struct sqlite_store *s = mem_zero(sizeof *s);
	s->base.ops = &sqlite_ops;
	/* One process alone writes in any case. */
	s->mode = options->mode == STORE_IMPORT ? STORE_SERVE : options->mode == STORE_EXPORT ? STORE_READ : options->mode;
	s->lock_fd = -1;
	s->pace = &usual_pace;
	size_t size = strlen(path) + 1;
	s->path = memcpy(mem_alloc(size), path, size);
	enum store_result result = sqlite_open_store(s, options, error);
	if (result == STORE_OK && s->mode == STORE_SERVE)
		(void)sqlite3_wal_hook(s->conn.db, note_log, s);
	if (result == STORE_OK && s->mode == STORE_SERVE && !(s->checkpoint = sqlite_checkpoint_open(s->path, error)))
		result = STORE_BROKEN;
	if (result == STORE_OK && (result = sqlite_read_start(s)) != STORE_OK)
		(void)sqlite3_snprintf(STORE_ERROR_SIZE, error, "%s can't be read: %s", path, sqlite3_errmsg(s->conn.db));
	if (result != STORE_OK) {
		s->mode = STORE_READ; /* nothing was written, so nothing is to be checkpointed */
		sqlite_close(&s->base);
		return result;
	}
	*out = &s->base;
	return STORE_OK;
}
