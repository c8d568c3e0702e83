/* res_reservations.c: one reservation, giving it up, and a user's list. */
#include "http/reply.h"
#include "http/res_common.h"

int64_t res_show_now(struct engine *engine, struct core_reservation *r)
{
	struct engine_show show;

	if (!engine_look_show(engine, r->show_id, 0, &show))
		return 0;
	r->date = show.show.date;
	return show.show.starts_at;
}

struct one {
	int64_t id;
	struct core_reservation reservation;
};

static enum store_result load_one(struct engine_read *read, struct store_reader *reader)
{
	struct http_request *req = http_request_of_read(read);
	struct one *one = req->state;

	return store_reservation(reader, one->id, req->arena, &one->reservation);
}

/* Somebody else's reservation looks like none. */
static void answer_one(struct http_request *req)
{
	struct one *one = req->state;
	struct buf body = {0};
	struct json_out o;

	if (!res_was_read(req, CORE_RESERVATION_NOT_FOUND))
		return;
	if (one->reservation.user_id != req->ticket.user_id) {
		res_refuse(req, CORE_RESERVATION_NOT_FOUND);
		return;
	}
	int64_t starts_at = res_show_now(req->app->engine, &one->reservation);
	jo_begin(&o, &body);
	http_write_reservation(&o, &one->reservation, starts_at,
	                       core_reservation_at(&one->reservation, engine_now(req->app->engine)));
	http_json(req, 200, &body);
	buf_free(&body);
}

void res_reservation(struct http_request *req)
{
	struct one *one = arena_alloc(req->arena, sizeof(*one));

	one->id = req->ids[0];
	req->state = one;
	http_read(req, load_one, answer_one);
}

void res_cancel(struct http_request *req)
{
	res_who(req, CORE_CANCEL);
	req->job.cmd.u.cancel.reservation_id = req->ids[0];
	http_submit(req, res_decided);
}

/* ---- a user's list ---- */

struct page {
	int64_t limit, before;
	struct core_reservation *rows;
	size_t n;
};

/* One row more than asked for tells whether there is another page. */
static enum store_result load_page(struct engine_read *read, struct store_reader *reader)
{
	struct http_request *req = http_request_of_read(read);
	struct page *page = req->state;

	return store_reservations(reader, req->ticket.user_id, page->before, page->limit + 1, req->arena, &page->rows, &page->n);
}

static void answer_page(struct http_request *req)
{
	const struct page *page = req->state;
	int64_t now = engine_now(req->app->engine);
	struct buf body = {0};
	struct json_out o;

	if (!res_was_read(req, CORE_USER_NOT_FOUND))
		return;
	bool more = page->n > (size_t)page->limit;
	size_t n = more ? (size_t)page->limit : page->n;
	jo_begin(&o, &body);
	jo_object(&o);
	jo_key(&o, "reservations");
	jo_array(&o);
	for (size_t i = 0; i < n; i++) {
		int64_t starts_at = res_show_now(req->app->engine, &page->rows[i]);
		http_write_reservation(&o, &page->rows[i], starts_at, core_reservation_at(&page->rows[i], now));
	}
	jo_end_array(&o);
	res_next_before(&o, more, more ? page->rows[n - 1].reservation_id : 0);
	jo_end_object(&o);
	http_json(req, 200, &body);
	buf_free(&body);
}

void res_reservations(struct http_request *req)
{
	struct page *page = arena_alloc(req->arena, sizeof(*page));

	if (!http_page(req, &page->limit, &page->before) || !res_own_user(req))
		return;
	req->state = page;
	http_read(req, load_page, answer_page);
}
