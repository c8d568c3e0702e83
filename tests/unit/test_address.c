/* test_address.c: an address is the same however it is written, and limits count IPv4 whole and IPv6 by /64. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/address.h"
#include <netinet/in.h>
#include <string.h>

static struct http_address of(const char *written)
{
	struct http_address a;
	assert_true(http_address_parse(text_of(written), &a));
	return a;
}

static void one_form_for_each(void **state)
{
	static const struct {
		const char *written, *formatted;
	} rows[] = {
	    {"192.0.2.1", "192.0.2.1"},
	    {"::ffff:192.0.2.1", "192.0.2.1"},
	    {"::ffff:c000:201", "192.0.2.1"},
	    {"0.0.0.0", "0.0.0.0"},
	    {"255.255.255.255", "255.255.255.255"},
	    {"::1", "::1"},
	    {"::", "::"},
	    {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
	    {"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[HTTP_ADDRESS_TEXT_SIZE];
		struct http_address a = of(rows[i].written);
		http_address_format(&a, out);
		assert_string_equal(out, rows[i].formatted);
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const rows[] = {"",           "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4",
	                                   "1.2.3.4:80", "[::1]", "::1%lo",    ":::",       "2001:db8", "x",        "localhost",
	                                   "0x7f.0.0.1", "127.1", "unknown",   "_hidden",   "1::2::3",  "12345::"};
	struct http_address a = {{7}}, before = a;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (http_address_parse(text_of(rows[i]), &a))
			fail_msg("taken for an address: '%s'", rows[i]);
	assert_false(http_address_parse((struct text){"1.2.3.4\0", 8}, &a));
	assert_false(http_address_parse(text_of("1111111111111111111111111111111111111111111111111111111111"), &a));
	assert_true(http_address_equal(&a, &before));
}

static void of_a_socket(void **state)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201), .sin_port = htons(80)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = {{{0x20, 1, 0x0d, 0xb8, [15] = 5}}}};
	struct sockaddr other = {.sa_family = AF_UNIX};
	struct http_address a, expected = of("192.0.2.1");
	(void)state;
	assert_true(http_address_of((struct sockaddr *)&v4, sizeof(v4), &a));
	assert_true(http_address_equal(&a, &expected));
	assert_true(http_address_of((struct sockaddr *)&v6, sizeof(v6), &a));
	expected = of("2001:db8::5");
	assert_true(http_address_equal(&a, &expected));
	assert_false(http_address_of(&other, sizeof(other), &a));
	/* what is too short for its family is not read */
	assert_false(http_address_of((struct sockaddr *)&v6, sizeof(v4), &a));
	assert_false(http_address_of((struct sockaddr *)&v4, sizeof(v4) - 1, &a));
}

static void buckets(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
	    {"192.0.2.1", "192.0.2.1", true},
	    {"192.0.2.1", "192.0.2.2", false},
	    {"192.0.2.1", "::ffff:192.0.2.1", true},
	    {"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
	    {"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true},
	    {"2001:db8::1", "2001:db8:0:1::1", false},
	    {"::1", "::2", true},
	    {"::1", "192.0.2.1", false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_address a = of(rows[i].a), b = of(rows[i].b);
		a = http_address_bucket(&a);
		b = http_address_bucket(&b);
		if (http_address_equal(&a, &b) != rows[i].same)
			fail_msg("%s and %s", rows[i].a, rows[i].b);
	}
}

static void loopback(void **state)
{
	static const char *const yes[] = {"127.0.0.1", "127.255.3.4", "::1", "::ffff:127.0.0.1"};
	static const char *const no[] = {"128.0.0.1", "126.255.255.255", "::", "::2", "2001:db8::1", "::7f00:1", "10.0.0.1"};
	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		struct http_address a = of(yes[i]);
		assert_true(http_address_is_loopback(&a));
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		struct http_address a = of(no[i]);
		assert_false(http_address_is_loopback(&a));
	}
}

/* Each bit of the address counts, and so does the secret. */
static void the_hash_spreads(void **state)
{
	struct http_address_secret secret = {{0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb, 0xd6e8feb86659fd93, 1}};
	struct http_address_secret other = secret;
	struct http_address a = of("2001:db8::1");
	uint32_t base = http_address_hash(&a, &secret);
	size_t counts[64] = {0};
	(void)state;
	for (int bit = 0; bit < 128; bit++) {
		struct http_address b = a;
		b.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(http_address_hash(&b, &secret), base);
	}
	other.k[0] += 1ULL << 40;
	assert_int_not_equal(http_address_hash(&a, &other), base);
	for (uint32_t i = 0; i < 6400; i++) {
		struct http_address b = of("10.0.0.0");
		b.bytes[14] = (uint8_t)(i >> 8);
		b.bytes[15] = (uint8_t)i;
		counts[http_address_hash(&b, &secret) % 64]++;
	}
	for (size_t i = 0; i < 64; i++)
		assert_in_range(counts[i], 30, 300);
}

static void networks(void **state)
{
	static const struct {
		const char *net, *address;
		bool in;
	} rows[] = {
	    {"192.0.2.0/24", "192.0.2.255", true},
	    {"192.0.2.0/24", "192.0.3.0", false},
	    {"192.0.2.0/24", "::ffff:192.0.2.7", true},
	    {"192.0.2.1", "192.0.2.1", true},
	    {"192.0.2.1", "192.0.2.2", false},
	    {"192.0.2.1/32", "192.0.2.0", false},
	    {"0.0.0.0/0", "255.1.2.3", true},
	    {"0.0.0.0/0", "2001:db8::1", false},
	    {"::/0", "2001:db8::1", true},
	    {"::/0", "192.0.2.1", true},
	    {"10.0.0.0/9", "10.127.255.255", true},
	    {"10.0.0.0/9", "10.128.0.0", false},
	    {"2001:db8::/33", "2001:db8:7fff::", true},
	    {"2001:db8::/33", "2001:db8:8000::", false},
	    {"::ffff:10.0.0.0/104", "10.1.2.3", true},
	    {"::1", "::1", true},
	};
	static const char *const bad[] = {"",
	                                  "/",
	                                  "/8",
	                                  "10.0.0.0/",
	                                  "10.0.0.0/33",
	                                  "10.0.0.0/-1",
	                                  "10.0.0.0/08",
	                                  "10.0.0.1/8",
	                                  "10.0.0.0/8/8",
	                                  "2001:db8::/129",
	                                  "2001:db8::1/64",
	                                  "10.0.0.0/x"};
	struct http_network net;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_address a = of(rows[i].address);
		assert_true(http_network_parse(text_of(rows[i].net), &net));
		if (http_network_has(&net, &a) != rows[i].in)
			fail_msg("%s of %s", rows[i].address, rows[i].net);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (http_network_parse(text_of(bad[i]), &net))
			fail_msg("taken for a network: '%s'", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_form_for_each), cmocka_unit_test(what_is_no_address_is_refused),
	    cmocka_unit_test(of_a_socket),       cmocka_unit_test(buckets),
	    cmocka_unit_test(loopback),          cmocka_unit_test(the_hash_spreads),
	    cmocka_unit_test(networks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
