/* res_booking.c: dates, seats, and holding them. */
#include "http/reply.h"
#include "http/rendered.h"
#include "http/res_common.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- dates ---- */

/* `all` is true, false or absent. */
static bool read_all(struct http_request *req, bool *all)
{
	struct text value;

	*all = false;
	if (!http_param(req, "all", &value))
		return true;
	*all = text_equal(value, TEXT("true"));
	if (*all || text_equal(value, TEXT("false")))
		return true;
	http_problem(req, CORE_INVALID_REQUEST, "\"all\" must be true or false.");
	return false;
}

void res_dates(struct http_request *req)
{
	struct core_concert concert;
	struct engine_show *shows;
	struct buf body = {0};
	struct json_out o;
	bool all;
	size_t n;

	if (!read_all(req, &all))
		return;
	if (!engine_look_concert(req->app->engine, req->ids[0], req->arena, &concert)) {
		res_refuse(req, CORE_CONCERT_NOT_FOUND);
		return;
	}
	if (!res_admitted(req, concert.queue_id))
		return;
	engine_look_shows(req->app->engine, concert.concert_id, req->now, req->arena, &shows, &n);
	jo_begin(&o, &body);
	http_write_dates(&o, concert.concert_id, shows, n, all, req->now);
	http_json(req, 200, &body);
	buf_free(&body);
}

/* ---- seats ---- */

/* Which show is asked for: by its id, or by its date. */
struct which {
	int64_t show_id; /* 0: by date */
	int32_t date;
};

static bool read_which(struct http_request *req, struct which *out)
{
	struct text date, show;
	bool by_date = http_param(req, "date", &date), by_show = http_param(req, "showId", &show);

	*out = (struct which){0};
	if (by_date == by_show)
		http_problem(req, CORE_INVALID_REQUEST, "Name one show, with either date or showId%s.",
		             by_date ? ", and not with both" : "");
	else if (by_date && !text_date_parse(date, &out->date))
		http_problem(req, CORE_INVALID_REQUEST, "\"date\" must be a day such as 2026-12-24.");
	else if (by_show && !text_to_int(show, 1, INT64_MAX, &out->show_id))
		http_problem(req, CORE_INVALID_REQUEST, "\"showId\" must be a positive integer.");
	else
		return true;
	return false;
}

/* The show that is meant; one that has begun can still be looked at. The number of those that it may be. */
static size_t find_shows(struct http_request *req, int64_t concert_id, const struct which *which, struct engine_show *first)
{
	struct engine_show *shows;
	struct core_date date = {0};
	size_t n;

	if (which->show_id != 0)
		return engine_look_show(req->app->engine, which->show_id, req->now, first) &&
		       first->show.concert_id == concert_id;
	engine_look_shows(req->app->engine, concert_id, req->now, req->arena, &shows, &n);
	for (size_t i = 0; i < n; i++)
		if (shows[i].show.date == which->date && core_date_means(&date, shows[i].show.starts_at, req->now))
			*first = shows[i];
	return date.coming ? date.coming : date.begun;
}

typedef void write_seats_fn(struct buf *out, const struct core_show *show, const struct core_seat *seats, size_t n);

static write_seats_fn *const write_seats[RENDERED_FORMS] = {
    [RENDERED_SEATS] = http_write_seats,
    [RENDERED_STATUSES] = http_write_seat_statuses,
};

static struct rendered_key key_of(const struct engine_show *view, enum rendered_form form)
{
	return (struct rendered_key){view->show.show_id, view->show.version, view->state, form};
}

/* Writes the seats and their ETag, and keeps both. False when the show is gone. */
static bool render_seats(struct http_request *req, int64_t show_id, enum rendered_form form, struct text *body, struct text *tag)
{
	struct engine_show view;
	struct core_seat *seats;
	struct buf *out = &req->answer;
	char prefix[24];
	size_t n;

	if (!engine_look_seats(req->app->engine, show_id, req->now, req->arena, &view, &seats, &n))
		return false;
	write_seats[form](out, &view.show, seats, n);
	size_t body_n = out->n;
	(void)snprintf(prefix, sizeof(prefix), "%" PRId64 "-", view.show.version);
	res_tag(out, prefix, (struct text){out->p, body_n});
	*body = (struct text){out->p, body_n};
	*tag = (struct text){out->p + body_n, out->n - body_n};
	struct rendered_key key = key_of(&view, form);
	rendered_put(req->rendered, &key, *body, *tag);
	return true;
}

static void answer_seats(struct http_request *req, const struct engine_show *view, enum rendered_form form)
{
	struct rendered_key key = key_of(view, form);
	struct text body, tag;

	if (!rendered_get(req->rendered, &key, &body, &tag) && !render_seats(req, key.show_id, form, &body, &tag)) {
		res_refuse(req, CORE_SHOW_NOT_FOUND);
		return;
	}
	http_header_text(req, "Cache-Control", TEXT("private, no-cache"));
	res_answer_tagged(req, "application/json", body, tag, false);
}

static void look_at_seats(struct http_request *req, enum rendered_form form)
{
	struct core_concert concert;
	struct engine_show view;
	struct which which;

	if (!read_which(req, &which))
		return;
	if (!engine_look_concert(req->app->engine, req->ids[0], req->arena, &concert)) {
		res_refuse(req, CORE_CONCERT_NOT_FOUND);
		return;
	}
	size_t found = find_shows(req, concert.concert_id, &which, &view);
	if (found == 0)
		res_refuse(req, CORE_SHOW_NOT_FOUND);
	else if (res_admitted(req, concert.queue_id)) {
		if (found > 1)
			res_refuse(req, CORE_AMBIGUOUS_DATE);
		else
			answer_seats(req, &view, form);
	}
}

void res_seats(struct http_request *req)
{
	look_at_seats(req, RENDERED_SEATS);
}

void res_seat_statuses(struct http_request *req)
{
	look_at_seats(req, RENDERED_STATUSES);
}

/* ---- hold ---- */

struct hold_body {
	int32_t date;
	int64_t show_id, seat;
	struct json_ints seats;
	json_t *best;
};

enum { HOLD_DATE = 1, HOLD_SHOW = 2, HOLD_SEAT = 4, HOLD_SEATS = 8, HOLD_BEST = 16 };

struct best_body {
	int64_t count;
	struct text section;
};

static bool read_best(struct http_request *req, json_t *best)
{
	static const struct json_field fields[] = {
	    {"count", JSON_T_INT, true, offsetof(struct best_body, count), 1, INT64_MAX},
	    {"section", JSON_T_TEXT, false, offsetof(struct best_body, section), 1, JARI_SECTION_CHARS_MAX},
	};
	struct best_body in = {0};
	char error[JSON_ERROR_SIZE];
	uint32_t seen;

	if (!json_is_object(best)) {
		http_problem(req, CORE_INVALID_REQUEST, "\"bestAvailable\" must be an object such as {\"count\": 2}.");
		return false;
	}
	if (!json_fields(best, fields, sizeof(fields) / sizeof(fields[0]), "bestAvailable.", req->arena, &in, &seen, error)) {
		http_problem(req, CORE_INVALID_REQUEST, "%s", error);
		return false;
	}
	req->job.cmd.u.hold.best_count = in.count;
	req->job.cmd.u.hold.best_section = in.section;
	return true;
}

static bool name_seats(struct http_request *req, struct hold_body *in, uint32_t seen)
{
	struct core_cmd *cmd = &req->job.cmd;
	uint32_t ways = seen & (HOLD_SEAT | HOLD_SEATS | HOLD_BEST);

	if (ways == 0 || (ways & (ways - 1)) != 0) {
		http_problem(req, CORE_INVALID_REQUEST,
		             "Name the seats in exactly one way: seatNumber, seatNumbers or bestAvailable.");
		return false;
	}
	if (ways == HOLD_BEST)
		return read_best(req, in->best);
	if (ways == HOLD_SEAT) {
		cmd->u.hold.seats = arena_copy(req->arena, &in->seat, sizeof(in->seat));
		cmd->u.hold.seat_count = 1;
	} else {
		cmd->u.hold.seats = in->seats.p;
		cmd->u.hold.seat_count = in->seats.n;
	}
	return true;
}

static bool read_hold(struct http_request *req)
{
	static const struct json_field fields[] = {
	    {"date", JSON_T_DATE, false, offsetof(struct hold_body, date), 0, 0},
	    {"showId", JSON_T_INT, false, offsetof(struct hold_body, show_id), 1, INT64_MAX},
	    {"seatNumber", JSON_T_INT, false, offsetof(struct hold_body, seat), 1, INT64_MAX},
	    {"seatNumbers", JSON_T_INTS, false, offsetof(struct hold_body, seats), 1, INT64_MAX},
	    {"bestAvailable", JSON_T_ANY, false, offsetof(struct hold_body, best), 0, 0},
	};
	struct hold_body in = {0};
	json_t *document;
	uint32_t seen;
	bool ok = false;

	if (!res_body(req, fields, sizeof(fields) / sizeof(fields[0]), &in, &seen, &document))
		return false;
	if (((seen & HOLD_DATE) != 0) == ((seen & HOLD_SHOW) != 0))
		http_problem(req, CORE_INVALID_REQUEST, "Name one show, with either date or showId.");
	else
		ok = name_seats(req, &in, seen);
	req->job.cmd.u.hold.show_id = in.show_id;
	req->job.cmd.u.hold.date = in.date;
	json_decref(document);
	return ok;
}

void res_hold(struct http_request *req)
{
	res_who(req, CORE_HOLD);
	req->job.cmd.u.hold.concert_id = req->ids[0];
	if (read_hold(req) && res_key(req))
		http_submit(req, res_decided);
}
