#include "base/seal.h"

#include "base/arena.h"

#include <assert.h>
#include <endian.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define AES_BYTES 16
#define UUID_BYTES 16
#define NUMBER_BITS 36
#define DIGEST_MASK ((1ULL << 62) - 1)
#define CLAIM_MASK ((1ULL << 60) - 1)

/* A token's 128 bits: 48 of the masked claim, the version (0100), its other 12; the variant (10), the 62 of the digest. */

/* A request whose token is opened is mostly answered with that token, so the last of each is kept. */
struct seal {
	EVP_CIPHER_CTX *mac;  /* under the first half of the key: the digest */
	EVP_CIPHER_CTX *mask; /* under the second half: the mask */
	struct seal_ticket digested;
	uint64_t digest; /* of `digested`, once that has a number */
	uint64_t masked;
	uint64_t mask_bits; /* of the digest `masked` */
	bool has_mask;
};

static EVP_CIPHER_CTX *aes_new(const uint8_t key[AES_BYTES])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (!ctx)
		return NULL;
	if (EVP_EncryptInit_ex(ctx, EVP_aes_128_ecb(), NULL, key, NULL) != 1 || EVP_CIPHER_CTX_set_padding(ctx, 0) != 1) {
		EVP_CIPHER_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

struct seal *seal_new(const uint8_t key[SEAL_KEY_BYTES])
{
	struct seal *s = mem_zero(sizeof(*s));

	s->mac = aes_new(key);
	s->mask = aes_new(key + AES_BYTES);
	if (!s->mac || !s->mask) {
		seal_free(s);
		return NULL;
	}
	return s;
}

void seal_free(struct seal *s)
{
	if (!s)
		return;
	EVP_CIPHER_CTX_free(s->mac);
	EVP_CIPHER_CTX_free(s->mask);
	free(s);
}

/* Encrypts one block in place. */
static void aes(EVP_CIPHER_CTX *ctx, uint8_t block[AES_BYTES])
{
	uint8_t out[AES_BYTES];
	int n = 0;

	/* A cipher that was set up always encrypts a whole block. If not, ending is better than a token that means nothing. */
	if (EVP_EncryptUpdate(ctx, out, &n, block, AES_BYTES) != 1 || n != AES_BYTES)
		abort();
	memcpy(block, out, AES_BYTES);
}

static void put64(uint8_t *p, uint64_t v)
{
	v = htobe64(v);
	memcpy(p, &v, sizeof(v));
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

static bool same_ticket(const struct seal_ticket *a, const struct seal_ticket *b)
{
	return a->number == b->number && a->queue_id == b->queue_id && a->user_id == b->user_id && a->issued_at == b->issued_at;
}

static uint64_t digest_of(struct seal *s, const struct seal_ticket *t)
{
	uint8_t block[AES_BYTES], second[AES_BYTES];

	if (t->number > 0 && same_ticket(t, &s->digested))
		return s->digest;
	put64(block, (uint64_t)t->queue_id);
	put64(block + 8, (uint64_t)t->number);
	aes(s->mac, block);
	put64(second, (uint64_t)t->user_id);
	put64(second + 8, (uint64_t)t->issued_at);
	for (int i = 0; i < AES_BYTES; i++)
		block[i] ^= second[i];
	aes(s->mac, block);
	s->digested = *t;
	s->digest = get64(block) & DIGEST_MASK;
	return s->digest;
}

static uint64_t mask_of(struct seal *s, uint64_t digest)
{
	uint8_t block[AES_BYTES] = {0};

	if (s->has_mask && s->masked == digest)
		return s->mask_bits;
	put64(block, digest);
	aes(s->mask, block);
	s->has_mask = true;
	s->masked = digest;
	s->mask_bits = get64(block) & CLAIM_MASK;
	return s->mask_bits;
}

static void token_bytes(struct seal *s, const struct seal_ticket *t, uint8_t out[UUID_BYTES])
{
	uint64_t digest = digest_of(s, t);
	uint64_t claim = ((uint64_t)t->queue_id << NUMBER_BITS | (uint64_t)t->number) ^ mask_of(s, digest);

	put64(out, claim >> 12 << 16 | 0x4000 | (claim & 0xFFF));
	put64(out + 8, 1ULL << 63 | digest);
}

/* Where the two digits of each byte stand in 8-4-4-4-12. */
static const uint8_t digits_at[UUID_BYTES] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};

void seal_token(struct seal *s, const struct seal_ticket *t, char out[SEAL_TOKEN_CHARS + 1])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[UUID_BYTES];

	assert(t->queue_id > 0 && t->queue_id <= SEAL_QUEUE_MAX && t->number > 0 && t->number <= SEAL_NUMBER_MAX);
	token_bytes(s, t, bytes);
	for (int i = 0; i < UUID_BYTES; i++) {
		out[digits_at[i]] = digits[bytes[i] >> 4];
		out[digits_at[i] + 1] = digits[bytes[i] & 15];
	}
	out[8] = out[13] = out[18] = out[23] = '-';
	out[SEAL_TOKEN_CHARS] = 0;
}

#define DIGITS(first, value)                                                                                      \
	[first] = (value), [(first) + 1] = (value) + 1, [(first) + 2] = (value) + 2, [(first) + 3] = (value) + 3, \
	[(first) + 4] = (value) + 4, [(first) + 5] = (value) + 5

/* A digit's value and one, so that what is no digit is 0. */
static const uint8_t hex_values[256] = {
    DIGITS('0', 1), ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10, DIGITS('a', 11), DIGITS('A', 11),
};

/* Reads 8-4-4-4-12 hexadecimal digits of version 4 and variant 10. */
static bool parse(struct text token, uint8_t out[UUID_BYTES])
{
	const uint8_t *p = (const uint8_t *)token.p;
	bool digits = true;

	if (token.n != SEAL_TOKEN_CHARS || p[8] != '-' || p[13] != '-' || p[18] != '-' || p[23] != '-')
		return false;
	for (int i = 0; i < UUID_BYTES; i++) {
		unsigned high = hex_values[p[digits_at[i]]], low = hex_values[p[digits_at[i] + 1]];

		digits &= high != 0 && low != 0;
		out[i] = (uint8_t)((high - 1) << 4 | (low - 1));
	}
	return digits && out[6] >> 4 == 4 && out[8] >> 6 == 2;
}

bool seal_claims(struct seal *s, struct text token, int64_t *queue_id, int64_t *number)
{
	uint8_t bytes[UUID_BYTES];

	if (!parse(token, bytes))
		return false;

	uint64_t high = get64(bytes), digest = get64(bytes + 8) & DIGEST_MASK;
	uint64_t claim = (high >> 16 << 12 | (high & 0xFFF)) ^ mask_of(s, digest);
	int64_t queue = (int64_t)(claim >> NUMBER_BITS), ticket = (int64_t)(claim & (uint64_t)SEAL_NUMBER_MAX);

	if (queue == 0 || ticket == 0)
		return false;
	*queue_id = queue;
	*number = ticket;
	return true;
}

bool seal_opens(struct seal *s, struct text token, const struct seal_ticket *t)
{
	uint8_t given[UUID_BYTES], right[UUID_BYTES];

	if (!parse(token, given))
		return false;
	token_bytes(s, t, right);
	return CRYPTO_memcmp(given, right, UUID_BYTES) == 0;
}
