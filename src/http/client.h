/* client.h: whose request it is, when it came through proxies.
 *
 * Whoever connects may write any header, so X-Forwarded-For and Forwarded (RFC 7239) are believed only where a proxy that the operator trusts
 * has written them. The way is walked backwards: it begins with the address that is connected; as long as that is a trusted
 * proxy's, the one before it is what that proxy has written, the last entry that was not used yet. The first address that is not
 * trusted is the client's. What stands before it was written by the client, and is not looked at. An entry that is no address
 * ("unknown", a name for hiding one, nonsense) ends the walk at the proxy that wrote it.
 *
 * A proxy writes one of the two headers and may pass the other one on as the client sent it. So when both are there and lead to different
 * addresses, neither counts, and the request is the connected proxy's: nobody can choose an address by sending the other header.
 * Ownership: texts are the caller's. Threads: pure; any. Errors: false, with what was wrong. */
#ifndef JARI_HTTP_CLIENT_H
#define JARI_HTTP_CLIENT_H

#include "base/limits.h"
#include "http/address.h"

#define HTTP_FORWARDING_LINES 4 /* of a header that comes in several lines; earlier ones are not looked at */

/* The lines of one header in their order, the last ones. Zeroed: none. */
struct http_forwarding {
	struct text lines[HTTP_FORWARDING_LINES];
	size_t count;
};
/* Adds a line; the earliest one goes when there are too many. */
void http_forwarding_add(struct http_forwarding *f, struct text line);

/* The networks whose addresses are trusted proxies. */
struct http_proxies {
	struct http_network networks[JARI_TRUSTED_PROXIES_MAX];
	size_t count;
};
/* Reads "10.0.0.0/8,2001:db8::1"; spaces around a comma are allowed. False, with the piece that is wrong (empty: there are too many). */
bool http_proxies_parse(struct text in, struct http_proxies *out, struct text *wrong);
bool http_proxies_have(const struct http_proxies *trusted, const struct http_address *a);

struct http_address http_client_address(const struct http_address *connected, const struct http_proxies *trusted,
                                        const struct http_forwarding *x_forwarded_for, const struct http_forwarding *forwarded);

#endif
