/* JSON in and out. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "http/json.h"
#include <stdio.h>
#include <string.h>

struct doc_case {
	struct text in;
	bool good;
};
#define GOOD(s)                          \
	{                                \
		{s, sizeof(s) - 1}, true \
	}
#define BAD(s)                            \
	{                                 \
		{s, sizeof(s) - 1}, false \
	}

static const struct doc_case docs[] = {
    GOOD("{}"),
    GOOD(" {\"a\":1}\r\n"),
    GOOD("{\"a\":\"-0\"}"),
    GOOD("{\"a\":\"\\\"-0\"}"),
    GOOD("{\"a\":-10}"),
    GOOD("{\"a\":-0.5}"),
    GOOD("{\"a\":9223372036854775807}"),
    GOOD("{\"a\":\"\xec\x9e\x90\xeb\xa6\xac\"}"),
    GOOD("{\"a\":\"\\ud83d\\ude00\"}"),
    BAD(""),
    BAD("{"),
    BAD("{}x"),
    BAD("{} {}"),
    BAD("{\"a\":1,}"),
    BAD("{'a':1}"),
    BAD("{\"a\":01}"),
    BAD("{\"a\":-01}"),
    BAD("{\"a\":-00}"),
    BAD("{\"a\":-0-0}"),
    BAD("{\"a\":--9223372036854775808}"),
    BAD("{\"a\":092233720368547758080}"),
    BAD("{\"a\":+1}"),
    BAD("{\"a\":NaN}"),
    GOOD("{\"a\":-0}"),
    GOOD("[-0 ]"),
    GOOD("-0"),
    GOOD("{\"b\":[1,-0,2]}"),
    BAD("{\"a\":1,\"a\":1}"),
    BAD("{\"b\":{\"a\":1,\"a\":2}}"),
    BAD("{\"a\":1,\"\\u0061\":2}"),
    GOOD("{\"a\":9223372036854775808}"),
    GOOD("{\"a\":-9223372036854775809}"),
    BAD("{\"a\":1e999}"),
    BAD("{\"a\":\"\\u0000\"}"),
    BAD("{\"a\":\"\0\"}"),
    BAD("{\"a\0\":1}"),
    BAD("{}\0"),
    BAD("1\0"),
    BAD("{\"a\":1\0}"),
    BAD("[1\0,2]"),
    BAD("{\"a\":\"\xff\"}"),
    BAD("{\"a\":\"\xc0\x80\"}"),
    BAD("{\"a\":\"\xed\xa0\x80\"}"),
    BAD("{\"a\":\"\\ud800\"}"),
    BAD("{\"a\":\"\n\"}"),
    BAD("\xef\xbb\xbf{}"),
    BAD("{\"a\":\"\\"),
    BAD("\"\\u\n0020\""),
    BAD("{\"a"),
};

static void test_documents(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(docs) / sizeof(docs[0]); i++) {
		char error[JSON_ERROR_SIZE] = "";
		json_t *doc = json_read(docs[i].in, error);
		if ((doc != NULL) != docs[i].good)
			fail_msg("%s: %s", docs[i].in.p, doc ? "was taken" : error);
		if (!doc && (text_utf8_chars(text_of(error)) < 10 || text_has_control(text_of(error)) || error[0] != 'T' ||
		             error[strlen(error) - 1] != '.'))
			fail_msg("%s: the sentence is not good: %s", docs[i].in.p, error);
		json_decref(doc);
	}
}

static void test_depth(void **state)
{
	char in[2 * JARI_JSON_DEPTH_MAX + 2], error[JSON_ERROR_SIZE];
	(void)state;
	for (size_t depth = JARI_JSON_DEPTH_MAX; depth <= JARI_JSON_DEPTH_MAX + 1; depth++) {
		memset(in, '[', depth);
		memset(in + depth, ']', depth);
		json_t *doc = json_read((struct text){in, 2 * depth}, error);
		assert_int_equal(doc != NULL, depth == JARI_JSON_DEPTH_MAX);
		json_decref(doc);
	}
	/* Brackets in a string are no depth. */
	json_t *doc = json_read(TEXT("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\""), error);
	assert_non_null(doc);
	json_decref(doc);
}

struct out {
	int64_t amount, at, until, id;
	bool flag;
	struct text name;
	int32_t date;
	struct json_ints seats;
	json_t *any;
};

static const struct json_field fields[] = {
    {"amount", JSON_T_INT, true, offsetof(struct out, amount), 1, 1000000000},
    {"flag", JSON_T_BOOL, false, offsetof(struct out, flag), 0, 0},
    {"name", JSON_T_TEXT, false, offsetof(struct out, name), 1, 4},
    {"at", JSON_T_INSTANT, false, offsetof(struct out, at), 0, 0},
    {"date", JSON_T_DATE, false, offsetof(struct out, date), 0, 0},
    {"seats", JSON_T_INTS, false, offsetof(struct out, seats), 1, 1000},
    {"any", JSON_T_ANY, false, offsetof(struct out, any), 0, 0},
    {"id", JSON_T_INT, false, offsetof(struct out, id), 1, INT64_MAX},
    {"until", JSON_T_INSTANT_OR_NULL, false, offsetof(struct out, until), 0, 0},
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static bool read_fields(const char *in, const char *where, struct arena *a, struct out *out, uint32_t *seen,
                        char error[JSON_ERROR_SIZE])
{
	json_t *doc = json_read(text_of(in), error);
	if (!doc)
		fail_msg("%s: %s", in, error);
	bool read = json_fields(doc, fields, FIELDS, where, a, out, seen, error);
	json_decref(doc);
	return read;
}

static void test_members(void **state)
{
	struct arena a = {0};
	struct out out = {0};
	uint32_t seen;
	char error[JSON_ERROR_SIZE];
	(void)state;
	assert_true(read_fields(
	    "{\"amount\":1000000000,\"flag\":true,\"name\":\"\xec\x9e\x90\xeb\xa6\xac!!\",\"at\":\"2026-12-24T19:00:00+09:00\","
	    "\"date\":\"2026-12-24\",\"seats\":[3,1,1000],\"other\":[1.5],\"id\":9223372036854775807}",
	    "", &a, &out, &seen, error));
	assert_int_equal(seen, 0xbf);
	assert_int_equal(out.amount, 1000000000);
	assert_true(out.flag);
	assert_true(text_equal(out.name, TEXT("\xec\x9e\x90\xeb\xa6\xac!!")));
	assert_int_equal(out.at, INT64_C(1798106400000));
	assert_int_equal(out.date, 20261224);
	assert_int_equal(out.seats.n, 3);
	assert_int_equal(out.seats.p[0], 3);
	assert_int_equal(out.seats.p[2], 1000);
	/* Members that nobody asks for may hold any number. */
	assert_true(
	    read_fields("{\"amount\":1,\"x\":-0,\"y\":[123456789012345678901234567890,-0],\"z\":{\"q\":-9223372036854775809}}",
	                "", &a, &out, &seen, error));
	assert_int_equal(out.amount, 1);
	assert_true(read_fields("{\"amount\":1,\"name\":null}", "", &a, &out, &seen, error));
	assert_int_equal(seen, 1);
	/* But where null says something it is there. */
	assert_true(read_fields("{\"amount\":1,\"until\":null}", "", &a, &out, &seen, error));
	assert_int_equal(seen, 0x101);
	assert_true(out.until == JSON_NULL_INSTANT);
	assert_true(read_fields("{\"amount\":1,\"until\":\"1970-01-01T00:00:00Z\"}", "", &a, &out, &seen, error));
	assert_int_equal(out.until, 0);
	assert_false(read_fields("{\"amount\":1,\"until\":5}", "", &a, &out, &seen, error));
	arena_free(&a);
}

static void test_sentences(void **state)
{
	static const struct {
		const char *in, *where, *sentence;
	} cases[] = {
	    {"{}", "", "\"amount\" is missing."},
	    {"{}", "concerts[0].", "\"concerts[0].amount\" is missing."},
	    {"[]", "", "The body must be a JSON object."},
	    {"5", "", "The body must be a JSON object."},
	    {"[]", "concerts[0].", "\"concerts[0]\" must be an object."},
	    {"{\"amount\":null}", "", "\"amount\" must be an integer from 1 to 1000000000."},
	    {"{\"amount\":0}", "", "\"amount\" must be an integer from 1 to 1000000000."},
	    {"{\"amount\":1000000001}", "", "\"amount\" must be an integer from 1 to 1000000000."},
	    {"{\"amount\":-0}", "", "\"amount\" must be an integer from 1 to 1000000000."},
	    {"{\"amount\":9223372036854775808}", "", "\"amount\" must be an integer from 1 to 1000000000."},
	    {"{\"amount\":-9223372036854775809}", "", "\"amount\" must be an integer from 1 to 1000000000."},
	    {"{\"amount\":1,\"seats\":[1,-0]}", "", "\"seats[1]\" must be an integer from 1 to 1000."},
	    {"{\"amount\":1.0}", "", "\"amount\" must be an integer from 1 to 1000000000."},
	    {"{\"amount\":1e3}", "", "\"amount\" must be an integer from 1 to 1000000000."},
	    {"{\"amount\":\"1\"}", "", "\"amount\" must be an integer from 1 to 1000000000."},
	    {"{\"amount\":true}", "", "\"amount\" must be an integer from 1 to 1000000000."},
	    {"{\"amount\":1,\"id\":0}", "", "\"id\" must be a positive integer."},
	    {"{\"amount\":1,\"flag\":1}", "", "\"flag\" must be true or false."},
	    {"{\"amount\":1,\"name\":\"\"}", "", "\"name\" must be a string of 1 to 4 characters."},
	    {"{\"amount\":1,\"name\":\"abcde\"}", "", "\"name\" must be a string of 1 to 4 characters."},
	    {"{\"amount\":1,\"name\":5}", "", "\"name\" must be a string."},
	    {"{\"amount\":1,\"name\":\"a\\u0007\"}", "", "\"name\" must be a string without control characters."},
	    {"{\"amount\":1,\"at\":\"tomorrow\"}", "", "\"at\" must be an instant such as \"2026-12-24T19:00:00+09:00\"."},
	    {"{\"amount\":1,\"date\":\"2026-02-30\"}", "", "\"date\" must be a date such as \"2026-12-24\"."},
	    {"{\"amount\":1,\"seats\":[]}", "", "\"seats\" must be an array of 1 to 1000 integers."},
	    {"{\"amount\":1,\"seats\":3}", "", "\"seats\" must be an array of 1 to 1000 integers."},
	    {"{\"amount\":1,\"seats\":[1,0]}", "", "\"seats[1]\" must be an integer from 1 to 1000."},
	    {"{\"amount\":1,\"seats\":[1,2,1]}", "",
	     "\"seats\" must be an array of integers that are different from each other."},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena a = {0};
		struct out out = {0};
		uint32_t seen;
		char error[JSON_ERROR_SIZE] = "";
		assert_false(read_fields(cases[i].in, cases[i].where, &a, &out, &seen, error));
		assert_string_equal(error, cases[i].sentence);
		arena_free(&a);
	}
}

static void test_writer(void **state)
{
	struct buf b = {0};
	struct json_out o;
	(void)state;
	jo_begin(&o, &b);
	jo_object(&o);
	jo_kv_int(&o, "i", INT64_MIN);
	jo_kv_text(&o, "t", (struct text){"a\"\\\n\x01\xec\x9e\x90/", 9});
	jo_kv_str(&o, "n", NULL);
	jo_kv_bool(&o, "b", false);
	jo_kv_instant(&o, "at", 1798106400000);
	jo_kv_instant(&o, "never", 0);
	jo_key(&o, "l");
	jo_array(&o);
	jo_int(&o, 1);
	jo_object(&o);
	jo_end_object(&o);
	jo_array(&o);
	jo_end_array(&o);
	jo_date(&o, 20261224);
	jo_null(&o);
	jo_bool(&o, true);
	jo_end_array(&o);
	jo_kv_text(&o, "e", (struct text){NULL, 0});
	jo_end_object(&o);
	const char *wanted =
	    "{\"i\":-9223372036854775808,\"t\":\"a\\\"\\\\\\n\\u0001\xec\x9e\x90/\",\"n\":null,\"b\":false,"
	    "\"at\":\"2026-12-24T10:00:00Z\",\"never\":null,\"l\":[1,{},[],\"2026-12-24\",null,true],\"e\":\"\"}";
	buf_char(&b, '\0');
	assert_string_equal(b.p, wanted);
	/* And what was written can be read. */
	char error[JSON_ERROR_SIZE];
	json_t *doc = json_read(text_of(b.p), error);
	assert_non_null(doc);
	json_decref(doc);
	buf_free(&b);
}

/* The JSON of a text, the plain way. */
static size_t reference(const char *p, size_t n, char *out)
{
	static const char two[][2] = {{'"', '"'}, {'\\', '\\'}, {'\b', 'b'}, {'\f', 'f'}, {'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}};
	char *to = out;
	*to++ = '"';
	for (size_t i = 0; i < n; i++) {
		char letter = 0;
		for (size_t k = 0; k < sizeof two / sizeof two[0]; k++)
			if (p[i] == two[k][0])
				letter = two[k][1];
		if (letter) {
			*to++ = '\\';
			*to++ = letter;
		} else if ((uint8_t)p[i] < 0x20) {
			to += snprintf(to, 7, "\\u%04x", (unsigned)p[i]);
		} else {
			*to++ = p[i];
		}
	}
	*to++ = '"';
	return (size_t)(to - out);
}

/* Each byte at each place of texts of each length, since eight are looked at at once; and two such bytes side by side. */
static void test_escapes(void **state)
{
	(void)state;
	struct json_out o;
	struct buf b = {0};
	char text[24], wanted[160];
	for (size_t n = 1; n < sizeof text; n++) {
		for (size_t at = 0; at < n; at++) {
			for (int c = 0; c < 256; c++) {
				memset(text, c % 2 ? '~' : '!', n);
				text[at] = (char)c;
				if (at + 1 < n && c % 3 == 0)
					text[at + 1] = (char)(255 - c);
				buf_reset(&b);
				jo_begin(&o, &b);
				jo_text(&o, (struct text){text, n});
				size_t length = reference(text, n, wanted);
				assert_int_equal(b.n, length);
				assert_memory_equal(b.p, wanted, length);
			}
		}
	}
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_documents), cmocka_unit_test(test_depth),  cmocka_unit_test(test_members),
	    cmocka_unit_test(test_sentences), cmocka_unit_test(test_writer), cmocka_unit_test(test_escapes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
