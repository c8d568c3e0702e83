/* test_http_client.c: the load generator reads answers however they are cut, and its connections do what they should against a
 * server that is slow, closes, resets or talks nonsense. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "cli/bench/http_client.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <valgrind/valgrind.h>

/* ---- reading answers ---- */

struct sample {
	const char *bytes;
	enum reply_parsed end; /* with the end of the connection behind it */
	int status;
	const char *body;
	bool keep;
	int64_t retry_after;
};

#define OK "HTTP/1.1 200 OK\r\n"

static const struct sample samples[] = {
    {OK "Content-Length: 5\r\n\r\nhello", REPLY_DONE, 200, "hello", true, -1},
    {OK "content-length:0\r\n\r\n", REPLY_DONE, 200, "", true, -1},
    {"HTTP/1.1 204 No Content\r\n\r\n", REPLY_DONE, 204, "", true, -1},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", REPLY_DONE, 304, "", true, -1},
    {"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", REPLY_DONE, 503,
     "{}", false, 7},
    {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", REPLY_DONE, 200, "x", false, -1},
    {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", REPLY_DONE, 200, "x", true, -1},
    {OK "\r\nuntil the end", REPLY_DONE, 200, "until the end", false, -1},
    {OK "Transfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", REPLY_DONE, 200, "wiki0123456789",
     true, -1},
    {OK "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nTrailer: t\r\n\r\n", REPLY_DONE, 200, "x", true, -1},
    {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", REPLY_DONE, 200, "", true, -1},
    {OK "Content-Length: 5\r\n\r\nhell", REPLY_BAD, 0, "", false, 0},
    {OK "Content-Le", REPLY_BAD, 0, "", false, 0},
    {OK "Content-Length: five\r\n\r\nhello", REPLY_BAD, 0, "", false, 0},
    {OK "Content-Length: -1\r\n\r\n", REPLY_BAD, 0, "", false, 0},
    {OK "no colon\r\n\r\n", REPLY_BAD, 0, "", false, 0},
    {OK "Transfer-Encoding: gzip\r\n\r\n", REPLY_BAD, 0, "", false, 0},
    {OK "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", REPLY_BAD, 0, "", false, 0},
    {OK "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n", REPLY_BAD, 0, "", false, 0},
    {"HTTP/2 200 OK\r\n\r\n", REPLY_BAD, 0, "", false, 0},
    {"SSH-2.0-OpenSSH\r\n\r\n", REPLY_BAD, 0, "", false, 0},
    {"HTTP/1.1 2000 OK\r\n\r\n", REPLY_BAD, 0, "", false, 0},
};

/* The bytes up to `cut`, then the rest; each piece in memory of its own size, so that reading past its end is found. */
static void read_cut(const struct sample *s, size_t cut)
{
	size_t n = strlen(s->bytes);
	struct reply r = {0};
	char *bytes = malloc(n + 1);
	enum reply_parsed parsed = REPLY_MORE;

	assert_non_null(bytes);
	memcpy(bytes, s->bytes, n);
	bytes = realloc(bytes, cut + 1);
	assert_non_null(bytes);
	if (cut > 0)
		parsed = reply_parse(&r, bytes, cut, false);
	if (parsed == REPLY_MORE) {
		bytes = realloc(bytes, n);
		assert_non_null(bytes);
		memcpy(bytes + cut, s->bytes + cut, n - cut);
		parsed = reply_parse(&r, bytes, n, false);
		if (parsed == REPLY_MORE)
			parsed = reply_parse(&r, bytes, n, true);
	}
	if (parsed != s->end)
		fail_msg("cut at %zu: %d instead of %d: %s", cut, (int)parsed, (int)s->end, s->bytes);
	if (parsed == REPLY_DONE) {
		assert_int_equal(r.status, s->status);
		assert_int_equal(r.keep, s->keep);
		assert_int_equal(r.retry_after, s->retry_after);
		if (!text_equal(r.body, text_of(s->body)))
			fail_msg("cut at %zu: body \"%.*s\" instead of \"%s\"", cut, (int)r.body.n, r.body.p, s->body);
	}
	free(bytes);
}

static void cut_at_every_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		for (size_t cut = 0; cut <= strlen(samples[i].bytes); cut++)
			read_cut(&samples[i], cut);
}

static void byte_by_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		size_t n = strlen(samples[i].bytes), at = 0;
		char *bytes = malloc(n);
		struct reply r = {0};
		enum reply_parsed parsed = REPLY_MORE;

		assert_non_null(bytes);
		while (parsed == REPLY_MORE && at < n) {
			bytes[at] = samples[i].bytes[at];
			at++;
			parsed = reply_parse(&r, bytes, at, false);
		}
		if (parsed == REPLY_MORE)
			parsed = reply_parse(&r, bytes, n, true);
		assert_int_equal(parsed, samples[i].end);
		if (parsed == REPLY_DONE)
			assert_true(text_equal(r.body, text_of(samples[i].body)));
		free(bytes);
	}
}

static void members_are_found(void **state)
{
	struct text json =
	    TEXT("{\"a\":\"x\\\"y\",\"user\":1,\"userId\": 42,\"low\":-7,\"none\":null,\"list\":[1,2],\"open\":\"");
	struct text t;
	int64_t v;

	(void)state;
	assert_true(reply_int(json, TEXT("\"userId\":"), &v));
	assert_int_equal(v, 42);
	assert_true(reply_int(json, TEXT("\"low\":"), &v));
	assert_int_equal(v, -7);
	assert_true(reply_text(json, TEXT("\"a\":"), &t));
	assert_true(text_equal(t, TEXT("x\\\"y")));
	assert_false(reply_int(json, TEXT("\"none\":"), &v));
	assert_false(reply_int(json, TEXT("\"absent\":"), &v));
	assert_false(reply_text(json, TEXT("\"userId\":"), &t));
	assert_false(reply_text(json, TEXT("\"open\":"), &t));
	assert_true(reply_find(json, TEXT("\"list\":"), &t));
	assert_int_equal(t.p[0], '[');
	assert_false(reply_find((struct text){NULL, 0}, TEXT("\"a\":"), &t));
}

/* ---- connections ---- */

/* A server of one connection after another that does as the script says for each request: a reply to send, or NULL to close. */
struct server {
	pthread_t id;
	int fd;
	uint16_t port;
	const char *const *script;
	size_t steps;
	bool silent; /* takes requests and never answers */
};

static void serve_one(struct server *s, int fd, size_t *step)
{
	char in[4096];

	while (*step < s->steps) {
		ssize_t n = recv(fd, in, sizeof(in), 0); /* a request is one piece here */
		const char *reply;

		if (n <= 0)
			return;
		reply = s->script[(*step)++];
		if (reply == NULL || send(fd, reply, strlen(reply), MSG_NOSIGNAL) < 0)
			return;
	}
	if (s->silent)
		while (recv(fd, in, sizeof(in), 0) > 0)
			;
}

static void *serve(void *arg)
{
	struct server *s = arg;
	size_t step = 0;

	do {
		int fd = accept(s->fd, NULL, NULL);

		if (fd < 0)
			break;
		serve_one(s, fd, &step);
		close(fd);
	} while (step < s->steps);
	return NULL;
}

static void server_start(struct server *s)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(at);

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(s->fd >= 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(s->fd, 8), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &n), 0);
	s->port = ntohs(at.sin_port);
	assert_int_equal(pthread_create(&s->id, NULL, serve, s), 0);
}

static void server_end(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->id, NULL);
	close(s->fd);
}

struct seen {
	int count;
	enum client_outcome outcome;
	int status;
	char body[64];
	int64_t latency_us;
};

static void note(struct client_conn *c, enum client_outcome outcome, void *arg)
{
	struct seen *seen = arg;

	seen->count++;
	seen->outcome = outcome;
	seen->status = c->reply.status;
	seen->latency_us = c->end_us - c->due_us;
	snprintf(seen->body, sizeof(seen->body), "%.*s", (int)c->reply.body.n, outcome == CLIENT_ANSWERED ? c->reply.body.p : "");
}

static struct client *open_client(uint16_t port, int connections, int64_t timeout_us, struct seen *seen)
{
	static struct bench_target target;
	target = (struct bench_target){
	    .address.v4 = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
	    .address_n = sizeof(struct sockaddr_in)};
	struct client_config config = {
	    .target = &target, .connections = connections, .timeout_us = timeout_us, .done = note, .arg = seen};
	char error[CLIENT_ERROR_SIZE];
	struct client *client = client_open(&config, error);

	assert_non_null(client);
	return client;
}

/* Sends a request and waits for what becomes of it. */
static void ask(struct client *client, struct seen *seen)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	struct client_conn *c = client_take(client);
	int before = seen->count;

	assert_non_null(c);
	memcpy(c->out, request, sizeof(request) - 1);
	client_send(c, sizeof(request) - 1, clock_elapsed_us());
	assert_int_equal(seen->count, before); /* done() is never called from client_send */
	while (seen->count == before)
		assert_true(client_turn(client, INT64_MAX));
	assert_int_equal(client_busy(client), 0);
}

static void answers_come_over_one_kept_connection(void **state)
{
	static const char *const script[] = {OK "Content-Length: 3\r\n\r\none",
	                                     "HTTP/1.1 409 Conflict\r\nContent-Length: 3\r\n\r\ntwo",
	                                     "HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 5\r\n\r\nthree"};
	struct server s = {.script = script, .steps = 3};
	struct seen seen = {0};

	(void)state;
	server_start(&s);
	struct client *client = open_client(s.port, 1, 5000000, &seen);
	ask(client, &seen);
	assert_string_equal(seen.body, "one");
	ask(client, &seen);
	assert_int_equal(seen.status, 409);
	assert_string_equal(seen.body, "two");
	ask(client, &seen);
	assert_string_equal(seen.body, "three");
	client_close(client);
	server_end(&s);
}

static void a_closed_connection_breaks_its_request_and_the_next_one_connects_anew(void **state)
{
	static const char *const script[] = {NULL,
	                                     OK "Content-Length: 9\r\n\r\nhalf",
	                                     NULL,
	                                     "nonsense\r\n\r\n",
	                                     OK "Content-Length: 2\r\nConnection: close\r\n\r\nok",
	                                     OK "Content-Length: 5\r\n\r\nagain"};
	struct server s = {.script = script, .steps = 6};
	struct seen seen = {0};

	(void)state;
	server_start(&s);
	struct client *client = open_client(s.port, 1, 200000, &seen);
	ask(client, &seen); /* closed without a byte */
	assert_int_equal(seen.outcome, CLIENT_BROKEN);
	ask(client, &seen); /* half an answer, and then nothing */
	assert_int_equal(seen.outcome, CLIENT_TIMEOUT);
	assert_true(seen.latency_us >= 200000);
	ask(client, &seen);
	assert_int_equal(seen.outcome, CLIENT_BROKEN);
	ask(client, &seen);
	assert_int_equal(seen.outcome, CLIENT_GARBLED);
	ask(client, &seen);
	assert_string_equal(seen.body, "ok");
	ask(client, &seen);
	assert_string_equal(seen.body, "again");
	client_close(client);
	server_end(&s);
}

static void nobody_there_is_told(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(at);
	struct seen seen = {0};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* bound and not listening: its port refuses */

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	struct client *client = open_client(ntohs(at.sin_port), 2, 1000000, &seen);
	ask(client, &seen);
	assert_int_equal(seen.outcome, CLIENT_BROKEN);
	assert_string_equal(client_trouble(client), "Connection refused");
	client_close(client);
	close(fd);
}

static void connections_are_taken_and_given_back(void **state)
{
	struct seen seen = {0};
	struct client *client = open_client(1, 2, 1000000, &seen);
	struct client_conn *a = client_take(client), *b = client_take(client);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_null(client_take(client));
	client_give_back(a);
	client_give_back(b);
	assert_ptr_equal(client_take(client), a);
	assert_ptr_equal(client_take(client), b);
	assert_null(client_take(client));
	client_room(b, 1000000);
	memset(b->out, 'x', 1000000);
	client_close(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cut_at_every_byte),
	    cmocka_unit_test(byte_by_byte),
	    cmocka_unit_test(members_are_found),
	    cmocka_unit_test(connections_are_taken_and_given_back),
	};
	const struct CMUnitTest talking[] = {
	    cmocka_unit_test(answers_come_over_one_kept_connection),
	    cmocka_unit_test(a_closed_connection_breaks_its_request_and_the_next_one_connects_anew),
	    cmocka_unit_test(nobody_there_is_told),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	/* valgrind 3.19 does not know epoll_pwait2, in which the client waits */
	return RUNNING_ON_VALGRIND ? failed : failed + cmocka_run_group_tests(talking, NULL, NULL);
}
