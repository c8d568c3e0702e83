/* res_concerts.c: what is on. Open to everyone, and answered from memory. */
#include "http/reply.h"
#include "http/res_common.h"

void res_concerts(struct http_request *req)
{
	struct core_concert *concerts;
	struct buf body = {0};
	struct json_out o;
	size_t n;

	engine_look_concerts(req->app->engine, req->arena, &concerts, &n);
	jo_begin(&o, &body);
	jo_object(&o);
	jo_key(&o, "concerts");
	jo_array(&o);
	for (size_t i = 0; i < n; i++)
		http_write_concert(&o, &concerts[i]);
	jo_end_array(&o);
	jo_end_object(&o);
	http_json(req, 200, &body);
	buf_free(&body);
}

void res_concert(struct http_request *req)
{
	struct core_concert concert;
	struct buf body = {0};
	struct json_out o;

	if (!engine_look_concert(req->app->engine, req->ids[0], req->arena, &concert)) {
		res_refuse(req, CORE_CONCERT_NOT_FOUND);
		return;
	}
	jo_begin(&o, &body);
	http_write_concert(&o, &concert);
	http_json(req, 200, &body);
	buf_free(&body);
}
