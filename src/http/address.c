#include "http/address.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define MAPPED_BITS 96 /* the prefix of what is IPv4 */

static const uint8_t mapped[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};

static bool is_v4(const struct http_address *a)
{
	return memcmp(a->bytes, mapped, sizeof(mapped)) == 0;
}

static void set_v4(struct http_address *out, const struct in_addr *v4)
{
	memcpy(out->bytes, mapped, sizeof(mapped));
	memcpy(out->bytes + sizeof(mapped), v4, sizeof(*v4));
}

bool http_address_of(const struct sockaddr *from, socklen_t n, struct http_address *out)
{
	if (n >= sizeof(struct sockaddr_in) && from->sa_family == AF_INET) {
		struct sockaddr_in v4;
		memcpy(&v4, from, sizeof(v4));
		set_v4(out, &v4.sin_addr);
		return true;
	}
	if (n >= sizeof(struct sockaddr_in6) && from->sa_family == AF_INET6) {
		struct sockaddr_in6 v6;
		memcpy(&v6, from, sizeof(v6));
		memcpy(out->bytes, &v6.sin6_addr, sizeof(out->bytes));
		return true;
	}
	return false;
}

bool http_address_parse(struct text in, struct http_address *out)
{
	char copy[HTTP_ADDRESS_TEXT_SIZE];
	struct in_addr v4;
	struct in6_addr v6;
	if (in.n == 0 || in.n >= sizeof(copy) || memchr(in.p, '\0', in.n))
		return false;
	memcpy(copy, in.p, in.n);
	copy[in.n] = '\0';
	if (inet_pton(AF_INET, copy, &v4) == 1) {
		set_v4(out, &v4);
		return true;
	}
	if (inet_pton(AF_INET6, copy, &v6) == 1) {
		memcpy(out->bytes, &v6, sizeof(out->bytes));
		return true;
	}
	return false;
}

void http_address_format(const struct http_address *a, char out[HTTP_ADDRESS_TEXT_SIZE])
{
	const char *written = is_v4(a) ? inet_ntop(AF_INET, a->bytes + sizeof(mapped), out, HTTP_ADDRESS_TEXT_SIZE)
	                               : inet_ntop(AF_INET6, a->bytes, out, HTTP_ADDRESS_TEXT_SIZE);
	if (!written) /* there is room for any */
		out[0] = '\0';
}

bool http_address_equal(const struct http_address *a, const struct http_address *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool http_address_is_loopback(const struct http_address *a)
{
	static const struct http_address one = {{[15] = 1}};
	return is_v4(a) ? a->bytes[sizeof(mapped)] == 127 : http_address_equal(a, &one);
}

struct http_address http_address_bucket(const struct http_address *a)
{
	struct http_address bucket = *a;
	if (!is_v4(a))
		memset(bucket.bytes + 8, 0, 8);
	return bucket;
}

uint32_t http_address_hash(const struct http_address *a, const struct http_address_secret *secret)
{
	uint64_t sum = secret->k[4];
	for (size_t i = 0; i < 4; i++) {
		uint32_t word;
		memcpy(&word, a->bytes + 4 * i, sizeof(word));
		sum += secret->k[i] * word;
	}
	return (uint32_t)(sum >> 32);
}

/* Whether the first `bits` bits are the same. */
static bool begins_alike(const struct http_address *a, const struct http_address *b, int bits)
{
	size_t whole = (size_t)bits / 8;
	int rest = bits % 8;
	if (memcmp(a->bytes, b->bytes, whole) != 0)
		return false;
	return rest == 0 || (a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest) == 0;
}

/* Whether all bits behind the first `bits` are zero. */
static bool ends_there(const struct http_address *a, int bits)
{
	for (int i = bits; i < HTTP_ADDRESS_BYTES * 8; i++)
		if (a->bytes[i / 8] >> (7 - i % 8) & 1)
			return false;
	return true;
}

bool http_network_parse(struct text in, struct http_network *out)
{
	const char *slash = in.n ? memchr(in.p, '/', in.n) : NULL;
	struct text written = {in.p, slash ? (size_t)(slash - in.p) : in.n};
	struct http_network net = {.bits = HTTP_ADDRESS_BYTES * 8};
	if (!http_address_parse(written, &net.address))
		return false;
	if (slash) {
		/* ::ffff:192.0.2.0/120 counts from the front, as it is written */
		bool dotted = !memchr(written.p, ':', written.n);
		int before = dotted ? MAPPED_BITS : 0;
		int64_t bits;
		struct text number = {slash + 1, in.n - written.n - 1};
		if (!text_to_int(number, 0, HTTP_ADDRESS_BYTES * 8 - before, &bits))
			return false;
		net.bits = before + (int)bits;
	}
	if (!ends_there(&net.address, net.bits))
		return false;
	*out = net;
	return true;
}

bool http_network_has(const struct http_network *net, const struct http_address *a)
{
	return begins_alike(&net->address, a, net->bits);
}
