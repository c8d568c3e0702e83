/* committer.c: the one thread that decides: batches, group commit, the tick. See engine.h.
 *
 * A batch is taken from the inbox, planned and loaded in rounds, decided command by command, saved and committed once. Then it is the
 * syncer's (syncer.c), and the next one is taken. */
#include "engine/gather.h"
#include "engine/internal.h"

#include "base/log.h"
#include "base/thread.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEND_MS 1000 /* how often the read model is tended */
#define BUSY_TRIES 8 /* of a batch that the store was too busy for */
#define BUSY_MS 3000 /* after this long no further try is begun: who waits wants to hear */
#define BUSY_PAUSE_US 2000
#define TELL_US 1000000 /* while batches fail it is logged so often */
#define TICK_QUEUES_MAX 1024
#define SILENT_QUEUES_MAX 256 /* a tick looks for the silent in so many queues, … */
#define SILENT_US 2000        /* … for so long, or until it has found some */

struct committer {
	struct engine *e;
	struct buf answer;
	int64_t tick_at; /* monotonic microseconds: when the next tick is due */
	int64_t tend_at;
	int64_t tick_queues[TICK_QUEUES_MAX];
	int64_t tick_after;                         /* the queue that the last tick has named last */
	int64_t silent_after;                       /* the queue whose silent were looked for last */
	struct engine_job *refused[JARI_BATCH_MAX]; /* of a batch that a guard of the store said no to */
	bool tick_more;                             /* the last tick left something for the next */
	enum store_result down; /* what a batch has failed with, and nothing was written since; STORE_OK: well */
	int64_t told_us;        /* monotonic: when that was logged last */
	uint64_t chance;        /* for jitter */
	struct flight *spare;   /* taken, and came to nothing */
	int64_t commits_landed; /* of the last flight that was handed over */
	int64_t took_us;        /* monotonic: when the last commands were taken, … */
	int64_t took;           /* … and how many */
	struct following following;
	struct hearing hearing;
};

/* ---- taking ---- */

static struct timespec at_us(int64_t us)
{
	return (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
}

static struct engine_job *pop(struct engine *e)
{
	struct engine_job *job = e->inbox_first;
	e->inbox_first = job->next;
	if (!e->inbox_first)
		e->inbox_last = &e->inbox_first;
	e->inbox_count--;
	return job;
}

/* What is decided alone must be committed before anyone names what it makes (core_alone). */
static void fill(struct engine *e, struct flight *batch)
{
	batch->n = 0;
	while (e->inbox_first && batch->n < JARI_BATCH_MAX) {
		bool alone = core_alone(&e->inbox_first->cmd);
		if (alone && batch->n > 0)
			return;
		batch->jobs[batch->n++] = pop(e);
		if (alone)
			return;
	}
}

/* The inbox's lock is held. */
static void gather(struct engine *e, struct gather *g)
{
	gather_begin(g, clock_elapsed_us());
	e->inbox_awaited = g->awaited;
	while (!e->inbox_closed && gather_goes_on(g, e->inbox_count, clock_elapsed_us())) {
		struct timespec until = at_us(clock_elapsed_us() + GATHER_STEP_US);
		(void)pthread_cond_timedwait(&e->inbox_filled, &e->inbox_lock, &until);
	}
	e->inbox_awaited = 0;
}

static int64_t wake_us(struct committer *c)
{
	int64_t follow_us = follow_wake_us(c->e, &c->following);
	return follow_us < c->tick_at ? follow_us : c->tick_at;
}

/* Waits for commands, the tick, or what other processes have done. False when the inbox is closed and empty. */
static bool take(struct committer *c, struct flight *batch)
{
	struct engine *e = c->e;
	int64_t ended_us = clock_elapsed_us();
	if (c->took > 0)
		overload_note(&e->inbox_load, c->took, ended_us - c->took_us);
	(void)pthread_mutex_lock(&e->inbox_lock);
	struct gather g = gather_after(c->took, e->inbox_count, ended_us);
	int64_t wake = wake_us(c);
	while (!e->inbox_first && !e->inbox_closed && clock_elapsed_us() < wake) {
		struct timespec until = at_us(wake);
		(void)pthread_cond_timedwait(&e->inbox_filled, &e->inbox_lock, &until);
		wake = wake_us(c);
	}
	if (e->shared && e->inbox_first)
		gather(e, &g);
	fill(e, batch);
	c->took_us = clock_elapsed_us();
	c->took = (int64_t)batch->n;
	bool over = batch->n == 0 && e->inbox_closed;
	(void)pthread_mutex_unlock(&e->inbox_lock);
	bool alone = batch->n > 0 && core_alone(&batch->jobs[0]->cmd);
	batch->tick = !over && !alone && clock_elapsed_us() >= c->tick_at;
	return !over;
}

/* ---- deciding ---- */

static void plan(const struct core_batch *core, const struct flight *batch)
{
	for (size_t i = 0; i < batch->hear_count; i++)
		core_plan(core, &batch->hear_cmd[i]);
	if (batch->tick)
		core_plan(core, &batch->tick_cmd);
	for (size_t i = 0; i < batch->n; i++)
		core_plan(core, &batch->jobs[i]->cmd);
}

static enum store_result load(struct committer *c, struct core_batch *core, const struct flight *batch)
{
	for (int round = 0; round < CORE_PLAN_ROUNDS; round++) {
		plan(core, batch);
		if (!core_rows_needy(core->rows))
			return STORE_OK;
		enum store_result r = store_load(c->e->config.store, core->rows);
		if (r != STORE_OK)
			return r;
	}
	return STORE_OK;
}

/* How many ids of each kind the batch may draw. A store across a network brings them with the first load. */
static void want_ids(struct committer *c, const struct flight *batch, int64_t wanted[CORE_ID_KINDS])
{
	for (size_t i = 0; i < batch->n; i++)
		core_ids_wanted(&batch->jobs[i]->cmd, wanted);
	for (int kind = 0; kind < CORE_ID_KINDS; kind++)
		if (wanted[kind] > 0)
			store_want_ids(c->e->config.store, (enum core_id_kind)kind, wanted[kind]);
}

static enum store_result set_ids_aside(struct committer *c, struct core_batch *core, const int64_t wanted[CORE_ID_KINDS])
{
	for (int kind = 0; kind < CORE_ID_KINDS; kind++) {
		if (wanted[kind] == 0)
			continue;
		enum store_result r = store_ids(c->e->config.store, (enum core_id_kind)kind, wanted[kind], &core->ids[kind]);
		if (r != STORE_OK)
			return r;
	}
	return STORE_OK;
}

/* A command with a key that succeeded: its answer is written now, so that it is kept in the same commit (I8). */
static void keep_answer(struct committer *c, struct core_batch *core, struct engine_job *job)
{
	job->answer = (struct text){0};
	if (job->cmd.key.n == 0 || job->reply.code != CORE_OK || job->reply.replayed)
		return;
	buf_reset(&c->answer);
	job->answer_status = c->e->config.render(&job->cmd, &job->reply, &c->answer);
	job->answer = arena_text(job->arena, buf_view(&c->answer));
	core_keep_answer(core, &job->cmd, job->answer_status, job->answer);
}

static void decide(struct committer *c, struct core_batch *core, struct flight *batch)
{
	struct core_reply ignored;
	for (size_t i = 0; i < batch->hear_count; i++)
		core_decide(core, &batch->hear_cmd[i], &ignored);
	if (batch->tick)
		core_decide(core, &batch->tick_cmd, &batch->tick_reply);
	for (size_t i = 0; i < batch->n; i++) {
		core_decide(core, &batch->jobs[i]->cmd, &batch->jobs[i]->reply);
		keep_answer(c, core, batch->jobs[i]);
	}
}

/* Nothing is to be saved. A success that is told all the same (an answer given before, a place taken before) is told of an earlier commit, which
 * another process may have made (I7). */
static enum store_result end_unchanged(struct committer *c, const struct flight *batch)
{
	for (size_t i = 0; i < batch->n; i++)
		if (batch->jobs[i]->reply.code == CORE_OK)
			return store_confirm(c->e->config.store);
	store_rollback(c->e->config.store);
	return STORE_OK;
}

/* One try at a batch, up to and with the commit. */
static enum store_result try_batch(struct committer *c, struct core_batch *core, struct flight *batch)
{
	struct engine *e = c->e;
	core->now = clock_now(e->config.clock);
	enum store_result r = store_begin(e->config.store, &core->now);
	if (r != STORE_OK)
		return r;
	batch->now = core->now;
	clock_lift(e->config.clock, core->now);
	int64_t wanted[CORE_ID_KINDS] = {0};
	want_ids(c, batch, wanted);
	r = load(c, core, batch);
	if (r == STORE_OK)
		r = set_ids_aside(c, core, wanted);
	if (r != STORE_OK)
		return r;
	decide(c, core, batch);
	if (!core_rows_dirty(core->rows))
		return end_unchanged(c, batch);
	int64_t began = clock_elapsed_us();
	(void)atomic_fetch_add(&e->commits_begun, 1);
	r = store_commit(e->config.store, core->rows, core->now);
	if (r == STORE_OK) {
		(void)atomic_fetch_add(&e->counters.commits, 1);
		int64_t took = clock_elapsed_us() - began;
		(void)atomic_fetch_add(&e->counters.commit_us, took);
		tally_note(&e->counters.commit_times, &engine_time_bounds, took);
	}
	return r;
}

/* ---- one batch ---- */

static struct flight *next_flight(struct committer *c)
{
	struct flight *f = c->spare ? c->spare : flight_take(c->e);
	c->spare = NULL;
	flight_reset(f);
	atomic_store(&c->e->beat_us, clock_elapsed_us());
	return f;
}

/* A flight that is taken lands, whatever becomes of it; one in which there is nothing to tell serves again. */
static void land(struct committer *c, struct flight *batch)
{
	batch->commits = atomic_load(&c->e->commits_begun);
	if (batch->n == 0 && !batch->fresh && !core_rows_dirty(&batch->rows) && batch->commits == c->commits_landed &&
	    !c->spare) {
		c->spare = batch;
		return;
	}
	c->commits_landed = batch->commits;
	flight_land(c->e, batch);
}

static void note_tick(struct committer *c, const struct flight *batch)
{
	c->tick_more = !batch->failed && batch->tick && batch->tick_reply.code == CORE_OK && batch->tick_reply.more;
}

static void note_trouble(struct committer *c, enum store_result r)
{
	enum store_trouble trouble = store_trouble(c->e->config.store);
	c->down = r;
	atomic_store(&c->e->trouble, trouble == STORE_WELL ? STORE_REFUSING : trouble);
}

static void note_failure(struct committer *c, const struct flight *batch, enum store_result r)
{
	(void)atomic_fetch_add(&c->e->counters.failed_batches, 1);
	int64_t now_us = clock_elapsed_us();
	if (c->down == STORE_OK || (batch->n > 0 && now_us - c->told_us >= TELL_US)) {
		log_event(LOG_ERROR, "batch failed", "result", "%s (%zu commands)", store_result_name(r), batch->n);
		c->told_us = now_us;
	}
	note_trouble(c, r);
}

/* Nothing is in the way any more. A batch that has written nothing does not tell: whoever asks whether changes are taken wants to know. */
static void note_success(struct committer *c, const struct flight *batch)
{
	enum store_result was = c->down, r = STORE_OK;
	if (was == STORE_OK)
		return;
	if (!core_rows_dirty(&batch->rows))
		r = store_try_writing(c->e->config.store);
	if (r != STORE_OK) {
		note_trouble(c, r);
		return;
	}
	c->down = STORE_OK;
	atomic_store(&c->e->trouble, STORE_WELL);
	if (was != STORE_CONFLICT)
		log_event(LOG_INFO, "batches succeed again", "result", "%s", store_result_name(r));
}

/* Twice as long each time, give or take a half, so that processes that got in each other's way do not meet again. */
static void pause_before(struct committer *c, int tries)
{
	int64_t us = (int64_t)BUSY_PAUSE_US << (tries - 1);
	c->chance = (c->chance ^ (uint64_t)clock_elapsed_us()) * 0x9e3779b97f4a7c15ULL;
	us = us / 2 + (int64_t)((c->chance >> 32) % (uint64_t)us);
	(void)nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

static enum store_result try_while_busy(struct committer *c, struct core_batch *core, struct flight *batch)
{
	enum store_result r = STORE_BUSY;
	int64_t until = clock_elapsed_us() + BUSY_MS * 1000LL;
	for (int tries = 0; tries < BUSY_TRIES && r == STORE_BUSY && clock_elapsed_us() < until; tries++) {
		if (tries > 0)
			pause_before(c, tries);
		arena_reset(&batch->arena);
		core_rows_init(core->rows, &batch->arena, batch->n * 8);
		r = try_batch(c, core, batch);
		if (r != STORE_OK)
			store_rollback(c->e->config.store);
	}
	return r;
}

/* One batch as a whole. False when a guard of the store said no to it, and its commands may do better in parts: then they are still to be run. */
static bool run_whole(struct committer *c, struct flight *batch)
{
	struct core_batch core = {.rows = &batch->rows, .rules = &c->e->config.rules};
	enum store_result r = try_while_busy(c, &core, batch);
	(void)atomic_fetch_add(&c->e->counters.batches, 1);
	(void)atomic_fetch_add(&c->e->counters.commands, (int64_t)batch->n);
	if (batch->n > 0)
		tally_note(&c->e->counters.batch_sizes, &engine_batch_bounds, (int64_t)batch->n);
	batch->failed = r != STORE_OK;
	note_tick(c, batch);
	if (r == STORE_OK) {
		note_success(c, batch);
		land(c, batch);
		return true;
	}
	note_failure(c, batch, r);
	for (size_t i = 0; i < batch->hear_count; i++)
		model_put_back(&c->e->model, batch->hear_cmd[i].u.hear.queue_id, batch->hear_cmd[i].u.hear.back,
		               batch->hear_cmd[i].u.hear.back_count);
	bool divides = r == STORE_CONFLICT && batch->n > 0 && batch->n + batch->tick + batch->hear_count > 1;
	if (divides)
		batch->n = 0;
	land(c, batch);
	return !divides;
}

static void run_halves(struct committer *c, struct engine_job *const *jobs, size_t n);

/* These commands, without a tick. */
static void run_part(struct committer *c, struct engine_job *const *jobs, size_t n)
{
	struct flight *part = next_flight(c);
	memcpy(part->jobs, jobs, n * sizeof(struct engine_job *));
	part->n = n;
	if (!run_whole(c, part))
		run_halves(c, jobs, n);
}

static void run_halves(struct committer *c, struct engine_job *const *jobs, size_t n)
{
	run_part(c, jobs, n - n / 2);
	if (n > 1)
		run_part(c, jobs + (n - n / 2), n / 2);
}

/* A command that a guard of the store says no to takes no other with it: a batch that it is in is halved until it is alone. One by one, a full batch
 * would be a thousand round trips, in which there is no tick and nothing is followed; so one at fault costs some twenty. */
static void run_batch(struct committer *c, struct flight *batch)
{
	size_t n = batch->n;
	memcpy(c->refused, batch->jobs, n * sizeof(struct engine_job *));
	if (!run_whole(c, batch))
		run_halves(c, c->refused, n);
}

static struct core_cmd *add_hear(struct flight *batch, int64_t queue_id)
{
	struct core_cmd *cmd = &batch->hear_cmd[batch->hear_count++];
	*cmd = (struct core_cmd){.op = CORE_HEAR};
	cmd->u.hear.queue_id = queue_id;
	return cmd;
}

/* Who was passed over and has asked again may have been told its place in the line: it is there before anything else is decided, or a newcomer could
 * have its turn. */
static void prepare_back(struct committer *c, struct flight *batch)
{
	int64_t queue_id = 0;
	size_t taken = 0, n;
	while (batch->hear_count < JARI_HEAR_QUEUES &&
	       (n = model_take_back(&c->e->model, &queue_id, batch->hear_back + taken, JARI_HEAR_STEP - taken)) > 0) {
		struct core_cmd *cmd = add_hear(batch, queue_id);
		cmd->u.hear.back = batch->hear_back + taken;
		cmd->u.hear.back_count = n;
		taken += n;
	}
}

static void pass_over(struct flight *batch, int64_t queue_id, size_t n)
{
	struct core_cmd *cmd = add_hear(batch, queue_id);
	cmd->u.hear.silent = batch->hear_silent;
	cmd->u.hear.silent_count = n;
}

/* The silent of one queue are passed over, the first that has some. */
static void prepare_silent(struct committer *c, struct flight *batch)
{
	struct model *m = &c->e->model;
	if (c->e->config.waiting_idle_ms == 0)
		return;
	hearing_step(c->e, &c->hearing);
	if (!hearing_knows(c->e, &c->hearing))
		return;
	int64_t until = clock_elapsed_us() + SILENT_US, first = 0;
	for (int looked = 0; looked < SILENT_QUEUES_MAX && (looked == 0 || clock_elapsed_us() < until); looked++) {
		int64_t queue_id = model_next_waiting(m, c->silent_after);
		if (queue_id == 0 || queue_id == first)
			return; /* nobody waits, or all have been looked at */
		first = first ? first : queue_id;
		c->silent_after = queue_id;
		size_t n = model_silent(m, queue_id, clock_now(c->e->config.clock), c->e->config.waiting_idle_ms,
		                        batch->hear_silent, JARI_HEAR_STEP);
		if (n > 0) {
			pass_over(batch, queue_id, n);
			return;
		}
	}
}

static void prepare_tick(struct committer *c, struct flight *batch)
{
	prepare_silent(c, batch);
	batch->tick_cmd = (struct core_cmd){.op = CORE_TICK};
	batch->tick_cmd.u.tick.queue_ids = c->tick_queues;
	batch->tick_cmd.u.tick.queue_count =
	    model_queues_with_room(&c->e->model, &c->tick_after, c->tick_queues, TICK_QUEUES_MAX);
	batch->tick_reply = (struct core_reply){0};
}

/* What is decided alone is decided without any of this. */
static void prepare(struct committer *c, struct flight *batch)
{
	if (batch->tick || (batch->n > 0 && !core_alone(&batch->jobs[0]->cmd)))
		prepare_back(c, batch);
	if (batch->tick)
		prepare_tick(c, batch);
}

/* The next tick comes at its time, or with the next batch when this one had more to do than one step. */
static void after_tick(struct committer *c, bool ticked)
{
	int64_t now_us = clock_elapsed_us();
	if (ticked) {
		c->tick_at = c->tick_more ? now_us : now_us + JARI_TICK_MS * 1000;
		sampler_step(c->e, clock_now(c->e->config.clock));
	}
	if (now_us < c->tend_at)
		return;
	c->tend_at = now_us + TEND_MS * 1000;
	model_tend(&c->e->model, clock_now(c->e->config.clock));
}

void *committer_run(void *arg)
{
	struct committer *c = mem_zero(sizeof *c);
	c->e = arg;
	thread_is_called("committer");
	thread_stands_back();
	for (bool more = true; more;) {
		struct flight *batch =
		    next_flight(c); /* before commands are taken, so that those that come meanwhile are among them */
		if (follow_when_due(c->e, &c->following, batch)) {
			land(c, batch);
			continue;
		}
		more = take(c, batch);
		bool ticked = batch->tick;
		prepare(c, batch);
		if (batch->n > 0 || batch->tick)
			run_batch(c, batch);
		else
			land(c, batch);
		after_tick(c, ticked);
		store_maintain(c->e->config.store);
	}
	if (c->spare)
		flight_land(c->e, c->spare);
	buf_free(&c->answer);
	free(c);
	return NULL;
}
