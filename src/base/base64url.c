#include "base/base64url.h"

static int digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool base64url_decode(struct text in, uint8_t *out, size_t size, size_t *n)
{
	uint32_t bits = 0;
	unsigned count = 0; /* of bits that are not written yet, at most 7 between characters */

	*n = 0;
	if (in.n % 4 == 1)
		return false;
	for (size_t i = 0; i < in.n; i++) {
		int value = digit(in.p[i]);

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		count += 6;
		if (count < 8)
			continue;
		count -= 8;
		if (*n == size)
			return false;
		out[(*n)++] = (uint8_t)(bits >> count);
		bits &= (1u << count) - 1;
	}
	return bits == 0;
}
