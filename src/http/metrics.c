#include "http/metrics.h"
#include "base/limits.h"
#include "engine/engine.h"
#include "http/routes.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <stdlib.h>
#include <unistd.h>

/* Routes of the table, and one more for requests that match none. */
#define ROUTES_MAX 64

/* Statuses that Jari answers with; anything else is counted as the last. */
static const int statuses[] = {200, 201, 204, 304, 400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 422, 429, 431, 500, 503, 0};
#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))

/* Upper bounds of the histogram in microseconds; the last bucket has none. */
static const int64_t bounds_us[] = {500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000};
#define BOUNDS (sizeof(bounds_us) / sizeof(bounds_us[0]))

struct route_metrics {
	_Atomic int64_t by_status[STATUSES];
	_Atomic int64_t by_time[BOUNDS + 1];
	_Atomic int64_t sum_us;
};

struct http_metrics {
	struct route_metrics routes[ROUTES_MAX];
};

struct http_metrics *http_metrics_new(void)
{
	return mem_zero(sizeof(struct http_metrics));
}

void http_metrics_free(struct http_metrics *m)
{
	free(m);
}

/* Where a route is counted: its place in the table, or behind it. */
static size_t place_of(const struct http_route *route)
{
	uintptr_t first = (uintptr_t)http_routes, at = (uintptr_t)route;
	size_t index = (at - first) / sizeof(struct http_route);

	return at >= first && index < http_route_count && index < ROUTES_MAX - 1 ? index : ROUTES_MAX - 1;
}

static size_t status_place(int status)
{
	size_t i = 0;

	while (i < STATUSES - 1 && statuses[i] != status)
		i++;
	return i;
}

static void add(_Atomic int64_t *counter, int64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static int64_t value(const _Atomic int64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void http_metrics_count(struct http_metrics *m, const struct http_route *route, int status, int64_t elapsed_us)
{
	struct route_metrics *r = &m->routes[place_of(route)];
	size_t bucket = 0;

	while (bucket < BOUNDS && elapsed_us > bounds_us[bucket])
		bucket++;
	add(&r->by_status[status_place(status)], 1);
	add(&r->by_time[bucket], 1);
	add(&r->sum_us, elapsed_us);
}

/* ---- writing ---- */

static const char *method_name(enum http_method method)
{
	switch (method) {
	case HTTP_GET:
		return "GET";
	case HTTP_HEAD:
		return "HEAD";
	case HTTP_POST:
		return "POST";
	case HTTP_PATCH:
		return "PATCH";
	case HTTP_DELETE:
		return "DELETE";
	case HTTP_PUT:
		return "PUT";
	case HTTP_OPTIONS:
		return "OPTIONS";
	case HTTP_OTHER:
		break;
	}
	return "other";
}

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void simple(struct buf *out, const char *name, const char *type, const char *help, int64_t v)
{
	head(out, name, type, help);
	buf_printf(out, "%s %" PRId64 "\n", name, v);
}

/* Microseconds as seconds, without a float. */
static void seconds(struct buf *out, int64_t us)
{
	buf_printf(out, "%" PRId64 ".%06" PRId64, us / 1000000, us % 1000000);
}

/* A bound of a bucket as Prometheus writes it: 0.0005, 1. */
static void bound(struct buf *out, int64_t us)
{
	seconds(out, us);
	while (out->p[out->n - 1] == '0')
		out->n--;
	if (out->p[out->n - 1] == '.')
		out->n--;
}

static void route_labels(struct buf *out, size_t i)
{
	if (i < http_route_count && i < ROUTES_MAX - 1)
		buf_printf(out, "method=\"%s\",route=\"%s\"", method_name(http_routes[i].method), http_routes[i].path);
	else
		buf_str(out, "method=\"other\",route=\"none\"");
}

static void write_requests(const struct http_metrics *m, struct buf *out)
{
	head(out, "jari_http_requests_total", "counter", "Requests answered, by route and status.");
	for (size_t i = 0; i < ROUTES_MAX; i++) {
		for (size_t s = 0; s < STATUSES; s++) {
			int64_t n = value(&m->routes[i].by_status[s]);

			if (n == 0)
				continue;
			buf_str(out, "jari_http_requests_total{");
			route_labels(out, i);
			if (statuses[s] != 0)
				buf_printf(out, ",status=\"%d\"} %" PRId64 "\n", statuses[s], n);
			else
				buf_printf(out, ",status=\"other\"} %" PRId64 "\n", n);
		}
	}
}

/* One route's histogram. Buckets are cumulative, and the count is their sum, so a reader never sees them disagree. */
static void write_histogram(const struct route_metrics *r, size_t i, struct buf *out)
{
	int64_t sum = 0, counts[BOUNDS + 1];

	for (size_t b = 0; b <= BOUNDS; b++)
		sum += counts[b] = value(&r->by_time[b]);
	if (sum == 0)
		return;
	int64_t below = 0;
	for (size_t b = 0; b <= BOUNDS; b++) {
		below += counts[b];
		buf_str(out, "jari_http_request_seconds_bucket{");
		route_labels(out, i);
		buf_str(out, ",le=\"");
		if (b < BOUNDS)
			bound(out, bounds_us[b]);
		else
			buf_str(out, "+Inf");
		buf_printf(out, "\"} %" PRId64 "\n", below);
	}
	buf_str(out, "jari_http_request_seconds_sum{");
	route_labels(out, i);
	buf_str(out, "} ");
	seconds(out, value(&r->sum_us));
	buf_str(out, "\njari_http_request_seconds_count{");
	route_labels(out, i);
	buf_printf(out, "} %" PRId64 "\n", sum);
}

static void write_times(const struct http_metrics *m, struct buf *out)
{
	head(out, "jari_http_request_seconds", "histogram", "Time from a whole request to its answer, by route.");
	for (size_t i = 0; i < ROUTES_MAX; i++)
		write_histogram(&m->routes[i], i, out);
}

static void write_engine(struct engine *engine, struct buf *out)
{
	struct engine_counters c;

	engine_look_counters(engine, &c);
	simple(out, "jari_commands_total", "counter", "Commands decided.", c.commands);
	simple(out, "jari_batches_total", "counter", "Batches of commands taken from the inbox.", c.batches);
	simple(out, "jari_commits_total", "counter", "Batches made durable.", c.commits);
	simple(out, "jari_failed_batches_total", "counter", "Batches that the store could not take.", c.failed_batches);
	head(out, "jari_commit_seconds_total", "counter", "Time spent in commits.");
	buf_str(out, "jari_commit_seconds_total ");
	seconds(out, c.commit_us);
	buf_char(out, '\n');
	simple(out, "jari_tickets_total", "counter", "Tickets issued.", c.tickets);
	simple(out, "jari_admitted_total", "counter", "Tickets admitted.", c.admitted);
	simple(out, "jari_holds_total", "counter", "Holds made.", c.holds);
	simple(out, "jari_payments_total", "counter", "Payments made.", c.payments);
	simple(out, "jari_reads_total", "counter", "Reads of the store.", c.reads);
	simple(out, "jari_inbox_commands", "gauge", "Commands waiting for the committer.", c.inbox);
}

/* A label's value: backslash, quote and line break escaped. */
static void label(struct buf *out, struct text t)
{
	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] == '\\' || t.p[i] == '"')
			buf_char(out, '\\');
		if (t.p[i] == '\n')
			buf_str(out, "\\n");
		else
			buf_char(out, t.p[i]);
	}
}

static void queue_line(struct buf *out, const char *name, const struct core_queue *q, int64_t v)
{
	buf_printf(out, "%s{queue=\"%" PRId64 "\",name=\"", name, q->queue_id);
	label(out, q->name);
	buf_printf(out, "\"} %" PRId64 "\n", v);
}

static void write_queues(struct engine *engine, struct arena *arena, struct buf *out)
{
	struct core_queue *queues;
	size_t n;

	engine_look_queues(engine, arena, &queues, &n);
	head(out, "jari_queue_waiting", "gauge", "Tickets waiting, by queue.");
	for (size_t i = 0; i < n; i++)
		queue_line(out, "jari_queue_waiting", &queues[i], queues[i].waiting);
	head(out, "jari_queue_active", "gauge", "Active tickets, by queue.");
	for (size_t i = 0; i < n; i++)
		queue_line(out, "jari_queue_active", &queues[i], queues[i].active);
	head(out, "jari_queue_capacity", "gauge", "How many tickets may be active, by queue.");
	for (size_t i = 0; i < n; i++)
		queue_line(out, "jari_queue_capacity", &queues[i], queues[i].capacity);
}

/* ---- the process ---- */

/* The second number of /proc/self/statm is the pages in RAM. */
static int64_t resident_bytes(void)
{
	char line[128], *rest = NULL;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f == NULL)
		return -1;
	bool read = fgets(line, sizeof(line), f) != NULL;
	(void)fclose(f);
	char *second = read ? strchr(line, ' ') : NULL;
	if (second == NULL)
		return -1;
	int64_t pages = strtoll(second + 1, &rest, 10);
	return rest == second + 1 || pages < 0 ? -1 : pages * sysconf(_SC_PAGESIZE);
}

static int64_t open_files(void)
{
	int64_t n = 0;
	DIR *d = opendir("/proc/self/fd");

	if (d == NULL)
		return -1;
	for (const struct dirent *entry = readdir(d); entry != NULL; entry = readdir(d))
		n += entry->d_name[0] != '.';
	(void)closedir(d);
	return n - 1; /* the one that was looking */
}

static void write_process(struct buf *out)
{
	int64_t rss = resident_bytes(), fds = open_files();
	struct rusage usage;
	struct rlimit limit;

	if (rss >= 0)
		simple(out, "process_resident_memory_bytes", "gauge", "Memory of the process in RAM.", rss);
	if (fds >= 0)
		simple(out, "process_open_fds", "gauge", "Open file descriptors.", fds);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur <= INT64_MAX)
		simple(out, "process_max_fds", "gauge", "File descriptors that may be open.", (int64_t)limit.rlim_cur);
	if (getrusage(RUSAGE_SELF, &usage) == 0) {
		head(out, "process_cpu_seconds_total", "counter", "Processor time used, user and system together.");
		buf_str(out, "process_cpu_seconds_total ");
		seconds(out, (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
		                 usage.ru_stime.tv_usec);
		buf_char(out, '\n');
	}
}

void http_metrics_write(const struct http_metrics *m, struct engine *engine, const char *version, struct arena *arena,
                        struct buf *out)
{
	head(out, "jari_build_info", "gauge", "The version that runs.");
	buf_str(out, "jari_build_info{version=\"");
	label(out, text_of(version));
	buf_str(out, "\"} 1\n");
	write_requests(m, out);
	write_times(m, out);
	if (engine != NULL) {
		write_engine(engine, out);
		write_queues(engine, arena, out);
	}
	write_process(out);
}
