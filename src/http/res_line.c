/* res_line.c: the waiting line: take a place, look, leave. */
#include "http/res_common.h"

struct join_body {
	struct text username;
	int64_t concert_id;
	json_t *other; /* is only looked for */
};

/* The place in the line is the read model's to tell: it shows a new ticket before the reply comes back. One that the person has already may be another
 * process's, of which word has not come yet: then this comes again until it has. */
static void joined(struct http_request *req)
{
	const struct core_reply *reply = &req->job.reply;
	struct engine *e = req->app->engine;
	struct engine_ticket view = {0};

	if (reply->code != CORE_OK) {
		http_refuse(req, reply);
		return;
	}
	if (engine_look_ticket(e, reply->ticket.queue_id, reply->ticket.number, engine_now(e), &view)) {
		res_ticket(req, reply->created ? 201 : 200, &view);
		return;
	}
	(void)engine_expects_ticket(e, reply->ticket.queue_id, reply->ticket.number); /* word of it is asked for */
	if (!http_await_ticket(req))
		http_problem(req, CORE_STORE_UNAVAILABLE,
		             "The ticket was given out and can't be shown just now. Ask again: it will be the same one.");
}

/* Where users sign in elsewhere, the account is the one that its issuer knows by the token's subject; a name of one's own choice has no place. */
static bool join_signed_in(struct http_request *req, struct join_body *in)
{
	static const struct json_field fields[] = {
	    {"concertId", JSON_T_INT, false, offsetof(struct join_body, concert_id), 1, INT64_MAX},
	    {"username", JSON_T_ANY, false, offsetof(struct join_body, other), 0, 0},
	};
	uint32_t seen;

	if (!res_body(req, fields, sizeof(fields) / sizeof(fields[0]), in, &seen, NULL))
		return false;
	if ((seen & 2u) != 0) {
		http_problem(req, CORE_INVALID_REQUEST, "\"username\" is not taken here: the sign-in token says who you are.");
		return false;
	}
	in->username = req->subject;
	return true;
}

static bool join_by_name(struct http_request *req, struct join_body *in)
{
	static const struct json_field fields[] = {
	    {"username", JSON_T_TEXT, true, offsetof(struct join_body, username), 1, JARI_USERNAME_CHARS_MAX},
	    {"concertId", JSON_T_INT, false, offsetof(struct join_body, concert_id), 1, INT64_MAX},
	};
	uint32_t seen;

	return res_body(req, fields, sizeof(fields) / sizeof(fields[0]), in, &seen, NULL);
}

void res_get_token(struct http_request *req)
{
	struct join_body in = {0};

	if (!(req->app->sign_in != NULL ? join_signed_in(req, &in) : join_by_name(req, &in)))
		return;
	req->job.cmd.op = CORE_JOIN;
	req->job.cmd.u.join.username = in.username;
	req->job.cmd.u.join.concert_id = in.concert_id;
	http_submit(req, joined);
}

void res_sign_in(struct http_request *req)
{
	struct buf body = {0};
	struct json_out o;

	jo_begin(&o, &body);
	jo_object(&o);
	jo_kv_str(&o, "auth", req->app->sign_in != NULL ? "jwt" : "name");
	jo_end_object(&o);
	http_json(req, 200, &body);
	buf_free(&body);
}

void res_check(struct http_request *req)
{
	struct engine_ticket view;

	if (engine_look_ticket(req->app->engine, req->ticket.queue_id, req->ticket.number, req->now, &view))
		res_ticket(req, 200, &view);
	else
		res_refuse(req, CORE_TOKEN_INVALID);
}

void res_leave(struct http_request *req)
{
	res_who(req, CORE_LEAVE);
	http_submit(req, res_decided);
}
