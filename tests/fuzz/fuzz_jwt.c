/* fuzz_jwt.c: sign-in tokens. The first line is the header of a token, the rest its claims; it is signed with a key of the organiser's, and so its
 * header and claims decide. The bytes are also taken for a whole token, for base64url and for a claim of every forger.
 *
 * A token is good exactly when a second, simple reading of what it says is (RFC 7519), and its subject is what stands there. Nobody without the key
 * makes a good one: not with one bit or one letter of a good one changed, not with "none", not with an HMAC under the public key, not with
 * another key's signature. */
#include "fuzz.h"

#include "base/base64url.h"
#include "base/buf.h"
#include "base/limits.h"
#include "http/json.h"
#include "http/jwt.h"
#include "mutate.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <strings.h>

#define NOW 1800000000000LL
#define ISSUER "https://id.example"
#define AUDIENCE "jari"
#define ED_BYTES 32

static struct {
	EVP_PKEY *key, *other; /* "ed" of the set, and one that is not in it */
	uint8_t public[ED_BYTES];
	struct jwks *keys;
} fuzz;

/* ---- making tokens ---- */

static void put_base64url(struct buf *out, const void *bytes, size_t n)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const uint8_t *p = bytes;

	for (size_t i = 0; i < n; i += 3) {
		uint32_t three = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);

		for (size_t j = 0; j < 4 && i + j <= n; j++)
			buf_char(out, letters[three >> (18 - 6 * j) & 63]);
	}
}

static EVP_PKEY *key_of(uint8_t fill)
{
	uint8_t seed[ED_BYTES];

	memset(seed, fill, sizeof(seed));
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
}

static void open_keys(void)
{
	struct buf doc = {0};
	char error[JWKS_ERROR_SIZE] = "";
	size_t n = ED_BYTES;

	fuzz.key = key_of(1);
	fuzz.other = key_of(2);
	EXPECT(fuzz.key && fuzz.other && EVP_PKEY_get_raw_public_key(fuzz.key, fuzz.public, &n) == 1, "no keys");
	buf_str(&doc, "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"ed\",\"x\":\"");
	put_base64url(&doc, fuzz.public, ED_BYTES);
	/* The base point of P-256 is a public key like any other. */
	buf_str(&doc,
	        "\"},{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"ec\",\"x\":\"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY\","
	        "\"y\":\"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU\"}]}");
	fuzz.keys = jwks_read(buf_view(&doc), error);
	EXPECT(fuzz.keys != NULL, "%s: %.*s", error, (int)doc.n, doc.p);
	buf_free(&doc);
}

static void put_parts(struct buf *out, struct text header, struct text claims)
{
	put_base64url(out, header.p, header.n);
	buf_char(out, '.');
	put_base64url(out, claims.p, claims.n);
}

static void put_signature(struct buf *out, EVP_PKEY *key)
{
	uint8_t signature[64];
	size_t n = sizeof(signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	EXPECT(ctx != NULL && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
	           EVP_DigestSign(ctx, signature, &n, (const uint8_t *)out->p, out->n) == 1,
	       "no signature");
	EVP_MD_CTX_free(ctx);
	buf_char(out, '.');
	put_base64url(out, signature, n);
}

/* ---- the second reading ---- */

static bool is(json_t *v, const char *text)
{
	return json_is_string(v) && json_string_length(v) == strlen(text) && strcmp(json_string_value(v), text) == 0;
}

static bool good_header(json_t *h)
{
	json_t *typ = json_object_get(h, "typ");
	bool sign_in = typ == NULL;

	if (json_is_string(typ) && strlen(json_string_value(typ)) == json_string_length(typ)) {
		const char *name = json_string_value(typ);

		if (strncasecmp(name, "application/", 12) == 0)
			name += 12;
		sign_in = strcasecmp(name, "JWT") == 0 || strcasecmp(name, "at+jwt") == 0;
	}
	return json_is_object(h) && is(json_object_get(h, "alg"), "EdDSA") && is(json_object_get(h, "kid"), "ed") &&
	       json_object_get(h, "crit") == NULL && sign_in;
}

static bool good_audience(json_t *aud)
{
	json_t *one;
	size_t i;
	bool found = false;

	json_array_foreach(aud, i, one)
	{
		if (!json_is_string(one))
			return false;
		found |= is(one, AUDIENCE);
	}
	return found || is(aud, AUDIENCE);
}

/* Seconds that a claim names; false when it is no time from 1970 to 9999. */
static bool seconds_of(json_t *v, int64_t *out)
{
	double real = json_number_value(v);

	*out = json_is_integer(v) ? json_integer_value(v) : real >= 1 && real <= 253402300799.0 ? (int64_t)real : -1;
	return json_is_number(v) && *out >= 0 && *out <= 253402300799;
}

static bool good_claims(json_t *c)
{
	json_t *nbf = json_object_get(c, "nbf"), *sub = json_object_get(c, "sub");
	struct text name = {json_string_value(sub), json_string_length(sub)};
	int64_t exp, from = 0, now = NOW / 1000;

	if (!json_is_object(c) || !is(json_object_get(c, "iss"), ISSUER) || !good_audience(json_object_get(c, "aud")) ||
	    !seconds_of(json_object_get(c, "exp"), &exp) || (nbf != NULL && !seconds_of(nbf, &from)))
		return false;
	return now < exp + 60 && now >= from - 60 && json_is_string(sub) && text_utf8_chars(name) >= 1 &&
	       text_utf8_chars(name) <= 64 && !text_has_control(name);
}

/* ---- checking ---- */

static enum jwt_verdict check(struct text token, struct arena *arena, struct text *subject)
{
	static const struct jwt_rules rules = {{ISSUER, sizeof(ISSUER) - 1}, {AUDIENCE, sizeof(AUDIENCE) - 1}};
	char *copy = fuzz_exact(token.p, token.n);
	enum jwt_verdict verdict = jwt_check(fuzz.keys, &rules, (struct text){copy, token.n}, NOW, arena, subject);
	const char *sentence = jwt_sentence(verdict);

	EXPECT(sentence[0] && sentence[strlen(sentence) - 1] == '.', "verdict %d: %s", (int)verdict, sentence);
	free(copy);
	return verdict;
}

static void expect_bad(const char *what, const struct buf *token)
{
	struct arena arena = {0};
	struct text subject = {NULL, 0};

	EXPECT(check(buf_view(token), &arena, &subject) != JWT_GOOD, "%s is good: %.*s", what, (int)token->n, token->p);
	EXPECT(subject.n == 0, "%s has a subject", what);
	arena_free(&arena);
}

static void check_signed(struct text header, struct text claims, const struct buf *token)
{
	char error[JSON_ERROR_SIZE];
	json_t *h = json_read(header, error), *c = json_read(claims, error), *sub = json_object_get(c, "sub");
	bool want = good_header(h) && good_claims(c) && token->n <= JARI_JWT_BYTES_MAX;
	struct arena arena = {0};
	struct text subject = {NULL, 0};
	enum jwt_verdict verdict = check(buf_view(token), &arena, &subject);

	EXPECT((verdict == JWT_GOOD) == want, "\"%s\" of %.*s %.*s", jwt_sentence(verdict), SHOWN(header), SHOWN(claims));
	if (want)
		EXPECT(text_equal(subject, (struct text){json_string_value(sub), json_string_length(sub)}), "the subject is %.*s",
		       SHOWN(subject));
	json_decref(h);
	json_decref(c);
	arena_free(&arena);
}

/* With one letter changed for another of the alphabet, or the last one of a part, whose unused bits must be zero. */
static void check_changed(const struct buf *token, struct fuzz_dice *dice)
{
	struct buf other = {0};

	buf_text(&other, buf_view(token));
	size_t at = fuzz_roll(dice, other.n);
	char was = other.p[at];
	other.p[at] = "AB-_9z.="[fuzz_roll(dice, 8)];
	if (other.p[at] != was)
		expect_bad("a changed token", &other);
	buf_free(&other);
}

static void check_forgers(struct text header, struct text claims)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned n = sizeof(mac);
	struct buf token = {0};

	put_parts(&token, header, claims);
	size_t parts = token.n;
	buf_char(&token, '.');
	expect_bad("a token without a signature", &token);
	EXPECT(HMAC(EVP_sha256(), fuzz.public, ED_BYTES, (const uint8_t *)token.p, parts, mac, &n) != NULL, "no HMAC");
	put_base64url(&token, mac, n);
	expect_bad("an HMAC under the public key", &token);
	token.n = parts;
	put_signature(&token, fuzz.other);
	expect_bad("another key's signature", &token);
	buf_free(&token);
}

static void check_base64url(struct text in)
{
	char *copy = fuzz_exact(in.p, in.n);
	uint8_t *out = (uint8_t *)fuzz_exact(copy, in.n);
	struct buf again = {0};
	size_t n = 0;

	if (base64url_decode((struct text){copy, in.n}, out, in.n, &n)) {
		put_base64url(&again, out, n);
		EXPECT(text_equal(buf_view(&again), in), "%.*s means what %.*s does", SHOWN(in), (int)again.n, again.p);
	}
	buf_free(&again);
	free(out);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text claims = {(const char *)data, size}, all = claims, header = fuzz_until(&claims, '\n');
	struct fuzz_dice dice = fuzz_dice_of(data, size);
	struct buf token = {0}, raw = {0};

	if (fuzz.keys == NULL)
		open_keys();
	put_parts(&token, header, claims);
	put_signature(&token, fuzz.key);
	check_signed(header, claims, &token);
	check_changed(&token, &dice);
	check_forgers(header, claims);
	buf_text(&raw, all);
	expect_bad("anybody's bytes", &raw);
	check_base64url(all);
	buf_free(&token);
	buf_free(&raw);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
	struct text claims = {(const char *)data, size};

	(void)fuzz_until(&claims, '\n');
	return fuzz_mutate_json(data, size, size_max, seed, size - claims.n);
}
