/* The arena and the buffer of src/base. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

static bool all_zero(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

static void pieces_are_apart_aligned_and_zeroed(void **state)
{
	struct arena a = {0};
	unsigned char *p[3000];
	size_t size[3000];

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 3000; i++) {
			size[i] = (size_t)(i * 7919 % 700);
			p[i] = arena_alloc(&a, size[i]);
			assert_int_equal((uintptr_t)p[i] % 16, 0);
			assert_true(all_zero(p[i], size[i]));
			memset(p[i], 1 + i % 200, size[i]);
		}
		for (int i = 0; i < 3000; i++)
			for (size_t k = 0; k < size[i]; k++)
				assert_int_equal(p[i][k], 1 + i % 200);
		arena_reset(&a);
	}
	arena_free(&a);
}

static void empty_pieces_have_addresses_of_their_own(void **state)
{
	struct arena a = {0};
	void *first = arena_alloc(&a, 0), *second = arena_alloc(&a, 0);

	(void)state;
	assert_non_null(first);
	assert_ptr_not_equal(first, second);
	arena_free(&a);
}

static void a_large_piece_fits(void **state)
{
	struct arena a = {0};
	char *small = arena_copy(&a, "small", 6);
	unsigned char *large = arena_alloc(&a, 5 << 20);

	(void)state;
	large[0] = large[(5 << 20) - 1] = 7;
	assert_string_equal(small, "small");
	assert_string_equal(arena_copy(&a, "behind", 7), "behind");
	arena_free(&a);
}

static void texts_are_copied_and_terminated(void **state)
{
	struct arena a = {0};
	char from[] = "abcdef";
	struct text t = arena_text(&a, (struct text){from, 3});

	(void)state;
	from[0] = 'x';
	assert_int_equal(t.n, 3);
	assert_string_equal(t.p, "abc");
	t = arena_text(&a, (struct text){NULL, 0});
	assert_int_equal(t.n, 0);
	assert_string_equal(t.p, "");
	assert_non_null(arena_copy(&a, NULL, 0));
	arena_free(&a);
}

/* A busy arena settles on one block and asks the system for no more. */
static void reset_keeps_one_block(void **state)
{
	struct arena a = {0};

	(void)state;
	arena_reset(&a); /* of an empty one: nothing */
	assert_null(a.head);
	for (int i = 0; i < 100; i++)
		arena_alloc(&a, 5000);
	arena_reset(&a);

	struct arena_block *kept = a.head;

	assert_non_null(kept);
	for (int round = 0; round < 5; round++) {
		arena_alloc(&a, 100000);
		assert_ptr_equal(a.head, kept);
		arena_reset(&a);
		assert_ptr_equal(a.head, kept);
	}
	arena_free(&a);
	assert_null(a.head);

	/* a block that was made for one huge piece is not kept */
	arena_alloc(&a, 10 << 20);
	arena_reset(&a);
	assert_null(a.head);
	arena_free(&a);
}

static void what_was_reset_is_poisoned(void **state)
{
	struct arena a = {0};
	char *p = arena_alloc(&a, 20);

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	assert_false(__asan_address_is_poisoned(p + 19));
	assert_true(__asan_address_is_poisoned(p + 20)); /* behind the end */
	arena_reset(&a);
	assert_true(__asan_address_is_poisoned(p));
	assert_ptr_equal(arena_alloc(&a, 8), p);
	assert_false(__asan_address_is_poisoned(p));
#else
	arena_reset(&a);
	assert_ptr_equal(arena_alloc(&a, 8), p);
#endif
	arena_free(&a);
}

static void plain_memory(void **state)
{
	unsigned char *p = mem_zero(100);

	(void)state;
	assert_true(all_zero(p, 100));
	memset(p, 9, 100);
	p = mem_grow(p, 1000);
	assert_int_equal(p[99], 9);
	free(p);
	p = mem_alloc(0);
	assert_non_null(p);
	free(p);
	p = mem_grow(NULL, 5);
	assert_non_null(p);
	free(p);
}

static void a_buffer_grows(void **state)
{
	struct buf b = {0};
	struct text t = buf_view(&b);

	(void)state;
	assert_int_equal(t.n, 0);
	buf_add(&b, NULL, 0);
	buf_text(&b, (struct text){NULL, 0});
	buf_str(&b, "one ");
	buf_text(&b, TEXT("two "));
	buf_char(&b, '3');
	buf_printf(&b, " %s %d", "four", 5);
	buf_printf(&b, "%s", "");
	assert_true(text_equal(buf_view(&b), TEXT("one two 3 four 5")));
	buf_reset(&b);
	for (int i = 0; i < 100000; i++)
		buf_printf(&b, "%d,", i % 10);
	assert_int_equal(buf_view(&b).n, 200000);
	assert_memory_equal(buf_view(&b).p + 199980, "0,1,2,3,4,5,6,7,8,9,", 20);
	buf_free(&b);
	assert_null(b.p);
}

static void a_buffer_writes_integers(void **state)
{
	static const int64_t rows[] = {0, 1, -1, 9, 10, -10, 1234567890123, INT64_MAX, INT64_MIN};
	struct buf b = {0};
	char right[32];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_reset(&b);
		buf_int(&b, rows[i]);
		int n = snprintf(right, sizeof(right), "%" PRId64, rows[i]);
		assert_int_equal(b.n, n);
		assert_memory_equal(b.p, right, b.n);
	}
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pieces_are_apart_aligned_and_zeroed),
	    cmocka_unit_test(empty_pieces_have_addresses_of_their_own),
	    cmocka_unit_test(a_large_piece_fits),
	    cmocka_unit_test(texts_are_copied_and_terminated),
	    cmocka_unit_test(reset_keeps_one_block),
	    cmocka_unit_test(what_was_reset_is_poisoned),
	    cmocka_unit_test(plain_memory),
	    cmocka_unit_test(a_buffer_grows),
	    cmocka_unit_test(a_buffer_writes_integers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
