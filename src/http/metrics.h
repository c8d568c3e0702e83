/* metrics.h: what happened, in numbers, for GET /metrics (Prometheus' text format 0.0.4).
 *
 * Requests are counted by route and status, and how long they took by route. The engine's own counters and the system's view of the
 * process are read when somebody asks.
 * Ownership: http_metrics_free frees. Threads: counting and writing from any thread; plain atomic additions, no lock.
 * Errors: none; what the system does not tell is left out. */
#ifndef JARI_HTTP_METRICS_H
#define JARI_HTTP_METRICS_H

#include "base/arena.h"
#include "base/buf.h"
#include <stdint.h>

struct engine;
struct http_metrics;
struct http_route;

struct http_metrics *http_metrics_new(void);
void http_metrics_free(struct http_metrics *m);

/* Counts one answered request. `route` is NULL when none matched. */
void http_metrics_count(struct http_metrics *m, const struct http_route *route, int status, int64_t elapsed_us);

/* Writes everything. `engine` may be NULL: then without its part. */
void http_metrics_write(const struct http_metrics *m, struct engine *engine, const char *version, struct arena *arena,
                        struct buf *out);

#endif
