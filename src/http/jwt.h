/* jwt.h: checks a sign-in token: a JSON Web Token (RFC 7519) in the compact form of a JSON Web Signature (RFC 7515, section 7.1).
 *
 * The order is that of RFC 7515, 5.2 and RFC 8725: form, header, key, signature, and only then what the token claims. The algorithm is the key's
 * (jwks.h); a header that names another is refused, so neither "none" nor an HMAC under a public key can come of one. Nothing that the
 * header points to is fetched ("jku", "x5u") or believed ("jwk", "x5c"), and a header with "crit" is refused, since there is no extension
 * that is understood here.
 *
 * Ownership: the claims' text is copied into the arena. Threads: any, on one's own arena. Errors: a verdict, with a sentence. */
#ifndef JARI_HTTP_JWT_H
#define JARI_HTTP_JWT_H

#include "base/arena.h"
#include "http/jwks.h"

/* X(name, sentence). None says more than who holds the token could find out, and none what a good token would need to be forged. */
#define JWT_VERDICTS(X)                                                                                                          \
	X(GOOD, "The sign-in token is good.")                                                                                    \
	X(LONG, "The sign-in token is longer than any that is taken here.")                                                      \
	X(FORM, "This is no sign-in token: it must be a signed token (JWT) of the organiser's sign-in.")                         \
	X(HEADER, "The header of the sign-in token asks for something that is not taken here.")                                  \
	X(KEY, "The sign-in token is signed with a key that is not known here. Sign in again.")                                  \
	X(ALGORITHM, "The sign-in token names another algorithm than the one that its key is for.")                              \
	X(SIGNATURE, "The signature of the sign-in token is wrong. Sign in again.")                                              \
	X(CLAIMS, "The sign-in token lacks a claim that it must have, or has one of the wrong type: \"iss\", \"aud\", \"exp\".") \
	X(ISSUER, "The sign-in token is of another issuer than the organiser's sign-in.")                                        \
	X(AUDIENCE, "The sign-in token was made for another site than this one.")                                                \
	X(EXPIRED, "The sign-in token has run out. Sign in again.")                                                              \
	X(EARLY, "The sign-in token is not valid yet; a clock may be wrong.")                                                    \
	X(SUBJECT, "The sign-in token's \"sub\" must be a text of 1 to 64 characters without control characters.")

enum jwt_verdict {
#define X(name, sentence) JWT_##name,
	JWT_VERDICTS(X)
#undef X
};

/* What a token must say, exactly. */
struct jwt_rules {
	struct text issuer, audience;
};

/* Checks a token at an instant (milliseconds since 1970). Good: *subject is whom the issuer calls so. */
enum jwt_verdict jwt_check(const struct jwks *keys, const struct jwt_rules *rules, struct text token, int64_t now,
                           struct arena *arena, struct text *subject);
const char *jwt_sentence(enum jwt_verdict verdict);

#endif
