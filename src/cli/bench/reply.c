/* reply.c: see reply.h. */
#include "cli/bench/reply.h"
#include <string.h>

#define LENGTH_MAX (INT64_C(1) << 40)

enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_DATA_END, CHUNK_TRAILER };

static struct text trimmed(struct text t)
{
	while (t.n > 0 && (t.p[0] == ' ' || t.p[0] == '\t'))
		t = (struct text){t.p + 1, t.n - 1};
	while (t.n > 0 && (t.p[t.n - 1] == ' ' || t.p[t.n - 1] == '\t'))
		t.n--;
	return t;
}

static bool take_header(struct reply *r, struct text line)
{
	const char *colon = memchr(line.p, ':', line.n);
	struct text name, value;
	int64_t number;

	if (colon == NULL)
		return false;
	name = (struct text){line.p, (size_t)(colon - line.p)};
	value = trimmed((struct text){colon + 1, line.n - name.n - 1});
	if (text_equal_nocase(name, TEXT("content-length"))) {
		if (!text_to_int(value, 0, LENGTH_MAX, &number))
			return false;
		r->length = (size_t)number;
		r->has_length = true;
	} else if (text_equal_nocase(name, TEXT("transfer-encoding"))) {
		r->chunked = text_equal_nocase(value, TEXT("chunked"));
		return r->chunked;
	} else if (text_equal_nocase(name, TEXT("connection"))) {
		r->keep = !text_equal_nocase(value, TEXT("close")) && (r->keep || text_equal_nocase(value, TEXT("keep-alive")));
	} else if (text_equal_nocase(name, TEXT("retry-after"))) {
		if (text_to_int(value, 0, 86400, &number))
			r->retry_after = number;
	}
	return true;
}

/* "HTTP/1.1 200 OK" */
static bool take_status(struct reply *r, struct text line)
{
	int64_t status;

	if (line.n < 12 || memcmp(line.p, "HTTP/1.", 7) != 0 || line.p[8] != ' ' || (line.n > 12 && line.p[12] != ' '))
		return false;
	if (!text_to_int((struct text){line.p + 9, 3}, 100, 599, &status))
		return false;
	r->status = (int)status;
	r->keep = line.p[7] == '1';
	r->retry_after = -1;
	return true;
}

static bool take_head(struct reply *r, const char *bytes)
{
	const char *at = bytes, *end = bytes + r->head_n - 2;
	bool first = true;

	while (at < end) {
		const char *eol = memchr(at, '\r', (size_t)(end - at));
		struct text line = {at, (size_t)((eol != NULL ? eol : end) - at)};

		if (first ? !take_status(r, line) : !take_header(r, line))
			return false;
		first = false;
		at += line.n + 2;
	}
	if (r->status == 204 || r->status == 304 || r->status < 200) {
		r->chunked = false;
		r->has_length = true;
		r->length = 0;
	}
	r->raw = r->put = r->head_n;
	return true;
}

/* One line of the chunked framing, CR LF taken off; false while it is not all there. */
static bool chunk_line(struct reply *r, const char *bytes, size_t n, struct text *line)
{
	const char *lf = memchr(bytes + r->raw, '\n', n - r->raw);

	if (lf == NULL)
		return false;
	*line = (struct text){bytes + r->raw, (size_t)(lf - bytes) - r->raw};
	r->raw += line->n + 1;
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

static bool chunk_size(struct text line, size_t *out)
{
	size_t value = 0, digits = 0;

	for (; digits < line.n && line.p[digits] != ';' && line.p[digits] != ' '; digits++) {
		char c = line.p[digits];
		int d = c >= '0' && c <= '9'   ? c - '0'
		        : c >= 'a' && c <= 'f' ? c - 'a' + 10
		        : c >= 'A' && c <= 'F' ? c - 'A' + 10
		                               : -1;

		if (d < 0 || digits >= 10)
			return false;
		value = value * 16 + (size_t)d;
	}
	*out = value;
	return digits > 0;
}

static void chunk_move(struct reply *r, char *bytes, size_t n)
{
	size_t take = n - r->raw < r->chunk_left ? n - r->raw : r->chunk_left;

	memmove(bytes + r->put, bytes + r->raw, take);
	r->put += take;
	r->raw += take;
	r->chunk_left -= take;
	if (r->chunk_left == 0)
		r->chunk_part = CHUNK_DATA_END;
}

static enum reply_parsed parse_chunks(struct reply *r, char *bytes, size_t n)
{
	struct text line;

	while (r->raw < n) {
		if (r->chunk_part == CHUNK_DATA) {
			chunk_move(r, bytes, n);
			continue;
		}
		if (!chunk_line(r, bytes, n, &line))
			return REPLY_MORE;
		if (r->chunk_part == CHUNK_DATA_END) {
			if (line.n != 0)
				return REPLY_BAD;
			r->chunk_part = CHUNK_SIZE;
		} else if (r->chunk_part == CHUNK_SIZE) {
			if (!chunk_size(line, &r->chunk_left))
				return REPLY_BAD;
			r->chunk_part = r->chunk_left == 0 ? CHUNK_TRAILER : CHUNK_DATA;
		} else if (line.n == 0) {
			r->body = (struct text){bytes + r->head_n, r->put - r->head_n};
			r->used = r->raw;
			return REPLY_DONE;
		}
	}
	return REPLY_MORE;
}

static enum reply_parsed parse_body(struct reply *r, char *bytes, size_t n, bool eof)
{
	if (r->chunked)
		return parse_chunks(r, bytes, n);
	if (!r->has_length) { /* the body ends with the connection */
		r->keep = false;
		if (!eof)
			return REPLY_MORE;
		r->length = n - r->head_n;
	}
	if (n - r->head_n < r->length)
		return REPLY_MORE;
	r->body = (struct text){bytes + r->head_n, r->length};
	r->used = r->head_n + r->length;
	return REPLY_DONE;
}

enum reply_parsed reply_parse(struct reply *r, char *bytes, size_t n, bool eof)
{
	enum reply_parsed parsed;

	if (!r->head_done) {
		size_t from = r->scanned > 3 ? r->scanned - 3 : 0;
		const char *end = memmem(bytes + from, n - from, "\r\n\r\n", 4);

		r->scanned = n;
		if (end == NULL)
			return eof ? REPLY_BAD : REPLY_MORE;
		r->head_n = (size_t)(end - bytes) + 4;
		r->head_done = true;
		if (!take_head(r, bytes))
			return REPLY_BAD;
	}
	parsed = parse_body(r, bytes, n, eof);
	return parsed == REPLY_MORE && eof ? REPLY_BAD : parsed;
}

bool reply_find(struct text json, struct text name, struct text *rest)
{
	const char *at = json.n == 0 ? NULL : memmem(json.p, json.n, name.p, name.n);

	if (at == NULL)
		return false;
	at += name.n;
	while (at < json.p + json.n && *at == ' ')
		at++;
	*rest = (struct text){at, (size_t)(json.p + json.n - at)};
	return true;
}

bool reply_int(struct text json, struct text name, int64_t *out)
{
	struct text rest;
	size_t n = 0;

	if (!reply_find(json, name, &rest))
		return false;
	while (n < rest.n && ((rest.p[n] >= '0' && rest.p[n] <= '9') || (n == 0 && rest.p[n] == '-')))
		n++;
	return text_to_int((struct text){rest.p, n}, INT64_MIN, INT64_MAX, out);
}

bool reply_text(struct text json, struct text name, struct text *out)
{
	struct text rest;
	size_t n = 1;

	if (!reply_find(json, name, &rest) || rest.n < 2 || rest.p[0] != '"')
		return false;
	while (n < rest.n && rest.p[n] != '"')
		n += rest.p[n] == '\\' ? 2 : 1;
	if (n >= rest.n)
		return false;
	*out = (struct text){rest.p + 1, n - 1};
	return true;
}
