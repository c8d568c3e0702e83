/* metrics_inside.h: what metrics.c and its writer share. Nobody else includes this. */
#ifndef JARI_HTTP_METRICS_INSIDE_H
#define JARI_HTTP_METRICS_INSIDE_H

#include "base/tally.h"
#include "engine/engine.h"
#include "http/metrics.h"

/* Routes of the table, and one more for requests that match none. */
#define METRICS_ROUTES_MAX 64

/* Statuses that Jari answers with; anything else is counted as the last. */
#define METRICS_STATUSES 21
extern const int metrics_statuses[METRICS_STATUSES];

/* Of request times in microseconds. */
extern const struct tally_bounds metrics_times;

struct metrics_route {
	tally_count by_status[METRICS_STATUSES];
	struct tally times;
};

/* One thread's. */
struct metrics_block {
	struct metrics_route routes[METRICS_ROUTES_MAX];
	tally_count codes[CORE_CODE_COUNT];
	tally_count gauges[HTTP_GAUGES];
	tally_count limited[HTTP_LIMITS];
	tally_count shed[HTTP_SHED_CAUSES];
	tally_count latency[ENGINE_PROBE_BUCKETS]; /* all routes together, finer */
};

struct http_metrics {
	int64_t started_s; /* since 1970 */
	int threads;
	struct metrics_block *blocks;
};

/* Of all threads together. */
int64_t metrics_by_status(const struct http_metrics *m, size_t route, size_t status);
void metrics_times_of(const struct http_metrics *m, size_t route, struct tally_view *out);
int64_t metrics_by_code(const struct http_metrics *m, enum core_code code);
int64_t metrics_limited(const struct http_metrics *m, enum http_limit limit);
int64_t metrics_shed_value(const struct http_metrics *m, enum http_shed why);
int64_t metrics_gauge_value(const struct http_metrics *m, enum http_gauge gauge);

/* ---- lines of the text format: metrics_lines.c ---- */

void metrics_head(struct buf *out, const char *name, const char *type, const char *help);
/* A metric without labels. */
void metrics_simple(struct buf *out, const char *name, const char *type, const char *help, int64_t v);
/* The same of microseconds, written as seconds. */
void metrics_seconds(struct buf *out, const char *name, const char *type, const char *help, int64_t us);
/* A label's value, escaped. */
void metrics_label(struct buf *out, struct text t);
/* One histogram's lines. `labels` is empty or `a="b"`; `is_us`: values are microseconds, written as seconds. */
void metrics_histogram(struct buf *out, const char *name, struct text labels, const struct tally_bounds *bounds,
                       const struct tally_view *view, bool is_us);

/* ---- metrics_process.c ---- */

/* The process as the system sees it. */
void metrics_process(const struct http_metrics *m, struct buf *out);

#endif
