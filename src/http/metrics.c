/* metrics.c: counting, and adding up what the threads have counted. See metrics.h. */
#include "http/metrics_inside.h"

#include "base/histogram.h"
#include "http/routes.h"

#include <stdlib.h>
#include <time.h>

const int metrics_statuses[METRICS_STATUSES] = {200, 201, 204, 304, 400, 401, 402, 403, 404, 405, 409,
                                                410, 413, 415, 422, 429, 431, 500, 501, 503, 0};

const struct tally_bounds metrics_times = {
    14, {100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000}};

struct http_metrics *http_metrics_new(int threads)
{
	struct http_metrics *m = mem_zero(sizeof(*m));

	m->started_s = time(NULL);
	m->threads = threads;
	m->blocks = mem_zero((size_t)threads * sizeof(*m->blocks));
	return m;
}

void http_metrics_free(struct http_metrics *m)
{
	free(m->blocks);
	free(m);
}

/* ---- counting ---- */

/* Where a route is counted: its place in the table, or behind it. */
static size_t place_of(const struct http_route *route)
{
	uintptr_t first = (uintptr_t)http_routes, at = (uintptr_t)route;
	size_t index = (at - first) / sizeof(struct http_route);

	return at >= first && index < http_route_count && index < METRICS_ROUTES_MAX - 1 ? index : METRICS_ROUTES_MAX - 1;
}

static size_t status_place(int status)
{
	size_t i = 0;

	while (i < METRICS_STATUSES - 1 && metrics_statuses[i] != status)
		i++;
	return i;
}

void http_metrics_count(struct http_metrics *m, int thread, const struct http_route *route, int status, int64_t elapsed_us)
{
	struct metrics_block *b = &m->blocks[thread];
	struct metrics_route *r = &b->routes[place_of(route)];

	tally_add(&r->by_status[status_place(status)], 1);
	tally_note(&r->times, &metrics_times, elapsed_us);
	tally_add(&b->latency[histogram_index(ENGINE_PROBE_BITS, elapsed_us)], 1);
}

void http_metrics_problem(struct http_metrics *m, int thread, enum core_code code)
{
	tally_add(&m->blocks[thread].codes[code], 1);
}

void http_metrics_limited(struct http_metrics *m, int thread, enum http_limit limit)
{
	tally_add(&m->blocks[thread].limited[limit], 1);
}

void http_metrics_gauge(struct http_metrics *m, int thread, enum http_gauge gauge, int64_t change)
{
	tally_add(&m->blocks[thread].gauges[gauge], change);
}

void http_metrics_shed(struct http_metrics *m, int thread, enum http_shed why)
{
	tally_add(&m->blocks[thread].shed[why], 1);
}

/* ---- adding up ---- */

int64_t metrics_by_status(const struct http_metrics *m, size_t route, size_t status)
{
	int64_t n = 0;

	for (int t = 0; t < m->threads; t++)
		n += tally_value(&m->blocks[t].routes[route].by_status[status]);
	return n;
}

void metrics_times_of(const struct http_metrics *m, size_t route, struct tally_view *out)
{
	*out = (struct tally_view){0};
	for (int t = 0; t < m->threads; t++)
		tally_gather(&m->blocks[t].routes[route].times, out);
}

int64_t metrics_by_code(const struct http_metrics *m, enum core_code code)
{
	int64_t n = 0;

	for (int t = 0; t < m->threads; t++)
		n += tally_value(&m->blocks[t].codes[code]);
	return n;
}

int64_t metrics_limited(const struct http_metrics *m, enum http_limit limit)
{
	int64_t n = 0;

	for (int t = 0; t < m->threads; t++)
		n += tally_value(&m->blocks[t].limited[limit]);
	return n;
}

int64_t metrics_gauge_value(const struct http_metrics *m, enum http_gauge gauge)
{
	int64_t n = 0;

	for (int t = 0; t < m->threads; t++)
		n += tally_value(&m->blocks[t].gauges[gauge]);
	return n;
}

int64_t metrics_shed_value(const struct http_metrics *m, enum http_shed why)
{
	int64_t n = 0;

	for (int t = 0; t < m->threads; t++)
		n += tally_value(&m->blocks[t].shed[why]);
	return n;
}

static void probe_block(const struct metrics_block *b, struct engine_probe *out)
{
	for (size_t r = 0; r < METRICS_ROUTES_MAX; r++) {
		for (size_t s = 0; s < METRICS_STATUSES; s++) {
			int64_t n = tally_value(&b->routes[r].by_status[s]);

			out->requests += n;
			out->refused += metrics_statuses[s] >= 400 && metrics_statuses[s] < 500 ? n : 0;
			out->errors += metrics_statuses[s] >= 500 ? n : 0;
		}
	}
	for (size_t i = 0; i < ENGINE_PROBE_BUCKETS; i++)
		out->latency[i] += (uint64_t)tally_value(&b->latency[i]);
}

void http_metrics_probe(void *arg, struct engine_probe *out)
{
	const struct http_metrics *m = arg;

	for (int t = 0; t < m->threads; t++)
		probe_block(&m->blocks[t], out);
}
