/* rate.c: see rate.h. Inside, time is nanoseconds, so that the pace of a large limit is a whole number of them. */
#include "http/rate.h"
#include "base/arena.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_US 1000
#define NS_PER_S INT64_C(1000000000)

struct bucket {
	struct http_address key;
	int64_t full_ns; /* when it is full again; what lies behind is full */
};

_Static_assert(sizeof(struct bucket) * RATE_BUCKETS <= 3 << 19, "docs/operations.md says how much memory a limit takes");

struct rate {
	int64_t limit;
	int64_t step_ns;  /* in which one token comes back */
	int64_t depth_ns; /* in which an empty bucket fills */
	struct http_address_secret secret;
	pthread_mutex_t locks[RATE_LOCKS];
	struct bucket sets[RATE_SETS][RATE_WAYS];
};

struct rate *rate_new(int64_t limit, const struct http_address_secret *secret)
{
	assert(limit >= 0 && limit <= JARI_RATE_MAX);
	if (limit == 0)
		return NULL;
	struct rate *r = mem_zero(sizeof(*r));
	r->limit = limit;
	/* Rounded up: never more than the limit. The largest limit is off by less than a ten-thousandth. */
	r->step_ns = (RATE_WINDOW_S * NS_PER_S + limit - 1) / limit;
	r->depth_ns = r->step_ns * limit;
	r->secret = *secret;
	for (size_t i = 0; i < RATE_LOCKS; i++)
		pthread_mutex_init(&r->locks[i], NULL);
	return r;
}

void rate_free(struct rate *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < RATE_LOCKS; i++)
		pthread_mutex_destroy(&r->locks[i]);
	free(r);
}

int64_t rate_limit(const struct rate *r)
{
	return r ? r->limit : 0;
}

/* The key's bucket; or, with the key from now on, the fullest one of the set. */
static struct bucket *find(struct bucket set[RATE_WAYS], const struct http_address *key)
{
	struct bucket *fullest = &set[0];
	for (size_t i = 0; i < RATE_WAYS; i++) {
		if (http_address_equal(&set[i].key, key))
			return &set[i];
		if (set[i].full_ns < fullest->full_ns)
			fullest = &set[i];
	}
	fullest->key = *key;
	return fullest;
}

struct http_address rate_user_key(int64_t user_id)
{
	struct http_address key = {{0}};
	memcpy(key.bytes, &user_id, sizeof(user_id));
	return key;
}

bool rate_take(struct rate *r, const struct http_address *key, int64_t now_us, struct rate_state *state)
{
	*state = (struct rate_state){0};
	if (!r)
		return true;
	assert(now_us >= 0 && now_us <= RATE_NOW_MAX_US);
	int64_t now = now_us * NS_PER_US;
	size_t at = http_address_hash(key, &r->secret) & (RATE_SETS - 1);
	pthread_mutex_t *lock = &r->locks[at & (RATE_LOCKS - 1)];
	pthread_mutex_lock(lock);
	struct bucket *b = find(r->sets[at], key);
	int64_t lacks = b->full_ns - now; /* time until it is full */
	if (lacks < 0)
		lacks = 0;
	if (lacks > r->depth_ns) /* the clock was set back */
		lacks = r->depth_ns;
	bool taken = lacks + r->step_ns <= r->depth_ns;
	if (taken)
		lacks += r->step_ns;
	b->full_ns = now + lacks;
	pthread_mutex_unlock(lock);
	int64_t over = lacks + r->step_ns - r->depth_ns;
	state->left = (r->depth_ns - lacks) / r->step_ns;
	state->retry_seconds = over > 0 ? (over + NS_PER_S - 1) / NS_PER_S : 0;
	return taken;
}
