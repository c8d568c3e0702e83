/* res_admin.c: the organiser's routes. */
#include "http/catalogue.h"
#include "http/reply.h"
#include "http/res_common.h"

#include "base/log.h"
#include <inttypes.h>
#include <string.h>

/* There is one admin key, so there is one name for who did it. */
#define ACTOR TEXT("admin")

/* ---- catalogue ---- */

void res_catalogue(struct http_request *req)
{
	struct core_catalogue *doc = arena_alloc(req->arena, sizeof(*doc));
	char error[CATALOGUE_ERROR_SIZE];

	if (!catalogue_read(res_document(req), req->arena, doc, error)) {
		http_problem(req, CORE_INVALID_REQUEST, "%s", error);
		return;
	}
	req->job.cmd.op = CORE_ADD_CATALOGUE;
	req->job.cmd.u.catalogue.doc = doc;
	req->job.cmd.u.catalogue.actor = ACTOR;
	http_submit(req, res_decided);
}

/* ---- queues ---- */

static void write_queues(struct json_out *o, struct http_request *req)
{
	struct core_queue *queues;
	size_t n;

	engine_look_queues(req->app->engine, req->arena, &queues, &n);
	jo_key(o, "queues");
	jo_array(o);
	for (size_t i = 0; i < n; i++)
		http_write_queue(o, &queues[i]);
	jo_end_array(o);
}

void res_queues(struct http_request *req)
{
	struct buf body = {0};
	struct json_out o;

	jo_begin(&o, &body);
	jo_object(&o);
	write_queues(&o, req);
	jo_end_object(&o);
	http_json(req, 200, &body);
	buf_free(&body);
}

struct patch_body {
	int64_t capacity, rate;
	bool paused;
};

void res_patch_queue(struct http_request *req)
{
	static const struct json_field fields[] = {
	    {"capacity", JSON_T_INT, false, offsetof(struct patch_body, capacity), 1, JARI_QUEUE_CAPACITY_MAX},
	    {"ratePerSecond", JSON_T_INT, false, offsetof(struct patch_body, rate), 0, JARI_QUEUE_RATE_MAX},
	    {"paused", JSON_T_BOOL, false, offsetof(struct patch_body, paused), 0, 0},
	};
	struct core_cmd *cmd = &req->job.cmd;
	struct patch_body in = {0};
	uint32_t seen;

	if (!res_body(req, fields, sizeof(fields) / sizeof(fields[0]), &in, &seen, NULL))
		return;
	if (seen == 0) {
		http_problem(req, CORE_INVALID_REQUEST, "Name at least one of capacity, ratePerSecond and paused.");
		return;
	}
	cmd->op = CORE_PATCH_QUEUE;
	cmd->u.patch.queue_id = req->ids[0];
	cmd->u.patch.has_capacity = (seen & 1) != 0;
	cmd->u.patch.has_rate = (seen & 2) != 0;
	cmd->u.patch.has_paused = (seen & 4) != 0;
	cmd->u.patch.capacity = in.capacity;
	cmd->u.patch.rate_per_second = in.rate;
	cmd->u.patch.paused = in.paused;
	cmd->u.patch.actor = ACTOR;
	http_submit(req, res_decided);
}

/* ---- statistics ---- */

/* Concerts come by id. */
static struct text title_of(const struct core_concert *concerts, size_t n, int64_t concert_id)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (concerts[mid].concert_id < concert_id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && concerts[lo].concert_id == concert_id ? concerts[lo].title : (struct text){0};
}

void res_stats(struct http_request *req)
{
	struct core_concert *concerts;
	struct engine_show *shows;
	size_t concert_count, show_count;
	struct buf body = {0};
	struct json_out o;

	engine_look_concerts(req->app->engine, req->arena, &concerts, &concert_count);
	engine_look_all_shows(req->app->engine, req->now, req->arena, &shows, &show_count);
	jo_begin(&o, &body);
	jo_object(&o);
	write_queues(&o, req);
	jo_key(&o, "shows");
	jo_array(&o);
	for (size_t i = 0; i < show_count; i++)
		http_write_show_stats(&o, &shows[i], title_of(concerts, concert_count, shows[i].show.concert_id));
	jo_end_array(&o);
	jo_end_object(&o);
	http_json(req, 200, &body);
	buf_free(&body);
}

/* ---- audit log ---- */

struct audit_page {
	int64_t limit, before;
	struct core_audit *rows;
	size_t n;
};

/* One row more than asked for tells whether there is another page. */
static enum store_result load_audits(struct engine_read *read, struct store_reader *reader)
{
	struct http_request *req = http_request_of_read(read);
	struct audit_page *page = req->state;

	return store_audits(reader, page->before, page->limit + 1, req->arena, &page->rows, &page->n);
}

static void answer_audits(struct http_request *req)
{
	const struct audit_page *page = req->state;
	struct buf body = {0};
	struct json_out o;

	if (!res_was_read(req, CORE_NOT_FOUND))
		return;
	bool more = page->n > (size_t)page->limit;
	size_t n = more ? (size_t)page->limit : page->n;
	jo_begin(&o, &body);
	jo_object(&o);
	jo_key(&o, "entries");
	jo_array(&o);
	for (size_t i = 0; i < n; i++)
		http_write_audit(&o, &page->rows[i]);
	jo_end_array(&o);
	res_next_before(&o, more, more ? page->rows[n - 1].audit_id : 0);
	jo_end_object(&o);
	http_json(req, 200, &body);
	buf_free(&body);
}

void res_audit_log(struct http_request *req)
{
	struct audit_page *page = arena_alloc(req->arena, sizeof(*page));

	if (!http_page(req, &page->limit, &page->before))
		return;
	req->state = page;
	http_read(req, load_audits, answer_audits);
}

/* ---- sales ---- */

/* One page of sales at a time. The rows are turned into CSV on the reader's thread, in memory of that call alone; what stays with the
 * request is the text, in room that is used again for each page. So nothing is left behind when the client goes away. */
struct sales {
	int64_t concert_id, after, now;
	char *room;
	size_t cap, n;
	bool begun, last;
};

static void keep_text(struct sales *s, struct arena *arena, struct text csv)
{
	if (csv.n > s->cap) {
		s->cap = csv.n * 2;
		s->room = arena_alloc(arena, s->cap);
	}
	s->n = csv.n;
	if (csv.n > 0)
		memcpy(s->room, csv.p, csv.n);
}

static enum store_result load_sales(struct engine_read *read, struct store_reader *reader)
{
	struct http_request *req = http_request_of_read(read);
	struct sales *s = req->state;
	struct arena page = {0};
	struct buf csv = {0};
	struct store_sale *rows;
	size_t n = 0;
	enum store_result result = store_sales(reader, s->concert_id, s->after, JARI_SALES_PAGE, &page, &rows, &n);

	if (result == STORE_OK) {
		if (!s->begun)
			http_write_sales_header(&csv);
		for (size_t i = 0; i < n; i++) {
			(void)res_show_now(req->app->engine, &rows[i].reservation);
			http_write_sale(&csv, &rows[i], s->now);
		}
		s->last = n < JARI_SALES_PAGE;
		if (n > 0)
			s->after = rows[n - 1].reservation.reservation_id;
		keep_text(s, req->arena, buf_view(&csv));
	}
	buf_free(&csv);
	arena_free(&page);
	return result;
}

static void sales_more(struct http_request *req);

/* Once a file has begun its status is sent; a failure in the midst of it can only be said in the file itself. */
static void answer_sales(struct http_request *req)
{
	struct sales *s = req->state;

	if (!s->begun) {
		if (!res_was_read(req, CORE_CONCERT_NOT_FOUND))
			return;
		http_header(req, "Content-Disposition", "attachment; filename=\"sales-%" PRId64 ".csv\"", s->concert_id);
		s->begun = true;
		http_stream_begin(req, 200, "text/csv; charset=utf-8", sales_more);
	} else if (req->read.result != STORE_OK) {
		log_event(LOG_ERROR, "sales_cut_short", "concert", "%" PRId64, s->concert_id);
		http_stream_piece(req, TEXT("# This file is not complete: the store could not be read. Fetch it again.\r\n"));
		http_stream_end(req);
		return;
	}
	if (s->n > 0)
		http_stream_piece(req, (struct text){s->room, s->n});
	if (s->last)
		http_stream_end(req);
}

static void sales_more(struct http_request *req)
{
	http_read(req, load_sales, answer_sales);
}

void res_sales(struct http_request *req)
{
	struct sales *s = arena_alloc(req->arena, sizeof(*s));
	struct core_concert concert;

	if (!engine_look_concert(req->app->engine, req->ids[0], req->arena, &concert)) {
		res_refuse(req, CORE_CONCERT_NOT_FOUND);
		return;
	}
	s->concert_id = concert.concert_id;
	s->now = req->now;
	req->state = s;
	http_read(req, load_sales, answer_sales);
}
