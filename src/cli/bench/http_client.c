/* http_client.c: see http_client.h. */
#include "cli/bench/http_client.h"
#include "base/arena.h"
#include "base/clock.h"
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define IN_ROOM 16384
#define EVENTS 256
#define SWEEP_US 100000

struct client {
	struct client_config config;
	int epoll;
	struct client_conn *conns;
	struct client_conn *idle, **idle_end; /* the longest idle first, so that all are used */
	struct client_conn *failed;
	int busy;
	int64_t sweep_us;
	int trouble;             /* an errno, … */
	const char *tls_trouble; /* … unless this is not NULL */
	struct epoll_event events[EVENTS];
};

static void make_idle(struct client_conn *c)
{
	c->next_idle = NULL;
	*c->client->idle_end = c;
	c->client->idle_end = &c->next_idle;
}

struct client *client_open(const struct client_config *config, char error[CLIENT_ERROR_SIZE])
{
	struct client *cl = mem_zero(sizeof(*cl));

	cl->config = *config;
	cl->idle_end = &cl->idle;
	cl->epoll = -1;
	cl->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (cl->epoll < 0) {
		(void)snprintf(error, CLIENT_ERROR_SIZE, "epoll: %s", strerror(errno));
		client_close(cl);
		return NULL;
	}
	/* Requests of a fixed rate are due to the microsecond; the default slack is 50 of them. Without it the times are a bit
	 * rougher. */
	(void)prctl(PR_SET_TIMERSLACK, 1000UL, 0, 0, 0);
	cl->conns = mem_zero((size_t)config->connections * sizeof(*cl->conns));
	for (int i = 0; i < config->connections; i++) {
		struct client_conn *c = &cl->conns[i];

		*c = (struct client_conn){.client = cl, .wire.fd = -1, .out_room = CLIENT_REQUEST_ROOM, .in_room = IN_ROOM};
		c->out = mem_alloc(c->out_room);
		c->in = mem_alloc(c->in_room);
		make_idle(c);
	}
	return cl;
}

static void drop(struct client_conn *c)
{
	wire_close(&c->wire); /* also leaves the epoll set */
	c->connecting = c->wants_out = false;
}

void client_close(struct client *client)
{
	if (client == NULL)
		return;
	for (int i = 0; client->conns != NULL && i < client->config.connections; i++) {
		drop(&client->conns[i]);
		free(client->conns[i].out);
		free(client->conns[i].in);
	}
	free(client->conns);
	if (client->epoll >= 0)
		(void)close(client->epoll);
	free(client);
}

int client_busy(const struct client *client)
{
	return client->busy;
}

const char *client_trouble(const struct client *client)
{
	if (client->tls_trouble != NULL)
		return client->tls_trouble;
	return client->trouble == 0 ? "" : strerror(client->trouble);
}

struct client_conn *client_take(struct client *client)
{
	struct client_conn *c = client->idle;

	if (c == NULL)
		return NULL;
	client->idle = c->next_idle;
	if (client->idle == NULL)
		client->idle_end = &client->idle;
	client->busy++;
	c->busy = true;
	return c;
}

static void release(struct client_conn *c)
{
	c->busy = false;
	c->client->busy--;
	make_idle(c);
}

void client_give_back(struct client_conn *c)
{
	release(c);
}

void client_room(struct client_conn *c, size_t room)
{
	if (room <= c->out_room)
		return;
	c->out = mem_grow(c->out, room);
	c->out_room = room;
}

static void finish(struct client_conn *c, enum client_outcome outcome, int64_t now)
{
	struct client *cl = c->client;

	c->end_us = now;
	if (outcome != CLIENT_ANSWERED || !c->reply.keep || c->in_n > c->reply.used)
		drop(c);
	release(c);
	cl->config.done(c, outcome, cl->config.arg);
}

static void note_trouble(struct client_conn *c, int error)
{
	c->client->trouble = error;
	c->client->tls_trouble = c->wire.trouble;
}

/* The request fails in the next turn, so that done() is never called from within client_send. */
static void fail_later(struct client_conn *c, int error)
{
	note_trouble(c, error);
	if (c->failed)
		return;
	c->failed = true;
	c->next_failed = c->client->failed;
	c->client->failed = c;
}

static bool watch(struct client_conn *c, int op, bool out)
{
	struct epoll_event event = {.events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = c};

	c->wants_out = out;
	return epoll_ctl(c->client->epoll, op, c->wire.fd, &event) == 0;
}

static bool dial(struct client_conn *c)
{
	const struct bench_target *to = c->client->config.target;
	int one = 1, fd = socket(to->address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || !wire_open(&c->wire, fd, c->client->config.trust))
		return false;
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0)
		return false;
	if (connect(fd, &to->address.any, to->address_n) != 0) {
		if (errno != EINPROGRESS)
			return false;
		c->connecting = true;
	}
	return watch(c, EPOLL_CTL_ADD, c->connecting);
}

/* Writes what is left of the request. */
static bool push(struct client_conn *c)
{
	enum wire_result r = WIRE_DONE;

	while (c->out_sent < c->out_n && r == WIRE_DONE) {
		size_t n;

		r = wire_send(&c->wire, c->out + c->out_sent, c->out_n - c->out_sent, &n);
		c->out_sent += n;
	}
	if (r == WIRE_FAILED || r == WIRE_END)
		return false;
	return c->wants_out == (r == WIRE_WAIT_OUT) || watch(c, EPOLL_CTL_MOD, r == WIRE_WAIT_OUT);
}

void client_send(struct client_conn *c, size_t n, int64_t due_us)
{
	assert(c->busy && n <= c->out_room);
	c->out_n = n;
	c->out_sent = c->in_n = 0;
	c->reply = (struct reply){0};
	c->due_us = due_us;
	c->sent_us = clock_elapsed_us();
	if (c->wire.fd < 0 && !dial(c)) {
		fail_later(c, errno);
		return;
	}
	if (!c->connecting && !push(c))
		fail_later(c, errno);
}

/* A byte on a connection that waits for nothing: the server has closed it, or talks out of turn. */
static void idle_event(struct client_conn *c)
{
	if (!wire_is_quiet(&c->wire))
		drop(c);
}

static bool connected(struct client_conn *c)
{
	int error = 0;
	socklen_t n = sizeof(error);

	if (getsockopt(c->wire.fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
		return false;
	errno = error;
	if (error != 0)
		return false;
	c->connecting = false;
	return true;
}

static void pull(struct client_conn *c, int64_t now)
{
	for (;;) {
		enum wire_result r;
		enum reply_parsed parsed;
		size_t n;

		if (c->in_n == c->in_room) {
			c->in_room *= 2;
			c->in = mem_grow(c->in, c->in_room);
		}
		r = wire_receive(&c->wire, c->in + c->in_n, c->in_room - c->in_n, &n);
		if (r == WIRE_WAIT_IN || (r == WIRE_WAIT_OUT && watch(c, EPOLL_CTL_MOD, true)))
			return;
		if ((r != WIRE_DONE && r != WIRE_END) || (r == WIRE_END && c->in_n == 0)) {
			note_trouble(c, r == WIRE_END ? ECONNRESET : errno);
			finish(c, CLIENT_BROKEN, now);
			return;
		}
		c->in_n += n;
		parsed = reply_parse(&c->reply, c->in, c->in_n, r == WIRE_END);
		if (parsed == REPLY_DONE && c->reply.status < 200) { /* 100 Continue and its like: the answer follows */
			memmove(c->in, c->in + c->reply.used, c->in_n - c->reply.used);
			c->in_n -= c->reply.used;
			c->reply = (struct reply){0};
			continue;
		}
		if (parsed == REPLY_MORE)
			continue;
		finish(c, parsed == REPLY_DONE ? CLIENT_ANSWERED : r == WIRE_END ? CLIENT_BROKEN : CLIENT_GARBLED, now);
		return;
	}
}

/* Over TLS sending may wait for what comes, and reading for room to send. */
static void event(struct client_conn *c, uint32_t events, int64_t now)
{
	if (c->wire.fd < 0 || c->failed)
		return;
	if (!c->busy) {
		idle_event(c);
		return;
	}
	if (c->connecting && !connected(c)) {
		fail_later(c, errno);
		return;
	}
	if ((c->wire.waits_in || (events & EPOLLOUT) != 0) && !push(c)) {
		fail_later(c, errno);
		return;
	}
	if (!c->wire.waits_in && ((events & ~(uint32_t)EPOLLOUT) != 0 || c->wire.tls != NULL))
		pull(c, now);
}

static void run_failed(struct client *client)
{
	struct client_conn *c = client->failed;

	client->failed = NULL;
	while (c != NULL) {
		struct client_conn *next = c->next_failed;

		c->failed = false;
		finish(c, CLIENT_BROKEN, clock_elapsed_us());
		c = next;
	}
}

static void sweep(struct client *client, int64_t now)
{
	if (now < client->sweep_us)
		return;
	client->sweep_us = now + SWEEP_US;
	for (int i = 0; i < client->config.connections; i++) {
		struct client_conn *c = &client->conns[i];

		if (c->busy && !c->failed && now - c->sent_us > client->config.timeout_us)
			finish(c, CLIENT_TIMEOUT, now);
	}
}

static int wait_for_events(struct client *client, int64_t until_us)
{
	int64_t left = until_us - clock_elapsed_us();
	struct timespec wait;

	if (left < 0 || client->failed != NULL)
		left = 0;
	if (left > SWEEP_US)
		left = SWEEP_US;
	wait = (struct timespec){left / 1000000, left % 1000000 * 1000};
	return epoll_pwait2(client->epoll, client->events, EVENTS, &wait, NULL);
}

bool client_turn(struct client *client, int64_t until_us)
{
	int n = wait_for_events(client, until_us);
	int64_t now;

	if (n < 0 && errno != EINTR)
		return false;
	now = clock_elapsed_us();
	for (int i = 0; i < n; i++) {
		/* Answers that came together are counted each at the time of its own reading. */
		if (i % 8 == 7)
			now = clock_elapsed_us();
		event(client->events[i].data.ptr, client->events[i].events, now);
	}
	if (client->failed != NULL)
		run_failed(client);
	sweep(client, now);
	return true;
}
