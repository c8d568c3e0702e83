/* metrics_write.c: what GET /metrics answers. See metrics.h. */
#include "http/metrics_inside.h"

#include "http/routes.h"

#include <inttypes.h>

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

/* ---- requests ---- */

static void route_labels(struct buf *out, size_t i)
{
	buf_reset(out);
	if (i < http_route_count && i < METRICS_ROUTES_MAX - 1)
		buf_printf(out, "method=\"%s\",route=\"%s\"", method_name(http_routes[i].method), http_routes[i].path);
	else
		buf_str(out, "method=\"other\",route=\"none\"");
}

static void write_requests(const struct http_metrics *m, struct buf *out)
{
	struct buf labels = {0};

	metrics_head(out, "jari_http_requests_total", "counter", "Requests answered, by route and status.");
	for (size_t i = 0; i < METRICS_ROUTES_MAX; i++) {
		route_labels(&labels, i);
		for (size_t s = 0; s < METRICS_STATUSES; s++) {
			int64_t n = metrics_by_status(m, i, s);

			if (n == 0)
				continue;
			buf_printf(out, "jari_http_requests_total{%.*s", (int)labels.n, labels.p);
			if (metrics_statuses[s] != 0)
				buf_printf(out, ",status=\"%d\"} %" PRId64 "\n", metrics_statuses[s], n);
			else
				buf_printf(out, ",status=\"other\"} %" PRId64 "\n", n);
		}
	}
	buf_free(&labels);
}

static int64_t total_of(const struct tally_view *view)
{
	int64_t n = 0;

	for (size_t i = 0; i <= TALLY_BOUNDS_MAX; i++)
		n += view->counts[i];
	return n;
}

static void write_times(const struct http_metrics *m, struct buf *out)
{
	struct buf labels = {0};

	metrics_head(out, "jari_http_request_seconds", "histogram", "Time from a whole request to its answer, by route.");
	for (size_t i = 0; i < METRICS_ROUTES_MAX; i++) {
		struct tally_view view;

		metrics_times_of(m, i, &view);
		if (total_of(&view) == 0)
			continue;
		route_labels(&labels, i);
		metrics_histogram(out, "jari_http_request_seconds", buf_view(&labels), &metrics_times, &view, true);
	}
	buf_free(&labels);
}

/* Every code is there from the start: a first error is then an increase, and not a series that begins. */
static void write_codes(const struct http_metrics *m, struct buf *out)
{
	metrics_head(out, "jari_http_errors_total", "counter", "Problems answered, by code.");
	for (int code = CORE_OK + 1; code < CORE_CODE_COUNT; code++)
		buf_printf(out, "jari_http_errors_total{code=\"%s\"} %" PRId64 "\n", core_code_name((enum core_code)code),
		           metrics_by_code(m, (enum core_code)code));
}

static void write_limited(const struct http_metrics *m, struct buf *out)
{
	metrics_head(out, "jari_rate_limited_total", "counter", "Requests refused with 429, by the limit that they met.");
	for (int limit = 0; limit < HTTP_LIMITS; limit++)
		buf_printf(out, "jari_rate_limited_total{limit=\"%s\"} %" PRId64 "\n", http_limit_name((enum http_limit)limit),
		           metrics_limited(m, (enum http_limit)limit));
}

static void write_connections(const struct http_metrics *m, struct buf *out)
{
	metrics_simple(out, "jari_http_open_connections", "gauge", "Connections that are open.",
	               metrics_gauge_value(m, HTTP_GAUGE_CONNECTIONS));
	metrics_simple(out, "jari_http_open_streams", "gauge", "Event streams that are open.",
	               metrics_gauge_value(m, HTTP_GAUGE_STREAMS));
}

/* ---- what was turned away ---- */

/* Every cause is there from the start. The engine's part is NULL without an engine. */
static void write_shed(const struct http_metrics *m, const struct engine_counters *c, struct buf *out)
{
	static const char *const http[HTTP_SHED_CAUSES] = {
	    [HTTP_SHED_CONNECTIONS] = "connections",
	    [HTTP_SHED_ADDRESS] = "address",
	    [HTTP_SHED_IDLE] = "idle",
	    [HTTP_SHED_STREAMS] = "streams",
	    [HTTP_SHED_MEMORY] = "memory",
	    [HTTP_SHED_SLOW_READER] = "slow_reader",
	    [HTTP_SHED_LATE] = "late",
	};
	static const char *const engine[ENGINE_SHED_CAUSES] = {
	    [ENGINE_SHED_COMMAND_WAIT] = "command_wait",
	    [ENGINE_SHED_INBOX_FULL] = "inbox_full",
	    [ENGINE_SHED_READ_WAIT] = "read_wait",
	    [ENGINE_SHED_READS_FULL] = "reads_full",
	};

	metrics_head(out, "jari_shed_total", "counter",
	             "Requests and connections turned away or closed for the others' sake, by cause.");
	for (int why = 0; why < HTTP_SHED_CAUSES; why++)
		buf_printf(out, "jari_shed_total{why=\"%s\"} %" PRId64 "\n", http[why],
		           metrics_shed_value(m, (enum http_shed)why));
	for (int why = 0; c != NULL && why < ENGINE_SHED_CAUSES; why++)
		buf_printf(out, "jari_shed_total{why=\"%s\"} %" PRId64 "\n", engine[why], c->shed[why]);
}

/* ---- the engine ---- */

static void write_histogram(struct buf *out, const char *name, const char *help, const struct tally_bounds *bounds,
                            const struct tally_view *view, bool seconds)
{
	metrics_head(out, name, "histogram", help);
	metrics_histogram(out, name, (struct text){NULL, 0}, bounds, view, seconds);
}

static void write_commands(const struct engine_counters *c, struct buf *out)
{
	metrics_simple(out, "jari_commands_total", "counter", "Commands decided.", c->commands);
	metrics_simple(out, "jari_batches_total", "counter", "Batches of commands taken from the inbox.", c->batches);
	metrics_simple(out, "jari_commits_total", "counter", "Batches committed.", c->commits);
	metrics_simple(out, "jari_failed_batches_total", "counter", "Batches that the store could not take.", c->failed_batches);
	metrics_seconds(out, "jari_commit_seconds_total", "counter", "Time spent in commits and syncs.", c->commit_us);
	write_histogram(out, "jari_batch_commands", "Commands in a batch.", &engine_batch_bounds, &c->batch_sizes, false);
	write_histogram(out, "jari_store_commit_seconds", "Time of a commit.", &engine_time_bounds, &c->commit_times, true);
	write_histogram(out, "jari_store_sync_seconds", "Time of making commits durable.", &engine_time_bounds, &c->sync_times,
	                true);
	metrics_simple(out, "jari_tickets_total", "counter", "Tickets issued.", c->tickets);
	metrics_simple(out, "jari_admitted_total", "counter", "Tickets admitted.", c->admitted);
	metrics_simple(out, "jari_holds_total", "counter", "Holds made.", c->holds);
	metrics_simple(out, "jari_payments_total", "counter", "Payments made.", c->payments);
	metrics_simple(out, "jari_charges_total", "counter", "Charges of wallets.", c->charges);
	metrics_simple(out, "jari_reads_total", "counter", "Reads of the store.", c->reads);
	metrics_simple(out, "jari_inbox_commands", "gauge", "Commands waiting for the committer.", c->inbox);
	metrics_seconds(out, "jari_inbox_wait_seconds", "gauge",
	                "How long a command that comes now would wait; 0 without a line.", c->inbox_wait_us);
	metrics_seconds(out, "jari_reads_wait_seconds", "gauge", "How long a read of the store that comes now would wait.",
	                c->reads_wait_us);
}

/* Without a log of its own (PostgreSQL) all are 0. */
static void write_store(const struct store_figures *s, struct buf *out)
{
	metrics_simple(out, "jari_store_log_pages", "gauge", "Pages of SQLite's write-ahead log.", s->log_pages);
	metrics_simple(out, "jari_store_log_pages_left", "gauge", "Pages of it that are not in the file yet.", s->log_pages_left);
	metrics_simple(out, "jari_store_checkpoints_total", "counter", "Times that pages of the log were moved into the file.",
	               s->checkpoints);
	metrics_seconds(out, "jari_store_checkpoint_seconds_total", "counter", "Time spent in that.", s->checkpoint_us);
	metrics_seconds(out, "jari_store_checkpoint_last_seconds", "gauge", "How long the last one took.", s->checkpoint_last_us);
}

/* ---- queues and seats ---- */

enum queue_figure { WAITING, ACTIVE, CAPACITY, PAUSED, ADMITTED, JOINED };

static int64_t figure_of(const struct core_queue *q, enum queue_figure figure)
{
	switch (figure) {
	case WAITING:
		return q->waiting;
	case ACTIVE:
		return q->active;
	case CAPACITY:
		return q->capacity;
	case PAUSED:
		return q->paused;
	case ADMITTED:
		return q->admitted;
	case JOINED:
		break;
	}
	return q->last_number;
}

static void write_queues(struct engine *engine, struct arena *arena, struct buf *out)
{
	static const struct {
		const char *name, *type, *help;
	} figures[] = {
	    [WAITING] = {"jari_queue_waiting", "gauge", "Tickets waiting, by queue."},
	    [ACTIVE] = {"jari_queue_active", "gauge", "Active tickets, by queue."},
	    [CAPACITY] = {"jari_queue_capacity", "gauge", "How many tickets may be active, by queue."},
	    [PAUSED] = {"jari_queue_paused", "gauge", "1 when nobody is admitted, by queue."},
	    [ADMITTED] = {"jari_queue_admitted_total", "counter", "Tickets ever admitted, by queue."},
	    [JOINED] = {"jari_queue_joined_total", "counter", "Tickets ever issued, by queue."},
	};
	struct core_queue *queues;
	size_t n;

	engine_look_queues(engine, arena, &queues, &n);
	for (size_t f = 0; f < sizeof(figures) / sizeof(figures[0]); f++) {
		metrics_head(out, figures[f].name, figures[f].type, figures[f].help);
		for (size_t i = 0; i < n; i++) {
			buf_printf(out, "%s{queue=\"%" PRId64 "\",name=\"", figures[f].name, queues[i].queue_id);
			metrics_label(out, queues[i].name);
			buf_printf(out, "\"} %" PRId64 "\n", figure_of(&queues[i], (enum queue_figure)f));
		}
	}
}

/* Of all shows together: a label for each show would be without bound. */
static void write_seats(struct engine *engine, struct arena *arena, struct buf *out)
{
	int64_t available = 0, held = 0, sold = 0, revenue = 0;
	struct engine_show *shows;
	size_t n;

	engine_look_all_shows(engine, engine_now(engine), arena, &shows, &n);
	for (size_t i = 0; i < n; i++) {
		available += shows[i].available;
		held += shows[i].held;
		sold += shows[i].sold;
		revenue += shows[i].revenue;
	}
	metrics_head(out, "jari_seats", "gauge", "Seats of all shows, by state.");
	buf_printf(out, "jari_seats{state=\"available\"} %" PRId64 "\n", available);
	buf_printf(out, "jari_seats{state=\"held\"} %" PRId64 "\n", held);
	buf_printf(out, "jari_seats{state=\"sold\"} %" PRId64 "\n", sold);
	metrics_simple(out, "jari_revenue_won", "gauge", "Paid for the seats that are sold.", revenue);
}

void http_metrics_write(const struct http_metrics *m, struct engine *engine, const char *version, struct arena *arena,
                        struct buf *out)
{
	metrics_head(out, "jari_build_info", "gauge", "The version that runs.");
	buf_str(out, "jari_build_info{version=\"");
	metrics_label(out, text_of(version));
	buf_str(out, "\"} 1\n");
	write_requests(m, out);
	write_times(m, out);
	write_codes(m, out);
	write_limited(m, out);
	write_connections(m, out);
	if (engine == NULL) {
		write_shed(m, NULL, out);
	} else {
		struct engine_counters c;

		engine_look_counters(engine, &c);
		write_shed(m, &c, out);
		write_commands(&c, out);
		write_store(&c.store, out);
		write_queues(engine, arena, out);
		write_seats(engine, arena, out);
	}
	metrics_process(m, out);
}
