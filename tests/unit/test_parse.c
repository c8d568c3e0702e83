/* The request parser: what it takes, and each thing that it refuses. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "http/parse.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define R1 "GET / HTTP/1.1\r\n"
#define H "Host: x\r\n"

/* What a client is told reads as a sentence. */
static void assert_sentence(const char *detail)
{
	size_t n = strlen(detail);
	if (n < 10 || islower((unsigned char)detail[0]) || detail[n - 1] != '.')
		fail_msg("no whole sentence: %s", detail);
}

/* Scans and parses. 0: taken; else the status of the refusal; -1: more bytes are wanted. */
static int read_head(struct text in, struct arena *a, struct http_head *head)
{
	struct http_scanner s = {0};
	struct http_refusal why;
	size_t length;
	/* A copy of exactly the bytes, so that the sanitizer sees a read past them. */
	char *copy = malloc(in.n ? in.n : 1);
	memcpy(copy, in.p, in.n);
	enum http_scan got = http_head_scan(&s, copy, in.n, &length, &why);
	int status = got == HTTP_SCAN_MORE ? -1 : 0;
	if (got == HTTP_SCAN_REFUSED)
		status = core_code_status(why.code);
	if (got == HTTP_SCAN_WHOLE && !http_head_parse(arena_copy(a, copy + s.start, length), length, a, head, &why))
		status = core_code_status(why.code);
	if (status > 0)
		assert_sentence(why.detail);
	free(copy);
	return status;
}

struct head_case {
	const char *what;
	struct text in;
	int status;
};

#define CASE(what, bytes, status)                        \
	{                                                \
		what, {bytes, sizeof(bytes) - 1}, status \
	}

static const struct head_case heads[] = {
    CASE("plain", R1 H "\r\n", 0),
    CASE("no headers in 1.0", "GET / HTTP/1.0\r\n\r\n", 0),
    CASE("one empty line before", "\r\n" R1 H "\r\n", 0),
    CASE("two empty lines before", "\r\n\r\n" R1 H "\r\n", 0),
    CASE("three empty lines before", "\r\n\r\n\r\n" R1 H "\r\n", 400),
    CASE("unknown method", "BREW / HTTP/1.1\r\n" H "\r\n", 0),
    CASE("method that is no token", "G(T / HTTP/1.1\r\n" H "\r\n", 400),
    CASE("lower-case version", "GET / http/1.1\r\n" H "\r\n", 400),
    CASE("version 1.2", "GET / HTTP/1.2\r\n" H "\r\n", 400),
    CASE("version 2.0", "GET / HTTP/2.0\r\n" H "\r\n", 400),
    CASE("version 0.9", "GET /\r\n\r\n", 400),
    CASE("version missing", "GET / \r\n" H "\r\n", 400),
    CASE("two spaces", "GET  / HTTP/1.1\r\n" H "\r\n", 400),
    CASE("space behind", "GET / HTTP/1.1 \r\n" H "\r\n", 400),
    CASE("space before", " GET / HTTP/1.1\r\n" H "\r\n", 400),
    CASE("tab between", "GET\t/ HTTP/1.1\r\n" H "\r\n", 400),
    CASE("space in the target", "GET /a b HTTP/1.1\r\n" H "\r\n", 400),
    CASE("control character in the target", "GET /a\x01 HTTP/1.1\r\n" H "\r\n", 400),
    CASE("non-ASCII in the target", "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", 400),
    CASE("fragment in the target", "GET /a#b HTTP/1.1\r\n" H "\r\n", 400),
    CASE("target without a slash", "GET a HTTP/1.1\r\n" H "\r\n", 400),
    CASE("authority form", "CONNECT x:80 HTTP/1.1\r\n" H "\r\n", 400),
    CASE("authority form for GET", "GET x:80 HTTP/1.1\r\n" H "\r\n", 400),
    CASE("absolute form", "GET http://x/a HTTP/1.1\r\n" H "\r\n", 0),
    CASE("absolute form without a host", "GET http:///a HTTP/1.1\r\n" H "\r\n", 400),
    CASE("absolute form with another scheme", "GET ftp://x/a HTTP/1.1\r\n" H "\r\n", 400),
    CASE("absolute form with a user", "GET http://u@x/a HTTP/1.1\r\n" H "\r\n", 400),
    CASE("* for OPTIONS", "OPTIONS * HTTP/1.1\r\n" H "\r\n", 0),
    CASE("* for GET", "GET * HTTP/1.1\r\n" H "\r\n", 400),
    CASE("good escape", "GET /%61 HTTP/1.1\r\n" H "\r\n", 0),
    CASE("cut escape", "GET /%6 HTTP/1.1\r\n" H "\r\n", 400),
    CASE("bad escape", "GET /%zz HTTP/1.1\r\n" H "\r\n", 400),
    CASE("escaped NUL", "GET /%00 HTTP/1.1\r\n" H "\r\n", 400),
    CASE("Host missing", R1 "\r\n", 400),
    CASE("Host twice", R1 H H "\r\n", 400),
    CASE("Host twice in 1.0", "GET / HTTP/1.0\r\n" H H "\r\n", 400),
    CASE("Host empty", R1 "Host:\r\n\r\n", 0),
    CASE("Host with a space", R1 "Host: a b\r\n\r\n", 400),
    CASE("Host with a slash", R1 "Host: a/b\r\n\r\n", 400),
    CASE("Host IPv6", R1 "Host: [::1]:80\r\n\r\n", 0),
    CASE("Host IPv6 without a port", R1 "Host: [::1]\r\n\r\n", 0),
    CASE("Host with a port", R1 "Host: x:80\r\n\r\n", 0),
    CASE("Host with an empty port", R1 "Host: x:\r\n\r\n", 0),
    CASE("Host with an escape", R1 "Host: %65x\r\n\r\n", 0),
    CASE("Host with a port that is none", R1 "Host: x:80a\r\n\r\n", 400),
    CASE("Host with two ports", R1 "Host: x:80:80\r\n\r\n", 400),
    CASE("Host with half a bracket", R1 "Host: [::1\r\n\r\n", 400),
    CASE("Host with a bracket too many", R1 "Host: [[::1]\r\n\r\n", 400),
    CASE("Host with something behind the bracket", R1 "Host: [::1]80\r\n\r\n", 400),
    CASE("Host with a bracket inside", R1 "Host: a[1]\r\n\r\n", 400),
    CASE("header name that is no token", R1 H "a@b: 1\r\n\r\n", 400),
    CASE("header name empty", R1 H ": 1\r\n\r\n", 400),
    CASE("space before the colon", R1 H "a : 1\r\n\r\n", 400),
    CASE("space before the colon of Host", R1 "Host : x\r\n\r\n", 400),
    CASE("no colon", R1 H "abc\r\n\r\n", 400),
    CASE("obs-fold", R1 H "a: 1\r\n 2\r\n\r\n", 400),
    CASE("obs-fold by tab", R1 H "a: 1\r\n\t2\r\n\r\n", 400),
    CASE("fold before the first header", R1 " a: 1\r\n" H "\r\n", 400),
    CASE("NUL in a value", R1 H "a: 1\0002\r\n\r\n", 400),
    CASE("NUL in a name", R1 H "a\000b: 1\r\n\r\n", 400),
    CASE("control in a value", R1 H "a: \x1b[0m\r\n\r\n", 400),
    CASE("DEL in a value", R1 H "a: \x7f\r\n\r\n", 400),
    CASE("bare CR in a value", R1 H "a: 1\r2\r\n\r\n", 400),
    CASE("bare CR before the end", R1 H "a: 1\r\r\n\r\n", 400),
    CASE("tab and high bytes in a value", R1 H "a: x\ty\xff\r\n\r\n", 0),
    CASE("bare LF after the request line", "GET / HTTP/1.1\n" H "\r\n", 400),
    CASE("bare LF after a header", R1 "Host: x\n\r\n", 400),
    CASE("bare LF as the end", R1 H "\n", 400),
    CASE("bare LF before", "\n" R1 H "\r\n", 400),
    CASE("Content-Length", R1 H "Content-Length: 5\r\n\r\n", 0),
    CASE("Content-Length largest", R1 H "Content-Length: 9223372036854775807\r\n\r\n", 0),
    CASE("Content-Length too large", R1 H "Content-Length: 9223372036854775808\r\n\r\n", 400),
    CASE("Content-Length far too large", R1 H "Content-Length: 99999999999999999999999\r\n\r\n", 400),
    CASE("Content-Length +5", R1 H "Content-Length: +5\r\n\r\n", 400),
    CASE("Content-Length -5", R1 H "Content-Length: -5\r\n\r\n", 400),
    CASE("Content-Length 0x5", R1 H "Content-Length: 0x5\r\n\r\n", 400),
    CASE("Content-Length 5 5", R1 H "Content-Length: 5 5\r\n\r\n", 400),
    CASE("Content-Length 5,5", R1 H "Content-Length: 5,5\r\n\r\n", 400),
    CASE("Content-Length 5.0", R1 H "Content-Length: 5.0\r\n\r\n", 400),
    CASE("Content-Length empty", R1 H "Content-Length:\r\n\r\n", 400),
    CASE("Content-Length twice, different", R1 H "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
    CASE("Content-Length twice, alike", R1 H "Content-Length: 5\r\ncontent-length: 5\r\n\r\n", 400),
    CASE("both lengths", R1 H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    CASE("both lengths the other way round", R1 H "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400),
    CASE("chunked", R1 H "Transfer-Encoding: chunked\r\n\r\n", 0),
    CASE("Chunked", R1 H "Transfer-Encoding: Chunked\r\n\r\n", 0),
    CASE("chunked in 1.0", "GET / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n", 400),
    CASE("gzip, chunked", R1 H "Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
    CASE("gzip, chunked in two headers", R1 H "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
    CASE("gzip, chunked in 1.0", "GET / HTTP/1.0\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", 400),
    CASE("gzip, chunked with a length", R1 H "Transfer-Encoding: gzip, chunked\r\nContent-Length: 0\r\n\r\n", 400),
    CASE("chunked, gzip", R1 H "Transfer-Encoding: chunked, gzip\r\n\r\n", 400),
    CASE("chunked, gzip, chunked", R1 H "Transfer-Encoding: chunked, gzip, chunked\r\n\r\n", 400),
    CASE("gzip", R1 H "Transfer-Encoding: gzip\r\n\r\n", 400),
    CASE("a coding that is no token", R1 H "Transfer-Encoding: g(ip, chunked\r\n\r\n", 400),
    CASE("an empty coding", R1 H "Transfer-Encoding: , chunked\r\n\r\n", 400),
    CASE("an empty coding behind", R1 H "Transfer-Encoding: chunked,\r\n\r\n", 400),
    CASE("chunked, chunked", R1 H "Transfer-Encoding: chunked, chunked\r\n\r\n", 400),
    CASE("chunked twice", R1 H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    CASE("identity", R1 H "Transfer-Encoding: identity\r\n\r\n", 400),
    CASE("xchunked", R1 H "Transfer-Encoding: xchunked\r\n\r\n", 400),
    CASE("chunked;q=1", R1 H "Transfer-Encoding: chunked;q=1\r\n\r\n", 400),
    CASE("chunked with a vertical tab",
         R1 H "Transfer-Encoding: \x0b"
              "chunked\r\n\r\n",
         400),
    CASE("Transfer-Encoding empty", R1 H "Transfer-Encoding:\r\n\r\n", 400),
    CASE("Authorization twice", R1 H "Authorization: a\r\nAuthorization: a\r\n\r\n", 400),
    CASE("Content-Type twice", R1 H "Content-Type: a\r\nContent-Type: a\r\n\r\n", 400),
    CASE("a TLS hello", "\x16\x03\x01\x02", 400),
    CASE("nothing", "", -1),
    CASE("half a line", "GET / HT", -1),
    CASE("half a head", R1 H, -1),
    CASE("a head without its last byte", R1 H "\r", -1),
};

static void test_heads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct arena a = {0};
		struct http_head head;
		int status = read_head(heads[i].in, &a, &head);
		if (status != heads[i].status)
			fail_msg("%s: wanted %d, got %d", heads[i].what, heads[i].status, status);
		arena_free(&a);
	}
}

static void assert_text(struct text t, const char *wanted)
{
	if (!text_equal(t, text_of(wanted)))
		fail_msg("wanted \"%s\", got \"%.*s\"", wanted, (int)t.n, t.p);
}

static void parse_good(const char *in, struct arena *a, struct http_head *head)
{
	int status = read_head(text_of(in), a, head);
	if (status)
		fail_msg("%s: %d", in, status);
}

static void test_what_a_head_says(void **state)
{
	struct arena a = {0};
	struct http_head h;
	(void)state;
	parse_good("PATCH /a%20b/c?x=1&y=%20 HTTP/1.1\r\nhOsT:x\r\nAUTHORIZATION: \t Bearer z \t\r\nContent-Type: text/x\r\n"
	           "If-None-Match: \"e\"\r\nIdempotency-Key: k1\r\nContent-Length: 0012\r\nExpect: 100-Continue\r\n\r\n",
	           &a, &h);
	assert_int_equal(h.method, HTTP_PATCH);
	assert_text(h.method_name, "PATCH");
	assert_text(h.target, "/a%20b/c");
	assert_text(h.path, "/a b/c");
	assert_text(h.query, "x=1&y=%20");
	assert_text(h.authorization, "Bearer z");
	assert_text(h.content_type, "text/x");
	assert_text(h.if_none_match, "\"e\"");
	assert_text(h.idempotency_key, "k1");
	assert_int_equal(h.idempotency_keys, 1);
	assert_int_equal(h.content_length, 12);
	assert_true(h.expect_continue && h.keep_alive && !h.chunked && h.minor == 1);
	arena_free(&a);
}

static void test_targets(void **state)
{
	struct arena a = {0};
	struct http_head h;
	(void)state;
	parse_good("GET http://x:80/a?b HTTP/1.1\r\n" H "\r\n", &a, &h);
	assert_text(h.path, "/a");
	assert_text(h.query, "b");
	parse_good("GET HTTP://x HTTP/1.1\r\n" H "\r\n", &a, &h);
	assert_text(h.path, "/");
	parse_good("GET http://x?q HTTP/1.1\r\n" H "\r\n", &a, &h);
	assert_text(h.path, "/");
	assert_text(h.query, "q");
	parse_good("GET /? HTTP/1.1\r\n" H "\r\n", &a, &h);
	assert_text(h.path, "/");
	assert_int_equal(h.query.n, 0);
	parse_good("GET /a%2Fb HTTP/1.1\r\n" H "\r\n", &a, &h);
	assert_true(h.hidden_slash);
	parse_good("GET /a%20b/c HTTP/1.1\r\n" H "\r\n", &a, &h);
	assert_false(h.hidden_slash);
	parse_good("OPTIONS * HTTP/1.1\r\n" H "\r\n", &a, &h);
	assert_true(h.asterisk);
	arena_free(&a);
}

static void test_keep_alive(void **state)
{
	static const struct {
		const char *head;
		bool keep;
	} cases[] = {
	    {R1 H "\r\n", true},
	    {R1 H "Connection: close\r\n\r\n", false},
	    {R1 H "Connection: foo , Close\r\n\r\n", false},
	    {R1 H "Connection: keep-alive\r\nConnection: close\r\n\r\n", false},
	    {R1 H "Connection: closed\r\n\r\n", true},
	    {"GET / HTTP/1.0\r\n\r\n", false},
	    {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena a = {0};
		struct http_head h;
		parse_good(cases[i].head, &a, &h);
		if (h.keep_alive != cases[i].keep)
			fail_msg("%s", cases[i].head);
		arena_free(&a);
	}
}

/* A head of exactly `size` bytes. */
static struct text head_of(size_t size)
{
	static const char before[] = R1 H "a: ", after[] = "\r\n\r\n";
	char *p = malloc(size);
	memset(p, 'v', size);
	memcpy(p, before, sizeof(before) - 1);
	memcpy(p + size - 4, after, 4);
	return (struct text){p, size};
}

static void test_size_limits(void **state)
{
	struct arena a = {0};
	struct http_head h;
	(void)state;
	struct text exact = head_of(JARI_HEADERS_MAX), over = head_of(JARI_HEADERS_MAX + 1);
	assert_int_equal(read_head(exact, &a, &h), 0);
	assert_int_equal(read_head(over, &a, &h), 431);
	assert_int_equal(read_head((struct text){over.p, JARI_HEADERS_MAX - 1}, &a, &h), -1);
	assert_int_equal(read_head((struct text){over.p, JARI_HEADERS_MAX}, &a, &h), 431);
	free((void *)(uintptr_t)exact.p);
	free((void *)(uintptr_t)over.p);
	arena_free(&a);
}

static int head_with(int headers)
{
	struct arena a = {0};
	struct http_head h;
	struct buf b = {0};
	buf_str(&b, R1 H);
	for (int i = 1; i < headers; i++)
		buf_printf(&b, "a%d: 1\r\n", i);
	buf_str(&b, "\r\n");
	int status = read_head(buf_view(&b), &a, &h);
	buf_free(&b);
	arena_free(&a);
	return status;
}

/* Headers are limited by their size together, not by their number. */
static void test_many_headers(void **state)
{
	(void)state;
	assert_int_equal(head_with(1000), 0);
	assert_int_equal(head_with(JARI_HEADERS_MAX / 8), 431);
}

/* However the bytes are cut, the end is found at the same place. */
static void test_scan_in_pieces(void **state)
{
	static const char in[] = "\r\n" R1 H "a: b\r\n\r\nGET /next";
	size_t whole = sizeof("\r\n" R1 H "a: b\r\n\r\n") - 1;
	(void)state;
	for (size_t cut = 0; cut < whole; cut++) {
		struct http_scanner s = {0};
		struct http_refusal why;
		size_t length = 0;
		assert_int_equal(http_head_scan(&s, in, cut, &length, &why), HTTP_SCAN_MORE);
		assert_int_equal(http_head_scan(&s, in, sizeof(in) - 1, &length, &why), HTTP_SCAN_WHOLE);
		assert_int_equal(s.start, 2);
		assert_int_equal(length, whole - 2);
	}
	struct http_scanner s = {0};
	for (size_t n = 0; n <= whole; n++) {
		struct http_refusal why;
		size_t length;
		assert_int_equal(http_head_scan(&s, in, n, &length, &why), n == whole ? HTTP_SCAN_WHOLE : HTTP_SCAN_MORE);
	}
}

/* ---- chunked bodies ---- */

/* Feeds in[0..n) in pieces of `step`. The decoded body in out; the status of a refusal, 0 when whole, -1 when more is wanted. */
static int unchunk(struct text in, size_t first, size_t step, struct buf *out, size_t *taken)
{
	struct http_chunks c = {0};
	size_t at = 0, end = first ? first : step;
	*taken = 0;
	for (;;) {
		end = end < in.n ? end : in.n;
		while (at < end) {
			struct http_refusal why;
			struct text data;
			size_t used = 0;
			enum http_chunk got = http_chunks_next(&c, in.p + at, end - at, &used, &data, &why);
			if (got == HTTP_CHUNK_REFUSED)
				return core_code_status(why.code);
			at += used;
			if (got == HTTP_CHUNK_DATA)
				buf_text(out, data);
			*taken = at;
			if (got == HTTP_CHUNK_END)
				return 0;
		}
		if (end == in.n)
			return -1;
		end += step;
	}
}

static void test_chunks_cut_anywhere(void **state)
{
	static const char in[] =
	    "5\r\nhello\r\n00001;ext=\"a b\"\r\n \r\nB\r\nworld, 12345\r\n0\r\nTrailer: x\r\nOther: y\r\n\r\nGET";
	static const char good[] =
	    "5\r\nhello\r\n00001;ext=\"a b\"\r\n \r\nC\r\nworld, 12345\r\n0\r\nTrailer: x\r\nOther: y\r\n\r\nGET";
	struct text t = {good, sizeof(good) - 1};
	(void)state;
	for (size_t first = 1; first < t.n; first++) {
		struct buf out = {0};
		size_t taken;
		assert_int_equal(unchunk(t, first, t.n, &out, &taken), 0);
		assert_text(buf_view(&out), "hello world, 12345");
		assert_int_equal(taken, t.n - 3);
		buf_free(&out);
	}
	for (size_t step = 1; step < 7; step++) {
		struct buf out = {0};
		size_t taken;
		assert_int_equal(unchunk(t, 0, step, &out, &taken), 0);
		assert_text(buf_view(&out), "hello world, 12345");
		buf_free(&out);
		assert_int_equal(unchunk((struct text){in, sizeof(in) - 1}, 0, step, &out, &taken), 400);
		buf_free(&out);
	}
}

static void test_bad_chunks(void **state)
{
	static const struct head_case cases[] = {
	    CASE("empty body", "0\r\n\r\n", 0),
	    CASE("upper and lower case", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", 0),
	    CASE("no size", "\r\n", 400),
	    CASE("no digit", "x\r\n", 400),
	    CASE("0x", "0x5\r\nhello\r\n", 400),
	    CASE("sign", "+5\r\nhello\r\n", 400),
	    CASE("space before", " 5\r\nhello\r\n", 400),
	    CASE("space behind", "5 \r\nhello\r\n", 400),
	    CASE("bare LF behind the size", "5\nhello\r\n", 400),
	    CASE("CR without LF behind the size", "5\rhello\r\n", 400),
	    CASE("bare LF behind the bytes", "5\r\nhello\n0\r\n\r\n", 400),
	    CASE("too many bytes", "5\r\nhello!\r\n", 400),
	    CASE("too few bytes", "5\r\nhell\r\n0\r\n\r\n", 400),
	    CASE("too large", "8000000000000000\r\n", 400),
	    CASE("far too large", "10000000000000005\r\n", 400),
	    CASE("too many digits", "00000000000000005\r\n", 400),
	    CASE("control in an extension", "5;\x01\r\n", 400),
	    CASE("bare LF in an extension", "5;a\nhello", 400),
	    CASE("bare LF in a trailer", "0\r\na: b\n\r\n", 400),
	    CASE("trailer without a colon", "0\r\na\r\n\r\n", 400),
	    CASE("space before a trailer's colon", "0\r\na : b\r\n\r\n", 400),
	    CASE("trailer that begins with a colon", "0\r\n: b\r\n\r\n", 400),
	    CASE("trailer that begins with a space", "0\r\n a: b\r\n\r\n", 400),
	    CASE("bare LF as the end", "0\r\n\n", 400),
	    CASE("not yet the end", "0\r\n\r", -1),
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t step = 1; step < 40; step += 13) {
			struct buf out = {0};
			size_t taken;
			int status = unchunk(cases[i].in, 0, step, &out, &taken);
			if (status != cases[i].status)
				fail_msg("%s: wanted %d, got %d", cases[i].what, cases[i].status, status);
			buf_free(&out);
		}
	}
}

static int chunks_with(const char *before, size_t filler, const char *after)
{
	struct buf in = {0}, out = {0};
	size_t taken;
	buf_str(&in, before);
	for (size_t i = 0; i < filler; i++)
		buf_char(&in, 'x');
	buf_str(&in, after);
	int status = unchunk(buf_view(&in), 0, 1000, &out, &taken);
	buf_free(&in);
	buf_free(&out);
	return status;
}

static void test_chunk_limits(void **state)
{
	(void)state;
	assert_int_equal(chunks_with("0;", HTTP_CHUNK_EXTENSIONS_MAX, "\r\n\r\n"), 0);
	assert_int_equal(chunks_with("0;", HTTP_CHUNK_EXTENSIONS_MAX + 1, "\r\n\r\n"), 400);
	/* "a:x…x" CR and the last CR count */
	assert_int_equal(chunks_with("0\r\na:", HTTP_TRAILERS_MAX - 4, "\r\n\r\n"), 0);
	assert_int_equal(chunks_with("0\r\na:", HTTP_TRAILERS_MAX - 3, "\r\n\r\n"), 431);
}

/* ---- queries ---- */

static void test_queries(void **state)
{
	struct http_param params[JARI_QUERY_PARAMS_MAX];
	struct arena a = {0};
	size_t n;
	const char *detail = NULL;
	(void)state;
	assert_true(http_query_parse(TEXT("a=1&b=x+y%2Bz&&c&d=&e=f=g"), &a, params, &n, &detail));
	assert_int_equal(n, 5);
	assert_text(params[0].name, "a");
	assert_text(params[0].value, "1");
	assert_text(params[1].value, "x y+z");
	assert_text(params[2].name, "c");
	assert_int_equal(params[2].value.n, 0);
	assert_int_equal(params[3].value.n, 0);
	assert_text(params[4].value, "f=g");
	assert_true(http_query_parse(TEXT(""), &a, params, &n, &detail));
	assert_int_equal(n, 0);
	static const struct text bad[] = {
	    {"a=1&a=2", 7}, {"a=1&%61=2", 9}, {"a=%", 3}, {"a=%4", 4}, {"a=%zz", 5}, {"%00=1", 5}, {"a=%ff", 5},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (http_query_parse(bad[i], &a, params, &n, &detail))
			fail_msg("%s was taken", bad[i].p);
		assert_sentence(detail);
	}
	arena_free(&a);
}

static void test_query_count(void **state)
{
	struct http_param params[JARI_QUERY_PARAMS_MAX];
	struct arena a = {0};
	struct buf b = {0};
	size_t n;
	const char *detail;
	(void)state;
	for (int i = 0; i < JARI_QUERY_PARAMS_MAX; i++)
		buf_printf(&b, "p%d=1&", i);
	assert_true(http_query_parse(buf_view(&b), &a, params, &n, &detail));
	buf_str(&b, "one=more");
	assert_false(http_query_parse(buf_view(&b), &a, params, &n, &detail));
	assert_sentence(detail);
	buf_free(&b);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_heads),          cmocka_unit_test(test_what_a_head_says),
	    cmocka_unit_test(test_targets),        cmocka_unit_test(test_keep_alive),
	    cmocka_unit_test(test_size_limits),    cmocka_unit_test(test_many_headers),
	    cmocka_unit_test(test_scan_in_pieces), cmocka_unit_test(test_chunks_cut_anywhere),
	    cmocka_unit_test(test_bad_chunks),     cmocka_unit_test(test_chunk_limits),
	    cmocka_unit_test(test_queries),        cmocka_unit_test(test_query_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
