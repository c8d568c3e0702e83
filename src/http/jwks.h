/* jwks.h: the public keys that sign-in tokens are signed with, from a JSON Web Key Set (RFC 7517, section 5).
 *
 * What a key is for is said by the key alone (RFC 8725, section 3.1): RSA is RS256, EC on P-256 is ES256 (RFC 7518, sections 3.3, 3.4 and 6), OKP on
 * Ed25519 is EdDSA (RFC 8037). Keys for something else (encryption, other algorithms, curves or types, HMAC's) are passed over, as RFC 7517 asks.
 * A key that should be one of ours and is wrong or weak is no reason to guess: then the whole set is refused.
 *
 * Ownership: a set is made by jwks_read and freed by jwks_free; keys and texts in it are its own. Threads: a set never changes, so any
 * number of threads may use it. Errors: one line in `error` that names the key by its place in the document. */
#ifndef JARI_HTTP_JWKS_H
#define JARI_HTTP_JWKS_H

#include "base/text.h"

#define JWKS_ERROR_SIZE 320

enum jwk_alg { JWK_RS256, JWK_ES256, JWK_EDDSA };

struct evp_pkey_st; /* OpenSSL's EVP_PKEY */

struct jwk {
	enum jwk_alg alg;
	char *kid; /* terminated; NULL: it has none */
	struct evp_pkey_st *key;
};

struct jwks {
	struct jwk *keys;
	size_t count;       /* 1 .. JARI_JWKS_KEYS_MAX */
	size_t passed_over; /* keys for something else */
};

/* Reads a key set. NULL when it is not one, or has no key that sign-in tokens could be signed with. */
struct jwks *jwks_read(struct text json, char error[JWKS_ERROR_SIZE]);
void jwks_free(struct jwks *set);

/* "RS256", as a token's header names it. */
const char *jwk_alg_name(enum jwk_alg alg);
/* The key of a token. `kid` is NULL when the token names none: then there must be only one key. NULL: there is no such key. */
const struct jwk *jwks_find(const struct jwks *set, const struct text *kid);

#endif
