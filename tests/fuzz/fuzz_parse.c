/* fuzz_parse.c: the bytes of a connection, through http_head_scan, http_head_parse and http_chunks_next.
 *
 * {pad} stands for 8190 bytes. However the bytes are cut, the same requests come of them; what is taken for a request is one by a second, simple reading (RFC 9112), has one
 * length only, and comes out the same when it is written down again and read. */
#include "fuzz.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "http/parse.h"
#include <strings.h>

#define CUTS_MAX 4
#define EACH_CUT_MAX 40 /* inputs up to this long are cut in two at every place */
#define BODY_MAX 4096

/* ---- the second reading ---- */

static bool is_token(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (!strchr("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", t.p[i]) || !t.p[i])
			return false;
	return t.n > 0;
}

static struct text trimmed(struct text t)
{
	while (t.n && strchr(" \t", t.p[t.n - 1]) && t.p[t.n - 1])
		t.n--;
	while (t.n && strchr(" \t", t.p[0]) && t.p[0])
		t.p++, t.n--;
	return t;
}

static bool names(struct text t, const char *name)
{
	return t.n == strlen(name) && strncasecmp(t.p, name, t.n) == 0;
}

/* What the fields of a head say that decide how much of the connection is the request's. */
struct seen {
	int hosts, lengths, codings, keys;
	uint64_t length;
	bool close, keep_alive, chunked;
};

static void read_options(struct text value, struct seen *s)
{
	while (value.n > 0) {
		struct text one = trimmed(fuzz_until(&value, ','));

		s->close |= names(one, "close");
		s->keep_alive |= names(one, "keep-alive");
	}
}

static void read_field(struct text line, struct seen *s)
{
	struct text value = line, name = fuzz_until(&value, ':');

	EXPECT(name.n < line.n && is_token(name), "no field name: %.*s", SHOWN(line));
	value = trimmed(value);
	for (size_t i = 0; i < value.n; i++)
		EXPECT((uint8_t)value.p[i] >= ' ' ? value.p[i] != 0x7f : value.p[i] == '\t', "a control character: %.*s",
		       SHOWN(line));
	if (names(name, "host"))
		s->hosts++;
	if (names(name, "idempotency-key"))
		s->keys++;
	if (names(name, "connection"))
		read_options(value, s);
	if (names(name, "transfer-encoding")) {
		s->codings++;
		EXPECT(names(value, "chunked"), "Transfer-Encoding: %.*s", SHOWN(value));
	}
	if (names(name, "content-length")) {
		s->lengths++;
		EXPECT(value.n > 0, "an empty Content-Length");
		for (size_t i = 0; i < value.n; i++) {
			EXPECT(value.p[i] >= '0' && value.p[i] <= '9', "Content-Length: %.*s", SHOWN(value));
			EXPECT(s->length <= (INT64_MAX - 9) / 10 || s->length * 10 + (uint64_t)(value.p[i] - '0') <= INT64_MAX,
			       "Content-Length: %.*s", SHOWN(value));
			s->length = s->length * 10 + (uint64_t)(value.p[i] - '0');
		}
	}
}

/* A path with its escapes replaced, NULL-terminated; the caller frees. */
static char *unescaped(struct text t, size_t *n)
{
	char *out = malloc(t.n + 1);

	if (out == NULL)
		abort();
	*n = 0;
	for (size_t i = 0; i < t.n; i++) {
		char two[3] = {0};

		if (t.p[i] != '%') {
			out[(*n)++] = t.p[i];
			continue;
		}
		EXPECT(i + 2 < t.n && fuzz_is_hex(t.p[i + 1]) && fuzz_is_hex(t.p[i + 2]), "a bad escape was taken: %.*s",
		       SHOWN(t));
		memcpy(two, t.p + i + 1, 2);
		out[(*n)++] = (char)strtoul(two, NULL, 16);
		EXPECT(out[*n - 1] != '\0', "an escaped NUL was taken: %.*s", SHOWN(t));
		i += 2;
	}
	out[*n] = '\0';
	return out;
}

static bool has_escaped_slash(struct text t)
{
	for (size_t i = 0; i + 2 < t.n; i++)
		if (t.p[i] == '%' && t.p[i + 1] == '2' && (t.p[i + 2] | 0x20) == 'f')
			return true;
	return false;
}

static void check_path(const struct http_head *h)
{
	size_t n;
	char *path = unescaped(h->target, &n);

	EXPECT(text_equal((struct text){path, n}, h->path), "\"%.*s\" became \"%.*s\"", SHOWN(h->target), SHOWN(h->path));
	EXPECT(h->asterisk || (h->path.n > 0 && h->path.p[0] == '/'), "a path without a slash: %.*s", SHOWN(h->path));
	EXPECT(h->hidden_slash == has_escaped_slash(h->target), "hidden_slash of %.*s", SHOWN(h->target));
	free(path);
}

/* The lines of a head that was taken. */
static void check_head(struct text head, const struct http_head *h)
{
	struct text rest = head;
	struct seen s = {0};
	bool first = true;

	for (;;) {
		struct text line = fuzz_until(&rest, '\n');

		EXPECT(line.n > 0 && line.p[line.n - 1] == '\r', "a line without CR: %.*s", SHOWN(line));
		line.n--;
		EXPECT(line.n == 0 || !memchr(line.p, '\r', line.n), "a bare CR was taken");
		EXPECT(line.n == 0 || !memchr(line.p, '\0', line.n), "a NUL was taken");
		if (line.n == 0)
			break;
		if (first) {
			struct text words = line, method = fuzz_until(&words, ' '), target = fuzz_until(&words, ' ');

			EXPECT(is_token(method) && text_equal(method, h->method_name), "the method of %.*s", SHOWN(line));
			EXPECT(target.n > 0, "no target: %.*s", SHOWN(line));
			EXPECT(text_equal(words, h->minor ? TEXT("HTTP/1.1") : TEXT("HTTP/1.0")), "the version of %.*s",
			       SHOWN(line));
		} else {
			read_field(line, &s);
		}
		first = false;
	}
	EXPECT(rest.n == 0 && !first, "the head has %zu bytes behind its end", rest.n);
	EXPECT(s.hosts == 1 || (s.hosts == 0 && h->minor == 0), "%d Host headers", s.hosts);
	EXPECT(s.lengths <= 1 && s.codings <= 1 && s.lengths + s.codings <= 1, "%d lengths, %d codings", s.lengths, s.codings);
	EXPECT(h->chunked == (s.codings == 1) && (!h->chunked || h->minor == 1), "chunked");
	EXPECT(h->content_length == (s.lengths ? (int64_t)s.length : -1), "Content-Length %" PRId64, h->content_length);
	EXPECT(h->keep_alive == (!s.close && (h->minor == 1 || s.keep_alive)), "keep_alive %d", h->keep_alive);
	EXPECT(h->idempotency_keys == s.keys && h->has_idempotency_key == (s.keys > 0), "%d keys", h->idempotency_keys);
	check_path(h);
}

/* ---- written down and read again ---- */

static void put_field(struct buf *b, const char *name, bool has, struct text value)
{
	if (!has)
		return;
	buf_str(b, name);
	buf_str(b, ":\t");
	buf_text(b, value);
	buf_str(b, " \r\n");
}

static bool same_head(const struct http_head *a, const struct http_head *b)
{
	return a->method == b->method && text_equal(a->method_name, b->method_name) && text_equal(a->target, b->target) &&
	       text_equal(a->path, b->path) && text_equal(a->query, b->query) && a->asterisk == b->asterisk &&
	       a->hidden_slash == b->hidden_slash && a->minor == b->minor && a->chunked == b->chunked &&
	       a->expect_continue == b->expect_continue && a->content_length == b->content_length &&
	       text_equal(a->authorization, b->authorization) && text_equal(a->content_type, b->content_type) &&
	       text_equal(a->if_none_match, b->if_none_match) && text_equal(a->idempotency_key, b->idempotency_key) &&
	       a->has_authorization == b->has_authorization && a->has_content_type == b->has_content_type &&
	       a->has_if_none_match == b->has_if_none_match && a->has_idempotency_key == b->has_idempotency_key &&
	       a->keep_alive == b->keep_alive;
}

static void check_written_again(const struct http_head *h)
{
	struct buf b = {0};
	struct http_scanner s = {0};
	struct http_refusal why = {0};
	struct http_head again;
	struct arena arena = {0};
	size_t length = 0;

	buf_text(&b, h->method_name);
	buf_char(&b, ' ');
	buf_text(&b, h->target);
	if (h->query.n > 0) {
		buf_char(&b, '?');
		buf_text(&b, h->query);
	}
	buf_printf(&b, " HTTP/1.%d\r\nhOST: example:80\r\n", h->minor);
	buf_str(&b, h->keep_alive ? "Connection: keep-alive\r\n" : "Connection: x, close\r\n");
	if (h->expect_continue)
		buf_str(&b, "Expect: 100-Continue\r\n");
	if (h->chunked)
		buf_str(&b, "Transfer-Encoding: Chunked\r\n");
	if (h->content_length >= 0)
		buf_printf(&b, "Content-Length: 000%" PRId64 "\r\n", h->content_length);
	put_field(&b, "Authorization", h->has_authorization, h->authorization);
	put_field(&b, "Content-Type", h->has_content_type, h->content_type);
	put_field(&b, "If-None-Match", h->has_if_none_match, h->if_none_match);
	put_field(&b, "Idempotency-Key", h->has_idempotency_key, h->idempotency_key);
	buf_str(&b, "\r\n");
	if (b.n < JARI_HEADERS_MAX) {
		EXPECT(http_head_scan(&s, b.p, b.n, &length, &why) == HTTP_SCAN_WHOLE && length == b.n, "%.*s", (int)b.n, b.p);
		EXPECT(http_head_parse(b.p, b.n, &arena, &again, &why), "%s\n%.*s", why.detail, (int)b.n, b.p);
		EXPECT(same_head(h, &again), "it is another head when written again:\n%.*s", (int)b.n, b.p);
	}
	arena_free(&arena);
	buf_free(&b);
}

/* ---- chunked bodies, read again all at once ---- */

/* Reads a whole chunked body at the front of `in`. */
static void check_chunks(struct text in, size_t used, struct text body)
{
	size_t got = 0, at = 0;

	for (;;) {
		char digits[HTTP_CHUNK_DIGITS_MAX + 1] = {0};
		const char *end = memmem(in.p + at, in.n - at, "\r\n", 2);
		size_t n = 0;

		while (n < HTTP_CHUNK_DIGITS_MAX && at + n < in.n && fuzz_is_hex(in.p[at + n])) {
			digits[n] = in.p[at + n];
			n++;
		}
		EXPECT(n > 0 && end != NULL && (in.p[at + n] == '\r' || in.p[at + n] == ';'), "no chunk size");
		size_t size = strtoul(digits, NULL, 16);
		at = (size_t)(end - in.p) + 2;
		if (size == 0)
			break;
		EXPECT(size <= in.n - at && size <= body.n - got, "a chunk of %zu bytes was taken for another", size);
		EXPECT(memcmp(in.p + at, body.p + got, size) == 0, "the bytes of a chunk are others");
		got += size;
		at += size;
		EXPECT(in.n - at >= 2 && memcmp(in.p + at, "\r\n", 2) == 0, "no line end behind a chunk");
		at += 2;
	}
	EXPECT(got == body.n, "the body has %zu bytes, not %zu", got, body.n);
	for (;;) {
		const char *end = memmem(in.p + at, in.n - at, "\r\n", 2);

		EXPECT(end != NULL, "the trailers have no end");
		size_t line = (size_t)(end - in.p) - at;
		at += line + 2;
		if (line == 0)
			break;
	}
	EXPECT(at == used, "the body ends at %zu, not at %zu", at, used);
}

/* ---- a connection ---- */

/* What has come of the bytes so far, in words: two readings are the same when these are. */
struct connection {
	struct buf in; /* all bytes so far */
	size_t at;     /* what is done with */
	struct http_scanner scan;
	struct http_head head;
	struct http_chunks chunks;
	struct arena arena;
	struct buf body, said;
	size_t body_begins;
	enum { HEAD, LENGTH, CHUNKS, OVER } part;
	bool check; /* compare with the second reading */
};

static void say_refused(struct connection *c, const struct http_refusal *why)
{
	EXPECT(why->code > CORE_OK && why->code < CORE_CODE_COUNT && why->detail && why->detail[0], "a refusal without a reason");
	buf_printf(&c->said, "refused %s\n", core_code_name(why->code));
	c->part = OVER;
}

static void say_body(struct connection *c)
{
	buf_printf(&c->said, "body %zu: ", c->body.n);
	buf_text(&c->said, buf_view(&c->body));
	buf_str(&c->said, "\n");
	if (c->check && c->part == CHUNKS)
		check_chunks((struct text){c->in.p + c->body_begins, c->in.n - c->body_begins}, c->at - c->body_begins,
		             buf_view(&c->body));
	c->part = HEAD;
	c->scan = (struct http_scanner){0};
}

static void say_text(struct connection *c, const char *name, bool has, struct text t)
{
	buf_printf(&c->said, " %s %d \"%.*s\"", name, has, SHOWN(t));
}

static void say_head(struct connection *c)
{
	const struct http_head *h = &c->head;

	buf_printf(&c->said, "head %d %d keep %d chunked %d length %" PRId64 " expect %d keys %d hidden %d", h->method, h->minor,
	           h->keep_alive, h->chunked, h->content_length, h->expect_continue, h->idempotency_keys, h->hidden_slash);
	say_text(c, "method", true, h->method_name);
	say_text(c, "target", h->asterisk, h->target);
	say_text(c, "path", true, h->path);
	say_text(c, "query", true, h->query);
	say_text(c, "authorization", h->has_authorization, h->authorization);
	say_text(c, "type", h->has_content_type, h->content_type);
	say_text(c, "match", h->has_if_none_match, h->if_none_match);
	say_text(c, "key", h->has_idempotency_key, h->idempotency_key);
	say_text(c, "encoding", true, h->accept_encoding);
	buf_str(&c->said, "\n");
}

/* True when there is a whole head. */
static bool read_head(struct connection *c)
{
	size_t n = c->in.n - c->at, length = 0;
	char *copy = fuzz_exact(c->in.p + c->at, n);
	struct http_refusal why = {0};
	enum http_scan got = http_head_scan(&c->scan, copy, n, &length, &why);

	if (got == HTTP_SCAN_WHOLE) {
		size_t start = c->scan.start;
		char *head = fuzz_exact(copy + start, length);

		EXPECT(start + length <= n && length <= JARI_HEADERS_MAX, "the head ends at %zu of %zu", start + length, n);
		c->at += start + length;
		c->body_begins = c->at;
		arena_reset(&c->arena);
		if (!http_head_parse(head, length, &c->arena, &c->head, &why)) {
			got = HTTP_SCAN_REFUSED;
		} else {
			say_head(c);
			if (c->check) {
				check_head((struct text){head, length}, &c->head);
				check_written_again(&c->head);
			}
		}
		free(head);
	}
	free(copy);
	if (got == HTTP_SCAN_REFUSED)
		say_refused(c, &why);
	return got == HTTP_SCAN_WHOLE;
}

static void begin_body(struct connection *c)
{
	c->part = c->head.chunked ? CHUNKS : LENGTH;
	c->chunks = (struct http_chunks){0};
	buf_reset(&c->body);
	if (c->head.content_length > BODY_MAX)
		say_refused(c, &(struct http_refusal){CORE_BODY_TOO_LARGE, "too large"});
}

/* True when the body is whole. */
static bool read_length(struct connection *c)
{
	size_t want = c->head.content_length > 0 ? (size_t)c->head.content_length : 0, have = c->in.n - c->at;

	if (have < want)
		return false;
	buf_add(&c->body, c->in.p + c->at, want);
	c->at += want;
	return true;
}

static bool read_chunks(struct connection *c)
{
	while (c->at < c->in.n) {
		size_t n = c->in.n - c->at, used = 0;
		char *copy = fuzz_exact(c->in.p + c->at, n);
		struct text data = {0};
		struct http_refusal why = {0};
		enum http_chunk got = http_chunks_next(&c->chunks, copy, n, &used, &data, &why);

		EXPECT(got == HTTP_CHUNK_REFUSED || (used > 0 && used <= n), "%zu of %zu bytes were taken", used, n);
		if (got == HTTP_CHUNK_DATA) {
			EXPECT(data.n > 0 && data.p >= copy && data.p + data.n == copy + used, "the data is not in the bytes");
			buf_text(&c->body, data);
		}
		free(copy);
		c->at += used;
		if (got == HTTP_CHUNK_REFUSED || c->body.n > BODY_MAX) {
			say_refused(c,
			            got == HTTP_CHUNK_REFUSED ? &why : &(struct http_refusal){CORE_BODY_TOO_LARGE, "too large"});
			return false;
		}
		if (got == HTTP_CHUNK_END)
			return true;
	}
	return false;
}

static void give(struct connection *c, const char *p, size_t n)
{
	buf_add(&c->in, p, n);
	while (c->part != OVER && c->at < c->in.n) {
		if (c->part == HEAD) {
			if (!read_head(c))
				return;
			begin_body(c);
		}
		if ((c->part == LENGTH && !read_length(c)) || (c->part == CHUNKS && !read_chunks(c)))
			return;
		if (c->part != OVER)
			say_body(c);
	}
}

static void end(struct connection *c)
{
	buf_printf(&c->said, "ends in %d\n", c->part);
	/* A head that has begun may lack bytes; how many of them a cut left unread must not matter. */
	buf_free(&c->in);
	buf_free(&c->body);
	arena_free(&c->arena);
}

/* Reads it cut at the places given, which ascend, and wants the same as `whole` said. */
static void compare(struct text in, const size_t *cuts, size_t count, const struct buf *whole)
{
	struct connection c = {0};
	size_t at = 0;

	for (size_t i = 0; i <= count; i++) {
		size_t to = i < count ? cuts[i] : in.n;

		give(&c, in.p + at, to - at);
		at = to;
	}
	end(&c);
	EXPECT(text_equal(buf_view(whole), buf_view(&c.said)), "in one piece:\n%.*s\nin %zu, the first of %zu bytes:\n%.*s",
	       (int)whole->n, whole->p, count + 1, count ? cuts[0] : in.n, (int)c.said.n, c.said.p);
	buf_free(&c.said);
}

static int ascending(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return (x > y) - (x < y);
}

static void check_bytes(struct text in, struct fuzz_dice dice)
{
	struct connection whole = {.check = true};
	size_t cuts[CUTS_MAX], count = 1 + fuzz_roll(&dice, CUTS_MAX);

	give(&whole, in.p, in.n);
	end(&whole);
	for (size_t at = 1; at < in.n && in.n <= EACH_CUT_MAX; at++)
		compare(in, &at, 1, &whole.said);
	for (size_t i = 0; i < count; i++)
		cuts[i] = fuzz_roll(&dice, in.n);
	qsort(cuts, count, sizeof(cuts[0]), ascending);
	compare(in, cuts, count, &whole.said);
	buf_free(&whole.said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fuzz_word pad = fuzz_pad();
	struct buf in = {0};

	fuzz_replace((struct text){(const char *)data, size}, &pad, 1, &in);
	if (in.n > 0)
		check_bytes(buf_view(&in), fuzz_dice_of(data, size));
	buf_free(&in);
	return 0;
}
