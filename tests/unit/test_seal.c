/* Tokens: what base/seal.h promises of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/seal.h"
#include <stdlib.h>
#include <string.h>

static const uint8_t key[SEAL_KEY_BYTES] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
                                            13, 14, 15, 16, 99, 98, 97, 96, 95, 94, 93, 92};

static int start(void **state)
{
	*state = seal_new(key);
	return *state ? 0 : -1;
}

static int stop(void **state)
{
	seal_free(*state);
	return 0;
}

static struct text token_of(struct seal *s, const struct seal_ticket *t, char out[SEAL_TOKEN_CHARS + 1])
{
	seal_token(s, t, out);
	assert_int_equal(strlen(out), SEAL_TOKEN_CHARS);
	return (struct text){out, SEAL_TOKEN_CHARS};
}

static void round_trip(void **state)
{
	static const struct seal_ticket rows[] = {
	    {1, 1, 1, 1798106400000},  {1, 2, 1, 1798106400000},
	    {7, 123456789, 42, 1},     {SEAL_QUEUE_MAX, SEAL_NUMBER_MAX, INT64_MAX, INT64_MAX},
	    {SEAL_QUEUE_MAX, 1, 1, 0}, {1, SEAL_NUMBER_MAX, 1, 0},
	};
	char out[SEAL_TOKEN_CHARS + 1], again[SEAL_TOKEN_CHARS + 1];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text token = token_of(*state, &rows[i], out);
		int64_t queue = 0, number = 0;

		assert_true(seal_claims(*state, token, &queue, &number));
		assert_int_equal(queue, rows[i].queue_id);
		assert_int_equal(number, rows[i].number);
		assert_true(seal_opens(*state, token, &rows[i]));
		token_of(*state, &rows[i], again);
		assert_string_equal(out, again);
	}
}

static void is_a_uuid_of_version_4(void **state)
{
	char out[SEAL_TOKEN_CHARS + 1];

	for (int64_t n = 1; n <= 2000; n++) {
		token_of(*state, &(struct seal_ticket){1, n, n, n}, out);
		for (int i = 0; i < SEAL_TOKEN_CHARS; i++)
			if (i == 8 || i == 13 || i == 18 || i == 23)
				assert_int_equal(out[i], '-');
			else
				assert_non_null(strchr("0123456789abcdef", out[i]));
		assert_int_equal(out[14], '4');
		assert_non_null(strchr("89ab", out[19]));
	}
}

static int nibble(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static void a_flipped_bit_is_refused(void **state)
{
	static const char digits[] = "0123456789abcdef";
	struct seal_ticket t = {3, 1000, 77, 1798106400000};
	char out[SEAL_TOKEN_CHARS + 1];
	struct text token = token_of(*state, &t, out);
	int flips = 0;

	for (int i = 0; i < SEAL_TOKEN_CHARS; i++) {
		if (out[i] == '-')
			continue;
		for (int bit = 0; bit < 4; bit++, flips++) {
			char right = out[i];
			struct seal_ticket claimed = t;

			out[i] = digits[nibble(right) ^ (1 << bit)];
			assert_false(seal_opens(*state, token, &t));
			/* nor does it open the ticket that it now claims */
			if (seal_claims(*state, token, &claimed.queue_id, &claimed.number))
				assert_false(seal_opens(*state, token, &claimed));
			out[i] = right;
		}
	}
	assert_int_equal(flips, 128);
	assert_true(seal_opens(*state, token, &t));
}

/* The mask hangs on each bit of the digest: a change of any leaves another claim. */
static void the_mask_depends_on_the_whole_digest(void **state)
{
	static const char digits[] = "0123456789abcdef";
	struct seal_ticket t = {3, 1000, 77, 1798106400000};
	char out[SEAL_TOKEN_CHARS + 1];
	struct text token = token_of(*state, &t, out);

	for (int i = 19; i < SEAL_TOKEN_CHARS; i++) {
		if (out[i] == '-')
			continue;
		for (int bit = 0; bit < (i == 19 ? 2 : 4); bit++) {
			char right = out[i];
			int64_t queue = 0, number = 0;

			out[i] = digits[nibble(right) ^ (1 << bit)];
			if (seal_claims(*state, token, &queue, &number))
				assert_false(queue == t.queue_id || number == t.number);
			out[i] = right;
		}
	}
}

static void case_does_not_matter(void **state)
{
	struct seal_ticket t = {3, 1000, 77, 1798106400000};
	char out[SEAL_TOKEN_CHARS + 1];
	struct text token = token_of(*state, &t, out);
	int64_t queue = 0, number = 0;
	bool letters = false;

	for (int i = 0; i < SEAL_TOKEN_CHARS; i++)
		if (out[i] >= 'a' && out[i] <= 'f') {
			out[i] = (char)(out[i] - 'a' + 'A');
			letters = true;
		}
	assert_true(letters);
	assert_true(seal_claims(*state, token, &queue, &number));
	assert_int_equal(queue, 3);
	assert_int_equal(number, 1000);
	assert_true(seal_opens(*state, token, &t));
}

static void all_that_is_bound_in_counts(void **state)
{
	struct seal_ticket t = {3, 1000, 77, 1798106400000};
	const struct seal_ticket others[] = {{4, 1000, 77, 1798106400000},
	                                     {3, 1001, 77, 1798106400000},
	                                     {3, 1000, 78, 1798106400000},
	                                     {3, 1000, 77, 1798106400001}};
	uint8_t other_key[SEAL_KEY_BYTES];
	char out[SEAL_TOKEN_CHARS + 1], other[SEAL_TOKEN_CHARS + 1];
	struct text token = token_of(*state, &t, out);

	for (size_t i = 0; i < 4; i++) {
		token_of(*state, &others[i], other);
		assert_string_not_equal(out, other);
		assert_false(seal_opens(*state, token, &others[i]));
	}
	/* either half of the key */
	for (size_t i = 0; i < SEAL_KEY_BYTES; i += 16) {
		memcpy(other_key, key, sizeof(key));
		other_key[i] ^= 1;
		struct seal *s = seal_new(other_key);

		assert_non_null(s);
		token_of(s, &t, other);
		assert_string_not_equal(out, other);
		assert_false(seal_opens(s, token, &t));
		seal_free(s);
	}
}

static void malformed(void **state)
{
	static const char *const rows[] = {
	    "",
	    "x",
	    "00000000-0000-4000-8000-00000000000",
	    "00000000-0000-4000-8000-0000000000000",
	    "00000000-0000-4000-8000-00000000000g",
	    "0000000000000-4000-8000-000000000000",
	    "00000000+0000-4000-8000-000000000000",
	    "00000000-0000-1000-8000-000000000000",
	    "00000000-0000-4000-0000-000000000000",
	    "00000000-0000-4000-c000-000000000000",
	    "00000000000040008000000000000000",
	    "{0000000-0000-4000-8000-00000000000}",
	    "00000000-0000-4000-8000-00000000 000",
	    "0000000 -0000-4000-8000-000000000000",
	};
	struct seal_ticket t = {3, 1000, 77, 1798106400000};
	int64_t queue = 5, number = 6;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_false(seal_claims(*state, text_of(rows[i]), &queue, &number));
		assert_false(seal_opens(*state, text_of(rows[i]), &t));
	}
	assert_false(seal_claims(*state, (struct text){NULL, 0}, &queue, &number));
	assert_int_equal(queue, 5);
	assert_int_equal(number, 6);
}

/* Tokens of neighbours do not tell how long the line is: nothing of number or queue shines through. */
static void neighbours_look_unrelated(void **state)
{
	char a[SEAL_TOKEN_CHARS + 1], b[SEAL_TOKEN_CHARS + 1];
	int differing = 0, digits = 0;

	for (int64_t n = 1; n <= 1000; n++) {
		token_of(*state, &(struct seal_ticket){1, n, 5, 1000}, a);
		token_of(*state, &(struct seal_ticket){1, n + 1, 5, 1000}, b);
		for (int i = 0; i < 13; i++) {
			if (a[i] == '-')
				continue;
			digits++;
			differing += a[i] != b[i];
		}
	}
	/* 15 of 16 on average */
	assert_true(differing > digits * 9 / 10);
}

/* What is kept of the last token does not show: whatever was asked before, a ticket's token is what another seal of the same key makes of it. */
static void what_came_before_does_not_matter(void **state)
{
	char out[SEAL_TOKEN_CHARS + 1], wanted[SEAL_TOKEN_CHARS + 1];
	uint32_t chance = 7;

	for (int i = 0; i < 3000; i++) {
		struct seal *fresh = seal_new(key);
		int64_t queue, number;

		chance = chance * 1664525 + 1013904223;
		struct seal_ticket t = {1 + (chance >> 30), 1 + (chance >> 28) % 4, 1 + (chance >> 26) % 2,
		                        1000 + (chance >> 24) % 2};
		struct seal_ticket other = t;
		other.user_id++;
		assert_non_null(fresh);
		struct text token = token_of(fresh, &t, wanted);
		if (chance & 0x400000)
			assert_false(seal_opens(*state, token, &other));
		if (chance & 0x800000)
			assert_true(seal_claims(*state, token, &queue, &number) && queue == t.queue_id && number == t.number);
		assert_true(seal_opens(*state, token, &t));
		token_of(*state, &t, out);
		assert_string_equal(out, wanted);
		seal_free(fresh);
	}
}

/* The zeroed memory of a new seal is no ticket's. */
static void a_new_seal_remembers_nothing(void **state)
{
	int64_t queue = 5, number = 6;

	assert_false(seal_opens(*state, TEXT("00000000-0000-4000-8000-000000000000"), &(struct seal_ticket){0, 0, 0, 0}));
	if (seal_claims(*state, TEXT("00000000-0000-4000-8000-000000000000"), &queue, &number))
		assert_true(queue != 0 && number != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(round_trip, start, stop),
	    cmocka_unit_test_setup_teardown(is_a_uuid_of_version_4, start, stop),
	    cmocka_unit_test_setup_teardown(a_flipped_bit_is_refused, start, stop),
	    cmocka_unit_test_setup_teardown(the_mask_depends_on_the_whole_digest, start, stop),
	    cmocka_unit_test_setup_teardown(case_does_not_matter, start, stop),
	    cmocka_unit_test_setup_teardown(all_that_is_bound_in_counts, start, stop),
	    cmocka_unit_test_setup_teardown(malformed, start, stop),
	    cmocka_unit_test_setup_teardown(neighbours_look_unrelated, start, stop),
	    cmocka_unit_test_setup_teardown(what_came_before_does_not_matter, start, stop),
	    cmocka_unit_test_setup_teardown(a_new_seal_remembers_nothing, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
