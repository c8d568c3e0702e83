#include "http/conn.h"
#include "http/metrics.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the lists ---- */

static void list_remove(struct http_conn_list *l, struct http_conn *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		l->first = c->next;
	if (c->next)
		c->next->prev = c->prev;
	else
		l->last = c->prev;
	c->prev = c->next = NULL;
}

static void list_append(struct http_conn_list *l, struct http_conn *c)
{
	c->prev = l->last;
	c->next = NULL;
	if (l->last)
		l->last->next = c;
	else
		l->first = c;
	l->last = c;
}

/* How long a connection may be in a state (FED: until its next look); 0: as long as it takes. */
static int64_t state_time_us(const struct http_thread *t, enum http_conn_state state)
{
	switch (state) {
	case HTTP_CONN_IDLE:
		return t->server->idle_us;
	case HTTP_CONN_RECEIVING:
		return t->draining ? HTTP_STOP_RECEIVING_MS * INT64_C(1000) : t->server->request_us;
	case HTTP_CONN_LINGER:
		return HTTP_LINGER_MS * INT64_C(1000);
	case HTTP_CONN_SENDING:
		return t->server->write_us;
	case HTTP_CONN_FED:
		return HTTP_FEED_MS * INT64_C(1000);
	case HTTP_CONN_BUSY:
	case HTTP_CONN_STATES:
		break;
	}
	return 0;
}

/* The one way from list to list. Also restarts the time of the state it is in. */
void http_conn_move(struct http_conn *c, enum http_conn_state state)
{
	struct http_thread *t = c->thread;
	enum http_conn_state from = c->state;
	list_remove(&t->lists[from], c);
	c->state = state;
	c->deadline_us = t->now_us + state_time_us(t, state);
	list_append(&t->lists[state], c);
	http_pressure_moved(c, from);
}

/* The time is over: closes it, unless a long answer is being taken fast enough to go on. */
static void expire(struct http_conn *c)
{
	bool sending = c->state == HTTP_CONN_SENDING;
	if (sending && http_pressure_is_taken(c)) {
		http_conn_move(c, HTTP_CONN_SENDING);
		return;
	}
	if (sending)
		http_metrics_shed(c->thread->server->app->metrics, c->thread->index, HTTP_SHED_SLOW_READER);
	http_conn_close(c);
}

void http_conn_sweep(struct http_thread *t)
{
	for (int state = 0; state < HTTP_CONN_STATES; state++) {
		if (state == HTTP_CONN_BUSY || state == HTTP_CONN_FED)
			continue;
		struct http_conn *next;
		for (struct http_conn *c = t->lists[state].first; c && c->deadline_us <= t->now_us; c = next) {
			next = c->next;
			expire(c);
		}
	}
}

/* ---- the end ---- */

/* The request stays with whoever works on it; its answer goes nowhere. */
static void orphan(struct http_slot *slot)
{
	slot->req.conn = NULL;
	slot->muted |= slot->streaming;
	http_slot_settle(slot);
}

void http_conn_close(struct http_conn *c)
{
	struct http_thread *t = c->thread;
	http_pressure_forget(c);
	list_remove(&t->lists[c->state], c);
	if (c->slot && c->serving)
		orphan(c->slot);
	else if (c->slot)
		http_slot_release(t, c->slot);
	/* The library frees in a later turn of the loop, of which there may be none; the client is told now. */
	(void)bufferevent_disable(c->bev, EV_READ | EV_WRITE);
	if (c->tls && !c->broken)
		http_tls_finish(c->bev);
	if (c->tls)
		http_tls_free(c->bev);
	else
		bufferevent_free(c->bev);
	close(c->fd);
	http_callers_leave(t->server->callers, c->caller);
	buf_free(&c->out);
	http_feed_free(c);
	free(c);
	t->conns--;
	http_metrics_gauge(t->server->app->metrics, t->index, HTTP_GAUGE_CONNECTIONS, -1);
	http_thread_check_drained(t);
}

/* ---- sending ---- */

static void send_later(struct http_conn *c, const char *p, size_t n)
{
	if (n && bufferevent_write(c->bev, p, n) < 0)
		c->broken = true;
}

void http_conn_flush(struct http_conn *c)
{
	size_t sent = 0;
	bool queued = evbuffer_get_length(bufferevent_get_output(c->bev)) > 0;
	/* Straight to the socket, as a rule: one system call an answer. A stream goes through the buffer, whose draining asks for more; so does TLS. */
	if (c->out.n && !queued && !c->tls && !c->broken && !(c->slot && c->slot->streaming)) {
		ssize_t k = send(c->fd, c->out.p, c->out.n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (k >= 0)
			sent = (size_t)k;
		else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
			c->broken = true;
	}
	if (!c->broken)
		send_later(c, c->out.p + sent, c->out.n - sent);
	if (c->out.cap > HTTP_KEEP_BYTES || c->feed)
		buf_free(&c->out);
	buf_reset(&c->out);
}

size_t http_conn_unsent(const struct http_conn *c)
{
	return c->out.n + evbuffer_get_length(bufferevent_get_output(c->bev));
}

/* ---- a turn ---- */

void http_conn_enter(struct http_conn *c)
{
	c->entered = true;
	c->thread->now_us = clock_elapsed_us();
}

/* Takes the slot off the connection when its request is done with. */
static void settle(struct http_conn *c)
{
	struct http_slot *slot = c->slot;
	if (!c->serving || !(slot->answered || (slot->muted && !slot->in_engine)))
		return;
	/* What a stream has left to send goes through the buffer, as what came before it did. */
	if (slot->streaming)
		http_conn_flush(c);
	c->slot = NULL;
	c->serving = false;
	c->answered = true;
	http_slot_release(c->thread, slot);
}

/* Also where a request begins again that had to wait for its ticket. */
static void handle(struct http_request *req)
{
	struct http_slot *slot = http_slot_of(req);
	req->now = engine_now(req->app->engine);
	req->resume = handle;
	if (http_route_admit(req, &slot->match) && http_route_inputs(req, slot->head.query, slot->head.idempotency_keys))
		slot->match.route->handle(req);
}

static void serve(struct http_conn *c)
{
	struct http_slot *slot = c->slot;
	c->serving = slot->held = true;
	slot->req.began_us = c->thread->now_us; /* whole it is now: how long its body took is its client's */
	handle(&slot->req);
	slot->held = false;
}

static void discard(struct http_conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t n = evbuffer_get_length(in);
	c->discarded += n;
	if (evbuffer_drain(in, n) < 0 || c->discarded > HTTP_LINGER_BYTES)
		c->broken = true;
}

/* True when another answer may be added to what waits to be sent. What the system takes at once does not wait, and nothing would be told
 * of its end. */
static bool has_room(struct http_conn *c)
{
	if (c->out.n >= HTTP_WRITE_AHEAD)
		http_conn_flush(c);
	return !c->broken && http_conn_unsent(c) < HTTP_WRITE_AHEAD;
}

void http_conn_run(struct http_conn *c)
{
	if (c->serving)
		settle(c);
	while (!c->serving && !c->closing && !c->broken && has_room(c)) {
		bool whole = http_conn_receive(c);
		if (whole)
			serve(c);
		if (c->serving)
			settle(c);
		if (!whole)
			break;
	}
	if (c->closing && !c->serving) {
		c->linger |= evbuffer_get_length(bufferevent_get_input(c->bev)) > 0;
		discard(c);
	}
}

/* The state that a connection is in, from what it has. */
static enum http_conn_state state_of(const struct http_conn *c)
{
	if (c->feed)
		return HTTP_CONN_FED;
	if (c->shaking)
		return HTTP_CONN_RECEIVING;
	if (c->serving)
		return HTTP_CONN_BUSY;
	if (http_conn_unsent(c))
		return HTTP_CONN_SENDING;
	if (c->slot || evbuffer_get_length(bufferevent_get_input(c->bev)))
		return HTTP_CONN_RECEIVING;
	return HTTP_CONN_IDLE;
}

/* Everything is answered and sent, and no request is to follow. True when the connection is to be closed. */
static bool finish(struct http_conn *c)
{
	if (c->state == HTTP_CONN_LINGER)
		return c->eof;
	if (c->eof || !c->linger)
		return true;
	/* Closed at once, with bytes of the client's unread, the answer could be lost to a reset: half-close, and read on for a while. */
	if (c->tls)
		http_tls_finish(c->bev);
	if (shutdown(c->fd, SHUT_WR) < 0)
		return true;
	http_conn_move(c, HTTP_CONN_LINGER);
	return false;
}

/* A stream that was asked for more, and has sent nothing whose draining would ask again. */
static bool stream_waits(const struct http_conn *c)
{
	const struct http_slot *slot = c->slot;
	return c->serving && slot->streaming && slot->more_due && !slot->in_engine && !http_conn_unsent(c);
}

/* Stops reading at HTTP_READ_AHEAD, and reads on when some of it was used.
 *
 * Not left to the library's own limit (a high watermark), for two reasons. Of a record of TLS that is longer than what is left to that limit the
 * library takes a part; the rest stays in OpenSSL, where nobody looks for it until the socket has more, so that a client which then waits
 * for its answer waits in vain. And for as long as the limit is reached, the library calls back over and over. Without it, the library takes
 * whole records, all that it has deciphered; and a turn follows each, so what is read goes past HTTP_READ_AHEAD by a record or two. */
static void limit_reading(struct http_conn *c)
{
	bool reads = (bufferevent_get_enabled(c->bev) & EV_READ) != 0;
	bool may = !c->eof && evbuffer_get_length(bufferevent_get_input(c->bev)) < HTTP_READ_AHEAD;
	if (reads && !may && bufferevent_disable(c->bev, EV_READ) < 0)
		c->broken = true;
	if (!reads && may && bufferevent_enable(c->bev, EV_READ) < 0)
		c->broken = true;
}

void http_conn_leave(struct http_conn *c)
{
	if (c->out.n)
		http_conn_flush(c);
	if (!c->broken)
		limit_reading(c);
	c->entered = false;
	bool quiet = !c->serving && !c->feed && !http_conn_unsent(c);
	if (c->broken || (quiet && (c->closing || c->eof) && finish(c))) {
		http_conn_close(c);
		return;
	}
	if (c->state == HTTP_CONN_LINGER)
		return;
	if (stream_waits(c))
		bufferevent_trigger(c->bev, EV_WRITE, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
	enum http_conn_state state = state_of(c);
	if (state == HTTP_CONN_IDLE && c->thread->draining) {
		http_conn_close(c);
		return;
	}
	if (state != c->state || c->answered)
		http_conn_move(c, state);
	c->answered = false;
	http_pressure_note(c);
	http_pressure_relieve(c->thread);
}

/* ---- what the event loop calls ---- */

static void on_read(struct bufferevent *bev, void *arg)
{
	struct http_conn *c = arg;
	(void)bev;
	http_conn_enter(c);
	http_conn_run(c);
	http_conn_leave(c);
}

/* Everything that was queued has been sent. */
static void on_write(struct bufferevent *bev, void *arg)
{
	struct http_conn *c = arg;
	struct http_slot *slot = c->slot;
	(void)bev;
	http_conn_enter(c);
	if (c->serving && slot->streaming && slot->more_due && !slot->in_engine && !slot->answered && !slot->muted) {
		slot->more_due = false;
		slot->held = true;
		slot->more(&slot->req);
		slot->held = false;
	}
	http_conn_run(c);
	http_conn_leave(c);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct http_conn *c = arg;
	http_conn_enter(c);
	if (what & BEV_EVENT_CONNECTED) {
		c->shaking = false;
		c->answered = true;
	}
	if (what & BEV_EVENT_EOF)
		c->eof = true;
	/* To who does not listen any more nothing need be told. */
	if ((what & (BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT)) || (c->eof && c->feed))
		c->broken = true;
	/* At the client's end TLS stops writing too; who has said all may still be told what is left. After such an end, that nothing can be written
	 * is told as an end again. */
	if (c->eof && c->tls && ((what & BEV_EVENT_WRITING) || (http_conn_unsent(c) && bufferevent_enable(bev, EV_WRITE) < 0)))
		c->broken = true;
	if (!c->broken)
		http_conn_run(c);
	http_conn_leave(c);
}

void http_conn_new(struct http_thread *t, int fd, const struct http_address *from, struct http_caller *caller)
{
	struct http_tls *tls = t->server->tls;
	struct bufferevent *bev = tls ? http_tls_accept(tls, t->base, fd) : bufferevent_socket_new(t->base, fd, 0);
	if (!bev) {
		close(fd);
		http_callers_leave(t->server->callers, caller);
		return;
	}
	struct http_conn *c = mem_zero(sizeof(*c));
	struct timeval write_time = {t->server->write_us / 1000000, t->server->write_us % 1000000};
	c->thread = t;
	c->bev = bev;
	c->fd = fd;
	c->from = *from;
	c->caller = caller;
	t->now_us = clock_elapsed_us();
	c->tls = c->shaking = tls != NULL;
	list_append(&t->lists[HTTP_CONN_IDLE], c);
	http_conn_move(c, state_of(c));
	t->conns++;
	http_metrics_gauge(t->server->app->metrics, t->index, HTTP_GAUGE_CONNECTIONS, 1);
	bufferevent_setcb(bev, on_read, on_write, on_event, c);
	if (bufferevent_set_timeouts(bev, NULL, &write_time) < 0 || bufferevent_enable(bev, EV_READ) < 0)
		http_conn_close(c);
}

/* ---- stopping ---- */

static bool has_unread(const struct http_conn *c)
{
	char byte;
	return evbuffer_get_length(bufferevent_get_input(c->bev)) > 0 || recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void http_conn_drain(struct http_thread *t)
{
	struct http_conn *next;
	for (struct http_conn *c = t->lists[HTTP_CONN_IDLE].first; c; c = next) {
		next = c->next;
		/* What is in the socket already may be a request that was sent before anyone could know. */
		if (has_unread(c))
			http_conn_move(c, HTTP_CONN_RECEIVING);
		else
			http_conn_close(c);
	}
	struct http_conn *last = t->lists[HTTP_CONN_RECEIVING].last;
	for (struct http_conn *c = t->lists[HTTP_CONN_RECEIVING].first; c; c = next) {
		next = c == last ? NULL : c->next;
		http_conn_move(c, HTTP_CONN_RECEIVING);
	}
	http_feed_drain(t);
}
