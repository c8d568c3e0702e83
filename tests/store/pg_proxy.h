/* pg_proxy.h: stands between a store and its server, and loses what a network may lose. One connection at a time is enough for a store that
 * only decides; new ones are taken as they come. Each connection has a thread of its own. */
#ifndef JARI_TESTS_STORE_PG_PROXY_H
#define JARI_TESTS_STORE_PG_PROXY_H

#include "pg_server.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
	PROXY_PASS,
	PROXY_LOSE_ANSWER,  /* what is sent next arrives; its answer is thrown away, the client's connection closed */
	PROXY_SILENCE,      /* what is sent next, and all behind it, stays on the way; nothing comes back, nothing is closed */
	PROXY_LOSE_REQUEST, /* what is sent next is thrown away, both connections closed */
	PROXY_DELAY /* what is sent next is kept, the client's connection closed; it arrives when the mode is PROXY_PASS again */
};

struct pg_proxy {
	int listener, port, server_port;
	_Atomic int mode;
	_Atomic int later; /* so many pieces from a client pass before the mode counts */
	_Atomic int lost;  /* connections closed on purpose */
	_Atomic bool over;
	_Atomic int running;
	pthread_t thread;
};
struct pg_proxied {
	struct pg_proxy *proxy;
	int client, server;
};

PG_MAYBE int pg_proxy_dial(int port)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

PG_MAYBE bool pg_proxy_put(int fd, const char *p, ssize_t n)
{
	while (n > 0) {
		ssize_t put = send(fd, p, (size_t)n, MSG_NOSIGNAL);
		if (put <= 0)
			return false;
		p += put;
		n -= put;
	}
	return true;
}

/* Reads until the server has nothing more to say for a while, and forgets it. */
PG_MAYBE void pg_proxy_drain(int fd)
{
	char bytes[4096];
	struct pollfd p = {.fd = fd, .events = POLLIN};
	while (poll(&p, 1, 300) > 0 && recv(fd, bytes, sizeof bytes, 0) > 0)
		continue;
}

/* Something has come from the client. False when the connection is over. */
PG_MAYBE bool pg_proxy_client(struct pg_proxied *c)
{
	char bytes[65536];
	int mode = atomic_load(&c->proxy->mode);
	ssize_t n = recv(c->client, bytes, sizeof bytes, 0);
	if (n <= 0)
		return false;
	if (mode != PROXY_PASS && atomic_load(&c->proxy->later) > 0 && atomic_fetch_sub(&c->proxy->later, 1) > 0)
		mode = PROXY_PASS;
	if (mode == PROXY_PASS)
		return pg_proxy_put(c->server, bytes, n);
	if (mode == PROXY_SILENCE) {
		int passes = PROXY_SILENCE; /* the next connection does not meet it */
		(void)atomic_compare_exchange_strong(&c->proxy->mode, &passes, PROXY_PASS);
		(void)atomic_fetch_add(&c->proxy->lost, 1);
		while (recv(c->client, bytes, sizeof bytes, 0) > 0)
			continue;
		return false;
	}
	if (mode == PROXY_LOSE_ANSWER) {
		(void)pg_proxy_put(c->server, bytes, n);
		pg_proxy_drain(c->server);
	}
	int was = mode;
	if (mode != PROXY_DELAY)
		(void)atomic_compare_exchange_strong(&c->proxy->mode, &was, PROXY_PASS);
	(void)atomic_fetch_add(&c->proxy->lost, 1);
	(void)shutdown(c->client, SHUT_RDWR);
	if (mode == PROXY_DELAY) {
		/* the next connection passes; this one's bytes come when the test says so by counting on */
		int lost = atomic_load(&c->proxy->lost);
		atomic_store(&c->proxy->mode, PROXY_PASS);
		while (atomic_load(&c->proxy->lost) == lost && !atomic_load(&c->proxy->over))
			pg_pause(10);
		(void)pg_proxy_put(c->server, bytes, n);
		pg_proxy_drain(c->server);
		(void)atomic_fetch_add(&c->proxy->lost, 1);
	}
	return false;
}

PG_MAYBE void *pg_proxy_serve(void *arg)
{
	struct pg_proxied *c = arg;
	char bytes[65536];
	bool on = true;
	while (on && !atomic_load(&c->proxy->over)) {
		struct pollfd p[2] = {{.fd = c->client, .events = POLLIN}, {.fd = c->server, .events = POLLIN}};
		if (poll(p, 2, 50) <= 0)
			continue;
		if (p[0].revents)
			on = pg_proxy_client(c);
		if (on && p[1].revents) {
			ssize_t n = recv(c->server, bytes, sizeof bytes, 0);
			on = n > 0 && pg_proxy_put(c->client, bytes, n);
		}
	}
	(void)close(c->client);
	(void)close(c->server);
	(void)atomic_fetch_sub(&c->proxy->running, 1);
	free(c);
	return NULL;
}

PG_MAYBE void *pg_proxy_run(void *arg)
{
	struct pg_proxy *p = arg;
	while (!atomic_load(&p->over)) {
		struct pollfd fd = {.fd = p->listener, .events = POLLIN};
		if (poll(&fd, 1, 50) <= 0)
			continue;
		struct pg_proxied *c = calloc(1, sizeof *c);
		pthread_t thread;
		if (!c)
			break;
		*c = (struct pg_proxied){p, accept(p->listener, NULL, NULL), pg_proxy_dial(p->server_port)};
		(void)atomic_fetch_add(&p->running, 1);
		if (c->client < 0 || c->server < 0 || pthread_create(&thread, NULL, pg_proxy_serve, c) != 0) {
			(void)close(c->client);
			(void)close(c->server);
			free(c);
			(void)atomic_fetch_sub(&p->running, 1);
			continue;
		}
		(void)pthread_detach(thread);
	}
	return NULL;
}

PG_MAYBE bool pg_proxy_start(struct pg_proxy *p, int server_port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;
	*p = (struct pg_proxy){.server_port = server_port};
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(p->listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(p->listener, 8) != 0 ||
	    getsockname(p->listener, (struct sockaddr *)&at, &size) != 0)
		return false;
	p->port = ntohs(at.sin_port);
	return pthread_create(&p->thread, NULL, pg_proxy_run, p) == 0;
}

PG_MAYBE void pg_proxy_end(struct pg_proxy *p)
{
	atomic_store(&p->over, true);
	(void)pthread_join(p->thread, NULL);
	while (atomic_load(&p->running) > 0)
		pg_pause(5);
	(void)close(p->listener);
}

#endif
