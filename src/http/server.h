/* server.h: the HTTP/1.1 server: listeners, threads, connections. What a resource sees of it is http.h.
 *
 *   open ─> each thread: own event base, own listener on the shared port (SO_REUSEPORT), own connections, own requests
 *   stop ─> stops accepting, finishes what is in flight, closes idle connections, ends the threads
 *
 * Ownership: the app, the routes and what they point to stay the caller's and must outlive the server. Close the server after the engine, or
 * at least when no job or read of its requests is in the engine any more: until then the engine may hand requests back.
 * Threads: open, stop and close from one thread. Handlers run on the server's threads. Errors: one line that a person understands. */
#ifndef JARI_HTTP_SERVER_H
#define JARI_HTTP_SERVER_H

#include "http/http.h"

#define HTTP_IDLE_MS 75000          /* how long a kept connection may wait for its next request */
#define HTTP_REQUEST_MS 10000       /* a whole request must arrive within this of its first byte */
#define HTTP_WRITE_MS 30000         /* a client that takes nothing for this long is dropped */
#define HTTP_HEARTBEAT_MS 15000     /* after this long without an event a feed says that it is there */
#define HTTP_FEED_MS 200            /* how often each feed is looked at, … */
#define HTTP_FEED_STEP_MS 50        /* … a part of them at a time */
#define HTTP_TICKET_MS 1500         /* how long a token whose ticket another process may have issued waits for it to show, … */
#define HTTP_TICKET_STEP_MS 20      /* … and how often it is looked for */
#define HTTP_TICKET_WAITERS 1024    /* requests of one thread that may wait so; the others are told at once that there is none */
#define HTTP_LINGER_MS 2000         /* after an early error: how long the client may go on sending, unread, … */
#define HTTP_LINGER_BYTES (4 << 20) /* … and how much */
#define HTTP_STOP_MS 10000          /* the longest that stopping may take */
#define HTTP_STOP_RECEIVING_MS 1000 /* when stopping, how long a half-received request is still waited for */
#define HTTP_ACCEPT_PAUSE_MS 100    /* without file descriptors: how long to leave the listener alone */
#define HTTP_SPARE_MS 1000 /* a connection that has been idle for this long gives its place to a new one when there is no other */

#define HTTP_SERVER_ERROR_SIZE 256

struct http_server;
struct http_tls;

struct http_server_config {
	struct http_app *app;
	const char *host; /* an address or a name; "::1" without brackets */
	uint16_t port;    /* 0: any free one */
	int threads;      /* 1 .. JARI_THREADS_MAX */
	const struct http_route *routes;
	size_t route_count;
	uint8_t seal_key[SEAL_KEY_BYTES];
	struct http_tls *tls;                                /* tls.h; the caller's, must outlive the server. NULL: plain HTTP */
	int64_t idle_ms, request_ms, write_ms, heartbeat_ms; /* 0: the defaults above */
	int64_t connections_max, connections_each;           /* in all and of an address (callers.h); 0: any number */
	int64_t send_rate_min;                               /* bytes a second; 0: JARI_SEND_RATE_MIN */
	int64_t held_max;                                    /* bytes that connections may hold together; 0: JARI_HELD_MAX */
};

/* Binds, starts the threads and accepts. NULL with a line in `error` when it can't: the address is taken, the name is unknown, the
 * table of routes is wrong. */
struct http_server *http_server_open(const struct http_server_config *config, char error[HTTP_SERVER_ERROR_SIZE]);
/* The port it got. */
int http_server_port(const struct http_server *s);
/* Tells proxies to go elsewhere: from now on GET /readyz is 503 and every answer is its connection's last; all is served as before. */
void http_server_leave(struct http_server *s);
/* Finishes what is in flight and ends the threads, within HTTP_STOP_MS. Harmless when it was called before. */
void http_server_stop(struct http_server *s);
/* Stops when that was not done, and frees everything. */
void http_server_close(struct http_server *s);

#endif
