/* test_target.c: what `jari bench --url` may name, and what becomes of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/bench/target.h"
#include <string.h>

static const struct {
	const char *url, *name, *authority;
	uint16_t port;
	bool tls, numeric;
} good[] = {
    {"http://127.0.0.1:8080", "127.0.0.1", "127.0.0.1:8080", 8080, false, true},
    {"http://127.0.0.1:8080/", "127.0.0.1", "127.0.0.1:8080", 8080, false, true},
    {"HTTP://127.0.0.1", "127.0.0.1", "127.0.0.1", 80, false, true},
    {"https://127.0.0.1", "127.0.0.1", "127.0.0.1", 443, true, true},
    {"https://127.0.0.1:443", "127.0.0.1", "127.0.0.1", 443, true, true},
    {"https://127.0.0.1:80", "127.0.0.1", "127.0.0.1:80", 80, true, true},
    {"http://[::1]:8080", "::1", "[::1]:8080", 8080, false, true},
    {"https://[2001:db8::1]", "2001:db8::1", "[2001:db8::1]", 443, true, true},
    {"http://localhost:8090", "localhost", "localhost:8090", 8090, false, false},
    {"https://tickets.example", "tickets.example", "tickets.example", 443, true, false},
    {"https://Tickets-2.example:8443/", "Tickets-2.example", "Tickets-2.example:8443", 8443, true, false},
};

static void urls_are_taken_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct bench_target t;
		char error[BENCH_TARGET_ERROR_SIZE] = "";

		if (!bench_target_parse(good[i].url, &t, error))
			fail_msg("%s: %s", good[i].url, error);
		assert_string_equal(t.name, good[i].name);
		assert_string_equal(t.authority, good[i].authority);
		assert_int_equal(t.port, good[i].port);
		assert_int_equal(t.tls, good[i].tls);
		assert_int_equal(t.numeric, good[i].numeric);
	}
}

static void others_are_refused_with_a_line(void **state)
{
	static const char *const bad[] = {
	    "",
	    "127.0.0.1:8080",
	    "ftp://127.0.0.1",
	    "http://",
	    "http:///",
	    "http://:80",
	    "http://127.0.0.1:",
	    "http://127.0.0.1:0",
	    "http://127.0.0.1:65536",
	    "http://127.0.0.1:8o",
	    "http://127.0.0.1:80/api",
	    "http://127.0.0.1:80//",
	    "http://127.0.0.1?x",
	    "http://user@127.0.0.1",
	    "http://::1:80",
	    "http://[::1",
	    "http://[::1]80",
	    "http://[127.0.0.1]:80",
	    "http://[tickets.example]",
	    "http://tickets example",
	    "http://tickets.example\r\n",
	    "http://-x.example",
	    "http://a..b",
	    "http://.",
	    "http://tickets.example.",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bench_target t;
		char error[BENCH_TARGET_ERROR_SIZE] = "";

		if (bench_target_parse(bad[i], &t, error))
			fail_msg("'%s' is taken", bad[i]);
		assert_true(strlen(error) > 10);
		assert_null(strpbrk(error, "\r\n"));
	}
}

static void a_name_as_long_as_names_may_be(void **state)
{
	struct bench_target t;
	char url[400] = "https://", error[BENCH_TARGET_ERROR_SIZE] = "";

	(void)state;
	for (size_t i = 8; i < 8 + 253; i++)
		url[i] = i % 60 == 0 ? '.' : 'a';
	assert_true(bench_target_parse(url, &t, error));
	assert_int_equal(strlen(t.name), 253);
	url[8 + 253] = 'a';
	assert_false(bench_target_parse(url, &t, error));
}

static void find(const char *url, struct bench_target *t)
{
	char error[BENCH_TARGET_ERROR_SIZE] = "";

	assert_true(bench_target_parse(url, t, error));
	if (!bench_target_find(t, error))
		fail_msg("%s: %s", url, error);
}

static void who_is_on_this_machine_is_known(void **state)
{
	struct bench_target t;

	(void)state;
	find("http://127.0.0.1:81", &t);
	assert_true(t.loopback);
	assert_int_equal(t.address.any.sa_family, AF_INET);
	assert_int_equal(ntohs(t.address.v4.sin_port), 81);
	find("http://127.9.9.9", &t);
	assert_true(t.loopback);
	find("http://[::1]:82", &t);
	assert_true(t.loopback);
	assert_int_equal(t.address.any.sa_family, AF_INET6);
	assert_int_equal(ntohs(t.address.v6.sin6_port), 82);
	find("http://[::ffff:127.0.0.1]", &t);
	assert_true(t.loopback);
	find("http://192.0.2.1", &t);
	assert_false(t.loopback);
	find("https://[2001:db8::1]", &t);
	assert_false(t.loopback);
	find("http://[::ffff:192.0.2.1]", &t);
	assert_false(t.loopback);
	find("http://LocalHost:83", &t); /* the address that `--listen localhost:…` means */
	assert_true(t.loopback);
	assert_int_equal(t.address.any.sa_family, AF_INET);
	assert_int_equal(ntohs(t.address.v4.sin_port), 83);
}

static void a_name_that_nobody_knows_is_told(void **state)
{
	struct bench_target t;
	char error[BENCH_TARGET_ERROR_SIZE] = "";

	(void)state;
	assert_true(bench_target_parse("https://nobody.invalid", &t, error)); /* RFC 6761: never a name */
	assert_false(bench_target_find(&t, error));
	assert_non_null(strstr(error, "nobody.invalid"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(urls_are_taken_apart),
	    cmocka_unit_test(others_are_refused_with_a_line),
	    cmocka_unit_test(a_name_as_long_as_names_may_be),
	    cmocka_unit_test(who_is_on_this_machine_is_known),
	    cmocka_unit_test(a_name_that_nobody_knows_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
