/* answer.c: what http.h offers for answering and handing on. */
#include "http/conn.h"
#include "http/metrics.h"
#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define HEADER_VALUE_SIZE 512

/* ---- the head of an answer ---- */

#define STATUS(code, words) \
	case code:          \
		return TEXT("HTTP/1.1 " #code " " words "\r\n")

static struct text status_line(int status)
{
	switch (status) {
		STATUS(200, "OK");
		STATUS(201, "Created");
		STATUS(202, "Accepted");
		STATUS(204, "No Content");
		STATUS(302, "Found");
		STATUS(304, "Not Modified");
		STATUS(307, "Temporary Redirect");
		STATUS(308, "Permanent Redirect");
		STATUS(400, "Bad Request");
		STATUS(401, "Unauthorized");
		STATUS(402, "Payment Required");
		STATUS(403, "Forbidden");
		STATUS(404, "Not Found");
		STATUS(405, "Method Not Allowed");
		STATUS(409, "Conflict");
		STATUS(410, "Gone");
		STATUS(413, "Content Too Large");
		STATUS(415, "Unsupported Media Type");
		STATUS(422, "Unprocessable Content");
		STATUS(429, "Too Many Requests");
		STATUS(431, "Request Header Fields Too Large");
		STATUS(500, "Internal Server Error");
		STATUS(501, "Not Implemented");
		STATUS(503, "Service Unavailable");
	default:
		return (struct text){NULL, 0};
	}
}

static void add_status(struct buf *out, int status)
{
	struct text line = status_line(status);
	if (line.n)
		buf_text(out, line);
	else
		buf_printf(out, "HTTP/1.1 %d Unknown\r\n", status);
}

static bool has_body(int status)
{
	return status != 204 && status != 304;
}

/* Whether this answer is the connection's last. */
static bool is_last(const struct http_slot *slot)
{
	struct http_conn *c = slot->req.conn;
	if (c->closing || !slot->head.keep_alive)
		return true;
	bool ending = c->thread->draining || atomic_load_explicit(&slot->req.app->leaving, memory_order_relaxed);
	return ending && !evbuffer_get_length(bufferevent_get_input(c->bev));
}

/* Everything that every answer has, up to what says how long it is. */
static void add_head(struct http_slot *slot, int status, const char *content_type)
{
	struct http_conn *c = slot->req.conn;
	struct buf *out = &c->out;
	c->closing = is_last(slot);
	add_status(out, status);
	buf_add(out, c->thread->date, c->thread->date_n);
	if (content_type[0]) {
		buf_text(out, TEXT("Content-Type: "));
		buf_str(out, content_type);
		buf_text(out, TEXT("\r\n"));
	}
	if (!slot->has_cache_control)
		buf_text(out, TEXT("Cache-Control: no-store\r\n"));
	buf_text(out, TEXT("X-Content-Type-Options: nosniff\r\n"));
	buf_text(out, buf_view(&slot->req.extra_headers));
	if (c->closing)
		buf_text(out, TEXT("Connection: close\r\n"));
	else if (slot->head.minor == 0)
		buf_text(out, TEXT("Connection: keep-alive\r\n"));
}

static void add_length(struct buf *out, int status, size_t n)
{
	if (!has_body(status))
		return;
	buf_text(out, TEXT("Content-Length: "));
	buf_int(out, (int64_t)n);
	buf_text(out, TEXT("\r\n"));
}

/* Once for each request; a second answer is a mistake of the handler's. */
static void count(struct http_slot *slot, int status)
{
	struct http_request *req = &slot->req;
	assert(!slot->answered && !slot->streaming && !slot->in_engine);
	http_metrics_count(req->app->metrics, req->thread->index, req->route, status, clock_elapsed_us() - req->began_us);
}

static void built_in_freed(const void *data, size_t n, void *arg)
{
	(void)data, (void)n, (void)arg;
}

/* Puts the body behind the head: copied where that saves a write, by reference where it is long and stays. */
static void add_body(struct http_conn *c, struct text body, bool fixed)
{
	if (!fixed || body.n <= HTTP_STATIC_COPY_MAX) {
		buf_text(&c->out, body);
		return;
	}
	http_conn_flush(c);
	c->fixed += body.n;
	if (!c->broken && evbuffer_add_reference(bufferevent_get_output(c->bev), body.p, body.n, built_in_freed, NULL) < 0)
		c->broken = true;
}

static void answer(struct http_request *req, int status, const char *content_type, struct text body, bool fixed)
{
	struct http_slot *slot = http_slot_of(req);
	struct http_conn *c = req->conn;
	count(slot, status);
	slot->answered = true;
	if (c) {
		bool whole = has_body(status) && req->method != HTTP_HEAD;
		buf_reserve(&c->out, 512 + (fixed || !whole ? 0 : body.n));
		add_head(slot, status, content_type);
		add_length(&c->out, status, body.n);
		buf_text(&c->out, TEXT("\r\n"));
		if (whole)
			add_body(c, body, fixed);
	}
	http_slot_settle(slot);
}

/* ---- answering ---- */

static void begin_header(struct http_request *req, const char *name)
{
	struct http_slot *slot = http_slot_of(req);
	struct text given = text_of(name);
	slot->has_cache_control |= text_equal_nocase(given, TEXT("Cache-Control"));
	slot->has_retry_after |= text_equal_nocase(given, TEXT("Retry-After"));
	buf_text(&req->extra_headers, given);
	buf_text(&req->extra_headers, TEXT(": "));
}

void http_header_text(struct http_request *req, const char *name, struct text value)
{
	begin_header(req, name);
	struct buf *out = &req->extra_headers;
	size_t from = out->n;
	buf_text(out, value);
	/* A line break in a value would be another header. */
	for (size_t i = from; i < out->n; i++)
		if ((unsigned char)out->p[i] < ' ' || out->p[i] == 0x7f)
			out->p[i] = ' ';
	buf_text(out, TEXT("\r\n"));
}

void http_header_int(struct http_request *req, const char *name, int64_t value)
{
	begin_header(req, name);
	buf_int(&req->extra_headers, value);
	buf_text(&req->extra_headers, TEXT("\r\n"));
}

void http_header(struct http_request *req, const char *name, const char *format, ...)
{
	char value[HEADER_VALUE_SIZE];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	size_t length = n < 0 ? 0 : (size_t)n;
	http_header_text(req, name, (struct text){value, length < sizeof(value) ? length : sizeof(value) - 1});
}

void http_answer(struct http_request *req, int status, const char *content_type, struct text body)
{
	answer(req, status, content_type, body, false);
}

void http_answer_static(struct http_request *req, int status, const char *content_type, struct text body)
{
	answer(req, status, content_type, body, true);
}

void http_json(struct http_request *req, int status, const struct buf *body)
{
	answer(req, status, "application/json", buf_view(body), false);
}

/* ---- streams ---- */

void http_answer_head(struct http_slot *slot, int status, const char *content_type)
{
	count(slot, status);
	if (slot->req.conn)
		add_head(slot, status, content_type);
}

void http_stream_begin(struct http_request *req, int status, const char *content_type, void (*more)(struct http_request *req))
{
	struct http_slot *slot = http_slot_of(req);
	struct http_conn *c = req->conn;
	count(slot, status);
	slot->streaming = slot->more_due = true;
	slot->more = more;
	slot->muted = !c || req->method == HTTP_HEAD;
	if (!c)
		return;
	/* HTTP/1.0 has no chunks: the end of the connection is the end of the answer. */
	slot->chunked = slot->head.minor == 1;
	if (!slot->chunked)
		c->closing = true;
	add_head(slot, status, content_type);
	if (slot->chunked)
		buf_text(&c->out, TEXT("Transfer-Encoding: chunked\r\n"));
	buf_text(&c->out, TEXT("\r\n"));
	http_slot_settle(slot);
}

void http_stream_piece(struct http_request *req, struct text bytes)
{
	struct http_slot *slot = http_slot_of(req);
	struct http_conn *c = req->conn;
	assert(slot->streaming && !slot->answered);
	if (!c || slot->muted || !bytes.n)
		return;
	if (slot->chunked)
		buf_printf(&c->out, "%zx\r\n", bytes.n);
	buf_text(&c->out, bytes);
	if (slot->chunked)
		buf_text(&c->out, TEXT("\r\n"));
	slot->more_due = true;
	http_slot_settle(slot);
}

void http_stream_end(struct http_request *req)
{
	struct http_slot *slot = http_slot_of(req);
	assert(slot->streaming && !slot->answered);
	slot->answered = true;
	if (req->conn && slot->chunked && !slot->muted)
		buf_text(&req->conn->out, TEXT("0\r\n\r\n"));
	http_slot_settle(slot);
}

/* ---- handing on ---- */

static void job_done(struct engine_job *job)
{
	http_thread_done(job->owner, job->more_follow);
}

static void read_done(struct engine_read *read)
{
	http_thread_done(read->owner, false);
}

static void out_with_engine(struct http_request *req, void (*resume)(struct http_request *))
{
	struct http_slot *slot = http_slot_of(req);
	assert(!slot->answered && !slot->in_engine);
	slot->in_engine = true;
	req->thread->in_engine++;
	req->resume = resume;
}

void http_overloaded(struct http_request *req, const char *detail)
{
	http_header_int(req, "Retry-After", http_thread_retry_seconds(req->thread));
	http_problem(req, CORE_OVERLOADED, "%s", detail);
}

static void not_taken(struct http_request *req, const char *detail)
{
	struct http_slot *slot = http_slot_of(req);
	slot->in_engine = false;
	req->thread->in_engine--;
	/* A stream that has begun can't become an error any more: it breaks off, so the client sees that it is not whole. */
	if (slot->streaming) {
		if (req->conn)
			req->conn->broken = true;
		slot->answered = true;
		http_slot_settle(slot);
		return;
	}
	http_overloaded(req, detail);
}

/* How long the last bytes of a connection's had been there before they were read; the kernel knows. */
static int64_t waited_ms(const struct http_conn *c)
{
	struct tcp_info info;
	socklen_t n = sizeof(info);
	return c && getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0 ? info.tcpi_last_data_recv : 0;
}

/* When requests lie in their sockets for long, who polls goes before who wants to change something. */
static bool is_late(struct http_request *req)
{
	int patience = engine_patience(req->job.cmd.op);
	bool late = patience > 0 && waited_ms(req->conn) > JARI_LATE_MS * patience;
	if (late)
		http_metrics_shed(req->app->metrics, req->thread->index, HTTP_SHED_LATE);
	return late;
}

void http_submit(struct http_request *req, void (*resume)(struct http_request *req))
{
	struct engine_job *job = &req->job;
	job->arena = req->arena;
	job->done = job_done;
	job->owner = req;
	out_with_engine(req, resume);
	if (is_late(req) || !engine_submit(req->app->engine, job))
		not_taken(req, "Too many requests are waiting. Nothing was changed; try again in a moment.");
}

void http_read(struct http_request *req, enum store_result (*run)(struct engine_read *read, struct store_reader *reader),
               void (*resume)(struct http_request *req))
{
	struct engine_read *read = &req->read;
	read->run = run;
	read->done = read_done;
	read->owner = req;
	read->patient = http_slot_of(req)->streaming || req->route->auth == HTTP_AUTH_ADMIN;
	out_with_engine(req, resume);
	if (!engine_read(req->app->engine, read))
		not_taken(req, "Too many reads are waiting. Try again in a moment.");
}

struct http_request *http_request_of_read(struct engine_read *read)
{
	return read->owner;
}
