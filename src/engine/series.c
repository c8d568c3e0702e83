/* series.c: see series.h. */
#include "engine/series.h"

#include "base/arena.h"
#include "base/histogram.h"

#include <stdlib.h>
#include <string.h>

#define GAP ENGINE_SERIES_GAP
#define MINUTE_LATE_S 2 /* how long after a minute's end its value may still be taken */

_Static_assert(ENGINE_PROBE_BUCKETS == 16 + (HISTOGRAM_MAX_BITS - ENGINE_PROBE_BITS) * 8, "histogram_size(ENGINE_PROBE_BITS)");

/* ---- rings ---- */

void series_ring_init(struct series_ring *r, int64_t length, int columns)
{
	*r = (struct series_ring){.length = length, .columns = columns};
	r->values = mem_zero((size_t)length * (size_t)columns * sizeof *r->values);
}

void series_ring_free(struct series_ring *r)
{
	free(r->values);
	*r = (struct series_ring){0};
}

static int64_t *row_of(const struct series_ring *r, int64_t step)
{
	return r->values + step % r->length * r->columns;
}

void series_ring_put(struct series_ring *r, int64_t step, const int64_t *row)
{
	if (!r->values || (r->next > 0 && step < r->next))
		return;
	if (r->next == 0)
		r->first = r->next = step;
	int64_t from = r->next > step - r->length ? r->next : step - r->length;
	for (int64_t gap = from; gap < step; gap++) {
		for (int c = 0; c < r->columns; c++)
			row_of(r, gap)[c] = GAP;
	}
	memcpy(row_of(r, step), row, (size_t)r->columns * sizeof *row);
	r->next = step + 1;
}

int64_t series_ring_get(const struct series_ring *r, int64_t step, int column)
{
	if (!r->values || step < r->first || step >= r->next || step < r->next - r->length)
		return GAP;
	return row_of(r, step)[column];
}

/* ---- percentiles ---- */

int64_t series_percentile(const uint64_t *was, const uint64_t *now, int64_t per_million)
{
	uint64_t total = 0, seen = 0;
	for (size_t i = 0; i < ENGINE_PROBE_BUCKETS; i++)
		total += now[i] - was[i];
	uint64_t wanted = (total * (uint64_t)per_million + 999999) / 1000000;
	for (size_t i = 0; i < ENGINE_PROBE_BUCKETS && total > 0; i++) {
		seen += now[i] - was[i];
		if (seen >= wanted)
			return histogram_highest_of(ENGINE_PROBE_BITS, i);
	}
	return GAP;
}

/* ---- as a whole ---- */

static void pair_init(struct series_pair *p, int columns)
{
	series_ring_init(&p->second, JARI_SERIES_SECONDS, columns);
	series_ring_init(&p->minute, JARI_SERIES_MINUTES, columns);
}

static void pair_free(struct series_pair *p)
{
	series_ring_free(&p->second);
	series_ring_free(&p->minute);
}

static void pair_put(struct series *s, struct series_pair *p, const int64_t *row)
{
	series_ring_put(&p->second, s->second - 1, row);
	if (s->minute_over)
		series_ring_put(&p->minute, s->second / 60 - 1, row);
}

void series_init(struct series *s)
{
	*s = (struct series){
	    .queues = {.columns = ENGINE_QUEUE_COLUMNS, .most = JARI_SERIES_QUEUES_MAX},
	    .shows = {.columns = ENGINE_SHOW_COLUMNS, .most = JARI_SERIES_SHOWS_MAX},
	};
	pair_init(&s->server, ENGINE_SERVER_COLUMNS);
	if (pthread_mutex_init(&s->lock, NULL) != 0)
		abort();
}

static void tracks_free(struct series_tracks *t)
{
	for (size_t i = 0; i < t->n; i++)
		pair_free(&t->p[i].pair);
	free(t->p);
}

void series_free(struct series *s)
{
	pair_free(&s->server);
	tracks_free(&s->queues);
	tracks_free(&s->shows);
	(void)pthread_mutex_destroy(&s->lock);
}

/* ---- queues and shows ---- */

/* Where an id is, or would be. */
static size_t place_of(const struct series_tracks *t, int64_t id)
{
	size_t lo = 0, hi = t->n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (t->p[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct series_track *track_find(const struct series_tracks *t, int64_t id)
{
	size_t at = place_of(t, id);
	return at < t->n && t->p[at].id == id ? &t->p[at] : NULL;
}

static struct series_track *track_make(struct series_tracks *t, int64_t id)
{
	size_t at = place_of(t, id);
	if (at < t->n && t->p[at].id == id)
		return &t->p[at];
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 16;
		t->p = mem_grow(t->p, t->cap * sizeof *t->p);
	}
	memmove(&t->p[at + 1], &t->p[at], (t->n - at) * sizeof *t->p);
	t->n++;
	t->p[at] = (struct series_track){.id = id};
	return &t->p[at];
}

/* Takes the rings of the one that has been still for longest, when that is long enough. */
static bool make_room(struct series_tracks *t, int64_t now_s)
{
	struct series_track *still = NULL;
	if (t->recorded < t->most)
		return true;
	for (size_t i = 0; i < t->n && !t->no_room; i++) {
		if (t->p[i].pair.second.values && (!still || t->p[i].changed_s < still->changed_s))
			still = &t->p[i];
	}
	if (!still || now_s - still->changed_s < JARI_SERIES_IDLE_S) {
		t->no_room = true; /* nor for the others of this sample */
		return false;
	}
	pair_free(&still->pair);
	t->recorded--;
	return true;
}

static void track_put(struct series *s, struct series_tracks *t, int64_t id, const int64_t *row)
{
	struct series_track *track = track_make(t, id);
	size_t size = (size_t)t->columns * sizeof *row;
	bool changed = !track->known || memcmp(track->seen, row, size) != 0;
	if (changed) {
		track->known = true;
		track->changed_s = s->second;
		memcpy(track->seen, row, size);
	}
	if (changed && !track->pair.second.values && make_room(t, s->second)) {
		pair_init(&track->pair, t->columns);
		t->recorded++;
	}
	pair_put(s, &track->pair, row);
}

/* ---- sampling ---- */

bool series_begin(struct series *s, int64_t now)
{
	int64_t second = now / 1000;
	if (second <= s->second)
		return false;
	bool first = s->second == 0;
	(void)pthread_mutex_lock(&s->lock);
	s->minute_over = !first && second / 60 > s->second / 60 && second % 60 <= MINUTE_LATE_S;
	s->second = second;
	s->queues.no_room = s->shows.no_room = false;
	if (first) /* what was before this second is not known */
		(void)pthread_mutex_unlock(&s->lock);
	return !first;
}

void series_server(struct series *s, const struct engine_probe *probe, int64_t commits, int64_t commit_us)
{
	int64_t row[ENGINE_SERVER_COLUMNS] = {
	    [ENGINE_SERVER_REQUESTS] = probe->requests,
	    [ENGINE_SERVER_REFUSED] = probe->refused,
	    [ENGINE_SERVER_ERRORS] = probe->errors,
	    [ENGINE_SERVER_P50_US] = series_percentile(s->by_second, probe->latency, 500000),
	    [ENGINE_SERVER_P99_US] = series_percentile(s->by_second, probe->latency, 990000),
	    [ENGINE_SERVER_COMMITS] = commits,
	    [ENGINE_SERVER_COMMIT_US] = commit_us,
	};
	series_ring_put(&s->server.second, s->second - 1, row);
	memcpy(s->by_second, probe->latency, sizeof s->by_second);
	if (!s->minute_over)
		return;
	row[ENGINE_SERVER_P50_US] = series_percentile(s->by_minute, probe->latency, 500000);
	row[ENGINE_SERVER_P99_US] = series_percentile(s->by_minute, probe->latency, 990000);
	series_ring_put(&s->server.minute, s->second / 60 - 1, row);
	memcpy(s->by_minute, probe->latency, sizeof s->by_minute);
}

void series_queue(struct series *s, const struct core_queue *q)
{
	int64_t row[ENGINE_QUEUE_COLUMNS] = {
	    [ENGINE_QUEUE_WAITING] = q->waiting,
	    [ENGINE_QUEUE_ACTIVE] = q->active,
	    [ENGINE_QUEUE_ADMITTED] = q->admitted,
	    [ENGINE_QUEUE_JOINED] = q->last_number,
	};
	track_put(s, &s->queues, q->queue_id, row);
}

void series_show(struct series *s, int64_t show_id, int64_t sold, int64_t held, int64_t revenue)
{
	int64_t row[ENGINE_SHOW_COLUMNS] = {
	    [ENGINE_SHOW_SOLD] = sold,
	    [ENGINE_SHOW_HELD] = held,
	    [ENGINE_SHOW_REVENUE] = revenue,
	};
	track_put(s, &s->shows, show_id, row);
}

void series_end(struct series *s)
{
	(void)pthread_mutex_unlock(&s->lock);
}

/* ---- looking ---- */

/* The columns of one thing, one after the other. */
static int64_t *copy_columns(const struct series_ring *r, int columns, const struct engine_series_view *v, struct arena *arena)
{
	int64_t *out = arena_alloc(arena, (size_t)columns * (size_t)v->count * sizeof *out + 1);
	for (int c = 0; c < columns; c++) {
		for (int64_t i = 0; i < v->count; i++)
			out[c * v->count + i] = series_ring_get(r, v->first + i, c);
	}
	return out;
}

static int64_t *copy_track(const struct series_tracks *t, int64_t id, bool minutes, const struct engine_series_view *v,
                           struct arena *arena)
{
	static const struct series_ring none = {0};
	const struct series_track *track = track_find(t, id);
	const struct series_ring *ring = !track ? &none : minutes ? &track->pair.minute : &track->pair.second;
	return copy_columns(ring, t->columns, v, arena);
}

/* The steps that are asked for and kept; only those that are over. */
static void choose_steps(const struct series *s, const struct engine_series_ask *ask, struct engine_series_view *v)
{
	const struct series_ring *r = ask->minutes ? &s->server.minute : &s->server.second;
	int64_t end = r->next, kept = r->next - r->length > r->first ? r->next - r->length : r->first;
	int64_t since = ask->since / 1000;
	v->step_s = ask->minutes ? 60 : 1;
	v->first = since / v->step_s + (since % v->step_s != 0 || ask->since % 1000 != 0);
	if (end == 0) /* no step is over yet: this one will be the first */
		end = kept = ask->since ? v->first : ask->now / 1000 / v->step_s;
	if (v->first < kept)
		v->first = kept;
	v->count = end > v->first ? end - v->first : 0;
}

void series_view(struct series *s, const struct engine_series_ask *ask, struct arena *arena, struct engine_series_view *out)
{
	*out = (struct engine_series_view){0};
	(void)pthread_mutex_lock(&s->lock);
	choose_steps(s, ask, out);
	out->server = copy_columns(ask->minutes ? &s->server.minute : &s->server.second, ENGINE_SERVER_COLUMNS, out, arena);
	for (size_t i = 0; i < ask->queue_count; i++)
		out->queues[i] = copy_track(&s->queues, ask->queues[i], ask->minutes, out, arena);
	for (size_t i = 0; i < ask->show_count; i++)
		out->shows[i] = copy_track(&s->shows, ask->shows[i], ask->minutes, out, arena);
	(void)pthread_mutex_unlock(&s->lock);
}
