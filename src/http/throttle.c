#include "http/throttle.h"
#include "base/log.h"
#include "http/conn.h"
#include "http/metrics.h"
#include "http/openapi.h"
#include "http/rate.h"
#include <inttypes.h>
#include <openssl/sha.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct http_throttle {
	struct rate *rates[HTTP_LIMITS]; /* NULL: no limit */
	struct http_proxies trusted;
	_Atomic int64_t warn_us; /* no warning before */
};
#define WARN_US (RATE_WINDOW_S * INT64_C(1000000))

static const struct {
	const char *name, *refusal;
} limits[HTTP_LIMITS] = {
    [HTTP_LIMIT_ADDRESS] = {"address", "Too many requests have come from this address in a short time."},
    [HTTP_LIMIT_TOKENS] = {"tokens", "Too many places in line have been asked for from this address in a short time."},
    [HTTP_LIMIT_USER] = {"user", "This user has made too many requests in a short time."},
};

const char *http_limit_name(enum http_limit limit)
{
	return limits[limit].name;
}

struct http_throttle *http_throttle_new(const struct http_throttle_config *config)
{
	struct http_address_secret secret;
	if (getrandom(&secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		return NULL;
	struct http_throttle *t = mem_zero(sizeof(*t));
	for (int i = 0; i < HTTP_LIMITS; i++)
		t->rates[i] = rate_new(config->limits[i], &secret);
	t->trusted = config->trusted;
	return t;
}

void http_throttle_free(struct http_throttle *t)
{
	if (!t)
		return;
	for (int i = 0; i < HTTP_LIMITS; i++)
		rate_free(t->rates[i]);
	free(t);
}

bool http_throttle_counts_addresses(const struct http_throttle *t)
{
	return t && (t->rates[HTTP_LIMIT_ADDRESS] || t->rates[HTTP_LIMIT_TOKENS]);
}

/* All buyers behind one limit is what happens when a proxy was not named; its header tells on it, which a flood may send too. So: now and then. */
static void tell_of_proxy(struct http_request *req, const struct http_address *client)
{
	struct http_throttle *t = req->app->throttle;
	const struct http_head *head = &http_slot_of(req)->head;
	int64_t now = req->thread->now_us, then = atomic_load(&t->warn_us);
	char address[HTTP_ADDRESS_TEXT_SIZE];
	bool forwarded = head->x_forwarded_for.count || head->forwarded.count;
	if (!forwarded || !http_address_equal(client, &req->conn->from) || now < then ||
	    !atomic_compare_exchange_strong(&t->warn_us, &then, now + WARN_US))
		return;
	http_address_format(client, address);
	log_event(
	    LOG_WARN, "address_limited", "means",
	    "%s is limited and passes on requests of others; if it is your proxy, name it with --trusted-proxy, and let it write one of "
	    "X-Forwarded-For and Forwarded",
	    address);
}

static bool refuse(struct http_request *req, enum http_limit limit, int64_t allowed, const struct rate_state *state)
{
	http_metrics_limited(req->app->metrics, req->thread->index, limit);
	http_header(req, "Retry-After", "%" PRId64, state->retry_seconds);
	http_header(req, "RateLimit-Policy", "\"%s\";q=%" PRId64 ";w=%d", limits[limit].name, allowed, RATE_WINDOW_S);
	http_header(req, "RateLimit", "\"%s\";r=%" PRId64 ";t=%" PRId64, limits[limit].name, state->left, state->retry_seconds);
	http_problem(req, CORE_RATE_LIMITED, "%s Nothing was changed; try again in %" PRId64 " second%s.", limits[limit].refusal,
	             state->retry_seconds, state->retry_seconds == 1 ? "" : "s");
	return false;
}

/* `client`: NULL for who is not counted by an address. */
static bool within(struct http_request *req, enum http_limit limit, const struct http_address *key,
                   const struct http_address *client)
{
	struct rate *r = req->app->throttle->rates[limit];
	struct rate_state state;
	if (rate_take(r, key, req->thread->now_us, &state))
		return true;
	if (client)
		tell_of_proxy(req, client);
	return refuse(req, limit, rate_limit(r), &state);
}

static enum http_rate rate_of(const struct http_request *req)
{
	return req->route && req->route->doc ? req->route->doc->rate : HTTP_RATE_COUNTED;
}

bool http_throttle_address(struct http_request *req)
{
	const struct http_throttle *t = req->app->throttle;
	enum http_rate rate = rate_of(req);
	if (req->address_counted || rate == HTTP_RATE_FREE || !req->conn || !http_throttle_counts_addresses(t))
		return true;
	req->address_counted = true;
	const struct http_head *head = &http_slot_of(req)->head;
	struct http_address client = http_client_address(&req->conn->from, &t->trusted, &head->x_forwarded_for, &head->forwarded);
	struct http_address key = http_address_bucket(&client);
	return within(req, HTTP_LIMIT_ADDRESS, &key, &client) &&
	       (rate != HTTP_RATE_PLACE || within(req, HTTP_LIMIT_TOKENS, &key, &client));
}

/* Nobody can choose a subject that meets a user's id, or another's subject. */
static bool subject_key(struct text subject, struct http_address *key)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	if (!SHA256((const uint8_t *)subject.p, subject.n, digest))
		return false;
	memcpy(key->bytes, digest, sizeof(key->bytes));
	return true;
}

bool http_throttle_user(struct http_request *req)
{
	const struct http_throttle *t = req->app->throttle;
	if (req->user_counted || !t || !t->rates[HTTP_LIMIT_USER])
		return true;
	req->user_counted = true;
	struct http_address key = rate_user_key(req->ticket.user_id);
	if (req->subject.n && !subject_key(req->subject, &key))
		return true;
	return within(req, HTTP_LIMIT_USER, &key, NULL);
}
