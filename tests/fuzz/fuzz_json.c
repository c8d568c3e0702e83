/* fuzz_json.c: documents, through json_read and json_fields.
 *
 * A second reader, written from RFC 8259's grammar, says of each document whether it is one; json_read agrees, but for what json.h says it
 * refuses besides. What was taken comes out the same when it is written and read again. Members that a table takes are of the type and in the
 * bounds that it names. Texts are also read as days and as instants, twice. */
#include "fuzz.h"

#include "base/limits.h"
#include "http/json.h"
#include "mutate.h"
#include <errno.h>
#include <time.h>

/* ---- the second reader ---- */

struct reader {
	const char *p, *end;
	int depth, deepest;
	bool nul;        /* a text has an escaped NUL */
	bool lone;       /* … half of a surrogate pair */
	bool huge;       /* a number that no double holds */
	int64_t members; /* names in all objects */
	int64_t ints;    /* numbers that are integers of 64 bits and written as such, */
	uint64_t sum;    /* … and their sum, which may wrap */
};

static void space(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
		r->p++;
}

static bool take(struct reader *r, char c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static bool word(struct reader *r, const char *w)
{
	size_t n = strlen(w);

	if ((size_t)(r->end - r->p) < n || memcmp(r->p, w, n) != 0)
		return false;
	r->p += n;
	return true;
}

static bool four(struct reader *r, unsigned *out)
{
	char digits[5] = {0};

	if (r->end - r->p < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		if (!fuzz_is_hex(r->p[i]))
			return false;
		digits[i] = r->p[i];
	}
	r->p += 4;
	*out = (unsigned)strtoul(digits, NULL, 16);
	return true;
}

/* Behind "\u". */
static bool escaped(struct reader *r)
{
	unsigned high, low;

	if (!four(r, &high))
		return false;
	r->nul |= high == 0;
	if (high >= 0xDC00 && high <= 0xDFFF)
		r->lone = true;
	if (high < 0xD800 || high > 0xDBFF)
		return true;
	if (r->end - r->p < 6 || r->p[0] != '\\' || r->p[1] != 'u') {
		r->lone = true;
		return true;
	}
	r->p += 2;
	if (!four(r, &low))
		return false;
	r->lone |= low < 0xDC00 || low > 0xDFFF;
	return true;
}

static bool string(struct reader *r)
{
	const char *from = r->p + 1;

	if (!take(r, '"'))
		return false;
	while (r->p < r->end && *r->p != '"') {
		if ((uint8_t)*r->p < 0x20)
			return false;
		if (*r->p++ != '\\')
			continue;
		if (r->p == r->end || !strchr("\"\\/bfnrtu", *r->p) || *r->p == '\0')
			return false;
		if (*r->p++ == 'u' && !escaped(r))
			return false;
	}
	return text_utf8_chars((struct text){from, (size_t)(r->p - from)}) >= 0 && take(r, '"');
}

static bool digits(struct reader *r)
{
	const char *from = r->p;

	while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
		r->p++;
	return r->p > from;
}

static bool number(struct reader *r)
{
	const char *from = r->p;
	bool integer = true;

	(void)take(r, '-');
	if (!take(r, '0') && !digits(r))
		return false;
	if (take(r, '.')) {
		integer = false;
		if (!digits(r))
			return false;
	}
	if (take(r, 'e') || take(r, 'E')) {
		integer = false;
		if (!take(r, '+'))
			(void)take(r, '-');
		if (!digits(r))
			return false;
	}
	char *copy = malloc((size_t)(r->p - from) + 1);
	if (copy == NULL)
		abort();
	memcpy(copy, from, (size_t)(r->p - from));
	copy[r->p - from] = '\0';
	errno = 0;
	long long whole = strtoll(copy, NULL, 10);
	if (integer && errno == 0 && strcmp(copy, "-0") != 0) {
		r->ints++;
		r->sum += (uint64_t)whole;
	}
	double v = strtod(copy, NULL);
	r->huge |= !integer && (v > 1.7976931348623157e308 || v < -1.7976931348623157e308);
	free(copy);
	return true;
}

static bool value(struct reader *r);

static bool members(struct reader *r)
{
	do {
		space(r);
		if (!string(r))
			return false;
		r->members++;
		space(r);
		if (!take(r, ':') || !value(r))
			return false;
	} while (take(r, ','));
	return take(r, '}');
}

static bool items(struct reader *r)
{
	do {
		if (!value(r))
			return false;
	} while (take(r, ','));
	return take(r, ']');
}

static bool nested(struct reader *r)
{
	bool object = *r->p++ == '{', good;

	if (++r->depth > r->deepest)
		r->deepest = r->depth;
	if (r->depth > JARI_JSON_DEPTH_MAX)
		return false;
	space(r);
	good = take(r, object ? '}' : ']') || (object ? members(r) : items(r));
	r->depth--;
	return good;
}

static bool value(struct reader *r)
{
	bool good;

	space(r);
	if (r->p == r->end)
		return false;
	if (*r->p == '"')
		good = string(r);
	else if (*r->p == '{' || *r->p == '[')
		good = nested(r);
	else
		good = word(r, "true") || word(r, "false") || word(r, "null") || number(r);
	space(r);
	return good;
}

/* ---- agreeing ---- */

static void count_ints(json_t *v, int64_t *n, uint64_t *sum)
{
	const char *key;
	json_t *inner;
	size_t i;

	if (json_is_integer(v)) {
		++*n;
		*sum += (uint64_t)json_integer_value(v);
	}
	json_object_foreach(v, key, inner) count_ints(inner, n, sum);
	json_array_foreach(v, i, inner) count_ints(inner, n, sum);
}

static void check_ints(json_t *doc, const struct reader *r, struct text in)
{
	uint64_t sum = 0;
	int64_t n = 0;

	count_ints(doc, &n, &sum);
	EXPECT(n == r->ints && sum == r->sum, "%" PRId64 " integers, not %" PRId64 ": %.*s", n, r->ints, SHOWN(in));
}

static int64_t count_members(json_t *v)
{
	int64_t n = 0;
	const char *key;
	json_t *inner;
	size_t i;

	if (json_is_object(v)) {
		n += (int64_t)json_object_size(v);
		json_object_foreach(v, key, inner) n += count_members(inner);
	}
	json_array_foreach(v, i, inner) n += count_members(inner);
	return n;
}

/* json_read said no. */
static void check_refusal(const struct reader *r, bool grammatical, const char *error, struct text in)
{
	EXPECT(error[0] != '\0' && strchr(error, '\n') == NULL && text_utf8_chars(text_of(error)) >= 0, "the sentence is \"%s\"",
	       error);
	EXPECT(error[strlen(error) - 1] == '.', "no whole sentence: %s", error);
	if (!grammatical || r->nul || r->lone || r->huge)
		return;
	/* The one other reason, which the second reader does not look for. */
	EXPECT(r->members >= 2 && strstr(error, "names a member twice") != NULL, "\"%s\" of a document that is one: %.*s", error,
	       SHOWN(in));
}

static void put(struct json_out *o, json_t *v)
{
	const char *key;
	json_t *inner;
	size_t i;

	switch (json_typeof(v)) {
	case JSON_OBJECT:
		jo_object(o);
		/* Only keys of the kind that the writer takes: its callers' are literals. */
		json_object_foreach(v, key, inner)
		{
			jo_key(o, "k");
			put(o, inner);
			break;
		}
		jo_end_object(o);
		break;
	case JSON_ARRAY:
		jo_array(o);
		json_array_foreach(v, i, inner) put(o, inner);
		jo_end_array(o);
		break;
	case JSON_STRING:
		jo_text(o, (struct text){json_string_value(v), json_string_length(v)});
		break;
	case JSON_INTEGER:
		jo_int(o, json_integer_value(v));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		jo_bool(o, json_is_true(v));
		break;
	case JSON_REAL:
	case JSON_NULL:
		jo_null(o);
		break;
	}
}

/* The same with a key called k for the first member of each object and none for the others, and null for a number with a fraction. */
static json_t *reduced(json_t *v)
{
	json_t *out, *inner;
	const char *key;
	size_t i;

	if (json_is_object(v)) {
		out = json_object();
		json_object_foreach(v, key, inner)
		{
			(void)json_object_set_new(out, "k", reduced(inner));
			break;
		}
		return out;
	}
	if (json_is_array(v)) {
		out = json_array();
		json_array_foreach(v, i, inner)(void) json_array_append_new(out, reduced(inner));
		return out;
	}
	return json_is_real(v) ? json_null() : json_incref(v);
}

static void check_writer(json_t *doc)
{
	char error[JSON_ERROR_SIZE];
	struct json_out o;
	struct buf b = {0};

	jo_begin(&o, &b);
	put(&o, doc);
	json_t *want = reduced(doc), *again = json_read(buf_view(&b), error);
	EXPECT(again != NULL, "%s in what was written: %.*s", error, (int)b.n, b.p);
	EXPECT(json_equal(want, again), "it is another document when written: %.*s", (int)b.n, b.p);
	json_decref(want);
	json_decref(again);
	buf_free(&b);
}

static void check_dumped(json_t *doc)
{
	char error[JSON_ERROR_SIZE], *dump = json_dumps(doc, JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(17));
	json_t *again;

	EXPECT(dump != NULL, "it can't be written");
	again = json_read(text_of(dump), error);
	EXPECT(again != NULL, "%s: %s", error, dump);
	EXPECT(json_equal(doc, again), "it is another document when written again: %s", dump);
	json_decref(again);
	free(dump);
}

/* ---- days and instants, read with the C library's calendar ---- */

static bool number_at(struct text t, size_t at, size_t n, int lo, int hi, int *out)
{
	*out = 0;
	for (size_t i = at; i < at + n; i++) {
		if (i >= t.n || t.p[i] < '0' || t.p[i] > '9')
			return false;
		*out = *out * 10 + t.p[i] - '0';
	}
	return *out >= lo && *out <= hi;
}

static bool is_at(struct text t, size_t at, char c)
{
	return at < t.n && t.p[at] == c;
}

/* The first ten characters are a day that there is. */
static bool day_at_front(struct text t, struct tm *out)
{
	struct tm tm = {0}, again;

	if (!number_at(t, 0, 4, 0, 9999, &tm.tm_year) || !is_at(t, 4, '-') || !number_at(t, 5, 2, 1, 12, &tm.tm_mon) ||
	    !is_at(t, 7, '-') || !number_at(t, 8, 2, 1, 31, &tm.tm_mday))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	*out = tm;
	time_t seconds = timegm(&tm); /* makes 1 March of 30 February */
	return gmtime_r(&seconds, &again) && again.tm_mday == out->tm_mday && again.tm_mon == out->tm_mon;
}

static bool is_day(struct text t)
{
	struct tm tm;

	return t.n == 10 && day_at_front(t, &tm) && tm.tm_year > -1900;
}

static bool offset_at(struct text t, size_t at, int64_t *seconds)
{
	int hours, minutes;

	*seconds = 0;
	if (t.n == at + 1 && (t.p[at] | 0x20) == 'z')
		return true;
	if (t.n != at + 6 || (t.p[at] != '+' && t.p[at] != '-') || !number_at(t, at + 1, 2, 0, 23, &hours) ||
	    !is_at(t, at + 3, ':') || !number_at(t, at + 4, 2, 0, 59, &minutes))
		return false;
	*seconds = (hours * 60 + minutes) * (t.p[at] == '+' ? 60 : -60);
	return true;
}

static bool is_instant(struct text t, int64_t *ms)
{
	struct tm tm;
	size_t at = 19, places = 0;
	int64_t fraction = 0, offset;

	if (!day_at_front(t, &tm) || t.n < 20 || (t.p[10] | 0x20) != 't' || !number_at(t, 11, 2, 0, 23, &tm.tm_hour) ||
	    !is_at(t, 13, ':') || !number_at(t, 14, 2, 0, 59, &tm.tm_min) || !is_at(t, 16, ':') ||
	    !number_at(t, 17, 2, 0, 59, &tm.tm_sec))
		return false;
	if (t.p[at] == '.') {
		for (at++; at < t.n && t.p[at] >= '0' && t.p[at] <= '9'; at++, places++)
			fraction = places < 9 ? fraction * 10 + t.p[at] - '0' : 0;
		if (places < 1 || places > 9)
			return false;
		for (; places < 9; places++)
			fraction *= 10;
	}
	if (!offset_at(t, at, &offset) || tm.tm_year < 70)
		return false;
	*ms = ((int64_t)timegm(&tm) - offset) * 1000 + fraction / 1000000;
	return *ms >= 0 && *ms <= INT64_C(253402300799999); /* the last of the year 9999 */
}

static void check_times(json_t *doc)
{
	const char *key;
	json_t *v;

	json_object_foreach(doc, key, v)
	{
		struct text t = {json_string_value(v), json_string_length(v)};
		int64_t ms = 0, want = 0;
		int32_t day;

		if (!json_is_string(v))
			continue;
		EXPECT(text_date_parse(t, &day) == is_day(t), "the day %.*s", SHOWN(t));
		EXPECT(text_instant_parse(t, &ms, NULL) == is_instant(t, &want), "the instant %.*s", SHOWN(t));
		EXPECT(ms == 0 || ms == want, "the instant %.*s is %" PRId64 ", not %" PRId64, SHOWN(t), ms, want);
	}
}

/* ---- members by a table ---- */

struct row {
	int64_t small, any, at;
	bool flag;
	struct text name;
	int32_t day;
	struct json_ints list;
	json_t *rest;
};

static const struct json_field fields[] = {
    {"small", JSON_T_INT, true, offsetof(struct row, small), -5, 1000},
    {"any", JSON_T_INT, false, offsetof(struct row, any), INT64_MIN, INT64_MAX},
    {"flag", JSON_T_BOOL, false, offsetof(struct row, flag), 0, 0},
    {"name", JSON_T_TEXT, false, offsetof(struct row, name), 1, 8},
    {"at", JSON_T_INSTANT, false, offsetof(struct row, at), 0, 0},
    {"day", JSON_T_DATE, false, offsetof(struct row, day), 0, 0},
    {"list", JSON_T_INTS, false, offsetof(struct row, list), 1, 100},
    {"rest", JSON_T_ANY, false, offsetof(struct row, rest), 0, 0},
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static bool named(const char *error, const char *member)
{
	char quoted[64];

	(void)snprintf(quoted, sizeof(quoted), "\"here.%s", member);
	return strncmp(error, quoted, strlen(quoted)) == 0;
}

static void check_instant(json_t *v, int64_t at)
{
	char written[TEXT_INSTANT_SIZE];
	int64_t again;

	EXPECT(json_is_string(v) && at >= 0, "the instant is %" PRId64, at);
	size_t n = text_instant_format(at, written);
	EXPECT(text_instant_parse((struct text){written, n}, &again, NULL) && again == at, "%s became %s", json_string_value(v),
	       written);
	if (json_string_length(v) == n && json_string_value(v)[n - 1] == 'Z' && strchr(json_string_value(v), '.') == NULL)
		EXPECT(strcmp(written, json_string_value(v)) == 0, "%s became %s", json_string_value(v), written);
}

static void check_day(json_t *v, int32_t day)
{
	char written[TEXT_DATE_SIZE];

	text_date_format(day, written);
	EXPECT(json_is_string(v) && strcmp(written, json_string_value(v)) == 0, "the day of %s is %s", json_string_value(v),
	       written);
}

static void check_row(json_t *doc, const struct row *row, uint32_t seen)
{
	for (size_t i = 0; i < FIELDS; i++) {
		json_t *v = json_object_get(doc, fields[i].name);

		EXPECT((seen >> i & 1) == (v != NULL && !json_is_null(v)), "%s was%s seen", fields[i].name,
		       seen >> i & 1 ? "" : " not");
	}
	EXPECT(json_is_integer(json_object_get(doc, "small")) &&
	           row->small == json_integer_value(json_object_get(doc, "small")) && row->small >= -5 && row->small <= 1000,
	       "small is %" PRId64, row->small);
	if (seen & 2)
		EXPECT(row->any == json_integer_value(json_object_get(doc, "any")), "any is %" PRId64, row->any);
	if (seen & 4)
		EXPECT(row->flag == json_is_true(json_object_get(doc, "flag")), "flag is %d", row->flag);
	if (seen & 8) {
		int64_t chars = text_utf8_chars(row->name);

		EXPECT(chars >= 1 && chars <= 8 && !text_has_control(row->name), "name has %" PRId64 " characters", chars);
		EXPECT(text_equal(row->name, text_of(json_string_value(json_object_get(doc, "name")))), "name is %.*s",
		       SHOWN(row->name));
	}
	if (seen & 16)
		check_instant(json_object_get(doc, "at"), row->at);
	if (seen & 32)
		check_day(json_object_get(doc, "day"), row->day);
	if (seen & 64) {
		EXPECT(row->list.n == json_array_size(json_object_get(doc, "list")) && row->list.n > 0, "list has %zu",
		       row->list.n);
		for (size_t i = 0; i < row->list.n; i++)
			for (size_t j = 0; j <= i; j++)
				EXPECT(row->list.p[i] >= 1 && row->list.p[i] <= 100 &&
				           (row->list.p[j] == row->list.p[i]) == (i == j),
				       "list[%zu] is %" PRId64, i, row->list.p[i]);
	}
}

static void check_fields(json_t *doc)
{
	char error[JSON_ERROR_SIZE] = "";
	struct arena arena = {0};
	struct row row = {0};
	uint32_t seen = 0;

	if (json_fields(doc, fields, FIELDS, "here.", &arena, &row, &seen, error)) {
		check_row(doc, &row, seen);
	} else {
		bool of_a_member = !json_is_object(doc) && strcmp(error, "\"here\" must be an object.") == 0;

		for (size_t i = 0; i < FIELDS; i++)
			of_a_member |= named(error, fields[i].name);
		EXPECT(of_a_member && error[strlen(error) - 1] == '.', "the sentence is \"%s\"", error);
	}
	arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[JSON_ERROR_SIZE] = "", *copy = fuzz_exact((const char *)data, size);
	struct text in = {copy, size};
	struct reader r = {.p = copy, .end = copy + size};
	bool grammatical = value(&r) && r.p == r.end;
	json_t *doc = json_read(in, error);

	if (doc == NULL) {
		check_refusal(&r, grammatical, error, in);
	} else {
		EXPECT(grammatical, "no JSON was taken: %.*s", SHOWN(in));
		EXPECT(!r.nul && !r.lone && r.deepest <= JARI_JSON_DEPTH_MAX, "it should have been refused: %.*s", SHOWN(in));
		EXPECT(count_members(doc) == r.members, "%" PRId64 " members of %" PRId64 " are left: %.*s", count_members(doc),
		       r.members, SHOWN(in));
		check_ints(doc, &r, in);
		check_times(doc);
		check_dumped(doc);
		check_writer(doc);
		check_fields(doc);
		json_decref(doc);
	}
	free(copy);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
	return fuzz_mutate_json(data, size, size_max, seed, 0);
}
