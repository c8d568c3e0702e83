/* test_client.c: whose request it is when it came through proxies, and that nobody can choose an address. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/client.h"
#include "http/parse.h"
#include <string.h>

#define TRUSTED "10.0.0.0/8, 192.0.2.1 ,2001:db8:aa::/48"

static struct http_proxies proxies(const char *list)
{
	struct http_proxies p;
	struct text wrong;
	if (!http_proxies_parse(text_of(list), &p, &wrong))
		fail_msg("'%s' was refused at '%.*s'", list, (int)wrong.n, wrong.p);
	return p;
}

/* Lines written with '|' between them; "" is no line. */
static struct http_forwarding lines_of(const char *written)
{
	struct http_forwarding f = {.count = 0};
	while (*written) {
		size_t n = strcspn(written, "|");
		http_forwarding_add(&f, (struct text){written, n});
		written += n + (written[n] == '|');
	}
	return f;
}

static void is(const char *connected, const char *x_forwarded_for, const char *forwarded, const char *expected)
{
	struct http_proxies trusted = proxies(TRUSTED);
	struct http_forwarding x = lines_of(x_forwarded_for), f = lines_of(forwarded);
	struct http_address from;
	char got[HTTP_ADDRESS_TEXT_SIZE];
	assert_true(http_address_parse(text_of(connected), &from));
	struct http_address client = http_client_address(&from, &trusted, &x, &f);
	http_address_format(&client, got);
	if (strcmp(got, expected) != 0)
		fail_msg("%s with X-Forwarded-For '%s' and Forwarded '%s': %s, not %s", connected, x_forwarded_for, forwarded,
		         got, expected);
}

static void strangers_are_not_believed(void **state)
{
	(void)state;
	is("198.51.100.7", "", "", "198.51.100.7");
	is("198.51.100.7", "203.0.113.9", "", "198.51.100.7");
	is("198.51.100.7", "203.0.113.9, 10.0.0.1", "for=203.0.113.9", "198.51.100.7");
	is("192.0.2.2", "203.0.113.9", "", "192.0.2.2");
	is("::1", "203.0.113.9", "", "::1");
	/* no proxy is trusted: nothing is believed from anywhere */
	struct http_proxies none = {.count = 0};
	struct http_forwarding x = lines_of("203.0.113.9"), f = lines_of("");
	struct http_address from;
	assert_true(http_address_parse(TEXT("10.0.0.1"), &from));
	struct http_address client = http_client_address(&from, &none, &x, &f);
	assert_true(http_address_equal(&client, &from));
}

static void hop_by_hop_from_the_right(void **state)
{
	(void)state;
	is("10.0.0.1", "203.0.113.9", "", "203.0.113.9");
	is("10.0.0.1", "203.0.113.9, 10.2.3.4", "", "203.0.113.9");
	is("10.0.0.1", "203.0.113.9,10.2.3.4,192.0.2.1", "", "203.0.113.9");
	/* what a client wrote itself stands left of its own address */
	is("10.0.0.1", "6.6.6.6, 203.0.113.9", "", "203.0.113.9");
	is("10.0.0.1", "10.9.9.9, 203.0.113.9", "", "203.0.113.9");
	is("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.2.3.4", "", "203.0.113.9");
	/* all are proxies: the first of them */
	is("10.0.0.1", "10.0.0.3, 10.0.0.2", "", "10.0.0.3");
	is("10.0.0.1", "", "", "10.0.0.1");
	/* in several lines, as one proxy after the other adds its own */
	is("10.0.0.1", "6.6.6.6|203.0.113.9|10.2.3.4", "", "203.0.113.9");
	is("10.0.0.1", "1.1.1.1|2.2.2.2|3.3.3.3|4.4.4.4|203.0.113.9|10.2.3.4", "", "203.0.113.9");
	/* further back than the lines that are kept: the earliest proxy of them */
	is("10.0.0.1", "203.0.113.9|10.0.0.5|10.0.0.4|10.0.0.3|10.0.0.2", "", "10.0.0.5");
}

static void addresses_as_proxies_write_them(void **state)
{
	(void)state;
	is("10.0.0.1", "203.0.113.9:4711", "", "203.0.113.9");
	is("10.0.0.1", "2001:db8::9", "", "2001:db8::9");
	is("10.0.0.1", "[2001:db8::9]", "", "2001:db8::9");
	is("10.0.0.1", "[2001:db8::9]:4711", "", "2001:db8::9");
	is("10.0.0.1", "::ffff:203.0.113.9", "", "203.0.113.9");
	is("2001:db8:aa::5", "203.0.113.9", "", "203.0.113.9");
	is("::ffff:10.0.0.1", "203.0.113.9", "", "203.0.113.9");
	is("10.0.0.1", "\t203.0.113.9 ", "", "203.0.113.9");
}

static void what_is_no_address_ends_at_the_proxy(void **state)
{
	static const char *const bad[] = {"unknown",
	                                  "_hidden",
	                                  "203.0.113",
	                                  "203.0.113.9:",
	                                  "203.0.113.9 x",
	                                  "[2001:db8::9",
	                                  "2001:db8::9]",
	                                  "[203.0.113.9]",
	                                  "[2001:db8::9]4711",
	                                  "[]",
	                                  ",",
	                                  "203.0.113.9,",
	                                  "203.0.113.9, ,",
	                                  "fe80::1%eth0",
	                                  "for=203.0.113.9",
	                                  "\"203.0.113.9\"",
	                                  "0x7f.1",
	                                  "203.0.113.9;",
	                                  "203.0.113.9\xff"};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is("10.0.0.1", bad[i], "", "10.0.0.1");
	is("10.0.0.1", "203.0.113.9, unknown, 10.0.0.2", "", "10.0.0.2");
}

static void forwarded(void **state)
{
	(void)state;
	is("10.0.0.1", "", "for=203.0.113.9", "203.0.113.9");
	is("10.0.0.1", "", "For=\"203.0.113.9:4711\"", "203.0.113.9");
	is("10.0.0.1", "", "for=203.0.113.9;proto=https;by=10.0.0.1", "203.0.113.9");
	is("10.0.0.1", "", "proto=https; for=203.0.113.9 ;host=example.org", "203.0.113.9");
	is("10.0.0.1", "", "for=\"[2001:db8::9]:4711\"", "2001:db8::9");
	is("10.0.0.1", "", "for=6.6.6.6, for=203.0.113.9, for=10.3.3.3", "203.0.113.9");
	is("10.0.0.1", "", "for=6.6.6.6|for=203.0.113.9|for=\"10.3.3.3\"", "203.0.113.9");
	is("10.0.0.1", "", "for=6.6.6.6, for=unknown", "10.0.0.1");
	is("10.0.0.1", "", "for=_secret", "10.0.0.1");
	is("10.0.0.1", "", "by=203.0.113.9", "10.0.0.1");
	is("10.0.0.1", "", "for=203.0.113.9;for=203.0.113.8", "10.0.0.1");
	is("10.0.0.1", "", "203.0.113.9", "10.0.0.1");
	is("10.0.0.1", "", "for=", "10.0.0.1");
	/* a quote that the client left open hides nothing, a comma in a quoted text cuts nothing */
	is("10.0.0.1", "", "for=\"6.6.6.6, for=203.0.113.9", "203.0.113.9");
	is("10.0.0.1", "", "for=203.0.113.9;host=\"a,b\"", "203.0.113.9");
	is("10.0.0.1", "", "for=203.0.113.9;host=\"a;for=6.6.6.6;b\"", "10.0.0.1");
	is("10.0.0.1", "", "for=6.6.6.6, host=\"a,b\";for=203.0.113.9", "203.0.113.9");
}

static void both_headers_must_agree(void **state)
{
	(void)state;
	is("10.0.0.1", "203.0.113.9", "for=203.0.113.9", "203.0.113.9");
	is("10.0.0.1", "6.6.6.6, 203.0.113.9", "for=203.0.113.9", "203.0.113.9");
	/* whichever of the two the proxy does not write, the client may have sent: it gains no address by that */
	is("10.0.0.1", "203.0.113.9", "for=6.6.6.6", "10.0.0.1");
	is("10.0.0.1", "6.6.6.6", "for=203.0.113.9", "10.0.0.1");
	is("10.0.0.1", "203.0.113.9", "for=unknown", "10.0.0.1");
}

static void the_list_of_proxies(void **state)
{
	static const char *const bad[] = {"",           ",",           "10.0.0.0/8,",         ",10.0.0.0/8", "10.0.0.0/33",
	                                  "10.0.0.1/8", "example.org", "10.0.0.0/8 192.0.2.1"};
	struct http_proxies p;
	struct text wrong;
	char many[JARI_TRUSTED_PROXIES_MAX * 12 + 16] = "";
	(void)state;
	assert_int_equal(proxies(TRUSTED).count, 3);
	assert_int_equal(proxies("::/0").count, 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (http_proxies_parse(text_of(bad[i]), &p, &wrong))
			fail_msg("taken: '%s'", bad[i]);
	assert_false(http_proxies_parse(TEXT("10.0.0.0/8, nonsense ,::1"), &p, &wrong));
	assert_true(text_equal(wrong, TEXT("nonsense")));
	for (int i = 0; i < JARI_TRUSTED_PROXIES_MAX; i++)
		(void)strcat(many, i ? ",192.0.2.1" : "192.0.2.1");
	assert_int_equal(proxies(many).count, JARI_TRUSTED_PROXIES_MAX);
	(void)strcat(many, ",192.0.2.1");
	assert_false(http_proxies_parse(text_of(many), &p, &wrong));
	assert_int_equal(wrong.n, 0);
}

/* ---- the headers, as they come off a request ---- */

static void the_parser_keeps_the_lines(void **state)
{
	static const char head[] =
	    "GET / HTTP/1.1\r\nHost: x\r\nx-forwarded-for: 6.6.6.6\r\nX-Forwarded-For: 203.0.113.9, 10.0.0.2\r\n"
	    "FORWARDED: for=203.0.113.9\r\n\r\n";
	struct arena arena = {0};
	struct http_head h;
	struct http_refusal why;
	(void)state;
	assert_true(http_head_parse(head, sizeof(head) - 1, &arena, &h, &why));
	assert_int_equal(h.x_forwarded_for.count, 2);
	assert_true(text_equal(h.x_forwarded_for.lines[0], TEXT("6.6.6.6")));
	assert_true(text_equal(h.x_forwarded_for.lines[1], TEXT("203.0.113.9, 10.0.0.2")));
	assert_int_equal(h.forwarded.count, 1);
	assert_true(text_equal(h.forwarded.lines[0], TEXT("for=203.0.113.9")));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(strangers_are_not_believed),
	    cmocka_unit_test(hop_by_hop_from_the_right),
	    cmocka_unit_test(addresses_as_proxies_write_them),
	    cmocka_unit_test(what_is_no_address_ends_at_the_proxy),
	    cmocka_unit_test(forwarded),
	    cmocka_unit_test(both_headers_must_agree),
	    cmocka_unit_test(the_list_of_proxies),
	    cmocka_unit_test(the_parser_keeps_the_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
