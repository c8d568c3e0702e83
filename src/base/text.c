#include "base/text.h"

#include <assert.h>
#include <string.h>

struct text text_of(const char *terminated)
{
	return (struct text){terminated, strlen(terminated)};
}

bool text_equal(struct text a, struct text b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool text_equal_nocase(struct text a, struct text b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

bool text_starts(struct text whole, struct text prefix)
{
	return prefix.n <= whole.n && text_equal((struct text){whole.p, prefix.n}, prefix);
}

bool text_ends(struct text whole, struct text ending)
{
	return ending.n <= whole.n && text_equal((struct text){whole.p + whole.n - ending.n, ending.n}, ending);
}

struct text text_trim(struct text in)
{
	while (in.n && (in.p[0] == ' ' || in.p[0] == '\t'))
		in.p++, in.n--;
	while (in.n && (in.p[in.n - 1] == ' ' || in.p[in.n - 1] == '\t'))
		in.n--;
	return in;
}

/* ---- integers ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool text_to_int(struct text in, int64_t lo, int64_t hi, int64_t *out)
{
	bool negative = in.n > 0 && in.p[0] == '-';
	size_t i = negative ? 1 : 0;
	int64_t v = 0;

	if (i == in.n || (in.p[i] == '0' && (negative || in.n > 1)))
		return false;
	for (; i < in.n; i++) {
		if (!is_digit(in.p[i]))
			return false;
		int digit = in.p[i] - '0';
		/* downwards, because the lowest integer has no positive counterpart */
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, digit, &v))
			return false;
	}
	if (!negative && __builtin_sub_overflow(0, v, &v))
		return false;
	if (v < lo || v > hi)
		return false;
	*out = v;
	return true;
}

/* ---- UTF-8 ---- */

/* Reads the character at p[0]; its length in bytes, or 0 when there is no valid one (RFC 3629, table in section 4). */
static size_t utf8_read(const unsigned char *p, size_t n, uint32_t *code)
{
	static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len;
	uint32_t c = p[0];

	if (c < 0x80) {
		*code = c;
		return 1;
	}
	if ((c & 0xE0) == 0xC0) {
		len = 2;
		c &= 0x1F;
	} else if ((c & 0xF0) == 0xE0) {
		len = 3;
		c &= 0x0F;
	} else if ((c & 0xF8) == 0xF0) {
		len = 4;
		c &= 0x07;
	} else {
		return 0;
	}
	if (n < len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3F);
	}
	if (c < lowest[len] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return 0;
	*code = c;
	return len;
}

int64_t text_utf8_chars(struct text in)
{
	int64_t chars = 0;

	for (size_t i = 0; i < in.n; chars++) {
		uint32_t code;
		size_t len = utf8_read((const unsigned char *)in.p + i, in.n - i, &code);

		if (len == 0)
			return -1;
		i += len;
	}
	return chars;
}

bool text_has_control(struct text in)
{
	for (size_t i = 0; i < in.n;) {
		uint32_t code;
		size_t len = utf8_read((const unsigned char *)in.p + i, in.n - i, &code);

		if (len == 0)
			return true; /* not UTF-8: nothing that may be shown as it is */
		if (code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x2028 || code == 0x2029)
			return true;
		i += len;
	}
	return false;
}

/* ---- dates and instants ---- */

#define YEAR_MIN 1970
#define YEAR_MAX 9999
#define MS_PER_SECOND 1000LL
#define MS_PER_MINUTE (60 * MS_PER_SECOND)
#define MS_PER_DAY (24 * 60 * MS_PER_MINUTE)
#define DAYS_TO_1970 719468LL         /* from 0000-03-01, where the years of days_of begin */
#define DAYS_PER_ERA 146097LL         /* 400 years of the Gregorian calendar */
#define INSTANT_MAX 253402300799999LL /* 9999-12-31T23:59:59.999Z */

struct civil {
	int year, month, day;
};

static bool leap_year(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool civil_valid(struct civil c)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (c.month < 1 || c.month > 12 || c.day < 1)
		return false;
	return c.day <= days[c.month - 1] + (c.month == 2 && leap_year(c.year) ? 1 : 0);
}

/* Days since 1970-01-01 of a date from the year 0 on. Years count from March, so that the leap day is a year's last. */
static int64_t days_of(struct civil c)
{
	int64_t year = c.month <= 2 ? c.year - 1 : c.year;
	int64_t month = (c.month + 9) % 12;
	int64_t era = year / 400;
	int64_t of_era = year % 400;
	int64_t day_of_year = (153 * month + 2) / 5 + c.day - 1;

	return era * DAYS_PER_ERA + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - DAYS_TO_1970;
}

static struct civil civil_of(int64_t days)
{
	int64_t z = days + DAYS_TO_1970;
	int64_t era = z / DAYS_PER_ERA;
	int64_t d = z % DAYS_PER_ERA;
	int64_t year = (d - d / 1460 + d / 36524 - d / 146096) / 365;
	int64_t day_of_year = d - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * day_of_year + 2) / 153;
	struct civil c;

	c.day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
	c.month = (int)(month < 10 ? month + 3 : month - 9);
	c.year = (int)(era * 400 + year + (c.month <= 2 ? 1 : 0));
	return c;
}

/* Writes `v` in exactly `digits` digits and returns what follows. */
static char *put_digits(char *p, int64_t v, int digits)
{
	for (int i = digits - 1; i >= 0; i--) {
		p[i] = (char)('0' + v % 10);
		v /= 10;
	}
	return p + digits;
}

static char *put_civil(char *p, struct civil c)
{
	p = put_digits(p, c.year, 4);
	*p++ = '-';
	p = put_digits(p, c.month, 2);
	*p++ = '-';
	return put_digits(p, c.day, 2);
}

size_t text_instant_format(int64_t ms, char out[TEXT_INSTANT_SIZE])
{
	if (ms < 0)
		ms = 0;
	if (ms > INSTANT_MAX)
		ms = INSTANT_MAX;

	int64_t of_day = ms % MS_PER_DAY;
	char *p = put_civil(out, civil_of(ms / MS_PER_DAY));

	*p++ = 'T';
	p = put_digits(p, of_day / (60 * MS_PER_MINUTE), 2);
	*p++ = ':';
	p = put_digits(p, of_day / MS_PER_MINUTE % 60, 2);
	*p++ = ':';
	p = put_digits(p, of_day / MS_PER_SECOND % 60, 2);
	if (ms % MS_PER_SECOND != 0) {
		*p++ = '.';
		p = put_digits(p, ms % MS_PER_SECOND, 3);
	}
	*p++ = 'Z';
	*p = 0;
	return (size_t)(p - out);
}

/* Takes exactly `digits` digits off the front of `in`. */
static bool take_digits(struct text *in, int digits, int *out)
{
	int v = 0;

	if (in->n < (size_t)digits)
		return false;
	for (int i = 0; i < digits; i++) {
		if (!is_digit(in->p[i]))
			return false;
		v = v * 10 + (in->p[i] - '0');
	}
	in->p += digits;
	in->n -= (size_t)digits;
	*out = v;
	return true;
}

/* Takes one character that is `c`, or its other case when `c` is a lower-case letter. */
static bool take_char(struct text *in, char c)
{
	if (in->n == 0 || lower(in->p[0]) != c)
		return false;
	in->p++;
	in->n--;
	return true;
}

static bool take_civil(struct text *in, struct civil *c)
{
	return take_digits(in, 4, &c->year) && take_char(in, '-') && take_digits(in, 2, &c->month) && take_char(in, '-') &&
	       take_digits(in, 2, &c->day) && civil_valid(*c);
}

/* hh:mm:ss with an optional fraction, as milliseconds. A leap second is refused: no clock of ours has one. */
static bool take_time(struct text *in, int64_t *ms)
{
	int hour, minute, second, fraction = 0, places = 0;

	if (!take_digits(in, 2, &hour) || !take_char(in, ':') || !take_digits(in, 2, &minute) || !take_char(in, ':') ||
	    !take_digits(in, 2, &second) || hour > 23 || minute > 59 || second > 59)
		return false;
	if (take_char(in, '.')) {
		for (int digit; take_digits(in, 1, &digit); places++)
			if (places < 3)
				fraction = fraction * 10 + digit;
		if (places < 1 || places > 9)
			return false;
		for (; places < 3; places++)
			fraction *= 10;
	}
	*ms = (hour * 60LL + minute) * MS_PER_MINUTE + second * MS_PER_SECOND + fraction;
	return true;
}

static bool take_offset(struct text *in, int64_t *ms)
{
	int hour, minute, sign = 0;

	if (take_char(in, 'z')) {
		*ms = 0;
		return true;
	}
	if (take_char(in, '+'))
		sign = 1;
	else if (take_char(in, '-'))
		sign = -1;
	if (sign == 0 || !take_digits(in, 2, &hour) || !take_char(in, ':') || !take_digits(in, 2, &minute) || hour > 23 ||
	    minute > 59)
		return false;
	*ms = sign * (hour * 60LL + minute) * MS_PER_MINUTE;
	return true;
}

static int32_t date_number(struct civil c)
{
	return c.year * 10000 + c.month * 100 + c.day;
}

bool text_instant_parse(struct text in, int64_t *ms, int32_t *date)
{
	struct civil c;
	int64_t of_day, offset, instant;

	if (!take_civil(&in, &c) || !take_char(&in, 't') || !take_time(&in, &of_day) || !take_offset(&in, &offset) || in.n != 0)
		return false;
	if (c.year < YEAR_MIN || c.year > YEAR_MAX)
		return false;
	instant = days_of(c) * MS_PER_DAY + of_day - offset;
	if (instant < 0 || instant > INSTANT_MAX)
		return false;
	*ms = instant;
	if (date)
		*date = date_number(c);
	return true;
}

void text_date_format(int32_t date, char out[TEXT_DATE_SIZE])
{
	struct civil c = {date / 10000, date / 100 % 100, date % 100};

	assert(date >= 0 && date <= 99999999);
	*put_civil(out, c) = 0;
}

bool text_date_parse(struct text in, int32_t *date)
{
	struct civil c;

	if (!take_civil(&in, &c) || in.n != 0 || c.year < 1)
		return false;
	*date = date_number(c);
	return true;
}

void text_hex(const uint8_t *bytes, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = 0;
}
