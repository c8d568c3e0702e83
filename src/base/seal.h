/* seal.h: tokens that carry the place of their ticket, so that no table of tokens exists to be read or searched.
 *
 * A token is a UUID of version 4 in form. Its 122 free bits are a synthetic-IV encryption (Rogaway and Shrimpton 2006, "Deterministic
 * authenticated encryption") of the ticket's queue and number: 62 bits are a keyed digest (AES-128 CBC-MAC over a fixed two blocks) of
 * queue, number, user and the instant of issue; 60 bits are queue and number, masked with a keyed function of that digest. Who has
 * the store but not the key can make no token; who has the key can make a ticket's token again, so a person who asks twice gets
 * the same one. User and instant are bound in, so a number that is issued again after a restored backup has another token.
 *
 * Queue ids up to 2^24 - 1 and numbers up to 2^36 - 1. Threads: a struct seal is used by one thread at a time. */
#ifndef JARI_BASE_SEAL_H
#define JARI_BASE_SEAL_H

#include "base/text.h"

#define SEAL_KEY_BYTES 32
#define SEAL_TOKEN_CHARS 36
#define SEAL_QUEUE_MAX ((1LL << 24) - 1)
#define SEAL_NUMBER_MAX ((1LL << 36) - 1)

struct seal;

struct seal_ticket {
	int64_t queue_id, number, user_id, issued_at;
};

/* Returns NULL when the cryptographic library fails. The caller frees with seal_free. */
struct seal *seal_new(const uint8_t key[SEAL_KEY_BYTES]);
void seal_free(struct seal *s);
/* Writes the token of a ticket, 36 characters and a NUL. */
void seal_token(struct seal *s, const struct seal_ticket *t, char out[SEAL_TOKEN_CHARS + 1]);
/* The queue and number that a token claims. False when it is no UUID of ours in form. Anyone can make a token that claims
 * something: seal_opens decides. Upper and lower case are the same. */
bool seal_claims(struct seal *s, struct text token, int64_t *queue_id, int64_t *number);
/* True when `token` is the token of this very ticket; compared in constant time. */
bool seal_opens(struct seal *s, struct text token, const struct seal_ticket *t);

#endif
