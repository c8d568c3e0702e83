/* fuzz_address.c: addresses, networks, and whose request it is that came through proxies. The first line is a list of networks, the second an
 * address; the others are lines of X-Forwarded-For, and of Forwarded when they begin with F.
 *
 * An address comes out the same when it is written and read again; networks are compared a second time, bit by bit. Whatever a client writes
 * into the two headers, and however many lines of it, it can't choose the address that it is taken for: who is connected and not trusted is
 * taken for just that, and behind a trusted proxy the client is who that proxy has written, or the proxy. */
#include "fuzz.h"

#include "base/buf.h"
#include "http/client.h"
#include <arpa/inet.h>

#define LINES_MAX 6

/* ---- addresses and networks ---- */

static bool bit(const struct http_address *a, int i)
{
	return a->bytes[i / 8] >> (7 - i % 8) & 1;
}

static void check_address(const struct http_address *a)
{
	static const struct http_address_secret secret = {{1, 2, 3, 4, 5}};
	char written[HTTP_ADDRESS_TEXT_SIZE];
	struct http_address again, bucket = http_address_bucket(a);
	bool v4 = true;

	http_address_format(a, written);
	EXPECT(http_address_parse(text_of(written), &again) && http_address_equal(a, &again), "%s", written);
	for (int i = 0; i < 96; i++)
		v4 &= bit(a, i) == (i >= 80);
	EXPECT(v4 == (strchr(written, ':') == NULL), "%s is%s of IPv4", written, v4 ? "" : " not");
	for (int i = 0; i < 128; i++)
		EXPECT(bit(&bucket, i) == (bit(a, i) && (v4 || i < 64)), "bit %d of what %s counts as", i, written);
	EXPECT(http_address_is_loopback(a) == (v4 ? strncmp(written, "127.", 4) == 0 : strcmp(written, "::1") == 0), "%s",
	       written);
	EXPECT(http_address_hash(a, &secret) == http_address_hash(&again, &secret), "two hashes of %s", written);
}

static void check_network(struct text written, const struct http_address *a)
{
	struct http_network net;
	bool inside = true;

	if (!http_network_parse(written, &net))
		return;
	EXPECT(net.bits >= 0 && net.bits <= 128, "%.*s has %d bits", SHOWN(written), net.bits);
	check_address(&net.address);
	EXPECT(http_network_has(&net, &net.address), "%.*s is not in itself", SHOWN(written));
	for (int i = 0; i < 128; i++) {
		inside &= i >= net.bits || bit(a, i) == bit(&net.address, i);
		EXPECT(i < net.bits || !bit(&net.address, i), "%.*s has bits behind its prefix", SHOWN(written));
	}
	EXPECT(http_network_has(&net, a) == inside, "whether %.*s has an address", SHOWN(written));
}

static void check_proxies(struct text list, const struct http_address *a)
{
	struct http_proxies trusted;
	struct text wrong = {NULL, 0}, rest = list;
	size_t pieces = 1;

	for (size_t i = 0; i < list.n; i++)
		pieces += list.p[i] == ',';
	if (http_proxies_parse(list, &trusted, &wrong))
		EXPECT(trusted.count == pieces, "%zu networks of %zu", trusted.count, pieces);
	else
		EXPECT(pieces > JARI_TRUSTED_PROXIES_MAX || wrong.n <= list.n, "what is wrong is not in it");
	while (rest.n > 0)
		check_network(fuzz_until(&rest, ','), a);
}

/* ---- whose request it is ---- */

struct headers {
	struct http_forwarding x, f;
};

static struct http_address read(const char *written)
{
	struct http_address a;

	EXPECT(http_address_parse(text_of(written), &a), "%s", written);
	return a;
}

static void expect(const char *what, const struct headers *h, const char *connected, const char *either, const char * or)
{
	static const char list[] = "10.0.0.0/8, 2001:db8:ffff::/48";
	struct http_proxies trusted;
	struct text wrong;
	struct http_address from = read(connected), a = read(either), b = read(or), got;
	char written[HTTP_ADDRESS_TEXT_SIZE];

	EXPECT(http_proxies_parse(text_of(list), &trusted, &wrong), "%s", list);
	got = http_client_address(&from, &trusted, &h->x, &h->f);
	http_address_format(&got, written);
	EXPECT(http_address_equal(&got, &a) || http_address_equal(&got, &b), "%s: %s is taken for %s", what, connected, written);
}

/* The client's lines, in the header that is meant, with what the proxies have added to the last of them. */
static struct headers lines(const struct text *client, const bool *of_forwarded, size_t n, const char *x, const char *f,
                            struct buf room[2])
{
	struct headers h = {0};
	struct text last[2] = {{NULL, 0}, {NULL, 0}};

	for (size_t i = 0; i < n; i++) {
		struct http_forwarding *to = of_forwarded[i] ? &h.f : &h.x;

		if (last[of_forwarded[i]].p != NULL)
			http_forwarding_add(to, last[of_forwarded[i]]);
		last[of_forwarded[i]] = client[i];
	}
	for (int i = 0; i < 2; i++) {
		const char *added = i ? f : x;

		buf_text(&room[i], last[i]);
		if (added != NULL) {
			buf_str(&room[i], last[i].p != NULL ? ", " : "");
			buf_str(&room[i], added);
		}
		if (room[i].n > 0 || last[i].p != NULL)
			http_forwarding_add(i ? &h.f : &h.x, buf_view(&room[i]));
	}
	return h;
}

static void check_client(const struct text *client, const bool *of_forwarded, size_t n)
{
	static const struct {
		const char *what, *connected, *x, *f, *either, * or ;
	} cases[] = {
	    {"nobody trusted", "192.0.2.9", "198.51.100.1", "for=198.51.100.1", "192.0.2.9", "192.0.2.9"},
	    {"a proxy with X-Forwarded-For", "10.0.0.1", "198.51.100.1", NULL, "198.51.100.1", "10.0.0.1"},
	    {"a proxy with Forwarded", "10.0.0.1", NULL, "for=198.51.100.1;proto=https", "198.51.100.1", "10.0.0.1"},
	    {"a proxy with both", "10.0.0.1", "198.51.100.1", "for=\"198.51.100.1:4711\"", "198.51.100.1", "198.51.100.1"},
	    {"two proxies", "10.0.0.1", "2001:db8::1, 10.0.0.2", NULL, "2001:db8::1", "10.0.0.1"},
	    {"two proxies with Forwarded", "2001:db8:ffff::1", NULL, "for=\"[2001:db8::1]:80\", For=10.0.0.2", "2001:db8::1",
	     "2001:db8:ffff::1"},
	    {"a proxy that hides", "10.0.0.1", "unknown", "for=_hidden", "10.0.0.1", "10.0.0.1"},
	};
	bool other[2] = {false, false};

	for (size_t i = 0; i < n; i++)
		other[of_forwarded[i]] = true;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf room[2] = {{0}, {0}};
		struct headers h = lines(client, of_forwarded, n, cases[i].x, cases[i].f, room);
		/* Alone, the header that the proxy writes decides. */
		bool alone = cases[i].x == NULL ? !other[0] : !other[1];

		expect(cases[i].what, &h, cases[i].connected, cases[i].either, alone ? cases[i].either : cases[i].or);
		buf_free(&room[0]);
		buf_free(&room[1]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text in = {(const char *)data, size}, list = fuzz_until(&in, '\n'), address = fuzz_until(&in, '\n'),
		    client[LINES_MAX];
	bool of_forwarded[LINES_MAX];
	struct http_address a = read("2001:db8::7");
	char *copy = fuzz_exact(address.p, address.n);
	size_t n = 0;

	if (http_address_parse((struct text){copy, address.n}, &a))
		check_address(&a);
	free(copy);
	copy = fuzz_exact(list.p, list.n);
	check_proxies((struct text){copy, list.n}, &a);
	free(copy);
	while (in.n > 0 && n < LINES_MAX) {
		client[n] = fuzz_until(&in, '\n');
		of_forwarded[n] = text_starts(client[n], TEXT("F"));
		client[n].p += of_forwarded[n];
		client[n].n -= of_forwarded[n];
		n++;
	}
	check_client(client, of_forwarded, n);
	return 0;
}
