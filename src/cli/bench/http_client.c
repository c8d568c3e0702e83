/* http_client.c: see http_client.h. */
#include "cli/bench/http_client.h"
#include "base/arena.h"
#include "base/clock.h"
#include <arpa/inet.h>
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
	int trouble; /* an errno */
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;
	socklen_t address_n;
	struct epoll_event events[EVENTS];
};

static bool set_address(struct client *cl, const struct client_config *config)
{
	if (config->v6) {
		cl->address.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(config->port)};
		cl->address_n = sizeof(cl->address.v6);
		return inet_pton(AF_INET6, config->host, &cl->address.v6.sin6_addr) == 1;
	}
	cl->address.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(config->port)};
	cl->address_n = sizeof(cl->address.v4);
	return inet_pton(AF_INET, config->host, &cl->address.v4.sin_addr) == 1;
}

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
	if (!set_address(cl, config)) {
		(void)snprintf(error, CLIENT_ERROR_SIZE, "'%s' is no numeric address", config->host);
		goto fail;
	}
	cl->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (cl->epoll < 0) {
		(void)snprintf(error, CLIENT_ERROR_SIZE, "epoll: %s", strerror(errno));
		goto fail;
	}
	/* Requests of a fixed rate are due to the microsecond; the default slack is 50 of them. Without it the times are a bit
	 * rougher. */
	(void)prctl(PR_SET_TIMERSLACK, 1000UL, 0, 0, 0);
	cl->conns = mem_zero((size_t)config->connections * sizeof(*cl->conns));
	for (int i = 0; i < config->connections; i++) {
		struct client_conn *c = &cl->conns[i];

		*c = (struct client_conn){.client = cl, .fd = -1, .out_room = CLIENT_REQUEST_ROOM, .in_room = IN_ROOM};
		c->out = mem_alloc(c->out_room);
		c->in = mem_alloc(c->in_room);
		make_idle(c);
	}
	return cl;
fail:
	client_close(cl);
	return NULL;
}

static void drop(struct client_conn *c)
{
	if (c->fd >= 0)
		(void)close(c->fd); /* also leaves the epoll set; nothing is lost with a socket that is given up */
	c->fd = -1;
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

/* The request fails in the next turn, so that done() is never called from within client_send. */
static void fail_later(struct client_conn *c, int error)
{
	c->client->trouble = error;
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
	return epoll_ctl(c->client->epoll, op, c->fd, &event) == 0;
}

static bool dial(struct client_conn *c)
{
	struct client *cl = c->client;
	int one = 1;

	c->fd = socket(cl->address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return false;
	if (setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0)
		return false;
	if (connect(c->fd, &cl->address.any, cl->address_n) != 0) {
		if (errno != EINPROGRESS)
			return false;
		c->connecting = true;
	}
	return watch(c, EPOLL_CTL_ADD, c->connecting);
}

/* Writes what is left of the request. */
static bool push(struct client_conn *c)
{
	while (c->out_sent < c->out_n) {
		ssize_t n = send(c->fd, c->out + c->out_sent, c->out_n - c->out_sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return false;
		if (n < 0)
			return c->wants_out || watch(c, EPOLL_CTL_MOD, true);
		c->out_sent += (size_t)n;
	}
	return !c->wants_out || watch(c, EPOLL_CTL_MOD, false);
}

void client_send(struct client_conn *c, size_t n, int64_t due_us)
{
	assert(c->busy && n <= c->out_room);
	c->out_n = n;
	c->out_sent = c->in_n = 0;
	c->reply = (struct reply){0};
	c->due_us = due_us;
	c->sent_us = clock_elapsed_us();
	if (c->fd < 0 && !dial(c)) {
		fail_later(c, errno);
		return;
	}
	if (!c->connecting && !push(c))
		fail_later(c, errno);
}

/* A byte on a connection that waits for nothing: the server has closed it, or talks out of turn. */
static void idle_event(struct client_conn *c)
{
	drop(c);
}

static bool connected(struct client_conn *c)
{
	int error = 0;
	socklen_t n = sizeof(error);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
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
		ssize_t n;
		enum reply_parsed parsed;

		if (c->in_n == c->in_room) {
			c->in_room *= 2;
			c->in = mem_grow(c->in, c->in_room);
		}
		n = recv(c->fd, c->in + c->in_n, c->in_room - c->in_n, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0 || (n == 0 && c->in_n == 0)) {
			c->client->trouble = n < 0 ? errno : ECONNRESET;
			finish(c, CLIENT_BROKEN, now);
			return;
		}
		c->in_n += (size_t)n;
		parsed = reply_parse(&c->reply, c->in, c->in_n, n == 0);
		if (parsed == REPLY_DONE && c->reply.status < 200) { /* 100 Continue and its like: the answer follows */
			memmove(c->in, c->in + c->reply.used, c->in_n - c->reply.used);
			c->in_n -= c->reply.used;
			c->reply = (struct reply){0};
			continue;
		}
		if (parsed == REPLY_MORE)
			continue;
		finish(c, parsed == REPLY_DONE ? CLIENT_ANSWERED : n == 0 ? CLIENT_BROKEN : CLIENT_GARBLED, now);
		return;
	}
}

static void event(struct client_conn *c, uint32_t events, int64_t now)
{
	if (c->fd < 0 || c->failed)
		return;
	if (!c->busy) {
		idle_event(c);
		return;
	}
	if (c->connecting && !connected(c)) {
		fail_later(c, errno);
		return;
	}
	if ((events & EPOLLOUT) != 0 && !push(c)) {
		fail_later(c, errno);
		return;
	}
	if ((events & ~(uint32_t)EPOLLOUT) != 0)
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
