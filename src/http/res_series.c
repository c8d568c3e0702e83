/* res_series.c: time series for the organiser's plots. */
#include "http/reply.h"
#include "http/res_common.h"

/* ---- what is asked for ---- */

static bool refuse_ids(struct http_request *req, const char *name)
{
	http_problem(req, CORE_INVALID_REQUEST, "\"%s\" must be ids separated by commas, such as 1,2; at most %d queues and shows in all.", name,
	             JARI_SERIES_NAMED_MAX);
	return false;
}

/* "1,2" of a parameter that may be absent. */
static bool read_ids(struct http_request *req, const char *name, int64_t ids[JARI_SERIES_NAMED_MAX], size_t *n, size_t others)
{
	struct text value;

	*n = 0;
	if (!http_param(req, name, &value))
		return true;
	for (size_t from = 0, i = 0; i <= value.n; i++) {
		if (i < value.n && value.p[i] != ',')
			continue;
		if (*n + others == JARI_SERIES_NAMED_MAX ||
		    !text_to_int((struct text){value.p + from, i - from}, 1, INT64_MAX, &ids[(*n)++]))
			return refuse_ids(req, name);
		from = i + 1;
	}
	return true;
}

static bool read_ask(struct http_request *req, struct engine_series_ask *ask)
{
	struct text value;
	int32_t date;

	if (http_param(req, "resolution", &value)) {
		ask->minutes = text_equal(value, TEXT("minute"));
		if (!ask->minutes && !text_equal(value, TEXT("second"))) {
			http_problem(req, CORE_INVALID_REQUEST, "\"resolution\" must be second or minute.");
			return false;
		}
	}
	if (http_param(req, "since", &value) && (!text_instant_parse(value, &ask->since, &date) || ask->since < 0)) {
		http_problem(req, CORE_INVALID_REQUEST,
		             "\"since\" must be an instant such as 2026-12-24T10:00:00Z, as \"next\" gave it.");
		return false;
	}
	return read_ids(req, "queueId", ask->queues, &ask->queue_count, 0) &&
	       read_ids(req, "showId", ask->shows, &ask->show_count, ask->queue_count);
}

/* ---- what is answered ---- */

static void write_column(struct json_out *o, const char *name, const int64_t *values, int64_t count)
{
	jo_key(o, name);
	jo_array(o);
	for (int64_t i = 0; i < count; i++) {
		if (values[i] == ENGINE_SERIES_GAP)
			jo_null(o);
		else
			jo_int(o, values[i]);
	}
	jo_end_array(o);
}

static void write_columns(struct json_out *o, const char *const *names, int n, const int64_t *values, int64_t count)
{
	for (int c = 0; c < n; c++)
		write_column(o, names[c], values + c * count, count);
}

static const char *const server_names[ENGINE_SERVER_COLUMNS] = {
    [ENGINE_SERVER_REQUESTS] = "requests", [ENGINE_SERVER_REFUSED] = "refused", [ENGINE_SERVER_ERRORS] = "errors",
    [ENGINE_SERVER_P50_US] = "p50Us",      [ENGINE_SERVER_P99_US] = "p99Us",    [ENGINE_SERVER_COMMITS] = "commits",
    [ENGINE_SERVER_COMMIT_US] = "commitUs"};
static const char *const queue_names[ENGINE_QUEUE_COLUMNS] = {[ENGINE_QUEUE_WAITING] = "waiting",
                                                              [ENGINE_QUEUE_ACTIVE] = "active",
                                                              [ENGINE_QUEUE_ADMITTED] = "admitted",
                                                              [ENGINE_QUEUE_JOINED] = "joined"};
static const char *const show_names[ENGINE_SHOW_COLUMNS] = {
    [ENGINE_SHOW_SOLD] = "sold", [ENGINE_SHOW_HELD] = "held", [ENGINE_SHOW_REVENUE] = "revenue"};

/* One object for each id. */
static void write_each(struct json_out *o, const char *key, const char *id_name, const int64_t *ids, const int64_t *const *values,
                       size_t n, const char *const *names, int columns, int64_t count)
{
	jo_key(o, key);
	jo_array(o);
	for (size_t i = 0; i < n; i++) {
		jo_object(o);
		jo_kv_int(o, id_name, ids[i]);
		write_columns(o, names, columns, values[i], count);
		jo_end_object(o);
	}
	jo_end_array(o);
}

static void write_series(struct json_out *o, const struct engine_series_ask *ask, const struct engine_series_view *v)
{
	jo_object(o);
	jo_kv_str(o, "resolution", ask->minutes ? "minute" : "second");
	jo_kv_int(o, "step", v->step_s);
	jo_kv_instant(o, "t0", v->first * v->step_s * 1000);
	jo_kv_int(o, "count", v->count);
	jo_kv_instant(o, "next", (v->first + v->count) * v->step_s * 1000);
	jo_key(o, "server");
	jo_object(o);
	write_columns(o, server_names, ENGINE_SERVER_COLUMNS, v->server, v->count);
	jo_end_object(o);
	write_each(o, "queues", "queueId", ask->queues, v->queues, ask->queue_count, queue_names, ENGINE_QUEUE_COLUMNS, v->count);
	write_each(o, "shows", "showId", ask->shows, v->shows, ask->show_count, show_names, ENGINE_SHOW_COLUMNS, v->count);
	jo_end_object(o);
}

void res_series(struct http_request *req)
{
	struct engine_series_ask ask = {.now = req->now};
	struct engine_series_view view;
	struct buf body = {0};
	struct json_out o;

	if (!read_ask(req, &ask))
		return;
	engine_look_series(req->app->engine, &ask, req->arena, &view);
	jo_begin(&o, &body);
	write_series(&o, &ask, &view);
	http_json(req, 200, &body);
	buf_free(&body);
}
