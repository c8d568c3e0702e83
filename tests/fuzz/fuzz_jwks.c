/* fuzz_jwks.c: key sets of the organiser's identity provider.
 *
 * A set that is taken has 1 to JARI_JWKS_KEYS_MAX keys, each of a kind that its algorithm is for and strong enough, each found by its name and by no
 * other's; every key of the document was taken or passed over, and none of them is private. What is refused is refused with a sentence. */
#include "fuzz.h"

#include "base/limits.h"
#include "http/json.h"
#include "http/jwks.h"
#include "mutate.h"
#include <openssl/evp.h>

static void check_key(const struct jwks *set, const struct jwk *k)
{
	int kind = EVP_PKEY_get_base_id(k->key);

	EXPECT(k->alg == JWK_RS256   ? kind == EVP_PKEY_RSA && EVP_PKEY_get_bits(k->key) >= 2048
	       : k->alg == JWK_ES256 ? kind == EVP_PKEY_EC && EVP_PKEY_get_bits(k->key) == 256
	                             : k->alg == JWK_EDDSA && kind == EVP_PKEY_ED25519,
	       "a key of kind %d and %d bits for %s", kind, EVP_PKEY_get_bits(k->key), jwk_alg_name(k->alg));
	if (k->kid != NULL) {
		struct text name = text_of(k->kid);

		EXPECT(name.n >= 1 && name.n <= JARI_JWT_KID_MAX && jwks_find(set, &name) == k, "the key %s is not found",
		       k->kid);
	} else {
		EXPECT(set->count == 1, "a key without a name among %zu", set->count);
	}
	EXPECT(jwks_find(set, NULL) == (set->count == 1 ? k : NULL), "a token without a key's name among %zu", set->count);
}

static void check_document(struct text in, const struct jwks *set)
{
	char error[JSON_ERROR_SIZE];
	json_t *doc = json_read(in, error), *keys = json_object_get(doc, "keys"), *one;
	size_t i;

	EXPECT(json_array_size(keys) == set->count + set->passed_over, "%zu keys were taken and %zu passed over, of %zu",
	       set->count, set->passed_over, json_array_size(keys));
	json_array_foreach(keys, i, one)
	{
		EXPECT(json_object_get(one, "d") == NULL, "a private key was taken");
	}
	json_decref(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[JWKS_ERROR_SIZE] = "", *copy = fuzz_exact((const char *)data, size);
	struct text in = {copy, size}, nobody = TEXT("\x01 nobody");
	struct jwks *set = jwks_read(in, error);

	if (set == NULL) {
		EXPECT(error[0] != '\0' && !text_has_control(text_of(error)), "the sentence is \"%s\"", error);
	} else {
		EXPECT(set->count >= 1 && set->count <= JARI_JWKS_KEYS_MAX, "%zu keys", set->count);
		for (size_t i = 0; i < set->count; i++)
			check_key(set, &set->keys[i]);
		check_document(in, set);
		EXPECT(jwks_find(set, &nobody) == NULL || memmem(copy, size, "nobody", 6), "a key of another name is found");
	}
	jwks_free(set);
	free(copy);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
	return fuzz_mutate_json(data, size, size_max, seed, 0);
}
