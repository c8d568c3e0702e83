/* test_engine_start.c: an engine that can't start says so and leaves nothing behind; one that gets more than it can do says no, and goes on. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "engine/engine.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void nap(void)
{
	(void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* ---- threads that can't be had ---- */

static int threads_left = -1; /* below 0: as many as one likes */
typedef void *thread_fn(void *);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, thread_fn *run, void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, thread_fn *run, void *arg);

/* The linker puts this before the C library's (and the sanitizers'). */
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, thread_fn *run, void *arg)
{
	if (threads_left == 0)
		return EAGAIN;
	if (threads_left > 0)
		threads_left--;
	return __real_pthread_create(thread, attr, run, arg);
}

/* ---- a store in memory whose operations a test replaces ---- */

struct world {
	struct store *store;
	struct store_ops ops;
	struct clock clock;
	struct engine *engine; /* what is open, and is closed with the test however that ends */
};

/* Of the test that runs. */
static _Atomic bool hold_syncs, hold_reads;
static void (*real_sync)(struct store *);

static enum store_result no_scan(struct store *s, int64_t since, store_row_fn fn, void *arg)
{
	(void)s, (void)since, (void)fn, (void)arg;
	return STORE_BROKEN;
}

static enum store_result no_reader(struct store *s, struct store_reader **out)
{
	(void)s, (void)out;
	return STORE_BUSY;
}

static enum store_result nothing_to_follow(struct store *s, store_row_fn fn, void *arg)
{
	(void)s, (void)fn, (void)arg;
	return STORE_OK;
}

static enum store_result nothing_to_watch(struct store *s, int timeout_ms)
{
	(void)s, (void)timeout_ms;
	nap();
	return STORE_NONE;
}

static void held_sync(struct store *s)
{
	while (hold_syncs)
		nap();
	if (real_sync)
		real_sync(s);
}

static int render(const struct core_cmd *cmd, const struct core_reply *reply, struct buf *out)
{
	(void)cmd, (void)reply, (void)out;
	return 200;
}

static int setup(void **state)
{
	struct world *w = test_calloc(1, sizeof *w);
	char error[STORE_ERROR_SIZE];
	struct store_options options = {.url = "memory:", .mode = STORE_SERVE, .queue_capacity = 1};
	assert_int_equal(store_open(&options, &w->store, error), STORE_OK);
	w->ops = *w->store->ops;
	w->store->ops = &w->ops;
	clock_init(&w->clock, 0);
	threads_left = -1;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	hold_syncs = hold_reads = false;
	if (w->engine)
		engine_close(w->engine);
	store_close(w->store);
	test_free(w);
	return 0;
}

static struct engine *try_open(struct world *w, char error[STORE_ERROR_SIZE])
{
	struct engine_config config = {
	    .store = w->store,
	    .clock = &w->clock,
	    .rules = {.hold_ms = 300000, .active_ms = 600000, .grace_ms = 60000, .seats_per_user = 4},
	    .command_wait_ms = 3600 * 1000, /* only what there is no room for is turned away here */
	    .render = render,
	};
	error[0] = '\0';
	w->engine = engine_open(&config, error);
	return w->engine;
}

/* ---- commands and reads ---- */

static _Atomic int64_t answered, done;

static void job_done(struct engine_job *job)
{
	answered += job->reply.code == CORE_OK;
	done++;
}

/* Replies go into their arena on the engine's threads, so names are in another. */
static struct engine_job join(int64_t i, struct arena *names, struct arena *replies)
{
	char name[24];
	(void)snprintf(name, sizeof name, "user-%lld", (long long)i);
	struct engine_job job = {.cmd = {.op = CORE_JOIN}, .arena = replies, .done = job_done};
	job.cmd.u.join.username = arena_text(names, text_of(name));
	return job;
}

/* It works: a command is decided and answered. */
static void assert_works(struct engine *e)
{
	struct arena names = {0}, replies = {0};
	struct engine_job job = join(0, &names, &replies);
	int64_t before = answered;
	assert_true(engine_submit(e, &job));
	while (answered == before)
		nap();
	arena_free(&names);
	arena_free(&replies);
}

/* ---- starting ---- */

static void a_store_that_cannot_be_read_is_told(void **state)
{
	struct world *w = *state;
	char error[STORE_ERROR_SIZE];
	w->ops.scan = no_scan;
	assert_null(try_open(w, error));
	assert_string_equal(error, "the store's rows cannot be read: see the log above");
}

static void a_store_that_gives_no_reader_is_told(void **state)
{
	struct world *w = *state;
	char error[STORE_ERROR_SIZE];
	w->ops.reader_open = no_reader;
	assert_null(try_open(w, error));
	assert_string_equal(error, "the store cannot be opened for reading: see the log above");
}

/* Each of the threads in turn can't be had: those that were started are ended, and the same store serves the next try. */
static void a_thread_that_cannot_be_had_ends_the_others(void **state)
{
	struct world *w = *state;
	char error[STORE_ERROR_SIZE];
	w->ops.follow = nothing_to_follow; /* a shared store has a follower too */
	w->ops.watch = nothing_to_watch;
	for (int had = 0; had < 4; had++) {
		threads_left = had;
		assert_null(try_open(w, error));
		assert_string_equal(error, "a thread cannot be started: see the log above");
	}
	threads_left = 4;
	struct engine *e = try_open(w, error);
	assert_non_null(e);
	assert_works(e);
	engine_close(e);
	w->engine = NULL;
}

/* ---- too much ---- */

static void a_full_inbox_says_no_and_loses_nothing(void **state)
{
	enum { MANY = JARI_INBOX_MAX + 3 * JARI_BATCH_MAX };
	struct world *w = *state;
	char error[STORE_ERROR_SIZE];
	struct arena names = {0}, replies = {0};
	real_sync = w->ops.sync;
	w->ops.sync = held_sync;
	struct engine *e = try_open(w, error);
	assert_non_null(e);
	hold_syncs = true;
	struct engine_job *jobs = calloc(MANY, sizeof *jobs);
	int64_t taken = 0;
	answered = 0;
	for (; taken < MANY; taken++) {
		jobs[taken] = join(taken % 100, &names, &replies);
		if (!engine_submit(e, &jobs[taken]))
			break;
	}
	assert_in_range(taken, JARI_INBOX_MAX, MANY - 1); /* what waits is bounded; nothing else is */
	struct engine_counters counters;
	engine_look_counters(e, &counters);
	assert_true(counters.inbox <= JARI_INBOX_MAX);
	assert_int_equal(answered, 0); /* nothing is durable yet */
	hold_syncs = false;
	while (answered < taken)
		nap();
	assert_works(e);
	engine_close(e);
	w->engine = NULL;
	free(jobs);
	arena_free(&names);
	arena_free(&replies);
}

static _Atomic int64_t reads_done;

static enum store_result run_read(struct engine_read *read, struct store_reader *reader)
{
	(void)read, (void)reader;
	while (hold_reads)
		nap();
	return STORE_NONE;
}

static void read_done(struct engine_read *read)
{
	reads_done += read->result == STORE_NONE;
}

static void a_full_list_of_reads_says_no_and_loses_nothing(void **state)
{
	enum { MANY = JARI_READS_MAX + 10 };
	struct world *w = *state;
	char error[STORE_ERROR_SIZE];
	struct engine *e = try_open(w, error);
	assert_non_null(e);
	struct engine_read *reads = calloc(MANY, sizeof *reads);
	int64_t taken = 0;
	hold_reads = true;
	for (; taken < MANY; taken++) {
		reads[taken] = (struct engine_read){.run = run_read, .done = read_done};
		if (!engine_read(e, &reads[taken]))
			break;
	}
	assert_in_range(taken, JARI_READS_MAX, MANY - 1);
	assert_works(e); /* commands do not wait for reads */
	hold_reads = false;
	while (reads_done < taken)
		nap();
	engine_close(e);
	w->engine = NULL;
	free(reads);
}

/* ---- a batch ---- */

/* What is decided alone ends the batch before it, and the next one begins behind it. */
static void what_is_decided_alone_goes_between_batches(void **state)
{
	struct world *w = *state;
	char error[STORE_ERROR_SIZE];
	struct arena names = {0}, replies = {0};
	real_sync = w->ops.sync;
	w->ops.sync = held_sync;
	struct engine *e = try_open(w, error);
	assert_non_null(e);
	struct engine_job jobs[60];
	hold_syncs = true;
	answered = done = 0;
	for (int i = 0; i < 60; i++) {
		jobs[i] = join(i, &names, &replies);
		if (i % 3 == 1) {
			jobs[i].cmd = (struct core_cmd){.op = CORE_PATCH_CONCERT}; /* which names nothing to change */
			assert_true(core_alone(&jobs[i].cmd));
		}
		assert_true(engine_submit(e, &jobs[i]));
	}
	hold_syncs = false;
	while (done < 60)
		nap();
	assert_int_equal(answered, 40);
	for (int i = 0; i < 60; i++)
		assert_int_equal(jobs[i].reply.code, i % 3 == 1 ? CORE_INVALID_REQUEST : CORE_OK);
	engine_close(e);
	w->engine = NULL;
	arena_free(&names);
	arena_free(&replies);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_store_that_cannot_be_read_is_told),
	    TEST(a_store_that_gives_no_reader_is_told),
	    TEST(a_thread_that_cannot_be_had_ends_the_others),
	    TEST(a_full_inbox_says_no_and_loses_nothing),
	    TEST(a_full_list_of_reads_says_no_and_loses_nothing),
	    TEST(what_is_decided_alone_goes_between_batches),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
