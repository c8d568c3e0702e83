/* res_wallet.c: a user's wallet: charge it, look at it, look back. */
#include "http/reply.h"
#include "http/res_common.h"

struct charge_body {
	int64_t amount;
};

void res_charge(struct http_request *req)
{
	static const struct json_field fields[] = {
	    {"amount", JSON_T_INT, true, offsetof(struct charge_body, amount), 1, JARI_CHARGE_MAX},
	};
	struct charge_body in = {0};
	uint32_t seen;

	if (!res_body(req, fields, 1, &in, &seen, NULL))
		return;
	res_who(req, CORE_CHARGE_WALLET);
	req->job.cmd.u.charge.user_id = req->ids[0];
	req->job.cmd.u.charge.amount = in.amount;
	if (res_key(req))
		http_submit(req, res_decided);
}

void res_user(struct http_request *req)
{
	struct core_user user;
	struct buf body = {0};
	struct json_out o;

	if (!res_own_user(req))
		return;
	if (!engine_look_user(req->app->engine, req->ids[0], req->arena, &user)) {
		res_refuse(req, CORE_USER_NOT_FOUND);
		return;
	}
	jo_begin(&o, &body);
	jo_object(&o);
	jo_kv_int(&o, "userId", user.user_id);
	jo_kv_text(&o, "username", user.name);
	jo_kv_int(&o, "balance", user.balance);
	jo_end_object(&o);
	http_json(req, 200, &body);
	buf_free(&body);
}

/* ---- histories ---- */

struct page {
	int64_t limit, before;
	struct core_entry *rows;
	size_t n;
};

/* One row more than asked for tells whether there is another page. */
static enum store_result load_page(struct engine_read *read, struct store_reader *reader)
{
	struct http_request *req = http_request_of_read(read);
	struct page *page = req->state;

	return store_entries(reader, req->ticket.user_id, page->before, page->limit + 1, req->arena, &page->rows, &page->n);
}

static void answer_page(struct http_request *req)
{
	const struct page *page = req->state;
	struct buf body = {0};
	struct json_out o;

	if (!res_was_read(req, CORE_USER_NOT_FOUND))
		return;
	bool more = page->n > (size_t)page->limit;
	size_t n = more ? (size_t)page->limit : page->n;
	jo_begin(&o, &body);
	jo_object(&o);
	jo_key(&o, "histories");
	jo_array(&o);
	for (size_t i = 0; i < n; i++)
		http_write_entry(&o, &page->rows[i]);
	jo_end_array(&o);
	res_next_before(&o, more, more ? page->rows[n - 1].entry_id : 0);
	jo_end_object(&o);
	http_json(req, 200, &body);
	buf_free(&body);
}

void res_histories(struct http_request *req)
{
	struct page *page = arena_alloc(req->arena, sizeof(*page));

	if (!http_page(req, &page->limit, &page->before) || !res_own_user(req))
		return;
	req->state = page;
	http_read(req, load_page, answer_page);
}
