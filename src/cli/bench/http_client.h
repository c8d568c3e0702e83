/* http_client.h: many kept connections to one server on one thread, plain or over TLS: a request goes out on an idle one, and `done` is
 * called with its answer.
 *
 *           client_take          written              answer
 *   IDLE ───────────────> BUSY ──────────> (reading) ────────> done(), IDLE
 *   A connection without a socket connects when it is used, and connects anew after the server closed it.
 *
 * Nothing is allocated for a request: each connection keeps its two buffers. Latency is for the caller to count, from due_us
 * (when the request was meant to go out) or sent_us. Ownership: client_close frees; the answer's texts live until done() returns.
 * Threads: one client, one thread. Errors: what went wrong with a request is its outcome; client_open gives a line. done() may
 * use client_take and client_send. */
#ifndef JARI_CLI_BENCH_HTTP_CLIENT_H
#define JARI_CLI_BENCH_HTTP_CLIENT_H

#include "cli/bench/reply.h"
#include "cli/bench/target.h"
#include "cli/bench/wire.h"

#define CLIENT_REQUEST_ROOM 2048 /* bytes that any request fits in; client_room gives more */
#define CLIENT_ERROR_SIZE 256

enum client_outcome {
	CLIENT_ANSWERED,
	CLIENT_BROKEN,  /* refused, reset, or closed before the answer was whole */
	CLIENT_TIMEOUT, /* no whole answer in time */
	CLIENT_GARBLED  /* what came is no HTTP/1.1 response */
};
#define CLIENT_OUTCOMES 4

struct client;

struct client_conn {
	struct client *client;
	struct wire wire; /* its fd is -1: not connected */
	bool busy, connecting, wants_out, failed;
	char *out, *in;
	size_t out_n, out_sent, out_room, in_n, in_room;
	struct reply reply;
	int64_t due_us, sent_us, end_us; /* clock_elapsed_us; end_us: of the answer, in done() */
	int64_t tag;                     /* the caller's */
	struct client_conn *next_idle, *next_failed;
};

struct client_config {
	const struct bench_target *target; /* found; it and the trust outlive the client */
	struct wire_trust *trust;          /* NULL: plain HTTP */
	int connections;
	int64_t timeout_us;
	void (*done)(struct client_conn *c, enum client_outcome outcome, void *arg);
	void *arg;
};

struct client *client_open(const struct client_config *config, char error[CLIENT_ERROR_SIZE]);
void client_close(struct client *client);

/* An idle connection that is now the caller's to send on; NULL when all are busy. Write the request to c->out,
 * CLIENT_REQUEST_ROOM bytes at most. */
struct client_conn *client_take(struct client *client);
/* Gives it back unused. */
void client_give_back(struct client_conn *c);
/* Makes room for a larger request. */
void client_room(struct client_conn *c, size_t room);
/* Sends the n bytes in c->out. */
void client_send(struct client_conn *c, size_t n, int64_t due_us);
/* Waits until something comes, or until `until_us`, and handles it. False with errno when waiting itself fails. */
bool client_turn(struct client *client, int64_t until_us);
int client_busy(const struct client *client);
/* What went wrong last with a connection, in the system's or OpenSSL's words; "" when nothing did. */
const char *client_trouble(const struct client *client);

#endif
