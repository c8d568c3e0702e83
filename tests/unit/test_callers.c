/* test_callers.c: connections are counted in all and by address: IPv4 whole, IPv6 by /64, this machine not at all. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/callers.h"
#include <pthread.h>
#include <stdio.h>

static struct http_address of(const char *written)
{
	struct http_address a;
	assert_true(http_address_parse(text_of(written), &a));
	return a;
}

static enum http_callers_answer enter(struct http_callers *c, const char *from, struct http_caller **caller)
{
	struct http_address a = of(from);
	return http_callers_enter(c, &a, caller);
}

static void each_address_has_its_own_number(void **state)
{
	struct http_callers *c = http_callers_new(0, 2);
	struct http_caller *a[2], *b[2], *six[2], *other, *none;
	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(enter(c, "192.0.2.1", &a[i]), HTTP_CALLER_IN);
		assert_int_equal(enter(c, "192.0.2.2", &b[i]), HTTP_CALLER_IN);
		assert_int_equal(enter(c, i ? "2001:db8::1" : "2001:db8::ffff:1", &six[i]), HTTP_CALLER_IN);
	}
	assert_int_equal(enter(c, "192.0.2.1", &none), HTTP_CALLER_HAS_ENOUGH);
	assert_null(none);
	assert_int_equal(enter(c, "::ffff:192.0.2.2", &none), HTTP_CALLER_HAS_ENOUGH);
	assert_int_equal(enter(c, "2001:db8::2", &none), HTTP_CALLER_HAS_ENOUGH);
	assert_int_equal(enter(c, "2001:db8:0:1::1", &other), HTTP_CALLER_IN);
	assert_int_equal(http_callers_count(c), 7);
	/* who was refused is not counted; who leaves makes room */
	http_callers_leave(c, a[0]);
	assert_int_equal(enter(c, "192.0.2.1", &a[0]), HTTP_CALLER_IN);
	assert_int_equal(enter(c, "192.0.2.1", &none), HTTP_CALLER_HAS_ENOUGH);
	for (int i = 0; i < 2; i++) {
		http_callers_leave(c, a[i]);
		http_callers_leave(c, b[i]);
		http_callers_leave(c, six[i]);
	}
	http_callers_leave(c, other);
	assert_int_equal(http_callers_count(c), 0);
	http_callers_free(c);
}

static void all_together_have_one_number(void **state)
{
	struct http_callers *c = http_callers_new(3, 100);
	struct http_caller *in[3], *none;
	(void)state;
	assert_int_equal(enter(c, "192.0.2.1", &in[0]), HTTP_CALLER_IN);
	assert_int_equal(enter(c, "127.0.0.1", &in[1]), HTTP_CALLER_IN);
	assert_int_equal(http_callers_enter(c, NULL, &in[2]), HTTP_CALLER_IN);
	assert_int_equal(enter(c, "192.0.2.9", &none), HTTP_CALLERS_FULL);
	assert_int_equal(enter(c, "127.0.0.1", &none), HTTP_CALLERS_FULL);
	for (int i = 0; i < 3; i++)
		http_callers_leave(c, in[i]);
	assert_int_equal(http_callers_count(c), 0);
	http_callers_free(c);
}

static void this_machine_and_no_limit(void **state)
{
	struct http_callers *c = http_callers_new(0, 1), *any = http_callers_new(0, 0);
	struct http_caller *in[20];
	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(enter(c, i % 2 ? "127.0.0.1" : "::1", &in[i]), HTTP_CALLER_IN);
		assert_int_equal(enter(any, "192.0.2.1", &in[10 + i]), HTTP_CALLER_IN);
	}
	for (int i = 0; i < 10; i++) {
		http_callers_leave(c, in[i]);
		http_callers_leave(any, in[10 + i]);
	}
	http_callers_free(c);
	http_callers_free(any);
}

/* More addresses than there are buckets, by several threads; all of it is freed, which the sanitizer sees. */
static void *come_and_go(void *arg)
{
	enum { EACH = 10000 };
	static __thread struct http_caller *in[EACH];
	struct http_callers *c = arg;
	for (uint32_t i = 0; i < EACH; i++) {
		struct http_address a = {{[10] = 0xff,
		                          [11] = 0xff,
		                          [12] = 10,
		                          [13] = (uint8_t)(i >> 16),
		                          [14] = (uint8_t)(i >> 8),
		                          [15] = (uint8_t)i}};
		if (http_callers_enter(c, &a, &in[i]) != HTTP_CALLER_IN)
			return arg;
	}
	for (uint32_t i = 0; i < EACH; i++)
		http_callers_leave(c, in[(i * 7919) % EACH]);
	return NULL;
}

static void many_addresses_and_threads(void **state)
{
	struct http_callers *c = http_callers_new(0, 4);
	pthread_t threads[4];
	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, c), 0);
	for (int i = 0; i < 4; i++) {
		void *failed;
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_int_equal(http_callers_count(c), 0);
	http_callers_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_address_has_its_own_number),
	    cmocka_unit_test(all_together_have_one_number),
	    cmocka_unit_test(this_machine_and_no_limit),
	    cmocka_unit_test(many_addresses_and_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
