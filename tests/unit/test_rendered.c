/* What is kept of shows' seats: found under its show, form, version and state alone, and bounded. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/limits.h"
#include "http/rendered.h"
#include <stdlib.h>
#include <string.h>

static int start(void **state)
{
	*state = rendered_new();
	return *state ? 0 : -1;
}

static int stop(void **state)
{
	rendered_free(*state);
	return 0;
}

static struct rendered_key key(enum rendered_form form, int64_t show_id, int64_t version)
{
	return (struct rendered_key){.show_id = show_id, .version = version, .state = 1, .form = form};
}

static void put(struct rendered *r, enum rendered_form form, int64_t show_id, int64_t version, struct text body, struct text tag)
{
	struct rendered_key k = key(form, show_id, version);
	rendered_put(r, &k, body, tag);
}

static bool get(struct rendered *r, enum rendered_form form, int64_t show_id, int64_t version, struct text *body,
                struct text *tag)
{
	struct rendered_key k = key(form, show_id, version);
	return rendered_get(r, &k, body, tag);
}

static bool keeps(struct rendered *r, enum rendered_form form, int64_t show_id, int64_t version, const char *wanted,
                  const char *wanted_tag)
{
	struct text body, tag;
	return get(r, form, show_id, version, &body, &tag) && text_equal(body, text_of(wanted)) &&
	       text_equal(tag, text_of(wanted_tag));
}

static bool keeps_any(struct rendered *r, enum rendered_form form, int64_t show_id, int64_t version)
{
	struct text body, tag;
	return get(r, form, show_id, version, &body, &tag);
}

static void found_under_what_it_is(void **state)
{
	struct rendered *r = *state;
	assert_false(keeps_any(r, RENDERED_SEATS, 0, 0));
	assert_false(keeps_any(r, RENDERED_SEATS, 7, 0));
	put(r, RENDERED_SEATS, 7, 3, TEXT("{seats}"), TEXT("\"3-a\""));
	put(r, RENDERED_STATUSES, 7, 3, TEXT("{AHS}"), TEXT("\"3-b\""));
	put(r, RENDERED_SEATS, 8, 3, TEXT("{}"), TEXT("\"3-c\""));
	assert_true(keeps(r, RENDERED_SEATS, 7, 3, "{seats}", "\"3-a\""));
	assert_true(keeps(r, RENDERED_STATUSES, 7, 3, "{AHS}", "\"3-b\""));
	assert_true(keeps(r, RENDERED_SEATS, 8, 3, "{}", "\"3-c\""));
	assert_false(keeps_any(r, RENDERED_SEATS, 7, 4));
	assert_false(keeps_any(r, RENDERED_SEATS, 7, 2));
	assert_false(keeps_any(r, RENDERED_STATUSES, 8, 3));

	put(r, RENDERED_SEATS, 7, 5, TEXT("{more seats}"), TEXT("\"5-a\""));
	assert_false(keeps_any(r, RENDERED_SEATS, 7, 3));
	assert_true(keeps(r, RENDERED_SEATS, 7, 5, "{more seats}", "\"5-a\""));
	assert_true(keeps(r, RENDERED_STATUSES, 7, 3, "{AHS}", "\"3-b\""));

	/* the same version in another state of the process is not what is kept */
	struct rendered_key other = key(RENDERED_SEATS, 7, 5);
	struct text body, tag;
	other.state = 2;
	assert_false(rendered_get(r, &other, &body, &tag));
	rendered_put(r, &other, TEXT("{other seats}"), TEXT("\"5-b\""));
	assert_true(rendered_get(r, &other, &body, &tag));
	assert_true(text_equal(body, TEXT("{other seats}")));
	assert_false(keeps_any(r, RENDERED_SEATS, 7, 5));
}

static void shows_that_share_a_place(void **state)
{
	struct rendered *r = *state;
	put(r, RENDERED_SEATS, 7, 1, TEXT("seven"), TEXT("\"1-7\""));
	assert_false(keeps_any(r, RENDERED_SEATS, 7 + JARI_RENDERED_SHOWS, 1));
	put(r, RENDERED_SEATS, 7 + JARI_RENDERED_SHOWS, 1, TEXT("other"), TEXT("\"1-o\""));
	assert_false(keeps_any(r, RENDERED_SEATS, 7, 1));
	assert_true(keeps(r, RENDERED_SEATS, 7 + JARI_RENDERED_SHOWS, 1, "other", "\"1-o\""));
}

/* What is kept fits into the bound whatever comes: it is counted by what is found again. */
static void bounded(void **state)
{
	struct rendered *r = *state;
	const size_t big = JARI_RENDERED_BYTES / 4;
	char *bytes = mem_zero(big + 1);
	memset(bytes, 'x', big + 1);
	put(r, RENDERED_SEATS, 1, 1, (struct text){bytes, big + 1}, TEXT(""));
	assert_false(keeps_any(r, RENDERED_SEATS, 1, 1));

	uint32_t chance = 1;
	for (int i = 0; i < 2000; i++) {
		size_t total = 0;
		chance = chance * 1664525 + 1013904223;
		int64_t show = 1 + (chance >> 24) % 100;
		size_t n = i < 1000 ? chance % (big - 64) : chance % 3000;
		put(r, RENDERED_SEATS, show, i, (struct text){bytes, n}, TEXT("\"t\""));
		assert_true(keeps_any(r, RENDERED_SEATS, show, i));
		for (int64_t s = 1; s <= 100; s++) {
			for (int v = i > 200 ? i - 200 : 0; v <= i; v++) {
				struct text body, tag;
				if (get(r, RENDERED_SEATS, s, v, &body, &tag))
					total += body.n + tag.n;
			}
		}
		assert_true(total <= JARI_RENDERED_BYTES);
	}
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(found_under_what_it_is, start, stop),
	    cmocka_unit_test_setup_teardown(shows_that_share_a_place, start, stop),
	    cmocka_unit_test_setup_teardown(bounded, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
