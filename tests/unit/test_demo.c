/* test_demo.c: the demo catalogue is a valid document with a future on any day. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/limits.h"
#include "cli/demo.h"
#include "http/catalogue.h"
#include <stdio.h>
#include <string.h>

#define DAY_MS (24LL * 3600 * 1000)
#define KOREA_MS (9LL * 3600 * 1000)

static int64_t instant(const char *text)
{
	int64_t ms = 0;

	assert_true(text_instant_parse(text_of(text), &ms, NULL));
	return ms;
}

static void fills(const char *document, const char *now, const char *expected)
{
	struct buf out = {0};
	char error[CLI_DEMO_ERROR_SIZE] = "";

	assert_true(cli_demo_fill(text_of(document), instant(now), &out, error));
	buf_char(&out, '\0');
	assert_string_equal(out.p, expected);
	buf_free(&out);
}

static void days_are_counted_in_korea(void **state)
{
	(void)state;
	fills("{\"a\":\"+0d 00:00\"}", "2026-12-24T14:59:59Z", "{\"a\":\"2026-12-24T00:00:00+09:00\"}");
	fills("{\"a\":\"+0d 00:00\"}", "2026-12-24T15:00:00Z", "{\"a\":\"2026-12-25T00:00:00+09:00\"}");
	fills("[\"+12d 19:30\", \"-2d 23:59\"]", "2026-12-24T10:00:00.123Z",
	      "[\"2027-01-05T19:30:00+09:00\", \"2026-12-22T23:59:00+09:00\"]");
	fills("\"+1d 08:05\"", "2028-02-28T03:00:00Z", "\"2028-02-29T08:05:00+09:00\"");
}

static void other_texts_stay(void **state)
{
	static const char *const same[] = {"",   "{}", "\"\"", "\"+\"", "\"-x\"", "[1,-2,\"plus +12d 19:30\"]", "\"자리 +1d\"",
	                                   "\"+"};

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		fills(same[i], "2026-12-24T10:00:00Z", same[i]);
}

static void broken_instants_are_refused(void **state)
{
	static const char *const broken[] = {"\"+12d 24:00\"", "\"+12d 19:60\"",  "\"+12d 9:30\"",    "\"+12d19:30\"",
	                                     "\"+12 19:30\"",  "\"+012d 19:30\"", "\"+9999d 19:30\"", "\"+12d 19:30",
	                                     "\"+12d 19:3x\"", "\"+12d 19:300\""};
	struct buf out = {0};
	char error[CLI_DEMO_ERROR_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		error[0] = '\0';
		assert_false(cli_demo_fill(text_of(broken[i]), 0, &out, error));
		assert_non_null(strstr(error, "+12d 19:30"));
	}
	buf_free(&out);
}

/* The number of a show's seats; they follow each other, so none is there twice. */
static int64_t check_seats(const struct core_new_show *show)
{
	int64_t last = 0;

	assert_true(show->seats_count > 0);
	for (size_t i = 0; i < show->seats_count; i++) {
		assert_int_equal(show->seats[i].from, last + 1);
		assert_true(show->seats[i].to >= show->seats[i].from);
		assert_in_range(show->seats[i].price, 1000, JARI_PRICE_MAX);
		assert_true(show->seats[i].section.n > 0);
		last = show->seats[i].to;
	}
	assert_in_range(last, 1, JARI_SEATS_PER_SHOW_MAX);
	return last;
}

static void check_show(const struct core_new_show *show, int64_t now)
{
	char date[TEXT_DATE_SIZE], local[TEXT_INSTANT_SIZE];

	assert_true(show->starts_at > now + 7 * DAY_MS); /* a buyer who tries it has a week */
	text_date_format(show->date, date);
	assert_int_equal(text_instant_format(show->starts_at + KOREA_MS, local), strlen("2026-12-24T10:00:00Z"));
	assert_memory_equal(date, local, strlen(date)); /* the date is the local one */
}

struct seen {
	size_t open, closed, shows, large, fifty;
};

static void check_concert(const struct core_new_concert *c, int64_t now, struct seen *seen)
{
	assert_true(c->title.n > 0 && c->artist.n > 0 && c->venue.n > 0 && c->show_count > 0);
	if (c->sales_open_at <= now)
		seen->open++;
	else
		seen->closed++;
	for (size_t i = 0; i < c->show_count; i++) {
		int64_t seats = check_seats(&c->shows[i]);

		check_show(&c->shows[i], now);
		if (i > 0)
			assert_true(c->shows[i].starts_at > c->shows[i - 1].starts_at);
		seen->shows++;
		seen->fifty += seats == JARI_SEATS_PER_SHOW_DEFAULT;
		if (seats >= 2000) {
			seen->large++;
			assert_true(text_equal(c->queue, TEXT("arena"))); /* a queue of its own */
		}
	}
}

static void check_at(int64_t now)
{
	struct arena arena = {0};
	struct buf json = {0};
	struct core_catalogue doc = {0};
	struct seen seen = {0};
	char error[CATALOGUE_ERROR_SIZE] = "";

	if (!cli_demo_catalogue(now, &json, error) || !catalogue_read(buf_view(&json), &arena, &doc, error))
		fail_msg("at %lld: %s", (long long)now, error);
	assert_in_range(json.n, 1, JARI_CATALOGUE_BODY_MAX);
	assert_int_equal(doc.queue_count, 1);
	assert_true(text_equal(doc.queues[0].name, TEXT("arena")));
	assert_true(doc.concert_count >= 5);
	assert_int_equal(doc.concerts[0].queue.n, 0); /* the first one: the default queue, on sale, fifty seats */
	assert_true(doc.concerts[0].sales_open_at <= now);
	assert_int_equal(check_seats(&doc.concerts[0].shows[0]), JARI_SEATS_PER_SHOW_DEFAULT);
	for (size_t i = 0; i < doc.concert_count; i++)
		check_concert(&doc.concerts[i], now, &seen);
	assert_true(seen.open >= 3);
	assert_int_equal(seen.closed, 1);
	assert_int_equal(seen.large, 1);
	assert_int_equal(seen.fifty, seen.shows - 1);
	buf_free(&json);
	arena_free(&arena);
}

static void any_day_gives_a_valid_document(void **state)
{
	int64_t first = instant("2027-12-31T15:00:00Z"); /* midnight in Korea before a leap year */

	(void)state;
	for (int day = 0; day <= 366; day++)
		check_at(first + day * DAY_MS + (int64_t)(day % 24) * 3600 * 1000);
	check_at(first - 1);
	check_at(first + DAY_MS - 1);
	check_at(instant("1970-03-01T00:00:00Z"));
	check_at(instant("2099-12-31T23:59:59Z"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(days_are_counted_in_korea),
	    cmocka_unit_test(other_texts_stay),
	    cmocka_unit_test(broken_instants_are_refused),
	    cmocka_unit_test(any_day_gives_a_valid_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
