/* The strict readers and writers of base/text.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void integers(void **state)
{
	static const struct {
		const char *in;
		int64_t lo, hi;
		bool ok;
		int64_t v;
	} rows[] = {
	    {"0", 0, 9, true, 0},
	    {"7", 1, 9, true, 7},
	    {"-7", -9, 9, true, -7},
	    {"9223372036854775807", 1, INT64_MAX, true, INT64_MAX},
	    {"-9223372036854775808", INT64_MIN, 0, true, INT64_MIN},
	    {"9223372036854775808", 1, INT64_MAX, false, 0},
	    {"-9223372036854775809", INT64_MIN, 0, false, 0},
	    {"99999999999999999999999", 1, INT64_MAX, false, 0},
	    {"10", 1, 9, false, 0},
	    {"0", 1, 9, false, 0},
	    {"", 0, 9, false, 0},
	    {"-", -9, 9, false, 0},
	    {"-0", -9, 9, false, 0},
	    {"+1", 0, 9, false, 0},
	    {"01", 0, 9, false, 0},
	    {"-01", -9, 9, false, 0},
	    {" 1", 0, 9, false, 0},
	    {"1 ", 0, 9, false, 0},
	    {"1e1", 0, 99, false, 0},
	    {"1.0", 0, 99, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t v = 42;

		if (text_to_int(text_of(rows[i].in), rows[i].lo, rows[i].hi, &v) != rows[i].ok)
			fail_msg("'%s'", rows[i].in);
		assert_int_equal(v, rows[i].ok ? rows[i].v : 42);
	}
	int64_t v;
	assert_false(text_to_int((struct text){NULL, 0}, 0, 9, &v));
	assert_true(text_to_int((struct text){"123", 2}, 0, 99, &v));
	assert_int_equal(v, 12);
}

static void equality(void **state)
{
	(void)state;
	assert_true(text_equal(TEXT("a"), TEXT("a")));
	assert_false(text_equal(TEXT("a"), TEXT("A")));
	assert_false(text_equal(TEXT("a"), TEXT("ab")));
	assert_true(text_equal((struct text){NULL, 0}, TEXT("")));
	assert_true(text_equal(TEXT("a\0b"), TEXT("a\0b")));
	assert_false(text_equal(TEXT("a\0b"), TEXT("a\0c")));
	assert_true(text_equal_nocase(TEXT("Content-TYPE"), TEXT("content-type")));
	assert_false(text_equal_nocase(TEXT("@"), TEXT("`"))); /* 32 apart, but no letters */
	assert_false(text_equal_nocase(TEXT("a"), TEXT("ab")));
	assert_true(text_starts(TEXT("Bearer x"), TEXT("Bearer ")));
	assert_true(text_starts(TEXT("x"), TEXT("")));
	assert_false(text_starts(TEXT("Bear"), TEXT("Bearer")));
}

static void utf8(void **state)
{
	static const struct {
		const char *in;
		int64_t chars;
	} rows[] = {
	    {"", 0},
	    {"abc", 3},
	    {"자리", 2},
	    {"\xC2\x80", 1},
	    {"\xF0\x9F\x8E\xAB!", 2},
	    {"\xF4\x8F\xBF\xBF", 1},  /* U+10FFFF */
	    {"\xF4\x90\x80\x80", -1}, /* above it */
	    {"\xC0\x80", -1},         /* overlong NUL */
	    {"\xC1\xBF", -1},         /* overlong */
	    {"\xE0\x9F\xBF", -1},     /* overlong */
	    {"\xF0\x8F\xBF\xBF", -1}, /* overlong */
	    {"\xED\xA0\x80", -1},     /* surrogate */
	    {"\xED\x9F\xBF", 1},      /* just before them */
	    {"\xEE\x80\x80", 1},      /* just after */
	    {"\x80", -1},             /* no beginning */
	    {"\xE2\x82", -1},         /* cut */
	    {"\xE2\x82x", -1},
	    {"\xFF", -1},
	    {"\xF8\x88\x80\x80\x80", -1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (text_utf8_chars(text_of(rows[i].in)) != rows[i].chars)
			fail_msg("row %zu", i);
	/* a character that only what lies behind the end would complete */
	assert_int_equal(text_utf8_chars((struct text){"\xE2\x82\xAC", 2}), -1);
}

static void controls(void **state)
{
	static const char *const with[] = {"a\nb",     "\x01",     "\x1F",         "\x7F",
	                                   "\xC2\x80", "\xC2\x9F", "\xE2\x80\xA8", "\xE2\x80\xA9"};
	static const char *const without[] = {"", " ", "자리", "\xC2\xA0", "~", "\xE2\x80\xA7", "\xE2\x80\xAA"};

	(void)state;
	for (size_t i = 0; i < COUNT(with); i++)
		if (!text_has_control(text_of(with[i])))
			fail_msg("row %zu has one", i);
	for (size_t i = 0; i < COUNT(without); i++)
		if (text_has_control(text_of(without[i])))
			fail_msg("row %zu has none", i);
	assert_true(text_has_control(TEXT("a\0b")));
}

static void instants_read(void **state)
{
	static const struct {
		const char *in;
		int64_t ms;
		int32_t date;
	} rows[] = {
	    {"1970-01-01T00:00:00Z", 0, 19700101},
	    {"2026-12-24T10:00:00Z", 1798106400000, 20261224},
	    {"2026-12-24t10:00:00z", 1798106400000, 20261224},
	    {"2026-12-24T19:00:00+09:00", 1798106400000, 20261224},
	    {"2026-12-25T00:30:00+14:30", 1798106400000, 20261225},
	    {"2026-12-23T23:00:00-11:00", 1798106400000, 20261223},
	    {"2026-12-24T10:00:00-00:00", 1798106400000, 20261224},
	    {"2026-12-24T10:00:00.1Z", 1798106400100, 20261224},
	    {"2026-12-24T10:00:00.12Z", 1798106400120, 20261224},
	    {"2026-12-24T10:00:00.123Z", 1798106400123, 20261224},
	    {"2026-12-24T10:00:00.1239Z", 1798106400123, 20261224},
	    {"2026-12-24T10:00:00.123456789Z", 1798106400123, 20261224},
	    {"2000-02-29T00:00:00Z", 951782400000, 20000229},
	    {"2024-02-29T00:00:00Z", 1709164800000, 20240229},
	    {"2024-03-01T00:00:00Z", 1709251200000, 20240301},
	    {"9999-12-31T23:59:59.999Z", 253402300799999, 99991231},
	    {"1970-01-02T00:00:00+23:59", 60000, 19700102},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t ms = -1;
		int32_t date = -1;

		if (!text_instant_parse(text_of(rows[i].in), &ms, &date))
			fail_msg("'%s' refused", rows[i].in);
		assert_int_equal(ms, rows[i].ms);
		assert_int_equal(date, rows[i].date);
		assert_true(text_instant_parse(text_of(rows[i].in), &ms, NULL));
	}
}

static void instants_refused(void **state)
{
	static const char *const rows[] = {
	    "",
	    "2026",
	    "2026-12-24",
	    "2026-12-24T10:00:00",
	    "2026-12-24T10:00Z",
	    "2026-12-24 10:00:00Z",
	    "2026-12-24T10:00:00ZZ",
	    "2026-12-24T10:00:00Z ",
	    " 2026-12-24T10:00:00Z",
	    "2026-02-30T10:00:00Z",
	    "2026-02-29T10:00:00Z",
	    "1900-02-29T10:00:00Z",
	    "2100-02-29T00:00:00Z",
	    "2026-04-31T10:00:00Z",
	    "2026-00-10T10:00:00Z",
	    "2026-13-10T10:00:00Z",
	    "2026-12-00T10:00:00Z",
	    "2026-12-32T10:00:00Z",
	    "2026-12-24T24:00:00Z",
	    "2026-12-24T10:60:00Z",
	    "2026-12-31T23:59:60Z",
	    "2026-12-24T10:00:61Z",
	    "2026-12-24T10:00:00.Z",
	    "2026-12-24T10:00:00.1234567890Z",
	    "2026-12-24T10:00:00,1Z",
	    "2026-12-24T10:00:00+0900",
	    "2026-12-24T10:00:00+24:00",
	    "2026-12-24T10:00:00+09:60",
	    "2026-12-24T10:00:00+09",
	    "2026-12-24T10:00:00*09:00",
	    "1969-12-31T23:59:59Z",
	    "1970-01-01T00:00:00+00:01",
	    "9999-12-31T23:59:59-00:01",
	    "0000-01-01T00:00:00Z",
	    "10000-01-01T00:00:00Z",
	    "-2026-12-24T10:00:00Z",
	    "2026-1-24T10:00:00Z",
	    "2026-12-24T1:00:00Z",
	    "2026/12/24T10:00:00Z",
	    "2026-12-24T10-00-00Z",
	    "2026-12-24T10:00:0xZ",
	    "now",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t ms = 42;
		int32_t date = 42;

		if (text_instant_parse(text_of(rows[i]), &ms, &date))
			fail_msg("'%s' taken", rows[i]);
		assert_int_equal(ms, 42);
		assert_int_equal(date, 42);
	}
}

static void instants_written(void **state)
{
	static const struct {
		int64_t ms;
		const char *out;
	} rows[] = {
	    {0, "1970-01-01T00:00:00Z"},
	    {1, "1970-01-01T00:00:00.001Z"},
	    {1798106400000, "2026-12-24T10:00:00Z"},
	    {1798106400120, "2026-12-24T10:00:00.120Z"},
	    {951782400000, "2000-02-29T00:00:00Z"},
	    {253402300799999, "9999-12-31T23:59:59.999Z"},
	    {-1, "1970-01-01T00:00:00Z"},
	    {INT64_MAX, "9999-12-31T23:59:59.999Z"},
	};
	char out[TEXT_INSTANT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(text_instant_format(rows[i].ms, out), strlen(rows[i].out));
		assert_string_equal(out, rows[i].out);
	}
	/* every day of eight thousand years, and an odd instant in it, comes back */
	for (int64_t day = 0; day < 2932897; day += 3) {
		int64_t ms = day * 86400000 + day * 7919 % 86400000, back = -1;
		struct text t = {out, text_instant_format(ms, out)};

		if (!text_instant_parse(t, &back, NULL) || back != ms)
			fail_msg("%lld became %s", (long long)ms, out);
	}
}

static void dates(void **state)
{
	static const char *const refused[] = {
	    "",           "2026-02-29", "2026-2-01",   "2026-13-01", "20261224",    "2026-12-24T",
	    "2026-12-00", "0000-01-01", "2026-12-24 ", "abcd-ef-gh", "2026-12-241", "-026-12-24"};
	char out[TEXT_DATE_SIZE];
	int32_t date = 42;

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++)
		if (text_date_parse(text_of(refused[i]), &date))
			fail_msg("'%s' taken", refused[i]);
	assert_int_equal(date, 42);
	assert_true(text_date_parse(TEXT("2028-02-29"), &date));
	assert_int_equal(date, 20280229);
	text_date_format(date, out);
	assert_string_equal(out, "2028-02-29");
	text_date_format(10101, out);
	assert_string_equal(out, "0001-01-01");
}

static void hexadecimal(void **state)
{
	const uint8_t bytes[] = {0x00, 0x0F, 0xA5, 0xFF};
	char out[9];

	(void)state;
	text_hex(bytes, sizeof(bytes), out);
	assert_string_equal(out, "000fa5ff");
	text_hex(NULL, 0, out);
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(integers),         cmocka_unit_test(equality),      cmocka_unit_test(utf8),
	    cmocka_unit_test(controls),         cmocka_unit_test(instants_read), cmocka_unit_test(instants_refused),
	    cmocka_unit_test(instants_written), cmocka_unit_test(dates),         cmocka_unit_test(hexadecimal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
