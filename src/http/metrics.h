/* metrics.h: what happened, in numbers, for GET /metrics (Prometheus' text format 0.0.4) and for the time series.
 *
 * Each HTTP thread counts in a block of its own, with plain additions (base/tally.h); blocks are added up when somebody asks. Requests are
 * counted by route and status, errors by code, and how long requests took by route. The engine's and the store's figures and the system's view of the
 * process are read when somebody asks (metrics_write.c).
 * Ownership: http_metrics_free frees. Threads: a block is its thread's; writing from any thread. Errors: none; what the system does not
 * tell is left out. */
#ifndef JARI_HTTP_METRICS_H
#define JARI_HTTP_METRICS_H

#include "base/arena.h"
#include "base/buf.h"
#include "core/errors.h"
#include "http/throttle.h"
#include <stdint.h>

struct engine;
struct engine_probe;
struct http_metrics;
struct http_route;

/* For that many HTTP threads. */
struct http_metrics *http_metrics_new(int threads);
void http_metrics_free(struct http_metrics *m);

/* Counts one answered request. `route` is NULL when none matched. */
void http_metrics_count(struct http_metrics *m, int thread, const struct http_route *route, int status, int64_t elapsed_us);
/* Counts one problem that was answered. */
void http_metrics_problem(struct http_metrics *m, int thread, enum core_code code);

/* Counts one request that was refused for a limit. */
void http_metrics_limited(struct http_metrics *m, int thread, enum http_limit limit);

enum http_gauge { HTTP_GAUGE_CONNECTIONS, HTTP_GAUGE_STREAMS, HTTP_GAUGES };
void http_metrics_gauge(struct http_metrics *m, int thread, enum http_gauge gauge, int64_t change);

/* Counts one that was turned away or closed so that the others are served. What the engine turns away it counts itself. */
enum http_shed {
	HTTP_SHED_CONNECTIONS, /* a connection: there are as many as there may be, … */
	HTTP_SHED_ADDRESS,     /* … or of its address */
	HTTP_SHED_IDLE,        /* a connection without a request, for a new one */
	HTTP_SHED_STREAMS,     /* an event stream: there are as many as there may be */
	HTTP_SHED_MEMORY,      /* a connection, for the memory that it held */
	HTTP_SHED_SLOW_READER, /* a connection that took its answer too slowly */
	HTTP_SHED_LATE,        /* a command that had lain in its socket for too long */
	HTTP_SHED_CAUSES
};
void http_metrics_shed(struct http_metrics *m, int thread, enum http_shed why);

/* What the engine's time series want to know; an engine_config's `probe`, `arg` is the metrics. */
void http_metrics_probe(void *arg, struct engine_probe *out);

/* Writes everything. `engine` may be NULL: then without its part. */
void http_metrics_write(const struct http_metrics *m, struct engine *engine, const char *version, struct arena *arena,
                        struct buf *out);

#endif
