/* text.h: a run of bytes with its length, and the strict readers and writers of numbers and instants.
 *
 * Ownership: a struct text never owns its bytes; whoever made it says how long they live.
 * Threads: pure functions, any thread. Errors: the readers return false and leave their output alone. */
#ifndef JARI_BASE_TEXT_H
#define JARI_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	const char *p; /* not terminated; NULL only when n is 0 */
	size_t n;
};

/* A struct text of a string literal. */
#define TEXT(literal) ((struct text){"" literal, sizeof(literal) - 1})

/* A struct text of a terminated string that outlives it. */
struct text text_of(const char *terminated);
bool text_equal(struct text a, struct text b);
/* ASCII case-insensitive equality, for header names and schemes. */
bool text_equal_nocase(struct text a, struct text b);
bool text_starts(struct text whole, struct text prefix);
bool text_ends(struct text whole, struct text ending);
/* Without the blanks and tabs around it: the optional white space of HTTP (RFC 9110 5.6.3). */
struct text text_trim(struct text in);

/* Reads a decimal integer that is all of `in`: no sign but '-', no leading zeros, no spaces; fails outside lo..hi. */
bool text_to_int(struct text in, int64_t lo, int64_t hi, int64_t *out);

/* Checks UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF) and counts the characters.
 * Returns -1 when `in` is not UTF-8. */
int64_t text_utf8_chars(struct text in);
/* True when valid UTF-8 `in` has a control character: U+0000..001F, U+007F..009F, U+2028, U+2029. */
bool text_has_control(struct text in);

/* Room for any instant that text_instant_format writes, with its terminator. */
#define TEXT_INSTANT_SIZE 32
/* Writes `ms` since 1970 as RFC 3339 in UTC: `2026-12-24T10:00:00Z`, with `.123` when there are milliseconds.
 * Years 1970 to 9999. Returns the length written without the terminator. */
size_t text_instant_format(int64_t ms, char out[TEXT_INSTANT_SIZE]);
/* Reads an RFC 3339 instant with any offset (years 1970 to 9999; up to 9 fraction digits, kept to the millisecond).
 * `date`, if not NULL, gets the local calendar date in that offset as the number yyyymmdd. */
bool text_instant_parse(struct text in, int64_t *ms, int32_t *date);

/* Dates are numbers yyyymmdd, so that they compare and store as integers. */
#define TEXT_DATE_SIZE 11
void text_date_format(int32_t date, char out[TEXT_DATE_SIZE]);
bool text_date_parse(struct text in, int32_t *date);

/* Lower-case hexadecimal of `n` bytes into out[2n + 1]. */
void text_hex(const uint8_t *bytes, size_t n, char *out);

#endif
