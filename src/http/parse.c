#include "http/parse.h"
#include "base/limits.h"
#include <string.h>

/* What a byte may stand in. */
enum { TCHAR = 1, VALUE = 2, HOST = 4, HEX = 8 };

static const uint8_t kinds[256] = {
    ['\t'] = VALUE,
    [' '] = VALUE,
    ['!'] = TCHAR | VALUE | HOST,
    ['"'] = VALUE,
    ['#'] = TCHAR | VALUE,
    ['$'] = TCHAR | VALUE | HOST,
    ['%'] = TCHAR | VALUE | HOST,
    ['&'] = TCHAR | VALUE | HOST,
    ['\''] = TCHAR | VALUE | HOST,
    ['('] = VALUE | HOST,
    [')'] = VALUE | HOST,
    ['*'] = TCHAR | VALUE | HOST,
    ['+'] = TCHAR | VALUE | HOST,
    [','] = VALUE,
    ['-'] = TCHAR | VALUE | HOST,
    ['.'] = TCHAR | VALUE | HOST,
    ['/'] = VALUE,
    ['0' ... '9'] = TCHAR | VALUE | HOST | HEX,
    [':'] = VALUE | HOST,
    [';'] = VALUE | HOST,
    ['<'] = VALUE,
    ['='] = VALUE | HOST,
    ['>'] = VALUE,
    ['?'] = VALUE,
    ['@'] = VALUE,
    ['A' ... 'F'] = TCHAR | VALUE | HOST | HEX,
    ['G' ... 'Z'] = TCHAR | VALUE | HOST,
    ['['] = VALUE | HOST,
    ['\\'] = VALUE,
    [']'] = VALUE | HOST,
    ['^'] = TCHAR | VALUE,
    ['_'] = TCHAR | VALUE | HOST,
    ['`'] = TCHAR | VALUE,
    ['a' ... 'f'] = TCHAR | VALUE | HOST | HEX,
    ['g' ... 'z'] = TCHAR | VALUE | HOST,
    ['{'] = VALUE,
    ['|'] = TCHAR | VALUE,
    ['}'] = VALUE,
    ['~'] = TCHAR | VALUE | HOST,
    [0x80 ... 0xff] = VALUE,
};

static bool is(char c, uint8_t kind)
{
	return kinds[(uint8_t)c] & kind;
}

static bool all(struct text t, uint8_t kind)
{
	for (size_t i = 0; i < t.n; i++)
		if (!is(t.p[i], kind))
			return false;
	return true;
}

static bool refuse(struct http_refusal *why, const char *detail)
{
	why->code = CORE_INVALID_REQUEST;
	why->detail = detail;
	return false;
}

/* ---- the end of the head ---- */

static enum http_scan scan_refuse(struct http_refusal *why, enum core_code code, const char *detail)
{
	why->code = code;
	why->detail = detail;
	return HTTP_SCAN_REFUSED;
}

static enum http_scan scan_too_large(struct http_refusal *why)
{
	return scan_refuse(why, CORE_HEADERS_TOO_LARGE, "The request line and the headers together must be at most 32768 bytes.");
}
_Static_assert(JARI_HEADERS_MAX == 32768, "the sentence above names the limit");

/* What can't begin a request (a TLS hello, say) is told at once and not when the time is up. */
static bool begins_well(const struct http_scanner *s, const char *p, size_t n)
{
	return n <= s->start || is(p[s->start], TCHAR) || p[s->start] == '\r';
}

enum http_scan http_head_scan(struct http_scanner *s, const char *p, size_t n, size_t *length, struct http_refusal *why)
{
	const char *lf;
	while (s->seen < n && begins_well(s, p, n) && (lf = memchr(p + s->seen, '\n', n - s->seen))) {
		size_t at = (size_t)(lf - p);
		/* Before anything else that may be wrong: in another cut, the line feed would not have come yet. */
		if (at + 1 - s->start > JARI_HEADERS_MAX)
			return scan_too_large(why);
		if (at == s->line || p[at - 1] != '\r')
			return scan_refuse(why, CORE_INVALID_REQUEST,
			                   "A line of the request ends with a bare line feed. Lines end with CR LF.");
		bool empty = at - s->line == 1;
		s->seen = at + 1;
		if (empty && s->line == s->start) {
			if (++s->blanks > HTTP_BLANK_LINES_MAX)
				return scan_refuse(why, CORE_INVALID_REQUEST,
				                   "There are too many empty lines before the request line.");
			s->line = s->start = at + 1;
			continue;
		}
		s->line = at + 1;
		if (empty) {
			*length = s->line - s->start;
			return HTTP_SCAN_WHOLE;
		}
	}
	s->seen = n;
	if (!begins_well(s, p, n))
		return scan_refuse(why, CORE_INVALID_REQUEST, "This is not an HTTP request. The server speaks plain HTTP/1.1.");
	if (n - s->start >= JARI_HEADERS_MAX)
		return scan_too_large(why);
	return HTTP_SCAN_MORE;
}

/* ---- the request line ---- */

static enum http_method method_of(struct text name)
{
	static const struct {
		struct text name;
		enum http_method method;
	} methods[] = {
	    {{"GET", 3}, HTTP_GET},       {{"HEAD", 4}, HTTP_HEAD}, {{"POST", 4}, HTTP_POST},       {{"PATCH", 5}, HTTP_PATCH},
	    {{"DELETE", 6}, HTTP_DELETE}, {{"PUT", 3}, HTTP_PUT},   {{"OPTIONS", 7}, HTTP_OPTIONS},
	};
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (text_equal(methods[i].name, name))
			return methods[i].method;
	return HTTP_OTHER;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return (c | 0x20) - 'a' + 10;
}

/* Decodes one escape at p[0] == '%'. -1: it is none, or stands for NUL. */
static int escape_at(const char *p, size_t n)
{
	if (n < 3 || !is(p[1], HEX) || !is(p[2], HEX))
		return -1;
	int c = hex_value(p[1]) * 16 + hex_value(p[2]);
	return c == 0 ? -1 : c;
}

static bool decode(struct text in, bool plus, struct arena *arena, struct text *out)
{
	if (!in.n || (!memchr(in.p, '%', in.n) && !(plus && memchr(in.p, '+', in.n)))) {
		*out = in;
		return true;
	}
	char *to = arena_alloc(arena, in.n);
	size_t n = 0;
	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];
		if (c == '%') {
			int code = escape_at(in.p + i, in.n - i);
			if (code < 0)
				return false;
			c = (char)code;
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		to[n++] = c;
	}
	*out = (struct text){to, n};
	return true;
}

/* The path and query of an absolute-form target (http://host/path?query). */
static bool absolute_form(struct text *target)
{
	static const struct text schemes[] = {{"http://", 7}, {"https://", 8}};
	for (size_t i = 0; i < 2; i++) {
		size_t n = schemes[i].n;
		if (target->n <= n || !text_equal_nocase((struct text){target->p, n}, schemes[i]))
			continue;
		size_t at = n;
		while (at < target->n && target->p[at] != '/' && target->p[at] != '?')
			at++;
		if (at == n || !all((struct text){target->p + n, at - n}, HOST))
			return false;
		*target = (struct text){target->p + at, target->n - at};
		return true;
	}
	return false;
}

static bool parse_target(struct text target, struct arena *arena, struct http_head *h, struct http_refusal *why)
{
	for (size_t i = 0; i < target.n; i++)
		if (target.p[i] <= ' ' || target.p[i] > '~' || target.p[i] == '#')
			return refuse(why, "The request target has a character that must be percent-encoded.");
	if (target.n == 1 && target.p[0] == '*') {
		if (h->method != HTTP_OPTIONS)
			return refuse(why, "The request target \"*\" is for OPTIONS only.");
		h->asterisk = true;
		h->target = h->path = target;
		return true;
	}
	if (target.p[0] != '/' && !absolute_form(&target))
		return refuse(why, "The request target must begin with \"/\".");
	const char *mark = target.n ? memchr(target.p, '?', target.n) : NULL;
	size_t path_n = mark ? (size_t)(mark - target.p) : target.n;
	h->target = path_n ? (struct text){target.p, path_n} : TEXT("/");
	if (mark)
		h->query = (struct text){mark + 1, target.n - path_n - 1};
	if (!decode(h->target, false, arena, &h->path))
		return refuse(why, "The path has a percent escape that is not valid.");
	/* An escaped slash is no separator, so such a path must not be cut at it. */
	if (h->path.n != h->target.n) {
		size_t sent = 0, got = 0;
		for (size_t i = 0; i < h->target.n; i++)
			sent += h->target.p[i] == '/';
		for (size_t i = 0; i < h->path.n; i++)
			got += h->path.p[i] == '/';
		h->hidden_slash = sent != got;
	}
	return true;
}

static bool parse_request_line(struct text line, struct arena *arena, struct http_head *h, struct http_refusal *why)
{
	static const char shape[] = "The request line must be METHOD, one space, target, one space, HTTP/1.1.";
	const char *end = line.p + line.n;
	const char *a = memchr(line.p, ' ', line.n);
	const char *b = a ? memchr(a + 1, ' ', (size_t)(end - a - 1)) : NULL;
	if (!b || a == line.p || b == a + 1)
		return refuse(why, shape);
	h->method_name = (struct text){line.p, (size_t)(a - line.p)};
	if (!all(h->method_name, TCHAR))
		return refuse(why, shape);
	h->method = method_of(h->method_name);
	struct text version = {b + 1, (size_t)(end - b - 1)};
	if (text_equal(version, TEXT("HTTP/1.1")))
		h->minor = 1;
	else if (text_equal(version, TEXT("HTTP/1.0")))
		h->minor = 0;
	else
		return refuse(why, "The version must be HTTP/1.1 or HTTP/1.0.");
	return parse_target((struct text){a + 1, (size_t)(b - a - 1)}, arena, h, why);
}

/* ---- headers ---- */

/* What the fields together say, while they are read. */
struct fields {
	struct http_head *head;
	struct http_refusal *why;
	int hosts, lengths, codings;
	bool coding_bad, coding_unknown; /* of the codings so far, all but a last "chunked" */
	bool close, keep_alive;
};

/* Cuts the first element off a list (RFC 9110 5.6.1). False: there is none any more. */
static bool next_element(struct text *list, struct text *out)
{
	if (!list->p)
		return false;
	const char *comma = list->n ? memchr(list->p, ',', list->n) : NULL;
	size_t n = comma ? (size_t)(comma - list->p) : list->n;
	*out = text_trim((struct text){list->p, n});
	*list = comma ? (struct text){comma + 1, list->n - n - 1} : (struct text){NULL, 0};
	return true;
}

static void read_connection(struct fields *f, struct text value)
{
	struct text option;
	while (next_element(&value, &option)) {
		f->close |= text_equal_nocase(option, TEXT("close"));
		f->keep_alive |= text_equal_nocase(option, TEXT("keep-alive"));
	}
}

/* A field that may be given once. */
static bool once(struct fields *f, struct text value, struct text *out, bool *has, const char *detail)
{
	if (*has)
		return refuse(f->why, detail);
	*has = true;
	*out = value;
	return true;
}

static bool read_length(struct fields *f, struct text value)
{
	int64_t n;
	if (f->lengths++)
		return refuse(f->why, "There are two Content-Length headers. Send one.");
	/* RFC 9110 8.6 allows leading zeros; nobody who means well sends them, but they have one meaning only. */
	while (value.n > 1 && value.p[0] == '0')
		value.p++, value.n--;
	if (!text_to_int(value, 0, INT64_MAX, &n))
		return refuse(f->why, "Content-Length must be a decimal number.");
	f->head->content_length = n;
	return true;
}

/* All Transfer-Encoding fields are one list. What it comes to is seen when they are all there (conclude). */
static void read_codings(struct fields *f, struct text value)
{
	struct text coding;
	while (next_element(&value, &coding)) {
		f->codings++;
		/* something comes behind "chunked" */
		f->coding_bad |= f->head->chunked || !coding.n || !all(coding, TCHAR);
		f->head->chunked = text_equal_nocase(coding, TEXT("chunked"));
		f->coding_unknown |= !f->head->chunked;
	}
}

static bool conclude_codings(struct fields *f)
{
	if (f->coding_bad || !f->head->chunked)
		return refuse(f->why, "Transfer-Encoding must end with \"chunked\", once.");
	if (!f->coding_unknown)
		return true;
	f->why->code = CORE_NOT_IMPLEMENTED;
	f->why->detail = "The only transfer coding that the server knows is \"chunked\".";
	return false;
}

/* uri-host [ ":" port ] of RFC 3986: what is not a bracketed literal has no brackets, and one colon at most. */
static bool is_host(struct text value)
{
	const char *end = value.p + value.n, *p = value.p;
	if (value.n && *p == '[') {
		p = memchr(p, ']', value.n);
		if (!p || memchr(value.p + 1, '[', (size_t)(p - value.p - 1)))
			return false;
		p++;
	} else {
		while (p < end && *p != ':' && *p != '[' && *p != ']')
			p++;
	}
	if (p < end && *p++ != ':')
		return false;
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p == end && all(value, HOST);
}

static bool read_host(struct fields *f, struct text value)
{
	if (f->hosts++)
		return refuse(f->why, "There are two Host headers. Send one.");
	if (!is_host(value))
		return refuse(f->why, "The Host header is not valid.");
	return true;
}

static bool read_13(struct fields *f, struct text name, struct text value)
{
	struct http_head *h = f->head;
	if (text_equal_nocase(name, TEXT("authorization")))
		return once(f, value, &h->authorization, &h->has_authorization, "There are two Authorization headers. Send one.");
	if (text_equal_nocase(name, TEXT("if-none-match"))) {
		/* A second one would have to be joined to the first; a condition may be passed over instead. */
		h->if_none_match = h->has_if_none_match ? (struct text){NULL, 0} : value;
		h->has_if_none_match = true;
	}
	return true;
}

/* The fields that mean something here; of the others only the form is checked. */
static bool read_field(struct fields *f, struct text name, struct text value)
{
	struct http_head *h = f->head;
	switch (name.n) {
	case 4:
		return !text_equal_nocase(name, TEXT("host")) || read_host(f, value);
	case 6:
		if (text_equal_nocase(name, TEXT("expect")))
			h->expect_continue |= text_equal_nocase(value, TEXT("100-continue"));
		return true;
	case 9:
		if (text_equal_nocase(name, TEXT("forwarded")))
			http_forwarding_add(&h->forwarded, value);
		return true;
	case 10:
		if (text_equal_nocase(name, TEXT("connection")))
			read_connection(f, value);
		return true;
	case 12:
		if (!text_equal_nocase(name, TEXT("content-type")))
			return true;
		return once(f, value, &h->content_type, &h->has_content_type, "There are two Content-Type headers. Send one.");
	case 13:
		return read_13(f, name, value);
	case 14:
		return !text_equal_nocase(name, TEXT("content-length")) || read_length(f, value);
	case 15:
		if (text_equal_nocase(name, TEXT("x-forwarded-for")))
			http_forwarding_add(&h->x_forwarded_for, value);
		if (!h->accept_encoding.n && text_equal_nocase(name, TEXT("accept-encoding")))
			h->accept_encoding = value;
		if (text_equal_nocase(name, TEXT("idempotency-key"))) {
			h->idempotency_keys++;
			h->has_idempotency_key = true;
			h->idempotency_key = value;
		}
		return true;
	case 17:
		if (text_equal_nocase(name, TEXT("transfer-encoding")))
			read_codings(f, value);
		return true;
	default:
		return true;
	}
}

static bool parse_field(struct fields *f, struct text line)
{
	if (line.p[0] == ' ' || line.p[0] == '\t')
		return refuse(f->why, "A header goes on in a second line. That form is obsolete; write the header in one line.");
	const char *colon = memchr(line.p, ':', line.n);
	struct text name = {line.p, colon ? (size_t)(colon - line.p) : 0};
	if (!name.n || !all(name, TCHAR))
		return refuse(f->why, "A header must be a name, a colon directly behind it, and a value.");
	struct text value = {colon + 1, line.n - name.n - 1};
	if (!all(value, VALUE))
		return refuse(f->why, "A header has a control character.");
	return read_field(f, name, text_trim(value));
}

/* What the fields say together. */
static bool conclude(struct fields *f)
{
	struct http_head *h = f->head;
	if (h->minor == 1 && !f->hosts)
		return refuse(f->why, "The Host header is missing.");
	if (f->codings && h->minor == 0)
		return refuse(f->why, "HTTP/1.0 has no Transfer-Encoding. Send a Content-Length.");
	if (f->codings && f->lengths)
		return refuse(f->why, "There are both Content-Length and Transfer-Encoding. Send one of them.");
	if (f->codings && !conclude_codings(f))
		return false;
	h->keep_alive = !f->close && (h->minor == 1 || f->keep_alive);
	if (h->minor == 0)
		h->expect_continue = false;
	return true;
}

static struct text next_line(const char **p)
{
	/* The scan has seen to it that there is a line feed with a CR before it. */
	const char *lf = rawmemchr(*p, '\n');
	struct text line = {*p, (size_t)(lf - *p) - 1};
	*p = lf + 1;
	return line;
}

bool http_head_parse(const char *p, size_t n, struct arena *arena, struct http_head *head, struct http_refusal *why)
{
	const char *end = p + n - 2; /* the empty line */
	*head = (struct http_head){.content_length = -1};
	struct fields f = {.head = head, .why = why};
	if (!parse_request_line(next_line(&p), arena, head, why))
		return false;
	while (p < end) {
		if (!parse_field(&f, next_line(&p)))
			return false;
	}
	return conclude(&f);
}

/* ---- chunked bodies ---- */

static enum http_chunk chunk_refuse(struct http_refusal *why, enum core_code code, const char *detail)
{
	*why = (struct http_refusal){code, detail};
	return HTTP_CHUNK_REFUSED;
}

/* One byte of the frame. False: it has no place there. */
static bool chunk_size_byte(struct http_chunks *c, char byte)
{
	if (is(byte, HEX)) {
		/* 16 digits with a first one of 8 or more would pass 63 bits */
		if (++c->digits > HTTP_CHUNK_DIGITS_MAX || c->left >> 59)
			return false;
		c->left = c->left * 16 + (uint64_t)hex_value(byte);
		return true;
	}
	if (!c->digits || (byte != '\r' && byte != ';'))
		return false;
	c->state = byte == '\r' ? HTTP_CHUNK_SIZE_LF : HTTP_CHUNK_EXTENSION;
	return true;
}

static bool chunk_lf(struct http_chunks *c, char byte, enum http_chunk_state next)
{
	c->state = next;
	return byte == '\n';
}

static bool chunk_trailer_byte(struct http_chunks *c, char byte)
{
	c->trailers++;
	if (c->state == HTTP_CHUNK_TRAILER) {
		c->state = byte == '\r' ? HTTP_CHUNK_LAST_LF : HTTP_CHUNK_TRAILER_NAME;
		return byte == '\r' || is(byte, TCHAR);
	}
	if (c->state == HTTP_CHUNK_TRAILER_NAME) {
		if (byte == ':')
			c->state = HTTP_CHUNK_TRAILER_LINE;
		return byte == ':' || is(byte, TCHAR);
	}
	if (byte == '\r') {
		c->state = HTTP_CHUNK_TRAILER_LF;
		return true;
	}
	return is(byte, VALUE);
}

static bool chunk_byte(struct http_chunks *c, char byte)
{
	switch (c->state) {
	case HTTP_CHUNK_SIZE:
		return chunk_size_byte(c, byte);
	case HTTP_CHUNK_EXTENSION:
		if (byte == '\r')
			c->state = HTTP_CHUNK_SIZE_LF;
		return byte == '\r' || (is(byte, VALUE) && ++c->extensions <= HTTP_CHUNK_EXTENSIONS_MAX);
	case HTTP_CHUNK_SIZE_LF:
		c->digits = 0;
		return chunk_lf(c, byte, c->left ? HTTP_CHUNK_BYTES : HTTP_CHUNK_TRAILER);
	case HTTP_CHUNK_BYTES_CR:
		c->state = HTTP_CHUNK_BYTES_LF;
		return byte == '\r';
	case HTTP_CHUNK_BYTES_LF:
		return chunk_lf(c, byte, HTTP_CHUNK_SIZE);
	case HTTP_CHUNK_TRAILER:
	case HTTP_CHUNK_TRAILER_NAME:
	case HTTP_CHUNK_TRAILER_LINE:
		return chunk_trailer_byte(c, byte);
	case HTTP_CHUNK_TRAILER_LF:
		return chunk_lf(c, byte, HTTP_CHUNK_TRAILER);
	case HTTP_CHUNK_LAST_LF:
		return chunk_lf(c, byte, HTTP_CHUNK_OVER);
	case HTTP_CHUNK_BYTES:
	case HTTP_CHUNK_OVER:
		break;
	}
	return false;
}

enum http_chunk http_chunks_next(struct http_chunks *c, const char *p, size_t n, size_t *used, struct text *data,
                                 struct http_refusal *why)
{
	for (size_t i = 0; i < n;) {
		if (c->state == HTTP_CHUNK_BYTES) {
			size_t take = c->left < n - i ? (size_t)c->left : n - i;
			*data = (struct text){p + i, take};
			c->left -= take;
			if (!c->left)
				c->state = HTTP_CHUNK_BYTES_CR;
			*used = i + take;
			return HTTP_CHUNK_DATA;
		}
		if (!chunk_byte(c, p[i++]))
			return chunk_refuse(why, CORE_INVALID_REQUEST, "The chunked body is not framed as HTTP/1.1 says.");
		if (c->trailers > HTTP_TRAILERS_MAX)
			return chunk_refuse(why, CORE_HEADERS_TOO_LARGE, "The trailers must be at most 8192 bytes.");
		if (c->state == HTTP_CHUNK_OVER) {
			*used = i;
			return HTTP_CHUNK_END;
		}
	}
	*used = n;
	return HTTP_CHUNK_MORE;
}
_Static_assert(HTTP_TRAILERS_MAX == 8192, "the sentence above names the limit");

/* ---- the query ---- */

static bool query_pair(struct text pair, struct arena *arena, struct http_param *out, const char **detail)
{
	const char *eq = memchr(pair.p, '=', pair.n);
	size_t n = eq ? (size_t)(eq - pair.p) : pair.n;
	struct text value = eq ? (struct text){eq + 1, pair.n - n - 1} : (struct text){NULL, 0};
	if (!decode((struct text){pair.p, n}, true, arena, &out->name) || !decode(value, true, arena, &out->value)) {
		*detail = "The query has a percent escape that is not valid.";
		return false;
	}
	if (text_utf8_chars(out->name) < 0 || text_utf8_chars(out->value) < 0) {
		*detail = "The query is not UTF-8.";
		return false;
	}
	return true;
}

bool http_query_parse(struct text query, struct arena *arena, struct http_param params[JARI_QUERY_PARAMS_MAX], size_t *count,
                      const char **detail)
{
	*count = 0;
	while (query.n) {
		const char *amp = memchr(query.p, '&', query.n);
		struct text pair = {query.p, amp ? (size_t)(amp - query.p) : query.n};
		size_t step = pair.n + (amp != NULL);
		query.p += step;
		query.n -= step;
		if (!pair.n)
			continue;
		if (*count == JARI_QUERY_PARAMS_MAX) {
			*detail = "The query has more than 16 parameters.";
			return false;
		}
		if (!query_pair(pair, arena, &params[*count], detail))
			return false;
		for (size_t i = 0; i < *count; i++) {
			if (text_equal(params[i].name, params[*count].name)) {
				*detail = "The query names a parameter twice.";
				return false;
			}
		}
		++*count;
	}
	return true;
}
_Static_assert(JARI_QUERY_PARAMS_MAX == 16, "the sentence above names the limit");
