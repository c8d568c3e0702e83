/* Sign-in tokens and the key sets that they are checked with: every way in which a token or a key can be wrong, with keys made here. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base64url.h"
#include "base/buf.h"
#include "base/limits.h"
#include "http/jwt.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1800000000000) /* milliseconds */
#define ISSUER "https://id.example"
#define AUDIENCE "jari"
#define CLAIMS "{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"sub\":\"user-1\",\"exp\":1800000300}"
#define BYTES_MAX 1024

static EVP_PKEY *rsa, *rsa_small, *ec, *ec_other, *ed;
static struct jwks *all; /* rsa, ec and ed under the names "r", "e" and "d" */
static const struct jwt_rules rules = {{ISSUER, sizeof(ISSUER) - 1}, {AUDIENCE, sizeof(AUDIENCE) - 1}};

/* ---- making tokens ---- */

static void encode(struct buf *out, const void *bytes, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const uint8_t *p = bytes;
	uint32_t bits = 0;
	int count = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | p[i];
		for (count += 8; count >= 6; count -= 6)
			buf_char(out, digits[bits >> (count - 6) & 63]);
		bits &= (1u << count) - 1;
	}
	if (count > 0)
		buf_char(out, digits[bits << (6 - count) & 63]);
}

enum way { PROPER, DER }; /* DER: ES256 as OpenSSL makes it, which no token has */

static size_t sign(EVP_PKEY *key, struct text what, enum way way, uint8_t out[BYTES_MAX])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = BYTES_MAX;
	bool is_ed = EVP_PKEY_is_a(key, "ED25519") == 1;

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, is_ed ? NULL : EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, out, &n, (const uint8_t *)what.p, what.n), 1);
	EVP_MD_CTX_free(ctx);
	if (EVP_PKEY_is_a(key, "EC") == 1 && way == PROPER) {
		const uint8_t *at = out;
		ECDSA_SIG *both = d2i_ECDSA_SIG(NULL, &at, (long)n);
		assert_non_null(both);
		assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(both), out, 32), 32);
		assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(both), out + 32, 32), 32);
		ECDSA_SIG_free(both);
		n = 64;
	}
	return n;
}

static void add_unsigned(struct buf *out, const char *header, const char *claims)
{
	encode(out, header, strlen(header));
	buf_char(out, '.');
	encode(out, claims, strlen(claims));
}

/* With a signature that is `longer` bytes longer than it should be, or shorter. */
static struct buf token_way(EVP_PKEY *key, const char *header, const char *claims, enum way way, int longer)
{
	struct buf out = {0};
	uint8_t signature[BYTES_MAX] = {0};

	add_unsigned(&out, header, claims);
	size_t n = sign(key, buf_view(&out), way, signature);
	buf_char(&out, '.');
	encode(&out, signature, (size_t)((int)n + longer));
	return out;
}

static struct buf token(EVP_PKEY *key, const char *header, const char *claims)
{
	return token_way(key, header, claims, PROPER, 0);
}

static const char *verdict_name(enum jwt_verdict v)
{
	static const char *const names[] = {
#define X(name, sentence) #name,
	    JWT_VERDICTS(X)
#undef X
	};

	return names[v];
}

static enum jwt_verdict check(const struct jwks *keys, struct text t, struct text *subject)
{
	static struct arena arena;

	arena_reset(&arena);
	enum jwt_verdict v = jwt_check(keys, &rules, t, NOW, &arena, subject);
	if (v == JWT_GOOD)
		assert_true(subject->n > 0);
	return v;
}

/* Checks the token, and frees it. */
static void expect(const char *what, const struct jwks *keys, struct buf *t, enum jwt_verdict wanted)
{
	struct text subject;
	enum jwt_verdict v = check(keys, buf_view(t), &subject);

	if (v != wanted)
		fail_msg("%s: expected %s, got %s", what, verdict_name(wanted), verdict_name(v));
	buf_free(t);
}

static void expect_text(const char *what, const char *t, enum jwt_verdict wanted)
{
	struct buf b = {0};

	buf_str(&b, t);
	expect(what, all, &b, wanted);
}

/* ---- making key sets ---- */

static void add_number(struct buf *out, const EVP_PKEY *key, const char *param, const char *member, int least)
{
	BIGNUM *n = NULL;
	uint8_t bytes[BYTES_MAX];

	assert_int_equal(EVP_PKEY_get_bn_param(key, param, &n), 1);
	int size = BN_num_bytes(n) > least ? BN_num_bytes(n) : least;
	assert_int_equal(BN_bn2binpad(n, bytes, size), size);
	BN_free(n);
	buf_printf(out, ",\"%s\":\"", member);
	encode(out, bytes, (size_t)size);
	buf_char(out, '"');
}

/* A JWK; `more` is members that go in front, such as "\"kid\":\"r\",". */
static void add_jwk(struct buf *out, EVP_PKEY *key, const char *more)
{
	buf_printf(out, "{%s", more);
	if (EVP_PKEY_is_a(key, "RSA") == 1) {
		buf_str(out, "\"kty\":\"RSA\"");
		add_number(out, key, OSSL_PKEY_PARAM_RSA_N, "n", 1);
		add_number(out, key, OSSL_PKEY_PARAM_RSA_E, "e", 1);
	} else if (EVP_PKEY_is_a(key, "EC") == 1) {
		buf_str(out, "\"kty\":\"EC\",\"crv\":\"P-256\"");
		add_number(out, key, OSSL_PKEY_PARAM_EC_PUB_X, "x", 32);
		add_number(out, key, OSSL_PKEY_PARAM_EC_PUB_Y, "y", 32);
	} else {
		uint8_t x[32];
		size_t n = sizeof(x);
		assert_int_equal(EVP_PKEY_get_raw_public_key(key, x, &n), 1);
		buf_str(out, "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
		encode(out, x, n);
		buf_char(out, '"');
	}
	buf_char(out, '}');
}

static struct jwks *read_set(struct buf *json)
{
	char error[JWKS_ERROR_SIZE] = "";
	struct jwks *set = jwks_read(buf_view(json), error);

	if (set == NULL)
		fail_msg("%.*s: %s", (int)json->n, json->p, error);
	buf_free(json);
	return set;
}

static struct jwks *set_of(EVP_PKEY *key, const char *more)
{
	struct buf json = {0};

	buf_str(&json, "{\"keys\":[");
	add_jwk(&json, key, more);
	buf_str(&json, "]}");
	return read_set(&json);
}

static int make_keys(void **state)
{
	struct buf json = {0};

	(void)state;
	rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	rsa_small = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	ec_other = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (!rsa || !rsa_small || !ec || !ec_other || !ed)
		return -1;
	buf_str(&json, "{\"keys\":[");
	add_jwk(&json, rsa, "\"kid\":\"r\",\"use\":\"sig\",\"alg\":\"RS256\",");
	buf_char(&json, ',');
	add_jwk(&json, ec, "\"kid\":\"e\",\"key_ops\":[\"verify\"],");
	buf_char(&json, ',');
	add_jwk(&json, ed, "\"kid\":\"d\",");
	buf_str(&json, ",{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"h\"}]}");
	all = read_set(&json);
	return 0;
}

static int drop_keys(void **state)
{
	(void)state;
	jwks_free(all);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(rsa_small);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(ec_other);
	EVP_PKEY_free(ed);
	return 0;
}

/* ---- tokens ---- */

static void good_ones(void **state)
{
	struct text subject;
	struct buf t;

	(void)state;
	assert_int_equal(all->count, 3);
	assert_int_equal(all->passed_over, 1);
	t = token(rsa, "{\"alg\":\"RS256\",\"kid\":\"r\"}", CLAIMS);
	assert_int_equal(check(all, buf_view(&t), &subject), JWT_GOOD);
	assert_true(text_equal(subject, TEXT("user-1")));
	buf_free(&t);
	t = token(ec, "{\"alg\":\"ES256\",\"kid\":\"e\",\"typ\":\"JWT\"}", CLAIMS);
	expect("ES256", all, &t, JWT_GOOD);
	t = token(ed, "{\"alg\":\"EdDSA\",\"kid\":\"d\",\"typ\":\"application/at+jwt\"}", CLAIMS);
	expect("EdDSA", all, &t, JWT_GOOD);
}

static void one_key_needs_no_name(void **state)
{
	struct jwks *nameless = set_of(ec, ""), *named = set_of(ec, "\"kid\":\"e\",");
	struct buf t = token(ec, "{\"alg\":\"ES256\"}", CLAIMS);

	(void)state;
	expect("no name, one key without", nameless, &t, JWT_GOOD);
	t = token(ec, "{\"alg\":\"ES256\"}", CLAIMS);
	expect("no name, one key with", named, &t, JWT_GOOD);
	t = token(ec, "{\"alg\":\"ES256\",\"kid\":\"e\"}", CLAIMS);
	expect("a name, one key without", nameless, &t, JWT_KEY);
	t = token(ec, "{\"alg\":\"ES256\"}", CLAIMS);
	expect("no name, several keys", all, &t, JWT_KEY);
	jwks_free(nameless);
	jwks_free(named);
}

static void the_key_says_the_algorithm(void **state)
{
	static const struct {
		const char *header;
		enum jwt_verdict verdict;
	} headers[] = {
	    {"{\"alg\":\"none\",\"kid\":\"e\"}", JWT_ALGORITHM},
	    {"{\"alg\":\"HS256\",\"kid\":\"e\"}", JWT_ALGORITHM},
	    {"{\"alg\":\"RS256\",\"kid\":\"e\"}", JWT_ALGORITHM},
	    {"{\"alg\":\"EdDSA\",\"kid\":\"e\"}", JWT_ALGORITHM},
	    {"{\"alg\":\"es256\",\"kid\":\"e\"}", JWT_ALGORITHM},
	    {"{\"alg\":\"ES384\",\"kid\":\"e\"}", JWT_ALGORITHM},
	    {"{\"alg\":\"ES256\",\"kid\":\"r\"}", JWT_ALGORITHM},
	    {"{\"alg\":\"ES256\",\"kid\":\"h\"}", JWT_KEY},
	    {"{\"kid\":\"e\"}", JWT_FORM},
	    {"{\"alg\":1,\"kid\":\"e\"}", JWT_FORM},
	    {"{\"alg\":null,\"kid\":\"e\"}", JWT_FORM},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		struct buf t = token(ec, headers[i].header, CLAIMS);
		expect(headers[i].header, all, &t, headers[i].verdict);
	}
}

static void none_is_refused(void **state)
{
	static const char *const headers[] = {"{\"alg\":\"none\",\"kid\":\"r\"}", "{\"alg\":\"None\",\"kid\":\"r\"}",
	                                      "{\"alg\":\"RS256\",\"kid\":\"r\"}"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct buf t = {0};
		add_unsigned(&t, headers[i], CLAIMS);
		buf_char(&t, '.');
		expect(headers[i], all, &t, i < 2 ? JWT_ALGORITHM : JWT_SIGNATURE);
	}
}

/* The trap of libraries that let the token choose: an HMAC whose secret is the public key, which everybody has. */
static void hmac_of_the_public_key_is_refused(void **state)
{
	static const char *const algs[] = {"HS256", "RS256"};
	struct buf secret = {0};

	(void)state;
	add_jwk(&secret, rsa, "\"kid\":\"r\",");
	for (size_t i = 0; i < 2; i++) {
		struct buf t = {0}, header = {0};
		uint8_t mac[EVP_MAX_MD_SIZE];
		unsigned n = sizeof(mac);
		buf_printf(&header, "{\"alg\":\"%s\",\"kid\":\"r\"}", algs[i]);
		buf_char(&header, '\0');
		add_unsigned(&t, header.p, CLAIMS);
		assert_non_null(HMAC(EVP_sha256(), secret.p, (int)secret.n, (const uint8_t *)t.p, t.n, mac, &n));
		buf_char(&t, '.');
		encode(&t, mac, n);
		expect(algs[i], all, &t, i == 0 ? JWT_ALGORITHM : JWT_SIGNATURE);
		buf_free(&header);
	}
	buf_free(&secret);
}

static void headers_that_are_not_taken(void **state)
{
	static const struct {
		const char *header;
		enum jwt_verdict verdict;
	} headers[] = {
	    {"{\"alg\":\"ES256\",\"kid\":\"x\"}", JWT_KEY},
	    {"{\"alg\":\"ES256\",\"kid\":\"\"}", JWT_KEY},
	    {"{\"alg\":\"ES256\",\"kid\":5}", JWT_FORM},
	    {"{\"alg\":\"ES256\",\"kid\":null}", JWT_FORM},
	    {"{\"alg\":\"ES256\",\"kid\":\"e\",\"crit\":[\"exp\"],\"exp\":1}", JWT_HEADER},
	    {"{\"alg\":\"ES256\",\"kid\":\"e\",\"crit\":[\"b64\"],\"b64\":false}", JWT_HEADER},
	    {"{\"alg\":\"ES256\",\"kid\":\"e\",\"crit\":[]}", JWT_HEADER},
	    {"{\"alg\":\"ES256\",\"kid\":\"e\",\"crit\":null}", JWT_HEADER},
	    {"{\"alg\":\"ES256\",\"kid\":\"e\",\"typ\":\"logout+jwt\"}", JWT_HEADER},
	    {"{\"alg\":\"ES256\",\"kid\":\"e\",\"typ\":7}", JWT_HEADER},
	    {"{\"alg\":\"ES256\",\"alg\":\"ES256\",\"kid\":\"e\"}", JWT_FORM},
	    {"{\"alg\":\"ES256\",\"kid\":\"e\",\"kid\":\"e\"}", JWT_FORM},
	    {"{\"alg\":\"ES256\",\"\\u0061lg\":\"none\",\"kid\":\"e\"}", JWT_FORM},
	    {"[\"ES256\"]", JWT_FORM},
	    {"", JWT_FORM},
	    {"{\"alg\":\"ES256\",\"kid\":\"e\"} ", JWT_GOOD}, /* white space is JSON's own */
	    {"{\"alg\":\"ES256\",\"kid\":\"e\"}x", JWT_FORM},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		struct buf t = token(ec, headers[i].header, CLAIMS);
		expect(headers[i].header, all, &t, headers[i].verdict);
	}
}

/* A key that the token brings along is nobody's. */
static void keys_in_the_token_are_not_believed(void **state)
{
	struct buf header = {0};

	(void)state;
	for (int with_name = 0; with_name < 2; with_name++) {
		buf_reset(&header);
		buf_printf(&header, "{\"alg\":\"ES256\",%s\"jku\":\"https://evil.example/keys\",\"jwk\":",
		           with_name ? "\"kid\":\"e\"," : "");
		add_jwk(&header, ec_other, "");
		buf_char(&header, '}');
		buf_char(&header, '\0');
		struct buf t = token(ec_other, header.p, CLAIMS);
		expect(header.p, all, &t, with_name ? JWT_SIGNATURE : JWT_KEY);
	}
	buf_free(&header);
}

static void wrong_signatures(void **state)
{
	struct buf t = token(ec_other, "{\"alg\":\"ES256\",\"kid\":\"e\"}", CLAIMS);

	(void)state;
	expect("another key", all, &t, JWT_SIGNATURE);
	t = token_way(ec, "{\"alg\":\"ES256\",\"kid\":\"e\"}", CLAIMS, DER, 0);
	expect("ES256 in DER", all, &t, JWT_SIGNATURE);
	for (int i = 0; i < 3; i++) {
		EVP_PKEY *keys[] = {rsa, ec, ed};
		const char *headers[] = {"{\"alg\":\"RS256\",\"kid\":\"r\"}", "{\"alg\":\"ES256\",\"kid\":\"e\"}",
		                         "{\"alg\":\"EdDSA\",\"kid\":\"d\"}"};
		for (int longer = -3; longer <= 3; longer++) {
			t = token_way(keys[i], headers[i], CLAIMS, PROPER, longer);
			expect("bytes less or more", all, &t, longer == 0 ? JWT_GOOD : JWT_SIGNATURE);
		}
		t = token(keys[i], headers[i], CLAIMS);
		t.p[t.n - 20] = t.p[t.n - 20] == 'A' ? 'B' : 'A';
		expect("another byte in the signature", all, &t, JWT_SIGNATURE);
		t = token(keys[i], headers[i], CLAIMS);
		char *claims = strchr(t.p, '.') + 30;
		*claims = *claims == 'A' ? 'B' : 'A';
		expect("another byte in the claims", all, &t, JWT_SIGNATURE);
	}
	uint8_t zeros[64] = {0};
	t = (struct buf){0};
	add_unsigned(&t, "{\"alg\":\"ES256\",\"kid\":\"e\"}", CLAIMS);
	buf_char(&t, '.');
	encode(&t, zeros, sizeof(zeros));
	expect("r = s = 0", all, &t, JWT_SIGNATURE);
}

static void wrong_forms(void **state)
{
	struct buf good = token(ec, "{\"alg\":\"ES256\",\"kid\":\"e\"}", CLAIMS);
	static const char *const tails[] = {".", ".AAAA", "=", "==", " ", "\n", "\t", "+", "%3D", "\0"};

	(void)state;
	expect_text("nothing", "", JWT_FORM);
	expect_text("dots", "..", JWT_FORM);
	expect_text("a UUID", "00112233-4455-4677-8899-aabbccddeeff", JWT_FORM);
	expect_text("five parts, as an encrypted token has", "a.b.c.d.e", JWT_FORM);
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		struct buf t = {0};
		buf_text(&t, buf_view(&good));
		buf_add(&t, tails[i], tails[i][0] == '\0' ? 1 : strlen(tails[i]));
		expect(tails[i], all, &t, JWT_FORM);
	}
	/* 64 bytes are 86 characters, the last of which has four bits to spare. */
	struct buf t = {0};
	buf_text(&t, buf_view(&good));
	t.p[t.n - 1]++;
	expect("bits behind the last byte", all, &t, JWT_FORM);
	buf_str(&t, "{}.");
	buf_text(&t, buf_view(&good));
	expect("JSON without base64url", all, &t, JWT_FORM);
	add_unsigned(&t, "{\"alg\":\"ES256\",\"kid\":\"e\"}", CLAIMS);
	expect("two parts", all, &t, JWT_FORM);
	buf_free(&good);
	t = token(ec, "{\"alg\":\"ES256\",\"kid\":\"e\"}", "[]");
	expect("claims that are a list", all, &t, JWT_FORM);
	t = token(ec, "{\"alg\":\"ES256\",\"kid\":\"e\"}", "\"x\"");
	expect("claims that are a text", all, &t, JWT_FORM);
	t = token(ec, "{\"alg\":\"ES256\",\"kid\":\"e\"}", CLAIMS "{}");
	expect("more behind the claims", all, &t, JWT_FORM);
}

static void length_has_a_limit(void **state)
{
	struct buf claims = {0};
	enum jwt_verdict last = JWT_GOOD;

	(void)state;
	for (size_t pad = 5500; pad < 6400 && last == JWT_GOOD; pad++) {
		buf_reset(&claims);
		buf_str(&claims, "{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"sub\":\"u\",\"exp\":1800000300,\"pad\":\"");
		for (size_t i = 0; i < pad; i++)
			buf_char(&claims, 'x');
		buf_str(&claims, "\"}");
		buf_char(&claims, '\0');
		struct buf t = token(ed, "{\"alg\":\"EdDSA\",\"kid\":\"d\"}", claims.p);
		last = check(all, buf_view(&t), &(struct text){0});
		assert_int_equal(last, t.n > JARI_JWT_BYTES_MAX ? JWT_LONG : JWT_GOOD);
		buf_free(&t);
	}
	assert_int_equal(last, JWT_LONG);
	buf_free(&claims);
}

/* ---- claims ---- */

#define ISS "\"iss\":\"" ISSUER "\","
#define AUD "\"aud\":\"" AUDIENCE "\","
#define SUB "\"sub\":\"u\","
#define EXP "\"exp\":1800000300"

static void claims(void **state)
{
	static const struct {
		const char *claims;
		enum jwt_verdict verdict;
	} rows[] = {
	    {"{" ISS AUD SUB EXP "}", JWT_GOOD},
	    {"{" ISS AUD SUB EXP ",\"name\":\"Kim\",\"x\":1e3,\"y\":123456789012345678901234567890,\"z\":[{}]}", JWT_GOOD},
	    {"{}", JWT_CLAIMS},
	    {"{" AUD SUB EXP "}", JWT_CLAIMS},
	    {"{\"iss\":[\"" ISSUER "\"]," AUD SUB EXP "}", JWT_CLAIMS},
	    {"{\"iss\":\"" ISSUER "/\"," AUD SUB EXP "}", JWT_ISSUER},
	    {"{\"iss\":\"" ISSUER "x\"," AUD SUB EXP "}", JWT_ISSUER},
	    {"{\"iss\":\"\"," AUD SUB EXP "}", JWT_ISSUER},
	    {"{" ISS ISS AUD SUB EXP "}", JWT_FORM},
	    {"{" ISS SUB EXP "}", JWT_CLAIMS},
	    {"{" ISS "\"aud\":\"other\"," SUB EXP "}", JWT_AUDIENCE},
	    {"{" ISS "\"aud\":\"JARI\"," SUB EXP "}", JWT_AUDIENCE},
	    {"{" ISS "\"aud\":[\"other\",\"" AUDIENCE "\"]," SUB EXP "}", JWT_GOOD},
	    {"{" ISS "\"aud\":[\"other\"]," SUB EXP "}", JWT_AUDIENCE},
	    {"{" ISS "\"aud\":[]," SUB EXP "}", JWT_AUDIENCE},
	    {"{" ISS "\"aud\":[\"" AUDIENCE "\",5]," SUB EXP "}", JWT_CLAIMS},
	    {"{" ISS "\"aud\":{\"" AUDIENCE "\":1}," SUB EXP "}", JWT_CLAIMS},
	    {"{" ISS AUD SUB "\"nbf\":1}", JWT_CLAIMS}, /* a token without an end is none */
	    {"{" ISS AUD SUB "\"exp\":\"1800000300\"}", JWT_CLAIMS},
	    {"{" ISS AUD SUB "\"exp\":null}", JWT_CLAIMS},
	    {"{" ISS AUD SUB "\"exp\":-1}", JWT_CLAIMS},
	    {"{" ISS AUD SUB "\"exp\":99999999999999999999}", JWT_CLAIMS},
	    {"{" ISS AUD SUB "\"exp\":1e300}", JWT_CLAIMS},
	    {"{" ISS AUD SUB "\"exp\":1800000300.5}", JWT_GOOD},
	    {"{" ISS AUD SUB "\"exp\":1.8000003e9}", JWT_GOOD},
	    {"{" ISS AUD SUB "\"exp\":1800000000}", JWT_GOOD}, /* just now; clocks may be off */
	    {"{" ISS AUD SUB "\"exp\":1799999941}", JWT_GOOD},
	    {"{" ISS AUD SUB "\"exp\":1799999940}", JWT_EXPIRED},
	    {"{" ISS AUD SUB "\"exp\":0}", JWT_EXPIRED},
	    {"{" ISS AUD SUB EXP ",\"nbf\":1800000060}", JWT_GOOD},
	    {"{" ISS AUD SUB EXP ",\"nbf\":1800000061}", JWT_EARLY},
	    {"{" ISS AUD SUB EXP ",\"nbf\":0}", JWT_GOOD},
	    {"{" ISS AUD SUB EXP ",\"nbf\":\"0\"}", JWT_CLAIMS},
	    {"{" ISS AUD SUB EXP ",\"nbf\":99999999999999999999}", JWT_CLAIMS},
	    {"{" ISS AUD EXP "}", JWT_SUBJECT},
	    {"{" ISS AUD "\"sub\":5," EXP "}", JWT_SUBJECT},
	    {"{" ISS AUD "\"sub\":\"\"," EXP "}", JWT_SUBJECT},
	    {"{" ISS AUD "\"sub\":\"a\\nb\"," EXP "}", JWT_SUBJECT},
	    {"{" ISS AUD "\"sub\":\"a\\u0000b\"," EXP "}", JWT_FORM},
	    {"{" ISS AUD "\"sub\":\"0123456789012345678901234567890123456789012345678901234567890123\"," EXP "}", JWT_GOOD},
	    {"{" ISS AUD "\"sub\":\"01234567890123456789012345678901234567890123456789012345678901234\"," EXP "}", JWT_SUBJECT},
	    {"{" ISS AUD "\"sub\":\"\xea\xb9\x80\"," EXP "}", JWT_GOOD},
	    {"{" ISS AUD "\"sub\":\"\xff\"," EXP "}", JWT_FORM},
	    {"{" ISS AUD SUB "\"sub\":\"v\"," EXP "}", JWT_FORM},
	};

	(void)state;
	assert_int_equal(JARI_JWT_LEEWAY_SECONDS, 60);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf t = token(ed, "{\"alg\":\"EdDSA\",\"kid\":\"d\"}", rows[i].claims);
		expect(rows[i].claims, all, &t, rows[i].verdict);
	}
}

static void sentences_are_sentences(void **state)
{
	(void)state;
	for (int v = 0; v <= JWT_SUBJECT; v++) {
		const char *s = jwt_sentence((enum jwt_verdict)v);
		assert_true(s[0] == 'T');
		assert_true(s[strlen(s) - 1] == '.');
	}
}

/* ---- key sets ---- */

static void refuse_set(struct buf *json, const char *why)
{
	char error[JWKS_ERROR_SIZE] = "";
	struct jwks *set = jwks_read(buf_view(json), error);

	if (set != NULL || strstr(error, why) == NULL)
		fail_msg("%.*s: expected \"%s\", got \"%s\"", (int)json->n, json->p, why, set != NULL ? "a set" : error);
	buf_free(json);
}

static void refuse_key(EVP_PKEY *key, const char *more, const char *why)
{
	struct buf json = {0};

	buf_str(&json, "{\"keys\":[");
	add_jwk(&json, key, more);
	buf_str(&json, "]}");
	refuse_set(&json, why);
}

static void bad_documents(void **state)
{
	static const struct {
		const char *json, *why;
	} rows[] = {
	    {"", "not valid JSON"},
	    {"{\"keys\":[]}", "no key for RS256"},
	    {"{}", "\"keys\""},
	    {"[]", "\"keys\""},
	    {"{\"keys\":{}}", "\"keys\""},
	    {"{\"keys\":[5]}", "key 1 is not a JSON object"},
	    {"{\"keys\":[],\"keys\":[]}", "twice"},
	    {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}", "no key for RS256"},
	    {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\"}]}", "key 1 needs \"x\" and \"y\""},
	    {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"}]}", "no key for RS256"},
	    {"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"AA\"}]}", "no key for RS256"},
	    {"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}]}", "key 1 needs \"x\""},
	    {"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}", "17 bits"},
	    {"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB=\",\"e\":\"AQAB\"}]}", "base64url"},
	    {"{\"keys\":[{\"kty\":\"RSA\",\"n\":5,\"e\":\"AQAB\"}]}", "base64url"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf json = {0};
		buf_str(&json, rows[i].json);
		refuse_set(&json, rows[i].why);
	}
}

static void bad_keys(void **state)
{
	struct buf json = {0};

	(void)state;
	refuse_key(rsa_small, "", "key 1 is an RSA key of 1024 bits; 2048 are the least");
	refuse_key(ec, "\"d\":\"AAAA\",", "private");
	refuse_key(ec, "\"kid\":\"\",", "\"kid\"");
	refuse_key(ec, "\"kid\":7,", "\"kid\"");
	refuse_key(ec, "\"use\":\"enc\",", "no key for");
	refuse_key(ec, "\"key_ops\":[\"sign\"],", "no key for");
	refuse_key(ec, "\"alg\":\"HS256\",", "no key for");
	refuse_key(rsa, "\"alg\":\"PS256\",", "no key for");
	refuse_key(rsa, "\"alg\":\"RSA-OAEP\",", "no key for");
	refuse_key(ec, "\"kty\":\"EC\",", "twice");

	/* a point that is not on the curve: x and y changed places */
	add_jwk(&json, ec, "");
	char *x = strstr(json.p, "\"x\""), *y = strstr(json.p, "\"y\"");
	x[1] = 'y';
	y[1] = 'x';
	struct buf set = {0};
	buf_printf(&set, "{\"keys\":[%.*s]}", (int)json.n, json.p);
	buf_free(&json);
	refuse_set(&set, "key 1 is not a sound EC key");

	/* an even exponent */
	add_jwk(&json, rsa, "");
	char *e = strstr(json.p, "\"AQAB\"");
	e[4] = 'A';
	buf_printf(&set, "{\"keys\":[%.*s]}", (int)json.n, json.p);
	buf_free(&json);
	refuse_set(&set, "has an \"e\"");
}

static void several_keys_have_names(void **state)
{
	static const struct {
		const char *first, *second, *why;
	} rows[] = {{"", "\"kid\":\"b\",", "no \"kid\""},
	            {"\"kid\":\"a\",", "", "no \"kid\""},
	            {"\"kid\":\"a\",", "\"kid\":\"a\",", "same \"kid\""}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct buf json = {0};
		buf_str(&json, "{\"keys\":[");
		add_jwk(&json, ec, rows[i].first);
		buf_char(&json, ',');
		add_jwk(&json, ed, rows[i].second);
		buf_str(&json, "]}");
		refuse_set(&json, rows[i].why);
	}
}

static void too_many_keys(void **state)
{
	struct buf json = {0};

	(void)state;
	buf_str(&json, "{\"keys\":[");
	for (int i = 0; i <= JARI_JWKS_KEYS_MAX; i++)
		buf_printf(&json, "%s{}", i > 0 ? "," : "");
	buf_str(&json, "]}");
	refuse_set(&json, "at most 64");
}

/* ---- base64url ---- */

static void base64url(void **state)
{
	static const struct {
		const char *in, *out; /* out NULL: refused */
	} rows[] = {
	    {"", ""},
	    {"Zg", "f"},
	    {"Zm8", "fo"},
	    {"Zm9v", "foo"},
	    {"Zm9vYmFy", "foobar"},
	    {"-_-_", "\xfb\xff\xbf"},
	    {"Zh", NULL},
	    {"Zm9", NULL},
	    {"Z", NULL},
	    {"Zm9vY", NULL},
	    {"Zg==", NULL},
	    {"Zm8=", NULL},
	    {"+/+/", NULL},
	    {"Zm 9", NULL},
	    {"Zm9v\n", NULL},
	    {"Zm\xc3\xa9", NULL},
	};
	uint8_t out[16];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool read = base64url_decode(text_of(rows[i].in), out, sizeof(out), &n);
		if (read != (rows[i].out != NULL))
			fail_msg("\"%s\" was %s", rows[i].in, read ? "taken" : "refused");
		if (read) {
			assert_int_equal(n, strlen(rows[i].out));
			assert_memory_equal(out, rows[i].out, n);
		}
	}
	assert_false(base64url_decode(TEXT("Zm9vYmFy"), out, 5, &n));
	assert_true(base64url_decode(TEXT("Zm9vYmFy"), out, 6, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(base64url),
	    cmocka_unit_test(good_ones),
	    cmocka_unit_test(one_key_needs_no_name),
	    cmocka_unit_test(the_key_says_the_algorithm),
	    cmocka_unit_test(none_is_refused),
	    cmocka_unit_test(hmac_of_the_public_key_is_refused),
	    cmocka_unit_test(headers_that_are_not_taken),
	    cmocka_unit_test(keys_in_the_token_are_not_believed),
	    cmocka_unit_test(wrong_signatures),
	    cmocka_unit_test(wrong_forms),
	    cmocka_unit_test(length_has_a_limit),
	    cmocka_unit_test(claims),
	    cmocka_unit_test(sentences_are_sentences),
	    cmocka_unit_test(bad_documents),
	    cmocka_unit_test(bad_keys),
	    cmocka_unit_test(several_keys_have_names),
	    cmocka_unit_test(too_many_keys),
	};

	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
