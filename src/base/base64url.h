/* base64url.h: reads base64url (RFC 4648, section 5) as RFC 7515 writes it: without padding, line breaks or any byte of another alphabet.
 *
 * Strict, so that two different texts never mean the same bytes: the bits behind the last byte must be zero, and a length that no bytes
 * have is refused. Ownership: the output is the caller's. Threads: pure. Errors: false; the output may then be half written. */
#ifndef JARI_BASE_BASE64URL_H
#define JARI_BASE_BASE64URL_H

#include "base/text.h"

/* The most bytes that `chars` characters can mean. */
#define BASE64URL_BYTES(chars) ((chars) / 4 * 3 + 2)

/* Reads `in` into `out`; *n is how many bytes it was. False when it is no base64url, or means more than `size` bytes. */
bool base64url_decode(struct text in, uint8_t *out, size_t size, size_t *n);

#endif
