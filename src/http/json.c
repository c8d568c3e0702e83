#include "http/json.h"
#include "base/limits.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool fail(char error[JSON_ERROR_SIZE], const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fail(char error[JSON_ERROR_SIZE], const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(error, JSON_ERROR_SIZE, format, args);
	va_end(args);
	return false;
}

/* ---- a document ---- */

/* Behind the closing quote of the string that begins at in.p[i]. */
static size_t skip_string(struct text in, size_t i)
{
	for (i++; i < in.n && in.p[i] != '"'; i++)
		if (in.p[i] == '\\')
			i++;
	return i + 1;
}

/* Depth without a bound that is ours is what the parser would let pass. */
static bool scan_depth(struct text in, char error[JSON_ERROR_SIZE])
{
	int depth = 0;
	for (size_t i = 0; i < in.n;) {
		char c = in.p[i];
		if (c == '"') {
			i = skip_string(in, i);
			continue;
		}
		if ((c == '{' || c == '[') && ++depth > JARI_JSON_DEPTH_MAX)
			return fail(error, "The body is nested deeper than %d levels.", JARI_JSON_DEPTH_MAX);
		if (c == '}' || c == ']')
			depth--;
		i++;
	}
	return true;
}

/* ---- numbers that the parser gets wrong ----
 *
 * -0, which it takes for the integer 0, and integers beyond 64 bits, at which it gives the whole document up, even in a member that nobody
 * asks for. Both are no integers here. So each is read as a number with a fraction: an integer member refuses that, a member that is
 * ignored does not mind. */

static bool in_number(char c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static bool is_odd_number(struct text number)
{
	int64_t v;
	if (text_equal(number, TEXT("-0")))
		return true;
	size_t sign = number.p[0] == '-';
	if (number.n == sign || number.p[sign] == '0')
		return false;
	for (size_t i = sign; i < number.n; i++) {
		if (number.p[i] < '0' || number.p[i] > '9')
			return false;
	}
	return !text_to_int(number, INT64_MIN, INT64_MAX, &v);
}

/* Copies the document with its odd numbers replaced into `out` (NULL: only counts them). */
static size_t replace_odd_numbers(struct text in, struct buf *out)
{
	size_t odd = 0;
	for (size_t i = 0, next; i < in.n; i = next) {
		next = i + 1;
		if (in.p[i] == '"') {
			next = skip_string(in, i);
			next = next > in.n ? in.n : next;
		} else if (in_number(in.p[i])) {
			while (next < in.n && in_number(in.p[next]))
				next++;
		}
		struct text piece = {in.p + i, next - i};
		bool replace = in_number(piece.p[0]) && is_odd_number(piece);
		odd += replace;
		if (out)
			buf_text(out, replace ? TEXT("0.5") : piece);
	}
	return odd;
}

static void explain(const json_error_t *why, char error[JSON_ERROR_SIZE])
{
	if (json_error_code(why) == json_error_numeric_overflow)
		fail(error, "The body has a number that is too large, in line %d, column %d.", why->line, why->column);
	else if (json_error_code(why) == json_error_duplicate_key)
		fail(error, "The body names a member twice, in line %d, column %d.", why->line, why->column);
	else if (json_error_code(why) == json_error_null_character || json_error_code(why) == json_error_null_byte_in_key)
		fail(error, "The body has a NUL character in a text, in line %d, column %d.", why->line, why->column);
	else
		fail(error, "The body is not valid JSON: line %d, column %d: %s.", why->line, why->column, why->text);
	/* The parser's sentence may quote the body, cut anywhere, and line breaks with it. */
	if (text_has_control(text_of(error)))
		fail(error, "The body is not valid JSON: line %d, column %d.", why->line, why->column);
}

json_t *json_read(struct text in, char error[JSON_ERROR_SIZE])
{
	json_error_t why;
	struct buf replaced = {0};
	if (!scan_depth(in, error))
		return NULL;
	/* The parser passes over one that stands directly behind a number. */
	if (in.n > 0 && memchr(in.p, '\0', in.n)) {
		fail(error, "The body has a NUL character.");
		return NULL;
	}
	if (replace_odd_numbers(in, NULL) > 0) {
		(void)replace_odd_numbers(in, &replaced);
		in = buf_view(&replaced);
	}
	json_t *doc = json_loadb(in.n ? in.p : "", in.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
	if (!doc)
		explain(&why, error);
	buf_free(&replaced);
	return doc;
}

/* ---- members ---- */

struct reading {
	const char *where;
	struct arena *arena;
	char *error;
};

static bool mistyped(const struct reading *r, const struct json_field *f, const char *must)
{
	return fail(r->error, "\"%s%s\" must be %s.", r->where, f->name, must);
}

/* "an integer from 1 to 5", or what is shorter for the widest ranges */
static void integer_words(int64_t lo, int64_t hi, const char *one, char *out, size_t size)
{
	if (hi == INT64_MAX && lo == INT64_MIN)
		snprintf(out, size, "an integer");
	else if (hi == INT64_MAX && lo == 1)
		snprintf(out, size, "%s", one);
	else if (hi == INT64_MAX)
		snprintf(out, size, "an integer of at least %lld", (long long)lo);
	else
		snprintf(out, size, "an integer from %lld to %lld", (long long)lo, (long long)hi);
}

static bool in_range(const json_t *v, int64_t lo, int64_t hi)
{
	return json_is_integer(v) && json_integer_value(v) >= lo && json_integer_value(v) <= hi;
}

static bool read_int(const struct reading *r, const struct json_field *f, const json_t *v, int64_t *out)
{
	char words[96];
	if (!in_range(v, f->lo, f->hi)) {
		integer_words(f->lo, f->hi, "a positive integer", words, sizeof(words));
		return mistyped(r, f, words);
	}
	*out = json_integer_value(v);
	return true;
}

static bool read_text(const struct reading *r, const struct json_field *f, const json_t *v, struct text *out)
{
	if (!json_is_string(v))
		return mistyped(r, f, "a string");
	struct text t = {json_string_value(v), json_string_length(v)};
	int64_t chars = text_utf8_chars(t);
	if (chars < 0 || chars < f->lo || chars > f->hi) {
		char words[96];
		snprintf(words, sizeof(words), "a string of %lld to %lld characters", (long long)f->lo, (long long)f->hi);
		return mistyped(r, f, words);
	}
	if (text_has_control(t))
		return mistyped(r, f, "a string without control characters");
	*out = arena_text(r->arena, t);
	return true;
}

static bool read_instant(const struct reading *r, const struct json_field *f, const json_t *v, int64_t *out)
{
	if (json_is_string(v) && text_instant_parse((struct text){json_string_value(v), json_string_length(v)}, out, NULL))
		return true;
	return mistyped(r, f, "an instant such as \"2026-12-24T19:00:00+09:00\"");
}

static bool read_date(const struct reading *r, const struct json_field *f, const json_t *v, int32_t *out)
{
	if (json_is_string(v) && text_date_parse((struct text){json_string_value(v), json_string_length(v)}, out))
		return true;
	return mistyped(r, f, "a date such as \"2026-12-24\"");
}

static int compare_ints(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static bool all_different(struct arena *arena, const int64_t *p, size_t n)
{
	int64_t *sorted = arena_copy(arena, p, n * sizeof(*p));
	qsort(sorted, n, sizeof(*sorted), compare_ints);
	for (size_t i = 1; i < n; i++)
		if (sorted[i] == sorted[i - 1])
			return false;
	return true;
}

static bool read_ints(const struct reading *r, const struct json_field *f, const json_t *v, struct json_ints *out)
{
	size_t n = json_array_size(v);
	char words[96];
	if (!json_is_array(v) || n < 1 || n > JSON_INTS_MAX) {
		snprintf(words, sizeof(words), "an array of 1 to %d integers", JSON_INTS_MAX);
		return mistyped(r, f, words);
	}
	int64_t *p = arena_alloc(r->arena, n * sizeof(*p));
	for (size_t i = 0; i < n; i++) {
		const json_t *item = json_array_get(v, i);
		if (!in_range(item, f->lo, f->hi)) {
			integer_words(f->lo, f->hi, "a positive integer", words, sizeof(words));
			return fail(r->error, "\"%s%s[%zu]\" must be %s.", r->where, f->name, i, words);
		}
		p[i] = json_integer_value(item);
	}
	if (!all_different(r->arena, p, n))
		return mistyped(r, f, "an array of integers that are different from each other");
	*out = (struct json_ints){p, n};
	return true;
}

static bool read_bool(const struct reading *r, const struct json_field *f, const json_t *v, bool *out)
{
	if (!json_is_boolean(v))
		return mistyped(r, f, "true or false");
	*out = json_is_true(v);
	return true;
}

static bool read_member(const struct reading *r, const struct json_field *f, json_t *v, void *out)
{
	switch (f->type) {
	case JSON_T_INT:
		return read_int(r, f, v, out);
	case JSON_T_BOOL:
		return read_bool(r, f, v, out);
	case JSON_T_TEXT:
		return read_text(r, f, v, out);
	case JSON_T_INSTANT:
		return read_instant(r, f, v, out);
	case JSON_T_INSTANT_OR_NULL:
		if (!json_is_null(v))
			return read_instant(r, f, v, out);
		*(int64_t *)out = JSON_NULL_INSTANT;
		return true;
	case JSON_T_DATE:
		return read_date(r, f, v, out);
	case JSON_T_INTS:
		return read_ints(r, f, v, out);
	case JSON_T_ANY:
		*(json_t **)out = v;
		return true;
	}
	return false;
}

/* "concerts[0]." names the object concerts[0]. */
static bool not_an_object(const char *where, char error[JSON_ERROR_SIZE])
{
	size_t n = strlen(where);
	if (!n)
		return fail(error, "The body must be a JSON object.");
	return fail(error, "\"%.*s\" must be an object.", (int)(n - (where[n - 1] == '.')), where);
}

bool json_fields(json_t *object, const struct json_field *fields, size_t count, const char *where, struct arena *arena, void *out,
                 uint32_t *seen, char error[JSON_ERROR_SIZE])
{
	const struct reading r = {where, arena, error};
	*seen = 0;
	if (!json_is_object(object))
		return not_an_object(where, error);
	for (size_t i = 0; i < count; i++) {
		const struct json_field *f = &fields[i];
		json_t *v = json_object_get(object, f->name);
		if (!v && f->required)
			return fail(error, "\"%s%s\" is missing.", where, f->name);
		if (!v || (json_is_null(v) && !f->required && f->type != JSON_T_INSTANT_OR_NULL))
			continue;
		if (!read_member(&r, f, v, (char *)out + f->offset))
			return false;
		*seen |= UINT32_C(1) << i;
	}
	return true;
}
