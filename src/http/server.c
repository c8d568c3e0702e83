#include "http/server.h"
#include "base/log.h"
#include "http/conn.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- sockets ---- */

static bool option(int fd, int level, int name)
{
	int on = 1;
	return setsockopt(fd, level, name, &on, sizeof(on)) == 0;
}

/* A bound socket. -1 with errno. */
static int bound(const struct addrinfo *a, bool shared)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	/* What the listener sets, each accepted connection inherits. */
	bool set = option(fd, SOL_SOCKET, SO_REUSEADDR) && (!shared || option(fd, SOL_SOCKET, SO_REUSEPORT)) &&
	           option(fd, IPPROTO_TCP, TCP_NODELAY);
	if (a->ai_family == AF_INET6)
		set = set && option(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	if (set && bind(fd, a->ai_addr, a->ai_addrlen) == 0)
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* With SO_REUSEPORT a second server of the same user would silently share the port with the first. */
static bool is_free(const struct addrinfo *a)
{
	int fd = bound(a, false);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static void set_port(struct addrinfo *a, int port)
{
	if (a->ai_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)a->ai_addr)->sin6_port = htons((uint16_t)port);
	else
		((struct sockaddr_in *)(void *)a->ai_addr)->sin_port = htons((uint16_t)port);
}

static int port_of(int fd)
{
	struct sockaddr_storage address;
	socklen_t n = sizeof(address);
	memset(&address, 0, sizeof(address));
	if (getsockname(fd, (struct sockaddr *)&address, &n) < 0)
		return -1;
	if (address.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)(void *)&address)->sin6_port);
	return ntohs(((struct sockaddr_in *)(void *)&address)->sin_port);
}

/* ---- opening ---- */

static bool fail(char error[HTTP_SERVER_ERROR_SIZE], const struct http_server_config *c, const char *why)
{
	bool v6 = strchr(c->host, ':') != NULL;
	snprintf(error, HTTP_SERVER_ERROR_SIZE, "can't listen on %s%s%s:%u: %s", v6 ? "[" : "", c->host, v6 ? "]" : "", c->port,
	         why);
	return false;
}

static bool bind_failed(char error[HTTP_SERVER_ERROR_SIZE], const struct http_server_config *c)
{
	if (errno == EADDRINUSE)
		return fail(error, c, "the address is in use already; stop the other server or choose another port");
	if (errno == EADDRNOTAVAIL)
		return fail(error, c, "this machine has no such address");
	if (errno == EACCES)
		return fail(error, c, "this port is not open to this user; choose one above 1023");
	return fail(error, c, strerror(errno));
}

static bool open_threads(struct http_server *s, const struct http_server_config *c, struct addrinfo *a,
                         char error[HTTP_SERVER_ERROR_SIZE])
{
	if (c->port && !is_free(a))
		return bind_failed(error, c);
	for (int i = 0; i < c->threads; i++) {
		int fd = bound(a, true);
		if (fd < 0)
			return bind_failed(error, c);
		if (i == 0) {
			s->port = port_of(fd);
			set_port(a, s->port);
		}
		s->threads[i].index = i;
		s->count++;
		if (!http_thread_open(&s->threads[i], s, fd, c->seal_key))
			return fail(error, c, "an event loop could not be set up; is there a limit on open files?");
	}
	return true;
}

/* The threads take no signals: those are the main thread's. With SIGPIPE blocked too, writing to a client that is gone is an error
 * and nothing more. */
static bool start_threads(struct http_server *s)
{
	sigset_t all, before;
	bool started = true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (int i = 0; i < s->count && started; i++) {
		struct http_thread *t = &s->threads[i];
		started = t->started = pthread_create(&t->id, NULL, http_thread_run, t) == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

static bool look_up(const struct http_server_config *c, struct addrinfo **out, char error[HTTP_SERVER_ERROR_SIZE])
{
	char port[8];
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	snprintf(port, sizeof(port), "%u", c->port);
	int why = getaddrinfo(c->host, port, &hints, out);
	return why == 0 || fail(error, c, gai_strerror(why));
}

static int64_t us_or(int64_t ms, int64_t otherwise)
{
	return (ms ? ms : otherwise) * 1000;
}

struct http_server *http_server_open(const struct http_server_config *c, char error[HTTP_SERVER_ERROR_SIZE])
{
	struct http_server *s = mem_zero(sizeof(*s));
	struct addrinfo *address = NULL;
	char why[HTTP_ROUTER_ERROR_SIZE];
	bool opened = false;
	s->app = c->app;
	s->tls = c->tls;
	s->idle_us = us_or(c->idle_ms, HTTP_IDLE_MS);
	s->request_us = us_or(c->request_ms, HTTP_REQUEST_MS);
	s->write_us = us_or(c->write_ms, HTTP_WRITE_MS);
	s->heartbeat_us = us_or(c->heartbeat_ms, HTTP_HEARTBEAT_MS);
	s->callers = http_callers_new(c->connections_max, c->connections_each);
	s->send_rate_min = c->send_rate_min ? c->send_rate_min : JARI_SEND_RATE_MIN;
	s->held_max = c->held_max ? c->held_max : JARI_HELD_MAX;
	s->streams_max = c->connections_max * JARI_STREAMS_PERCENT / 100;
	s->threads = mem_zero((size_t)c->threads * sizeof(*s->threads));
	s->router = http_router_new(c->routes, c->route_count, why);
	if (!s->router)
		snprintf(error, HTTP_SERVER_ERROR_SIZE, "the table of routes is wrong: %s", why);
	else if (look_up(c, &address, error) && open_threads(s, c, address, error)) {
		opened = start_threads(s);
		if (!opened)
			fail(error, c, "a thread could not be started");
	}
	if (address)
		freeaddrinfo(address);
	if (opened)
		return s;
	http_server_close(s);
	return NULL;
}

int http_server_port(const struct http_server *s)
{
	return s->port;
}

/* ---- stopping ---- */

void http_server_leave(struct http_server *s)
{
	atomic_store(&s->app->leaving, true);
}

void http_server_stop(struct http_server *s)
{
	if (s->stopped)
		return;
	s->stopped = true;
	atomic_store(&s->stopping, true);
	for (int i = 0; i < s->count; i++) {
		uint64_t one = 1;
		struct http_thread *t = &s->threads[i];
		if (t->started && write(t->wake_fd, &one, sizeof(one)) < 0)
			log_event(LOG_ERROR, "an http thread could not be told to stop", "cause", "%s", strerror(errno));
	}
	for (int i = 0; i < s->count; i++)
		if (s->threads[i].started)
			pthread_join(s->threads[i].id, NULL);
}

void http_server_close(struct http_server *s)
{
	http_server_stop(s);
	for (int i = 0; i < s->count; i++)
		http_thread_close(&s->threads[i]);
	http_router_free(s->router);
	http_callers_free(s->callers);
	free(s->threads);
	free(s);
}
