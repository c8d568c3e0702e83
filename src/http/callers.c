#include "http/callers.h"
#include "base/arena.h"
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>

#define BUCKETS 16384 /* a power of two */

struct http_caller {
	struct http_address address;
	int64_t connections;
	struct http_caller *next;
};

struct http_callers {
	int64_t most, most_each;
	struct http_address_secret secret;
	pthread_mutex_t lock;
	int64_t count;
	struct http_caller *buckets[BUCKETS];
};

struct http_callers *http_callers_new(int64_t all, int64_t each)
{
	struct http_callers *c = mem_zero(sizeof(*c));
	c->most = all;
	c->most_each = each;
	/* Without randomness the process could not have made its keys. */
	if (RAND_bytes((unsigned char *)&c->secret, sizeof(c->secret)) != 1 || pthread_mutex_init(&c->lock, NULL) != 0)
		abort();
	return c;
}

void http_callers_free(struct http_callers *c)
{
	if (!c)
		return;
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

/* Where the address's entry is, or would be. */
static struct http_caller **find(struct http_callers *c, const struct http_address *address)
{
	struct http_caller **at = &c->buckets[http_address_hash(address, &c->secret) % BUCKETS];
	while (*at && !http_address_equal(&(*at)->address, address))
		at = &(*at)->next;
	return at;
}

static enum http_callers_answer enter_address(struct http_callers *c, const struct http_address *address,
                                              struct http_caller **caller)
{
	struct http_caller **at = find(c, address);
	if (!*at) {
		*at = mem_zero(sizeof(**at));
		(*at)->address = *address;
	}
	if ((*at)->connections >= c->most_each)
		return HTTP_CALLER_HAS_ENOUGH;
	(*at)->connections++;
	*caller = *at;
	return HTTP_CALLER_IN;
}

enum http_callers_answer http_callers_enter(struct http_callers *c, const struct http_address *from, struct http_caller **caller)
{
	enum http_callers_answer answer = HTTP_CALLER_IN;
	bool counts = from && c->most_each > 0 && !http_address_is_loopback(from);
	*caller = NULL;
	(void)pthread_mutex_lock(&c->lock);
	if (c->most > 0 && c->count >= c->most)
		answer = HTTP_CALLERS_FULL;
	else if (counts) {
		struct http_address bucket = http_address_bucket(from);
		answer = enter_address(c, &bucket, caller);
	}
	c->count += answer == HTTP_CALLER_IN;
	(void)pthread_mutex_unlock(&c->lock);
	return answer;
}

void http_callers_leave(struct http_callers *c, struct http_caller *caller)
{
	(void)pthread_mutex_lock(&c->lock);
	c->count--;
	if (caller && --caller->connections == 0) {
		*find(c, &caller->address) = caller->next;
		free(caller);
	}
	(void)pthread_mutex_unlock(&c->lock);
}

int64_t http_callers_count(struct http_callers *c)
{
	(void)pthread_mutex_lock(&c->lock);
	int64_t n = c->count;
	(void)pthread_mutex_unlock(&c->lock);
	return n;
}
