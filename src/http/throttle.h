/* throttle.h: how many requests a minute an address, a user, and a person who wants a place in the line may make.
 *
 *   address  every request from an address (IPv6: from a /64) but GET /healthz and GET /readyz, which a crowd behind the same proxy must not
 *            make fail, and but what has proved who it is where turning it away would do harm: the line's own requests (GET /api/check and its
 *            events, DELETE /api/token) with a token that is good, and an organiser's with the key. So a buyer who polls as told is not limited
 *            by how many others share the address
 *   tokens   POST /api/getToken, from an address
 *   user     every request with a token that is good, by the user whose it is, whatever the address; with a sign-in token by its subject
 *
 * The first two stand with the limits of the transport, before everything else that a request can be refused for; the third comes as soon as the
 * token is known to be good. What is refused is 429 RATE_LIMITED with Retry-After, and RateLimit and RateLimit-Policy as
 * draft-ietf-httpapi-ratelimit-headers-10 has them, and takes nothing from any bucket that comes later. What is no HTTP is not counted: its connection ends with it.
 * The address is the client's behind trusted proxies (client.h). A limit holds for this process: servers that share a store count each for itself.
 * Ownership: http_throttle_free frees. Threads: any. Errors: http_throttle_new is NULL when the system gives no random bits. */
#ifndef JARI_HTTP_THROTTLE_H
#define JARI_HTTP_THROTTLE_H

#include "http/client.h"
#include "http/http.h"

enum http_limit { HTTP_LIMIT_ADDRESS, HTTP_LIMIT_TOKENS, HTTP_LIMIT_USER, HTTP_LIMITS };

struct http_throttle;

struct http_throttle_config {
	int64_t limits[HTTP_LIMITS]; /* requests a minute, 0 .. JARI_RATE_MAX; 0: none */
	struct http_proxies trusted;
};

struct http_throttle *http_throttle_new(const struct http_throttle_config *config);
void http_throttle_free(struct http_throttle *t);
/* "address", "tokens", "user". */
const char *http_limit_name(enum http_limit limit);

/* Whether addresses are counted at all. `t` may be NULL: nothing is. */
bool http_throttle_counts_addresses(const struct http_throttle *t);
/* Counts a request whose route is known for its address, once however often it is called. False after answering 429. */
bool http_throttle_address(struct http_request *req);
/* The same for the user of req->ticket, or the subject of a sign-in (req->subject). */
bool http_throttle_user(struct http_request *req);

#endif
