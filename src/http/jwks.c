#include "http/jwks.h"
#include "base/arena.h"
#include "base/base64url.h"
#include "base/limits.h"
#include "http/json.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define P256_BYTES 32
#define ED25519_BYTES 32
#define POINT_BYTES (1 + 2 * P256_BYTES)
#define RSA_BYTES (JARI_JWT_RSA_BITS_MAX / 8)

enum found { KEY_TAKEN, KEY_PASSED_OVER, KEY_WRONG };

/* A key being read: which one it is, and where to say what is wrong with it. */
struct reading {
	size_t place; /* from 1 */
	char *error;
};

static enum found wrong(const struct reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static enum found wrong(const struct reading *r, const char *format, ...)
{
	va_list args;
	int n = snprintf(r->error, JWKS_ERROR_SIZE, "key %zu ", r->place);

	va_start(args, format);
	if (n > 0 && n < JWKS_ERROR_SIZE)
		(void)vsnprintf(r->error + n, JWKS_ERROR_SIZE - (size_t)n, format, args);
	va_end(args);
	return KEY_WRONG;
}

/* A member that is a string. */
static bool string(const json_t *object, const char *name, struct text *out)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_string(value))
		return false;
	*out = (struct text){json_string_value(value), json_string_length(value)};
	return true;
}

static bool member_is(const json_t *object, const char *name, const char *wanted)
{
	struct text value;

	return string(object, name, &value) && text_equal(value, text_of(wanted));
}

/* A member that is bytes in base64url. */
static bool bytes(const json_t *object, const char *name, uint8_t *out, size_t size, size_t *n)
{
	struct text value;

	return string(object, name, &value) && base64url_decode(value, out, size, n) && *n > 0;
}

/* ---- keys, with OpenSSL ---- */

/* A public key of the named type from its parameters, which are freed. NULL when they are no such key. */
static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *build)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	return key;
}

/* True when the key's numbers are what they should be: a point on its curve, for one. */
static bool is_sound(EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	bool sound = ctx != NULL && EVP_PKEY_public_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return sound;
}

static EVP_PKEY *rsa_key(const BIGNUM *n, const BIGNUM *e)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();

	if (build == NULL)
		return NULL;
	if (OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) != 1) {
		OSSL_PARAM_BLD_free(build);
		return NULL;
	}
	return from_params("RSA", build);
}

static enum found read_rsa(const json_t *object, const struct reading *r, EVP_PKEY **key)
{
	uint8_t n_bytes[RSA_BYTES], e_bytes[RSA_BYTES];
	size_t n_size, e_size;

	if (!bytes(object, "n", n_bytes, sizeof(n_bytes), &n_size) || !bytes(object, "e", e_bytes, sizeof(e_bytes), &e_size))
		return wrong(r, "needs \"n\" (at most %d bits) and \"e\" in base64url without padding", JARI_JWT_RSA_BITS_MAX);
	BIGNUM *n = BN_bin2bn(n_bytes, (int)n_size, NULL), *e = BN_bin2bn(e_bytes, (int)e_size, NULL);
	enum found found = KEY_TAKEN;
	if (n != NULL && BN_num_bits(n) < JARI_JWT_RSA_BITS_MIN)
		found = wrong(r, "is an RSA key of %d bits; %d are the least", BN_num_bits(n), JARI_JWT_RSA_BITS_MIN);
	else if (e != NULL && (!BN_is_odd(e) || BN_is_one(e) || BN_num_bits(e) > JARI_JWT_RSA_EXPONENT_BITS_MAX))
		found = wrong(r, "has an \"e\" that no RSA key has");
	else
		*key = n != NULL && e != NULL ? rsa_key(n, e) : NULL;
	BN_free(n);
	BN_free(e);
	return found;
}

static enum found read_ec(const json_t *object, const struct reading *r, EVP_PKEY **key)
{
	uint8_t point[POINT_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
	size_t x_size, y_size;

	if (!bytes(object, "x", point + 1, P256_BYTES, &x_size) ||
	    !bytes(object, "y", point + 1 + P256_BYTES, P256_BYTES, &y_size) || x_size != P256_BYTES || y_size != P256_BYTES)
		return wrong(r, "needs \"x\" and \"y\", each %d bytes in base64url without padding", P256_BYTES);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	if (build == NULL)
		return KEY_TAKEN;
	if (OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) != 1) {
		OSSL_PARAM_BLD_free(build);
		return KEY_TAKEN;
	}
	*key = from_params("EC", build);
	return KEY_TAKEN;
}

static enum found read_ed25519(const json_t *object, const struct reading *r, EVP_PKEY **key)
{
	uint8_t x[ED25519_BYTES];
	size_t n;

	if (!bytes(object, "x", x, sizeof(x), &n) || n != sizeof(x))
		return wrong(r, "needs \"x\", %d bytes in base64url without padding", ED25519_BYTES);
	*key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, sizeof(x));
	return KEY_TAKEN;
}

/* ---- one key ---- */

static const struct kind {
	enum jwk_alg alg;
	const char *name, *kty, *crv; /* crv NULL: it has none */
	enum found (*read)(const json_t *object, const struct reading *r, EVP_PKEY **key);
} kinds[] = {
    {JWK_RS256, "RS256", "RSA", NULL, read_rsa},
    {JWK_ES256, "ES256", "EC", "P-256", read_ec},
    {JWK_EDDSA, "EdDSA", "OKP", "Ed25519", read_ed25519},
};

const char *jwk_alg_name(enum jwk_alg alg)
{
	return kinds[alg].name;
}

/* True when "key_ops" is absent or has "verify". */
static bool may_verify(const json_t *object)
{
	const json_t *ops = json_object_get(object, "key_ops"), *one;
	size_t i;

	json_array_foreach(ops, i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), "verify") == 0)
			return true;
	}
	return ops == NULL;
}

/* What the key is for; NULL when that is nothing of ours. */
static const struct kind *kind_of(const json_t *object)
{
	if ((json_object_get(object, "use") != NULL && !member_is(object, "use", "sig")) || !may_verify(object))
		return NULL;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct kind *k = &kinds[i];

		if (!member_is(object, "kty", k->kty) || (k->crv != NULL && !member_is(object, "crv", k->crv)))
			continue;
		return json_object_get(object, "alg") == NULL || member_is(object, "alg", k->name) ? k : NULL;
	}
	return NULL;
}

static enum found read_kid(const json_t *object, const struct reading *r, char **kid)
{
	struct text value;

	if (json_object_get(object, "kid") == NULL)
		return KEY_TAKEN;
	if (!string(object, "kid", &value) || value.n == 0 || value.n > JARI_JWT_KID_MAX)
		return wrong(r, "has a \"kid\" that is not a text of 1 to %d bytes", JARI_JWT_KID_MAX);
	*kid = mem_zero(value.n + 1);
	memcpy(*kid, value.p, value.n);
	return KEY_TAKEN;
}

static enum found read_key(const json_t *object, const struct reading *r, struct jwk *out)
{
	if (!json_is_object(object))
		return wrong(r, "is not a JSON object");
	const struct kind *kind = kind_of(object);
	if (json_object_get(object, "d") != NULL)
		return wrong(r, "holds a private key; this file is for the public ones alone");
	if (kind == NULL)
		return KEY_PASSED_OVER;
	out->alg = kind->alg;
	enum found found = read_kid(object, r, &out->kid);
	if (found == KEY_TAKEN)
		found = kind->read(object, r, &out->key);
	if (found == KEY_TAKEN && (out->key == NULL || !is_sound(out->key)))
		found = wrong(r, "is not a sound %s key", kind->kty);
	ERR_clear_error();
	return found;
}

/* ---- the set ---- */

/* With several keys a token must name its own, so each has a name that no other has. */
static bool names_tell_apart(const struct jwks *set, char error[JWKS_ERROR_SIZE])
{
	for (size_t i = 0; i < set->count && set->count > 1; i++) {
		if (set->keys[i].kid == NULL) {
			(void)snprintf(error, JWKS_ERROR_SIZE, "there are several keys, and one of them has no \"kid\"");
			return false;
		}
		for (size_t j = 0; j < i; j++) {
			if (strcmp(set->keys[i].kid, set->keys[j].kid) == 0) {
				(void)snprintf(error, JWKS_ERROR_SIZE, "two keys have the same \"kid\"");
				return false;
			}
		}
	}
	return true;
}

static bool read_keys(const json_t *keys, struct jwks *set, char error[JWKS_ERROR_SIZE])
{
	const json_t *one;
	size_t i;

	if (!json_is_array(keys) || json_array_size(keys) > JARI_JWKS_KEYS_MAX) {
		(void)snprintf(error, JWKS_ERROR_SIZE, "a key set is an object with \"keys\", a list of at most %d",
		               JARI_JWKS_KEYS_MAX);
		return false;
	}
	set->keys = mem_zero((json_array_size(keys) + 1) * sizeof(*set->keys));
	json_array_foreach(keys, i, one)
	{
		struct reading r = {i + 1, error};

		switch (read_key(one, &r, &set->keys[set->count])) {
		case KEY_TAKEN:
			set->count++;
			break;
		case KEY_PASSED_OVER:
			set->passed_over++;
			break;
		case KEY_WRONG:
			set->count++; /* what there is of it is freed with the others */
			return false;
		}
	}
	if (set->count == 0)
		(void)snprintf(error, JWKS_ERROR_SIZE, "there is no key for RS256, ES256 or EdDSA (Ed25519) among its %zu", i);
	return set->count > 0 && names_tell_apart(set, error);
}

struct jwks *jwks_read(struct text json, char error[JWKS_ERROR_SIZE])
{
	char why[JSON_ERROR_SIZE];
	json_t *doc = json_read(json, why);

	if (doc == NULL) {
		(void)snprintf(error, JWKS_ERROR_SIZE, "%s", why);
		return NULL;
	}
	struct jwks *set = mem_zero(sizeof(*set));
	if (!read_keys(json_object_get(doc, "keys"), set, error)) {
		jwks_free(set);
		set = NULL;
	}
	json_decref(doc);
	return set;
}

void jwks_free(struct jwks *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->count; i++) {
		free(set->keys[i].kid);
		EVP_PKEY_free(set->keys[i].key);
	}
	free(set->keys);
	free(set);
}

const struct jwk *jwks_find(const struct jwks *set, const struct text *kid)
{
	if (kid == NULL)
		return set->count == 1 ? &set->keys[0] : NULL;
	for (size_t i = 0; i < set->count; i++)
		if (set->keys[i].kid != NULL && text_equal(text_of(set->keys[i].kid), *kid))
			return &set->keys[i];
	return NULL;
}
