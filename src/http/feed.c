/* feed.c: answers that time goes on writing. See http_feed_begin in http.h.
 *
 * A thread has one timer for all its feeds, which runs while there are any. Their list is in the order of their next looks, so a step takes from
 * its front what is due, and at most a part of all: feeds that were opened at one moment drift apart, and no step is long. */
#include "http/conn.h"
#include "http/metrics.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define FEED_SEND_BYTES 16384 /* of the kernel's buffer for each */
#define FEED_STEP_MIN 64      /* feeds that a step may look at, however few there are */

struct http_feed {
	http_feed_fn *more;
	int64_t written_us;
	bool chunked;
	alignas(max_align_t) unsigned char state[];
};

/* ---- writing ---- */

/* What is new, into the thread's buffer. False: that is the last. */
static bool look(struct http_conn *c, int64_t now)
{
	struct http_thread *t = c->thread;
	struct http_feed_turn turn = {
	    .app = t->server->app,
	    .seal = t->seal,
	    .now = now,
	    .elapsed_us = t->now_us,
	    .quiet_us = t->now_us - c->feed->written_us,
	    .heartbeat_us = t->server->heartbeat_us,
	    .out = &t->news,
	};
	buf_reset(&t->news);
	return c->feed->more(c->feed->state, &turn);
}

static void put_news(struct http_conn *c)
{
	struct text news = buf_view(&c->thread->news);
	if (!news.n)
		return;
	c->feed->written_us = c->thread->now_us;
	if (c->feed->chunked)
		buf_printf(&c->out, "%zx\r\n", news.n);
	buf_text(&c->out, news);
	if (c->feed->chunked)
		buf_text(&c->out, TEXT("\r\n"));
}

void http_feed_free(struct http_conn *c)
{
	if (!c->feed)
		return;
	free(c->feed);
	c->feed = NULL;
	c->thread->fed_count--;
	(void)atomic_fetch_sub(&c->thread->server->streams, 1);
	http_metrics_gauge(c->thread->server->app->metrics, c->thread->index, HTTP_GAUGE_STREAMS, -1);
}

static void end(struct http_conn *c)
{
	if (c->feed->chunked)
		buf_text(&c->out, TEXT("0\r\n\r\n"));
	http_feed_free(c);
}

/* ---- the timer ---- */

static void arm(struct http_thread *t)
{
	struct timeval step = {0, HTTP_FEED_STEP_MS * 1000L};
	if (t->fed_count && !event_pending(t->feeding, EV_TIMEOUT, NULL))
		event_add(t->feeding, &step);
}

static void turn(struct http_conn *c, int64_t now)
{
	http_conn_move(c, HTTP_CONN_FED);
	if (http_conn_unsent(c))
		return; /* a slow reader; the time that it has for reading is the connection's business */
	bool goes_on = look(c, now);
	if (goes_on && !c->thread->news.n)
		return;
	http_conn_enter(c);
	put_news(c);
	if (!goes_on)
		end(c);
	http_conn_leave(c);
}

void http_feed_step(struct http_thread *t)
{
	struct http_conn *next;
	int64_t now = engine_now(t->server->app->engine);
	int64_t most = t->fed_count * HTTP_FEED_STEP_MS / HTTP_FEED_MS + FEED_STEP_MIN;
	t->now_us = clock_elapsed_us();
	for (struct http_conn *c = t->lists[HTTP_CONN_FED].first; c && c->deadline_us <= t->now_us && most-- > 0; c = next) {
		next = c->next;
		turn(c, now);
	}
	arm(t);
}

void http_feed_drain(struct http_thread *t)
{
	struct http_conn *c;
	while ((c = t->lists[HTTP_CONN_FED].first)) {
		end(c);
		if (c->tls) { /* what is to be sent goes by way of the loop, and the connection with it */
			http_conn_enter(c);
			http_conn_leave(c);
			continue;
		}
		http_conn_flush(c);
		http_conn_close(c);
	}
}

/* ---- the beginning ---- */

bool http_feed_room(struct http_request *req)
{
	struct http_thread *t = req->thread;
	const struct http_server *s = t->server;
	if (s->streams_max == 0 || atomic_load(&s->streams) < s->streams_max)
		return true;
	http_metrics_shed(s->app->metrics, t->index, HTTP_SHED_STREAMS);
	http_overloaded(req, "There are as many open event streams as the server takes. Ask GET /api/check instead.");
	return false;
}

/* A client that stopped reading, or is gone without a word, is noticed early, and costs the kernel little. */
static void set_socket(const struct http_conn *c)
{
	int bytes = FEED_SEND_BYTES;
	unsigned ms = (unsigned)(c->thread->server->write_us / 1000);
	(void)setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
}

static void begin(struct http_conn *c, bool chunked, http_feed_fn *more, const void *state, size_t size, int64_t now)
{
	struct http_feed *feed = mem_zero(sizeof(*feed) + size);
	struct http_thread *t = c->thread;
	feed->more = more;
	feed->chunked = chunked;
	feed->written_us = t->now_us;
	memcpy(feed->state, state, size);
	c->feed = feed;
	t->fed_count++;
	(void)atomic_fetch_add(&t->server->streams, 1);
	http_metrics_gauge(t->server->app->metrics, t->index, HTTP_GAUGE_STREAMS, 1);
	set_socket(c);
	bool goes_on = look(c, now) && !t->draining;
	put_news(c);
	if (!goes_on)
		end(c);
	arm(t);
}

void http_feed_begin(struct http_request *req, const char *content_type, http_feed_fn *more, const void *state, size_t size)
{
	struct http_slot *slot = http_slot_of(req);
	struct http_conn *c = req->conn;
	bool chunked = slot->head.minor == 1, head_only = req->method == HTTP_HEAD;
	if (c && !head_only)
		c->closing = true;
	http_answer_head(slot, 200, content_type);
	slot->answered = true;
	if (c) {
		if (chunked)
			buf_text(&c->out, TEXT("Transfer-Encoding: chunked\r\n"));
		buf_text(&c->out, TEXT("\r\n"));
		if (!head_only)
			begin(c, chunked, more, state, size, req->now);
	}
	http_slot_settle(slot);
}
