/* database.c: the store that the simulated servers share, on the rows of one memory store.
 *
 * As with PostgreSQL: a batch has what it decides upon to itself from its first load to its end (here: everything), decides at the database's clock, and
 * a commit is durable and seen by all at once; its answer may be lost. Other servers follow by a feed that tells of all commits but the own.
 * As with SQLite: one server; a commit is seen at once and durable after a sync; a power cut takes what was not synced, from some commit on.
 *
 * Each commit is held against the model at the instant at which it happens, decision by decision, and then every stored row is. */
#include "world.h"

#include "base/log.h"
#include "store/memory.h"

#include <stdlib.h>
#include <string.h>

enum { LOCK_WAIT_US = 800000, SLOW_US = 400000 };

static struct conn *conn_of(struct store *s)
{
	return (struct conn *)(void *)s;
}

static struct world *world_of_thread(void)
{
	struct server *s = threads_owner();
	return s ? s->w : NULL;
}

/* ---- time and faults ---- */

static int64_t some_latency(struct world *w)
{
	return 20 + world_below(w, w->latency_us) + (world_odds(w, w->odds.slow) ? world_below(w, SLOW_US) : 0);
}

/* The way to the database and back. False when the server is dead. */
static bool travel(struct conn *c)
{
	if (!c->dead)
		threads_sleep(some_latency(c->w));
	return !c->dead;
}

static enum store_result went_wrong(struct conn *c, enum store_result r, enum store_trouble trouble, const char *what)
{
	c->trouble = trouble;
	c->failed = true;
	c->busy = r == STORE_BUSY;
	c->refused = c->refused || r == STORE_CONFLICT;
	world_trace(c->w, "server %d: %s: %s", c->server->id, what, store_result_name(r));
	return r;
}

static enum store_result fault(struct conn *c, const char *what)
{
	struct world *w = c->w;
	if (threads_us() < w->out_until_us)
		return went_wrong(c, STORE_BUSY, STORE_UNREACHABLE, what);
	if (world_odds(w, w->odds.busy))
		return went_wrong(c, STORE_BUSY, STORE_CONTENDED, what);
	if (world_odds(w, w->odds.broken))
		return went_wrong(c, STORE_BROKEN, STORE_REFUSING, what);
	return STORE_OK;
}

static bool crashes(struct conn *c, const char *when)
{
	if (!world_odds(c->w, c->w->odds.crash))
		return false;
	server_crash(c->server, world_below(c->w, 2), when);
	return true;
}

static int64_t database_now(const struct conn *c)
{
	return world_ms(c->w) + c->w->database_ms + c->offset_ms;
}

/* ---- the lock ---- */

static void unlock(struct conn *c)
{
	if (c->locked && c->w->holder == c) {
		c->w->holder = NULL;
		threads_wake(&c->w->holder);
	}
	c->locked = false;
}

static bool lock(struct conn *c)
{
	int64_t until = threads_us() + LOCK_WAIT_US;
	while (!c->dead && c->w->holder && c->w->holder != c)
		if (!threads_wait(&c->w->holder, until))
			return false;
	if (c->dead)
		return false;
	c->w->holder = c;
	c->locked = true;
	return true;
}

/* ---- a batch ---- */

static enum store_result c_begin(struct store *base, int64_t *now)
{
	struct conn *c = conn_of(base);
	if (!travel(c))
		return STORE_BROKEN;
	c->open = true;
	c->failed = c->busy = c->locked = c->loaded = false;
	c->decided = 0;
	c->answers = 0;
	enum store_result r = fault(c, "begin");
	if (r != STORE_OK)
		return r;
	if (c->w->shared) {
		int64_t at = database_now(c);
		c->high = at > c->high ? at : c->high;
		*now = c->now = c->high;
		return STORE_OK;
	}
	threads_hold();
	r = store_begin(c->w->sim.store, now);
	threads_release();
	c->now = *now;
	return r;
}

static enum store_result c_load(struct store *base, struct core_rows *rows)
{
	struct conn *c = conn_of(base);
	if (!travel(c) || crashes(c, "at a load"))
		return STORE_BROKEN;
	enum store_result r = fault(c, "load");
	if (r != STORE_OK)
		return r;
	if (!c->locked && !lock(c))
		return went_wrong(c, STORE_BUSY, STORE_CONTENDED, "lock");
	if (c->w->shared && c->w->decided_ms > c->now) {
		c->high = c->w->decided_ms;
		return went_wrong(c, STORE_BUSY, STORE_CONTENDED, "clock");
	}
	c->loaded = true;
	threads_hold();
	r = store_load(c->w->sim.store, rows);
	threads_release();
	return r;
}

static enum store_result c_ids(struct store *base, enum core_id_kind kind, int64_t count, struct core_ids *out)
{
	struct conn *c = conn_of(base);
	enum store_result r = c->dead ? STORE_BROKEN : fault(c, "ids");
	return r == STORE_OK ? store_ids(c->w->sim.store, kind, count, out) : r;
}

/* A queue that was not loaded was not changed. */
static int64_t admitted_then(void *arg, int64_t queue_id)
{
	const struct decision *d = arg;
	for (int i = 0; i < d->m->queues; i++)
		if (d->m->queue[i].id == queue_id)
			return d->admitted[i] < 0 ? d->m->queue[i].admitted : d->admitted[i];
	return 0;
}

static void trace_decision(const struct conn *c, const struct decision *d)
{
	static const char *const names[] = {"",      "join",           "leave",       "hold",          "cancel", "charge", "pay",
	                                    "queue", "change concert", "change show", "add catalogue", "hear",   "tick"};
	const struct core_reply *r = &d->reply;
	const struct core_cmd *cmd = d->cmd;
	world_trace(c->w, "server %d decides at %lld: %s %lld/%lld: %s%s, ticket %lld/%lld %d, reservation %lld, balance %lld",
	            c->server->id, (long long)c->now, names[cmd->op], (long long)cmd->auth_queue_id, (long long)cmd->auth_number,
	            core_code_name(r->code), r->replayed ? " again" : "", (long long)r->ticket.queue_id,
	            (long long)r->ticket.number, (int)r->ticket.status, (long long)r->reservation.reservation_id,
	            (long long)r->user.balance);
}

static void count_decision(struct world *w, const struct decision *d)
{
	static const enum count counts[CORE_TICK + 1] = {[CORE_JOIN] = COUNT_TICKETS,
	                                                 [CORE_HOLD] = COUNT_HOLDS,
	                                                 [CORE_CANCEL] = COUNT_CANCELS,
	                                                 [CORE_CHARGE_WALLET] = COUNT_CHARGES,
	                                                 [CORE_PAY] = COUNT_PAYMENTS};
	if (d->reply.code != CORE_OK)
		w->count[COUNT_REFUSALS]++;
	else if (d->reply.replayed)
		w->count[COUNT_AGAIN]++;
	else if (counts[d->cmd->op])
		w->count[counts[d->cmd->op]]++;
	if (d->cmd->op != CORE_HEAR)
		return;
	w->count[COUNT_SILENT] += (int64_t)d->cmd->u.hear.silent_count;
	w->count[COUNT_BACK] += (int64_t)d->cmd->u.hear.back_count;
}

/* The model's own answer to everything that the batch has decided. */
static void check_decisions(struct conn *c, bool committed)
{
	struct world *w = c->w;
	struct model *m = w->sim.m;
	m->alone = c->decided == 1;
	for (int i = 0; i < c->decided; i++) {
		struct decision *d = &c->decisions[i];
		trace_decision(c, d);
		if (d->changed)
			world_fail(w, "I10", "op %d answered %s has changed rows", (int)d->cmd->op,
			           core_code_name(d->reply.code));
		if (!model_check(m, d->cmd, c->now, &d->reply, admitted_then, d))
			world_fail(w, "model", "op %d: %s", (int)d->cmd->op, m->why);
		count_decision(w, d);
		clients_decided(w, d, committed);
	}
	c->decided = 0;
}

static void note_changed(struct world *w, enum core_kind kind, int64_t a, int64_t b)
{
	if (w->changed_n == w->changed_cap) {
		w->changed_cap = w->changed_cap ? w->changed_cap * 2 : 1024;
		w->changed = mem_grow(w->changed, w->changed_cap * sizeof *w->changed);
	}
	w->changed[w->changed_n++] = (struct core_id){.kind = kind, .a = a, .b = b};
}

static void note_commit(struct conn *c, const struct core_rows *rows)
{
	struct world *w = c->w;
	if (++w->seq >= COMMITS)
		world_fail(w, "world", "too many commits for one run");
	w->commits[w->seq].process = c->process;
	w->commits[w->seq].first = w->changed_n;
	for (const struct core_row *row = core_rows_dirty(rows); row; row = row->next_dirty) {
		if (row->id.kind == CORE_ROW_ENTRY || row->id.kind == CORE_ROW_KEY || row->id.kind == CORE_ROW_AUDIT)
			continue;
		note_changed(w, row->id.kind, row->id.a, row->id.b);
		if (row->id.kind == CORE_ROW_TICKET && !row->was)
			note_changed(w, CORE_ROW_USER, ((const struct core_ticket *)row->now)->user_id, 0);
	}
	w->commits[w->seq].n = w->changed_n - w->commits[w->seq].first;
	seen_commit(w, c, w->seq, rows);
}

static void snapshot(struct world *w)
{
	if (w->unsynced_n == UNSYNCED)
		world_fail(w, "world", "too many commits wait for a sync");
	w->unsynced[w->unsynced_n].seq = w->seq + 1;
	if (!w->unsynced[w->unsynced_n].before)
		w->unsynced[w->unsynced_n].before = mem_zero(sizeof(struct model));
	model_copy(w->unsynced[w->unsynced_n].before, w->sim.m);
	w->unsynced_n++;
}

/* Parts of a batch that was refused have no tick and take nobody back into the line. */
static void note_whole(struct conn *c)
{
	for (int i = 0; i < c->decided; i++)
		if (c->decisions[i].cmd->op == CORE_TICK || c->decisions[i].cmd->op == CORE_HEAR)
			c->refused = false;
}

/* Who was passed over is back in the line before anybody behind is let in. */
static void check_order(const struct conn *c, const struct core_rows *rows)
{
	for (const struct core_row *row = core_rows_dirty(rows); row; row = row->next_dirty) {
		const struct core_ticket *was = row->was, *now = row->now;
		if (row->id.kind != CORE_ROW_TICKET || !now)
			continue;
		if (now->status != CORE_PASSED)
			clients_taken_back(c->w, row->id.a, row->id.b);
		if (!c->refused && now->status == CORE_ACTIVE && (!was || was->status != CORE_ACTIVE))
			clients_let_in(c->w, c, row->id.a, row->id.b);
	}
}

/* Here the commit happens. */
static void happen(struct conn *c, const struct core_rows *rows, int64_t now)
{
	struct world *w = c->w;
	threads_hold();
	if (!w->shared)
		snapshot(w);
	enum store_result r = store_commit(w->sim.store, rows, now);
	if (r != STORE_OK)
		world_fail(w, "guard", "the store refuses what was decided: %s", store_result_name(r));
	if (now < w->decided_ms && c->loaded)
		world_fail(w, "clock", "decided at %lld, after %lld", (long long)now, (long long)w->decided_ms);
	w->decided_ms = now > w->decided_ms ? now : w->decided_ms;
	w->count[COUNT_COMMITS]++;
	note_commit(c, rows);
	if (w->shared)
		w->durable = w->seq;
	world_trace(w, "server %d: commit %lld", c->server->id, (long long)w->seq);
	w->sim.now = w->decided_ms;
	note_whole(c);
	check_decisions(c, true);
	check_order(c, rows);
	c->ended_us = threads_us();
	if (!sim_compare(&w->sim))
		world_fail(w, "rows", "%s", w->sim.m->why);
	threads_wake(&w->seq);
	threads_release();
	unlock(c);
	c->open = false;
}

static enum store_result c_commit(struct store *base, const struct core_rows *rows, int64_t now)
{
	struct conn *c = conn_of(base);
	struct world *w = c->w;
	if (!travel(c) || crashes(c, "before a commit"))
		return STORE_BROKEN;
	enum store_result r = fault(c, "commit");
	if (r != STORE_OK)
		return r;
	if (world_odds(w, w->odds.conflict))
		return went_wrong(c, STORE_CONFLICT, STORE_REFUSING, "commit");
	if (!c->locked && !lock(c)) /* nothing was loaded, so nothing is depended upon */
		return went_wrong(c, STORE_BUSY, STORE_CONTENDED, "lock");
	happen(c, rows, now);
	int64_t seq = w->seq;
	if (!travel(c) || crashes(c, "after a commit"))
		return STORE_BROKEN;
	if (w->shared && world_odds(w, w->odds.unknown)) {
		c->process = ++w->processes; /* so that the feed tells of it (postgres.c) */
		w->count[COUNT_UNKNOWN]++;
		clients_unknown(w, c, seq);
		seen_unknown(w, seq);
		return went_wrong(c, STORE_BROKEN, STORE_UNREACHABLE, "commit happened");
	}
	return STORE_OK;
}

static void c_rollback(struct store *base)
{
	struct conn *c = conn_of(base);
	if (c->open && !c->dead && !c->failed) {
		threads_hold();
		c->w->sim.now = c->now;
		note_whole(c);
		check_decisions(c, false);
		threads_release();
	}
	if (!c->busy)
		c->ended_us = threads_us();
	c->open = false;
	unlock(c);
}

static enum store_result c_confirm(struct store *base)
{
	struct conn *c = conn_of(base);
	enum store_result r = travel(c) ? fault(c, "confirm") : STORE_BROKEN;
	if (r == STORE_OK)
		c->ended_us = threads_us();
	return r;
}

static void c_sync(struct store *base)
{
	struct conn *c = conn_of(base);
	struct world *w = c->w;
	int64_t upto = w->seq;
	if (!travel(c) || crashes(c, "in a sync"))
		return;
	size_t settled = 0;
	while ((int)settled < w->unsynced_n && w->unsynced[settled].seq <= upto)
		settled++;
	memory_settle(w->sim.store, settled);
	for (size_t i = 0; i < settled; i++) { /* what was in front goes behind: the memory is used again */
		struct model *used = w->unsynced[0].before;
		memmove(&w->unsynced[0], &w->unsynced[1], (UNSYNCED - 1) * sizeof w->unsynced[0]);
		w->unsynced[UNSYNCED - 1].before = used;
	}
	w->unsynced_n -= (int)settled;
	w->durable = upto > w->durable ? upto : w->durable;
	world_trace(w, "server %d: synced to %lld", c->server->id, (long long)w->durable);
	if (travel(c))
		(void)crashes(c, "after a sync");
}

static enum store_result c_try_writing(struct store *base)
{
	struct conn *c = conn_of(base);
	return travel(c) ? fault(c, "try to write") : STORE_BROKEN;
}

static enum store_trouble c_trouble(struct store *base)
{
	return conn_of(base)->trouble;
}

static void c_maintain(struct store *base)
{
	(void)base;
}

static int64_t c_clock(struct store *base)
{
	struct conn *c = conn_of(base);
	return c->w->shared ? c->w->decided_ms : store_clock(c->w->sim.store);
}

static void c_close(struct store *base)
{
	struct conn *c = conn_of(base);
	unlock(c);
	free(c->decisions);
	free(c);
}

/* ---- what other servers have committed ---- */

static enum store_result c_scan(struct store *base, int64_t since, store_row_fn fn, void *arg)
{
	struct conn *c = conn_of(base);
	enum store_result r = travel(c) ? fault(c, "scan") : STORE_BROKEN;
	if (r != STORE_OK)
		return r;
	threads_hold();
	c->seen = c->w->seq;
	c->away = false;
	r = store_scan(c->w->sim.store, since, fn, arg);
	threads_release();
	return r;
}

static void give_changed(struct conn *c, struct core_rows *rows, const struct core_id *ids, size_t n, store_row_fn fn, void *arg)
{
	static const enum core_kind order[] = {CORE_ROW_USER, CORE_ROW_QUEUE,       CORE_ROW_CONCERT, CORE_ROW_SHOW,
	                                       CORE_ROW_SEAT, CORE_ROW_RESERVATION, CORE_ROW_TICKET};
	for (size_t i = 0; i < n; i++)
		core_need_row(rows, ids[i].kind, ids[i].a, ids[i].b, (struct text){0});
	if (core_rows_needy(rows) && store_load(c->w->sim.store, rows) != STORE_OK)
		world_fail(c->w, "world", "the rows of the feed can't be read");
	for (size_t k = 0; k < sizeof order / sizeof order[0]; k++)
		for (size_t i = 0; i < n; i++) {
			const void *row = ids[i].kind == order[k]
			                      ? core_row_get(rows, ids[i].kind, ids[i].a, ids[i].b, (struct text){0})
			                      : NULL;
			if (row)
				(void)fn(arg, ids[i].kind, row);
		}
}

static enum store_result c_follow(struct store *base, store_row_fn fn, void *arg)
{
	struct conn *c = conn_of(base);
	struct world *w = c->w;
	if (c->away)
		return STORE_CONFLICT;
	enum store_result r = travel(c) ? fault(c, "follow") : STORE_BUSY;
	if (r != STORE_OK)
		return r;
	if (world_odds(w, w->odds.away)) {
		c->away = true;
		w->count[COUNT_ANEW]++;
		world_trace(w, "server %d was away", c->server->id);
		return STORE_CONFLICT;
	}
	struct arena arena = {0};
	struct core_rows rows;
	threads_hold();
	core_rows_init(&rows, &arena, 64);
	struct core_id *ids = NULL;
	size_t n = 0;
	for (int64_t seq = c->seen + 1; seq <= w->seq; seq++) {
		if (w->commits[seq].process == c->process)
			continue;
		ids = mem_grow(ids, (n + w->commits[seq].n) * sizeof *ids + 1);
		memcpy(ids + n, w->changed + w->commits[seq].first, w->commits[seq].n * sizeof *ids);
		n += w->commits[seq].n;
	}
	give_changed(c, &rows, ids, n, fn, arg);
	if (w->seq > c->seen)
		world_trace(w, "server %d followed to %lld", c->server->id, (long long)w->seq);
	c->seen = w->seq;
	free(ids);
	arena_free(&arena);
	threads_release();
	return STORE_OK;
}

static enum store_result c_watch(struct store *base, int timeout_ms)
{
	struct conn *c = conn_of(base);
	int64_t until = threads_us() + timeout_ms * 1000LL;
	if (!threads_wait(c->dead ? NULL : &c->w->seq, until))
		return STORE_NONE;
	if (world_odds(c->w, 300)) { /* not every commit is told of */
		threads_sleep(until - threads_us());
		return STORE_NONE;
	}
	return STORE_OK;
}

static enum store_result c_hear(struct store *base, const struct store_heard *own, size_t n, store_heard_fn fn, void *arg)
{
	struct conn *c = conn_of(base);
	struct world *w = c->w;
	enum store_result r = travel(c) ? fault(c, "hear") : STORE_BROKEN;
	if (r != STORE_OK)
		return r;
	threads_hold();
	for (size_t i = 0; i < n; i++) {
		w->heard[w->heard_n % HEARD].process = c->server->id;
		w->heard[w->heard_n++ % HEARD].heard = own[i];
	}
	int64_t from = w->heard_n - HEARD > c->heard ? w->heard_n - HEARD : c->heard;
	for (int64_t i = from; i < w->heard_n; i++)
		if (w->heard[i % HEARD].process != c->server->id)
			fn(arg, &w->heard[i % HEARD].heard);
	c->heard = w->heard_n;
	threads_release();
	return STORE_OK;
}

/* ---- readers ---- */

struct reader {
	struct store_reader base;
	struct conn *c;
	struct store_reader *inner;
};

static struct reader *reader_of(struct store_reader *base)
{
	return (struct reader *)(void *)base;
}

static const struct store_ops *reader_ops(void);

static enum store_result c_reader_open(struct store *base, struct store_reader **out)
{
	struct reader *r = mem_zero(sizeof *r);
	r->base.ops = reader_ops();
	r->c = conn_of(base);
	*out = &r->base;
	return store_reader_open(r->c->w->sim.store, &r->inner);
}

static void c_reader_close(struct store_reader *base)
{
	store_reader_close(reader_of(base)->inner);
	free(base);
}

static enum store_result c_reservation(struct store_reader *base, int64_t id, struct arena *arena, struct core_reservation *out)
{
	struct reader *r = reader_of(base);
	if (!travel(r->c))
		return STORE_BROKEN;
	threads_hold();
	enum store_result result = store_reservation(r->inner, id, arena, out);
	threads_release();
	return result;
}

/* ---- the table ---- */

#define COMMON                                                                                                              \
	.close = c_close, .clock = c_clock, .begin = c_begin, .load = c_load, .ids = c_ids, .commit = c_commit,             \
	.rollback = c_rollback, .trouble = c_trouble, .try_writing = c_try_writing, .maintain = c_maintain, .scan = c_scan, \
	.reader_open = c_reader_open, .reader_close = c_reader_close, .reservation = c_reservation

static const struct store_ops alone_ops = {COMMON, .sync = c_sync};
static const struct store_ops shared_ops = {COMMON, .confirm = c_confirm, .follow = c_follow, .watch = c_watch, .hear = c_hear};

static const struct store_ops *reader_ops(void)
{
	return &alone_ops;
}

/* ---- as a whole ---- */

void database_open(struct world *w, int64_t capacity)
{
	struct store_options options = {.url = "memory:", .mode = STORE_SERVE, .queue_capacity = capacity};
	char error[STORE_ERROR_SIZE];
	if (store_memory_open(&options, &w->sim.store, error) != STORE_OK ||
	    store_reader_open(w->sim.store, &w->sim.reader) != STORE_OK)
		world_fail(w, "world", "no store: %s", error);
	if (!w->shared)
		memory_keep(w->sim.store);
	w->commits = mem_zero(COMMITS * sizeof *w->commits);
	w->sim.m->queue[w->sim.m->queues++] = (struct model_queue){.id = 1, .capacity = capacity, .name = "main"};
}

void database_close(struct world *w)
{
	store_reader_close(w->sim.reader);
	store_close(w->sim.store);
	free(w->commits);
	free(w->changed);
	for (int i = 0; i < UNSYNCED; i++)
		free(w->unsynced[i].before);
}

struct conn *database_connect(struct server *s)
{
	struct world *w = s->w;
	if (threads_us() < w->out_until_us)
		return NULL;
	struct conn *c = mem_zero(sizeof *c);
	c->base.ops = w->shared ? &shared_ops : &alone_ops;
	c->w = w;
	c->server = s;
	c->process = ++w->processes;
	c->offset_ms = w->shared ? world_below(w, 4) : 0;
	c->away = true;
	c->heard = w->heard_n;
	c->decisions = mem_alloc(DECISIONS * sizeof *c->decisions);
	return c;
}

void database_lose(struct conn *c, bool power)
{
	struct world *w = c->w;
	c->dead = true;
	unlock(c);
	threads_wake(&w->holder);
	threads_wake(&w->seq);
	if (w->shared || !power || w->seq == w->durable)
		return;
	int64_t kept = w->durable + world_below(w, w->seq - w->durable + 1);
	int lost = (int)(w->seq - kept);
	if (lost == 0)
		return;
	world_trace(w, "the power was cut: commits after %lld are lost", (long long)kept);
	w->count[COUNT_LOST] += lost;
	memory_undo(w->sim.store, (size_t)lost);
	w->unsynced_n -= lost;
	model_copy(w->sim.m, w->unsynced[w->unsynced_n].before);
	seen_undo(w, kept);
	clients_undo(w, kept);
	w->seq = kept;
	w->changed_n = w->commits[kept].first + w->commits[kept].n;
	w->decided_ms = store_clock(w->sim.store);
}

/* ---- every decision ---- */

void __real_core_decide(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply);
void __wrap_core_decide(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply);
void __wrap_core_decide(struct core_batch *b, const struct core_cmd *cmd, struct core_reply *reply)
{
	struct server *s = threads_owner();
	struct conn *c = s ? s->conn : NULL;
	uint64_t before = sim_fingerprint(b->rows);
	__real_core_decide(b, cmd, reply);
	if (!c || c->dead)
		return;
	if (c->decided == DECISIONS)
		world_fail(c->w, "world", "too many decisions in one batch");
	struct decision *d = &c->decisions[c->decided++];
	*d = (struct decision){.cmd = cmd, .m = c->w->sim.m, .reply = *reply};
	d->changed = (reply->code != CORE_OK || reply->replayed) && sim_fingerprint(b->rows) != before;
	for (int i = 0; i < MODEL_QUEUES; i++) {
		int64_t id = i < d->m->queues ? d->m->queue[i].id : 0;
		const struct core_queue *q = id ? core_row_get(b->rows, CORE_ROW_QUEUE, id, 0, (struct text){0}) : NULL;
		d->admitted[i] = q ? q->admitted : -1;
	}
}

/* What the log would say, in the trace. */
void __wrap_log_event(enum log_level level, const char *event, const char *key, const char *format, ...);
void __wrap_log_event(enum log_level level, const char *event, const char *key, const char *format, ...)
{
	struct world *w = world_of_thread();
	(void)format;
	if (w && level >= LOG_WARN)
		world_trace(w, "log: %s (%s)", event, key);
}
