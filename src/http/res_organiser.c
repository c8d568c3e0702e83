/* res_organiser.c: one concert and one show, for the organiser: looked at and changed. */
#include "http/reply.h"
#include "http/res_common.h"

#include <inttypes.h>
#include <stdio.h>

#define ACTOR TEXT("admin")
#define WHERE_SIZE 32

static void refuse_show(struct http_request *req)
{
	http_problem(req, CORE_SHOW_NOT_FOUND, "There is no show of this id. GET /api/admin/stats lists those there are.");
}

/* ---- looking ---- */

void res_admin_concert(struct http_request *req)
{
	struct engine *engine = req->app->engine;
	struct core_concert concert;
	struct engine_show *shows;
	struct buf body = {0};
	struct json_out o;
	size_t n;

	if (!engine_look_concert(engine, req->ids[0], req->arena, &concert)) {
		res_refuse(req, CORE_CONCERT_NOT_FOUND);
		return;
	}
	engine_look_shows(engine, concert.concert_id, req->now, req->arena, &shows, &n);
	jo_begin(&o, &body);
	jo_object(&o);
	http_write_concert_members(&o, &concert);
	jo_key(&o, "shows");
	jo_array(&o);
	for (size_t i = 0; i < n; i++) {
		struct engine_hall hall;

		if (engine_look_hall(engine, shows[i].show.show_id, req->now, false, req->arena, &hall))
			http_write_hall(&o, &hall);
	}
	jo_end_array(&o);
	jo_end_object(&o);
	http_json(req, 200, &body);
	buf_free(&body);
}

void res_admin_show(struct http_request *req)
{
	struct engine_hall hall;
	struct buf body = {0};
	struct json_out o;
	char prefix[24];

	if (!engine_look_hall(req->app->engine, req->ids[0], req->now, true, req->arena, &hall)) {
		refuse_show(req);
		return;
	}
	jo_begin(&o, &body);
	http_write_hall(&o, &hall);
	(void)snprintf(prefix, sizeof(prefix), "%" PRId64 "-", hall.show.show.version);
	http_header(req, "Cache-Control", "private, no-cache");
	res_tagged(req, "application/json", buf_view(&body), prefix, false);
	buf_free(&body);
}

/* ---- changing a concert ---- */

/* What a text or a number must be is the core's to say. */
#define ANY_TEXT 0, INT64_MAX

struct concert_body {
	struct text title, artist, venue;
	int64_t sales_open_at;
};

void res_patch_concert(struct http_request *req)
{
	static const struct json_field fields[] = {
	    {"title", JSON_T_TEXT, false, offsetof(struct concert_body, title), ANY_TEXT},
	    {"artist", JSON_T_TEXT, false, offsetof(struct concert_body, artist), ANY_TEXT},
	    {"venue", JSON_T_TEXT, false, offsetof(struct concert_body, venue), ANY_TEXT},
	    {"salesOpenAt", JSON_T_INSTANT_OR_NULL, false, offsetof(struct concert_body, sales_open_at), 0, 0},
	};
	struct core_cmd *cmd = &req->job.cmd;
	struct concert_body in = {0};
	uint32_t seen;

	if (!res_body(req, fields, sizeof(fields) / sizeof(fields[0]), &in, &seen, NULL))
		return;
	cmd->op = CORE_PATCH_CONCERT;
	cmd->u.patch_concert.concert_id = req->ids[0];
	cmd->u.patch_concert.has_title = (seen & 1) != 0;
	cmd->u.patch_concert.has_artist = (seen & 2) != 0;
	cmd->u.patch_concert.has_venue = (seen & 4) != 0;
	cmd->u.patch_concert.has_sales_open_at = (seen & 8) != 0;
	cmd->u.patch_concert.title = in.title;
	cmd->u.patch_concert.artist = in.artist;
	cmd->u.patch_concert.venue = in.venue;
	cmd->u.patch_concert.no_sales_open_at = in.sales_open_at == JSON_NULL_INSTANT;
	cmd->u.patch_concert.sales_open_at = in.sales_open_at;
	cmd->u.patch_concert.actor = ACTOR;
	http_submit(req, res_decided);
}

/* ---- changing a show ---- */

struct show_body {
	struct text starts_at;
	bool closed;
	json_t *prices;
};

static bool read_prices(struct http_request *req, json_t *array)
{
	static const struct json_field fields[] = {
	    {"section", JSON_T_TEXT, true, offsetof(struct core_new_price, section), ANY_TEXT},
	    {"price", JSON_T_INT, true, offsetof(struct core_new_price, price), INT64_MIN, INT64_MAX},
	};
	size_t n = json_array_size(array);
	struct core_new_price *prices = arena_alloc(req->arena, (n + 1) * sizeof(*prices));

	if (!json_is_array(array)) {
		http_problem(req, CORE_INVALID_REQUEST,
		             "\"prices\" must be an array such as [{\"section\": \"A\", \"price\": 50000}].");
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		char where[WHERE_SIZE], error[JSON_ERROR_SIZE];
		uint32_t seen;

		(void)snprintf(where, sizeof(where), "prices[%zu].", i);
		if (!json_fields(json_array_get(array, i), fields, sizeof(fields) / sizeof(fields[0]), where, req->arena,
		                 &prices[i], &seen, error)) {
			http_problem(req, CORE_INVALID_REQUEST, "%s", error);
			return false;
		}
	}
	req->job.cmd.u.patch_show.prices = prices;
	req->job.cmd.u.patch_show.price_count = n;
	return true;
}

static bool read_show(struct http_request *req)
{
	static const struct json_field fields[] = {
	    {"startsAt", JSON_T_TEXT, false, offsetof(struct show_body, starts_at), ANY_TEXT},
	    {"closed", JSON_T_BOOL, false, offsetof(struct show_body, closed), 0, 0},
	    {"prices", JSON_T_ANY, false, offsetof(struct show_body, prices), 0, 0},
	};
	struct core_cmd *cmd = &req->job.cmd;
	struct show_body in = {0};
	json_t *document;
	uint32_t seen;

	if (!res_body(req, fields, sizeof(fields) / sizeof(fields[0]), &in, &seen, &document))
		return false;
	cmd->u.patch_show.has_starts_at = (seen & 1) != 0;
	cmd->u.patch_show.has_closed = (seen & 2) != 0;
	cmd->u.patch_show.closed = in.closed;
	bool ok = (seen & 4) == 0 || read_prices(req, in.prices);
	json_decref(document);
	if (ok && (seen & 1) != 0 && !text_instant_parse(in.starts_at, &cmd->u.patch_show.starts_at, &cmd->u.patch_show.date)) {
		http_problem(
		    req, CORE_INVALID_REQUEST,
		    "\"startsAt\" must be an instant with the offset of the venue, such as \"2026-12-24T19:00:00+09:00\".");
		ok = false;
	}
	return ok;
}

/* The show as it is now: the read model has the change. */
static void show_patched(struct http_request *req)
{
	const struct core_reply *reply = &req->job.reply;
	struct engine_hall hall;
	struct buf body = {0};
	struct json_out o;

	if (reply->code != CORE_OK && reply->code != CORE_SHOW_NOT_FOUND) {
		http_refuse(req, reply);
		return;
	}
	if (reply->code != CORE_OK ||
	    !engine_look_hall(req->app->engine, req->ids[0], engine_now(req->app->engine), false, req->arena, &hall)) {
		refuse_show(req);
		return;
	}
	jo_begin(&o, &body);
	http_write_hall_open(&o, &hall);
	jo_kv_int(&o, "repriced", reply->repriced);
	jo_kv_int(&o, "pricesKept", reply->prices_kept);
	jo_end_object(&o);
	http_json(req, 200, &body);
	buf_free(&body);
}

void res_patch_show(struct http_request *req)
{
	req->job.cmd.op = CORE_PATCH_SHOW;
	req->job.cmd.u.patch_show.show_id = req->ids[0];
	req->job.cmd.u.patch_show.actor = ACTOR;
	if (read_show(req))
		http_submit(req, show_patched);
}
