#include "http/jwt.h"
#include "base/base64url.h"
#include "base/limits.h"
#include "http/json.h"
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#define ES256_HALF 32
#define ES256_DER_MAX 80 /* two integers of at most 33 bytes with their heads */

_Static_assert(JARI_USERNAME_CHARS_MAX == 64, "a sentence names the limit");

/* The three parts of the compact form, and what is signed: the first two as they came. */
struct parts {
	struct text header, payload, signature, signed_part;
};

const char *jwt_sentence(enum jwt_verdict verdict)
{
	static const char *const sentences[] = {
#define X(name, sentence) sentence,
	    JWT_VERDICTS(X)
#undef X
	};

	return sentences[verdict];
}

static bool split(struct text token, struct parts *out)
{
	const char *end = token.p + token.n;
	const char *first = token.n > 0 ? memchr(token.p, '.', token.n) : NULL;
	const char *second = first != NULL ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;

	/* A third dot is no base64url, so it is found when the signature is read. */
	if (second == NULL)
		return false;
	out->header = (struct text){token.p, (size_t)(first - token.p)};
	out->payload = (struct text){first + 1, (size_t)(second - first - 1)};
	out->signature = (struct text){second + 1, (size_t)(end - second - 1)};
	out->signed_part = (struct text){token.p, (size_t)(second - token.p)};
	return true;
}

/* A part that is a JSON object in base64url; freed by the caller. NULL when it is none, or names a member twice. */
static json_t *read_object(struct text part, struct arena *arena)
{
	char error[JSON_ERROR_SIZE];
	size_t size = BASE64URL_BYTES(part.n), n;
	uint8_t *bytes = arena_alloc(arena, size);

	if (!base64url_decode(part, bytes, size, &n))
		return NULL;
	json_t *doc = json_read((struct text){(const char *)bytes, n}, error);
	if (json_is_object(doc))
		return doc;
	json_decref(doc);
	return NULL;
}

static bool string(const json_t *object, const char *name, struct text *out)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_string(value))
		return false;
	*out = (struct text){json_string_value(value), json_string_length(value)};
	return true;
}

/* ---- header and key ---- */

/* Tokens for other uses (logout tokens, security events) say so in "typ" (RFC 8725, 3.11). */
static bool is_sign_in_type(struct text typ)
{
	static const struct text application = {"application/", 12};

	if (typ.n > application.n && text_equal_nocase((struct text){typ.p, application.n}, application)) {
		typ.p += application.n;
		typ.n -= application.n;
	}
	return text_equal_nocase(typ, TEXT("JWT")) || text_equal_nocase(typ, TEXT("at+jwt"));
}

static enum jwt_verdict find_key(const json_t *header, const struct jwks *keys, const struct jwk **key)
{
	struct text alg, typ, kid;
	bool names_key = json_object_get(header, "kid") != NULL;

	if (!string(header, "alg", &alg) || (names_key && !string(header, "kid", &kid)))
		return JWT_FORM;
	if (json_object_get(header, "crit") != NULL)
		return JWT_HEADER;
	if (json_object_get(header, "typ") != NULL && (!string(header, "typ", &typ) || !is_sign_in_type(typ)))
		return JWT_HEADER;
	*key = jwks_find(keys, names_key ? &kid : NULL);
	if (*key == NULL)
		return JWT_KEY;
	return text_equal(alg, text_of(jwk_alg_name((*key)->alg))) ? JWT_GOOD : JWT_ALGORITHM;
}

/* ---- the signature ---- */

/* ES256 is two numbers of 32 bytes, one behind the other (RFC 7518, 3.4); OpenSSL wants them in DER. */
static bool der_of(const uint8_t *raw, size_t n, uint8_t out[ES256_DER_MAX], size_t *out_n)
{
	ECDSA_SIG *both = ECDSA_SIG_new();
	BIGNUM *r = NULL, *s = NULL;
	uint8_t *at = out;
	int length = 0;

	if (n == (size_t)2 * ES256_HALF && both != NULL) {
		r = BN_bin2bn(raw, ES256_HALF, NULL);
		s = BN_bin2bn(raw + ES256_HALF, ES256_HALF, NULL);
	}
	if (r != NULL && s != NULL && ECDSA_SIG_set0(both, r, s) == 1) {
		r = s = NULL; /* they are the signature's now */
		length = i2d_ECDSA_SIG(both, NULL) <= ES256_DER_MAX ? i2d_ECDSA_SIG(both, &at) : 0;
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(both);
	*out_n = length > 0 ? (size_t)length : 0;
	return length > 0;
}

static bool is_signed(const struct jwk *key, struct text what, const uint8_t *signature, size_t n)
{
	uint8_t der[ES256_DER_MAX];

	if (key->alg == JWK_ES256) {
		if (!der_of(signature, n, der, &n))
			return false;
		signature = der;
	}
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	/* RSA's padding is PKCS #1 v1.5 unless something else is said. Ed25519 hashes by itself. */
	bool good = ctx != NULL &&
	            EVP_DigestVerifyInit(ctx, NULL, key->alg == JWK_EDDSA ? NULL : EVP_sha256(), NULL, key->key) == 1 &&
	            EVP_DigestVerify(ctx, signature, n, (const uint8_t *)what.p, what.n) == 1;
	EVP_MD_CTX_free(ctx);
	/* What a failed check leaves in the thread's list must not be read as an error of a connection's. */
	ERR_clear_error();
	return good;
}

static enum jwt_verdict check_signature(const struct parts *parts, const struct jwks *keys, struct arena *arena)
{
	const struct jwk *key = NULL;
	size_t size = BASE64URL_BYTES(parts->signature.n), n;
	uint8_t *signature = arena_alloc(arena, size);
	json_t *header = read_object(parts->header, arena);
	enum jwt_verdict verdict = JWT_FORM;

	if (header != NULL && base64url_decode(parts->signature, signature, size, &n))
		verdict = find_key(header, keys, &key);
	if (verdict == JWT_GOOD && !is_signed(key, parts->signed_part, signature, n))
		verdict = JWT_SIGNATURE;
	json_decref(header);
	return verdict;
}

/* ---- the claims ---- */

/* A NumericDate (RFC 7519, 2): seconds since 1970, perhaps with a fraction, which is dropped. json_read reads what is beyond 64 bits as a
 * fraction below 1, which is no date. */
static bool date(const json_t *claims, const char *name, int64_t *seconds)
{
	const json_t *value = json_object_get(claims, name);

	if (json_is_integer(value))
		*seconds = json_integer_value(value);
	else if (json_is_real(value) && json_real_value(value) >= 1 && json_real_value(value) <= (double)JARI_JWT_DATE_MAX)
		*seconds = (int64_t)json_real_value(value);
	else
		return false;
	return *seconds >= 0 && *seconds <= JARI_JWT_DATE_MAX;
}

/* "aud" is one text or a list of them (RFC 7519, 4.1.3); one that names ours among others is for us too. */
static enum jwt_verdict check_audience(const json_t *claims, struct text wanted)
{
	const json_t *aud = json_object_get(claims, "aud"), *one;
	struct text value;
	size_t i;
	bool ours = false;

	if (string(claims, "aud", &value))
		return text_equal(value, wanted) ? JWT_GOOD : JWT_AUDIENCE;
	if (!json_is_array(aud))
		return JWT_CLAIMS;
	json_array_foreach(aud, i, one)
	{
		if (!json_is_string(one))
			return JWT_CLAIMS;
		ours |= text_equal((struct text){json_string_value(one), json_string_length(one)}, wanted);
	}
	return ours ? JWT_GOOD : JWT_AUDIENCE;
}

static enum jwt_verdict check_times(const json_t *claims, int64_t now)
{
	int64_t seconds = now / 1000, exp, nbf = 0;

	if (!date(claims, "exp", &exp) || (json_object_get(claims, "nbf") != NULL && !date(claims, "nbf", &nbf)))
		return JWT_CLAIMS;
	if (seconds >= exp + JARI_JWT_LEEWAY_SECONDS)
		return JWT_EXPIRED;
	return seconds < nbf - JARI_JWT_LEEWAY_SECONDS ? JWT_EARLY : JWT_GOOD;
}

static bool is_name(struct text t)
{
	int64_t chars = text_utf8_chars(t);

	return chars >= 1 && chars <= JARI_USERNAME_CHARS_MAX && !text_has_control(t);
}

static enum jwt_verdict check_claims(const json_t *claims, const struct jwt_rules *rules, int64_t now, struct arena *arena,
                                     struct text *subject)
{
	struct text issuer, sub;
	enum jwt_verdict verdict;

	if (!string(claims, "iss", &issuer))
		return JWT_CLAIMS;
	if (!text_equal(issuer, rules->issuer))
		return JWT_ISSUER;
	verdict = check_audience(claims, rules->audience);
	if (verdict == JWT_GOOD)
		verdict = check_times(claims, now);
	if (verdict != JWT_GOOD)
		return verdict;
	if (!string(claims, "sub", &sub) || !is_name(sub))
		return JWT_SUBJECT;
	*subject = arena_text(arena, sub);
	return JWT_GOOD;
}

enum jwt_verdict jwt_check(const struct jwks *keys, const struct jwt_rules *rules, struct text token, int64_t now,
                           struct arena *arena, struct text *subject)
{
	struct parts parts;

	if (token.n > JARI_JWT_BYTES_MAX)
		return JWT_LONG;
	if (!split(token, &parts))
		return JWT_FORM;
	enum jwt_verdict verdict = check_signature(&parts, keys, arena);
	if (verdict != JWT_GOOD)
		return verdict;
	json_t *claims = read_object(parts.payload, arena);
	if (claims == NULL)
		return JWT_FORM;
	verdict = check_claims(claims, rules, now, arena, subject);
	json_decref(claims);
	return verdict;
}
