/* door.c: who may come in when there are many: the limits of connections, and room for newcomers when there is none.
 *
 * Connections that only wait for a next request are the first to go: their clients connect again when they have something to ask. */
#include "http/conn.h"
#include "http/metrics.h"
#include "http/throttle.h"
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define UNREAD_SIZE 16384 /* of what a client that is not let in has sent already */

bool http_door_make_room(struct http_thread *t)
{
	struct http_conn *c = t->lists[HTTP_CONN_IDLE].first; /* the one that has waited longest */
	int64_t waits_us = c ? t->now_us - (c->deadline_us - t->server->idle_us) : 0;
	if (waits_us < HTTP_SPARE_MS * INT64_C(1000))
		return false;
	http_metrics_shed(t->server->app->metrics, t->index, HTTP_SHED_IDLE);
	http_conn_close(c);
	return true;
}

/* The answer that is sent before any request was read. */
static void write_refusal(struct http_thread *t, const char *detail, struct buf *out)
{
	struct buf body = {0};
	http_problem_body(&body, CORE_OVERLOADED, (struct text){NULL, 0}, detail);
	buf_text(out, TEXT("HTTP/1.1 503 Service Unavailable\r\n"));
	buf_add(out, t->date, t->date_n);
	buf_text(out, TEXT("Content-Type: application/problem+json\r\nCache-Control: no-store\r\n"
	                   "X-Content-Type-Options: nosniff\r\nConnection: close\r\n"));
	buf_printf(out, "Retry-After: %d\r\nContent-Length: %zu\r\n\r\n", http_thread_retry_seconds(t), body.n);
	buf_text(out, buf_view(&body));
	buf_free(&body);
}

/* In one write, as far as the kernel takes it. */
static void tell(struct http_thread *t, int fd, bool full)
{
	char unread[UNREAD_SIZE];
	struct buf out = {0};
	write_refusal(t,
	              full ? "The server has as many connections as it takes. Try again in a moment."
	                   : "There are too many connections from this address. Close some of them.",
	              &out);
	/* Bytes left unread would make the close a reset, which can overtake the answer. What comes later still can. */
	while (recv(fd, unread, sizeof(unread), MSG_DONTWAIT) == (ssize_t)sizeof(unread))
		continue;
	(void)!send(fd, out.p, out.n, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)shutdown(fd, SHUT_WR);
	buf_free(&out);
}

/* Told and closed: who is not let in must not cost more. A handshake would, so over TLS nothing is told. */
static void turn_away(struct http_thread *t, int fd, enum http_callers_answer why)
{
	bool full = why == HTTP_CALLERS_FULL;
	http_metrics_shed(t->server->app->metrics, t->index, full ? HTTP_SHED_CONNECTIONS : HTTP_SHED_ADDRESS);
	if (!t->server->tls)
		tell(t, fd, full);
	(void)close(fd);
}

void http_door(struct http_thread *t, int fd, const struct sockaddr *from, socklen_t n)
{
	struct http_address address = {{0}};
	bool known = http_address_of(from, n, &address);
	struct http_callers *callers = t->server->callers;
	struct http_caller *caller;
	/* A proxy's connections are those of many. */
	bool counts = known && !http_throttle_trusts(t->server->app->throttle, &address);
	t->now_us = clock_elapsed_us();
	enum http_callers_answer answer = http_callers_enter(callers, counts ? &address : NULL, &caller);
	if (answer == HTTP_CALLERS_FULL && http_door_make_room(t))
		answer = http_callers_enter(callers, counts ? &address : NULL, &caller);
	if (answer != HTTP_CALLER_IN)
		turn_away(t, fd, answer);
	else
		http_conn_new(t, fd, &address, caller);
}
