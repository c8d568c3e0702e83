/* engine.c: the engine as a whole: its threads, the inbox, the reader. See engine.h. */
#include "engine/internal.h"

#include "base/log.h"
#include "base/thread.h"

#include <stdio.h>
#include <stdlib.h>

#define SILENT_MS 2000 /* a batch that takes so long waits for a database that does not answer */

int64_t engine_now(struct engine *e)
{
	return clock_now(e->config.clock);
}

enum store_trouble engine_trouble(struct engine *e)
{
	int trouble = atomic_load(&e->trouble);
	if (trouble != STORE_WELL)
		return (enum store_trouble)trouble;
	if (atomic_load(&e->behind))
		return STORE_BEHIND;
	/* A file is not silent; what takes long there is work. */
	bool silent = e->shared && clock_elapsed_us() - atomic_load(&e->beat_us) > SILENT_MS * 1000;
	return silent ? STORE_SILENT : STORE_WELL;
}

/* How long who comes now would wait; the inbox's lock is held. */
static int64_t inbox_wait_us(const struct engine *e, int64_t now_us)
{
	return overload_wait_us(&e->inbox_load, e->inbox_count, e->inbox_first ? now_us - e->inbox_first->came_us : 0);
}

/* The reads' lock is held. */
static int64_t reads_wait_us(const struct engine *e, int64_t now_us)
{
	return overload_wait_us(&e->reads_load, e->reads_count, e->reads_first ? now_us - e->reads_first->came_us : 0);
}

/* Past the bound, or `patience` times that; 0: never. */
static bool too_long(const struct engine *e, int64_t wait_us, int patience)
{
	return patience > 0 && wait_us > e->config.command_wait_ms * 1000 * patience;
}

static void count_shed(struct engine *e, enum engine_shed why)
{
	(void)atomic_fetch_add_explicit(&e->counters.shed[why], 1, memory_order_relaxed);
}

bool engine_submit(struct engine *e, struct engine_job *job)
{
	job->next = NULL;
	job->came_us = clock_elapsed_us();
	(void)pthread_mutex_lock(&e->inbox_lock);
	bool room = e->inbox_count < JARI_INBOX_MAX && !e->inbox_closed;
	bool shed = room && too_long(e, inbox_wait_us(e, job->came_us), engine_patience(job->cmd.op));
	if (room && !shed) {
		bool was_empty = !e->inbox_first;
		*e->inbox_last = job;
		e->inbox_last = &job->next;
		e->inbox_count++;
		if (was_empty || e->inbox_count == e->inbox_awaited)
			(void)pthread_cond_signal(&e->inbox_filled);
	}
	(void)pthread_mutex_unlock(&e->inbox_lock);
	if (!room || shed)
		count_shed(e, shed ? ENGINE_SHED_COMMAND_WAIT : ENGINE_SHED_INBOX_FULL);
	return room && !shed;
}

bool engine_read(struct engine *e, struct engine_read *read)
{
	read->next = NULL;
	read->came_us = clock_elapsed_us();
	(void)pthread_mutex_lock(&e->reads_lock);
	bool room = e->reads_count < JARI_READS_MAX && !e->reads_closed;
	bool shed = room && too_long(e, reads_wait_us(e, read->came_us), read->patient ? 0 : 1);
	if (room && !shed) {
		bool was_empty = !e->reads_first;
		*e->reads_last = read;
		e->reads_last = &read->next;
		e->reads_count++;
		if (was_empty)
			(void)pthread_cond_signal(&e->reads_filled);
	}
	(void)pthread_mutex_unlock(&e->reads_lock);
	if (!room || shed)
		count_shed(e, shed ? ENGINE_SHED_READ_WAIT : ENGINE_SHED_READS_FULL);
	return room && !shed;
}

/* The next read, or NULL when there will be none. */
static struct engine_read *take_read(struct engine *e)
{
	(void)pthread_mutex_lock(&e->reads_lock);
	while (!e->reads_first && !e->reads_closed)
		(void)pthread_cond_wait(&e->reads_filled, &e->reads_lock);
	struct engine_read *read = e->reads_first;
	if (read) {
		e->reads_first = read->next;
		if (!e->reads_first)
			e->reads_last = &e->reads_first;
		e->reads_count--;
	}
	(void)pthread_mutex_unlock(&e->reads_lock);
	return read;
}

static void *reader_run(void *arg)
{
	struct engine *e = arg;
	thread_is_called("reader");
	for (struct engine_read *read; (read = take_read(e));) {
		int64_t began = clock_elapsed_us();
		read->result = read->run(read, e->store_reader);
		flights_wait_durable(e);
		overload_note(&e->reads_load, 1, clock_elapsed_us() - began);
		(void)atomic_fetch_add_explicit(&e->counters.reads, 1, memory_order_relaxed);
		read->done(read);
	}
	return NULL;
}

/* Waits on the monotonic clock, so that a step of the wall clock moves no tick. */
static int init_sync(struct engine *e)
{
	pthread_condattr_t attr;
	int rc = pthread_condattr_init(&attr);
	rc |= pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	rc |= pthread_cond_init(&e->inbox_filled, &attr);
	rc |= pthread_cond_init(&e->reads_filled, &attr);
	rc |= pthread_condattr_destroy(&attr);
	rc |= pthread_mutex_init(&e->inbox_lock, NULL);
	rc |= pthread_mutex_init(&e->reads_lock, NULL);
	return rc;
}

static void close_queues(struct engine *e)
{
	(void)pthread_mutex_lock(&e->inbox_lock);
	e->inbox_closed = true;
	(void)pthread_cond_signal(&e->inbox_filled);
	(void)pthread_mutex_unlock(&e->inbox_lock);
	(void)pthread_mutex_lock(&e->reads_lock);
	e->reads_closed = true;
	(void)pthread_cond_signal(&e->reads_filled);
	(void)pthread_mutex_unlock(&e->reads_lock);
}

static void free_engine(struct engine *e)
{
	if (e->store_reader)
		store_reader_close(e->store_reader);
	model_free(&e->model);
	series_free(&e->series);
	(void)pthread_cond_destroy(&e->inbox_filled);
	(void)pthread_cond_destroy(&e->reads_filled);
	flights_free(e);
	(void)pthread_mutex_destroy(&e->inbox_lock);
	(void)pthread_mutex_destroy(&e->reads_lock);
	free(e);
}

/* Asks once whether the store is shared, and shows what was committed since the scan began. Then the store's clock is the one that counts: decisions
 * are made at it, and what is looked at must not be of another time because this machine's clock is wrong. */
static void ask_shared(struct engine *e, int64_t now)
{
	struct arena arena = {0};
	struct core_rows rows;
	core_rows_init(&rows, &arena, 256);
	e->shared = follow_gather(e, &rows) != STORE_NONE;
	if (e->shared)
		clock_follow(e->config.clock, now);
	model_publish(&e->model, &rows, now);
	arena_free(&arena);
}

/* The instant at which a batch would be decided; when that can't be known just now, the one at which the last was. */
static int64_t ask_time(struct engine *e)
{
	int64_t now = clock_now(e->config.clock);
	if (store_begin(e->config.store, &now) != STORE_OK)
		now = store_clock(e->config.store);
	store_rollback(e->config.store);
	return now;
}

struct engine *engine_open(const struct engine_config *config, char error[STORE_ERROR_SIZE])
{
	struct engine *e = mem_zero(sizeof *e);
	e->config = *config;
	if (e->config.command_wait_ms == 0)
		e->config.command_wait_ms = JARI_COMMAND_WAIT_MS_DEFAULT;
	e->inbox_load.at_once = JARI_BATCH_MAX;
	e->inbox_load.beyond = 1;
	e->reads_load.at_once = 1;
	e->inbox_last = &e->inbox_first;
	e->reads_last = &e->reads_first;
	if (init_sync(e) != 0 || !flights_init(e))
		abort();
	model_init(&e->model);
	series_init(&e->series);
	const char *failed = "the store's rows cannot be read";
	int64_t now = ask_time(e);
	if (model_load(&e->model, config->store, now) != STORE_OK)
		goto fail;
	ask_shared(e, now);
	/* What was read may be of a process that was killed before its sync. From now on it is told (I7). */
	store_sync(config->store);
	failed = "the store cannot be opened for reading";
	if (store_reader_open(config->store, &e->store_reader) != STORE_OK)
		goto fail;
	atomic_store(&e->beat_us, clock_elapsed_us());
	failed = "a thread cannot be started";
	if (pthread_create(&e->syncer, NULL, syncer_run, e) != 0)
		goto fail;
	if (pthread_create(&e->committer, NULL, committer_run, e) != 0)
		goto stop_syncer;
	if (pthread_create(&e->reader, NULL, reader_run, e) != 0)
		goto stop_committer;
	if (e->shared && pthread_create(&e->follower, NULL, follower_run, e) != 0)
		goto stop_reader;
	return e;
stop_reader:
	close_queues(e);
	(void)pthread_join(e->reader, NULL);
stop_committer:
	close_queues(e);
	(void)pthread_join(e->committer, NULL);
stop_syncer:
	flights_close(e);
	(void)pthread_join(e->syncer, NULL);
fail:
	(void)snprintf(error, STORE_ERROR_SIZE, "%s: see the log above", failed);
	free_engine(e);
	return NULL;
}

void engine_close(struct engine *e)
{
	close_queues(e);
	(void)pthread_join(e->committer, NULL);
	flights_close(e);
	(void)pthread_join(e->syncer, NULL);
	(void)pthread_join(e->reader, NULL);
	if (e->shared)
		(void)pthread_join(e->follower, NULL);
	free_engine(e);
}

const struct tally_bounds engine_batch_bounds = {11, {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, JARI_BATCH_MAX}};
const struct tally_bounds engine_time_bounds = {
    14, {100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000}};

void engine_look_counters(struct engine *e, struct engine_counters *out)
{
	(void)pthread_mutex_lock(&e->inbox_lock);
	int64_t inbox = e->inbox_count, inbox_wait = inbox_wait_us(e, clock_elapsed_us());
	(void)pthread_mutex_unlock(&e->inbox_lock);
	(void)pthread_mutex_lock(&e->reads_lock);
	int64_t reads_wait = reads_wait_us(e, clock_elapsed_us());
	(void)pthread_mutex_unlock(&e->reads_lock);
	*out = (struct engine_counters){
	    .commands = atomic_load(&e->counters.commands),
	    .batches = atomic_load(&e->counters.batches),
	    .commits = atomic_load(&e->counters.commits),
	    .failed_batches = atomic_load(&e->counters.failed_batches),
	    .commit_us = atomic_load(&e->counters.commit_us),
	    .admitted = atomic_load(&e->counters.admitted),
	    .holds = atomic_load(&e->counters.holds),
	    .payments = atomic_load(&e->counters.payments),
	    .charges = atomic_load(&e->counters.charges),
	    .tickets = atomic_load(&e->counters.tickets),
	    .inbox = inbox,
	    .reads = atomic_load(&e->counters.reads),
	    .inbox_wait_us = inbox_wait,
	    .reads_wait_us = reads_wait,
	};
	for (size_t i = 0; i < ENGINE_SHED_CAUSES; i++)
		out->shed[i] = atomic_load(&e->counters.shed[i]);
	tally_gather(&e->counters.batch_sizes, &out->batch_sizes);
	tally_gather(&e->counters.commit_times, &out->commit_times);
	tally_gather(&e->counters.sync_times, &out->sync_times);
	store_look_figures(e->config.store, &out->store);
}
