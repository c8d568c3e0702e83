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
	if (o->comma)
		buf_char(o->b, ',');
	buf_char(o->b, '"');
	buf_add(o->b, key, n);
	buf_add(o->b, "\":", 2);
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

void jo_text(struct json_out *o, struct text t)
{
	value_begins(o);
	buf_reserve(o->b, t.n + 2);
	buf_char(o->b, '"');
	size_t from = 0;
	for (size_t i = 0; i < t.n; i++) {
		if ((uint8_t)t.p[i] >= 0x20 && t.p[i] != '"' && t.p[i] != '\\')
			continue;
		buf_add(o->b, t.p + from, i - from);
		escape(o->b, t.p[i]);
		from = i + 1;
	}
	if (t.n)
		buf_add(o->b, t.p + from, t.n - from);
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
