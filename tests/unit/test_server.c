/* The server over real sockets: what it refuses, and bodies at their limits.
 *
 * `test_server bench [threads]` serves the toy routes until its standard input ends, for measuring. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "server_toy.h"

/* ---- each refusal ---- */

struct raw_case {
	const char *what;
	struct text in;
	int status;
	bool closes; /* the connection ends with this answer */
};
#define RAW(what, bytes, status, closes)                         \
	{                                                        \
		what, {bytes, sizeof(bytes) - 1}, status, closes \
	}

static const struct raw_case raws[] = {
    RAW("plain", GET1 H "\r\n", 200, false),
    RAW("absolute form", "GET http://x/hello?a=1 HTTP/1.1\r\n" H "\r\n", 200, false),
    RAW("escaped path", "GET /h%65llo HTTP/1.1\r\n" H "\r\n", 200, false),
    RAW("empty lines before", "\r\n\r\n" GET1 H "\r\n", 200, false),
    RAW("1.0", "GET /hello HTTP/1.0\r\n\r\n", 200, true),
    RAW("1.0 kept", "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, false),
    RAW("close", GET1 H "Connection: close\r\n\r\n", 200, true),
    RAW("unknown path", "GET /x HTTP/1.1\r\n" H "\r\n", 404, false),
    RAW("trailing slash", "GET /hello/ HTTP/1.1\r\n" H "\r\n", 404, false),
    RAW("escaped slash", "GET /things%2F1 HTTP/1.1\r\n" H "\r\n", 404, false),
    RAW("id that is none", "GET /things/0 HTTP/1.1\r\n" H "\r\n", 404, false),
    RAW("method not allowed", "DELETE /hello HTTP/1.1\r\n" H "\r\n", 405, false),
    RAW("unknown method", "BREW /hello HTTP/1.1\r\n" H "\r\n", 405, false),
    RAW("method before token", "GET /secret HTTP/1.1\r\n" H "\r\n", 405, false),
    RAW("token before body", "POST /secret?a=1&a=1 HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx", 401, false),
    RAW("OPTIONS", "OPTIONS /hello HTTP/1.1\r\n" H "\r\n", 204, false),
    RAW("OPTIONS *", "OPTIONS * HTTP/1.1\r\n" H "\r\n", 204, false),
    RAW("GET *", "GET * HTTP/1.1\r\n" H "\r\n", 400, true),
    RAW("query twice", "GET /hello?a=1&a=1 HTTP/1.1\r\n" H "\r\n", 400, false),
    RAW("query with a bad escape", "GET /hello?a=% HTTP/1.1\r\n" H "\r\n", 400, false),
    RAW("media type", "POST /echo HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx", 415, false),
    RAW("key twice", "POST /echo HTTP/1.1\r\n" H "Idempotency-Key: a\r\nIdempotency-Key: a\r\n\r\n", 400, false),
    RAW("bad path escape", "GET /%zz HTTP/1.1\r\n" H "\r\n", 400, true),
    RAW("escaped NUL", "GET /%00 HTTP/1.1\r\n" H "\r\n", 400, true),
    RAW("request line", "GET /hello\r\n\r\n", 400, true),
    RAW("version", "GET /hello HTTP/3.0\r\n" H "\r\n", 400, true),
    RAW("no Host", GET1 "\r\n", 400, true),
    RAW("two Hosts", GET1 H H "\r\n", 400, true),
    RAW("header name", GET1 H "a b: 1\r\n\r\n", 400, true),
    RAW("space before colon", GET1 H "a : 1\r\n\r\n", 400, true),
    RAW("obs-fold", GET1 H "a: 1\r\n b\r\n\r\n", 400, true),
    RAW("NUL", GET1 H "a: \0\r\n\r\n", 400, true),
    RAW("control", GET1 H "a: \x02\r\n\r\n", 400, true),
    RAW("bare CR", GET1 H "a: 1\rb\r\n\r\n", 400, true),
    RAW("bare LF", "GET /hello HTTP/1.1\nHost: x\n\n", 400, true),
    RAW("authority form", "CONNECT x:443 HTTP/1.1\r\n" H "\r\n", 400, true),
    RAW("not HTTP", "\x16\x03\x01\x00\xa5\x01", 400, true),
    RAW("length no number", "POST /echo HTTP/1.1\r\n" H "Content-Length: 1x\r\n\r\nx", 400, true),
    RAW("length too large for 64 bits", "POST /echo HTTP/1.1\r\n" H "Content-Length: 9223372036854775808\r\n\r\nx", 400, true),
    RAW("lengths differ", "POST /echo HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400, true),
    RAW("lengths repeated", "POST /echo HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400, true),
    RAW("both lengths", "POST /echo HTTP/1.1\r\n" H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
        true),
    RAW("coding", "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n", 400, true),
    RAW("coding in 1.0", "POST /echo HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, true),
    RAW("chunk size", "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400, true),
    RAW("a chunk that announces too much", "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n10000000c\r\nabc", 413,
        true),
    RAW("chunk end", "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", 400, true),
    RAW("one byte too many", "POST /tiny HTTP/1.1\r\n" H "Content-Length: 11\r\n\r\n", 413, true),
    RAW("one byte too many in chunks",
        "POST /tiny HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n6\r\nfghijk\r\n", 413, true),
    RAW("transport before route", "POST /x HTTP/1.1\r\n" H "Content-Length: 65537\r\n\r\n", 413, true),
    RAW("transport before token", "POST /secret HTTP/1.1\r\n" H "Content-Length: 65537\r\n\r\n", 413, true),
    RAW("other method's limit", "PUT /big HTTP/1.1\r\n" H "Content-Length: 65537\r\n\r\n", 413, true),
};

static void run_raw(const struct world *w, const struct raw_case *c)
{
	struct buf got = {0};
	struct reply r;
	int fd = client(w);
	assert_true(put(fd, c->in.p, c->in.n));
	shutdown(fd, SHUT_WR);
	if (!get_all(fd, &got))
		fail_msg("%s: no end", c->what);
	struct text rest = buf_view(&got);
	if (!next_reply(&rest, &r, false) || rest.n)
		fail_msg("%s: got \"%s\"", c->what, got.p);
	if (r.status != c->status)
		fail_msg("%s: wanted %d, got %s", c->what, c->status, got.p);
	if (has(r.head, "Connection: close\r\n") != c->closes)
		fail_msg("%s: closing: %s", c->what, got.p);
	if (r.status >= 400)
		check_problem(c->what, &r);
	if (!has(r.head, "\r\nDate: ") || !has(r.head, " GMT\r\n") || !has(r.head, "X-Content-Type-Options: nosniff\r\n") ||
	    !has(r.head, "Cache-Control: no-store\r\n") || (r.status != 204) != has(r.head, "Content-Length: "))
		fail_msg("%s: headers: %s", c->what, got.p);
	buf_free(&got);
	close(fd);
}

static void test_raw(void **state)
{
	struct world *w = *state;
	size_t n = sizeof(raws) / sizeof(raws[0]);
	for (size_t i = 0; i < n; i++)
		run_raw(w, &raws[i]);
	assert_int_equal(w->metrics.counted, n);
}

static void test_headers_of_answers(void **state)
{
	struct world *w = *state;
	struct buf b = exchange(w, "POST /hello HTTP/1.1\r\n" H "\r\n");
	assert_in(&b, "Allow: GET, HEAD, OPTIONS\r\n");
	assert_in(&b, "\"type\":\"urn:jari:error:method-not-allowed\"");
	buf_free(&b);
	b = exchange(w, "POST /secret HTTP/1.1\r\n" H "\r\n");
	assert_in(&b, "WWW-Authenticate: Bearer realm=\"jari\"\r\n");
	buf_free(&b);
	b = exchange(w, "GET /overload HTTP/1.1\r\n" H "\r\n");
	assert_in(&b, "HTTP/1.1 503 ");
	assert_in(&b, "Retry-After: 1\r\n");
	assert_in(&b, "\"detail\":\"a \\\"quoted\\\" sentence\",\"code\":\"OVERLOADED\",\"extra\":[1,2]}");
	buf_free(&b);
	b = exchange(w, "GET /things/42?q=a+b%21 HTTP/1.1\r\n" H "\r\n");
	assert_in(&b, "42 a b! /things/42");
	assert_in(&b, "Cache-Control: max-age=60\r\n");
	assert_in(&b, "ETag: \"a  b\"\r\n");
	assert_null(strstr(b.p, "no-store"));
	buf_free(&b);
}

static void test_head(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	struct reply r;
	struct text rest;
	/* The bodies' absence shows when the next answer begins right behind. */
	got = exchange(w, "HEAD /hello HTTP/1.1\r\n" H "\r\nHEAD /x HTTP/1.1\r\n" H "\r\nHEAD /stream HTTP/1.1\r\n" H "\r\n"
	                  "HEAD /large HTTP/1.1\r\n" H "\r\n" GET1 H "\r\n");
	rest = buf_view(&got);
	assert_true(next_reply(&rest, &r, true));
	assert_true(r.status == 200 && has(r.head, "Content-Length: 17\r\n"));
	assert_true(next_reply(&rest, &r, true));
	assert_true(r.status == 404 && has(r.head, "application/problem+json"));
	assert_true(next_reply(&rest, &r, true));
	assert_true(r.status == 200 && has(r.head, "Transfer-Encoding: chunked\r\n"));
	assert_true(next_reply(&rest, &r, true));
	assert_true(r.status == 200 && has(r.head, "Content-Length: 300000\r\n"));
	assert_true(next_reply(&rest, &r, false));
	assert_true(r.status == 200 && rest.n == 0);
	buf_free(&got);
}

/* ---- bodies ---- */

/* A POST with a body of n bytes in chunks of `chunk` (0: with a length). */
static void post(struct buf *out, const char *path, size_t n, size_t chunk)
{
	buf_printf(out, "POST %s HTTP/1.1\r\n" H "Content-Type: application/json\r\n", path);
	if (!chunk)
		buf_printf(out, "Content-Length: %zu\r\n\r\n", n);
	else
		buf_str(out, "Transfer-Encoding: chunked\r\n\r\n");
	for (size_t at = 0, k; at < n; at += k) {
		k = chunk && chunk < n - at ? chunk : n - at;
		if (chunk)
			buf_printf(out, "%zx\r\n", k);
		for (size_t i = at; i < at + k; i++)
			buf_char(out, (char)('a' + i % 26));
		if (chunk)
			buf_str(out, "\r\n");
	}
	if (chunk)
		buf_str(out, "0\r\n\r\n");
}

static void check_echo(const struct world *w, const char *path, size_t n, size_t chunk, int status)
{
	struct buf in = {0}, got = {0};
	struct reply r;
	int fd = client(w);
	post(&in, path, n, chunk);
	bool sent = put(fd, in.p, in.n);
	shutdown(fd, SHUT_WR);
	bool ended = get_all(fd, &got);
	struct text rest = buf_view(&got);
	if (!ended || !next_reply(&rest, &r, false) || rest.n || r.status != status)
		fail_msg("%s with %zu bytes in chunks of %zu: sent %d, ended %d, got %.300s", path, n, chunk, sent, ended, got.p);
	if (status == 200) {
		assert_int_equal(r.body.n, n);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(r.body.p[i], 'a' + i % 26);
	} else {
		check_problem(path, &r);
	}
	buf_free(&in);
	buf_free(&got);
	close(fd);
}

static void test_body_limits(void **state)
{
	static const size_t chunks[] = {0, 1000, 65536, 1 << 20};
	struct world *w = *state;
	for (size_t i = 0; i < 4; i++) {
		check_echo(w, "/echo", 0, chunks[i], 200);
		check_echo(w, "/echo", JARI_BODY_MAX, chunks[i], 200);
		check_echo(w, "/echo", JARI_BODY_MAX + 1, chunks[i], 413);
		check_echo(w, "/big", JARI_CATALOGUE_BODY_MAX, chunks[i], 200);
		check_echo(w, "/big", JARI_CATALOGUE_BODY_MAX + 1, chunks[i], 413);
		check_echo(w, "/tiny", 10, chunks[i], 200);
		check_echo(w, "/tiny", 11, chunks[i], 413);
		check_echo(w, "/x", JARI_BODY_MAX, chunks[i], 404);
		check_echo(w, "/x", JARI_BODY_MAX + 1, chunks[i], 413);
	}
	check_echo(w, "/tiny", 10, 1, 200);
	check_echo(w, "/tiny", 11, 1, 413);
}

/* A client that sends all of a large body before it reads still gets to read why it was refused. */
static void test_large_body_reads_its_refusal(void **state)
{
	struct world *w = *state;
	check_echo(w, "/echo", 2 << 20, 0, 413);
	check_echo(w, "/echo", 2 << 20, 4096, 413);
}

/* A client that never stops sending does not keep the connection. */
static void test_lingering_is_bounded(void **state)
{
	struct world *w = *state;
	struct buf in = {0};
	int fd = client(w);
	size_t sent = 0;
	static char bytes[65536];
	put_str(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 1000000000\r\n\r\n");
	/* HTTP_LINGER_BYTES, and what lies in the sockets' buffers. */
	while (sent < (size_t)32 << 20 && put(fd, bytes, sizeof(bytes)))
		sent += sizeof(bytes);
	assert_true(sent < (size_t)32 << 20);
	close(fd);
	/* One that sends nothing more and does not close is given up after two seconds. */
	int64_t began = now_ms();
	fd = client(w);
	put_str(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 1000000000\r\n\r\n");
	assert_true(get_all(fd, &in)); /* ends at once: half-closed */
	assert_true(now_ms() - began < 1000);
	while (send(fd, "x", 1, MSG_NOSIGNAL) > 0 && now_ms() - began < 6000)
		nap(50);
	assert_true(now_ms() - began < 4000);
	assert_true(now_ms() - began > 1500);
	close(fd);
	buf_free(&in);
}

static void test_chunks_cut_at_every_byte(void **state)
{
	static const char in[] =
	    "POST /echo HTTP/1.1\r\n" H "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "5;x=y\r\nhello\r\n7\r\n, world\r\n0\r\nTrailer: 1\r\n\r\n";
	struct world *w = *state;
	int fd = client(w);
	for (size_t cut = 1; cut < sizeof(in) - 1; cut++) {
		struct buf got = {0};
		assert_true(put(fd, in, cut));
		nap(1);
		assert_true(put(fd, in + cut, sizeof(in) - 1 - cut));
		get_until(fd, &got, "hello, world");
		assert_in(&got, "HTTP/1.1 200 OK\r\n");
		assert_in(&got, "Content-Length: 12\r\n");
		buf_free(&got);
	}
	close(fd);
}

static void test_byte_by_byte(void **state)
{
	static const char in[] =
	    "\r\nPOST /echo HTTP/1.1\r\n" H "Content-Type: application/json\r\nContent-Length: 5\r\n\r\nhello";
	struct world *w = *state;
	struct buf got = {0};
	int fd = client(w), on = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	for (size_t i = 0; i < sizeof(in) - 1; i++) {
		assert_true(put(fd, in + i, 1));
		nap(1);
	}
	get_until(fd, &got, "\r\n\r\nhello");
	buf_free(&got);
	close(fd);
}

static void test_header_limits(void **state)
{
	struct world *w = *state;
	for (size_t over = 0; over < 2; over++) {
		struct buf in = {0}, got = {0};
		buf_str(&in, GET1 H "a: ");
		while (in.n < JARI_HEADERS_MAX - 4 + over)
			buf_char(&in, 'v');
		buf_str(&in, "\r\n\r\n");
		int fd = client(w);
		assert_true(put(fd, in.p, in.n));
		shutdown(fd, SHUT_WR);
		assert_true(get_all(fd, &got));
		assert_in(&got, over ? "HTTP/1.1 431 " : "HTTP/1.1 200 ");
		if (over)
			assert_in(&got, "HEADERS_TOO_LARGE");
		close(fd);
		buf_free(&in);
		buf_free(&got);
	}
}

/* A megabyte of headers, sent in full before reading, is told 431. */
static void test_endless_headers(void **state)
{
	struct world *w = *state;
	struct buf in = {0}, got = {0};
	buf_str(&in, GET1 H);
	while (in.n < 1 << 20)
		buf_str(&in, "name: value\r\n");
	int fd = client(w);
	assert_true(put(fd, in.p, in.n));
	shutdown(fd, SHUT_WR);
	assert_true(get_all(fd, &got));
	assert_in(&got, "HTTP/1.1 431 ");
	close(fd);
	buf_free(&in);
	buf_free(&got);
}

static void test_expect(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	int fd = client(w);
	put_str(fd, "POST /echo HTTP/1.1\r\n" H
	            "Content-Type: application/json\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
	get_until(fd, &got, "HTTP/1.1 100 Continue\r\n\r\n");
	assert_int_equal(got.n, 25);
	put_str(fd, "hello");
	get_until(fd, &got, "\r\n\r\nhello");
	close(fd);
	buf_free(&got);
	/* Refused before the body is sent, each with its own reason; none is told to go on. */
	static const struct {
		const char *in, *status;
	} refused[] = {
	    {"POST /echo HTTP/1.1\r\n" H "Content-Length: 65537\r\nExpect: 100-continue\r\n\r\n", "HTTP/1.1 413 "},
	    {"POST /x HTTP/1.1\r\n" H "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n", "HTTP/1.1 404 "},
	    {"POST /hello HTTP/1.1\r\n" H "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n", "HTTP/1.1 405 "},
	    {"POST /secret HTTP/1.1\r\n" H "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n", "HTTP/1.1 401 "},
	};
	for (size_t i = 0; i < 4; i++) {
		fd = client(w);
		put_str(fd, refused[i].in);
		assert_true(get_all(fd, &got));
		assert_in(&got, refused[i].status);
		assert_in(&got, "Connection: close\r\n");
		assert_null(strstr(got.p, "100 Continue"));
		close(fd);
		buf_free(&got);
	}
}

static int bench(int threads)
{
	static struct world w;
	char byte;
	world_open(&w, threads);
	printf("http://127.0.0.1:%d/hello\n", http_server_port(w.server));
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
	http_server_stop(w.server);
	engine_end(&w);
	http_server_close(w.server);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return bench(argc > 2 ? (int)strtol(argv[2], NULL, 10) : 1);
	const struct CMUnitTest tests[] = {
	    TEST(test_raw),
	    TEST(test_headers_of_answers),
	    TEST(test_head),
	    TEST(test_body_limits),
	    TEST(test_large_body_reads_its_refusal),
	    TEST(test_lingering_is_bounded),
	    TEST(test_chunks_cut_at_every_byte),
	    TEST(test_byte_by_byte),
	    TEST(test_header_limits),
	    TEST(test_endless_headers),
	    TEST(test_expect),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
