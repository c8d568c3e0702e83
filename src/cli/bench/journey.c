/* journey.c: see journey.h. */
#include "cli/bench/journey.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/limits.h"
#include "cli/bench/progress.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_US 100000
#define SECOND_US 1000000

/* When a guest goes on. */
struct due {
	int64_t at_us;
	int64_t guest; /* of this worker's */
};

struct crowd;

struct worker {
	struct crowd *crowd;
	pthread_t id;
	struct client *client;
	struct guest_book book;
	struct guest *guests;
	int64_t count;
	struct due *heap; /* the earliest first; guests who are neither done nor waiting for an answer */
	int64_t heap_n;
	bool broken;
};

struct crowd {
	struct guest_world world;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	int running, count;
	struct worker *workers;
	_Atomic int64_t stop_us;
};

/* ---- the heap ---- */

static void heap_put(struct worker *w, int64_t at_us, int64_t guest)
{
	int64_t i = w->heap_n++;

	while (i > 0 && w->heap[(i - 1) / 2].at_us > at_us) {
		w->heap[i] = w->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	w->heap[i] = (struct due){at_us, guest};
}

static struct due heap_take(struct worker *w)
{
	struct due first = w->heap[0], last = w->heap[--w->heap_n];
	int64_t i = 0;

	for (;;) {
		int64_t child = 2 * i + 1;

		if (child >= w->heap_n)
			break;
		if (child + 1 < w->heap_n && w->heap[child + 1].at_us < w->heap[child].at_us)
			child++;
		if (w->heap[child].at_us >= last.at_us)
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	w->heap[i] = last;
	return first;
}

/* ---- a worker ---- */

static void send_due(struct worker *w, int64_t now)
{
	if (now >= w->crowd->stop_us)
		return;
	while (w->heap_n > 0 && w->heap[0].at_us <= now) {
		struct client_conn *c = client_take(w->client);
		struct due d;

		if (c == NULL)
			return;
		d = heap_take(w);
		c->tag = d.guest;
		client_send(c, guest_ask(&w->guests[d.guest], &w->crowd->world, c->out), d.at_us);
	}
}

static void answered(struct client_conn *c, enum client_outcome outcome, void *arg)
{
	struct worker *w = arg;
	struct guest *g = &w->guests[c->tag];
	int64_t next = guest_answer(g, &w->crowd->world, &w->book, c, outcome);

	w->book.stats->end_us = c->end_us;
	if (g->action != GUEST_DONE)
		heap_put(w, next, c->tag);
	send_due(w, c->end_us);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	for (;;) {
		int64_t now = clock_elapsed_us(), until = w->crowd->stop_us;

		send_due(w, now);
		if (client_busy(w->client) == 0 && (w->heap_n == 0 || now >= w->crowd->stop_us))
			break;
		if (w->heap_n > 0 && w->heap[0].at_us > now && w->heap[0].at_us < until)
			until = w->heap[0].at_us;
		if (now >= until)
			until = INT64_MAX; /* what is due waits for a connection */
		if (!client_turn(w->client, until)) {
			w->broken = true;
			break;
		}
	}
	(void)pthread_mutex_lock(&w->crowd->lock);
	w->crowd->running--;
	(void)pthread_cond_signal(&w->crowd->ended);
	(void)pthread_mutex_unlock(&w->crowd->lock);
	return NULL;
}

static bool open_worker(struct worker *w, struct crowd *crowd, int64_t i, char error[CLI_ERROR_SIZE])
{
	const struct bench_options *o = crowd->world.o;
	int64_t n = o->threads, connections = o->connections / n + (i < o->connections % n ? 1 : 0);
	struct client_config config = {.target = &o->at,
	                               .trust = o->trust,
	                               .connections = (int)connections,
	                               .timeout_us = o->timeout * SECOND_US,
	                               .done = answered,
	                               .arg = w};

	*w = (struct worker){.crowd = crowd, .count = o->users / n + (i < o->users % n ? 1 : 0)};
	w->book.stats = stats_new();
	w->book.stats->begin_us = w->book.stats->end_us = crowd->world.start_us;
	histogram_init(&w->book.wait, HISTOGRAM_FINE);
	w->guests = mem_zero((size_t)(w->count + 1) * sizeof(*w->guests));
	w->heap = mem_alloc((size_t)(w->count + 1) * sizeof(*w->heap));
	for (int64_t k = 0; k < w->count; k++)
		heap_put(w, guest_init(&w->guests[k], &crowd->world, i + k * n), k);
	w->client = client_open(&config, error);
	return w->client != NULL;
}

static void close_worker(struct worker *w)
{
	client_close(w->client);
	stats_free(w->book.stats);
	histogram_free(&w->book.wait);
	free(w->guests);
	free(w->heap);
}

/* ---- watching ---- */

static struct journey_moment look(const struct crowd *crowd, int64_t *done, int64_t *problems)
{
	struct journey_moment m = {0};

	*done = *problems = 0;
	for (int i = 0; i < crowd->count; i++) {
		const struct stats *s = crowd->workers[i].book.stats;

		m.joined += atomic_load_explicit(&s->joined, memory_order_relaxed);
		m.waiting += atomic_load_explicit(&s->waiting, memory_order_relaxed);
		m.active += atomic_load_explicit(&s->active, memory_order_relaxed);
		m.sold += atomic_load_explicit(&s->sold, memory_order_relaxed);
		*done += atomic_load_explicit(&s->done, memory_order_relaxed);
		*problems += atomic_load_explicit(&s->problems, memory_order_relaxed);
	}
	return m;
}

static void keep_moment(struct journey *out, const struct journey_moment *m)
{
	if (out->moment_count % 256 == 0)
		out->moments = mem_grow(out->moments, (out->moment_count + 256) * sizeof(*out->moments));
	out->moments[out->moment_count++] = *m;
}

static void wait_a_little(struct crowd *crowd)
{
	struct timespec until = {0};

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (long)LOOK_US * 1000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	(void)pthread_cond_timedwait(&crowd->ended, &crowd->lock, &until); /* a timeout is as good as a signal */
}

static void watch(struct crowd *crowd, struct journey *out)
{
	struct progress progress;
	int64_t done, problems, before = 0, before_us = crowd->world.start_us;
	struct journey_moment m;

	progress_begin(&progress, crowd->world.o->quiet);
	(void)pthread_mutex_lock(&crowd->lock);
	while (crowd->running > 0) {
		int64_t now;

		wait_a_little(crowd);
		now = clock_elapsed_us();
		m = look(crowd, &done, &problems);
		while ((int64_t)out->moment_count * SECOND_US <= now - crowd->world.start_us)
			keep_moment(out, &m);
		if (crowd->running == 0 || !progress_due(&progress, now))
			continue;
		progress_line(
		    &progress,
		    "%lld s: joined %lld of %lld, waiting %lld, active %lld, seats sold %lld of %lld, %lld requests a second, %lld not as hoped",
		    (long long)((now - crowd->world.start_us) / SECOND_US), (long long)m.joined, (long long)out->users,
		    (long long)m.waiting, (long long)m.active, (long long)m.sold, (long long)out->total_seats,
		    (long long)((done - before) * SECOND_US / (now - before_us + 1)), (long long)problems);
		before = done;
		before_us = now;
	}
	(void)pthread_mutex_unlock(&crowd->lock);
	m = look(crowd, &done, &problems);
	keep_moment(out, &m);
	progress_end(&progress, "%lld s: the end", (long long)((clock_elapsed_us() - crowd->world.start_us) / SECOND_US));
}

/* ---- the whole ---- */

static void gather(struct crowd *crowd, struct stats *total, struct journey *out)
{
	struct guest_world *world = &crowd->world;
	int64_t sold_out = atomic_load(&world->sold_out_us), nothing_left = atomic_load(&world->nothing_left_us);

	for (int i = 0; i < crowd->count; i++) {
		struct worker *w = &crowd->workers[i];

		stats_merge(total, w->book.stats);
		histogram_merge(&out->wait, &w->book.wait);
		if (w->book.longest_wait_us > out->longest_wait_us) {
			out->longest_wait_us = w->book.longest_wait_us;
			out->longest_wait_number = w->book.longest_wait_number;
		}
		for (int k = 0; k < GUEST_ENDS; k++)
			out->ends[k] += w->book.ends[k];
		for (int64_t k = 0; k < w->count; k++)
			out->ends[GUEST_ON_THE_WAY] += w->guests[k].action != GUEST_DONE;
	}
	out->stopped = out->ends[GUEST_ON_THE_WAY] > 0;
	out->sold = atomic_load(&world->sold);
	out->sold_out_us = sold_out == 0 ? -1 : sold_out - world->start_us;
	out->nothing_left_us = nothing_left == 0 ? -1 : nothing_left - world->start_us;
	out->inversions = atomic_load(&world->inversions);
	out->inverted_number = atomic_load(&world->inverted_number);
	out->inverted_frontier = atomic_load(&world->inverted_frontier);
}

static bool run_crowd(struct crowd *crowd, struct stats *total, struct journey *out, char error[CLI_ERROR_SIZE])
{
	int opened = 0, started = 0;
	bool ok = true;

	crowd->workers = mem_zero((size_t)crowd->count * sizeof(*crowd->workers));
	while (ok && opened < crowd->count) {
		ok = open_worker(&crowd->workers[opened], crowd, opened, error);
		opened++;
	}
	crowd->running = crowd->count;
	while (ok && started < crowd->count) {
		int failed = pthread_create(&crowd->workers[started].id, NULL, work, &crowd->workers[started]);

		ok = failed == 0;
		if (ok)
			started++;
		else
			(void)snprintf(error, CLI_ERROR_SIZE, "cannot start a thread: %s", strerror(failed));
	}
	if (!ok) {
		(void)pthread_mutex_lock(&crowd->lock);
		crowd->running -= crowd->count - started;
		crowd->stop_us = 0;
		(void)pthread_mutex_unlock(&crowd->lock);
	}
	if (started > 0)
		watch(crowd, out);
	for (int i = 0; i < started; i++) {
		(void)pthread_join(crowd->workers[i].id, NULL);
		if (crowd->workers[i].broken) {
			(void)snprintf(error, CLI_ERROR_SIZE, "waiting for answers failed");
			ok = false;
		}
	}
	if (ok)
		gather(crowd, total, out);
	for (int i = 0; i < opened; i++)
		close_worker(&crowd->workers[i]);
	free(crowd->workers);
	return ok;
}

bool journey_run(const struct bench_options *o, struct api *api, struct stats *total, struct journey *out,
                 char error[CLI_ERROR_SIZE])
{
	struct crowd crowd = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER, .count = (int)o->threads};

	*out = (struct journey){.users = o->users,
	                        .sold_out_us = -1,
	                        .nothing_left_us = -1,
	                        .capacity = o->capacity > 0 ? o->capacity : (o->users + 9) / 10};
	histogram_init(&out->wait, HISTOGRAM_FINE);
	if (o->concert == 0) {
		if (o->shows * o->seats > JARI_CATALOGUE_SEATS_MAX) {
			(void)snprintf(error, CLI_ERROR_SIZE,
			               "--shows times --seats is more than the %d seats that a catalogue may have",
			               JARI_CATALOGUE_SEATS_MAX);
			return false;
		}
		if (!api_set_up(api, o, out->capacity, o->shows, o->seats, error))
			return false;
		out->total_seats = o->shows * o->seats;
	}
	crowd.world =
	    (struct guest_world){.o = o, .api = api, .total_seats = out->total_seats, .start_us = clock_elapsed_us() + LOOK_US};
	crowd.stop_us = crowd.world.start_us + o->limit * SECOND_US;
	return run_crowd(&crowd, total, out, error);
}

void journey_free(struct journey *j)
{
	histogram_free(&j->wait);
	free(j->moments);
	j->moments = NULL;
}
