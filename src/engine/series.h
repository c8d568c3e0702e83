/* series.h: time series in memory: an hour at one second, a day at one minute, for each queue and show and for the server.
 *
 * Each is two rings of steps, a step a row of numbers. A step that was not sampled is a gap. The past costs nothing: a ring keeps its length. At most
 * JARI_SERIES_QUEUES_MAX queues and JARI_SERIES_SHOWS_MAX shows have rings; when all are taken, one that changes gets those of
 * one that has not changed for JARI_SERIES_IDLE_S, if there is such a one.
 *
 * A sample at second n is the end of step n - 1, so only steps that are over have values.
 * Ownership: series_free frees what series_init and the samples have taken. Threads: samples on one thread, series_view on any; a lock, held for a
 * copy's time. Errors: none. */
#ifndef JARI_ENGINE_SERIES_H
#define JARI_ENGINE_SERIES_H

#include "engine/engine.h"

#include <pthread.h>

struct series_ring {
	int64_t *values; /* length rows of `columns`; NULL: not recorded */
	int64_t length;
	int columns;
	int64_t first, next; /* steps first .. next - 1 have been noted, the last `length` of them are kept */
};

struct series_pair {
	struct series_ring second, minute;
};

/* A queue or a show. */
struct series_track {
	int64_t id;
	int64_t changed_s; /* when its values last changed */
	int64_t seen[ENGINE_SERIES_COLUMNS_MAX];
	bool known;
	struct series_pair pair;
};

struct series_tracks {
	struct series_track *p; /* by id */
	size_t n, cap;
	size_t recorded, most; /* how many have rings, and may */
	int columns;
	bool no_room; /* found out in this sample */
};

struct series {
	pthread_mutex_t lock;
	int64_t second;   /* of the last sample; 0: there was none */
	bool minute_over; /* the sample that is being taken ends a minute */
	struct series_pair server;
	struct series_tracks queues, shows;
	/* latencies up to the last second's and the last minute's end */
	uint64_t by_second[ENGINE_PROBE_BUCKETS], by_minute[ENGINE_PROBE_BUCKETS];
};

void series_init(struct series *s);
void series_free(struct series *s);

/* Takes a sample at `now`: begin, then everything, then end. False when the second has not changed since the last one, or it is the first ever:
 * then there is nothing to end. */
bool series_begin(struct series *s, int64_t now);
void series_server(struct series *s, const struct engine_probe *probe, int64_t commits, int64_t commit_us);
void series_queue(struct series *s, const struct core_queue *q);
void series_show(struct series *s, int64_t show_id, int64_t sold, int64_t held, int64_t revenue);
void series_end(struct series *s);

/* See engine_look_series. */
void series_view(struct series *s, const struct engine_series_ask *ask, struct arena *arena, struct engine_series_view *out);

/* ---- for the tests ---- */

void series_ring_init(struct series_ring *r, int64_t length, int columns);
void series_ring_free(struct series_ring *r);
void series_ring_put(struct series_ring *r, int64_t step, const int64_t *row);
/* ENGINE_SERIES_GAP where there is nothing. */
int64_t series_ring_get(const struct series_ring *r, int64_t step, int column);
/* Of what came between two states of a histogram, in microseconds; a gap when nothing did. */
int64_t series_percentile(const uint64_t *was, const uint64_t *now, int64_t per_million);

#endif
