/* syncer.c: the thread that makes batches durable and answers them (I7): one sync for all that were committed since the last, then each
 * goes to the read model, and only then to those who asked for it. The committer decides the next one meanwhile. */
#include "engine/internal.h"

#include "base/thread.h"

#include <stdlib.h>

#define FLIGHTS 2 /* one is decided while one is synced; with more the batches are smaller, and each costs more */

/* ---- the flights ---- */

bool flights_init(struct engine *e)
{
	int rc = pthread_mutex_init(&e->flights_lock, NULL);
	rc |= pthread_cond_init(&e->flight_free, NULL);
	rc |= pthread_cond_init(&e->flight_landing, NULL);
	rc |= pthread_cond_init(&e->durable, NULL);
	e->landing_last = &e->landing_first;
	for (int i = 0; i < FLIGHTS; i++) {
		struct flight *f = mem_zero(sizeof *f);
		f->next = e->free_flights;
		e->free_flights = f;
	}
	return rc == 0;
}

void flights_free(struct engine *e)
{
	for (struct flight *f; (f = e->free_flights);) {
		e->free_flights = f->next;
		arena_free(&f->arena);
		free(f);
	}
	(void)pthread_cond_destroy(&e->durable);
	(void)pthread_cond_destroy(&e->flight_landing);
	(void)pthread_cond_destroy(&e->flight_free);
	(void)pthread_mutex_destroy(&e->flights_lock);
}

void flights_close(struct engine *e)
{
	(void)pthread_mutex_lock(&e->flights_lock);
	e->flights_closed = true;
	(void)pthread_cond_signal(&e->flight_landing);
	(void)pthread_mutex_unlock(&e->flights_lock);
}

struct flight *flight_take(struct engine *e)
{
	(void)pthread_mutex_lock(&e->flights_lock);
	while (!e->free_flights)
		(void)pthread_cond_wait(&e->flight_free, &e->flights_lock);
	struct flight *f = e->free_flights;
	e->free_flights = f->next;
	(void)pthread_mutex_unlock(&e->flights_lock);
	return f;
}

void flight_reset(struct flight *f)
{
	f->n = 0;
	f->tick = f->failed = false;
	f->hear_count = 0;
	f->fresh = NULL;
	f->rows = (struct core_rows){0};
}

void flight_land(struct engine *e, struct flight *f)
{
	f->next = NULL;
	(void)pthread_mutex_lock(&e->flights_lock);
	*e->landing_last = f;
	e->landing_last = &f->next;
	(void)pthread_cond_signal(&e->flight_landing);
	(void)pthread_mutex_unlock(&e->flights_lock);
}

static void free_flight(struct engine *e, struct flight *f)
{
	(void)pthread_mutex_lock(&e->flights_lock);
	f->next = e->free_flights;
	e->free_flights = f;
	(void)pthread_cond_signal(&e->flight_free);
	(void)pthread_mutex_unlock(&e->flights_lock);
}

void flights_wait_durable(struct engine *e)
{
	int64_t begun = atomic_load(&e->commits_begun);
	(void)pthread_mutex_lock(&e->flights_lock);
	while (e->commits_durable < begun)
		(void)pthread_cond_wait(&e->durable, &e->flights_lock);
	(void)pthread_mutex_unlock(&e->flights_lock);
}

/* ---- answering ---- */

static const int64_t *keep_ints(struct arena *a, const int64_t *p, size_t n)
{
	return n ? arena_copy(a, p, n * sizeof *p) : NULL;
}

static struct text keep_text(struct arena *a, struct text t)
{
	return t.n ? arena_text(a, t) : TEXT("");
}

/* The batch's memory goes; what the reply points to moves into the job's own. */
static void keep_reply(struct engine_job *job)
{
	struct core_reply *r = &job->reply;
	struct arena *a = job->arena;
	r->replay_body = keep_text(a, r->replay_body);
	r->user.name = keep_text(a, r->user.name);
	r->queue.name = keep_text(a, r->queue.name);
	r->concert.title = keep_text(a, r->concert.title);
	r->concert.artist = keep_text(a, r->concert.artist);
	r->concert.venue = keep_text(a, r->concert.venue);
	r->reservation.seats = keep_ints(a, r->reservation.seats, (size_t)r->reservation.seat_count);
	r->seats = keep_ints(a, r->seats, r->seat_count);
	r->where = keep_text(a, r->where);
	r->what = keep_text(a, r->what);
	r->queue_ids = keep_ints(a, r->queue_ids, r->queue_id_count);
	r->concert_ids = keep_ints(a, r->concert_ids, r->concert_id_count);
	r->show_ids = keep_ints(a, r->show_ids, r->show_id_count);
}

static void count_reply(struct engine *e, const struct engine_job *job)
{
	if (job->reply.code != CORE_OK || job->reply.replayed)
		return;
	if (job->cmd.op == CORE_HOLD)
		(void)atomic_fetch_add(&e->counters.holds, 1);
	else if (job->cmd.op == CORE_CHARGE_WALLET)
		(void)atomic_fetch_add(&e->counters.charges, 1);
	else if (job->cmd.op == CORE_PAY)
		(void)atomic_fetch_add(&e->counters.payments, 1);
	else if (job->cmd.op == CORE_JOIN && job->reply.created)
		(void)atomic_fetch_add(&e->counters.tickets, 1);
}

static void count_admitted(struct engine *e, const struct core_rows *rows)
{
	int64_t n = 0;
	for (const struct core_row *row = core_rows_dirty(rows); row; row = row->next_dirty) {
		if (row->id.kind != CORE_ROW_QUEUE || !row->was || !row->now)
			continue;
		n += ((const struct core_queue *)row->now)->admitted - ((const struct core_queue *)row->was)->admitted;
	}
	if (n)
		(void)atomic_fetch_add(&e->counters.admitted, n);
}

/* A job is its owner's again, and may be gone, once done() has been called. */
static void all_done(struct flight *f)
{
	for (size_t i = 0; i < f->n; i++)
		f->jobs[i]->more_follow = i + 1 < f->n && f->jobs[i + 1]->done == f->jobs[i]->done;
	for (size_t i = 0; i < f->n; i++)
		f->jobs[i]->done(f->jobs[i]);
}

static void show_anew(struct engine *e, struct model *fresh)
{
	model_swap(&e->model, fresh);
	model_free(fresh);
	free(fresh);
}

static void answer(struct engine *e, struct flight *f)
{
	if (f->fresh)
		show_anew(e, f->fresh);
	if (core_rows_dirty(&f->rows)) {
		model_publish(&e->model, &f->rows, f->now);
		count_admitted(e, &f->rows);
	}
	for (size_t i = 0; i < f->n; i++) {
		keep_reply(f->jobs[i]);
		count_reply(e, f->jobs[i]);
	}
	all_done(f);
}

static void answer_unavailable(struct flight *f)
{
	for (size_t i = 0; i < f->n; i++) {
		f->jobs[i]->reply = (struct core_reply){.code = CORE_STORE_UNAVAILABLE};
		f->jobs[i]->answer = (struct text){0};
	}
	all_done(f);
}

/* ---- the thread ---- */

/* Everything that waits to land, in its order; NULL when nothing will any more. */
static struct flight *take_landing(struct engine *e)
{
	(void)pthread_mutex_lock(&e->flights_lock);
	while (!e->landing_first && !e->flights_closed)
		(void)pthread_cond_wait(&e->flight_landing, &e->flights_lock);
	struct flight *first = e->landing_first;
	e->landing_first = NULL;
	e->landing_last = &e->landing_first;
	(void)pthread_mutex_unlock(&e->flights_lock);
	return first;
}

/* One sync for all the commits that these flights have made. */
static void make_durable(struct engine *e, const struct flight *first)
{
	int64_t commits = 0;
	for (const struct flight *f = first; f; f = f->next)
		commits = f->commits;
	if (commits == e->commits_durable) /* written by this thread alone */
		return;
	int64_t began = clock_elapsed_us();
	store_sync(e->config.store);
	int64_t took = clock_elapsed_us() - began;
	(void)atomic_fetch_add(&e->counters.commit_us, took);
	tally_note(&e->counters.sync_times, &engine_time_bounds, took);
	(void)pthread_mutex_lock(&e->flights_lock);
	e->commits_durable = commits;
	(void)pthread_cond_broadcast(&e->durable);
	(void)pthread_mutex_unlock(&e->flights_lock);
}

void *syncer_run(void *arg)
{
	struct engine *e = arg;
	thread_is_called("syncer");
	thread_stands_back();
	for (struct flight *f; (f = take_landing(e));) {
		make_durable(e, f);
		for (struct flight *next; f; f = next) {
			next = f->next;
			if (f->failed)
				answer_unavailable(f);
			else
				answer(e, f);
			free_flight(e, f);
		}
	}
	return NULL;
}
