/* rate.h: token buckets: how many requests somebody may make, kept in memory of a fixed size.
 *
 * A limit of N is N requests a minute, which may also come all at once: a bucket holds N tokens, a request takes one, and N come back each
 * minute, evenly. 0 is no limit. What a bucket has is told by one number, the instant at which it will be full again (the "theoretical
 * arrival time" of the generic cell rate algorithm, ITU-T I.371 annex A), so a bucket is a key and an instant.
 *
 * A table has RATE_BUCKETS buckets, in sets of RATE_WAYS. A key is looked for in the one set that a secret hash gives it. When it is not
 * there it takes the place of the fullest bucket of the set, and begins with what that one has. So a bucket that is forgotten comes
 * back no fuller than it would have been: all of a set are at most as full as the one that goes, and all fill at the same pace. Whoever has more addresses than
 * the table has buckets gets no more through than the buckets together allow, and unblocks nobody. A bucket that is full again holds
 * nothing worth keeping, and as a rule it is such a one that goes.
 *
 * Time is passed in: microseconds of a clock that runs forwards. If it is set back after all, a bucket is never emptier than empty, so
 * it costs a minute at most. No floats.
 * Ownership: rate_free frees; a limit of 0 has no memory. Threads: rate_take from any thread; a set is held by one of RATE_LOCKS locks for
 * a few dozen instructions. Errors: none. */
#ifndef JARI_HTTP_RATE_H
#define JARI_HTTP_RATE_H

#include "base/limits.h"
#include "http/address.h"

#define RATE_WAYS 8    /* buckets in a set */
#define RATE_SETS 8192 /* a power of two */
#define RATE_BUCKETS (RATE_SETS * RATE_WAYS)
#define RATE_LOCKS 64                      /* a power of two */
#define RATE_NOW_MAX_US (INT64_MAX / 2000) /* a hundred thousand years */
#define RATE_WINDOW_S 60                   /* a limit is so many requests in this time */

struct rate;

/* Makes a limiter of `limit` requests a minute, 0 .. JARI_RATE_MAX. `secret` are random bits that nobody outside knows. */
struct rate *rate_new(int64_t limit, const struct http_address_secret *secret);
void rate_free(struct rate *r);
int64_t rate_limit(const struct rate *r);

/* What a bucket has after it was asked. */
struct rate_state {
	int64_t left;          /* tokens */
	int64_t retry_seconds; /* after which it has one, rounded up; 0 when it has one */
};

/* Takes a token of an address's bucket. False, with nothing taken: there is none. Without a limit `state` is all zero. */
bool rate_take(struct rate *r, const struct http_address *key, int64_t now_us, struct rate_state *state);
/* The key of a user's bucket: the id in the place of an address. */
struct http_address rate_user_key(int64_t user_id);

#endif
