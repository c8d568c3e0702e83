/* address.h: who is at the other end of a connection, as limits count it.
 *
 * One form for all: IPv4 is kept as IPv4-mapped IPv6 (RFC 4291 2.5.5.2), so 192.0.2.1 and ::ffff:192.0.2.1 are the same address. A provider
 * gives a household or a host a /64 of IPv6 at least, whose addresses cost their owner nothing; so limits count IPv6 by /64 and IPv4 whole
 * (http_address_bucket).
 * Ownership: none. Threads: pure; any. Errors: false, with the output left alone. */
#ifndef JARI_HTTP_ADDRESS_H
#define JARI_HTTP_ADDRESS_H

#include "base/text.h"
#include <sys/socket.h>

#define HTTP_ADDRESS_BYTES 16
#define HTTP_ADDRESS_TEXT_SIZE 46 /* the longest written form and its terminator (INET6_ADDRSTRLEN) */

struct http_address {
	uint8_t bytes[HTTP_ADDRESS_BYTES]; /* network order */
};

/* Of what accept or getpeername has given. False for anything but IPv4 and IPv6. */
bool http_address_of(const struct sockaddr *from, socklen_t n, struct http_address *out);
/* Reads a numeric address without brackets, port, zone or spaces: 192.0.2.1, 2001:db8::1. */
bool http_address_parse(struct text in, struct http_address *out);
/* Writes it as it is usually written: IPv4 dotted, IPv6 as RFC 5952 says. */
void http_address_format(const struct http_address *a, char out[HTTP_ADDRESS_TEXT_SIZE]);

bool http_address_equal(const struct http_address *a, const struct http_address *b);
/* 127.0.0.0/8 or ::1: only this machine. */
bool http_address_is_loopback(const struct http_address *a);
/* What limits count it as: IPv4 whole, of IPv6 the first 64 bits, the rest zero. */
struct http_address http_address_bucket(const struct http_address *a);

/* A hash for tables of addresses that strangers choose: multilinear in the address's 32-bit words, with secret random coefficients, so that
 * nobody who doesn't know them finds addresses that fall together more often than by chance. */
struct http_address_secret {
	uint64_t k[5];
};
uint32_t http_address_hash(const struct http_address *a, const struct http_address_secret *secret);

/* Addresses that begin alike. */
struct http_network {
	struct http_address address; /* behind the prefix all zero */
	int bits;                    /* of 128; an IPv4 /8 is 104 */
};
/* Reads "192.0.2.0/24", "2001:db8::/32", or an address, which is a network of one. False when it is neither, or has bits behind its
 * prefix. */
bool http_network_parse(struct text in, struct http_network *out);
bool http_network_has(const struct http_network *net, const struct http_address *a);

#endif
