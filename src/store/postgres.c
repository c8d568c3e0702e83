/* postgres.c: the PostgreSQL store's batches: begin, ids, commit, rollback, housekeeping, and the table of its operations. */
#include "store/postgres.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct pg_store *pg_store_of(struct store *base)
{
	return (struct pg_store *)(void *)base;
}

/* ---- opening and closing ---- */

static void pg_close(struct store *base)
{
	struct pg_store *s = pg_store_of(base);
	base->ops->rollback(base);
	pg_end_alone(s);
	pg_conn_free(&s->conn);
	pg_conn_free(&s->watch);
	pg_conn_free(&s->alone);
	buf_free(&s->lines);
	pg_target_free(&s->target);
	free(s->locked);
	free(s->seen);
	free(s->server);
	free(s);
}

static const char *pg_path(const struct store *base)
{
	(void)base;
	return NULL;
}

static int64_t pg_clock(struct store *base)
{
	return pg_store_of(base)->decided;
}

/* Ids and numbers that no other process makes. Without randomness nothing here is safe. */
static void draw(void *out, size_t n)
{
	if (getrandom(out, n, 0) != (ssize_t)n) {
		log_event(LOG_ERROR, "no_randomness", "cause", "the system gives no random bytes; ending");
		abort();
	}
}

static void name_process(struct pg_store *s)
{
	int64_t process;
	draw(&process, sizeof process);
	atomic_store(&s->process, process);
}

/* A whole store is being moved out or in. */
static enum store_result refuse_shut_out(struct pg_store *s)
{
	pg_drop(&s->conn);
	(void)snprintf(s->conn.said, sizeof s->conn.said, "jari copy has it to itself; wait until that has ended");
	log_event(LOG_WARN, "store_busy", "cause", "%s: %s", s->target.shown, s->conn.said);
	s->conn.after_us = clock_elapsed_us() + PG_CONNECT_PAUSE_MS * 1000LL;
	return STORE_BUSY;
}

enum store_result pg_store_connect(struct pg_store *s)
{
	if (s->conn.pg)
		return STORE_OK;
	enum store_result result = pg_connect(&s->conn, &s->target, true);
	if (result != STORE_OK)
		return result;
	s->asked_us = clock_elapsed_us();
	pg_send(&s->conn, PG_NOW, NULL);
	if (s->mode == STORE_SERVE)
		pg_send(&s->conn, PG_SHARE, NULL);
	result = pg_sync(&s->conn);
	if (result == STORE_OK)
		pg_now_heard(s, s->conn.results[0]);
	bool shut_out = result == STORE_OK && s->mode == STORE_SERVE && !pg_int(s->conn.results[1], 0, 0);
	pg_clear(&s->conn);
	return shut_out ? refuse_shut_out(s) : result;
}

/* A dump that was restored has the numbers of its own server's transactions, and they are of times to come here: who follows would take itself to have
 * been away until they are reached (postgres_follow.c). So they become this transaction's; a step of them. */
static enum store_result adopt(struct pg_store *s)
{
	struct arena arena = {0};
	struct pg_params p = {.arena = &arena};
	pg_bind_int(&p, PG_BATCH_STEP);
	pg_send(&s->conn, PG_ADOPT, &p);
	enum store_result result = pg_sync(&s->conn);
	pg_clear(&s->conn);
	arena_free(&arena);
	return result;
}

/* *foreign: something is left of another server's history. */
static enum store_result read_clock(struct pg_store *s, bool *foreign)
{
	pg_send(&s->conn, PG_CLOCK, NULL);
	enum store_result result = pg_sync(&s->conn);
	if (result == STORE_OK) {
		s->decided = s->high = pg_int(s->conn.results[0], 0, 0);
		*foreign = pg_int(s->conn.results[0], 0, 1) != 0;
	}
	pg_clear(&s->conn);
	return result;
}

static enum store_result take_up(struct pg_store *s)
{
	bool foreign = false;
	enum store_result result = read_clock(s, &foreign);
	if (foreign && s->mode == STORE_SERVE)
		log_event(LOG_INFO, "store_adopted", "reason", "%s comes from another database server", s->target.shown);
	while (result == STORE_OK && foreign && s->mode == STORE_SERVE) {
		result = adopt(s);
		if (result == STORE_OK)
			result = read_clock(s, &foreign);
	}
	return result;
}

/* ---- a batch ---- */

static void forget_batch(struct pg_store *s)
{
	s->open = s->begun = false;
	s->locked_n = 0;
	memset(s->wanted, 0, sizeof s->wanted);
	memset(s->ids, 0, sizeof s->ids);
}

/* BEGIN goes with the first load. */
static enum store_result pg_begin(struct store *base, int64_t *now)
{
	struct pg_store *s = pg_store_of(base);
	if (s->mode != STORE_SERVE)
		return STORE_BROKEN;
	uint8_t fresh[16];
	enum store_result result = pg_store_connect(s);
	draw(fresh, sizeof fresh);
	if (result == STORE_OK)
		result = pg_settle(s, fresh);
	if (result != STORE_OK)
		return result;
	forget_batch(s);
	s->open = true;
	*now = s->now = pg_clock_now(s);
	return STORE_OK;
}

static void pg_want_ids(struct store *base, enum core_id_kind kind, int64_t count)
{
	struct pg_store *s = pg_store_of(base);
	if (count > 0)
		s->wanted[kind] += count;
}

static enum store_result pg_ids(struct store *base, enum core_id_kind kind, int64_t count, struct core_ids *out)
{
	struct pg_store *s = pg_store_of(base);
	struct core_ids *ids = &s->ids[kind];
	if (s->mode != STORE_SERVE || count < 0)
		return STORE_BROKEN;
	if (s->begun && !s->conn.pg) /* the transaction is gone, and a new connection would not know its locks */
		return STORE_BUSY;
	if (ids->end - ids->next < count) {
		/* Not announced, or nothing was loaded since: a round trip of its own. */
		struct arena arena = {0};
		struct pg_params p = {.arena = &arena};
		enum store_result result = pg_store_connect(s);
		if (result != STORE_OK)
			return result;
		for (int k = 0; k < CORE_ID_KINDS; k++)
			pg_bind_int(&p, k == (int)kind ? count : 0);
		pg_send(&s->conn, PG_TAKE_IDS, &p);
		result = pg_sync(&s->conn);
		if (result == STORE_OK)
			ids->next = pg_int(s->conn.results[0], 0, (int)kind);
		ids->end = ids->next + count;
		pg_clear(&s->conn);
		arena_free(&arena);
		if (result != STORE_OK)
			return result;
	}
	*out = (struct core_ids){ids->next, ids->next + count};
	ids->next += count;
	return STORE_OK;
}

/* What the commit came to, from its results or from how the connection ended. */
static enum store_result outcome(struct pg_store *s, enum store_result result, const uint8_t batch_id[16])
{
	if (result == STORE_OK) {
		/* A transaction that had failed would say ROLLBACK here. */
		PGresult *last = s->conn.results[s->conn.results_n - 1];
		bool committed = strcmp(PQcmdStatus(last), "COMMIT") == 0;
		if (!committed || !s->conn.warned) {
			pg_clear(&s->conn);
			return committed ? STORE_OK : STORE_BROKEN;
		}
	} else if (s->conn.pg) {
		pg_clear(&s->conn);
		return result;
	}
	pg_clear(&s->conn);
	s->begun = false; /* it ended with its connection */
	result = pg_resolve(s, batch_id);
	/* It may have happened all the same, or happen yet. The feed tells of all commits but this process's own; under another number it will tell
	 * of that one too. */
	if (result == STORE_BROKEN)
		name_process(s);
	return result;
}

/* A batch that changes nothing writes nothing, so it costs no sync. */
static enum store_result pg_commit(struct store *base, const struct core_rows *rows, int64_t now)
{
	struct pg_store *s = pg_store_of(base);
	struct arena arena = {0};
	uint8_t batch_id[16];
	bool changed = false;
	if (s->mode != STORE_SERVE || !s->open)
		return STORE_BROKEN;
	if (!s->conn.pg) /* lost since the load; nothing was sent */
		return STORE_BUSY;
	draw(batch_id, sizeof batch_id);
	s->conn.warned = false;
	pg_send_save(s, rows, now, batch_id, &arena, &changed);
	enum store_result result = STORE_OK;
	if (changed) {
		result = outcome(s, pg_sync(&s->conn), batch_id);
		if (result == STORE_OK)
			s->begun = false;
	}
	arena_free(&arena);
	base->ops->rollback(base);
	if (result == STORE_OK && changed && now > s->decided)
		s->decided = now;
	return result;
}

static enum store_result pg_confirm(struct store *base)
{
	struct pg_store *s = pg_store_of(base);
	uint8_t fresh[16];
	if (!s->standbys) /* what can be seen is on the only disk there is */
		return STORE_OK;
	draw(fresh, sizeof fresh);
	s->settled = -1;
	enum store_result result = pg_store_connect(s);
	return result == STORE_OK ? pg_settle(s, fresh) : result;
}

static void pg_rollback(struct store *base)
{
	struct pg_store *s = pg_store_of(base);
	if (s->begun && s->conn.pg) {
		pg_send(&s->conn, PG_ROLLBACK, NULL);
		if (pg_sync(&s->conn) != STORE_OK)
			pg_drop(&s->conn); /* the server rolls back what a closed connection leaves */
		pg_clear(&s->conn);
	}
	forget_batch(s);
	pg_import_undo(s);
}

static enum store_trouble pg_trouble(struct store *base)
{
	return pg_store_of(base)->conn.trouble;
}

/* Tells of the last commits of many, which were too soon after others. */
static void notify_owed(struct pg_store *s)
{
	struct arena arena = {0};
	struct pg_params p = {.arena = &arena};
	int64_t now_us = clock_elapsed_us();
	if (!s->notify_owed || now_us - s->notified_us < PG_NOTIFY_MS * 1000)
		return;
	s->notify_owed = false;
	s->notified_us = now_us;
	pg_bind_int(&p, s->process);
	pg_send(&s->conn, PG_NOTIFY, &p);
	(void)pg_sync(&s->conn); /* a failure is logged, and who listens looks once a second anyway */
	pg_clear(&s->conn);
	arena_free(&arena);
}

static void pg_maintain(struct store *base)
{
	struct pg_store *s = pg_store_of(base);
	struct arena arena = {0};
	struct pg_params p = {.arena = &arena}, heard = {.arena = &arena};
	int64_t now_us = clock_elapsed_us();
	if (s->mode != STORE_SERVE || !s->conn.pg)
		return;
	notify_owed(s);
	if (now_us - s->maintained_us < PG_MAINTAIN_MS * 1000LL)
		return;
	s->maintained_us = now_us;
	pg_bind_int(&p, PG_BATCH_STEP);
	pg_send(&s->conn, PG_SWEEP, &p);
	pg_bind_int(&heard, PG_HEARD_KEPT_US);
	pg_send(&s->conn, PG_HEARD_SWEEP, &heard);
	/* a failure is logged, and it is tried again */
	if (pg_sync(&s->conn) == STORE_OK && PQntuples(s->conn.results[0]) > 0 &&
	    pg_int(s->conn.results[0], 0, 0) > PG_BATCH_STEP / 2)
		s->maintained_us = now_us - (PG_MAINTAIN_MS - PG_BATCH_STEP_MS) * 1000LL; /* there is more */
	pg_clear(&s->conn);
	arena_free(&arena);
}

static enum store_result pg_backup(struct store *base, const char *destination,
                                   void (*progress)(void *arg, int64_t done, int64_t total), void *arg,
                                   char error[STORE_ERROR_SIZE])
{
	(void)base;
	(void)destination;
	(void)progress;
	(void)arg;
	(void)snprintf(
	    error, STORE_ERROR_SIZE,
	    "a store in PostgreSQL is backed up with PostgreSQL's own tools: pg_dump --format=custom, or pg_basebackup");
	return STORE_NONE;
}

static const struct store_ops pg_ops = {
    .close = pg_close,
    .path = pg_path,
    .clock = pg_clock,
    .realm = pg_realm,
    .set_realm = pg_set_realm,
    .begin = pg_begin,
    .load = pg_load,
    .want_ids = pg_want_ids,
    .ids = pg_ids,
    .commit = pg_commit,
    .confirm = pg_confirm,
    .rollback = pg_rollback,
    .trouble = pg_trouble,
    .maintain = pg_maintain,
    .scan = pg_scan,
    .follow = pg_follow,
    .watch = pg_watch,
    .hear = pg_hear,
    .reader_open = pg_reader_open,
    .reader_close = pg_reader_close,
    .reservation = pg_reservation,
    .reservations = pg_reservations,
    .entries = pg_entries,
    .audits = pg_audits,
    .sales = pg_sales,
    .audit = pg_audit,
    .backup = pg_backup,
    .count = pg_count,
    .export_rows = pg_export,
    .import_begin = pg_import_begin,
    .import_row = pg_import_row,
    .import_finish = pg_import_finish,
};

void store_postgres_shown(const char *url, char out[STORE_SHOWN_SIZE])
{
	struct pg_target target;
	char error[STORE_ERROR_SIZE];
	bool read = pg_target_read(url, &target, error);
	(void)snprintf(out, STORE_SHOWN_SIZE, "%s", read ? target.shown : "postgresql:…");
	pg_target_free(&target);
}

enum store_result store_postgres_open(const struct store_options *options, struct store **out, char error[STORE_ERROR_SIZE])
{
	struct pg_store *s = mem_zero(sizeof *s);
	s->base.ops = &pg_ops;
	s->mode = options->mode;
	s->conn.answer_ms = s->watch.answer_ms = PG_ANSWER_MS;
	name_process(s);
	enum store_result result = STORE_BROKEN;
	if (pg_target_read(options->url, &s->target, error))
		result = pg_stay_alone(s, error);
	if (result == STORE_OK)
		result = pg_open_schema(s, options->queue_capacity, error);
	if (result == STORE_OK) {
		result = pg_store_connect(s);
		if (result == STORE_OK)
			result = take_up(s);
		if (result != STORE_OK)
			(void)snprintf(error, STORE_ERROR_SIZE, "%s can't be read: %s", s->target.shown, s->conn.said);
	}
	if (result != STORE_OK) {
		pg_close(&s->base);
		return result;
	}
	*out = &s->base;
	return STORE_OK;
}
