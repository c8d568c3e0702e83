/* test_engine.c: inbox, group commit, tick, read model; on the memory store, behind a store that can be made to fail. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "engine/engine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- a store in front of the memory store: counts commits, fails when told to ---- */

struct gate {
	struct store base;
	struct store *inner;
	_Atomic int64_t commits, tries; /* that happened; that were asked for */
	_Atomic int fail_commits;       /* this many commits still fail ... */
	_Atomic int fail_with;          /* ... with this result */
	_Atomic int64_t poison_user;    /* a batch that holds an entry of this user is a CONFLICT */
	_Atomic int slow_us;            /* how long a commit takes */
	_Atomic bool hold_commits;      /* no commit returns */
	_Atomic bool hold_syncs;        /* no sync returns */
	_Atomic int64_t synced;         /* commits when a sync last returned */
	_Atomic int64_t syncs;
};

static _Atomic bool reads_held; /* the reader is kept at a read */

static struct gate *gate_of(struct store *s)
{
	return (struct gate *)s;
}

static void g_close(struct store *s)
{
	store_close(gate_of(s)->inner);
	free(s);
}

static const char *g_path(const struct store *s)
{
	return store_path(((const struct gate *)s)->inner);
}

static int64_t g_clock(struct store *s)
{
	return store_clock(gate_of(s)->inner);
}

static enum store_result g_begin(struct store *s, int64_t *now)
{
	return store_begin(gate_of(s)->inner, now);
}

static enum store_result g_load(struct store *s, struct core_rows *rows)
{
	return store_load(gate_of(s)->inner, rows);
}

static enum store_result g_ids(struct store *s, enum core_id_kind kind, int64_t n, struct core_ids *out)
{
	return store_ids(gate_of(s)->inner, kind, n, out);
}

static bool poisoned(const struct gate *g, const struct core_rows *rows)
{
	for (const struct core_row *row = core_rows_dirty(rows); row; row = row->next_dirty) {
		if (row->id.kind == CORE_ROW_ENTRY && row->id.a == g->poison_user)
			return true;
	}
	return false;
}

static void pause_us(int us)
{
	(void)nanosleep(&(struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000L}, NULL);
}

static enum store_result g_commit(struct store *s, const struct core_rows *rows, int64_t now)
{
	struct gate *g = gate_of(s);
	g->tries++;
	if (g->slow_us)
		pause_us(g->slow_us);
	while (g->hold_commits)
		pause_us(1000);
	if (g->fail_commits > 0) {
		g->fail_commits--;
		return (enum store_result)g->fail_with;
	}
	if (poisoned(g, rows))
		return STORE_CONFLICT;
	enum store_result r = store_commit(g->inner, rows, now);
	if (r == STORE_OK)
		g->commits++;
	return r;
}

static void g_sync(struct store *s)
{
	struct gate *g = gate_of(s);
	int64_t commits = g->commits;
	while (g->hold_syncs)
		pause_us(1000);
	store_sync(g->inner);
	g->synced = commits;
	g->syncs++;
}

static void g_rollback(struct store *s)
{
	store_rollback(gate_of(s)->inner);
}

static void g_maintain(struct store *s)
{
	store_maintain(gate_of(s)->inner);
}

static enum store_result g_scan(struct store *s, int64_t since, store_row_fn fn, void *arg)
{
	return store_scan(gate_of(s)->inner, since, fn, arg);
}

static enum store_result g_reader_open(struct store *s, struct store_reader **out)
{
	return store_reader_open(gate_of(s)->inner, out);
}

static const struct store_ops gate_ops = {
    .close = g_close,
    .path = g_path,
    .clock = g_clock,
    .begin = g_begin,
    .load = g_load,
    .ids = g_ids,
    .commit = g_commit,
    .sync = g_sync,
    .rollback = g_rollback,
    .maintain = g_maintain,
    .scan = g_scan,
    .reader_open = g_reader_open,
};

/* ---- a world: one concert with one show of ten seats, a simulated wall clock ---- */

struct world {
	struct gate *gate;
	struct clock clock;
	_Atomic int64_t wall;
	struct engine *engine;
};

static int64_t wall_now(void *arg)
{
	return ((struct world *)arg)->wall * 1000;
}

static int render(const struct core_cmd *cmd, const struct core_reply *reply, struct buf *out)
{
	buf_printf(out, "op %d balance %lld", (int)cmd->op, (long long)reply->user.balance);
	return 200;
}

struct call {
	struct engine_job job;
	struct arena arena;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool done;
	int64_t commits_when_done, synced_when_done;
	struct gate *gate;
};

static void call_done(struct engine_job *job)
{
	struct call *call = job->owner;
	(void)pthread_mutex_lock(&call->lock);
	call->commits_when_done = call->gate->commits;
	call->synced_when_done = call->gate->synced;
	call->done = true;
	(void)pthread_cond_signal(&call->cond);
	(void)pthread_mutex_unlock(&call->lock);
}

static void call_begin(struct world *w, struct call *call, const struct core_cmd *cmd)
{
	*call = (struct call){.gate = w->gate, .lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};
	call->job = (struct engine_job){.cmd = *cmd, .arena = &call->arena, .done = call_done, .owner = call};
	assert_true(engine_submit(w->engine, &call->job));
}

static void call_wait(struct call *call)
{
	(void)pthread_mutex_lock(&call->lock);
	while (!call->done)
		(void)pthread_cond_wait(&call->cond, &call->lock);
	(void)pthread_mutex_unlock(&call->lock);
}

static void call_free(struct call *call)
{
	arena_free(&call->arena);
}

/* Runs a command to its end; the reply's texts go with the call. */
static struct core_reply run(struct world *w, const struct core_cmd *cmd)
{
	struct call call;
	call_begin(w, &call, cmd);
	call_wait(&call);
	struct core_reply reply = call.job.reply;
	call_free(&call);
	return reply;
}

static struct core_cmd join_cmd(const char *name)
{
	struct core_cmd cmd = {.op = CORE_JOIN};
	cmd.u.join.username = text_of(name);
	return cmd;
}

static struct core_cmd as(enum core_op op, const struct core_ticket *t)
{
	return (struct core_cmd){.op = op, .auth_queue_id = t->queue_id, .auth_number = t->number, .auth_user_id = t->user_id};
}

static struct core_cmd charge_cmd(const struct core_ticket *t, int64_t amount)
{
	struct core_cmd cmd = as(CORE_CHARGE_WALLET, t);
	cmd.u.charge.user_id = t->user_id;
	cmd.u.charge.amount = amount;
	return cmd;
}

#define START 1800000000000LL

#define IDLE_MS 2000
#define IMPATIENT_MS 1000 /* how long a command may wait where that is tested */

static struct engine_config world_config(struct world *w)
{
	return (struct engine_config){
	    .store = &w->gate->base,
	    .clock = &w->clock,
	    .rules = {.hold_ms = 300000, .active_ms = 600000, .grace_ms = 60000, .seats_per_user = 4},
	    .waiting_idle_ms = IDLE_MS,
	    .poll_budget = 10,
	    .render = render,
	};
}

static int setup_with(void **state, int64_t capacity, int64_t command_wait_ms)
{
	struct world *w = calloc(1, sizeof *w);
	struct gate *g = calloc(1, sizeof *g);
	if (!w || !g)
		return -1;
	char error[STORE_ERROR_SIZE] = "";
	struct store_options options = {.url = "memory:", .mode = STORE_SERVE, .queue_capacity = capacity};
	g->base.ops = &gate_ops;
	if (store_open(&options, &g->inner, error) != STORE_OK)
		return -1;
	w->gate = g;
	w->wall = START;
	clock_init_simulated(&w->clock, 0, wall_now, wall_now, w);
	struct engine_config config = world_config(w);
	config.command_wait_ms = command_wait_ms;
	w->engine = engine_open(&config, error);
	*state = w;
	return w->engine ? 0 : -1;
}

static int setup_capacity(void **state, int64_t capacity)
{
	return setup_with(state, capacity, 0);
}

static int setup(void **state)
{
	return setup_capacity(state, 2);
}

static int setup_one(void **state)
{
	return setup_capacity(state, 1);
}

static int setup_impatient(void **state)
{
	return setup_with(state, 1, IMPATIENT_MS);
}

static int teardown(void **state)
{
	struct world *w = *state;
	w->gate->hold_syncs = w->gate->hold_commits = false; /* of a test that failed */
	reads_held = false;
	engine_close(w->engine);
	store_close(&w->gate->base);
	free(w);
	return 0;
}

static void add_concert(struct world *w)
{
	struct core_new_seats seats = {TEXT("A"), 1, 10, 1000};
	struct core_new_show show = {.starts_at = START + 86400000, .date = 20270116, .seats = &seats, .seats_count = 1};
	struct core_new_concert concert = {
	    .title = TEXT("T"), .artist = TEXT("B"), .venue = TEXT("V"), .shows = &show, .show_count = 1};
	struct core_catalogue doc = {.concerts = &concert, .concert_count = 1};
	struct core_cmd cmd = {.op = CORE_ADD_CATALOGUE};
	cmd.u.catalogue.doc = &doc;
	cmd.u.catalogue.actor = TEXT("test");
	assert_int_equal(run(w, &cmd).code, CORE_OK);
}

/* Polls the read model until the ticket has the status; 3 seconds at most. */
static struct engine_ticket wait_status(struct world *w, const struct core_ticket *t, enum core_ticket_status status)
{
	struct engine_ticket seen = {0};
	for (int i = 0; i < 300; i++) {
		assert_true(engine_look_ticket(w->engine, t->queue_id, t->number, engine_now(w->engine), &seen));
		if (seen.ticket.status == status)
			return seen;
		pause_us(10000);
	}
	fail_msg("ticket %lld is %d, not %d", (long long)t->number, (int)seen.ticket.status, (int)status);
	return seen;
}

/* ---- the tests ---- */

static void a_reply_comes_after_its_commit_and_after_the_model_shows_it(void **state)
{
	struct world *w = *state;
	struct core_cmd cmd = join_cmd("ann");
	struct call call;
	w->gate->slow_us = 20000;
	call_begin(w, &call, &cmd);
	call_wait(&call);
	assert_int_equal(call.commits_when_done, 1);
	assert_int_equal(call.synced_when_done, 1);
	assert_true(call.job.reply.created);
	struct engine_ticket seen;
	assert_true(engine_look_ticket(w->engine, 1, call.job.reply.ticket.number, START, &seen));
	assert_string_equal(seen.username, "ann");
	assert_int_equal(seen.ticket.status, CORE_ACTIVE);
	call_free(&call);
}

static bool is_done(struct call *call)
{
	(void)pthread_mutex_lock(&call->lock);
	bool done = call->done;
	(void)pthread_mutex_unlock(&call->lock);
	return done;
}

static void wait_commits(struct world *w, int64_t commits)
{
	for (int i = 0; i < 3000 && w->gate->commits < commits; i++)
		pause_us(1000);
	assert_true(w->gate->commits >= commits);
}

/* While one batch is being made durable the next is decided and committed; neither is answered or shown, not even by a refusal that comes
 * of what the first has done. */
static void nothing_is_told_before_it_is_durable(void **state)
{
	struct world *w = *state;
	struct core_cmd ann = join_cmd("ann"), bob = join_cmd("bob");
	struct call first, second, third;
	struct engine_ticket seen;
	w->gate->hold_syncs = true;
	call_begin(w, &first, &ann);
	wait_commits(w, 1);
	call_begin(w, &second, &bob);
	wait_commits(w, 2);
	call_begin(w, &third, &ann); /* has her place already: changes nothing, but says so */
	pause_us(20000);
	assert_false(is_done(&first) || is_done(&second) || is_done(&third));
	assert_false(engine_look_ticket(w->engine, 1, 1, START, &seen));
	w->gate->hold_syncs = false;
	call_wait(&first);
	call_wait(&second);
	call_wait(&third);
	assert_true(first.synced_when_done >= 1);
	assert_true(second.synced_when_done >= 2);
	assert_true(first.job.reply.created && second.job.reply.created);
	assert_false(third.job.reply.created);
	call_free(&first);
	call_free(&second);
	call_free(&third);
}

struct reading {
	struct engine_read read;
	_Atomic bool ran, done;
};

static enum store_result run_reading(struct engine_read *read, struct store_reader *reader)
{
	((struct reading *)read->owner)->ran = true;
	(void)reader;
	return STORE_OK;
}

static void reading_done(struct engine_read *read)
{
	((struct reading *)read->owner)->done = true;
}

/* A reader sees a commit before it is durable; who asked is told after. */
/* An earlier process may have been killed between a commit and its sync. What it has committed is looked at and told from the start. */
static void what_was_there_before_is_made_durable_at_the_start(void **state)
{
	struct world *w = *state;
	assert_int_equal(w->gate->commits, 0);
	assert_int_equal(w->gate->syncs, 1);
}

static void a_read_is_answered_when_what_it_saw_is_durable(void **state)
{
	struct world *w = *state;
	struct core_cmd ann = join_cmd("ann");
	struct call first;
	struct reading r = {.read = {.run = run_reading, .done = reading_done}};
	r.read.owner = &r;
	w->gate->hold_syncs = true;
	call_begin(w, &first, &ann);
	wait_commits(w, 1);
	assert_true(engine_read(w->engine, &r.read));
	for (int i = 0; i < 3000 && !r.ran; i++)
		pause_us(1000);
	assert_true(r.ran);
	pause_us(20000);
	assert_false(r.done);
	w->gate->hold_syncs = false;
	call_wait(&first);
	for (int i = 0; i < 3000 && !r.done; i++)
		pause_us(1000);
	assert_true(r.done);
	call_free(&first);
}

#define CROWD 400

static void commands_that_come_together_share_a_commit(void **state)
{
	struct world *w = *state;
	static struct call calls[CROWD];
	static char names[CROWD][16];
	w->gate->slow_us = 2000;
	for (int i = 0; i < CROWD; i++) {
		(void)snprintf(names[i], sizeof names[i], "u%d", i);
		struct core_cmd cmd = join_cmd(names[i]);
		call_begin(w, &calls[i], &cmd);
	}
	for (int i = 0; i < CROWD; i++) {
		call_wait(&calls[i]);
		assert_int_equal(calls[i].job.reply.code, CORE_OK);
		assert_int_equal(calls[i].job.reply.ticket.number, i + 1); /* I5: in the order of asking */
		call_free(&calls[i]);
	}
	assert_true(w->gate->commits < CROWD / 4);
	struct engine_ticket last;
	assert_true(engine_look_ticket(w->engine, 1, CROWD, START, &last));
	assert_int_equal(last.ahead, CROWD - 3); /* two are active */
	assert_true(last.retry_after_seconds >= 1);
}

static void ahead_does_not_count_those_who_left(void **state)
{
	struct world *w = *state;
	struct core_ticket t[6];
	const char *names[] = {"a", "b", "c", "d", "e", "f"};
	for (int i = 0; i < 6; i++) {
		struct core_cmd cmd = join_cmd(names[i]);
		t[i] = run(w, &cmd).ticket;
	}
	struct core_cmd leave = as(CORE_LEAVE, &t[3]);
	assert_int_equal(run(w, &leave).code, CORE_OK);
	struct engine_ticket seen;
	assert_true(engine_look_ticket(w->engine, 1, t[5].number, START, &seen));
	assert_int_equal(seen.ahead, 2);
	assert_true(engine_look_ticket(w->engine, 1, t[3].number, START, &seen));
	assert_int_equal(seen.ticket.status, CORE_EXPIRED);
	assert_int_equal(seen.ahead, 0);
}

static void the_tick_ends_what_lapsed_and_admits_the_next(void **state)
{
	struct world *w = *state;
	struct core_cmd first = join_cmd("first");
	struct core_cmd second = join_cmd("second");
	struct core_ticket a = run(w, &first).ticket;
	struct core_ticket b = run(w, &second).ticket;
	assert_int_equal(b.status, CORE_WAITING);
	w->wall += 600000;
	struct engine_ticket seen;
	assert_true(engine_look_ticket(w->engine, 1, a.number, w->wall, &seen)); /* at once, tick or not */
	assert_int_equal(seen.ticket.status, CORE_EXPIRED);
	assert_int_equal(seen.ticket.reason, CORE_TIMED_OUT);
	(void)wait_status(w, &b, CORE_ACTIVE);
}

/* More than one step can take, and no wait for the next tick between the steps. */
static void a_raised_capacity_is_filled_promptly(void **state)
{
	struct world *w = *state;
	static struct call calls[4 * JARI_TICK_STEP];
	static char names[4 * JARI_TICK_STEP][16];
	for (int i = 0; i < 4 * JARI_TICK_STEP; i++) {
		(void)snprintf(names[i], sizeof names[i], "u%d", i);
		struct core_cmd cmd = join_cmd(names[i]);
		call_begin(w, &calls[i], &cmd);
	}
	for (int i = 0; i < 4 * JARI_TICK_STEP; i++) {
		call_wait(&calls[i]);
		call_free(&calls[i]);
	}
	struct core_cmd patch = {.op = CORE_PATCH_QUEUE};
	patch.u.patch.queue_id = 1;
	patch.u.patch.has_capacity = true;
	patch.u.patch.capacity = 100000;
	patch.u.patch.actor = TEXT("test");
	struct engine_counters after;
	assert_int_equal(run(w, &patch).code, CORE_OK);
	struct core_ticket last = {.queue_id = 1, .number = 4 * JARI_TICK_STEP};
	(void)wait_status(w, &last, CORE_ACTIVE);
	engine_look_counters(w->engine, &after);
	assert_int_equal(after.admitted, 4 * JARI_TICK_STEP);
}

static void a_failed_commit_answers_unavailable_and_changes_nothing(void **state)
{
	struct world *w = *state;
	w->gate->fail_with = STORE_BROKEN;
	w->gate->fail_commits = 1;
	struct core_cmd cmd = join_cmd("ann");
	assert_int_equal(run(w, &cmd).code, CORE_STORE_UNAVAILABLE);
	struct engine_ticket seen;
	assert_false(engine_look_ticket(w->engine, 1, 1, START, &seen));
	struct core_reply again = run(w, &cmd);
	assert_int_equal(again.code, CORE_OK);
	assert_int_equal(again.ticket.number, 1); /* I5: the failed one left no gap */
}

static void a_busy_store_is_tried_again(void **state)
{
	struct world *w = *state;
	w->gate->fail_with = STORE_BUSY;
	w->gate->fail_commits = 3;
	struct core_cmd cmd = join_cmd("ann");
	assert_int_equal(run(w, &cmd).code, CORE_OK);
	assert_int_equal(w->gate->fail_commits, 0);
}

static void one_refused_command_takes_no_other_with_it(void **state)
{
	struct world *w = *state;
	struct core_cmd join_a = join_cmd("a");
	struct core_cmd join_b = join_cmd("b");
	struct core_ticket a = run(w, &join_a).ticket;
	struct core_ticket b = run(w, &join_b).ticket;
	w->gate->poison_user = b.user_id;
	w->gate->slow_us = 30000; /* so that all three gather behind the first */
	struct core_cmd cmds[] = {join_cmd("c"), charge_cmd(&a, 100), charge_cmd(&b, 100), charge_cmd(&a, 11)};
	struct call calls[4];
	for (int i = 0; i < 4; i++)
		call_begin(w, &calls[i], &cmds[i]);
	for (int i = 0; i < 4; i++)
		call_wait(&calls[i]);
	assert_int_equal(calls[1].job.reply.code, CORE_OK);
	assert_int_equal(calls[2].job.reply.code, CORE_STORE_UNAVAILABLE);
	assert_int_equal(calls[3].job.reply.code, CORE_OK);
	assert_int_equal(calls[3].job.reply.user.balance, 111);
	for (int i = 0; i < 4; i++)
		call_free(&calls[i]);
}

/* One by one they would be as many tries as commands, and all the while nobody would be let in, and nothing that others commit followed. */
static void one_refused_command_of_many_costs_few_tries(void **state)
{
	enum { MANY = 256, AT_FAULT = 170, TRIES_MAX = 2 * 8 + 2 };
	struct world *w = *state;
	struct core_cmd join_a = join_cmd("a"), join_b = join_cmd("b"), join_c = join_cmd("c");
	struct core_ticket a = run(w, &join_a).ticket, b = run(w, &join_b).ticket;
	static struct call first, calls[MANY];
	w->gate->poison_user = b.user_id;
	w->gate->hold_commits = true;   /* so that all gather behind the first */
	int64_t tries = w->gate->tries; /* before it is asked: its commit may begin at once */
	call_begin(w, &first, &join_c);
	while (w->gate->tries == tries)
		pause_us(1000);
	for (int i = 0; i < MANY; i++) {
		struct core_cmd cmd = charge_cmd(i == AT_FAULT ? &b : &a, 1);
		call_begin(w, &calls[i], &cmd);
	}
	tries = w->gate->tries;
	w->gate->hold_commits = false;
	call_wait(&first);
	int64_t balance = 0;
	for (int i = 0; i < MANY; i++) {
		call_wait(&calls[i]);
		assert_int_equal(calls[i].job.reply.code, i == AT_FAULT ? CORE_STORE_UNAVAILABLE : CORE_OK);
		if (i != AT_FAULT)
			assert_int_equal(calls[i].job.reply.user.balance, ++balance); /* in their order */
	}
	assert_in_range(w->gate->tries - tries, 3, TRIES_MAX);
	call_free(&first);
	for (int i = 0; i < MANY; i++)
		call_free(&calls[i]);
}

static void a_key_gives_the_first_answer_again(void **state)
{
	struct world *w = *state;
	struct core_cmd join = join_cmd("ann");
	struct core_ticket t = run(w, &join).ticket;
	struct core_cmd cmd = charge_cmd(&t, 500);
	cmd.key = TEXT("k1");
	memset(cmd.digest, 7, sizeof cmd.digest);
	struct call calls[3];
	w->gate->slow_us = 20000;
	for (int i = 0; i < 3; i++)
		call_begin(w, &calls[i], &cmd); /* at the same time: the second finds the first in its own batch */
	int replays = 0;
	for (int i = 0; i < 3; i++) {
		call_wait(&calls[i]);
		const struct core_reply *r = &calls[i].job.reply;
		assert_int_equal(r->code, CORE_OK);
		struct text body = r->replayed ? r->replay_body : calls[i].job.answer;
		char want[64];
		(void)snprintf(want, sizeof want, "op %d balance 500", CORE_CHARGE_WALLET);
		assert_int_equal(body.n, strlen(want));
		assert_memory_equal(body.p, want, body.n);
		replays += r->replayed;
	}
	assert_int_equal(replays, 2);
	for (int i = 0; i < 3; i++)
		call_free(&calls[i]);
	cmd.digest[0] = 8;
	assert_int_equal(run(w, &cmd).code, CORE_IDEMPOTENCY_KEY_REUSED);
}

static void seats_show_a_lapse_at_the_very_instant_and_versions_only_grow(void **state)
{
	struct world *w = *state;
	add_concert(w);
	struct core_cmd join = join_cmd("ann");
	struct core_ticket t = run(w, &join).ticket;
	struct core_cmd hold = as(CORE_HOLD, &t);
	int64_t wanted[] = {3, 4};
	hold.u.hold.concert_id = 1;
	hold.u.hold.date = 20270116;
	hold.u.hold.seats = wanted;
	hold.u.hold.seat_count = 2;
	int64_t show_id = run(w, &hold).reservation.show_id;

	struct engine_show before;
	struct engine_show after;
	assert_true(engine_look_show(w->engine, show_id, START + 299999, &before));
	assert_int_equal(before.held, 2);
	assert_int_equal(before.available, 8);
	assert_true(engine_look_show(w->engine, show_id, START + 300000, &after));
	assert_int_equal(after.held, 0);
	assert_int_equal(after.available, 10);
	assert_int_equal(after.show.version, before.show.version + 1);

	struct arena arena = {0};
	struct core_seat *seats;
	size_t n;
	struct engine_show show;
	assert_true(engine_look_seats(w->engine, show_id, START + 300000, &arena, &show, &seats, &n));
	assert_int_equal(n, 10);
	assert_int_equal(show.show.version, after.show.version);
	assert_int_equal(seats[2].status, CORE_SEAT_FREE);
	assert_true(engine_look_seats(w->engine, show_id, START, &arena, &show, &seats, &n));
	assert_int_equal(show.show.version, before.show.version);
	assert_int_equal(seats[2].status, CORE_SEAT_HELD);
	arena_free(&arena);

	w->wall += 300000; /* the tick ends the hold: the version that was shown is now the stored one */
	for (int i = 0; i < 300; i++) {
		assert_true(engine_look_show(w->engine, show_id, START, &before));
		if (before.held == 0)
			break;
		pause_us(10000);
	}
	assert_int_equal(before.held, 0);
	assert_int_equal(before.show.version, after.show.version);
}

/* Polls as b waits, until `ahead` of t is as wanted; 3 seconds at most. */
static void wait_ahead(struct world *w, const struct core_ticket *t, int64_t ahead)
{
	struct engine_ticket seen = {0};
	for (int i = 0; i < 300; i++) {
		assert_true(engine_look_ticket(w->engine, t->queue_id, t->number, engine_now(w->engine), &seen));
		if (seen.ticket.status == CORE_WAITING && seen.ahead == ahead)
			return;
		pause_us(10000);
	}
	fail_msg("ahead is %lld, not %lld", (long long)seen.ahead, (long long)ahead);
}

static void who_falls_silent_is_passed_over_until_heard_from_again(void **state)
{
	struct world *w = *state;
	struct core_cmd joins[] = {join_cmd("a"), join_cmd("b"), join_cmd("c")};
	struct core_ticket t[3];
	for (int i = 0; i < 3; i++)
		t[i] = run(w, &joins[i]).ticket;
	wait_ahead(w, &t[2], 1);
	w->wall += IDLE_MS + 1000;
	wait_ahead(w, &t[2], 0); /* c asks, b does not: b no longer counts */
	struct core_cmd leave = as(CORE_LEAVE, &t[0]);
	assert_int_equal(run(w, &leave).code, CORE_OK);
	(void)wait_status(w, &t[2], CORE_ACTIVE);
	assert_int_equal(wait_status(w, &t[1], CORE_WAITING).ahead, 0); /* b asks again: at the head, as ever */
	leave = as(CORE_LEAVE, &t[2]);
	assert_int_equal(run(w, &leave).code, CORE_OK);
	(void)wait_status(w, &t[1], CORE_ACTIVE);
}

static void a_restart_gives_everyone_the_whole_idle_time_anew(void **state)
{
	struct world *w = *state;
	struct core_cmd joins[] = {join_cmd("a"), join_cmd("b"), join_cmd("c")};
	struct core_ticket t[3];
	for (int i = 0; i < 3; i++)
		t[i] = run(w, &joins[i]).ticket;
	engine_close(w->engine);
	w->wall += IDLE_MS * 10;
	struct engine_config config = world_config(w);
	char error[STORE_ERROR_SIZE];
	w->engine = engine_open(&config, error);
	assert_non_null(w->engine);
	pause_us(300000); /* some ticks */
	wait_ahead(w, &t[2], 1);
}

static void join_crowd(struct world *w)
{
	static char names[CROWD][16];
	for (int i = 0; i < CROWD; i++) {
		(void)snprintf(names[i], sizeof names[i], "u%d", i);
		struct core_cmd cmd = join_cmd(names[i]);
		(void)run(w, &cmd);
	}
}

/* An idle time of 0: nobody is passed over, so that no interval is cut short. */
static void open_with_budget(struct world *w, int64_t poll_budget, int64_t waiting_idle_ms)
{
	struct engine_config config = world_config(w);
	char error[STORE_ERROR_SIZE];
	config.poll_budget = poll_budget;
	config.waiting_idle_ms = waiting_idle_ms;
	engine_close(w->engine);
	w->engine = engine_open(&config, error);
	assert_non_null(w->engine);
}

/* 10 polls a second for everybody: with 400 waiting, the sum over all of them of polls a second comes to about that. */
static void pollers_together_keep_to_the_budget(void **state)
{
	struct world *w = *state;
	join_crowd(w);
	open_with_budget(w, world_config(w).poll_budget, 0);
	double polls = 0;
	int64_t front = 0;
	int64_t back = 0;
	for (int64_t number = 3; number <= CROWD; number++) {
		struct engine_ticket seen;
		assert_true(engine_look_ticket(w->engine, 1, number, START, &seen));
		assert_true(seen.retry_after_seconds >= 1);
		polls += 1.0 / (double)seen.retry_after_seconds;
		front += number <= 42 ? seen.retry_after_seconds : 0;
		back += number > CROWD - 40 ? seen.retry_after_seconds : 0;
	}
	assert_true(polls > 6 && polls < 14);
	assert_true(back > 2 * front);
}

/* Whoever asks in one second is not told to come back in one second: neighbours are spread over the whole of the jitter, whatever its width is. */
static void neighbours_are_not_told_to_come_back_together(void **state)
{
	struct world *w = *state;
	join_crowd(w);
	static const int64_t budgets[] = {10, 20, 40, 200, 1000000};
	for (size_t i = 0; i < sizeof budgets / sizeof *budgets; i++) {
		open_with_budget(w, budgets[i], 0);
		for (int64_t second = 0; second < 10; second++) {
			int told[128] = {0};
			int64_t least = INT64_MAX, most = 0;
			for (int64_t number = CROWD - 49; number <= CROWD; number++) {
				struct engine_ticket seen;
				assert_true(engine_look_ticket(w->engine, 1, number, START + second * 1000, &seen));
				int64_t s = seen.retry_after_seconds;
				assert_in_range(s, 1, 127);
				told[s]++;
				least = s < least ? s : least;
				most = s > most ? s : most;
			}
			for (int64_t s = least; s <= most; s++) /* 50 tickets: four times its share is far outside of chance */
				assert_true(told[s] <= 4 * 50 / (most - least + 1) && told[s] < 45);
		}
	}
}

/* However short the idle time is, jitter and all. */
static void who_keeps_to_what_is_told_is_not_silent(void **state)
{
	struct world *w = *state;
	join_crowd(w);
	for (int64_t idle_s = 1; idle_s <= 8; idle_s++) {
		open_with_budget(w, 10, idle_s * 1000);
		for (int64_t number = 3; number <= CROWD; number++) {
			struct engine_ticket seen;
			assert_true(engine_look_ticket(w->engine, 1, number, START, &seen));
			assert_in_range(seen.retry_after_seconds, 1, idle_s > 1 ? idle_s - 1 : 1);
		}
	}
}

#define LINE 40

/* The flow is measured once a second of the real clock. */
static void wait_for_a_measurement(void)
{
	pause_us(1300000);
}

/* Two a second are let in; the last of the line is told how long it will be at that rate, and nothing before it was measured. */
static void eta_follows_the_measured_outflow(void **state)
{
	struct world *w = *state;
	struct core_ticket tickets[LINE];
	struct engine_ticket last;
	for (int i = 0; i < LINE; i++) {
		char name[16];
		(void)snprintf(name, sizeof name, "p%d", i);
		struct core_cmd cmd = join_cmd(name);
		tickets[i] = run(w, &cmd).ticket;
	}
	wait_for_a_measurement();
	assert_true(engine_look_ticket(w->engine, 1, LINE, engine_now(w->engine), &last));
	assert_int_equal(last.eta_seconds, -1);
	for (int i = 0; i < 12; i++) {
		w->wall += 500;
		for (int64_t number = 2; number <= LINE; number++) /* they ask, so nobody is passed over */
			assert_true(engine_look_ticket(w->engine, 1, number, engine_now(w->engine), &last));
	}
	wait_for_a_measurement();
	assert_true(engine_look_ticket(w->engine, 1, LINE, engine_now(w->engine), &last));
	assert_int_equal(last.eta_seconds,
	                 -1); /* that the first need not wait says nothing of when the others will have their turn */
	for (int i = 0; i < 20; i++) {
		w->wall += 500;
		for (int64_t number = i + 2; number <= LINE; number++)
			assert_true(engine_look_ticket(w->engine, 1, number, engine_now(w->engine), &last));
		struct core_cmd cmd = as(CORE_LEAVE, &tickets[i]);
		assert_int_equal(run(w, &cmd).code, CORE_OK);
	}
	wait_for_a_measurement();
	assert_true(engine_look_ticket(w->engine, 1, LINE, engine_now(w->engine), &last));
	assert_int_equal(last.ahead, LINE - 22); /* one active, and itself */
	assert_in_range(last.eta_seconds, (LINE - 21) / 2 - 1, (LINE - 21) / 2 + 1);
}

/* ---- too much to do ---- */

static struct engine_counters counters_of(struct world *w)
{
	struct engine_counters c;
	engine_look_counters(w->engine, &c);
	return c;
}

/* Whether the engine takes a command; one that it takes is waited for at the end. */
static bool is_taken(struct world *w, struct call *call, const struct core_cmd *cmd)
{
	*call = (struct call){.gate = w->gate, .lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};
	call->job = (struct engine_job){.cmd = *cmd, .arena = &call->arena, .done = call_done, .owner = call};
	return engine_submit(w->engine, &call->job);
}

static void wait_until_inbox_is(struct world *w, int64_t n)
{
	for (int i = 0; i < 5000 && counters_of(w).inbox != n; i++)
		pause_us(1000);
	assert_int_equal(counters_of(w).inbox, n);
}

static void what_would_wait_too_long_is_not_taken(void **state)
{
	enum { MANY = JARI_BATCH_MAX + 2 };
	struct world *w = *state;
	static struct call line[MANY], late[6];
	static char names[MANY][16];
	struct core_cmd join = join_cmd("ann");
	struct core_ticket t = run(w, &join).ticket;
	w->gate->hold_commits = true;
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(names[i], sizeof names[i], "l%d", i);
		struct core_cmd cmd = join_cmd(names[i]);
		call_begin(w, &line[i], &cmd);
		if (i == 0) /* it is being committed; the others gather behind it */
			wait_until_inbox_is(w, 0);
	}
	assert_int_equal(counters_of(w).inbox, MANY - 1);
	assert_true(counters_of(w).inbox_wait_us < IMPATIENT_MS * 1000);
	pause_us(IMPATIENT_MS * 1000 + 50000);
	/* who asks for a place comes back later; who has one is let wait longer, but not for ever; the organiser always is */
	struct core_cmd new_join = join_cmd("zoe"), charge = charge_cmd(&t, 5);
	struct core_cmd patch = {.op = CORE_PATCH_QUEUE};
	patch.u.patch = (__typeof__(patch.u.patch)){.queue_id = 1, .has_paused = true, .actor = TEXT("test")};
	assert_false(is_taken(w, &late[0], &new_join));
	assert_true(is_taken(w, &late[1], &charge));
	assert_true(is_taken(w, &late[2], &patch));
	pause_us(IMPATIENT_MS * 1000);
	assert_false(is_taken(w, &late[3], &new_join));
	assert_false(is_taken(w, &late[4], &charge));
	assert_true(is_taken(w, &late[5], &patch));
	struct engine_counters c = counters_of(w);
	assert_int_equal(c.shed[ENGINE_SHED_COMMAND_WAIT], 3);
	assert_int_equal(c.shed[ENGINE_SHED_INBOX_FULL], 0);
	assert_true(c.inbox_wait_us >= 2 * IMPATIENT_MS * 1000);
	/* looking needs no committer */
	struct engine_ticket seen;
	assert_true(engine_look_ticket(w->engine, t.queue_id, t.number, engine_now(w->engine), &seen));
	w->gate->hold_commits = false;
	for (int i = 0; i < MANY; i++)
		call_wait(&line[i]);
	call_wait(&late[1]);
	call_wait(&late[2]);
	call_wait(&late[5]);
	assert_int_equal(late[1].job.reply.code, CORE_OK);
	/* and when the line is gone, everybody is taken again */
	assert_int_equal(run(w, &new_join).code, CORE_OK);
	assert_int_equal(counters_of(w).inbox_wait_us, 0);
	for (int i = 0; i < MANY; i++)
		call_free(&line[i]);
	for (int i = 0; i < 6; i++)
		call_free(&late[i]);
}

static enum store_result held_read(struct engine_read *read, struct store_reader *reader)
{
	(void)read, (void)reader;
	while (reads_held)
		pause_us(1000);
	return STORE_OK;
}

static void held_read_done(struct engine_read *read)
{
	(void)atomic_fetch_add((_Atomic int *)read->owner, 1);
}

static void a_read_that_would_wait_too_long_is_not_taken(void **state)
{
	struct world *w = *state;
	_Atomic int done = 0;
	struct engine_read reads[5];
	for (int i = 0; i < 5; i++)
		reads[i] = (struct engine_read){.run = held_read, .done = held_read_done, .owner = (void *)&done};
	reads_held = true;
	assert_true(engine_read(w->engine, &reads[0]));
	assert_true(engine_read(w->engine, &reads[1]));
	assert_true(engine_read(w->engine, &reads[2]));
	pause_us(IMPATIENT_MS * 1000 + 50000);
	assert_false(engine_read(w->engine, &reads[3]));
	reads[4].patient = true;
	assert_true(engine_read(w->engine, &reads[4]));
	assert_int_equal(counters_of(w).shed[ENGINE_SHED_READ_WAIT], 1);
	assert_true(counters_of(w).reads_wait_us >= IMPATIENT_MS * 1000);
	reads_held = false;
	for (int i = 0; i < 5000 && done < 4; i++)
		pause_us(1000);
	assert_int_equal(done, 4);
}

/* Commands that come at three times the rate at which they are worked off, at fixed times whatever becomes of them. */
struct flood {
	_Atomic int64_t done;
	int64_t *waits_us;
};

static void flood_done(struct engine_job *job)
{
	struct flood *f = job->owner;
	/* one thread calls this; who sees that it is done reads how long it took */
	f->waits_us[f->done] = clock_elapsed_us() - job->came_us;
	(void)atomic_fetch_add(&f->done, 1);
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void at_three_times_the_capacity_the_wait_is_bounded(void **state)
{
	enum {
		COMMIT_US = 100000,
		STEP_US = 10000,
		STEPS = 250,
		CAPACITY = JARI_BATCH_MAX * STEP_US / COMMIT_US,
		RATE = 3 * CAPACITY
	};
	struct world *w = *state;
	struct flood f = {.waits_us = calloc((size_t)STEPS * RATE, sizeof(int64_t))};
	struct engine_job **jobs = calloc((size_t)STEPS * RATE, sizeof(struct engine_job *));
	char(*names)[16] = calloc((size_t)STEPS * RATE, sizeof *names);
	int64_t taken = 0, shed = 0, polls = 0, longest = 0, begin = clock_elapsed_us();
	struct core_cmd first = join_cmd("first");
	struct core_ticket t = run(w, &first).ticket;
	assert_non_null(f.waits_us);
	assert_non_null(jobs);
	assert_non_null(names);
	w->gate->slow_us = COMMIT_US;
	for (int step = 0; step < STEPS; step++) {
		for (int i = 0; i < RATE; i++) {
			int64_t n = taken + shed;
			(void)snprintf(names[n], sizeof names[n], "f%lld", (long long)n);
			struct engine_job *job = calloc(1, sizeof *job);
			assert_non_null(job);
			*job = (struct engine_job){.cmd = join_cmd(names[n]), .done = flood_done, .owner = &f};
			job->arena = calloc(1, sizeof *job->arena);
			if (engine_submit(w->engine, job)) {
				jobs[taken++] = job;
			} else {
				shed++;
				free(job->arena);
				free(job);
			}
		}
		struct engine_ticket seen;
		int64_t asked = clock_elapsed_us();
		polls += engine_look_ticket(w->engine, t.queue_id, t.number, engine_now(w->engine), &seen);
		int64_t took = clock_elapsed_us() - asked;
		longest = took > longest ? took : longest;
		int64_t due = begin + (int64_t)(step + 1) * STEP_US - clock_elapsed_us();
		if (due > 0)
			pause_us((int)due);
	}
	int64_t offered_us = clock_elapsed_us() - begin, inbox = counters_of(w).inbox;
	for (int i = 0; i < 10000 && f.done < taken; i++)
		pause_us(1000);
	assert_int_equal(f.done, taken);
	qsort(f.waits_us, (size_t)taken, sizeof(int64_t), by_value);
	int64_t p99 = f.waits_us[taken * 99 / 100];
	print_message("# offered %lld in %lld ms, taken %lld, turned away %lld, p50 %lld ms, p99 %lld ms, longest look %lld us\n",
	              (long long)(taken + shed), (long long)offered_us / 1000, (long long)taken, (long long)shed,
	              (long long)f.waits_us[taken / 2] / 1000, (long long)p99 / 1000, (long long)longest);
	assert_int_equal(counters_of(w).shed[ENGINE_SHED_COMMAND_WAIT], shed);
	assert_true(shed > 0);
	/* it goes on working: most of what it can do in that time was done */
	assert_true(taken > offered_us / COMMIT_US * JARI_BATCH_MAX / 2);
	/* the bound, and the batches on their way; without a bound it would be the whole inbox, six seconds */
	assert_true(p99 < 3 * IMPATIENT_MS * 1000);
	assert_true(inbox < JARI_INBOX_MAX / 2);
	assert_int_equal(polls, STEPS);
	for (int64_t i = 0; i < taken; i++) {
		arena_free(jobs[i]->arena);
		free(jobs[i]->arena);
		free(jobs[i]);
	}
	free(names);
	free(jobs);
	free(f.waits_us);
}

static void closing_answers_what_was_submitted(void **state)
{
	struct world *w = *state;
	static struct call calls[50];
	static char names[50][16];
	w->gate->slow_us = 5000;
	for (int i = 0; i < 50; i++) {
		(void)snprintf(names[i], sizeof names[i], "c%d", i);
		struct core_cmd cmd = join_cmd(names[i]);
		call_begin(w, &calls[i], &cmd);
	}
	struct engine_config config = world_config(w);
	engine_close(w->engine);
	for (int i = 0; i < 50; i++) {
		assert_true(calls[i].done);
		assert_int_equal(calls[i].job.reply.code, CORE_OK);
		call_free(&calls[i]);
	}
	char error[STORE_ERROR_SIZE];
	w->engine = engine_open(&config, error); /* and a new engine finds it all in the store */
	assert_non_null(w->engine);
	struct engine_ticket seen;
	assert_true(engine_look_ticket(w->engine, 1, 50, START, &seen));
	assert_int_equal(seen.ahead, 47);
	assert_string_equal(seen.username, "c49");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_reply_comes_after_its_commit_and_after_the_model_shows_it, setup, teardown),
	    cmocka_unit_test_setup_teardown(nothing_is_told_before_it_is_durable, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_was_there_before_is_made_durable_at_the_start, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_read_is_answered_when_what_it_saw_is_durable, setup, teardown),
	    cmocka_unit_test_setup_teardown(commands_that_come_together_share_a_commit, setup, teardown),
	    cmocka_unit_test_setup_teardown(ahead_does_not_count_those_who_left, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_tick_ends_what_lapsed_and_admits_the_next, setup_one, teardown),
	    cmocka_unit_test_setup_teardown(a_raised_capacity_is_filled_promptly, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_failed_commit_answers_unavailable_and_changes_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_busy_store_is_tried_again, setup, teardown),
	    cmocka_unit_test_setup_teardown(one_refused_command_takes_no_other_with_it, setup, teardown),
	    cmocka_unit_test_setup_teardown(one_refused_command_of_many_costs_few_tries, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_key_gives_the_first_answer_again, setup, teardown),
	    cmocka_unit_test_setup_teardown(seats_show_a_lapse_at_the_very_instant_and_versions_only_grow, setup, teardown),
	    cmocka_unit_test_setup_teardown(who_falls_silent_is_passed_over_until_heard_from_again, setup_one, teardown),
	    cmocka_unit_test_setup_teardown(a_restart_gives_everyone_the_whole_idle_time_anew, setup_one, teardown),
	    cmocka_unit_test_setup_teardown(neighbours_are_not_told_to_come_back_together, setup, teardown),
	    cmocka_unit_test_setup_teardown(who_keeps_to_what_is_told_is_not_silent, setup, teardown),
	    cmocka_unit_test_setup_teardown(pollers_together_keep_to_the_budget, setup, teardown),
	    cmocka_unit_test_setup_teardown(eta_follows_the_measured_outflow, setup_one, teardown),
	    cmocka_unit_test_setup_teardown(what_would_wait_too_long_is_not_taken, setup_impatient, teardown),
	    cmocka_unit_test_setup_teardown(a_read_that_would_wait_too_long_is_not_taken, setup_impatient, teardown),
	    cmocka_unit_test_setup_teardown(at_three_times_the_capacity_the_wait_is_bounded, setup_impatient, teardown),
	    cmocka_unit_test_setup_teardown(closing_answers_what_was_submitted, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
