#include "http/json.h"
#include <string.h>

static void value_begins(struct json_out *o)
{
	if (o->comma)
		buf_char(o->b, ',');
	o->comma = true;
}

void jo_begin(struct json_out *o, struct buf *b)
{
	o->b = b;
	o->comma = false;
}

void jo_object(struct json_out *o)
{
	value_begins(o);
	buf_char(o->b, '{');
	o->comma = false;
}

void jo_end_object(struct json_out *o)
{
	buf_char(o->b, '}');
	o->comma = true;
}

void jo_array(struct json_out *o)
{
	value_begins(o);
	buf_char(o->b, '[');
	o->comma = false;
}

void jo_end_array(struct json_out *o)
{
	buf_char(o->b, ']');
	o->comma = true;
}

void jo_key(struct json_out *o, const char *key)
{
	size_t n = strlen(key);
	buf_reserve(o->b, n + 4);
	char *p = o->b->p + o->b->n;
	if (o->comma)
		*p++ = ',';
	*p++ = '"';
	memcpy(p, key, n);
	p += n;
	*p++ = '"';
	*p++ = ':';
	o->b->n = (size_t)(p - o->b->p);
	o->comma = false;
}

/* The letter of a two-character escape, or 0. */
static char short_escape(char c)
{
	switch (c) {
	case '"':
	case '\\':
		return c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

static void escape(struct buf *b, char c)
{
	char letter = short_escape(c);
	if (letter) {
		char two[2] = {'\\', letter};
		buf_add(b, two, 2);
		return;
	}
	char hex[3];
	uint8_t byte = (uint8_t)c;
	text_hex(&byte, 1, hex);
	buf_add(b, "\\u00", 4);
	buf_add(b, hex, 2);
}

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* The high bit of a byte that is 0; of those above it as well, perhaps. */
static uint64_t zeros(uint64_t w)
{
	return (w - EACH_BYTE(1)) & ~w & EACH_BYTE(0x80);
}

static bool must_escape(char c)
{
	return (uint8_t)c < 0x20 || c == '"' || c == '\\';
}

/* How many bytes, from `at` on, need no escape. Eight at a time. */
static size_t plain(struct text t, size_t at)
{
	size_t i = at;
	for (; t.n - i >= 8; i += 8) {
		uint64_t w;
		memcpy(&w, t.p + i, 8);
		uint64_t below_space = (w - EACH_BYTE(0x20)) & ~w & EACH_BYTE(0x80);
		if (below_space | zeros(w ^ EACH_BYTE('"')) | zeros(w ^ EACH_BYTE('\\')))
			break;
	}
	while (i < t.n && !must_escape(t.p[i]))
		i++;
	return i - at;
}

void jo_text(struct json_out *o, struct text t)
{
	value_begins(o);
	buf_reserve(o->b, t.n + 2);
	buf_char(o->b, '"');
	for (size_t i = 0; i < t.n;) {
		size_t n = plain(t, i);
		buf_add(o->b, t.p + i, n);
		i += n;
		if (i < t.n)
			escape(o->b, t.p[i++]);
	}
	buf_char(o->b, '"');
}

void jo_str(struct json_out *o, const char *terminated)
{
	jo_text(o, text_of(terminated));
}

void jo_int(struct json_out *o, int64_t v)
{
	value_begins(o);
	buf_int(o->b, v);
}

void jo_bool(struct json_out *o, bool v)
{
	value_begins(o);
	buf_str(o->b, v ? "true" : "false");
}

void jo_null(struct json_out *o)
{
	value_begins(o);
	buf_add(o->b, "null", 4);
}

void jo_instant(struct json_out *o, int64_t ms)
{
	char text[TEXT_INSTANT_SIZE];
	if (!ms) {
		jo_null(o);
		return;
	}
	size_t n = text_instant_format(ms, text);
	jo_text(o, (struct text){text, n});
}

void jo_date(struct json_out *o, int32_t date)
{
	char text[TEXT_DATE_SIZE];
	text_date_format(date, text);
	jo_str(o, text);
}

void jo_kv_text(struct json_out *o, const char *key, struct text t)
{
	jo_key(o, key);
	jo_text(o, t);
}

void jo_kv_str(struct json_out *o, const char *key, const char *terminated)
{
	jo_key(o, key);
	if (terminated)
		jo_str(o, terminated);
	else
		jo_null(o);
}

void jo_kv_int(struct json_out *o, const char *key, int64_t v)
{
	jo_key(o, key);
	jo_int(o, v);
}

void jo_kv_bool(struct json_out *o, const char *key, bool v)
{
	jo_key(o, key);
	jo_bool(o, v);
}

void jo_kv_instant(struct json_out *o, const char *key, int64_t ms)
{
	jo_key(o, key);
	jo_instant(o, ms);
}
