/* receive.c: from bytes to a whole request, and the transport's own limits, which come before everything else. */
#include "http/conn.h"
#include <string.h>

/* Answers before the request is whole. What follows on the connection is not known to be a request, so it ends here. */
static bool refuse(struct http_conn *c, const struct http_refusal *why)
{
	c->closing = c->linger = true;
	c->serving = true;
	http_problem(&c->slot->req, why->code, "%s", why->detail);
	return false;
}

static bool refuse_body(struct http_conn *c)
{
	c->closing = c->linger = true;
	c->serving = true;
	http_problem(&c->slot->req, CORE_BODY_TOO_LARGE, "The body must be at most %zu bytes.", c->body_max);
	return false;
}

static void take_slot(struct http_conn *c)
{
	c->slot = http_slot_take(c->thread);
	c->slot->req.conn = c;
	c->slot->req.method = HTTP_OTHER;
}

/* What the head said, into the request. */
static void fill_request(struct http_slot *slot)
{
	const struct http_head *h = &slot->head;
	struct http_request *req = &slot->req;
	req->method = h->method;
	req->method_name = h->method_name;
	req->path = h->path;
	req->target = h->target;
	req->authorization = h->authorization;
	req->content_type = h->content_type;
	req->if_none_match = h->if_none_match;
	req->idempotency_key = h->idempotency_key;
	req->accept_encoding = h->accept_encoding;
	req->has_authorization = h->has_authorization;
	req->has_content_type = h->has_content_type;
	req->has_if_none_match = h->has_if_none_match;
	req->has_idempotency_key = h->has_idempotency_key;
}

static void match_route(struct http_conn *c)
{
	const struct http_router *router = c->thread->server->router;
	struct http_slot *slot = c->slot;
	if (slot->head.asterisk)
		slot->match.allow = http_router_methods(router);
	else if (!slot->head.hidden_slash)
		slot->match = http_router_match(router, slot->head.method, slot->head.path);
	const struct http_route *route = slot->match.route;
	c->body_max = route && route->body_max ? route->body_max : JARI_BODY_MAX;
}

/* A body that is larger than strangers may send, of a route that is not for them. */
static bool is_large(const struct http_conn *c)
{
	const struct http_head *head = &c->slot->head;
	return c->body_max > JARI_BODY_MAX && (head->chunked || head->content_length > JARI_BODY_MAX);
}

/* A request that would be refused anyhow is refused before its body is read: of a client that asks before it sends one, and of one whose
 * large body would have to be kept. */
static bool may_send_body(struct http_conn *c)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct http_slot *slot = c->slot;
	bool wants = slot->head.expect_continue && (slot->head.chunked || slot->head.content_length > 0) &&
	             !evbuffer_get_length(bufferevent_get_input(c->bev));
	if (!wants && !is_large(c))
		return true;
	c->serving = slot->held = true;
	slot->req.now = engine_now(slot->req.app->engine);
	bool closing = c->closing, linger = c->linger;
	c->closing = c->linger = true; /* if it is answered now, the body that may still come is nobody's */
	slot->req.early = true;
	bool admitted = http_route_admit(&slot->req, &slot->match);
	slot->req.early = slot->held = false;
	if (!admitted)
		return false;
	c->closing = closing;
	c->linger = linger;
	c->serving = false;
	if (wants) {
		buf_add(&c->out, go_on, sizeof(go_on) - 1);
		http_conn_flush(c);
	}
	return true;
}

/* The head is whole and lies at p. */
static bool head_arrived(struct http_conn *c, const char *p, size_t n)
{
	struct http_refusal why;
	take_slot(c);
	struct http_slot *slot = c->slot;
	const char *copy = arena_copy(&slot->arena, p, n);
	if (evbuffer_drain(bufferevent_get_input(c->bev), c->scan.start + n) < 0)
		c->broken = true;
	c->scan = (struct http_scanner){0};
	if (!http_head_parse(copy, n, &slot->arena, &slot->head, &why)) {
		slot->req.method = slot->head.method;
		return refuse(c, &why);
	}
	fill_request(slot);
	match_route(c);
	if (slot->head.chunked) {
		c->part = HTTP_PART_CHUNKS;
		c->chunks = (struct http_chunks){0};
	} else {
		if (slot->head.content_length > (int64_t)c->body_max)
			return refuse_body(c);
		c->part = HTTP_PART_LENGTH;
		c->body_left = slot->head.content_length > 0 ? slot->head.content_length : 0;
	}
	return may_send_body(c);
}

static bool receive_head(struct http_conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	struct http_refusal why;
	size_t have = evbuffer_get_length(in), length;
	size_t most = JARI_HEADERS_MAX + 2 * HTTP_BLANK_LINES_MAX + 2;
	if (have > most)
		have = most;
	if (!have)
		return false;
	const char *p = (const char *)evbuffer_pullup(in, (ev_ssize_t)have);
	if (!p) {
		c->broken = true;
		return false;
	}
	switch (http_head_scan(&c->scan, p, have, &length, &why)) {
	case HTTP_SCAN_MORE:
		return false;
	case HTTP_SCAN_WHOLE:
		return head_arrived(c, p + c->scan.start, length);
	case HTTP_SCAN_REFUSED:
		break;
	}
	take_slot(c);
	c->slot->head.minor = 1;
	return refuse(c, &why);
}

static bool receive_length(struct http_conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	struct buf *body = &c->slot->body;
	size_t have = evbuffer_get_length(in);
	if ((int64_t)have > c->body_left)
		have = (size_t)c->body_left;
	if (have) {
		buf_reserve(body, have);
		int got = evbuffer_remove(in, body->p + body->n, have);
		if (got < 0) {
			c->broken = true;
			return false;
		}
		body->n += (size_t)got;
		c->body_left -= got;
	}
	return c->body_left == 0;
}

static bool receive_chunks(struct http_conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	struct buf *body = &c->slot->body;
	struct evbuffer_iovec piece;
	while (evbuffer_peek(in, -1, NULL, &piece, 1) > 0 && piece.iov_len) {
		struct http_refusal why;
		struct text data;
		size_t used = 0;
		enum http_chunk got = http_chunks_next(&c->chunks, piece.iov_base, piece.iov_len, &used, &data, &why);
		if (got == HTTP_CHUNK_REFUSED)
			return refuse(c, &why);
		if (got == HTTP_CHUNK_DATA) {
			if (data.n > c->body_max - body->n)
				return refuse_body(c);
			buf_text(body, data);
		}
		if (evbuffer_drain(in, used) < 0) {
			c->broken = true;
			return false;
		}
		if (got == HTTP_CHUNK_END)
			return true;
		/* What a chunk announces counts before it comes. */
		if (c->chunks.state == HTTP_CHUNK_BYTES && c->chunks.left > c->body_max - body->n)
			return refuse_body(c);
	}
	return false;
}

bool http_conn_receive(struct http_conn *c)
{
	if (c->part == HTTP_PART_HEAD && !receive_head(c))
		return false;
	if (c->part == HTTP_PART_LENGTH ? !receive_length(c) : !receive_chunks(c))
		return false;
	c->slot->req.body = buf_view(&c->slot->body);
	c->part = HTTP_PART_HEAD;
	return true;
}
